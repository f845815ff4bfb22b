/* SPDX-License-Identifier: MIT */
/* Tables of options: what a config file may say. Parsing, checks, help and the manual page all
   follow from them. */
#ifndef DL_CONFIG_OPTION_H
#define DL_CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* The type of an option's field in its owner's struct. */
typedef enum {
    DL_BOOL,    /* bool */
    DL_INT,     /* int64_t; a word choices[i], if the option has choices, is stored as -(i + 1) */
    DL_FLOAT,   /* double; an int is fine */
    DL_STRING,  /* const char *, borrowed from the config */
    DL_CHOICE,  /* int: the index of the word in choices */
    DL_PAIR,    /* int64_t[2]: two numbers (height, width), or one for both */
    DL_STRINGS, /* dl_strings, borrowed from the config */
    DL_NAME,    /* const char *: a string, or an int as its decimal */
    DL_NUMBERS, /* dl_numbers, owned by the config: a list, or one number; min and max are of each;
                   or a word of choices */
    DL_SETTING  /* struct config_setting_t *: whatever is there, read by its owner; NULL if missing
                 */
} dl_type;

typedef struct {
    int count;
    const char **items;
} dl_strings;

typedef struct {
    int count;
    double *items;
    int word; /* 1 + the index in the option's choices, if a word stands there; then no items */
} dl_numbers;

typedef struct {
    const char *key;
    dl_type type;
    size_t offset;        /* of the field in the owner's struct */
    const char *fallback; /* default, as in a config (strings bare); NULL: required; "": none */
    double min, max;      /* for numbers, both included; 0, 0: any */
    const char *const
        *choices;     /* NULL-terminated; for DL_CHOICE; DL_INT, DL_PAIR, DL_NUMBERS with words */
    const char *help; /* for people: what it does, and when to use it */
} dl_option;

/* ---- rows of a table ----

   DL_INT_OPTION("units", dense, units, DL_REQUIRED, 1, 1 << 20, "outputs of the layer") fills the
   member `units` of the struct `dense`. A member of another type than the row's does not compile
   without a warning. Defaults are written as in a config, strings without their quotes. */

#define DL_REQUIRED NULL /* as a default: the key must be there */
#define DL_NO_DEFAULT "" /* as a default: none; the field is 0 or NULL */

#define DL_FIELD(owner, field, c_type)                                                             \
    (offsetof(owner, field) + 0 * sizeof(1 ? (c_type *)0 : &((owner *)0)->field))

#define DL_OPTION_ROW(key_, type_, offset_, default_, min_, max_, choices_, help_)                 \
    {                                                                                              \
        .key = key_, .type = type_, .offset = offset_, .fallback = default_, .min = min_,          \
        .max = max_, .choices = choices_, .help = help_                                            \
    }
#define DL_BOOL_OPTION(key, owner, field, fallback, help)                                          \
    DL_OPTION_ROW(key, DL_BOOL, DL_FIELD(owner, field, bool), fallback, 0, 0, NULL, help)
#define DL_INT_OPTION(key, owner, field, fallback, low, high, help)                                \
    DL_OPTION_ROW(key, DL_INT, DL_FIELD(owner, field, int64_t), fallback, low, high, NULL, help)
#define DL_FLOAT_OPTION(key, owner, field, fallback, low, high, help)                              \
    DL_OPTION_ROW(key, DL_FLOAT, DL_FIELD(owner, field, double), fallback, low, high, NULL, help)
#define DL_STRING_OPTION(key, owner, field, fallback, help)                                        \
    DL_OPTION_ROW(key, DL_STRING, DL_FIELD(owner, field, const char *), fallback, 0, 0, NULL, help)
#define DL_CHOICE_OPTION(key, owner, field, fallback, words, help)                                 \
    DL_OPTION_ROW(key, DL_CHOICE, DL_FIELD(owner, field, int), fallback, 0, 0, words, help)
#define DL_STRINGS_OPTION(key, owner, field, fallback, help)                                       \
    DL_OPTION_ROW(key, DL_STRINGS, DL_FIELD(owner, field, dl_strings), fallback, 0, 0, NULL, help)
#define DL_NAME_OPTION(key, owner, field, fallback, help)                                          \
    DL_OPTION_ROW(key, DL_NAME, DL_FIELD(owner, field, const char *), fallback, 0, 0, NULL, help)
#define DL_SETTING_OPTION(key, owner, field, fallback, help)                                       \
    DL_OPTION_ROW(key, DL_SETTING, DL_FIELD(owner, field, struct config_setting_t *), fallback, 0, \
                  0, NULL, help)
/* Two numbers; the field is an int64_t[2]. */
#define DL_PAIR_OPTION(key, owner, field, fallback, low, high, help)                               \
    DL_OPTION_ROW(key, DL_PAIR, DL_FIELD(owner, field[0], int64_t), fallback, low, high, NULL, help)
#define DL_NUMBERS_OPTION(key, owner, field, fallback, low, high, help)                            \
    DL_OPTION_ROW(key, DL_NUMBERS, DL_FIELD(owner, field, dl_numbers), fallback, low, high, NULL,  \
                  help)
/* Numbers, or a word in their place. */
#define DL_INT_OR_WORD_OPTION(key, owner, field, fallback, low, high, words, help)                 \
    DL_OPTION_ROW(key, DL_INT, DL_FIELD(owner, field, int64_t), fallback, low, high, words, help)
#define DL_PAIR_OR_WORD_OPTION(key, owner, field, fallback, low, high, words, help)                \
    DL_OPTION_ROW(key, DL_PAIR, DL_FIELD(owner, field[0], int64_t), fallback, low, high, words,    \
                  help)
#define DL_NUMBERS_OR_WORD_OPTION(key, owner, field, fallback, low, high, words, help)             \
    DL_OPTION_ROW(key, DL_NUMBERS, DL_FIELD(owner, field, dl_numbers), fallback, low, high, words, \
                  help)

/* Ends a table of options. */
#define DL_OPTIONS_END                                                                             \
    { .key = NULL }

/* What every layer, loss, optimizer, … of the registries begins with. */
typedef struct {
    const char *name, *help;
    size_t size;              /* of its struct, which the options fill */
    const dl_option *options; /* ends with DL_OPTIONS_END */
} dl_kind;

typedef struct {
    const char *what, *plural; /* "layer", "layers" */
    const char *key;           /* the key that chooses one: "layer", "type", "format" */
    int count;
    const dl_kind *const *kinds;
} dl_registry;

/* By name, or NULL. */
const dl_kind *dl_registry_find(const dl_registry *registry, const char *name);
/* ` (did you mean "x"?)`, or the list of what there is; for the end of an error message. */
void dl_registry_hint(const dl_registry *registry, const char *name, dl_text *hint);
/* A table's options as lines for a terminal. */
void dl_options_help(const dl_option *options, dl_text *text);
/* The same in roff, for a manual page. */
void dl_options_roff(const dl_option *options, dl_text *text);
/* Words of a help text, with what is special to roff made plain. */
void dl_add_roff(dl_text *text, const char *words);
/* The same as a sentence: with a capital at its beginning and a full stop at its end. */
void dl_add_roff_sentence(dl_text *text, const char *words);
/* A kind's name, `width` columns wide, and its help. */
void dl_kind_line(const dl_kind *kind, int width, dl_text *text);
/* One kind: its help and its options. `registry` names the key that chooses it. */
void dl_kind_help(const dl_registry *registry, const dl_kind *kind, dl_text *text);

#endif

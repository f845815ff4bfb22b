/* SPDX-License-Identifier: MIT */
/* Option tables, from which parsing, checks, help and the manual page follow. */
#ifndef DL_CONFIG_OPTION_H
#define DL_CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* The type of an option's field in its owner's struct. */
typedef enum {
    DL_BOOL,    /* bool */
    DL_INT,     /* int64_t; with choices, the word choices[i] is stored as -(i + 1) */
    DL_FLOAT,   /* double; accepts integers */
    DL_STRING,  /* const char *, borrowed from the config */
    DL_CHOICE,  /* int: the index of the word in choices */
    DL_PAIR,    /* int64_t[2]: two numbers (height, width), or one for both */
    DL_STRINGS, /* dl_strings, borrowed from the config */
    DL_NAME,    /* const char *: a string, or an int as its decimal */
    DL_NAMES,   /* dl_strings: a list of names as in DL_NAME, or one */
    DL_NUMBERS, /* dl_numbers, owned by the config: a list or one number, each in [min, max]; or a
                   word of choices */
    DL_SETTING  /* struct config_setting_t *: read by its owner; NULL if missing */
} dl_type;

typedef struct {
    int count;
    const char **items;
} dl_strings;

typedef struct {
    int count;
    double *items;
    int word; /* 1 + index of a word in choices, without items; 0: no word */
} dl_numbers;

typedef struct {
    const char *key;
    dl_type type;
    size_t offset; /* of the field in the owner's struct */
    const char
        *fallback;   /* default in config syntax (strings unquoted); NULL: required; "": none */
    double min, max; /* inclusive, for numbers; 0, 0: any */
    const char *const
        *choices;     /* NULL-terminated; for DL_CHOICE; DL_INT, DL_PAIR, DL_NUMBERS with words */
    const char *help; /* what it does, and when to use it */
} dl_option;

/* ---- rows of a table ----

   DL_INT_OPTION("units", dense, units, DL_REQUIRED, 1, 1 << 20, "outputs of the layer") sets the
   member `units` of the struct `dense`. A member of the wrong type causes a compiler warning. */

#define DL_REQUIRED NULL /* default: the key is required */
#define DL_NO_DEFAULT "" /* default: none; the field is 0 or NULL */

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
#define DL_NAMES_OPTION(key, owner, field, fallback, help)                                         \
    DL_OPTION_ROW(key, DL_NAMES, DL_FIELD(owner, field, dl_strings), fallback, 0, 0, NULL, help)
#define DL_NAME_OPTION(key, owner, field, fallback, help)                                          \
    DL_OPTION_ROW(key, DL_NAME, DL_FIELD(owner, field, const char *), fallback, 0, 0, NULL, help)
#define DL_SETTING_OPTION(key, owner, field, fallback, help)                                       \
    DL_OPTION_ROW(key, DL_SETTING, DL_FIELD(owner, field, struct config_setting_t *), fallback, 0, \
                  0, NULL, help)
/* The field is an int64_t[2]. */
#define DL_PAIR_OPTION(key, owner, field, fallback, low, high, help)                               \
    DL_OPTION_ROW(key, DL_PAIR, DL_FIELD(owner, field[0], int64_t), fallback, low, high, NULL, help)
#define DL_NUMBERS_OPTION(key, owner, field, fallback, low, high, help)                            \
    DL_OPTION_ROW(key, DL_NUMBERS, DL_FIELD(owner, field, dl_numbers), fallback, low, high, NULL,  \
                  help)
/* Numbers, or a word instead. */
#define DL_INT_OR_WORD_OPTION(key, owner, field, fallback, low, high, words, help)                 \
    DL_OPTION_ROW(key, DL_INT, DL_FIELD(owner, field, int64_t), fallback, low, high, words, help)
#define DL_PAIR_OR_WORD_OPTION(key, owner, field, fallback, low, high, words, help)                \
    DL_OPTION_ROW(key, DL_PAIR, DL_FIELD(owner, field[0], int64_t), fallback, low, high, words,    \
                  help)
#define DL_NUMBERS_OR_WORD_OPTION(key, owner, field, fallback, low, high, words, help)             \
    DL_OPTION_ROW(key, DL_NUMBERS, DL_FIELD(owner, field, dl_numbers), fallback, low, high, words, \
                  help)

#define DL_OPTIONS_END                                                                             \
    { .key = NULL }

/* The first member of every layer, loss, optimizer, … */
typedef struct {
    const char *name, *help;
    size_t size;              /* of the struct that the options set */
    const dl_option *options; /* ends with DL_OPTIONS_END */
} dl_kind;

typedef struct {
    const char *what, *plural; /* "layer", "layers" */
    const char *key;           /* that selects one: "layer", "type", "format" */
    int count;
    const dl_kind *const *kinds;
} dl_registry;

const dl_kind *dl_registry_find(const dl_registry *registry, const char *name);
/* Adds ` (did you mean "x"?)` or the list of all kinds, to end an error message. */
void dl_registry_hint(const dl_registry *registry, const char *name, dl_text *hint);
/* Adds the options for a terminal. */
void dl_options_help(const dl_option *options, dl_text *text);
/* Adds the options in roff for a manual page. */
void dl_options_roff(const dl_option *options, dl_text *text);
/* Adds text, escaped for roff. */
void dl_add_roff(dl_text *text, const char *words);
/* The same, capitalized and with a final period. */
void dl_add_roff_sentence(dl_text *text, const char *words);
/* Adds the name of a kind, padded to `width`, and its help. */
void dl_kind_line(const dl_kind *kind, int width, dl_text *text);
/* Adds the help and options of a kind. */
void dl_kind_help(const dl_registry *registry, const dl_kind *kind, dl_text *text);

#endif

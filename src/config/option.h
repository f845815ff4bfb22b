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

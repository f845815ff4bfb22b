/* SPDX-License-Identifier: MIT */
/* Command lines as tables: an option is a row. Parsing, ranges, exclusions, usage, the option list
   of the manual page and completion follow from the rows. */
#ifndef DL_CMD_COMMAND_H
#define DL_CMD_COMMAND_H

#include "base/error.h"
#include "config/option.h"

/* The value of an option, and the type of its field. */
typedef enum {
    ARG_NONE,   /* bool: set */
    ARG_COUNT,  /* int64_t in [min, max] */
    ARG_REAL,   /* double in [min, max] */
    ARG_STRING, /* const char *, not empty unless `may_be_empty`; borrowed from argv */
    ARG_WORD,   /* int: the index in `words` */
    ARG_SET,    /* arg_common.sets: KEY=VALUE; if `key` is set, an integer that becomes KEY=N */
    ARG_CUSTOM  /* parsed by `read` */
} arg_kind;

/* How a shell completes a value or an operand. */
typedef enum { ARG_NOTHING, ARG_FILE, ARG_FOLDER, ARG_CONFIG, ARG_RUN, ARG_KEYS } arg_completion;

/* Parses a value into the arguments; or false, and a message that says what it must be. */
typedef bool (*arg_reader)(const char *text, void *arguments, dl_text *message);

typedef struct {
    const char *name; /* without its dashes */
    char letter;      /* the short form, or 0 */
    arg_kind kind;
    size_t offset; /* of the field */
    double min, max;
    const char *value;        /* its name in the help: "N", "FILE" */
    const char *const *words; /* ends with NULL */
    arg_completion completes;
    bool may_be_empty;
    const char *key;      /* of the config */
    const char *fallback; /* default, as on a command line; NULL: the field stays zero */
    arg_reader read;
    const char *needs;    /* the option without which this one is refused */
    const char *excludes; /* options that this one is refused with, separated by blanks */
    const char *help;     /* a sentence without a full stop */
} arg_option;

enum { ARG_MOST_ROWS = 64 }; /* of a command */

/* The first member of every command's arguments. */
typedef struct {
    const char *program;                    /* "dltrain" */
    const char *called;                     /* argv[0]: "./dltrain" */
    const arg_option *given[ARG_MOST_ROWS]; /* rows of the options given, each once */
    int given_count;
    char **operands; /* [operand_count], borrowed from argv */
    int operand_count;
    char **sets; /* [set_count]: KEY=VALUE, owned */
    int set_count;
    int64_t threads; /* 0: all processors */
    int backend;
    bool quiet, json;
} arg_common;

/* Constructors of rows. Further fields may follow `help`: .excludes = "json". */
#define ARG_ROW(name_, kind_, offset_, value_, ...)                                                \
    { .name = name_, .kind = kind_, .offset = offset_, .value = value_, .help = __VA_ARGS__ }
#define ARG_FLAG_ROW(name, owner, field, ...)                                                      \
    ARG_ROW(name, ARG_NONE, DL_FIELD(owner, field, bool), NULL, __VA_ARGS__)
#define ARG_COUNT_ROW(name, owner, field, low, high, value, ...)                                   \
    ARG_ROW(name, ARG_COUNT, DL_FIELD(owner, field, int64_t), value, __VA_ARGS__, .min = low,      \
            .max = high)
#define ARG_REAL_ROW(name, owner, field, low, high, value, ...)                                    \
    ARG_ROW(name, ARG_REAL, DL_FIELD(owner, field, double), value, __VA_ARGS__, .min = low,        \
            .max = high)
#define ARG_STRING_ROW(name, owner, field, value_, completion, ...)                                \
    ARG_ROW(name, ARG_STRING, DL_FIELD(owner, field, const char *), value_, __VA_ARGS__,           \
            .completes = completion)
#define ARG_WORD_ROW(name, owner, field, words_, value, ...)                                       \
    ARG_ROW(name, ARG_WORD, DL_FIELD(owner, field, int), value, __VA_ARGS__, .words = words_)
#define ARG_KEY_ROW(name, key_, high, ...)                                                         \
    ARG_ROW(name, ARG_SET, 0, "N", __VA_ARGS__, .key = key_, .max = high)
#define ARG_CUSTOM_ROW(name, reader, value, ...)                                                   \
    ARG_ROW(name, ARG_CUSTOM, 0, value, __VA_ARGS__, .read = reader)
#define ARG_ROWS_END                                                                               \
    { .name = NULL }

/* Rows shared by several programs. */
#define ARG_SET_ROW                                                                                \
    ARG_ROW("set", ARG_SET, 0, "KEY=VALUE",                                                        \
            "override a key of the config (--set network.0.units=64); may be repeated",            \
            .completes = ARG_KEYS)
#define ARG_THREADS_ROW                                                                            \
    ARG_COUNT_ROW("threads", arg_common, threads, 1, 1024, "N",                                    \
                  "processors to use (default: OMP_NUM_THREADS, or all)")
#define ARG_BACKEND_ROW                                                                            \
    ARG_WORD_ROW("backend", arg_common, backend, dl_backend_names, "NAME",                         \
                 "library for matrix products and convolutions", .fallback = "auto")
#define ARG_QUIET_ROW ARG_FLAG_ROW("quiet", arg_common, quiet, "print nothing but errors to stderr")
#define ARG_JSON_ROW(...) ARG_FLAG_ROW("json", arg_common, json, __VA_ARGS__)

typedef struct {
    const char *name;     /* of a subcommand; NULL: the program's only command */
    const char *operands; /* in the usage: "CONFIG" */
    arg_completion completes;
    int min_operands, max_operands; /* max_operands 0: any number */
    const char *operand;            /* in messages: "config" */
    const char *help;               /* a sentence, for the list of subcommands */
    const char *more;               /* further lines of the usage, or NULL */
    const arg_option *options;
    size_t size; /* of its arguments, a struct that begins with arg_common */
    /* Checks that no row expresses; false and a message. May be NULL. */
    bool (*check)(void *arguments, dl_text *message);
    /* 0, DL_CHECK or another exit status, or -1 and an error. */
    int (*run)(void *arguments, dl_error *error);
} arg_command;

/* An option that moved to another program. */
typedef struct {
    const char *option, *use;
} arg_moved;

typedef struct {
    const char *name, *help;
    const arg_command *commands; /* [command_count] */
    int command_count;
    const arg_moved *moved; /* ends with NULL; or NULL */
    const char *status;     /* the exit statuses */
} arg_program;

/* Prints the usage of a command; NULL: of the program. */
void arg_print_usage(const arg_program *program, const arg_command *command);
/* Prints the option list of the manual page, in mdoc. */
void arg_print_manual(const arg_program *program);
/* Prints a usage error and where to find help. Returns DL_USAGE. */
int arg_fail(const arg_program *program, const arg_command *command, const char *format, ...)
    DL_PRINTF(3, 4);
/* Whether the program has no subcommands. */
bool arg_is_single(const arg_program *program);
/* The rows of every command: --help and --version. */
extern const arg_option arg_always[];

#endif

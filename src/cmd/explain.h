/* SPDX-License-Identifier: MIT */
/* dlinspect's commands that explain a trained net's answers by its data. */
#ifndef DL_CMD_EXPLAIN_H
#define DL_CMD_EXPLAIN_H

#include "cmd/arguments.h"

/* Of all of them. */
typedef struct {
    arg_common common;
    const char *out, *metric, *columns;
    int split;
    bool last, strip;
    int64_t epoch, repeats, rows, grid, seed;
} explain_arguments;

extern const arg_option explain_importance_options[], explain_boundary_options[];
int explain_run_boundary(void *arguments, dl_error *error);
int explain_run_importance(void *arguments, dl_error *error);

/* Rows of the table of dlinspect's commands. */
#define EXPLAIN_COMMANDS                                                                           \
    {.name = "boundary",                                                                           \
     .operands = "RUN",                                                                            \
     .completes = ARG_RUN,                                                                         \
     .min_operands = 1,                                                                            \
     .max_operands = 1,                                                                            \
     .operand = "run",                                                                             \
     .size = sizeof(explain_arguments),                                                            \
     .options = explain_boundary_options,                                                          \
     .run = explain_run_boundary,                                                                  \
     .help = "Draws the answers of a net over the plane of two inputs: decision regions, or the "  \
             "surface of its first output, with the rows as dots.",                                \
     .more = "Other inputs are at their means or most frequent categories."},                      \
    {                                                                                              \
        .name = "importance", .operands = "RUN", .completes = ARG_RUN, .min_operands = 1,          \
        .max_operands = 1, .operand = "run", .size = sizeof(explain_arguments),                    \
        .options = explain_importance_options, .run = explain_run_importance,                      \
        .help = "Permutes each input column among the rows, and prints how much worse the net "    \
                "gets: what it relies on.",                                                        \
        .more = "The columns of a one-hot encoding or a date are permuted together; of pictures, " \
                "regions."                                                                         \
    }

#endif

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
    bool last;
    int64_t repeats, rows, grid, seed;
} explain_arguments;

extern const arg_option explain_importance_options[];
int explain_run_importance(void *arguments, dl_error *error);

/* Rows of the table of dlinspect's commands. */
#define EXPLAIN_COMMANDS                                                                           \
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

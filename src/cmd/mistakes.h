/* SPDX-License-Identifier: MIT */
/* dlinspect mistakes. */
#ifndef DL_CMD_MISTAKES_H
#define DL_CMD_MISTAKES_H

#include "cmd/arguments.h"

typedef struct {
    arg_common common;
    const char *out;
    int split;
    bool last;
    int64_t best;
} mistakes_arguments;

extern const arg_option mistakes_options[];
int mistakes_run(void *arguments, dl_error *error);

/* Row of the table of dlinspect's commands. */
#define MISTAKES_COMMAND                                                                           \
    {                                                                                              \
        .name = "mistakes", .operands = "RUN...", .completes = ARG_RUN, .min_operands = 1,         \
        .operand = "run", .size = sizeof(mistakes_arguments), .options = mistakes_options,         \
        .run = mistakes_run,                                                                       \
        .help = "Lists the most confident errors, the least confident hits, the pairs of classes " \
                "that are confused, and rows whose label may be wrong, with file and line.",       \
        .more = "Several RUNs, such as those of data.fold = 1, 2, …: each judges its own "       \
                "validation part, which it has not learned, and all rows are ranked together."     \
    }

#endif

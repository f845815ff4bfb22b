/* SPDX-License-Identifier: MIT */
/* dlinspect's commands that look into a trained net. */
#ifndef DL_CMD_LOOK_H
#define DL_CMD_LOOK_H

#include "cmd/arguments.h"

/* Of all of them. */
typedef struct {
    arg_common common;
    const char *out;
    int split;
    bool last;
    int64_t most, best;
} look_arguments;

extern const arg_option look_filters_options[], look_patches_options[];
int look_run_filters(void *arguments, dl_error *error);
int look_run_patches(void *arguments, dl_error *error);

#define LOOK_AT_UNITS                                                                              \
    .completes = ARG_RUN, .min_operands = 1, .max_operands = 2, .operand = "run",                  \
    .size = sizeof(look_arguments)
/* Rows of the table of dlinspect's commands. */
#define LOOK_COMMANDS                                                                              \
    {.name = "filters",                                                                            \
     .operands = "RUN [LAYER[:UNITS]]",                                                            \
     LOOK_AT_UNITS,                                                                                \
     .options = look_filters_options,                                                              \
     .run = look_run_filters,                                                                      \
     .help = "Draws the weights of a layer (the first one) as pictures, and prints the norms of "  \
             "its units.",                                                                         \
     .more = "Units are numbers or classes: conv2d_3:17, conv2d_3:0-7,12, dense_2:cat."},          \
    {                                                                                              \
        .name = "patches", .operands = "RUN [LAYER[:UNITS]]", LOOK_AT_UNITS,                       \
        .options = look_patches_options, .run = look_run_patches,                                  \
        .help = "Shows the parts of the training data that activate a unit most: pictures cut to " \
                "its receptive field, passages of a text, rows.",                                  \
        .more = "Values, rows and positions are in a CSV file, too."                               \
    }

#endif

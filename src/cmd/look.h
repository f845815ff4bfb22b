/* SPDX-License-Identifier: MIT */
/* dlinspect's commands that look into a trained net. */
#ifndef DL_CMD_LOOK_H
#define DL_CMD_LOOK_H

#include "cmd/arguments.h"
#include "inspect/embed.h"
#include "inspect/maximize.h"
#include "inspect/saliency.h"

/* Of all of them. */
typedef struct {
    arg_common common;
    const char *out;
    int split;
    bool last;
    int64_t most, best;
    int mean; /* start of maximize */
    dl_saliency_options saliency;
    dl_maximize_options maximize;
    dl_embed_options embed;
} look_arguments;

extern const arg_option look_filters_options[], look_patches_options[], look_maximize_options[],
    look_saliency_options[], look_activations_options[], look_embed_options[];
int look_run_filters(void *arguments, dl_error *error);
int look_run_patches(void *arguments, dl_error *error);
int look_run_maximize(void *arguments, dl_error *error);
int look_run_saliency(void *arguments, dl_error *error);
int look_run_activations(void *arguments, dl_error *error);
int look_run_embed(void *arguments, dl_error *error);

#define LOOK_AT(name_, more_operands, most_, what)                                                 \
    .name = #name_, .operands = "RUN" more_operands, .completes = ARG_RUN, .min_operands = 1,      \
    .max_operands = most_, .operand = "run", .size = sizeof(look_arguments),                       \
    .options = look_##name_##_options, .run = look_run_##name_, .help = what
/* Rows of the table of dlinspect's commands. */
#define LOOK_COMMANDS                                                                              \
    {LOOK_AT(filters, " [LAYER[:UNITS]]", 2,                                                       \
             "Draws the weights of a layer (the first one) as pictures, and prints the norms of "  \
             "its units."),                                                                        \
     .more = "Units are numbers or classes: conv2d_3:17, conv2d_3:0-7,12, dense_2:cat."},          \
        {LOOK_AT(patches, " [LAYER[:UNITS]]", 2,                                                   \
                 "Shows the parts of the training data that activate a unit most: pictures cut "   \
                 "to its receptive field, passages of a text, rows.")},                            \
        {LOOK_AT(maximize, " [LAYER[:UNITS]]", 2,                                                  \
                 "Draws inputs that maximize a unit, found by gradient ascent."),                  \
         .more = "Of the last layer the scores of the classes are maximized, before softmax; of "  \
                 "maps\ntheir mean."},                                                             \
        {LOOK_AT(saliency, " [LAYER[:UNIT]]", 2,                                                   \
                 "Shows which parts of an input the predicted class, or another unit, depends "    \
                 "on.")},                                                                          \
        {LOOK_AT(activations, "", 1,                                                               \
                 "Draws the outputs of each layer for one row, and counts dead units.")},          \
    {                                                                                              \
        LOOK_AT(                                                                                   \
            embed, " [LAYER|input]", 2,                                                            \
            "Maps the outputs of a layer (the last one) by PCA and t-SNE, and clusters them."),    \
            .more =                                                                                \
                "Writes pictures of the maps, a table of their points, and the outputs as npy."    \
    }

#endif

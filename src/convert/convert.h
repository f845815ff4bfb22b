/* SPDX-License-Identifier: MIT */
/* The contract of a foreign format: one file in this folder, one line in registry.c. */
#ifndef DL_CONVERT_CONVERT_H
#define DL_CONVERT_CONVERT_H

#include "model/model.h"
#include "run/stored_weights.h"

/* The order of an image's axes at a net's ends: [N][height][width][channels], or channels first. */
typedef enum { DL_LAYOUT_NCHW, DL_LAYOUT_NHWC } dl_layout;

typedef struct {
    dl_layout layout;
    bool raw;           /* neither normalization nor denormalization within the graph */
    bool probabilities; /* the softmax or sigmoid that the loss has is part of the graph */
    const char *shape;  /* of an input with open sizes: "3x224x224", without the batch; or NULL */
    const char *data;   /* the data format of the config that is made; NULL: by the input */
    const char *const *sets; /* [set_count]: overrides "a.b=c" of the config that is made */
    int set_count;
    int like;        /* of weights: DL_LAYOUT_… of weight_layout.h */
    const char *map; /* of weights: a file of lines "layer=its name there"; NULL: none */
    dl_text *notes;  /* lines for people are added to it */
} dl_convert_options;

typedef struct {
    const char *name, *ending, *help;
    /* Writes a net that is built for inference and has its weights. NULL: it cannot be written. */
    int (*write)(dl_model *model, const dl_convert_options *options, const char *path,
                 dl_error *error);
    /* Writes the config `folder`/config.cfg and the checkpoint `folder`/best.safetensors. NULL: it
       cannot be read. */
    int (*read)(const char *path, const dl_convert_options *options, const char *folder,
                dl_error *error);
    /* Lists the tensors of a file of weights alone. NULL: it cannot. */
    int (*load)(dl_stored_weights *stored, const char *path, dl_error *error);
} dl_foreign_format;

extern const dl_foreign_format *const dl_foreign_formats[]; /* ends with NULL */

#endif

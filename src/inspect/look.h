/* SPDX-License-Identifier: MIT */
/* Layers and units of a trained net, as dlinspect's pictures name them: "conv2d_3:17". A unit is a
   channel of a layer's output. */
#ifndef DL_INSPECT_LOOK_H
#define DL_INSPECT_LOOK_H

#include "image/grid.h"
#include "model/model.h"

typedef struct {
    dl_model *model; /* with data, and a net that is built, with its weights, and cut */
    dl_split split;
    int layer;          /* the last one of the cut net */
    bool is_last;       /* before the cut, too: its units are the classes, if there are any */
    bool is_input;      /* of the data instead of a layer */
    int *unit, count;   /* units [count], owned */
    const char *folder; /* exists */
    int64_t batch;      /* rows of the batch that dl_look_run runs forward */
} dl_look;

/* The layer of a net, not necessarily built, that `name` names, up to a ":". -1 and an error. */
int dl_look_find_layer(const dl_net *net, const char *name, dl_error *error);
/* Sets look->unit from a list such as "17", "0-9,12" or "cat". NULL: the first `most`. */
int dl_look_choose_units(dl_look *look, const char *list, int64_t most, dl_error *error);
/* Sets look->unit to the `most` units with the largest mean output over some rows of the split. */
int dl_look_find_most(dl_look *look, int64_t most, dl_error *error);
/* The number of a unit, written to `out`, or the name of its class. */
const char *dl_look_unit_name(const dl_look *look, int unit, char out[16]);
/* Prints a line to stdout, with "?" for control characters. */
void dl_look_print(const char *format, ...) DL_PRINTF(1, 2);
/* The units of the layer. */
int dl_look_units(const dl_look *look);
/* "FOLDER/KIND_LAYER.png"; the caller frees it. */
char *dl_look_path(const dl_look *look, const char *kind, const char *ending);
/* Writes text to such a file, and frees it. */
int dl_look_write(const dl_look *look, const char *kind, const char *ending, dl_text *text,
                  dl_error *error);
/* Writes a grid to such a file, and frees it. */
int dl_look_save(const dl_look *look, const char *kind, dl_grid *grid, dl_error *error);
/* The input rows x[rows][...] of the data in their own units: `bytes` of a dl_tiles. */
bool dl_look_has_bytes(const dl_look *look);
void dl_look_free(dl_look *look);
/* Writes values[rows][shape] to a NumPy file. */
int dl_look_write_npy(const dl_look *look, const char *kind, int64_t rows, dl_shape shape,
                      const float *values, dl_error *error);
/* Rows [*count] of the dataset, freed by the caller: those of `list` ("3,17"), or `most` rows of
   the split, the first of each class in turn. NULL and an error if one is not in the split. */
int64_t *dl_look_rows(const dl_look *look, const char *list, int64_t most, int *count,
                      dl_error *error);

/* A unit at a position of its map, or step; position -1: their mean. */
typedef struct {
    int unit, position;
} dl_target_unit;
/* Its output for sample n of the last pass. */
double dl_look_score(dl_net *net, int n, const dl_target_unit *target);
/* 0, or -1 and an error that begins with `what`: the inputs are indices, without a gradient. */
int dl_look_check_gradient(const dl_net *net, const char *what, dl_error *error);
/* Runs x[batch] forward in inference mode, and the gradient of target[n] of each sample back to
   net->input_grad. */
void dl_look_differentiate(dl_net *net, const float *x, int batch, const dl_target_unit *target,
                           bool guided, float *score);

/* Calls `each` with batches of the split, after the forward pass, until it returns false. */
int dl_look_run(dl_look *look, bool (*each)(void *context, const dl_batch *batch), void *context,
                dl_error *error);

/* dlinspect filters: kernels as pictures, and their norms. */
int dl_look_at_filters(dl_look *look, dl_error *error);
/* dlinspect patches: the `most` inputs of the split that activate each unit most, cut to the unit's
   receptive field; passages of a text. */
int dl_look_at_patches(dl_look *look, int64_t most, dl_error *error);

#endif

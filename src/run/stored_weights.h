/* SPDX-License-Identifier: MIT */
/* Tensors of a file, of whatever program, and the parameters of a net that are read from them. */
#ifndef DL_RUN_STORED_WEIGHTS_H
#define DL_RUN_STORED_WEIGHTS_H

#include "run/safetensors.h"
#include "run/weight_layout.h"

typedef struct {
    const char *name; /* in the file: "lstm/lstm_cell/kernel:0" */
    const char *path; /* with points: "lstm.lstm_cell.kernel" */
    const char *what; /* "64x10", or the type if that is not F32 */
    dl_shape shape;
    const char *bytes; /* floats, not aligned, borrowed from the file; NULL: not supported */
    bool invalid;      /* its entry contradicts itself or the file */
    bool used;         /* set by dl_stored_read */
} dl_stored;

/* All zero: empty. */
typedef struct {
    char *file; /* for messages */
    dl_stored *items;
    int count;
    dl_arena arena; /* owns all of these */
} dl_stored_weights;

/* Lists the tensors of a file, which must stay open. */
void dl_stored_from_safetensors(dl_stored_weights *stored, const dl_safetensors *file);
/* Adds a tensor of floats, whose bytes are borrowed; NULL: it cannot be one of a net. */
void dl_stored_add(dl_stored_weights *stored, const char *name, dl_shape shape, const void *bytes);
void dl_stored_free(dl_stored_weights *stored);
/* Whether it is a tensor of the layer that has this name there. */
bool dl_stored_is_of_layer(const dl_stored *item, const char *there, int length);

/* Sorts them by name, with numbers in names as numbers. */
void dl_stored_sort(dl_stored_weights *stored);
/* "x_l1" is layer 1 of PyTorch's x, whose "weight_ih_l0" is x.weight_ih_l1, in the arena; NULL for
   other names. */
char *dl_stored_level_name(const char *there, const char *name, dl_arena *arena);
/* The layer there that a tensor belongs to if it is a layer's `name` ("weight_ih_l0"), in the
   arena; else NULL. */
char *dl_stored_layer(const dl_stored *item, const char *name, dl_arena *arena);

/* The layout that a file of another program has: by names that only one of them uses, else by the
   shapes; DL_LAYOUT_AUTO if weights fit in contradictory ways. *ambiguous: a weight that fits in
   both ways if no other decides, else NULL. `name_of`: the name of a layer there. */
typedef const char *dl_layer_name(void *context, const char *layer);
int dl_stored_find_layout(dl_stored_weights *stored, const dl_net *net, dl_layer_name *name_of,
                          void *context, const char **ambiguous);

/* Whether the file has all of a parameter under the layer's name `there`, in fitting shapes; if
   not, the reason is added to `why`. The tensors are found[return value]; 0: not. */
int dl_stored_locate(dl_stored_weights *stored, const dl_weight_layout *w, const dl_layer *layer,
                     const dl_param *param, const char *there, dl_stored *found[DL_MOST_PIECES],
                     dl_text *why);
/* Reads it: 1. If it cannot: 0 and why; -1 and an error of DL_DATA if its entry is invalid. */
int dl_stored_read(dl_stored_weights *stored, const dl_weight_layout *w, const dl_layer *layer,
                   const dl_param *param, const char *there, dl_text *why, dl_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* Transfer learning: initial weights from another checkpoint (training.init_from). */
#ifndef DL_TRAIN_TRANSFER_H
#define DL_TRAIN_TRANSFER_H

#include "run/weight_layout.h"
#include "train/experiment.h"

/* What was loaded. All zero: nothing was asked for. */
typedef struct {
    char *path;            /* of the checkpoint */
    int layout;            /* DL_LAYOUT_… of the file */
    const char *ambiguous; /* a weight that fits [in][out] and [out][in]; NULL: none */
    const char *assumed;   /* a gru read with Keras's reset_after, which is not certain; or NULL */
    int count;             /* tensors of the net */
    int missed_count;      /* of them, not loaded: */
    const char **missed;   /* "dense_2.weight (there 128x10, here 128x5)" */
    dl_arena arena;        /* owns all of these */
} dl_transfer;

/* Checks training.init_map against the net, which has been read: 0, or -1 and errors. */
int dl_transfer_check(const dl_experiment *experiment, dl_error *error);
/* Loads into a net that is built and initialized each parameter and running statistic that the
   checkpoint of training.init_from has under the same name (or that of init_map) and in the same
   shape. 0, or -1 and an error: DL_DATA if the file is missing or damaged, DL_USAGE if nothing in
   it matches. `transfer` is all zero; call dl_transfer_free after either. */
int dl_transfer_load(dl_transfer *transfer, dl_experiment *experiment, dl_error *error);
/* Checks that a resumed run initializes its weights as the config that it `began` with: 0, or -1
   and errors. */
int dl_transfer_check_resumed(const dl_experiment *experiment, const dl_config *began,
                              dl_error *error);
void dl_transfer_free(dl_transfer *transfer);

#endif

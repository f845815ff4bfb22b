/* SPDX-License-Identifier: MIT */
/* Transfer learning: a training that begins with the weights of another one (training.init_from).
 */
#ifndef DL_TRAIN_TRANSFER_H
#define DL_TRAIN_TRANSFER_H

#include "train/experiment.h"

/* What was taken. All zero: nothing was asked for. */
typedef struct {
    char *path;          /* of the checkpoint */
    int count;           /* tensors that the net has */
    int missed_count;    /* and those of them that were not taken: */
    const char **missed; /* "dense_2.weight (there 128x10, here 128x5)" */
    dl_arena arena;      /* owns all of these */
} dl_transfer;

/* Whether training.init_map can be meant so, once the net has been read: 0, or -1 and errors. */
int dl_transfer_check(const dl_experiment *experiment, dl_error *error);
/* Into a net that is built and initialized: each parameter and running statistic that the
   checkpoint of training.init_from has under the same name, or that of init_map, and in the same
   shape. 0, or -1 and an error: of DL_DATA if there is no such file or it is not whole, of DL_USAGE
   if nothing in it fits. `transfer` is all zero; dl_transfer_free is fine after either. */
int dl_transfer_load(dl_transfer *transfer, dl_experiment *experiment, dl_error *error);
/* Whether a run that goes on says of its beginning what the config that it `began` with says: 0, or
   -1 and errors. */
int dl_transfer_check_resumed(const dl_experiment *experiment, const dl_config *began,
                              dl_error *error);
void dl_transfer_free(dl_transfer *transfer);

#endif

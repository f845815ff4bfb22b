/* SPDX-License-Identifier: MIT */
/* Batches, prepared by background threads. */
#ifndef DL_DATA_LOADER_H
#define DL_DATA_LOADER_H

#include <signal.h>

#include "data/data.h"

typedef struct {
    float *x;       /* [count][size of schema.input], normalized */
    float *y;       /* [count][schema.outputs]; class numbers, or normalized targets */
    float *number;  /* [count] targets before binning; NULL: no bins */
    float *share;   /* [count] weight of y in the loss, 0.5 to 1; NULL: all 1 */
    float *other;   /* [count][schema.outputs] classes with weight 1 - share; or NULL */
    float *weight;  /* [count] of a row in the loss; NULL: all 1 */
    int64_t *index; /* [count] rows of the dataset */
    int64_t count;
    int64_t step; /* within the epoch, from 0 */
} dl_batch;

/* The order of a pass. */
typedef enum {
    DL_IN_ORDER, /* of the split */
    DL_SHUFFLED, /* by (seed, epoch) */
    DL_LANES     /* row b of a batch follows row b of the preceding batch: the split is divided into
                    batch_size contiguous lanes. The first lanes may have one more row, which
                    are the last batch */
} dl_order;

typedef struct dl_loader dl_loader;

/* Starts data->augment.workers threads (0: one) and allocates two batches. `data` is borrowed.
   Batches do not depend on the number of threads. NULL and an error on failure. */
dl_loader *dl_loader_new(const dl_data *data, dl_split part, int64_t batch_size, dl_error *error);
/* Enables data->augment, for training; to be called before the first pass. */
void dl_loader_augment(dl_loader *loader);
/* Enables oversampling: a DL_SHUFFLED pass has each class as often as the largest one, repeating
   rows of smaller classes in turn. For one class per row; to be called before the first pass. -1
   and an error if a row cannot be read. */
int dl_loader_balance(dl_loader *loader, dl_error *error);
/* A pass ends early, without an error, as soon as *interrupted (borrowed) is not 0. */
void dl_loader_end_on(dl_loader *loader, const volatile sig_atomic_t *interrupted);
/* Begins a pass over the split at step `first_step`, aborting any running pass. The last batch may
   be partial. */
void dl_loader_start(dl_loader *loader, dl_order order, uint64_t seed, uint32_t epoch,
                     int64_t first_step);
/* The next batch, valid until the next call; NULL at the end or with an error. */
const dl_batch *dl_loader_next(dl_loader *loader, dl_error *error);
/* Batches per pass. */
int64_t dl_loader_steps(const dl_loader *loader);
/* Rows of a pass over the split, including oversampling of the training set. */
int64_t dl_loader_pass_rows(const dl_data *data, dl_split part);
/* Total size of the buffers. */
int64_t dl_loader_bytes(const dl_loader *loader);
void dl_loader_free(dl_loader *loader);

#endif

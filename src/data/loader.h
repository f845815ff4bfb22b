/* SPDX-License-Identifier: MIT */
/* Batches, made by threads of their own while the trainer works on the one before. */
#ifndef DL_DATA_LOADER_H
#define DL_DATA_LOADER_H

#include "data/data.h"

typedef struct {
    float *x;       /* [count][size of schema.input], normalized */
    float *y;       /* [count][schema.outputs]; class numbers, or normalized targets */
    float *number;  /* [count] the targets that y has the bins of; NULL: there are no bins */
    float *share;   /* [count] the share of y in the loss, 0.5 to 1; NULL: 1 for all */
    float *other;   /* [count][schema.outputs]: the classes that have the rest, likewise NULL */
    int64_t *index; /* [count] rows of the data set */
    int64_t count;
    int64_t step; /* within the epoch, from 0 */
} dl_batch;

/* The order of a pass. */
typedef enum {
    DL_AS_STORED, /* that of the rows */
    DL_SHUFFLED,  /* by (seed, epoch) */
    DL_LANES /* row b of each batch is the one behind row b of the batch before: the part is cut
                into batch_size lanes of rows that are neighbours. Where it does not come out
                even, the first lanes have a row more, and the last batch has only these */
} dl_order;

typedef struct dl_loader dl_loader;

/* Starts data->augment.workers threads (0: one). `data` is borrowed and must outlive the loader.
   Buffers for two batches of at most `batch_size` samples are allocated here and, for augmentation,
   in dl_loader_augment. The batches are the same for any number of threads. NULL and an error if
   a thread cannot be started. */
dl_loader *dl_loader_new(const dl_data *data, dl_split part, int64_t batch_size, dl_error *error);
/* From now on the rows are augmented as data->augment says: for training alone. To be called before
   the first pass. */
void dl_loader_augment(dl_loader *loader);
/* From now on a pass, to be DL_SHUFFLED, has each class that the part has as often as its largest
   one: every row at least once, those of smaller classes again, in turn; which ones once more than
   others, by (seed, epoch). A target is one class. To be called before the first pass. -1 and an
   error if a row cannot be read. */
int dl_loader_balance(dl_loader *loader, dl_error *error);
/* Begins a pass over every sample of the part exactly once, from step `first_step` on. The last
   batch may be partial. A pass that has not ended is given up. */
void dl_loader_start(dl_loader *loader, dl_order order, uint64_t seed, uint32_t epoch,
                     int64_t first_step);
/* The next batch, valid until the next call; NULL at the end, or with an error set. */
const dl_batch *dl_loader_next(dl_loader *loader, dl_error *error);
/* Batches a pass has. */
int64_t dl_loader_steps(const dl_loader *loader);
/* Rows a training pass has: those of the part, or more where data->balance makes them so. */
int64_t dl_loader_rows_of(const dl_data *data, dl_split part);
/* Bytes of the buffers. */
int64_t dl_loader_bytes(const dl_loader *loader);
void dl_loader_free(dl_loader *loader);

#endif

/* SPDX-License-Identifier: MIT */
/* Checkpoints: a safetensors file that needs nothing beside it. Weights and running statistics
   under their full names, optimizer vectors, normalization; amid an epoch, what batches hand on to
   the next; where the weights are averaged, these as the net's, the training's own as "raw.…"; in
   the metadata the resolved config, the data's schema and how far the training is. */
#ifndef DL_RUN_CHECKPOINT_H
#define DL_RUN_CHECKPOINT_H

#include "model/evaluate.h"
#include "run/safetensors.h"
#include "train/average.h"

/* How far a training is. */
typedef struct {
    int64_t epoch;      /* epochs that are complete */
    int64_t epoch_step; /* steps done of the next one */
    int64_t step;       /* steps done in all */
    dl_sums sums;       /* of the steps of the epoch that is not complete */
    double best;        /* value of the monitored column, NaN before the first epoch */
    int64_t best_epoch; /* 0: none yet */
    double schedule[DL_SCHEDULE_STATE]; /* what a schedule that watches a column remembers */
} dl_progress;

enum { DL_MOST_VECTORS = 8 };

/* What is remembered from step to step: by the optimizer, and of the weights. */
typedef struct {
    float *vectors[DL_MOST_VECTORS]; /* [vector_count][net.weight_count] */
    int vector_count;
    double *state; /* [state_count], of one with `minimize` */
    int64_t state_count;
    const dl_average *average; /* borrowed; in the net, if there is one yet. NULL: none is wanted */
} dl_remembered;

/* Whole or not at all. */
int dl_checkpoint_save(const char *path, const dl_experiment *experiment,
                       const dl_progress *progress, const dl_remembered *remembered,
                       dl_error *error);
/* The same bytes in memory; freed by the caller. */
char *dl_checkpoint_encode(const dl_experiment *experiment, const dl_progress *progress,
                           const dl_remembered *remembered, size_t *size);

/* An open checkpoint, with its config parsed. */
typedef struct {
    dl_safetensors file;
    dl_config config;
    dl_schema schema;
    dl_normalization input, target;
    int64_t batch_size;
} dl_checkpoint;

/* 0, or -1 and an error of DL_DATA. dl_checkpoint_close is fine after either. */
int dl_checkpoint_open(dl_checkpoint *checkpoint, const char *path, dl_error *error);
void dl_checkpoint_close(dl_checkpoint *checkpoint);
/* Whether the rows of the training file, if it was opened and parts take shares of it, are in the
   parts that they were in when the checkpoint was made: 0, or -1 and an error. */
int dl_checkpoint_check_split(const dl_checkpoint *checkpoint, const dl_data *data,
                              dl_error *error);
/* Weights and running statistics into a net that was built. */
int dl_checkpoint_load_net(const dl_checkpoint *checkpoint, dl_net *net, dl_error *error);
/* What the last batch of an epoch that is not complete left for the next one; the net's batches
   must be as large as they were. */
int dl_checkpoint_load_carried(const dl_checkpoint *checkpoint, dl_net *net, dl_error *error);
/* The rest of what a training needs to go on (progress->sums are open); an error if its data or its
   history's columns are other ones. */
int dl_checkpoint_load_progress(const dl_checkpoint *checkpoint, const dl_experiment *experiment,
                                dl_progress *progress, const dl_remembered *remembered,
                                dl_error *error);
/* Once the net was loaded: what an average consists of. It is in the net afterwards, as it was when
   the checkpoint was written. */
int dl_checkpoint_load_average(const dl_checkpoint *checkpoint, const dl_experiment *experiment,
                               dl_average *average, dl_error *error);

#endif

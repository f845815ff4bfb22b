/* SPDX-License-Identifier: MIT */
/* From a gradient to the next weights: clipping and noise, the optimizer's step, constraints on the
   weights. */
#ifndef DL_TRAIN_UPDATE_H
#define DL_TRAIN_UPDATE_H

#include "train/progress.h"
#include "train/row.h"

/* Parameters that are unfrozen in the same epoch, from which the optimizer counts their steps. */
typedef struct {
    int64_t from;     /* epoch, from 1 */
    int first, count; /* of the spans */
} dl_update_group;

enum { DL_MOST_VECTORS = 8 };

/* State of the optimizer between steps. */
typedef struct {
    float *vectors[DL_MOST_VECTORS]; /* [vector_count][net.weight_count] */
    int vector_count;
    double *state; /* [state_count], of a full-batch optimizer */
    int64_t state_count;
} dl_optimizer_state;

typedef struct {
    dl_span *spans; /* [span_count], owned: weights with the same penalties */
    int span_count;
    dl_update_group *groups; /* [group_count], owned: of this epoch */
    int group_count;
    int64_t steps;                      /* of an epoch */
    dl_optimizer_state optimizer_state; /* owned */
    float *before;                      /* owned: orthogonal matrices before a step; NULL: none */
    void *work;                         /* owned: scratch for their steps */
} dl_update;

void dl_update_open(dl_update *update, const dl_experiment *experiment);
/* Before the first, or the next, step of the epoch after `epoch`; `steps` per epoch. */
void dl_update_begin(dl_update *update, dl_experiment *experiment, int64_t epoch, int64_t steps);
/* Makes the matrices that must be orthogonal so, after their weights were set from outside. */
void dl_update_make_orthogonal(const dl_net *net);
/* Clips the net's gradients and adds noise to them. Returns the factor of clip_norm, which
   dl_update_step applies. */
float dl_update_clip(const dl_experiment *experiment, const dl_progress *progress);
/* The optimizer's step with g = scale * gradient + l2 * w + l1 * sign(w). Orthogonal matrices stay
   orthogonal. */
void dl_update_step(const dl_update *update, const dl_experiment *experiment,
                    const dl_progress *progress, float scale, double rate);
/* Applies clip_weights and max_norm to the weights. */
void dl_update_constrain(const dl_experiment *experiment);
/* The penalties of the current weights: sum of l1 * |w| + l2/2 * w^2. */
double dl_update_penalty(const dl_update *update, const dl_experiment *experiment);
/* The learning rate in step `step` (from 0) of an epoch of `steps` steps. */
double dl_update_rate(const dl_experiment *experiment, const dl_progress *progress, int64_t steps,
                      int64_t step);
/* At the end of an epoch: updates a schedule that monitors a column of the history. */
void dl_update_observe(const dl_experiment *experiment, dl_progress *progress, int64_t steps,
                       const dl_row *row);
void dl_update_close(dl_update *update);

#endif

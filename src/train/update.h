/* SPDX-License-Identifier: MIT */
/* From a gradient to the next weights: limits and noise, the optimizer's step, limits of the
 * weights. */
#ifndef DL_TRAIN_UPDATE_H
#define DL_TRAIN_UPDATE_H

#include "train/progress.h"
#include "train/row.h"

/* Parameters that begin to be trained in the same epoch: the optimizer counts their steps from
   there. */
typedef struct {
    int64_t from;     /* epoch, from 1 */
    int first, count; /* of the spans */
} dl_update_group;

enum { DL_MOST_VECTORS = 8 };

/* What the optimizer remembers from step to step. */
typedef struct {
    float *vectors[DL_MOST_VECTORS]; /* [vector_count][net.weight_count] */
    int vector_count;
    double *state; /* [state_count], of a full-batch one */
    int64_t state_count;
} dl_optimizer_state;

/* Made once, before the first step. */
typedef struct {
    dl_span *spans; /* [span_count], owned: stretches of the weights that are treated alike */
    int span_count;
    dl_update_group *groups; /* [group_count], owned: of this epoch */
    int group_count;
    int64_t steps;                      /* of an epoch */
    dl_optimizer_state optimizer_state; /* owned */
    float *before; /* owned: orthogonal matrices before a step; NULL: there are none */
    void *work;    /* owned: for their steps */
} dl_update;

void dl_update_open(dl_update *update, const dl_experiment *experiment);
/* Before the first step, or the next one, of the epoch after `epoch`, an epoch having so many
 * steps.
 */
void dl_update_begin(dl_update *update, dl_experiment *experiment, int64_t epoch, int64_t steps);
/* Orthogonal matrices whose weights came from somewhere else become so. */
void dl_update_make_orthogonal(const dl_net *net);
/* Clips the net's gradients and adds noise to them; returns a scale that is left to apply. */
float dl_update_clip(const dl_experiment *experiment, const dl_progress *progress);
/* The optimizer's step, from the gradients times `scale`, with the penalties' own, to the weights;
   orthogonal ones stay so. */
void dl_update_step(const dl_update *update, const dl_experiment *experiment,
                    const dl_progress *progress, float scale, double rate);
/* Limits of the weights: clip_weights, max_norm. */
void dl_update_constrain(const dl_experiment *experiment);
/* What the penalties add to the loss, with the weights as they are. */
double dl_update_penalty(const dl_update *update, const dl_experiment *experiment);
/* The learning rate in step number `step`, from 0, of an epoch of so many steps. */
double dl_update_rate(const dl_experiment *experiment, const dl_progress *progress, int64_t steps,
                      int64_t step);
/* At the end of an epoch: what the schedule watches may change the rate. */
void dl_update_observe(const dl_experiment *experiment, dl_progress *progress, int64_t steps,
                       const dl_row *row);
void dl_update_close(dl_update *update);

#endif

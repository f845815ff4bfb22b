/* SPDX-License-Identifier: MIT */
/* Sums of loss and metrics over batches. Means are over samples, not over the means of batches. */
#ifndef DL_MODEL_EVALUATE_H
#define DL_MODEL_EVALUATE_H

#include "data/loader.h"
#include "metrics/accumulator.h"
#include "model/loss.h"

typedef struct {
    dl_losses losses;
    int64_t rows;               /* samples */
    dl_accumulator accumulator; /* for the model's metrics */
} dl_metric_sums;

/* `ordered`: also for metrics that are only computed in evaluations. */
void dl_metric_sums_open(dl_metric_sums *sums, const dl_model *model, bool ordered);
void dl_metric_sums_clear(dl_metric_sums *sums);
void dl_metric_sums_close(dl_metric_sums *sums);

/* Visits all fields, as dl_accumulator_fields does. */
int dl_metric_sums_fields(dl_metric_sums *sums, const dl_model *model, dl_field_visitor visit,
                          void *context);

/* Buffers for outputs and targets in the units of the data (regression), or without the rows that
   the loss ignores. */
typedef struct {
    float *expected, *number; /* [batch]: of a binned target; else NULL */
    float *output, *target;   /* [batch][outputs], or [batch · positions][channels] and
                                 [batch · positions]; NULL: unused */
} dl_outcome_buffers;

void dl_outcome_buffers_open(dl_outcome_buffers *buffers, const dl_model *model);
void dl_outcome_buffers_close(dl_outcome_buffers *buffers);
/* Outputs and targets of the batch that has just run forward: in the units of the data, without
   rows that the loss ignores. Valid until the next call. */
dl_outcome dl_batch_outcome(dl_outcome_buffers *buffers, dl_model *model, const dl_batch *batch);

/* The same for a binned target, as numbers in the units of the data: the output is the expected
   value of the bins' means under the softmax of the net's outputs. */
dl_outcome dl_batch_outcome_numeric(dl_outcome_buffers *buffers, dl_model *model,
                                    const dl_batch *batch);

/* Adds the losses and metrics of the batch that has just run forward. */
void dl_metric_sums_add(dl_metric_sums *sums, dl_outcome_buffers *buffers, dl_model *model,
                        const dl_batch *batch, const dl_losses *losses);
double dl_metric_sums_value(const dl_metric_sums *sums, int metric);

/* Called with every batch of an evaluation, after its forward pass; with a binned target once for
   the classes and once for the numbers. */
typedef void (*dl_observer)(void *context, const dl_outcome *outcome);

/* Evaluates every sample of the loader's part exactly once. observer may be NULL. Opens the sums,
   which the caller closes, also after a failure. */
int dl_evaluate(dl_model *model, dl_loader *loader, dl_metric_sums *sums, dl_observer observer,
                void *context, dl_error *error);
/* The same without an observer, and without test-time augmentation. */
int dl_evaluate_plain(dl_model *model, dl_loader *loader, dl_metric_sums *sums, dl_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* Sums of loss and metrics over batches: a mean is over samples, never over batches' means. */
#ifndef DL_MODEL_EVALUATE_H
#define DL_MODEL_EVALUATE_H

#include "data/loader.h"
#include "metrics/accumulator.h"
#include "model/experiment.h"

typedef struct {
    double loss;          /* sum over all positions of the rows that the loss does not ignore */
    double counted;       /* how many those are; of a row that two were mixed to, maybe a share */
    int64_t rows;         /* samples */
    dl_accumulator tally; /* for the experiment's metrics */
    /* like `loss` and `counted`, of each auxiliary head, unweighted */
    double head[DL_MOST_HEADS], head_counted[DL_MOST_HEADS];
} dl_sums;

/* `ordered`: also for metrics that only an evaluation knows. */
void dl_sums_open(dl_sums *sums, const dl_experiment *experiment, bool ordered);
void dl_sums_clear(dl_sums *sums);
void dl_sums_close(dl_sums *sums);

/* Buffers for outputs and targets: in the units of the data (regression), or without those that the
   loss ignores. */
typedef struct {
    float *expected, *number; /* [batch]: of a target that was cut into bins; else NULL */
    float *output, *target;   /* [batch][outputs], or [batch · positions][channels] and
                                 [batch · positions]; NULL: the net's and the batch's own will do */
    float *grad; /* [positions][channels]: of the second of two targets; NULL: none are mixed */
} dl_judge;

void dl_judge_open(dl_judge *judge, const dl_experiment *experiment);
void dl_judge_close(dl_judge *judge);
/* The outcome of the batch that has just run forward: outputs beside targets, in the units of the
   data, without rows that the loss ignores. Valid until the next one. */
dl_outcome dl_judge_outcome(dl_judge *judge, dl_experiment *experiment, const dl_batch *batch);

/* The same of a target that was cut into bins, as numbers in the units of the data: the output is
   the expected value of the bins' means under the softmax of the net's outputs. */
dl_outcome dl_judge_numbers(dl_judge *judge, dl_experiment *experiment, const dl_batch *batch);

/* Adds the batch's loss and metrics. With `gradient`, behind a training pass, also the losses of
   the auxiliary heads, and fills the gradients of the output and of the heads': those of mean loss
   + sum of weight * a head's mean loss. Returns the batch's mean loss over the rows that count
   (0 if none does), without the heads'. */
double dl_sums_add(dl_sums *sums, dl_judge *judge, dl_experiment *experiment, const dl_batch *batch,
                   bool gradient);
double dl_sums_loss(const dl_sums *sums);
double dl_sums_head(const dl_sums *sums, int head);
double dl_sums_metric(const dl_sums *sums, int metric);

/* Called with every batch of an evaluation, after its forward pass; where the target was cut into
   bins once for the classes and once for the numbers. */
typedef void (*dl_observer)(void *context, const dl_outcome *outcome);

/* Runs every sample of the loader's part forward exactly once. observer may be NULL. The sums are
   opened here, and closed by the caller, also after a failure. */
int dl_evaluate(dl_experiment *experiment, dl_loader *loader, dl_sums *sums, dl_observer observer,
                void *context, dl_error *error);

#endif

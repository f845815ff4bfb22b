/* SPDX-License-Identifier: MIT */
/* The contract of a loss: one file in this folder, one line in registry.c. */
#ifndef DL_LOSSES_LOSS_H
#define DL_LOSSES_LOSS_H

#include <stdbool.h>

#include "base/error.h"
#include "config/option.h"
#include "math/activation.h"
#include "math/shape.h"

/* Properties of the targets. A row is a sample or, if each position (time step, pixel) has a class,
   a position. */
typedef struct {
    int classes; /* > 0: one class index per row; 0: `outputs` values per row */
    int outputs;
    double mean, mean_square; /* of the values, or of class indices 0 and 1 */
    double mean_magnitude;
    double least, most;
    const int64_t *class_count; /* [classes]: rows of the training part; NULL: unknown */
    const double *class_mass;   /* [classes]: sums of their weights; NULL: class_count */
} dl_target;

/* The output of the network, for messages and checks. */
typedef struct {
    dl_shape shape;           /* of the last layer's output; of one position if each has a class */
    int activation;           /* the last layer's dl_activation_kind */
    const char *where, *name; /* of the last layer */
    const char *loss_where;   /* of the loss */
    const char *role;         /* for messages: "the last layer", … */
} dl_output;

typedef struct {
    dl_kind kind;
    /* 0, or -1 and an error unless targets and network match. */
    int (*check)(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error);
    /* Sum of the losses of `rows` rows; ignored rows add nothing and have gradient 0.
       output[rows][channels]; target[rows]: class indices, or target[rows][channels]. Unless grad
       is NULL, grad[rows][channels] = scale · d(sum)/d(output). */
    double (*evaluate)(const void *self, const dl_target *target_info, int64_t rows,
                       int64_t channels, const float *output, const float *target, float scale,
                       float *grad);
    /* Mean loss if all outputs are `output`, as is nearly so with small initial weights; NaN, or
       NULL: unknown. */
    double (*initial)(const void *self, const dl_target *target, int64_t channels, double output);
    /* The class whose rows are ignored by loss, gradient, means and metrics; -1, or NULL: none. */
    int (*ignored)(const void *self);
    /* Whether target->class_count is needed, also for evaluation. NULL: no. */
    bool (*needs_counts)(const void *self);
    /* For data.balance = "weights": weights classes by their inverse frequency in the training
       part; -1 if `self` has class weights. NULL: not supported. */
    int (*balance)(void *self);
    /* The loss of a row is the mean of (output - target)^2 over the channels. */
    bool least_squares;
    /* The outputs are logits of classes. */
    bool softmax;
    /* One output for two classes: values above it predict the second class. */
    float threshold;
    /* The activation that turns outputs into predictions of numeric targets: DL_SIGMOID or
       DL_SOFTMAX for logits; 0 is DL_LINEAR. */
    int link;
    /* Sets `straight_through` of the last layer: the derivative of its activation is taken as 1. */
    bool straight_through;
} dl_loss_type;

extern const dl_registry dl_loss_registry;

/* Parts of `check`: 0, or -1 and an error.
   The last layer must have `wanted` outputs, because of `reason` ("the data has 3 classes"). */
int dl_loss_check_outputs(const dl_output *output, int wanted, const char *reason, dl_error *error);
/* The targets must be classes. `loss`: the name of the loss. */
int dl_loss_check_classes(const dl_output *output, const dl_target *target, const char *loss,
                          dl_error *error);
/* The last layer must not end in a sigmoid or softmax, as the loss has a `built_in` ("sigmoid"). */
int dl_loss_check_logits(const dl_output *output, const char *loss, const char *built_in,
                         dl_error *error);
/* Numeric targets must be from 0 to 1. */
int dl_loss_check_unit_targets(const dl_output *output, const dl_target *target, const char *loss,
                               dl_error *error);
/* There must be one output per value of a target, or per class; one suffices for two classes. */
int dl_loss_check_elementwise(const dl_output *output, const dl_target *target, dl_error *error);

/* The target of output j of row i; classes are one-hot, or 0 and 1 with a single output. */
static inline float dl_loss_target_value(const dl_target *info, int64_t channels,
                                         const float *target, int64_t i, int64_t j) {
    if (!info->classes || channels == 1)
        return target[i * channels + j];
    return (int64_t)target[i] == j ? 1.0f : 0.0f;
}

#endif

/* SPDX-License-Identifier: MIT */
/* The contract of a loss: one file in this folder, one line in registry.c. */
#ifndef DL_LOSSES_LOSS_H
#define DL_LOSSES_LOSS_H

#include <stdbool.h>

#include "base/error.h"
#include "config/option.h"
#include "math/activation.h"
#include "math/shape.h"

/* What the targets are. A row is a sample, or where each of its positions (time steps, pixels) has
   a class, a position. */
typedef struct {
    int classes; /* > 0: one class number a row; 0: `outputs` numbers a row */
    int outputs;
    double mean, mean_square;   /* of the target numbers, or of class numbers 0 and 1 */
    double mean_magnitude;      /* likewise */
    double least, most;         /* likewise */
    const int64_t *class_count; /* [classes]: rows of the training part; NULL: not known */
} dl_target;

/* The network's end, as a loss must know it. */
typedef struct {
    dl_shape shape; /* of the last layer's output; at a position, where each has a class */
    int activation; /* the last layer's dl_activation_kind */
    const char *where, *name; /* of the last layer */
    const char *loss_where;   /* of the loss */
    const char *role;         /* for messages: "the last layer", or which one else it is */
} dl_output;

typedef struct {
    dl_kind kind;
    /* Do targets and network fit? Else -1 and an error that begins with output->where and has both
       numbers. */
    int (*check)(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error);
    /* The sum of the losses of `rows` rows, in double; those that are ignored add nothing, and
       their gradient is 0. output[rows][channels]; target[rows] class numbers, or
       target[rows][channels]. If grad is not NULL: grad[rows][channels] = scale · d(sum)/d(output).
       `target_info` is what check saw. */
    double (*evaluate)(const void *self, const dl_target *target_info, int64_t rows,
                       int64_t channels, const float *output, const float *target, float scale,
                       float *grad);
    /* The mean loss of a network each of whose outputs is `output`, as they nearly are with small
       initial weights (0 where the last layer has no activation); NaN if that is not known. */
    double (*initial)(const void *self, const dl_target *target, int64_t channels, double output);
    /* The class whose rows are left out of loss, gradient, means and metrics; -1: none. NULL: it
       leaves none out. */
    int (*ignored)(const void *self);
    /* Whether target->class_count must be known, also where a net is only tested. NULL: no. */
    bool (*needs_counts)(const void *self);
    /* Weighs the classes by their frequency in the training part, as data.balance = "weights" asks;
       -1 if `self` has class weights of its own. NULL: it has no class weights. */
    int (*balance)(void *self);
    /* The sum of the losses is that of (output - wanted)^2, over the number of channels. */
    bool least_squares;
    /* The outputs are logits: their softmax is the classes' probabilities. */
    bool softmax;
    /* One output for two classes: above this value the second class is meant. */
    float threshold;
    /* What the outputs go through to be compared with targets that are numbers: DL_SIGMOID for a
       loss that takes logits; 0 is DL_LINEAR. */
    int link;
    /* grad is meant for the sum before the last layer's activation, whose derivative then counts as
       1: that layer's `straight_through` is set. */
    bool straight_through;
} dl_loss_type;

extern const dl_registry dl_loss_registry;

/* For check: the last layer must have `wanted` outputs, because of `reason` ("the data has 3
   classes"). 0, or -1 and an error with both numbers. */
int dl_loss_check_outputs(const dl_output *output, int wanted, const char *reason, dl_error *error);
/* For check: the data's targets must be classes. `loss` is the name of the loss. */
int dl_loss_check_classes(const dl_output *output, const dl_target *target, const char *loss,
                          dl_error *error);
/* For check: the loss has a `built_in` ("sigmoid") and takes logits, so the last layer must end in
   neither sigmoid nor softmax. */
int dl_loss_check_logits(const dl_output *output, const char *loss, const char *built_in,
                         dl_error *error);
/* For check: targets that are numbers must be from 0 to 1. */
int dl_loss_check_unit_targets(const dl_output *output, const dl_target *target, const char *loss,
                               dl_error *error);
/* For check, of a loss that compares output by output: as many outputs as a target has numbers, or
   one a class; with two classes one will do. */
int dl_loss_check_elementwise(const dl_output *output, const dl_target *target, dl_error *error);

/* What output j of row i should be: target numbers are themselves, classes 1 for the true one and 0
   for the others; with two classes and one output it is the class number. */
static inline float dl_loss_target_value(const dl_target *info, int64_t channels,
                                         const float *target, int64_t i, int64_t j) {
    if (!info->classes || channels == 1)
        return target[i * channels + j];
    return (int64_t)target[i] == j ? 1.0f : 0.0f;
}

#endif

/* The contract of a loss: one file in this folder, one line in registry.c. */
#ifndef DL_LOSSES_LOSS_H
#define DL_LOSSES_LOSS_H

#include <stdbool.h>

#include "base/error.h"
#include "config/option.h"
#include "math/shape.h"

/* What the targets are. A row is a sample, or where each of its positions (time steps, pixels) has
   a class, a position. */
typedef struct {
    int classes; /* > 0: one class number a row; 0: `outputs` numbers a row */
    int outputs;
    double mean_square;    /* of the target numbers, or of class numbers 0 and 1 */
    double mean_magnitude; /* likewise */
} dl_target;

/* The network's end, as a loss must know it. */
typedef struct {
    dl_shape shape; /* of the last layer's output; at a position, where each has a class */
    int activation; /* the last layer's dl_activation_kind */
    const char *where, *name; /* of the last layer */
    const char *loss_where;   /* of the loss */
} dl_output;

typedef struct {
    dl_kind kind;
    /* Do targets and network fit? Else -1 and an error that begins with output->where and has both
       numbers. */
    int (*check)(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error);
    /* The sum of the losses of `rows` rows, in double. output[rows][channels]; target[rows] class
       numbers, or target[rows][channels]. If grad is not NULL: grad[rows][channels] = scale ·
       d(sum)/d(output). `target_info` is what check saw. */
    double (*evaluate)(const void *self, const dl_target *target_info, int64_t rows,
                       int64_t channels, const float *output, const float *target, float scale,
                       float *grad);
    /* The mean loss of a network whose outputs are all zero, as they nearly are with small initial
       weights; NaN if there is none to expect. */
    double (*initial)(const void *self, const dl_target *target, int64_t channels);
    /* One output for two classes: above this value the second class is meant. */
    float threshold;
} dl_loss_type;

extern const dl_registry dl_loss_registry;

/* For check: the last layer must have `wanted` outputs, because of `reason` ("the data has 3
   classes"). 0, or -1 and an error with both numbers. */
int dl_loss_check_outputs(const dl_output *output, int wanted, const char *reason, dl_error *error);

#endif

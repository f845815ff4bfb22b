/* Losses that measure a distance between output y and target t, averaged over the outputs:
     mse: (y - t)^2,  gradient 2 (y - t);    l1: |y - t|,  gradient sign(y - t).
   For classes the target is 1 for the true class and 0 for the others; with two classes and one
   output it is the class number, 0 or 1. */
#include <math.h>
#include <stdio.h>

#include "losses/loss.h"

typedef struct {
    char unused;
} distance;

static const dl_option options[] = {DL_OPTIONS_END};

static int check(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error) {
    (void)self;
    char reason[80];
    if (target->classes == 2 && dl_shape_size(output->shape) == 1)
        return 0;
    if (target->classes)
        snprintf(reason, sizeof reason, "the data has %d classes", target->classes);
    else
        snprintf(reason, sizeof reason, "a target has %d number%s", target->outputs,
                 target->outputs == 1 ? "" : "s");
    return dl_loss_check_outputs(output, target->classes ? target->classes : target->outputs,
                                 reason, error);
}

static bool is_one_hot(const dl_target *info, int64_t channels) {
    return info->classes && channels > 1;
}

/* Number j of row i's target. */
static float wanted(const dl_target *info, int64_t channels, const float *target, int64_t i,
                    int64_t j) {
    if (!is_one_hot(info, channels))
        return target[i * channels + j];
    return (int64_t)target[i] == j ? 1.0f : 0.0f;
}

static double evaluate_mse(const void *self, const dl_target *info, int64_t rows, int64_t channels,
                           const float *output, const float *target, float scale, float *grad) {
    (void)self;
    double total = 0;
    float share = 2 * scale / (float)channels;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < channels; j++) {
            float difference = output[i * channels + j] - wanted(info, channels, target, i, j);
            total += (double)difference * difference;
            if (grad)
                grad[i * channels + j] = share * difference;
        }
    return total / (double)channels;
}

static double evaluate_l1(const void *self, const dl_target *info, int64_t rows, int64_t channels,
                          const float *output, const float *target, float scale, float *grad) {
    (void)self;
    double total = 0;
    float share = scale / (float)channels;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < channels; j++) {
            float difference = output[i * channels + j] - wanted(info, channels, target, i, j);
            total += fabs((double)difference);
            if (grad)
                grad[i * channels + j] = difference > 0   ? share
                                         : difference < 0 ? -share
                                                          : difference * share;
        }
    return total / (double)channels;
}

static double initial_mse(const void *self, const dl_target *target, int64_t channels) {
    (void)self;
    return is_one_hot(target, channels) ? 1.0 / target->classes : target->mean_square;
}

static double initial_l1(const void *self, const dl_target *target, int64_t channels) {
    (void)self;
    return is_one_hot(target, channels) ? 1.0 / target->classes : target->mean_magnitude;
}

const dl_loss_type dl_loss_mse = {
    .kind = {"mse", "for numbers: the mean squared difference; outliers count much",
             sizeof(distance), options},
    .check = check,
    .evaluate = evaluate_mse,
    .initial = initial_mse,
    .threshold = 0.5f,
};

const dl_loss_type dl_loss_l1 = {
    .kind = {"l1", "for numbers: the mean absolute difference; outliers count little",
             sizeof(distance), options},
    .check = check,
    .evaluate = evaluate_l1,
    .initial = initial_l1,
    .threshold = 0.5f,
};

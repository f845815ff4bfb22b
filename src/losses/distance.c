/* SPDX-License-Identifier: MIT */
/* Losses of a distance between output y and target t, averaged over the outputs:
     mse: (y - t)^2,  gradient 2 (y - t);    l1: |y - t|,  gradient sign(y - t);
     huber: (y - t)^2 / 2 up to |y - t| = delta, then delta (|y - t| - delta / 2);  gradient y - t,
     clipped to [-delta, delta]. Huber, "Robust estimation of a location parameter", 1964.
   For classes, t is one-hot; for two classes and one output it is the class index, 0 or 1. */
#include <math.h>

#include "losses/loss.h"

typedef struct {
    char unused;
} distance;

typedef struct {
    double delta;
} huber;

static const dl_option options[] = {DL_OPTIONS_END};

static const dl_option huber_options[] = {
    DL_FLOAT_OPTION("delta", huber, delta, "1.0", 1e-6, 1e6,
                    "absolute error beyond which the loss is linear instead of quadratic, in the "
                    "units of the target (standard deviations with normalize_target); choose the "
                    "size of an ordinary error, so that only outliers exceed it"),
    DL_OPTIONS_END,
};

static int check(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error) {
    (void)self;
    return dl_loss_check_elementwise(output, target, error);
}

static bool is_one_hot(const dl_target *info, int64_t channels) {
    return info->classes && channels > 1;
}

static double evaluate_mse(const void *self, const dl_target *info, int64_t rows, int64_t channels,
                           const float *output, const float *target, float scale, float *grad) {
    (void)self;
    double total = 0;
    float share = 2 * scale / (float)channels;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < channels; j++) {
            float difference =
                output[i * channels + j] - dl_loss_target_value(info, channels, target, i, j);
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
            float difference =
                output[i * channels + j] - dl_loss_target_value(info, channels, target, i, j);
            total += fabs((double)difference);
            if (grad)
                grad[i * channels + j] = difference > 0   ? share
                                         : difference < 0 ? -share
                                                          : difference * share;
        }
    return total / (double)channels;
}

static double huber_of(double difference, double delta) {
    double size = fabs(difference);
    return size > delta ? delta * (size - delta / 2) : difference * difference / 2;
}

static double evaluate_huber(const void *self, const dl_target *info, int64_t rows,
                             int64_t channels, const float *output, const float *target,
                             float scale, float *grad) {
    double total = 0, delta = ((const huber *)self)->delta;
    float share = scale / (float)channels, most = (float)delta;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < channels; j++) {
            float difference =
                output[i * channels + j] - dl_loss_target_value(info, channels, target, i, j);
            total += huber_of(difference, delta);
            if (grad)
                grad[i * channels + j] = share * (difference > most    ? most
                                                  : difference < -most ? -most
                                                                       : difference);
        }
    return total / (double)channels;
}

static double initial_mse(const void *self, const dl_target *target, int64_t channels,
                          double output) {
    (void)self;
    double one = 1 / (double)channels;
    if (is_one_hot(target, channels))
        return one * (1 - output) * (1 - output) + (1 - one) * output * output;
    return target->mean_square - 2 * output * target->mean + output * output;
}

static double initial_l1(const void *self, const dl_target *target, int64_t channels,
                         double output) {
    (void)self;
    double one = is_one_hot(target, channels) ? 1 / (double)channels : target->mean;
    if (target->classes)
        return one * fabs(1 - output) + (1 - one) * fabs(output);
    if (output <= target->least || output >= target->most)
        return fabs(target->mean - output);
    return output == 0 ? target->mean_magnitude : NAN;
}

/* Unknown for numeric targets: depends on more than their means. */
static double initial_huber(const void *self, const dl_target *target, int64_t channels,
                            double output) {
    double delta = ((const huber *)self)->delta;
    double one = is_one_hot(target, channels) ? 1 / (double)channels : target->mean;
    if (target->classes)
        return one * huber_of(1 - output, delta) + (1 - one) * huber_of(output, delta);
    return NAN;
}

const dl_loss_type dl_loss_mse = {
    .kind = {"mse", "mean squared error, for regression; sensitive to outliers", sizeof(distance),
             options},
    .check = check,
    .evaluate = evaluate_mse,
    .initial = initial_mse,
    .least_squares = true,
    .threshold = 0.5f,
};

const dl_loss_type dl_loss_l1 = {
    .kind = {"l1", "mean absolute error, for regression; robust to outliers", sizeof(distance),
             options},
    .check = check,
    .evaluate = evaluate_l1,
    .initial = initial_l1,
    .threshold = 0.5f,
};

const dl_loss_type dl_loss_huber = {
    .kind = {"huber",
             "Huber loss, for regression with outliers: quadratic like mse for small errors, "
             "linear like l1 for large ones",
             sizeof(huber), huber_options},
    .check = check,
    .evaluate = evaluate_huber,
    .initial = initial_huber,
    .threshold = 0.5f,
};

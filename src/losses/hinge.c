/* SPDX-License-Identifier: MIT */
/* Hinge loss of support vector machines, with margin m.
   Several classes (Weston and Watkins, 1998): L = sum over j != t of max(0, y_j - y_t + m).
   Two classes and one output (s = -1 for the first class, +1 for the second): L = max(0, m - s y).
   squared_hinge squares each max: Tang, "Deep learning using linear support vector machines",
   2013. */
#include <math.h>

#include "losses/loss.h"

typedef struct {
    double margin;
} hinge;

static const dl_option options[] = {
    DL_FLOAT_OPTION("margin", hinge, margin, "1.0", 1e-6, 1e6,
                    "by how much the score of the true class must exceed the others for zero loss"),
    DL_OPTIONS_END,
};

static int check_named(const char *loss, const dl_output *output, const dl_target *target,
                       dl_error *error) {
    if (dl_loss_check_classes(output, target, loss, error))
        return -1;
    return dl_loss_check_elementwise(output, target, error);
}

static int check(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error) {
    (void)self;
    return check_named("hinge", output, target, error);
}

static int check_squared(const void *self, const dl_output *output, const dl_target *target,
                         dl_error *error) {
    (void)self;
    return check_named("squared_hinge", output, target, error);
}

/* max(0, v), or its square; NaN stays NaN. */
static inline double penalty(float v, bool squared) {
    return v <= 0 ? 0 : squared ? (double)v * v : (double)v;
}

/* Its derivative. */
static inline float slope(float v, bool squared) {
    return v > 0 ? squared ? 2 * v : 1 : 0;
}

static double evaluate_binary(float margin, bool squared, int64_t rows, const float *output,
                              const float *target, float scale, float *grad) {
    double total = 0;
    for (int64_t i = 0; i < rows; i++) {
        float sign = target[i] > 0 ? 1.0f : -1.0f, violation = margin - sign * output[i];
        total += penalty(violation, squared);
        if (grad)
            grad[i] = -sign * scale * slope(violation, squared);
    }
    return total;
}

static double evaluate_classes(float margin, bool squared, int64_t rows, int64_t channels,
                               const float *output, const float *target, float scale, float *grad) {
    double total = 0;
    for (int64_t i = 0; i < rows; i++) {
        const float *y = output + i * channels;
        int truth = (int)target[i];
        float slopes = 0;
        for (int64_t j = 0; j < channels; j++) {
            float violation = j == truth ? 0 : y[j] - y[truth] + margin;
            total += penalty(violation, squared);
            slopes += slope(violation, squared);
            if (grad)
                grad[i * channels + j] = scale * slope(violation, squared);
        }
        if (grad)
            grad[i * channels + truth] = -scale * slopes;
    }
    return total;
}

static double evaluate(const void *self, const dl_target *info, int64_t rows, int64_t channels,
                       const float *output, const float *target, float scale, float *grad) {
    float margin = (float)((const hinge *)self)->margin;
    (void)info;
    if (channels == 1)
        return evaluate_binary(margin, false, rows, output, target, scale, grad);
    return evaluate_classes(margin, false, rows, channels, output, target, scale, grad);
}

static double evaluate_squared(const void *self, const dl_target *info, int64_t rows,
                               int64_t channels, const float *output, const float *target,
                               float scale, float *grad) {
    float margin = (float)((const hinge *)self)->margin;
    (void)info;
    if (channels == 1)
        return evaluate_binary(margin, true, rows, output, target, scale, grad);
    return evaluate_classes(margin, true, rows, channels, output, target, scale, grad);
}

/* All outputs equal: each wrong class violates the margin by m. One output y: the second class by
   m - y, the first by m + y. */
static double initial_power(const void *self, const dl_target *target, int64_t channels,
                            double output, double power) {
    double margin = ((const hinge *)self)->margin;
    if (channels > 1)
        return pow(margin, power) * (double)(channels - 1);
    return target->mean * pow(fmax(0, margin - output), power) +
           (1 - target->mean) * pow(fmax(0, margin + output), power);
}

static double initial(const void *self, const dl_target *target, int64_t channels, double output) {
    return initial_power(self, target, channels, output, 1);
}

static double initial_squared(const void *self, const dl_target *target, int64_t channels,
                              double output) {
    return initial_power(self, target, channels, output, 2);
}

const dl_loss_type dl_loss_hinge = {
    .kind = {"hinge",
             "hinge loss of support vector machines, for classes: 0 once the true class exceeds "
             "the others by the margin. Use no softmax or sigmoid",
             sizeof(hinge), options},
    .check = check,
    .evaluate = evaluate,
    .initial = initial,
};

const dl_loss_type dl_loss_squared_hinge = {
    .kind = {"squared_hinge",
             "squared hinge loss, for classes: smooth, and penalizes large violations of the "
             "margin more than hinge",
             sizeof(hinge), options},
    .check = check_squared,
    .evaluate = evaluate_squared,
    .initial = initial_squared,
};

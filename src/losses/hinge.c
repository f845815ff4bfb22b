/* Hinge loss of a support vector machine, with a margin m.
   Several classes (Weston and Watkins, 1998): L = sum over j != t of max(0, y_j - y_t + m).
   Two classes and one output (s = -1 for the first class, +1 for the second): L = max(0, m - s y).
 */
#include <math.h>
#include <stdio.h>

#include "losses/loss.h"

typedef struct {
    double margin;
} hinge;

static const dl_option options[] = {
    {"margin", DL_FLOAT, offsetof(hinge, margin), "1.0", 1e-6, 1e6, NULL,
     "by how much the true class must win before the loss is 0"},
    DL_OPTIONS_END,
};

static int check(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error) {
    (void)self;
    if (!target->classes)
        return dl_fail(error, DL_USAGE,
                       "%s: hinge is for classes, but the data's targets are numbers (mse and l1 "
                       "are for those)",
                       output->loss_where);
    if (target->classes == 2 && dl_shape_size(output->shape) == 1)
        return 0;
    char reason[64];
    snprintf(reason, sizeof reason, "the data has %d classes", target->classes);
    return dl_loss_check_outputs(output, target->classes, reason, error);
}

static double evaluate_binary(float margin, int64_t rows, const float *output, const float *target,
                              float scale, float *grad) {
    double total = 0;
    for (int64_t i = 0; i < rows; i++) {
        float sign = target[i] > 0 ? 1.0f : -1.0f, loss = margin - sign * output[i];
        total += loss > 0 || loss != loss ? (double)loss : 0; /* NaN must show */
        if (grad)
            grad[i] = loss > 0 ? -sign * scale : 0;
    }
    return total;
}

static double evaluate(const void *self, const dl_target *info, int64_t rows, int64_t channels,
                       const float *output, const float *target, float scale, float *grad) {
    float margin = (float)((const hinge *)self)->margin;
    (void)info;
    if (channels == 1)
        return evaluate_binary(margin, rows, output, target, scale, grad);
    double total = 0;
    for (int64_t i = 0; i < rows; i++) {
        const float *y = output + i * channels;
        int truth = (int)target[i], violated = 0;
        for (int64_t j = 0; j < channels; j++) {
            float loss = j == truth ? 0 : y[j] - y[truth] + margin;
            total += loss > 0 || loss != loss ? (double)loss : 0;
            violated += loss > 0;
            if (grad)
                grad[i * channels + j] = loss > 0 ? scale : 0;
        }
        if (grad)
            grad[i * channels + truth] = -scale * (float)violated;
    }
    return total;
}

/* All outputs equal: each wrong class violates the margin by m. One output: every row does. */
static double initial(const void *self, const dl_target *target, int64_t channels) {
    (void)channels;
    double margin = ((const hinge *)self)->margin;
    return margin * (target->classes > 2 ? target->classes - 1 : 1);
}

const dl_loss_type dl_loss_hinge = {
    .kind = {"hinge",
             "for classes: a support vector machine's; 0 once the true class wins by the margin",
             sizeof(hinge), options},
    .check = check,
    .evaluate = evaluate,
    .initial = initial,
};

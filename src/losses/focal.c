/* SPDX-License-Identifier: MIT */
/* Focal loss, from logits z[channels] and the true class t, with p = softmax(z):
     L = -w_t (1 - p_t)^gamma ln p_t,
     dL/dz_j = w_t (p_j - onehot(t)_j) ((1 - p_t)^gamma - gamma p_t (1 - p_t)^(gamma - 1) ln p_t)
   Lin et al., "Focal loss for dense object detection", ICCV 2017; w are the class weights (alpha in
   the paper). gamma = 0 is the cross-entropy. */
#include <math.h>

#include "losses/class_weights.h"
#include "math/vector.h"

typedef struct {
    dl_class_weights classes; /* first */
    double gamma;
} focal;

static const dl_option options[] = {
    DL_FLOAT_OPTION("gamma", focal, gamma, "2.0", 0, 10,
                    "focusing parameter: the larger, the less weight well-classified rows have; 0 "
                    "is the cross-entropy"),
    DL_CLASS_WEIGHTS_OPTIONS(focal, classes),
    DL_OPTIONS_END,
};

static int check(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error) {
    return dl_class_weights_check(&((const focal *)self)->classes, output, target, "focal", error);
}

/* Loss of one row without its weight; g: the gradient times scale, or NULL. */
static double evaluate_row(double gamma, int64_t channels, const float *z, int64_t truth,
                           double scale, float *g) {
    double most = z[0], rest = 0;
    for (int64_t j = 1; j < channels; j++)
        most = z[j] > most ? z[j] : most;
    for (int64_t j = 0; j < channels; j++)
        rest += j == truth ? 0 : exp(z[j] - most);
    double own = exp(z[truth] - most), sum = own + rest;
    double log_p = z[truth] - most - log(sum), p = own / sum, q = rest / sum;
    double focus = pow(q, gamma);
    if (g) {
        double slope = focus - (q > 0 ? gamma * p * pow(q, gamma - 1) * log_p : 0);
        for (int64_t j = 0; j < channels; j++)
            g[j] = (float)(scale * slope * (j == truth ? -q : exp(z[j] - most) / sum));
    }
    return -focus * log_p;
}

static double evaluate(const void *self, const dl_target *info, int64_t rows, int64_t channels,
                       const float *output, const float *target, float scale, float *grad) {
    const focal *own = self;
    const dl_class_weighing w = dl_class_weights_prepare(&own->classes, info);
    double total = 0;
    for (int64_t i = 0; i < rows; i++) {
        int64_t truth = (int64_t)target[i];
        float *g = grad ? grad + i * channels : NULL;
        if (truth == own->classes.ignored) {
            if (g)
                dl_zero(g, channels);
            continue;
        }
        double weight = dl_class_weight(&w, truth);
        total += weight * evaluate_row(own->gamma, channels, output + i * channels, truth,
                                       scale * weight, g);
    }
    return total;
}

/* All logits equal: p = 1 / classes. */
static double initial(const void *self, const dl_target *target, int64_t channels, double output) {
    const focal *own = self;
    (void)output;
    const dl_class_weighing w = dl_class_weights_prepare(&own->classes, target);
    double p = 1 / (double)channels;
    return dl_class_weights_mean(&w, target) * pow(1 - p, own->gamma) * -log(p);
}

const dl_loss_type dl_loss_focal = {
    .kind = {"focal",
             "focal loss with a built-in softmax, for classification in which most rows are easy, "
             "as with rare classes: the cross-entropy times (1 - p)^gamma, where p is the "
             "probability of the true class. The last layer must output one logit per class",
             sizeof(focal), options},
    .check = check,
    .evaluate = evaluate,
    .initial = initial,
    .ignored = dl_class_weights_ignored,
    .needs_counts = dl_class_weights_need_counts,
    .balance = dl_class_weights_balance,
    .softmax = true,
};

/* SPDX-License-Identifier: MIT */
/* Cross-entropy with a softmax, from logits z[channels] and the true class t:
     p = softmax(z),  L = -ln p_t = ln(sum of e^(z_j - max)) - (z_t - max),  dL/dz = p - onehot(t).
   Bridle, "Training stochastic model recognition algorithms as networks", 1989. Never ln 0.
   With label smoothing s and class weights w[channels] (Szegedy et al., "Rethinking the inception
   architecture for computer vision", 2016) the target is q_j = (1 - s) w_t onehot(t)_j + s w_j /
   channels:  L = -sum of q_j ln p_j,  dL/dz = (sum of q) p - q.
   "balanced" weights are w_j = n / (classes · n_j) for n training rows, n_j of them of class j: all
   classes have the same total weight, and the mean weight is 1. Rows of ignore_label are excluded
   from everything, n and classes included. */
#include <math.h>

#include "losses/class_weights.h"
#include "math/scalar.h"
#include "math/vector.h"

typedef struct {
    dl_class_weights classes; /* first */
    double smoothing;
} softmax_cross_entropy;

static const dl_option options[] = {
    DL_FLOAT_OPTION("label_smoothing", softmax_cross_entropy, smoothing, "0.0", 0, 1,
                    "share of the target probability that is spread evenly over all classes, which "
                    "keeps the network from becoming overconfident; 0.1 is usual"),
    DL_CLASS_WEIGHTS_OPTIONS(softmax_cross_entropy, classes),
    DL_OPTIONS_END,
};

static int check(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error) {
    const softmax_cross_entropy *own = self;
    return dl_class_weights_check(&own->classes, output, target, "softmax_cross_entropy", error);
}

/* Sum of the smoothed part of q over the classes. */
static double spread_of(double smoothing, const dl_class_weighing *w, int64_t classes) {
    double spread = 0;
    for (int64_t j = 0; j < classes && smoothing > 0; j++)
        spread += smoothing / (double)classes * dl_class_weight(w, j);
    return spread;
}

/* The smoothed part of q of one row: returns the sum of q_j (z_j - most), and subtracts scale · q
   from g. */
static double add_smoothing(double smoothing, const dl_class_weighing *w, int64_t channels,
                            const float *z, float most, float scale, float *g) {
    double sum = 0;
    for (int64_t j = 0; j < channels; j++) {
        double q = smoothing / (double)channels * dl_class_weight(w, j);
        sum += q * ((double)z[j] - most);
        if (g)
            g[j] -= scale * (float)q;
    }
    return sum;
}

static double evaluate(const void *self, const dl_target *info, int64_t rows, int64_t channels,
                       const float *output, const float *target, float scale, float *grad) {
    const softmax_cross_entropy *own = self;
    const dl_class_weighing w = dl_class_weights_prepare(&own->classes, info);
    double total = 0, spread = spread_of(own->smoothing, &w, channels);
    for (int64_t i = 0; i < rows; i++) {
        const float *z = output + i * channels;
        int truth = (int)target[i];
        float most = z[0], *g = grad ? grad + i * channels : NULL;
        if (truth == own->classes.ignored) {
            if (g)
                dl_zero(g, channels);
            continue;
        }
        double sum = 0, sharp = (1 - own->smoothing) * dl_class_weight(&w, truth);
        for (int64_t j = 1; j < channels; j++)
            most = z[j] > most ? z[j] : most;
        if (!g)
            for (int64_t j = 0; j < channels; j++)
                sum += dl_exp(z[j] - most);
        else {
            for (int64_t j = 0; j < channels; j++)
                g[j] = dl_exp(z[j] - most);
            for (int64_t j = 0; j < channels; j++)
                sum += g[j];
            float share = scale * (float)(sharp + spread) / (float)sum;
            for (int64_t j = 0; j < channels; j++)
                g[j] *= share;
            g[truth] -= scale * (float)sharp;
        }
        total += (sharp + spread) * log(sum) - sharp * ((double)z[truth] - most);
        if (own->smoothing > 0)
            total -= add_smoothing(own->smoothing, &w, channels, z, most, scale, g);
    }
    return total;
}

/* All logits equal: -ln p = ln classes, times the mean weight of the training rows. */
static double initial(const void *self, const dl_target *target, int64_t channels, double output) {
    const softmax_cross_entropy *own = self;
    const dl_class_weighing w = dl_class_weights_prepare(&own->classes, target);
    double mean = dl_class_weights_mean(&w, target);
    (void)channels, (void)output;
    if (!own->classes.weights.count && !own->classes.weights.word)
        return log(target->classes);
    return ((1 - own->smoothing) * mean + spread_of(own->smoothing, &w, target->classes)) *
           log(target->classes);
}

const dl_loss_type dl_loss_softmax_cross_entropy = {
    .kind =
        {"softmax_cross_entropy",
         "cross-entropy with a built-in softmax, for classification: the negative log-likelihood "
         "of the true class, in nats. The last layer must output one logit per class",
         sizeof(softmax_cross_entropy), options},
    .check = check,
    .evaluate = evaluate,
    .initial = initial,
    .ignored = dl_class_weights_ignored,
    .needs_counts = dl_class_weights_need_counts,
    .balance = dl_class_weights_balance,
    .softmax = true,
};

/* Softmax with cross entropy, from logits z[channels] and the true class t:
     p = softmax(z),  L = -ln p_t = ln(sum of e^(z_j - max)) - (z_t - max),  dL/dz = p - onehot(t).
   Bridle, "Training stochastic model recognition algorithms as networks", 1989. Never ln 0.
   With label smoothing s and class weights w[channels] (Szegedy et al., "Rethinking the inception
   architecture for computer vision", 2016) the target is q_j = (1 - s) w_t onehot(t)_j + s w_j /
   channels:  L = -sum of q_j ln p_j,  dL/dz = (sum of q) p - q. */
#include <math.h>
#include <stdio.h>

#include "losses/loss.h"
#include "math/activation.h"
#include "math/scalar.h"

typedef struct {
    double smoothing;
    dl_numbers weights; /* [channels], or none: all 1 */
} softmax_cross_entropy;

static const dl_option options[] = {
    {"label_smoothing", DL_FLOAT, offsetof(softmax_cross_entropy, smoothing), "0.0", 0, 1, NULL,
     "this share of the true class's target is spread evenly over all classes, so that the network "
     "does not become too sure of itself; 0.1 is usual"},
    {"class_weights", DL_NUMBERS, offsetof(softmax_cross_entropy, weights), "", 0, 1e6, NULL,
     "a factor for the loss of each class, in the order of the classes: larger ones for rare "
     "classes; left out: all count the same. Nothing is divided by their sum: weights that are 1 "
     "on the average of the rows keep the learning rate what it was"},
    DL_OPTIONS_END,
};

static int check_weights(const dl_numbers *weights, const dl_output *output,
                         const dl_target *target, dl_error *error) {
    double sum = 0;
    for (int j = 0; j < weights->count; j++)
        sum += weights->items[j];
    if (weights->items && weights->count != target->classes)
        return dl_fail(
            error, DL_USAGE, "%s: class_weights has %d number%s, but the data has %d classes",
            output->loss_where, weights->count, weights->count == 1 ? "" : "s", target->classes);
    if (weights->items && sum == 0)
        return dl_fail(error, DL_USAGE, "%s: class_weights are all 0: there is nothing to learn",
                       output->loss_where);
    return 0;
}

static int check(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error) {
    const softmax_cross_entropy *own = self;
    if (dl_loss_check_classes(output, target, "softmax_cross_entropy", error) ||
        check_weights(&own->weights, output, target, error))
        return -1;
    if (output->activation == DL_SOFTMAX)
        return dl_fail(
            error, DL_USAGE,
            "%s: %s, \"%s\", is already a softmax, and the loss "
            "softmax_cross_entropy has one built in (it takes logits): two of them learn "
            "slowly and badly. Take the softmax out",
            output->where, output->role, output->name);
    char reason[64];
    snprintf(reason, sizeof reason, "the data has %d classes", target->classes);
    return dl_loss_check_outputs(output, target->classes, reason, error);
}

static double weight_of(const softmax_cross_entropy *self, int64_t class) {
    return self->weights.count ? self->weights.items[class] : 1;
}

/* What label smoothing gives to the classes of one row. Returns sum of q_j (z_j - most) for this
   part of q, and takes it from the gradient. */
static double smooth(const softmax_cross_entropy *self, int64_t channels, const float *z,
                     float most, float scale, float *g) {
    double sum = 0;
    for (int64_t j = 0; j < channels; j++) {
        double q = self->smoothing / (double)channels * weight_of(self, j);
        sum += q * ((double)z[j] - most);
        if (g)
            g[j] -= scale * (float)q;
    }
    return sum;
}

static double evaluate(const void *self, const dl_target *info, int64_t rows, int64_t channels,
                       const float *output, const float *target, float scale, float *grad) {
    const softmax_cross_entropy *own = self;
    (void)info;
    double total = 0, spread = 0; /* the sum of the smoothed part of q */
    for (int64_t j = 0; j < channels && own->smoothing > 0; j++)
        spread += own->smoothing / (double)channels * weight_of(own, j);
    for (int64_t i = 0; i < rows; i++) {
        const float *z = output + i * channels;
        int truth = (int)target[i];
        double sum = 0, sharp = (1 - own->smoothing) * weight_of(own, truth);
        float most = z[0], *g = grad ? grad + i * channels : NULL;
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
            total -= smooth(own, channels, z, most, scale, g);
    }
    return total;
}

/* All logits equal: -ln p = ln classes for each. How often a weight counts is not known. */
static double initial(const void *self, const dl_target *target, int64_t channels) {
    (void)channels;
    const softmax_cross_entropy *own = self;
    return own->weights.count ? NAN : log(target->classes);
}

const dl_loss_type dl_loss_softmax_cross_entropy = {
    .kind = {"softmax_cross_entropy",
             "for classes: the surprise, in nats, at the true class; the last "
             "layer gives one logit a class, without a softmax",
             sizeof(softmax_cross_entropy), options},
    .check = check,
    .evaluate = evaluate,
    .initial = initial,
};

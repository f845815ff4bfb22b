/* SPDX-License-Identifier: MIT */
/* Softmax with cross entropy, from logits z[channels] and the true class t:
     p = softmax(z),  L = -ln p_t = ln(sum of e^(z_j - max)) - (z_t - max),  dL/dz = p - onehot(t).
   Bridle, "Training stochastic model recognition algorithms as networks", 1989. Never ln 0.
   With label smoothing s and class weights w[channels] (Szegedy et al., "Rethinking the inception
   architecture for computer vision", 2016) the target is q_j = (1 - s) w_t onehot(t)_j + s w_j /
   channels:  L = -sum of q_j ln p_j,  dL/dz = (sum of q) p - q.
   "balanced" weights are w_j = n / (classes · n_j), with the training part's n rows, n_j of them of
   class j, so that every class counts as much as another and the mean weight of a row is 1. Rows of
   the class ignore_label are not there: no loss, no gradient, and neither in n nor in classes. */
#include <math.h>
#include <stdio.h>

#include "losses/loss.h"
#include "math/activation.h"
#include "math/scalar.h"
#include "math/vector.h"

typedef struct {
    double smoothing;
    dl_numbers weights; /* [channels], or a word, or none: all 1 */
    int64_t ignored;    /* a class, or -1: none */
} softmax_cross_entropy;

static const char *const weight_words[] = {"balanced", NULL};
static const char *const ignore_words[] = {"none", NULL};

static const dl_option options[] = {
    DL_FLOAT_OPTION("label_smoothing", softmax_cross_entropy, smoothing, "0.0", 0, 1,
                    "this share of the true class's target is spread evenly over all classes, so "
                    "that the network "
                    "does not become too sure of itself; 0.1 is usual"),
    DL_NUMBERS_OR_WORD_OPTION(
        "class_weights", softmax_cross_entropy, weights, DL_NO_DEFAULT, 0, 1e6, weight_words,
        "a factor for the loss of each class, in the order of the classes: larger ones for rare "
        "classes; left out: all count the same. Nothing is divided by their sum: weights that are "
        "1 "
        "on the average of the rows keep the learning rate what it was. \"balanced\" makes such "
        "ones "
        "of the training part: rows / (classes * rows of the class), 0 for a class without rows"),
    DL_INT_OR_WORD_OPTION(
        "ignore_label", softmax_cross_entropy, ignored, "none", 0, 1 << 20, ignore_words,
        "the number of a class, from 0, whose rows (steps, pixels) are left out of loss, gradient, "
        "metrics and of the number that the mean is taken over: for what nobody has labelled. The "
        "network keeps its output for it"),
    DL_OPTIONS_END,
};

static int check_weights(const softmax_cross_entropy *self, const dl_output *output,
                         const dl_target *target, dl_error *error) {
    const dl_numbers *weights = &self->weights;
    double sum = 0;
    if (weights->word && !target->class_count)
        return dl_fail(error, DL_DATA,
                       "%s: class_weights are \"balanced\", but it is not known how many rows of "
                       "each class the training part had",
                       output->loss_where);
    for (int j = 0; j < weights->count; j++)
        sum += j == self->ignored ? 0 : weights->items[j];
    if (weights->items && weights->count != target->classes)
        return dl_fail(
            error, DL_USAGE, "%s: class_weights has %d number%s, but the data has %d classes",
            output->loss_where, weights->count, weights->count == 1 ? "" : "s", target->classes);
    if (weights->items && sum == 0)
        return dl_fail(error, DL_USAGE, "%s: class_weights are all 0: there is nothing to learn",
                       output->loss_where);
    return 0;
}

static int check_ignored(const softmax_cross_entropy *self, const dl_output *output,
                         const dl_target *target, dl_error *error) {
    if (self->ignored >= target->classes)
        return dl_fail(error, DL_USAGE,
                       "%s: ignore_label is %lld, but the data has %d classes (numbers 0 to %d)",
                       output->loss_where, (long long)self->ignored, target->classes,
                       target->classes - 1);
    if (self->ignored >= 0 && target->classes < 3)
        return dl_fail(error, DL_USAGE,
                       "%s: of %d classes ignore_label leaves one: there is nothing to tell apart",
                       output->loss_where, target->classes);
    return 0;
}

static int check(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error) {
    const softmax_cross_entropy *own = self;
    if (dl_loss_check_classes(output, target, "softmax_cross_entropy", error) ||
        check_ignored(own, output, target, error) || check_weights(own, output, target, error))
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

/* What a class's weight is worked out from. */
typedef struct {
    const softmax_cross_entropy *self;
    const int64_t *count; /* of the training part's classes, or NULL */
    int64_t rows;         /* of them, those that count */
    double fair;          /* rows a class, if all had as many */
} weighing;

static weighing prepare(const softmax_cross_entropy *self, const dl_target *target) {
    weighing w = {self, target->class_count, 0, 0};
    int classes = 0;
    for (int j = 0; w.count && j < target->classes; j++)
        if (j != self->ignored && w.count[j]) {
            w.rows += w.count[j];
            classes++;
        }
    w.fair = classes ? (double)w.rows / classes : 0;
    return w;
}

static double weight_of(const weighing *w, int64_t class) {
    const softmax_cross_entropy *self = w->self;
    if (self->weights.word)
        return class != self->ignored && w->count[class] ? w->fair / (double)w->count[class] : 0;
    return self->weights.count ? self->weights.items[class] : 1;
}

/* The sum of what label smoothing gives to the classes of a row. */
static double spread_of(const weighing *w, int64_t classes) {
    double spread = 0;
    for (int64_t j = 0; j < classes && w->self->smoothing > 0; j++)
        spread += w->self->smoothing / (double)classes * weight_of(w, j);
    return spread;
}

/* What label smoothing gives to the classes of one row. Returns sum of q_j (z_j - most) for this
   part of q, and takes it from the gradient. */
static double smooth(const weighing *w, int64_t channels, const float *z, float most, float scale,
                     float *g) {
    double sum = 0;
    for (int64_t j = 0; j < channels; j++) {
        double q = w->self->smoothing / (double)channels * weight_of(w, j);
        sum += q * ((double)z[j] - most);
        if (g)
            g[j] -= scale * (float)q;
    }
    return sum;
}

static double evaluate(const void *self, const dl_target *info, int64_t rows, int64_t channels,
                       const float *output, const float *target, float scale, float *grad) {
    const softmax_cross_entropy *own = self;
    const weighing w = prepare(own, info);
    double total = 0, spread = spread_of(&w, channels);
    for (int64_t i = 0; i < rows; i++) {
        const float *z = output + i * channels;
        int truth = (int)target[i];
        float most = z[0], *g = grad ? grad + i * channels : NULL;
        if (truth == own->ignored) {
            if (g)
                dl_zero(g, channels);
            continue;
        }
        double sum = 0, sharp = (1 - own->smoothing) * weight_of(&w, truth);
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
            total -= smooth(&w, channels, z, most, scale, g);
    }
    return total;
}

/* All logits equal: -ln p = ln classes for each, times the mean weight of the training part's rows
   where there are weights. */
static double initial(const void *self, const dl_target *target, int64_t channels) {
    const softmax_cross_entropy *own = self;
    const weighing w = prepare(own, target);
    double mean = 0;
    (void)channels;
    if (!own->weights.count && !own->weights.word)
        return log(target->classes);
    if (!w.rows)
        return NAN;
    for (int j = 0; j < target->classes; j++)
        if (j != own->ignored)
            mean += weight_of(&w, j) * (double)w.count[j] / (double)w.rows;
    return ((1 - own->smoothing) * mean + spread_of(&w, target->classes)) * log(target->classes);
}

static int ignored(const void *self) {
    return (int)((const softmax_cross_entropy *)self)->ignored;
}

static bool needs_counts(const void *self) {
    return ((const softmax_cross_entropy *)self)->weights.word != 0;
}

static int balance(void *self) {
    dl_numbers *weights = &((softmax_cross_entropy *)self)->weights;
    if (weights->count)
        return -1;
    weights->word = 1; /* "balanced" */
    return 0;
}

const dl_loss_type dl_loss_softmax_cross_entropy = {
    .kind = {"softmax_cross_entropy",
             "for classes: the surprise, in nats, at the true class; the last "
             "layer gives one logit a class, without a softmax",
             sizeof(softmax_cross_entropy), options},
    .check = check,
    .evaluate = evaluate,
    .initial = initial,
    .ignored = ignored,
    .needs_counts = needs_counts,
    .balance = balance,
    .softmax = true,
};

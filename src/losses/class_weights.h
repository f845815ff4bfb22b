/* SPDX-License-Identifier: MIT */
/* Weights of classes, and an ignored class, for losses with a softmax. */
#ifndef DL_LOSSES_CLASS_WEIGHTS_H
#define DL_LOSSES_CLASS_WEIGHTS_H

#include "losses/loss.h"

typedef struct {
    dl_numbers weights; /* [channels], or the word "balanced", or none: all 1 */
    int64_t ignored;    /* a class, or -1: none */
} dl_class_weights;

/* The options of a loss that has a dl_class_weights at `field`. */
#define DL_CLASS_WEIGHTS_OPTIONS(owner, field)                                                     \
    DL_NUMBERS_OR_WORD_OPTION(                                                                     \
        "class_weights", owner, field.weights, DL_NO_DEFAULT, 0, 1e6, dl_class_weights_words,      \
        "weight of the loss of each class, in the order of the classes: larger ones for rare "     \
        "classes; default: 1 each. The loss is the weighted sum over the rows divided by their "   \
        "number, not by the sum of their weights, so weights with mean 1 over the rows keep the "  \
        "learning rate. \"balanced\" computes such weights from the training part: rows / "        \
        "(classes * rows of the class), 0 for classes without rows; weights of rows (`weight` of " \
        "csv) do not count"),                                                                      \
        DL_INT_OR_WORD_OPTION(                                                                     \
            "ignore_label", owner, field.ignored, "none", 0, 1 << 20, dl_class_weights_none,       \
            "index of a class whose rows (or steps, pixels) are ignored by loss, gradient, means " \
            "and metrics, such as one for unlabeled pixels; the network keeps its output for it")

extern const char *const dl_class_weights_words[], *const dl_class_weights_none[];

/* For check: the targets are classes, the output has one logit per class, and the options are
   consistent with them. */
int dl_class_weights_check(const dl_class_weights *own, const dl_output *output,
                           const dl_target *target, const char *loss, dl_error *error);
/* Operations of a loss whose struct begins with a dl_class_weights. */
int dl_class_weights_ignored(const void *self);
bool dl_class_weights_need_counts(const void *self);
int dl_class_weights_balance(void *self);

/* Counts from which the weights are computed. */
typedef struct {
    const dl_class_weights *own;
    const int64_t *count; /* training rows of each class, or NULL */
    int64_t rows;         /* their sum without the ignored class */
    double balanced;      /* rows per class if all had equally many */
} dl_class_weighing;

dl_class_weighing dl_class_weights_prepare(const dl_class_weights *own, const dl_target *target);

static inline double dl_class_weight(const dl_class_weighing *w, int64_t class) {
    const dl_class_weights *own = w->own;
    if (own->weights.word)
        return class != own->ignored && w->count[class] ? w->balanced / (double)w->count[class] : 0;
    return own->weights.count ? own->weights.items[class] : 1;
}

/* Mean class weight of the training rows, weighted by their own weights; NaN if the counts are
   unknown. */
double dl_class_weights_mean(const dl_class_weighing *w, const dl_target *target);

#endif

/* SPDX-License-Identifier: MIT */
/* What losses of classes by softmax share: weights of the classes, and a class that is left out. */
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
        "a factor for the loss of each class, in the order of the classes: larger ones for rare "  \
        "classes; left out: all count the same. The sum of the losses is divided by the number "   \
        "of rows, not by their weights: weights whose mean over the rows is 1 keep the learning "  \
        "rate what it was. \"balanced\" computes such weights from the training part: "            \
        "rows / (classes * rows of the class), 0 for a class without rows"),                       \
        DL_INT_OR_WORD_OPTION(                                                                     \
            "ignore_label", owner, field.ignored, "none", 0, 1 << 20, dl_class_weights_none,       \
            "the number of a class, from 0, whose rows (steps, pixels) are left out of loss, "     \
            "gradient, metrics and the number that the mean is taken over: for what nobody has "   \
            "labeled. The network keeps its output for it")

extern const char *const dl_class_weights_words[], *const dl_class_weights_none[];

/* For check: targets are classes, as many as the output has channels, which are logits of `loss`,
   and the options fit them. */
int dl_class_weights_check(const dl_class_weights *own, const dl_output *output,
                           const dl_target *target, const char *loss, dl_error *error);
/* For balance: 0, or -1 if there are weights already. */
int dl_class_weights_balance(dl_class_weights *own);

/* What a class's weight is computed from. */
typedef struct {
    const dl_class_weights *own;
    const int64_t *count; /* of the training part's classes, or NULL */
    int64_t rows;         /* of them, those that count */
    double fair;          /* rows a class, if all had as many */
} dl_class_weighing;

dl_class_weighing dl_class_weights_prepare(const dl_class_weights *own, const dl_target *target);

static inline double dl_class_weight(const dl_class_weighing *w, int64_t class) {
    const dl_class_weights *own = w->own;
    if (own->weights.word)
        return class != own->ignored && w->count[class] ? w->fair / (double)w->count[class] : 0;
    return own->weights.count ? own->weights.items[class] : 1;
}

/* The mean weight of the training part's rows; NaN if its classes are not known. */
double dl_class_weights_mean(const dl_class_weighing *w, int classes);

#endif

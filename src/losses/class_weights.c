/* SPDX-License-Identifier: MIT */
#include "losses/class_weights.h"

#include <math.h>
#include <stdio.h>

const char *const dl_class_weights_words[] = {"balanced", NULL};
const char *const dl_class_weights_none[] = {"none", NULL};

static int check_weights(const dl_class_weights *self, const dl_output *output,
                         const dl_target *target, dl_error *error) {
    const dl_numbers *weights = &self->weights;
    double sum = 0;
    if (weights->word && !target->class_count)
        return dl_fail(
            error, DL_DATA,
            "%s: class_weights are \"balanced\", but the number of training rows of each "
            "class is unknown",
            output->loss_where);
    for (int j = 0; j < weights->count; j++)
        sum += j == self->ignored ? 0 : weights->items[j];
    if (weights->items && weights->count != target->classes)
        return dl_fail(
            error, DL_USAGE, "%s: class_weights has %d value%s, but the data has %d classes",
            output->loss_where, weights->count, weights->count == 1 ? "" : "s", target->classes);
    if (weights->items && sum == 0)
        return dl_fail(error, DL_USAGE, "%s: class_weights are all 0, so nothing is learned",
                       output->loss_where);
    return 0;
}

static int check_ignored(const dl_class_weights *self, const dl_output *output,
                         const dl_target *target, dl_error *error) {
    if (self->ignored >= target->classes)
        return dl_fail(
            error, DL_USAGE, "%s: ignore_label is %lld, but the data has %d classes (0 to %d)",
            output->loss_where, (long long)self->ignored, target->classes, target->classes - 1);
    if (self->ignored >= 0 && target->classes < 3)
        return dl_fail(error, DL_USAGE,
                       "%s: of %d classes, ignore_label leaves one: nothing to distinguish",
                       output->loss_where, target->classes);
    return 0;
}

int dl_class_weights_check(const dl_class_weights *own, const dl_output *output,
                           const dl_target *target, const char *loss, dl_error *error) {
    if (dl_loss_check_classes(output, target, loss, error) ||
        check_ignored(own, output, target, error) || check_weights(own, output, target, error))
        return -1;
    if (output->activation == DL_SOFTMAX)
        return dl_fail(
            error, DL_USAGE,
            "%s: %s, \"%s\", is a softmax, but the loss %s has one built in and expects logits. "
            "Remove the softmax: with two, a network learns slowly and badly",
            output->where, output->role, output->name, loss);
    char reason[64];
    snprintf(reason, sizeof reason, "the data has %d classes", target->classes);
    return dl_loss_check_outputs(output, target->classes, reason, error);
}

int dl_class_weights_ignored(const void *self) {
    return (int)((const dl_class_weights *)self)->ignored;
}

bool dl_class_weights_need_counts(const void *self) {
    return ((const dl_class_weights *)self)->weights.word != 0;
}

int dl_class_weights_balance(void *self) {
    dl_class_weights *own = self;
    if (own->weights.count)
        return -1;
    own->weights.word = 1; /* "balanced" */
    return 0;
}

dl_class_weighing dl_class_weights_prepare(const dl_class_weights *own, const dl_target *target) {
    dl_class_weighing w = {own, target->class_count, 0, 0};
    int classes = 0;
    for (int j = 0; w.count && j < target->classes; j++)
        if (j != own->ignored && w.count[j]) {
            w.rows += w.count[j];
            classes++;
        }
    w.balanced = classes ? (double)w.rows / classes : 0;
    return w;
}

double dl_class_weights_mean(const dl_class_weighing *w, const dl_target *target) {
    double sum = 0, total = 0;
    if (!w->own->weights.count && !w->own->weights.word)
        return 1;
    if (!w->rows)
        return NAN;
    for (int j = 0; j < target->classes; j++) {
        double mass = target->class_mass ? target->class_mass[j] : (double)w->count[j];
        if (j == w->own->ignored)
            continue;
        sum += dl_class_weight(w, j) * mass;
        total += mass;
    }
    return sum / total;
}

/* SPDX-License-Identifier: MIT */
#include "inspect/confident_errors.h"

#include <stdlib.h>

#include "base/memory.h"

/* Inserts in order, dropping the least confident one; ties stay in row order. */
static void insert(dl_confident_errors *m, dl_confident_error error) {
    int at = m->count;
    while (at > 0 && error.confidence > m->list[at - 1].confidence)
        at--;
    if (at == DL_CONFIDENT_ERRORS)
        return;
    m->count += m->count < DL_CONFIDENT_ERRORS;
    for (int i = m->count - 1; i > at; i--)
        m->list[i] = m->list[i - 1];
    m->list[at] = error;
}

void dl_confident_errors_add(void *context, const dl_outcome *o) {
    dl_confident_errors *m = context;
    if (!o->classes)
        return;
    if (!m->probability)
        m->probability = xcalloc((size_t)o->classes, sizeof *m->probability);
    for (int64_t i = 0; i < o->rows; i++) {
        int truth = (int)o->target[i], predicted = dl_predicted_class(o, i);
        int64_t row = m->rows++;
        if (predicted == truth)
            continue;
        if (o->link != DL_NO_PROBABILITIES)
            dl_class_probabilities(o, i, m->probability);
        double confidence = m->probability[predicted];
        if (o->link == DL_NO_PROBABILITIES) {
            const float *y = o->output + i * o->channels;
            confidence = o->channels > 1 ? (double)y[predicted]
                         : predicted     ? (double)y[0]
                                         : -(double)y[0];
        }
        insert(m, (dl_confident_error){row, truth, predicted, confidence});
    }
}

void dl_confident_errors_free(dl_confident_errors *m) {
    free(m->probability);
    *m = (dl_confident_errors){0};
}

/* SPDX-License-Identifier: MIT */
#include "metrics/confusion.h"

#include <stdlib.h>

#include "base/memory.h"

dl_confusion dl_confusion_new(int classes) {
    size_t count = (size_t)classes * (size_t)classes;
    return (dl_confusion){classes, xcalloc(count, sizeof(int64_t))};
}

void dl_confusion_free(dl_confusion *c) {
    free(c->count);
    *c = (dl_confusion){0};
}

void dl_confusion_add(void *context, const dl_outcome *o) {
    dl_confusion *c = context;
    for (int64_t i = 0; i < o->rows; i++)
        c->count[(int64_t)o->target[i] * c->classes + dl_predicted_class(o, i)]++;
}

dl_class_count dl_confusion_count(const dl_confusion *c, int class) {
    dl_class_count count = {.correct = c->count[(int64_t) class * c->classes + class]};
    for (int k = 0; k < c->classes; k++) {
        count.rows += c->count[(int64_t) class * c->classes + k];
        count.predicted += c->count[(int64_t)k * c->classes + class];
    }
    return count;
}

static int by_count(const void *a, const void *b) {
    const dl_misclassification *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return x->truth != y->truth ? x->truth - y->truth : x->predicted - y->predicted;
}

int dl_confusion_misclassified(const dl_confusion *c, int max, dl_misclassification *out) {
    dl_misclassification *all = xmalloc(sizeof *all * (size_t)c->classes * (size_t)c->classes);
    int count = 0;
    for (int t = 0; t < c->classes; t++)
        for (int p = 0; p < c->classes; p++)
            if (t != p && c->count[(int64_t)t * c->classes + p])
                all[count++] = (dl_misclassification){t, p, c->count[(int64_t)t * c->classes + p]};
    qsort(all, (size_t)count, sizeof *all, by_count);
    count = count < max ? count : max;
    for (int i = 0; i < count; i++)
        out[i] = all[i];
    free(all);
    return count;
}

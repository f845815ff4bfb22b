/* SPDX-License-Identifier: MIT */
#include "metrics/confusion.h"

#include <math.h>
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

dl_class_score dl_confusion_score(const dl_confusion *c, int class) {
    int64_t right = c->count[(int64_t) class * c->classes + class], rows = 0, predicted = 0;
    for (int k = 0; k < c->classes; k++) {
        rows += c->count[(int64_t) class * c->classes + k];
        predicted += c->count[(int64_t)k * c->classes + class];
    }
    dl_class_score score = {rows, predicted ? (double)right / (double)predicted : NAN,
                            rows ? (double)right / (double)rows : NAN,
                            rows + predicted ? 2.0 * (double)right / (double)(rows + predicted)
                                             : NAN};
    return score;
}

static int more_first(const void *a, const void *b) {
    const dl_mistake *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return x->truth != y->truth ? x->truth - y->truth : x->predicted - y->predicted;
}

int dl_confusion_mistakes(const dl_confusion *c, int most, dl_mistake *out) {
    dl_mistake *all = xmalloc(sizeof *all * (size_t)c->classes * (size_t)c->classes);
    int count = 0;
    for (int t = 0; t < c->classes; t++)
        for (int p = 0; p < c->classes; p++)
            if (t != p && c->count[(int64_t)t * c->classes + p])
                all[count++] = (dl_mistake){t, p, c->count[(int64_t)t * c->classes + p]};
    qsort(all, (size_t)count, sizeof *all, more_first);
    count = count < most ? count : most;
    for (int i = 0; i < count; i++)
        out[i] = all[i];
    free(all);
    return count;
}

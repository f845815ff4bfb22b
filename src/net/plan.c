/* SPDX-License-Identifier: MIT */
#include "net/plan.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

static int larger_first(const void *a, const void *b) {
    const dl_plan_item *x = *(dl_plan_item *const *)a, *y = *(dl_plan_item *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x > y) - (x < y);
}

static int lower_first(const void *a, const void *b) {
    const dl_plan_item *x = *(dl_plan_item *const *)a, *y = *(dl_plan_item *const *)b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static int64_t aligned(int64_t bytes) {
    return (bytes + DL_ALIGN - 1) / DL_ALIGN * DL_ALIGN;
}

int64_t dl_plan_assign(dl_plan_item *items, int count) {
    dl_plan_item **order = xmalloc(sizeof *order * (size_t)count);
    dl_plan_item **overlapping = xmalloc(sizeof *overlapping * (size_t)count);
    for (int i = 0; i < count; i++)
        order[i] = &items[i];
    qsort(order, (size_t)count, sizeof *order, larger_first);
    int64_t total = 0;
    for (int i = 0; i < count; i++) {
        dl_plan_item *item = order[i];
        int n = 0;
        for (int j = 0; j < i; j++)
            if (order[j]->first <= item->last && item->first <= order[j]->last)
                overlapping[n++] = order[j];
        qsort(overlapping, (size_t)n, sizeof *overlapping, lower_first);
        int64_t offset = 0;
        for (int j = 0; j < n && overlapping[j]->offset < offset + aligned(item->bytes); j++) {
            int64_t end = overlapping[j]->offset + aligned(overlapping[j]->bytes);
            offset = end > offset ? end : offset;
        }
        item->offset = offset;
        if (offset + aligned(item->bytes) > total)
            total = offset + aligned(item->bytes);
    }
    free(order);
    free(overlapping);
    return total;
}

/* SPDX-License-Identifier: MIT */
#include "data/split.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

/* A class's rows: [first, first + count) of the list, of which the first `taken` are given away. */
typedef struct {
    int64_t first, count, taken;
    int64_t take;     /* what the part at hand gets */
    double remainder; /* of its exact share */
    int number;
} stratum;

/* Largest remainder first; equal ones in the classes' order. */
static int compare_remainders(const void *a, const void *b) {
    const stratum *p = *(const stratum *const *)a, *q = *(const stratum *const *)b;
    if (p->remainder != q->remainder)
        return p->remainder < q->remainder ? 1 : -1;
    return (p->number > q->number) - (p->number < q->number);
}

/* Sets each stratum's `take` so that they add up to `total` (Hamilton's method: the whole part of
   the exact share, then one more by the largest remainders). The one more goes first where a row
   for training is left over, and only at last to a share that is whole. */
static void apportion(stratum *strata, stratum **order, int count, double share, int64_t total) {
    for (int i = 0; i < count; i++) {
        stratum *s = &strata[i];
        double exact = share * (double)s->count;
        s->take = (int64_t)floor(exact);
        s->remainder = exact - (double)s->take;
        if (s->take > s->count - s->taken)
            s->take = s->count - s->taken;
        total -= s->take;
        order[i] = s;
    }
    qsort(order, (size_t)count, sizeof *order, compare_remainders);
    for (int attempt = 0; attempt < 3; attempt++)
        for (int i = 0; i < count && total > 0; i++) {
            stratum *s = order[i];
            bool given = (double)s->take > share * (double)s->count;
            bool whole = attempt < 2 && !(s->remainder > 0);
            int64_t left = s->count - s->taken - s->take;
            if (!given && !whole && left > (attempt == 0)) {
                s->take++;
                total--;
            }
        }
}

/* What the parts before have left is dealt out, class after class. */
static void deal_folds(const stratum *strata, int classes, const int64_t *rows, const dl_fold *fold,
                       uint8_t *part_of) {
    int64_t dealt = 0;
    for (int c = 0; c < classes; c++)
        for (int64_t i = strata[c].taken; i < strata[c].count; i++)
            if (dealt++ % fold->count == fold->number - 1)
                part_of[rows[strata[c].first + i]] = DL_VALIDATION;
}

static void split_strata(stratum *strata, int classes, int64_t *rows, int64_t count,
                         const double *share, const dl_fold *fold, uint64_t seed,
                         uint8_t *part_of) {
    static const dl_split order_of_parts[] = {DL_TEST, DL_VALIDATION};
    stratum **order = xmalloc(sizeof *order * (size_t)classes);
    for (int c = 0; c < classes; c++) {
        dl_draw draw = {.seed = seed, .purpose = DL_FOR_SPLIT, .epoch = (uint32_t)c};
        dl_random_shuffle(&draw, rows + strata[c].first, strata[c].count);
    }
    for (int p = 0; p < 2; p++) {
        dl_split part = order_of_parts[p];
        if (part == DL_VALIDATION && fold)
            deal_folds(strata, classes, rows, fold, part_of);
        if (!(share[part] > 0) || (part == DL_VALIDATION && fold))
            continue;
        apportion(strata, order, classes, share[part], llround(share[part] * (double)count));
        for (int c = 0; c < classes; c++) {
            stratum *s = &strata[c];
            for (int64_t i = 0; i < s->take; i++)
                part_of[rows[s->first + s->taken + i]] = (uint8_t)part;
            s->taken += s->take;
        }
    }
    free(order);
}

static void split_tail(int64_t count, const double *share, const dl_fold *fold, uint8_t *part_of) {
    int64_t test = llround(share[DL_TEST] * (double)count);
    int64_t to = count - test, from = to - llround(share[DL_VALIDATION] * (double)count);
    if (fold) {
        from = to / fold->count * (fold->number - 1) +
               to % fold->count * (fold->number - 1) / fold->count;
        to = to / fold->count * fold->number + to % fold->count * fold->number / fold->count;
    }
    for (int64_t i = 0; i < count; i++)
        if (i >= count - test)
            part_of[i] = DL_TEST;
        else if (i >= from && i < to)
            part_of[i] = DL_VALIDATION;
}

void dl_split_rows(dl_split_kind kind, const int *class_of, int classes, int64_t count,
                   const double share[DL_SPLITS], const dl_fold *fold, uint64_t seed,
                   uint8_t *part_of) {
    memset(part_of, DL_TRAIN, (size_t)count);
    if (kind == DL_SPLIT_TAIL) {
        split_tail(count, share, fold, part_of);
        return;
    }
    if (kind == DL_SPLIT_RANDOM || !class_of) { /* one class that all belong to */
        class_of = NULL;
        classes = 1;
    }
    stratum *strata = xcalloc((size_t)classes, sizeof *strata);
    for (int64_t i = 0; i < count; i++)
        strata[class_of ? class_of[i] : 0].count++;
    for (int c = 0; c < classes; c++) {
        strata[c].number = c;
        strata[c].first = c ? strata[c - 1].first + strata[c - 1].count : 0;
    }
    int64_t *rows = xmalloc(sizeof *rows * (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        stratum *s = &strata[class_of ? class_of[i] : 0];
        rows[s->first + s->taken++] = i;
    }
    for (int c = 0; c < classes; c++)
        strata[c].taken = 0;
    split_strata(strata, classes, rows, count, share, fold, seed, part_of);
    free(rows);
    free(strata);
}

/* ---- a data set ---- */

/* The class of every row, each of which has one; NULL and an error if a row cannot be read. The
   caller frees it. */
static int *read_classes(const dl_dataset *dataset, dl_error *error) {
    int *class_of = xmalloc(sizeof *class_of * (size_t)dataset->count);
    assert(dataset->schema.outputs == 1);
    for (int64_t i = 0; i < dataset->count; i++) {
        float y;
        if (dataset->type->read(dataset, i, NULL, &y, error)) {
            free(class_of);
            return NULL;
        }
        class_of[i] = (int)y;
    }
    return class_of;
}

/* FNV-1a of which part each row is in, and of its first target number: another file, or the same
   rows in another order, has another. */
static int take_digest(dl_data *data, const uint8_t *part_of, dl_error *error) {
    const dl_dataset *dataset = &data->dataset[DL_TRAIN];
    float *y = xcalloc((size_t)dataset->schema.outputs, sizeof *y);
    uint64_t h = 14695981039346656037u;
    int result = 0;
    for (int64_t i = 0; i < dataset->count && !result; i++) {
        uint32_t bits;
        result = dataset->type->read(dataset, i, NULL, y, error);
        memcpy(&bits, y, sizeof bits);
        h = (h ^ part_of[i]) * 1099511628211u;
        for (int byte = 0; byte < 4; byte++)
            h = (h ^ (bits >> 8 * byte & 255)) * 1099511628211u;
    }
    snprintf(data->digest, sizeof data->digest, "%lld %016llx", (long long)dataset->count,
             (unsigned long long)h);
    free(y);
    return result;
}

dl_split_kind dl_split_kind_of(const dl_data *data) {
    bool ordered = data->dataset[DL_TRAIN].ordered;
    return data->split == DL_SPLIT_AUTO && ordered ? DL_SPLIT_TAIL : (dl_split_kind)data->split;
}

static int check_kind(const dl_data *data, const char *where, bool one_class, dl_error *error) {
    const dl_dataset *dataset = &data->dataset[DL_TRAIN];
    if (data->split == DL_SPLIT_STRATIFIED && !one_class)
        return dl_fail(error, DL_USAGE,
                       "%s: \"split\" cannot be \"stratified\": %s (\"random\" or \"tail\" are "
                       "possible)",
                       where,
                       dataset->schema.classes ? "a row has many classes, not one"
                                               : "the target is a number, there are no classes");
    if (data->split == DL_SPLIT_TAIL && dataset->group)
        return dl_fail(error, DL_USAGE,
                       "%s: \"split\" cannot be \"tail\" where rows have a group, which a cut "
                       "through the file would part (\"stratified\" or \"random\" are possible)",
                       where);
    return 0;
}

int dl_split_dataset(dl_data *data, const char *where, uint8_t *part_of, dl_error *error) {
    const dl_dataset *dataset = &data->dataset[DL_TRAIN];
    bool one_class = dataset->schema.classes && dataset->schema.outputs == 1;
    bool shared = data->share[DL_VALIDATION] > 0 || data->share[DL_TEST] > 0 || data->fold > 0;
    dl_fold fold = {data->fold > 0 ? data->fold : 0, data->folds};
    dl_split_kind kind = dl_split_kind_of(data);
    uint64_t seed = (uint64_t)data->split_seed;
    int *class_of = NULL, classes = dataset->schema.classes;
    memset(part_of, DL_TRAIN, (size_t)dataset->count);
    if (check_kind(data, where, one_class, error))
        return -1;
    if (!shared)
        return 0;
    if (one_class && kind != DL_SPLIT_RANDOM && !(class_of = read_classes(dataset, error)))
        return -1;
    if (dataset->group)
        dl_split_groups(class_of, classes, dataset->group, dataset->count, data->share, fold.number,
                        fold.count, seed, part_of);
    else
        dl_split_rows(kind, class_of, classes, dataset->count, data->share,
                      fold.number ? &fold : NULL, seed, part_of);
    free(class_of);
    return take_digest(data, part_of, error);
}

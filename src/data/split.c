/* SPDX-License-Identifier: MIT */
#include "data/split.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

/* The rows of a class: [first, first + count) of the list; the first `used` are assigned. */
typedef struct {
    int64_t first, count, used;
    int64_t quota;    /* for the current split */
    double remainder; /* of the exact quota */
    int number;
} stratum;

/* Largest remainder first, ties in class order. */
static int compare_remainders(const void *a, const void *b) {
    const stratum *p = *(const stratum *const *)a, *q = *(const stratum *const *)b;
    if (p->remainder != q->remainder)
        return p->remainder < q->remainder ? 1 : -1;
    return (p->number > q->number) - (p->number < q->number);
}

/* Sets quotas that sum to `total` by Hamilton's method: the integer part of the exact quota, then
   one more by largest remainder; first where a training row remains, and last where the exact quota
   is an integer. */
static void apportion(stratum *strata, stratum **order, int count, double share, int64_t total) {
    for (int i = 0; i < count; i++) {
        stratum *s = &strata[i];
        double exact = share * (double)s->count;
        s->quota = (int64_t)floor(exact);
        s->remainder = exact - (double)s->quota;
        if (s->quota > s->count - s->used)
            s->quota = s->count - s->used;
        total -= s->quota;
        order[i] = s;
    }
    qsort(order, (size_t)count, sizeof *order, compare_remainders);
    for (int attempt = 0; attempt < 3; attempt++)
        for (int i = 0; i < count && total > 0; i++) {
            stratum *s = order[i];
            bool given = (double)s->quota > share * (double)s->count;
            bool whole = attempt < 2 && !(s->remainder > 0);
            int64_t remaining = s->count - s->used - s->quota;
            if (!given && !whole && remaining > (attempt == 0)) {
                s->quota++;
                total--;
            }
        }
}

/* Deals the remaining rows, class by class. */
static void deal_folds(const stratum *strata, int classes, const int64_t *rows, const dl_fold *fold,
                       uint8_t *part_of) {
    int64_t dealt = 0;
    for (int c = 0; c < classes; c++)
        for (int64_t i = strata[c].used; i < strata[c].count; i++)
            if (dealt++ % fold->count == fold->number - 1)
                part_of[rows[strata[c].first + i]] = DL_VALIDATION;
}

static void split_strata(const dl_split_input *in, stratum *strata, int classes, int64_t *rows,
                         uint8_t *part_of) {
    const dl_fold *fold = in->fold.number ? &in->fold : NULL;
    const double *share = in->share;
    static const dl_split order_of_parts[] = {DL_TEST, DL_VALIDATION};
    stratum **order = xmalloc(sizeof *order * (size_t)classes);
    for (int c = 0; c < classes; c++) {
        dl_draw draw = {.seed = in->seed, .purpose = DL_FOR_SPLIT, .epoch = (uint32_t)c};
        dl_random_shuffle(&draw, rows + strata[c].first, strata[c].count);
    }
    for (int p = 0; p < 2; p++) {
        dl_split part = order_of_parts[p];
        if (part == DL_VALIDATION && fold)
            deal_folds(strata, classes, rows, fold, part_of);
        if (!(share[part] > 0) || (part == DL_VALIDATION && fold))
            continue;
        apportion(strata, order, classes, share[part], llround(share[part] * (double)in->count));
        for (int c = 0; c < classes; c++) {
            stratum *s = &strata[c];
            for (int64_t i = 0; i < s->quota; i++)
                part_of[rows[s->first + s->used + i]] = (uint8_t)part;
            s->used += s->quota;
        }
    }
    free(order);
}

static void split_tail(const dl_split_input *in, uint8_t *part_of) {
    const dl_fold *fold = in->fold.number ? &in->fold : NULL;
    const double *share = in->share;
    int64_t count = in->count;
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

void dl_split_rows(const dl_split_input *in, dl_split_kind kind, uint8_t *part_of) {
    const int *class_of = in->class_of;
    int64_t count = in->count;
    int classes = in->classes;
    memset(part_of, DL_TRAIN, (size_t)count);
    if (kind == DL_SPLIT_TAIL) {
        split_tail(in, part_of);
        return;
    }
    if (kind == DL_SPLIT_RANDOM || !class_of) { /* a single class */
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
        rows[s->first + s->used++] = i;
    }
    for (int c = 0; c < classes; c++)
        strata[c].used = 0;
    split_strata(in, strata, classes, rows, part_of);
    free(rows);
    free(strata);
}

/* ---- a dataset ---- */

/* The class of every row, freed by the caller; NULL and an error if a row cannot be read. */
static int *read_classes(const dl_dataset *dataset, dl_error *error) {
    int *class_of = xmalloc(sizeof *class_of * (size_t)dataset->count);
    assert(dataset->schema.outputs == 1);
    for (int64_t i = 0; i < dataset->count; i++) {
        float y;
        if (dl_dataset_read(dataset, i, NULL, &y, error)) {
            free(class_of);
            return NULL;
        }
        class_of[i] = (int)y;
    }
    return class_of;
}

/* FNV-1a of the split and first target of each row: detects other files or another order of rows.
 */
static int compute_digest(dl_data *data, const uint8_t *part_of, dl_error *error) {
    const dl_dataset *dataset = &data->dataset[DL_TRAIN];
    float *y = xcalloc((size_t)dataset->schema.outputs, sizeof *y);
    uint64_t h = 14695981039346656037u;
    int result = 0;
    for (int64_t i = 0; i < dataset->count && !result; i++) {
        uint32_t bits;
        result = dl_dataset_read(dataset, i, NULL, y, error);
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
        return dl_fail(
            error, DL_USAGE,
            "%s: \"split\" cannot be \"stratified\": %s (use \"random\" or \"tail\")", where,
            dataset->schema.classes ? "rows have several classes" : "the target is numeric");
    if (data->split == DL_SPLIT_TAIL && dataset->group)
        return dl_fail(error, DL_USAGE,
                       "%s: \"split\" cannot be \"tail\" with groups of rows, which must stay "
                       "together (use \"stratified\" or \"random\")",
                       where);
    return 0;
}

int dl_split_dataset(dl_data *data, const char *where, uint8_t *part_of, dl_error *error) {
    const dl_dataset *dataset = &data->dataset[DL_TRAIN];
    bool one_class = dataset->schema.classes && dataset->schema.outputs == 1;
    bool shared = data->share[DL_VALIDATION] > 0 || data->share[DL_TEST] > 0 || data->fold > 0;
    dl_split_kind kind = dl_split_kind_of(data);
    int *class_of = NULL;
    memset(part_of, DL_TRAIN, (size_t)dataset->count);
    if (check_kind(data, where, one_class, error))
        return -1;
    if (!shared)
        return 0;
    if (one_class && kind != DL_SPLIT_RANDOM && !(class_of = read_classes(dataset, error)))
        return -1;
    dl_split_input in = {.count = dataset->count,
                         .class_of = class_of,
                         .classes = dataset->schema.classes,
                         .group = dataset->group,
                         .share = data->share,
                         .fold = {data->fold > 0 ? data->fold : 0, data->folds},
                         .seed = (uint64_t)data->split_seed};
    if (dataset->group)
        dl_split_groups(&in, part_of);
    else
        dl_split_rows(&in, kind, part_of);
    free(class_of);
    return compute_digest(data, part_of, error);
}

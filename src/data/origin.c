/* SPDX-License-Identifier: MIT */
#include "data/origin.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "data/normalize.h"

enum { BLOCK = 1 << 23 }; /* values that are sorted at a time */

/* The inputs or the targets of a data set. */
typedef struct {
    const dl_dataset *dataset;
    bool target;
    int64_t size, shared; /* columns k, k + shared, … get one shift; shared == size: each its own */
    bool shifts;          /* whether a normalization subtracts something: */
    bool from_low;        /* the minimum, else the mean */
    double **origin;      /* of the schema */
    bool *one_hot;        /* or NULL */
    dl_text *notes;
    /* of the columns */
    double *low, *high;
    bool *rounded, *whole; /* some value is no float; those are whole numbers */
    double *row;           /* [size] */
} side;

static void read_row(const side *s, int64_t i) {
    s->dataset->type->read_doubles(s->dataset, i, s->target ? NULL : s->row,
                                   s->target ? s->row : NULL);
}

static void scan(side *s) {
    for (int64_t i = 0; i < s->dataset->count; i++) {
        read_row(s, i);
        for (int64_t k = 0; k < s->size; k++) {
            double v = s->row[k];
            s->low[k] = i ? fmin(s->low[k], v) : v;
            s->high[k] = i ? fmax(s->high[k], v) : v;
            if ((double)(float)v != v) {
                s->rounded[k] = true;
                s->whole[k] |= v == floor(v);
            }
        }
    }
}

/* Float has 24 bits. A column whose range takes the upper ones of them loses no more than noise,
   but for whole numbers, which count or identify something. */
static bool is_suspect(const side *s, int64_t k) {
    double largest = fmax(fabs(s->low[k]), fabs(s->high[k]));
    return s->rounded[k] && (s->whole[k] || largest > 16 * (s->high[k] - s->low[k]));
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* How many of the distinct values v[count], ascending, are as floats of v - origin the same as
   their left neighbor; `pair`: the index of the first. Differences below the resolution of a float
   of the range count only between whole numbers. */
static int64_t count_merged(const double *v, int64_t count, double origin, int64_t *pair) {
    double noise = (v[count - 1] - v[0]) * 0x1p-24;
    int64_t merged = 0;
    for (int64_t i = 1; i < count; i++) {
        bool whole = v[i] == floor(v[i]) && v[i - 1] == floor(v[i - 1]);
        if (v[i] != v[i - 1] && (float)(v[i] - origin) == (float)(v[i - 1] - origin) &&
            (whole || v[i] - v[i - 1] > noise) && !merged++)
            *pair = i;
    }
    return merged;
}

static void add_name(const side *s, int64_t k, dl_text *text) {
    const dl_schema *schema = &s->dataset->schema;
    if (s->target && s->size == schema->targets) {
        dl_text_add(text, "column \"%s\"", schema->target_name[k]);
        return;
    }
    for (int c = 0, at = 0; !s->target && c < schema->columns; c++) {
        if (at == k) {
            dl_text_add(text, "column \"%s\"", schema->column[c].name);
            return;
        }
        at += schema->column[c].categories ? schema->column[c].categories : 1;
    }
    dl_text_add(text, "%s %lld (from 0)", s->target ? "target" : "input", (long long)k);
}

static void warn(const side *s, int64_t k, const double *v, int64_t merged, int64_t pair) {
    int64_t distinct = 1;
    for (int64_t i = 1; i < s->dataset->count; i++)
        distinct += v[i] != v[i - 1];
    dl_text_add(s->notes, "%s: ", s->dataset->where);
    add_name(s, k, s->notes);
    dl_text_add(s->notes,
                ": %lld of %lld distinct values become equal to another one in float32, such as "
                "%.17g and %.17g (%s)\n",
                (long long)merged, (long long)distinct, v[pair - 1], v[pair],
                s->shifts   ? "its range has more digits than float32"
                : s->target ? "normalize_target = \"mean_std\" subtracts the mean first"
                            : "normalize = \"mean_std\" subtracts the mean first");
}

static double mean(const double *v, int64_t count) {
    double sum = 0; /* of differences, which are exact where v is far from 0 */
    for (int64_t i = 0; i < count; i++)
        sum += v[i] - v[0];
    return v[0] + sum / (double)count;
}

/* v[count of rows], sorted, are the values of column k. */
static void judge(side *s, int64_t k, const double *v) {
    int64_t count = s->dataset->count, pair = 0, merged = count_merged(v, count, 0, &pair);
    if (merged && s->shifts) {
        double origin = s->from_low ? v[0] : mean(v, count);
        if (!*s->origin)
            *s->origin = xcalloc((size_t)s->size, sizeof **s->origin);
        for (int64_t j = k % s->shared; j < s->size; j += s->shared)
            if (!s->one_hot || !s->one_hot[j])
                (*s->origin)[j] = origin;
        merged = count_merged(v, count, origin, &pair);
    }
    if (merged)
        warn(s, k, v, merged, pair);
}

/* The suspect columns from *k on, as many as fit a block. */
static void judge_block(side *s, int64_t *k) {
    int64_t rows = s->dataset->count, most = BLOCK / rows + 1, count = 0;
    int64_t *column = xmalloc(sizeof *column * (size_t)most);
    for (; *k < s->size && count < most; ++*k)
        if (is_suspect(s, *k))
            column[count++] = *k;
    double *values = xmalloc(sizeof *values * (size_t)(count * rows + 1));
    for (int64_t i = 0; count && i < rows; i++) {
        read_row(s, i);
        for (int64_t c = 0; c < count; c++)
            values[c * rows + i] = s->row[column[c]];
    }
    for (int64_t c = 0; c < count; c++) {
        qsort(values + c * rows, (size_t)rows, sizeof *values, compare);
        judge(s, column[c], values + c * rows);
    }
    free(values);
    free(column);
}

static void examine(side *s) {
    size_t n = (size_t)s->size;
    s->low = xcalloc(n, sizeof *s->low);
    s->high = xcalloc(n, sizeof *s->high);
    s->row = xcalloc(n, sizeof *s->row);
    s->rounded = xcalloc(n, sizeof *s->rounded);
    s->whole = xcalloc(n, sizeof *s->whole);
    scan(s);
    for (int64_t k = 0; k < s->size;)
        judge_block(s, &k);
    free(s->low);
    free(s->high);
    free(s->row);
    free(s->rounded);
    free(s->whole);
}

void dl_origins_find(dl_data *data) {
    dl_dataset *dataset = &data->dataset[DL_TRAIN];
    dl_schema *schema = &dataset->schema;
    side s = {.dataset = dataset, .notes = &data->notes.warned};
    if (dataset->input_doubles) {
        s.size = dl_shape_size(schema->input);
        s.shared = dl_normalization_groups((dl_normalize_by)data->normalize_by, schema->input);
        s.shifts =
            data->normalize == DL_NORMALIZE_MEAN_STD || data->normalize == DL_NORMALIZE_MIN_MAX;
        s.from_low = data->normalize == DL_NORMALIZE_MIN_MAX;
        s.origin = &schema->input_origin;
        s.one_hot = dl_one_hot_elements(schema);
        examine(&s);
        free(s.one_hot);
    }
    if (dataset->target_doubles && data->target_bins <= 0) {
        s.target = true;
        s.from_low = false;
        s.one_hot = NULL;
        s.size = s.shared = schema->outputs;
        s.shifts = data->normalize_target;
        s.origin = &schema->target_origin;
        examine(&s);
    }
}

/* SPDX-License-Identifier: MIT */
#include "data/normalize.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- applying ---- */

enum { TILE = 256 };

/* Repeats few channels to a tile, so that inner loops are long enough to vectorize. Returns its
   length, a multiple of the channels. */
static int64_t make_tile(const dl_normalization *n, int64_t size, float *shift, float *scale) {
    int64_t length = TILE / n->count * n->count;
    if (length > size)
        length = size;
    for (int64_t done = 0; done < length;) { /* doubling: this runs for every sample */
        int64_t n_copied = done ? done : n->count;
        if (n_copied > length - done)
            n_copied = length - done;
        memcpy(shift + done, done ? shift : n->shift, sizeof *shift * (size_t)n_copied);
        memcpy(scale + done, done ? scale : n->scale, sizeof *scale * (size_t)n_copied);
        done += n_copied;
    }
    return length;
}

typedef void apply(const float *shift, const float *scale, float *x, int64_t count);

static void forward(const float *restrict shift, const float *restrict scale, float *restrict x,
                    int64_t count) {
    for (int64_t i = 0; i < count; i++)
        x[i] = (x[i] - shift[i]) * scale[i];
}

static void backward(const float *restrict shift, const float *restrict scale, float *restrict x,
                     int64_t count) {
    for (int64_t i = 0; i < count; i++)
        x[i] = x[i] / scale[i] + shift[i];
}

static void apply_all(const dl_normalization *n, apply *function, float *x, int64_t count,
                      int64_t size) {
    if (!n->count || !count || !size)
        return;
    float tile[2][TILE];
    const float *shift = n->shift, *scale = n->scale;
    int64_t length = n->count;
    if (length <= TILE / 2) {
        length = make_tile(n, size, tile[0], tile[1]);
        shift = tile[0];
        scale = tile[1];
    }
    for (int64_t row = 0; row < count; row++, x += size)
        for (int64_t i = 0; i < size; i += length)
            function(shift, scale, x + i, length < size - i ? length : size - i);
}

void dl_normalize(const dl_normalization *normalization, float *x, int64_t count, int64_t size) {
    apply_all(normalization, forward, x, count, size);
}

void dl_denormalize(const dl_normalization *normalization, float *x, int64_t count, int64_t size) {
    apply_all(normalization, backward, x, count, size);
}

dl_normalization dl_normalization_copy(const dl_normalization *normalization) {
    dl_normalization copy = {0};
    if (!normalization || !normalization->count)
        return copy;
    size_t bytes = sizeof(float) * (size_t)normalization->count;
    copy.count = normalization->count;
    copy.shift = memcpy(xmalloc(bytes), normalization->shift, bytes);
    copy.scale = memcpy(xmalloc(bytes), normalization->scale, bytes);
    return copy;
}

void dl_normalization_free(dl_normalization *normalization) {
    free(normalization->shift);
    free(normalization->scale);
    *normalization = (dl_normalization){0};
}

/* ---- statistics ---- */

/* Of an element or a group of elements over all rows. */
typedef struct {
    double mean, variance, low, high;
} moments;

typedef struct {
    int64_t size;
    float *row, *origin;  /* [size]; origin is the first row */
    double *sum, *square; /* [size]; of differences to origin */
    float *low, *high;    /* [size] */
} sums;

/* Differences to the first row avoid a second pass: its distance to the mean is at most sqrt(n)
   standard deviations, so that cancellation in square / n - (sum / n)^2 is at most a factor n. A
   constant element has variance exactly 0. */
static void add_row(sums *s) {
    const float *restrict row = s->row, *restrict origin = s->origin;
    double *restrict sum = s->sum, *restrict square = s->square;
    for (int64_t i = 0; i < s->size; i++) {
        double difference = (double)row[i] - (double)origin[i];
        sum[i] += difference;
        square[i] += difference * difference;
    }
}

static void add_extremes(sums *s) {
    const float *restrict row = s->row;
    float *restrict low = s->low, *restrict high = s->high;
    for (int64_t i = 0; i < s->size; i++) {
        low[i] = row[i] < low[i] ? row[i] : low[i];
        high[i] = row[i] > high[i] ? row[i] : high[i];
    }
}

static int accumulate(sums *s, const dl_subset *part, bool target, bool extremes, dl_error *error) {
    const dl_dataset *dataset = part->dataset;
    for (int64_t i = 0; i < part->count; i++) {
        float *x = target ? NULL : s->row, *y = target ? s->row : NULL;
        if (dl_dataset_read(dataset, part->index[i], x, y, error))
            return -1;
        if (!i) {
            memcpy(s->origin, s->row, sizeof(float) * (size_t)s->size);
            memcpy(s->low, s->row, sizeof(float) * (size_t)s->size);
            memcpy(s->high, s->row, sizeof(float) * (size_t)s->size);
        }
        if (extremes)
            add_extremes(s);
        else
            add_row(s);
    }
    return 0;
}

/* The moments of each of `size` elements over the split: mean and variance or, with `extremes`, low
   and high. The caller frees them; NULL on failure. */
static moments *measure(const dl_subset *part, int64_t size, bool target, bool extremes,
                        dl_error *error) {
    size_t n = (size_t)size;
    sums s = {size,
              xcalloc(n, sizeof(float)),
              xcalloc(n, sizeof(float)),
              xcalloc(n, sizeof(double)),
              xcalloc(n, sizeof(double)),
              xcalloc(n, sizeof(float)),
              xcalloc(n, sizeof(float))};
    moments *result = NULL;
    if (!accumulate(&s, part, target, extremes, error)) {
        result = xcalloc(n, sizeof *result);
        double rows = (double)part->count;
        for (size_t i = 0; i < n; i++) {
            double offset = s.sum[i] / rows, variance = s.square[i] / rows - offset * offset;
            result[i] = (moments){(double)s.origin[i] + offset, variance > 0 ? variance : 0,
                                  (double)s.low[i], (double)s.high[i]};
        }
    }
    free(s.row);
    free(s.origin);
    free(s.sum);
    free(s.square);
    free(s.low);
    free(s.high);
    return result;
}

/* The joint moments of elements k, k + groups, … of m[size], except those with skip[i] (may be
   NULL). */
static moments merge(const moments *m, const bool *skip, int64_t size, int64_t k, int64_t groups) {
    moments all = {0, 0, INFINITY, -INFINITY};
    double count = 0;
    for (int64_t i = k; i < size; i += groups) {
        if (skip && skip[i])
            continue;
        count++;
        all.mean += (m[i].mean - all.mean) / count;
        all.low = fmin(all.low, m[i].low);
        all.high = fmax(all.high, m[i].high);
    }
    for (int64_t i = k; i < size; i += groups)
        if (!skip || !skip[i]) {
            double distance = m[i].mean - all.mean;
            all.variance += (m[i].variance + distance * distance) / count;
        }
    return all;
}

/* 1 / width, or 1 if that overflows: constants are only shifted. */
static float inverse(double width) {
    double result = 1 / width;
    return result <= (double)FLT_MAX ? (float)result : 1.0f;
}

static void set_from(dl_normalization *made, int64_t k, const moments *m, dl_normalize_mode mode,
                     bool bytes) {
    double shift = 0, width = 1;
    if (mode == DL_NORMALIZE_MEAN_STD) {
        shift = m->mean;
        width = sqrt(m->variance);
    } else if (mode == DL_NORMALIZE_MIN_MAX) {
        shift = m->low;
        width = m->high - m->low;
    } else if (mode == DL_NORMALIZE_SCALE) {
        width = bytes ? 255 : fmax(fabs(m->low), fabs(m->high));
    }
    made->shift[k] = (float)shift;
    made->scale[k] = inverse(width);
}

static dl_normalization identity(int64_t count) {
    dl_normalization made = {count, xcalloc((size_t)count, sizeof(float)),
                             xmalloc(sizeof(float) * (size_t)count)};
    for (int64_t i = 0; i < count; i++)
        made.scale[i] = 1;
    return made;
}

bool *dl_one_hot_elements(const dl_schema *schema) {
    int64_t size = dl_shape_size(schema->input);
    bool *skip = NULL;
    int64_t at = 0;
    for (int c = 0; c < schema->columns; c++) {
        int categories = schema->column[c].categories;
        if (categories && !skip)
            skip = xcalloc((size_t)size, sizeof *skip);
        for (int i = 0; i < categories; i++)
            skip[at + i] = true;
        at += categories ? categories : 1;
    }
    return skip;
}

int64_t dl_normalization_groups(dl_normalize_by by, dl_shape input) {
    if (by == DL_BY_GLOBAL)
        return 1;
    bool channels = by == DL_BY_CHANNEL || (by == DL_BY_AUTO && input.rank == 3);
    return channels ? dl_shape_channels(input) : dl_shape_size(input);
}

int dl_normalization_of_input(dl_normalization *made, const dl_subset *part, dl_normalize_mode mode,
                              dl_normalize_by by, dl_error *error) {
    *made = (dl_normalization){0};
    if (mode == DL_NORMALIZE_NONE)
        return 0;
    const dl_schema *schema = &part->dataset->schema;
    bool bytes = part->dataset->bytes;
    int64_t size = dl_shape_size(schema->input);
    int64_t groups = dl_normalization_groups(by, schema->input);
    if (mode == DL_NORMALIZE_SCALE && bytes) { /* no statistics needed */
        *made = identity(1);
        set_from(made, 0, &(moments){0}, mode, bytes);
        return 0;
    }
    moments *m = measure(part, size, false, mode != DL_NORMALIZE_MEAN_STD, error);
    if (!m)
        return -1;
    bool *skip = dl_one_hot_elements(schema);
    *made = identity(skip ? size : groups);
    for (int64_t k = 0; k < groups; k++) {
        moments all = merge(m, skip, size, k, groups);
        for (int64_t i = k; i < made->count; i += groups)
            if (!skip || !skip[i])
                set_from(made, i, &all, mode, bytes);
    }
    free(skip);
    free(m);
    return 0;
}

int dl_normalization_of_target(dl_normalization *made, const dl_subset *part,
                               dl_normalize_mode mode, dl_error *error) {
    *made = (dl_normalization){0};
    if (mode == DL_NORMALIZE_NONE)
        return 0;
    int outputs = part->dataset->schema.outputs;
    moments *m = measure(part, outputs, true, mode != DL_NORMALIZE_MEAN_STD, error);
    if (!m)
        return -1;
    *made = identity(outputs);
    for (int k = 0; k < outputs; k++)
        set_from(made, k, &m[k], mode, false);
    free(m);
    return 0;
}

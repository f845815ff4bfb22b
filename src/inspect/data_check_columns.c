/* SPDX-License-Identifier: MIT */
/* Columns of the training part that are constant or leak the target. A column is one input, or all
   inputs of a one-hot encoded category. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/targets.h"
#include "inspect/data_check.h"

enum {
    FEW_ROWS = 50,    /* with fewer, a column may match the target by chance */
    REPEATED = 10,    /* rows per value above which the target is a function of the column */
    BUFFER = 1 << 22, /* values of columns in memory at a time */
};

typedef struct {
    float value, target;
} pair;

typedef struct {
    const char *name; /* or NULL */
    int64_t offset, width;
    bool constant, leaks, equal;
} column;

typedef struct {
    const dl_dataset *files;
    const dl_subset *rows;
    int64_t count, readable;
    column *column;
    float *value; /* [columns in memory][rows] */
    float *target;
} table;

static int by_value(const void *a, const void *b) {
    const pair *p = a, *q = b;
    if (p->value != q->value)
        return p->value < q->value ? -1 : 1;
    return (p->target > q->target) - (p->target < q->target);
}

static void find_columns(table *t) {
    const dl_schema *schema = &t->files->schema;
    int64_t size = dl_shape_size(schema->input);
    bool named = schema->columns > 0;
    t->count = named ? schema->columns : size;
    t->column = xcalloc((size_t)t->count, sizeof *t->column);
    for (int64_t k = 0, offset = 0; k < t->count; k++) {
        int categories = named ? schema->column[k].categories : 0;
        t->column[k] = (column){.name = named ? schema->column[k].name : NULL,
                                .offset = offset,
                                .width = categories ? categories : 1};
        offset += t->column[k].width;
    }
}

static float value_of(const column *c, const float *x) {
    if (c->width == 1)
        return x[c->offset];
    for (int64_t k = 0; k < c->width; k++)
        if (x[c->offset + k] > 0)
            return (float)k;
    return -1;
}

/* Columns [first, last) of all readable rows. */
static void read_columns(table *t, int64_t first, int64_t last) {
    size_t size = (size_t)dl_shape_size(t->files->schema.input);
    float *x = xmalloc(sizeof *x * size);
    float *y = xmalloc(sizeof *y * (size_t)t->files->schema.outputs);
    t->readable = 0;
    for (int64_t i = 0; i < t->rows->count; i++) {
        dl_error ignored = {0}; /* already reported */
        if (!dl_dataset_read(t->files, t->rows->index[i], x, y, &ignored)) {
            for (int64_t k = first; k < last; k++)
                t->value[(k - first) * t->rows->count + t->readable] = value_of(&t->column[k], x);
            t->target[t->readable++] = y[0];
        }
        dl_error_clear(&ignored);
    }
    free(x);
    free(y);
}

static bool is_line(const pair *p, int64_t count) {
    const pair *last = &p[count - 1];
    double slope = ((double)last->target - p->target) / ((double)last->value - p->value);
    double range = fabs((double)last->target - p->target);
    for (int64_t i = 0; i < count; i++) {
        double line = p->target + slope * ((double)p[i].value - p->value);
        if (!(fabs(p[i].target - line) <= 1e-5 * range))
            return false;
    }
    return range > 0;
}

/* Whether the target is a function of the value: of repeated values; or, for classes, each class an
   interval of values; for numbers, a straight line. */
static bool leaks_target(const pair *p, int64_t count, int classes) {
    int64_t values = 1, runs = 1, seen = 0;
    for (int64_t i = 1; i < count; i++) {
        bool same = p[i].value == p[i - 1].value, target = p[i].target == p[i - 1].target;
        if (same && !target)
            return false;
        values += !same;
        runs += !target;
    }
    if (values < 2 || runs < 2)
        return false;
    if (values * REPEATED <= count)
        return true;
    if (!classes)
        return is_line(p, count);
    bool *is_there = xcalloc((size_t)classes, sizeof *is_there);
    for (int64_t i = 0; i < count; i++) {
        seen += !is_there[(int)p[i].target];
        is_there[(int)p[i].target] = true;
    }
    free(is_there);
    return runs == seen;
}

static void check_column(const table *t, column *c, const float *value, pair *pairs, bool targets) {
    int64_t equal = 0;
    for (int64_t i = 0; i < t->readable; i++) {
        pairs[i] = (pair){value[i], t->target[i]};
        equal += value[i] == t->target[i];
    }
    c->constant = true;
    for (int64_t i = 1; i < t->readable && c->constant; i++)
        c->constant = value[i] == value[0];
    if (c->constant || !targets || t->readable < FEW_ROWS)
        return;
    c->equal = equal == t->readable && !t->files->schema.classes;
    qsort(pairs, (size_t)t->readable, sizeof *pairs, by_value);
    c->leaks = !c->equal && leaks_target(pairs, t->readable, t->files->schema.classes);
}

static dl_text name_column(const column *c) {
    dl_text name = {0};
    if (c->name) {
        dl_text_add(&name, "\"");
        dl_text_add_plain(&name, c->name);
        dl_text_add(&name, "\"");
    } else {
        dl_text_add(&name, "input %lld", (long long)c->offset);
    }
    return name;
}

/* One line for all columns of a kind, with the first as an example. */
static void report(dl_findings *f, const table *t, const char *check, bool wrong, size_t flag,
                   const char *one, const char *more) {
    int64_t found = 0;
    const column *first = NULL;
    for (int64_t k = 0; k < t->count; k++)
        if (*(const bool *)((const char *)&t->column[k] + flag)) {
            first = first ? first : &t->column[k];
            found++;
        }
    if (!found)
        return;
    dl_text name = name_column(first);
    dl_finding_add(f, check, wrong, found, "train: of %lld columns %lld %s: %s%s",
                   (long long)t->count, (long long)found, found == 1 ? one : more, name.data,
                   found > 1 ? ", …" : "");
    dl_text_free(&name);
}

void dl_check_columns(dl_findings *f, const dl_data *data) {
    const dl_dataset *files = dl_check_files(data, DL_TRAIN);
    table t = {.files = files, .rows = &data->part[DL_TRAIN]};
    bool flat = files->schema.input.rank == 1;
    bool targets = flat && files->schema.outputs == 1 && data->predict == DL_TARGETS_LABEL;
    if (files->ordered || t.rows->count < 2)
        return;
    find_columns(&t);
    int64_t at_once = BUFFER / t.rows->count;
    at_once = at_once < 1 ? 1 : at_once < t.count ? at_once : t.count;
    t.value = xmalloc(sizeof *t.value * (size_t)(at_once * t.rows->count));
    t.target = xmalloc(sizeof *t.target * (size_t)t.rows->count);
    pair *pairs = xmalloc(sizeof *pairs * (size_t)t.rows->count);
    for (int64_t first = 0; first < t.count; first += at_once) {
        int64_t last = first + at_once < t.count ? first + at_once : t.count;
        read_columns(&t, first, last);
        for (int64_t k = first; k < last && t.readable; k++)
            check_column(&t, &t.column[k], t.value + (k - first) * t.rows->count, pairs, targets);
    }
    report(f, &t, "constant", flat, offsetof(column, constant), "is constant", "are constant");
    report(f, &t, "target_copy", true, offsetof(column, equal), "is the target itself",
           "are the target itself");
    report(f, &t, "target_leak", true, offsetof(column, leaks),
           "leaks the target: alone, it predicts it without error",
           "leak the target: alone, each predicts it without error");
    free(t.column);
    free(t.value);
    free(t.target);
    free(pairs);
}

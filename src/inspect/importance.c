/* SPDX-License-Identifier: MIT */
#include "inspect/importance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

int dl_importance_choose_metric(dl_importance *s, const dl_model *model, const char *name,
                                dl_error *error) {
    const char *names[DL_MAX_RUN_METRICS + 1];
    if (!name && model->metric_count)
        name = model->metrics[0]->name;
    for (int i = 0; i < model->metric_count; i++) {
        names[i] = model->metrics[i]->name;
        if (!strcmp(names[i], name)) {
            s->metric = model->metrics[i];
            s->metric_index = i;
            return 0;
        }
    }
    names[model->metric_count] = "loss";
    if (!name || !strcmp(name, "loss"))
        return 0;
    const char *nearest = dl_text_nearest(name, names, model->metric_count + 1);
    return dl_fail(error, DL_USAGE,
                   "the run has no metric \"%s\"%s%s%s (others: --set 'training.metrics=(\"%s\")')",
                   name, nearest ? ": did you mean \"" : "", nearest ? nearest : "",
                   nearest ? "\"?" : "", name);
}

typedef struct {
    const dl_input_table *table;
    const dl_input_column *column; /* NULL: no change */
    const int64_t *order;          /* [rows] */
} permutation;

static void permute(void *context, int64_t row, float *x) {
    const permutation *p = context;
    const float *from = p->table->x + p->order[row] * p->table->size;
    for (int64_t k = 0; k < p->column->count; k++)
        x[p->column->element[k]] = from[p->column->element[k]];
}

static double score(const dl_importance *s, permutation *p) {
    dl_input_visitor visitor = {.change = p->column ? permute : NULL, .context = p};
    dl_metric_sums sums;
    dl_input_table_evaluate(p->table, &visitor, &sums);
    double value =
        s->metric ? dl_metric_sums_value(&sums, s->metric_index) : dl_loss_mean(&sums.losses.net);
    dl_metric_sums_close(&sums);
    return value;
}

static void summarize(dl_importance *s, int columns) {
    for (int c = 0; c < columns; c++) {
        const double *value = s->value + c * s->repeats;
        double sum = 0, squares = 0;
        for (int64_t r = 0; r < s->repeats; r++)
            sum += value[r];
        s->mean[c] = sum / (double)s->repeats;
        for (int64_t r = 0; r < s->repeats; r++)
            squares += (value[r] - s->mean[c]) * (value[r] - s->mean[c]);
        s->sd[c] = sqrt(squares / (double)s->repeats);
        int at = c;
        for (; at > 0 && s->mean[c] > s->mean[s->order[at - 1]]; at--)
            s->order[at] = s->order[at - 1];
        s->order[at] = c;
    }
}

void dl_importance_compute(dl_importance *s, const dl_input_table *table, uint64_t seed,
                           void (*progress)(void *context, int done), void *context) {
    int64_t *order = xmalloc(sizeof *order * (size_t)table->rows);
    size_t columns = (size_t)table->count;
    permutation p = {.table = table};
    double sign = s->metric && s->metric->higher_is_better ? -1 : 1;
    s->value = xcalloc(columns * (size_t)s->repeats, sizeof *s->value);
    s->mean = xcalloc(columns, sizeof *s->mean);
    s->sd = xcalloc(columns, sizeof *s->sd);
    s->order = xcalloc(columns, sizeof *s->order);
    s->base = score(s, &p);
    p.order = order;
    for (int64_t r = 0; r < s->repeats; r++) {
        dl_draw draw = {.seed = seed, .purpose = DL_FOR_PERMUTATION, .step = (uint32_t)r};
        for (int64_t i = 0; i < table->rows; i++)
            order[i] = i;
        dl_random_shuffle(&draw, order, table->rows);
        for (int c = 0; c < table->count; c++) {
            p.column = &table->column[c];
            s->value[c * s->repeats + r] = sign * (score(s, &p) - s->base);
            progress(context, (int)r * table->count + c + 1);
        }
    }
    summarize(s, table->count);
    free(order);
}

void dl_importance_free(dl_importance *s) {
    free(s->value);
    free(s->mean);
    free(s->sd);
    free(s->order);
    *s = (dl_importance){0};
}

void dl_importance_add_csv(const dl_importance *s, const dl_input_table *table, dl_text *csv) {
    dl_text_add(csv, "column,importance,sd");
    for (int64_t r = 1; r <= s->repeats; r++)
        dl_text_add(csv, ",repeat_%lld", (long long)r);
    for (int i = 0; i < table->count; i++) {
        int c = s->order[i];
        dl_text_add(csv, "\n");
        dl_text_add_field(csv, table->column[c].name);
        dl_text_add(csv, ",%.9g,%.9g", s->mean[c], s->sd[c]);
        for (int64_t r = 0; r < s->repeats; r++)
            dl_text_add(csv, ",%.9g", s->value[c * s->repeats + r]);
    }
    dl_text_add(csv, "\n");
}

/* ---- partial dependence ---- */

enum { MOST_POINTS = 30 };

static int compare(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

static void choose_points(dl_dependence *d, const dl_input_table *table) {
    int64_t rows = table->rows, element = d->column->element[0], distinct = 0;
    if (d->column->count > 1) {
        d->points = (int)d->column->count;
        d->x = xcalloc((size_t)d->points, sizeof *d->x);
        for (int i = 0; i < d->points; i++)
            d->x[i] = i;
        return;
    }
    float *value = xmalloc(sizeof *value * (size_t)rows);
    for (int64_t i = 0; i < rows; i++)
        value[i] = table->x[i * table->size + element];
    qsort(value, (size_t)rows, sizeof *value, compare);
    d->x = xcalloc(MOST_POINTS, sizeof *d->x);
    for (int64_t i = 0; i < rows && distinct <= MOST_POINTS; i++)
        if ((!i || value[i] != value[i - 1]) && distinct++ < MOST_POINTS)
            d->x[distinct - 1] = dl_input_value(table->model, element, value[i]);
    d->points = distinct < MOST_POINTS ? (int)distinct : MOST_POINTS;
    double low = dl_input_value(table->model, element, value[rows / 20]);
    double high = dl_input_value(table->model, element, value[rows - 1 - rows / 20]);
    for (int i = 0; distinct > MOST_POINTS && i < MOST_POINTS; i++)
        d->x[i] = low + (high - low) * i / (MOST_POINTS - 1);
    free(value);
}

typedef struct {
    dl_dependence *d;
    const dl_model *model;
    double *probability, *sum;
    int point;
} dependence_point;

static void set_column(void *context, int64_t row, float *x) {
    const dependence_point *p = context;
    const dl_input_column *column = p->d->column;
    (void)row;
    for (int64_t k = 0; k < column->count; k++)
        x[column->element[k]] = dl_input_normalized(
            p->model, column->element[k], column->count > 1 ? k == p->point : p->d->x[p->point]);
}

static void add_answers(void *context, const dl_outcome *o) {
    dependence_point *p = context;
    for (int64_t i = 0; i < o->rows; i++) {
        bool classes = o->classes && o->link != DL_NO_PROBABILITIES;
        if (classes)
            dl_class_probabilities(o, i, p->probability);
        for (int k = 0; k < p->d->curves; k++)
            p->sum[k] += classes ? p->probability[k] : (double)o->output[i * o->channels + k];
    }
}

int dl_dependence_compute(dl_dependence *d, const dl_input_table *table, int column,
                          dl_error *error) {
    const dl_model *model = table->model;
    *d = (dl_dependence){.column = &table->column[column]};
    if (d->column->count > 1 && (!d->column->column || d->column->column->date))
        return dl_fail(error, DL_USAGE,
                       "--columns: \"%s\" is %lld inputs: it is not one number or one-hot",
                       d->column->name, (long long)d->column->count);
    if (model->positions > 1)
        return dl_fail(error, DL_USAGE, "--columns: the net answers for %lld positions of a row",
                       (long long)model->positions);
    bool probabilities = model->target.classes && model->link != DL_NO_PROBABILITIES;
    d->curves = model->data.schema.bin_edge ? 1
                : probabilities             ? model->target.classes
                                            : (int)model->channels;
    choose_points(d, table);
    d->mean = xcalloc((size_t)d->curves * (size_t)d->points, sizeof *d->mean);
    dependence_point p = {.d = d, .model = model};
    p.probability = xcalloc((size_t)d->curves, sizeof(double));
    p.sum = xcalloc((size_t)d->curves, sizeof(double));
    for (; p.point < d->points; p.point++) {
        dl_metric_sums sums;
        dl_input_visitor visitor = {set_column, add_answers, &p};
        memset(p.sum, 0, sizeof(double) * (size_t)d->curves);
        dl_input_table_evaluate(table, &visitor, &sums);
        dl_metric_sums_close(&sums);
        for (int k = 0; k < d->curves; k++)
            d->mean[k * d->points + p.point] = p.sum[k] / (double)table->rows;
    }
    free(p.probability);
    free(p.sum);
    return 0;
}

const char *dl_dependence_point(const dl_dependence *d, int point, char out[32]) {
    if (d->column->count > 1)
        return d->column->column->category[point];
    snprintf(out, 32, "%.6g", d->x[point]);
    return out;
}

const char *dl_dependence_curve(const dl_model *model, int curve, char out[16]) {
    const dl_schema *schema = &model->data.schema;
    if (model->target.classes && model->link != DL_NO_PROBABILITIES && !schema->bin_edge)
        return dl_schema_class(schema, curve, out);
    if (schema->targets && schema->target_name && curve < schema->targets)
        return schema->target_name[curve];
    snprintf(out, 16, "output %u", (unsigned)curve % 100000000);
    return out;
}

void dl_dependence_add_csv(const dl_dependence *d, const dl_model *model, dl_text *csv) {
    char name[16], number[32];
    dl_text_add_field(csv, d->column->name);
    for (int k = 0; k < d->curves; k++) {
        dl_text_add(csv, ",");
        dl_text_add_field(csv, dl_dependence_curve(model, k, name));
    }
    for (int i = 0; i < d->points; i++) {
        dl_text_add(csv, "\n");
        dl_text_add_field(csv, dl_dependence_point(d, i, number));
        for (int k = 0; k < d->curves; k++)
            dl_text_add(csv, ",%.9g", d->mean[k * d->points + i]);
    }
    dl_text_add(csv, "\n");
}

void dl_dependence_free(dl_dependence *d) {
    free(d->x);
    free(d->mean);
    *d = (dl_dependence){0};
}

/* SPDX-License-Identifier: MIT */
#include "inspect/input_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/vector.h"

enum { MOST_ELEMENTS = 1 << 29, MOST_SINGLE = 256 };

/* ---- columns ---- */

static dl_input_column *add_column(dl_input_table *t, dl_text *name, const dl_column *column) {
    t->column = xrealloc(t->column, sizeof *t->column * (size_t)(t->count + 1));
    dl_input_column *c = &t->column[t->count++];
    *c = (dl_input_column){.name = name->data, .column = column};
    *name = (dl_text){0};
    return c;
}

static void add_element(dl_input_column *c, int64_t element) {
    c->element = xrealloc(c->element, sizeof *c->element * (size_t)(c->count + 1));
    c->element[c->count++] = element;
}

/* One-hot categories and the parts of a date belong together. */
static void name_table(dl_input_table *t, const dl_schema *schema) {
    int64_t at = 0;
    for (int i = 0; i < schema->columns; i++) {
        const dl_column *column = &schema->column[i];
        dl_text name = {0};
        if (column->date <= DL_DATE_YEAR) {
            const char *end = column->date ? strrchr(column->name, '.') : NULL;
            dl_text_add(&name, "%.*s", (int)(end ? end - column->name : 1 << 20), column->name);
            add_column(t, &name, column);
        }
        for (int k = 0; k < (column->categories ? column->categories : 1); k++)
            add_element(&t->column[t->count - 1], at++);
    }
}

static void name_regions(dl_input_table *t, dl_shape shape, int grid) {
    int side[2];
    for (int i = 0; i < 2; i++)
        side[i] = grid < shape.dim[i] ? grid : shape.dim[i];
    for (int r = 0; r < side[0] * side[1]; r++) {
        dl_text name = {0};
        dl_text_add(&name, "row %d column %d", r / side[1] + 1, r % side[1] + 1);
        add_column(t, &name, NULL);
    }
    for (int64_t e = 0; e < t->size; e++) {
        int64_t pixel = e / shape.dim[2], y = pixel / shape.dim[1], x = pixel % shape.dim[1];
        add_element(&t->column[y * side[0] / shape.dim[0] * side[1] + x * side[1] / shape.dim[1]],
                    e);
    }
}

/* Channels of a sequence, over all steps; else single numbers, or ranges of many. */
static void name_numbers(dl_input_table *t, dl_shape shape, int grid) {
    int64_t channels = shape.rank > 1 ? shape.dim[shape.rank - 1] : 1;
    bool of_sequence = channels > 1 && channels <= MOST_SINGLE;
    int64_t parts = of_sequence              ? channels
                    : t->size <= MOST_SINGLE ? t->size
                                             : (int64_t)grid * grid;
    for (int64_t p = 0; p < parts; p++) {
        int64_t first = p * t->size / parts, last = (p + 1) * t->size / parts - 1;
        dl_text name = {0};
        if (of_sequence)
            dl_text_add(&name, "channel %lld", (long long)p);
        else if (first == last)
            dl_text_add(&name, "input %lld", (long long)first);
        else
            dl_text_add(&name, "inputs %lld-%lld", (long long)first, (long long)last);
        dl_input_column *c = add_column(t, &name, NULL);
        if (of_sequence)
            for (int64_t e = p; e < t->size; e += channels)
                add_element(c, e);
        else
            for (int64_t e = first; e <= last; e++)
                add_element(c, e);
    }
}

int dl_input_table_find(const dl_input_table *t, const char *name, dl_error *error) {
    const char **names = xmalloc(sizeof *names * (size_t)t->count);
    int found = -1;
    for (int i = 0; i < t->count; i++) {
        names[i] = t->column[i].name;
        if (!strcmp(names[i], name))
            found = i;
    }
    const char *nearest = dl_text_nearest(name, names, t->count);
    if (found < 0)
        dl_fail(error, DL_USAGE, "the inputs have no column \"%s\"%s%s%s", name,
                nearest ? ": did you mean \"" : ": the first of them is \"",
                nearest ? nearest : names[0], nearest ? "\"?" : "\"");
    free(names);
    return found;
}

/* ---- values ---- */

double dl_input_value(const dl_model *model, int64_t element, float x) {
    const dl_normalization *n = &model->data.input;
    const double *origin = model->data.schema.input_origin;
    double value = x;
    if (n->count)
        value = value / (double)n->scale[element % n->count] + (double)n->shift[element % n->count];
    return origin ? value + origin[element] : value;
}

float dl_input_normalized(const dl_model *model, int64_t element, double value) {
    const dl_normalization *n = &model->data.input;
    const double *origin = model->data.schema.input_origin;
    float x = (float)(origin ? value - origin[element] : value);
    int64_t k = n->count ? element % n->count : 0;
    return n->count ? (x - n->shift[k]) * n->scale[k] : x;
}

/* ---- rows ---- */

static void copy_rows(dl_input_table *t, const dl_batch *batch, int64_t first, int64_t all) {
    int64_t wanted = t->rows, outputs = t->model->data.schema.outputs;
    for (int64_t i = 0; i < batch->count; i++) {
        int64_t at = (first + i) * wanted / all;
        if ((first + i + 1) * wanted / all == at)
            continue;
        dl_copy(t->x + at * t->size, batch->x + i * t->size, t->size);
        dl_copy(t->y + at * outputs, batch->y + i * outputs, outputs);
        if (batch->number)
            t->number[at] = batch->number[i];
        if (batch->weight)
            t->weight[at] = batch->weight[i];
    }
}

static int read_rows(dl_input_table *t, dl_split split, dl_error *error) {
    dl_model *model = t->model;
    dl_loader *loader = dl_loader_new(&model->data, split, model->batch_size, error);
    const dl_batch *batch;
    int before = error->count;
    int64_t done = 0;
    if (!loader)
        return -1;
    dl_loader_start(loader, dl_model_order(model, false), 0, 0, 0);
    while ((batch = dl_loader_next(loader, error))) {
        if (batch->number && !t->number)
            t->number = xcalloc((size_t)t->rows, sizeof *t->number);
        if (batch->weight && !t->weight)
            t->weight = xcalloc((size_t)t->rows, sizeof *t->weight);
        copy_rows(t, batch, done, model->data.part[split].count);
        done += batch->count;
    }
    dl_loader_free(loader);
    return error->count > before ? -1 : 0;
}

int dl_input_table_open(dl_input_table *t, dl_model *model, dl_split split, int64_t most, int grid,
                        dl_error *error) {
    const dl_schema *schema = &model->data.schema;
    int64_t count = model->data.part[split].count;
    *t = (dl_input_table){.model = model, .size = dl_shape_size(schema->input)};
    if (model->data.part[split].dataset->ordered)
        return dl_fail(error, DL_USAGE, "%s: the inputs are a text, which has no columns",
                       model->data.part[split].dataset->where);
    t->rows = most < count ? most : count;
    if (t->rows * (t->size + schema->outputs) > MOST_ELEMENTS)
        return dl_fail(error, DL_USAGE, "%lld rows of %lld inputs are too many (--rows)",
                       (long long)t->rows, (long long)t->size);
    if (schema->columns)
        name_table(t, schema);
    else if (schema->input.rank == 3)
        name_regions(t, schema->input, grid);
    else
        name_numbers(t, schema->input, grid);
    t->x = xmalloc(sizeof *t->x * (size_t)(t->rows * t->size));
    t->y = xmalloc(sizeof *t->y * (size_t)(t->rows * schema->outputs));
    return read_rows(t, split, error);
}

void dl_input_table_close(dl_input_table *t) {
    for (int i = 0; i < t->count; i++) {
        free(t->column[i].name);
        free(t->column[i].element);
    }
    free(t->column);
    free(t->x);
    free(t->y);
    free(t->number);
    free(t->weight);
    *t = (dl_input_table){0};
}

/* ---- answers ---- */

/* Runs the batch forward, whose inputs are first changed. */
static void answer(dl_model *model, const dl_batch *batch, int64_t first,
                   const dl_input_visitor *visitor, dl_outcome_buffers *buffers) {
    int64_t size = dl_shape_size(model->data.schema.input);
    for (int64_t i = 0; visitor->change && i < batch->count; i++)
        visitor->change(visitor->context, first + i, batch->x + i * size);
    dl_pass pass = {.batch = (int)batch->count};
    dl_net_begin(&model->net);
    dl_net_forward(&model->net, batch->x, &pass);
    if (!visitor->observe)
        return;
    dl_outcome outcome = batch->number ? dl_batch_outcome_numeric(buffers, model, batch)
                                       : dl_batch_outcome(buffers, model, batch);
    visitor->observe(visitor->context, &outcome);
}

void dl_input_table_evaluate(const dl_input_table *t, const dl_input_visitor *visitor,
                             dl_metric_sums *sums) {
    dl_model *model = t->model;
    int64_t most = model->batch_size, outputs = model->data.schema.outputs;
    float *x = xmalloc(sizeof *x * (size_t)(most * t->size));
    dl_outcome_buffers buffers;
    dl_outcome_buffers_open(&buffers, model);
    dl_metric_sums_open(sums, model, true);
    for (int64_t first = 0; first < t->rows; first += most) {
        int64_t count = first + most < t->rows ? most : t->rows - first;
        dl_batch batch = {.x = x,
                          .y = t->y + first * outputs,
                          .number = t->number ? t->number + first : NULL,
                          .weight = t->weight ? t->weight + first : NULL,
                          .count = count};
        dl_copy(x, t->x + first * t->size, count * t->size);
        answer(model, &batch, first, visitor, &buffers);
        dl_losses losses = dl_loss_forward(model, &batch);
        dl_metric_sums_add(sums, &buffers, model, &batch, &losses);
    }
    dl_outcome_buffers_close(&buffers);
    free(x);
}

void dl_input_points_evaluate(dl_model *model, int64_t rows, const dl_input_visitor *visitor) {
    int64_t most = model->batch_size, size = dl_shape_size(model->data.schema.input);
    int64_t outputs = model->data.schema.outputs;
    float *x = xmalloc(sizeof *x * (size_t)(most * size));
    float *y = xcalloc((size_t)(most * outputs), sizeof *y);
    float *number = model->data.schema.bin_edge ? xcalloc((size_t)most, sizeof *number) : NULL;
    dl_outcome_buffers buffers;
    dl_outcome_buffers_open(&buffers, model);
    for (int64_t first = 0; first < rows; first += most) {
        dl_batch batch = {
            .x = x, .y = y, .number = number, .count = first + most < rows ? most : rows - first};
        memset(x, 0, sizeof *x * (size_t)(batch.count * size));
        answer(model, &batch, first, visitor, &buffers);
    }
    dl_outcome_buffers_close(&buffers);
    free(number);
    free(y);
    free(x);
}

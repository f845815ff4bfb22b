/* SPDX-License-Identifier: MIT */
#include "inspect/boundary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/vector.h"

enum { SIDE = DL_BOUNDARY_SIDE };

static int64_t element(const dl_boundary *b, int axis) {
    return b->table->column[b->column[axis]].element[0];
}

/* A row's place on an axis, 0 to SIDE - 1. */
static int place(const dl_boundary *b, int axis, int64_t row) {
    const dl_input_table *t = b->table;
    int64_t e = element(b, axis);
    double value = dl_input_value(t->model, e, t->x[row * t->size + e]);
    return (int)((value - b->low[axis]) / (b->high[axis] - b->low[axis]) * (SIDE - 1) + 0.5);
}

static void find_range(dl_boundary *b, int axis) {
    const dl_input_table *t = b->table;
    int64_t e = element(b, axis);
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < t->rows; i++) {
        double value = dl_input_value(t->model, e, t->x[i * t->size + e]);
        low = fmin(low, value);
        high = fmax(high, value);
    }
    double margin = high > low ? 0.15 * (high - low) : 1;
    b->low[axis] = low - margin;
    b->high[axis] = high + margin;
}

static void set_others(dl_boundary *b) {
    const dl_input_table *t = b->table;
    double *sum = xcalloc((size_t)t->size, sizeof *sum);
    for (int64_t i = 0; i < t->rows * t->size; i++)
        sum[i % t->size] += (double)t->x[i];
    for (int64_t e = 0; e < t->size; e++)
        b->others[e] = (float)(sum[e] / (double)t->rows);
    for (int c = 0; c < t->count; c++) {
        const dl_input_column *column = &t->column[c];
        if (!column->column || !column->column->categories)
            continue;
        int64_t best = 0;
        for (int64_t k = 1; k < column->count; k++)
            if (dl_input_value(t->model, column->element[k], b->others[column->element[k]]) >
                dl_input_value(t->model, column->element[best], b->others[column->element[best]]))
                best = k;
        for (int64_t k = 0; k < column->count; k++)
            b->others[column->element[k]] =
                dl_input_normalized(t->model, column->element[k], k == best);
    }
    free(sum);
}

/* Of numbers, in the units of the data. */
static double target(const dl_input_table *t, int64_t row) {
    int outputs = t->model->data.schema.outputs;
    float y[1] = {t->number ? t->number[row] : t->y[row * outputs]};
    const dl_normalization *n = &t->model->data.target;
    return n->count && !t->number ? (double)y[0] / (double)n->scale[0] + (double)n->shift[0]
                                  : (double)y[0];
}

int dl_boundary_open(dl_boundary *b, dl_error *error) {
    const dl_input_table *t = b->table;
    for (int axis = 0; axis < 2; axis++) {
        const dl_input_column *column = &t->column[b->column[axis]];
        if (column->count != 1)
            return dl_fail(error, DL_USAGE, "--columns: \"%s\" is %lld inputs, not one number",
                           column->name, (long long)column->count);
        find_range(b, axis);
    }
    if (t->model->positions > 1)
        return dl_fail(error, DL_USAGE, "the net answers for %lld positions of a row",
                       (long long)t->model->positions);
    b->others = xmalloc(sizeof *b->others * (size_t)t->size);
    set_others(b);
    b->least = INFINITY;
    b->most = -INFINITY;
    for (int64_t i = 0; i < t->rows; i++) {
        b->least = fmin(b->least, target(t, i));
        b->most = fmax(b->most, target(t, i));
    }
    return 0;
}

void dl_boundary_close(dl_boundary *b) {
    free(b->others);
    b->others = NULL;
}

typedef struct {
    const dl_boundary *b;
    unsigned char *rgb;
    double *probability; /* [classes] */
    int64_t done;
} painter;

/* The pixels are points, from the upper left one. */
static void set_point(void *context, int64_t point, float *x) {
    const dl_boundary *b = ((painter *)context)->b;
    double part[2] = {(double)(point % SIDE) / (SIDE - 1), 1 - (double)(point / SIDE) / (SIDE - 1)};
    dl_copy(x, b->others, b->table->size);
    for (int axis = 0; axis < 2; axis++)
        x[element(b, axis)] =
            dl_input_normalized(b->table->model, element(b, axis),
                                b->low[axis] + part[axis] * (b->high[axis] - b->low[axis]));
}

/* Blue, white, red. */
static void color_number(const dl_boundary *b, double value, double rgb[3]) {
    double part = b->most > b->least ? (value - b->least) / (b->most - b->least) * 2 - 1 : 0;
    part = fmax(-1, fmin(1, part));
    rgb[0] = part < 0 ? 255 + 200 * part : 255 - 20 * part;
    rgb[1] = 255 - 180 * fabs(part);
    rgb[2] = part < 0 ? 255 + 40 * part : 255 - 200 * part;
}

static void paint_points(void *context, const dl_outcome *o) {
    enum { WHITE = 255 };
    static const double STRENGTH = 0.6; /* of the classes' colors */
    painter *p = context;
    for (int64_t i = 0; i < o->rows; i++) {
        double sum[3] = {0};
        if (!o->classes)
            color_number(p->b, (double)o->output[i * o->channels], sum);
        else if (o->link == DL_NO_PROBABILITIES) {
            memset(p->probability, 0, sizeof(double) * (size_t)o->classes);
            p->probability[dl_predicted_class(o, i)] = 1;
        } else
            dl_class_probabilities(o, i, p->probability);
        for (int c = 0; c < o->classes; c++) {
            unsigned char color[3];
            dl_class_color(c, color);
            for (int k = 0; k < 3; k++)
                sum[k] += p->probability[c] * (WHITE + STRENGTH * (color[k] - WHITE));
        }
        for (int k = 0; k < 3; k++)
            p->rgb[p->done * 3 + k] = (unsigned char)(sum[k] + 0.5);
        p->done++;
    }
}

static void draw_dot(const dl_boundary *b, int64_t row, unsigned char *rgb) {
    enum { RADIUS = 3 };
    unsigned char color[3];
    double number[3];
    int classes = b->table->model->target.classes;
    if (classes)
        dl_class_color((int)b->table->y[row], color);
    else
        color_number(b, target(b->table, row), number);
    for (int y = -RADIUS; y <= RADIUS; y++)
        for (int x = -RADIUS; x <= RADIUS; x++) {
            int at[2] = {place(b, 0, row) + x, SIDE - 1 - place(b, 1, row) + y};
            int distance = x * x + y * y;
            if (distance > RADIUS * RADIUS + 1 || at[0] < 0 || at[0] >= SIDE || at[1] < 0 ||
                at[1] >= SIDE)
                continue;
            for (int k = 0; k < 3; k++)
                rgb[(at[1] * SIDE + at[0]) * 3 + k] = distance > (RADIUS - 1) * (RADIUS - 1) + 1
                                                          ? 20
                                                      : classes ? color[k]
                                                                : (unsigned char)number[k];
        }
}

void dl_boundary_draw(const dl_boundary *b, unsigned char *rgb) {
    dl_model *model = b->table->model;
    painter p = {.b = b, .rgb = rgb};
    p.probability = xcalloc((size_t)model->target.classes + 1, sizeof(double));
    dl_input_points_evaluate(model, SIDE * SIDE, &(dl_input_visitor){set_point, paint_points, &p});
    for (int64_t i = 0; i < b->table->rows; i++)
        draw_dot(b, i, rgb);
    free(p.probability);
}

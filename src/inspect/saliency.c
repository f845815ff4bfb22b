/* SPDX-License-Identifier: MIT */
#include "inspect/saliency.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "math/vector.h"

#define DECLARE(name, help) extern const dl_saliency_method dl_saliency_##name;
#define ADDRESS(name, help) &dl_saliency_##name,
#define NAME(name, help) #name ", "
DL_SALIENCY(DECLARE)
const dl_saliency_method *const dl_saliency_methods[DL_SALIENCY_METHODS] = {DL_SALIENCY(ADDRESS)};

enum { TARGET = 112, CAPTION = 2 };

typedef struct {
    dl_look *look;
    const dl_saliency_options *options;
    dl_saliency of;
    const dl_saliency_method *method[DL_SALIENCY_METHODS]; /* [methods] */
    int methods, columns;
    float *x, *raw, *map; /* [size of input]; raw: in the units of the data */
    float *kept;          /* [methods][rows][size of input] */
    dl_grid grid;
    dl_text table;
} sheet;

/* ---- drawing ---- */

/* Dark, purple, orange, white; negative values blue. */
static void paint_heat(float v, unsigned char rgb[3]) {
    static const float stops[5][3] = {
        {0, 0, 4}, {87, 16, 110}, {188, 55, 84}, {249, 142, 9}, {252, 255, 200}};
    float at = fminf(fabsf(v), 1) * 3.999f, part = at - floorf(at);
    const float *a = stops[(int)at], *b = stops[(int)at + 1];
    for (int c = 0; c < 3; c++) {
        float color = a[c] + part * (b[c] - a[c]);
        rgb[v < 0 ? 2 - c : c] = (unsigned char)color;
    }
}

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Sums over the channels, of magnitudes unless signed, as -1 to 1: the 99th percentile is 1. */
static void scale_map(const dl_saliency_method *m, const float *map, dl_shape image, float *heat) {
    int pixels = image.dim[0] * image.dim[1], channels = image.dim[2];
    float *sorted = xmalloc(sizeof *sorted * (size_t)pixels);
    for (int p = 0; p < pixels; p++) {
        heat[p] = 0;
        for (int c = 0; c < channels; c++) {
            float v = map[(int64_t)p * channels + c];
            heat[p] += m->is_signed ? v : fabsf(v);
        }
        sorted[p] = fabsf(heat[p]);
    }
    qsort(sorted, (size_t)pixels, sizeof *sorted, ascending);
    float most = sorted[(pixels - 1) * 99 / 100];
    most = most > 0 ? most : sorted[pixels - 1] > 0 ? sorted[pixels - 1] : 1;
    for (int p = 0; p < pixels; p++)
        heat[p] /= most;
    free(sorted);
}

/* The input, and for `m` the heat map, or it over the input. */
static void draw(sheet *s, int cell, const dl_saliency_method *m, bool overlay) {
    const dl_shape image = s->of.net->input;
    size_t pixels = (size_t)image.dim[0] * (size_t)image.dim[1];
    unsigned char *rgb = xmalloc(pixels * 3), color[3];
    float *heat = xmalloc(sizeof *heat * pixels);
    dl_tiles tiles = {.value = s->raw,
                      .pixel_stride = image.dim[2],
                      .channel_stride = 1,
                      .shape = image,
                      .bytes = dl_look_has_bytes(s->look)};
    dl_tile_paint(&tiles, 0, rgb);
    if (m)
        scale_map(m, s->map, image, heat);
    for (size_t p = 0; m && p < pixels; p++) {
        float part = overlay ? fminf(fabsf(heat[p]), 1) * 0.8f : 1;
        int gray = (rgb[p * 3] + rgb[p * 3 + 1] + rgb[p * 3 + 2]) / 3;
        paint_heat(heat[p], color);
        for (int c = 0; c < 3; c++)
            rgb[p * 3 + (size_t)c] =
                (unsigned char)((1 - part) * 0.8f * (float)gray + part * color[c]);
    }
    dl_grid_place(&s->grid, cell, rgb, image.dim[0], image.dim[1]);
    if (m)
        dl_grid_caption(&s->grid, cell, "%s%s", m->name, overlay ? "\nover the input" : "");
    free(heat);
    free(rgb);
}

/* ---- rows ---- */

/* Chooses the unit: the one named, or the largest output of the sample. */
static void choose_target(sheet *s) {
    dl_net *net = s->of.net;
    const dl_tensor *out = dl_net_output(net);
    dl_pass pass = {.batch = 1};
    int units = dl_look_units(s->look), best = 0;
    dl_net_forward(net, s->x, &pass);
    int64_t size = dl_shape_size(out->shape);
    if (s->options->unit)
        best = s->look->unit[0];
    for (int64_t i = 0; i < size; i++)
        if (s->options->unit ? i % units == s->look->unit[0] && out->value[i] > out->value[best]
                             : out->value[i] > out->value[best])
            best = (int)i;
    s->of.target = (dl_target_unit){best % units, best / units};
    s->of.score = out->value[best];
}

static void add_method(sheet *s, int64_t row, int n, int count, int k) {
    const dl_saliency_method *m = s->method[k];
    int64_t size = dl_shape_size(s->of.net->input);
    double magnitude = 0;
    char number[16];
    s->of.incomplete = 0;
    m->compute(&s->of, s->map);
    for (int64_t i = 0; i < size; i++)
        magnitude += fabs((double)s->map[i]);
    dl_copy(s->kept + ((int64_t)k * count + n) * size, s->map, size);
    dl_text_add(&s->table, "%lld,", (long long)row);
    dl_text_add_field(&s->table, dl_look_unit_name(s->look, s->of.target.unit, number));
    dl_text_add(&s->table, ",%.6g,%s,%.6g,%.3g\n", s->of.score, m->name, magnitude,
                s->of.incomplete);
    if (s->of.incomplete > 0)
        dl_look_print("row %lld, unit %s: integrated gradients sum to the score within %.2f %%",
                      (long long)row, dl_look_unit_name(s->look, s->of.target.unit, number),
                      100 * s->of.incomplete);
    if (s->grid.pixels)
        draw(s, n * s->columns + 1 + k, m, false);
    if (s->grid.pixels && s->methods == 1)
        draw(s, n * s->columns + 2, m, true);
}

static int add_row(sheet *s, int64_t row, int n, int count, dl_error *error) {
    const dl_data *data = &s->look->model->data;
    int64_t size = dl_shape_size(s->of.net->input);
    char number[16], truth[16];
    bool labelled = data->schema.classes && data->schema.outputs == 1;
    float y;
    if (dl_dataset_read(data->part[s->look->split].dataset, row, s->raw, labelled ? &y : NULL,
                        error))
        return -1;
    dl_copy(s->x, s->raw, size);
    dl_normalize(&data->input, s->x, 1, size);
    choose_target(s);
    if (s->grid.pixels) {
        draw(s, n * s->columns, NULL, false);
        dl_grid_caption(&s->grid, n * s->columns, "row %lld %s\n%s: %.3g", (long long)row,
                        labelled ? dl_schema_class(&data->schema, (int)y, truth) : "",
                        dl_look_unit_name(s->look, s->of.target.unit, number), s->of.score);
    }
    for (int k = 0; k < s->methods; k++)
        add_method(s, row, n, count, k);
    return 0;
}

static int write_maps(sheet *s, int count, dl_error *error) {
    const dl_shape in = s->of.net->input;
    int64_t size = count * dl_shape_size(in);
    int result = 0;
    for (int k = 0; k < s->methods && !result; k++) {
        dl_text kind = {0};
        dl_text_add(&kind, "saliency_%s", s->method[k]->name);
        result = dl_look_write_npy(s->look, kind.data, count, in, s->kept + k * size, error);
        dl_text_free(&kind);
    }
    return result;
}

/* Of "all", methods without meaning for the net are left out, and reported. */
static int choose_methods(sheet *s, dl_error *error) {
    const char *known[DL_SALIENCY_METHODS], *wanted = s->options->method;
    bool all = !strcmp(wanted, "all"), found = all;
    for (int k = 0; k < DL_SALIENCY_METHODS; k++) {
        const dl_saliency_method *m = dl_saliency_methods[k];
        dl_error why = {0};
        known[k] = m->name;
        if (!all && strcmp(wanted, m->name))
            continue;
        found = true;
        if (!(m->gradient && dl_look_check_gradient(s->of.net, m->name, &why)) &&
            (!m->check || !m->check(&s->of, &why)))
            s->method[s->methods++] = m;
        else if (all)
            fprintf(stderr, "left out: %s\n", dl_text_get(&why.text));
        else
            dl_fail(error, why.code, "%s", dl_text_get(&why.text));
        dl_error_clear(&why);
    }
    const char *nearest = found ? NULL : dl_text_nearest(wanted, known, DL_SALIENCY_METHODS);
    if (!found)
        dl_fail(error, DL_USAGE, "there is no method \"%s\"%s%s%s", wanted,
                nearest ? ": did you mean \"" : ": use " DL_SALIENCY(NAME),
                nearest ? nearest : "or all", nearest ? "\"?" : "");
    return s->methods ? 0 : -1;
}

static int open_sheet(sheet *s, int count, dl_error *error) {
    const dl_model *model = s->look->model;
    int64_t size = dl_shape_size(model->net.input);
    float *baseline = xcalloc((size_t)size, sizeof *baseline); /* black, or the mean */
    if (model->net.input.rank == 3)
        dl_normalize(&model->data.input, baseline, 1, size);
    s->of = (dl_saliency){.net = &s->look->model->net,
                          .x = s->x = xmalloc(sizeof *s->x * (size_t)size),
                          .baseline = baseline,
                          .window = s->options->window,
                          .cam_layer = -1};
    s->raw = xmalloc(sizeof *s->raw * (size_t)size);
    s->map = xmalloc(sizeof *s->map * (size_t)size);
    if (s->options->layer &&
        (s->of.cam_layer = dl_look_find_layer(s->of.net, s->options->layer, error)) < 0)
        return -1;
    if (choose_methods(s, error))
        return -1;
    s->kept = xmalloc(sizeof *s->kept * (size_t)(s->methods * count * size));
    s->columns = 1 + s->methods + (s->methods == 1);
    if (model->net.input.rank == 3)
        s->grid =
            dl_grid_open(count * s->columns, s->columns, model->net.input.dim, TARGET, CAPTION);
    return 0;
}

int dl_look_at_saliency(dl_look *look, const dl_saliency_options *options, dl_error *error) {
    sheet s = {.look = look, .options = options};
    int count = 0;
    if (options->unit && look->count > 1)
        return dl_fail(error, DL_USAGE, "saliency is of one unit, but \"%s\" names %d",
                       options->unit, look->count);
    int64_t *rows = dl_look_rows(look, options->rows, options->count, &count, error);
    int result = rows ? open_sheet(&s, count, error) : -1;
    dl_text_add(&s.table, "row,unit,score,method,magnitude,incomplete\n");
    for (int n = 0; n < count && !result; n++)
        result = add_row(&s, rows[n], n, count, error);
    if (!result)
        result = write_maps(&s, count, error);
    if (!result && s.grid.pixels)
        result = dl_look_save(look, "saliency", &s.grid, error);
    if (!result)
        result = dl_look_write(look, "saliency", "csv", &s.table, error);
    dl_text_free(&s.table);
    dl_grid_free(&s.grid);
    free((float *)s.of.baseline);
    free(s.x);
    free(s.raw);
    free(s.map);
    free(s.kept);
    free(rows);
    return result;
}

/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "inspect/look.h"
#include "model/filters.h"

enum { TARGET = 64, COLUMNS = 8, MOST_CHANNELS = 16, BINS = 10, BAR = 40 };

/* The norm of the weights of each unit: [units], freed by the caller. */
static double *unit_norms(const dl_param *weight, int units) {
    double *norm = xcalloc((size_t)units, sizeof *norm);
    int64_t columns = weight->columns ? weight->columns : dl_shape_channels(weight->shape);
    for (int64_t i = 0; i < weight->count; i++) {
        int64_t unit = weight->units ? i / weight->inner % weight->units : i % columns;
        norm[unit % units] += (double)weight->value[i] * weight->value[i];
    }
    for (int u = 0; u < units; u++)
        norm[u] = sqrt(norm[u]);
    return norm;
}

/* The mean difference of adjacent weights relative to the mean weight: noise is near 1.3 and more,
   smooth features are far below 1. */
static double variation(const dl_tiles *t, int unit) {
    const float *w = t->value + unit * t->tile_stride;
    double differences = 0, size = 0, pairs = 0;
    int height = t->shape.dim[0], width = t->shape.dim[1];
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < t->shape.dim[2]; c++) {
                const float *at = w + (y * width + x) * t->pixel_stride + c * t->channel_stride;
                size += fabs((double)*at);
                for (int axis = 0; axis < 2; axis++)
                    if (axis ? x + 1 < width : y + 1 < height) {
                        int64_t next = t->pixel_stride * (axis ? 1 : width);
                        differences += fabs((double)at[next] - *at);
                        pairs++;
                    }
            }
    return pairs > 0 && size > 0 ? differences / pairs / (size / (double)dl_shape_size(t->shape))
                                 : 0;
}

static void print_histogram(const dl_layer *layer, const double *norm, int units) {
    double low = norm[0], high = norm[0], sum = 0;
    int count[BINS] = {0}, most = 1;
    for (int u = 0; u < units; u++) {
        low = fmin(low, norm[u]);
        high = fmax(high, norm[u]);
        sum += norm[u] / units;
    }
    for (int u = 0; u < units; u++) {
        int bin = high > low ? (int)(BINS * (norm[u] - low) / (high - low)) : 0;
        bin = bin < BINS ? bin : BINS - 1;
        most = ++count[bin] > most ? count[bin] : most;
    }
    printf("%s: weights of %d units, norms from %.3g to %.3g, mean %.3g\n", layer->name, units, low,
           high, sum);
    for (int b = 0; b < BINS && high > low; b++)
        printf("%9.3g  %-*.*s %d\n", low + (b + 0.5) * (high - low) / BINS, BAR,
               (count[b] * BAR + most - 1) / most, "########################################",
               count[b]);
}

/* One tile per unit in the color of the input. */
static dl_grid draw_colored(const dl_look *look, const dl_tiles *t, const double *norm) {
    int columns = look->count < COLUMNS ? look->count : COLUMNS;
    dl_grid g = dl_grid_open(look->count, columns, t->shape.dim, TARGET, 2);
    char number[16];
    for (int i = 0; i < look->count; i++) {
        dl_grid_place_tile(&g, i, t, look->unit[i]);
        dl_grid_caption(&g, i, "%s\nnorm %.2f", dl_look_unit_name(look, look->unit[i], number),
                        norm[look->unit[i]]);
    }
    return g;
}

/* One row per unit, with a gray tile for each channel of its input. */
static dl_grid draw_channels(const dl_look *look, const dl_tiles *t) {
    int channels = t->shape.dim[2] < MOST_CHANNELS ? t->shape.dim[2] : MOST_CHANNELS;
    dl_grid g = dl_grid_open(look->count * channels, channels, t->shape.dim, TARGET / 2, 1);
    dl_tiles one = *t;
    one.shape.dim[2] = 1;
    for (int i = 0; i < look->count * channels; i++) {
        one.value = t->value + i % channels * t->channel_stride;
        dl_grid_place_tile(&g, i, &one, look->unit[i / channels]);
        if (i % channels == 0)
            dl_grid_caption(&g, i, "%d", look->unit[i / channels]);
    }
    return g;
}

int dl_look_at_filters(dl_look *look, dl_error *error) {
    const dl_layer *layer = &look->model->net.layers[look->layer];
    int units = dl_look_units(look), result = 0;
    dl_tiles tiles;
    dl_text csv = {0};
    if (!layer->param_count)
        return dl_fail(error, DL_USAGE, "layer \"%s\", of type %s, has no weights", layer->name,
                       layer->type->kind.name);
    bool drawn = dl_filter_tiles(&look->model->net, layer, &tiles);
    double *norm = unit_norms(&layer->params[0], units);
    print_histogram(layer, norm, units);
    if (drawn) {
        bool colored = tiles.shape.dim[2] == 1 || tiles.shape.dim[2] == 3 ||
                       dl_shape_equal(tiles.shape, look->model->net.input);
        dl_grid g = colored ? draw_colored(look, &tiles, norm) : draw_channels(look, &tiles);
        result = dl_look_save(look, "filters", &g, error);
    } else
        fprintf(stderr, "%s, of type %s, has no kernels to draw: the norms only\n", layer->name,
                layer->type->kind.name);
    dl_text_add(&csv, "unit,norm%s\n", drawn ? ",variation" : "");
    for (int u = 0; u < units; u++) {
        dl_text_add(&csv, "%d,%.6g", u, norm[u]);
        if (drawn)
            dl_text_add(&csv, ",%.6g", variation(&tiles, u));
        dl_text_add(&csv, "\n");
    }
    free(norm);
    if (result)
        dl_text_free(&csv);
    return result ? result : dl_look_write(look, "filters", "csv", &csv, error);
}

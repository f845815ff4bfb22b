/* SPDX-License-Identifier: MIT */
/* The outputs of each layer for one row, and over the split which units never respond or are
   saturated. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "inspect/saliency.h"
#include "math/vector.h"

enum { MOST = 64, COLUMNS = 8, TARGET = 64, ENOUGH = 2000 };

typedef struct {
    dl_look *look;
    double *zeros, *saturated, *count; /* [layer] */
    bool **alive;                      /* [layer][unit] */
    int64_t rows;
    dl_error *error; /* while pictures are drawn, else NULL */
} maps;

static void add_statistics(maps *m, const dl_layer *layer, int i) {
    const dl_activation_type *type = layer->activation ? dl_activation_of(layer->activation) : NULL;
    int units = dl_shape_channels(layer->out.shape);
    int64_t size = m->look->batch * dl_shape_size(layer->out.shape);
    for (int64_t n = 0; n < size; n++) {
        float y = layer->out.value[n];
        m->alive[i][n % units] |= y != 0;
        m->zeros[i] += y == 0;
        m->saturated[i] += type && type->low < type->high && (y < type->low || y > type->high);
    }
    m->count[i] += (double)size;
}

/* Up to 64 channels of an image; a sequence as units by steps; a row as a rectangle. */
static void draw(maps *m, const dl_layer *layer) {
    const dl_shape out = layer->out.shape;
    bool image = out.rank == 3;
    int width = image ? out.dim[1] : out.dim[out.rank - 1], height = out.rank > 1 ? out.dim[0] : 1;
    for (int side = 2; out.rank == 1 && side * side <= out.dim[0]; side++)
        if (out.dim[0] % side == 0) {
            height = side;
            width = out.dim[0] / side;
        }
    int tiles = image ? (out.dim[2] < MOST ? out.dim[2] : MOST) : 1;
    dl_tiles t = {.value = layer->out.value,
                  .tile_stride = 1,
                  .pixel_stride = image ? out.dim[2] : 1,
                  .channel_stride = 1,
                  .shape = dl_shape3(height, width, 1)};
    dl_grid g = dl_grid_open(tiles, tiles < COLUMNS ? tiles : COLUMNS, t.shape.dim, TARGET, image);
    for (int k = 0; k < tiles; k++) {
        float most = t.value[k];
        for (int p = 1; p < height * width && image; p++)
            most = fmaxf(most, t.value[(int64_t)p * out.dim[2] + k]);
        dl_grid_place_tile(&g, k, &t, k);
        dl_grid_caption(&g, k, "%d: %.3g", k, (double)most);
    }
    dl_look own = *m->look;
    own.layer = layer->index;
    dl_look_save(&own, "activations", &g, m->error);
}

static void watch(void *context, int i, bool backward) {
    maps *m = context;
    const dl_layer *layer = &m->look->model->net.layers[i];
    (void)backward;
    if (!m->error)
        add_statistics(m, layer, i);
    else if (!layer->is_view && !m->error->count)
        draw(m, layer);
}

static bool next(void *context, const dl_batch *batch) {
    maps *m = context;
    m->rows += batch->count;
    return m->rows < ENOUGH;
}

static void print(const maps *m) {
    const dl_net *net = &m->look->model->net;
    printf(
        "outputs over %lld rows; dead: units that are 0 for all of them\n%-20s %12s %8s %9s %s\n",
        (long long)m->rows, "layer", "output", "zero", "saturated", "dead");
    for (int i = 0; i < net->layer_count; i++) {
        int units = dl_shape_channels(net->layers[i].out.shape), dead = 0;
        char shape[48];
        for (int u = 0; u < units; u++)
            dead += !m->alive[i][u];
        if (m->count[i] > 0)
            printf("%-20s %12s %6.1f %% %7.1f %% %d of %d\n", net->layers[i].name,
                   dl_shape_text(shape, net->layers[i].out.shape), 100 * m->zeros[i] / m->count[i],
                   100 * m->saturated[i] / m->count[i], dead, units);
    }
}

int dl_look_at_activations(dl_look *look, const char *row, dl_error *error) {
    dl_net *net = &look->model->net;
    const dl_data *data = &look->model->data;
    int count, layers = net->layer_count;
    int64_t *rows = dl_look_rows(look, row, 1, &count, error);
    if (!rows)
        return -1;
    dl_arena arena = {0};
    maps m = {.look = look, .error = error};
    m.zeros = dl_arena_alloc(&arena, sizeof(double) * (size_t)layers);
    m.saturated = dl_arena_alloc(&arena, sizeof(double) * (size_t)layers);
    m.count = dl_arena_alloc(&arena, sizeof(double) * (size_t)layers);
    m.alive = dl_arena_alloc(&arena, sizeof *m.alive * (size_t)layers);
    for (int i = 0; i < layers; i++)
        m.alive[i] =
            dl_arena_alloc(&arena, (size_t)dl_shape_channels(net->layers[i].out.shape) + 1);
    float *x = dl_arena_alloc(&arena, sizeof *x * (size_t)dl_shape_size(net->input));
    int result = dl_dataset_read(data->part[look->split].dataset, rows[0], x, NULL, error);
    net->watch = watch;
    net->watcher = &m;
    if (!result) {
        dl_pass pass = {.batch = 1};
        dl_normalize(&data->input, x, 1, dl_shape_size(net->input));
        dl_net_begin(net);
        dl_net_forward(net, x, &pass);
        m.error = NULL;
        result = error->count ? -1 : dl_look_run(look, next, &m, error);
    }
    net->watch = NULL;
    if (!result)
        print(&m);
    dl_arena_free(&arena);
    free(rows);
    return result;
}

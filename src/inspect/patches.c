/* SPDX-License-Identifier: MIT */
/* The parts of inputs that activate a unit most: Zeiler and Fergus, "Visualizing and understanding
   convolutional networks", ECCV 2014; Girshick et al., CVPR 2014, section 3.1. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/look.h"
#include "net/receptive_field.h"

enum {
    TARGET = 64,
    LEAST_TARGET = 96,
    CAPTION_LINES = 3,
    BEFORE = 48,
    AFTER = 12,
    MOST_INPUTS = 64
};

/* The largest output of a unit in a row. */
typedef struct {
    float value;
    int64_t row; /* of the dataset */
    int position;
} patch;

typedef struct {
    const dl_look *look;
    int64_t most;
    patch *best;    /* [unit of look][most]: binary heaps, the smallest first */
    int64_t *count; /* [unit of look] */
    int64_t rows;
} search;

static bool is_better(const patch *a, const patch *b) {
    return a->value > b->value || (a->value == b->value && a->row < b->row);
}

static void swap(patch *a, patch *b) {
    patch kept = *a;
    *a = *b;
    *b = kept;
}

/* Adds a patch to heap[*count], in which it replaces the smallest of `most`. */
static void add(patch *heap, int64_t *count, int64_t most, patch new) {
    int64_t i = *count;
    if (i < most) {
        heap[(*count)++] = new;
        for (; i && is_better(&heap[(i - 1) / 2], &heap[i]); i = (i - 1) / 2)
            swap(&heap[(i - 1) / 2], &heap[i]);
        return;
    }
    if (!is_better(&new, &heap[0]))
        return;
    heap[0] = new;
    for (int64_t child = 1, at = 0; child < most; at = child, child = 2 * at + 1) {
        child += child + 1 < most && is_better(&heap[child], &heap[child + 1]);
        if (!is_better(&heap[at], &heap[child]))
            break;
        swap(&heap[at], &heap[child]);
    }
}

static patch strongest(const float *out, int positions, int units, int64_t row) {
    patch best = {out[0], row, 0};
    for (int p = 1; p < positions; p++)
        if (out[(int64_t)p * units] > best.value)
            best = (patch){out[(int64_t)p * units], row, p};
    return best;
}

static bool add_batch(void *context, const dl_batch *batch) {
    search *s = context;
    const dl_tensor *out = dl_net_output(&s->look->model->net);
    int units = dl_shape_channels(out->shape);
    int64_t size = dl_shape_size(out->shape);
#pragma omp parallel for schedule(dynamic)
    for (int u = 0; u < s->look->count; u++)
        for (int64_t n = 0; n < batch->count; n++)
            add(s->best + u * s->most, &s->count[u], s->most,
                strongest(out->value + n * size + s->look->unit[u], (int)(size / units), units,
                          batch->index[n]));
    s->rows += batch->count;
    return true;
}

static int best_first(const void *a, const void *b) {
    return is_better(a, b) ? -1 : is_better(b, a);
}

static void position(const dl_look *look, const patch *p, int at[2]) {
    const dl_shape out = look->model->net.layers[look->layer].out.shape;
    at[0] = out.rank == 3 ? p->position / out.dim[1] : p->position;
    at[1] = out.rank == 3 ? p->position % out.dim[1] : 0;
}

static int read_row(const dl_look *look, const patch *p, float *x, dl_error *error) {
    return dl_dataset_read(look->model->data.part[look->split].dataset, p->row, x, NULL, error);
}

/* ---- pictures ---- */

/* The largest box of the patches. */
static void find_side(const search *s, int side[2]) {
    side[0] = side[1] = 1;
    for (int u = 0; u < s->look->count; u++)
        for (int64_t i = 0; i < s->count[u]; i++) {
            int at[2];
            dl_extent box[2];
            position(s->look, &s->best[u * s->most + i], at);
            dl_receptive_field(&s->look->model->net, s->look->layer, at, box);
            for (int axis = 0; axis < 2; axis++)
                if (box[axis].last - box[axis].first >= side[axis])
                    side[axis] = box[axis].last - box[axis].first + 1;
        }
}

/* The part of image x inside the receptive field of a patch; what is cut off by a border of the
   image stays background. */
static void draw_patch(const search *s, dl_grid *g, int cell, const patch *p, const float *x) {
    const dl_shape image = s->look->model->data.schema.input;
    int at[2];
    dl_extent box[2];
    position(s->look, p, at);
    dl_receptive_field(&s->look->model->net, s->look->layer, at, box);
    int height = box[0].last - box[0].first + 1, width = box[1].last - box[1].first + 1;
    if (height < 1 || width < 1)
        return;
    unsigned char *rgb = xmalloc((size_t)image.dim[0] * (size_t)image.dim[1] * 3);
    dl_tiles tiles = {.value = x,
                      .pixel_stride = image.dim[2],
                      .channel_stride = 1,
                      .shape = image,
                      .bytes = dl_look_has_bytes(s->look)};
    dl_tile_paint(&tiles, 0, rgb);
    for (int y = 0; y < height; y++)
        memmove(rgb + (int64_t)y * width * 3,
                rgb + ((int64_t)(box[0].first + y) * image.dim[1] + box[1].first) * 3,
                (size_t)width * 3);
    dl_grid_place(g, cell, rgb, height, width);
    free(rgb);
}

static int draw(const search *s, dl_error *error) {
    const dl_look *look = s->look;
    int side[2], result = 0, at[2];
    char number[16];
    find_side(s, side);
    dl_grid g = dl_grid_open(look->count * (int)s->most, (int)s->most, side,
                             side[0] > TARGET / 2 ? LEAST_TARGET : TARGET, CAPTION_LINES);
    float *x = xmalloc(sizeof *x * (size_t)dl_shape_size(look->model->data.schema.input));
    for (int u = 0; u < look->count && !result; u++)
        for (int64_t i = 0; i < s->count[u] && !result; i++) {
            const patch *p = &s->best[u * s->most + i];
            int cell = u * (int)s->most + (int)i;
            if ((result = read_row(look, p, x, error)))
                break;
            draw_patch(s, &g, cell, p, x);
            position(look, p, at);
            bool placed = look->model->net.layers[look->layer].out.shape.rank == 3;
            dl_grid_caption(&g, cell,
                            placed ? "%s: %.3g\nrow %lld\nat %d,%d" : "%s: %.3g\nrow %lld",
                            dl_look_unit_name(look, look->unit[u], number), (double)p->value,
                            (long long)p->row, at[0], at[1]);
        }
    free(x);
    if (!result)
        return dl_look_save(look, "patches", &g, error);
    dl_grid_free(&g);
    return -1;
}

/* ---- passages and rows ---- */

static int symbol_at(const float *x, dl_shape input, int step) {
    int best = 0, symbols = input.rank == 2 ? input.dim[1] : 1;
    const float *at = x + (int64_t)step * symbols;
    for (int c = 1; c < symbols; c++)
        best = at[c] > at[best] ? c : best;
    return symbols > 1 ? best : (int)*at;
}

/* The symbols around a step, which is marked. */
static void add_passage(const dl_look *look, const float *x, int step, dl_text *text) {
    dl_symbols symbols = dl_data_symbols(&look->model->data);
    const dl_shape input = look->model->data.schema.input;
    int first = step < BEFORE ? 0 : step - BEFORE;
    for (int t = first; t < input.dim[0] && t <= step + AFTER; t++) {
        char symbol[DL_MAX_SYMBOL + 1];
        int length = dl_symbols_write(&symbols, symbol_at(x, input, t), t == first, symbol);
        dl_text_add(text, "%s", t == step ? "«" : "");
        for (int i = 0; i < length; i++)
            if (symbol[i] == '\n')
                dl_text_add(text, "\\n");
            else
                dl_text_add_bytes(text, symbol + i, 1);
        dl_text_add(text, "%s", t == step ? "»" : "");
    }
}

/* One line of the table; a passage is printed, too. */
static int add_line(const search *s, int u, const patch *p, float *x, bool is_text, dl_text *csv,
                    dl_error *error) {
    const dl_look *look = s->look;
    const dl_shape input = look->model->data.schema.input;
    char number[16];
    int at[2];
    dl_extent box[2];
    position(look, p, at);
    dl_receptive_field(&look->model->net, look->layer, at, box);
    const char *unit = dl_look_unit_name(look, look->unit[u], number);
    dl_text_add_field(csv, unit);
    dl_text_add(csv, ",%.6g,%lld,%d,%d,%d,%d,%d,%d", (double)p->value, (long long)p->row, at[0],
                at[1], box[0].first, box[0].last, box[1].first, box[1].last);
    if (input.rank < 3 && read_row(look, p, x, error))
        return -1;
    if (is_text) {
        dl_text passage = {0};
        add_passage(look, x, at[0], &passage);
        dl_text_add(csv, ",");
        dl_text_add_field(csv, dl_text_get(&passage));
        dl_look_print("%6s %8.3g  %s", unit, (double)p->value, dl_text_get(&passage));
        dl_text_free(&passage);
    } else if (input.rank < 3 && dl_shape_size(input) <= MOST_INPUTS)
        for (int64_t i = 0; i < dl_shape_size(input); i++)
            dl_text_add(csv, ",%.7g", (double)x[i]);
    dl_text_add(csv, "\n");
    return 0;
}

static int write_table(const search *s, bool is_text, dl_error *error) {
    const dl_shape input = s->look->model->data.schema.input;
    float *x = xmalloc(sizeof *x * (size_t)dl_shape_size(input));
    dl_text csv = {0};
    int result = 0;
    dl_text_add(&csv, "unit,value,row,y,x,top,bottom,left,right%s", is_text ? ",passage" : "");
    for (int64_t i = 0; !is_text && input.rank < 3 && i < dl_shape_size(input); i++)
        if (dl_shape_size(input) <= MOST_INPUTS)
            dl_text_add(&csv, ",input_%lld", (long long)i);
    dl_text_add(&csv, "\n");
    for (int u = 0; u < s->look->count; u++)
        for (int64_t i = 0; i < s->count[u] && !result; i++)
            result = add_line(s, u, &s->best[u * s->most + i], x, is_text, &csv, error);
    free(x);
    if (!result)
        return dl_look_write(s->look, "patches", "csv", &csv, error);
    dl_text_free(&csv);
    return -1;
}

int dl_look_at_patches(dl_look *look, int64_t most, dl_error *error) {
    search s = {.look = look, .most = most};
    dl_error no_text = {0};
    dl_symbols symbols = dl_data_symbols(&look->model->data);
    bool is_text = !dl_symbols_check(&symbols, "", &no_text);
    dl_error_clear(&no_text);
    s.best = xmalloc(sizeof *s.best * (size_t)(look->count * most));
    s.count = xcalloc((size_t)look->count, sizeof *s.count);
    int result = dl_look_run(look, add_batch, &s, error);
    for (int u = 0; u < look->count; u++)
        qsort(s.best + u * most, (size_t)s.count[u], sizeof *s.best, best_first);
    if (!result)
        result = write_table(&s, is_text, error);
    if (!result && look->model->data.schema.input.rank == 3)
        result = draw(&s, error);
    free(s.best);
    free(s.count);
    return result;
}

/* SPDX-License-Identifier: MIT */
/* A fixed filter on each channel of an image, with zeros around the image and as many outputs as
   inputs:
     y[i][j][c] = sum over (a, b) of K[a][b] · x[i + a - A][j + b - B][c]
   where (A, B) = ((height - 1) / 2, (width - 1) / 2) is the center. The backward pass applies the
   filter rotated by 180 degrees. x, y: [batch][h][w][channels]. For a filter of n values:
     box_mean  1 / n each
     gaussian  e^(-r^2 / (2 stddev^2)) at distance r from the center, normalized to sum 1; without
               stddev binomial coefficients (1/16 [1 2 1; 2 4 2; 1 2 1])
     edge      n - 1 at the center, else -1 (for 3x3 the Laplacian with diagonals)
     sharpen   the image minus its Laplacian ([0 -1 0; -1 5 -1; 0 -1 0]): -1 in the center row and
               column, and at the center the value that makes the sum 1
     custom    the key `kernel`
   Gonzalez and Woods, "Digital image processing", chapter 3. */
#include <math.h>
#include <string.h>

#include "layers/layer.h"
#include "math/filter.h"

typedef enum { BOX_MEAN, GAUSSIAN, SHARPEN, EDGE, CUSTOM } kind;
static const char *const kind_names[] = {"box_mean", "gaussian", "sharpen", "edge", "custom", NULL};

typedef struct {
    int kind;
    int64_t size[2];
    double stddev; /* 0: binomial */
    struct config_setting_t *kernel;
    dl_filter forward, backward; /* set by setup; weights in the net's arena */
} filter;

static const dl_option options[] = {
    DL_CHOICE_OPTION("kind", filter, kind, DL_REQUIRED, kind_names,
                     "\"box_mean\" and \"gaussian\" blur, \"edge\" keeps only edges (Laplacian), "
                     "\"sharpen\" enhances them, \"custom\" uses the key `kernel`"),
    DL_PAIR_OPTION("size", filter, size, "3", 1, 255,
                   "height and width of the filter in pixels; odd sizes are centered"),
    DL_FLOAT_OPTION(
        "stddev", filter, stddev, DL_NO_DEFAULT, 0.01, 1000,
        "standard deviation of a gaussian in pixels; default: binomial coefficients (1 2 1 for "
        "size 3, 1 4 6 4 1 for 5), whose standard deviation is sqrt(size - 1) / 2"),
    DL_SETTING_OPTION(
        "kernel", filter, kernel, DL_NO_DEFAULT,
        "values of a custom filter, row by row: kernel = (0, 1, 0, 1, -4, 1, 0, 1, 0)"),
    DL_OPTIONS_END,
};

/* One axis of a gaussian around the center of the window, with sum 1. */
static void fill_gaussian(double stddev, int64_t size, double *weight) {
    double sum = 0;
    for (int64_t i = 0; i < size; i++) {
        double r = ((double)i - (double)(size - 1) / 2) / stddev;
        double binomial = i ? weight[i - 1] * (double)(size - i) / (double)i : 1;
        weight[i] = stddev > 0 ? exp(-r * r / 2) : binomial;
        sum += weight[i];
    }
    for (int64_t i = 0; i < size; i++)
        weight[i] /= sum;
}

static void fill(const filter *self, float *weight) {
    const int64_t height = self->size[0], width = self->size[1], count = height * width;
    double rows[255], columns[255];
    fill_gaussian(self->stddev, height, rows);
    fill_gaussian(self->stddev, width, columns);
    for (int64_t i = 0; i < count; i++) {
        bool row = i / width == (height - 1) / 2, column = i % width == (width - 1) / 2;
        bool middle = row && column;
        switch ((kind)self->kind) {
        case BOX_MEAN:
            weight[i] = (float)(1 / (double)count);
            break;
        case GAUSSIAN:
            weight[i] = (float)(rows[i / width] * columns[i % width]);
            break;
        case SHARPEN:
            weight[i] = (float)(middle ? height + width - 1 : row || column ? -1 : 0);
            break;
        case EDGE:
            weight[i] = (float)(middle ? count - 1 : -1);
            break;
        case CUSTOM:
            break;
        }
    }
}

static int setup(dl_layer *layer, dl_error *error) {
    filter *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    if (dl_layer_check_image(layer, in, error))
        return -1;
    if (self->kernel && self->kind != CUSTOM)
        return dl_fail(error, DL_USAGE,
                       "%s: \"kernel\" applies to kind = \"custom\" only, not to \"%s\"",
                       layer->where, kind_names[self->kind]);
    if (self->stddev > 0 && self->kind != GAUSSIAN)
        return dl_fail(error, DL_USAGE,
                       "%s: \"stddev\" applies to kind = \"gaussian\" only, not to \"%s\"",
                       layer->where, kind_names[self->kind]);
    int64_t count = self->size[0] * self->size[1];
    float *weight = dl_arena_alloc(layer->arena, 2 * sizeof *weight * (size_t)count);
    if (self->kind == CUSTOM && !self->kernel)
        return dl_fail(error, DL_USAGE,
                       "%s: kind = \"custom\" needs \"kernel\", a list of %lldx%lld numbers",
                       layer->where, (long long)self->size[0], (long long)self->size[1]);
    if (self->kind == CUSTOM) {
        dl_shape size = dl_shape2((int)self->size[0], (int)self->size[1]);
        const float *kernel = dl_layer_read_numbers(layer, "kernel", self->kernel, size, error);
        if (!kernel)
            return -1;
        memcpy(weight, kernel, sizeof *weight * (size_t)count);
    }
    fill(self, weight);
    layer->fixed = weight;
    self->forward = (dl_filter){in.dim[0],
                                in.dim[1],
                                in.dim[2],
                                {self->size[0], self->size[1]},
                                {(self->size[0] - 1) / 2, (self->size[1] - 1) / 2},
                                weight};
    self->backward = self->forward;
    for (int axis = 0; axis < 2; axis++)
        self->backward.before[axis] = self->size[axis] / 2;
    for (int64_t i = 0; i < count; i++)
        weight[count + i] = weight[count - 1 - i];
    self->backward.weight = weight + count;
    layer->out.shape = in;
    layer->needs_input = layer->needs_output = false;
    return 0;
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const filter *self = layer->self;
    dl_filter_images(&self->forward, pass->batch, layer->in[0].value, layer->out.value);
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const filter *self = layer->self;
    if (layer->in[0].grad)
        dl_filter_images(&self->backward, pass->batch, layer->out.grad, layer->in[0].grad);
}

static dl_extent reach(const dl_layer *layer, int input, int axis, int out) {
    const dl_filter *f = &((const filter *)layer->self)->forward;
    int first = out - (int)f->before[axis];
    (void)input;
    return (dl_extent){first, first + (int)f->size[axis] - 1, 1};
}

const dl_layer_type dl_layer_filter = {
    .kind = {"filter",
             "applies a fixed filter, which is not trained, to each channel of an image: blur, "
             "edges, sharpening, or your own",
             sizeof(filter), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .reach = reach,
};

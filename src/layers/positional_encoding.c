/* SPDX-License-Identifier: MIT */
/* Positional encoding, for layers that ignore the order of steps:
     y[b][t][c] = x[b][t][c] + P[t][c],  x and y: [batch][T][C].
   sinusoidal: P[t][2i] = sin(t / 10000^(2i/C)), P[t][2i+1] = cos(t / 10000^(2i/C)): Vaswani et al.,
   "Attention is all you need", NIPS 2017. learned: P[T][C] are weights; dP += sum of dy over the
   batch. dx = dy. */
#include <math.h>

#include "layers/layer.h"
#include "math/vector.h"

enum { SINUSOIDAL, LEARNED };
enum { SMALL = 1 << 14 }; /* elements below which one thread is enough */

static const char *const kinds[] = {"sinusoidal", "learned", NULL};

typedef struct {
    int kind;
    double std;
    float *sinusoids; /* [T][C]: P, in the net's arena; NULL if learned */
} positional;

static const dl_option options[] = {
    DL_CHOICE_OPTION("kind", positional, kind, "sinusoidal", kinds,
                     "\"sinusoidal\": sines and cosines of many wavelengths, from -1 to 1, with "
                     "nothing to learn; \"learned\": a learned vector for each step"),
    DL_FLOAT_OPTION("init_std", positional, std, "0.02", 0, 1000,
                    "standard deviation of the initial weights of kind = \"learned\""),
    DL_OPTIONS_END,
};

static float *compute_sinusoids(dl_layer *layer, int steps, int channels) {
    size_t count = (size_t)steps * (size_t)channels;
    float *sinusoids = dl_arena_alloc(layer->arena, sizeof *sinusoids * count);
    for (int t = 0; t < steps; t++)
        for (int c = 0; c < channels; c++) {
            double angle = t / pow(10000, (double)(c - c % 2) / channels);
            sinusoids[(int64_t)t * channels + c] = (float)(c % 2 ? cos(angle) : sin(angle));
        }
    return sinusoids;
}

static int setup(dl_layer *layer, dl_error *error) {
    positional *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    if (dl_layer_check_sequence(layer, error))
        return -1;
    if (self->kind == SINUSOIDAL)
        self->sinusoids = compute_sinusoids(layer, in.dim[0], in.dim[1]);
    else
        dl_layer_add_param(layer, (dl_param){.name = "weight",
                                             .shape = in,
                                             .flags = DL_DECAYS | DL_OVERWRITES,
                                             .layout = DL_TORCH_SAME,
                                             .initializer = &dl_initializers[DL_INIT_NORMAL],
                                             .argument = self->std});
    layer->out.shape = in;
    layer->gradient_in_place = true;
    layer->needs_input = layer->needs_output = false;
    return 0;
}

static void forward(dl_layer *layer, const dl_pass *pass) {
    const positional *self = layer->self;
    const float *p = self->kind == SINUSOIDAL ? self->sinusoids : layer->params[0].value;
    const float *x = layer->in[0].value;
    int64_t size = dl_shape_size(layer->out.shape);
#pragma omp parallel for schedule(static) if (pass->batch * size >= SMALL)
    for (int b = 0; b < pass->batch; b++)
#pragma omp simd
        for (int64_t i = 0; i < size; i++)
            layer->out.value[b * size + i] = x[b * size + i] + p[i];
}

/* Each chunk of P is summed by one thread, in the order of the samples. */
static void sum_gradient(int64_t batch, int64_t size, const float *dy, float beta, float *grad) {
    enum { CHUNK = 1024 };
#pragma omp parallel for schedule(static) if (batch * size >= SMALL)
    for (int64_t first = 0; first < size; first += CHUNK) {
        int64_t last = size - first < CHUNK ? size : first + CHUNK;
        for (int64_t i = first; beta == 0 && i < last; i++)
            grad[i] = 0;
        for (int64_t b = 0; b < batch; b++)
#pragma omp simd
            for (int64_t i = first; i < last; i++)
                grad[i] += dy[b * size + i];
    }
}

static void backward(dl_layer *layer, const dl_pass *pass) {
    const positional *self = layer->self;
    int64_t size = dl_shape_size(layer->out.shape);
    if (self->kind == LEARNED)
        sum_gradient(pass->batch, size, layer->out.grad, layer->params[0].beta,
                     layer->params[0].grad);
    if (layer->in[0].grad && layer->in[0].grad != layer->out.grad)
        dl_copy(layer->in[0].grad, layer->out.grad, pass->batch * size);
}

const dl_layer_type dl_layer_positional_encoding = {
    .kind = {"positional_encoding",
             "adds an encoding of its position to each step of a sequence, for attention layers, "
             "which ignore the order",
             sizeof(positional), options},
    .setup = setup,
    .forward = forward,
    .backward = backward,
};

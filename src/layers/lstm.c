/* SPDX-License-Identifier: MIT */
/* Long short-term memory: Hochreiter and Schmidhuber, Neural Computation 1997, with the forget gate
   of Gers, Schmidhuber and Cummins, 2000. In each step, from x_t and h = h_(t-1),
     i = sigmoid(x W_i + h V_i + b_i)    input gate
     f = sigmoid(x W_f + h V_f + b_f)    forget gate
     g = tanh(x W_g + h V_g + b_g)       candidate
     o = sigmoid(x W_o + h V_o + b_o)    output gate
     c_t = f c_(t-1) + i g,  h_t = o tanh(c_t),  h_0 = c_0 = 0 or carried.
   x[batch][T][C], W[C][4 units], V[units][4 units] and b[4 units] with the gates in the order i, f,
   g, o; y[batch][T][units], or [batch][units]. b is the sum of PyTorch's two biases. */
#include "layers/recurrent.h"
#include "math/scalar.h"

typedef struct {
    dl_recurrent recurrent;
    double forget_bias;
} lstm;

static const dl_option options[] = {
    DL_RECURRENT_OPTIONS(lstm, recurrent),
    DL_FLOAT_OPTION("forget_bias", lstm, forget_bias, "1.0", -100, 100,
                    "initial bias of the forget gate; a positive one makes the cell remember from "
                    "the start, which long dependencies need"),
    DL_OPTIONS_END,
};

static void step_forward(const dl_recurrent_step *s) {
    const int64_t n = s->units;
    float *restrict i = s->gates, *restrict f = i + n, *restrict g = f + n, *restrict o = g + n;
    const float *restrict p = s->product, *restrict before = s->memory_before;
    float *restrict c = s->memory, *restrict h = s->state;
#pragma omp simd
    for (int64_t j = 0; j < n; j++) {
        float in = dl_sigmoid(i[j] + p[j]), forget = dl_sigmoid(f[j] + p[n + j]);
        float new = dl_tanh(g[j] + p[2 * n + j]), out = dl_sigmoid(o[j] + p[3 * n + j]);
        float memory = forget * before[j] + in * new;
        i[j] = in;
        f[j] = forget;
        g[j] = new;
        o[j] = out;
        c[j] = memory;
        h[j] = out * dl_tanh(memory);
    }
}

/* dc = carried dc + dh o (1 - tanh(c)^2), then each gate by its derivative. */
static void step_backward(const dl_recurrent_step *s) {
    const int64_t n = s->units;
    float *restrict i = s->gates, *restrict f = i + n, *restrict g = f + n, *restrict o = g + n;
    const float *restrict dy = s->dy, *restrict back = s->back;
    const float *restrict c = s->memory, *restrict before = s->memory_before;
    float *restrict carried = s->carried;
#pragma omp simd
    for (int64_t j = 0; j < n; j++) {
        float dh = dy[j] + back[j], shown = dl_tanh(c[j]);
        float in = i[j], forget = f[j], new = g[j], out = o[j];
        float dc = carried[j] + dh * out * (1 - shown * shown);
        carried[j] = dc * forget;
        i[j] = dc * new *in *(1 - in);
        f[j] = dc * before[j] * forget * (1 - forget);
        g[j] = dc * in * (1 - new *new);
        o[j] = dh * shown * out * (1 - out);
    }
}

static void fill_bias(const dl_draw *draw, const dl_initial *initial, float *value) {
    int64_t count = initial->columns;
    (void)draw;
    for (int64_t j = 0; j < count; j++)
        value[j] = j / (count / 4) == 1 ? (float)initial->argument : 0;
}

static const dl_initializer bias = {"forget_bias", "forget_bias for the forget gate, else zero",
                                    fill_bias, 0};

static const dl_recurrent_cell cell = {.gates = 4,
                                       .has_memory = true,
                                       .carries_memory = true,
                                       .forward = step_forward,
                                       .backward = step_backward,
                                       .bias = &bias};

static int setup(dl_layer *layer, dl_error *error) {
    const lstm *self = layer->self;
    return dl_recurrent_setup(layer, &cell, self->forget_bias, error);
}

const dl_layer_type dl_layer_lstm = {
    .kind = {"lstm",
             "long short-term memory: a recurrent layer whose gates learn what to remember; the "
             "usual recurrent layer for text and time series",
             sizeof(lstm), options},
    .setup = setup,
    .forward = dl_recurrent_forward,
    .backward = dl_recurrent_backward,
    .reach = dl_recurrent_reach,
};

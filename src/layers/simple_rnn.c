/* SPDX-License-Identifier: MIT */
/* Simple recurrent network: Elman, Cognitive Science 1990. In each step,
     h_t = f(x_t W + h_(t-1) V + b),  h_0 = 0 or carried,
   with f tanh or relu. x[batch][T][C], W[C][units], V[units][units], b[units]; y[batch][T][units],
   or [batch][units]. b is the sum of PyTorch's two biases. */
#include "layers/recurrent.h"
#include "math/scalar.h"

static const char *const activations[] = {"tanh", "relu", NULL};
enum { TANH, RELU };

typedef struct {
    dl_recurrent recurrent;
    int activation;
} simple_rnn;

static const dl_option options[] = {
    DL_RECURRENT_OPTIONS(simple_rnn, recurrent),
    DL_CHOICE_OPTION("activation", simple_rnn, activation, "tanh", activations,
                     "activation function of each step; with relu the state can grow from step to "
                     "step: use clip_norm"),
    DL_OPTIONS_END,
};

static void step_forward(const dl_recurrent_step *s) {
    float *restrict z = s->gates, *restrict h = s->state;
    const float *restrict p = s->product;
    bool is_tanh = ((const simple_rnn *)s->self)->activation == TANH;
    for (int64_t j = 0; j < s->units; j++)
        z[j] += p[j];
    if (is_tanh)
#pragma omp simd
        for (int64_t j = 0; j < s->units; j++)
            z[j] = h[j] = dl_tanh(z[j]);
    else
#pragma omp simd
        for (int64_t j = 0; j < s->units; j++)
            z[j] = h[j] = z[j] < 0 ? 0 : z[j];
}

static void step_backward(const dl_recurrent_step *s) {
    float *restrict z = s->gates;
    const float *restrict dy = s->dy, *restrict back = s->back;
    bool is_tanh = ((const simple_rnn *)s->self)->activation == TANH;
#pragma omp simd
    for (int64_t j = 0; j < s->units; j++) {
        float slope = is_tanh ? 1 - z[j] * z[j] : z[j] > 0 ? 1.0f : 0.0f;
        z[j] = (dy[j] + back[j]) * slope;
    }
}

static const dl_recurrent_cell cell = {
    .gates = 1, .forward = step_forward, .backward = step_backward};

static int setup(dl_layer *layer, dl_error *error) {
    return dl_recurrent_setup(layer, &cell, 0, error);
}

const dl_layer_type dl_layer_simple_rnn = {
    .kind = {"simple_rnn",
             "simple (Elman) recurrent layer: each step reads the outputs of the previous one. It "
             "forgets within some ten steps; use lstm or gru for longer dependencies",
             sizeof(simple_rnn), options},
    .setup = setup,
    .forward = dl_recurrent_forward,
    .backward = dl_recurrent_backward,
    .reach = dl_recurrent_reach,
};

/* SPDX-License-Identifier: MIT */
/* Gated recurrent unit: Cho et al., EMNLP 2014, in the form of PyTorch and cuDNN, whose reset gate
   multiplies the product h V. In each step, from x_t and h = h_(t-1),
     r = sigmoid(x W_r + b_r + h V_r + d_r)       reset gate
     z = sigmoid(x W_z + b_z + h V_z + d_z)       update gate
     n = tanh(x W_n + b_n + r (h V_n + d_n))      candidate
     h_t = (1 - z) n + z h,  h_0 = 0 or carried.
   x[batch][T][C], W[C][3 units] and V[units][3 units] with the gates in the order r, z, n; biases
   b[3 units], `bias`, and d[3 units], `recurrent_bias` (d_r and d_z duplicate b_r and b_z).
   y[batch][T][units], or [batch][units]. */
#include "layers/recurrent.h"
#include "math/scalar.h"

typedef struct {
    dl_recurrent recurrent;
} gru;

static const dl_option options[] = {
    DL_RECURRENT_OPTIONS(gru, recurrent),
    DL_OPTIONS_END,
};

/* memory = q = h V_n + d_n */
static void step_forward(const dl_recurrent_step *s) {
    const int64_t n = s->units;
    float *restrict r = s->gates, *restrict z = r + n, *restrict new = z + n;
    const float *restrict p = s->product, *restrict d = s->recurrent_bias;
    const float *restrict before = s->previous;
    float *restrict q = s->memory, *restrict h = s->state;
#pragma omp simd
    for (int64_t j = 0; j < n; j++) {
        float reset = dl_sigmoid(r[j] + p[j] + (d ? d[j] : 0));
        float keep = dl_sigmoid(z[j] + p[n + j] + (d ? d[n + j] : 0));
        float past = p[2 * n + j] + (d ? d[2 * n + j] : 0);
        float value = dl_tanh(new[j] + reset *past);
        r[j] = reset;
        z[j] = keep;
        new[j] = value;
        q[j] = past;
        h[j] = value + keep * (before[j] - value);
    }
}

/* carried = dh z, the gradient of h_(t-1) that bypasses the product h V. */
static void step_backward(const dl_recurrent_step *s) {
    const int64_t n = s->units;
    float *restrict r = s->gates, *restrict z = r + n, *restrict new = z + n;
    const float *restrict dy = s->dy, *restrict back = s->back;
    const float *restrict q = s->memory, *restrict before = s->previous;
    float *restrict carried = s->carried, *restrict dp = s->recurrent_grad;
#pragma omp simd
    for (int64_t j = 0; j < n; j++) {
        float dh = dy[j] + back[j] + carried[j];
        float reset = r[j], keep = z[j], value = new[j];
        float dn = dh * (1 - keep) * (1 - value * value);
        float dr = dn * q[j] * reset * (1 - reset);
        float dz = dh * (before[j] - value) * keep * (1 - keep);
        carried[j] = dh * keep;
        r[j] = dp[j] = dr;
        z[j] = dp[n + j] = dz;
        new[j] = dn;
        dp[2 * n + j] = dn * reset;
    }
}

static const dl_recurrent_cell cell = {.gates = 3,
                                       .has_memory = true,
                                       .separate = true,
                                       .forward = step_forward,
                                       .backward = step_backward};

static int setup(dl_layer *layer, dl_error *error) {
    return dl_recurrent_setup(layer, &cell, 0, error);
}

const dl_layer_type dl_layer_gru = {
    .kind = {"gru",
             "gated recurrent unit: like lstm with three gates instead of four, so a quarter less "
             "computation; often as accurate",
             sizeof(gru), options},
    .setup = setup,
    .forward = dl_recurrent_forward,
    .backward = dl_recurrent_backward,
    .reach = dl_recurrent_reach,
};

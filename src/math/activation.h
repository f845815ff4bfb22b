/* SPDX-License-Identifier: MIT */
/* Activation functions, with the preceding bias and its gradient in the same pass. */
#ifndef DL_MATH_ACTIVATION_H
#define DL_MATH_ACTIVATION_H

#include <stdbool.h>
#include <stdint.h>

/* Every activation function, linear first. A new one: its file, activation_NAME.c, and here a line
   F(CONSTANT, name, help), followed by P(name, default, least, most, help, a, b) for a
   parameter. */
#define DL_ACTIVATIONS(F, P, a, b)                                                                 \
    F(LINEAR, linear, "the identity: no activation")                                               \
    F(SIGMOID, sigmoid, "1 / (1 + e^-x), from 0 to 1")                                             \
    F(TANH, tanh, "hyperbolic tangent, from -1 to 1")                                              \
    F(RELU, relu, "max(x, 0)")                                                                     \
    F(LEAKY_RELU, leaky_relu, "x for x > 0, else slope * x")                                       \
    P(slope, "0.01", 0, 1, "slope of leaky_relu for negative inputs", a, b)                        \
    F(ELU, elu, "x for x > 0, else alpha * (e^x - 1)")                                             \
    P(alpha, "1.0", 0, 100, "scale of elu for negative inputs, which tend to -alpha", a, b)        \
    F(STEP, step, "0 for x < 0, else 1; for the loss perceptron")                                  \
    F(SELU, selu,                                                                                  \
      "elu, scaled so that activations keep mean 0 and variance 1 from layer to layer")            \
    F(SOFTPLUS, softplus, "ln(1 + e^x), a smooth relu")                                            \
    F(SOFTSIGN, softsign, "x / (1 + |x|), from -1 to 1")                                           \
    F(HARD_TANH, hard_tanh, "x clipped to -1 and 1")                                               \
    F(SOFTMAX, softmax, "e^x / (sum of e^x over the channels): probabilities")                     \
    F(GELU, gelu, "x * Phi(x), with the normal distribution function Phi; for transformers")       \
    F(SWISH, swish, "x * sigmoid(x), also called SiLU")                                            \
    F(MISH, mish, "x * tanh(softplus(x))")                                                         \
    F(RELU6, relu6, "x clipped to 0 and 6; for mobile networks")                                   \
    F(HARD_SIGMOID, hard_sigmoid, "hard_slope * x + 0.5, clipped to 0 and 1")                      \
    P(hard_slope, "0.1666666667", 0, 10, "slope of hard_sigmoid at 0", a, b)                       \
    F(HARD_SWISH, hard_swish, "x * hard_sigmoid(x), with the slope 1/6")

#define DL_ACTIVATION_CONSTANT(constant, name, help) DL_##constant,
#define DL_ACTIVATION_FIELD(name, ...) double name;
#define DL_NO_FUNCTION(...)
#define DL_NO_PARAMETER(...)

typedef enum { DL_ACTIVATIONS(DL_ACTIVATION_CONSTANT, DL_NO_PARAMETER, , ) } dl_activation_kind;

/* The names, in the order of the enum; NULL at the end. */
extern const char *const dl_activation_names[];

typedef struct {
    int kind;      /* a dl_activation_kind */
    bool straight; /* use 1 as the derivative of step (straight-through estimator) */
    DL_ACTIVATIONS(DL_NO_FUNCTION, DL_ACTIVATION_FIELD, , ) /* slope, alpha, … */
} dl_activation;

/* One row, on the calling thread, for activation_NAME.c (see activation_row.h). */
typedef struct {
    /* y[channels] = f(x + bias); bias may be NULL; y may be the same as x. */
    void (*row)(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                float *y);
    /* dx = f'(x) dy, from the output y, or `from_input`: then y is x; dx may be the same as dy. */
    void (*derive)(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx);
    bool from_input;
    bool over_channels; /* like softmax: an output depends on all channels of its row */
    bool rectifies;     /* like relu: default initialization he, else xavier */
    double low, high; /* saturated outputs, with a slope under 1 %, are beyond these; 0, 0: none */
} dl_activation_type;

const dl_activation_type *dl_activation_of(const dl_activation *f);

/* y[rows][channels] = f(x + bias), where bias[channels] may be NULL; x and y may be the same.
   Softmax is over the channels of a row. */
void dl_activate(const dl_activation *f, int64_t rows, int64_t channels, const float *bias,
                 const float *x, float *y);
/* dx = f'(x) dy, from the output y = f(x), or `from_input`: then y is x. dx may be dy. Unless it is
   NULL, bias_grad[channels] += sum of dx over the rows, in an order independent of the threads. */
void dl_activate_backward(const dl_activation *f, int64_t rows, int64_t channels, const float *y,
                          const float *dy, float *dx, float *bias_grad);
/* Guided backpropagation: removes the negative gradients dy[count] of the output of a function that
   rectifies. Springenberg et al., "Striving for simplicity: the all convolutional net", 2015. */
void dl_activation_guide(const dl_activation *f, int64_t count, float *dy);

/* One row of the two above, on the calling thread. */
void dl_activate_row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                     float *y);
void dl_activate_backward_row(const dl_activation *f, int64_t channels, const float *y,
                              const float *dy, float *dx);

/* y = f(a + b), element by element (not for softmax); y may be the same as either. */
void dl_activate_sum(const dl_activation *f, int64_t count, const float *a, const float *b,
                     float *y);
/* dx = f'(y) dy, and dy becomes the same, in one pass (not for softmax). */
void dl_activate_backward_both(const dl_activation *f, int64_t count, const float *y, float *dy,
                               float *dx);

#endif

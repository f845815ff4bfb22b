/* SPDX-License-Identifier: MIT */
/* Activation functions, with the bias before them and its gradient behind them in the same pass. */
#ifndef DL_MATH_ACTIVATION_H
#define DL_MATH_ACTIVATION_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    DL_LINEAR,
    DL_SIGMOID,
    DL_TANH,
    DL_RELU,
    DL_LEAKY_RELU,
    DL_ELU,
    DL_STEP,
    DL_SELU,
    DL_SOFTPLUS,
    DL_SOFTSIGN,
    DL_HARD_TANH,
    DL_SOFTMAX,
    DL_GELU, /* these two are no functions that can be derived from their output */
    DL_SWISH
} dl_activation_kind;

/* The names, in the order of the enum; NULL at the end. The first list leaves out those that need
   their input for the derivative. */
extern const char *const dl_activation_names[], *const dl_activation_all_names[];

typedef struct {
    int kind;      /* a dl_activation_kind */
    double slope;  /* of leaky_relu for x < 0 */
    double alpha;  /* of elu: alpha (e^x - 1) for x < 0 */
    bool straight; /* step's derivative is taken to be 1, for losses that want it so */
} dl_activation;

/* y[rows][channels] = f(x + bias), where bias[channels] may be NULL; x and y may be the same.
   Softmax is over the channels of a row. */
void dl_activate(const dl_activation *f, int64_t rows, int64_t channels, const float *bias,
                 const float *x, float *y);
/* dx = f'(x) dy, from the output y = f(x), for gelu and swish from the input: then y is x here; dx
   may be the same as dy. If bias_grad[channels] is not NULL the sum of dx over the rows is added to
   it, in an order that does not depend on the threads.
 */
void dl_activate_backward(const dl_activation *f, int64_t rows, int64_t channels, const float *y,
                          const float *dy, float *dx, float *bias_grad);

/* One row of the two above, on the calling thread: y[channels] = f(x + bias), and dx = f'(x) dy
 * (for gelu and swish y is x).
 */
void dl_activate_row(const dl_activation *f, int64_t channels, const float *bias, const float *x,
                     float *y);
void dl_derive_row(const dl_activation *f, int64_t channels, const float *y, const float *dy,
                   float *dx);

/* y = f(a + b), element by element (not for softmax); y may be the same as either. */
void dl_activate_sum(const dl_activation *f, int64_t count, const float *a, const float *b,
                     float *y);
/* dx = f'(y) dy, and dy becomes the same, in one pass (not for softmax). */
void dl_activate_backward_both(const dl_activation *f, int64_t count, const float *y, float *dy,
                               float *dx);

#endif

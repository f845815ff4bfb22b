/* SPDX-License-Identifier: MIT */
/* Options and declarations that layers with a weight matrix share. */
#ifndef DL_LAYERS_WEIGHTS_H
#define DL_LAYERS_WEIGHTS_H

#include "layers/layer.h"

typedef struct {
    bool bias, orthogonal;
    double bias_init;
    dl_init init;
    dl_activation activation;
} dl_weights;

extern const char *const dl_weights_init_names[]; /* "auto", then the initializers' names */

/* The rows of an option table for a dl_weights at `field` of `owner`: all of them, and those of a
   layer without an activation. */
#define DL_WEIGHTS_OPTIONS(owner, field)                                                           \
    DL_ACTIVATION_OPTIONS(owner, field.activation, "linear"), DL_WEIGHT_OPTIONS(owner, field)

/* Of a layer whose weight is one matrix. */
#define DL_ORTHOGONAL_OPTION(owner, field, matrix)                                                 \
    DL_BOOL_OPTION(                                                                                \
        "orthogonal", owner, field, "false",                                                       \
        "true: the columns of " matrix " (or its rows, if they are fewer) begin and stay of "      \
        "length 1 and at right angles, so that lengths neither grow nor fade: each step of "       \
        "the optimizer is bent along such matrices (by a Cayley transform, which costs the "       \
        "cube of the matrix's side). init, penalties and max_norm do not apply to it, and an "     \
        "average of such weights is none")

#define DL_WEIGHT_OPTIONS(owner, field)                                                            \
    DL_BOOL_OPTION("bias", owner, field.bias, "true", "add a learned bias to each output"),        \
        DL_FLOAT_OPTION(                                                                           \
            "bias_init", owner, field.bias_init, "0.0", -1000, 1000,                               \
            "what the biases begin with; 0.01 or 0.1 before relu, so that no unit begins dead"),   \
        DL_INIT_OPTIONS(owner, field.init, "auto", "0.01", dl_weights_init_names,                  \
                        "; auto is he before relu and functions like it (leaky_relu, elu, gelu, "  \
                        "…), else xavier")

/* Whether a layer that says `orthogonal` has the matrix: 0, or -1 and an error. */
int dl_weights_check_orthogonal(const dl_layer *layer, bool orthogonal, dl_error *error);
/* What `init` asks for. */
const dl_initializer *dl_weights_initializer(const dl_weights *weights);
/* Declares parameter 0, "weight" of that shape, and parameter 1, "bias"[outputs], if there is one.
 */
void dl_weights_declare(dl_layer *layer, const dl_weights *weights, dl_shape shape, int64_t fan_in,
                        int64_t fan_out, int outputs);
/* Whether nothing comes after the bias: for a layer's ends_in_bias. */
static inline bool dl_weights_end_in_bias(const dl_weights *weights) {
    return weights->bias && weights->activation.kind == DL_LINEAR;
}
/* The bias's values and gradients, or NULL. */
float *dl_weights_bias(const dl_layer *layer);
float *dl_weights_bias_grad(const dl_layer *layer);

#endif

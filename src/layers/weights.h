/* SPDX-License-Identifier: MIT */
/* Options and parameters of layers with a weight matrix and a bias. */
#ifndef DL_LAYERS_WEIGHTS_H
#define DL_LAYERS_WEIGHTS_H

#include "layers/layer.h"

typedef struct {
    bool bias, orthogonal;
    double bias_init;
    struct config_setting_t *bias_values; /* NULL: none */
    dl_init init;
    dl_activation activation;
} dl_weights;

extern const char *const dl_weights_init_names[]; /* "auto", the initializers' names, "values" */

/* The options of a dl_weights at `field` of `owner`; DL_WEIGHT_OPTIONS: without the activation. */
#define DL_WEIGHTS_OPTIONS(owner, field)                                                           \
    DL_ACTIVATION_OPTIONS(owner, field.activation, "linear"), DL_WEIGHT_OPTIONS(owner, field)

/* For layers whose weight is one matrix. */
#define DL_ORTHOGONAL_OPTION(owner, field, matrix)                                                 \
    DL_BOOL_OPTION(                                                                                \
        "orthogonal", owner, field, "false",                                                       \
        "keep the columns of " matrix " (or its rows, if fewer) orthonormal, so that signals "     \
        "neither grow nor fade: it starts as a random orthogonal matrix, and each step of the "    \
        "optimizer becomes a rotation (Cayley transform, whose cost is cubic in the size of the "  \
        "matrix). init, penalties and max_norm do not apply to it, and averages of its weights "   \
        "are not orthogonal")

#define DL_WEIGHT_OPTIONS(owner, field)                                                            \
    DL_BOOL_OPTION("bias", owner, field.bias, "true", "add a learned bias to each output"),        \
        DL_FLOAT_OPTION("bias_init", owner, field.bias_init, "0.0", -1000, 1000,                   \
                        "initial bias; 0.01 to 0.1 before relu avoids units that never activate"), \
        DL_SETTING_OPTION("bias_values", owner, field.bias_values, DL_NO_DEFAULT,                  \
                          "initial biases, one per output, instead of bias_init"),                 \
        DL_VALUES_OPTION(owner, field.init),                                                       \
        DL_INIT_OPTIONS(owner, field.init, "auto", "0.01", dl_weights_init_names,                  \
                        "; auto is he before relu and similar functions (leaky_relu, elu, gelu, "  \
                        "…), else xavier")

#define DL_VALUES_OPTION(owner, field)                                                             \
    DL_SETTING_OPTION("values", owner, field.values, DL_NO_DEFAULT,                                \
                      "the weights for init = \"values\", flat or nested as dlinspect net shows "  \
                      "their shape: (0.028, -0.258, -0.189). More of them: training.init_from")

/* 0, or -1 and an error if `orthogonal` is set but the layer shares its weights. */
int dl_weights_check_orthogonal(const dl_layer *layer, bool orthogonal, dl_error *error);
const dl_initializer *dl_weights_initializer(const dl_weights *weights);
/* Sets param->values for init = "values": 0, or -1 and an error. */
int dl_weights_read_values(const dl_layer *layer, const dl_init *init, dl_param *param,
                           dl_error *error);
/* Declares parameter 0, "weight" of that shape, and with `bias` parameter 1, "bias"[outputs]. 0, or
   -1 and an error about their values. */
int dl_weights_declare(dl_layer *layer, const dl_weights *weights, dl_shape shape, int64_t fan_in,
                       int64_t fan_out, int outputs, dl_error *error);
/* Whether the bias is the last operation: for ends_in_bias. */
static inline bool dl_weights_end_in_bias(const dl_weights *weights) {
    return weights->bias && weights->activation.kind == DL_LINEAR;
}
/* Values and gradients of the bias, or NULL. */
float *dl_weights_bias(const dl_layer *layer);
float *dl_weights_bias_grad(const dl_layer *layer);

#endif

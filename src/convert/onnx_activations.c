/* SPDX-License-Identifier: MIT */
#include "convert/onnx_layer.h"

#include <math.h>
#include <string.h>

/* ---- activations ---- */

const char *dl_onnx_unary(dl_onnx_export *x, const char *op, const char *in, const char *suffix) {
    const char *name = dl_onnx_name(x, in, suffix);
    dl_onnx_node(&x->graph, op, name, in, NULL);
    return name;
}

const char *dl_onnx_binary(dl_onnx_export *x, const char *op, const char *a, const char *b,
                           const char *suffix) {
    const char *name = dl_onnx_name(x, a, suffix);
    dl_onnx_node(&x->graph, op, name, a, b, NULL);
    return name;
}

const char *dl_onnx_constant(dl_onnx_export *x, const char *in, const char *suffix, double value) {
    return dl_onnx_number(&x->graph, dl_onnx_name(x, in, suffix), (float)value);
}

/* x/2 (1 + erf(x / sqrt(2))) */
static const char *gelu(dl_onnx_export *x, const char *in) {
    const char *scaled =
        dl_onnx_binary(x, "Mul", in, dl_onnx_constant(x, in, "rsqrt2", sqrt(0.5)), "scaled");
    const char *share = dl_onnx_binary(x, "Add", dl_onnx_unary(x, "Erf", scaled, "erf"),
                                       dl_onnx_constant(x, in, "one", 1), "plus_one");
    return dl_onnx_binary(
        x, "Mul", dl_onnx_binary(x, "Mul", in, dl_onnx_constant(x, in, "half", 0.5), "halved"),
        share, "gelu");
}

static const char *step(dl_onnx_export *x, const char *in) {
    const char *above =
        dl_onnx_binary(x, "GreaterOrEqual", in, dl_onnx_constant(x, in, "zero", 0), "above");
    const char *name = dl_onnx_name(x, in, "step");
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, "Cast", name, above, NULL);
    dl_onnx_set_int(&x->graph, node, "to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    return name;
}

static const char *clip(dl_onnx_export *x, const char *in, double low, double high) {
    const char *name = dl_onnx_name(x, in, "clip");
    dl_onnx_node(&x->graph, "Clip", name, in, dl_onnx_constant(x, in, "low", low),
                 dl_onnx_constant(x, in, "high", high), NULL);
    return name;
}

static const char *with_float(dl_onnx_export *x, const char *op, const char *in, const char *key,
                              double value) {
    const char *name = dl_onnx_name(x, in, op);
    Onnx__NodeProto *node = dl_onnx_node(&x->graph, op, name, in, NULL);
    dl_onnx_set_float(&x->graph, node, key, value);
    return name;
}

const char *dl_onnx_activation(dl_onnx_export *x, const dl_activation *f, const char *in,
                               int64_t axis) {
    static const struct {
        const char *name, *op;
    } plain[] = {{"sigmoid", "Sigmoid"},     {"tanh", "Tanh"},         {"relu", "Relu"},
                 {"selu", "Selu"},           {"softplus", "Softplus"}, {"softsign", "Softsign"},
                 {"hard_swish", "HardSwish"}};
    const char *name = dl_activation_names[f->kind];
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (!strcmp(name, plain[i].name))
            return dl_onnx_unary(x, plain[i].op, in, name);
    switch (f->kind) {
    case DL_LINEAR:
        return in;
    case DL_LEAKY_RELU:
        return with_float(x, "LeakyRelu", in, "alpha", f->slope);
    case DL_ELU:
        return with_float(x, "Elu", in, "alpha", f->alpha);
    case DL_HARD_TANH:
        return clip(x, in, -1, 1);
    case DL_RELU6:
        return clip(x, in, 0, 6);
    case DL_HARD_SIGMOID:
        return with_float(x, "HardSigmoid", in, "alpha", f->hard_slope);
    case DL_STEP:
        return step(x, in);
    case DL_GELU:
        return gelu(x, in);
    case DL_SWISH:
        return dl_onnx_binary(x, "Mul", in, dl_onnx_unary(x, "Sigmoid", in, "sigmoid"), "swish");
    case DL_SOFTMAX: {
        const char *made = dl_onnx_name(x, in, "softmax");
        dl_onnx_set_int(&x->graph, dl_onnx_node(&x->graph, "Softmax", made, in, NULL), "axis",
                        axis);
        return made;
    }
    }
    if (!strcmp(name, "mish"))
        return dl_onnx_binary(
            x, "Mul", in,
            dl_onnx_unary(x, "Tanh", dl_onnx_unary(x, "Softplus", in, "softplus"), "tanh"), "mish");
    return NULL;
}

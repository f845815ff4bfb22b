/* SPDX-License-Identifier: MIT */
#include "layers/weights.h"

const char *const dl_weights_init_names[] = {"auto", DL_INITIALIZER_NAMES, "values", NULL};

const dl_initializer *dl_weights_initializer(const dl_weights *weights) {
    if (weights->init.kind > 0)
        return &dl_initializers[weights->init.kind - 1];
    bool rectifies = dl_activation_of(&weights->activation)->rectifies;
    return &dl_initializers[rectifies ? DL_INIT_HE : DL_INIT_XAVIER];
}

int dl_weights_check_orthogonal(const dl_layer *layer, bool orthogonal, dl_error *error) {
    if (!orthogonal || layer->shares < 0)
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: \"%s\" shares its weights: set orthogonal in the layer that owns them",
                   layer->where, layer->name);
}

int dl_weights_read_values(const dl_layer *layer, const dl_init *init, dl_param *param,
                           dl_error *error) {
    bool wanted = param->initializer == &dl_initializers[DL_INIT_VALUES];
    if (!wanted && !init->values)
        return 0;
    if (!wanted)
        return dl_fail(error, DL_USAGE, "%s: values has no effect without init = \"values\"",
                       layer->where);
    if (layer->shares >= 0)
        return dl_fail(error, DL_USAGE,
                       "%s: \"%s\" shares its weights: set values in the layer that owns them",
                       layer->where, layer->name);
    char shape[48];
    if (!init->values)
        return dl_fail(error, DL_USAGE,
                       "%s: init = \"values\" needs values = (…), %lld numbers (%s)", layer->where,
                       (long long)dl_shape_size(param->shape), dl_shape_text(shape, param->shape));
    param->values = dl_layer_read_numbers(layer, "values", init->values, param->shape, error);
    return param->values ? 0 : -1;
}

static int declare_bias(dl_layer *layer, const dl_weights *weights, dl_param bias,
                        dl_error *error) {
    if (weights->bias_values && !weights->bias)
        return dl_fail(error, DL_USAGE, "%s: bias_values has no effect with bias = false",
                       layer->where);
    if (weights->bias_values) {
        bias.initializer = &dl_initializers[DL_INIT_VALUES];
        bias.values =
            dl_layer_read_numbers(layer, "bias_values", weights->bias_values, bias.shape, error);
        if (!bias.values)
            return -1;
    }
    if (weights->bias)
        dl_layer_add_param(layer, bias);
    return 0;
}

int dl_weights_declare(dl_layer *layer, const dl_weights *weights, dl_shape shape, int64_t fan_in,
                       int64_t fan_out, int outputs, dl_error *error) {
    const dl_initializer *initializer = dl_weights_initializer(weights);
    if (weights->orthogonal)
        initializer = &dl_initializers[DL_INIT_ORTHOGONAL];
    dl_param weight = {.name = "weight",
                       .shape = shape,
                       .flags = (weights->orthogonal ? DL_ORTHOGONAL : DL_DECAYS) | DL_OVERWRITES,
                       .initializer = initializer,
                       .argument =
                           weights->orthogonal ? 1 : dl_init_argument(&weights->init, initializer),
                       .fan_in = fan_in,
                       .fan_out = fan_out};
    if (dl_weights_read_values(layer, &weights->init, &weight, error))
        return -1;
    dl_layer_add_param(layer, weight);
    return declare_bias(layer, weights,
                        (dl_param){.name = "bias",
                                   .shape = dl_shape1(outputs),
                                   .initializer = &dl_initializers[DL_INIT_CONSTANT],
                                   .argument = weights->bias_init,
                                   .fan_in = fan_in,
                                   .fan_out = fan_out},
                        error);
}

float *dl_weights_bias(const dl_layer *layer) {
    return layer->param_count > 1 ? layer->params[1].value : NULL;
}

float *dl_weights_bias_grad(const dl_layer *layer) {
    return layer->param_count > 1 ? layer->params[1].grad : NULL;
}

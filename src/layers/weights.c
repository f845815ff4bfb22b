/* SPDX-License-Identifier: MIT */
#include "layers/weights.h"

const char *const dl_weights_init_names[] = {"auto", DL_INITIALIZER_NAMES, NULL};

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

void dl_weights_declare(dl_layer *layer, const dl_weights *weights, dl_shape shape, int64_t fan_in,
                        int64_t fan_out, int outputs) {
    const dl_initializer *initializer = dl_weights_initializer(weights);
    if (weights->orthogonal)
        initializer = &dl_initializers[DL_INIT_ORTHOGONAL];
    dl_layer_add_param(
        layer,
        (dl_param){.name = "weight",
                   .shape = shape,
                   .flags = (weights->orthogonal ? DL_ORTHOGONAL : DL_DECAYS) | DL_OVERWRITES,
                   .initializer = initializer,
                   .argument =
                       weights->orthogonal ? 1 : dl_init_argument(&weights->init, initializer),
                   .fan_in = fan_in,
                   .fan_out = fan_out});
    if (weights->bias)
        dl_layer_add_param(layer, (dl_param){.name = "bias",
                                             .shape = dl_shape1(outputs),
                                             .initializer = &dl_initializers[DL_INIT_CONSTANT],
                                             .argument = weights->bias_init,
                                             .fan_in = fan_in,
                                             .fan_out = fan_out});
}

float *dl_weights_bias(const dl_layer *layer) {
    return layer->param_count > 1 ? layer->params[1].value : NULL;
}

float *dl_weights_bias_grad(const dl_layer *layer) {
    return layer->param_count > 1 ? layer->params[1].grad : NULL;
}

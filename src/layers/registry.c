/* Every layer type there is. A new one: its file, a declaration and a line here. */
#include "layers/layer.h"

extern const dl_layer_type dl_layer_activation, dl_layer_add, dl_layer_batch_norm,
    dl_layer_global_avg_pool, dl_layer_pad, dl_layer_avg_pool, dl_layer_conv2d, dl_layer_dense,
    dl_layer_dropout, dl_layer_flatten, dl_layer_gru, dl_layer_lstm, dl_layer_max_pool,
    dl_layer_simple_rnn, dl_layer_softmax;

static const dl_kind *const kinds[] = {
    &dl_layer_dense.kind,
    &dl_layer_activation.kind,
    &dl_layer_softmax.kind,
    &dl_layer_conv2d.kind,
    &dl_layer_max_pool.kind,
    &dl_layer_avg_pool.kind,
    &dl_layer_flatten.kind,
    &dl_layer_dropout.kind,
    &dl_layer_add.kind,
    &dl_layer_batch_norm.kind,
    &dl_layer_global_avg_pool.kind,
    &dl_layer_pad.kind,
    &dl_layer_lstm.kind,
    &dl_layer_gru.kind,
    &dl_layer_simple_rnn.kind,
};

const dl_registry dl_layer_registry = {"layer", "layers", "layer", sizeof kinds / sizeof *kinds,
                                       kinds};

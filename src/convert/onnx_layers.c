/* SPDX-License-Identifier: MIT */
/* Which layers have an ONNX meaning. */
#include <string.h>

#include "convert/onnx_layer.h"

static const struct {
    const char *layer;
    int (*add)(dl_onnx_export *x, const dl_layer *layer, dl_error *error);
} table[] = {
    {"dense", dl_onnx_add_dense},
    {"maxout", dl_onnx_add_maxout},
    {"conv2d", dl_onnx_add_conv},
    {"conv1d", dl_onnx_add_conv},
    {"depthwise_conv2d", dl_onnx_add_depthwise},
    {"conv2d_transpose", dl_onnx_add_conv_transpose},
    {"max_pool", dl_onnx_add_max_pool},
    {"max_pool1d", dl_onnx_add_max_pool},
    {"avg_pool", dl_onnx_add_avg_pool},
    {"avg_pool1d", dl_onnx_add_avg_pool},
    {"global_avg_pool", dl_onnx_add_global_avg},
    {"global_max_pool", dl_onnx_add_global_max},
    {"batch_norm", dl_onnx_add_batch_norm},
    {"layer_norm", dl_onnx_add_layer_norm},
    {"group_norm", dl_onnx_add_group_norm},
    {"instance_norm", dl_onnx_add_group_norm},
    {"rms_norm", dl_onnx_add_rms_norm},
    {"local_response_norm", dl_onnx_add_local_response},
    {"filter", dl_onnx_add_filter},
    {"unpool", dl_onnx_add_unpool},
    {"add", dl_onnx_add_sum},
    {"multiply", dl_onnx_add_product},
    {"average", dl_onnx_add_mean},
    {"maximum", dl_onnx_add_maximum},
    {"shake", dl_onnx_add_mean},
    {"concat", dl_onnx_add_concat},
    {"dropout", dl_onnx_add_identity},
    {"spatial_dropout", dl_onnx_add_identity},
    {"gaussian_noise", dl_onnx_add_identity},
    {"gaussian_dropout", dl_onnx_add_identity},
    {"activation", dl_onnx_add_activation},
    {"softmax", dl_onnx_add_activation},
    {"prelu", dl_onnx_add_prelu},
    {"scale", dl_onnx_add_scale},
    {"flatten", dl_onnx_add_reshape},
    {"reshape", dl_onnx_add_reshape},
    {"pad", dl_onnx_add_pad},
    {"crop", dl_onnx_add_crop},
    {"upsample", dl_onnx_add_upsample},
    {"embedding", dl_onnx_add_embedding},
    {"one_hot", dl_onnx_add_one_hot},
    {"positional_encoding", dl_onnx_add_positions},
    {"lstm", dl_onnx_add_lstm},
    {"gru", dl_onnx_add_gru},
    {"simple_rnn", dl_onnx_add_rnn},
    {"multi_head_attention", dl_onnx_add_attention},
};

int dl_onnx_add_layer(dl_onnx_export *x, const dl_layer *layer, dl_error *error) {
    const char *name = layer->type->kind.name;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i].layer, name))
            return table[i].add(x, layer, error);
    return dl_fail(error, DL_USAGE, "%s: the layer \"%s\" of type %s has no ONNX meaning",
                   layer->where, layer->name, name);
}

/* SPDX-License-Identifier: MIT */
/* What the files onnx_*.c that turn layers into nodes share. */
#ifndef DL_CONVERT_ONNX_LAYER_H
#define DL_CONVERT_ONNX_LAYER_H

#include "convert/onnx_export.h"

/* Options of a layer, by key; NULL or the default where the layer has no such key. */
const void *dl_onnx_field(const dl_layer *l, const char *key);
int64_t dl_onnx_int(const dl_layer *l, const char *key, int64_t otherwise);
double dl_onnx_double(const dl_layer *l, const char *key);
int dl_onnx_choice(const dl_layer *l, const char *key);
bool dl_onnx_flag(const dl_layer *l, const char *key);
/* A parameter or state, by its own name; NULL: there is none. */
const dl_param *dl_onnx_param(const dl_layer *l, const char *name);
/* Input k of a layer. */
dl_onnx_value *dl_onnx_input(dl_onnx_export *x, const dl_layer *l, int k);
/* Names of the layer's output; NULL: not in that layout. */
void dl_onnx_set_output(dl_onnx_export *x, const dl_layer *l, const char *first, const char *last);
/* Applies the layer's activation to `made` and sets the output. */
int dl_onnx_finish(dl_onnx_export *x, const dl_layer *l, const char *made, bool first,
                   dl_error *error);
/* "layer.suffix" */
const char *dl_onnx_layer_name(dl_onnx_export *x, const dl_layer *l, const char *suffix);
/* Zeros, owned by the graph. */
float *dl_onnx_scratch(dl_onnx_export *x, int64_t count);
/* Nodes of one and two inputs, and a scalar, named after the first input. */
const char *dl_onnx_unary(dl_onnx_export *x, const char *op, const char *in, const char *suffix);
const char *dl_onnx_binary(dl_onnx_export *x, const char *op, const char *a, const char *b,
                           const char *suffix);
const char *dl_onnx_constant(dl_onnx_export *x, const char *in, const char *suffix, double value);
/* in · w[inputs][outputs] + b; b may be NULL. */
const char *dl_onnx_affine(dl_onnx_export *x, const dl_layer *l, const char *in, const char *suffix,
                           int64_t inputs, int64_t outputs, const float *w, const float *b);
/* Adds a Transpose of `count` axes. */
void dl_onnx_permute(dl_onnx_export *x, const char *in, const char *out, int count,
                     const int64_t *order);

/* The layers. */
int dl_onnx_add_dense(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_maxout(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_avg_pool(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_conv(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_conv_transpose(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_depthwise(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_filter(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_unpool(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_global_avg(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_global_max(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_max_pool(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_batch_norm(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_group_norm(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_layer_norm(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_local_response(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_rms_norm(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_activation(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_concat(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_identity(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_maximum(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_mean(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_prelu(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_product(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_scale(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_sum(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_crop(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_pad(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_reshape(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_upsample(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_embedding(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_gru(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_lstm(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_one_hot(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_positions(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_rnn(dl_onnx_export *x, const dl_layer *l, dl_error *error);
int dl_onnx_add_attention(dl_onnx_export *x, const dl_layer *l, dl_error *error);

#endif

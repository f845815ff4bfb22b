/* SPDX-License-Identifier: MIT */
/* A net as an ONNX graph. Images and sequences pass through it channels first where the operators
   want them so, and channels last elsewhere; a value is transposed once, where somebody needs it.
 */
#ifndef DL_CONVERT_ONNX_EXPORT_H
#define DL_CONVERT_ONNX_EXPORT_H

#include "convert/onnx_graph.h"
#include "net/net.h"

/* The names of a value in either layout; NULL: not made yet. Of rows both are the same. */
typedef struct {
    const char *first, *last;
    dl_shape shape; /* of a sample, channels last */
} dl_onnx_value;

typedef struct {
    dl_onnx_graph graph;
    const dl_net *net;
    dl_onnx_value *values; /* [1 + layer_count]; 0: the net's input */
} dl_onnx_export;

/* The value's name with channels first ([N, C, H, W], [N, C, T]) or last. */
const char *dl_onnx_first(dl_onnx_export *x, dl_onnx_value *value);
const char *dl_onnx_last(dl_onnx_export *x, dl_onnx_value *value);
/* The two layouts are the same: a row, or one position. */
bool dl_onnx_is_row(dl_shape shape);

/* Adds the nodes of a layer whose inputs are there. -1 and an error of DL_USAGE that begins with
   `layer->where` if it has no ONNX meaning. */
int dl_onnx_add_layer(dl_onnx_export *x, const dl_layer *layer, dl_error *error);
/* f(in): the name of the result. `axis`: of the channels. NULL: it has no ONNX meaning. */
const char *dl_onnx_activation(dl_onnx_export *x, const dl_activation *f, const char *in,
                               int64_t axis);
/* A constant for each channel, in a shape that is broadcast over a value of either layout. */
const char *dl_onnx_by_channel(dl_onnx_export *x, const char *name, dl_shape value, bool first,
                               const float *numbers);
/* in as [N, dims…]. */
const char *dl_onnx_reshape(dl_onnx_export *x, const char *in, const char *out, int rank,
                            const int64_t *dims);
/* A new name within the arena: "prefix.suffix", or with a number if there is one already. */
const char *dl_onnx_name(dl_onnx_export *x, const char *prefix, const char *suffix);

#endif

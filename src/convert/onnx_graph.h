/* SPDX-License-Identifier: MIT */
/* An ONNX graph under construction (IR 8, opset 17). Everything lives in the graph's arena; names
   of values are unique strings. */
#ifndef DL_CONVERT_ONNX_GRAPH_H
#define DL_CONVERT_ONNX_GRAPH_H

#include "base/memory.h"
#include "base/string_set.h"
#include "math/shape.h"
#include "onnx.pb-c.h"

typedef struct {
    dl_arena arena;
    Onnx__GraphProto proto;
    size_t node_room, initializer_room;
    dl_string_set names;
} dl_onnx_graph;

void dl_onnx_graph_open(dl_onnx_graph *graph, const char *name);
void dl_onnx_graph_close(dl_onnx_graph *graph);

/* Adds a node with one output, named `output`, and up to six inputs, the last one followed by NULL;
   "" stands for an optional input that is left out. */
Onnx__NodeProto *dl_onnx_node(dl_onnx_graph *graph, const char *op, const char *output, ...)
    __attribute__((sentinel));
void dl_onnx_add_input(dl_onnx_graph *graph, Onnx__NodeProto *node, const char *name);
void dl_onnx_set_int(dl_onnx_graph *graph, Onnx__NodeProto *node, const char *key, int64_t value);
void dl_onnx_set_float(dl_onnx_graph *graph, Onnx__NodeProto *node, const char *key, double value);
void dl_onnx_set_text(dl_onnx_graph *graph, Onnx__NodeProto *node, const char *key,
                      const char *value);
/* `count` times the same value. */
void dl_onnx_set_texts(dl_onnx_graph *graph, Onnx__NodeProto *node, const char *key, int count,
                       const char *value);
void dl_onnx_add_second_output(dl_onnx_graph *graph, Onnx__NodeProto *node, const char *name);
void dl_onnx_set_ints(dl_onnx_graph *graph, Onnx__NodeProto *node, const char *key, int count,
                      const int64_t *values);

/* Constants; `values` are copied. Return their name. */
const char *dl_onnx_floats(dl_onnx_graph *graph, const char *name, dl_shape shape,
                           const float *values);
const char *dl_onnx_ints(dl_onnx_graph *graph, const char *name, int count, const int64_t *values);
/* A constant of rank 0. */
const char *dl_onnx_number(dl_onnx_graph *graph, const char *name, float value);

/* Adds another input or output of floats: [batch][dims], batch symbolic ("N"). */
void dl_onnx_add_value(dl_onnx_graph *graph, bool output, const char *name, int rank,
                       const int64_t *dims);

#endif

/* SPDX-License-Identifier: MIT */
/* An ONNX graph on its way to a network. Nodes become layers in the order of the graph; each ONNX
   value is a constant or a view of the output of a layer. */
#ifndef DL_CONVERT_ONNX_IMPORT_H
#define DL_CONVERT_ONNX_IMPORT_H

#include "base/error.h"
#include "base/memory.h"
#include "base/string_set.h"
#include "convert/convert.h"
#include "layers/layer.h"
#include "math/activation.h"
#include "math/shape.h"
#include "onnx.pb-c.h"

enum { DL_ONNX_MAX_RANK = 8, DL_ONNX_MAX_ATOMS = 16 };
enum { DL_ONNX_LONGEST = 1 << 24 };       /* axis of an image or sequence */
enum { DL_ONNX_MOST_REPEATED = 1 << 18 }; /* copies of one number, as weights of a layer */
#define DL_ONNX_MOST ((int64_t)1 << 31)   /* elements of a value */

/* ---- constants ---- */

typedef struct {
    int rank;
    int64_t dim[DL_ONNX_MAX_RANK], count;
    bool uniform;          /* all elements are numbers[0], or floats[0] */
    const float *floats;   /* [count], or NULL: */
    const double *numbers; /* [count]: integers */
} dl_onnx_constant;

/* ---- views ----

   The axes of an ONNX value are products of atoms: parts of the axes of a layer's output. The
   memory of that output is the batch, then the atoms by ascending `place`. So a transposition
   reorders atoms, and a reshape groups them anew; neither moves data. */
typedef struct {
    int64_t size; /* > 1, or of the batch */
    int place;    /* 0: the batch */
} dl_onnx_atom;

typedef struct {
    int rank, atoms;
    int64_t dim[DL_ONNX_MAX_RANK];
    int end[DL_ONNX_MAX_RANK]; /* axis i has the atoms from end[i - 1] to end[i] */
    dl_onnx_atom atom[DL_ONNX_MAX_ATOMS];
} dl_onnx_view;

/* A view of a new output, with axis i at place[i] in memory. */
dl_onnx_view dl_onnx_view_of(int rank, const int64_t *dims, const int *places);
/* Reorders the axes. */
void dl_onnx_view_permute(dl_onnx_view *view, const int64_t *order);
/* Regroups the atoms; false: the axes do not divide so. `dims` has no -1. */
bool dl_onnx_view_reshape(dl_onnx_view *view, int rank, const int64_t *dims);
/* Whether two views of equal axes have one order in memory. */
bool dl_onnx_view_same(const dl_onnx_view *a, const dl_onnx_view *b);
/* The axes, the batch first, are in memory in the order order[rank]. */
bool dl_onnx_view_is(const dl_onnx_view *view, const int *order);
/* An order of the axes with the batch first that is the one in memory; false: there is none. */
bool dl_onnx_view_find_order(const dl_onnx_view *view, int *order);
/* A view of a new output whose axes are in memory in that order. */
dl_onnx_view dl_onnx_view_ordered(int rank, const int64_t *dims, const int *order);
int dl_onnx_view_batch_axis(const dl_onnx_view *view); /* -1: none is the batch alone */
/* [i]: the position, in the order of ONNX, of element i of a sample in memory; owned by the arena.
   NULL: the same. */
const int64_t *dl_onnx_view_order(const dl_onnx_view *view, dl_arena *arena);
int64_t dl_onnx_view_sample(const dl_onnx_view *view); /* elements */

/* ---- layers ---- */

enum { DL_ONNX_MAX_TENSORS = 8 };

typedef struct {
    const char *name; /* "weight" */
    float *values;    /* [count] in the order of dltrain */
    int64_t count;
} dl_onnx_tensor;

typedef struct {
    const char *type, *name;
    const char *origin;     /* of the node, for a comment */
    dl_text options;        /* "units = 10; " */
    const char *activation; /* its options, or NULL */
    bool activates;         /* has the option */
    bool takes_bias;        /* has none yet */
    bool pads;              /* a "pad" of an image by: */
    int64_t before[2], after[2];
    bool removed;
    int input_count, inputs[DL_MAX_INPUTS]; /* -1: the data */
    dl_shape shape;                         /* of its output */
    int tensor_count;
    dl_onnx_tensor tensors[DL_ONNX_MAX_TENSORS];
} dl_onnx_layer;

/* ---- values ---- */

typedef struct dl_onnx_curve dl_onnx_curve;

typedef struct {
    bool known, failed;
    int uses;                         /* nodes and graph outputs that read it */
    const dl_onnx_constant *constant; /* or: */
    int layer;                        /* -1: the data */
    dl_onnx_view view;
    const dl_onnx_curve *curve; /* a function of the layer's output, not a layer yet; or NULL */
} dl_onnx_in_value;

typedef struct {
    const char *path;
    dl_error *error;
    int errors; /* some are not reported */
    const dl_convert_options *options;
    dl_arena arena;
    const Onnx__GraphProto *graph;
    const Onnx__NodeProto *node; /* the current one */
    int64_t opset;
    bool own; /* written by dltrain */
    dl_string_set names;
    dl_onnx_in_value *values; /* [names.count] */
    dl_onnx_layer *layers;    /* [layer_count], owned */
    int layer_count, layer_room;
    dl_string_set layer_names;
    dl_shape input;
    int64_t batch;
    double *shift, *scale; /* of the input: [channels or 1]; NULL: not normalized */
    int64_t normalized;    /* their number */
    int end;               /* activation at the end, left to the loss: a dl_activation_kind */
    int64_t copied;        /* floats of weights */
    dl_text notes;
} dl_onnx_import;

/* Adds an error that names the current node. Returns -1. */
int dl_onnx_refuse(dl_onnx_import *in, const char *format, ...) DL_PRINTF(2, 3);

/* Reads a file or bytes; -1 and an error of DL_DATA. Freed by onnx__model_proto__free_unpacked. */
Onnx__ModelProto *dl_onnx_parse(const void *bytes, int64_t size, const char *path, dl_error *error);
/* A tensor of the file; NULL and an error. */
const dl_onnx_constant *dl_onnx_read_tensor(dl_onnx_import *in, const Onnx__TensorProto *tensor);
double dl_onnx_element(const dl_onnx_constant *c, int64_t i);
const dl_onnx_constant *dl_onnx_new_constant(dl_onnx_import *in, int rank, const int64_t *dims,
                                             const double *numbers, bool uniform);

/* Attributes of the current node. */
const Onnx__AttributeProto *dl_onnx_attribute(const dl_onnx_import *in, const char *name);
int64_t dl_onnx_get_int(const dl_onnx_import *in, const char *name, int64_t otherwise);
double dl_onnx_get_float(const dl_onnx_import *in, const char *name, double otherwise);
const char *dl_onnx_get_text(dl_onnx_import *in, const char *name, const char *otherwise);
/* Up to `most` integers; the number of them, 0: there is no such attribute. */
int dl_onnx_get_ints(const dl_onnx_import *in, const char *name, int most, int64_t *values);

dl_onnx_in_value *dl_onnx_find_value(dl_onnx_import *in, const char *name);
/* Input k of the current node; NULL: left out. */
dl_onnx_in_value *dl_onnx_value_of(dl_onnx_import *in, size_t k);
const dl_onnx_constant *dl_onnx_constant_of(dl_onnx_import *in, size_t k);
/* Sets output k of the current node. */
void dl_onnx_set_constant(dl_onnx_import *in, size_t k, const dl_onnx_constant *c);
void dl_onnx_set_view(dl_onnx_import *in, size_t k, int layer, const dl_onnx_view *view);
void dl_onnx_set_curve(dl_onnx_import *in, int layer, const dl_onnx_view *view,
                       const dl_onnx_curve *curve);
/* Output 0 is the value. */
void dl_onnx_pass(dl_onnx_import *in, const dl_onnx_in_value *value);

/* Adds a layer of the current node that reads `source`, or returns NULL and an error. `weight`: an
   initializer that it may be named after, or ""; NULL: it is named after its type. */
dl_onnx_layer *dl_onnx_new_layer(dl_onnx_import *in, const char *type, const char *weight,
                                 int source, dl_shape shape);
float *dl_onnx_add_tensor(dl_onnx_import *in, dl_onnx_layer *layer, const char *name,
                          int64_t count);
/* The shape of a layer's output, or of the data. */
dl_shape dl_onnx_shape_of(const dl_onnx_import *in, int layer);

/* Makes the value the output of a layer, whatever is pending: the layer, or -2 and an error. */
int dl_onnx_settle(dl_onnx_import *in, dl_onnx_in_value *value);
/* The same, in the order order[rank] of its axes and in the shape of a row, sequence or image (rank
   1 to 3); adds a layer that reshapes, if need be. -2 and an error. */
int dl_onnx_arrange(dl_onnx_import *in, dl_onnx_in_value *value, const int *order, int rank);

/* The same for an image or a sequence with channels at axis 1. */
int dl_onnx_arrange_channels(dl_onnx_import *in, dl_onnx_in_value *value);
/* The same, in an order that the value has; *order: that one. */
int dl_onnx_arrange_any(dl_onnx_import *in, dl_onnx_in_value *value, int *order);
/* A constant along one axis of a view, one number per position; NULL: it varies along others. */
const float *dl_onnx_by_axis(dl_onnx_import *in, const dl_onnx_constant *c,
                             const dl_onnx_view *view, int axis);

/* Element-wise operators, if the current node is one: 1; 0: it is another one; -1: an error. */
int dl_onnx_add_function(dl_onnx_import *in, dl_onnx_in_value *a, dl_onnx_in_value *b);
/* Operators: 0, or -1 and an error. */
typedef int dl_onnx_operator(dl_onnx_import *in);
dl_onnx_operator dl_onnx_in_conv, dl_onnx_in_conv_transpose, dl_onnx_in_pool, dl_onnx_in_global,
    dl_onnx_in_reduce, dl_onnx_in_pad, dl_onnx_in_resize, dl_onnx_in_gemm, dl_onnx_in_matmul,
    dl_onnx_in_batch_norm, dl_onnx_in_layer_norm, dl_onnx_in_instance_norm, dl_onnx_in_lrn,
    dl_onnx_in_prelu, dl_onnx_in_softmax, dl_onnx_in_arithmetic, dl_onnx_in_concat,
    dl_onnx_in_gather, dl_onnx_in_slice, dl_onnx_in_shape, dl_onnx_in_reshape, dl_onnx_in_transpose,
    dl_onnx_in_same, dl_onnx_in_constant, dl_onnx_in_recurrent, dl_onnx_in_function,
    dl_onnx_in_fill, dl_onnx_in_dropout;

/* Fills the layers of `in`, whose path, error and options are set. */
int dl_onnx_translate(dl_onnx_import *in, const Onnx__ModelProto *model);
void dl_onnx_import_free(dl_onnx_import *in);
/* Adds the config to `text`. */
void dl_onnx_write_config(dl_onnx_import *in, const Onnx__ModelProto *model, dl_text *text);
/* The format's `read`. */
int dl_onnx_read(const char *path, const dl_convert_options *options, const char *folder,
                 dl_error *error);

#endif

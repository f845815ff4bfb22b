/* SPDX-License-Identifier: MIT */
/* Dense layers, normalization, and what combines values, from ONNX. */
#include <math.h>
#include <string.h>

#include "convert/onnx_import.h"

static const int row_order[] = {0, 1};
enum { MOST_PERMUTED = 1 << 22 }; /* elements of a flattened image */

static void add_number(dl_text *text, const char *key, double value) {
    char number[32];
    dl_text_double(number, (double)(float)value);
    dl_text_add(text, "%s = %s; ", key, number);
}

/* ---- dense ---- */

/* The value as rows, in the memory's order; *order: where its elements are in the file's. */
static int arrange_rows(dl_onnx_import *in, dl_onnx_in_value *value, const int64_t **order) {
    int layer = dl_onnx_settle(in, value);
    if (layer == -2)
        return -2;
    if (value->view.rank != 2 || dl_onnx_view_batch_axis(&value->view) != 0) {
        dl_onnx_refuse(in, "its input must be rows");
        return -2;
    }
    if (!dl_onnx_view_is(&value->view, row_order) && value->view.dim[1] > MOST_PERMUTED) {
        dl_onnx_refuse(in, "its input is too large to be read in another order");
        return -2;
    }
    *order = dl_onnx_view_order(&value->view, &in->arena);
    dl_shape shape = dl_onnx_shape_of(in, layer);
    if (shape.rank != 2) /* of rows, and of images, which a dense layer flattens */
        return layer;
    if (!dl_onnx_new_layer(in, "flatten", NULL, layer, dl_shape1((int)value->view.dim[1])))
        return -2;
    return in->layer_count - 1;
}

/* x W, W[i][o] at i · step[0] + o · step[1] of the constant, times a factor. */
typedef struct {
    const dl_onnx_constant *c;
    int64_t inputs, outputs, step[2];
    double factor;
} matrix;

static dl_onnx_layer *add_dense(dl_onnx_import *in, int source, const matrix *m,
                                const int64_t *order, dl_shape shape) {
    dl_onnx_layer *layer = dl_onnx_new_layer(in, "dense", in->node->input[1], source, shape);
    if (!layer)
        return NULL;
    in->copied += m->c->count;
    if (in->copied > (int64_t)1 << 33) {
        dl_onnx_refuse(in, "it has too many weights");
        return NULL;
    }
    dl_text_add(&layer->options, "units = %lld; ", (long long)m->outputs);
    layer->activates = layer->takes_bias = true;
    float *w = dl_onnx_add_tensor(in, layer, "weight", m->inputs * m->outputs);
    for (int64_t i = 0; i < m->inputs; i++)
        for (int64_t o = 0; o < m->outputs; o++)
            w[i * m->outputs + o] =
                (float)(m->factor * dl_onnx_element(m->c, (order ? order[i] : i) * m->step[0] +
                                                              o * m->step[1]));
    return layer;
}

static bool is_matrix(dl_onnx_import *in, const dl_onnx_constant *c, int64_t inputs, bool turned,
                      matrix *m) {
    if (!c || c->uniform || c->rank != 2 || c->count < 1 || c->dim[turned] != inputs) {
        dl_onnx_refuse(in, "its weight must be a constant matrix with %lld inputs",
                       (long long)inputs);
        return false;
    }
    *m = (matrix){c, inputs, c->dim[!turned], {turned ? 1 : c->dim[1], turned ? inputs : 1}, 1};
    return true;
}

int dl_onnx_in_gemm(dl_onnx_import *in) {
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    const dl_onnx_constant *bias = dl_onnx_constant_of(in, 2);
    const int64_t *order;
    matrix m;
    if (value->constant || dl_onnx_get_int(in, "transA", 0) || (dl_onnx_value_of(in, 2) && !bias))
        return dl_onnx_refuse(in, "transA and a bias that is not constant are not supported");
    int source = arrange_rows(in, value, &order);
    if (source == -2 || !is_matrix(in, dl_onnx_constant_of(in, 1), value->view.dim[1],
                                   dl_onnx_get_int(in, "transB", 0) != 0, &m))
        return -1;
    const int64_t dims[2] = {value->view.dim[0], m.outputs};
    dl_onnx_view view = dl_onnx_view_of(2, dims, row_order);
    const float *addends = bias ? dl_onnx_by_axis(in, bias, &view, 1) : NULL;
    if (bias && !addends)
        return dl_onnx_refuse(in, "its bias has another shape than its outputs");
    m.factor = dl_onnx_get_float(in, "alpha", 1);
    if (m.outputs > INT32_MAX)
        return dl_onnx_refuse(in, "it has too many outputs");
    dl_onnx_layer *layer = add_dense(in, source, &m, order, dl_shape1((int)m.outputs));
    if (!layer)
        return -1;
    dl_onnx_set_view(in, 0, in->layer_count - 1, &view);
    layer->takes_bias = !bias;
    if (!bias)
        return 0;
    float *made = dl_onnx_add_tensor(in, layer, "bias", m.outputs), /* beta · C */
        beta = (float)dl_onnx_get_float(in, "beta", 1);
    for (int64_t o = 0; o < m.outputs; o++)
        made[o] = beta * addends[o];
    return 0;
}

/* Of rows, and over the last axis of a sequence. */
int dl_onnx_in_matmul(dl_onnx_import *in) {
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    int rank = value->view.rank, source, order[4];
    const int64_t *rows = NULL;
    matrix m;
    if (value->constant || rank < 2 || rank > 3)
        return dl_onnx_refuse(in, "it must be of rows or a sequence and a constant matrix");
    if (rank == 2)
        source = arrange_rows(in, value, &rows);
    else
        source = dl_onnx_arrange_any(in, value, order);
    if (source == -2)
        return -1;
    if (rank == 3 && order[2] != 2)
        return dl_onnx_refuse(in, "its input would have to be transposed, which no layer does");
    if (!is_matrix(in, dl_onnx_constant_of(in, 1), value->view.dim[rank - 1], false, &m) ||
        m.outputs > INT32_MAX)
        return -1;
    dl_shape shape = dl_shape1((int)m.outputs);
    if (rank == 3)
        shape = dl_shape2((int)value->view.dim[order[1]], (int)m.outputs);
    if (!add_dense(in, source, &m, rows, shape))
        return -1;
    dl_onnx_view view = value->view;
    view.dim[rank - 1] = m.outputs;
    view = dl_onnx_view_ordered(rank, view.dim, rank == 3 ? order : row_order);
    dl_onnx_set_view(in, 0, in->layer_count - 1, &view);
    return 0;
}

/* ---- normalization ---- */

/* Copies constant k, one number per channel, from the order of the file to that of the memory. */
static int copy_channels(dl_onnx_import *in, size_t k, const char *name, const int64_t *order,
                         int64_t channels) {
    const dl_onnx_constant *c = dl_onnx_constant_of(in, k);
    if (!c || c->count != channels)
        return dl_onnx_refuse(in, "its %s must be a constant of %lld numbers", name,
                              (long long)channels);
    in->copied += channels;
    float *made = dl_onnx_add_tensor(in, &in->layers[in->layer_count - 1], name, channels);
    for (int64_t i = 0; i < channels; i++)
        made[i] = (float)dl_onnx_element(c, order ? order[i] : i);
    return 0;
}

/* A layer over channels, of axis 1 if `first`, else the last one. */
static dl_onnx_layer *add_norm(dl_onnx_import *in, const char *type, bool first,
                               const int64_t **order) {
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    int axes[4], source;
    *order = NULL;
    if (!value->constant && value->view.rank == 2)
        source = arrange_rows(in, value, order);
    else
        source = dl_onnx_arrange_any(in, value, axes);
    if (source == -2)
        return NULL;
    dl_shape shape = dl_onnx_shape_of(in, source);
    int rank = value->view.rank, channels = first ? 1 : rank - 1;
    if (rank > 2 && axes[rank - 1] != channels) {
        dl_onnx_refuse(in, "its input would have to be transposed, which no layer does");
        return NULL;
    }
    if (rank == 2 && shape.rank != 1) { /* an image as a row */
        if (!dl_onnx_new_layer(in, "flatten", NULL, source, dl_shape1((int)value->view.dim[1])))
            return NULL;
        source = in->layer_count - 1;
        shape = dl_onnx_shape_of(in, source);
    }
    const char *weight = in->node->n_input > 1 ? in->node->input[1] : "";
    dl_onnx_layer *layer = dl_onnx_new_layer(in, type, weight, source, shape);
    if (layer) {
        layer->activates = true;
        dl_onnx_set_view(in, 0, in->layer_count - 1, &value->view);
    }
    return layer;
}

int dl_onnx_in_batch_norm(dl_onnx_import *in) {
    static const char *const names[] = {"scale", "shift", "mean", "variance"};
    const int64_t *order;
    if (dl_onnx_get_int(in, "training_mode", 0) || !dl_onnx_get_int(in, "spatial", 1))
        return dl_onnx_refuse(in, "training_mode = 1 and spatial = 0 are not supported");
    dl_onnx_layer *layer = add_norm(in, "batch_norm", true, &order);
    if (!layer)
        return -1;
    double epsilon = dl_onnx_get_float(in, "epsilon", 1e-5);
    double momentum = 1 - dl_onnx_get_float(in, "momentum", 0.9);
    if (!(epsilon >= 1e-12 && epsilon <= 1))
        return dl_onnx_refuse(in, "its epsilon must be from 1e-12 to 1");
    if (fabs(epsilon - 1e-5) > 1e-12)
        add_number(&layer->options, "epsilon", epsilon);
    if (momentum > 0 && momentum <= 1 && fabs(momentum - 0.1) > 1e-6)
        add_number(&layer->options, "momentum", momentum);
    int64_t channels = dl_shape_channels(layer->shape);
    for (size_t k = 0; k < 4; k++)
        if (copy_channels(in, k + 1, names[k], order, channels))
            return -1;
    return 0;
}

static int finish_norm(dl_onnx_import *in, dl_onnx_layer *layer, const int64_t *order) {
    double epsilon = dl_onnx_get_float(in, "epsilon", 1e-5);
    int64_t channels = dl_shape_channels(layer->shape);
    if (!(epsilon >= 1e-12 && epsilon <= 1))
        return dl_onnx_refuse(in, "its epsilon must be from 1e-12 to 1");
    if (fabs(epsilon - 1e-5) > 1e-12)
        add_number(&layer->options, "epsilon", epsilon);
    if (in->node->n_input < 3 || !*in->node->input[2])
        dl_text_add(&layer->options, "shift = false; ");
    else if (copy_channels(in, 2, "shift", order, channels))
        return -1;
    return copy_channels(in, 1, "scale", order, channels);
}

int dl_onnx_in_layer_norm(dl_onnx_import *in) {
    const int64_t *order, axis = dl_onnx_get_int(in, "axis", -1);
    const dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    if (!value->constant && axis != -1 && axis != value->view.rank - 1)
        return dl_onnx_refuse(in, "its axis must be the last one");
    if (in->node->n_output > 1)
        return dl_onnx_refuse(in, "outputs beyond the first are not supported");
    dl_onnx_layer *layer = add_norm(in, "layer_norm", false, &order);
    return layer ? finish_norm(in, layer, order) : -1;
}

int dl_onnx_in_instance_norm(dl_onnx_import *in) {
    const int64_t *order;
    dl_onnx_layer *layer = add_norm(in, "instance_norm", true, &order);
    return layer ? finish_norm(in, layer, order) : -1;
}

int dl_onnx_in_lrn(dl_onnx_import *in) {
    const int64_t *order, size = dl_onnx_get_int(in, "size", 0);
    dl_onnx_layer *layer = size > 0 && size <= 1024 && size % 2
                               ? add_norm(in, "local_response_norm", true, &order)
                               : NULL;
    double alpha = dl_onnx_get_float(in, "alpha", 1e-4), beta = dl_onnx_get_float(in, "beta", 0.75);
    double k = dl_onnx_get_float(in, "bias", 1);
    if (!layer || !isfinite(alpha + beta + k))
        return dl_onnx_refuse(in, "it must be of channels, of an odd size");
    layer->activates = false;
    dl_text_add(&layer->options, "size = %lld; ", (long long)size);
    add_number(&layer->options, "alpha", alpha);
    add_number(&layer->options, "beta", beta);
    add_number(&layer->options, "k", k);
    return 0;
}

int dl_onnx_in_prelu(dl_onnx_import *in) {
    const dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    const dl_onnx_constant *c = dl_onnx_constant_of(in, 1);
    const int64_t *order;
    const float *slope = c && !value->constant && value->view.rank > 1
                             ? dl_onnx_by_axis(in, c, &value->view, 1)
                             : NULL;
    if (!slope)
        return dl_onnx_refuse(in, "its slope must be one constant per channel");
    dl_onnx_layer *layer = add_norm(in, "prelu", true, &order);
    if (!layer)
        return -1;
    layer->activates = false;
    int64_t channels = dl_shape_channels(layer->shape);
    float *made = dl_onnx_add_tensor(in, layer, "slope", channels);
    for (int64_t i = 0; i < channels; i++)
        made[i] = slope[order ? order[i] : i];
    return 0;
}

int dl_onnx_in_softmax(dl_onnx_import *in) {
    const dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    const int64_t *order;
    int64_t rank = value->view.rank, axis = dl_onnx_get_int(in, "axis", in->opset < 13 ? 1 : -1);
    axis += axis < 0 ? rank : 0;
    bool last = axis == rank - 1;
    if (value->constant || (axis != 1 && !last) || (in->opset < 13 && !last))
        return dl_onnx_refuse(in, "its axis must be that of the channels");
    if (!add_norm(in, "softmax", !last, &order))
        return -1;
    in->layers[in->layer_count - 1].activates = false;
    if (in->node->op_type[0] == 'L') {
        const char *name = in->node->output[0];
        for (size_t i = 0; i < in->graph->n_output; i++)
            if (in->graph->output[i]->name && !strcmp(in->graph->output[i]->name, name)) {
                dl_text_add(&in->notes, "its outputs are logarithms of probabilities (LogSoftmax); "
                                        "here they are probabilities\n");
                return 0;
            }
        return dl_onnx_refuse(in, "it is supported as the last node only");
    }
    return 0;
}

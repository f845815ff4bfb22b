/* SPDX-License-Identifier: MIT */
#include "convert/onnx_layer.h"

#include <stdlib.h>
#include <string.h>

/* ---- what a layer says ---- */

const void *dl_onnx_field(const dl_layer *l, const char *key) {
    for (const dl_option *o = l->type->kind.options; o->key; o++)
        if (!strcmp(o->key, key))
            return (const char *)l->self + o->offset;
    return NULL;
}

int64_t dl_onnx_int(const dl_layer *l, const char *key, int64_t otherwise) {
    const int64_t *value = dl_onnx_field(l, key);
    return value ? *value : otherwise;
}

double dl_onnx_double(const dl_layer *l, const char *key) {
    const double *value = dl_onnx_field(l, key);
    return value ? *value : 0;
}

int dl_onnx_choice(const dl_layer *l, const char *key) {
    const int *value = dl_onnx_field(l, key);
    return value ? *value : 0;
}

bool dl_onnx_flag(const dl_layer *l, const char *key) {
    const bool *value = dl_onnx_field(l, key);
    return value && *value;
}

/* By its own name, without the layer's in front; NULL: there is none. */
const dl_param *dl_onnx_param(const dl_layer *l, const char *name) {
    const dl_param *lists[] = {l->params, l->states};
    const int counts[] = {l->param_count, l->state_count};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < counts[k]; i++) {
            const char *own = strrchr(lists[k][i].name, '.');
            if (!strcmp(own ? own + 1 : lists[k][i].name, name))
                return &lists[k][i];
        }
    return NULL;
}

dl_onnx_value *dl_onnx_input(dl_onnx_export *x, const dl_layer *l, int k) {
    return &x->values[x->net->sources[l->index][k] + 1];
}

void dl_onnx_set_output(dl_onnx_export *x, const dl_layer *l, const char *first, const char *last) {
    bool same = dl_onnx_is_row(l->out.shape);
    dl_onnx_value *value = &x->values[l->index + 1];
    value->shape = l->out.shape;
    value->first = first ? first : same ? last : NULL;
    value->last = last ? last : same ? first : NULL;
}

/* A node's output through the layer's activation, and on as the layer's output. */
int dl_onnx_finish(dl_onnx_export *x, const dl_layer *l, const char *made, bool first,
                   dl_error *error) {
    static const dl_activation linear = {.kind = DL_LINEAR};
    const dl_activation *f = l->activation ? l->activation : &linear;
    int64_t axis = first ? 1 : -1;
    const char *name = dl_onnx_activation(x, f, made, axis);
    if (!name)
        return dl_fail(error, DL_USAGE, "%s: the activation \"%s\" has no ONNX operator", l->where,
                       dl_activation_names[f->kind]);
    dl_onnx_set_output(x, l, first ? name : NULL, first ? NULL : name);
    return 0;
}

const char *dl_onnx_layer_name(dl_onnx_export *x, const dl_layer *l, const char *suffix) {
    return dl_onnx_name(x, l->name, suffix);
}

float *dl_onnx_scratch(dl_onnx_export *x, int64_t count) {
    return dl_arena_alloc(&x->graph.arena, sizeof(float) * (size_t)count);
}

/* SPDX-License-Identifier: MIT */
#include "layers/layer.h"

#include <assert.h>
#include <libconfig.h>
#include <math.h>
#include <string.h>

enum { MAX_PARTS = 16 }; /* parameters, states or buffers per layer */

static void *allocate_parts(dl_layer *layer, void *old, int count, size_t size) {
    assert(count < MAX_PARTS);
    return old ? old : dl_arena_alloc(layer->arena, MAX_PARTS * size);
}

static dl_param complete(dl_param param) {
    param.count = dl_shape_size(param.shape);
    return param;
}

int dl_layer_add_param(dl_layer *layer, dl_param param) {
    layer->params = allocate_parts(layer, layer->params, layer->param_count, sizeof param);
    layer->params[layer->param_count] = complete(param);
    return layer->param_count++;
}

int dl_layer_add_state(dl_layer *layer, dl_param state) {
    layer->states = allocate_parts(layer, layer->states, layer->state_count, sizeof state);
    layer->states[layer->state_count] = complete(state);
    return layer->state_count++;
}

int dl_layer_add_buffer(dl_layer *layer, dl_lifetime lifetime, int64_t bytes) {
    dl_buffer buffer = {lifetime, bytes, NULL};
    layer->buffers = allocate_parts(layer, layer->buffers, layer->buffer_count, sizeof buffer);
    layer->buffers[layer->buffer_count] = buffer;
    return layer->buffer_count++;
}

int dl_layer_add_floats(dl_layer *layer, dl_lifetime lifetime, int64_t count) {
    return dl_layer_add_buffer(layer, lifetime, count * (int64_t)sizeof(float));
}

int dl_layer_add_vector(dl_layer *layer, const char *name, int count, int initializer,
                        double argument) {
    return dl_layer_add_param(layer, (dl_param){.name = name,
                                                .shape = dl_shape1(count),
                                                .initializer = &dl_initializers[initializer],
                                                .argument = argument});
}

dl_draw dl_layer_draw(const dl_layer *layer, dl_purpose purpose, const dl_pass *pass) {
    return (dl_draw){pass->seed, (uint16_t)purpose, (uint16_t)layer->index, pass->epoch,
                     pass->step};
}

/* Reads numbers of these dims, rank >= 1; false if a list has another length or an element is not a
   finite number. */
static bool read_list(const config_setting_t *list, const int *dim, int rank, float **next) {
    bool is_list = config_setting_is_list(list) || config_setting_is_array(list);
    bool good = is_list && config_setting_length(list) == *dim;
    for (int i = 0; good && i < *dim; i++) {
        const config_setting_t *item = config_setting_get_elem(list, (unsigned)i);
        int type = config_setting_type(item);
        if (rank > 1) {
            good = read_list(item, dim + 1, rank - 1, next);
            continue;
        }
        double value = type == CONFIG_TYPE_FLOAT   ? config_setting_get_float(item)
                       : type == CONFIG_TYPE_INT64 ? (double)config_setting_get_int64(item)
                       : type == CONFIG_TYPE_INT   ? config_setting_get_int(item)
                                                   : NAN;
        good = isfinite((float)value);
        *(*next)++ = (float)value;
    }
    return good;
}

float *dl_layer_read_numbers(const dl_layer *layer, const char *key, const config_setting_t *list,
                             dl_shape shape, dl_error *error) {
    char text[48];
    int64_t size = dl_shape_size(shape);
    const config_setting_t *first = config_setting_get_elem(list, 0);
    bool flat = config_setting_is_aggregate(list) && first && !config_setting_is_aggregate(first);
    if (flat && config_setting_length(list) != size) {
        dl_fail(error, DL_USAGE, "%s: \"%s\" has %d numbers, but the shape %s needs %lld",
                layer->where, key, config_setting_length(list), dl_shape_text(text, shape),
                (long long)size);
        return NULL;
    }
    float *values = dl_arena_alloc(layer->arena, sizeof *values * (size_t)size), *next = values;
    int count = (int)size;
    if (flat ? read_list(list, &count, 1, &next) : read_list(list, shape.dim, shape.rank, &next))
        return values;
    dl_fail(error, DL_USAGE,
            "%s: \"%s\" must be a list of finite numbers, flat or nested like the shape %s",
            layer->where, key, dl_shape_text(text, shape));
    return NULL;
}

int dl_layer_check_same_shapes(const dl_layer *layer, const char *verb, dl_error *error) {
    char first[48], other[48];
    const dl_shape *a = &layer->in[0].shape;
    for (int k = 1; k < layer->input_count; k++) {
        const dl_shape *b = &layer->in[k].shape;
        if (!dl_shape_equal(*a, *b))
            return dl_fail(error, DL_USAGE, "%s: cannot %s inputs of shapes %s and %s",
                           layer->where, verb, dl_shape_text(first, *a), dl_shape_text(other, *b));
    }
    return 0;
}

int dl_layer_check_image(const dl_layer *layer, dl_shape in, dl_error *error) {
    char text[48];
    return in.rank == 3 ? 0
                        : dl_fail(error, DL_USAGE,
                                  "%s: %s needs an image (height x width x channels), not %s",
                                  layer->where, layer->type->kind.name, dl_shape_text(text, in));
}

int dl_layer_check_sequence(const dl_layer *layer, dl_error *error) {
    char text[48];
    const dl_shape in = layer->in[0].shape;
    return in.rank == 2
               ? 0
               : dl_fail(error, DL_USAGE, "%s: %s needs a sequence (steps x channels), not %s",
                         layer->where, layer->type->kind.name, dl_shape_text(text, in));
}

int dl_layer_check_positions(const dl_layer *layer, dl_error *error) {
    char text[48];
    const dl_shape in = layer->in[0].shape;
    return in.rank > 1 ? 0
                       : dl_fail(error, DL_USAGE,
                                 "%s: %s needs an image (height x width x channels) or a sequence "
                                 "(steps x channels), not %s",
                                 layer->where, layer->type->kind.name, dl_shape_text(text, in));
}

void dl_layer_set_activation(dl_layer *layer, const dl_activation *activation) {
    static const dl_activation linear = {.kind = DL_LINEAR};
    int64_t size = dl_shape_size(layer->out.shape);
    layer->activation = layer->unactivated ? &linear : activation;
    layer->fused = *layer->activation;
    layer->fused.straight = layer->straight_through;
    if (dl_activation_of(layer->activation)->from_input) {
        layer->fused = linear;
        if (layer->training) {
            int kept = dl_layer_add_floats(layer, DL_SAVED, layer->max_batch * size);
            layer->preactivation = &layer->buffers[kept];
        }
    }
    layer->needs_output = layer->fused.kind != DL_LINEAR;
}

static bool has_fused(const dl_layer *layer) {
    return !layer->activation || layer->activation->kind == layer->fused.kind;
}

void dl_layer_forward(dl_layer *layer, const dl_pass *pass) {
    if (has_fused(layer)) {
        layer->type->forward(layer, pass);
        return;
    }
    float *y = layer->out.value, *z = layer->preactivation ? layer->preactivation->memory : y;
    layer->out.value = z;
    layer->type->forward(layer, pass);
    layer->out.value = y;
    dl_activate(layer->activation, dl_layer_rows(layer, pass), dl_shape_channels(layer->out.shape),
                NULL, z, y);
}

void dl_layer_backward(dl_layer *layer, const dl_pass *pass) {
    if (pass->guided && layer->activation)
        dl_activation_guide(layer->activation, dl_layer_elements(layer, pass), layer->out.grad);
    if (!has_fused(layer))
        dl_activate_backward(layer->activation, dl_layer_rows(layer, pass),
                             dl_shape_channels(layer->out.shape), layer->preactivation->memory,
                             layer->out.grad, layer->out.grad, NULL);
    layer->type->backward(layer, pass);
}

dl_extent dl_layer_reach_all(const dl_layer *layer, int input, int axis, int out) {
    (void)out;
    return (dl_extent){0, layer->in[input].shape.dim[axis] - 1, 1};
}

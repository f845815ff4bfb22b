/* SPDX-License-Identifier: MIT */
/* Shapes, parameters and the memory plan of a network. Time in the plan, for L layers: layer i runs
   forward in step i, the loss is step L, layer i runs backward in step 2L - i. */
#include <stdlib.h>

#include "math/vector.h"
#include "net/net.h"
#include "net/plan.h"

/* ---- shapes and parameters ---- */

/* params[0] of a transposed layer has the shape of the weight that it shares. */
static int check_transposed(const dl_layer *layer, const dl_layer *owner, dl_error *error) {
    const dl_shape wanted = layer->params[0].shape, found = owner->params[0].shape;
    char a[48], b[48], c[48];
    if (dl_shape_equal(wanted, found))
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: layer \"%s\" has weights of shape %s and cannot share those of \"%s\", "
                   "whose transpose is %s (of %s)",
                   layer->where, layer->name,
                   dl_shape_text(a, dl_shape2(wanted.dim[1], wanted.dim[0])), owner->name,
                   dl_shape_text(b, dl_shape2(found.dim[1], found.dim[0])),
                   dl_shape_text(c, found));
}

static int check_shared(const dl_net *net, const dl_layer *layer, dl_error *error) {
    const dl_layer *owner = &net->layers[layer->shares];
    char a[48], b[48];
    if (layer->transposed)
        return check_transposed(layer, owner, error);
    bool same = layer->param_count == owner->param_count;
    for (int p = 0; same && p < layer->param_count; p++)
        for (int i = 0; i < 4; i++)
            same &= layer->params[p].shape.dim[i] == owner->params[p].shape.dim[i];
    if (same)
        return 0;
    if (layer->param_count != owner->param_count || !layer->param_count)
        return dl_fail(error, DL_USAGE, "%s: layer \"%s\" has %d parameters, but \"%s\" has %d",
                       layer->where, layer->name, layer->param_count, owner->name,
                       owner->param_count);
    return dl_fail(error, DL_USAGE,
                   "%s: layer \"%s\" has weights of shape %s and cannot share those of \"%s\", %s",
                   layer->where, layer->name, dl_shape_text(a, layer->params[0].shape), owner->name,
                   dl_shape_text(b, owner->params[0].shape));
}

static int set_up_layers(dl_net *net, int threads, dl_error *error) {
    for (int i = 0; i < net->layer_count; i++) {
        dl_layer *layer = &net->layers[i];
        layer->max_batch = net->max_batch;
        layer->training = net->training;
        layer->threads = threads;
        for (int k = 0; k < layer->input_count; k++) {
            int source = net->sources[i][k];
            layer->in[k].shape = source < 0 ? net->input : net->layers[source].out.shape;
            layer->in[k].maxima = source < 0 ? NULL : net->layers[source].out.maxima;
        }
        if (layer->type->setup(layer, error))
            return -1;
        if (layer->shares >= 0 && check_shared(net, layer, error))
            return -1;
        int64_t values;
        if (!dl_multiply(dl_shape_size(layer->out.shape), net->max_batch, &values) ||
            values > (int64_t)1 << 40)
            return dl_fail(error, DL_USAGE, "%s: the output of layer \"%s\" is too large",
                           layer->where, layer->name);
    }
    return 0;
}

/* Assigns consecutive offsets to parameters and lists them in `all`. Returns the end offset. */
static int64_t add_parameters(dl_net *net, const dl_layer *layer, dl_param *params, int count,
                              dl_param *all, int *index, int64_t offset) {
    for (int p = 0; p < count; p++) {
        params[p].offset = offset;
        params[p].flags |= layer->trainable ? 0 : DL_FROZEN;
        params[p].freeze_until = layer->trainable ? layer->freeze_until : 0;
        params[p].l1 = layer->l1;
        params[p].l2 = layer->l2;
        offset += params[p].count;
        all[*index] = params[p];
        all[(*index)++].name = dl_arena_printf(&net->arena, "%s.%s", layer->name, params[p].name);
    }
    return offset;
}

static void share_parameters(dl_net *net, dl_layer *layer) {
    const dl_layer *owner = &net->layers[layer->shares];
    if (!layer->transposed)
        layer->trainable = owner->trainable;
    for (int p = 0; p < layer->param_count && !dl_layer_owns(layer, p); p++) {
        layer->params[p].offset = owner->params[p].offset;
        layer->params[p].flags |= owner->params[p].flags & DL_FROZEN;
        layer->params[p].freeze_until = owner->params[p].freeze_until;
    }
}

static float *allocate_floats(dl_net *net, int64_t count) {
    return count ? dl_arena_alloc(&net->arena, sizeof(float) * (size_t)count) : NULL;
}

static void allocate_parameters(dl_net *net) {
    int params = 0, states = 0;
    for (int i = 0; i < net->layer_count; i++) {
        params += net->layers[i].param_count;
        states += net->layers[i].state_count;
    }
    net->params = dl_arena_alloc(&net->arena, sizeof(dl_param) * (size_t)(params + 1));
    net->state_params = dl_arena_alloc(&net->arena, sizeof(dl_param) * (size_t)(states + 1));
    for (int i = 0; i < net->layer_count; i++) {
        dl_layer *l = &net->layers[i];
        if (l->shares >= 0)
            share_parameters(net, l);
        int first = 0; /* that it owns */
        while (first < l->param_count && !dl_layer_owns(l, first))
            first++;
        net->weight_count = add_parameters(net, l, l->params + first, l->param_count - first,
                                           net->params, &net->param_count, net->weight_count);
        net->state_count = add_parameters(net, l, l->states, l->state_count, net->state_params,
                                          &net->state_param_count, net->state_count);
    }
    net->weights = allocate_floats(net, net->weight_count);
    net->states = allocate_floats(net, net->state_count);
    if (net->training)
        net->gradients = allocate_floats(net, net->weight_count);
}

static void set_pointers(const dl_net *net, dl_param *params, int count, float *values,
                         bool gradients) {
    for (int p = 0; p < count; p++) {
        params[p].value = values + params[p].offset;
        params[p].grad = gradients && net->training ? net->gradients + params[p].offset : NULL;
    }
}

static void set_all_pointers(dl_net *net) {
    for (int i = 0; i < net->layer_count; i++) {
        set_pointers(net, net->layers[i].params, net->layers[i].param_count, net->weights, true);
        set_pointers(net, net->layers[i].states, net->layers[i].state_count, net->states, false);
    }
    set_pointers(net, net->params, net->param_count, net->weights, true);
    set_pointers(net, net->state_params, net->state_param_count, net->states, false);
}

/* ---- the memory plan ---- */

typedef struct {
    dl_net *net;
    dl_plan_item *items;
    int count;
    int *value;    /* [layer]: item of its output, shared by views; -1: the data */
    int *gradient; /* [layer]: item of the gradient of its output, -1: none; [-1]: of the data */
    int **edge;    /* [layer][input]: item of the gradient from this reader, -1: none */
    int **buffer;  /* [layer][buffer]: item of a saved buffer, -1: scratch */
} planner;

static int add_item(planner *p, int64_t bytes, int first, int last) {
    p->items[p->count] = (dl_plan_item){bytes, first, last, 0};
    return p->count++;
}

static void extend(planner *p, int item, int step) {
    if (item < 0)
        return;
    if (step < p->items[item].first)
        p->items[item].first = step;
    if (step > p->items[item].last)
        p->items[item].last = step;
}

/* Auxiliary heads run in training only. */
static bool is_skipped(const dl_net *net, int i) {
    return !net->training && dl_net_head(net, i) >= 0;
}

/* Whether a loss reads the output of layer i. */
static bool is_end(const dl_net *net, int i) {
    int head = dl_net_head(net, i);
    return head >= 0 ? net->heads[head].last == i : i == net->layer_count - 1;
}

static int64_t tensor_bytes(const dl_net *net, int i) {
    return dl_shape_size(net->layers[i].out.shape) * net->max_batch * (int64_t)sizeof(float);
}

static void plan_values(planner *p) {
    dl_net *net = p->net;
    int end = net->layer_count;
    for (int i = 0; i < end; i++) {
        dl_layer *layer = &net->layers[i];
        if (is_skipped(net, i))
            continue;
        for (int k = 0; k < layer->input_count; k++) {
            int source = net->sources[i][k], item = source < 0 ? -1 : p->value[source];
            extend(p, item, i);
            if (net->training && layer->needs_input && !layer->is_view && net->has_gradient[i])
                extend(p, item, 2 * end - i);
        }
        if (layer->is_view)
            p->value[i] = net->sources[i][0] < 0 ? -1 : p->value[net->sources[i][0]];
        else
            p->value[i] = add_item(p, tensor_bytes(net, i), i, i);
        if (net->training && layer->needs_output && !layer->is_view && net->has_gradient[i])
            extend(p, p->value[i], 2 * end - i);
        if (is_end(net, i))
            extend(p, p->value[i], end);
    }
}

/* In reverse, so that readers precede their sources. The loss fills the gradient of an end; the
   gradient of another layer is in the buffer of its first reader in this order, to which the other
   readers are added. */
static void plan_gradients(planner *p) {
    dl_net *net = p->net;
    int end = net->layer_count;
    for (int i = end - 1; i >= 0; i--) {
        dl_layer *layer = &net->layers[i];
        if (is_end(net, i))
            p->gradient[i] = add_item(p, tensor_bytes(net, i), end, end + 1);
        if (p->gradient[i] < 0)
            continue;
        extend(p, p->gradient[i], 2 * end - i);
        for (int k = 0; k < layer->input_count; k++) {
            int source = net->sources[i][k];
            if (source < 0 ? !net->input_gradient
                           : !net->has_gradient[source] || !net->has_gradient[i])
                continue;
            bool shared = layer->is_view || (layer->gradient_in_place && k == 0);
            p->edge[i][k] = shared
                                ? p->gradient[i]
                                : add_item(p, tensor_bytes(net, source), 2 * end - i, 2 * end - i);
            extend(p, p->edge[i][k], 2 * end - source);
            if (p->gradient[source] < 0)
                p->gradient[source] = p->edge[i][k];
        }
    }
}

static void plan_buffers(planner *p) {
    dl_net *net = p->net;
    int end = net->layer_count;
    for (int i = 0; i < end; i++) {
        dl_layer *layer = &net->layers[i];
        int64_t scratch = 0;
        for (int b = 0; b < layer->buffer_count && !is_skipped(net, i); b++) {
            if (layer->buffers[b].lifetime == DL_SAVED)
                p->buffer[i][b] =
                    add_item(p, layer->buffers[b].bytes, i, net->training ? 2 * end - i : i);
            else
                scratch += (layer->buffers[b].bytes + DL_ALIGN - 1) / DL_ALIGN * DL_ALIGN;
        }
        if (scratch > net->scratch_bytes)
            net->scratch_bytes = scratch;
    }
}

/* needs_maxima: the saved buffers of the source must live until the reader runs. */
static void extend_maxima(planner *p) {
    const dl_net *net = p->net;
    for (int i = 0; i < net->layer_count; i++)
        for (int k = 0;
             net->layers[i].needs_maxima && !is_skipped(net, i) && k < net->layers[i].input_count;
             k++) {
            int source = net->sources[i][k];
            for (int b = 0; source >= 0 && b < net->layers[source].buffer_count; b++)
                extend(p, p->buffer[source][b], i);
        }
}

/* The readers of layer i (-1: the data) whose gradients are in separate buffers. */
static int *list_summands(planner *p, int i) {
    dl_net *net = p->net;
    int count = 0, max = 2 * DL_MAX_INPUTS * net->layer_count + 1;
    int *pairs = xmalloc(sizeof *pairs * (size_t)max);
    for (int j = i + 1; j < net->layer_count; j++)
        for (int k = 0; k < net->layers[j].input_count; k++)
            if (net->sources[j][k] == i && p->edge[j][k] >= 0 && p->edge[j][k] != p->gradient[i]) {
                pairs[count++] = j;
                pairs[count++] = k;
            }
    int *summands = dl_arena_alloc(&net->arena, sizeof *summands * (size_t)(count + 1));
    for (int n = 0; n < count; n++)
        summands[n] = pairs[n];
    summands[count] = -1;
    free(pairs);
    return summands;
}

static void *address(const planner *p, int item) {
    return item < 0 ? NULL : (char *)p->net->memory + p->items[item].offset;
}

static void assign_memory(planner *p) {
    dl_net *net = p->net;
    net->activation_bytes = dl_plan_assign(p->items, p->count);
    net->memory_bytes = net->activation_bytes + net->scratch_bytes;
    net->memory = dl_arena_alloc(&net->arena, (size_t)net->memory_bytes);
    for (int i = 0; i < net->layer_count; i++) {
        dl_layer *layer = &net->layers[i];
        char *scratch = (char *)net->memory + net->activation_bytes;
        layer->out.value = address(p, p->value[i]);
        layer->out.grad = address(p, p->gradient[i]);
        for (int k = 0; k < layer->input_count; k++)
            layer->in[k].grad = address(p, p->edge[i][k]);
        for (int b = 0; b < layer->buffer_count && !is_skipped(net, i); b++) {
            dl_buffer *buffer = &layer->buffers[b];
            buffer->memory = buffer->lifetime == DL_SAVED ? address(p, p->buffer[i][b]) : scratch;
            if (buffer->lifetime == DL_SCRATCH)
                scratch += (buffer->bytes + DL_ALIGN - 1) / DL_ALIGN * DL_ALIGN;
        }
        if (net->training)
            net->summands[i] = list_summands(p, i);
    }
    net->input_grad = address(p, p->gradient[-1]);
    if (net->input_grad)
        net->input_summands = list_summands(p, -1);
}

static int *unassigned(dl_arena *arena, int count) {
    int *items = dl_arena_alloc(arena, sizeof *items * (size_t)(count + 1));
    for (int i = 0; i < count; i++)
        items[i] = -1;
    return items;
}

static void plan_memory(dl_net *net) {
    dl_arena arena = {0};
    int layers = net->layer_count, max = 0;
    for (int i = 0; i < layers; i++)
        max += 2 + net->layers[i].input_count + net->layers[i].buffer_count;
    planner p = {.net = net};
    p.items = dl_arena_alloc(&arena, sizeof *p.items * (size_t)max);
    p.value = unassigned(&arena, layers);
    p.gradient = unassigned(&arena, layers + 1) + 1;
    p.edge = dl_arena_alloc(&arena, sizeof *p.edge * (size_t)layers);
    p.buffer = dl_arena_alloc(&arena, sizeof *p.buffer * (size_t)layers);
    for (int i = 0; i < layers; i++) {
        p.edge[i] = unassigned(&arena, net->layers[i].input_count);
        p.buffer[i] = unassigned(&arena, net->layers[i].buffer_count);
    }
    plan_values(&p);
    if (net->training)
        plan_gradients(&p);
    plan_buffers(&p);
    extend_maxima(&p);
    assign_memory(&p);
    dl_arena_free(&arena);
}

int dl_net_build(dl_net *net, dl_shape input, int max_batch, bool training, int threads,
                 dl_error *error) {
    net->input = input;
    net->max_batch = max_batch;
    net->training = training;
    if (set_up_layers(net, threads, error))
        return -1;
    allocate_parameters(net);
    set_all_pointers(net);
    size_t layers = (size_t)net->layer_count;
    net->has_gradient = dl_arena_alloc(&net->arena, sizeof *net->has_gradient * layers);
    net->met = dl_arena_alloc(&net->arena, sizeof *net->met * layers);
    net->summands = dl_arena_alloc(&net->arena, sizeof *net->summands * layers);
    for (int i = 0; training && i < net->layer_count; i++) {
        for (int p = 0; p < net->layers[i].param_count; p++)
            net->has_gradient[i] |= !(net->layers[i].params[p].flags & DL_FROZEN);
        for (int k = 0; k < net->layers[i].input_count; k++)
            net->has_gradient[i] |= net->sources[i][k] < 0 ? net->input_gradient
                                                           : net->has_gradient[net->sources[i][k]];
    }
    plan_memory(net);
    for (int i = 0; i < net->layer_count; i++) {
        const dl_layer *layer = &net->layers[i];
        if (is_skipped(net, i))
            continue;
        int products = 1 + (net->has_gradient[i] ? 1 + (layer->in[0].grad != NULL) : 0);
        net->operations += layer->operations;
        net->training_operations += products * layer->operations;
    }
    return 0;
}

int dl_net_bias_canceled_by(const dl_net *net, int layer) {
    bool canceled = net->layers[layer].ends_in_bias;
    int reader = -1;
    for (int i = 0; i < net->layer_count; i++) {
        const dl_layer *other = &net->layers[i];
        for (int k = 0; k < other->input_count; k++)
            if (net->sources[i][k] == layer) {
                canceled &= other->removes_bias;
                reader = i;
            }
        if (i == layer ? other->shares >= 0 && !other->transposed
                       : other->shares == layer && !other->transposed)
            canceled = false; /* another layer shares the bias */
    }
    return canceled ? reader : -1;
}

void dl_net_cut(dl_net *net, int last, bool unactivated) {
    net->layer_count = last + 1;
    net->head_count = 0;
    net->layers[last].unactivated = unactivated;
}

void dl_net_free(dl_net *net) {
    for (int i = 0; i < net->layer_count; i++)
        if (net->layers[i].type && net->layers[i].self && net->layers[i].type->close)
            net->layers[i].type->close(&net->layers[i]);
    dl_config_free(&net->made);
    dl_arena_free(&net->arena);
    *net = (dl_net){0};
}

/* SPDX-License-Identifier: MIT */
/* Initialization and the forward and backward passes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/terminal.h"
#include "math/vector.h"
#include "net/net.h"

void dl_net_initialize_param(const dl_param *param, const dl_draw *draw) {
    const dl_shape shape = param->shape;
    dl_initial initial = {.shape = shape,
                          .columns = param->columns ? param->columns : dl_shape_channels(shape),
                          .fan_in = param->fan_in,
                          .fan_out = param->fan_out,
                          .argument = param->argument,
                          .values = param->values};
    initial.rows = param->count / initial.columns;
    param->initializer->fill(draw, &initial, param->value);
}

void dl_net_initialize(dl_net *net, uint64_t seed) {
    for (int p = 0; p < net->param_count; p++) {
        dl_draw draw = {seed, DL_FOR_WEIGHTS, (uint16_t)p, 0, 0};
        dl_net_initialize_param(&net->params[p], &draw);
    }
    for (int p = 0; p < net->state_param_count; p++)
        dl_net_initialize_param(&net->state_params[p], NULL);
}

/* freeze_until is 0 for parameters that are always frozen. */
static void thaw(dl_param *params, int count, int64_t epoch) {
    for (int p = 0; p < count; p++)
        if (epoch < params[p].freeze_until)
            params[p].flags |= DL_FROZEN;
        else if (params[p].freeze_until)
            params[p].flags &= ~(unsigned)DL_FROZEN;
}

void dl_net_thaw(dl_net *net, int64_t epoch) {
    for (int i = 0; i < net->layer_count; i++) {
        dl_layer *layer = &net->layers[i];
        const dl_layer *owner = layer->shares < 0 ? layer : &net->layers[layer->shares];
        layer->frozen = epoch < owner->freeze_until;
        thaw(layer->params, layer->param_count, epoch);
    }
    thaw(net->params, net->param_count, epoch);
}

void dl_net_begin(dl_net *net) {
    for (int p = 0; p < net->state_param_count; p++)
        if (net->state_params[p].flags & DL_CARRIED)
            dl_zero(net->state_params[p].value, net->state_params[p].count);
}

const dl_layer *dl_net_stateful(const dl_net *net) {
    for (int i = 0; i < net->layer_count; i++)
        for (int s = 0; s < net->layers[i].state_count; s++)
            if (net->layers[i].states[s].flags & DL_CARRIED)
                return &net->layers[i];
    return NULL;
}

/* Sets the input pointers of a layer: the data move in each step. */
static void connect(dl_net *net, int i, const float *x) {
    dl_layer *layer = &net->layers[i];
    for (int k = 0; k < layer->input_count; k++) {
        int source = net->sources[i][k];
        layer->in[k].value = source < 0 ? (float *)x : net->layers[source].out.value;
    }
    if (layer->is_view)
        layer->out.value = layer->in[0].value;
}

void dl_net_start_profile(dl_net *net) {
    net->profile = dl_arena_alloc(&net->arena, sizeof *net->profile * (size_t)net->layer_count);
}

int dl_net_head(const dl_net *net, int i) {
    for (int h = 0; h < net->head_count; h++)
        if (i >= net->heads[h].first && i <= net->heads[h].last)
            return h;
    return -1;
}

/* The pass as seen by layer i: with `still` and `random`, stochastic layers do not train, or do;
   batch_norm is not one of them. */
static dl_pass pass_of(const dl_net *net, int i, const dl_pass *pass) {
    const dl_layer *layer = &net->layers[i];
    dl_pass own = *pass;
    bool stochastic = layer->varies && !layer->state_count;
    if (stochastic && (net->still || net->random))
        own.training = net->random;
    return own;
}

void dl_net_forward(dl_net *net, const float *x, const dl_pass *pass) {
    for (int i = 0; i < net->layer_count; i++) {
        if (!pass->training && dl_net_head(net, i) >= 0)
            continue;
        double started = net->profile ? dl_clock() : 0;
        dl_pass own = pass_of(net, i, pass);
        connect(net, i, x);
        if (!net->layers[i].is_view)
            dl_layer_forward(&net->layers[i], &own);
        if (net->profile && pass->training)
            net->profile[i].forward += dl_clock() - started;
        if (net->watch)
            net->watch(net->watcher, i, false);
    }
}

/* Zeros the gradients that layers do not overwrite. Of layers that share parameters the last one
   runs backward first and overwrites; the others add. */
static void zero_gradients(dl_net *net) {
    for (int i = 0; i < net->layer_count; i++)
        net->met[i] = 0;
    for (int i = net->layer_count - 1; i >= 0; i--) {
        const dl_layer *layer = &net->layers[i];
        if (!net->has_gradient[i]) /* stay zero from allocation */
            continue;
        for (int p = 0; p < layer->param_count; p++) {
            dl_param *param = &layer->params[p];
            unsigned *met = &net->met[dl_layer_owns(layer, p) ? i : layer->shares];
            bool first = !(*met >> p & 1);
            bool overwritten = param->flags & DL_OVERWRITES && layer->out.grad;
            param->beta = overwritten && first ? 0 : 1;
            if (!overwritten && first)
                dl_zero(param->grad, param->count);
            *met |= 1u << p;
        }
    }
}

static void add_summands(const dl_net *net, const int *summands, int64_t count, float *grad) {
    for (const int *pair = summands; *pair >= 0; pair += 2)
        dl_add(grad, net->layers[pair[0]].in[pair[1]].grad, count);
}

void dl_net_backward(dl_net *net, const dl_pass *pass) {
    zero_gradients(net);
    for (int i = net->layer_count - 1; i >= 0; i--) {
        dl_layer *layer = &net->layers[i];
        if (!net->has_gradient[i] || !layer->out.grad)
            continue;
        double started = net->profile ? dl_clock() : 0;
        int64_t count = pass->batch * dl_shape_size(layer->out.shape);
        add_summands(net, net->summands[i], count, layer->out.grad);
        if (net->watch)
            net->watch(net->watcher, i, true);
        dl_pass own = pass_of(net, i, pass);
        if (!layer->is_view)
            dl_layer_backward(layer, &own);
        for (int p = 0; p < layer->param_count; p++)
            if (layer->params[p].flags & DL_FROZEN)
                dl_zero(layer->params[p].grad, layer->params[p].count);
        if (net->profile)
            net->profile[i].backward += dl_clock() - started;
    }
    if (net->input_grad)
        add_summands(net, net->input_summands, pass->batch * dl_shape_size(net->input),
                     net->input_grad);
}

void dl_net_warm_up(dl_net *net) {
    size_t states = sizeof(float) * (size_t)net->state_count;
    int64_t inputs = net->max_batch * dl_shape_size(net->input);
    float *x = dl_memory_aligned(sizeof *x * (size_t)inputs), *kept = xmalloc(states + 1);
    dl_pass pass = {.batch = net->max_batch, .training = true};
    if (states)
        memcpy(kept, net->states, states);
    dl_zero(x, inputs);
    dl_net_forward(net, x, &pass);
    for (int end = 0; end <= net->head_count; end++) {
        dl_tensor *out = end < net->head_count ? dl_net_head_output(net, end) : dl_net_output(net);
        dl_zero(out->grad, pass.batch * dl_shape_size(out->shape));
    }
    dl_net_backward(net, &pass);
    if (states)
        memcpy(net->states, kept, states);
    free(kept);
    free(x);
}

dl_tensor *dl_net_output(dl_net *net) {
    return &net->layers[net->layer_count - 1].out;
}

dl_tensor *dl_net_head_output(dl_net *net, int h) {
    return &net->layers[net->heads[h].last].out;
}

const char *dl_net_find_not_finite(dl_net *net, const float *x, const dl_pass *pass) {
    for (int i = 0; i < net->layer_count; i++) {
        dl_layer *layer = &net->layers[i];
        if (!net->training && dl_net_head(net, i) >= 0)
            continue;
        for (int p = 0; p < layer->param_count; p++)
            if (dl_find_not_finite(layer->params[p].value, layer->params[p].count) >= 0)
                return dl_arena_printf(&net->arena, "layer \"%s\" (its %s)", layer->name,
                                       layer->params[p].name);
        connect(net, i, x);
        if (!layer->is_view)
            dl_layer_forward(layer, pass);
        int64_t count = pass->batch * dl_shape_size(layer->out.shape);
        if (dl_find_not_finite(layer->out.value, count) >= 0)
            return dl_arena_printf(&net->arena, "layer \"%s\" (its output)", layer->name);
    }
    return NULL;
}

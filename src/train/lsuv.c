/* SPDX-License-Identifier: MIT */
/* Layer-sequential unit variance. Mishkin and Matas, "All you need is a good init", ICLR 2016:
   orthogonal weights W, then for each layer, from the first to the last, with z = x W the outputs
   before the activation on training rows, W <- W / sqrt(var z), over all rows and units. Since z
   is linear in W, one division replaces the paper's loop. This applies to layers with one weight
   matrix: dense, maxout (whose output is linear in the scale of its weights) and convolutions.

   Layers apply their activation in the same pass as their weights, so z is computed by a copy of
   the net with linear activations, whose layers borrow the inputs and the weights of the net's. */
#include "train/lsuv.h"

#include <math.h>
#include <string.h>

#include "layers/weights.h"

enum { ENOUGH = 512 }; /* rows */

/* Whether the layer has its own weight matrix, and its pre-activation is linear in it. */
static bool is_scaled(const dl_layer *layer) {
    bool has_init = false;
    for (const dl_option *o = layer->type->kind.options; o && o->key; o++)
        has_init |= o->choices == dl_weights_init_names;
    return has_init && dl_layer_owns(layer, 0) && !layer->params[0].values &&
           !(layer->params[0].flags & DL_ORTHOGONAL);
}

void dl_lsuv_prepare(dl_experiment *e) {
    dl_net *net = &e->model.net;
    for (int i = 0; e->settings.lsuv && i < net->layer_count; i++)
        for (int p = 0; is_scaled(&net->layers[i]) && p < net->param_count; p++)
            if (net->params[p].value == net->layers[i].params[0].value) {
                net->params[p].initializer = &dl_initializers[DL_INIT_ORTHOGONAL];
                net->params[p].argument = 1;
            }
}

/* Statistics of the outputs of one layer. */
typedef struct {
    const dl_net *net;
    dl_net twin;
    int layer;
    const dl_pass *pass;
    double count, sum, squares;
} probe;

static void add_outputs(void *context, int i, bool backward) {
    probe *p = context;
    if (i != p->layer || backward)
        return;
    const dl_layer *layer = &p->net->layers[i];
    dl_layer *twin = &p->twin.layers[i];
    for (int k = 0; k < layer->input_count; k++)
        twin->in[k].value = layer->in[k].value;
    for (int n = 0; n < layer->param_count; n++)
        twin->params[n].value = layer->params[n].value;
    dl_layer_forward(twin, p->pass);
    int64_t count = p->pass->batch * dl_shape_size(twin->out.shape);
    for (int64_t n = 0; n < count; n++) {
        p->sum += twin->out.value[n];
        p->squares += (double)twin->out.value[n] * twin->out.value[n];
    }
    p->count += (double)count;
}

static int measure(probe *p, dl_experiment *e, dl_loader *train, int64_t *rows, dl_error *error) {
    int before = error->count;
    const dl_batch *batch;
    dl_loader_start(train, dl_model_order(&e->model, true), (uint64_t)e->model.seed, 0, 0);
    dl_net_begin(&e->model.net);
    p->count = p->sum = p->squares = 0;
    for (*rows = 0; *rows < ENOUGH && (batch = dl_loader_next(train, error));) {
        dl_pass pass = {.batch = (int)batch->count,
                        .training = true,
                        .seed = (uint64_t)e->model.seed,
                        .step = (uint32_t)batch->step,
                        .carry = true};
        p->pass = &pass;
        dl_net_forward(&e->model.net, batch->x, &pass);
        *rows += batch->count;
    }
    return error->count > before ? -1 : 0;
}

static int scale(dl_lsuv *l, probe *p, dl_experiment *e, dl_loader *train, dl_error *error) {
    const dl_param *weight = &e->model.net.layers[p->layer].params[0];
    if (measure(p, e, train, &l->rows, error))
        return -1;
    double mean = p->sum / p->count, variance = p->squares / p->count - mean * mean;
    if (!(variance > 1e-12 * (1 + mean * mean)) || !isfinite(variance)) {
        l->unscaled = l->unscaled ? l->unscaled : e->model.net.layers[p->layer].name;
        return 0;
    }
    double factor = 1 / sqrt(variance);
    for (int64_t n = 0; n < weight->count; n++)
        weight->value[n] = (float)(weight->value[n] * factor);
    l->least = l->layers && l->least < factor ? l->least : factor;
    l->most = l->layers && l->most > factor ? l->most : factor;
    l->layers++;
    return 0;
}

static int make_twin(dl_net *twin, const dl_experiment *e, int threads, dl_error *error) {
    const dl_net *net = &e->model.net;
    if (dl_net_read(twin, e->model.config, error))
        return -1;
    for (int i = 0; i < twin->layer_count; i++)
        twin->layers[i].unactivated = is_scaled(&net->layers[i]);
    return dl_net_build(twin, net->input, net->max_batch, true, threads, error);
}

/* Resets the running statistics. */
static void reset_states(dl_net *net) {
    for (int s = 0; s < net->state_param_count; s++)
        dl_net_initialize_param(&net->state_params[s], NULL);
}

int dl_lsuv_scale(dl_lsuv *l, dl_experiment *e, dl_loader *train, int threads, dl_error *error) {
    probe p = {.net = &e->model.net};
    *l = (dl_lsuv){0};
    if (!e->settings.lsuv)
        return 0;
    int result = make_twin(&p.twin, e, threads, error);
    e->model.net.watch = add_outputs;
    e->model.net.watcher = &p;
    for (p.layer = 0; !result && p.layer < e->model.net.layer_count; p.layer++)
        if (is_scaled(&e->model.net.layers[p.layer]))
            result = scale(l, &p, e, train, error);
    e->model.net.watch = NULL;
    reset_states(&e->model.net);
    dl_net_free(&p.twin);
    return result;
}

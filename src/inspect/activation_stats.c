/* SPDX-License-Identifier: MIT */
/* Initial weights that are too small, too large or identical show before a training fails: from
   layer to layer, outputs (or, backward, gradients) vanish, explode or saturate the activation.
   Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
   AISTATS 2010. */
#include "inspect/activation_stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENOUGH = 512 }; /* rows */

/* Thresholds of the verdicts. Gradient norms are relative to the norm at the net's output. */
static const double SMALL = 1e-3, LARGE = 100, SHORT = 1e-3, LONG = 1e3, FLAT = 0.5, MOSTLY = 0.9;

/* Statistics of a layer. */
typedef struct {
    double count, sum, squares, zeros, saturated;
    double gradients, gradient_squares; /* count, sum of squares */
    bool differ;                        /* some outputs of a sample are not equal */
} layer_stats;

typedef struct {
    const dl_net *net;
    const dl_pass *pass;
    layer_stats *layers;
} net_stats;

/* The range outside which the activation is saturated (to 1 %); false if it does not saturate. */
static bool saturation_range(const dl_layer *layer, double *low, double *high) {
    if (!layer->activation)
        return false;
    const dl_activation_type *type = dl_activation_of(layer->activation);
    *low = type->low;
    *high = type->high;
    return type->low < type->high;
}

static void add_outputs(layer_stats *s, const dl_layer *layer, int64_t samples) {
    int64_t size = dl_shape_size(layer->out.shape);
    double low, high;
    bool saturates = saturation_range(layer, &low, &high);
    for (int64_t i = 0; i < samples * size; i++) {
        double x = layer->out.value[i];
        s->sum += x;
        s->squares += x * x;
        s->zeros += x == 0;
        s->saturated += saturates && (x < low || x > high);
        s->differ |= layer->out.value[i] != layer->out.value[i / size * size];
    }
    s->count += (double)(samples * size);
}

static void add_layer(void *context, int i, bool backward) {
    net_stats *l = context;
    const dl_layer *layer = &l->net->layers[i];
    layer_stats *s = &l->layers[i];
    if (!backward) {
        add_outputs(s, layer, l->pass->batch);
        return;
    }
    int64_t count = l->pass->batch * dl_shape_size(layer->out.shape);
    for (int64_t n = 0; n < count; n++)
        s->gradient_squares += (double)layer->out.grad[n] * layer->out.grad[n];
    s->gradients = (double)count;
}

static const char *verdict_of(const layer_stats *s, const layer_stats *last, bool wide) {
    double mean = s->sum / s->count, deviation = sqrt(s->squares / s->count - mean * mean);
    double length = sqrt(s->gradient_squares / last->gradient_squares);
    if (!isfinite(s->squares) || !isfinite(s->gradient_squares))
        return "not finite";
    if (s->zeros == s->count)
        return "dead";
    if (wide && !s->differ)
        return "constant";
    if (s->saturated > FLAT * s->count)
        return "saturated";
    if (!(deviation >= SMALL))
        return "vanishing";
    if (deviation > LARGE)
        return "exploding";
    if (s->zeros > MOSTLY * s->count)
        return "nearly dead";
    if (s->gradients && s->gradient_squares == 0)
        return "no gradient";
    if (s->gradients && length < SHORT)
        return "vanishing gradient";
    if (s->gradients && length > LONG)
        return "exploding gradient";
    return "fine";
}

static void print_layer(dl_terminal *t, const dl_layer *layer, const layer_stats *s,
                        const layer_stats *last, int width) {
    double mean = s->sum / s->count, variance = s->squares / s->count - mean * mean, low, high;
    char saturated[32] = "-", gradient[32] = "-";
    if (saturation_range(layer, &low, &high))
        snprintf(saturated, sizeof saturated, "%.1f %%", 100 * s->saturated / s->count);
    if (s->gradients)
        snprintf(gradient, sizeof gradient, "%.2e", sqrt(s->gradient_squares / s->gradients));
    dl_say(t, "%-*s  %10.3g  %9.3g  %7.1f %%  %9s  %12s  %s", width, layer->name, mean,
           variance > 0   ? sqrt(variance)
           : variance < 0 ? 0
                          : variance,
           100 * s->zeros / s->count, saturated, gradient,
           verdict_of(s, last, dl_shape_size(layer->out.shape) > 1));
}

static void print_layers(dl_terminal *t, const net_stats *l, int64_t rows) {
    const dl_net *net = l->net;
    int width = 10;
    for (int i = 0; i < net->layer_count; i++) {
        int length = (int)strlen(net->layers[i].name);
        width = length > width ? length : width;
    }
    dl_say(t, "activations of %lld rows, and gradients of the first batch", (long long)rows);
    dl_say(t, "%-*s  %10s  %9s  %9s  %9s  %12s  %s", width, "layer", "mean", "deviation", "zero",
           "saturated", "gradient rms", "verdict");
    for (int i = 0; i < net->layer_count; i++)
        if (l->layers[i].count > 0)
            print_layer(t, &net->layers[i], &l->layers[i], &l->layers[net->layer_count - 1], width);
}

/* Returns the number of rows: at least one batch. */
static int64_t run(net_stats *l, dl_model *model, dl_loader *train, int64_t most, dl_error *error) {
    const dl_batch *batch;
    int64_t rows = 0;
    dl_loader_start(train, dl_model_order(model, true), (uint64_t)model->seed, 0, 0);
    dl_net_begin(&model->net);
    while ((!rows || rows < most) && (batch = dl_loader_next(train, error))) {
        dl_pass pass = {.batch = (int)batch->count,
                        .training = true,
                        .seed = (uint64_t)model->seed,
                        .step = (uint32_t)batch->step,
                        .carry = true};
        l->pass = &pass;
        dl_net_forward(&model->net, batch->x, &pass);
        if (!rows) {
            dl_loss_backward(model, batch);
            dl_net_backward(&model->net, &pass);
        }
        rows += batch->count;
    }
    return rows;
}

/* Collects the statistics of about *rows rows; `l->layers` is freed by the caller. */
static int collect(net_stats *l, dl_model *model, dl_loader *train, int64_t *rows,
                   dl_error *error) {
    int before = error->count;
    *l = (net_stats){.net = &model->net};
    l->layers = xcalloc((size_t)model->net.layer_count, sizeof *l->layers);
    model->net.watch = add_layer;
    model->net.watcher = l;
    *rows = run(l, model, train, *rows, error);
    model->net.watch = NULL;
    return error->count > before ? -1 : 0;
}

int dl_activation_stats_report(dl_terminal *t, dl_model *model, dl_loader *train, dl_error *error) {
    net_stats l;
    int64_t rows = ENOUGH;
    int result = collect(&l, model, train, &rows, error);
    if (!result)
        print_layers(t, &l, rows);
    free(l.layers);
    return result;
}

int dl_activation_stats_find_bad(dl_model *model, dl_loader *train, int64_t rows, dl_text *bad,
                                 dl_error *error) {
    static const char *const harmless[] = {"fine",      "nearly dead",        "vanishing",
                                           "exploding", "exploding gradient", "no gradient"};
    net_stats l;
    int result = collect(&l, model, train, &rows, error);
    const layer_stats *last = &l.layers[model->net.layer_count - 1];
    for (int i = 0; i < model->net.layer_count && !result; i++) {
        const dl_layer *layer = &model->net.layers[i];
        bool fine = l.layers[i].count == 0;
        const char *verdict =
            fine ? "" : verdict_of(&l.layers[i], last, dl_shape_size(layer->out.shape) > 1);
        for (size_t b = 0; b < sizeof harmless / sizeof *harmless; b++)
            fine |= !strcmp(verdict, harmless[b]);
        if (!fine)
            dl_text_add(bad, "%s%s: %s", bad->length ? ", " : "", layer->name, verdict);
    }
    free(l.layers);
    return result;
}

/* ---- gradients ---- */

static void add_squares(const dl_layer *layer, double *weights, double *gradients, double *count) {
    *weights = *gradients = *count = 0;
    for (int p = 0; p < layer->param_count; p++) {
        const dl_param *param = &layer->params[p];
        for (int64_t i = 0; i < param->count && param->grad; i++) {
            *weights += (double)param->value[i] * param->value[i];
            *gradients += (double)param->grad[i] * param->grad[i];
        }
        *count += (double)param->count;
    }
}

static void print_gradients(dl_terminal *t, const dl_net *net) {
    int width = 10;
    double weights, gradients, count, last = 0;
    for (int i = 0; i < net->layer_count; i++) {
        int length = (int)strlen(net->layers[i].name);
        width = length > width ? length : width;
        add_squares(&net->layers[i], &weights, &gradients, &count);
        last = gradients > 0 ? sqrt(gradients) : last;
    }
    dl_say(t, "gradients of the first batch, before penalties and clipping");
    dl_say(t, "%-*s  %12s  %11s  %12s  %13s  %9s", width, "layer", "parameters", "weight rms",
           "gradient rms", "gradient norm", "/ last");
    for (int i = 0; i < net->layer_count; i++) {
        char number[32];
        const dl_layer *layer = &net->layers[i];
        add_squares(layer, &weights, &gradients, &count);
        if (count > 0)
            dl_say(t, "%-*s  %12s  %11.3g  %12.3g  %13.3g  %9.2g", width, layer->name,
                   dl_text_count(number, (int64_t)count), sqrt(weights / count),
                   sqrt(gradients / count), sqrt(gradients),
                   last > 0 ? sqrt(gradients) / last : 0.0);
    }
}

int dl_gradient_stats_report(dl_terminal *t, dl_model *model, dl_loader *train, dl_error *error) {
    dl_loader_start(train, dl_model_order(model, true), (uint64_t)model->seed, 0, 0);
    const dl_batch *batch = dl_loader_next(train, error);
    if (!batch)
        return -1;
    dl_pass pass = {.batch = (int)batch->count, .training = true, .seed = (uint64_t)model->seed};
    dl_net_begin(&model->net);
    dl_net_forward(&model->net, batch->x, &pass);
    dl_loss_backward(model, batch);
    dl_net_backward(&model->net, &pass);
    print_gradients(t, &model->net);
    return 0;
}

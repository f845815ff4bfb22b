/* SPDX-License-Identifier: MIT */
/* Running nets: from outputs to probabilities, or to numbers in the units of the data. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "library/net.h"
#include "math/threads.h"
#include "math/vector.h"
#include "metrics/outcome.h"
#include "model/generate.h"

static dl_outcome outcome_of(const dl_model *model, int count, const float *output) {
    return (dl_outcome){count * model->positions, model->channels,        output,      NULL,
                        model->target.classes,    model->loss->threshold, model->link, NULL};
}

/* The answers as y[count][output_size] of outputs[count][...]. */
static void answer(const net_member *m, int count, const float *output, float *y) {
    const dl_model *model = &m->model;
    const dl_schema *schema = &model->data.schema;
    const dl_outcome o = outcome_of(model, count, output);
    if (schema->bin_edge) {
        for (int i = 0; i < count; i++)
            y[i] = (float)dl_expected_value(output + i * model->channels, schema->bin_mean,
                                            (int)model->channels);
        return;
    }
    for (int64_t r = 0; o.classes && o.link != DL_NO_PROBABILITIES && r < o.rows; r++) {
        dl_class_probabilities(&o, r, m->position);
        for (int c = 0; c < o.classes; c++)
            y[r * o.classes + c] = (float)m->position[c];
    }
    if (o.classes && o.link != DL_NO_PROBABILITIES)
        return;
    dl_copy(y, output, o.rows * o.channels);
    if (o.classes)
        return;
    dl_activation link = {.kind = model->loss->link};
    if (link.kind != DL_LINEAR)
        dl_activate(&link, count, model->channels, NULL, y, y);
    dl_denormalize(&model->data.target, y, count, model->channels);
}

/* ---- passes ---- */

/* The outputs of a pass. */
static const float *forward(dltrain_net *net, net_member *m, int count) {
    dl_model *model = &m->model;
    dl_pass pass = {.batch = count, .carry = true, .seed = 1, .step = net->pass};
    dl_batch batch = {.x = m->input, .count = count};
    m->running = count;
    if (m->views.count > 1 && !net->samples)
        dl_views_forward(&m->views, model, &batch);
    else
        dl_net_forward(&model->net, m->input, &pass);
    return m->layer >= 0 ? m->tap : dl_net_output(&model->net)->value;
}

static void add(dltrain_net *net, size_t k, double value) {
    net->sum[k] += value;
    net->square[k] += value * value;
}

/* One pass. Probabilities are added before they are rounded to float; a net without them, which
   votes, counts as having probability 1 for its class. */
static void add_pass(dltrain_net *net, net_member *m, int count, const float *output) {
    const dl_outcome o = outcome_of(&m->model, count, output);
    bool classes = o.classes && !m->model.data.schema.bin_edge && m->layer < 0;
    size_t size = (size_t)count * net->info.output_size;
    bool raw = o.link == DL_NO_PROBABILITIES;
    for (int64_t r = 0; classes && (net->vote || !raw) && r < o.rows; r++) {
        int predicted = dl_predicted_class(&o, r);
        net->votes[r * o.classes + predicted] += 1;
        if (!raw)
            dl_class_probabilities(&o, r, m->position);
        for (int c = 0; c < o.classes; c++)
            add(net, (size_t)(r * o.classes + c), raw ? c == predicted : m->position[c]);
    }
    if (classes && (net->vote || !raw))
        return;
    if (m->layer >= 0)
        memcpy(net->once, output, sizeof *net->once * size);
    else
        answer(m, count, output, net->once);
    for (size_t k = 0; k < size; k++)
        add(net, k, (double)net->once[k]);
}

static void combine(dltrain_net *net, int count, float *out) {
    size_t size = (size_t)count * net->info.output_size;
    int samples = net->samples ? net->samples : 1, passes = net->count * samples;
    memset(net->sum, 0, sizeof *net->sum * size);
    memset(net->square, 0, sizeof *net->square * size);
    memset(net->votes, 0, sizeof *net->votes * size);
    for (int i = 0; i < passes; i++, net->pass++) {
        net_member *m = &net->member[i / samples];
        add_pass(net, m, count, forward(net, m, count));
    }
    for (size_t k = 0; k < size; k++) {
        double mean = net->sum[k] / passes, variance = net->square[k] / passes - mean * mean;
        out[k] = (float)(net->vote ? ((double)net->votes[k] + mean / 2) / (passes + 0.5) : mean);
        if (net->deviation)
            net->deviation[k] = (float)sqrt(variance > 0 ? variance : 0);
    }
}

void net_run(dltrain_net *net, int count, float *out) {
    int before = dl_threads_enter(net->threads);
    net_member *m = &net->member[0];
    if (net->sum) {
        combine(net, count, out);
    } else {
        const float *output = forward(net, m, count);
        if (m->layer >= 0)
            memcpy(out, output, sizeof *out * (size_t)count * net->info.output_size);
        else
            answer(m, count, output, out);
    }
    dl_threads_leave(before);
}

int dltrain_class(const dltrain_net *net, const float *outputs) {
    const dl_model *model = &net->member[0].model;
    bool one = net->count == 1 && model->link == DL_NO_PROBABILITIES && model->channels == 1;
    if (one)
        return outputs[0] > model->loss->threshold;
    int best = 0;
    for (int c = 1; c < net->info.classes; c++)
        best = outputs[c] > outputs[best] ? c : best;
    return best;
}

/* ---- the caller's numbers ---- */

typedef struct {
    dltrain_net *net;
    const float *x;
    const unsigned char *bytes; /* or these */
    size_t count;
    float *out;
} run;

static void fill(const run *r, net_member *m, size_t first, int count) {
    const dl_data *data = &m->model.data;
    const double *origin = data->schema.input_origin;
    size_t size = r->net->info.input_size, at = first * size;
    for (size_t i = 0; i < (size_t)count * size; i++)
        m->x[i] = r->bytes ? (float)r->bytes[at + i] : r->x[at + i];
    for (size_t i = 0; origin && i < (size_t)count * size; i++)
        m->x[i] = (float)((double)m->x[i] - origin[i % size]);
    dl_normalize(&data->input, m->x, count, (int64_t)size);
    m->input = m->x;
}

static int run_all(void *context) {
    const run *r = context;
    dltrain_net *net = r->net;
    for (int i = 1; i < net->count; i++)
        if ((size_t)dl_shape_size(net->member[i].model.data.schema.input) != net->info.input_size)
            return dl_fail(&net->error, DL_USAGE, "%s and %s have inputs of different sizes",
                           net->member[0].path, net->member[i].path);
    for (size_t first = 0; first < r->count; first += (size_t)net->batch) {
        size_t left = r->count - first;
        int count = left < (size_t)net->batch ? (int)left : net->batch;
        for (int i = 0; i < net->count; i++)
            fill(r, &net->member[i], first, count);
        net_run(net, count, r->out + first * net->info.output_size);
    }
    return 0;
}

int dltrain_run(dltrain_net *net, const float *x, size_t count, float *out) {
    run r = {net, x, NULL, count, out};
    return net && net->open ? net_guard(net, run_all, &r) : DLTRAIN_USAGE;
}

int dltrain_run_bytes(dltrain_net *net, const unsigned char *x, size_t count, float *out) {
    run r = {net, NULL, x, count, out};
    return net && net->open ? net_guard(net, run_all, &r) : DLTRAIN_USAGE;
}

/* ---- text ---- */

typedef struct {
    dltrain_net *net;
    const dltrain_text *text;
    dltrain_sink sink;
    void *context;
} generation;

static bool hand_on(void *context, const char *bytes, int count) {
    const generation *g = context;
    return g->sink(g->context, bytes, (size_t)count);
}

static int generate(void *context) {
    generation *g = context;
    net_member *m = &g->net->member[0];
    const dltrain_text *t = g->text;
    dl_symbols symbols = dl_data_symbols(&m->model.data);
    dl_generate_options options = {.prompt = t->prompt,
                                   .count = t->count,
                                   .temperature = t->temperature,
                                   .top_k = t->top_k,
                                   .top_p = t->top_p,
                                   .seed = t->seed};
    if (dl_symbols_check(&symbols, m->path, &g->net->error))
        return -1;
    int before = dl_threads_enter(g->net->threads);
    int result = dl_generate(&m->model, &options, m->path, hand_on, g, &g->net->error);
    dl_threads_leave(before);
    return result;
}

int dltrain_generate(dltrain_net *net, const dltrain_text *text, dltrain_sink sink, void *context) {
    generation g = {net, text, sink, context};
    return net && net->open ? net_guard(net, generate, &g) : DLTRAIN_USAGE;
}

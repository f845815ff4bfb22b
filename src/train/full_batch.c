/* SPDX-License-Identifier: MIT */
#include "train/full_batch.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- checks ---- */

static int check_settings(const dl_experiment *e, dl_error *error) {
    const dl_settings *s = &e->settings;
    const struct {
        bool on;
        const char *path, *why;
    } cases[] = {
        {s->clip_norm > 0, "regularization.clip_norm", "it chooses its own step length"},
        {s->clip_value > 0, "regularization.clip_value", "it chooses its own step length"},
        {s->gradient_noise > 0, "regularization.gradient_noise", "it needs exact gradients"},
        {s->max_norm > 0, "regularization.max_norm", "it must not be overridden"},
        {s->clip_weights > 0, "regularization.clip_weights", "it must not be overridden"},
        {e->model.settings.bf16, "training.bf16", "it needs exact gradients"},
        {s->average, "regularization.average", "its weights are the best ones found so far"},
        {e->model.data.augment.count > 0, "data.augment", "it needs the same rows in every pass"},
    };
    int result = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (cases[i].on)
            result = dl_fail(error, DL_USAGE, "%s: %s does not work with %s: %s",
                             dl_model_where(&e->model, cases[i].path),
                             strchr(cases[i].path, '.') + 1, e->optimizer->kind.name, cases[i].why);
    return result;
}

static int check_layers(const dl_experiment *e, dl_error *error) {
    const dl_net *net = &e->model.net;
    const dl_layer *stateful = dl_net_stateful(net);
    const char *name = e->optimizer->kind.name;
    int result = 0;
    for (int i = 0; i < net->layer_count; i++)
        if (net->layers[i].varies)
            result =
                dl_fail(error, DL_USAGE,
                        "%s: in training, the output of layer \"%s\" is random or depends on the "
                        "other samples of the batch, but %s needs a deterministic loss: "
                        "remove the layer, or use adam",
                        net->layers[i].where, net->layers[i].name, name);
    for (int p = 0; p < net->param_count; p++)
        if (net->params[p].freeze_until > 1 || net->params[p].flags & DL_ORTHOGONAL)
            result = dl_fail(error, DL_USAGE, "%s: %s does not work with %s",
                             dl_model_where(&e->model, "network"),
                             net->params[p].freeze_until > 1 ? "freeze_until_epoch" : "orthogonal",
                             name);
    if (stateful)
        result =
            dl_fail(error, DL_USAGE, "%s: layer \"%s\" is stateful, which does not work with %s",
                    stateful->where, stateful->name, name);
    if (net->head_count)
        result = dl_fail(error, DL_USAGE, "%s: auxiliary heads do not work with %s",
                         net->heads[0].where, name);
    return result;
}

static int check_loss(const dl_full_batch *w, dl_error *error) {
    const dl_experiment *e = w->e;
    const char *name = e->optimizer->kind.name, *where = dl_model_where(&e->model, "loss");
    if (e->model.loss->straight_through)
        return dl_fail(error, DL_USAGE,
                       "%s: loss \"%s\" has an update rule instead of a gradient, which %s needs: "
                       "use sgd",
                       where, e->model.loss->kind.name, name);
    if (!e->optimizer->full_batch->needs_squares)
        return 0;
    if (!e->model.loss->least_squares)
        return dl_fail(error, DL_USAGE,
                       "%s: %s minimizes sums of squares: it needs loss \"mse\", not \"%s\" (lbfgs "
                       "works with any loss)",
                       where, name, e->model.loss->kind.name);
    for (int s = 0; s < w->update->span_count; s++)
        if (w->update->spans[s].l1 > 0)
            return dl_fail(error, DL_USAGE,
                           "%s: the penalty l1 is not a sum of squares, which %s needs (l2 is)",
                           dl_model_where(&e->model, "regularization.l1"), name);
    return 0;
}

/* Memory for the state, the scratch and the Jacobian. */
static int64_t memory_of(const dl_full_batch *w) {
    const dl_full_batch_method *method = w->e->optimizer->full_batch;
    int64_t n = w->f.count, doubles = method->state_count(w->e->optimizer_self, n);
    doubles += method->work_count(w->e->optimizer_self, &w->f);
    return (doubles + (method->needs_squares ? (n + 1) * w->f.most_rows : 0)) *
           (int64_t)sizeof(double);
}

static int check_size(const dl_full_batch *w, dl_error *error) {
    const dl_experiment *e = w->e;
    const dl_minimizer_common *own = e->optimizer_self;
    char bytes[32];
    if (own->most_parameters && w->f.count > own->most_parameters)
        return dl_fail(error, DL_USAGE,
                       "%s: the network has %lld parameters to be trained, but most_parameters is "
                       "%lld: %s would need %s for its matrices (lbfgs needs none)",
                       dl_model_where(&e->model, "optimizer"), (long long)w->f.count,
                       (long long)own->most_parameters, e->optimizer->kind.name,
                       dl_text_bytes(bytes, (double)memory_of(w)));
    if (e->optimizer->full_batch->state_count(own, w->f.count) >
        INT32_MAX) /* a tensor of the checkpoint */
        return dl_fail(error, DL_USAGE,
                       "%s: for %lld parameters, %s would need %s, which is too much",
                       dl_model_where(&e->model, "optimizer"), (long long)w->f.count,
                       e->optimizer->kind.name, dl_text_bytes(bytes, (double)memory_of(w)));
    return 0;
}

/* ---- the objective ---- */

/* theta[count] = the net's weights */
static void gather(const dl_full_batch *w, double *theta) {
    for (int s = 0; s < w->update->span_count; s++)
        for (int64_t i = 0; i < w->update->spans[s].count; i++)
            *theta++ = w->e->model.net.weights[w->update->spans[s].first + i];
}

/* The reverse, rounded to float. */
static void scatter(const dl_full_batch *w, const double *theta) {
    for (int s = 0; s < w->update->span_count; s++)
        for (int64_t i = 0; i < w->update->spans[s].count; i++)
            w->e->model.net.weights[w->update->spans[s].first + i] = (float)*theta++;
}

/* to[count] += (add) or = factor * the net's gradients */
static void gather_gradients(const dl_full_batch *w, double factor, bool add, double *to) {
    for (int s = 0; s < w->update->span_count; s++) {
        const float *from = w->e->model.net.gradients + w->update->spans[s].first;
        for (int64_t i = 0; i < w->update->spans[s].count; i++, to++)
            *to = (add ? *to : 0) + factor * (double)from[i];
    }
}

/* The penalties of all spans; adds their gradient to `gradient` unless that is NULL. */
static double penalties(const dl_full_batch *w, const double *theta, double *gradient) {
    double sum = 0;
    for (int s = 0; s < w->update->span_count; s++) {
        double l1 = w->update->spans[s].l1, l2 = w->update->spans[s].l2;
        for (int64_t i = 0; (l1 > 0 || l2 > 0) && i < w->update->spans[s].count; i++) {
            sum += l1 * fabs(theta[i]) + l2 / 2 * theta[i] * theta[i];
            if (gradient)
                gradient[i] += l1 * ((theta[i] > 0) - (theta[i] < 0)) + l2 * theta[i];
        }
        theta += w->update->spans[s].count;
        gradient += gradient ? w->update->spans[s].count : 0;
    }
    return sum;
}

/* Sets the weights to theta and starts a pass over the training part. */
static void begin_pass(dl_full_batch *w, const double *theta) {
    scatter(w, theta);
    dl_loader_start(w->loader, dl_model_order(&w->e->model, false), 0, 0, 0);
    dl_net_begin(&w->e->model.net);
}

static dl_pass pass_of(const dl_full_batch *w, int64_t count) {
    return (dl_pass){.batch = (int)count, .training = true, .seed = (uint64_t)w->e->model.seed};
}

static double evaluate(dl_function *f, const double *theta, double *gradient) {
    dl_full_batch *w = (dl_full_batch *)f;
    dl_losses losses = {0};
    int before = w->error->count;
    if (gradient)
        memset(gradient, 0, sizeof *gradient * (size_t)f->count);
    begin_pass(w, theta);
    const dl_batch *batch;
    while ((batch = dl_loader_next(w->loader, w->error))) {
        dl_pass pass = pass_of(w, batch->count);
        dl_net_forward(&w->e->model.net, batch->x, &pass);
        dl_losses loss = dl_loss_backward(&w->e->model, batch);
        dl_losses_add(&losses, &loss);
        if (!gradient)
            continue;
        dl_net_backward(&w->e->model.net, &pass);
        gather_gradients(w, loss.net.counted, true, gradient);
    }
    if (w->error->count > before)
        return NAN;
    for (int64_t i = 0; gradient && i < f->count; i++)
        gradient[i] /= losses.net.counted;
    return dl_loss_mean(&losses.net) + penalties(w, theta, gradient);
}

/* A block of rows of the Jacobian, being filled. */
typedef struct {
    dl_full_batch *w;
    int64_t rows;
    dl_row_callback take;
    void *context;
    double sum; /* of squared residuals so far */
} block;

static void flush(block *b) {
    if (b->rows)
        b->take(b->context, b->rows, b->w->rows, b->w->residual);
    b->rows = 0;
}

/* The row to fill. */
static double *next_row(block *b, double residual) {
    if (b->rows == b->w->f.most_rows)
        flush(b);
    b->sum += residual * residual;
    b->w->residual[b->rows] = residual;
    return b->w->rows + b->rows++ * b->w->f.count;
}

/* Row i of the batch: one forward and one backward pass per output, since a backward pass may
   overwrite the activations. */
static void add_sample(block *b, const dl_batch *batch, int64_t i, double scale) {
    dl_full_batch *w = b->w;
    dl_experiment *e = w->e;
    dl_tensor *out = dl_net_output(&e->model.net);
    int64_t outputs = e->model.positions * e->model.channels,
            targets = e->model.data.schema.outputs;
    const float *x = batch->x + i * dl_shape_size(e->model.net.input), *y = batch->y + i * targets;
    dl_pass pass = pass_of(w, 1);
    for (int64_t k = 0; k < outputs; k++) {
        dl_net_forward(&e->model.net, x, &pass);
        float difference =
            out->value[k] - dl_loss_target_value(&e->model.target, e->model.channels, y,
                                                 k / e->model.channels, k % e->model.channels);
        memset(out->grad, 0, sizeof *out->grad * (size_t)outputs);
        out->grad[k] = 1;
        dl_net_backward(&e->model.net, &pass);
        gather_gradients(w, scale, false, next_row(b, scale * (double)difference));
    }
}

/* l2/2 * w^2 is half the square of the residual sqrt(l2) * w. */
static void add_penalties(block *b, const double *theta) {
    const dl_full_batch *w = b->w;
    int64_t k = 0;
    for (int s = 0; s < w->update->span_count; s++)
        for (int64_t i = 0; i < w->update->spans[s].count; i++, k++) {
            double root = sqrt((double)w->update->spans[s].l2);
            if (root == 0)
                continue;
            double *row = next_row(b, root * theta[k]);
            memset(row, 0, sizeof *row * (size_t)w->f.count);
            row[k] = root;
        }
}

/* The mean of (y - t)^2 over all rows and outputs is |r|^2 / 2 with
   r = sqrt(2 / (rows * outputs)) (y - t), or with weights w, sqrt(2 w / (sum of w * outputs)). */
static double squares(dl_function *f, const double *theta, dl_row_callback take, void *context) {
    dl_full_batch *w = (dl_full_batch *)f;
    block b = {w, 0, take, context, 0};
    const dl_subset *train = &w->e->model.data.part[DL_TRAIN];
    double values = (double)(w->e->model.positions * w->e->model.channels);
    values *= train->dataset->weight ? dl_subset_weight(train, train->count)
                                     : (double)dl_loader_pass_rows(&w->e->model.data, DL_TRAIN);
    int before = w->error->count;
    begin_pass(w, theta);
    const dl_batch *batch;
    while ((batch = dl_loader_next(w->loader, w->error)))
        for (int64_t i = 0; i < batch->count; i++)
            add_sample(&b, batch, i,
                       sqrt(2 * (batch->weight ? (double)batch->weight[i] : 1) / values));
    if (w->error->count > before)
        return NAN;
    add_penalties(&b, theta);
    flush(&b);
    return b.sum / 2;
}

/* ---- iterations ---- */

static double *allocate(int64_t count) {
    return dl_memory_aligned(sizeof(double) * (size_t)count);
}

int dl_full_batch_open(dl_full_batch *w, dl_experiment *e, dl_loader *loader, dl_update *u,
                       dl_error *error) {
    enum { FEW_ROWS = 64 };
    const dl_full_batch_method *method = e->optimizer->full_batch;
    *w = (dl_full_batch){.e = e, .loader = loader, .update = u, .error = error};
    w->f = (dl_function){.precision = FLT_EPSILON, .evaluate = evaluate};
    for (int s = 0; s < u->span_count; s++)
        w->f.count += u->spans[s].count;
    w->f.most_rows = w->f.count > FEW_ROWS ? w->f.count : FEW_ROWS;
    if (check_settings(e, error) | check_layers(e, error) | check_loss(w, error) |
        check_size(w, error))
        return -1;
    w->bytes = memory_of(w);
    w->work = allocate(method->work_count(e->optimizer_self, &w->f));
    u->optimizer_state.state_count = method->state_count(e->optimizer_self, w->f.count);
    u->optimizer_state.state = allocate(u->optimizer_state.state_count);
    if (!method->needs_squares)
        return 0;
    w->f.squares = squares;
    w->rows = allocate(w->f.count * w->f.most_rows);
    w->residual = allocate(w->f.most_rows);
    return 0;
}

int dl_full_batch_begin(dl_full_batch *w, bool resumed, dl_text *note, dl_error *error) {
    const dl_full_batch_method *method = w->e->optimizer->full_batch;
    dl_iteration it = {w->update->optimizer_state.state, w->work, 1};
    if (resumed)
        return 0;
    int before = error->count;
    gather(w, it.state);
    if (method->begin && method->begin(w->e->optimizer_self, &w->f, &it,
                                       dl_model_where(&w->e->model, "optimizer"), note, error))
        return -1;
    scatter(w, it.state);
    return error->count > before ? -1 : 0;
}

double dl_full_batch_iterate(dl_full_batch *w, int64_t t) {
    dl_iteration it = {w->update->optimizer_state.state, w->work, t};
    double a = w->e->optimizer->full_batch->minimize(w->e->optimizer_self, &w->f, &it);
    scatter(w, it.state);
    return a;
}

void dl_full_batch_close(dl_full_batch *w) {
    free(w->rows);
    free(w->residual);
    free(w->work);
    *w = (dl_full_batch){0};
}

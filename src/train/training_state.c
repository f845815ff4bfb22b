/* SPDX-License-Identifier: MIT */
#include "train/training_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char STATE[] = "optimizer.state", EPOCH[] = "epoch.";

/* The schedule and the column that it monitors: "plateau val_loss". */
static dl_text schedule_name(const dl_experiment *e) {
    const dl_schedule_common *common = e->schedule_self;
    dl_text name = {0};
    dl_text_add(&name, "%s %s", e->schedule->kind.name, common->monitor);
    return name;
}

/* ---- writing ---- */

static int add_field(void *context, const char *name, double *value, int64_t count) {
    dl_text key = {0};
    dl_text_add(&key, "%s%s", EPOCH, name);
    dl_checkpoint_content_add_doubles(context, key.data, value, count);
    dl_text_free(&key);
    return 0;
}

static void add_progress(dl_checkpoint_content *c, const dl_experiment *e, const dl_progress *p) {
    dl_text columns = dl_row_scores(e);
    dl_metric_sums sums = p->sums;
    dl_checkpoint_content_add_number(c, "epoch", p->epoch);
    dl_checkpoint_content_add_number(c, "epoch_step", p->epoch_step);
    dl_checkpoint_content_add_number(c, "step", p->step);
    dl_checkpoint_content_add_number(c, "best_epoch", p->best_epoch);
    dl_checkpoint_content_add_doubles(c, "best", &p->best, 1);
    dl_checkpoint_content_add_text(c, "optimizer", e->optimizer->kind.name);
    dl_checkpoint_content_add_text(c, "monitor", e->settings.monitor);
    dl_checkpoint_content_add_text(c, "monitor_mode", dl_mode_names[e->settings.mode]);
    dl_checkpoint_content_add_text(c, "columns", columns.data);
    dl_checkpoint_content_add_text(c, "rows", dl_text_get(&p->rows));
    dl_text_free(&columns);
    if (p->epoch_step)
        dl_metric_sums_fields(&sums, &e->model, add_field, c);
    if (!e->schedule || !e->schedule->observe)
        return;
    dl_text name = schedule_name(e);
    dl_checkpoint_content_add_text(c, "schedule", name.data);
    dl_checkpoint_content_add_doubles(c, "schedule_state", p->schedule, DL_SCHEDULE_STATE);
    dl_text_free(&name);
}

static void add_optimizer_state(dl_checkpoint_content *c, const dl_net *net,
                                const dl_optimizer_state *r) {
    if (r->state_count)
        dl_checkpoint_content_add_tensor(c,
                                         (dl_named_tensor){.name = STATE,
                                                           .shape = dl_shape1((int)r->state_count),
                                                           .value = r->state,
                                                           .is_double = true});
    for (int v = 0; v < r->vector_count; v++)
        for (int p = 0; p < net->param_count; p++)
            dl_checkpoint_content_add_tensor(
                c, (dl_named_tensor){.name = dl_arena_printf(&c->arena, "optimizer.%d.%s", v,
                                                             net->params[p].name),
                                     .shape = net->params[p].shape,
                                     .value = r->vectors[v] + net->params[p].offset});
}

/* The raw parameters, which the average has replaced in the net. */
static void add_raw(dl_checkpoint_content *c, const dl_param *params, int n, const float *block) {
    for (int i = 0; i < n; i++)
        if (!(params[i].flags & DL_CARRIED))
            dl_checkpoint_content_add_tensor(
                c, (dl_named_tensor){.name = dl_arena_printf(&c->arena, "raw.%s", params[i].name),
                                     .shape = params[i].shape,
                                     .value = block + params[i].offset});
}

dl_checkpoint_content dl_training_state_content(const dl_training_state *s,
                                                const dl_experiment *e) {
    const dl_net *net = &e->model.net;
    dl_checkpoint_content c = {.carried = s->progress->epoch_step > 0};
    add_progress(&c, e, s->progress);
    add_optimizer_state(&c, net, s->optimizer_state);
    if (s->average->wanted) {
        dl_checkpoint_content_add_text(&c, "average", dl_average_names[s->average->kind]);
        dl_checkpoint_content_add_number(&c, "average_count", s->average->count);
    }
    if (s->average->in_net) {
        add_raw(&c, net->params, net->param_count, s->average->weights);
        add_raw(&c, net->state_params, net->state_param_count, s->average->state);
    }
    return c;
}

/* ---- reading ---- */

typedef struct {
    const dl_checkpoint *checkpoint;
    dl_error *error;
} field_reader;

static int read_field(void *context, const char *name, double *value, int64_t count) {
    field_reader *r = context;
    dl_text key = {0};
    dl_text_add(&key, "%s%s", EPOCH, name);
    int result = dl_checkpoint_doubles(r->checkpoint, key.data, value, count, r->error);
    dl_text_free(&key);
    return result;
}

static int read_sums(const dl_checkpoint *c, const dl_experiment *e, dl_metric_sums *sums,
                     dl_error *error) {
    field_reader reader = {c, error};
    int before = error->count;
    if (!dl_metric_sums_fields(sums, &e->model, read_field, &reader))
        return 0;
    return error->count > before ? -1 : dl_checkpoint_missing(c, "epoch.rows", error);
}

/* Another schedule, or another monitored column, starts over. */
static int read_schedule(const dl_checkpoint *c, const dl_experiment *e, double *state,
                         dl_error *error) {
    const char *was = dl_checkpoint_text(c, "schedule");
    if (!was || !e->schedule || !e->schedule->observe)
        return 0;
    dl_text name = schedule_name(e);
    bool same = !strcmp(was, name.data);
    dl_text_free(&name);
    double read[DL_SCHEDULE_STATE];
    if (dl_checkpoint_doubles(c, "schedule_state", read, DL_SCHEDULE_STATE, error))
        return -1;
    if (same)
        memcpy(state, read, sizeof read);
    return 0;
}

/* Class counts depend on the loss, whose options may change. */
static char *schema_without_counts(const dl_schema *schema) {
    dl_schema plain = *schema;
    plain.class_count = NULL;
    return dl_schema_to_json(&plain);
}

/* Data, optimizer and columns of the history cannot change within a run. */
static int check_same(const dl_checkpoint *c, const dl_experiment *e, dl_error *error) {
    const char *was = dl_checkpoint_text(c, "columns");
    const char *optimizer = dl_checkpoint_text(c, "optimizer");
    if (!was || !optimizer)
        return dl_checkpoint_missing(c, was ? "optimizer" : "columns", error);
    dl_text columns = dl_row_scores(e);
    char *schema = schema_without_counts(dl_data_checkpoint_schema(&e->model.data));
    char *old = schema_without_counts(&c->schema);
    int result = 0;
    if (strcmp(was, columns.data))
        result = dl_fail(
            error, DL_USAGE,
            "%s: the run's history has the columns %s, which cannot become %s: a "
            "resumed run must keep its metrics, its validation data, and whether it has penalties "
            "(train_objective)",
            c->file.path, was, columns.data);
    if (strcmp(optimizer, e->optimizer->kind.name))
        result =
            dl_fail(error, DL_USAGE,
                    "%s: the run's optimizer is %s, which cannot become %s: its state would be "
                    "lost",
                    c->file.path, optimizer, e->optimizer->kind.name);
    result |= dl_checkpoint_check_split(c, &e->model.data, error);
    if (strcmp(schema, old))
        result = dl_fail(error, DL_DATA,
                         "%s: the data differ from those that the run started with (other columns, "
                         "classes or sizes)",
                         c->file.path);
    dl_text_free(&columns);
    free(schema);
    free(old);
    return result;
}

static int read_progress(const dl_checkpoint *c, const dl_experiment *e, dl_progress *p,
                         dl_error *error) {
    dl_text_free(&p->rows);
    *p = (dl_progress){.sums = p->sums};
    dl_metric_sums_clear(&p->sums);
    if (dl_checkpoint_number(c, "epoch", &p->epoch, error) ||
        dl_checkpoint_number(c, "epoch_step", &p->epoch_step, error) ||
        dl_checkpoint_number(c, "step", &p->step, error) ||
        dl_checkpoint_number(c, "best_epoch", &p->best_epoch, error) ||
        dl_checkpoint_doubles(c, "best", &p->best, 1, error) ||
        (p->epoch_step && read_sums(c, e, &p->sums, error)) ||
        read_schedule(c, e, p->schedule, error))
        return -1;
    const char *rows = dl_checkpoint_text(c, "rows");
    dl_text_add(&p->rows, "%s", rows ? rows : "");
    const char *monitor = dl_checkpoint_text(c, "monitor");
    const char *mode = dl_checkpoint_text(c, "monitor_mode");
    if (!monitor || !mode || strcmp(monitor, e->settings.monitor) ||
        strcmp(mode, dl_mode_names[e->settings.mode])) { /* start over */
        p->best = NAN;
        p->best_epoch = p->epoch;
    }
    return 0;
}

static int read_optimizer_state(const dl_checkpoint *c, const dl_net *net,
                                const dl_optimizer_state *r, dl_error *error) {
    dl_text name = {0};
    int result = r->state_count
                     ? dl_safetensors_read_doubles(&c->file, STATE, r->state_count, r->state, error)
                     : 0;
    for (int v = 0; v < r->vector_count && !result; v++)
        for (int i = 0; i < net->param_count && !result; i++) {
            dl_text_free(&name);
            dl_text_add(&name, "optimizer.%d.%s", v, net->params[i].name);
            result = dl_safetensors_read(&c->file, name.data, net->params[i].shape,
                                         r->vectors[v] + net->params[i].offset, error);
        }
    dl_text_free(&name);
    return result;
}

static int read_raw(const dl_checkpoint *c, const dl_param *params, int count, float *block,
                    dl_error *error) {
    dl_text name = {0};
    int result = 0;
    for (int i = 0; i < count && !result; i++) {
        dl_text_free(&name);
        dl_text_add(&name, "raw.%s", params[i].name);
        if (!(params[i].flags & DL_CARRIED))
            result = dl_safetensors_read(&c->file, name.data, params[i].shape,
                                         block + params[i].offset, error);
    }
    dl_text_free(&name);
    return result;
}

static int read_average(const dl_checkpoint *c, const dl_net *net, dl_average *average,
                        dl_error *error) {
    const char *was = dl_checkpoint_text(c, "average");
    const char *is = average->wanted ? dl_average_names[average->kind] : "none";
    if (!was) /* averaging starts now */
        return 0;
    if (strcmp(was, is))
        return dl_fail(error, DL_USAGE,
                       "%s: the run's average of the weights is of type %s, which cannot become %s",
                       c->file.path, was, is);
    if (dl_checkpoint_number(c, "average_count", &average->count, error))
        return -1;
    if (!average->count)
        return 0;
    average->in_net = true;
    if (read_raw(c, net->params, net->param_count, average->weights, error))
        return -1;
    return read_raw(c, net->state_params, net->state_param_count, average->state, error);
}

int dl_training_state_load(const dl_training_state *s, const dl_experiment *e,
                           const dl_checkpoint *c, dl_error *error) {
    const dl_net *net = &e->model.net;
    if (check_same(c, e, error) || read_progress(c, e, s->progress, error) ||
        read_optimizer_state(c, net, s->optimizer_state, error))
        return -1;
    return read_average(c, net, s->average, error);
}

/* SPDX-License-Identifier: MIT */
#include "run/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/version.h"

static const char *const normalization_names[2][2] = {
    {"normalization.input.shift", "normalization.input.scale"},
    {"normalization.target.shift", "normalization.target.scale"}};

static void set_text(json_t *metadata, const char *key, const char *value) {
    json_object_set_new(metadata, key, json_string(value));
}

static void set_number(json_t *metadata, const char *key, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    set_text(metadata, key, text);
}

/* Doubles travel in hexadecimal: to the bit, and NaN too. */
static void add_double(dl_text *text, double value) {
    dl_text_add(text, "%s%a", text->length ? " " : "", value);
}

static const char *next_double(const char *text, double *value) {
    char *end;
    *value = strtod(text, &end);
    return end == text ? NULL : end;
}

/* The schedule that remembers something, and what it watches: "plateau val_loss". */
static dl_text name_schedule(const dl_experiment *e) {
    const dl_schedule_common *common = e->schedule_self;
    dl_text name = {0};
    dl_text_add(&name, "%s %s", e->schedule->kind.name, common->monitor);
    return name;
}

static void describe_schedule(json_t *metadata, const dl_experiment *e, const double *state) {
    dl_text name = name_schedule(e), numbers = {0};
    for (int i = 0; i < DL_SCHEDULE_STATE; i++)
        add_double(&numbers, state[i]);
    set_text(metadata, "schedule", name.data);
    set_text(metadata, "schedule_state", numbers.data);
    dl_text_free(&name);
    dl_text_free(&numbers);
}

static void describe_progress(json_t *metadata, const dl_experiment *e, const dl_progress *p) {
    set_number(metadata, "epoch", p->epoch);
    set_number(metadata, "epoch_step", p->epoch_step);
    set_number(metadata, "step", p->step);
    set_number(metadata, "best_epoch", p->best_epoch);
    set_text(metadata, "optimizer", e->optimizer->kind.name);
    set_text(metadata, "monitor", e->settings.monitor);
    if (e->settings.mode != DL_MODE_AUTO)
        set_text(metadata, "monitor_mode", dl_mode_names[e->settings.mode]);
    dl_text columns = dl_experiment_columns(e);
    set_text(metadata, "columns", columns.data);
    dl_text_free(&columns);
    dl_text best = {0}, sums = {0};
    add_double(&best, p->best);
    set_text(metadata, "best", best.data);
    add_double(&sums, p->sums.loss);
    add_double(&sums, (double)p->sums.rows);
    for (int m = 0; m < e->metric_count; m++)
        for (int i = 0; i < DL_METRIC_SUMS; i++)
            add_double(&sums, p->sums.tally.sums[m][i]);
    for (int h = 0; h < e->net.head_count; h++)
        add_double(&sums, p->sums.head[h]);
    add_double(&sums, p->sums.counted);
    for (int c = 0; p->sums.tally.count && c < p->sums.tally.classes; c++) {
        const dl_class_count *count = &p->sums.tally.count[c];
        add_double(&sums, (double)count->rows);
        add_double(&sums, (double)count->predicted);
        add_double(&sums, (double)count->right);
    }
    for (int h = 0; h < e->net.head_count; h++)
        add_double(&sums, p->sums.head_counted[h]);
    set_text(metadata, "epoch_sums", sums.data);
    dl_text_free(&best);
    dl_text_free(&sums);
    if (e->schedule && e->schedule->observe)
        describe_schedule(metadata, e, p->schedule);
}

static json_t *describe(const dl_experiment *e, const dl_progress *progress,
                        const dl_average *average) {
    json_t *metadata = json_object();
    set_text(metadata, "format", "dltrain 1");
    set_text(metadata, "version", DL_VERSION);
    set_text(metadata, "name", e->name);
    dl_text config = {0};
    dl_config_dump(e->config, &config);
    set_text(metadata, "config", config.data);
    dl_text_free(&config);
    char *schema = dl_schema_to_json(dl_data_kept_schema(&e->data));
    set_text(metadata, "schema", schema);
    free(schema);
    if (e->data.digest[0])
        set_text(metadata, "split", e->data.digest);
    set_number(metadata, "batch_size", e->batch_size);
    describe_progress(metadata, e, progress);
    if (average && average->wanted) {
        set_text(metadata, "average", dl_average_names[average->kind]);
        set_number(metadata, "average_count", average->count);
    }
    return metadata;
}

static const char STATE[] = "optimizer.state";

static dl_named named(const char *name, dl_shape shape, const float *value) {
    return (dl_named){.name = name, .shape = shape, .value = value};
}

static int add_params(dl_named *list, int count, const dl_param *params, int n, bool carried) {
    for (int i = 0; i < n; i++)
        if (carried || !(params[i].flags & DL_CARRIED))
            list[count++] = named(params[i].name, params[i].shape, params[i].value);
    return count;
}

/* What a checkpoint consists of. */
typedef struct {
    json_t *metadata;
    dl_named *list;
    int count;
    dl_arena names;
} content;

/* The training's own parameters, which the average has taken the place of. */
static int add_raw(content *c, int count, const dl_param *params, int n, const float *block) {
    for (int i = 0; i < n; i++)
        if (!(params[i].flags & DL_CARRIED))
            c->list[count++] = named(dl_arena_printf(&c->names, "raw.%s", params[i].name),
                                     params[i].shape, block + params[i].offset);
    return count;
}

static content collect(const dl_experiment *e, const dl_progress *progress,
                       const dl_remembered *r) {
    const dl_net *net = &e->net;
    const dl_normalization *normalizations[2] = {&e->data.input, &e->data.target};
    int most =
        2 * (net->param_count + net->state_param_count) + 5 + r->vector_count * net->param_count;
    content c = {.metadata = describe(e, progress, r->average),
                 .list = xmalloc(sizeof(dl_named) * (size_t)most)};
    int count = 0;
    if (r->state_count) /* the first, where doubles are aligned */
        c.list[count++] = (dl_named){.name = STATE,
                                     .shape = dl_shape1((int)r->state_count),
                                     .value = r->state,
                                     .is_double = true};
    count = add_params(c.list, count, net->params, net->param_count, false);
    /* an epoch begins without carried states */
    count = add_params(c.list, count, net->state_params, net->state_param_count,
                       progress->epoch_step > 0);
    for (int n = 0; n < 2; n++) {
        const dl_normalization *norm = normalizations[n];
        dl_shape shape = dl_shape1((int)norm->count);
        if (norm->count) {
            c.list[count++] = named(normalization_names[n][0], shape, norm->shift);
            c.list[count++] = named(normalization_names[n][1], shape, norm->scale);
        }
    }
    for (int v = 0; v < r->vector_count; v++)
        for (int p = 0; p < net->param_count; p++)
            c.list[count++] =
                named(dl_arena_printf(&c.names, "optimizer.%d.%s", v, net->params[p].name),
                      net->params[p].shape, r->vectors[v] + net->params[p].offset);
    if (r->average && r->average->shown) {
        count = add_raw(&c, count, net->params, net->param_count, r->average->weights);
        count = add_raw(&c, count, net->state_params, net->state_param_count, r->average->state);
    }
    c.count = count;
    return c;
}

static void drop(content *c) {
    json_decref(c->metadata);
    dl_arena_free(&c->names);
    free(c->list);
}

int dl_checkpoint_save(const char *path, const dl_experiment *e, const dl_progress *progress,
                       const dl_remembered *remembered, dl_error *error) {
    content c = collect(e, progress, remembered);
    int result = dl_safetensors_write(path, c.metadata, c.list, c.count, error);
    drop(&c);
    return result;
}

char *dl_checkpoint_encode(const dl_experiment *e, const dl_progress *progress,
                           const dl_remembered *remembered, size_t *size) {
    content c = collect(e, progress, remembered);
    char *bytes = dl_safetensors_encode(c.metadata, c.list, c.count, size);
    drop(&c);
    return bytes;
}

/* ---- reading ---- */

enum { MOST_BITS = 50 }; /* of a whole number, so that sums of them do not overflow */

static int missing(const dl_checkpoint *c, const char *key, dl_error *error) {
    return dl_fail(error, DL_DATA, "%s: its \"%s\" is missing or makes no sense", c->file.path,
                   key);
}

static int read_number(const dl_checkpoint *c, const char *key, int64_t *value, dl_error *error) {
    const char *text = dl_safetensors_text(&c->file, key);
    char *end;
    *value = text ? strtoll(text, &end, 10) : 0;
    if (!text || end == text || *end || *value < 0 || *value > (int64_t)1 << MOST_BITS)
        return missing(c, key, error);
    return 0;
}

static int read_normalization(dl_checkpoint *c, int which, dl_normalization *norm,
                              dl_error *error) {
    int64_t count = dl_safetensors_count(&c->file, normalization_names[which][0]);
    if (count <= 0)
        return 0;
    dl_shape shape = dl_shape1((int)count);
    norm->count = count;
    norm->shift = xmalloc(sizeof(float) * (size_t)count);
    norm->scale = xmalloc(sizeof(float) * (size_t)count);
    int result =
        dl_safetensors_read(&c->file, normalization_names[which][0], shape, norm->shift, error);
    return dl_safetensors_read(&c->file, normalization_names[which][1], shape, norm->scale, error) |
           result;
}

int dl_checkpoint_open(dl_checkpoint *c, const char *path, dl_error *error) {
    *c = (dl_checkpoint){0};
    if (dl_safetensors_open(&c->file, path, error))
        return -1;
    const char *format = dl_safetensors_text(&c->file, "format");
    if (!format || strcmp(format, "dltrain 1"))
        return dl_fail(error, DL_DATA, "%s: was not written by this version of dltrain (format %s)",
                       path, format ? format : "unknown");
    const char *config = dl_safetensors_text(&c->file, "config");
    const char *schema = dl_safetensors_text(&c->file, "schema");
    if (!config || !schema)
        return missing(c, config ? "schema" : "config", error);
    if (dl_config_parse(&c->config, path, config, error) ||
        dl_schema_from_json(&c->schema, schema, path, error) ||
        read_normalization(c, 0, &c->input, error) || read_normalization(c, 1, &c->target, error))
        return -1;
    if (read_number(c, "batch_size", &c->batch_size, error))
        return -1;
    return c->batch_size > 0 ? 0 : missing(c, "batch_size", error);
}

int dl_checkpoint_check_split(const dl_checkpoint *c, const dl_data *data, dl_error *error) {
    const char *was = dl_safetensors_text(&c->file, "split");
    if (!was || !data->digest[0] || !strcmp(was, data->digest))
        return 0;
    long long rows = strtoll(was, NULL, 10), now = strtoll(data->digest, NULL, 10);
    dl_text how = {0};
    if (rows != now)
        dl_text_add(&how, "it had %lld rows, the file has %lld", rows, now);
    else
        dl_text_add(&how, "as many rows, but others, in another order or with another split");
    dl_fail(error, DL_DATA,
            "%s: the data are not split as they were when the run began (%s): what was learnt "
            "from would be tested on",
            c->file.path, how.data);
    dl_text_free(&how);
    return -1;
}

void dl_checkpoint_close(dl_checkpoint *c) {
    dl_safetensors_close(&c->file);
    dl_config_free(&c->config);
    dl_schema_free(&c->schema);
    free(c->input.shift);
    free(c->input.scale);
    free(c->target.shift);
    free(c->target.scale);
    *c = (dl_checkpoint){0};
}

/* Those that are carried, or those that are not. */
static int load_params(const dl_checkpoint *c, const dl_param *params, int count, bool carried,
                       dl_error *error) {
    for (int i = 0; i < count; i++)
        if (carried == !!(params[i].flags & DL_CARRIED) &&
            dl_safetensors_read(&c->file, params[i].name, params[i].shape, params[i].value, error))
            return -1;
    return 0;
}

int dl_checkpoint_load_net(const dl_checkpoint *c, dl_net *net, dl_error *error) {
    if (load_params(c, net->params, net->param_count, false, error))
        return -1;
    return load_params(c, net->state_params, net->state_param_count, false, error);
}

int dl_checkpoint_load_carried(const dl_checkpoint *c, dl_net *net, dl_error *error) {
    return load_params(c, net->state_params, net->state_param_count, true, error);
}

/* A double that is a whole number; NULL if it is none, or cannot be one. */
static const char *next_whole(const char *text, int64_t *value) {
    double number = 0;
    const char *end = next_double(text, &number);
    bool sane = end && number >= 0 && number <= (double)((int64_t)1 << MOST_BITS);
    *value = sane ? (int64_t)number : 0;
    return sane ? end : NULL;
}

/* Those of metrics that are worked out from them. */
static const char *read_counts(const char *at, const dl_accumulator *tally) {
    for (int c = 0; at && tally->count && c < tally->classes; c++) {
        int64_t *numbers[] = {&tally->count[c].rows, &tally->count[c].predicted,
                              &tally->count[c].right};
        for (int i = 0; at && i < 3; i++)
            at = next_whole(at, numbers[i]);
    }
    return at;
}

/* What its loss is the mean of; not there if it was written when every position counted. */
static const char *read_head(const char *at, const dl_experiment *e, dl_sums *sums, int head) {
    const char *behind = next_double(at, &sums->head_counted[head]);
    if (behind)
        return behind;
    sums->head[head] *= (double)e->positions;
    sums->head_counted[head] = (double)sums->rows * (double)e->positions;
    return at;
}

static int read_sums(const dl_checkpoint *c, const dl_experiment *e, dl_sums *sums,
                     dl_error *error) {
    const char *at = dl_safetensors_text(&c->file, "epoch_sums");
    dl_sums_clear(sums);
    at = at ? next_double(at, &sums->loss) : NULL;
    at = at ? next_whole(at, &sums->rows) : NULL;
    for (int m = 0; m < e->metric_count; m++)
        for (int i = 0; at && i < DL_METRIC_SUMS; i++)
            at = next_double(at, &sums->tally.sums[m][i]);
    for (int h = 0; at && h < e->net.head_count; h++)
        at = next_double(at, &sums->head[h]);
    const char *behind = at ? next_double(at, &sums->counted) : NULL;
    if (at && !behind) { /* written when every position counted */
        sums->loss *= (double)e->positions;
        sums->counted = (double)sums->rows * (double)e->positions;
    }
    at = behind ? read_counts(behind, &sums->tally) : at;
    for (int h = 0; at && h < e->net.head_count; h++)
        at = read_head(at, e, sums, h);
    return at ? 0 : missing(c, "epoch_sums", error);
}

/* Another schedule, or another column, begins anew. */
static int read_schedule(const dl_checkpoint *c, const dl_experiment *e, double *state,
                         dl_error *error) {
    const char *was = dl_safetensors_text(&c->file, "schedule");
    if (!was || !e->schedule || !e->schedule->observe)
        return 0;
    dl_text name = name_schedule(e);
    bool same = !strcmp(was, name.data);
    dl_text_free(&name);
    const char *at = dl_safetensors_text(&c->file, "schedule_state");
    double read[DL_SCHEDULE_STATE] = {0};
    for (int i = 0; at && i < DL_SCHEDULE_STATE; i++)
        at = next_double(at, &read[i]);
    if (!at)
        return missing(c, "schedule_state", error);
    if (same)
        memcpy(state, read, sizeof read);
    return 0;
}

/* Counts of classes are there or not as the loss asks for them, which may change. */
static char *schema_without_counts(const dl_schema *schema) {
    dl_schema plain = *schema;
    plain.class_count = NULL;
    return dl_schema_to_json(&plain);
}

/* A run goes on with the data, the optimizer and the history's columns that it began with. */
static int check_same(const dl_checkpoint *c, const dl_experiment *e, dl_error *error) {
    const char *was = dl_safetensors_text(&c->file, "columns");
    const char *optimizer = dl_safetensors_text(&c->file, "optimizer");
    if (!was || !optimizer)
        return missing(c, was ? "optimizer" : "columns", error);
    dl_text columns = dl_experiment_columns(e);
    char *schema = schema_without_counts(dl_data_kept_schema(&e->data));
    char *old = schema_without_counts(&c->schema);
    int result = 0;
    if (strcmp(was, columns.data))
        result = dl_fail(
            error, DL_USAGE,
            "%s: the run's history has the columns %s, which cannot become %s: a "
            "resumed run keeps its metrics and its validation data, and has penalties or not "
            "(train_objective) as before",
            c->file.path, was, columns.data);
    if (strcmp(optimizer, e->optimizer->kind.name))
        result = dl_fail(error, DL_USAGE,
                         "%s: the run's optimizer is %s, which cannot become %s: what it remembers "
                         "of the gradients would be lost",
                         c->file.path, optimizer, e->optimizer->kind.name);
    result |= dl_checkpoint_check_split(c, &e->data, error);
    if (strcmp(schema, old))
        result = dl_fail(error, DL_DATA,
                         "%s: the data are not those that the run began with (other columns, "
                         "classes or sizes)",
                         c->file.path);
    dl_text_free(&columns);
    free(schema);
    free(old);
    return result;
}

static int read_remembered(const dl_checkpoint *c, const dl_net *net, const dl_remembered *r,
                           dl_error *error) {
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

int dl_checkpoint_load_progress(const dl_checkpoint *c, const dl_experiment *e, dl_progress *p,
                                const dl_remembered *remembered, dl_error *error) {
    *p = (dl_progress){.sums = p->sums};
    if (check_same(c, e, error) || read_number(c, "epoch", &p->epoch, error) ||
        read_number(c, "epoch_step", &p->epoch_step, error) ||
        read_number(c, "step", &p->step, error) ||
        read_number(c, "best_epoch", &p->best_epoch, error) || read_sums(c, e, &p->sums, error) ||
        read_schedule(c, e, p->schedule, error))
        return -1;
    const char *best = dl_safetensors_text(&c->file, "best");
    const char *monitor = dl_safetensors_text(&c->file, "monitor");
    if (!best || !next_double(best, &p->best))
        return missing(c, "best", error);
    const char *mode = dl_safetensors_text(&c->file, "monitor_mode");
    if (!monitor || strcmp(monitor, e->settings.monitor) ||
        strcmp(mode ? mode : "auto",
               dl_mode_names[e->settings.mode])) { /* another column begins anew */
        p->best = NAN;
        p->best_epoch = p->epoch;
    }
    return read_remembered(c, &e->net, remembered, error);
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

int dl_checkpoint_load_average(const dl_checkpoint *c, const dl_experiment *e, dl_average *average,
                               dl_error *error) {
    const char *was = dl_safetensors_text(&c->file, "average");
    const char *is = average->wanted ? dl_average_names[average->kind] : "none";
    if (!was) /* it begins now */
        return 0;
    if (strcmp(was, is))
        return dl_fail(error, DL_USAGE,
                       "%s: the run's average of the weights is of type %s, which cannot become %s",
                       c->file.path, was, is);
    if (read_number(c, "average_count", &average->count, error))
        return -1;
    if (!average->count)
        return 0;
    average->shown = true;
    if (read_raw(c, e->net.params, e->net.param_count, average->weights, error))
        return -1;
    return read_raw(c, e->net.state_params, e->net.state_param_count, average->state, error);
}

/* SPDX-License-Identifier: MIT */
/* Opening and closing nets, and what they are. */
#include "library/net.h"

#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "data/targets.h"
#include "math/threads.h"
#include "model/ensemble.h"
#include "run/run.h"

const char *dltrain_version(void) {
    return DL_VERSION;
}

int net_guard(dltrain_net *net, int (*function)(void *context), void *context) {
    dl_error_clear(&net->error);
    int result = dl_memory_guard(function, context);
    if (result == DL_NO_MEMORY) {
        dl_error_clear(&net->error);
        net->error.code = DL_FAILURE;
        net->error.count = 1; /* without text, which would need memory */
    }
    return !result ? DLTRAIN_OK : net->error.count ? (int)net->error.code : DLTRAIN_FAILURE;
}

const char *dltrain_error(const dltrain_net *net) {
    return !net || (net->error.count && !net->error.text.length) ? "out of memory"
                                                                 : dl_text_get(&net->error.text);
}

/* ---- one net ---- */

static bool is_model_key(const char *key, size_t length) {
    for (const dl_option *o = dl_model_training_options; o->key; o++)
        if (strlen(o->key) == length && !strncmp(o->key, key, length))
            return true;
    return false;
}

/* Keys of the trainer, which the library does not read, would be overridden in vain. */
static int check_set(const char *assignment, dl_error *error) {
    static const char training[] = "training.";
    size_t length = strcspn(assignment, "="), prefix = sizeof training - 1;
    bool other = !strncmp(assignment, "optimizer.", 10) ||
                 !strncmp(assignment, "regularization.", 15) ||
                 (!strncmp(assignment, training, prefix) &&
                  !is_model_key(assignment + prefix, length - prefix));
    return other ? dl_fail(error, DL_USAGE, "--set %s: has no effect on a trained net", assignment)
                 : 0;
}

/* Accepts every key of the section `training`: those of the trainer mean nothing here. */
static dl_option *any_keys(dl_config *config, dl_arena *arena) {
    const config_setting_t *group = config_lookup(&config->tree, "training");
    int count = group && config_setting_is_group(group) ? config_setting_length(group) : 0;
    dl_option *options = dl_arena_alloc(arena, sizeof *options * (size_t)(count + 1)), *next;
    next = options;
    for (int i = 0; i < count; i++) {
        const char *key = config_setting_name(config_setting_get_elem(group, (unsigned)i));
        const dl_option *known = dl_model_training_options;
        while (known->key && strcmp(known->key, key))
            known++;
        if (!known->key)
            *next++ = (dl_option){.key = key, .type = DL_SETTING, .fallback = ""};
    }
    return options;
}

static int read_model(net_member *m, dl_error *error) {
    struct config_setting_t *unused;
    dl_table training = {any_keys(&m->checkpoint.config, &m->arena), &unused};
    return dl_model_read(&m->model, &m->checkpoint.config, &training, error);
}

/* The schema for images of another size. */
static int resize_schema(const net_member *m, int height, int width, dl_schema *schema,
                         dl_error *error) {
    int *dim = schema->input.dim;
    int64_t old = (int64_t)dim[0] * dim[1], size = (int64_t)height * width, outputs;
    char shape[48];
    if (schema->input.rank != 3)
        return dl_fail(error, DL_USAGE, "%s: its inputs are %s, not images of any size", m->path,
                       dl_shape_text(shape, schema->input));
    if (m->checkpoint.input.count > dim[2] || schema->input_origin)
        return dl_fail(error, DL_USAGE,
                       "%s: the input is normalized per pixel, so that its size must be %dx%d",
                       m->path, dim[0], dim[1]);
    bool per_pixel = schema->outputs > 1 && schema->outputs * size % old == 0;
    outputs = per_pixel ? schema->outputs * size / old : schema->outputs;
    if (height < 1 || width < 1 || size > 1 << 26 || outputs > 1 << 28)
        return dl_fail(error, DL_USAGE, "%s: an input of %dx%d pixels is too large", m->path,
                       height, width);
    dim[0] = height;
    dim[1] = width;
    schema->outputs = (int)outputs;
    return 0;
}

static void tap_layer(void *context, int layer, bool backward) {
    net_member *m = context;
    const dl_tensor *out = &m->model.net.layers[layer].out;
    if (layer == m->layer && !backward)
        memcpy(m->tap, out->value,
               sizeof *m->tap * (size_t)(m->running * dl_shape_size(out->shape)));
}

static int find_layer(net_member *m, const char *name, dl_error *error) {
    dl_net *net = &m->model.net;
    const char **names = xmalloc(sizeof *names * (size_t)net->layer_count);
    m->layer = -1;
    for (int i = 0; i < net->layer_count; i++) {
        names[i] = net->layers[i].name;
        if (!strcmp(names[i], name) && dl_net_head(net, i) < 0)
            m->layer = i;
    }
    const char *nearest = dl_text_nearest(name, names, net->layer_count);
    if (m->layer < 0)
        dl_fail(error, DL_USAGE, "%s: has no layer \"%s\"%s%s%s", m->path, name,
                nearest ? " (did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?)" : "");
    free(names);
    if (m->layer < 0)
        return -1;
    dl_shape shape = net->layers[m->layer].out.shape;
    m->tap =
        dl_memory_aligned(sizeof *m->tap * (size_t)(m->model.batch_size * dl_shape_size(shape)));
    net->watch = tap_layer;
    net->watcher = m;
    return 0;
}

static int build_member(dltrain_net *net, net_member *m, int height, int width) {
    dl_checkpoint *c = &m->checkpoint;
    dl_error *error = &net->error;
    dl_data *data = &m->model.data;
    dl_schema schema = dl_schema_copy(&c->schema);
    int result = read_model(m, error);
    if (!result && height)
        result = resize_schema(m, height, width, &schema, error);
    if (!result)
        result = dl_data_describe(data, &schema, &c->input, &c->target, error);
    dl_schema_free(&schema);
    m->model.batch_size = net->batch;
    if (result || dl_model_build(&m->model, false, net->threads, error) ||
        dl_checkpoint_load_net(c, &m->model.net, error))
        return -1;
    m->layer = -1;
    if (net->layer && find_layer(m, net->layer, error))
        return -1;
    bool plain = net->count > 1 || net->layer;
    dl_views_open(&m->views, &m->model, plain ? DL_VIEWS_ONE : data->augment.test_time);
    m->model.net.random = net->samples > 0;
    m->position = xmalloc(sizeof *m->position * (size_t)(data->schema.classes + 1));
    m->x =
        dl_memory_aligned(sizeof *m->x * (size_t)(net->batch * dl_shape_size(data->schema.input)));
    dl_net_begin(&m->model.net);
    return 0;
}

static void free_member(net_member *m) {
    dl_views_close(&m->views);
    dl_model_free(&m->model);
    dl_arena_free(&m->arena);
    free(m->tap);
    free(m->x);
    free(m->position);
    m->tap = m->x = NULL;
    m->position = NULL;
}

static int open_member(dltrain_net *net, net_member *m, const char *path,
                       const dltrain_options *o) {
    m->path = dl_run_find_checkpoint(path, o->last, &net->error);
    if (!m->path || dl_checkpoint_open(&m->checkpoint, m->path, &net->error))
        return -1;
    for (int i = 0; i < o->set_count; i++)
        if (check_set(o->sets[i], &net->error) ||
            dl_config_set(&m->checkpoint.config, o->sets[i], &net->error))
            return -1;
    return build_member(net, m, o->height, o->width);
}

/* ---- what they are ---- */

static void set_shape(int *rank, int dim[4], size_t *size, dl_shape shape) {
    *rank = shape.rank;
    memcpy(dim, shape.dim, sizeof shape.dim);
    *size = (size_t)dl_shape_size(shape);
}

static void describe_classes(const dl_model *model, const net_answer *a, dl_arena *arena,
                             dltrain_info *info) {
    const dl_schema *schema = &model->data.schema;
    const char **names = dl_arena_alloc(arena, sizeof *names * (size_t)schema->classes);
    for (int c = 0; c < schema->classes; c++) {
        char number[16];
        names[c] = dl_arena_strdup(arena, dl_schema_class(schema, c, number));
    }
    info->class_names = names;
    info->classes = schema->classes;
    info->positions = (size_t)model->positions;
    info->probabilities = a->together ? !a->vote : model->link != DL_NO_PROBABILITIES;
}

/* The shape of an answer. */
static dl_shape output_shape(const dl_model *model, const net_answer *a) {
    const dl_schema *schema = &model->data.schema;
    dl_shape shape = model->net.layers[model->net.layer_count - 1].out.shape;
    bool raw = !a->together && model->link == DL_NO_PROBABILITIES;
    int width = raw ? (int)model->channels : schema->classes;
    if (a->layer >= 0)
        return model->net.layers[a->layer].out.shape;
    if (schema->bin_edge)
        return dl_shape1(1);
    if (schema->classes && model->positions == 1)
        return dl_shape1(width);
    if (schema->classes)
        shape.dim[shape.rank - 1] = width;
    else if (model->data.predict == DL_TARGETS_INPUT || model->data.predict == DL_TARGETS_COLOR)
        shape = model->data.base.input;
    return shape;
}

static dltrain_kind kind_of(const dl_data *data, const net_answer *a) {
    return a->layer >= 0                                    ? DLTRAIN_OUTPUTS
           : data->predict == DL_TARGETS_INPUT              ? DLTRAIN_INPUTS
           : data->predict == DL_TARGETS_COLOR              ? DLTRAIN_COLORS
           : data->schema.classes && !data->schema.bin_edge ? DLTRAIN_CLASSES
                                                            : DLTRAIN_NUMBERS;
}

static const char **copy_names(char **names, int count, dl_arena *arena) {
    const char **copy = dl_arena_alloc(arena, sizeof *copy * (size_t)(count + 1));
    for (int i = 0; i < count; i++)
        copy[i] = names[i];
    return copy;
}

void net_describe(const dl_model *model, const net_answer *a, dl_arena *arena, dltrain_info *info) {
    const dl_data *data = &model->data;
    const dl_schema *base = &data->base;
    *info = (dltrain_info){
        .name = dl_arena_strdup(arena, model->name), .positions = 1, .kind = kind_of(data, a)};
    set_shape(&info->input_rank, info->input_dim, &info->input_size, data->schema.input);
    set_shape(&info->output_rank, info->output_dim, &info->output_size, output_shape(model, a));
    bool numbers = info->kind == DLTRAIN_NUMBERS;
    if (info->kind == DLTRAIN_CLASSES)
        describe_classes(model, a, arena, info);
    if (numbers && (size_t)base->targets == info->output_size)
        info->target_names = copy_names(base->target_name, base->targets, arena);
    info->origin = numbers                        ? base->target_origin
                   : info->kind == DLTRAIN_INPUTS ? base->input_origin
                                                  : NULL;
    char **columns = xmalloc(sizeof *columns * (size_t)(base->columns + 1));
    for (int i = 0; i < base->columns; i++)
        columns[i] = base->column[i].name;
    info->columns = base->columns;
    info->column_names = copy_names(columns, base->columns, arena);
    free(columns);
    dl_symbols symbols = dl_data_symbols(data);
    dl_error error = {0};
    info->is_text = !dl_symbols_check(&symbols, "", &error);
    dl_error_clear(&error);
}

static void describe(dltrain_net *net) {
    const net_member *m = &net->member[0];
    const net_answer a = {net->count > 1, net->vote, m->layer};
    dl_arena_free(&net->arena);
    net_describe(&m->model, &a, &net->arena, &net->info);
}

const dltrain_info *dltrain_describe(const dltrain_net *net) {
    return net && net->open ? &net->info : NULL;
}

/* ---- all of them ---- */

static int check_together(dltrain_net *net) {
    if (net->count == 1)
        return 0;
    dl_ensemble ensemble = {xcalloc((size_t)net->count, sizeof(dl_member)), net->count, DL_TEST,
                            net->vote};
    for (int i = 0; i < net->count; i++)
        ensemble.member[i] =
            (dl_member){.model = &net->member[i].model, .name = net->member[i].path};
    int result = dl_ensemble_check(&ensemble, &net->error);
    free(ensemble.member);
    if (!result && net->layer)
        result = dl_fail(&net->error, DL_USAGE, "the outputs of a layer are those of one net");
    return result;
}

static void free_buffers(dltrain_net *net) {
    free(net->sum);
    free(net->square);
    free(net->votes);
    free(net->once);
    free(net->deviation);
    net->sum = net->square = NULL;
    net->votes = net->once = net->deviation = NULL;
}

static void make_buffers(dltrain_net *net) {
    size_t count = (size_t)net->batch * net->info.output_size;
    free_buffers(net);
    if (net->count == 1 && !net->samples)
        return;
    net->sum = xmalloc(sizeof *net->sum * count);
    net->square = xmalloc(sizeof *net->square * count);
    net->votes = xmalloc(sizeof *net->votes * count);
    net->once = xmalloc(sizeof *net->once * count);
    if (net->samples)
        net->deviation = xmalloc(sizeof *net->deviation * count);
}

/* The rows of a stateful net follow each other. */
static bool is_stateful(const dltrain_net *net) {
    for (int i = 0; i < net->count; i++)
        if (dl_net_stateful(&net->member[i].model.net))
            return true;
    return false;
}

int net_resize(dltrain_net *net, int height, int width) {
    for (int i = 0; i < net->count; i++) {
        free_member(&net->member[i]);
        net->member[i].model = (dl_model){0};
        if (build_member(net, &net->member[i], height, width))
            return -1;
    }
    describe(net);
    make_buffers(net);
    return 0;
}

typedef struct {
    const char *path;
    const dltrain_options *options;
    dltrain_net *net;
} opening;

static int open_all(void *context) {
    const opening *w = context;
    const dltrain_options *o = w->options;
    dltrain_net *net = w->net;
    net->batch = o->batch > 0 ? o->batch : 1;
    net->threads = o->threads > 0 ? o->threads : dl_threads_available();
    net->samples = o->samples > 0 ? o->samples : 0;
    net->vote = o->vote;
    net->height = o->height;
    net->width = o->width;
    net->layer = o->layer ? xstrdup(o->layer) : NULL;
    net->member = xcalloc((size_t)o->other_count + 1, sizeof *net->member);
    for (int i = 0; i <= o->other_count; i++) {
        net->count = i + 1;
        if (open_member(net, &net->member[i], i ? o->others[i - 1] : w->path, o))
            return -1;
    }
    if (net->batch > 1 && is_stateful(net)) {
        net->batch = 1;
        if (net_resize(net, o->height, o->width))
            return -1;
    }
    if (check_together(net))
        return -1;
    describe(net);
    make_buffers(net);
    net->open = true;
    return 0;
}

int dltrain_open(const char *path, const dltrain_options *options, dltrain_net **net) {
    static const dltrain_options defaults;
    *net = calloc(1, sizeof **net);
    if (!*net)
        return DLTRAIN_FAILURE;
    opening w = {path, options ? options : &defaults, *net};
    return net_guard(*net, open_all, &w);
}

void dltrain_close(dltrain_net *net) {
    if (!net)
        return;
    for (int i = 0; i < net->count; i++) {
        free_member(&net->member[i]);
        dl_checkpoint_close(&net->member[i].checkpoint);
        free(net->member[i].path);
    }
    free_buffers(net);
    free(net->member);
    free(net->layer);
    dl_arena_free(&net->arena);
    dl_error_clear(&net->error);
    free(net);
}

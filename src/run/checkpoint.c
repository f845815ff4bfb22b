/* SPDX-License-Identifier: MIT */
#include "run/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/version.h"
#include "run/facts.h"

static const char *const normalization_names[2][2] = {
    {"normalization.input.shift", "normalization.input.scale"},
    {"normalization.target.shift", "normalization.target.scale"}};

static const char FORMAT[] = "dltrain 2";

static void set_text(json_t *metadata, const char *key, const char *value) {
    json_object_set_new(metadata, key, json_string(value));
}

static void set_number(json_t *metadata, const char *key, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    set_text(metadata, key, text);
}

static json_t *describe(const dl_model *model, const dl_checkpoint_content *content) {
    json_t *metadata = json_object();
    set_text(metadata, "format", FORMAT);
    set_text(metadata, "version", DL_VERSION);
    set_text(metadata, "name", model->name);
    dl_text config = {0};
    dl_config_dump(model->config, &config);
    set_text(metadata, "config", config.data);
    dl_text_free(&config);
    char *schema = dl_schema_to_json(dl_data_checkpoint_schema(&model->data));
    set_text(metadata, "schema", schema);
    free(schema);
    if (model->data.digest[0])
        set_text(metadata, "split", model->data.digest);
    set_number(metadata, "batch_size", model->batch_size);
    for (int i = 0; i < content->pair_count; i++)
        set_text(metadata, content->pairs[i].key, content->pairs[i].value);
    return metadata;
}

/* ---- content ---- */

/* Grows a list to hold one more. */
static void *grow(void *list, int count, size_t size) {
    return count & (count - 1) ? list : xrealloc(list, size * (size_t)(count ? 2 * count : 1));
}

void dl_checkpoint_content_add_text(dl_checkpoint_content *c, const char *key, const char *value) {
    c->pairs = grow(c->pairs, c->pair_count, sizeof *c->pairs);
    c->pairs[c->pair_count++] =
        (dl_metadata){dl_arena_strdup(&c->arena, key), dl_arena_strdup(&c->arena, value)};
}

void dl_checkpoint_content_add_number(dl_checkpoint_content *c, const char *key, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    dl_checkpoint_content_add_text(c, key, text);
}

void dl_checkpoint_content_add_doubles(dl_checkpoint_content *c, const char *key,
                                       const double *values, int64_t count) {
    dl_text text = {0};
    for (int64_t i = 0; i < count; i++)
        dl_text_add(&text, "%s%a", i ? " " : "", values[i]);
    dl_checkpoint_content_add_text(c, key, dl_text_get(&text));
    dl_text_free(&text);
}

void dl_checkpoint_content_add_tensor(dl_checkpoint_content *c, dl_named_tensor tensor) {
    c->tensors = grow(c->tensors, c->tensor_count, sizeof *c->tensors);
    tensor.name = dl_arena_strdup(&c->arena, tensor.name);
    c->tensors[c->tensor_count++] = tensor;
}

void dl_checkpoint_content_free(dl_checkpoint_content *c) {
    free(c->pairs);
    free(c->tensors);
    dl_arena_free(&c->arena);
    *c = (dl_checkpoint_content){0};
}

/* ---- writing ---- */

static int add_params(dl_named_tensor *list, int count, const dl_param *params, int n,
                      bool carried) {
    for (int i = 0; i < n; i++)
        if (carried || !(params[i].flags & DL_CARRIED))
            list[count++] = (dl_named_tensor){
                .name = params[i].name, .shape = params[i].shape, .value = params[i].value};
    return count;
}

/* Doubles come first, where they are aligned. */
static int add_content(dl_named_tensor *list, int count, const dl_checkpoint_content *content,
                       bool doubles) {
    for (int i = 0; i < content->tensor_count; i++)
        if (content->tensors[i].is_double == doubles)
            list[count++] = content->tensors[i];
    return count;
}

/* Returns the count; the list is freed by the caller. */
static int list_tensors(const dl_model *model, const dl_checkpoint_content *content,
                        dl_named_tensor **tensors) {
    const dl_net *net = &model->net;
    const dl_normalization *normalizations[2] = {&model->data.input, &model->data.target};
    int most = net->param_count + net->state_param_count + 4 + content->tensor_count, count = 0;
    dl_named_tensor *list = *tensors = xmalloc(sizeof *list * (size_t)most);
    count = add_content(list, count, content, true);
    count = add_params(list, count, net->params, net->param_count, false);
    count = add_params(list, count, net->state_params, net->state_param_count, content->carried);
    for (int n = 0; n < 2; n++) {
        const dl_normalization *norm = normalizations[n];
        dl_shape shape = dl_shape1((int)norm->count);
        if (!norm->count)
            continue;
        list[count++] = (dl_named_tensor){
            .name = normalization_names[n][0], .shape = shape, .value = norm->shift};
        list[count++] = (dl_named_tensor){
            .name = normalization_names[n][1], .shape = shape, .value = norm->scale};
    }
    return add_content(list, count, content, false);
}

char *dl_checkpoint_encode(const dl_model *model, const dl_checkpoint_content *content,
                           size_t *size) {
    dl_named_tensor *tensors;
    json_t *metadata = describe(model, content);
    int count = list_tensors(model, content, &tensors);
    char *bytes = dl_safetensors_encode(metadata, tensors, count, size);
    json_decref(metadata);
    free(tensors);
    return bytes;
}

int dl_checkpoint_save(const char *path, const dl_model *model,
                       const dl_checkpoint_content *content, dl_error *error) {
    dl_named_tensor *tensors;
    json_t *metadata = describe(model, content);
    int count = list_tensors(model, content, &tensors);
    int result = dl_safetensors_write(path, metadata, tensors, count, error);
    json_decref(metadata);
    free(tensors);
    return result;
}

/* ---- reading ---- */

enum { MOST_BITS = 50 }; /* of an integer, so that sums do not overflow */

int dl_checkpoint_missing(const dl_checkpoint *c, const char *key, dl_error *error) {
    return dl_fail(error, DL_DATA, "%s: its \"%s\" is missing or invalid", c->file.path, key);
}

const char *dl_checkpoint_text(const dl_checkpoint *c, const char *key) {
    return dl_safetensors_text(&c->file, key);
}

int dl_checkpoint_number(const dl_checkpoint *c, const char *key, int64_t *value, dl_error *error) {
    const char *text = dl_safetensors_text(&c->file, key);
    char *end;
    *value = text ? strtoll(text, &end, 10) : 0;
    if (!text || end == text || *end || *value < 0 || *value > (int64_t)1 << MOST_BITS)
        return dl_checkpoint_missing(c, key, error);
    return 0;
}

/* Doubles are stored in hexadecimal: exact, including NaN. */
static const char *next_double(const char *text, double *value) {
    char *end;
    *value = strtod(text, &end);
    return end == text ? NULL : end;
}

int dl_checkpoint_doubles(const dl_checkpoint *c, const char *key, double *values, int64_t count,
                          dl_error *error) {
    const char *at = dl_safetensors_text(&c->file, key);
    for (int64_t i = 0; at && i < count; i++)
        at = next_double(at, &values[i]);
    return at ? 0 : dl_checkpoint_missing(c, key, error);
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

/* From the facts beside the checkpoint, if there are any. */
static void set_data_folders(dl_checkpoint *c, const char *path) {
    dl_facts facts;
    dl_error ignored = {0};
    const char *folder =
        dl_arena_printf(&c->config.arena, "%.*s", (int)(dl_path_base(path) - path), path);
    dl_facts_read(&facts, folder, &ignored);
    for (int i = 0; i < DL_DATA_FOLDERS_MOST && facts.data_folder[i]; i++) {
        char *joined = dl_path_join(folder, facts.data_folder[i]);
        c->config.data_folders[i] = dl_arena_strdup(&c->config.arena, joined);
        free(joined);
    }
    dl_facts_free(&facts);
    dl_error_clear(&ignored);
}

int dl_checkpoint_open(dl_checkpoint *c, const char *path, dl_error *error) {
    *c = (dl_checkpoint){0};
    if (dl_safetensors_open(&c->file, path, error))
        return -1;
    const char *format = dl_safetensors_text(&c->file, "format");
    if (format && !strcmp(format, "dltrain 1"))
        return dl_fail(
            error, DL_DATA,
            "%s: was written by dltrain 0.1 (format \"dltrain 1\"), and this is version " DL_VERSION
            ", which reads \"%s\" only: train again",
            path, FORMAT);
    if (!format || strcmp(format, FORMAT))
        return dl_fail(error, DL_DATA, "%s: was not written by this version of dltrain (format %s)",
                       path, format ? format : "unknown");
    const char *config = dl_safetensors_text(&c->file, "config");
    const char *schema = dl_safetensors_text(&c->file, "schema");
    if (!config || !schema)
        return dl_checkpoint_missing(c, config ? "schema" : "config", error);
    if (dl_config_parse(&c->config, path, config, error)) {
        error->code = DL_DATA; /* not a fault of the user's config */
        return -1;
    }
    if (dl_schema_from_json(&c->schema, schema, path, error) ||
        read_normalization(c, 0, &c->input, error) || read_normalization(c, 1, &c->target, error))
        return -1;
    set_data_folders(c, path);
    if (dl_checkpoint_number(c, "batch_size", &c->batch_size, error))
        return -1;
    return c->batch_size > 0 ? 0 : dl_checkpoint_missing(c, "batch_size", error);
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
        dl_text_add(&how,
                    "the same number of rows, but other rows, another order or another split");
    dl_fail(error, DL_DATA,
            "%s: the data are not split as when the run started (%s): training rows would be "
            "tested on",
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

/* The carried states, or the others. */
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

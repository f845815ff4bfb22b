/* SPDX-License-Identifier: MIT */
#include "inspect/look.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/npz_writer.h"
#include "base/terminal.h"
#include "math/vector.h"

int dl_look_find_layer(const dl_net *net, const char *name, dl_error *error) {
    size_t length = strcspn(name, ":");
    const char **known = xmalloc(sizeof *known * (size_t)net->layer_count);
    int found = -1;
    for (int i = 0; i < net->layer_count; i++) {
        known[i] = net->layers[i].name;
        if (strlen(known[i]) == length && !strncmp(known[i], name, length))
            found = i;
    }
    if (found < 0) {
        dl_text own = {0};
        dl_text_add(&own, "%.*s", (int)length, name);
        const char *nearest = dl_text_nearest(own.data, known, net->layer_count);
        dl_text all = {0};
        for (int i = 0; i < net->layer_count; i++)
            dl_text_add(&all, "%s%s", i ? ", " : "", known[i]);
        dl_fail(error, DL_USAGE, "the net has no layer \"%s\": %s%s%s", own.data,
                nearest ? "did you mean \"" : "its layers are ", nearest ? nearest : all.data,
                nearest ? "\"?" : "");
        dl_text_free(&all);
        dl_text_free(&own);
    }
    free(known);
    return found;
}

int dl_look_units(const dl_look *look) {
    return dl_shape_channels(look->model->net.layers[look->layer].out.shape);
}

static bool has_classes(const dl_look *look) {
    return look->is_last && look->model->data.schema.classes == dl_look_units(look);
}

const char *dl_look_unit_name(const dl_look *look, int unit, char out[16]) {
    if (has_classes(look))
        return dl_schema_class(&look->model->data.schema, unit, out);
    snprintf(out, 16, "%d", unit);
    return out;
}

void dl_look_print(const char *format, ...) {
    dl_text line = {0}, plain = {0};
    va_list arguments;
    va_start(arguments, format);
    dl_text_add_v(&line, format, arguments);
    va_end(arguments);
    dl_text_add_plain(&plain, dl_text_get(&line));
    puts(dl_text_get(&plain));
    dl_text_free(&line);
    dl_text_free(&plain);
}

static int refuse(const dl_look *look, const char *word, dl_error *error) {
    const dl_schema *schema = &look->model->data.schema;
    const dl_layer *layer = &look->model->net.layers[look->layer];
    const char *nearest = NULL;
    if (has_classes(look) && schema->class_names)
        nearest = dl_text_nearest(word, (const char *const *)schema->class_names, schema->classes);
    return dl_fail(error, DL_USAGE, "layer \"%s\" has no unit \"%s\": its units are 0 to %d%s%s%s",
                   layer->name, word, dl_look_units(look) - 1, nearest ? "; did you mean \"" : "",
                   nearest ? nearest : "", nearest ? "\"?" : "");
}

/* Units first … last of one word of a list. */
static bool read_range(const dl_look *look, const char *word, int *first, int *last) {
    const dl_schema *schema = &look->model->data.schema;
    int units = dl_look_units(look), used = 0;
    for (int c = 0; has_classes(look) && schema->class_names && c < units; c++)
        if (!strcmp(schema->class_names[c], word)) {
            *first = *last = c;
            return true;
        }
    bool range = sscanf(word, "%d-%d%n", first, last, &used) == 2 && !word[used];
    if (!range && (sscanf(word, "%d%n", first, &used) != 1 || word[used]))
        return false;
    *last = range ? *last : *first;
    return *first >= 0 && *first <= *last && *last < units;
}

static void add_units(dl_look *look, int first, int last) {
    look->unit =
        xrealloc(look->unit, sizeof *look->unit * (size_t)(look->count + last - first + 1));
    while (first <= last)
        look->unit[look->count++] = first++;
}

int dl_look_choose_units(dl_look *look, const char *list, int64_t most, dl_error *error) {
    int units = dl_look_units(look), result = 0, first, last;
    if (!list) {
        add_units(look, 0, (most < units ? (int)most : units) - 1);
        if (most < units)
            fprintf(stderr, "%s has %d units: the first %lld (others: %s:%lld-%d, or --most N)\n",
                    look->model->net.layers[look->layer].name, units, (long long)most,
                    look->model->net.layers[look->layer].name, (long long)most, units - 1);
        return 0;
    }
    char *words = xstrdup(list), *rest = words, *word;
    while (!result && (word = strsep(&rest, ","))) {
        if (read_range(look, word, &first, &last) && look->count + last - first < 1 << 20)
            add_units(look, first, last);
        else
            result = refuse(look, word, error);
    }
    free(words);
    return result;
}

int dl_look_run(dl_look *look, bool (*each)(void *context, const dl_batch *batch), void *context,
                dl_error *error) {
    dl_model *model = look->model;
    dl_loader *loader = dl_loader_new(&model->data, look->split, model->net.max_batch, error);
    const dl_batch *batch;
    int before = error->count;
    bool more = true;
    if (!loader)
        return -1;
    dl_loader_start(loader, dl_model_order(model, false), 0, 0, 0);
    dl_net_begin(&model->net);
    while (more && (batch = dl_loader_next(loader, error))) {
        dl_pass pass = {.batch = (int)batch->count, .carry = true};
        look->batch = batch->count;
        dl_net_forward(&model->net, batch->x, &pass);
        more = each(context, batch);
    }
    dl_loader_free(loader);
    return error->count > before ? -1 : 0;
}

typedef struct {
    const dl_tensor *out;
    double *sum; /* [unit] */
    int64_t rows;
} unit_sums;

static bool add_outputs(void *context, const dl_batch *batch) {
    enum { ENOUGH = 2000 };
    unit_sums *s = context;
    int units = dl_shape_channels(s->out->shape);
    int64_t count = batch->count * dl_shape_size(s->out->shape);
    for (int64_t i = 0; i < count; i++)
        s->sum[i % units] += s->out->value[i];
    s->rows += batch->count;
    return s->rows < ENOUGH;
}

int dl_look_find_most(dl_look *look, int64_t most, dl_error *error) {
    int units = dl_look_units(look);
    unit_sums s = {.out = dl_net_output(&look->model->net), .sum = xcalloc((size_t)units, 8)};
    int result = dl_look_run(look, add_outputs, &s, error);
    for (int n = 0; !result && n < most && n < units; n++) {
        int best = -1;
        for (int u = 0; u < units; u++)
            if (s.sum[u] == s.sum[u] && (best < 0 || s.sum[u] > s.sum[best]))
                best = u;
        if (best < 0)
            break;
        add_units(look, best, best);
        s.sum[best] = 0.0 / 0.0;
    }
    free(s.sum);
    return result;
}

char *dl_look_path(const dl_look *look, const char *kind, const char *ending) {
    dl_text name = {0};
    dl_text_add(&name, "%s_%s.%s", kind,
                look->is_input ? "input" : look->model->net.layers[look->layer].name, ending);
    char *path = dl_path_join(look->folder, name.data);
    dl_text_free(&name);
    return path;
}

int dl_look_write(const dl_look *look, const char *kind, const char *ending, dl_text *text,
                  dl_error *error) {
    char *path = dl_look_path(look, kind, ending);
    int result = dl_output_write(path, dl_text_get(text), text->length, error);
    if (!result)
        dl_print_plain(stderr, "%s\n", path);
    dl_text_free(text);
    free(path);
    return result;
}

int dl_look_save(const dl_look *look, const char *kind, dl_grid *grid, dl_error *error) {
    char *path = dl_look_path(look, kind, "png");
    int result = dl_grid_save(grid, path, error);
    if (!result)
        dl_print_plain(stderr, "%s\n", path);
    dl_grid_free(grid);
    free(path);
    return result;
}

bool dl_look_has_bytes(const dl_look *look) {
    return look->model->data.part[look->split].dataset->bytes;
}

void dl_look_free(dl_look *look) {
    free(look->unit);
    look->unit = NULL;
}

int dl_look_write_npy(const dl_look *look, const char *kind, int64_t rows, dl_shape shape,
                      const float *values, dl_error *error) {
    dl_text file = {0};
    dl_npy_write(&file, "<f4", rows, shape.rank, shape.dim, values,
                 sizeof *values * (size_t)(rows * dl_shape_size(shape)));
    return dl_look_write(look, kind, "npy", &file, error);
}

static int64_t *read_rows(const dl_look *look, const char *list, int *count, dl_error *error) {
    const dl_subset *part = &look->model->data.part[look->split];
    int64_t *rows = xmalloc(sizeof *rows * (strlen(list) + 1));
    for (*count = 0;;) {
        char *end;
        int64_t row = strtoll(list, &end, 10), i = 0;
        while (i < part->count && part->index[i] != row)
            i++;
        if (end == list || (*end && *end != ',') || i == part->count) {
            dl_fail(error, DL_USAGE,
                    "\"%s\" is not a row of the %s data, which has %lld: %lld to %lld", list,
                    dl_split_names[look->split], (long long)part->count, (long long)part->index[0],
                    (long long)part->index[part->count - 1]);
            free(rows);
            return NULL;
        }
        rows[(*count)++] = row;
        if (!*end)
            return rows;
        list = end + 1;
    }
}

int64_t *dl_look_rows(const dl_look *look, const char *list, int64_t most, int *count,
                      dl_error *error) {
    enum { SEARCHED = 10000 };
    const dl_data *data = &look->model->data;
    const dl_subset *part = &data->part[look->split];
    if (list)
        return read_rows(look, list, count, error);
    bool classes = data->schema.classes && data->schema.outputs == 1;
    int64_t *rows = xmalloc(sizeof *rows * (size_t)most);
    *count = 0;
    for (int round = 0; *count < most && *count < part->count && round < most; round++)
        for (int c = 0; c < (classes ? data->schema.classes : 1) && *count < most; c++) {
            int seen = 0;
            for (int64_t i = 0; i < part->count && i < SEARCHED; i++) {
                float y = 0;
                if (classes && dl_dataset_read(part->dataset, part->index[i], NULL, &y, error)) {
                    free(rows);
                    return NULL;
                }
                if ((int)y == c && seen++ == round) {
                    rows[(*count)++] = part->index[i];
                    break;
                }
            }
        }
    return rows;
}

int dl_look_check_gradient(const dl_net *net, const char *what, dl_error *error) {
    for (int i = 0; i < net->layer_count; i++)
        for (int k = 0; k < net->layers[i].input_count; k++)
            if (net->sources[i][k] < 0 && net->layers[i].type->reads_indices)
                return dl_fail(
                    error, DL_USAGE,
                    "%s has no meaning for this net: \"%s\" reads indices, which have no "
                    "gradient",
                    what, net->layers[i].name);
    return 0;
}

double dl_look_score(dl_net *net, int n, const dl_target_unit *target) {
    const dl_tensor *out = dl_net_output(net);
    int units = dl_shape_channels(out->shape), positions = (int)(dl_shape_size(out->shape) / units);
    const float *y = out->value + n * dl_shape_size(out->shape) + target->unit;
    double sum = 0;
    for (int p = 0; p < positions; p++)
        sum += p == target->position || target->position < 0 ? (double)y[(int64_t)p * units] : 0;
    return target->position < 0 ? sum / positions : sum;
}

void dl_look_differentiate(dl_net *net, const float *x, int batch, const dl_target_unit *target,
                           bool guided, float *score) {
    const dl_tensor *out = dl_net_output(net);
    int units = dl_shape_channels(out->shape), positions = (int)(dl_shape_size(out->shape) / units);
    dl_pass pass = {.batch = batch, .guided = guided};
    dl_net_begin(net);
    dl_net_forward(net, x, &pass);
    dl_zero(out->grad, batch * dl_shape_size(out->shape));
    for (int n = 0; n < batch; n++) {
        float *dy = out->grad + n * dl_shape_size(out->shape) + target[n].unit;
        score[n] = (float)dl_look_score(net, n, &target[n]);
        for (int p = 0; p < positions; p++)
            if (p == target[n].position || target[n].position < 0)
                dy[(int64_t)p * units] = target[n].position < 0 ? 1 / (float)positions : 1;
    }
    dl_net_backward(net, &pass);
}

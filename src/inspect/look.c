/* SPDX-License-Identifier: MIT */
#include "inspect/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

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
        dl_fail(error, DL_USAGE, "the net has no layer \"%s\"%s%s%s", own.data,
                nearest ? ": did you mean \"" : ": its layers are \"", nearest ? nearest : known[0],
                nearest ? "\"?" : "\" and others (dlinspect net)");
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
    dl_text_add(&name, "%s_%s.%s", kind, look->model->net.layers[look->layer].name, ending);
    char *path = dl_path_join(look->folder, name.data);
    dl_text_free(&name);
    return path;
}

int dl_look_write(const dl_look *look, const char *kind, const char *ending, dl_text *text,
                  dl_error *error) {
    char *path = dl_look_path(look, kind, ending);
    int result = dl_output_write(path, dl_text_get(text), text->length, error);
    if (!result)
        fprintf(stderr, "%s\n", path);
    dl_text_free(text);
    free(path);
    return result;
}

int dl_look_save(const dl_look *look, const char *kind, dl_grid *grid, dl_error *error) {
    char *path = dl_look_path(look, kind, "png");
    int result = dl_grid_save(grid, path, error);
    if (!result)
        fprintf(stderr, "%s\n", path);
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

/* SPDX-License-Identifier: MIT */
#include "train/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "run/run.h"
#include "run/stored_weights.h"

enum { MOST_NAMES = 8 }; /* listed in an error, of either side */

/* ---- names ---- */

/* A part of a text, without surrounding blanks. */
typedef struct {
    const char *text;
    int length;
} part;

static part trim(const char *text, size_t length) {
    while (length && *text == ' ')
        text++, length--;
    while (length && text[length - 1] == ' ')
        length--;
    return (part){text, (int)length};
}

static bool is(part p, const char *name, size_t length) {
    return (size_t)p.length == length && !memcmp(p.text, name, length);
}

/* "layer=its name there"; false if malformed. */
static bool split(const char *item, part *here, part *there) {
    const char *sign = strchr(item, '=');
    if (!sign)
        return false;
    *here = trim(item, (size_t)(sign - item));
    *there = trim(sign + 1, strlen(sign + 1));
    return here->length && there->length;
}

static bool has_layer(const dl_net *net, part name) {
    for (int i = 0; i < net->layer_count; i++)
        if (is(name, net->layers[i].name, strlen(net->layers[i].name)))
            return true;
    return false;
}

static int unknown_layer(const dl_experiment *e, const char *item, part name, dl_error *error) {
    const char *names[256];
    int count = 0;
    for (int i = 0; i < e->model.net.layer_count && count < 256; i++)
        names[count++] = e->model.net.layers[i].name;
    char *wanted = xmalloc((size_t)name.length + 1);
    snprintf(wanted, (size_t)name.length + 1, "%s", name.text);
    const char *nearest = dl_text_nearest(wanted, names, count);
    free(wanted);
    return dl_fail(error, DL_USAGE, "%s: init_map: \"%s\": the network has no layer \"%.*s\"%s%s%s",
                   dl_model_where(&e->model, "training.init_map"), item, name.length, name.text,
                   nearest ? " (did you mean \"" : "", nearest ? nearest : "",
                   nearest ? "\"?)" : "");
}

int dl_transfer_check(const dl_experiment *e, dl_error *error) {
    const dl_strings *map = &e->settings.init_map;
    if (e->settings.init_from && e->settings.lsuv)
        dl_fail(error, DL_USAGE,
                "%s: initialize = \"lsuv\" has no effect: init_from sets the weights",
                dl_model_where(&e->model, "training.initialize"));
    const char *at = map->count ? dl_model_where(&e->model, "training.init_map") : "";
    int result = e->settings.init_from && e->settings.lsuv ? -1 : 0;
    if (map->count && !e->settings.init_from)
        result = dl_fail(error, DL_USAGE, "%s: init_map has no effect without init_from", at);
    if (e->settings.init_layout != DL_LAYOUT_AUTO && !e->settings.init_from)
        result = dl_fail(error, DL_USAGE, "%s: init_layout has no effect without init_from",
                         dl_model_where(&e->model, "training.init_layout"));
    for (int i = 0; i < map->count; i++) {
        part here, there, other;
        if (!split(map->items[i], &here, &there)) {
            result =
                dl_fail(error, DL_USAGE, "%s: init_map: \"%s\" must be \"layer=its name there\"",
                        at, map->items[i]);
            continue;
        }
        if (!has_layer(&e->model.net, here))
            result = unknown_layer(e, map->items[i], here, error);
        for (int j = 0; j < i; j++)
            if (split(map->items[j], &other, &there) && is(here, other.text, (size_t)other.length))
                result = dl_fail(error, DL_USAGE, "%s: init_map names the layer \"%.*s\" twice", at,
                                 here.length, here.text);
    }
    return result;
}

int dl_transfer_check_resumed(const dl_experiment *e, const dl_config *began, dl_error *error) {
    static const char *const keys[][2] = {{"training.initialize", "layers"},
                                          {"training.init_from", ""}};
    int result = 0;
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        const char *was = keys[k][1], *is = keys[k][1];
        config_lookup_string(&began->tree, keys[k][0], &was);
        config_lookup_string(&e->model.config->tree, keys[k][0], &is);
        if (strcmp(was, is))
            result = dl_fail(error, DL_USAGE,
                             "%s: %s sets the initial weights, so it has no effect with --resume",
                             dl_model_where(&e->model, keys[k][0]), keys[k][0]);
    }
    return result;
}

/* The name of a layer in the checkpoint. */
static const char *checkpoint_name(dl_transfer *t, const dl_experiment *e, const char *layer) {
    for (int i = 0; i < e->settings.init_map.count; i++) {
        part here, there;
        if (split(e->settings.init_map.items[i], &here, &there) && is(here, layer, strlen(layer)))
            return dl_arena_printf(&t->arena, "%.*s", there.length, there.text);
    }
    return layer;
}

/* ---- tensors ---- */

typedef struct {
    dl_transfer *transfer;
    dl_experiment *experiment;
    dl_stored_weights stored;
    dl_weight_layout layout;
} loading;

static const char *name_there(void *context, const char *layer) {
    const loading *l = context;
    return checkpoint_name(l->transfer, l->experiment, layer);
}

static int load_params(loading *l, const dl_layer *layer, const dl_param *params, int count,
                       dl_error *error) {
    dl_transfer *t = l->transfer;
    for (int p = 0; p < count; p++) {
        dl_text why = {0};
        if (params[p].flags & DL_CARRIED) /* reset at the start of an epoch */
            continue;
        int loaded = dl_stored_read(&l->stored, &l->layout, layer, &params[p],
                                    name_there(l, layer->name), &why, error);
        t->count++;
        if (!loaded)
            t->missed[t->missed_count++] = dl_arena_printf(&t->arena, "%s.%s (%s)", layer->name,
                                                           params[p].name, dl_text_get(&why));
        dl_text_free(&why);
        if (loaded < 0)
            return -1;
    }
    return 0;
}

static int load_layers(loading *l, const dl_net *net, bool states, dl_error *error) {
    for (int i = 0; i < net->layer_count; i++) {
        const dl_layer *layer = &net->layers[i];
        int first = 0; /* that it owns */
        while (first < layer->param_count && !dl_layer_owns(layer, first))
            first++;
        if (states
                ? load_params(l, layer, layer->states, layer->state_count, error)
                : load_params(l, layer, layer->params + first, layer->param_count - first, error))
            return -1;
    }
    return 0;
}

/* Whether an entry of the file is not a tensor of its net. */
static bool is_auxiliary(const char *name) {
    bool raw = !strncmp(name, "raw.", 4) && strchr(name + 4, '.');
    return raw || !strcmp(name, "__metadata__") || !strncmp(name, "optimizer.", 10) ||
           !strncmp(name, "normalization.", 14);
}

/* A name from a file, which may be anything. */
static void add_name(dl_text *list, int number, const char *name) {
    enum { WIDEST = 60 };
    dl_text cut = {0};
    int length = (int)strnlen(name, 4 * WIDEST), fitting = dl_text_fitting(name, length, WIDEST);
    dl_text_add_bytes(&cut, name, (size_t)fitting);
    dl_text_add(list, "%s", number ? ", " : "");
    dl_text_add_plain(list, dl_text_get(&cut));
    dl_text_add(list, "%s ", name[fitting] ? "…" : "");
    dl_text_free(&cut);
}

static void list_there(const dl_safetensors *file, dl_text *list) {
    int count = 0;
    const char *name;
    json_t *entry;
    json_object_foreach(file->header, name, entry) {
        if (is_auxiliary(name))
            continue;
        if (count < MOST_NAMES) {
            add_name(list, count, name);
            dl_safetensors_add_shape(file, name, list);
        }
        count++;
    }
    if (count > MOST_NAMES)
        dl_text_add(list, " and %d more", count - MOST_NAMES);
    if (!count)
        dl_text_add(list, "nothing");
}

static void list_here(const dl_net *net, dl_text *list) {
    int count = net->param_count + net->state_param_count;
    for (int i = 0; i < count && i < MOST_NAMES; i++) {
        const dl_param *p =
            i < net->param_count ? &net->params[i] : &net->state_params[i - net->param_count];
        char shape[48];
        dl_text_add(list, "%s%s %s", i ? ", " : "", p->name, dl_shape_text(shape, p->shape));
    }
    if (count > MOST_NAMES)
        dl_text_add(list, " and %d more", count - MOST_NAMES);
}

static int fail_nothing_matches(const dl_experiment *e, const dl_safetensors *file,
                                dl_error *error) {
    dl_text there = {0}, here = {0};
    list_there(file, &there);
    list_here(&e->model.net, &here);
    dl_fail(error, DL_USAGE,
            "%s: init_from: no tensor of %s matches this network: it has %s; the network has %s "
            "(init_map = (\"layer=its name there\") maps the names)",
            dl_model_where(&e->model, "training.init_from"), file->path, there.data, here.data);
    dl_text_free(&there);
    dl_text_free(&here);
    return -1;
}

static bool begins(const char *name, part layer) {
    return !strncmp(name, layer.text, (size_t)layer.length) && name[layer.length] == '.';
}

static bool has_tensors(const dl_net *net, part layer) {
    bool found = false;
    for (int i = 0; i < net->param_count; i++)
        found |= begins(net->params[i].name, layer);
    for (int i = 0; i < net->state_param_count; i++)
        found |= begins(net->state_params[i].name, layer);
    return found;
}

/* Every name in init_map must be in the file, and its layer must have weights. */
static int check_map(const dl_experiment *e, const dl_stored_weights *stored, dl_error *error) {
    int result = 0;
    for (int i = 0; i < e->settings.init_map.count; i++) {
        part here, there;
        bool found = false;
        if (!split(e->settings.init_map.items[i], &here, &there))
            continue;
        for (int k = 0; k < stored->count; k++)
            found |= dl_stored_is_of_layer(&stored->items[k], there.text, there.length);
        if (!has_tensors(&e->model.net, here))
            result = dl_fail(
                error, DL_USAGE, "%s: init_map: the layer \"%.*s\" has no weights of its own",
                dl_model_where(&e->model, "training.init_map"), here.length, here.text);
        else if (!found)
            result = dl_fail(error, DL_USAGE, "%s: init_map: %s has no layer \"%.*s\"",
                             dl_model_where(&e->model, "training.init_map"), stored->file,
                             there.length, there.text);
    }
    return result;
}

static int decide_layout(loading *l, const dl_safetensors *file, dl_error *error) {
    dl_experiment *e = l->experiment;
    const char *format = dl_safetensors_text(file, "format");
    int layout = e->settings.init_layout;
    if (layout == DL_LAYOUT_AUTO && format && !strncmp(format, "dltrain ", 8))
        layout = DL_LAYOUT_DLTRAIN;
    if (layout == DL_LAYOUT_AUTO)
        layout = dl_stored_find_layout(&l->stored, &e->model.net, name_there, l,
                                       &l->transfer->ambiguous);
    if (l->transfer->ambiguous)
        l->transfer->ambiguous = dl_arena_strdup(&l->transfer->arena, l->transfer->ambiguous);
    if (layout != DL_LAYOUT_AUTO) {
        l->transfer->layout = layout;
        dl_weight_layout_open(&l->layout, &e->model.net, layout);
        const dl_layer *assumed = dl_weight_find_assumed(&l->layout);
        l->transfer->assumed = assumed ? dl_arena_strdup(&l->transfer->arena, assumed->name) : NULL;
        return 0;
    }
    return dl_fail(error, DL_USAGE,
                   "%s: init_from: %s was not written by dltrain, and some of its weights fit only "
                   "as [in][out], some only as PyTorch's [out][in]: set init_layout = \"torch\", "
                   "\"keras\" or \"dltrain\"",
                   dl_model_where(&e->model, "training.init_from"), file->path);
}

static int load_all(loading *l, const dl_safetensors *file, dl_error *error) {
    dl_transfer *t = l->transfer;
    dl_experiment *e = l->experiment;
    const dl_net *net = &e->model.net;
    size_t most = (size_t)(net->param_count + net->state_param_count);
    t->path = dl_arena_strdup(&t->arena, file->path);
    t->missed = dl_arena_alloc(&t->arena, sizeof *t->missed * (most + 1));
    dl_stored_from_safetensors(&l->stored, file);
    int layout = decide_layout(l, file, error);
    if (check_map(e, &l->stored, error) || layout || load_layers(l, net, false, error) ||
        load_layers(l, net, true, error))
        return -1;
    return t->missed_count < t->count ? 0 : fail_nothing_matches(e, file, error);
}

int dl_transfer_load(dl_transfer *t, dl_experiment *e, dl_error *error) {
    const char *from = e->settings.init_from;
    if (!from || !*from)
        return 0;
    char *found = dl_path_find_data(from, e->model.config->name, NULL);
    if (!found)
        return dl_fail(error, DL_DATA, "%s: init_from: %s: not found%s",
                       dl_model_where(&e->model, "training.init_from"), from,
                       from[0] == '/' ? "" : " (looked in " DL_DATA_FOLDERS ")");
    char *path = dl_run_find_checkpoint(found, false, error);
    dl_safetensors file = {0};
    int result = path ? dl_safetensors_open_foreign(&file, path, error) : -1;
    loading l = {.transfer = t, .experiment = e};
    if (!result)
        result = load_all(&l, &file, error);
    dl_weight_layout_free(&l.layout);
    dl_stored_free(&l.stored);
    dl_safetensors_close(&file);
    free(path);
    free(found);
    return result;
}

void dl_transfer_free(dl_transfer *t) {
    dl_arena_free(&t->arena);
    *t = (dl_transfer){0};
}

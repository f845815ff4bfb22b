/* SPDX-License-Identifier: MIT */
#include "train/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "run/run.h"
#include "run/safetensors.h"
#include "train/torch_layout.h"

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

/* The name of a tensor "layer.weight" in the checkpoint. */
static const char *checkpoint_name(dl_transfer *t, const dl_experiment *e, const char *name) {
    const char *point = strchr(name, '.'); /* names of layers have none */
    for (int i = 0; i < e->settings.init_map.count; i++) {
        part here, there;
        if (split(e->settings.init_map.items[i], &here, &there) &&
            is(here, name, (size_t)(point - name)))
            return dl_arena_printf(&t->arena, "%.*s%s", there.length, there.text, point);
    }
    return name;
}

/* ---- tensors ---- */

static int load_params(dl_transfer *t, const dl_experiment *e, const dl_safetensors *file,
                       const dl_param *params, int count, dl_error *error) {
    for (int i = 0; i < count; i++) {
        dl_text why = {0};
        if (params[i].flags & DL_CARRIED) /* reset at the start of an epoch */
            continue;
        const char *name = checkpoint_name(t, e, params[i].name);
        bool there = json_object_get(file->header, name);
        int loaded = t->transposed && there && dl_torch_differs(&params[i])
                         ? dl_torch_read(&params[i], file, name, &why)
                         : dl_safetensors_read_matching(file, name, params[i].shape,
                                                        params[i].value, &why, error);
        t->count++;
        if (!loaded)
            t->missed[t->missed_count++] =
                dl_arena_printf(&t->arena, "%s (%s)", params[i].name, dl_text_get(&why));
        dl_text_free(&why);
        if (loaded < 0)
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
static int check_map(const dl_experiment *e, const dl_safetensors *file, dl_error *error) {
    int result = 0;
    for (int i = 0; i < e->settings.init_map.count; i++) {
        part here, there;
        bool found = false;
        const char *name;
        json_t *entry;
        if (!split(e->settings.init_map.items[i], &here, &there))
            continue;
        json_object_foreach(file->header, name, entry) found |= begins(name, there);
        if (!has_tensors(&e->model.net, here))
            result = dl_fail(
                error, DL_USAGE, "%s: init_map: the layer \"%.*s\" has no weights of its own",
                dl_model_where(&e->model, "training.init_map"), here.length, here.text);
        else if (!found)
            result = dl_fail(error, DL_USAGE, "%s: init_map: %s has no layer \"%.*s\"",
                             dl_model_where(&e->model, "training.init_map"), file->path,
                             there.length, there.text);
    }
    return result;
}

static int decide_layout(dl_transfer *t, const dl_experiment *e, const dl_safetensors *file,
                         dl_error *error) {
    const char *format = dl_safetensors_text(file, "format");
    t->transposed = e->settings.init_layout == DL_LAYOUT_TORCH;
    if (e->settings.init_layout != DL_LAYOUT_AUTO || (format && !strncmp(format, "dltrain ", 8)))
        return 0;
    dl_layout_votes votes = {0};
    for (int i = 0; i < e->model.net.param_count; i++) {
        const dl_param *param = &e->model.net.params[i];
        dl_layout_vote(&votes, param, file, checkpoint_name(t, e, param->name));
    }
    t->transposed = votes.torch > 0;
    if (!votes.ours && !votes.torch && votes.both)
        t->ambiguous = dl_arena_strdup(&t->arena, votes.example);
    if (!votes.ours || !votes.torch)
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: init_from: %s was not written by dltrain, and some of its weights fit only "
                   "as [in][out], some only as PyTorch's [out][in]: set init_layout = \"torch\", "
                   "\"keras\" or \"dltrain\"",
                   dl_model_where(&e->model, "training.init_from"), file->path);
}

/* Whether an image of several channels becomes a vector: dltrain has channels last. */
static bool flattens_images(const dl_net *net) {
    for (int i = 0; i < net->layer_count; i++) {
        const dl_layer *layer = &net->layers[i];
        dl_shape in = layer->in[0].shape, out = layer->out.shape;
        bool several = in.rank == 3 && in.dim[2] > 1 && in.dim[0] * in.dim[1] > 1;
        if (several && out.rank == 1 && dl_shape_size(in) == dl_shape_size(out))
            return true;
    }
    return false;
}

static int load_all(dl_transfer *t, dl_experiment *e, const dl_safetensors *file, dl_error *error) {
    const dl_net *net = &e->model.net;
    size_t most = (size_t)(net->param_count + net->state_param_count);
    t->path = dl_arena_strdup(&t->arena, file->path);
    t->missed = dl_arena_alloc(&t->arena, sizeof *t->missed * (most + 1));
    int layout = decide_layout(t, e, file, error);
    t->flattens = t->transposed && flattens_images(net);
    if (check_map(e, file, error) || layout ||
        load_params(t, e, file, net->params, net->param_count, error) ||
        load_params(t, e, file, net->state_params, net->state_param_count, error))
        return -1;
    return t->missed_count < t->count ? 0 : fail_nothing_matches(e, file, error);
}

int dl_transfer_load(dl_transfer *t, dl_experiment *e, dl_error *error) {
    const char *from = e->settings.init_from;
    if (!from || !*from)
        return 0;
    char *found = dl_path_find_data(from, e->model.config->name);
    if (!found)
        return dl_fail(error, DL_DATA, "%s: init_from: %s: not found%s",
                       dl_model_where(&e->model, "training.init_from"), from,
                       from[0] == '/' ? "" : " (looked in " DL_DATA_FOLDERS ")");
    char *path = dl_run_find_checkpoint(found, false, error);
    dl_safetensors file = {0};
    int result = path ? dl_safetensors_open_foreign(&file, path, error) : -1;
    if (!result)
        result = load_all(t, e, &file, error);
    dl_safetensors_close(&file);
    free(path);
    free(found);
    return result;
}

void dl_transfer_free(dl_transfer *t) {
    dl_arena_free(&t->arena);
    *t = (dl_transfer){0};
}

/* From the `network` list of a config to layers and who reads whom. */
#include <string.h>

#include "net/net.h"

/* What every layer can say, whatever its type. */
typedef struct {
    const char *layer, *name;
    dl_strings inputs;
} common;

static const dl_option common_options[] = {
    {"layer", DL_STRING, offsetof(common, layer), NULL, 0, 0, NULL, "the layer's type"},
    {"name", DL_STRING, offsetof(common, name), "", 0, 0, NULL,
     "a name, for `inputs` and messages; left out: the type and a number"},
    {"inputs", DL_STRINGS, offsetof(common, inputs), "", 0, 0, NULL,
     "the layers that it reads, \"input\" being the data; left out: the layer before"},
    DL_OPTIONS_END,
};

const dl_option *const dl_net_layer_options = common_options;

static int find_layer(const dl_net *net, int count, const char *name) {
    for (int i = 0; i < count; i++)
        if (net->layers[i].name && !strcmp(net->layers[i].name, name))
            return i;
    return -1;
}

static int choose_name(dl_net *net, int index, const char *wanted, dl_error *error) {
    dl_layer *layer = &net->layers[index];
    if (!wanted) {
        int number = 1;
        for (int i = 0; i < index; i++)
            number += net->layers[i].type == layer->type;
        do
            layer->name = dl_arena_printf(&net->arena, "%s_%d", layer->type->kind.name, number++);
        while (find_layer(net, index, layer->name) >= 0);
        return 0;
    }
    layer->name = wanted;
    if (!*wanted || strpbrk(wanted, ". ") || !strcmp(wanted, "input"))
        return dl_fail(error, DL_USAGE,
                       "%s: a layer cannot be called \"%s\" (no blanks, no points, not \"input\")",
                       layer->where, wanted);
    int other = find_layer(net, index, wanted);
    if (other >= 0)
        return dl_fail(error, DL_USAGE, "%s: there are two layers called \"%s\", the other at %s",
                       layer->where, wanted, net->layers[other].where);
    return 0;
}

static int unknown_input(const dl_net *net, int index, const char *name, dl_error *error) {
    const char *names[256] = {"input"};
    int count = 1;
    for (int i = 0; i < index && count < 256; i++)
        names[count++] = net->layers[i].name;
    const char *nearest = dl_text_nearest(name, names, count);
    return dl_fail(error, DL_USAGE, "%s: there is no layer \"%s\" before this one to read%s%s%s",
                   net->layers[index].where, name, nearest ? " (did you mean \"" : "",
                   nearest ? nearest : "", nearest ? "\"?)" : "");
}

static int connect(dl_net *net, int index, const dl_strings *inputs, dl_error *error) {
    dl_layer *layer = &net->layers[index];
    int most = layer->type->most_inputs ? layer->type->most_inputs : 1;
    layer->input_count = inputs->count ? inputs->count : 1;
    if (layer->input_count > most)
        return dl_fail(error, DL_USAGE, "%s: a layer \"%s\" reads %d input%s, not %d", layer->where,
                       layer->type->kind.name, most, most == 1 ? "" : "s at most",
                       layer->input_count);
    layer->in = dl_arena_alloc(&net->arena, sizeof *layer->in * (size_t)layer->input_count);
    int *sources = dl_arena_alloc(&net->arena, sizeof *sources * (size_t)layer->input_count);
    net->sources[index] = sources;
    sources[0] = index - 1;
    int result = 0;
    for (int k = 0; k < inputs->count; k++) {
        sources[k] = find_layer(net, index, inputs->items[k]);
        if (sources[k] < 0 && strcmp(inputs->items[k], "input"))
            result = unknown_input(net, index, inputs->items[k], error);
    }
    return result;
}

static int read_layer(dl_net *net, int index, config_setting_t *group, dl_error *error) {
    dl_layer *layer = &net->layers[index];
    layer->where = dl_config_where(net->config, group);
    layer->index = index;
    layer->arena = &net->arena;
    layer->needs_input = layer->needs_output = true;
    if (!config_setting_is_group(group))
        return dl_fail(error, DL_USAGE, "%s: a layer must be a group { layer = \"…\"; … }",
                       layer->where);
    const dl_kind *kind = dl_config_choose(net->config, group, &dl_layer_registry, NULL, error);
    if (!kind)
        return -1;
    layer->type = (const dl_layer_type *)kind;
    layer->self = dl_arena_alloc(&net->arena, kind->size);
    common own = {0};
    dl_table tables[] = {{common_options, &own}, {kind->options, layer->self}};
    const char *what = dl_arena_printf(&net->arena, "layer \"%s\"", kind->name);
    int result = dl_config_read(net->config, group, NULL, what, tables, 2, error);
    result |= choose_name(net, index, own.name, error);
    return connect(net, index, &own.inputs, error) | result;
}

/* Work that leads nowhere is a slip of the pen. */
static int check_readers(const dl_net *net, dl_error *error) {
    int result = 0;
    for (int i = 0; i + 1 < net->layer_count; i++) {
        bool read = false;
        for (int j = i + 1; j < net->layer_count; j++)
            for (int k = 0; k < net->layers[j].input_count; k++)
                read |= net->sources[j][k] == i;
        if (!read)
            result = dl_fail(error, DL_USAGE, "%s: no layer reads the output of \"%s\"",
                             net->layers[i].where, net->layers[i].name);
    }
    return result;
}

int dl_net_read(dl_net *net, dl_config *config, dl_error *error) {
    net->config = config;
    config_setting_t *list = config_lookup(&config->tree, "network");
    if (!list)
        return dl_fail(error, DL_USAGE, "%s: needs network = ( { layer = \"…\"; … }, … );",
                       config->name);
    if (!config_setting_is_list(list))
        return dl_fail(error, DL_USAGE, "%s: \"network\" must be a list of layers: ( { … }, … )",
                       dl_config_where(config, list));
    net->layer_count = config_setting_length(list);
    if (!net->layer_count)
        return dl_fail(error, DL_USAGE, "%s: the network has no layers",
                       dl_config_where(config, list));
    if (net->layer_count > UINT16_MAX)
        return dl_fail(error, DL_USAGE, "%s: the network has more than %d layers",
                       dl_config_where(config, list), UINT16_MAX);
    size_t count = (size_t)net->layer_count;
    net->layers = dl_arena_alloc(&net->arena, sizeof *net->layers * count);
    net->sources = dl_arena_alloc(&net->arena, sizeof *net->sources * count);
    int result = 0;
    for (int i = 0; i < net->layer_count; i++)
        result |= read_layer(net, i, config_setting_get_elem(list, (unsigned)i), error);
    return result ? result : check_readers(net, error);
}

/* SPDX-License-Identifier: MIT */
/* From the `network` list of a config to layers and who reads whom. */
#include <stdlib.h>
#include <string.h>

#include "net/block.h"
#include "net/names.h"
#include "net/net.h"

/* What every layer and block can say, whatever its type. */
typedef struct {
    const char *layer, *name;
    dl_strings inputs;
    bool trainable;
    const char *share;
    bool transpose;
    int64_t freeze_until;
    double l1, l2;
} common;

static const common nothing_said = {.trainable = true, .l1 = -1, .l2 = -1};

static const dl_option common_options[] = {
    DL_STRING_OPTION("layer", common, layer, DL_REQUIRED, "the type of the layer or block"),
    DL_STRING_OPTION("name", common, name, DL_NO_DEFAULT,
                     "a name, for `inputs` and messages; left out: the type and a number"),
    DL_STRINGS_OPTION(
        "inputs", common, inputs, DL_NO_DEFAULT,
        "the layers that it reads, \"input\" being the data; left out: the layer before"),
    DL_BOOL_OPTION("trainable", common, trainable, "true", "false: its weights stay as they are"),
    DL_INT_OPTION(
        "freeze_until_epoch", common, freeze_until, DL_NO_DEFAULT, 1, 1e9,
        "its weights stay as they are before this epoch, counted from 1, and are trained from then "
        "on, "
        "by an optimizer that begins with them there: first the new layers learn, then those that "
        "init_from gave; of a block for all of its layers that do not say it themselves"),
    DL_STRING_OPTION("share", common, share, DL_NO_DEFAULT,
                     "a layer of the same type before this one, whose weights are also this one's; "
                     "their gradients "
                     "add up"),
    DL_BOOL_OPTION("transpose", common, transpose, "false",
                   "with `share`, of a dense layer: uses that one's weight transposed, and a bias "
                   "of its own, as "
                   "the decoder of a tied autoencoder does"),
    DL_FLOAT_OPTION("l1", common, l1, DL_NO_DEFAULT, 0, 1e6,
                    "for its weights, in place of regularization.l1; of a block for all of its "
                    "layers that do not "
                    "say it themselves"),
    DL_FLOAT_OPTION("l2", common, l2, DL_NO_DEFAULT, 0, 1e6,
                    "for its weights, in place of regularization.l2; 0 spares them"),
    DL_OPTIONS_END,
};

const dl_option *const dl_net_layer_options = common_options;

/* The state of the reading. */
typedef struct {
    dl_net *net;
    net_names names;
    dl_registry kinds; /* of layers and of blocks */
    int room;          /* that net->layers has */
    const char *block; /* "file:line" of the innermost block of the user's */
    bool in_head;      /* an auxiliary head's body is being read */
} net_reader;

static int read_list(net_reader *r, config_setting_t *list, const net_scope *scope, int source);

/* Whether a block made the setting. */
static bool is_made(const net_reader *r, const config_setting_t *setting) {
    return setting->config == &r->net->made.tree;
}

static dl_config *config_of(net_reader *r, const config_setting_t *setting) {
    return is_made(r, setting) ? &r->net->made : r->net->config;
}

/* "file:line", of what a block made that of the block. */
static const char *where_is(net_reader *r, const config_setting_t *setting) {
    return is_made(r, setting) ? r->block : dl_config_where(r->net->config, setting);
}

/* ---- a layer ---- */

static dl_layer *add_layer(net_reader *r) {
    dl_net *net = r->net;
    if (net->layer_count == r->room) {
        r->room = r->room ? 2 * r->room : 64;
        net->layers = xrealloc(net->layers, sizeof *net->layers * (size_t)r->room);
        net->sources = xrealloc(net->sources, sizeof *net->sources * (size_t)r->room);
    }
    dl_layer *layer = &net->layers[net->layer_count];
    *layer = (dl_layer){.index = net->layer_count++,
                        .arena = &net->arena,
                        .needs_input = true,
                        .needs_output = true,
                        .trainable = true,
                        .shares = -1,
                        .l1 = -1,
                        .l2 = -1};
    return layer;
}

static void connect(net_reader *r, dl_layer *layer, const int *sources, int count) {
    dl_net *net = r->net;
    int most = layer->type->most_inputs ? layer->type->most_inputs : 1;
    if (count > most) {
        net_fail(&r->names, "%s: a layer \"%s\" reads %d input%s, not %d", layer->where,
                 layer->type->kind.name, most, most == 1 ? "" : "s at most", count);
    }
    layer->input_count = count;
    layer->in = dl_arena_alloc(&net->arena, sizeof *layer->in * (size_t)count);
    net->sources[layer->index] = dl_arena_alloc(&net->arena, sizeof(int) * (size_t)count);
    memcpy(net->sources[layer->index], sources, sizeof(int) * (size_t)count);
}

/* What a group's `layer` can name: layers and blocks. */
static dl_registry layers_and_blocks(dl_arena *arena) {
    int layers = dl_layer_registry.count, blocks = dl_block_registry.count;
    const dl_kind **all = dl_arena_alloc(arena, sizeof *all * (size_t)(layers + blocks));
    memcpy(all, dl_layer_registry.kinds, sizeof *all * (size_t)layers);
    memcpy(all + layers, dl_block_registry.kinds, sizeof *all * (size_t)blocks);
    dl_registry both = dl_layer_registry;
    both.count = layers + blocks;
    both.kinds = all;
    return both;
}

/* The layers that `inputs` names; returns their number. */
static int find_inputs(net_reader *r, const dl_strings *inputs, const net_scope *scope,
                       const char *where, int sources[DL_MOST_INPUTS]) {
    int count = inputs->count < DL_MOST_INPUTS ? inputs->count : DL_MOST_INPUTS;
    for (int k = 0; k < count; k++) {
        sources[k] = net_find_name(&r->names, scope, inputs->items[k]);
        if (sources[k] == -2) {
            net_unknown_input(&r->names, where, inputs->items[k]);
            sources[k] = -1;
        }
    }
    if (inputs->count > DL_MOST_INPUTS)
        net_fail(&r->names, "%s: more than %d inputs", where, DL_MOST_INPUTS);
    return count;
}

/* The layer that owns the weights which `share` asks for; -1 and an error if there is none. */
static int find_shared(net_reader *r, const char *share, const net_scope *scope,
                       const dl_layer *layer) {
    int index = net_find_name(&r->names, scope, share);
    if (index == -2 || index == layer->index) {
        net_unknown_input(&r->names, layer->where, share);
        return -1;
    }
    const dl_layer *source = index < 0 ? NULL : &r->net->layers[index];
    if (!source || source->type != layer->type) {
        net_fail(&r->names, "%s: a layer \"%s\" cannot share the weights of \"%s\"%s%s%s",
                 layer->where, layer->type->kind.name, share, source ? ", a layer \"" : "",
                 source ? source->type->kind.name : "", source ? "\"" : "");
        return -1;
    }
    if (source->transposed) {
        net_fail(&r->names,
                 "%s: \"%s\" itself uses the weight of \"%s\": share = \"%s\" is meant, or with "
                 "transpose = true",
                 layer->where, source->name, r->net->layers[source->shares].name,
                 r->net->layers[source->shares].name);
    }
    return source->shares >= 0 ? source->shares : index;
}

/* Which layers can use a weight transposed: "dense". */
static void list_transposing(dl_text *list) {
    for (int i = 0; i < dl_layer_registry.count; i++)
        if (((const dl_layer_type *)dl_layer_registry.kinds[i])->can_transpose)
            dl_text_add(list, "%s\"%s\"", list->length ? ", " : "",
                        dl_layer_registry.kinds[i]->name);
}

static void share(net_reader *r, const common *own, const net_scope *scope, dl_layer *layer) {
    if (own->share)
        layer->shares = find_shared(r, own->share, scope, layer);
    if (!own->transpose)
        return;
    layer->transposed = layer->shares >= 0;
    dl_text list = {0};
    list_transposing(&list);
    if (!own->share)
        net_fail(&r->names, "%s: transpose is about share, which is not given", layer->where);
    else if (!layer->type->can_transpose)
        net_fail(&r->names, "%s: a layer \"%s\" cannot use a weight transposed (%s can)",
                 layer->where, layer->type->kind.name, list.data);
    dl_text_free(&list);
}

/* What a layer says of weights that are another's must be what that one says: they are trained, or
   not, and penalized once. */
static void check_said(net_reader *r, const common *own, const dl_layer *layer) {
    const char *said = NULL;
    if (!own->trainable && own->freeze_until) {
        net_fail(&r->names,
                 "%s: freeze_until_epoch never comes where trainable is false: one of the two",
                 layer->where);
    }
    if (layer->shares < 0)
        return;
    const dl_layer *owner = &r->net->layers[layer->shares];
    if (own->l1 >= 0 && own->l1 != owner->l1)
        said = "l1";
    if (own->l2 >= 0 && own->l2 != owner->l2)
        said = "l2";
    if (!layer->transposed && own->freeze_until && own->freeze_until != owner->freeze_until)
        said = "freeze_until_epoch";
    if (!layer->transposed && !own->trainable && owner->trainable)
        said = "trainable";
    if (!said)
        return;
    net_fail(&r->names, "%s: %s is for \"%s\" to say, whose weights layer \"%s\" shares",
             layer->where, said, owner->name, layer->name);
}

/* A layer that reads the sources unless its `inputs` says otherwise. */
static int read_layer(net_reader *r, config_setting_t *group, const net_scope *scope,
                      const int *sources, int count) {
    dl_layer *layer = add_layer(r);
    layer->where = where_is(r, group);
    common own = nothing_said;
    dl_table table = {common_options, &own};
    dl_chosen chosen;
    r->names.failed |= dl_config_read_kind(config_of(r, group), group, &dl_layer_registry, NULL,
                                           &table, &chosen, r->names.error) != 0;
    layer->type = (const dl_layer_type *)chosen.kind;
    layer->self = chosen.self;
    int named[DL_MOST_INPUTS];
    int named_count = find_inputs(r, &own.inputs, scope, layer->where, named);
    const char *name = own.name ? net_full_name(&r->names, own.name, scope, layer->where) : NULL;
    layer->name = name ? name : net_automatic_name(&r->names, layer);
    layer->trainable = own.trainable;
    share(r, &own, scope, layer);
    layer->freeze_until = own.freeze_until;
    layer->l1 = own.l1;
    layer->l2 = own.l2;
    check_said(r, &own, layer);
    connect(r, layer, named_count ? named : sources, named_count ? named_count : count);
    return layer->index;
}

/* ---- a block ---- */

/* The name of the head that begins with layer `first`, if one could be made of its body: of a
   column of history.csv, too. */
static void name_head(net_reader *r, const char *name, int first, const char *where) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    dl_net *net = r->net;
    dl_head *head = net->head_count ? &net->heads[net->head_count - 1] : NULL;
    if (name && name[strspn(name, letters)]) {
        net_fail(&r->names,
                 "%s: an auxiliary head cannot be called \"%s\": its name is part of a column's "
                 "(letters a to z, digits, _ and -)",
                 where, name);
    }
    if (!head || head->first != first || head->name)
        return;
    int number = net->head_count;
    head->name = name;
    while (!head->name || (!name && net_find_full(&r->names, head->name) >= 0))
        head->name = dl_arena_printf(&net->arena, "aux_%d", number++);
    if (!name)
        net_add_alias(&r->names, head->name, head->last);
}

/* What a block says of all its layers, which are those from `first` on. */
static void pass_on(dl_net *net, int first, const common *own) {
    for (int i = first; i < net->layer_count; i++) {
        dl_layer *layer = &net->layers[i];
        layer->trainable &= own->trainable;
        layer->freeze_until = layer->freeze_until ? layer->freeze_until : own->freeze_until;
        layer->l1 = layer->l1 < 0 ? own->l1 : layer->l1;
        layer->l2 = layer->l2 < 0 ? own->l2 : layer->l2;
    }
}

static bool is_list(net_reader *r, const config_setting_t *setting) {
    if (config_setting_is_list(setting))
        return true;
    const char *key = config_setting_name(setting);
    net_fail(&r->names, "%s: \"%s\" must be a list of layers: ( { … }, … )", where_is(r, setting),
             key ? key : config_setting_name(config_setting_parent(setting)));
    return false;
}

/* One repetition of a block. */
static int read_branches(net_reader *r, const net_expansion *e, const net_scope *scope,
                         int source) {
    int ends[DL_MOST_INPUTS], count = 0;
    for (int i = 0; i < e->count; i++)
        if (is_list(r, e->branch[i]))
            ends[count++] = read_list(r, e->branch[i], scope, source);
    if (!count)
        return source;
    return e->merge ? read_layer(r, e->merge, scope, ends, count) : ends[0];
}

static int read_repetitions(net_reader *r, const net_expansion *e, const net_scope *scope,
                            int source) {
    if (e->count > DL_MOST_INPUTS) {
        net_fail(&r->names, "%s: more than %d branches",
                 where_is(r, config_setting_parent(e->branch[0])), DL_MOST_INPUTS);
        return source;
    }
    for (int64_t k = 1; k <= e->repeat; k++) {
        net_scope inner = {scope, scope->suffix};
        if (e->repeat > 1)
            inner.suffix = dl_arena_printf(&r->net->arena, "%s_%lld", scope->suffix, (long long)k);
        source = read_branches(r, e, &inner, source);
    }
    return source;
}

static int read_head(net_reader *r, const net_expansion *e, const net_scope *scope, int source) {
    dl_net *net = r->net;
    const bool nested = r->in_head;
    if (nested)
        net_fail(&r->names, "%s: an auxiliary head cannot be part of another one", r->block);
    r->in_head = true;
    int first = net->layer_count, end = read_repetitions(r, e, scope, source);
    r->in_head = nested;
    bool list = e->count && config_setting_is_list(e->branch[0]);
    if (list &&
        (!config_setting_length(e->branch[0]) || (!r->names.failed && net->layer_count == first)))
        net_fail(&r->names,
                 "%s: the body of an auxiliary head is empty: it needs the layer that gives its "
                 "output",
                 r->block);
    if (nested || net->layer_count == first)
        return end;
    if (net->head_count == DL_MOST_HEADS) {
        net_fail(&r->names, "%s: more than %d auxiliary heads", r->block, DL_MOST_HEADS);
        return end;
    }
    net->heads[net->head_count++] =
        (dl_head){NULL, r->block, first, net->layer_count - 1, e->weight, e->loss};
    return end;
}

/* The settings of a block. Of one with a faulty option only the layers that are lists in the config
   are read, once, for their errors. */
static net_expansion expand(net_reader *r, const net_block_type *type, const void *self,
                            const config_setting_t *group, bool faulty) {
    net_expansion e = {.repeat = 1};
    if (faulty && !type->has_lists)
        return e;
    dl_config *made = &r->net->made;
    if (!made->name)
        dl_config_open(made, r->net->config->name);
    config_setting_t *root = config_root_setting(&made->tree);
    char key[32];
    snprintf(key, sizeof key, "block_%d", config_setting_length(root));
    e.room = dl_config_add(root, key, CONFIG_TYPE_LIST);
    type->expand(self, group, &e);
    if (faulty) {
        e.repeat = 1;
        e.merge = NULL;
    }
    return e;
}

/* A block: its name stands for its last layer, `trainable = false` for all of its layers. */
static int read_block(net_reader *r, config_setting_t *group, const net_scope *scope, int source) {
    const char *outer = r->block, *where = where_is(r, group);
    common own = nothing_said;
    dl_table table = {common_options, &own};
    dl_chosen chosen;
    bool faulty = dl_config_read_kind(config_of(r, group), group, &dl_block_registry, NULL, &table,
                                      &chosen, r->names.error) != 0;
    r->names.failed |= faulty;
    const net_block_type *type = (const net_block_type *)chosen.kind;
    int named[DL_MOST_INPUTS] = {source}, first = r->net->layer_count;
    if (find_inputs(r, &own.inputs, scope, where, named) > 1)
        net_fail(&r->names, "%s: a block reads one input, not %d", where, own.inputs.count);
    if (own.share || own.transpose)
        net_fail(&r->names, "%s: a block shares no weights: set share in its layers", where);
    r->block = where;
    net_expansion e = expand(r, type, chosen.self, group, faulty);
    int end = type->is_head ? read_head(r, &e, scope, named[0])
                            : read_repetitions(r, &e, scope, named[0]);
    r->block = outer;
    pass_on(r->net, first, &own);
    const char *name = own.name ? net_full_name(&r->names, own.name, scope, where) : NULL;
    if (name)
        net_add_alias(&r->names, name, end);
    if (!type->is_head)
        return end;
    name_head(r, name, first, where);
    return source;
}

static bool is_block(const dl_kind *kind) {
    return dl_registry_find(&dl_block_registry, kind->name) == kind;
}

/* ---- lists ---- */

/* Reads a list of layers and blocks, the first of which reads layer `source` unless it says
   otherwise; returns the last one's index, `source` if the list is empty or (NULL) missing. */
static int read_list(net_reader *r, config_setting_t *list, const net_scope *scope, int source) {
    for (int i = 0; list && i < config_setting_length(list); i++) {
        config_setting_t *group = config_setting_get_elem(list, (unsigned)i);
        if (r->net->layer_count > UINT16_MAX)
            return source;
        if (!config_setting_is_group(group)) {
            net_fail(&r->names, "%s: a layer must be a group { layer = \"…\"; … }",
                     where_is(r, group));
            continue;
        }
        const dl_kind *kind =
            dl_config_choose(config_of(r, group), group, &r->kinds, NULL, r->names.error);
        if (!kind)
            r->names.failed = true;
        else if (is_block(kind))
            source = read_block(r, group, scope, source);
        else
            source = read_layer(r, group, scope, &source, 1);
    }
    return source;
}

/* ---- the network ---- */

/* Who reads an auxiliary head's layers would miss them when the net is not trained. */
static int check_heads(const dl_net *net, dl_error *error) {
    int result = 0, last = dl_net_head(net, net->layer_count - 1);
    if (last >= 0)
        result = dl_fail(error, DL_USAGE,
                         "%s: the network ends in an auxiliary head, \"%s\": behind it must come "
                         "the layers that give the network's own output",
                         net->heads[last].where, net->heads[last].name);
    for (int j = 0; j < net->layer_count; j++)
        for (int k = 0; k < net->layers[j].input_count; k++) {
            int source = net->sources[j][k], head = source < 0 ? -1 : dl_net_head(net, source);
            if (head >= 0 && dl_net_head(net, j) != head)
                result = dl_fail(error, DL_USAGE,
                                 "%s: \"%s\" reads \"%s\", which is part of the auxiliary head "
                                 "\"%s\" and there in training only",
                                 net->layers[j].where, net->layers[j].name,
                                 net->layers[source].name, net->heads[head].name);
        }
    return result;
}

/* Work that leads nowhere is a slip of the pen. */
static int check_readers(const dl_net *net, dl_error *error) {
    int result = 0;
    for (int i = 0; i + 1 < net->layer_count; i++) {
        int head = dl_net_head(net, i);
        bool read = head >= 0 && net->heads[head].last == i;
        for (int j = i + 1; j < net->layer_count; j++)
            for (int k = 0; k < net->layers[j].input_count; k++)
                read |= net->sources[j][k] == i;
        if (!read)
            result = dl_fail(error, DL_USAGE, "%s: no layer reads the output of \"%s\"",
                             net->layers[i].where, net->layers[i].name);
    }
    return result;
}

/* The lists that grew while the config was read, into the net's arena. */
static void settle(net_reader *r) {
    dl_net *net = r->net;
    size_t count = (size_t)net->layer_count;
    dl_layer *layers = dl_arena_alloc(&net->arena, sizeof *layers * (count + 1));
    int **sources = dl_arena_alloc(&net->arena, sizeof *sources * (count + 1));
    if (count) {
        memcpy(layers, net->layers, sizeof *layers * count);
        memcpy(sources, net->sources, sizeof *sources * count);
    }
    free(net->layers);
    free(net->sources);
    free(r->names.alias);
    net->layers = layers;
    net->sources = sources;
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
    net_reader reader = {.net = net,
                         .names = {.net = net, .arena = &net->arena, .error = error},
                         .kinds = layers_and_blocks(&net->arena)};
    net_scope top = {NULL, ""};
    read_list(&reader, list, &top, -1);
    settle(&reader);
    if (reader.names.failed)
        return -1;
    if (!net->layer_count)
        return dl_fail(error, DL_USAGE, "%s: the network has no layers",
                       dl_config_where(config, list));
    if (net->layer_count > UINT16_MAX)
        return dl_fail(error, DL_USAGE, "%s: the network has more than %d layers",
                       dl_config_where(config, list), UINT16_MAX);
    return check_heads(net, error) | check_readers(net, error);
}

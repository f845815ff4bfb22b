/* SPDX-License-Identifier: MIT */
#include "net/names.h"

#include <stdlib.h>
#include <string.h>

int net_fail(net_names *names, const char *format, ...) {
    dl_text text = {0};
    va_list arguments;
    va_start(arguments, format);
    dl_text_add_v(&text, format, arguments);
    va_end(arguments);
    names->failed = true;
    dl_fail(names->error, DL_USAGE, "%s", dl_text_get(&text));
    dl_text_free(&text);
    return -1;
}

int net_find_full(const net_names *names, const char *name) {
    const dl_net *net = names->net;
    for (int i = 0; i < net->layer_count; i++)
        if (net->layers[i].name && !strcmp(net->layers[i].name, name))
            return i;
    for (int i = 0; i < names->alias_count; i++)
        if (!strcmp(names->alias[i].name, name))
            return names->alias[i].index;
    return -2;
}

int net_find_name(const net_names *names, const net_scope *scope, const char *name) {
    for (; scope; scope = scope->outer) {
        int index =
            net_find_full(names, dl_arena_printf(names->arena, "%s%s", name, scope->suffix));
        if (index != -2)
            return index;
    }
    return strcmp(name, "input") ? -2 : -1;
}

const char *net_full_name(net_names *names, const char *wanted, const net_scope *scope,
                          const char *where) {
    const char *name = dl_arena_printf(names->arena, "%s%s", wanted, scope->suffix);
    if (!*wanted || strpbrk(wanted, ". ") || !strcmp(wanted, "input")) {
        net_fail(names, "%s: invalid layer name \"%s\" (no spaces, no periods, not \"input\")",
                 where, wanted);
        return NULL;
    }
    int other = net_find_full(names, name);
    if (other < 0)
        return name;
    net_fail(names, "%s: duplicate layer name \"%s\", also at %s", where, name,
             names->net->layers[other].where);
    return name;
}

const char *net_automatic_name(net_names *names, const dl_layer *layer) {
    const char *name;
    int number = 1;
    for (int i = 0; i < layer->index; i++)
        number += names->net->layers[i].type == layer->type;
    do
        name = dl_arena_printf(names->arena, "%s_%d", layer->type->kind.name, number++);
    while (net_find_full(names, name) >= 0);
    return name;
}

/* Whether "file:line" a is below b in the same file. */
static bool is_below(const char *a, const char *b) {
    const char *line_a = strrchr(a, ':'), *line_b = strrchr(b, ':');
    bool same =
        line_a && line_b && line_a - a == line_b - b && !strncmp(a, b, (size_t)(line_a - a));
    return same && strtol(line_a + 1, NULL, 10) > strtol(line_b + 1, NULL, 10);
}

/* The position of a layer `name` within `setting`, below `where`; NULL if there is none. */
static const char *find_below(const net_names *names, config_setting_t *setting, const char *where,
                              const char *name) {
    const char *own = NULL, *found = NULL;
    if (config_setting_is_group(setting) && config_setting_lookup_string(setting, "name", &own) &&
        !strcmp(own, name))
        found = dl_config_where(names->net->config, setting);
    if (found && is_below(found, where))
        return found;
    for (int i = 0; config_setting_is_aggregate(setting) && i < config_setting_length(setting); i++)
        if ((found = find_below(names, config_setting_get_elem(setting, (unsigned)i), where, name)))
            return found;
    return NULL;
}

void net_unknown_input(net_names *names, const char *where, const char *name) {
    config_setting_t *network = config_lookup(&names->net->config->tree, "network");
    const char *below = find_below(names, network, where, name);
    if (below) {
        net_fail(names, "%s: layer \"%s\" comes later, at %s: only preceding layers can be read",
                 where, name, below);
        return;
    }
    const char *known[256] = {"input"};
    int count = 1;
    for (int i = 0; i < names->net->layer_count && count < 256; i++)
        if (names->net->layers[i].name)
            known[count++] = names->net->layers[i].name;
    const char *nearest = dl_text_nearest(name, known, count);
    net_fail(names, "%s: there is no preceding layer \"%s\"%s%s%s", where, name,
             nearest ? " (did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?)" : "");
}

void net_add_alias(net_names *names, const char *name, int index) {
    if (names->alias_count == names->alias_capacity) {
        names->alias_capacity = names->alias_capacity ? 2 * names->alias_capacity : 16;
        names->alias = xrealloc(names->alias, sizeof *names->alias * (size_t)names->alias_capacity);
    }
    names->alias[names->alias_count++] = (struct net_alias){name, index};
}

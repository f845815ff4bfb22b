/* SPDX-License-Identifier: MIT */
/* Reads a group of a config by its option tables. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

static const char *type_name(const config_setting_t *setting) {
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return "an integer";
    case CONFIG_TYPE_FLOAT:
        return "a real number";
    case CONFIG_TYPE_BOOL:
        return "true or false";
    case CONFIG_TYPE_STRING:
        return "a string";
    case CONFIG_TYPE_GROUP:
        return "a group { … }";
    default:
        return "a list";
    }
}

static void describe_type(const dl_option *option, dl_text *text) {
    static const char *const words[] = {
        [DL_BOOL] = "true or false",
        [DL_INT] = "an integer",
        [DL_FLOAT] = "a number",
        [DL_STRING] = "a string",
        [DL_CHOICE] = "one of",
        [DL_PAIR] = "an integer, or two: (height, width)",
        [DL_STRINGS] = "a list of strings: (\"a\", \"b\")",
        [DL_NAME] = "a string or an integer",
        [DL_NAMES] = "a string or an integer, or a list of them: (\"a\", \"b\")",
        [DL_NUMBERS] = "a list of numbers: (1, 2)",
        [DL_SETTING] = "a group { … }",
    };
    dl_text_add(text, "%s", words[option->type]);
    for (int i = 0; option->choices && option->choices[i]; i++)
        dl_text_add(text, "%s \"%s\"",
                    option->type != DL_CHOICE ? " or"
                    : i == 0                  ? ""
                                              : ",",
                    option->choices[i]);
}

typedef struct {
    dl_config *config;
    config_setting_t *setting; /* to be read */
    const dl_option *option;
    dl_error *error;
} reading;

static int wrong_type(const reading *r, const config_setting_t *found) {
    dl_text expected = {0};
    describe_type(r->option, &expected);
    dl_fail(r->error, DL_USAGE, "%s: \"%s\" must be %s, not %s", dl_config_where(r->config, found),
            r->option->key, expected.data, type_name(found));
    dl_text_free(&expected);
    return -1;
}

static bool is_integer(const config_setting_t *setting) {
    int type = config_setting_type(setting);
    return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

static int64_t integer_value(const config_setting_t *setting) {
    return config_setting_type(setting) == CONFIG_TYPE_INT ? config_setting_get_int(setting)
                                                           : config_setting_get_int64(setting);
}

static int check_range(const reading *r, const config_setting_t *found, double value) {
    const dl_option *o = r->option;
    bool bounded = o->min != 0 || o->max != 0;
    if (isfinite(value) && (!bounded || (value >= o->min && value <= o->max)))
        return 0;
    const char *where = dl_config_where(r->config, found);
    if (!isfinite(value))
        return dl_fail(r->error, DL_USAGE, "%s: \"%s\" must be a finite number", where, o->key);
    if (value > o->max)
        return dl_fail(r->error, DL_USAGE, "%s: \"%s\" is %.15g, but must be at most %.15g", where,
                       o->key, value, o->max);
    return dl_fail(r->error, DL_USAGE, "%s: \"%s\" is %.15g, but must be at least %.15g", where,
                   o->key, value, o->min);
}

/* The index of a word in the option's choices, or -1 and an error. */
static int find_choice(const reading *r, const config_setting_t *found, const char *word) {
    const char *const *choices = r->option->choices;
    int count = 0;
    for (; choices[count]; count++)
        if (!strcmp(choices[count], word))
            return count;
    const char *nearest = dl_text_nearest(word, choices, count);
    dl_text expected = {0};
    describe_type(r->option, &expected);
    dl_fail(r->error, DL_USAGE, "%s: \"%s\" must be %s, not \"%s\"%s%s%s",
            dl_config_where(r->config, found), r->option->key, expected.data, word,
            nearest ? " (did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?)" : "");
    dl_text_free(&expected);
    return -1;
}

static int read_int(const reading *r, const config_setting_t *found, int64_t *field) {
    if (r->option->choices && config_setting_type(found) == CONFIG_TYPE_STRING) {
        int index = find_choice(r, found, config_setting_get_string(found));
        *field = -(index + 1);
        return index < 0 ? -1 : 0;
    }
    if (!is_integer(found))
        return wrong_type(r, found);
    *field = integer_value(found);
    return check_range(r, found, (double)*field);
}

static int read_pair(const reading *r, int64_t *field) {
    config_setting_t *s = r->setting;
    if (!config_setting_is_aggregate(s) || config_setting_is_group(s)) {
        int result = read_int(r, s, &field[0]);
        field[1] = field[0];
        return result;
    }
    if (config_setting_length(s) != 2)
        return wrong_type(r, s);
    int first = read_int(r, config_setting_get_elem(s, 0), &field[0]);
    return read_int(r, config_setting_get_elem(s, 1), &field[1]) | first;
}

/* Checkpoints and --json require UTF-8. */
static int read_string(const reading *r, config_setting_t *s, const char **field) {
    if (config_setting_type(s) != CONFIG_TYPE_STRING)
        return wrong_type(r, s);
    *field = config_setting_get_string(s);
    if (dl_text_is_utf8(*field))
        return 0;
    return dl_fail(r->error, DL_USAGE, "%s: \"%s\" is not UTF-8 text",
                   dl_config_where(r->config, s), r->option->key);
}

/* A string, or an integer as its decimal. */
static int read_name(const reading *r, config_setting_t *s, const char **field) {
    if (!is_integer(s))
        return read_string(r, s, field);
    *field = dl_arena_printf(&r->config->arena, "%lld", (long long)integer_value(s));
    return 0;
}

static int read_strings(const reading *r, dl_strings *field, bool names) {
    config_setting_t *s = r->setting;
    bool list = config_setting_is_aggregate(s) && !config_setting_is_group(s);
    if (!list && (!names || config_setting_is_group(s)))
        return wrong_type(r, s);
    int count = list ? config_setting_length(s) : 1, result = 0;
    field->items = dl_arena_alloc(&r->config->arena, sizeof(char *) * (size_t)(count + 1));
    for (int i = 0; i < count; i++) {
        config_setting_t *item = list ? config_setting_get_elem(s, (unsigned)i) : s;
        result |=
            names ? read_name(r, item, &field->items[i]) : read_string(r, item, &field->items[i]);
    }
    field->count = result ? 0 : count;
    return result;
}

static int read_float(const reading *r, const config_setting_t *s, double *field) {
    if (config_setting_type(s) != CONFIG_TYPE_FLOAT && !is_integer(s))
        return wrong_type(r, s);
    *field = is_integer(s) ? (double)integer_value(s) : config_setting_get_float(s);
    return check_range(r, s, *field);
}

/* A single number is a list of one. */
static int read_numbers(const reading *r, dl_numbers *field) {
    config_setting_t *s = r->setting;
    if (r->option->choices && config_setting_type(s) == CONFIG_TYPE_STRING) {
        field->word = 1 + find_choice(r, s, config_setting_get_string(s));
        return field->word ? 0 : -1;
    }
    bool list = config_setting_is_list(s) || config_setting_is_array(s);
    int count = list ? config_setting_length(s) : 1, result = 0;
    field->items = dl_arena_alloc(&r->config->arena, sizeof(double) * (size_t)(count + 1));
    for (int i = 0; i < count; i++)
        result |=
            read_float(r, list ? config_setting_get_elem(s, (unsigned)i) : s, &field->items[i]);
    field->count = result ? 0 : count;
    return result;
}

/* Reads r->setting into the option's field. */
static int read_value(const reading *r, void *owner) {
    void *field = (char *)owner + r->option->offset;
    config_setting_t *s = r->setting;
    int type = config_setting_type(s);
    switch (r->option->type) {
    case DL_BOOL:
        if (type != CONFIG_TYPE_BOOL)
            return wrong_type(r, s);
        *(bool *)field = config_setting_get_bool(s) != 0;
        return 0;
    case DL_INT:
        return read_int(r, s, field);
    case DL_PAIR:
        return read_pair(r, field);
    case DL_FLOAT:
        return read_float(r, s, field);
    case DL_NUMBERS:
        return read_numbers(r, field);
    case DL_NAME:
        return read_name(r, s, field);
    case DL_STRING:
        return read_string(r, s, field);
    case DL_CHOICE: {
        if (type != CONFIG_TYPE_STRING)
            return wrong_type(r, s);
        int index = find_choice(r, s, config_setting_get_string(s));
        *(int *)field = index < 0 ? 0 : index;
        return index < 0 ? -1 : 0;
    }
    case DL_STRINGS:
    case DL_NAMES:
        return read_strings(r, field, r->option->type == DL_NAMES);
    case DL_SETTING:
        *(config_setting_t **)field = s;
        return 0;
    }
    return 0;
}

/* Adds the default of an option to the tree; NULL if there is none. */
static config_setting_t *add_default(config_setting_t *group, const dl_option *option) {
    const char *text = option->fallback;
    if (!*text)
        return NULL;
    config_setting_t *made;
    char *end;
    switch (option->type) {
    case DL_BOOL:
        made = dl_config_add(group, option->key, CONFIG_TYPE_BOOL);
        config_setting_set_bool(made, !strcmp(text, "true"));
        return made;
    case DL_FLOAT:
        made = dl_config_add(group, option->key, CONFIG_TYPE_FLOAT);
        config_setting_set_float(made, strtod(text, NULL));
        return made;
    case DL_INT:
    case DL_PAIR: {
        long long value = strtoll(text, &end, 10);
        if (end == text || *end)
            break;
        made = dl_config_add(group, option->key, CONFIG_TYPE_INT);
        config_setting_set_int(made, (int)value);
        return made;
    }
    case DL_STRINGS:
    case DL_NAMES:
    case DL_NUMBERS:
    case DL_SETTING:
        return NULL;
    default:
        break;
    }
    made = dl_config_add(group, option->key, CONFIG_TYPE_STRING);
    dl_config_set_string(made, text);
    return made;
}

/* Length of a help text up to its first semicolon or period. */
static int first_clause(const char *help) {
    int length = (int)strlen(help);
    for (const char *c = help; *c; c++)
        if ((c[0] == ';' || c[0] == '.') && c[1] == ' ' && (int)(c - help) < length)
            length = (int)(c - help);
    return length;
}

static int read_option(dl_config *config, config_setting_t *group, config_setting_t *parent,
                       const char *what, const dl_option *option, void *owner, dl_error *error) {
    config_setting_t *setting = config_setting_get_member(group, option->key);
    if (!setting && parent)
        setting = config_setting_get_member(parent, option->key);
    if (!setting && !option->fallback)
        return dl_fail(error, DL_USAGE, "%s: %s needs \"%s\" (%.*s)",
                       dl_config_where(config, group), what, option->key,
                       first_clause(option->help), option->help);
    if (!setting)
        setting = add_default(parent ? parent : group, option);
    if (!setting)
        return 0; /* optional: the field keeps its value */
    reading r = {config, setting, option, error};
    return read_value(&r, owner);
}

static const dl_option *find_option(const dl_table *tables, int count, const char *key) {
    for (int t = 0; t < count; t++)
        for (const dl_option *option = tables[t].options; option && option->key; option++)
            if (!strcmp(option->key, key))
                return option;
    return NULL;
}

static int unknown_key(dl_config *config, const config_setting_t *setting, const char *what,
                       const dl_table *tables, int count, dl_error *error) {
    const char *known[256] = {0};
    int n = 0;
    for (int t = 0; t < count; t++)
        for (const dl_option *o = tables[t].options; o && o->key && n < 256; o++)
            known[n++] = o->key;
    const char *key = config_setting_name(setting);
    const char *nearest = dl_text_nearest(key, known, n);
    dl_text hint = {0};
    if (nearest)
        dl_text_add(&hint, " (did you mean \"%s\"?)", nearest);
    else if (n)
        dl_text_add(&hint, " (known: ");
    for (int i = 0; !nearest && i < n; i++)
        dl_text_add(&hint, "%s%s%s", i ? ", " : "", known[i], i + 1 == n ? ")" : "");
    dl_fail(error, DL_USAGE, "%s: %s has no key \"%s\"%s", dl_config_where(config, setting), what,
            key, dl_text_get(&hint));
    dl_text_free(&hint);
    return -1;
}

int dl_config_read(dl_config *config, config_setting_t *group, config_setting_t *parent,
                   const char *what, const dl_table *tables, int count, dl_error *error) {
    int result = 0;
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
        if (!find_option(tables, count, config_setting_name(setting)))
            result |= unknown_key(config, setting, what, tables, count, error);
    }
    for (int t = 0; t < count; t++)
        for (const dl_option *option = tables[t].options; option && option->key; option++)
            result |= read_option(config, group, parent, what, option, tables[t].owner, error);
    return result;
}

const dl_kind *dl_config_choose(dl_config *config, config_setting_t *group,
                                const dl_registry *registry, const char *fallback,
                                dl_error *error) {
    config_setting_t *setting = config_setting_get_member(group, registry->key);
    if (!setting && fallback) {
        setting = dl_config_add(group, registry->key, CONFIG_TYPE_STRING);
        dl_config_set_string(setting, fallback);
    }
    const char *where = dl_config_where(config, setting ? setting : group);
    const char *name = setting ? config_setting_get_string(setting) : NULL;
    dl_text hint = {0};
    const dl_kind *kind = name ? dl_registry_find(registry, name) : NULL;
    if (!kind)
        dl_registry_hint(registry, name ? name : "", &hint);
    if (!setting)
        dl_fail(error, DL_USAGE, "%s: %s = \"…\" is missing: which %s?%s", where, registry->key,
                registry->what, dl_text_get(&hint));
    else if (!name)
        dl_fail(error, DL_USAGE, "%s: \"%s\" must be a string, not %s", where, registry->key,
                type_name(setting));
    else if (!kind)
        dl_fail(error, DL_USAGE, "%s: there is no %s \"%s\"%s", where, registry->what, name,
                dl_text_get(&hint));
    dl_text_free(&hint);
    return kind;
}

int dl_config_read_kind(dl_config *config, config_setting_t *group, const dl_registry *registry,
                        const char *fallback, const dl_table *common, dl_chosen *chosen,
                        dl_error *error) {
    *chosen = (dl_chosen){dl_config_choose(config, group, registry, fallback, error), NULL};
    if (!chosen->kind)
        return -1;
    chosen->self = dl_arena_alloc(&config->arena, chosen->kind->size);
    const char *name;
    const dl_option key_options[] = {
        {.key = registry->key, .type = DL_STRING, .help = registry->what}, DL_OPTIONS_END};
    dl_table tables[] = {common ? *common : (dl_table){key_options, &name},
                         {chosen->kind->options, chosen->self}};
    const char *what =
        dl_arena_printf(&config->arena, "%s \"%s\"", registry->what, chosen->kind->name);
    return dl_config_read(config, group, NULL, what, tables, 2, error);
}

config_setting_t *dl_config_group(dl_config *config, config_setting_t *parent, const char *key,
                                  dl_error *error) {
    config_setting_t *group = config_setting_get_member(parent, key);
    if (!group)
        group = dl_config_add(parent, key, CONFIG_TYPE_GROUP);
    if (config_setting_is_group(group))
        return group;
    dl_fail(error, DL_USAGE, "%s: \"%s\" must be a group { … }, not %s",
            dl_config_where(config, group), key, type_name(group));
    return NULL;
}

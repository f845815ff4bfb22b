/* SPDX-License-Identifier: MIT */
#include "config/config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/literal.h"

enum { MAX_CONFIG_SIZE = 1 << 22 };

void dl_config_open(dl_config *config, const char *name) {
    *config = (dl_config){.name = xstrdup(name)};
    config_init(&config->tree);
    const char *slash = strrchr(name, '/');
    config->folder = dl_arena_printf(&config->arena, "%.*s",
                                     (int)(slash ? slash - name + (slash == name) : 0), name);
}

/* The path of an included file (NULL: of the config). Newer versions of libconfig already prepend
   the folder. */
static char *file_name(dl_config *config, const char *included) {
    if (included && !config->folder[0] && !strncmp(included, "./", 2))
        included += 2;
    char *path = included ? dl_path_join(config->folder, included) : xstrdup(config->name);
    if (!included || dl_file_exists(path))
        return path;
    free(path);
    return xstrdup(included);
}

/* Our own messages, because those of libconfig depend on its version. */
static const char *error_message(const char *text) {
    static const struct {
        const char *pattern, *message;
    } known[] = {
        {"duplicate", "duplicate setting name"},
        {"mismatch",
         "the values of an array [ ... ] must have one type; use a list ( ... ) for mixed types"},
        {"nested", "too many nested includes"},
        {"include", "cannot open include file"},
    };
    for (size_t i = 0; text && i < sizeof known / sizeof *known; i++)
        if (strstr(text, known[i].pattern))
            return known[i].message;
    return "syntax error at or just before this line (a missing bracket, quote or semicolon?)";
}

/* Adds the message with file, line and the text of the line. */
static int syntax_error(dl_config *config, const char *text, dl_error *error) {
    const char *what = config_error_text(&config->tree);
    if (dl_literals_check(text, config->name, config->folder, error))
        return -1; /* which names the file that cannot be included, and what overflows */
    const char *included = config_error_file(&config->tree);
    char *file = file_name(config, included);
    int line = config_error_line(&config->tree), length = 0;
    for (int i = 1; !included && i < line && *text; i++)
        text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
    text += strspn(text, " \t");
    if (!included)
        length = dl_text_fitting(text, (int)strcspn(text, "\r\n"), 40);
    dl_fail(error, DL_USAGE, "%s:%d: %s%s%.*s", file, line, error_message(what), length ? ": " : "",
            length, text);
    free(file);
    return -1;
}

/* libconfig does not report failed allocations of names and strings: they are NULL. */
static void check_allocations(const config_setting_t *setting) {
    if (config_setting_type(setting) == CONFIG_TYPE_STRING && !config_setting_get_string(setting))
        dl_out_of_memory(0);
    for (int i = 0; config_setting_is_aggregate(setting) && i < config_setting_length(setting);
         i++) {
        const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
        if (config_setting_is_group(setting) && !config_setting_name(element))
            dl_out_of_memory(0);
        check_allocations(element);
    }
}

static int parse(dl_config *config, const char *text, bool may_include, dl_error *error) {
    config_set_include_dir(&config->tree, config->folder[0] ? config->folder : ".");
    if (dl_includes_check(text, config->name, may_include ? config->folder : NULL, error))
        return -1;
    if (!config_read_string(&config->tree, text))
        return syntax_error(config, text, error);
    check_allocations(config_root_setting(&config->tree));
    return dl_literals_check(text, config->name, config->folder, error);
}

int dl_config_load(dl_config *config, const char *path, dl_error *error) {
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    dl_config_open(config, path);
    int64_t size;
    char *bytes = dl_file_read(path, MAX_CONFIG_SIZE, &size, DL_USAGE, error);
    if (!bytes)
        return -1;
    const char *text = bytes + (strncmp(bytes, byte_order_mark, 3) ? 0 : 3);
    int result = 0;
    if ((int64_t)strlen(bytes) != size)
        result = dl_fail(error, DL_USAGE, "%s: is not a text file", path);
    else if (!text[strspn(text, " \t\r\n")])
        result = dl_fail(error, DL_USAGE, "%s: is empty", path);
    else
        result = parse(config, text, true, error);
    free(bytes);
    return result;
}

int dl_config_parse(dl_config *config, const char *name, const char *text, dl_error *error) {
    dl_config_open(config, name);
    return parse(config, text, false, error);
}

void dl_config_free(dl_config *config) {
    if (!config->name)
        return;
    config_destroy(&config->tree);
    dl_arena_free(&config->arena);
    free(config->name);
    *config = (dl_config){0};
}

static void set_tree(config_setting_t *setting, config_t *tree) {
    setting->config = tree;
    for (int i = 0; config_setting_is_aggregate(setting) && i < config_setting_length(setting); i++)
        set_tree(config_setting_get_elem(setting, (unsigned)i), tree);
}

void dl_config_move(dl_config *to, dl_config *from) {
    *to = *from;
    set_tree(to->tree.root, &to->tree);
    *from = (dl_config){0};
}

const char *dl_config_where(dl_config *config, const config_setting_t *setting) {
    for (const config_setting_t *s = setting; s; s = config_setting_parent(s)) {
        if (config_setting_get_hook(s)) /* from --set */
            return dl_arena_printf(&config->arena, "--set %s",
                                   (const char *)config_setting_get_hook(s));
        if (!config_setting_source_line(s))
            continue;
        char *file = file_name(config, config_setting_source_file(s));
        const char *where =
            dl_arena_printf(&config->arena, "%s:%u", file, (unsigned)config_setting_source_line(s));
        free(file);
        return where;
    }
    return config->name;
}

/* ---- adding settings ---- */

static config_setting_t *add(config_setting_t *parent, const char *key, int type) {
    config_setting_t *made = config_setting_add(parent, key, type);
    if (made && key && !config_setting_name(made))
        dl_out_of_memory(strlen(key) + 1);
    return made;
}

config_setting_t *dl_config_add(config_setting_t *parent, const char *key, int type) {
    config_setting_t *made = add(parent, key, type);
    assert(made); /* else the key exists or is not a valid name */
    return made;
}

void dl_config_set_string(config_setting_t *setting, const char *value) {
    config_setting_set_string(setting, value);
    if (!config_setting_get_string(setting))
        dl_out_of_memory(strlen(value) + 1);
}

void dl_config_add_int(config_setting_t *parent, const char *key, int64_t value) {
    bool fits = value >= INT_MIN && value <= INT_MAX;
    config_setting_t *made = dl_config_add(parent, key, fits ? CONFIG_TYPE_INT : CONFIG_TYPE_INT64);
    if (fits)
        config_setting_set_int(made, (int)value);
    else
        config_setting_set_int64(made, value);
}

void dl_config_add_bool(config_setting_t *parent, const char *key, bool value) {
    config_setting_set_bool(dl_config_add(parent, key, CONFIG_TYPE_BOOL), value);
}

void dl_config_add_string(config_setting_t *parent, const char *key, const char *value) {
    dl_config_set_string(dl_config_add(parent, key, CONFIG_TYPE_STRING), value);
}

/* ---- --set ---- */

void dl_config_copy(config_setting_t *to, const config_setting_t *from) {
    switch (config_setting_type(from)) {
    case CONFIG_TYPE_INT:
        config_setting_set_int(to, config_setting_get_int(from));
        break;
    case CONFIG_TYPE_INT64:
        config_setting_set_int64(to, config_setting_get_int64(from));
        break;
    case CONFIG_TYPE_FLOAT:
        config_setting_set_float(to, config_setting_get_float(from));
        break;
    case CONFIG_TYPE_BOOL:
        config_setting_set_bool(to, config_setting_get_bool(from));
        break;
    case CONFIG_TYPE_STRING:
        dl_config_set_string(to, config_setting_get_string(from));
        break;
    default:
        for (int i = 0; i < config_setting_length(from); i++) {
            const config_setting_t *element = config_setting_get_elem(from, (unsigned)i);
            dl_config_copy(
                dl_config_add(to, config_setting_name(element), config_setting_type(element)),
                element);
        }
    }
}

/* The member `key` of a group or element number `key` of a list, or NULL. */
static config_setting_t *member(const config_setting_t *setting, const char *key) {
    if (config_setting_is_group(setting))
        return config_setting_get_member(setting, key);
    if (!config_setting_is_aggregate(setting) || !isdigit((unsigned char)*key))
        return NULL;
    char *end;
    unsigned long index = strtoul(key, &end, 10);
    if (*end || index >= (unsigned long)config_setting_length(setting))
        return NULL;
    return config_setting_get_elem(setting, (unsigned)index);
}

/* Sets the member `key` of `parent` to a copy of `value`, keeping its position if the type is
   unchanged. NULL if `key` is invalid, or if it would change the type of a list element. */
static config_setting_t *replace(config_setting_t *parent, const char *key,
                                 const config_setting_t *value) {
    config_setting_t *made = member(parent, key);
    int type = config_setting_type(value);
    if (made && config_setting_type(made) == type) {
        while (config_setting_is_aggregate(made) && config_setting_length(made))
            config_setting_remove_elem(made, 0);
    } else {
        if (!config_setting_is_group(parent))
            return NULL;
        if (made)
            config_setting_remove(parent, key);
        made = add(parent, key, type);
    }
    if (made)
        dl_config_copy(made, value);
    return made;
}

static int assignment_error(const dl_config *config, const config_setting_t *parent,
                            const char *key, const char *assignment, dl_error *error) {
    const char *name = config_setting_name(parent);
    if (config_setting_is_group(parent))
        return dl_fail(error, DL_USAGE, "--set %s: \"%s\" is not a valid key", assignment, key);
    if (member(parent, key))
        return dl_fail(error, DL_USAGE, "--set %s: element %s of \"%s\" has a different type",
                       assignment, key, name ? name : config->name);
    int count = config_setting_length(parent);
    if (!config_setting_is_aggregate(parent) || !count)
        return dl_fail(error, DL_USAGE, "--set %s: \"%s\" has no elements", assignment,
                       name ? name : config->name);
    return dl_fail(error, DL_USAGE,
                   "--set %s: \"%s\" has no element %s (they are numbered 0 to %d)", assignment,
                   name ? name : config->name, key, count - 1);
}

static int set_path(dl_config *config, char *path, const config_setting_t *value,
                    const char *assignment, dl_error *error) {
    config_setting_t *parent = config_root_setting(&config->tree);
    char *key = path, *dot;
    for (; (dot = strchr(key, '.')); key = dot + 1) {
        *dot = '\0';
        config_setting_t *next = member(parent, key);
        if (!next && config_setting_is_group(parent))
            next = add(parent, key, CONFIG_TYPE_GROUP);
        if (next && !config_setting_is_aggregate(next) && config_setting_is_group(parent)) {
            config_setting_remove(parent, key);
            next = add(parent, key, CONFIG_TYPE_GROUP);
        }
        if (!next)
            return assignment_error(config, parent, key, assignment, error);
        if (!config_setting_get_hook(next) && !config_setting_source_line(next))
            config_setting_set_hook(next, dl_arena_strdup(&config->arena, assignment));
        parent = next;
    }
    config_setting_t *made = replace(parent, key, value);
    if (!made)
        return assignment_error(config, parent, key, assignment, error);
    config_setting_set_hook(made, dl_arena_strdup(&config->arena, assignment));
    return 0;
}

int dl_config_set(dl_config *config, const char *assignment, dl_error *error) {
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment)
        return dl_fail(error, DL_USAGE, "--set %s: must be --set key=value", assignment);
    char *path = dl_arena_strdup(&config->arena, assignment);
    path[equals - assignment] = '\0';
    config_t scratch;
    config_init(&scratch);
    dl_text line = {0};
    dl_text_add(&line, "value = %s;", equals + 1);
    int result = 0;
    bool parsed = !strchr(equals + 1, '@') && config_read_string(&scratch, line.data);
    config_setting_t *root = config_root_setting(&scratch); /* reading creates a new root */
    if (parsed && config_setting_length(root) == 1) {
        const char *name = dl_arena_printf(&config->arena, "--set %s", assignment);
        result = dl_literals_check(line.data, name, NULL, error);
    } else {
        if (config_setting_get_member(root, "value"))
            config_setting_remove(root, "value");
        dl_config_add_string(root, "value", equals + 1);
    }
    if (!result)
        result = set_path(config, path, config_lookup(&scratch, "value"), assignment, error);
    dl_text_free(&line);
    config_destroy(&scratch);
    return result;
}

/* ---- writing ---- */

static void dump_string(const char *string, dl_text *text) {
    dl_text_add(text, "\"");
    for (const unsigned char *c = (const unsigned char *)string; *c; c++) {
        if (*c == '"' || *c == '\\')
            dl_text_add(text, "\\%c", *c);
        else if (*c == '\n')
            dl_text_add(text, "\\n");
        else if (*c == '\t')
            dl_text_add(text, "\\t");
        else if (*c < 32)
            dl_text_add(text, "\\x%02X", *c);
        else
            dl_text_add(text, "%c", *c);
    }
    dl_text_add(text, "\"");
}

static void dump_value(const config_setting_t *setting, int indent, dl_text *text) {
    char number[32];
    int type = config_setting_type(setting);
    switch (type) {
    case CONFIG_TYPE_INT:
        dl_text_add(text, "%d", config_setting_get_int(setting));
        return;
    case CONFIG_TYPE_INT64:
        dl_text_add(text, "%lldL", config_setting_get_int64(setting));
        return;
    case CONFIG_TYPE_FLOAT:
        dl_text_double(number, config_setting_get_float(setting));
        dl_text_add(text, "%s", number);
        return;
    case CONFIG_TYPE_BOOL:
        dl_text_add(text, "%s", config_setting_get_bool(setting) ? "true" : "false");
        return;
    case CONFIG_TYPE_STRING:
        dump_string(config_setting_get_string(setting), text);
        return;
    default:
        break;
    }
    const char *brackets = type == CONFIG_TYPE_GROUP  ? "{}"
                           : type == CONFIG_TYPE_LIST ? "()"
                                                      : "[]";
    int count = config_setting_length(setting);
    bool lines = config_setting_is_root(setting), deep = lines;
    for (int i = 0; i < count; i++)
        deep |= config_setting_is_aggregate(config_setting_get_elem(setting, (unsigned)i)) != 0;
    deep |= type == CONFIG_TYPE_GROUP && count > 5;
    if (!lines)
        dl_text_add(text, "%c%s", brackets[0], deep ? "" : " ");
    for (int i = 0; i < count; i++) {
        const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
        if (deep && !(lines && i == 0))
            dl_text_add(text, "\n%*s", indent, "");
        if (type == CONFIG_TYPE_GROUP)
            dl_text_add(text, "%s = ", config_setting_name(element));
        dump_value(element, indent + 2, text);
        dl_text_add(text, "%s", type == CONFIG_TYPE_GROUP ? ";" : i + 1 < count ? "," : "");
        if (!deep)
            dl_text_add(text, " ");
    }
    if (!lines)
        dl_text_add(text, "%s%*s%c", deep ? "\n" : "", deep ? indent - 2 : 0, "", brackets[1]);
}

void dl_config_dump_value(const config_setting_t *setting, dl_text *text) {
    dump_value(setting, 2, text);
}

void dl_config_dump(const dl_config *config, dl_text *text) {
    dump_value(config_root_setting(&config->tree), 0, text);
    dl_text_add(text, "\n");
}

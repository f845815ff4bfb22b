#include "config/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/literal.h"

enum { LARGEST_CONFIG = 1 << 22 };

static void start(dl_config *config, const char *name) {
    *config = (dl_config){.name = xstrdup(name)};
    config_init(&config->tree);
}

/* libconfig's own complaint, with the place that it leaves out. */
static int syntax_error(dl_config *config, dl_error *error) {
    const char *file = config_error_file(&config->tree);
    const char *text = config_error_text(&config->tree);
    return dl_fail(error, DL_USAGE, "%s:%d: %s", file ? file : config->name,
                   config_error_line(&config->tree), text ? text : "cannot be parsed");
}

static int parse(dl_config *config, const char *text, const char *folder, dl_error *error) {
    config_set_include_dir(&config->tree, folder);
    if (!config_read_string(&config->tree, text))
        return syntax_error(config, error);
    return dl_literals_check(text, config->name, folder, 0, error);
}

int dl_config_load(dl_config *config, const char *path, dl_error *error) {
    start(config, path);
    int64_t size;
    char *text = dl_file_read(path, LARGEST_CONFIG, &size, DL_USAGE, error);
    if (!text)
        return -1;
    char *folder = xstrdup(path), *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int result = 0;
    if ((int64_t)strlen(text) != size)
        result = dl_fail(error, DL_USAGE, "%s: is not a text file", path);
    else if (!text[strspn(text, " \t\r\n")])
        result = dl_fail(error, DL_USAGE, "%s: is empty", path);
    else
        result = parse(config, text, slash ? folder : ".", error);
    free(folder);
    free(text);
    return result;
}

int dl_config_parse(dl_config *config, const char *name, const char *text, dl_error *error) {
    start(config, name);
    return parse(config, text, ".", error);
}

void dl_config_free(dl_config *config) {
    if (!config->name)
        return;
    config_destroy(&config->tree);
    dl_arena_free(&config->arena);
    free(config->name);
    *config = (dl_config){0};
}

const char *dl_config_where(dl_config *config, const config_setting_t *setting) {
    for (const config_setting_t *s = setting; s; s = config_setting_parent(s)) {
        if (config_setting_get_hook(s)) /* the `--set` that it comes from */
            return dl_arena_printf(&config->arena, "--set %s",
                                   (const char *)config_setting_get_hook(s));
        const char *file = config_setting_source_file(s);
        if (config_setting_source_line(s))
            return dl_arena_printf(&config->arena, "%s:%u", file ? file : config->name,
                                   (unsigned)config_setting_source_line(s));
    }
    return config->name;
}

/* ---- --set ---- */

static void copy_value(config_setting_t *to, const config_setting_t *from) {
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
        config_setting_set_string(to, config_setting_get_string(from));
        break;
    default:
        for (int i = 0; i < config_setting_length(from); i++) {
            const config_setting_t *part = config_setting_get_elem(from, (unsigned)i);
            copy_value(config_setting_add(to, config_setting_name(part), config_setting_type(part)),
                       part);
        }
    }
}

/* The member `key` of `setting` (by number in a list), or NULL. */
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

/* Puts `value` at `key` of `place`, replacing what is there. A list's member keeps its number. */
static config_setting_t *put(config_setting_t *place, const char *key,
                             const config_setting_t *value) {
    config_setting_t *old = member(place, key);
    int type = config_setting_type(value);
    if (old && !config_setting_is_group(place)) {
        if (config_setting_type(old) != type)
            return NULL;
        copy_value(old, value);
        return old;
    }
    if (old)
        config_setting_remove(place, key);
    config_setting_t *made = config_setting_add(place, key, type);
    if (made)
        copy_value(made, value);
    return made;
}

static int set_path(dl_config *config, char *path, const config_setting_t *value,
                    const char *assignment, dl_error *error) {
    config_setting_t *place = config_root_setting(&config->tree);
    char *key = path, *dot;
    for (; (dot = strchr(key, '.')); key = dot + 1) {
        *dot = '\0';
        config_setting_t *next = member(place, key);
        if (!next && config_setting_is_group(place))
            next = config_setting_add(place, key, CONFIG_TYPE_GROUP);
        if (next && !config_setting_is_aggregate(next) && config_setting_is_group(place)) {
            config_setting_remove(place, key);
            next = config_setting_add(place, key, CONFIG_TYPE_GROUP);
        }
        if (!next)
            return dl_fail(error, DL_USAGE, "--set %s: there is no \"%s\" to set in %s", assignment,
                           key,
                           config_setting_name(place) ? config_setting_name(place) : config->name);
        if (!config_setting_get_hook(next) && !config_setting_source_line(next))
            config_setting_set_hook(next, dl_arena_strdup(&config->arena, assignment));
        place = next;
    }
    config_setting_t *made = put(place, key, value);
    if (!made)
        return dl_fail(error, DL_USAGE, "--set %s: \"%s\" cannot be set to that", assignment, key);
    config_setting_set_hook(made, dl_arena_strdup(&config->arena, assignment));
    return 0;
}

int dl_config_set(dl_config *config, const char *assignment, dl_error *error) {
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment)
        return dl_fail(error, DL_USAGE, "--set %s: write it as --set key=value", assignment);
    char *path = dl_arena_strdup(&config->arena, assignment);
    path[equals - assignment] = '\0';
    config_t scratch;
    config_init(&scratch);
    dl_text line = {0};
    dl_text_add(&line, "value = %s;", equals + 1);
    config_setting_t *value = NULL;
    int result = 0;
    if (config_read_string(&scratch, line.data))
        result = dl_literals_check(line.data, assignment, ".", 0, error);
    else
        config_setting_set_string(
            config_setting_add(config_root_setting(&scratch), "value", CONFIG_TYPE_STRING),
            equals + 1);
    value = config_lookup(&scratch, "value");
    if (!result)
        result = set_path(config, path, value, assignment, error);
    dl_text_free(&line);
    config_destroy(&scratch);
    return result;
}

/* ---- writing it out ---- */

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
        const config_setting_t *part = config_setting_get_elem(setting, (unsigned)i);
        if (deep && !(lines && i == 0))
            dl_text_add(text, "\n%*s", indent, "");
        if (type == CONFIG_TYPE_GROUP)
            dl_text_add(text, "%s = ", config_setting_name(part));
        dump_value(part, indent + 2, text);
        dl_text_add(text, "%s", type == CONFIG_TYPE_GROUP ? ";" : i + 1 < count ? "," : "");
        if (!deep)
            dl_text_add(text, " ");
    }
    if (!lines)
        dl_text_add(text, "%s%*s%c", deep ? "\n" : "", deep ? indent - 2 : 0, "", brackets[1]);
}

void dl_config_dump(const dl_config *config, dl_text *text) {
    dump_value(config_root_setting(&config->tree), 0, text);
    dl_text_add(text, "\n");
}

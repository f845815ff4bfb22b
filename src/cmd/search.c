/* SPDX-License-Identifier: MIT */
#include "cmd/search.h"

#include <stdio.h>
#include <string.h>

#include "cmd/common.h"

int search_load(const train_arguments *a, dl_config *config, dl_error *error) {
    if (dl_config_load(config, a->config, error))
        return -1;
    int result = 0;
    for (int i = 0; i < a->set_count; i++)
        result |= dl_config_set(config, a->sets[i], error);
    return result;
}

/* Takes over the messages that `error` has not told yet. */
static void take_new(dl_error *error, const dl_error *more) {
    for (const char *line = dl_text_get(&more->text); *line;) {
        int length = (int)strcspn(line, "\n");
        dl_text one = {0};
        dl_text_add_bytes(&one, line, (size_t)length);
        if (!error->count || !strstr(error->text.data, one.data))
            dl_fail(error, more->code, "%s", one.data);
        dl_text_free(&one);
        line += length + (line[length] == '\n');
    }
}

/* Reads configs that have between them each value of each choice and both ends of each range. */
static int try_all(dl_config *space, dl_error *error) {
    enum { MOST = 1024 };
    int64_t count = dl_space_count(space, DL_SPACE_TRY, error);
    for (int64_t i = 0; i < count && i < MOST; i++) {
        dl_config config = {0};
        dl_experiment experiment = {0};
        dl_error own = {0};
        if (!dl_space_resolve(&config, space, DL_SPACE_TRY, (uint64_t)i, &own))
            dl_experiment_read(&experiment, &config, &own);
        take_new(error, &own);
        dl_error_clear(&own);
        dl_experiment_free(&experiment);
        dl_config_free(&config);
    }
    dl_error_sort(error);
    return error->count ? -1 : 0;
}

static int check_point(const train_arguments *a, dl_config *space, dl_error *error) {
    if (!a->point)
        return 0;
    int before = error->count;
    int64_t count = dl_space_count(space, DL_SPACE_POINT, error);
    if (error->count > before)
        return -1;
    if (a->point <= count)
        return 0;
    return dl_fail(error, DL_USAGE, "%s: its grid has %lld points, there is no --point %lld",
                   space->name, (long long)count, (long long)a->point);
}

static int resolve(const train_arguments *a, dl_config *config, dl_config *space, dl_error *error) {
    if (search_load(a, space, error) || dl_space_check(space, error) || try_all(space, error) ||
        check_point(a, space, error))
        return -1;
    dl_config_free(config);
    if (a->point)
        return dl_space_resolve(config, space, DL_SPACE_POINT, (uint64_t)a->point - 1, error);
    return dl_space_resolve(config, space, DL_SPACE_SAMPLE, (uint64_t)a->sample, error);
}

int search_resolve(const train_arguments *a, dl_config *config, dl_error *error) {
    const config_setting_t *first = dl_space_find(config);
    bool wanted = a->sample >= 0 || a->point;
    if (!first && wanted)
        return dl_fail(error, DL_USAGE, "%s: has no searched value, so that there is nothing to %s",
                       config->name, a->point ? "point at" : "draw");
    if (!first)
        return 0;
    const char *name = config_setting_name(first);
    if (!wanted)
        return dl_fail(error, DL_USAGE,
                       "%s: \"%s\" is searched for: --sample N trains with values that are drawn, "
                       "--point N with the grid's (scripts/random_search.sh and grid_search.sh try "
                       "many)",
                       dl_config_where(config, first), name ? name : "a value");
    dl_config space = {0};
    int result = resolve(a, config, &space, error);
    dl_config_free(&space);
    return result;
}

void search_print_config(const train_arguments *a, const dl_config *config) {
    dl_text text = {0};
    if (a->sample >= 0)
        dl_text_add(&text, "# sample %lld of %s\n", (long long)a->sample, config->name);
    if (a->point)
        dl_text_add(&text, "# point %lld of the grid of %s\n", (long long)a->point, config->name);
    dl_config_dump(config, &text);
    fputs(text.data, stdout);
    dl_text_free(&text);
}

typedef struct {
    bool json;
    json_t *list;
} telling;

static json_t *value_json(const config_setting_t *setting) {
    dl_text text = {0};
    dl_config_dump_value(setting, &text);
    json_t *value = cmd_json_string(text.data);
    dl_text_free(&text);
    return value;
}

static void tell(void *context, const char *path, config_setting_t *group) {
    telling *t = context;
    json_t *object = json_pack("{s:s}", "path", path);
    dl_text line = {0};
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *part = config_setting_get_elem(group, (unsigned)i);
        dl_text_add(&line, "%s%s = ", i ? "; " : "", config_setting_name(part));
        dl_config_dump_value(part, &line);
        json_object_set_new(object, config_setting_name(part), value_json(part));
    }
    if (t->json)
        json_array_append_new(t->list, object);
    else {
        printf("%-32s %s\n", path, line.data);
        json_decref(object);
    }
    dl_text_free(&line);
}

int search_print_space(const train_arguments *a, dl_error *error) {
    train_arguments of = *a;
    of.config = a->space;
    dl_config space = {0};
    int result = search_load(&of, &space, error);
    if (!result)
        result = dl_space_check(&space, error) || try_all(&space, error) ? -1 : 0;
    if (!result) {
        dl_error none = {0};
        int64_t points = dl_space_count(&space, DL_SPACE_POINT, &none);
        telling t = {.json = a->json, .list = json_array()};
        dl_space_walk(&space, tell, &t);
        if (a->json)
            cmd_print_json(json_pack("{s:O, s:o}", "searched", t.list, "points",
                                     none.count ? json_null() : json_integer(points)),
                           JSON_INDENT(1));
        else if (none.count)
            printf("points                           no grid: not every range has steps\n");
        else
            printf("points                           %lld\n", (long long)points);
        json_decref(t.list);
        dl_error_clear(&none);
    }
    dl_config_free(&space);
    return result;
}

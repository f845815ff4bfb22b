/* SPDX-License-Identifier: MIT */
#include "cmd/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cmd/common.h"

void search_name_config(dl_config *config, const char *path) {
    config_setting_t *top = config_root_setting(&config->tree);
    if (!path || config_setting_get_member(top, "name"))
        return;
    char *name = xstrdup(dl_path_base(path)), *point = strrchr(name, '.');
    if (point && point != name)
        *point = '\0';
    config_setting_set_string(config_setting_add(top, "name", CONFIG_TYPE_STRING), name);
    free(name);
}

int search_load_space(const search_config *from, dl_config *config, dl_error *error) {
    char *path = dl_path_find_config(from->path);
    int result = dl_config_load(config, path, error);
    free(path);
    return result ? -1 : arg_apply_sets(from->common, config, error);
}

bool search_read_fold(const char *text, void *arguments, dl_text *message) {
    long long fold = 0, folds = 0;
    char rest;
    if (sscanf(text, "%lld/%lld%c", &fold, &folds, &rest) != 2 || fold < 1 || folds < 2 ||
        fold > folds || folds > 1 << 20) {
        dl_text_add(message, "must be I/K, fold I from 1 to K of K folds (--fold 2/5)");
        return false;
    }
    arg_add_set(arguments, "data.fold=%lld", fold);
    arg_add_set(arguments, "data.folds=%lld", folds);
    return true;
}

bool search_read_stop(const char *text, dl_stop *stop, dl_text *message) {
    long long parts = 0, of = 0;
    char rest;
    bool whole = sscanf(text, "%lld%c", &parts, &rest) == 1;
    if (!whole && (sscanf(text, "%lld/%lld%c", &parts, &of, &rest) != 2 || of < 1 || parts > of))
        parts = 0;
    if (parts < 1 || parts > 1 << 30 || of > 1 << 30) {
        dl_text_add(message, "must be an epoch (10) or a part of all epochs (1/9)");
        return false;
    }
    *stop = (dl_stop){parts, of};
    return true;
}

/* Adds the messages of `more` that `error` lacks. */
static void add_new(dl_error *error, const dl_error *more) {
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

/* Reads configs that cover each value of each choice and both ends of each range. */
static int try_all(dl_config *space, dl_error *error) {
    enum { MOST = 1024 };
    int64_t count = dl_space_count(space, DL_SPACE_COVER, error);
    for (int64_t i = 0; i < count && i < MOST; i++) {
        dl_config config = {0};
        dl_experiment experiment = {0};
        dl_error own = {0};
        if (!dl_space_resolve(&config, space, DL_SPACE_COVER, (uint64_t)i, &own))
            dl_experiment_read(&experiment, &config, &own);
        add_new(error, &own);
        dl_error_clear(&own);
        dl_experiment_free(&experiment);
        dl_config_free(&config);
    }
    dl_error_sort(error);
    return error->count ? -1 : 0;
}

static const char *const how_names[] = {
    [SEARCH_NONE] = NULL, [SEARCH_SAMPLE] = "sample", [SEARCH_POINT] = "point"};

static int check_point(const search_config *from, dl_config *space, dl_error *error) {
    if (from->how != SEARCH_POINT)
        return 0;
    int before = error->count;
    int64_t count = dl_space_count(space, DL_SPACE_POINT, error);
    if (error->count > before)
        return -1;
    if (from->number <= count)
        return 0;
    return dl_fail(error, DL_USAGE, "%s: the grid has %lld points, there is no --point %lld",
                   space->name, (long long)count, (long long)from->number);
}

static int resolve(const search_config *from, dl_config *config, dl_error *error) {
    dl_config space = {0};
    int result = search_load_space(from, &space, error) || dl_space_check(&space, error) ||
                         try_all(&space, error) || check_point(from, &space, error)
                     ? -1
                     : 0;
    dl_config_free(config);
    if (!result)
        result = from->how == SEARCH_POINT ? dl_space_resolve(config, &space, DL_SPACE_POINT,
                                                              (uint64_t)from->number - 1, error)
                                           : dl_space_resolve(config, &space, DL_SPACE_SAMPLE,
                                                              (uint64_t)from->number, error);
    dl_config_free(&space);
    return result;
}

int search_load(const search_config *from, dl_config *config, dl_error *error) {
    if (search_load_space(from, config, error))
        return -1;
    const config_setting_t *first = dl_space_find(config);
    if (!first && from->how)
        return dl_fail(error, DL_USAGE, "%s: is not a search space: --%s has no effect",
                       config->name, how_names[from->how]);
    if (!first)
        return 0;
    const char *name = config_setting_name(first);
    if (!from->how)
        return dl_fail(error, DL_USAGE,
                       "%s: \"%s\" is searched: dltrain --sample N trains with random values, "
                       "--point N with a point of the grid (random_search.sh and grid_search.sh "
                       "try many)",
                       dl_config_where(config, first), name ? name : "a value");
    return resolve(from, config, error);
}

void search_print_config(const search_config *from, const dl_config *config) {
    dl_text text = {0};
    if (from->how)
        dl_text_add(&text, "# %s %lld of %s\n", how_names[from->how], (long long)from->number,
                    config->name);
    dl_config_dump(config, &text);
    fputs(text.data, stdout);
    dl_text_free(&text);
}

typedef struct {
    bool json;
    json_t *list;
} space_printer;

static json_t *value_json(const config_setting_t *setting) {
    dl_text text = {0};
    dl_config_dump_value(setting, &text);
    json_t *value = cmd_json_string(text.data);
    dl_text_free(&text);
    return value;
}

static void print_searched(void *context, const char *path, config_setting_t *group) {
    space_printer *t = context;
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

int search_print_space(const search_config *from, bool json, dl_error *error) {
    dl_config space = {0};
    int result = search_load_space(from, &space, error);
    if (!result)
        result = dl_space_check(&space, error) || try_all(&space, error) ? -1 : 0;
    if (!result) {
        dl_error none = {0};
        int64_t points = dl_space_count(&space, DL_SPACE_POINT, &none);
        space_printer t = {.json = json, .list = json_array()};
        dl_space_walk(&space, print_searched, &t);
        if (json)
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

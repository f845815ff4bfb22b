/* SPDX-License-Identifier: MIT */
#include "formats/merge.h"

#include <string.h>

static const dl_option options[] = {
    DL_NAME_OPTION("into", dl_merge_group, into, DL_REQUIRED, "name of the merged class"),
    DL_NAMES_OPTION("classes", dl_merge_group, classes, DL_REQUIRED, "classes to merge"),
    DL_OPTIONS_END,
};

static int check_group(const dl_merge *merge, const dl_merge_group *group, dl_error *error) {
    int result = 0;
    for (int i = 0; i < group->classes.count; i++)
        for (const dl_merge_group *g = merge->group; g <= group; g++)
            for (int k = 0; k < (g == group ? i : g->classes.count); k++)
                if (!strcmp(g->classes.items[k], group->classes.items[i]))
                    result =
                        dl_fail(error, DL_USAGE, "%s: merge: class \"%s\" is already merged in %s",
                                group->where, group->classes.items[i], g->where);
    return result;
}

int dl_merge_read(dl_merge *merge, dl_config *config, config_setting_t *list, dl_error *error) {
    int count = list ? config_setting_length(list) : 0, result = 0;
    if (list && !config_setting_is_list(list))
        return dl_fail(error, DL_USAGE,
                       "%s: \"merge\" must be a list: ( { into = \"c\"; classes = (\"a\", \"b\"); "
                       "} )",
                       dl_config_where(config, list));
    merge->group = dl_arena_alloc(&config->arena, sizeof *merge->group * (size_t)(count + 1));
    for (int i = 0; i < count; i++) {
        config_setting_t *item = config_setting_get_elem(list, (unsigned)i);
        dl_merge_group *group = &merge->group[i];
        dl_table table = {options, group};
        *group = (dl_merge_group){.where = dl_config_where(config, item)};
        if (!config_setting_is_group(item))
            result = dl_fail(error, DL_USAGE, "%s: an item of \"merge\" must be a group { … }",
                             group->where);
        else if (dl_config_read(config, item, NULL, "data.merge", &table, 1, error))
            result = -1;
        else
            result |= check_group(merge, group, error);
    }
    merge->count = result ? 0 : count;
    return result;
}

const char *dl_merge_name(const dl_merge *merge, const char *name) {
    for (int i = 0; i < merge->count; i++)
        for (int k = 0; k < merge->group[i].classes.count; k++)
            if (!strcmp(merge->group[i].classes.items[k], name))
                return merge->group[i].into;
    return name;
}

int dl_merge_apply(const dl_merge *merge, dl_string_set *names, dl_error *error) {
    int result = 0;
    for (int i = 0; i < merge->count; i++)
        for (int k = 0; k < merge->group[i].classes.count; k++) {
            const char *class = merge->group[i].classes.items[k];
            if (dl_string_set_find(names, class) >= 0)
                continue;
            const char *nearest =
                dl_text_nearest(class, (const char *const *)names->name, names->count);
            result =
                dl_fail(error, DL_DATA, "%s: merge: the training data has no class \"%s\"%s%s%s",
                        merge->group[i].where, class, nearest ? " (did you mean \"" : "",
                        nearest ? nearest : "", nearest ? "\"?)" : "");
        }
    if (result || !merge->count)
        return result;
    dl_string_set merged = {0};
    for (int i = 0; i < names->count; i++)
        dl_string_set_add(&merged, dl_merge_name(merge, names->name[i]));
    dl_string_set_free(names);
    *names = merged;
    return 0;
}

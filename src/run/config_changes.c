/* SPDX-License-Identifier: MIT */
#include "run/config_changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static void add_value(dl_text *text, const config_setting_t *setting) {
    if (setting)
        dl_config_dump_value(setting, text);
    else
        dl_text_add(text, "nothing");
}

/* Either may be NULL: missing. */
static void compare(const config_setting_t *now, const config_setting_t *was, const char *path,
                    dl_text *changes) {
    dl_text one = {0}, other = {0};
    add_value(&one, now);
    add_value(&other, was);
    bool same = !strcmp(dl_text_get(&one), dl_text_get(&other));
    bool groups = now && was && config_setting_is_group(now) && config_setting_is_group(was);
    bool lists = now && was && config_setting_is_list(now) && config_setting_is_list(was) &&
                 config_setting_length(now) == config_setting_length(was);
    if (!same && !groups && !lists)
        dl_text_add(changes, "%s%s = %s (not %s)", changes->length ? ", " : "", path,
                    dl_text_get(&one), dl_text_get(&other));
    for (int side = 0; side < 2 && !same && (groups || lists); side++) {
        const config_setting_t *from = side ? was : now, *to = side ? now : was;
        for (int i = 0; i < config_setting_length(from); i++) {
            const config_setting_t *member = config_setting_get_elem(from, (unsigned)i);
            const char *name = config_setting_name(member);
            const config_setting_t *twin = groups ? config_setting_get_member(to, name)
                                                  : config_setting_get_elem(to, (unsigned)i);
            dl_text inner = {0};
            dl_text_add(&inner, "%s%s", path, *path ? "." : "");
            if (groups)
                dl_text_add(&inner, "%s", name);
            else
                dl_text_add(&inner, "%d", i);
            if (!side)
                compare(member, twin, inner.data, changes);
            else if (!twin)
                compare(NULL, member, inner.data, changes);
            dl_text_free(&inner);
        }
    }
    dl_text_free(&one);
    dl_text_free(&other);
}

void dl_config_changes(const char *folder, const dl_config *config, dl_text *changes) {
    dl_config edited = {0};
    dl_error fault = {0};
    char *path = dl_path_join(folder, "config.cfg");
    if (dl_file_exists(path) && dl_config_load(&edited, path, &fault))
        dl_text_add(changes, "%s", dl_text_get(&fault.text));
    else if (dl_file_exists(path))
        compare(config_root_setting(&edited.tree), config_root_setting(&config->tree), "", changes);
    dl_config_free(&edited);
    dl_error_clear(&fault);
    free(path);
}

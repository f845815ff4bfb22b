/* SPDX-License-Identifier: MIT */
/* Reads the `data` section of a config. */
#include <string.h>

#include "base/machine.h"
#include "data/data.h"
#include "data/subsample.h"

const char *const dl_split_names[DL_SPLITS] = {"train", "validation", "test"};

/* Moves messages from `from` to `to`, without duplicates: options in `data` are read once per
   split. */
static int merge_errors(dl_error *to, dl_error *from) {
    int result = from->count ? -1 : 0;
    const char *line = dl_text_get(&from->text);
    for (int i = 0; i < from->count; i++) {
        size_t length = strcspn(line, "\n");
        bool known = false;
        const char *old = dl_text_get(&to->text);
        for (int j = 0; j < to->count; j++) {
            size_t old_length = strcspn(old, "\n");
            known |= old_length == length && !memcmp(old, line, length);
            old += old_length + (old[old_length] == '\n');
        }
        if (!known)
            dl_fail(to, from->code, "%.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
    dl_error_clear(from);
    return result;
}

/* The keys of the format (of all formats, if it is unknown) that may be set in `data`. Their values
   are read with the splits. */
static const dl_option *shared_options(dl_data *data, const dl_kind *kind) {
    int count = 1;
    for (int k = 0; k < dl_dataset_registry.count; k++)
        for (const dl_option *o = dl_dataset_registry.kinds[k]->options; o->key; o++)
            count++;
    dl_option *shared = dl_arena_alloc(&data->arena, sizeof *shared * (size_t)(count + 1));
    dl_option *next = shared;
    next++->key = dl_dataset_registry.key;
    for (int k = 0; k < dl_dataset_registry.count; k++) {
        const dl_kind *known = dl_dataset_registry.kinds[k];
        for (const dl_option *o = known->options; o->key && (!kind || kind == known); o++)
            next++->key = o->key;
    }
    for (dl_option *o = shared; o->key; o++) {
        o->type = DL_SETTING;
        o->fallback = "";
    }
    return shared;
}

const char *dl_data_where(const dl_data *data, const char *key) {
    config_setting_t *root = config_root_setting(&data->config->tree);
    config_setting_t *section = config_setting_get_member(root, "data");
    config_setting_t *setting = config_setting_get_member(section, key);
    return dl_config_where(data->config, setting ? setting : section);
}

/* The setting as a fraction; -1 if it is not one. */
static double share_of(const config_setting_t *setting) {
    double share =
        config_setting_type(setting) == CONFIG_TYPE_FLOAT ? config_setting_get_float(setting) : -1;
    return share > 0 && share < 1 ? share : -1;
}

static void set_memory(dl_data *data, dl_dataset *dataset) {
    enum { MOST_MEGABYTES = 1000000000 }; /* larger values are reported elsewhere */
    int64_t machine = dl_machine_memory(), limit = data->memory_limit;
    bool given = limit > 0;
    dataset->memory =
        given ? (limit < MOST_MEGABYTES ? limit : MOST_MEGABYTES) * 1000000 : machine / 4;
    dataset->memory_most = given ? dataset->memory : machine;
    dataset->cache = data->cache ? &data->notes : NULL;
    dataset->skipped = &data->notes.skipped;
}

/* The list of the split, or of the training data. */
static int read_merge(dl_data *data, dl_dataset *dataset, const dl_kind *kind, dl_error *error) {
    const dl_option *o = kind->options;
    while (o->key && strcmp(o->key, DL_MERGE_KEY) != 0)
        o++;
    config_setting_t *list = NULL;
    if (o->key)
        memcpy(&list, (char *)dataset->options + o->offset, sizeof list);
    if (list)
        return dl_merge_read(&dataset->merge, data->config, list, error);
    dataset->merge = data->dataset[DL_TRAIN].merge;
    return 0;
}

static int read_part(dl_data *data, dl_split part, config_setting_t *section,
                     config_setting_t *setting, const dl_kind *kind, dl_error *error) {
    if (!setting)
        return 0;
    const char *name = dl_split_names[part], *where = dl_config_where(data->config, setting);
    if (!config_setting_is_group(setting)) {
        if (part == DL_TRAIN)
            return dl_fail(error, DL_USAGE,
                           "%s: \"train\" must be a group { … } with the training files", where);
        data->share[part] = share_of(setting);
        if (data->share[part] > 0)
            return 0;
        return dl_fail(error, DL_USAGE,
                       "%s: \"%s\" must be a fraction between 0 and 1 (such as 0.1), or a group { "
                       "… } with separate files",
                       where, name);
    }
    if (!kind)
        return 0;
    dl_dataset *dataset = &data->dataset[part];
    dataset->type = (const dl_dataset_type *)kind;
    dataset->options = dl_arena_alloc(&data->arena, kind->size);
    dataset->where = where;
    dataset->config = data->config->name;
    dataset->folders = data->config->data_folders;
    set_memory(data, dataset);
    dl_table table = {kind->options, dataset->options};
    int result = dl_config_read(data->config, setting, section,
                                dl_arena_printf(&data->arena, "data.%s", name), &table, 1, error);
    return result | read_merge(data, dataset, kind, error);
}

static int check_shares(dl_data *data, dl_error *error) {
    double sum = data->share[DL_VALIDATION] + data->share[DL_TEST];
    if (data->share[DL_VALIDATION] <= 0 || data->share[DL_TEST] <= 0 || sum < 1)
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: the fractions for validation (%g) and test (%g) leave nothing for training",
                   dl_config_where(data->config, data->validation), data->share[DL_VALIDATION],
                   data->share[DL_TEST]);
}

int dl_data_read(dl_data *data, dl_config *config, dl_error *error) {
    data->config = config;
    config_setting_t *root = config_root_setting(&config->tree);
    config_setting_t *section = dl_config_group(config, root, "data", error);
    if (!section)
        return -1;
    int result = 0;
    dl_error found = {0};
    const dl_kind *kind = dl_config_choose(config, section, &dl_dataset_registry, NULL, &found);
    struct config_setting_t *unused;
    dl_table tables[] = {{dl_data_options, data},
                         {dl_augment_options, &data->augment},
                         {dl_subsample_options, data},
                         {shared_options(data, kind), &unused}};
    dl_config_read(config, section, NULL, "data", tables, 4, &found);
    dl_augment_read(&data->augment, config, &data->arena, &found);
    result |= merge_errors(error, &found);
    config_setting_t *settings[] = {data->train, data->validation, data->test};
    for (dl_split part = 0; part < DL_SPLITS; part++) {
        read_part(data, part, section, settings[part], kind, &found);
        result |= merge_errors(error, &found);
    }
    result |= (!result && dl_subsample_check(data, error)) || check_shares(data, error) ? -1 : 0;
    if (data->target_bins > 0 && data->normalize_target)
        result = dl_fail(error, DL_USAGE,
                         "%s: \"normalize_target\" and \"target_bins\" exclude each other",
                         dl_data_where(data, "normalize_target"));
    return result;
}

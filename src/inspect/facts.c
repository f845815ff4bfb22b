/* SPDX-License-Identifier: MIT */
/* Reads the facts for a diagnosis from a run's folder. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "config/config.h"
#include "inspect/diagnose.h"
#include "run/facts.h"

static int find_columns(dl_symptoms *s, const char *path, dl_error *error) {
    const dl_history *h = &s->history;
    s->rows = h->rows;
    s->epoch = dl_history_column(h, "epoch");
    s->train = dl_history_column(h, "train_loss");
    s->val = dl_history_column(h, "val_loss");
    s->accuracy = dl_history_column(h, "val_accuracy");
    if (s->epoch && s->train)
        return 0;
    return dl_fail(error, DL_DATA, "%s: is not a history of dltrain: it has no column %s", path,
                   s->epoch ? "train_loss" : "epoch");
}

/* Whether a layer, or one inside a block, has dropout: a key `dropout`, or the `rate` of a dropout
   layer. */
static bool has_dropout(const config_setting_t *setting) {
    static const char word[] = "dropout";
    const char *layer = NULL;
    double rate = 0;
    if (!config_setting_is_aggregate(setting))
        return false;
    if (config_setting_is_group(setting)) {
        config_setting_lookup_string(setting, "layer", &layer);
        size_t length = layer ? strlen(layer) : 0, own = sizeof word - 1;
        config_setting_lookup_float(setting, word, &rate);
        if (length >= own && !strcmp(layer + length - own, word))
            config_setting_lookup_float(setting, "rate", &rate);
    }
    bool found = rate > 0;
    for (int i = 0; i < config_setting_length(setting) && !found; i++)
        found = has_dropout(config_setting_get_elem(setting, (unsigned)i));
    return found;
}

/* An unreadable config.cfg is ignored. */
static void read_config(dl_symptoms *s, const char *folder) {
    dl_config config = {0};
    dl_error ignored = {0};
    char *path = dl_path_join(folder, "config.cfg");
    if (!dl_config_load(&config, path, &ignored)) {
        const config_setting_t *network = config_lookup(&config.tree, "network");
        const config_setting_t *augment = config_lookup(&config.tree, "data.augment");
        s->dropout = network && has_dropout(network);
        s->augment = augment && config_setting_length(augment) > 0;
    }
    dl_config_free(&config);
    dl_error_clear(&ignored);
    free(path);
}

static void read_facts(dl_symptoms *s, const char *folder) {
    dl_facts facts;
    dl_error ignored = {0}; /* the folder may have only its history */
    dl_facts_read(&facts, folder, &ignored);
    s->expected = facts.expected_loss;
    s->initial = facts.initial_loss;
    s->baseline = facts.baseline;
    if (facts.ended == DL_ENDED_DIVERGED && facts.message)
        s->diverged = xstrdup(facts.message);
    dl_facts_free(&facts);
    dl_error_clear(&ignored);
}

int dl_symptoms_read(dl_symptoms *s, const char *path, dl_error *error) {
    *s = (dl_symptoms){.expected = NAN, .initial = NAN, .baseline = NAN};
    if (!dl_file_exists(path))
        return dl_fail(error, DL_DATA, "%s: %s", path, strerror(errno));
    bool folder = dl_file_is_folder(path);
    char *file = folder ? dl_path_join(path, "history.csv") : xstrdup(path);
    int result = dl_history_read(&s->history, file, error);
    if (!result)
        result = find_columns(s, file, error);
    free(file);
    if (result || !folder)
        return result;
    read_facts(s, path);
    read_config(s, path);
    return 0;
}

void dl_symptoms_free(dl_symptoms *s) {
    dl_history_free(&s->history);
    free(s->diverged);
    *s = (dl_symptoms){0};
}

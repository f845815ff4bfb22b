/* SPDX-License-Identifier: MIT */
#include "run/facts.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/version.h"
#include "math/backend.h"

static const char NAME[] = "facts.json";

const char *const dl_ending_names[DL_ENDINGS] = {
    [DL_RUNNING] = "running",
    [DL_COMPLETED] = "completed",
    [DL_EARLY_STOPPING] = "early_stopping",
    [DL_STOPPED] = "stopped",
    [DL_INTERRUPTED] = "interrupted",
    [DL_ENDED_DIVERGED] = "diverged",
    [DL_ENDED_FAILED] = "failed",
};

static json_t *number_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

/* Relative ones first: a project that was copied has its own data. */
void dl_facts_set_data_folders(dl_facts *f, const char *folder, const char *config) {
    if (f->data_folder[0])
        return;
    char *beside = dl_path_join("./", config), *run = realpath(folder, NULL);
    beside[dl_path_base(beside) - beside] = '\0';
    char *config_folder = realpath(beside, NULL), *current = realpath(".", NULL);
    int count = 0;
    if (run && config_folder)
        f->data_folder[count++] = dl_path_relative(run, config_folder);
    if (run && current)
        f->data_folder[count++] = dl_path_relative(run, current);
    if (config_folder)
        f->data_folder[count++] = xstrdup(config_folder);
    if (current)
        f->data_folder[count++] = xstrdup(current);
    free(beside);
    free(run);
    free(config_folder);
    free(current);
}

int dl_facts_write(const dl_facts *f, const char *folder, dl_error *error) {
    json_t *rows = json_object();
    for (int s = 0; s < DL_SPLITS; s++)
        json_object_set_new(rows, dl_split_names[s], json_integer((json_int_t)f->rows[s]));
    json_t *facts = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:s}", "version", DL_VERSION, "kernels",
        dl_backend_summary(), "expected_loss", number_or_null(f->expected_loss), "initial_loss",
        number_or_null(f->initial_loss), "baseline", number_or_null(f->baseline), "rows", rows,
        "parameters", (json_int_t)f->parameters, "ended", dl_ending_names[f->ended]);
    if (f->message)
        json_object_set_new(facts, "message", json_stringn_nocheck(f->message, strlen(f->message)));
    json_t *folders = json_array();
    for (int i = 0; i < DL_DATA_FOLDERS_MOST && f->data_folder[i]; i++)
        if (dl_text_is_utf8(f->data_folder[i]))
            json_array_append_new(folders, json_string(f->data_folder[i]));
    json_object_set_new(facts, "data_folders", folders);
    char *text = json_dumps(facts, JSON_INDENT(2));
    char *path = dl_path_join(folder, NAME);
    dl_text file = {0};
    dl_text_add_json(&file, text);
    dl_text_add(&file, "\n");
    int result = dl_file_write(path, file.data, file.length, error);
    dl_text_free(&file);
    json_decref(facts);
    free(text);
    free(path);
    return result;
}

static double number_of(const json_t *facts, const char *key) {
    const json_t *value = json_object_get(facts, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void read_fields(dl_facts *f, const json_t *facts) {
    f->expected_loss = number_of(facts, "expected_loss");
    f->initial_loss = number_of(facts, "initial_loss");
    f->baseline = number_of(facts, "baseline");
    f->parameters = json_integer_value(json_object_get(facts, "parameters"));
    for (int s = 0; s < DL_SPLITS; s++)
        f->rows[s] =
            json_integer_value(json_object_get(json_object_get(facts, "rows"), dl_split_names[s]));
    const char *ended = json_string_value(json_object_get(facts, "ended"));
    for (int i = 0; ended && i < DL_ENDINGS; i++)
        if (!strcmp(ended, dl_ending_names[i]))
            f->ended = (dl_ending)i;
    const json_t *folders = json_object_get(facts, "data_folders");
    for (size_t i = 0, n = 0; i < json_array_size(folders) && n < DL_DATA_FOLDERS_MOST; i++) {
        const char *folder = json_string_value(json_array_get(folders, i));
        if (folder)
            f->data_folder[n++] = xstrdup(folder);
    }
    const char *message = json_string_value(json_object_get(facts, "message"));
    f->message = message ? xstrdup(message) : NULL;
}

int dl_facts_read(dl_facts *f, const char *folder, dl_error *error) {
    enum { MOST_BYTES = 1 << 20 };
    *f = (dl_facts){.expected_loss = NAN, .initial_loss = NAN, .baseline = NAN};
    char *path = dl_path_join(folder, NAME);
    int64_t size;
    json_error_t fault;
    char *text = dl_file_read(path, MOST_BYTES, &size, DL_DATA, error);
    json_t *facts = text ? json_loadb(text, (size_t)size, 0, &fault) : NULL;
    int result = text ? 0 : -1;
    if (facts && json_is_object(facts))
        read_fields(f, facts);
    else if (text)
        result = dl_fail(error, DL_DATA, "%s: is not a JSON object", path);
    json_decref(facts);
    free(text);
    free(path);
    return result;
}

void dl_facts_free(dl_facts *f) {
    for (int i = 0; i < DL_DATA_FOLDERS_MOST; i++)
        free(f->data_folder[i]);
    memset(f->data_folder, 0, sizeof f->data_folder);
    free(f->message);
    f->message = NULL;
}

/* SPDX-License-Identifier: MIT */
#include "inspect/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "run/checkpoint.h"
#include "run/history.h"
#include "run/run.h"

static int64_t number(const dl_checkpoint *c, const char *key) {
    const char *text = dl_safetensors_text(&c->file, key);
    return text ? strtoll(text, NULL, 10) : 0;
}

/* ---- the config ---- */

static void add_leaf(dl_summary *s, const char *path, const config_setting_t *setting) {
    if ((s->leaf_count & (s->leaf_count - 1)) == 0) /* 0, 1, 2, 4, … are full */
        s->leaves = xrealloc(s->leaves, sizeof *s->leaves * (size_t)(2 * s->leaf_count + 1));
    dl_text value = {0};
    dl_config_dump_value(setting, &value);
    s->leaves[s->leaf_count++] =
        (dl_leaf){dl_arena_strdup(&s->arena, path), dl_arena_strdup(&s->arena, value.data)};
    dl_text_free(&value);
}

static void flatten(dl_summary *s, const char *path, const config_setting_t *setting) {
    if (!config_setting_is_aggregate(setting)) {
        add_leaf(s, path, setting);
        return;
    }
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *part = config_setting_get_elem(setting, (unsigned)i);
        const char *name = config_setting_name(part), *dot = *path ? "." : "";
        dl_text below = {0};
        if (name)
            dl_text_add(&below, "%s%s%s", path, dot, name);
        else
            dl_text_add(&below, "%s%s%d", path, dot, i);
        flatten(s, below.data, part);
        dl_text_free(&below);
    }
}

/* ---- the history ---- */

static bool higher_is_better(const char *column) {
    const char *name = strchr(column, '_');
    const dl_metric *metric = name ? dl_metric_find(name + 1) : NULL;
    return metric && metric->higher_is_better;
}

/* The next cell of a line, terminated in place; NULL: no more. */
static char *next_cell(char **line) {
    char *cell = *line;
    if (!cell)
        return NULL;
    char *comma = strchr(cell, ',');
    if (comma)
        *comma = '\0';
    *line = comma ? comma + 1 : NULL;
    return cell;
}

static void read_header(dl_summary *s, char *line) {
    int cells = 1;
    for (const char *c = line; *c; c++)
        cells += *c == ',';
    s->columns = xcalloc((size_t)cells, sizeof *s->columns);
    s->column_count = cells;
    for (int i = 0; i < cells; i++) {
        const char *name = dl_arena_strdup(&s->arena, next_cell(&line));
        bool result = !strncmp(name, "train_", 6) || !strncmp(name, "val_", 4);
        s->columns[i] = (dl_best){result ? name : NULL, higher_is_better(name), NAN, 0};
        if (!strcmp(name, "seconds"))
            s->columns[i].epoch = -1; /* to sum up */
    }
}

static void read_row(dl_summary *s, char *line) {
    int64_t epoch = strtoll(line, NULL, 10);
    for (int i = 0; i < s->column_count; i++) {
        const char *cell = next_cell(&line);
        dl_best *column = &s->columns[i];
        double value = cell ? strtod(cell, NULL) : NAN;
        if (column->epoch < 0)
            s->seconds += isnan(value) ? 0 : value;
        if (!column->name || isnan(value) ||
            (column->epoch && (column->higher ? value <= column->best : value >= column->best)))
            continue;
        column->best = value;
        column->epoch = epoch;
    }
}

/* Complete rows up to the checkpoint's epoch; a run that was killed may have more. */
static int read_history(dl_summary *s, dl_error *error) {
    int64_t size, last = s->epochs < s->epochs_wanted ? s->epochs : s->epochs_wanted;
    char *path = dl_path_join(s->run, "history.csv");
    char *text = dl_file_read(path, INT64_MAX / 4, &size, DL_DATA, error);
    free(path);
    if (!text)
        return -1;
    char *end, *line = text;
    for (bool first = true; (end = strchr(line, '\n')); first = false, line = end + 1) {
        *end = '\0';
        if (first)
            read_header(s, line);
        else if (strtoll(line, NULL, 10) <= last)
            read_row(s, line);
    }
    free(text);
    int kept = 0;
    for (int i = 0; i < s->column_count; i++)
        if (s->columns[i].name)
            s->columns[kept++] = s->columns[i];
    s->column_count = kept;
    return 0;
}

/* ---- the run ---- */

static int count_parameters(dl_summary *s, dl_experiment *e, const dl_checkpoint *c,
                            dl_error *error) {
    e->model.batch_size = 1;
    if (dl_data_describe(&e->model.data, &c->schema, &c->input, &c->target, error) ||
        dl_model_build(&e->model, false, 1, error))
        return -1;
    s->parameters = e->model.net.weight_count;
    return 0;
}

static int read_run(dl_summary *s, const char *run, const dl_stop *stop, bool all,
                    dl_error *error) {
    *s = (dl_summary){.run = run, .best = NAN};
    dl_checkpoint c = {0};
    dl_experiment e = {0};
    char *path =
        dl_run_check_resumable(run, error) ? NULL : dl_run_find_checkpoint(run, true, error);
    int result = path ? dl_checkpoint_open(&c, path, error) : -1;
    if (!result && all)
        flatten(s, "", config_root_setting(&c.config.tree));
    if (!result)
        result = dl_experiment_read(&e, &c.config, error);
    if (!result) {
        const char *best = dl_safetensors_text(&c.file, "best");
        s->epochs = number(&c, "epoch");
        s->best_epoch = number(&c, "best_epoch");
        s->best = best && s->best_epoch ? strtod(best, NULL) : NAN;
        s->monitor = dl_arena_strdup(&s->arena, e.settings.monitor);
        s->epochs_wanted = dl_stop_epoch(stop, &e.settings);
        s->stopped_early = dl_has_stopped_early(&e.settings, s->epochs, s->best_epoch);
        s->finished = s->epochs >= s->epochs_wanted || s->stopped_early;
        if (all)
            result = read_history(s, error) | count_parameters(s, &e, &c, error);
    }
    dl_experiment_free(&e);
    dl_checkpoint_close(&c);
    free(path);
    return result;
}

int dl_summary_read_progress(dl_summary *s, const char *run, const dl_stop *stop, dl_error *error) {
    return read_run(s, run, stop, false, error);
}

int dl_summary_read(dl_summary *s, const char *run, const dl_stop *stop, dl_error *error) {
    return read_run(s, run, stop, true, error);
}

void dl_summary_free(dl_summary *s) {
    free(s->leaves);
    free(s->columns);
    dl_arena_free(&s->arena);
    *s = (dl_summary){0};
}

const char *dl_summary_value(const dl_summary *s, const char *path) {
    for (int i = 0; i < s->leaf_count; i++)
        if (!strcmp(s->leaves[i].path, path))
            return s->leaves[i].value;
    return NULL;
}

const dl_best *dl_summary_column(const dl_summary *s, const char *name) {
    for (int i = 0; i < s->column_count; i++)
        if (!strcmp(s->columns[i].name, name))
            return &s->columns[i];
    return NULL;
}

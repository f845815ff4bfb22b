/* SPDX-License-Identifier: MIT */
#include "cmd/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/common.h"
#include "cmd/search.h"
#include "inspect/summary.h"
#include "report/page.h"

typedef struct {
    dl_arena arena;
    const compare_arguments *a;
    dl_summary *runs;
    int run_count;
    const char **paths; /* of the config values shown */
    int path_count, path_capacity;
    const char **names; /* of the history's columns, of any run */
    int name_count;
    const char ***rows; /* [1 + run_count][cells]: the headings, then one row per run */
    int cells;
} comparison;

/* ---- columns ---- */

static bool contains(const char *const *list, int count, const char *word) {
    for (int i = 0; i < count; i++)
        if (!strcmp(list[i], word))
            return true;
    return false;
}

static void add_path(comparison *c, const char *path) {
    if (contains(c->paths, c->path_count, path))
        return;
    if (c->path_count == c->path_capacity) {
        c->path_capacity = 2 * c->path_capacity + 16;
        c->paths = xrealloc(c->paths, sizeof *c->paths * (size_t)c->path_capacity);
    }
    c->paths[c->path_count++] = dl_arena_strdup(&c->arena, path);
}

static void add_searched(void *context, const char *path, config_setting_t *group) {
    (void)group;
    add_path(context, path);
}

static int add_searched_paths(comparison *c, dl_error *error) {
    dl_config space = {0};
    search_config from = {.path = c->a->space, .common = &(arg_common){0}};
    int result = search_load_space(&from, &space, error) || dl_space_check(&space, error) ? -1 : 0;
    if (!result)
        dl_space_walk(&space, add_searched, c);
    dl_config_free(&space);
    return result;
}

static void add_differing_paths(comparison *c) {
    for (int r = 0; r < c->run_count; r++)
        for (int i = 0; i < c->runs[r].leaf_count; i++) {
            const dl_leaf *leaf = &c->runs[r].leaves[i];
            bool differs = false;
            for (int o = 0; o < c->run_count && !differs; o++) {
                const char *other = dl_summary_value(&c->runs[o], leaf->path);
                differs = !other || strcmp(other, leaf->value);
            }
            if (differs)
                add_path(c, leaf->path);
        }
}

static void collect_names(comparison *c) {
    int most = 0;
    for (int r = 0; r < c->run_count; r++)
        most += c->runs[r].column_count;
    c->names = xcalloc((size_t)most + 1, sizeof *c->names);
    for (int r = 0; r < c->run_count; r++)
        for (int i = 0; i < c->runs[r].column_count; i++)
            if (!contains(c->names, c->name_count, c->runs[r].columns[i].name))
                c->names[c->name_count++] = c->runs[r].columns[i].name;
}

/* ---- sorting ---- */

static const char *ranked; /* the column; qsort passes no context */

/* Runs without a value come last; ties keep the order of the command line. */
static int by_rank(const void *a, const void *b) {
    const dl_summary *one = a, *other = b;
    const dl_best *x = dl_summary_column(one, ranked), *y = dl_summary_column(other, ranked);
    bool has_x = x && x->epoch > 0, has_y = y && y->epoch > 0;
    if (!has_x || !has_y || x->best == y->best)
        return has_x != has_y ? (has_x ? -1 : 1)
                              : (one->run > other->run) - (one->run < other->run);
    return (x->best < y->best) == x->higher ? 1 : -1;
}

static int sort_runs(comparison *c, dl_error *error) {
    ranked = c->a->rank;
    if (!ranked)
        return 0;
    if (!contains(c->names, c->name_count, ranked)) {
        const char *nearest = dl_text_nearest(ranked, c->names, c->name_count);
        dl_text list = {0};
        for (int i = 0; i < c->name_count; i++)
            dl_text_add(&list, "%s%s", i ? ", " : "", c->names[i]);
        dl_fail(error, DL_USAGE, "--rank %s: the history has no such column (%s%s%s)", ranked,
                nearest ? "did you mean \"" : "there are ", nearest ? nearest : dl_text_get(&list),
                nearest ? "\"?" : "");
        dl_text_free(&list);
        return -1;
    }
    qsort(c->runs, (size_t)c->run_count, sizeof *c->runs, by_rank);
    return 0;
}

/* ---- cells ---- */

static const char *state_of(const dl_summary *s) {
    return s->stopped_early ? "stopped early" : s->finished ? "finished" : "unfinished";
}

/* Adds a cell; to row 0 its heading. */
static void add_cell(comparison *c, int row, const char *heading, const char *cell) {
    c->rows[row][c->cells++] = row ? cell : heading;
}

static void add_column(comparison *c, int row, const dl_summary *s, const char *name) {
    const dl_best *column = row ? dl_summary_column(s, name) : NULL;
    bool known = column && column->epoch > 0, csv = c->a->csv;
    char value[32] = "";
    if (known)
        snprintf(value, sizeof value, csv ? "%.9g" : "%.6g", column->best);
    if (!csv) {
        add_cell(c, row, dl_arena_printf(&c->arena, "best %s (epoch)", name),
                 known ? dl_arena_printf(&c->arena, "%s (%lld)", value, (long long)column->epoch)
                       : "-");
        return;
    }
    add_cell(c, row, name, dl_arena_strdup(&c->arena, value));
    add_cell(c, row, dl_arena_printf(&c->arena, "%s_epoch", name),
             known ? dl_arena_printf(&c->arena, "%lld", (long long)column->epoch) : "");
}

static const char *format_count(comparison *c, int64_t number) {
    return dl_arena_printf(&c->arena, "%lld", (long long)number);
}

/* A value in CSV: strings unquoted, "" for none. */
static const char *csv_value(comparison *c, const char *value) {
    json_t *json = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
    if (json_is_string(json))
        value = dl_arena_strdup(&c->arena, json_string_value(json));
    json_decref(json);
    return value ? value : "";
}

/* Row 0: the headings. A sorted table has fewer columns. */
static void fill_row(comparison *c, int row) {
    static const dl_summary nothing;
    const dl_summary *s = row ? &c->runs[row - 1] : &nothing;
    bool brief = ranked && !c->a->csv;
    size_t most = (size_t)(c->path_count + 2 * c->name_count + 8);
    c->rows[row] = dl_arena_alloc(&c->arena, sizeof **c->rows * most);
    c->cells = 0;
    add_cell(c, row, "run", s->run);
    if (brief)
        add_column(c, row, s, ranked);
    for (int p = 0; p < c->path_count; p++) {
        const char *value = row ? dl_summary_value(s, c->paths[p]) : NULL;
        add_cell(c, row, c->paths[p], c->a->csv ? csv_value(c, value) : value ? value : "-");
    }
    add_cell(c, row, "state", row ? state_of(s) : "");
    add_cell(c, row, "epochs", format_count(c, s->epochs));
    if (!brief)
        add_cell(c, row, "best_epoch", format_count(c, s->best_epoch));
    for (int n = 0; n < c->name_count && !brief; n++)
        add_column(c, row, s, c->names[n]);
    add_cell(c, row, "parameters", format_count(c, s->parameters));
    add_cell(c, row, "seconds", dl_arena_printf(&c->arena, "%.3f", s->seconds));
}

/* ---- printing ---- */

static void print_csv(const comparison *c) {
    dl_text csv = {0};
    for (int row = 0; row <= c->run_count; row++)
        for (int i = 0; i < c->cells; i++) {
            dl_text_add_field(&csv, c->rows[row][i]);
            dl_text_add(&csv, i + 1 < c->cells ? "," : "\n");
        }
    fputs(dl_text_get(&csv), stdout);
    dl_text_free(&csv);
}

/* The cell at a position on the screen: sorted runs are rows, compared ones columns. */
static const char *cell_at(const comparison *c, int line, int column) {
    return ranked ? c->rows[line][column] : c->rows[column][line];
}

static int cell_width(const char *cell) {
    return dl_text_width(cell, (int)strlen(cell));
}

static void print_table(const comparison *c) {
    int lines = ranked ? c->run_count + 1 : c->cells;
    int columns = ranked ? c->cells : c->run_count + 1;
    for (int line = 0; line < lines; line++)
        for (int i = 0; i < columns; i++) {
            const char *cell = cell_at(c, line, i);
            int width = 0;
            for (int k = 0; k < lines; k++) {
                int own = cell_width(cell_at(c, k, i));
                width = own > width ? own : width;
            }
            dl_print_plain(stdout, "%s%*s", cell,
                           i + 1 < columns ? width + 2 - cell_width(cell) : 0, "");
            if (i + 1 == columns)
                putchar('\n');
        }
}

/* libconfig's scalars are JSON, except 5L. */
static json_t *value_json(const char *value) {
    json_t *json = value ? json_loads(value, JSON_DECODE_ANY, NULL) : json_null();
    return json ? json : cmd_json_string(value);
}

static void print_json(const comparison *c) {
    json_t *list = json_array();
    for (int r = 0; r < c->run_count; r++) {
        const dl_summary *s = &c->runs[r];
        json_t *config = json_object(), *best = json_object();
        for (int p = 0; p < c->path_count; p++)
            json_object_set_new(config, c->paths[p], value_json(dl_summary_value(s, c->paths[p])));
        for (int i = 0; i < s->column_count; i++)
            json_object_set_new(best, s->columns[i].name,
                                json_pack("{s:o, s:I}", "value",
                                          cmd_json_number(s->columns[i].best), "epoch",
                                          (json_int_t)s->columns[i].epoch));
        json_array_append_new(list, json_pack("{s:o, s:o, s:s, s:I, s:I, s:s, s:o, s:o, s:I, s:o}",
                                              "run", cmd_json_string(s->run), "config", config,
                                              "state", state_of(s), "epochs", (json_int_t)s->epochs,
                                              "best_epoch", (json_int_t)s->best_epoch, "monitor",
                                              s->monitor, "monitored", cmd_json_number(s->best),
                                              "best", best, "parameters", (json_int_t)s->parameters,
                                              "seconds", cmd_json_number(s->seconds)));
    }
    cmd_print_json(list, JSON_INDENT(1));
}

static int print(comparison *c, dl_error *error) {
    if (c->a->common.json) {
        print_json(c);
        return 0;
    }
    c->rows = dl_arena_alloc(&c->arena, sizeof *c->rows * (size_t)(c->run_count + 1));
    for (int row = 0; row <= c->run_count; row++)
        fill_row(c, row);
    if (c->a->html)
        return dl_page_write_comparison(c->a->html, c->rows, c->run_count + 1, c->cells,
                                        c->path_count, error);
    if (c->a->csv)
        print_csv(c);
    else
        print_table(c);
    return 0;
}

int compare_runs(const compare_arguments *a, dl_error *error) {
    comparison c = {.a = a, .run_count = a->common.operand_count};
    c.runs = xcalloc((size_t)a->common.operand_count, sizeof *c.runs);
    int result = 0;
    for (int r = 0; r < c.run_count; r++)
        result |= dl_summary_read(&c.runs[r], a->common.operands[r], &a->stop, error);
    if (!result && a->space)
        result = add_searched_paths(&c, error);
    else if (!result)
        add_differing_paths(&c);
    if (!result) {
        collect_names(&c);
        result = sort_runs(&c, error);
    }
    if (!result)
        result = print(&c, error);
    for (int r = 0; r < c.run_count; r++)
        dl_summary_free(&c.runs[r]);
    free(c.runs);
    free(c.paths);
    free(c.names);
    dl_arena_free(&c.arena);
    return result;
}

int compare_status(const compare_arguments *a, dl_error *error) {
    int result = 0;
    for (int r = 0; r < a->common.operand_count; r++) {
        dl_summary s;
        if (dl_summary_read_progress(&s, a->common.operands[r], &a->stop, error)) {
            dl_summary_free(&s);
            return -1;
        }
        dl_print_plain(stdout, "%s  %s, %lld of %lld epochs", s.run, state_of(&s),
                       (long long)s.epochs, (long long)s.epochs_wanted);
        if (s.best_epoch)
            printf(", best %s %.6g in epoch %lld", s.monitor, s.best, (long long)s.best_epoch);
        putchar('\n');
        result = s.finished ? result : DL_CHECK;
        dl_summary_free(&s);
    }
    return result;
}

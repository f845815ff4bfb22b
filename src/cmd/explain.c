/* SPDX-License-Identifier: MIT */
#include "cmd/explain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/terminal.h"
#include "cmd/loaded.h"
#include "inspect/boundary.h"
#include "math/backend.h"
#include "report/importance_figure.h"
#include "run/replacement.h"

enum { BATCH = 256, PICTURE_ROWS = 300, OTHER_ROWS = 10000 };

static int open_run(const explain_arguments *a, loaded *l, dl_split *split, dl_error *error) {
    int wanted = loaded_wanted_split(&a->common, a->split);
    if (loaded_open(l, a->common.operands[0], a->last, &a->common, error) ||
        loaded_open_split(l, wanted, split, error))
        return -1;
    return loaded_build(l, *split, BATCH, error);
}

/* Writes FOLDER/PREFIX+NAME.ENDING, with other characters than letters and digits as "_", and frees
   the text. */
static int write_text(const char *folder, const char *prefix, const char *name, const char *ending,
                      dl_text *text, dl_error *error) {
    dl_text file = {0};
    dl_text_add(&file, "%s%s.%s", prefix, name, ending);
    for (size_t i = strlen(prefix); i < strlen(prefix) + strlen(name); i++)
        if (strchr("/\\ \t\n\r\"'", file.data[i]))
            file.data[i] = '_';
    char *path = dl_path_join(folder, file.data);
    int result = dl_output_write(path, dl_text_get(text), text->length, error);
    if (!result)
        fprintf(stderr, "%s\n", path);
    dl_text_free(&file);
    dl_text_free(text);
    free(path);
    return result;
}

/* ---- importance ---- */

typedef struct {
    dl_terminal terminal;
    int all;
} progress;

static void show_progress(void *context, int done) {
    progress *p = context;
    char text[48];
    snprintf(text, sizeof text, "%d of %d permutations", done, p->all);
    if (dl_terminal_bar_due(&p->terminal))
        dl_terminal_bar(&p->terminal, (double)done / p->all, text);
}

static void print_name(const char *name, int width) {
    dl_text plain = {0};
    dl_text_add_plain(&plain, name);
    int bytes = dl_text_fitting(dl_text_get(&plain), (int)plain.length, width);
    printf("%.*s%*s", bytes, dl_text_get(&plain), width - dl_text_width(dl_text_get(&plain), bytes),
           "");
    dl_text_free(&plain);
}

static void print_bars(const dl_importance *s, const dl_input_table *t) {
    enum { MOST = 30, WIDEST = 30, NUMBERS = 24, SCREEN = 80 };
    int width = 6, columns = dl_output_columns(), count = t->count < MOST ? t->count : MOST;
    for (int i = 0; i < t->count; i++) {
        const char *name = t->column[i].name;
        int length = dl_text_width(name, (int)strlen(name));
        width = length > width ? length < WIDEST ? length : WIDEST : width;
    }
    int bar = (columns < SCREEN ? columns : SCREEN) - width - NUMBERS - 1;
    printf("\n%-*s %11s %10s\n", width, "column", "importance", "sd");
    for (int i = 0; i < count; i++) {
        int c = s->order[i];
        double part = s->mean[c] / s->mean[s->order[0]];
        print_name(t->column[c].name, width);
        printf(" %11.4g %10.3g", s->mean[c], s->sd[c]);
        if (bar > 0 && s->mean[c] > 0 && lround(bar * part) > 0)
            printf("  %.*s", (int)lround(bar * part),
                   "##################################################");
        putchar('\n');
    }
    if (count < t->count)
        printf("(%d more are in importance.csv)\n", t->count - count);
}

static int write_importance(const explain_arguments *a, const dl_importance *s,
                            const dl_input_table *t, const char *title, dl_error *error) {
    dl_text csv = {0}, svg = {0};
    dl_importance_add_csv(s, t, &csv);
    dl_importance_add_figure(s, t, title, &svg);
    int result = write_text(a->out, "importance", "", "csv", &csv, error);
    if (!result)
        result = write_text(a->out, "importance", "", "svg", &svg, error);
    dl_text_free(&svg);
    return result;
}

static int compute_importance(const explain_arguments *a, const dl_input_table *t, dl_split split,
                              dl_error *error) {
    dl_importance s = {.repeats = a->repeats};
    progress p = {dl_terminal_open(a->common.quiet), t->count * (int)a->repeats};
    const dl_model *model = t->model;
    char rows[32];
    if (dl_importance_choose_metric(&s, model, a->metric, error))
        return -1;
    dl_importance_compute(&s, t, (uint64_t)a->seed, show_progress, &p);
    dl_terminal_clear(&p.terminal);
    dl_text title = {0};
    const char *metric = s.metric ? s.metric->name : "loss";
    const char *change = s.metric && s.metric->higher_is_better ? "falls" : "rises";
    dl_text_add(&title, "%s: how much %s %s", model->name, metric, change);
    printf("%s on %s %s rows: %s %.6g\nimportance: how much it %s if a column is permuted "
           "(mean, sd of %lld)\n",
           model->name, dl_text_count(rows, t->rows), dl_split_names[split], metric, s.base, change,
           (long long)s.repeats);
    print_bars(&s, t);
    int result = write_importance(a, &s, t, title.data, error);
    dl_terminal_close(&p.terminal);
    dl_importance_free(&s);
    dl_text_free(&title);
    return result;
}

static int write_dependence(const explain_arguments *a, const dl_input_table *t, int column,
                            dl_error *error) {
    dl_dependence d = {0};
    dl_text csv = {0}, svg = {0};
    int result = dl_dependence_compute(&d, t, column, error);
    if (!result) {
        dl_dependence_add_csv(&d, t->model, &csv);
        dl_dependence_add_figure(&d, t->model, &svg);
        result = write_text(a->out, "dependence_", d.column->name, "csv", &csv, error);
    }
    if (!result)
        result = write_text(a->out, "dependence_", d.column->name, "svg", &svg, error);
    dl_text_free(&svg);
    dl_dependence_free(&d);
    return result;
}

/* Numbers of the columns of a list of names, freed by the caller; NULL and an error. */
static int *find_columns(const dl_input_table *t, const char *list, int *count, dl_error *error) {
    char *words = xstrdup(list), *rest = words, *word;
    int *found = xmalloc(sizeof *found * (strlen(list) + 1));
    bool known = true;
    for (*count = 0; (word = strsep(&rest, ",")); ++*count)
        known &= (found[*count] = dl_input_table_find(t, word, error)) >= 0;
    free(words);
    if (known)
        return found;
    free(found);
    return NULL;
}

static int importance(const explain_arguments *a, const dl_input_table *t, dl_split split,
                      dl_error *error) {
    int count = 0, *columns = NULL, result = 0;
    if (a->columns && !(columns = find_columns(t, a->columns, &count, error)))
        return -1;
    if (dl_folder_create(a->out, error) || compute_importance(a, t, split, error))
        result = -1;
    for (int i = 0; i < count && !result; i++)
        result = write_dependence(a, t, columns[i], error);
    free(columns);
    return result;
}

int explain_run_importance(void *arguments, dl_error *error) {
    const explain_arguments *a = arguments;
    loaded l = {0};
    dl_input_table table = {0};
    dl_split split;
    int status = open_run(a, &l, &split, error);
    if (!status) {
        dl_model *model = &l.experiment.model;
        int64_t all = model->data.part[split].count;
        int64_t most = a->rows                              ? a->rows
                       : model->data.schema.input.rank == 3 ? PICTURE_ROWS
                                                            : OTHER_ROWS;
        if (most < all)
            fprintf(stderr, "%lld of %lld rows, evenly spaced (--rows N)\n", (long long)most,
                    (long long)all);
        status = dl_input_table_open(&table, model, split, most, (int)a->grid, error);
    }
    if (!status)
        status = importance(a, &table, split, error);
    dl_input_table_close(&table);
    loaded_close(&l);
    return status;
}

/* ---- boundary ---- */

/* The pictures of a strip. */
typedef struct {
    int64_t *epoch; /* [count], owned; NULL: the one checkpoint that is loaded */
    int count;
} strip;

/* The epochs asked for, of those kept. */
static int choose_epochs(const explain_arguments *a, strip *s, dl_error *error) {
    enum { MOST = 24 };
    const char *folder = a->common.operands[0];
    bool one = arg_given(&a->common, "epoch");
    *s = (strip){.count = 1};
    if (!one && !a->strip)
        return 0;
    s->epoch = dl_run_epochs(folder, &s->count);
    bool found = s->count > 0;
    for (int i = 0; one && i < s->count; i++)
        if ((found = s->epoch[i] == a->epoch)) {
            s->epoch[0] = a->epoch;
            s->count = 1;
        }
    if (!found && s->count)
        return dl_fail(error, DL_DATA, "%s: epoch %lld was not kept; kept are %lld to %lld", folder,
                       (long long)a->epoch, (long long)s->epoch[0],
                       (long long)s->epoch[s->count - 1]);
    if (!found)
        return dl_fail(
            error, DL_DATA,
            "%s: has no checkpoints of epochs (training.checkpoint_every = N keeps them)", folder);
    if (s->count > MOST) {
        fprintf(stderr, "%d of %d kept epochs, evenly spaced (--epoch N draws any)\n", MOST,
                s->count);
        for (int i = 0; i < MOST; i++)
            s->epoch[i] = s->epoch[(int64_t)i * (s->count - 1) / (MOST - 1)];
        s->count = MOST;
    }
    return 0;
}

static int load_epoch(const explain_arguments *a, dl_model *model, int64_t epoch, dl_error *error) {
    dl_checkpoint c = {0};
    char *path = dl_run_epoch_path(a->common.operands[0], epoch);
    int result = dl_checkpoint_open(&c, path, error);
    if (!result)
        result = dl_checkpoint_load_net(&c, &model->net, error);
    dl_checkpoint_close(&c);
    free(path);
    return result;
}

static int draw_strip(const explain_arguments *a, const strip *s, const dl_boundary *b,
                      dl_error *error) {
    enum { COLUMNS = 4, LINES = 3 };
    static const int side[2] = {DL_BOUNDARY_SIDE, DL_BOUNDARY_SIDE};
    const dl_input_table *t = b->table;
    dl_grid grid = dl_grid_open(s->count, s->count < COLUMNS ? s->count : COLUMNS, side, 0, LINES);
    unsigned char *rgb = xmalloc((size_t)side[0] * (size_t)side[1] * 3);
    int result = 0;
    for (int i = 0; i < s->count && !result; i++) {
        dl_text title = {0};
        if (s->epoch)
            result = load_epoch(a, t->model, s->epoch[i], error);
        if (s->epoch)
            dl_text_add(&title, "epoch %lld", (long long)s->epoch[i]);
        else
            dl_text_add_plain(&title, t->model->name);
        if (!result) {
            dl_boundary_draw(b, rgb);
            dl_grid_place(&grid, i, rgb, side[0], side[1]);
            dl_grid_caption(&grid, i, "%s\nacross: %s, %.3g to %.3g\nup: %s, %.3g to %.3g",
                            title.data, t->column[b->column[0]].name, b->low[0], b->high[0],
                            t->column[b->column[1]].name, b->low[1], b->high[1]);
        }
        dl_text_free(&title);
    }
    char *path = dl_path_join(a->out, s->epoch ? "boundary_epochs.png" : "boundary.png");
    if (!result)
        result = dl_folder_create(a->out, error) || dl_grid_save(&grid, path, error) ? -1 : 0;
    if (!result)
        fprintf(stderr, "%s\n", path);
    free(path);
    free(rgb);
    dl_grid_free(&grid);
    return result;
}

/* Which color is what. */
static void print_legend(const dl_boundary *b) {
    const dl_model *model = b->table->model;
    for (int c = 0; c < model->target.classes; c++) {
        unsigned char rgb[3];
        char number[16];
        dl_text name = {0};
        dl_text_add_plain(&name, dl_schema_class(&model->data.schema, c, number));
        printf("%-7s class %s\n", dl_class_color(c, rgb), name.data);
        dl_text_free(&name);
    }
    if (!model->target.classes)
        printf("blue %.4g, white %.4g, red %.4g\n", b->least, (b->least + b->most) / 2, b->most);
}

static int choose_plane(const explain_arguments *a, dl_boundary *b, dl_error *error) {
    int count = b->table->count, *chosen = NULL;
    if (!a->columns && count != 2)
        return dl_fail(error, DL_USAGE,
                       "the net has %d input columns: choose the two of the plane (--columns "
                       "\"%s,%s\")",
                       count, b->table->column[0].name, b->table->column[count > 1].name);
    if (a->columns && !(chosen = find_columns(b->table, a->columns, &count, error)))
        return -1;
    b->column[0] = chosen ? chosen[0] : 0;
    b->column[1] = chosen && count == 2 ? chosen[1] : 1;
    free(chosen);
    return count == 2 ? 0 : dl_fail(error, DL_USAGE, "--columns: must be two columns");
}

int explain_run_boundary(void *arguments, dl_error *error) {
    const explain_arguments *a = arguments;
    loaded l = {0};
    dl_input_table table = {0};
    dl_boundary b = {.table = &table};
    strip s = {0};
    dl_split split;
    int status = open_run(a, &l, &split, error);
    if (!status)
        status = choose_epochs(a, &s, error);
    if (!status)
        status = dl_input_table_open(&table, &l.experiment.model, split, a->rows, 7, error);
    if (!status)
        status = choose_plane(a, &b, error) || dl_boundary_open(&b, error) ||
                         draw_strip(a, &s, &b, error)
                     ? -1
                     : 0;
    if (!status)
        print_legend(&b);
    dl_boundary_close(&b);
    free(s.epoch);
    dl_input_table_close(&table);
    loaded_close(&l);
    return status;
}

/* ---- the tables ---- */

#define EXPLAIN_ROWS                                                                               \
    ARG_STRING_ROW("out", explain_arguments, out, "FOLDER", ARG_FOLDER,                            \
                   "the folder for the files, created if needed", .letter = 'o',                   \
                   .fallback = "look"),                                                            \
        LOADED_SPLIT_ROW(explain_arguments, split, NULL),                                          \
        LOADED_LAST_ROW(explain_arguments, last), ARG_SET_ROW, ARG_THREADS_ROW, ARG_BACKEND_ROW,   \
        ARG_QUIET_ROW, ARG_ROWS_END

const arg_option explain_importance_options[] = {
    ARG_STRING_ROW("metric", explain_arguments, metric, "NAME", ARG_NOTHING,
                   "a metric of the run, or loss (default: its first metric)"),
    ARG_COUNT_ROW("repeats", explain_arguments, repeats, 1, DL_MOST_REPEATS, "N",
                  "permutations of each column", .fallback = "5"),
    ARG_COUNT_ROW("seed", explain_arguments, seed, 0, 4294967295.0, "N",
                  "seed of the permutations; repeat r permutes all columns alike", .fallback = "0"),
    ARG_STRING_ROW("columns", explain_arguments, columns, "A,B", ARG_NOTHING,
                   "also write the mean answer by the value of these columns, the others as they "
                   "are in the data (partial dependence)"),
    ARG_COUNT_ROW("rows", explain_arguments, rows, 1, 1 << 30, "N",
                  "use N rows of the split, evenly spaced (default: 10,000, of pictures 300)"),
    ARG_COUNT_ROW("grid", explain_arguments, grid, 1, 64, "N", "divide pictures into N x N regions",
                  .fallback = "7"),
    EXPLAIN_ROWS};

const arg_option explain_boundary_options[] = {
    ARG_STRING_ROW("columns", explain_arguments, columns, "A,B", ARG_NOTHING,
                   "the columns across and up, of more than two"),
    ARG_COUNT_ROW("epoch", explain_arguments, epoch, 1, 1e15, "N",
                  "the net after epoch N, which training.checkpoint_every kept",
                  .excludes = "last"),
    ARG_FLAG_ROW("strip", explain_arguments, strip, "one picture per kept epoch, in one file",
                 .excludes = "epoch last"),
    ARG_COUNT_ROW("rows", explain_arguments, rows, 1, 1 << 30, "N",
                  "draw at most N rows of the split, evenly spaced", .fallback = "1000"),
    EXPLAIN_ROWS};

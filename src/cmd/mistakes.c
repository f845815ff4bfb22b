/* SPDX-License-Identifier: MIT */
#include "cmd/mistakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cmd/loaded.h"
#include "image/grid.h"
#include "inspect/mistakes.h"
#include "math/backend.h"
#include "metrics/confusion.h"

typedef struct {
    const mistakes_arguments *a;
    loaded *net; /* [count] */
    int count;
    dl_split split;
    dl_mistakes mistakes;
} report;

/* The rows are listed together, with the names of one run, and drawn at one size. The edges of bins
   may differ. */
static int check_alike(const loaded *first, const loaded *l, dl_error *error) {
    const dl_schema *a = &first->experiment.model.data.schema;
    const dl_schema *b = &l->experiment.model.data.schema;
    char one[48], other[48];
    bool alike = a->classes == b->classes;
    for (int c = 0; alike && !a->bin_edge && c < a->classes; c++)
        alike = !strcmp(dl_schema_class(a, c, one), dl_schema_class(b, c, other));
    if (!alike)
        return dl_fail(error, DL_USAGE, "%s: has other classes than %s", l->path, first->path);
    if (!dl_shape_equal(a->input, b->input))
        return dl_fail(error, DL_USAGE, "%s: its inputs have shape %s, but those of %s have %s",
                       l->path, dl_shape_text(other, b->input), first->path,
                       dl_shape_text(one, a->input));
    return 0;
}

static int judge(report *r, dl_error *error) {
    int wanted = r->count > 1 ? DL_VALIDATION : LOADED_ANY_SPLIT;
    for (int i = 0; i < r->count; i++) {
        loaded *l = &r->net[i];
        dl_split split;
        if (loaded_open(l, r->a->common.operands[i], r->a->last, &r->a->common, error) ||
            loaded_open_split(l, arg_given(&r->a->common, "split") ? r->a->split : wanted, &split,
                              error) ||
            loaded_build(l, split, l->checkpoint.batch_size, error))
            return -1;
        if (check_alike(&r->net[0], l, error))
            return -1;
        r->split = split;
        if (dl_mistakes_add(&r->mistakes, &l->experiment.model, split, i, error))
            return -1;
    }
    return 0;
}

static const char *class_name(const report *r, int class, char out[16]) {
    return dl_schema_class(&r->net[0].experiment.model.data.schema, class, out);
}

static const dl_dataset *dataset(const report *r, const dl_judged_row *row) {
    return r->net[row->net].experiment.model.data.part[r->split].dataset;
}

static void print_row(const report *r, int64_t i) {
    const dl_judged_row *row = &r->mistakes.row[i];
    char truth[16], predicted[16];
    dl_text line = {0}, source = {0};
    dl_dataset_add_source(dataset(r, row), row->row, &source);
    dl_text_add(&line, "%8.4f  ", row->confidence);
    dl_text_add_plain(&line, class_name(r, row->truth, truth));
    if (row->truth != row->predicted) {
        dl_text_add(&line, " predicted as ");
        dl_text_add_plain(&line, class_name(r, row->predicted, predicted));
    }
    dl_text_add(&line, "  ");
    dl_text_add_plain(&line, source.data);
    puts(line.data);
    dl_text_free(&line);
    dl_text_free(&source);
}

static void print_rows(const report *r, const char *title, int64_t first, int64_t count) {
    if (count)
        printf("\n%s\n", title);
    for (int64_t i = first; i < first + count; i++)
        print_row(r, i);
}

/* The pairs of classes, each with its most confident error. */
static void print_pairs(const report *r, int64_t errors) {
    int classes = r->net[0].experiment.model.target.classes;
    dl_confusion confusion = dl_confusion_new(classes);
    dl_misclassification pairs[5];
    for (int64_t i = 0; i < errors; i++)
        confusion
            .count[(int64_t)r->mistakes.row[i].truth * classes + r->mistakes.row[i].predicted]++;
    int count = dl_confusion_misclassified(&confusion, 5, pairs);
    if (count)
        puts("\nmost frequent pairs, each with its most confident error");
    for (int p = 0; p < count; p++) {
        int64_t first = 0;
        while (r->mistakes.row[first].truth != pairs[p].truth ||
               r->mistakes.row[first].predicted != pairs[p].predicted)
            first++;
        printf("%5lld x", (long long)pairs[p].count);
        print_row(r, first);
    }
    dl_confusion_free(&confusion);
}

/* The first `count` rows, as CSV. */
static int write_rows(const report *r, const char *name, int64_t count, dl_error *error) {
    dl_text csv = {0};
    dl_text_add(&csv, "source,truth,predicted,confidence,loss\n");
    for (int64_t i = 0; i < count; i++) {
        const dl_judged_row *row = &r->mistakes.row[i];
        char number[16];
        dl_text source = {0};
        dl_dataset_add_source(dataset(r, row), row->row, &source);
        dl_text_add_field(&csv, source.data);
        dl_text_add(&csv, ",");
        dl_text_add_field(&csv, class_name(r, row->truth, number));
        dl_text_add(&csv, ",");
        dl_text_add_field(&csv, class_name(r, row->predicted, number));
        dl_text_add(&csv, ",%.9g,%.9g\n", row->confidence, row->loss);
        dl_text_free(&source);
    }
    char *path = dl_path_join(r->a->out, name);
    int result = dl_output_write(path, csv.data, csv.length, error);
    if (!result)
        fprintf(stderr, "%s\n", path);
    free(path);
    dl_text_free(&csv);
    return result;
}

/* The last letters, as many as fit a caption of a picture. */
static const char *end_of(const char *text, int width) {
    enum { LETTER = 6 };
    size_t length = strlen(text), fits = (size_t)width / LETTER;
    return length > fits ? text + length - fits : text;
}

static int draw_rows(const report *r, const char *name, int64_t first, int64_t count,
                     dl_error *error) {
    enum { COLUMNS = 8, SIDE = 110, LINES = 3 };
    dl_shape shape = r->net[0].experiment.model.data.schema.input;
    if (shape.rank != 3 || !count)
        return 0;
    dl_grid grid =
        dl_grid_open((int)count, count < COLUMNS ? (int)count : COLUMNS, shape.dim, SIDE, LINES);
    float *x = xmalloc(sizeof *x * (size_t)dl_shape_size(shape));
    int result = 0;
    for (int i = 0; i < count && !result; i++) {
        const dl_judged_row *row = &r->mistakes.row[first + i];
        char truth[16], predicted[16];
        dl_text source = {0};
        result = dl_dataset_read(dataset(r, row), row->row, x, NULL, error);
        dl_tiles tile = {.value = x,
                         .pixel_stride = shape.dim[2],
                         .channel_stride = 1,
                         .shape = shape,
                         .bytes = dataset(r, row)->bytes};
        dl_dataset_add_source(dataset(r, row), row->row, &source);
        if (!result) {
            dl_grid_place_tile(&grid, i, &tile, 0);
            dl_grid_caption(&grid, i, "%s as %s\n%.4f\n%s", class_name(r, row->truth, truth),
                            class_name(r, row->predicted, predicted), row->confidence,
                            end_of(dl_path_base(source.data), grid.side[1]));
        }
        dl_text_free(&source);
    }
    char *path = dl_path_join(r->a->out, name);
    if (!result && !(result = dl_grid_save(&grid, path, error)))
        fprintf(stderr, "%s\n", path);
    free(path);
    free(x);
    dl_grid_free(&grid);
    return result;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int write_report(report *r, dl_error *error) {
    int64_t best = r->a->best, count = r->mistakes.count, errors = dl_mistakes_sort(&r->mistakes);
    int64_t hits = smaller(best, count - errors);
    if (dl_folder_create(r->a->out, error))
        return -1;
    printf("%lld errors of %lld %s rows%s\n", (long long)errors, (long long)count,
           dl_split_names[r->split], r->count > 1 ? ", each by a run that has not learned it" : "");
    print_rows(r, "most confident errors", 0, smaller(best, errors));
    print_rows(r, "least confident hits", errors, hits);
    print_pairs(r, errors);
    if (write_rows(r, "mistakes.csv", errors + hits, error) ||
        draw_rows(r, "mistakes.png", 0, smaller(best * 4, errors), error))
        return -1;
    for (int i = 0; i < r->count; i++)
        if (r->net[i].experiment.model.link == DL_NO_PROBABILITIES) {
            fprintf(stderr, "labels.csv is left out: the loss of %s is not that of a probability\n",
                    r->net[i].path);
            return 0;
        }
    dl_mistakes_sort_by_loss(&r->mistakes);
    print_rows(r, "largest losses: are these labels right?", 0, smaller(best, count));
    return write_rows(r, "labels.csv", smaller(100, count), error);
}

int mistakes_run(void *arguments, dl_error *error) {
    report r = {.a = arguments};
    r.count = r.a->common.operand_count;
    r.net = xcalloc((size_t)r.count, sizeof *r.net);
    int status = judge(&r, error);
    if (!status)
        status = write_report(&r, error);
    for (int i = 0; i < r.count; i++)
        loaded_close(&r.net[i]);
    free(r.net);
    dl_mistakes_free(&r.mistakes);
    return status;
}

const arg_option mistakes_options[] = {
    ARG_STRING_ROW("out", mistakes_arguments, out, "FOLDER", ARG_FOLDER,
                   "the folder for the files, created if needed", .letter = 'o',
                   .fallback = "look"),
    ARG_COUNT_ROW("best", mistakes_arguments, best, 1, 1000, "N",
                  "rows of each list on the terminal; mistakes.csv has all errors, labels.csv the "
                  "100 largest losses",
                  .fallback = "10"),
    LOADED_SPLIT_ROW(mistakes_arguments, split, NULL),
    LOADED_LAST_ROW(mistakes_arguments, last),
    ARG_SET_ROW,
    ARG_THREADS_ROW,
    ARG_BACKEND_ROW,
    ARG_ROWS_END};

/* SPDX-License-Identifier: MIT */
#include "cmd/predictions.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { MOST_COLUMNS = 4096 }; /* beyond it an autoencoder's table has only the error */

/* Where the cells of a line go: their names, or their values. */
typedef struct {
    FILE *file;
    bool names, json;
    int count;
} line;

static void write_json_string(FILE *file, const char *text) {
    fputc('"', file);
    for (const char *c = text; *c;) {
        const char *from = c;
        int code = dl_text_next(&c);
        if (code < 0)
            c++, fputs("\\ufffd", file);
        else if (code == '"' || code == '\\')
            fprintf(file, "\\%c", code);
        else if (code < ' ')
            fprintf(file, "\\u%04x", (unsigned)code);
        else
            fwrite(from, 1, (size_t)(c - from), file);
    }
    fputc('"', file);
}

/* RFC 4180. */
static void write_csv_string(FILE *file, const char *text) {
    size_t length = strlen(text);
    bool blank = length && (strchr(" \t", text[0]) || strchr(" \t", text[length - 1]));
    if (!blank && !strpbrk(text, ",\"\r\n")) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

/* Begins a cell; true: its value is to follow. */
static bool begin_cell(line *l, const char *format, ...) DL_PRINTF(2, 3);
static bool begin_cell(line *l, const char *format, ...) {
    if (l->count++)
        fputc(',', l->file);
    if (!l->names && !l->json)
        return true;
    dl_text name = {0};
    va_list arguments;
    va_start(arguments, format);
    dl_text_add_v(&name, format, arguments);
    va_end(arguments);
    if (l->json)
        write_json_string(l->file, dl_text_get(&name)), fputc(':', l->file);
    else
        write_csv_string(l->file, dl_text_get(&name));
    dl_text_free(&name);
    return !l->names;
}

static void write_text(const line *l, const char *text) {
    if (l->json)
        text ? write_json_string(l->file, text) : (void)fputs("null", l->file);
    else if (text)
        write_csv_string(l->file, text);
}

/* The shortest decimal that reads back as the same float, or double. */
static void write_number(const line *l, double value, bool exact) {
    char text[32] = "";
    bool finite = isfinite(value);
    for (int digits = exact ? 15 : 6; finite && digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (exact ? strtod(text, NULL) == value : strtof(text, NULL) == (float)value)
            break;
    }
    fputs(finite ? text : l->json ? "null" : "", l->file);
}

/* ---- cells ---- */

static void add_number(line *l, const predictions *t, const prediction *p, size_t at) {
    const double *origin = t->info->origin;
    if (!p || p->problem)
        write_text(l, NULL);
    else
        write_number(l, (double)p->out[at] + (origin ? origin[at] : 0), origin != NULL);
}

static void add_deviation(line *l, const prediction *p, size_t at) {
    if (!p || p->problem)
        write_text(l, NULL);
    else
        write_number(l, (double)p->deviation[at], false);
}

static void add_source(line *l, const predictions *t, const prediction *p) {
    if (t->files && begin_cell(l, "file"))
        write_text(l, p->file);
    if (t->rows && begin_cell(l, "%s", t->rows) && (p->row >= 0 || l->json))
        p->row >= 0 ? fprintf(l->file, "%lld", p->row) : fputs("null", l->file);
    for (int k = 0; k < t->keep_count; k++)
        if (begin_cell(l, "%s", t->keep[k]))
            write_text(l, p->kept[k]);
}

/* The k most probable classes, in order. */
static void find_top(const float *out, int classes, int k, int *top) {
    for (int i = 0; i < k; i++) {
        top[i] = -1;
        for (int c = 0; c < classes; c++) {
            bool taken = false;
            for (int j = 0; j < i; j++)
                taken |= top[j] == c;
            if (!taken && (top[i] < 0 || out[c] > out[top[i]]))
                top[i] = c;
        }
    }
}

static void add_top(line *l, const predictions *t, const prediction *p, size_t at, const int *top) {
    bool none = !p || p->problem;
    int count = t->top > 1 ? t->top : 1;
    for (int i = 0; i < count; i++) {
        char suffix[16] = "";
        if (i)
            snprintf(suffix, sizeof suffix, "_%d", i + 1);
        if (begin_cell(l, "class%s", suffix))
            write_text(l, none ? NULL : t->info->class_names[top[i]]);
        if (!t->info->probabilities)
            continue;
        if (begin_cell(l, "probability%s", suffix))
            add_number(l, t, p, none ? 0 : at + (size_t)top[i]);
        if (t->deviation && begin_cell(l, "deviation%s", suffix))
            add_deviation(l, p, none ? 0 : at + (size_t)top[i]);
    }
}

/* The position, which is the `index`th of the answer. */
static void add_class(line *l, const predictions *t, const prediction *p, size_t position,
                      size_t index) {
    const dltrain_info *info = t->info;
    size_t width = info->output_size / info->positions, at = index * width;
    int small[16], *top = t->top > 16 ? xmalloc(sizeof *top * (size_t)t->top) : small;
    if (info->positions > 1 && begin_cell(l, "step"))
        fprintf(l->file, "%zu", position);
    if (t->truth && begin_cell(l, "truth"))
        write_text(l, info->class_names[(int)p->truth[index]]);
    if (p && !p->problem && t->top > 1)
        find_top(p->out + at, info->classes, t->top, top);
    else if (p && !p->problem)
        top[0] = p->classes[index];
    add_top(l, t, p, at, top);
    for (size_t c = 0; t->all && c < width; c++) {
        bool named = width == (size_t)info->classes;
        if (named ? begin_cell(l, "p(%s)", info->class_names[c]) : begin_cell(l, "score"))
            add_number(l, t, p, at + c);
    }
    if (top != small)
        free(top);
}

double predictions_error(const dltrain_info *info, const prediction *p) {
    double sum = 0;
    for (size_t k = 0; k < info->output_size; k++) {
        double difference = (double)p->out[k] - (double)p->input[k];
        sum += difference * difference;
    }
    return sum / (double)info->output_size;
}

static bool begin_number(line *l, const predictions *t, size_t k, const char *suffix) {
    const dltrain_info *info = t->info;
    if (info->kind == DLTRAIN_INPUTS && (size_t)info->columns == info->output_size)
        return begin_cell(l, "%s%s", info->column_names[k], suffix);
    if (info->target_names)
        return begin_cell(l, "%s%s", info->target_names[k], suffix);
    if (info->kind == DLTRAIN_NUMBERS && info->output_size == 1)
        return begin_cell(l, "prediction%s", suffix);
    return begin_cell(l, "output_%zu%s", k + 1, suffix);
}

static void add_numbers(line *l, const predictions *t, const prediction *p) {
    const dltrain_info *info = t->info;
    bool autoencoder = info->kind == DLTRAIN_INPUTS;
    if (autoencoder && begin_cell(l, "error")) {
        if (p->problem)
            write_text(l, NULL);
        else
            write_number(l, predictions_error(info, p), false);
    }
    if (autoencoder && (info->input_rank == 3 || info->output_size > MOST_COLUMNS) && !t->all)
        return;
    for (size_t k = 0; t->truth && k < info->output_size; k++)
        if (info->output_size == 1 ? begin_cell(l, "truth") : begin_cell(l, "truth_%zu", k + 1))
            write_number(l, (double)p->truth[k] + (info->origin ? info->origin[k] : 0),
                         info->origin != NULL);
    for (size_t k = 0; k < info->output_size; k++) {
        if (begin_number(l, t, k, ""))
            add_number(l, t, p, k);
        if (t->deviation && begin_number(l, t, k, "_deviation"))
            add_deviation(l, p, k);
    }
}

static void write_line(const predictions *t, const prediction *p, size_t position, size_t index,
                       FILE *file) {
    line l = {file, !p, t->json && p, 0};
    if (l.json)
        fputc('{', file);
    add_source(&l, t, p);
    if (t->info->kind == DLTRAIN_CLASSES)
        add_class(&l, t, p, position, index);
    else
        add_numbers(&l, t, p);
    if (l.json && p->problem && begin_cell(&l, "problem"))
        write_text(&l, p->problem);
    fputs(l.json ? "}\n" : "\n", file);
}

void predictions_begin(const predictions *t, FILE *file) {
    if (!t->json)
        write_line(t, NULL, 0, 0, file);
}

void predictions_add(const predictions *t, const prediction *p, FILE *file) {
    for (size_t i = 0; i < t->info->positions; i++)
        write_line(t, p, i, i, file);
}

void predictions_add_position(const predictions *t, const prediction *p, size_t position,
                              FILE *file) {
    write_line(t, p, position, 0, file);
}

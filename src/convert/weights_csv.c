/* SPDX-License-Identifier: MIT */
/* Weights of small nets as a table: tensor,i,j,k,l,value with one line per number, the indices from
   0, and the shortest decimals that read back as the same floats. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "convert/weights.h"

enum { MOST_NUMBERS = 1000 * 1000, MOST_BYTES = 1 << 28, RANK = 4 };
static const char header[] = "tensor,i,j,k,l,value";

static void add_line(dl_text *out, const dl_named_tensor *t, int64_t at) {
    int64_t rest = dl_shape_size(t->shape);
    float value = ((const float *)t->value)[at];
    char number[32];
    dl_text_add(out, "%s", t->name);
    for (int i = 0; i < RANK; i++) {
        rest /= i < t->shape.rank ? t->shape.dim[i] : 1;
        dl_text_add(out, i < t->shape.rank ? ",%d" : ",", (int)(at / rest));
        at %= rest;
    }
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, (double)value);
        if (strtof(number, NULL) == value)
            break;
    }
    dl_text_add(out, ",%s\n", number);
}

static int write_csv(dl_model *model, const dl_convert_options *options, const char *path,
                     dl_error *error) {
    dl_arena arena = {0};
    dl_named_tensor *tensors;
    dl_text out = {0};
    int count = dl_weights_list(model, options, &arena, &tensors, error),
        result = count < 0 ? -1 : 0;
    int64_t numbers = 0;
    for (int i = 0; i < count; i++)
        numbers += dl_shape_size(tensors[i].shape);
    if (numbers > MOST_NUMBERS)
        result =
            dl_fail(error, DL_USAGE,
                    "%s: %lld numbers are too many for a CSV file (at most %d): write an npz or "
                    "safetensors file",
                    path, (long long)numbers, MOST_NUMBERS);
    dl_text_add(&out, "%s\n", header);
    for (int i = 0; i < count && !result; i++)
        for (int64_t at = 0; at < dl_shape_size(tensors[i].shape); at++)
            add_line(&out, &tensors[i], at);
    if (!result)
        result = dl_output_write(path, out.data, out.length, error);
    dl_text_free(&out);
    dl_arena_free(&arena);
    return result;
}

/* ---- reading ---- */

/* A line, cut in place. */
typedef struct {
    const char *name;
    int rank, index[RANK];
    float value;
} row;

static bool parse(char *line, row *r) {
    char *field[RANK + 2], *end;
    for (int i = 0; i < RANK + 2; i++) {
        field[i] = line;
        line = line ? strchr(line, ',') : NULL;
        if (line)
            *line++ = '\0';
        else if (i < RANK + 1)
            return false;
    }
    r->name = field[0];
    for (r->rank = 0; r->rank < RANK && *field[1 + r->rank]; r->rank++) {
        long index = strtol(field[1 + r->rank], &end, 10);
        if (*end || index < 0 || index > MOST_NUMBERS)
            return false;
        r->index[r->rank] = (int)index;
    }
    for (int i = r->rank; i < RANK; i++)
        if (*field[1 + i])
            return false;
    r->value = strtof(field[RANK + 1], &end);
    return !line && end > field[RANK + 1] && !*end && r->rank && *r->name;
}

/* Adds the tensor of rows[count], which are consecutive and have each element once. */
static bool add_tensor(dl_stored_weights *stored, const row *rows, int64_t count) {
    dl_shape shape = {rows[0].rank, {1, 1, 1, 1}};
    int64_t size = 1;
    for (int64_t n = 0; n < count; n++)
        for (int i = 0; i < shape.rank; i++)
            if (rows[n].index[i] >= shape.dim[i])
                shape.dim[i] = rows[n].index[i] + 1;
    for (int i = 0; i < shape.rank; i++)
        if (!dl_multiply(size, shape.dim[i], &size) || size > count)
            return false;
    float *values = dl_arena_alloc(&stored->arena, sizeof *values * (size_t)size);
    bool *seen = dl_arena_alloc(&stored->arena, sizeof *seen * (size_t)size), whole = size == count;
    for (int64_t n = 0; n < count && whole; n++) {
        int64_t at = 0;
        for (int i = 0; i < shape.rank; i++)
            at = at * shape.dim[i] + rows[n].index[i];
        whole = rows[n].rank == shape.rank && !seen[at];
        seen[at] = true;
        values[at] = rows[n].value;
    }
    if (whole)
        dl_stored_add(stored, rows[0].name, shape, values);
    return whole;
}

static int parse_all(dl_stored_weights *stored, char *text, row *rows, dl_error *error) {
    int64_t count = 0, first = 0;
    char *rest, *line = strtok_r(text, "\r\n", &rest);
    if (!line || strcmp(line, header) != 0)
        return dl_fail(error, DL_DATA, "%s:1: must be the line %s", stored->file, header);
    while ((line = strtok_r(NULL, "\r\n", &rest))) {
        if (!parse(line, &rows[count]))
            return dl_fail(error, DL_DATA,
                           "%s: number %lld: must be a name, one to four indices and a number",
                           stored->file, (long long)count + 1);
        count++;
    }
    for (int64_t n = 1; n <= count; n++)
        if (n == count || strcmp(rows[n].name, rows[first].name) != 0) {
            if (!add_tensor(stored, rows + first, n - first))
                return dl_fail(error, DL_DATA,
                               "%s: the tensor of numbers %lld to %lld does not have each of its "
                               "elements once",
                               stored->file, (long long)first + 1, (long long)n);
            first = n;
        }
    return 0;
}

static int load_csv(dl_stored_weights *stored, const char *path, dl_error *error) {
    int64_t size, lines = 1;
    char *text = dl_file_read(path, MOST_BYTES, &size, DL_DATA, error);
    stored->file = dl_arena_strdup(&stored->arena, path);
    for (int64_t i = 0; text && i < size; i++)
        lines += text[i] == '\n' || text[i] == '\r';
    row *rows = text ? xmalloc(sizeof *rows * (size_t)lines) : NULL;
    int result = text ? parse_all(stored, text, rows, error) : -1;
    free(rows);
    free(text);
    return result;
}

const dl_foreign_format dl_foreign_csv = {
    .name = "csv",
    .ending = ".csv",
    .help = "weights of small nets as a table: tensor,i,j,k,l,value",
    .write = write_csv,
    .load = load_csv,
};

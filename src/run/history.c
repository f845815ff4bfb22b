/* SPDX-License-Identifier: MIT */
#include "run/history.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

enum { MOST_COLUMNS = 4096, MOST_BYTES = 1 << 30 };

static void read_names(dl_history *h, char *line) {
    int columns = 1;
    for (const char *c = line; *c; c++)
        columns += *c == ',';
    h->name = xcalloc((size_t)columns, sizeof *h->name);
    for (char *rest = line, *name; h->columns < columns && (name = strsep(&rest, ","));)
        h->name[h->columns++] = xstrdup(name);
}

/* Parses a line into value[column][row], of `rows` rows. */
static bool read_row(dl_history *h, const char *line, int64_t row, int64_t rows) {
    for (int c = 0; c < h->columns; c++) {
        char *end;
        h->value[c * rows + row] = strtod(line, &end);
        if (end == line || *end != (c + 1 < h->columns ? ',' : '\0'))
            return false;
        line = end + 1;
    }
    return true;
}

const char *dl_history_row_end(const char *line, int columns) {
    char *end = NULL;
    for (int c = 0; c < columns; c++, line = end + 1) {
        strtod(line, &end);
        if (isspace((unsigned char)*line) || end == line || *end != (c + 1 < columns ? ',' : '\n'))
            return NULL;
    }
    return line;
}

/* A row has at least two bytes per column, which bounds the rows of a malformed file. */
static int read_rows(dl_history *h, char *text, const char *path, dl_error *error) {
    int64_t rows = 0, line = 1, most = (int64_t)strlen(text) / (2 * h->columns);
    for (const char *c = text; (c = strchr(c, '\n')) && rows < most; c++)
        rows++;
    h->value = xcalloc((size_t)(rows ? rows : 1) * (size_t)h->columns, sizeof *h->value);
    for (char *end; (end = strchr(text, '\n')); text = end + 1) {
        *end = '\0';
        line++;
        if (h->rows == rows || !read_row(h, text, h->rows++, rows))
            return dl_fail(error, DL_DATA, "%s:%lld: must be a row of %d numbers", path,
                           (long long)line, h->columns);
    }
    return 0;
}

int dl_history_read(dl_history *h, const char *path, dl_error *error) {
    int64_t size;
    char *text = dl_file_read(path, MOST_BYTES, &size, DL_DATA, error);
    if (!text)
        return -1;
    char *end = strchr(text, '\n');
    int result = 0;
    if (end)
        *end = '\0';
    if (!end || strncmp(text, "epoch,", 6))
        result = dl_fail(error, DL_DATA, "%s: is not the history of a run", path);
    if (!result) {
        read_names(h, text);
        if (h->columns > MOST_COLUMNS)
            result = dl_fail(error, DL_DATA, "%s: has %d columns", path, h->columns);
    }
    if (!result)
        result = read_rows(h, end + 1, path, error);
    free(text);
    return result;
}

const double *dl_history_column(const dl_history *h, const char *name) {
    for (int c = 0; c < h->columns; c++)
        if (!strcmp(h->name[c], name))
            return h->value + c * h->rows;
    return NULL;
}

void dl_history_free(dl_history *h) {
    for (int c = 0; c < h->columns; c++)
        free(h->name[c]);
    free(h->name);
    free(h->value);
    *h = (dl_history){0};
}

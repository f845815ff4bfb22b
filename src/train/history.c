/* What a run's folder tells to a diagnosis. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "train/diagnose.h"

enum { MOST_BYTES = 1 << 28 };

/* The number of a column of the heading; -1: there is none. */
static int find_column(const char *heading, const char *name) {
    size_t length = strlen(name);
    for (int column = 0;; column++) {
        size_t width = strcspn(heading, ",\r\n");
        if (width == length && !strncmp(heading, name, length))
            return column;
        if (heading[width] != ',')
            return -1;
        heading += width + 1;
    }
}

/* The number in a column of a line; NaN if it is not there. */
static double cell(const char *line, int column) {
    char *end;
    for (; column > 0; column--) {
        size_t width = strcspn(line, ",\n");
        if (line[width] != ',')
            return NAN;
        line += width + 1;
    }
    double value = strtod(line, &end);
    return column < 0 || end == line ? NAN : value;
}

static int read_rows(dl_history *h, const char *path, const char *text, dl_error *error) {
    static const char *const names[] = {"epoch", "train_loss", "val_loss", "val_accuracy"};
    double **to[] = {&h->epoch, &h->train, &h->val, &h->accuracy};
    int column[4];
    int64_t room = 0;
    for (int i = 0; i < 4; i++)
        column[i] = find_column(text, names[i]);
    if (column[0] < 0 || column[1] < 0)
        return dl_fail(error, DL_DATA, "%s: is no history of dltrain: there is no column %s", path,
                       names[column[0] < 0 ? 0 : 1]);
    h->has_val = column[2] >= 0;
    h->has_accuracy = column[3] >= 0;
    for (const char *c = text; *c; c++)
        room += *c == '\n';
    for (int i = 0; i < 4; i++)
        *to[i] = xmalloc(sizeof(double) * (size_t)(room + 1));
    for (const char *line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        if (!strchr(line + 1, '\n'))
            break; /* half a line */
        for (int i = 0; i < 4; i++)
            (*to[i])[h->rows] = cell(line + 1, column[i]);
        if (isnan(h->epoch[h->rows]) || isnan(h->train[h->rows]))
            return dl_fail(error, DL_DATA, "%s:%lld: is no row of a history", path,
                           (long long)h->rows + 2);
        h->rows++;
    }
    return 0;
}

/* The log's line of the baseline, and the last error in it. */
static void read_log(dl_history *h, char *text) {
    const char *line = strstr(text, "\nbaseline ");
    const char *share = line ? strstr(line + 1, "is right for ") : NULL;
    if (share && share < line + 1 + strcspn(line + 1, "\n"))
        h->baseline = strtod(share + strlen("is right for "), NULL) / 100;
    char *last = NULL;
    for (char *at = text; (at = strstr(at, "\ndltrain: diverged")); at++)
        last = at;
    if (!last)
        return;
    last += strlen("\ndltrain: ");
    last[strcspn(last, "\n")] = '\0';
    h->diverged = xstrdup(last);
}

/* NULL: it is not there, or cannot be read, which is no fault. */
static char *read_beside(const char *folder, const char *name) {
    char *path = dl_path_join(folder, name), *text = NULL;
    dl_error ignored = {0};
    int64_t size;
    if (dl_file_exists(path))
        text = dl_file_read(path, MOST_BYTES, &size, DL_DATA, &ignored);
    dl_error_clear(&ignored);
    free(path);
    return text;
}

int dl_history_read(dl_history *h, const char *path, dl_error *error) {
    *h = (dl_history){.baseline = NAN};
    if (!dl_file_exists(path))
        return dl_fail(error, DL_DATA, "%s: %s", path, strerror(errno));
    bool folder = dl_file_is_folder(path);
    char *file = folder ? dl_path_join(path, "history.csv") : xstrdup(path);
    int64_t size;
    char *text = dl_file_read(file, MOST_BYTES, &size, DL_DATA, error);
    int result = text ? read_rows(h, file, text, error) : -1;
    free(text);
    free(file);
    if (result || !folder)
        return result;
    char *log = read_beside(path, "log.txt"), *config = read_beside(path, "config.cfg");
    if (log)
        read_log(h, log);
    if (config) { /* the resolved one: without comments */
        h->dropout = strstr(config, "dropout\"") != NULL;
        h->augment = strstr(config, "augment =") != NULL;
    }
    free(log);
    free(config);
    return 0;
}

void dl_history_free(dl_history *h) {
    free(h->epoch);
    free(h->train);
    free(h->val);
    free(h->accuracy);
    free(h->diverged);
    *h = (dl_history){0};
}

/* SPDX-License-Identifier: MIT */
/* What a run's folder tells to a diagnosis. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "inspect/diagnose.h"

enum { MOST_BYTES = 1 << 28 };

static int take_columns(dl_symptoms *s, const char *path, dl_error *error) {
    const dl_history *h = &s->history;
    s->rows = h->rows;
    s->epoch = dl_history_column(h, "epoch");
    s->train = dl_history_column(h, "train_loss");
    s->val = dl_history_column(h, "val_loss");
    s->accuracy = dl_history_column(h, "val_accuracy");
    if (s->epoch && s->train)
        return 0;
    return dl_fail(error, DL_DATA, "%s: is no history of dltrain: there is no column %s", path,
                   s->epoch ? "train_loss" : "epoch");
}

/* The log's lines of the loss before training and the baseline, and the last error in it. */
static void read_log(dl_symptoms *s, char *text) {
    const char *loss = strstr(text, "\nloss "), *word = " expected before training";
    char *end = NULL;
    double expected = loss ? strtod(loss + strlen("\nloss "), &end) : NAN;
    s->expected = loss && !strncmp(end, word, strlen(word)) ? expected : NAN;
    if (loss && !strncmp(end, word, strlen(word)))
        s->initial = strtod(end + strlen(word) + 1, NULL);
    const char *line = strstr(text, "\nbaseline ");
    const char *share = line ? strstr(line + 1, "is right for ") : NULL;
    if (share && share < line + 1 + strcspn(line + 1, "\n"))
        s->baseline = strtod(share + strlen("is right for "), NULL) / 100;
    char *last = NULL;
    for (char *at = text; (at = strstr(at, "\ndltrain: diverged")); at++)
        last = at;
    if (!last)
        return;
    last += strlen("\ndltrain: ");
    last[strcspn(last, "\n")] = '\0';
    s->diverged = xstrdup(last);
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

int dl_symptoms_read(dl_symptoms *s, const char *path, dl_error *error) {
    *s = (dl_symptoms){.expected = NAN, .initial = NAN, .baseline = NAN};
    if (!dl_file_exists(path))
        return dl_fail(error, DL_DATA, "%s: %s", path, strerror(errno));
    bool folder = dl_file_is_folder(path);
    char *file = folder ? dl_path_join(path, "history.csv") : xstrdup(path);
    int result = dl_history_read(&s->history, file, error);
    if (!result)
        result = take_columns(s, file, error);
    free(file);
    if (result || !folder)
        return result;
    char *log = read_beside(path, "log.txt"), *config = read_beside(path, "config.cfg");
    if (log)
        read_log(s, log);
    if (config) { /* the resolved one: without comments */
        s->dropout = strstr(config, "dropout\"") != NULL;
        s->augment = strstr(config, "augment =") != NULL;
    }
    free(log);
    free(config);
    return 0;
}

void dl_symptoms_free(dl_symptoms *s) {
    dl_history_free(&s->history);
    free(s->diverged);
    *s = (dl_symptoms){0};
}

#include "train/run.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static const char *const run_files[] = {"config.cfg", "history.csv", "last.safetensors",
                                        "best.safetensors", "log.txt"};

char *dl_run_path(const dl_run *run, const char *name) {
    return dl_path_join(run->folder, name);
}

static bool is_empty(const char *folder) {
    DIR *directory = opendir(folder);
    bool empty = true;
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        empty &= !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
    if (directory)
        closedir(directory);
    return empty;
}

/* Makes runs/NAME or the first free runs/NAME.n. */
static char *create_numbered(const char *name, dl_error *error) {
    if (dl_folder_create("runs", error))
        return NULL;
    for (int number = 1; number < 1000000; number++) {
        dl_text path = {0};
        dl_text_add(&path, "runs/%s", name);
        if (number > 1)
            dl_text_add(&path, ".%d", number);
        if (mkdir(path.data, 0777) == 0)
            return path.data;
        int reason = errno;
        if (reason != EEXIST) {
            dl_fail(error, DL_FAILURE, "%s: cannot be created: %s", path.data, strerror(reason));
            dl_text_free(&path);
            return NULL;
        }
        dl_text_free(&path);
    }
    dl_fail(error, DL_FAILURE, "runs/%s: has been run a million times", name);
    return NULL;
}

static char *create_given(const char *out, bool force, dl_error *error) {
    if (dl_file_is_folder(out) && !is_empty(out)) {
        if (!force) {
            dl_fail(error, DL_USAGE,
                    "%s: is there already and not empty (--force replaces the run in it, "
                    "--resume %s goes on with it)",
                    out, out);
            return NULL;
        }
        for (size_t i = 0; i < sizeof run_files / sizeof *run_files; i++) {
            char *path = dl_path_join(out, run_files[i]);
            unlink(path);
            free(path);
        }
    }
    return dl_folder_create(out, error) ? NULL : xstrdup(out);
}

/* runs/latest -> the run; a convenience, so that a file system without links is no error. */
static void point_latest(const char *folder) {
    char *target = realpath(folder, NULL), *runs = realpath("runs", NULL);
    if (!target || !runs) {
        if (target && !mkdir("runs", 0777))
            runs = realpath("runs", NULL);
    }
    if (target && runs) {
        size_t length = strlen(runs);
        bool inside = !strncmp(target, runs, length) && target[length] == '/';
        unlink("runs/latest");
        if (symlink(inside ? target + length + 1 : target, "runs/latest"))
            errno = 0;
    }
    free(target);
    free(runs);
}

static int open_files(dl_run *run, dl_terminal *terminal, const char *mode, dl_error *error) {
    char *history = dl_run_path(run, "history.csv"), *log = dl_run_path(run, "log.txt");
    run->history = fopen(history, "ae");
    terminal->log = fopen(log, mode);
    int result = 0;
    if (!run->history || !terminal->log)
        result = dl_fail(error, DL_FAILURE, "%s: cannot be written: %s",
                         run->history ? log : history, strerror(errno));
    free(history);
    free(log);
    return result;
}

static dl_text header(const dl_experiment *e) {
    dl_text line = {0};
    dl_text_add(&line, "epoch,step,seconds,learning_rate,train_loss");
    for (int m = 0; m < e->metric_count; m++)
        dl_text_add(&line, ",train_%s", e->metrics[m]->name);
    if (e->data.part[DL_VALIDATION].count) {
        dl_text_add(&line, ",val_loss");
        for (int m = 0; m < e->metric_count; m++)
            dl_text_add(&line, ",val_%s", e->metrics[m]->name);
    }
    dl_text_add(&line, ",samples_per_second,data_seconds,forward_seconds,backward_seconds,"
                       "update_seconds\n");
    return line;
}

int dl_run_create(dl_run *run, dl_terminal *terminal, const dl_experiment *e, const char *out,
                  bool force, dl_error *error) {
    run->folder = out ? create_given(out, force, error) : create_numbered(e->name, error);
    if (!run->folder)
        return -1;
    dl_text config = {0}, first = header(e);
    dl_config_dump(e->config, &config);
    char *path = dl_run_path(run, "config.cfg"), *history = dl_run_path(run, "history.csv");
    int result = dl_file_write(path, config.data, config.length, error);
    if (!result)
        result = dl_file_write(history, first.data, first.length, error);
    if (!result)
        result = open_files(run, terminal, "we", error);
    if (!result)
        point_latest(run->folder);
    dl_text_free(&config);
    dl_text_free(&first);
    free(path);
    free(history);
    return result;
}

int dl_run_reopen(dl_run *run, dl_terminal *terminal, const char *folder, const dl_experiment *e,
                  int64_t epoch, dl_error *error) {
    run->folder = xstrdup(folder);
    char *path = dl_run_path(run, "history.csv");
    dl_text kept = header(e);
    int64_t size;
    char *old = dl_file_exists(path) ? dl_file_read(path, INT64_MAX / 4, &size, DL_DATA, error)
                                     : xstrdup("");
    if (!old) {
        dl_text_free(&kept);
        free(path);
        return -1;
    }
    const char *line = strchr(old, '\n');
    for (line = line ? line + 1 : ""; *line;) { /* only whole lines */
        const char *end = strchr(line, '\n');
        if (!end || strtoll(line, NULL, 10) > epoch)
            break;
        dl_text_add_bytes(&kept, line, (size_t)(end + 1 - line));
        line = end + 1;
    }
    int result = dl_file_write(path, kept.data, kept.length, error);
    if (!result)
        result = open_files(run, terminal, "ae", error);
    dl_text_free(&kept);
    free(old);
    free(path);
    return result;
}

int dl_run_add_row(dl_run *run, const dl_experiment *e, const dl_row *row, dl_error *error) {
    FILE *f = run->history;
    fprintf(f, "%lld,%lld,%.3f,%.9g,%.9g", (long long)row->epoch, (long long)row->step,
            row->seconds, row->rate, row->train_loss);
    for (int m = 0; m < e->metric_count; m++)
        fprintf(f, ",%.9g", row->train_metric[m]);
    if (e->data.part[DL_VALIDATION].count) {
        fprintf(f, ",%.9g", row->val_loss);
        for (int m = 0; m < e->metric_count; m++)
            fprintf(f, ",%.9g", row->val_metric[m]);
    }
    fprintf(f, ",%.1f", row->samples_per_second);
    for (int p = 0; p < DL_PHASES; p++)
        fprintf(f, ",%.3f", row->phase[p]);
    fprintf(f, "\n");
    if (fflush(f) || ferror(f))
        return dl_fail(error, DL_FAILURE, "%s/history.csv: cannot be written: %s", run->folder,
                       strerror(errno));
    return 0;
}

void dl_run_close(dl_run *run) {
    if (run->history)
        fclose(run->history);
    free(run->folder);
    *run = (dl_run){0};
}

char *dl_run_find_checkpoint(const char *path, bool last, dl_error *error) {
    if (!dl_file_exists(path)) {
        dl_fail(error, DL_DATA, "%s: %s", path, strerror(errno));
        return NULL;
    }
    if (!dl_file_is_folder(path))
        return xstrdup(path);
    char *found = dl_path_join(path, last ? "last.safetensors" : "best.safetensors");
    if (!last && !dl_file_exists(found)) {
        free(found);
        found = dl_path_join(path, "last.safetensors");
    }
    if (dl_file_exists(found))
        return found;
    dl_fail(error, DL_DATA, "%s: has no checkpoint (no run has written one there yet)", path);
    free(found);
    return NULL;
}

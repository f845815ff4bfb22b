/* SPDX-License-Identifier: MIT */
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "run/history.h"
#include "run/replacement.h"

char *dl_run_path(const dl_run *run, const char *name) {
    return dl_path_join(run->folder, name);
}

/* Creates runs/NAME or the first free runs/NAME.n. */
static char *create_numbered(const char *name, dl_error *error) {
    if (dl_folder_create("runs", error))
        return NULL;
    for (int number = 1; number < 1000000; number++) {
        dl_text path = {0};
        dl_text_add(&path, "runs/%s", name);
        if (number > 1)
            dl_text_add(&path, ".%d", number);
        if (mkdir(path.data, 0777) == 0 && dl_folder_flush(path.data) == 0)
            return path.data;
        int reason = errno;
        if (reason != EEXIST) {
            dl_fail(error, DL_FAILURE, "%s: cannot be created: %s", path.data, strerror(reason));
            dl_text_free(&path);
            return NULL;
        }
        dl_text_free(&path);
    }
    dl_fail(error, DL_FAILURE, "runs/%s: all numbers up to a million are taken", name);
    return NULL;
}

/* Creates the folder `out`. *created: it did not exist. */
static char *create_given(const char *out, bool force, bool *created, dl_error *error) {
    *created = !dl_file_exists(out);
    if (!force && dl_file_is_folder(out) && !dl_folder_is_empty(out)) {
        dl_fail(error, DL_FAILURE,
                "%s: exists and is not empty (--force replaces the run in it, --resume %s "
                "continues it)",
                out, out);
        return NULL;
    }
    return dl_folder_create(out, error) ? NULL : xstrdup(out);
}

/* Keeps two trainings out of one folder. A file system without locks is no error. */
static int lock_folder(dl_run *run, dl_error *error) {
    struct stat locked, now;
    run->lock = open(run->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (run->lock < 0)
        return 0;
    bool used = flock(run->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
    if (!used && !fstat(run->lock, &locked)) /* it may have been replaced before the lock */
        used = stat(run->folder, &now) || now.st_ino != locked.st_ino;
    return used ? dl_fail(error, DL_FAILURE, "%s: in use by another dltrain", run->folder) : 0;
}

/* runs/latest -> the run; a convenience, so that a file system without links is no error. */
static void point_latest(const char *folder) {
    mkdir("runs", 0777);
    char *target = realpath(folder, NULL), *runs = realpath("runs", NULL);
    if (target && runs) {
        size_t length = strlen(runs);
        bool inside = !strncmp(target, runs, length) && target[length] == '/';
        unlink("runs/.latest");
        if (symlink(inside ? target + length + 1 : target, "runs/.latest") ||
            rename("runs/.latest", "runs/latest"))
            unlink("runs/.latest");
    }
    free(target);
    free(runs);
}

static int open_files(dl_run *run, dl_terminal *terminal, const char *mode, dl_error *error) {
    char *history = dl_run_path(run, "history.csv"), *log = dl_run_path(run, "log.txt");
    run->history = open(history, O_WRONLY | O_APPEND | O_CLOEXEC);
    FILE *file = run->history < 0 ? NULL : fopen(log, mode);
    int result = 0;
    if (file)
        dl_terminal_set_log(terminal, file);
    else
        result = dl_fail(error, DL_FAILURE, "%s: cannot be written: %s",
                         run->history < 0 ? history : log, strerror(errno));
    free(history);
    free(log);
    return result;
}

/* split.csv: part and source of each row of the training file; only written if it is split. */
static int write_split(dl_writer *writer, const dl_run *run, const dl_model *model,
                       dl_error *error) {
    const dl_data *data = &model->data;
    if (!data->digest[0])
        return 0;
    char *path = dl_run_path(run, "split.csv");
    int result = dl_writer_open(writer, path, error);
    free(path);
    if (result)
        return -1;
    fputs("row,part,source\n", writer->file);
    for (int64_t row = 0; row < data->dataset[DL_TRAIN].count; row++) {
        dl_text source = {0}, field = {0};
        dl_dataset_add_source(&data->dataset[DL_TRAIN], row, &source);
        dl_text_add_field(&field, source.data);
        fprintf(writer->file, "%lld,%s,%s\n", (long long)row, dl_split_names[data->part_of[row]],
                field.data);
        dl_text_free(&source);
        dl_text_free(&field);
    }
    return dl_writer_finish(writer, error);
}

static int write_config(const dl_run *run, const dl_model *model, dl_error *error) {
    dl_text config = {0};
    dl_config_dump(model->config, &config);
    char *path = dl_run_path(run, "config.cfg");
    int result = dl_file_write(path, config.data, config.length, error);
    dl_text_free(&config);
    free(path);
    return result;
}

enum { CONFIG, HISTORY, LOG, SPLIT, FIRST_FILES };
_Static_assert((int)FIRST_FILES == DL_RUN_FIRST_RESULT, "the files that a run starts with");

/* Writes the first files of a run under temporary names. */
static int prepare(dl_writer writers[FIRST_FILES], const dl_run *run, const dl_model *model,
                   const char *header, dl_error *error) {
    dl_text config = {0};
    dl_config_dump(model->config, &config);
    const char *content[] = {[CONFIG] = dl_text_get(&config), [HISTORY] = header, [LOG] = ""};
    int result = 0;
    for (int i = 0; i < SPLIT && !result; i++) {
        char *path = dl_run_path(run, dl_run_files[i]);
        result = dl_writer_open(&writers[i], path, error);
        free(path);
        if (!result) {
            fputs(content[i], writers[i].file);
            result = dl_writer_finish(&writers[i], error);
        }
    }
    dl_text_free(&config);
    return result ? -1 : write_split(&writers[SPLIT], run, model, error);
}

/* An older run is removed only once the new files are on the disk, and its weights first: even if
   killed, the folder never has the weights of one run and the config of another. */
static int begin(dl_run *run, dl_terminal *terminal, const dl_model *model, const char *header,
                 dl_error *error) {
    dl_writer writers[FIRST_FILES] = {0};
    int result = prepare(writers, run, model, header, error);
    if (!result) {
        dl_run_remove_files(run->folder, writers[SPLIT].path ? FIRST_FILES : SPLIT);
        char *config = dl_run_path(run, "config.cfg");
        if (dl_folder_flush(config))
            result = dl_fail(error, DL_FAILURE, "%s: cannot be flushed to the disk: %s",
                             run->folder, strerror(errno));
        free(config);
    }
    for (int i = 0; i < FIRST_FILES && !result; i++)
        if (writers[i].path)
            result = dl_writer_commit(&writers[i], error);
    for (int i = 0; i < FIRST_FILES; i++)
        dl_writer_abort(&writers[i]);
    if (result)
        return -1;
    dl_folder_remove_temporaries(run->folder);
    return open_files(run, terminal, "ae", error);
}

static bool has_weights(const char *folder) {
    char *best = dl_path_join(folder, "best.safetensors");
    char *last = dl_path_join(folder, "last.safetensors");
    bool has = dl_file_exists(best) || dl_file_exists(last);
    free(best);
    free(last);
    return has;
}

/* The weights of an older run stay until the new one has some: it starts in a hidden folder. */
static int start_hidden(dl_run *run, dl_error *error) {
    char *hidden = has_weights(run->folder) ? dl_replacement_create(run->folder) : NULL;
    if (!hidden)
        return 0;
    run->replaces = run->folder;
    run->replaced_lock = run->lock;
    run->folder = hidden;
    return lock_folder(run, error);
}

int dl_run_create(dl_run *run, dl_terminal *terminal, const dl_model *model, const char *header,
                  const char *out, bool force, dl_error *error) {
    bool created = true;
    if (out)
        dl_replacement_restore(out);
    run->folder =
        out ? create_given(out, force, &created, error) : create_numbered(model->name, error);
    if (!run->folder || lock_folder(run, error))
        return -1;
    dl_replacement_clean(run->folder);
    if (!start_hidden(run, error) && !begin(run, terminal, model, header, error)) {
        if (!run->replaces)
            point_latest(run->folder);
        return 0;
    }
    if (created || !force) /* the folder was new, or empty */
        dl_run_remove_files(run->folder, 0);
    if (created)
        rmdir(run->folder);
    return -1;
}

int dl_run_install(dl_run *run, dl_error *error) {
    if (!run->replaces)
        return 0;
    if (dl_replacement_install(run->folder, run->replaces, error))
        return -1;
    free(run->folder);
    run->folder = run->replaces;
    run->replaces = NULL;
    close(run->replaced_lock);
    point_latest(run->folder);
    return 0;
}

/* The line of the epoch, after which *rows is set; NULL: none. Lines that are torn or out of order
   are skipped. */
static const char *next_row(const char **rows, int64_t epoch, int columns) {
    while (**rows) {
        const char *line = *rows, *end = dl_history_row_end(line, columns);
        int64_t number = end ? strtoll(line, NULL, 10) : 0;
        if (end && number > epoch)
            return NULL;
        *rows = end ? end : line + strcspn(line, "\n");
        *rows += !end && **rows;
        if (end && number == epoch)
            return line;
    }
    return NULL;
}

/* Rows are on the disk before the checkpoint that counts them, but a history can be edited or
   truncated by its user, and a disk can lie. */
static void repair_history(dl_text *kept, dl_terminal *terminal, const char *path, const char *old,
                           const char *saved, int64_t epochs) {
    int columns = 1;
    for (const char *c = kept->data; *c; c++)
        columns += *c == ',';
    int64_t rows = 0, restored = 0, example = 0;
    for (int64_t epoch = 1; epoch <= epochs; epoch++) {
        const char *line = next_row(&old, epoch, columns);
        const char *copy = next_row(&saved, epoch, columns);
        if (!line && copy && !example)
            example = epoch;
        restored += !line && copy;
        line = line ? line : copy;
        rows += line != NULL;
        if (line)
            dl_text_add_bytes(kept, line, strcspn(line, "\n") + 1);
    }
    if (restored)
        dl_say(terminal,
               "warning: %s lacked rows of %lld of the checkpoint's %lld epochs, such as %lld: "
               "restored from the checkpoint, without their times",
               path, (long long)restored, (long long)epochs, (long long)example);
    if (rows < epochs)
        dl_say(terminal,
               "warning: %s has rows of only %lld of the checkpoint's %lld epochs: the others "
               "are missing from curves and comparisons",
               path, (long long)rows, (long long)epochs);
}

int dl_run_reopen(dl_run *run, dl_terminal *terminal, const char *folder, const dl_model *model,
                  const char *header, int64_t epoch, const char *rows, dl_error *error) {
    run->folder = xstrdup(folder);
    if (lock_folder(run, error))
        return -1;
    char *path = dl_run_path(run, "history.csv");
    dl_text kept = {0};
    dl_text_add(&kept, "%s", header);
    int64_t size;
    char *old = dl_file_exists(path) ? dl_file_read(path, INT64_MAX / 4, &size, DL_DATA, error)
                                     : xstrdup("");
    if (!old) {
        dl_text_free(&kept);
        free(path);
        return -1;
    }
    const char *line = strchr(old, '\n');
    repair_history(&kept, terminal, path, line ? line + 1 : "", rows, epoch);
    int result = dl_file_write(path, kept.data, kept.length, error);
    if (!result)
        result = open_files(run, terminal, "ae", error);
    dl_writer split = {0};
    if (!result)
        result = write_config(run, model, error);
    if (!result)
        result = write_split(&split, run, model, error);
    if (!result && split.path)
        result = dl_writer_commit(&split, error);
    dl_writer_abort(&split);
    if (!result) {
        dl_run_remove_epochs(folder, epoch);
        dl_folder_remove_temporaries(folder);
        dl_replacement_clean(folder);
        point_latest(folder);
    }
    dl_text_free(&kept);
    free(old);
    free(path);
    return result;
}

/* On a full disk, a partial line is removed. */
int dl_run_add_row(dl_run *run, const char *line, dl_error *error) {
    off_t before = lseek(run->history, 0, SEEK_END);
    errno = ENOSPC; /* the reason for a short write */
    ssize_t written = write(run->history, line, strlen(line));
    int result = 0;
    if (written != (ssize_t)strlen(line)) {
        result = dl_fail(error, DL_FAILURE, "%s/history.csv: cannot be written: %s", run->folder,
                         strerror(errno));
        if (before >= 0 && ftruncate(run->history, before))
            errno = 0; /* a resumed run reads whole lines only */
    }
    return result;
}

void dl_run_close(dl_run *run) {
    if (!run->folder)
        return;
    if (run->replaces) { /* it has no checkpoint */
        dl_replacement_clean(run->replaces);
        close(run->replaced_lock);
    }
    if (run->history > 0)
        close(run->history);
    if (run->lock > 0)
        close(run->lock);
    free(run->folder);
    free(run->replaces);
    *run = (dl_run){0};
}

int dl_run_check_resumable(const char *path, dl_error *error) {
    dl_replacement_restore(path);
    if (!dl_file_exists(path))
        return dl_fail(error, DL_DATA, "%s: %s", path, strerror(errno));
    if (dl_file_is_folder(path))
        return 0;
    const char *slash = strrchr(path, '/');
    return dl_fail(error, DL_DATA, "%s: is a file; --resume takes the run's folder (%.*s)", path,
                   slash ? (int)(slash - path) : 1, slash ? path : ".");
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
    dl_fail(error, DL_DATA, "%s: has no checkpoint yet", path);
    free(found);
    return NULL;
}

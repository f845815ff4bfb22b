/* SPDX-License-Identifier: MIT */
#include "run/checkpoint_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/terminal.h"
#include "run/safetensors.h"

static const char *const names[DL_CHECKPOINTS] = {"best.safetensors", "last.safetensors"};
static const double INTERVAL = 1; /* second */

static void drop(dl_pending_checkpoint *held) {
    free(held->bytes);
    *held = (dl_pending_checkpoint){0};
}

/* Rows reach the disk before the checkpoint that counts them. */
static int flush_history(const dl_checkpoint_writer *k, dl_error *error) {
    if (k->history <= 0 || !fdatasync(k->history))
        return 0;
    return dl_fail(error, DL_FAILURE, "%s/history.csv: cannot be flushed to the disk: %s",
                   k->folder, strerror(errno));
}

static int save(dl_checkpoint_writer *k, int which, const dl_checkpoint_content *content,
                dl_error *error) {
    if (flush_history(k, error))
        return -1;
    char *path = dl_path_join(k->folder, names[which]);
    int result = dl_checkpoint_save(path, k->model, content, error);
    if (!result)
        drop(&k->held[which]);
    free(path);
    return result;
}

static int flush(dl_checkpoint_writer *k, int which, dl_error *error) {
    dl_pending_checkpoint *held = &k->held[which];
    if (!held->bytes)
        return 0;
    if (flush_history(k, error))
        return -1;
    char *path = dl_path_join(k->folder, names[which]);
    int result = dl_safetensors_write_encoded(path, held->bytes, held->size, error);
    if (!result)
        drop(held);
    free(path);
    return result;
}

static void hold(dl_checkpoint_writer *k, int which, const dl_checkpoint_content *content) {
    dl_pending_checkpoint *held = &k->held[which];
    drop(held);
    held->bytes = dl_checkpoint_encode(k->model, content, &held->size);
}

int dl_checkpoint_writer_add(dl_checkpoint_writer *k, const dl_checkpoint_content *content,
                             bool is_best, dl_error *error) {
    if (k->written > 0 && dl_clock() - k->written < INTERVAL) {
        if (is_best)
            hold(k, DL_CHECKPOINT_BEST, content);
        hold(k, DL_CHECKPOINT_LAST, content);
        return 0;
    }
    if (is_best && save(k, DL_CHECKPOINT_BEST, content, error))
        return -1;
    return dl_checkpoint_writer_save(k, content, error);
}

int dl_checkpoint_writer_save(dl_checkpoint_writer *k, const dl_checkpoint_content *content,
                              dl_error *error) {
    if (flush(k, DL_CHECKPOINT_BEST, error) || save(k, DL_CHECKPOINT_LAST, content, error))
        return -1;
    k->written = dl_clock();
    return 0;
}

int dl_checkpoint_writer_flush(dl_checkpoint_writer *k, dl_error *error) {
    return flush(k, DL_CHECKPOINT_BEST, error) || flush(k, DL_CHECKPOINT_LAST, error) ? -1 : 0;
}

void dl_checkpoint_writer_close(dl_checkpoint_writer *k) {
    for (int which = 0; which < DL_CHECKPOINTS; which++)
        drop(&k->held[which]);
}

/* SPDX-License-Identifier: MIT */
#include "train/recorder.h"

#include <math.h>
#include <stdlib.h>

#include "run/replacement.h"

static void open_facts(dl_recorder *r, const dl_trainer *t) {
    dl_error ignored = {0}; /* they may have been deleted */
    dl_facts *f = &r->facts;
    const dl_model *model = &t->e->model;
    int class;
    *f = (dl_facts){.expected_loss = t->expected_loss, .initial_loss = t->initial_loss};
    if (r->location.resume)
        dl_facts_read(f, r->location.resume, &ignored);
    free(f->message);
    f->message = NULL;
    dl_facts_set_data_folders(f, r->run.folder, model->config->name);
    dl_error_clear(&ignored);
    f->ended = DL_RUNNING;
    f->baseline = dl_model_baseline(
        model, model->data.part[DL_VALIDATION].count ? DL_VALIDATION : DL_TRAIN, &class);
    f->parameters = model->net.weight_count;
    for (int s = 0; s < DL_SPLITS; s++)
        f->rows[s] = model->data.part[s].count;
}

static int start(dl_recorder *r, const dl_trainer *t, dl_error *error) {
    const dl_run_location *location = &r->location;
    const dl_experiment *e = t->e;
    dl_text header = dl_row_header(e);
    int result = location->resume
                     ? dl_run_reopen(&r->run, r->terminal, location->resume, &e->model, header.data,
                                     t->progress.epoch, dl_text_get(&t->progress.rows), error)
                     : dl_run_create(&r->run, r->terminal, &e->model, header.data, location->out,
                                     location->force, error);
    dl_text_free(&header);
    if (result)
        return -1;
    r->writer = (dl_checkpoint_writer){
        .folder = r->run.folder, .model = &e->model, .history = r->run.history};
    open_facts(r, t);
    if (dl_facts_write(&r->facts, r->run.folder, error))
        return -1;
    return e->settings.tensorboard
               ? dl_tensorboard_open(&r->board, r->run.folder, t->progress.epoch, error)
               : 0;
}

typedef struct {
    dl_arena arena;
    dl_scalar list[2 * DL_MAX_RUN_METRICS + DL_MAX_HEADS + 8];
    int count;
} scalars;

static void add_scalar(void *context, const dl_measurement *column) {
    scalars *s = context;
    if (column->tag)
        s->list[s->count++] = (dl_scalar){dl_arena_strdup(&s->arena, column->tag), column->value};
}

static int add_events(dl_recorder *r, const dl_experiment *e, const dl_row *row, dl_error *error) {
    scalars s = {.count = 0};
    if (!r->board.file)
        return 0;
    dl_row_visit(e, row, add_scalar, &s);
    int result = dl_tensorboard_add_epoch(&r->board, &e->model, row->epoch, s.list, s.count, error);
    dl_arena_free(&s.arena);
    return result;
}

/* An older run is replaced once this one has a checkpoint. */
static int install(dl_recorder *r, dl_error *error) {
    int result = r->writer.written > 0 ? dl_run_install(&r->run, error) : 0;
    r->writer.folder = r->run.folder;
    return result;
}

/* training.checkpoint_every */
static int keep_epoch(const dl_recorder *r, const dl_experiment *e, int64_t epoch,
                      const dl_checkpoint_content *content, dl_error *error) {
    if (!e->settings.checkpoint_every || epoch % e->settings.checkpoint_every)
        return 0;
    char *path = dl_run_epoch_path(r->run.folder, epoch);
    int result = dl_checkpoint_save(path, &e->model, content, error);
    free(path);
    return result;
}

static int add_epoch(dl_recorder *r, const dl_event *event, dl_error *error) {
    const dl_trainer *t = event->trainer;
    dl_text line = dl_row_line(t->e, event->row);
    int result = dl_run_add_row(&r->run, line.data, error);
    dl_text_free(&line);
    if (result || add_events(r, t->e, event->row, error))
        return -1;
    dl_checkpoint_content content = dl_training_state_content(&t->state, t->e);
    result = keep_epoch(r, t->e, event->row->epoch, &content, error);
    if (!result)
        result = dl_checkpoint_writer_add(&r->writer, &content, event->best, error);
    dl_checkpoint_content_free(&content);
    return result ? -1 : install(r, error);
}

static int save(dl_recorder *r, const dl_trainer *t, dl_error *error) {
    dl_checkpoint_content content = dl_training_state_content(&t->state, t->e);
    int result = dl_checkpoint_writer_save(&r->writer, &content, error);
    dl_checkpoint_content_free(&content);
    return result ? -1 : install(r, error);
}

/* A failed training keeps the checkpoints of its last complete epoch. Only its first error is
   reported, even if writing fails too. */
static int end(dl_recorder *r, dl_ending ending, dl_error *error) {
    dl_facts *f = &r->facts;
    dl_error ignored = {0};
    bool failed = error->count > 0;
    if (!r->writer.folder)
        return 0;
    int result = dl_checkpoint_writer_flush(&r->writer, failed ? &ignored : error);
    if (failed && r->writer.written > 0)
        dl_say(r->terminal, "kept        the checkpoints of the previous epochs, in %s",
               r->run.folder);
    if (failed && r->run.replaces)
        dl_say(r->terminal, "kept        the older run in %s, as the new one has no checkpoint",
               r->run.replaces);
    f->ended = result && !failed ? DL_ENDED_FAILED : ending;
    f->message = failed ? xstrdup(dl_text_get(&error->text)) : NULL;
    result |= dl_facts_write(f, r->run.folder, error->count ? &ignored : error);
    dl_error_clear(&ignored);
    return failed ? 0 : result;
}

int dl_recorder_on_event(void *recorder, const dl_event *event, dl_error *error) {
    switch (event->kind) {
    case DL_EVENT_STARTED:
        return start(recorder, event->trainer, error);
    case DL_EVENT_EPOCH:
        return add_epoch(recorder, event, error);
    case DL_EVENT_SAVE:
        return save(recorder, event->trainer, error);
    case DL_EVENT_ENDED:
        return end(recorder, event->ending, error);
    case DL_EVENT_STEP:
        break;
    }
    return 0;
}

void dl_recorder_close(dl_recorder *r) {
    dl_checkpoint_writer_close(&r->writer);
    dl_facts_free(&r->facts);
    dl_tensorboard_close(&r->board);
    dl_run_close(&r->run);
}

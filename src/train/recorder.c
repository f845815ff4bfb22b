/* SPDX-License-Identifier: MIT */
#include "train/recorder.h"

#include <math.h>
#include <stdlib.h>

static void open_facts(dl_recorder *r, const dl_model *model, const char *resumed) {
    dl_error ignored = {0}; /* they may have been deleted */
    dl_facts *f = &r->facts;
    int class;
    *f = (dl_facts){.expected_loss = NAN, .initial_loss = NAN};
    if (resumed)
        dl_facts_read(f, resumed, &ignored);
    dl_facts_free(f);
    dl_error_clear(&ignored);
    f->ended = DL_RUNNING;
    f->baseline = dl_model_baseline(
        model, model->data.part[DL_VALIDATION].count ? DL_VALIDATION : DL_TRAIN, &class);
    f->parameters = model->net.weight_count;
    for (int s = 0; s < DL_SPLITS; s++)
        f->rows[s] = model->data.part[s].count;
}

int dl_recorder_write_facts(const dl_recorder *r, dl_error *error) {
    return dl_facts_write(&r->facts, r->run.folder, error);
}

int dl_recorder_end(dl_recorder *r, dl_ending ending, dl_error *error) {
    dl_facts *f = &r->facts;
    dl_error ignored = {0}; /* what is reported is the error before it */
    if (!r->run.folder || r->run.history <= 0)
        return 0;
    f->ended = !error->count                ? ending
               : error->code == DL_DIVERGED ? DL_ENDED_DIVERGED
                                            : DL_ENDED_FAILED;
    if (error->count)
        f->message = xstrdup(dl_text_get(&error->text));
    int result = dl_recorder_write_facts(r, error->count ? &ignored : error);
    dl_error_clear(&ignored);
    return result;
}

int dl_recorder_open(dl_recorder *r, dl_terminal *terminal, const dl_experiment *e,
                     const dl_run_place *place, int64_t epoch, dl_error *error) {
    dl_text header = dl_row_header(e);
    int result = place->resume ? dl_run_reopen(&r->run, terminal, place->resume, &e->model,
                                               header.data, epoch, error)
                               : dl_run_create(&r->run, terminal, &e->model, header.data,
                                               place->out, place->force, error);
    dl_text_free(&header);
    if (!result && e->settings.tensorboard)
        result = dl_tensorboard_open(&r->board, r->run.folder, epoch, error);
    if (!result)
        open_facts(r, &e->model, place->resume);
    r->keeper = (dl_keeper){.folder = r->run.folder, .model = &e->model};
    return result;
}

/* The numbers of a row under TensorBoard's tags. */
typedef struct {
    dl_arena arena;
    dl_scalar list[2 * DL_METRICS + DL_MOST_HEADS + 8];
    int count;
} scalars;

static void add_scalar(scalars *s, const char *group, const char *name, double value) {
    s->list[s->count++] = (dl_scalar){dl_arena_printf(&s->arena, "%s/%s", group, name), value};
}

static void add_part(scalars *s, const dl_model *model, bool training, double loss,
                     const double *metric) {
    const char *part = training ? "train" : "validation";
    add_scalar(s, "loss", part, loss);
    for (int m = 0; m < model->metric_count; m++)
        if (!training || dl_metric_of_steps(model->metrics[m]))
            add_scalar(s, model->metrics[m]->name, part, metric[m]);
}

static int add_events(dl_recorder *r, const dl_experiment *e, const dl_row *row, dl_error *error) {
    const dl_model *model = &e->model;
    scalars s = {.count = 0};
    if (!r->board.file)
        return 0;
    add_part(&s, model, true, row->train_loss, row->train_metric);
    if (model->data.part[DL_VALIDATION].count)
        add_part(&s, model, false, row->val_loss, row->val_metric);
    for (int h = 0; h < model->net.head_count; h++)
        add_scalar(&s, "loss", dl_arena_printf(&s.arena, "train_%s", model->net.heads[h].name),
                   row->train_head[h]);
    if (dl_experiment_penalized(e))
        add_scalar(&s, "loss", "objective", row->train_objective);
    s.list[s.count++] = (dl_scalar){"learning_rate", row->rate};
    add_scalar(&s, "time", "epoch_seconds", row->seconds);
    add_scalar(&s, "time", "samples_per_second", row->samples_per_second);
    int result = dl_tensorboard_add_epoch(&r->board, model, row->epoch, s.list, s.count, error);
    dl_arena_free(&s.arena);
    return result;
}

int dl_recorder_add_epoch(dl_recorder *r, const dl_experiment *e, const dl_row *row,
                          const dl_training_state *state, bool best, dl_error *error) {
    dl_text line = dl_row_line(e, row);
    int result = dl_run_add_row(&r->run, line.data, error);
    dl_text_free(&line);
    if (result || add_events(r, e, row, error))
        return -1;
    dl_content content = dl_training_state_content(state, e);
    result = dl_keeper_keep(&r->keeper, &content, best, error);
    dl_content_free(&content);
    return result;
}

int dl_recorder_save(dl_recorder *r, const dl_experiment *e, const dl_training_state *state,
                     dl_error *error) {
    dl_content content = dl_training_state_content(state, e);
    int result = dl_keeper_save(&r->keeper, &content, error);
    dl_content_free(&content);
    return result;
}

void dl_recorder_close(dl_recorder *r) {
    dl_keeper_close(&r->keeper);
    dl_facts_free(&r->facts);
    dl_tensorboard_close(&r->board);
    dl_run_close(&r->run);
}

/* SPDX-License-Identifier: MIT */
#include "cmd/test_predictions.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "library/net.h"

int test_predictions_open(test_predictions *p, const dl_model *model, dl_split part,
                          const char *path, bool together, bool vote, dl_error *error) {
    const net_answer answer = {together, vote, -1};
    if (dl_model_ignored(model) >= 0 || dl_net_stateful(&model->net))
        return dl_fail(error, DL_USAGE, "--predictions is not for nets %s",
                       dl_model_ignored(model) >= 0
                           ? "whose loss ignores a class: not all rows are scored"
                           : "that are stateful: the rows are not scored in their order");
    p->rows = &model->data.part[part];
    net_describe(model, &answer, &p->arena, &p->info);
    p->table = (predictions){.info = &p->info, .rows = "row", .truth = true};
    p->bins = model->data.schema.bin_edge;
    p->position = xmalloc(sizeof *p->position * (size_t)(p->info.classes + 1));
    p->out = xmalloc(sizeof *p->out * (size_t)(p->info.classes + 1));
    if (dl_writer_open_output(&p->writer, path, error))
        return -1;
    p->open = true;
    predictions_begin(&p->table, p->writer.file);
    return 0;
}

static void add_class(test_predictions *p, const dl_outcome *o, int64_t r) {
    bool raw = o->link == DL_NO_PROBABILITIES;
    int64_t positions = (int64_t)p->info.positions, at = p->count++;
    int class = dl_predicted_class(o, r);
    if (raw)
        memcpy(p->out, o->output + r * o->channels, sizeof *p->out * (size_t)o->channels);
    else
        dl_class_probabilities(o, r, p->position);
    for (int c = 0; c < o->classes && !raw; c++)
        p->out[c] = (float)p->position[c];
    const prediction row = {.row = p->rows->index[at / positions],
                            .out = p->out,
                            .classes = &class,
                            .truth = &o->target[r]};
    predictions_add_position(&p->table, &row, (size_t)(at % positions), p->writer.file);
}

void test_predictions_add(test_predictions *p, const dl_outcome *o) {
    for (int64_t r = 0; r < o->rows; r++) {
        if (o->classes && !p->bins)
            add_class(p, o, r);
        if (o->classes)
            continue;
        const prediction row = {.row = p->rows->index[p->count++],
                                .out = o->output + r * o->channels,
                                .input = o->target + r * o->channels,
                                .truth = o->target + r * o->channels};
        predictions_add(&p->table, &row, p->writer.file);
    }
}

int test_predictions_finish(test_predictions *p, dl_error *error) {
    bool open = p->open;
    p->open = false;
    return open ? dl_writer_commit(&p->writer, error) : 0;
}

void test_predictions_close(test_predictions *p) {
    if (p->open)
        dl_writer_abort(&p->writer);
    free(p->position);
    free(p->out);
    dl_arena_free(&p->arena);
}

/* SPDX-License-Identifier: MIT */
#include "cmd/loaded.h"

#include <stdlib.h>

#include "formats/text.h"
#include "math/threads.h"
#include "report/report.h"
#include "run/run.h"

const char *const loaded_split_names[] = {"train", "validation", "test", NULL};
_Static_assert(DL_TRAIN == 0 && DL_VALIDATION == 1 && DL_TEST == 2 && DL_SPLITS == 3,
               "loaded_split_names are in the order of dl_split");

int loaded_open(loaded *l, const char *path, bool last, const arg_common *common, dl_error *error) {
    dl_checkpoint *c = &l->checkpoint;
    l->path = dl_run_find_checkpoint(path, last, error);
    if (!l->path || dl_checkpoint_open(c, l->path, error))
        return -1;
    if (arg_apply_sets(common, &c->config, error))
        return -1;
    return dl_experiment_read_for_inference(&l->experiment, &c->config, error);
}

int loaded_wanted_split(const arg_common *common, int split) {
    return arg_given(common, "split") ? split : LOADED_ANY_SPLIT;
}

static int choose_split(const loaded *l, int wanted, dl_split *split, dl_error *error) {
    const dl_data *data = &l->experiment.model.data;
    static const dl_split order[] = {DL_TEST, DL_VALIDATION, DL_TRAIN};
    for (int i = 0; i < DL_SPLITS; i++) {
        *split = wanted >= 0 ? (dl_split)wanted : order[i];
        if (data->dataset[*split].type || data->share[*split] > 0)
            return 0;
        if (wanted >= 0)
            break;
    }
    return dl_fail(error, DL_USAGE, "%s: its config has no %s data", l->path,
                   dl_split_names[*split]);
}

int loaded_open_split(loaded *l, int wanted, dl_split *split, dl_error *error) {
    dl_checkpoint *c = &l->checkpoint;
    dl_data *data = &l->experiment.model.data;
    if (choose_split(l, wanted, split, error) ||
        dl_data_open_part(data, *split, &c->schema, &c->input, &c->target, error) ||
        dl_checkpoint_check_split(c, data, error))
        return -1;
    dl_terminal terminal = dl_terminal_open(false);
    dl_report_files(&terminal, data, 20);
    dl_terminal_close(&terminal);
    return 0;
}

static int build(loaded *l, int64_t batch, dl_error *error) {
    l->experiment.model.batch_size = batch;
    if (dl_model_build(&l->experiment.model, false, dl_threads(), error))
        return -1;
    return dl_checkpoint_load_net(&l->checkpoint, &l->experiment.model.net, error);
}

int loaded_build(loaded *l, dl_split split, int64_t batch, dl_error *error) {
    int64_t rows = l->experiment.model.data.part[split].count;
    return build(l, batch < rows ? batch : rows, error);
}

int loaded_build_alone(loaded *l, int64_t batch, dl_error *error) {
    dl_checkpoint *c = &l->checkpoint;
    if (dl_data_describe(&l->experiment.model.data, &c->schema, &c->input, &c->target, error))
        return -1;
    return build(l, batch, error);
}

int loaded_build_text(loaded *l, dl_error *error) {
    if (loaded_build_alone(l, 1, error))
        return -1;
    dl_symbols symbols = dl_data_symbols(&l->experiment.model.data);
    return dl_symbols_check(&symbols, l->path, error);
}

void loaded_close(loaded *l) {
    dl_experiment_free(&l->experiment);
    dl_checkpoint_close(&l->checkpoint);
    free(l->path);
    l->path = NULL;
}

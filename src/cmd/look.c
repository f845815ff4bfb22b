/* SPDX-License-Identifier: MIT */
#include "cmd/look.h"

#include <string.h>

#include "base/file.h"
#include "cmd/loaded.h"
#include "inspect/look.h"
#include "math/backend.h"
#include "math/threads.h"
#include "model/filters.h"

/* What a command needs of the run. */
typedef struct {
    bool data;            /* a split */
    bool gradient;        /* with respect to the input */
    int default_split;    /* or LOADED_ANY_SPLIT */
    int64_t batch, units; /* units: if none are named */
    bool first;           /* look at the first layer with weights if none is named; else the last */
} look_needs;

enum { UNITS = 16 };

static int open_data(loaded *l, const look_arguments *a, const look_needs *needs, dl_split *split,
                     dl_error *error) {
    const dl_checkpoint *c = &l->checkpoint;
    int wanted = arg_given(&a->common, "split") ? a->split : needs->default_split;
    if (needs->data || a->most)
        return loaded_open_split(l, wanted, split, error);
    return dl_data_describe(&l->experiment.model.data, &c->schema, &c->input, &c->target, error);
}

/* Builds the net up to the layer that the command line names. */
static int build(loaded *l, const look_arguments *a, const look_needs *needs, dl_look *look,
                 dl_error *error) {
    dl_net *net = &l->experiment.model.net;
    const char *name = a->common.operand_count > 1 ? a->common.operands[1] : NULL;
    int last = net->layer_count - 1, layer = last;
    if (name)
        layer = dl_look_find_layer(net, name, error);
    if (layer < 0)
        return -1;
    look->is_last = layer == last;
    net->input_gradient = needs->gradient;
    if (name || !needs->first)
        dl_net_cut(net, layer, needs->gradient);
    if (dl_net_build(net, l->experiment.model.data.schema.input, (int)needs->batch, needs->gradient,
                     dl_threads(), error) ||
        dl_checkpoint_load_net(&l->checkpoint, net, error))
        return -1;
    const dl_layer *first = dl_filter_first(net);
    look->layer = !name && needs->first && first ? first->index : layer;
    return 0;
}

static int look_open(loaded *l, dl_look *look, const look_arguments *a, const look_needs *needs,
                     dl_error *error) {
    const char *name = a->common.operand_count > 1 ? a->common.operands[1] : "";
    const char *colon = strchr(name, ':');
    look->model = &l->experiment.model;
    look->folder = a->out;
    if (loaded_open(l, a->common.operands[0], a->last, &a->common, error) ||
        open_data(l, a, needs, &look->split, error) || build(l, a, needs, look, error))
        return -1;
    if (a->most ? dl_look_find_most(look, a->most, error)
                : dl_look_choose_units(look, colon ? colon + 1 : NULL, needs->units, error))
        return -1;
    return dl_folder_create(a->out, error);
}

static int run(const look_arguments *a, const look_needs *needs,
               int (*command)(dl_look *look, const look_arguments *a, dl_error *error),
               dl_error *error) {
    loaded l = {0};
    dl_look look = {0};
    int status = look_open(&l, &look, a, needs, error) || command(&look, a, error) ? -1 : 0;
    dl_look_free(&look);
    loaded_close(&l);
    return status;
}

static int filters(dl_look *look, const look_arguments *a, dl_error *error) {
    (void)a;
    return dl_look_at_filters(look, error);
}

int look_run_filters(void *arguments, dl_error *error) {
    static const look_needs needs = {
        .default_split = LOADED_ANY_SPLIT, .batch = 100, .units = 64, .first = true};
    return run(arguments, &needs, filters, error);
}

static int patches(dl_look *look, const look_arguments *a, dl_error *error) {
    return dl_look_at_patches(look, a->best, error);
}

int look_run_patches(void *arguments, dl_error *error) {
    static const look_needs needs = {
        .data = true, .default_split = DL_TRAIN, .batch = 100, .units = UNITS};
    return run(arguments, &needs, patches, error);
}

/* ---- the tables ---- */

#define LOOK_ROWS                                                                                  \
    ARG_STRING_ROW("out", look_arguments, out, "FOLDER", ARG_FOLDER,                               \
                   "the folder for the files, created if needed", .letter = 'o',                   \
                   .fallback = "look"),                                                            \
        LOADED_SPLIT_ROW(look_arguments, split, NULL), LOADED_LAST_ROW(look_arguments, last),      \
        ARG_SET_ROW, ARG_THREADS_ROW, ARG_BACKEND_ROW, ARG_ROWS_END
#define LOOK_MOST_ROW                                                                              \
    ARG_COUNT_ROW("most", look_arguments, most, 1, 1024, "N",                                      \
                  "look at the N units with the largest mean output over 2,000 rows")

const arg_option look_filters_options[] = {LOOK_MOST_ROW, LOOK_ROWS};

const arg_option look_patches_options[] = {ARG_COUNT_ROW("best", look_arguments, best, 1, 64, "N",
                                                         "patches of each unit", .fallback = "8"),
                                           LOOK_MOST_ROW, LOOK_ROWS};

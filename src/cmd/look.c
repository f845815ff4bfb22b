/* SPDX-License-Identifier: MIT */
#include "cmd/look.h"

#include <string.h>

#include "base/file.h"
#include "cmd/common.h"
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
    bool input;           /* a layer "input" is the data */
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

/* The layer that the command line names, before anything is read or built. */
static int find_layer(loaded *l, const char *name, const look_needs *needs, dl_look *look,
                      dl_error *error) {
    const dl_net *net = &l->experiment.model.net;
    look->is_input = needs->input && !strcmp(name, "input");
    look->layer =
        *name && !look->is_input ? dl_look_find_layer(net, name, error) : net->layer_count - 1;
    look->is_last = look->layer == net->layer_count - 1;
    return look->layer < 0 ? -1 : 0;
}

/* Builds the net up to that layer. */
static int build(loaded *l, const look_needs *needs, bool named, dl_look *look, dl_error *error) {
    dl_net *net = &l->experiment.model.net;
    net->input_gradient = needs->gradient;
    if (named || !needs->first)
        dl_net_cut(net, look->layer, needs->gradient);
    if (dl_net_build(net, l->experiment.model.data.schema.input, (int)needs->batch, needs->gradient,
                     dl_threads(), error) ||
        dl_checkpoint_load_net(&l->checkpoint, net, error))
        return -1;
    const dl_layer *first = dl_filter_first(net);
    look->layer = !named && needs->first && first ? first->index : look->layer;
    return 0;
}

static int look_open(loaded *l, dl_look *look, const look_arguments *a, const look_needs *needs,
                     dl_error *error) {
    const char *name = a->common.operand_count > 1 ? a->common.operands[1] : "";
    const char *colon = strchr(name, ':');
    look->model = &l->experiment.model;
    look->folder = a->out;
    if (loaded_open(l, a->common.operands[0], a->last, &a->common, error) ||
        find_layer(l, name, needs, look, error) || open_data(l, a, needs, &look->split, error) ||
        build(l, needs, *name, look, error))
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
    cmd_quit_on_signals("dlinspect");
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

static int maximize(dl_look *look, const look_arguments *a, dl_error *error) {
    return dl_look_at_maxima(look, &a->maximize, error);
}

int look_run_maximize(void *arguments, dl_error *error) {
    static const look_needs needs = {
        .data = true, .gradient = true, .default_split = DL_TRAIN, .batch = 16, .units = UNITS};
    look_arguments *a = arguments;
    a->maximize.mean = a->mean > 0;
    return run(a, &needs, maximize, error);
}

static int saliency(dl_look *look, const look_arguments *a, dl_error *error) {
    dl_saliency_options options = a->saliency;
    if (a->common.operand_count > 1 && strchr(a->common.operands[1], ':'))
        options.unit = strchr(a->common.operands[1], ':') + 1;
    return dl_look_at_saliency(look, &options, error);
}

int look_run_saliency(void *arguments, dl_error *error) {
    static const look_needs needs = {.data = true,
                                     .gradient = true,
                                     .default_split = LOADED_ANY_SPLIT,
                                     .batch = 32,
                                     .units = INT32_MAX};
    return run(arguments, &needs, saliency, error);
}

static int activations(dl_look *look, const look_arguments *a, dl_error *error) {
    return dl_look_at_activations(look, a->saliency.rows, error);
}

int look_run_activations(void *arguments, dl_error *error) {
    static const look_needs needs = {
        .data = true, .default_split = LOADED_ANY_SPLIT, .batch = 100, .units = INT32_MAX};
    return run(arguments, &needs, activations, error);
}

static int embed(dl_look *look, const look_arguments *a, dl_error *error) {
    return dl_look_at_embedding(look, &a->embed, error);
}

int look_run_embed(void *arguments, dl_error *error) {
    static const look_needs needs = {.data = true,
                                     .default_split = LOADED_ANY_SPLIT,
                                     .batch = 100,
                                     .units = INT32_MAX,
                                     .input = true};
    return run(arguments, &needs, embed, error);
}

/* ---- the tables ---- */

static const char *const starts[] = {"noise", "mean", NULL};

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

#define LOOK_ROWS_ROW(help_)                                                                       \
    ARG_STRING_ROW("rows", look_arguments, saliency.rows, "LIST", ARG_NOTHING, help_)

const arg_option look_maximize_options[] = {
    ARG_WORD_ROW("start", look_arguments, mean, starts, "NAME",
                 "start from noise around the mean of the data, or from the mean",
                 .fallback = "noise", .excludes = "from"),
    ARG_STRING_ROW("from", look_arguments, maximize.from, "FILE", ARG_FILE,
                   "start from an image, resized to the input of the net"),
    ARG_FLAG_ROW("dream", look_arguments, maximize.dream,
                 "change the picture in octaves, from coarse detail to fine", .needs = "from"),
    ARG_COUNT_ROW("octaves", look_arguments, maximize.octaves, 1, 8, "N", "octaves of --dream",
                  .fallback = "3", .needs = "dream"),
    ARG_COUNT_ROW("steps", look_arguments, maximize.steps, 1, 100000, "N", "steps of the ascent",
                  .fallback = "200"),
    ARG_REAL_ROW("rate", look_arguments, maximize.rate, 1e-6, 1, "X",
                 "length of a step, relative to the range of the data; decays to a tenth",
                 .fallback = "0.02"),
    ARG_REAL_ROW("decay", look_arguments, maximize.l2, 0, 100, "X",
                 "pull toward the mean of the data (L2)", .fallback = "0.1"),
    ARG_REAL_ROW("variation", look_arguments, maximize.variation, 0, 100, "X",
                 "penalty on the differences of adjacent pixels (total variation)",
                 .fallback = "0.3"),
    ARG_COUNT_ROW("jitter", look_arguments, maximize.jitter, 0, 64, "N",
                  "move the picture by up to N pixels in each step", .fallback = "2"),
    ARG_COUNT_ROW("blur", look_arguments, maximize.blur_every, 0, 100000, "N",
                  "blur the picture in every Nth step; 0: never", .fallback = "10"),
    ARG_COUNT_ROW("seed", look_arguments, maximize.seed, 0, 9e15, "N", "of noise and jitter",
                  .fallback = "1"),
    LOOK_MOST_ROW,
    LOOK_ROWS};

const arg_option look_saliency_options[] = {
    ARG_STRING_ROW("method", look_arguments, saliency.method, "NAME", ARG_NOTHING,
                   DL_SALIENCY(DL_SALIENCY_HELP) "or all of them on one sheet",
                   .fallback = "gradient"),
    LOOK_ROWS_ROW("rows of the data, as 3,17 (default: the first of each class in turn)"),
    ARG_COUNT_ROW("count", look_arguments, saliency.count, 1, 1000, "N",
                  "rows to show if none are named", .fallback = "10"),
    ARG_STRING_ROW("cam-layer", look_arguments, saliency.layer, "LAYER", ARG_NOTHING,
                   "layer of grad_cam (default: the last one with maps and an activation "
                   "function)"),
    ARG_REAL_ROW("window", look_arguments, saliency.window, 0.001, 1, "X",
                 "window of occlusion, relative to height and width", .fallback = "0.2"),
    LOOK_ROWS};

const arg_option look_activations_options[] = {
    LOOK_ROWS_ROW("the row of the data to show (default: the first one)"), LOOK_ROWS};

const arg_option look_embed_options[] = {
    ARG_COUNT_ROW("rows", look_arguments, embed.rows, 5, 10000000, "N",
                  "rows of the split, evenly spread; t-SNE is exact up to 5,000 rows and an "
                  "approximation (Barnes-Hut) above",
                  .fallback = "5000"),
    ARG_COUNT_ROW("clusters", look_arguments, embed.clusters, 1, 1000, "N",
                  "clusters of k-means (default: as many as classes, or 10)"),
    ARG_REAL_ROW("perplexity", look_arguments, embed.perplexity, 1, 1000, "X",
                 "effective number of neighbors in t-SNE (default: 30)"),
    ARG_COUNT_ROW("iterations", look_arguments, embed.iterations, 0, 100000, "N",
                  "iterations of t-SNE", .fallback = "750"),
    ARG_COUNT_ROW("neighbors", look_arguments, embed.neighbors, 1, 1000, "N",
                  "also list the N nearest rows of each row"),
    ARG_COUNT_ROW("seed", look_arguments, embed.seed, 0, 9e15, "N", "of k-means and t-SNE",
                  .fallback = "1"),
    LOOK_ROWS};

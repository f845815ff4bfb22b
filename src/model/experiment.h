/* SPDX-License-Identifier: MIT */
/* All that a config defines, read and checked as a whole. */
#ifndef DL_MODEL_EXPERIMENT_H
#define DL_MODEL_EXPERIMENT_H

#include "data/loader.h"
#include "losses/loss.h"
#include "metrics/metric.h"
#include "net/net.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

enum { DL_BATCH_ALL = -1 }; /* batch_size = "all" */

/* Which values of the monitored column are better: by its own kind, less, or more. */
enum { DL_MODE_AUTO, DL_MODE_MIN, DL_MODE_MAX };
extern const char *const dl_mode_names[]; /* "auto", "min", "max", NULL */

/* The sections `training` and `regularization`. */
typedef struct {
    int64_t batch_size, epochs;
    bool bf16, shuffle, tensorboard;
    dl_strings metrics;
    int lsuv;              /* 1: initial weights are scaled on the data */
    const char *init_from; /* a checkpoint to begin with, or NULL */
    dl_strings init_map;   /* "layer=its name there" */
    double l1, l2, clip_norm, clip_value, gradient_noise, gradient_noise_decay;
    double max_norm, clip_weights;
    config_setting_t *average; /* NULL: the weights are not averaged */
    int average_kind;          /* of dl_average_names */
    double average_decay;
    int64_t average_from; /* epoch, from 1 */
    config_setting_t *early_stopping;
    const char *monitor; /* a history column: "val_loss", "val_accuracy", … */
    int mode;            /* DL_MODE_… */
    int64_t patience;    /* epochs; not above 0: no early stopping */
    double min_delta;
} dl_settings;

/* What the output of an auxiliary head is compared with the targets by. */
typedef struct {
    const dl_loss_type *loss;
    void *self;
    int64_t channels; /* outputs of the head at a position */
} dl_head_loss;

typedef struct {
    dl_config *config; /* borrowed */
    dl_arena arena;
    const char *name;
    int64_t seed;
    dl_settings settings;
    dl_data data;
    dl_net net;
    const dl_loss_type *loss;
    void *loss_self;
    dl_head_loss heads[DL_MOST_HEADS]; /* of net.heads */
    const dl_optimizer_type *optimizer;
    void *optimizer_self; /* begins with a dl_optimizer_common */
    const dl_schedule_type *schedule;
    void *schedule_self;
    /* made by dl_experiment_build */
    dl_target target;  /* of a position */
    int64_t positions; /* of a sample that have a class each; 1: the sample as a whole */
    int64_t channels;  /* outputs of the net at a position */
    int link;          /* classes: what makes probabilities of the outputs, as in dl_outcome */
    const dl_metric *metrics[DL_METRICS];
    int metric_count;
    int64_t batch_size; /* in samples; kept if it was set before */
} dl_experiment;

/* A section of the config, for help and the manual page. */
typedef struct {
    const char *path, *help; /* "training" */
    const dl_option *options;
} dl_section;
extern const dl_section dl_sections[]; /* ends with path NULL */

/* Reads every section, collecting all the errors. `experiment` is all zero; dl_experiment_free is
   fine after a failure. */
int dl_experiment_read(dl_experiment *experiment, dl_config *config, dl_error *error);
/* Once the data's schema is known: builds the net, chooses the metrics, checks that data, net and
   loss fit each other. */
int dl_experiment_build(dl_experiment *experiment, bool training, int threads, dl_error *error);
/* -1 if a net that was built for training has nothing to train. */
int dl_experiment_check_trainable(const dl_experiment *experiment, dl_error *error);
/* What a layer's key `activation` says; NULL if it has none. */
dl_activation *dl_experiment_activation(const dl_layer *layer);
/* The order of a pass over the data, to learn from them or only to measure. */
dl_order dl_experiment_order(const dl_experiment *experiment, bool training);
/* The class whose rows the loss leaves out of everything, or -1. */
int dl_experiment_ignored(const dl_experiment *experiment);
/* Whether anything is penalized: then what is minimized is not the loss alone, and the history has
   the column train_objective. */
bool dl_experiment_penalized(const dl_experiment *experiment);
/* The columns of the history that say how good it is: "train_loss,train_accuracy,val_loss,…";
   behind those of the training part the loss of each auxiliary head, "train_aux_1_loss", and,
   where there are penalties, "train_objective". */
dl_text dl_experiment_columns(const dl_experiment *experiment);
/* "file:line" of a setting ("training.metrics"), or of the whole config if it has none. */
const char *dl_experiment_where(const dl_experiment *experiment, const char *path);
void dl_experiment_free(dl_experiment *experiment);

#endif

/* SPDX-License-Identifier: MIT */
/* Everything that a config defines: a model, and how it is trained. */
#ifndef DL_TRAIN_EXPERIMENT_H
#define DL_TRAIN_EXPERIMENT_H

#include "model/model.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

/* Which values of the monitored column are better. */
enum { DL_MODE_AUTO, DL_MODE_MIN, DL_MODE_MAX };
extern const char *const dl_mode_names[]; /* "auto", "min", "max", NULL */

/* The trainer's keys of the sections `training` and `regularization`. */
typedef struct {
    int64_t epochs;
    bool tensorboard;
    int64_t checkpoint_every; /* 0: never */
    int lsuv;                 /* 1: initial weights are scaled on the data */
    const char *init_from;    /* a checkpoint whose weights are the initial ones, or NULL */
    int init_layout;          /* DL_LAYOUT_… of weight_layout.h */
    dl_strings init_map;      /* "layer=its name there" */
    double l1, l2, clip_norm, clip_value, gradient_noise, gradient_noise_decay;
    double max_norm, clip_weights;
    config_setting_t *average; /* NULL: the weights are not averaged */
    int average_kind;          /* of dl_average_names */
    double average_decay;
    int64_t average_from; /* epoch, from 1 */
    config_setting_t *early_stopping;
    const char *monitor; /* a history column: "val_loss", "val_accuracy", … */
    int mode;            /* DL_MODE_… */
    int64_t patience;    /* epochs; not positive: no early stopping */
    double min_delta;
} dl_settings;

typedef struct {
    dl_model model;
    dl_settings settings;
    const dl_optimizer_type *optimizer;
    void *optimizer_self; /* starts with a dl_optimizer_common */
    const dl_schedule_type *schedule;
    void *schedule_self;
} dl_experiment;

/* A table of a section of the config, for help and the manual page. */
typedef struct {
    const char *path; /* "training" */
    const char *help; /* its heading; NULL: the table continues the section before */
    const dl_option *options;
} dl_section;
extern const dl_section dl_sections[]; /* ends with path NULL */

/* Reads every section, collecting all errors. `experiment` is all zero; dl_experiment_free is fine
   after a failure. */
int dl_experiment_read(dl_experiment *experiment, dl_config *config, dl_error *error);
/* The same for programs that only use a trained model: every key is checked, but not whether the
   keys work together in a training. */
int dl_experiment_read_for_inference(dl_experiment *experiment, dl_config *config, dl_error *error);
/* Builds the model for training, and checks what is monitored. */
int dl_experiment_build(dl_experiment *experiment, int threads, dl_error *error);
/* Whether the objective has penalties: then the history has the column train_objective. */
bool dl_experiment_penalized(const dl_experiment *experiment);
void dl_experiment_free(dl_experiment *experiment);

#endif

/* SPDX-License-Identifier: MIT */
/* A network on data: what of a config a net needs to be run and measured. */
#ifndef DL_MODEL_MODEL_H
#define DL_MODEL_MODEL_H

#include "data/loader.h"
#include "losses/loss.h"
#include "metrics/metric.h"
#include "net/net.h"

enum { DL_BATCH_ALL = -1 }; /* batch_size = "all" */

/* Of the section `training`: how a model meets its data. */
typedef struct {
    int64_t batch_size;
    bool bf16, shuffle;
    dl_strings metrics;
} dl_model_settings;

/* The loss of an auxiliary head. */
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
    dl_model_settings settings;
    dl_data data;
    dl_net net;
    bool has_net; /* it was read without errors */
    const dl_loss_type *loss;
    void *loss_self;
    dl_head_loss heads[DL_MAX_HEADS]; /* of net.heads */
    /* made by dl_model_build */
    dl_target target;  /* of a position */
    int64_t positions; /* classes that a sample has, one at each; 1: one for the whole sample */
    int64_t channels;  /* outputs of the net at a position */
    int link;          /* classes: what makes probabilities of the outputs, as in dl_outcome */
    const dl_metric *metrics[DL_MAX_RUN_METRICS];
    int metric_count;
    int64_t batch_size; /* in samples; kept if it was set before */
    float *mixed_grad;  /* [positions][channels] of the second target; NULL: none are mixed */
} dl_model;

/* Options of the top level of a config, and those of `training` that are a model's. */
extern const dl_option dl_model_options[], dl_model_training_options[];

/* Reads the config's model, collecting all errors. `training`: the other keys of the section
   `training`, read here as well. `model` is all zero; dl_model_free is fine after a failure. */
int dl_model_read(dl_model *model, dl_config *config, const dl_table *training, dl_error *error);
/* Reads a group whose `type` chooses its kind; NULL if there is any error in it. */
const dl_kind *dl_model_read_kind(dl_model *model, config_setting_t *parent, const char *key,
                                  const dl_registry *registry, const char *fallback, void **self,
                                  dl_error *error);
/* Once the data's schema is known: builds the net, chooses the metrics, checks that data, net and
   loss fit each other. */
int dl_model_build(dl_model *model, bool training, int threads, dl_error *error);
/* -1 if a net that was built for training has nothing to train. */
int dl_model_check_trainable(const dl_model *model, dl_error *error);
/* The order of a pass over the data, for training or for measuring. */
dl_order dl_model_order(const dl_model *model, bool training);
/* The mean loss to expect before training, the inputs of the last activation being nearly 0; NaN
   if it is not known. */
double dl_model_expected_loss(const dl_model *model);
/* The class whose rows the loss ignores, or -1. */
int dl_model_ignored(const dl_model *model);
/* The share of the part's rows that are of the training part's most frequent class; rows that the
   loss ignores are left out. *most_frequent: that class. NaN without classes. */
double dl_model_baseline(const dl_model *model, dl_split split, int *most_frequent);
/* "file:line" of a setting ("training.metrics"), or of the whole config if it has none. */
const char *dl_model_where(const dl_model *model, const char *path);
void dl_model_free(dl_model *model);

#endif

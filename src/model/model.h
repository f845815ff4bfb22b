/* SPDX-License-Identifier: MIT */
/* A model: a network with its data, loss and metrics, as a config defines them. */
#ifndef DL_MODEL_MODEL_H
#define DL_MODEL_MODEL_H

#include "data/loader.h"
#include "losses/loss.h"
#include "metrics/metric.h"
#include "net/net.h"

enum { DL_BATCH_ALL = -1 }; /* batch_size = "all" */

/* The keys of the section `training` that are needed without training, too. */
typedef struct {
    int64_t batch_size;
    bool bf16, shuffle;
    dl_strings metrics;
} dl_model_settings;

/* The loss of an auxiliary head. */
typedef struct {
    const dl_loss_type *loss;
    void *self;
    int64_t channels; /* outputs of the head per position */
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
    /* set by dl_model_build */
    dl_target target;  /* per position */
    int64_t positions; /* classes per sample (of each pixel, of each symbol); else 1 */
    int64_t channels;  /* outputs of the net per position */
    int link;          /* classes: how outputs become probabilities, as in dl_outcome */
    const dl_metric *metrics[DL_MAX_RUN_METRICS];
    int metric_count;
    int64_t batch_size; /* in samples; kept if already set */
    float *mixed_grad;  /* [positions][channels], of the second target; NULL: no mixing */
} dl_model;

/* The options of the top level of a config, and those of dl_model_settings. */
extern const dl_option dl_model_options[], dl_model_training_options[];

/* Reads the config's model, collecting all errors. `training`: the other keys of the section
   `training`, read here as well. `model` is all zero; dl_model_free is fine after a failure. */
int dl_model_read(dl_model *model, dl_config *config, const dl_table *training, dl_error *error);
/* Reads a group whose `type` selects its kind; NULL if it has any error. */
const dl_kind *dl_model_read_kind(dl_model *model, config_setting_t *parent, const char *key,
                                  const dl_registry *registry, const char *fallback, void **self,
                                  dl_error *error);
/* Once the schema of the data is known: builds the net, selects the metrics, and checks that data,
   net, loss and metrics match. */
int dl_model_build(dl_model *model, bool training, int threads, dl_error *error);
/* -1 and an error if a net that was built for training has no trainable weights. */
int dl_model_check_trainable(const dl_model *model, dl_error *error);
/* The order of the rows in a pass, for training or evaluation. */
dl_order dl_model_order(const dl_model *model, bool training);
/* The mean loss at initialization if the inputs of the last activation are 0; NaN if unknown. */
double dl_model_expected_loss(const dl_model *model);
/* The class whose rows the loss ignores, or -1. */
int dl_model_ignored(const dl_model *model);
/* The accuracy of always predicting the training part's most frequent class, without rows that the
   loss ignores. *most_frequent: that class. NaN without classes. */
double dl_model_baseline(const dl_model *model, dl_split split, int *most_frequent);
/* "file:line" of a setting ("training.metrics"), or of the config if it is missing. */
const char *dl_model_where(const dl_model *model, const char *path);
void dl_model_free(dl_model *model);

#endif

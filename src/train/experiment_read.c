/* SPDX-License-Identifier: MIT */
/* The sections of a config, and reading them. */
#include "train/experiment.h"

#include "run/weight_layout.h"
#include "train/average.h"
#include "train/monitor.h"
#include "train/transfer.h"

static const char *const initialize_names[] = {"layers", "lsuv", NULL};

static const dl_option training_options[] = {
    DL_INT_OPTION("epochs", dl_settings, epochs, "10", 0, 1e9, "passes over the training part"),
    DL_CHOICE_OPTION(
        "initialize", dl_settings, lsuv, "layers", initialize_names,
        "layers: by the `init` of each layer; lsuv (layer-sequential unit variance): dense layers, "
        "maxout and convolutions start with orthogonal weights, which are then scaled, layer by "
        "layer, so that the outputs before the activation have variance 1 on some training rows; "
        "for very deep networks without batch_norm"),
    DL_STRING_OPTION(
        "init_from", dl_settings, init_from, DL_NO_DEFAULT,
        "transfer learning: start from the weights and running statistics of another checkpoint (a "
        "safetensors file of any program, or a run's folder: its best checkpoint). Tensors whose "
        "names and shapes match are copied; the log lists the others. Layers with trainable = "
        "false stay frozen. --resume does not read it again"),
    DL_CHOICE_OPTION(
        "init_layout", dl_settings, init_layout, "auto", dl_layout_names,
        "whose names, axes and gates the tensors of the init_from file have: torch: weight "
        "[out][in], "
        "[out][in][height][width], weight_ih_l0, running_mean, in_proj_weight, …; images are "
        "flattened channels first; keras: kernel [in][out], [height][width][in][out], "
        "lstm_cell/kernel, gamma, …; dltrain: as dltrain writes them; auto: a file of dltrain as "
        "it "
        "is, another one as its names and shapes say, with a warning where they fit both ways"),
    DL_STRINGS_OPTION("init_map", dl_settings, init_map, DL_NO_DEFAULT,
                      "layers with other names in the init_from file: (\"layer=its name there\", "
                      "…); layer 1 of PyTorch's nn.LSTM x is x_l1"),
    DL_INT_OPTION(
        "checkpoint_every", dl_settings, checkpoint_every, "0", 0, 1e9,
        "keep the checkpoint of every N-th epoch as epoch_000N.safetensors, to see how the "
        "net came about (dlinspect boundary --strip); 0: none"),
    DL_BOOL_OPTION(
        "tensorboard", dl_settings, tensorboard, "false",
        "also write an event file for TensorBoard into the run's folder (tensorboard --logdir "
        "runs): each epoch the values of history.csv, histograms of the weights and of the last "
        "step's gradients and, for images, the filters of the first layer; once, some samples"),
    DL_OPTIONS_END,
};

static const dl_option regularization_options[] = {
    DL_FLOAT_OPTION("l1", dl_settings, l1, "0.0", 0, 1e6,
                    "adds l1 * |w| to the loss for each weight (not for biases): makes many "
                    "weights zero"),
    DL_FLOAT_OPTION("l2", dl_settings, l2, "0.0", 0, 1e6,
                    "adds l2/2 * w^2 to the loss for each weight (not for biases): keeps all "
                    "weights small; train_objective in the history is the loss with all penalties"),
    DL_FLOAT_OPTION("clip_norm", dl_settings, clip_norm, "0.0", 0, 1e12,
                    "rescale the gradient to this norm if it is longer; 0: off"),
    DL_FLOAT_OPTION("clip_value", dl_settings, clip_value, "0.0", 0, 1e12,
                    "clip each element of the gradient to [-clip_value, clip_value], before "
                    "clip_norm; 0: off"),
    DL_FLOAT_OPTION("gradient_noise", dl_settings, gradient_noise, "0.0", 0, 1e6,
                    "after clipping, add normal noise of variance gradient_noise / (1 + "
                    "step)^gradient_noise_decay to the gradient; 0.01 to 1 helps very deep "
                    "networks to start learning; 0: off"),
    DL_FLOAT_OPTION("gradient_noise_decay", dl_settings, gradient_noise_decay, "0.55", 0, 10,
                    "exponent by which the noise decays"),
    DL_FLOAT_OPTION(
        "max_norm", dl_settings, max_norm, "0.0", 0, 1e12,
        "after each step, rescale the weights into a unit (or of a filter) to this norm "
        "if they are longer; 3 or 4 works well with dropout; 0: off"),
    DL_FLOAT_OPTION("clip_weights", dl_settings, clip_weights, "0.0", 0, 1e12,
                    "after each step, clip every weight (not biases) to [-clip_weights, "
                    "clip_weights]; 0: off"),
    DL_SETTING_OPTION("average", dl_settings, average, DL_NO_DEFAULT,
                      "validate, save and test an average of the weights over the training: a "
                      "group { type = \"ema\"; … }; left out: none"),
    DL_SETTING_OPTION("early_stopping", dl_settings, early_stopping, DL_NO_DEFAULT,
                      "when to stop before the last epoch: a group { … }; left out: never"),
    DL_OPTIONS_END,
};

const char *const dl_mode_names[] = {"auto", "min", "max", NULL};
static const char *const patience_words[] = {"never", NULL};
static const dl_option average_options[] = {
    DL_CHOICE_OPTION(
        "type", dl_settings, average_kind, DL_REQUIRED, dl_average_names,
        "ema: exponential moving average over all steps: steadier from epoch to epoch, and safe to "
        "try; swa: stochastic weight averaging, the mean of the weights at the ends of the epochs "
        "since from_epoch, for the last quarter of a training whose learning_rate stays high; "
        "batch_norm's running statistics are recomputed over the training part after each of these "
        "epochs. Validation, the best checkpoint and dltest use the average; checkpoints also "
        "store the raw weights (raw.…), from which training continues"),
    DL_FLOAT_OPTION("decay", dl_settings, average_decay, "0.999", 0, 0.9999999,
                    "of ema: weight of the old average in each step, so that it spans about 1 / (1 "
                    "- decay) steps; less in the first steps"),
    DL_INT_OPTION("from_epoch", dl_settings, average_from, DL_NO_DEFAULT, 1, 1e9,
                  "of swa, which requires it: the first epoch, from 1, whose weights are averaged"),
    DL_OPTIONS_END,
};

static const dl_option stopping_options[] = {
    DL_STRING_OPTION("monitor", dl_settings, monitor, "val_loss",
                     "the column of history.csv that must improve: \"val_loss\", \"val_accuracy\", "
                     "\"train_loss\" and so on; best.safetensors is the epoch where it was best"),
    DL_CHOICE_OPTION("mode", dl_settings, mode, "auto", dl_mode_names,
                     "min: smaller values are better; max: larger values are better; auto: max for "
                     "accuracy and similar metrics, min for losses and errors"),
    DL_INT_OR_WORD_OPTION("patience", dl_settings, patience, "5", 1, 1e9, patience_words,
                          "stop after this many epochs without improvement; \"never\" trains to "
                          "the last epoch, and only chooses the best checkpoint by `monitor`"),
    DL_FLOAT_OPTION("min_delta", dl_settings, min_delta, "0.0", 0, 1e9,
                    "a smaller change is no improvement"),
    DL_OPTIONS_END,
};

const dl_section dl_sections[] = {
    {"", "the top level", dl_model_options},
    {"data", "what to learn from; besides these, the keys of its format", dl_data_options},
    {"data", "how images are augmented and read", dl_augment_options},
    {"data", "resampling: cross-validation, bagging, a subset", dl_subsample_options},
    {"training", "batches, epochs and metrics", dl_model_training_options},
    {"training", NULL, training_options},
    {"regularization", "against overfitting", regularization_options},
    {"regularization.average", "averaging the weights", average_options},
    {"regularization.early_stopping", "when to stop before the last epoch", stopping_options},
    {NULL, NULL, NULL},
};

static int read_section(dl_experiment *e, config_setting_t *parent, const char *key,
                        const dl_option *options, dl_error *error) {
    config_setting_t *group = dl_config_group(e->model.config, parent, key, error);
    if (!group)
        return -1;
    dl_table table = {options, &e->settings};
    return dl_config_read(e->model.config, group, NULL, key, &table, 1, error);
}

static int read_schedule(dl_experiment *e, config_setting_t *optimizer, dl_error *error) {
    e->schedule = (const dl_schedule_type *)dl_model_read_kind(
        &e->model, optimizer, "schedule", &dl_schedule_registry, NULL, &e->schedule_self, error);
    if (!e->schedule)
        return -1;
    const config_setting_t *group = config_setting_get_member(optimizer, "schedule");
    return e->schedule->check ? e->schedule->check(e->schedule_self,
                                                   dl_config_where(e->model.config, group), error)
                              : 0;
}

static int read_optimizer(dl_experiment *e, config_setting_t *top, dl_error *error) {
    e->optimizer = (const dl_optimizer_type *)dl_model_read_kind(
        &e->model, top, "optimizer", &dl_optimizer_registry, "adam", &e->optimizer_self, error);
    config_setting_t *group = config_setting_get_member(top, "optimizer");
    int result = e->optimizer ? 0 : -1;
    if (config_setting_is_group(group) && config_setting_get_member(group, "schedule"))
        result |= read_schedule(e, group, error);
    if (e->optimizer && e->optimizer->check)
        result |=
            e->optimizer->check(e->optimizer_self, dl_config_where(e->model.config, group), error);
    return result;
}

static int check_batch_size(const dl_experiment *e, dl_error *error) {
    if (!e->optimizer || !e->optimizer->first_order ||
        !e->optimizer->first_order->needs_full_batch ||
        e->model.settings.batch_size == DL_BATCH_ALL)
        return 0;
    config_setting_t *where = config_lookup(&e->model.config->tree, "training.batch_size");
    return dl_fail(error, DL_USAGE,
                   "%s: %s needs full-batch gradients: batch_size = \"all\", not %lld",
                   dl_config_where(e->model.config, where), e->optimizer->kind.name,
                   (long long)e->model.settings.batch_size);
}

static int read_average(dl_experiment *e, config_setting_t *top, dl_error *error) {
    const dl_settings *s = &e->settings;
    if (!s->average)
        return 0;
    if (read_section(e, config_setting_get_member(top, "regularization"), "average",
                     average_options, error))
        return -1;
    if (s->average_kind != DL_AVERAGE_SWA || s->average_from)
        return 0;
    return dl_fail(
        error, DL_USAGE,
        "%s: average of type \"swa\" needs from_epoch, the first epoch whose weights are "
        "averaged (three quarters of training.epochs, %lld, is usual)",
        dl_config_where(e->model.config, s->average),
        (long long)(s->epochs * 3 / 4 > 0 ? s->epochs * 3 / 4 : 1));
}

static int read_regularization(dl_experiment *e, config_setting_t *top, dl_error *error) {
    int result = read_section(e, top, "regularization", regularization_options, error);
    e->settings.monitor = e->model.data.validation ? "val_loss" : "train_loss";
    if (e->settings.early_stopping &&
        read_section(e, config_setting_get_member(top, "regularization"), "early_stopping",
                     stopping_options, error)) {
        e->settings.early_stopping = NULL; /* its monitor is not known */
        result = -1;
    }
    return read_average(e, top, error) | result;
}

static int read_all(dl_experiment *e, dl_config *config, dl_error *error) {
    config_setting_t *top = config_root_setting(&config->tree);
    const dl_table training = {training_options, &e->settings};
    int result = dl_model_read(&e->model, config, &training, error);
    result |= read_optimizer(e, top, error);
    return read_regularization(e, top, error) | result;
}

/* Until the data are known, every metric may be a default one. */
static int check_monitors(dl_experiment *e, dl_error *error) {
    const char *all[DL_MAX_METRICS];
    for (int i = 0; i < dl_metric_count && i < DL_MAX_METRICS; i++)
        all[i] = dl_metrics[i]->name;
    const dl_strings *own = &e->model.settings.metrics;
    bool named = own->count > 0 && own->count <= DL_MAX_RUN_METRICS;
    return dl_monitors_check(e, named ? own->items : all, named ? own->count : dl_metric_count,
                             error);
}

int dl_experiment_read(dl_experiment *e, dl_config *config, dl_error *error) {
    int result = read_all(e, config, error);
    result |= check_monitors(e, error);
    result |= check_batch_size(e, error);
    if (e->model.has_net)
        result |= dl_transfer_check(e, error);
    dl_error_sort(error);
    return result;
}

int dl_experiment_read_for_inference(dl_experiment *e, dl_config *config, dl_error *error) {
    int result = read_all(e, config, error);
    dl_error_sort(error);
    return result;
}

/* Again, now that the default metrics are known. */
static int check_monitor_again(dl_experiment *e, dl_error *error) {
    const char *names[DL_MAX_RUN_METRICS];
    for (int i = 0; i < e->model.metric_count; i++)
        names[i] = e->model.metrics[i]->name;
    return dl_monitors_check(e, names, e->model.metric_count, error);
}

int dl_experiment_build(dl_experiment *e, int threads, dl_error *error) {
    int result = dl_model_build(&e->model, true, threads, error);
    return e->model.metric_count ? check_monitor_again(e, error) | result : result;
}

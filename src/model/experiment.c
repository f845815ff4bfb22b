/* SPDX-License-Identifier: MIT */
#include "model/experiment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/backend.h"
#include "train/average.h"
#include "train/monitor.h"
#include "train/transfer.h"

typedef struct {
    const char *name;
    int64_t seed;
    config_setting_t *data, *network, *loss, *optimizer, *regularization, *training;
} root;

static const dl_option root_options[] = {
    DL_STRING_OPTION("name", root, name, DL_NO_DEFAULT,
                     "what the run's folder is called; left out: the config file's name"),
    DL_INT_OPTION("seed", root, seed, "1", 0, 9e15,
                  "of all random numbers but the split's: initial weights, order, dropout"),
    DL_SETTING_OPTION("data", root, data, DL_REQUIRED, "what to learn from: a group { … }"),
    DL_SETTING_OPTION("network", root, network, DL_REQUIRED,
                      "the layers, in the order in which they run: a list ( { … }, … )"),
    DL_SETTING_OPTION("loss", root, loss, DL_REQUIRED,
                      "what is minimized: a group { type = \"…\" }"),
    DL_SETTING_OPTION("optimizer", root, optimizer, DL_NO_DEFAULT,
                      "how it is minimized: a group { type = \"…\" }; left out: adam"),
    DL_SETTING_OPTION("regularization", root, regularization, DL_NO_DEFAULT,
                      "what keeps the network from learning by heart: a group { … }"),
    DL_SETTING_OPTION("training", root, training, DL_NO_DEFAULT, "how long and how: a group { … }"),
    DL_OPTIONS_END,
};

static const char *const batch_words[] = {"all", NULL};

static const char *const initialize_names[] = {"layers", "lsuv", NULL};

static const dl_option training_options[] = {
    DL_INT_OR_WORD_OPTION("batch_size", dl_settings, batch_size, "32", 1, 1 << 24, batch_words,
                          "samples a step; \"all\" is the whole training part"),
    DL_INT_OPTION("epochs", dl_settings, epochs, "10", 0, 1e9, "passes over the training part"),
    DL_BOOL_OPTION("shuffle", dl_settings, shuffle, "true",
                   "the rows come in another order each epoch; false: in that of the file, which "
                   "stateful layers "
                   "need, but which is bad for rows that are sorted"),
    DL_STRINGS_OPTION("metrics", dl_settings, metrics, DL_NO_DEFAULT,
                      "what is measured beside the loss; left out: accuracy for classes, rmse for "
                      "numbers (also in "
                      "bins)"),
    DL_CHOICE_OPTION("initialize", dl_settings, lsuv, "layers", initialize_names,
                     "layers: as `init` of each layer says; lsuv: dense layers, maxout and "
                     "convolutions begin with "
                     "orthogonal weights, which are then scaled, from the first layer to the last, "
                     "so that on some "
                     "rows of the training part the outputs before the activation have variance 1: "
                     "very deep nets "
                     "without batch_norm begin to learn"),
    DL_STRING_OPTION(
        "init_from", dl_settings, init_from, DL_NO_DEFAULT,
        "begin with the weights and running statistics of another checkpoint (a safetensors file "
        "of "
        "any program, or a run's folder: its best one), as far as they have the same names and "
        "shapes; the log says what was taken, and what does not fit. With trainable = false on the "
        "layers that were taken only the others learn: transfer learning. --resume does not look "
        "at "
        "it again"),
    DL_STRINGS_OPTION("init_map", dl_settings, init_map, DL_NO_DEFAULT,
                      "layers that have other names there: (\"layer=its name there\", …)"),
    DL_BOOL_OPTION(
        "tensorboard", dl_settings, tensorboard, "false",
        "also write an event file into the run's folder, for TensorBoard (tensorboard --logdir "
        "runs): "
        "each epoch the numbers of history.csv, histograms of the weights and of the last step's "
        "gradients and, for images, the first layer's filters; once some samples"),
    DL_BOOL_OPTION(
        "bf16", dl_settings, bf16, "false",
        "large products take their factors as bfloat16, 8 bits of precision, while weights and "
        "sums "
        "stay float: up to twice as fast where oneDNN and the processor (AVX512_BF16) can. The "
        "training's own validation is done so, too: dltest, which never is, finds numbers that "
        "differ "
        "a little from those of history.csv"),
    DL_OPTIONS_END,
};

static const dl_option regularization_options[] = {
    DL_FLOAT_OPTION("l1", dl_settings, l1, "0.0", 0, 1e6,
                    "adds l1 * |w| to the loss for each weight (not for biases): many become zero"),
    DL_FLOAT_OPTION("l2", dl_settings, l2, "0.0", 0, 1e6,
                    "adds l2/2 * w^2 to the loss for each weight (not for biases): all stay small; "
                    "train_objective "
                    "in the history is the loss with all that is added to it"),
    DL_FLOAT_OPTION("clip_norm", dl_settings, clip_norm, "0.0", 0, 1e12,
                    "a gradient that is longer than this is made this long; 0: off"),
    DL_FLOAT_OPTION(
        "clip_value", dl_settings, clip_value, "0.0", 0, 1e12,
        "each number of the gradient is kept between -clip_value and clip_value, before clip_norm "
        "looks at it; 0: off"),
    DL_FLOAT_OPTION(
        "gradient_noise", dl_settings, gradient_noise, "0.0", 0, 1e6,
        "after the clipping adds normal noise to the gradient, of variance gradient_noise / (1 + "
        "step)^gradient_noise_decay; 0.01 to 1 helps very deep nets off bad beginnings; 0: off"),
    DL_FLOAT_OPTION("gradient_noise_decay", dl_settings, gradient_noise_decay, "0.55", 0, 10,
                    "how fast the noise dies away"),
    DL_FLOAT_OPTION("max_norm", dl_settings, max_norm, "0.0", 0, 1e12,
                    "after each step the weights into a unit (a filter) that are longer than this "
                    "are made this "
                    "long; 3 or 4 goes well with dropout; 0: off"),
    DL_FLOAT_OPTION("clip_weights", dl_settings, clip_weights, "0.0", 0, 1e12,
                    "after each step keeps every weight (not biases) between -clip_weights and "
                    "clip_weights; 0: "
                    "off"),
    DL_SETTING_OPTION("average", dl_settings, average, DL_NO_DEFAULT,
                      "an average of the weights over the training is measured, kept and tested in "
                      "their place: a "
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
        "ema: of all steps, the later ones counting more: steadier from epoch to epoch, and safe "
        "to "
        "try; swa: the equal mean of the weights at the ends of the epochs from from_epoch on, for "
        "the last quarter of a training whose learning_rate stays high; batch_norm's running "
        "statistics are then taken anew over the training part after each of these epochs. "
        "Validation, the best checkpoint and dltest see the average; checkpoints have the weights "
        "themselves, too (raw.…), with which training goes on"),
    DL_FLOAT_OPTION("decay", dl_settings, average_decay, "0.999", 0, 0.9999999,
                    "of ema: what stays of the average in a step; it looks back over 1 / (1 - "
                    "decay) steps, less "
                    "at the beginning"),
    DL_INT_OPTION(
        "from_epoch", dl_settings, average_from, DL_NO_DEFAULT, 1, 1e9,
        "of swa, which needs it: the first epoch, counted from 1, whose weights are averaged"),
    DL_OPTIONS_END,
};

static const dl_option stopping_options[] = {
    DL_STRING_OPTION("monitor", dl_settings, monitor, "val_loss",
                     "the column of history.csv that must improve: \"val_loss\", \"val_accuracy\", "
                     "\"train_loss\" and so on; best.safetensors is the epoch where it was best"),
    DL_CHOICE_OPTION(
        "mode", dl_settings, mode, "auto", dl_mode_names,
        "which values of it are better: min (the smaller ones), max (the larger ones); auto is max "
        "for "
        "accuracy and its like, min for losses and errors"),
    DL_INT_OR_WORD_OPTION(
        "patience", dl_settings, patience, "5", 1, 1e9, patience_words,
        "epochs without improvement after which to stop; \"never\" goes on to the last epoch, and "
        "only "
        "chooses the best checkpoint by `monitor`"),
    DL_FLOAT_OPTION("min_delta", dl_settings, min_delta, "0.0", 0, 1e9,
                    "a smaller change is no improvement"),
    DL_OPTIONS_END,
};

const dl_section dl_sections[] = {
    {"", "the top level", root_options},
    {"data", "what to learn from; beside these, the keys of its format", dl_data_options},
    {"data", "how its images are varied, and how they are read", dl_augment_options},
    {"data", "rows by chance: cross-validation, bagging, a share", dl_subsample_options},
    {"training", "how long and how", training_options},
    {"regularization", "what keeps the network from learning by heart", regularization_options},
    {"regularization.average", "what is tested in the place of the last weights", average_options},
    {"regularization.early_stopping", "when to stop before the last epoch", stopping_options},
    {NULL, NULL, NULL},
};

const char *dl_experiment_where(const dl_experiment *e, const char *path) {
    config_setting_t *setting = config_lookup(&e->config->tree, path);
    return dl_config_where(e->config, setting ? setting : config_root_setting(&e->config->tree));
}

static int read_section(dl_experiment *e, config_setting_t *parent, const char *key,
                        const dl_option *options, dl_error *error) {
    config_setting_t *group = dl_config_group(e->config, parent, key, error);
    if (!group)
        return -1;
    dl_table table = {options, &e->settings};
    return dl_config_read(e->config, group, NULL, key, &table, 1, error);
}

/* Reads a group whose `type` chooses its kind; NULL if there is any error in it. */
static const dl_kind *read_kind(dl_experiment *e, config_setting_t *parent, const char *key,
                                const dl_registry *registry, const char *fallback, void **self,
                                dl_error *error) {
    config_setting_t *group = dl_config_group(e->config, parent, key, error);
    dl_chosen chosen = {0};
    if (!group || dl_config_read_kind(e->config, group, registry, fallback, NULL, &chosen, error))
        return NULL;
    *self = chosen.self;
    return chosen.kind;
}

/* The losses of the auxiliary heads. A head that is repeated has its loss in the config once, whose
   mistakes are told once. */
static int read_heads(dl_experiment *e, dl_error *error) {
    const dl_net *net = &e->net;
    int result = 0;
    for (int h = 0; h < net->head_count; h++) {
        config_setting_t *setting = net->heads[h].loss;
        dl_head_loss *head = &e->heads[h];
        *head = (dl_head_loss){.loss = e->loss, .self = e->loss_self};
        int same = h - 1;
        while (same >= 0 && net->heads[same].loss != setting)
            same--;
        if (setting && same >= 0)
            *head = e->heads[same];
        else if (setting) {
            head->loss =
                (const dl_loss_type *)read_kind(e, config_setting_parent(setting), "loss",
                                                &dl_loss_registry, NULL, &head->self, error);
            result |= head->loss ? 0 : -1;
        }
    }
    return result;
}

static int read_schedule(dl_experiment *e, config_setting_t *optimizer, dl_error *error) {
    e->schedule = (const dl_schedule_type *)read_kind(
        e, optimizer, "schedule", &dl_schedule_registry, NULL, &e->schedule_self, error);
    if (!e->schedule)
        return -1;
    const config_setting_t *group = config_setting_get_member(optimizer, "schedule");
    return e->schedule->check
               ? e->schedule->check(e->schedule_self, dl_config_where(e->config, group), error)
               : 0;
}

static int read_optimizer(dl_experiment *e, config_setting_t *top, dl_error *error) {
    e->optimizer = (const dl_optimizer_type *)read_kind(e, top, "optimizer", &dl_optimizer_registry,
                                                        "adam", &e->optimizer_self, error);
    config_setting_t *group = config_setting_get_member(top, "optimizer");
    int result = e->optimizer ? 0 : -1;
    if (config_setting_is_group(group) && config_setting_get_member(group, "schedule"))
        result |= read_schedule(e, group, error);
    if (e->optimizer && e->optimizer->check)
        result |= e->optimizer->check(e->optimizer_self, dl_config_where(e->config, group), error);
    return result;
}

static int check_metric_names(const dl_experiment *e, dl_error *error) {
    const dl_strings *metrics = &e->settings.metrics;
    int result = 0;
    for (int i = 0; i < metrics->count; i++) {
        dl_text hint = {0};
        bool again = false;
        for (int j = 0; j < i; j++)
            again |= !strcmp(metrics->items[i], metrics->items[j]);
        dl_metric_hint(metrics->items[i], &hint);
        if (again)
            result = dl_fail(error, DL_USAGE, "%s: the metric \"%s\" is named twice",
                             dl_experiment_where(e, "training.metrics"), metrics->items[i]);
        else if (!dl_metric_find(metrics->items[i]))
            result =
                dl_fail(error, DL_USAGE, "%s: there is no metric \"%s\"%s",
                        dl_experiment_where(e, "training.metrics"), metrics->items[i], hint.data);
        dl_text_free(&hint);
        const dl_metric *found = dl_metric_find(metrics->items[i]);
        if (found && !dl_metric_of_steps(found) && !e->data.validation)
            result =
                dl_fail(error, DL_USAGE,
                        "%s: the metric \"%s\" is only measured in validation, but there is no "
                        "validation data (say data.validation = 0.1)",
                        dl_experiment_where(e, "training.metrics"), metrics->items[i]);
    }
    if (metrics->count > DL_METRICS)
        result = dl_fail(error, DL_USAGE, "%s: at most %d metrics",
                         dl_experiment_where(e, "training.metrics"), DL_METRICS);
    return result;
}

static int check_whole_set(const dl_experiment *e, dl_error *error) {
    if (!e->optimizer || !e->optimizer->whole_set || e->settings.batch_size == DL_BATCH_ALL)
        return 0;
    config_setting_t *where = config_lookup(&e->config->tree, "training.batch_size");
    return dl_fail(error, DL_USAGE,
                   "%s: %s is for steps on the whole training part: it needs batch_size = \"all\", "
                   "not %lld",
                   dl_config_where(e->config, where), e->optimizer->kind.name,
                   (long long)e->settings.batch_size);
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
        dl_config_where(e->config, s->average),
        (long long)(s->epochs * 3 / 4 > 0 ? s->epochs * 3 / 4 : 1));
}

static int read_settings(dl_experiment *e, config_setting_t *top, dl_error *error) {
    int result = read_section(e, top, "training", training_options, error);
    result |= read_section(e, top, "regularization", regularization_options, error);
    result |= check_metric_names(e, error);
    e->settings.monitor = e->data.validation ? "val_loss" : "train_loss";
    if (e->settings.early_stopping &&
        read_section(e, config_setting_get_member(top, "regularization"), "early_stopping",
                     stopping_options, error))
        return -1;
    result |= read_average(e, top, error);
    const char *all[DL_MOST_METRICS];
    for (int i = 0; i < dl_metric_count && i < DL_MOST_METRICS; i++)
        all[i] = dl_metrics[i].name;
    const dl_strings *own = &e->settings.metrics;
    bool named = own->count > 0 && own->count <= DL_METRICS;
    result |=
        dl_monitors_check(e, named ? own->items : all, named ? own->count : dl_metric_count, error);
    return check_whole_set(e, error) | result;
}

static int check_name(const dl_experiment *e, config_setting_t *top, dl_error *error) {
    const char *name = e->name;
    if (!name || (*name && !strchr(name, '/') && name[0] != '.' && strcmp(name, "latest")))
        return 0;
    return dl_fail(error, DL_USAGE, "%s: \"%s\" cannot be a run's name: %s",
                   dl_config_where(e->config, config_setting_get_member(top, "name")), name,
                   strcmp(name, "latest") ? "it must do as a folder's (no slash, no point in front)"
                                          : "runs/latest is the link to the newest run");
}

/* data.balance = "weights" is the word "balanced" for a loss that has class weights. */
static int weigh_classes(dl_experiment *e, dl_error *error) {
    const char *where = dl_experiment_where(e, "data.balance");
    const dl_option *o = e->loss->kind.options;
    while (o->key && (o->type != DL_NUMBERS || strcmp(o->key, "class_weights")))
        o++;
    if (!o->key)
        return dl_fail(
            error, DL_USAGE,
            "%s: \"balance\" cannot be \"weights\": the loss \"%s\" has no class_weights "
            "(\"oversample\" goes with any)",
            where, e->loss->kind.name);
    dl_numbers *weights = (dl_numbers *)((char *)e->loss_self + o->offset);
    if (weights->count)
        return dl_fail(error, DL_USAGE,
                       "%s: \"balance\" is \"weights\", but the loss has class_weights of its own "
                       "(%s): one of the two",
                       where, dl_experiment_where(e, "loss.class_weights"));
    for (int i = 0; o->choices && o->choices[i]; i++)
        if (!strcmp(o->choices[i], "balanced"))
            weights->word = 1 + i;
    return 0;
}

static int check_oversample(const dl_experiment *e, dl_error *error) {
    if (e->settings.shuffle)
        return 0;
    return dl_fail(
        error, DL_USAGE,
        "%s: \"balance\" is \"oversample\", which mixes the rows anew in each epoch, but "
        "training.shuffle is false (%s)",
        dl_experiment_where(e, "data.balance"), dl_experiment_where(e, "training.shuffle"));
}

/* Bins are weighed by their probabilities. */
static int check_bins(const dl_experiment *e, dl_error *error) {
    const config_setting_t *loss = config_lookup(&e->config->tree, "loss");
    if (e->loss->softmax)
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: data.target_bins needs a loss that gives bins probabilities "
                   "(softmax_cross_entropy), not \"%s\"",
                   dl_config_where(e->config, loss), e->loss->kind.name);
}

int dl_experiment_read(dl_experiment *e, dl_config *config, dl_error *error) {
    e->config = config;
    config_setting_t *top = config_root_setting(&config->tree);
    root own = {0};
    dl_table table = {root_options, &own};
    int result = dl_config_read(config, top, NULL, "a config", &table, 1, error);
    e->name = own.name;
    e->seed = own.seed;
    result |= check_name(e, top, error);
    e->data.seed = (uint64_t)own.seed;
    if (own.data)
        result |= dl_data_read(&e->data, config, error);
    int net = own.network ? dl_net_read(&e->net, config, error) : -1;
    result |= net;
    if (own.loss) {
        e->loss = (const dl_loss_type *)read_kind(e, top, "loss", &dl_loss_registry, NULL,
                                                  &e->loss_self, error);
        result |= e->loss ? 0 : -1;
    }
    result |= read_heads(e, error);
    if (e->loss && e->data.target_bins > 0)
        result |= check_bins(e, error);
    if (e->loss && e->data.balance == DL_BALANCE_WEIGHTS)
        result |= weigh_classes(e, error);
    result |= read_optimizer(e, top, error);
    result |= read_settings(e, top, error);
    if (e->data.balance == DL_BALANCE_OVERSAMPLE)
        result |= check_oversample(e, error);
    if (!net)
        result |= dl_transfer_check(e, error);
    dl_error_sort(error);
    return result;
}

bool dl_experiment_penalized(const dl_experiment *e) {
    bool found = false;
    for (int i = 0; i < e->net.layer_count; i++) {
        const dl_layer *layer = &e->net.layers[i];
        found |= (layer->l1 < 0 ? e->settings.l1 : layer->l1) > 0;
        found |= (layer->l2 < 0 ? e->settings.l2 : layer->l2) > 0;
    }
    return found;
}

dl_text dl_experiment_columns(const dl_experiment *e) {
    dl_text line = {0};
    for (int part = 0; part < 2; part++) {
        const char *prefix = part ? "val" : "train";
        if (part && !e->data.part[DL_VALIDATION].count)
            continue;
        dl_text_add(&line, "%s%s_loss", part ? "," : "", prefix);
        for (int m = 0; m < e->metric_count; m++)
            if (part || dl_metric_of_steps(e->metrics[m]))
                dl_text_add(&line, ",%s_%s", prefix, e->metrics[m]->name);
        for (int h = 0; !part && h < e->net.head_count; h++)
            dl_text_add(&line, ",train_%s_loss", e->net.heads[h].name);
        if (!part && dl_experiment_penalized(e))
            dl_text_add(&line, ",train_objective");
    }
    return line;
}

void dl_experiment_free(dl_experiment *e) {
    dl_net_free(&e->net);
    dl_data_free(&e->data);
    dl_arena_free(&e->arena);
    *e = (dl_experiment){0};
}

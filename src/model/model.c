/* SPDX-License-Identifier: MIT */
#include "model/model.h"

#include <string.h>

typedef struct {
    const char *name;
    int64_t seed;
    config_setting_t *data, *network, *loss, *optimizer, *regularization, *training;
} root;

const dl_option dl_model_options[] = {
    DL_STRING_OPTION("name", root, name, DL_NO_DEFAULT,
                     "name of the run's folder; left out: the name of the config file"),
    DL_INT_OPTION("seed", root, seed, "1", 0, 9e15,
                  "seed of all random numbers except the split's: initial weights, order, dropout"),
    DL_SETTING_OPTION("data", root, data, DL_REQUIRED, "what to learn from: a group { … }"),
    DL_SETTING_OPTION("network", root, network, DL_REQUIRED,
                      "the layers, in the order in which they run: a list ( { … }, … )"),
    DL_SETTING_OPTION("loss", root, loss, DL_REQUIRED,
                      "what to minimize: a group { type = \"…\" }"),
    DL_SETTING_OPTION("optimizer", root, optimizer, DL_NO_DEFAULT,
                      "how to minimize it: a group { type = \"…\" }; left out: adam"),
    DL_SETTING_OPTION("regularization", root, regularization, DL_NO_DEFAULT,
                      "against overfitting: a group { … }"),
    DL_SETTING_OPTION("training", root, training, DL_NO_DEFAULT,
                      "batches, epochs and metrics: a group { … }"),
    DL_OPTIONS_END,
};

static const char *const batch_words[] = {"all", NULL};

const dl_option dl_model_training_options[] = {
    DL_INT_OR_WORD_OPTION("batch_size", dl_model_settings, batch_size, "32", 1, 1 << 24,
                          batch_words,
                          "samples per step; \"all\": the whole training part (full batch)"),
    DL_BOOL_OPTION("shuffle", dl_model_settings, shuffle, "true",
                   "shuffle the rows in each epoch; false: the order of the file, which stateful "
                   "layers need, but which harms training if the rows are sorted by class"),
    DL_STRINGS_OPTION("metrics", dl_model_settings, metrics, DL_NO_DEFAULT,
                      "metrics besides the loss; left out: accuracy for classes, rmse for numbers "
                      "(and for bins)"),
    DL_BOOL_OPTION("bf16", dl_model_settings, bf16, "false",
                   "round the factors of large matrix products to bfloat16 (8 bits of precision); "
                   "weights and sums stay float. Up to twice as fast with oneDNN on a processor "
                   "with AVX512_BF16. Validation during training uses it too, but dltest does not: "
                   "its numbers differ slightly from history.csv"),
    DL_OPTIONS_END,
};

const char *dl_model_where(const dl_model *model, const char *path) {
    config_setting_t *setting = config_lookup(&model->config->tree, path);
    return dl_config_where(model->config,
                           setting ? setting : config_root_setting(&model->config->tree));
}

const dl_kind *dl_model_read_kind(dl_model *model, config_setting_t *parent, const char *key,
                                  const dl_registry *registry, const char *fallback, void **self,
                                  dl_error *error) {
    config_setting_t *group = dl_config_group(model->config, parent, key, error);
    dl_chosen chosen = {0};
    if (!group ||
        dl_config_read_kind(model->config, group, registry, fallback, NULL, &chosen, error))
        return NULL;
    *self = chosen.self;
    return chosen.kind;
}

/* The losses of the auxiliary heads. The loss of a head that is repeated is in the config once, and
   its errors are reported once. */
static int read_heads(dl_model *model, dl_error *error) {
    const dl_net *net = &model->net;
    int result = 0;
    for (int h = 0; h < net->head_count; h++) {
        config_setting_t *setting = net->heads[h].loss;
        dl_head_loss *head = &model->heads[h];
        *head = (dl_head_loss){.loss = model->loss, .self = model->loss_self};
        int same = h - 1;
        while (same >= 0 && net->heads[same].loss != setting)
            same--;
        if (setting && same >= 0)
            *head = model->heads[same];
        else if (setting) {
            head->loss = (const dl_loss_type *)dl_model_read_kind(
                model, config_setting_parent(setting), "loss", &dl_loss_registry, NULL, &head->self,
                error);
            result |= head->loss ? 0 : -1;
        }
    }
    return result;
}

static int check_metric_names(const dl_model *model, dl_error *error) {
    const dl_strings *metrics = &model->settings.metrics;
    int result = 0;
    for (int i = 0; i < metrics->count; i++) {
        dl_text hint = {0};
        bool again = false;
        for (int j = 0; j < i; j++)
            again |= !strcmp(metrics->items[i], metrics->items[j]);
        dl_metric_hint(metrics->items[i], &hint);
        if (again)
            result = dl_fail(error, DL_USAGE, "%s: the metric \"%s\" is named twice",
                             dl_model_where(model, "training.metrics"), metrics->items[i]);
        else if (!dl_metric_find(metrics->items[i]))
            result =
                dl_fail(error, DL_USAGE, "%s: there is no metric \"%s\"%s",
                        dl_model_where(model, "training.metrics"), metrics->items[i], hint.data);
        dl_text_free(&hint);
        const dl_metric *found = dl_metric_find(metrics->items[i]);
        if (found && !dl_metric_in_training(found) && !model->data.validation)
            result =
                dl_fail(error, DL_USAGE,
                        "%s: the metric \"%s\" is only measured in validation, but there is no "
                        "validation data (say data.validation = 0.1)",
                        dl_model_where(model, "training.metrics"), metrics->items[i]);
    }
    if (metrics->count > DL_MAX_RUN_METRICS)
        result = dl_fail(error, DL_USAGE, "%s: at most %d metrics",
                         dl_model_where(model, "training.metrics"), DL_MAX_RUN_METRICS);
    return result;
}

static bool has_control(const char *name) {
    for (; *name; name++)
        if ((unsigned char)*name < ' ' || *name == 127)
            return true;
    return false;
}

static int check_name(const dl_model *model, config_setting_t *top, dl_error *error) {
    const char *name = model->name;
    bool control = has_control(name);
    if (*name && !strchr(name, '/') && name[0] != '.' && strcmp(name, "latest") && !control)
        return 0;
    dl_text plain = {0};
    dl_text_add_plain(&plain, name);
    dl_fail(error, DL_USAGE, "%s: \"%s\" cannot be a run's name: %s",
            dl_config_where(model->config, config_setting_get_member(top, "name")),
            dl_text_get(&plain),
            control                  ? "it has a control character"
            : strcmp(name, "latest") ? "it must be valid as a folder name (no slash, no leading "
                                       "period)"
                                     : "runs/latest is the link to the newest run");
    dl_text_free(&plain);
    return -1;
}

/* data.balance = "weights" */
static int weigh_classes(dl_model *model, dl_error *error) {
    const char *where = dl_model_where(model, "data.balance");
    if (!model->loss->balance)
        return dl_fail(
            error, DL_USAGE,
            "%s: \"balance\" cannot be \"weights\": the loss \"%s\" has no class_weights "
            "(\"oversample\" works with any loss)",
            where, model->loss->kind.name);
    if (model->loss->balance(model->loss_self))
        return dl_fail(
            error, DL_USAGE,
            "%s: \"balance\" is \"weights\", but the loss already has class_weights (%s): "
            "choose one of the two",
            where, dl_model_where(model, "loss.class_weights"));
    return 0;
}

static int check_oversample(const dl_model *model, dl_error *error) {
    if (model->settings.shuffle)
        return 0;
    return dl_fail(
        error, DL_USAGE,
        "%s: \"balance\" is \"oversample\", which reshuffles the rows in each epoch, but "
        "training.shuffle is false (%s)",
        dl_model_where(model, "data.balance"), dl_model_where(model, "training.shuffle"));
}

/* The prediction is the mean of the bins, weighted by their probabilities. */
static int check_bins(const dl_model *model, dl_error *error) {
    const config_setting_t *loss = config_lookup(&model->config->tree, "loss");
    if (model->loss->softmax)
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: data.target_bins needs a loss with class probabilities "
                   "(softmax_cross_entropy), not \"%s\"",
                   dl_config_where(model->config, loss), model->loss->kind.name);
}

static int read_training(dl_model *model, config_setting_t *top, const dl_table *training,
                         dl_error *error) {
    config_setting_t *group = dl_config_group(model->config, top, "training", error);
    dl_table tables[] = {{dl_model_training_options, &model->settings}, *training};
    return group ? dl_config_read(model->config, group, NULL, "training", tables, 2, error) : -1;
}

int dl_model_read(dl_model *model, dl_config *config, const dl_table *training, dl_error *error) {
    model->config = config;
    config_setting_t *top = config_root_setting(&config->tree);
    root own = {0};
    dl_table table = {dl_model_options, &own};
    int result = dl_config_read(config, top, NULL, "a config", &table, 1, error);
    model->name = own.name ? own.name : "net"; /* of a checkpoint that another program wrote */
    model->seed = own.seed;
    result |= check_name(model, top, error);
    model->data.seed = (uint64_t)own.seed;
    if (own.data)
        result |= dl_data_read(&model->data, config, error);
    model->has_net = own.network && !dl_net_read(&model->net, config, error);
    result |= model->has_net ? 0 : -1;
    if (own.loss) {
        model->loss = (const dl_loss_type *)dl_model_read_kind(
            model, top, "loss", &dl_loss_registry, NULL, &model->loss_self, error);
        result |= model->loss ? 0 : -1;
    }
    result |= read_heads(model, error);
    if (model->loss && model->data.target_bins > 0)
        result |= check_bins(model, error);
    if (model->loss && model->data.balance == DL_BALANCE_WEIGHTS)
        result |= weigh_classes(model, error);
    result |= read_training(model, top, training, error);
    result |= check_metric_names(model, error);
    if (model->data.balance == DL_BALANCE_OVERSAMPLE)
        result |= check_oversample(model, error);
    dl_error_sort(error);
    return result;
}

void dl_model_free(dl_model *model) {
    dl_net_free(&model->net);
    dl_data_free(&model->data);
    dl_arena_free(&model->arena);
    *model = (dl_model){0};
}

#include "train/experiment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    int64_t seed;
    config_setting_t *data, *network, *loss, *optimizer, *regularization, *training;
} root;

static const dl_option root_options[] = {
    {"name", DL_STRING, offsetof(root, name), "", 0, 0, NULL,
     "what the run's folder is called; left out: the config file's name"},
    {"seed", DL_INT, offsetof(root, seed), "1", 0, 9e15, NULL,
     "of all random numbers but the split's: initial weights, order, dropout"},
    {"data", DL_SETTING, offsetof(root, data), NULL, 0, 0, NULL,
     "a group { … }: what to learn from"},
    {"network", DL_SETTING, offsetof(root, network), NULL, 0, 0, NULL,
     "a list of layers ( { … }, … ), in the order in which they run"},
    {"loss", DL_SETTING, offsetof(root, loss), NULL, 0, 0, NULL,
     "a group { type = \"…\"; }: what is minimized"},
    {"optimizer", DL_SETTING, offsetof(root, optimizer), "", 0, 0, NULL,
     "a group { type = \"…\"; … }: how it is minimized; left out: adam"},
    {"regularization", DL_SETTING, offsetof(root, regularization), "", 0, 0, NULL,
     "a group { … }: what keeps the network from learning by heart"},
    {"training", DL_SETTING, offsetof(root, training), "", 0, 0, NULL,
     "a group { … }: how long and how"},
    DL_OPTIONS_END,
};

static const char *const batch_words[] = {"all", NULL};

static const dl_option training_options[] = {
    {"batch_size", DL_INT, offsetof(dl_settings, batch_size), "32", 1, 1 << 24, batch_words,
     "samples a step; \"all\" is the whole training part"},
    {"epochs", DL_INT, offsetof(dl_settings, epochs), "10", 0, 1e9, NULL,
     "passes over the training part"},
    {"metrics", DL_STRINGS, offsetof(dl_settings, metrics), "", 0, 0, NULL,
     "what is measured beside the loss; left out: accuracy for classes, rmse for numbers"},
    DL_OPTIONS_END,
};

static const dl_option regularization_options[] = {
    {"l1", DL_FLOAT, offsetof(dl_settings, l1), "0.0", 0, 1e6, NULL,
     "adds l1 * |w| to the loss for each weight (not for biases): many become zero"},
    {"l2", DL_FLOAT, offsetof(dl_settings, l2), "0.0", 0, 1e6, NULL,
     "adds l2/2 * w^2 to the loss for each weight (not for biases): all stay small"},
    {"clip_norm", DL_FLOAT, offsetof(dl_settings, clip_norm), "0.0", 0, 1e12, NULL,
     "a gradient that is longer than this is made this long; 0: off"},
    {"early_stopping", DL_SETTING, offsetof(dl_settings, early_stopping), "", 0, 0, NULL,
     "a group { … }: when to stop before the last epoch; left out: never"},
    DL_OPTIONS_END,
};

static const dl_option stopping_options[] = {
    {"monitor", DL_STRING, offsetof(dl_settings, monitor), "val_loss", 0, 0, NULL,
     "the column of history.csv that must improve: \"val_loss\", \"val_accuracy\", "
     "\"train_loss\" and so on"},
    {"patience", DL_INT, offsetof(dl_settings, patience), "5", 1, 1e9, NULL,
     "epochs without improvement after which to stop"},
    {"min_delta", DL_FLOAT, offsetof(dl_settings, min_delta), "0.0", 0, 1e9, NULL,
     "a smaller change is no improvement"},
    DL_OPTIONS_END,
};

const dl_section dl_sections[] = {
    {"", "the top level", root_options},
    {"data", "what to learn from; beside these, the keys of its format", dl_data_options},
    {"training", "how long and how", training_options},
    {"regularization", "what keeps the network from learning by heart", regularization_options},
    {"regularization.early_stopping", "when to stop before the last epoch", stopping_options},
    {NULL, NULL, NULL},
};

static int read_section(dl_experiment *e, config_setting_t *parent, const char *key,
                        const dl_option *options, dl_error *error) {
    config_setting_t *group = dl_config_group(e->config, parent, key, error);
    if (!group)
        return -1;
    dl_table table = {options, &e->settings};
    const char *what = dl_arena_printf(&e->arena, "\"%s\"", key);
    return dl_config_read(e->config, group, NULL, what, &table, 1, error);
}

/* Reads a group whose `type` chooses its kind. */
static const dl_kind *read_kind(dl_experiment *e, config_setting_t *parent, const char *key,
                                const dl_registry *registry, const char *fallback, void **self,
                                dl_error *error) {
    config_setting_t *group = dl_config_group(e->config, parent, key, error);
    const dl_kind *kind =
        group ? dl_config_choose(e->config, group, registry, fallback, error) : NULL;
    if (!kind)
        return NULL;
    const char *type = NULL;
    const dl_option type_option[] = {{registry->key, DL_STRING, 0, NULL, 0, 0, NULL, ""},
                                     DL_OPTIONS_END};
    *self = dl_arena_alloc(&e->arena, kind->size);
    dl_table tables[] = {{type_option, &type}, {kind->options, *self}};
    const char *what = dl_arena_printf(&e->arena, "%s \"%s\"", registry->what, kind->name);
    if (dl_config_read(e->config, group, NULL, what, tables, 2, error))
        return NULL;
    return kind;
}

static int read_optimizer(dl_experiment *e, config_setting_t *top, dl_error *error) {
    e->optimizer = (const dl_optimizer_type *)read_kind(e, top, "optimizer", &dl_optimizer_registry,
                                                        "adam", &e->optimizer_self, error);
    if (!e->optimizer)
        return -1;
    const dl_optimizer_common *common = e->optimizer_self;
    if (!common->schedule)
        return 0;
    e->schedule = (const dl_schedule_type *)read_kind(
        e, config_setting_get_member(top, "optimizer"), "schedule", &dl_schedule_registry, NULL,
        &e->schedule_self, error);
    return e->schedule ? 0 : -1;
}

static int read_settings(dl_experiment *e, config_setting_t *top, dl_error *error) {
    int result = read_section(e, top, "training", training_options, error);
    result |= read_section(e, top, "regularization", regularization_options, error);
    e->settings.monitor = "val_loss";
    if (e->settings.early_stopping)
        result |= read_section(e, config_setting_get_member(top, "regularization"),
                               "early_stopping", stopping_options, error);
    for (int i = 0; i < e->settings.metrics.count; i++) {
        const char *name = e->settings.metrics.items[i];
        if (dl_metric_find(name))
            continue;
        dl_text hint = {0};
        dl_metric_hint(name, true, &hint);
        result =
            dl_fail(error, DL_USAGE, "%s: there is no metric \"%s\"%s",
                    dl_config_where(e->config, config_lookup(&e->config->tree, "training.metrics")),
                    name, dl_text_get(&hint));
        dl_text_free(&hint);
    }
    return result;
}

int dl_experiment_read(dl_experiment *e, dl_config *config, dl_error *error) {
    e->config = config;
    config_setting_t *top = config_root_setting(&config->tree);
    root own = {0};
    dl_table table = {root_options, &own};
    int result = dl_config_read(config, top, NULL, "a config", &table, 1, error);
    e->name = own.name;
    e->seed = own.seed;
    if (own.name && (!*own.name || strchr(own.name, '/') || own.name[0] == '.'))
        result = dl_fail(error, DL_USAGE, "%s: \"%s\" cannot be a folder's name",
                         dl_config_where(config, config_setting_get_member(top, "name")), own.name);
    result |= dl_data_read(&e->data, config, error);
    result |= dl_net_read(&e->net, config, error);
    e->loss = (const dl_loss_type *)read_kind(e, top, "loss", &dl_loss_registry, NULL,
                                              &e->loss_self, error);
    result |= read_optimizer(e, top, error);
    result |= read_settings(e, top, error);
    return e->loss ? result : -1;
}

/* ---- once the data are known ---- */

/* What an output should equal, squared and in magnitude, over the first rows of the training part.
 */
static int measure_targets(dl_experiment *e, dl_error *error) {
    enum { ENOUGH = 10000 };
    const dl_subset *train = &e->data.part[DL_TRAIN];
    int64_t outputs = e->target.outputs, rows = train->count < ENOUGH ? train->count : ENOUGH;
    float *x = xmalloc(sizeof *x * (size_t)dl_shape_size(e->data.schema.input));
    float *y = xmalloc(sizeof *y * (size_t)outputs);
    int result = 0;
    for (int64_t i = 0; i < rows && !result; i++) {
        result = train->dataset->type->read(train->dataset, train->index[i], x, y, error);
        if (!e->target.classes)
            dl_normalize(&e->data.target, y, 1, outputs);
        for (int64_t j = 0; j < outputs && !result; j++) {
            e->target.mean_square += (double)y[j] * y[j] / (double)(rows * outputs);
            e->target.mean_magnitude += fabs((double)y[j]) / (double)(rows * outputs);
        }
    }
    free(x);
    free(y);
    return result;
}

static int describe_target(dl_experiment *e, dl_error *error) {
    const dl_subset *train = &e->data.part[DL_TRAIN];
    dl_target *target = &e->target;
    *target = (dl_target){.classes = e->data.schema.classes, .outputs = e->data.schema.outputs};
    /* of more than two classes the numbers mean nothing */
    return train->count && target->classes <= 2 ? measure_targets(e, error) : 0;
}

static int choose_metrics(dl_experiment *e, dl_error *error) {
    const dl_strings *names = &e->settings.metrics;
    bool classes = e->data.schema.classes > 0;
    const char *where = dl_config_where(
        e->config, names->count ? config_lookup(&e->config->tree, "training.metrics")
                                : config_root_setting(&e->config->tree));
    if (!names->count)
        e->metrics[e->metric_count++] = dl_metric_find(classes ? "accuracy" : "rmse");
    if (names->count > DL_METRICS)
        return dl_fail(error, DL_USAGE, "%s: at most %d metrics", where, DL_METRICS);
    for (int i = 0; i < names->count; i++) {
        const dl_metric *metric = dl_metric_find(names->items[i]);
        dl_text hint = {0};
        if (metric->for_classes != classes) {
            dl_metric_hint("", classes, &hint);
            dl_fail(error, DL_USAGE,
                    "%s: the metric \"%s\" is for %s, but the data's targets are %s%s", where,
                    metric->name, classes ? "numbers" : "classes", classes ? "classes" : "numbers",
                    dl_text_get(&hint));
            dl_text_free(&hint);
            return -1;
        }
        e->metrics[e->metric_count++] = metric;
    }
    return 0;
}

static int check_monitor(dl_experiment *e, dl_error *error) {
    const char *monitor = e->settings.monitor;
    const char *names[2 * DL_METRICS + 2];
    int count = 0;
    for (int part = 0; part < 2; part++) {
        const char *prefix = part ? "val" : "train";
        if (part && !e->data.part[DL_VALIDATION].count)
            continue;
        names[count++] = dl_arena_printf(&e->arena, "%s_loss", prefix);
        for (int i = 0; i < e->metric_count; i++)
            names[count++] = dl_arena_printf(&e->arena, "%s_%s", prefix, e->metrics[i]->name);
    }
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], monitor))
            return 0;
    if (!e->settings.early_stopping) { /* nobody asked for it: without validation, the other one */
        e->settings.monitor = "train_loss";
        return 0;
    }
    dl_text list = {0};
    for (int i = 0; i < count; i++)
        dl_text_add(&list, "%s%s", i ? ", " : "", names[i]);
    dl_fail(error, DL_USAGE, "%s: \"%s\" is not a column of the history (there are %s)",
            dl_config_where(e->config, e->settings.early_stopping), monitor, dl_text_get(&list));
    dl_text_free(&list);
    return -1;
}

static int last_activation(const dl_layer *layer) {
    for (const dl_option *o = layer->type->kind.options; o && o->key; o++)
        if (o->choices == dl_activation_names)
            return *(const int *)((const char *)layer->self + o->offset);
    return strcmp(layer->type->kind.name, "softmax") ? DL_LINEAR : DL_SOFTMAX;
}

static int choose_batch(dl_experiment *e, dl_error *error) {
    int64_t rows = e->data.part[DL_TRAIN].count, wanted = e->settings.batch_size;
    if (rows && wanted > rows)
        return dl_fail(
            error, DL_USAGE, "%s: batch_size is %lld, but the training part has only %lld rows",
            dl_config_where(e->config, config_lookup(&e->config->tree, "training.batch_size")),
            (long long)wanted, (long long)rows);
    if (!e->batch_size)
        e->batch_size = wanted == DL_BATCH_ALL ? rows : wanted;
    if (e->batch_size > INT32_MAX / 2)
        return dl_fail(error, DL_USAGE, "%s: a batch of %lld rows is too large", e->config->name,
                       (long long)e->batch_size);
    return 0;
}

int dl_experiment_build(dl_experiment *e, bool training, int threads, dl_error *error) {
    if (describe_target(e, error) || choose_metrics(e, error) ||
        (training && check_monitor(e, error)) || choose_batch(e, error))
        return -1;
    if (dl_net_build(&e->net, e->data.schema.input, (int)e->batch_size, training, threads, error))
        return -1;
    const dl_layer *last = &e->net.layers[e->net.layer_count - 1];
    dl_output output = {last->out.shape, last_activation(last), last->where, last->name};
    if (e->loss->check(e->loss_self, &output, &e->target, error))
        return -1;
    if (training && !e->net.weight_count)
        return dl_fail(error, DL_USAGE, "%s: the network has no weights: there is nothing to train",
                       e->config->name);
    return 0;
}

void dl_experiment_free(dl_experiment *e) {
    dl_net_free(&e->net);
    dl_data_free(&e->data);
    dl_arena_free(&e->arena);
    *e = (dl_experiment){0};
}

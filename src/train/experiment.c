#include "train/experiment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/backend.h"
#include "train/monitor.h"
#include "train/transfer.h"

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
     "what to learn from: a group { … }"},
    {"network", DL_SETTING, offsetof(root, network), NULL, 0, 0, NULL,
     "the layers, in the order in which they run: a list ( { … }, … )"},
    {"loss", DL_SETTING, offsetof(root, loss), NULL, 0, 0, NULL,
     "what is minimized: a group { type = \"…\" }"},
    {"optimizer", DL_SETTING, offsetof(root, optimizer), "", 0, 0, NULL,
     "how it is minimized: a group { type = \"…\" }; left out: adam"},
    {"regularization", DL_SETTING, offsetof(root, regularization), "", 0, 0, NULL,
     "what keeps the network from learning by heart: a group { … }"},
    {"training", DL_SETTING, offsetof(root, training), "", 0, 0, NULL,
     "how long and how: a group { … }"},
    DL_OPTIONS_END,
};

static const char *const batch_words[] = {"all", NULL};

static const dl_option training_options[] = {
    {"batch_size", DL_INT, offsetof(dl_settings, batch_size), "32", 1, 1 << 24, batch_words,
     "samples a step; \"all\" is the whole training part"},
    {"epochs", DL_INT, offsetof(dl_settings, epochs), "10", 0, 1e9, NULL,
     "passes over the training part"},
    {"shuffle", DL_BOOL, offsetof(dl_settings, shuffle), "true", 0, 0, NULL,
     "the rows come in another order each epoch; false: in that of the file, which stateful layers "
     "need, but which is bad for rows that are sorted"},
    {"metrics", DL_STRINGS, offsetof(dl_settings, metrics), "", 0, 0, NULL,
     "what is measured beside the loss; left out: accuracy for classes, rmse for numbers (also in "
     "bins)"},
    {"init_from", DL_STRING, offsetof(dl_settings, init_from), "", 0, 0, NULL,
     "begin with the weights and running statistics of another checkpoint (a safetensors file of "
     "any program, or a run's folder: its best one), as far as they have the same names and "
     "shapes; the log says what was taken, and what does not fit. With trainable = false on the "
     "layers that were taken only the others learn: transfer learning. --resume does not look at "
     "it again"},
    {"init_map", DL_STRINGS, offsetof(dl_settings, init_map), "", 0, 0, NULL,
     "layers that have other names there: (\"layer=its name there\", …)"},
    {"bf16", DL_BOOL, offsetof(dl_settings, bf16), "false", 0, 0, NULL,
     "large products take their factors as bfloat16, 8 bits of precision, while weights and sums "
     "stay float: up to twice as fast where oneDNN and the processor (AVX512_BF16) can"},
    DL_OPTIONS_END,
};

static const dl_option regularization_options[] = {
    {"l1", DL_FLOAT, offsetof(dl_settings, l1), "0.0", 0, 1e6, NULL,
     "adds l1 * |w| to the loss for each weight (not for biases): many become zero"},
    {"l2", DL_FLOAT, offsetof(dl_settings, l2), "0.0", 0, 1e6, NULL,
     "adds l2/2 * w^2 to the loss for each weight (not for biases): all stay small"},
    {"clip_norm", DL_FLOAT, offsetof(dl_settings, clip_norm), "0.0", 0, 1e12, NULL,
     "a gradient that is longer than this is made this long; 0: off"},
    {"clip_value", DL_FLOAT, offsetof(dl_settings, clip_value), "0.0", 0, 1e12, NULL,
     "each number of the gradient is kept between -clip_value and clip_value, before clip_norm "
     "looks at it; 0: off"},
    {"gradient_noise", DL_FLOAT, offsetof(dl_settings, gradient_noise), "0.0", 0, 1e6, NULL,
     "after the clipping adds normal noise to the gradient, of variance gradient_noise / (1 + "
     "step)^gradient_noise_decay; 0.01 to 1 helps very deep nets off bad beginnings; 0: off"},
    {"gradient_noise_decay", DL_FLOAT, offsetof(dl_settings, gradient_noise_decay), "0.55", 0, 10,
     NULL, "how fast the noise dies away"},
    {"max_norm", DL_FLOAT, offsetof(dl_settings, max_norm), "0.0", 0, 1e12, NULL,
     "after each step the weights into a unit (a filter) that are longer than this are made this "
     "long; 3 or 4 goes well with dropout; 0: off"},
    {"clip_weights", DL_FLOAT, offsetof(dl_settings, clip_weights), "0.0", 0, 1e12, NULL,
     "after each step keeps every weight (not biases) between -clip_weights and clip_weights; 0: "
     "off"},
    {"early_stopping", DL_SETTING, offsetof(dl_settings, early_stopping), "", 0, 0, NULL,
     "when to stop before the last epoch: a group { … }; left out: never"},
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
    return dl_config_read(e->config, group, NULL, key, &table, 1, error);
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

static const char *where_metrics(const dl_experiment *e) {
    config_setting_t *list = config_lookup(&e->config->tree, "training.metrics");
    return dl_config_where(e->config, list ? list : config_root_setting(&e->config->tree));
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
                             where_metrics(e), metrics->items[i]);
        else if (!dl_metric_find(metrics->items[i]))
            result = dl_fail(error, DL_USAGE, "%s: there is no metric \"%s\"%s", where_metrics(e),
                             metrics->items[i], hint.data);
        dl_text_free(&hint);
    }
    if (metrics->count > DL_METRICS)
        result = dl_fail(error, DL_USAGE, "%s: at most %d metrics", where_metrics(e), DL_METRICS);
    return result;
}

/* Of early stopping and the schedule. */
static int check_monitors(dl_experiment *e, const char *const *metrics, int count,
                          dl_error *error) {
    int result = 0;
    if (e->settings.early_stopping)
        result = dl_monitor_check(e, "early_stopping", e->settings.monitor,
                                  e->settings.early_stopping, metrics, count, error);
    if (!e->schedule || !e->schedule->observe)
        return result;
    const dl_schedule_common *schedule = e->schedule_self;
    return dl_monitor_check(e, e->schedule->kind.name, schedule->monitor,
                            config_lookup(&e->config->tree, "optimizer.schedule"), metrics, count,
                            error) |
           result;
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

static int read_settings(dl_experiment *e, config_setting_t *top, dl_error *error) {
    int result = read_section(e, top, "training", training_options, error);
    result |= read_section(e, top, "regularization", regularization_options, error);
    result |= check_metric_names(e, error);
    e->settings.monitor = e->data.validation ? "val_loss" : "train_loss";
    if (e->settings.early_stopping &&
        read_section(e, config_setting_get_member(top, "regularization"), "early_stopping",
                     stopping_options, error))
        return -1;
    const char *all[DL_MOST_METRICS];
    for (int i = 0; i < dl_metric_count && i < DL_MOST_METRICS; i++)
        all[i] = dl_metrics[i].name;
    const dl_strings *own = &e->settings.metrics;
    bool named = own->count > 0 && own->count <= DL_METRICS;
    result |=
        check_monitors(e, named ? own->items : all, named ? own->count : dl_metric_count, error);
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
    result |= read_optimizer(e, top, error);
    result |= read_settings(e, top, error);
    if (!net)
        result |= dl_transfer_check(e, error);
    dl_error_sort(error);
    return result;
}

/* ---- once the data are known ---- */

/* What an output should equal, squared, in magnitude and at its ends, over the first rows of the
   training part. */
static int measure_targets(dl_experiment *e, dl_error *error) {
    enum { ENOUGH = 10000 };
    const dl_subset *train = &e->data.part[DL_TRAIN];
    int64_t outputs = e->data.schema.outputs, rows = train->count < ENOUGH ? train->count : ENOUGH;
    float *y = xmalloc(sizeof *y * (size_t)outputs);
    int result = 0;
    for (int64_t i = 0; i < rows && !result; i++) {
        result = train->dataset->type->read(train->dataset, train->index[i], NULL, y, error);
        if (!e->target.classes)
            dl_normalize(&e->data.target, y, 1, outputs);
        for (int64_t j = 0; j < outputs && !result; j++) {
            bool first = !i && !j;
            e->target.least = first || y[j] < e->target.least ? y[j] : e->target.least;
            e->target.most = first || y[j] > e->target.most ? y[j] : e->target.most;
            e->target.mean_square += (double)y[j] * y[j] / (double)(rows * outputs);
            e->target.mean_magnitude += fabs((double)y[j]) / (double)(rows * outputs);
        }
    }
    free(y);
    return result;
}

int dl_experiment_ignored(const dl_experiment *e) {
    return e->loss->ignored ? e->loss->ignored(e->loss_self) : -1;
}

/* What a loss makes of the training part's classes must be known to whoever tests the net: then
   the counts travel in the schema. */
static void keep_counts(dl_experiment *e) {
    dl_schema *schema = &e->data.schema;
    const int64_t *train = e->data.part[DL_TRAIN].class_count;
    size_t bytes = sizeof *train * (size_t)schema->classes;
    if (train && !schema->class_count && e->loss->needs_counts &&
        e->loss->needs_counts(e->loss_self))
        schema->class_count = memcpy(xmalloc(bytes), train, bytes);
    e->target.class_count = schema->class_count ? schema->class_count : train;
}

static int describe_target(dl_experiment *e, dl_error *error) {
    const dl_subset *train = &e->data.part[DL_TRAIN];
    dl_target *target = &e->target;
    bool classes = e->data.schema.classes > 0;
    e->positions = classes ? e->data.schema.outputs : 1;
    *target = (dl_target){.classes = e->data.schema.classes,
                          .outputs = classes ? 1 : e->data.schema.outputs};
    keep_counts(e);
    /* of more than two classes the numbers mean nothing */
    return train->count && target->classes <= 2 && !e->data.schema.bin_edge
               ? measure_targets(e, error)
               : 0;
}

static int choose_metrics(dl_experiment *e, dl_error *error) {
    const dl_strings *names = &e->settings.metrics;
    bool classes = e->data.schema.classes > 0, bins = e->data.schema.bin_edge;
    int result = 0;
    if (!names->count)
        e->metrics[e->metric_count++] = dl_metric_find(classes && !bins ? "accuracy" : "rmse");
    for (int i = 0; i < names->count; i++) {
        const dl_metric *metric = dl_metric_find(names->items[i]);
        e->metrics[e->metric_count++] = metric;
        if (metric->for_classes == classes || bins) /* bins are classes of numbers: both */
            continue;
        const char *kinds[] = {"numbers", "classes"};
        dl_text list = {0};
        dl_metric_list(classes, &list);
        result = dl_fail(
            error, DL_USAGE,
            "%s: the metric \"%s\" is for %s, but the data's targets are %s (for %s there are %s)",
            where_metrics(e), metric->name, kinds[!classes], kinds[classes], kinds[classes],
            list.data);
        dl_text_free(&list);
    }
    return result;
}

/* Again, now that it is known which metrics there are where none was named. */
static int check_monitor_again(dl_experiment *e, dl_error *error) {
    const char *names[DL_METRICS];
    for (int i = 0; i < e->metric_count; i++)
        names[i] = e->metrics[i]->name;
    return check_monitors(e, names, e->metric_count, error);
}

/* NULL if the layer has no key `activation`. */
static dl_activation *find_activation(const dl_layer *layer) {
    for (const dl_option *o = layer->type->kind.options; o && o->key; o++)
        if (o->choices == dl_activation_names || o->choices == dl_activation_all_names)
            return (dl_activation *)((char *)layer->self + o->offset -
                                     offsetof(dl_activation, kind));
    return NULL;
}

static int last_activation(const dl_layer *layer) {
    const dl_activation *activation = find_activation(layer);
    if (activation)
        return activation->kind;
    return strcmp(layer->type->kind.name, "softmax") ? DL_LINEAR : DL_SOFTMAX;
}

/* Before the net is built, since layers may copy their activation then. */
static void pass_straight_through(dl_experiment *e) {
    dl_activation *last = find_activation(&e->net.layers[e->net.layer_count - 1]);
    if (last)
        last->straight = e->loss->straight_through;
    for (int h = 0; h < e->net.head_count; h++)
        if ((last = find_activation(&e->net.layers[e->net.heads[h].last])))
            last->straight = e->heads[h].loss->straight_through;
}

static int choose_batch(dl_experiment *e, dl_error *error) {
    int64_t rows = e->data.part[DL_TRAIN].count, wanted = e->settings.batch_size;
    const char *where =
        dl_config_where(e->config, config_lookup(&e->config->tree, "training.batch_size"));
    if (!e->batch_size) {
        if (rows && wanted > rows)
            return dl_fail(error, DL_USAGE,
                           "%s: batch_size is %lld, but the training part has only %lld rows "
                           "(batch_size = \"all\" takes them all)",
                           where, (long long)wanted, (long long)rows);
        e->batch_size = wanted == DL_BATCH_ALL ? rows : wanted;
    }
    if (e->batch_size > INT32_MAX / 2)
        return dl_fail(error, DL_USAGE, "%s: a batch of %lld rows is too large", where,
                       (long long)e->batch_size);
    return 0;
}

/* The last layer has its outputs at each position that has a class: the loss looks at one. */
static int check_positions(const dl_experiment *e, const dl_layer *last, const char *role,
                           int64_t *outputs, dl_error *error) {
    int64_t size = dl_shape_size(last->out.shape);
    int channels = dl_shape_channels(last->out.shape);
    *outputs = e->positions > 1 ? channels : size;
    if (e->positions == 1 || (last->out.shape.rank > 1 && size == e->positions * channels))
        return 0;
    char shape[48], input[48];
    return dl_fail(error, DL_USAGE,
                   "%s: %s, \"%s\", has the output %s, but the data (%s) has a class "
                   "at each of %lld positions: it must have as many, with an output a class",
                   last->where, role, last->name, dl_shape_text(shape, last->out.shape),
                   dl_shape_text(input, e->net.input), (long long)e->positions);
}

static int check_end(const dl_experiment *e, const dl_layer *last, const char *role,
                     const config_setting_t *setting, dl_head_loss *end, dl_error *error) {
    if (check_positions(e, last, role, &end->channels, error))
        return -1;
    dl_shape shape = e->positions > 1 ? dl_shape1((int)end->channels) : last->out.shape;
    dl_output output = {
        shape, last_activation(last), last->where, last->name, dl_config_where(e->config, setting),
        role};
    return end->loss->check(end->self, &output, &e->target, error);
}

/* That the output of the net and those of its heads are such as their losses take. */
static int check_losses(dl_experiment *e, dl_error *error) {
    const dl_net *net = &e->net;
    const config_setting_t *loss = config_lookup(&e->config->tree, "loss");
    dl_head_loss own = {e->loss, e->loss_self, 0};
    int result =
        check_end(e, &net->layers[net->layer_count - 1], "the last layer", loss, &own, error);
    e->channels = own.channels;
    for (int h = 0; h < net->head_count; h++) {
        const dl_head *head = &net->heads[h];
        const config_setting_t *setting = head->loss ? head->loss : loss;
        const char *role =
            dl_arena_printf(&e->arena, "the last layer of the auxiliary head \"%s\" (its loss: %s)",
                            head->name, dl_config_where(e->config, setting));
        result |= check_end(e, &net->layers[head->last], role, setting, &e->heads[h], error);
    }
    return result;
}

/* A layer that goes on where the batch before ended needs data and an order in which it can. */
static int check_stateful(const dl_experiment *e, dl_error *error) {
    const dl_layer *layer = dl_net_stateful(&e->net);
    const config_setting_t *format = config_lookup(&e->config->tree, "data.format");
    if (!layer)
        return 0;
    for (dl_split part = 0; part < DL_SPLITS; part++) {
        const dl_subset *rows = &e->data.part[part];
        if (!rows->dataset)
            continue;
        if (!rows->dataset->ordered)
            return dl_fail(error, DL_USAGE,
                           "%s: layer \"%s\" is stateful, but the rows of format \"%s\" do not go "
                           "on where the one before ends, as those of \"text\" do: leave out "
                           "stateful",
                           layer->where, layer->name, config_setting_get_string(format));
        if (rows->index[rows->count - 1] - rows->index[0] != rows->count - 1)
            return dl_fail(error, DL_USAGE,
                           "%s: layer \"%s\" is stateful, but the rows for %s are taken from all "
                           "over the text: write data.split = \"tail\"",
                           layer->where, layer->name,
                           part == DL_TRAIN ? "training" : dl_split_names[part]);
    }
    if (e->settings.shuffle)
        return dl_fail(error, DL_USAGE,
                       "%s: layer \"%s\" is stateful, but the rows are shuffled, so that none goes "
                       "on where the one before ends: write training.shuffle = false",
                       layer->where, layer->name);
    return 0;
}

dl_order dl_experiment_order(const dl_experiment *e, bool training) {
    if (dl_net_stateful(&e->net))
        return DL_LANES;
    return training && e->settings.shuffle ? DL_SHUFFLED : DL_AS_STORED;
}

/* A mean over nothing is none. */
static int check_ignored(const dl_experiment *e, dl_error *error) {
    int ignored = dl_experiment_ignored(e), result = 0;
    char number[16];
    for (int part = 0; part < DL_SPLITS && ignored >= 0; part++) {
        const dl_subset *rows = &e->data.part[part];
        if (rows->count && rows->class_count[ignored] == rows->count * e->positions)
            result = dl_fail(error, DL_DATA,
                             "%s: all %lld rows for %s are of class \"%s\", which ignore_label "
                             "leaves out",
                             rows->dataset->where, (long long)rows->count,
                             part == DL_TRAIN ? "training" : dl_split_names[part],
                             dl_schema_class(&e->data.schema, ignored, number));
    }
    return result;
}

static int choose_precision(const dl_experiment *e, bool training, dl_error *error) {
    bool bf16 = training && e->settings.bf16;
    const char *lacking = bf16 ? dl_backend_lacks_for_bf16() : NULL;
    if (lacking)
        return dl_fail(error, DL_USAGE, "%s: bf16 is not possible: %s",
                       dl_config_where(e->config, config_lookup(&e->config->tree, "training.bf16")),
                       lacking);
    dl_backend_set_bf16(bf16);
    return 0;
}

int dl_experiment_build(dl_experiment *e, bool training, int threads, dl_error *error) {
    if (describe_target(e, error))
        return -1;
    int result = choose_metrics(e, error);
    if (training && !result)
        result |= check_monitor_again(e, error);
    int batch = choose_batch(e, error);
    result |= choose_precision(e, training, error);
    pass_straight_through(e);
    if (dl_net_build(&e->net, e->data.schema.input, batch ? 1 : (int)e->batch_size, training,
                     threads, error) ||
        check_stateful(e, error) || check_losses(e, error) || check_ignored(e, error))
        return -1;
    if (training && !e->net.has_gradient[e->net.layer_count - 1])
        return dl_fail(error, DL_USAGE,
                       "%s: the network has no weights%s: there is nothing to train",
                       dl_config_where(e->config, config_lookup(&e->config->tree, "network")),
                       e->net.weight_count ? " that are trainable" : "");
    return result | batch;
}

dl_text dl_experiment_columns(const dl_experiment *e) {
    dl_text line = {0};
    for (int part = 0; part < 2; part++) {
        const char *prefix = part ? "val" : "train";
        if (part && !e->data.part[DL_VALIDATION].count)
            continue;
        dl_text_add(&line, "%s%s_loss", part ? "," : "", prefix);
        for (int m = 0; m < e->metric_count; m++)
            dl_text_add(&line, ",%s_%s", prefix, e->metrics[m]->name);
        for (int h = 0; !part && h < e->net.head_count; h++)
            dl_text_add(&line, ",train_%s_loss", e->net.heads[h].name);
    }
    return line;
}

void dl_experiment_free(dl_experiment *e) {
    dl_net_free(&e->net);
    dl_data_free(&e->data);
    dl_arena_free(&e->arena);
    *e = (dl_experiment){0};
}

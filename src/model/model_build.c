/* SPDX-License-Identifier: MIT */
/* Building and checks of a model, once its data are known. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/backend.h"
#include "model/model.h"
#include "model/test_time_augmentation.h"

/* Statistics of the targets over the first rows of the training part. */
static int measure_targets(dl_model *model, dl_error *error) {
    enum { ENOUGH = 10000 };
    const dl_subset *train = &model->data.part[DL_TRAIN];
    int64_t outputs = model->data.schema.outputs,
            rows = train->count < ENOUGH ? train->count : ENOUGH;
    const float *weights = train->dataset->weight;
    float *y = xmalloc(sizeof *y * (size_t)outputs);
    double total = (double)(rows * outputs);
    int result = 0;
    if (weights)
        total = dl_subset_weight(train, rows) * (double)outputs;
    for (int64_t i = 0; i < rows && !result; i++) {
        double weight = weights ? (double)weights[train->index[i]] : 1;
        result = dl_dataset_read(train->dataset, train->index[i], NULL, y, error);
        if (!model->target.classes)
            dl_normalize(&model->data.target, y, 1, outputs);
        for (int64_t j = 0; j < outputs && !result; j++) {
            bool first = !i && !j;
            model->target.least = first || y[j] < model->target.least ? y[j] : model->target.least;
            model->target.most = first || y[j] > model->target.most ? y[j] : model->target.most;
            model->target.mean += weight * (double)y[j] / total;
            model->target.mean_square += weight * ((double)y[j] * y[j]) / total;
            model->target.mean_magnitude += weight * fabs((double)y[j]) / total;
        }
    }
    free(y);
    return result;
}

int dl_model_ignored(const dl_model *model) {
    return model->loss->ignored ? model->loss->ignored(model->loss_self) : -1;
}

/* The sum of the weights of each class's training rows, which the caller frees; NULL: rows have no
   weights, or no classes. */
static double *sum_class_weights(const dl_model *model) {
    const dl_subset *train = &model->data.part[DL_TRAIN];
    if (!train->dataset || !train->dataset->weight || !model->target.classes)
        return NULL;
    double *mass = xcalloc((size_t)model->target.classes, sizeof *mass);
    float *y = xmalloc(sizeof *y * (size_t)model->data.schema.outputs);
    dl_error ignored = {0};
    for (int64_t i = 0; i < train->count; i++)
        if (!dl_dataset_read(train->dataset, train->index[i], NULL, y, &ignored))
            mass[(int)y[0]] += (double)train->dataset->weight[train->index[i]];
    dl_error_clear(&ignored);
    free(y);
    return mass;
}

double dl_model_expected_loss(const dl_model *model) {
    const dl_layer *last = &model->net.layers[model->net.layer_count - 1];
    float *output = xcalloc((size_t)model->channels, sizeof *output);
    if (last->activation)
        dl_activate(last->activation, 1, model->channels, NULL, output, output);
    double each = (double)output[0];
    free(output);
    if (!model->loss->initial)
        return NAN;
    dl_target target = model->target;
    double *mass = sum_class_weights(model);
    target.class_mass = mass;
    each = model->loss->initial(model->loss_self, &target, model->channels, each);
    free(mass);
    return each;
}

double dl_model_baseline(const dl_model *model, dl_split split, int *most_frequent) {
    const dl_data *data = &model->data;
    const int64_t *train = data->part[DL_TRAIN].class_count, *count = data->part[split].class_count;
    int ignored = dl_model_ignored(model), best = ignored == 0;
    int64_t rows = data->part[split].count * data->schema.outputs;
    if (!data->schema.classes)
        return NAN;
    for (int c = best + 1; c < data->schema.classes; c++)
        if (c != ignored && train[c] > train[best])
            best = c;
    rows -= ignored < 0 ? 0 : count[ignored];
    *most_frequent = best;
    return (double)count[best] / (double)rows;
}

/* A loss that depends on the class counts of the training part needs them for tests as well: they
   are saved in the schema. */
static void keep_counts(dl_model *model) {
    dl_schema *schema = &model->data.schema;
    const int64_t *train = model->data.part[DL_TRAIN].class_count;
    size_t bytes = sizeof *train * (size_t)schema->classes;
    if (train && !schema->class_count && model->loss->needs_counts &&
        model->loss->needs_counts(model->loss_self))
        schema->class_count = memcpy(xmalloc(bytes), train, bytes);
    model->target.class_count = schema->class_count ? schema->class_count : train;
}

static int describe_target(dl_model *model, dl_error *error) {
    const dl_subset *train = &model->data.part[DL_TRAIN];
    dl_target *target = &model->target;
    bool classes = model->data.schema.classes > 0;
    model->positions = classes ? model->data.schema.outputs : 1;
    *target = (dl_target){.classes = model->data.schema.classes,
                          .outputs = classes ? 1 : model->data.schema.outputs};
    keep_counts(model);
    /* of more than two classes the numbers mean nothing */
    return train->count && target->classes <= 2 && !model->data.schema.bin_edge
               ? measure_targets(model, error)
               : 0;
}

/* A metric of one target of several, named "rmse.height"; characters that would be in the way in
   history.csv become _. */
static const dl_metric *metric_of_target(dl_model *model, const dl_metric *base, int target) {
    dl_metric *metric = dl_arena_alloc(&model->arena, sizeof *metric);
    char *name =
        dl_arena_printf(&model->arena, "%s.%s", base->name, model->data.schema.target_name[target]);
    for (char *c = name; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 127 || *c == ',' || *c == '"')
            *c = '_';
    *metric = *base;
    metric->name = name;
    metric->output = target + 1;
    metric->per_output = metric->for_classes = false;
    return metric;
}

/* "rmse", or "rmse.height". NULL and an error if there is no such target. */
static const dl_metric *choose_metric(dl_model *model, const char *name, dl_error *error) {
    const dl_schema *schema = &model->data.schema;
    const dl_metric *base = dl_metric_find(name);
    size_t length = strlen(base->name);
    if (strncmp(base->name, name, length) != 0 || name[length] != '.')
        return base;
    const char *target = name + length + 1;
    for (int i = 0; i < schema->targets && !schema->classes; i++)
        if (!strcmp(schema->target_name[i], target))
            return metric_of_target(model, base, i);
    const char *nearest =
        dl_text_nearest(target, (const char *const *)schema->target_name, schema->targets);
    dl_fail(error, DL_USAGE,
            "%s: the metric \"%s\" is for a numeric target \"%s\", and there is "
            "none%s%s%s",
            dl_model_where(model, "training.metrics"), name, target,
            nearest ? " (did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?)" : "");
    return NULL;
}

static int choose_metrics(dl_model *model, dl_error *error) {
    const dl_strings *names = &model->settings.metrics;
    bool classes = model->data.schema.classes > 0, bins = model->data.schema.bin_edge;
    int result = 0;
    if (!names->count)
        model->metrics[model->metric_count++] =
            dl_metric_find(classes && !bins ? "accuracy" : "rmse");
    int targets = names->count || model->data.schema.targets < 2 ? 0 : model->data.schema.targets;
    for (int i = 0; i < targets && i < DL_MAX_RUN_METRICS - 1; i++)
        model->metrics[model->metric_count++] = metric_of_target(model, model->metrics[0], i);
    for (int i = 0; i < names->count; i++) {
        const dl_metric *metric = choose_metric(model, names->items[i], error);
        if (!metric)
            return -1;
        model->metrics[model->metric_count++] = metric;
        if ((classes ? metric->for_classes : metric->for_numbers) ||
            bins) /* bins are classes of numbers: both */
            continue;
        const char *kinds[] = {"numbers", "classes"};
        dl_text list = {0};
        dl_metric_list(classes, &list);
        result = dl_fail(
            error, DL_USAGE,
            "%s: the metric \"%s\" is for %s, but the data's targets are %s (for %s there are %s)",
            dl_model_where(model, "training.metrics"), metric->name, kinds[!classes],
            kinds[classes], kinds[classes], list.data);
        dl_text_free(&list);
    }
    return result;
}

static int last_activation(const dl_layer *layer) {
    return layer->activation ? layer->activation->kind : DL_LINEAR;
}

/* Before the setup of the layers. */
static void set_straight_through(dl_model *model) {
    dl_net *net = &model->net;
    net->layers[net->layer_count - 1].straight_through = model->loss->straight_through;
    for (int h = 0; h < net->head_count; h++)
        net->layers[net->heads[h].last].straight_through = model->heads[h].loss->straight_through;
}

static int choose_batch(dl_model *model, dl_error *error) {
    int64_t rows = model->data.part[DL_TRAIN].count, wanted = model->settings.batch_size;
    const char *where = dl_model_where(model, "training.batch_size");
    if (!model->batch_size) {
        int64_t most = dl_loader_pass_rows(&model->data, DL_TRAIN);
        model->batch_size = wanted == DL_BATCH_ALL || (rows && wanted > most) ? most : wanted;
    }
    if (model->batch_size > INT32_MAX / 2)
        return dl_fail(error, DL_USAGE, "%s: a batch of %lld rows is too large", where,
                       (long long)model->batch_size);
    return 0;
}

/* Checks that the last layer has outputs for each position that has a class. */
static int check_positions(const dl_model *model, const dl_layer *last, const char *role,
                           int64_t *outputs, dl_error *error) {
    int64_t size = dl_shape_size(last->out.shape);
    int channels = dl_shape_channels(last->out.shape);
    *outputs = model->positions > 1 ? channels : size;
    if (model->positions == 1 || (last->out.shape.rank > 1 && size == model->positions * channels))
        return 0;
    char shape[48], input[48];
    return dl_fail(error, DL_USAGE,
                   "%s: %s, \"%s\", has the output %s, but the data (%s) have a class at each of "
                   "%lld positions: it needs one output per class and position",
                   last->where, role, last->name, dl_shape_text(shape, last->out.shape),
                   dl_shape_text(input, model->net.input), (long long)model->positions);
}

static int check_end(const dl_model *model, const dl_layer *last, const char *role,
                     const config_setting_t *setting, dl_head_loss *end, dl_error *error) {
    if (check_positions(model, last, role, &end->channels, error))
        return -1;
    dl_shape shape = model->positions > 1 ? dl_shape1((int)end->channels) : last->out.shape;
    dl_output output = {shape,
                        last_activation(last),
                        last->where,
                        last->name,
                        dl_config_where(model->config, setting),
                        role};
    return end->loss->check(end->self, &output, &model->target, error);
}

/* Checks the outputs of the net and of its heads against their losses. */
static int check_losses(dl_model *model, dl_error *error) {
    const dl_net *net = &model->net;
    const config_setting_t *loss = config_lookup(&model->config->tree, "loss");
    dl_head_loss own = {model->loss, model->loss_self, 0};
    int result =
        check_end(model, &net->layers[net->layer_count - 1], "the last layer", loss, &own, error);
    model->channels = own.channels;
    for (int h = 0; h < net->head_count; h++) {
        const dl_head *head = &net->heads[h];
        const config_setting_t *setting = head->loss ? head->loss : loss;
        const char *role = dl_arena_printf(
            &model->arena, "the last layer of the auxiliary head \"%s\" (its loss: %s)", head->name,
            dl_config_where(model->config, setting));
        result |=
            check_end(model, &net->layers[head->last], role, setting, &model->heads[h], error);
    }
    return result;
}

/* How the outputs become probabilities, if they do. */
static int choose_link(const dl_model *model) {
    int last = last_activation(&model->net.layers[model->net.layer_count - 1]);
    if (model->loss->softmax)
        return DL_SOFTMAX;
    if (model->loss->link == DL_SIGMOID && model->channels == 1)
        return DL_SIGMOID;
    bool row = model->channels > 1 && last == DL_SOFTMAX,
         one = model->channels == 1 && last == DL_SIGMOID;
    return row || one ? DL_LINEAR : DL_NO_PROBABILITIES;
}

/* Checks that the metrics are defined for these outputs and targets. */
static int check_metrics(const dl_model *model, dl_error *error) {
    const dl_target *target = &model->target;
    const char *where = dl_model_where(model, "training.metrics");
    int result = 0;
    for (int m = 0; m < model->metric_count; m++) {
        const dl_metric *metric = model->metrics[m];
        if (metric->probabilities && target->classes && model->link == DL_NO_PROBABILITIES)
            result =
                dl_fail(error, DL_USAGE,
                        "%s: the metric \"%s\" needs probabilities, but the outputs of \"%s\" "
                        "with the loss \"%s\" are not probabilities (softmax_cross_entropy and "
                        "binary_cross_entropy make them so)",
                        where, metric->name, model->net.layers[model->net.layer_count - 1].name,
                        model->loss->kind.name);
        if (metric->k && metric->k >= target->classes)
            result =
                dl_fail(error, DL_USAGE,
                        "%s: the metric \"%s\" would always be 100 %%: the data have %d classes",
                        where, metric->name, target->classes);
        if (metric->outputs && model->data.schema.outputs != metric->outputs)
            result = dl_fail(error, DL_USAGE,
                             "%s: the metric \"%s\" is for targets of %d numbers, but the data's "
                             "have %d",
                             where, metric->name, metric->outputs, model->data.schema.outputs);
        if (metric->unit_targets && !target->classes && (target->least < 0 || target->most > 1))
            result = dl_fail(error, DL_USAGE,
                             "%s: the metric \"%s\" is for targets from 0 to 1, but the data's go "
                             "from %g to %g",
                             where, metric->name, target->least, target->most);
    }
    return result;
}

/* A stateful layer needs rows that continue each other, in their order. */
static int check_stateful(const dl_model *model, dl_error *error) {
    const dl_layer *layer = dl_net_stateful(&model->net);
    const config_setting_t *format = config_lookup(&model->config->tree, "data.format");
    if (!layer)
        return 0;
    for (dl_split part = 0; part < DL_SPLITS; part++) {
        const dl_subset *rows = &model->data.part[part];
        if (!rows->dataset)
            continue;
        if (!rows->dataset->ordered)
            return dl_fail(error, DL_USAGE,
                           "%s: layer \"%s\" is stateful, but the rows of format \"%s\" do not "
                           "continue each other, as those of \"text\" do: remove stateful",
                           layer->where, layer->name, config_setting_get_string(format));
        if (model->data.bagging || rows->index[rows->count - 1] - rows->index[0] == rows->count - 1)
            continue;
        if (model->data.fold > 1 && model->data.fold < model->data.folds)
            return dl_fail(
                error, DL_USAGE,
                "%s: layer \"%s\" is stateful, but fold %lld of %lld splits the text: the "
                "training rows do not continue each other (use the first or the last "
                "fold, with data.split = \"tail\")",
                layer->where, layer->name, (long long)model->data.fold,
                (long long)model->data.folds);
        return dl_fail(error, DL_USAGE,
                       "%s: layer \"%s\" is stateful, but the rows for %s are scattered over "
                       "the text: use data.split = \"tail\"",
                       layer->where, layer->name,
                       part == DL_TRAIN ? "training" : dl_split_names[part]);
    }
    if (model->data.bagging)
        return dl_fail(error, DL_USAGE,
                       "%s: layer \"%s\" is stateful, but data.bagging draws rows that do not "
                       "continue each other: remove one of them",
                       layer->where, layer->name);
    if (model->settings.shuffle)
        return dl_fail(error, DL_USAGE,
                       "%s: layer \"%s\" is stateful, but the rows are shuffled, so they do not "
                       "continue each other: use training.shuffle = false",
                       layer->where, layer->name);
    return 0;
}

dl_order dl_model_order(const dl_model *model, bool training) {
    if (dl_net_stateful(&model->net))
        return DL_LANES;
    return training && model->settings.shuffle ? DL_SHUFFLED : DL_IN_ORDER;
}

/* The mean loss is undefined if every row is ignored. */
static int check_ignored(const dl_model *model, dl_error *error) {
    int ignored = dl_model_ignored(model), result = 0;
    char number[16];
    for (int part = 0; part < DL_SPLITS && ignored >= 0; part++) {
        const dl_subset *rows = &model->data.part[part];
        if (rows->count && rows->class_count[ignored] == rows->count * model->positions)
            result = dl_fail(error, DL_DATA,
                             "%s: all %lld rows for %s are of class \"%s\", which ignore_label "
                             "excludes",
                             rows->dataset->where, (long long)rows->count,
                             part == DL_TRAIN ? "training" : dl_split_names[part],
                             dl_schema_class(&model->data.schema, ignored, number));
    }
    return result;
}

static int check_balance(const dl_model *model, dl_error *error) {
    const dl_schema *schema = &model->data.schema;
    bool oversample = model->data.balance == DL_BALANCE_OVERSAMPLE;
    if (!model->data.balance || (schema->classes && (schema->outputs == 1 || !oversample)))
        return 0;
    return dl_fail(error, DL_USAGE, "%s: \"balance\" is for classes, but %s",
                   dl_model_where(model, "data.balance"),
                   schema->classes ? "a row has more than one (use \"weights\")"
                                   : "the targets are numbers");
}

static int choose_precision(const dl_model *model, bool training, dl_error *error) {
    bool bf16 = training && model->settings.bf16;
    const char *lacking = bf16 ? dl_backend_lacks_for_bf16() : NULL;
    if (lacking)
        return dl_fail(error, DL_USAGE, "%s: bf16 is not available: %s",
                       dl_model_where(model, "training.bf16"), lacking);
    dl_backend_set_bf16(bf16);
    return 0;
}

/* The gradient of the second target of mixed rows. */
static void allocate_mixed_grad(dl_model *model) {
    int64_t most = model->channels;
    for (int h = 0; h < model->net.head_count; h++)
        most = model->heads[h].channels > most ? model->heads[h].channels : most;
    size_t count = (size_t)(model->positions * most);
    model->mixed_grad = dl_arena_alloc(&model->arena, sizeof(float) * count);
}

int dl_model_check_trainable(const dl_model *model, dl_error *error) {
    if (model->net.has_gradient[model->net.layer_count - 1])
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: the network has no weights%s: there is nothing to train (epochs = 0 saves "
                   "it untrained)",
                   dl_model_where(model, "network"),
                   model->net.weight_count ? " that are trainable" : "");
}

int dl_model_build(dl_model *model, bool training, int threads, dl_error *error) {
    if (describe_target(model, error))
        return -1;
    int result = choose_metrics(model, error);
    result |= check_balance(model, error);
    int batch = choose_batch(model, error);
    result |= choose_precision(model, training, error);
    set_straight_through(model);
    if (dl_net_build(&model->net, model->data.schema.input, batch ? 1 : (int)model->batch_size,
                     training, threads, error) ||
        check_stateful(model, error) || check_losses(model, error) || check_ignored(model, error) ||
        dl_views_check(model, error))
        return -1;
    model->link = choose_link(model);
    if (training && model->data.augment.mixes)
        allocate_mixed_grad(model);
    return result | batch | check_metrics(model, error);
}

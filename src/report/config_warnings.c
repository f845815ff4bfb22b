/* SPDX-License-Identifier: MIT */
#include "report/config_warnings.h"

#include "data/loader.h"
#include "train/average.h"

static void warn_frozen(dl_terminal *t, const dl_experiment *e) {
    for (int i = 0; i < e->model.net.layer_count; i++) {
        const dl_layer *layer = &e->model.net.layers[i];
        if (dl_layer_is_trained(layer) && layer->freeze_until > e->settings.epochs)
            dl_say(t,
                   "warning     %s: \"%s\" is frozen until epoch %lld, but there are %lld epochs: "
                   "it is never trained",
                   layer->where, layer->name, (long long)layer->freeze_until,
                   (long long)e->settings.epochs);
    }
}

static void warn_schedule(dl_terminal *t, const dl_experiment *e, int64_t steps) {
    const dl_schedule_common *common = e->schedule_self;
    if (!e->schedule)
        return;
    int64_t length = e->settings.epochs * (common->by ? steps : 1);
    if (common->warmup > 0 && common->warmup >= (double)length)
        dl_say(t, "warning     %s: warmup is %g %ss, but there are %lld: the schedule never starts",
               dl_model_where(&e->model, "optimizer.schedule"), common->warmup,
               dl_schedule_units[common->by], (long long)length);
}

static void warn_average(dl_terminal *t, const dl_experiment *e) {
    const dl_settings *s = &e->settings;
    if (!s->average)
        return;
    if (s->average_kind == DL_AVERAGE_EMA && s->average_from > 0)
        dl_say(t, "warning     %s: from_epoch has no effect: ema averages from the first step on",
               dl_config_where(e->model.config, s->average));
    for (int p = 0; p < e->model.net.param_count; p++)
        if (e->model.net.params[p].flags & DL_ORTHOGONAL &&
            !(e->model.net.params[p].flags & DL_FROZEN)) {
            dl_say(t,
                   "warning     %s: %s stays orthogonal in training, but the average of "
                   "such matrices, which is tested, is not",
                   dl_config_where(e->model.config, s->average), e->model.net.params[p].name);
            return;
        }
}

static void warn_metrics(dl_terminal *t, const dl_experiment *e) {
    const dl_model *model = &e->model;
    int targets = model->data.schema.targets, shown = model->metric_count - 1;
    if (!model->settings.metrics.count && targets > 1 && shown < targets)
        dl_say(t,
               "warning     the history has %s of the first %d of %d targets; training.metrics "
               "chooses others, by names such as \"%s.%s\"",
               model->metrics[0]->name, shown, targets, model->metrics[0]->name,
               model->data.schema.target_name[targets - 1]);
}

/* Whether lsuv has a layer to scale. */
static bool lsuv_scales(const dl_experiment *e) {
    bool found = false;
    for (int p = 0; p < e->model.net.param_count; p++)
        found |= e->model.net.params[p].initializer == &dl_initializers[DL_INIT_ORTHOGONAL] &&
                 !(e->model.net.params[p].flags & DL_ORTHOGONAL);
    return found;
}

/* About the first layer whose batch statistics are of few values, in each batch or the last one. */
static void warn_batch_statistics(dl_terminal *t, const dl_experiment *e) {
    enum { ENOUGH = 8 };
    int64_t rows = dl_loader_pass_rows(&e->model.data, DL_TRAIN);
    int64_t batch = e->model.batch_size < rows ? e->model.batch_size : rows, rest = rows % batch;
    for (int i = 0; i < e->model.net.layer_count; i++) {
        const dl_layer *layer = &e->model.net.layers[i];
        dl_shape shape = layer->in[0].shape;
        int64_t positions = dl_shape_size(shape) / dl_shape_channels(shape);
        int64_t few = batch * positions < ENOUGH ? batch : rest * positions < ENOUGH ? rest : 0;
        if (!layer->varies || !layer->state_count || !few)
            continue;
        char values[32], count[32];
        dl_say(
            t,
            "warning     %s: \"%s\" has %s value%s per channel for mean and variance in %s of %s "
            "row%s%s: with fewer than %d they are too noisy (use %s batch_size, or group_norm)",
            layer->where, layer->name, dl_text_count(values, few * positions),
            few * positions == 1 ? "" : "s", few == batch ? "each batch" : "the last batch",
            dl_text_count(count, few), few == 1 ? "" : "s",
            few * positions == 1 ? ", which its running statistics omit" : "", ENOUGH,
            few == batch ? "a larger" : "another");
        return;
    }
}

/* A batch that is larger than the training part takes all of it; a share of the rows is meant for a
   config of more. */
static void warn_few_rows(dl_terminal *t, const dl_experiment *e) {
    int64_t rows = e->model.data.part[DL_TRAIN].count, wanted = e->model.settings.batch_size;
    const char *where = dl_model_where(&e->model, "training.batch_size");
    if (rows == 1)
        dl_say(t,
               "warning     %s: there is one row for training: the network can memorize it, which "
               "is a check of the network, and learns nothing else",
               dl_model_where(&e->model, "data"));
    else if (wanted > rows && rows && e->model.data.train_share >= 1)
        dl_say(
            t,
            "warning     %s: batch_size is %lld, but the training part has only %lld rows: a step "
            "takes all of them (batch_size = \"all\" says so)",
            where, (long long)wanted, (long long)rows);
}

void dl_report_config_warnings(dl_terminal *t, const dl_experiment *e, int64_t steps) {
    const dl_layer *stateful = dl_net_stateful(&e->model.net);
    warn_few_rows(t, e);
    warn_frozen(t, e);
    warn_schedule(t, e, steps);
    warn_average(t, e);
    warn_batch_statistics(t, e);
    warn_metrics(t, e);
    if (stateful && steps == 1)
        dl_say(t,
               "warning     %s: \"%s\" is stateful, but the training part is one batch of %lld "
               "rows: there is no preceding batch to continue from (use a smaller batch_size)",
               stateful->where, stateful->name, (long long)e->model.batch_size);
    if (e->settings.lsuv && !lsuv_scales(e))
        dl_say(t,
               "warning     %s: initialize = \"lsuv\" has no effect: there is no layer to scale "
               "(dense, maxout or a convolution, not orthogonal)",
               dl_model_where(&e->model, "training.initialize"));
}

/* SPDX-License-Identifier: MIT */
#include "train/monitor.h"

#include <string.h>

/* Whether a metric has no column for the training part. */
static bool is_of_evaluation(const char *name) {
    const dl_metric *metric = dl_metric_find(name);
    return metric && !dl_metric_in_training(metric);
}

static int check_monitor(dl_experiment *e, const char *user, const char *monitor,
                         config_setting_t *group, const char *const *metrics, int count,
                         dl_error *error) {
    const char *names[2 * DL_MAX_METRICS + 3 + DL_MAX_HEADS];
    config_setting_t *given = config_setting_get_member(group, "monitor");
    const char *where = dl_config_where(e->model.config, given ? given : group);
    if (!strncmp(monitor, "val_", 4) && !e->model.data.validation)
        return dl_fail(error, DL_USAGE,
                       "%s: %s monitors \"%s\", but there is no validation data (set "
                       "data.validation = 0.1, or monitor = \"train_loss\")",
                       where, user, monitor);
    int n = 0;
    for (int part = 0; part < 2; part++)
        for (int m = -1; m < count && (part == 0 || e->model.data.validation); m++) {
            if (m >= 0 && !part && is_of_evaluation(metrics[m]))
                continue;
            names[n] = dl_arena_printf(&e->model.arena, "%s_%s", part ? "val" : "train",
                                       m < 0 ? "loss" : metrics[m]);
            size_t length = strlen(names[n]); /* "val_rmse.height": until the targets are known */
            bool begins = !strncmp(names[n++], monitor, length);
            if (begins && (!monitor[length] || (!e->model.metric_count && monitor[length] == '.')))
                return 0;
        }
    for (int h = 0; h < e->model.net.head_count; h++) {
        names[n] = dl_arena_printf(&e->model.arena, "train_%s_loss", e->model.net.heads[h].name);
        if (!strcmp(names[n++], monitor))
            return 0;
    }
    if (dl_experiment_penalized(e)) {
        names[n] = "train_objective";
        if (!strcmp(names[n++], monitor))
            return 0;
    }
    dl_text list = {0};
    for (int i = 0; i < n; i++)
        dl_text_add(&list, "%s%s", i ? ", " : "", names[i]);
    const char *nearest = dl_text_nearest(monitor, names, n), *measured = strchr(monitor, '_');
    if (measured && !strncmp(monitor, "train_", 6) && is_of_evaluation(measured + 1))
        dl_fail(error, DL_USAGE,
                "%s: monitor = \"%s\", but \"%s\" is only measured in validation (val_%s)", where,
                monitor, measured + 1, measured + 1);
    else if (measured && dl_metric_find(measured + 1))
        dl_fail(error, DL_USAGE,
                "%s: monitor = \"%s\", but \"%s\" is not a metric of this run (there are %s)",
                where, monitor, measured + 1, list.data);
    else
        dl_fail(error, DL_USAGE, "%s: monitor = \"%s\" is not a column of the history (%s%s%s)",
                where, monitor, nearest ? "did you mean \"" : "there are ",
                nearest ? nearest : list.data, nearest ? "\"?" : "");
    dl_text_free(&list);
    return -1;
}

int dl_monitors_check(dl_experiment *e, const char *const *metrics, int count, dl_error *error) {
    int result = 0;
    if (e->settings.early_stopping)
        result = check_monitor(e, "early_stopping", e->settings.monitor, e->settings.early_stopping,
                               metrics, count, error);
    if (!e->schedule || !e->schedule->observe)
        return result;
    const dl_schedule_common *schedule = e->schedule_self;
    return check_monitor(e, e->schedule->kind.name, schedule->monitor,
                         config_lookup(&e->model.config->tree, "optimizer.schedule"), metrics,
                         count, error) |
           result;
}

double dl_monitor_value(const dl_experiment *e, const char *name, const dl_row *row, bool *higher) {
    const dl_metric *metric = dl_metric_find(strchr(name, '_') + 1);
    *higher = metric && metric->higher_is_better;
    return dl_row_value(e, row, name);
}

/* SPDX-License-Identifier: MIT */
#include "report/scores.h"

#include <string.h>

#include "metrics/auc.h"

/* ---- which metrics ---- */

static bool is_wanted(const dl_model *model, const dl_metric *metric) {
    for (int m = 0; m < model->metric_count; m++)
        if (model->metrics[m] == metric)
            return true;
    return false;
}

static bool is_possible(const dl_model *model, const dl_metric *metric, int classes, int link) {
    bool bins = classes && model->data.schema.bin_edge;
    if (!(classes ? metric->for_classes || bins : metric->for_numbers))
        return false;
    return !metric->probabilities || link != DL_NO_PROBABILITIES;
}

/* What dltest shows unasked: the order of very many rows would take much memory. */
static bool is_usual(const dl_model *model, const dl_metric *metric, int classes, dl_split split) {
    if (metric->on_demand || (metric->k && classes <= metric->k))
        return false;
    double numbers = (double)model->data.part[split].count * (double)model->positions * classes;
    return dl_metric_of_steps(metric) || numbers <= SCORES_MOST;
}

void scores_open(scores *s, const dl_model *model, int classes, int link, dl_split split) {
    const dl_metric *shown[DL_MOST_ACCUMULATED];
    const dl_metric *left_out = NULL;
    int count = 0;
    for (int m = 0; m < dl_metric_count + model->metric_count && count < DL_MOST_ACCUMULATED; m++) {
        bool own = m >= dl_metric_count; /* "top3" is not in the table */
        const dl_metric *metric = own ? model->metrics[m - dl_metric_count] : dl_metrics[m];
        bool again = false;
        for (int i = 0; i < count; i++)
            again |= shown[i] == metric;
        if (again || !is_possible(model, metric, classes, link))
            continue;
        if (is_wanted(model, metric) || is_usual(model, metric, classes, split))
            shown[count++] = metric;
        else if (!dl_metric_of_steps(metric) && !metric->on_demand)
            left_out = metric;
    }
    *s = (scores){.model = model, .left_out = left_out};
    dl_accumulator_open(&s->accumulator, shown, count, classes, classes ? 1 : (int)model->channels,
                        true);
    if (classes)
        s->confusion = dl_confusion_new(classes);
}

/* A number in bins comes twice: as its bin, then as the number. */
void scores_observe(void *context, const dl_outcome *outcome) {
    static const dl_outcome nothing = {.rows = 0};
    scores *s = context;
    bool classes = outcome->classes > 0, bins = s->accumulator.classes && !classes;
    if (classes)
        dl_confusion_add(&s->confusion, outcome);
    bool numbers_follow = classes && s->model->data.schema.bin_edge;
    if (bins)
        dl_accumulator_add_numbers(&s->accumulator, outcome);
    else
        dl_accumulator_add(&s->accumulator, outcome, numbers_follow ? &nothing : outcome);
}

void scores_open_like(dl_accumulator *accumulator, const scores *s) {
    dl_accumulator_open(accumulator, s->accumulator.metric, s->accumulator.metric_count,
                        s->accumulator.classes, s->accumulator.outputs, true);
}

void scores_close(scores *s) {
    dl_accumulator_close(&s->accumulator);
    dl_confusion_free(&s->confusion);
}

const char *const scores_column_names[SCORES_COLUMNS] = {"precision", "recall", "F1", "IoU", "AUC"};

bool scores_has_column(const scores *s, int column) {
    bool masks = s->model->positions > 1 && s->model->data.schema.input.rank == 3;
    for (int m = 0; m < s->accumulator.metric_count; m++)
        masks |= !strcmp(s->accumulator.metric[m]->name, "iou");
    return column == SCORES_AUC ? s->accumulator.ordered : column == SCORES_IOU ? masks : true;
}

int64_t scores_class_values(const scores *s, int class, double values[SCORES_COLUMNS]) {
    dl_class_score score = dl_confusion_score(&s->confusion, class);
    values[0] = score.precision;
    values[1] = score.recall;
    values[2] = score.f1;
    values[SCORES_IOU] = score.f1 / (2 - score.f1);
    dl_scored_rows rows = dl_accumulator_scores(&s->accumulator);
    values[SCORES_AUC] = scores_has_column(s, SCORES_AUC) ? dl_auc_of_class(&rows, class) : 0;
    return score.rows;
}

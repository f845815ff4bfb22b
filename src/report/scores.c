/* SPDX-License-Identifier: MIT */
#include "report/scores.h"

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

/* Whether dltest shows the metric by default: auc of very many rows needs much memory. */
static bool is_usual(const dl_model *model, const dl_metric *metric, int classes, dl_split split) {
    if (metric->on_demand || (metric->k && classes <= metric->k))
        return false;
    double numbers = (double)model->data.part[split].count * (double)model->positions * classes;
    return dl_metric_in_training(metric) || numbers <= DL_SCORES_MOST;
}

/* Metrics of counts precede those of scores. */
static void choose_columns(dl_scores *s) {
    bool masks = s->model->positions > 1 && s->model->data.schema.input.rank == 3;
    for (int scored = 0; scored < 2; scored++)
        for (int k = 0; k < dl_metric_count; k++) {
            const dl_metric *metric = dl_metrics[k];
            bool shown = metric->column_for_masks && masks;
            for (int m = 0; m < s->accumulator.metric_count; m++)
                shown |= s->accumulator.metric[m] == metric;
            if (shown && metric->column &&
                (scored ? metric->class_of_scores != NULL : metric->of_class != NULL))
                s->column[s->column_count++] = metric;
        }
}

void dl_scores_open(dl_scores *s, const dl_model *model, int classes, int link, dl_split split) {
    const dl_metric *shown[DL_MAX_ACCUMULATED];
    const dl_metric *omitted = NULL;
    int count = 0;
    for (int m = 0; m < dl_metric_count + model->metric_count && count < DL_MAX_ACCUMULATED; m++) {
        bool own = m >= dl_metric_count; /* "top3" is not in the table */
        const dl_metric *metric = own ? model->metrics[m - dl_metric_count] : dl_metrics[m];
        bool again = false;
        for (int i = 0; i < count; i++)
            again |= shown[i] == metric;
        if (again || !is_possible(model, metric, classes, link))
            continue;
        if (is_wanted(model, metric) || is_usual(model, metric, classes, split))
            shown[count++] = metric;
        else if (!dl_metric_in_training(metric) && !metric->on_demand)
            omitted = metric;
    }
    *s = (dl_scores){.model = model, .omitted = omitted};
    dl_accumulator_open(&s->accumulator, shown, count, classes, classes ? 1 : (int)model->channels,
                        true);
    if (!classes)
        return;
    s->confusion = dl_confusion_new(classes);
    choose_columns(s);
}

/* A binned target is observed twice: its bin, then its number. */
void dl_scores_observe(void *context, const dl_outcome *outcome) {
    static const dl_outcome nothing = {.rows = 0};
    dl_scores *s = context;
    bool classes = outcome->classes > 0, bins = s->accumulator.classes && !classes;
    if (classes)
        dl_confusion_add(&s->confusion, outcome);
    bool numbers_follow = classes && s->model->data.schema.bin_edge;
    if (bins)
        dl_accumulator_add_numbers(&s->accumulator, outcome);
    else
        dl_accumulator_add(&s->accumulator, outcome, numbers_follow ? &nothing : outcome);
}

void dl_scores_open_like(dl_accumulator *accumulator, const dl_scores *s) {
    dl_accumulator_open(accumulator, s->accumulator.metric, s->accumulator.metric_count,
                        s->accumulator.classes, s->accumulator.outputs, true);
}

void dl_scores_close(dl_scores *s) {
    dl_accumulator_close(&s->accumulator);
    dl_confusion_free(&s->confusion);
}

double dl_scores_class_value(const dl_scores *s, int class, const dl_metric *column) {
    dl_class_count count = dl_confusion_count(&s->confusion, class);
    dl_scored_rows rows = dl_accumulator_scores(&s->accumulator);
    return column->of_class ? column->of_class(&count) : column->class_of_scores(&rows, class);
}

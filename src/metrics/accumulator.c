/* SPDX-License-Identifier: MIT */
#include "metrics/accumulator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Whether the value for classes is not from sums. */
static bool replaces_sums(const dl_metric *metric) {
    return metric->of_counts || metric->of_scores;
}

/* Sums that a metric has: for all outputs, or for each. */
static int64_t sums_of(const dl_accumulator *t, const dl_metric *metric) {
    bool each = metric->per_output && !t->classes;
    return (each ? (int64_t)t->outputs : 1) * DL_METRIC_SUMS;
}

void dl_accumulator_open(dl_accumulator *t, const dl_metric *const *metrics, int count, int classes,
                         int outputs, bool ordered) {
    *t = (dl_accumulator){.metric_count = count, .classes = classes, .outputs = outputs};
    bool counts = false;
    int64_t size = 0;
    for (int m = 0; m < count; m++)
        size += sums_of(t, metrics[m]);
    double *sums = xcalloc((size_t)(size ? size : 1), sizeof *sums);
    for (int m = 0; m < count; m++) {
        t->metric[m] = metrics[m];
        t->sums[m] = sums;
        sums += sums_of(t, metrics[m]);
        counts |= classes && metrics[m]->of_counts;
        t->ordered |= classes && ordered && metrics[m]->of_scores;
    }
    if (counts)
        t->count = xcalloc((size_t)classes, sizeof *t->count);
}

void dl_accumulator_clear(dl_accumulator *t) {
    for (int m = 0; m < t->metric_count; m++)
        memset(t->sums[m], 0, sizeof *t->sums[m] * (size_t)sums_of(t, t->metric[m]));
    if (t->count)
        memset(t->count, 0, sizeof *t->count * (size_t)t->classes);
    t->rows = 0;
}

void dl_accumulator_close(dl_accumulator *t) {
    if (t->metric_count)
        free(t->sums[0]);
    free(t->count);
    free(t->score);
    free(t->truth);
    *t = (dl_accumulator){0};
}

bool dl_count_from_double(double number, int64_t *count) {
    static const double MOST = 0x1p50; /* sums of them do not overflow */
    bool sane = number >= 0 && number <= MOST;
    *count = sane ? (int64_t)number : 0;
    return sane;
}

static int visit_counts(dl_accumulator *t, dl_field_visitor visit, void *context) {
    enum { EACH = 3 }; /* rows, predicted, right */
    double *numbers = xmalloc(sizeof *numbers * EACH * (size_t)t->classes);
    bool sane = true;
    for (int c = 0; c < t->classes; c++) {
        numbers[EACH * c] = (double)t->count[c].rows;
        numbers[EACH * c + 1] = (double)t->count[c].predicted;
        numbers[EACH * c + 2] = (double)t->count[c].right;
    }
    int result = visit(context, "classes", numbers, EACH * (int64_t)t->classes);
    for (int c = 0; c < t->classes && !result; c++) {
        sane &= dl_count_from_double(numbers[EACH * c], &t->count[c].rows);
        sane &= dl_count_from_double(numbers[EACH * c + 1], &t->count[c].predicted);
        sane &= dl_count_from_double(numbers[EACH * c + 2], &t->count[c].right);
    }
    free(numbers);
    return sane ? result : -1;
}

int dl_accumulator_fields(dl_accumulator *t, dl_field_visitor visit, void *context) {
    for (int m = 0; m < t->metric_count; m++) {
        dl_text name = {0};
        dl_text_add(&name, "metric.%s", t->metric[m]->name);
        int result = visit(context, name.data, t->sums[m], sums_of(t, t->metric[m]));
        dl_text_free(&name);
        if (result)
            return -1;
    }
    return t->count ? visit_counts(t, visit, context) : 0;
}

/* Two classes have one curve: that of the second. */
static int curves(const dl_accumulator *t) {
    return t->classes == 2 ? 1 : t->classes;
}

static void keep_scores(dl_accumulator *t, const dl_outcome *o) {
    int n = curves(t);
    if (t->rows + o->rows > t->room) {
        t->room = 2 * (t->rows + o->rows);
        t->score = xrealloc(t->score, sizeof *t->score * (size_t)t->room * (size_t)n);
        t->truth = xrealloc(t->truth, sizeof *t->truth * (size_t)t->room);
    }
    for (int64_t i = 0; i < o->rows; i++, t->rows++) {
        t->truth[t->rows] = (int)o->target[i];
        float both[2], *score = t->score + t->rows * n;
        dl_class_scores(o, i, n == 1 ? both : score);
        if (n == 1)
            *score = both[1];
    }
}

void dl_accumulator_add_numbers(dl_accumulator *t, const dl_outcome *numbers) {
    for (int m = 0; m < t->metric_count; m++)
        if (!t->metric[m]->for_classes)
            t->metric[m]->add(t->metric[m], t->sums[m], numbers);
}

void dl_accumulator_add(dl_accumulator *t, const dl_outcome *o, const dl_outcome *numbers) {
    for (int m = 0; m < t->metric_count; m++) {
        const dl_metric *metric = t->metric[m];
        if (t->classes && replaces_sums(metric))
            continue;
        metric->add(metric, t->sums[m], metric->for_classes ? o : numbers);
    }
    for (int64_t i = 0; t->count && i < o->rows; i++) {
        int truth = (int)o->target[i], predicted = dl_predicted_class(o, i);
        t->count[truth].rows++;
        t->count[predicted].predicted++;
        t->count[truth].right += truth == predicted;
    }
    if (t->ordered)
        keep_scores(t, o);
}

dl_scored_rows dl_accumulator_scores(const dl_accumulator *t) {
    return (dl_scored_rows){t->rows, t->classes, curves(t), t->score, t->truth};
}

/* The mean over the outputs that have a value; NaN if one of them is not a number. */
static double over_outputs(const dl_accumulator *t, int m) {
    double sum = 0;
    int64_t count = 0, end = sums_of(t, t->metric[m]);
    for (int64_t at = 0; at < end; at += DL_METRIC_SUMS) {
        double value = t->metric[m]->of_sums(t->sums[m] + at);
        sum += isnan(value) && !isnan(t->sums[m][at]) ? 0 : value;
        count += !isnan(value);
    }
    return count ? sum / (double)count : NAN;
}

double dl_accumulator_value(const dl_accumulator *t, int m) {
    const dl_metric *metric = t->metric[m];
    if (!t->classes || !replaces_sums(metric))
        return over_outputs(t, m);
    if (metric->of_counts)
        return metric->of_counts(t->count, t->classes);
    dl_scored_rows rows = dl_accumulator_scores(t);
    return t->ordered ? metric->of_scores(&rows) : NAN;
}

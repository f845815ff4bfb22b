/* SPDX-License-Identifier: MIT */
#include "metrics/accumulator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Whether the value for classes does not come from `add` and `of_sums`. */
static bool replaces_sums(const dl_metric *metric) {
    return metric->of_counts || metric->of_scores;
}

static int64_t sum_count(const dl_accumulator *a, const dl_metric *metric) {
    bool per_output = metric->per_output && !a->classes;
    return (per_output ? (int64_t)a->outputs : 1) * DL_METRIC_SUMS;
}

void dl_accumulator_open(dl_accumulator *a, const dl_metric *const *metrics, int count, int classes,
                         int outputs, bool keeps_scores) {
    *a = (dl_accumulator){.metric_count = count, .classes = classes, .outputs = outputs};
    bool counts = false;
    int64_t size = 0;
    for (int m = 0; m < count; m++)
        size += sum_count(a, metrics[m]);
    double *sums = xcalloc((size_t)(size ? size : 1), sizeof *sums);
    for (int m = 0; m < count; m++) {
        a->metric[m] = metrics[m];
        a->sums[m] = sums;
        sums += sum_count(a, metrics[m]);
        counts |= classes && metrics[m]->of_counts;
        a->keeps_scores |= classes && keeps_scores && metrics[m]->of_scores;
    }
    if (counts)
        a->count = xcalloc((size_t)classes, sizeof *a->count);
}

void dl_accumulator_clear(dl_accumulator *a) {
    for (int m = 0; m < a->metric_count; m++)
        memset(a->sums[m], 0, sizeof *a->sums[m] * (size_t)sum_count(a, a->metric[m]));
    if (a->count)
        memset(a->count, 0, sizeof *a->count * (size_t)a->classes);
    a->rows = 0;
}

void dl_accumulator_close(dl_accumulator *a) {
    if (a->metric_count)
        free(a->sums[0]);
    free(a->count);
    free(a->score);
    free(a->truth);
    *a = (dl_accumulator){0};
}

bool dl_count_from_double(double number, int64_t *count) {
    static const double MAX_COUNT = 0x1p50; /* so that sums do not overflow */
    bool valid = number >= 0 && number <= MAX_COUNT;
    *count = valid ? (int64_t)number : 0;
    return valid;
}

static int visit_counts(dl_accumulator *a, dl_field_visitor visit, void *context) {
    enum { FIELDS = 3 }; /* rows, predicted, correct */
    double *numbers = xmalloc(sizeof *numbers * FIELDS * (size_t)a->classes);
    bool valid = true;
    for (int c = 0; c < a->classes; c++) {
        numbers[FIELDS * c] = (double)a->count[c].rows;
        numbers[FIELDS * c + 1] = (double)a->count[c].predicted;
        numbers[FIELDS * c + 2] = (double)a->count[c].correct;
    }
    int result = visit(context, "classes", numbers, FIELDS * (int64_t)a->classes);
    for (int c = 0; c < a->classes && !result; c++) {
        valid &= dl_count_from_double(numbers[FIELDS * c], &a->count[c].rows);
        valid &= dl_count_from_double(numbers[FIELDS * c + 1], &a->count[c].predicted);
        valid &= dl_count_from_double(numbers[FIELDS * c + 2], &a->count[c].correct);
    }
    free(numbers);
    return valid ? result : -1;
}

int dl_accumulator_fields(dl_accumulator *a, dl_field_visitor visit, void *context) {
    for (int m = 0; m < a->metric_count; m++) {
        dl_text name = {0};
        dl_text_add(&name, "metric.%s", a->metric[m]->name);
        int result = visit(context, name.data, a->sums[m], sum_count(a, a->metric[m]));
        dl_text_free(&name);
        if (result)
            return -1;
    }
    return a->count ? visit_counts(a, visit, context) : 0;
}

static int curve_count(const dl_accumulator *a) {
    return a->classes == 2 ? 1 : a->classes;
}

static void add_scores(dl_accumulator *a, const dl_outcome *o) {
    int n = curve_count(a);
    if (a->rows + o->rows > a->capacity) {
        a->capacity = 2 * (a->rows + o->rows);
        a->score = xrealloc(a->score, sizeof *a->score * (size_t)a->capacity * (size_t)n);
        a->truth = xrealloc(a->truth, sizeof *a->truth * (size_t)a->capacity);
    }
    for (int64_t i = 0; i < o->rows; i++, a->rows++) {
        a->truth[a->rows] = (int)o->target[i];
        float both[2], *score = a->score + a->rows * n;
        dl_class_scores(o, i, n == 1 ? both : score);
        if (n == 1)
            *score = both[1];
    }
}

static void add_rows(const dl_metric *metric, double *sums, const dl_outcome *o) {
    dl_outcome row = *o;
    row.rows = row.channels = 1;
    for (int64_t i = 0; metric->output && i < o->rows; i++) {
        row.output = o->output + i * o->channels + metric->output - 1;
        row.target = o->target + i * o->channels + metric->output - 1;
        metric->add(metric, sums, &row);
    }
    if (!metric->output)
        metric->add(metric, sums, o);
}

void dl_accumulator_add_numbers(dl_accumulator *a, const dl_outcome *numbers) {
    for (int m = 0; m < a->metric_count; m++)
        if (!a->metric[m]->for_classes)
            add_rows(a->metric[m], a->sums[m], numbers);
}

void dl_accumulator_add(dl_accumulator *a, const dl_outcome *o, const dl_outcome *numbers) {
    for (int m = 0; m < a->metric_count; m++) {
        const dl_metric *metric = a->metric[m];
        if (a->classes && replaces_sums(metric))
            continue;
        add_rows(metric, a->sums[m], metric->for_classes ? o : numbers);
    }
    for (int64_t i = 0; a->count && i < o->rows; i++) {
        int truth = (int)o->target[i], predicted = dl_predicted_class(o, i);
        a->count[truth].rows++;
        a->count[predicted].predicted++;
        a->count[truth].correct += truth == predicted;
    }
    if (a->keeps_scores)
        add_scores(a, o);
}

dl_scored_rows dl_accumulator_scores(const dl_accumulator *a) {
    return (dl_scored_rows){a->rows, a->classes, curve_count(a), a->score, a->truth};
}

/* The mean over the outputs that have a value; NaN if a sum is NaN. */
static double mean_over_outputs(const dl_accumulator *a, int m) {
    double sum = 0;
    int64_t count = 0, end = sum_count(a, a->metric[m]);
    for (int64_t at = 0; at < end; at += DL_METRIC_SUMS) {
        double value = a->metric[m]->of_sums(a->sums[m] + at);
        sum += isnan(value) && !isnan(a->sums[m][at]) ? 0 : value;
        count += !isnan(value);
    }
    return count ? sum / (double)count : NAN;
}

double dl_accumulator_value(const dl_accumulator *a, int m) {
    const dl_metric *metric = a->metric[m];
    if (!a->classes || !replaces_sums(metric))
        return mean_over_outputs(a, m);
    if (metric->of_counts)
        return metric->of_counts(a->count, a->classes);
    dl_scored_rows rows = dl_accumulator_scores(a);
    return a->keeps_scores ? metric->of_scores(&rows) : NAN;
}

/* SPDX-License-Identifier: MIT */
/* The area under the receiver operating characteristic is the statistic of Mann and Whitney, "On a
   test of whether one of two random variables is stochastically larger than the other", 1947, here
   by ranks from 1, equal scores sharing their mean rank:
     area = (sum of the ranks of the p positive rows - p (p + 1) / 2) / (p n),
   with n negative rows. */
#include "metrics/accumulator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void dl_accumulator_open(dl_accumulator *t, const dl_metric *const *metrics, int count, int classes,
                         bool ordered) {
    *t = (dl_accumulator){.metric_count = count, .classes = classes};
    bool counts = false;
    for (int m = 0; m < count; m++) {
        t->metric[m] = metrics[m];
        counts |= classes && metrics[m]->for_class == DL_FROM_COUNTS;
        t->ordered |= classes && ordered && metrics[m]->for_class == DL_FROM_ORDER;
    }
    if (counts)
        t->count = xcalloc((size_t)classes, sizeof *t->count);
}

void dl_accumulator_clear(dl_accumulator *t) {
    memset(t->sums, 0, sizeof t->sums);
    if (t->count)
        memset(t->count, 0, sizeof *t->count * (size_t)t->classes);
    t->rows = 0;
}

void dl_accumulator_close(dl_accumulator *t) {
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
        int result = visit(context, name.data, t->sums[m], DL_METRIC_SUMS);
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
        if (t->classes && metric->for_classes && metric->for_class != DL_FROM_SUMS)
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

typedef struct {
    float score;
    bool positive;
} ranked;

static int ascending(const void *a, const void *b) {
    float x = ((const ranked *)a)->score, y = ((const ranked *)b)->score;
    return (x > y) - (x < y);
}

/* The sum of the ranks of the positive ones among sorted rows. */
static double rank_sum(const ranked *row, int64_t count) {
    double sum = 0;
    for (int64_t from = 0, to; from < count; from = to) {
        int64_t positive = 0;
        for (to = from; to < count && row[to].score == row[from].score; to++)
            positive += row[to].positive;
        sum += (double)positive * ((double)(from + 1 + to) / 2);
    }
    return sum;
}

double dl_accumulator_auc(const dl_accumulator *t, int class) {
    int n = curves(t), curve = n == 1 ? 0 : class;
    ranked *row = xmalloc(sizeof *row * (size_t)(t->rows + 1));
    double positive = 0;
    bool lacking = false;
    for (int64_t i = 0; i < t->rows; i++) {
        row[i] = (ranked){t->score[i * n + curve], t->truth[i] == (n == 1 ? 1 : class)};
        positive += row[i].positive;
        lacking |= isnan(row[i].score);
    }
    double negative = (double)t->rows - positive, area = NAN;
    if (positive > 0 && negative > 0 && !lacking) {
        qsort(row, (size_t)t->rows, sizeof *row, ascending);
        area = (rank_sum(row, t->rows) - positive * (positive + 1) / 2) / (positive * negative);
    }
    free(row);
    return area;
}

/* The mean over the classes that have a value. */
static double over_classes(const dl_accumulator *t, const dl_metric *metric) {
    bool order = metric->for_class == DL_FROM_ORDER;
    double sum = 0;
    int count = 0;
    for (int c = t->classes == 2 && !metric->mean_of_two; c < t->classes; c++) {
        double value = order ? dl_accumulator_auc(t, c) : metric->of_class(&t->count[c]);
        sum += isnan(value) ? 0 : value;
        count += !isnan(value);
    }
    return count ? sum / count : NAN;
}

double dl_accumulator_value(const dl_accumulator *t, int m) {
    const dl_metric *metric = t->metric[m];
    if (!t->classes || metric->for_class == DL_FROM_SUMS || !metric->for_classes)
        return metric->value(t->sums[m]);
    return metric->for_class == DL_FROM_ORDER && !t->ordered ? NAN : over_classes(t, metric);
}

/* SPDX-License-Identifier: MIT */
#include "metrics/metric.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

int dl_predicted_class(const dl_outcome *o, int64_t row) {
    const float *y = o->output + row * o->channels;
    if (o->channels == 1)
        return y[0] > o->threshold;
    int best = 0;
    for (int j = 1; j < o->channels; j++)
        if (y[j] > y[best])
            best = j;
    return best;
}

double dl_expected_value(const float *logits, const double *number, int count) {
    double sum = 0, total = 0;
    float most = logits[0];
    for (int k = 1; k < count; k++)
        most = logits[k] > most ? logits[k] : most;
    for (int k = 0; k < count; k++) {
        double weight = exp((double)logits[k] - (double)most);
        sum += weight;
        total += weight * number[k];
    }
    return total / sum;
}

/* ln of the sum of e^z over all channels but `left_out` (-1: none). */
static double log_sum(const float *z, int64_t channels, int left_out) {
    double most = -INFINITY, sum = 0;
    for (int64_t j = 0; j < channels; j++)
        if (j != left_out && !(z[j] <= most))
            most = z[j];
    for (int64_t j = 0; j < channels; j++)
        sum += j == left_out ? 0 : exp((double)z[j] - most);
    return most + log(sum);
}

static double softplus(double z) {
    return z > 0 ? z + log1p(exp(-z)) : log1p(exp(z));
}

double dl_log_loss(const dl_outcome *o, int64_t row) {
    const float *y = o->output + row * o->channels;
    int truth = (int)o->target[row];
    if (o->link == DL_SOFTMAX)
        return log_sum(y, o->channels, -1) - (double)y[truth];
    if (o->link == DL_SIGMOID)
        return softplus(truth ? -(double)y[0] : (double)y[0]);
    double p = o->channels > 1 ? (double)y[truth] : truth ? (double)y[0] : 1 - (double)y[0];
    return -log(p < (double)FLT_MIN ? (double)FLT_MIN : p);
}

void dl_class_probabilities(const dl_outcome *o, int64_t row, double *probability) {
    const float *y = o->output + row * o->channels;
    double below = o->link == DL_SOFTMAX ? log_sum(y, o->channels, -1) : 0;
    for (int c = 0; c < o->classes; c++)
        if (o->link == DL_SOFTMAX)
            probability[c] = exp((double)y[c] - below);
        else if (o->link == DL_SIGMOID)
            probability[c] = 1 / (1 + exp(c ? -(double)y[0] : (double)y[0]));
        else
            probability[c] = o->channels > 1 ? (double)y[c] : c ? (double)y[0] : 1 - (double)y[0];
}

/* With logits z the log odds of class c are z[c] - ln of the sum of e^z over the others. The sum of
   all less e^z[c] is exact enough where that is at most half of it; of the largest z the others are
   summed. */
void dl_class_scores(const dl_outcome *o, int64_t row, float *score) {
    const float *y = o->output + row * o->channels;
    if (o->channels == 1) {
        score[0] = -y[0];
        score[1] = y[0];
        return;
    }
    int best = dl_predicted_class(o, row);
    double most = y[best], sum = 0;
    for (int64_t j = 0; j < o->channels && o->link == DL_SOFTMAX; j++)
        sum += exp((double)y[j] - most);
    for (int c = 0; c < o->classes; c++) {
        double z = y[c], others = o->link != DL_SOFTMAX ? 0
                                  : c == best           ? log_sum(y, o->channels, c)
                                                        : most + log(sum - exp(z - most));
        score[c] = (float)(z - others);
    }
}

/* ---- from sums ---- */

static double share(const double *sums) {
    return sums[1] > 0 ? sums[0] / sums[1] : NAN;
}

static void add_accuracy(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows; i++)
        sums[0] += dl_predicted_class(o, i) == (int)o->target[i];
    sums[1] += (double)o->rows;
}

/* A row counts if fewer than k classes score above the true one; ties and NaN count against it. One
   output for two classes is a score for the second one. */
static void add_top(const dl_metric *self, double *sums, const dl_outcome *o) {
    for (int64_t i = 0; i < o->rows; i++) {
        const float *y = o->output + i * o->channels;
        int truth = (int)o->target[i], above = 0;
        for (int j = 0; j < o->channels && o->channels > 1; j++)
            above += j != truth && !(y[j] < y[truth]);
        if (o->channels == 1)
            above = dl_predicted_class(o, i) != truth;
        sums[0] += above < self->k;
    }
    sums[1] += (double)o->rows;
}

static void add_log_loss(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows; i++)
        sums[0] += dl_log_loss(o, i);
    sums[1] += (double)o->rows;
}

static double perplexity(const double *sums) {
    return exp(share(sums));
}

static double bits(const double *sums) {
    return share(sums) / log(2);
}

static void add_squares(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows * o->channels; i++) {
        double difference = (double)o->output[i] - o->target[i];
        sums[0] += difference * difference;
    }
    sums[1] += (double)(o->rows * o->channels);
}

static double root(const double *sums) {
    return sqrt(share(sums));
}

static void add_magnitudes(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows * o->channels; i++)
        sums[0] += fabs((double)o->output[i] - o->target[i]);
    sums[1] += (double)(o->rows * o->channels);
}

/* Sums: squared errors, count, mean of the targets, their squared deviations (Welford's update,
   since the difference of large sums would cancel). */
static void add_r2(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows * o->channels; i++) {
        double difference = (double)o->output[i] - o->target[i];
        double deviation = (double)o->target[i] - sums[2];
        sums[0] += difference * difference;
        sums[1] += 1;
        sums[2] += deviation / sums[1];
        sums[3] += deviation * ((double)o->target[i] - sums[2]);
    }
}

static double r2(const double *sums) {
    return sums[3] > 0 ? 1 - sums[0] / sums[3] : NAN;
}

/* Numbers above a half are inside: sums of those in both masks, in the output, in the target. */
static void add_masks(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows * o->channels; i++) {
        bool output = o->output[i] > 0.5f, target = o->target[i] > 0.5f;
        sums[0] += output && target;
        sums[1] += output;
        sums[2] += target;
        sums[3] += isnan(o->output[i]) ? NAN : 0;
    }
}

static double masks_iou(const double *sums) {
    double all = sums[1] + sums[2] - sums[0];
    return all > 0 ? sums[0] / all + sums[3] : NAN;
}

static double masks_dice(const double *sums) {
    double both = sums[1] + sums[2];
    return both > 0 ? 2 * sums[0] / both + sums[3] : NAN;
}

/* What two stretches [a, a + length) have in common. */
static double common(double a, double a_length, double b, double b_length) {
    double from = a > b ? a : b, a_to = a + a_length, b_to = b + b_length;
    double to = a_to < b_to ? a_to : b_to;
    return to > from ? to - from : 0;
}

static void add_boxes(const dl_metric *self, double *sums, const dl_outcome *o) {
    (void)self;
    for (int64_t i = 0; i < o->rows; i++) {
        const float *p = o->output + 4 * i, *t = o->target + 4 * i;
        double both = common(p[0], p[2], t[0], t[2]) * common(p[1], p[3], t[1], t[3]);
        double all = (double)p[2] * p[3] + (double)t[2] * t[3] - both;
        sums[0] += all > 0 ? both / all : 0;
        sums[0] += isnan(p[0] + p[1] + p[2] + p[3]) ? NAN : 0;
    }
    sums[1] += (double)o->rows;
}

/* ---- from the counts of a class ---- */

static double ratio(double above, int64_t below) {
    return below ? above / (double)below : NAN;
}

static double precision(const dl_class_count *c) {
    return c->rows && !c->predicted ? 0 : ratio((double)c->right, c->predicted);
}

static double recall(const dl_class_count *c) {
    return ratio((double)c->right, c->rows);
}

static double f1(const dl_class_count *c) {
    return ratio(2 * (double)c->right, c->rows + c->predicted);
}

static double iou(const dl_class_count *c) {
    return ratio((double)c->right, c->rows + c->predicted - c->right);
}

/* ---- the table ---- */

#define CLASSES .for_classes = true
#define NUMBERS .for_numbers = true
#define BETTER .higher_is_better = true
#define COUNTS(function) .for_class = DL_FROM_COUNTS, .of_class = (function)

const dl_metric dl_metrics[] = {
    {"accuracy", "share of the rows whose class is predicted right", CLASSES, BETTER,
     .percent = true, .add = add_accuracy, .value = share},
    {"top5",
     "share of the rows whose class is among the five that score highest; any other number will "
     "do: top3, top10",
     CLASSES, BETTER, .percent = true, .k = 5, .add = add_top, .value = share},
    {"precision",
     "share of the rows said to be of a class that are of it; of two classes that of the second, "
     "of more the mean over the classes (macro), where one that is never predicted counts 0, and "
     "one that neither occurs nor is predicted not at all",
     CLASSES, BETTER, .percent = true, COUNTS(precision)},
    {"recall",
     "share of the rows of a class that are found; of two classes that of the second, of more the "
     "mean over the classes that occur (macro)",
     CLASSES, BETTER, .percent = true, COUNTS(recall)},
    {"f1",
     "2 * right / (rows of a class + rows said to be of it), the harmonic mean of precision and "
     "recall; of two classes that of the second, of more the mean over the classes that occur or "
     "are predicted (macro)",
     CLASSES, BETTER, .percent = true, COUNTS(f1)},
    {"log_loss",
     "mean cross entropy in nats, from the probabilities, whatever the loss that is trained with",
     CLASSES, .probabilities = true, .add = add_log_loss, .value = share},
    {"auc",
     "area under the receiver operating characteristic: how often a row of the second class "
     "scores above one of the first, ties counting half; of more than two classes the mean over "
     "the classes, each against the rest. Exact; not measured in training, only in validation and "
     "test",
     CLASSES, BETTER, .for_class = DL_FROM_ORDER},
    {"perplexity", "e^log_loss: between as many symbols the network wavers on the average", CLASSES,
     .on_demand = true, .probabilities = true, .add = add_log_loss, .value = perplexity},
    {"bits_per_character", "log_loss / ln 2: what a symbol of a text costs, in bits", CLASSES,
     .on_demand = true, .probabilities = true, .add = add_log_loss, .value = bits},
    {"iou",
     "of masks, intersection over union: the mean over the classes (at positions) that occur or "
     "are predicted; of targets that are numbers from 0 to 1, of all that is above 0.5",
     CLASSES, NUMBERS, BETTER, .on_demand = true, .mean_of_two = true, .unit_targets = true,
     COUNTS(iou), .add = add_masks, .value = masks_iou},
    {"dice", "of masks, 2 * intersection / sum of both; otherwise as iou", CLASSES, NUMBERS, BETTER,
     .on_demand = true, .mean_of_two = true, .unit_targets = true, COUNTS(f1), .add = add_masks,
     .value = masks_dice},
    {"mse", "mean squared error, in the squared units of the data", NUMBERS, .add = add_squares,
     .value = share},
    {"rmse", "root of the mean squared error, in the units of the data", NUMBERS,
     .add = add_squares, .value = root},
    {"mae", "mean absolute error, in the units of the data", NUMBERS, .add = add_magnitudes,
     .value = share},
    {"r2", "share of the targets' variance that is explained; 1 is perfect, 0 as good as the mean",
     NUMBERS, BETTER, .add = add_r2, .value = r2},
    {"box_iou",
     "of boxes, targets of four numbers x, y, width, height, where (x, y) is the corner with the "
     "least of both: intersection over union, the mean over the rows",
     NUMBERS, BETTER, .on_demand = true, .outputs = 4, .add = add_boxes, .value = share},
};

const int dl_metric_count = sizeof dl_metrics / sizeof *dl_metrics;

/* "top3" and its like are made when they are first asked for, and stay. */
static const dl_metric *find_top(const char *name) {
    static struct {
        dl_metric metric;
        char name[8];
    } made[DL_MOST_METRICS];
    int k = 0, i = 0;
    for (const char *c = name + 3; isdigit((unsigned char)*c) && k <= DL_MOST_TOP; c++)
        k = 10 * k + (*c - '0');
    char spelt[32];
    snprintf(spelt, sizeof spelt, "top%d", k);
    if (strcmp(spelt, name) || k < 1 || k > DL_MOST_TOP)
        return NULL;
    while (i < DL_MOST_METRICS && made[i].metric.k && made[i].metric.k != k)
        i++;
    if (i == DL_MOST_METRICS)
        return NULL;
    if (!made[i].metric.k) {
        made[i].metric = *dl_metric_find("top5");
        made[i].metric.k = k;
        made[i].metric.name = strcpy(made[i].name, spelt);
    }
    return &made[i].metric;
}

const dl_metric *dl_metric_find(const char *name) {
    for (int i = 0; i < dl_metric_count; i++)
        if (!strcmp(dl_metrics[i].name, name))
            return &dl_metrics[i];
    return strncmp(name, "top", 3) ? NULL : find_top(name);
}

bool dl_metric_of_steps(const dl_metric *metric) {
    return metric->for_class != DL_FROM_ORDER;
}

void dl_metric_hint(const char *name, dl_text *hint) {
    const char *names[sizeof dl_metrics / sizeof *dl_metrics];
    for (int i = 0; i < dl_metric_count; i++)
        names[i] = dl_metrics[i].name;
    const char *nearest = dl_text_nearest(name, names, dl_metric_count);
    if (nearest)
        dl_text_add(hint, " (did you mean \"%s\"?)", nearest);
    for (int i = 0; !nearest && i < dl_metric_count; i++)
        dl_text_add(hint, "%s%s%s", i ? ", " : " (there are ", names[i],
                    i + 1 == dl_metric_count ? ")" : "");
}

void dl_metric_list(bool for_classes, dl_text *list) {
    int count = 0;
    for (int i = 0; i < dl_metric_count; i++)
        if (for_classes ? dl_metrics[i].for_classes : dl_metrics[i].for_numbers)
            dl_text_add(list, "%s%s", count++ ? ", " : "", dl_metrics[i].name);
}

#include "train/metric.h"

#include <math.h>
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

static double share(const double *sums) {
    return sums[1] > 0 ? sums[0] / sums[1] : NAN;
}

static void add_accuracy(double *sums, const dl_outcome *o) {
    for (int64_t i = 0; i < o->rows; i++)
        sums[0] += dl_predicted_class(o, i) == (int)o->target[i];
    sums[1] += (double)o->rows;
}

/* A row counts if fewer than five classes score above the true one; ties and NaN count against it.
 */
static void add_top5(double *sums, const dl_outcome *o) {
    for (int64_t i = 0; i < o->rows; i++) {
        const float *y = o->output + i * o->channels;
        int truth = (int)o->target[i], above = 0;
        for (int j = 0; j < o->channels; j++)
            above += j != truth && !(y[j] < y[truth]);
        sums[0] += above < 5;
    }
    sums[1] += (double)o->rows;
}

static void add_squares(double *sums, const dl_outcome *o) {
    for (int64_t i = 0; i < o->rows * o->channels; i++) {
        double difference = (double)o->output[i] - o->target[i];
        sums[0] += difference * difference;
    }
    sums[1] += (double)(o->rows * o->channels);
}

static double root(const double *sums) {
    return sqrt(share(sums));
}

static void add_magnitudes(double *sums, const dl_outcome *o) {
    for (int64_t i = 0; i < o->rows * o->channels; i++)
        sums[0] += fabs((double)o->output[i] - o->target[i]);
    sums[1] += (double)(o->rows * o->channels);
}

/* Sums: squared errors, count, mean of the targets, their squared deviations (Welford's update,
   since the difference of large sums would cancel). */
static void add_r2(double *sums, const dl_outcome *o) {
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

const dl_metric dl_metrics[] = {
    {"accuracy", "share of the rows whose class is predicted right", true, true, true, add_accuracy,
     share},
    {"top5", "share of the rows whose class is among the five that score highest", true, true, true,
     add_top5, share},
    {"mse", "mean squared error, in the squared units of the data", false, false, false,
     add_squares, share},
    {"rmse", "root of the mean squared error, in the units of the data", false, false, false,
     add_squares, root},
    {"mae", "mean absolute error, in the units of the data", false, false, false, add_magnitudes,
     share},
    {"r2", "share of the targets' variance that is explained; 1 is perfect, 0 as good as the mean",
     false, true, false, add_r2, r2},
};

const int dl_metric_count = sizeof dl_metrics / sizeof *dl_metrics;

const dl_metric *dl_metric_find(const char *name) {
    for (int i = 0; i < dl_metric_count; i++)
        if (!strcmp(dl_metrics[i].name, name))
            return &dl_metrics[i];
    return NULL;
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
        if (dl_metrics[i].for_classes == for_classes)
            dl_text_add(list, "%s%s", count++ ? ", " : "", dl_metrics[i].name);
}

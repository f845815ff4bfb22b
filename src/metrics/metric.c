/* SPDX-License-Identifier: MIT */
#include "metrics/metric.h"

#include <math.h>
#include <string.h>

/* In the order of the help and of the output of dltest. */
#define METRICS(X)                                                                                 \
    X(accuracy)                                                                                    \
    X(top5)                                                                                        \
    X(precision)                                                                                   \
    X(recall)                                                                                      \
    X(f1)                                                                                          \
    X(mcc)                                                                                         \
    X(log_loss)                                                                                    \
    X(auc)                                                                                         \
    X(perplexity)                                                                                  \
    X(bits_per_character)                                                                          \
    X(iou)                                                                                         \
    X(dice)                                                                                        \
    X(mse)                                                                                         \
    X(rmse)                                                                                        \
    X(mae)                                                                                         \
    X(r2)                                                                                          \
    X(box_iou)

#define DECLARE(name) extern const dl_metric dl_metric_##name;
METRICS(DECLARE)

#define ADDRESS(name) &dl_metric_##name,
const dl_metric *const dl_metrics[] = {METRICS(ADDRESS)};
const int dl_metric_count = sizeof dl_metrics / sizeof *dl_metrics;

_Static_assert(sizeof dl_metrics / sizeof *dl_metrics <= DL_MAX_METRICS, "too many metrics");

const dl_metric *dl_metric_find(const char *name) {
    const dl_metric *found = NULL;
    for (int i = 0; i < dl_metric_count && !found; i++)
        if (!strcmp(dl_metrics[i]->name, name))
            found = dl_metrics[i];
    for (int i = 0; i < dl_metric_count && !found; i++)
        if (dl_metrics[i]->variant)
            found = dl_metrics[i]->variant(name);
    for (int i = 0; i < dl_metric_count && !found; i++) {
        size_t length = strlen(dl_metrics[i]->name);
        if (!strncmp(dl_metrics[i]->name, name, length) && name[length] == '.' &&
            dl_metrics[i]->for_numbers && !dl_metrics[i]->outputs)
            found = dl_metrics[i];
    }
    return found;
}

bool dl_metric_in_training(const dl_metric *metric) {
    return !metric->of_scores;
}

void dl_metric_hint(const char *name, dl_text *hint) {
    const char *names[sizeof dl_metrics / sizeof *dl_metrics];
    for (int i = 0; i < dl_metric_count; i++)
        names[i] = dl_metrics[i]->name;
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
        if (for_classes ? dl_metrics[i]->for_classes : dl_metrics[i]->for_numbers)
            dl_text_add(list, "%s%s", count++ ? ", " : "", dl_metrics[i]->name);
}

double dl_metric_mean(const double *sums) {
    return sums[1] > 0 ? sums[0] / sums[1] : NAN;
}

double dl_metric_ratio(double above, int64_t below) {
    return below ? above / (double)below : NAN;
}

double dl_metric_macro(const dl_class_count *count, int classes,
                       double (*of_class)(const dl_class_count *count)) {
    double sum = 0;
    int values = 0;
    for (int c = 0; c < classes; c++) {
        double value = of_class(&count[c]);
        sum += isnan(value) ? 0 : value;
        values += !isnan(value);
    }
    return values ? sum / values : NAN;
}

double dl_metric_macro_or_second(const dl_class_count *count, int classes,
                                 double (*of_class)(const dl_class_count *count)) {
    return classes == 2 ? of_class(&count[1]) : dl_metric_macro(count, classes, of_class);
}

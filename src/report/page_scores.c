/* SPDX-License-Identifier: MIT */
#include "report/page_scores.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "metrics/threshold_curve.h"
#include "report/html.h"

enum { MOST_DOTS = 1500, WORST = 10, THRESHOLDS = 9 };

/* ---- numbers ---- */

void dl_page_numbers_add(void *context, const dl_outcome *o) {
    dl_page_numbers *n = context;
    if (o->classes || o->channels > DL_PAGE_OUTPUTS || n->rows + o->rows > DL_PAGE_ROWS)
        return;
    if (n->rows + o->rows > n->capacity) {
        n->capacity = 2 * (n->rows + o->rows);
        size_t size = sizeof *n->target * (size_t)(n->capacity * o->channels);
        n->predicted = xrealloc(n->predicted, size);
        n->target = xrealloc(n->target, size);
    }
    n->channels = o->channels;
    for (int64_t i = 0; i < o->rows * o->channels; i++) {
        double origin = o->origin ? o->origin[i % o->channels] : 0;
        n->predicted[n->rows * o->channels + i] = (double)o->output[i] + origin;
        n->target[n->rows * o->channels + i] = (double)o->target[i] + origin;
    }
    n->rows += o->rows;
}

void dl_page_numbers_free(dl_page_numbers *n) {
    free(n->predicted);
    free(n->target);
    *n = (dl_page_numbers){0};
}

/* The rows with the largest residuals of an output. */
static void add_worst(dl_text *page, const dl_page *of, int64_t k, const char *name) {
    const dl_page_numbers *n = of->numbers;
    const dl_subset *part = &of->model->data.part[of->split];
    bool numbered = dl_model_order(of->model, false) == DL_IN_ORDER && part->count == n->rows;
    int64_t worst[WORST], count = 0;
    for (int64_t i = 0; i < n->rows; i++) {
        double residual = fabs(n->predicted[i * n->channels + k] - n->target[i * n->channels + k]);
        int64_t at = count < WORST ? count++ : WORST;
        for (; at > 0 && residual > fabs(n->predicted[worst[at - 1] * n->channels + k] -
                                         n->target[worst[at - 1] * n->channels + k]);
             at--)
            if (at < WORST)
                worst[at] = worst[at - 1];
        if (at < WORST)
            worst[at] = i;
    }
    dl_text_add(page, "<div class=\"box fit\"><h3>Worst rows <small>");
    dl_html_add_text(page, name);
    dl_text_add(page, "</small></h3><table class=\"rows\"><tr><th>row</th><th>predicted</th>"
                      "<th>true</th><th>residual</th></tr>\n");
    for (int64_t w = 0; w < count; w++) {
        double y = n->predicted[worst[w] * n->channels + k],
               t = n->target[worst[w] * n->channels + k];
        dl_text_add(page, "<tr><td>%lld</td><td>%.5g</td><td>%.5g</td><td>%+.4g</td></tr>\n",
                    (long long)(numbered ? part->index[worst[w]] : worst[w]), y, t, y - t);
    }
    dl_text_add(page, "</table></div>\n");
}

static void add_output(dl_text *page, const dl_page *of, int64_t k, const char *name) {
    const dl_page_numbers *n = of->numbers;
    int64_t stride = (n->rows + MOST_DOTS - 1) / MOST_DOTS, count = 0;
    double *dot = xmalloc(3 * sizeof *dot * MOST_DOTS), low = INFINITY, high = -INFINITY;
    double *target = dot + MOST_DOTS, *residual = target + MOST_DOTS, mean = 0, square = 0;
    for (int64_t i = 0; i < n->rows; i++) {
        double y = n->predicted[i * n->channels + k], t = n->target[i * n->channels + k];
        mean += (y - t) / (double)n->rows;
        square += (y - t) * (y - t) / (double)n->rows;
        if (i % stride)
            continue;
        low = fmin(low, t);
        high = fmax(high, t);
        dot[count] = y;
        target[count] = t;
        residual[count++] = y - t;
    }
    const double same[2][2] = {{low, low}, {high, high}}, none[2][2] = {{low, 0}, {high, 0}};
    char caption[128];
    snprintf(caption, sizeof caption, "%s%s%s", name, *name && stride > 1 ? ", " : "",
             stride > 1 ? "evenly spaced rows" : "");
    dl_html_add_plot(page, &(dl_html_plot){.title = "predicted",
                                           .across = "true value",
                                           .caption = caption,
                                           .x = target,
                                           .y = dot,
                                           .count = count,
                                           .dots = true,
                                           .line = same});
    snprintf(caption, sizeof caption, "mean %.4g, standard deviation %.4g", mean,
             sqrt(fmax(0, square - mean * mean)));
    dl_html_add_plot(page, &(dl_html_plot){.title = "residual",
                                           .across = "true value",
                                           .caption = caption,
                                           .x = target,
                                           .y = residual,
                                           .count = count,
                                           .dots = true,
                                           .line = none});
    free(dot);
}

void dl_page_add_numbers(dl_text *page, const dl_page *of) {
    const dl_schema *schema = &of->model->data.schema;
    const dl_page_numbers *n = of->numbers;
    if (!n->rows)
        return;
    dl_text_add(page, "<section id=\"numbers\"><h2>Predicted and true values</h2>\n");
    if (n->rows < of->scores->rows)
        dl_text_add(page, "<p class=\"soft\">Of the first %lld rows.</p>\n", (long long)n->rows);
    dl_text_add(page, "<div class=\"charts\">\n");
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t k = 0; k < n->channels; k++) {
            bool named = schema->targets == n->channels && schema->target_name;
            const char *name = named ? schema->target_name[k] : "";
            if (pass)
                add_worst(page, of, k, name);
            else
                add_output(page, of, k, name);
        }
        dl_text_add(page, pass ? "</div></section>\n" : "</div><p></p><div class=\"beside\">\n");
    }
}

/* ---- probabilities ---- */

/* What the net does at thresholds 0.1 … 0.9 of the probability. */
static void add_thresholds(dl_text *page, const dl_threshold_curve *c, int link) {
    dl_text_add(page, "<p></p><div class=\"box fit\"><h3>Thresholds</h3><table class=\"rows\"><tr>"
                      "<th>above</th><th>precision</th><th>recall</th><th>F1</th>"
                      "<th>false positives</th></tr>\n");
    for (int t = 1; t <= THRESHOLDS; t++) {
        int64_t k = 0;
        while (k + 1 < c->count && dl_score_probability(c->threshold[k + 1], link) >= t / 10.0)
            k++;
        double p = c->precision[k], r = c->recall[k];
        if (!k) {
            dl_text_add(page,
                        "<tr><td>%.1f</td><td>–</td><td>0&#8239;%%</td><td>–</td>"
                        "<td>0&#8239;%%</td></tr>\n",
                        t / 10.0);
            continue;
        }
        dl_text_add(page,
                    "<tr><td>%.1f</td><td>%.1f&#8239;%%</td><td>%.1f&#8239;%%</td>"
                    "<td>%.1f&#8239;%%</td><td>%.1f&#8239;%%</td></tr>\n",
                    t / 10.0, 100 * p, 100 * r, p + r > 0 ? 200 * p * r / (p + r) : 0,
                    100 * c->false_rate[k]);
    }
    dl_text_add(page, "</table></div>\n");
}

static void add_calibration(dl_text *page, const dl_page *of, const dl_scored_rows *rows,
                            const char *class) {
    static const double same[2][2] = {{0, 0}, {1, 1}};
    dl_calibration c = dl_calibration_new(rows, of->model->link);
    double x[DL_CALIBRATION_BINS], y[DL_CALIBRATION_BINS];
    int64_t count = 0;
    char caption[128];
    for (int b = 0; b < DL_CALIBRATION_BINS; b++)
        if (c.rows[b]) {
            x[count] = c.predicted[b];
            y[count++] = c.observed[b];
        }
    snprintf(caption, sizeof caption, "%.60s; expected calibration error %.4f", class, c.error);
    dl_html_add_plot(page, &(dl_html_plot){.title = "observed share",
                                           .across = "predicted probability",
                                           .caption = caption,
                                           .x = x,
                                           .y = y,
                                           .count = count,
                                           .shares = true,
                                           .line = same});
}

void dl_page_add_scores(dl_text *page, const dl_page *of) {
    static const double same[2][2] = {{0, 0}, {1, 1}};
    const dl_scored_rows rows = dl_accumulator_scores(&of->scores->accumulator);
    int link = of->model->link;
    if (!of->scores->confusion.classes || !rows.rows || link == DL_NO_PROBABILITIES)
        return;
    char number[16], caption[128];
    const char *class = dl_schema_class(&of->model->data.schema, 1, number);
    dl_threshold_curve c = {0};
    if (rows.classes == 2)
        c = dl_threshold_curve_new(&rows, 1);
    dl_text_add(page, "<section id=\"scores\"><h2>Probabilities</h2>\n");
    if (rows.classes == 2) {
        dl_text_add(page, "<p class=\"soft\">The positive class is ");
        dl_html_add_text(page, class);
        dl_text_add(page, ".</p>\n");
    }
    dl_text_add(page, "<div class=\"charts\">\n");
    snprintf(caption, sizeof caption, "%lld positive and %lld negative rows", (long long)c.positive,
             (long long)c.negative);
    if (c.count)
        dl_html_add_plot(page, &(dl_html_plot){.title = "recall (ROC)",
                                               .across = "false positive rate",
                                               .caption = caption,
                                               .x = c.false_rate,
                                               .y = c.recall,
                                               .count = c.count,
                                               .shares = true,
                                               .line = same});
    snprintf(caption, sizeof caption, "average precision %.4f", c.average_precision);
    if (c.count)
        dl_html_add_plot(page, &(dl_html_plot){.title = "precision",
                                               .across = "recall",
                                               .caption = caption,
                                               .x = c.recall,
                                               .y = c.precision,
                                               .count = c.count,
                                               .shares = true});
    add_calibration(page, of, &rows, rows.classes == 2 ? class : "predicted class");
    dl_text_add(page, "</div>\n");
    if (c.count)
        add_thresholds(page, &c, link);
    free(c.threshold);
    dl_text_add(page, "</section>\n");
}

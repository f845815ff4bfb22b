/* SPDX-License-Identifier: MIT */
#include "report/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/version.h"
#include "report/html.h"
#include "report/page_classes.h"
#include "report/page_scores.h"
#include "report/page_style.h"
#include "report/report.h"
#include "run/history.h"

static void begin(dl_text *page, const char *title) {
    dl_text_add(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<title>");
    dl_html_add_text(page, title);
    dl_text_add(page, " – dltrain</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<h1>",
                page_style);
    dl_html_add_text(page, title);
    dl_text_add(page, "</h1>\n<p class=\"soft\">");
}

static int finish(dl_text *page, const char *path, dl_error *error) {
    dl_text_add(page, "</main>\n</body>\n</html>\n");
    return dl_output_write(path, page->data, page->length, error);
}

static void add_head(dl_text *page, const dl_page *of) {
    char count[32];
    begin(page, of->model->name);
    dl_text_add(page, "%s %s rows · ", dl_text_count(count, of->scores->rows),
                dl_split_names[of->split]);
    dl_html_add_text(page, of->path);
    dl_text_add(page, " · dltrain %s</p>\n", DL_VERSION);
}

static void add_tile(dl_text *page, const char *name, const char *value) {
    dl_text_add(page, "<div><span>");
    dl_html_add_text(page, name);
    dl_text_add(page, "</span><b>%s</b></div>\n", value);
}

/* The largest and the smallest share of a class among the rows. */
static void find_shares(const dl_page *of, double *largest, double *smallest, int *most_frequent) {
    const dl_confusion *c = &of->scores->confusion;
    double sum = 0;
    *largest = 0;
    *smallest = INFINITY;
    for (int k = 0; k < c->classes; k++) {
        double rows = (double)dl_confusion_count(c, k).rows;
        *most_frequent = rows > *largest ? k : *most_frequent;
        *largest = fmax(*largest, rows);
        *smallest = fmin(*smallest, rows);
        sum += rows;
    }
    *largest /= sum;
    *smallest /= sum;
}

/* Metrics of a class are those of the second one of two, else averages over the classes. */
static void add_metric(dl_text *page, const dl_page *of, int m) {
    const dl_accumulator *accumulator = &of->scores->accumulator;
    const dl_metric *metric = accumulator->metric[m];
    char value[32], number[16], name[96];
    snprintf(name, sizeof name, "%s", metric->name);
    if (metric->of_class && accumulator->classes == 2)
        snprintf(name, sizeof name, "%s of %.60s", metric->name,
                 dl_schema_class(&of->model->data.schema, 1, number));
    else if (metric->of_class)
        snprintf(name, sizeof name, "macro %s", metric->name);
    add_tile(page, name, dl_report_metric(value, metric, dl_accumulator_value(accumulator, m)));
}

/* Of unbalanced classes the averages over the classes come first. */
static void add_metrics(dl_text *page, const dl_page *of) {
    enum { UNBALANCED = 3 };
    const dl_accumulator *accumulator = &of->scores->accumulator;
    int most_frequent = 0;
    double largest, smallest, accuracy = NAN;
    char value[32], number[16], name[96];
    find_shares(of, &largest, &smallest, &most_frequent);
    bool unbalanced = largest > UNBALANCED * smallest;
    dl_text_add(page, "<section id=\"metrics\"><div class=\"tiles\">\n");
    snprintf(value, sizeof value, "%.5g", of->loss);
    add_tile(page, "loss", value);
    for (int pass = 0; pass < 2; pass++)
        for (int m = 0; m < accumulator->metric_count; m++) {
            if (!strcmp(accumulator->metric[m]->name, "accuracy"))
                accuracy = dl_accumulator_value(accumulator, m);
            if (pass == !(unbalanced && accumulator->metric[m]->of_class))
                add_metric(page, of, m);
        }
    if (of->scores->confusion.classes && !isnan(accuracy)) {
        snprintf(name, sizeof name, "over always %.60s",
                 dl_schema_class(&of->model->data.schema, most_frequent, number));
        snprintf(value, sizeof value, "%+.2f&#8239;%%", 100 * (accuracy - largest));
        add_tile(page, name, value);
    }
    dl_text_add(page, "</div></section>\n");
}

/* ---- from the history ---- */

static void add_chart(dl_text *page, const dl_history *h, const char *name) {
    char train[128], validation[128];
    snprintf(train, sizeof train, "train_%s", name);
    snprintf(validation, sizeof validation, "val_%s", name);
    const dl_html_curve curves[] = {{"training", dl_history_column(h, train)},
                                    {"validation", dl_history_column(h, validation)}};
    const dl_metric *metric = dl_metric_find(name);
    dl_html_add_chart(page, name, curves, 2, dl_history_column(h, "epoch"), h->rows, !metric,
                      metric && metric->percent);
}

/* One chart per quantity, with the curves of training and validation. */
static void add_curves(dl_text *page, const dl_history *h) {
    const double *epoch = dl_history_column(h, "epoch");
    if (!h->rows || !epoch)
        return;
    dl_text_add(page, "<section id=\"curves\"><h2>Curves</h2>\n<div class=\"charts\">\n");
    for (int c = 0; c < h->columns; c++) {
        const char *name = h->name[c], *second = NULL;
        if (!strncmp(name, "train_", 6))
            add_chart(page, h, name + 6);
        else if (!strncmp(name, "val_", 4))
            second = name + 4;
        char train[128];
        snprintf(train, sizeof train, "train_%s", second ? second : "");
        if (second && !dl_history_column(h, train))
            add_chart(page, h, second);
    }
    const dl_html_curve rate = {"learning rate", dl_history_column(h, "learning_rate")};
    if (rate.value)
        dl_html_add_chart(page, "learning rate", &rate, 1, epoch, h->rows, true, false);
    dl_text_add(page, "</div></section>\n");
}

static double column_sum(const dl_history *h, const char *name) {
    const double *value = dl_history_column(h, name);
    double sum = 0;
    for (int64_t i = 0; value && i < h->rows; i++)
        sum += value[i];
    return sum;
}

static void add_bar(dl_text *page, const double *part, const char *const *names, int count,
                    double total) {
    char seconds[32];
    dl_text_add(page, "<div class=\"bar\">");
    for (int p = 0; p < count; p++)
        dl_text_add(page, "<div class=\"p%d\" style=\"width:%.2f%%\"></div>", p,
                    100 * part[p] / total);
    dl_text_add(page, "</div>\n<figcaption>");
    for (int p = 0; p < count; p++)
        dl_text_add(page, "<span><i class=\"p%d\"></i>%s <b>%s</b></span> ", p, names[p],
                    dl_text_seconds(seconds, part[p]));
    dl_text_add(page, "</figcaption>");
}

static void add_timings(dl_text *page, const dl_history *h) {
    enum { PARTS = DL_PHASES + 1 };
    static const char *const columns[DL_PHASES] = {"data_seconds", "forward_seconds",
                                                   "backward_seconds", "update_seconds"};
    static const char *const names[PARTS] = {"data", "forward", "backward", "update",
                                             "validation and other"};
    char seconds[32], each[32], rate[32];
    double total = column_sum(h, "seconds"), part[PARTS], rest = total;
    if (!(total > 0))
        return;
    for (int p = 0; p < DL_PHASES; p++)
        rest -= part[p] = fmax(0, column_sum(h, columns[p]));
    part[DL_PHASES] = fmax(0, rest);
    double speed = column_sum(h, "samples_per_second") / (double)h->rows;
    dl_text_add(page,
                "<section id=\"timings\"><h2>Timings</h2>\n<div class=\"box\">%lld epoch%s in %s, "
                "%s each; %s samples per second in training.\n",
                (long long)h->rows, h->rows == 1 ? "" : "s", dl_text_seconds(seconds, total),
                dl_text_seconds(each, total / (double)h->rows),
                dl_text_count(rate, (int64_t)(speed + 0.5)));
    add_bar(page, part, names, PARTS, total);
    dl_text_add(page, "</div></section>\n");
}

/* Reads the history.csv in the checkpoint's folder; none is no error. */
static int read_history(dl_history *h, const char *path, dl_error *error) {
    const char *slash = strrchr(path, '/');
    dl_text name = {0};
    dl_text_add(&name, "%.*shistory.csv", slash ? (int)(slash + 1 - path) : 0, path);
    int result = dl_file_exists(name.data) ? dl_history_read(h, name.data, error) : 0;
    dl_text_free(&name);
    return result;
}

/* ---- from the checkpoint ---- */

static void add_network(dl_text *page, const dl_net *net) {
    char shape[48], count[32], frozen[32];
    int64_t fixed = 0;
    dl_text_add(page, "<section id=\"network\"><h2>Network</h2>\n<div class=\"box fit\"><table "
                      "class=\"rows names\"><tr><th>layer</th><th>type</th><th>output</th>"
                      "<th>parameters</th></tr>\n");
    for (int i = 0; i < net->layer_count; i++) {
        const dl_layer *layer = &net->layers[i];
        int64_t own = dl_layer_weight_count(layer);
        fixed += layer->trainable ? 0 : own;
        dl_text_add(page, "<tr><td>");
        dl_html_add_text(page, layer->name);
        dl_text_add(page, "</td><td>%s</td><td>%s</td><td>%s%s</td></tr>\n", layer->type->kind.name,
                    dl_shape_text(shape, layer->out.shape), dl_text_count(count, own),
                    own && !layer->trainable ? " frozen" : "");
    }
    if (fixed)
        dl_text_add(page,
                    "<tr><td>trainable</td><td></td><td></td><td>%s</td></tr>\n<tr><td>frozen"
                    "</td><td></td><td></td><td>%s</td></tr>\n",
                    dl_text_count(count, net->weight_count - fixed), dl_text_count(frozen, fixed));
    dl_text_add(page, "<tr><td>total</td><td></td><td></td><td>%s%s</td></tr>\n",
                dl_text_count(count, net->weight_count), fixed ? "" : ", all trainable");
    dl_text_add(page, "</table></div></section>\n");
}

static void add_config(dl_text *page, const dl_checkpoint *checkpoint) {
    dl_text config = {0};
    dl_config_dump(&checkpoint->config, &config);
    dl_text_add(page, "<section id=\"config\"><h2>Configuration</h2>\n<div class=\"box\"><details>"
                      "<summary>config.cfg, with every default written out</summary>\n<pre>");
    dl_html_add_text(page, dl_text_get(&config));
    dl_text_add(page, "</pre></details></div></section>\n");
    dl_text_free(&config);
}

int dl_page_write(const char *path, const dl_page *of, dl_error *error) {
    dl_text page = {0};
    dl_history history = {0};
    int result = read_history(&history, of->path, error);
    if (!result) {
        add_head(&page, of);
        add_metrics(&page, of);
        add_curves(&page, &history);
        dl_page_add_confusion(&page, of);
        dl_page_add_classes(&page, of);
        dl_page_add_scores(&page, of);
        dl_page_add_numbers(&page, of);
        result = dl_page_add_errors(&page, of, error);
    }
    if (!result) {
        dl_page_add_filters(&page, of);
        add_timings(&page, &history);
        add_network(&page, &of->model->net);
        add_config(&page, of->checkpoint);
        result = finish(&page, path, error);
    }
    dl_history_free(&history);
    dl_text_free(&page);
    return result;
}

int dl_page_write_comparison(const char *path, const char ***cell, int runs, int lines, int keys,
                             dl_error *error) {
    dl_text page = {0};
    begin(&page, "Comparison of runs");
    dl_text_add(&page, "%d runs; %d value%s of their configs differ%s · dltrain %s</p>\n", runs - 1,
                keys, keys == 1 ? "" : "s", keys == 1 ? "s" : "", DL_VERSION);
    dl_text_add(&page, "<section id=\"comparison\"><div class=\"box fit\"><table class=\"rows\">");
    for (int line = 0; line < lines; line++) {
        if (line && line == keys + 1)
            dl_text_add(&page, "<tr><th><h3>results</h3></th></tr>\n");
        dl_text_add(&page, "<tr>");
        for (int run = 0; run < runs; run++) {
            const char *tag = line && run ? "td" : "th";
            dl_text_add(&page, "<%s>", tag);
            dl_html_add_text(&page, cell[run][line]);
            dl_text_add(&page, "</%s>", tag);
        }
        dl_text_add(&page, "</tr>\n");
    }
    dl_text_add(&page, "</table></div></section>\n");
    int result = finish(&page, path, error);
    dl_text_free(&page);
    return result;
}

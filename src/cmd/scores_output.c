/* SPDX-License-Identifier: MIT */
#include "cmd/scores_output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/common.h"
#include "report/report.h"

enum { MOST_PAIRS = 5, WIDEST_MATRIX = 20, WIDEST_NAME = 30, LABEL = 10 };

/* A class's name, padded or truncated to the width. */
static void print_name(const dl_scores *s, int class, int width, bool right) {
    char number[16];
    dl_text name = {0};
    dl_text_add_plain(&name, dl_schema_class(&s->model->data.schema, class, number));
    int bytes = dl_text_fitting(dl_text_get(&name), (int)name.length, width);
    int padding = width - dl_text_width(dl_text_get(&name), bytes);
    printf("%*s%.*s%*s", right ? padding : 0, "", bytes, dl_text_get(&name), right ? 0 : padding,
           "");
    dl_text_free(&name);
}

/* The width of the longest name, within [least, most]. */
static int name_width(const dl_scores *s, int least, int most) {
    int width = least;
    for (int c = 0; c < s->confusion.classes; c++) {
        char number[16];
        const char *name = dl_schema_class(&s->model->data.schema, c, number);
        int length = dl_text_width(name, (int)strlen(name));
        width = length > width ? length : width;
    }
    return width < most ? width : most;
}

static void print_scores(const dl_scores *s) {
    int width = name_width(s, 5, WIDEST_NAME);
    printf("\n%-*s %10s", width, "class", "rows");
    for (int i = 0; i < s->column_count; i++)
        printf(" %10s", s->column[i]->column);
    printf("\n");
    for (int c = 0; c < s->confusion.classes; c++) {
        print_name(s, c, width, false);
        printf(" %10lld", (long long)dl_confusion_count(&s->confusion, c).rows);
        for (int i = 0; i < s->column_count; i++) {
            double value = dl_scores_class_value(s, c, s->column[i]);
            if (isnan(value))
                printf(" %10s", "-");
            else if (s->column[i]->of_class)
                printf(" %8.2f %%", 100 * value);
            else
                printf(" %10.4f", value);
        }
        printf("\n");
    }
}

static void print_matrix(const dl_scores *s) {
    int classes = s->confusion.classes;
    if (classes > WIDEST_MATRIX) {
        printf("\n(the confusion matrix of %d classes is in --json)\n", classes);
        return;
    }
    int width = name_width(s, 5, LABEL),
        digits = snprintf(NULL, 0, "%lld", (long long)(s->rows * s->model->positions));
    width = digits > width ? digits : width;
    printf("\nconfusion: a row is the true class, a column the predicted one\n%-*s", LABEL, "");
    for (int c = 0; c < classes; c++) {
        printf(" ");
        print_name(s, c, width, true);
    }
    printf("\n");
    for (int r = 0; r < classes; r++) {
        print_name(s, r, LABEL, false);
        for (int c = 0; c < classes; c++)
            printf(" %*lld", width, (long long)s->confusion.count[(int64_t)r * classes + c]);
        printf("\n");
    }
}

static void print_errors(const dl_scores *s) {
    dl_misclassification pairs[MOST_PAIRS];
    const dl_schema *schema = &s->model->data.schema;
    int count = dl_confusion_misclassified(&s->confusion, MOST_PAIRS, pairs);
    if (count)
        printf("\nmost frequent errors\n");
    for (int i = 0; i < count; i++) {
        char a[16], b[16];
        dl_text line = {0};
        dl_text_add(&line, "%6lld  ", (long long)pairs[i].count);
        dl_text_add_plain(&line, dl_schema_class(schema, pairs[i].truth, a));
        dl_text_add(&line, " predicted as ");
        dl_text_add_plain(&line, dl_schema_class(schema, pairs[i].predicted, b));
        puts(line.data);
        dl_text_free(&line);
    }
}

static void add_classes(const dl_scores *s, json_t *object) {
    const dl_schema *schema = &s->model->data.schema;
    json_t *list = json_array(), *matrix = json_array();
    int classes = s->confusion.classes;
    for (int r = 0; r < classes; r++) {
        char name[16];
        int64_t rows = dl_confusion_count(&s->confusion, r).rows;
        json_t *class = json_pack("{s:s, s:I}", "class", dl_schema_class(schema, r, name), "rows",
                                  (json_int_t)rows);
        for (int i = 0; i < s->column_count; i++)
            json_object_set_new(class, s->column[i]->name,
                                cmd_json_number(dl_scores_class_value(s, r, s->column[i])));
        json_array_append_new(list, class);
        json_t *row = json_array();
        for (int c = 0; c < classes; c++)
            json_array_append_new(row, json_integer(s->confusion.count[(int64_t)r * classes + c]));
        json_array_append_new(matrix, row);
    }
    json_object_set_new(object, "classes", list);
    json_object_set_new(object, "confusion", matrix);
}

void scores_metrics_to_json(const dl_accumulator *metrics, json_t *object) {
    for (int m = 0; m < metrics->metric_count; m++)
        json_object_set_new(object, metrics->metric[m]->name,
                            cmd_json_number(dl_accumulator_value(metrics, m)));
}

void scores_to_json(const dl_scores *s, json_t *object) {
    scores_metrics_to_json(&s->accumulator, object);
    if (s->confusion.classes)
        add_classes(s, object);
}

static int metric_name_width(const dl_scores *s) {
    int width = 10;
    for (int m = 0; m < s->accumulator.metric_count; m++) {
        int length = (int)strlen(s->accumulator.metric[m]->name);
        width = length > width ? length : width;
    }
    return width;
}

static void print_classes(const dl_scores *s) {
    if (s->omitted)
        printf("%-*s omitted: rows x classes exceed %d (training.metrics = (\"%s\") computes "
               "it)\n",
               metric_name_width(s), s->omitted->name, DL_SCORES_MOST, s->omitted->name);
    if (!s->confusion.classes)
        return;
    print_scores(s);
    print_matrix(s);
    print_errors(s);
}

void scores_print(const dl_scores *s, const double *loss) {
    int width = metric_name_width(s);
    char value[32];
    if (loss)
        printf("%-*s %.6g\n", width, "loss", *loss);
    for (int m = 0; m < s->accumulator.metric_count; m++)
        printf("%-*s %s\n", width, s->accumulator.metric[m]->name,
               dl_report_metric(value, s->accumulator.metric[m],
                                dl_accumulator_value(&s->accumulator, m)));
    print_classes(s);
}

void scores_print_members(const dl_scores *s, const dl_ensemble *ensemble) {
    int width = metric_name_width(s);
    char cell[32];
    printf("%10s  net\n", s->accumulator.metric[0]->name);
    for (int i = 0; i < ensemble->count; i++)
        dl_print_plain(stdout, "%10s  %s\n",
                       dl_report_metric(cell, s->accumulator.metric[0],
                                        dl_accumulator_value(&ensemble->member[i].accumulator, 0)),
                       ensemble->member[i].name);
    printf("\n%-*s %12s %10s %10s %10s\n", width, "", "mean", "lowest", "highest", "ensemble");
    for (int m = 0; m < s->accumulator.metric_count; m++) {
        const dl_metric *metric = s->accumulator.metric[m];
        double sum = 0, least = NAN, most = NAN;
        for (int i = 0; i < ensemble->count; i++) {
            double value = dl_accumulator_value(&ensemble->member[i].accumulator, m);
            sum += value;
            least = i && !(value < least) ? least : value;
            most = i && !(value > most) ? most : value;
        }
        printf("%-*s %12s", width, metric->name,
               dl_report_metric(cell, metric, sum / ensemble->count));
        printf(" %10s", dl_report_metric(cell, metric, least));
        printf(" %10s", dl_report_metric(cell, metric, most));
        printf(" %10s\n", dl_report_metric(cell, metric, dl_accumulator_value(&s->accumulator, m)));
    }
    print_classes(s);
}

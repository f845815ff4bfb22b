/* SPDX-License-Identifier: MIT */
#include "cmd/scores.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/common.h"
#include "metrics/auc.h"
#include "report/report.h"

enum { MISTAKES = 5, MOST_SCORES = 10000000 };

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

/* What dltest shows unasked: the order of very many rows would take much memory. */
static bool is_usual(const dl_model *model, const dl_metric *metric, int classes, dl_split split) {
    if (metric->on_demand || (metric->k && classes <= metric->k))
        return false;
    double numbers = (double)model->data.part[split].count * (double)model->positions * classes;
    return dl_metric_of_steps(metric) || numbers <= MOST_SCORES;
}

void scores_open(scores *s, const dl_model *model, int classes, int link, dl_split split) {
    const dl_metric *shown[DL_MOST_ACCUMULATED];
    const dl_metric *left_out = NULL;
    int count = 0;
    for (int m = 0; m < dl_metric_count + model->metric_count && count < DL_MOST_ACCUMULATED; m++) {
        bool own = m >= dl_metric_count; /* "top3" is not in the table */
        const dl_metric *metric = own ? model->metrics[m - dl_metric_count] : dl_metrics[m];
        bool again = false;
        for (int i = 0; i < count; i++)
            again |= shown[i] == metric;
        if (again || !is_possible(model, metric, classes, link))
            continue;
        if (is_wanted(model, metric) || is_usual(model, metric, classes, split))
            shown[count++] = metric;
        else if (!dl_metric_of_steps(metric) && !metric->on_demand)
            left_out = metric;
    }
    *s = (scores){.model = model, .left_out = left_out};
    dl_accumulator_open(&s->tally, shown, count, classes, classes ? 1 : (int)model->channels, true);
    if (classes)
        s->confusion = dl_confusion_new(classes);
}

/* A number in bins comes twice: as its bin, then as the number. */
void scores_observe(void *context, const dl_outcome *outcome) {
    static const dl_outcome nothing = {.rows = 0};
    scores *s = context;
    bool classes = outcome->classes > 0, bins = s->tally.classes && !classes;
    if (classes)
        dl_confusion_add(&s->confusion, outcome);
    bool numbers_follow = classes && s->model->data.schema.bin_edge;
    if (bins)
        dl_accumulator_add_numbers(&s->tally, outcome);
    else
        dl_accumulator_add(&s->tally, outcome, numbers_follow ? &nothing : outcome);
}

void scores_open_like(dl_accumulator *tally, const scores *s) {
    dl_accumulator_open(tally, s->tally.metric, s->tally.metric_count, s->tally.classes,
                        s->tally.outputs, true);
}

void scores_close(scores *s) {
    dl_accumulator_close(&s->tally);
    dl_confusion_free(&s->confusion);
}

/* ---- printing ---- */

enum { WIDEST_MATRIX = 20, WIDEST_NAME = 30, LABEL = 10 };

/* A class's name in a column of that width; cut off if it is too long for it. */
static void print_name(const scores *s, int class, int width, bool right) {
    char number[16];
    dl_text name = {0};
    dl_text_add_plain(&name, dl_schema_class(&s->model->data.schema, class, number));
    int bytes = dl_text_fitting(dl_text_get(&name), (int)name.length, width);
    int padding = width - dl_text_width(dl_text_get(&name), bytes);
    printf("%*s%.*s%*s", right ? padding : 0, "", bytes, dl_text_get(&name), right ? 0 : padding,
           "");
    dl_text_free(&name);
}

/* The columns that the longest name takes, from `least` to `most`. */
static int name_width(const scores *s, int least, int most) {
    int width = least;
    for (int c = 0; c < s->confusion.classes; c++) {
        char number[16];
        const char *name = dl_schema_class(&s->model->data.schema, c, number);
        int length = dl_text_width(name, (int)strlen(name));
        width = length > width ? length : width;
    }
    return width < most ? width : most;
}

const char *const scores_column_names[SCORES_COLUMNS] = {"precision", "recall", "F1", "IoU", "AUC"};
static const char *const column_keys[SCORES_COLUMNS] = {"precision", "recall", "f1", "iou", "auc"};

bool scores_has_column(const scores *s, int column) {
    bool masks = s->model->positions > 1 && s->model->data.schema.input.rank == 3;
    for (int m = 0; m < s->tally.metric_count; m++)
        masks |= !strcmp(s->tally.metric[m]->name, "iou");
    return column == SCORES_AUC ? s->tally.ordered : column == SCORES_IOU ? masks : true;
}

int64_t scores_class_values(const scores *s, int class, double values[SCORES_COLUMNS]) {
    dl_class_score score = dl_confusion_score(&s->confusion, class);
    values[0] = score.precision;
    values[1] = score.recall;
    values[2] = score.f1;
    values[SCORES_IOU] = score.f1 / (2 - score.f1);
    dl_scored_rows rows = dl_accumulator_scores(&s->tally);
    values[SCORES_AUC] = scores_has_column(s, SCORES_AUC) ? dl_auc_of_class(&rows, class) : 0;
    return score.rows;
}

static void print_scores(const scores *s) {
    int width = name_width(s, 5, WIDEST_NAME);
    printf("\n%-*s %10s", width, "class", "rows");
    for (int i = 0; i < SCORES_COLUMNS; i++)
        if (scores_has_column(s, i))
            printf(" %10s", scores_column_names[i]);
    printf("\n");
    for (int c = 0; c < s->confusion.classes; c++) {
        double values[SCORES_COLUMNS];
        int64_t rows = scores_class_values(s, c, values);
        print_name(s, c, width, false);
        printf(" %10lld", (long long)rows);
        for (int i = 0; i < SCORES_COLUMNS; i++)
            if (scores_has_column(s, i) && isnan(values[i]))
                printf(" %10s", "-");
            else if (scores_has_column(s, i) && i == SCORES_AUC)
                printf(" %10.4f", values[i]);
            else if (scores_has_column(s, i))
                printf(" %8.2f %%", 100 * values[i]);
        printf("\n");
    }
}

static void print_matrix(const scores *s) {
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

static void print_mistakes(const scores *s) {
    dl_mistake mistakes[MISTAKES];
    const dl_schema *schema = &s->model->data.schema;
    int count = dl_confusion_mistakes(&s->confusion, MISTAKES, mistakes);
    if (count)
        printf("\nmost frequent mistakes\n");
    for (int i = 0; i < count; i++) {
        char a[16], b[16];
        dl_text line = {0};
        dl_text_add(&line, "%6lld  ", (long long)mistakes[i].count);
        dl_text_add_plain(&line, dl_schema_class(schema, mistakes[i].truth, a));
        dl_text_add(&line, " taken for ");
        dl_text_add_plain(&line, dl_schema_class(schema, mistakes[i].predicted, b));
        puts(line.data);
        dl_text_free(&line);
    }
}

static void add_classes(const scores *s, json_t *object) {
    const dl_schema *schema = &s->model->data.schema;
    json_t *list = json_array(), *matrix = json_array();
    int classes = s->confusion.classes;
    for (int r = 0; r < classes; r++) {
        char name[16];
        double values[SCORES_COLUMNS];
        int64_t rows = scores_class_values(s, r, values);
        json_t *class = json_pack("{s:s, s:I}", "class", dl_schema_class(schema, r, name), "rows",
                                  (json_int_t)rows);
        for (int i = 0; i < SCORES_COLUMNS; i++)
            if (scores_has_column(s, i))
                json_object_set_new(class, column_keys[i], cmd_json_number(values[i]));
        json_array_append_new(list, class);
        json_t *row = json_array();
        for (int c = 0; c < classes; c++)
            json_array_append_new(row, json_integer(s->confusion.count[(int64_t)r * classes + c]));
        json_array_append_new(matrix, row);
    }
    json_object_set_new(object, "classes", list);
    json_object_set_new(object, "confusion", matrix);
}

void scores_tally_to_json(const dl_accumulator *tally, json_t *object) {
    for (int m = 0; m < tally->metric_count; m++)
        json_object_set_new(object, tally->metric[m]->name,
                            cmd_json_number(dl_accumulator_value(tally, m)));
}

void scores_to_json(const scores *s, json_t *object) {
    scores_tally_to_json(&s->tally, object);
    if (s->confusion.classes)
        add_classes(s, object);
}

static int metric_name_width(const scores *s) {
    int width = 10;
    for (int m = 0; m < s->tally.metric_count; m++) {
        int length = (int)strlen(s->tally.metric[m]->name);
        width = length > width ? length : width;
    }
    return width;
}

void scores_print_classes(const scores *s) {
    if (s->left_out)
        printf("%-*s left out: rows x classes are more than %d (training.metrics = (\"%s\") asks "
               "for it)\n",
               metric_name_width(s), s->left_out->name, MOST_SCORES, s->left_out->name);
    if (!s->confusion.classes)
        return;
    print_scores(s);
    print_matrix(s);
    print_mistakes(s);
}

void scores_print(const scores *s, const double *loss) {
    int width = metric_name_width(s);
    char value[32];
    if (loss)
        printf("%-*s %.6g\n", width, "loss", *loss);
    for (int m = 0; m < s->tally.metric_count; m++)
        printf("%-*s %s\n", width, s->tally.metric[m]->name,
               dl_report_metric(value, s->tally.metric[m], dl_accumulator_value(&s->tally, m)));
    scores_print_classes(s);
}

void scores_print_members(const scores *s, const dl_ensemble *ensemble) {
    int width = metric_name_width(s);
    char cell[32];
    printf("%10s  net\n", s->tally.metric[0]->name);
    for (int i = 0; i < ensemble->count; i++)
        printf("%10s  %s\n",
               dl_report_metric(cell, s->tally.metric[0],
                                dl_accumulator_value(&ensemble->member[i].tally, 0)),
               ensemble->member[i].name);
    printf("\n%-*s %12s %10s %10s %10s\n", width, "", "single, mean", "least", "most", "together");
    for (int m = 0; m < s->tally.metric_count; m++) {
        const dl_metric *metric = s->tally.metric[m];
        double sum = 0, least = NAN, most = NAN;
        for (int i = 0; i < ensemble->count; i++) {
            double value = dl_accumulator_value(&ensemble->member[i].tally, m);
            sum += value;
            least = i && !(value < least) ? least : value;
            most = i && !(value > most) ? most : value;
        }
        printf("%-*s %12s", width, metric->name,
               dl_report_metric(cell, metric, sum / ensemble->count));
        printf(" %10s", dl_report_metric(cell, metric, least));
        printf(" %10s", dl_report_metric(cell, metric, most));
        printf(" %10s\n", dl_report_metric(cell, metric, dl_accumulator_value(&s->tally, m)));
    }
    scores_print_classes(s);
}

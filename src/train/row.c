/* SPDX-License-Identifier: MIT */
#include "train/row.h"

#include <math.h>
#include <string.h>

enum { FLOAT = -1 };

typedef struct {
    dl_measurement_visitor visit;
    void *context;
} visitor;

static void visit_score(const visitor *v, dl_split part, const char *metric, double value) {
    dl_text name = {0}, tag = {0};
    dl_text_add(&name, "%s_%s", part == DL_TRAIN ? "train" : "val", metric);
    dl_text_add(&tag, "%s/%s", metric, dl_split_names[part]);
    v->visit(v->context, &(dl_measurement){name.data, tag.data, FLOAT, true, value});
    dl_text_free(&name);
    dl_text_free(&tag);
}

static void visit_scores(const visitor *v, const dl_model *model, dl_split part, double loss,
                         const double *metric) {
    visit_score(v, part, "loss", loss);
    for (int m = 0; m < model->metric_count; m++)
        if (part != DL_TRAIN || dl_metric_in_training(model->metrics[m]))
            visit_score(v, part, model->metrics[m]->name, metric[m]);
}

static void visit_head(const visitor *v, const char *head, double loss) {
    dl_text name = {0}, tag = {0};
    dl_text_add(&name, "train_%s_loss", head);
    dl_text_add(&tag, "loss/train_%s", head);
    v->visit(v->context, &(dl_measurement){name.data, tag.data, FLOAT, true, loss});
    dl_text_free(&name);
    dl_text_free(&tag);
}

void dl_row_visit(const dl_experiment *e, const dl_row *row, dl_measurement_visitor visit,
                  void *context) {
    static const char *const phases[] = {"data_seconds", "forward_seconds", "backward_seconds",
                                         "update_seconds"};
    const visitor v = {visit, context};
    const dl_model *model = &e->model;
    const dl_measurement first[] = {
        {"epoch", NULL, 0, false, (double)row->epoch},
        {"step", NULL, 0, false, (double)row->step},
        {"seconds", "time/epoch_seconds", 6, false, row->seconds},
        {"learning_rate", "learning_rate", FLOAT, false, row->rate},
    };
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        visit(context, &first[i]);
    visit_scores(&v, model, DL_TRAIN, row->train_loss, row->train_metric);
    for (int h = 0; h < model->net.head_count; h++)
        visit_head(&v, model->net.heads[h].name, row->train_head[h]);
    if (dl_experiment_penalized(e))
        visit(context, &(dl_measurement){"train_objective", "loss/objective", FLOAT, true,
                                         row->train_objective});
    if (model->data.part[DL_VALIDATION].count)
        visit_scores(&v, model, DL_VALIDATION, row->val_loss, row->val_metric);
    visit(context, &(dl_measurement){"samples_per_second", "time/samples_per_second", 1, false,
                                     row->samples_per_second});
    for (int p = 0; p < DL_PHASES; p++)
        visit(context, &(dl_measurement){phases[p], NULL, 6, false, row->phase[p]});
}

static void add_name(void *line, const dl_measurement *column) {
    dl_text *text = line;
    dl_text_add(text, "%s%s", text->length ? "," : "", column->name);
}

static void add_score_name(void *line, const dl_measurement *column) {
    if (column->score)
        add_name(line, column);
}

static void add_value(void *line, const dl_measurement *column) {
    dl_text *text = line;
    dl_text_add(text, "%s", text->length ? "," : "");
    if (column->decimals < 0)
        dl_text_add(text, "%.9g", column->value);
    else
        dl_text_add(text, "%.*f", column->decimals, column->value);
}

static dl_text join(const dl_experiment *e, const dl_row *row, dl_measurement_visitor add) {
    static const dl_row zeros;
    dl_text line = {0};
    dl_row_visit(e, row ? row : &zeros, add, &line);
    return line;
}

dl_text dl_row_header(const dl_experiment *e) {
    dl_text line = join(e, NULL, add_name);
    dl_text_add(&line, "\n");
    return line;
}

dl_text dl_row_line(const dl_experiment *e, const dl_row *row) {
    dl_text line = join(e, row, add_value);
    dl_text_add(&line, "\n");
    return line;
}

static void add_untimed_value(void *line, const dl_measurement *column) {
    dl_measurement untimed = *column;
    if (column->decimals > 0) /* a time */
        untimed.value = NAN;
    add_value(line, &untimed);
}

void dl_row_keep(const dl_experiment *e, const dl_row *row, dl_text *last) {
    enum { KEPT = 100 };
    dl_text line = join(e, row, add_untimed_value);
    dl_text_add(last, "%s\n", line.data);
    dl_text_free(&line);
    int lines = 0;
    for (const char *c = last->data; *c; c++)
        lines += *c == '\n';
    if (lines <= KEPT)
        return;
    char *second = strchr(last->data, '\n') + 1;
    last->length -= (size_t)(second - last->data);
    memmove(last->data, second, last->length + 1);
}

dl_text dl_row_scores(const dl_experiment *e) {
    return join(e, NULL, add_score_name);
}

typedef struct {
    const char *name;
    double value;
} search;

static void compare_name(void *context, const dl_measurement *column) {
    search *s = context;
    if (!strcmp(column->name, s->name))
        s->value = column->value;
}

double dl_row_value(const dl_experiment *e, const dl_row *row, const char *name) {
    search s = {name, NAN};
    dl_row_visit(e, row, compare_name, &s);
    return s.value;
}

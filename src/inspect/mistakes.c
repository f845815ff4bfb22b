/* SPDX-License-Identifier: MIT */
#include "inspect/mistakes.h"

#include <math.h>
#include <stdlib.h>

void dl_mistakes_collect(void *context, const dl_outcome *o) {
    dl_mistakes_observer *c = context;
    dl_mistakes *m = c->mistakes;
    if (!o->classes) /* the numbers of bins */
        return;
    if (!c->probability)
        c->probability = xcalloc((size_t)o->classes, sizeof *c->probability);
    for (int64_t i = 0; i < o->rows; i++) {
        int truth = (int)o->target[i], predicted = dl_predicted_class(o, i);
        double confidence = (double)o->output[i * o->channels + (o->channels > 1 ? predicted : 0)];
        double loss = NAN;
        if (o->link != DL_NO_PROBABILITIES) {
            dl_class_probabilities(o, i, c->probability);
            confidence = c->probability[predicted];
            loss = dl_log_loss(o, i);
        } else if (o->channels == 1)
            confidence = predicted ? confidence : -confidence;
        if (m->count == m->room) {
            m->room = m->room ? 2 * m->room : 1024;
            m->row = xrealloc(m->row, sizeof *m->row * (size_t)m->room);
        }
        m->row[m->count++] =
            (dl_judged_row){c->net, c->part->index[c->done++], truth, predicted, confidence, loss};
    }
}

void dl_mistakes_observer_close(dl_mistakes_observer *c) {
    free(c->probability);
    *c = (dl_mistakes_observer){0};
}

bool dl_mistakes_apply(const dl_model *model) {
    return model->target.classes && model->positions == 1 && dl_model_ignored(model) < 0 &&
           dl_model_order(model, false) == DL_IN_ORDER;
}

int dl_mistakes_add(dl_mistakes *mistakes, dl_model *model, dl_split split, int net,
                    dl_error *error) {
    dl_mistakes_observer c = {.mistakes = mistakes, .part = &model->data.part[split], .net = net};
    if (!dl_mistakes_apply(model))
        return dl_fail(error, DL_USAGE,
                       "%s: mistakes are of rows with one class each (for numbers, dltest "
                       "--predictions has all rows)",
                       model->name);
    dl_loader *loader = dl_loader_new(&model->data, split, model->batch_size, error);
    if (!loader)
        return -1;
    dl_metric_sums sums = {0};
    int result = dl_evaluate(model, loader, &sums, dl_mistakes_collect, &c, error);
    dl_metric_sums_close(&sums);
    dl_loader_free(loader);
    dl_mistakes_observer_close(&c);
    return result;
}

/* Ties stay in the order of the data. */
static int by_row(const dl_judged_row *a, const dl_judged_row *b) {
    return a->net != b->net ? a->net - b->net : (a->row > b->row) - (a->row < b->row);
}

static int by_confidence(const void *left, const void *right) {
    const dl_judged_row *a = left, *b = right;
    bool hit = a->truth == a->predicted;
    if (hit != (b->truth == b->predicted))
        return hit ? 1 : -1;
    int order = (a->confidence < b->confidence) - (a->confidence > b->confidence);
    return order ? hit ? -order : order : by_row(a, b);
}

static int by_loss(const void *left, const void *right) {
    const dl_judged_row *a = left, *b = right;
    int order = (a->loss < b->loss) - (a->loss > b->loss);
    return order ? order : by_row(a, b);
}

int64_t dl_mistakes_sort(dl_mistakes *m) {
    int64_t errors = 0;
    if (m->count)
        qsort(m->row, (size_t)m->count, sizeof *m->row, by_confidence);
    while (errors < m->count && m->row[errors].truth != m->row[errors].predicted)
        errors++;
    return errors;
}

void dl_mistakes_sort_by_loss(dl_mistakes *m) {
    if (m->count)
        qsort(m->row, (size_t)m->count, sizeof *m->row, by_loss);
}

void dl_mistakes_free(dl_mistakes *m) {
    free(m->row);
    *m = (dl_mistakes){0};
}

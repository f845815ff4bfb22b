/* SPDX-License-Identifier: MIT */
/* The mean of n nets with probabilities p_i is p = (sum of p_i) / n. In a vote, each net has one
   vote for its class, and ties are broken by the mean probability: votes v become the scores (v + p
   / 2) / (n + 1/2). A net without probabilities (trained with hinge, for example) counts as having
   probability 1 for its class. Breiman, "Bagging predictors", 1996. */
#include "model/ensemble.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const dl_schema *schema_of(const dl_member *member) {
    return &member->model->data.schema;
}

static int classes_of(const dl_member *member) {
    return schema_of(member)->bin_edge ? 0 : schema_of(member)->classes;
}

static int outputs_of(const dl_member *member) {
    return schema_of(member)->bin_edge ? 1 : schema_of(member)->outputs;
}

int dl_ensemble_classes(const dl_ensemble *s) {
    return classes_of(&s->member[0]);
}

int dl_ensemble_link(const dl_ensemble *s) {
    return s->vote ? DL_NO_PROBABILITIES : DL_LINEAR;
}

static void add_target(dl_text *text, const dl_member *member) {
    int classes = classes_of(member), outputs = outputs_of(member);
    if (classes)
        dl_text_add(text, "%d classes", classes);
    if (classes && outputs > 1)
        dl_text_add(text, " at %d positions", outputs);
    if (!classes)
        dl_text_add(text, "%d number%s", outputs, outputs == 1 ? "" : "s");
}

static int check_targets(const dl_member *a, const dl_member *b, dl_error *error) {
    if (classes_of(a) == classes_of(b) && outputs_of(a) == outputs_of(b))
        return 0;
    dl_text first = {0}, second = {0};
    add_target(&first, a);
    add_target(&second, b);
    dl_fail(error, DL_DATA, "%s predicts %s, but %s %s: they cannot form an ensemble", a->name,
            first.data, b->name, second.data);
    dl_text_free(&first);
    dl_text_free(&second);
    return -1;
}

static int check_names(const dl_member *a, const dl_member *b, dl_error *error) {
    char first[16], second[16];
    for (int c = 0; c < classes_of(a); c++) {
        const char *one = dl_schema_class(schema_of(a), c, first);
        const char *other = dl_schema_class(schema_of(b), c, second);
        if (strcmp(one, other))
            return dl_fail(
                error, DL_DATA,
                "class %d is \"%s\" in %s, but \"%s\" in %s: they cannot form an ensemble", c, one,
                a->name, other, b->name);
    }
    return 0;
}

int dl_ensemble_check(const dl_ensemble *s, dl_error *error) {
    const dl_member *first = &s->member[0];
    if (s->vote && !classes_of(first))
        return dl_fail(error, DL_USAGE,
                       "--vote is for classes, but %s predicts numbers (use --average)",
                       first->name);
    for (int i = 0; i < s->count; i++) {
        const dl_member *member = &s->member[i];
        const dl_model *model = member->model;
        if (check_targets(first, member, error) || check_names(first, member, error))
            return -1;
        if (!s->vote && classes_of(member) && model->link == DL_NO_PROBABILITIES)
            return dl_fail(error, DL_USAGE,
                           "%s has no probabilities to average: its loss is \"%s\" (use --vote)",
                           member->name, model->loss->kind.name);
        if (dl_model_order(model, false) != dl_model_order(first->model, false))
            return dl_fail(error, DL_DATA,
                           "one of %s and %s is stateful, and reads the rows in another order: "
                           "they cannot form an ensemble",
                           first->name, member->name);
        if (model->data.part[s->split].count != first->model->data.part[s->split].count)
            return dl_fail(error, DL_DATA,
                           "%s has %lld %s rows, but %s %lld: they cannot form an ensemble",
                           first->name, (long long)first->model->data.part[s->split].count,
                           dl_split_names[s->split], member->name,
                           (long long)model->data.part[s->split].count);
    }
    return 0;
}

/* ---- a batch ---- */

typedef struct {
    const dl_ensemble *ensemble;
    int classes;
    int64_t width, rows;  /* numbers per prediction; predictions of this batch */
    double *mean, *votes; /* [batch · positions][width]: sums */
    double *probability;  /* [classes] */
    float *target;        /* [batch · positions], or [batch][width] */
    float *output;        /* [batch · positions][width] */
} combination;

static combination open_combination(const dl_ensemble *s) {
    const dl_model *model = s->member[0].model;
    combination j = {.ensemble = s, .classes = dl_ensemble_classes(s)};
    j.width = j.classes ? j.classes : outputs_of(&s->member[0]);
    size_t count = (size_t)(model->batch_size * (j.classes ? model->positions : 1) * j.width);
    j.mean = xmalloc(sizeof *j.mean * count);
    j.votes = xmalloc(sizeof *j.votes * count);
    j.probability = xmalloc(sizeof *j.probability * (size_t)j.width);
    j.target = xmalloc(sizeof *j.target * count);
    j.output = xmalloc(sizeof *j.output * count);
    return j;
}

static void close_combination(combination *j) {
    free(j->mean);
    free(j->votes);
    free(j->probability);
    free(j->target);
    free(j->output);
}

/* Numbers may differ by rounding, since each member denormalizes its own. */
static bool same_target(const combination *j, float a, float b) {
    return j->classes ? a == b : fabsf(a - b) <= 1e-4f * (1 + fabsf(a));
}

/* Copies the first member's targets, and compares those of the others with them. */
static int check_targets_of_batch(combination *j, int i, const dl_outcome *o, dl_error *error) {
    const dl_ensemble *s = j->ensemble;
    int64_t count = o->rows * (j->classes ? 1 : j->width);
    bool same = !i || o->rows == j->rows;
    if (!i)
        memcpy(j->target, o->target, sizeof *o->target * (size_t)count);
    j->rows = i ? j->rows : o->rows;
    for (int64_t k = 0; k < count && same; k++)
        same = same_target(j, j->target[k], o->target[k]);
    return same ? 0
                : dl_fail(error, DL_DATA,
                          "the %s rows of %s and %s differ: they cannot answer "
                          "together (is split_seed the same?)",
                          dl_split_names[s->split], s->member[0].name, s->member[i].name);
}

static void add_predictions(combination *j, const dl_outcome *o) {
    for (int64_t r = 0; r < o->rows; r++) {
        double *mean = j->mean + r * j->width, *votes = j->votes + r * j->width;
        if (j->classes) {
            int predicted = dl_predicted_class(o, r);
            votes[predicted]++;
            if (o->link != DL_NO_PROBABILITIES)
                dl_class_probabilities(o, r, j->probability);
            for (int c = 0; c < j->classes; c++)
                mean[c] +=
                    o->link == DL_NO_PROBABILITIES ? (double)(c == predicted) : j->probability[c];
        } else
            for (int64_t c = 0; c < j->width; c++)
                mean[c] += (double)o->output[r * o->channels + c];
    }
}

static dl_outcome combine(combination *j) {
    const dl_ensemble *s = j->ensemble;
    double n = s->count;
    for (int64_t k = 0; k < j->rows * j->width; k++)
        j->output[k] =
            (float)(s->vote ? (j->votes[k] + j->mean[k] / n / 2) / (n + 0.5) : j->mean[k] / n);
    return (dl_outcome){
        j->rows,    j->width, j->output,           j->target,
        j->classes, 0,        dl_ensemble_link(s), s->member[0].model->data.schema.target_origin};
}

static int run_member(combination *j, int i, dl_outcome_buffers *buffers, const dl_batch *batch,
                      dl_error *error) {
    dl_member *member = &j->ensemble->member[i];
    dl_model *model = member->model;
    dl_pass pass = {.batch = (int)batch->count, .carry = true};
    dl_net_forward(&model->net, batch->x, &pass);
    dl_outcome outcome = batch->number ? dl_batch_outcome_numeric(buffers, model, batch)
                                       : dl_batch_outcome(buffers, model, batch);
    if (check_targets_of_batch(j, i, &outcome, error))
        return -1;
    dl_accumulator_add(&member->accumulator, &outcome, &outcome);
    add_predictions(j, &outcome);
    return 0;
}

/* 1: a batch was run; 0: none is left; -1: an error. */
static int run_batch(combination *j, dl_loader **loader, dl_outcome_buffers *buffers, int64_t *rows,
                     dl_error *error) {
    const dl_model *model = j->ensemble->member[0].model;
    size_t count = (size_t)(model->batch_size * (j->classes ? model->positions : 1) * j->width);
    memset(j->mean, 0, sizeof *j->mean * count);
    memset(j->votes, 0, sizeof *j->votes * count);
    for (int i = 0; i < j->ensemble->count; i++) {
        int before = error->count;
        const dl_batch *batch = dl_loader_next(loader[i], error);
        if (!batch)
            return error->count > before ? -1 : 0; /* all members have the same number */
        if (run_member(j, i, &buffers[i], batch, error))
            return -1;
        *rows += i ? 0 : batch->count;
    }
    return 1;
}

int dl_ensemble_evaluate(dl_ensemble *s, dl_observer observer, void *context, int64_t *rows,
                         dl_error *error) {
    dl_loader **loader = xcalloc((size_t)s->count, sizeof *loader);
    dl_outcome_buffers *buffers = xcalloc((size_t)s->count, sizeof *buffers);
    combination j = open_combination(s);
    int result = 1;
    for (int i = 0; i < s->count && result == 1; i++) {
        dl_model *model = s->member[i].model;
        dl_outcome_buffers_open(&buffers[i], model);
        loader[i] = dl_loader_new(&model->data, s->split, model->batch_size, error);
        if (loader[i])
            dl_loader_start(loader[i], dl_model_order(model, false), 0, 0, 0);
        else
            result = -1;
        dl_net_begin(&model->net);
    }
    *rows = 0;
    while (result == 1 && (result = run_batch(&j, loader, buffers, rows, error)) == 1) {
        dl_outcome outcome = combine(&j);
        observer(context, &outcome);
    }
    for (int i = 0; i < s->count; i++) {
        dl_loader_free(loader[i]);
        dl_outcome_buffers_close(&buffers[i]);
    }
    close_combination(&j);
    free(loader);
    free(buffers);
    return result;
}

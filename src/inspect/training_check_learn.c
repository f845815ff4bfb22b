/* SPDX-License-Identifier: MIT */
/* Trainings of a few steps, each with one question. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/training_check.h"
#include "math/vector.h"

/* ---- by heart ---- */

static const double ENOUGH = 0.01; /* of the loss is left, when all is learnt */

/* The mean loss of all of them. */
static double loss_of(dl_trial *t, const dl_trial_rows *r) {
    double sum = 0;
    for (int64_t first = 0; first < r->count;) {
        dl_batch batch = dl_trial_batch(r, t->e, first, r->count);
        sum += dl_trial_loss(t, &batch, false) * (double)batch.count;
        first += batch.count;
    }
    return sum / (double)r->count;
}

/* One pass over the rows; returns its steps. */
static int pass(dl_trial *t, const dl_trial_rows *r, double rate) {
    int steps = 0;
    for (int64_t first = 0; first < r->count; steps++) {
        dl_batch batch = dl_trial_batch(r, t->e, first, r->count);
        dl_trial_step(t, &batch, rate);
        first += batch.count;
    }
    return steps;
}

/* What is left of the loss that can be taken away, 1 … 0, after so many steps at the most. */
static double learn(dl_trial *t, const dl_trial_rows *r, double rate, int most, double *loss) {
    double least = dl_trial_least(t, r);
    dl_trial_begin(t, true);
    double first = loss_of(t, r), left = 1;
    for (int steps = 0, passes = 0; steps < most && isfinite(left) && left > ENOUGH; passes++) {
        steps += pass(t, r, rate);
        if (passes % 10 && steps < most)
            continue;
        *loss = loss_of(t, r);
        left = first > least ? (*loss - least) / (first - least) : 0;
    }
    return isfinite(left) ? left : INFINITY;
}

static void learn_some(dl_checkup *c, dl_trial *t, const dl_trial_rows *all, int64_t count) {
    static const double rates[] = {1e-3, 1e-2, 1e-1};
    static const double NEARLY = 0.1, HARDLY = 0.5;
    enum { FEWEST = 20, FEW = 100 };
    dl_trial_rows rows = *all;
    double left = INFINITY, loss = NAN;
    rows.count = count < all->count ? count : all->count;
    const char *check = count == 1 ? "by_heart_1" : count == 4 ? "by_heart_4" : "by_heart_50";
    int most = dl_trial_steps(t, rows.count, count == 1 ? 300 : count < 10 ? 600 : 2000);
    if (most < FEWEST) {
        dl_checkup_too_large(c, check, most, rows.count);
        return;
    }
    size_t tries = most < FEW ? 1 : sizeof rates / sizeof *rates; /* else it takes too long */
    for (size_t i = 0; i < tries && left > ENOUGH; i++) {
        double now = NAN, rest = learn(t, &rows, rates[i], most, &now);
        if (rest < left) {
            left = rest;
            loss = now;
        }
    }
    const char *s = rows.count == 1 ? "" : "s";
    int64_t outputs = t->e->model.target.classes ? 1 : t->e->model.target.outputs;
    int64_t numbers = rows.count * t->e->model.positions * outputs;
    if (left <= NEARLY)
        dl_checkup_add(c, check, DL_CHECK_OK,
                       "%lld sample%s learnt by heart: loss %.4g, %.1f %% of what there was",
                       (long long)rows.count, s, loss, 100 * left);
    else if (t->e->model.net.weight_count < numbers || rows.count > t->e->model.net.weight_count)
        dl_checkup_add(c, check, DL_CHECK_SKIPPED,
                       "%lld parameters are too few to learn %lld sample%s by heart",
                       (long long)t->e->model.net.weight_count, (long long)rows.count, s);
    else if (most < FEW || (count > 1 && left < HARDLY))
        dl_checkup_add(c, check, DL_CHECK_SKIPPED,
                       "%lld sample%s not to the end in %d steps: loss %.4g, %.0f %% of what there "
                       "was; if in doubt try more units",
                       (long long)rows.count, s, most, loss, 100 * left);
    else
        dl_checkup_add(c, check, DL_CHECK_FAILS,
                       "%lld sample%s cannot be learnt by heart: loss %.4g after %d steps; look "
                       "for dead or frozen layers, equal initial weights, a wrong loss",
                       (long long)rows.count, s, loss, most);
}

void dl_checkup_heart(dl_checkup *c, dl_trial *t, const dl_trial_rows *rows) {
    learn_some(c, t, rows, 1);
    if (rows->count > 1)
        learn_some(c, t, rows, 4);
    if (rows->count > 4)
        learn_some(c, t, rows, 50);
}

/* ---- the inputs ---- */

/* What a net makes of a row's class. */
typedef struct {
    double sure; /* the probability of the likeliest one */
    bool wrong;  /* the row is said to be of another */
} answer;

typedef struct {
    double loss;     /* of rows that were not learnt from, where there are some */
    answer *answers; /* [count], owned: of rows of a class */
    int64_t count;   /* 0: there are no classes, or no probabilities */
    double largest;  /* share of the most frequent class */
} outcome;

static void add_answers(dl_trial *t, const dl_batch *batch, outcome *o, int64_t *of_class) {
    dl_outcome out = dl_judge_outcome(&t->judge, &t->e->model, batch);
    if (!out.classes || out.link == DL_NO_PROBABILITIES)
        return;
    double *probability = xmalloc(sizeof *probability * (size_t)out.classes);
    o->answers = xrealloc(o->answers, sizeof *o->answers * (size_t)(o->count + out.rows + 1));
    for (int64_t i = 0; i < out.rows; i++) {
        int class = dl_predicted_class(&out, i);
        dl_class_probabilities(&out, i, probability);
        o->answers[o->count++] = (answer){probability[class], class != (int)out.target[i]};
        int64_t rows = ++of_class[(int)out.target[i]];
        o->largest = (double)rows > o->largest ? (double)rows : o->largest;
    }
    free(probability);
}

static void measure(dl_trial *t, const dl_trial_rows *held, outcome *o) {
    int classes = t->e->model.data.schema.classes;
    int64_t *of_class = xcalloc((size_t)(classes > 2 ? classes : 2), sizeof *of_class);
    for (int64_t first = 0; first < held->count;) {
        dl_batch batch = dl_trial_batch(held, t->e, first, held->count);
        o->loss += dl_trial_loss(t, &batch, false) * (double)batch.count;
        add_answers(t, &batch, o, of_class);
        first += batch.count;
    }
    o->loss /= (double)held->count;
    o->largest /= o->count ? (double)o->count : 1;
    free(of_class);
}

static outcome train_on(dl_trial *t, const dl_trial_rows *train, const dl_trial_rows *held,
                        double rate, int steps, int64_t size) {
    outcome o = {0};
    int64_t first = 0;
    dl_trial_begin(t, true);
    for (int s = 0; s < steps; s++) {
        dl_batch batch = dl_trial_batch(train, t->e, first, train->count);
        batch.count = batch.count < size ? batch.count : size;
        dl_trial_step(t, &batch, rate);
        first = first + batch.count < train->count ? first + batch.count : 0;
    }
    measure(t, held, &o);
    return o;
}

static int by_sureness(const void *a, const void *b) {
    double p = ((const answer *)a)->sure, q = ((const answer *)b)->sure;
    return (p < q) - (p > q);
}

/* The share of wrong ones among the surest `count`. */
static double wrong_of(const outcome *o, int64_t count) {
    int64_t wrong = 0;
    for (int64_t i = 0; i < count; i++)
        wrong += o->answers[i].wrong;
    return count ? (double)wrong / (double)count : 0;
}

/* Rows of whose class the net is sure, and which are said to be of another one, are labelled in
   another way than those that it has learnt from. Labels that are wrong here and there, in all
   parts, keep a net from being sure at all; but they are as frequent among the rows that are
   easy as among the hard ones, while a net's own mistakes are not. */
static void tell_labels(dl_checkup *c, const dl_trial *t, const outcome *o, const char *part) {
    static const double SURE = 0.9, MANY = 0.15, RANDOM = 0.1, EVEN = 0.5, LEARNT = 0.5;
    enum { QUARTER_OF = 128 };
    int64_t sure = 0;
    if (!o->count) {
        dl_checkup_add(c, "labels", DL_CHECK_SKIPPED, "the targets are no classes");
        return;
    }
    qsort(o->answers, (size_t)o->count, sizeof *o->answers, by_sureness);
    while (sure < o->count && o->answers[sure].sure > SURE)
        sure++;
    double contrary = wrong_of(o, sure) * (double)sure / (double)o->count;
    double surest = wrong_of(o, o->count / 4), all = wrong_of(o, o->count);
    bool learnt = all < LEARNT * (1 - o->largest) && o->count >= QUARTER_OF;
    if (contrary > MANY)
        dl_checkup_add(c, "labels", DL_CHECK_FAILS,
                       "%.0f %% of the %s rows look, for sure, like another class than theirs: are "
                       "their labels right, and numbered as in train?",
                       100 * contrary, part);
    else if (t->e->model.positions == 1 && learnt && surest > RANDOM && surest > EVEN * all)
        dl_checkup_add(c, "labels", DL_CHECK_FAILS,
                       "%.0f %% of the %s rows whose class is clearest have another label, and "
                       "%.0f %% of all: labels seem to be wrong at random; look at some rows, "
                       "or try label smoothing",
                       100 * surest, part, 100 * all);
    else
        dl_checkup_add(c, "labels", DL_CHECK_OK,
                       "%.1f %% of the %s rows look, for sure, like another class; of the clearest "
                       "quarter %.1f %%, of all %.1f %%",
                       100 * contrary, part, 100 * surest, 100 * all);
}

/* The same net trained with its inputs, and with zeros in their place. */
typedef struct {
    outcome seen, unseen;
    int64_t batch;
    int steps;
    bool used; /* the inputs make it better */
} comparison;

enum { STEPS = 300, ENOUGH_STEPS = 100, FEWEST_STEPS = 20, FEWEST_ROWS = 4, PATIENCE = 5 };

/* Batches are made smaller if there is no time for STEPS of them; `patience` times as many steps
   are done as there would else be. */
static void choose_steps(comparison *r, const dl_trial *t, const dl_trial_rows *train,
                         int patience) {
    r->batch = t->e->model.batch_size < train->count ? t->e->model.batch_size : train->count;
    r->steps = patience * dl_trial_steps(t, r->batch, STEPS);
    while (r->steps < STEPS && r->batch > FEWEST_ROWS)
        r->steps = patience * dl_trial_steps(t, --r->batch, STEPS);
}

static void compare(comparison *r, dl_trial *t, const dl_trial_rows *train,
                    const dl_trial_rows *held, double rate) {
    static const double NEARLY = 0.97;
    int64_t size = dl_shape_size(t->e->model.data.schema.input);
    int64_t most = train->count > held->count ? train->count : held->count;
    dl_trial_rows blank = *train, blank_held = *held;
    blank.x = blank_held.x = xcalloc((size_t)(most * size), sizeof *blank.x);
    free(r->seen.answers);
    free(r->unseen.answers);
    r->seen = train_on(t, train, held, rate, r->steps, r->batch);
    r->unseen = train_on(t, &blank, &blank_held, rate, r->steps, r->batch);
    r->used = r->seen.loss < NEARLY * r->unseen.loss;
    free(blank.x);
}

/* A net that knows nothing of its inputs learns how frequent the classes are, no more. Before that
   is said of one, it is given more time with a tenth of the rate, which may have been too high. */
int dl_checkup_inputs(dl_checkup *c, dl_trial *t, const dl_trial_rows *train, dl_error *error) {
    enum { HELD = 512 };
    dl_experiment *e = t->e;
    int part = e->model.data.part[DL_VALIDATION].count ? DL_VALIDATION : DL_TRAIN;
    double rate = e->model.net.weight_count > 50000 ? 1e-3 : 1e-2;
    comparison r = {.steps = 0};
    dl_trial_rows held;
    choose_steps(&r, t, train, 1);
    if (r.steps < FEWEST_STEPS) {
        dl_checkup_too_large(c, "inputs", r.steps, r.batch);
        return 0;
    }
    if (dl_trial_take(&held, e, (dl_split)part, HELD, error)) {
        dl_trial_drop(&held);
        return -1;
    }
    int64_t fitting = dl_trial_steps(t, 1, HELD);
    held.count = held.count < fitting ? held.count : fitting;
    compare(&r, t, train, &held, rate);
    if (!r.used && r.steps >= ENOUGH_STEPS) {
        choose_steps(&r, t, train, PATIENCE);
        compare(&r, t, train, &held, rate / 10);
    }
    dl_trial_drop(&held);
    if (!r.used && r.steps < ENOUGH_STEPS)
        dl_checkup_add(c, "inputs", DL_CHECK_SKIPPED,
                       "loss %.4g of %s rows, %.4g with zeros for inputs, but there is time for no "
                       "more than %d steps",
                       r.seen.loss, dl_split_names[part], r.unseen.loss, r.steps);
    else if (r.used)
        dl_checkup_add(c, "inputs", DL_CHECK_OK,
                       "loss %.4g of %s rows after %d steps, %.4g if the inputs are zero",
                       r.seen.loss, dl_split_names[part], r.steps, r.unseen.loss);
    else
        dl_checkup_add(c, "inputs", DL_CHECK_FAILS,
                       "loss %.4g of %s rows after %d steps is hardly better than %.4g with zeros "
                       "for inputs: nothing in the inputs tells the targets (are the rows of both "
                       "in the same order?), or the network does not let it through",
                       r.seen.loss, dl_split_names[part], r.steps, r.unseen.loss);
    if (part == DL_VALIDATION)
        tell_labels(c, t, &r.seen, dl_split_names[part]);
    free(r.seen.answers);
    free(r.unseen.answers);
    return 0;
}

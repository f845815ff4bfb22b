/* SPDX-License-Identifier: MIT */
/* Trials of a few steps: can the network memorize some samples, does it use its inputs, are the
   labels correct? */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/training_check.h"
#include "math/vector.h"

/* ---- memorizing ---- */

static const double ENOUGH = 0.01; /* remaining fraction of the loss of memorized samples */

/* The mean loss over all rows. */
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

/* The remaining fraction of the reducible loss, 1 … 0, after at most that many steps. */
static double learn(dl_trial *t, const dl_trial_rows *r, double rate, int most, double *loss) {
    double least = dl_trial_lowest_loss(t, r);
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

static void memorize_some(dl_checkup *c, dl_trial *t, const dl_trial_rows *all, int64_t count) {
    static const double rates[] = {1e-3, 1e-2, 1e-1};
    static const double NEARLY = 0.1, HARDLY = 0.5, SECONDS = 2;
    enum { FEWEST = 20, FEW = 100 };
    dl_trial_rows rows = *all;
    double left = INFINITY, loss = NAN;
    rows.count = count < all->count ? count : all->count;
    const char *check = count == 1 ? "memorize_1" : count == 4 ? "memorize_4" : "memorize_50";
    int most = dl_trial_steps(t, rows.count, count == 1 ? 300 : count < 10 ? 600 : 2000, SECONDS);
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
                       "can overfit %lld sample%s: loss %.4g, %.1f %% of the initial one",
                       (long long)rows.count, s, loss, 100 * left);
    else if (t->e->model.net.weight_count < numbers || rows.count > t->e->model.net.weight_count)
        dl_checkup_add(c, check, DL_CHECK_SKIPPED,
                       "%lld parameters are too few to overfit %lld sample%s",
                       (long long)t->e->model.net.weight_count, (long long)rows.count, s);
    else if (most < FEW || (count > 1 && left < HARDLY))
        dl_checkup_add(
            c, check, DL_CHECK_SKIPPED,
            "%lld sample%s not overfitted in %d steps: loss %.4g, %.0f %% of the initial "
            "one; if in doubt try more units",
            (long long)rows.count, s, most, loss, 100 * left);
    else
        dl_checkup_add(c, check, DL_CHECK_FAILS,
                       "cannot overfit %lld sample%s: loss %.4g after %d steps; look for dead or "
                       "frozen layers, equal initial weights, a wrong loss",
                       (long long)rows.count, s, loss, most);
}

void dl_checkup_memorize(dl_checkup *c, dl_trial *t, const dl_trial_rows *rows) {
    memorize_some(c, t, rows, 1);
    if (rows->count > 1)
        memorize_some(c, t, rows, 4);
    if (rows->count > 4)
        memorize_some(c, t, rows, 50);
}

/* ---- inputs and labels ---- */

/* The prediction for a row with a class. */
typedef struct {
    double sure; /* the probability of the most likely class */
    bool wrong;  /* the row has another one */
} answer;

typedef struct {
    answer *list; /* [count], owned */
    int64_t count;
    double largest; /* fraction of the most frequent class */
} answers;

/* A trial, at the step with the lowest loss of the held-out rows. */
typedef struct {
    double *loss; /* [rows]: of each of them; owned */
    double mean;
    int step;
    answers held, validation; /* of classes with probabilities; else empty */
} outcome;

static void free_outcome(outcome *o) {
    free(o->loss);
    free(o->held.list);
    free(o->validation.list);
    *o = (outcome){0};
}

/* Of the batch after its forward pass. */
static void add_answers(dl_trial *t, const dl_batch *batch, answers *a, int64_t *of_class) {
    dl_outcome out = dl_batch_outcome(&t->outcome_buffers, &t->e->model, batch);
    if (!out.classes || out.link == DL_NO_PROBABILITIES)
        return;
    double *probability = xmalloc(sizeof *probability * (size_t)out.classes);
    a->list = xrealloc(a->list, sizeof *a->list * (size_t)(a->count + out.rows + 1));
    for (int64_t i = 0; i < out.rows; i++) {
        int class = dl_predicted_class(&out, i);
        dl_class_probabilities(&out, i, probability);
        a->list[a->count++] = (answer){probability[class], class != (int)out.target[i]};
        of_class[(int)out.target[i]]++;
    }
    free(probability);
}

static void take_answers(dl_trial *t, const dl_trial_rows *rows, answers *a) {
    int classes = t->e->model.data.schema.classes;
    int64_t *of_class = xcalloc((size_t)(classes > 2 ? classes : 2), sizeof *of_class);
    a->count = 0;
    for (int64_t first = 0; first < rows->count;) {
        dl_batch batch = dl_trial_batch(rows, t->e, first, rows->count);
        dl_trial_loss(t, &batch, false);
        add_answers(t, &batch, a, of_class);
        first += batch.count;
    }
    int64_t most = 0;
    for (int k = 0; k < (classes > 2 ? classes : 2); k++)
        most = of_class[k] > most ? of_class[k] : most;
    a->largest = a->count ? (double)most / (double)a->count : 1;
    free(of_class);
}

/* loss[i]: mean loss of row i over its positions; returns their mean. */
static double row_losses(dl_trial *t, const dl_trial_rows *rows, double *loss) {
    dl_model *m = &t->e->model;
    double sum = 0;
    for (int64_t first = 0; first < rows->count;) {
        dl_batch batch = dl_trial_batch(rows, t->e, first, rows->count);
        dl_trial_loss(t, &batch, false);
        const float *z = dl_net_output(&m->net)->value;
        for (int64_t i = 0; i < batch.count; i++) {
            double own = m->loss->evaluate(m->loss_self, &m->target, m->positions, m->channels,
                                           z + i * m->positions * m->channels,
                                           batch.y + i * m->data.schema.outputs, 1, NULL);
            loss[first + i] = own / (double)m->positions;
            sum += loss[first + i];
        }
        first += batch.count;
    }
    return sum / (double)rows->count;
}

/* The rows of a trial: training rows, held-out rows, and rows of the validation part. */
typedef struct {
    dl_trial_rows train, held, validation; /* held and train are parts of one block, borrowed */
} parts;

/* Trains, and keeps the best of LOOKS evaluations of the held-out rows, since later overfitting
   says nothing about the inputs. */
static void train_on(dl_trial *t, const parts *p, double rate, int steps, int64_t size,
                     outcome *o) {
    enum { LOOKS = 15 };
    double *loss = xmalloc(sizeof *loss * (size_t)(p->held.count + 1));
    int64_t first = 0;
    free_outcome(o);
    o->loss = xmalloc(sizeof *loss * (size_t)(p->held.count + 1));
    o->mean = INFINITY;
    dl_trial_begin(t, true);
    for (int s = 1; s <= steps; s++) {
        dl_batch batch = dl_trial_batch(&p->train, t->e, first, p->train.count);
        batch.count = batch.count < size ? batch.count : size;
        dl_trial_step(t, &batch, rate);
        first = first + batch.count < p->train.count ? first + batch.count : 0;
        if (s % (steps / LOOKS + 1) && s < steps)
            continue;
        double mean = row_losses(t, &p->held, loss);
        if (!(mean < o->mean))
            continue;
        double *swap = o->loss;
        o->loss = loss;
        loss = swap;
        o->mean = mean;
        o->step = s;
        take_answers(t, &p->held, &o->held);
        take_answers(t, &p->validation, &o->validation);
    }
    free(loss);
}

static int by_sureness(const void *a, const void *b) {
    double p = ((const answer *)a)->sure, q = ((const answer *)b)->sure;
    return (p < q) - (p > q);
}

/* Sorts the predictions by confidence, and counts those above `sure`. */
static int64_t sort_answers(answers *a, double sure) {
    int64_t count = 0;
    if (a->count)
        qsort(a->list, (size_t)a->count, sizeof *a->list, by_sureness);
    while (count < a->count && a->list[count].sure > sure)
        count++;
    return count;
}

static double wrong_share(const answers *a, int64_t first_ones) {
    int64_t wrong = 0;
    for (int64_t i = 0; i < first_ones; i++)
        wrong += a->list[i].wrong;
    return first_ones ? (double)wrong / (double)first_ones : 0;
}

/* The lower end of a confidence interval of a fraction. */
static double at_least(double share, int64_t count, double sigmas) {
    return share - sigmas * sqrt(share * (1 - share) / (double)(count > 0 ? count : 1));
}

/* Confident errors on the validation part mean that it is labeled differently from the training
   part: a network at its best step is seldom confident and wrong. Labels that are wrong at random,
   in all parts, keep a network from being confident; but they are as frequent among easy rows as
   among hard ones, while a network's own errors are not. Each finding must hold by SIGMAS standard
   errors: less than 1 false alarm in 700 checks. */
static void check_labels(dl_checkup *c, const dl_trial *t, outcome *o) {
    static const double SURE = 0.9, MANY = 0.05, RANDOM = 0.08, EVEN = 0.5, LEARNED = 0.5,
                        SIGMAS = 3;
    answers *val = &o->validation, *held = &o->held;
    if (!held->count && !val->count) {
        dl_checkup_add(c, "labels", DL_CHECK_SKIPPED, "the targets are not classes");
        return;
    }
    int64_t sure = sort_answers(val, SURE), most = held->count + val->count;
    double contrary = val->count ? wrong_share(val, sure) * (double)sure / (double)val->count : 0;
    answers all = {.list = xmalloc(sizeof *all.list * (size_t)(most + 1)), .count = most};
    for (int64_t i = 0; i < most; i++)
        all.list[i] = i < held->count ? held->list[i] : val->list[i - held->count];
    sort_answers(&all, SURE);
    int64_t quarter = most / 4;
    double surest = wrong_share(&all, quarter), wrong = wrong_share(&all, most);
    double likely = at_least(surest, quarter, SIGMAS);
    free(all.list);
    bool learned = wrong < LEARNED * (1 - held->largest) && t->e->model.positions == 1;
    if (val->count && at_least(contrary, val->count, SIGMAS) > MANY)
        dl_checkup_add(c, "labels", DL_CHECK_FAILS,
                       "%.0f %% of the validation rows clearly look like another class than their "
                       "label: are their labels right, and numbered as in the training part?",
                       100 * contrary);
    else if (learned && likely > RANDOM && surest > EVEN * wrong)
        dl_checkup_add(c, "labels", DL_CHECK_FAILS,
                       "%.0f %% of the clearest quarter of the rows have another label, and %.0f "
                       "%% of all: labels seem to be wrong at random; look at some rows, or try "
                       "label smoothing",
                       100 * surest, 100 * wrong);
    else
        dl_checkup_add(c, "labels", DL_CHECK_OK,
                       "%.1f %% of the validation rows clearly look like another class; of the "
                       "clearest quarter of all rows %.1f %% are wrong, of all %.1f %%",
                       100 * contrary, 100 * surest, 100 * wrong);
}

/* The same network trained with its inputs, and with zeros instead. */
typedef struct {
    outcome seen, unseen;
    int64_t batch;
    int steps;
    double gain, error; /* reduction of the loss by the inputs; its standard error */
} comparison;

enum { STEPS = 300, ENOUGH_STEPS = 100, FEWEST_STEPS = 20, FEWEST_ROWS = 4, PATIENCE = 3 };

/* Uses smaller batches if there is no time for that many steps. */
static void choose_steps(comparison *r, const dl_trial *t, const dl_trial_rows *train, int most) {
    static const double SECONDS = 4;
    r->batch = t->e->model.batch_size < train->count ? t->e->model.batch_size : train->count;
    r->steps = dl_trial_steps(t, r->batch, most, SECONDS);
    while (r->steps < most && r->batch > FEWEST_ROWS)
        r->steps = dl_trial_steps(t, --r->batch, most, SECONDS);
}

static void compare(comparison *r, dl_trial *t, const parts *p, double rate) {
    int64_t size = dl_shape_size(t->e->model.data.schema.input), n = p->held.count;
    int64_t most = p->train.count > n ? p->train.count : n;
    parts blank = *p;
    blank.validation.count = 0;
    blank.train.x = blank.held.x = xcalloc((size_t)(most * size), sizeof *blank.train.x);
    train_on(t, p, rate, r->steps, r->batch, &r->seen);
    train_on(t, &blank, rate, r->steps, r->batch, &r->unseen);
    free(blank.train.x);
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        double gain = r->unseen.loss[i] - r->seen.loss[i];
        sum += gain;
        squares += gain * gain;
    }
    r->gain = sum / (double)n;
    r->error = sqrt(fmax(squares / (double)n - r->gain * r->gain, 0) / (double)n);
}

/* Inputs matter if they lower the loss by ENOUGH and by 2 standard errors; they do not if they
   lower it by less than USEFUL, by 3 standard errors: 1 false alarm in 700 checks. */
static dl_verdict judge_inputs(const comparison *r) {
    static const double ENOUGH_GAIN = 0.03, USEFUL = 0.15;
    if (r->gain > ENOUGH_GAIN * r->unseen.mean && r->gain > 2 * r->error)
        return DL_CHECK_OK;
    bool useless = r->gain + 3 * r->error < USEFUL * r->unseen.mean;
    return useless && r->steps >= ENOUGH_STEPS ? DL_CHECK_FAILS : DL_CHECK_SKIPPED;
}

static void report_inputs(dl_checkup *c, const comparison *r) {
    dl_verdict verdict = judge_inputs(r);
    const char *format =
        verdict == DL_CHECK_OK
            ? "loss %.4g of held-out rows at the best of %d steps, %.4g if the inputs are zero"
        : verdict == DL_CHECK_FAILS
            ? "loss %.4g of held-out rows at the best of %d steps is hardly better than %.4g with "
              "zeros for inputs: nothing in the inputs determines the targets (are the rows of "
              "both in the same order?), or the network does not let it through"
            : "loss %.4g of held-out rows at the best of %d steps, %.4g with zeros for inputs: too "
              "few rows or steps to tell whether the inputs matter";
    dl_checkup_add(c, "inputs", verdict, format, r->seen.mean, r->steps, r->unseen.mean);
}

/* A fifth of the rows is held out. Before a network is reported to ignore its inputs, it gets more
   time with a tenth of the rate, in case that was too high. */
int dl_checkup_inputs(dl_checkup *c, dl_trial *t, const dl_trial_rows *rows, dl_error *error) {
    enum { HELD = 512, FEWEST_HELD = 8 };
    dl_experiment *e = t->e;
    const dl_model *m = &e->model;
    double rate = m->net.weight_count > 50000 ? 1e-3 : 1e-2;
    comparison r = {.steps = 0};
    int64_t held = rows->count / 5 < HELD ? rows->count / 5 : HELD;
    parts p = {.train = *rows, .held = *rows};
    if (held < FEWEST_HELD) {
        dl_checkup_add(c, "inputs", DL_CHECK_SKIPPED, "%lld rows are too few to hold some out",
                       (long long)rows->count);
        return 0;
    }
    p.train.count -= held;
    p.held.count = dl_trial_steps(t, 1, (int)held, 0.2);
    p.held.x += p.train.count * dl_shape_size(m->data.schema.input);
    p.held.y += p.train.count * m->data.schema.outputs;
    p.held.number = rows->number ? rows->number + p.train.count : NULL;
    p.held.weight = rows->weight ? rows->weight + p.train.count : NULL;
    choose_steps(&r, t, &p.train, STEPS);
    if (r.steps < FEWEST_STEPS) {
        dl_checkup_too_large(c, "inputs", r.steps, r.batch);
        return 0;
    }
    if (m->data.part[DL_VALIDATION].count &&
        dl_trial_rows_read(&p.validation, e, DL_VALIDATION, p.held.count, error)) {
        dl_trial_rows_free(&p.validation);
        return -1;
    }
    compare(&r, t, &p, rate);
    if (judge_inputs(&r) != DL_CHECK_OK) {
        choose_steps(&r, t, &p.train, PATIENCE * STEPS);
        compare(&r, t, &p, rate / 10);
    }
    report_inputs(c, &r);
    check_labels(c, t, &r.seen);
    dl_trial_rows_free(&p.validation);
    free_outcome(&r.seen);
    free_outcome(&r.unseen);
    return 0;
}

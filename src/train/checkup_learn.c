/* Trainings of a few steps, each with one question. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/vector.h"
#include "train/checkup.h"

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
    dl_trial_rows rows = *all;
    double left = INFINITY, loss = NAN;
    rows.count = count < all->count ? count : all->count;
    const char *check = count == 1 ? "by_heart_1" : count == 4 ? "by_heart_4" : "by_heart_50";
    int most = dl_trial_steps(t, rows.count, count == 1 ? 300 : count < 10 ? 600 : 2000);
    for (size_t i = 0; i < sizeof rates / sizeof *rates && left > ENOUGH; i++) {
        double now = NAN, rest = learn(t, &rows, rates[i], most, &now);
        if (rest < left) {
            left = rest;
            loss = now;
        }
    }
    const char *s = rows.count == 1 ? "" : "s";
    int64_t outputs = t->e->target.classes ? 1 : t->e->target.outputs;
    int64_t numbers = rows.count * t->e->positions * outputs;
    if (left <= NEARLY)
        dl_checkup_add(c, check, DL_CHECK_OK,
                       "%lld sample%s learnt by heart: loss %.4g, %.1f %% of what there was",
                       (long long)rows.count, s, loss, 100 * left);
    else if (t->e->net.weight_count < numbers || rows.count > t->e->net.weight_count)
        dl_checkup_add(c, check, DL_CHECK_SKIPPED,
                       "%lld parameters are too few to learn %lld sample%s by heart",
                       (long long)t->e->net.weight_count, (long long)rows.count, s);
    else if (most < 100 || (count > 1 && left < HARDLY))
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

typedef struct {
    double loss;              /* of rows that were not learnt from, where there are some */
    int64_t judged, contrary; /* rows of a class; those that are surely of another one */
} outcome;

/* Rows of whose class the net is sure, and which is said to be another one. */
static void count_contrary(dl_trial *t, const dl_batch *batch, outcome *o) {
    dl_outcome out = dl_judge_outcome(&t->judge, t->e, batch);
    if (!out.classes || out.link == DL_NO_PROBABILITIES)
        return;
    double *probability = xmalloc(sizeof *probability * (size_t)out.classes);
    for (int64_t i = 0; i < out.rows; i++) {
        int class = dl_predicted_class(&out, i);
        dl_class_probabilities(&out, i, probability);
        o->judged++;
        o->contrary += class != (int)out.target[i] && probability[class] > 0.9;
    }
    free(probability);
}

static outcome train_on(dl_trial *t, const dl_trial_rows *train, const dl_trial_rows *held,
                        double rate, int steps) {
    outcome o = {0};
    int64_t first = 0;
    dl_trial_begin(t, true);
    for (int s = 0; s < steps; s++) {
        dl_batch batch = dl_trial_batch(train, t->e, first, train->count);
        dl_trial_step(t, &batch, rate);
        first = first + batch.count < train->count ? first + batch.count : 0;
    }
    for (first = 0; first < held->count;) {
        dl_batch batch = dl_trial_batch(held, t->e, first, held->count);
        o.loss += dl_trial_loss(t, &batch, false) * (double)batch.count;
        count_contrary(t, &batch, &o);
        first += batch.count;
    }
    o.loss /= (double)held->count;
    return o;
}

static void tell_labels(dl_checkup *c, const outcome *o, const char *part) {
    double share = o->judged ? (double)o->contrary / (double)o->judged : 0;
    if (!o->judged)
        dl_checkup_add(c, "labels", DL_CHECK_SKIPPED, "the targets are no classes");
    else if (share > 0.15)
        dl_checkup_add(c, "labels", DL_CHECK_FAILS,
                       "%.0f %% of the %s rows look, for sure, like another class than theirs: are "
                       "their labels right, and numbered as in train?",
                       100 * share, part);
    else
        dl_checkup_add(c, "labels", DL_CHECK_OK,
                       "%.1f %% of the %s rows look, for sure, like another class", 100 * share,
                       part);
}

/* A net that knows nothing of its inputs learns how frequent the classes are, no more. */
int dl_checkup_inputs(dl_checkup *c, dl_trial *t, const dl_trial_rows *train, dl_error *error) {
    enum { STEPS = 300, ENOUGH_STEPS = 100, HELD = 512 };
    static const double NEARLY = 0.97;
    dl_experiment *e = t->e;
    int part = e->data.part[DL_VALIDATION].count ? DL_VALIDATION : DL_TRAIN;
    int64_t batch = e->batch_size < train->count ? e->batch_size : train->count;
    double rate = e->net.weight_count > 50000 ? 1e-3 : 1e-2;
    int steps = dl_trial_steps(t, batch, STEPS);
    dl_trial_rows held, blank;
    if (steps < 20) {
        dl_checkup_add(c, "inputs", DL_CHECK_SKIPPED, "a step takes too long");
        return 0;
    }
    if (dl_trial_take(&held, e, (dl_split)part, HELD, error)) {
        dl_trial_drop(&held);
        return -1;
    }
    outcome seen = train_on(t, train, &held, rate, steps);
    int64_t size = dl_shape_size(e->data.schema.input);
    blank = *train;
    blank.x = xcalloc((size_t)(train->count * size), sizeof *blank.x);
    dl_zero(held.x, held.count * size);
    outcome unseen = train_on(t, &blank, &held, rate, steps);
    free(blank.x);
    dl_trial_drop(&held);
    bool used = seen.loss < NEARLY * unseen.loss;
    if (!used && steps < ENOUGH_STEPS)
        dl_checkup_add(c, "inputs", DL_CHECK_SKIPPED,
                       "loss %.4g of %s rows, %.4g with zeros for inputs, but there is time for no "
                       "more than %d steps",
                       seen.loss, dl_split_names[part], unseen.loss, steps);
    else if (used)
        dl_checkup_add(c, "inputs", DL_CHECK_OK,
                       "loss %.4g of %s rows after %d steps, %.4g if the inputs are zero",
                       seen.loss, dl_split_names[part], steps, unseen.loss);
    else
        dl_checkup_add(c, "inputs", DL_CHECK_FAILS,
                       "loss %.4g of %s rows after %d steps is hardly better than %.4g with zeros "
                       "for inputs: nothing in the inputs tells the targets (are the rows of both "
                       "in the same order?), or the network does not let it through",
                       seen.loss, dl_split_names[part], steps, unseen.loss);
    if (part == DL_VALIDATION)
        tell_labels(c, &seen, dl_split_names[part]);
    return 0;
}

/* ---- the rate ---- */

enum { ITERATIONS = 100, AT_END = 10 };

/* By how much the loss falls on rows that are already there, with a fixed rate. */
static double fall(dl_trial *t, const dl_trial_rows *r, double rate, int steps) {
    double first = 0, last = 0;
    int64_t at = 0;
    dl_trial_begin(t, false);
    for (int s = 0; s < steps; s++) {
        dl_batch batch = dl_trial_batch(r, t->e, at, r->count);
        double loss = dl_trial_step(t, &batch, rate);
        if (!isfinite(loss))
            return -INFINITY;
        at = at + batch.count < r->count ? at + batch.count : 0;
        first = s ? first : loss;
        last += s >= steps - AT_END ? loss / AT_END : 0;
    }
    return first - last;
}

/* The rate grows by the same factor from step to step, until the loss is far above its best. */
static void range_test(dl_checkup *c, dl_trial *t, const dl_trial_rows *r, int steps) {
    static const double FROM = 1e-6, TO = 10, KEEP = 0.8;
    double smooth = 0, weight = 0, best = INFINITY, first = 0;
    int64_t at = 0;
    int best_at = 0;
    dl_trial_begin(t, false);
    for (c->points = 0; c->points < steps && c->points < DL_RATE_POINTS; c->points++) {
        double rate = FROM * pow(TO / FROM, (double)c->points / (DL_RATE_POINTS - 1));
        dl_batch batch = dl_trial_batch(r, t->e, at, r->count);
        double loss = dl_trial_step(t, &batch, rate);
        at = at + batch.count < r->count ? at + batch.count : 0;
        smooth = KEEP * smooth + (1 - KEEP) * loss;
        weight = KEEP * weight + 1 - KEEP;
        double mean = smooth / weight;
        first = c->points ? first : mean;
        if (!isfinite(mean) || (c->points > 10 && mean > best + 2 * fabs(first)))
            break;
        c->curve[c->points] = (dl_rate_point){rate, mean};
        if (mean < best) {
            best = mean;
            best_at = c->points;
        }
    }
    c->rate = best_at ? c->curve[best_at].rate / 5 : 0;
}

/* 0.0137 as 0.01: more is not known. */
static double rounded(double rate) {
    double unit = rate > 0 ? pow(10, floor(log10(rate))) : 1;
    return round(rate / unit) * unit;
}

int dl_checkup_find_rate(dl_checkup *c, dl_experiment *e, dl_error *error) {
    dl_trial t;
    dl_trial_rows rows = {0};
    if (e->optimizer->minimize)
        return dl_fail(error, DL_USAGE, "%s has no learning rate to find", e->optimizer->kind.name);
    int result = dl_trial_open(&t, e, error);
    if (!result)
        result = dl_trial_take(&rows, e, DL_TRAIN, ITERATIONS * e->batch_size, error);
    if (!result)
        range_test(c, &t, &rows, DL_RATE_POINTS);
    c->rate = rounded(c->rate);
    dl_trial_drop(&rows);
    dl_trial_close(&t);
    return result;
}

/* Seconds of an iteration of the training itself, and what of them is waiting for data. */
static int take_time(dl_checkup *c, dl_trial *t, dl_loader *train, dl_error *error) {
    enum { MOST = 20 };
    dl_experiment *e = t->e;
    int before = error->count, steps = 0, most = dl_trial_steps(t, e->batch_size, MOST);
    const dl_optimizer_common *common = t->optimizer_self;
    char one[32], all[32];
    dl_trial_begin(t, false);
    dl_loader_start(train, dl_experiment_order(e, true), (uint64_t)e->seed, 0, 0);
    double started = dl_clock(), data = 0;
    for (const dl_batch *batch; steps <= most; steps++) {
        double from = dl_clock();
        if (!(batch = dl_loader_next(train, error)))
            break;
        data += dl_clock() - from;
        dl_trial_step(t, batch, common->learning_rate);
    }
    double seconds = dl_clock() - started;
    if (error->count > before || !steps)
        return -1;
    double whole = seconds / steps * (double)dl_loader_steps(train) * (double)e->settings.epochs;
    dl_checkup_add(
        c, "time", DL_CHECK_OK,
        "%s an iteration, %.0f %% of it waiting for data; about %s for the %lld epochs%s",
        dl_text_seconds(one, seconds / steps), 100 * data / seconds, dl_text_seconds(all, whole),
        (long long)e->settings.epochs,
        data > 0.5 * seconds && seconds > 0.005 * steps ? " (data.workers would help)" : "");
    return 0;
}

int dl_checkup_rate(dl_checkup *c, dl_trial *t, dl_loader *train, const dl_trial_rows *rows,
                    dl_error *error) {
    /* A rate that is too low is only slow; one that is too high may learn nothing. */
    static const double LITTLE = 0.5, SLOW = 0.2, APART = 5;
    dl_experiment *e = t->e;
    const dl_optimizer_common *common = t->optimizer_self;
    double rate = common->learning_rate;
    if (t->optimizer->minimize) {
        dl_checkup_add(c, "rate", DL_CHECK_SKIPPED, "%s has no learning rate",
                       t->optimizer->kind.name);
        return 0;
    }
    int64_t batch = e->batch_size < rows->count ? e->batch_size : rows->count;
    int steps = dl_trial_steps(t, batch, ITERATIONS);
    if (steps < 2 * AT_END) {
        dl_checkup_add(c, "rate", DL_CHECK_SKIPPED, "a step takes too long");
        return take_time(c, t, train, error);
    }
    range_test(c, t, rows, DL_RATE_POINTS);
    c->rate = rounded(c->rate);
    double own = fall(t, rows, rate, steps);
    double other = c->rate > 0 ? fall(t, rows, c->rate, steps) : 0;
    double ratio = c->rate > 0 ? rate / c->rate : 1;
    bool apart = ratio > APART || ratio < 1 / APART;
    if (!(own > 0) && !(other > 0))
        dl_checkup_add(c, "rate", DL_CHECK_FAILS,
                       "the loss does not fall within %d iterations, at %g as at any other rate",
                       steps, rate);
    else if (apart && !(own >= (ratio > 1 ? LITTLE : SLOW) * other))
        dl_checkup_add(c, "rate", DL_CHECK_FAILS,
                       "learning_rate %g is too %s: within %d iterations the loss %s by %.3g, and "
                       "falls by %.3g at %g",
                       rate, ratio > 1 ? "high" : "low", steps, own < 0 ? "rises" : "falls",
                       fabs(own), other, c->rate);
    else
        dl_checkup_add(c, "rate", own > 0 ? DL_CHECK_OK : DL_CHECK_FAILS,
                       "the loss %s by %.3g within %d iterations at %g (a range test suggests %g)",
                       own > 0 ? "falls" : "rises", fabs(own), steps, rate, c->rate);
    return take_time(c, t, train, error);
}

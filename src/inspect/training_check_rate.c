/* SPDX-License-Identifier: MIT */
/* Compares the learning rate with others in short trainings. Early in training larger steps are
   better: a rate that is beaten by a tenth of it from the start is too high. And as long as steps
   are small, twice as many steps of half the length end at the same weights: a training whose rate
   times steps is less than that of a few steps at a good rate is too slow. The loss is computed on
   the same rows before and after. */
#include <math.h>
#include <stdio.h>

#include "inspect/training_check.h"

enum { ITERATIONS = 100, FEWEST = 20, JUDGED = 256 };

/* The mean loss of as many rows as there is time for. */
static double loss_now(dl_trial *t, const dl_trial_rows *r) {
    int64_t most = dl_trial_steps(t, 1, JUDGED, 0.2), count = 0;
    double sum = 0;
    while (count < r->count && (!count || count < most)) {
        dl_batch batch = dl_trial_batch(r, t->e, count, r->count);
        sum += dl_trial_loss(t, &batch, false) * (double)batch.count;
        count += batch.count;
    }
    return sum / (double)count;
}

/* The decrease of the loss from `first` with a fixed rate. */
static double fall(dl_trial *t, const dl_trial_rows *r, double first, double rate, int steps) {
    int64_t at = 0;
    dl_trial_begin(t, false);
    for (int s = 0; s < steps; s++) {
        dl_batch batch = dl_trial_batch(r, t->e, at, r->count);
        if (!isfinite(dl_trial_step(t, &batch, rate)))
            return -INFINITY;
        at = at + batch.count < r->count ? at + batch.count : 0;
    }
    double last = loss_now(t, r);
    return isfinite(last) ? first - last : -INFINITY;
}

/* In at most DL_RATE_POINTS steps the rate grows by the same factor from step to step, until the
 * loss is far above its best. */
static void range_test(dl_checkup *c, dl_trial *t, const dl_trial_rows *r, int steps) {
    static const double FROM = 1e-6, TO = 10, KEEP = 0.8;
    double smooth = 0, weight = 0, best = INFINITY, first = 0;
    int64_t at = 0;
    int best_at = 0;
    dl_trial_begin(t, false);
    for (c->points = 0; c->points < steps; c->points++) {
        double rate = FROM * pow(TO / FROM, (double)c->points / (steps - 1));
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

/* 0.0137 as 0.01: more digits are not significant. */
static double rounded(double rate) {
    double unit = rate > 0 ? pow(10, floor(log10(rate))) : 1;
    return round(rate / unit) * unit;
}

int dl_checkup_find_rate(dl_checkup *c, dl_experiment *e, dl_error *error) {
    dl_trial t;
    dl_trial_rows rows = {0};
    if (e->optimizer->full_batch)
        return dl_fail(error, DL_USAGE, "%s has no learning rate to find", e->optimizer->kind.name);
    int result = dl_trial_open(&t, e, error);
    if (!result)
        result = dl_trial_rows_read(&rows, e, DL_TRAIN, ITERATIONS * e->model.batch_size, error);
    if (!result)
        range_test(c, &t, &rows, DL_RATE_POINTS);
    c->rate = rounded(c->rate);
    dl_trial_rows_free(&rows);
    dl_trial_close(&t);
    return result;
}

/* Seconds per training iteration, and the part of them spent waiting for data. */
static int take_time(dl_checkup *c, dl_trial *t, dl_loader *train, dl_error *error) {
    enum { MOST = 20 };
    static const double SLOW = 0.5;
    dl_experiment *e = t->e;
    int before = error->count, steps = 0, most = dl_trial_steps(t, e->model.batch_size, MOST, 3);
    const dl_optimizer_common *common = t->given->optimizer_self;
    char one[32], all[32];
    dl_trial_begin(t, false);
    dl_loader_start(train, dl_model_order(&e->model, true), (uint64_t)e->model.seed, 0, 0);
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
    double step = seconds / steps;
    double whole = step * (double)dl_loader_steps(train) * (double)e->settings.epochs;
    const char *advice = data > 0.5 * seconds && step > 0.005 ? " (data.workers would help)"
                         : step > SLOW
                             ? "; above 0.5 s experiments become slow: use more threads, a "
                               "smaller network, smaller inputs or a smaller batch"
                             : "";
    dl_checkup_add(
        c, "time", step > SLOW ? DL_CHECK_WARNS : DL_CHECK_OK,
        "%s per iteration, %.0f %% of it waiting for data; about %s for the %lld epochs%s",
        dl_text_seconds(one, step), 100 * data / seconds, dl_text_seconds(all, whole),
        (long long)e->settings.epochs, advice);
    return 0;
}

/* Rates, and the decrease of the loss with them. */
typedef struct {
    double rate, fall;
} tried;
enum { OWN, TENTH, TENFOLD, FOUND, TRIED };

static void add_fall(dl_text *text, const tried *one, const char *where) {
    if (!isfinite(one->fall))
        dl_text_add(text, ", not at all at %s (it diverges)", where);
    else
        dl_text_add(text, ", by %.3g at %s", one->fall, where);
}

static void say_rate(dl_checkup *c, const tried *all, int steps) {
    dl_text others = {0};
    char found[64];
    add_fall(&others, &all[TENTH], "a tenth");
    add_fall(&others, &all[TENFOLD], "ten times");
    snprintf(found, sizeof found, "the %g of a range test", all[FOUND].rate);
    if (all[FOUND].rate > 0)
        add_fall(&others, &all[FOUND], found);
    dl_checkup_add(c, "rate", DL_CHECK_OK, "within %d iterations the loss falls by %.3g at %g%s",
                   steps, all[OWN].fall, all[OWN].rate, dl_text_get(&others));
    dl_text_free(&others);
}

static void judge_rate(dl_checkup *c, const tried *all, double first, int steps, double all_steps) {
    static const double PART = 0.8, LITTLE = 0.02, SLOW = 0.2, APART = 5, HALF = 0.5;
    const tried *own = &all[OWN], *lower = own, *best = own;
    for (int i = 1; i < TRIED; i++) {
        bool is_lower = all[i].rate > 0 && all[i].rate < own->rate / 3;
        lower = is_lower && all[i].fall > lower->fall ? &all[i] : lower;
        best = all[i].rate > 0 && all[i].fall > best->fall ? &all[i] : best;
    }
    double gain = lower->fall - own->fall; /* also where both leave little of the loss */
    bool halved = gain > LITTLE * first && gain > HALF * (first - own->fall);
    bool high = lower != own && (own->fall < PART * lower->fall || halved);
    bool slow = best->rate > APART * own->rate && own->fall < SLOW * best->fall;
    bool short_way = own->rate * all_steps < best->rate * steps / APART;
    bool low = slow || (short_way && own->fall < HALF * best->fall);
    high = high || (!(own->fall > 0) && best->rate < own->rate);
    low = low || (!(own->fall > 0) && best->rate > own->rate);
    if (!(best->fall > 0))
        dl_checkup_add(c, "rate", DL_CHECK_FAILS,
                       "the loss does not fall within %d iterations, at %g as at any other rate: "
                       "look at what else fails",
                       steps, own->rate);
    else if (high || low) {
        const tried *other = high && lower != own ? lower : best;
        dl_text own_way = {0};
        if (isfinite(own->fall))
            dl_text_add(&own_way, "the loss %s by %.3g", own->fall < 0 ? "rises" : "falls",
                        fabs(own->fall));
        else
            dl_text_add(&own_way, "the training diverges");
        dl_checkup_add(c, "rate", DL_CHECK_FAILS,
                       "learning_rate %g is too %s: within %d iterations %s, while the loss falls "
                       "by %.3g at %.1g, which is worth trying",
                       own->rate, high ? "high" : "low", steps, dl_text_get(&own_way), other->fall,
                       other->rate);
        dl_text_free(&own_way);
    } else
        say_rate(c, all, steps);
}

int dl_checkup_rate(dl_checkup *c, dl_trial *t, dl_loader *train, const dl_trial_rows *rows,
                    dl_error *error) {
    dl_experiment *e = t->e;
    const dl_optimizer_common *common = t->given->optimizer_self;
    double rate = common->learning_rate;
    if (t->given->optimizer->full_batch) {
        dl_checkup_add(c, "rate", DL_CHECK_SKIPPED, "%s has no learning rate",
                       t->given->optimizer->kind.name);
        return 0;
    }
    int64_t batch = e->model.batch_size < rows->count ? e->model.batch_size : rows->count;
    int steps = dl_trial_steps(t, batch, ITERATIONS, 1.5);
    if (steps < FEWEST) {
        dl_checkup_too_large(c, "rate", steps, batch);
        return take_time(c, t, train, error);
    }
    range_test(c, t, rows, steps);
    c->rate = rounded(c->rate);
    tried all[TRIED] = {{rate, 0}, {rate / 10, 0}, {rate * 10, 0}, {c->rate, 0}};
    dl_trial_begin(t, false);
    double first = loss_now(t, rows);
    for (int i = 0; i < TRIED; i++)
        all[i].fall = all[i].rate > 0 ? fall(t, rows, first, all[i].rate, steps) : -INFINITY;
    judge_rate(c, all, first, steps, (double)dl_loader_steps(train) * (double)e->settings.epochs);
    return take_time(c, t, train, error);
}

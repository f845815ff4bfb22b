/* SPDX-License-Identifier: MIT */
/* Classifies learning curves into the six textbook kinds. L is the training loss and V the
   validation loss of epochs 0 ... n - 1. The yardsticks are the loss at initialization, the loss at
   chance level (of a net that ignores its inputs; S is that, or the former if it is unknown), and
   the noise of the curve itself, a robust standard deviation by its second differences:

       noise = median |x(i-1) - 2 x(i) + x(i+1)| / (0.6745 sqrt 6),  last half of the epochs.

   "Level" is the mean of the last fifth. Where two causes give the same curve, the answer is
   "cannot_tell", with advice on how to decide. tests/histories/README.md has the confusion
   matrices. */
#include "inspect/diagnose.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FEWEST_EPOCHS = 5 };

/* Thresholds, each with its reason. */
static const double
    /* A straight line: its halves fall by amounts whose ratio is below this (an exponential fall
       to half the loss has 1.4), and it ends above this fraction of its start. */
    LINE_RATIO = 2.2,
    LINE_END = 0.5,
    /* A fall is significant at this many standard errors. */
    SIGMAS = 4,
    /* The first epoch's mean loss is not above the initial loss, unless steps make it worse. */
    THROWN = 1.5,
    /* Fractions of S: a loss below NEAR_ZERO is nearly zero; one above HIGH is a high level;
       one above CHANCE has not left chance level. */
    NEAR_ZERO = 0.02, HIGH = 0.3, CHANCE = 0.95,
    /* Noise of both curves above which the rate is too high: as a fraction of S, and of a level
       that is not near zero. With a good rate it stays below the third one. */
    WILD = 0.04, NOISY = 0.1, CALM = 0.02,
    /* A significant change of the level, as a fraction of it. */
    MATTERS = 0.1, STILL = 0.03, SLOWLY = 0.01,
    /* Of S, in the last fifth of the epochs: a smaller fall does not justify more epochs. */
    TOO_LITTLE = 0.01,
    /* A significant gap V - L, as a fraction of S, and rise of V, as a fraction of its minimum. */
    GAP = 0.1, RISE = 0.05,
    /* Validation is easier: V is below EASIER L at MOSTLY of the later epochs. */
    EASIER = 0.9, MOSTLY = 0.6,
    /* A fall is fast if less than this fraction remains after a tenth of the epochs. */
    FAST = 0.1;

/* ---- a curve ---- */

typedef struct {
    const double *x;
    int64_t n, window; /* epochs of the level */
    double level, noise;
    double least;     /* least mean of a window */
    int64_t least_at; /* the middle of that window */
} curve;

static double mean(const double *x, int64_t from, int64_t to) {
    double sum = 0;
    for (int64_t i = from; i < to; i++)
        sum += x[i];
    return sum / (double)(to - from);
}

static int by_size(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static double noise_of(const double *x, int64_t n) {
    int64_t from = n / 2 > 0 && n - n / 2 >= 5 ? n / 2 : n > 5 ? n - 5 : 0, count = n - from - 2;
    double *bend = xmalloc(sizeof *bend * (size_t)count);
    for (int64_t i = 0; i < count; i++)
        bend[i] = fabs(x[from + i] - 2 * x[from + i + 1] + x[from + i + 2]);
    qsort(bend, (size_t)count, sizeof *bend, by_size);
    double median = (bend[(count - 1) / 2] + bend[count / 2]) / 2;
    free(bend);
    return median / (0.6745 * sqrt(6));
}

static curve measure(const double *x, int64_t n) {
    curve c = {.x = x, .n = n, .window = n / 5 > 2 ? n / 5 : 2};
    c.level = mean(x, n - c.window, n);
    c.noise = noise_of(x, n);
    c.least = INFINITY;
    for (int64_t i = 0; i + c.window <= n; i++) {
        double here = mean(x, i, i + c.window);
        if (here < c.least) {
            c.least = here;
            c.least_at = i + c.window / 2;
        }
    }
    return c;
}

/* The fall from the window before the last one to the last one. */
static double last_fall(const curve *c) {
    return mean(c->x, c->n - 2 * c->window, c->n - c->window) - c->level;
}

/* The standard error of a difference between two windows. */
static double error_of(const curve *c, int64_t window) {
    return c->noise * sqrt(2 / (double)window);
}

static double rises(const curve *c, int64_t from) {
    int64_t count = 0;
    for (int64_t i = from + 1; i < c->n; i++)
        count += !(c->x[i] < c->x[i - 1]);
    return (double)count / (double)(c->n - from - 1);
}

/* Slow, nearly linear, and not finished. */
static bool is_line(const curve *c) {
    int64_t k = c->n / 10 > 1 ? c->n / 10 : 1, middle = (c->n - k) / 2;
    double first = mean(c->x, 0, k), half = mean(c->x, middle, middle + k);
    double last = mean(c->x, c->n - k, c->n), before = first - half, after = half - last;
    return before > 0 && after > SIGMAS * error_of(c, k) && before < LINE_RATIO * after &&
           after < LINE_RATIO * LINE_RATIO * before && last > LINE_END * first &&
           rises(c, 0) < 0.25;
}

/* By how much the level is above the least mean of as many epochs, if that is long enough ago and
   more than noise; else 0. */
static double risen(const curve *c) {
    double by = c->level - c->least;
    bool ago = c->n - 1 - c->least_at > c->window;
    return ago && by > SIGMAS * error_of(c, c->window) ? by : 0;
}

/* ---- a run ---- */

typedef struct {
    const dl_symptoms *run;
    curve train, val; /* val.n 0: none */
    double scale;     /* S */
    double start;     /* the loss before the first step, or else of the first epoch */
    bool fallen;      /* the training loss is near its end: the last fifth changes little */
    dl_diagnosis *list;
    int *count;
} verdict;

static double larger(double a, double b) {
    return a > b || isnan(b) ? a : b;
}

static void DL_PRINTF(4, 5)
    add(verdict *v, const char *kind, const char *advice, const char *format, ...) {
    dl_diagnosis *one = &v->list[(*v->count)++];
    va_list arguments;
    va_start(arguments, format);
    one->kind = kind;
    snprintf(one->advice, sizeof one->advice, "%s", advice);
    vsnprintf(one->text, sizeof one->text, format, arguments);
    va_end(arguments);
}

static bool judge_low(verdict *v) {
    /* Dropout and augmentation make only the training loss noisy. */
    const curve *c = is_line(&v->train) ? &v->train : &v->val;
    if (c == &v->val && !(c->n && is_line(c)))
        return false;
    if (v->val.n && last_fall(&v->val) <= 0) /* in slow training both curves fall */
        return false;
    double rise = v->train.level - v->train.x[0];
    if (v->train.x[0] > THROWN * v->start || rise > SIGMAS * v->train.noise)
        return false;
    add(v, "rate_too_low",
        "try a learning_rate 10 times higher (dlinspect rate suggests one), or many more epochs",
        "the %s loss falls slowly, nearly in a straight line, and is still falling: from %.4g to "
        "%.4g",
        c == &v->train ? "training" : "validation", c->x[0], c->level);
    return true;
}

/* The noise that both curves have: small validation parts and dropout make one of them noisy. */
static double common_noise(const verdict *v) {
    const curve *l = &v->train, *val = &v->val;
    return val->n && val->noise < l->noise ? val->noise : l->noise;
}

static double relative_noise(const verdict *v) {
    const curve *l = &v->train, *val = &v->val;
    double train = l->noise / l->level, held = val->n ? val->noise / val->level : train;
    return train < held ? train : held;
}

static const char *const lower_rate =
    "try a learning_rate 3 to 10 times lower (dlinspect rate suggests one)";
static const char *const decide =
    "dlinspect check looks for the cause; dlinspect diagnose RUN --prove tries other rates";

static bool judge_high(verdict *v) {
    const curve *l = &v->train;
    double worst = larger(v->scale, v->start), up = risen(l);
    if (l->x[0] > THROWN * worst && l->level > MATTERS * v->scale)
        add(v, "rate_too_high",
            "try a learning_rate 10 to 100 times lower (dlinspect rate suggests one), and "
            "normalized inputs and targets",
            "the first steps have made the loss worse: %.4g before training, %.4g in the first "
            "epoch; it ends at %.4g",
            v->start, l->x[0], l->level);
    else if (up > MATTERS * l->least && up > NEAR_ZERO * v->scale)
        add(v, "rate_too_high", lower_rate,
            "the training loss rises: its mean was %.4g around epoch %.0f and is %.4g in the last "
            "%lld epochs",
            l->least, v->run->epoch[l->least_at], l->level, (long long)l->window);
    else if (common_noise(v) > WILD * v->scale ||
             (relative_noise(v) > NOISY && l->level > MATTERS * v->scale))
        add(v, "rate_too_high", lower_rate,
            "the losses oscillate: from one epoch to the next train_loss changes by about %.2g, "
            "and is at %.4g",
            1.4 * l->noise, l->level);
    else
        return false;
    return true;
}

static bool judge_imbalance(verdict *v) {
    const dl_symptoms *h = v->run;
    if (!h->accuracy || !(h->baseline > 0.25 && h->baseline < 0.995))
        return false;
    for (int64_t i = h->rows - h->rows / 3; i < h->rows; i++)
        if (!(fabs(h->accuracy[i] - h->baseline) < 0.01))
            return false;
    add(v, "imbalance",
        "try data.balance = \"weights\" or \"oversample\", and watch f1 instead of accuracy; if "
        "that changes nothing, dlinspect check looks for another cause",
        "val_accuracy %.4g is the share of the largest class: the network always gives the same "
        "answer",
        h->accuracy[h->rows - 1]);
    return true;
}

/* Validation has risen while training fell, or a gap has grown and stays. */
static bool judge_overfit(verdict *v) {
    static const char *const advice =
        "in this order: a smaller network, more regularization (regularization.l2), more data or "
        "augmentation, dropout; or stop at the best epoch (regularization.early_stopping)";
    const curve *l = &v->train, *val = &v->val;
    if (!val->n)
        return false;
    int64_t best = val->least_at - val->window / 2, middle = (l->n - l->window) / 2;
    double up = risen(val), gap = val->level - l->level;
    double gap_before =
        mean(val->x, middle, middle + l->window) - mean(l->x, middle, middle + l->window);
    bool rises = up > RISE * val->least && up > RISE * GAP * v->scale;
    bool memorized = l->level < MATTERS * val->level;
    if (rises && l->level < mean(l->x, best, best + val->window))
        add(v, "overfit", advice,
            "overfit since about epoch %.0f: val_loss was %.4g there and is %.4g, while "
            "train_loss falls on to %.4g",
            v->run->epoch[val->least_at], val->least, val->level, l->level);
    else if (rises)
        add(v, "cannot_tell", decide,
            "val_loss has risen since epoch %.0f (from %.4g to %.4g), but train_loss has not "
            "fallen: cannot tell whether the network overfits or the learning rate is too high",
            v->run->epoch[val->least_at], val->least, val->level);
    else if (gap > (memorized ? GAP / 2 : GAP) * v->scale && gap > MATTERS * l->level &&
             gap > 0.9 * gap_before && last_fall(val) < MATTERS * gap)
        add(v, "overfit", advice,
            "overfit: val_loss (%.4g) hardly falls any more and stays far above train_loss (%.4g)",
            val->level, l->level);
    else
        return false;
    return true;
}

/* At a high level, a slow fall counts as well. */
static bool judge_learning(verdict *v) {
    const curve *l = &v->train, *c = v->val.n ? &v->val : l;
    double fall = last_fall(c), share = STILL;
    if (l->level > HIGH * v->scale && last_fall(l) > 0)
        share = SLOWLY;
    else if (fall < TOO_LITTLE * v->scale)
        return false;
    if (!(fall > share * c->level && fall > SIGMAS / 2 * error_of(c, c->window)))
        return false;
    add(v, "still_learning",
        "train for more epochs (--resume RUN --epochs N), or try a higher learning_rate",
        "still learning at the end: %s falls (%.4g)", v->val.n ? "val_loss" : "train_loss",
        c->level);
    return true;
}

static bool is_fast(const verdict *v) {
    const curve *l = &v->train;
    int64_t k = l->n / 10 > 2 ? l->n / 10 : 2;
    return mean(l->x, k - 1, k + 1) - l->level < FAST * (v->start - l->level);
}

/* A network that is too small and steps that are too long give the same curve. */
static bool judge_plateau(verdict *v) {
    const curve *l = &v->train, *val = &v->val;
    if (!(l->level > HIGH * v->scale) || (*v->count && val->level < HIGH * v->scale))
        return false; /* an easier validation part shows what the net can do */
    double noise = larger(l->noise / l->level, val->n ? val->noise / val->level : 0);
    if (l->level > CHANCE * v->scale)
        add(v, "cannot_tell", decide,
            "nothing was learned: the loss stays at chance level (%.4g); cannot tell whether the "
            "learning rate is far too high or low, units are dead, or the inputs do not determine "
            "the targets",
            l->level);
    else if (relative_noise(v) > NOISY / 2)
        add(v, "rate_too_high", lower_rate,
            "the training loss fell fast and stays at a high level (%.4g), changing by %.0f %% "
            "from "
            "epoch to epoch",
            l->level, 140 * l->noise / l->level);
    else if (noise > CALM || is_fast(v))
        add(v, "cannot_tell", decide,
            "the training loss %s a high level (%.4g); cannot tell whether the learning rate is "
            "too high, the network too small, or the data inconsistent",
            is_fast(v) ? "fell fast and stays at" : "stays at", l->level);
    else
        add(v, "underfit",
            "try a larger network (more units or layers), or less regularization; if that changes "
            "nothing, look for missing inputs and inconsistent data (dlinspect data)",
            "underfit: the training loss levels off at a high level (%.4g)", l->level);
    return true;
}

static bool judge_easier(verdict *v) {
    const dl_symptoms *h = v->run;
    const curve *l = &v->train, *val = &v->val;
    int64_t half = l->n / 2, below = 0;
    for (int64_t i = half; val->n && i < l->n; i++)
        below += val->x[i] < EASIER * l->x[i];
    if (!val->n || val->level > EASIER * l->level || (double)below < MOSTLY * (double)(l->n - half))
        return false;
    const char *why =
        h->dropout && h->augment ? "dropout and augmentation make training harder: this is normal"
        : h->dropout             ? "dropout acts in training only: this is normal"
        : h->augment             ? "augmentation acts in training only: this is normal"
                     : "there is no dropout and no augmentation: look for rows that are in both "
                       "parts (dlinspect data), or for a validation part that is too small or "
                       "easier than the rest";
    add(v, "val_easier", why, "validation is easier than training: val_loss %.4g, train_loss %.4g",
        val->level, l->level);
    return true;
}

static void judge_converged(verdict *v) {
    const curve *l = &v->train, *val = &v->val;
    double fall = last_fall(l);
    if (val->n && (val->level - l->level > GAP * v->scale ||
                   (fall > STILL * l->level && fall > TOO_LITTLE * v->scale)))
        add(v, "cannot_tell", "train for more epochs, or compare with a smaller network",
            "train_loss (%.4g) is below val_loss (%.4g) or still falling, without a clear trend of "
            "val_loss: cannot tell whether the network overfits",
            l->level, val->level);
    else if (val->n)
        add(v, "converged",
            "to improve further: a larger network, more data, or a schedule that ends lower",
            "converged: the losses have leveled off close together (train_loss %.4g, val_loss "
            "%.4g)",
            l->level, val->level);
    else
        add(v, "converged",
            "only a validation part shows whether it overfits (data.validation = 0.2)",
            "converged: the training loss has leveled off at %.4g", l->level);
}

/* The first kind that applies is the answer; an easier validation part is added to some others,
   after a plateau of both. */
static void judge_curves(verdict *v) {
    bool found = judge_low(v) || judge_high(v) || judge_imbalance(v) || judge_overfit(v);
    bool easier = judge_easier(v);
    if (found || judge_learning(v))
        return;
    if (judge_plateau(v) && easier) {
        dl_diagnosis first = v->list[0];
        v->list[0] = v->list[1];
        v->list[1] = first;
    } else if (!*v->count)
        judge_converged(v);
}

int dl_diagnose(const dl_symptoms *h, dl_diagnosis list[DL_DIAGNOSES]) {
    int count = 0;
    verdict v = {.run = h, .list = list, .count = &count};
    if (h->diverged)
        add(&v, "diverged",
            "try a learning_rate 10 times lower, clip_norm = 1.0, and normalized inputs; dlinspect "
            "check looks for the cause",
            "%s", h->diverged);
    else if (h->rows < FEWEST_EPOCHS)
        add(&v, "too_short", "train for more epochs", "%lld epochs are too few to diagnose",
            (long long)h->rows);
    if (count)
        return count;
    v.train = measure(h->train, h->rows);
    if (h->val)
        v.val = measure(h->val, h->rows);
    double sum = mean(h->train, 0, h->rows) + (h->val ? mean(h->val, 0, h->rows) : 0);
    if (!isfinite(sum) || v.train.least < 0 || (h->val && v.val.least < 0)) {
        add(&v, "cannot_tell", "look at history.csv",
            "cannot tell from losses that are not finite, or negative");
        return count;
    }
    v.start = isfinite(h->initial) ? h->initial : h->train[0];
    v.scale = h->expected > 0 ? h->expected : v.start;
    judge_curves(&v);
    return count;
}

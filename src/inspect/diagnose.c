/* SPDX-License-Identifier: MIT */
/* The rules. L is the training loss, V that of validation, both by epoch, 0 … n - 1; a "fall" is a
   difference from an earlier epoch to a later one. The scale S is the loss of a net that knows
   nothing, or L(0) where that is less or nothing else is known. A loss "has risen" if the mean of
   its last fifth is above the least mean of three epochs, more than 3 epochs and a tenth of all
   before the end, by more than 10 %, 1 % of S (V: 0.1 %) and what changes from epoch to epoch.

   diverged        the log says so, with step and layer
   imbalance       for the last third of the epochs val_accuracy is within 1 % of the share of
                   the largest class, which is more than a quarter and not all of them
   rate_too_low    L is a straight line (the squared correlation with the epoch is above 0.98,
                   the fall of its halves differs by less than 2) that ends above 0.7 of its
                   beginning
   rate_too_high   L(0) is above 2 S, and the end above S / 10; or L turns at more than a third
                   of the last half's epochs, by more than 10 % of itself and 1 % of S, and V
                   does too; or L has risen; or it ends above 0.4 S, having not fallen by 5 %
                   since the second fifth, and at more than a third of the last half's epochs
                   not at all
   overfit         V has risen, and L has fallen since; or V, as the mean of three epochs, has
                   been within 5 % of its least value for the last half, in which L has fallen
                   to less than half, and below a tenth of V
   still_learning  in the last third of the epochs (of V, or of L where there is no V) a line
                   through them falls by more than 3 % in a fifth of all epochs, and the best
                   epoch is in the last third, and more than 2 % of S are left
   val_easier      V is below 90 % of L for most of the last half
   converged       none of these

   One of rate_too_low, rate_too_high, overfit and still_learning is told, the first that holds:
   they say different things of the same curve. */
#include "inspect/diagnose.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEW = 5 }; /* epochs that tell nothing */

static double mean(const double *x, int64_t from, int64_t to) {
    double sum = 0;
    for (int64_t i = from; i < to; i++)
        sum += x[i];
    return sum / (double)(to - from);
}

static int64_t least_at(const double *x, int64_t n) {
    int64_t least = 0;
    for (int64_t i = 1; i < n; i++)
        if (x[i] < x[least])
            least = i;
    return least;
}

static dl_diagnosis *add(dl_diagnosis *d, int *count, const char *kind, const char *advice) {
    dl_diagnosis *one = &d[(*count)++];
    one->kind = kind;
    snprintf(one->advice, sizeof one->advice, "%s", advice);
    return one;
}

/* ---- one curve each ---- */

static bool is_majority(const dl_symptoms *h) {
    int64_t last = h->rows / 3;
    if (!h->accuracy || !(h->baseline > 0.25 && h->baseline < 0.995))
        return false;
    for (int64_t i = h->rows - last; i < h->rows; i++)
        if (!(fabs(h->accuracy[i] - h->baseline) < 0.01))
            return false;
    return true;
}

/* The loss of a net that knows nothing. */
static double scale_of(const dl_symptoms *h) {
    return h->expected > 0 && h->expected < h->train[0] ? h->expected : h->train[0];
}

static double largest(double a, double b) {
    return a > b ? a : b;
}

/* The share of the last half's epochs at which the loss turns. */
static double turns(const double *x, int64_t n, double scale) {
    int64_t count = 0, half = n / 2;
    for (int64_t i = half + 1; i + 1 < n; i++) {
        double before = x[i] - x[i - 1], after = x[i + 1] - x[i];
        double much = largest(0.1 * x[i], 0.01 * scale);
        count += before * after < 0 && fabs(before) > much && fabs(after) > much;
    }
    return n - half > 2 ? (double)count / (double)(n - half - 2) : 0;
}

/* The same of L and of V, which has no dropout and no augmentation: where the rate is the reason
   both turn. */
static double turns_of_both(const dl_symptoms *h, double scale) {
    double train = turns(h->train, h->rows, scale);
    double val = h->val ? turns(h->val, h->rows, scale) : train;
    return train < val ? train : val;
}

/* The share of the last half's epochs at which the loss does not fall. */
static double rises(const double *x, int64_t n) {
    int64_t count = 0, half = n / 2;
    for (int64_t i = half + 1; i < n; i++)
        count += !(x[i] < x[i - 1]);
    return (double)count / (double)(n - half - 1);
}

/* A loss that falls steadily, if only a little, has come to the end of what can be learnt. */
static bool is_plateau(const double *x, int64_t n, double scale) {
    int64_t fifth = n / 5 > 1 ? n / 5 : 1;
    double end = mean(x, n - fifth, n);
    return end > 0.4 * scale && end > 0.95 * mean(x, fifth, 2 * fifth) && rises(x, n) > 1.0 / 3;
}

/* Whether the first steps have led far away, and the others not back. */
static bool is_thrown(const double *x, int64_t n, double scale) {
    return x[0] > 2 * scale && x[n - 1] > 0.1 * scale;
}

static bool is_line(const double *x, int64_t n) {
    double sx = 0, st = 0, sxx = 0, stt = 0, sxt = 0, count = (double)n;
    for (int64_t i = 0; i < n; i++) {
        double t = (double)i;
        sx += x[i];
        st += t;
        sxx += x[i] * x[i];
        stt += t * t;
        sxt += x[i] * t;
    }
    double product = count * sxt - sx * st;
    double squared = product * product / ((count * sxx - sx * sx) * (count * stt - st * st));
    double first = x[0] - x[n / 2], second = x[n / 2] - x[n - 1];
    return squared > 0.98 && first > 0 && second > 0 && first < 2 * second && second < 2 * first &&
           x[n - 1] > 0.7 * x[0];
}

/* The mean of an epoch and its neighbours. */
static double around(const double *x, int64_t n, int64_t i) {
    return mean(x, i > 0 ? i - 1 : 0, i + 2 < n ? i + 2 : n);
}

/* The epoch with the least mean of three. */
static int64_t best_of(const double *x, int64_t n) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (around(x, n, i) < around(x, n, best))
            best = i;
    return best;
}

/* The epoch since which a loss has risen by what matters, or -1. */
static int64_t risen_since(const double *x, int64_t n, double matters) {
    int64_t best = best_of(x, n), fifth = n / 5 > 3 ? n / 5 : 3;
    bool long_ago = n - 1 - best >= 3 && n - 1 - best >= n / 10;
    double least = around(x, n, best), rise = mean(x, n - fifth, n) - least, change = 0;
    for (int64_t i = n / 2 + 1; i < n; i++)
        change += fabs(x[i] - x[i - 1]) / (double)(n - n / 2 - 1);
    return long_ago && rise > largest(0.1 * least, largest(matters, change)) ? best : -1;
}

/* The epoch from which on validation is worse, or -1. */
static int64_t overfits_from(const dl_symptoms *h) {
    int64_t best = h->val ? risen_since(h->val, h->rows, 0.001 * scale_of(h)) : -1;
    return best >= 0 && h->train[h->rows - 1] < h->train[best] ? best : -1;
}

/* The epoch since which validation is no better, while the training part is learnt by heart; -1. */
static int64_t stagnates_from(const dl_symptoms *h) {
    enum { FEWEST = 10 };
    int64_t n = h->rows, from = 0;
    if (!h->val || n < FEWEST)
        return -1;
    double least = around(h->val, n, best_of(h->val, n));
    while (around(h->val, n, from) > 1.05 * least)
        from++;
    bool heart = h->train[n - 1] < 0.5 * h->train[from] && 10 * h->train[n - 1] < h->val[n - 1];
    return from <= n / 2 && heart ? from : -1;
}

/* By how much a line through x[from, n) falls from one to the next. */
static double slope(const double *x, int64_t from, int64_t n) {
    double middle = mean(x, from, n), at = (double)(from + n - 1) / 2, xt = 0, tt = 0;
    for (int64_t i = from; i < n; i++) {
        xt += ((double)i - at) * (x[i] - middle);
        tt += ((double)i - at) * ((double)i - at);
    }
    return -xt / tt;
}

static bool still_falls(const dl_symptoms *h) {
    const double *x = h->val ? h->val : h->train;
    int64_t n = h->rows, third = n / 3 > 4 ? n / 3 : 4;
    double level = mean(x, n - third, n), fifth = (double)n / 5 > 1 ? (double)n / 5 : 1;
    return least_at(x, n) >= n - third && slope(x, n - third, n) * fifth > 0.03 * level &&
           level > 0.02 * scale_of(h);
}

static bool is_easier(const dl_symptoms *h) {
    int64_t n = h->rows, half = n / 2, below = 0;
    for (int64_t i = half; h->val && i < n; i++)
        below += h->val[i] < 0.9 * h->train[i];
    return h->val && 2 * below > n - half;
}

/* ---- all of them ---- */

static void judge_rate_high(const dl_symptoms *h, dl_diagnosis *d, int *count) {
    const double *x = h->train, scale = scale_of(h), share = turns_of_both(h, scale);
    bool thrown = is_thrown(x, h->rows, scale);
    int64_t risen = risen_since(x, h->rows, 0.01 * scale);
    dl_diagnosis *one =
        add(d, count, "rate_too_high",
            thrown ? "try a learning_rate 10 to 100 times smaller (dltrain --find-lr names one), "
                     "and normalized inputs and targets"
                   : "try a learning_rate 3 to 10 times smaller (dltrain --find-lr names one); if "
                     "that changes nothing, a larger network");
    if (thrown)
        snprintf(one->text, sizeof one->text,
                 "the training loss of the first epoch, %.4g, is far above the %.4g of a net that "
                 "knows nothing: the first steps have led it away, and it is not back (%.4g)",
                 x[0], scale, x[h->rows - 1]);
    else if (share > 1.0 / 3)
        snprintf(one->text, sizeof one->text,
                 "the training loss goes up and down in %.0f %% of the later epochs", 100 * share);
    else if (risen >= 0)
        snprintf(one->text, sizeof one->text,
                 "the training loss has risen: it was %.4g in epoch %.0f and is %.4g", x[risen],
                 h->epoch[risen], x[h->rows - 1]);
    else
        snprintf(one->text, sizeof one->text,
                 "the training loss stays at %.4g, where the first epochs have brought it",
                 x[h->rows - 1]);
}

static void judge_overfit(const dl_symptoms *h, dl_diagnosis *d, int *count) {
    int64_t n = h->rows, worse = overfits_from(h), same = stagnates_from(h);
    dl_diagnosis *one = add(d, count, "overfit",
                            "stop there (regularization.early_stopping), or try dropout, l2, "
                            "augmentation or more data; a smaller network last");
    if (worse >= 0) {
        int64_t best = least_at(h->val, n);
        snprintf(one->text, sizeof one->text,
                 "overfit since epoch %.0f: val_loss was %.4g there and is %.4g, while train_loss "
                 "falls",
                 h->epoch[best], h->val[best], h->val[n - 1]);
    } else
        snprintf(one->text, sizeof one->text,
                 "overfit since about epoch %.0f: val_loss has hardly changed since (%.4g), while "
                 "train_loss falls from %.4g to %.4g",
                 h->epoch[same], h->val[n - 1], h->train[same], h->train[n - 1]);
}

static void judge_shape(const dl_symptoms *h, dl_diagnosis *d, int *count) {
    const double *x = h->train, scale = scale_of(h);
    int64_t n = h->rows;
    if (is_line(x, n))
        snprintf(add(d, count, "rate_too_low",
                     "try a learning_rate 10 times larger (dltrain --find-lr names one)")
                     ->text,
                 sizeof d->text,
                 "the training loss falls in a straight line, from %.4g to only %.4g", x[0],
                 x[n - 1]);
    else if (is_thrown(x, n, scale) || turns_of_both(h, scale) > 1.0 / 3 ||
             risen_since(x, n, 0.01 * scale) >= 0 || is_plateau(x, n, scale))
        judge_rate_high(h, d, count);
    else if (overfits_from(h) >= 0 || stagnates_from(h) >= 0)
        judge_overfit(h, d, count);
    else if (still_falls(h))
        snprintf(add(d, count, "still_learning",
                     "go on: more epochs (--resume with --epochs), or a larger learning_rate or "
                     "network to be faster")
                     ->text,
                 sizeof d->text, "still learning at its end: %s falls (%.4g)",
                 h->val ? "val_loss" : "train_loss", h->val ? h->val[n - 1] : x[n - 1]);
}

static void judge_validation(const dl_symptoms *h, dl_diagnosis *d, int *count) {
    const char *why =
        h->dropout && h->augment ? "dropout and augmentation make training harder: that is normal"
        : h->dropout             ? "dropout is at work in training only: that is normal"
        : h->augment
            ? "augmentation is at work in training only: that is normal"
            : "there is no dropout and no augmentation: look for rows that are in both parts "
              "(dltrain --check-data), or for a validation part that is too "
              "small or other than the rest";
    snprintf(add(d, count, "val_easier", why)->text, sizeof d->text,
             "validation is easier than training: val_loss %.4g, train_loss %.4g",
             h->val[h->rows - 1], h->train[h->rows - 1]);
}

int dl_diagnose(const dl_symptoms *h, dl_diagnosis d[DL_DIAGNOSES]) {
    int count = 0;
    if (h->diverged)
        snprintf(add(d, &count, "diverged",
                     "try a learning_rate 10 times smaller, clip_norm = 1.0, and normalized "
                     "inputs; dltrain --check looks for the cause")
                     ->text,
                 sizeof d->text, "%s", h->diverged);
    if (h->rows < FEW) {
        if (!count)
            snprintf(add(d, &count, "too_short", "train for more epochs")->text, sizeof d->text,
                     "%lld epochs are too few to tell", (long long)h->rows);
        return count;
    }
    if (is_majority(h))
        snprintf(add(d, &count, "imbalance",
                     "try data.balance = \"weights\" or \"oversample\", and watch f1 in place of "
                     "accuracy; if that changes nothing, it has learnt nothing: dltrain --check")
                     ->text,
                 sizeof d->text,
                 "val_accuracy %.4g is the share of the largest class: always the same answer",
                 h->accuracy[h->rows - 1]);
    if (!h->diverged)
        judge_shape(h, d, &count);
    if (is_easier(h))
        judge_validation(h, d, &count);
    if (!count && h->val)
        snprintf(add(d, &count, "converged",
                     "to be better: a larger network, more data, or a schedule that ends lower")
                     ->text,
                 sizeof d->text,
                 "the losses have settled, and validation has not clearly become worse");
    else if (!count)
        snprintf(add(d, &count, "converged",
                     "whether it overfits only a part for validation can tell (data.validation)")
                     ->text,
                 sizeof d->text, "the training loss has settled");
    return count;
}

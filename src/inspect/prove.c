/* SPDX-License-Identifier: MIT */
/* Tests whether the learning rate is the cause: trains some epochs from the same initial weights at
   the config's rate, a third of it and three times it, without a schedule. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "inspect/diagnose.h"

static const double FACTORS[DL_PROOF_RATES] = {1, 1.0 / 3, 3};

/* The mean training loss of an epoch; INFINITY: it diverged. */
static double run_epoch(dl_trial *t, dl_loader *train, double rate, uint32_t epoch,
                        dl_error *error) {
    const dl_model *m = &t->e->model;
    double sum = 0;
    int64_t rows = 0;
    dl_loader_start(train, dl_model_order(m, true), (uint64_t)m->seed, epoch, 0);
    for (const dl_batch *batch; (batch = dl_loader_next(train, error));) {
        double loss = dl_trial_step(t, batch, rate);
        if (!isfinite(loss))
            return INFINITY;
        sum += loss * (double)batch->count;
        rows += batch->count;
    }
    return rows ? sum / (double)rows : INFINITY;
}

int dl_prove_rate(dl_proof *proof, dl_experiment *e, dl_loader *train, dl_error *error) {
    dl_trial t;
    int before = error->count;
    if (e->optimizer->full_batch)
        return dl_fail(error, DL_USAGE, "%s has no learning rate to try", e->optimizer->kind.name);
    int result = dl_trial_open(&t, e, error);
    const dl_optimizer_common *common = e->optimizer_self;
    for (int i = 0; i < DL_PROOF_RATES && !result; i++) {
        double loss = INFINITY, last = INFINITY;
        proof->rate[i] = common->learning_rate * FACTORS[i];
        dl_trial_begin(&t, false);
        for (int64_t epoch = 0; epoch < proof->epochs && !result; epoch++) {
            last = loss;
            loss = run_epoch(&t, train, proof->rate[i], (uint32_t)epoch, error);
            result = error->count > before ? -1 : 0;
            if (!isfinite(loss))
                break;
            if (i == 1 && epoch == 0)
                proof->start = loss;
        }
        proof->loss[i] = isfinite(loss) && isfinite(last) ? (loss + last) / 2 : loss;
    }
    dl_trial_close(&t);
    return result;
}

/* Whether a loss is significantly lower. */
static bool is_better(double loss, double than, double scale) {
    static const double SHARE = 0.05, OF_SCALE = 0.03;
    if (!isfinite(than))
        return isfinite(loss);
    return loss < (1 - SHARE) * than && loss < than - OF_SCALE * scale;
}

/* As long as steps are small, the decrease is proportional to the rate. */
static bool falls_by_rate(const dl_proof *p) {
    static const double GROWS = 1.5;
    double own = p->start - p->loss[0], third = p->start - p->loss[1];
    return third > 0 && own > GROWS * third && p->start - p->loss[2] > GROWS * own;
}

int dl_diagnose_proved(const dl_symptoms *h, const dl_proof *p, dl_diagnosis list[DL_DIAGNOSES],
                       int count) {
    double scale = h->expected > 0 ? h->expected : h->initial;
    bool lower = is_better(p->loss[1], p->loss[0], scale);
    bool higher = is_better(p->loss[2], p->loss[0], scale) || falls_by_rate(p);
    if (lower && higher)
        *(p->loss[1] < p->loss[2] ? &higher : &lower) = false;
    dl_diagnosis all[DL_DIAGNOSES] = {{.kind = lower    ? "rate_too_high"
                                               : higher ? "rate_too_low"
                                                        : "rate_fits"}};
    snprintf(all[0].text, sizeof all[0].text,
             "tried for %lld epochs: train_loss %.4g at learning_rate %.3g, %.4g at %.3g, %.4g at "
             "%.3g",
             (long long)p->epochs, p->loss[0], p->rate[0], p->loss[1], p->rate[1], p->loss[2],
             p->rate[2]);
    snprintf(all[0].advice, sizeof all[0].advice,
             lower ? "the learning rate is too high: train with %.2g, or less"
             : higher
                 ? "the learning rate is too low: train with %.2g, or more"
                 : "neither a third nor three times the learning rate (%.2g) is clearly better",
             p->rate[lower    ? 1
                     : higher ? 2
                              : 0]);
    int kept = 1; /* replaces other diagnoses of the rate, and what it explains */
    for (int i = 0; i < count && kept < DL_DIAGNOSES; i++)
        if (strncmp(list[i].kind, "rate_", 5) != 0 &&
            !((lower || higher) && !strcmp(list[i].kind, "cannot_tell")))
            all[kept++] = list[i];
    memcpy(list, all, sizeof *list * (size_t)kept);
    return kept;
}

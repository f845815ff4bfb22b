/* SPDX-License-Identifier: MIT */
/* dlinspect check before a training: whether network, data and training fit each other, by short
   trainings of about half a minute in all. Andrej Karpathy, "A recipe for training neural
   networks", 2019. */
#ifndef DL_INSPECT_TRAINING_CHECK_H
#define DL_INSPECT_TRAINING_CHECK_H

#include "inspect/data_check.h"
#include "inspect/trial.h"

/* A warning is not ok, but no fault either. */
typedef enum { DL_CHECK_OK, DL_CHECK_FAILS, DL_CHECK_SKIPPED, DL_CHECK_WARNS } dl_verdict;
extern const char *const dl_verdict_names[]; /* "ok", "FAILS", "skipped", "WARNS" */

typedef struct {
    const char *check; /* a word for scripts: "initial_loss" */
    dl_verdict verdict;
    char *text; /* what was found, and what to do; owned */
} dl_checked;

/* A rate and the loss that a short training with growing rates had there. */
typedef struct {
    double rate, loss;
} dl_rate_point;
enum { DL_RATE_POINTS = 100 };

/* A run's rate beside a third and three times of it. */
enum { DL_PROOF_RATES = 3 };
typedef struct {
    int64_t epochs;              /* to be trained at each */
    double rate[DL_PROOF_RATES]; /* the config's, a third, three times */
    double loss[DL_PROOF_RATES]; /* mean training loss of the last two epochs; INFINITY: diverged */
    double start;                /* that of the first epoch at a third of the rate */
} dl_proof;

/* All zero is valid, empty. */
typedef struct {
    void (*on_checked)(const dl_checked *checked); /* called with each at once; may be NULL */
    dl_checked *list;
    int count, room;
    dl_rate_point curve[DL_RATE_POINTS]; /* of the range test */
    int points;
    double rate; /* that it suggests; 0: none */
} dl_checkup;

/* Of an experiment that is ready to begin. `train` is the training's own loader. The experiment is
   as before. 0, or -1 and an error of the data. */
int dl_checkup_run(dl_checkup *checkup, dl_experiment *experiment, dl_loader *train,
                   dl_error *error);
/* Only the range test: the rate grows from step to step, and the loss tells which ones are good.
   Smith, "Cyclical learning rates for training neural networks", WACV 2017. */
int dl_checkup_find_rate(dl_checkup *checkup, dl_experiment *experiment, dl_error *error);
/* Trains proof->epochs at each of the rates. */
int dl_prove_rate(dl_proof *proof, dl_experiment *experiment, dl_loader *train, dl_error *error);
bool dl_checkup_fails(const dl_checkup *checkup);
void dl_checkup_free(dl_checkup *checkup);

/* ---- for the files of the checks ---- */

void dl_checkup_add(dl_checkup *checkup, const char *check, dl_verdict verdict, const char *format,
                    ...) DL_PRINTF(4, 5);
/* It is skipped: of a net so large there is time for so few steps of so many rows. */
void dl_checkup_too_large(dl_checkup *checkup, const char *check, int steps, int64_t rows);
/* The gradients of some weights of each layer, beside central differences. */
void dl_checkup_gradient(dl_checkup *checkup, dl_trial *trial, const dl_trial_rows *rows);
/* Can the network memorize (overfit) 1, 4 and 50 samples? */
void dl_checkup_memorize(dl_checkup *checkup, dl_trial *trial, const dl_trial_rows *rows);
/* Does the network do better with its inputs than with zeros? Are the labels of the validation part
   those of the training part? */
int dl_checkup_inputs(dl_checkup *checkup, dl_trial *trial, const dl_trial_rows *rows,
                      dl_error *error);
/* The training itself for some iterations: does the loss fall, how long will all of it take? */
int dl_checkup_rate(dl_checkup *checkup, dl_trial *trial, dl_loader *train,
                    const dl_trial_rows *rows, dl_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* dlinspect check: sanity checks of network, data and training settings, by short trainings of
   about half a minute in total. Andrej Karpathy, "A recipe for training neural networks", 2019. */
#ifndef DL_INSPECT_TRAINING_CHECK_H
#define DL_INSPECT_TRAINING_CHECK_H

#include "inspect/data_check.h"
#include "inspect/trial.h"

/* A warning does not fail the check. */
typedef enum { DL_CHECK_OK, DL_CHECK_FAILS, DL_CHECK_SKIPPED, DL_CHECK_WARNS } dl_verdict;
extern const char *const dl_verdict_names[]; /* "ok", "FAILS", "skipped", "WARNS" */

typedef struct {
    const char *check; /* a word for scripts: "initial_loss" */
    dl_verdict verdict;
    char *text; /* finding and advice; owned */
} dl_checked;

/* A learning rate and the loss at it in the range test. */
typedef struct {
    double rate, loss;
} dl_rate_point;
enum { DL_RATE_POINTS = 100 };

/* A run's rate, a third of it, and three times it. */
enum { DL_PROOF_RATES = 3 };
typedef struct {
    int64_t epochs;              /* trained at each */
    double rate[DL_PROOF_RATES]; /* the config's, a third, three times */
    double loss[DL_PROOF_RATES]; /* mean training loss of the last two epochs; INFINITY: diverged */
    double start;                /* loss of the first epoch at a third of the rate */
} dl_proof;

/* All zero is valid, empty. */
typedef struct {
    void (*on_checked)(const dl_checked *checked); /* called immediately with each; may be NULL */
    dl_checked *list;
    int count, room;
    dl_rate_point curve[DL_RATE_POINTS]; /* of the range test */
    int points;
    double rate; /* suggested by it; 0: none */
} dl_checkup;

/* For an experiment that is ready to train; `train` is the loader of the training. Restores the
   experiment. 0, or -1 and an error of the data. */
int dl_checkup_run(dl_checkup *checkup, dl_experiment *experiment, dl_loader *train,
                   dl_error *error);
/* Only the learning rate range test: the rate grows from step to step, and the loss shows which
   rates are good. Smith, "Cyclical learning rates for training neural networks", WACV 2017. */
int dl_checkup_find_rate(dl_checkup *checkup, dl_experiment *experiment, dl_error *error);
/* Trains for proof->epochs at each rate. */
int dl_prove_rate(dl_proof *proof, dl_experiment *experiment, dl_loader *train, dl_error *error);
bool dl_checkup_fails(const dl_checkup *checkup);
void dl_checkup_free(dl_checkup *checkup);

/* ---- for the files of the checks ---- */

void dl_checkup_add(dl_checkup *checkup, const char *check, dl_verdict verdict, const char *format,
                    ...) DL_PRINTF(4, 5);
/* Skips a check: the net is so large that there is time for only `steps` steps of `rows` rows. */
void dl_checkup_too_large(dl_checkup *checkup, const char *check, int steps, int64_t rows);
/* Compares the gradients of some weights of each layer with central differences. */
void dl_checkup_gradient(dl_checkup *checkup, dl_trial *trial, const dl_trial_rows *rows);
/* Can the network memorize (overfit) 1, 4 and 50 samples? */
void dl_checkup_memorize(dl_checkup *checkup, dl_trial *trial, const dl_trial_rows *rows);
/* Is the loss lower with the inputs than with zeros? Are the labels of the validation part
   consistent with those of the training part? */
int dl_checkup_inputs(dl_checkup *checkup, dl_trial *trial, const dl_trial_rows *rows,
                      dl_error *error);
/* Some iterations of the training: does the loss fall, and how long will the training take? */
int dl_checkup_rate(dl_checkup *checkup, dl_trial *trial, dl_loader *train,
                    const dl_trial_rows *rows, dl_error *error);

#endif

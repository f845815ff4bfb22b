/* SPDX-License-Identifier: MIT */
/* What the history of a run tells, in words, and what to try next. */
#ifndef DL_INSPECT_DIAGNOSE_H
#define DL_INSPECT_DIAGNOSE_H

#include "base/error.h"
#include "base/text.h"
#include "inspect/training_check.h"
#include "run/history.h"

/* What is known of a run, from its folder. */
typedef struct {
    dl_history history; /* owned */
    int64_t rows;       /* epochs in it */
    /* [rows], of the history: losses, and val_accuracy; NULL: there is none */
    const double *epoch, *train, *val, *accuracy;
    double expected;       /* the loss at chance level; NaN: not known */
    double initial;        /* the loss observed before the first step; NaN: not known */
    double baseline;       /* share of the most frequent class; NaN: not known */
    bool dropout, augment; /* the config has some */
    char *diverged;        /* the message of a divergence, or NULL; owned */
} dl_symptoms;

/* `path`: a run's folder, or a history.csv alone, of which less is known. 0, or -1 and an error of
   DL_DATA. dl_symptoms_free is fine after either. */
int dl_symptoms_read(dl_symptoms *symptoms, const char *path, dl_error *error);
void dl_symptoms_free(dl_symptoms *symptoms);

typedef struct {
    const char *kind; /* a word for scripts: "overfit" */
    char text[400], advice[240];
} dl_diagnosis;
enum { DL_DIAGNOSES = 8 };

/* Returns how many there are, the most important first; at least one. */
int dl_diagnose(const dl_symptoms *symptoms, dl_diagnosis diagnoses[DL_DIAGNOSES]);

/* Puts what trying other rates has shown before the diagnoses, without those that it refutes;
   returns how many there are then. */
int dl_diagnose_proved(const dl_symptoms *symptoms, const dl_proof *proof,
                       dl_diagnosis diagnoses[DL_DIAGNOSES], int count);

#endif

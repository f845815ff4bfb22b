/* SPDX-License-Identifier: MIT */
/* Diagnoses the learning curves of a run, with advice. */
#ifndef DL_INSPECT_DIAGNOSE_H
#define DL_INSPECT_DIAGNOSE_H

#include "base/error.h"
#include "base/text.h"
#include "inspect/training_check.h"
#include "run/history.h"

/* The facts of a run, from its folder. */
typedef struct {
    dl_history history; /* owned */
    int64_t rows;       /* epochs in it */
    /* [rows], columns of the history; NULL: missing */
    const double *epoch, *train, *val, *accuracy;
    double expected;       /* the loss at chance level; NaN: unknown */
    double initial;        /* the loss observed before the first step; NaN: unknown */
    double baseline;       /* accuracy of predicting the most frequent class; NaN: unknown */
    bool dropout, augment; /* enabled in the config */
    char *diverged;        /* the message of a divergence, or NULL; owned */
} dl_symptoms;

/* `path`: a run's folder, or only a history.csv, with fewer facts. 0, or -1 and an error of
   DL_DATA; call dl_symptoms_free after either. */
int dl_symptoms_read(dl_symptoms *symptoms, const char *path, dl_error *error);
void dl_symptoms_free(dl_symptoms *symptoms);

typedef struct {
    const char *kind; /* a word for scripts: "overfit" */
    char text[400], advice[240];
} dl_diagnosis;
enum { DL_DIAGNOSES = 8 };

/* Returns their number, at least one; the most important comes first. */
int dl_diagnose(const dl_symptoms *symptoms, dl_diagnosis diagnoses[DL_DIAGNOSES]);

/* Inserts the result of trying other rates first, and removes the diagnoses that it refutes.
   Returns the new number. */
int dl_diagnose_proved(const dl_symptoms *symptoms, const dl_proof *proof,
                       dl_diagnosis diagnoses[DL_DIAGNOSES], int count);

#endif

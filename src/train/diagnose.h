/* What the history of a run tells, in words, and what to try next. */
#ifndef DL_TRAIN_DIAGNOSE_H
#define DL_TRAIN_DIAGNOSE_H

#include "base/error.h"
#include "base/text.h"

/* What is known of a run, from its folder. */
typedef struct {
    int64_t rows;                           /* epochs in history.csv */
    double *epoch, *train, *val, *accuracy; /* [rows]: losses, and val_accuracy; owned */
    bool has_val, has_accuracy;
    double baseline;       /* share of the most frequent class; NaN: not known */
    bool dropout, augment; /* the config has some */
    char *diverged;        /* what the log says of a divergence, or NULL; owned */
} dl_history;

/* `path`: a run's folder, or a history.csv alone, of which less is known. 0, or -1 and an error of
   DL_DATA. dl_history_free is fine after either. */
int dl_history_read(dl_history *history, const char *path, dl_error *error);
void dl_history_free(dl_history *history);

typedef struct {
    const char *kind; /* a word for scripts: "overfit" */
    char text[400], advice[240];
} dl_diagnosis;
enum { DL_DIAGNOSES = 8 };

/* Returns how many there are, the most important first; at least one. */
int dl_diagnose(const dl_history *history, dl_diagnosis diagnoses[DL_DIAGNOSES]);

#endif

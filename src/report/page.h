/* SPDX-License-Identifier: MIT */
/* The page that dlinspect report writes: all that is known of a run, in one HTML file. */
#ifndef DL_REPORT_PAGE_H
#define DL_REPORT_PAGE_H

#include "inspect/confident_errors.h"
#include "report/scores.h"
#include "run/checkpoint.h"

typedef struct {
    const char *path; /* of the checkpoint */
    const dl_checkpoint *checkpoint;
    const dl_model *model;
    dl_split split;
    double loss;
    const scores *scores;
    const dl_confident_errors *mistakes;
} page_of;

/* Writes it whole or not at all. Curves and timings come from the history.csv beside the
   checkpoint, and are left out if there is none. 0, or -1 and an error. */
int page_write(const char *path, const page_of *of, dl_error *error);

#endif

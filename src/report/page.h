/* SPDX-License-Identifier: MIT */
/* The HTML page of dlinspect report. */
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
    const dl_scores *scores;
    const dl_confident_errors *mistakes;
} dl_page;

/* Writes the page, atomically. Curves and timings come from the history.csv in the checkpoint's
   folder and are omitted if there is none. 0, or -1 and an error. */
int dl_page_write(const char *path, const dl_page *of, dl_error *error);

#endif

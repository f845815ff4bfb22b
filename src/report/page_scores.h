/* SPDX-License-Identifier: MIT */
/* Sections of the page of dlinspect report about probabilities, and about predicted numbers. */
#ifndef DL_REPORT_PAGE_SCORES_H
#define DL_REPORT_PAGE_SCORES_H

#include "report/page_classes.h"

enum { DL_PAGE_OUTPUTS = 4, DL_PAGE_ROWS = 1000000 }; /* kept at most */

/* Predicted and true numbers. */
struct dl_page_numbers {
    int64_t rows, capacity, channels;
    double *predicted, *target; /* [rows][channels], owned */
};
/* A dl_observer; its context is a dl_page_numbers, initially all zero. Ignores classes, and more
   than DL_PAGE_OUTPUTS outputs. */
void dl_page_numbers_add(void *context, const dl_outcome *outcome);
void dl_page_numbers_free(dl_page_numbers *numbers);

/* Predicted against true, residuals, and the worst rows. */
void dl_page_add_numbers(dl_text *page, const dl_page *of);
/* ROC, precision and recall and a table of thresholds for two classes; calibration. */
void dl_page_add_scores(dl_text *page, const dl_page *of);

#endif

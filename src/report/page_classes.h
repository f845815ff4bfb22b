/* SPDX-License-Identifier: MIT */
/* Sections of the page of dlinspect report about classes, misclassified rows and filters. */
#ifndef DL_REPORT_PAGE_CLASSES_H
#define DL_REPORT_PAGE_CLASSES_H

#include "inspect/mistakes.h"
#include "report/scores.h"
#include "run/checkpoint.h"

typedef struct dl_page_numbers dl_page_numbers;

typedef struct {
    const char *path; /* of the checkpoint */
    const dl_checkpoint *checkpoint;
    const dl_model *model;
    dl_split split;
    double loss;
    const dl_scores *scores;
    dl_mistakes *mistakes; /* of a model that dl_page_has_errors, else empty; sorted here */
    const dl_page_numbers *numbers;
} dl_page;

/* Each adds nothing where it does not apply. */
void dl_page_add_classes(dl_text *page, const dl_page *of);
void dl_page_add_confusion(dl_text *page, const dl_page *of);
/* Whether misclassified rows can be shown. */
bool dl_page_has_errors(const dl_model *model);
/* 0, or -1 and an error if an image cannot be read. */
int dl_page_add_errors(dl_text *page, const dl_page *of, dl_error *error);
void dl_page_add_filters(dl_text *page, const dl_page *of);

#endif

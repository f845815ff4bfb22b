/* SPDX-License-Identifier: MIT */
/* Sections of the page of dlinspect report: the classes, and what is shown as pictures. */
#ifndef DL_REPORT_PAGE_CLASSES_H
#define DL_REPORT_PAGE_CLASSES_H

#include "report/page.h"

/* Each adds nothing if there is nothing of its kind. */
void page_add_classes(dl_text *page, const page_of *of);
void page_add_confusion(dl_text *page, const page_of *of);
/* 0, or -1 and an error: a picture could not be read again. */
int page_add_mistakes(dl_text *page, const page_of *of, dl_error *error);
void page_add_filters(dl_text *page, const page_of *of);

#endif

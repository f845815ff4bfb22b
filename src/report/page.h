/* SPDX-License-Identifier: MIT */
/* The HTML page of dlinspect report. */
#ifndef DL_REPORT_PAGE_H
#define DL_REPORT_PAGE_H

#include "report/page_classes.h"

/* Writes the page, atomically. Curves and timings come from the history.csv in the checkpoint's
   folder and are omitted if there is none. 0, or -1 and an error. */
int dl_page_write(const char *path, const dl_page *of, dl_error *error);

#endif

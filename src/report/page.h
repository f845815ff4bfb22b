/* SPDX-License-Identifier: MIT */
/* The HTML page of dlinspect report. */
#ifndef DL_REPORT_PAGE_H
#define DL_REPORT_PAGE_H

#include "report/page_classes.h"

/* Writes the page, atomically. Curves and timings come from the history.csv in the checkpoint's
   folder and are omitted if there is none. 0, or -1 and an error. */
int dl_page_write(const char *path, const dl_page *of, dl_error *error);

/* Writes a page with a table of runs: cell[run][line], of which run 0 has the headings, line 0 the
   paths of the runs, and lines 1 … keys the values of the config that differ. */
int dl_page_write_comparison(const char *path, const char ***cell, int runs, int lines, int keys,
                             dl_error *error);

#endif

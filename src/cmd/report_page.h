/* SPDX-License-Identifier: MIT */
/* The page of `dlinspect report` about one run. */
#ifndef DL_CMD_REPORT_PAGE_H
#define DL_CMD_REPORT_PAGE_H

#include "cmd/loaded.h"

/* Scores the net on a part of its data and writes the page. */
int report_page_write(loaded *l, dl_split split, const char *path, dl_error *error);

#endif

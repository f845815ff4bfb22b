/* SPDX-License-Identifier: MIT */
/* Checks of readable data: leaks between the parts, contradictions, missing classes, inputs without
   information or with the target. */
#ifndef DL_INSPECT_DATA_CHECK_H
#define DL_INSPECT_DATA_CHECK_H

#include "data/data.h"

typedef struct {
    const char *check; /* a word for scripts: "duplicates", "absent_classes", … */
    bool wrong;        /* else it is only information */
    int64_t count;     /* number of occurrences */
    char *text;        /* one line for people, with count and example; owned */
} dl_finding;

/* All zero is valid, empty. */
typedef struct {
    dl_finding *list;
    int count, capacity;
} dl_findings;

/* Fast checks of class and group counts: absent classes, imbalance, groups in two parts. The data
   are open. */
void dl_check_counts(dl_findings *findings, const dl_data *data);
/* Checks that read every row: unreadable rows, duplicates within and across the parts (by a 128-bit
   hash of their inputs), one input with two targets. Rows are numbered from 0, as in split.csv. */
void dl_check_rows(dl_findings *findings, const dl_data *data);
/* Columns of the training part that are constant, or that equal or leak the target. */
void dl_check_columns(dl_findings *findings, const dl_data *data);
/* Whether these two are fast: the data are small and in memory. */
bool dl_check_is_quick(const dl_data *data);
/* Whether any finding is wrong. */
bool dl_findings_wrong(const dl_findings *findings);
void dl_findings_free(dl_findings *findings);

/* ---- for the files of the checks ---- */

void dl_finding_add(dl_findings *findings, const char *check, bool wrong, int64_t count,
                    const char *format, ...) DL_PRINTF(5, 6);
/* The data set with the files of a part, before targets are derived; NULL if the part is empty. */
const dl_dataset *dl_check_files(const dl_data *data, int part);
/* Held-out samples of a text, of 16 symbols or more, that occur in the training text. */
void dl_check_passages(dl_findings *findings, const dl_data *data);
#endif

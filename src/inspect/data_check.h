/* SPDX-License-Identifier: MIT */
/* What may be wrong with data that can be read: leaks between the parts, contradictions, classes
   that are not there, inputs that say nothing or too much. */
#ifndef DL_INSPECT_DATA_CHECK_H
#define DL_INSPECT_DATA_CHECK_H

#include "data/data.h"

typedef struct {
    const char *check; /* a word for scripts: "duplicates", "absent_classes", … */
    bool wrong;        /* else it is only told */
    int64_t count;     /* of what was found */
    char *text;        /* a line for people, with the count and an example; owned */
} dl_finding;

/* All zero is valid, empty. */
typedef struct {
    dl_finding *list;
    int count, room;
} dl_findings;

/* What the counts of the classes and the groups tell, nothing of which takes long: absent classes,
   imbalance, groups in two parts. The data are open. */
void dl_check_counts(dl_findings *findings, const dl_data *data);
/* What only a look at every row tells: rows that cannot be read, duplicates within and across the
   parts (by a hash of 128 bits of their inputs), one input with two targets. Rows are numbered from
   0, as in split.csv. */
void dl_check_rows(dl_findings *findings, const dl_data *data);
/* Columns of the training part that are constant, or are, or give away, the target. */
void dl_check_columns(dl_findings *findings, const dl_data *data);
/* Whether these two take but moments: of data that are in memory, and not many. */
bool dl_check_is_quick(const dl_data *data);
/* Whether any is wrong. */
bool dl_findings_wrong(const dl_findings *findings);
void dl_findings_free(dl_findings *findings);

/* ---- for the files of the checks ---- */

void dl_finding_add(dl_findings *findings, const char *check, bool wrong, int64_t count,
                    const char *format, ...) DL_PRINTF(5, 6);
/* The data set with the files of a part, whatever targets are made of it; NULL if there is no such
   part. */
const dl_dataset *dl_check_files(const dl_data *data, int part);
/* Samples of a text, of 16 symbols or more, that stand somewhere in the training text. */
void dl_check_passages(dl_findings *findings, const dl_data *data);
#endif

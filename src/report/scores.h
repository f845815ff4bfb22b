/* SPDX-License-Identifier: MIT */
/* The metrics of an evaluation that a report shows, and the values of its classes. */
#ifndef DL_REPORT_SCORES_H
#define DL_REPORT_SCORES_H

#include "metrics/confusion.h"
#include "model/ensemble.h"

typedef struct {
    const dl_model *model; /* with the names of the classes; borrowed */
    int64_t rows;
    dl_accumulator accumulator; /* of the metrics that are shown */
    dl_confusion confusion;     /* classes 0: there is none */
    const dl_metric *left_out;  /* for the size of the part; NULL: none */
} scores;

enum { SCORES_MOST = 10000000 }; /* rows times classes of which auc is shown unasked */

/* For predictions of `classes` (0: numbers) through `link`: the metrics that can be computed from
   them and that the config asks for or that are always shown. scores_close is fine with zeros. */
void scores_open(scores *s, const dl_model *model, int classes, int link, dl_split split);
/* The same metrics for another net. */
void scores_open_like(dl_accumulator *accumulator, const scores *s);
void scores_close(scores *s);
/* A dl_observer: `context` is the scores. */
void scores_observe(void *context, const dl_outcome *outcome);

/* Columns of the classes' table: precision, recall, F1; IoU, for masks or if it is asked for; and
   the area under the curve. */
enum { SCORES_COLUMNS = 5, SCORES_IOU = 3, SCORES_AUC };
extern const char *const scores_column_names[SCORES_COLUMNS];
bool scores_has_column(const scores *s, int column);
/* A class's values of it, NaN where there are none: how many rows of data it has. */
int64_t scores_class_values(const scores *s, int class, double values[SCORES_COLUMNS]);

#endif

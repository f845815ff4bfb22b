/* SPDX-License-Identifier: MIT */
/* What dltest prints of an evaluation, for people and as JSON. */
#ifndef DL_CMD_SCORES_H
#define DL_CMD_SCORES_H

#include <jansson.h>

#include "metrics/confusion.h"
#include "model/ensemble.h"

typedef struct {
    const dl_model *model; /* with the names of the classes; borrowed */
    int64_t rows;
    dl_accumulator tally;      /* of the metrics that are shown */
    dl_confusion confusion;    /* classes 0: there is none */
    const dl_metric *left_out; /* for the size of the part; NULL: none */
} scores;

/* For what a dl_outcome says of classes (0: numbers) and link: the metrics that can be worked out
   from it and either are asked for by the experiment or are always shown. scores_close is fine with
   zeros. */
void scores_open(scores *s, const dl_model *model, int classes, int link, dl_split split);
/* The same metrics for another net. */
void scores_open_like(dl_accumulator *tally, const scores *s);
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

/* The metrics, a line each, behind `loss` if it is not NULL; for classes also the table of the
   classes, the confusion matrix and the most frequent mistakes. */
void scores_print(const scores *s, const double *loss);
/* The two halves of it, for more tables between. */
void scores_print_classes(const scores *s);
/* The same, as members of the object. */
void scores_to_json(const scores *s, json_t *object);
/* The metrics alone. */
void scores_tally_to_json(const dl_accumulator *tally, json_t *object);
/* A row a net, a row a metric. */
void scores_print_members(const scores *s, const dl_ensemble *ensemble);

#endif

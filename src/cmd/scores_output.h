/* SPDX-License-Identifier: MIT */
/* Output of an evaluation, as text and as JSON. */
#ifndef DL_CMD_SCORES_OUTPUT_H
#define DL_CMD_SCORES_OUTPUT_H

#include <jansson.h>

#include "report/scores.h"

/* The loss, unless NULL, and the metrics, one per line; for classes also the table by class, the
   confusion matrix and the most frequent errors. */
void scores_print(const dl_scores *s, const double *loss);
/* The same, as members of the object. */
void scores_to_json(const dl_scores *s, json_t *object);
/* The metrics alone. */
void scores_metrics_to_json(const dl_accumulator *metrics, json_t *object);
/* One row per net, one row per metric; then as scores_print. */
void scores_print_members(const dl_scores *s, const dl_ensemble *ensemble);

#endif

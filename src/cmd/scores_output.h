/* SPDX-License-Identifier: MIT */
/* What dltest prints of an evaluation, for people and as JSON. */
#ifndef DL_CMD_SCORES_OUTPUT_H
#define DL_CMD_SCORES_OUTPUT_H

#include <jansson.h>

#include "report/scores.h"

/* The metrics, a line each, behind `loss` if it is not NULL; for classes also the table of the
   classes, the confusion matrix and the most frequent mistakes. */
void scores_print(const scores *s, const double *loss);
/* The two halves of it, for more tables between. */
void scores_print_classes(const scores *s);
/* The same, as members of the object. */
void scores_to_json(const scores *s, json_t *object);
/* The metrics alone. */
void scores_accumulator_to_json(const dl_accumulator *accumulator, json_t *object);
/* A row a net, a row a metric. */
void scores_print_members(const scores *s, const dl_ensemble *ensemble);

#endif

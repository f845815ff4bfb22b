/* SPDX-License-Identifier: MIT */
/* Tables of answers, as CSV or JSON lines: what dlpredict prints, and dltest with the truth. */
#ifndef DL_CMD_PREDICTIONS_H
#define DL_CMD_PREDICTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "library/dltrain.h"

/* Borrowed strings. */
typedef struct {
    const dltrain_info *info;
    bool json, truth, deviation;
    bool files;       /* the first column is the file; */
    const char *rows; /* the next "row" or "line"; NULL: neither */
    const char *const *keep;
    int keep_count;
    int top;  /* classes with their probabilities; 0: one */
    bool all; /* the probabilities of all classes */
} predictions;

typedef struct {
    const char *file, *problem; /* problem: there is no answer */
    long long row;              /* -1: none */
    const char *const *kept;
    const float *out, *deviation; /* [output_size] */
    const int *classes;           /* [positions] */
    const float *input;           /* [input_size], of autoencoders */
    const float *truth;           /* [positions] classes, or numbers as in `out` */
} prediction;

/* Writes the names of the columns; nothing for JSON. */
void predictions_begin(const predictions *table, FILE *file);
/* Writes the lines of an answer: one, or one per position that has a class. */
void predictions_add(const predictions *table, const prediction *row, FILE *file);
/* Writes the line of one position, whose outputs, class and truth are the first of `row`. */
void predictions_add_position(const predictions *table, const prediction *row, size_t position,
                              FILE *file);
/* The mean squared difference of an answer from its input. */
double predictions_error(const dltrain_info *info, const prediction *row);

#endif

/* SPDX-License-Identifier: MIT */
/* Where dlpredict's answers go. */
#ifndef DL_CMD_PREDICT_OUTPUT_H
#define DL_CMD_PREDICT_OUTPUT_H

#include "base/file.h"
#include "base/string_set.h"
#include "cmd/predictions.h"

typedef enum { PREDICT_CSV, PREDICT_JSON, PREDICT_NPY, PREDICT_NPZ, PREDICT_PNG } predict_format;

/* Borrowed. */
typedef struct {
    const char *path; /* NULL: standard output, or beside the inputs */
    predict_format format;
    const char *const *keep;
    int keep_count, top;
    bool all, deviation, overlay;
} predict_output_options;

typedef struct {
    predict_output_options options;
    dl_writer writer;
    bool open, begun;
    predictions table;
    dl_string_set pictures; /* names of the files of png */
    /* of npy and npz */
    float *out;   /* [rows][output_size] */
    int *classes; /* [rows][positions] */
    int64_t rows, room;
    int dim[4], rank;
    size_t size, positions;
    /* of raw frames */
    double *seconds; /* [frames] */
    int64_t frames, frames_room;
    double started;
} predict_output;

/* Checks that the net has such an output. `out` is all zero; close it also after a failure. */
int predict_output_open(predict_output *out, const predict_output_options *options,
                        const dltrain_info *info, dl_error *error);
/* 0; 1: standard output cannot be written, which cmd_finish reports; or -1 and an error. */
int predict_output_add(predict_output *out, const dltrain_info *info,
                       const dltrain_answers *answers, dl_error *error);
/* Completes the file, and prints the latency of raw frames to stderr. */
int predict_output_finish(predict_output *out, dl_error *error);
void predict_output_close(predict_output *out);

#endif

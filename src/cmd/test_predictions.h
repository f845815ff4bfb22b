/* SPDX-License-Identifier: MIT */
/* The table of dltest --predictions: that of dlpredict, with the truth. */
#ifndef DL_CMD_TEST_PREDICTIONS_H
#define DL_CMD_TEST_PREDICTIONS_H

#include "base/file.h"
#include "cmd/predictions.h"
#include "metrics/outcome.h"
#include "model/model.h"

typedef struct {
    const dl_subset *rows;
    dl_arena arena;
    dltrain_info info;
    predictions table;
    dl_writer writer;
    double *position; /* [classes]: probabilities */
    float *out;       /* [classes] */
    int64_t count;    /* positions, or samples of numbers, so far */
    bool bins, open;
} test_predictions;

/* For the rows of a part in their order; together, vote: of several nets, of which this model is
   the first. 0, or -1 and an error; close it after either. */
int test_predictions_open(test_predictions *p, const dl_model *model, dl_split part,
                          const char *path, bool together, bool vote, dl_error *error);
void test_predictions_add(test_predictions *p, const dl_outcome *outcome);
int test_predictions_finish(test_predictions *p, dl_error *error);
void test_predictions_close(test_predictions *p);

#endif

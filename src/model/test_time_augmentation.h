/* SPDX-License-Identifier: MIT */
/* Several views of each image at validation and test (data.test_time), whose answers are averaged:
   of the probabilities, where the loss knows what they are, else of the outputs. */
#ifndef DL_MODEL_TEST_TIME_AUGMENTATION_H
#define DL_MODEL_TEST_TIME_AUGMENTATION_H

#include "model/model.h"

typedef struct {
    int count;      /* views of an image; 1: nothing to do, and no buffers */
    dl_shape image; /* of a sample */
    float *x;       /* [batch][size of an image]: a view */
    float *black;   /* [size of an image]: zeros of the files, normalized */
    double *sum;    /* [batch][channels] */
} dl_views;

/* Can the net's data be seen in that way? Else -1 and an error. For an experiment that is built. */
int dl_views_check(const dl_model *model, dl_error *error);
/* kind: DL_VIEWS_… */
void dl_views_open(dl_views *views, const dl_model *model, int kind);
void dl_views_close(dl_views *views);
/* Runs the batch forward, once a view. The net's output is then the one of which the loss and the
   metrics make the mean: logits of the mean probabilities, or mean outputs. */
void dl_views_forward(dl_views *views, dl_model *model, const dl_batch *batch);

#endif

/* SPDX-License-Identifier: MIT */
/* Test-time augmentation (data.test_time): several views of each image in validation and test, over
   which the probabilities are averaged, or the outputs if the loss defines no probabilities. */
#ifndef DL_MODEL_TEST_TIME_AUGMENTATION_H
#define DL_MODEL_TEST_TIME_AUGMENTATION_H

#include "model/model.h"

typedef struct {
    int count;      /* views per image; 1: off, no buffers */
    dl_shape image; /* of a sample */
    float *x;       /* [batch][size of an image]: a view */
    float *black;   /* [size of an image]: black, normalized */
    double *sum;    /* [batch][channels] */
} dl_views;

/* Checks that the data of a built model can be augmented this way: 0, or -1 and an error. */
int dl_views_check(const dl_model *model, dl_error *error);
/* kind: DL_VIEWS_… */
void dl_views_open(dl_views *views, const dl_model *model, int kind);
void dl_views_close(dl_views *views);
/* Runs the batch forward, once per view, and sets the net's output to the logits of the mean
   probabilities, or to the mean outputs. */
void dl_views_forward(dl_views *views, dl_model *model, const dl_batch *batch);

#endif

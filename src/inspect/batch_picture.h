/* SPDX-License-Identifier: MIT */
/* Pictures of a training batch, and of predictions. */
#ifndef DL_INSPECT_BATCH_PICTURE_H
#define DL_INSPECT_BATCH_PICTURE_H

#include "model/model.h"

/* Opens the data of a model that was read, builds it, and writes the first training batch,
   augmented, to a PNG file: at most 64 images, denormalized, with their targets below; classes of
   pixels are drawn over the image in color (class 0: none). *shown: their number. 0, or -1 and an
   error, also if the samples are not images. */
int dl_batch_picture_write(dl_model *model, int threads, const char *path, int *shown,
                           dl_error *error);

/* Writes a PNG file with at most 24 samples of the part, always the same ones: input, prediction
   and target below each other. The model is built and has its weights; its target is an image or a
   class at each pixel. *shown: their number. 0, or -1 and an error. */
int dl_prediction_picture_write(dl_model *model, dl_split part, const char *path, int *shown,
                                dl_error *error);

#endif

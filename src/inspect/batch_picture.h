/* SPDX-License-Identifier: MIT */
/* What the network sees of its first training batch, as a picture. */
#ifndef DL_INSPECT_BATCH_PICTURE_H
#define DL_INSPECT_BATCH_PICTURE_H

#include "model/model.h"

/* Opens the data of what was read and not yet built, makes the first batch of the first epoch with
   all that augments it, and writes a PNG file: at most 64 samples, without their normalization,
   with their targets below; a class at each pixel is laid over the image as a colour (class 0 is
   none). *shown: how many. 0, or -1 and an error: the samples must be images. */
int dl_batch_picture_write(dl_model *model, int threads, const char *path, int *shown,
                           dl_error *error);

/* Of an experiment that is built, its weights loaded: writes a PNG file of samples of the part,
   at most 24 and always the same: input, answer and truth below each other; the target is an image,
   or a class at each pixel. *shown: how many. 0, or -1 and an error. */
int dl_prediction_picture_write(dl_model *model, dl_split part, const char *path, int *shown,
                                dl_error *error);

#endif

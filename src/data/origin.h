/* SPDX-License-Identifier: MIT */
/* Columns far from 0 for their range, such as timestamps: float rounds neighbors to one number. */
#ifndef DL_DATA_ORIGIN_H
#define DL_DATA_ORIGIN_H

#include "data/data.h"

/* Sets the origins of the training files' schema for columns of which float would merge distinct
   values, if a normalization subtracts something: their mean, or minimum. Values that are
   merged nevertheless are counted in a warning. */
void dl_origins_find(dl_data *data);

#endif

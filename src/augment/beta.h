/* SPDX-License-Identifier: MIT */
#ifndef DL_AUGMENT_BETA_H
#define DL_AUGMENT_BETA_H

#include "base/random.h"

/* A sample of Beta(alpha, alpha); uses the elements of the draw from DL_AUGMENT_BULK on. */
double dl_augment_beta(double alpha, const dl_draw *draw);

#endif

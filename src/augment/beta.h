/* SPDX-License-Identifier: MIT */
#ifndef DL_AUGMENT_BETA_H
#define DL_AUGMENT_BETA_H

#include "base/random.h"

/* A number from Beta(alpha, alpha); uses the draw's numbers from DL_AUGMENT_MANY on. */
double dl_augment_beta(double alpha, const dl_draw *draw);

#endif

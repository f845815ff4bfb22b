/* SPDX-License-Identifier: MIT */
/* --profile: where the time of a training goes, layer by layer. */
#ifndef DL_INSPECT_PROFILE_H
#define DL_INSPECT_PROFILE_H

#include "base/terminal.h"
#include "model/model.h"

/* Prints net.profile over `steps` steps with `samples` samples in total, relative to peak rates,
   which are measured here. Returns the peak operations per second of a matrix product; 0 without a
   profile.
   */
double dl_profile_report(dl_terminal *terminal, const dl_model *model, int64_t steps,
                         int64_t samples, double update_seconds);

#endif

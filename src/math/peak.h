/* SPDX-License-Identifier: MIT */
/* Measured peak performance of this machine, for the profile. */
#ifndef DL_MATH_PEAK_H
#define DL_MATH_PEAK_H

/* Operations per second of the best large matrix product (1024 cubed); takes about 0.1 s. */
double dl_peak_operations(void);
/* Bytes per second read and written by a copy that is larger than the caches; takes about 0.1 s. */
double dl_peak_bandwidth(void);

#endif

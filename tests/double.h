/* SPDX-License-Identifier: MIT */
/* Put before every source of the gradient checks: the same code, in double precision. */
#ifndef TESTS_DOUBLE_H
#define TESTS_DOUBLE_H

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cblas.h>
#include <libconfig.h>
#include <zlib.h>

#include <cmocka.h>

#ifdef __clang__
#pragma clang diagnostic ignored "-Wkeyword-macro"
#endif
#define DL_DOUBLE
#undef DL_ONEDNN /* it has no double */
#define float double
#define cblas_sgemm cblas_dgemm
#define sqrtf sqrt
#define fabsf fabs

#endif

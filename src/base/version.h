/* SPDX-License-Identifier: MIT */
#ifndef DL_BASE_VERSION_H
#define DL_BASE_VERSION_H

#define DL_VERSION "0.2.0"
#define DL_DATE "2026-11-27" /* of the version, for the manual pages */

#endif

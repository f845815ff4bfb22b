/* SPDX-License-Identifier: MIT */
/* Resources of this process. */

#ifndef DL_BASE_MACHINE_H
#define DL_BASE_MACHINE_H

#include <stdint.h>

/* Bytes of memory: physical, or the limit of the control group (container, batch job). */
int64_t dl_machine_memory(void);
/* The minimum limit of the groups (v1 and v2) in the text of /proc/self/cgroup, mounted at `root`;
   INT64_MAX if there is none. */
int64_t dl_machine_group_limit(const char *groups, const char *root);

#endif

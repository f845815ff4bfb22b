/* SPDX-License-Identifier: MIT */
/* What the machine gives to this process. */
#ifndef DL_BASE_MACHINE_H
#define DL_BASE_MACHINE_H

#include <stdint.h>

/* Bytes of memory: the machine's, or less if a control group (container, batch job) limits them. */
int64_t dl_machine_memory(void);
/* The least limit of the groups (v1 and v2) in the text of /proc/self/cgroup, whose trees are below
   `root` (/sys/fs/cgroup); INT64_MAX if there is none. */
int64_t dl_machine_group_limit(const char *groups, const char *root);

#endif

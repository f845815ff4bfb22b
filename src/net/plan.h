/* SPDX-License-Identifier: MIT */
/* Memory plan: overlays buffers that are not alive at the same time. */
#ifndef DL_NET_PLAN_H
#define DL_NET_PLAN_H

#include <stdint.h>

typedef struct {
    int64_t bytes;
    int first, last; /* steps in which it is alive, inclusive */
    int64_t offset;  /* set by dl_plan_assign; a multiple of DL_ALIGN */
} dl_plan_item;

/* Assigns offsets and returns the total bytes. Largest first, each at the lowest offset that is
   free during its lifetime. */
int64_t dl_plan_assign(dl_plan_item *items, int count);

#endif

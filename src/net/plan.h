/* SPDX-License-Identifier: MIT */
/* Memory plan: places buffers that are not alive at the same time on top of each other. */
#ifndef DL_NET_PLAN_H
#define DL_NET_PLAN_H

#include <stdint.h>

typedef struct {
    int64_t bytes;
    int first, last; /* the steps in which it is alive, both included */
    int64_t offset;  /* set by dl_plan_place: a multiple of DL_ALIGN */
} dl_plan_item;

/* Gives every item an offset; returns the bytes needed in all. Largest first, each at the lowest
   place that is free for its lifetime. */
int64_t dl_plan_place(dl_plan_item *items, int count);

#endif

/* SPDX-License-Identifier: MIT */
/* Blocks: expanded into layers when the config is read. A new block is a type in block.c and a line
   in its registry. */
#ifndef DL_NET_BLOCK_H
#define DL_NET_BLOCK_H

#include "config/config.h"
#include "layers/layer.h"

/* The expansion of a block: branches that read its input, and a layer that merges their outputs.
   Settings are of the user, or generated in `room`. */
typedef struct {
    int64_t repeat; /* output of one repetition is input of the next; 1 on entry */
    int count;      /* of branches, may exceed DL_MAX_INPUTS; 0 on entry: identity */
    config_setting_t *branch[DL_MAX_INPUTS]; /* lists of layers and blocks */
    config_setting_t *merge;                 /* a layer; NULL: one branch */
    /* auxiliary heads: */
    double weight;
    config_setting_t *loss;
    config_setting_t *room; /* an empty list for generated settings */
} net_expansion;

typedef struct {
    dl_kind kind;
    /* `self`: option values; `group`: the settings, including defaults. */
    void (*expand)(const void *self, const config_setting_t *group, net_expansion *expansion);
    bool has_lists; /* options contain lists of layers */
    bool is_head;   /* following layers do not read its output */
} net_block_type;

extern const dl_registry dl_block_registry;

#endif

/* SPDX-License-Identifier: MIT */
/* Blocks: parts of a network that are expanded into layers as the config is read. A new block is a
   type in block.c and a line in its registry. */
#ifndef DL_NET_BLOCK_H
#define DL_NET_BLOCK_H

#include "config/config.h"
#include "layers/layer.h"

/* The settings that a block stands for: branches that all read the block's input, and a layer that
   merges their outputs. Settings are the user's or made in `room`. */
typedef struct {
    int64_t repeat; /* the block's output is the next repetition's input; 1 on entry */
    int count;      /* of branches, perhaps too many; 0 on entry: the block does nothing */
    config_setting_t *branch[DL_MOST_INPUTS]; /* lists of layers and blocks */
    config_setting_t *merge;                  /* one layer; NULL: there is one branch */
    /* of an auxiliary head: */
    double weight;
    config_setting_t *loss;
    config_setting_t *room; /* an empty list for settings that the block makes */
} net_expansion;

typedef struct {
    dl_kind kind;
    /* `self` has the options' values; `group` has the options, complete with defaults. */
    void (*expand)(const void *self, const config_setting_t *group, net_expansion *expansion);
    bool has_lists; /* its layers, or some of them, are lists in the config */
    bool is_head;   /* the layers behind it do not read its output */
} net_block_type;

extern const dl_registry dl_block_registry;

#endif

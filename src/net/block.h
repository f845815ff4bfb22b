/* SPDX-License-Identifier: MIT */
/* Blocks: parts of a network that are expanded into plain layers as the config is read. A new one:
   a file or a function here, and a line in the registry at the end of block.c. */
#ifndef DL_NET_BLOCK_H
#define DL_NET_BLOCK_H

#include "net/net.h"

extern const dl_registry dl_block_registry;

/* Names are looked up in the innermost scope first: within a block that is repeated the layers'
   names end with the number of the repetition. */
typedef struct net_scope {
    const struct net_scope *outer; /* NULL: the network itself */
    const char *suffix;            /* of the names within: "_2"; of the network: "" */
} net_scope;

/* Where the reading has got to. A layer is known by its index, the data by -1. */
typedef struct {
    dl_net *net;
    dl_error *error;
    dl_registry kinds; /* of layers and of blocks */
    int room;          /* that net->layers has */
    const char *block; /* "file:line" of the innermost block that the config has */
    const char *where; /* the same while made-up layers are read; else NULL */
    bool in_head;      /* an auxiliary head's body is being read */
    bool failed;
    int alias_count, alias_room;
    struct net_alias {
        const char *name;
        int index; /* the layer that gives the block's output */
    } * alias;     /* blocks' names */
} net_reader;

/* Reads a list of layers and blocks, the first of which reads layer `source` unless it says
   otherwise; returns the last one's index, `source` if the list is empty. */
int net_read_list(net_reader *reader, dl_config *config, config_setting_t *list,
                  const net_scope *scope, int source);
/* Reads layers written as text, as a list would be: for what a block adds of its own. */
int net_read_text(net_reader *reader, const char *layers, const net_scope *scope, int source);
/* One such layer, `{ layer = … }`, that reads the sources. */
int net_read_made(net_reader *reader, const char *layer, const net_scope *scope, const int *sources,
                  int count);
/* Expands a block of dl_block_registry, whose options have been read into `self`; returns the index
   of the layer that gives its output. Of a faulty one, some option of which could not be read, the
   layers that are written in it are looked at once. */
int net_expand(net_reader *reader, const dl_kind *kind, const void *self, bool faulty,
               dl_config *config, const net_scope *scope, int source);
/* Whether the kind is the block of an auxiliary head, which the layers behind it do not read. */
bool net_is_head(const dl_kind *kind);
/* Notes a failure that has been told; returns 0, so that the reading can go on. */
int net_read_failed(net_reader *reader);

#endif

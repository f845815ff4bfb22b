/* SPDX-License-Identifier: MIT */
/* The names of layers and blocks, while a network is read. */
#ifndef DL_NET_NAMES_H
#define DL_NET_NAMES_H

#include "net/net.h"

/* Names are looked up in the innermost scope first: within a block that is repeated the layers'
   names end with the number of the repetition. */
typedef struct net_scope {
    const struct net_scope *outer; /* NULL: the network itself */
    const char *suffix;            /* of the names within: "_2"; of the network: "" */
} net_scope;

/* A layer is known by its index, the data by -1. */
typedef struct {
    const dl_net *net;
    dl_arena *arena;
    dl_error *error;
    bool failed; /* an error was added */
    int alias_count, alias_room;
    struct net_alias {
        const char *name;
        int index; /* the layer that gives the block's output */
    } * alias;     /* blocks' names; owned */
} net_names;

/* Adds an error of DL_USAGE. Returns -1. */
int net_fail(net_names *names, const char *format, ...) DL_PRINTF(2, 3);
/* The layer, or the last layer of the block, of that full name; -2 if there is none. */
int net_find_full(const net_names *names, const char *name);
/* Looks a name up in the scope and those around it; -1 is the data, -2: there is none. */
int net_find_name(const net_names *names, const net_scope *scope, const char *name);
/* A name that the user chose, with the scope's suffix; NULL and an error if it is not allowed. */
const char *net_full_name(net_names *names, const char *wanted, const net_scope *scope,
                          const char *where);
/* The type and a number. */
const char *net_automatic_name(net_names *names, const dl_layer *layer);
/* Adds the error that no layer of that name can be read at `where`: with the nearest name, or where
   the layer comes later. */
void net_unknown_input(net_names *names, const char *where, const char *name);
/* Makes the layer `index` known under a block's name, which is borrowed. */
void net_add_alias(net_names *names, const char *name, int index);

#endif

/* SPDX-License-Identifier: MIT */
/* Names of layers and blocks while a network is read. */
#ifndef DL_NET_NAMES_H
#define DL_NET_NAMES_H

#include "net/net.h"

/* Names are looked up from the innermost scope outward. In a repeated block they end with the
   number of the repetition. */
typedef struct net_scope {
    const struct net_scope *outer; /* NULL: top level */
    const char *suffix;            /* of names inside: "_2"; at top level "" */
} net_scope;

/* Layers are identified by index, the data by -1. */
typedef struct {
    const dl_net *net;
    dl_arena *arena;
    dl_error *error;
    bool failed; /* an error was added */
    int alias_count, alias_capacity;
    struct net_alias {
        const char *name;
        int index; /* of the layer that gives its output */
    } * alias;     /* names of blocks; owned */
} net_names;

/* Adds a DL_USAGE error. Returns -1. */
int net_fail(net_names *names, const char *format, ...) DL_PRINTF(2, 3);
/* The layer, or the last layer of the block, with this full name; -2: none. */
int net_find_full(const net_names *names, const char *name);
/* Looks up a name in the scope and its outer scopes; -1: the data, -2: none. */
int net_find_name(const net_names *names, const net_scope *scope, const char *name);
/* A user-defined name with the suffix of the scope; NULL and an error if it is invalid. */
const char *net_full_name(net_names *names, const char *wanted, const net_scope *scope,
                          const char *where);
/* Type and number: "dense_1". */
const char *net_automatic_name(net_names *names, const dl_layer *layer);
/* Adds the error that there is no such layer before `where`, with a hint. */
void net_unknown_input(net_names *names, const char *where, const char *name);
/* Adds a name (borrowed) of a block for its last layer. */
void net_add_alias(net_names *names, const char *name, int index);

#endif

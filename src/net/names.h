/* SPDX-License-Identifier: MIT */
/* The names of layers and blocks, while a network is read. */
#ifndef DL_NET_NAMES_H
#define DL_NET_NAMES_H

#include "net/block.h"

/* The layer, or the last layer of the block, of that full name; -2 if there is none. */
int net_find_full(const net_reader *reader, const char *name);
/* Looks a name up in the scope and those around it; -1 is the data, -2: there is none. */
int net_find_name(const net_reader *reader, const net_scope *scope, const char *name);
/* A name that the user chose, as it is known everywhere; NULL and an error if it cannot be. */
const char *net_full_name(net_reader *reader, const char *wanted, const net_scope *scope,
                          const char *where);
/* The type and a number. */
const char *net_automatic_name(net_reader *reader, const dl_layer *layer);
/* Tells that there is no layer of that name to be read at `where`: with the nearest one, or where
   it comes later. */
void net_unknown_input(net_reader *reader, const char *where, const char *name);
/* Makes the layer `index` known under a block's name, which is borrowed. */
void net_add_alias(net_reader *reader, const char *name, int index);

#endif

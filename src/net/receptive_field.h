/* SPDX-License-Identifier: MIT */
/* Receptive fields. */
#ifndef DL_NET_RECEPTIVE_FIELD_H
#define DL_NET_RECEPTIVE_FIELD_H

#include "net/net.h"

/* The part of the input that an output of `layer` at position at[] (row and column; of a sequence:
   step and 0) depends on in a pass without training: the smallest box around it, in rows and
   columns (steps and 0; of a row of numbers: elements and 0). */
void dl_receptive_field(const dl_net *net, int layer, const int at[2], dl_extent field[2]);

#endif

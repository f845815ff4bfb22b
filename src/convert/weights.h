/* SPDX-License-Identifier: MIT */
/* The weights of a net as a list of tensors, in the names and the layout of another program. */
#ifndef DL_CONVERT_WEIGHTS_H
#define DL_CONVERT_WEIGHTS_H

#include "convert/convert.h"

/* Lists the tensors to write in the arena: their count, or -1 and an error. With the layout dltrain
   the normalization is part of it. */
int dl_weights_list(const dl_model *model, const dl_convert_options *options, dl_arena *arena,
                    dl_named_tensor **tensors, dl_error *error);
/* Reads all weights and running statistics of a built net; `stored` is sorted. Layers whose names
   differ are matched by the order of the names there and by the shapes, which is noted. */
int dl_weights_read(dl_model *model, dl_stored_weights *stored, const dl_convert_options *options,
                    dl_error *error);

#endif

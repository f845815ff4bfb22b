/* SPDX-License-Identifier: MIT */
/* Weights as PyTorch stores them: [out][in], [out][in][kh][kw]; dltrain and Keras have the outputs
   last. */
#ifndef DL_TRAIN_TORCH_LAYOUT_H
#define DL_TRAIN_TORCH_LAYOUT_H

#include "layers/layer.h"
#include "run/safetensors.h"

/* Values of training.init_layout. */
enum { DL_LAYOUT_AUTO, DL_LAYOUT_DLTRAIN, DL_LAYOUT_TORCH, DL_LAYOUT_KERAS };
extern const char *const dl_layout_names[];

/* Tensors of a file that fit a net in one layout only, and those that fit it in both. */
typedef struct {
    int ours, torch, both;
    char example[64]; /* of `both` */
} dl_layout_votes;

void dl_layout_vote(dl_layout_votes *votes, const dl_param *param, const dl_safetensors *file,
                    const char *name);
/* Whether the two layouts of a parameter differ. */
bool dl_torch_differs(const dl_param *param);
/* Copies the tensor `name` of PyTorch's layout if it fits: 1. If not: 0, and why. */
int dl_torch_read(const dl_param *param, const dl_safetensors *file, const char *name,
                  dl_text *why);

#endif

/* SPDX-License-Identifier: MIT */
/* The losses. To add one: its file, and one line here. */
#include "losses/loss.h"

#define LOSSES(_)                                                                                  \
    _(softmax_cross_entropy)                                                                       \
    _(binary_cross_entropy)                                                                        \
    _(mse)                                                                                         \
    _(l1)                                                                                          \
    _(hinge)                                                                                       \
    _(huber)                                                                                       \
    _(squared_hinge)                                                                               \
    _(kl_divergence)                                                                               \
    _(dice)                                                                                        \
    _(perceptron)                                                                                  \
    _(focal)

#define DECLARE_LOSS(name) extern const dl_loss_type dl_loss_##name;
#define KIND_OF_LOSS(name) &dl_loss_##name.kind,
LOSSES(DECLARE_LOSS)
static const dl_kind *const kinds[] = {LOSSES(KIND_OF_LOSS)};
const dl_registry dl_loss_registry = {"loss", "losses", "type", sizeof kinds / sizeof *kinds,
                                      kinds};

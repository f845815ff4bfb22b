/* SPDX-License-Identifier: MIT */
/* The layers and activation functions. To add a layer: its file, and one line here. */
#include "layers/layer.h"

#define LAYERS(_)                                                                                  \
    _(dense)                                                                                       \
    _(activation)                                                                                  \
    _(softmax)                                                                                     \
    _(conv2d)                                                                                      \
    _(max_pool)                                                                                    \
    _(avg_pool)                                                                                    \
    _(flatten)                                                                                     \
    _(dropout)                                                                                     \
    _(add)                                                                                         \
    _(batch_norm)                                                                                  \
    _(global_avg_pool)                                                                             \
    _(pad)                                                                                         \
    _(multiply)                                                                                    \
    _(average)                                                                                     \
    _(maximum)                                                                                     \
    _(concat)                                                                                      \
    _(conv1d)                                                                                      \
    _(conv2d_transpose)                                                                            \
    _(depthwise_conv2d)                                                                            \
    _(reshape)                                                                                     \
    _(crop)                                                                                        \
    _(upsample)                                                                                    \
    _(global_max_pool)                                                                             \
    _(max_pool1d)                                                                                  \
    _(avg_pool1d)                                                                                  \
    _(unpool)                                                                                      \
    _(layer_norm)                                                                                  \
    _(group_norm)                                                                                  \
    _(instance_norm)                                                                               \
    _(local_response_norm)                                                                         \
    _(spatial_dropout)                                                                             \
    _(gaussian_noise)                                                                              \
    _(gaussian_dropout)                                                                            \
    _(prelu)                                                                                       \
    _(scale)                                                                                       \
    _(maxout)                                                                                      \
    _(filter)                                                                                      \
    _(lstm)                                                                                        \
    _(gru)                                                                                         \
    _(simple_rnn)                                                                                  \
    _(embedding)                                                                                   \
    _(one_hot)                                                                                     \
    _(positional_encoding)                                                                         \
    _(multi_head_attention)                                                                        \
    _(shake)                                                                                       \
    _(rms_norm)

#define DECLARE_LAYER(name) extern const dl_layer_type dl_layer_##name;
#define KIND_OF_LAYER(name) &dl_layer_##name.kind,
LAYERS(DECLARE_LAYER)
static const dl_kind *const kinds[] = {LAYERS(KIND_OF_LAYER)};
const dl_registry dl_layer_registry = {"layer", "layers", "layer", sizeof kinds / sizeof *kinds,
                                       kinds};

static const dl_option no_options[] = {DL_OPTIONS_END};

#define ACTIVATION(constant, name, help) {#name, help, sizeof(dl_activation), no_options},
#define POINTER(constant, name, help) &activations[DL_##constant],
static const dl_kind activations[] = {DL_ACTIVATIONS(ACTIVATION, DL_NO_PARAMETER, , )};
static const dl_kind *const activation_kinds[] = {DL_ACTIVATIONS(POINTER, DL_NO_PARAMETER, , )};
const dl_registry dl_activation_registry = {"activation function", "activations", "activation",
                                            sizeof activation_kinds / sizeof *activation_kinds,
                                            activation_kinds};

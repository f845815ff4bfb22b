/* SPDX-License-Identifier: MIT */
/* The layers that each block expands to. */
#include "net/block.h"

#include "math/window.h"

typedef struct {
    int64_t repeat;
    config_setting_t *body, *shortcut, *branches;
    int merge;
    dl_activation activation;
} block;

static const char *const merges[] = {"concat",  "add",   "multiply", "average",
                                     "maximum", "shake", NULL};

#define REPEAT                                                                                     \
    DL_INT_OPTION("repeat", block, repeat, "1", 1, 10000,                                          \
                  "number of repetitions in sequence; a layer named \"a\" inside becomes "         \
                  "\"a_1\", \"a_2\", …")

static const dl_option sequence_options[] = {
    DL_SETTING_OPTION("body", block, body, DL_REQUIRED,
                      "the layers and blocks of the block: a list ( { … }, … )"),
    REPEAT,
    DL_OPTIONS_END,
};

static const dl_option residual_options[] = {
    DL_SETTING_OPTION("body", block, body, DL_REQUIRED,
                      "the layers and blocks of the residual branch: a list ( { … }, … )"),
    DL_SETTING_OPTION(
        "shortcut", block, shortcut, DL_NO_DEFAULT,
        "layers of the skip connection, needed if the body changes the shape; default: identity"),
    DL_ACTIVATION_OPTIONS(block, activation, "linear"),
    REPEAT,
    DL_OPTIONS_END,
};

static const dl_option parallel_options[] = {
    DL_SETTING_OPTION("branches", block, branches, DL_REQUIRED,
                      "lists of layers that all read the same input: ( ( { … }, … ), ( { … } ) ); "
                      "an empty list () is the identity"),
    DL_CHOICE_OPTION("merge", block, merge, "concat", merges,
                     "how the outputs are merged: concat (along the channels), or elementwise "
                     "(shake: a random mixture per sample, see the layer)"),
    REPEAT,
    DL_OPTIONS_END,
};

typedef struct {
    int64_t layers, growth, bottleneck;
    double dropout;
} dense_block;

static const dl_option dense_block_options[] = {
    DL_INT_OPTION("layers", dense_block, layers, DL_REQUIRED, 1, 1000,
                  "number of layers, each of which reads all preceding ones"),
    DL_INT_OPTION("growth", dense_block, growth, "32", 1, 1 << 10, "channels that each layer adds"),
    DL_INT_OPTION("bottleneck", dense_block, bottleneck, "4", 0, 64,
                  "each 3x3 convolution is preceded by a 1x1 convolution with this many times "
                  "`growth` channels; 0: none"),
    DL_FLOAT_OPTION("dropout", dense_block, dropout, "0.0", 0, 0.99,
                    "dropout rate after each layer"),
    DL_OPTIONS_END,
};

typedef struct {
    int64_t one, reduce3, three, reduce5, five, pool;
    bool batch_norm;
} inception;

#define WIDTH(key, help) DL_INT_OPTION(#key, inception, key, DL_REQUIRED, 1, 1 << 14, help)

static const dl_option inception_options[] = {
    WIDTH(one, "filters of the 1x1 branch"),
    WIDTH(reduce3, "filters of the 1x1 convolution before the 3x3 one"),
    WIDTH(three, "filters of the 3x3 branch"),
    WIDTH(reduce5, "filters of the 1x1 convolution before the 5x5 one"),
    WIDTH(five, "filters of the 5x5 branch"),
    WIDTH(pool, "filters of the 1x1 convolution after the 3x3 max_pool"),
    DL_BOOL_OPTION("batch_norm", inception, batch_norm, "false",
                   "batch normalization after each convolution, which then has no bias"),
    DL_OPTIONS_END,
};

typedef struct {
    int64_t filters, kernel[2], stride[2], padding[2];
    bool bias;
    dl_activation activation;
} separable;

static const dl_option activation_options[] = {
    DL_ACTIVATION_OPTIONS(separable, activation, "linear"),
    DL_OPTIONS_END,
};

static const dl_option separable_options[] = {
    DL_INT_OPTION("filters", separable, filters, DL_REQUIRED, 1, 1 << 16,
                  "number of output channels"),
    DL_PAIR_OPTION("kernel", separable, kernel, "3", 1, 1024, "size of the depthwise window"),
    DL_PAIR_OPTION("stride", separable, stride, "1", 1, 1024, "pixels from one window to the next"),
    DL_PAIR_OR_WORD_OPTION(
        "padding", separable, padding, "same", 0, 1023, dl_padding_words,
        "zeros around the image: same, valid, or a number of pixels on each side"),
    DL_BOOL_OPTION("bias", separable, bias, "true", "add a learned bias to each output"),
    DL_ACTIVATION_OPTIONS(separable, activation, "linear"),
    DL_OPTIONS_END,
};

/* ---- generated settings ---- */

static config_setting_t *add_list(config_setting_t *list) {
    return dl_config_add(list, NULL, CONFIG_TYPE_LIST);
}

static config_setting_t *add_layer(config_setting_t *list, const char *layer) {
    config_setting_t *group = dl_config_add(list, NULL, CONFIG_TYPE_GROUP);
    dl_config_add_string(group, "layer", layer);
    return group;
}

static void copy_option(config_setting_t *to, const config_setting_t *from, const char *key) {
    const config_setting_t *value = config_setting_get_member(from, key);
    if (value)
        dl_config_copy(dl_config_add(to, key, config_setting_type(value)), value);
}

static void copy_activation(config_setting_t *to, const config_setting_t *from) {
    for (const dl_option *option = activation_options; option->key; option++)
        copy_option(to, from, option->key);
}

/* padding = same */
static config_setting_t *add_convolution(config_setting_t *list, int64_t filters, int kernel,
                                         bool bias) {
    config_setting_t *layer = add_layer(list, "conv2d");
    dl_config_add_int(layer, "filters", filters);
    dl_config_add_int(layer, "kernel", kernel);
    dl_config_add_int(layer, "padding", kernel / 2);
    dl_config_add_bool(layer, "bias", bias);
    return layer;
}

/* ---- blocks ---- */

static void expand_sequence(const void *self, const config_setting_t *group, net_expansion *e) {
    const block *b = self;
    (void)group;
    e->repeat = b->repeat;
    e->count = b->body != NULL;
    e->branch[0] = b->body;
}

/* He et al., "Deep residual learning for image recognition", CVPR 2016. */
static void expand_residual(const void *self, const config_setting_t *group, net_expansion *e) {
    const block *b = self;
    expand_sequence(self, group, e);
    if (!b->body)
        return;
    e->branch[e->count++] = b->shortcut ? b->shortcut : add_list(e->room);
    e->merge = add_layer(e->room, "add");
    copy_activation(e->merge, group);
}

static void expand_parallel(const void *self, const config_setting_t *group, net_expansion *e) {
    const block *b = self;
    (void)group;
    if (!b->branches)
        return;
    e->repeat = b->repeat;
    if (!config_setting_is_list(b->branches)) { /* reported by the caller */
        e->branch[e->count++] = b->branches;
        return;
    }
    e->count = config_setting_length(b->branches);
    for (int i = 0; i < e->count && i < DL_MAX_INPUTS; i++)
        e->branch[i] = config_setting_get_elem(b->branches, (unsigned)i);
    e->merge = add_layer(e->room, merges[b->merge]);
}

static void add_batch_norm(config_setting_t *list) {
    dl_config_add_string(add_layer(list, "batch_norm"), "activation", "relu");
}

/* Huang et al., "Densely connected convolutional networks", CVPR 2017: normalization and relu
   precede each convolution. */
static void expand_dense_block(const void *self, const config_setting_t *group, net_expansion *e) {
    const dense_block *d = self;
    (void)group;
    e->repeat = d->layers;
    e->count = 2;
    e->branch[0] = add_list(e->room);
    config_setting_t *layers = e->branch[1] = add_list(e->room);
    if (d->bottleneck) {
        add_batch_norm(layers);
        add_convolution(layers, d->bottleneck * d->growth, 1, false);
    }
    add_batch_norm(layers);
    add_convolution(layers, d->growth, 3, false);
    if (d->dropout > 0)
        config_setting_set_float(
            dl_config_add(add_layer(layers, "dropout"), "rate", CONFIG_TYPE_FLOAT), d->dropout);
    e->merge = add_layer(e->room, "concat");
}

static void add_inception_convolution(config_setting_t *list, const inception *i, int64_t filters,
                                      int kernel) {
    config_setting_t *layer = add_convolution(list, filters, kernel, !i->batch_norm);
    if (i->batch_norm)
        add_batch_norm(list);
    else
        dl_config_add_string(layer, "activation", "relu");
}

/* Szegedy et al., "Going deeper with convolutions", CVPR 2015. */
static void expand_inception(const void *self, const config_setting_t *group, net_expansion *e) {
    const inception *i = self;
    (void)group;
    for (e->count = 0; e->count < 4; e->count++)
        e->branch[e->count] = add_list(e->room);
    add_inception_convolution(e->branch[0], i, i->one, 1);
    add_inception_convolution(e->branch[1], i, i->reduce3, 1);
    add_inception_convolution(e->branch[1], i, i->three, 3);
    add_inception_convolution(e->branch[2], i, i->reduce5, 1);
    add_inception_convolution(e->branch[2], i, i->five, 5);
    config_setting_t *pool = add_layer(e->branch[3], "max_pool");
    dl_config_add_int(pool, "size", 3);
    dl_config_add_int(pool, "stride", 1);
    dl_config_add_int(pool, "padding", 1);
    add_inception_convolution(e->branch[3], i, i->pool, 1);
    e->merge = add_layer(e->room, "concat");
}

/* Chollet, "Xception: deep learning with depthwise separable convolutions", CVPR 2017. */
static void expand_separable(const void *self, const config_setting_t *group, net_expansion *e) {
    const separable *s = self;
    config_setting_t *layers = e->branch[e->count++] = add_list(e->room);
    config_setting_t *depthwise = add_layer(layers, "depthwise_conv2d");
    dl_config_add_bool(depthwise, "bias", false);
    copy_option(depthwise, group, "kernel");
    copy_option(depthwise, group, "stride");
    copy_option(depthwise, group, "padding");
    copy_activation(add_convolution(layers, s->filters, 1, s->bias), group);
}

typedef struct {
    config_setting_t *body, *loss;
    double weight;
} aux;

static const dl_option aux_options[] = {
    DL_SETTING_OPTION(
        "body", aux, body, DL_REQUIRED,
        "the layers and blocks of the head; the last one gives its output: a list ( { … }, … )"),
    DL_FLOAT_OPTION("weight", aux, weight, "0.3", 0, 1000,
                    "weight of its loss in training, relative to that of the network; 0: the loss "
                    "is only reported"),
    DL_SETTING_OPTION("loss", aux, loss, DL_NO_DEFAULT,
                      "loss of the head: a group { type = \"…\" }; default: that of the network"),
    DL_OPTIONS_END,
};

/* Szegedy et al., 2015, and Lee et al., "Deeply-supervised nets", AISTATS 2015: minimizes loss +
   sum over heads of weight * head loss. */
static void expand_aux(const void *self, const config_setting_t *group, net_expansion *e) {
    const aux *a = self;
    (void)group;
    e->count = a->body != NULL;
    e->branch[0] = a->body;
    e->weight = a->weight;
    e->loss = a->loss;
}

static const net_block_type sequence_type = {
    {"sequence", "a sequence of layers, optionally repeated", sizeof(block), sequence_options},
    .expand = expand_sequence,
    .has_lists = true,
};
static const net_block_type residual_type = {
    {"residual", "adds the output of its layers to its input, which makes deep networks trainable",
     sizeof(block), residual_options},
    .expand = expand_residual,
    .has_lists = true,
};
static const net_block_type parallel_type = {
    {"parallel", "branches that read the same input and whose outputs are merged", sizeof(block),
     parallel_options},
    .expand = expand_parallel,
    .has_lists = true,
};
static const net_block_type dense_block_type = {
    {"dense_block", "the block of DenseNet: each layer reads the outputs of all preceding ones",
     sizeof(dense_block), dense_block_options},
    .expand = expand_dense_block,
};
static const net_block_type inception_type = {
    {"inception", "the block of GoogLeNet: parallel 1x1, 3x3 and 5x5 convolutions and a max_pool",
     sizeof(inception), inception_options},
    .expand = expand_inception,
};
static const net_block_type separable_type = {
    {"separable_conv2d", "depthwise separable convolution: one per channel, then a 1x1 convolution",
     sizeof(separable), separable_options},
    .expand = expand_separable,
};
static const net_block_type aux_type = {
    {"aux",
     "an auxiliary head: an intermediate output with its own loss, used in training only, which "
     "shortens the path of the gradient to early layers; the layers after it read the layer before "
     "it",
     sizeof(aux), aux_options},
    .expand = expand_aux,
    .has_lists = true,
    .is_head = true,
};

static const dl_kind *const kinds[] = {
    &sequence_type.kind,  &residual_type.kind,  &parallel_type.kind, &dense_block_type.kind,
    &inception_type.kind, &separable_type.kind, &aux_type.kind,
};

const dl_registry dl_block_registry = {"block", "blocks", "layer", sizeof kinds / sizeof *kinds,
                                       kinds};

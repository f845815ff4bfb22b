/* SPDX-License-Identifier: MIT */
/* What each block is made of. */
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
    DL_INT_OPTION(                                                                                 \
        "repeat", block, repeat, "1", 1, 10000,                                                    \
        "how many of them follow each other; layers named \"a\" within are called \"a_1\", "       \
        "\"a_2\" and so on from outside")

static const dl_option sequence_options[] = {
    DL_SETTING_OPTION("body", block, body, DL_REQUIRED,
                      "the layers and blocks that it is made of: a list ( { … }, … )"),
    REPEAT,
    DL_OPTIONS_END,
};

static const dl_option residual_options[] = {
    DL_SETTING_OPTION(
        "body", block, body, DL_REQUIRED,
        "the layers and blocks between the input and the addition: a list ( { … }, … )"),
    DL_SETTING_OPTION(
        "shortcut", block, shortcut, DL_NO_DEFAULT,
        "what the input goes through on its way around the body, where the body changes the shape; "
        "left out: nothing"),
    DL_ACTIVATION_OPTIONS(block, activation, "linear"),
    REPEAT,
    DL_OPTIONS_END,
};

static const dl_option parallel_options[] = {
    DL_SETTING_OPTION("branches", block, branches, DL_REQUIRED,
                      "lists of layers that all read the same input: ( ( { … }, … ), ( { … } ) ); "
                      "an empty list () "
                      "hands it on"),
    DL_CHOICE_OPTION("merge", block, merge, "concat", merges,
                     "what becomes of their outputs: side by side, or element by element "
                     "(\"shake\": by the layer "
                     "of that name, a mixture a sample)"),
    REPEAT,
    DL_OPTIONS_END,
};

typedef struct {
    int64_t layers, growth, bottleneck;
    double dropout;
} dense_block;

static const dl_option dense_block_options[] = {
    DL_INT_OPTION("layers", dense_block, layers, DL_REQUIRED, 1, 1000,
                  "how many layers, each of which reads all before it"),
    DL_INT_OPTION("growth", dense_block, growth, "32", 1, 1 << 10, "channels that each layer adds"),
    DL_INT_OPTION(
        "bottleneck", dense_block, bottleneck, "4", 0, 64,
        "a 1x1 convolution to this many times `growth` channels before each 3x3 one; 0: none"),
    DL_FLOAT_OPTION("dropout", dense_block, dropout, "0.0", 0, 0.99,
                    "rate of a dropout behind each layer"),
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
    WIDTH(pool, "filters of the 1x1 convolution behind the 3x3 max_pool"),
    DL_BOOL_OPTION("batch_norm", inception, batch_norm, "false",
                   "normalize behind each convolution, which then has no bias"),
    DL_OPTIONS_END,
};

typedef struct {
    int64_t filters, kernel[2], stride[2], padding[2];
    bool bias;
    dl_activation activation;
} separable;

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

/* A member that must be a list of groups, or may be left out. */
static bool is_list(net_reader *r, dl_config *config, const config_setting_t *setting,
                    const char *key) {
    if (!setting || config_setting_is_list(setting))
        return true;
    dl_fail(r->error, DL_USAGE, "%s: \"%s\" must be a list of layers: ( { … }, … )",
            dl_config_where(config, setting), key);
    return net_read_failed(r);
}

static int expand_sequence(net_reader *r, const void *self, dl_config *config,
                           const net_scope *scope, int source) {
    const block *b = self;
    return is_list(r, config, b->body, "body") ? net_read_list(r, config, b->body, scope, source)
                                               : source;
}

/* He et al., "Deep residual learning for image recognition", CVPR 2016. */
static int expand_residual(net_reader *r, const void *self, dl_config *config,
                           const net_scope *scope, int source) {
    const block *b = self;
    if (!b->body || !is_list(r, config, b->body, "body") ||
        !is_list(r, config, b->shortcut, "shortcut"))
        return source;
    int ends[2] = {net_read_list(r, config, b->body, scope, source), source};
    if (b->shortcut)
        ends[1] = net_read_list(r, config, b->shortcut, scope, source);
    dl_text add = {0};
    dl_text_add(&add, "{ layer = \"add\"; activation = \"%s\"; slope = %.17g; alpha = %.17g; }",
                dl_activation_names[b->activation.kind], b->activation.slope, b->activation.alpha);
    int end = net_read_made(r, add.data, scope, ends, 2);
    dl_text_free(&add);
    return end;
}

static int expand_parallel(net_reader *r, const void *self, dl_config *config,
                           const net_scope *scope, int source) {
    const block *b = self;
    int ends[DL_MOST_INPUTS], count = 0;
    if (!b->branches || !is_list(r, config, b->branches, "branches"))
        return source;
    for (int i = 0; i < config_setting_length(b->branches); i++) {
        config_setting_t *branch = config_setting_get_elem(b->branches, (unsigned)i);
        if (i == DL_MOST_INPUTS) {
            dl_fail(r->error, DL_USAGE, "%s: more than %d branches",
                    dl_config_where(config, b->branches), DL_MOST_INPUTS);
            return net_read_failed(r);
        }
        if (is_list(r, config, branch, "branches"))
            ends[count++] = net_read_list(r, config, branch, scope, source);
    }
    if (!count)
        return source;
    dl_text merge = {0};
    dl_text_add(&merge, "{ layer = \"%s\"; }", merges[b->merge]);
    int end = net_read_made(r, merge.data, scope, ends, count);
    dl_text_free(&merge);
    return end;
}

/* Huang et al., "Densely connected convolutional networks", CVPR 2017: normalization and relu come
   before each convolution. */
static int expand_dense_block(net_reader *r, const void *self, dl_config *config,
                              const net_scope *scope, int source) {
    const dense_block *d = self;
    const char *norm = "{ layer = \"batch_norm\"; activation = \"relu\"; },";
    dl_text text = {0};
    (void)config;
    dl_text_add(&text,
                "{ layer = \"parallel\"; merge = \"concat\"; repeat = %lld; branches = ((), (",
                (long long)d->layers);
    if (d->bottleneck)
        dl_text_add(&text, "%s{ layer = \"conv2d\"; filters = %lld; kernel = 1; bias = false; },",
                    norm, (long long)(d->bottleneck * d->growth));
    dl_text_add(&text,
                "%s{ layer = \"conv2d\"; filters = %lld; kernel = 3; padding = 1; bias = false; }",
                norm, (long long)d->growth);
    if (d->dropout > 0)
        dl_text_add(&text, ",{ layer = \"dropout\"; rate = %.17g; }", d->dropout);
    dl_text_add(&text, ")); }");
    int end = net_read_text(r, text.data, scope, source);
    dl_text_free(&text);
    return end;
}

static void add_convolution(dl_text *text, const inception *i, int64_t filters, int kernel) {
    const char *norm = ",{ layer = \"batch_norm\"; activation = \"relu\"; }";
    dl_text_add(text,
                "{ layer = \"conv2d\"; filters = %lld; kernel = %d; padding = %d; bias = %s; "
                "activation = \"%s\"; }%s",
                (long long)filters, kernel, kernel / 2, i->batch_norm ? "false" : "true",
                i->batch_norm ? "linear" : "relu", i->batch_norm ? norm : "");
}

/* Szegedy et al., "Going deeper with convolutions", CVPR 2015. */
static int expand_inception(net_reader *r, const void *self, dl_config *config,
                            const net_scope *scope, int source) {
    const inception *i = self;
    dl_text text = {0};
    (void)config;
    dl_text_add(&text, "{ layer = \"parallel\"; branches = ((");
    add_convolution(&text, i, i->one, 1);
    dl_text_add(&text, "), (");
    add_convolution(&text, i, i->reduce3, 1);
    dl_text_add(&text, ",");
    add_convolution(&text, i, i->three, 3);
    dl_text_add(&text, "), (");
    add_convolution(&text, i, i->reduce5, 1);
    dl_text_add(&text, ",");
    add_convolution(&text, i, i->five, 5);
    dl_text_add(&text, "), ({ layer = \"max_pool\"; size = 3; stride = 1; padding = 1; },");
    add_convolution(&text, i, i->pool, 1);
    dl_text_add(&text, ")); }");
    int end = net_read_text(r, text.data, scope, source);
    dl_text_free(&text);
    return end;
}

static void add_padding(dl_text *text, const int64_t padding[2]) {
    if (padding[0] < 0)
        dl_text_add(text, "padding = \"%s\"; ", dl_padding_words[-padding[0] - 1]);
    else
        dl_text_add(text, "padding = (%lld, %lld); ", (long long)padding[0], (long long)padding[1]);
}

/* Chollet, "Xception: deep learning with depthwise separable convolutions", CVPR 2017. */
static int expand_separable(net_reader *r, const void *self, dl_config *config,
                            const net_scope *scope, int source) {
    const separable *s = self;
    dl_text text = {0};
    (void)config;
    dl_text_add(&text,
                "{ layer = \"depthwise_conv2d\"; bias = false; kernel = (%lld, %lld); "
                "stride = (%lld, %lld); ",
                (long long)s->kernel[0], (long long)s->kernel[1], (long long)s->stride[0],
                (long long)s->stride[1]);
    add_padding(&text, s->padding);
    dl_text_add(&text,
                "}, { layer = \"conv2d\"; filters = %lld; kernel = 1; bias = %s; "
                "activation = \"%s\"; slope = %.17g; alpha = %.17g; }",
                (long long)s->filters, s->bias ? "true" : "false",
                dl_activation_names[s->activation.kind], s->activation.slope, s->activation.alpha);
    int end = net_read_text(r, text.data, scope, source);
    dl_text_free(&text);
    return end;
}

typedef struct {
    config_setting_t *body, *loss;
    double weight;
} aux;

static const dl_option aux_options[] = {
    DL_SETTING_OPTION("body", aux, body, DL_REQUIRED,
                      "the layers and blocks between what is read and the output, which is the "
                      "last one's: a list "
                      "( { … }, … )"),
    DL_FLOAT_OPTION("weight", aux, weight, "0.3", 0, 1000,
                    "what its loss counts for in training, the net's own loss counting 1; 0: it is "
                    "only measured"),
    DL_SETTING_OPTION(
        "loss", aux, loss, DL_NO_DEFAULT,
        "what its output is compared with the targets by: a group { type = \"…\" }; left out: the "
        "net's own loss"),
    DL_OPTIONS_END,
};

/* Szegedy et al., 2015, and before them Lee et al., "Deeply-supervised nets", AISTATS 2015: what is
   minimized is loss + sum over the heads of weight * loss of the head, so that the layers before a
   head get a gradient that has not come through the whole net. */
static int expand_aux(net_reader *r, const void *self, dl_config *config, const net_scope *scope,
                      int source) {
    const aux *a = self;
    dl_net *net = r->net;
    int first = net->layer_count, end = source;
    const bool nested = r->in_head;
    if (nested) {
        dl_fail(r->error, DL_USAGE, "%s: an auxiliary head cannot be part of another one",
                r->block);
        net_read_failed(r);
    }
    r->in_head = true;
    if (a->body && is_list(r, config, a->body, "body")) {
        end = net_read_list(r, config, a->body, scope, source);
        if (!config_setting_length(a->body) || (!r->failed && net->layer_count == first)) {
            dl_fail(r->error, DL_USAGE,
                    "%s: the body of an auxiliary head is empty: it needs the layer that gives its "
                    "output",
                    r->block);
            net_read_failed(r);
        }
    }
    r->in_head = nested;
    if (nested || net->layer_count == first)
        return end;
    if (net->head_count == DL_MOST_HEADS) {
        dl_fail(r->error, DL_USAGE, "%s: more than %d auxiliary heads", r->block, DL_MOST_HEADS);
        net_read_failed(r);
        return end;
    }
    net->heads[net->head_count++] =
        (dl_head){NULL, r->block, first, net->layer_count - 1, a->weight, a->loss};
    return end;
}

typedef struct {
    dl_kind kind;
    int (*expand)(net_reader *reader, const void *self, dl_config *config, const net_scope *scope,
                  int source);
    bool repeats; /* its struct is a `block`, whose `repeat` counts */
} block_type;

static const block_type sequence_type = {
    {"sequence", "layers one after the other, several times", sizeof(block), sequence_options},
    expand_sequence,
    true,
};
static const block_type residual_type = {
    {"residual", "adds what a body makes of its input to the input: deep nets learn", sizeof(block),
     residual_options},
    expand_residual,
    true,
};
static const block_type parallel_type = {
    {"parallel", "branches that read the same input, and their outputs in one", sizeof(block),
     parallel_options},
    expand_parallel,
    true,
};
static const block_type dense_block_type = {
    {"dense_block", "DenseNet's block: each layer reads the outputs of all before it",
     sizeof(dense_block), dense_block_options},
    expand_dense_block,
    false,
};
static const block_type inception_type = {
    {"inception", "GoogLeNet's block: 1x1, 3x3, 5x5 convolutions and a max_pool side by side",
     sizeof(inception), inception_options},
    expand_inception,
    false,
};

static const block_type separable_type = {
    {"separable_conv2d", "a convolution of each channel by itself, then one of all channels (1x1)",
     sizeof(separable), separable_options},
    expand_separable,
    false,
};

static const block_type aux_type = {
    {"aux",
     "an auxiliary head: an output amid the net with a loss of its own, in training only, which "
     "gives the layers before it a gradient from near; the layers behind it go on as if it were "
     "not "
     "there",
     sizeof(aux), aux_options},
    expand_aux,
    false,
};

static const dl_kind *const kinds[] = {
    &sequence_type.kind,  &residual_type.kind,  &parallel_type.kind, &dense_block_type.kind,
    &inception_type.kind, &separable_type.kind, &aux_type.kind};

const dl_registry dl_block_registry = {"block", "blocks", "layer", sizeof kinds / sizeof *kinds,
                                       kinds};

int net_expand(net_reader *r, const dl_kind *kind, const void *self, bool faulty, dl_config *config,
               const net_scope *scope, int source) {
    const block_type *type = (const block_type *)kind;
    int64_t repeat = type->repeats && !faulty ? ((const block *)self)->repeat : 1;
    if (faulty && !type->repeats && !net_is_head(kind)) /* no body of the user's to look at */
        return source;
    for (int64_t k = 1; k <= repeat; k++) {
        net_scope inner = {scope, scope->suffix};
        if (repeat > 1)
            inner.suffix = dl_arena_printf(&r->net->arena, "%s_%lld", scope->suffix, (long long)k);
        source = type->expand(r, self, config, &inner, source);
    }
    return source;
}

bool net_is_head(const dl_kind *kind) {
    return kind == &aux_type.kind;
}

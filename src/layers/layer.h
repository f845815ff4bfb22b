/* SPDX-License-Identifier: MIT */
/* The contract of a layer type: one file in this folder, one line in registry.c. */
#ifndef DL_LAYERS_LAYER_H
#define DL_LAYERS_LAYER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "config/option.h"
#include "layers/initializer.h"
#include "math/activation.h"
#include "math/shape.h"
#include "math/window.h"

/* What a max pooling remembers beside its output, for layers that read it. */
typedef struct {
    const dl_window *window;
    dl_shape from;                  /* the shape of its input */
    const struct dl_buffer *winner; /* uint8 [batch][oh][ow][c]: see dl_max_pool_forward */
} dl_maxima;

/* Activations and their gradients: value[batch][shape], grad likewise. */
typedef struct {
    dl_shape shape; /* of one sample */
    float *value;
    float *grad; /* NULL where nobody needs it: of the data, and in a net that is not trained */
    const dl_maxima *maxima; /* set by the setup of a max pooling for its readers; else NULL */
} dl_tensor;

/* What is special about a parameter. */
enum {
    DL_DECAYS = 1,     /* l1 and l2 apply: weights, not biases */
    DL_OVERWRITES = 2, /* backward honours `beta`: a large gradient need not be zeroed first */
    DL_FROZEN = 4,     /* set by the net: it is not to be trained, its gradient is zero */
    DL_ORTHOGONAL =
        16,        /* a matrix whose columns (or rows, if fewer) stay orthonormal; no DL_DECAYS */
    DL_CARRIED = 8 /* of a state: what a batch left for the next one; no running statistic */
};

enum { DL_MOST_INPUTS = 32 }; /* that any layer can read */

/* A view into the net's flat blocks of weights and gradients (or of state: then no gradient). */
typedef struct {
    const char *name; /* "weight"; the net puts the layer's name before it */
    dl_shape shape;   /* up to four dims: a convolution's are [kh][kw][in][out] */
    int64_t count, offset;
    float *value, *grad;
    unsigned flags;
    float beta; /* set by the net: 0 where backward, under DL_OVERWRITES, is to overwrite grad; else
                   1: it adds to it */
    const dl_initializer *initializer;
    double number;           /* for the initializer: a standard deviation, a value, … */
    int64_t fan_in, fan_out; /* inputs and outputs of a unit */
    int64_t columns;         /* of the parameter as a matrix; 0: its last dim */
    int64_t units, inner;    /* number i belongs to unit i / inner % units; 0, 0: a column each */
    int64_t freeze_until;    /* set by the net: DL_FROZEN before this epoch, from 1 */
    double l1, l2;           /* set by the net: penalties of its layer's own; below 0: none */
} dl_param;

typedef enum {
    DL_SAVED,  /* lives from the layer's forward to its backward pass */
    DL_SCRATCH /* lives within one pass */
} dl_lifetime;

/* Memory beside the activations, placed by the net's memory plan. */
typedef struct dl_buffer {
    dl_lifetime lifetime;
    int64_t bytes; /* for the whole batch */
    void *memory;
} dl_buffer;

/* What a pass over the net is about. */
typedef struct {
    int batch;     /* samples, at most the net's */
    bool training; /* else: no dropout, running statistics, … */
    uint64_t seed;
    uint32_t epoch, step; /* coordinates of the random numbers */
    bool carry; /* the next batch goes on where this one ends: forward leaves it the DL_CARRIED
                   states, from which it begins in any case */
    double statistics; /* the weight of this batch in running statistics; 0: what the layer says */
} dl_pass;

typedef struct dl_layer dl_layer;

typedef struct {
    dl_kind kind; /* the options fill the layer's `self` */
    /* Checks the inputs' shapes; sets the output's; declares parameters, state and buffers; says
       what the backward pass reads. Allocates from layer->arena only. -1 and errors that begin with
       layer->where. */
    int (*setup)(dl_layer *layer, dl_error *error);
    /* in[].value -> out.value */
    void (*forward)(dl_layer *layer, const dl_pass *pass);
    /* out.grad -> in[].grad (overwritten; may be NULL: then not wanted), parameters' grad (+=,
       or as their `beta` says). out.grad may be used as working memory. */
    void (*backward)(dl_layer *layer, const dl_pass *pass);
    /* Frees what setup got from elsewhere than the arena; NULL if there is nothing. Called once,
       also if setup failed. */
    void (*close)(dl_layer *layer);
    int most_inputs;    /* 0 stands for 1 */
    bool can_transpose; /* honours `transposed` */
    /* In training its backward pass is deliberately not the gradient of its forward pass, and at
       test it is: gradient checks run it at test. */
    bool not_a_gradient;
} dl_layer_type;

struct dl_layer {
    const dl_layer_type *type;
    void *self;        /* the type's struct */
    const char *name;  /* unique within the net */
    const char *where; /* "file:line" in the config */
    int index;         /* in the net, from 0; the stream of its random numbers */
    int max_batch, threads;
    bool training;         /* the net was built to be trained */
    bool trainable;        /* else its parameters stay as they are */
    int shares;            /* the layer that owns its parameters; -1: itself */
    bool transposed;       /* with `shares`: parameter 0 alone is the owner's, in whose shape it is
                              declared, and is used transposed */
    int64_t freeze_until;  /* the first epoch, from 1, in which its parameters are trained */
    bool waits;            /* set by the net: this epoch is one before it */
    double l1, l2;         /* penalties of its own, in place of the training's; below 0: none */
    bool straight_through; /* the derivative of a step counts as 1: its loss is made so */
    bool unactivated;      /* its activation is left out */

    int input_count;
    dl_tensor *in; /* [input_count]; grad is this reader's own buffer, the net sums them */
    dl_tensor out;

    /* Set by setup. What the backward pass reads of in[].value and out.value; all is kept for it
       unless these are made false. */
    bool needs_input, needs_output;
    bool needs_maxima;      /* forward and backward read what in[].maxima points to */
    bool gradient_in_place; /* in[0].grad is the same memory as out.grad */
    bool ends_in_bias;      /* parameter "bias" is added to each channel of out, behind all else */
    bool takes_out_bias;    /* a constant in a channel of in[0] does not reach out */
    bool varies;            /* in training out depends on chance, or on the batch's other samples */
    bool is_view;           /* out is in[0] under another shape: no pass, no memory */
    const dl_activation *activation; /* of its output; NULL: none. Set, with the two below, by
                                        dl_layer_set_activation */
    dl_activation fused;             /* what the layer's own passes apply: linear where the
                                        derivative needs the input, see dl_layer_forward */
    dl_buffer *preactivation;        /* float [batch][shape]: that input; NULL: none is kept */
    int64_t operations;              /* of a forward pass, a sample: 2 a multiply-add */

    int param_count, state_count, buffer_count;
    dl_param *params, *states;
    dl_buffer *buffers;
    dl_arena *arena; /* of the net */
};

extern const dl_registry dl_layer_registry;
extern const dl_registry dl_activation_registry; /* for help: names and what they are */

/* Whether a parameter is the layer's own, and not that of the one whose weights it shares. */
static inline bool dl_layer_owns(const dl_layer *layer, int param) {
    return layer->shares < 0 || (layer->transposed && param > 0);
}
/* Its own weights: shared ones count for the layer that owns them. */
static inline int64_t dl_layer_weight_count(const dl_layer *layer) {
    int64_t count = 0;
    for (int p = 0; p < layer->param_count; p++)
        count += dl_layer_owns(layer, p) ? layer->params[p].count : 0;
    return count;
}
/* Whether it has weights of its own that are trained. */
static inline bool dl_layer_is_trained(const dl_layer *layer) {
    return layer->trainable && layer->param_count && dl_layer_owns(layer, layer->param_count - 1);
}

/* For setup: declares what the layer has; the return value is its index in params, states, buffers.
 */
int dl_layer_add_param(dl_layer *layer, dl_param param);
int dl_layer_add_state(dl_layer *layer, dl_param state);
int dl_layer_add_buffer(dl_layer *layer, dl_lifetime lifetime, int64_t bytes);
/* For setup: all inputs must have one shape; 0, or -1 and an error: "cannot `verb` inputs of shapes
 * …".
 */
int dl_layer_same_shapes(const dl_layer *layer, const char *verb, dl_error *error);
/* For setup, after out.shape: its output goes through `activation`, by layer->fused in the layer's
   own passes; sets needs_output. */
void dl_layer_set_activation(dl_layer *layer, const dl_activation *activation);
/* The layer's pass, and that of its activation where this is not fused: it then keeps its input. */
void dl_layer_forward(dl_layer *layer, const dl_pass *pass);
void dl_layer_backward(dl_layer *layer, const dl_pass *pass);
/* The coordinates of this layer's random numbers in a pass. */
dl_draw dl_layer_draw(const dl_layer *layer, dl_purpose purpose, const dl_pass *pass);

/* The options of a layer that has a dl_activation at `field`: `activation`, and the parameters of
   the functions. Its setup calls dl_layer_set_activation. */
#define DL_ACTIVATION_OPTIONS(owner, field, fallback_name)                                         \
    DL_CHOICE_OPTION("activation", owner, field.kind, fallback_name, dl_activation_names,          \
                     "the function that the layer's outputs go through")                           \
    DL_ACTIVATIONS(DL_NO_FUNCTION, DL_ACTIVATION_PARAMETER, owner, field)
#define DL_ACTIVATION_PARAMETER(name, fallback, least, most, help, owner, field)                   \
    , DL_FLOAT_OPTION(#name, owner, field.name, fallback, least, most, help)

#endif

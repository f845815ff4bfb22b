/* SPDX-License-Identifier: MIT */
/* The contract of a layer: one file in this folder, one line in registry.c. */
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

/* The positions of the maxima of a max pooling, for layers that read it. */
typedef struct {
    const dl_window *window;
    dl_shape from;                  /* shape of its input */
    const struct dl_buffer *winner; /* uint8 [batch][oh][ow][c]: see dl_max_pool_forward */
} dl_maxima;

/* Activations value[batch][shape] and their gradients grad[batch][shape]. */
typedef struct {
    dl_shape shape; /* of one sample */
    float *value;
    float *grad;             /* NULL if not needed: of the data, and in inference */
    const dl_maxima *maxima; /* set by setup of a max pooling; else NULL */
} dl_tensor;

/* Flags of a parameter. */
enum {
    DL_DECAYS = 1,      /* l1 and l2 apply: weights, not biases */
    DL_OVERWRITES = 2,  /* backward honors `beta`: the gradient need not be zeroed first */
    DL_FROZEN = 4,      /* set by the net: not trained, its gradient is zero */
    DL_ORTHOGONAL = 16, /* columns (or rows, if fewer) stay orthonormal; without DL_DECAYS */
    DL_CARRIED = 8      /* a state that one batch leaves to the next; not a running statistic */
};

enum { DL_MAX_INPUTS = 32 }; /* of one layer */

/* How PyTorch stores a parameter of rank 2 or 4. */
typedef enum {
    DL_TORCH_OUT_FIRST, /* [out][in], [out][in][kh][kw] */
    DL_TORCH_SAME,      /* a table, a row per symbol or step */
    DL_TORCH_DEPTHWISE  /* [channels * multiplier][1][kh][kw] */
} dl_torch_layout;

/* A view into the net's flat blocks of weights and gradients, or of state, without a gradient. */
typedef struct {
    const char *name; /* "weight"; the net prefixes the layer's name */
    dl_shape shape;   /* up to four dims: a convolution's are [kh][kw][in][out] */
    int64_t count, offset;
    float *value, *grad;
    unsigned flags;
    dl_torch_layout layout;
    float beta; /* set by the net: 0: backward (under DL_OVERWRITES) overwrites grad; 1: it adds */
    const dl_initializer *initializer;
    double argument;         /* of the initializer: standard deviation, limit, value or gain */
    const float *values;     /* of the initializer DL_INIT_VALUES */
    int64_t fan_in, fan_out; /* inputs and outputs of a unit */
    int64_t columns;         /* of the parameter as a matrix; 0: its last dimension */
    int64_t units, inner;    /* element i is of unit i / inner % units; 0, 0: column = unit */
    int64_t freeze_until;    /* set by the net: DL_FROZEN before this epoch (from 1) */
    double l1, l2;           /* set by the net: the layer's own penalties; < 0: none */
} dl_param;

typedef enum {
    DL_SAVED,  /* valid from the layer's forward to its backward pass */
    DL_SCRATCH /* valid within one pass */
} dl_lifetime;

/* Working memory of a layer, allocated by the net's memory plan. */
typedef struct dl_buffer {
    dl_lifetime lifetime;
    int64_t bytes; /* for the whole batch */
    void *memory;
} dl_buffer;

/* Parameters of a forward or backward pass. */
typedef struct {
    int batch;     /* samples, at most max_batch */
    bool training; /* else: no dropout, running statistics, … */
    uint64_t seed;
    uint32_t epoch, step; /* of the random numbers */
    bool guided;          /* backward: guided backpropagation */
    bool carry; /* forward writes the DL_CARRIED states, from which the next batch continues */
    double statistics; /* weight of this batch in running statistics; 0: the layer's option */
} dl_pass;

typedef struct dl_layer dl_layer;

/* Elements first, first + step, … of an axis up to last; none if last < first. */
typedef struct {
    int first, last, step;
} dl_extent;

typedef struct {
    dl_kind kind; /* the options fill the layer's `self` */
    /* Checks the inputs' shapes; sets the output's shape; declares parameters, states and buffers,
       and what the backward pass reads. Allocates from layer->arena only. -1 and errors that begin
       with layer->where. */
    int (*setup)(dl_layer *layer, dl_error *error);
    /* in[].value -> out.value */
    void (*forward)(dl_layer *layer, const dl_pass *pass);
    /* out.grad -> in[].grad (overwritten; skipped if NULL) and the parameters' grad (+=, or
       depending on `beta`). May overwrite out.grad. */
    void (*backward)(dl_layer *layer, const dl_pass *pass);
    /* Frees what setup allocated outside the arena, even if it failed. May be NULL. */
    void (*close)(dl_layer *layer);
    /* The elements of in[input] along an axis (0, 1: rows, columns; steps of a sequence: 0) that
       element `out` of the output's axis depends on; they may extend beyond the input. NULL: the
       same element if both are images, or sequences, of the same size; else all. */
    dl_extent (*reach)(const dl_layer *layer, int input, int axis, int out);
    int max_inputs;     /* 0 means 1 */
    bool can_transpose; /* honours `transposed` */
    /* In training, the backward pass is deliberately not the gradient of the forward pass; gradient
       checks run it in test mode. */
    bool inexact_gradient;
    bool reads_indices; /* its inputs are indices, which have no gradient */
} dl_layer_type;

struct dl_layer {
    const dl_layer_type *type;
    void *self;        /* the type's struct */
    const char *name;  /* unique within the net */
    const char *where; /* "file:line" in the config */
    int index;         /* in the net, from 0; selects its random numbers */
    int max_batch, threads;
    bool training;        /* built for training */
    bool trainable;       /* else its parameters are constant */
    int shares;           /* the layer that owns its parameters; -1: itself */
    bool transposed;      /* with `shares`: only parameter 0 is shared; it has the owner's shape and
                             is used transposed */
    int64_t freeze_until; /* the first epoch (from 1) in which its parameters are trained */
    bool frozen;          /* set by the net: the epoch is before freeze_until */
    double l1, l2;        /* penalties in place of the training's; < 0: none */
    bool straight_through; /* use 1 as the derivative of the activation "step" (loss perceptron) */
    bool unactivated;      /* without its activation */

    int input_count;
    dl_tensor *in; /* [input_count]; each reader has its own grad, the net sums them */
    dl_tensor out;

    /* Set by setup; true by default: the backward pass reads in[].value, out.value. */
    bool needs_input, needs_output;
    bool needs_maxima;      /* forward and backward read in[].maxima */
    bool gradient_in_place; /* in[0].grad and out.grad share memory */
    bool ends_in_bias;      /* the last operation adds parameter "bias" to each channel */
    bool removes_bias;      /* a constant added to a channel of in[0] has no effect on out */
    bool varies;            /* in training out depends on random numbers or on other samples */
    bool is_view;           /* out is in[0] with another shape: no passes, no memory */
    const dl_activation *activation; /* of out, or NULL; set, with the next two, by
                                        dl_layer_set_activation */
    dl_activation fused;             /* applied by the layer's own passes: linear if the
                                        derivative needs the input (dl_layer_forward) */
    dl_buffer *preactivation;        /* float [batch][shape]: that input, or NULL */
    const float *fixed;              /* a kernel [height][width] that is not trained, or NULL */
    int64_t operations;              /* per sample and forward pass; a multiply-add is 2 */

    int param_count, state_count, buffer_count;
    dl_param *params, *states;
    dl_buffer *buffers;
    dl_arena *arena; /* of the net */
};

extern const dl_registry dl_layer_registry;
extern const dl_registry dl_activation_registry; /* for help */

/* Whether the layer owns the parameter, rather than sharing it. */
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

/* For setup: declare parameters, states, buffers. Return the index in params, states, buffers. */
int dl_layer_add_param(dl_layer *layer, dl_param param);
int dl_layer_add_state(dl_layer *layer, dl_param state);
int dl_layer_add_buffer(dl_layer *layer, dl_lifetime lifetime, int64_t bytes);
int dl_layer_add_floats(dl_layer *layer, dl_lifetime lifetime, int64_t count);
/* Adds parameter name[count], without flags, with an initializer DL_INIT_…. */
int dl_layer_add_vector(dl_layer *layer, const char *name, int count, int initializer,
                        double argument);
/* For setup: 0, or -1 and an error, unless `in` is an image, the input is a sequence, or it is
   either of them. */
int dl_layer_check_image(const dl_layer *layer, dl_shape in, dl_error *error);
int dl_layer_check_sequence(const dl_layer *layer, dl_error *error);
int dl_layer_check_positions(const dl_layer *layer, dl_error *error);
/* For setup: numbers of the config, flat or nested as the shape is, in the arena; NULL and an error
   if their count or nesting is not that of the shape. */
float *dl_layer_read_numbers(const dl_layer *layer, const char *key,
                             const struct config_setting_t *list, dl_shape shape, dl_error *error);
/* For setup: 0, or -1 and "cannot `verb` inputs of shapes …" unless all inputs have one shape. */
int dl_layer_check_same_shapes(const dl_layer *layer, const char *verb, dl_error *error);
/* For setup, after out.shape is set: sets activation, fused, preactivation and needs_output. */
void dl_layer_set_activation(dl_layer *layer, const dl_activation *activation);
/* Run the layer's pass and, if it is not fused, that of its activation. */
void dl_layer_forward(dl_layer *layer, const dl_pass *pass);
void dl_layer_backward(dl_layer *layer, const dl_pass *pass);
/* For `reach`: all elements of the input's axis. */
dl_extent dl_layer_reach_all(const dl_layer *layer, int input, int axis, int out);
/* The elements in window `out`. */
static inline dl_extent dl_window_reach(const dl_window *w, int axis, int out) {
    int first = out * w->stride[axis] - w->before[axis];
    return (dl_extent){first, first + dl_window_extent(w, axis) - 1, w->dilation[axis]};
}
/* The windows, without dilation, that contain element `out` of their image. */
static inline dl_extent dl_window_reached(const dl_window *w, int axis, int out) {
    int stride = w->stride[axis], before = out + w->before[axis] - w->kernel[axis];
    return (dl_extent){before < 0 ? 0 : before / stride + 1, (out + w->before[axis]) / stride, 1};
}
/* The random numbers of this layer in a pass. */
dl_draw dl_layer_draw(const dl_layer *layer, dl_purpose purpose, const dl_pass *pass);

/* Elements of out in a pass, and rows of channels. */
static inline int64_t dl_layer_elements(const dl_layer *layer, const dl_pass *pass) {
    return pass->batch * dl_shape_size(layer->out.shape);
}
static inline int64_t dl_layer_rows(const dl_layer *layer, const dl_pass *pass) {
    return dl_layer_elements(layer, pass) / dl_shape_channels(layer->out.shape);
}

/* The options of a layer with a dl_activation at `field`, whose setup calls
   dl_layer_set_activation. */
#define DL_ACTIVATION_OPTIONS(owner, field, fallback_name)                                         \
    DL_CHOICE_OPTION("activation", owner, field.kind, fallback_name, dl_activation_names,          \
                     "activation function applied to the outputs")                                 \
    DL_ACTIVATIONS(DL_NO_FUNCTION, DL_ACTIVATION_PARAMETER, owner, field)
#define DL_ACTIVATION_PARAMETER(name, fallback, least, most, help, owner, field)                   \
    , DL_FLOAT_OPTION(#name, owner, field.name, fallback, least, most, help)

#endif

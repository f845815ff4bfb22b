/* SPDX-License-Identifier: MIT */
/* What lstm, gru and simple_rnn share: everything but the arithmetic of a unit.

   Of an input x[batch][T][C] the products of all steps are one product x · W. Then, step by step,
     h_t = cell(x_t W + b, h_(t-1) V),
   where h_0 is 0 or, if the layer is stateful, the last h of the same row of the batch before
   (Williams and Peng, "An efficient gradient-based algorithm for on-line training of recurrent
   network trajectories", Neural Computation 1990: no gradient goes back into that batch). V is
   packed once a pass and each thread goes through the steps with rows of its own. The
   backward pass goes through the steps from the last to the first and leaves the gradients dz of
   all gates, from which dx = dz W', dW += x' dz and dV += h_(t-1)' dz are one product each. */
#ifndef DL_LAYERS_RECURRENT_H
#define DL_LAYERS_RECURRENT_H

#include "layers/weights.h"

/* One row in one step, for a cell of G gates. */
typedef struct {
    const void *self; /* the layer's options */
    int64_t units;
    float *gates;                /* [G][units]: forward: x W + b, and becomes what backward needs;
                                    backward: becomes dz */
    const float *previous;       /* [units]: h_(t-1) */
    float *memory;               /* [units]: the cell's own number of this step */
    const float *memory_before;  /* [units]: of the step before; 0, or carried, in the first */
    const float *recurrent_bias; /* [G][units], or NULL */
    const float *product;        /* forward: [G][units], h_(t-1) V */
    float *state;                /* forward: [units], becomes h_t */
    const float *dy, *back;      /* backward: [units] each; their sum is the gradient of h_t, as far
                                    as it comes from outside and through V */
    float *carried;              /* backward: [units], what the cell hands to the step before */
    float *recurrent_grad;       /* backward: [G][units], becomes the gradient of h_(t-1) V; NULL if
                                    the cell's is dz */
} dl_recurrent_step;

typedef struct {
    int gates;
    bool has_memory;
    bool carries_memory; /* it is part of the state: the next step reads it */
    bool apart;          /* the gradient of h V is not dz: there is a second bias, that of h V */
    void (*forward)(const dl_recurrent_step *step);
    void (*backward)(const dl_recurrent_step *step);
    const dl_initializer *bias; /* its `number` is bias_number */
} dl_recurrent_cell;

/* What the buffers of one direction are for; indices into layer->buffers, params into params. */
typedef struct {
    int weight, recurrent, bias, recurrent_bias; /* parameters; -1: none */
    int gates, previous, memory, gradient;       /* saved, for all steps; -1: none */
    int memory_first;                            /* saved: [batch][units], carried; -1: zeros */
} dl_recurrent_way;

/* A layer's struct begins with it. */
typedef struct {
    int64_t units;
    int returns; /* 0: the sequence, 1: the last step */
    bool bidirectional, stateful, bias, orthogonal;
    dl_init init;
    /* set by dl_recurrent_setup */
    const dl_recurrent_cell *cell;
    dl_recurrent_way way[2];
    int packed, state, product, carried, zeros; /* scratch */
    int kept_state, kept_memory;                /* in layer->states; -1: none */
} dl_recurrent;

extern const char *const dl_recurrent_returns[], *const dl_recurrent_inits[];

/* The rows of an option table for a dl_recurrent at `field` of `owner`. */
#define DL_RECURRENT_OPTIONS(owner, field)                                                         \
    DL_ORTHOGONAL_OPTION(owner, field.orthogonal, "the recurrent_weight"),                         \
        DL_INT_OPTION("units", owner, field.units, DL_REQUIRED, 1, 1 << 16,                        \
                      "numbers that the layer remembers from step to step, and gives out"),        \
        DL_CHOICE_OPTION("return", owner, field.returns, "sequence", dl_recurrent_returns,         \
                         "sequence: the outputs of all steps, for a further layer over them; "     \
                         "last: those of the "                                                     \
                         "last step alone, to say something of the sequence as a whole"),          \
        DL_BOOL_OPTION("bidirectional", owner, field.bidirectional, "false",                       \
                       "a second set of weights reads the sequence backwards; the outputs of "     \
                       "both stand side "                                                          \
                       "by side, 2 x units. Not where the next symbol is to be foretold"),         \
        DL_BOOL_OPTION(                                                                            \
            "stateful", owner, field.stateful, "false",                                            \
            "true: each row of a batch begins with the state in which the same row of the batch "  \
            "before ended, so that the layer remembers more than a sample's length; gradients "    \
            "end "                                                                                 \
            "there, and every pass over the data begins with zeros. For a text, with "             \
            "training.shuffle = false: it is cut into batch_size lanes of neighbouring rows, one " \
            "a "                                                                                   \
            "row of the batch; of rows left over the first lanes have one more each, which make "  \
            "a "                                                                                   \
            "last, smaller batch"),                                                                \
        DL_BOOL_OPTION("bias", owner, field.bias, "true", "add a learned bias to each gate"),      \
        DL_INIT_OPTIONS(owner, field.init, "glorot_uniform", "0.01", dl_recurrent_inits,           \
                        "; the same for the weights of the inputs and of the state")

/* The layer's operations; setup with the cell and what its bias initializer is given. */
int dl_recurrent_setup(dl_layer *layer, const dl_recurrent_cell *cell, double bias_number,
                       dl_error *error);
void dl_recurrent_forward(dl_layer *layer, const dl_pass *pass);
void dl_recurrent_backward(dl_layer *layer, const dl_pass *pass);

#endif

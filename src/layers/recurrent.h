/* SPDX-License-Identifier: MIT */
/* The common part of lstm, gru and simple_rnn: everything except the arithmetic of a cell.

   For an input x[batch][T][C], one product x · W covers all steps. Then, step by step,
     h_t = cell(x_t W + b, h_(t-1) V),
   where h_0 is 0 or, if the layer is stateful, the last h of the same row of the previous batch
   (Williams and Peng, "An efficient gradient-based algorithm for on-line training of recurrent
   network trajectories", Neural Computation 1990: no gradient flows into that batch). V is packed
   once per pass; each thread processes its own rows. The backward pass goes from the last step to
   the first and computes the gradients dz of all gates; dx = dz W', dW += x' dz and
   dV += h_(t-1)' dz are then one product each. */
#ifndef DL_LAYERS_RECURRENT_H
#define DL_LAYERS_RECURRENT_H

#include "layers/weights.h"

/* One row in one step, for a cell with G gates. */
typedef struct {
    const void *self; /* the layer's options */
    int64_t units;
    float *gates;                /* [G][units]: forward replaces x W + b by what backward needs,
                                    backward replaces that by dz */
    const float *previous;       /* [units]: h_(t-1) */
    float *memory;               /* [units]: internal to the cell, e.g. c_t of lstm */
    const float *memory_before;  /* [units]: of the previous step; 0, or carried, in the first */
    const float *recurrent_bias; /* [G][units], or NULL */
    const float *product;        /* forward: [G][units], h_(t-1) V */
    float *state;                /* forward: [units], becomes h_t */
    const float *dy, *back;      /* backward: [units] each, the gradient of h_t from outside and
                                    through V */
    float *carried;              /* backward: [units], gradient passed to the previous step */
    float *recurrent_grad;       /* backward: [G][units], becomes the gradient of h_(t-1) V; NULL if
                                    that is dz */
} dl_recurrent_step;

typedef struct {
    int gates;
    bool has_memory;
    bool carries_memory; /* the next step reads it */
    bool separate;       /* the gradient of h V is not dz: h V has a bias of its own */
    void (*forward)(const dl_recurrent_step *step);
    void (*backward)(const dl_recurrent_step *step);
    const dl_initializer *bias; /* with argument bias_argument */
} dl_recurrent_cell;

/* Indices of one direction into layer->params and layer->buffers. */
typedef struct {
    int weight, recurrent, bias, recurrent_bias; /* parameters; -1: none */
    int gates, previous, memory, gradient;       /* saved, for all steps; -1: none */
    int memory_first;                            /* saved: [batch][units], carried; -1: zeros */
} dl_recurrent_direction;

/* The first member of a layer's struct. */
typedef struct {
    int64_t units;
    int returns; /* 0: the sequence, 1: the last step */
    bool bidirectional, stateful, bias, orthogonal;
    dl_init init;
    /* set by dl_recurrent_setup */
    const dl_recurrent_cell *cell;
    dl_recurrent_direction directions[2];
    int packed, state, product, carried, zeros; /* scratch */
    int carried_state, carried_memory;          /* in layer->states; -1: none */
} dl_recurrent;

extern const char *const dl_recurrent_returns[], *const dl_recurrent_inits[];

/* The options of a dl_recurrent at `field` of `owner`. */
#define DL_RECURRENT_OPTIONS(owner, field)                                                         \
    DL_ORTHOGONAL_OPTION(owner, field.orthogonal, "the recurrent_weight"),                         \
        DL_INT_OPTION("units", owner, field.units, DL_REQUIRED, 1, 1 << 16,                        \
                      "size of the state, and number of outputs per step"),                        \
        DL_CHOICE_OPTION("return", owner, field.returns, "sequence", dl_recurrent_returns,         \
                         "\"sequence\": the outputs of all steps, for another layer over "         \
                         "sequences; \"last\": the output of the last step only, to classify or "  \
                         "predict from the whole sequence"),                                       \
        DL_BOOL_OPTION("bidirectional", owner, field.bidirectional, "false",                       \
                       "also read the sequence backward with a second set of weights, and "        \
                       "concatenate the outputs: 2 x units. Not for predicting the next symbol"),  \
        DL_BOOL_OPTION(                                                                            \
            "stateful", owner, field.stateful, "false",                                            \
            "start each row of a batch with the final state of the same row of the previous "      \
            "batch, so that the layer remembers more than the length of a sample. Gradients stop " \
            "there, and each pass over the data starts with zeros. For text, with "                \
            "training.shuffle = false: the text is cut into batch_size contiguous streams, one "   \
            "per row of the batch; if they do not divide evenly, the first ones have one more "    \
            "sample, in a smaller last batch"),                                                    \
        DL_BOOL_OPTION("bias", owner, field.bias, "true", "add a learned bias to each gate"),      \
        DL_INIT_OPTIONS(owner, field.init, "glorot_uniform", "0.01", dl_recurrent_inits,           \
                        "; also applies to the recurrent weights")

/* The layer's operations. bias_argument: of cell->bias. */
int dl_recurrent_setup(dl_layer *layer, const dl_recurrent_cell *cell, double bias_argument,
                       dl_error *error);
void dl_recurrent_forward(dl_layer *layer, const dl_pass *pass);
void dl_recurrent_backward(dl_layer *layer, const dl_pass *pass);
dl_extent dl_recurrent_reach(const dl_layer *layer, int input, int axis, int out);

#endif

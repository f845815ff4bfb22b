/* SPDX-License-Identifier: MIT */
/* The plan of a direct convolution, and its weights in the order of the kernels. Private to
   src/math/direct*.c and packed.c. */
#ifndef DL_MATH_DIRECT_PLAN_H
#define DL_MATH_DIRECT_PLAN_H

#include <stdbool.h>

#include "math/activation.h"
#include "math/direct_kernel.h"
#include "math/window.h"

enum { STRIP = STRIP_VECTORS * LANES };

/* A sum of taps at every point of a grid: the forward pass, or one phase of the backward pass. */
typedef struct {
    direct_window window;     /* out_step: as `out` has it */
    int height, width;        /* points */
    int channels;             /* of a point */
    int64_t x_line, out_line; /* floats from one line of points to the next */
    bool whole;               /* the channels are whole vectors */
    int64_t weights;          /* where its packed weights begin */
    int64_t x_first, out_first;
} grid;

/* With a stride the pixels of dx fall into phases, whose windows see different taps. */
enum { MOST_PHASES = 16 };

typedef struct dl_direct {
    dl_window window;
    int filters, threads;
    dl_activation activation;
    bool training;
    bool padded;     /* windows reach beyond the image: it is copied between zeros */
    int tile[2];     /* height and width of the padded image */
    int margin[2];   /* lines and pixels of zeros before dz */
    int z_tile[2];   /* height and width of dz with zeros around it */
    int joined;      /* adjacent pixels of y that make up a point of the forward grid */
    int64_t taps;    /* of such a point */
    int64_t vectors; /* of all filters, rounded up */
    grid forward;
    int phases;
    grid phase[MOST_PHASES];
    int copies;    /* of dx that are added up; 0: dx is made phase by phase */
    grid spread;   /* what a line of dz gives to a line of dx */
    float *frozen; /* owned: the packed weights of a net that is not trained; NULL: none yet */
    /* the scratch memory, in floats: shared, then for each thread */
    int64_t packed, bias;
    int64_t x_tile, z_size, out_tile, sums, row_sums, per_thread;
} dl_direct;

/* A number of floats, rounded up to whole vectors. */
static inline int64_t whole_vectors(int64_t floats) {
    return (floats + LANES - 1) / LANES * LANES;
}

/* The width of the strip that begins with channel `first`. */
static inline int strip_width(int channels, int first) {
    int64_t left = whole_vectors(channels) - first;
    return left < STRIP ? (int)left : STRIP;
}

/* Floats of a line of a grid whose channels are no whole vectors, in working memory. */
int64_t direct_line_size(const grid *g);
/* Floats of a copy of a line of dx in the backward pass by spreading. */
int64_t direct_copy_size(const dl_direct *direct);

/* Completes a plan whose window, filters, activation, training and threads are set. */
void direct_plan(dl_direct *direct);
/* packed[strip][tap][strip's channels] = weight[tap][filters]; of joined pixels each sees its own
   part of the taps. */
void direct_pack_forward(const dl_direct *direct, const float *weight, float *packed);
/* For the backward pass over the data, by phases or by spreading. */
void direct_pack_backward(const dl_direct *direct, const float *weight, float *packed);

#endif

/* SPDX-License-Identifier: MIT */
/* Where a layer puts the rows of the data: its outputs as points, their principal components,
   clusters, nearest neighbors, and a map by t-SNE. */
#ifndef DL_INSPECT_EMBED_H
#define DL_INSPECT_EMBED_H

#include "inspect/look.h"

typedef struct {
    int64_t rows;       /* at most, spread over the split */
    int64_t clusters;   /* 0: as many as classes, or 10 */
    double perplexity;  /* 0: 30, or less if there are few rows */
    int64_t iterations; /* of t-SNE */
    int64_t neighbors;  /* to list for each row; 0: none */
    int64_t seed;
} dl_embed_options;

/* The outputs of a layer. */
typedef struct {
    dl_look *look;
    const char *of; /* "dense_1" */
    const dl_embed_options *options;
    int64_t rows, size;
    dl_shape shape; /* of a row */
    float *x;       /* [rows][size] */
    int64_t *index; /* [rows]: of the dataset */
    float *target;  /* [rows]: a class or a number; NULL: neither */
    int classes;    /* 0: numbers */
    int64_t seen;   /* rows of the split so far */
} dl_embedding;

/* dlinspect embed. */
int dl_look_at_embedding(dl_look *look, const dl_embed_options *options, dl_error *error);
/* Writes map[2][rows] as a picture, colored by target. */
int dl_embedding_draw(const dl_embedding *e, const char *kind, const char *title, const float *map,
                      dl_error *error);
/* Writes map[2][rows] as a picture of the inputs, where they do not overlap. */
int dl_embedding_draw_thumbnails(const dl_embedding *e, const float *map, dl_error *error);

#endif

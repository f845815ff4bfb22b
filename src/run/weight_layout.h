/* SPDX-License-Identifier: MIT */
/* How PyTorch and Keras store the parameters of a layer: names, order of axes and of gates.

     here                         PyTorch                         Keras
     dense [in][out]              weight [out][in]                kernel [in][out]
     conv [kh][kw][in][out]       weight [out][in][kh][kw]        kernel [kh][kw][in][out]
     depthwise [kh][kw][c][m]     weight [c m][1][kh][kw]         kernel [kh][kw][c][m]
     lstm, gates i f g o          weight_ih_l0, two biases added  kernel, gates i f g o
     gru, gates r z n             weight_ih_l0, gates r z n       kernel, gates z r n, bias [2][3 u]
     attention [in][3 u]          in_proj_weight [3 u][in]        query, key, value [in][heads][d]

   PyTorch flattens an image channels first: the inputs of a dense layer that reads one, and the
   outputs of one that an image is made of, are in another order. So does a sequence of a conv1d. */
#ifndef DL_RUN_WEIGHT_LAYOUT_H
#define DL_RUN_WEIGHT_LAYOUT_H

#include "net/net.h"

enum { DL_LAYOUT_AUTO, DL_LAYOUT_DLTRAIN, DL_LAYOUT_TORCH, DL_LAYOUT_KERAS };
extern const char *const dl_layout_names[];

enum { DL_MOST_PIECES = 3, DL_PIECE_AXES = 4 };

/* Elements of a parameter in a tensor there: element (i, j, k, l) is at here_at + i here[0] + j
   here[1] + … of the parameter, and at there_at + i there[0] + … of the tensor. */
typedef struct {
    char name[48]; /* after that of the layer, with points: "weight_ih_l0" */
    dl_shape shape;
    int64_t count[DL_PIECE_AXES], here[DL_PIECE_AXES], there[DL_PIECE_AXES], here_at, there_at;
    bool added; /* the second bias of a sum: zero when written */
} dl_piece;

/* For one net and layout. */
typedef struct {
    const dl_net *net;
    int layout;
    dl_shape *rows, *columns; /* [layer]: the image that its inputs (outputs) are read from (made
                                 into) channels first; rank 0: none, -1: unclear; in `arena` */
    dl_arena arena;
} dl_weight_layout;

/* The net must be built. */
void dl_weight_layout_open(dl_weight_layout *w, const dl_net *net, int layout);
void dl_weight_layout_free(dl_weight_layout *w);
/* The tensors there of a parameter or state of a layer; 0: it has no equivalent. */
int dl_weight_pieces(const dl_weight_layout *w, const dl_layer *layer, const dl_param *param,
                     dl_piece piece[DL_MOST_PIECES]);
/* A gru without biases, whose file does not say whether Keras's layer had reset_after; it is read
   as true, Keras's default. NULL: the net has none, or the layout is another. */
const dl_layer *dl_weight_find_assumed(const dl_weight_layout *w);
/* Copies (adds) the piece from the bytes of a tensor of floats, or to them. */
void dl_piece_read(const dl_piece *piece, const char *there, float *here);
void dl_piece_write(const dl_piece *piece, const float *here, char *there);

#endif

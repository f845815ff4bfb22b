/* SPDX-License-Identifier: MIT */
/* Which parts of an input a score depends on. A method is one file, saliency_NAME.c, and a line in
   DL_SALIENCY. */
#ifndef DL_INSPECT_SALIENCY_H
#define DL_INSPECT_SALIENCY_H

#include "inspect/look.h"

/* A net built with input_gradient, and one sample. */
typedef struct {
    dl_net *net;
    const float *x, *baseline; /* [size of input], normalized; baseline: of "nothing" */
    dl_target_unit target;
    double score, window; /* window: of occlusion, a part of the height and width */
    int cam_layer;        /* of Grad-CAM; -1: the last one with maps and an activation function */
    double incomplete;    /* set by integrated gradients: relative error of the sum */
} dl_saliency;

typedef struct {
    const char *name;
    bool gradient;  /* of the input, which symbols do not have */
    bool is_signed; /* else only magnitudes have a meaning */
    /* 0, or -1 and an error: it has no meaning for this net. NULL: it always has. */
    int (*check)(const dl_saliency *s, dl_error *error);
    void (*compute)(dl_saliency *s, float *map); /* map[size of input] */
} dl_saliency_method;

/* X(name, help, ...) */
#define DL_SALIENCY(X)                                                                             \
    X(gradient, "gradient of the score")                                                           \
    X(guided, "guided backpropagation, only positive gradients pass through relu")                 \
    X(integrated, "integrated gradients from black, else from the mean")                           \
    X(grad_cam, "maps of a late layer, weighted by their gradients")                               \
    X(occlusion, "drop of the score when a window is set to the mean of the data")
#define DL_SALIENCY_NUMBER(name, help) +1
#define DL_SALIENCY_HELP(name, help) #name " (" help "), "
enum { DL_SALIENCY_METHODS = 0 DL_SALIENCY(DL_SALIENCY_NUMBER) };
extern const dl_saliency_method *const dl_saliency_methods[DL_SALIENCY_METHODS];

/* The map cam[height][width] of the layer of Grad-CAM, whose check has passed; freed by the caller.
 */
float *dl_grad_cam(dl_saliency *s, const dl_layer **layer);

typedef struct {
    const char *method; /* NULL: all */
    const char *rows;   /* of the data, "3,17"; NULL: `count` of them, of each class in turn */
    const char *unit;   /* NULL: the predicted class, or the first output */
    const char *layer;  /* of Grad-CAM, or NULL */
    int64_t count;
    double window;
} dl_saliency_options;

/* dlinspect saliency: a sheet of pictures, saliency_LAYER.png, and the maps as npy files. */
int dl_look_at_saliency(dl_look *look, const dl_saliency_options *options, dl_error *error);
/* dlinspect activations: the outputs of each layer for one row, and dead units over the split. */
int dl_look_at_activations(dl_look *look, const char *row, dl_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* Grad-CAM: relu(sum over the channels k of a_k A_k) of the maps A of a layer, where a_k is the
   mean over the map of the score's gradient. Selvaraju et al., ICCV 2017. */
#include <stdlib.h>

#include "inspect/saliency.h"
#include "math/vector.h"

typedef struct {
    const dl_tensor *out;
    int layer;
    float *value, *grad; /* [height][width][channels] */
} capture;

static void watch(void *context, int layer, bool backward) {
    capture *c = context;
    if (layer == c->layer)
        dl_copy(backward ? c->grad : c->value, backward ? c->out->grad : c->out->value,
                dl_shape_size(c->out->shape));
}

/* -1: the net has no maps. */
static int find_layer(const dl_saliency *s) {
    const dl_net *net = s->net;
    int found = s->cam_layer;
    for (int i = 0; i < net->layer_count && s->cam_layer < 0; i++)
        if (net->layers[i].out.shape.rank == 3 && net->layers[i].activation &&
            net->layers[i].out.grad &&
            net->layers[i].out.shape.dim[0] * net->layers[i].out.shape.dim[1] > 1)
            found = i;
    return found;
}

static int check(const dl_saliency *s, dl_error *error) {
    int found = find_layer(s);
    if (s->net->input.rank != 3 || found < 0)
        return dl_fail(error, DL_USAGE,
                       "grad_cam has no meaning for this net: no layer has maps (height x width x "
                       "channels)");
    if (found < s->net->layer_count && s->net->layers[found].out.shape.rank == 3 &&
        s->net->layers[found].out.grad)
        return 0;
    return dl_fail(
        error, DL_USAGE,
        "grad_cam has no meaning for layer \"%s\": it has no maps that the unit depends on",
        s->net->layers[found].name);
}

float *dl_grad_cam(dl_saliency *s, const dl_layer **layer) {
    int index = find_layer(s);
    *layer = &s->net->layers[index];
    const dl_shape shape = (*layer)->out.shape;
    int channels = shape.dim[2], positions = shape.dim[0] * shape.dim[1];
    int64_t size = dl_shape_size(shape);
    float score, *cam = xcalloc((size_t)positions, sizeof *cam);
    capture c = {&(*layer)->out, index, xmalloc(sizeof *cam * (size_t)size),
                 xmalloc(sizeof *cam * (size_t)size)};
    s->net->watch = watch;
    s->net->watcher = &c;
    dl_look_differentiate(s->net, s->x, 1, &s->target, false, &score);
    s->net->watch = NULL;
    for (int k = 0; k < channels; k++) {
        double mean = 0;
        for (int p = 0; p < positions; p++)
            mean += (double)c.grad[(int64_t)p * channels + k] / positions;
        for (int p = 0; p < positions; p++)
            cam[p] += (float)(mean * c.value[(int64_t)p * channels + k]);
    }
    for (int p = 0; p < positions; p++)
        cam[p] = cam[p] > 0 ? cam[p] : 0;
    free(c.grad);
    free(c.value);
    return cam;
}

/* Enlarged bilinearly, with aligned corners of the images; the same in every channel. */
static void grad_cam(dl_saliency *s, float *map) {
    const dl_layer *layer;
    float *cam = dl_grad_cam(s, &layer);
    const int *to = s->net->input.dim, *from = layer->out.shape.dim;
    for (int y = 0; y < to[0]; y++)
        for (int x = 0; x < to[1]; x++) {
            float at[2] = {((float)y + 0.5f) * (float)from[0] / (float)to[0] - 0.5f,
                           ((float)x + 0.5f) * (float)from[1] / (float)to[1] - 0.5f};
            int low[2], high[2];
            for (int axis = 0; axis < 2; axis++) {
                at[axis] = at[axis] < 0 ? 0 : at[axis];
                low[axis] = (int)at[axis];
                high[axis] = low[axis] + 1 < from[axis] ? low[axis] + 1 : low[axis];
                at[axis] -= (float)low[axis];
            }
            float above = cam[low[0] * from[1] + low[1]] * (1 - at[1]) +
                          cam[low[0] * from[1] + high[1]] * at[1];
            float below = cam[high[0] * from[1] + low[1]] * (1 - at[1]) +
                          cam[high[0] * from[1] + high[1]] * at[1];
            for (int c = 0; c < to[2]; c++)
                map[((int64_t)y * to[1] + x) * to[2] + c] = above * (1 - at[0]) + below * at[0];
        }
    free(cam);
}

const dl_saliency_method dl_saliency_grad_cam = {"grad_cam", false, false, check, grad_cam};

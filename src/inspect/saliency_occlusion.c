/* SPDX-License-Identifier: MIT */
/* How far the score drops when a window of the input is set to the mean of the data: the mean over
   the windows that cover an element. Zeiler and Fergus, ECCV 2014. */
#include <stdlib.h>

#include "inspect/saliency.h"
#include "math/vector.h"

/* Windows of side[] that begin at first[]; of rows and steps: side[1] is 1. */
static void occlude(dl_saliency *s, const int first[2], const int side[2], float *x, float *map,
                    float *covered) {
    const dl_shape in = s->net->input;
    int width = in.rank == 3 ? in.dim[1] : 1, channels = in.rank > 1 ? dl_shape_channels(in) : 1;
    dl_pass pass = {.batch = 1};
    dl_copy(x, s->x, dl_shape_size(in));
    for (int write = 0; write < 2; write++) {
        double drop = 0;
        if (write) {
            dl_net_forward(s->net, x, &pass);
            drop = s->score - dl_look_score(s->net, 0, &s->target);
        }
        for (int r = first[0]; r < first[0] + side[0] && r < in.dim[0]; r++)
            for (int c = first[1]; c < first[1] + side[1] && c < width; c++)
                for (int64_t i = ((int64_t)r * width + c) * channels, k = 0; k < channels; k++) {
                    x[i + k] = 0;
                    map[i + k] += (float)drop;
                    covered[i + k] += (float)write;
                }
    }
}

static void occlusion(dl_saliency *s, float *map) {
    const dl_shape in = s->net->input;
    int64_t size = dl_shape_size(in);
    int side[2] = {1, 1}, step[2] = {1, 1}, width = in.rank == 3 ? in.dim[1] : 1;
    float *x = xmalloc(sizeof *x * (size_t)size), *covered = xcalloc((size_t)size, sizeof *covered);
    for (int axis = 0; axis < 2 && in.rank == 3; axis++) {
        side[axis] = (int)(s->window * in.dim[axis] + 0.5);
        side[axis] = side[axis] < 1 ? 1 : side[axis];
        step[axis] = (side[axis] + 1) / 2;
    }
    dl_zero(map, size);
    for (int r = step[0] - side[0]; r < in.dim[0]; r += step[0])
        for (int c = step[1] - side[1]; c < width; c += step[1]) {
            const int first[2] = {r < 0 ? 0 : r, c < 0 ? 0 : c};
            const int cut[2] = {side[0] - (first[0] - r), side[1] - (first[1] - c)};
            occlude(s, first, cut, x, map, covered);
        }
    for (int64_t i = 0; i < size; i++)
        map[i] /= covered[i] > 0 ? covered[i] : 1;
    free(covered);
    free(x);
}

const dl_saliency_method dl_saliency_occlusion = {"occlusion", false, true, NULL, occlusion};

/* SPDX-License-Identifier: MIT */
/* Integrated gradients: (x - b) times the mean gradient on the line from the baseline b to x, whose
   sum is the score minus that of the baseline. Sundararajan et al., ICML 2017. */
#include <math.h>
#include <stdlib.h>

#include "inspect/saliency.h"

enum { FEWEST = 32, MOST = 4096 };
static const double TOLERANCE = 0.005;

/* By the midpoint rule. Returns the error of the sum, relative to it, or to a tenth of the sum of
   magnitudes if they cancel. */
static double integrate(const dl_saliency *s, int steps, double difference, float *map) {
    int64_t size = dl_shape_size(s->net->input);
    int most = s->net->max_batch;
    float *x = xmalloc(sizeof *x * (size_t)(most * size)),
          *score = xmalloc(sizeof *score * (size_t)most);
    double *sum = xcalloc((size_t)size, sizeof *sum), total = 0, magnitude = 0;
    dl_target_unit *target = xmalloc(sizeof *target * (size_t)most);
    for (int n = 0; n < most; n++)
        target[n] = s->target;
    for (int first = 0; first < steps; first += most) {
        int batch = steps - first < most ? steps - first : most;
        for (int64_t i = 0; i < batch * size; i++) {
            double along = ((double)(first + i / size) + 0.5) / steps, b = s->baseline[i % size];
            x[i] = (float)(b + along * (s->x[i % size] - b));
        }
        dl_look_differentiate(s->net, x, batch, target, false, score);
        for (int64_t i = 0; i < batch * size; i++)
            sum[i % size] += s->net->input_grad[i];
    }
    for (int64_t i = 0; i < size; i++) {
        map[i] = (float)((s->x[i] - s->baseline[i]) * sum[i] / steps);
        total += map[i];
        magnitude += fabs((double)map[i]);
    }
    free(target);
    free(sum);
    free(score);
    free(x);
    return fabs(total - difference) / fmax(fmax(fabs(difference), magnitude / 10), 1e-6);
}

static void integrated(dl_saliency *s, float *map) {
    float score, none;
    dl_look_differentiate(s->net, s->baseline, 1, &s->target, false, &none);
    dl_look_differentiate(s->net, s->x, 1, &s->target, false, &score);
    for (int steps = FEWEST; steps <= MOST; steps *= 2)
        if ((s->incomplete = integrate(s, steps, (double)score - none, map)) < TOLERANCE)
            break;
}

const dl_saliency_method dl_saliency_integrated = {"integrated", true, true, NULL, integrated};

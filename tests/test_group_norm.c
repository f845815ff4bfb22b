/* SPDX-License-Identifier: MIT */
/* dl_group_norm_*: the sums in blocks and stretches against the definition in double; a large mean;
   the same bits whatever the threads. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/norm.h"
#include "math/threads.h"

typedef struct {
    dl_norm_groups g;
    double level; /* added to x */
    int activation;
} norm_case;

static const norm_case cases[] = {
    {{5, 1, 7, 1}, 0, DL_RELU},       {{3, 20, 6, 3}, 0, DL_LINEAR},
    {{2, 700, 130, 10}, 0, DL_RELU},  {{1, 40000, 3, 3}, 5, DL_LINEAR},
    {{200, 1, 129, 1}, 1, DL_LINEAR}, {{2, 512, 128, 1}, 300, DL_LINEAR},
    {{3, 30, 64, 64}, 1000, DL_RELU}, {{70, 9, 4, 2}, 0, DL_RELU},
};

typedef struct {
    float *x, *dy, *y, *dz, *dx, *mean, *inverse, *scale, *shift, *dscale, *dshift;
    void *scratch;
} arrays;

static int64_t size_of(const dl_norm_groups *g) {
    return g->samples * g->positions * g->channels;
}

static float *filled(int64_t count, uint16_t stream) {
    float *numbers = xcalloc((size_t)count, sizeof *numbers);
    if (stream)
        harness_fill(numbers, count, stream);
    return numbers;
}

static arrays run(const norm_case *c) {
    const dl_norm_groups *g = &c->g;
    int64_t size = size_of(g), channels = g->channels;
    dl_activation f = {.kind = c->activation};
    arrays a = {.x = filled(size, 1), .dy = filled(size, 2), .y = filled(size, 0)};
    a.dz = filled(size, 0);
    a.dx = filled(size, 0);
    a.mean = filled(g->samples * g->groups, 0);
    a.inverse = filled(g->samples * g->groups, 0);
    a.scale = filled(channels, 3);
    a.shift = filled(channels, 4);
    a.dscale = filled(channels, 5);
    a.dshift = filled(channels, 6);
    a.scratch = xmalloc(dl_group_norm_scratch(g));
    for (int64_t i = 0; i < size; i++)
        a.x[i] += (float)c->level;
    dl_norm norm = {.activation = &f,
                    .channels = channels,
                    .x = a.x,
                    .y = a.y,
                    .mean = a.mean,
                    .inverse = a.inverse,
                    .scale = a.scale,
                    .shift = a.shift,
                    .scratch = a.scratch};
    dl_norm_gradients gradients = {a.dz, a.dx, a.dscale, a.dshift};
    dl_group_norm_forward(g, 1e-5, &norm);
    memcpy(a.dz, a.dy, sizeof *a.dz * (size_t)size);
    dl_group_norm_backward(g, &norm, &gradients);
    return a;
}

static void release(arrays *a) {
    float *all[] = {a->x,       a->dy,    a->y,     a->dz,     a->dx,    a->mean,
                    a->inverse, a->scale, a->shift, a->dscale, a->dshift};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(a->scratch);
}

static void near(double got, double want, double tolerance, const char *what) {
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s: %.9g, by the definition %.9g", what, got, want);
}

/* One group of one sample; the gradients of the parameters are added up in dscale and dshift. */
static void check_group(const norm_case *c, const arrays *a, int64_t n, int64_t k, double *dscale,
                        double *dshift) {
    const dl_norm_groups *g = &c->g;
    int64_t each = g->channels / g->groups, base = n * g->positions * g->channels;
    double count = (double)(g->positions * each), mean = 0, variance = 0, sum = 0, product = 0;
#define FOR_GROUP                                                                                  \
    for (int64_t p = 0; p < g->positions; p++)                                                     \
        for (int64_t j = k * each, i = base + p * g->channels + j; j < (k + 1) * each; j++, i++)
    FOR_GROUP mean += a->x[i] / count;
    FOR_GROUP variance += (a->x[i] - mean) * (a->x[i] - mean) / count;
    double inverse = 1 / sqrt(variance + 1e-5);
    /* factor and offset are floats, and the offset is as large as the mean */
    double rounding = 3e-6 * (1 + fabs(c->level) / 10);
    near(a->mean[n * g->groups + k], mean, 1e-6 * (1 + fabs(mean)), "mean");
    near(a->inverse[n * g->groups + k], inverse, 1e-5 * inverse, "inverse");
    FOR_GROUP {
        double z = (a->x[i] - mean) * inverse, y = a->scale[j] * z + a->shift[j];
        bool off = c->activation == DL_RELU && !(a->y[i] > 0);
        double dz = off ? 0 : a->dy[i];
        near(a->y[i], c->activation == DL_RELU ? fmax(y, 0) : y, 10 * rounding, "y");
        sum += a->scale[j] * dz;
        product += a->scale[j] * dz * z;
        dscale[j] += dz * z;
        dshift[j] += dz;
    }
    FOR_GROUP {
        double z = (a->x[i] - mean) * inverse, dz = a->dz[i];
        near(a->dx[i], inverse * (a->scale[j] * dz - sum / count - z * product / count),
             10 * rounding * inverse, "dx");
    }
}

static void test_definition(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const dl_norm_groups *g = &cases[i].g;
        arrays a = run(&cases[i]);
        double *dscale = xcalloc((size_t)(2 * g->channels), sizeof *dscale);
        double *dshift = dscale + g->channels;
        float *before = filled(g->channels, 5), *below = filled(g->channels, 6);
        for (int64_t n = 0; n < g->samples; n++)
            for (int64_t k = 0; k < g->groups; k++)
                check_group(&cases[i], &a, n, k, dscale, dshift);
        double rounding = 1e-5 * sqrt((double)(g->samples * g->positions)) * (1 + cases[i].level);
        for (int64_t j = 0; j < g->channels; j++) {
            near(a.dscale[j], before[j] + dscale[j], rounding, "dscale");
            near(a.dshift[j], below[j] + dshift[j], rounding, "dshift");
        }
        free(before);
        free(below);
        free(dscale);
        release(&a);
    }
}

static void test_threads(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const dl_norm_groups *g = &cases[i].g;
        dl_threads_set(1);
        arrays one = run(&cases[i]);
        dl_threads_set(3);
        arrays three = run(&cases[i]);
        size_t size = sizeof(float) * (size_t)size_of(g);
        size_t channels = sizeof(float) * (size_t)g->channels;
        assert_memory_equal(one.y, three.y, size);
        assert_memory_equal(one.dx, three.dx, size);
        assert_memory_equal(one.dscale, three.dscale, channels);
        assert_memory_equal(one.dshift, three.dshift, channels);
        release(&one);
        release(&three);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

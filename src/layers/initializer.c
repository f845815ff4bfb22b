#include "layers/initializer.h"

#include <math.h>
#include <stddef.h>

static void scale(float *value, int64_t count, double factor) {
    for (int64_t i = 0; i < count; i++)
        value[i] = (float)(value[i] * factor);
}

static void fill_zeros(const dl_draw *draw, int64_t fan_in, int64_t fan_out, double spread,
                       int64_t count, float *value) {
    (void)draw, (void)fan_in, (void)fan_out, (void)spread;
    for (int64_t i = 0; i < count; i++)
        value[i] = 0;
}

static void fill_ones(const dl_draw *draw, int64_t fan_in, int64_t fan_out, double spread,
                      int64_t count, float *value) {
    (void)draw, (void)fan_in, (void)fan_out, (void)spread;
    for (int64_t i = 0; i < count; i++)
        value[i] = 1;
}

static void fill_constant(const dl_draw *draw, int64_t fan_in, int64_t fan_out, double spread,
                          int64_t count, float *value) {
    (void)draw, (void)fan_in, (void)fan_out;
    for (int64_t i = 0; i < count; i++)
        value[i] = (float)spread;
}

/* N(0, 1 / fan_in): keeps the variance of a linear or tanh layer's outputs that of its inputs.
   Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
   AISTATS 2010 (in the form that looks at the inputs alone). */
static void fill_xavier(const dl_draw *draw, int64_t fan_in, int64_t fan_out, double spread,
                        int64_t count, float *value) {
    (void)fan_out, (void)spread;
    dl_random_normal(draw, 0, count, value);
    scale(value, count, sqrt(1.0 / (double)fan_in));
}

/* N(0, 2 / fan_in): the same for relu, which loses half of the variance. He et al., "Delving deep
   into rectifiers", ICCV 2015. */
static void fill_he(const dl_draw *draw, int64_t fan_in, int64_t fan_out, double spread,
                    int64_t count, float *value) {
    (void)fan_out, (void)spread;
    dl_random_normal(draw, 0, count, value);
    scale(value, count, sqrt(2.0 / (double)fan_in));
}

/* U(-a, a), a = sqrt(6 / (fan_in + fan_out)): a compromise between forward and backward pass.
   Glorot and Bengio 2010. */
static void fill_glorot_uniform(const dl_draw *draw, int64_t fan_in, int64_t fan_out, double spread,
                                int64_t count, float *value) {
    (void)spread;
    double limit = sqrt(6.0 / (double)(fan_in + fan_out));
    dl_random_uniform(draw, 0, count, value);
    for (int64_t i = 0; i < count; i++)
        value[i] = (float)((2.0 * value[i] - 1) * limit);
}

static void fill_normal(const dl_draw *draw, int64_t fan_in, int64_t fan_out, double spread,
                        int64_t count, float *value) {
    (void)fan_in, (void)fan_out;
    dl_random_normal(draw, 0, count, value);
    scale(value, count, spread);
}

const dl_initializer dl_initializers[] = {
    [DL_INIT_ZEROS] = {"zeros", "all zero: right for biases, hopeless for hidden weights",
                       fill_zeros},
    [DL_INIT_XAVIER] = {"xavier", "normal, variance 1/n for n inputs: for linear, tanh, sigmoid",
                        fill_xavier},
    [DL_INIT_HE] = {"he", "normal, variance 2/n for n inputs: for relu and its kin", fill_he},
    [DL_INIT_GLOROT_UNIFORM] = {"glorot_uniform", "uniform, variance 2/(n + m) for m outputs",
                                fill_glorot_uniform},
    [DL_INIT_NORMAL] = {"normal", "normal with standard deviation init_std", fill_normal},
    [DL_INIT_ONES] = {"ones", "all one: right for scales", fill_ones},
    [DL_INIT_CONSTANT] = {"constant", "all the same number, which the layer chooses",
                          fill_constant},
};

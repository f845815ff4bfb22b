/* SPDX-License-Identifier: MIT */
#include "layers/initializer.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "math/orthogonal.h"

static int64_t count_of(const dl_initial *initial) {
    return initial->rows * initial->columns;
}

static void scale(float *value, int64_t count, double factor) {
    for (int64_t i = 0; i < count; i++)
        value[i] = (float)(value[i] * factor);
}

static void fill_value(float *value, int64_t count, float x) {
    for (int64_t i = 0; i < count; i++)
        value[i] = x;
}

static void fill_normal_of(const dl_draw *draw, const dl_initial *initial, double deviation,
                           float *value) {
    dl_random_normal(draw, 0, count_of(initial), value);
    scale(value, count_of(initial), deviation);
}

static void fill_uniform_of(const dl_draw *draw, const dl_initial *initial, double limit,
                            float *value) {
    dl_random_uniform(draw, 0, count_of(initial), value);
    for (int64_t i = 0; i < count_of(initial); i++)
        value[i] = (float)((2.0 * value[i] - 1) * limit);
}

static void fill_zeros(const dl_draw *draw, const dl_initial *initial, float *value) {
    (void)draw;
    fill_value(value, count_of(initial), 0);
}

static void fill_ones(const dl_draw *draw, const dl_initial *initial, float *value) {
    (void)draw;
    fill_value(value, count_of(initial), 1);
}

static void fill_constant(const dl_draw *draw, const dl_initial *initial, float *value) {
    (void)draw;
    fill_value(value, count_of(initial), (float)initial->argument);
}

static void fill_normal(const dl_draw *draw, const dl_initial *initial, float *value) {
    fill_normal_of(draw, initial, initial->argument, value);
}

static void fill_uniform(const dl_draw *draw, const dl_initial *initial, float *value) {
    fill_uniform_of(draw, initial, initial->argument, value);
}

/* N(0, 1 / fan_in): the outputs of a linear or tanh layer keep the variance of its inputs. Glorot
   and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
   2010 (the form with fan_in only). */
static void fill_xavier(const dl_draw *draw, const dl_initial *initial, float *value) {
    fill_normal_of(draw, initial, sqrt(1.0 / (double)initial->fan_in), value);
}

/* N(0, 2 / fan_in): the same for relu, which halves the variance. He et al., "Delving deep
   into rectifiers", ICCV 2015. */
static void fill_he(const dl_draw *draw, const dl_initial *initial, float *value) {
    fill_normal_of(draw, initial, sqrt(2.0 / (double)initial->fan_in), value);
}

/* N(0, 2 / (fan_in + fan_out)), or U(-a, a) of that variance, a = sqrt(6 / (fan_in + fan_out)): a
   compromise between forward and backward pass. Glorot and Bengio 2010. */
static void fill_glorot_normal(const dl_draw *draw, const dl_initial *initial, float *value) {
    fill_normal_of(draw, initial, sqrt(2.0 / (double)(initial->fan_in + initial->fan_out)), value);
}

static void fill_glorot_uniform(const dl_draw *draw, const dl_initial *initial, float *value) {
    fill_uniform_of(draw, initial, sqrt(6.0 / (double)(initial->fan_in + initial->fan_out)), value);
}

/* U(-a, a) of variance 1 / fan_in, a = sqrt(3 / fan_in). LeCun, Bottou, Orr and Müller, "Efficient
   backprop", 1998, section 4.6. */
static void fill_lecun(const dl_draw *draw, const dl_initial *initial, float *value) {
    fill_uniform_of(draw, initial, sqrt(3.0 / (double)initial->fan_in), value);
}

/* A random matrix whose columns (or rows, if fewer) are orthogonal and of length `gain`. Saxe,
   McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear
   neural networks", ICLR 2014. */
static void fill_orthogonal(const dl_draw *draw, const dl_initial *initial, float *value) {
    dl_random_normal(draw, 0, count_of(initial), value);
    dl_orthogonalize(initial->rows, initial->columns, value);
    scale(value, count_of(initial), initial->argument);
}

/* Output o starts as input o % inputs; in a kernel of an image as its center pixel, and in a
   depthwise kernel as its channel. */
static void fill_identity(const dl_draw *draw, const dl_initial *initial, float *value) {
    const dl_shape s = initial->shape;
    bool image = s.rank == 4;
    int64_t center = image ? (int64_t)(s.dim[0] - 1) / 2 * s.dim[1] + (s.dim[1] - 1) / 2 : 0;
    int64_t columns = image ? s.dim[3] : initial->columns;
    int64_t rows = image ? s.dim[2] : initial->rows;
    bool depthwise = columns != initial->columns;
    (void)draw;
    fill_value(value, count_of(initial), 0);
    value += center * rows * columns;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t o = 0; o < columns; o++)
            if (depthwise || o % rows == i)
                value[i * columns + o] = (float)initial->argument;
}

static void fill_values(const dl_draw *draw, const dl_initial *initial, float *value) {
    (void)draw;
    memcpy(value, initial->values, sizeof *value * (size_t)count_of(initial));
}

const dl_initializer dl_initializers[DL_INITIALIZERS] = {
    [DL_INIT_ZEROS] = {"zeros", "all zeros: for biases; hidden layers cannot learn from it",
                       fill_zeros, 0},
    [DL_INIT_CONSTANT] = {"constant", "all init_value", fill_constant, offsetof(dl_init, value)},
    [DL_INIT_NORMAL] = {"normal", "normal distribution with standard deviation init_std",
                        fill_normal, offsetof(dl_init, std)},
    [DL_INIT_UNIFORM] = {"uniform", "uniform distribution between -init_limit and init_limit",
                         fill_uniform, offsetof(dl_init, limit)},
    [DL_INIT_XAVIER] = {"xavier",
                        "normal, variance 1/n for n inputs: for linear, tanh and sigmoid layers",
                        fill_xavier, 0},
    [DL_INIT_HE] = {"he", "normal, variance 2/n for n inputs: for relu and similar functions",
                    fill_he, 0},
    [DL_INIT_GLOROT_NORMAL] = {"glorot_normal",
                               "normal, variance 2/(n + m) for n inputs and m outputs",
                               fill_glorot_normal, 0},
    [DL_INIT_GLOROT_UNIFORM] = {"glorot_uniform",
                                "uniform, variance 2/(n + m) for n inputs and m outputs",
                                fill_glorot_uniform, 0},
    [DL_INIT_LECUN] = {"lecun", "uniform, variance 1/n for n inputs", fill_lecun, 0},
    [DL_INIT_ORTHOGONAL] = {"orthogonal", "random orthogonal matrix, times init_gain",
                            fill_orthogonal, offsetof(dl_init, gain)},
    [DL_INIT_IDENTITY] = {"identity", "identity matrix, times init_gain", fill_identity,
                          offsetof(dl_init, gain)},
    [DL_INIT_VALUES] = {"values", "the numbers of `values`", fill_values, 0},
    [DL_INIT_ONES] = {"ones", "all ones: for scales", fill_ones, 0},
};

double dl_init_argument(const dl_init *init, const dl_initializer *initializer) {
    return initializer->argument ? *(const double *)((const char *)init + initializer->argument)
                                 : 0;
}

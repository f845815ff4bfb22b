/* SPDX-License-Identifier: MIT */
/* Initial values of parameters. */
#ifndef DL_LAYERS_INITIALIZER_H
#define DL_LAYERS_INITIALIZER_H

#include <stdint.h>

#include "base/random.h"
#include "math/shape.h"

/* A parameter, for its initializer. */
typedef struct {
    dl_shape shape;
    int64_t rows, columns;   /* as a matrix, value[rows][columns] */
    int64_t fan_in, fan_out; /* inputs and outputs of a unit */
    double argument; /* standard deviation, limit, value or gain, depending on the initializer */
    const float *values; /* of init = "values" */
} dl_initial;

/* Filled by DL_INIT_OPTIONS. */
typedef struct {
    int kind; /* index into the names passed to DL_INIT_OPTIONS */
    double std, limit, value, gain;
    struct config_setting_t *values; /* NULL: none */
} dl_init;

typedef struct {
    const char *name, *help;
    /* Fills value[rows][columns]. draw: its random numbers; NULL if it needs none. */
    void (*fill)(const dl_draw *draw, const dl_initial *initial, float *value);
    size_t argument; /* offset of its argument in a dl_init; 0: none */
} dl_initializer;

/* Indices into dl_initializers; those with a name in configs first, in the order of the names. */
enum {
    DL_INIT_ZEROS,
    DL_INIT_CONSTANT,
    DL_INIT_NORMAL,
    DL_INIT_UNIFORM,
    DL_INIT_XAVIER,
    DL_INIT_HE,
    DL_INIT_GLOROT_NORMAL,
    DL_INIT_GLOROT_UNIFORM,
    DL_INIT_LECUN,
    DL_INIT_ORTHOGONAL,
    DL_INIT_IDENTITY,
    DL_INIT_VALUES,
    DL_INIT_ONES,
    DL_INITIALIZERS
};
#define DL_INITIALIZER_NAMES                                                                       \
    "zeros", "constant", "normal", "uniform", "xavier", "he", "glorot_normal", "glorot_uniform",   \
        "lecun", "orthogonal", "identity"
extern const dl_initializer dl_initializers[DL_INITIALIZERS];

/* The argument of an initializer; 0 if it has none. */
double dl_init_argument(const dl_init *init, const dl_initializer *initializer);

/* The options of a dl_init at `field` of `owner`; fallback_std: the default of init_std; `more`
   ends the help. */
#define DL_INIT_OPTIONS(owner, field, fallback_name, fallback_std, names, more)                    \
    DL_CHOICE_OPTION(                                                                              \
        "init", owner, field.kind, fallback_name, names,                                           \
        "initial weights, for n inputs and m outputs of a unit. Normal: xavier (variance 1/n), "   \
        "he (2/n), glorot_normal (2/(n+m)), normal (standard deviation init_std); uniform: lecun " \
        "(variance 1/n), glorot_uniform (2/(n+m)), uniform (-init_limit to init_limit); "          \
        "orthogonal and identity are matrices, times init_gain; constant is init_value; with "     \
        "zeros, hidden layers do not learn" more),                                                 \
        DL_FLOAT_OPTION("init_std", owner, field.std, fallback_std, 0, 1000,                       \
                        "standard deviation for init = \"normal\""),                               \
        DL_FLOAT_OPTION("init_limit", owner, field.limit, "0.05", 0, 1000,                         \
                        "largest magnitude for init = \"uniform\""),                               \
        DL_FLOAT_OPTION("init_value", owner, field.value, "0.1", -1000, 1000,                      \
                        "value of all weights for init = \"constant\""),                           \
        DL_FLOAT_OPTION("init_gain", owner, field.gain, "1.0", 0, 1000,                            \
                        "factor for init = \"orthogonal\" and \"identity\"; 1.4 is usual before "  \
                        "relu")

#endif

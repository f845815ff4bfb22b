/* Initial values of parameters. */
#ifndef DL_LAYERS_INITIALIZER_H
#define DL_LAYERS_INITIALIZER_H

#include <stdint.h>

#include "base/random.h"

typedef struct {
    const char *name, *help;
    /* value[count] of a parameter whose units have fan_in inputs and fan_out outputs. `spread` is
       the option init_std, or the value of a constant. */
    void (*fill)(const dl_draw *draw, int64_t fan_in, int64_t fan_out, double spread, int64_t count,
                 float *value);
} dl_initializer;

/* Indices into dl_initializers. */
enum {
    DL_INIT_ZEROS,
    DL_INIT_XAVIER,
    DL_INIT_HE,
    DL_INIT_GLOROT_UNIFORM,
    DL_INIT_NORMAL,
    DL_INIT_ONES,
    DL_INIT_CONSTANT
};
extern const dl_initializer dl_initializers[];

#endif

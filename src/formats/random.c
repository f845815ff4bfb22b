/* SPDX-License-Identifier: MIT */
/* Random data, to inspect or time a network without files. Row i is a pure function of i: standard
   normal inputs, and a class or uniform numbers. */
#include <math.h>
#include <stdlib.h>

#include <libconfig.h>

#include "base/memory.h"
#include "base/random.h"
#include "formats/dataset.h"

typedef struct {
    config_setting_t *input;
    int64_t classes, positions, outputs, rows;
} random_options;

static const dl_option options[] = {
    DL_SETTING_OPTION(
        "input", random_options, input, DL_REQUIRED,
        "shape of a sample: (height, width, channels), (steps, channels) or (numbers)"),
    DL_INT_OPTION("classes", random_options, classes, DL_NO_DEFAULT, 2, 1000000,
                  "number of classes"),
    DL_INT_OPTION(
        "positions", random_options, positions, "1", 1, 1 << 24,
        "with classes: number of positions (pixels, steps) of a sample that have a class"),
    DL_INT_OPTION("outputs", random_options, outputs, DL_NO_DEFAULT, 1, 1 << 24,
                  "instead of classes: number of target values, between 0 and 1"),
    DL_INT_OPTION("rows", random_options, rows, "1024", 1, 1 << 30, "number of samples"),
    DL_OPTIONS_END,
};

enum { MAX_ELEMENTS = 1 << 28 };

/* A list of one to three positive integers. */
static int read_shape(const dl_dataset *dataset, const config_setting_t *list, dl_shape *shape,
                      dl_error *error) {
    int rank = config_setting_is_aggregate(list) ? config_setting_length(list) : 0;
    bool valid = !config_setting_is_group(list) && rank >= 1 && rank <= DL_LARGEST_RANK;
    *shape = (dl_shape){rank, {1, 1, 1, 1}};
    int64_t size = 1;
    for (int i = 0; valid && i < rank; i++) {
        const config_setting_t *number = config_setting_get_elem(list, (unsigned)i);
        shape->dim[i] = config_setting_get_int(number);
        valid = config_setting_type(number) == CONFIG_TYPE_INT && shape->dim[i] > 0 &&
                dl_multiply(size, shape->dim[i], &size) && size <= MAX_ELEMENTS;
    }
    if (valid)
        return 0;
    return dl_fail(
        error, DL_USAGE,
        "%s: input must be a list of one to three positive integers, such as (32, 32, 3)",
        dataset->where);
}

static int random_open(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    const random_options *o = dataset->options;
    dl_schema *schema = &dataset->schema;
    if (read_shape(dataset, o->input, &schema->input, error))
        return -1;
    if (!o->classes == !o->outputs)
        return dl_fail(error, DL_USAGE, "%s: random data needs either classes or outputs",
                       dataset->where);
    schema->classes = (int)o->classes;
    schema->outputs = (int)(o->outputs ? o->outputs : o->positions);
    dataset->count = o->rows;
    if (like && (!dl_shape_equal(like->input, schema->input) || like->classes != schema->classes ||
                 like->outputs != schema->outputs))
        return dl_fail(error, DL_DATA, "%s: shape and classes do not match the training data",
                       dataset->where);
    return 0;
}

static int random_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error) {
    dl_draw draw = {.purpose = DL_FOR_DATA, .step = (uint32_t)i};
    const dl_schema *schema = &dataset->schema;
    (void)error;
    if (x)
        dl_random_normal(&draw, 0, dl_shape_size(schema->input), x);
    draw.stream = 1;
    if (y)
        dl_random_uniform(&draw, 0, schema->outputs, y);
    for (int k = 0; y && schema->classes && k < schema->outputs; k++)
        y[k] = fminf(floorf(y[k] * (float)schema->classes), (float)(schema->classes - 1));
    return 0;
}

static void random_close(dl_dataset *dataset) {
    (void)dataset;
}

extern const dl_dataset_type dl_dataset_random;
const dl_dataset_type dl_dataset_random = {
    .kind = {.name = "random",
             .help = "random data, to inspect or time a network without files",
             .size = sizeof(random_options),
             .options = options},
    .open = random_open,
    .read = random_read,
    .close = random_close,
};

/* SPDX-License-Identifier: MIT */
/* NumPy arrays, in npy files or an npz archive. npy files of any size are mapped and rows converted
   on demand, except for arrays in Fortran order, which are transposed in memory. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/npy.h"

enum { MAX_CLASSES = 1000000, MAX_OUTPUTS = 1 << 20, MAX_PREFETCH = 4096 };

typedef struct {
    const char *inputs, *targets;
    int64_t classes;
    const char *file; /* npz only */
} npy_options;

#define TARGETS_HELP                                                                               \
    "of targets: integers and bool are classes from 0, one per row or (rows x steps, rows x "      \
    "height x width) one per position; floats, one or more per row, are regression targets"
#define INPUTS_HELP                                                                                \
    "of inputs: rows, rows x numbers, rows x height x width (gray) or rows x height x width x "    \
    "channels, of bool, integers or floats (for sequences, rows x steps x numbers, begin with "    \
    "the layer reshape)"
#define CLASSES_OPTION                                                                             \
    DL_INT_OPTION("classes", npy_options, classes, DL_NO_DEFAULT, 2, MAX_CLASSES,                  \
                  "number of classes; default: one more than the largest training target")

static const dl_option npy_table[] = {
    DL_STRING_OPTION("inputs", npy_options, inputs, DL_REQUIRED, "file (npy) " INPUTS_HELP),
    DL_STRING_OPTION("targets", npy_options, targets, DL_REQUIRED, "file (npy) " TARGETS_HELP),
    CLASSES_OPTION,
    DL_OPTIONS_END,
};

static const dl_option npz_table[] = {
    DL_STRING_OPTION("file", npy_options, file, DL_REQUIRED,
                     "archive (npz) of numpy.savez or numpy.savez_compressed"),
    DL_STRING_OPTION("inputs", npy_options, inputs, DL_REQUIRED,
                     "name in the archive of the array " INPUTS_HELP),
    DL_STRING_OPTION("targets", npy_options, targets, DL_REQUIRED,
                     "name in the archive of the array " TARGETS_HELP),
    CLASSES_OPTION,
    DL_OPTIONS_END,
};

typedef struct {
    dl_npy inputs, targets;
} npy_state;

/* ---- opening ---- */

static int check_shapes(const dl_npy *inputs, const dl_npy *targets, dl_error *error) {
    char dims[96];
    if (!dl_dtype_is_float(targets->type) && targets->rank > 3)
        return dl_fail(error, DL_DATA,
                       "%s: is an array of %s; classes must be one per row or one per position%s",
                       targets->path, dl_npy_dims(targets, dims),
                       inputs->rank == 1 ? " (are `inputs` and `targets` swapped?)" : "");
    if (targets->size > MAX_OUTPUTS)
        return dl_fail(error, DL_DATA, "%s: has %lld targets per row; at most %d are supported",
                       targets->path, (long long)targets->size, MAX_OUTPUTS);
    if (inputs->rows != targets->rows)
        return dl_fail(error, DL_DATA, "%s has %lld rows, but %s has %lld: they must be equal",
                       inputs->path, (long long)inputs->rows, targets->path,
                       (long long)targets->rows);
    return 0;
}

static int check_like(const npy_state *state, dl_shape input, const dl_schema *like,
                      dl_error *error) {
    char found[48], wanted[48];
    bool numbers = dl_dtype_is_float(state->targets.type);
    int result = 0;
    if (!dl_shape_equal(input, like->input))
        result = dl_fail(error, DL_DATA, "%s: inputs are %s, but in training they are %s",
                         state->inputs.path, dl_shape_text(found, input),
                         dl_shape_text(wanted, like->input));
    if (!state->targets.bytes)
        return result;
    if (numbers != !like->classes)
        result = dl_fail(error, DL_DATA, "%s: targets are %s, but in training they are %s",
                         state->targets.path, numbers ? "numbers" : "classes",
                         numbers ? "classes" : "numbers");
    else if (like->outputs != state->targets.size)
        result =
            dl_fail(error, DL_DATA, "%s: has %lld targets per row, but in training there are %d",
                    state->targets.path, (long long)state->targets.size, like->outputs);
    return result;
}

static int check_finite(const dl_npy *array, dl_error *error) {
    int64_t bad = dl_npy_find_not_finite(array);
    if (bad < 0)
        return 0;
    return dl_fail(
        error, DL_DATA,
        "%s: row %lld (from 0), element %lld: the value is %g; values must be finite as floats",
        array->path, (long long)(bad / array->size), (long long)(bad % array->size),
        dl_npy_number(array, bad));
}

/* `classes` 0: one more than the largest. */
static int check_classes(const dl_npy *targets, int64_t classes, dl_schema *schema,
                         dl_error *error) {
    int64_t largest = 0, limit = classes ? classes : MAX_CLASSES;
    for (int64_t i = 0; i < targets->rows * targets->size; i++) {
        int64_t class = dl_npy_integer(targets, i);
        if (class < 0)
            return dl_fail(error, DL_DATA,
                           "%s: row %lld (from 0) has class %lld; classes start at 0",
                           targets->path, (long long)(i / targets->size), (long long)class);
        if (class >= limit)
            return dl_fail(error, DL_DATA,
                           "%s: row %lld (from 0) has class %lld, but %s%lld classes, 0 to %lld",
                           targets->path, (long long)(i / targets->size), (long long)class,
                           classes ? "there are " : "there can be at most ", (long long)limit,
                           (long long)limit - 1);
        largest = class > largest ? class : largest;
    }
    schema->classes = (int)(classes ? classes : largest + 1);
    return 0;
}

/* Common to both formats, after loading the arrays. */
static int set_arrays(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    const npy_options *o = dataset->options;
    npy_state *state = dataset->state;
    int failed = dl_npy_parse(&state->inputs, dataset, state->targets.held, error);
    if (!dataset->unlabeled)
        failed |= dl_npy_parse(&state->targets, dataset, state->inputs.held, error);
    if (failed)
        return -1;
    dl_shape input = dl_dtype_row_shape(state->inputs.rank, state->inputs.dim);
    if ((!dataset->unlabeled && check_shapes(&state->inputs, &state->targets, error)) ||
        (like && check_like(state, input, like, error)))
        return -1;
    if (dataset->unlabeled ? 0
        : dl_dtype_is_float(state->targets.type)
            ? check_finite(&state->targets, error)
            : check_classes(&state->targets, like ? like->classes : o->classes, &dataset->schema,
                            error))
        return -1;
    if (check_finite(&state->inputs, error))
        return -1;
    dl_sources_add(&dataset->sources, state->inputs.path, 0);
    dataset->count = state->inputs.rows;
    dataset->bytes = state->inputs.type == DL_U8;
    dataset->input_doubles = !dl_dtype_fits_float(state->inputs.type);
    dataset->schema.input = input;
    dataset->schema.outputs = (int)state->targets.size;
    if (like)
        dataset->schema = dl_schema_copy(like);
    dataset->target_doubles = !dataset->unlabeled && !dataset->schema.classes &&
                              !dl_dtype_fits_float(state->targets.type);
    return 0;
}

static int npy_open(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    const npy_options *o = dataset->options;
    npy_state *state = dataset->state = xcalloc(1, sizeof *state);
    char *inputs = dl_dataset_find(dataset, o->inputs, error);
    bool labeled = !dataset->unlabeled;
    char *targets = labeled ? dl_dataset_find(dataset, o->targets, error) : NULL;
    int result = inputs && (targets || !labeled) ? 0 : -1;
    if (!result) {
        result |= dl_npy_load(&state->inputs, inputs, error);
        if (labeled)
            result |= dl_npy_load(&state->targets, targets, error);
    }
    free(inputs);
    free(targets);
    return result ? -1 : set_arrays(dataset, like, error);
}

static int npz_open(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    const npy_options *o = dataset->options;
    npy_state *state = dataset->state = xcalloc(1, sizeof *state);
    char *path = dl_dataset_find(dataset, o->file, error);
    int result = path ? dl_npz_load(&state->inputs, path, o->inputs, dataset, 0, error) : -1;
    if (!result && !dataset->unlabeled)
        result = dl_npz_load(&state->targets, path, o->targets, dataset, state->inputs.held, error);
    free(path);
    return result ? -1 : set_arrays(dataset, like, error);
}

/* ---- rows ---- */

static int npy_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error) {
    const npy_state *state = dataset->state;
    (void)error;
    if (x)
        dl_npy_floats(&state->inputs, i * state->inputs.size, state->inputs.size, x);
    if (y)
        dl_npy_floats(&state->targets, i * state->targets.size, state->targets.size, y);
    return 0;
}

static void npy_read_doubles(const dl_dataset *dataset, int64_t i, double *x, double *y) {
    const npy_state *state = dataset->state;
    if (x)
        dl_npy_doubles(&state->inputs, i * state->inputs.size, state->inputs.size, x);
    if (y)
        dl_npy_doubles(&state->targets, i * state->targets.size, state->targets.size, y);
}

static void npy_prefetch(const dl_dataset *dataset, int64_t i) {
    const dl_npy *inputs = &((const npy_state *)dataset->state)->inputs;
    int64_t bytes = inputs->size * inputs->width;
    const char *row = (const char *)inputs->values + i * bytes;
    for (int64_t at = 0; at < bytes && at < MAX_PREFETCH; at += 64)
        __builtin_prefetch(row + at);
}

static void npy_close(dl_dataset *dataset) {
    npy_state *state = dataset->state;
    dl_sources_free(&dataset->sources);
    if (!state)
        return;
    dl_npy_free(&state->inputs);
    dl_npy_free(&state->targets);
    free(state);
    dataset->state = NULL;
}

extern const dl_dataset_type dl_dataset_npy;
const dl_dataset_type dl_dataset_npy = {
    .kind = {.name = "npy",
             .help = "NumPy arrays in separate files (numpy.save), mapped instead of read into "
                     "memory (except arrays in Fortran order)",
             .size = sizeof(npy_options),
             .options = npy_table},
    .open = npy_open,
    .read = npy_read,
    .read_doubles = npy_read_doubles,
    .prefetch = npy_prefetch,
    .close = npy_close,
};

extern const dl_dataset_type dl_dataset_npz;
const dl_dataset_type dl_dataset_npz = {
    .kind = {.name = "npz",
             .help = "NumPy arrays in one archive (numpy.savez, numpy.savez_compressed)",
             .size = sizeof(npy_options),
             .options = npz_table},
    .open = npz_open,
    .read = npy_read,
    .read_doubles = npy_read_doubles,
    .prefetch = npy_prefetch,
    .close = npy_close,
};

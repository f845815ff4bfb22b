/* SPDX-License-Identifier: MIT */
/* Arrays of NumPy, an npy file each or together in an npz archive. An npy file is mapped, not read:
   rows come from it as they are needed, whatever their type and byte order and however large it is
   (but for arrays in the order of Fortran, which are turned round in memory, if they fit). */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/npy.h"

enum { MOST_CLASSES = 1000000, MOST_OUTPUTS = 1 << 20, MOST_PREFETCHED = 4096 };

typedef struct {
    const char *inputs, *targets;
    int64_t classes;
    const char *file; /* npz alone */
} npy_options;

#define TARGETS_HELP                                                                               \
    "of targets: whole numbers and bool are classes from 0, one a row, or (rows x steps, rows x "  \
    "height x "                                                                                    \
    "width) one at each position; floats, one or more a row, are the targets of a regression"
#define INPUTS_HELP                                                                                \
    "of inputs: rows, rows x numbers, rows x height x width (grey) or rows x height x width x "    \
    "channels; of bool, whole numbers or floats (for a sequence, rows x steps x numbers, "         \
    "begin with the layer reshape)"
#define CLASSES_OPTION                                                                             \
    DL_INT_OPTION("classes", npy_options, classes, DL_NO_DEFAULT, 2, MOST_CLASSES,                 \
                  "how many classes there are; if not given, one more than the largest of the "    \
                  "training targets")

static const dl_option npy_table[] = {
    DL_STRING_OPTION("inputs", npy_options, inputs, DL_REQUIRED, "the file (npy) " INPUTS_HELP),
    DL_STRING_OPTION("targets", npy_options, targets, DL_REQUIRED, "the file (npy) " TARGETS_HELP),
    CLASSES_OPTION,
    DL_OPTIONS_END,
};

static const dl_option npz_table[] = {
    DL_STRING_OPTION("file", npy_options, file, DL_REQUIRED,
                     "the archive (npz), as numpy.savez or numpy.savez_compressed write it"),
    DL_STRING_OPTION("inputs", npy_options, inputs, DL_REQUIRED,
                     "the name in the archive of the array " INPUTS_HELP),
    DL_STRING_OPTION("targets", npy_options, targets, DL_REQUIRED,
                     "the name in the archive of the array " TARGETS_HELP),
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
                       "%s: is an array of %s; classes can be one a row or one a position%s",
                       targets->path, dl_npy_dims(targets, dims),
                       inputs->rank == 1 ? " (are `inputs` and `targets` swapped?)" : "");
    if (targets->size > MOST_OUTPUTS)
        return dl_fail(error, DL_DATA, "%s: has %lld targets a row; at most %d are possible",
                       targets->path, (long long)targets->size, MOST_OUTPUTS);
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
        result = dl_fail(error, DL_DATA, "%s: its inputs are %s, those of training %s",
                         state->inputs.path, dl_shape_text(found, input),
                         dl_shape_text(wanted, like->input));
    if (numbers != !like->classes)
        result = dl_fail(error, DL_DATA, "%s: its targets are %s, those of training %s",
                         state->targets.path, numbers ? "numbers" : "classes",
                         numbers ? "classes" : "numbers");
    else if (like->outputs != state->targets.size)
        result = dl_fail(error, DL_DATA, "%s: has %lld targets a row, that of training has %d",
                         state->targets.path, (long long)state->targets.size, like->outputs);
    return result;
}

static int check_finite(const dl_npy *array, dl_error *error) {
    int64_t bad = dl_npy_find_bad(array);
    if (bad < 0)
        return 0;
    return dl_fail(error, DL_DATA,
                   "%s: row %lld (from 0), number %lld of it: the value is %g; only finite numbers "
                   "that fit a float are possible",
                   array->path, (long long)(bad / array->size), (long long)(bad % array->size),
                   dl_npy_number(array, bad));
}

/* `classes` 0: as many as the largest asks for. */
static int check_classes(const dl_npy *targets, int64_t classes, dl_schema *schema,
                         dl_error *error) {
    int64_t largest = 0, limit = classes ? classes : MOST_CLASSES;
    for (int64_t i = 0; i < targets->rows * targets->size; i++) {
        int64_t class = dl_npy_whole(targets, i);
        if (class < 0)
            return dl_fail(error, DL_DATA,
                           "%s: row %lld (from 0) has the class %lld; classes count from 0",
                           targets->path, (long long)(i / targets->size), (long long)class);
        if (class >= limit)
            return dl_fail(
                error, DL_DATA,
                "%s: row %lld (from 0) has the class %lld, but %s%lld classes, 0 to %lld",
                targets->path, (long long)(i / targets->size), (long long)class,
                classes ? "there are " : "there can be at most ", (long long)limit,
                (long long)limit - 1);
        largest = class > largest ? class : largest;
    }
    schema->classes = (int)(classes ? classes : largest + 1);
    return 0;
}

/* What both formats do once the arrays' bytes are there. */
static int take_arrays(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    const npy_options *o = dataset->options;
    npy_state *state = dataset->state;
    int failed = dl_npy_parse(&state->inputs, dataset, state->targets.held, error);
    failed |= dl_npy_parse(&state->targets, dataset, state->inputs.held, error);
    if (failed)
        return -1;
    dl_shape input = dl_dtype_row_shape(state->inputs.rank, state->inputs.dim);
    if (check_shapes(&state->inputs, &state->targets, error) ||
        (like && check_like(state, input, like, error)))
        return -1;
    if (dl_dtype_is_float(state->targets.type)
            ? check_finite(&state->targets, error)
            : check_classes(&state->targets, like ? like->classes : o->classes, &dataset->schema,
                            error))
        return -1;
    if (check_finite(&state->inputs, error))
        return -1;
    dataset->count = state->inputs.rows;
    dataset->bytes = state->inputs.type == DL_U8;
    dataset->input_doubles = !dl_dtype_fits_float(state->inputs.type);
    dataset->schema.input = input;
    dataset->schema.outputs = (int)state->targets.size;
    if (like)
        dataset->schema = dl_schema_copy(like);
    dataset->target_doubles = !dataset->schema.classes && !dl_dtype_fits_float(state->targets.type);
    return 0;
}

static int npy_open(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    const npy_options *o = dataset->options;
    npy_state *state = dataset->state = xcalloc(1, sizeof *state);
    char *inputs = dl_dataset_find(dataset, o->inputs, error);
    char *targets = dl_dataset_find(dataset, o->targets, error);
    int result = inputs && targets ? 0 : -1;
    if (!result) {
        result |= dl_npy_load(&state->inputs, inputs, error);
        result |= dl_npy_load(&state->targets, targets, error);
    }
    free(inputs);
    free(targets);
    return result ? -1 : take_arrays(dataset, like, error);
}

static int npz_open(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    const npy_options *o = dataset->options;
    npy_state *state = dataset->state = xcalloc(1, sizeof *state);
    char *path = dl_dataset_find(dataset, o->file, error);
    int result = path ? dl_npz_load(&state->inputs, path, o->inputs, dataset, 0, error) : -1;
    if (!result)
        result = dl_npz_load(&state->targets, path, o->targets, dataset, state->inputs.held, error);
    free(path);
    return result ? -1 : take_arrays(dataset, like, error);
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
    for (int64_t at = 0; at < bytes && at < MOST_PREFETCHED; at += 64)
        __builtin_prefetch(row + at);
}

static void npy_close(dl_dataset *dataset) {
    npy_state *state = dataset->state;
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
             .help = "arrays of NumPy, a file each (numpy.save); they are not read into memory as "
                     "a whole, but for those in the order of Fortran",
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
             .help = "arrays of NumPy in one archive (numpy.savez, numpy.savez_compressed)",
             .size = sizeof(npy_options),
             .options = npz_table},
    .open = npz_open,
    .read = npy_read,
    .read_doubles = npy_read_doubles,
    .prefetch = npy_prefetch,
    .close = npy_close,
};

/* SPDX-License-Identifier: MIT */
/* Weights as a NumPy archive: a zip file of stored npy members, one per tensor (formats/npz.c). */
#include <string.h>

#include "base/file.h"
#include "base/npz_writer.h"
#include "convert/weights.h"
#include "formats/npy.h"

static int write_npz(dl_model *model, const dl_convert_options *options, const char *path,
                     dl_error *error) {
    dl_arena arena = {0};
    dl_named_tensor *tensors;
    dl_npz_writer zip = {0};
    int64_t numbers = 0;
    int count = dl_weights_list(model, options, &arena, &tensors, error);
    int result = count < 0 ? -1 : 0;
    for (int i = 0; i < count; i++)
        numbers += dl_shape_size(tensors[i].shape);
    if (numbers > 1 << 29 || count > UINT16_MAX)
        result = dl_fail(error, DL_USAGE,
                         "%s: an npz archive ends at 2 GB: write a safetensors file", path);
    for (int i = 0; i < count && !result; i++) {
        const dl_named_tensor *t = &tensors[i];
        dl_text npy = {0}, name = {0};
        dl_text_add(&name, "%s.npy", t->name);
        dl_npy_write(&npy, "<f4", t->shape.dim[0], t->shape.rank - 1, t->shape.dim + 1, t->value,
                     sizeof(float) * (size_t)dl_shape_size(t->shape));
        dl_npz_writer_add(&zip, name.data, &npy);
        dl_text_free(&npy);
        dl_text_free(&name);
    }
    dl_npz_writer_finish(&zip);
    if (!result)
        result = dl_output_write(path, zip.zip.data, zip.zip.length, error);
    dl_npz_writer_free(&zip);
    dl_arena_free(&arena);
    return result;
}

static int load_npz(dl_stored_weights *stored, const char *path, dl_error *error) {
    dl_text names = {0};
    char *rest;
    int result = dl_npz_list(path, &names, error);
    stored->file = dl_arena_strdup(&stored->arena, path);
    for (char *name = names.data ? strtok_r(names.data, "\n", &rest) : NULL; name && !result;
         name = strtok_r(NULL, "\n", &rest)) {
        static const dl_dataset unlimited;
        dl_npy array = {0};
        dl_error why = {0};
        result = dl_npz_load(&array, path, name, &unlimited, 0, error);
        bool refused = !result && dl_npy_parse(&array, &unlimited, 0, &why);
        if (refused && array.values && array.rank == 0) /* such as num_batches_tracked */
            dl_stored_add(stored, name, (dl_shape){0}, NULL);
        else if (refused)
            result = dl_fail(error, why.code, "%s", dl_text_get(&why.text));
        dl_error_clear(&why);
        dl_shape shape = {array.rank, {1, 1, 1, 1}};
        for (int i = 0; i < array.rank && !result; i++)
            shape.dim[i] = array.dim[i] > INT32_MAX ? 0 : (int)array.dim[i];
        if (!result && !refused && dl_shape_size(shape) > 0) {
            float *values =
                dl_arena_alloc(&stored->arena, sizeof(float) * (size_t)dl_shape_size(shape));
            dl_npy_floats(&array, 0, dl_shape_size(shape), values);
            dl_stored_add(stored, name, shape, values);
        }
        dl_npy_free(&array);
    }
    dl_text_free(&names);
    return result;
}

const dl_foreign_format dl_foreign_npz = {
    .name = "npz",
    .ending = ".npz",
    .help = "weights for NumPy: one array per tensor",
    .write = write_npz,
    .load = load_npz,
};

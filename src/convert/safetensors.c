/* SPDX-License-Identifier: MIT */
/* Weights alone as safetensors, for PyTorch and Keras. */
#include <string.h>

#include "convert/weights.h"

static int write_safetensors(dl_model *model, const dl_convert_options *options, const char *path,
                             dl_error *error) {
    dl_arena arena = {0};
    dl_named_tensor *tensors;
    int count = dl_weights_list(model, options, &arena, &tensors, error), result = -1;
    json_t *metadata = json_pack("{s:s}", "format", options->like == DL_LAYOUT_TORCH ? "pt" : "np");
    if (count >= 0)
        result = dl_safetensors_write(path, metadata, tensors, count, error);
    json_decref(metadata);
    dl_arena_free(&arena);
    return result;
}

static int load_safetensors(dl_stored_weights *stored, const char *path, dl_error *error) {
    dl_safetensors file = {0};
    int result = dl_safetensors_open_foreign(&file, path, error);
    dl_stored_from_safetensors(stored, &file);
    for (int i = 0; i < stored->count; i++) { /* the file is closed before they are used */
        dl_stored *item = &stored->items[i];
        size_t size = sizeof(float) * (size_t)dl_shape_size(item->shape);
        item->name = dl_arena_strdup(&stored->arena, item->name);
        if (item->bytes)
            item->bytes = memcpy(dl_arena_alloc(&stored->arena, size), item->bytes, size);
    }
    dl_safetensors_close(&file);
    return result;
}

const dl_foreign_format dl_foreign_safetensors = {
    .name = "safetensors",
    .ending = ".safetensors",
    .help = "weights for PyTorch and Keras (--like)",
    .write = write_safetensors,
    .load = load_safetensors,
};

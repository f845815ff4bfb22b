/* SPDX-License-Identifier: MIT */
/* Pad and Resize from ONNX. */
#include <string.h>

#include "convert/onnx_import.h"

int dl_onnx_in_pad(dl_onnx_import *in) {
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    const dl_onnx_constant *list = dl_onnx_constant_of(in, 1), *fill = dl_onnx_constant_of(in, 2);
    int64_t pads[8];
    int rank = value->view.rank, count = dl_onnx_get_ints(in, "pads", 8, pads);
    for (int i = 0; list && list->count <= 8 && i < list->count; i++)
        pads[count++ & 7] = (int64_t)dl_onnx_element(list, i);
    bool good = !value->constant && rank == 4 && count == 8 && !pads[0] && !pads[4] &&
                !strcmp(dl_onnx_get_text(in, "mode", "constant"), "constant") &&
                (!fill || (fill->count == 1 && dl_onnx_element(fill, 0) == 0)) &&
                dl_onnx_get_float(in, "value", 0) == 0;
    for (int i = 0; good && i < 8; i++)
        good = pads[i] >= 0 && pads[i] < 65536;
    if (!good)
        return dl_onnx_refuse(in, "only zeros around images or channels are supported");
    int source = dl_onnx_arrange_channels(in, value);
    if (source == -2)
        return -1;
    dl_shape shape = dl_onnx_shape_of(in, source);
    static const char *const keys[] = {"height", "width", "channels"};
    static const int image_order[] = {0, 2, 3, 1};
    int64_t dims[4] = {value->view.dim[0]};
    for (int i = 0; i < 3; i++)
        shape.dim[i] += (int)(pads[image_order[i + 1]] + pads[image_order[i + 1] + 4]);
    dl_onnx_layer *layer = dl_onnx_new_layer(in, "pad", "", source, shape);
    if (!layer)
        return -1;
    layer->pads = !pads[1] && !pads[5];
    for (int i = 0; i < 3; i++) {
        int axis = image_order[i + 1];
        if (i < 2) {
            layer->before[i] = pads[axis];
            layer->after[i] = pads[axis + 4];
        }
        dims[axis] = shape.dim[i];
        if (pads[axis] || pads[axis + 4])
            dl_text_add(&layer->options, "%s = (%lld, %lld); ", keys[i], (long long)pads[axis],
                        (long long)pads[axis + 4]);
    }
    dl_onnx_view view = dl_onnx_view_of(4, dims, (int[]){0, 3, 1, 2});
    dl_onnx_set_view(in, 0, in->layer_count - 1, &view);
    return 0;
}

/* Factors, from scales or sizes. */
static bool read_factors(dl_onnx_import *in, const dl_onnx_view *view, int64_t *factors) {
    const Onnx__AttributeProto *old = dl_onnx_attribute(in, "scales");
    for (int i = 0; i < 4; i++) {
        double scale = 0;
        for (size_t k = 1; k < in->node->n_input; k++) { /* roi, scales, sizes */
            const dl_onnx_constant *c = dl_onnx_constant_of(in, k);
            bool sizes = k == 3;
            if (c && c->count == 4)
                scale =
                    sizes ? dl_onnx_element(c, i) / (double)view->dim[i] : dl_onnx_element(c, i);
        }
        if (old && old->n_floats == 4)
            scale = (double)old->floats[i];
        factors[i] = scale >= 1 && scale <= 1024 ? (int64_t)scale : 0;
        if ((double)factors[i] != scale || (i < 2 && scale != 1))
            return false;
    }
    return true;
}

int dl_onnx_in_resize(dl_onnx_import *in) {
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    static const char *const methods[] = {"nearest", "bilinear", "bicubic"};
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    int64_t factors[4];
    int source = dl_onnx_arrange_channels(in, value), method = 0;
    if (source == -2)
        return -1;
    const char *mode = dl_onnx_get_text(in, "mode", "nearest");
    const char *where = dl_onnx_get_text(in, "coordinate_transformation_mode", "half_pixel");
    const char *round = dl_onnx_get_text(in, "nearest_mode", "round_prefer_floor");
    while (method < 3 && strcmp(modes[method], mode))
        method++;
    if (value->view.rank != 4 || !read_factors(in, &value->view, factors))
        return dl_onnx_refuse(in, "only whole factors of an image's height and width, given as "
                                  "constants, are supported");
    bool centered = strstr(where, "half_pixel") && !strstr(where, "symmetric");
    bool corner = !strcmp(where, "asymmetric") && (!strcmp(round, "floor") || in->opset < 11);
    if (method == 3 || (method && in->opset < 11) || (method ? !centered : !centered && !corner) ||
        (method == 2 && dl_onnx_get_float(in, "cubic_coeff_a", -0.75) != -0.75) ||
        (method == 0 && centered && strncmp(round, "round", 5)) ||
        dl_onnx_get_int(in, "exclude_outside", 0) || dl_onnx_get_int(in, "antialias", 0))
        return dl_onnx_refuse(in, "mode %s with %s and nearest_mode %s is not supported", mode,
                              where, round);
    dl_shape shape = dl_onnx_shape_of(in, source);
    int64_t dims[4] = {value->view.dim[0], value->view.dim[1]};
    for (int i = 0; i < 2; i++) {
        dims[i + 2] = value->view.dim[i + 2] * factors[i + 2];
        shape.dim[i] = dims[i + 2] > INT32_MAX ? 0 : (int)dims[i + 2];
    }
    dl_onnx_layer *layer = dl_onnx_new_layer(in, "upsample", "", source, shape);
    if (!layer)
        return -1;
    dl_text_add(&layer->options, "size = (%lld, %lld); ", (long long)factors[2],
                (long long)factors[3]);
    dl_text_add(&layer->options, "method = \"%s\"; ", methods[method]);
    dl_onnx_view view = dl_onnx_view_of(4, dims, (int[]){0, 3, 1, 2});
    dl_onnx_set_view(in, 0, in->layer_count - 1, &view);
    return 0;
}

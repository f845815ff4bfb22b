/* SPDX-License-Identifier: MIT */
/* ONNX files: translated to a config, which must be one that can be read, with as many weights as
   its layers say. The net is not built. */
#include "fuzz.h"

#ifdef DL_ONNX
#include <string.h>

#include "convert/onnx_import.h"
#include "model/model.h"

static void check_config(dl_onnx_import *in, const Onnx__ModelProto *proto) {
    dl_text text = {0};
    dl_config config = {0};
    dl_model model = {0};
    dl_error error = {0};
    dl_table none = {(const dl_option[]){DL_OPTIONS_END}, &model};
    dl_onnx_write_config(in, proto, &text);
    if (dl_config_parse(&config, "net.cfg", text.data, &error))
        fuzz_finding("a config that is not one", &error);
    /* options out of range are refused here, as in the program */
    int result = dl_model_read(&model, &config, &none, &error);
    fuzz_check(result, &error);
    dl_model_free(&model);
    dl_config_free(&config);
    dl_text_free(&text);
}

void fuzz_onnx(const uint8_t *input, size_t count) {
    dl_convert_options options = {.shape = count % 3 ? NULL : "3x8x9"};
    dl_error error = {0};
    Onnx__ModelProto *proto = dl_onnx_parse(input, (int64_t)count, "net.onnx", &error);
    int result = -1;
    if (proto) {
        dl_onnx_import in = {.path = "net.onnx", .error = &error, .options = &options};
        result = dl_onnx_translate(&in, proto);
        if (!result)
            check_config(&in, proto);
        dl_onnx_import_free(&in);
        onnx__model_proto__free_unpacked(proto, NULL);
    }
    fuzz_check(result, &error);
}
#else
void fuzz_onnx(const uint8_t *input, size_t count) {
    (void)input, (void)count;
}
#endif

/* SPDX-License-Identifier: MIT */
/* Every foreign format. A new one: its file, and a line here. */
#include "convert/convert.h"

#ifdef DL_ONNX
#define ONNX(_) _(onnx)
#else
#define ONNX(_)
#endif
#define FORMATS(_) ONNX(_) _(safetensors) _(npz) _(csv)

#define DECLARE_FORMAT(name) extern const dl_foreign_format dl_foreign_##name;
#define FORMAT(name) &dl_foreign_##name,
FORMATS(DECLARE_FORMAT)
const dl_foreign_format *const dl_foreign_formats[] = {FORMATS(FORMAT) NULL};

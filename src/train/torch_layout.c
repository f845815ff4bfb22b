/* SPDX-License-Identifier: MIT */
#include "train/torch_layout.h"

#include <string.h>

const char *const dl_layout_names[] = {"auto", "dltrain", "torch", "keras", NULL};

bool dl_torch_differs(const dl_param *param) {
    return param->shape.rank % 2 == 0 && param->layout != DL_TORCH_SAME &&
           !(param->flags & DL_CARRIED);
}

/* A kernel is [kh][kw][in][out] here and [out][in][kh][kw] there, a depthwise one
   [kh][kw][channels][multiplier] and [channels * multiplier][1][kh][kw]. */
static dl_shape torch_shape(const dl_param *param) {
    const int *d = param->shape.dim;
    if (param->shape.rank == 2)
        return dl_shape2(d[1], d[0]);
    if (param->layout == DL_TORCH_DEPTHWISE)
        return (dl_shape){4, {d[2] * d[3], 1, d[0], d[1]}};
    return (dl_shape){4, {d[3], d[2], d[0], d[1]}};
}

/* Of a convolution over time, [out][in][k] is accepted, too. */
static bool fits_torch(const dl_param *param, dl_shape found) {
    dl_shape torch = torch_shape(param);
    if (torch.rank == 4 && found.rank == 3 && torch.dim[2] == 1)
        return found.dim[0] == torch.dim[0] && found.dim[1] == torch.dim[1] &&
               found.dim[2] == torch.dim[3];
    return dl_shape_equal(found, torch);
}

void dl_layout_vote(dl_layout_votes *votes, const dl_param *param, const dl_safetensors *file,
                    const char *name) {
    dl_shape found;
    if (!dl_torch_differs(param) || param->count == 1 || !dl_safetensors_find(file, name, &found))
        return;
    bool ours = dl_shape_equal(found, param->shape), torch = fits_torch(param, found);
    votes->ours += ours && !torch;
    votes->torch += torch && !ours;
    if (ours && torch && !votes->both++)
        snprintf(votes->example, sizeof votes->example, "%s", param->name);
}

int dl_torch_read(const dl_param *param, const dl_safetensors *file, const char *name,
                  dl_text *why) {
    dl_shape found;
    char here[48], torch[48];
    const char *bytes = dl_safetensors_find(file, name, &found);
    if (!bytes || !fits_torch(param, found)) {
        dl_safetensors_add_shape(file, name, why);
        dl_text_add(why, " in the file, %s here, which is %s in PyTorch",
                    dl_shape_text(here, param->shape), dl_shape_text(torch, torch_shape(param)));
        return 0;
    }
    const int *d = param->shape.dim;
    bool matrix = param->shape.rank == 2;
    int64_t area = matrix ? 1 : (int64_t)d[0] * d[1];
    int64_t inputs = matrix ? d[0] : d[2], outputs = matrix ? d[1] : d[3];
    bool depthwise = param->layout == DL_TORCH_DEPTHWISE;
    for (int64_t at = 0; at < area; at++)
        for (int64_t in = 0; in < inputs; in++)
            for (int64_t out = 0; out < outputs; out++) {
                int64_t filter = depthwise ? in * outputs + out : out * inputs + in;
                memcpy(param->value + (at * inputs + in) * outputs + out,
                       bytes + (filter * area + at) * (int64_t)sizeof(float), sizeof(float));
            }
    return 1;
}

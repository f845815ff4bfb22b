/* SPDX-License-Identifier: MIT */
/* Rotates colors around the gray axis R = G = B. */
#include <math.h>

#include "augment/augmentation.h"

typedef struct {
    dl_augmentation_common common;
    double degrees;
} hue_augmentation;

static const dl_option hue_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("degrees", hue_augmentation, degrees, "18.0", 0, 180,
                    "largest hue rotation in either direction; 120 turns red into green"),
    DL_OPTIONS_END,
};

static int check_hue(const void *self, dl_shape image, const char *where, dl_error *error) {
    (void)self;
    return dl_augment_check_rgb("hue", image, where, error);
}

/* Rodrigues' rotation formula around (1, 1, 1). */
static void hue(const void *self, const dl_draw *draw, dl_picture *p) {
    double max = ((const hue_augmentation *)self)->degrees * 3.14159265358979323846 / 180;
    double a = dl_augment_uniform(draw, 0, -max, max);
    double c = cos(a), s = sin(a) / sqrt(3), k = (1 - c) / 3;
    float own = (float)(c + k), left = (float)(k - s), right = (float)(k + s);
    for (int64_t i = 0; i < (int64_t)p->height * p->width; i++) {
        float *x = p->x + 3 * i, r = x[0], g = x[1], b = x[2];
        x[0] = own * r + left * g + right * b;
        x[1] = right * r + own * g + left * b;
        x[2] = left * r + right * g + own * b;
    }
    dl_picture_clamp(p);
}

const dl_augmentation_type dl_augmentation_hue = {
    .kind = {"hue", "changes the hue of colors, not their lightness", sizeof(hue_augmentation),
             hue_options},
    .check = check_hue,
    .paint = hue,
};

/* SPDX-License-Identifier: MIT */
/* p <- p + n for each value p, n normal. */
#include "augment/augmentation.h"

typedef struct {
    dl_augmentation_common common;
    double stddev;
} noise_augmentation;

static const dl_option noise_options[] = {
    DL_AUGMENT_PROBABILITY("1.0"),
    DL_FLOAT_OPTION("stddev", noise_augmentation, stddev, "0.05", 0, 10,
                    "standard deviation of the noise; 1 is the range from black to white (255 for "
                    "8-bit images)"),
    DL_OPTIONS_END,
};

static void noise(const void *self, const dl_draw *draw, dl_picture *p) {
    enum { CHUNK = 64 };
    float drawn[CHUNK], scale = (float)(((const noise_augmentation *)self)->stddev * p->range);
    int64_t size = dl_picture_size(p);
    for (int64_t first = 0; first < size; first += CHUNK) {
        int64_t count = size - first < CHUNK ? size - first : CHUNK;
        dl_random_normal(draw, DL_AUGMENT_BULK + first, count, drawn);
        for (int64_t i = 0; i < count; i++)
            p->x[first + i] += scale * drawn[i];
    }
    dl_picture_clamp(p);
}

const dl_augmentation_type dl_augmentation_noise = {
    .kind = {"noise", "adds normal noise to each value", sizeof(noise_augmentation), noise_options},
    .paint = noise,
};

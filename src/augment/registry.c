/* SPDX-License-Identifier: MIT */
/* Every augmentation there is. A new one: its file, a declaration and a line here. */
#include "data/augment.h"

extern const dl_augmentation_type dl_augmentation_flip_horizontal, dl_augmentation_flip_vertical,
    dl_augmentation_rotate, dl_augmentation_shift, dl_augmentation_zoom, dl_augmentation_shear,
    dl_augmentation_elastic, dl_augmentation_random_crop, dl_augmentation_brightness,
    dl_augmentation_contrast, dl_augmentation_saturation, dl_augmentation_hue,
    dl_augmentation_noise, dl_augmentation_cutout, dl_augmentation_random_erase,
    dl_augmentation_mixup, dl_augmentation_cutmix;

static const dl_kind *const kinds[] = {
    &dl_augmentation_flip_horizontal.kind,
    &dl_augmentation_flip_vertical.kind,
    &dl_augmentation_rotate.kind,
    &dl_augmentation_shift.kind,
    &dl_augmentation_zoom.kind,
    &dl_augmentation_shear.kind,
    &dl_augmentation_elastic.kind,
    &dl_augmentation_random_crop.kind,
    &dl_augmentation_brightness.kind,
    &dl_augmentation_contrast.kind,
    &dl_augmentation_saturation.kind,
    &dl_augmentation_hue.kind,
    &dl_augmentation_noise.kind,
    &dl_augmentation_cutout.kind,
    &dl_augmentation_random_erase.kind,
    &dl_augmentation_mixup.kind,
    &dl_augmentation_cutmix.kind,
};

const dl_registry dl_augmentation_registry = {
    .what = "augmentation",
    .plural = "augmentations",
    .key = "type",
    .count = sizeof kinds / sizeof *kinds,
    .kinds = kinds,
};

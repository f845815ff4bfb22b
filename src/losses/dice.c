/* SPDX-License-Identifier: MIT */
/* Soft Dice loss of one sample, from logits z[channels] and targets t[channels] in [0, 1], with a
   smoothing term s:
     p = sigmoid(z),  I = sum of p t,  U = sum of p + sum of t,
     L = 1 - (2 I + s) / (U + s),
     dL/dz_j = p_j (1 - p_j) ((2 I + s) / (U + s)^2 - 2 t_j / (U + s)).
   A differentiable form of the Dice coefficient 2 |A and B| / (|A| + |B|): Milletari et al.,
   "V-Net", 3DV 2016 (with squares in the denominator), and Drozdzal et al., "The importance of skip
   connections in biomedical image segmentation", 2016. */
#include "losses/loss.h"
#include "math/scalar.h"

typedef struct {
    double smooth;
} dice;

static const dl_option options[] = {
    DL_FLOAT_OPTION(
        "smooth", dice, smooth, "1.0", 1e-6, 1e6,
        "added to numerator and denominator: avoids division by zero, and makes an empty "
        "prediction of an empty mask perfect; use less than the area of the objects"),
    DL_OPTIONS_END,
};

static int check(const void *self, const dl_output *output, const dl_target *target,
                 dl_error *error) {
    (void)self;
    if (target->classes)
        return dl_fail(error, DL_USAGE,
                       "%s: dice needs targets from 0 to 1 (a mask), but the data has %d classes "
                       "(use %s_cross_entropy)",
                       output->loss_where, target->classes,
                       target->classes == 2 ? "binary" : "softmax");
    if (dl_loss_check_logits(output, "dice", "sigmoid", error) ||
        dl_loss_check_unit_targets(output, target, "dice", error))
        return -1;
    return dl_loss_check_elementwise(output, target, error);
}

static double evaluate(const void *self, const dl_target *info, int64_t rows, int64_t channels,
                       const float *output, const float *target, float scale, float *grad) {
    double smooth = ((const dice *)self)->smooth, total = 0;
    (void)info;
    for (int64_t i = 0; i < rows; i++) {
        const float *z = output + i * channels, *t = target + i * channels;
        double shared = 0, both = 0;
        for (int64_t j = 0; j < channels; j++) {
            float p = dl_sigmoid(z[j]);
            shared += (double)p * t[j];
            both += (double)p + t[j];
        }
        double numerator = 2 * shared + smooth, denominator = both + smooth;
        total += 1 - numerator / denominator;
        float first = (float)(numerator / (denominator * denominator));
        float second = (float)(2 / denominator);
        for (int64_t j = 0; grad && j < channels; j++) {
            float p = dl_sigmoid(z[j]);
            grad[i * channels + j] = scale * p * (1 - p) * (first - second * t[j]);
        }
    }
    return total;
}

const dl_loss_type dl_loss_dice = {
    .kind = {"dice",
             "soft Dice loss with a built-in sigmoid, for masks (targets from 0 to 1): 1 minus the "
             "overlap of prediction and target in each sample, whatever the size of the object. "
             "The last layer must output one logit per target",
             sizeof(dice), options},
    .check = check,
    .evaluate = evaluate,
    .link = DL_SIGMOID,
};

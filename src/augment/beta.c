/* SPDX-License-Identifier: MIT */
#include "augment/beta.h"

#include <math.h>

#include "augment/augmentation.h"

/* ln of a sample of Gamma(alpha), from elements `first` … of the draw: Marsaglia and Tsang, "A
   simple method for generating gamma variables", 2000; for alpha < 1 from Gamma(alpha + 1). */
static double log_gamma(const dl_draw *draw, double alpha, int64_t first) {
    double shape = alpha < 1 ? alpha + 1 : alpha, d = shape - 1.0 / 3, c = 1 / sqrt(9 * d), v = 1;
    float u[4];
    for (int round = 0; round < 64; round++) { /* rejection rate below 5 % */
        float normal[4];
        dl_random_normal(draw, first + 8 * round, 1, normal);
        dl_random_uniform(draw, first + 8 * round + 4, 2, u);
        double x = (double)normal[0], root = 1 + c * x;
        v = root * root * root;
        if (root > 0 && log(1 - (double)u[0]) < 0.5 * x * x + d - d * v + d * log(v))
            break;
        v = 1;
    }
    double boost = alpha < 1 ? log(1 - (double)u[1]) / alpha : 0;
    return log(d * v) + boost;
}

double dl_augment_beta(double alpha, const dl_draw *draw) {
    enum { ELEMENTS = 512 };
    double a = log_gamma(draw, alpha, DL_AUGMENT_BULK);
    double b = log_gamma(draw, alpha, DL_AUGMENT_BULK + ELEMENTS);
    return 1 / (1 + exp(b - a));
}

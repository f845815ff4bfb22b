/* SPDX-License-Identifier: MIT */
/* The gradient of the score. Simonyan, Vedaldi and Zisserman, "Deep inside convolutional networks",
   2013. Guided: through relu only positive gradients pass. Springenberg et al., 2015. */
#include "inspect/saliency.h"
#include "math/vector.h"

static void differentiate(dl_saliency *s, bool guided, float *map) {
    float score;
    dl_look_differentiate(s->net, s->x, 1, &s->target, guided, &score);
    dl_copy(map, s->net->input_grad, dl_shape_size(s->net->input));
}

static void gradient(dl_saliency *s, float *map) {
    differentiate(s, false, map);
}

static void guided(dl_saliency *s, float *map) {
    differentiate(s, true, map);
}

static int check(const dl_saliency *s, dl_error *error) {
    for (int i = 0; i < s->net->layer_count; i++) {
        const dl_activation *f = s->net->layers[i].activation;
        if (f && dl_activation_of(f)->rectifies)
            return 0;
    }
    return dl_fail(error, DL_USAGE,
                   "guided backpropagation has no meaning for this net: no layer has a rectifying "
                   "activation function, such as relu");
}

const dl_saliency_method dl_saliency_gradient = {"gradient", true, false, NULL, gradient};
const dl_saliency_method dl_saliency_guided = {"guided", true, false, check, guided};

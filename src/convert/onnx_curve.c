/* SPDX-License-Identifier: MIT */
/* Element-wise operators. Exporters write one activation function as several of them, in many ways
   (gelu as Div, Erf, Add, Mul, Mul). So a function is not recognized by its nodes, but by its
   values: the nodes since the last layer are computed at some points, and compared with dltrain's
   activation functions there. */
#include <math.h>
#include <string.h>

#include "convert/onnx_import.h"

enum { POINTS = 45 };

typedef double function(double x, double a, double b);

/* y at the points, if the layer's output is `point` there. */
struct dl_onnx_curve {
    double y[POINTS];
    const dl_onnx_curve *left, *right; /* what the last operator reads; NULL: the layer's output */
    bool two;                          /* it reads `right`, too; else: */
    function *f;
    double a, b;
    const char *op;
};

static double point(int i) {
    static const double ends[] = {-40, -20, -12, 12, 20};
    return i < 5 ? ends[i] : (i - 5 - 19.5) * (i - 5 - 19.5 < 0 ? 0.41 : 0.37);
}

/* ---- the operators ---- */

#define FUNCTION(name, expression)                                                                 \
    static double name(double x, double a, double b) {                                             \
        (void)a, (void)b;                                                                          \
        return expression;                                                                         \
    }
FUNCTION(absolute, fabs(x))
FUNCTION(affine, a *x + b)
FUNCTION(clip, x<a ? a : x> b ? b : x)
FUNCTION(elu, x < 0 ? a * expm1(x) : x)
FUNCTION(error_function, erf(x))
FUNCTION(exponential, exp(x))
FUNCTION(gelu, x / 2 * (1 + erf(x * sqrt(0.5))))
FUNCTION(hard_sigmoid, clip(a *x + b, 0, 1))
FUNCTION(hard_swish, x *clip(x / 6 + 0.5, 0, 1))
FUNCTION(hyperbolic, tanh(x))
FUNCTION(leaky, x < 0 ? a * x : x)
FUNCTION(logarithm, log(x))
FUNCTION(negative, -x)
FUNCTION(power, pow(x, a))
FUNCTION(quotient, a / x)
FUNCTION(root, sqrt(x))
FUNCTION(selu, b *(x < 0 ? a * expm1(x) : x))
FUNCTION(sigmoid, 1 / (1 + exp(-x)))
FUNCTION(softplus, fmax(x, 0) + log1p(exp(-fabs(x))))
FUNCTION(softsign, x / (1 + fabs(x)))
FUNCTION(mish, x *tanh(softplus(x, 0, 0)))

static const struct {
    const char *op;
    function *f;
    double alpha, beta; /* defaults of the attributes */
    const char *second; /* the attribute of b */
} functions[] = {
    {"Abs", absolute, 0, 0, ""},
    {"Elu", elu, 1, 0, ""},
    {"Erf", error_function, 0, 0, ""},
    {"Exp", exponential, 0, 0, ""},
    {"Gelu", gelu, 0, 0, ""},
    {"HardSigmoid", hard_sigmoid, 0.2f, 0.5, "beta"},
    {"HardSwish", hard_swish, 0, 0, ""},
    {"LeakyRelu", leaky, 0.01f, 0, ""},
    {"Log", logarithm, 0, 0, ""},
    {"Mish", mish, 0, 0, ""},
    {"Neg", negative, 0, 0, ""},
    {"Reciprocal", quotient, 1, 0, ""},
    {"Relu", leaky, 0, 0, ""},
    {"Selu", selu, 1.67326319217681884765625, 1.05070102214813232421875, "gamma"},
    {"Sigmoid", sigmoid, 0, 0, ""},
    {"Softplus", softplus, 0, 0, ""},
    {"Softsign", softsign, 0, 0, ""},
    {"Sqrt", root, 0, 0, ""},
    {"Tanh", hyperbolic, 0, 0, ""},
};

static const dl_onnx_curve *apply(dl_onnx_import *in, const dl_onnx_curve *left, function *f,
                                  double a, double b) {
    dl_onnx_curve *c = dl_arena_alloc(&in->arena, sizeof *c);
    *c = (dl_onnx_curve){.left = left, .f = f, .a = a, .b = b, .op = in->node->op_type};
    for (int i = 0; i < POINTS; i++)
        c->y[i] = f(left ? left->y[i] : point(i), a, b);
    return c;
}

static const dl_onnx_curve *combine(dl_onnx_import *in, const dl_onnx_curve *left,
                                    const dl_onnx_curve *right, char op) {
    dl_onnx_curve *c = dl_arena_alloc(&in->arena, sizeof *c);
    *c = (dl_onnx_curve){.left = left, .right = right, .two = true, .op = in->node->op_type};
    for (int i = 0; i < POINTS; i++) {
        double l = left ? left->y[i] : point(i), r = right ? right->y[i] : point(i);
        c->y[i] = op == 'A' ? l + r : op == 'S' ? l - r : op == 'M' ? l * r : l / r;
    }
    return c;
}

/* A bound of Clip: an input, or an attribute of opsets before 11. */
static double bound(dl_onnx_import *in, size_t input, const char *key, double otherwise) {
    const dl_onnx_constant *c = dl_onnx_constant_of(in, input);
    if (c && c->count == 1)
        return dl_onnx_element(c, 0);
    return dl_onnx_get_float(in, key, otherwise);
}

int dl_onnx_in_function(dl_onnx_import *in) {
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    const char *op = in->node->op_type;
    if (value->constant)
        return dl_onnx_refuse(in, "%s of a constant is not supported", op);
    const dl_onnx_curve *made = NULL;
    if (!strcmp(op, "Clip")) {
        for (size_t k = 1; k < in->node->n_input; k++)
            if (dl_onnx_value_of(in, k) && !dl_onnx_constant_of(in, k))
                return dl_onnx_refuse(in, "its bounds are not constant");
        made = apply(in, value->curve, clip, bound(in, 1, "min", -INFINITY),
                     bound(in, 2, "max", INFINITY));
    }
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!strcmp(functions[i].op, op))
            made = apply(in, value->curve, functions[i].f,
                         dl_onnx_get_float(in, "alpha", functions[i].alpha),
                         dl_onnx_get_float(in, functions[i].second, functions[i].beta));
    dl_onnx_set_curve(in, value->layer, &value->view, made);
    return 0;
}

/* Add, Sub, Mul, Div and Pow of a value and one number, or of two functions of one output. */
int dl_onnx_add_function(dl_onnx_import *in, dl_onnx_in_value *a, dl_onnx_in_value *b) {
    const char op = in->node->op_type[0];
    bool pow = !strcmp(in->node->op_type, "Pow"), swapped = a->constant != NULL;
    dl_onnx_in_value *value = swapped ? b : a;
    const dl_onnx_constant *c = swapped ? a->constant : b->constant;
    if (!c && !pow && a->layer == b->layer && (a->curve || b->curve) &&
        dl_onnx_view_same(&a->view, &b->view)) {
        dl_onnx_set_curve(in, a->layer, &a->view, combine(in, a->curve, b->curve, op));
        return 1;
    }
    if (!c || c->count < 1 || (!c->uniform && c->count != 1) || c->rank > value->view.rank)
        return 0;
    double n = dl_onnx_element(c, 0);
    const dl_onnx_curve *made = NULL;
    if (pow && !swapped)
        made = apply(in, value->curve, power, n, 0);
    else if (op == 'A')
        made = apply(in, value->curve, affine, 1, n);
    else if (op == 'S')
        made = apply(in, value->curve, affine, swapped ? -1 : 1, swapped ? n : -n);
    else if (op == 'M' || (op == 'D' && !swapped))
        made = apply(in, value->curve, affine, op == 'M' ? n : 1 / n, 0);
    else if (op == 'D')
        made = apply(in, value->curve, quotient, n, 0);
    if (!made)
        return 0;
    dl_onnx_set_curve(in, value->layer, &value->view, made);
    return 1;
}

/* ---- recognizing them ---- */

static bool near(double a, double b, double tolerance) {
    return a == b || fabs(a - b) <= tolerance * (1 + fabs(b));
}

static double value_at(const dl_onnx_curve *c, double x) {
    int nearest = 0;
    for (int i = 0; i < POINTS; i++)
        if (fabs(point(i) - x) < fabs(point(nearest) - x))
            nearest = i;
    return c->y[nearest];
}

static bool matches(const dl_onnx_curve *c, const dl_activation *f, double tolerance) {
    for (int i = 0; i < POINTS; i++) {
        float x = (float)point(i), y;
        dl_activate_row(f, 1, NULL, &x, &y);
        if (!near(c->y[i], (double)y, tolerance))
            return false;
    }
    return true;
}

/* The options of the activation function that the curve is, or NULL. */
static const char *recognize(dl_onnx_import *in, const dl_onnx_curve *c) {
    const double exact = 4e-6, rough = 1e-3;
    dl_activation f = {.slope = value_at(c, -12) / -12, .alpha = -value_at(c, -40)};
    f.hard_slope = (value_at(c, 0.18) - value_at(c, -0.2)) / (0.185 + 0.205);
    for (f.kind = 0; dl_activation_names[f.kind]; f.kind++) {
        if (f.kind == DL_LINEAR || f.kind == DL_STEP || dl_activation_of(&f)->over_channels)
            continue;
        bool is = matches(c, &f, exact);
        if (!is && f.kind == DL_GELU && matches(c, &f, rough)) {
            is = true;
            if (!strstr(dl_text_get(&in->notes), "gelu"))
                dl_text_add(&in->notes,
                            "its gelu is an approximation (by tanh, say); dltrain's is the exact "
                            "function, so that outputs differ by up to 0.0005 per layer\n");
        }
        if (!is || !isfinite(f.slope + f.alpha + f.hard_slope))
            continue;
        char number[32];
        const char *name = dl_activation_names[f.kind], *key = NULL;
        double value = 0;
        if (f.kind == DL_LEAKY_RELU)
            key = "slope", value = f.slope;
        else if (f.kind == DL_ELU)
            key = "alpha", value = f.alpha;
        else if (f.kind == DL_HARD_SIGMOID)
            key = "hard_slope", value = f.hard_slope;
        dl_text_double(number, (double)(float)value);
        return key ? dl_arena_printf(&in->arena, "activation = \"%s\"; %s = %s; ", name, key,
                                     number)
                   : dl_arena_printf(&in->arena, "activation = \"%s\"; ", name);
    }
    return NULL;
}

/* Adds a layer "scale" with one factor and one addend, which are not trained. */
static int add_affine(dl_onnx_import *in, int source, double a, double b) {
    dl_shape shape = dl_onnx_shape_of(in, source);
    dl_onnx_layer *layer = dl_onnx_new_layer(in, "scale", NULL, source, shape);
    if (!layer)
        return -2;
    int channels = dl_shape_channels(shape);
    if (channels > DL_ONNX_MOST_REPEATED || !isfinite((float)a) || !isfinite((float)b)) {
        dl_onnx_refuse(in, "its constant is not finite, or its input is too large");
        return -2;
    }
    float *scale = dl_onnx_add_tensor(in, layer, "scale", channels);
    float *shift = b != 0 ? dl_onnx_add_tensor(in, layer, "shift", channels) : NULL;
    for (int c = 0; c < channels; c++) {
        scale[c] = (float)a;
        if (shift)
            shift[c] = (float)b;
    }
    dl_text_add(&layer->options, "%strainable = false; ", shift ? "shift = true; " : "");
    return in->layer_count - 1;
}

static bool is_affine(const dl_onnx_curve *c, double *a, double *b) {
    *a = (c->y[POINTS - 1] - c->y[5]) / (point(POINTS - 1) - point(5));
    *b = c->y[5] - *a * point(5);
    for (int i = 0; i < POINTS; i++)
        if (!near(c->y[i], *a * point(i) + *b, 1e-9))
            return false;
    return true;
}

/* The layer that computes the curve of the output of `source`; -2 and an error. */
static int add_curve(dl_onnx_import *in, const dl_onnx_curve *c, int source, int depth) {
    double a, b;
    if (!c)
        return source;
    if (is_affine(c, &a, &b))
        return near(a, 1, 1e-12) && near(b, 0, 1e-12) ? source : add_affine(in, source, a, b);
    const char *known = recognize(in, c);
    if (known) {
        dl_onnx_layer *layer =
            dl_onnx_new_layer(in, "activation", NULL, source, dl_onnx_shape_of(in, source));
        if (!layer)
            return -2;
        layer->activation = known;
        return in->layer_count - 1;
    }
    bool product = c->two && c->op[0] == 'M', sum = c->two && c->op[0] == 'A';
    if (depth > 30 || (c->two ? !product && !sum : !c->left)) {
        dl_onnx_refuse(in, "no layer has the function of the nodes up to this one (%s)", c->op);
        return -2;
    }
    int left = add_curve(in, c->left, source, depth + 1);
    if (left == -2)
        return -2;
    if (!c->two)
        return add_curve(in, apply(in, NULL, c->f, c->a, c->b), left, depth + 1);
    int right = add_curve(in, c->right, source, depth + 1);
    dl_onnx_layer *layer = right == -2 ? NULL
                                       : dl_onnx_new_layer(in, product ? "multiply" : "add", NULL,
                                                           left, dl_onnx_shape_of(in, left));
    if (!layer)
        return -2;
    layer->inputs[layer->input_count++] = right;
    layer->activates = sum;
    return in->layer_count - 1;
}

int dl_onnx_settle(dl_onnx_import *in, dl_onnx_in_value *value) {
    int layer = add_curve(in, value->curve, value->layer, 0);
    if (layer == -2)
        return -2;
    value->layer = layer;
    value->curve = NULL;
    return layer;
}

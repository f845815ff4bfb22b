/* Walks the registries: every layer and every loss, under every kind of option that its table
   knows, against central differences in double precision. A new layer needs no new test. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "losses/loss.h"
#include "math/threads.h"

enum { BATCH = 3, MOST_BATCH = 4 };
static const double STEP = 3e-6, SHARE = 0.8; /* of its input the probe hands on */
/* Of a layer's slopes; of those of several layers behind each other, which bend more, ten times it.
 */
static double tolerance = 1e-7;

static const dl_shape shapes[] = {{3, {7, 6, 3, 1}}, {1, {5, 1, 1, 1}}, {2, {6, 3, 1, 1}}};

/* ---- one net against central differences ---- */

static double objective(dl_net *net, const float *r, const dl_pass *pass) {
    const dl_tensor *out = dl_net_output(net);
    double sum = 0;
    for (int64_t i = 0; i < pass->batch * dl_shape_size(out->shape); i++)
        sum += r[i] * out->value[i];
    return sum;
}

/* A net under test. Its first layer is the probe, whose output is put back before each run, since
   the plan may have had it overwritten in the run before. */
typedef struct {
    dl_net *net;
    const dl_pass *pass;
    const float *r;    /* the objective's weights [out] */
    const float *kept; /* the probe's output [in] */
    int64_t in;
} trial;

static void restore(const trial *t) {
    memcpy(t->net->layers[0].out.value, t->kept, sizeof *t->kept * (size_t)t->in);
}

/* The objective with *place = value, running from layer 1 on. */
static double objective_at(const trial *t, float *place, double value) {
    restore(t);
    *place = value;
    for (int i = 1; i < t->net->layer_count; i++)
        if (!t->net->layers[i].is_view)
            t->net->layers[i].type->forward(&t->net->layers[i], t->pass);
    return objective(t->net, t->r, t->pass);
}

/* Compares analytic[count] with the slopes of the objective along value[count]. Returns how many
   slopes are not zero. */
static int compare(const trial *t, float *value, const float *analytic, int64_t count,
                   const char *what) {
    int slopes = 0;
    restore(t);
    for (int64_t i = 0; i < count; i++) {
        float kept = value[i];
        double above = objective_at(t, &value[i], kept + STEP);
        double below = objective_at(t, &value[i], kept - STEP);
        value[i] = kept;
        restore(t);
        double slope = (above - below) / (2 * STEP);
        double scale = fmax(1, fmax(fabs(slope), fabs(analytic[i])));
        if (!(fabs(slope - analytic[i]) <= tolerance * scale))
            fail_msg("%s: element %lld: slope %.9g, gradient %.9g", what, (long long)i, slope,
                     analytic[i]);
        slopes += fabs(slope) > 1e-6;
    }
    return slopes;
}

/* Checks layer 1 (and what follows) of a net whose layer 0 is the probe. Returns the number of
   slopes that are not zero. */
static int check_net(dl_net *net, const char *what, int batch) {
    dl_pass pass = {batch, true, 7, 2, 5};
    int64_t in = batch * dl_shape_size(net->input);
    int64_t out = batch * dl_shape_size(dl_net_output(net)->shape);
    float *x = xmalloc(sizeof *x * (size_t)in), *r = xmalloc(sizeof *r * (size_t)out);
    dl_net_initialize(net, 3);
    for (int p = 0; p < net->param_count; p++) /* biases too */
        harness_fill(net->params[p].value, net->params[p].count, (uint16_t)(10 + p));
    harness_identity(net);
    for (int64_t i = 0; i < net->params[0].count; i++) /* two readers see two different inputs */
        net->params[0].value[i] *= SHARE;
    harness_fill(x, in, 1);
    harness_fill(r, out, 2);
    memset(net->memory, 0xFF, (size_t)net->memory_bytes); /* NaN: nobody may count on zeros */
    dl_net_forward(net, x, &pass);
    memcpy(dl_net_output(net)->grad, r, sizeof *r * (size_t)out);
    dl_net_backward(net, &pass);
    /* the differences write over the plan's memory: keep what is compared */
    dl_tensor *middle = &net->layers[0].out;
    float *grads = xmalloc(sizeof *grads * (size_t)(net->weight_count + in));
    memcpy(grads, net->gradients, sizeof *grads * (size_t)net->weight_count);
    memcpy(grads + net->weight_count, middle->grad, sizeof *grads * (size_t)in);
    float *handed = xmalloc(sizeof *handed * (size_t)in);
    for (int64_t i = 0; i < in; i++)
        handed[i] = SHARE * x[i];
    trial t = {net, &pass, r, handed, in};
    int slopes = compare(&t, middle->value, grads + net->weight_count, in, what);
    for (int i = 1; i < net->layer_count; i++)
        for (int p = 0; p < net->layers[i].param_count; p++) {
            dl_param *param = &net->layers[i].params[p];
            slopes += compare(&t, param->value, grads + param->offset, param->count, what);
        }
    free(grads);
    free(handed);
    free(x);
    free(r);
    return slopes;
}

/* ---- every variant of a layer ---- */

/* What a required option is given. */
static void add_required(dl_text *layer, const dl_option *o) {
    if (o->fallback)
        return;
    if (o->type == DL_CHOICE)
        dl_text_add(layer, " %s = \"%s\";", o->key, o->choices[2]);
    else if (o->type == DL_FLOAT)
        dl_text_add(layer, " %s = 0.5;", o->key);
    else
        dl_text_add(layer, " %s = 3;", o->key);
}

/* A key of a variant, with its value as it stands in a config; NULL ends a list of them. */
typedef struct {
    const char *key, *value;
} setting;

static char *write_layer(const dl_kind *kind, const setting *settings, int inputs) {
    dl_text layer = {0};
    bool unpool = !strcmp(kind->name, "unpool"); /* what it undoes must be there */
    if (unpool)
        dl_text_add(&layer, "{ layer = \"max_pool\"; name = \"pool\"; size = (2, 3); }, ");
    dl_text_add(&layer, "{ layer = \"%s\";", kind->name);
    for (const dl_option *o = kind->options; o->key; o++) {
        const setting *set = settings;
        while (set->key && strcmp(set->key, o->key))
            set++;
        if (set->key)
            dl_text_add(&layer, " %s = %s;", set->key, set->value);
        else
            add_required(&layer, o);
    }
    if (unpool && inputs == 2)
        dl_text_add(&layer, " inputs = (\"pool\", \"pool\");");
    else if (inputs == 2)
        dl_text_add(&layer, " inputs = (\"probe\", \"input\");");
    if (inputs == 3)
        dl_text_add(&layer, " inputs = (\"probe\", \"input\", \"probe\");");
    dl_text_add(&layer, " }");
    return layer.data;
}

/* Runs one variant on the first shape that it accepts; -1 if there is none. */
static int try_variant(const dl_kind *kind, const setting *settings, int inputs) {
    char *layer = write_layer(kind, settings, inputs);
    int slopes = -1;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes && slopes < 0; s++) {
        dl_text layers = {0};
        harness h;
        harness_probe(&layers, shapes[s]);
        dl_text_add(&layers, "%s", layer);
        for (int batch = BATCH; batch <= MOST_BATCH; batch++) { /* a partial and a full one */
            if (harness_open(&h, layers.data, shapes[s], MOST_BATCH, true, 2))
                slopes = check_net(&h.net, layer, batch);
            harness_close(&h);
        }
        dl_text_free(&layers);
    }
    free(layer);
    return slopes;
}

typedef struct {
    int tried, sloped;
} tally;

static void count_variant(tally *t, const dl_kind *kind, const setting *settings) {
    const dl_layer_type *type = (const dl_layer_type *)kind;
    for (int inputs = 1; inputs <= (type->most_inputs > 1 ? 3 : 1); inputs++) {
        int slopes = try_variant(kind, settings, inputs);
        t->tried += slopes >= 0;
        t->sloped += slopes > 0;
    }
}

/* One option under a value, and with it, for a word, every number option off its default: the slope
   of leaky_relu matters only where the activation is leaky_relu. */
static void vary(tally *t, const dl_kind *kind, const dl_option *o, const char *value) {
    setting settings[3] = {{o->key, value}, {NULL, NULL}, {NULL, NULL}};
    count_variant(t, kind, settings);
    for (const dl_option *f = kind->options; value[0] == '"' && f->key; f++)
        if (f->type == DL_FLOAT) {
            settings[1] = (setting){f->key, "0.2"};
            count_variant(t, kind, settings);
        }
}

static void vary_all(tally *t, const dl_kind *kind, const dl_option *o) {
    static const char *const numbers[] = {"1", "2", "3", "4", "(2, 3)"};
    char value[64];
    for (int c = 0; o->choices && o->choices[c]; c++) {
        snprintf(value, sizeof value, "\"%s\"", o->choices[c]);
        vary(t, kind, o, value);
    }
    if (o->type == DL_BOOL) {
        vary(t, kind, o, "true");
        vary(t, kind, o, "false");
    }
    if (o->type == DL_FLOAT)
        vary(t, kind, o, "0.2");
    static const char *const lists[] = {"126", "(9, 14)", "(3, 6, 7)", "(2, 5, 3)"};
    for (int n = 0; n < 4 && o->type == DL_NUMBERS; n++)
        vary(t, kind, o, lists[n]);
    for (int n = 0; n < 5 && (o->type == DL_PAIR || (o->type == DL_INT && n < 4)); n++)
        vary(t, kind, o, numbers[n]);
}

static void test_layers(void **state) {
    (void)state;
    for (int k = 0; k < dl_layer_registry.count; k++) {
        const dl_kind *kind = dl_layer_registry.kinds[k];
        tally t = {0};
        count_variant(&t, kind, &(setting){NULL, NULL});
        for (const dl_option *o = kind->options; o->key; o++)
            vary_all(&t, kind, o);
        printf("   %-15s %3d variants, %3d with slopes\n", kind->name, t.tried, t.sloped);
        assert_true(t.tried > 0);
        assert_true(t.sloped > 0);
    }
}

/* Stride, padding and windows that overhang, together; activations behind each other. */
static void test_combinations(void **state) {
    (void)state;
    static const char *const layers[] = {
        "{ layer = \"conv2d\"; filters = 2; kernel = (3, 2); stride = 2; padding = \"same\"; "
        "activation = \"tanh\"; }",
        "{ layer = \"conv2d\"; filters = 2; kernel = 4; stride = (2, 1); padding = 2; }",
        "{ layer = \"max_pool\"; size = 3; stride = 2; padding = 1; }",
        "{ layer = \"avg_pool\"; size = 3; stride = 2; padding = \"same\"; }",
        "{ layer = \"crop\"; height = 4; width = 3; }",
        "{ layer = \"crop\"; height = 4; width = 3; top = 3; left = 1; }",
        "{ layer = \"conv2d\"; name = \"less\"; filters = 2; kernel = (3, 4); }, "
        "{ layer = \"crop\"; inputs = (\"probe\", \"less\"); name = \"cut\"; }, "
        "{ layer = \"conv2d\"; name = \"mixed\"; filters = 2; kernel = 1; activation = \"tanh\"; "
        "}, "
        "{ layer = \"add\"; inputs = (\"mixed\", \"less\"); }",
        "{ layer = \"upsample\"; size = (2, 3); method = \"bilinear\"; }, "
        "{ layer = \"conv2d\"; filters = 2; kernel = 3; activation = \"tanh\"; }",
        "{ layer = \"upsample\"; size = (3, 1); method = \"bicubic\"; }",
        "{ layer = \"max_pool\"; name = \"pool\"; size = 3; stride = 2; padding = 1; }, "
        "{ layer = \"conv2d\"; filters = 3; kernel = 1; activation = \"tanh\"; }, "
        "{ layer = \"conv2d\"; name = \"last\"; filters = 3; kernel = 1; }, "
        "{ layer = \"unpool\"; inputs = (\"last\", \"pool\"); }, "
        "{ layer = \"add\"; inputs = (\"unpool_1\", \"probe\"); activation = \"sigmoid\"; }",
        "{ layer = \"reshape\"; shape = (14, 9); }, "
        "{ layer = \"max_pool1d\"; size = 3; stride = 2; padding = 1; }, "
        "{ layer = \"avg_pool1d\"; size = 3; stride = 2; padding = \"same\"; }, "
        "{ layer = \"reshape\"; shape = 36; }, { layer = \"dense\"; units = 2; }",
        "{ layer = \"max_pool\"; size = (2, 3); stride = 1; padding = \"same\"; }",
        "{ layer = \"flatten\"; }, { layer = \"dense\"; units = 4; activation = \"elu\"; }, "
        "{ layer = \"dropout\"; rate = 0.3; }, { layer = \"dense\"; units = 2; }, "
        "{ layer = \"softmax\"; }",
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        dl_text text = {0};
        harness h;
        harness_probe(&text, shapes[0]);
        dl_text_add(&text, "%s", layers[i]);
        if (!harness_open(&h, text.data, shapes[0], BATCH, true, 2))
            fail_msg("%s", dl_text_get(&h.error.text));
        assert_true(check_net(&h.net, layers[i], BATCH) > 0);
        harness_close(&h);
        dl_text_free(&text);
    }
}

/* What blocks are expanded to, and layers that share their weights. */
static void test_blocks(void **state) {
    (void)state;
    static const char *const layers[] = {
        "{ layer = \"residual\"; repeat = 2; activation = \"tanh\"; body = ("
        "  { layer = \"conv2d\"; name = \"c\"; filters = 3; kernel = 3; padding = \"same\"; },"
        "  { layer = \"batch_norm\"; name = \"n\"; activation = \"tanh\"; },"
        "  { layer = \"conv2d\"; name = \"k\"; filters = 3; kernel = 1; inputs = (\"c\"); },"
        "  { layer = \"add\"; inputs = (\"n\", \"k\"); } ); }",
        "{ layer = \"residual\"; body = ( { layer = \"conv2d\"; filters = 4; kernel = 2; stride = "
        "2; } );"
        "  shortcut = ( { layer = \"max_pool\"; size = 2; }, { layer = \"pad\"; channels = (1, 0); "
        "} ); }",
        "{ layer = \"parallel\"; repeat = 2; branches = ( (),"
        "  ( { layer = \"conv2d\"; filters = 2; kernel = 3; padding = 1; activation = \"tanh\"; } "
        ") ); }",
        "{ layer = \"parallel\"; merge = \"multiply\"; branches = ( (),"
        "  ( { layer = \"conv2d\"; filters = 3; kernel = 1; activation = \"sigmoid\"; } ), () ); }",
        "{ layer = \"dense_block\"; layers = 2; growth = 2; bottleneck = 1; }",
        "{ layer = \"inception\"; one = 1; reduce3 = 2; three = 1; reduce5 = 1; five = 2; pool = "
        "1; }",
        "{ layer = \"separable_conv2d\"; filters = 4; activation = \"tanh\"; }",
        "{ layer = \"sequence\"; repeat = 2; name = \"s\"; body = ("
        "  { layer = \"conv2d\"; name = \"a\"; filters = 3; kernel = 2; padding = 1; },"
        "  { layer = \"conv2d\"; share = \"a\"; filters = 3; kernel = 2; activation = \"tanh\"; } "
        "  ); },"
        "{ layer = \"conv2d\"; share = \"a_1\"; filters = 3; kernel = 2; activation = \"tanh\"; },"
        "{ layer = \"dense\"; units = 2; }",
        "{ layer = \"dense\"; units = 126; name = \"d\"; activation = \"tanh\"; },"
        "{ layer = \"dense\"; units = 126; share = \"d\"; }",
    };
    tolerance *= 10;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        dl_text text = {0};
        harness h;
        harness_probe(&text, shapes[0]);
        dl_text_add(&text, "%s", layers[i]);
        if (!harness_open(&h, text.data, shapes[0], BATCH, true, 2))
            fail_msg("%s", dl_text_get(&h.error.text));
        assert_true(check_net(&h.net, layers[i], BATCH) > 0);
        harness_close(&h);
        dl_text_free(&text);
    }
    tolerance /= 10;
}

/* Several readers of one output, through a view and not: the gradients add up. */
static void test_graph(void **state) {
    (void)state;
    dl_text text = {0};
    harness h;
    harness_probe(&text, shapes[0]);
    dl_text_add(&text,
                "{ layer = \"conv2d\"; name = \"a\"; filters = 3; kernel = 3; padding = \"same\"; "
                "  activation = \"relu\"; },"
                "{ layer = \"add\"; name = \"b\"; inputs = (\"a\", \"probe\", \"a\"); },"
                "{ layer = \"flatten\"; name = \"c\"; inputs = (\"b\"); },"
                "{ layer = \"dense\"; name = \"d\"; units = 126; activation = \"tanh\"; },"
                "{ layer = \"add\"; name = \"e\"; inputs = (\"d\", \"c\", \"f\"); },"
                "{ layer = \"dense\"; units = 2; }");
    /* a reader before its source is refused */
    assert_false(harness_open(&h, text.data, shapes[0], BATCH, true, 2));
    assert_non_null(strstr(h.error.text.data, "no layer \"f\" before this one"));
    harness_close(&h);
    char *f = strstr(text.data, ", \"f\")");
    memcpy(f, ")     ", 6);
    if (!harness_open(&h, text.data, shapes[0], BATCH, true, 2))
        fail_msg("%s", dl_text_get(&h.error.text));
    assert_true(check_net(&h.net, "graph", BATCH) > 0);
    harness_close(&h);
    dl_text_free(&text);
}

/* Readers far apart: their gradients must outlive what runs between them. */
static void test_long_skips(void **state) {
    (void)state;
    dl_text text = {0};
    harness h;
    harness_probe(&text, shapes[1]);
    for (int i = 1; i <= 12; i++) {
        dl_text_add(&text,
                    "{ layer = \"dense\"; name = \"d%d\"; units = 5; activation = \"tanh\"; },", i);
        if (i % 3 == 0)
            dl_text_add(&text, "{ layer = \"add\"; inputs = (\"d%d\", \"probe\", \"d%d\"); },", i,
                        i - 2);
    }
    dl_text_add(&text, "{ layer = \"dense\"; units = 2; }");
    if (!harness_open(&h, text.data, shapes[1], BATCH, true, 2))
        fail_msg("%s", dl_text_get(&h.error.text));
    assert_true(check_net(&h.net, "long skips", BATCH) > 0);
    harness_close(&h);
    dl_text_free(&text);
}

/* The bits of a gradient do not depend on where the plan put it, and hardly on the threads. */
static void test_threads(void **state) {
    (void)state;
    const char *layers = "{ layer = \"conv2d\"; filters = 5; kernel = 3; activation = \"relu\"; },"
                         "{ layer = \"max_pool\"; }, { layer = \"dropout\"; rate = 0.2; },"
                         "{ layer = \"dense\"; units = 4; }";
    float *kept = NULL;
    for (int threads = 1; threads <= 2; threads++) {
        harness h;
        dl_threads_set(threads);
        assert_true(harness_open(&h, layers, shapes[0], BATCH, true, threads));
        dl_pass pass = {BATCH, true, 7, 2, 5};
        float x[BATCH * 7 * 6 * 3];
        harness_fill(x, BATCH * 7 * 6 * 3, 1);
        dl_net_initialize(&h.net, 1);
        dl_net_forward(&h.net, x, &pass);
        harness_fill(dl_net_output(&h.net)->grad, BATCH * 4, 2);
        dl_net_backward(&h.net, &pass);
        size_t bytes = sizeof *kept * (size_t)h.net.weight_count;
        if (!kept)
            kept = memcpy(xmalloc(bytes), h.net.gradients, bytes);
        else
            for (int64_t i = 0; i < h.net.weight_count; i++)
                assert_true(fabs(kept[i] - h.net.gradients[i]) < 1e-12);
        harness_close(&h);
    }
    free(kept);
}

/* ---- losses ---- */

/* Targets as `info` says they are. */
static void make_targets(const dl_target *info, int count, float *t) {
    harness_fill(t, count, 4);
    for (int i = 0; i < count; i++) {
        if (info->classes)
            t[i] = i % info->classes;
        else if (info->most <= 1)
            t[i] = fabs(t[i]) < 1 ? fabs(t[i]) : i % 2;
    }
}

static void check_loss(const dl_loss_type *loss, const void *self, dl_target target, int channels) {
    enum { ROWS = 7 };
    float y[ROWS * 4], t[ROWS * 4], grad[ROWS * 4];
    harness_fill(y, ROWS * channels, 3);
    make_targets(&target, ROWS * channels, t);
    double value = loss->evaluate(self, &target, ROWS, channels, y, t, 0.25f, grad);
    assert_true(value == loss->evaluate(self, &target, ROWS, channels, y, t, 0.25f, NULL));
    int slopes = 0;
    for (int i = 0; i < ROWS * channels; i++) {
        float kept = y[i];
        y[i] = kept + STEP;
        double above = loss->evaluate(self, &target, ROWS, channels, y, t, 1, NULL);
        y[i] = kept - STEP;
        double below = loss->evaluate(self, &target, ROWS, channels, y, t, 1, NULL);
        y[i] = kept;
        double slope = 0.25 * (above - below) / (2 * STEP);
        if (!(fabs(slope - grad[i]) < tolerance))
            fail_msg("%s: slope %.9g, gradient %.9g", loss->kind.name, slope, grad[i]);
        slopes += slope != 0;
    }
    assert_true(slopes > 0);
    /* what is expected before training is what outputs of zero give */
    double square = 0, magnitude = 0;
    int count = target.classes ? ROWS : ROWS * channels;
    for (int i = 0; i < count; i++) {
        square += t[i] * t[i] / count;
        magnitude += fabs(t[i]) / count;
    }
    target.mean_square = square;
    target.mean_magnitude = magnitude;
    memset(y, 0, sizeof y);
    double zero = loss->evaluate(self, &target, ROWS, channels, y, t, 1, NULL) / ROWS;
    double expected = loss->initial(self, &target, channels);
    assert_true(isnan(expected) || fabs(zero - expected) < 1e-9);
}

/* One loss, under some options, on every kind of target that it takes; returns how many. */
static int check_targets(const dl_loss_type *loss, const char *options) {
    static const dl_target targets[] = {
        {.classes = 4, .outputs = 1},           {.classes = 2, .outputs = 1},
        {.outputs = 3, .least = -4, .most = 4}, {.outputs = 1, .least = -4, .most = 4},
        {.outputs = 4, .least = 0, .most = 1},  {.outputs = 1, .least = 0, .most = 1},
    };
    dl_config config;
    void *self = harness_options(&loss->kind, &config, options);
    int fits = 0;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        for (int channels = 1; channels <= 4; channels++) {
            dl_error error = {0};
            dl_output output = {dl_shape1(channels), DL_LINEAR, "test", "last", "test"};
            output.activation = loss->straight_through ? DL_STEP : DL_LINEAR;
            if (!loss->check(self, &output, &targets[i], &error)) {
                check_loss(loss, self, targets[i], channels);
                fits++;
            }
            dl_error_clear(&error);
        }
    free(self);
    dl_config_free(&config);
    return fits;
}

static void test_losses(void **state) {
    (void)state;
    for (int k = 0; k < dl_loss_registry.count; k++) {
        const dl_loss_type *loss = (const dl_loss_type *)dl_loss_registry.kinds[k];
        int fits = check_targets(loss, "");
        assert_true(fits > 0);
        for (const dl_option *o = loss->kind.options; o->key; o++) {
            char options[160];
            snprintf(options, sizeof options, "%s = %s;", o->key,
                     o->type == DL_NUMBERS ? "(0.5, 2, 1, 0.25)" : "0.2");
            assert_true(check_targets(loss, options) > 0);
        }
        printf("   %-22s %d kinds of target\n", loss->kind.name, fits);
    }
    /* what only shows together */
    const dl_kind *softmax = dl_registry_find(&dl_loss_registry, "softmax_cross_entropy");
    assert_int_equal(check_targets((const dl_loss_type *)softmax,
                                   "label_smoothing = 0.3; class_weights = (0.5, 2, 1, 0.25);"),
                     1);
    assert_int_equal(check_targets((const dl_loss_type *)softmax, "class_weights = [2, 3];"), 1);
}

int main(void) {
    dl_threads_set(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),     cmocka_unit_test(test_combinations),
        cmocka_unit_test(test_blocks),     cmocka_unit_test(test_graph),
        cmocka_unit_test(test_long_skips), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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
static const double STEP = 3e-6, TOLERANCE = 1e-7;

static const dl_shape shapes[] = {{3, {7, 6, 3, 1}}, {1, {5, 1, 1, 1}}, {2, {4, 3, 1, 1}}};

/* ---- one net against central differences ---- */

static void run_from(dl_net *net, int first, const dl_pass *pass) {
    for (int i = first; i < net->layer_count; i++)
        if (!net->layers[i].is_view)
            net->layers[i].type->forward(&net->layers[i], pass);
}

static double objective(dl_net *net, const float *r, const dl_pass *pass) {
    const dl_tensor *out = dl_net_output(net);
    double sum = 0;
    for (int64_t i = 0; i < pass->batch * dl_shape_size(out->shape); i++)
        sum += r[i] * out->value[i];
    return sum;
}

/* Compares analytic[count] with the slopes of the objective along value[count], running from layer
   `first` on. Returns how many slopes are not zero. */
static int compare(dl_net *net, int first, const float *r, const dl_pass *pass, float *value,
                   const float *analytic, int64_t count, const char *what) {
    int slopes = 0;
    for (int64_t i = 0; i < count; i++) {
        float kept = value[i];
        value[i] = kept + STEP;
        run_from(net, first, pass);
        double above = objective(net, r, pass);
        value[i] = kept - STEP;
        run_from(net, first, pass);
        double below = objective(net, r, pass);
        value[i] = kept;
        double slope = (above - below) / (2 * STEP);
        double scale = fmax(1, fmax(fabs(slope), fabs(analytic[i])));
        if (!(fabs(slope - analytic[i]) <= TOLERANCE * scale))
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
    harness_fill(x, in, 1);
    harness_fill(r, out, 2);
    dl_net_forward(net, x, &pass);
    memcpy(dl_net_output(net)->grad, r, sizeof *r * (size_t)out);
    dl_net_backward(net, &pass);
    /* the differences write over the plan's memory: keep what is compared */
    dl_tensor *middle = &net->layers[0].out;
    float *grads = xmalloc(sizeof *grads * (size_t)(net->weight_count + in));
    memcpy(grads, net->gradients, sizeof *grads * (size_t)net->weight_count);
    memcpy(grads + net->weight_count, middle->grad, sizeof *grads * (size_t)in);
    dl_net_forward(net, x, &pass);
    int slopes = compare(net, 1, r, &pass, middle->value, grads + net->weight_count, in, what);
    for (int i = 1; i < net->layer_count; i++)
        for (int p = 0; p < net->layers[i].param_count; p++) {
            dl_param *param = &net->layers[i].params[p];
            dl_net_forward(net, x, &pass);
            slopes +=
                compare(net, 1, r, &pass, param->value, grads + param->offset, param->count, what);
        }
    free(grads);
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
    if (inputs == 2)
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
        printf("   %-12s %3d variants, %3d with slopes\n", kind->name, t.tried, t.sloped);
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

/* Sequences of one step and of more, in batches of one sample and of more than a kernel takes at
   once. */
static void test_sequences(void **state) {
    (void)state;
    static const char *const layers[] = {
        "{ layer = \"dense\"; units = 4; activation = \"tanh\"; }, { layer = \"dense\"; units = 2; "
        "activation = \"softmax\"; }",
        "{ layer = \"lstm\"; units = 3; }, { layer = \"lstm\"; units = 2; bidirectional = true; },"
        "{ layer = \"dense\"; units = 2; }",
        "{ layer = \"lstm\"; units = 5; bidirectional = true; return = \"last\"; bias = false; }",
        "{ layer = \"gru\"; units = 4; bidirectional = true; }, { layer = \"gru\"; units = 17; "
        "return = \"last\"; bias = false; }",
        "{ layer = \"simple_rnn\"; units = 3; activation = \"relu\"; },"
        "{ layer = \"simple_rnn\"; units = 4; bidirectional = true; return = \"last\"; }",
    };
    static const int steps[] = {1, 2, 7}, batches[] = {1, 4, 33};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        for (int k = 0; k < 3; k++) {
            dl_text text = {0};
            harness h;
            dl_shape shape = dl_shape2(steps[k], 2);
            harness_probe(&text, shape);
            dl_text_add(&text, "%s", layers[i]);
            if (!harness_open(&h, text.data, shape, batches[k] + 1, true, 2))
                fail_msg("%s", dl_text_get(&h.error.text));
            assert_true(check_net(&h.net, layers[i], batches[k]) > 0);
            harness_close(&h);
            dl_text_free(&text);
        }
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

static void check_loss(const dl_loss_type *loss, const void *self, dl_target target, int channels) {
    enum { ROWS = 7 };
    float y[ROWS * 4], t[ROWS * 4], grad[ROWS * 4];
    harness_fill(y, ROWS * channels, 3);
    harness_fill(t, ROWS * channels, 4);
    for (int i = 0; i < ROWS && target.classes; i++)
        t[i] = i % target.classes;
    if (!strcmp(loss->kind.name, "binary_cross_entropy"))
        for (int i = 0; i < ROWS * channels && !target.classes; i++)
            t[i] = fabs(t[i]) < 1 ? fabs(t[i]) : 1;
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
        if (!(fabs(slope - grad[i]) < TOLERANCE))
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
    assert_true(fabs(zero - loss->initial(self, &target, channels)) < 1e-9);
}

static void test_losses(void **state) {
    (void)state;
    dl_output output = {
        .where = "test", .loss_where = "test", .name = "last", .activation = DL_LINEAR};
    for (int k = 0; k < dl_loss_registry.count; k++) {
        const dl_loss_type *loss = (const dl_loss_type *)dl_loss_registry.kinds[k];
        double self[16] = {1, 1, 1, 1};
        int fits = 0;
        static const dl_target targets[] = {{.classes = 4, .outputs = 1},
                                            {.classes = 2, .outputs = 1},
                                            {.outputs = 3},
                                            {.outputs = 1}};
        for (int i = 0; i < 4; i++)
            for (int channels = 1; channels <= 4; channels++) {
                dl_error error = {0};
                output.shape = dl_shape1(channels);
                if (!loss->check(self, &output, &targets[i], &error)) {
                    check_loss(loss, self, targets[i], channels);
                    fits++;
                }
                dl_error_clear(&error);
            }
        assert_true(fits > 0);
        printf("   %-22s %d kinds of target\n", loss->kind.name, fits);
    }
}

int main(void) {
    dl_threads_set(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),    cmocka_unit_test(test_combinations),
        cmocka_unit_test(test_graph),     cmocka_unit_test(test_long_skips),
        cmocka_unit_test(test_threads),   cmocka_unit_test(test_losses),
        cmocka_unit_test(test_sequences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

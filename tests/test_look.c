/* SPDX-License-Identifier: MIT */
/* What looks into a net: receptive fields against brute force on random nets, and the gradient with
   respect to the input against central differences. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "harness.h"
#include "inspect/saliency.h"
#include "net/receptive_field.h"

enum { SIDE = 15, LAYERS = 5, NETS = 20 };

static unsigned draw(unsigned *state, unsigned below) {
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}

/* A net whose outputs depend on every element of their receptive field. */
static void random_net(dl_text *text, unsigned seed) {
    static const char *const paddings[] = {"\"same\"", "\"valid\"", "1", "2"};
    unsigned state = seed * 7919 + 1;
    for (int i = 0; i < LAYERS; i++) {
        unsigned kind = draw(&state, 10), kernel = 1 + draw(&state, 3);
        const char *padding = paddings[draw(&state, kernel < 3 ? 2 : 4)];
        dl_text_add(text, "%s{ name = \"l%d\"; ", i ? ", " : "", i);
        if (kind < 4)
            dl_text_add(text,
                        "layer = \"%s\"; kernel = (%u, %u); stride = (1, %u); dilation = %u; "
                        "padding = \"same\"; %s },",
                        kind ? "conv2d" : "depthwise_conv2d", kernel, 1 + draw(&state, 3),
                        1 + draw(&state, 2), 1 + draw(&state, 2), kind ? "filters = 2;" : "");
        else if (kind < 6)
            dl_text_add(text, "layer = \"%s\"; size = %u; stride = %u; padding = %s; },",
                        kind == 4 ? "max_pool" : "avg_pool", kernel, 1 + draw(&state, 2),
                        kernel == 1 ? "\"valid\"" : padding);
        else if (kind == 6)
            dl_text_add(text, "layer = \"pad\"; height = (1, 2); width = (0, 1); },");
        else if (kind == 7)
            dl_text_add(text, "layer = \"crop\"; height = 2; width = 2; },");
        else if (kind == 8)
            dl_text_add(text, "layer = \"upsample\"; size = (1, 2); method = \"%s\"; },",
                        draw(&state, 2) ? "bilinear" : "bicubic");
        else
            dl_text_add(
                text, "layer = \"conv2d_transpose\"; filters = 2; kernel = (3, 2); stride = 2; },");
        text->data[--text->length] = '\0';
        if (draw(&state, 3) == 0) /* a branch with another field joins */
            dl_text_add(text,
                        ", { name = \"b%d\"; layer = \"conv2d\"; filters = 2; kernel = (1, 3); "
                        "padding = \"same\"; inputs = (\"l%d\"); }, { name = \"c%d\"; type = "
                        "\"concat\"; inputs = (\"l%d\", \"b%d\"); }",
                        i, i, i, i, i);
    }
}

/* The box of the elements of x that change output `at` when they are perturbed. */
static void brute_force(dl_net *net, float *x, const int at[2], dl_extent field[2]) {
    const dl_tensor *out = dl_net_output(net);
    dl_pass pass = {.batch = 1};
    int rows = net->input.dim[0], columns = net->input.rank > 2 ? net->input.dim[1] : 1;
    int channels = dl_shape_channels(out->shape),
        width = out->shape.rank > 2 ? out->shape.dim[1] : 1;
    int64_t first = ((int64_t)at[0] * width + at[1]) * channels,
            depth = dl_shape_channels(net->input);
    float before[64];
    field[0] = field[1] = (dl_extent){1 << 20, -1, 1};
    dl_net_forward(net, x, &pass);
    for (int c = 0; c < channels; c++)
        before[c] = out->value[first + c];
    for (int i = 0; i < rows * columns; i++) {
        const int place[2] = {i / columns, i % columns};
        bool differs = false;
        float kept[4];
        memcpy(kept, x + i * depth, sizeof *x * (size_t)depth);
        for (int by = -1000; by <= 1000; by += 2000) { /* a maximum shows one of them */
            for (int c = 0; c < depth; c++)
                x[i * depth + c] = kept[c] + (float)by;
            dl_net_forward(net, x, &pass);
            for (int c = 0; c < channels; c++)
                differs |= out->value[first + c] != before[c];
        }
        memcpy(x + i * depth, kept, sizeof *x * (size_t)depth);
        for (int axis = 0; axis < 2 && differs; axis++) {
            field[axis].first = place[axis] < field[axis].first ? place[axis] : field[axis].first;
            field[axis].last = place[axis] > field[axis].last ? place[axis] : field[axis].last;
        }
    }
}

/* Weights that are positive cannot cancel. */
static void make_positive(dl_net *net) {
    dl_net_initialize(net, 3);
    for (int64_t i = 0; i < net->weight_count; i++)
        net->weights[i] = 0.1f + fabsf(net->weights[i]);
}

static int check_fields(const char *layers, dl_shape input) {
    harness h;
    float *x = calloc((size_t)dl_shape_size(input), sizeof *x);
    int compared = 0;
    if (harness_open(&h, layers, input, 1, false, 1) && h.net.operations < 400000) {
        make_positive(&h.net);
        const dl_shape out = dl_net_output(&h.net)->shape;
        int rows = out.rank > 1 ? out.dim[0] : 1, columns = out.rank > 2 ? out.dim[1] : 1;
        for (int i = 0; i < rows * columns; i += 1 + rows * columns / 12) {
            const int at[2] = {i / columns, i % columns};
            dl_extent want[2], got[2];
            harness_fill(x, dl_shape_size(input), 5);
            brute_force(&h.net, x, at, want);
            dl_receptive_field(&h.net, h.net.layer_count - 1, at, got);
            if (want[0].last < 0)
                continue; /* a border of padding: it depends on nothing */
            for (int axis = 0; axis < 2; axis++)
                if (want[axis].first != got[axis].first || want[axis].last != got[axis].last)
                    fail_msg("%s\nat %d, %d axis %d: %d to %d, not %d to %d", layers, at[0], at[1],
                             axis, got[axis].first, got[axis].last, want[axis].first,
                             want[axis].last);
            compared++;
        }
    }
    harness_close(&h);
    free(x);
    return compared;
}

static void fields_are_those_of_brute_force(void **state) {
    (void)state;
    int nets = 0;
    for (unsigned seed = 1; nets < NETS && seed < 200; seed++) {
        dl_text text = {0};
        random_net(&text, seed);
        nets += check_fields(text.data, dl_shape3(SIDE, SIDE, 2)) > 0;
        dl_text_free(&text);
    }
    assert_int_equal(nets, NETS);
}

static void sequences_have_fields(void **state) {
    (void)state;
    static const char *const nets[] = {
        ("{ layer = \"conv1d\"; filters = 2; kernel = 3; dilation = 2; padding = \"same\"; }, "
         "{ layer = \"max_pool1d\"; size = 2; }, { layer = \"dense\"; units = 2; }"),
        "{ layer = \"lstm\"; units = 3; }, { layer = \"layer_norm\"; }",
        "{ layer = \"gru\"; units = 3; bidirectional = true; }",
        "{ layer = \"simple_rnn\"; units = 3; return = \"last\"; }",
        "{ layer = \"multi_head_attention\"; heads = 1; causal = true; }",
        "{ layer = \"multi_head_attention\"; heads = 1; }, { layer = \"rms_norm\"; }"};
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        assert_true(check_fields(nets[i], dl_shape2(7, 2)) > 0);
    assert_true(check_fields("{ layer = \"instance_norm\"; }", dl_shape3(4, 4, 2)) > 0);
    assert_true(check_fields("{ layer = \"filter\"; kind = \"gaussian\"; size = (3, 5); }",
                             dl_shape3(8, 8, 2)) > 0);
}

/* ---- the gradient with respect to the input ---- */

static double score(dl_net *net, const float *x, const float *weight) {
    dl_pass pass = {.batch = 1};
    double sum = 0;
    dl_net_forward(net, x, &pass);
    const dl_tensor *out = dl_net_output(net);
    for (int64_t i = 0; i < dl_shape_size(out->shape); i++)
        sum += (double)weight[i] * out->value[i];
    return sum;
}

static bool read_uncut(harness *h, const char *layers) {
    dl_text text = {0};
    *h = (harness){0};
    dl_text_add(&text, "network = ( %s );", layers);
    bool read = !dl_config_parse(&h->config, "test", text.data, &h->error) &&
                !dl_net_read(&h->net, &h->config, &h->error);
    dl_text_free(&text);
    return read;
}

/* Of layer `last` in a net built for training but run in inference. */
static void check_gradient(const char *layers, int last, dl_shape input) {
    harness h;
    int64_t size = dl_shape_size(input);
    float *x = calloc((size_t)size, sizeof *x), *weight;
    if (!read_uncut(&h, layers))
        fail_msg("%s", dl_text_get(&h.error.text));
    h.net.input_gradient = true;
    dl_net_cut(&h.net, last, true);
    assert_int_equal(dl_net_build(&h.net, input, 2, true, 1, &h.error), 0);
    dl_net_initialize(&h.net, 4);
    harness_fill(h.net.states, h.net.state_count, 9);
    for (int64_t i = 0; i < h.net.state_count; i++)
        h.net.states[i] = 1 + h.net.states[i] * h.net.states[i];
    harness_fill(x, size, 1);
    const dl_tensor *out = dl_net_output(&h.net);
    int64_t outputs = dl_shape_size(out->shape);
    weight = calloc((size_t)outputs, sizeof *weight);
    harness_fill(weight, outputs, 2);
    dl_pass pass = {.batch = 1};
    (void)score(&h.net, x, weight);
    for (int64_t i = 0; i < outputs; i++)
        out->grad[i] = weight[i];
    dl_net_backward(&h.net, &pass);
    assert_non_null(h.net.input_grad);
    float *gradient = calloc((size_t)size, sizeof *gradient);
    double length = 0;
    for (int64_t i = 0; i < size; i++)
        length += fabs((double)(gradient[i] = h.net.input_grad[i])) / (double)size;
    assert_true(length > 1e-4);
    for (int64_t i = 0; i < size; i += 1 + size / 50) {
        const float kept = x[i], step = 1e-2f;
        x[i] = kept + step;
        double above = score(&h.net, x, weight);
        x[i] = kept - step;
        double want = (above - score(&h.net, x, weight)) / (2 * (double)step);
        x[i] = kept;
        if (!(fabs(gradient[i] - want) < 0.02 * (length + fabs(want))))
            fail_msg("%s: element %lld: %g, not %g", layers, (long long)i, (double)gradient[i],
                     want);
    }
    free(gradient);
    free(weight);
    free(x);
    harness_close(&h);
}

static void input_has_its_gradient(void **state) {
    (void)state;
    const dl_shape image = dl_shape3(6, 6, 2), row = dl_shape1(5), line = dl_shape2(4, 3);
    check_gradient("{ layer = \"dense\"; units = 4; activation = \"tanh\"; trainable = false; }, "
                   "{ layer = \"dropout\"; rate = 0.5; }, { layer = \"softmax\"; }",
                   2, row);
    /* Two readers of the data; layers beside the path to the output and after it are cut. */
    check_gradient(
        "{ name = \"a\"; layer = \"conv2d\"; filters = 2; kernel = 3; padding = "
        "\"same\"; activation = \"sigmoid\"; }, { name = \"n\"; layer = \"batch_norm\"; "
        "activation = \"tanh\"; }, { name = \"beside\"; layer = \"conv2d\"; filters = 2; "
        "kernel = 1; inputs = (\"a\"); }, { name = \"sum\"; layer = \"add\"; inputs = "
        "(\"n\", \"input\"); }, { name = \"end\"; layer = \"add\"; inputs = (\"sum\", "
        "\"beside\"); }, { layer = \"dense\"; units = 3; }",
        3, image);
    check_gradient("{ layer = \"flatten\"; }, { layer = \"dense\"; units = 3; }", 1, image);
    check_gradient("{ layer = \"lstm\"; units = 3; }, { layer = \"layer_norm\"; }", 1, line);
    check_gradient("{ layer = \"multi_head_attention\"; heads = 3; dropout = 0.5; }", 0, line);
}

/* dx = [x > 0] max(0, dy), through a net of one relu. */
static void guided_passes_positive_gradients(void **state) {
    (void)state;
    harness h;
    const float x[] = {1, 2, -1, -2}, dy[] = {3, -3, 3, -3};
    assert_true(read_uncut(&h, "{ layer = \"activation\"; activation = \"relu\"; }"));
    h.net.input_gradient = true;
    assert_int_equal(dl_net_build(&h.net, dl_shape1(4), 1, true, 1, &h.error), 0);
    for (int guided = 0; guided < 2; guided++) {
        dl_pass pass = {.batch = 1, .guided = guided};
        dl_net_forward(&h.net, x, &pass);
        for (int i = 0; i < 4; i++)
            dl_net_output(&h.net)->grad[i] = dy[i];
        dl_net_backward(&h.net, &pass);
        const float want[] = {3, guided ? 0 : -3, 0, 0};
        for (int i = 0; i < 4; i++)
            assert_true(h.net.input_grad[i] == want[i]);
    }
    harness_close(&h);
}

/* ---- saliency, against PyTorch ---- */

static void read_numbers(json_t *array, float *out, int64_t count) {
    assert_int_equal(json_array_size(array), count);
    for (int64_t i = 0; i < count; i++)
        out[i] = (float)json_number_value(json_array_get(array, (size_t)i));
}

static void read_params(json_t *params, dl_param *param, int count) {
    for (int p = 0; p < count; p++)
        read_numbers(json_object_get(params, param[p].name), param[p].value, param[p].count);
}

static void assert_close(json_t *wanted, const float *got, const char *what) {
    double largest = 0;
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        double want = json_number_value(json_array_get(wanted, i));
        largest = fmax(largest, fabs(want));
        if (!(fabs(got[i] - want) <= 1e-4 * fmax(1, fabs(want))))
            fail_msg("%s[%zu]: %.9g, PyTorch has %.9g", what, i, (double)got[i], want);
    }
    assert_true(largest > 1e-2);
}

static void check_saliency(json_t *c) {
    harness h;
    if (!read_uncut(&h, json_string_value(json_object_get(c, "network"))))
        fail_msg("%s", dl_text_get(&h.error.text));
    const json_t *d = json_object_get(c, "shape");
    const dl_shape shape = dl_shape3((int)json_integer_value(json_array_get(d, 0)),
                                     (int)json_integer_value(json_array_get(d, 1)),
                                     (int)json_integer_value(json_array_get(d, 2)));
    int64_t size = dl_shape_size(shape);
    float *x = calloc((size_t)size, sizeof *x), *map = calloc((size_t)size, sizeof *map);
    float *black = calloc((size_t)size, sizeof *black);
    h.net.input_gradient = true;
    dl_net_cut(&h.net, h.net.layer_count - 1, true);
    assert_int_equal(dl_net_build(&h.net, shape, 8, true, 1, &h.error), 0);
    read_params(json_object_get(c, "params"), h.net.params, h.net.param_count);
    read_params(json_object_get(c, "params"), h.net.state_params, h.net.state_param_count);
    read_numbers(json_object_get(c, "x"), x, size);
    dl_saliency s = {.net = &h.net,
                     .x = x,
                     .baseline = black,
                     .cam_layer = -1,
                     .target = {(int)json_integer_value(json_object_get(c, "unit")), 0}};
    for (int m = 0; m < DL_SALIENCY_METHODS; m++) {
        const dl_saliency_method *method = dl_saliency_methods[m];
        json_t *wanted = json_object_get(c, method->name);
        assert_true(!method->check || !method->check(&s, &h.error));
        method->compute(&s, map);
        if (wanted)
            assert_close(wanted, map, method->name);
    }
    assert_true(s.incomplete > 0 && s.incomplete < 0.01);
    const dl_layer *layer;
    float *cam = dl_grad_cam(&s, &layer);
    const char *name = json_string_value(json_object_get(c, "cam_layer"));
    assert_true(!*name || !strcmp(layer->name, name));
    assert_close(json_object_get(c, "cam"), cam, "cam");
    dl_net_forward(&h.net, x, &(dl_pass){.batch = 1});
    assert_true(fabs(dl_look_score(&h.net, 0, &s.target) -
                     json_number_value(json_object_get(c, "score"))) < 1e-4);
    free(cam);
    free(black);
    free(map);
    free(x);
    harness_close(&h);
}

static void saliency_is_that_of_pytorch(void **state) {
    (void)state;
    json_t *list = json_load_file("tests/golden/nets/look.json", 0, NULL);
    assert_int_equal(json_array_size(list), 2);
    for (size_t i = 0; i < json_array_size(list); i++)
        check_saliency(json_array_get(list, i));
    json_decref(list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_those_of_brute_force),
        cmocka_unit_test(sequences_have_fields),
        cmocka_unit_test(input_has_its_gradient),
        cmocka_unit_test(guided_passes_positive_gradients),
        cmocka_unit_test(saliency_is_that_of_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Layers behind each other: combinations, blocks, graphs and threads, against central differences.
 */
#include "gradient.h"

/* Layers behind a probe, in batches of `batch` samples where there is room for `most`. */
static void check_layers(const char *layers, dl_shape shape, int most, int batch) {
    dl_text text = {0};
    harness h;
    harness_probe(&text, shape);
    dl_text_add(&text, "%s", layers);
    if (!harness_open(&h, text.data, shape, most, true, 2))
        fail_msg("%s", dl_text_get(&h.error.text));
    assert_true(check_net(&h.net, layers, batch) > 0);
    harness_close(&h);
    dl_text_free(&text);
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
        "{ layer = \"conv2d\"; filters = 6; kernel = 2; }, { layer = \"group_norm\"; groups = 2; "
        "activation = \"tanh\"; }, { layer = \"layer_norm\"; activation = \"softmax\"; }",
        "{ layer = \"conv2d\"; filters = 130; kernel = 6; }, { layer = \"group_norm\"; groups = 5; "
        "activation = \"relu\"; }, { layer = \"instance_norm\"; }",
        "{ layer = \"local_response_norm\"; size = 2; alpha = 2; beta = 0.6; k = 0.5; }",
        "{ layer = \"local_response_norm\"; size = 3; alpha = 3; }",
        "{ layer = \"local_response_norm\"; size = 9; alpha = 1; beta = 2; }",
        "{ layer = \"conv2d\"; filters = 4; kernel = 2; }, "
        "{ layer = \"spatial_dropout\"; rate = 0.3; }, "
        "{ layer = \"gaussian_dropout\"; rate = 0.1; }, "
        "{ layer = \"gaussian_noise\"; stddev = 2; }, "
        "{ layer = \"activation\"; activation = \"tanh\"; }",
        "{ layer = \"dense\"; units = 4; }, "
        "{ layer = \"batch_norm\"; trainable = false; activation = \"tanh\"; }, "
        "{ layer = \"batch_norm\"; trainable = false; scale = false; }, "
        "{ layer = \"dense\"; units = 2; }",
        "{ layer = \"conv2d\"; filters = 130; kernel = 5; }, { layer = \"prelu\"; }, { layer = "
        "\"scale\"; shift = true; activation = \"relu\"; }",
        "{ layer = \"maxout\"; units = 5; pieces = 4; }, { layer = \"maxout\"; units = 2; pieces = "
        "3; bias = false; }",
        "{ layer = \"filter\"; kind = \"custom\"; size = (3, 2); kernel = (1, 0.5, -2, 0, 3, 1.5); "
        "}",
        "{ layer = \"conv2d\"; filters = 4; kernel = 2; }, "
        "{ layer = \"filter\"; kind = \"gaussian\"; size = (9, 4); stddev = 2; }, { layer = "
        "\"filter\"; kind = \"edge\"; }",
        "{ layer = \"flatten\"; }, { layer = \"dense\"; units = 4; activation = \"elu\"; }, "
        "{ layer = \"dropout\"; rate = 0.3; }, { layer = \"dense\"; units = 2; }, "
        "{ layer = \"softmax\"; }",
    };
    tolerance *= 10;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        check_layers(layers[i], shapes[0], BATCH, BATCH);
    tolerance /= 10;
}

/* Sequences of one step and of more, in batches of one sample and of more than a kernel takes at
   once. */
static void test_sequences(void **state) {
    (void)state;
    static const char *const layers[] = {
        "{ layer = \"dense\"; units = 4; activation = \"tanh\"; }, { layer = \"dense\"; units = 2; "
        "activation = \"softmax\"; }",
        "{ layer = \"dense\"; name = \"d\"; units = 40; activation = \"tanh\"; },"
        "{ layer = \"dense\"; share = \"d\"; transpose = true; units = 2; }",
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
        for (int k = 0; k < 3; k++)
            check_layers(layers[i], dl_shape2(steps[k], 2), batches[k] + 1, batches[k]);
}

/* Attention behind attention, in sequences of one step and of more than it works on at a time. The
   sigmoid between keeps the softmax from bending too sharply for differences. */
static void test_attention(void **state) {
    (void)state;
    static const char *const layers[] = {
        "{ layer = \"multi_head_attention\"; heads = 2; }",
        "{ layer = \"multi_head_attention\"; heads = 1; causal = true; bias = false; }",
        "{ layer = \"multi_head_attention\"; heads = 2; dropout = 0.4; }",
        "{ layer = \"multi_head_attention\"; heads = 1; dropout = 0.2; causal = true; }",
        "{ layer = \"multi_head_attention\"; heads = 3; units = 6; causal = true; dropout = 0.1; },"
        "{ layer = \"activation\"; activation = \"sigmoid\"; },"
        "{ layer = \"multi_head_attention\"; heads = 2; units = 2; },"
        "{ layer = \"positional_encoding\"; kind = \"learned\"; }",
    };
    static const int steps[] = {1, 9, 67};
    tolerance *= 10;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        for (int k = 0; k < 3; k++)
            check_layers(layers[i], dl_shape2(steps[k], 2), 3, 2);
    tolerance /= 10;
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
        "{ layer = \"reshape\"; shape = (18, 7); },"
        "{ layer = \"residual\"; repeat = 2; body = ( { layer = \"layer_norm\"; },"
        "  { layer = \"multi_head_attention\"; heads = 7; causal = true; dropout = 0.2; } ); },"
        "{ layer = \"multi_head_attention\"; heads = 1; name = \"m\"; },"
        "{ layer = \"layer_norm\"; },"
        "{ layer = \"multi_head_attention\"; heads = 1; share = \"m\"; }",
        "{ layer = \"sequence\"; repeat = 2; name = \"s\"; body = ("
        "  { layer = \"conv2d\"; name = \"a\"; filters = 3; kernel = 2; padding = 1; },"
        "  { layer = \"conv2d\"; share = \"a\"; filters = 3; kernel = 2; activation = \"tanh\"; } "
        "  ); },"
        "{ layer = \"conv2d\"; share = \"a_1\"; filters = 3; kernel = 2; activation = \"tanh\"; },"
        "{ layer = \"dense\"; units = 2; }",
        "{ layer = \"dense\"; units = 126; name = \"d\"; activation = \"tanh\"; },"
        "{ layer = \"dense\"; units = 126; share = \"d\"; }",
        "{ layer = \"dense\"; units = 4; name = \"d\"; activation = \"tanh\"; },"
        "{ layer = \"dense\"; units = 126; share = \"d\"; transpose = true; activation = \"tanh\"; "
        "}, { layer = \"dense\"; units = 2; }",
        "{ layer = \"dense\"; units = 5; name = \"d\"; activation = \"tanh\"; },"
        "{ layer = \"dense\"; units = 126; share = \"d\"; transpose = true; activation = "
        "\"sigmoid\"; },"
        "{ layer = \"dense\"; units = 5; name = \"k\"; share = \"d\"; activation = \"tanh\"; },"
        "{ layer = \"dense\"; units = 126; share = \"k\"; transpose = true; bias = false; }",
    };
    tolerance *= 10;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        check_layers(layers[i], shapes[0], BATCH, BATCH);
    tolerance /= 10;
}

/* Several ends: what each sends back adds up in the layers that they have in common. */
static void test_heads(void **state) {
    (void)state;
#define CONV "{ layer = \"conv2d\"; filters = 3; kernel = 3; padding = 1; activation = \"tanh\"; }"
    static const char *const layers[] = {
        CONV ", { layer = \"aux\"; weight = 0.3; body = ( { layer = \"avg_pool\"; size = 3; stride "
             "= 2; }, { layer = \"dense\"; units = 4; activation = \"tanh\"; }, { layer = "
             "\"dense\"; units = 2; } ); }, " CONV ", { layer = \"dense\"; units = 2; }",
        /* two at one place, one of them a view; a trunk that is read in place */
        CONV ", { layer = \"aux\"; weight = 2; body = ( { layer = \"flatten\"; } ); },"
             "{ layer = \"aux\"; weight = 0.7; body = ( { layer = \"activation\"; activation = "
             "\"sigmoid\"; } ); }, { layer = \"activation\"; activation = \"tanh\"; },"
             "{ layer = \"flatten\"; }, { layer = \"dense\"; units = 2; }",
        /* in what is repeated, and in a branch; one that is frozen hands its gradient on */
        "{ layer = \"residual\"; repeat = 2; body = (" CONV ", { layer = \"aux\"; trainable = "
        "false; body = ( { layer = \"global_avg_pool\"; }, { layer = \"dense\"; units = 2; } ); } "
        "); },"
        "{ layer = \"parallel\"; branches = ( (), (" CONV
        ", { layer = \"aux\"; weight = 1; body = ("
        "{ layer = \"residual\"; body = (" CONV "); } ); } ) ); },"
        "{ layer = \"dense\"; units = 2; }",
        /* its own `inputs`, behind the last one in the chain that reads them; weights in common */
        CONV ", { layer = \"dense\"; name = \"d\"; units = 3; inputs = (\"probe\"); },"
             "{ layer = \"aux\"; name = \"h\"; inputs = (\"probe\"); body = ("
             "{ layer = \"dense\"; name = \"own\"; units = 3; share = \"d\"; } ); },"
             "{ layer = \"conv2d\"; filters = 2; kernel = 1; name = \"c\"; inputs = "
             "(\"conv2d_2\"); }, { layer = \"dense\"; name = \"e\"; units = 3; },"
             "{ layer = \"add\"; inputs = (\"e\", \"d\"); }",
        /* pooled places that both the head and the chain look for */
        "{ layer = \"max_pool\"; name = \"pool\"; },"
        "{ layer = \"aux\"; body = ( { layer = \"conv2d\"; name = \"up\"; filters = 3; kernel = "
        "1; }, { layer = \"unpool\"; inputs = (\"up\", \"pool\"); } ); },"
        "{ layer = \"conv2d\"; filters = 3; kernel = 1; name = \"on\"; },"
        "{ layer = \"unpool\"; inputs = (\"on\", \"pool\"); }",
    };
#undef CONV
    tolerance *= 10;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        dl_text text = {0};
        harness h;
        harness_probe(&text, shapes[0]);
        dl_text_add(&text, "%s", layers[i]);
        if (!harness_open(&h, text.data, shapes[0], MOST_BATCH, true, 2))
            fail_msg("%s", dl_text_get(&h.error.text));
        assert_true(h.net.head_count > 0);
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
    assert_non_null(strstr(h.error.text.data, "no preceding layer \"f\""));
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
        dl_pass pass = {.batch = BATCH, .training = true, .seed = 7, .epoch = 2, .step = 5};
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

int main(void) {
    dl_threads_set(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_combinations), cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_attention),    cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_graph),        cmocka_unit_test(test_long_skips),
        cmocka_unit_test(test_heads),        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

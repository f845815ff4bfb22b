/* SPDX-License-Identifier: MIT */
/* A net that is written to ONNX and read back has the same outputs; damaged files are refused. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "convert/convert.h"
#include "run/checkpoint.h"

enum { ROWS = 3 };
static char folder[] = "/tmp/dltrain-onnx-XXXXXX";

typedef struct {
    dl_config config;
    dl_model model;
    dl_error error;
} whole;

static void read_config(whole *w) {
    dl_table none = {(const dl_option[]){DL_OPTIONS_END}, &w->model};
    if (dl_model_read(&w->model, &w->config, &none, &w->error))
        fail_msg("%s", dl_text_get(&w->error.text));
}

static void close_whole(whole *w) {
    dl_model_free(&w->model);
    dl_config_free(&w->config);
    dl_error_clear(&w->error);
}

static void open_net(whole *w, const char *layers, const char *input) {
    dl_text text = {0};
    dl_text_add(
        &text,
        "name = \"net\"; data = { format = \"random\"; input = (%s); outputs = 2; rows = 9; "
        "normalize = \"mean_std\"; train = {}; }; network = ( %s, { layer = \"dense\"; "
        "units = 2; } ); loss = { type = \"mse\"; };",
        input, layers);
    *w = (whole){0};
    if (dl_config_parse(&w->config, "test.cfg", text.data, &w->error))
        fail_msg("%s", dl_text_get(&w->error.text));
    read_config(w);
    if (dl_data_open(&w->model.data, &w->error) || dl_model_build(&w->model, false, 1, &w->error))
        fail_msg("%s: %s", layers, dl_text_get(&w->error.text));
    dl_net *net = &w->model.net;
    dl_net_initialize(net, 3);
    harness_fill(net->weights, net->weight_count, 5); /* biases, too */
    for (int64_t i = 0; i < net->weight_count; i++)
        net->weights[i] *= 0.4f;
    for (int i = 0; i < net->state_param_count; i++)
        for (int64_t k = 0; k < net->state_params[i].count; k++)
            net->state_params[i].value[k] = 0.6f + 0.1f * (float)(k % 5);
    dl_text_free(&text);
}

/* Reads the checkpoint and builds its net. */
static void open_run(whole *w, const char *path) {
    dl_checkpoint c;
    *w = (whole){0};
    char *file = dl_path_join(path, "best.safetensors");
    if (dl_checkpoint_open(&c, file, &w->error))
        fail_msg("%s", dl_text_get(&w->error.text));
    free(file);
    dl_config_move(&w->config, &c.config);
    read_config(w);
    w->model.batch_size = ROWS;
    if (dl_data_describe(&w->model.data, &c.schema, &c.input, &c.target, &w->error) ||
        dl_model_build(&w->model, false, 1, &w->error) ||
        dl_checkpoint_load_net(&c, &w->model.net, &w->error))
        fail_msg("%s", dl_text_get(&w->error.text));
    dl_checkpoint_close(&c);
}

static const float *run(whole *w, const float *raw) {
    static float x[ROWS * 2000];
    int64_t size = dl_shape_size(w->model.net.input);
    memcpy(x, raw, sizeof *x * (size_t)(ROWS * size));
    dl_normalize(&w->model.data.input, x, ROWS, size);
    dl_net_forward(&w->model.net, x, &(dl_pass){.batch = ROWS});
    return dl_net_output(&w->model.net)->value;
}

static void round_trip(const char *layers, const char *input) {
    static float x[ROWS * 2000];
    whole before, after;
    dl_text notes = {0};
    dl_convert_options options = {.data = "npy", .notes = &notes};
    open_net(&before, layers, input);
    char *file = dl_path_join(folder, "net.onnx");
    if (dl_foreign_formats[0]->write(&before.model, &options, file, &before.error) ||
        dl_foreign_formats[0]->read(file, &options, folder, &before.error))
        fail_msg("%s: %s", layers, dl_text_get(&before.error.text));
    open_run(&after, folder);
    harness_fill(x, ROWS * 2000, 1);
    const float *a = run(&before, x), *b = run(&after, x);
    for (int i = 0; i < ROWS * 2; i++)
        if (!(fabs((double)(a[i] - b[i])) <= 1e-6 * (1 + fabs((double)a[i]))))
            fail_msg("%s: output %d: %.9g and %.9g", layers, i, (double)a[i], (double)b[i]);
    assert_true(fabs((double)(a[0] - a[2])) > 1e-4); /* depends on the inputs */
    close_whole(&before);
    close_whole(&after);
    dl_text_free(&notes);
    free(file);
}

#define CONV "{ layer = \"conv2d\"; filters = 6; kernel = 3; "
#define ACT(name) CONV "activation = \"" name "\"; }"
static const char *const images[] = {
    CONV "stride = 2; padding = \"same\"; activation = \"elu\"; alpha = 0.7; }",
    CONV "groups = 2; dilation = 2; activation = \"leaky_relu\"; slope = 0.2; bias = false; }",
    "{ layer = \"depthwise_conv2d\"; kernel = (3, 2); multiplier = 2; activation = \"swish\"; }",
    "{ layer = \"conv2d_transpose\"; filters = 5; kernel = 3; stride = 2; padding = \"same\"; }",
    "{ layer = \"conv2d_transpose\"; filters = 5; kernel = 4; stride = 2; padding = 1; }",
    "{ layer = \"max_pool\"; size = 2; ceil_mode = true; }, { layer = \"avg_pool\"; size = 3; "
    "stride = 2; padding = 1; }",
    "{ layer = \"max_pool\"; size = 3; stride = 2; padding = \"same\"; }",
    "{ layer = \"batch_norm\"; epsilon = 0.001; activation = \"relu\"; }, { layer = "
    "\"layer_norm\"; }, { layer = \"local_response_norm\"; size = 3; alpha = 0.1; }",
    "{ layer = \"pad\"; height = (1, 2); channels = (0, 3); }, { layer = \"prelu\"; }, { layer = "
    "\"scale\"; shift = true; }",
    "{ layer = \"upsample\"; size = (2, 3); method = \"bilinear\"; }, { layer = \"upsample\"; }",
    "{ layer = \"residual\"; body = ( "
    "{ layer = \"conv2d\"; kernel = 3; padding = 1; filters = 4; } ); activation = "
    "\"mish\"; }, { layer = \"dense_block\"; layers = 2; growth = 3; }, { layer = "
    "\"global_avg_pool\"; }",
    "{ layer = \"flatten\"; }, { layer = \"batch_norm\"; }, { layer = \"dense\"; units = 60; "
    "activation = \"gelu\"; }, { layer = \"reshape\"; shape = (3, 5, 4); }, " CONV "}",
    ACT("sigmoid") ", { layer = \"softmax\"; }, { layer = \"global_max_pool\"; }",
    ACT("relu6"),
    ACT("hard_sigmoid"),
    ACT("hard_swish"),
    ACT("hard_tanh"),
    ACT("selu"),
    ACT("softplus"),
    ACT("softsign"),
    ACT("tanh"),
    NULL};
static const char *const sequences[] = {
    "{ layer = \"lstm\"; units = 5; bidirectional = true; }, { layer = \"gru\"; units = 4; return "
    "= \"last\"; }",
    "{ layer = \"gru\"; units = 3; bidirectional = true; bias = false; }, { layer = \"lstm\"; "
    "units = 4; return = \"last\"; bidirectional = true; }",
    "{ layer = \"simple_rnn\"; units = 5; activation = \"relu\"; }, { layer = \"flatten\"; }",
    "{ layer = \"conv1d\"; filters = 5; kernel = 3; padding = 1; activation = \"tanh\"; }, { layer "
    "= \"max_pool1d\"; }, { layer = \"flatten\"; }",
    "{ layer = \"positional_encoding\"; }, { layer = \"dense\"; units = 3; }, { layer = "
    "\"layer_norm\"; }, { layer = \"global_avg_pool\"; }",
    NULL};

static void test_images(void **state) {
    (void)state;
    for (int i = 0; images[i]; i++)
        round_trip(images[i], "9, 7, 4");
}

static void test_sequences(void **state) {
    (void)state;
    for (int i = 0; sequences[i]; i++)
        round_trip(sequences[i], "6, 4");
}

/* Every truncation of a file is refused or read, without a crash. */
static void test_cut(void **state) {
    (void)state;
    whole w;
    int64_t size;
    dl_convert_options options = {.data = "npy"};
    open_net(&w, "{ layer = \"conv2d\"; filters = 2; kernel = 3; activation = \"mish\"; }",
             "4, 4, 1");
    char *file = dl_path_join(folder, "net.onnx");
    assert_int_equal(dl_foreign_formats[0]->write(&w.model, &options, file, &w.error), 0);
    char *bytes = dl_file_read(file, 1 << 20, &size, DL_DATA, &w.error);
    assert_non_null(bytes);
    int refused = 0;
    for (int64_t cut = 0; cut < size; cut += 7) {
        dl_error error = {0};
        assert_int_equal(dl_file_write(file, bytes, (size_t)cut, &w.error), 0);
        refused += dl_foreign_formats[0]->read(file, &options, folder, &error) != 0;
        dl_error_clear(&error);
    }
    assert_true(refused > size / 7 - 3);
    free(bytes);
    free(file);
    close_whole(&w);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    static const char *const names[] = {"net.onnx", "best.safetensors", "config.cfg"};
    for (int i = 0; i < 3; i++) {
        char *path = dl_path_join(folder, names[i]);
        unlink(path);
        free(path);
    }
    return rmdir(folder);
}

int main(void) {
    if (!dl_foreign_formats[0] || strcmp(dl_foreign_formats[0]->name, "onnx"))
        return 0; /* built without ONNX */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

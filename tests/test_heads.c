/* SPDX-License-Identifier: MIT */
/* Auxiliary heads: what a training with them minimizes, against PyTorch (golden/heads.py),
   and that nothing else than a training knows of them. Their gradients: test_gradient_nets. */
#include "harness.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "math/threads.h"
#include "train/training_state.h"

typedef struct {
    dl_config config;
    dl_experiment e;
    dl_error error;
    float *vector; /* of sgd */
} whole;

/* An experiment, built for batches of up to `batch` samples. */
static void open_whole(whole *w, const char *text, int64_t batch, bool training) {
    *w = (whole){0};
    w->e.model.batch_size = batch;
    if (dl_config_parse(&w->config, "test.cfg", text, &w->error) ||
        dl_experiment_read(&w->e, &w->config, &w->error) ||
        dl_data_open(&w->e.model.data, &w->error) ||
        dl_model_build(&w->e.model, training, 2, &w->error))
        fail_msg("%s", dl_text_get(&w->error.text));
    w->vector = xcalloc((size_t)w->e.model.net.weight_count, sizeof(float));
}

static void close_whole(whole *w) {
    dl_experiment_free(&w->e);
    dl_config_free(&w->config);
    dl_error_clear(&w->error);
    free(w->vector);
}

/* As the trainer does it: what the sums have in them afterwards. */
static dl_metric_sums train_step(whole *w, const dl_batch *batch, int64_t number) {
    dl_experiment *e = &w->e;
    dl_net *net = &e->model.net;
    dl_outcome_buffers outcome_buffers;
    dl_metric_sums sums; /* closed by the caller */
    dl_pass pass = {
        .batch = (int)batch->count, .training = true, .seed = 1, .step = (uint32_t)number};
    dl_outcome_buffers_open(&outcome_buffers, &e->model);
    dl_metric_sums_open(&sums, &e->model, false);
    dl_net_forward(net, batch->x, &pass);
    dl_losses losses = dl_loss_backward(&e->model, batch);
    dl_metric_sums_add(&sums, &outcome_buffers, &e->model, batch, &losses);
    dl_net_backward(net, &pass);
    dl_span span = {.count = net->weight_count};
    dl_objective objective = {net->weight_count, net->weights, net->gradients, 1, &span, 1};
    const dl_optimizer_common *common = e->optimizer_self;
    e->optimizer->first_order->step(e->optimizer_self, &objective, &w->vector,
                                    common->learning_rate, number + 1);
    dl_outcome_buffers_close(&outcome_buffers);
    return sums;
}

static void close_step(dl_metric_sums sums) {
    dl_metric_sums_close(&sums);
}

/* ---- against PyTorch ---- */

static float *floats(json_t *array) {
    size_t count = json_array_size(array);
    float *values = xmalloc(sizeof *values * (count + 1));
    for (size_t i = 0; i < count; i++)
        values[i] = (float)json_number_value(json_array_get(array, i));
    return values;
}

static void compare(const dl_net *net, json_t *wanted, bool gradients, double tolerance) {
    assert_int_equal(json_object_size(wanted), net->param_count);
    for (int p = 0; p < net->param_count; p++) {
        const dl_param *param = &net->params[p];
        json_t *values = json_object_get(wanted, param->name);
        assert_int_equal(json_array_size(values), param->count);
        for (int64_t i = 0; i < param->count; i++) {
            double want = json_number_value(json_array_get(values, (size_t)i));
            double got = (double)(gradients ? param->grad : param->value)[i];
            if (!(fabs(got - want) <= tolerance))
                fail_msg("%s[%lld]: %.9g, PyTorch has %.9g", param->name, (long long)i, got, want);
        }
    }
}

static void check_case(json_t *c) {
    whole w;
    int64_t rows = json_integer_value(json_object_get(c, "rows"));
    open_whole(&w, json_string_value(json_object_get(c, "config")), rows + 3, true);
    dl_net *net = &w.e.model.net;
    json_t *start = json_object_get(c, "start"), *track = json_object_get(c, "track");
    for (int p = 0; p < net->param_count; p++) {
        float *values = floats(json_object_get(start, net->params[p].name));
        memcpy(net->params[p].value, values, sizeof *values * (size_t)net->params[p].count);
        free(values);
    }
    dl_batch batch = {
        .x = floats(json_object_get(c, "x")), .y = floats(json_object_get(c, "y")), .count = rows};
    for (size_t t = 0; t < json_array_size(track); t++) {
        json_t *losses = json_array_get(track, t);
        dl_metric_sums sums = train_step(&w, &batch, (int64_t)t);
        assert_int_equal(json_array_size(losses), 1 + net->head_count);
        for (int end = 0; end <= net->head_count; end++) {
            double got =
                end ? dl_loss_mean(&sums.losses.head[end - 1]) : dl_loss_mean(&sums.losses.net);
            double want = json_number_value(json_array_get(losses, (size_t)end));
            if (!(fabs(got - want) <= 2e-6 * fmax(1, fabs(want))))
                fail_msg("step %zu, end %d: %.9g, PyTorch has %.9g", t, end, got, want);
        }
        close_step(sums);
        if (!t)
            compare(net, json_object_get(c, "grads"), true, 4e-6);
    }
    compare(net, json_object_get(c, "end"), false, 4e-6);
    free(batch.x);
    free(batch.y);
    close_whole(&w);
}

static void test_golden(void **state) {
    (void)state;
    json_t *list = json_load_file("tests/golden/nets/heads.json", 0, NULL);
    assert_true(json_array_size(list) > 1);
    for (size_t i = 0; i < json_array_size(list); i++)
        check_case(json_array_get(list, i));
    json_decref(list);
}

/* ---- what is trained ---- */

#define BEFORE "{ layer = \"dense\"; name = \"t\"; units = 6; activation = \"tanh\"; },"
#define BODY                                                                                       \
    "body = ( { layer = \"dense\"; name = \"a\"; units = 5; activation = \"relu\"; },"             \
    "{ layer = \"dense\"; name = \"b\"; units = 3; } ); },"
#define BEHIND "{ layer = \"dense\"; name = \"z\"; units = 3; }"
#define REST                                                                                       \
    "); loss = { type = \"softmax_cross_entropy\"; };"                                             \
    "data = { format = \"random\"; input = (4); classes = 3; train = { rows = 8; }; };"            \
    "optimizer = { type = \"sgd\"; learning_rate = 0.1; momentum = 0.9; };"

enum { ROWS = 4 };

static float x_of_all[ROWS * 4], y_of_all[ROWS] = {0, 2, 1, 2};
static const dl_batch all = {.x = x_of_all, .y = y_of_all, .count = ROWS};

/* Which layers' parameters move in two steps. */
static void moves(const char *config, bool moved[4]) {
    static const char *const names[] = {"t.weight", "a.weight", "b.weight", "z.weight"};
    whole w;
    open_whole(&w, config, ROWS, true);
    dl_net *net = &w.e.model.net;
    harness_fill(x_of_all, ROWS * 4, 1);
    dl_net_initialize(net, 1);
    size_t bytes = sizeof(float) * (size_t)net->weight_count;
    float *before = memcpy(xmalloc(bytes), net->weights, bytes);
    for (int t = 0; t < 2; t++)
        close_step(train_step(&w, &all, t));
    int found = 0;
    for (int p = 0; p < net->param_count; p++)
        for (int n = 0; n < 4; n++)
            if (!strcmp(net->params[p].name, names[n])) {
                moved[n] = memcmp(before + net->params[p].offset, net->params[p].value,
                                  sizeof(float) * (size_t)net->params[p].count) != 0;
                found++;
            }
    assert_int_equal(found, 4);
    free(before);
    close_whole(&w);
}

/* A head's own parameters move, unless it weighs nothing or is frozen. What it gives the layers
   before it is another matter: a frozen head still teaches them, though all behind it is frozen. */
static void test_moves(void **state) {
    (void)state;
    static const struct {
        const char *config;
        bool moved[4];
    } cases[] = {
        {"network = (" BEFORE "{ layer = \"aux\";" BODY BEHIND REST, {true, true, true, true}},
        {"network = (" BEFORE "{ layer = \"aux\"; weight = 0;" BODY BEHIND REST,
         {true, false, false, true}},
        {"network = (" BEFORE "{ layer = \"aux\"; trainable = false;" BODY BEHIND REST,
         {true, false, false, true}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool moved[4] = {false};
        moves(cases[i].config, moved);
        for (int n = 0; n < 4; n++)
            if (moved[n] != cases[i].moved[n])
                fail_msg("case %zu: layer %d %s", i, n, moved[n] ? "moved" : "did not move");
    }
}

/* The gradient of the layers before a head is that of the net's own loss plus `weight` times that
   of the head's: with weight 0, 1 and 3 on a line. */
static void test_weight(void **state) {
    (void)state;
    static const char *const configs[] = {
        "network = (" BEFORE "{ layer = \"aux\"; weight = 0;" BODY BEHIND REST,
        "network = (" BEFORE "{ layer = \"aux\"; weight = 1;" BODY BEHIND REST,
        "network = (" BEFORE "{ layer = \"aux\"; weight = 3; trainable = false;" BODY BEHIND REST,
    };
    float gradient[3][4 * 6];
    double distance = 0;
    harness_fill(x_of_all, ROWS * 4, 1);
    for (int i = 0; i < 3; i++) {
        whole w;
        open_whole(&w, configs[i], ROWS, true);
        dl_net_initialize(&w.e.model.net, 1);
        close_step(train_step(&w, &all, 0));
        memcpy(gradient[i], w.e.model.net.params[0].grad, sizeof gradient[i]);
        close_whole(&w);
    }
    for (int k = 0; k < 4 * 6; k++) {
        float step = gradient[1][k] - gradient[0][k];
        assert_true(fabsf(gradient[0][k] + 3 * step - gradient[2][k]) < 1e-6f);
        distance += fabs((double)step);
    }
    assert_true(distance > 0.01);
}

/* ---- what is not trained ---- */

/* Passes that are not training leave the heads alone; a net that is not trained has their
   parameters, so that it can take a checkpoint, but no memory for what they would work out. */
static void test_not_trained(void **state) {
    (void)state;
    static const char *const texts[] = {
        "network = (" BEFORE "{ layer = \"aux\";" BODY BEHIND REST,
        "network = (" BEFORE BEHIND REST,
    };
    harness_fill(x_of_all, ROWS * 4, 1);
    whole trained, tested, plain;
    open_whole(&trained, texts[0], ROWS, true);
    open_whole(&tested, texts[0], ROWS, false);
    open_whole(&plain, texts[1], ROWS, false);
    dl_net *net = &tested.e.model.net;
    assert_int_equal(net->weight_count, trained.e.model.net.weight_count);
    assert_int_equal(net->activation_bytes, plain.e.model.net.activation_bytes);
    assert_int_equal(net->operations, plain.e.model.net.operations);
    assert_true(trained.e.model.net.training_operations > 3 * net->operations);
    for (int p = 0; p < net->param_count; p++)
        assert_string_equal(net->params[p].name, trained.e.model.net.params[p].name);
    for (int i = net->heads[0].first; i <= net->heads[0].last; i++)
        assert_null(net->layers[i].out.value);
    dl_net_initialize(&trained.e.model.net, 1);
    dl_net_initialize(net, 1);
    dl_tensor *head = dl_net_head_output(&trained.e.model.net, 0);
    memset(trained.e.model.net.memory, 0xFF, (size_t)trained.e.model.net.memory_bytes);
    dl_pass pass = {.batch = ROWS};
    dl_net_forward(&trained.e.model.net, x_of_all, &pass);
    dl_net_forward(net, x_of_all, &pass);
    for (int i = 0; i < ROWS * 3; i++) {
        assert_true(isnan(head->value[i]));
        assert_true(dl_net_output(&trained.e.model.net)->value[i] == dl_net_output(net)->value[i]);
    }
    assert_null(dl_net_find_not_finite(net, x_of_all, &pass));
    net->layers[net->heads[0].last].params[0].value[0] = NAN; /* which it never uses */
    assert_null(dl_net_find_not_finite(net, x_of_all, &pass));
    trained.e.model.net.layers[net->heads[0].last].params[0].value[0] = NAN;
    assert_string_equal(dl_net_find_not_finite(&trained.e.model.net, x_of_all, &pass),
                        "layer \"b\" (its weight)");
    close_whole(&trained);
    close_whole(&tested);
    close_whole(&plain);
}

/* An epoch that is interrupted has the sums of its heads in the checkpoint, to the bit. */
static void test_checkpoint(void **state) {
    (void)state;
    char path[] = "/tmp/dltrain-test-XXXXXX";
    whole w;
    open_whole(&w, "name = \"heads\"; network = (" BEFORE "{ layer = \"aux\";" BODY BEHIND REST,
               ROWS, true);
    harness_fill(x_of_all, ROWS * 4, 1);
    dl_net_initialize(&w.e.model.net, 1);
    dl_optimizer_state optimizer_state = {.vectors = {w.vector}, .vector_count = 1};
    dl_progress kept = {.epoch_step = 1, .step = 1, .best = NAN}, got = {0};
    kept.sums = train_step(&w, &all, 0);
    dl_metric_sums_open(&got.sums, &w.e.model, false);
    int file = mkstemp(path);
    assert_true(file >= 0 && !close(file));
    dl_average none = {0};
    dl_training_state saved = {&kept, &optimizer_state, &none},
                      loaded = {&got, &optimizer_state, &none};
    dl_checkpoint_content content = dl_training_state_content(&saved, &w.e);
    assert_int_equal(dl_checkpoint_save(path, &w.e.model, &content, &w.error), 0);
    dl_checkpoint_content_free(&content);
    dl_checkpoint checkpoint;
    assert_int_equal(dl_checkpoint_open(&checkpoint, path, &w.error), 0);
    assert_int_equal(dl_checkpoint_load_net(&checkpoint, &w.e.model.net, &w.error), 0);
    assert_int_equal(dl_training_state_load(&loaded, &w.e, &checkpoint, &w.error), 0);
    assert_true(got.sums.rows == kept.sums.rows);
    assert_memory_equal(&got.sums.losses, &kept.sums.losses, sizeof kept.sums.losses);
    assert_true(got.sums.losses.head[0].sum > 0 && got.sums.losses.net.sum > 0);
    dl_text_free(&got.rows);
    dl_metric_sums_close(&got.sums);
    dl_metric_sums_close(&kept.sums);
    dl_checkpoint_close(&checkpoint);
    unlink(path);
    close_whole(&w);
}

/* ---- names ---- */

/* By their number among the heads, as layers are by theirs among those of their type; "aux_4" is
   taken. */
static void test_names(void **state) {
    (void)state;
    static const char *const wanted[] = {"h_1", "aux_2", "h_2", "aux_5", "aux_6"};
    const char *layers =
        "{ layer = \"dense\"; name = \"aux_4\"; units = 6; },"
        "{ layer = \"sequence\"; repeat = 2; body = ( { layer = \"dense\"; units = 6; },"
        "  { layer = \"aux\"; name = \"h\"; body = ( { layer = \"dense\"; units = 3; } ); },"
        "  { layer = \"aux\"; body = ( { layer = \"dense\"; units = 3; } ); } ); },"
        "{ layer = \"aux\"; body = ( { layer = \"dense\"; units = 3; } ); }," BEHIND;
    harness h;
    if (!harness_open(&h, layers, dl_shape1(4), 2, true, 1))
        fail_msg("%s", dl_text_get(&h.error.text));
    assert_int_equal(h.net.head_count, 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(h.net.heads[i].name, wanted[i]);
    /* the chain goes on behind them as if they were not there */
    assert_int_equal(h.net.sources[4][0], 1);
    assert_int_equal(h.net.sources[h.net.layer_count - 1][0], 4);
    harness_close(&h);
}

int main(void) {
    dl_threads_set(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),     cmocka_unit_test(test_moves),
        cmocka_unit_test(test_weight),     cmocka_unit_test(test_not_trained),
        cmocka_unit_test(test_checkpoint), cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

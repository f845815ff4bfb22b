/* SPDX-License-Identifier: MIT */
/* Every layer, activation, loss, optimizer and schedule against numbers that PyTorch made: the
   registries are walked, and a member NAME of a kind without golden/KIND/NAME.json fails. */
#include "harness.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "losses/loss.h"
#include "math/backend.h"
#include "math/threads.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

/* Calls check(case) for each case of tests/golden/KIND/NAME.json; returns their number. */
static int each_case(const char *kind, const char *name, void (*check)(json_t *)) {
    char path[128], quoted[64];
    snprintf(path, sizeof path, "tests/golden/%s/%s.json", kind, name);
    snprintf(quoted, sizeof quoted, "\"%s\"", name);
    json_t *list = json_load_file(path, 0, NULL);
    int count = (int)json_array_size(list);
    if (!count)
        fail_msg("%s: missing or empty; tests/golden/make.py %s/%s makes it", path, kind, name);
    for (int i = 0; i < count; i++) {
        const char *config =
            json_string_value(json_object_get(json_array_get(list, (size_t)i), "config"));
        if (!strstr(config, quoted))
            fail_msg("%s: case %d is not about it: %s", path, i, config);
        check(json_array_get(list, (size_t)i));
    }
    json_decref(list);
    return count;
}

static int64_t size_of(json_t *array) {
    return (int64_t)json_array_size(array);
}

static float *floats(json_t *array) {
    float *values = xmalloc(sizeof *values * (size_t)(size_of(array) + 1));
    for (int64_t i = 0; i < size_of(array); i++)
        values[i] = (float)json_number_value(json_array_get(array, (size_t)i));
    return values;
}

/* Both are sums in float, in different orders: compared to the scale of the whole tensor. */
static void assert_close(const float *got, json_t *want, const char *what, const char *which,
                         double tolerance) {
    double scale = 1e-3;
    for (int64_t i = 0; i < size_of(want); i++)
        scale = fmax(scale, fabs(json_number_value(json_array_get(want, (size_t)i))));
    assert_true(size_of(want) > 0);
    for (int64_t i = 0; i < size_of(want); i++) {
        double wanted = json_number_value(json_array_get(want, (size_t)i));
        if (!(fabs(got[i] - wanted) <= tolerance * scale))
            fail_msg("%s: %s[%lld] is %.9g, PyTorch has %.9g", what, which, (long long)i, got[i],
                     wanted);
    }
}

static void set_params(const dl_layer *layer, json_t *params) {
    for (int p = 0; p < layer->param_count; p++) {
        json_t *values = json_object_get(params, layer->params[p].name);
        assert_int_equal(size_of(values), layer->params[p].count);
        float *from = floats(values);
        memcpy(layer->params[p].value, from, sizeof *from * (size_t)layer->params[p].count);
        free(from);
    }
    assert_int_equal(json_object_size(params), layer->param_count);
}

/* Running statistics: set from, or compared with, what PyTorch had. */
static void set_states(const dl_layer *layer, json_t *states) {
    for (int s = 0; s < layer->state_count; s++) {
        float *from = floats(json_object_get(states, layer->states[s].name));
        memcpy(layer->states[s].value, from, sizeof *from * (size_t)layer->states[s].count);
        free(from);
    }
}

static void check_states(const dl_layer *layer, json_t *states, const char *what) {
    assert_int_equal(json_object_size(states), layer->state_count);
    for (int s = 0; s < layer->state_count; s++)
        assert_close(layer->states[s].value, json_object_get(states, layer->states[s].name), what,
                     layer->states[s].name, 2e-6);
}

static void check_layer(json_t *c) {
    const char *config = json_string_value(json_object_get(c, "config"));
    json_t *dims = json_object_get(c, "input");
    dl_shape shape = {(int)size_of(dims), {1, 1, 1, 1}};
    for (int i = 0; i < shape.rank; i++)
        shape.dim[i] = (int)json_integer_value(json_array_get(dims, (size_t)i));
    int batch = (int)json_integer_value(json_object_get(c, "batch"));
    dl_text layers = {0};
    harness h;
    harness_probe(&layers, shape);
    dl_text_add(&layers, "%s", config);
    if (!harness_open(&h, layers.data, shape, batch, true, dl_threads()))
        fail_msg("%s: %s", config, dl_text_get(&h.error.text));
    dl_layer *layer = &h.net.layers[h.net.layer_count - 1];
    dl_pass pass = {
        .batch = batch, .training = !json_is_false(json_object_get(c, "training")), .carry = true};
    float *x = floats(json_object_get(c, "x")), *dy = floats(json_object_get(c, "dy"));
    harness_identity(&h.net);
    set_params(layer, json_object_get(c, "params"));
    set_states(layer, json_object_get(c, "start"));
    if (json_object_get(c, "before")) { /* a batch that hands its state on to the one of the case */
        float *before = floats(json_object_get(c, "before"));
        dl_net_forward(&h.net, before, &pass);
        free(before);
    }
    dl_net_forward(&h.net, x, &pass);
    check_states(layer, json_object_get(c, "states"), config);
    assert_int_equal(size_of(json_object_get(c, "y")), batch * dl_shape_size(layer->out.shape));
    assert_close(layer->out.value, json_object_get(c, "y"), config, "y", 2e-6);
    if (!pass.training) { /* nobody goes backward through running statistics */
        free(x);
        free(dy);
        harness_close(&h);
        dl_text_free(&layers);
        return;
    }
    memcpy(layer->out.grad, dy, sizeof *dy * json_array_size(json_object_get(c, "dy")));
    dl_net_backward(&h.net, &pass);
    assert_close(h.net.layers[0].out.grad, json_object_get(c, "dx"), config, "dx", 4e-6);
    for (int p = 0; p < layer->param_count; p++)
        assert_close(layer->params[p].grad,
                     json_object_get(json_object_get(c, "grads"), layer->params[p].name), config,
                     layer->params[p].name, 4e-6);
    free(x);
    free(dy);
    harness_close(&h);
    dl_text_free(&layers);
}

static void test_layers(void **state) {
    (void)state;
    int cases = 0;
    for (int threads = 1; threads <= 2; threads++)
        for (int backend = DL_BACKEND_AUTO; backend <= DL_BACKEND_ONEDNN; backend++) {
            dl_threads_set(threads);
            dl_backend_set((dl_backend)backend);
            cases = 0;
            for (int k = 0; k < dl_layer_registry.count; k++)
                cases += each_case("layers", dl_layer_registry.kinds[k]->name, check_layer);
            for (int k = 0; dl_activation_names[k]; k++)
                cases += each_case("activations", dl_activation_names[k], check_layer);
        }
    dl_backend_set(DL_BACKEND_AUTO);
    printf("   %d cases\n", cases);
}

/* A member of a registry, with its options, from `type = "…"; …`. */
typedef struct {
    dl_config config;
    const dl_kind *kind;
    void *self;
} member;

static member open_member(const dl_registry *registry, const char *text) {
    member m;
    dl_error error = {0};
    assert_int_equal(dl_config_parse(&m.config, "test.cfg", text, &error), 0);
    config_setting_t *top = config_root_setting(&m.config.tree);
    m.kind = dl_config_choose(&m.config, top, registry, NULL, &error);
    assert_non_null(m.kind);
    config_setting_remove(top, "type");
    m.self = xcalloc(1, m.kind->size);
    dl_table table = {m.kind->options, m.self};
    if (dl_config_read(&m.config, top, NULL, m.kind->name, &table, 1, &error))
        fail_msg("%s: %s", text, error.text.data);
    return m;
}

static void close_member(member *m) {
    free(m->self);
    dl_config_free(&m->config);
}

static void check_loss(json_t *c) {
    const char *config = json_string_value(json_object_get(c, "config"));
    member own = open_member(&dl_loss_registry, config);
    const dl_loss_type *loss = (const dl_loss_type *)own.kind;
    int64_t rows = json_integer_value(json_object_get(c, "rows"));
    int channels = (int)json_integer_value(json_object_get(c, "channels"));
    dl_target target = {.classes = (int)json_integer_value(json_object_get(c, "classes")),
                        .outputs = channels};
    float *output = floats(json_object_get(c, "output"));
    float *wanted = floats(json_object_get(c, "target"));
    float *grad = xcalloc((size_t)(rows * channels), sizeof *grad);
    memset(grad, 0xFF, sizeof *grad * (size_t)(rows * channels)); /* NaN: all is written */
    int64_t counts[16] = {0}, counted = rows;
    for (int64_t r = 0; target.classes && r < rows; r++) {
        counts[(int)wanted[r]]++;
        counted -= loss->ignored && (int)wanted[r] == loss->ignored(own.self);
    }
    target.class_count = counts;
    double mean = loss->evaluate(own.self, &target, rows, channels, output, wanted,
                                 1.0f / (float)counted, grad) /
                  (double)counted;
    double torch = json_number_value(json_object_get(c, "mean"));
    if (!(fabs(mean - torch) <= 1e-6 * fmax(1, fabs(torch))))
        fail_msg("%s: %.9g, PyTorch has %.9g", config, mean, torch);
    assert_close(grad, json_object_get(c, "grad"), config, "grad", 2e-6);
    free(output);
    free(wanted);
    free(grad);
    close_member(&own);
}

static void test_losses(void **state) {
    (void)state;
    for (int k = 0; k < dl_loss_registry.count; k++)
        each_case("losses", dl_loss_registry.kinds[k]->name, check_loss);
}

static double factor_of(const member *schedule, dl_schedule_clock clock, const double *state) {
    return dl_schedule_factor((const dl_schedule_type *)schedule->kind, schedule->self, &clock,
                              state);
}

/* Five steps or more on two tensors, the first of which decays. */
static void check_optimizer(json_t *c) {
    const char *config = json_string_value(json_object_get(c, "config"));
    const char *how = json_string_value(json_object_get(c, "schedule"));
    member own = open_member(&dl_optimizer_registry, config);
    member schedule = open_member(&dl_schedule_registry, how && *how ? how : "type = \"constant\"");
    const dl_optimizer_type *optimizer = (const dl_optimizer_type *)own.kind;
    void *self = own.self;
    float *w = floats(json_object_get(c, "start")), *a = floats(json_object_get(c, "a"));
    float *m = floats(json_object_get(c, "c"));
    int64_t n = size_of(json_object_get(c, "start"));
    int64_t split = json_integer_value(json_object_get(c, "split"));
    float l2 = (float)json_number_value(json_object_get(c, "l2"));
    float *g = xcalloc((size_t)n, sizeof *g), *vectors[8];
    dl_span spans[] = {{0, split, 0, l2, true}, {split, n - split, 0, 0, false}};
    dl_objective objective = {n, w, g, 1, spans, 2};
    for (int v = 0; v < optimizer->first_order->vectors(self); v++)
        vectors[v] = xcalloc((size_t)n, sizeof(float));
    double rate = ((dl_optimizer_common *)self)->learning_rate;
    json_t *track = json_object_get(c, "track");
    for (size_t t = 0; t < json_array_size(track); t++) {
        for (int64_t i = 0; i < n; i++)
            g[i] = 2 * a[i] * (w[i] - m[i]);
        double factor = factor_of(&schedule, (dl_schedule_clock){(int64_t)t, 0, 0, 1, 9}, NULL);
        optimizer->first_order->step(self, &objective, vectors, rate * factor, (int64_t)t + 1);
        assert_close(w, json_array_get(track, t), config, "weights", 1e-6);
    }
    for (int v = 0; v < optimizer->first_order->vectors(self); v++)
        free(vectors[v]);
    free(w);
    free(a);
    free(m);
    free(g);
    close_member(&own);
    close_member(&schedule);
}

/* Methods of the full batch have no step to compare: test_second_order.c has their minima. */
static void test_optimizers(void **state) {
    (void)state;
    for (int k = 0; k < dl_optimizer_registry.count; k++)
        if (((const dl_optimizer_type *)dl_optimizer_registry.kinds[k])->first_order)
            each_case("optimizers", dl_optimizer_registry.kinds[k]->name, check_optimizer);
}

/* Every step of a training, whose epochs may have had a value that the schedule looks at. */
static void check_schedule(json_t *c) {
    const char *config = json_string_value(json_object_get(c, "config"));
    member own = open_member(&dl_schedule_registry, config);
    json_t *factors = json_object_get(c, "factors"), *values = json_object_get(c, "values");
    dl_schedule_clock clock = {.steps = json_integer_value(json_object_get(c, "steps")),
                               .epochs = json_integer_value(json_object_get(c, "epochs"))};
    double state[DL_SCHEDULE_STATE] = {0};
    assert_int_equal(size_of(factors), clock.steps * clock.epochs);
    for (; clock.step < size_of(factors); clock.step++) {
        double wanted = json_number_value(json_array_get(factors, (size_t)clock.step));
        double got = factor_of(&own, clock, state);
        if (!(fabs(got - wanted) <= 1e-9))
            fail_msg("%s: %.12g in step %lld, PyTorch has %.12g", config, got,
                     (long long)clock.step, wanted);
        if (++clock.epoch_step < clock.steps)
            continue;
        json_t *value = json_array_get(values, (size_t)clock.epoch++);
        clock.epoch_step = 0;
        dl_schedule_observe((const dl_schedule_type *)own.kind, own.self, &clock,
                            json_number_value(value), json_is_true(json_object_get(c, "higher")),
                            state);
    }
    close_member(&own);
}

static void test_schedules(void **state) {
    (void)state;
    for (int k = 0; k < dl_schedule_registry.count; k++)
        each_case("schedules", dl_schedule_registry.kinds[k]->name, check_schedule);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_optimizers),
        cmocka_unit_test(test_schedules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What every layer, activation and optimizer must do, on the cases of their golden numbers: a
   sample's output does not depend on the others of its batch (at test), nor on the number of
   threads, and weights that are saved and read back give the same bits. */
#include "harness.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "math/threads.h"
#include "optim/optimizer.h"
#include "run/safetensors.h"

typedef struct {
    const char *config;
    dl_shape shape;
    int batch;
    float *x; /* [batch][shape] */
} sample;

static sample sample_of(const json_t *c) {
    const json_t *dims = json_object_get(c, "input"), *x = json_object_get(c, "x");
    sample s = {.config = json_string_value(json_object_get(c, "config")),
                .shape = {(int)json_array_size(dims), {1, 1, 1, 1}},
                .batch = (int)json_integer_value(json_object_get(c, "batch"))};
    for (int i = 0; i < s.shape.rank; i++)
        s.shape.dim[i] = (int)json_integer_value(json_array_get(dims, (size_t)i));
    s.x = xmalloc(sizeof *s.x * json_array_size(x));
    for (size_t i = 0; i < json_array_size(x); i++)
        s.x[i] = (float)json_number_value(json_array_get(x, i));
    return s;
}

static void open_net(harness *h, const sample *s, int threads) {
    dl_text layers = {0};
    dl_threads_set(threads);
    harness_probe(&layers, s->shape);
    dl_text_add(&layers, "%s", s->config);
    if (!harness_open(h, layers.data, s->shape, s->batch, true, threads))
        fail_msg("%s: %s", s->config, dl_text_get(&h->error.text));
    dl_text_free(&layers);
    dl_net_initialize(&h->net, 3);
    for (int p = 0; p < h->net.param_count; p++)
        for (int64_t i = 0; i < h->net.params[p].count; i++) /* biases too */
            h->net.params[p].value[i] += 0.01f * (float)(i % 7);
    harness_identity(&h->net);
}

/* Output of `count` rows from row `first` on, at test; the caller frees it. */
static float *output_of(harness *h, const sample *s, int first, int count) {
    dl_pass pass = {.batch = count};
    dl_net_begin(&h->net);
    dl_net_forward(&h->net, s->x + first * dl_shape_size(s->shape), &pass);
    const dl_tensor *out = dl_net_output(&h->net);
    size_t bytes = sizeof(float) * (size_t)(count * dl_shape_size(out->shape));
    return memcpy(xmalloc(bytes), out->value, bytes);
}

static void assert_near(const sample *s, const char *what, const float *a, const float *b,
                        int64_t count) {
    double scale = 1e-3;
    for (int64_t i = 0; i < count; i++)
        scale = fmax(scale, fabs((double)a[i]));
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)a[i] - b[i]) <= 2e-6 * scale))
            fail_msg("%s: %s: number %lld is %.9g, not %.9g", s->config, what, (long long)i, b[i],
                     a[i]);
}

static void check_partial_batches(harness *h, const sample *s, const float *whole) {
    int64_t size = dl_shape_size(dl_net_output(&h->net)->shape);
    for (int n = 0; n < s->batch; n++) {
        float *one = output_of(h, s, n, 1);
        assert_near(s, "a batch of one row", whole + n * size, one, size);
        free(one);
    }
}

static void check_threads(const sample *s, const float *whole, int64_t count) {
    for (int threads = 1; threads <= 3; threads += 2) {
        harness h;
        open_net(&h, s, threads);
        float *first = output_of(&h, s, 0, s->batch), *again = output_of(&h, s, 0, s->batch);
        assert_near(s, "another number of threads", whole, first, count);
        assert_memory_equal(first, again, sizeof *first * (size_t)count);
        free(first);
        free(again);
        harness_close(&h);
    }
    dl_threads_set(2);
}

static int list_tensors(const dl_net *net, dl_named_tensor *tensors) {
    int count = 0;
    for (int p = 0; p < net->param_count; p++)
        tensors[count++] = (dl_named_tensor){net->params[p].name, net->params[p].shape,
                                             net->params[p].value, false};
    for (int p = 0; p < net->state_param_count; p++)
        tensors[count++] = (dl_named_tensor){net->state_params[p].name, net->state_params[p].shape,
                                             net->state_params[p].value, false};
    return count;
}

static void check_saved(harness *h, const sample *s) {
    char path[] = "/tmp/dltrain-test-XXXXXX";
    dl_named_tensor tensors[64];
    dl_error error = {0};
    dl_safetensors file;
    json_t *metadata = json_object();
    close(mkstemp(path));
    dl_pass pass = {.batch = s->batch, .training = true}; /* moves running statistics */
    dl_net_forward(&h->net, s->x, &pass);
    int count = list_tensors(&h->net, tensors);
    assert_int_equal(dl_safetensors_write(path, metadata, tensors, count, &error), 0);
    float *before = output_of(h, s, 0, s->batch);
    harness other;
    open_net(&other, s, 2);
    assert_int_equal(list_tensors(&other.net, tensors), count);
    assert_int_equal(dl_safetensors_open(&file, path, &error), 0);
    for (int i = 0; i < count; i++) {
        float *to = (float *)tensors[i].value;
        memset(to, 0xFF, sizeof *to * (size_t)dl_shape_size(tensors[i].shape));
        if (dl_safetensors_read(&file, tensors[i].name, tensors[i].shape, to, &error))
            fail_msg("%s: %s", s->config, dl_text_get(&error.text));
    }
    float *after = output_of(&other, s, 0, s->batch);
    int64_t size = s->batch * dl_shape_size(dl_net_output(&other.net)->shape);
    assert_memory_equal(before, after, sizeof *before * (size_t)size);
    free(before);
    free(after);
    harness_close(&other);
    dl_safetensors_close(&file);
    json_decref(metadata);
    unlink(path);
}

static void check_case(const json_t *c) {
    sample s = sample_of(c);
    harness h;
    open_net(&h, &s, 2);
    float *whole = output_of(&h, &s, 0, s.batch);
    check_partial_batches(&h, &s, whole);
    check_threads(&s, whole, s.batch * dl_shape_size(dl_net_output(&h.net)->shape));
    check_saved(&h, &s);
    free(whole);
    harness_close(&h);
    free(s.x);
}

static void check_member(const char *kind, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "tests/golden/%s/%s.json", kind, name);
    json_t *list = json_load_file(path, 0, NULL);
    assert_true(json_array_size(list) > 0);
    for (size_t i = 0; i < json_array_size(list); i++)
        check_case(json_array_get(list, i));
    json_decref(list);
}

static void test_layers(void **state) {
    (void)state;
    for (int k = 0; k < dl_layer_registry.count; k++)
        check_member("layers", dl_layer_registry.kinds[k]->name);
    for (int k = 0; dl_activation_names[k]; k++)
        check_member("activations", dl_activation_names[k]);
}

/* Some steps on many weights; the caller frees them. */
static float *moved_by(const dl_first_order_method *type, const void *self, int threads) {
    enum { COUNT = 50000, STEPS = 4 };
    float *w = xmalloc(sizeof *w * COUNT), *g = xmalloc(sizeof *g * COUNT), *vectors[8];
    dl_span spans[] = {{0, 30000, 0, 0.01f, true}, {30000, COUNT - 30000, 0, 0, false}};
    dl_objective objective = {COUNT, w, g, 1, spans, 2};
    dl_threads_set(threads);
    harness_fill(w, COUNT, 1);
    for (int v = 0; v < type->vectors(self); v++)
        vectors[v] = xcalloc(COUNT, sizeof(float));
    for (int t = 1; t <= STEPS; t++) {
        harness_fill(g, COUNT, (uint16_t)(1 + t));
        type->step(self, &objective, vectors, 0.01, t);
    }
    for (int v = 0; v < type->vectors(self); v++)
        free(vectors[v]);
    free(g);
    return w;
}

static void test_optimizers(void **state) {
    (void)state;
    for (int k = 0; k < dl_optimizer_registry.count; k++) {
        const dl_optimizer_type *type = (const dl_optimizer_type *)dl_optimizer_registry.kinds[k];
        if (!type->first_order) /* of the full batch: test_second_order.c */
            continue;
        dl_config config;
        void *self = harness_options(&type->kind, &config, "");
        float *one = moved_by(type->first_order, self, 1);
        float *three = moved_by(type->first_order, self, 3);
        assert_memory_equal(one, three, sizeof *one * 50000);
        free(one);
        free(three);
        free(self);
        dl_config_free(&config);
    }
}

int main(void) {
    dl_threads_set(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_optimizers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

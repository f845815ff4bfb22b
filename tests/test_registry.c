/* SPDX-License-Identifier: MIT */
/* Walks every registry: names, help, and defaults that obey their own tables. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/space.h"
#include "data/augment.h"
#include "formats/dataset.h"
#include "losses/loss.h"
#include "net/block.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "train/experiment.h"

static const dl_registry *const registries[] = {
    &dl_layer_registry,     &dl_block_registry,        &dl_loss_registry,
    &dl_optimizer_registry, &dl_schedule_registry,     &dl_activation_registry,
    &dl_dataset_registry,   &dl_augmentation_registry, &dl_search_registry};

static bool is_word(const char *name) {
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static void check_table(const char *owner, const dl_option *options, size_t size) {
    for (const dl_option *o = options; o->key; o++) {
        if (!is_word(o->key) || !o->help || strlen(o->help) < 8)
            fail_msg("%s.%s: needs a key of small letters and a help text", owner, o->key);
        assert_true(o->offset < size);
        assert_true(o->min <= o->max);
        if (o->type == DL_CHOICE)
            assert_non_null(o->choices);
        for (const dl_option *other = options; other != o; other++)
            if (!strcmp(other->key, o->key))
                fail_msg("%s.%s: stands twice in its table", owner, o->key);
    }
}

/* A group with only the required keys reads without an error: the defaults are valid. */
static void check_defaults(const dl_kind *kind) {
    dl_config config;
    dl_error error = {0};
    dl_text text = {0}, again = {0};
    for (const dl_option *o = kind->options; o->key; o++)
        if (!o->fallback) {
            if (o->type == DL_INT || o->type == DL_PAIR || o->type == DL_NUMBERS)
                dl_text_add(&text, "%s = 3; ", o->key);
            else if (o->type == DL_FLOAT)
                dl_text_add(&text, "%s = 0.5; ", o->key);
            else if (o->type == DL_STRINGS)
                dl_text_add(&text, "%s = ( \"x\" ); ", o->key);
            else
                dl_text_add(&text, "%s = \"%s\"; ", o->key, o->choices ? o->choices[0] : "x");
        }
    for (int pass = 0; pass < 2; pass++) { /* as it stands, then as it is written out */
        assert_int_equal(
            dl_config_parse(&config, "test.cfg", dl_text_get(pass ? &again : &text), &error), 0);
        void *self = xcalloc(1, kind->size);
        dl_table table = {kind->options, self};
        if (dl_config_read(&config, config_root_setting(&config.tree), NULL, kind->name, &table, 1,
                           &error))
            fail_msg("%s: %s", kind->name, error.text.data);
        dl_text dumped = {0};
        dl_config_dump(&config, &dumped);
        if (pass)
            assert_string_equal(dumped.data, again.data);
        dl_text_free(&again);
        again = dumped;
        free(self);
        dl_config_free(&config);
    }
    dl_text_free(&text);
    dl_text_free(&again);
}

static void test_kinds(void **state) {
    (void)state;
    for (size_t r = 0; r < sizeof registries / sizeof *registries; r++) {
        const dl_registry *registry = registries[r];
        assert_true(registry->count > 0);
        for (int k = 0; k < registry->count; k++) {
            const dl_kind *kind = registry->kinds[k];
            assert_true(is_word(kind->name) && strlen(kind->help) > 8 && kind->size > 0);
            assert_ptr_equal(dl_registry_find(registry, kind->name), kind);
            check_table(kind->name, kind->options, kind->size);
            check_defaults(kind);
            dl_text help = {0}, hint = {0};
            dl_kind_help(registry, kind, &help);
            for (const dl_option *o = kind->options; o->key; o++) {
                char line[64]; /* a space after the colon, however short the key is */
                snprintf(line, sizeof line, "\n  %s: ", o->key);
                assert_non_null(strstr(help.data, line));
            }
            for (const char *line = help.data; *line; line += strcspn(line, "\n") + 1)
                assert_true(strcspn(line, "\n") <= 100);
            dl_registry_hint(registry, kind->name, &hint); /* the nearest to a name is itself */
            assert_non_null(strstr(hint.data, kind->name));
            dl_text_free(&help);
            dl_text_free(&hint);
        }
    }
}

static void test_sections(void **state) {
    (void)state;
    for (const dl_section *s = dl_sections; s->path; s++)
        check_table(s->path, s->options, 4096);
}

/* Every layer takes its numbers along: drawn, saved under full names, read back, the same output.
   (Checkpoints are files of named tensors; here the tensors alone.) */
static void test_parameters(void **state) {
    (void)state;
    harness h;
    const char *layers = "{ layer = \"conv2d\"; filters = 3; kernel = 2; },"
                         "{ layer = \"dense\"; units = 5; name = \"middle\"; },"
                         "{ layer = \"dense\"; units = 2; bias = false; }";
    assert_true(harness_open(&h, layers, dl_shape3(4, 4, 1), 2, true, 1));
    const char *names[] = {"conv2d_1.weight", "conv2d_1.bias", "middle.weight", "middle.bias",
                           "dense_2.weight"};
    assert_int_equal(h.net.param_count, 5);
    int64_t offset = 0;
    for (int p = 0; p < 5; p++) {
        assert_string_equal(h.net.params[p].name, names[p]);
        assert_ptr_equal(h.net.params[p].value, h.net.weights + offset);
        assert_ptr_equal(h.net.params[p].grad, h.net.gradients + offset);
        assert_int_equal(h.net.params[p].flags & DL_DECAYS, p % 2 == 0 ? DL_DECAYS : 0);
        offset += h.net.params[p].count;
    }
    assert_int_equal(offset, h.net.weight_count);
    harness_close(&h);
}

/* Slopes and factors begin where their layers say, and do not decay. */
static void test_constants(void **state) {
    (void)state;
    harness h;
    const char *layers = "{ layer = \"prelu\"; }, { layer = \"scale\"; init = 0.5; shift = true; },"
                         "{ layer = \"prelu\"; init = -0.125; }";
    static const float begins[] = {0.25f, 0.5f, 0, -0.125f};
    assert_true(harness_open(&h, layers, dl_shape1(3), 2, true, 1));
    dl_net_initialize(&h.net, 1);
    assert_int_equal(h.net.param_count, 4);
    for (int p = 0; p < 4; p++) {
        assert_int_equal(h.net.params[p].count, 3);
        assert_int_equal(h.net.params[p].flags & DL_DECAYS, 0);
        for (int i = 0; i < 3; i++)
            assert_true(h.net.params[p].value[i] == begins[p]);
    }
    harness_close(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_constants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

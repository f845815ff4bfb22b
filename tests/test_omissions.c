/* SPDX-License-Identifier: MIT */
/* Walks every table of options: of a whole config each member is left out in turn, alone and in
   pairs. What is left is read and built, or refused with a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/augment.h"
#include "net/block.h"
#include "optim/schedule.h"
#include "train/experiment.h"

#define HEAD "{ layer = \"dense\"; units = 2; }"

/* Where a registry's members stand in a config: %s is the member's group. */
static const struct {
    const dl_registry *registry;
    const char *before, *after;
} places[] = {
    {&dl_layer_registry, "network = ( ", ", { layer = \"flatten\"; }, " HEAD " );"},
    {&dl_block_registry, "network = ( ", ", { layer = \"flatten\"; }, " HEAD " );"},
    {&dl_loss_registry, "network = ( { layer = \"flatten\"; }, " HEAD " ); loss = ", ";"},
    {&dl_optimizer_registry, "network = ( { layer = \"flatten\"; }, " HEAD " ); optimizer = ", ";"},
    {&dl_schedule_registry,
     "network = ( { layer = \"flatten\"; }, " HEAD " ); optimizer = { type = \"sgd\"; schedule = ",
     "; };"},
    {&dl_augmentation_registry,
     "network = ( { layer = \"flatten\"; }, " HEAD " ); data = { format = \"random\"; train = { "
     "input = (8, 8, 3); classes = 2; rows = 64; }; augment = ( ",
     " ); };"},
    {&dl_dataset_registry, "network = ( { layer = \"flatten\"; }, " HEAD " ); data = ", ";"},
};

static const char *const data[] = {
    "data = { format = \"random\"; train = { input = (8, 8, 3); classes = 2; rows = 64; }; };",
    "data = { format = \"random\"; train = { input = (8, 4); classes = 2; rows = 64; }; };"};
static const char loss[] = "loss = { type = \"softmax_cross_entropy\"; };";
static const char training[] = "training = { batch_size = 4; };";

static void add_setting(dl_text *text, const char *key) {
    const char *value = !strcmp(key, "input")      ? "(8, 8, 3)"
                        : !strcmp(key, "branches") ? "( ( " HEAD " ), ( " HEAD " ) )"
                        : !strcmp(key, "loss")     ? "{ type = \"softmax_cross_entropy\"; }"
                        : !strcmp(key, "schedule") ? "{ type = \"constant\"; }"

                                                   : "( " HEAD " )";
    dl_text_add(text, "%s = %s; ", key, value);
}

/* A value that the option's own table allows. */
static void add_member(dl_text *text, const dl_option *o) {
    bool given = o->fallback && *o->fallback,
         number = given && strspn(o->fallback, "-.e0123456789") == strlen(o->fallback);
    switch (o->type) {
    case DL_BOOL:
        dl_text_add(text, "%s = %s; ", o->key, given ? o->fallback : "true");
        break;
    case DL_INT:
    case DL_PAIR:
    case DL_NUMBERS:
        if (given && !number && o->type != DL_NUMBERS)
            dl_text_add(text, "%s = \"%s\"; ", o->key, o->fallback);
        else
            dl_text_add(text, "%s = %s; ", o->key, number ? o->fallback : o->min > 2 ? "3" : "2");
        break;
    case DL_FLOAT:
        dl_text_add(text, "%s = %s; ", o->key, number ? o->fallback : "0.5");
        break;
    case DL_STRINGS:
        dl_text_add(text, "%s = ( \"x\" ); ", o->key);
        break;
    case DL_SETTING:
        add_setting(text, o->key);
        break;
    default:
        dl_text_add(text, "%s = \"%s\"; ", o->key,
                    given        ? o->fallback
                    : o->choices ? o->choices[0]
                                 : "x");
    }
}

/* Whether it could be built. */
static bool try(const char *text) {
    dl_config config = {0};
    dl_error error = {0};
    dl_experiment e = {0};
    bool good = !dl_config_parse(&config, "test.cfg", text, &error) &&
                !dl_experiment_read(&e, &config, &error) && !dl_data_open(&e.model.data, &error) &&
                !dl_experiment_build(&e, 1, &error);
    if (!good && !error.count)
        fail_msg("no message: %s", text);
    dl_experiment_free(&e);
    dl_config_free(&config);
    dl_error_clear(&error);
    return good;
}

/* The whole config with a kind's group, in which the options a and b are missing (-1: none). */
static bool try_without(int place, const dl_kind *kind, const char *on, int a, int b) {
    const dl_registry *registry = places[place].registry;
    const char *before = places[place].before;
    bool is_data = registry == &dl_dataset_registry;
    dl_text text = {0}, group = {0};
    dl_text_add(&group, "{ %s = \"%s\"; %s", registry->key, kind->name,
                is_data ? "train = { " : "");
    for (int i = 0; kind->options[i].key; i++)
        if (i != a && i != b)
            add_member(&group, &kind->options[i]);
    dl_text_add(&group, is_data ? "}; }" : "}");
    dl_text_add(&text, "%s%s%s", before, group.data, places[place].after);
    if (!strstr(before, "data = {") && !is_data)
        dl_text_add(&text, "%s", on);
    if (!strstr(before, "loss = "))
        dl_text_add(&text, "%s", loss);
    dl_text_add(&text, "%s", training);
    bool good = try(text.data);
    dl_text_free(&text);
    dl_text_free(&group);
    return good;
}

static void test_kinds(void **state) {
    (void)state;
    int built = 0;
    for (int p = 0; p < (int)(sizeof places / sizeof *places); p++)
        for (int k = 0; k < places[p].registry->count; k++) {
            const dl_kind *kind = places[p].registry->kinds[k];
            int count = 0;
            while (kind->options[count].key)
                count++;
            for (int a = -1; a < count; a++)
                for (int b = a; b < count; b++)
                    built +=
                        try_without(p, kind, data[0], a, b) + try_without(p, kind, data[1], a, b);
        }
    assert_true(built > 1000);
}

/* The sections of a config themselves, and their keys. */
static void test_sections(void **state) {
    (void)state;
    static const char *const parts[] = {"name = \"x\"; ",
                                        "seed = 1; ",
                                        NULL,
                                        "network = ( { layer = \"flatten\"; }, " HEAD " );",
                                        loss,
                                        "optimizer = { type = \"sgd\"; };",
                                        "regularization = { l2 = 0.1; };",
                                        training};
    enum { PARTS = sizeof parts / sizeof *parts };
    for (int a = -1; a < PARTS; a++)
        for (int b = a; b < PARTS; b++) {
            dl_text text = {0};
            for (int i = 0; i < PARTS; i++)
                if (i != a && i != b)
                    dl_text_add(&text, "%s", parts[i] ? parts[i] : data[0]);
            bool required = (a >= 2 && a <= 4) || (b >= 2 && b <= 4);
            assert_int_equal(try(text.data), !required);
            dl_text_free(&text);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds),
                                       cmocka_unit_test(test_sections)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

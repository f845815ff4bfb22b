/* SPDX-License-Identifier: MIT */
/* The description of a data set: copies, JSON and back, and what a damaged checkpoint may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/schema.h"

static char *classes[] = {"no", "quote \" \\ \n", "Ä"};
static char *colors[] = {"blue", "red"};
static dl_column columns[] = {
    {.name = "size", .mean = 0.1},
    {.name = "color", .categories = 2, .category = colors},
    {.name = "d.year", .mean = 2024, .date = DL_DATE_YEAR, .date_order = 'm'},
    {.name = "d.month", .mean = 5, .date = DL_DATE_MONTH, .date_order = 'm'},
    {.name = "d.day", .mean = 15, .date = DL_DATE_DAY, .date_order = 'm'},
    {.name = "d.weekday", .mean = 3, .date = DL_DATE_WEEKDAY, .date_order = 'm'},
    {.name = "d.seconds", .mean = 0.5, .date = DL_DATE_SECONDS, .date_order = 'm'},
    {.name = "z", .mean = -1e300},
};
static char *y[] = {"y"}, *four[] = {"a", "b", "c", "d \\"};

static const dl_schema table = {.input = {1, {9, 1, 1, 1}},
                                .classes = 3,
                                .outputs = 1,
                                .class_names = classes,
                                .targets = 1,
                                .target_name = y,
                                .target_decimal = ".",
                                .columns = 8,
                                .column = columns};
static int64_t counts[10] = {7, 0, (int64_t)1 << 40, 1, 2, 3, 4, 5, 6, 7};
static const dl_schema images = {
    .input = {3, {28, 27, 3, 1}}, .classes = 10, .outputs = 1, .class_count = counts};
static const dl_schema letters = {.input = {2, {64, 26, 1, 1}}, .classes = 26, .outputs = 64};
static double origins[35] = {0, 1e9 + 1e-6, -1e300}, target_origins[] = {0, 1.7e18, 0, 1.0 / 3};
static const dl_schema numbers = {.input = {2, {7, 5, 1, 1}},
                                  .outputs = 4,
                                  .input_origin = origins,
                                  .target_origin = target_origins,
                                  .targets = 4,
                                  .target_name = four,
                                  .target_decimal = ".,,."};

static char *ranges[] = {"below 0.1", "0.1 to 7", "from 7"};
static double edges[] = {0.1, 7}, means[] = {-1e300, 1.0 / 3, 8};
static const dl_schema binned = {.input = {1, {4, 1, 1, 1}},
                                 .classes = 3,
                                 .outputs = 1,
                                 .class_names = ranges,
                                 .bin_edge = edges,
                                 .bin_mean = means};

static void check_numbers(const double *a, const double *b, int count) {
    assert_true(!a == !b);
    for (int i = 0; a && i < count; i++)
        assert_true(a[i] == b[i]);
}

static void check_text(const char *a, const char *b) {
    assert_true(!a == !b);
    if (a)
        assert_string_equal(a, b);
}

static void check_equal(const dl_schema *a, const dl_schema *b) {
    assert_memory_equal(&a->input, &b->input, sizeof a->input);
    assert_int_equal(a->classes, b->classes);
    assert_int_equal(a->outputs, b->outputs);
    assert_true(!a->class_names == !b->class_names);
    for (int i = 0; a->class_names && i < a->classes; i++)
        check_text(a->class_names[i], b->class_names[i]);
    assert_true(!a->class_count == !b->class_count);
    for (int i = 0; a->class_count && i < a->classes; i++)
        assert_int_equal(a->class_count[i], b->class_count[i]);
    assert_true(!a->bin_edge == !b->bin_edge && !a->bin_mean == !b->bin_mean);
    check_numbers(a->input_origin, b->input_origin, (int)dl_shape_size(a->input));
    check_numbers(a->target_origin, b->target_origin, a->outputs);
    for (int i = 0; a->bin_edge && i < a->classes; i++)
        assert_true(a->bin_mean[i] == b->bin_mean[i] &&
                    (!i || a->bin_edge[i - 1] == b->bin_edge[i - 1]));
    assert_int_equal(a->targets, b->targets);
    for (int i = 0; i < a->targets; i++)
        check_text(a->target_name[i], b->target_name[i]);
    check_text(a->target_decimal, b->target_decimal);
    assert_int_equal(a->columns, b->columns);
    for (int i = 0; i < a->columns; i++) {
        check_text(a->column[i].name, b->column[i].name);
        assert_int_equal(a->column[i].categories, b->column[i].categories);
        assert_true(a->column[i].mean == b->column[i].mean);
        assert_int_equal(a->column[i].date, b->column[i].date);
        assert_int_equal(a->column[i].date_order, b->column[i].date_order);
        for (int k = 0; k < a->column[i].categories; k++)
            check_text(a->column[i].category[k], b->column[i].category[k]);
    }
}

static void test_copy(void **state) {
    (void)state;
    dl_schema copy = dl_schema_copy(&table);
    check_equal(&copy, &table);
    assert_true(copy.class_names[0] != classes[0] && copy.column[0].name != columns[0].name &&
                copy.column[1].category[0] != colors[0]);
    dl_schema_free(&copy);
    assert_null(copy.column);
    dl_schema_free(&copy); /* an empty one is fine */
    copy = dl_schema_copy(&binned);
    check_equal(&copy, &binned);
    assert_true(copy.bin_edge != edges && copy.bin_mean != means);
    dl_schema_free(&copy);
    copy = dl_schema_copy(&images);
    check_equal(&copy, &images);
    dl_schema_free(&copy);
}

static void test_json_and_back(void **state) {
    (void)state;
    const dl_schema *const all[] = {&table, &images, &numbers, &letters, &binned};
    for (int i = 0; i < 5; i++) {
        dl_error error = {0};
        dl_schema back;
        char *json = dl_schema_to_json(all[i]);
        if (dl_schema_from_json(&back, json, "x", &error))
            fail_msg("%s", dl_text_get(&error.text));
        check_equal(&back, all[i]);
        dl_schema_free(&back);
        free(json);
    }
}

static void test_class_names(void **state) {
    (void)state;
    char out[16];
    assert_string_equal(dl_schema_class(&table, 0, out), "no");
    assert_string_equal(dl_schema_class(&table, 3, out), "3");
    assert_string_equal(dl_schema_class(&table, -1, out), "-1");
    assert_string_equal(dl_schema_class(&images, 7, out), "7");
}

static void refuses(const char *json) {
    dl_error error = {0};
    dl_schema schema;
    memset(&schema, 0x55, sizeof schema);
    if (!dl_schema_from_json(&schema, json, "run.safetensors", &error))
        fail_msg("was taken: %s", json);
    assert_int_equal(error.code, DL_DATA);
    assert_non_null(strstr(dl_text_get(&error.text), "run.safetensors: "));
    assert_null(schema.column);
    assert_null(schema.class_names);
    dl_error_clear(&error);
}

static void test_damaged(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "nonsense",
        "[]",
        "7",
        "{}",
        "{\"input\":[4],\"classes\":2}",
        "{\"input\":[4],\"outputs\":1}",
        "{\"input\":4,\"classes\":2,\"outputs\":1}",
        "{\"input\":[],\"classes\":2,\"outputs\":1}",
        "{\"input\":[1,1,1,1],\"classes\":2,\"outputs\":1}",
        "{\"input\":[0],\"classes\":2,\"outputs\":1}",
        "{\"input\":[-4],\"classes\":2,\"outputs\":1}",
        "{\"input\":[4.0],\"classes\":2,\"outputs\":1}",
        "{\"input\":[4294967300],\"classes\":2,\"outputs\":1}",
        "{\"input\":[65536,65536],\"classes\":2,\"outputs\":1}",
        "{\"input\":[268435456,268435456,268435456],\"classes\":2,\"outputs\":1}",
        "{\"input\":[4],\"classes\":-1,\"outputs\":1}",
        "{\"input\":[4],\"classes\":2000000000,\"outputs\":1}",
        "{\"input\":[4],\"classes\":\"2\",\"outputs\":1}",
        "{\"input\":[4],\"classes\":2,\"outputs\":0}",
        "{\"input\":[4],\"classes\":2,\"outputs\":2000000000}",
        "{\"input\":[4],\"classes\":0,\"outputs\":2000000000}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"classes\":2}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"class_names\":[]}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"class_names\":[\"a\"]}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"class_names\":[\"a\",\"b\",\"c\"]}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"class_names\":[\"a\",7]}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"class_names\":\"ab\"}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"class_names\":[\"a\",\"b\\u0000\"]}",
        "{\"input\":[4],\"classes\":0,\"outputs\":1,\"class_names\":[\"a\"]}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"target\":7}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"target\":[]}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"target\":[\"a\",\"b\"]}",
        "{\"input\":[4],\"classes\":0,\"outputs\":2,\"target\":\"a\"}",
        "{\"input\":[4],\"classes\":0,\"outputs\":1,\"target_decimal\":\",\"}",
        "{\"input\":[4],\"classes\":0,\"outputs\":1,\"target\":\"a\",\"target_decimal\":\",,\"}",
        "{\"input\":[4],\"classes\":0,\"outputs\":1,\"target\":\"a\",\"target_decimal\":\"x\"}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":\"a.year\",\"mean\":1,"
        "\"date\":\"year\"}]}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":\"a.day\",\"mean\":1,"
        "\"date\":\"day\"}]}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":\"seconds\",\"mean\":1,"
        "\"date\":\"seconds\"}]}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":\"a.hour\",\"mean\":1,"
        "\"date\":\"hour\"}]}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":\"a.year\","
        "\"categories\":[\"x\"],\"date\":\"year\"}]}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"class_count\":[1]}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"class_count\":[1,-1]}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"class_count\":[1,1.5]}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"class_count\":7}",
        "{\"input\":[4],\"classes\":0,\"outputs\":1,\"input_origin\":[1,2]}",
        "{\"input\":[4],\"classes\":0,\"outputs\":1,\"target_origin\":[\"1\"]}",
        "{\"input\":[4],\"classes\":3,\"outputs\":1,\"bin_edge\":[1,2],"
        "\"bin_mean\":[1,2]}",
        "{\"input\":[4],\"classes\":3,\"outputs\":1,\"bin_edge\":[1],"
        "\"bin_mean\":[1,2,3]}",
        "{\"input\":[4],\"classes\":3,\"outputs\":1,\"bin_edge\":[2,1],"
        "\"bin_mean\":[1,2,3]}",
        "{\"input\":[4],\"classes\":3,\"outputs\":1,\"bin_edge\":[1,1],"
        "\"bin_mean\":[1,2,3]}",
        "{\"input\":[4],\"classes\":3,\"outputs\":2,\"bin_edge\":[1,2],"
        "\"bin_mean\":[1,2,3]}",
        "{\"input\":[4],\"classes\":0,\"outputs\":1,\"bin_edge\":[],"
        "\"bin_mean\":[]}",
        "{\"input\":[4],\"classes\":1,\"outputs\":1,\"bin_edge\":[],"
        "\"bin_mean\":[1]}",
        "{\"input\":[4],\"classes\":3,\"outputs\":1,\"bin_edge\":[1,\"2\"],"
        "\"bin_mean\":[1,2,3]}",
        "{\"input\":[4],\"classes\":3,\"outputs\":1,\"bin_edge\":7,"
        "\"bin_mean\":[1,2,3]}",
        "{\"input\":[4],\"classes\":3,\"outputs\":1,\"bin_edge\":[1,1e999],"
        "\"bin_mean\":[1,2,3]}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"bin_edge\":[1]}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"bin_mean\":[1,2]}",
        "{\"input\":[4],\"classes\":0,\"outputs\":1,\"class_count\":[]}",
        "{\"input\":[4],\"classes\":2,\"outputs\":1,\"class_count\":[1,9e18]}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":[]}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":{}}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":[7]}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":\"a\"}]}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":[{\"mean\":1}]}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":7,\"mean\":1}]}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":\"a\",\"mean\":\"1\"}]}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":\"a\",\"mean\":1e999}]}",
        "{\"input\":[2],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":\"a\",\"mean\":1}]}",
        "{\"input\":[1,1],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":\"a\",\"mean\":1}]}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":\"a\",\"mean\":1,"
        "\"categories\":[\"x\"]}]}",
        "{\"input\":[1],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":\"a\","
        "\"categories\":[]}]}",
        "{\"input\":[2],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":\"a\","
        "\"categories\":[\"x\",1]}]}",
        "{\"input\":[3],\"classes\":2,\"outputs\":1,\"columns\":[{\"name\":\"a\","
        "\"categories\":[\"x\",\"y\"]}]}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuses(cases[i]);
}

static void test_cut_at_every_byte(void **state) {
    (void)state;
    char *json = dl_schema_to_json(&table);
    for (size_t length = strlen(json); length-- > 0;) {
        json[length] = '\0';
        refuses(json);
    }
    free(json);
}

/* Whatever one changed byte makes of it: refused, or a schema whose parts fit together. */
static void test_every_changed_byte(void **state) {
    (void)state;
    char *json = dl_schema_to_json(&table);
    size_t length = strlen(json);
    for (size_t i = 0; i < length; i++)
        for (int bit = 0; bit < 8; bit++) {
            dl_error error = {0};
            dl_schema schema;
            json[i] ^= (char)(1 << bit);
            if (json[i] && !dl_schema_from_json(&schema, json, "x", &error)) {
                int64_t elements = 0;
                for (int c = 0; c < schema.columns; c++)
                    elements += schema.column[c].categories ? schema.column[c].categories : 1;
                assert_true(!schema.columns || elements == dl_shape_size(schema.input));
                assert_true(schema.outputs >= 1);
                dl_schema_free(&schema);
            }
            dl_error_clear(&error);
            json[i] ^= (char)(1 << bit);
        }
    free(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_json_and_back),
        cmocka_unit_test(test_class_names),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_every_changed_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

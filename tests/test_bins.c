/* SPDX-License-Identifier: MIT */
/* Targets cut into bins: edges, means and counts worked out by hand, what a batch holds then, and
   that a test file is read by the bins of the training part. */
#include "data_harness.h"

#include "data/bins.h"
#include "data/loader.h"

/* Nine targets in three bins: 1 2 3 | 5 6 7 | 10 20 60. */
static const char train[] = "x,y\n1,7\n2,1\n3,60\n4,3\n5,5\n6,2\n7,20\n8,6\n9,10\n";
static const char test[] = "x,y\n1,-100\n2,3.99\n3,4\n4,8.5\n5,8.4\n6,1000\n";

static void test_by_hand(void **state) {
    (void)state;
    section s;
    save_text("train.csv", train);
    save_text("test.csv", test);
    section_must_open(&s, "format = \"csv\"; train = { file = \"train.csv\"; }; test = { file = "
                          "\"test.csv\"; }; task = \"regression\"; target_bins = 3;");
    const dl_schema *schema = &s.data.schema;
    assert_int_equal(schema->classes, 3);
    assert_int_equal(schema->outputs, 1);
    assert_true(schema->bin_edge[0] == 4 && schema->bin_edge[1] == 8.5);
    assert_true(schema->bin_mean[0] == 2 && schema->bin_mean[1] == 6 && schema->bin_mean[2] == 30);
    assert_string_equal(schema->class_names[0], "below 4");
    assert_string_equal(schema->class_names[1], "4 to 8.5");
    assert_string_equal(schema->class_names[2], "from 8.5");
    static const int64_t counts[2][3] = {{3, 3, 3}, {2, 2, 2}};
    assert_memory_equal(s.data.part[DL_TRAIN].class_count, counts[0], sizeof counts[0]);
    assert_memory_equal(s.data.part[DL_TEST].class_count, counts[1], sizeof counts[1]);
    dl_error error = {0};
    dl_loader *loader = dl_loader_new(&s.data, DL_TEST, 6, &error);
    assert_non_null(loader);
    dl_loader_start(loader, false, 0, 0, 0);
    const dl_batch *batch = dl_loader_next(loader, &error);
    static const float numbers[] = {-100, 3.99f, 4, 8.5f, 8.4f, 1000}, bins[] = {0, 0, 1, 2, 1, 2};
    assert_memory_equal(batch->number, numbers, sizeof numbers);
    assert_memory_equal(batch->y, bins, sizeof bins);
    dl_loader_free(loader);
    section_free(&s);
}

/* Equal targets stay together, above the edge that falls among them. */
static void test_ties(void **state) {
    (void)state;
    section s;
    save_text("train.csv", "x,y\n1,1\n2,5\n3,5\n4,5\n5,5\n6,9\n");
    section_must_open(&s,
                      "format = \"csv\"; train = { file = \"train.csv\"; }; task = \"regression\"; "
                      "target_bins = 2;");
    static const int64_t counts[2] = {1, 5};
    assert_true(s.data.schema.bin_edge[0] == 5);
    assert_memory_equal(s.data.part[DL_TRAIN].class_count, counts, sizeof counts);
    section_free(&s);
}

/* A checkpoint's schema tells the bins; the training file is not looked at. */
static void test_part_alone(void **state) {
    (void)state;
    section s, alone;
    const char *text = "format = \"csv\"; train = { file = \"train.csv\"; }; test = { file = "
                       "\"test.csv\"; }; task = \"regression\"; target_bins = 3;";
    save_text("train.csv", train);
    save_text("test.csv", test);
    section_must_open(&s, text);
    dl_error error = {0};
    char *json = dl_schema_to_json(&s.data.schema);
    dl_schema schema;
    assert_int_equal(dl_schema_from_json(&schema, json, "x", &error), 0);
    unlink("train.csv");
    section_must_read(&alone, text);
    if (dl_data_open_part(&alone.data, DL_TEST, &schema, NULL, NULL, &error))
        fail_msg("%s", dl_text_get(&error.text));
    static const int64_t counts[3] = {2, 2, 2};
    assert_memory_equal(alone.data.part[DL_TEST].class_count, counts, sizeof counts);
    assert_null(alone.data.dataset[DL_TEST].schema.bin_edge);
    assert_int_equal(alone.data.dataset[DL_TEST].schema.classes, 0);
    free(json);
    dl_schema_free(&schema);
    section_free(&alone);
    section_free(&s);
}

static void test_refused(void **state) {
    (void)state;
    save_text("train.csv", "x,y\n1,1\n2,5\n3,5\n4,5\n5,5\n6,9\n");
    section_refuses(
        "format = \"csv\"; train = { file = \"train.csv\"; }; task = \"regression\"; "
        "target_bins = 3;",
        DL_USAGE,
        "c.cfg:2: \"target_bins\" is 3, but the 6 training targets have only "
        "3 distinct values, some so frequent that a bin would be empty: use fewer bins");
    section_refuses("format = \"csv\"; train = { file = \"train.csv\"; }; task = \"regression\"; "
                    "target_bins = 7;",
                    DL_USAGE, "\"target_bins\" is 7, but the training set has only 6 rows");
    section_refuses("format = \"csv\"; train = { file = \"train.csv\"; }; target_bins = 3;",
                    DL_USAGE, "\"target_bins\" is for regression, but the targets are classes");
    section_refuses("format = \"random\"; input = (3); outputs = 2; train = { rows = "
                    "9; }; target_bins = 3;",
                    DL_USAGE, "\"target_bins\" needs a target of one number, but there are 2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_part_alone),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

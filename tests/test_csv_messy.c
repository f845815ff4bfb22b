/* SPDX-License-Identifier: MIT */
/* The csv format: tables as people and spreadsheets write them. */
#include "csv_harness.h"

static void opens(section *o, const char *text, const char *options) {
    save(text);
    must_open(o, options, NULL);
}

static void test_decimal_commas(void **state) {
    (void)state;
    section o;
    opens(&o, "a;b;y\n1,5;1.234;0\n-2,25;1.234,5;1\n3;2;1\n", "delimiter = \";\";");
    ROW(&o, 0, 1.5, 1234, 0);
    ROW(&o, 1, -2.25, 1234.5, 1);
    ROW(&o, 2, 3, 2, 1);
    assert_true(fabs(o.set->schema.column[0].mean - 0.75) < 1e-12);
    char *json = dl_schema_to_json(&o.set->schema);
    dl_schema like;
    assert_int_equal(dl_schema_from_json(&like, json, "x", &o.error), 0);
    free(json);
    section_free(&o);
    save("a;b;y\n1;1.234;0\n"); /* alone it would be 1.234 */
    must_open(&o, "delimiter = \";\";", &like);
    ROW(&o, 0, 1, 1234, 0);
    section_free(&o);
    refuses("a;b;y\n1.5;1;0\n", "delimiter = \";\";", &like, "t.csv:2: column \"a\": \"1.5\"",
            NULL);
    dl_schema_free(&like);
    opens(&o, "a\ty\n0,5\t1,5\n1,5\t2,5\n", "delimiter = \"tab\";");
    ROW(&o, 1, 1.5, 2.5);
    section_free(&o);
    opens(&o, "a,y\n\"1,5\",x\n\"0,123\",z\n", ""); /* quoted, and nothing else is possible */
    ROW(&o, 0, 1.5, 0);
    ROW(&o, 1, 0.123, 1);
    section_free(&o);
    refuses("a;y\n1,5;0\n2.5;1\n", "delimiter = \";\";", NULL,
            "t.csv:2: column \"a\": \"1,5\" has a decimal comma, but others have a point: \"2.5\"",
            NULL);
    refuses("a;y\n1.5;0\n2.5;1\n", "delimiter = \";\"; decimal = \",\";", NULL,
            "t.csv:2: column \"a\": \"1.5\" has a decimal point, but decimal is \",\"", NULL);
    refuses("a,y\n\"1,5\",0\n2,1\n", "decimal = \".\";", NULL,
            "t.csv:2: column \"a\": \"1,5\" has a decimal comma, but decimal is \".\"", NULL);
    refuses("a;b;y\n1,5;1.234;0\n2,5;2.345;1\n", "delimiter = \";\";", NULL,
            "t.csv:2: column \"b\": 2 numbers such as \"1.234\" can be read with",
            "decimal = \",\" or decimal = \".\"");
}

static void test_thousands(void **state) {
    (void)state;
    section o;
    static const char text[] = "a,y\n\"1,234\",0\n\"5,678\",1\n12,1\n";
    refuses(text, "", NULL, "t.csv:2: column \"a\": 2 numbers such as \"1,234\"",
            "decimal = \",\"");
    must_open(&o, "decimal = \".\";", NULL);
    ROW(&o, 0, 1234, 0);
    section_free(&o);
    must_open(&o, "decimal = \",\";", NULL);
    ROW(&o, 0, 1.234, 0);
    section_free(&o);
    opens(&o, "a,b,c,y\n\"1,234,567\",1 234,$5,0\n\"1,000\",12,\"$1,000.50\",1\n", "");
    ROW(&o, 0, 1234567, 1234, 5, 0);
    ROW(&o, 1, 1000, 12, 1000.5, 1);
    section_free(&o);
    opens(&o, "a,y\n5 %,0\n12.5%,1\n", "");
    ROW(&o, 1, 12.5, 1);
    section_free(&o);
    refuses("a,y\n5%,0\n12.5,1\n", "", NULL, "t.csv:2: column \"a\": \"5%\" is in percent",
            "1 of 2");
    refuses("a,y\n$5,0\n\xe2\x82\xac"
            "5,1\n",
            "", NULL, "t.csv:3: column \"a\"", "another unit");
}

static void test_markers(void **state) {
    (void)state;
    static const char *const markers[] = {"NULL", "N/A", "na",  "None", "nil", "-",
                                          ".",    "?",   "nan", "",     "NA",  "#N/A"};
    section o;
    for (size_t i = 0; i < sizeof markers / sizeof *markers; i++) {
        dl_text text = {0};
        dl_text_add(&text, "a,y\n1,0\n%s,1\n5,0\n", markers[i]);
        refuses(text.data, "", NULL, "t.csv:3: column \"a\": the value is missing", markers[i]);
        must_open(&o, "missing = \"mean\";", NULL);
        ROW(&o, 1, 3, 1);
        section_free(&o);
        must_open(&o, "missing = \"drop_row\";", NULL);
        assert_int_equal(o.set->count, 2);
        section_free(&o);
        dl_text_free(&text);
    }
    /* where there are words, markers are words */
    static const char text[] = "c,y\nNone,NA\nbrick,ZA\nNone,NA\n?,NA\n";
    save(text);
    must_open(&o, "missing = \"drop_row\";", NULL);
    assert_int_equal(o.set->count, 3);
    assert_int_equal(o.set->schema.classes, 2);
    assert_string_equal(o.set->schema.class_names[0], "NA");
    assert_int_equal(o.set->schema.column[0].categories, 2);
    ROW(&o, 0, 1, 0, 0);
    ROW(&o, 1, 0, 1, 1);
    dl_schema like = dl_schema_copy(&o.set->schema);
    section_free(&o);
    save("c,y\nNone,NA\n");
    must_open(&o, "", &like);
    ROW(&o, 0, 1, 0, 0);
    section_free(&o);
    dl_schema_free(&like);
    save(text);
    refuses(NULL, "missing_values = (\"None\");", NULL,
            "t.csv:2: column \"c\": the value is missing", "and in 2 more rows");
    save("a,y\n-999,0\n1,0\n3,1\n");
    must_open(&o, "missing_values = (\"-999\"); missing = \"mean\";", NULL);
    ROW(&o, 0, 2, 0);
    section_free(&o);
}

/* Half of a column's values and more are numbers, and different ones: the others are no categories.
 */
static void test_mostly_numbers(void **state) {
    (void)state;
    dl_text text = {0};
    dl_text_add(&text, "a,y\n");
    for (int i = 0; i < 60; i++)
        dl_text_add(&text, i % 2 ? "%d.5,%d\n" : "n.b.,%d\n", i % 2 ? i : i / 2 % 2, i / 2 % 2);
    refuses(text.data, "", NULL,
            "t.csv:2: column \"a\": \"n.b.\" is not a number (nor are 29 more)",
            "missing_values = (\"n.b.\")");
    section o;
    must_open(&o, "missing_values = (\"n.b.\"); missing = \"mean\";", NULL);
    assert_int_equal(o.set->schema.column[0].categories, 0);
    section_free(&o);
    dl_text_free(&text);
}

static void test_trailing_delimiters(void **state) {
    (void)state;
    static const char *const texts[] = {"a,b,y,\n1,2,0,\n3,4,1,\n", "a,b,y\n1,2,0,\n3,4,1,\n",
                                        "a,b,y,\n1,2,0\n3,4,1,\n"};
    section o;
    for (int i = 0; i < 3; i++) {
        opens(&o, texts[i], "");
        assert_string_equal(o.set->schema.target_name, "y");
        ROW(&o, 1, 3, 4, 1);
        section_free(&o);
    }
    opens(&o, "1,2,0,\n3,4,1,\n", "header = false;");
    ROW(&o, 1, 3, 4, 1);
    section_free(&o);
    opens(&o, "a,b,\n1,2,\n3,4,1\n", "missing = \"drop_row\";"); /* it has a value: a column */
    assert_string_equal(o.set->schema.target_name, "3");
    assert_int_equal(o.set->count, 1);
    section_free(&o);
    refuses("a,b,y\n1,2,0,5\n", "", NULL, "t.csv:2: has 4 fields", NULL);
}

static void test_unknown(void **state) {
    (void)state;
    section o;
    opens(&o, "c,y\nu,a\nv,b\n", "");
    dl_schema like = dl_schema_copy(&o.set->schema);
    section_free(&o);
    refuses("c,y\nw,a\n", "", &like, "no category \"w\"", "unknown = \"ignore\"");
    must_open(&o, "unknown = \"ignore\";", &like);
    ROW(&o, 0, 0, 0, 0);
    section_free(&o);
    refuses("c,y\nu,w\n", "unknown = \"ignore\";", &like, "no class \"w\"", NULL);
    dl_schema_free(&like);
}

/* What is wrong with rows, values and columns is reported in one run. */
static void test_all_at_once(void **state) {
    (void)state;
    section o;
    save("a,b,c,y\n1,,1.5,0\n2\n,5,\"1,5\",1\n3,4\n");
    assert_int_not_equal(open_table(&o, "", NULL), 0);
    SAYS(&o, "t.csv:3: has 1 field", "t.csv:5: has 2 fields");
    SAYS(&o, "t.csv:2: column \"b\": the value is missing", "t.csv:4: column \"a\"");
    SAYS(&o, "t.csv:4: column \"c\": \"1,5\" has a decimal comma", NULL);
    section_free(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimal_commas),
        cmocka_unit_test(test_thousands),
        cmocka_unit_test(test_markers),
        cmocka_unit_test(test_mostly_numbers),
        cmocka_unit_test(test_trailing_delimiters),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_all_at_once),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

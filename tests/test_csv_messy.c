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
    refuses(text.data, "", NULL, "t.csv:2: column \"a\": \"n.b.\" is not a number (and 29 more)",
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
        assert_string_equal(o.set->schema.target_name[0], "y");
        ROW(&o, 1, 3, 4, 1);
        section_free(&o);
    }
    opens(&o, "1,2,0,\n3,4,1,\n", "header = false;");
    ROW(&o, 1, 3, 4, 1);
    section_free(&o);
    opens(&o, "a,b,\n1,2,\n3,4,1\n", "missing = \"drop_row\";"); /* it has a value: a column */
    assert_string_equal(o.set->schema.target_name[0], "3");
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

static void must_note(const section *o, const char *words) {
    if (!strstr(dl_text_get(&o->set->notes), words))
        fail_msg("\"%s\" is not in: %s", words, dl_text_get(&o->set->notes));
}

/* What was guessed is said, and what each column has become. */
static void test_notes(void **state) {
    (void)state;
    section o;
    dl_text text = {0};
    dl_text_add(&text, "id,x,doors,day,c,y,\n");
    for (int i = 0; i < 60; i++)
        dl_text_add(&text, "%d,%d.5,%s,2020-01-%02d,%s,%d,\n", i + 7, i * i % 7,
                    i % 3 ? "2" : "5more", i % 5 + 1, i % 2 ? "None" : "a", i % 2);
    opens(&o, text.data, "");
    must_note(&o, "\"id\": integers that are all different: an identifier? ignore = (\"id\")");
    must_note(&o, "\"doors\": 40 numbers and 20 other values (\"5more\", line 2) are taken for 2 ");
    must_note(&o, "\"day\": dates or times (\"2020-01-01\") are taken for 5 categories");
    must_note(&o, "\"c\": \"None\" (30 rows) is a category like others");
    must_note(&o, "the last column has no name and no values");
    assert_null(strstr(dl_text_get(&o.set->notes), "\"x\""));
    assert_string_equal(dl_text_get(&o.set->columns),
                        "\"id\": number, 7 to 66\n\"x\": number, 0.5 to 4.5\n"
                        "\"doors\": 2 categories (2, 5more)\n"
                        "\"day\": 5 categories (2020-01-01, 2020-01-02, 2020-01-03, 2020-01-04, "
                        "2020-01-05)\n\"c\": 2 categories (None, a)\n"
                        "\"y\": target, 2 classes (0, 1)\n\"7\": ignored\n");
    section_free(&o);
    must_open(&o, "categorical = (\"doors\"); ignore = (\"id\");", NULL);
    assert_null(strstr(dl_text_get(&o.set->notes), "\"doors\""));
    assert_null(strstr(dl_text_get(&o.set->notes), "\"id\""));
    section_free(&o);
    dl_text_free(&text);
    dl_text units = {0};
    dl_text_add(&units, "a,y\n");
    for (int i = 0; i < 60; i++)
        dl_text_add(&units, "%d.5 kg,%d\n", i % 25, i % 2);
    opens(&o, units.data, "");
    must_note(&o, "\"a\": values that begin with a number (\"0.5 kg\", line 2) are taken for 25");
    section_free(&o);
    dl_text_free(&units);
    opens(&o, "a,y\n1,0\n,1\n2,1,\n", "missing = \"drop_row\";");
    must_note(&o, "1 row with missing values dropped (line 3)");
    must_note(&o, "1 rows end with a delimiter (line 4)");
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
        cmocka_unit_test(test_notes),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

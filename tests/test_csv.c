/* SPDX-License-Identifier: MIT */
/* The csv format: what the columns of a table are taken for. */
#include "csv_harness.h"

/* ---- columns ---- */

static void test_numbers_and_classes(void **state) {
    (void)state;
    section o;
    save("a,b,kind\n1,2.5,dog\n-3,1e2,cat\n0,.5,dog\n");
    must_open(&o, "", NULL);
    const dl_schema *schema = &o.set->schema;
    assert_int_equal(o.set->count, 3);
    assert_int_equal(schema->input.rank, 1);
    assert_int_equal(schema->classes, 2);
    assert_int_equal(schema->outputs, 1);
    assert_string_equal(schema->class_names[0], "cat");
    assert_string_equal(schema->class_names[1], "dog");
    assert_string_equal(schema->target_name[0], "kind");
    assert_int_equal(schema->columns, 2);
    assert_string_equal(schema->column[1].name, "b");
    assert_int_equal(schema->column[1].categories, 0);
    assert_true(fabs(schema->column[0].mean + 2.0 / 3) < 1e-12);
    assert_false(o.set->bytes);
    ROW(&o, 0, 1, 2.5, 1);
    ROW(&o, 1, -3, 100, 0);
    ROW(&o, 2, 0, 0.5, 1);
    section_free(&o);
}

static void test_one_hot(void **state) {
    (void)state;
    section o;
    save("doors,size,y\n5more,big,0.5\n2,small,1.5\n4,big,2\n2,\"a, \"\"b\"\"\",3\n");
    must_open(&o, "", NULL);
    const dl_schema *schema = &o.set->schema;
    assert_int_equal(schema->classes, 0);
    assert_int_equal(schema->column[0].categories, 3); /* 2 4 5more */
    assert_int_equal(schema->column[1].categories, 3); /* a, "b"; big; small */
    assert_string_equal(schema->column[0].category[2], "5more");
    assert_string_equal(schema->column[1].category[0], "a, \"b\"");
    ROW(&o, 0, 0, 0, 1, 0, 1, 0, 0.5);
    ROW(&o, 1, 1, 0, 0, 0, 0, 1, 1.5);
    ROW(&o, 2, 0, 1, 0, 0, 1, 0, 2);
    ROW(&o, 3, 1, 0, 0, 1, 0, 0, 3);
    section_free(&o);
}

static void test_target(void **state) {
    (void)state;
    static const struct {
        const char *options, *name;
        double first;
    } cases[] = {
        {"", "c", 3.5},
        {"target = \"a\";", "a", 1.5},
        {"target = \"2\";", "b", 2.5},
        {"target = 2;", "b", 2.5},
        {"ignore = (\"c\");", "b", 2.5},
        {"target = \"c\"; ignore = (\"1\");", "c", 3.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        section o;
        save("a,b,c\n1.5,2.5,3.5\n4,5,6\n");
        must_open(&o, cases[i].options, NULL);
        float y;
        assert_string_equal(o.set->schema.target_name[0], cases[i].name);
        assert_int_equal(o.set->type->read(o.set, 0, NULL, &y, &o.error), 0);
        assert_true(y == (float)cases[i].first);
        section_free(&o);
    }
    refuses(NULL, "target = \"d\";", NULL, "c.cfg:2: target: t.csv has no column \"d\"", NULL);
    refuses(NULL, "target = 4;", NULL, "no column \"4\"", "(it has 3)");
    refuses(NULL, "target = 0;", NULL, "no column \"0\"", NULL);
    refuses(NULL, "ignore = (\"x\", \"z\");", NULL, "ignore: t.csv has no column \"x\"", "\"z\"");
    refuses(NULL, "categorical = (\"9\");", NULL, "categorical: t.csv has no column \"9\"", NULL);
    refuses(NULL, "target = \"a\"; ignore = (\"a\");", NULL, "must not be ignored", NULL);
    refuses(NULL, "ignore = (\"a\", \"b\");", NULL, "no column beside the target", NULL);
    refuses(NULL, "delimiter = \";\";", NULL, "no column beside the target", "delimiter");
    refuses("length,width,species\n1,2,x\n", "target = \"specis\";", NULL,
            "(did you mean \"species\"?)", NULL);
}

static void test_task(void **state) {
    (void)state;
    section o;
    save("x,y\n1,0\n2,1.0\n3,10\n4,9\n");
    must_open(&o, "", NULL);
    assert_int_equal(o.set->schema.classes, 4);
    assert_string_equal(o.set->schema.class_names[1], "1");
    assert_string_equal(o.set->schema.class_names[3], "10"); /* as numbers, not as words */
    ROW(&o, 1, 2, 1);
    ROW(&o, 2, 3, 3);
    section_free(&o);
    must_open(&o, "task = \"regression\";", NULL);
    assert_int_equal(o.set->schema.classes, 0);
    ROW(&o, 2, 3, 10);
    section_free(&o);
    save("x,y\n1,0.5\n2,1\n3,0.5\n");
    must_open(&o, "", NULL);
    assert_int_equal(o.set->schema.classes, 0);
    section_free(&o);
    must_open(&o, "task = \"classification\";", NULL);
    assert_int_equal(o.set->schema.classes, 2);
    section_free(&o);
    must_open(&o, "categorical = (\"y\");", NULL);
    assert_int_equal(o.set->schema.classes, 2);
    section_free(&o);
    for (int most = 20; most <= 21; most++) { /* 20 whole numbers are classes, 21 are not */
        dl_text text = {0};
        dl_text_add(&text, "x,y\n");
        for (int i = 0; i < 200; i++)
            dl_text_add(&text, "%d,%d\n", i, i % most);
        save(text.data);
        dl_text_free(&text);
        must_open(&o, "", NULL);
        assert_int_equal(o.set->schema.classes, most == 20 ? 20 : 0);
        section_free(&o);
    }
    refuses("x,y\n1,a\n2,b\n3,5\n", "task = \"regression\";", NULL,
            "t.csv:2: column \"y\": \"a\" is not a number", "regression");
}

static void test_categorical(void **state) {
    (void)state;
    section o;
    save("zip,x,y\n10,1,0\n9,2,1\n9,3,1\n");
    must_open(&o, "categorical = (\"zip\", \"2\");", NULL);
    assert_int_equal(o.set->schema.column[0].categories, 2);
    assert_string_equal(o.set->schema.column[0].category[0], "9");
    assert_int_equal(o.set->schema.column[1].categories, 3);
    ROW(&o, 0, 0, 1, 1, 0, 0, 0);
    section_free(&o);
}

static void test_without_header(void **state) {
    (void)state;
    section o;
    save("1,x,5.5\n2,y,6.5\n");
    must_open(&o, "header = false;", NULL);
    assert_int_equal(o.set->count, 2);
    assert_string_equal(o.set->schema.column[1].name, "2");
    assert_string_equal(o.set->schema.target_name[0], "3");
    ROW(&o, 0, 1, 1, 0, 5.5);
    section_free(&o);
    refuses(NULL, "header = false; target = \"y\";", NULL, "no column \"y\"", "1 to 3");
    save("a,,c\n1,2,3\n4,5,6\n"); /* a column without a name is called by its number */
    must_open(&o, "", NULL);
    assert_string_equal(o.set->schema.column[1].name, "2");
    section_free(&o);
}

static void test_delimiters(void **state) {
    (void)state;
    static const char *const options[] = {"delimiter = \";\";", "delimiter = \"tab\";",
                                          "delimiter = \"\\t\";", "delimiter = \"\\\\t\";",
                                          "delimiter = \" \";"};
    static const char *const texts[] = {"a;b\n1,5;2\n", "a\tb\n1\t2\n", "a\tb\n1\t2\n",
                                        "a\tb\n1\t2\n", "a b\n1 2\n"};
    for (int i = 0; i < 5; i++) {
        section o;
        save(texts[i]);
        must_open(&o, options[i], NULL);
        assert_int_equal(o.set->schema.columns, 1);
        assert_string_equal(o.set->schema.target_name[0], "b");
        section_free(&o);
    }
    refuses("a,b\n1,2\n", "delimiter = \"\";", NULL, "c.cfg:2: delimiter", "one character");
    refuses("a,b\n1,2\n", "delimiter = \"::\";", NULL, "delimiter", "\"::\"");
    refuses("a,b\n1,2\n", "delimiter = \"\\\"\";", NULL, "delimiter", NULL);
}

/* ---- missing values ---- */

static void test_missing(void **state) {
    (void)state;
    static const char text[] = "a,c,y\n1,u,0\n,v,1\n3,?,0\nNaN,u,1\n8,v,NA\n";
    section o;
    refuses(text, "", NULL, "t.csv:3: column \"a\": the value is missing, and in 1 more row;",
            "drop_row");
    refuses(text, "", NULL, "t.csv:4: column \"c\": the value is missing (\"?\");", NULL);
    refuses(text, "missing = \"mean\";", NULL, "t.csv:6: column \"y\": the value is missing",
            "only missing = \"drop_row\"");
    must_open(&o, "missing = \"drop_row\";", NULL);
    assert_int_equal(o.set->count, 1);
    assert_int_equal(o.set->schema.classes, 1); /* what is only in rows left out does not count */
    assert_int_equal(o.set->schema.column[1].categories, 1);
    section_free(&o);
}

static void test_missing_mean(void **state) {
    (void)state;
    section o;
    save("a,c,y\n1,u,0.5\n,v,1\n3,?,0\nNaN,u,1\n8,v,2\n");
    must_open(&o, "missing = \"mean\";", NULL);
    assert_int_equal(o.set->count, 5);
    assert_true(o.set->schema.column[0].mean == 4);
    ROW(&o, 1, 4, 0, 1, 1);
    ROW(&o, 2, 3, 0, 0, 0);
    ROW(&o, 3, 4, 1, 0, 1);
    dl_schema like = dl_schema_copy(&o.set->schema);
    section_free(&o);
    like.column[0].mean = -7; /* another file's missing values become the training file's mean */
    save("a,c,y\n100,u,1\n,u,1\n");
    must_open(&o, "missing = \"mean\";", &like);
    ROW(&o, 1, -7, 1, 0, 1);
    section_free(&o);
    refuses(NULL, "", &like, "t.csv:3: column \"a\": the value is missing", NULL);
    dl_schema_free(&like);
    refuses("a,b,y\n,1,0\n,2,1\n", "missing = \"mean\";", NULL, "column \"a\" has no values at all",
            NULL);
    refuses("a,y\n,0\n,1\n", "missing = \"drop_row\";", NULL, "no rows without a missing value",
            NULL);
}

/* ---- real data ---- */

static void open_real(section *o, const char *name) {
    char *path = dl_path_find_data(name, NULL, NULL);
    if (!path)
        skip();
    free(path);
    dl_text text = {0};
    dl_text_add(&text, "format = \"csv\"; train = { file = \"%s\"; };", name);
    section_must_open(o, text.data);
    dl_text_free(&text);
}

static void test_concrete(void **state) {
    (void)state;
    static const double means[] = {281.17, 73.90, 54.19, 181.57, 6.20, 972.92, 773.58, 45.66};
    section o;
    open_real(&o, "concrete/concrete.csv");
    assert_int_equal(o.set->count, 1030);
    assert_int_equal(o.set->schema.classes, 0);
    assert_int_equal(o.set->schema.columns, 8);
    for (int i = 0; i < 8; i++)
        assert_true(fabs(o.set->schema.column[i].mean - means[i]) < 0.00501);
    section_free(&o);
}

static void test_car(void **state) {
    (void)state;
    static const int64_t counts[] = {384, 69, 1210, 65}; /* acc good unacc vgood */
    section o;
    open_real(&o, "car/car.csv");
    assert_int_equal(o.set->count, 1728);
    assert_int_equal(dl_shape_size(o.set->schema.input), 21);
    for (int c = 0; c < 4; c++)
        assert_int_equal(o.data.part[DL_TRAIN].class_count[c], counts[c]);
    section_free(&o);
}

static void test_iris(void **state) {
    (void)state;
    static const double means[] = {5.843, 3.057, 3.758, 1.199};
    section o;
    open_real(&o, "iris/iris.csv");
    assert_int_equal(o.set->count, 150);
    assert_int_equal(o.set->schema.classes, 3);
    assert_string_equal(o.set->schema.class_names[1], "versicolor");
    for (int c = 0; c < 3; c++)
        assert_int_equal(o.data.part[DL_TRAIN].class_count[c], 50);
    for (int i = 0; i < 4; i++)
        assert_true(fabs(o.set->schema.column[i].mean - means[i]) < 0.000501);
    ROW(&o, 0, 5.1, 3.5, 1.4, 0.2, 0);
    section_free(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_and_classes),
        cmocka_unit_test(test_one_hot),
        cmocka_unit_test(test_target),
        cmocka_unit_test(test_task),
        cmocka_unit_test(test_categorical),
        cmocka_unit_test(test_without_header),
        cmocka_unit_test(test_delimiters),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_missing_mean),
        cmocka_unit_test(test_concrete),
        cmocka_unit_test(test_car),
        cmocka_unit_test(test_iris),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

/* SPDX-License-Identifier: MIT */
/* The csv format: dates, several targets, weights and merged classes. */
#include "csv_harness.h"
#include "formats/csv.h"

/* ---- dates ---- */

static void test_date(void **state) {
    (void)state;
    static const struct {
        const char *field;
        char order;
        double part[DL_DATE_PARTS];
    } good[] = {
        {"2024-05-01", 0, {2024, 5, 1, 3, 0}}, /* a Wednesday */
        {"2024-05-01T12:30:00", 0, {2024, 5, 1, 3, 45000}},
        {"2024-05-01T12:30:00Z", 0, {2024, 5, 1, 3, 45000}},
        {"2024-05-01T12:30:00+02:00", 0, {2024, 5, 1, 3, 45000}},
        {"2024-05-01T12:30-0930", 0, {2024, 5, 1, 3, 45000}},
        {"2024-05-01 12:30:00+05", 0, {2024, 5, 1, 3, 45000}},
        {"2024-05-01 23:59:59.25", 0, {2024, 5, 1, 3, 86399.25}},
        {"20240501", 0, {2024, 5, 1, 3, 0}},
        {"20240501T0:05", 0, {2024, 5, 1, 3, 300}},
        {"2024/5/1", 0, {2024, 5, 1, 3, 0}},
        {"31.12.2024", 0, {2024, 12, 31, 2, 0}},
        {"1.5.2024 7:00", 0, {2024, 5, 1, 3, 25200}},
        {"31/12/2024", 'd', {2024, 12, 31, 2, 0}},
        {"12/31/2024", 'm', {2024, 12, 31, 2, 0}},
        {"03-04-2024", 'd', {2024, 4, 3, 3, 0}},
        {"03-04-2024", 'm', {2024, 3, 4, 1, 0}},
        {"05/05/2024", 0, {2024, 5, 5, 7, 0}}, /* the same in both orders; a Sunday */
        {"2/29/2000 2:30 PM", 'm', {2000, 2, 29, 2, 52200}},
        {"2/29/2000 12:01 am", 'm', {2000, 2, 29, 2, 60}},
        {"1970-01-01", 0, {1970, 1, 1, 4, 0}},
        {"1900-01-01", 0, {1900, 1, 1, 1, 0}},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double part[DL_DATE_PARTS];
        if (dl_csv_date(good[i].field, good[i].order, part) != DL_CSV_DATE)
            fail_msg("%s was not read", good[i].field);
        for (int k = 0; k < DL_DATE_PARTS; k++)
            if (part[k] != good[i].part[k])
                fail_msg("%s: part %d is %g, not %g", good[i].field, k, part[k], good[i].part[k]);
    }
    static const struct {
        const char *field;
        dl_csv_date_type type;
    } bad[] = {
        {"2024-02-30", DL_CSV_WRONG_DATE},
        {"2023-02-29", DL_CSV_WRONG_DATE},
        {"1900-02-29", DL_CSV_WRONG_DATE},
        {"2024-13-01", DL_CSV_WRONG_DATE},
        {"2024-00-10", DL_CSV_WRONG_DATE},
        {"31.04.2024", DL_CSV_WRONG_DATE},
        {"45/01/2024", DL_CSV_WRONG_DATE},
        {"13/13/2024", DL_CSV_WRONG_DATE},
        {"2024-05-01 24:00", DL_CSV_WRONG_DATE},
        {"2024-05-01 10:60", DL_CSV_WRONG_DATE},
        {"2024-05-01 13:00 PM", DL_CSV_WRONG_DATE},
        {"03/04/2024", DL_CSV_ANY_ORDER},
        {"31/12/2024", DL_CSV_DAY_FIRST},
        {"12-31-2024", DL_CSV_MONTH_FIRST},
        {"", DL_CSV_NO_DATE},
        {"soon", DL_CSV_NO_DATE},
        {"1.2.24", DL_CSV_NO_DATE},
        {"2024-05", DL_CSV_NO_DATE},
        {"2024-05.01", DL_CSV_NO_DATE},
        {"12:30", DL_CSV_NO_DATE},
        {"2024-05-01x", DL_CSV_NO_DATE},
        {"2024-05-01 12", DL_CSV_NO_DATE},
        {"2024-05-01T12:30+", DL_CSV_NO_DATE},
        {"2024-05-01T12:30+1", DL_CSV_NO_DATE},
        {"2024-05-01T12:30Z ", DL_CSV_NO_DATE},
        {"202405011", DL_CSV_NO_DATE},
        {"12345678901-1-1", DL_CSV_NO_DATE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double part[DL_DATE_PARTS];
        dl_csv_date_type type = dl_csv_date(bad[i].field, 0, part);
        if (type != bad[i].type)
            fail_msg("\"%s\" is %d, not %d", bad[i].field, (int)type, (int)bad[i].type);
    }
}

static void test_date_column(void **state) {
    (void)state;
    section o, later;
    save("a,when,y\n1,2024-05-01T00:00:10,0.5\n2,,1.5\n3,2025-05-03T00:00:30,2.5\n");
    must_open(&o, "dates = (\"when\"); missing = \"mean\";", NULL);
    const dl_schema *schema = &o.set->schema;
    assert_int_equal(schema->columns, 6);
    assert_string_equal(schema->column[1].name, "when.year");
    assert_string_equal(schema->column[5].name, "when.seconds");
    ROW(&o, 0, 1, 2024, 5, 1, 3, 10, 0.5);
    ROW(&o, 1, 2, 2024.5, 5, 2, 4.5, 20, 1.5); /* the means of the parts */
    ROW(&o, 2, 3, 2025, 5, 3, 6, 30, 2.5);
    assert_non_null(
        strstr(dl_text_get(&o.set->columns), "\"when\": date, 2024-05-01 to 2025-05-03: 5 inputs"));
    save("y,when,a\n0.5,2024-12-31,7\n1,,8\n");
    must_open(&later, "dates = (\"when\"); missing = \"mean\";", schema);
    ROW(&later, 0, 7, 2024, 12, 31, 2, 0, 0.5);
    ROW(&later, 1, 8, 2024.5, 5, 2, 4.5, 20, 1);
    section_free(&later);
    refuses("y,when,a\n0.5,2024-12-32,7\n1,x,8\n1,03/04/2024,8\n", "", schema,
            "t.csv:2: column \"when\": \"2024-12-32\" is a day or time that does not exist",
            "t.csv:3: column \"when\": \"x\" is not a date");
    refuses(NULL, "", schema, "t.csv:4: column \"when\": \"03/04/2024\" can be read",
            "date_order = \"dmy\"");
    refuses("y,a\n0.5,7\n", "", schema, "no column \"when\", which the training data has", NULL);
    section_free(&o);
}

static void test_date_order(void **state) {
    (void)state;
    section o, later;
    save("when,y\n03/04/2024,0.5\n31/12/2024,1.5\n");
    must_open(&o, "dates = (\"when\");", NULL);
    ROW(&o, 0, 2024, 4, 3, 3, 0, 0.5); /* the second row tells the order */
    save("when,y\n03/04/2024,0.5\n");
    must_open(&later, "", &o.set->schema); /* which later files have, too */
    ROW(&later, 0, 2024, 4, 3, 3, 0, 0.5);
    section_free(&later);
    section_free(&o);
    must_open(&o, "dates = \"when\"; date_order = \"mdy\";", NULL);
    ROW(&o, 0, 2024, 3, 4, 1, 0, 0.5);
    section_free(&o);
    refuses("when,y\n03/04/2024,0.5\n05/05/2024,1.5\n04/04/2024,2.5\n02/01/2024,1\n",
            "dates = (1);", NULL,
            "t.csv:2: column \"when\": \"03/04/2024\" (and 1 more) can be read",
            "date_order = \"dmy\" or date_order = \"mdy\"");
    refuses(
        "when,y\n13/04/2024,0.5\n05/05/2024,1.5\n04/14/2024,2.5\n", "dates = (1);", NULL,
        "t.csv:4: column \"when\": \"04/14/2024\" has the month first, but \"13/04/2024\" in line "
        "2 the day",
        NULL);
    refuses("when,y\n2024-02-28,0.5\n2024-02-30,1.5\n", "dates = (\"when\");", NULL,
            "t.csv:3: column \"when\": \"2024-02-30\" is a day or time that does not exist", NULL);
    refuses(NULL, "dates = (\"y\");", NULL, "the target, \"y\", cannot be a date", NULL);
    refuses(NULL, "dates = (\"whe\");", NULL, "dates: t.csv has no column \"whe\"", "\"when\"");
    refuses(NULL, "dates = (1); categorical = (1);", NULL, "both in categorical and dates", NULL);
    dl_text text = {0};
    dl_text_add(&text, "when,y\n");
    for (int i = 0; i < 60; i++)
        dl_text_add(&text, "2024-%02d-%02d,%d.5\n", 1 + i / 28, 1 + i % 28, i);
    refuses(text.data, "", NULL, "column \"when\" has another value in each row", "in `dates`");
    dl_text_free(&text);
}

/* ---- several targets ---- */

static void test_targets(void **state) {
    (void)state;
    section o, later;
    save("b;x;a\n1;2;3,5\n0;5;6,25\n1;8;9\n");
    must_open(&o, "delimiter = \";\"; target = (\"a\", 1);", NULL);
    const dl_schema *schema = &o.set->schema;
    assert_int_equal(schema->classes, 0);
    assert_int_equal(schema->outputs, 2);
    assert_int_equal(schema->targets, 2);
    assert_string_equal(schema->target_name[0], "a");
    assert_string_equal(schema->target_name[1], "b");
    assert_string_equal(schema->target_decimal, ",.");
    ROW(&o, 0, 2, 3.5, 1);
    ROW(&o, 1, 5, 6.25, 0);
    save("x;b;c;a\n1;2;0;0,5\n");
    must_open(&later, "delimiter = \";\"; target = (\"a\", \"b\");", schema);
    ROW(&later, 0, 1, 0.5, 2);
    section_free(&later);
    refuses("x;a\n1;2\n", "delimiter = \";\";", schema,
            "no column \"b\", which the training data has as its target", NULL);
    section_free(&o);
    refuses("a,b,c\n1,u,2\n2,v,3\n", "target = (\"b\", \"c\");", NULL,
            "t.csv:2: column \"b\": \"u\" is not a number", "several targets must be numbers");
    refuses(NULL, "target = (\"c\", \"c\");", NULL, "\"c\", is named twice", NULL);
    refuses(NULL, "target = (\"c\", \"d\");", NULL, "target: t.csv has no column \"d\"", NULL);
    refuses(NULL, "target = (\"a\", \"c\"); task = \"classification\";", NULL,
            "several targets are numbers", NULL);
    refuses(NULL, "target = (\"a\", \"c\"); categorical = (\"a\");", NULL, "cannot be categorical",
            NULL);
}

/* ---- weights ---- */

static void test_weights(void **state) {
    (void)state;
    section o, later;
    save("w,x,y\n2,1,0.5\n0,2,1.5\n0.25,3,2.5\n");
    must_open(&o, "weight = \"w\";", NULL);
    assert_int_equal(dl_shape_size(o.set->schema.input), 1);
    assert_true(o.set->weight[0] == 2 && o.set->weight[1] == 0 && o.set->weight[2] == 0.25f);
    ROW(&o, 2, 3, 2.5);
    save("x,y,w\n1,0.5,0\n2,1.5,7\n");
    must_open(&later, "weight = \"w\";", &o.set->schema);
    assert_true(later.set->weight[1] == 7);
    section_free(&later);
    refuses("x,y,w\n1,0.5,1\n2,1.5,-7\n3,2,x\n", "weight = \"w\";", &o.set->schema,
            "t.csv:3: column \"w\": a weight must not be negative: -7",
            "t.csv:4: column \"w\": \"x\" is not a number");
    refuses("x,y\n1,0.5\n", "weight = \"w\";", &o.set->schema, "weight: t.csv has no column \"w\"",
            NULL);
    section_free(&o);
    save("w,x,y\n2,1,0.5\n,2,1.5\n3,3,2.5\n");
    must_open(&o, "weight = \"w\"; missing = \"drop_row\";", NULL);
    assert_int_equal(o.set->count, 2);
    assert_true(o.set->weight[1] == 3);
    section_free(&o);
    refuses("w,x,y\n2,1,0.5\n-1,2,1.5\n", "weight = 1;", NULL,
            "t.csv:3: column \"w\": a weight must not be negative: -1", NULL);
    refuses("w,x,y\n0,1,0.5\n0,2,1.5\n", "weight = 1;", NULL, "all 2 weights are 0", NULL);
    refuses("w,x,y\n2,1,0.5\n,2,1.5\n", "weight = 1; missing = \"mean\";", NULL,
            "t.csv:3: column \"w\": the value is missing", "for a weight only");
    refuses("w,x,y\n2,1,0.5\nz,2,1.5\n", "weight = 1;", NULL,
            "t.csv:3: column \"w\": \"z\" is not a number", "weight");
    refuses(NULL, "target = 3; weight = 3;", NULL, "the target, \"y\", cannot be the weight", NULL);
    refuses(NULL, "weight = 1; group = 1;", NULL, "both group and weight", NULL);
    refuses(NULL, "group = \"u\";", NULL, "group: t.csv has no column \"u\"", NULL);
}

/* ---- merged classes ---- */

static void test_merge(void **state) {
    (void)state;
    section o, later;
    const char *vehicle = "merge = ( { into = \"vehicle\"; classes = (\"car\", \"truck\"); } );";
    save("x,y\n1,truck\n2,cat\n3,car\n4,ant\n");
    must_open(&o, vehicle, NULL);
    assert_int_equal(o.set->schema.classes, 3);
    assert_string_equal(o.set->schema.class_names[2], "vehicle");
    ROW(&o, 0, 1, 2);
    ROW(&o, 2, 3, 2);
    ROW(&o, 3, 4, 0);
    save("x,y\n1,car\n2,vehicle\n3,cat\n");
    must_open(&later, vehicle, &o.set->schema);
    ROW(&later, 0, 1, 2);
    ROW(&later, 1, 2, 2);
    section_free(&later);
    section_free(&o);
    save("x,y\n1,0.0\n2,1\n3,2\n4,3.0\n");
    must_open(&o, "merge = ( { into = \"even\"; classes = (0, 2); } );", NULL);
    assert_int_equal(o.set->schema.classes, 3);
    ROW(&o, 0, 1, 2);
    ROW(&o, 2, 3, 2);
    ROW(&o, 3, 4, 1);
    section_free(&o);
    refuses("x,y\n1,truck\n2,cat\n3,car\n",
            "merge = ( { into = \"v\"; classes = (\"trucks\"); } );", NULL,
            "c.cfg:2: merge: the training data has no class \"trucks\"", "\"truck\"");
    refuses("x,y\n1,1.5\n2,2\n3,3\n", "merge = ( { into = \"v\"; classes = (1, 2); } );", NULL,
            "merge is for classes, but the target \"y\" is a number", NULL);
}

/* ---- all problems at once ---- */

static void test_all_at_once(void **state) {
    (void)state;
    section o;
    save("k,x,y\nu,1,0.5\nv,2,1.5\n");
    must_open(&o, "", NULL);
    const char *faulty = "k,x,y\nz,1,0.5\nu,1\nv,q,1\nw,2,\n";
    refuses(faulty, "", &o.set->schema, "t.csv:3: has 2 fields",
            "t.csv:2: column \"k\": the training data has no category \"z\"");
    refuses(NULL, "", &o.set->schema, "t.csv:4: column \"x\": \"q\" is not a number",
            "t.csv:5: column \"k\": the training data has no category \"w\"");
    refuses(NULL, "", &o.set->schema, "t.csv:5: column \"y\": the value is missing", NULL);
    section later;
    save("k,x,y\nz,1,0.5\nu,1,2\nw,1,3\n");
    must_open(&later, "unknown = \"ignore\";", &o.set->schema);
    ROW(&later, 0, 0, 0, 1, 0.5);
    assert_non_null(strstr(dl_text_get(&later.set->notes),
                           "t.csv: column \"k\": 2 values the training data does not have (\"z\", "
                           "line 2)"));
    section_free(&later);
    section_free(&o);
    refuses("x;y\n1,5;2\n1,5;2;3\n2,5;z\n2,5;1\n2,5;2\n2,5;2\n",
            "delimiter = \";\"; task = "
            "\"regression\";",
            NULL, "t.csv:3: has 3 fields", "t.csv:4: column \"y\": \"z\"");
}

/* ---- what looks like something else than it is taken for ---- */

static void notes(const char *text, const char *options, const char *words) {
    section o;
    save(text);
    must_open(&o, options, NULL);
    const char *said = dl_text_get(&o.set->notes);
    if (words ? !strstr(said, words) : *said != 0)
        fail_msg("\"%s\" is not \"%s\"", said, words ? words : "");
    section_free(&o);
}

static void test_notes(void **state) {
    (void)state;
    notes("x,y\n1,yes\n2,Yes\n3,no\n", "", "\"y\": \"Yes\" and \"yes\" are two classes (merge");
    notes("x,y\nyes,1\n\"yes \",2\nno,3\n", "", "\"x\": \"yes\" and \"yes \" are two categories");
    notes("x,y\nyes,1\nyess,2\nno,3\n", "", NULL);
    notes("zip,y\n01234,1\n20000,2\n", "",
          "\"zip\": 1 value with leading zeros (\"01234\") are read as numbers");
    notes("zip,y\n0.5,1\n0,2\n", "", NULL);
    notes("zip,y\n01234,1\n20000,2\n", "categorical = \"zip\";", NULL);
    notes("1,2\n3,4\n5,6\n", "", "the first line, all numbers (1, …), is taken for the header");
    notes("d,y\n20240101,1\n20241231,2\n", "", "numbers such as 20240101 look like dates: dates =");
    notes("d,y\n20240101,1\n20241301,2\n", "", NULL);
    notes("d,y\n2024-01-01,1\n2024-02-01,2\n", "", "dates = (\"d\") makes them numbers");
    refuses("a;y\n1;2\n", "", NULL, "(is the delimiter \";\" instead of \",\"?)", NULL);
    refuses("a\ty\n1\t2\n", "", NULL, "(is the delimiter \"tab\" instead of", NULL);
    refuses("# made by me\na,y\n1,2\n", "", NULL, "is the first line a title or comment", NULL);
    refuses("a,y\nr1,1,2\nr2,2,3\n", "", NULL, "is a name missing in the header", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_date),        cmocka_unit_test(test_date_column),
        cmocka_unit_test(test_date_order),  cmocka_unit_test(test_targets),
        cmocka_unit_test(test_weights),     cmocka_unit_test(test_merge),
        cmocka_unit_test(test_all_at_once), cmocka_unit_test(test_notes),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

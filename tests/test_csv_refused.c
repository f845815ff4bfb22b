/* SPDX-License-Identifier: MIT */
/* The csv format: what is refused, with its line, and what must agree with the training file. */
#include "csv_harness.h"

/* ---- what must be refused ---- */

static void test_broken_files(void **state) {
    (void)state;
    refuses("", "", NULL, "t.csv: is empty", NULL);
    refuses("\n\n", "", NULL, "t.csv: is empty", NULL);
    refuses("a,b\n", "", NULL, "t.csv: has no rows", NULL);
    refuses("a,b\n1,2\n3\n", "", NULL, "t.csv:3: has 1 field,", "the header has 2");
    refuses("a,b\n1,2\n3,4,5\n", "", NULL, "t.csv:3: has 3 fields", "2");
    refuses("1,2\n3,4,5\n", "header = false;", NULL, "t.csv:2: has 3 fields", "first row has 2");
    refuses("a,b\n\"x\ny\",2\n3\n", "", NULL, "t.csv:4: has 1 field", NULL);
    refuses("a,b\n1,2\n\"3,4\n5,6\n", "", NULL, "t.csv:3: a quote", "never closed");
    refuses("a,b\n1,2\n3,\"4\"x\n", "", NULL, "t.csv:3: field 2 goes on after its closing quote",
            NULL);
    refuses("a,b,a\n1,2,3\n", "", NULL, "t.csv:1: two columns are called \"a\"", "header = false");
    refuses("a,\xff\n1,2\n", "", NULL, "t.csv:1: the name of column 2 is not UTF-8", NULL);
    refuses("a,b\nx,1\nM\xfcller,2\n", "", NULL, "t.csv:3: column \"a\": the text is not UTF-8",
            NULL);
    save_bytes("t.csv", "a,b\n1,\0\n", 8);
    refuses(NULL, "", NULL, "t.csv:2: there is a NUL byte", NULL);
    save_bytes("t.csv",
               "\xff\xfe"
               "a\0,\0b\0\n\0",
               10);
    refuses(NULL, "", NULL, "t.csv:1: there is a NUL byte", "UTF-16");
    unlink("t.csv");
    refuses(NULL, "", NULL, "c.cfg:2: t.csv: not found", NULL);
}

static void test_bad_numbers(void **state) {
    (void)state;
    static const char *const first = "age,b,y\n1,1,1.5\n2,2,2\n3,3,3\n4,4,4\n5,5,5\n6,6,6\n7,7,7\n"
                                     "8,8,8\n9,9,9\n";
    dl_text text = {0};
    dl_text_add(&text, "%s12a,1,1\n", first);
    refuses(text.data, "", NULL, "t.csv:11: column \"age\": \"12a\" is not a number",
            "`categorical`");
    section o;
    must_open(&o, "categorical = (\"age\");", NULL);
    assert_int_equal(o.set->schema.column[0].categories, 10);
    section_free(&o);
    dl_text_free(&text);
    dl_text_add(&text, "%s1,\"1\n2\",1\n3,3,x\n", first);
    refuses(text.data, "", NULL, "t.csv:11: column \"b\": \"1 2\" is not a number",
            "t.csv:13: column \"y\": \"x\" is not a number");
    dl_text_free(&text);
    dl_text_add(&text, "%s1,-inf,1\n3,3,1e39\n", first);
    refuses(text.data, "", NULL, "t.csv:11: column \"b\": -inf is not a finite number",
            "t.csv:12: column \"y\": 1e39 is not a finite number");
    dl_text_free(&text);
    refuses(first, "header = false;", NULL, "t.csv:1: column \"1\": \"age\" is not a number",
            "first line a header?");
}

static void test_identifiers(void **state) {
    (void)state;
    section o;
    for (int rows = 50; rows <= 51; rows++) { /* up to 50 rows may all differ */
        dl_text text = {0};
        dl_text_add(&text, "id,x,y\n");
        for (int i = 0; i < rows; i++)
            dl_text_add(&text, "n%d,%d,%d\n", i, i, i % 2);
        save(text.data);
        dl_text_free(&text);
        if (rows == 51)
            refuses(NULL, "", NULL, "column \"id\" has another value in each row", "`ignore`");
        else
            must_open(&o, "", NULL);
        if (rows == 50)
            section_free(&o);
    }
    for (int different = 1000; different <= 1001; different++) {
        FILE *file = fopen("t.csv", "w");
        fputs("x,id,y\n", file);
        for (int i = 0; i < 3000; i++)
            fprintf(file, "1,n%d,%d\n", i % different, i % 2);
        fclose(file);
        if (different == 1001)
            refuses(NULL, "", NULL, "column \"id\" has more than 1000 different values",
                    "`ignore`");
        else
            must_open(&o, "", NULL);
        if (different == 1000) {
            assert_int_equal(o.set->schema.column[1].categories, 1000);
            assert_int_equal(dl_shape_size(o.set->schema.input), 1001);
            section_free(&o);
        }
    }
    must_open(&o, "ignore = (\"id\");", NULL);
    assert_int_equal(o.set->schema.columns, 1);
    section_free(&o);
}

/* Nothing that is cut off is read as if it were whole, and nothing crashes. */
static void test_cut_gzip(void **state) {
    (void)state;
    gzFile gzip = gzopen("t.csv", "wb");
    gzputs(gzip, "a,b\n1,2\n3,4\n");
    gzclose(gzip);
    char bytes[128];
    FILE *file = fopen("t.csv", "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t cut = 0; cut < size; cut++) {
        save_bytes("t.csv", bytes, cut);
        refuses(NULL, "", NULL, "t.csv", NULL);
    }
}

/* ---- agreeing with the training file ---- */

static dl_schema trained(const char *text, const char *options) {
    section o;
    save(text);
    must_open(&o, options, NULL);
    dl_schema schema = dl_schema_copy(&o.set->schema);
    section_free(&o);
    return schema;
}

static void test_like_by_name(void **state) {
    (void)state;
    section o;
    dl_schema like = trained("a,size,n,y\n1,big,3,no\n2,small,4,yes\n", "");
    save("y,extra,n,size,a\nyes,zzz,30,big,10\nno,,40,small,20\n");
    must_open(&o, "", &like);
    assert_int_equal(o.set->schema.classes, 2);
    assert_string_equal(o.set->schema.column[1].category[1], "small");
    ROW(&o, 0, 10, 1, 0, 30, 1);
    ROW(&o, 1, 20, 0, 1, 40, 0);
    section_free(&o);
    refuses("a,size,y\n1,big,no\n", "", &like, "t.csv:1: has no column \"n\"", NULL);
    refuses("a,size,n,z\n1,big,3,no\n", "", &like, "t.csv:1: has no column \"y\"", "its target");
    refuses("a,sizes,y\n1,big,no\n", "", &like, "\"size\"", "\"n\"");
    refuses("a,size,n,y\n1,big,3,no\n1,bih,3,no\n", "", &like,
            "t.csv:3: column \"size\": the training data has no category \"bih\"",
            "(did you mean \"big\"?)");
    refuses("a,size,n,y\n1,big,3,maybe\n1,small,x,no\n", "", &like,
            "t.csv:2: column \"y\": the training data has no class \"maybe\"",
            "t.csv:3: column \"n\": \"x\" is not a number");
    refuses("a,size,n,y\n1,big,inf,no\n", "", &like, "t.csv:2: column \"n\": \"inf\"", "finite");
    refuses("a,size,n,y\n1,big\n", "", &like, "t.csv:2: has 2 fields", NULL);
    dl_schema_free(&like);
}

static void test_like_by_position(void **state) {
    (void)state;
    section o;
    dl_schema like = trained("a,b,y\n1,3,no\n2,4,yes\n", "");
    save("5,6,yes\n");
    must_open(&o, "header = false;", &like);
    ROW(&o, 0, 5, 6, 1);
    section_free(&o);
    save("yes,5,0,6\n");
    must_open(&o, "header = false; target = 1; ignore = (\"3\");", &like);
    ROW(&o, 0, 5, 6, 1);
    section_free(&o);
    refuses("5,yes\n", "header = false;", &like, "has 1 columns that are inputs", "has 2");
    dl_schema_free(&like);
}

static void test_like_numbers_as_names(void **state) {
    (void)state;
    section o;
    dl_schema like = trained("a,y\n1,0\n2,1\n", "");
    save("a,y\n5,1.0\n6,+0\n");
    must_open(&o, "", &like);
    ROW(&o, 0, 5, 1);
    ROW(&o, 1, 6, 0);
    section_free(&o);
    refuses("a,y\n5,2\n", "", &like, "t.csv:2: column \"y\": the training data has no class \"2\"",
            NULL);
    dl_schema_free(&like);
}

static void test_like_of_a_damaged_checkpoint(void **state) {
    (void)state;
    dl_schema like = trained("a,b,y\n1,3,no\n2,4,yes\n", "");
    free(like.column[1].name);
    like.column[1].name = xstrdup("a");
    refuses("a,b,y\n1,3,no\n", "", &like, "\"a\" cannot stand for two", NULL);
    dl_schema_free(&like);
    dl_schema images = {.input = dl_shape3(2, 2, 1), .classes = 2, .outputs = 1};
    refuses(NULL, "", &images, "training data was none", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broken_files),
        cmocka_unit_test(test_bad_numbers),
        cmocka_unit_test(test_identifiers),
        cmocka_unit_test(test_cut_gzip),
        cmocka_unit_test(test_like_by_name),
        cmocka_unit_test(test_like_by_position),
        cmocka_unit_test(test_like_numbers_as_names),
        cmocka_unit_test(test_like_of_a_damaged_checkpoint),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

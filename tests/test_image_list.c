/* SPDX-License-Identifier: MIT */
/* Lists of pictures: classes, numbers, masks and pictures as targets. */
#include "picture_harness.h"

#define LIST "format = \"image_list\"; channels = \"gray\"; "
#define TRAIN LIST "train = { file = \"root/list.csv\"; };"

/* Three pictures of 1 x 2, three masks of the same size. */
static void make_files(void) {
    clear("root");
    mkdir("root", 0777);
    mkdir("root/in", 0777);
    GREY("root/in/a.pgm", 1, 2, 1, 2);
    GREY("root/in/b c.pgm", 1, 2, 3, 4);
    GREY("root/d.pgm", 1, 2, 5, 6);
    GREY("root/m.pgm", 1, 2, 0, 2);
    GREY("root/n.pgm", 1, 2, 1, 1);
    GREY("root/o.pgm", 1, 2, 0, 0);
}

static void save_list(const char *text) {
    save_text("root/list.csv", text);
}

static void test_classes(void **state) {
    (void)state;
    section s;
    make_files();
    save_list(
        "path,label\nin/a.pgm,ape\n\"in/b c.pgm\",zebra\nd.pgm,ape\nin/../d.pgm,\"an, owl\"\n");
    section_must_open(&s, TRAIN);
    assert_int_equal(s.data.part[DL_TRAIN].count, 4);
    assert_int_equal(s.data.schema.classes, 3);
    assert_string_equal(s.data.schema.class_names[0], "an, owl");
    ROW(&s, 0, 1, 1, 2);
    ROW(&s, 1, 2, 3, 4);
    ROW(&s, 3, 0, 5, 6);
    section_free(&s);
    save_list("10;x;d.pgm\n9;y;in/a.pgm\n"); /* whole numbers in their order */
    section_must_open(&s, LIST "header = false; delimiter = \";\"; path = 3; target = [\"1\"]; "
                               "train = { file = \"root/list.csv\"; };");
    assert_string_equal(s.data.schema.class_names[0], "9");
    ROW(&s, 0, 1, 5, 6);
    section_free(&s);
}

static void test_numbers(void **state) {
    (void)state;
    section s;
    make_files();
    save_list("path,left,top\nin/a.pgm,1,2.5\nd.pgm,-3,4e1\n");
    section_must_open(&s, TRAIN);
    assert_int_equal(s.data.schema.classes, 0);
    assert_int_equal(s.data.schema.outputs, 2);
    float x[2], y[2];
    assert_int_equal(s.set->type->read(s.set, 1, x, y, &s.error), 0);
    assert_true(x[0] == 5 && y[0] == -3 && y[1] == 40);
    section_free(&s);
    save_list("path,left,top\nin/a.pgm,1,2.5\nd.pgm,0,4\n");
    section_must_open(&s, TRAIN "target = [\"top\"];"); /* not whole, so no class */
    assert_true(!s.data.schema.classes && s.data.schema.outputs == 1);
    ROW(&s, 0, 2.5F, 1, 2);
    section_free(&s);
    section_must_open(&s, TRAIN "target = [\"left\"];");
    assert_int_equal(s.data.schema.classes, 2);
    section_free(&s);
    section_must_open(&s, TRAIN "target = [\"left\"]; task = \"regression\";");
    assert_int_equal(s.data.schema.classes, 0);
    ROW(&s, 0, 1, 1, 2);
    section_free(&s);
}

static void test_masks(void **state) {
    (void)state;
    section s;
    make_files();
    save_list("path,mask\nin/a.pgm,m.pgm\nd.pgm,n.pgm\n");
    section_must_open(&s, TRAIN "task = \"mask\";");
    assert_int_equal(s.data.schema.classes, 3);
    assert_int_equal(s.data.schema.outputs, 2);
    float x[2], y[2];
    assert_int_equal(s.set->type->read(s.set, 0, x, y, &s.error), 0);
    assert_true(x[1] == 2 && y[0] == 0 && y[1] == 2);
    section_free(&s);
    /* the class of the nearest pixel, where the picture is a mixture */
    GREY("root/m.pgm", 1, 2, 0, 200);
    section_must_open(&s, TRAIN "task = \"mask\"; size = (1, 4);");
    float wide[4], labels[4];
    assert_int_equal(s.set->type->read(s.set, 0, wide, labels, &s.error), 0);
    assert_true(wide[1] == 1 && labels[0] == 0 && labels[1] == 0 && labels[2] == 200);
    section_free(&s);
    GREY("root/m.pgm", 1, 2, 0, 2);
    section_must_open(&s, TRAIN "task = \"mask\"; classes = 5;");
    assert_int_equal(s.data.schema.classes, 5);
    section_free(&s);
    section_refuses(TRAIN "task = \"mask\"; classes = 2;", DL_DATA,
                    "root/list.csv:2: column \"mask\": mask m.pgm has a pixel of class 2, "
                    "but there are 2 classes, 0 to 1");
    section_refuses(TRAIN, DL_DATA, "set task to \"mask\" or \"picture\"");
    save_bytes("root/n.pgm", "P6 2 1 255\nabcdef", 17);
    section_refuses(TRAIN "task = \"mask\";", DL_DATA,
                    "1 picture cannot be read:\n  root/n.pgm (not 8-bit gray");
}

static void test_pictures(void **state) {
    (void)state;
    section s;
    make_files();
    GREY("root/m.pgm", 2, 2, 9, 8, 7, 6); /* need not be as large */
    GREY("root/n.pgm", 2, 2, 5, 4, 3, 255);
    save_list("path,to\nin/a.pgm,m.pgm\nd.pgm,n.pgm\n");
    section_must_open(&s, TRAIN "task = \"picture\";");
    assert_true(!s.data.schema.classes && s.data.schema.outputs == 4);
    float x[2], y[4];
    assert_int_equal(s.set->type->read(s.set, 1, x, y, &s.error), 0);
    assert_true(x[0] == 5 && y[0] == 5 && y[3] == 255);
    section_free(&s);
}

static void test_parts(void **state) {
    (void)state;
    section s;
    const char *both = LIST "train = { file = \"root/list.csv\"; }; test = { file = \"t.csv\"; };";
    make_files();
    save_list("path,label\nin/a.pgm,ape\nd.pgm,zebra\n");
    save_text("t.csv", "path,label\nroot/d.pgm,zebra\n");
    section_must_open(&s, both);
    has_row(&s, DL_TEST, 0, (const float[]){5, 6}, 2, 1);
    section_free(&s);
    save_text("t.csv", "path,label\nroot/d.pgm,ape\nroot/d.pgm,zebre\n");
    section_refuses(both, DL_DATA,
                    "t.csv:3: column \"label\": the training data has no class \"zebre\" (did you "
                    "mean \"zebra\"?)");
    save_text("t.csv", "path,a,b\nroot/d.pgm,1,2\n");
    section_refuses(both, DL_DATA, "t.csv: targets are numbers, but in training they are classes");
    save_list("path,a\nin/a.pgm,1.5\nd.pgm,2\n");
    section_refuses(both, DL_DATA, "t.csv: has 2 targets per row, but in training there are 1");
    save_text("t.csv", "path,a\nroot/d.pgm,1\n"); /* whole, but training's are not */
    section_must_open(&s, both);
    section_free(&s);
    GREY("root/o.pgm", 2, 2, 0, 0, 0, 0);
    save_text("t.csv", "path,a\nroot/o.pgm,1\n");
    section_refuses(both, DL_DATA, "t.csv: images are 2x2x1, but in training they are 1x2x1");
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *list, *options, *words;
    } cases[] = {
        {"", "", "root/list.csv: is empty"},
        {"path,label\n", "", "root/list.csv: has no rows below the header"},
        {"path\nd.pgm\n", "", "has no column besides the paths, \"path\""},
        {"path,label\nd.pgm\n", "", "root/list.csv:2: has 1 field, but the header has 2"},
        {"path,label\nd.pgm,a\n,b\n", "", "root/list.csv:3: column \"path\": the value is missing"},
        {"path,label\nd.pgm,a\nd.pgm,NA\n", "", "root/list.csv:3: column \"label\": the value is"},
        {"path,a,b\nd.pgm,1,x\n", "", "root/list.csv:2: column \"b\": \"x\" is not a number"},
        {"path,a,b\nd.pgm,1,inf\n", "", "root/list.csv:2: column \"b\": \"inf\" is not a finite"},
        {"path,a,b\nd.pgm,1,2\n", "task = \"mask\";", "is for one target column, not 2"},
        {"path,a\nd.pgm,1\n", "path = \"pth\";", "has no column \"pth\" (did you mean \"path\"?)"},
        {"path,a\nd.pgm,1\n", "target = [\"7\"];", "has no column \"7\" (its first is \"path\")"},
        {"path,a\nd.pgm,1\n", "target = [\"path\"];", "cannot be both path and target"},
        {"path,a\nd.pgm,\xff\nd.pgm,b\n", "", "root/list.csv:2: column \"a\": the text is not UTF"},
        {"path,a\nx.pgm,1\nd.pgm,2\n/y.png,2\n", "",
         "2 pictures cannot be read:\n  root/x.pgm (No such file or directory)\n  /y.png (No such"},
        {"path,a\nd.pgm,\"1\n", "", "root/list.csv:2: a quote"},
        {"path,a\nd.pgm,1\n", "delimiter = \"ab\";", "delimiter: must be one character"},
    };
    make_files();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        save_list(cases[i].list);
        snprintf(text, sizeof text, TRAIN "%s", cases[i].options);
        section_refuses(text, DL_DATA, cases[i].words);
    }
    clear("root");
}

/* ---- more than the memory may hold ---- */

/* Opens the list with little memory, and compares it with what it is with enough of it. */
static void open_within(section *s, const char *text, int64_t memory) {
    section whole;
    section_must_open(&whole, text);
    section_must_open_within(s, text, memory);
    same_rows(s, &whole);
    section_free(&whole);
}

static void test_on_demand(void **state) {
    (void)state;
    section s;
    make_files();
    save_list("path,label\nin/a.pgm,ape\nd.pgm,zebra\nin/b c.pgm,ape\n");
    open_within(&s, TRAIN, 5);
    unlink("root/d.pgm");
    row_is_gone(&s, 1, "root/d.pgm: the picture was changed since it was opened (No such file");
    section_free(&s);
    save_list("path,left,top\nin/a.pgm,1,2.5\nm.pgm,3,4\n");
    open_within(&s, TRAIN "size = (3, 5);", 1);
    section_free(&s);
    save_list("path,label\nin/a.pgm,ape\nm.pgm,zebra\nlist.csv,ape\n");
    section_refuses_within(TRAIN, 1, "1 picture cannot be read:\n  root/list.csv (");
}

/* Inputs and targets together must fit: targets are held first. */
static void test_targets_on_demand(void **state) {
    (void)state;
    section s;
    make_files();
    save_list("path,mask\nin/a.pgm,m.pgm\nd.pgm,n.pgm\nin/b c.pgm,o.pgm\n");
    for (int64_t memory = 12; memory >= 1; memory -= memory > 6 ? 1 : 5) {
        open_within(&s, TRAIN "task = \"mask\";", memory);
        assert_int_equal(s.data.schema.classes, 3);
        GREY("root/d.pgm", 1, 1, 5);
        float x[2], y[2];
        assert_int_equal(s.set->type->read(s.set, 1, x, NULL, &s.error), memory < 12 ? -1 : 0);
        GREY("root/n.pgm", 1, 2, 2, 1); /* a mask, but with a class that was not counted there */
        dl_error_clear(&s.error);
        assert_int_equal(s.set->type->read(s.set, 1, NULL, y, &s.error), memory < 6 ? -1 : 0);
        if (memory < 6)
            SAYS(&s, "root/n.pgm: the picture was changed since it was opened (its classes are");
        section_free(&s);
        make_files();
        save_list("path,mask\nin/a.pgm,m.pgm\nd.pgm,n.pgm\nin/b c.pgm,o.pgm\n");
    }
    section_refuses_within(TRAIN "task = \"mask\"; classes = 2;", 1,
                           "root/list.csv:2: column \"mask\": mask m.pgm has a pixel of "
                           "class 2, but there are 2 classes, 0 to 1");
    save_bytes("root/n.pgm", "P6 2 1 255\nabcdef", 17);
    section_refuses_within(TRAIN "task = \"mask\";", 1,
                           "1 picture cannot be read:\n  root/n.pgm (not 8-bit gray");
    open_within(&s, TRAIN "task = \"picture\";", 1);
    section_free(&s);
    clear("root");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),   cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_masks),     cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_parts),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_on_demand), cmocka_unit_test(test_targets_on_demand),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

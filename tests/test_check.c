/* SPDX-License-Identifier: MIT */
/* Checks of the data, and classes that are drawn equally often: tables with known faults. */
#include "data_harness.h"

#include "data/loader.h"
#include "inspect/data_check.h"

/* The finding of that name whose text begins so; NULL if there is none. */
static const dl_finding *find(const dl_findings *f, const char *check, const char *begin) {
    for (int i = 0; i < f->count; i++)
        if (!strcmp(f->list[i].check, check) && !strncmp(f->list[i].text, begin, strlen(begin)))
            return &f->list[i];
    return NULL;
}

static void must_find(const dl_findings *f, const char *check, int64_t count, const char *text) {
    const dl_finding *found = find(f, check, text);
    if (!found) {
        for (int i = 0; i < f->count; i++)
            print_message("%s: %s\n", f->list[i].check, f->list[i].text);
        fail_msg("no finding %s: %s", check, text);
    }
    assert_int_equal(found->count, count);
}

/* Writes rows "x,z,class" with numbers that do not come again: x of `from` and what follows. */
static void add_rows(dl_text *file, int from, int count) {
    for (int i = from; i < from + count; i++)
        dl_text_add(file, "%d,%d,%s\n", i * 7919 % 1009, i * 104729 % 997, i % 2 ? "a" : "b");
}

static void save_table(const char *name, dl_text *text) {
    save_bytes(name, text->data, text->length);
    dl_text_free(text);
}

static const char two_files[] =
    "format = \"csv\"; train = { file = \"a.csv\"; }; test = { file = \"b.csv\"; };";

static void check_all(section *s, const char *text, dl_findings *f) {
    section_must_open(s, text);
    dl_check_counts(f, &s->data);
    dl_check_rows(f, &s->data);
    dl_check_columns(f, &s->data);
}

static void test_clean(void **state) {
    (void)state;
    dl_text a = {0}, b = {0};
    dl_findings f = {0};
    section s;
    dl_text_add(&a, "x,z,class\n");
    dl_text_add(&b, "x,z,class\n");
    add_rows(&a, 0, 100);
    add_rows(&b, 100, 40);
    save_table("a.csv", &a);
    save_table("b.csv", &b);
    check_all(&s, two_files, &f);
    assert_false(dl_findings_wrong(&f));
    must_find(&f, "class_counts", 2, "train: 50 rows of each class");
    dl_findings_free(&f);
    section_free(&s);
}

/* Ten rows of training in the test file, three of them there twice, two with the other class; and
   a row of -0 for one of 0. */
static void test_duplicates(void **state) {
    (void)state;
    dl_text a = {0}, b = {0};
    dl_findings f = {0};
    section s;
    dl_text_add(&a, "x,z,class\n");
    dl_text_add(&b, "x,z,class\n");
    add_rows(&a, 0, 100);
    add_rows(&b, 200, 20);
    add_rows(&b, 30, 10); /* rows 20 to 29 are rows 30 to 39 of training */
    add_rows(&b, 30, 3);
    dl_text_add(&b, "%d,%d,a\n", 60 * 7919 % 1009, 60 * 104729 % 997); /* there it is b */
    dl_text_add(&b, "-0,-0.0,b\n");                                    /* row 0 is 0,0,b */
    save_table("a.csv", &a);
    save_table("b.csv", &b);
    check_all(&s, two_files, &f);
    must_find(&f, "duplicates_across", 15,
              "test: the input of 15 rows is also in train: row 20 of test is row 30 of train");
    must_find(&f, "duplicates", 3,
              "test: 3 rows have the same input as an earlier one: row 30 is row 20");
    assert_null(find(&f, "duplicates", "train"));
    must_find(&f, "contradictions", 2,
              "2 rows have the same input as others with another class: row 33 of test and row 60 "
              "of train");
    assert_true(dl_findings_wrong(&f));
    dl_findings_free(&f);
    section_free(&s);
}

/* Rows of a bootstrap sample that are drawn twice are no duplicates, but those of the file are. */
static void test_bagging(void **state) {
    (void)state;
    dl_text a = {0}, twice = {0};
    dl_findings f = {0};
    section s;
    const char *bagging = "format = \"csv\"; bagging = true; train = { file = \"a.csv\"; };";
    dl_text_add(&a, "x,z,class\n");
    add_rows(&a, 0, 100);
    dl_text_add(&twice, "%s", dl_text_get(&a));
    save_table("a.csv", &a);
    check_all(&s, bagging, &f);
    const dl_subset *drawn = &s.data.part[DL_TRAIN];
    int64_t again = 0;
    for (int64_t i = 1; i < drawn->count; i++)
        again += drawn->index[i] == drawn->index[i - 1];
    assert_true(drawn->count == 100 && again > 20);
    assert_null(find(&f, "duplicates", ""));
    assert_null(find(&f, "unreadable", ""));
    dl_findings_free(&f);
    section_free(&s);
    add_rows(&twice, 0, 100);
    save_table("a.csv", &twice);
    check_all(&s, bagging, &f);
    int64_t expected = 0; /* rows i and i + 100, both drawn */
    bool there[200] = {false};
    drawn = &s.data.part[DL_TRAIN];
    for (int64_t i = 0; i < drawn->count; i++)
        there[drawn->index[i]] = true;
    for (int i = 0; i < 100; i++)
        expected += there[i] && there[i + 100];
    assert_true(expected > 0);
    must_find(&f, "duplicates", expected, "train: ");
    dl_findings_free(&f);
    section_free(&s);
}

static void test_classes(void **state) {
    (void)state;
    dl_text a = {0}, b = {0};
    dl_findings f = {0};
    section s;
    dl_text_add(&a, "x,z,class\n1,2,c\n2,1,d\n2,3,d\n");
    dl_text_add(&b, "x,z,class\n");
    add_rows(&a, 0, 60);
    add_rows(&b, 100, 40);
    save_table("a.csv", &a);
    save_table("b.csv", &b);
    section_must_open(&s, two_files);
    dl_check_counts(&f, &s.data);
    must_find(&f, "absent_classes", 2, "test: 2 of 4 classes have no row: \"c\", …");
    must_find(&f, "imbalance", 4, "train: 4 classes, of 1 rows (\"c\") to 30 (\"a\")");
    dl_findings_free(&f);
    section_free(&s);
}

/* Columns: k always the same, t the target in other words, n nearly so, l the class by a limit. */
static void test_columns(void **state) {
    (void)state;
    dl_text a = {0};
    dl_findings f = {0};
    section s;
    dl_text_add(&a, "x,k,t,n,l,class\n");
    for (int i = 0; i < 90; i++) {
        int class = i * 31 % 97 % 3;
        dl_text_add(&a, "%d,5,%s,%s,%g,%c\n", i * 7919 % 1009,
                    class == 0   ? "u"
                    : class == 1 ? "v"
                                 : "w",
                    class == 0 && i != 0 ? "u"
                    : class == 1         ? "v"
                                         : "w",
                    class + 0.001 * i, 'a' + class);
    }
    save_table("a.csv", &a);
    section_must_open(&s, "format = \"csv\"; train = { file = \"a.csv\"; };");
    dl_check_columns(&f, &s.data);
    must_find(&f, "constant", 1, "train: of 5 columns 1 is constant: \"k\"");
    must_find(
        &f, "target_leak", 2,
        "train: of 5 columns 2 leak the target: alone, each predicts it without error: \"t\", …");
    assert_null(find(&f, "target_copy", ""));
    dl_findings_free(&f);
    section_free(&s);
}

static void test_columns_of_numbers(void **state) {
    (void)state;
    dl_text a = {0};
    dl_findings f = {0};
    section s;
    dl_text_add(&a, "x,copy,line,nearly,y\n");
    for (int i = 0; i < 90; i++) {
        int y = i * 31 % 97;
        dl_text_add(&a, "%d,%d.5,%d,%d,%d.5\n", i * 7919 % 1009, y, 7 - 3 * y, y + (i == 50), y);
    }
    save_table("a.csv", &a);
    section_must_open(&s,
                      "format = \"csv\"; task = \"regression\"; train = { file = \"a.csv\"; };");
    dl_check_columns(&f, &s.data);
    must_find(&f, "target_copy", 1, "train: of 4 columns 1 is the target itself: \"copy\"");
    must_find(
        &f, "target_leak", 1,
        "train: of 4 columns 1 leaks the target: alone, it predicts it without error: \"line\"");
    dl_findings_free(&f);
    section_free(&s);
}

static void test_groups_of_files(void **state) {
    (void)state;
    dl_findings f = {0};
    section s;
    save_text("a.csv", "g,x,y\np1,1,0.5\np2,2,1.5\np2,3,2.5\n");
    save_text("b.csv", "g,x,y\np3,4,0.25\np2,5,1.25\np4,6,2.25\np1,6,2.25\n");
    section_must_open(&s, "format = \"csv\"; group = \"g\"; train = { file = \"a.csv\"; };"
                          "test = { file = \"b.csv\"; };");
    assert_int_equal(s.data.schema.input.dim[0], 1);
    dl_check_counts(&f, &s.data);
    must_find(&f, "shared_groups", 2,
              "test: 2 of 4 rows are of a group that train has as well: row 1");
    dl_findings_free(&f);
    section_free(&s);
}

/* Letters in no order; the same `from` gives the same ones. */
static void add_letters(dl_text *text, int from, int count) {
    for (int i = from; i < from + count; i++) {
        uint32_t x = (uint32_t)(i + 1) * 2654435761u;
        x = (x ^ x >> 15) * 2246822519u;
        dl_text_add(text, "%c", 'a' + (int)((x ^ x >> 13) % 24));
    }
}

/* Of ten held-out samples two stand in the training text, where none of its own begins; one has the
   end of the text and goes on with other letters. */
static void test_passages(void **state) {
    (void)state;
    dl_text a = {0}, b = {0};
    dl_findings f = {0};
    section s;
    add_letters(&a, 0, 2001);
    save_table("a.txt", &a);
    add_letters(&b, 5000, 60); /* rows 0 to 2 */
    add_letters(&b, 707, 41);  /* rows 3 and 4, and the symbol after them */
    add_letters(&b, 6000, 59); /* rows 5 to 7, without one */
    add_letters(&b, 1990, 10); /* row 8 */
    add_letters(&b, 7000, 31); /* its rest, and row 9 */
    save_table("b.txt", &b);
    const char *text = "format = \"text\"; length = 20; train = { file = \"a.txt\"; };"
                       "validation = { file = \"b.txt\"; };";
    section_must_open(&s, text);
    assert_int_equal(s.data.part[DL_VALIDATION].count, 10);
    dl_check_rows(&f, &s.data);
    must_find(&f, "passages_across", 2,
              "validation: 2 of 10 samples, of 20 symbols, occur in the training text: row 3");
    assert_null(find(&f, "duplicates_across", ""));
    dl_findings_free(&f);
    section_free(&s);
}

/* ---- balanced classes ---- */

/* 60, 25 and 10 rows of three classes, and a fourth without any. */
static void save_unequal(void) {
    dl_text a = {0};
    dl_text_add(&a, "x,class\n");
    for (int i = 0; i < 95; i++)
        dl_text_add(&a, "%d,%c\n", i, i < 60 ? 'a' : i < 85 ? 'b' : 'c');
    save_table("a.csv", &a);
}

static int64_t balanced_pass(dl_loader *loader, uint64_t seed, uint32_t epoch, int64_t first,
                             int64_t *rows) {
    dl_error error = {0};
    const dl_batch *batch;
    int64_t count = 0;
    dl_loader_start(loader, DL_SHUFFLED, seed, epoch, first);
    while ((batch = dl_loader_next(loader, &error)))
        for (int64_t i = 0; i < batch->count; i++)
            rows[count++] = batch->index[i];
    return count;
}

static void test_balance(void **state) {
    (void)state;
    enum { ALL = 180, SIZE = 16 };
    int64_t rows[3][ALL], often[95] = {0}, then[95] = {0}, other = 0, mixed = 0, changed = 0;
    dl_error error = {0};
    section s;
    save_unequal();
    section_must_open(&s, "format = \"csv\"; train = { file = \"a.csv\"; };");
    dl_loader *loader = dl_loader_new(&s.data, DL_TRAIN, SIZE, &error);
    assert_int_equal(dl_loader_balance(loader, &error), 0);
    assert_int_equal(dl_loader_steps(loader), (ALL + SIZE - 1) / SIZE);
    for (int e = 0; e < 2; e++)
        assert_int_equal(balanced_pass(loader, 7, (uint32_t)e, 0, rows[e]), ALL);
    for (int i = 0; i < ALL; i++) {
        often[rows[0][i]]++;
        then[rows[1][i]]++;
        other += rows[0][i] != rows[1][i];
        mixed += i && (rows[0][i] < 60) != (rows[0][i - 1] < 60);
    }
    for (int i = 0; i < 95; i++) /* 60 rows of each class, as evenly as it goes */
        assert_in_range(often[i], i < 60 ? 1 : i < 85 ? 2 : 6, i < 60 ? 1 : i < 85 ? 3 : 6);
    for (int i = 60; i < 85; i++) /* in another epoch others come once more */
        changed += often[i] != then[i];
    assert_true(changed > 0);
    assert_true(other > ALL / 2 && mixed > 40);
    assert_int_equal(balanced_pass(loader, 7, 1, 4, rows[2]), ALL - 4 * SIZE); /* amid an epoch */
    assert_memory_equal(rows[2], rows[1] + 4 * SIZE, sizeof(int64_t) * (ALL - 4 * SIZE));
    dl_loader_free(loader);
    section_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),           cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_bagging),         cmocka_unit_test(test_classes),
        cmocka_unit_test(test_columns),         cmocka_unit_test(test_columns_of_numbers),
        cmocka_unit_test(test_groups_of_files), cmocka_unit_test(test_passages),
        cmocka_unit_test(test_balance),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

/* The data section: what its config may say, how rows are split, and how numbers are normalized. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/data.h"
#include "data/normalize.h"
#include "data/split.h"

static char folder[] = "/tmp/dltrain-data-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    unlink("a.csv");
    unlink("b.csv");
    unlink("x");
    unlink("y");
    return chdir("/") || rmdir(folder);
}

static void save(const char *name, const char *text, size_t count) {
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, count ? count : strlen(text), file),
                     count ? count : strlen(text));
    assert_int_equal(fclose(file), 0);
}

typedef struct {
    dl_config config;
    dl_data data;
    dl_error error;
} section;

/* Reads `data = { … }`; 0 or -1 as dl_data_read. */
static int read_section(section *s, const char *text) {
    *s = (section){.error = {0}};
    dl_text whole = {0};
    dl_text_add(&whole, "data = {\n%s\n};\n", text);
    assert_int_equal(dl_config_parse(&s->config, "c.cfg", whole.data, &s->error), 0);
    dl_text_free(&whole);
    int result = dl_data_read(&s->data, &s->config, &s->error);
    assert_true(!result == !s->error.count);
    return result;
}

static void free_section(section *s) {
    dl_error_clear(&s->error);
    dl_data_free(&s->data);
    dl_config_free(&s->config);
}

static void must_read(section *s, const char *text) {
    if (read_section(s, text))
        fail_msg("%s", dl_text_get(&s->error.text));
}

static void must_open(section *s, const char *text) {
    must_read(s, text);
    if (dl_data_open(&s->data, &s->error))
        fail_msg("%s", dl_text_get(&s->error.text));
}

/* Opening fails with the code, and the message holds the words. */
static void refuses_open(const char *text, dl_code code, const char *words) {
    section s;
    must_read(&s, text);
    assert_int_equal(dl_data_open(&s.data, &s.error), -1);
    assert_int_equal(s.error.code, code);
    if (!strstr(dl_text_get(&s.error.text), words))
        fail_msg("\"%s\" is not in: %s", words, dl_text_get(&s.error.text));
    free_section(&s);
}

/* ---- the config ---- */

static void test_mistakes_in_the_config(void **state) {
    (void)state;
    static const struct {
        const char *text, *messages;
        int count;
    } cases[] = {
        {"train = {};", "c.cfg:1: needs format = ", 1},
        {"format = \"cvs\"; train = { file = \"a\"; };",
         "c.cfg:2: there is no data format \"cvs\" "
         "(did you mean \"csv\"?)",
         1},
        {"format = 7; train = { file = \"a\"; };", "c.cfg:2: \"format\" must be a string", 1},
        {"format = \"csv\";", "c.cfg:1: data needs \"train\"", 1},
        {"format = \"csv\"; train = 0.5;", "c.cfg:2: \"train\" must be a group", 1},
        {"format = \"csv\"; train = {};", "c.cfg:2: data.train needs \"file\"", 1},
        {"format = \"csv\"; train = { file = \"a\"; fiel = 1; };",
         "c.cfg:2: data.train has no key \"fiel\" (did you mean \"file\"?)", 1},
        {"format = \"csv\"; train = { file = \"a\"; split = \"tail\"; };",
         "data.train has no key \"split\"", 1},
        {"format = \"csv\"; train = { file = \"a\"; };\nvalidation = 0;",
         "c.cfg:3: \"validation\" must be a share between 0 and 1", 1},
        {"format = \"csv\"; train = { file = \"a\"; };\ntest = 1.0;", "c.cfg:3: \"test\" must be",
         1},
        {"format = \"csv\"; train = { file = \"a\"; };\ntest = \"b\";", "c.cfg:3: \"test\" must",
         1},
        {"format = \"csv\"; train = { file = \"a\"; };\ntest = -0.5;", "c.cfg:3: \"test\" must", 1},
        {"format = \"csv\"; train = { file = \"a\"; };\nvalidation = 0.5; test = 0.5;",
         "c.cfg:3: the shares for validation (0.5) and test (0.5) leave nothing", 1},
        {"format = \"csv\"; train = { file = \"a\"; }; images = \"x\";",
         "data has no key \"images\"", 1},
        {"format = \"csv\"; train = { file = \"a\"; };\nnormalise = \"scale\";",
         "c.cfg:3: data has no key \"normalise\" (did you mean \"normalize\"?)", 1},
        {"format = \"csv\"; train = { file = \"a\"; };\nnormalize = \"std\";",
         "c.cfg:3: \"normalize\" cannot be \"std\"", 1},
        /* what all parts share is told once; every mistake in one run */
        {"format = \"csv\"; train = { file = \"a\"; };\ntest = { file = \"b\"; };\ndelimiter = 5;",
         "c.cfg:4: \"delimiter\" must be a string, not a whole number", 1},
        {"format = \"csv\"; header = 1; train = { file = 3; };\ntest = {};\nsplit = 1; valid = 2;",
         "c.cfg:3: data.test needs \"file\"", 5},
        {"format = \"cvs\"; header = 1; images = 2; train = { what = 1; };", "no data format", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        section s;
        assert_int_equal(read_section(&s, cases[i].text), -1);
        const char *text = dl_text_get(&s.error.text);
        if (!strstr(text, cases[i].messages) || s.error.count != cases[i].count)
            fail_msg("not %d errors with \"%s\": %s", cases[i].count, cases[i].messages, text);
        assert_int_equal(s.error.code, DL_USAGE);
        free_section(&s);
    }
    dl_config config;
    dl_data data = {0};
    dl_error error = {0};
    assert_int_equal(dl_config_parse(&config, "c.cfg", "data = 5;", &error), 0);
    assert_int_equal(dl_data_read(&data, &config, &error), -1);
    assert_int_equal(error.count, 1);
    dl_data_free(&data);
    dl_config_free(&config);
    dl_error_clear(&error);
}

static void test_shared_options(void **state) {
    (void)state;
    section s;
    save("a.csv", "u;v\n1;0\n2;1\n", 0);
    save("b.csv", "u,v\n3,1\n", 0);
    must_open(&s, "format = \"csv\"; delimiter = \";\"; target = \"v\"; train = { file = "
                  "\"a.csv\"; };\nvalidation = { file = \"b.csv\"; delimiter = \",\"; };");
    assert_int_equal(s.data.part[DL_TRAIN].count, 2);
    assert_int_equal(s.data.part[DL_VALIDATION].count, 1);
    assert_null(s.data.part[DL_TEST].dataset);
    assert_string_equal(s.data.dataset[DL_TRAIN].where, "c.cfg:2");
    assert_string_equal(s.data.dataset[DL_VALIDATION].where, "c.cfg:3");
    dl_text resolved = {0};
    dl_config_dump(&s.config, &resolved); /* and what it writes out reads the same */
    assert_non_null(strstr(resolved.data, "normalize = \"none\""));
    assert_non_null(strstr(resolved.data, "missing = \"error\""));
    dl_config again;
    dl_data data = {0};
    assert_int_equal(dl_config_parse(&again, "c.cfg", resolved.data, &s.error), 0);
    if (dl_data_read(&data, &again, &s.error) || dl_data_open(&data, &s.error))
        fail_msg("%s", dl_text_get(&s.error.text));
    assert_int_equal(data.part[DL_VALIDATION].count, 1);
    dl_data_free(&data);
    dl_config_free(&again);
    dl_text_free(&resolved);
    free_section(&s);
}

static void test_find(void **state) {
    (void)state;
    static const struct {
        const char *name, *message;
    } cases[] = {
        {"mnist/no-such-file.gz",
         "c.cfg:9: mnist/no-such-file.gz: not found (looked in the current folder, data/ and "
         "$DLTRAIN_DATA); scripts/get_data.sh mnist gets it"},
        {"data/iris/no-such-file", "; scripts/get_data.sh iris gets it"},
        {"/no/such/car/file", "c.cfg:9: /no/such/car/file: not found; scripts/get_data.sh car"},
        {"", "a file without a name: not found"},
    };
    dl_dataset dataset = {.where = "c.cfg:9"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dl_error error = {0};
        char *path = *cases[i].name ? dl_dataset_find(&dataset, cases[i].name, &error) : NULL;
        assert_null(path);
        if (*cases[i].name)
            assert_non_null(strstr(dl_text_get(&error.text), cases[i].message));
        dl_error_clear(&error);
    }
    dl_error error = {0};
    assert_null(dl_dataset_find(&dataset, "iris.csv", &error)); /* no folder of a public set */
    assert_null(strstr(dl_text_get(&error.text), "get_data"));
    assert_int_equal(error.code, DL_DATA);
    dl_error_clear(&error);
}

/* ---- splits ---- */

enum { ROWS = 1000, CLASSES = 4 };
static const int sizes[CLASSES] = {500, 333, 150, 17};

static void count_parts(const uint8_t *part_of, const int *class_of, int64_t count,
                        int64_t counts[DL_SPLITS][CLASSES]) {
    memset(counts, 0, sizeof(int64_t) * DL_SPLITS * CLASSES);
    for (int64_t i = 0; i < count; i++) {
        assert_true(part_of[i] < DL_SPLITS);
        counts[part_of[i]][class_of ? class_of[i] : 0]++;
    }
}

/* Rows of classes with the sizes above, mixed. */
static void make_classes(int class_of[ROWS]) {
    int left[CLASSES];
    memcpy(left, sizes, sizeof left);
    for (int i = 0, c = 0; i < ROWS; i++) {
        do
            c = (c + 1) % CLASSES;
        while (!left[c]);
        left[c]--;
        class_of[i] = c;
    }
}

static void test_stratified(void **state) {
    (void)state;
    static const double shares[] = {0.001, 0.0125, 0.1, 0.2, 0.25, 1.0 / 3, 0.45, 0.499};
    int class_of[ROWS];
    make_classes(class_of);
    for (size_t a = 0; a < sizeof shares / sizeof *shares; a++)
        for (size_t b = 0; b < sizeof shares / sizeof *shares; b++) {
            double share[DL_SPLITS] = {0, shares[a], shares[b]};
            int64_t counts[DL_SPLITS][CLASSES], total[DL_SPLITS] = {0};
            uint8_t part_of[ROWS];
            dl_split_rows(DL_SPLIT_STRATIFIED, class_of, CLASSES, ROWS, share, 3, part_of);
            count_parts(part_of, class_of, ROWS, counts);
            for (int p = DL_VALIDATION; p < DL_SPLITS; p++)
                for (int c = 0; c < CLASSES; c++) {
                    total[p] += counts[p][c];
                    double exact = share[p] * sizes[c];
                    if (!(fabs((double)counts[p][c] - exact) < 1))
                        fail_msg("class %d: %d rows of %g", c, (int)counts[p][c], exact);
                }
            assert_int_equal(total[DL_VALIDATION], llround(share[DL_VALIDATION] * ROWS));
            assert_int_equal(total[DL_TEST], llround(share[DL_TEST] * ROWS));
            for (int c = 0; c < CLASSES; c++)
                if (sizes[c] * (1 - shares[a] - shares[b]) > 2)
                    assert_true(counts[DL_TRAIN][c] > 0);
        }
}

/* Hamilton's method by hand: 10 rows of 5, 3, 2; 30 % is 1.5, 0.9, 0.6: 3 seats go 1, 1, 1. */
static void test_largest_remainders(void **state) {
    (void)state;
    static const int class_of[10] = {0, 1, 2, 0, 1, 2, 0, 1, 0, 0};
    const double share[DL_SPLITS] = {0, 0, 0.3};
    int64_t counts[DL_SPLITS][CLASSES];
    uint8_t part_of[10];
    dl_split_rows(DL_SPLIT_AUTO, class_of, 3, 10, share, 0, part_of);
    count_parts(part_of, class_of, 10, counts);
    assert_int_equal(counts[DL_TEST][0], 1);
    assert_int_equal(counts[DL_TEST][1], 1);
    assert_int_equal(counts[DL_TEST][2], 1);
}

/* Classes of a single row stay in training while there are others to take from. */
static void test_rare_classes(void **state) {
    (void)state;
    static const int class_of[12] = {0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3};
    const double share[DL_SPLITS] = {0, 0, 0.5};
    int64_t counts[DL_SPLITS][CLASSES];
    uint8_t part_of[12];
    dl_split_rows(DL_SPLIT_STRATIFIED, class_of, 4, 12, share, 0, part_of);
    count_parts(part_of, class_of, 12, counts);
    assert_int_equal(
        counts[DL_TEST][0] + counts[DL_TEST][1] + counts[DL_TEST][2] + counts[DL_TEST][3], 6);
    assert_int_equal(counts[DL_TEST][3], 5);
}

/* Classes that take turns do not lose the same turns. */
static void test_classes_are_drawn_apart(void **state) {
    (void)state;
    const double share[DL_SPLITS] = {0, 0, 0.5};
    int class_of[ROWS], same = 0;
    uint8_t part_of[ROWS];
    for (int i = 0; i < ROWS; i++)
        class_of[i] = i % 2;
    dl_split_rows(DL_SPLIT_STRATIFIED, class_of, 2, ROWS, share, 0, part_of);
    for (int i = 0; i < ROWS; i += 2)
        same += part_of[i] == part_of[i + 1];
    assert_in_range(same, 200, 300);
}

static void test_split_is_a_function_of_the_seed(void **state) {
    (void)state;
    int class_of[ROWS];
    uint8_t first[ROWS], second[ROWS];
    double share[DL_SPLITS] = {0, 0.1, 0.2};
    make_classes(class_of);
    for (int kind = DL_SPLIT_STRATIFIED; kind <= DL_SPLIT_RANDOM; kind++) {
        dl_split_rows((dl_split_kind)kind, class_of, CLASSES, ROWS, share, 3, first);
        dl_split_rows((dl_split_kind)kind, class_of, CLASSES, ROWS, share, 3, second);
        assert_memory_equal(first, second, ROWS);
        dl_split_rows((dl_split_kind)kind, class_of, CLASSES, ROWS, share, 4, second);
        int same = 0;
        for (int i = 0; i < ROWS; i++)
            same += first[i] == DL_TEST && second[i] == DL_TEST;
        assert_in_range(same, 20, 65); /* 40 by chance, of 200 */
        double without[DL_SPLITS] = {0, 0, 0.2};
        dl_split_rows((dl_split_kind)kind, class_of, CLASSES, ROWS, without, 3, second);
        for (int i = 0; i < ROWS; i++)
            assert_true((first[i] == DL_TEST) == (second[i] == DL_TEST));
    }
}

static void test_random_and_tail(void **state) {
    (void)state;
    const double share[DL_SPLITS] = {0, 0.1, 0.25};
    int64_t counts[DL_SPLITS][CLASSES];
    uint8_t part_of[ROWS];
    dl_split_rows(DL_SPLIT_RANDOM, NULL, 0, ROWS, share, 0, part_of);
    count_parts(part_of, NULL, ROWS, counts);
    assert_int_equal(counts[DL_VALIDATION][0], 100);
    assert_int_equal(counts[DL_TEST][0], 250);
    int beginning = 0;
    for (int i = 0; i < ROWS / 2; i++)
        beginning += part_of[i] == DL_TEST;
    assert_in_range(beginning, 90, 160);
    dl_split_rows(DL_SPLIT_TAIL, NULL, 0, ROWS, share, 0, part_of);
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(part_of[i], i < 650 ? DL_TRAIN : i < 750 ? DL_VALIDATION : DL_TEST);
}

/* n rows of class i % 3, with the row's number as the input. */
static void save_rows(const char *name, int n) {
    dl_text text = {0};
    dl_text_add(&text, "x,c\n");
    for (int i = 0; i < n; i++)
        dl_text_add(&text, "%d,%s\n", i, i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c");
    save(name, text.data, 0);
    dl_text_free(&text);
}

static void test_parts(void **state) {
    (void)state;
    section s;
    save_rows("a.csv", 300);
    must_open(&s, "format = \"csv\"; train = { file = \"a.csv\"; }; validation = 0.1; test = 0.2;");
    bool seen[300] = {false};
    for (int p = 0; p < DL_SPLITS; p++) {
        const dl_subset *part = &s.data.part[p];
        assert_ptr_equal(part->dataset, &s.data.dataset[DL_TRAIN]);
        assert_int_equal(part->count, p == DL_TRAIN ? 210 : p == DL_VALIDATION ? 30 : 60);
        for (int c = 0; c < 3; c++)
            assert_int_equal(part->class_count[c], part->count / 3);
        for (int64_t i = 0; i < part->count; i++) {
            assert_true(i == 0 || part->index[i] > part->index[i - 1]);
            assert_in_range(part->index[i], 0, 299);
            assert_false(seen[part->index[i]]);
            seen[part->index[i]] = true;
        }
    }
    free_section(&s);
    refuses_open("format = \"csv\"; train = { file = \"a.csv\"; };\nvalidation = 0.001;", DL_DATA,
                 "c.cfg:3: of 300 rows none would be for validation");
    refuses_open("format = \"csv\"; train = { file = \"a.csv\"; };\ntest = 0.999;", DL_DATA,
                 "c.cfg:2: of 300 rows none is left for training");
    refuses_open("format = \"csv\"; train = { file = \"a.csv\"; target = \"x\"; };\n"
                 "split = \"stratified\"; test = 0.1;",
                 DL_USAGE, "c.cfg:3: \"split\" cannot be \"stratified\"");
    save("a.csv", "x,c\n1,a\n2,a\n3,b\n", 0);
    refuses_open("format = \"csv\"; train = { file = \"a.csv\"; }; split = \"tail\"; test = 0.4;",
                 DL_DATA, "c.cfg:2: all 2 rows for training are of one class, \"a\"");
    save("a.csv", "x,c\n1,1\n2,1\n", 0);
    refuses_open("format = \"csv\"; train = { file = \"a.csv\"; };", DL_DATA,
                 "of one class, \"1\"");
}

/* A part opened by itself has the rows, schema and normalization that it had in training. */
static void test_open_part(void **state) {
    (void)state;
    static const char *const texts[] = {
        "format = \"csv\"; train = { file = \"a.csv\"; }; validation = 0.1; test = 0.2; normalize "
        "= "
        "\"mean_std\";",
        "format = \"csv\"; train = { file = \"a.csv\"; }; test = { file = \"b.csv\"; }; normalize "
        "= "
        "\"min_max\";",
    };
    for (int t = 0; t < 2; t++) {
        section all, one;
        save_rows("a.csv", 300);
        save_rows("b.csv", 30);
        must_open(&all, texts[t]);
        must_read(&one, texts[t]);
        if (t)
            unlink("a.csv"); /* files of its own: no other is needed */
        if (dl_data_open_part(&one.data, DL_TEST, &all.data.schema, &all.data.input,
                              &all.data.target, &one.error))
            fail_msg("%s", dl_text_get(&one.error.text));
        const dl_subset *a = &all.data.part[DL_TEST], *b = &one.data.part[DL_TEST];
        assert_int_equal(a->count, b->count);
        assert_memory_equal(a->index, b->index, sizeof(int64_t) * (size_t)a->count);
        assert_memory_equal(a->class_count, b->class_count, sizeof(int64_t) * 3);
        assert_int_equal(one.data.input.count, 1);
        assert_true(one.data.input.shift[0] == all.data.input.shift[0]);
        assert_true(one.data.input.scale[0] == all.data.input.scale[0]);
        assert_true(one.data.input.shift != all.data.input.shift);
        assert_string_equal(one.data.schema.class_names[2], "c");
        free_section(&one);
        must_read(&one, texts[t]);
        if (t) {
            assert_int_equal(dl_data_open_part(&one.data, DL_VALIDATION, &all.data.schema, NULL,
                                               NULL, &one.error),
                             -1);
            assert_non_null(strstr(dl_text_get(&one.error.text), "no data.validation"));
        }
        free_section(&one);
        free_section(&all);
    }
}

/* ---- normalization ---- */

static void near(double value, double wanted) {
    if (!(fabs(value - wanted) <= 1e-6 * (1 + fabs(wanted))))
        fail_msg("%.9g, not %.9g", value, wanted);
}

/* The row normalized, and brought back. */
static void check_row(const section *s, int64_t row, const double *wanted, int count) {
    float x[16], raw[16];
    dl_error error = {0};
    const dl_dataset *set = &s->data.dataset[DL_TRAIN];
    assert_int_equal(set->type->read(set, row, x, NULL, &error), 0);
    memcpy(raw, x, sizeof x);
    dl_normalize(&s->data.input, x, 1, count);
    for (int i = 0; i < count; i++)
        near((double)x[i], wanted[i]);
    dl_denormalize(&s->data.input, x, 1, count);
    for (int i = 0; i < count; i++)
        near((double)x[i], (double)raw[i]);
}

/* Rows 0..3 are for training: a: 1 2 3 6 (mean 3, variance 3.5), always 5, one-hot p q, -8 0 4 4
   (mean 0, variance 24). The last row would spoil every statistic. */
static void test_normalize_tables(void **state) {
    (void)state;
    static const char rows[] = "a,k,h,b,y\n1,5,p,-8,1.5\n2,5,q,0,2.5\n3,5,p,4,3.5\n6,5,q,4,8.5\n"
                               "1000,99,q,-1000,1\n";
    static const char *const config = "format = \"csv\"; train = { file = \"a.csv\"; }; split = "
                                      "\"tail\"; test = 0.2; normalize_target = \"mean_std\"; %s";
    static const struct {
        const char *options;
        double first[5];
    } cases[] = {
        {"normalize = \"none\";", {1, 5, 1, 0, -8}},
        {"normalize = \"mean_std\";", {-2 / 1.8708287, 0, 1, 0, -8 / 4.8989795}},
        {"normalize = \"mean_std\"; normalize_by = \"channel\";",
         {-2 / 1.8708287, 0, 1, 0, -8 / 4.8989795}},
        {"normalize = \"min_max\";", {0, 0, 1, 0, 0}},
        {"normalize = \"scale\";", {1 / 6.0, 1, 1, 0, -1}},
        /* 12 numbers: mean 32/12, variance (50 + 100 + 96)/12 - mean^2 */
        {"normalize = \"mean_std\"; normalize_by = \"global\";",
         {(1 - 2.6666667) / 3.6590831, (5 - 2.6666667) / 3.6590831, 1, 0,
          (-8 - 2.6666667) / 3.6590831}},
        {"normalize = \"min_max\"; normalize_by = \"global\";", {9 / 14.0, 13 / 14.0, 1, 0, 0}},
        {"normalize = \"scale\"; normalize_by = \"global\";", {1 / 8.0, 5 / 8.0, 1, 0, -1}},
    };
    save("a.csv", rows, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        section s;
        dl_text text = {0};
        dl_text_add(&text, config, cases[i].options);
        must_open(&s, text.data);
        dl_text_free(&text);
        check_row(&s, 0, cases[i].first, 5);
        assert_int_equal(s.data.target.count, 1);
        near((double)s.data.target.shift[0], 4); /* targets 1.5 2.5 3.5 8.5 */
        near(1 / (double)s.data.target.scale[0], sqrt(7.25));
        free_section(&s);
    }
}

/* Two images of 1x2 with two channels, as bytes: channel 0 is 0 10 20 30, channel 1 is 100 100 100
   104. */
static void test_normalize_images(void **state) {
    (void)state;
    static const char *const config =
        "format = \"idx\"; train = { images = \"x\"; labels = \"y\"; }; %s";
    static const struct {
        const char *options;
        double second[4];
        int count;
    } cases[] = {
        {"normalize = \"scale\";", {20 / 255.0, 100 / 255.0, 30 / 255.0, 104 / 255.0}, 1},
        {"normalize = \"mean_std\";",
         {5 / 11.180340, -1 / 1.7320508, 15 / 11.180340, 3 / 1.7320508},
         2},
        {"normalize = \"min_max\"; normalize_by = \"global\";",
         {20 / 104.0, 100 / 104.0, 30 / 104.0, 1},
         1},
        {"normalize = \"mean_std\"; normalize_by = \"feature\";", {1, 0, 1, 1}, 4},
    };
    save("x",
         "\0\0\x08\4\0\0\0\2\0\0\0\1\0\0\0\2\0\0\0\2\0d\nd\x14"
         "d\x1eh",
         28);
    save("y", "\0\0\x08\1\0\0\0\2\0\1", 10);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        section s;
        dl_text text = {0};
        dl_text_add(&text, config, cases[i].options);
        must_open(&s, text.data);
        dl_text_free(&text);
        assert_int_equal(s.data.input.count, cases[i].count);
        check_row(&s, 1, cases[i].second, 4);
        free_section(&s);
    }
    refuses_open("format = \"idx\"; train = { images = \"x\"; labels = \"y\"; };\nnormalize_target "
                 "= \"mean_std\";",
                 DL_USAGE, "c.cfg:3: \"normalize_target\" is for regression");
}

/* Any number of channels and any size, against the plain formula. */
static void test_apply(void **state) {
    (void)state;
    static const int counts[] = {1, 2, 3, 5, 64, 127, 128, 129, 200, 256, 300, 768};
    static float x[3 * 768 * 3], wanted[3 * 768 * 3];
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (int k = 0; k < 3; k++) {
            float shift[768], scale[768];
            int n = counts[c], size = k < 2 ? n * (k + 1) : n * (768 / n + 2);
            for (int i = 0; i < n; i++) {
                shift[i] = (float)(i % 7);
                scale[i] = 1 / (float)(1 + i % 5);
            }
            for (int i = 0; i < 3 * size; i++) {
                x[i] = (float)(i % 1001);
                wanted[i] = (x[i] - shift[i % size % n]) * scale[i % size % n];
            }
            dl_normalization normalization = {n, shift, scale};
            dl_normalize(&normalization, x, 3, size);
            assert_memory_equal(x, wanted, sizeof(float) * (size_t)(3 * size));
            dl_denormalize(&normalization, x, 3, size);
            for (int i = 0; i < 3 * size; i++)
                near((double)x[i], i % 1001);
        }
    dl_normalization nothing = {0};
    float one = 3;
    dl_normalize(&nothing, &one, 1, 1);
    assert_true(one == 3);
}

/* Large numbers that differ little, and a first row far from all others, cost no digits. */
static void test_statistics_are_exact(void **state) {
    (void)state;
    section s;
    dl_text text = {0};
    dl_text_add(&text, "a,b,c,y\n");
    for (int i = 0; i < 1000; i++)
        dl_text_add(&text, "%d,%s,0.1,%d.5\n", 16000000 + i % 2, i ? i % 2 ? "1" : "2" : "1e7", i);
    save("a.csv", text.data, 0);
    dl_text_free(&text);
    must_open(&s, "format = \"csv\"; train = { file = \"a.csv\"; }; normalize = \"mean_std\";");
    near(1 / (double)s.data.input.scale[0], 0.5);
    double mean = (1e7 + 500 * 1 + 499 * 2) / 1000;
    double square = (1e14 + 500 * 1 + 499 * 4) / 1000;
    near((double)s.data.input.shift[1], mean);
    near(1 / (double)s.data.input.scale[1], sqrt(square - mean * mean));
    assert_true(s.data.input.scale[2] == 1); /* 0.1 is never anything else */
    assert_true(s.data.input.shift[2] == 0.1f);
    free_section(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes_in_the_config),
        cmocka_unit_test(test_shared_options),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_stratified),
        cmocka_unit_test(test_largest_remainders),
        cmocka_unit_test(test_rare_classes),
        cmocka_unit_test(test_classes_are_drawn_apart),
        cmocka_unit_test(test_split_is_a_function_of_the_seed),
        cmocka_unit_test(test_random_and_tail),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_open_part),
        cmocka_unit_test(test_normalize_tables),
        cmocka_unit_test(test_normalize_images),
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_statistics_are_exact),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

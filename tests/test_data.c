/* SPDX-License-Identifier: MIT */
/* The data section: what its config may say, and the parts that come of it. */
#include "data_harness.h"

/* ---- the config ---- */

static void test_config_errors(void **state) {
    (void)state;
    static const struct {
        const char *text, *messages;
        int count;
    } cases[] = {
        {"train = {};", "c.cfg:1: format = ", 1},
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
         "c.cfg:3: \"validation\" must be a fraction between 0 and 1", 1},
        {"format = \"csv\"; train = { file = \"a\"; };\ntest = 1.0;", "c.cfg:3: \"test\" must be",
         1},
        {"format = \"csv\"; train = { file = \"a\"; };\ntest = \"b\";", "c.cfg:3: \"test\" must",
         1},
        {"format = \"csv\"; train = { file = \"a\"; };\ntest = -0.5;", "c.cfg:3: \"test\" must", 1},
        {"format = \"csv\"; train = { file = \"a\"; };\nvalidation = 0.5; test = 0.5;",
         "c.cfg:3: the fractions for validation (0.5) and test (0.5) leave nothing", 1},
        {"format = \"csv\"; train = { file = \"a\"; }; images = \"x\";",
         "data has no key \"images\"", 1},
        {"format = \"csv\"; train = { file = \"a\"; };\nnormalise = \"scale\";",
         "c.cfg:3: data has no key \"normalise\" (did you mean \"normalize\"?)", 1},
        {"format = \"csv\"; train = { file = \"a\"; };\nnormalize = \"std\";",
         "c.cfg:3: \"normalize\" must be one of", 1},
        /* what all parts share is told once; every mistake in one run */
        {"format = \"csv\"; train = { file = \"a\"; };\ntest = { file = \"b\"; };\ndelimiter = 5;",
         "c.cfg:4: \"delimiter\" must be a string, not an integer", 1},
        {"format = \"csv\"; header = 1; train = { file = 3; };\ntest = {};\nsplit = 1; valid = 2;",
         "c.cfg:3: data.test needs \"file\"", 5},
        {"format = \"cvs\"; header = 1; images = 2; train = { what = 1; };", "no data format", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        section s;
        assert_int_equal(section_read(&s, cases[i].text), -1);
        const char *text = dl_text_get(&s.error.text);
        if (!strstr(text, cases[i].messages) || s.error.count != cases[i].count)
            fail_msg("not %d errors with \"%s\": %s", cases[i].count, cases[i].messages, text);
        assert_int_equal(s.error.code, DL_USAGE);
        section_free(&s);
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
    save_text("a.csv", "u;v\n1;0\n2;1\n");
    save_text("b.csv", "u,v\n3,1\n");
    section_must_open(&s, "format = \"csv\"; delimiter = \";\"; target = \"v\"; train = { file = "
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
    section_free(&s);
}

static void test_find(void **state) {
    (void)state;
    static const struct {
        const char *name, *message;
    } cases[] = {
        {"mnist/no-such-file.gz", "c.cfg:9: mnist/no-such-file.gz: not found (looked in the "
                                  "current folder, the config's folder, data/ and "
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

/* ---- parts ---- */

/* n rows of class i % 3, with the row's number as the input. */
static void save_rows(const char *name, int n) {
    dl_text text = {0};
    dl_text_add(&text, "x,c\n");
    for (int i = 0; i < n; i++)
        dl_text_add(&text, "%d,%s\n", i, i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c");
    save_text(name, text.data);
    dl_text_free(&text);
}

static void test_parts(void **state) {
    (void)state;
    section s;
    save_rows("a.csv", 300);
    section_must_open(
        &s, "format = \"csv\"; train = { file = \"a.csv\"; }; validation = 0.1; test = 0.2;");
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
    section_free(&s);
    section_refuses("format = \"csv\"; train = { file = \"a.csv\"; };\nvalidation = 0.001;",
                    DL_DATA, "c.cfg:3: none of 300 rows would be used for validation");
    section_refuses("format = \"csv\"; train = { file = \"a.csv\"; };\ntest = 0.999;", DL_DATA,
                    "c.cfg:2: none of 300 rows is left for training");
    section_refuses("format = \"csv\"; train = { file = \"a.csv\"; target = \"x\"; };\n"
                    "split = \"stratified\"; test = 0.1;",
                    DL_USAGE, "c.cfg:3: \"split\" cannot be \"stratified\"");
    save_text("a.csv", "x,c\n1,a\n2,a\n3,b\n");
    section_refuses(
        "format = \"csv\"; train = { file = \"a.csv\"; }; split = \"tail\"; test = 0.4;", DL_DATA,
        "c.cfg:2: all 2 training rows have one class, \"a\"");
    save_text("a.csv", "x,c\n1,1\n2,1\n");
    section_refuses("format = \"csv\"; train = { file = \"a.csv\"; };", DL_DATA,
                    "have one class, \"1\"");
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
        section_must_open(&all, texts[t]);
        section_must_read(&one, texts[t]);
        if (t)
            unlink("a.csv"); /* files of its own: no other is needed */
        if (dl_data_open_part(&one.data, DL_TEST, &all.data.base, &all.data.input, &all.data.target,
                              &one.error))
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
        section_free(&one);
        section_must_read(&one, texts[t]);
        if (t) {
            assert_int_equal(
                dl_data_open_part(&one.data, DL_VALIDATION, &all.data.base, NULL, NULL, &one.error),
                -1);
            assert_non_null(strstr(dl_text_get(&one.error.text), "no data.validation"));
        }
        section_free(&one);
        section_free(&all);
    }
}

/* predict = "input": the target is the input, and normalized alike. */
static void test_predict_input(void **state) {
    (void)state;
    section s;
    float x[2], y[2];
    save_text("a.csv", "u,v,c\n1,5,a\n2,7,b\n3,9,a\n4,5,b\n");
    section_must_open(&s, "format = \"csv\"; train = { file = \"a.csv\"; }; predict = \"input\"; "
                          "test = 0.5; normalize = \"min_max\";");
    assert_int_equal(s.data.base.classes, 2);
    assert_int_equal(s.data.schema.classes, 0);
    assert_int_equal(s.data.schema.outputs, 2);
    const dl_subset *train = &s.data.part[DL_TRAIN];
    assert_int_equal(train->count, 2);
    assert_int_equal(s.data.target.count, s.data.input.count);
    assert_memory_equal(s.data.target.scale, s.data.input.scale, 2 * sizeof(float));
    for (int64_t i = 0; i < train->count; i++) {
        const dl_dataset *set = train->dataset;
        assert_int_equal(set->type->read(set, train->index[i], x, y, &s.error), 0);
        assert_true(x[0] == y[0] && x[1] == y[1] && x[0] == (float)train->index[i] + 1);
        y[0] = 0;
        assert_int_equal(set->type->read(set, train->index[i], NULL, y, &s.error), 0);
        assert_true(x[0] == y[0]);
    }
    section_free(&s);
    section_refuses("format = \"csv\"; train = { file = \"a.csv\"; }; predict = \"input\";\n"
                    "normalize_target = \"mean_std\";",
                    DL_USAGE, "c.cfg:3: \"normalize_target\" has no effect");
}

/* predict = "color": the grey of an image, and its red, green and blue. */
static void test_predict_color(void **state) {
    (void)state;
    static const unsigned char images[] = {0,  0,   8,   4,   0, 0, 0, 2,   0, 0,  0,
                                           1,  0,   0,   0,   2, 0, 0, 0,   3, 10, 20,
                                           30, 255, 255, 255, 0, 0, 0, 100, 0, 0},
                               labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 0, 1};
    section s;
    float x[2], y[6];
    save_bytes("x", images, sizeof images);
    save_bytes("y", labels, sizeof labels);
    section_must_open(&s, "format = \"idx\"; train = { images = \"x\"; labels = \"y\"; }; "
                          "predict = \"color\"; normalize = \"min_max\";");
    assert_int_equal(s.data.schema.input.dim[2], 1);
    assert_int_equal(s.data.schema.outputs, 6);
    assert_int_equal(s.data.input.count, 1);
    assert_int_equal(s.data.target.count, 3);
    const dl_dataset *set = s.data.part[DL_TRAIN].dataset;
    for (int with_y = 0; with_y < 2; with_y++) {
        assert_int_equal(set->type->read(set, 0, x, with_y ? y : NULL, &s.error), 0);
        assert_true(fabsf(x[0] - 18.15f) < 1e-4f && fabsf(x[1] - 255) < 1e-3f);
    }
    assert_true(y[0] == 10 && y[2] == 30 && y[3] == 255);
    assert_int_equal(set->type->read(set, 1, NULL, y, &s.error), 0);
    assert_true(y[0] == 0 && y[3] == 100 && y[4] == 0);
    section_free(&s);
    save_text("a.csv", "u,v,c\n1,5,a\n2,7,b\n");
    section_refuses("format = \"csv\"; train = { file = \"a.csv\"; };\npredict = \"color\";",
                    DL_USAGE, "c.cfg:3: predict = \"color\" needs RGB images");
}

/* predict = "same": pairs within a part, half of them of one class, the same in every pass. */
static void test_predict_same(void **state) {
    (void)state;
    section s;
    const char *text = "format = \"csv\"; train = { file = \"a.csv\"; }; predict = \"same\"; "
                       "test = 0.5; normalize = \"mean_std\";";
    save_rows("a.csv", 600);
    section_must_open(&s, text);
    assert_int_equal(s.data.schema.input.dim[0], 2);
    assert_int_equal(s.data.schema.classes, 2);
    assert_int_equal(s.data.input.count, 1);
    assert_string_equal(s.data.schema.class_names[1], "same");
    for (int p = DL_TRAIN; p <= DL_TEST; p += DL_TEST - DL_TRAIN) {
        const dl_subset *part = &s.data.part[p];
        bool mine[600] = {false};
        for (int64_t i = 0; i < part->count; i++)
            mine[part->index[i]] = true;
        int same = 0, partners[3] = {0};
        for (int64_t i = 0; i < part->count; i++) {
            float x[2], y, again[2], y_again;
            const dl_dataset *set = part->dataset;
            assert_int_equal(set->type->read(set, part->index[i], x, &y, &s.error), 0);
            assert_int_equal(set->type->read(set, part->index[i], again, NULL, &s.error), 0);
            assert_int_equal(set->type->read(set, part->index[i], NULL, &y_again, &s.error), 0);
            assert_true(x[0] == (float)part->index[i] && mine[(int)x[1]]);
            assert_true(y == (float)((int)x[0] % 3 == (int)x[1] % 3));
            assert_true(x[0] == again[0] && x[1] == again[1] && y == y_again);
            same += y == 1;
            partners[(int)x[1] % 3]++;
        }
        assert_in_range(same, 120, 180); /* of 300 */
        for (int c = 0; c < 3; c++)
            assert_in_range(partners[c], 70, 130);
    }
    section one; /* a part opened by itself has the same pairs */
    section_must_read(&one, text);
    assert_int_equal(dl_data_open_part(&one.data, DL_TEST, &s.data.base, &s.data.input,
                                       &s.data.target, &one.error),
                     0);
    const dl_subset *a = &s.data.part[DL_TEST], *b = &one.data.part[DL_TEST];
    for (int64_t i = 0; i < a->count; i++) {
        float x[2], z[2];
        a->dataset->type->read(a->dataset, a->index[i], x, NULL, &s.error);
        b->dataset->type->read(b->dataset, b->index[i], z, NULL, &s.error);
        assert_true(x[0] == z[0] && x[1] == z[1]);
    }
    section_free(&one);
    section_free(&s);
    section_refuses("format = \"csv\"; train = { file = \"a.csv\"; target = \"x\"; };\n"
                    "predict = \"same\";",
                    DL_USAGE, "c.cfg:3: predict = \"same\" needs one class per row");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_errors), cmocka_unit_test(test_shared_options),
        cmocka_unit_test(test_find),          cmocka_unit_test(test_parts),
        cmocka_unit_test(test_open_part),     cmocka_unit_test(test_predict_input),
        cmocka_unit_test(test_predict_color), cmocka_unit_test(test_predict_same),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

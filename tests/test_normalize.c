/* SPDX-License-Identifier: MIT */
/* How numbers are normalized, against numbers worked out by hand. */
#include "data_harness.h"

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
    save_text("a.csv", rows);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        section s;
        dl_text text = {0};
        dl_text_add(&text, config, cases[i].options);
        section_must_open(&s, text.data);
        dl_text_free(&text);
        check_row(&s, 0, cases[i].first, 5);
        assert_int_equal(s.data.target.count, 1);
        near((double)s.data.target.shift[0], 4); /* targets 1.5 2.5 3.5 8.5 */
        near(1 / (double)s.data.target.scale[0], sqrt(7.25));
        section_free(&s);
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
    save_bytes("x",
               "\0\0\x08\4\0\0\0\2\0\0\0\1\0\0\0\2\0\0\0\2\0d\nd\x14"
               "d\x1eh",
               28);
    save_bytes("y", "\0\0\x08\1\0\0\0\2\0\1", 10);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        section s;
        dl_text text = {0};
        dl_text_add(&text, config, cases[i].options);
        section_must_open(&s, text.data);
        dl_text_free(&text);
        assert_int_equal(s.data.input.count, cases[i].count);
        check_row(&s, 1, cases[i].second, 4);
        section_free(&s);
    }
    section_refuses(
        "format = \"idx\"; train = { images = \"x\"; labels = \"y\"; };\nnormalize_target "
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
    save_text("a.csv", text.data);
    dl_text_free(&text);
    section_must_open(&s,
                      "format = \"csv\"; train = { file = \"a.csv\"; }; normalize = \"mean_std\";");
    near(1 / (double)s.data.input.scale[0], 0.5);
    double mean = (1e7 + 500 * 1 + 499 * 2) / 1000;
    double square = (1e14 + 500 * 1 + 499 * 4) / 1000;
    near((double)s.data.input.shift[1], mean);
    near(1 / (double)s.data.input.scale[1], sqrt(square - mean * mean));
    assert_true(s.data.input.scale[2] == 1); /* 0.1 is never anything else */
    assert_true(s.data.input.shift[2] == 0.1f);
    section_free(&s);
}

/* Timestamps: float holds every 64th whole number near 1e9, double all. */
static void test_normalize_far_from_zero(void **state) {
    (void)state;
    static const char *const config =
        "format = \"csv\"; train = { file = \"far.csv\"; task = \"regression\"; }; %s";
    save_text("far.csv", "t,y\n1000000001,2000000002.5\n1000000002,2000000003.5\n"
                         "1000000003,2000000004.5\n1000000006,2000000009.5\n");
    static const char *const options[] = {
        "normalize = \"mean_std\"; normalize_target = \"mean_std\";", "normalize = \"min_max\";",
        "normalize = \"scale\";"};
    static const double x[][4] = {{-2, -1, 0, 3}, {0, 0.2, 0.4, 1}, {1, 1, 1, 1}};
    static const double width[] = {1.8708287, 1, 1};
    for (int k = 0; k < 3; k++) {
        section s;
        dl_text text = {0};
        dl_text_add(&text, config, options[k]);
        section_must_open(&s, text.data);
        dl_text_free(&text);
        const char *warned = dl_text_get(&s.data.notes.warned);
        assert_true(!strstr(warned, "\"t\": 3 of 4 distinct values") == (k < 2));
        assert_true(!strstr(warned, "\"y\": 3 of 4 distinct values") == (k < 1));
        for (int64_t i = 0; i < 4; i++) {
            float value, target;
            dl_error error = {0};
            assert_int_equal(dl_dataset_read(&s.data.dataset[DL_TRAIN], i, &value, &target, &error),
                             0);
            dl_normalize(&s.data.input, &value, 1, 1);
            near((double)value, x[k][i] / width[k]);
            dl_normalize(&s.data.target, &target, 1, 1);
            if (!k)
                near((double)target, (double[]){-2.5, -1.5, -0.5, 4.5}[i] / sqrt(7.25));
        }
        section_free(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normalize_tables),     cmocka_unit_test(test_normalize_far_from_zero),
        cmocka_unit_test(test_normalize_images),     cmocka_unit_test(test_apply),
        cmocka_unit_test(test_statistics_are_exact),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

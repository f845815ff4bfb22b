/* SPDX-License-Identifier: MIT */
/* math: elementary functions, masks, sums, windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "math/activation.h"
#include "math/backend.h"
#include "math/blas_core.h"
#include "math/gemm.h"
#include "math/mask.h"
#include "math/onednn.h"
#include "math/packed.h"
#include "math/scalar.h"
#include "math/threads.h"
#include "math/vector.h"
#include "math/window.h"

static double ulps(float got, double want) {
    float nearest = (float)want;
    double unit = nextafterf(fabsf(nearest), INFINITY) - fabsf(nearest);
    return fabs((double)got - want) / unit;
}

static void test_elementary(void **state) {
    (void)state;
    double worst_exp = 0, worst_tanh = 0, worst_sigmoid = 0, worst_erf = 0, worst_log1p = 0;
    for (float x = -87; x < 88.7f; x += 0.00137f) {
        worst_exp = fmax(worst_exp, ulps(dl_exp(x), exp(x)));
        worst_tanh = fmax(worst_tanh, ulps(dl_tanh(x), tanh(x)));
        worst_erf = fmax(worst_erf, ulps(dl_erf(x / 10), erf((double)(x / 10))));
        worst_log1p =
            fmax(worst_log1p, ulps(dl_log1p(fabsf(x) / 100), log1p((double)(fabsf(x) / 100))));
        if (x > -80)
            worst_sigmoid = fmax(worst_sigmoid, ulps(dl_sigmoid(x), 1 / (1 + exp(-(double)x))));
    }
    assert_true(worst_exp < 2 && worst_tanh < 3 && worst_sigmoid < 3);
    assert_true(worst_erf < 2 && worst_log1p < 2);
    assert_true(isnan(dl_erf(NAN)) && isnan(dl_log1p(NAN)) && dl_erf(INFINITY) == 1);
    assert_true(dl_exp(0) == 1 && dl_exp(-200) == 0 && isinf(dl_exp(100)));
    assert_true(isnan(dl_exp(NAN)) && isnan(dl_tanh(NAN)) && isnan(dl_sigmoid(NAN)));
    assert_true(dl_tanh(50) == 1 && dl_tanh(-50) == -1 && dl_tanh(INFINITY) == 1);
    assert_true(dl_sigmoid(-200) == 0 && dl_sigmoid(200) == 1);
    assert_true(fabs(dl_softplus(1000) - 1000) < 1e-9 && dl_softplus(-1000) == 0);
}

/* The vectorized words are those of dl_random_words, so masks use the same generator. */
static void test_mask(void **state) {
    (void)state;
    enum { N = 100003 };
    float *ones = xmalloc(sizeof *ones * N), *a = xmalloc(sizeof *a * N);
    float *b = xmalloc(sizeof *b * N);
    for (int i = 0; i < N; i++)
        ones[i] = 1;
    dl_draw draw = {42, DL_FOR_DROPOUT, 3, 1, 9};
    dl_threads_set(1);
    dl_mask_random(&draw, 0.3, N, ones, a);
    dl_threads_set(2);
    dl_mask_random(&draw, 0.3, N, ones, b);
    assert_memory_equal(a, b, sizeof *a * N);
    int kept = 0, pairs = 0;
    for (int i = 0; i < N; i++) {
        assert_true(a[i] == 0 || fabsf(a[i] - 1 / 0.7f) < 1e-4f);
        kept += a[i] != 0;
        pairs += i && a[i] != 0 && a[i - 1] != 0;
    }
    assert_true(fabs((double)kept / N - 0.7) < 0.008);
    assert_true(fabs((double)pairs / N - 0.49) < 0.01);
    uint32_t words[4];
    for (uint32_t block = 0; block < 16; block++) {
        dl_random_words(&draw, block, words);
        for (int w = 0; w < 4; w++) {
            assert_int_equal(a[w * 16 + block] != 0, (words[w] & 0xFFFF) < 45875);
            assert_int_equal(a[64 + w * 16 + block] != 0, (words[w] >> 16) < 45875);
        }
    }
    draw.step++;
    dl_mask_random(&draw, 0.3, N, ones, b);
    assert_memory_not_equal(a, b, sizeof *a * N);
    free(ones);
    free(a);
    free(b);
}

static void test_sums(void **state) {
    (void)state;
    enum { N = 1000003 };
    float *x = xmalloc(sizeof *x * N);
    double squares = 0;
    dl_random_normal(&(dl_draw){1, DL_FOR_TEST, 0, 0, 0}, 0, N, x);
    for (int i = 0; i < N; i++)
        squares += (double)x[i] * x[i];
    double seen[2];
    for (int t = 1; t <= 2; t++) {
        dl_threads_set(t);
        seen[t - 1] = dl_sum_of_squares(x, N);
        assert_true(fabs(seen[t - 1] / squares - 1) < 1e-6);
    }
    assert_true(seen[0] == seen[1]);
    assert_int_equal(dl_find_not_finite(x, N), -1);
    x[777] = INFINITY;
    x[888] = NAN;
    assert_int_equal(dl_find_not_finite(x, N), 777);
    assert_true(dl_sum_of_squares(x, 0) == 0);
    float huge[2] = {3e30f, 4e30f}; /* whose squares are no floats */
    assert_true(fabs(sqrt(dl_sum_of_squares(huge, 2)) / 5e30 - 1) < 1e-6);
    free(x);
}

static void test_windows(void **state) {
    (void)state;
    dl_window w;
    dl_error error = {0};
    int64_t three[2] = {3, 3}, one[2] = {1, 1}, two[2] = {2, 2}, four[2] = {4, 4};
    int64_t same[2] = {DL_PAD_SAME, DL_PAD_SAME}, valid[2] = {DL_PAD_VALID, DL_PAD_VALID};
    dl_shape image = dl_shape3(7, 8, 2);
    assert_int_equal(dl_window_set(&w, image, three, one, same, "x", &error), 0);
    assert_true(w.out_height == 7 && w.out_width == 8 && w.before[0] == 1);
    assert_int_equal(dl_window_set(&w, image, three, two, same, "x", &error), 0);
    assert_true(w.out_height == 4 && w.out_width == 4 && w.before[0] == 1 && w.before[1] == 0);
    assert_int_equal(dl_window_set(&w, image, four, two, valid, "x", &error), 0);
    assert_true(w.out_height == 2 && w.out_width == 3);
    assert_int_equal(dl_window_set(&w, dl_shape3(3, 3, 1), four, one, valid, "f:1", &error), -1);
    assert_string_equal(error.text.data, "f:1: a 4x4 window does not fit into its input of 3x3x1");
    dl_error_clear(&error);
    assert_int_equal(dl_window_set(&w, image, three, one, four, "x", &error), -1);
    dl_error_clear(&error);
    assert_int_equal(dl_window_set(&w, dl_shape1(5), three, one, valid, "x", &error), -1);
    dl_error_clear(&error);
}

/* Products of every kind against their definition, by each backend; large ones also as bfloat16. */
static void check_product(int64_t m, int64_t n, int64_t k, bool bf16) {
    int64_t sizes[3] = {m * k, k * n, m * n};
    float *t[4];
    for (int i = 0; i < 4; i++) {
        int64_t size = i < 3 ? sizes[i] : n;
        t[i] = dl_memory_aligned(sizeof **t * (size_t)size);
        dl_random_normal(&(dl_draw){1, DL_FOR_TEST, (uint16_t)i, 0, 0}, 0, size, t[i]);
    }
    float *a = t[0], *b = t[1], *c = t[2], *bias = t[3];
    float *before = xmalloc(sizeof *before * (size_t)(m * n));
    double tolerance = (bf16 ? 0.02 : 3e-6) * sqrt((double)k);
    dl_backend_set_bf16(bf16);
    for (int kind = 0; kind < 8; kind++) {
        bool left = kind & 1, right = kind & 2;
        float beta = kind & 4 ? 1 : 0;
        dl_random_normal(&(dl_draw){2, DL_FOR_TEST, 0, 0, 0}, 0, m * n, before);
        memcpy(c, before, sizeof *c * (size_t)(m * n));
        dl_gemm(left, right, m, n, k, a, b, beta, c);
        for (int64_t at = 0; at < m * n; at++) {
            int64_t row = at / n, column = at % n;
            double sum = beta != 0 ? before[at] : 0;
            for (int64_t i = 0; i < k; i++)
                sum += (double)a[left ? i * m + row : row * k + i] *
                       b[right ? column * k + i : i * n + column];
            if (!(fabs(sum - c[at]) < tolerance))
                fail_msg("%lldx%lldx%lld kind %d: [%lld] is %.9g, not %.9g", (long long)m,
                         (long long)n, (long long)k, kind, (long long)at, (double)c[at], sum);
        }
    }
    free(before);
    dl_activation relu = {.kind = DL_RELU};
    dl_frozen *frozen = bf16 ? NULL : dl_frozen_new(n, k, true, &relu);
    for (int way = 0; way < 2; way++) {
        memset(c, 0, sizeof *c * (size_t)(m * n));
        dl_gemm_activate(m, n, k, a, b, bias, &relu, way ? frozen : NULL, c);
        for (int64_t j = 0; j < n; j += n / 7 + 1) {
            double sum = bias[j];
            for (int64_t i = 0; i < k; i++)
                sum += (double)a[(m - 1) * k + i] * b[i * n + j];
            assert_true(fabs((sum > 0 ? sum : 0) - c[(m - 1) * n + j]) < tolerance);
        }
    }
    dl_frozen_free(frozen);
    for (int i = 0; i < 4; i++)
        free(t[i]);
    dl_backend_set_bf16(false);
}

static void test_products(void **state) {
    (void)state;
    for (int backend = 0; backend < 3; backend++) {
        dl_backend_set((dl_backend)backend);
        check_product(1, 10, 40, false);     /* a row */
        check_product(1, 300, 700, false);   /* in strips, the last one partial */
        check_product(1, 100, 40000, false); /* in blocks of rows */
        check_product(1, 1000, 90, false);
        check_product(3, 5, 7, false);
        check_product(65, 300, 129, false);
        if (!dl_backend_lacks_for_bf16())
            check_product(64, 96, 128, true);
    }
    dl_backend_set(DL_BACKEND_AUTO);
    dl_onednn_release();
}

/* Softmax of huge logits, NaN that must show, bias gradients whatever the threads. */
static void test_activations(void **state) {
    (void)state;
    dl_activation f = {.kind = DL_SOFTMAX};
    float z[3] = {1000, 999, -1000}, y[3];
    dl_activate(&f, 1, 3, NULL, z, y);
    assert_true(fabsf(y[0] + y[1] - 1) < 1e-6f && y[2] == 0 && fabsf(y[0] - 0.7310586f) < 1e-6f);
    z[1] = NAN;
    for (int kind = 0; dl_activation_names[kind]; kind++) {
        f.kind = kind;
        dl_activate(&f, 1, 3, NULL, z, y);
        assert_true(isnan(y[1]));
    }
    /* the derivative of a step is 0, unless it is straight-through */
    const float ones[3] = {1, 0, 1}, error[3] = {-1, 2, 0.5f};
    dl_activation step = {.kind = DL_STEP};
    dl_activate_backward(&step, 1, 3, ones, error, y, NULL);
    assert_true(y[0] == 0 && y[1] == 0 && y[2] == 0);
    step.straight = true;
    dl_activate_backward(&step, 1, 3, ones, error, y, NULL);
    assert_memory_equal(y, error, sizeof error);
    enum { ROWS = 1000, CHANNELS = 3000 }; /* more channels than have partial sums */
    float *dy = xmalloc(sizeof *dy * ROWS * CHANNELS), *bias = xcalloc(CHANNELS, sizeof *bias);
    f.kind = DL_LINEAR;
    for (int channels = 7; channels <= CHANNELS; channels += CHANNELS - 7) {
        for (int64_t i = 0; i < (int64_t)ROWS * channels; i++)
            dy[i] = (float)(i % channels);
        memset(bias, 0, sizeof *bias * CHANNELS);
        dl_activate_backward(&f, ROWS, channels, NULL, dy, dy, bias);
        for (int j = 0; j < channels; j++)
            assert_true(bias[j] == (float)(ROWS * j));
    }
    free(dy);
    free(bias);
}

/* Rows apart, strips of one vector and of two, more rows than a tile has: as the definition says,
   and nothing behind the columns that are promised. */
static void test_packed(void **state) {
    (void)state;
    static const int sizes[][3] = {{1, 1, 1}, {3, 16, 5}, {14, 17, 9}, {33, 70, 12}, {40, 96, 31}};
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        const int *size = sizes[i / 2], rows = size[0], n = size[1], k = size[2];
        bool transpose = i % 2;
        int64_t a_step = k + 3, c_step = dl_packed_columns(n) + 5;
        float *a = xcalloc((size_t)(rows * a_step), sizeof *a);
        float *b = xcalloc((size_t)(n * k), sizeof *b);
        float *packed = xcalloc((size_t)dl_packed_size(n, k), sizeof *packed);
        float *c = xcalloc((size_t)(rows * c_step), sizeof *c);
        for (int64_t j = 0; j < rows * a_step; j++)
            a[j] = (float)(j % 7) - 3;
        for (int64_t j = 0; j < n * k; j++)
            b[j] = (float)(j % 11) - 5;
        for (int64_t j = 0; j < rows * c_step; j++)
            c[j] = 99;
        dl_pack(transpose, n, k, b, packed);
        dl_packed_multiply(rows, n, k, a, a_step, packed, c, c_step);
        for (int r = 0; r < rows; r++)
            for (int64_t j = 0; j < c_step; j++) {
                float sum = 0;
                for (int l = 0; j < n && l < k; l++)
                    sum += a[r * a_step + l] * (transpose ? b[j * k + l] : b[l * n + j]);
                if (j < n)
                    assert_true(c[r * c_step + j] == sum); /* small whole numbers: exact */
                else if (j >= dl_packed_columns(n))
                    assert_true(c[r * c_step + j] == 99);
            }
        free(a);
        free(b);
        free(packed);
        free(c);
    }
}

/* The core type set for OpenBLAS if it chose `core` on such a processor; NULL: none. */
static void test_blas_core(void **state) {
    (void)state;
    const dl_processor old = {0}, sandy = {.intel = true, .avx = true};
    const dl_processor zen = {.avx = true, .avx2 = true},
                       zen4 = {.avx = true, .avx2 = true, .avx512 = true};
    const dl_processor alder = {.intel = true, .avx = true, .avx2 = true};
    const dl_processor xeon = {.intel = true, .avx = true, .avx2 = true, .avx512 = true};
    const struct {
        const char *core;
        dl_processor processor;
        const char *better;
    } cases[] = {
        {"Prescott", xeon, "SkylakeX"},
        {"PRESCOTT", xeon, "SkylakeX"},
        {"Haswell", xeon, "SkylakeX"},
        {"SkylakeX", xeon, NULL},
        {"Cooperlake", xeon, NULL},
        {"SapphireRapids", xeon, NULL},
        {"a newer one", xeon, NULL},
        {"Prescott", alder, "Haswell"},
        {"Nehalem", alder, "Haswell"},
        {"Sandybridge", alder, "Haswell"},
        {"Haswell", alder, NULL},
        {"Barcelona", zen, "Haswell"},
        {"Zen", zen, NULL},
        {"Zen", zen4, NULL},
        {"Haswell", zen4, NULL},
        {"Barcelona", zen4, "SkylakeX"},
        {"Prescott", sandy, "Sandybridge"},
        {"Sandybridge", sandy, NULL},
        {"Prescott", old, NULL},
        {"Core2", old, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *better = dl_blas_better_core(cases[i].core, cases[i].processor);
        if (cases[i].better && better)
            assert_string_equal(better, cases[i].better);
        else if (cases[i].better != better)
            fail_msg("case %zu: %s instead of %s", i, better ? better : "nothing", cases[i].core);
    }
    assert_true(dl_blas_core_check());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elementary), cmocka_unit_test(test_mask),
        cmocka_unit_test(test_sums),       cmocka_unit_test(test_windows),
        cmocka_unit_test(test_products),   cmocka_unit_test(test_activations),
        cmocka_unit_test(test_packed),     cmocka_unit_test(test_blas_core),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* How rows are split: exact shares, by class, as a function of the seed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/split.h"
#include "data/subsample.h"

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
            dl_split_rows(&(dl_split_input){.count = ROWS,
                                            .class_of = class_of,
                                            .classes = CLASSES,
                                            .share = share,
                                            .seed = 3},
                          DL_SPLIT_STRATIFIED, part_of);
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
    dl_split_rows(
        &(dl_split_input){
            .count = 10, .class_of = class_of, .classes = 3, .share = share, .seed = 0},
        DL_SPLIT_AUTO, part_of);
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
    dl_split_rows(
        &(dl_split_input){
            .count = 12, .class_of = class_of, .classes = 4, .share = share, .seed = 0},
        DL_SPLIT_STRATIFIED, part_of);
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
    dl_split_rows(
        &(dl_split_input){
            .count = ROWS, .class_of = class_of, .classes = 2, .share = share, .seed = 0},
        DL_SPLIT_STRATIFIED, part_of);
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
        dl_split_rows(
            &(dl_split_input){
                .count = ROWS, .class_of = class_of, .classes = CLASSES, .share = share, .seed = 3},
            (dl_split_kind)kind, first);
        dl_split_rows(
            &(dl_split_input){
                .count = ROWS, .class_of = class_of, .classes = CLASSES, .share = share, .seed = 3},
            (dl_split_kind)kind, second);
        assert_memory_equal(first, second, ROWS);
        dl_split_rows(
            &(dl_split_input){
                .count = ROWS, .class_of = class_of, .classes = CLASSES, .share = share, .seed = 4},
            (dl_split_kind)kind, second);
        int same = 0;
        for (int i = 0; i < ROWS; i++)
            same += first[i] == DL_TEST && second[i] == DL_TEST;
        assert_in_range(same, 20, 65); /* 40 by chance, of 200 */
        double without[DL_SPLITS] = {0, 0, 0.2};
        dl_split_rows(&(dl_split_input){.count = ROWS,
                                        .class_of = class_of,
                                        .classes = CLASSES,
                                        .share = without,
                                        .seed = 3},
                      (dl_split_kind)kind, second);
        for (int i = 0; i < ROWS; i++)
            assert_true((first[i] == DL_TEST) == (second[i] == DL_TEST));
    }
}

static void test_random_and_tail(void **state) {
    (void)state;
    const double share[DL_SPLITS] = {0, 0.1, 0.25};
    int64_t counts[DL_SPLITS][CLASSES];
    uint8_t part_of[ROWS];
    dl_split_rows(&(dl_split_input){.count = ROWS, .share = share, .seed = 0}, DL_SPLIT_RANDOM,
                  part_of);
    count_parts(part_of, NULL, ROWS, counts);
    assert_int_equal(counts[DL_VALIDATION][0], 100);
    assert_int_equal(counts[DL_TEST][0], 250);
    int beginning = 0;
    for (int i = 0; i < ROWS / 2; i++)
        beginning += part_of[i] == DL_TEST;
    assert_in_range(beginning, 90, 160);
    dl_split_rows(&(dl_split_input){.count = ROWS, .share = share, .seed = 0}, DL_SPLIT_TAIL,
                  part_of);
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(part_of[i], i < 650 ? DL_TRAIN : i < 750 ? DL_VALIDATION : DL_TEST);
}

/* Every row that is not for testing is in one fold; each class has as many rows in each, give or
   take one, and so has each fold. */
static void test_folds(void **state) {
    (void)state;
    int class_of[ROWS];
    make_classes(class_of);
    static const dl_split_kind kinds[] = {DL_SPLIT_STRATIFIED, DL_SPLIT_RANDOM, DL_SPLIT_TAIL};
    for (int k = 0; k < 3; k++)
        for (int folds = 2; folds <= 7; folds++) {
            double share[DL_SPLITS] = {0, 0.5, folds % 2 ? 0.2 : 0};
            uint8_t plain[ROWS], part_of[ROWS];
            int times[ROWS] = {0}, first = -1;
            dl_split_rows(&(dl_split_input){.count = ROWS,
                                            .class_of = class_of,
                                            .classes = CLASSES,
                                            .share = share,
                                            .seed = 3},
                          kinds[k], plain);
            for (int f = 1; f <= folds; f++) {
                dl_fold fold = {f, folds};
                int64_t counts[DL_SPLITS][CLASSES], total = 0;
                dl_split_rows(&(dl_split_input){.count = ROWS,
                                                .class_of = class_of,
                                                .classes = CLASSES,
                                                .share = share,
                                                .fold = fold,
                                                .seed = 3},
                              kinds[k], part_of);
                count_parts(part_of, class_of, ROWS, counts);
                for (int c = 0; c < CLASSES; c++) {
                    double exact = (double)(sizes[c] - counts[DL_TEST][c]) / folds;
                    total += counts[DL_VALIDATION][c];
                    if (k == 0 && !(fabs((double)counts[DL_VALIDATION][c] - exact) < 1))
                        fail_msg("class %d: %d rows of %g", c, (int)counts[DL_VALIDATION][c],
                                 exact);
                }
                assert_true(fabs((double)total - (1 - share[DL_TEST]) * ROWS / folds) < 1);
                for (int i = 0; i < ROWS; i++) {
                    assert_int_equal(part_of[i] == DL_TEST, plain[i] == DL_TEST);
                    times[i] += part_of[i] == DL_VALIDATION;
                    if (k == 2 && part_of[i] == DL_VALIDATION) { /* neighbours, one after another */
                        assert_true(i == first + 1);
                        first = i;
                    }
                }
            }
            for (int i = 0; i < ROWS; i++)
                assert_int_equal(times[i], plain[i] != DL_TEST);
        }
}

/* With replacement: about 1 - 1/e of the rows, ascending, by the seed alone. */
static void test_bootstrap(void **state) {
    (void)state;
    int64_t index[ROWS], again[ROWS], other[ROWS];
    for (int i = 0; i < ROWS; i++)
        index[i] = again[i] = other[i] = 3 * i + 1;
    dl_subsample_bootstrap(index, ROWS, 7);
    dl_subsample_bootstrap(again, ROWS, 7);
    dl_subsample_bootstrap(other, ROWS, 8);
    assert_memory_equal(index, again, sizeof index);
    assert_memory_not_equal(index, other, sizeof index);
    int different = 0, shared = 0;
    for (int i = 0; i < ROWS; i++) {
        assert_true(index[i] % 3 == 1 && index[i] >= 1 && index[i] < 3 * ROWS);
        assert_true(!i || index[i] >= index[i - 1]);
        different += !i || index[i] != index[i - 1];
        shared += index[i] == other[i];
    }
    assert_true(different > 590 && different < 675); /* 632 */
    assert_true(shared < ROWS / 2);
    int64_t one = 5;
    dl_subsample_bootstrap(&one, 1, 1);
    assert_true(one == 5);
}

/* Shares of the training part: exact, the smaller within the larger, by class, by the seed. */
static void test_train_share(void **state) {
    (void)state;
    int class_of[ROWS];
    int64_t before[ROWS], index[ROWS], other[ROWS];
    make_classes(class_of);
    for (int classes = 0; classes <= CLASSES; classes += CLASSES)
        for (int kept = 1; kept <= ROWS; kept++) {
            int64_t counts[CLASSES] = {0};
            for (int i = 0; i < ROWS; i++)
                index[i] = other[i] = 2 * i + 1;
            dl_subsample_first(index, ROWS, classes ? class_of : NULL, classes, kept, 5);
            dl_subsample_first(other, ROWS, classes ? class_of : NULL, classes, kept, 6);
            for (int i = 0, b = 0; i < kept; i++) {
                assert_true(index[i] % 2 == 1 && index[i] < 2 * ROWS);
                assert_true(!i || index[i] > index[i - 1]);
                counts[class_of[index[i] / 2]]++;
                b += b < kept - 1 && index[i] == before[b]; /* all of them are there again */
                assert_true(i < kept - 1 || b == kept - 1);
            }
            for (int c = 0; c < classes; c++)
                assert_true(fabs((double)counts[c] - (double)kept * sizes[c] / ROWS) < 1.5);
            if (kept > 1 && kept < ROWS - 2)
                assert_memory_not_equal(index, other, sizeof *index * (size_t)kept);
            memcpy(before, index, sizeof before);
        }
}

enum { GROUPS = 60, LARGEST = 33 }; /* rows of the largest group */

/* Groups of 1 to 32 rows, mixed; each leans to a class of its own. */
static void make_groups(uint64_t group[ROWS], int class_of[ROWS]) {
    for (int i = 0; i < ROWS; i++) {
        int draw = (int)((unsigned)i * 2654435761u >> 16) % (GROUPS * GROUPS);
        int g = (int)sqrt((double)draw);
        group[i] = (uint64_t)g * 0x9E3779B97F4A7C15u;
        class_of[i] = (i % 3 ? g : i) % CLASSES;
    }
}

/* No group is in two parts, the shares are near, and so is that of each class where it can be. */
static void test_groups(void **state) {
    (void)state;
    const double share[DL_SPLITS] = {0, 0.15, 0.2};
    uint64_t group[ROWS];
    int class_of[ROWS];
    double away[2] = {0}; /* rows of a class more or less than its share, in all */
    make_groups(group, class_of);
    for (int stratified = 0; stratified < 2; stratified++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            uint8_t part_of[ROWS], again[ROWS];
            int64_t counts[DL_SPLITS][CLASSES], all[CLASSES] = {0};
            const int *classes = stratified ? class_of : NULL;
            dl_split_groups(&(dl_split_input){.count = ROWS,
                                              .class_of = classes,
                                              .classes = CLASSES,
                                              .group = group,
                                              .share = share,
                                              .seed = seed},
                            part_of);
            dl_split_groups(&(dl_split_input){.count = ROWS,
                                              .class_of = classes,
                                              .classes = CLASSES,
                                              .group = group,
                                              .share = share,
                                              .seed = seed},
                            again);
            assert_memory_equal(part_of, again, ROWS);
            for (int i = 0; i < ROWS; i++)
                for (int j = 0; j < i; j++)
                    assert_true(group[i] != group[j] || part_of[i] == part_of[j]);
            count_parts(part_of, class_of, ROWS, counts);
            for (int i = 0; i < ROWS; i++)
                all[class_of[i]]++;
            for (int p = DL_VALIDATION; p < DL_SPLITS; p++) {
                int64_t rows = 0;
                for (int c = 0; c < CLASSES; c++) {
                    double off = fabs((double)counts[p][c] - share[p] * (double)all[c]);
                    rows += counts[p][c];
                    away[stratified] += off;
                    assert_true(!stratified || off < LARGEST);
                }
                assert_true(stratified || fabs((double)rows - share[p] * ROWS) < LARGEST / 2.0);
            }
            dl_split_groups(&(dl_split_input){.count = ROWS,
                                              .class_of = classes,
                                              .classes = CLASSES,
                                              .group = group,
                                              .share = share,
                                              .seed = seed + 1},
                            again);
            assert_memory_not_equal(part_of, again, ROWS);
        }
    assert_true(away[1] < away[0] / 2);
}

/* What is tested on does not depend on the share for validation, nor on the order of the rows. */
static void test_groups_stay(void **state) {
    (void)state;
    const double share[DL_SPLITS] = {0, 0.15, 0.2}, without[DL_SPLITS] = {0, 0, 0.2};
    uint64_t group[ROWS], turned[ROWS];
    uint8_t part_of[ROWS], other[ROWS];
    int class_of[ROWS];
    make_groups(group, class_of);
    dl_split_groups(&(dl_split_input){.count = ROWS, .group = group, .share = share, .seed = 5},
                    part_of);
    dl_split_groups(&(dl_split_input){.count = ROWS, .group = group, .share = without, .seed = 5},
                    other);
    for (int i = 0; i < ROWS; i++)
        assert_true((part_of[i] == DL_TEST) == (other[i] == DL_TEST));
    for (int i = 0; i < ROWS; i++)
        turned[i] = group[ROWS - 1 - i];
    dl_split_groups(&(dl_split_input){.count = ROWS, .group = turned, .share = share, .seed = 5},
                    other);
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(part_of[i], other[ROWS - 1 - i]);
}

/* Each group that is not for testing is for validation in one fold, and the folds are alike. */
static void test_folds_of_groups(void **state) {
    (void)state;
    enum { FOLDS = 5 };
    const double share[DL_SPLITS] = {0, 0.16, 0.2}, test[DL_SPLITS] = {0, 0, 0.2};
    uint64_t group[ROWS];
    uint8_t part_of[ROWS], without[ROWS];
    int class_of[ROWS], seen[ROWS] = {0};
    int64_t counts[DL_SPLITS][CLASSES], left[CLASSES] = {0};
    make_groups(group, class_of);
    dl_split_groups(&(dl_split_input){.count = ROWS,
                                      .class_of = class_of,
                                      .classes = CLASSES,
                                      .group = group,
                                      .share = test,
                                      .seed = 3},
                    without);
    for (int i = 0; i < ROWS; i++)
        left[class_of[i]] += without[i] != DL_TEST;
    for (int fold = 1; fold <= FOLDS; fold++) {
        dl_split_groups(&(dl_split_input){.count = ROWS,
                                          .class_of = class_of,
                                          .classes = CLASSES,
                                          .group = group,
                                          .share = share,
                                          .fold = {fold, FOLDS},
                                          .seed = 3},
                        part_of);
        for (int i = 0; i < ROWS; i++) {
            seen[i] += part_of[i] == DL_VALIDATION;
            assert_int_equal(part_of[i] == DL_TEST, without[i] == DL_TEST);
            for (int j = 0; j < i; j++)
                assert_true(group[i] != group[j] || part_of[i] == part_of[j]);
        }
        count_parts(part_of, class_of, ROWS, counts);
        for (int c = 0; c < CLASSES; c++)
            assert_true(fabs((double)counts[DL_VALIDATION][c] - (double)left[c] / FOLDS) < LARGEST);
    }
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(seen[i], without[i] != DL_TEST);
}

/* Groups that are too large for their shares: each part gets one, as long as there are any. */
static void test_few_groups(void **state) {
    (void)state;
    const double share[DL_SPLITS] = {0, 0.1, 0.1};
    for (int groups = 1; groups <= 4; groups++) {
        uint64_t group[20];
        uint8_t part_of[20];
        int found[DL_SPLITS] = {0};
        for (int i = 0; i < 20; i++)
            group[i] = (uint64_t)(i % groups);
        dl_split_groups(&(dl_split_input){.count = 20, .group = group, .share = share, .seed = 0},
                        part_of);
        for (int i = 0; i < 20; i++)
            found[part_of[i]]++;
        assert_true(found[DL_TRAIN] > 0);
        assert_int_equal(found[DL_TEST] > 0, groups > 2);
        assert_int_equal(found[DL_VALIDATION] > 0, groups > 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folds),
        cmocka_unit_test(test_bootstrap),
        cmocka_unit_test(test_train_share),
        cmocka_unit_test(test_stratified),
        cmocka_unit_test(test_largest_remainders),
        cmocka_unit_test(test_rare_classes),
        cmocka_unit_test(test_classes_are_drawn_apart),
        cmocka_unit_test(test_split_is_a_function_of_the_seed),
        cmocka_unit_test(test_random_and_tail),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_groups_stay),
        cmocka_unit_test(test_few_groups),
        cmocka_unit_test(test_folds_of_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

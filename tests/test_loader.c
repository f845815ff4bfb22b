/* SPDX-License-Identifier: MIT */
/* Batches from threads of their own: every row once, in an order that is a function of seed and
   epoch, and a clean end at any moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "data/loader.h"

/* ---- a data set made of nothing: row i is (i, 2i), its target 3i ---- */

typedef struct {
    int64_t broken;   /* this row cannot be read */
    int64_t second;   /* nor can this one */
    long nanoseconds; /* that reading a row takes */
} fake_state;

static int fake_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error) {
    const fake_state *fake = dataset->state;
    if (fake->nanoseconds)
        nanosleep(&(struct timespec){.tv_nsec = fake->nanoseconds}, NULL);
    if (i == fake->broken || i == fake->second)
        return dl_fail(error, DL_DATA, "row %d is broken", (int)i);
    x[0] = (float)i;
    x[1] = (float)(2 * i);
    *y = (float)(3 * i);
    return 0;
}

static void fake_close(dl_dataset *dataset) {
    (void)dataset;
}

static const dl_dataset_type fake_type = {.read = fake_read, .close = fake_close};

static int workers; /* of the loaders that are made */

/* Every second row of 2 * count: indices are not positions. */
static void make_data(dl_data *data, fake_state *fake, int64_t count) {
    *fake = (fake_state){.broken = -1, .second = -1};
    *data = (dl_data){.schema = {.input = dl_shape1(2), .outputs = 1}};
    data->augment.workers = workers;
    data->dataset[DL_TRAIN] = (dl_dataset){
        .type = &fake_type, .state = fake, .count = 2 * count, .schema = {.outputs = 1}};
    data->part[DL_TRAIN].dataset = &data->dataset[DL_TRAIN];
    data->part[DL_TRAIN].count = count;
    data->part[DL_TRAIN].index = xmalloc(sizeof(int64_t) * (size_t)count);
    for (int64_t i = 0; i < count; i++)
        data->part[DL_TRAIN].index[i] = 2 * i + 1;
}

/* Runs a pass to its end; order[0..] gets the rows. Checks every number. Returns how many. */
static int64_t take_pass(dl_loader *loader, int64_t batch_size, int64_t first_step, int64_t count,
                         int64_t *order) {
    dl_error error = {0};
    const dl_batch *batch;
    int64_t rows = 0, step = first_step;
    while ((batch = dl_loader_next(loader, &error))) {
        int64_t left = count - step * batch_size;
        assert_int_equal(batch->step, step++);
        assert_int_equal(batch->count, left < batch_size ? left : batch_size);
        for (int64_t i = 0; i < batch->count; i++) {
            assert_true(batch->x[2 * i] == (float)batch->index[i]);
            assert_true(batch->x[2 * i + 1] == (float)(2 * batch->index[i]));
            assert_true(batch->y[i] == (float)(3 * batch->index[i]));
            order[rows++] = batch->index[i];
        }
    }
    assert_int_equal(error.count, 0);
    assert_null(dl_loader_next(loader, &error)); /* the end stays the end */
    return rows;
}

static void check_all_once(const int64_t *order, int64_t count) {
    char *seen = xcalloc((size_t)count, 1);
    for (int64_t i = 0; i < count; i++) {
        assert_true(order[i] % 2 == 1 && order[i] > 0 && order[i] < 2 * count);
        assert_int_equal(seen[order[i] / 2]++, 0);
    }
    free(seen);
}

static void test_every_row_once(void **state) {
    (void)state;
    static const int64_t counts[] = {1, 2, 7, 64, 65, 1000};
    static const int64_t batches[] = {1, 2, 7, 64, 999, 1000, 5000};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
            int64_t count = counts[c], size = batches[b], order[1000];
            dl_data data;
            fake_state fake;
            dl_error error = {0};
            make_data(&data, &fake, count);
            dl_loader *loader = dl_loader_new(&data, DL_TRAIN, size, &error);
            assert_non_null(loader);
            assert_int_equal(dl_loader_steps(loader), (count + size - 1) / size);
            assert_true(dl_loader_bytes(loader) >= 2 * 12 * (count < size ? count : size));
            assert_null(dl_loader_next(loader, &error)); /* nothing was begun */
            for (uint32_t epoch = 0; epoch < 3; epoch++) {
                dl_loader_start(loader, epoch > 0, 1, epoch, 0);
                assert_int_equal(take_pass(loader, size, 0, count, order), count);
                check_all_once(order, count);
                for (int64_t i = 0; i < count && !epoch; i++)
                    assert_int_equal(order[i], 2 * i + 1);
            }
            dl_loader_free(loader);
            dl_data_free(&data);
        }
}

static void test_order(void **state) {
    (void)state;
    enum { COUNT = 500, SIZE = 32 };
    int64_t order[4][COUNT];
    dl_data data;
    fake_state fake;
    dl_error error = {0};
    make_data(&data, &fake, COUNT);
    dl_loader *loader = dl_loader_new(&data, DL_TRAIN, SIZE, &error);
    static const uint64_t seeds[] = {1, 1, 2, 1};
    static const uint32_t epochs[] = {5, 6, 5, 5};
    for (int k = 0; k < 4; k++) {
        dl_loader_start(loader, true, seeds[k], epochs[k], 0);
        take_pass(loader, SIZE, 0, COUNT, order[k]);
    }
    assert_memory_equal(order[0], order[3], sizeof order[0]);
    for (int other = 1; other < 3; other++) {
        int same = 0;
        for (int i = 0; i < COUNT; i++)
            same += order[0][i] == order[other][i];
        assert_in_range(same, 0, 12);
    }
    int64_t steps = dl_loader_steps(loader), rest[COUNT];
    for (int64_t first = 1; first <= steps + 1; first++) { /* a resumed pass goes on alike */
        dl_loader_start(loader, true, 1, 5, first);
        int64_t done = first * SIZE < COUNT ? first * SIZE : COUNT;
        assert_int_equal(take_pass(loader, SIZE, first, COUNT, rest), COUNT - done);
        assert_memory_equal(rest, order[0] + done, sizeof(int64_t) * (size_t)(COUNT - done));
    }
    dl_loader_free(loader);
    dl_data_free(&data);
}

/* A batch stays as it is until the next call, whatever the thread does meanwhile. */
static void test_batch_is_stable(void **state) {
    (void)state;
    dl_data data;
    fake_state fake;
    dl_error error = {0};
    make_data(&data, &fake, 40);
    dl_loader *loader = dl_loader_new(&data, DL_TRAIN, 4, &error);
    dl_loader_start(loader, false, 0, 0, 0);
    for (int step = 0; step < 10; step++) {
        const dl_batch *batch = dl_loader_next(loader, &error);
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        for (int i = 0; i < 4; i++)
            assert_true(batch->x[2 * i] == (float)(2 * (4 * step + i) + 1));
    }
    dl_loader_free(loader);
    dl_data_free(&data);
}

/* Passes given up after any number of batches, with a slow and a fast data set. */
static void test_abandoned_passes(void **state) {
    (void)state;
    enum { COUNT = 50, SIZE = 8 };
    int64_t wanted[COUNT], order[COUNT];
    dl_data data;
    fake_state fake;
    dl_error error = {0};
    make_data(&data, &fake, COUNT);
    for (int slow = 0; slow < 2; slow++) {
        fake.nanoseconds = slow ? 50000 : 0;
        dl_loader *loader = dl_loader_new(&data, DL_TRAIN, SIZE, &error);
        dl_loader_start(loader, true, 9, 9, 0);
        take_pass(loader, SIZE, 0, COUNT, wanted);
        for (int taken = 0; taken <= 7; taken++)
            for (int again = 0; again < 10; again++) {
                dl_loader_start(loader, true, 3, (uint32_t)again, 0);
                for (int i = 0; i < taken; i++)
                    assert_non_null(dl_loader_next(loader, &error));
                dl_loader_start(loader, true, 9, 9, 0);
                assert_int_equal(take_pass(loader, SIZE, 0, COUNT, order), COUNT);
                assert_memory_equal(order, wanted, sizeof order);
            }
        dl_loader_free(loader);
    }
    dl_data_free(&data);
}

static void test_free_at_any_moment(void **state) {
    (void)state;
    dl_data data;
    fake_state fake;
    dl_error error = {0};
    make_data(&data, &fake, 50);
    for (int k = 0; k < 200; k++) {
        fake.nanoseconds = k % 2 ? 20000 : 0;
        dl_loader *loader = dl_loader_new(&data, DL_TRAIN, 8, &error);
        if (k % 10)
            dl_loader_start(loader, k % 3 == 0, 1, 1, 0);
        for (int i = 0; i < k % 10 - 1; i++)
            (void)dl_loader_next(loader, &error);
        dl_loader_free(loader);
    }
    dl_loader_free(NULL);
    dl_data_free(&data);
}

/* Giving up does not wait for the rest of a slow batch. */
static void test_gives_up_amid_a_batch(void **state) {
    (void)state;
    dl_data data;
    fake_state fake;
    dl_error error = {0};
    make_data(&data, &fake, 10000);
    fake.nanoseconds = 1000000; /* a batch would take 10 s */
    dl_loader *loader = dl_loader_new(&data, DL_TRAIN, 10000, &error);
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    dl_loader_start(loader, true, 1, 1, 0);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    dl_loader_free(loader);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec < 5);
    dl_data_free(&data);
}

/* The batches before the broken row come, then the error, and again until a new pass. */
static void test_errors_are_carried_over(void **state) {
    (void)state;
    dl_data data;
    fake_state fake;
    dl_error error = {0};
    make_data(&data, &fake, 50);
    dl_loader *loader = dl_loader_new(&data, DL_TRAIN, 8, &error);
    for (int again = 0; again < 3; again++) {
        fake.broken = 2 * 20 + 1; /* in the third batch */
        dl_loader_start(loader, false, 1, 1, 0);
        assert_non_null(dl_loader_next(loader, &error));
        assert_non_null(dl_loader_next(loader, &error));
        for (int k = 0; k < 2; k++) {
            assert_null(dl_loader_next(loader, &error));
            assert_int_equal(error.code, DL_DATA);
            assert_string_equal(dl_text_get(&error.text), "row 41 is broken");
            dl_error_clear(&error);
        }
    }
    fake.second = 2 * 17 + 1; /* of two in a batch the first is told */
    dl_loader_start(loader, false, 1, 1, 16 / 8);
    assert_null(dl_loader_next(loader, &error));
    assert_string_equal(dl_text_get(&error.text), "row 35 is broken");
    dl_error_clear(&error);
    fake.broken = fake.second = -1;
    int64_t order[50];
    dl_loader_start(loader, false, 1, 1, 0);
    assert_int_equal(take_pass(loader, 8, 0, 50, order), 50);
    fake.broken = 1;
    dl_loader_start(loader, false, 1, 1, 0);
    dl_loader_free(loader); /* an error that nobody asked for */
    dl_data_free(&data);
}

static void test_normalizes(void **state) {
    (void)state;
    dl_data data;
    fake_state fake;
    dl_error error = {0};
    make_data(&data, &fake, 10);
    data.input = (dl_normalization){2, xcalloc(2, sizeof(float)), xcalloc(2, sizeof(float))};
    data.target = (dl_normalization){1, xcalloc(1, sizeof(float)), xcalloc(1, sizeof(float))};
    data.input.shift[0] = 1;
    data.input.shift[1] = -2;
    data.input.scale[0] = 2;
    data.input.scale[1] = 0.5f;
    data.target.shift[0] = 3;
    data.target.scale[0] = 10;
    dl_loader *loader = dl_loader_new(&data, DL_TRAIN, 4, &error);
    dl_loader_start(loader, false, 1, 1, 0);
    const dl_batch *batch;
    while ((batch = dl_loader_next(loader, &error)))
        for (int64_t i = 0; i < batch->count; i++) {
            float row = (float)batch->index[i];
            assert_true(batch->x[2 * i] == (row - 1) * 2);
            assert_true(batch->x[2 * i + 1] == (2 * row + 2) / 2);
            assert_true(batch->y[i] == (3 * row - 3) * 10);
        }
    dl_loader_free(loader);
    dl_data_free(&data);
}

/* Row b of each batch is the one behind row b of the batch before, and every row comes once. */
static void test_lanes(void **state) {
    (void)state;
    /* batches of 3 out of 11 rows: lanes of 4, 4 and 3 */
    static const int64_t want[] = {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7};
    dl_error error = {0};
    int64_t order[16];
    fake_state fake;
    dl_data data;
    make_data(&data, &fake, 11);
    dl_loader *loader = dl_loader_new(&data, DL_TRAIN, 3, &error);
    for (int64_t first = 0; first < 4; first++) {
        dl_loader_start(loader, DL_LANES, 1, 1, first);
        assert_int_equal(take_pass(loader, 3, first, 11, order), 11 - 3 * first);
        for (int64_t i = 3 * first; i < 11; i++)
            assert_int_equal(order[i - 3 * first], 2 * want[i] + 1);
    }
    dl_loader_free(loader);
    loader = dl_loader_new(&data, DL_TRAIN, 16, &error); /* more lanes than rows */
    dl_loader_start(loader, DL_LANES, 1, 1, 0);
    assert_int_equal(take_pass(loader, 16, 0, 11, order), 11);
    for (int64_t i = 0; i < 11; i++)
        assert_int_equal(order[i], 2 * i + 1);
    dl_loader_free(loader);
    dl_data_free(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_once),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_batch_is_stable),
        cmocka_unit_test(test_abandoned_passes),
        cmocka_unit_test(test_free_at_any_moment),
        cmocka_unit_test(test_gives_up_amid_a_batch),
        cmocka_unit_test(test_errors_are_carried_over),
        cmocka_unit_test(test_normalizes),
    };
    static const int many[] = {1, 2, 5};
    int failed = 0;
    for (int i = 0; i < 3; i++) {
        workers = many[i];
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}

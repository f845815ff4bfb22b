/* SPDX-License-Identifier: MIT */
/* Augmented rows as the loader makes them: the same for any number of threads and any batch size,
   targets that go along with their images, and none of it without being asked for. */
#include "data_harness.h"

#include "data/loader.h"

/* ---- rows of a whole pass, in the order of the data set ---- */

typedef struct {
    int64_t size, outputs;
    float *x, *y, *other, *share;
} pass_rows;

static pass_rows take(const dl_data *data, int64_t batch_size, uint64_t seed, uint32_t epoch,
                      bool augmented) {
    dl_error error = {0};
    int64_t size = dl_shape_size(data->schema.input), outputs = data->schema.outputs;
    size_t rows = (size_t)data->dataset[DL_TRAIN].count;
    pass_rows p = {size,
                   outputs,
                   xcalloc(rows * (size_t)size, 4),
                   xcalloc(rows * (size_t)outputs, 4),
                   xcalloc(rows * (size_t)outputs, 4),
                   xcalloc(rows, 4)};
    dl_loader *loader = dl_loader_new(data, DL_TRAIN, batch_size, &error);
    assert_non_null(loader);
    if (augmented)
        dl_loader_augment(loader);
    dl_loader_start(loader, DL_SHUFFLED, seed, epoch, 0);
    const dl_batch *batch;
    while ((batch = dl_loader_next(loader, &error)))
        for (int64_t i = 0; i < batch->count; i++) {
            int64_t row = batch->index[i];
            memcpy(p.x + row * size, batch->x + i * size, 4 * (size_t)size);
            memcpy(p.y + row * outputs, batch->y + i * outputs, 4 * (size_t)outputs);
            p.share[row] = batch->share ? batch->share[i] : 1;
            if (batch->other)
                memcpy(p.other + row * outputs, batch->other + i * outputs, 4 * (size_t)outputs);
        }
    assert_int_equal(error.count, 0);
    dl_loader_free(loader);
    return p;
}

static void drop(pass_rows *p) {
    free(p->x);
    free(p->y);
    free(p->other);
    free(p->share);
}

static bool same(const pass_rows *a, const pass_rows *b, int64_t rows) {
    return !memcmp(a->x, b->x, 4 * (size_t)(rows * a->size)) &&
           !memcmp(a->y, b->y, 4 * (size_t)(rows * a->outputs)) &&
           !memcmp(a->other, b->other, 4 * (size_t)(rows * a->outputs)) &&
           !memcmp(a->share, b->share, 4 * (size_t)rows);
}

static void test_pure_function(void **state) {
    (void)state;
    enum { ROWS = 101 };
    dl_text list = {0}; /* every augmentation */
    for (int k = 0; k < dl_augmentation_registry.count; k++)
        dl_text_add(&list, "%s{ type = \"%s\"; probability = 0.5; }", k ? ", " : "",
                    dl_augmentation_registry.kinds[k]->name);
    static const int workers[] = {1, 2, 3, 8}, sizes[] = {1, 10, 32, 101, 400};
    pass_rows first = {0};
    for (int w = 0; w < 4; w++)
        for (int b = 0; b < 5; b++) {
            section s;
            dl_text config = {0};
            dl_text_add(&config,
                        "format = \"random\"; train = { input = (22, 19, 3); classes = 4; "
                        "rows = 101; }; normalize = \"mean_std\"; workers = %d; "
                        "augment_border = \"reflect\"; augment = ( %s );",
                        workers[w], list.data);
            section_must_open(&s, config.data);
            dl_text_free(&config);
            pass_rows p = take(&s.data, sizes[b], 7, 3, true);
            if (!first.x) {
                pass_rows other = take(&s.data, 32, 7, 4, true),
                          seed = take(&s.data, 32, 8, 3, true);
                assert_false(same(&p, &other, ROWS) || same(&p, &seed, ROWS));
                drop(&other);
                drop(&seed);
                first = p;
            } else {
                assert_true(same(&p, &first, ROWS));
                drop(&p);
            }
            section_free(&s);
        }
    drop(&first);
    dl_text_free(&list);
}

static void test_only_if_asked(void **state) {
    (void)state;
    section s, plain;
    section_must_open(&s, "format = \"random\"; train = { input = (4, 4, 1); classes = 3; rows = "
                          "20; }; normalize = \"mean_std\"; augment = ( { type = \"noise\"; } );");
    section_must_open(&plain, "format = \"random\"; train = { input = (4, 4, 1); classes = 3; "
                              "rows = 20; }; normalize = \"mean_std\";");
    pass_rows a = take(&s.data, 8, 1, 1, false), b = take(&plain.data, 8, 1, 1, false),
              c = take(&plain.data, 8, 1, 1, true), d = take(&s.data, 8, 1, 1, true);
    assert_true(same(&a, &b, 20) && same(&a, &c, 20));
    assert_false(same(&a, &d, 20));
    assert_memory_equal(s.data.input.shift, plain.data.input.shift, 4);
    assert_memory_equal(s.data.input.scale, plain.data.input.scale, 4);
    pass_rows *all[] = {&a, &b, &c, &d};
    for (int i = 0; i < 4; i++)
        drop(all[i]);
    section_free(&s);
    section_free(&plain);
}

/* ---- pictures that are known ---- */

enum { SIDE = 8, SIZE = SIDE * SIDE };

typedef struct {
    bool mask; /* the target is the image itself, as classes 0 and 1; else the row's number */
} known;

/* With a mask: a few rectangles of ones. Else every pixel is the row's number. */
static int known_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error) {
    const known *k = dataset->state;
    (void)error;
    for (int p = 0; p < SIZE; p++) {
        float value = (float)i;
        if (k->mask)
            value = (p % SIDE > i % 5 && p / SIDE > (i + 2) % 6) || p < i % 4;
        if (x)
            x[p] = value;
        if (y && k->mask)
            y[p] = value;
    }
    if (y && !k->mask)
        *y = (float)i;
    return 0;
}

static void known_close(dl_dataset *dataset) {
    (void)dataset;
}

static const dl_dataset_type known_type = {.read = known_read, .close = known_close};

/* `augment` over rows of known pictures, 8x8x1. */
static void make_known(section *s, known *k, int64_t rows, const char *augment) {
    section_must_read(s, augment);
    dl_data *data = &s->data;
    data->schema = (dl_schema){.input = dl_shape3(SIDE, SIDE, 1),
                               .classes = k->mask ? 2 : (int)rows,
                               .outputs = k->mask ? SIZE : 1};
    data->dataset[DL_TRAIN] = (dl_dataset){.type = &known_type, .state = k, .count = rows};
    data->part[DL_TRAIN].dataset = &data->dataset[DL_TRAIN];
    data->part[DL_TRAIN].count = rows;
    data->part[DL_TRAIN].index = xmalloc(sizeof(int64_t) * (size_t)rows);
    for (int64_t i = 0; i < rows; i++)
        data->part[DL_TRAIN].index[i] = i;
}

#define KNOWN "format = \"random\"; train = { input = (8, 8, 1); classes = 2; }; augment = "

static void test_mask_follows(void **state) {
    (void)state;
    enum { ROWS = 60 };
    static const char *const lists[] = {
        KNOWN "( { type = \"flip_horizontal\"; }, { type = \"flip_vertical\"; }, { type = "
              "\"random_crop\"; padding = 3; } );",
        KNOWN "( { type = \"rotate\"; degrees = 40; }, { type = \"shear\"; }, { type = \"shift\"; }"
              ", { type = \"zoom\"; } );",
        KNOWN "( { type = \"elastic\"; } );",
        KNOWN "( { type = \"cutmix\"; probability = 1.0; } );",
    };
    known k = {.mask = true};
    for (int l = 0; l < 4; l++) {
        section s;
        int changed = 0;
        make_known(&s, &k, ROWS, lists[l]);
        pass_rows p = take(&s.data, 16, 1, 1, true);
        for (int64_t i = 0; i < ROWS; i++) {
            float x[SIZE], y[SIZE];
            known_read(&s.data.dataset[DL_TRAIN], i, x, y, NULL);
            changed += memcmp(y, p.y + i * SIZE, sizeof y) != 0;
            for (int64_t j = i * SIZE; j < (i + 1) * SIZE; j++) {
                assert_true(p.y[j] == 0 || p.y[j] == 1);
                assert_true(p.share[i] == 1 && (!s.data.augment.mixes || p.other[j] == p.y[j]));
                if (l == 0 || l == 3) /* whole pixels */
                    assert_true(p.x[j] == p.y[j]);
                else /* the nearest of four has a quarter at least */
                    assert_true(p.y[j] == 1 ? p.x[j] > 0.249f : p.x[j] < 0.751f);
            }
        }
        assert_true(changed > ROWS / 2);
        drop(&p);
        section_free(&s);
    }
}

static void test_mixup(void **state) {
    (void)state;
    enum { ROWS = 200 };
    section s;
    known k = {.mask = false};
    int mixed = 0;
    make_known(&s, &k, ROWS, KNOWN "( { type = \"mixup\"; alpha = 1.0; probability = 0.7; } );");
    pass_rows p = take(&s.data, 16, 1, 1, true);
    for (int64_t i = 0; i < ROWS; i++) {
        float share = p.share[i], wanted = share * p.y[i] + (1 - share) * p.other[i];
        assert_true(share >= 0.5f && share <= 1);
        assert_true(p.y[i] == (float)i || p.other[i] == (float)i); /* its own is one of them */
        mixed += share < 1;
        for (int64_t j = 0; j < SIZE; j++)
            assert_true(fabsf(p.x[i * SIZE + j] - wanted) < 1e-3f);
    }
    assert_in_range(mixed, 110, 165);
    drop(&p);
    section_free(&s);
}

static void test_cutmix(void **state) {
    (void)state;
    enum { ROWS = 200 };
    section s;
    known k = {.mask = false};
    int mixed = 0;
    make_known(&s, &k, ROWS, KNOWN "( { type = \"cutmix\"; probability = 1.0; } );");
    pass_rows p = take(&s.data, 16, 1, 1, true);
    for (int64_t i = 0; i < ROWS; i++) {
        int of_first = 0;
        for (int64_t j = i * SIZE; j < (i + 1) * SIZE; j++) {
            assert_true(p.x[j] == p.y[i] || p.x[j] == p.other[i]);
            of_first += p.x[j] == p.y[i];
        }
        mixed += p.share[i] < 1;
        assert_true(p.share[i] == 1 || p.y[i] == p.other[i] ||
                    fabsf((float)of_first / SIZE - p.share[i]) < 1e-5f);
    }
    assert_true(mixed > ROWS / 2);
    drop(&p);
    section_free(&s);
}

/* Numbers are mixed as the images are; another image as a target is moved, but not painted. */
static void test_number_targets(void **state) {
    (void)state;
    section s;
    section_must_open(&s, "format = \"random\"; train = { input = (4, 4, 1); outputs = 2; rows = "
                          "30; }; augment = ( { type = \"mixup\"; alpha = 1.0; } );");
    pass_rows p = take(&s.data, 16, 1, 1, true), plain = take(&s.data, 16, 1, 1, false);
    int changed = 0;
    for (int i = 0; i < 30; i++)
        changed += p.y[2 * i] != plain.y[2 * i];
    assert_true(changed > 25);
    drop(&p);
    drop(&plain);
    section_free(&s);
    section_must_open(&s, "format = \"random\"; predict = \"input\"; train = { input = (4, 4, 1); "
                          "classes = 2; rows = 30; }; augment = ( { type = \"rotate\"; }, { type "
                          "= \"cutout\"; size = 2; } );");
    p = take(&s.data, 16, 1, 1, true);
    plain = take(&s.data, 16, 1, 1, false);
    int blackened = 0;
    for (int j = 0; j < 30 * 16; j++) {
        assert_true(p.x[j] == p.y[j] || p.x[j] == 0);
        blackened += p.x[j] != p.y[j];
    }
    assert_true(blackened > 30);
    assert_memory_not_equal(p.y, plain.y, 4 * 30 * 16);
    drop(&p);
    drop(&plain);
    section_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pure_function), cmocka_unit_test(test_only_if_asked),
        cmocka_unit_test(test_mask_follows),  cmocka_unit_test(test_mixup),
        cmocka_unit_test(test_cutmix),        cmocka_unit_test(test_number_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

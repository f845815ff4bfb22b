/* SPDX-License-Identifier: MIT */
/* The idx format: every element type, every way in which a file can be wrong. */
#include "data_harness.h"

/* ---- making files ---- */

typedef struct {
    unsigned char bytes[1 << 12];
    size_t count;
} blob;

static void put(blob *b, uint64_t value, int width) {
    while (width--)
        b->bytes[b->count++] = (unsigned char)(value >> 8 * width);
}

/* A header; `dims` ends with -1. */
static blob header(int type, const int64_t *dims) {
    blob b = {.count = 0};
    int rank = 0;
    while (dims[rank] >= 0)
        rank++;
    put(&b, (uint64_t)type << 8 | (uint64_t)rank, 4);
    for (int i = 0; i < rank; i++)
        put(&b, (uint64_t)dims[i], 4);
    return b;
}

static void put_number(blob *b, int type, double value) {
    float narrow = (float)value;
    uint32_t four;
    uint64_t eight;
    memcpy(&four, &narrow, 4);
    memcpy(&eight, &value, 8);
    switch (type) {
    case 0x08:
    case 0x09:
        put(b, (uint64_t)(int64_t)value, 1);
        break;
    case 0x0B:
        put(b, (uint64_t)(int64_t)value, 2);
        break;
    case 0x0C:
        put(b, (uint64_t)(int64_t)value, 4);
        break;
    case 0x0D:
        put(b, four, 4);
        break;
    default:
        put(b, eight, 8);
    }
}

static blob array(int type, const int64_t *dims, const double *values, int count) {
    blob b = header(type, dims);
    for (int i = 0; i < count; i++)
        put_number(&b, type, values[i]);
    return b;
}

#define DIMS(...) ((const int64_t[]){__VA_ARGS__, -1})
#define ARRAY(type, dims, ...)                                                                     \
    array(type, dims, (const double[]){__VA_ARGS__},                                               \
          (int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))

static void save_blob(const char *name, blob b) {
    save_bytes(name, b.bytes, b.count);
}

static void zip_blob(const char *name, blob b) {
    save_gzip(name, b.bytes, b.count);
}

/* ---- opening them ---- */

/* Files x and y as a training part, with further `options` of the config. */
static int open_xy(section *s, const char *options, const dl_schema *like) {
    dl_text text = {0};
    dl_text_add(&text, "format = \"idx\"; train = { images = \"x\"; labels = \"y\"; %s };",
                options);
    int result = section_open_set(s, text.data, like);
    dl_text_free(&text);
    return result;
}

/* Opening fails, and the message holds each of the words (the last is NULL). */
static void refuses(const char *options, const dl_schema *like, const char *const *words) {
    section s;
    assert_int_equal(open_xy(&s, options, like), -1);
    section_says(&s, words);
    section_free(&s);
}

#define REFUSES(...) refuses("", NULL, (const char *const[]){__VA_ARGS__, NULL})

static void opens(void) {
    section o;
    if (open_xy(&o, "", NULL))
        fail_msg("%s", dl_text_get(&o.error.text));
    section_free(&o);
}

/* Three rows of two bytes, and their labels. */
static void save_good(void) {
    save_blob("x", ARRAY(0x08, DIMS(3, 2), 0, 1, 2, 3, 4, 255));
    save_blob("y", ARRAY(0x08, DIMS(3), 0, 2, 1));
}

/* ---- what must work ---- */

static void test_element_types(void **state) {
    (void)state;
    static const int types[] = {0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E};
    static const double values[6][6] = {
        {0, 1, 2, 127, 128, 255},          {0, -1, 2, 127, -128, 5},
        {0, -1, 258, 32767, -32768, 5},    {0, -1, 66051, 2147483520, -2147483648.0, 5},
        {0, -1.5, 0.1, 1e38, -3e-39, 0.5}, {0, -1.5, 0.1, 1e38, -3e-39, 0.5},
    };
    for (int t = 0; t < 6; t++)
        for (int gzip = 0; gzip < 2; gzip++) {
            blob images = array(types[t], DIMS(3, 2), values[t], 6);
            blob labels = ARRAY(0x08, DIMS(3), 0, 2, 1);
            (gzip ? zip_blob : save_blob)("x", images);
            (gzip ? zip_blob : save_blob)("y", labels);
            section o;
            open_xy(&o, "", NULL);
            assert_int_equal(o.result, 0);
            assert_int_equal(o.set->count, 3);
            assert_int_equal(o.set->schema.classes, 3);
            assert_int_equal(o.set->schema.outputs, 1);
            assert_int_equal(o.set->bytes, types[t] == 0x08);
            for (int i = 2; i >= 0; i--) {
                float x[3] = {7, 7, 7}, y[2] = {7, 7};
                assert_int_equal(o.set->type->read(o.set, i, x, y, &o.error), 0);
                for (int k = 0; k < 2; k++)
                    if (x[k] != (float)values[t][2 * i + k])
                        fail_msg("type %02x row %d: %g", types[t], i, (double)x[k]);
                assert_true(x[2] == 7 && y[1] == 7);
                assert_true(y[0] == (float)(i == 0 ? 0 : 3 - i));
                assert_int_equal(o.set->type->read(o.set, i, NULL, y, &o.error), 0);
                assert_int_equal(o.set->type->read(o.set, i, x, NULL, &o.error), 0);
            }
            section_free(&o);
        }
}

static void test_shapes(void **state) {
    (void)state;
    static const struct {
        int64_t dims[5];
        const char *shape;
    } cases[] = {
        {{2, -1}, "1"},
        {{2, 6, -1}, "6"},
        {{2, 2, 3, -1}, "2x3x1"},
        {{2, 2, 1, 3, -1}, "2x1x3"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int size = c ? 6 : 1;
        double values[12];
        for (int i = 0; i < 2 * size; i++)
            values[i] = 10 * i;
        save_blob("x", array(0x08, cases[c].dims, values, 2 * size));
        save_blob("y", ARRAY(0x08, DIMS(2), 0, 1));
        section o;
        open_xy(&o, "", NULL);
        assert_int_equal(o.result, 0);
        char text[48];
        assert_string_equal(dl_shape_text(text, o.set->schema.input), cases[c].shape);
        float x[6];
        assert_int_equal(o.set->type->read(o.set, 1, x, NULL, &o.error), 0);
        for (int i = 0; i < size; i++)
            assert_true(x[i] == (float)(10 * (size + i)));
        section_free(&o);
    }
}

static void test_label_types(void **state) {
    (void)state;
    static const int types[] = {0x08, 0x09, 0x0B, 0x0C};
    for (int t = 0; t < 4; t++) {
        int large = t < 2 ? 100 : 300;
        save_good();
        save_blob("y", ARRAY(types[t], DIMS(3), 1, large, 0));
        section o;
        open_xy(&o, "", NULL);
        assert_int_equal(o.result, 0);
        assert_int_equal(o.set->schema.classes, large + 1);
        float y;
        assert_int_equal(o.set->type->read(o.set, 1, NULL, &y, &o.error), 0);
        assert_true(y == (float)large);
        section_free(&o);
        open_xy(&o, "classes = 500;", NULL);
        assert_int_equal(o.result, 0);
        assert_int_equal(o.set->schema.classes, 500);
        section_free(&o);
    }
}

/* Masks: a class at each pixel. */
static void test_masks(void **state) {
    (void)state;
    save_blob("x", ARRAY(0x08, DIMS(3, 1, 2), 0, 1, 2, 3, 4, 5));
    save_blob("y", ARRAY(0x08, DIMS(3, 1, 2), 0, 1, 1, 1, 2, 0));
    section s;
    open_xy(&s, "", NULL);
    assert_int_equal(s.set->schema.classes, 3);
    assert_int_equal(s.set->schema.outputs, 2);
    float y[2];
    assert_int_equal(s.set->type->read(s.set, 2, NULL, y, &s.error), 0);
    assert_true(y[0] == 2 && y[1] == 0);
    dl_schema like = dl_schema_copy(&s.set->schema);
    section_free(&s);
    assert_int_equal(open_xy(&s, "", &like), 0);
    section_free(&s);
    save_blob("y", ARRAY(0x08, DIMS(3), 0, 1, 2));
    refuses("", &like, (const char *const[]){"y: offset 8", "in training there are 2", NULL});
    dl_schema_free(&like);
    save_blob("y", ARRAY(0x08, DIMS(3, 1, 2), 0, 1, 1, 1, 2, 255));
    refuses("classes = 3;", NULL, (const char *const[]){"y: offset 21: row 2 ", "label 255", NULL});
    save_blob("x", ARRAY(0x08, DIMS(3, 1, 2, 1), 0, 1, 2, 3, 4, 5));
    save_blob("y", ARRAY(0x08, DIMS(3, 1, 2, 1), 0, 1, 1, 1, 2, 0));
    REFUSES("y: offset 3", "3x1x2x1", "one per row or one per pixel");
}

static void test_regression_targets(void **state) {
    (void)state;
    for (int type = 0x0D; type <= 0x0E; type++)
        for (int outputs = 1; outputs <= 2; outputs++) {
            save_good();
            save_blob("y", array(type, outputs == 1 ? DIMS(3) : DIMS(3, 2),
                                 (const double[]){0.5, -1, 2, 3, 4, 5.25}, 3 * outputs));
            section o;
            open_xy(&o, "", NULL);
            assert_int_equal(o.result, 0);
            assert_int_equal(o.set->schema.classes, 0);
            assert_int_equal(o.set->schema.outputs, outputs);
            float y[2];
            assert_int_equal(o.set->type->read(o.set, 2, NULL, y, &o.error), 0);
            assert_true(outputs == 1 ? y[0] == 2 : y[0] == 4 && y[1] == 5.25f);
            section_free(&o);
        }
}

/* ---- what must be refused ---- */

/* Every beginning of the file `name` is refused; the message names it. */
static void check_cuts(const char *name, int gzip) {
    unsigned char bytes[256];
    size_t size = load_bytes(name, bytes, sizeof bytes);
    for (size_t cut = 0; cut < size; cut++) {
        char start[8], found[32];
        snprintf(start, sizeof start, "%s: ", name);
        snprintf(found, sizeof found, " %d", (int)cut);
        save_bytes(name, bytes, cut);
        if (gzip)
            REFUSES(start, "cut short");
        else
            REFUSES(start, "cut short", found);
    }
    save_bytes(name, bytes, size);
    opens();
}

static void test_cut_at_every_byte(void **state) {
    (void)state;
    save_good();
    check_cuts("x", 0);
    check_cuts("y", 0);
    zip_blob("x", ARRAY(0x08, DIMS(3, 2), 0, 1, 2, 3, 4, 255));
    zip_blob("y", ARRAY(0x08, DIMS(3), 0, 2, 1));
    check_cuts("x", 1);
    check_cuts("y", 1);
}

/* The gzip file is whole, but what is in it is not: both counts of bytes are told. */
static void test_short_within_gzip(void **state) {
    (void)state;
    save_good();
    zip_blob("x", ARRAY(0x08, DIMS(3, 2), 0, 1, 2));
    REFUSES("x: ", "cut short", "need 18 bytes", "ends after 15");
    zip_blob("x", ARRAY(0x08, DIMS(3, 2), 0, 1, 2, 3, 4, 5));
    opens();
}

static void test_every_flipped_byte_of_gzip(void **state) {
    (void)state;
    save_good();
    zip_blob("x", ARRAY(0x08, DIMS(3, 2), 9, 8, 7, 6, 5, 4));
    unsigned char bytes[256];
    size_t size = load_bytes("x", bytes, sizeof bytes);
    for (size_t i = 10; i < size; i++) { /* the gzip header holds what does not matter */
        bytes[i] ^= 0x10;
        save_bytes("x", bytes, size);
        bytes[i] ^= 0x10;
        REFUSES("x: ");
    }
}

static void test_hostile_headers(void **state) {
    (void)state;
    save_good();
    save_blob("x", header(0x08, DIMS(1 << 20, 1 << 10, 1 << 10))); /* 2^40 bytes */
    REFUSES("x: offset 4", "1048576x1024x1024", "1099511627792 bytes", "at most 16");
    zip_blob("x", header(0x08, DIMS(1 << 20, 1 << 10, 1 << 10)));
    REFUSES("x: offset 4", "1048576x1024x1024");
    save_blob("x", header(0x0E, DIMS(0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)));
    REFUSES("x: offset 8", "4294967295x4294967295x4294967295x4294967295");
    save_blob("x", header(0x0E, DIMS(0xFFFFFFFF, 1 << 14, 1 << 14)));
    REFUSES("x: offset 4", "4294967295x16384x16384");
    save_good();
    save_blob("y", header(0x08, DIMS(0xFFFFFFFF)));
    REFUSES("y: offset 4", "4294967295");
}

/* A gzip file may hold a thousand times its size, so the header can claim a lot before it is
 * caught. */
static void test_claims_within_gzip(void **state) {
    (void)state;
    save_good();
    gzFile file = gzopen("x", "wb1");
    blob b = header(0x08, DIMS(3, 1 << 26));
    gzwrite(file, b.bytes, (unsigned)b.count);
    uint32_t noise = 1;
    for (int i = 0; i < 300000; i++) {
        noise = noise * 1664525 + 1013904223;
        gzputc(file, (int)(noise >> 24));
    }
    gzclose(file);
    REFUSES("x: is cut short", "201326604 bytes", "ends after 300012");
}

static void test_wrong_magic(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
        const char *word;
    } cases[] = {
        {"hello, world\n", 13, "it is a text"},
        {"\x89PNG\r\n\x1a\n....", 12, "it is an image"},
        {"\xff\xd8\xff\xe0........", 12, "it is an image"},
        {"PK\3\4............", 16, "it is a zip"},
        {"\x93NUMPY\1\0........", 16, "NumPy"},
        {"\x08\x03\0\0............", 16, "wrong order"},
        {"\1\2\3\4............", 16, "an IDX file begins with 00 00"},
        {"\0\0\x0A\3............", 16, "element type 0x0A"},
        {"\0\0\x08\0............", 16, "0 dimensions"},
        {"\0\0\x08\5............", 16, "5 dimensions"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        save_good();
        save_bytes("x", cases[c].bytes, cases[c].count);
        REFUSES("x: offset ", cases[c].word);
        save_good();
        save_bytes("y", cases[c].bytes, cases[c].count);
        REFUSES("y: offset ", cases[c].word);
    }
    save_good();
    blob inner;
    zip_blob("x", ARRAY(0x08, DIMS(3, 2), 0, 1, 2, 3, 4, 5));
    inner.count = load_bytes("x", inner.bytes, sizeof inner.bytes);
    zip_blob("x", inner);
    REFUSES("x: offset 0", "gzip within gzip");
}

static void test_disagreements(void **state) {
    (void)state;
    save_blob("x", ARRAY(0x08, DIMS(3), 0, 1, 2)); /* swapped */
    save_blob("y", ARRAY(0x08, DIMS(3, 2), 0, 1, 2, 3, 4, 5));
    REFUSES("y: offset 3", "3x2", "swapped");
    save_good();
    save_blob("y", ARRAY(0x08, DIMS(2), 0, 1));
    REFUSES("x has 3 rows", "y has 2");
    save_blob("y", ARRAY(0x08, DIMS(4), 0, 1, 0, 1));
    REFUSES("x has 3 rows", "y has 4");
    save_blob("y", ARRAY(0x0D, DIMS(3, 1, 1), 0, 1, 2));
    REFUSES("y: offset 3", "3x1x1");
    save_good();
    save_blob("x", header(0x08, DIMS(0, 2)));
    REFUSES("x: offset 4", "no rows");
    save_blob("x", header(0x08, DIMS(3, 0)));
    REFUSES("x: offset 8", "dimension 2 is 0");
    save_blob("x", ARRAY(0x08, DIMS(3, 2), 0, 1, 2, 3, 4, 5, 6));
    REFUSES("x: offset 18", "data after the last");
    zip_blob("x", ARRAY(0x08, DIMS(3, 2), 0, 1, 2, 3, 4, 5, 6));
    REFUSES("x: offset 18", "data after the last");
    save_good();
    save_blob("y", ARRAY(0x08, DIMS(3), 0, 1, 1, 1));
    REFUSES("y: offset 11", "data after the last");
    unlink("x");
    unlink("y");
    REFUSES("c.cfg:2: x: not found", "c.cfg:2: y: not found");
    assert_int_equal(mkdir("x", 0777), 0);
    REFUSES("x: is a folder");
    rmdir("x");
}

static void test_bad_values(void **state) {
    (void)state;
    static const char *const too_large[] = {"y: offset 9", "row 1", "label 2",
                                            "there are 2 classes", NULL};
    save_good();
    refuses("classes = 2;", NULL, too_large);
    save_blob("y", ARRAY(0x09, DIMS(3), 0, 1, -3));
    REFUSES("y: offset 10", "row 2", "label -3");
    save_blob("y", ARRAY(0x0C, DIMS(3), 0, 2000000000, 1));
    REFUSES("y: offset 12", "row 1", "label 2000000000");
    static const double bad[] = {NAN, INFINITY, -INFINITY, 1e300};
    for (int type = 0x0D; type <= 0x0E; type++)
        for (size_t k = 0; k < 4; k++) {
            char place[32];
            save_good();
            save_blob("x", ARRAY(type, DIMS(3, 2), 0, 1, 2, bad[k], 4, 5));
            snprintf(place, sizeof place, "x: offset %d", 12 + 3 * (type == 0x0D ? 4 : 8));
            REFUSES(place, "row 1", "finite");
            save_good();
            save_blob("y", ARRAY(type, DIMS(3), 0, 1, bad[k]));
            snprintf(place, sizeof place, "y: offset %d", 8 + 2 * (type == 0x0D ? 4 : 8));
            REFUSES(place, "row 2", "finite");
        }
}

static void test_agreeing_with_training(void **state) {
    (void)state;
    char *names[] = {"a", "b", "c", "d"};
    dl_schema like = {.input = dl_shape1(2), .classes = 4, .outputs = 1, .class_names = names};
    section o;
    save_good();
    open_xy(&o, "", &like);
    assert_int_equal(o.result, 0);
    assert_int_equal(o.set->schema.classes, 4);
    assert_string_equal(o.set->schema.class_names[3], "d");
    assert_true(o.set->schema.class_names != names);
    section_free(&o);
    like.classes = 2;
    refuses("", &like, (const char *const[]){"y: offset 9", "label 2", NULL});
    like.classes = 4;
    like.input = dl_shape1(3);
    refuses("", &like,
            (const char *const[]){"x: offset 4", "are 2", "in training they are 3", NULL});
    like.input = dl_shape3(1, 2, 1);
    refuses("", &like, (const char *const[]){"x: offset 4", "1x2x1", NULL});
    like = (dl_schema){.input = dl_shape1(2), .outputs = 1};
    refuses("", &like, (const char *const[]){"y: offset 2", "classes", "numbers", NULL});
    save_blob("y", ARRAY(0x0D, DIMS(3, 2), 0, 1, 2, 3, 4, 5));
    refuses("", &like, (const char *const[]){"y: offset 8", "2 targets", "there are 1", NULL});
}

/* ---- real data ---- */

static void test_mnist(void **state) {
    (void)state;
    static const int64_t counts[2][10] = {
        {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949},
        {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009},
    };
    char *there = dl_path_find_data("mnist/train-images-idx3-ubyte.gz", NULL, NULL);
    if (!there)
        skip();
    free(there);
    section o;
    section_must_open(&o, "format = \"idx\"; normalize = \"mean_std\"; train = { images = "
                          "\"mnist/train-images-idx3-ubyte.gz\"; labels = "
                          "\"mnist/train-labels-idx1-ubyte.gz\"; }; test = { images = "
                          "\"mnist/t10k-images-idx3-ubyte.gz\"; labels = "
                          "\"mnist/t10k-labels-idx1-ubyte.gz\"; };");
    assert_int_equal(o.data.part[DL_TRAIN].count, 60000);
    assert_int_equal(o.data.part[DL_TEST].count, 10000);
    for (int c = 0; c < 10; c++) {
        assert_int_equal(o.data.part[DL_TRAIN].class_count[c], counts[0][c]);
        assert_int_equal(o.data.part[DL_TEST].class_count[c], counts[1][c]);
    }
    assert_int_equal(o.data.input.count, 1);
    assert_true(fabs((double)o.data.input.shift[0] / 255 - 0.1307) < 5e-5);
    assert_true(fabs(1 / (double)o.data.input.scale[0] / 255 - 0.3081) < 5e-5);
    section_free(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_element_types),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_label_types),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_regression_targets),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_short_within_gzip),
        cmocka_unit_test(test_every_flipped_byte_of_gzip),
        cmocka_unit_test(test_hostile_headers),
        cmocka_unit_test(test_claims_within_gzip),
        cmocka_unit_test(test_wrong_magic),
        cmocka_unit_test(test_disagreements),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_agreeing_with_training),
        cmocka_unit_test(test_mnist),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

/* SPDX-License-Identifier: MIT */
/* The npy and npz formats: every element type, both orders, every way in which a file can be wrong.
   Files are made here byte by byte; numpy.save and savez wrote the same. */
#include "data_harness.h"

/* ---- making files ---- */

typedef struct {
    unsigned char bytes[1 << 12];
    size_t count;
} blob;

static void put(blob *b, uint64_t value, int width) {
    for (int i = 0; i < width; i++)
        b->bytes[b->count++] = (unsigned char)(i < 8 ? value >> 8 * i : 0);
}

static void put_bytes(blob *b, const void *bytes, size_t count) {
    memcpy(b->bytes + b->count, bytes, count);
    b->count += count;
}

/* An npy file up to its elements. */
static blob header(int version, const char *dict) {
    blob b = {.count = 0};
    put_bytes(&b, "\x93NUMPY", 6);
    put(&b, (uint64_t)version, 2);
    put(&b, strlen(dict), version == 1 ? 2 : 4);
    put_bytes(&b, dict, strlen(dict));
    return b;
}

static void put_number(blob *b, const char *type, double value) {
    int width = type[2] - '0';
    float narrow = (float)value;
    uint64_t bits = 0;
    if (type[1] == 'f' && width == 4)
        memcpy(&bits, &narrow, 4);
    else if (type[1] == 'f')
        memcpy(&bits, &value, 8);
    else
        bits = (uint64_t)(int64_t)value;
    for (int i = 0; i < width; i++)
        put(b, bits >> 8 * (type[0] == '>' ? width - 1 - i : i), 1);
}

/* type: "<f4" and the like; shape: "(3, 2)". */
static blob array(int version, const char *type, bool fortran, const char *shape,
                  const double *values, int count) {
    char dict[128];
    snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }   \n", type,
             fortran ? "True" : "False", shape);
    blob b = header(version, dict);
    for (int i = 0; i < count; i++)
        put_number(&b, type, values[i]);
    return b;
}

#define ARRAY(type, shape, ...)                                                                    \
    array(1, type, false, shape, (const double[]){__VA_ARGS__},                                    \
          (int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))

static void save_blob(const char *name, blob b) {
    save_bytes(name, b.bytes, b.count);
}

/* Three rows of two, and their classes. */
static void save_good(void) {
    save_blob("x", ARRAY("|u1", "(3, 2)", 0, 1, 2, 3, 4, 255));
    save_blob("y", ARRAY("<i8", "(3,)", 0, 2, 1));
}

#define NPY "format = \"npy\"; train = { inputs = \"x\"; targets = \"y\"; };"

static void refuses(const char *words) {
    section_refuses(NPY, DL_DATA, words);
}

/* Opens, and compares the rows' numbers. */
static void opens(const char *shape, const double *x, int size, int rows) {
    section s;
    char text[48];
    float found[64], y[16];
    if (section_open_set(&s, NPY, NULL))
        fail_msg("%s", dl_text_get(&s.error.text));
    assert_string_equal(dl_shape_text(text, s.set->schema.input), shape);
    assert_int_equal(s.set->count, rows);
    for (int i = rows - 1; i >= 0; i--) {
        assert_int_equal(s.set->type->read(s.set, i, found, y, &s.error), 0);
        for (int k = 0; k < size; k++)
            if (found[k] != (float)x[i * size + k])
                fail_msg("row %d, number %d: %g", i, k, (double)found[k]);
    }
    section_free(&s);
}

/* ---- npy ---- */

static void test_types(void **state) {
    (void)state;
    static const char *const types[] = {"|u1", "|i1", "<i2", ">i2", "<i4", ">i4", "<i8",
                                        ">i8", "<f4", ">f4", "<f8", ">f8", "<u1", ">i1"};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        for (int version = 1; version <= 3; version++) {
            double values[] = {0, 1, 2, 3, 4, types[t][1] == 'u' ? 255 : -128};
            values[1] = types[t][1] == 'f' ? 0.1 : 1;
            save_good();
            save_blob("x", array(version, types[t], false, "(3, 2)", values, 6));
            opens("2", values, 2, 3);
            if (types[t][1] == 'f')
                continue;
            const double classes[] = {2, 0, 100};
            section s;
            float y;
            save_blob("y", array(version, types[t], false, "(3,)", classes, 3));
            section_must_open(&s, NPY);
            assert_int_equal(s.data.schema.classes, 101);
            assert_int_equal(s.set->bytes, types[t][1] == 'u');
            assert_int_equal(s.set->type->read(s.set, 0, NULL, &y, &s.error), 0);
            assert_true(y == 2);
            section_free(&s);
        }
}

static void test_rare_types(void **state) {
    (void)state;
    static const char *const types[] = {"<u2", ">u2", "<u4", ">u4", "<u8", ">u8"};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        const double values[] = {0, 1, 2, 3, 255, 60000};
        save_good();
        save_blob("x", ARRAY(types[t], "(3, 2)", 0, 1, 2, 3, 255, 60000));
        save_blob("y", ARRAY(types[t], "(3,)", 2, 0, 40000));
        opens("2", values, 2, 3);
    }
    section s;
    float y[3];
    save_blob("x", ARRAY("|b1", "(3, 2)", 0, 1, 1, 0, 1, 0));
    save_blob("y", ARRAY("|b1", "(3,)", 1, 0, 1));
    opens("2", (const double[]){0, 1, 1, 0, 1, 0}, 2, 3);
    section_must_open(&s, NPY);
    assert_int_equal(s.data.schema.classes, 2);
    assert_false(s.set->bytes);
    section_free(&s);
    /* the bits of 1.5, -2, 2^-24, 65504, 0 and 0.1 */
    blob b = ARRAY("<u2", "(3, 2)", 0x3e00, 0xc000, 1, 0x7bff, 0x8000, 0x2e66);
    memcpy(strstr((char *)b.bytes + 10, "u2"), "f2", 2);
    save_blob("y", b);
    section_must_open(&s, NPY);
    static const float halves[] = {1.5f, -2, 0x1p-24f, 65504, 0, 0x1.998p-4f};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s.set->type->read(s.set, i, NULL, y, &s.error), 0);
        assert_true(y[0] == halves[2 * i] && y[1] == halves[2 * i + 1]);
    }
    section_free(&s);
    save_blob("y", ARRAY("<u8", "(3,)", 0, 1, -1)); /* 2^64 - 1 */
    refuses("but there can be at most 1000000 classes");
    b.bytes[b.count - 1] = 0x7c; /* infinity */
    b.bytes[b.count - 2] = 0;
    save_blob("y", b);
    refuses("y: row 2 (from 0), element 1: the value is inf");
}

static void test_shapes_and_orders(void **state) {
    (void)state;
    static const struct {
        const char *text, *shape;
        int rank, dim[4];
    } cases[] = {{"(2,)", "1", 1, {2, 1, 1, 1}},
                 {"( 2 , 6 )", "6", 2, {2, 6, 1, 1}},
                 {"(2L, 2L, 3L)", "2x3x1", 3, {2, 2, 3, 1}},
                 {"(2,3,2,5,)", "3x2x5", 4, {2, 3, 2, 5}}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const int *d = cases[c].dim;
        int total = d[0] * d[1] * d[2] * d[3], at = 0;
        double plain[64], fortran[64];
        for (int i = 0; i < total; i++)
            plain[i] = i;
        for (int l = 0; l < d[3]; l++) /* the first index runs fastest */
            for (int k = 0; k < d[2]; k++)
                for (int j = 0; j < d[1]; j++)
                    for (int i = 0; i < d[0]; i++)
                        fortran[at++] = ((i * d[1] + j) * d[2] + k) * d[3] + l;
        save_blob("y", ARRAY("|u1", "(2,)", 0, 1));
        save_blob("x", array(1, "<f4", false, cases[c].text, plain, total));
        opens(cases[c].shape, plain, total / 2, 2);
        save_blob("x", array(1, ">i4", true, cases[c].text, fortran, total));
        opens(cases[c].shape, plain, total / 2, 2);
    }
}

static void test_targets(void **state) {
    (void)state;
    section s;
    float y[4];
    save_good();
    save_blob("y", ARRAY(">f8", "(3, 2)", 0, 1.5, 2, -3, 4, 5));
    section_must_open(&s, NPY);
    assert_true(!s.data.schema.classes && s.data.schema.outputs == 2);
    assert_int_equal(s.set->type->read(s.set, 1, NULL, y, &s.error), 0);
    assert_true(y[0] == 2 && y[1] == -3);
    section_free(&s);
    save_blob("y", ARRAY("<i4", "(3, 1, 2)", 0, 1, 2, 3, 4, 0)); /* one a position */
    section_must_open(&s, NPY);
    assert_true(s.data.schema.classes == 5 && s.data.schema.outputs == 2);
    section_free(&s);
    section_must_open(&s, NPY " classes = 7;");
    assert_int_equal(s.data.schema.classes, 7);
    section_free(&s);
    section_refuses(NPY " classes = 4;", DL_DATA,
                    "y: row 2 (from 0) has class 4, but there are 4 classes, 0 to 3");
    save_blob("y", ARRAY("<i4", "(3,)", 0, -1, 2));
    refuses("y: row 1 (from 0) has class -1; classes start at 0");
    save_blob("y", ARRAY("<i8", "(3,)", 0, 1, 5e15));
    refuses("but there can be at most 1000000 classes");
    save_blob("y", ARRAY("|u1", "(2,)", 0, 1));
    refuses("x has 3 rows, but y has 2: they must be equal");
    save_blob("y", ARRAY("|u1", "(3, 1, 1, 1)", 0, 1, 2));
    refuses("y: is an array of 3x1x1x1; classes must be one per row or one per position");
}

static void test_not_finite(void **state) {
    (void)state;
    static const char *const types[] = {"<f4", ">f4", "<f8", ">f8"};
    static const double bad[] = {NAN, INFINITY, -INFINITY, 1e300};
    for (int t = 0; t < 4; t++)
        for (int k = 0; k < 4; k++) {
            save_good();
            save_blob("x", ARRAY(types[t], "(3, 2)", 0, 1, 2, bad[k], 4, 5));
            refuses("x: row 1 (from 0), element 1: the value is ");
            save_good();
            save_blob("y", ARRAY(types[t], "(3,)", 0, 1, bad[k]));
            refuses("y: row 2 (from 0), element 0");
        }
}

/* Other parts must agree with training. */
static void test_parts(void **state) {
    (void)state;
    section s;
    const char *both = NPY " test = { inputs = \"v\"; targets = \"w\"; };";
    save_good();
    save_blob("v", ARRAY("<f4", "(1, 2)", 1, 2));
    save_blob("w", ARRAY("<i2", "(1,)", 1));
    section_must_open(&s, both);
    assert_int_equal(s.data.dataset[DL_TEST].schema.classes, 3);
    section_free(&s);
    save_blob("w", ARRAY("<i2", "(1,)", 3));
    section_refuses(both, DL_DATA, "w: row 0 (from 0) has class 3, but there are 3 classes");
    save_blob("w", ARRAY("<f4", "(1,)", 1));
    section_refuses(both, DL_DATA, "w: targets are numbers, but in training they are classes");
    save_blob("w", ARRAY("<i4", "(1, 2)", 1, 1));
    section_refuses(both, DL_DATA, "w: has 2 targets per row, but in training there are 1");
    save_blob("w", ARRAY("<i2", "(1,)", 1));
    save_blob("v", ARRAY("<f4", "(1, 2, 1)", 1, 2));
    section_refuses(both, DL_DATA, "v: inputs are 2x1x1, but in training they are 2");
}

static void test_cut_or_longer(void **state) {
    (void)state;
    for (int version = 1; version <= 3; version++) {
        save_good();
        blob b = array(version, "<f4", false, "(3, 2)", (const double[]){0, 1, 2, 3, 4, 5}, 6);
        for (size_t cut = 0; cut < b.count; cut++) {
            save_bytes("x", b.bytes, cut);
            refuses("x");
        }
        put(&b, 0, 1);
        save_blob("x", b);
        refuses("there is data after the last element");
    }
}

static void test_headers(void **state) {
    (void)state;
    static const struct {
        const char *dict, *words;
    } cases[] = {
        {"", "does not begin with {"},
        {"[]", "does not begin with {"},
        {"{}", "must have descr, fortran_order and shape"},
        {"{'descr': '<f4', 'fortran_order': False}", "must have descr, fortran_order and shape"},
        {"{'descr': '<f4', 'descr': '<f4'}", "unknown or repeated header key"},
        {"{'size': 3}", "unknown or repeated header key"},
        {"{'descr' '<f4'}", "a header key is missing"},
        {"{'descr", "a header key is missing"},
        {"{'descr': '<f4' 'shape': (3,)}", "expected a comma"},
        {"{'descr': [('a', '<f4')], ", "a structured array"},
        {"{'descr': '<f4', 'fortran_order': maybe", "invalid header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 3}", "invalid header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,-2)}", "invalid header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3 2)}", "invalid header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2)} x", "unexpected data after"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (3, 2)}", "element type \"|O\""},
        {"{'descr': '<u3', 'fortran_order': False, 'shape': (3, 2)}", "element type \"<u3\""},
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (3, 2)}", "element type \"|f4\""},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (3, 2)}", "element type \"<c8\""},
        {"{'descr': '', 'fortran_order': False, 'shape': (3, 2)}", "element type \"\""},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': ()}", "no dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1)}", "too many dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2)}", "it has no rows"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 0)}", "it has no elements"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999999999, 1)}",
         "is cut short, or its header is wrong"},
        {"{'descr': '<f8', 'fortran_order': True, 'shape': (3, 99999999999999999999)}",
         "numbers per row are supported"},
        {"{'descr': '<f8', 'fortran_order': True, 'shape': (4611686018427387904, 268435456)}",
         "is cut short, or its header is wrong"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        save_good();
        blob b = header(1, cases[i].dict);
        put(&b, 0, 8);
        save_blob("x", b);
        refuses(cases[i].words);
    }
    save_good();
    save_text("x", "hello");
    refuses("x: offset 0: is not a NumPy array");
    save_bytes("x", "PK\3\4            ", 16);
    refuses("it is a zip archive (format = \"npz\" reads those)");
    save_blob("x", header(4, "{}"));
    refuses("x: offset 6: version 4.0 of the npy format");
    unlink("x");
    mkdir("x", 0777);
    refuses("x: is a folder");
    rmdir("x");
    save_text("x", "");
    refuses("x: is empty");
}

/* ---- npz ---- */

typedef struct {
    const char *name;
    blob content;
    int method; /* 0: stored, 8: deflated */
    bool wide;  /* sizes in zip64 fields */
} entry;

static void put_entry_sizes(blob *b, uint64_t packed, uint64_t size, bool wide) {
    put(b, wide ? UINT32_MAX : packed, 4);
    put(b, wide ? UINT32_MAX : size, 4);
}

static blob zip(const entry *entries, int count) {
    blob b = {.count = 0}, directory = {.count = 0};
    for (int i = 0; i < count; i++) {
        const entry *e = &entries[i];
        unsigned char packed[1 << 12];
        size_t size = e->content.count, length = strlen(e->name), at = b.count;
        uint32_t crc = (uint32_t)crc32(0, e->content.bytes, (unsigned)size);
        z_stream z = {.next_in = (unsigned char *)e->content.bytes,
                      .avail_in = (unsigned)size,
                      .next_out = packed,
                      .avail_out = sizeof packed};
        deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
        deflate(&z, Z_FINISH);
        size_t in_file = e->method ? z.total_out : size;
        deflateEnd(&z);
        put_bytes(&b, "PK\3\4\x2d\0\0\0", 8);
        put(&b, (uint64_t)e->method, 2);
        put(&b, 0, 4);
        put(&b, crc, 4);
        put_entry_sizes(&b, in_file, size, true);
        put(&b, length, 2);
        put(&b, 20, 2); /* numpy always writes this field */
        put_bytes(&b, e->name, length);
        put(&b, 1 | 16 << 16, 4);
        put(&b, size, 8);
        put(&b, in_file, 8);
        put_bytes(&b, e->method ? packed : e->content.bytes, in_file);
        put_bytes(&directory, "PK\1\2\x2d\3\x2d\0\0\0", 10);
        put(&directory, (uint64_t)e->method, 2);
        put(&directory, 0, 4);
        put(&directory, crc, 4);
        put_entry_sizes(&directory, in_file, size, e->wide);
        put(&directory, length, 2);
        put(&directory, e->wide ? 28 : 0, 2);
        put(&directory, 0, 10);
        put(&directory, e->wide ? UINT32_MAX : at, 4);
        put_bytes(&directory, e->name, length);
        if (e->wide) {
            put(&directory, 1 | 24 << 16, 4);
            put(&directory, size, 8);
            put(&directory, in_file, 8);
            put(&directory, at, 8);
        }
    }
    size_t start = b.count;
    put_bytes(&b, directory.bytes, directory.count);
    put_bytes(&b, "PK\5\6\0\0\0\0", 8);
    put(&b, (uint64_t)count, 2);
    put(&b, (uint64_t)count, 2);
    put(&b, directory.count, 4);
    put(&b, start, 4);
    put(&b, 0, 2);
    return b;
}

#define NPZ "format = \"npz\"; train = { file = \"z.npz\"; inputs = \"x\"; targets = \"y_1\"; };"

static blob good_zip(int method, bool wide) {
    const entry entries[] = {
        {"x.npy", ARRAY("<f4", "(3, 2)", 0, 1, 2, 3, 4, 5.5), method, wide},
        {"y_1.npy", ARRAY("<i8", "(3,)", 0, 2, 1), method, wide},
        {"other.npy", ARRAY("|u1", "(1,)", 7), 0, false},
    };
    return zip(entries, 3);
}

static void test_archive(void **state) {
    (void)state;
    for (int method = 0; method <= 8; method += 8)
        for (int wide = 0; wide < 2; wide++) {
            section s;
            float x[2], y;
            save_blob("z.npz", good_zip(method, wide));
            section_must_open(&s, NPZ);
            assert_int_equal(s.data.schema.classes, 3);
            assert_int_equal(s.set->type->read(s.set, 2, x, &y, &s.error), 0);
            assert_true(x[0] == 4 && x[1] == 5.5F && y == 1);
            section_free(&s);
        }
    section_refuses("format = \"npz\"; train = { file = \"z.npz\"; inputs = \"z\"; targets = "
                    "\"y_1\"; };",
                    DL_DATA, "z.npz: has no array \"z\"; there are: x, y_1, other");
}

/* Cut anywhere, and each byte changed: it may still be read, but then nothing is wrong. */
static void test_bad_archives(void **state) {
    (void)state;
    for (int method = 0; method <= 8; method += 8) {
        blob b = good_zip(method, method > 0);
        for (size_t cut = 0; cut < b.count; cut++) {
            save_bytes("z.npz", b.bytes, cut);
            section_refuses(NPZ, DL_DATA, "z.npz");
        }
        for (size_t at = 0; at < b.count; at++) {
            section s;
            float x[2], y;
            b.bytes[at] ^= 0x41;
            save_blob("z.npz", b);
            b.bytes[at] ^= 0x41;
            section_must_read(&s, NPZ);
            if (!dl_data_open(&s.data, &s.error)) {
                assert_int_equal(s.set->type->read(s.set, 2, x, &y, &s.error), 0);
                assert_true(x[0] == 4 && x[1] == 5.5F && y == 1);
            } else {
                SAYS(&s, "z.npz");
            }
            section_free(&s);
        }
    }
    blob b = good_zip(0, false);
    unsigned char *second = memmem(b.bytes + 100, b.count - 100, "\x93NUMPY", 6);
    assert_non_null(second);
    second[20] ^= 1;
    save_blob("z.npz", b);
    section_refuses(NPZ, DL_DATA, "z.npz: y_1: a member's checksum: the zip archive is cut short");
}

/* ---- more than the memory may hold ---- */

static void test_memory(void **state) {
    (void)state;
    section s;
    const double values[] = {0, 1, 2, 3, 4, 5};
    const char *advice = "of memory, but the limit is 23 B (data.memory_limit); the "
                         "format \"npy\" cannot be read on demand: save "
                         "numpy.ascontiguousarray(x), then it can";
    save_good();
    section_must_open_within(&s, NPY, 1); /* mapped */
    section_free(&s);
    save_blob("x", array(1, "<f4", true, "(3, 2)", values, 6));
    section_must_open_within(&s, NPY, 24);
    section_free(&s);
    section_refuses_within(NPY, 23, "x: needs 24 B ");
    section_refuses_within(NPY, 23, advice);
    save_blob("y", array(1, "<f4", true, "(3, 2)", values, 6)); /* both together */
    section_must_open_within(&s, NPY, 48);
    section_free(&s);
    section_refuses_within(NPY, 47, "y: needs 48 B ");
    save_blob("x", array(1, "<f4", true, "(6,)", values, 6)); /* one dimension has no order */
    save_blob("y", array(1, "<f4", true, "(6,)", values, 6));
    section_must_open_within(&s, NPY, 1);
    section_free(&s);
    for (int method = 0; method <= 8; method += 8) {
        int64_t x = (int64_t)ARRAY("<f4", "(3, 2)", 0, 1, 2, 3, 4, 5.5).count;
        int64_t y = (int64_t)ARRAY("<i8", "(3,)", 0, 2, 1).count;
        save_blob("z.npz", good_zip(method, false));
        section_must_open_within(&s, NPZ, x + y);
        section_free(&s);
        section_refuses_within(NPZ, x + y - 1, "z.npz: y_1: needs ");
        section_refuses_within(NPZ, x - 1, "z.npz: x: needs ");
        section_refuses_within(NPZ, 1,
                               "the format \"npz\" cannot be read on demand: save each "
                               "array separately (numpy.save) and use format = \"npy\"");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_rare_types),
        cmocka_unit_test(test_shapes_and_orders),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_cut_or_longer),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_archive),
        cmocka_unit_test(test_bad_archives),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

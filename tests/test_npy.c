/* SPDX-License-Identifier: MIT */
/* The npy format: every element type, both orders, every way in which a file can be wrong.
   Files are made here byte by byte; numpy.save and savez wrote the same. */
#include "npy_harness.h"

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
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

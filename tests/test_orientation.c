/* SPDX-License-Identifier: MIT */
/* Photographs of turned cameras: the tag is found, whatever the order of bytes, and the eight ways
   of turning are those of EXIF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "image/orientation.h"

static const unsigned char little[] = {
    0xff, 0xd8, 0xff, 0xe0, 0,  4,   1,    2,                      /* APP0 */
    0xff, 0xff, 0xe1, 0,    46, 'E', 'x',  'i',  'f', 0,   0,      /* a byte that fills, APP1 */
    'I',  'I',  '*',  0,    8,  0,   0,    0,    2,   0,           /* two entries */
    0x0f, 1,    2,    0,    4,  0,   0,    0,    'a', 'b', 'c', 0, /* the maker */
    0x12, 1,    3,    0,    1,  0,   0,    0,    6,   0,   0,   0, /* the orientation */
    0,    0,    0,    0,    0,  0,   0xff, 0xda, 0,   2};
static const unsigned char big[] = {0xff, 0xd8, 0xff, 0xe1, 0, 30, 'E', 'x', 'i', 'f', 0, 0,
                                    'M',  'M',  0,    '*',  0, 0,  0,   8,   0,   1,   1, 0x12,
                                    0,    3,    0,    0,    0, 1,  0,   8,   0,   0};

/* A copy of exactly that size, so that a sanitizer sees what is read beyond it. */
static int orientation_of(const unsigned char *bytes, size_t count) {
    unsigned char *copy = memcpy(malloc(count ? count : 1), bytes, count);
    int orientation = dl_orientation_of(copy, (int64_t)count);
    free(copy);
    return orientation;
}

static void test_tag(void **state) {
    (void)state;
    assert_int_equal(orientation_of(little, sizeof little), 6);
    assert_int_equal(orientation_of(big, sizeof big), 8);
    for (size_t count = 0; count < sizeof big; count++)
        assert_int_equal(orientation_of(big, count), 1);
    unsigned char other[sizeof big];
    for (size_t at = 0; at < sizeof big; at++) /* whatever is damaged: one of the eight */
        for (int bit = 1; bit < 256; bit <<= 1) {
            memcpy(other, big, sizeof big);
            other[at] ^= (unsigned char)bit;
            int found = orientation_of(other, sizeof other);
            assert_true(found >= 1 && found <= 8);
        }
}

/* 1 2 3
   4 5 6 */
static void test_turning(void **state) {
    (void)state;
    static const char *const upright[] = {NULL,     "123456", "321654", "654321", "456123",
                                          "142536", "415263", "635241", "362514"};
    for (int orientation = 1; orientation <= 8; orientation++) {
        unsigned char out[7] = {0}, pairs[13] = {0};
        dl_orientation_apply(orientation, (const unsigned char *)"123456", 2, 3, 1, out);
        assert_string_equal((const char *)out, upright[orientation]);
        assert_int_equal(dl_orientation_swaps(orientation), orientation > 4);
        dl_orientation_apply(orientation, (const unsigned char *)"1a2b3c4d5e6f", 2, 3, 2, pairs);
        for (int i = 0; i < 6; i++) {
            assert_int_equal(pairs[2 * i], out[i]);
            assert_int_equal(pairs[2 * i + 1], out[i] - '1' + 'a');
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tag), cmocka_unit_test(test_turning)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

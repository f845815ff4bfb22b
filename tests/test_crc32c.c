/* SPDX-License-Identifier: MIT */
/* CRC-32C: the examples of RFC 3720, B.4, and the usual check value. */
#include <string.h>

#include "base/crc32c.h"
#include "harness.h"

static void test_examples(void **state) {
    (void)state;
    unsigned char bytes[32];
    assert_int_equal(dl_crc32c("123456789", 9), 0xE3069283);
    assert_int_equal(dl_crc32c("", 0), 0);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(dl_crc32c(bytes, sizeof bytes), 0x8A9136AA);
    memset(bytes, 255, sizeof bytes);
    assert_int_equal(dl_crc32c(bytes, sizeof bytes), 0x62A8AB43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(dl_crc32c(bytes, sizeof bytes), 0x46DD794E);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)(31 - i);
    assert_int_equal(dl_crc32c(bytes, sizeof bytes), 0x113FDB5C);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

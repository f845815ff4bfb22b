/* SPDX-License-Identifier: MIT */
/* Digests of bytes. */
#include "harness.h"

#include <string.h>

#include "base/digest.h"

/* The verification of the author's SMHasher: the digests of 0, 0 1, 0 1 2, … with the seeds 256,
   255, 254, …, all in a row, have a digest that begins with this word. */
static void test_verification(void **state) {
    (void)state;
    unsigned char key[256];
    dl_digest all[256];
    for (int i = 0; i < 256; i++) {
        key[i] = (unsigned char)i;
        all[i] = dl_digest_of(key, (size_t)i, (uint32_t)(256 - i));
    }
    dl_digest last = dl_digest_of(all, sizeof all, 0);
    assert_int_equal((uint32_t)last.half[0], 0x6384BA69);
}

static void test_parts(void **state) {
    (void)state;
    dl_digest a = {{0, 0}}, b = a, c = a;
    dl_digest_add(&a, "one", 3);
    dl_digest_add(&b, "one", 3);
    dl_digest_add(&c, "onetwo", 6);
    assert_true(dl_digest_equal(a, b));
    dl_digest_add(&a, "two", 3);
    assert_false(dl_digest_equal(a, b));
    assert_false(dl_digest_equal(a, c));
    b.half[1] = a.half[1];
    assert_false(dl_digest_equal(a, b));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verification),
        cmocka_unit_test(test_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

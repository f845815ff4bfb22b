/* SPDX-License-Identifier: MIT */
/* npz archives, made here byte by byte: stored, deflated, zip64, and damaged ones. */
#include "npy_harness.h"

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
        cmocka_unit_test(test_archive),
        cmocka_unit_test(test_bad_archives),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

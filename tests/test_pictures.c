/* SPDX-License-Identifier: MIT */
/* Pictures in archives, CIFAR's binary files, and random data. */
#include "picture_harness.h"

/* Reads and opens; -1 and an error if either cannot be. */
static int section_open(section *s, const char *text) {
    return section_read(s, text) || dl_data_open(&s->data, &s->error) ? -1 : 0;
}

/* ---- archives ---- */

typedef struct {
    char *bytes;
    size_t count;
} tar_file;

static void add_member(tar_file *tar, const char *name, char kind, const void *bytes,
                       size_t count) {
    char header[512] = {0};
    size_t padded = (count + 511) / 512 * 512;
    unsigned sum = 0;
    snprintf(header, 100, "%s", name);
    snprintf(header + 124, 12, "%011o", (unsigned)count);
    memset(header + 148, ' ', 8);
    header[156] = kind;
    memcpy(header + 257, "ustar", 6);
    for (int i = 0; i < 512; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    tar->bytes = xrealloc(tar->bytes, tar->count + 512 + padded);
    memcpy(tar->bytes + tar->count, header, 512);
    memset(tar->bytes + tar->count + 512, 0, padded);
    memcpy(tar->bytes + tar->count + 512, bytes, count);
    tar->count += 512 + padded;
}

/* A picture of 3 x 2 pixels, the first of which is (r, 10, 20). */
static void add_picture(tar_file *tar, const char *name, int r) {
    char picture[64] = "P6 3 2 255\n";
    size_t head = strlen(picture);
    picture[head] = (char)r;
    picture[head + 1] = 10;
    picture[head + 2] = 20;
    for (int i = 3; i < 18; i++)
        picture[head + (size_t)i] = (char)(i + 100);
    add_member(tar, name, '0', picture, head + 18);
}

static void save_tar(tar_file *tar, const char *name) {
    char end[1024] = {0};
    tar->bytes = xrealloc(tar->bytes, tar->count + sizeof end);
    memcpy(tar->bytes + tar->count, end, sizeof end);
    save_bytes(name, tar->bytes, tar->count + sizeof end);
    free(tar->bytes);
    *tar = (tar_file){0};
}

static float first_value(const dl_data *data, dl_split part, int64_t i, float *class) {
    float x[18];
    dl_error error = {0};
    const dl_dataset *set = data->part[part].dataset;
    assert_int_equal(set->type->read(set, i, x, class, &error), 0);
    return x[0];
}

static void test_archive(void **state) {
    (void)state;
    tar_file tar = {0};
    char longer[160];
    section s;
    add_member(&tar, "set/", '5', "", 0);
    add_picture(&tar, "set/zebra/1.ppm", 200); /* classes by name, not by their order */
    add_picture(&tar, "set/ape/1.PPM", 50);
    add_member(&tar, "set/ape/notes.txt", '0', "hello", 5);
    snprintf(longer, sizeof longer, "%0120d/ape/2.ppm", 7);
    add_member(&tar, "././@LongLink", 'L', longer, strlen(longer) + 1);
    add_picture(&tar, "cut off", 51);
    save_tar(&tar, "a.tar");
    add_picture(&tar, "x/zebra/9.ppm", 9);
    save_tar(&tar, "b.tar");
    section_must_open(&s, "format = \"image_tar\"; train = { file = \"a.tar\"; };\n"
                          "test = { file = \"b.tar\"; };");
    const dl_schema *schema = &s.data.schema;
    assert_true(schema->input.rank == 3 && schema->input.dim[0] == 2 && schema->input.dim[1] == 3 &&
                schema->input.dim[2] == 3);
    assert_int_equal(schema->classes, 2);
    assert_string_equal(schema->class_names[0], "ape");
    assert_string_equal(schema->class_names[1], "zebra");
    assert_int_equal(s.data.part[DL_TRAIN].count, 3);
    static const float pixels[] = {200, 50, 51}, classes[] = {1, 0, 0};
    float class;
    for (int i = 0; i < 3; i++) {
        assert_true(first_value(&s.data, DL_TRAIN, i, &class) == pixels[i]);
        assert_true(class == classes[i]);
    }
    assert_true(first_value(&s.data, DL_TEST, 0, &class) == 9 && class == 1);
    section_free(&s);
    section_must_open(
        &s, "format = \"image_tar\"; channels = \"gray\"; train = { file = \"a.tar\"; };");
    assert_int_equal(s.data.schema.input.dim[2], 1);
    section_free(&s);
}

/* More pictures than are decoded at once: each keeps its place and its class. */
static void test_many(void **state) {
    (void)state;
    tar_file tar = {0};
    section s;
    float class;
    for (int i = 0; i < 1300; i++) {
        char name[32];
        snprintf(name, sizeof name, "%c/%04d.ppm", i % 3 ? 'b' : 'a', i);
        add_picture(&tar, name, i % 251);
    }
    save_tar(&tar, "many.tar");
    section_must_open(&s, "format = \"image_tar\"; train = { file = \"many.tar\"; };");
    assert_int_equal(s.data.part[DL_TRAIN].count, 1300);
    for (int i = 0; i < 1300; i++) {
        assert_true(first_value(&s.data, DL_TRAIN, i, &class) == (float)(i % 251));
        assert_true(class == (float)(i % 3 > 0));
    }
    section_free(&s);
}

static void refused(const char *text, const char *message) {
    section s;
    assert_int_equal(section_open(&s, text), -1);
    if (!strstr(dl_text_get(&s.error.text), message))
        fail_msg("not \"%s\" but: %s", message, dl_text_get(&s.error.text));
    section_free(&s);
}

enum { SIDE = 250, LARGE = 3 * SIDE * SIDE };

/* Eight large pictures, of 1.5 MB; `salt` makes other ones. */
static void save_large(const char *name, int salt) {
    tar_file tar = {0};
    char *picture = xmalloc(LARGE + 64);
    for (int k = 0; k < 8; k++) {
        char path[32];
        int head = snprintf(picture, 64, "P6 %d %d 255\n", SIDE, SIDE);
        for (int i = 0; i < LARGE; i++)
            picture[head + i] = (char)(i * (k + 3) / 7 + salt);
        snprintf(path, sizeof path, "%c/%d.ppm", "ba"[k % 2], k);
        add_member(&tar, path, '0', picture, (size_t)(head + LARGE));
    }
    save_tar(&tar, name);
    free(picture);
}

/* What is larger than memory_limit is decoded as needed, to the same numbers. */
static void test_on_demand(void **state) {
    (void)state;
    section whole, s;
    static float x[LARGE], y[LARGE];
    dl_error error = {0};
    save_large("a.tar", 0);
    section_must_open(&whole, "format = \"image_tar\"; train = { file = \"a.tar\"; };");
    section_must_open(&s,
                      "format = \"image_tar\"; memory_limit = 1; train = { file = \"a.tar\"; };");
    const dl_dataset *set = s.set, *other = whole.set;
    same_rows(&s, &whole);
    for (int64_t i = 7; i >= 0; i--) {
        float a, b;
        assert_int_equal(set->type->read(set, i, x, &a, &error), 0);
        assert_int_equal(other->type->read(other, i, y, &b, &error), 0);
        assert_memory_equal(x, y, sizeof x);
        assert_true(a == b && a == (i + 1) % 2);
    }
    FILE *file = fopen("a.tar", "r+"); /* the same file, with something else in it */
    assert_int_equal(ftruncate(fileno(file), 1000), 0);
    fclose(file);
    assert_int_equal(other->type->read(other, 3, x, NULL, &error), 0);
    assert_int_equal(set->type->read(set, 3, NULL, x, &error), 0); /* only its class */
    assert_int_equal(set->type->read(set, 3, x, NULL, &error), -1);
    assert_non_null(strstr(dl_text_get(&error.text), "a.tar: offset "));
    assert_non_null(strstr(dl_text_get(&error.text), "was changed since it was opened"));
    dl_error_clear(&error);
    section_free(&s);
    section_free(&whole);
}

/* The limit is reached amid the pieces; a gzipped archive is held up to what the machine has. */
static void test_many_on_demand(void **state) {
    (void)state;
    tar_file tar = {0};
    section whole, s;
    const char *plain = "format = \"image_tar\"; train = { file = \"many.tar\"; };";
    const char *gzipped = "format = \"image_tar\"; train = { file = \"many.tar.gz\"; };";
    for (int i = 0; i < 1300; i++) {
        char name[32];
        snprintf(name, sizeof name, "%c/%04d.ppm", i % 3 ? 'b' : 'a', i);
        add_picture(&tar, name, i % 251);
    }
    save_gzip("many.tar.gz", tar.bytes, tar.count);
    save_tar(&tar, "many.tar");
    section_must_open(&whole, plain);
    section_must_open_within(&s, plain, 18 * 700);
    same_rows(&s, &whole);
    assert_int_equal(truncate("many.tar", 100000), 0);
    row_is_gone(&s, 1299, "the archive was changed since it was opened (cut short)");
    section_free(&s);
    section_must_read(&s, gzipped);
    s.set->memory = 18 * 700;
    s.set->memory_most = 18 * 1300;
    assert_int_equal(dl_data_open(&s.data, &s.error), 0);
    same_rows(&s, &whole);
    section_free(&s);
    section_must_read(&s, gzipped);
    s.set->memory = 18 * 700;
    s.set->memory_most = 18 * 1299;
    assert_int_equal(dl_data_open(&s.data, &s.error), -1);
    SAYS(&s, "many.tar.gz: needs 23 kB of memory, but the limit is 23 kB");
    section_free(&s);
    section_free(&whole);
    for (int i = 0; i < 600; i++)
        add_picture(&tar, i % 2 ? "a/1.ppm" : "b/2.ppm", i % 251);
    add_member(&tar, "b/bad.png", '0', "no picture", 10);
    save_tar(&tar, "many.tar");
    section_refuses_within(plain, 18 * 10, "many.tar: 1 picture cannot be read:\n  b/bad.png (");
}

static void test_too_large(void **state) {
    (void)state;
    save_large("b.tar", 0);
    size_t room = 8 * (LARGE + 2048), count;
    char *bytes = xmalloc(room);
    count = load_bytes("b.tar", bytes, room);
    save_gzip("b.tar.gz", bytes, count);
    refused("format = \"image_tar\"; memory_limit = 1; train = { file = \"b.tar.gz\"; };",
            "b.tar.gz: needs 1.1 MB of memory, but the limit is 1.0 MB (data.memory_limit); "
            "the format \"image_tar\" cannot be read on demand: gunzip the archive, then it can");
    memset(bytes, 0, 3073 * 400);
    save_bytes("c.bin", bytes, 3073 * 400);
    refused("format = \"cifar\"; memory_limit = 1; train = { files = (\"c.bin\"); };",
            "c.bin: needs 1.2 MB of memory, but the limit is 1.0 MB");
    memcpy(bytes, "\0\0\x08\x03\0\0\x04\xb0\0\0\0\x20\0\0\0\x20", 16);
    save_bytes("images", bytes, 16 + 1200 * 1024);
    memcpy(bytes, "\0\0\x08\x01\0\0\x04\xb0", 8);
    save_bytes("labels", bytes, 8 + 1200);
    refused("format = \"idx\"; memory_limit = 1; train = { images = \"images\"; labels = "
            "\"labels\"; };",
            "images: needs 1.2 MB of memory, but the limit is 1.0 MB");
    memset(bytes, 'a', 600000);
    save_bytes("text", bytes, 600000);
    refused("format = \"text\"; memory_limit = 1; train = { file = \"text\"; };",
            "text: needs 1.8 MB of memory, but the limit is 1.0 MB");
    for (int i = 0; i < 600000; i += 4)
        memcpy(bytes + i, i % 400 ? "1,2\n" : "2,1\n", 4);
    save_bytes("t.csv", bytes, 600000);
    refused("format = \"csv\"; memory_limit = 1; header = false; train = { file = \"t.csv\"; };",
            "it has 150000 rows of 1 numbers, one a category");
    free(bytes);
}

static void test_bad_archives(void **state) {
    (void)state;
    tar_file tar = {0};
    add_picture(&tar, "a/1.ppm", 1);
    add_member(&tar, "b/2.png", '0', "no picture", 10);
    save_tar(&tar, "bad.tar");
    refused("format = \"image_tar\"; train = { file = \"bad.tar\"; };",
            "bad.tar: 1 picture cannot be read:\n  b/2.png (");
    add_picture(&tar, "a/1.ppm", 1);
    add_member(&tar, "b/1.ppm", '0', "P6 1 1 255\nabc", 14);
    save_tar(&tar, "sizes.tar");
    refused("format = \"image_tar\"; train = { file = \"sizes.tar\"; };",
            "sizes.tar: b/1.ppm has 1x1 pixels, the first picture has 2x3");
    add_picture(&tar, "1.ppm", 1);
    save_tar(&tar, "flat.tar");
    refused("format = \"image_tar\"; train = { file = \"flat.tar\"; };",
            "1.ppm is in no folder, which would be its class");
    add_picture(&tar, "a/1.ppm", 1);
    save_tar(&tar, "one.tar");
    refused("format = \"image_tar\"; train = { file = \"one.tar\"; };",
            "all pictures are in one folder");
    add_picture(&tar, "a/1.ppm", 1);
    add_picture(&tar, "b/1.ppm", 1);
    size_t whole = tar.count;
    char *copy = memcpy(xmalloc(whole), tar.bytes, whole);
    save_tar(&tar, "good.tar");
    for (size_t cut = 1; cut < whole - 500; cut += 37) { /* but in the last padding */
        section s;
        save_bytes("cut.tar", copy, cut);
        assert_int_equal(
            section_open(&s, "format = \"image_tar\"; train = { file = \"cut.tar\"; };"), -1);
        assert_true(s.error.count == 1);
        section_free(&s);
    }
    free(copy);
    add_picture(&tar, "c/1.ppm", 1);
    save_tar(&tar, "other.tar");
    refused("format = \"image_tar\"; train = { file = \"good.tar\"; };\ntest = { file = "
            "\"other.tar\"; };",
            "other.tar: the class \"c\" is not among those of training");
    save_text("text.tar", "this is a text that is no archive at all");
    refused("format = \"image_tar\"; train = { file = \"text.tar\"; };",
            "offset 0: this is no tar archive");
}

/* ---- CIFAR ---- */

static void test_cifar(void **state) {
    (void)state;
    section s;
    unsigned char row[2 * 3074] = {0};
    row[0] = 3;
    row[1] = 11;           /* red of the first pixel */
    row[1 + 1024] = 12;    /* its green */
    row[1 + 2048 + 1] = 9; /* blue of the second */
    row[3073] = 7;
    save_bytes("c.bin", row, 2 * 3073);
    section_must_open(&s, "format = \"cifar\"; train = { files = ( \"c.bin\", \"c.bin\" ); };");
    assert_int_equal(s.data.part[DL_TRAIN].count, 4);
    assert_int_equal(s.data.schema.classes, 10);
    float x[3072], y;
    dl_error error = {0};
    const dl_dataset *set = s.data.part[DL_TRAIN].dataset;
    assert_int_equal(set->type->read(set, 2, x, &y, &error), 0);
    assert_true(y == 3 && x[0] == 11 && x[1] == 12 && x[2] == 0 && x[5] == 9);
    section_free(&s);
    row[0] = 19;
    row[1] = 99;
    row[3074] = 0;
    save_bytes("d.bin", row, 2 * 3074);
    section_must_open(&s,
                      "format = \"cifar\"; labels = \"fine\"; train = { files = ( \"d.bin\" ); };");
    assert_int_equal(s.data.schema.classes, 100);
    assert_int_equal(
        s.data.part[DL_TRAIN].dataset->type->read(s.data.part[DL_TRAIN].dataset, 0, x, &y, &error),
        0);
    assert_true(y == 99);
    section_free(&s);
    refused("format = \"cifar\"; train = { files = ( \"d.bin\" ); };",
            "not a multiple of the row size 3073");
    row[0] = 200;
    save_bytes("e.bin", row, 3073);
    refused("format = \"cifar\"; train = { files = ( \"e.bin\" ); };",
            "row 1 has label 200, but there are 10 classes");
}

/* ---- random ---- */

static void test_random(void **state) {
    (void)state;
    section s;
    section_must_open(&s,
                      "format = \"random\"; input = (5, 4); classes = 7; train = { rows = 300; };");
    assert_true(s.data.schema.input.rank == 2 && s.data.schema.input.dim[1] == 4);
    const dl_dataset *set = s.data.part[DL_TRAIN].dataset;
    float a[20], b[20], y, z;
    dl_error error = {0};
    int seen = 0;
    for (int i = 0; i < 300; i++) {
        set->type->read(set, i, a, &y, &error);
        set->type->read(set, i, b, &z, &error);
        assert_memory_equal(a, b, sizeof a);
        assert_true(y == z && y >= 0 && y < 7);
        seen |= 1 << (int)y;
    }
    assert_int_equal(seen, 127);
    section_free(&s);
    refused("format = \"random\"; input = (5, 4); train = {};", "needs either classes or outputs");
    refused("format = \"random\"; input = (5, -4); classes = 2; train = {};",
            "input must be a list");
    refused("format = \"random\"; input = 5; classes = 2; train = {};", "input must be a list");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_archive),   cmocka_unit_test(test_on_demand),
        cmocka_unit_test(test_too_large), cmocka_unit_test(test_bad_archives),
        cmocka_unit_test(test_cifar),     cmocka_unit_test(test_random),
        cmocka_unit_test(test_many),      cmocka_unit_test(test_many_on_demand),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

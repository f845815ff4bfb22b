/* SPDX-License-Identifier: MIT */
/* Folders of pictures, and what is done to pictures of other sizes. */
#include "picture_harness.h"

/* Two classes, three pictures of 1 x 2, and much that is none. */
static void make_tree(void) {
    clear("root");
    mkdir("root", 0777);
    mkdir("root/10", 0777);
    mkdir("root/007", 0777);
    mkdir("root/.hidden", 0777);
    mkdir("root/10/deeper.png", 0777);
    GREY("root/10/b.pgm", 1, 2, 3, 4);
    GREY("root/10/a.PGM", 1, 2, 1, 2);
    GREY("root/007/z.jpeg", 1, 2, 200, 255); /* what it is counts, not what it is called */
    save_text("root/.hidden/c.png", "no picture");
    save_text("root/10/._a.png", "no picture");
    save_text("root/10/notes.txt", "hello");
    save_text("root/README", "hello");
}

#define GREY_FOLDER "format = \"image_folder\"; channels = \"gray\"; "
#define TRAIN GREY_FOLDER "train = { folder = \"root\"; };"

static void test_folder(void **state) {
    (void)state;
    section s;
    make_tree();
    section_must_open(&s, TRAIN);
    assert_int_equal(s.data.part[DL_TRAIN].count, 3);
    assert_int_equal(s.data.schema.classes, 2);
    assert_string_equal(s.data.schema.class_names[0], "007"); /* a name, not a number */
    assert_string_equal(s.data.schema.class_names[1], "10");
    assert_true(s.set->bytes);
    ROW(&s, 0, 0, 200, 255);
    ROW(&s, 1, 1, 1, 2); /* by their names, capitals first */
    ROW(&s, 2, 1, 3, 4);
    const char *skipped = dl_text_get(&s.data.notes.skipped);
    assert_non_null(strstr(skipped, "root: 2 hidden files or folders skipped (such as root/"));
    assert_non_null(
        strstr(skipped, ", 2 files without an image's extension skipped (such as root/"));
    assert_non_null(strstr(skipped, ", 1 subfolder of a class skipped (root/10/deeper.png)\n"));
    section_free(&s);
    section_must_open(&s, "format = \"image_folder\"; train = { folder = \"root\"; };");
    ROW(&s, 2, 1, 3, 3, 3, 4, 4, 4);
    section_free(&s);
}

/* More pictures than are decoded at once: each keeps its place. */
static void test_many(void **state) {
    (void)state;
    section s;
    make_tree();
    for (int i = 0; i < 1300; i++) {
        char name[32];
        snprintf(name, sizeof name, "root/007/%04d.pgm", i);
        GREY(name, 1, 2, i % 256, i / 256);
    }
    section_must_open(&s, TRAIN);
    assert_int_equal(s.data.part[DL_TRAIN].count, 1303);
    for (int i = 0; i < 1300; i++)
        ROW(&s, i, 0, (float)(i % 256), (float)(i / 256));
    ROW(&s, 1301, 1, 1, 2);
    section_free(&s);
}

/* A part that was not trained on may lack classes, and have empty folders; its rows are numbered as
   in training. */
static void test_other_parts(void **state) {
    (void)state;
    section s;
    make_tree();
    mkdir("test", 0777);
    mkdir("test/10", 0777);
    mkdir("test/empty", 0777);
    GREY("test/10/x.pgm", 1, 2, 9, 8);
    const char *both = GREY_FOLDER "train = { folder = \"root\"; }; test = { folder = \"test\"; };";
    section_must_open(&s, both);
    has_row(&s, DL_TEST, 0, (const float[]){9, 8}, 2, 1);
    section_free(&s);
    mkdir("test/11", 0777);
    GREY("test/11/x.pgm", 1, 2, 9, 8);
    section_refuses(both, DL_DATA, "test: the class \"11\" is not among those of training");
    GREY("test/11/x.pgm", 2, 1, 9, 8);
    GREY("test/10/x.pgm", 2, 1, 9, 8);
    section_refuses(both, DL_DATA, "test: images are 2x1x1, but in training they are 1x2x1");
    clear("test");
}

static void test_links(void **state) {
    (void)state;
    section s;
    make_tree();
    assert_int_equal(symlink("root", "link"), 0);
    assert_int_equal(symlink("10", "root/11"), 0);
    assert_int_equal(symlink("../10/b.pgm", "root/007/a.pgm"), 0);
    section_must_open(&s, GREY_FOLDER "train = { folder = \"link\"; };");
    assert_int_equal(s.data.part[DL_TRAIN].count, 6);
    ROW(&s, 0, 0, 3, 4);
    ROW(&s, 4, 2, 1, 2);
    section_free(&s);
    unlink("link");
    /* a class that is its own parent has no pictures; a link to itself is nothing at all */
    assert_int_equal(symlink("..", "root/loop"), 0);
    assert_int_equal(symlink("self", "root/self"), 0);
    section_must_read(&s, TRAIN);
    assert_int_equal(dl_data_open(&s.data, &s.error), -1);
    SAYS(&s, "root/loop: there are no pictures (.png,", "only folders, which are not looked into",
         "root/self: Too many levels of symbolic links");
    section_free(&s);
}

static void test_unreadable(void **state) {
    (void)state;
    section s;
    make_tree();
    save_text("root/007/b.png", "no picture");
    save_text("root/007/e.gif", "");
    save_bytes("root/10/c.ppm", "P6 2 1 255\nabc", 14);
    assert_int_equal(symlink("l.png", "root/10/l.png"), 0);
    assert_int_equal(symlink("nowhere", "root/10/n.png"), 0);
    assert_int_equal(mkfifo("root/10/p.png", 0666), 0); /* opening it must not wait */
    section_must_read(&s, TRAIN);
    assert_int_equal(dl_data_open(&s.data, &s.error), -1);
    assert_int_equal(s.error.code, DL_DATA);
    SAYS(&s, "root: 6 pictures cannot be read:\n  root/007/b.png (", "\n  root/007/e.gif (",
         "\n  root/10/c.ppm (", "\n  root/10/l.png (Too many levels of symbolic links)",
         "\n  root/10/n.png (No such file or directory)", "\n  root/10/p.png (not a file)");
    section_free(&s);
    for (int i = 0; i < 700; i++) { /* more than a piece, more than are told */
        char name[32];
        snprintf(name, sizeof name, "root/007/c%03d.png", i);
        save_text(name, "x");
    }
    section_must_read(&s, TRAIN);
    assert_int_equal(dl_data_open(&s.data, &s.error), -1);
    SAYS(&s, "706 pictures cannot be read", "\n  and 606 more");
    section_free(&s);
}

static void test_refused(void **state) {
    (void)state;
    make_tree();
    mkdir("root/empty", 0777);
    section_refuses(TRAIN, DL_DATA, "root/empty: there are no pictures");
    make_tree();
    save_text("root/x.png", "");
    section_refuses(TRAIN, DL_DATA, "root/x.png: is an image outside the folders");
    make_tree();
    GREY("root/10/c.pgm", 2, 1, 1, 2);
    section_refuses(TRAIN, DL_DATA,
                    "root: root/10/c.pgm has 2x1 pixels, the first picture has 1x2 (size = ");
    make_tree();
    mkdir("root/\xff", 0777);
    GREY("root/\xff/c.pgm", 1, 2, 1, 2);
    section_refuses(TRAIN, DL_DATA, "is not UTF-8");
    make_tree();
    clear("root/007");
    section_refuses(TRAIN, DL_DATA, "all pictures are in one folder, \"10\"");
    clear("root");
    section_refuses(TRAIN, DL_DATA, "root: not found");
    save_text("root", "");
    section_refuses(TRAIN, DL_DATA, "root: is a file, not a folder");
    unlink("root");
    mkdir("root", 0777);
    section_refuses(TRAIN, DL_DATA, "root: there are no pictures in it");
    clear("root");
}

/* A header alone must not make the program ask for memory. */
static void test_claims(void **state) {
    (void)state;
    make_tree();
    save_text("root/007/a.pgm", "P5 32768 32768 255\n");
    section_refuses(TRAIN, DL_DATA, "root/007/a.pgm (too many pixels)");
    save_text("root/007/a.pgm", "P5 2444444444 1 255\n");
    section_refuses(TRAIN, DL_DATA, "root/007/a.pgm (a number in its header is too large)");
    static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\2\0\0\0\1\x08\0\0\0\0"
                              "crc.\x3f\xff\xff\xffIDAT and not a gigabyte of it";
    save_bytes("root/007/a.pgm", png, sizeof png - 1);
    section_refuses(TRAIN, DL_DATA, "root/007/a.pgm (cut short)");
    save_text("root/007/a.pgm", "P5 11000 11000 255\n");
    for (int i = 0; i < 600; i++) {
        char name[32];
        snprintf(name, sizeof name, "root/007/c%03d.pgm", i);
        save_text(name, "P5 11000 11000 255\n");
    }
    section_refuses(TRAIN "memory_limit = 1000000000;", DL_DATA, "of memory; this machine has");
    /* above the limit it is not asked for at all */
    section_refuses(TRAIN "memory_limit = 1;", DL_DATA,
                    "root: root/007/z.jpeg has 1x2 pixels, the first picture has 11000x11000");
    clear("root");
}

/* ---- more than the memory may hold ---- */

/* What is larger than memory_limit is decoded as needed, to the same numbers. */
static void test_on_demand(void **state) {
    (void)state;
    section whole, s;
    make_tree();
    section_must_open(&whole, TRAIN "size = (700, 500);"); /* 350 kB each */
    section_must_open(&s, TRAIN "size = (700, 500); memory_limit = 1;");
    assert_true(s.set->slow && !whole.set->slow);
    same_rows(&s, &whole);
    section_free(&s);
    section_free(&whole);
    section_must_open_within(&whole, TRAIN, 6); /* just fits */
    section_must_open_within(&s, TRAIN, 5);
    same_rows(&s, &whole);
    s.set->type->prefetch(s.set, 1);
    GREY("root/10/a.PGM", 2, 2, 1, 2, 3, 4);
    save_text("root/10/b.pgm", "no picture");
    row_is_gone(&s, 1, "root/10/a.PGM: the picture was changed since it was opened (another size)");
    row_is_gone(&s, 2, "root/10/b.pgm: the picture was changed since it was opened (");
    unlink("root/10/b.pgm");
    row_is_gone(&s, 2, "was changed since it was opened (No such file or directory)");
    ROW(&s, 0, 0, 200, 255);
    ROW(&whole, 2, 1, 3, 4);
    section_free(&s);
    section_free(&whole);
    clear("root");
}

/* The limit is reached amid the pieces, and pictures that are no such are found on both sides. */
static void test_many_on_demand(void **state) {
    (void)state;
    section whole, s;
    make_tree();
    for (int i = 0; i < 1300; i++) {
        char name[32];
        snprintf(name, sizeof name, "root/007/%04d.pgm", i);
        GREY(name, 1, 2, i % 256, i / 256);
    }
    section_must_open(&whole, TRAIN);
    section_must_open_within(&s, TRAIN, 2 * 700);
    same_rows(&s, &whole);
    section_free(&s);
    section_free(&whole);
    save_text("root/007/0100.pgm", "no picture");
    save_bytes("root/007/1200.pgm", "P5 2 1 255\na", 12);
    section_refuses_within(TRAIN, 2 * 700,
                           "root: 2 pictures cannot be read:\n  root/007/0100.pgm (");
    section_refuses_within(TRAIN, 2 * 700, "\n  root/007/1200.pgm (cut short)");
    clear("root");
}

/* ---- files that are cut short ---- */

/* Opens the folder with a whole file and one of which `cut` bytes are left. */
static int open_cut(const char *bytes, size_t count, size_t cut) {
    section s;
    save_bytes("root/a/1.png", bytes, count);
    save_bytes("root/b/1.png", bytes, cut);
    section_must_read(&s, "format = \"image_folder\"; train = { folder = \"root\"; };");
    int result = dl_data_open(&s.data, &s.error);
    if (result)
        SAYS(&s, "root/b/1.png");
    section_free(&s);
    return result;
}

/* `spare`: so many bytes of the end may be missing. */
static void every_cut(const char *bytes, size_t count, size_t spare) {
    if (open_cut(bytes, count, count))
        fail_msg("the whole file of %zu bytes is refused", count);
    for (size_t cut = 0; cut < count - spare; cut++)
        if (!open_cut(bytes, count, cut))
            fail_msg("%zu of %zu bytes are enough", cut, count);
}

#define EVERY_CUT(text, spare) every_cut(text, sizeof(text) - 1, spare)

/* Tables of one code each, and one block that is all zero. */
static size_t make_jpeg(char out[256]) {
    static const char frame[] = "\xff\xc0\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0";
    static const char scan[] = "\xff\xda\0\x08\x01\x01\0\0\x3f\0\x3f\xff\xd9";
    size_t at = 0;
    memcpy(out, "\xff\xd8\xff\xdb\0\x43\0", 7);
    memset(out + 7, 1, 64);
    at = 71;
    memcpy(out + at, frame, sizeof frame - 1);
    at += sizeof frame - 1;
    for (int class = 0; class < 2; class ++) {
        memset(out + at, 0, 22);
        memcpy(out + at, "\xff\xc4\0\x14", 4);
        out[at + 4] = (char)(class << 4);
        out[at + 5] = 1;
        at += 22;
    }
    memcpy(out + at, scan, sizeof scan - 1);
    return at + sizeof scan - 1;
}

/* What stb_image would read or write beyond its memory for. */
static void test_not_safe(void **state) {
    (void)state;
    char jpeg[256];
    size_t count = make_jpeg(jpeg), counts = 71 + 13 + 5;
    make_tree();
    save_text("root/007/a.pgm", "P5 1 2 65535\nabcd");
    section_refuses(TRAIN, DL_DATA, "root/007/a.pgm (a 16-bit PNM)");
    assert_int_equal(jpeg[counts], 1); /* 1 + 255 codes are as many as there can be, 257 are not */
    jpeg[counts + 14] = (char)200;
    jpeg[counts + 15] = (char)56;
    save_bytes("root/007/a.pgm", jpeg, count);
    section_refuses(TRAIN, DL_DATA, "root/007/a.pgm (a Huffman table of more than 256 codes)");
    clear("root");
}

/* stb_image reads a PNG of 1 x 1 whatever its checksums say. */
static void test_checksum(void **state) {
    (void)state;
    char png[] =
        "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0\x3a\x7e\x9b\x55"
        "\0\0\0\x0aIDAT\x78\x9c\x63\x60\0\0\0\2\0\1\x48\xaf\xa4\x71\0\0\0\0IEND\xae\x42\x60\x82";
    section s;
    clear("root");
    mkdir("root", 0777);
    mkdir("root/a", 0777);
    mkdir("root/b", 0777);
    save_bytes("root/a/good.png", png, sizeof png - 1);
    for (int damaged = 0; damaged < 2; damaged++) {
        png[sizeof png - 1 - 16] ^= (char)damaged; /* in the CRC of IDAT */
        save_bytes("root/b/other.png", png, sizeof png - 1);
        section_must_open(&s, TRAIN);
        assert_string_equal(dl_text_get(&s.data.notes.skipped),
                            damaged ? "root: 1 PNG with a wrong checksum read all the same "
                                      "(root/b/other.png)\n"
                                    : "");
        section_free(&s);
    }
    clear("root");
}

static void test_cut_short(void **state) {
    (void)state;
    char jpeg[256];
    clear("root");
    mkdir("root", 0777);
    mkdir("root/a", 0777);
    mkdir("root/b", 0777);
    EVERY_CUT("P6 2 1 255\nabcdef", 0);
    EVERY_CUT("P5\n# a comment\n2 3\n255\nabcdef", 0);
    EVERY_CUT(
        "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x03\0\0\0\x02\x08\x02\0\0\0\x12\x16\xf1\x4d"
        "\0\0\0\x1cIDAT\x78\xda\x63\x60\x60\x64\x62\x66\x61\x65\x63\xe7\x60\xe0\xe2\xe6\xe1"
        "\xe5\xe3\x17\x10\x14\x02\0\x04\x2e\0\xa3\x82\x51\xcd\xcd\0\0\0\0IEND\xae\x42\x60\x82",
        4); /* the last checksum */
    EVERY_CUT("GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2\x44\1\0;", 0);
    EVERY_CUT("BM\x3e\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0\1\0\0\0\1\0\x18\0\0\0\0\0"
              "\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0abcdef\0\0",
              0);
    EVERY_CUT("\0\0\2\0\0\0\0\0\0\0\0\0\2\0\1\0\x18\0abcdef", 0);
    /* the same with its upper row first */
    EVERY_CUT("BM\x3e\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0\xff\xff\xff\xff\1\0\x18\0\0\0\0\0"
              "\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0abcdef\0\0",
              0);
    size_t count = make_jpeg(jpeg);
    every_cut(jpeg, count, 0);
    memcpy(jpeg + count, "\xff\xda behind the end", 16); /* a film, say */
    assert_int_equal(open_cut(jpeg, count + 16, count + 16), 0);
    clear("root");
}

/* ---- other sizes ---- */

/* Both classes get the same picture. */
static void resized(section *s, const char *options) {
    char text[256];
    snprintf(text, sizeof text, TRAIN " %s", options);
    section_must_open(s, text);
}

static void save_both(int height, int width, const int *values) {
    clear("root");
    mkdir("root", 0777);
    mkdir("root/a", 0777);
    mkdir("root/b", 0777);
    save_grey("root/a/1.pgm", height, width, values);
    save_grey("root/b/1.pgm", height, width, values);
}

static void test_stretch(void **state) {
    (void)state;
    section s;
    save_both(1, 4, (const int[]){0, 40, 80, 120});
    resized(&s, "size = (1, 4);");
    ROW(&s, 1, 1, 0, 40, 80, 120); /* untouched */
    section_free(&s);
    /* halved: weights -12 -35 113 434 434 113 -35 -12 of 1000 (Catmull and Rom's cubic); the pixels
       at the edge go on beyond it */
    resized(&s, "size = (1, 2);");
    ROW(&s, 0, 0, 21, 99);
    section_free(&s);
    resized(&s, "size = (2, 2); resize = \"stretch\";");
    ROW(&s, 0, 0, 21, 99, 21, 99);
    section_free(&s);
    /* doubled: weights -70 867 227 -23 of 1000; 85.6 and -5.6 at the edges */
    save_both(1, 2, (const int[]){0, 80});
    resized(&s, "size = (1, 4);");
    ROW(&s, 0, 0, 0, 16, 64, 86);
    section_free(&s);
}

static void test_fit(void **state) {
    (void)state;
    section s;
    save_both(1, 3, (const int[]){10, 20, 30});
    resized(&s, "size = 3; resize = \"fit\";");
    ROW(&s, 0, 0, 0, 0, 0, 10, 20, 30, 0, 0, 0);
    section_free(&s);
    save_both(3, 1, (const int[]){10, 20, 30});
    resized(&s, "size = (3, 4); resize = \"fit\";");
    ROW(&s, 0, 0, 0, 10, 0, 0, 0, 20, 0, 0, 0, 30, 0, 0);
    section_free(&s);
    int wide[100];
    for (int i = 0; i < 100; i++)
        wide[i] = 77;
    save_both(1, 100, wide); /* never less than one row */
    resized(&s, "size = 3; resize = \"fit\";");
    ROW(&s, 0, 0, 0, 0, 0, 77, 77, 77, 0, 0, 0);
    section_free(&s);
}

static void test_crop(void **state) {
    (void)state;
    section s;
    save_both(1, 3, (const int[]){10, 20, 30});
    resized(&s, "size = 1; resize = \"crop\";");
    ROW(&s, 0, 0, 20);
    section_free(&s);
    save_both(2, 4, (const int[]){1, 2, 3, 4, 5, 6, 7, 8});
    resized(&s, "size = 2; resize = \"crop\";");
    ROW(&s, 0, 0, 2, 3, 6, 7);
    section_free(&s);
    save_both(4, 2, (const int[]){1, 2, 3, 4, 5, 6, 7, 8});
    resized(&s, "size = 2; resize = \"crop\";");
    ROW(&s, 0, 0, 3, 4, 5, 6);
    section_free(&s);
    clear("root");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder),         cmocka_unit_test(test_many),
        cmocka_unit_test(test_other_parts),    cmocka_unit_test(test_links),
        cmocka_unit_test(test_unreadable),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_claims),         cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_checksum),       cmocka_unit_test(test_not_safe),
        cmocka_unit_test(test_stretch),        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_crop),           cmocka_unit_test(test_on_demand),
        cmocka_unit_test(test_many_on_demand),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

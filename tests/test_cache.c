/* SPDX-License-Identifier: MIT */
/* The cache of decoded pictures: the same rows with it and without, and each of its faults. */
#include "picture_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "formats/cache.h"

#define FOLDER "format = \"image_folder\"; channels = \"gray\"; train = { folder = \"set\"; };\n"
#define TAR "format = \"image_tar\"; channels = \"gray\"; train = { file = \"set.tar.gz\"; };\n"
#define LIST                                                                                       \
    "format = \"image_list\"; channels = \"gray\"; train = { file = \"list.csv\"; target = "       \
    "[\"mask\"]; task = \"mask\"; };\n"
#define CACHED "cache = true;"

static char *folder(void) { /* of the cache */
    static char path[600];
    snprintf(path, sizeof path, "%s/cache/dltrain", scratch_path());
    return path;
}

static int begin(void **state) {
    char path[600];
    (void)state;
    snprintf(path, sizeof path, "%s/cache", scratch_path());
    setenv("XDG_CACHE_HOME", path, 1);
    mkdir("set", 0777);
    mkdir("set/ape", 0777);
    mkdir("set/zebra", 0777);
    GREY("set/ape/1.pgm", 2, 3, 1, 2, 3, 4, 5, 6);
    GREY("set/ape/2.pgm", 2, 3, 11, 12, 13, 14, 15, 16);
    GREY("set/zebra/1.pgm", 2, 3, 21, 22, 23, 24, 25, 26);
    GREY("mask.pgm", 2, 3, 0, 1, 2, 0, 0, 1);
    save_text("list.csv", "path,mask\nset/ape/1.pgm,mask.pgm\nset/ape/2.pgm,mask.pgm\n");
    return system("tar czf set.tar.gz set");
}

static int end(void **state) {
    (void)state;
    clear("cache");
    clear("set");
    return 0;
}

/* How many files with this ending the cache has; the path of the largest in
   `path`, if that is wanted. */
static int count_files(const char *ending, char path[1024]) {
    DIR *directory = opendir(folder());
    off_t largest = -1;
    int count = 0;
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        const char *point = strrchr(entry->d_name, '.');
        char found[1024];
        struct stat info;
        if (!point || strcmp(point, ending) != 0)
            continue;
        snprintf(found, sizeof found, "%s/%s", folder(), entry->d_name);
        assert_int_equal(stat(found, &info), 0);
        if (path && info.st_size > largest)
            strcpy(path, found);
        largest = info.st_size > largest ? info.st_size : largest;
        count++;
    }
    if (directory)
        closedir(directory);
    return count;
}

static void told(const section *s, const char *words) {
    const char *text = dl_text_get(&s->data.notes.told);
    if (!strstr(text, words))
        fail_msg("\"%s\" is not in: %s", words, text);
    assert_string_equal(dl_text_get(&s->data.notes.warned), "");
}

static void warned(const section *s, const char *words) {
    const char *text = dl_text_get(&s->data.notes.warned);
    if (!strstr(text, words))
        fail_msg("\"%s\" is not in: %s", words, text);
    assert_string_equal(dl_text_get(&s->data.notes.told), "");
    assert_int_equal(count_files(".tmp", NULL), 0);
}

/* Opens the section with a cache: its rows are those of `like`. */
static void opens_like(const char *text, const section *like, int64_t memory, const char *words) {
    char cached[512];
    section s;
    snprintf(cached, sizeof cached, "%s%s", text, CACHED);
    section_must_open_within(&s, cached, memory);
    told(&s, words);
    same_rows(&s, like);
    assert_int_equal(s.data.schema.classes, like->data.schema.classes);
    section_free(&s);
    assert_int_equal(count_files(".tmp", NULL), 0);
}

/* Made, read, and read where the pictures are more than the memory takes; in each format. */
static void test_same_rows(void **state) {
    (void)state;
    static const char *const formats[] = {FOLDER,
                                          TAR,
                                          LIST,
                                          FOLDER "size = (5, 4); resize = \"fit\";",
                                          TAR "size = (5, 4);",
                                          LIST "size = (5, 4); resize = \"crop\";"};
    int64_t memory[] = {1 << 20, 7}; /* 7: one picture */
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
        for (int first = 0; first < 2; first++) {
            section plain;
            section_must_open(&plain, formats[f]);
            assert_int_equal(count_files(".pictures", NULL), 0);
            opens_like(formats[f], &plain, memory[first], " kB, made");
            assert_int_equal(count_files(".pictures", NULL), 1 + (plain.data.schema.outputs > 1));
            opens_like(formats[f], &plain, 1 << 20, " kB, read");
            opens_like(formats[f], &plain, 7, " kB, read");
            section_free(&plain);
            clear("cache");
        }
}

/* What is mapped is not read again from the pictures. */
static void test_pictures_gone(void **state) {
    (void)state;
    section s;
    section_must_open_within(&s, FOLDER CACHED, 7);
    clear("set");
    clear("cache"); /* the file lives on while it is mapped */
    ROW(&s, 0, 0, 1, 2, 3, 4, 5, 6);
    ROW(&s, 2, 1, 21, 22, 23, 24, 25, 26);
    section_free(&s);
    assert_int_equal(begin(state), 0);
}

/* Another file for each change of a pixel; not for another time, or another folder. */
static void test_key(void **state) {
    (void)state;
    static const char *const others[] = {
        FOLDER "size = (2, 3);", FOLDER "size = (3, 3);", FOLDER "size = (3, 2);",
        FOLDER "size = (3, 2); resize = \"fit\";",
        "format = \"image_folder\"; train = { folder = \"set\"; };"};
    section s, plain;
    int files = 0;
    section_must_open(&s, FOLDER CACHED);
    section_free(&s);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        section_must_open(&plain, others[i]);
        opens_like(others[i], &plain, 1 << 20, "made");
        section_free(&plain);
    }
    files = count_files(".pictures", NULL);
    assert_int_equal(files, 6);
    GREY("set/ape/2.pgm", 2, 3, 11, 12, 13, 14, 15, 16); /* written anew */
    section_must_open(&plain, FOLDER);
    opens_like(FOLDER, &plain, 1 << 20, "read");
    section_free(&plain);
    rename("set", "moved");
    section_must_open(&s, "format = \"image_folder\"; channels = \"gray\"; train = { folder = "
                          "\"moved\"; };" CACHED);
    told(&s, "read");
    section_free(&s);
    rename("moved", "set");
    struct stat before;
    assert_int_equal(stat("set/ape/2.pgm", &before), 0);
    GREY("set/ape/2.pgm", 2, 3, 11, 12, 13, 14, 15, 17); /* as long, and as old */
    struct timespec times[] = {before.st_atim, before.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, "set/ape/2.pgm", times, 0), 0);
    section_must_open(&plain, FOLDER);
    opens_like(FOLDER, &plain, 1 << 20, "made");
    section_free(&plain);
    char path[1024], stored[8192]; /* a file under the name of another */
    size_t size = 0;
    for (int64_t time = 0; time < 2; time++) {
        clear("cache");
        section_must_open(&s, time ? FOLDER CACHED : FOLDER CACHED "size = (3, 2);");
        section_free(&s);
        assert_int_equal(count_files(".pictures", path), 1);
        size = time ? size : load_bytes(path, stored, sizeof stored);
    }
    save_bytes(path, stored, size);
    section_must_open(&plain, FOLDER);
    opens_like(FOLDER, &plain, 1 << 20, "made");
    section_free(&plain);
    files = 1;
    rename("set/ape/1.pgm", "set/ape/3.pgm"); /* another order */
    section_must_open(&plain, FOLDER);
    opens_like(FOLDER, &plain, 1 << 20, "made");
    section_free(&plain);
    assert_int_equal(count_files(".pictures", NULL), files + 1);
}

/* The cache's file with any bit turned, cut anywhere, or longer, is made anew. */
static void test_corrupt(void **state) {
    (void)state;
    section plain, s;
    char path[1024], was[8192], now[8192];
    section_must_open(&plain, LIST);
    section_must_open(&s, LIST CACHED);
    section_free(&s);
    assert_int_equal(count_files(".pictures", path), 2); /* the masks' is larger */
    int64_t size = (int64_t)load_bytes(path, was, sizeof was);
    for (int64_t i = 0; i < 2 * size; i++) {
        int64_t at = i / 2;
        bool cut = i % 2, padding = at >= 64 && at < 4096;
        if (padding ? at % 512 : at < 64 && i % 3)
            continue; /* nothing is in the padding but zeros */
        memcpy(now, was, (size_t)size);
        now[at] = (char)(now[at] ^ 1 << at % 8);
        save_bytes(path, now, (size_t)(cut ? at : size));
        opens_like(LIST, &plain, 1 << 20, cut || !padding ? "made" : "read");
        assert_int_equal(load_bytes(path, now, sizeof now), size);
        assert_true((padding && !cut) || !memcmp(now, was, (size_t)size));
    }
    memcpy(now, was, (size_t)size);
    now[size] = 0;
    save_bytes(path, now, (size_t)size + 1);
    opens_like(LIST, &plain, 1 << 20, "made");
    assert_int_equal(load_bytes(path, now, sizeof now), size);
    section_free(&plain);
}

/* Writing ends at any place: a warning, and nothing is left behind. */
static void test_full_disk(void **state) {
    (void)state;
    static const char *const formats[] = {FOLDER, TAR, LIST};
    struct rlimit whole;
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &whole), 0);
    for (int f = 0; f < 3; f++)
        for (rlim_t room = 0; room < 4096 + 12; room += room < 4000 ? 1024 : 5) {
            section plain, s;
            char text[512];
            snprintf(text, sizeof text, "%s%s", formats[f], CACHED);
            struct rlimit limit = {room, whole.rlim_max};
            section_must_open(&plain, formats[f]);
            section_must_read(&s, text);
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
            s.result = dl_data_open(&s.data, &s.error);
            setrlimit(RLIMIT_FSIZE, &whole);
            assert_int_equal(s.result, 0);
            warned(&s, strerror(EFBIG));
            same_rows(&s, &plain);
            assert_int_equal(count_files(".pictures", NULL), 0);
            section_free(&s);
            section_free(&plain);
        }
    /* what the memory does not take is nowhere then */
    struct rlimit limit = {100, whole.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    section_refuses_within(TAR CACHED, 7, "set.tar.gz: needs 12 B of memory");
    setrlimit(RLIMIT_FSIZE, &whole);
    signal(SIGXFSZ, before);
}

static void test_no_place(void **state) {
    (void)state;
    section plain, s;
    char path[1024];
    section_must_open(&plain, FOLDER);
    save_text("cache", "a file, not a folder");
    section_must_open(&s, FOLDER CACHED);
    warned(&s, "cannot be created");
    same_rows(&s, &plain);
    section_free(&s);
    unlink("cache");
    section_must_open(&s, FOLDER CACHED);
    section_free(&s);
    assert_int_equal(count_files(".pictures", path), 1);
    unlink(path);
    mkdir(path, 0777); /* a folder has its name */
    section_must_open(&s, FOLDER CACHED);
    warned(&s, strerror(EISDIR));
    same_rows(&s, &plain);
    section_free(&s);
    rmdir(path);
    setenv("XDG_CACHE_HOME", "cache", 1); /* relative: as if it were not there */
    char *home = xstrdup(getenv("HOME") ? getenv("HOME") : "/");
    setenv("HOME", scratch_path(), 1);
    section_must_open(&s, FOLDER CACHED);
    told(&s, "/.cache/dltrain/");
    section_free(&s);
    clear(".cache");
    setenv("HOME", "", 1);
    section_must_open(&s, FOLDER CACHED);
    warned(&s, "neither is set: continues without");
    same_rows(&s, &plain);
    section_free(&s);
    setenv("HOME", home, 1);
    free(home);
    section_free(&plain);
}

/* The files of the set, for the cache alone. */
static char *const names[] = {"ape/1.pgm", "ape/2.pgm", "zebra/1.pgm"};
static const dl_cache_files set_files = {names, 3, "set"};

static void open_alone(dl_cache *cache, dl_cache_notes *notes) {
    dl_image_form form = {.shape = {3, {0, 0, 1}}, .resize = DL_IMAGE_EXACT};
    *notes = (dl_cache_notes){0};
    dl_cache_open(cache, notes, &set_files, &form);
}

static void close_alone(dl_cache *cache, dl_cache_notes *notes) {
    dl_cache_free(cache);
    dl_text_free(&notes->told);
    dl_text_free(&notes->warned);
}

static int put_all(dl_cache *cache, dl_error *error) {
    dl_cache_reserve(cache, 3);
    for (int i = 2; i >= 0; i--)
        dl_cache_put(cache, i, (const unsigned char *)"abcdef", 6);
    return dl_cache_finish(cache, dl_shape3(2, 3, 1), 3, NULL, error);
}

static void test_two_at_once(void **state) {
    (void)state;
    dl_cache first;
    dl_cache_notes notes;
    section plain, s;
    dl_error error = {0};
    char path[1024];
    section_must_open(&plain, FOLDER);
    open_alone(&first, &notes);
    assert_true(first.writing);
    section_must_open(&s, FOLDER CACHED);
    assert_non_null(strstr(s.data.notes.warned.data, ".pictures: another run is creating it"));
    same_rows(&s, &plain);
    section_free(&s);
    assert_int_equal(count_files(".tmp", NULL), 1); /* it was left alone */
    assert_int_equal(put_all(&first, &error), 0);
    assert_memory_equal(first.pixels, "abcdefabcdefabcdef", 18);
    close_alone(&first, &notes);
    assert_int_equal(count_files(".tmp", NULL), 0);
    assert_int_equal(count_files(".pictures", path), 1);
    open_alone(&first, &notes); /* is read while somebody replaces it */
    assert_false(first.writing);
    unlink(path);
    opens_like(FOLDER, &plain, 1 << 20, "made");
    assert_memory_equal(first.pixels, "abcdefabcdefabcdef", 18);
    assert_int_equal(dl_cache_finish(&first, first.shape, 3, NULL, &error), 0);
    close_alone(&first, &notes);
    section_free(&plain);
}

static void *open_one(void *argument) {
    section *s = argument;
    s->result = dl_data_open(&s->data, &s->error);
    return NULL;
}

static void test_many_at_once(void **state) {
    (void)state;
    enum { RUNS = 8 };
    section plain, s[RUNS];
    pthread_t thread[RUNS];
    section_must_open(&plain, FOLDER);
    for (int time = 0; time < 5; time++) {
        for (int i = 0; i < RUNS; i++)
            section_must_read(&s[i], FOLDER CACHED);
        for (int i = 0; i < RUNS; i++)
            assert_int_equal(pthread_create(&thread[i], NULL, open_one, &s[i]), 0);
        for (int i = 0; i < RUNS; i++)
            pthread_join(thread[i], NULL);
        for (int i = 0; i < RUNS; i++) {
            assert_int_equal(s[i].result, 0);
            same_rows(&s[i], &plain);
            section_free(&s[i]);
        }
        assert_int_equal(count_files(".pictures", NULL), 1);
        assert_int_equal(count_files(".tmp", NULL), 0);
        clear("cache");
    }
    section_free(&plain);
}

/* What killed runs leave: this set's and another's. */
static void test_killed(void **state) {
    (void)state;
    section plain, s;
    char path[1024], other[1100];
    section_must_open(&plain, FOLDER);
    section_must_open(&s, FOLDER CACHED);
    section_free(&s);
    assert_int_equal(count_files(".pictures", path), 1);
    snprintf(other, sizeof other, "%s.tmp", path);
    rename(path, other);
    assert_int_equal(truncate(other, 5000), 0); /* longer than the whole */
    snprintf(other, sizeof other, "%s/0123.pictures.tmp", folder());
    save_text(other, "half");
    opens_like(FOLDER, &plain, 1 << 20, "made");
    opens_like(FOLDER, &plain, 1 << 20, "read");
    assert_int_equal(count_files(".pictures", NULL), 1);
    section_free(&plain);
}

/* A picture is changed between its digest and the end. */
static void test_changed_meanwhile(void **state) {
    (void)state;
    dl_cache cache;
    dl_cache_notes notes;
    dl_error error = {0};
    open_alone(&cache, &notes);
    assert_true(cache.writing);
    GREY("set/ape/2.pgm", 2, 3, 11, 12, 13, 14, 15, 99);
    assert_int_equal(put_all(&cache, &error), 0);
    assert_null(cache.pixels);
    assert_non_null(strstr(notes.warned.data, "the images were changed while they were read"));
    assert_int_equal(count_files(".pictures", NULL) + count_files(".tmp", NULL), 0);
    close_alone(&cache, &notes);
    open_alone(&cache, &notes);
    assert_int_equal(put_all(&cache, &error), 0);
    close_alone(&cache, &notes);
    open_alone(&cache, &notes);
    assert_non_null(cache.pixels);
    assert_int_equal(dl_cache_finish(&cache, cache.shape, 2, NULL, &error),
                     -1); /* one is missing */
    dl_error_clear(&error);
    unlink("set/zebra/1.pgm");
    assert_int_equal(dl_cache_finish(&cache, cache.shape, 3, NULL, &error), -1);
    assert_int_equal(error.code, DL_DATA);
    assert_non_null(strstr(dl_text_get(&error.text), "was changed while it was read"));
    dl_error_clear(&error);
    close_alone(&cache, &notes);
    open_alone(&cache, &notes); /* cannot be read at all */
    assert_non_null(strstr(notes.warned.data, "zebra/1.pgm: No such file"));
    assert_false(cache.writing);
    close_alone(&cache, &notes);
}

/* A set with faults is refused as without a cache, each time, and not kept. */
static void test_faults(void **state) {
    (void)state;
    save_text("set/zebra/bad.pgm", "P5 3 2 255\nabc");
    for (int time = 0; time < 2; time++)
        section_refuses(FOLDER CACHED, DL_DATA, "set/zebra/bad.pgm (cut short)");
    GREY("set/zebra/bad.pgm", 1, 2, 1, 2);
    for (int time = 0; time < 2; time++)
        section_refuses(FOLDER CACHED, DL_DATA, "set/zebra/bad.pgm has 1x2 pixels");
    assert_int_equal(count_files(".pictures", NULL) + count_files(".tmp", NULL), 0);
}

int main(void) {
#define CACHE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CACHE_TEST(test_same_rows),   CACHE_TEST(test_pictures_gone),
        CACHE_TEST(test_key),         CACHE_TEST(test_corrupt),
        CACHE_TEST(test_full_disk),   CACHE_TEST(test_no_place),
        CACHE_TEST(test_two_at_once), CACHE_TEST(test_many_at_once),
        CACHE_TEST(test_killed),      CACHE_TEST(test_changed_meanwhile),
        CACHE_TEST(test_faults),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

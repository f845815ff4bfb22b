/* SPDX-License-Identifier: MIT */
/* base: random numbers, text, memory, files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"

/* The known answers of Random123, the authors' own implementation. */
static void test_philox(void **state) {
    (void)state;
    uint32_t words[4];
    dl_random_words(&(dl_draw){0, 0, 0, 0, 0}, 0, words);
    uint32_t zeros[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    assert_memory_equal(words, zeros, sizeof words);
    dl_random_words(&(dl_draw){UINT64_MAX, UINT16_MAX, UINT16_MAX, UINT32_MAX, UINT32_MAX},
                    UINT32_MAX, words);
    uint32_t ones[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
    assert_memory_equal(words, ones, sizeof words);
    dl_random_words(&(dl_draw){0x299f31d0a4093822, 0x0370, 0x7344, 0x13198a2e, 0x85a308d3},
                    0x243f6a88, words);
    uint32_t pi[4] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
    assert_memory_equal(words, pi, sizeof words);
}

static void test_distributions(void **state) {
    (void)state;
    enum { N = 100000 };
    float *x = xmalloc(sizeof *x * N);
    dl_draw draw = {1, DL_FOR_TEST, 0, 0, 0};
    dl_random_uniform(&draw, 0, N, x);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        assert_true(x[i] >= 0 && x[i] < 1);
        sum += x[i];
        squares += (double)x[i] * x[i];
    }
    assert_true(fabs(sum / N - 0.5) < 0.005 && fabs(squares / N - 1.0 / 3) < 0.005);
    float part[8];
    dl_random_uniform(&draw, 4, 8, part); /* any part of the row is the same */
    assert_memory_equal(part, x + 4, sizeof part);
    dl_random_normal(&draw, 0, N, x);
    double fourth = sum = squares = 0;
    for (int i = 0; i < N; i++) {
        sum += x[i];
        squares += (double)x[i] * x[i];
        fourth += pow(x[i], 4);
    }
    assert_true(fabs(sum / N) < 0.015 && fabs(squares / N - 1) < 0.02 &&
                fabs(fourth / N - 3) < 0.15);
    free(x);
}

static void test_shuffle(void **state) {
    (void)state;
    int64_t order[100], first[6] = {0};
    for (uint32_t epoch = 0; epoch < 6000; epoch++) {
        for (int i = 0; i < 6; i++)
            order[i] = i;
        dl_random_shuffle(&(dl_draw){3, DL_FOR_SHUFFLE, 0, epoch, 0}, order, 6);
        first[order[0]]++;
        int64_t seen = 0;
        for (int i = 0; i < 6; i++)
            seen |= 1 << order[i];
        assert_int_equal(seen, 63);
    }
    for (int i = 0; i < 6; i++) /* 1000 each, 5 standard deviations */
        assert_true(first[i] > 855 && first[i] < 1145);
}

static void test_text(void **state) {
    (void)state;
    static const char *const names[] = {"units", "bias", "activation", "conv2d"};
    assert_string_equal(dl_text_nearest("unit", names, 4), "units");
    assert_string_equal(dl_text_nearest("actvation", names, 4), "activation");
    assert_string_equal(dl_text_nearest("conv", names, 4), "conv2d");
    assert_string_equal(dl_text_nearest("BIAS", names, 4), "bias");
    assert_null(dl_text_nearest("zebra", names, 4));
    assert_int_equal(dl_text_distance("kitten", "sitting"), 3);
    assert_int_equal(dl_text_distance("ab", "ba"), 1);
    char out[32];
    dl_text_double(out, 0.1);
    assert_string_equal(out, "0.1");
    dl_text_double(out, 3);
    assert_string_equal(out, "3.0");
    dl_text_double(out, 1e-300);
    assert_string_equal(out, "1e-300");
    double third = 1.0 / 3;
    dl_text_double(out, third);
    assert_true(strtod(out, NULL) == third);
    assert_string_equal(dl_text_count(out, 1234567), "1,234,567");
    assert_string_equal(dl_text_count(out, -123), "-123");
    assert_string_equal(dl_text_count(out, 12), "12");
    assert_string_equal(dl_text_bytes(out, 999), "999 B");
    assert_string_equal(dl_text_bytes(out, 1500000), "1.5 MB");
    assert_string_equal(dl_text_seconds(out, 59), "59.0 s");
    assert_string_equal(dl_text_seconds(out, 125), "2:05");
    assert_string_equal(dl_text_seconds(out, 3723), "1:02:03");
    assert_string_equal(dl_text_seconds(out, INFINITY), "-");
}

static void test_memory(void **state) {
    (void)state;
    int64_t product;
    assert_true(dl_multiply(1 << 20, 1 << 20, &product) && product == (int64_t)1 << 40);
    assert_false(dl_multiply(INT64_MAX, 2, &product));
    assert_false(dl_multiply(-1, 2, &product));
    dl_arena arena = {0};
    for (int i = 0; i < 1000; i++) {
        char *bytes = dl_arena_alloc(&arena, (size_t)i * 37);
        assert_int_equal((uintptr_t)bytes % DL_ALIGN, 0);
        for (int j = 0; j < i * 37; j++)
            assert_int_equal(bytes[j], 0);
        memset(bytes, 1, (size_t)i * 37);
    }
    assert_string_equal(dl_arena_printf(&arena, "%d %s", 5, "x"), "5 x");
    dl_arena_free(&arena);
    assert_null(arena.blocks);
}

static void test_files(void **state) {
    (void)state;
    char folder[] = "/tmp/dltrain-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *path = dl_path_join(folder, "a/b/c");
    dl_error error = {0};
    assert_int_equal(dl_folder_create(path, &error), 0);
    assert_int_equal(dl_folder_create(path, &error), 0);
    char *file = dl_path_join(path, "f"), *below = dl_path_join(file, "x");
    assert_int_equal(dl_file_write(file, "one", 3, &error), 0);
    dl_writer writer; /* given up: the old one stays */
    assert_int_equal(dl_writer_open(&writer, file, &error), 0);
    fprintf(writer.file, "other");
    dl_writer_abort(&writer);
    int64_t size;
    char *bytes = dl_file_read(file, 100, &size, DL_DATA, &error);
    assert_string_equal(bytes, "one");
    free(bytes);
    assert_int_equal(error.count, 0);
    assert_null(dl_file_read(path, 100, &size, DL_DATA, &error));
    assert_int_equal(error.code, DL_DATA);
    assert_non_null(strstr(error.text.data, "folder"));
    dl_error_clear(&error);
    assert_int_equal(dl_folder_create(below, &error), -1);
    assert_int_equal(error.code, DL_FAILURE);
    dl_error_clear(&error);
    gzFile gz = gzopen(file, "wb"); /* gzip is read as what is in it */
    for (int i = 0; i < 50000; i++)
        gzprintf(gz, "%d ", i);
    gzclose(gz);
    bytes = dl_file_read(file, 1 << 20, &size, DL_DATA, &error);
    assert_non_null(bytes);
    assert_memory_equal(bytes + size - 6, "49999 ", 6);
    free(bytes);
    assert_int_equal(truncate(file, 5000), 0);
    assert_null(dl_file_read(file, 1 << 20, &size, DL_DATA, &error));
    assert_non_null(strstr(error.text.data, "cut short"));
    dl_error_clear(&error);
    dl_text command = {0};
    dl_text_add(&command, "rm -r %s", folder);
    assert_int_equal(system(command.data), 0);
    dl_text_free(&command);
    free(path);
    free(file);
    free(below);
}

static void read_pipe(int pipe, const char *expected) {
    char bytes[64] = {0};
    assert_int_equal(read(pipe, bytes, sizeof bytes - 1), strlen(expected));
    assert_string_equal(bytes, expected);
}

static mode_t type_of(const char *path) {
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode & S_IFMT;
}

/* Pipes and links to them stay; of a link to a file the file is replaced; a file of our own
   replaces a link, and writes nowhere else. */
static void test_outputs(void **state) {
    (void)state;
    dl_error error = {0};
    char folder[] = "/tmp/dltrain-test-XXXXXX", link[64] = "";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(symlink("pipe", "link"), 0);
    int reader = open("pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(dl_output_write("pipe", "one", 3, &error), 0);
    read_pipe(reader, "one");
    assert_int_equal(dl_output_write("link", "two", 3, &error), 0);
    read_pipe(reader, "two");
    assert_int_equal(type_of("pipe"), S_IFIFO);
    assert_int_equal(type_of("link"), S_IFLNK);
    assert_int_equal(dl_file_write("link", "three", 5, &error), 0);
    assert_int_equal(read(reader, link, sizeof link), 0);
    assert_int_equal(type_of("link"), S_IFREG);
    assert_int_equal(symlink("link", "second"), 0);
    assert_int_equal(dl_output_write("second", "four", 4, &error), 0);
    assert_int_equal(readlink("second", link, sizeof link), 4);
    int64_t size;
    char *text = dl_file_read("link", 10, &size, DL_DATA, &error);
    assert_string_equal(text, "four");
    free(text);
    assert_int_equal(dl_output_write(".", "five", 4, &error), -1);
    /* what a killed program left goes, what somebody else has does not */
    dl_writer killed;
    assert_int_equal(dl_writer_open(&killed, "second", &error), 0);
    assert_int_equal(dl_file_write("notes.tmp", "six", 3, &error), 0);
    dl_folder_remove_temporaries(".");
    assert_int_equal(access(killed.temporary, F_OK), -1);
    assert_int_equal(access("notes.tmp", F_OK), 0);
    dl_writer_abort(&killed);
    dl_error_clear(&error);
    close(reader);
    assert_int_equal(chdir("/"), 0);
    dl_text command = {0};
    dl_text_add(&command, "rm -r %s", folder);
    assert_int_equal(system(command.data), 0);
    dl_text_free(&command);
}

static void write_limit(const char *folder, const char *name, const char *limit) {
    dl_error error = {0};
    assert_int_equal(dl_folder_create(folder, &error), 0);
    char *path = dl_path_join(folder, name);
    assert_int_equal(dl_file_write(path, limit, strlen(limit), &error), 0);
    free(path);
}

static void test_group_limits(void **state) {
    (void)state;
    char folder[] = "/tmp/dltrain-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    write_limit("two/job/step", "memory.max", "max\n");
    write_limit("two/job", "memory.max", "3000000\n");
    assert_int_equal(dl_machine_group_limit("0::/job/step\n", "two"), 3000000);
    assert_int_equal(dl_machine_group_limit("0::/other\n", "two"), INT64_MAX);
    write_limit("two", "memory.max", "2000000\n"); /* a container sees its own group as the root */
    assert_int_equal(dl_machine_group_limit("0::/job/step\n", "two"), 2000000);
    assert_int_equal(dl_machine_group_limit("0::/../host\n", "two"), 2000000);
    write_limit("one/memory/job", "memory.limit_in_bytes", "1000000\n");
    const char *groups = "5:cpu,cpuacct:/job\n4:memory:/job/step\n0::/\n";
    assert_int_equal(dl_machine_group_limit(groups, "one"), 1000000);
    assert_int_equal(dl_machine_group_limit("", "one"), INT64_MAX);
    assert_int_equal(dl_machine_group_limit("nonsense", "one"), INT64_MAX);
    assert_true(dl_machine_memory() > 0);
    assert_int_equal(chdir("/"), 0);
    dl_text command = {0};
    dl_text_add(&command, "rm -r %s", folder);
    assert_int_equal(system(command.data), 0);
    dl_text_free(&command);
}

static void test_json(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"{\"a\": 0.0030000000000000001, \"b\":[3, -17, 1e22,1.0000000000000000e-05]}",
         "{\"a\": 0.003, \"b\":[3, -17, 1e+22,1e-05]}"},
        {"{\"0.10000000000000001 \\\" 0.10000000000000001\": 0.33333333333333331}",
         "{\"0.10000000000000001 \\\" 0.10000000000000001\": 0.3333333333333333}"},
        {"[true, null, 4.9406564584124654e-324, 2.0, 12345678901234567]",
         "[true, null, 5e-324, 2.0, 12345678901234567]"},
        {"\"open \\", "\"open \\"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dl_text text = {0};
        dl_text_add_json(&text, cases[i][0]);
        assert_string_equal(text.data, cases[i][1]);
        dl_text_free(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox),       cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_shuffle),      cmocka_unit_test(test_text),
        cmocka_unit_test(test_memory),       cmocka_unit_test(test_files),
        cmocka_unit_test(test_outputs),      cmocka_unit_test(test_json),
        cmocka_unit_test(test_group_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Checkpoint files: what is written is read back before it replaces what was there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "run/safetensors.h"

static const char *const path = "/tmp/dltrain-test.safetensors";
static const float numbers[] = {1, 2, 3, 4, 5, 6};
static const dl_named_tensor tensors[] = {{"a", {2, {2, 2, 1, 1}}, numbers, false},
                                          {"b", {1, {2, 1, 1, 1}}, numbers + 4, false}};

static void check_whole(void) {
    dl_error error = {0};
    dl_safetensors file;
    float value[4];
    assert_int_equal(dl_safetensors_open(&file, path, &error), 0);
    assert_int_equal(dl_safetensors_read(&file, "a", tensors[0].shape, value, &error), 0);
    assert_memory_equal(value, numbers, sizeof value);
    dl_safetensors_close(&file);
}

static void refuse(const char *bytes, size_t size) {
    dl_error error = {0};
    assert_int_equal(dl_safetensors_write_encoded(path, bytes, size, &error), -1);
    assert_int_equal(error.code, DL_FAILURE);
    assert_non_null(strstr(error.text.data, path));
    dl_error_clear(&error);
    check_whole();
}

static void test_read_back(void **state) {
    (void)state;
    dl_error error = {0};
    json_t *metadata = json_pack("{s:s}", "format", "test");
    assert_int_equal(dl_safetensors_write(path, metadata, tensors, 2, &error), 0);
    check_whole();
    size_t size;
    char *bytes = dl_safetensors_encode(metadata, tensors, 2, &size);
    for (size_t at = 0; at < size; at++) { /* a bit that has fallen over, anywhere */
        bytes[at] ^= 4;
        refuse(bytes, size);
        bytes[at] ^= 4;
    }
    for (size_t shorter = 0; shorter < size; shorter++)
        refuse(bytes, shorter);
    assert_int_equal(dl_safetensors_write_encoded(path, bytes, size, &error), 0);
    check_whole();
    free(bytes);
    json_decref(metadata);
    unlink(path);
}

/* A config within a checkpoint reads no files of the machine that it is opened on. */
static void test_no_include(void **state) {
    (void)state;
    dl_error error = {0};
    dl_config config = {0};
    assert_int_equal(dl_config_parse(&config, path, "a = 1;\n@include \"/etc/hostname\"\n", &error),
                     -1);
    assert_int_equal(error.count, 1);
    assert_non_null(strstr(error.text.data, "must not include files"));
    dl_error_clear(&error);
    dl_config_free(&config);
    assert_int_equal(dl_config_parse(&config, path, "a = \"@include\"; # @include \"x\"\n", &error),
                     0);
    dl_config_free(&config);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read_back),
                                       cmocka_unit_test(test_no_include)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

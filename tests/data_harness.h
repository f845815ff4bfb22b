/* SPDX-License-Identifier: MIT */
/* What the tests of src/data share: a scratch folder to write files in, and a data section. */
#ifndef TESTS_DATA_HARNESS_H
#define TESTS_DATA_HARNESS_H

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/data.h"

/* ---- files ---- */

static inline char *scratch_path(void) {
    static char path[512];
    return path;
}

/* Group fixtures: into an empty folder of its own, and out again without a trace. */
static inline int scratch_enter(void **state) {
    const char *place = getenv("TMPDIR");
    (void)state;
    snprintf(scratch_path(), 512, "%s/dltrain-test-XXXXXX", place && *place ? place : P_tmpdir);
    return mkdtemp(scratch_path()) && !chdir(scratch_path()) ? 0 : -1;
}

static inline int scratch_leave(void **state) {
    DIR *folder = opendir(".");
    struct dirent *entry;
    (void)state;
    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            unlink(entry->d_name);
    if (folder)
        closedir(folder);
    return chdir("/") || rmdir(scratch_path());
}

static inline void save_bytes(const char *name, const void *bytes, size_t count) {
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static inline void save_text(const char *name, const char *text) {
    save_bytes(name, text, strlen(text));
}

static inline void save_gzip(const char *name, const void *bytes, size_t count) {
    gzFile file = gzopen(name, "wb9");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)count), count);
    assert_int_equal(gzclose(file), Z_OK);
}

/* The bytes of a small file, at most `room`; returns how many. */
static inline size_t load_bytes(const char *name, void *bytes, size_t room) {
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    size_t count = fread(bytes, 1, room, file);
    fclose(file);
    return count;
}

/* ---- a data section ---- */

typedef struct {
    dl_config config;
    dl_data data;
    dl_error error;
    dl_dataset *set; /* the training part's */
    int result;      /* of what was done last */
} section;

/* Reads `data = { text }`, text beginning in line 2 of c.cfg. */
static inline int section_read(section *s, const char *text) {
    *s = (section){.result = 0};
    dl_text whole = {0};
    dl_text_add(&whole, "data = {\n%s\n};\n", text);
    assert_int_equal(dl_config_parse(&s->config, "c.cfg", whole.data, &s->error), 0);
    dl_text_free(&whole);
    s->result = dl_data_read(&s->data, &s->config, &s->error);
    s->set = &s->data.dataset[DL_TRAIN];
    assert_true(!s->result == !s->error.count);
    return s->result;
}

static inline void section_free(section *s) {
    dl_error_clear(&s->error);
    dl_data_free(&s->data);
    dl_config_free(&s->config);
}

static inline void section_must_read(section *s, const char *text) {
    if (section_read(s, text))
        fail_msg("%s", dl_text_get(&s->error.text));
}

static inline void section_must_open(section *s, const char *text) {
    section_must_read(s, text);
    if (dl_data_open(&s->data, &s->error))
        fail_msg("%s", dl_text_get(&s->error.text));
}

/* Reads and opens, where all data of a part may take so many bytes of memory. */
static inline int section_open_within(section *s, const char *text, int64_t memory) {
    section_must_read(s, text);
    for (int part = 0; part < DL_SPLITS; part++)
        s->data.dataset[part].memory = s->data.dataset[part].memory_most = memory;
    return s->result = dl_data_open(&s->data, &s->error);
}

static inline void section_must_open_within(section *s, const char *text, int64_t memory) {
    if (section_open_within(s, text, memory))
        fail_msg("%s", dl_text_get(&s->error.text));
}

/* Opens just the training files, as the format does it. */
static inline int section_open_set(section *s, const char *text, const dl_schema *like) {
    section_must_read(s, text);
    s->result = s->set->type->open(s->set, like, &s->error);
    assert_true(s->result ? s->error.count > 0 && s->error.code == DL_DATA : !s->error.count);
    return s->result;
}

/* The error holds each of the words (the last is NULL). */
static inline void section_says(const section *s, const char *const *words) {
    for (; *words; words++)
        if (!strstr(dl_text_get(&s->error.text), *words))
            fail_msg("\"%s\" is not in: %s", *words, dl_text_get(&s->error.text));
}

#define SAYS(s, ...) section_says(s, (const char *const[]){__VA_ARGS__, NULL})

/* Reading it works, but opening it fails with the code and the words. */
static inline void section_refuses(const char *text, dl_code code, const char *words) {
    section s;
    section_must_read(&s, text);
    assert_int_equal(dl_data_open(&s.data, &s.error), -1);
    assert_int_equal(s.error.code, code);
    SAYS(&s, words);
    section_free(&s);
}

static inline void section_refuses_within(const char *text, int64_t memory, const char *words) {
    section s;
    assert_int_equal(section_open_within(&s, text, memory), -1);
    assert_int_equal(s.error.code, DL_DATA);
    SAYS(&s, words);
    section_free(&s);
}

#endif

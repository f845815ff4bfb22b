/* SPDX-License-Identifier: MIT */
/* For LD_PRELOAD (glibc): one allocation returns NULL. FAIL_AT: which, from 1. FAIL_IN, FAIL_NOT:
   only callers in an object whose path has this, or has it not, are counted. FAIL_COUNT: the file
   that is told at the end how many there were. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static atomic_long counted;
static long fail_at = -1; /* -1: not begun */
static const char *only, *never;
static _Thread_local bool busy;

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("FAIL_AT");
    only = getenv("FAIL_IN");
    never = getenv("FAIL_NOT");
    fail_at = at ? atol(at) : 0;
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("FAIL_COUNT");
    FILE *file = path ? fopen(path, "we") : NULL;
    if (file) {
        fprintf(file, "%ld\n", (long)counted);
        fclose(file);
    }
}

static bool is_of(const void *caller, const char *object) {
    Dl_info info;
    busy = true;
    bool found = dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, object);
    busy = false;
    return found;
}

static bool fails(const void *caller) {
    if (fail_at < 0 || busy || (only && !is_of(caller, only)) || (never && is_of(caller, never)))
        return false;
    if (atomic_fetch_add(&counted, 1) + 1 != fail_at)
        return false;
    errno = ENOMEM;
    return true;
}

#define FAILS fails(__builtin_return_address(0))

void *malloc(size_t size) {
    return FAILS ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return FAILS ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    return FAILS ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return FAILS ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = FAILS ? NULL : __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

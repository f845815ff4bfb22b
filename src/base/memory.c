/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static _Thread_local jmp_buf *escape;

int dl_memory_guard(int (*run)(void *context), void *context) {
    jmp_buf here, *outer = escape;
    volatile int result = DL_NO_MEMORY;
    if (!setjmp(here)) {
        escape = &here;
        result = run(context);
    }
    escape = outer;
    return result;
}

/* Async-signal-safe: any thread may call this, with any lock held. */
void dl_out_of_memory(size_t size) {
    if (escape)
        longjmp(*escape, 1);
    char text[256];
    int length =
        snprintf(text, sizeof text, "%.100s: out of memory", program_invocation_short_name);
    if (size)
        length += snprintf(text + length, sizeof text - (size_t)length,
                           ": cannot allocate %zu bytes", size);
    text[length++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, text, (size_t)length);
    (void)ignored;
    _exit(1); /* DL_FAILURE */
}

static void *checked(void *memory, size_t size) {
    if (!memory)
        dl_out_of_memory(size);
    return memory;
}

void *xmalloc(size_t size) {
    return checked(malloc(size ? size : 1), size);
}

void *xcalloc(size_t count, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        dl_out_of_memory(SIZE_MAX);
    return checked(calloc(count ? count : 1, size ? size : 1), total);
}

void *xrealloc(void *old, size_t size) {
    return checked(realloc(old, size ? size : 1), size);
}

char *xstrdup(const char *string) {
    size_t size = strlen(string) + 1;
    return memcpy(xmalloc(size), string, size);
}

enum { HUGE_PAGE = 2 << 20 };

void *dl_memory_aligned(size_t size) {
    size_t rounded = (size + DL_ALIGN - 1) / DL_ALIGN * DL_ALIGN;
    if (rounded < size)
        checked(NULL, size);
    if (!rounded)
        rounded = DL_ALIGN;
    size_t alignment = rounded >= HUGE_PAGE ? HUGE_PAGE : DL_ALIGN;
    if (rounded >= HUGE_PAGE)
        rounded = (rounded + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *memory = checked(aligned_alloc(alignment, rounded), rounded);
    if (rounded >= HUGE_PAGE)
        madvise(memory, rounded, MADV_HUGEPAGE); /* a hint: fewer TLB misses */
    return memset(memory, 0, rounded);
}

bool dl_multiply(int64_t a, int64_t b, int64_t *product) {
    return a >= 0 && b >= 0 && !__builtin_mul_overflow(a, b, product);
}

enum { BLOCK = 16 * 1024 };

struct dl_arena_block {
    dl_arena_block *next;
    size_t used, size;
    _Alignas(DL_ALIGN) char bytes[];
};

void *dl_arena_alloc(dl_arena *arena, size_t size) {
    size_t rounded = (size + DL_ALIGN - 1) / DL_ALIGN * DL_ALIGN;
    if (rounded < size)
        checked(NULL, size);
    dl_arena_block *block = arena->blocks;
    if (!block || block->size - block->used < rounded) {
        size_t capacity = rounded > BLOCK ? rounded : BLOCK;
        block = dl_memory_aligned(sizeof *block + capacity);
        block->size = capacity;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    void *memory = block->bytes + block->used;
    block->used += rounded;
    return memory;
}

char *dl_arena_strdup(dl_arena *arena, const char *string) {
    size_t size = strlen(string) + 1;
    return memcpy(dl_arena_alloc(arena, size), string, size);
}

char *dl_arena_printf(dl_arena *arena, const char *format, ...) {
    va_list arguments, copy;
    va_start(arguments, format);
    va_copy(copy, arguments);
    int length = vsnprintf(NULL, 0, format, copy);
    va_end(copy);
    char *text = dl_arena_alloc(arena, (size_t)(length < 0 ? 0 : length) + 1);
    if (length >= 0)
        vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

void dl_arena_free(dl_arena *arena) {
    while (arena->blocks) {
        dl_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}

double dl_memory_peak(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024;
}

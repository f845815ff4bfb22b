/* SPDX-License-Identifier: MIT */
/* Allocation that cannot fail, and arenas that are freed at once. */
#ifndef DL_BASE_MEMORY_H
#define DL_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DL_ALIGN = 64 }; /* bytes; a cache line, and the widest vector */

/* Exits with status 1 and a message, or ends the dl_memory_guard of this thread; `size`: bytes
   requested, 0: unknown. */
_Noreturn void dl_out_of_memory(size_t size);
/* Returns run(context); DL_NO_MEMORY if memory ran out in this thread, which leaks what the arena
   and the caller's structures do not own. For libraries, which must not exit. */
enum { DL_NO_MEMORY = -2 };
int dl_memory_guard(int (*run)(void *context), void *context);

/* Like the C library, but exit when out of memory. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *string);

/* DL_ALIGN-aligned, zeroed; freed with free(). */
void *dl_memory_aligned(size_t size);

/* Peak resident memory of the process in bytes. */
double dl_memory_peak(void);

/* *product = a * b; false if a or b is negative or the product overflows. */
bool dl_multiply(int64_t a, int64_t b, int64_t *product);

/* Memory that lives until its arena is freed: zeroed, DL_ALIGN-aligned. All zero: empty. */
typedef struct dl_arena_block dl_arena_block;
typedef struct {
    dl_arena_block *blocks;
} dl_arena;

void *dl_arena_alloc(dl_arena *arena, size_t size);
char *dl_arena_strdup(dl_arena *arena, const char *string);
char *dl_arena_printf(dl_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(1, 2)));
void dl_arena_free(dl_arena *arena);

#endif

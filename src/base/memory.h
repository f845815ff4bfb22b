/* SPDX-License-Identifier: MIT */
/* Memory: allocation that cannot fail, and arenas that are freed at one blow. */
#ifndef DL_BASE_MEMORY_H
#define DL_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DL_ALIGN = 64 }; /* bytes; a cache line, and the widest vector */

/* Ends the program with exit status 1: out of memory, and how much was asked for (0: not known). */
_Noreturn void dl_memory_out(size_t size);

/* As the C library's, but out of memory ends the program. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *string);

/* DL_ALIGN-aligned and zeroed; freed with free(). */
void *dl_memory_aligned(size_t size);

/* The peak resident memory of the process, in bytes. */
double dl_memory_peak(void);

/* *product = a * b, or false if that does not fit or is negative. */
bool dl_multiply(int64_t a, int64_t b, int64_t *product);

/* Memory that lives until its arena is freed: zeroed, DL_ALIGN-aligned. All zero is valid, empty.
 */
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

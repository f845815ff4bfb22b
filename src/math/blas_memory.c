/* SPDX-License-Identifier: MIT */
#include "math/blas_memory.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* OpenBLAS's BUFFER_SIZE on x86-64 with large kernels, and what it and others map beside it. */
#define SHARE ((size_t)128 << 20)
#define REST ((size_t)48 << 20)

/* Threads that OpenBLAS reserves for when it is loaded (its OpenMP build). */
static int reserved = 1;

static bool is_limited(struct rlimit *limit) {
    return !getrlimit(RLIMIT_AS, limit) && limit->rlim_cur != RLIM_INFINITY;
}

static bool has_room(size_t shares) {
    size_t size = shares * SHARE + REST;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory != MAP_FAILED && !munmap(memory, size);
}

/* Kilobytes of the address space that a start with so many threads takes, at least. */
static size_t needed(int count) {
    char text[32] = "";
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    size_t pages = 0;
    if (file >= 0 && read(file, text, sizeof text - 1) > 0)
        for (const char *digit = text; *digit >= '0' && *digit <= '9'; digit++)
            pages = 10 * pages + (size_t)(*digit - '0');
    if (file >= 0)
        close(file);
    return (pages * (size_t)getpagesize() + 2 * (size_t)count * SHARE + REST) >> 10;
}

static int processors(void) {
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    return count < 1 ? 1 : count;
}

/* Runs before the libraries are initialized: nothing but system calls and what needs no state. */
static void check_before_load(int argc, char **argv, char **environment) {
    static const char name[] = "OMP_NUM_THREADS=";
    struct rlimit limit;
    int asked = 0;
    for (char **e = environment; e && *e; e++)
        if (!strncmp(*e, name, sizeof name - 1))
            for (const char *digit = *e + sizeof name - 1;
                 *digit >= '0' && *digit <= '9' && asked < 1 << 20; digit++)
                asked = 10 * asked + *digit - '0';
    reserved = processors();
    reserved = asked && asked < reserved ? asked : reserved;
    if (!is_limited(&limit) || has_room(2 * (size_t)reserved))
        return;
    char text[400];
    int length =
        snprintf(text, sizeof text,
                 "%s: memory is limited to %llu kB (ulimit -v), too little for OpenBLAS with "
                 "%d thread%s: it needs %zu kB",
                 argc > 0 ? argv[0] : "dltrain", (unsigned long long)limit.rlim_cur >> 10, reserved,
                 reserved == 1 ? "" : "s", needed(reserved));
    if (reserved > 1)
        length += snprintf(text + length, sizeof text - (size_t)length,
                           ", and with OMP_NUM_THREADS=1 %zu kB", needed(1));
    text[length++] = '\n';
    _exit(write(STDERR_FILENO, text, (size_t)length) < 0 ? 1 : 1);
}

__attribute__((section(".preinit_array"),
               used)) static void (*const before_load)(int, char **, char **) = check_before_load;

/* Functions of OpenBLAS: freed memory stays reserved. */
extern void *blas_memory_alloc(int) __attribute__((weak));
extern void blas_memory_free(void *) __attribute__((weak));

int dl_blas_memory_reserve(int threads, dl_error *error) {
    struct rlimit limit;
    int more = threads > reserved ? 2 * threads - reserved : threads;
    if (!is_limited(&limit))
        return 0;
    if (!has_room((size_t)more))
        return dl_fail(error, DL_FAILURE,
                       "memory is limited to %llu kB (ulimit -v), too little for OpenBLAS with %d "
                       "threads (a smaller --threads takes less)",
                       (unsigned long long)limit.rlim_cur >> 10, threads);
    void *buffers[64]; /* OpenBLAS has some more */
    more = more < 64 ? more : 64;
    for (int i = 0; blas_memory_alloc && blas_memory_free && i < more; i++)
        buffers[i] = blas_memory_alloc(0);
    for (int i = 0; blas_memory_alloc && blas_memory_free && i < more; i++)
        blas_memory_free(buffers[i]);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Replays files without a fuzzer, so with any compiler: replay [-v] corpus/NAME/FILE… gives each
   file to the target NAME. -v: shows the files, and what the readers say to them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "fuzz.h"

#if defined(__SANITIZE_ADDRESS__) /* so says gcc, and clang: */
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

enum { LARGEST = 1 << 20, MOST_MEMORY = 200 << 20 };

/* The target that the folder is called after, or NULL. */
static const fuzz_target *target_of(const char *path) {
    char *folder = xstrdup(path), *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    const fuzz_target *target = fuzz_find(dl_path_base(folder));
    free(folder);
    return target;
}

/* The bytes as they are: a gzip file stays one. */
static uint8_t *load(const char *path, size_t *count) {
    uint8_t *bytes = xmalloc(LARGEST);
    FILE *file = fopen(path, "rb");
    *count = file ? fread(bytes, 1, LARGEST, file) : 0;
    if (!file || ferror(file)) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return xrealloc(bytes, *count);
}

/* No file of a few kilobytes needs so much more than the program itself. The address sanitizer
   does, and where there is no /proc nothing is limited. */
static void limit_memory(void) {
#ifndef SANITIZED
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long data = 0;
    if (file && fscanf(file, "%*u %*u %*u %*u %*u %lu", &data) == 1) {
        rlim_t most = data * (rlim_t)sysconf(_SC_PAGESIZE) + MOST_MEMORY;
        setrlimit(RLIMIT_DATA, &(struct rlimit){most, most});
    }
    if (file)
        fclose(file);
#endif
}

int main(int count, char **paths) {
    limit_memory();
    fuzz_verbose = count > 1 && !strcmp(paths[1], "-v");
    for (int i = 1 + fuzz_verbose; i < count; i++) {
        const fuzz_target *target = target_of(paths[i]);
        if (!target) {
            fprintf(stderr, "%s: is in no target's folder\n", paths[i]);
            return 1;
        }
        size_t size;
        uint8_t *bytes = load(paths[i], &size);
        if (fuzz_verbose)
            fprintf(stderr, "%s\n", paths[i]);
        target->run(bytes, size);
        free(bytes);
    }
    printf("%d files replayed\n", count - 1 - fuzz_verbose);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* For LD_PRELOAD: at one of the calls that bring files to the disk or take them away (rename,
   renameat2, unlink, unlinkat, fsync, fdatasync) the process is killed, before or after it, or the
   call fails. CALL_AT: which, from 1. CALL_ENDS: "before", "after", or an errno's number.
   CALL_COUNT: a file that has a byte for each call. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long calls;

/* 0: the call is made; 1: made, and then the end; -1: it fails. */
static int fate(void) {
    const char *at = getenv("CALL_AT"), *how = getenv("CALL_ENDS"), *count = getenv("CALL_COUNT");
    int file = count ? open(count, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    if (file >= 0) {
        if (write(file, ".", 1) != 1)
            abort();
        close(file);
    }
    if (atomic_fetch_add(&calls, 1) + 1 != (at ? atol(at) : 0) || !how)
        return 0;
    if (!strcmp(how, "after"))
        return 1;
    if (!strcmp(how, "before"))
        raise(SIGKILL);
    errno = atoi(how);
    return -1;
}

#define CALL(name, types, arguments)                                                               \
    int name types {                                                                               \
        int(*next) types = (int(*) types)dlsym(RTLD_NEXT, #name);                                  \
        int end = fate();                                                                          \
        int result = end < 0 ? -1 : next arguments;                                                \
        if (end > 0)                                                                               \
            raise(SIGKILL);                                                                        \
        return result;                                                                             \
    }

CALL(rename, (const char *from, const char *to), (from, to))
/* CALL_NO_EXCHANGE: a file system that cannot exchange two files. */
int renameat2(int at, const char *from, int to_at, const char *to, unsigned flags) {
    int (*next)(int, const char *, int, const char *, unsigned) =
        (int (*)(int, const char *, int, const char *, unsigned))dlsym(RTLD_NEXT, "renameat2");
    int end = fate();
    if (end >= 0 && getenv("CALL_NO_EXCHANGE")) {
        errno = EINVAL;
        return -1;
    }
    int result = end < 0 ? -1 : next(at, from, to_at, to, flags);
    if (end > 0)
        raise(SIGKILL);
    return result;
}
CALL(unlink, (const char *path), (path))
CALL(unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
CALL(fsync, (int file), (file))
CALL(fdatasync, (int file), (file))

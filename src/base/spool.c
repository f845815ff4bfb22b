/* SPDX-License-Identifier: MIT */
#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

/* The pipes read so far; never closed. */
static struct {
    dev_t device;
    ino_t inode;
    int copy;
} * spools;
static int count;

static int open_temporary(void) {
    const char *folder = getenv("TMPDIR");
    int copy = open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return copy >= 0 ? copy : memfd_create("dltrain", MFD_CLOEXEC);
}

static bool copy_all(int from, int to) {
    enum { CHUNK = 1 << 18 };
    char *chunk = xmalloc(CHUNK);
    ssize_t got, written = 0;
    while (written >= 0 && (got = read(from, chunk, CHUNK)) > 0)
        for (ssize_t done = 0; done < got && written >= 0; done += written)
            written = write(to, chunk + done, (size_t)(got - done));
    free(chunk);
    return written >= 0 && got == 0;
}

static int add_spool(const char *path, const struct stat *info) {
    int copy = open_temporary(), from = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (copy < 0 || from < 0 || !copy_all(from, copy)) {
        int reason = errno;
        if (copy >= 0)
            close(copy);
        if (from >= 0)
            close(from);
        errno = reason;
        return -1;
    }
    close(from);
    spools = xrealloc(spools, sizeof *spools * (size_t)(count + 1));
    spools[count].device = info->st_dev;
    spools[count].inode = info->st_ino;
    spools[count].copy = copy;
    return spools[count++].copy;
}

/* A new file description, so that each reader has its own offset. */
static int reopen(int copy) {
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", copy);
    return open(name, O_RDONLY | O_CLOEXEC);
}

int dl_spool_open(const char *path) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct stat info;
    int copy = -1;
    if (stat(path, &info))
        return -1;
    if (!S_ISFIFO(info.st_mode) && !S_ISSOCK(info.st_mode))
        return open(path, O_RDONLY | O_CLOEXEC);
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < count && copy < 0; i++)
        if (spools[i].device == info.st_dev && spools[i].inode == info.st_ino)
            copy = spools[i].copy;
    if (copy < 0)
        copy = add_spool(path, &info);
    pthread_mutex_unlock(&mutex);
    return copy < 0 ? -1 : reopen(copy);
}

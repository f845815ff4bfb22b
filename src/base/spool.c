/* SPDX-License-Identifier: MIT */
#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

/* The pipes that were read, for as long as the program runs. */
static struct {
    dev_t device;
    ino_t node;
    int copy;
} * spools;
static int count;

static int open_temporary(void) {
    const char *folder = getenv("TMPDIR");
    int copy = open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return copy >= 0 ? copy : memfd_create("dltrain", MFD_CLOEXEC);
}

static bool copy_all(int from, int to) {
    enum { PIECE = 1 << 18 };
    char *piece = xmalloc(PIECE);
    ssize_t got, put = 0;
    while (put >= 0 && (got = read(from, piece, PIECE)) > 0)
        for (ssize_t done = 0; done < got && put >= 0; done += put)
            put = write(to, piece + done, (size_t)(got - done));
    free(piece);
    return put >= 0 && got == 0;
}

static int fill(const char *path, const struct stat *info) {
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
    spools[count].node = info->st_ino;
    spools[count].copy = copy;
    return spools[count++].copy;
}

/* A program that waits for a pipe has nothing to save: handlers that let it wait on are set aside.
 */
static int fill_or_end(const char *path, const struct stat *info) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction before[3], end = {.sa_handler = SIG_DFL};
    for (int i = 0; i < 3; i++)
        if (!sigaction(numbers[i], NULL, &before[i]) && before[i].sa_flags & SA_RESTART)
            sigaction(numbers[i], &end, NULL);
    int copy = fill(path, info), reason = errno;
    for (int i = 0; i < 3; i++)
        sigaction(numbers[i], &before[i], NULL);
    errno = reason;
    return copy;
}

/* One of our own for each reader, with a place of its own. */
static int open_again(int copy) {
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", copy);
    return open(name, O_RDONLY | O_CLOEXEC);
}

int dl_spool_open(const char *path) {
    struct stat info;
    if (stat(path, &info))
        return -1;
    if (!S_ISFIFO(info.st_mode) && !S_ISSOCK(info.st_mode))
        return open(path, O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < count; i++)
        if (spools[i].device == info.st_dev && spools[i].node == info.st_ino)
            return open_again(spools[i].copy);
    int copy = fill_or_end(path, &info);
    return copy < 0 ? -1 : open_again(copy);
}

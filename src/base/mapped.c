/* SPDX-License-Identifier: MIT */
#include "base/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/spool.h"

enum { MAX_MAPPINGS = 64 }; /* faults in further mappings get no message */

static struct {
    uintptr_t from;
    size_t size; /* 0: free slot */
    const char *path;
} mapped[MAX_MAPPINGS];

static const char *program_name;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void record(const void *memory, size_t size, const char *path) {
    pthread_mutex_lock(&mutex);
    int i = 0;
    while (i < MAX_MAPPINGS && mapped[i].size)
        i++;
    if (i < MAX_MAPPINGS) {
        mapped[i].from = (uintptr_t)memory;
        mapped[i].path = path;
        mapped[i].size = size;
    }
    pthread_mutex_unlock(&mutex);
}

void *dl_mapped_open(const char *path, size_t *size, dl_error *error) {
    struct stat info;
    int descriptor = dl_spool_open(path), reason = 0;
    void *memory = MAP_FAILED;
    if (descriptor < 0 || fstat(descriptor, &info))
        reason = errno;
    else if (!S_ISREG(info.st_mode))
        dl_fail(error, DL_DATA, "%s: is a folder or a device, not a file", path);
    else if (!info.st_size)
        dl_fail(error, DL_DATA, "%s: is empty", path);
    else if ((memory = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0)) ==
             MAP_FAILED)
        reason = errno;
    if (descriptor >= 0)
        close(descriptor);
    if (reason)
        dl_fail(error, DL_DATA, "%s: %s", path, strerror(reason));
    if (memory == MAP_FAILED)
        return NULL;
    *size = (size_t)info.st_size;
    record(memory, *size, path);
    return memory;
}

void dl_mapped_close(void *memory, size_t size) {
    if (!memory)
        return;
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < MAX_MAPPINGS; i++)
        if (mapped[i].size && mapped[i].from == (uintptr_t)memory)
            mapped[i].size = 0;
    pthread_mutex_unlock(&mutex);
    munmap(memory, size);
}

/* Async-signal-safe. */
static void write_text(const char *text) {
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        _exit(DL_DATA);
}

static void on_fault(int number, siginfo_t *info, void *context) {
    uintptr_t at = (uintptr_t)info->si_addr;
    (void)context;
    for (int i = 0; i < MAX_MAPPINGS; i++)
        if (mapped[i].size && at - mapped[i].from < mapped[i].size) {
            write_text(program_name);
            write_text(": ");
            write_text(mapped[i].path);
            write_text(": cannot be read: the file was truncated after it was opened, or the disk "
                       "failed\n");
            _exit(DL_DATA);
        }
    signal(number, SIG_DFL); /* not ours: the fault recurs and kills the program */
}

void dl_mapped_watch(const char *program) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    program_name = program;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

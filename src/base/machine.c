/* SPDX-License-Identifier: MIT */
#include "base/machine.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static int64_t min(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* INT64_MAX for "max" or a missing file. */
static int64_t read_limit(const char *folder, const char *name) {
    long long limit = INT64_MAX;
    dl_text path = {0};
    dl_text_add(&path, "%s/%s", folder, name);
    FILE *file = fopen(path.data, "re");
    if (file && (fscanf(file, "%lld", &limit) != 1 || limit < 0))
        limit = INT64_MAX;
    if (file)
        fclose(file);
    dl_text_free(&path);
    return limit;
}

/* The limits of all parent groups apply. In a container the path may be that of the host, and the
   container's own group the root of the tree. */
static int64_t limit_upward(const char *tree, const char *path, int length, const char *name) {
    int64_t limit = read_limit(tree, name);
    for (; length > 0; length--)
        if (length == (int)strcspn(path, "\n") || path[length] == '/') {
            dl_text folder = {0};
            dl_text_add(&folder, "%s%.*s", tree, length, path);
            limit = min(limit, read_limit(folder.data, name));
            dl_text_free(&folder);
        }
    return limit;
}

/* A line of `groups` is id:controllers:path; version 2 has id 0 and no controllers. */
int64_t dl_machine_group_limit(const char *groups, const char *root) {
    int64_t limit = INT64_MAX;
    for (const char *line = groups; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *controllers = strchr(line, ':'), *path;
        if (!controllers || !(path = strchr(++controllers, ':')))
            break;
        int count = (int)(path - controllers), length = (int)strcspn(++path, "\n");
        bool version_2 = !count, memory = count == 6 && !strncmp(controllers, "memory", 6);
        dl_text tree = {0};
        dl_text_add(&tree, "%s%s", root, memory ? "/memory" : "");
        if (version_2 || memory)
            limit = min(limit, limit_upward(tree.data, path, length,
                                            memory ? "memory.limit_in_bytes" : "memory.max"));
        dl_text_free(&tree);
    }
    return limit;
}

int64_t dl_machine_memory(void) {
    char groups[1 << 14];
    FILE *file = fopen("/proc/self/cgroup", "re");
    size_t length = file ? fread(groups, 1, sizeof groups - 1, file) : 0;
    groups[length] = '\0';
    if (file)
        fclose(file);
    int64_t machine = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    return min(machine, dl_machine_group_limit(groups, "/sys/fs/cgroup"));
}

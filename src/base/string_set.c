/* SPDX-License-Identifier: MIT */
#include "base/string_set.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static unsigned hash(const char *name) { /* FNV-1a */
    uint32_t h = 2166136261u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 16777619u;
    return h ^ h >> 15;
}

/* The slot of a name, or the free slot for it. */
static int slot_of(const dl_string_set *set, const char *name) {
    unsigned mask = (unsigned)set->slots - 1, at = hash(name) & mask;
    while (set->slot[at] && strcmp(set->name[set->slot[at] - 1], name) != 0)
        at = (at + 1) & mask;
    return (int)at;
}

static void index_names(dl_string_set *set, int slots) {
    free(set->slot);
    set->slot = xcalloc((size_t)slots, sizeof *set->slot);
    set->slots = slots;
    for (int i = 0; i < set->count; i++)
        set->slot[slot_of(set, set->name[i])] = i + 1;
}

int dl_string_set_find(const dl_string_set *set, const char *name) {
    return set->slots ? set->slot[slot_of(set, name)] - 1 : -1;
}

int dl_string_set_add(dl_string_set *set, const char *name) {
    if (2 * (set->count + 1) > set->slots)
        index_names(set, set->slots ? 2 * set->slots : 16);
    int slot = slot_of(set, name);
    if (set->slot[slot])
        return set->slot[slot] - 1;
    if (set->count == set->capacity) {
        set->capacity = set->capacity ? 2 * set->capacity : 8;
        set->name = xrealloc(set->name, sizeof *set->name * (size_t)set->capacity);
    }
    set->name[set->count++] = xstrdup(name);
    set->slot[slot] = set->count;
    return set->count - 1;
}

void dl_string_set_sort(dl_string_set *set, int (*compare)(const void *, const void *)) {
    if (!set->count)
        return;
    qsort(set->name, (size_t)set->count, sizeof *set->name, compare);
    index_names(set, set->slots);
}

void dl_string_set_free(dl_string_set *set) {
    for (int i = 0; i < set->count; i++)
        free(set->name[i]);
    free(set->name);
    free(set->slot);
    *set = (dl_string_set){0};
}

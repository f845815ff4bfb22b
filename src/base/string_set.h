/* SPDX-License-Identifier: MIT */
/* A hash set of strings, numbered in order of insertion. */
#ifndef DL_BASE_STRING_SET_H
#define DL_BASE_STRING_SET_H

/* All zero is an empty set. */
typedef struct {
    char **name; /* [count], owned */
    int count, capacity;
    int *slot; /* [slots]: 1 + number of a string, or 0 */
    int slots; /* a power of two */
} dl_string_set;

/* The number of a string, or -1. */
int dl_string_set_find(const dl_string_set *set, const char *name);
/* Copies and adds a new string. Returns its number. */
int dl_string_set_add(dl_string_set *set, const char *name);
/* Renumbers the strings in ascending order; `compare` as for qsort, of char *const *. */
void dl_string_set_sort(dl_string_set *set, int (*compare)(const void *, const void *));
void dl_string_set_free(dl_string_set *set);

#endif

/* SPDX-License-Identifier: MIT */
/* A set of different strings, numbered in the order in which they are added; a hash table. */
#ifndef DL_BASE_STRING_SET_H
#define DL_BASE_STRING_SET_H

/* All zero is valid, empty. */
typedef struct {
    char **name; /* [count], owned */
    int count, room;
    int *slot; /* [slots]: 1 + a string's number, or 0 */
    int slots; /* a power of two */
} dl_string_set;

/* A string's number, or -1. */
int dl_string_set_find(const dl_string_set *set, const char *name);
/* Its number; a new string is copied and added. */
int dl_string_set_add(dl_string_set *set, const char *name);
/* Renumbers the strings in ascending order; `compare` gets two `char *const *`, as qsort's. */
void dl_string_set_sort(dl_string_set *set, int (*compare)(const void *, const void *));
void dl_string_set_free(dl_string_set *set);

#endif

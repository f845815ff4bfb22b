/* SPDX-License-Identifier: MIT */
/* Classes that are merged into one. */
#ifndef DL_FORMATS_MERGE_H
#define DL_FORMATS_MERGE_H

#include "base/string_set.h"
#include "config/config.h"

typedef struct {
    const char *into, *where; /* where: "file:line" */
    dl_strings classes;
} dl_merge_group;

/* The option of a format that heeds `merge` of its dataset; the owner has a setting `merge`. */
#define DL_MERGE_OPTION(owner)                                                                     \
    DL_SETTING_OPTION(                                                                             \
        DL_MERGE_KEY, owner, merge, DL_NO_DEFAULT,                                                 \
        "list of groups of classes to merge into one: ( { into = \"vehicle\"; classes = "          \
        "(\"car\", \"truck\"); } ). Separate files of other splits use the list of train")
#define DL_MERGE_KEY "merge"

/* All zero: nothing is merged. */
typedef struct {
    int count;
    dl_merge_group *group; /* [count], in the config's arena */
} dl_merge;

/* Reads the list, NULL: none. A class in two groups is an error. 0, or -1 and all errors. */
int dl_merge_read(dl_merge *merge, dl_config *config, config_setting_t *list, dl_error *error);
/* The class that `name` is merged into, or `name`. */
const char *dl_merge_name(const dl_merge *merge, const char *name);
/* Replaces the classes of the training data by the merged ones, in the order of the first. An error
   if a class to be merged is not one of them. */
int dl_merge_apply(const dl_merge *merge, dl_string_set *names, dl_error *error);

#endif

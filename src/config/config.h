/* SPDX-License-Identifier: MIT */
/* Config files in libconfig syntax, checked against option tables. Reading adds every default to
   the tree, so that dumping it gives the resolved config. */
#ifndef DL_CONFIG_CONFIG_H
#define DL_CONFIG_CONFIG_H

#include <libconfig.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/option.h"

typedef struct {
    config_t tree;
    char *name;         /* of the file, for messages */
    const char *folder; /* of the file; "": the current folder */
    /* Of a run's config: more folders in which relative paths of data are looked up; up to NULL. */
    const char *data_folders[5];
    dl_arena arena; /* owns what option fields point to */
} dl_config;

/* An empty config; `name`: path for messages and for resolving includes. */
void dl_config_open(dl_config *config, const char *name);
/* Reads a file. 0, or -1 and errors; call dl_config_free in either case. */
int dl_config_load(dl_config *config, const char *path, dl_error *error);
/* The same from text (of a checkpoint), which must not include files; `name` is for messages. */
int dl_config_parse(dl_config *config, const char *name, const char *text, dl_error *error);
void dl_config_free(dl_config *config);
/* Moves a config to `to`, which is overwritten; `from` becomes all zero. */
void dl_config_move(dl_config *to, dl_config *from);

/* Applies "a.b.c=value" of --set: list elements by number, missing groups are created, a value that
   libconfig cannot parse is a string. */
int dl_config_set(dl_config *config, const char *assignment, dl_error *error);

/* "file:line" of a setting, or "--set a.b=c"; owned by the config. */
const char *dl_config_where(dl_config *config, const config_setting_t *setting);

/* Options and the struct whose fields they set. */
typedef struct {
    const dl_option *options;
    void *owner;
} dl_table;

/* Reads a group by its tables: sets every field from the group, else from `parent` (may be NULL),
   else from its default, which is added to the tree. Unknown keys of `group`, wrong types,
   values out of range and missing keys are errors; `what` names the group. 0, or -1 and all
   errors. */
int dl_config_read(dl_config *config, config_setting_t *group, config_setting_t *parent,
                   const char *what, const dl_table *tables, int count, dl_error *error);

/* The kind that registry->key of the group selects; NULL and an error if it is unknown, or missing
   without a `fallback`. */
const dl_kind *dl_config_choose(dl_config *config, config_setting_t *group,
                                const dl_registry *registry, const char *fallback, dl_error *error);

/* A member of a registry, configured by a group. */
typedef struct {
    const dl_kind *kind; /* NULL: missing or unknown */
    void *self;          /* [kind->size] bytes: option values; owned by the config */
} dl_chosen;

/* Reads a group whose registry->key selects a kind (dl_config_choose) and whose other keys are
   options of the kind and of `common` (may be NULL; must contain registry->key). 0, or -1 and
   errors; chosen->kind is also set if only options are wrong. */
int dl_config_read_kind(dl_config *config, config_setting_t *group, const dl_registry *registry,
                        const char *fallback, const dl_table *common, dl_chosen *chosen,
                        dl_error *error);

/* The group `key` of `parent`, created if missing. NULL and an error if it is not a group. */
config_setting_t *dl_config_group(dl_config *config, config_setting_t *parent, const char *key,
                                  dl_error *error);

/* Adds a setting to a group, or (key NULL) to a list. The key must not exist. */
config_setting_t *dl_config_add(config_setting_t *parent, const char *key, int type);

void dl_config_set_string(config_setting_t *setting, const char *value);
void dl_config_add_int(config_setting_t *parent, const char *key, int64_t value);
void dl_config_add_bool(config_setting_t *parent, const char *key, bool value);
void dl_config_add_string(config_setting_t *parent, const char *key, const char *value);

/* Deep copy into an empty setting of the same type. */
void dl_config_copy(config_setting_t *to, const config_setting_t *from);

/* Adds a value in config syntax: 0.5, "adam", ( 1, 2 ). */
void dl_config_dump_value(const config_setting_t *setting, dl_text *text);
/* Adds the whole config in config syntax. */
void dl_config_dump(const dl_config *config, dl_text *text);

#endif

/* SPDX-License-Identifier: MIT */
/* Config files: libconfig's syntax, checked against option tables, with every mistake told by file
   and line. The tree is completed with every default as it is read, so that writing it out again
   gives the resolved config. */
#ifndef DL_CONFIG_CONFIG_H
#define DL_CONFIG_CONFIG_H

#include <libconfig.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/option.h"

typedef struct {
    config_t tree;
    char *name;         /* the file's name, for messages */
    const char *folder; /* the one that the file is in; "": the current one */
    dl_arena arena;     /* what the fields that were read point to, beside the tree */
} dl_config;

/* An empty config; `name`: its file's, for messages, and where it looks for files to include. */
void dl_config_open(dl_config *config, const char *name);
/* Reads a file. 0, or -1 and errors. dl_config_free is fine after either. */
int dl_config_load(dl_config *config, const char *path, dl_error *error);
/* The same from text, as in a checkpoint, which may not include files; `name` stands for the file
   in messages. */
int dl_config_parse(dl_config *config, const char *name, const char *text, dl_error *error);
void dl_config_free(dl_config *config);
/* Moves a config, tree and all, to `to`, which is overwritten; `from` becomes all zero. */
void dl_config_move(dl_config *to, dl_config *from);

/* Applies "a.b.c=value" (from `--set`): list members by number, missing groups are made; a value
   that is not libconfig's is taken as a string. */
int dl_config_set(dl_config *config, const char *assignment, dl_error *error);

/* "file:line" of a setting, or "--set a.b=c"; lives as long as the config. */
const char *dl_config_where(dl_config *config, const config_setting_t *setting);

/* The options of `table` go into the fields of `owner`. */
typedef struct {
    const dl_option *options;
    void *owner;
} dl_table;

/* Reads a group by its tables: fills every field, from the group, or else from `parent` (NULL:
   none), or else from its default, which is then written into the tree. Unknown keys in `group`
   (not in `parent`), wrong types, values out of range and missing ones
   are each an error; `what` names
   the group in them. 0, or -1 if there was any. */
int dl_config_read(dl_config *config, config_setting_t *group, config_setting_t *parent,
                   const char *what, const dl_table *tables, int count, dl_error *error);

/* The kind that group's registry->key chooses; NULL and an error if it is missing (unless
   `fallback` is given) or unknown. */
const dl_kind *dl_config_choose(dl_config *config, config_setting_t *group,
                                const dl_registry *registry, const char *fallback, dl_error *error);

/* What the group of a registry's member says. */
typedef struct {
    const dl_kind *kind; /* NULL: none was chosen */
    void *self;          /* [kind->size]: its options' values; lives as long as the config */
} dl_chosen;

/* Reads a group whose registry->key chooses a kind, as dl_config_choose does, and whose other keys
   are the kind's options and those of `common`, which then has registry->key, too (NULL: none). 0,
   or -1 and errors; chosen->kind is set even if only its options are wrong. */
int dl_config_read_kind(dl_config *config, config_setting_t *group, const dl_registry *registry,
                        const char *fallback, const dl_table *common, dl_chosen *chosen,
                        dl_error *error);

/* A member of `parent` that must be a group; made, empty, where it is missing. NULL and an error if
   it is there and is not a group. */
config_setting_t *dl_config_group(dl_config *config, config_setting_t *parent, const char *key,
                                  dl_error *error);

/* Adds a setting to a group, or (key NULL) to a list, for settings that the program makes. The key
   must be new. */
config_setting_t *dl_config_add(config_setting_t *parent, const char *key, int type);
/* Sets a string, and checks that libconfig copied it. */
void dl_config_set_string(config_setting_t *setting, const char *value);
void dl_config_add_int(config_setting_t *parent, const char *key, int64_t value);
void dl_config_add_bool(config_setting_t *parent, const char *key, bool value);
void dl_config_add_string(config_setting_t *parent, const char *key, const char *value);

/* Copies a value, and all that is in it, into an empty setting of the same type. */
void dl_config_copy(config_setting_t *to, const config_setting_t *from);

/* A value as it stands in a config: 0.5, "adam", ( 1, 2 ). */
void dl_config_dump_value(const config_setting_t *setting, dl_text *text);
/* The tree as text that reads back the same. */
void dl_config_dump(const dl_config *config, dl_text *text);

#endif

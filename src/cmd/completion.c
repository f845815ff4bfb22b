/* SPDX-License-Identifier: MIT */
#include "cmd/completion.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/common.h"
#include "net/block.h"
#include "train/experiment.h"

extern const dl_option *const dl_net_layer_options;

/* What an option takes, where that is no number: a folder, a file, the backends, … */
static const struct {
    const char *option, *bash, *zsh;
} takes[] = {
    {"out", "compgen -d -- \"$cur\"", "_files -/"},
    {"resume", "compgen -d -- \"$cur\"", "_files -/"},
    {"diagnose", "compgen -d -- \"$cur\"", "_files -/"},
    {"show-batch", "compgen -f -- \"$cur\"", "_files"},
    {"backend", "compgen -W 'auto openblas onednn' -- \"$cur\"", "(auto openblas onednn)"},
    {"write", "compgen -f -- \"$cur\"", "_files"},
    {"split", "compgen -W 'train validation test' -- \"$cur\"", "(train validation test)"},
};
enum { TAKES = sizeof takes / sizeof *takes };

/* Keys of a config, each with the words that it takes. Those of a layer begin with "network.N.". */
typedef struct {
    dl_text key, words;
} entry;

typedef struct {
    entry *list;
    int count, room;
} keys;

static entry *find(keys *k, const char *path, const char *key) {
    dl_text full = {0};
    dl_text_add(&full, "%s%s%s", path, *path ? "." : "", key);
    for (int i = 0; i < k->count; i++)
        if (!strcmp(k->list[i].key.data, full.data)) {
            dl_text_free(&full);
            return &k->list[i];
        }
    if (k->count == k->room) {
        k->room = k->room ? 2 * k->room : 256;
        k->list = xrealloc(k->list, sizeof *k->list * (size_t)k->room);
    }
    k->list[k->count] = (entry){.key = full};
    return &k->list[k->count++];
}

/* A word once. */
static void add_word(entry *e, const char *word) {
    size_t length = strlen(word);
    for (const char *at = dl_text_get(&e->words); (at = strstr(at, word)); at += length)
        if ((at == e->words.data || at[-1] == ' ') && (!at[length] || at[length] == ' '))
            return;
    dl_text_add(&e->words, "%s%s", e->words.length ? " " : "", word);
}

static void add_options(keys *k, const char *path, const dl_option *options) {
    for (const dl_option *o = options; o && o->key; o++) {
        if (!*path && o->type == DL_SETTING)
            continue; /* a section */
        entry *e = find(k, path, o->key);
        for (int i = 0; o->choices && o->choices[i]; i++)
            add_word(e, o->choices[i]);
        if (o->type == DL_BOOL) {
            add_word(e, "true");
            add_word(e, "false");
        }
    }
}

static void add_registry(keys *k, const char *path, const dl_registry *registry) {
    for (int i = 0; i < registry->count; i++) {
        add_word(find(k, path, registry->key), registry->kinds[i]->name);
        add_options(k, path, registry->kinds[i]->options);
    }
}

static keys collect(void) {
    keys k = {0};
    for (const dl_section *s = dl_sections; s->path; s++)
        add_options(&k, s->path, s->options);
    add_registry(&k, "data", &dl_dataset_registry);
    add_registry(&k, "loss", &dl_loss_registry);
    add_registry(&k, "optimizer", &dl_optimizer_registry);
    add_registry(&k, "optimizer.schedule", &dl_schedule_registry);
    add_options(&k, "network.N", dl_net_layer_options);
    add_registry(&k, "network.N", &dl_layer_registry);
    add_registry(&k, "network.N", &dl_block_registry);
    return k;
}

static void drop(keys *k) {
    for (int i = 0; i < k->count; i++) {
        dl_text_free(&k->list[i].key);
        dl_text_free(&k->list[i].words);
    }
    free(k->list);
}

/* The function that knows the words of a key, and the keys themselves, in both shells' syntax. */
static void print_keys(const char *program, const keys *k) {
    printf("_%s_values() {\n    case $1 in\n", program);
    for (int i = 0; i < k->count; i++)
        if (k->list[i].words.length)
            printf("    %s) echo '%s' ;;\n", k->list[i].key.data, k->list[i].words.data);
    printf("    esac\n}\n_%s_keys='", program);
    for (int i = 0; i < k->count; i++)
        printf("%s%s=", i ? " " : "", k->list[i].key.data);
    puts("'");
}

/* A script in which "@" stands for the program. */
static void put(const char *script, const char *program) {
    for (; *script; script++)
        if (*script == '@')
            fputs(program, stdout);
        else
            putchar(*script);
}

/* "=" is a word of its own in bash: KEY, "=", VALUE. A layer's number becomes N. */
static const char bash_set[] =
    "    key=\n"
    "    if [ \"$cur\" = = ]; then key=$prev cur=; fi\n"
    "    if [ \"$prev\" = = ]; then key=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
    "    if [ -n \"$key\" ] && [[ $key != -* ]]; then\n"
    "        [[ $key =~ ^network\\.[0-9]+\\.(.*)$ ]] && key=network.N.${BASH_REMATCH[1]}\n"
    "        COMPREPLY=($(compgen -W \"$(_@_values \"$key\")\" -- \"$cur\"))\n"
    "        return\n"
    "    fi\n"
    "    [ -n \"$key\" ] && prev=$key\n"
    "    if [ \"$prev\" = --set ]; then\n"
    "        keys=$_@_keys\n"
    "        key=0\n"
    "        [[ $cur =~ ^network\\.([0-9]+)\\. ]] && key=${BASH_REMATCH[1]}\n"
    "        keys=${keys//network.N./network.$key.}\n"
    "        compopt -o nospace 2>/dev/null || :\n"
    "        COMPREPLY=($(compgen -W \"$keys\" -- \"$cur\"))\n"
    "        return\n"
    "    fi\n";

static void print_bash(const char *program, const struct option *options) {
    printf("# bash completion for %s, made by: %s --help completion bash\n", program, program);
    keys k = collect();
    print_keys(program, &k);
    drop(&k);
    printf("_%s() {\n    local cur prev key keys\n    COMPREPLY=()\n"
           "    cur=${COMP_WORDS[COMP_CWORD]}\n    prev=${COMP_WORDS[COMP_CWORD - 1]}\n",
           program);
    put(bash_set, program);
    puts("    case $prev in");
    for (const struct option *o = options; o->name; o++)
        for (int i = 0; i < TAKES && o->has_arg == required_argument; i++)
            if (!strcmp(takes[i].option, o->name))
                printf("    --%s) COMPREPLY=($(%s)); return ;;\n", o->name, takes[i].bash);
    for (const struct option *o = options; o->name; o++) {
        bool other = o->has_arg == required_argument && strcmp(o->name, "set") != 0;
        for (int i = 0; i < TAKES; i++)
            other &= strcmp(takes[i].option, o->name) != 0;
        if (other)
            printf("    --%s) return ;;\n", o->name);
    }
    printf("    esac\n    case $cur in\n    -*) COMPREPLY=($(compgen -W '");
    for (const struct option *o = options; o->name; o++)
        printf("%s--%s", o == options ? "" : " ", o->name);
    puts("' -- \"$cur\")) ;;");
    printf("    *) COMPREPLY=($(compgen -d -- \"$cur\"; compgen -f -X '!*.%s' -- \"$cur\")) ;;\n"
           "    esac\n}\n",
           strcmp(program, "dltrain") ? "safetensors" : "cfg");
    printf("complete -o filenames -F _%s %s\n", program, program);
}

static const char zsh_set[] =
    "_@_set() {\n"
    "    local key=${PREFIX%%=*} word=$_@_keys\n"
    "    if [[ $PREFIX == *=* ]]; then\n"
    "        [[ $key == network.<->.* ]] && key=network.N.${key#network.<->.}\n"
    "        compset -P '*='\n"
    "        compadd -- ${=\"$(_@_values $key)\"}\n"
    "    else\n"
    "        [[ $key == network.<->.* ]] && "
    "word=${word//network.N./network.${${key#network.}%%.*}.}\n"
    "        compadd -S '' -- ${=word}\n"
    "    fi\n"
    "}\n";

static void print_zsh(const char *program, const struct option *options) {
    printf("#compdef %s\n# made by: %s --help completion zsh\n", program, program);
    keys k = collect();
    print_keys(program, &k);
    drop(&k);
    put(zsh_set, program);
    puts("_arguments \\");
    for (const struct option *o = options; o->name; o++) {
        const char *action = "";
        char set[64];
        for (int i = 0; i < TAKES; i++)
            if (!strcmp(takes[i].option, o->name))
                action = takes[i].zsh;
        if (!strcmp(o->name, "set")) {
            snprintf(set, sizeof set, "_%s_set", program);
            printf("    '*--set=:key:%s' \\\n", set);
        } else if (o->has_arg == required_argument)
            printf("    '--%s=:%s:%s' \\\n", o->name, o->name, *action ? action : " ");
        else
            printf("    '--%s' \\\n", o->name);
    }
    puts("    '*:file:_files'");
}

int completion_print(const char *program, const struct option *options, const char *shell) {
    bool bash = shell && !strcmp(shell, "bash");
    if (!bash && !(shell && !strcmp(shell, "zsh")))
        return cmd_usage(program, "--help completion is for bash or zsh%s%s", shell ? ", not " : "",
                         shell ? shell : "");
    if (bash)
        print_bash(program, options);
    else
        print_zsh(program, options);
    return DL_OK;
}

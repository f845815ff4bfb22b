/* SPDX-License-Identifier: MIT */
#include "cmd/completion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/common.h"
#include "net/block.h"
#include "train/experiment.h"

extern const dl_option *const dl_net_layer_options;

/* Keys of a config with their valid words. Keys of a layer begin with "network.N.". */
typedef struct {
    dl_text key, words;
} entry;

typedef struct {
    entry *list;
    int count, capacity;
} keys;

static entry *find_or_add(keys *k, const char *path, const char *key) {
    dl_text full = {0};
    dl_text_add(&full, "%s%s%s", path, *path ? "." : "", key);
    for (int i = 0; i < k->count; i++)
        if (!strcmp(k->list[i].key.data, full.data)) {
            dl_text_free(&full);
            return &k->list[i];
        }
    if (k->count == k->capacity) {
        k->capacity = k->capacity ? 2 * k->capacity : 256;
        k->list = xrealloc(k->list, sizeof *k->list * (size_t)k->capacity);
    }
    k->list[k->count] = (entry){.key = full};
    return &k->list[k->count++];
}

/* Adds a word unless it is there. */
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
        entry *e = find_or_add(k, path, o->key);
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
        add_word(find_or_add(k, path, registry->key), registry->kinds[i]->name);
        add_options(k, path, registry->kinds[i]->options);
    }
}

static keys collect_keys(void) {
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

static void free_keys(keys *k) {
    for (int i = 0; i < k->count; i++) {
        dl_text_free(&k->list[i].key);
        dl_text_free(&k->list[i].words);
    }
    free(k->list);
}

/* A function that prints the words of a key, and the list of keys, in the syntax of both shells. */
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

/* Prints a script, with the program's name for each "@". */
static void print_script(const char *script, const char *program) {
    for (; *script; script++)
        if (*script == '@')
            fputs(program, stdout);
        else
            putchar(*script);
}

/* In bash "=" is a separate word: KEY, "=", VALUE. A layer's number becomes N. */
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

/* Commands that complete values and operands. */
static const struct {
    const char *bash, *zsh;
} completers[] = {
    [ARG_NOTHING] = {":", " "},
    [ARG_FILE] = {"compgen -f -- \"$cur\"", "_files"},
    [ARG_FOLDER] = {"compgen -d -- \"$cur\"", "_files -/"},
    [ARG_CONFIG] = {"compgen -d -- \"$cur\"; compgen -f -X '!*.cfg' -- \"$cur\"",
                    "_files -g \"*.cfg(-.)\""},
    [ARG_RUN] = {"compgen -d -- \"$cur\"; compgen -f -X '!*.safetensors' -- \"$cur\"",
                 "_files -g \"*.safetensors(-.)\""},
    [ARG_KEYS] = {":", NULL}, /* see bash_set, zsh_set */
};

static void print_words(const char *const *words) {
    for (int i = 0; words[i]; i++)
        printf("%s%s", i ? " " : "", words[i]);
}

static void print_names(const arg_option *rows) {
    for (const arg_option *o = rows; o->name; o++)
        printf(" --%s", o->name);
}

/* The cases of one command; `word`: its name, or "". */
static void print_bash_command(const arg_command *c, const char *word) {
    for (const arg_option *o = c->options; o->name; o++) {
        if (o->kind == ARG_NONE || o->completes == ARG_KEYS)
            continue;
        printf("    '%s --%s')", word, o->name);
        if (o->letter)
            printf(" ;&\n    '%s -%c')", word, o->letter);
        if (o->words) {
            printf(" COMPREPLY=($(compgen -W '");
            print_words(o->words);
            printf("' -- \"$cur\")); return ;;\n");
        } else
            printf(" COMPREPLY=($(%s)); return ;;\n", completers[o->completes].bash);
    }
}

static void print_bash(const arg_program *p) {
    keys k = collect_keys();
    printf("# bash completion for %s, generated by: %s --help completion bash\n", p->name, p->name);
    print_keys(p->name, &k);
    free_keys(&k);
    printf("_%s() {\n    local cur prev key keys command=\n    COMPREPLY=()\n"
           "    cur=${COMP_WORDS[COMP_CWORD]}\n    prev=${COMP_WORDS[COMP_CWORD - 1]}\n",
           p->name);
    print_script(bash_set, p->name);
    if (!arg_is_single(p))
        puts("    [ \"$COMP_CWORD\" -gt 1 ] && command=${COMP_WORDS[1]}");
    puts("    case \"$command $prev\" in");
    for (int i = 0; i < p->command_count; i++)
        print_bash_command(&p->commands[i], p->commands[i].name ? p->commands[i].name : "");
    puts("    esac\n    case \"$command $cur\" in");
    for (int i = 0; i < p->command_count; i++) {
        const arg_command *c = &p->commands[i];
        printf("    '%s '-*) COMPREPLY=($(compgen -W '", c->name ? c->name : "");
        print_names(c->options);
        print_names(arg_always);
        printf("' -- \"$cur\")) ;;\n    '%s '*) COMPREPLY=($(%s)) ;;\n", c->name ? c->name : "",
               completers[c->completes].bash);
    }
    if (!arg_is_single(p)) {
        printf("    *) COMPREPLY=($(compgen -W '");
        for (int i = 0; i < p->command_count; i++)
            printf("%s ", p->commands[i].name);
        print_names(arg_always);
        printf("' -- \"$cur\")) ;;\n");
    }
    printf("    esac\n}\ncomplete -o filenames -F _%s %s\n", p->name, p->name);
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

/* "'--out=:DIR:_files -/' \" */
static void print_zsh_option(const char *program, const arg_option *o) {
    if (o->letter && o->value && *o->value != '[')
        printf("        '-%c:%s:%s' \\\n", o->letter, o->value, completers[o->completes].zsh);
    if (o->completes == ARG_KEYS)
        printf("        '*--%s=:%s:_%s_set' \\\n", o->name, "key", program);
    else if (o->words) {
        printf("        '--%s=:%s:(", o->name, o->value);
        print_words(o->words);
        printf(")' \\\n");
    } else if (o->value && *o->value != '[')
        printf("        '--%s=:%s:%s' \\\n", o->name, o->value, completers[o->completes].zsh);
    else
        printf("        '--%s' \\\n", o->name);
}

static void print_zsh_command(const arg_program *p, const arg_command *c) {
    puts("    _arguments \\");
    for (const arg_option *o = c->options; o->name; o++)
        print_zsh_option(p->name, o);
    for (const arg_option *o = arg_always; o->name; o++)
        print_zsh_option(p->name, o);
    printf("        '*:%s:%s'\n", c->operand, completers[c->completes].zsh);
}

static void print_zsh(const arg_program *p) {
    keys k = collect_keys();
    printf("#compdef %s\n# generated by: %s --help completion zsh\n", p->name, p->name);
    print_keys(p->name, &k);
    free_keys(&k);
    print_script(zsh_set, p->name);
    if (arg_is_single(p)) {
        print_zsh_command(p, &p->commands[0]);
        return;
    }
    printf("if ((CURRENT == 2)); then\n    compadd --");
    for (int i = 0; i < p->command_count; i++)
        printf(" %s", p->commands[i].name);
    print_names(arg_always);
    puts("\n    return\nfi\nlocal command=$words[2]\nshift words\n((CURRENT--))\n"
         "case $command in");
    for (int i = 0; i < p->command_count; i++) {
        printf("%s)\n", p->commands[i].name);
        print_zsh_command(p, &p->commands[i]);
        puts("    ;;");
    }
    puts("esac");
}

int completion_print(const arg_program *p, const char *shell) {
    bool bash = shell && !strcmp(shell, "bash");
    if (!bash && !(shell && !strcmp(shell, "zsh")))
        return arg_fail(p, NULL, "--help completion is for bash or zsh%s%s", shell ? ", not " : "",
                        shell ? shell : "");
    if (bash)
        print_bash(p);
    else
        print_zsh(p);
    return DL_OK;
}

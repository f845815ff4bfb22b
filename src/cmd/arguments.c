/* SPDX-License-Identifier: MIT */
#include "cmd/arguments.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mapped.h"
#include "base/memory.h"
#include "cmd/common.h"
#include "cmd/completion.h"
#include "cmd/help.h"
#include "math/backend.h"
#include "math/threads.h"

/* The row of a name of `length` bytes, or NULL. */
static const arg_option *find_row(const arg_option *rows, const char *name, size_t length) {
    for (const arg_option *o = rows; o->name; o++)
        if (strlen(o->name) == length && !strncmp(o->name, name, length))
            return o;
    return NULL;
}

static const arg_option *find_letter(const arg_option *rows, char letter) {
    for (const arg_option *o = rows; o->name; o++)
        if (o->letter == letter)
            return o;
    return NULL;
}

static const arg_command *find_command(const arg_program *p, const char *name) {
    for (int i = 0; i < p->command_count; i++)
        if (p->commands[i].name && !strcmp(p->commands[i].name, name))
            return &p->commands[i];
    return NULL;
}

/* " (did you mean --x?)", or empty. */
static dl_text hint(const char *word, const char *const *names, int count, const char *dashes) {
    const char *nearest = dl_text_nearest(word, names, count);
    dl_text text = {0};
    if (nearest)
        dl_text_add(&text, " (did you mean %s%s?)", dashes, nearest);
    return text;
}

static int fail_unknown(const arg_program *p, const arg_command *c, const char *name) {
    const char *names[ARG_MOST_ROWS];
    int count = 0, width = (int)strcspn(name, "=");
    for (const arg_moved *m = p->moved; m && m->option; m++)
        if ((int)strlen(m->option) == width && !strncmp(m->option, name, (size_t)width))
            return arg_fail(p, c, "option --%s was removed: use %s", m->option, m->use);
    for (const arg_option *o = c->options; o->name && count < ARG_MOST_ROWS; o++)
        names[count++] = o->name;
    for (const arg_option *o = arg_always; o->name && count < ARG_MOST_ROWS; o++)
        names[count++] = o->name;
    dl_text word = {0};
    dl_text_add_bytes(&word, name, (size_t)width);
    dl_text near = hint(dl_text_get(&word), names, count, "--");
    arg_fail(p, c, "unknown option --%s%s", dl_text_get(&word), dl_text_get(&near));
    dl_text_free(&near);
    dl_text_free(&word);
    return DL_USAGE;
}

/* ---- values ---- */

/* Takes ownership of `assignment`. */
static void add_set(arg_common *a, char *assignment) {
    a->sets = xrealloc(a->sets, sizeof *a->sets * (size_t)(a->set_count + 1));
    a->sets[a->set_count++] = assignment;
}

void arg_add_set(void *arguments, const char *format, ...) {
    va_list list;
    char *text = NULL;
    va_start(list, format);
    if (vasprintf(&text, format, list) < 0)
        abort();
    va_end(list);
    add_set(arguments, text);
}

int arg_apply_sets(const arg_common *a, dl_config *config, dl_error *error) {
    int result = 0;
    for (int i = 0; i < a->set_count; i++)
        result |= dl_config_set(config, a->sets[i], error);
    return result;
}

static bool read_count(const arg_option *o, const char *text, int64_t *value, dl_text *message) {
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end || errno || (double)number < o->min || (double)number > o->max) {
        dl_text_add(message, "must be an integer from %.0f to %.0f", o->min, o->max);
        return false;
    }
    *value = number;
    return true;
}

static bool read_real(const arg_option *o, const char *text, double *value, dl_text *message) {
    char *end;
    *value = strtod(text, &end);
    if (end != text && !*end && *value >= o->min && *value <= o->max)
        return true;
    dl_text_add(message, "must be a number from %g to %g", o->min, o->max);
    return false;
}

static bool read_word(const arg_option *o, const char *text, int *value, dl_text *message) {
    int count = 0;
    for (; o->words[count]; count++)
        if (!strcmp(o->words[count], text)) {
            *value = count;
            return true;
        }
    dl_text near = hint(text, o->words, count, "");
    for (int i = 0; i < count; i++)
        dl_text_add(message, "%s%s", !i ? "must be " : i + 1 < count ? ", " : " or ", o->words[i]);
    dl_text_add(message, "%s", dl_text_get(&near));
    dl_text_free(&near);
    return false;
}

static bool read_set(const arg_option *o, const char *text, arg_common *a, dl_text *message) {
    int64_t number;
    if (!o->key) {
        add_set(a, xstrdup(text));
        return true;
    }
    if (!read_count(o, text, &number, message))
        return false;
    arg_add_set(a, "%s=%lld%s", o->key, (long long)number, number > INT32_MAX ? "L" : "");
    return true;
}

static bool read_value(const arg_option *o, const char *text, arg_common *a, dl_text *message) {
    void *field = (char *)a + o->offset;
    switch (o->kind) {
    case ARG_NONE:
        *(bool *)field = true;
        return true;
    case ARG_COUNT:
        return read_count(o, text, field, message);
    case ARG_REAL:
        return read_real(o, text, field, message);
    case ARG_WORD:
        return read_word(o, text, field, message);
    case ARG_SET:
        return read_set(o, text, a, message);
    case ARG_CUSTOM:
        return o->read(text, a, message);
    case ARG_STRING:
        *(const char **)field = text;
        if (*text || o->may_be_empty)
            return true;
        dl_text_add(message, "must not be empty");
        return false;
    }
    return true;
}

/* ---- the command line ---- */

typedef struct {
    const arg_program *program;
    const arg_command *command;
    int argc, at;
    char **argv;
    arg_common *a;
} parser;

bool arg_given(const arg_common *a, const char *name) {
    for (int i = 0; i < a->given_count; i++)
        if (!strcmp(a->given[i]->name, name))
            return true;
    return false;
}

static int answer_help(const parser *r) {
    const char *topic = r->at < r->argc ? r->argv[r->at] : NULL;
    const char *name = topic && r->at + 1 < r->argc ? r->argv[r->at + 1] : NULL;
    const arg_command *asked = topic ? find_command(r->program, topic) : NULL;
    if (!topic || *topic == '-' || asked) {
        arg_print_usage(r->program, asked ? asked : r->command);
        return DL_OK;
    }
    if (!strcmp(topic, "completion"))
        return completion_print(r->program, name);
    if (!strcmp(topic, "options")) {
        arg_print_manual(r->program);
        return DL_OK;
    }
    return help_topic(r->program, topic, name);
}

/* `value`: what follows "=", or NULL. Returns -1 to continue, or the exit status. */
static int read_option(parser *r, const arg_option *o, const char *shown, const char *value) {
    const arg_program *p = r->program;
    if (o == &arg_always[0])
        return answer_help(r);
    if (o == &arg_always[1]) {
        cmd_version(p->name);
        return DL_OK;
    }
    if (o->kind == ARG_NONE && value)
        return arg_fail(p, r->command, "%s takes no value", shown);
    if (o->kind != ARG_NONE && !value) {
        if (r->at == r->argc)
            return arg_fail(p, r->command, "%s needs a value: %s %s", shown, shown, o->value);
        value = r->argv[r->at++];
    }
    dl_text message = {0};
    int status = -1;
    if (!read_value(o, value, r->a, &message))
        status = arg_fail(p, r->command, "%s %s: %s", shown, value, dl_text_get(&message));
    dl_text_free(&message);
    if (!arg_given(r->a, o->name) && r->a->given_count < ARG_MOST_ROWS)
        r->a->given[r->a->given_count++] = o;
    return status;
}

static int read_long(parser *r, const char *word) {
    size_t length = strcspn(word + 2, "=");
    const arg_option *o = find_row(r->command->options, word + 2, length);
    o = o ? o : find_row(arg_always, word + 2, length);
    if (!o)
        return fail_unknown(r->program, r->command, word + 2);
    char shown[64];
    snprintf(shown, sizeof shown, "--%s", o->name);
    return read_option(r, o, shown, word[2 + length] ? word + 3 + length : NULL);
}

/* -o FILE, -oFILE */
static int read_letter(parser *r, const char *word) {
    const arg_option *o = find_letter(r->command->options, word[1]);
    o = o ? o : find_letter(arg_always, word[1]);
    if (!o)
        return arg_fail(r->program, r->command, "unknown option -%c", word[1]);
    return read_option(r, o, (char[]){'-', o->letter, '\0'}, word[2] ? word + 2 : NULL);
}

static int read_all(parser *r) {
    bool only_operands = false;
    int status = -1;
    while (status < 0 && r->at < r->argc) {
        char *word = r->argv[r->at++];
        if (only_operands || word[0] != '-' || !word[1])
            r->a->operands[r->a->operand_count++] = word;
        else if (!strcmp(word, "--"))
            only_operands = true;
        else
            status = word[1] == '-' ? read_long(r, word) : read_letter(r, word);
    }
    return status;
}

/* ---- combinations ---- */

/* Whether `name` is one of the words in `names`. */
static bool is_among(const char *names, const char *name) {
    size_t length = strlen(name);
    for (const char *at = names; at && *at; at += strcspn(at, " "), at += *at == ' ')
        if (strcspn(at, " ") == length && !strncmp(at, name, length))
            return true;
    return false;
}

static int check_combinations(const parser *r) {
    const arg_program *p = r->program;
    for (int i = 0; i < r->a->given_count; i++) {
        const arg_option *o = r->a->given[i];
        if (o->needs && !arg_given(r->a, o->needs))
            return arg_fail(p, r->command, "--%s needs --%s", o->name, o->needs);
        for (int k = 0; k < r->a->given_count; k++)
            if (is_among(o->excludes, r->a->given[k]->name))
                return arg_fail(p, r->command, "--%s and --%s cannot be used together", o->name,
                                r->a->given[k]->name);
    }
    return -1;
}

static int check_operands(const parser *r) {
    const arg_command *c = r->command;
    int count = r->a->operand_count;
    if (count < c->min_operands && !count)
        return arg_fail(r->program, c, "no %s was given", c->operand);
    if (count < c->min_operands)
        return arg_fail(r->program, c, "at least %d operands are needed: %s", c->min_operands,
                        c->operands);
    if (c->max_operands && count > c->max_operands)
        return arg_fail(r->program, c, "one %s at a time, not also %s", c->operand,
                        r->a->operands[c->max_operands]);
    return -1;
}

static int check(const parser *r) {
    dl_text message = {0};
    int status = check_combinations(r);
    if (status < 0 && r->command->check && !r->command->check(r->a, &message))
        status = arg_fail(r->program, r->command, "%s", dl_text_get(&message));
    dl_text_free(&message);
    return status < 0 ? check_operands(r) : status;
}

/* The command; NULL after a message or help, with the exit status. */
static const arg_command *choose_command(parser *r, int *status) {
    const arg_program *p = r->program;
    if (arg_is_single(p))
        return &p->commands[0];
    static const arg_option none[] = {ARG_ROWS_END};
    static const arg_command any = {.options = none};
    const char *word = r->at < r->argc ? r->argv[r->at] : NULL;
    const arg_command *found = word ? find_command(p, word) : NULL;
    r->at++;
    if (found)
        return found;
    if (word && *word == '-') {
        r->command = NULL;
        *status = !strcmp(word, "--help") || !strcmp(word, "-h") ? answer_help(r)
                  : !strcmp(word, "--version")                   ? (cmd_version(p->name), DL_OK)
                                                                 : fail_unknown(p, &any, word + 2);
        return NULL;
    }
    const char *names[32];
    for (int i = 0; i < p->command_count; i++)
        names[i] = p->commands[i].name;
    dl_text near = hint(word ? word : "", names, p->command_count, "");
    *status = word ? arg_fail(p, NULL, "unknown command \"%s\"%s", word, dl_text_get(&near))
                   : arg_fail(p, NULL, "no command was given");
    dl_text_free(&near);
    return NULL;
}

int arg_parse(const arg_program *p, int argc, char **argv, const arg_command **command,
              arg_common **arguments) {
    parser r = {.program = p, .argc = argc, .argv = argv, .at = 1};
    int status = DL_USAGE;
    *arguments = NULL;
    *command = r.command = choose_command(&r, &status);
    if (!r.command)
        return status;
    r.a = *arguments = xcalloc(1, r.command->size);
    *r.a = (arg_common){.program = p->name, .called = argv[0]};
    r.a->operands = xcalloc((size_t)argc, sizeof *r.a->operands);
    for (const arg_option *o = r.command->options; o->name; o++)
        if (o->fallback)
            read_value(o, o->fallback, r.a, NULL);
    status = read_all(&r);
    return status < 0 ? check(&r) : status;
}

int arg_main(const arg_program *p, int argc, char **argv) {
    const arg_command *command;
    arg_common *a;
    dl_error error = {0};
    cmd_start(argv);
    dl_mapped_watch(p->name);
    int status = arg_parse(p, argc, argv, &command, &a);
    if (status < 0 && a->backend == DL_BACKEND_ONEDNN && !dl_backend_has_onednn())
        status =
            arg_fail(p, command, "--backend onednn: this %s was built without oneDNN", p->name);
    if (status < 0) {
        dl_backend_set((dl_backend)a->backend);
        status = cmd_set_threads(a->threads ? (int)a->threads : dl_threads_available(), &error);
        if (!status)
            status = command->run(a, &error);
    }
    if (error.count)
        status = cmd_fail(p->name, &error);
    dl_error_clear(&error);
    if (a) {
        for (int i = 0; i < a->set_count; i++)
            free(a->sets[i]);
        free(a->operands);
        free(a->sets);
    }
    free(a);
    return cmd_finish(p->name, status);
}

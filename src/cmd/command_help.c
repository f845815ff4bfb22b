/* SPDX-License-Identifier: MIT */
/* Usage texts and the option lists of the manual pages, from the tables of options. */
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"

static void print(dl_text *text) {
    fputs(dl_text_get(text), stdout);
    dl_text_free(text);
}

/* "-o, --out FILE" */
static void add_name(dl_text *text, const arg_option *o) {
    if (o->letter)
        dl_text_add(text, "-%c, ", o->letter);
    dl_text_add(text, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
}

static void add_row(dl_text *text, const char *name, const char *help) {
    enum { INDENT = 22 };
    dl_text_add(text, "  %s", name);
    int column = 2 + (int)strlen(name);
    if (column > INDENT - 1) {
        dl_text_add(text, "\n");
        column = 0;
    }
    dl_text_add_wrapped(text, help, INDENT, column);
}

/* The valid words (": auto, openblas or onednn"), unless the help names them. */
static void add_words(dl_text *text, const arg_option *o) {
    bool named = true;
    for (int i = 0; o->words && o->words[i]; i++)
        named &= strstr(o->help, o->words[i]) != NULL;
    for (int i = 0; o->words && o->words[i] && !named; i++)
        dl_text_add(text, "%s%s", !i ? ": " : o->words[i + 1] ? ", " : " or ", o->words[i]);
}

static void add_option(dl_text *text, const arg_option *o) {
    dl_text name = {0}, help = {0};
    add_name(&name, o);
    dl_text_add(&help, "%s", o->help);
    add_words(&help, o);
    if (o->fallback)
        dl_text_add(&help, " (default: %s)", o->fallback);
    if (o->needs)
        dl_text_add(&help, " (with --%s)", o->needs);
    add_row(text, dl_text_get(&name), dl_text_get(&help));
    dl_text_free(&name);
    dl_text_free(&help);
}

static void add_commands(dl_text *text, const arg_program *p) {
    dl_text_add(text, "Usage: %s COMMAND [options] ...\n", p->name);
    dl_text_add_wrapped(text, p->help, 0, 0);
    dl_text_add(text, "\n");
    for (int i = 0; i < p->command_count; i++) {
        dl_text name = {0};
        dl_text_add(&name, "%s %s", p->commands[i].name, p->commands[i].operands);
        add_row(text, name.data, p->commands[i].help);
        dl_text_free(&name);
    }
    dl_text_add(text, "\n");
    for (const arg_option *o = arg_always; o->name; o++)
        add_option(text, o);
    dl_text_add(text, "\nOptions of a command: %s COMMAND --help\n", p->name);
}

void arg_print_usage(const arg_program *p, const arg_command *c) {
    dl_text text = {0};
    if (!c && !arg_is_single(p)) {
        add_commands(&text, p);
    } else {
        c = c ? c : &p->commands[0];
        dl_text_add(&text, "Usage: %s%s%s [options] %s\n", p->name, c->name ? " " : "",
                    c->name ? c->name : "", c->operands);
        dl_text_add_wrapped(&text, c->help, 0, 0);
        if (c->more)
            dl_text_add_wrapped(&text, c->more, 0, 0);
        dl_text_add(&text, "\n");
        for (const arg_option *o = c->options; o->name; o++)
            add_option(&text, o);
        for (const arg_option *o = arg_always; o->name && !c->name; o++)
            add_option(&text, o);
    }
    dl_text_add(&text, "\n");
    dl_text_add_wrapped(&text, p->status, 0, 0);
    print(&text);
}

/* ---- the manual page ---- */

static void add_item(dl_text *text, const arg_option *o) {
    dl_text_add(text, ".It");
    if (o->letter)
        dl_text_add(text, " Fl %c ,", o->letter);
    dl_text_add(text, " Fl -%s", o->name);
    if (o->value) {
        dl_text_add(text, " Ar ");
        dl_add_roff(text, o->value);
    }
    dl_text_add(text, "\n");
    dl_text help = {0};
    dl_text_add(&help, "%s", o->help);
    add_words(&help, o);
    dl_add_roff_sentence(text, help.data);
    dl_text_free(&help);
    if (o->fallback)
        dl_text_add(text, "The default is\n.Cm %s .\n", o->fallback);
    if (o->needs)
        dl_text_add(text, "Needs\n.Fl -%s .\n", o->needs);
    const char *separator = "Cannot be used with";
    for (const char *at = o->excludes; at && *at; at += strcspn(at, " "), at += *at == ' ') {
        dl_text_add(text, "%s\n.Fl -%.*s", separator, (int)strcspn(at, " "), at);
        separator = " ,";
    }
    if (o->excludes)
        dl_text_add(text, " .\n");
}

static bool is_shared(const arg_program *p, const arg_option *row) {
    int count = 0;
    for (int i = 0; i < p->command_count; i++)
        for (const arg_option *o = p->commands[i].options; o->name; o++)
            count += !strcmp(o->name, row->name) && !strcmp(o->help, row->help);
    return count > 1;
}

/* The rows that are shared with other commands, or those that are not. */
static void add_items(dl_text *text, const arg_program *p, const arg_option *rows, bool shared) {
    for (const arg_option *o = rows; o->name; o++)
        if (is_shared(p, o) == shared)
            add_item(text, o);
}

static void add_command(dl_text *text, const arg_program *p, const arg_command *c) {
    dl_text also = {0};
    bool own = false;
    for (const arg_option *o = c->options; o->name; o++) {
        own |= !is_shared(p, o);
        if (is_shared(p, o))
            dl_text_add(&also, "%s\n.Fl -%s", also.length ? " ," : "", o->name);
    }
    dl_text_add(text, ".Ss %s ", c->name);
    dl_add_roff(text, c->operands);
    dl_text_add(text, "\n");
    dl_add_roff(text, c->help);
    dl_text_add(text, "\n");
    if (c->more) {
        dl_add_roff(text, c->more);
        dl_text_add(text, "\n");
    }
    if (own) {
        dl_text_add(text, ".Bl -tag -width Ds\n");
        add_items(text, p, c->options, false);
        dl_text_add(text, ".El\n");
    }
    if (also.length)
        dl_text_add(text, ".Pp\nAlso%s .\n", also.data);
    dl_text_free(&also);
}

/* The shared rows, each once. */
static void add_shared(dl_text *text, const arg_program *p) {
    for (int i = 0; i < p->command_count; i++)
        for (const arg_option *o = p->commands[i].options; o->name; o++) {
            bool again = false;
            for (int k = 0; k < i; k++)
                for (const arg_option *e = p->commands[k].options; e->name; e++)
                    again |= !strcmp(e->name, o->name);
            if (!again && is_shared(p, o))
                add_item(text, o);
        }
}

void arg_print_manual(const arg_program *p) {
    dl_text text = {0};
    bool single = arg_is_single(p);
    for (int i = 0; i < p->command_count && !single; i++)
        add_command(&text, p, &p->commands[i]);
    if (!single)
        dl_text_add(&text, ".Ss Options of several commands\n");
    dl_text_add(&text, ".Bl -tag -width Ds\n");
    if (single)
        add_items(&text, p, p->commands[0].options, false);
    else
        add_shared(&text, p);
    for (const arg_option *o = arg_always; o->name; o++)
        add_item(&text, o);
    dl_text_add(&text, ".El\n");
    print(&text);
}

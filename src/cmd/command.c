/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"

#include <stdio.h>

#include "base/terminal.h"

const arg_option arg_always[] = {
    {.name = "help",
     .letter = 'h',
     .value = "[TOPIC]",
     .help = "print this, or help on a topic: config, layers, losses, optimizers, schedules, "
             "formats, augmentations, searches, metrics; a member (--help layer dense); or "
             "completion bash|zsh"},
    {.name = "version", .help = "print the version and the libraries in use"},
    ARG_ROWS_END};

bool arg_is_single(const arg_program *p) {
    return !p->commands[0].name;
}

int arg_fail(const arg_program *p, const arg_command *c, const char *format, ...) {
    const char *name = c && c->name ? c->name : "", *space = *name ? " " : "";
    dl_text message = {0};
    va_list arguments;
    va_start(arguments, format);
    dl_text_add_v(&message, format, arguments);
    va_end(arguments);
    dl_print_plain(stderr, "%s%s%s: %s\n", p->name, space, name, message.data);
    fprintf(stderr, "Try %s%s%s --help.\n", p->name, space, name);
    dl_text_free(&message);
    return DL_USAGE;
}

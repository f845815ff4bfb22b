/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"

#include <stdio.h>

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
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s%s%s: ", p->name, space, name);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nTry %s%s%s --help.\n", p->name, space, name);
    va_end(arguments);
    return DL_USAGE;
}

/* SPDX-License-Identifier: MIT */
#include "config/option.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const dl_kind *dl_registry_find(const dl_registry *registry, const char *name) {
    for (int i = 0; i < registry->count; i++)
        if (!strcmp(registry->kinds[i]->name, name))
            return registry->kinds[i];
    return NULL;
}

void dl_registry_hint(const dl_registry *registry, const char *name, dl_text *hint) {
    const char *names[128] = {0};
    int count = registry->count < 128 ? registry->count : 128;
    for (int i = 0; i < count; i++)
        names[i] = registry->kinds[i]->name;
    const char *nearest = dl_text_nearest(name, names, count);
    if (nearest) {
        dl_text_add(hint, " (did you mean \"%s\"?)", nearest);
        return;
    }
    dl_text_add(hint, " (there are ");
    for (int i = 0; i < count; i++)
        dl_text_add(hint, "%s%s", i ? ", " : "", names[i]);
    dl_text_add(hint, ")");
}

/* For example "integer, at least 1" or "one of a, b". */
static void describe_values(const dl_option *option, dl_text *text) {
    static const char *const words[] = {
        [DL_BOOL] = "true or false",
        [DL_INT] = "integer",
        [DL_FLOAT] = "number",
        [DL_STRING] = "string",
        [DL_CHOICE] = "one of",
        [DL_PAIR] = "integer",
        [DL_STRINGS] = "list of strings",
        [DL_NAME] = "string or integer",
        [DL_NAMES] = "string or integer, or a list",
        [DL_NUMBERS] = "list of numbers",
        [DL_SETTING] = "",
    };
    enum { NO_LIMIT = 100000 }; /* larger bounds are not worth mentioning */
    dl_text_add(text, "%s", words[option->type]);
    if (option->min != 0 || option->max != 0) {
        if (option->max >= NO_LIMIT)
            dl_text_add(text, ", at least %.15g", option->min);
        else
            dl_text_add(text, " from %.15g to %.15g", option->min, option->max);
    }
    if (option->type == DL_PAIR)
        dl_text_add(text, ", or two: (height, width)");
    for (int i = 0; option->choices && option->choices[i]; i++)
        dl_text_add(text, "%s\"%s\"",
                    i                           ? ", "
                    : option->type == DL_CHOICE ? " "
                                                : ", or ",
                    option->choices[i]);
}

/* Type, range and default of an option. */
static dl_text describe(const dl_option *option) {
    dl_text text = {0};
    describe_values(option, &text);
    if (text.length)
        dl_text_add(&text, "; ");
    if (!option->fallback)
        dl_text_add(&text, "required");
    else if (!option->fallback[0])
        dl_text_add(&text, "optional");
    else if (option->type == DL_STRING || option->type == DL_CHOICE ||
             (option->choices && !isdigit((unsigned char)option->fallback[0])))
        dl_text_add(&text, "default \"%s\"", option->fallback);
    else
        dl_text_add(&text, "default %s", option->fallback);
    return text;
}

void dl_options_help(const dl_option *options, dl_text *text) {
    for (const dl_option *option = options; option->key; option++) {
        dl_text first = describe(option);
        dl_text_add(text, "  %s:", option->key);
        dl_text_add_wrapped(text, first.data, 6, 3 + (int)strlen(option->key));
        dl_text_add_wrapped(text, option->help, 6, 0);
        dl_text_free(&first);
    }
}

void dl_add_roff(dl_text *text, const char *words) {
    if (*words == '.' || *words == '\'')
        dl_text_add(text, "\\&");
    for (; *words; words++) {
        if (*words == '\\')
            dl_text_add(text, "\\e");
        else if (*words == '-')
            dl_text_add(text, "\\-");
        else if (*words == '"')
            dl_text_add(text, "\\(dq");
        else if (!strncmp(words, "…", strlen("…"))) {
            dl_text_add(text, "...");
            words += strlen("…") - 1;
        } else
            dl_text_add(text, "%c", *words);
    }
}

void dl_add_roff_sentence(dl_text *text, const char *words) {
    size_t at = text->length;
    dl_add_roff(text, words);
    text->data[at] = (char)toupper((unsigned char)text->data[at]);
    dl_text_add(text, ".\n");
}

void dl_options_roff(const dl_option *options, dl_text *text) {
    for (const dl_option *option = options; option->key; option++) {
        dl_text_add(text, ".TP\n.B ");
        dl_add_roff(text, option->key);
        dl_text_add(text, "\n");
        dl_text first = describe(option);
        dl_add_roff_sentence(text, first.data);
        dl_text_free(&first);
        dl_text_add(text, ".br\n");
        dl_add_roff_sentence(text, option->help);
    }
}

void dl_kind_line(const dl_kind *kind, int width, dl_text *text) {
    dl_text_add(text, "  %-*s", width, kind->name);
    dl_text_add_wrapped(text, kind->help, width + 4, width + 2);
}

void dl_kind_help(const dl_registry *registry, const dl_kind *kind, dl_text *text) {
    dl_text_add(text, "%s = \"%s\"\n", registry->key, kind->name);
    dl_text_add_wrapped(text, kind->help, 2, 0);
    if (kind->options && kind->options->key) {
        dl_text_add(text, "\n");
        dl_options_help(kind->options, text);
    }
}

#include "config/option.h"

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

/* "one of a, b or a whole number from 1 to 5", say. */
static void describe_values(const dl_option *option, dl_text *text) {
    static const char *const words[] = {
        [DL_BOOL] = "true or false",
        [DL_INT] = "whole number",
        [DL_FLOAT] = "number",
        [DL_STRING] = "text",
        [DL_CHOICE] = "one of",
        [DL_PAIR] = "whole number, or two: (height, width)",
        [DL_STRINGS] = "list of texts",
        [DL_NAME] = "name or whole number",
        [DL_SETTING] = "number or group",
    };
    dl_text_add(text, "%s", words[option->type]);
    if (option->min != 0 || option->max != 0) {
        char low[32], high[32];
        dl_text_double(low, option->min);
        dl_text_double(high, option->max);
        bool whole = option->type != DL_FLOAT;
        if (whole) {
            snprintf(low, sizeof low, "%.0f", option->min);
            snprintf(high, sizeof high, "%.0f", option->max);
        }
        if (option->max >= 1e9)
            dl_text_add(text, ", at least %s", low);
        else
            dl_text_add(text, " from %s to %s", low, high);
    }
    for (int i = 0; option->choices && option->choices[i]; i++)
        dl_text_add(text, "%s%s",
                    i                        ? ", "
                    : option->type == DL_INT ? ", or "
                                             : " ",
                    option->choices[i]);
}

static void describe_default(const dl_option *option, dl_text *text) {
    if (!option->fallback)
        dl_text_add(text, "required");
    else if (option->fallback[0])
        dl_text_add(text, "default %s", option->fallback);
    else
        dl_text_add(text, "optional");
}

/* Adds `words`, broken into lines of at most 80 columns that begin with `indent` spaces. */
static void add_wrapped(dl_text *text, const char *words, int indent) {
    int column = 0;
    while (*words) {
        size_t length = strcspn(words, " ");
        if (column && column + 1 + (int)length > 80) {
            dl_text_add(text, "\n");
            column = 0;
        }
        if (!column) {
            dl_text_add(text, "%*s", indent, "");
            column = indent;
        } else {
            dl_text_add(text, " ");
            column++;
        }
        dl_text_add_bytes(text, words, length);
        column += (int)length;
        words += length;
        words += strspn(words, " ");
    }
    dl_text_add(text, "\n");
}

void dl_options_help(const dl_option *options, dl_text *text) {
    for (const dl_option *option = options; option->key; option++) {
        dl_text_add(text, "  %s: ", option->key);
        describe_values(option, text);
        dl_text_add(text, "; ");
        describe_default(option, text);
        dl_text_add(text, "\n");
        add_wrapped(text, option->help, 6);
    }
}

static void add_roff(dl_text *text, const char *words) {
    if (*words == '.' || *words == '\'')
        dl_text_add(text, "\\&");
    for (; *words; words++) {
        if (*words == '\\')
            dl_text_add(text, "\\e");
        else if (*words == '-')
            dl_text_add(text, "\\-");
        else
            dl_text_add(text, "%c", *words);
    }
}

void dl_options_roff(const dl_option *options, dl_text *text) {
    for (const dl_option *option = options; option->key; option++) {
        dl_text_add(text, ".TP\n.B ");
        add_roff(text, option->key);
        dl_text_add(text, "\n");
        dl_text values = {0};
        describe_values(option, &values);
        dl_text_add(&values, "; ");
        describe_default(option, &values);
        dl_text_add(&values, ".");
        add_roff(text, dl_text_get(&values));
        dl_text_free(&values);
        dl_text_add(text, "\n.br\n");
        add_roff(text, option->help);
        dl_text_add(text, "\n");
    }
}

void dl_kind_help(const dl_registry *registry, const dl_kind *kind, dl_text *text) {
    dl_text_add(text, "%s = \"%s\"\n", registry->key, kind->name);
    add_wrapped(text, kind->help, 2);
    if (kind->options && kind->options->key) {
        dl_text_add(text, "\n");
        dl_options_help(kind->options, text);
    }
}

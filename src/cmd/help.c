/* SPDX-License-Identifier: MIT */
#include "cmd/help.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "cmd/common.h"
#include "cmd/conventions.h"
#include "config/space.h"
#include "net/block.h"
#include "train/experiment.h"

static const dl_registry *const registries[] = {
    &dl_layer_registry,     &dl_block_registry,        &dl_loss_registry,
    &dl_optimizer_registry, &dl_schedule_registry,     &dl_activation_registry,
    &dl_dataset_registry,   &dl_augmentation_registry, &dl_search_registry};
enum { REGISTRIES = sizeof registries / sizeof *registries };

extern const dl_option *const dl_net_layer_options;

/* "data formats" is also found as "formats". */
static const char *last_word(const char *words) {
    const char *blank = strrchr(words, ' ');
    return blank ? blank + 1 : words;
}

static void print(dl_text *text) {
    fputs(dl_text_get(text), stdout);
    dl_text_free(text);
}

static const char example[] =
    "name = \"iris\";                          # the run's folder is runs/iris\n"
    "data = {\n"
    "  format = \"csv\";\n"
    "  train = { file = \"iris/iris.csv\"; };   # also looked up below data/\n"
    "  test = 0.2;                            # a share of the rows\n"
    "  validation = 0.2;\n"
    "  normalize = \"mean_std\";\n"
    "};\n"
    "network = (\n"
    "  { layer = \"dense\"; units = 16; activation = \"tanh\"; },\n"
    "  { layer = \"dense\"; units = 3; }\n"
    ");\n"
    "loss = { type = \"softmax_cross_entropy\"; };\n"
    "optimizer = { type = \"adam\"; learning_rate = 0.01; };\n"
    "training = { batch_size = 16; epochs = 50; };\n";

static void help_config(void) {
    dl_text text = {0};
    dl_text_add(&text, "A config is a text file in libconfig syntax:\n\n%s\n", example);
    dl_text_add(&text, "Its keys, section by section:\n");
    for (const dl_section *s = dl_sections; s->path; s++) {
        if (s->help)
            dl_text_add(&text, "\n%s%s%s\n", s->path, *s->path ? ": " : "", s->help);
        dl_options_help(s->options, &text);
    }
    dl_text_add(&text, "\nnetwork: keys of every layer, besides those of its type\n");
    dl_options_help(dl_net_layer_options, &text);
    dl_text_add(&text, "\nFor the keys of each layer, loss and so on:\n");
    for (int r = 0; r < REGISTRIES; r++)
        dl_text_add(&text, "  dltrain --help %s\n", last_word(registries[r]->plural));
    dl_text_add(&text, "  dltrain --help metrics\n");
    print(&text);
}

static void help_metrics(void) {
    dl_text text = {0};
    for (int classes = 1; classes >= 0; classes--) {
        dl_text_add(&text, classes ? "classification:\n" : "regression:\n");
        for (int m = 0; m < dl_metric_count; m++) {
            const dl_kind line = {dl_metrics[m]->name, dl_metrics[m]->help, 0, NULL};
            if (classes ? dl_metrics[m]->for_classes : dl_metrics[m]->for_numbers)
                dl_kind_line(&line, 18, &text);
        }
    }
    print(&text);
}

static void help_registry(const dl_registry *registry) {
    dl_text text = {0};
    int width = 0;
    for (int k = 0; k < registry->count; k++) {
        int length = (int)strlen(registry->kinds[k]->name);
        width = length > width ? length : width;
    }
    for (int k = 0; k < registry->count; k++)
        dl_kind_line(registry->kinds[k], width, &text);
    if (registry != &dl_activation_registry) /* which have none of their own */
        dl_text_add(&text, "\nKeys of one of them: dltrain --help %s %s\n",
                    last_word(registry->what), registry->kinds[0]->name);
    print(&text);
}

static int help_kind(const arg_program *program, const dl_registry *registry, const char *name) {
    const dl_kind *kind = dl_registry_find(registry, name);
    dl_text text = {0};
    if (!kind) {
        dl_registry_hint(registry, name, &text);
        int status = arg_fail(program, NULL, "there is no %s \"%s\"%s", registry->what, name,
                              dl_text_get(&text));
        dl_text_free(&text);
        return status;
    }
    dl_kind_help(registry, kind, &text);
    print(&text);
    return DL_OK;
}

/* `layer` also names blocks. */
static const dl_registry *registry_of(const dl_registry *asked, const char *name) {
    bool is_block = asked == &dl_layer_registry && !dl_registry_find(asked, name) &&
                    dl_registry_find(&dl_block_registry, name);
    return is_block ? &dl_block_registry : asked;
}

static bool is_named(const char *full, const char *topic) {
    return !strcmp(full, topic) || !strcmp(last_word(full), topic);
}

int help_topic(const arg_program *program, const char *topic, const char *name) {
    if (!strcmp(topic, "config")) {
        help_config();
        return DL_OK;
    }
    if (!strcmp(topic, "metrics") || !strcmp(topic, "metric")) {
        help_metrics();
        return DL_OK;
    }
    if (!strcmp(topic, "man")) {
        help_manual();
        return DL_OK;
    }
    for (int r = 0; r < REGISTRIES; r++) {
        bool one = is_named(registries[r]->what, topic);
        if (!one && !is_named(registries[r]->plural, topic))
            continue;
        if (name)
            return help_kind(program, registry_of(registries[r], name), name);
        help_registry(registries[r]);
        return DL_OK;
    }
    for (int r = 0; r < REGISTRIES; r++) /* --help dense */
        if (dl_registry_find(registries[r], topic))
            return help_kind(program, registries[r], topic);
    dl_text list = {0};
    for (int r = 0; r < REGISTRIES; r++)
        dl_text_add(&list, ", %s", last_word(registries[r]->plural));
    int status = arg_fail(program, NULL, "there is no help on \"%s\" (topics: config, metrics%s)",
                          topic, dl_text_get(&list));
    dl_text_free(&list);
    return status;
}

static const char manual_head[] =
    ".\\\" SPDX-License-Identifier: MIT\n"
    ".TH DLTRAIN.CFG 5 \"" DL_DATE "\" \"dltrain " DL_VERSION "\" \"File formats\"\n"
    ".SH NAME\ndltrain.cfg \\- config file of dltrain: data, network, loss, optimizer, training\n"
    ".SH DESCRIPTION\n"
    "A config for\n.BR dltrain (1)\nis a text file in libconfig syntax:\n"
    ".RS\n.nf\n"
    "key = value;\n"
    "group = { key = value; ... };\n"
    "list = ( value, ... );\n"
    "# a comment, to the end of the line; // begins one, too\n"
    "@include \\(dqother.cfg\\(dq\n"
    ".fi\n.RE\n"
    ".PP\n"
    "A value is a string in double quotes, true or false, an integer (followed by L if it has "
    "more\n"
    "than 32 bits) or a number with a point or an exponent.\n"
    "An integer is accepted where a number is expected; nothing else is converted.\n"
    "A file that is included is looked up in the folder of the config.\n"
    ".PP\n"
    "Every key is checked before any data are read, and all errors are reported together, each "
    "with\n"
    "file, line and the nearest valid name.\n"
    "Any key can be set on the command line as well:\n"
    ".BR \"\\-\\-set network.0.units=64\" .\n"
    ".PP\n"
    "Data files are looked up as written (from the current folder), then in the folder of the "
    "config, then below\n.IR data/ ,\n"
    "then below\n.BR $DLTRAIN_DATA ,\n"
    "then in the data folder installed with the program; \"\\-\" is standard input.\n"
    ".PP\nThis page is generated from the tables against which the program checks a config.\n"
    ".SH EXAMPLE\n.nf\n";

static void add_manual_section(dl_text *text, const char *path, const char *what,
                               const dl_option *options) {
    if (what) {
        dl_text_add(text, ".SS ");
        if (*path)
            dl_text_add(text, "%s: ", path);
        dl_add_roff(text, what);
        dl_text_add(text, "\n");
    }
    dl_options_roff(options, text);
}

static void add_manual_kinds(dl_text *text, const dl_registry *registry) {
    dl_text_add(text, ".SH ");
    for (const char *c = registry->plural; *c; c++)
        dl_text_add(text, "%c", toupper((unsigned char)*c));
    dl_text_add(text, "\nThe key\n.B %s\nchooses the %s.\n", registry->key, registry->what);
    for (int k = 0; k < registry->count; k++) {
        const dl_kind *kind = registry->kinds[k];
        dl_text_add(text, ".SS %s = \\(dq%s\\(dq\n", registry->key, kind->name);
        dl_add_roff_sentence(text, kind->help);
        if (kind->options)
            dl_options_roff(kind->options, text);
    }
}

void help_manual(void) {
    dl_text text = {0};
    dl_text_add(&text, "%s", manual_head);
    dl_add_roff(&text, example);
    dl_text_add(&text, ".fi\n.SH SECTIONS\n");
    for (const dl_section *s = dl_sections; s->path; s++)
        add_manual_section(&text, s->path, s->help, s->options);
    add_manual_section(&text, "network", "keys of every layer, besides those of its type",
                       dl_net_layer_options);
    for (int r = 0; r < REGISTRIES; r++)
        add_manual_kinds(&text, registries[r]);
    dl_text_add(&text, ".SH METRICS\nThe key\n.B training.metrics\nnames some of these.\n");
    for (int m = 0; m < dl_metric_count; m++) {
        dl_text_add(&text, ".TP\n.B %s\nFor %s.\n", dl_metrics[m]->name,
                    !dl_metrics[m]->for_classes  ? "numbers"
                    : dl_metrics[m]->for_numbers ? "classes and numbers"
                                                 : "classes");
        dl_add_roff_sentence(&text, dl_metrics[m]->help);
    }
    help_conventions(&text);
    dl_text_add(
        &text,
        ".SH SEE ALSO\n.BR dlinspect (1),\n.BR dlpredict (1),\n.BR dltest (1),\n.BR dltrain (1)\n");
    print(&text);
}

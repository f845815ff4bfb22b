#include "cmd/help.h"

#include <stdio.h>
#include <string.h>

#include "cmd/common.h"
#include "train/experiment.h"
#include "train/version.h"

static const dl_registry *const registries[] = {&dl_layer_registry, &dl_loss_registry,
                                                &dl_optimizer_registry, &dl_schedule_registry,
                                                &dl_dataset_registry};
enum { REGISTRIES = sizeof registries / sizeof *registries };

extern const dl_option *const dl_net_layer_options;

static void print(dl_text *text) {
    fputs(dl_text_get(text), stdout);
    dl_text_free(text);
}

static void help_config(void) {
    dl_text text = {0};
    dl_text_add(&text, "A config is a text file in libconfig's syntax. Its sections:\n");
    for (const dl_section *s = dl_sections; s->path; s++) {
        dl_text_add(&text, "\n%s%s%s\n", s->help, *s->path ? ": " : "", s->path);
        dl_options_help(s->options, &text);
    }
    dl_text_add(&text, "\nEvery layer of the network\n");
    dl_options_help(dl_net_layer_options, &text);
    dl_text_add(&text, "\nMore: ");
    for (int r = 0; r < REGISTRIES; r++)
        dl_text_add(&text, "%s--help %s", r ? ", " : "", registries[r]->plural);
    dl_text_add(&text, ", --help metrics\n");
    print(&text);
}

static void help_metrics(void) {
    dl_text text = {0};
    for (int m = 0; m < dl_metric_count; m++)
        dl_text_add(&text, "  %-10s %s (for %s)\n", dl_metrics[m].name, dl_metrics[m].help,
                    dl_metrics[m].for_classes ? "classes" : "numbers");
    print(&text);
}

static void help_registry(const dl_registry *registry) {
    dl_text text = {0};
    for (int k = 0; k < registry->count; k++)
        dl_text_add(&text, "  %-22s %s\n", registry->kinds[k]->name, registry->kinds[k]->help);
    dl_text_add(&text, "\nMore on one of them: --help \"%s\" NAME\n", registry->what);
    print(&text);
}

static int help_kind(const char *program, const dl_registry *registry, const char *name) {
    const dl_kind *kind = dl_registry_find(registry, name);
    dl_text text = {0};
    if (!kind) {
        dl_registry_hint(registry, name, &text);
        int status =
            cmd_usage(program, "there is no %s \"%s\"%s", registry->what, name, dl_text_get(&text));
        dl_text_free(&text);
        return status;
    }
    dl_kind_help(registry, kind, &text);
    print(&text);
    return DL_OK;
}

/* "data formats" may be asked for as "formats". */
static bool is_named(const char *full, const char *topic) {
    const char *blank = strrchr(full, ' ');
    return !strcmp(full, topic) || (blank && !strcmp(blank + 1, topic));
}

int help_topic(const char *program, const char *topic, const char *name) {
    if (!strcmp(topic, "config")) {
        help_config();
        return DL_OK;
    }
    if (!strcmp(topic, "metrics")) {
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
            return help_kind(program, registries[r], name);
        help_registry(registries[r]);
        return DL_OK;
    }
    for (int r = 0; r < REGISTRIES; r++) /* `--help dense` is clear enough */
        if (dl_registry_find(registries[r], topic))
            return help_kind(program, registries[r], topic);
    dl_text list = {0};
    for (int r = 0; r < REGISTRIES; r++)
        dl_text_add(&list, ", %s", registries[r]->plural);
    int status = cmd_usage(program, "there is no help on \"%s\" (there is on config, metrics%s)",
                           topic, dl_text_get(&list));
    dl_text_free(&list);
    return status;
}

static const char manual_head[] =
    ".TH DLTRAIN.CFG 5 \"\" \"dltrain " DL_VERSION "\" \"File formats\"\n"
    ".SH NAME\ndltrain.cfg \\- what dltrain(1) is to learn, from what, and how\n"
    ".SH DESCRIPTION\n"
    "A config is a text file in libconfig's syntax:\n"
    ".IR key \" = \" value ;\n"
    "with groups in braces, lists in parentheses, strings in double quotes, true and false, whole\n"
    "numbers and numbers with a point, comments from # or // to the end of the line.\n"
    "A whole number is fine where a number is asked for; nothing else is converted.\n"
    ".B @include \\(dqfile\\(dq\ntakes in another file, looked up beside the config.\n"
    ".PP\nData files are looked up as written (from the current folder), then below\n.IR data/ ,\n"
    "then below\n.BR $DLTRAIN_DATA .\n"
    ".PP\nThis page is made from the tables that the program itself checks a config against.\n"
    ".SH EXAMPLE\n.nf\n"
    "name = \\(dqiris\\(dq;\n"
    "data = {\n  format = \\(dqcsv\\(dq;\n  train = { file = \\(dqiris/iris.csv\\(dq; };\n"
    "  test = 0.2;\n  validation = 0.2;\n  normalize = \\(dqmean_std\\(dq;\n};\n"
    "network = (\n  { layer = \\(dqdense\\(dq; units = 16; activation = \\(dqtanh\\(dq; },\n"
    "  { layer = \\(dqdense\\(dq; units = 3; }\n);\n"
    "loss = { type = \\(dqsoftmax_cross_entropy\\(dq; };\n"
    "optimizer = { type = \\(dqadam\\(dq; learning_rate = 0.01; };\n"
    "training = { batch_size = 16; epochs = 50; };\n.fi\n";

void help_manual(void) {
    dl_text text = {0};
    dl_text_add(&text, "%s", manual_head);
    for (const dl_section *s = dl_sections; s->path; s++) {
        dl_text_add(&text, ".SH \"%s%s%s\"\n", s->help, *s->path ? ": " : "", s->path);
        dl_options_roff(s->options, &text);
    }
    dl_text_add(&text, ".SH \"Every layer of the network\"\n");
    dl_options_roff(dl_net_layer_options, &text);
    for (int r = 0; r < REGISTRIES; r++) {
        dl_text_add(&text, ".SH \"The %s (chosen by the key %s)\"\n", registries[r]->plural,
                    registries[r]->key);
        for (int k = 0; k < registries[r]->count; k++) {
            const dl_kind *kind = registries[r]->kinds[k];
            dl_text_add(&text, ".SS %s\n%s.\n", kind->name, kind->help);
            if (kind->options)
                dl_options_roff(kind->options, &text);
        }
    }
    dl_text_add(&text, ".SH \"Metrics\"\n");
    for (int m = 0; m < dl_metric_count; m++)
        dl_text_add(&text, ".TP\n.B %s\n%s (for %s).\n", dl_metrics[m].name, dl_metrics[m].help,
                    dl_metrics[m].for_classes ? "classes" : "numbers");
    dl_text_add(&text, ".SH SEE ALSO\n.BR dltrain (1),\n.BR dltest (1)\n");
    print(&text);
}

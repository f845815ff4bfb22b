/* SPDX-License-Identifier: MIT */
/* Walks the registry of layers: every one (or the one that is named on the command line), under
   every kind of option that its table knows, against central differences in double precision. A new
   layer needs no new test. */
#include "gradient.h"

/* ---- every variant of a layer ---- */

/* What a required option is given. */
static void add_required(dl_text *layer, const dl_option *o) {
    if (o->fallback)
        return;
    if (o->type == DL_CHOICE)
        dl_text_add(layer, " %s = \"%s\";", o->key, o->choices[2]);
    else if (o->type == DL_FLOAT)
        dl_text_add(layer, " %s = 0.5;", o->key);
    else
        dl_text_add(layer, " %s = 3;", o->key);
}

/* A key of a variant, with its value as it stands in a config; NULL ends a list of them. */
typedef struct {
    const char *key, *value;
} setting;

static char *write_layer(const dl_kind *kind, const setting *settings, int inputs) {
    dl_text layer = {0};
    bool unpool = !strcmp(kind->name, "unpool"); /* needs the max_pool that it undoes */
    if (unpool)
        dl_text_add(&layer, "{ layer = \"max_pool\"; name = \"pool\"; size = (2, 3); }, ");
    dl_text_add(&layer, "{ layer = \"%s\";", kind->name);
    for (const dl_option *o = kind->options; o->key; o++) {
        const setting *set = settings;
        while (set->key && strcmp(set->key, o->key))
            set++;
        if (set->key)
            dl_text_add(&layer, " %s = %s;", set->key, set->value);
        else
            add_required(&layer, o);
    }
    if (unpool && inputs == 2)
        dl_text_add(&layer, " inputs = (\"pool\", \"pool\");");
    else if (inputs == 2)
        dl_text_add(&layer, " inputs = (\"probe\", \"input\");");
    if (inputs == 3)
        dl_text_add(&layer, " inputs = (\"probe\", \"input\", \"probe\");");
    dl_text_add(&layer, " }");
    if (whole_numbers) /* whose weights have slopes even if the layer has no parameters */
        dl_text_add(&layer, ", { layer = \"dense\"; units = 2; }");
    return layer.data;
}

/* Runs one variant on the first shape that it accepts; -1 if there is none. */
static int try_variant(const dl_kind *kind, const setting *settings, int inputs) {
    char *layer = write_layer(kind, settings, inputs);
    int slopes = -1;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes && slopes < 0; s++) {
        dl_text layers = {0};
        harness h;
        harness_probe(&layers, shapes[s]);
        dl_text_add(&layers, "%s", layer);
        for (int batch = BATCH; batch <= MOST_BATCH; batch++) { /* a partial and a full one */
            if (harness_open(&h, layers.data, shapes[s], MOST_BATCH, true, 2))
                slopes = check_net(&h.net, layer, batch);
            harness_close(&h);
        }
        dl_text_free(&layers);
    }
    free(layer);
    return slopes;
}

typedef struct {
    int tried, sloped;
} tally;

static void count_variant(tally *t, const dl_kind *kind, const setting *settings) {
    const dl_layer_type *type = (const dl_layer_type *)kind;
    for (int inputs = 1; inputs <= (type->max_inputs > 1 ? 3 : 1); inputs++) {
        int slopes = try_variant(kind, settings, inputs);
        t->tried += slopes >= 0;
        t->sloped += slopes > 0;
    }
}

/* One option under a value, and with it, for a word, every number option off its default: the slope
   of leaky_relu matters only where the activation is leaky_relu. (Initial values only say where the
   slopes are taken: they are varied by themselves.) */
static void vary(tally *t, const dl_kind *kind, const dl_option *o, const char *value) {
    setting settings[3] = {{o->key, value}, {NULL, NULL}, {NULL, NULL}};
    count_variant(t, kind, settings);
    for (const dl_option *f = kind->options; value[0] == '"' && f->key; f++)
        if (f->type == DL_FLOAT && !strstr(f->key, "init") && strcmp(o->key, "init") != 0) {
            settings[1] = (setting){f->key, "0.2"};
            count_variant(t, kind, settings);
        }
}

static void vary_all(tally *t, const dl_kind *kind, const dl_option *o) {
    static const char *const numbers[] = {"1", "2", "3", "4", "(2, 3)"};
    char value[64];
    for (int c = 0; o->choices && o->choices[c]; c++) {
        snprintf(value, sizeof value, "\"%s\"", o->choices[c]);
        vary(t, kind, o, value);
    }
    if (o->type == DL_BOOL) {
        vary(t, kind, o, "true");
        vary(t, kind, o, "false");
    }
    if (o->type == DL_FLOAT)
        vary(t, kind, o, "0.2");
    static const char *const lists[] = {"126", "(9, 14)", "(3, 6, 7)", "(2, 5, 3)"};
    for (int n = 0; n < 4 && o->type == DL_NUMBERS; n++)
        vary(t, kind, o, lists[n]);
    for (int n = 0; n < 5 && (o->type == DL_PAIR || (o->type == DL_INT && n < 4)); n++)
        vary(t, kind, o, numbers[n]);
}

static const char *only; /* NULL: all */

static void test_layers(void **state) {
    (void)state;
    for (int k = 0; k < dl_layer_registry.count; k++) {
        const dl_kind *kind = dl_layer_registry.kinds[k];
        tally t = {0};
        if (only && strcmp(only, kind->name) != 0)
            continue;
        whole_numbers = !strcmp(kind->name, "embedding") || !strcmp(kind->name, "one_hot");
        count_variant(&t, kind, &(setting){NULL, NULL});
        for (const dl_option *o = kind->options; o->key; o++)
            vary_all(&t, kind, o);
        printf("   %-20s %3d variants, %3d with slopes\n", kind->name, t.tried, t.sloped);
        assert_true(t.tried > 0);
        assert_true(t.sloped > 0);
    }
}

int main(int argc, char **argv) {
    only = argc > 1 ? argv[1] : NULL;
    dl_threads_set(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What the tests of the csv format share: a table t.csv in the scratch folder. */
#ifndef TESTS_CSV_HARNESS_H
#define TESTS_CSV_HARNESS_H

#include "data_harness.h"

static inline void save(const char *text) {
    save_text("t.csv", text);
}

/* t.csv as a training part, with further `options` of the config. */
static inline int open_table(section *o, const char *options, const dl_schema *like) {
    dl_text text = {0};
    dl_text_add(&text, "format = \"csv\"; train = { file = \"t.csv\"; %s };", options);
    int result = section_open_set(o, text.data, like);
    dl_text_free(&text);
    return result;
}

static inline void must_open(section *o, const char *options, const dl_schema *like) {
    if (open_table(o, options, like))
        fail_msg("%s", dl_text_get(&o->error.text));
    assert_true(o->set->count > 0);
}

/* Opening `text` (NULL: the file as it is) fails; the message holds `words`, and `more` (or NULL).
 */
static inline void refuses(const char *text, const char *options, const dl_schema *like,
                           const char *words, const char *more) {
    section o;
    if (text)
        save(text);
    if (!open_table(&o, options, like))
        fail_msg("was opened, but: %s", words);
    SAYS(&o, words, more);
    section_free(&o);
}

/* Row i is `expected` (inputs, then the targets). */
static inline void check_row(const section *o, int64_t i, const double *expected, int count) {
    float value[64];
    dl_error error = {0};
    int inputs = (int)dl_shape_size(o->set->schema.input);
    assert_int_equal(inputs + o->set->schema.outputs, count);
    assert_int_equal(o->set->type->read(o->set, i, value, value + inputs, &error), 0);
    for (int k = 0; k < count; k++)
        if (value[k] != (float)expected[k])
            fail_msg("row %d, value %d is %.9g, not %.9g", (int)i, k, (double)value[k],
                     expected[k]);
}

#define ROW(o, i, ...)                                                                             \
    check_row(o, i, (const double[]){__VA_ARGS__},                                                 \
              (int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))

#endif

/* SPDX-License-Identifier: MIT */
/* The data format `text`: symbols, samples, targets, and how a text is cut. */
#include "data_harness.h"

#include "formats/text.h"

/* Row i of the set as classes: "x>y" with names in between. */
static void read_row(const section *s, int64_t i, char *x_out, char *y_out) {
    const dl_schema *schema = &s->set->schema;
    int steps = schema->input.dim[0], width = schema->input.dim[1];
    float *x = xcalloc((size_t)(steps * width), sizeof *x);
    float *y = xcalloc((size_t)steps, sizeof *y);
    dl_error error = {0};
    assert_int_equal(s->set->type->read(s->set, i, x, y, &error), 0);
    *x_out = *y_out = '\0';
    for (int t = 0; t < steps; t++) {
        int found = -1;
        for (int c = 0; c < width && width > 1; c++) {
            assert_true(x[t * width + c] == 0 || (x[t * width + c] == 1 && found < 0));
            found = x[t * width + c] == 1 ? c : found;
        }
        if (width == 1)
            found = (int)x[t];
        assert_in_range(found, 0, schema->classes - 1);
        strcat(x_out, schema->class_names[found]);
        strcat(y_out, schema->class_names[(int)y[t]]);
    }
    free(x);
    free(y);
}

static void test_samples(void **state) {
    (void)state;
    char x[64], y[64];
    save_text("a.txt", "\xef\xbb\xbfhello, world"); /* a byte order mark is no symbol */
    save_gzip("a.txt.gz", "hello, world", 12);
    for (int i = 0; i < 4; i++) {
        section s;
        char text[256];
        snprintf(text, sizeof text,
                 "format = \"text\"; train = { file = \"a.txt%s\"; }; length = 3; unit = \"%s\";"
                 "encoding = \"%s\";",
                 i % 2 ? ".gz" : "", i % 2 ? "byte" : "character", i / 2 ? "number" : "one_hot");
        assert_int_equal(section_open_set(&s, text, NULL), 0);
        assert_int_equal(s.set->count, 3); /* the last two symbols are no whole sample */
        assert_true(s.set->ordered);
        assert_int_equal(s.set->schema.classes, 9);
        assert_int_equal(s.set->schema.outputs, 3);
        assert_string_equal(s.set->schema.class_names[0], " ");
        assert_string_equal(s.set->schema.class_names[8], "w");
        assert_int_equal(s.set->schema.input.dim[1], i / 2 ? 1 : 9);
        static const char *const rows[][2] = {{"hel", "ell"}, {"lo,", "o, "}, {" wo", "wor"}};
        for (int r = 0; r < 3; r++) {
            read_row(&s, r, x, y);
            assert_string_equal(x, rows[r][0]);
            assert_string_equal(y, rows[r][1]);
        }
        section_free(&s);
    }
}

/* Each symbol's name stands for it alone, and is UTF-8. */
static void test_names(void **state) {
    (void)state;
    section s, o;
    static const char symbols[] = "\n\r\t\0\x7f\\xA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80!\n";
    save_bytes("a.txt", symbols, sizeof symbols - 1);
    const char *own = "format = \"text\"; train = { file = \"a.txt\"; }; length = 2;";
    static const char *const names[] = {"\\x00", "\\t", "\\n",   "\\r", "!", "A",
                                        "\\",    "x",   "\\x7F", "ä",   "€", "😀"};
    assert_int_equal(section_open_set(&s, own, NULL), 0);
    assert_int_equal(s.set->schema.classes, 12);
    for (int c = 0; c < 12; c++)
        assert_string_equal(s.set->schema.class_names[c], names[c]);
    assert_int_equal(section_open_set(&o, own, &s.set->schema), 0); /* and back again */
    char x[64], y[64], again[64];
    for (int64_t i = 0; i < s.set->count; i++) {
        read_row(&s, i, x, y);
        read_row(&o, i, again, y);
        assert_string_equal(x, again);
    }
    section_free(&o);
    section_free(&s);
    char all[257];
    for (int i = 0; i < 257; i++)
        all[i] = (char)i;
    save_bytes("a.txt", all, 257);
    own = "format = \"text\"; train = { file = \"a.txt\"; }; length = 2; unit = \"byte\";";
    assert_int_equal(section_open_set(&s, own, NULL), 0);
    assert_int_equal(s.set->schema.classes, 256);
    assert_string_equal(s.set->schema.class_names[255], "\\xFF");
    char *json = dl_schema_to_json(&s.set->schema);
    dl_schema back;
    dl_error error = {0};
    assert_int_equal(dl_schema_from_json(&back, json, "x", &error), 0);
    assert_int_equal(section_open_set(&o, own, &back), 0);
    free(json);
    dl_schema_free(&back);
    section_free(&o);
    section_free(&s);
}

/* The tail is for validation, and classes are counted at every position. */
static void test_parts(void **state) {
    (void)state;
    section s;
    char text[202] = "";
    for (int i = 0; i < 201; i++)
        text[i] = "abc"[i % 3 == 2 ? 2 : i % 2];
    save_text("a.txt", text);
    section_must_open(&s, "format = \"text\"; train = { file = \"a.txt\"; length = 10; }; "
                          "validation = 0.1; test = 0.2;");
    static const int first[] = {0, 14, 16}, count[] = {14, 2, 4};
    for (int p = 0; p < DL_SPLITS; p++) {
        const dl_subset *part = &s.data.part[p];
        int64_t positions = 0;
        assert_int_equal(part->count, count[p]);
        for (int64_t i = 0; i < part->count; i++)
            assert_int_equal(part->index[i], first[p] + i);
        for (int c = 0; c < 3; c++)
            positions += part->class_count[c];
        assert_int_equal(positions, 10 * count[p]);
    }
    section_free(&s);
    section_must_open(&s, "format = \"text\"; train = { file = \"a.txt\"; length = 10; }; "
                          "validation = 0.5; split = \"random\";");
    assert_int_equal(s.data.part[DL_TRAIN].count, 10);
    assert_true(s.data.part[DL_TRAIN].index[9] > 9);
    section_free(&s);
}

/* Symbols there and back, and a sample of them as the loader would make it. */
static void test_writing(void **state) {
    (void)state;
    static const char text[] = "\n\r\t\x7f\\xA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80!\n";
    save_text("a.txt", text);
    for (int i = 0; i < 4; i++) {
        section s;
        dl_error error = {0};
        int64_t count;
        char keys[256], again[64], *end = again;
        snprintf(keys, sizeof keys,
                 "format = \"text\"; train = { file = \"a.txt\"; }; length = 3; unit = \"%s\";"
                 "encoding = \"%s\"; normalize = \"min_max\";",
                 i % 2 ? "byte" : "character", i / 2 ? "number" : "one_hot");
        section_must_open(&s, keys);
        assert_int_equal(
            dl_symbols_check(&(dl_symbols){&s.data.dataset[DL_TRAIN], &s.data.schema}, "c", &error),
            0);
        uint16_t *symbols =
            dl_symbols_read(&(dl_symbols){&s.data.dataset[DL_TRAIN], &s.data.schema}, text,
                            "--prompt", &count, &error);
        assert_non_null(symbols);
        assert_int_equal(count, i % 2 ? 18 : 12);
        for (int64_t k = 0; k < count; k++)
            end += dl_symbols_write(&(dl_symbols){&s.data.dataset[DL_TRAIN], &s.data.schema},
                                    symbols[k], k == 0, end);
        assert_int_equal(end - again, sizeof text - 1);
        assert_memory_equal(again, text, sizeof text - 1);
        int size = (int)dl_shape_size(s.data.schema.input);
        float *x = xcalloc((size_t)size, sizeof *x), *y = xcalloc((size_t)size, sizeof *y);
        dl_symbols_encode(&(dl_symbols){&s.data.dataset[DL_TRAIN], &s.data.schema}, symbols + 3, 3,
                          x);
        dl_normalize(&s.data.input, x, 1, size);
        s.data.dataset[DL_TRAIN].type->read(&s.data.dataset[DL_TRAIN], 1, y, NULL, &error);
        dl_normalize(&s.data.input, y, 1, size);
        assert_memory_equal(x, y, sizeof *x * (size_t)size);
        dl_symbols_encode(&(dl_symbols){&s.data.dataset[DL_TRAIN], &s.data.schema}, symbols + 3, 1,
                          x);
        dl_normalize(&s.data.input, x, 1, size);
        assert_memory_equal(x, y, sizeof *x * (size_t)(size / 3));
        assert_memory_not_equal(x, y, sizeof *x * (size_t)size);
        assert_null(dl_symbols_read(&(dl_symbols){&s.data.dataset[DL_TRAIN], &s.data.schema}, "A?",
                                    "--prompt", &count, &error));
        assert_string_equal(dl_text_get(&error.text),
                            "--prompt: \"?\" does not occur in the training text");
        dl_error_clear(&error);
        free(symbols);
        free(x);
        free(y);
        /* what a strange checkpoint may say */
        s.data.schema.outputs = 1;
        assert_int_equal(
            dl_symbols_check(&(dl_symbols){&s.data.dataset[DL_TRAIN], &s.data.schema}, "c", &error),
            -1);
        assert_int_equal(error.code, DL_DATA);
        dl_error_clear(&error);
        section_free(&s);
    }
}

/* Words, the vocabulary of the frequent ones, and the unknown rest, in another text, too. */
static void test_words(void **state) {
    (void)state;
    section s, o;
    char x[64], y[64];
    const char *keys = "format = \"text\"; train = { file = \"a.txt\"; }; unit = \"word\"; "
                       "length = 3; encoding = \"number\"; lower_case = true; most_words = 6;";
    save_text("a.txt", "The cat's here. The cat's THERE;\n\xc3\x84ra \xc3\xa4ra, here. the 'end'");
    /* the cat's here . the cat's there ; ära ära , here . the ' end ' */
    assert_int_equal(section_open_set(&s, keys, NULL), 0);
    const dl_schema *schema = &s.set->schema;
    static const char *const names[] = {"<unknown>", "'",   ".",         "cat's",
                                        "here",      "the", "\xc3\xa4ra"};
    assert_int_equal(schema->classes, 7);
    for (int c = 0; c < 7; c++)
        assert_string_equal(schema->class_names[c], names[c]);
    assert_int_equal(s.set->count, 5);
    read_row(&s, 0, x, y);
    assert_string_equal(x, "thecat'shere");
    assert_string_equal(y, "cat'shere.");
    read_row(&s, 2, x, y);
    assert_string_equal(x, "<unknown><unknown>\xc3\xa4ra");
    save_text("a.txt", "Nobody here sees the cat's end");
    assert_int_equal(section_open_set(&o, keys, schema), 0);
    read_row(&o, 0, x, y);
    assert_string_equal(x, "<unknown>here<unknown>");
    assert_string_equal(y, "here<unknown>the");
    section_free(&o);
    section_free(&s);
    save_text("a.txt", "one Two");
    section_refuses(
        "format = \"text\"; train = { file = \"a.txt\"; length = 2; unit = \"word\"; };", DL_DATA,
        "has 2 words, but a sample of length 2 and the next word need 3");
    save_bytes("a.txt", "one \xff", 5);
    section_refuses(
        "format = \"text\"; train = { file = \"a.txt\"; length = 2; unit = \"word\"; };", DL_DATA,
        "a.txt: offset 4: is not UTF-8");
}

static void test_words_written(void **state) {
    (void)state;
    section s;
    dl_error error = {0};
    int64_t count;
    char again[128], *end = again;
    save_text("a.txt", "Aa bb, cc dd ee Aa bb, cc dd ee");
    section_must_open(&s, "format = \"text\"; train = { file = \"a.txt\"; }; unit = \"word\"; "
                          "length = 2; encoding = \"number\";");
    assert_int_equal(
        dl_symbols_check(&(dl_symbols){&s.data.dataset[DL_TRAIN], &s.data.schema}, "c", &error), 0);
    uint16_t *words = dl_symbols_read(&(dl_symbols){&s.data.dataset[DL_TRAIN], &s.data.schema},
                                      " bb,Aa  xx\n", "--prompt", &count, &error);
    assert_int_equal(count, 4);
    for (int64_t k = 0; k < count; k++)
        end += dl_symbols_write(&(dl_symbols){&s.data.dataset[DL_TRAIN], &s.data.schema}, words[k],
                                k == 0, end);
    assert_string_equal(again, "bb , Aa <unknown>");
    free(words);
    assert_null(dl_symbols_read(&(dl_symbols){&s.data.dataset[DL_TRAIN], &s.data.schema}, "bb \xff",
                                "--prompt", &count, &error));
    assert_string_equal(dl_text_get(&error.text), "--prompt: offset 3: is not UTF-8");
    dl_error_clear(&error);
    section_free(&s);
}

static void test_refused(void **state) {
    (void)state;
    section s, o;
    save_text("a.txt", "abcabcabc");
    save_text("b.txt", "abxabcabc");
    save_text("c.txt", "aaaaaaaaa");
    save_bytes("d.txt", "ab\xff", 3);
    section_refuses("format = \"text\"; train = { file = \"no.txt\"; };", DL_DATA,
                    "no.txt: not found");
    section_refuses("format = \"text\"; train = { file = \"a.txt\"; length = 9; };", DL_DATA,
                    "a.txt: has 9 symbols, but a sample of length 9 and the next symbol need 10");
    section_refuses("format = \"text\"; train = { file = \"d.txt\"; length = 1; };", DL_DATA,
                    "d.txt: offset 2: is not UTF-8 (use unit = \"byte\")");
    section_refuses("format = \"text\"; train = { file = \"c.txt\"; length = 2; };", DL_DATA,
                    "have one class, \"a\"");
    section_refuses("format = \"text\"; train = { file = \"a.txt\"; length = 2; };\n"
                    "validation = { file = \"b.txt\"; length = 2; };",
                    DL_DATA, "b.txt: offset 2: \"x\" does not occur in the training text");
    section_refuses("format = \"text\"; train = { file = \"a.txt\"; length = 2; };\n"
                    "validation = { file = \"a.txt\"; length = 3; };",
                    DL_DATA, "c.cfg:3: inputs are 3x3, but in training they are 2x3");
    section_refuses("format = \"text\"; train = { file = \"a.txt\"; length = 2; };\n"
                    "split = \"stratified\"; validation = 0.5;",
                    DL_USAGE, "cannot be \"stratified\": rows have several classes");
    /* what a strange checkpoint may say */
    const char *own = "format = \"text\"; train = { file = \"a.txt\"; length = 2; };";
    assert_int_equal(section_open_set(&s, own, NULL), 0);
    dl_schema strange = dl_schema_copy(&s.set->schema);
    free(strange.class_names[1]);
    strange.class_names[1] = xstrdup("\\x41");
    assert_int_equal(section_open_set(&o, own, &strange), -1);
    SAYS(&o, "\"b\" does not occur");
    section_free(&o);
    strange.outputs = 1;
    assert_int_equal(section_open_set(&o, own, &strange), -1);
    section_free(&o);
    dl_schema_free(&strange);
    section_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples), cmocka_unit_test(test_names),
        cmocka_unit_test(test_parts),   cmocka_unit_test(test_writing),
        cmocka_unit_test(test_words),   cmocka_unit_test(test_words_written),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

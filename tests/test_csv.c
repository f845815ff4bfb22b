/* The csv format: what is understood, and what is refused with its line. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/csv.h"
#include "data/data.h"

static char folder[] = "/tmp/dltrain-csv-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    unlink("t.csv");
    return chdir("/") || rmdir(folder);
}

static void save_bytes(const char *bytes, size_t count) {
    FILE *file = fopen("t.csv", "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static void save(const char *text) {
    save_bytes(text, strlen(text));
}

/* ---- opening ---- */

typedef struct {
    dl_config config;
    dl_data data;
    dl_dataset *set;
    dl_error error;
    int result;
} opened;

/* t.csv as a training part, with further `options` of the config. */
static void open_table(opened *o, const char *options, const dl_schema *like) {
    *o = (opened){.result = 0};
    dl_text text = {0};
    dl_text_add(&text, "data = { format = \"csv\"; train = { file = \"t.csv\"; %s }; };", options);
    assert_int_equal(dl_config_parse(&o->config, "test.cfg", text.data, &o->error), 0);
    if (dl_data_read(&o->data, &o->config, &o->error))
        fail_msg("%s", dl_text_get(&o->error.text));
    dl_text_free(&text);
    o->set = &o->data.dataset[DL_TRAIN];
    o->result = o->set->type->open(o->set, like, &o->error);
    if (o->result) {
        assert_int_equal(o->result, -1);
        assert_int_equal(o->error.code, DL_DATA);
        assert_true(o->error.count > 0);
    } else {
        assert_int_equal(o->error.count, 0);
        assert_true(o->set->count > 0);
    }
}

static void close_table(opened *o) {
    dl_error_clear(&o->error);
    dl_data_free(&o->data);
    dl_config_free(&o->config);
}

static void must_open(opened *o, const char *options, const dl_schema *like) {
    open_table(o, options, like);
    if (o->result)
        fail_msg("%s", dl_text_get(&o->error.text));
}

/* Opening `text` (NULL: the file as it is) fails; the message holds `words`, and `more` (or NULL).
 */
static void refuses(const char *text, const char *options, const dl_schema *like, const char *words,
                    const char *more) {
    opened o;
    if (text)
        save(text);
    open_table(&o, options, like);
    const char *message = dl_text_get(&o.error.text);
    if (!o.result)
        fail_msg("was opened, but: %s", words);
    if (!strstr(message, words) || (more && !strstr(message, more)))
        fail_msg("\"%s\" or \"%s\" is not in: %s", words, more ? more : "", message);
    close_table(&o);
}

/* Row i is `expected` (inputs, then the target). */
static void check_row(const opened *o, int64_t i, const double *expected, int count) {
    float x[64], y;
    dl_error error = {0};
    assert_int_equal(dl_shape_size(o->set->schema.input), count - 1);
    assert_int_equal(o->set->type->read(o->set, i, x, &y, &error), 0);
    for (int k = 0; k < count - 1; k++)
        if (x[k] != (float)expected[k])
            fail_msg("row %d, input %d is %.9g, not %.9g", (int)i, k, (double)x[k], expected[k]);
    if (y != (float)expected[count - 1])
        fail_msg("row %d: target %.9g, not %.9g", (int)i, (double)y, expected[count - 1]);
}

#define ROW(o, i, ...)                                                                             \
    check_row(o, i, (const double[]){__VA_ARGS__},                                                 \
              (int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))

/* ---- numbers ---- */

static void test_numbers(void **state) {
    (void)state;
    static const char *const numbers[] = {
        "0",
        "-0",
        "+1",
        "1.",
        ".5",
        "-.5e1",
        "1e5",
        "1E+05",
        "123456789012345678901234567890",
        "0.1",
        "0.3",
        "1e22",
        "1e23",
        "1e-22",
        "1e-23",
        "9007199254740993",
        "9007199254740992",
        "3.4028234e38",
        "1.17549435e-38",
        "1e-400",
        "0.000000000000000000000000000000000123",
        "2.2250738585072011e-308",
        "00000000000000000000000000000000012.5",
        "4.35",
        "123456.789e3",
        "0.000e99999999999",
        "1e-99999999999",
        "179769313486231570814527423731704356798070e-5",
    };
    static const char *const texts[] = {"",     "-",   "+",   ".",   "e5",  "1e",    "1e+",
                                        "1.5x", "0x1", "1 2", "1,5", "--1", "1.2.3", "1e5.",
                                        "NaN",  "abc", "-e",  "+-1", "1d5", "inf1",  "Infx"};
    static const char *const infinite[] = {"inf", "-inf", "+Infinity", "INF", "1e39", "-1e400"};
    double value;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (dl_csv_number(numbers[i], &value) != DL_CSV_NUMBER)
            fail_msg("%s is a number", numbers[i]);
        double wanted = strtod(numbers[i], NULL);
        if (memcmp(&value, &wanted, sizeof value) != 0)
            fail_msg("%s is %.17g, not %.17g", numbers[i], wanted, value);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (dl_csv_number(texts[i], &value) != DL_CSV_TEXT)
            fail_msg("%s is no number", texts[i]);
    for (size_t i = 0; i < sizeof infinite / sizeof *infinite; i++)
        if (dl_csv_number(infinite[i], &value) != DL_CSV_INFINITE)
            fail_msg("%s is infinite", infinite[i]);
}

static void test_random_numbers(void **state) {
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 200000; i++) {
        char text[64];
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        int places = (int)(random >> 8 & 15), power = (int)(random >> 12 & 31) - 16;
        double mantissa = (double)(int64_t)(random >> 14) / 1e9, value = 0;
        if (random & 1)
            snprintf(text, sizeof text, "%.*f", places, mantissa);
        else
            snprintf(text, sizeof text, "%.*fe%d", places, mantissa, power);
        assert_int_equal(dl_csv_number(text, &value), DL_CSV_NUMBER);
        if (value != strtod(text, NULL))
            fail_msg("%s became %.17g", text, value);
    }
}

static void test_missing_words(void **state) {
    (void)state;
    static const char *const yes[] = {"", "NA", "?", "nan", "NaN", "NAN"};
    static const char *const no[] = {"na", "N", "??", "nano", "0", "NAA", "-"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(dl_csv_missing(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(dl_csv_missing(no[i]));
}

/* ---- records ---- */

/* The records of the file, each as "line:field|field;". */
static void check_records(char delimiter, const char *expected) {
    dl_csv_reader csv;
    dl_error error = {0};
    dl_text seen = {0};
    assert_int_equal(dl_csv_open(&csv, "t.csv", delimiter, &error), 0);
    int got;
    while ((got = dl_csv_next(&csv, &error)) > 0) {
        dl_text_add(&seen, "%d:", (int)csv.line);
        for (int i = 0; i < csv.fields; i++)
            dl_text_add(&seen, "%s%s", i ? "|" : "", csv.field[i]);
        dl_text_add(&seen, ";");
    }
    if (got < 0)
        fail_msg("%s", dl_text_get(&error.text));
    assert_string_equal(dl_text_get(&seen), expected);
    dl_text_free(&seen);
    dl_csv_close(&csv);
}

static void test_records(void **state) {
    (void)state;
    static const struct {
        const char *text;
        char delimiter;
        const char *records;
    } cases[] = {
        {"a,b\n1,2\n", ',', "1:a|b;2:1|2;"},
        {"a,b\r\n1,2\r\n", ',', "1:a|b;2:1|2;"},
        {"a,b\n1,2", ',', "1:a|b;2:1|2;"},
        {"a,b\r\n1,2\r", ',', "1:a|b;2:1|2;"},
        {"\xef\xbb\xbf"
         "a,b\n1,2\n",
         ',', "1:a|b;2:1|2;"},
        {"\xef\xbb\xbf\"a\",b\n", ',', "1:a|b;"},
        {"\n\na,b\n\r\n  \n1,2\n\n", ',', "3:a|b;6:1|2;"},
        {"\"a,b\",c\n", ',', "1:a,b|c;"},
        {"\"a\nb\",c\nd,e\n", ',', "1:a\nb|c;3:d|e;"},
        {"\"a\r\n\r\nb\",c\r\nd,e\n", ',', "1:a\r\n\r\nb|c;4:d|e;"},
        {"\"say \"\"hi\"\"\",\"\"\"\"\n", ',', "1:say \"hi\"|\";"},
        {"\"\",\"\"\n", ',', "1:|;"},
        {" a , b\t,\" c \" ,d\n", ',', "1:a|b| c |d;"},
        {"5\" disk,it's \"ok\"\nx,y\n", ',', "1:5\" disk|it's \"ok\";2:x|y;"},
        {",\n,,\n", ',', "1:|;2:||;"},
        {"a;b,c;\"d;e\"\n", ';', "1:a|b,c|d;e;"},
        {"a\tb c\t\n", '\t', "1:a|b c|;"},
        {"\t\t\n", '\t', "1:||;"},
        {"a\n\"b\"\n", ',', "1:a;2:b;"},
        {"\"last\"", ',', "1:last;"},
        {"\"a\"\"\n\"\"b\"\n", ',', "1:a\"\n\"b;"},
        {"", ',', ""},
        {"\n\n", ',', ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        save(cases[i].text);
        check_records(cases[i].delimiter, cases[i].records);
        gzFile file = gzopen("t.csv", "wb");
        gzwrite(file, cases[i].text, (unsigned)strlen(cases[i].text));
        gzclose(file);
        check_records(cases[i].delimiter, cases[i].records);
    }
}

/* Records that lie across the buffer's end, longer than the buffer, quoted or not. */
static void test_long_records(void **state) {
    (void)state;
    for (int quoted = 0; quoted < 2; quoted++) {
        FILE *file = fopen("t.csv", "wb");
        size_t sizes[] = {10, 262140, 5, 262144, 1, 700000, 3, 262143, 262145, 100};
        for (size_t i = 0; i < 10; i++) {
            fputs(quoted ? "\"" : "", file);
            for (size_t k = 0; k < sizes[i]; k++)
                fputs(quoted && k % 7 == 3 ? "\"\"" : quoted && k % 7 == 4 ? "\n" : "x", file);
            fprintf(file, "%s,%d\n", quoted ? "\"" : "", (int)i);
        }
        fclose(file);
        dl_csv_reader csv;
        dl_error error = {0};
        assert_int_equal(dl_csv_open(&csv, "t.csv", ',', &error), 0);
        int64_t line = 1;
        for (size_t i = 0; i < 10; i++) {
            assert_int_equal(dl_csv_next(&csv, &error), 1);
            assert_int_equal(csv.fields, 2);
            assert_int_equal(strlen(csv.field[0]), sizes[i]);
            assert_int_equal(atoi(csv.field[1]), i);
            assert_int_equal(csv.line, line);
            line++;
            for (size_t k = 0; k < sizes[i]; k++) {
                char wanted = quoted && k % 7 == 3 ? '"' : quoted && k % 7 == 4 ? '\n' : 'x';
                assert_true(csv.field[0][k] == wanted);
                line += wanted == '\n';
            }
        }
        assert_int_equal(dl_csv_next(&csv, &error), 0);
        dl_csv_close(&csv);
    }
}

/* ---- columns ---- */

static void test_numbers_and_classes(void **state) {
    (void)state;
    opened o;
    save("a,b,kind\n1,2.5,dog\n-3,1e2,cat\n0,.5,dog\n");
    must_open(&o, "", NULL);
    const dl_schema *schema = &o.set->schema;
    assert_int_equal(o.set->count, 3);
    assert_int_equal(schema->input.rank, 1);
    assert_int_equal(schema->classes, 2);
    assert_int_equal(schema->outputs, 1);
    assert_string_equal(schema->class_names[0], "cat");
    assert_string_equal(schema->class_names[1], "dog");
    assert_string_equal(schema->target_name, "kind");
    assert_int_equal(schema->columns, 2);
    assert_string_equal(schema->column[1].name, "b");
    assert_int_equal(schema->column[1].categories, 0);
    assert_true(fabs(schema->column[0].mean + 2.0 / 3) < 1e-12);
    assert_false(o.set->bytes);
    ROW(&o, 0, 1, 2.5, 1);
    ROW(&o, 1, -3, 100, 0);
    ROW(&o, 2, 0, 0.5, 1);
    close_table(&o);
}

static void test_one_hot(void **state) {
    (void)state;
    opened o;
    save("doors,size,y\n5more,big,0.5\n2,small,1.5\n4,big,2\n2,\"a, \"\"b\"\"\",3\n");
    must_open(&o, "", NULL);
    const dl_schema *schema = &o.set->schema;
    assert_int_equal(schema->classes, 0);
    assert_int_equal(schema->column[0].categories, 3); /* 2 4 5more */
    assert_int_equal(schema->column[1].categories, 3); /* a, "b"; big; small */
    assert_string_equal(schema->column[0].category[2], "5more");
    assert_string_equal(schema->column[1].category[0], "a, \"b\"");
    ROW(&o, 0, 0, 0, 1, 0, 1, 0, 0.5);
    ROW(&o, 1, 1, 0, 0, 0, 0, 1, 1.5);
    ROW(&o, 2, 0, 1, 0, 0, 1, 0, 2);
    ROW(&o, 3, 1, 0, 0, 1, 0, 0, 3);
    close_table(&o);
}

static void test_target(void **state) {
    (void)state;
    static const struct {
        const char *options, *name;
        double first;
    } cases[] = {
        {"", "c", 3.5},
        {"target = \"a\";", "a", 1.5},
        {"target = \"2\";", "b", 2.5},
        {"target = 2;", "b", 2.5},
        {"ignore = (\"c\");", "b", 2.5},
        {"target = \"c\"; ignore = (\"1\");", "c", 3.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        opened o;
        save("a,b,c\n1.5,2.5,3.5\n4,5,6\n");
        must_open(&o, cases[i].options, NULL);
        float y;
        assert_string_equal(o.set->schema.target_name, cases[i].name);
        assert_int_equal(o.set->type->read(o.set, 0, NULL, &y, &o.error), 0);
        assert_true(y == (float)cases[i].first);
        close_table(&o);
    }
    refuses(NULL, "target = \"d\";", NULL, "test.cfg:1: target: t.csv has no column \"d\"", NULL);
    refuses(NULL, "target = 4;", NULL, "no column \"4\"", "(it has 3)");
    refuses(NULL, "target = 0;", NULL, "no column \"0\"", NULL);
    refuses(NULL, "ignore = (\"x\", \"z\");", NULL, "ignore: t.csv has no column \"x\"", "\"z\"");
    refuses(NULL, "categorical = (\"9\");", NULL, "categorical: t.csv has no column \"9\"", NULL);
    refuses(NULL, "target = \"a\"; ignore = (\"a\");", NULL, "must not be ignored", NULL);
    refuses(NULL, "ignore = (\"a\", \"b\");", NULL, "no column beside the target", NULL);
    refuses(NULL, "delimiter = \";\";", NULL, "no column beside the target", "delimiter");
    refuses("length,width,species\n1,2,x\n", "target = \"specis\";", NULL,
            "(did you mean \"species\"?)", NULL);
}

static void test_task(void **state) {
    (void)state;
    opened o;
    save("x,y\n1,0\n2,1.0\n3,10\n4,9\n");
    must_open(&o, "", NULL);
    assert_int_equal(o.set->schema.classes, 4);
    assert_string_equal(o.set->schema.class_names[1], "1");
    assert_string_equal(o.set->schema.class_names[3], "10"); /* as numbers, not as words */
    ROW(&o, 1, 2, 1);
    ROW(&o, 2, 3, 3);
    close_table(&o);
    must_open(&o, "task = \"regression\";", NULL);
    assert_int_equal(o.set->schema.classes, 0);
    ROW(&o, 2, 3, 10);
    close_table(&o);
    save("x,y\n1,0.5\n2,1\n3,0.5\n");
    must_open(&o, "", NULL);
    assert_int_equal(o.set->schema.classes, 0);
    close_table(&o);
    must_open(&o, "task = \"classification\";", NULL);
    assert_int_equal(o.set->schema.classes, 2);
    close_table(&o);
    must_open(&o, "categorical = (\"y\");", NULL);
    assert_int_equal(o.set->schema.classes, 2);
    close_table(&o);
    for (int most = 20; most <= 21; most++) { /* 20 whole numbers are classes, 21 are not */
        dl_text text = {0};
        dl_text_add(&text, "x,y\n");
        for (int i = 0; i < 200; i++)
            dl_text_add(&text, "%d,%d\n", i, i % most);
        save(text.data);
        dl_text_free(&text);
        must_open(&o, "", NULL);
        assert_int_equal(o.set->schema.classes, most == 20 ? 20 : 0);
        close_table(&o);
    }
    refuses("x,y\n1,a\n2,b\n3,5\n", "task = \"regression\";", NULL,
            "t.csv:2: column \"y\": \"a\" is not a number", "regression");
}

static void test_categorical(void **state) {
    (void)state;
    opened o;
    save("zip,x,y\n10,1,0\n9,2,1\n9,3,1\n");
    must_open(&o, "categorical = (\"zip\", \"2\");", NULL);
    assert_int_equal(o.set->schema.column[0].categories, 2);
    assert_string_equal(o.set->schema.column[0].category[0], "9");
    assert_int_equal(o.set->schema.column[1].categories, 3);
    ROW(&o, 0, 0, 1, 1, 0, 0, 0);
    close_table(&o);
}

static void test_without_header(void **state) {
    (void)state;
    opened o;
    save("1,x,5.5\n2,y,6.5\n");
    must_open(&o, "header = false;", NULL);
    assert_int_equal(o.set->count, 2);
    assert_string_equal(o.set->schema.column[1].name, "2");
    assert_string_equal(o.set->schema.target_name, "3");
    ROW(&o, 0, 1, 1, 0, 5.5);
    close_table(&o);
    refuses(NULL, "header = false; target = \"y\";", NULL, "no column \"y\"", "1 to 3");
    save("a,,c\n1,2,3\n4,5,6\n"); /* a column without a name is called by its number */
    must_open(&o, "", NULL);
    assert_string_equal(o.set->schema.column[1].name, "2");
    close_table(&o);
}

static void test_delimiters(void **state) {
    (void)state;
    static const char *const options[] = {"delimiter = \";\";", "delimiter = \"tab\";",
                                          "delimiter = \"\\t\";", "delimiter = \"\\\\t\";",
                                          "delimiter = \" \";"};
    static const char *const texts[] = {"a;b\n1,5;2\n", "a\tb\n1\t2\n", "a\tb\n1\t2\n",
                                        "a\tb\n1\t2\n", "a b\n1 2\n"};
    for (int i = 0; i < 5; i++) {
        opened o;
        save(texts[i]);
        must_open(&o, options[i], NULL);
        assert_int_equal(o.set->schema.columns, 1);
        assert_string_equal(o.set->schema.target_name, "b");
        close_table(&o);
    }
    refuses("a,b\n1,2\n", "delimiter = \"\";", NULL, "test.cfg:1: delimiter", "one character");
    refuses("a,b\n1,2\n", "delimiter = \"::\";", NULL, "delimiter", "\"::\"");
    refuses("a,b\n1,2\n", "delimiter = \"\\\"\";", NULL, "delimiter", NULL);
}

/* ---- missing values ---- */

static void test_missing(void **state) {
    (void)state;
    static const char text[] = "a,c,y\n1,u,0\n,v,1\n3,?,0\nNaN,u,1\n8,v,NA\n";
    opened o;
    refuses(text, "", NULL, "t.csv:3: column \"a\": the value is missing, and in 1 more rows",
            "drop_row");
    refuses(text, "", NULL, "t.csv:4: column \"c\": the value is missing;", NULL);
    refuses(text, "missing = \"mean\";", NULL, "t.csv:6: column \"y\": the value is missing",
            "only missing = \"drop_row\"");
    must_open(&o, "missing = \"drop_row\";", NULL);
    assert_int_equal(o.set->count, 1);
    assert_int_equal(o.set->schema.classes, 1); /* what is only in rows left out does not count */
    assert_int_equal(o.set->schema.column[1].categories, 1);
    close_table(&o);
}

static void test_missing_mean(void **state) {
    (void)state;
    opened o;
    save("a,c,y\n1,u,0.5\n,v,1\n3,?,0\nNaN,u,1\n8,v,2\n");
    must_open(&o, "missing = \"mean\";", NULL);
    assert_int_equal(o.set->count, 5);
    assert_true(o.set->schema.column[0].mean == 4);
    ROW(&o, 1, 4, 0, 1, 1);
    ROW(&o, 2, 3, 0, 0, 0);
    ROW(&o, 3, 4, 1, 0, 1);
    dl_schema like = dl_schema_copy(&o.set->schema);
    close_table(&o);
    like.column[0].mean = -7; /* another file's missing values become the training file's mean */
    save("a,c,y\n100,u,1\n,u,1\n");
    must_open(&o, "missing = \"mean\";", &like);
    ROW(&o, 1, -7, 1, 0, 1);
    close_table(&o);
    refuses(NULL, "", &like, "t.csv:3: column \"a\": the value is missing", NULL);
    dl_schema_free(&like);
    refuses("a,b,y\n,1,0\n,2,1\n", "missing = \"mean\";", NULL, "column \"a\" has no values at all",
            NULL);
    refuses("a,y\n,0\n,1\n", "missing = \"drop_row\";", NULL, "no rows without a missing value",
            NULL);
}

/* ---- what must be refused ---- */

static void test_broken_files(void **state) {
    (void)state;
    refuses("", "", NULL, "t.csv: is empty", NULL);
    refuses("\n\n", "", NULL, "t.csv: is empty", NULL);
    refuses("a,b\n", "", NULL, "t.csv: has no rows", NULL);
    refuses("a,b\n1,2\n3\n", "", NULL, "t.csv:3: has 1 field,", "the header has 2");
    refuses("a,b\n1,2\n3,4,5\n", "", NULL, "t.csv:3: has 3 fields", "2");
    refuses("1,2\n3,4,5\n", "header = false;", NULL, "t.csv:2: has 3 fields", "first row has 2");
    refuses("a,b\n\"x\ny\",2\n3\n", "", NULL, "t.csv:4: has 1 field", NULL);
    refuses("a,b\n1,2\n\"3,4\n5,6\n", "", NULL, "t.csv:3: a quote", "never closed");
    refuses("a,b\n1,2\n3,\"4\"x\n", "", NULL, "t.csv:3: field 2 goes on after its closing quote",
            NULL);
    refuses("a,b,a\n1,2,3\n", "", NULL, "t.csv:1: two columns are called \"a\"", "header = false");
    refuses("a,\xff\n1,2\n", "", NULL, "t.csv:1: the name of column 2 is not UTF-8", NULL);
    refuses("a,b\nx,1\nM\xfcller,2\n", "", NULL, "t.csv:3: column \"a\": the text is not UTF-8",
            NULL);
    save_bytes("a,b\n1,\0\n", 8);
    refuses(NULL, "", NULL, "t.csv:2: there is a NUL byte", NULL);
    save_bytes("\xff\xfe"
               "a\0,\0b\0\n\0",
               10);
    refuses(NULL, "", NULL, "t.csv:1: there is a NUL byte", "UTF-16");
    unlink("t.csv");
    refuses(NULL, "", NULL, "test.cfg:1: t.csv: not found", NULL);
}

static void test_bad_numbers(void **state) {
    (void)state;
    static const char *const first = "age,b,y\n1,1,1.5\n2,2,2\n3,3,3\n4,4,4\n5,5,5\n6,6,6\n7,7,7\n"
                                     "8,8,8\n9,9,9\n";
    dl_text text = {0};
    dl_text_add(&text, "%s12a,1,1\n", first);
    refuses(text.data, "", NULL, "t.csv:11: column \"age\": \"12a\" is not a number",
            "`categorical`");
    opened o;
    must_open(&o, "categorical = (\"age\");", NULL);
    assert_int_equal(o.set->schema.column[0].categories, 10);
    close_table(&o);
    dl_text_free(&text);
    dl_text_add(&text, "%s1,\"1\n2\",1\n3,3,x\n", first);
    refuses(text.data, "", NULL, "t.csv:11: column \"b\": \"1 2\" is not a number",
            "t.csv:13: column \"y\": \"x\" is not a number");
    dl_text_free(&text);
    dl_text_add(&text, "%s1,-inf,1\n3,3,1e39\n", first);
    refuses(text.data, "", NULL, "t.csv:11: column \"b\": -inf is not a finite number",
            "t.csv:12: column \"y\": 1e39 is not a finite number");
    dl_text_free(&text);
    refuses(first, "header = false;", NULL, "t.csv:1: column \"1\": \"age\" is not a number",
            "first line a header?");
}

static void test_identifiers(void **state) {
    (void)state;
    opened o;
    for (int rows = 50; rows <= 51; rows++) { /* up to 50 rows may all differ */
        dl_text text = {0};
        dl_text_add(&text, "id,x,y\n");
        for (int i = 0; i < rows; i++)
            dl_text_add(&text, "n%d,%d,%d\n", i, i, i % 2);
        save(text.data);
        dl_text_free(&text);
        if (rows == 51)
            refuses(NULL, "", NULL, "column \"id\" has another value in each row", "`ignore`");
        else
            must_open(&o, "", NULL);
        if (rows == 50)
            close_table(&o);
    }
    for (int different = 1000; different <= 1001; different++) {
        FILE *file = fopen("t.csv", "w");
        fputs("x,id,y\n", file);
        for (int i = 0; i < 3000; i++)
            fprintf(file, "1,n%d,%d\n", i % different, i % 2);
        fclose(file);
        if (different == 1001)
            refuses(NULL, "", NULL, "column \"id\" has more than 1000 different values",
                    "`ignore`");
        else
            must_open(&o, "", NULL);
        if (different == 1000) {
            assert_int_equal(o.set->schema.column[1].categories, 1000);
            assert_int_equal(dl_shape_size(o.set->schema.input), 1001);
            close_table(&o);
        }
    }
    must_open(&o, "ignore = (\"id\");", NULL);
    assert_int_equal(o.set->schema.columns, 1);
    close_table(&o);
}

/* Nothing that is cut off is read as if it were whole, and nothing crashes. */
static void test_cut_gzip(void **state) {
    (void)state;
    gzFile gzip = gzopen("t.csv", "wb");
    gzputs(gzip, "a,b\n1,2\n3,4\n");
    gzclose(gzip);
    char bytes[128];
    FILE *file = fopen("t.csv", "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t cut = 0; cut < size; cut++) {
        save_bytes(bytes, cut);
        refuses(NULL, "", NULL, "t.csv", NULL);
    }
}

/* ---- agreeing with the training file ---- */

static dl_schema trained(const char *text, const char *options) {
    opened o;
    save(text);
    must_open(&o, options, NULL);
    dl_schema schema = dl_schema_copy(&o.set->schema);
    close_table(&o);
    return schema;
}

static void test_like_by_name(void **state) {
    (void)state;
    opened o;
    dl_schema like = trained("a,size,n,y\n1,big,3,no\n2,small,4,yes\n", "");
    save("y,extra,n,size,a\nyes,zzz,30,big,10\nno,,40,small,20\n");
    must_open(&o, "", &like);
    assert_int_equal(o.set->schema.classes, 2);
    assert_string_equal(o.set->schema.column[1].category[1], "small");
    ROW(&o, 0, 10, 1, 0, 30, 1);
    ROW(&o, 1, 20, 0, 1, 40, 0);
    close_table(&o);
    refuses("a,size,y\n1,big,no\n", "", &like, "t.csv:1: has no column \"n\"", NULL);
    refuses("a,size,n,z\n1,big,3,no\n", "", &like, "t.csv:1: has no column \"y\"", "its target");
    refuses("a,sizes,y\n1,big,no\n", "", &like, "\"size\"", "\"n\"");
    refuses("a,size,n,y\n1,big,3,no\n1,bih,3,no\n", "", &like,
            "t.csv:3: column \"size\": the training data has no category \"bih\"",
            "(did you mean \"big\"?)");
    refuses("a,size,n,y\n1,big,3,maybe\n1,small,x,no\n", "", &like,
            "t.csv:2: column \"y\": the training data has no class \"maybe\"",
            "t.csv:3: column \"n\": \"x\" is not a number");
    refuses("a,size,n,y\n1,big,inf,no\n", "", &like, "t.csv:2: column \"n\": \"inf\"", "finite");
    refuses("a,size,n,y\n1,big\n", "", &like, "t.csv:2: has 2 fields", NULL);
    dl_schema_free(&like);
}

static void test_like_by_position(void **state) {
    (void)state;
    opened o;
    dl_schema like = trained("a,b,y\n1,3,no\n2,4,yes\n", "");
    save("5,6,yes\n");
    must_open(&o, "header = false;", &like);
    ROW(&o, 0, 5, 6, 1);
    close_table(&o);
    save("yes,5,0,6\n");
    must_open(&o, "header = false; target = 1; ignore = (\"3\");", &like);
    ROW(&o, 0, 5, 6, 1);
    close_table(&o);
    refuses("5,yes\n", "header = false;", &like, "has 1 columns that are inputs", "has 2");
    dl_schema_free(&like);
}

static void test_like_numbers_as_names(void **state) {
    (void)state;
    opened o;
    dl_schema like = trained("a,y\n1,0\n2,1\n", "");
    save("a,y\n5,1.0\n6,+0\n");
    must_open(&o, "", &like);
    ROW(&o, 0, 5, 1);
    ROW(&o, 1, 6, 0);
    close_table(&o);
    refuses("a,y\n5,2\n", "", &like, "t.csv:2: column \"y\": the training data has no class \"2\"",
            NULL);
    dl_schema_free(&like);
}

static void test_like_of_a_damaged_checkpoint(void **state) {
    (void)state;
    dl_schema like = trained("a,b,y\n1,3,no\n2,4,yes\n", "");
    free(like.column[1].name);
    like.column[1].name = xstrdup("a");
    refuses("a,b,y\n1,3,no\n", "", &like, "\"a\" cannot stand for two", NULL);
    dl_schema_free(&like);
    dl_schema images = {.input = dl_shape3(2, 2, 1), .classes = 2, .outputs = 1};
    refuses(NULL, "", &images, "training data was none", NULL);
}

/* ---- real data ---- */

static void open_real(opened *o, const char *name) {
    *o = (opened){.result = 0};
    char *path = dl_path_find_data(name);
    if (!path)
        skip();
    free(path);
    dl_text text = {0};
    dl_text_add(&text, "data = { format = \"csv\"; train = { file = \"%s\"; }; };", name);
    assert_int_equal(dl_config_parse(&o->config, "test.cfg", text.data, &o->error), 0);
    assert_int_equal(dl_data_read(&o->data, &o->config, &o->error), 0);
    dl_text_free(&text);
    if (dl_data_open(&o->data, &o->error))
        fail_msg("%s", dl_text_get(&o->error.text));
    o->set = &o->data.dataset[DL_TRAIN];
}

static void test_concrete(void **state) {
    (void)state;
    static const double means[] = {281.17, 73.90, 54.19, 181.57, 6.20, 972.92, 773.58, 45.66};
    opened o;
    open_real(&o, "concrete/concrete.csv");
    assert_int_equal(o.set->count, 1030);
    assert_int_equal(o.set->schema.classes, 0);
    assert_int_equal(o.set->schema.columns, 8);
    for (int i = 0; i < 8; i++)
        assert_true(fabs(o.set->schema.column[i].mean - means[i]) < 0.00501);
    close_table(&o);
}

static void test_car(void **state) {
    (void)state;
    static const int64_t counts[] = {384, 69, 1210, 65}; /* acc good unacc vgood */
    opened o;
    open_real(&o, "car/car.csv");
    assert_int_equal(o.set->count, 1728);
    assert_int_equal(dl_shape_size(o.set->schema.input), 21);
    for (int c = 0; c < 4; c++)
        assert_int_equal(o.data.part[DL_TRAIN].class_count[c], counts[c]);
    close_table(&o);
}

static void test_iris(void **state) {
    (void)state;
    static const double means[] = {5.843, 3.057, 3.758, 1.199};
    opened o;
    open_real(&o, "iris/iris.csv");
    assert_int_equal(o.set->count, 150);
    assert_int_equal(o.set->schema.classes, 3);
    assert_string_equal(o.set->schema.class_names[1], "versicolor");
    for (int c = 0; c < 3; c++)
        assert_int_equal(o.data.part[DL_TRAIN].class_count[c], 50);
    for (int i = 0; i < 4; i++)
        assert_true(fabs(o.set->schema.column[i].mean - means[i]) < 0.000501);
    ROW(&o, 0, 5.1, 3.5, 1.4, 0.2, 0);
    close_table(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_random_numbers),
        cmocka_unit_test(test_missing_words),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_long_records),
        cmocka_unit_test(test_numbers_and_classes),
        cmocka_unit_test(test_one_hot),
        cmocka_unit_test(test_target),
        cmocka_unit_test(test_task),
        cmocka_unit_test(test_categorical),
        cmocka_unit_test(test_without_header),
        cmocka_unit_test(test_delimiters),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_missing_mean),
        cmocka_unit_test(test_broken_files),
        cmocka_unit_test(test_bad_numbers),
        cmocka_unit_test(test_identifiers),
        cmocka_unit_test(test_cut_gzip),
        cmocka_unit_test(test_like_by_name),
        cmocka_unit_test(test_like_by_position),
        cmocka_unit_test(test_like_numbers_as_names),
        cmocka_unit_test(test_like_of_a_damaged_checkpoint),
        cmocka_unit_test(test_concrete),
        cmocka_unit_test(test_car),
        cmocka_unit_test(test_iris),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

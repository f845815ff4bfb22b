/* SPDX-License-Identifier: MIT */
/* The csv format, from bytes to records and from fields to numbers. */
#include "data_harness.h"

#include "formats/csv.h"

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

/* Numbers of 16 to 19 digits, as programs write doubles in full: to the last bit those of strtod.
 */
static void test_long_numbers(void **state) {
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 400000; i++) {
        char digits[32], text[64];
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        int length = 16 + (int)(random & 3), point = (int)(random >> 2 & 15);
        snprintf(digits, sizeof digits, "%019llu", (unsigned long long)(random >> 1));
        snprintf(text, sizeof text, "-%.*s.%.*se%d", point, digits, length - point, digits + point,
                 (int)(random >> 6 & 31) - 16);
        double value = 0;
        assert_int_equal(dl_csv_number(text, &value), DL_CSV_NUMBER);
        if (value != strtod(text, NULL))
            fail_msg("%s became %.17g", text, value);
    }
}

static void test_missing_words(void **state) {
    (void)state;
    static const char *const missing[] = {"", "?", "nan", "NaN", "NAN", "-nan"};
    static const char *const markers[] = {
        "NA", "na",   "N/A", "#N/A", "NULL", "null", "None",   "nil",     "-",       ".",
        "--", "<NA>", "\\N", "n.a.", "NaT",  "nil",  "(null)", "Missing", "unknown", "#DIV/0!"};
    static const char *const present[] = {"N", "??", "nano",  "0",     "NAA", "-1", ".5", "no",
                                          "m", "-x", "none.", "nullx", "A",   "1-", "..."};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        assert_int_equal(dl_csv_missing(missing[i]), DL_CSV_MISSING);
    for (size_t i = 0; i < sizeof markers / sizeof *markers; i++)
        assert_int_equal(dl_csv_missing(markers[i]), DL_CSV_MARKER);
    for (size_t i = 0; i < sizeof present / sizeof *present; i++)
        assert_int_equal(dl_csv_missing(present[i]), DL_CSV_PRESENT);
}

/* Numbers as people write them, by a decimal point and by a decimal comma; NAN: not a number. */
static void test_written(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double point, comma;
    } cases[] = {
        {"1,234", 1234, 1.234},
        {"1.234", 1.234, 1234},
        {"1,234,567", 1234567, NAN},
        {"1.234.567", NAN, 1234567},
        {"1,234.5", 1234.5, NAN},
        {"-1.234,5", NAN, -1234.5},
        {"1 234", 1234, 1234},
        {"1 234,5", NAN, 1234.5},
        {"1\xc2\xa0"
         "234\xc2\xa0"
         "567.5",
         1234567.5, NAN},
        {"1\xe2\x80\xaf"
         "234",
         1234, 1234},
        {"1'234.5", 1234.5, NAN},
        {"12,34,567", 1234567, NAN},
        {"0,5", NAN, 0.5},
        {"0,125", NAN, 0.125},
        {",5", NAN, 0.5},
        {"1,5e3", NAN, 1500},
        {"1.5D+03", 1500, NAN},
        {"12,34", NAN, 12.34},
        {"1234,567", NAN, 1234.567},
        {"12 %", 12, 12},
        {"12.5%", 12.5, NAN},
        {"$1,200.50", 1200.5, NAN},
        {"-$5", -5, -5},
        {"$-5", -5, -5},
        {"\xe2\x82\xac 5", 5, 5},
        {"1.200,50 \xe2\x82\xac", NAN, 1200.5},
        {"5 EUR", 5, 5},
        {"(5.5)", -5.5, NAN},
        {" 7 ", 7, 7},
        {"\xe2\x88\x92"
         "3",
         -3, -3},
        {"0x1F", 31, 31},
        {"1,2,3", NAN, NAN},
        {"12,3456", NAN, 12.3456},
        {"1,23,45", NAN, NAN},
        {"1 2", NAN, NAN},
        {"5 kg", NAN, NAN},
        {"$", NAN, NAN},
        {"%", NAN, NAN},
        {"(5", NAN, NAN},
        {"(-5)", NAN, NAN},
        {"+-5", NAN, NAN},
        {"5%%", NAN, NAN},
        {"0x", NAN, NAN},
        {"0xg", NAN, NAN},
        {"0x0x1", NAN, NAN},
        {"0x 1", NAN, NAN},
        {"1.234.56", NAN, NAN},
        {"2020-01-02", NAN, NAN},
        {"12:30", NAN, NAN},
        {"1,234 567", NAN, NAN},
        {"", NAN, NAN},
        {"0000000000000000000000000000000000000000000000000000000000000000000001,5", NAN, NAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int comma = 0; comma < 2; comma++) {
            double wanted = comma ? cases[i].comma : cases[i].point, value = 0;
            int unit = 0;
            dl_csv_type type = dl_csv_written(cases[i].text, ".,"[comma], &value, &unit);
            if (isnan(wanted) ? type != DL_CSV_TEXT : type != DL_CSV_NUMBER || value != wanted)
                fail_msg("\"%s\" is %g by '%c'", cases[i].text, value, ".,"[comma]);
        }
}

static void test_quote(void **state) {
    (void)state;
    static const char fifty[] = "12345678901234567890123456789012345678901234567890";
    static const struct {
        const char *end, *expected; /* of a field that starts with `fifty` */
    } cases[] = {
        {"1234567890", "1234567890"},
        {"12345678901", "1234567890..."},
        {"12345678\xc3\xa9", "12345678\xc3\xa9"}, /* characters are not cut in two */
        {"123456789\xc3\xa9", "123456789..."},
        {"12345678\xe2\x82\xac", "12345678..."},
        {"a\nb\x7f", "a b "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char field[128], out[64];
        snprintf(field, sizeof field, "%s%s", fifty, cases[i].end);
        dl_csv_quote(out, field);
        assert_memory_equal(out, fifty, 50);
        assert_string_equal(out + 50, cases[i].expected);
    }
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
        {"a,b\r1,2\r3,\"4\r5\"\r\r6,7", ',', "1:a|b;2:1|2;3:3|4\r5;6:6|7;"},
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
        save_text("t.csv", cases[i].text);
        check_records(cases[i].delimiter, cases[i].records);
        save_gzip("t.csv", cases[i].text, strlen(cases[i].text));
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quote),          cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_random_numbers), cmocka_unit_test(test_long_numbers),
        cmocka_unit_test(test_written),        cmocka_unit_test(test_missing_words),
        cmocka_unit_test(test_records),        cmocka_unit_test(test_long_records),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}

/* SPDX-License-Identifier: MIT */
/* What the columns of a table have become, and what looks wrong with them, for people. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "formats/csv.h"

enum { FEW_ROWS = 50, MOST_NAMES = 5, MOST_LABELS = 20 };

static void add_name(dl_text *text, const dl_csv_column *column) {
    dl_text_add(text, "\"");
    dl_text_add_plain(text, column->name);
    dl_text_add(text, "\"");
}

static void add_names(dl_text *text, const dl_string_set *names) {
    for (int i = 0; i < names->count && i < MOST_NAMES; i++) {
        char quoted[64];
        dl_text_add(text, i ? ", " : " (");
        dl_text_add_plain(text, dl_csv_quote(quoted, names->name[i]));
    }
    dl_text_add(text, names->count > MOST_NAMES ? ", …)" : ")");
}

/* Of dl_csv_column's least and most. */
static void add_day(dl_text *text, double date) {
    int64_t day = (int64_t)date / 86400;
    dl_text_add(text, "%04lld-%02lld-%02lld", (long long)(day / 10000),
                (long long)(day / 100 % 100), (long long)(day % 100));
}

static void add_merges(dl_text *text, const dl_merge *merge) {
    for (int i = 0; i < merge->count; i++) {
        dl_text_add(text, i ? ", " : "; merged: ");
        for (int k = 0; k < merge->group[i].classes.count; k++) {
            dl_text_add(text, k ? " + " : "");
            dl_text_add_plain(text, merge->group[i].classes.items[k]);
        }
        dl_text_add(text, " = ");
        dl_text_add_plain(text, merge->group[i].into);
    }
}

static void describe(const dl_csv_table *table, int index) {
    const dl_csv_column *c = &table->column[index];
    dl_text *text = &table->dataset->columns;
    add_name(text, c);
    dl_text_add(text, c->target ? ": target, " : index == table->weight ? ": weight, " : ": ");
    if (index == table->group)
        dl_text_add(text, "group");
    else if (c->ignored && index != table->weight)
        dl_text_add(text, "ignored");
    else if (c->date) {
        dl_text_add(text, "date, ");
        add_day(text, c->least);
        dl_text_add(text, " to ");
        add_day(text, c->most);
        dl_text_add(text, "%s: 5 inputs, year, month, day, weekday and seconds",
                    c->order == 'd'   ? ", day first"
                    : c->order == 'm' ? ", month first"
                                      : "");
    } else if (c->categorical && c->target)
        dl_text_add(text, "%d class%s", c->names.count, c->names.count == 1 ? "" : "es");
    else if (c->categorical)
        dl_text_add(text, "%d categor%s", c->names.count, c->names.count == 1 ? "y" : "ies");
    else
        dl_text_add(text, "number, %g to %g%s%s", c->least, c->most,
                    c->decimal == ',' ? ", decimal comma" : "",
                    c->percent.count    ? ", percent"
                    : c->currency.count ? ", currency"
                                        : "");
    if (c->categorical && !c->ignored)
        add_names(text, &c->names);
    if (c->categorical && c->target)
        add_merges(text, &table->dataset->merge);
    if (c->missing.count)
        dl_text_add(text, ", %lld missing", (long long)c->missing.count);
    dl_text_add(text, "\n");
}

/* 2020-01-31, 31/1/2020, 31.01.20 or 12:30, perhaps with more behind it. */
static bool is_date(const char *text) {
    int a, b, c;
    char first, second;
    int got = sscanf(text, "%4d%c%2d%c%4d", &a, &first, &b, &second, &c);
    if (got >= 3 && first == ':')
        return a >= 0 && a < 24 && b >= 0 && b < 60;
    return got == 5 && first == second && strchr("-/.", first) && a > 0 && b > 0 && b <= 31;
}

static bool begins_with_number(const char *text) {
    text += strspn(text, "+-<>=~' ");
    return *text >= '0' && *text <= '9';
}

/* Whether two names differ only in case and blanks at their ends. */
static bool look_alike(const char *a, const char *b) {
    size_t i = strspn(a, " "), j = strspn(b, " "), m = strlen(a), n = strlen(b);
    while (m > i && a[m - 1] == ' ')
        m--;
    while (n > j && b[n - 1] == ' ')
        n--;
    return m - i == n - j && !strncasecmp(a + i, b + j, m - i);
}

static void note_alike(dl_text *text, const dl_csv_column *c, const char *what) {
    for (int i = 0; i < c->names.count; i++)
        for (int k = 0; k < i; k++)
            if (look_alike(c->names.name[k], c->names.name[i])) {
                add_name(text, c);
                dl_text_add(text, ": \"%s\" and \"%s\" are two %s\n", c->names.name[k],
                            c->names.name[i], what);
                return;
            }
}

static void note_category(const dl_csv_table *table, const dl_csv_column *c, bool target) {
    dl_text *text = &table->dataset->notes;
    const char *what = target ? "class" : "category";
    note_alike(text, c, target ? "classes (merge makes them one)" : "categories");
    if (c->marks_words && c->marker.count) {
        add_name(text, c);
        dl_text_add(text,
                    ": \"%s\" (%lld rows) is a %s like others; missing_values = (\"%s\") "
                    "makes it a missing value\n",
                    c->marker.text, (long long)c->marker.count, what, c->marker.text);
    }
    if (c->numbers && c->text.count && !c->listed) {
        add_name(text, c);
        dl_text_add(
            text, ": %lld numbers and %lld other values (\"%s\", line %lld) are taken for %d %s\n",
            (long long)c->numbers, (long long)c->text.count, c->text.text, (long long)c->text.line,
            c->names.count, target ? "classes" : "categories");
    }
    int dates = 0, digits = 0;
    for (int i = 0; i < c->names.count; i++) {
        dates += is_date(c->names.name[i]);
        digits += begins_with_number(c->names.name[i]);
    }
    if (!c->listed && !c->numbers && dates < c->names.count && c->names.count > MOST_LABELS &&
        2 * digits > c->names.count) {
        add_name(text, c);
        dl_text_add(text,
                    ": values that begin with a number (\"%s\", line %lld) are taken for %d "
                    "categories; if they are numbers with a unit, write the numbers alone\n",
                    c->text.text, (long long)c->text.line, c->names.count);
    }
    if (dates && dates == c->names.count) {
        double part[DL_DATE_PARTS];
        bool day = !target && dl_csv_date(c->names.name[0], 0, part) != DL_CSV_NO_DATE;
        add_name(text, c);
        dl_text_add(text, ": dates or times (\"%s\") are taken for %d %s; ", c->names.name[0],
                    dates, target ? "classes" : "categories");
        if (day)
            dl_text_add(text, "dates = (\"%s\") makes them numbers (year, month, day, …)\n",
                        c->name);
        else
            dl_text_add(text, "write them as numbers, or list the column in `ignore`\n");
    }
}

static bool is_basic_date(double number) {
    char digits[32];
    double part[DL_DATE_PARTS];
    snprintf(digits, sizeof digits, "%.0f", number);
    return number > 18000101 && number < 22000101 && dl_csv_date(digits, 0, part) == DL_CSV_DATE;
}

static void note_number(const dl_csv_table *table, const dl_csv_column *c) {
    dl_text *text = &table->dataset->notes;
    if (c->whole == c->numbers && is_basic_date(c->least) && is_basic_date(c->most)) {
        add_name(text, c);
        dl_text_add(text,
                    ": numbers such as %.0f look like dates: dates = (\"%s\") reads them so\n",
                    c->least, c->name);
        return;
    }
    if (c->zeros.count) {
        add_name(text, c);
        dl_text_add(text,
                    ": %lld value%s with leading zeros (\"%s\") are read as numbers; if they are "
                    "codes, categorical = (\"%s\")\n",
                    (long long)c->zeros.count, c->zeros.count > 1 ? "s" : "", c->zeros.text,
                    c->name);
    }
    bool differ = c->rises != c->falls || (!c->too_many && c->names.count == c->numbers);
    if (c->numbers <= FEW_ROWS || c->whole != c->numbers || !differ || c->least == c->most)
        return;
    add_name(text, c);
    dl_text_add(text,
                ": integers that are all different: an identifier? ignore = (\"%s\") leaves it "
                "out\n",
                c->name);
}

static void note_header(const dl_csv_table *table) {
    double value;
    for (int i = 0; i < table->count; i++)
        if (dl_csv_number(table->column[i].name, &value) != DL_CSV_NUMBER)
            return;
    if (table->options->header)
        dl_text_add(&table->dataset->notes,
                    "the first line, all numbers (%s, …), is taken for the header; header = false "
                    "makes it a row\n",
                    table->column[0].name);
}

void dl_csv_describe(const dl_csv_table *table, bool training) {
    dl_text *text = &table->dataset->notes;
    if (training)
        note_header(table);
    for (int i = 0; i < table->count && training; i++) {
        const dl_csv_column *c = &table->column[i];
        describe(table, i);
        if (c->ignored) {
            if (c->empty_last)
                dl_text_add(text, "the last column has no name and no values: it is ignored\n");
        } else if (c->categorical) {
            note_category(table, c, c->target);
        } else if (!c->target && !c->date) {
            note_number(table, c);
        }
    }
    for (int i = 0; i < table->count; i++) {
        const dl_csv_column *c = &table->column[i];
        if (!c->unknown.count)
            continue;
        dl_text_add(text, "%s: column ", table->path);
        add_name(text, c);
        dl_text_add(
            text,
            ": %lld value%s the training data does not have (\"%s\", line %lld): none of its "
            "categories\n",
            (long long)c->unknown.count, c->unknown.count > 1 ? "s" : "", c->unknown.text,
            (long long)c->unknown.line);
    }
    if (table->longer.count)
        dl_text_add(text, "%lld rows end with a delimiter (line %lld): it is ignored\n",
                    (long long)table->longer.count, (long long)table->longer.line);
    if (table->dropped.count)
        dl_text_add(text, "%lld row%s with missing values dropped (line %lld)\n",
                    (long long)table->dropped.count, table->dropped.count > 1 ? "s" : "",
                    (long long)table->dropped.line);
}

/* SPDX-License-Identifier: MIT */
/* What the columns of a table have become, and what looks wrong with them, for people. */
#include <stdio.h>
#include <string.h>

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

static void describe(const dl_csv_table *table, int index) {
    const dl_csv_column *c = &table->column[index];
    dl_text *text = &table->dataset->columns;
    add_name(text, c);
    dl_text_add(text, index == table->target ? ": target, " : ": ");
    if (index == table->group)
        dl_text_add(text, "group");
    else if (c->ignored)
        dl_text_add(text, "ignored");
    else if (c->categorical && index == table->target)
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
    text += strspn(text, "+-<>=~ ");
    return *text >= '0' && *text <= '9';
}

static void note_category(const dl_csv_table *table, const dl_csv_column *c, bool target) {
    dl_text *text = &table->dataset->notes;
    const char *what = target ? "class" : "category";
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
        add_name(text, c);
        dl_text_add(text,
                    ": dates or times (\"%s\") are taken for %d %s; write them as numbers, or list "
                    "the column in `ignore`\n",
                    c->names.name[0], dates, target ? "classes" : "categories");
    }
}

static void note_number(const dl_csv_table *table, const dl_csv_column *c) {
    dl_text *text = &table->dataset->notes;
    bool differ = c->rises != c->falls || (!c->too_many && c->names.count == c->numbers);
    if (c->numbers <= FEW_ROWS || c->whole != c->numbers || !differ || c->least == c->most)
        return;
    add_name(text, c);
    dl_text_add(text,
                ": integers that are all different: an identifier? ignore = (\"%s\") leaves it "
                "out\n",
                c->name);
}

void dl_csv_describe(const dl_csv_table *table, bool training) {
    dl_text *text = &table->dataset->notes;
    for (int i = 0; i < table->count && training; i++) {
        const dl_csv_column *c = &table->column[i];
        describe(table, i);
        if (c->ignored) {
            if (c->empty_last)
                dl_text_add(text, "the last column has no name and no values: it is ignored\n");
        } else if (c->categorical) {
            note_category(table, c, i == table->target);
        } else if (i != table->target) {
            note_number(table, c);
        }
    }
    if (table->longer.count)
        dl_text_add(text, "%lld rows end with a delimiter (line %lld): it is ignored\n",
                    (long long)table->longer.count, (long long)table->longer.line);
    if (table->dropped.count)
        dl_text_add(text, "%lld rows with missing values are dropped (line %lld)\n",
                    (long long)table->dropped.count, (long long)table->dropped.line);
}

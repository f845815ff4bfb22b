/* SPDX-License-Identifier: MIT */
/* What each column of a table is, judged by all of its values. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/csv.h"

enum { MOST_WHOLE_CLASSES = 20, FEW_ROWS = 50, MOST_FEATURES = 1 << 24 };

/* ---- how it is written ---- */

static bool is_judged(const dl_csv_column *column) {
    return !column->categorical;
}

bool dl_csv_settle(dl_csv_table *table) {
    bool again = false, commas = false;
    bool open = table->options->decimal == DL_CSV_DECIMAL_AUTO;
    for (int k = 0; k <= table->inputs && open; k++) {
        const dl_csv_column *c = &table->column[dl_csv_used(table, k)];
        commas |= is_judged(c) && c->comma.count && !c->point.count;
    }
    commas |= table->delimiter == ';' || table->delimiter == '\t';
    for (int k = 0; k <= table->inputs; k++) {
        dl_csv_column *c = &table->column[dl_csv_used(table, k)];
        bool comma = open && is_judged(c) && c->decimal == '.' && !c->point.count &&
                     (c->comma.count || (commas && c->either.count));
        bool words = (c->categorical || c->words) && c->marker.count && !c->marks_words;
        if (comma)
            c->decimal = ',';
        c->marks_words |= words;
        again |= comma || words;
    }
    return again;
}

static int two_ways(const dl_csv_table *table, const dl_csv_column *column,
                    const dl_csv_found *found, dl_error *error) {
    return dl_fail(
        error, DL_DATA,
        "%s:%lld: column \"%s\": %lld number%s such as \"%s\" can be read with a decimal "
        "comma or with separated thousands; decimal = \",\" or decimal = \".\" says "
        "which",
        table->path, (long long)found->line, column->name, (long long)found->count,
        found->count == 1 ? "" : "s", found->text);
}

/* Numbers that are not written as the others of their column. */
static int check_written(const dl_csv_table *table, const dl_csv_column *column, dl_error *error) {
    bool open = table->options->decimal == DL_CSV_DECIMAL_AUTO, comma = column->decimal == ',';
    const dl_csv_found *odd = comma ? &column->point : &column->comma;
    const char *path = table->path, *name = column->name;
    if (odd->count)
        return dl_fail(error, DL_DATA,
                       "%s:%lld: column \"%s\": \"%s\" has a decimal %s, but %s%s%s (%lld such "
                       "number%s; write all alike, or list the column in `ignore`)",
                       path, (long long)odd->line, name, odd->text, comma ? "point" : "comma",
                       open ? "others have a point: \"" : "decimal is \"",
                       open    ? column->point.text
                       : comma ? ","
                               : ".",
                       "\"", (long long)odd->count, odd->count == 1 ? "" : "s");
    if (open && !comma && column->either.count && !column->point.count)
        return two_ways(table, column, &column->either, error);
    bool commas = false;
    for (int k = 0; k <= table->inputs; k++)
        commas |= table->column[dl_csv_used(table, k)].decimal == ',';
    if (open && !comma && commas && column->grouped.count && !column->point.count)
        return two_ways(table, column, &column->grouped, error);
    if (column->other.count)
        return dl_fail(error, DL_DATA,
                       "%s:%lld: column \"%s\": \"%s\" has another unit than \"%s\" in line %lld; "
                       "convert them to one",
                       path, (long long)column->other.line, name, column->other.text,
                       column->unit == DL_CSV_PERCENT ? column->percent.text
                                                      : column->currency.text,
                       (long long)(column->unit == DL_CSV_PERCENT ? column->percent.line
                                                                  : column->currency.line));
    if (column->percent.count && column->percent.count < column->numbers)
        return dl_fail(error, DL_DATA,
                       "%s:%lld: column \"%s\": \"%s\" is in percent, as are %lld of %lld numbers; "
                       "write all alike",
                       path, (long long)column->percent.line, name, column->percent.text,
                       (long long)column->percent.count, (long long)column->numbers);
    return 0;
}

/* ---- numbers or categories ---- */

static int not_a_number(const dl_csv_table *table, const dl_csv_column *column, const char *advice,
                        dl_error *error) {
    char more[64] = "";
    if (column->text.count > 1)
        snprintf(more, sizeof more, " (nor are %lld more)", (long long)column->text.count - 1);
    return dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": \"%s\" is not a number%s%s",
                   table->path, (long long)column->text.line, column->name, column->text.text, more,
                   advice);
}

static int64_t count_numbers(const dl_csv_column *column) {
    const dl_csv_found *odd = column->decimal == ',' ? &column->point : &column->comma;
    return column->numbers + column->infinite.count + odd->count;
}

/* Numbers of which a few are none are slips, or markers of missing values; a few different numbers
   and words are categories. */
static bool mostly_numbers(const dl_csv_column *column) {
    bool many = column->too_many || column->names.count > MOST_WHOLE_CLASSES;
    return count_numbers(column) >= (many ? 1 : 9) * column->text.count;
}

static int decide_kind(const dl_csv_table *table, dl_csv_column *column, dl_error *error) {
    if (column->categorical || !column->text.count)
        return column->categorical ? 0 : check_written(table, column, error);
    if (!mostly_numbers(column)) {
        column->categorical = true;
        return 0;
    }
    if (column->text.line == table->first_line && !table->options->header)
        return not_a_number(table, column, ", but the others are (is the first line a header?)",
                            error);
    dl_text advice = {0};
    dl_text_add(
        &advice,
        ", but %s of the column are; missing_values = (\"%s\") makes it a missing value; if "
        "it is meant, list the column in `categorical`",
        count_numbers(column) >= 9 * column->text.count ? "most" : "half or more",
        column->text.text);
    not_a_number(table, column, advice.data, error);
    dl_text_free(&advice);
    return -1;
}

static int decide_target(const dl_csv_table *table, dl_csv_column *column, dl_error *error) {
    int task = table->options->task;
    if (task == DL_CSV_REGRESSION) {
        column->categorical = false;
        return column->text.count
                   ? not_a_number(table, column, ", but task is \"regression\"", error)
                   : check_written(table, column, error);
    }
    if (task == DL_CSV_CLASSIFICATION)
        column->categorical = true;
    if (decide_kind(table, column, error))
        return -1;
    if (!column->categorical && !column->too_many && dl_csv_are_whole(&column->names)) {
        dl_csv_sort_classes(&column->names); /* "1" and "1.0" count once */
        column->categorical = column->names.count <= MOST_WHOLE_CLASSES;
    }
    return 0;
}

static int check_column(const dl_csv_table *table, dl_csv_column *column, dl_error *error) {
    int64_t values = count_numbers(column) + column->text.count;
    bool all_differ = column->names.count == values && values > FEW_ROWS;
    if (!values)
        return dl_fail(error, DL_DATA,
                       "%s: column \"%s\" has no values at all; list it in `ignore`", table->path,
                       column->name);
    if (!column->categorical && column->infinite.count)
        return dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": %s is not a finite number",
                       table->path, (long long)column->infinite.line, column->name,
                       column->infinite.text);
    if (!column->categorical)
        return 0;
    if (column->too_many || all_differ) {
        char many[48];
        snprintf(many, sizeof many, "more than %d different values", DL_CSV_MOST_CATEGORIES);
        return dl_fail(error, DL_DATA,
                       "%s: column \"%s\" has %s: it looks like an identifier or a text, not "
                       "like %s; list it in `ignore`",
                       table->path, column->name,
                       column->too_many ? many : "another value in each row",
                       column == &table->column[table->target] ? "classes" : "a category");
    }
    if (column->foreign.count)
        return dl_fail(error, DL_DATA,
                       "%s:%lld: column \"%s\": the text is not UTF-8 (iconv -f latin1 -t utf-8 "
                       "converts it, say)",
                       table->path, (long long)column->foreign.line, column->name);
    dl_csv_sort_classes(&column->names);
    return 0;
}

static char **copy_names(const dl_string_set *names) {
    char **copy = xcalloc((size_t)names->count, sizeof *copy);
    for (int i = 0; i < names->count; i++)
        copy[i] = xstrdup(names->name[i]);
    return copy;
}

static void make_schema(const dl_csv_table *table, int64_t features, dl_schema *schema) {
    const dl_csv_column *target = &table->column[table->target];
    *schema = (dl_schema){.input = dl_shape1((int)features), .outputs = 1};
    schema->target_name = xstrdup(target->name);
    schema->target_decimal = target->decimal;
    if (target->categorical) {
        schema->classes = target->names.count;
        schema->class_names = copy_names(&target->names);
    }
    schema->columns = table->inputs;
    schema->column = xcalloc((size_t)table->inputs, sizeof *schema->column);
    for (int i = 0; i < table->inputs; i++) {
        const dl_csv_column *from = &table->column[table->input[i]];
        dl_column *to = &schema->column[i];
        to->name = xstrdup(from->name);
        to->mean = from->mean;
        to->decimal = from->decimal;
        to->categories = from->categorical ? from->names.count : 0;
        to->category = from->categorical ? copy_names(&from->names) : NULL;
    }
}

int dl_csv_decide(dl_csv_table *table, dl_schema *schema, dl_error *error) {
    int before = error->count;
    int64_t features = 0;
    for (int i = 0; i <= table->inputs && error->count < before + 10; i++) {
        bool is_input = i < table->inputs;
        dl_csv_column *column = &table->column[is_input ? table->input[i] : table->target];
        int failed =
            is_input ? decide_kind(table, column, error) : decide_target(table, column, error);
        if (failed || check_column(table, column, error) || !is_input)
            continue;
        column->mean = column->categorical ? 0 : column->sum / (double)column->numbers;
        column->offset = features;
        features += column->categorical ? column->names.count : 1;
    }
    if (error->count > before)
        return -1;
    if (features > MOST_FEATURES)
        return dl_fail(error, DL_DATA,
                       "%s: the categories make %lld inputs; list what is none in "
                       "`ignore`",
                       table->path, (long long)features);
    make_schema(table, features, schema);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* What each column of a table is, judged by all of its values. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/csv.h"

enum { MOST_WHOLE_CLASSES = 20, FEW_ROWS = 50, MOST_FEATURES = 1 << 24 };

/* ---- how it is written ---- */

static bool is_judged(const dl_csv_column *column) {
    return !column->categorical && !column->date;
}

/* 31/12/2024: one date that can be read in one order only tells the order of all. */
static bool settle_dates(dl_csv_column *c) {
    if (!c->date || c->order || !c->point.count == !c->comma.count)
        return false;
    c->order = c->point.count ? 'd' : 'm';
    return true;
}

bool dl_csv_settle(dl_csv_table *table) {
    bool again = false, commas = false;
    bool open = table->options->decimal == DL_CSV_DECIMAL_AUTO;
    for (int k = 0; k < dl_csv_judged_count(table) && open; k++) {
        const dl_csv_column *c = &table->column[dl_csv_used(table, k)];
        commas |= is_judged(c) && c->comma.count && !c->point.count;
    }
    commas |= table->delimiter == ';' || table->delimiter == '\t';
    for (int k = 0; k < dl_csv_judged_count(table); k++) {
        dl_csv_column *c = &table->column[dl_csv_used(table, k)];
        bool comma = open && is_judged(c) && c->decimal == '.' && !c->point.count &&
                     (c->comma.count || (commas && c->either.count));
        again |= settle_dates(c);
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
    for (int k = 0; k < dl_csv_judged_count(table); k++)
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

/* ---- dates ---- */

static int wrong_date(const dl_csv_table *table, const dl_csv_column *column,
                      const dl_csv_found *found, dl_csv_date_type type, dl_error *error) {
    char more[64] = "";
    if (found->count > 1)
        snprintf(more, sizeof more, " (and %lld more)", (long long)found->count - 1);
    return dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": \"%s\"%s %s", table->path,
                   (long long)found->line, column->name, found->text, more,
                   dl_csv_date_reason(type));
}

static int check_dates(const dl_csv_table *table, const dl_csv_column *column, dl_error *error) {
    int result = 0;
    if (column->text.count)
        result = wrong_date(table, column, &column->text, DL_CSV_NO_DATE, error);
    if (column->infinite.count)
        result = wrong_date(table, column, &column->infinite, DL_CSV_WRONG_DATE, error);
    if (column->point.count && column->comma.count)
        return dl_fail(error, DL_DATA,
                       "%s:%lld: column \"%s\": \"%s\" has the month first, but \"%s\" in line "
                       "%lld the day; write all alike",
                       table->path, (long long)column->comma.line, column->name, column->comma.text,
                       column->point.text, (long long)column->point.line);
    if (column->either.count)
        result = wrong_date(table, column, &column->either, DL_CSV_ANY_ORDER, error);
    return result;
}

/* ---- numbers or categories ---- */

static int not_a_number(const dl_csv_table *table, const dl_csv_column *column, const char *advice,
                        dl_error *error) {
    char more[64] = "";
    if (column->text.count > 1)
        snprintf(more, sizeof more, " (and %lld more)", (long long)column->text.count - 1);
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

/* A slip in a column of numbers leaves no doubt what it is. */
static int decide_kind(const dl_csv_table *table, dl_csv_column *column, dl_error *error) {
    if (column->date) {
        column->failed = column->either.count || (column->point.count && column->comma.count);
        return check_dates(table, column, error);
    }
    if (column->categorical || !column->text.count) {
        column->failed = !column->categorical && check_written(table, column, error);
        return column->failed ? -1 : 0;
    }
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
    bool weight = !column->target;
    if (task == DL_CSV_REGRESSION || table->targets > 1 || weight) {
        column->categorical = false;
        return column->text.count
                   ? not_a_number(table, column,
                                  weight               ? ", but the column is the weight"
                                  : table->targets > 1 ? ", but several targets must be numbers; "
                                                         "for classes, name one target column"
                                                       : ", but task is \"regression\"",
                                  error)
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

static int check_weight(const dl_csv_table *table, const dl_csv_column *column, dl_error *error) {
    if (column->negative.count)
        return dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": a weight must not be negative: %s",
                       table->path, (long long)column->negative.line, column->name,
                       column->negative.text);
    if (!(column->most > 0))
        return dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": all %lld weights are 0",
                       table->path, (long long)table->first_line + table->options->header,
                       column->name, (long long)column->numbers);
    return 0;
}

static int check_column(const dl_csv_table *table, dl_csv_column *column, dl_error *error) {
    int64_t odd = column->date ? column->either.count + column->point.count : 0;
    int64_t values = count_numbers(column) + column->text.count + odd;
    bool all_differ = column->names.count == values && values > FEW_ROWS;
    if (!values)
        return dl_fail(error, DL_DATA,
                       "%s: column \"%s\" has no values at all; list it in `ignore`", table->path,
                       column->name);
    if (column->date)
        return 0;
    if (!column->categorical && column->infinite.count)
        return dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": %s is not a finite number",
                       table->path, (long long)column->infinite.line, column->name,
                       column->infinite.text);
    if (!column->categorical)
        return column == &table->column[dl_csv_used(table, table->inputs + table->targets)] &&
                       table->weight >= 0
                   ? check_weight(table, column, error)
                   : 0;
    if (column->too_many || all_differ) {
        char many[48];
        double part[DL_DATE_PARTS];
        bool date = !column->target && dl_csv_date(column->text.text, 0, part) != DL_CSV_NO_DATE;
        snprintf(many, sizeof many, "more than %d different values", DL_CSV_MOST_CATEGORIES);
        return dl_fail(
            error, DL_DATA, "%s: column \"%s\" has %s: it looks like %s, not like %s; %s",
            table->path, column->name, column->too_many ? many : "another value in each row",
            date ? "dates" : "an identifier or a text", column->target ? "classes" : "a category",
            date ? "list it in `dates`, which makes it numbers, or in `ignore`"
                 : "list it in `ignore`");
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

/* The elements that a column becomes. */
static int width_of(const dl_csv_column *column) {
    return column->categorical ? column->names.count : column->date ? DL_DATE_PARTS : 1;
}

static void add_column(dl_schema *schema, const dl_csv_column *from) {
    for (int part = 0; part < (from->date ? DL_DATE_PARTS : 1); part++) {
        dl_column *to = &schema->column[schema->columns++];
        dl_text name = {0};
        dl_text_add_plain(&name, from->name);
        if (from->date)
            dl_text_add(&name, ".%s", dl_date_parts[part]);
        *to = (dl_column){.name = name.data,
                          .date = from->date ? DL_DATE_YEAR + part : DL_NO_DATE,
                          .date_order = from->order,
                          .mean = from->mean[part],
                          .decimal = from->decimal,
                          .categories = from->categorical ? from->names.count : 0,
                          .category = from->categorical ? copy_names(&from->names) : NULL};
    }
}

static void make_schema(const dl_csv_table *table, int64_t features, dl_schema *schema) {
    const dl_csv_column *target = &table->column[table->target[0]];
    *schema = (dl_schema){.input = dl_shape1((int)features), .outputs = table->targets};
    schema->targets = table->targets;
    schema->target_name = xcalloc((size_t)table->targets, sizeof *schema->target_name);
    schema->target_decimal = xcalloc((size_t)table->targets + 1, 1);
    for (int i = 0; i < table->targets; i++) {
        schema->target_name[i] = xstrdup(table->column[table->target[i]].name);
        schema->target_decimal[i] = table->column[table->target[i]].decimal;
    }
    if (target->categorical) {
        schema->classes = target->names.count;
        schema->class_names = copy_names(&target->names);
    }
    int columns = 0;
    for (int i = 0; i < table->inputs; i++)
        columns += table->column[table->input[i]].date ? DL_DATE_PARTS : 1;
    schema->column = xcalloc((size_t)columns, sizeof *schema->column);
    for (int i = 0; i < table->inputs; i++)
        add_column(schema, &table->column[table->input[i]]);
}

/* Merges classes. */
static int decide_classes(const dl_csv_table *table, dl_csv_column *column, dl_error *error) {
    const dl_merge *merge = &table->dataset->merge;
    if (!merge->count)
        return 0;
    if (!column->categorical)
        return dl_fail(error, DL_DATA,
                       "%s: merge is for classes, but the target \"%s\" is a number (task = "
                       "\"classification\" makes its values classes)",
                       merge->group[0].where, column->name);
    if (dl_merge_apply(merge, &column->names, error))
        return -1;
    dl_csv_sort_classes(&column->names);
    return 0;
}

static void decide_column(dl_csv_table *table, int k, dl_error *error) {
    bool is_input = k < table->inputs;
    dl_csv_column *column = &table->column[dl_csv_used(table, k)];
    int before = error->count;
    int failed = is_input ? decide_kind(table, column, error) : decide_target(table, column, error);
    if (failed || check_column(table, column, error)) {
        column->failed |= !failed && !column->infinite.count;
    } else if (column->target) {
        column->failed = decide_classes(table, column, error) != 0;
    }
    column->failed |= error->count > before && column->categorical;
    for (int part = 0; part < DL_DATE_PARTS; part++)
        column->mean[part] = column->categorical || !column->numbers
                                 ? 0
                                 : column->mean[part] / (double)column->numbers;
}

int dl_csv_decide(dl_csv_table *table, dl_schema *schema, dl_error *error) {
    int before = error->count, kept = 0;
    int64_t features = 0;
    bool known = true;
    int unchecked = 0;
    for (int k = 0; k < dl_csv_judged_count(table); k++)
        if (error->count < before + DL_CSV_MOST_ERRORS)
            decide_column(table, k, error);
        else
            unchecked++;
    if (unchecked) {
        known = false;
        dl_fail(error, DL_DATA, "%s: after these errors, %d more column%s not checked", table->path,
                unchecked, unchecked == 1 ? " is" : "s are");
    }
    for (int k = 0; k < table->inputs; k++) {
        dl_csv_column *column = &table->column[table->input[k]];
        column->offset = features;
        if (column->failed)
            continue;
        table->input[kept++] = table->input[k];
        features += width_of(column);
    }
    for (int i = 0; i < table->targets; i++)
        known &= !table->column[table->target[i]].failed;
    if (features > MOST_FEATURES)
        return dl_fail(error, DL_DATA,
                       "%s: the categories make %lld inputs; list what is none in "
                       "`ignore`",
                       table->path, (long long)features);
    known &= kept == table->inputs || (table->options->header && kept > 0);
    table->inputs = kept;
    if (known)
        make_schema(table, features, schema);
    table->dataset->known = known;
    return error->count > before ? -1 : 0;
}

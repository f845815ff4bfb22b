/* SPDX-License-Identifier: MIT */
/* The first pass over a table: which columns there are, and what is in them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/csv.h"

/* ---- which columns ---- */

static int nearest_hint(const dl_csv_table *table, const char *name, dl_text *hint) {
    const char **names = xmalloc(sizeof *names * (size_t)table->count);
    for (int i = 0; i < table->count; i++)
        names[i] = table->column[i].name;
    const char *nearest = dl_text_nearest(name, names, table->count);
    if (nearest)
        dl_text_add(hint, " (did you mean \"%s\"?)", nearest);
    free(names);
    return nearest != NULL;
}

/* The column that an option means: by its name, or by its number from 1. -1 and an error if there
   is none. */
static int resolve(const dl_csv_table *table, const char *option, const char *name,
                   dl_error *error) {
    for (int i = 0; i < table->count; i++)
        if (!strcmp(table->column[i].name, name))
            return i;
    char *end;
    long number = strtol(name, &end, 10);
    bool is_number = *name && !*end;
    if (is_number && number >= 1 && number <= table->count)
        return (int)number - 1;
    dl_text hint = {0};
    if (!table->options->header)
        dl_text_add(&hint, " (without a header they are numbered, 1 to %d)", table->count);
    else if (is_number || !nearest_hint(table, name, &hint))
        dl_text_add(&hint, " (it has %d)", table->count);
    const char *where = table->dataset->where;
    dl_fail(error, DL_DATA, "%s%s%s: %s has no column \"%s\"%s", where ? where : "",
            where ? ": " : "", option, table->path, name, dl_text_get(&hint));
    dl_text_free(&hint);
    return -1;
}

static int check_header(const dl_csv_table *table, dl_error *error) {
    dl_string_set seen = {0};
    int result = 0;
    for (int i = 0; i < table->count; i++) {
        const char *name = table->column[i].name;
        if (!dl_text_is_utf8(name))
            result = dl_fail(error, DL_DATA, "%s:1: the name of column %d is not UTF-8",
                             table->path, i + 1);
        else if (dl_string_set_find(&seen, name) >= 0)
            result =
                dl_fail(error, DL_DATA,
                        "%s:%lld: two columns are called \"%s\" (if the first line is no header, "
                        "set header = false)",
                        table->path, (long long)table->first_line, name);
        dl_string_set_add(&seen, name);
        if (error->count > 9)
            break;
    }
    dl_string_set_free(&seen);
    return result;
}

/* Names the columns by the first record. A name that is left out becomes the column's number. */
static int make_columns(dl_csv_table *table, const dl_csv_reader *csv, dl_error *error) {
    table->count = csv->fields;
    table->first_line = csv->line;
    table->column = xcalloc((size_t)csv->fields, sizeof *table->column);
    for (int i = 0; i < csv->fields; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i + 1);
        bool named = table->options->header && csv->field[i][0];
        table->column[i].name = xstrdup(named ? csv->field[i] : number);
    }
    return table->options->header ? check_header(table, error) : 0;
}

/* The target, and what the lists of the options say. */
static int apply_options(dl_csv_table *table, dl_error *error) {
    const dl_csv_options *options = table->options;
    int result = 0;
    for (int i = 0; i < options->ignore.count; i++) {
        int column = resolve(table, "ignore", options->ignore.items[i], error);
        result |= column < 0 ? -1 : 0;
        if (column >= 0)
            table->column[column].ignored = true;
    }
    for (int i = 0; i < options->categorical.count; i++) {
        int column = resolve(table, "categorical", options->categorical.items[i], error);
        result |= column < 0 ? -1 : 0;
        if (column >= 0)
            table->column[column].categorical = true;
    }
    if (options->group) {
        table->group = resolve(table, "group", options->group, error);
        if (table->group < 0)
            return -1;
        table->column[table->group].ignored = true;
    }
    table->target = table->count - 1;
    while (table->target > 0 && table->column[table->target].ignored)
        table->target--;
    if (options->target)
        table->target = resolve(table, "target", options->target, error);
    if (result || table->target < 0)
        return -1;
    if (table->target == table->group)
        return dl_fail(error, DL_DATA, "%s: the target, \"%s\", cannot be the group, too",
                       table->path, table->column[table->target].name);
    if (table->column[table->target].ignored)
        return dl_fail(error, DL_DATA, "%s: the target, \"%s\", must not be ignored", table->path,
                       table->column[table->target].name);
    return 0;
}

static void take_inputs_in_order(dl_csv_table *table) {
    for (int i = 0; i < table->count; i++)
        if (i != table->target && !table->column[i].ignored)
            table->input[table->inputs++] = i;
}

static int find_by_name(dl_csv_table *table, const dl_schema *like, dl_error *error) {
    dl_string_set names = {0};
    for (int i = 0; i < table->count; i++)
        dl_string_set_add(&names, table->column[i].name);
    int result = 0;
    for (int i = 0; i <= like->columns; i++) {
        const char *name = i < like->columns ? like->column[i].name : like->target_name;
        int found = dl_string_set_find(&names, name);
        dl_text hint = {0};
        if (found < 0) {
            nearest_hint(table, name, &hint);
            result = dl_fail(error, DL_DATA,
                             "%s:%lld: has no column \"%s\", which the training data has%s%s",
                             table->path, (long long)table->first_line, name,
                             i == like->columns ? " as its target" : "", dl_text_get(&hint));
        } else if (table->column[found].taken) { /* only a damaged checkpoint asks for that */
            result = dl_fail(error, DL_DATA, "%s: column \"%s\" cannot stand for two", table->path,
                             name);
        } else if (i < like->columns) {
            table->input[table->inputs++] = found;
        } else {
            table->target = found;
        }
        if (found >= 0)
            table->column[found].taken = true;
        dl_text_free(&hint);
    }
    if (table->options->group) /* where it is not, nothing is to be split */
        table->group = dl_string_set_find(&names, table->options->group);
    dl_string_set_free(&names);
    return result;
}

/* Columns as in the training data: by name, or by position where there is no header. */
static int agree(dl_csv_table *table, const dl_schema *like, dl_error *error) {
    if (!like->columns || !like->target_name)
        return dl_fail(error, DL_DATA, "%s: is a table, but the training data was none",
                       table->path);
    if (table->options->header) {
        if (find_by_name(table, like, error))
            return -1;
    } else {
        if (apply_options(table, error))
            return -1;
        take_inputs_in_order(table);
        if (table->inputs != like->columns)
            return dl_fail(error, DL_DATA,
                           "%s: has %d columns that are inputs, the training data has %d",
                           table->path, table->inputs, like->columns);
    }
    int64_t offset = 0;
    for (int i = 0; i < like->columns; i++) {
        const dl_column *from = &like->column[i];
        dl_csv_column *to = &table->column[table->input[i]];
        to->categorical = from->categories > 0;
        to->mean = from->mean;
        to->offset = offset;
        offset += from->categories ? from->categories : 1;
        for (int k = 0; k < from->categories; k++)
            dl_string_set_add(&to->names, from->category[k]);
    }
    dl_csv_column *target = &table->column[table->target];
    target->categorical = like->classes > 0;
    for (int k = 0; k < like->classes; k++) {
        char number[16];
        dl_string_set_add(&target->names, dl_schema_class(like, k, number));
    }
    return 0;
}

static int choose_columns(dl_csv_table *table, const dl_schema *like, dl_error *error) {
    int most = like && like->columns > table->count ? like->columns : table->count;
    table->input = xcalloc((size_t)most, sizeof *table->input);
    if (like)
        return agree(table, like, error);
    if (apply_options(table, error))
        return -1;
    take_inputs_in_order(table);
    if (table->inputs)
        return 0;
    return dl_fail(error, DL_DATA,
                   "%s: has no column beside the target, \"%s\" (is the delimiter another than "
                   "'%s'?)",
                   table->path, table->column[table->target].name, table->options->delimiter);
}

/* ---- what is in them ---- */

static void note(dl_csv_found *found, int64_t line, const char *text) {
    if (!found->count++) {
        found->line = line;
        dl_csv_quote(found->text, text);
    }
}

static void look_at(dl_csv_column *column, const char *field, int64_t line) {
    double value;
    switch (dl_csv_number(field, &value)) {
    case DL_CSV_NUMBER:
        column->numbers++;
        column->sum += value;
        break;
    case DL_CSV_INFINITE:
        note(&column->infinite, line, field);
        break;
    default:
        note(&column->text, line, field);
    }
    if (column->too_many)
        return;
    int before = column->names.count;
    dl_string_set_add(&column->names, field);
    if (column->names.count > before && !dl_text_is_utf8(field))
        note(&column->foreign, line, "");
    if (column->names.count > DL_CSV_MOST_CATEGORIES) {
        column->too_many = true;
        dl_string_set_free(&column->names);
    }
}

/* Column k of those that are used; behind the inputs come the target and the group. */
static int used(const dl_csv_table *table, int k) {
    return k < table->inputs ? table->input[k] : k == table->inputs ? table->target : table->group;
}

static int used_count(const dl_csv_table *table) {
    return table->inputs + 1 + (table->group >= 0);
}

bool dl_csv_incomplete(const dl_csv_table *table, const dl_csv_reader *csv) {
    for (int k = 0; k < used_count(table); k++)
        if (dl_csv_missing(csv->field[used(table, k)]))
            return true;
    return false;
}

static int take_row(dl_csv_table *table, const dl_csv_reader *csv, bool look, dl_error *error) {
    if (csv->fields != table->count)
        return dl_fail(error, DL_DATA, "%s:%lld: has %d field%s, but %s has %d", table->path,
                       (long long)csv->line, csv->fields, csv->fields == 1 ? "" : "s",
                       table->options->header ? "the header" : "the first row", table->count);
    bool drop = table->options->missing == DL_CSV_MISSING_DROP && dl_csv_incomplete(table, csv);
    for (int k = 0; k < used_count(table) && !drop; k++) {
        dl_csv_column *column = &table->column[used(table, k)];
        const char *field = csv->field[used(table, k)];
        if (dl_csv_missing(field))
            note(&column->missing, csv->line, field);
        else if (look && k <= table->inputs)
            look_at(column, field, csv->line);
    }
    table->rows += !drop;
    return 0;
}

static int check_missing(const dl_csv_table *table, dl_error *error) {
    int result = 0, told = 0;
    for (int k = 0; k < used_count(table) && told < 10; k++) {
        const dl_csv_column *column = &table->column[used(table, k)];
        bool mean = table->options->missing == DL_CSV_MISSING_MEAN && k < table->inputs;
        if (!column->missing.count || mean)
            continue;
        char more[64] = "";
        if (column->missing.count > 1)
            snprintf(more, sizeof more, ", and in %lld more rows",
                     (long long)column->missing.count - 1);
        result =
            dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": the value is missing%s; %s",
                    table->path, (long long)column->missing.line, column->name, more,
                    k < table->inputs ? "missing = \"mean\" or \"drop_row\" would go on without it"
                    : k == table->inputs ? "for a target only missing = \"drop_row\" helps"
                                         : "for a group only missing = \"drop_row\" helps");
        told++;
    }
    return result;
}

static int look_through(dl_csv_table *table, dl_csv_reader *csv, const dl_schema *like,
                        dl_error *error) {
    int got = dl_csv_next(csv, error);
    if (!got)
        return dl_fail(error, DL_DATA, "%s: is empty", table->path);
    if (got < 0 || make_columns(table, csv, error) || choose_columns(table, like, error))
        return -1;
    if (!table->options->header && take_row(table, csv, !like, error))
        return -1;
    while ((got = dl_csv_next(csv, error)) > 0)
        if (take_row(table, csv, !like, error))
            return -1;
    if (got < 0)
        return -1;
    if (!table->rows)
        return dl_fail(error, DL_DATA, "%s: has no rows%s", table->path,
                       table->options->missing == DL_CSV_MISSING_DROP ? " without a missing value"
                                                                      : " below the header");
    return check_missing(table, error);
}

int dl_csv_look(dl_csv_table *table, const dl_schema *like, dl_error *error) {
    dl_csv_reader csv = {0};
    int result = dl_csv_open(&csv, table->path, table->delimiter, error);
    if (!result)
        result = look_through(table, &csv, like, error);
    dl_csv_close(&csv);
    return result;
}

int dl_csv_skip_header(const dl_csv_table *table, dl_csv_reader *csv, dl_error *error) {
    return table->options->header && dl_csv_next(csv, error) < 0 ? -1 : 0;
}

void dl_csv_table_free(dl_csv_table *table) {
    for (int i = 0; i < table->count; i++) {
        free(table->column[i].name);
        dl_string_set_free(&table->column[i].names);
    }
    free(table->column);
    free(table->input);
    free(table->path);
}

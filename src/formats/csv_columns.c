/* SPDX-License-Identifier: MIT */
/* Which columns a table has, and what the options or the training data make of them. */
#include <math.h>
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
        table->column[i] = (dl_csv_column){.name = xstrdup(named ? csv->field[i] : number),
                                           .decimal = '.',
                                           .least = INFINITY,
                                           .most = -INFINITY};
        if (table->options->decimal == DL_CSV_DECIMAL_COMMA)
            table->column[i].decimal = ',';
    }
    int last = csv->fields - 1;
    if (last > 0 && !csv->field[last][0] && !table->keep_last)
        table->column[last].ignored = table->column[last].empty_last = true;
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
            table->column[column].categorical = table->column[column].listed = true;
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

static bool has_marker(const dl_string_set *names) {
    for (int i = 0; i < names->count; i++)
        if (dl_csv_missing(names->name[i]) == DL_CSV_MARKER)
            return true;
    return false;
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
        to->decimal = from->decimal;
        to->mean = from->mean;
        to->offset = offset;
        offset += from->categories ? from->categories : 1;
        for (int k = 0; k < from->categories; k++)
            dl_string_set_add(&to->names, from->category[k]);
        to->marks_words = has_marker(&to->names);
    }
    dl_csv_column *target = &table->column[table->target];
    target->categorical = like->classes > 0;
    target->decimal = like->target_decimal;
    for (int k = 0; k < like->classes; k++) {
        char number[16];
        dl_string_set_add(&target->names, dl_schema_class(like, k, number));
    }
    target->marks_words = has_marker(&target->names);
    return 0;
}

int dl_csv_choose_columns(dl_csv_table *table, const dl_csv_reader *csv, const dl_schema *like,
                          dl_error *error) {
    if (make_columns(table, csv, error))
        return -1;
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

void dl_csv_table_free(dl_csv_table *table) {
    for (int i = 0; i < table->count; i++) {
        free(table->column[i].name);
        dl_string_set_free(&table->column[i].names);
    }
    free(table->column);
    free(table->input);
    free(table->path);
}

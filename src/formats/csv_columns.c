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

/* Sets a member, of the struct's first, of the columns of a list. */
static int mark(dl_csv_table *table, const char *option, const dl_strings *names, size_t member,
                dl_error *error) {
    int result = 0;
    for (int i = 0; i < names->count; i++) {
        int column = resolve(table, option, names->items[i], error);
        if (column < 0)
            result = -1;
        else
            *(bool *)((char *)&table->column[column] + member) = true;
    }
    return result;
}

/* Finds a column that is not an input. */
static int set_aside(dl_csv_table *table, const char *option, const char *name, int *column,
                     dl_error *error) {
    *column = name ? resolve(table, option, name, error) : -1;
    if (*column >= 0)
        table->column[*column].ignored = true;
    return name && *column < 0 ? -1 : 0;
}

static int check_target(const dl_csv_table *table, int index, dl_error *error) {
    const dl_csv_column *column = &table->column[index];
    const char *fault = index == table->group    ? "cannot be the group, too"
                        : index == table->weight ? "cannot be the weight, too"
                        : column->ignored        ? "must not be ignored"
                        : column->date           ? "cannot be a date: list it in dates or target"
                        : column->target         ? "is named twice"
                        : column->listed && table->targets > 1
                            ? "cannot be categorical: several targets are numbers"
                            : NULL;
    return fault ? dl_fail(error, DL_DATA, "%s: the target, \"%s\", %s", table->path, column->name,
                           fault)
                 : 0;
}

/* Without the option it is the last column that is used. */
static int choose_targets(dl_csv_table *table, dl_error *error) {
    const dl_strings *names = &table->options->target;
    int result = 0;
    table->targets = names->count ? names->count : 1;
    table->target = xcalloc((size_t)table->targets, sizeof *table->target);
    table->target[0] = table->count - 1;
    while (table->target[0] > 0 && table->column[table->target[0]].ignored)
        table->target[0]--;
    for (int i = 0; i < table->targets; i++) {
        if (names->count)
            table->target[i] = resolve(table, "target", names->items[i], error);
        if (table->target[i] < 0 || check_target(table, table->target[i], error))
            result = -1;
        else
            table->column[table->target[i]].target = true;
    }
    if (table->targets > 1 && table->options->task == DL_CSV_CLASSIFICATION)
        result = dl_fail(error, DL_DATA,
                         "%s: several targets are numbers (regression); task = \"classification\" "
                         "needs one target column, with a class per row",
                         table->path);
    return result;
}

/* The targets, and what the lists of the options say. */
static int apply_options(dl_csv_table *table, dl_error *error) {
    const dl_csv_options *o = table->options;
    int result =
        mark(table, "ignore", &o->ignore, offsetof(dl_csv_column, ignored), error) |
        mark(table, "categorical", &o->categorical, offsetof(dl_csv_column, listed), error) |
        mark(table, "dates", &o->dates, offsetof(dl_csv_column, date), error) |
        set_aside(table, "group", o->group, &table->group, error) |
        set_aside(table, "weight", o->weight, &table->weight, error);
    for (int i = 0; i < table->count; i++) {
        dl_csv_column *column = &table->column[i];
        column->categorical = column->listed;
        if (column->listed && column->date)
            result = dl_fail(error, DL_DATA, "%s: column \"%s\" is both in categorical and dates",
                             table->path, column->name);
        if (column->date)
            column->order = o->date_order == DL_CSV_ORDER_DMY   ? 'd'
                            : o->date_order == DL_CSV_ORDER_MDY ? 'm'
                                                                : 0;
    }
    if (table->group >= 0 && table->group == table->weight)
        result = dl_fail(error, DL_DATA, "%s: column \"%s\" cannot be both group and weight",
                         table->path, table->column[table->group].name);
    return result | choose_targets(table, error) ? -1 : 0;
}

static void take_inputs_in_order(dl_csv_table *table) {
    for (int i = 0; i < table->count; i++)
        if (!table->column[i].target && !table->column[i].ignored)
            table->input[table->inputs++] = i;
}

char *dl_csv_name_in_file(const dl_schema *like, int i) {
    if (i >= like->columns)
        return xstrdup(like->target_name[i - like->columns]);
    const dl_column *column = &like->column[i];
    char *name = xstrdup(column->name);
    if (column->date)
        name[strlen(name) - strlen(dl_date_parts[column->date - 1]) - 1] = '\0';
    return name;
}

static int find_column(dl_csv_table *table, const dl_string_set *names, const dl_schema *like,
                       int i, dl_error *error) {
    char *name = dl_csv_name_in_file(like, i);
    int found = dl_string_set_find(names, name), result = 0;
    dl_text hint = {0};
    if (found < 0 && i >= like->columns && table->dataset->unlabeled) {
        free(name);
        return 0;
    }
    if (found < 0) {
        nearest_hint(table, name, &hint);
        result = dl_fail(error, DL_DATA,
                         "%s:%lld: has no column \"%s\", which the training data has%s%s",
                         table->path, (long long)table->first_line, name,
                         i >= like->columns ? " as its target" : "", dl_text_get(&hint));
    } else if (table->column[found].taken) { /* only a damaged checkpoint asks for that */
        result =
            dl_fail(error, DL_DATA, "%s: column \"%s\" cannot stand for two", table->path, name);
    } else if (i < like->columns) {
        table->input[table->inputs++] = found;
    } else {
        table->target[table->targets++] = found;
        table->column[found].target = true;
    }
    if (found >= 0)
        table->column[found].taken = true;
    dl_text_free(&hint);
    free(name);
    return result;
}

static int find_by_name(dl_csv_table *table, const dl_schema *like, dl_error *error) {
    dl_string_set names = {0};
    for (int i = 0; i < table->count; i++)
        dl_string_set_add(&names, table->column[i].name);
    int result = 0;
    table->target = xcalloc((size_t)like->targets, sizeof *table->target);
    for (int i = 0; i < like->columns + like->targets; i++)
        if (i >= like->columns || like->column[i].date <= DL_DATE_YEAR)
            result |= find_column(table, &names, like, i, error);
    if (table->options->group) /* where it is not, nothing is to be split */
        table->group = dl_string_set_find(&names, table->options->group);
    dl_string_set_free(&names);
    if (table->dataset->unlabeled)
        return result;
    return result | set_aside(table, "weight", table->options->weight, &table->weight, error);
}

static bool has_marker(const dl_string_set *names) {
    for (int i = 0; i < names->count; i++)
        if (dl_csv_missing(names->name[i]) == DL_CSV_MARKER)
            return true;
    return false;
}

/* What the schema says of the inputs, which are in its order. */
static void copy_columns(dl_csv_table *table, const dl_schema *like) {
    int64_t offset = 0;
    for (int i = 0, k = 0; i < like->columns; i++) {
        const dl_column *from = &like->column[i];
        int part = from->date ? (int)from->date - 1 : 0;
        dl_csv_column *to = &table->column[table->input[k - (part > 0)]];
        k += part == 0;
        to->mean[part] = from->mean;
        if (part)
            continue;
        to->date = from->date != DL_NO_DATE;
        to->order = from->date_order;
        to->categorical = from->categories > 0;
        to->decimal = from->decimal;
        to->offset = offset;
        offset += to->date ? DL_DATE_PARTS : to->categorical ? from->categories : 1;
        for (int c = 0; c < from->categories; c++)
            dl_string_set_add(&to->names, from->category[c]);
        to->marks_words = has_marker(&to->names);
        if (table->weight >= 0 && to->decimal == ',')
            table->column[table->weight].decimal = ',';
    }
}

/* Whether a table without a header has the inputs alone. */
static bool has_inputs_alone(const dl_csv_table *table, int inputs) {
    return table->dataset->unlabeled &&
           table->count - table->column[table->count - 1].empty_last == inputs;
}

/* Columns as in the training data: by name, or by position where there is no header. */
static int agree(dl_csv_table *table, const dl_schema *like, dl_error *error) {
    if (!like->columns || !like->targets)
        return dl_fail(error, DL_DATA, "%s: is a table, but the training data was none",
                       table->path);
    int inputs = 0;
    for (int i = 0; i < like->columns; i++)
        inputs += like->column[i].date <= DL_DATE_YEAR;
    if (table->options->header) {
        if (find_by_name(table, like, error))
            return -1;
    } else if (has_inputs_alone(table, inputs)) {
        take_inputs_in_order(table);
    } else {
        if (apply_options(table, error))
            return -1;
        take_inputs_in_order(table);
        if (table->inputs != inputs || table->targets != like->targets)
            return dl_fail(error, DL_DATA,
                           "%s: has %d columns that are inputs, the training data has %d",
                           table->path, table->inputs, inputs);
    }
    copy_columns(table, like);
    for (int i = 0; i < table->targets; i++) {
        dl_csv_column *target = &table->column[table->target[i]];
        target->categorical = like->classes > 0;
        target->decimal = like->target_decimal[i];
        for (int k = 0; k < like->classes; k++) {
            char number[16];
            dl_string_set_add(&target->names, dl_schema_class(like, k, number));
        }
        target->marks_words = has_marker(&target->names);
    }
    return 0;
}

/* One column: its only name tells why. */
static int no_inputs(const dl_csv_table *table, dl_error *error) {
    const char *name = table->column[table->target[0]].name;
    size_t other = strcspn(name, ";\t|,");
    char quoted[64], advice[128] = "";
    bool alone = table->count == 1 || table->column[1].empty_last;
    if (name[other] && alone)
        snprintf(advice, sizeof advice, " (is the delimiter \"%.*s\" instead of \"%s\"?)",
                 name[other] == '\t' ? 3 : 1, name[other] == '\t' ? "tab" : name + other,
                 table->options->delimiter);
    else if (alone)
        snprintf(advice, sizeof advice,
                 " (is the first line a title or comment to remove, or the delimiter not \"%s\"?)",
                 table->options->delimiter);
    return dl_fail(error, DL_DATA, "%s: has no column beside the target, \"%s\"%s", table->path,
                   dl_csv_quote(quoted, name), advice);
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
    return no_inputs(table, error);
}

void dl_csv_table_free(dl_csv_table *table) {
    for (int i = 0; i < table->count; i++) {
        free(table->column[i].name);
        dl_string_set_free(&table->column[i].names);
    }
    free(table->column);
    free(table->input);
    free(table->target);
    free(table->path);
}

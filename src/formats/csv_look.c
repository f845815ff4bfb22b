/* SPDX-License-Identifier: MIT */
/* The first pass over a table: what is in the columns. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/csv.h"

/* ---- fields ---- */

void dl_csv_note(dl_csv_found *found, int64_t line, const char *text) {
    if (!found->count++) {
        found->line = line;
        dl_csv_quote(found->text, text);
    }
}

dl_csv_type dl_csv_value(const dl_csv_column *column, const char *field, double *value) {
    int unit;
    dl_csv_type type = DL_CSV_TEXT;
    if (column->decimal == '.')
        type = dl_csv_number(field, value);
    return type == DL_CSV_TEXT ? dl_csv_written(field, column->decimal, value, &unit) : type;
}

static void note_unit(dl_csv_column *column, int unit, int64_t line, const char *field) {
    if (!unit)
        return;
    dl_csv_note(unit == DL_CSV_PERCENT ? &column->percent : &column->currency, line, field);
    if (column->unit && column->unit != unit)
        dl_csv_note(&column->other, line, field);
    column->unit = column->unit ? column->unit : unit;
}

/* A field that is no number of the C locale. */
static dl_csv_type look_at_written(dl_csv_column *column, const char *field, int64_t line,
                                   double *value) {
    int unit[2] = {0, 0}, own = column->decimal == ',';
    double read[2];
    dl_csv_type type[2] = {dl_csv_written(field, '.', &read[0], &unit[0]),
                           dl_csv_written(field, ',', &read[1], &unit[1])};
    bool point = type[0] == DL_CSV_NUMBER, comma = type[1] == DL_CSV_NUMBER;
    if (point && comma && read[0] != read[1])
        dl_csv_note(&column->either, line, field);
    else if (point && !comma)
        dl_csv_note(&column->point, line, field);
    else if (comma && !point)
        dl_csv_note(&column->comma, line, field);
    *value = read[own];
    if (type[own] != DL_CSV_TEXT)
        note_unit(column, unit[own], line, field);
    else if (point || comma) /* reads otherwise: told apart from words */
        return DL_CSV_OTHER_DECIMAL;
    return type[own];
}

static void add_number(dl_csv_column *column, double value) {
    if (column->numbers++) {
        column->rises |= value > column->last;
        column->falls |= value <= column->last;
    }
    column->last = value;
    column->mean[0] += value;
    column->least = value < column->least ? value : column->least;
    column->most = value > column->most ? value : column->most;
}

static void look_at_date(dl_csv_column *column, const char *field, int64_t line) {
    double part[DL_DATE_PARTS];
    dl_csv_found *found = NULL;
    switch (dl_csv_date(field, column->order, part)) {
    case DL_CSV_DATE:
        for (int i = 1; i < DL_DATE_PARTS; i++)
            column->mean[i] += part[i];
        add_number(column, ((part[0] * 100 + part[1]) * 100 + part[2]) * 86400 + part[4]);
        column->mean[0] += part[0] - column->last;
        return;
    case DL_CSV_NO_DATE:
        found = &column->text;
        break;
    case DL_CSV_WRONG_DATE:
        found = &column->infinite;
        break;
    case DL_CSV_DAY_FIRST:
        found = &column->point;
        break;
    case DL_CSV_MONTH_FIRST:
        found = &column->comma;
        break;
    case DL_CSV_ANY_ORDER:
        found = &column->either;
        break;
    }
    dl_csv_note(found, line, field);
}

static void look_at(const dl_csv_table *table, dl_csv_column *column, const char *field,
                    int64_t line) {
    double value;
    dl_csv_point point = DL_CSV_NO_POINT;
    dl_csv_type type = DL_CSV_TEXT;
    bool plain = column->decimal == '.';
    if (plain)
        type = dl_csv_number_point(field, &value, &point);
    if ((type == DL_CSV_TEXT || table->options->missing_values.count) &&
        dl_csv_is_missing(table, column, field)) {
        dl_csv_note(&column->missing, line, field);
        if (dl_csv_missing(field) == DL_CSV_MARKER)
            dl_csv_note(&column->marker, line, field);
        return;
    }
    if (column->date) {
        look_at_date(column, field, line);
        return;
    }
    if (type == DL_CSV_TEXT)
        type = look_at_written(column, field, line, &value);
    else if (point)
        dl_csv_note(point == DL_CSV_POINT ? &column->point : &column->grouped, line, field);
    column->whole += type == DL_CSV_NUMBER && plain && !point;
    if (type == DL_CSV_NUMBER)
        add_number(column, value);
    if (type == DL_CSV_NUMBER && field[0] == '0' && field[1] >= '0' && field[1] <= '9')
        dl_csv_note(&column->zeros, line, field);
    if (type == DL_CSV_NUMBER && value < 0)
        dl_csv_note(&column->negative, line, field);
    if (type == DL_CSV_INFINITE)
        dl_csv_note(&column->infinite, line, field);
    else if (type == DL_CSV_TEXT)
        dl_csv_note(&column->text, line, field);
    column->words |= type == DL_CSV_TEXT;
    if (column->marks_words && type == DL_CSV_TEXT && dl_csv_missing(field) == DL_CSV_MARKER)
        dl_csv_note(&column->marker, line, field);
    if (column->too_many)
        return;
    int before = column->names.count;
    dl_string_set_add(&column->names, field);
    if (column->names.count > before && !dl_text_is_utf8(field))
        dl_csv_note(&column->foreign, line, "");
    if (column->names.count > DL_CSV_MOST_CATEGORIES) {
        column->too_many = true;
        dl_string_set_free(&column->names);
    }
}

/* ---- rows ---- */

int dl_csv_used(const dl_csv_table *table, int k) {
    int t = k - table->inputs;
    return t < 0                                       ? table->input[k]
           : t < table->targets                        ? table->target[t]
           : t == table->targets && table->weight >= 0 ? table->weight
                                                       : table->group;
}

int dl_csv_judged_count(const dl_csv_table *table) {
    return table->inputs + table->targets + (table->weight >= 0);
}

int dl_csv_used_count(const dl_csv_table *table) {
    return dl_csv_judged_count(table) + (table->group >= 0);
}

bool dl_csv_is_missing(const dl_csv_table *table, const dl_csv_column *column, const char *field) {
    const dl_strings *own = &table->options->missing_values;
    for (int i = 0; i < own->count; i++)
        if (!strcmp(own->items[i], field))
            return true;
    dl_csv_marker marker = dl_csv_missing(field);
    return marker == DL_CSV_MISSING || (marker == DL_CSV_MARKER && !column->marks_words);
}

bool dl_csv_incomplete(const dl_csv_table *table, const dl_csv_reader *csv) {
    for (int k = 0; k < dl_csv_used_count(table); k++) {
        int column = dl_csv_used(table, k);
        if (dl_csv_is_missing(table, &table->column[column], csv->field[column]))
            return true;
    }
    return false;
}

bool dl_csv_has_all(const dl_csv_table *table, const dl_csv_reader *csv) {
    return csv->fields == table->count ||
           (csv->fields == table->count + 1 && !csv->field[table->count][0]) ||
           (csv->fields == table->count - 1 && table->column[table->count - 1].empty_last);
}

/* What tells whether markers are missing values at all in their columns. */
static void look_at_dropped(dl_csv_table *table, const dl_csv_reader *csv) {
    dl_csv_note(&table->dropped, csv->line, "");
    for (int k = 0; k < dl_csv_judged_count(table); k++) {
        dl_csv_column *column = &table->column[dl_csv_used(table, k)];
        const char *field = csv->field[dl_csv_used(table, k)];
        double value;
        int unit;
        if (dl_csv_missing(field) == DL_CSV_MARKER)
            dl_csv_note(&column->marker, csv->line, field);
        else if (!column->date && !column->words && !dl_csv_is_missing(table, column, field))
            column->words = dl_csv_value(column, field, &value) == DL_CSV_TEXT &&
                            dl_csv_written(field, ',', &value, &unit) == DL_CSV_TEXT;
    }
}

static void take_row(dl_csv_table *table, const dl_csv_reader *csv, bool look, dl_error *error) {
    if (!dl_csv_has_all(table, csv)) {
        bool unnamed = table->options->header && csv->line == table->first_line + 1 &&
                       csv->fields == table->count + 1;
        dl_fail(error, DL_DATA, "%s:%lld: has %d field%s, but %s has %d%s", table->path,
                (long long)csv->line, csv->fields, csv->fields == 1 ? "" : "s",
                table->options->header ? "the header" : "the first row", table->count,
                unnamed ? " (is a name missing in the header, such as that of row names?)" : "");
        return;
    }
    if (csv->fields > table->count)
        dl_csv_note(&table->longer, csv->line, "");
    int last = table->count - 1;
    if (table->column[last].empty_last && csv->fields > last && csv->field[last][0])
        table->keep_last = true;
    if (table->options->missing == DL_CSV_MISSING_DROP && dl_csv_incomplete(table, csv)) {
        look_at_dropped(table, csv);
        return;
    }
    for (int k = 0; k < dl_csv_used_count(table); k++) {
        dl_csv_column *column = &table->column[dl_csv_used(table, k)];
        const char *field = csv->field[dl_csv_used(table, k)];
        if (look && k < dl_csv_judged_count(table))
            look_at(table, column, field, csv->line);
        else if (dl_csv_is_missing(table, column, field))
            dl_csv_note(&column->missing, csv->line, field);
    }
    table->rows++;
}

static void check_missing(const dl_csv_table *table, bool look, dl_error *error) {
    int told = 0;
    for (int k = 0; k < dl_csv_used_count(table); k++) {
        const dl_csv_column *column = &table->column[dl_csv_used(table, k)];
        bool mean = table->options->missing == DL_CSV_MISSING_MEAN && k < table->inputs;
        bool empty = look && k < dl_csv_judged_count(table) && column->missing.count == table->rows;
        if (!column->missing.count || mean || empty ||
            (look && column->words && column->missing.count == column->marker.count))
            continue;
        if (told++ >= DL_CSV_MOST_ERRORS)
            continue;
        char more[64] = "", what[96] = "";
        if (column->missing.count > 1)
            snprintf(more, sizeof more, ", and in %lld more row%s",
                     (long long)column->missing.count - 1, column->missing.count > 2 ? "s" : "");
        if (column->missing.text[0])
            snprintf(what, sizeof what, " (\"%s\")", column->missing.text);
        dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": the value is missing%s%s; %s", table->path,
                (long long)column->missing.line, column->name, what, more,
                k < table->inputs ? "missing = \"mean\" or \"drop_row\" would go on without it"
                : column->target  ? "for a target only missing = \"drop_row\" helps"
                : dl_csv_used(table, k) == table->weight
                    ? "for a weight only missing = \"drop_row\" helps"
                    : "for a group only missing = \"drop_row\" helps");
    }
    if (told > DL_CSV_MOST_ERRORS)
        dl_fail(error, DL_DATA, "%s: %d more columns have missing values", table->path,
                told - DL_CSV_MOST_ERRORS);
}

/* ---- the file ---- */

/* What was found is forgotten, but not how the columns are to be read. */
static void forget(dl_csv_table *table) {
    table->rows = 0;
    table->dropped = table->longer = (dl_csv_found){0};
    for (int i = 0; i < table->count; i++) {
        dl_csv_column *c = &table->column[i];
        dl_string_set_free(&c->names);
        *c = (dl_csv_column){.name = c->name,
                             .ignored = c->ignored,
                             .taken = c->taken,
                             .categorical = c->categorical,
                             .listed = c->listed,
                             .target = c->target,
                             .date = c->date,
                             .order = c->order,
                             .empty_last = c->empty_last,
                             .marks_words = c->marks_words,
                             .decimal = c->decimal,
                             .least = INFINITY,
                             .most = -INFINITY};
    }
}

static int look_through(dl_csv_table *table, dl_csv_reader *csv, const dl_schema *like,
                        dl_error *error) {
    int before = error->count, got = dl_csv_next(csv, error);
    if (!got)
        return dl_fail(error, DL_DATA, "%s: is empty", table->path);
    if (got < 0 || (!table->column && dl_csv_choose_columns(table, csv, like, error)))
        return -1;
    if (!table->options->header)
        take_row(table, csv, !like, error);
    int64_t more = 0, last = 0;
    while ((got = dl_csv_next(csv, error)) > 0)
        if (error->count < before + DL_CSV_MOST_ERRORS || dl_csv_has_all(table, csv))
            take_row(table, csv, !like, error);
        else
            more++, last = csv->line;
    if (more)
        dl_fail(error, DL_DATA,
                "%s: %lld more row%s another number of fields, the last in line %lld", table->path,
                (long long)more, more == 1 ? " has" : "s have", (long long)last);
    return got < 0 ? -1 : 0;
}

static int check_rows(const dl_csv_table *table, int before, dl_error *error) {
    if (table->rows || error->count > before)
        return table->rows ? 0 : -1;
    return dl_fail(error, DL_DATA, "%s: has no rows%s", table->path,
                   table->options->missing == DL_CSV_MISSING_DROP ? " without a missing value"
                                                                  : " below the header");
}

/* All is to be found anew: the last column is a column. */
static void start_again(dl_csv_table *table) {
    dl_csv_table again = {.dataset = table->dataset,
                          .options = table->options,
                          .path = table->path,
                          .delimiter = table->delimiter,
                          .group = -1,
                          .weight = -1,
                          .keep_last = true};
    table->path = NULL;
    dl_csv_table_free(table);
    *table = again;
}

int dl_csv_look(dl_csv_table *table, const dl_schema *like, dl_error *error) {
    int before = error->count;
    for (bool first = true;; first = false) {
        dl_csv_reader csv = {0};
        dl_error again = {0}; /* the errors of the first time */
        int result = dl_csv_open(&csv, table->path, table->delimiter, error);
        if (!result)
            result = look_through(table, &csv, like, first ? error : &again);
        dl_csv_close(&csv);
        dl_error_clear(&again);
        if (result)
            return -1;
        if (table->keep_last && table->column[table->count - 1].empty_last) {
            start_again(table);
        } else if (!like && dl_csv_settle(table)) {
            forget(table);
        } else {
            check_missing(table, !like, error);
            return check_rows(table, before, error);
        }
    }
}

int dl_csv_skip_header(const dl_csv_table *table, dl_csv_reader *csv, dl_error *error) {
    return table->options->header && dl_csv_next(csv, error) < 0 ? -1 : 0;
}

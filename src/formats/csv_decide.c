/* SPDX-License-Identifier: MIT */
/* What each column of a table is, judged by all of its values. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/csv.h"

enum { MOST_WHOLE_CLASSES = 20, FEW_ROWS = 50, MOST_FEATURES = 1 << 24 };

static int not_a_number(const dl_csv_table *table, const dl_csv_column *column, const char *advice,
                        dl_error *error) {
    char more[64] = "";
    if (column->text.count > 1)
        snprintf(more, sizeof more, " (nor are %lld more)", (long long)column->text.count - 1);
    return dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": \"%s\" is not a number%s%s",
                   table->path, (long long)column->text.line, column->name, column->text.text, more,
                   advice);
}

/* A number here and there that is none is a slip, not a category: at least 9 of 10 are numbers. */
static bool mostly_numbers(const dl_csv_column *column) {
    return column->numbers + column->infinite.count >= 9 * column->text.count;
}

static int decide_kind(const dl_csv_table *table, dl_csv_column *column, dl_error *error) {
    if (!column->categorical && column->text.count) {
        bool first = column->text.line == table->first_line;
        if (mostly_numbers(column))
            return not_a_number(table, column,
                                first && !table->options->header
                                    ? ", but the others are (is the first line a header?)"
                                    : ", but most of the column are; if it is meant, list the "
                                      "column in `categorical`",
                                error);
        column->categorical = true;
    }
    return 0;
}

static int decide_target(const dl_csv_table *table, dl_csv_column *column, dl_error *error) {
    int task = table->options->task;
    if (task == DL_CSV_REGRESSION) {
        column->categorical = false;
        return column->text.count
                   ? not_a_number(table, column, ", but task is \"regression\"", error)
                   : 0;
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
    int64_t values = column->numbers + column->text.count + column->infinite.count;
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

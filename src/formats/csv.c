/* SPDX-License-Identifier: MIT */
/* CSV tables (RFC 4180). The first pass over the file determines the columns, the second stores the
   values; the text is never in memory as a whole. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/csv.h"

static const char *const task_choices[] = {"auto", "classification", "regression", NULL};
static const char *const missing_choices[] = {"error", "mean", "drop_row", NULL};
static const char *const decimal_choices[] = {"auto", ".", ",", NULL};
static const char *const order_choices[] = {"auto", "dmy", "mdy", NULL};
static const char *const unknown_choices[] = {"error", "ignore", NULL};

static const dl_option options[] = {
    DL_STRING_OPTION("file", dl_csv_options, file, DL_REQUIRED,
                     "CSV file, plain or gzip, with one row per line. A column whose values are "
                     "not all numbers is one-hot encoded, one input per category"),
    DL_STRING_OPTION("delimiter", dl_csv_options, delimiter, ",",
                     "delimiter, one character or \"tab\""),
    DL_BOOL_OPTION("header", dl_csv_options, header, "true",
                   "the first line has column names; else the columns are named 1, 2, 3, …"),
    DL_NAMES_OPTION("target", dl_csv_options, target, DL_NO_DEFAULT,
                    "target column, by name or number from 1, or a list of numeric columns for "
                    "regression with several outputs; default: the last one that is not ignored"),
    DL_CHOICE_OPTION(
        "task", dl_csv_options, task, "auto", task_choices,
        "type of the target: classification (distinct values are the classes) or regression; auto "
        "is classification for text and for at most 20 distinct integers"),
    DL_NAMES_OPTION("categorical", dl_csv_options, categorical, DL_NO_DEFAULT,
                    "columns, by name or number, to treat as categories although they look like "
                    "numbers, such as district codes"),
    DL_NAMES_OPTION("dates", dl_csv_options, dates, DL_NO_DEFAULT,
                    "columns of dates, by name or number. A column \"when\" becomes the inputs "
                    "when.year, when.month, when.day, when.weekday (1 is Monday, 7 Sunday) and "
                    "when.seconds (since midnight). Read are 2024-05-01, 20240501, 31.12.2024 "
                    "and, see date_order, 31/12/2024; alone or with a time: 2024-05-01T12:30:00Z, "
                    "2024-05-01 12:30, 1/5/2024 2:30 PM. Times are used as written: a zone (Z, "
                    "+02:00) is not applied"),
    DL_CHOICE_OPTION("date_order", dl_csv_options, date_order, "auto", order_choices,
                     "order of dates with the year last: dmy (day, month, year) or mdy. auto: with "
                     "dots it is dmy; with / or - it follows from a date of the column that has "
                     "only one reading (31/12/2024), and without one (03/04/2024) is an error"),
    DL_NAMES_OPTION("ignore", dl_csv_options, ignore, DL_NO_DEFAULT,
                    "columns, by name or number, to ignore, such as identifiers"),
    DL_NAME_OPTION("group", dl_csv_options, group, DL_NO_DEFAULT,
                   "column, by name or number, of groups of rows, such as a patient, speaker or "
                   "day. A split keeps the rows of a group together, so that test rows are not "
                   "from groups used in training. The column is not an input"),
    DL_NAME_OPTION("weight", dl_csv_options, weight, DL_NO_DEFAULT,
                   "column, by name or number, of weights of the rows, at least 0. The loss of a "
                   "batch, and of validation and test, is the weighted mean: the sum of weight * "
                   "loss divided by the sum of the weights. Metrics and normalization are not "
                   "weighted. The column is not an input"),
    DL_MERGE_OPTION(dl_csv_options),
    DL_CHOICE_OPTION(
        "missing", dl_csv_options, missing, "error", missing_choices,
        "handling of missing values: error (with its line); mean (of the column in the training "
        "data; for a category, none of them); or drop_row (omit the row). Empty fields, ? and nan "
        "are missing values; in numeric columns, so are NA, N/A, NULL, None, nil, -, . and the "
        "like"),
    DL_STRINGS_OPTION("missing_values", dl_csv_options, missing_values, DL_NO_DEFAULT,
                      "additional markers of missing values, in all columns: (\"-999\", \"n.b.\")"),
    DL_CHOICE_OPTION("decimal", dl_csv_options, decimal, "auto", decimal_choices,
                     "decimal separator of numbers; the other of the two then separates thousands. "
                     "auto detects it per column; a column that can be read either way (1,234) is "
                     "an error"),
    DL_CHOICE_OPTION("unknown", dl_csv_options, unknown, "error", unknown_choices,
                     "handling of categories that are not in the training data: error (with its "
                     "line) or ignore (all inputs of the column are 0)"),
    DL_OPTIONS_END,
};

typedef struct {
    int64_t features;
    double *x; /* [count][features] */
    int64_t targets;
    double *y;       /* [count][targets] */
    uint64_t *group; /* [count], or NULL */
    float *weight;   /* [count], or NULL */
} csv_state;

/* ---- the second pass ---- */

/* FNV-1a: names that differ have, but for one in 10^19, other numbers. */
static uint64_t hash(const char *name) {
    uint64_t h = 14695981039346656037u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211u;
    return h ^ h >> 32;
}

/* The number of the class or category of a field; -1 if the training data has none. */
static int class_of(const dl_csv_table *table, const dl_csv_column *column, const char *field) {
    char plain[32];
    const char *name = column->target ? dl_merge_name(&table->dataset->merge, field) : field;
    if (column->target && name == field && dl_csv_plain_whole(plain, field))
        name = dl_merge_name(&table->dataset->merge, plain);
    return dl_csv_find_class(&column->names, name == plain ? field : name);
}

static int unknown_name(const dl_csv_table *table, const dl_csv_reader *csv, int column,
                        dl_error *error) {
    const dl_csv_column *c = &table->column[column];
    const char *name = csv->field[column];
    char quoted[64];
    const char *nearest = dl_text_nearest(name, (const char *const *)c->names.name, c->names.count);
    bool class = c->target;
    return dl_fail(
        error, DL_DATA, "%s:%lld: column \"%s\": the training data has no %s \"%s\"%s%s%s%s",
        table->path, (long long)csv->line, c->name, class ? "class" : "category",
        dl_csv_quote(quoted, name), nearest ? " (did you mean \"" : "", nearest ? nearest : "",
        nearest ? "\"?)" : "", class ? "" : "; unknown = \"ignore\" makes it none of them");
}

static int number_of(const dl_csv_table *table, const dl_csv_reader *csv, int column, double *out,
                     dl_error *error) {
    char quoted[64];
    dl_csv_type type = dl_csv_value(&table->column[column], csv->field[column], out);
    if (type == DL_CSV_NUMBER)
        return 0;
    return dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": \"%s\" is not a %snumber", table->path,
                   (long long)csv->line, table->column[column].name,
                   dl_csv_quote(quoted, csv->field[column]),
                   type == DL_CSV_INFINITE ? "finite " : "");
}

static int store_number(const dl_csv_table *table, const dl_csv_reader *csv, int index, double *to,
                        dl_error *error) {
    const dl_csv_column *column = &table->column[index];
    const char *field = csv->field[index];
    bool own = table->options->missing_values.count > 0, plain = column->decimal == '.';
    if (plain && !own && dl_csv_number(field, to) == DL_CSV_NUMBER)
        return 0;
    if (dl_csv_is_missing(table, column, field))
        *to = column->mean[0];
    else
        return number_of(table, csv, index, to, error);
    return 0;
}

static int store_date(const dl_csv_table *table, const dl_csv_reader *csv, int index, double *to,
                      dl_error *error) {
    const dl_csv_column *column = &table->column[index];
    const char *field = csv->field[index];
    char quoted[64];
    if (dl_csv_is_missing(table, column, field)) {
        memcpy(to, column->mean, sizeof column->mean);
        return 0;
    }
    dl_csv_date_type type = dl_csv_date(field, column->order, to);
    return type == DL_CSV_DATE ? 0
                               : dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": \"%s\" %s",
                                         table->path, (long long)csv->line, column->name,
                                         dl_csv_quote(quoted, field), dl_csv_date_reason(type));
}

static int store_category(const dl_csv_table *table, const dl_csv_reader *csv, int index,
                          double *to, dl_error *error) {
    dl_csv_column *column = &table->column[index];
    const char *field = csv->field[index];
    if (dl_csv_is_missing(table, column, field))
        return 0;
    int category = class_of(table, column, field);
    if (category >= 0)
        to[category] = 1;
    else if (table->options->unknown == DL_CSV_UNKNOWN_ERROR)
        return unknown_name(table, csv, index, error);
    else
        dl_csv_note(&column->unknown, csv->line, field);
    return 0;
}

static int store_target(const dl_csv_table *table, const dl_csv_reader *csv, int index, double *y,
                        dl_error *error) {
    const dl_csv_column *column = &table->column[index];
    if (dl_csv_is_missing(table, column, csv->field[index])) /* is reported already */
        return 0;
    if (!column->categorical)
        return number_of(table, csv, index, y, error);
    int class = class_of(table, column, csv->field[index]);
    *y = class;
    return class < 0 ? unknown_name(table, csv, index, error) : 0;
}

static int store_weight(const dl_csv_table *table, const dl_csv_reader *csv, float *weight,
                        dl_error *error) {
    double value = 0;
    const char *field = csv->field[table->weight];
    if (!dl_csv_is_missing(table, &table->column[table->weight], field) &&
        number_of(table, csv, table->weight, &value, error))
        return -1;
    *weight = (float)value;
    return value >= 0
               ? 0
               : dl_fail(error, DL_DATA,
                         "%s:%lld: column \"%s\": a weight must not be negative: %s", table->path,
                         (long long)csv->line, table->column[table->weight].name, field);
}

int dl_csv_store_inputs(const dl_csv_table *table, const dl_csv_reader *csv, double *x,
                        dl_error *error) {
    int result = 0;
    for (int i = 0; i < table->inputs; i++) {
        int index = table->input[i];
        const dl_csv_column *column = &table->column[index];
        double *to = x + column->offset;
        if (column->categorical)
            result |= store_category(table, csv, index, to, error);
        else if (column->date)
            result |= store_date(table, csv, index, to, error);
        else
            result |= store_number(table, csv, index, to, error);
    }
    return result;
}

/* Stores the record as row `row`, which is all 0. */
static int store(const dl_csv_table *table, const dl_csv_reader *csv, csv_state *state, int64_t row,
                 dl_error *error) {
    double *y = state->y + row * state->targets;
    int result = dl_csv_store_inputs(table, csv, state->x + row * state->features, error);
    for (int i = 0; i < table->targets; i++)
        result |= store_target(table, csv, table->target[i], y + i, error);
    if (state->group)
        state->group[row] = hash(csv->field[table->group]);
    if (state->weight)
        result |= store_weight(table, csv, &state->weight[row], error);
    return result;
}

/* faulty: an error of a row is reported already, and the others are looked for. */
static int store_rows(const dl_csv_table *table, dl_csv_reader *csv, csv_state *state, bool faulty,
                      dl_error *error) {
    int64_t row = 0;
    int got = 0, first_error = error->count, result = 0;
    if (dl_csv_skip_header(table, csv, error))
        return -1;
    while ((got = dl_csv_next(csv, error)) > 0) {
        if (error->count >= first_error + DL_CSV_MOST_ERRORS)
            return dl_fail(error, DL_DATA, "%s:%lld: more than %d errors: checking stopped here",
                           table->path, (long long)csv->line, DL_CSV_MOST_ERRORS);
        if (!dl_csv_has_all(table, csv) && faulty)
            continue;
        if (!dl_csv_has_all(table, csv))
            break;
        if (table->options->missing == DL_CSV_MISSING_DROP && dl_csv_incomplete(table, csv))
            continue;
        if (row == table->rows)
            break;
        table->dataset->sources.line[row] = csv->line;
        result |= store(table, csv, state, row++, error);
    }
    if (!faulty && !result && got >= 0 && (got || row != table->rows))
        return dl_fail(error, DL_DATA, "%s:%lld: the file was changed while it was read",
                       table->path, (long long)csv->line);
    return got < 0 || faulty ? -1 : result;
}

/* A few megabytes of text can ask for a lot of memory, if their categories are many. */
static int allocate(const dl_csv_table *table, csv_state *state, dl_error *error) {
    int64_t values = 0, bytes = 0;
    bool fits = dl_multiply(table->rows, state->features, &values) &&
                dl_multiply(values, (int64_t)sizeof(double), &bytes);
    char advice[128];
    snprintf(advice, sizeof advice, "it has %lld rows of %lld numbers, one a category",
             (long long)table->rows, (long long)state->features);
    if (dl_dataset_fits(table->dataset, table->path,
                        8.0 * (double)table->rows * (double)(state->features + state->targets),
                        advice, error) ||
        !fits)
        return -1;
    dl_sources_add(&table->dataset->sources, table->path, 0);
    table->dataset->sources.line = xcalloc((size_t)table->rows, sizeof(int64_t));
    state->x = xcalloc((size_t)values, sizeof *state->x);
    state->y = xcalloc((size_t)table->rows * (size_t)state->targets, sizeof *state->y);
    if (table->weight >= 0)
        state->weight = xcalloc((size_t)table->rows, sizeof *state->weight);
    if (table->group >= 0)
        state->group = xcalloc((size_t)table->rows, sizeof *state->group);
    return 0;
}

/* ---- the format ---- */

static int read_delimiter(dl_csv_table *table, dl_error *error) {
    const char *text = table->options->delimiter, *where = table->dataset->where;
    if (!strcmp(text, "tab") || !strcmp(text, "\\t"))
        text = "\t";
    table->delimiter = text[0];
    if (text[0] && !text[1] && !strchr("\"\r\n", text[0]))
        return 0;
    return dl_fail(
        error, DL_DATA,
        "%s%sdelimiter: must be one character (not a quote or a newline) or \"tab\", not \"%s\"",
        where ? where : "", where ? ": " : "", text);
}

static int open_table(dl_dataset *dataset, const dl_schema *like, dl_csv_table *table,
                      dl_error *error) {
    csv_state *state = dataset->state;
    if (read_delimiter(table, error))
        return -1;
    table->path = dl_dataset_find(dataset, table->options->file, error);
    int before = error->count;
    if (!table->path || dl_csv_look(table, like, error))
        return -1;
    if (like)
        dataset->schema = dl_schema_copy(like);
    else if (dl_csv_decide(table, &dataset->schema, error))
        return -1;
    bool faulty = error->count > before;
    if (faulty && !like)
        return -1;
    dataset->count = table->rows;
    dataset->input_doubles = true;
    dataset->target_doubles = !dataset->schema.classes;
    state->features = dl_shape_size(dataset->schema.input);
    state->targets = table->targets;
    if (allocate(table, state, error))
        return -1;
    dl_csv_reader csv = {0};
    int result = dl_csv_open(&csv, table->path, table->delimiter, error);
    if (!result)
        result = store_rows(table, &csv, state, faulty, error);
    dl_csv_close(&csv);
    dataset->group = state->group;
    dataset->weight = state->weight;
    dl_csv_describe(table, !like);
    return result;
}

static int csv_open(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    dl_csv_table table = {
        .dataset = dataset, .options = dataset->options, .group = -1, .weight = -1};
    dataset->state = xcalloc(1, sizeof(csv_state));
    int result = open_table(dataset, like, &table, error);
    dl_csv_table_free(&table);
    return result;
}

static int csv_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error) {
    const csv_state *state = dataset->state;
    (void)error;
    const double *row = state->x + i * state->features;
    for (int64_t k = 0; x && k < state->features; k++)
        x[k] = (float)row[k];
    for (int64_t k = 0; y && k < state->targets; k++)
        y[k] = (float)state->y[i * state->targets + k];
    return 0;
}

static void csv_read_doubles(const dl_dataset *dataset, int64_t i, double *x, double *y) {
    const csv_state *state = dataset->state;
    if (x)
        memcpy(x, state->x + i * state->features, sizeof *x * (size_t)state->features);
    if (y)
        memcpy(y, state->y + i * state->targets, sizeof *y * (size_t)state->targets);
}

static void csv_close(dl_dataset *dataset) {
    csv_state *state = dataset->state;
    dl_sources_free(&dataset->sources);
    if (!state)
        return;
    free(state->x);
    free(state->y);
    free(state->group);
    free(state->weight);
    free(state);
    dataset->state = NULL;
}

extern const dl_dataset_type dl_dataset_csv;
const dl_dataset_type dl_dataset_csv = {
    .kind = {.name = "csv",
             .help = "a table of comma-separated values, one column of which is the target: "
                     "numbers, categories (one-hot), dates and classes by their names",
             .size = sizeof(dl_csv_options),
             .options = options},
    .open = csv_open,
    .read = csv_read,
    .read_doubles = csv_read_doubles,
    .close = csv_close,
};

/* SPDX-License-Identifier: MIT */
/* CSV and JSON lines, row by row as they come. A net that was trained on a table takes its columns
   by name; any other net takes a row of plain numbers, as many as its inputs are. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "library/inputs.h"

/* How a net reads a record. */
typedef struct {
    dl_csv_table table; /* without columns: plain numbers */
    dl_csv_options strict, lenient;
    dl_dataset dataset;
    double *row; /* [input size] */
} row_reader;

struct table_reader {
    dl_csv_reader csv;    /* the file */
    dl_csv_reader record; /* the row at hand: its fields, of CSV or JSON */
    dl_string_set names;  /* of JSON: the columns of the record */
    row_reader *reader;   /* [net->count] */
    int *keep;            /* [keep_count]: columns of the record */
    bool plain, pending;  /* pending: the record at hand is the first row */
    int64_t json_room;
};

static bool is_plain(const dltrain_inputs *in) {
    return !in->net->info.columns;
}

static char delimiter_of(const dltrain_inputs *in) {
    const dl_dataset *train = &in->net->member[0].model.data.dataset[DL_TRAIN];
    const char **text = net_format_option(train, "delimiter");
    return !text || !(*text)[0] ? ',' : (*text)[1] ? '\t' : (*text)[0];
}

/* ---- JSON ---- */

/* Copies a value as the text of a field. */
static const char *json_text(dltrain_inputs *in, const json_t *value) {
    char number[32];
    if (json_is_string(value))
        return dl_arena_strdup(&in->strings, json_string_value(value));
    if (json_is_integer(value))
        return dl_arena_printf(&in->strings, "%lld", (long long)json_integer_value(value));
    if (json_is_real(value)) {
        dl_text_double(number, json_real_value(value));
        return dl_arena_strdup(&in->strings, number);
    }
    return json_is_true(value) ? "true" : json_is_false(value) ? "false" : "";
}

static void add_json_field(table_reader *t, const char *text) {
    dl_csv_reader *r = &t->record;
    if (r->fields == r->room) {
        r->room = r->room ? 2 * r->room : 64;
        r->field = xrealloc(r->field, sizeof *r->field * (size_t)r->room);
    }
    r->field[r->fields++] = (char *)text; /* read only */
}

/* Numbers, or lists of them. */
static void add_json_numbers(dltrain_inputs *in, const json_t *value, int depth) {
    if (json_is_array(value) && depth < 8)
        for (size_t i = 0; i < json_array_size(value); i++)
            add_json_numbers(in, json_array_get(value, i), depth + 1);
    else
        add_json_field(in->table, json_text(in, value));
}

static int split_json(dltrain_inputs *in, const char *line, dl_error *error) {
    table_reader *t = in->table;
    json_error_t fault;
    json_t *object = json_loads(line, 0, &fault);
    t->record.fields = 0;
    bool right = object && (t->plain ? json_is_array(object) : json_is_object(object));
    if (!right) {
        dl_fail(error, DL_DATA, "%s:%lld: %s", t->csv.path, (long long)t->csv.line,
                !object    ? fault.text
                : t->plain ? "must be a list of numbers"
                           : "must be an object {\"column\": value, ...}");
    } else if (t->plain) {
        add_json_numbers(in, object, 0);
    } else {
        for (int i = 0; i < t->names.count && right; i++) {
            const json_t *value = json_object_get(object, t->names.name[i]);
            right = !json_is_array(value) && !json_is_object(value);
            if (!right)
                dl_fail(error, DL_DATA,
                        "%s:%lld: column \"%s\": must be a number or a text, not %s", t->csv.path,
                        (long long)t->csv.line, t->names.name[i],
                        json_is_array(value) ? "a list" : "an object");
            add_json_field(t, json_text(in, value));
        }
    }
    json_decref(object);
    return right ? 0 : -1;
}

/* ---- columns ---- */

static void open_reader(const dltrain_inputs *in, const net_member *m, row_reader *r) {
    const dl_dataset *train = &m->model.data.dataset[DL_TRAIN];
    const table_reader *t = in->table;
    r->strict = *(const dl_csv_options *)train->options;
    if (r->strict.missing == DL_CSV_MISSING_DROP)
        r->strict.missing = DL_CSV_MISSING_ERROR;
    r->strict.header |= in->part[in->at].json;
    r->strict.group = r->strict.weight = NULL;
    r->lenient = r->strict;
    r->lenient.missing = DL_CSV_MISSING_MEAN;
    r->lenient.unknown = DL_CSV_UNKNOWN_IGNORE;
    r->dataset = (dl_dataset){.type = train->type, .where = train->where, .unlabeled = true};
    r->table = (dl_csv_table){.dataset = &r->dataset,
                              .options = &r->strict,
                              .path = xstrdup(t->csv.path),
                              .delimiter = t->csv.delimiter,
                              .group = -1,
                              .weight = -1};
}

static int find_kept(dltrain_inputs *in, dl_error *error) {
    table_reader *t = in->table;
    int result = 0;
    t->keep = xcalloc((size_t)in->options.keep_count + 1, sizeof *t->keep);
    for (int k = 0; k < in->options.keep_count; k++) {
        const dl_csv_table *table = &t->reader[0].table;
        int at = table->count - 1;
        while (at >= 0 && strcmp(table->column[at].name, in->options.keep[k]) != 0)
            at--;
        t->keep[k] = at;
        if (at < 0)
            result = dl_fail(error, DL_DATA, "%s:%lld: has no column \"%s\" to keep", t->csv.path,
                             (long long)t->record.line, in->options.keep[k]);
    }
    return result;
}

/* The record at hand has the names, or is the first row of a table without a header. */
static int choose_columns(dltrain_inputs *in, dl_error *error) {
    table_reader *t = in->table;
    int result = 0;
    for (int i = 0; i < in->net->count; i++) {
        const dl_data *data = &in->net->member[i].model.data;
        if (strcmp(data->dataset[DL_TRAIN].type->kind.name, "csv") != 0)
            return dl_fail(error, DL_USAGE, "%s was trained on a table, and %s was not",
                           in->net->member[0].path, in->net->member[i].path);
        open_reader(in, &in->net->member[i], &t->reader[i]);
        result |= dl_csv_choose_columns(&t->reader[i].table, &t->record, &data->base, error);
    }
    t->pending = !t->reader[0].strict.header;
    return result ? -1 : find_kept(in, error);
}

/* The columns of a JSON object are those that a net or the caller asks for. */
static void name_json_columns(dltrain_inputs *in) {
    table_reader *t = in->table;
    for (int i = 0; i < in->net->count; i++) {
        const dl_schema *base = &in->net->member[i].model.data.base;
        for (int c = 0; c < base->columns; c++) {
            char *name = dl_csv_name_in_file(base, c);
            dl_string_set_add(&t->names, name);
            free(name);
        }
    }
    for (int k = 0; k < in->options.keep_count; k++)
        dl_string_set_add(&t->names, in->options.keep[k]);
    t->record.fields = 0;
    for (int i = 0; i < t->names.count; i++)
        add_json_field(t, t->names.name[i]);
}

/* ---- a row ---- */

static int missing(const row_reader *r, const dl_csv_reader *record, dl_error *error) {
    int result = 0;
    for (int i = 0; i < r->table.inputs && r->strict.missing == DL_CSV_MISSING_ERROR; i++) {
        const dl_csv_column *column = &r->table.column[r->table.input[i]];
        if (dl_csv_is_missing(&r->table, column, record->field[r->table.input[i]]))
            result = dl_fail(error, DL_DATA, "%s:%lld: column \"%s\": the value is missing",
                             record->path, (long long)record->line, column->name);
    }
    return result;
}

static int read_plain(row_reader *r, const dl_csv_reader *record, int64_t size, dl_error *error) {
    char quoted[64];
    if (record->fields != size)
        return dl_fail(error, DL_DATA, "%s:%lld: has %d numbers, but the net has %lld inputs",
                       record->path, (long long)record->line, record->fields, (long long)size);
    for (int i = 0; i < record->fields; i++)
        if (dl_csv_number(record->field[i], &r->row[i]) != DL_CSV_NUMBER)
            return dl_fail(error, DL_DATA, "%s:%lld: field %d: \"%s\" is not a finite number",
                           record->path, (long long)record->line, i + 1,
                           dl_csv_quote(quoted, record->field[i]));
    return 0;
}

static int read_columns(row_reader *r, const dl_csv_reader *record, int64_t size, bool lenient,
                        dl_error *error) {
    memset(r->row, 0, sizeof *r->row * (size_t)size);
    if (!dl_csv_has_all(&r->table, record))
        return dl_fail(error, DL_DATA, "%s:%lld: has %d field%s, but %s has %d", record->path,
                       (long long)record->line, record->fields, record->fields == 1 ? "" : "s",
                       r->strict.header ? "the header" : "the first row", r->table.count);
    r->table.options = lenient ? &r->lenient : &r->strict;
    if (!lenient && missing(r, record, error))
        return -1;
    return dl_csv_store_inputs(&r->table, record, r->row, error);
}

/* x[size] of a net, normalized. */
static void set_input(dltrain_inputs *in, net_member *m, const double *row, int at) {
    const dl_data *data = &m->model.data;
    const double *origin = data->base.input_origin;
    int64_t size = dl_shape_size(data->schema.input);
    float *x = m->x + at * size;
    for (int64_t k = 0; k < size; k++)
        x[k] = (float)(origin ? row[k] - origin[k] : row[k]);
    if (m == in->net->member)
        memcpy(in->input + at * size, x, sizeof *x * (size_t)size);
    dl_normalize(&data->input, x, 1, size);
}

/* The row as answer `at`. 0; 1: it is skipped. */
static int take_row(dltrain_inputs *in, int at) {
    table_reader *t = in->table;
    dl_error error = {0};
    bool lenient = false, skipped = false;
    for (int i = 0; i < in->net->count; i++) {
        net_member *m = &in->net->member[i];
        row_reader *r = &t->reader[i];
        int64_t size = dl_shape_size(m->model.data.schema.input);
        int result = t->plain ? read_plain(r, &t->record, size, &error)
                              : read_columns(r, &t->record, size, lenient, &error);
        bool may = result && !t->plain && !lenient && in->options.unknown;
        dl_error again = {0};
        if (may && !read_columns(r, &t->record, size, true, &again)) {
            skipped = in->options.unknown == DLTRAIN_UNKNOWN_SKIP;
            if (!in->unknown++)
                in->unknown_example = xstrdup(dl_text_get(&error.text));
            dl_error_clear(&error);
            lenient = true;
            result = 0;
        }
        dl_error_clear(&again);
        if (result)
            memset(r->row, 0, sizeof *r->row * (size_t)size);
        set_input(in, m, r->row, at);
    }
    in->problem[at] = error.count ? dl_arena_strdup(&in->strings, dl_text_get(&error.text)) : NULL;
    dl_error_clear(&error);
    return skipped;
}

static void name_row(dltrain_inputs *in, int at) {
    const table_reader *t = in->table;
    in->file[at] = t->csv.path;
    in->row[at] = t->record.line;
    for (int k = 0; k < in->options.keep_count; k++) {
        bool has = t->keep && t->keep[k] < t->record.fields;
        in->kept[at * in->options.keep_count + k] =
            has ? dl_arena_strdup(&in->strings, t->record.field[t->keep[k]]) : "";
    }
}

/* ---- the file ---- */

/* 1: a record, for answer `at`; bad: it has a problem; 0: the end, -1 and an error that ends the
   reading. */
static int next_record(dltrain_inputs *in, int at, bool *bad) {
    table_reader *t = in->table;
    dl_error *error = &in->net->error;
    if (t->pending) {
        t->pending = false;
        return 1;
    }
    int got = dl_csv_next(&t->csv, error);
    if (got <= 0)
        return got;
    t->record.path = t->csv.path;
    t->record.line = t->csv.line;
    *bad = false;
    if (in->part[in->at].json) {
        dl_error fault = {0};
        *bad = split_json(in, t->csv.field[0], &fault);
        if (*bad)
            in->problem[at] = dl_arena_strdup(&in->strings, dl_text_get(&fault.text));
        dl_error_clear(&fault);
    } else {
        t->record.field = t->csv.field;
        t->record.fields = t->csv.fields;
    }
    return 1;
}

static bool is_header(const dl_csv_reader *record) {
    double value;
    return dl_csv_number(record->field[0], &value) == DL_CSV_TEXT;
}

/* Reads the header, if there is one. */
static int open_columns(dltrain_inputs *in) {
    table_reader *t = in->table;
    dl_error *error = &in->net->error;
    bool bad = false;
    int got;
    if (in->part[in->at].json) {
        t->record.path = t->csv.path;
        if (!t->plain)
            name_json_columns(in);
        return t->plain ? 0 : choose_columns(in, error);
    }
    got = next_record(in, 0, &bad);
    if (got <= 0)
        return got ? -1 : dl_fail(error, DL_DATA, "%s: is empty", t->csv.path);
    if (!t->plain)
        return choose_columns(in, error);
    t->pending = !is_header(&t->record);
    return 0;
}

static int open_table(dltrain_inputs *in, const input_part *part) {
    table_reader *t = in->table = xcalloc(1, sizeof *t);
    dl_error *error = &in->net->error;
    t->reader = xcalloc((size_t)in->net->count, sizeof *t->reader);
    t->plain = is_plain(in);
    char delimiter = part->json ? '\x01' : delimiter_of(in); /* a JSON line is one field */
    if (t->plain && in->options.keep_count)
        return dl_fail(error, DL_USAGE, "%s: columns can be kept of tables with names only",
                       part->path);
    for (int i = 0; i < in->net->count; i++)
        t->reader[i].row = xcalloc(
            (size_t)dl_shape_size(in->net->member[i].model.data.schema.input), sizeof(double));
    if (in->standard && !strcmp(part->path, "standard input")) {
        dl_csv_open_stream(&t->csv, in->standard, part->path, delimiter);
        in->standard = NULL; /* closed with it */
    } else if (dl_csv_open(&t->csv, part->path, delimiter, error)) {
        return -1;
    }
    return open_columns(in);
}

int inputs_next_rows(dltrain_inputs *in, input_part *part) {
    if (!in->table && open_table(in, part))
        return -1;
    /* A stream is answered line by line. */
    int most = dl_reader_is_stream(in->table->csv.reader) ? 1 : in->net->batch, count = 0, got = 1;
    bool bad = false;
    while (count < most && (got = next_record(in, count, &bad)) > 0) {
        if (!bad && take_row(in, count))
            continue;
        name_row(in, count++);
    }
    if (got < 0)
        return -1;
    for (int i = 0; i < in->net->count; i++)
        in->net->member[i].input = in->net->member[i].x;
    if (count)
        inputs_answer(in, count);
    return count > 0;
}

void inputs_close_table(dltrain_inputs *in) {
    table_reader *t = in->table;
    if (!t)
        return;
    for (int i = 0; i < in->net->count; i++) {
        dl_csv_table_free(&t->reader[i].table);
        free(t->reader[i].row);
    }
    if (t->record.field != t->csv.field)
        free(t->record.field);
    dl_csv_close(&t->csv);
    dl_string_set_free(&t->names);
    free(t->reader);
    free(t->keep);
    free(t);
    in->table = NULL;
}

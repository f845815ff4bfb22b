/* SPDX-License-Identifier: MIT */
#include "formats/schema.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Limits against hostile checkpoints. */
enum {
    MAX_ELEMENTS = 1 << 28,
    MAX_CLASSES = 1 << 20,
    MAX_OUTPUTS = 1 << 20,
    MAX_COLUMNS = 1 << 20
};
static const int64_t MAX_ROWS = (int64_t)1 << 40;

const char *const dl_date_parts[DL_DATE_PARTS] = {"year", "month", "day", "weekday", "seconds"};

static char **copy_names(char **names, int count) {
    if (!names)
        return NULL;
    char **copy = xcalloc((size_t)count, sizeof *copy);
    for (int i = 0; i < count; i++)
        copy[i] = xstrdup(names[i]);
    return copy;
}

/* `names` may be NULL or partially filled. */
static void free_names(char **names, int count) {
    for (int i = 0; names && i < count; i++)
        free(names[i]);
    free(names);
}

static void *copy_list(const void *list, int64_t count, size_t size) {
    size_t bytes = size * (size_t)count;
    return list ? memcpy(xmalloc(bytes), list, bytes) : NULL;
}

dl_schema dl_schema_copy(const dl_schema *schema) {
    dl_schema copy = *schema;
    copy.class_names = copy_names(schema->class_names, schema->classes);
    copy.class_count = copy_list(schema->class_count, schema->classes, sizeof(int64_t));
    copy.bin_edge = copy_list(schema->bin_edge, schema->classes - 1, sizeof(double));
    copy.bin_mean = copy_list(schema->bin_mean, schema->classes, sizeof(double));
    copy.input_origin =
        copy_list(schema->input_origin, dl_shape_size(schema->input), sizeof(double));
    copy.target_origin = copy_list(schema->target_origin, schema->outputs, sizeof(double));
    copy.target_name = copy_names(schema->target_name, schema->targets);
    copy.target_decimal = schema->target_decimal ? xstrdup(schema->target_decimal) : NULL;
    copy.column = NULL;
    if (schema->columns)
        copy.column = xcalloc((size_t)schema->columns, sizeof *copy.column);
    for (int i = 0; i < schema->columns; i++) {
        const dl_column *from = &schema->column[i];
        copy.column[i] = *from;
        copy.column[i].name = xstrdup(from->name);
        copy.column[i].category = copy_names(from->category, from->categories);
    }
    return copy;
}

void dl_schema_free_targets(dl_schema *schema) {
    free_names(schema->target_name, schema->targets);
    free(schema->target_decimal);
    schema->target_name = NULL;
    schema->target_decimal = NULL;
    schema->targets = 0;
}

void dl_schema_free(dl_schema *schema) {
    free_names(schema->class_names, schema->classes);
    free(schema->class_count);
    free(schema->bin_edge);
    free(schema->bin_mean);
    free(schema->input_origin);
    free(schema->target_origin);
    dl_schema_free_targets(schema);
    for (int i = 0; schema->column && i < schema->columns; i++) {
        free(schema->column[i].name);
        free_names(schema->column[i].category, schema->column[i].categories);
    }
    free(schema->column);
    *schema = (dl_schema){0};
}

const char *dl_schema_class(const dl_schema *schema, int class, char out[16]) {
    if (schema->class_names && class >= 0 && class < schema->classes)
        return schema->class_names[class];
    snprintf(out, 16, "%d", class);
    return out;
}

/* ---- writing ---- */

static json_t *checked(json_t *value) {
    assert(value && "a name in a schema is not UTF-8");
    if (!value) /* with NDEBUG */
        abort();
    return value;
}

static json_t *names_to_json(char **names, int count) {
    json_t *list = checked(json_array());
    for (int i = 0; i < count; i++)
        json_array_append_new(list, checked(json_string(names[i])));
    return list;
}

static json_t *numbers_to_json(const double *numbers, int count) {
    json_t *list = checked(json_array());
    for (int i = 0; i < count; i++)
        json_array_append_new(list, checked(json_real(numbers[i])));
    return list;
}

static json_t *column_to_json(const dl_column *column) {
    json_t *object = checked(json_object());
    json_object_set_new(object, "name", checked(json_string(column->name)));
    if (column->categories)
        json_object_set_new(object, "categories",
                            names_to_json(column->category, column->categories));
    else
        json_object_set_new(object, "mean", checked(json_real(column->mean)));
    if (column->decimal == ',')
        json_object_set_new(object, "decimal", checked(json_string(",")));
    if (column->date)
        json_object_set_new(object, "date", checked(json_string(dl_date_parts[column->date - 1])));
    if (column->date_order)
        json_object_set_new(object, "date_order",
                            checked(json_string(column->date_order == 'd' ? "dmy" : "mdy")));
    return object;
}

char *dl_schema_to_json(const dl_schema *schema) {
    json_t *object = checked(json_object()), *list = checked(json_array());
    for (int i = 0; i < schema->input.rank; i++)
        json_array_append_new(list, checked(json_integer(schema->input.dim[i])));
    json_object_set_new(object, "input", list);
    json_object_set_new(object, "classes", checked(json_integer(schema->classes)));
    json_object_set_new(object, "outputs", checked(json_integer(schema->outputs)));
    if (schema->class_names)
        json_object_set_new(object, "class_names",
                            names_to_json(schema->class_names, schema->classes));
    if (schema->class_count) {
        list = checked(json_array());
        for (int i = 0; i < schema->classes; i++)
            json_array_append_new(list, checked(json_integer(schema->class_count[i])));
        json_object_set_new(object, "class_count", list);
    }
    if (schema->bin_edge) {
        json_object_set_new(object, "bin_edge",
                            numbers_to_json(schema->bin_edge, schema->classes - 1));
        json_object_set_new(object, "bin_mean", numbers_to_json(schema->bin_mean, schema->classes));
    }
    if (schema->input_origin)
        json_object_set_new(
            object, "input_origin",
            numbers_to_json(schema->input_origin, (int)dl_shape_size(schema->input)));
    if (schema->target_origin)
        json_object_set_new(object, "target_origin",
                            numbers_to_json(schema->target_origin, schema->outputs));
    if (schema->targets == 1)
        json_object_set_new(object, "target", checked(json_string(schema->target_name[0])));
    else if (schema->targets)
        json_object_set_new(object, "target", names_to_json(schema->target_name, schema->targets));
    if (schema->target_decimal && strchr(schema->target_decimal, ','))
        json_object_set_new(object, "target_decimal", checked(json_string(schema->target_decimal)));
    if (schema->columns) {
        list = checked(json_array());
        for (int i = 0; i < schema->columns; i++)
            json_array_append_new(list, column_to_json(&schema->column[i]));
        json_object_set_new(object, "columns", list);
    }
    char *dumped = json_dumps(object, JSON_COMPACT);
    dl_text text = {0};
    dl_text_add_json(&text, dumped);
    free(dumped);
    json_decref(object);
    return text.data;
}

/* ---- reading ---- */

typedef struct {
    const char *name; /* for messages */
    dl_error *error;
} reading;

static int damaged(const reading *r, const char *what) {
    return dl_fail(r->error, DL_DATA, "%s: the data schema is damaged: %s", r->name, what);
}

/* An integer of `object` in [low, high]. */
static int read_number(const reading *r, const json_t *object, const char *key, int low, int high,
                       int *out) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < low ||
        json_integer_value(value) > high)
        return damaged(r, key);
    *out = (int)json_integer_value(value);
    return 0;
}

/* A list of at most `max` strings; *count is set for freeing after a failure. */
static int read_names(const reading *r, const json_t *list, const char *key, int max, char ***names,
                      int *count) {
    if (!json_is_array(list) || !json_array_size(list) || json_array_size(list) > (size_t)max)
        return damaged(r, key);
    *count = (int)json_array_size(list);
    *names = xcalloc((size_t)*count, sizeof **names);
    for (int i = 0; i < *count; i++) {
        const json_t *name = json_array_get(list, (size_t)i);
        if (!json_is_string(name))
            return damaged(r, key);
        (*names)[i] = xstrdup(json_string_value(name));
    }
    return 0;
}

static int read_counts(const reading *r, const json_t *list, dl_schema *schema) {
    if (!json_is_array(list) || !schema->classes ||
        json_array_size(list) != (size_t)schema->classes)
        return damaged(r, "class_count");
    schema->class_count = xcalloc((size_t)schema->classes, sizeof *schema->class_count);
    for (int i = 0; i < schema->classes; i++) {
        const json_t *count = json_array_get(list, (size_t)i);
        if (!json_is_integer(count) || json_integer_value(count) < 0 ||
            json_integer_value(count) > MAX_ROWS)
            return damaged(r, "class_count");
        schema->class_count[i] = json_integer_value(count);
    }
    return 0;
}

static double *read_numbers(const reading *r, const json_t *list, const char *key, int count) {
    if (!json_is_array(list) || json_array_size(list) != (size_t)count) {
        damaged(r, key);
        return NULL;
    }
    double *numbers = xcalloc((size_t)count, sizeof *numbers);
    for (int i = 0; i < count; i++) {
        const json_t *number = json_array_get(list, (size_t)i);
        if (!json_is_number(number)) {
            damaged(r, key);
            free(numbers);
            return NULL;
        }
        numbers[i] = json_number_value(number);
    }
    return numbers;
}

static int read_bins(const reading *r, const json_t *object, dl_schema *schema) {
    const json_t *edge = json_object_get(object, "bin_edge");
    const json_t *mean = json_object_get(object, "bin_mean");
    if (!edge && !mean)
        return 0;
    if (schema->classes < 2 || schema->outputs != 1)
        return damaged(r, "bin_edge");
    schema->bin_edge = read_numbers(r, edge, "bin_edge", schema->classes - 1);
    schema->bin_mean = read_numbers(r, mean, "bin_mean", schema->classes);
    if (!schema->bin_edge || !schema->bin_mean)
        return -1;
    for (int i = 1; i < schema->classes - 1; i++)
        if (!(schema->bin_edge[i] > schema->bin_edge[i - 1]))
            return damaged(r, "bin_edge");
    return 0;
}

/* Absent: *origin stays NULL. */
static int read_origin(const reading *r, const json_t *object, const char *key, int64_t count,
                       double **origin) {
    const json_t *list = json_object_get(object, key);
    if (list && !(*origin = read_numbers(r, list, key, (int)count)))
        return -1;
    return 0;
}

static int read_shape(const reading *r, const json_t *list, dl_shape *shape) {
    size_t rank = json_array_size(list);
    if (!json_is_array(list) || rank < 1 || rank > DL_LARGEST_RANK)
        return damaged(r, "input");
    *shape = (dl_shape){(int)rank, {1, 1, 1, 1}};
    int64_t size = 1;
    for (size_t i = 0; i < rank; i++) {
        const json_t *dim = json_array_get(list, i);
        if (!json_is_integer(dim) || json_integer_value(dim) < 1 ||
            json_integer_value(dim) > MAX_ELEMENTS)
            return damaged(r, "input");
        shape->dim[i] = (int)json_integer_value(dim);
        if (!dl_multiply(size, shape->dim[i], &size) || size > MAX_ELEMENTS)
            return damaged(r, "input");
    }
    return 0;
}

/* A point, unless there is a comma. */
static int read_decimal(const reading *r, const json_t *object, const char *key, char *decimal) {
    const json_t *value = json_object_get(object, key);
    *decimal = value ? ',' : '.';
    return value && (!json_is_string(value) || strcmp(json_string_value(value), ",") != 0)
               ? damaged(r, key)
               : 0;
}

static int read_date(const reading *r, const json_t *object, dl_column *column) {
    const json_t *part = json_object_get(object, "date"), *order;
    if (!part)
        return 0;
    for (int i = 0; i < DL_DATE_PARTS && json_is_string(part); i++)
        if (!strcmp(json_string_value(part), dl_date_parts[i]))
            column->date = (dl_date_part)(i + 1);
    if ((order = json_object_get(object, "date_order")))
        column->date_order = json_is_string(order) ? *json_string_value(order) : '?';
    if (json_object_get(object, "categories"))
        return damaged(r, "date");
    size_t suffix = column->date ? strlen(dl_date_parts[column->date - 1]) + 1 : 0;
    return !suffix || strlen(column->name) <= suffix || !strchr("dm", column->date_order)
               ? damaged(r, "date")
               : 0;
}

static int read_column(const reading *r, const json_t *object, dl_column *column) {
    const json_t *name = json_object_get(object, "name");
    const json_t *mean = json_object_get(object, "mean");
    const json_t *categories = json_object_get(object, "categories");
    if (!json_is_string(name) || !mean == !categories)
        return damaged(r, "columns");
    column->name = xstrdup(json_string_value(name));
    if (read_decimal(r, object, "decimal", &column->decimal) || read_date(r, object, column))
        return -1;
    if (categories)
        return read_names(r, categories, "categories", MAX_CLASSES, &column->category,
                          &column->categories);
    if (!json_is_number(mean)) /* jansson accepts only finite numbers */
        return damaged(r, "mean");
    column->mean = json_number_value(mean);
    return 0;
}

/* Readers rely on the columns adding up to the input. */
static int read_columns(const reading *r, const json_t *list, dl_schema *schema) {
    size_t count = json_array_size(list);
    if (!json_is_array(list) || !count || count > MAX_COLUMNS)
        return damaged(r, "columns");
    schema->columns = (int)count;
    schema->column = xcalloc(count, sizeof *schema->column);
    int64_t elements = 0;
    for (size_t i = 0; i < count; i++) {
        dl_column *column = &schema->column[i];
        if (read_column(r, json_array_get(list, i), column))
            return -1;
        elements += column->categories ? column->categories : 1;
        dl_date_part before = i ? column[-1].date % DL_DATE_PARTS : DL_NO_DATE;
        bool last = i + 1 == count && column->date % DL_DATE_PARTS != 0;
        if (last || (before ? column->date != before + 1 : column->date > DL_DATE_YEAR))
            return damaged(r, "date");
    }
    if (schema->input.rank != 1 || schema->input.dim[0] != elements)
        return damaged(r, "the columns do not add up to the input");
    return 0;
}

/* The name of the target, or the names of several. */
static int read_targets(const reading *r, const json_t *object, dl_schema *schema) {
    json_t *target = json_object_get(object, "target"), *list = NULL;
    const json_t *decimal = json_object_get(object, "target_decimal");
    if (!target)
        return decimal ? damaged(r, "target_decimal") : 0;
    if (json_is_string(target))
        json_array_append(list = checked(json_array()), target);
    int result = read_names(r, list ? list : target, "target", MAX_OUTPUTS, &schema->target_name,
                            &schema->targets);
    json_decref(list);
    if (result)
        return -1;
    if (schema->targets != (schema->classes ? 1 : schema->outputs))
        return damaged(r, "target");
    schema->target_decimal = xcalloc((size_t)schema->targets + 1, 1);
    memset(schema->target_decimal, '.', (size_t)schema->targets);
    const char *given = decimal ? json_string_value(decimal) : schema->target_decimal;
    if (!given || strlen(given) != (size_t)schema->targets || given[strspn(given, ".,")])
        return damaged(r, "target_decimal");
    memmove(schema->target_decimal, given, (size_t)schema->targets);
    return 0;
}

static int read_schema(const reading *r, const json_t *object, dl_schema *schema) {
    int classes = 0;
    if (!json_is_object(object))
        return damaged(r, "it is not a JSON object");
    if (read_shape(r, json_object_get(object, "input"), &schema->input) ||
        read_number(r, object, "classes", 0, MAX_CLASSES, &classes) ||
        read_number(r, object, "outputs", 1, MAX_OUTPUTS, &schema->outputs))
        return -1;
    const json_t *names = json_object_get(object, "class_names");
    schema->classes = classes;
    if (names) {
        int failed = read_names(r, names, "class_names", MAX_CLASSES, &schema->class_names,
                                &schema->classes);
        if (failed)
            return failed;
        if (schema->classes != classes)
            return damaged(r, "class_names");
    }
    const json_t *counts = json_object_get(object, "class_count");
    if ((counts && read_counts(r, counts, schema)) || read_bins(r, object, schema))
        return -1;
    if (read_origin(r, object, "input_origin", dl_shape_size(schema->input),
                    &schema->input_origin) ||
        read_origin(r, object, "target_origin", schema->outputs, &schema->target_origin))
        return -1;
    if (read_targets(r, object, schema))
        return -1;
    const json_t *columns = json_object_get(object, "columns");
    return columns ? read_columns(r, columns, schema) : 0;
}

int dl_schema_from_json(dl_schema *schema, const char *json, const char *name, dl_error *error) {
    *schema = (dl_schema){0};
    reading r = {name, error};
    json_error_t json_error;
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, &json_error);
    int result = object ? read_schema(&r, object, schema) : damaged(&r, json_error.text);
    json_decref(object);
    if (result)
        dl_schema_free(schema);
    return result;
}

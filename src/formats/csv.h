/* SPDX-License-Identifier: MIT */
/* What the files of the csv format share: records, values and columns. */
#ifndef DL_FORMATS_CSV_H
#define DL_FORMATS_CSV_H

#include "base/file.h"
#include "base/string_set.h"
#include "formats/dataset.h"

/* ---- csv_reader.c: RFC 4180 records, one after the other ---- */

typedef struct {
    const char *path; /* borrowed */
    char delimiter, newline;
    dl_reader *reader;
    char *buffer; /* [capacity + 1]; bytes [start, end) are not used up yet */
    size_t start, end, capacity;
    bool at_end;       /* the file has no more bytes than the buffer */
    int64_t next_line; /* of the file, where the next record starts */
    /* the record that was read last */
    int64_t line; /* where it starts, from 1 */
    char **field; /* [fields], NUL-terminated, unquoted; valid until the next record */
    int fields, room;
} dl_csv_reader;

/* Opens a file, plain or gzip. 0, or -1 and an error. */
int dl_csv_open(dl_csv_reader *csv, const char *path, char delimiter, dl_error *error);
/* Reads the next record; blank lines are passed over. 1, 0 at the end, or -1 and an error. */
int dl_csv_next(dl_csv_reader *csv, dl_error *error);
/* Fine after a failed open, and with an all-zero reader. */
void dl_csv_close(dl_csv_reader *csv);

/* ---- csv_values.c: what a field means ---- */

typedef enum { DL_CSV_TEXT, DL_CSV_NUMBER, DL_CSV_INFINITE } dl_csv_type;

/* A decimal number of the C locale (blanks around it are gone already); infinite are "inf",
   "infinity" and what does not fit a float. */
dl_csv_type dl_csv_number(const char *field, double *value);
/* Empty, NA, ? and nan stand for a value that is not known. */
bool dl_csv_missing(const char *field);

/* The number of a class by its name; a whole number may be written differently ("3.0" for "3"). -1
   if there is none. */
int dl_csv_find_class(const dl_string_set *names, const char *name);
/* Sorts class names: as whole numbers if all are (then "3.0" becomes "3"), else by their bytes. */
void dl_csv_sort_classes(dl_string_set *names);
/* Whether all names are whole numbers, "3.0" included. */
bool dl_csv_are_whole(const dl_string_set *names);

/* ---- csv_columns.c: what the columns are ---- */

enum { DL_CSV_MOST_CATEGORIES = 1000 };

/* Choices of `task` and `missing`. */
enum { DL_CSV_TASK_AUTO, DL_CSV_CLASSIFICATION, DL_CSV_REGRESSION };
enum { DL_CSV_MISSING_ERROR, DL_CSV_MISSING_MEAN, DL_CSV_MISSING_DROP };

typedef struct {
    const char *file, *delimiter, *target, *group;
    bool header;
    int task, missing;
    dl_strings categorical, ignore;
} dl_csv_options;

/* The beginning of a field for a message, without control characters; returns `out`. */
char *dl_csv_quote(char out[64], const char *field);

/* Something found in a column for the first time. */
typedef struct {
    int64_t count, line; /* how often, and the line of the first */
    char text[64];       /* the first one, cut off */
} dl_csv_found;

/* A column of the file. */
typedef struct {
    char *name;                       /* of the header, or its number from 1 */
    bool ignored, taken, categorical; /* taken: a column of `like` is it already */
    int64_t offset; /* of an input: where it begins in a row of the schema's input */
    double mean;    /* of a number: what a missing value becomes */
    /* found by a first look at the whole file */
    int64_t numbers;
    double sum;
    dl_csv_found text, infinite, missing, foreign; /* foreign: not UTF-8 */
    dl_string_set names; /* the values, unless they are too many; of a categorical one, its
                           categories or classes in order */
    bool too_many;
} dl_csv_column;

typedef struct {
    const dl_dataset *dataset;
    const dl_csv_options *options;
    char *path;
    char delimiter;
    int count;
    dl_csv_column *column;
    int *input, inputs; /* [inputs]: the columns that are inputs, in the schema's order */
    int target;         /* a column, too */
    int group;          /* a column, or -1: none */
    int64_t rows;       /* that are used */
    int64_t first_line; /* where the first record is */
} dl_csv_table;

/* Goes through the file a first time: takes the header, finds the target and the columns that
   `like` (NULL: none) or the options ask for, counts the rows, and looks at the values unless they
   are known from `like`. 0, or -1 and errors. */
int dl_csv_look(dl_csv_table *table, const dl_schema *like, dl_error *error);
/* Decides what each column is (without a `like`), and makes the schema of it. 0, or -1 and errors.
 */
int dl_csv_decide(dl_csv_table *table, dl_schema *schema, dl_error *error);
/* Whether the record has a missing value in a column that is used. */
bool dl_csv_incomplete(const dl_csv_table *table, const dl_csv_reader *csv);
/* Passes over the header, if there is one. 0, or -1 and an error. */
int dl_csv_skip_header(const dl_csv_table *table, dl_csv_reader *csv, dl_error *error);
void dl_csv_table_free(dl_csv_table *table);

#endif

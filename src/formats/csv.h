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
/* The same of an open reader, which dl_csv_close closes. */
void dl_csv_open_stream(dl_csv_reader *csv, dl_reader *reader, const char *path, char delimiter);
/* Reads the next record; blank lines are passed over. 1, 0 at the end, or -1 and an error. */
int dl_csv_next(dl_csv_reader *csv, dl_error *error);
/* Fine after a failed open, and with an all-zero reader. */
void dl_csv_close(dl_csv_reader *csv);

/* ---- csv_values.c: what a field means ---- */

typedef enum {
    DL_CSV_TEXT,
    DL_CSV_NUMBER,
    DL_CSV_INFINITE,
    DL_CSV_OTHER_DECIMAL /* a number, but not with the column's decimal point or comma */
} dl_csv_type;

/* A decimal number of the C locale (blanks around it are gone already); infinite are "inf",
   "infinity" and what does not fit a float. */
dl_csv_type dl_csv_number(const char *field, double *value);
/* The same, which also says how a decimal point stands in it: whether it would be one that
   separates thousands ("1.234"). */
typedef enum { DL_CSV_NO_POINT, DL_CSV_POINT, DL_CSV_POINT_OR_GROUP } dl_csv_point;
dl_csv_type dl_csv_number_point(const char *field, double *value, dl_csv_point *point);

/* ---- csv_written.c: what spreadsheets and people write ---- */

enum { DL_CSV_PERCENT = 1 }; /* units above it are currencies; 0: none */

/* A number with thousands separated (by blanks, ' and, of . and , the one that is not `decimal`), a
   percent or currency sign (its number becomes *unit), blanks around it, in hexadecimal, or in
   parentheses, which are a minus. Percent stay percent: "12 %" is 12. */
dl_csv_type dl_csv_written(const char *field, char decimal, double *value, int *unit);

/* Empty, ? and nan are missing anywhere; markers (NA, null, none, -, …) are where the column has
   numbers, and words like others where it has categories. */
typedef enum { DL_CSV_PRESENT, DL_CSV_MARKER, DL_CSV_MISSING } dl_csv_marker;
dl_csv_marker dl_csv_missing(const char *field);

/* The number of a class by its name; a whole number may be written differently ("3.0" for "3"). -1
   if there is none. */
int dl_csv_find_class(const dl_string_set *names, const char *name);
/* Writes a whole number plainly ("3" for "3.0"); false if `name` is none. */
bool dl_csv_plain_whole(char out[32], const char *name);
/* Sorts class names: as whole numbers if all are (then "3.0" becomes "3"), else by their bytes. */
void dl_csv_sort_classes(dl_string_set *names);
/* Whether all names are whole numbers, "3.0" included. */
bool dl_csv_are_whole(const dl_string_set *names);

/* ---- csv_dates.c ---- */

typedef enum {
    DL_CSV_DATE,
    DL_CSV_NO_DATE,
    DL_CSV_WRONG_DATE, /* such as Feb 30 */
    DL_CSV_DAY_FIRST,  /* 31/12/2024: only one order reads it */
    DL_CSV_MONTH_FIRST,
    DL_CSV_ANY_ORDER /* 03/04/2024 */
} dl_csv_date_type;

/* Year, month, day, weekday (1: Monday) and seconds since midnight, as written: the zone is not
   applied. order: 'd' or 'm' comes first where the year is last; 0: only 31.12.2024 is clear. */
dl_csv_date_type dl_csv_date(const char *field, char order, double part[DL_DATE_PARTS]);
/* Completes the message `"…" `. */
const char *dl_csv_date_reason(dl_csv_date_type type);

/* ---- columns ---- */

enum { DL_CSV_MOST_CATEGORIES = 1000 };
/* Errors of one kind that are reported in full; further ones are counted. */
enum { DL_CSV_MOST_ERRORS = 10 };

/* Choices of `task`, `missing`, `decimal`, `date_order` and `unknown`. */
enum { DL_CSV_TASK_AUTO, DL_CSV_CLASSIFICATION, DL_CSV_REGRESSION };
enum { DL_CSV_MISSING_ERROR, DL_CSV_MISSING_MEAN, DL_CSV_MISSING_DROP };
enum { DL_CSV_DECIMAL_AUTO, DL_CSV_DECIMAL_POINT, DL_CSV_DECIMAL_COMMA };
enum { DL_CSV_ORDER_AUTO, DL_CSV_ORDER_DMY, DL_CSV_ORDER_MDY };
enum { DL_CSV_UNKNOWN_ERROR, DL_CSV_UNKNOWN_IGNORE };

typedef struct {
    const char *file, *delimiter, *group, *weight;
    bool header;
    int task, missing;
    dl_strings target, categorical, dates, ignore, missing_values;
    int decimal, date_order, unknown;
    struct config_setting_t *merge;
} dl_csv_options;

/* The beginning of a field for a message, without control characters; returns `out`. */
char *dl_csv_quote(char out[64], const char *field);

/* Something found in a column. */
typedef struct {
    int64_t count, line; /* how often, and the line of the first */
    char text[64];       /* the first one, cut off */
} dl_csv_found;

void dl_csv_note(dl_csv_found *found, int64_t line, const char *text);

/* A column of the file. */
typedef struct {
    char *name;                       /* of the header, or its number from 1 */
    bool ignored, taken, categorical; /* taken: a column of `like` is it already */
    bool listed;                      /* in the option `categorical` */
    bool target, date, failed;        /* failed: what it is is not known */
    char order;                       /* of a date: see dl_csv_date */
    bool empty_last;  /* the last one has neither a name nor, as far as was read, a value */
    bool marks_words; /* markers of missing values are words like others */
    char decimal;     /* '.' or ',' */
    int64_t offset;   /* of an input: where it begins in a row of the schema's input */
    double mean[DL_DATE_PARTS]; /* of a number or the parts of a date: what a missing value
                                   becomes; while looking, sums */
    /* found by a first look at the whole file */
    int64_t numbers, whole;   /* whole: written without a point */
    double least, most, last; /* of dates: ((year * 100 + month) * 100 + day) * 86400 + seconds */
    bool falls, rises;        /* a number is below, or above, the one before */
    bool words;               /* has what is no number, be it in rows left out */
    dl_csv_found point, comma, either; /* numbers that only a decimal point or only a decimal comma
                                          explains; that both do, as different ones */
    dl_csv_found grouped;              /* with a point, in a way that may separate thousands */
    dl_csv_found percent, currency, other; /* other: with another unit than those before */
    int unit;                              /* of the first that has one */
    dl_csv_found text, infinite, missing, marker, foreign; /* foreign: not UTF-8. Of dates: text,
                                          infinite (no such day), point (only the day can come
                                          first), comma (only the month), either */
    dl_csv_found negative, zeros;                          /* zeros: numbers with leading ones */
    dl_csv_found unknown;                                  /* categories not in the training data */
    dl_string_set names; /* the values, unless they are too many; of a categorical one, its
                           categories or classes in order */
    bool too_many;
} dl_csv_column;

typedef struct {
    dl_dataset *dataset;
    const dl_csv_options *options;
    char *path;
    char delimiter;
    int count;
    dl_csv_column *column;
    int *input, inputs;           /* [inputs]: the columns that are inputs, in the schema's order */
    int *target, targets;         /* [targets]: columns, too */
    int group, weight;            /* a column each, or -1: none */
    int64_t rows;                 /* that are used */
    int64_t first_line;           /* where the first record is */
    bool keep_last;               /* the last column has values, if no name */
    dl_csv_found dropped, longer; /* rows with a missing value; with a delimiter at the end */
} dl_csv_table;

/* ---- csv_columns.c: which columns there are ---- */

/* Takes the names from the first record, and finds the target, the group and the inputs that `like`
   (NULL: none) or the options ask for. 0, or -1 and errors. */
int dl_csv_choose_columns(dl_csv_table *table, const dl_csv_reader *csv, const dl_schema *like,
                          dl_error *error);
void dl_csv_table_free(dl_csv_table *table);
/* The name in the file of a column of the schema, or of a target; freed by the caller. */
char *dl_csv_name_in_file(const dl_schema *like, int i);

/* Stores the record's inputs as x[features], which is all 0: csv.c. 0, or -1 and errors. */
int dl_csv_store_inputs(const dl_csv_table *table, const dl_csv_reader *csv, double *x,
                        dl_error *error);

/* ---- csv_look.c: what is in them ---- */

/* Goes through the file a first time (and a second, if the first shows that it is to be read in
   another way): counts the rows, and looks at the values unless they are known from `like`. Errors
   of rows are collected; -1 if there is nothing to decide on. */
int dl_csv_look(dl_csv_table *table, const dl_schema *like, dl_error *error);
/* Column k of those that are used; after the inputs come the targets, the weight and the group. */
int dl_csv_used(const dl_csv_table *table, int k);
int dl_csv_used_count(const dl_csv_table *table);
/* Without the group. */
int dl_csv_judged_count(const dl_csv_table *table);
/* Whether a field of a column stands for a missing value. */
bool dl_csv_is_missing(const dl_csv_table *table, const dl_csv_column *column, const char *field);
/* Whether the record has a missing value in a column that is used. */
bool dl_csv_incomplete(const dl_csv_table *table, const dl_csv_reader *csv);
/* A number, as the column has them. */
dl_csv_type dl_csv_value(const dl_csv_column *column, const char *field, double *value);
/* Whether the record has as many fields as the table has columns; a delimiter at its end is none
   too many. */
bool dl_csv_has_all(const dl_csv_table *table, const dl_csv_reader *csv);
/* Passes over the header, if there is one. 0, or -1 and an error. */
int dl_csv_skip_header(const dl_csv_table *table, dl_csv_reader *csv, dl_error *error);

/* ---- csv_decide.c: what they become ---- */

/* Sets how the columns' numbers are written, and whether markers are words. True if the file must
   be looked at again for it. */
bool dl_csv_settle(dl_csv_table *table);
/* Decides what each column is (without a `like`), and makes the schema of it. 0, or -1 and errors.
 */
int dl_csv_decide(dl_csv_table *table, dl_schema *schema, dl_error *error);

/* ---- csv_describe.c ---- */

/* Fills the data set's `columns`, of the training file, and `notes`. */
void dl_csv_describe(const dl_csv_table *table, bool training);

#endif

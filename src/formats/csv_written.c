/* SPDX-License-Identifier: MIT */
/* Numbers as spreadsheets and people write them, and the words that stand for a missing value. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "formats/csv.h"

/* ---- missing values ---- */

static bool is_any(const char *field, const char *const *words) {
    for (; *words; words++)
        if (!strcasecmp(field, *words))
            return true;
    return false;
}

dl_csv_marker dl_csv_missing(const char *field) {
    static const char *const words[] = {
        "na",      "n/a",    "n.a.",  "#n/a",    "#n/a n/a", "#na",       "<na>",    "null",
        "(null)",  "<null>", "none",  "nil",     "nat",      "-",         "--",      ".",
        "..",      "\\n",    "*",     "missing", "unknown",  "undefined", "(blank)", "#value!",
        "#div/0!", "#ref!",  "#num!", "#name?",  "#null!",   NULL};
    static const char *const nans[] = {"?", "nan", "-nan", "+nan", NULL};
    if (!*field)
        return DL_CSV_MISSING;
    if (!strchr("?+-.nN#<(\\*mMuU", *field) || (field[1] >= '0' && field[1] <= '9'))
        return DL_CSV_PRESENT;
    return is_any(field, nans)    ? DL_CSV_MISSING
           : is_any(field, words) ? DL_CSV_MARKER
                                  : DL_CSV_PRESENT;
}

/* ---- numbers ---- */

/* What is read, and what it becomes: a number of the C locale. */
typedef struct {
    const char *at;
    char out[64];
    int length;
} cursor;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Moves past one of `words`; its index, or -1. */
static int skip_any(cursor *c, const char *const *words) {
    for (int i = 0; words[i]; i++) {
        size_t length = strlen(words[i]);
        if (!strncmp(c->at, words[i], length)) {
            c->at += length;
            return i;
        }
    }
    return -1;
}

/* With the no-break space, the narrow one and the thin one. */
static const char *const blanks[] = {" ", "\t", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89", NULL};
static const char *const apostrophes[] = {"'", "\xe2\x80\x99", NULL};
static const char *const currencies[] = {"$",
                                         "\xe2\x82\xac" /* euro */,
                                         "\xc2\xa3" /* pound */,
                                         "\xc2\xa5" /* yen */,
                                         "USD",
                                         "EUR",
                                         "GBP",
                                         "JPY",
                                         "CHF",
                                         "CNY",
                                         "INR",
                                         "US$",
                                         "\xe2\x82\xb9" /* rupee */,
                                         NULL};

static void skip_blanks(cursor *c) {
    while (skip_any(c, blanks) >= 0)
        continue;
}

static void add(cursor *c, char byte) {
    if (c->length < (int)sizeof c->out)
        c->out[c->length++] = byte;
}

static int take_digits(cursor *c) {
    int count = 0;
    for (; is_digit(*c->at); c->at++, count++)
        add(c, *c->at);
    return count;
}

/* The separator of thousands at the cursor, if digits follow it: '.' or ',', whichever is not the
   decimal one, ' ' or '\''; 0 if there is none. */
static char take_separator(cursor *c, char decimal) {
    cursor next = *c;
    char found = decimal == '.' ? ',' : '.';
    if (*next.at == found)
        next.at++;
    else if (skip_any(&next, blanks) >= 0)
        found = ' ';
    else if (skip_any(&next, apostrophes) >= 0)
        found = '\'';
    else
        return 0;
    if (!is_digit(*next.at))
        return 0;
    c->at = next.at;
    return found;
}

/* 1234, 1,234,567 or, as in India, 12,34,567. */
static bool take_whole(cursor *c, char decimal, int *digits) {
    const char *start = c->at;
    int first = *digits = take_digits(c), groups = 0, twos = 0, last = 0;
    char separator, seen = 0;
    while (first && (separator = take_separator(c, decimal))) {
        if (seen && separator != seen)
            return false;
        seen = separator;
        last = take_digits(c);
        *digits += last;
        groups++;
        twos += last == 2;
        if (last != 2 && last != 3)
            return false;
    }
    if (!groups)
        return true;
    return first <= 3 && *start != '0' && last == 3 &&
           (!twos || (twos == groups - 1 && first <= 2 && seen == ','));
}

static bool take_exponent(cursor *c) {
    bool fortran = (*c->at == 'd' || *c->at == 'D') && (c->at[1] == '+' || c->at[1] == '-');
    if (*c->at != 'e' && *c->at != 'E' && !fortran)
        return true;
    c->at++;
    add(c, 'e');
    if (*c->at == '+' || *c->at == '-')
        add(c, *c->at++);
    return take_digits(c) > 0;
}

static bool take_hexadecimal(cursor *c) {
    if (c->at[0] != '0' || (c->at[1] != 'x' && c->at[1] != 'X'))
        return false;
    size_t digits = strspn(c->at + 2, "0123456789abcdefABCDEF");
    char *end;
    unsigned long long value = strtoull(c->at + 2, &end, 16);
    if (!digits || digits > 13 || end != c->at + 2 + digits)
        return false;
    c->length += snprintf(c->out + c->length, sizeof c->out - (size_t)c->length, "%llu", value);
    c->at = end;
    return true;
}

static bool take_sign(cursor *c) {
    static const char *const minus[] = {"-", "\xe2\x88\x92", NULL};
    bool negative = skip_any(c, minus) >= 0;
    if (!negative && *c->at == '+')
        c->at++;
    return negative;
}

static bool take_body(cursor *c, char decimal) {
    int digits, fraction = 0;
    if (take_hexadecimal(c))
        return true;
    if (!take_whole(c, decimal, &digits))
        return false;
    if (*c->at == decimal) {
        c->at++;
        add(c, '.');
        fraction = take_digits(c);
    }
    return digits + fraction && take_exponent(c);
}

dl_csv_type dl_csv_written(const char *field, char decimal, double *value, int *unit) {
    cursor c = {.at = field};
    skip_blanks(&c);
    bool accounting = *c.at == '(';
    c.at += accounting;
    const char *start = c.at;
    bool negative = take_sign(&c), sign = c.at > start;
    int currency = skip_any(&c, currencies);
    skip_blanks(&c);
    if (!sign)
        negative = take_sign(&c);
    if (negative != accounting) /* both are one too many */
        add(&c, '-');
    if ((negative && accounting) || !take_body(&c, decimal))
        return DL_CSV_TEXT;
    skip_blanks(&c);
    bool percent = currency < 0 && *c.at == '%';
    c.at += percent;
    if (currency < 0 && !percent)
        currency = skip_any(&c, currencies);
    if (accounting && *c.at++ != ')')
        return DL_CSV_TEXT;
    skip_blanks(&c);
    if (*c.at || c.length >= (int)sizeof c.out)
        return DL_CSV_TEXT;
    c.out[c.length] = '\0';
    *unit = percent ? DL_CSV_PERCENT : currency >= 0 ? DL_CSV_PERCENT + 1 + currency : 0;
    return dl_csv_number(c.out, value);
}

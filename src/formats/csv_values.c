/* SPDX-License-Identifier: MIT */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "formats/csv.h"

/* ---- numbers ---- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* 10^0 .. 10^22: those that a double holds exactly. */
static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

#if defined(__x86_64__) && LDBL_MANT_DIG == 64
/* 10^0 .. 10^27: those that 64 bits hold exactly. */
static const long double long_powers[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,
                                          1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
                                          1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L,
                                          1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};

/* The same with 64 bits: the result is within half a unit of the last of them, so that rounded to
   53 bits it is right, unless its last 11 bits are next to the half of a unit. False: strtod must
   say. */
static bool by_64_bits(uint64_t mantissa, int exponent, double *value) {
    if (exponent < -27 || exponent > 27 || !mantissa)
        return false;
    long double number = (long double)mantissa;
    number = exponent < 0 ? number / long_powers[-exponent] : number * long_powers[exponent];
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits); /* x87: the 64 bits come first */
    unsigned last = bits & 2047;
    *value = (double)number;
    return last < 1023 || last > 1025;
}
#else
static bool by_64_bits(uint64_t mantissa, int exponent, double *value) {
    (void)mantissa;
    (void)exponent;
    (void)value;
    return false;
}
#endif

static dl_csv_type checked(double value, double *out) {
    *out = value;
    return fabs(value) <= (double)FLT_MAX ? DL_CSV_NUMBER : DL_CSV_INFINITE;
}

/* The exponent's digits and sign; NULL if there are none. Large ones are cut off at 99999. */
static const char *scan_exponent(const char *c, int *exponent) {
    bool negative = *c == '-';
    c += *c == '-' || *c == '+';
    if (!is_digit(*c))
        return NULL;
    int value = 0;
    for (; is_digit(*c); c++)
        if (value < 10000)
            value = 10 * value + (*c - '0');
    *exponent += negative ? -value : value;
    return c;
}

static bool is_infinite(const char *unsigned_field) {
    return !strcasecmp(unsigned_field, "inf") || !strcasecmp(unsigned_field, "infinity");
}

/* Up to 2^53 and 10^22 both factors are exact, and one operation rounds once: the result is the one
   of strtod (Clinger 1990). The digits of a double that is written in full need 64 bits. Everything
   else is left to strtod. */
static inline dl_csv_type read_number(const char *field, double *value, dl_csv_point *point) {
    const char *c = field;
    bool negative = *c == '-';
    c += *c == '-' || *c == '+';
    if (!is_digit(*c) && !(*c == '.' && is_digit(c[1]))) {
        *value = negative ? -HUGE_VAL : HUGE_VAL;
        return is_infinite(c) ? DL_CSV_INFINITE : DL_CSV_TEXT;
    }
    uint64_t mantissa = 0;
    int digits = 0, exponent = 0;
    const char *start = c;
    for (; is_digit(*c); c++) {
        mantissa = 10 * mantissa + (uint64_t)(*c - '0');
        digits += digits || *c != '0';
    }
    const char *dot = *c == '.' ? c : NULL;
    if (dot)
        for (c++; is_digit(*c); c++, exponent -= exponent > -100000) {
            mantissa = 10 * mantissa + (uint64_t)(*c - '0');
            digits += digits || *c != '0';
        }
    if (dot)
        *point = exponent == -3 && !*c && dot - start <= 3 && dot > start && *start != '0'
                     ? DL_CSV_POINT_OR_GROUP
                     : DL_CSV_POINT;
    if ((*c == 'e' || *c == 'E') && !(c = scan_exponent(c + 1, &exponent)))
        return DL_CSV_TEXT;
    if (*c)
        return DL_CSV_TEXT;
    double number;
    if (digits > 18 || mantissa >> 53 || exponent < -22 || exponent > 22) {
        if (digits > 19 || !by_64_bits(mantissa, exponent, &number))
            return checked(strtod(field, NULL), value);
        return checked(negative ? -number : number, value);
    }
    number = (double)mantissa;
    number = exponent < 0 ? number / powers[-exponent] : number * powers[exponent];
    return checked(negative ? -number : number, value);
}

dl_csv_type dl_csv_number(const char *field, double *value) {
    dl_csv_point point;
    return read_number(field, value, &point);
}

dl_csv_type dl_csv_number_point(const char *field, double *value, dl_csv_point *point) {
    *point = DL_CSV_NO_POINT;
    return read_number(field, value, point);
}

char *dl_csv_quote(char out[64], const char *field) {
    int i = 0;
    for (; field[i] && i < 60; i++)
        out[i] = (unsigned char)field[i] < ' ' || field[i] == 127 ? ' ' : field[i];
    while (i && ((unsigned char)field[i] & 0xC0) == 0x80) /* cut before a character of UTF-8 */
        i--;
    snprintf(out + i, 4, "%s", field[i] ? "..." : "");
    return out;
}

/* ---- names ---- */

/* Whole numbers up to 2^53 are exact. */
static bool is_whole(const char *name, double *value) {
    return dl_csv_number(name, value) == DL_CSV_NUMBER && fabs(*value) <= 0x1p53 &&
           *value == floor(*value);
}

bool dl_csv_plain_whole(char out[32], const char *name) {
    double value;
    bool whole = is_whole(name, &value);
    if (whole)
        snprintf(out, 32, "%lld", (long long)value);
    return whole;
}

int dl_csv_find_class(const dl_string_set *names, const char *name) {
    int found = dl_string_set_find(names, name);
    char plain[32];
    if (found >= 0 || !dl_csv_plain_whole(plain, name))
        return found;
    return dl_string_set_find(names, plain);
}

bool dl_csv_are_whole(const dl_string_set *names) {
    double value;
    for (int i = 0; i < names->count; i++)
        if (!is_whole(names->name[i], &value))
            return false;
    return names->count > 0;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_number(const void *a, const void *b) {
    double p = strtod(*(char *const *)a, NULL), q = strtod(*(char *const *)b, NULL);
    return (p > q) - (p < q);
}

void dl_csv_sort_classes(dl_string_set *names) {
    bool whole = dl_csv_are_whole(names);
    if (whole) { /* "3" and "3.0" become one */
        dl_string_set plain = {0};
        for (int i = 0; i < names->count; i++) {
            char text[32];
            dl_csv_plain_whole(text, names->name[i]);
            dl_string_set_add(&plain, text);
        }
        dl_string_set_free(names);
        *names = plain;
    }
    dl_string_set_sort(names, whole ? by_number : by_bytes);
}

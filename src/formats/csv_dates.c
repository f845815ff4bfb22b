/* SPDX-License-Identifier: MIT */
/* Dates and times of day: ISO 8601 and what people write. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "formats/csv.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* A number of `least` to `most` digits; -1 if there is none. */
static int read_digits(const char **at, int least, int most) {
    int value = 0, count = 0;
    for (; count < most && is_digit((*at)[count]); count++)
        value = 10 * value + ((*at)[count] - '0');
    if (count < least || is_digit((*at)[count]))
        return -1;
    *at += count;
    return value;
}

/* Z, +hh, +hhmm or +hh:mm. */
static bool skip_zone(const char **at) {
    if (**at == 'Z' || **at == 'z') {
        ++*at;
        return true;
    }
    if (**at != '+' && **at != '-')
        return true;
    ++*at;
    int hours =
        is_digit((*at)[0]) && is_digit((*at)[1]) ? 10 * ((*at)[0] - '0') + ((*at)[1] - '0') : 99;
    *at += hours < 99 ? 2 : 0;
    bool colon = **at == ':';
    *at += colon;
    int minutes = colon || is_digit(**at) ? read_digits(at, 2, 2) : 0;
    return hours < 24 && minutes >= 0 && minutes < 60;
}

/* hh:mm[:ss[.f]][ AM|PM][zone]: the rest of a field. */
static dl_csv_date_type read_time(const char *at, double *seconds) {
    int hour = read_digits(&at, 1, 2), minute = -1;
    double second = 0, digit = 0.1;
    if (hour >= 0 && *at == ':')
        at++, minute = read_digits(&at, 2, 2);
    if (minute >= 0 && *at == ':') {
        at++;
        second = read_digits(&at, 2, 2);
        if (second >= 0 && (*at == '.' || *at == ','))
            for (at++; is_digit(*at); at++, digit /= 10)
                second += digit * (*at - '0');
    }
    while (*at == ' ')
        at++;
    bool am = !strncasecmp(at, "am", 2), half = am || !strncasecmp(at, "pm", 2);
    at += half ? 2 : 0;
    if (hour < 0 || minute < 0 || second < 0 || !skip_zone(&at) || *at)
        return DL_CSV_NO_DATE;
    if (hour > 23 || minute > 59 || !(second < 61) || (half && (hour < 1 || hour > 12)))
        return DL_CSV_WRONG_DATE;
    if (half)
        hour = hour % 12 + (am ? 0 : 12);
    *seconds = 3600 * hour + 60 * minute + second;
    return DL_CSV_DATE;
}

static int days_of(int month, int year) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Sakamoto's method; 1: Monday … 7: Sunday. */
static int weekday_of(int year, int month, int day) {
    static const int shift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
    year -= month < 3;
    int sunday = (year + year / 4 - year / 100 + year / 400 + shift[month - 1] + day) % 7;
    return sunday ? sunday : 7;
}

/* 20240501 is ISO 8601, too. */
static bool read_basic(const char **at, int part[3]) {
    const char *c = *at;
    if (strspn(c, "0123456789") != 8)
        return false;
    int number = 0;
    for (; is_digit(*c); c++)
        number = 10 * number + (*c - '0');
    part[0] = number / 10000;
    part[1] = number / 100 % 100;
    part[2] = number % 100;
    *at = c;
    return true;
}

/* Three numbers with the same separator; *separator is 0 if the year comes first. */
static bool read_day(const char **at, int part[3], char *separator) {
    *separator = 0;
    if (read_basic(at, part))
        return true;
    bool year_first = strspn(*at, "0123456789") == 4;
    for (int i = 0; i < 3; i++) {
        bool year = year_first ? i == 0 : i == 2;
        if (i && (!**at || !strchr("-/.", **at) || (i == 2 && **at != *separator)))
            return false;
        if (i)
            *separator = *(*at)++;
        part[i] = read_digits(at, year ? 4 : 1, year ? 4 : 2);
        if (part[i] < 0)
            return false;
    }
    if (year_first)
        *separator = 0;
    return true;
}

dl_csv_date_type dl_csv_date(const char *field, char order, double part[DL_DATE_PARTS]) {
    int p[3];
    char separator;
    dl_csv_date_type type = DL_CSV_DATE;
    part[4] = 0;
    if (!read_day(&field, p, &separator))
        return DL_CSV_NO_DATE;
    if ((*field == 'T' || *field == 't' || *field == ' ') && field[1])
        type = read_time(field + 1, &part[4]);
    else if (*field)
        type = DL_CSV_NO_DATE;
    if (type)
        return type;
    if (separator == '.' && !order)
        order = 'd';
    if (separator && !order && p[0] != p[1] && p[0] <= 31 && p[1] <= 31)
        return p[0] > 12 ? DL_CSV_DAY_FIRST : p[1] > 12 ? DL_CSV_MONTH_FIRST : DL_CSV_ANY_ORDER;
    int year = p[0], month = p[1], day = p[2];
    if (separator) {
        year = p[2];
        month = order == 'm' ? p[0] : p[1];
        day = order == 'm' ? p[1] : p[0];
    }
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of(month, year))
        return DL_CSV_WRONG_DATE;
    part[0] = year;
    part[1] = month;
    part[2] = day;
    part[3] = weekday_of(year, month, day);
    return DL_CSV_DATE;
}

const char *dl_csv_date_reason(dl_csv_date_type type) {
    static const char *const reasons[] = {
        [DL_CSV_DATE] = "",
        [DL_CSV_NO_DATE] = "is not a date that can be read (2024-05-01, 31.12.2024 or 31/12/2024, "
                           "alone or with a time such as 12:30 or T12:30:00Z)",
        [DL_CSV_WRONG_DATE] = "is a day or time that does not exist",
        [DL_CSV_DAY_FIRST] = "needs date_order = \"dmy\"",
        [DL_CSV_MONTH_FIRST] = "needs date_order = \"mdy\"",
        [DL_CSV_ANY_ORDER] = "can be read with the day or the month first; date_order = \"dmy\" or "
                             "date_order = \"mdy\" says which",
    };
    return reasons[type];
}

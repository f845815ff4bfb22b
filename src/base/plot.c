/* SPDX-License-Identifier: MIT */
#include "base/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { AXIS = 9, MAX_LINES = 64, MAX_NAME = 20, DASH = 4, STEEP = 30 };

typedef struct {
    bool braille, logarithmic;
    int columns, lines;     /* of the frame, in characters */
    int dots_x, dots_y;     /* dots per character */
    double low, high;       /* of the axis, log if logarithmic */
    double min, max;        /* before the logarithm */
    int64_t count;          /* values per curve */
    unsigned char *dots;    /* [lines][columns]: the bits of braille, or a letter */
    char *label[MAX_LINES]; /* right of the frame; owned, or NULL */
} canvas;

/* False if fewer than two values are finite. */
static bool find_range(canvas *c, const dl_curve *curves, int curve_count) {
    int64_t finite = 0;
    for (int k = 0; k < curve_count; k++)
        for (int64_t i = 0; i < c->count; i++) {
            double value = curves[k].value[i];
            if (!isfinite(value))
                continue;
            c->min = finite ? fmin(c->min, value) : value;
            c->max = finite ? fmax(c->max, value) : value;
            finite++;
        }
    c->logarithmic = c->min > 0 && c->max > STEEP * c->min;
    c->low = c->logarithmic ? log(c->min) : c->min;
    c->high = c->logarithmic ? log(c->max) : c->max;
    if (c->high <= c->low) { /* constant: centered */
        c->low -= 1;
        c->high += 1;
    }
    return finite > 1;
}

static double x_of(const canvas *c, int64_t i) {
    double last = c->columns * c->dots_x - 1;
    return c->count > 1 ? last * (double)i / (double)(c->count - 1) : 0;
}

static double y_of(const canvas *c, double value) {
    double height = c->logarithmic ? log(value) : value;
    return (c->lines * c->dots_y - 1) * (c->high - height) / (c->high - c->low);
}

static void set_dot(canvas *c, int x, int y, const dl_curve *curve) {
    static const unsigned char bits[4][2] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
    unsigned char *cell = &c->dots[y / c->dots_y * c->columns + x / c->dots_x];
    if (!c->braille)
        *cell = (unsigned char)curve->name[0];
    else if (!curve->dashed || x % DASH < DASH / 2)
        *cell |= bits[y % 4][x % 2];
}

static void draw_curve(canvas *c, const dl_curve *curve) {
    double x = 0, y = NAN; /* of the previous value */
    for (int64_t i = 0; i < c->count; i++) {
        if (!isfinite(curve->value[i])) {
            y = NAN;
            continue;
        }
        double to_x = x_of(c, i), to_y = y_of(c, curve->value[i]);
        if (isnan(y))
            x = to_x, y = to_y;
        int steps = (int)(fmax(fabs(to_x - x), fabs(to_y - y)) + 1);
        for (int s = 0; s <= steps; s++)
            set_dot(c, (int)(x + (to_x - x) * s / steps + 0.5),
                    (int)(y + (to_y - y) * s / steps + 0.5), curve);
        x = to_x, y = to_y;
    }
}

/* On the line of the last value, or the nearest free one. */
static void label_curve(canvas *c, const dl_curve *curve) {
    int64_t last = c->count - 1;
    while (last >= 0 && !isfinite(curve->value[last]))
        last--;
    if (last < 0)
        return;
    int wanted = (int)(y_of(c, curve->value[last]) + 0.5) / c->dots_y;
    for (int away = 0; away < c->lines; away++)
        for (int side = -1; side <= 1; side += 2) {
            int line = wanted + side * away;
            if (line < 0 || line >= c->lines || c->label[line])
                continue;
            dl_text text = {0};
            dl_text_add(&text, "%.*s %.4g", MAX_NAME - 10, curve->name, curve->value[last]);
            c->label[line] = text.data;
            return;
        }
}

static void add_cell(dl_text *text, unsigned char cell, bool braille) {
    if (braille && cell) { /* U+2800 + cell */
        char bytes[3] = {(char)0xE2, (char)(0xA0 + (cell >> 6)), (char)(0x80 + (cell & 63))};
        dl_text_add_bytes(text, bytes, 3);
    } else
        dl_text_add(text, "%c", cell ? cell : ' ');
}

static void add_line(dl_text *text, const canvas *c, int line) {
    char number[32] = "";
    if (line == 0 || line == c->lines - 1)
        snprintf(number, sizeof number, "%.4g", line ? c->min : c->max);
    dl_text_add(text, "%*s %s", AXIS, number, c->braille ? "\u2502" : "|");
    for (int i = 0; i < c->columns; i++)
        add_cell(text, c->dots[line * c->columns + i], c->braille);
    if (c->label[line])
        dl_text_add(text, " %s", c->label[line]);
    while (text->data[text->length - 1] == ' ')
        text->data[--text->length] = '\0';
    dl_text_add(text, "\n");
}

static void add_axis(dl_text *text, const canvas *c) {
    char last[32];
    snprintf(last, sizeof last, "%lld", (long long)c->count);
    dl_text_add(text, "%*s %s", AXIS, c->logarithmic ? "(log)" : "", c->braille ? "\u2514" : "+");
    for (int i = 0; i < c->columns; i++)
        dl_text_add(text, "%s", c->braille ? "\u2500" : "-");
    dl_text_add(text, " %s\n", last);
}

dl_text dl_plot(const dl_curve *curves, int curve_count, int64_t count, int width, int lines,
                bool braille) {
    canvas c = {.braille = braille,
                .columns = width - AXIS - 2 - MAX_NAME - 1,
                .lines = lines < MAX_LINES ? lines : MAX_LINES,
                .dots_x = braille ? 2 : 1,
                .dots_y = braille ? 4 : 1,
                .count = count};
    dl_text text = {0};
    if (c.columns < 1 || !find_range(&c, curves, curve_count))
        return text;
    c.dots = xcalloc((size_t)c.lines * (size_t)c.columns, 1);
    for (int k = 0; k < curve_count; k++)
        draw_curve(&c, &curves[k]);
    for (int k = curve_count - 1; k >= 0; k--) /* the last curve has precedence */
        label_curve(&c, &curves[k]);
    for (int line = 0; line < c.lines; line++) {
        add_line(&text, &c, line);
        free(c.label[line]);
    }
    add_axis(&text, &c);
    free(c.dots);
    return text;
}

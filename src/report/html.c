/* SPDX-License-Identifier: MIT */
#include "report/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void dl_html_add_text(dl_text *page, const char *text) {
    bool utf8 = dl_text_is_utf8(text);
    for (const char *c = text; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte == '<')
            dl_text_add(page, "&lt;");
        else if (byte == '>')
            dl_text_add(page, "&gt;");
        else if (byte == '&')
            dl_text_add(page, "&amp;");
        else if (byte == '"')
            dl_text_add(page, "&quot;");
        else if (byte == '\'')
            dl_text_add(page, "&#39;");
        else if ((byte < ' ' && byte != '\n') || byte == 127 || (byte > 127 && !utf8))
            dl_text_add(page, "?");
        else
            dl_text_add_bytes(page, c, 1);
    }
}

void dl_html_add_base64(dl_text *page, const unsigned char *bytes, int count) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < count; i += 3) {
        unsigned group = (unsigned)bytes[i] << 16;
        group |= i + 1 < count ? (unsigned)bytes[i + 1] << 8 : 0;
        group |= i + 2 < count ? (unsigned)bytes[i + 2] : 0;
        char four[4] = {digits[group >> 18], digits[group >> 12 & 63],
                        i + 1 < count ? digits[group >> 6 & 63] : '=',
                        i + 2 < count ? digits[group & 63] : '='};
        dl_text_add_bytes(page, four, 4);
    }
}

void dl_html_add_png(dl_text *page, const unsigned char *bytes, int count, int width, int height,
                     const char *alt) {
    dl_text_add(page, "<img width=\"%d\" height=\"%d\" alt=\"", width, height);
    dl_html_add_text(page, alt);
    dl_text_add(page, "\" src=\"data:image/png;base64,");
    dl_html_add_base64(page, bytes, count);
    dl_text_add(page, "\">");
}

/* ---- curves ---- */

enum { WIDTH = 460, HEIGHT = 250, LEFT = 58, RIGHT = 12, TOP = 10, BOTTOM = 26, STEEP = 30 };

typedef struct {
    const double *epoch;
    int64_t rows;
    bool logarithmic, percent, plot;
    double low, high; /* of the axis, after its logarithm */
    double from, to;  /* epochs */
} chart;

static bool find_range(chart *c, const dl_html_curve *curves, int count, bool may_be_logarithmic) {
    bool found = false;
    for (int k = 0; k < count; k++)
        for (int64_t i = 0; curves[k].value && i < c->rows; i++) {
            double value = curves[k].value[i];
            if (!isfinite(value))
                continue;
            c->low = found ? fmin(c->low, value) : value;
            c->high = found ? fmax(c->high, value) : value;
            found = true;
        }
    if (!found)
        return false;
    c->logarithmic = may_be_logarithmic && c->low > 0 && c->high > STEEP * c->low;
    double low = c->logarithmic ? log10(c->low) : c->low;
    double high = c->logarithmic ? log10(c->high) : c->high;
    double margin = high > low ? 0.04 * (high - low) : high != 0 ? 0.1 * fabs(high) : 1;
    bool near = !c->logarithmic && low >= 0 && (low < 0.4 * high || low == high);
    c->low = near ? 0 : low - margin;
    c->high = c->percent && high <= 1 && high + margin > 1 ? 1 : high + margin;
    c->from = c->epoch[0];
    c->to = c->epoch[c->rows - 1];
    return true;
}

static double across(const chart *c, double epoch) {
    double part = c->to > c->from ? (epoch - c->from) / (c->to - c->from) : 0.5;
    return LEFT + part * (WIDTH - LEFT - RIGHT);
}

static double down(const chart *c, double height) {
    return TOP + (c->high - height) / (c->high - c->low) * (HEIGHT - TOP - BOTTOM);
}

/* The tick distance, 1, 2 or 5 times a power of ten, for at most `steps` ticks in the range. */
static double nice_step(double range, int steps) {
    double power = pow(10, floor(log10(range / steps))), part = range / steps / power;
    return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

static void add_tick(dl_text *page, const chart *c, double height, double value) {
    double y = down(c, height);
    dl_text_add(page, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT, y, WIDTH - RIGHT);
    dl_text_add(page, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 7, y + 4);
    value = fabs(value) < 1e-12 * (fabs(c->high) + fabs(c->low)) ? 0 : value;
    dl_text_add(page, c->percent ? "%g&#8239;%%</text>" : "%g</text>",
                c->percent ? 100 * value : value);
}

static void add_axes(dl_text *page, const chart *c) {
    if (c->logarithmic) {
        static const int both[] = {1, 3}, many[] = {1, 2, 5};
        bool close = c->high - c->low < 2;
        const int *digit = close ? many : both;
        int digits = c->high - c->low > 4 ? 1 : close ? 3 : 2;
        for (int power = (int)floor(c->low); power <= c->high; power++)
            for (int d = 0; d < digits; d++) {
                double value = digit[d] * pow(10, power), height = log10(value);
                if (height >= c->low && height <= c->high)
                    add_tick(page, c, height, value);
            }
    } else {
        double step = nice_step(c->high - c->low, 5);
        for (double n = ceil(c->low / step - 1e-9); n * step <= c->high + 1e-9 * step; n++)
            add_tick(page, c, n * step, n * step);
    }
    double step = c->to > c->from ? fmax(c->plot ? 0 : 1, nice_step(c->to - c->from, 6)) : 1;
    for (double n = ceil(c->from / step - 1e-9) + 0.0; n * step <= c->to + 1e-9 * step; n++)
        dl_text_add(page, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>",
                    across(c, n * step), HEIGHT - 8, n * step + 0.0);
}

/* At most MOST_POINTS epochs are drawn. */
static void add_path(dl_text *page, const chart *c, const dl_html_curve *curve) {
    enum { MOST_POINTS = 1500 };
    int64_t stride = (c->rows + MOST_POINTS - 1) / MOST_POINTS;
    bool drawing = false;
    dl_text_add(page, "<path class=\"curve %c\" d=\"", curve->name[0]);
    for (int64_t i = 0; i < c->rows; i += stride) {
        if (!isfinite(curve->value[i])) {
            drawing = false;
            continue;
        }
        double height = c->logarithmic ? log10(curve->value[i]) : curve->value[i];
        dl_text_add(page, "%c%.1f %.1f", drawing ? 'L' : 'M', across(c, c->epoch[i]),
                    down(c, height));
        if (!drawing)
            dl_text_add(page, "h0"); /* a single epoch is a dot */
        drawing = true;
    }
    dl_text_add(page, "\"/>");
}

static void add_legend(dl_text *page, const chart *c, const dl_html_curve *curves, int count) {
    dl_text_add(page, "<figcaption>");
    for (int k = 0; k < count; k++) {
        if (!curves[k].value)
            continue;
        double last = curves[k].value[c->rows - 1];
        dl_text_add(page, "<span><i class=\"%c\"></i>", curves[k].name[0]);
        dl_html_add_text(page, curves[k].name);
        dl_text_add(page, c->percent ? " <b>%.2f&#8239;%%</b></span> " : " <b>%.4g</b></span> ",
                    c->percent ? 100 * last : last);
    }
    dl_text_add(page, "</figcaption>");
}

void dl_html_add_chart(dl_text *page, const char *title, const dl_html_curve *curves, int count,
                       const double *epoch, int64_t rows, bool may_be_logarithmic, bool percent) {
    chart c = {.epoch = epoch, .rows = rows, .percent = percent};
    if (!rows || !find_range(&c, curves, count, may_be_logarithmic))
        return;
    dl_text_add(page, "<figure class=\"chart\"><h3>");
    dl_html_add_text(page, title);
    dl_text_add(page, "%s</h3>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
                c.logarithmic ? " <small>logarithmic</small>" : "", WIDTH, HEIGHT);
    dl_html_add_text(page, title);
    dl_text_add(page, " by epoch\">");
    add_axes(page, &c);
    for (int k = 0; k < count; k++)
        if (curves[k].value)
            add_path(page, &c, &curves[k]);
    dl_text_add(page, "</svg>\n");
    add_legend(page, &c, curves, count);
    dl_text_add(page, "</figure>\n");
}

static void find_plot_range(chart *c, const dl_html_plot *p) {
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int64_t i = 0; i < p->count; i++)
        for (int axis = 0; axis < 2; axis++) {
            double value = axis ? p->y[i] : p->x[i];
            low[axis] = isfinite(value) ? fmin(low[axis], value) : low[axis];
            high[axis] = isfinite(value) ? fmax(high[axis], value) : high[axis];
        }
    for (int axis = 0; axis < 2; axis++) {
        double margin = high[axis] > low[axis] ? 0.03 * (high[axis] - low[axis]) : 1;
        low[axis] = p->shares ? 0 : low[axis] - margin;
        high[axis] = p->shares ? 1 : high[axis] + margin;
    }
    c->from = low[0];
    c->to = high[0];
    c->low = low[1];
    c->high = high[1];
}

/* A line of length 0 is a dot. */
static void add_dots(dl_text *page, const chart *c, const dl_html_plot *p) {
    dl_text_add(page, "<path class=\"curve dots\" d=\"");
    for (int64_t i = 0; i < p->count; i++)
        if (isfinite(p->x[i]) && isfinite(p->y[i]))
            dl_text_add(page, "M%.1f %.1fh0", across(c, p->x[i]), down(c, p->y[i]));
    dl_text_add(page, "\"/>");
}

void dl_html_add_plot(dl_text *page, const dl_html_plot *p) {
    chart c = {.epoch = p->x, .rows = p->count, .plot = true};
    find_plot_range(&c, p);
    if (!(c.to > c.from))
        return;
    dl_text_add(page, "<figure class=\"chart\"><h3>");
    dl_html_add_text(page, p->title);
    dl_text_add(page,
                " <small>by %s</small></h3>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" "
                "aria-label=\"",
                p->across, WIDTH, HEIGHT);
    dl_html_add_text(page, p->title);
    dl_text_add(page, "\">");
    add_axes(page, &c);
    if (p->line)
        dl_text_add(page, "<path class=\"grid dash\" d=\"M%.1f %.1fL%.1f %.1f\"/>",
                    across(&c, p->line[0][0]), down(&c, p->line[0][1]), across(&c, p->line[1][0]),
                    down(&c, p->line[1][1]));
    if (p->dots)
        add_dots(page, &c, p);
    else
        add_path(page, &c, &(dl_html_curve){"p", p->y});
    dl_text_add(page, "</svg>\n<figcaption>");
    dl_html_add_text(page, p->caption);
    dl_text_add(page, "</figcaption></figure>\n");
}

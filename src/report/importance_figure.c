/* SPDX-License-Identifier: MIT */
#include "report/importance_figure.h"

#include <math.h>
#include <stdlib.h>

#include "image/grid.h"
#include "report/html.h"

static void begin(dl_text *svg, int width, int height, const char *title) {
    dl_text_add(svg,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
                "height=\"%d\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#333\">\n"
                "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                width, height, width, height);
    dl_text_add(svg, "<text x=\"12\" y=\"24\" font-size=\"15\">");
    dl_html_add_text(svg, title);
    dl_text_add(svg, "</text>\n");
}

static void add_label(dl_text *svg, double x, double y, const char *anchor, const char *text) {
    dl_text_add(svg, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    dl_html_add_text(svg, text);
    dl_text_add(svg, "</text>\n");
}

static void add_bars(const dl_importance *s, const dl_input_table *t, const char *title,
                     dl_text *svg) {
    enum { LEFT = 190, WIDTH = 720, LINE = 22, TOP = 40, MARGIN = 70 };
    double low = 0, high = 1e-30;
    for (int c = 0; c < t->count; c++) {
        low = fmin(low, s->mean[c] - s->sd[c]);
        high = fmax(high, s->mean[c] + s->sd[c]);
    }
    double scale = (WIDTH - LEFT - MARGIN) / (high - low), zero = LEFT - low * scale;
    begin(svg, WIDTH, TOP + LINE * t->count + 14, title);
    for (int i = 0; i < t->count; i++) {
        int c = s->order[i];
        double y = TOP + i * LINE, x = zero + s->mean[c] * scale, sd = s->sd[c] * scale;
        char value[32];
        snprintf(value, sizeof value, "%.4g", s->mean[c]);
        add_label(svg, LEFT - 10, y + 15, "end", t->column[c].name);
        dl_text_add(svg,
                    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"14\" fill=\"#4c78a8\"/>\n"
                    "<path d=\"M%.1f %.1fH%.1f\" stroke=\"#222\" stroke-width=\"1.5\"/>\n",
                    fmin(x, zero), y + 4, fabs(x - zero), x - sd, y + 11, x + sd);
        add_label(svg, fmax(x, zero) + sd + 6, y + 15, "start", value);
    }
    dl_text_add(svg, "<path d=\"M%.1f %dv%d\" stroke=\"#888\"/>\n</svg>\n", zero, TOP,
                LINE * t->count + 4);
}

/* The mean of the inputs, in the units of the data, as a PNG file. */
static void add_mean_picture(const dl_input_table *t, int x, int y, int width, int height,
                             dl_text *svg) {
    double *sum = xcalloc((size_t)t->size, sizeof *sum);
    float *mean = xcalloc((size_t)t->size, sizeof *mean);
    int bytes;
    for (int64_t i = 0; i < t->rows * t->size; i++)
        sum[i % t->size] += (double)t->x[i];
    for (int64_t e = 0; e < t->size; e++)
        mean[e] = (float)dl_input_value(t->model, e, (float)(sum[e] / (double)t->rows));
    dl_grid tile = dl_grid_images(mean, 1, t->model->data.schema.input, false);
    unsigned char *png = dl_grid_png(&tile, &bytes);
    dl_text_add(svg,
                "<image x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
                "preserveAspectRatio=\"none\" href=\"data:image/png;base64,",
                x, y, width, height);
    dl_html_add_base64(svg, png, bytes);
    dl_text_add(svg, "\"/>\n");
    free(png);
    dl_grid_free(&tile);
    free(mean);
    free(sum);
}

static void add_regions(const dl_importance *s, const dl_input_table *t, const char *title,
                        dl_text *svg) {
    enum { SIDE = 560, TOP = 40, LEFT = 12 };
    const dl_shape shape = t->model->data.schema.input;
    double scale = (double)SIDE / (shape.dim[0] > shape.dim[1] ? shape.dim[0] : shape.dim[1]);
    int height = (int)(scale * shape.dim[0]), width = (int)(scale * shape.dim[1]);
    double largest = fmax(s->mean[s->order[0]], 1e-30);
    begin(svg, SIDE + 2 * LEFT, TOP + height + 12, title);
    add_mean_picture(t, LEFT, TOP, width, height, svg);
    for (int c = 0; c < t->count; c++) {
        const dl_input_column *region = &t->column[c];
        int64_t first = region->element[0] / shape.dim[2];
        int64_t last = region->element[region->count - 1] / shape.dim[2];
        double x = LEFT + scale * (double)(first % shape.dim[1]);
        double y = TOP + scale * (double)(first / shape.dim[1]);
        double w = scale * (double)(last % shape.dim[1] - first % shape.dim[1] + 1);
        double h = scale * (double)(last / shape.dim[1] - first / shape.dim[1] + 1);
        char value[32];
        snprintf(value, sizeof value, "%.2g", s->mean[c]);
        dl_text_add(svg,
                    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#e01b24\" "
                    "fill-opacity=\"%.3f\" stroke=\"#aaa\"/>\n<g fill=\"#fff\" font-size=\"11\" "
                    "stroke=\"#000\" stroke-width=\"2\" paint-order=\"stroke\">",
                    x, y, w, h, 0.8 * fmax(s->mean[c], 0) / largest);
        add_label(svg, x + w / 2, y + h / 2 + 4, "middle", value);
        dl_text_add(svg, "</g>");
    }
    dl_text_add(svg, "</svg>\n");
}

void dl_importance_add_figure(const dl_importance *s, const dl_input_table *t, const char *title,
                              dl_text *svg) {
    const dl_schema *schema = &t->model->data.schema;
    if (!schema->columns && schema->input.rank == 3)
        add_regions(s, t, title, svg);
    else
        add_bars(s, t, title, svg);
}

enum { PLOT_WIDTH = 720, PLOT_HEIGHT = 380, LEFT = 80, RIGHT = 150, TOP = 46, BOTTOM = 40 };

static void add_axes(const dl_dependence *d, double low, double high, dl_text *svg) {
    enum { LINES = 4, LABELS = 6 };
    int step = (d->points + LABELS - 1) / LABELS, bottom = PLOT_HEIGHT - BOTTOM;
    for (int i = 0; i <= LINES; i++) {
        double y = bottom - (double)i / LINES * (bottom - TOP);
        char number[32];
        snprintf(number, sizeof number, "%.3g", low + (high - low) * i / LINES);
        dl_text_add(svg, "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/>", LEFT, y, PLOT_WIDTH - RIGHT);
        add_label(svg, LEFT - 8, y + 4, "end", number);
    }
    for (int i = 0; i < d->points; i += step) {
        char number[32];
        double range = d->x[d->points - 1] - d->x[0];
        add_label(
            svg, LEFT + (PLOT_WIDTH - LEFT - RIGHT) * (range > 0 ? (d->x[i] - d->x[0]) / range : 0),
            PLOT_HEIGHT - 18, "middle", dl_dependence_point(d, i, number));
    }
}

void dl_dependence_add_figure(const dl_dependence *d, const dl_model *model, dl_text *svg) {
    enum { MOST_CURVES = 10 };
    int curves = d->curves < MOST_CURVES ? d->curves : MOST_CURVES;
    bool categories = d->column->count > 1;
    double low = d->mean[0], high = d->mean[0], range = d->x[d->points - 1] - d->x[0];
    dl_text title = {0};
    for (int i = 0; i < curves * d->points; i++) {
        low = fmin(low, d->mean[i]);
        high = fmax(high, d->mean[i]);
    }
    high = high > low ? high : low + 1;
    dl_text_add(&title, "mean answer by %s", d->column->name);
    begin(svg, PLOT_WIDTH, PLOT_HEIGHT, title.data);
    dl_text_free(&title);
    add_axes(d, low, high, svg);
    for (int k = 0; k < curves; k++) {
        unsigned char c[3];
        char name[16];
        dl_class_color(k, c);
        dl_text_add(svg,
                    "<path fill=\"none\" stroke=\"#%02x%02x%02x\" stroke-width=\"%s\" "
                    "stroke-linecap=\"round\" d=\"",
                    c[0], c[1], c[2], categories ? "9" : "2.5");
        for (int i = 0; i < d->points; i++)
            dl_text_add(svg, "%c%.1f %.1f%s", i && !categories ? 'L' : 'M',
                        LEFT + (PLOT_WIDTH - LEFT - RIGHT) *
                                   (range > 0 ? (d->x[i] - d->x[0]) / range : 0),
                        TOP + (PLOT_HEIGHT - TOP - BOTTOM) * (high - d->mean[k * d->points + i]) /
                                  (high - low),
                        categories ? "h0" : "");
        dl_text_add(svg, "\"/>\n<g fill=\"#%02x%02x%02x\">", c[0], c[1], c[2]);
        add_label(svg, PLOT_WIDTH - RIGHT + 12, TOP + 12 + 20 * k, "start",
                  dl_dependence_curve(model, k, name));
        dl_text_add(svg, "</g>\n");
    }
    dl_text_add(svg, "</svg>\n");
}

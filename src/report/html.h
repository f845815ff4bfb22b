/* SPDX-License-Identifier: MIT */
/* Elements of a self-contained HTML page: text, images and charts. */
#ifndef DL_REPORT_HTML_H
#define DL_REPORT_HTML_H

#include "base/text.h"

/* Adds text, escaped; control characters except newlines become "?", as do the bytes beyond ASCII
   of text that is not UTF-8. */
void dl_html_add_text(dl_text *page, const char *text);
/* Adds bytes[count] in base64. */
void dl_html_add_base64(dl_text *page, const unsigned char *bytes, int count);
/* Adds the PNG file bytes[count] as an image with the text `alt`. */
void dl_html_add_png(dl_text *page, const unsigned char *bytes, int count, int width, int height,
                     const char *alt);

/* value[rows]; NULL: no such curve; not finite: a gap. */
typedef struct {
    const char *name; /* "training"; its first letter is the CSS class */
    const double *value;
} dl_html_curve;
/* Adds an SVG of curves over epoch[rows], with their last values as the caption; nothing if no
   value is finite. The axis is logarithmic if that is allowed, all values are positive and the
   largest is more than 30 times the smallest. `percent`: the values are fractions, printed as
   percentages. */
void dl_html_add_chart(dl_text *page, const char *title, const dl_html_curve *curves, int count,
                       const double *epoch, int64_t rows, bool may_be_logarithmic, bool percent);

/* A curve, or dots, of y[count] over x[count]. */
typedef struct {
    const char *title, *across, *caption; /* across: the name of the x axis */
    const double *x, *y;
    int64_t count;
    bool dots;
    bool shares;             /* both axes go from 0 to 1 */
    const double (*line)[2]; /* dashed, from line[0] to line[1] (x, y); or NULL */
} dl_html_plot;
void dl_html_add_plot(dl_text *page, const dl_html_plot *plot);

#endif

/* SPDX-License-Identifier: MIT */
/* Pieces of a page: words, pictures and curves, which need nothing from elsewhere. */
#ifndef DL_REPORT_HTML_H
#define DL_REPORT_HTML_H

#include "base/text.h"

/* Words that come from elsewhere: what is special to HTML made plain, "?" for control characters
   but newlines, and for bytes beyond ASCII if they are not UTF-8. */
void html_add_words(dl_text *page, const char *words);
/* bytes[count] as base64. */
void html_add_base64(dl_text *page, const unsigned char *bytes, int count);
/* An image of the PNG file bytes[count]; `alt`, plain words, says what it shows. */
void html_add_png(dl_text *page, const unsigned char *bytes, int count, int width, int height,
                  const char *alt);

/* value[rows], or NULL: there is no such curve; not finite: a gap. */
typedef struct {
    const char *name; /* "training"; the first letter of a curve's CSS class, too */
    const double *value;
} html_curve;
/* A figure with an inline SVG of curves over the epochs 1 … rows, and below it their last values.
   The axis is logarithmic where `may_be_logarithmic`, all values are above 0 and the largest is
   more than 30 times the smallest. `percent`: the values are shares. Nothing without finite values.
 */
void html_add_chart(dl_text *page, const char *title, const html_curve *curves, int count,
                    const double *epoch, int64_t rows, bool may_be_logarithmic, bool percent);

#endif

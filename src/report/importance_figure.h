/* SPDX-License-Identifier: MIT */
/* SVG files of permutation importance and partial dependence. */
#ifndef DL_REPORT_IMPORTANCE_FIGURE_H
#define DL_REPORT_IMPORTANCE_FIGURE_H

#include "inspect/importance.h"

/* Bars with their standard deviations, the most important first; of pictures: their regions over
   the mean picture, the darker red the more important. */
void dl_importance_add_figure(const dl_importance *importance, const dl_input_table *table,
                              const char *title, dl_text *svg);
/* A curve per output, or per class up to ten; dots for categories. */
void dl_dependence_add_figure(const dl_dependence *dependence, const dl_model *model, dl_text *svg);

#endif

/* SPDX-License-Identifier: MIT */
#include "report/page_classes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "image/grid.h"
#include "model/filters.h"
#include "report/html.h"

enum { WITH_NUMBERS = 30, MOST_CLASSES = 120, MOST_ROWS = 1000, MOST_PAIRS = 10, MOST_ERRORS = 24 };

static void add_name(dl_text *page, const dl_page *of, int class) {
    char number[16];
    dl_html_add_text(page, dl_schema_class(&of->model->data.schema, class, number));
}

static void add_value(dl_text *page, double value, bool share) {
    if (isnan(value))
        dl_text_add(page, "<td>–</td>");
    else if (share)
        dl_text_add(page, "<td>%.2f&#8239;%%</td>", 100 * value);
    else
        dl_text_add(page, "<td>%.4f</td>", value);
}

void dl_page_add_classes(dl_text *page, const dl_page *of) {
    const dl_scores *s = of->scores;
    int shown = s->confusion.classes < MOST_ROWS ? s->confusion.classes : MOST_ROWS;
    if (!shown)
        return;
    dl_text_add(page, "<section id=\"classes\"><h2>Classes</h2>\n<div class=\"box fit\"><table "
                      "class=\"rows\"><tr><th>class</th><th>rows</th>");
    for (int i = 0; i < s->column_count; i++)
        dl_text_add(page, "<th>%s</th>", s->column[i]->column);
    dl_text_add(page, "</tr>\n");
    for (int c = 0; c < shown; c++) {
        char count[32];
        int64_t rows = dl_confusion_count(&s->confusion, c).rows;
        dl_text_add(page, "<tr><td>");
        add_name(page, of, c);
        dl_text_add(page, "</td><td>%s</td>", dl_text_count(count, rows));
        for (int i = 0; i < s->column_count; i++)
            add_value(page, dl_scores_class_value(s, c, s->column[i]),
                      s->column[i]->of_class != NULL);
        dl_text_add(page, "</tr>\n");
    }
    dl_text_add(page, "</table></div></section>\n");
}

/* The color is the stronger the larger the share of the true class's rows; errors are emphasized by
   a square root. */
static void add_cell(dl_text *page, const dl_page *of, int truth, int predicted, int64_t rows) {
    const dl_confusion *c = &of->scores->confusion;
    int64_t count = c->count[(int64_t)truth * c->classes + predicted];
    bool numbers = c->classes <= WITH_NUMBERS, right = truth == predicted;
    if (!count) {
        dl_text_add(page, numbers ? "<td>·</td>" : "<td></td>");
        return;
    }
    double share = (double)count / (double)rows;
    double strength = right ? 0.12 + 0.83 * share : 0.16 + 0.8 * sqrt(share);
    dl_text_add(page, "<td class=\"%c%s\" style=\"--a:%.2f\" title=\"", right ? 'r' : 'w',
                strength > 0.55 ? " s" : "", strength);
    add_name(page, of, truth);
    dl_text_add(page, right ? ": " : " predicted as ");
    if (!right) {
        add_name(page, of, predicted);
        dl_text_add(page, ": ");
    }
    dl_text_add(page, "%lld (%.1f %%)\">", (long long)count, 100 * share);
    if (numbers)
        dl_text_add(page, "%lld", (long long)count);
    dl_text_add(page, "</td>");
}

static void add_matrix(dl_text *page, const dl_page *of) {
    const dl_confusion *c = &of->scores->confusion;
    bool numbers = c->classes <= WITH_NUMBERS;
    dl_text_add(page, "<div class=\"box fit\"><table class=\"matrix%s\">", numbers ? "" : " many");
    if (numbers) {
        dl_text_add(page, "<tr><th></th>");
        for (int k = 0; k < c->classes; k++) {
            dl_text_add(page, "<th>");
            add_name(page, of, k);
            dl_text_add(page, "</th>");
        }
        dl_text_add(page, "</tr>\n");
    }
    for (int r = 0; r < c->classes; r++) {
        int64_t rows = dl_confusion_count(c, r).rows;
        dl_text_add(page, "<tr>");
        if (numbers) {
            dl_text_add(page, "<th>");
            add_name(page, of, r);
            dl_text_add(page, "</th>");
        }
        for (int k = 0; k < c->classes; k++)
            add_cell(page, of, r, k, rows);
        dl_text_add(page, "</tr>\n");
    }
    dl_text_add(page, "</table></div>\n");
}

void dl_page_add_confusion(dl_text *page, const dl_page *of) {
    const dl_confusion *c = &of->scores->confusion;
    dl_misclassification pairs[MOST_PAIRS];
    char number[32];
    if (!c->classes)
        return;
    int count = dl_confusion_misclassified(c, MOST_PAIRS, pairs);
    dl_text_add(page, "<section id=\"confusion\"><h2>Confusion</h2>\n");
    if (c->classes <= MOST_CLASSES) {
        dl_text_add(page, "<p class=\"soft\">A row is the true class, a column the predicted one."
                          "</p>\n<div class=\"beside\">\n");
        add_matrix(page, of);
    } else
        dl_text_add(page,
                    "<p class=\"soft\">The matrix of %d classes is in dltest --json.</p>\n"
                    "<div class=\"beside\">\n",
                    c->classes);
    if (count)
        dl_text_add(page, "<div class=\"box fit\"><h3>Most frequent errors</h3><table>");
    for (int i = 0; i < count; i++) {
        dl_text_add(page, "<tr><td>");
        add_name(page, of, pairs[i].truth);
        dl_text_add(page, " predicted as ");
        add_name(page, of, pairs[i].predicted);
        dl_text_add(page, "</td><td>%s</td></tr>\n", dl_text_count(number, pairs[i].count));
    }
    dl_text_add(page, "%s</div></section>\n", count ? "</table></div>" : "");
}

bool dl_page_has_errors(const dl_model *model) {
    return model->data.schema.input.rank == 3 && !model->data.schema.bin_edge &&
           dl_mistakes_apply(model);
}

static int add_confident_error(dl_text *page, const dl_page *of, const dl_judged_row *confident,
                               float *x, dl_error *error) {
    const dl_model *model = of->model;
    const dl_subset *part = &model->data.part[of->split];
    if (dl_dataset_read(part->dataset, confident->row, x, NULL, error))
        return -1;
    dl_grid tile = dl_grid_images(x, 1, model->data.schema.input, part->dataset->bytes);
    int size;
    unsigned char *png = dl_grid_png(&tile, &size);
    dl_text_add(page, "<figure>");
    dl_html_add_png(page, png, size, tile.width, tile.height, "a row of the data");
    dl_text_add(page, "<figcaption><b>");
    add_name(page, of, confident->truth);
    dl_text_add(page, "</b> predicted as <b>");
    add_name(page, of, confident->predicted);
    if (model->link == DL_NO_PROBABILITIES)
        dl_text_add(page, "</b><br>%.3g<br>", confident->confidence);
    else
        dl_text_add(page, "</b><br>%.1f&#8239;%%<br>", 100 * confident->confidence);
    dl_text source = {0};
    dl_dataset_add_source(part->dataset, confident->row, &source);
    dl_html_add_text(page, dl_path_base(source.data));
    dl_text_free(&source);
    dl_text_add(page, "</figcaption></figure>\n");
    free(png);
    dl_grid_free(&tile);
    return 0;
}

int dl_page_add_errors(dl_text *page, const dl_page *of, dl_error *error) {
    const dl_model *model = of->model;
    int64_t errors = dl_mistakes_sort(of->mistakes);
    if (!errors)
        return 0;
    dl_text_add(page, "<section id=\"errors\"><h2>Most confident errors</h2>\n"
                      "<div class=\"pictures\">\n");
    float *x = xcalloc((size_t)dl_shape_size(model->data.schema.input), sizeof *x);
    int result = 0;
    for (int64_t i = 0; i < errors && i < MOST_ERRORS && !result; i++)
        result = add_confident_error(page, of, &of->mistakes->row[i], x, error);
    free(x);
    dl_text_add(page, "</div></section>\n");
    return result;
}

void dl_page_add_filters(dl_text *page, const dl_page *of) {
    dl_grid grid;
    const dl_layer *layer;
    if (!dl_grid_filters(&of->model->net, &grid, &layer))
        return;
    int size;
    unsigned char *png = dl_grid_png(&grid, &size);
    dl_text_add(page, "<section id=\"filters\"><h2>Weights of the first layer</h2>\n"
                      "<figure style=\"width:fit-content;max-width:100%%\">");
    dl_html_add_png(page, png, size, grid.width, grid.height, "one tile per filter");
    dl_text_add(page, "<figcaption>");
    dl_html_add_text(page, layer->name);
    dl_text_add(page, ", %d filters; gray is 0</figcaption></figure></section>\n",
                dl_shape_channels(layer->out.shape));
    free(png);
    dl_grid_free(&grid);
}

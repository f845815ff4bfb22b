/* SPDX-License-Identifier: MIT */
#include "cmd/report_page.h"

#include "report/page.h"
#include "report/page_scores.h"

typedef struct {
    dl_scores scores;
    bool has_errors;
    dl_mistakes mistakes;
    dl_mistakes_observer observer;
    dl_page_numbers numbers;
} page_scores;

static void observe(void *context, const dl_outcome *outcome) {
    page_scores *s = context;
    dl_scores_observe(&s->scores, outcome);
    if (s->has_errors)
        dl_mistakes_collect(&s->observer, outcome);
    dl_page_numbers_add(&s->numbers, outcome);
}

int report_page_write(loaded *l, dl_split split, const char *path, dl_error *error) {
    dl_model *e = &l->experiment.model;
    dl_loader *loader = dl_loader_new(&e->data, split, e->batch_size, error);
    page_scores s = {.has_errors = dl_page_has_errors(e)};
    dl_metric_sums sums = {0};
    if (!loader)
        return -1;
    s.observer = (dl_mistakes_observer){.mistakes = &s.mistakes, .part = &e->data.part[split]};
    dl_scores_open(&s.scores, e, e->target.classes, e->link, split);
    int status = dl_evaluate(e, loader, &sums, observe, &s, error);
    s.scores.rows = sums.rows;
    if (!status)
        status = dl_page_write(path,
                               &(dl_page){l->path, &l->checkpoint, e, split,
                                          dl_loss_mean(&sums.losses.net), &s.scores, &s.mistakes,
                                          &s.numbers},
                               error);
    dl_scores_close(&s.scores);
    dl_mistakes_observer_close(&s.observer);
    dl_mistakes_free(&s.mistakes);
    dl_page_numbers_free(&s.numbers);
    dl_metric_sums_close(&sums);
    dl_loader_free(loader);
    return status;
}

/* SPDX-License-Identifier: MIT */
/* dltest: evaluates a checkpoint. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mapped.h"
#include "cmd/common.h"
#include "cmd/scores.h"
#include "cmd/test_arguments.h"
#include "formats/text.h"
#include "inspect/batch_picture.h"
#include "inspect/speed.h"
#include "math/threads.h"
#include "model/generate.h"
#include "report/page.h"
#include "report/report.h"
#include "run/run.h"

typedef struct {
    dl_checkpoint checkpoint;
    dl_model model;
    char *path; /* of the checkpoint */
} member;

typedef struct {
    member *member; /* [count] */
    int count;
    dl_split split;
    dl_sums sums; /* of one net; several have their ensemble */
    dl_ensemble ensemble;
    scores scores;
    dl_mistakes mistakes; /* for a page */
    dl_speed speed;
} test;

/* The part to evaluate: the one that was asked for, or the first that there is. */
static int choose_split(test *t, int wanted, const member *m, dl_error *error) {
    const dl_data *data = &m->model.data;
    static const dl_split order[] = {DL_TEST, DL_VALIDATION, DL_TRAIN};
    for (int i = 0; i < DL_SPLITS; i++) {
        dl_split s = wanted >= 0 ? (dl_split)wanted : order[i];
        if (data->dataset[s].type || data->share[s] > 0) {
            t->split = s;
            return 0;
        }
        if (wanted >= 0)
            break;
    }
    return dl_fail(error, DL_USAGE, "%s: its config has no %s data", m->path,
                   dl_split_names[wanted]);
}

/* Writing needs no data, only what the checkpoint says of them. */
static int prepare_writing(member *m, dl_error *error) {
    dl_checkpoint *c = &m->checkpoint;
    dl_model *model = &m->model;
    if (dl_data_describe(&model->data, &c->schema, &c->input, &c->target, error) ||
        dl_symbols_check(&model->data, m->path, error))
        return -1;
    model->batch_size = 1;
    if (dl_model_build(model, false, dl_threads(), error))
        return -1;
    return dl_checkpoint_load_net(c, &model->net, error);
}

static int open_member(member *m, const char *path, const test_arguments *a, dl_error *error) {
    dl_checkpoint *c = &m->checkpoint;
    m->path = dl_run_find_checkpoint(path, a->last, error);
    if (!m->path || dl_checkpoint_open(c, m->path, error))
        return -1;
    for (int i = 0; i < a->set_count; i++)
        if (dl_config_set(&c->config, a->sets[i], error))
            return -1;
    return dl_model_read(&m->model, &c->config, NULL, error);
}

/* Nets that answer together do so in batches of one size. */
static int build_members(test *t, int64_t batch, dl_error *error) {
    for (int i = 0; i < t->count; i++) {
        dl_model *model = &t->member[i].model;
        int64_t rows =
            model->data.part[t->split].count; /* bounds what a strange file may ask for */
        model->batch_size = batch < rows ? batch : rows;
        if (dl_model_build(model, false, dl_threads(), error) ||
            dl_checkpoint_load_net(&t->member[i].checkpoint, &model->net, error))
            return -1;
    }
    return 0;
}

static int prepare(test *t, const test_arguments *a, dl_error *error) {
    int64_t batch = a->speed;
    t->count = a->path_count;
    t->member = xcalloc((size_t)t->count, sizeof *t->member);
    for (int i = 0; i < t->count; i++) {
        member *m = &t->member[i];
        dl_checkpoint *c = &m->checkpoint;
        if (open_member(m, a->paths[i], a, error))
            return -1;
        if (a->write.count)
            return prepare_writing(m, error);
        if (choose_split(t, i ? (int)t->split : a->split, m, error) ||
            dl_data_open_part(&m->model.data, t->split, &c->schema, &c->input, &c->target, error) ||
            dl_checkpoint_check_split(c, &m->model.data, error))
            return -1;
        dl_terminal terminal = dl_terminal_open(false);
        dl_report_cache(&terminal, &m->model.data);
        dl_terminal_close(&terminal);
        if (!batch || (!a->speed && c->batch_size < batch))
            batch = c->batch_size;
    }
    return build_members(t, batch, error);
}

static int evaluate_together(test *t, const test_arguments *a, dl_error *error) {
    dl_ensemble *s = &t->ensemble;
    *s = (dl_ensemble){xcalloc((size_t)t->count, sizeof *s->member), t->count, t->split, a->vote};
    for (int i = 0; i < t->count; i++)
        s->member[i] = (dl_member){.model = &t->member[i].model, .name = t->member[i].path};
    if (dl_ensemble_check(s, error))
        return -1;
    scores_open(&t->scores, &t->member[0].model, dl_ensemble_classes(s), dl_ensemble_link(s),
                t->split);
    for (int i = 0; i < t->count; i++)
        scores_open_like(&s->member[i].tally, &t->scores);
    return dl_ensemble_evaluate(s, scores_observe, &t->scores, &t->scores.rows, error);
}

static void observe(void *context, const dl_outcome *outcome) {
    test *t = context;
    scores_observe(&t->scores, outcome);
    dl_mistakes_add(&t->mistakes, outcome);
}

static int write_page(const test *t, const char *path, dl_error *error) {
    const member *m = &t->member[0];
    return page_write(path,
                      &(page_of){m->path, &m->checkpoint, &m->model, t->split,
                                 dl_loss_mean(&t->sums.losses.net), &t->scores, &t->mistakes},
                      error);
}

static int evaluate(test *t, const test_arguments *a, dl_error *error) {
    dl_model *model = &t->member[0].model;
    if (t->count > 1)
        return evaluate_together(t, a, error);
    if (!a->speed)
        scores_open(&t->scores, model, model->target.classes, model->link, t->split);
    dl_loader *loader = dl_loader_new(&model->data, t->split, model->batch_size, error);
    if (!loader)
        return -1;
    int result = a->speed ? dl_speed_measure(model, loader, &t->speed, error)
                          : dl_evaluate(model, loader, &t->sums, observe, t, error);
    t->scores.rows = t->sums.rows;
    dl_loader_free(loader);
    return !result && a->report ? write_page(t, a->report, error) : result;
}

static void close_test(test *t) {
    scores_close(&t->scores);
    dl_mistakes_free(&t->mistakes);
    dl_sums_close(&t->sums);
    for (int i = 0; i < t->ensemble.count; i++)
        dl_accumulator_close(&t->ensemble.member[i].tally);
    free(t->ensemble.member);
    for (int i = 0; i < t->count; i++) {
        dl_model_free(&t->member[i].model);
        dl_checkpoint_close(&t->member[i].checkpoint);
        free(t->member[i].path);
    }
    free(t->member);
}

/* ---- printing ---- */

static const char *joined(const test_arguments *a) {
    return a->vote ? "voting" : "averaged";
}

static void print_text(const test *t, const test_arguments *a) {
    char count[32];
    const dl_model *model = &t->member[0].model;
    if (t->count > 1) {
        printf("%s: %d nets, %s, on %s %s rows\n", model->name, t->count, joined(a),
               dl_text_count(count, t->scores.rows), dl_split_names[t->split]);
        scores_print_members(&t->scores, &t->ensemble);
        return;
    }
    double loss = dl_loss_mean(&t->sums.losses.net);
    printf("%s on %s %s rows (%s)\n", model->name, dl_text_count(count, t->scores.rows),
           dl_split_names[t->split], t->member[0].path);
    scores_print(&t->scores, &loss);
}

static json_t *members_json(const test *t) {
    json_t *list = json_array();
    for (int i = 0; i < t->count; i++) {
        json_t *object = json_pack("{s:o}", "checkpoint", cmd_json_string(t->member[i].path));
        scores_tally_to_json(&t->ensemble.member[i].tally, object);
        json_array_append_new(list, object);
    }
    return list;
}

static void print_json(const test *t, const test_arguments *a) {
    json_t *object = json_pack("{s:o}", "name", cmd_json_string(t->member[0].model.name));
    if (t->count > 1) {
        json_object_set_new(object, "members", members_json(t));
        json_object_set_new(object, "joined", json_string(joined(a)));
    } else
        json_object_set_new(object, "checkpoint", cmd_json_string(t->member[0].path));
    json_object_set_new(object, "split", json_string(dl_split_names[t->split]));
    json_object_set_new(object, "rows", json_integer((json_int_t)t->scores.rows));
    if (t->count == 1)
        json_object_set_new(object, "loss", cmd_json_number(dl_loss_mean(&t->sums.losses.net)));
    scores_to_json(&t->scores, object);
    cmd_print_json(object, JSON_INDENT(1));
}

static void print_speed(const test *t, bool json) {
    const dl_speed *s = &t->speed;
    char rows[32], rate[32];
    if (json) {
        cmd_print_json(json_pack("{s:o, s:o, s:I, s:f, s:f, s:f, s:f}", "name",
                                 cmd_json_string(t->member[0].model.name), "checkpoint",
                                 cmd_json_string(t->member[0].path), "batch",
                                 (json_int_t)s->samples, "seconds_a_batch", s->seconds, "fastest",
                                 s->fastest, "slowest", s->slowest, "samples_per_second",
                                 s->samples_per_second),
                       JSON_INDENT(1));
        return;
    }
    printf("%s, batches of %s: %.4g ms a forward pass (%.4g to %.4g), %s rows a second\n",
           t->member[0].model.name, dl_text_count(rows, s->samples), 1e3 * s->seconds,
           1e3 * s->fastest, 1e3 * s->slowest, dl_text_count(rate, (int64_t)s->samples_per_second));
}

static char last_byte; /* of what was written */

static bool print_symbol(const char *bytes, int count) {
    fwrite(bytes, 1, (size_t)count, stdout);
    last_byte = count ? bytes[count - 1] : last_byte;
    return cmd_flush();
}

static int write_text(test *t, test_arguments *a, dl_error *error) {
    a->write.seed = (uint64_t)a->seed;
    member *m = &t->member[0];
    int result = dl_write(&m->model, &a->write, m->path, print_symbol, error);
    if (!result && last_byte != '\n' && isatty(STDOUT_FILENO))
        putchar('\n');
    return result;
}

static void print_result(const test *t, const test_arguments *a) {
    if (a->speed)
        print_speed(t, a->json);
    else if (a->json)
        print_json(t, a);
    else
        print_text(t, a);
}

static int save_pictures(test *t, const test_arguments *a, dl_error *error) {
    int shown = 0;
    if (dl_show_answers(&t->member[0].model, t->split, a->pictures, &shown, error))
        return -1;
    if (!a->json)
        printf("\n%d samples, each as input, answer and truth: %s\n", shown, a->pictures);
    return 0;
}

int main(int argc, char **argv) {
    cmd_start(argv);
    dl_mapped_watch("dltest");
    test_arguments a = {.threads = dl_threads_available(), .split = -1, .seed = 1};
    a.write.temperature = 1;
    int status = test_arguments_parse(argc, argv, &a);
    if (status >= 0)
        return cmd_finish("dltest", status);
    if ((status = cmd_set_threads("dltest", (int)a.threads)))
        return cmd_finish("dltest", status);
    dl_error error = {0};
    test t = {0};
    int result = prepare(&t, &a, &error);
    if (!result)
        result = a.write.count ? write_text(&t, &a, &error) : evaluate(&t, &a, &error);
    if (!result && !a.write.count)
        print_result(&t, &a);
    if (!result && a.pictures)
        result = save_pictures(&t, &a, &error);
    status = result ? cmd_fail("dltest", &error) : DL_OK;
    dl_error_clear(&error);
    close_test(&t);
    return cmd_finish("dltest", status);
}

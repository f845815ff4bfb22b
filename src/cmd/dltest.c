/* SPDX-License-Identifier: MIT */
/* dltest: scores checkpoints on labeled data. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cmd/common.h"
#include "cmd/loaded.h"
#include "cmd/scores_output.h"
#include "cmd/test_predictions.h"
#include "inspect/speed.h"
#include "math/backend.h"

typedef struct {
    arg_common common;
    bool average, vote, last;
    int split;
    int64_t speed;           /* size of the batch to time; 0: none */
    const char *predictions; /* file, or NULL */
} test_arguments;

typedef struct {
    loaded *member; /* [count] */
    int count;
    dl_split split;
    dl_metric_sums sums; /* of a single net */
    dl_ensemble ensemble;
    dl_scores scores;
    dl_speed speed;
    test_predictions predictions;
} test;

/* The nets of an ensemble use the same batch size. */
static int prepare(test *t, const test_arguments *a, dl_error *error) {
    int64_t batch = a->speed;
    int wanted = loaded_wanted_split(&a->common, a->split);
    t->count = a->common.operand_count;
    t->member = xcalloc((size_t)t->count, sizeof *t->member);
    for (int i = 0; i < t->count; i++) {
        loaded *l = &t->member[i];
        if (loaded_open(l, a->common.operands[i], a->last, &a->common, error) ||
            loaded_open_split(l, i ? (int)t->split : wanted, &t->split, error))
            return -1;
        if (!batch || (!a->speed && l->checkpoint.batch_size < batch))
            batch = l->checkpoint.batch_size;
    }
    for (int i = 0; i < t->count; i++)
        if (loaded_build(&t->member[i], t->split, batch, error))
            return -1;
    return 0;
}

static void observe(void *context, const dl_outcome *outcome) {
    test *t = context;
    dl_scores_observe(&t->scores, outcome);
    if (t->predictions.open)
        test_predictions_add(&t->predictions, outcome);
}

static int evaluate_ensemble(test *t, const test_arguments *a, dl_error *error) {
    dl_ensemble *s = &t->ensemble;
    *s = (dl_ensemble){xcalloc((size_t)t->count, sizeof *s->member), t->count, t->split, a->vote};
    for (int i = 0; i < t->count; i++)
        s->member[i] =
            (dl_member){.model = &t->member[i].experiment.model, .name = t->member[i].path};
    if (dl_ensemble_check(s, error))
        return -1;
    dl_scores_open(&t->scores, &t->member[0].experiment.model, dl_ensemble_classes(s),
                   dl_ensemble_link(s), t->split);
    for (int i = 0; i < t->count; i++)
        dl_scores_open_like(&s->member[i].accumulator, &t->scores);
    return dl_ensemble_evaluate(s, observe, t, &t->scores.rows, error);
}

static int evaluate(test *t, const test_arguments *a, dl_error *error) {
    dl_model *e = &t->member[0].experiment.model;
    if (a->predictions && test_predictions_open(&t->predictions, e, t->split, a->predictions,
                                                t->count > 1, a->vote, error))
        return -1;
    if (t->count > 1)
        return evaluate_ensemble(t, a, error);
    if (!a->speed)
        dl_scores_open(&t->scores, e, e->target.classes, e->link, t->split);
    dl_loader *loader = dl_loader_new(&e->data, t->split, e->batch_size, error);
    if (!loader)
        return -1;
    int result = a->speed ? dl_speed_measure(e, loader, &t->speed, error)
                          : dl_evaluate(e, loader, &t->sums, observe, t, error);
    t->scores.rows = t->sums.rows;
    dl_loader_free(loader);
    return result;
}

static void close_test(test *t) {
    test_predictions_close(&t->predictions);
    dl_scores_close(&t->scores);
    dl_metric_sums_close(&t->sums);
    for (int i = 0; i < t->ensemble.count; i++)
        dl_accumulator_close(&t->ensemble.member[i].accumulator);
    free(t->ensemble.member);
    for (int i = 0; i < t->count; i++)
        loaded_close(&t->member[i]);
    free(t->member);
}

/* ---- printing ---- */

static const char *combination(const test_arguments *a) {
    return a->vote ? "voting" : "averaged";
}

static void print_text(const test *t, const test_arguments *a) {
    char count[32];
    const dl_model *e = &t->member[0].experiment.model;
    if (t->count > 1) {
        printf("%s: %d nets, %s, on %s %s rows\n", e->name, t->count, combination(a),
               dl_text_count(count, t->scores.rows), dl_split_names[t->split]);
        scores_print_members(&t->scores, &t->ensemble);
        return;
    }
    double loss = dl_loss_mean(&t->sums.losses.net);
    dl_print_plain(stdout, "%s on %s %s rows (%s)\n", e->name, dl_text_count(count, t->scores.rows),
                   dl_split_names[t->split], t->member[0].path);
    scores_print(&t->scores, &loss);
}

static json_t *members_json(const test *t) {
    json_t *list = json_array();
    for (int i = 0; i < t->count; i++) {
        json_t *object = json_pack("{s:o}", "checkpoint", cmd_json_string(t->member[i].path));
        scores_metrics_to_json(&t->ensemble.member[i].accumulator, object);
        json_array_append_new(list, object);
    }
    return list;
}

static void print_json(const test *t, const test_arguments *a) {
    json_t *object =
        json_pack("{s:o}", "name", cmd_json_string(t->member[0].experiment.model.name));
    if (t->count > 1) {
        json_object_set_new(object, "members", members_json(t));
        json_object_set_new(object, "combination", json_string(combination(a)));
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
                                 cmd_json_string(t->member[0].experiment.model.name), "checkpoint",
                                 cmd_json_string(t->member[0].path), "batch",
                                 (json_int_t)s->samples, "seconds_per_batch", s->seconds, "fastest",
                                 s->fastest, "slowest", s->slowest, "samples_per_second",
                                 s->samples_per_second),
                       JSON_INDENT(1));
        return;
    }
    printf("%s, batches of %s: %.4g ms per forward pass (%.4g to %.4g), %s rows per second\n",
           t->member[0].experiment.model.name, dl_text_count(rows, s->samples), 1e3 * s->seconds,
           1e3 * s->fastest, 1e3 * s->slowest, dl_text_count(rate, (int64_t)s->samples_per_second));
}

static int run(void *arguments, dl_error *error) {
    const test_arguments *a = arguments;
    test t = {0};
    int status = prepare(&t, a, error);
    if (!status)
        status = evaluate(&t, a, error);
    if (!status)
        status = test_predictions_finish(&t.predictions, error);
    if (!status && a->speed)
        print_speed(&t, a->common.json);
    else if (!status && a->common.json)
        print_json(&t, a);
    else if (!status)
        print_text(&t, a);
    close_test(&t);
    return status;
}

static bool check(void *arguments, dl_text *message) {
    const test_arguments *a = arguments;
    bool together = a->average || a->vote;
    int count = a->common.operand_count;
    if (together && count < 2)
        dl_text_add(message, "%s needs several checkpoints", a->average ? "--average" : "--vote");
    if (!together && count > 1)
        dl_text_add(message,
                    "one checkpoint at a time, not also %s (--average or --vote combines several)",
                    a->common.operands[1]);
    return !message->length;
}

static const arg_option options[] = {
    LOADED_SPLIT_ROW(test_arguments, split, NULL),
    LOADED_LAST_ROW(test_arguments, last),
    ARG_SET_ROW,
    ARG_FLAG_ROW("average", test_arguments, average,
                 "score the average of several nets: the mean of their probabilities, or of their "
                 "outputs in regression",
                 .excludes = "vote speed"),
    ARG_FLAG_ROW("vote", test_arguments, vote, "score the class that most of several nets predict",
                 .excludes = "speed"),
    ARG_COUNT_ROW("speed", test_arguments, speed, 1, 1 << 20, "N",
                  "time forward passes of N rows instead"),
    ARG_STRING_ROW("predictions", test_arguments, predictions, "FILE", ARG_FILE,
                   "write a CSV table of all rows: the row (from 0), the truth and the prediction "
                   "with its probability",
                   .excludes = "speed"),
    ARG_THREADS_ROW,
    ARG_BACKEND_ROW,
    ARG_JSON_ROW("print one JSON object"),
    ARG_ROWS_END};

static const arg_command command = {
    .operands = "RUN...",
    .completes = ARG_RUN,
    .min_operands = 1,
    .operand = "run or checkpoint",
    .help = "Scores a checkpoint on labeled data, or the best checkpoint of a run's folder "
            "(runs/latest is the newest run).",
    .more = "It needs only the checkpoint and the data, no config.",
    .options = options,
    .size = sizeof(test_arguments),
    .check = check,
    .run = run,
};

static const arg_moved moved[] = {
    {"write", "dlpredict RUN --generate N"},
    {"prompt", "dlpredict RUN --generate N --prompt TEXT"},
    {"temperature", "dlpredict RUN --generate N --temperature T"},
    {"seed", "dlpredict RUN --generate N --seed N"},
    {"pictures", "dlpredict RUN --pictures FILE"},
    {"report", "dlinspect report RUN -o FILE"},
    {NULL, NULL},
};

static const arg_program program = {
    .name = "dltest",
    .commands = &command,
    .command_count = 1,
    .moved = moved,
    .status = "Exit status: 0 done, 1 run-time failure, 2 usage, 3 data or checkpoint.",
};

int main(int argc, char **argv) {
    return arg_main(&program, argc, argv);
}

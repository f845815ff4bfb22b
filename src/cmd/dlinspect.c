/* SPDX-License-Identifier: MIT */
/* dlinspect: inspects data, networks, training and runs. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/version.h"
#include "cmd/common.h"
#include "cmd/compare.h"
#include "cmd/explain.h"
#include "cmd/inspect_output.h"
#include "cmd/loaded.h"
#include "cmd/look.h"
#include "cmd/mistakes.h"
#include "cmd/report_page.h"
#include "cmd/search.h"
#include "inspect/activation_stats.h"
#include "inspect/batch_picture.h"
#include "inspect/profile.h"
#include "inspect/training_check.h"
#include "math/backend.h"
#include "math/threads.h"
#include "report/console.h"
#include "report/report.h"
#include "run/run.h"

typedef struct {
    arg_common common;
    const char *out;
    bool activations, gradients, profile;
} config_arguments; /* of commands with a config */

typedef struct {
    arg_common common;
    const char *out;
    int split;
    bool last, prove;
} run_arguments; /* of commands with a run */

static search_config config_of(const arg_common *common) {
    return (search_config){.path = common->operands[0], .common = common};
}

/* ---- configs ---- */

static int read_config(const arg_common *common, dl_config *config, dl_experiment *experiment,
                       dl_error *error) {
    search_config from = config_of(common);
    if (search_load(&from, config, error))
        return -1;
    return dl_experiment_read(experiment, config, error);
}

static int data_found(const config_arguments *a, dl_experiment *e, dl_error *error) {
    dl_findings findings = {0};
    if (dl_data_open(&e->model.data, error))
        return -1;
    dl_terminal terminal = dl_terminal_open(a->common.quiet);
    dl_report_files(&terminal, &e->model.data, INT64_MAX);
    dl_terminal_close(&terminal);
    dl_check_counts(&findings, &e->model.data);
    dl_check_rows(&findings, &e->model.data);
    dl_check_columns(&findings, &e->model.data);
    inspect_print_findings(&findings, a->common.json);
    int status = dl_findings_wrong(&findings) ? DL_CHECK : DL_OK;
    dl_findings_free(&findings);
    return status;
}

static int batch_picture(const config_arguments *a, dl_experiment *e, dl_error *error) {
    int shown = 0;
    if (dl_batch_picture_write(&e->model, dl_threads(), a->out, &shown, error))
        return -1;
    dl_print_plain(stderr, "%d images of the first batch: %s\n", shown, a->out);
    return 0;
}

/* A training that is ready to begin, and what it says of its start. */
typedef struct {
    dl_trainer trainer;
    dl_terminal terminal;
    double end; /* of training for a profile, by dl_clock() */
    volatile sig_atomic_t time_is_up;
} ready;

static int open_ready(ready *r, const config_arguments *a, dl_experiment *e, bool untrained,
                      dl_error *error) {
    dl_train_options options = {.threads = dl_threads(),
                                .profile = a->profile,
                                .untrained = untrained,
                                .interrupted = &r->time_is_up};
    r->terminal = dl_terminal_open(a->common.quiet);
    r->terminal.to_stdout = untrained; /* then this is all there is to print */
    dl_say(&r->terminal, "dlinspect %s  %s, %d thread%s", DL_VERSION, e->model.name, dl_threads(),
           dl_threads() == 1 ? "" : "s");
    if (dl_trainer_open(&r->trainer, e, &options, error))
        return -1;
    dl_console_report_start(&r->terminal, &r->trainer);
    return 0;
}

static void close_ready(ready *r) {
    dl_trainer_close(&r->trainer);
    dl_terminal_close(&r->terminal);
}

static int check_time(void *context, const dl_event *event, dl_error *error) {
    ready *r = context;
    (void)event;
    (void)error;
    r->time_is_up = dl_clock() >= r->end;
    return 0;
}

/* Trains for some seconds; nothing is saved. */
static int profile(ready *r, dl_error *error) {
    static const double SECONDS = 3;
    dl_trainer *t = &r->trainer;
    const dl_listener listener = {check_time, r};
    t->listeners = &listener;
    t->listener_count = 1;
    r->end = dl_clock() + SECONDS;
    while (!r->time_is_up)
        if (dl_trainer_epoch(t, error) < 0)
            return -1;
    dl_profile_report(&r->terminal, &t->e->model, t->steps, t->samples, t->update_seconds);
    return 0;
}

static int net(const config_arguments *a, dl_experiment *e, dl_error *error) {
    ready r = {0};
    int status = open_ready(&r, a, e, true, error);
    if (!status && a->activations)
        status = dl_activation_stats_report(&r.terminal, &e->model, r.trainer.train, error);
    if (!status && a->gradients)
        status = dl_gradient_stats_report(&r.terminal, &e->model, r.trainer.train, error);
    if (!status && a->profile)
        status = profile(&r, error);
    close_ready(&r);
    return status;
}

static int training_check(const config_arguments *a, dl_experiment *e, dl_error *error) {
    dl_checkup checkup = {.on_checked = a->common.json ? NULL : inspect_print_checked};
    ready r = {0};
    int status = open_ready(&r, a, e, false, error);
    if (!status)
        status = dl_checkup_run(&checkup, e, r.trainer.train, error);
    if (!status && a->common.json)
        inspect_print_checkup(&checkup);
    if (!status && dl_checkup_fails(&checkup))
        status = DL_CHECK;
    dl_checkup_free(&checkup);
    close_ready(&r);
    return status;
}

static int rate(const config_arguments *a, dl_experiment *e, dl_error *error) {
    dl_checkup checkup = {0};
    ready r = {0};
    int status = open_ready(&r, a, e, false, error);
    if (!status)
        status = dl_checkup_find_rate(&checkup, e, error);
    if (!status)
        inspect_print_rates(&checkup, a->common.json);
    dl_checkup_free(&checkup);
    close_ready(&r);
    return status;
}

static int of_config(const config_arguments *a, dl_error *error,
                     int (*look)(const config_arguments *, dl_experiment *, dl_error *)) {
    dl_config config = {0};
    dl_experiment experiment = {0};
    cmd_quit_on_signals("dlinspect");
    int status = read_config(&a->common, &config, &experiment, error);
    if (!status)
        status = look(a, &experiment, error);
    dl_experiment_free(&experiment);
    dl_config_free(&config);
    return status;
}

static int run_data(void *arguments, dl_error *error) {
    return of_config(arguments, error, data_found);
}

static int run_batch(void *arguments, dl_error *error) {
    return of_config(arguments, error, batch_picture);
}

static int run_net(void *arguments, dl_error *error) {
    return of_config(arguments, error, net);
}

static int run_check(void *arguments, dl_error *error) {
    return of_config(arguments, error, training_check);
}

static int run_rate(void *arguments, dl_error *error) {
    return of_config(arguments, error, rate);
}

static int run_space(void *arguments, dl_error *error) {
    const config_arguments *a = arguments;
    search_config from = config_of(&a->common);
    return search_print_space(&from, a->common.json, error);
}

/* ---- runs ---- */

static int run_compare(void *arguments, dl_error *error) {
    return compare_runs(arguments, error);
}

static int run_status(void *arguments, dl_error *error) {
    return compare_status(arguments, error);
}

static bool read_stop(const char *text, void *arguments, dl_text *message) {
    return search_read_stop(text, &((compare_arguments *)arguments)->stop, message);
}

/* Trains the config of the run again, for a few epochs at other rates. */
static int prove(const arg_common *common, dl_proof *proof, dl_error *error) {
    const char *run = common->operands[0];
    char *path = dl_run_find_checkpoint(run, true, error);
    dl_checkpoint checkpoint = {0};
    dl_config config = {0};
    dl_experiment experiment = {0};
    dl_trainer trainer = {0};
    dl_train_options options = {.threads = dl_threads()};
    int status = path ? dl_checkpoint_open(&checkpoint, path, error) : -1;
    free(path);
    if (!status)
        dl_config_move(&config, &checkpoint.config);
    dl_checkpoint_close(&checkpoint);
    if (!status)
        status = dl_experiment_read(&experiment, &config, error);
    if (!status)
        status = dl_trainer_open(&trainer, &experiment, &options, error);
    if (!status)
        status = dl_prove_rate(proof, &experiment, trainer.train, error);
    dl_trainer_close(&trainer);
    dl_experiment_free(&experiment);
    dl_config_free(&config);
    return status;
}

static int run_diagnose(void *arguments, dl_error *error) {
    enum { EPOCHS = 10, FEWEST = 3 };
    const run_arguments *a = arguments;
    dl_symptoms symptoms;
    dl_diagnosis found[DL_DIAGNOSES];
    int status = dl_symptoms_read(&symptoms, a->common.operands[0], error);
    int count = status ? 0 : dl_diagnose(&symptoms, found);
    dl_proof proof = {.epochs = symptoms.rows < FEWEST   ? FEWEST
                                : symptoms.rows < EPOCHS ? symptoms.rows
                                                         : EPOCHS};
    if (!status && a->prove) {
        cmd_quit_on_signals("dlinspect");
        status = prove(&a->common, &proof, error);
        count = dl_diagnose_proved(&symptoms, &proof, found, count);
    }
    if (!status)
        inspect_print_diagnosis(symptoms.rows, found, count, a->common.json);
    dl_symptoms_free(&symptoms);
    return status;
}

/* Opens a run with a part of its data and builds its net. */
static int open_run(const run_arguments *a, loaded *l, dl_split *split, dl_error *error) {
    int wanted = loaded_wanted_split(&a->common, a->split);
    if (loaded_open(l, a->common.operands[0], a->last, &a->common, error) ||
        loaded_open_split(l, wanted, split, error))
        return -1;
    return loaded_build(l, *split, l->checkpoint.batch_size, error);
}

static int run_predictions(void *arguments, dl_error *error) {
    const run_arguments *a = arguments;
    loaded l = {0};
    dl_split split;
    int shown = 0, status = open_run(a, &l, &split, error);
    if (!status)
        status = dl_prediction_picture_write(&l.experiment.model, split, a->out, &shown, error);
    if (!status)
        dl_print_plain(stderr, "%d samples, each as input, prediction and target: %s\n", shown,
                       a->out);
    loaded_close(&l);
    return status;
}

static int run_report(void *arguments, dl_error *error) {
    const run_arguments *a = arguments;
    loaded l = {0};
    dl_split split;
    bool several = a->common.operand_count > 1;
    if (several && (arg_given(&a->common, "split") || a->last || a->common.set_count))
        return dl_fail(error, DL_USAGE, "--split, --last and --set are for the report of one run");
    compare_arguments all = {.common = a->common, .html = a->out};
    int status = several ? compare_runs(&all, error) : open_run(a, &l, &split, error);
    if (!status && !several)
        status = report_page_write(&l, split, a->out, error);
    if (!status)
        dl_print_plain(stderr, "report: %s\n", a->out);
    loaded_close(&l);
    return status;
}

/* ---- the tables ---- */

static const arg_option data_options[] = {SEARCH_CONFIG_ROWS, ARG_THREADS_ROW, ARG_QUIET_ROW,
                                          ARG_JSON_ROW("print JSON"), ARG_ROWS_END};

static const arg_option batch_options[] = {ARG_STRING_ROW("out", config_arguments, out, "FILE",
                                                          ARG_FILE, "the PNG file to write",
                                                          .letter = 'o', .fallback = "batch.png"),
                                           SEARCH_CONFIG_ROWS, ARG_THREADS_ROW, ARG_ROWS_END};

static const arg_option net_options[] = {
    ARG_FLAG_ROW("activations", config_arguments, activations,
                 "print mean, standard deviation and saturation of each layer's outputs over some "
                 "batches, with a verdict on the initial weights"),
    ARG_FLAG_ROW(
        "gradients", config_arguments, gradients,
        "print the norm of each layer's weights and of their gradient in the first batch, to "
        "see whether it vanishes or explodes"),
    ARG_FLAG_ROW("profile", config_arguments, profile,
                 "train for three seconds and print the time of each layer's forward and backward "
                 "pass, with the rate relative to the processor's"),
    SEARCH_CONFIG_ROWS,
    ARG_THREADS_ROW,
    ARG_BACKEND_ROW,
    ARG_ROWS_END};

static const arg_option check_options[] = {
    SEARCH_CONFIG_ROWS,         ARG_THREADS_ROW, ARG_BACKEND_ROW, ARG_QUIET_ROW,
    ARG_JSON_ROW("print JSON"), ARG_ROWS_END};

static const arg_option space_options[] = {SEARCH_CONFIG_ROWS, ARG_JSON_ROW("print JSON"),
                                           ARG_ROWS_END};

#define STOP_ROW                                                                                   \
    ARG_CUSTOM_ROW("stop-after", read_stop, "N",                                                   \
                   "consider the epochs up to N, or a fraction of them (1/9)")

static const arg_option compare_options[] = {
    ARG_STRING_ROW("rank", compare_arguments, rank, "COLUMN", ARG_NOTHING,
                   "sort by the best value of a column of the history (val_loss), best first"),
    ARG_STRING_ROW("space", compare_arguments, space, "CONFIG", ARG_CONFIG,
                   "show the values that this search space varies, instead of all that differ"),
    STOP_ROW,
    ARG_FLAG_ROW("csv", compare_arguments, csv, "print comma-separated values, one row per run",
                 .excludes = "json"),
    ARG_JSON_ROW("print JSON"),
    ARG_ROWS_END};

static const arg_option status_options[] = {STOP_ROW, ARG_ROWS_END};

static const arg_option diagnose_options[] = {
    ARG_FLAG_ROW("prove", run_arguments, prove,
                 "train up to 10 epochs again at a third and three times the learning rate, and "
                 "report only what that confirms about the rate"),
    ARG_THREADS_ROW, ARG_BACKEND_ROW, ARG_JSON_ROW("print JSON"), ARG_ROWS_END};

#define DRAWING_ROWS(what, fallback_)                                                              \
    ARG_STRING_ROW("out", run_arguments, out, "FILE", ARG_FILE, what, .letter = 'o',               \
                   .fallback = fallback_),                                                         \
        LOADED_SPLIT_ROW(run_arguments, split, NULL), LOADED_LAST_ROW(run_arguments, last),        \
        ARG_SET_ROW, ARG_THREADS_ROW, ARG_BACKEND_ROW, ARG_ROWS_END
static const arg_option report_options[] = {DRAWING_ROWS("the HTML file to write", "report.html")};
static const arg_option predictions_options[] = {
    DRAWING_ROWS("the PNG file to write", "predictions.png")};

#define OF_CONFIG                                                                                  \
    .operands = "CONFIG", .completes = ARG_CONFIG, .min_operands = 1, .max_operands = 1,           \
    .operand = "config"
#define OF_RUN                                                                                     \
    .operands = "RUN", .completes = ARG_RUN, .min_operands = 1, .max_operands = 1, .operand = "run"
#define OF_RUNS .operands = "RUN...", .completes = ARG_FOLDER, .min_operands = 1, .operand = "run"

static const arg_command commands[] = {
    {.name = "data",
     OF_CONFIG,
     .options = data_options,
     .size = sizeof(config_arguments),
     .run = run_data,
     .help = "Checks the data: duplicates, rows in two parts, contradictory labels, constant "
             "columns, columns that leak the target.",
     .more = "Exits with 5 if a problem is found."},
    {.name = "batch",
     OF_CONFIG,
     .options = batch_options,
     .size = sizeof(config_arguments),
     .run = run_batch,
     .help = "Draws the images of the first training batch, augmented, with their targets."},
    {.name = "net",
     OF_CONFIG,
     .options = net_options,
     .size = sizeof(config_arguments),
     .run = run_net,
     .help = "Prints the network before training: layers, parameters, memory, operations."},
    {.name = "check",
     OF_CONFIG,
     .options = check_options,
     .size = sizeof(config_arguments),
     .run = run_check,
     .help = "Trains briefly to see whether the network can learn: initial loss, gradients, "
             "overfitting a few samples, inputs, learning rate, time, dead units.",
     .more = "Exits with 5 if a check fails."},
    {.name = "rate",
     OF_CONFIG,
     .options = check_options,
     .size = sizeof(config_arguments),
     .run = run_rate,
     .help = "Suggests a learning rate by a range test: the loss while the rate grows."},
    {.name = "space",
     OF_CONFIG,
     .options = space_options,
     .size = sizeof(config_arguments),
     .run = run_space,
     .help = "Prints the searched values of a search space, and the size of its grid."},
    {.name = "compare",
     OF_RUNS,
     .options = compare_options,
     .size = sizeof(compare_arguments),
     .run = run_compare,
     .help = "Compares the configs and the results of runs."},
    {.name = "status",
     OF_RUNS,
     .options = status_options,
     .size = sizeof(compare_arguments),
     .run = run_status,
     .help = "Prints the progress of runs: epochs done, best epoch.",
     .more = "Exits with 5 if a run is unfinished."},
    {.name = "diagnose",
     OF_RUN,
     .options = diagnose_options,
     .size = sizeof(run_arguments),
     .run = run_diagnose,
     .help = "Interprets the learning curves of a run, and suggests what to try next."},
    {.name = "predictions",
     OF_RUN,
     .options = predictions_options,
     .size = sizeof(run_arguments),
     .run = run_predictions,
     .help = "Draws some samples, each as input, prediction and target: images, masks."},
    {.name = "report",
     OF_RUNS,
     .options = report_options,
     .size = sizeof(run_arguments),
     .run = run_report,
     .help =
         "Writes an HTML report of a run: curves, metrics, confusion matrix, errors; of several "
         "runs, what differs."},
    LOOK_COMMANDS,
    EXPLAIN_COMMANDS,
    MISTAKES_COMMAND,
};

static const arg_program program = {
    .name = "dlinspect",
    .help = "Inspects data, networks before training, and runs.",
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
    .status = "Exit status: 0 done, 1 run-time failure, 2 usage or config, 3 data or checkpoint, "
              "5 a check failed or a run is unfinished.",
};

int main(int argc, char **argv) {
    return arg_main(&program, argc, argv);
}

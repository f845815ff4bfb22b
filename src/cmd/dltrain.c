/* SPDX-License-Identifier: MIT */
/* dltrain: trains the network that a config defines. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/version.h"
#include "cmd/arguments.h"
#include "cmd/common.h"
#include "cmd/search.h"
#include "cmd/train_output.h"
#include "math/backend.h"
#include "math/blas_core.h"
#include "math/threads.h"
#include "report/console.h"
#include "run/checkpoint.h"
#include "run/run.h"
#include "train/recorder.h"

typedef struct {
    arg_common common;
    dl_train_options train;
    dl_run_location location;
    const char *config;
    int64_t sample, point; /* of a config's search space */
    bool print_config, dry_run;
} train_arguments;

static volatile sig_atomic_t caught;

/* The second signal kills, unless it follows at once: timeout(1) sends each twice. */
static void on_signal(int number) {
    enum { AT_ONCE = 250 }; /* milliseconds */
    static struct timespec first;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long since = (now.tv_sec - first.tv_sec) * 1000 + (now.tv_nsec - first.tv_nsec) / 1000000;
    if (caught && since > AT_ONCE) {
        signal(number, SIG_DFL);
        raise(number);
    }
    if (!caught)
        first = now;
    caught = number;
}

/* Reads the config from the checkpoint of the run to resume. */
static int load_run(const train_arguments *a, dl_config *config, dl_error *error) {
    char *path = dl_run_check_resumable(a->train.resume, error)
                     ? NULL
                     : dl_run_find_checkpoint(a->train.resume, true, error);
    dl_checkpoint checkpoint = {0};
    int result = path ? dl_checkpoint_open(&checkpoint, path, error) : -1;
    if (!result)
        dl_config_move(config, &checkpoint.config);
    dl_checkpoint_close(&checkpoint);
    free(path);
    return result ? -1 : arg_apply_sets(&a->common, config, error);
}

static search_config config_of(const train_arguments *a) {
    search_how how = arg_given(&a->common, "sample")  ? SEARCH_SAMPLE
                     : arg_given(&a->common, "point") ? SEARCH_POINT
                                                      : SEARCH_NONE;
    return (search_config){a->config, &a->common, how, how == SEARCH_POINT ? a->point : a->sample};
}

static int load_config(const train_arguments *a, dl_config *config, dl_error *error) {
    search_config from = config_of(a);
    return a->train.resume ? load_run(a, config, error) : search_load(&from, config, error);
}

static int dry_run(const train_arguments *a, dl_experiment *e, dl_terminal *terminal,
                   dl_error *error) {
    dl_trainer t;
    int result = dl_trainer_open(&t, e, &a->train, error);
    if (!result)
        dl_console_report_start(terminal, &t);
    dl_trainer_close(&t);
    return result;
}

/* A signal quits until training begins, of which there is something to save. */
static int watch_signals(void *context, const dl_event *event, dl_error *error) {
    (void)context, (void)error;
    if (event->kind == DL_EVENT_STARTED)
        cmd_watch_signals(on_signal);
    return 0;
}

static int train_experiment(const train_arguments *a, dl_experiment *e, dl_terminal *terminal,
                            bool *interrupted, dl_error *error) {
    dl_recorder recorder = {.terminal = terminal, .location = a->location};
    dl_console console = {.terminal = terminal};
    const dl_listener listeners[] = {{dl_recorder_on_event, &recorder},
                                     {dl_console_on_event, &console},
                                     {watch_signals, NULL},
                                     {train_print_json_event, NULL}};
    dl_train_result result;
    int status = dl_train(e, &a->train, listeners, a->common.json ? 4 : 3, &result, error);
    *interrupted = result.interrupted;
    if (!status)
        train_report_end(terminal, a->common.called, e, &result, recorder.run.folder);
    if (!status && a->common.json)
        train_print_end(e, &result, recorder.run.folder, console.peak_operations);
    dl_recorder_close(&recorder);
    return status;
}

/* *interrupted: training was interrupted, and is saved. */
static int train(const train_arguments *a, dl_terminal *terminal, bool *interrupted,
                 dl_error *error) {
    dl_config config = {0};
    dl_experiment experiment = {0};
    int status = load_config(a, &config, error);
    if (!status) {
        search_name_config(&config, a->config);
        status = dl_experiment_read(&experiment, &config, error);
    }
    if (!status && a->print_config) {
        search_config from = config_of(a);
        search_print_config(&from, &config);
    } else if (!status) {
        dl_say(terminal, "dltrain %s  %s, %d thread%s", DL_VERSION, experiment.model.name,
               dl_threads(), dl_threads() == 1 ? "" : "s");
        if (a->config && !dl_file_exists(a->config))
            dl_say(terminal, "config      %s", config.name);
        if (dl_blas_core_warning())
            dl_say(terminal, "note        %s", dl_blas_core_warning());
        status = a->dry_run ? dry_run(a, &experiment, terminal, error)
                            : train_experiment(a, &experiment, terminal, interrupted, error);
    }
    dl_experiment_free(&experiment);
    dl_config_free(&config);
    return status;
}

static int run(void *arguments, dl_error *error) {
    train_arguments *a = arguments;
    cmd_quit_on_signals("dltrain");
    a->config = a->common.operand_count ? a->common.operands[0] : NULL;
    a->train.threads = dl_threads();
    a->train.interrupted = &caught;
    a->train.resume = a->location.resume;
    dl_terminal terminal = dl_terminal_open(a->common.quiet);
    bool interrupted = false;
    int status = train(a, &terminal, &interrupted, error);
    if (status && terminal.log)
        fprintf(terminal.log, "dltrain: %s\n", dl_text_get(&error->text));
    dl_terminal_close(&terminal);
    return !status && interrupted ? 128 + caught : status;
}

static bool check(void *arguments, dl_text *message) {
    const train_arguments *a = arguments;
    int count = a->common.operand_count;
    if (!count && !a->location.resume)
        dl_text_add(message, "no config was given (try: dltrain digits)");
    else if (count && a->location.resume)
        dl_text_add(message, "--resume reads the config from the run: omit %s",
                    a->common.operands[0]);
    return !message->length;
}

static bool read_stop(const char *text, void *arguments, dl_text *message) {
    return search_read_stop(text, &((train_arguments *)arguments)->train.stop, message);
}

static const arg_option options[] = {
    ARG_STRING_ROW("out", train_arguments, location.out, "DIR", ARG_FOLDER,
                   "the run's folder (default: runs/NAME, then runs/NAME.2, …)", .letter = 'o'),
    ARG_FLAG_ROW("force", train_arguments, location.force,
                 "replace a run that is already in the folder of --out"),
    ARG_STRING_ROW("resume", train_arguments, location.resume, "RUN", ARG_FOLDER,
                   "continue a run from its last checkpoint, bit for bit as if never interrupted",
                   .excludes = "out fold sample point print-config"),
    SEARCH_CONFIG_ROWS,
    ARG_CUSTOM_ROW(
        "stop-after", read_stop, "N",
        "stop after epoch N, or after a fraction of the epochs (1/9), as if interrupted; "
        "--resume continues with the same schedule"),
    ARG_COUNT_ROW("sample", train_arguments, sample, 0, 9e15, "N",
                  "of a search space: train with values drawn at random by seed N",
                  .excludes = "point"),
    ARG_COUNT_ROW("point", train_arguments, point, 1, 9e15, "N",
                  "of a search space: train with point N of its grid"),
    ARG_FLAG_ROW("print-config", train_arguments, print_config,
                 "print the config with every default instead"),
    ARG_FLAG_ROW("dry-run", train_arguments, dry_run,
                 "do everything except train: check the config, load the data, print the network"),
    ARG_THREADS_ROW,
    ARG_BACKEND_ROW,
    ARG_FLAG_ROW("profile", train_arguments, train.profile,
                 "print the time spent in each layer at the end"),
    ARG_QUIET_ROW,
    ARG_JSON_ROW("print a JSON object per epoch, and one at the end, to stdout"),
    ARG_ROWS_END};

static const arg_command command = {
    .operands = "CONFIG",
    .completes = ARG_CONFIG,
    .max_operands = 1,
    .operand = "config",
    .help = "Trains the network that a config file defines, and saves it in a run's folder.",
    .more = "CONFIG is a file, or the name of a config that comes with dltrain (digits); with "
            "--resume none is given.",
    .options = options,
    .size = sizeof(train_arguments),
    .check = check,
    .run = run,
};

static const arg_moved moved[] = {
    {"check-data", "dlinspect data CONFIG"},
    {"show-batch", "dlinspect batch CONFIG -o FILE"},
    {"activations", "dlinspect net CONFIG --activations"},
    {"gradients", "dlinspect net CONFIG --gradients"},
    {"check", "dlinspect check CONFIG"},
    {"find-lr", "dlinspect rate CONFIG"},
    {"space", "dlinspect space CONFIG"},
    {"compare", "dlinspect compare RUN..."},
    {"rank", "dlinspect compare RUN... --rank COLUMN"},
    {"csv", "dlinspect compare RUN... --csv"},
    {"status", "dlinspect status RUN..."},
    {"diagnose", "dlinspect diagnose RUN"},
    {NULL, NULL},
};

static const arg_program program = {
    .name = "dltrain",
    .commands = &command,
    .command_count = 1,
    .moved = moved,
    .status = "Exit status: 0 done, 1 run-time failure, 2 usage or config, 3 data or checkpoint, "
              "4 diverged, 128+n stopped by signal n (after saving).",
};

int main(int argc, char **argv) {
    return arg_main(&program, argc, argv);
}

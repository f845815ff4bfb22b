/* SPDX-License-Identifier: MIT */
/* dltrain: trains the network that a config defines. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mapped.h"
#include "base/version.h"
#include "cmd/common.h"
#include "cmd/compare.h"
#include "cmd/search.h"
#include "cmd/train_arguments.h"
#include "cmd/train_output.h"
#include "inspect/batch_picture.h"
#include "math/blas_core.h"
#include "math/threads.h"
#include "report/report.h"
#include "run/checkpoint.h"
#include "run/run.h"
#include "train/trainer.h"

static volatile sig_atomic_t caught;

/* The second one quits, but not if it comes at once: timeout(1) sends each twice. */
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

/* Of what saves nothing, the first one quits. */
static void on_signal_quit(int number) {
    static const char line[] = "dltrain: interrupted; nothing was changed\n";
    ssize_t ignored = write(STDERR_FILENO, line, sizeof line - 1);
    (void)ignored;
    _exit(128 + number);
}

static void watch_signals(bool trains) {
    struct sigaction action = {.sa_handler = trains ? on_signal : on_signal_quit,
                               .sa_flags = SA_RESTART},
                     before;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
    if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN) /* not under nohup */
        sigaction(SIGHUP, &action, NULL);
}

/* The config from the checkpoint of the run that is resumed. */
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
    if (result)
        return -1;
    for (int i = 0; i < a->set_count; i++)
        result |= dl_config_set(config, a->sets[i], error);
    return result;
}

static int load_config(const train_arguments *a, dl_config *config, dl_error *error) {
    if (a->train.resume)
        return load_run(a, config, error);
    return search_load(a, config, error) ? -1 : search_resolve(a, config, error);
}

/* A config without a name is called after its file. */
static void name_config(dl_config *config, const char *path) {
    config_setting_t *top = config_root_setting(&config->tree);
    if (!path || config_setting_get_member(top, "name"))
        return;
    char *name = xstrdup(dl_path_base(path)), *point = strrchr(name, '.');
    if (point && point != name)
        *point = '\0';
    dl_config_add_string(top, "name", name);
    free(name);
}

static int show(const train_arguments *a, dl_experiment *e, dl_terminal *terminal,
                dl_error *error) {
    int shown = 0;
    if (dl_show_batch(&e->model, a->train.threads, a->show, &shown, error))
        return -1;
    dl_report_cache(terminal, &e->model.data);
    dl_say(terminal, "picture     %d images of the first batch: %s", shown, a->show);
    return 0;
}

/* --check-data: opens the data and looks at all of it. 0, 1 if something is wrong, or -1 and an
   error. */
static int check_data(const train_arguments *a, dl_error *error) {
    dl_config config = {0};
    dl_experiment experiment = {0};
    dl_findings findings = {0};
    int status = load_config(a, &config, error);
    if (!status)
        status = dl_experiment_read(&experiment, &config, error);
    if (!status)
        status = dl_data_open(&experiment.model.data, error);
    if (!status) {
        dl_terminal terminal = dl_terminal_open(a->quiet);
        dl_report_cache(&terminal, &experiment.model.data);
        dl_terminal_close(&terminal);
        dl_check_counts(&findings, &experiment.model.data);
        dl_check_rows(&findings, &experiment.model.data);
        dl_check_columns(&findings, &experiment.model.data);
        train_print_findings(&findings, a->json);
        status = dl_findings_wrong(&findings);
    }
    dl_findings_free(&findings);
    dl_experiment_free(&experiment);
    dl_config_free(&config);
    return status;
}

/* What trains nothing. 0, 1 if that is not as it should be, or -1 and an error. */
static int look(const train_arguments *a, dl_error *error) {
    if (a->compare)
        return compare_runs(a, error);
    if (a->status)
        return compare_status(a, error);
    return a->space ? search_print_space(a, error) : check_data(a, error);
}

/* Whether there will be something to save. */
static bool is_training(const train_arguments *a) {
    return !(a->check || a->find_rate || a->check_data || a->show || a->train.dry_run ||
             a->print_config || a->compare || a->status || a->space || a->diagnose);
}

/* *interrupted: the training was, and is saved. */
static int train(const train_arguments *a, dl_terminal *terminal, bool *interrupted,
                 dl_error *error) {
    dl_config config = {0};
    dl_experiment experiment = {0};
    dl_train_result result = {0};
    int status = load_config(a, &config, error);
    if (!status) {
        name_config(&config, a->config);
        status = dl_experiment_read(&experiment, &config, error);
    }
    if (!status && a->print_config)
        search_print_config(a, &config);
    else if (!status) {
        dl_say(terminal, "dltrain %s  %s, %d thread%s", DL_VERSION, experiment.model.name,
               dl_threads(), dl_threads() == 1 ? "" : "s");
        if (dl_blas_core_warning())
            dl_say(terminal, "note        %s", dl_blas_core_warning());
        status = a->show ? show(a, &experiment, terminal, error)
                         : dl_train(&experiment, &a->train, terminal, &result, error);
    }
    *interrupted = result.interrupted;
    if (!status && !a->train.dry_run && !a->show && !a->print_config) {
        train_report_end(terminal, a->program, &experiment, &result);
        if (a->json)
            train_print_end(&experiment, &result);
    }
    free(result.folder);
    dl_experiment_free(&experiment);
    dl_config_free(&config);
    return status;
}

/* --check and --find-lr: a dry run, and trials. 0, 1 if something fails, or -1 and an error. */
static int check(const train_arguments *a, dl_terminal *terminal, dl_error *error) {
    dl_checkup checkup = {.on_checked = a->json ? NULL : train_print_checked};
    train_arguments own = *a;
    bool interrupted;
    own.train.dry_run = true;
    own.train.find_rate = a->find_rate;
    own.train.checkup = &checkup;
    int status = train(&own, terminal, &interrupted, error);
    if (!status && a->find_rate)
        train_print_rates(&checkup, a->json);
    else if (!status && a->json)
        train_print_checkup(&checkup);
    status = status ? status : dl_checkup_fails(&checkup);
    dl_checkup_free(&checkup);
    return status;
}

int main(int argc, char **argv) {
    cmd_start(argv);
    dl_mapped_watch("dltrain");
    train_arguments a = {.program = argv[0], .threads = dl_threads_available(), .sample = -1};
    int status = train_arguments_parse(argc, argv, &a);
    if (status >= 0)
        return cmd_finish("dltrain", status);
    dl_error error = {0};
    if ((status = cmd_set_threads("dltrain", (int)a.threads)))
        return cmd_finish("dltrain", status);
    watch_signals(is_training(&a));
    if (a.check_data || a.compare || a.status || a.space) {
        status = look(&a, &error);
        status = status < 0 ? cmd_fail("dltrain", &error) : status ? DL_CHECK : DL_OK;
        dl_error_clear(&error);
        return cmd_finish("dltrain", status);
    }
    if (a.diagnose) {
        status =
            train_print_diagnosis(a.diagnose, a.json, &error) ? cmd_fail("dltrain", &error) : DL_OK;
        dl_error_clear(&error);
        return cmd_finish("dltrain", status);
    }
    a.train.threads = dl_threads();
    a.train.interrupted = &caught;
    a.train.on_row = a.json ? train_print_row : NULL;
    dl_terminal terminal = dl_terminal_open(a.quiet);
    bool interrupted = false;
    if (a.check || a.find_rate)
        status = check(&a, &terminal, &error);
    else
        status = train(&a, &terminal, &interrupted, &error);
    status = status < 0 ? (int)error.code : status ? DL_CHECK : DL_OK;
    if (status && terminal.log)
        fprintf(terminal.log, "dltrain: %s\n", dl_text_get(&error.text));
    dl_terminal_close(&terminal);
    if (error.count)
        cmd_fail("dltrain", &error);
    else if (interrupted)
        status = 128 + caught;
    dl_error_clear(&error);
    return cmd_finish("dltrain", status);
}

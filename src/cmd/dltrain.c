/* dltrain: trains the network that a config defines. */
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/common.h"
#include "cmd/help.h"
#include "data/check.h"
#include "math/threads.h"
#include "train/report.h"
#include "train/show.h"
#include "train/trainer.h"
#include "train/version.h"

static const char usage[] =
    "Usage: dltrain [options] CONFIG\n"
    "       dltrain [options] --resume RUN\n"
    "Trains the network that a config file defines, and saves it in a run's folder.\n"
    "\n"
    "  --out DIR         the run's folder (default: runs/NAME, then runs/NAME.2, …)\n"
    "  --force           replace a run that is already in --out's folder\n"
    "  --resume RUN      go on with an earlier run, to the bits as if never stopped\n"
    "  --set KEY=VALUE   override a key of the config; may be given several times:\n"
    "                    --set network.0.units=64 --set optimizer.learning_rate=0.01\n"
    "  --seed N          the same as --set seed=N\n"
    "  --fold I/K        cross-validation: fold I of K of the training file is for\n"
    "                    validation; the same as --set data.fold=I --set data.folds=K\n"
    "  --epochs N        the same as --set training.epochs=N\n"
    "  --threads N       processors to use (default: all of them)\n"
    "  --backend NAME    openblas, onednn or auto, the faster one for each shape\n"
    "                    (default: auto)\n"
    "  --profile         at the end, where the time went: a table by layer\n"
    "  --dry-run         everything but training: check the config, read the data,\n"
    "                    show the network\n"
    "  --show-batch FILE instead: write a PNG picture of the images that the network\n"
    "                    sees in its first batch, augmented, with their targets\n"
    "  --check-data      only look at the data: rows that are in two parts, that are\n"
    "                    there twice or contradict each other, columns that are\n"
    "                    constant or give the target away; ends with 5 if any are\n"
    "  --activations     with --dry-run: what each layer makes of some rows, and of\n"
    "                    the gradient: are the initial weights too small, too large?\n"
    "  --quiet           no lines and no bar on stderr, only errors\n"
    "  --json            an object per epoch, and one at the end, on stdout\n"
    "  --help [TOPIC]    this; or config, layers, losses, optimizers, schedules,\n"
    "                    formats, augmentations or metrics; or one of them:\n"
    "                    --help layer dense\n"
    "  --version\n"
    "\n"
    "Exit status: 0 done, 1 run-time failure, 2 usage or config, 3 data or\n"
    "checkpoint, 4 diverged, 5 --check-data has found something, 128+n stopped by\n"
    "signal n (after saving).\n";

enum { MOST_SETS = 256 };

typedef struct {
    dl_train_options train;
    const char *program; /* as it was called */
    const char *config;
    const char *show; /* the file for the picture of a batch; NULL: train */
    const char *sets[MOST_SETS];
    int set_count;
    int64_t threads;
    bool fold, quiet, json, check_data;
} arguments;

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

static void watch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, before;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
    if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN) /* not under nohup */
        sigaction(SIGHUP, &action, NULL);
}

enum {
    OUT = 256,
    FORCE,
    RESUME,
    SET,
    SEED,
    EPOCHS,
    FOLD,
    THREADS,
    BACKEND,
    PROFILE,
    DRY_RUN,
    SHOW_BATCH,
    CHECK_DATA,
    ACTIVATIONS,
    QUIET,
    JSON,
    HELP,
    VERSION
};

static const struct option long_options[] = {
    {"out", required_argument, NULL, OUT},
    {"force", no_argument, NULL, FORCE},
    {"resume", required_argument, NULL, RESUME},
    {"set", required_argument, NULL, SET},
    {"seed", required_argument, NULL, SEED},
    {"epochs", required_argument, NULL, EPOCHS},
    {"fold", required_argument, NULL, FOLD},
    {"threads", required_argument, NULL, THREADS},
    {"backend", required_argument, NULL, BACKEND},
    {"profile", no_argument, NULL, PROFILE},
    {"dry-run", no_argument, NULL, DRY_RUN},
    {"show-batch", required_argument, NULL, SHOW_BATCH},
    {"check-data", no_argument, NULL, CHECK_DATA},
    {"activations", no_argument, NULL, ACTIVATIONS},
    {"quiet", no_argument, NULL, QUIET},
    {"json", no_argument, NULL, JSON},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {NULL, 0, NULL, 0},
};

static bool add_set(arguments *a, const char *assignment) {
    if (a->set_count == MOST_SETS) {
        cmd_usage("dltrain", "at most %d --set", MOST_SETS);
        return false;
    }
    a->sets[a->set_count++] = assignment;
    return true;
}

/* Turns --seed 3 into a --set. The text lives as long as the program. */
static bool add_number(arguments *a, const char *option, const char *key, const char *text,
                       int64_t high) {
    static char buffers[2][64];
    int64_t value;
    if (!cmd_number("dltrain", option, text, 0, high, &value))
        return false;
    char *buffer = buffers[!strcmp(key, "seed")];
    snprintf(buffer, sizeof buffers[0], "%s=%lld%s", key, (long long)value,
             value > INT32_MAX ? "L" : "");
    return add_set(a, buffer);
}

/* Turns --fold 2/5 into two --set. The texts live as long as the program. */
static bool add_fold(arguments *a, const char *text) {
    static char fold[64], folds[64];
    long long i = 0, k = 0;
    char rest;
    if (sscanf(text, "%lld/%lld%c", &i, &k, &rest) != 2 || i < 1 || k < 2 || i > k || k > 1 << 20) {
        cmd_usage("dltrain", "--fold %s: must be I/K, fold I from 1 to K of K folds (--fold 2/5)",
                  text);
        return false;
    }
    a->fold = true;
    snprintf(fold, sizeof fold, "data.fold=%lld", i);
    snprintf(folds, sizeof folds, "data.folds=%lld", k);
    return add_set(a, fold) && add_set(a, folds);
}

/* An option that needs no more than to be stored; -1, or DL_USAGE and a message. */
static int store_option(int option, arguments *a) {
    bool fine = true;
    switch (option) {
    case OUT:
        a->train.out = optarg;
        return *optarg ? -1 : cmd_usage("dltrain", "--out needs a folder's name");
    case FORCE:
        a->train.force = true;
        break;
    case RESUME:
        a->train.resume = optarg;
        break;
    case SET:
        fine = add_set(a, optarg);
        break;
    case SEED:
        fine = add_number(a, "--seed", "seed", optarg, (int64_t)9e15);
        break;
    case EPOCHS:
        fine = add_number(a, "--epochs", "training.epochs", optarg, (int64_t)1e9);
        break;
    case FOLD:
        fine = add_fold(a, optarg);
        break;
    case THREADS:
        fine = cmd_number("dltrain", "--threads", optarg, 1, 1024, &a->threads);
        break;
    case BACKEND:
        fine = cmd_backend("dltrain", optarg);
        break;
    case PROFILE:
        a->train.profile = true;
        break;
    case DRY_RUN:
        a->train.dry_run = true;
        break;
    case SHOW_BATCH:
        a->show = optarg;
        return *optarg ? -1 : cmd_usage("dltrain", "--show-batch needs a file's name");
    case CHECK_DATA:
        a->check_data = true;
        break;
    case ACTIVATIONS:
        a->train.activations = true;
        break;
    case QUIET:
        a->quiet = true;
        break;
    case JSON:
        a->json = true;
        break;
    }
    return fine ? -1 : DL_USAGE;
}

/* -1 to go on, or the exit status. */
static int parse_options(int argc, char **argv, arguments *a) {
    int option, status = -1;
    opterr = 0;
    while (status < 0 && (option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
        switch (option) {
        case 'h':
        case HELP:
            if (optind < argc && argv[optind][0] != '-')
                return help_topic("dltrain", argv[optind],
                                  optind + 1 < argc ? argv[optind + 1] : NULL);
            fputs(usage, stdout);
            return DL_OK;
        case VERSION:
            cmd_version("dltrain");
            return DL_OK;
        case ':':
        case '?':
            return cmd_unknown_option("dltrain", argv, long_options);
        default:
            status = store_option(option, a);
        }
    }
    return status;
}

/* -1 to go on, or the exit status. */
static int parse_arguments(int argc, char **argv, arguments *a) {
    int status = parse_options(argc, argv, a);
    if (status >= 0)
        return status;
    if (optind < argc)
        a->config = argv[optind++];
    if (optind < argc)
        return cmd_usage("dltrain", "one config at a time, not also %s", argv[optind]);
    if (!a->config && !a->train.resume)
        return cmd_usage("dltrain", "which config? (configs/digits.cfg is a good first one)");
    if (a->config && a->train.resume)
        return cmd_usage("dltrain", "--resume takes the config from the run: leave out %s",
                         a->config);
    if (a->train.activations && !a->train.dry_run)
        return cmd_usage("dltrain", "--activations goes with --dry-run");
    if (a->train.resume && a->train.out)
        return cmd_usage("dltrain", "--resume goes on in the run's own folder: leave out --out");
    if (a->show && a->train.dry_run)
        return cmd_usage("dltrain", "--show-batch trains nothing anyway: leave out --dry-run");
    if (a->show && a->train.resume)
        return cmd_usage("dltrain", "--show-batch takes a config, not --resume");
    if (a->train.resume && a->fold)
        return cmd_usage("dltrain", "--resume goes on with the run's own fold: leave out --fold");
    return -1;
}

static void set_part(json_t *object, const dl_experiment *e, const char *part, double loss,
                     const double *metric) {
    char key[64];
    snprintf(key, sizeof key, "%s_loss", part);
    json_object_set_new(object, key, cmd_json_number(loss));
    for (int m = 0; m < e->metric_count; m++) {
        if (!strcmp(part, "train") && !dl_metric_of_steps(e->metrics[m]))
            continue;
        snprintf(key, sizeof key, "%s_%s", part, e->metrics[m]->name);
        json_object_set_new(object, key, cmd_json_number(metric[m]));
    }
}

static void print_row(void *context, const dl_experiment *e, const dl_row *row) {
    (void)context;
    json_t *object = json_pack(
        "{s:s, s:I, s:I, s:o, s:o, s:o}", "event", "epoch", "epoch", (json_int_t)row->epoch, "step",
        (json_int_t)row->step, "seconds", cmd_json_number(row->seconds), "learning_rate",
        cmd_json_number(row->rate), "samples_per_second", cmd_json_number(row->samples_per_second));
    set_part(object, e, "train", row->train_loss, row->train_metric);
    for (int h = 0; h < e->net.head_count; h++) {
        dl_text key = {0};
        dl_text_add(&key, "train_%s_loss", e->net.heads[h].name);
        json_object_set_new(object, key.data, cmd_json_number(row->train_head[h]));
        dl_text_free(&key);
    }
    if (dl_experiment_penalized(e))
        json_object_set_new(object, "train_objective", cmd_json_number(row->train_objective));
    if (e->data.part[DL_VALIDATION].count)
        set_part(object, e, "val", row->val_loss, row->val_metric);
    static const char *const phases[] = {"data_seconds", "forward_seconds", "backward_seconds",
                                         "update_seconds"};
    for (int p = 0; p < DL_PHASES; p++)
        json_object_set_new(object, phases[p], cmd_json_number(row->phase[p]));
    cmd_print_json(object, JSON_COMPACT);
}

static void print_end(const dl_experiment *e, const dl_train_result *r) {
    json_t *object =
        json_pack("{s:s, s:o, s:I, s:b, s:b, s:s, s:I, s:o, s:o, s:o, s:I}", "event", "end", "run",
                  cmd_json_string(r->folder), "epochs", (json_int_t)r->epochs, "interrupted",
                  r->interrupted, "stopped_early", r->stopped_early, "monitor", e->settings.monitor,
                  "best_epoch", (json_int_t)r->best_epoch, "best", cmd_json_number(r->best),
                  "seconds", cmd_json_number(r->seconds), "peak_memory_bytes",
                  json_integer((json_int_t)dl_report_peak_memory()), "operations_per_sample",
                  (json_int_t)e->net.training_operations);
    if (r->peak_operations > 0)
        json_object_set_new(object, "peak_operations_per_second",
                            cmd_json_number(r->peak_operations));
    cmd_print_json(object, JSON_COMPACT);
}

static void report_end(dl_terminal *t, const arguments *a, const dl_experiment *e,
                       const dl_train_result *r) {
    char seconds[32], memory[32];
    if (r->interrupted) {
        char *folder = cmd_quoted(r->folder);
        dl_say(t, "stopped     saved; go on with: %s --resume %s", a->program, folder);
        free(folder);
        return;
    }
    const char *stopped = r->stopped_early ? "stopped early after " : "";
    if (!r->trained)
        dl_say(t, "done        %s%lld epochs: nothing is left to train (%s)", stopped,
               (long long)r->epochs,
               r->stopped_early ? "a larger early_stopping.patience would go on"
                                : "--epochs N would go on");
    else if (r->trained < r->epochs)
        dl_say(t, "done        %s%lld epochs, %lld of them now in %s, peak memory %s", stopped,
               (long long)r->epochs, (long long)r->trained, dl_text_seconds(seconds, r->seconds),
               dl_text_bytes(memory, dl_report_peak_memory()));
    else
        dl_say(t, "done        %s%lld epoch%s in %s, peak memory %s", stopped, (long long)r->epochs,
               r->epochs == 1 ? "" : "s", dl_text_seconds(seconds, r->seconds),
               dl_text_bytes(memory, dl_report_peak_memory()));
    if (r->best_epoch)
        dl_say(t, "best        %s %.6g in epoch %lld: %s/best.safetensors", e->settings.monitor,
               r->best, (long long)r->best_epoch, r->folder);
    char *tester = cmd_beside(a->program, "dltest"), *folder = cmd_quoted(r->folder);
    if (r->epochs)
        dl_say(t, "next        %s %s", tester, folder);
    free(tester);
    free(folder);
}

/* The config: from the file, or from the checkpoint of the run that is resumed. */
static int load_config(const arguments *a, dl_config *config, dl_error *error) {
    int result;
    if (a->train.resume) {
        char *path = dl_run_check_resumable(a->train.resume, error)
                         ? NULL
                         : dl_run_find_checkpoint(a->train.resume, true, error);
        dl_checkpoint checkpoint = {0};
        result = path ? dl_checkpoint_open(&checkpoint, path, error) : -1;
        dl_text text = {0};
        if (!result) {
            dl_config_dump(&checkpoint.config, &text);
            result = dl_config_parse(config, path, text.data, error);
        }
        dl_text_free(&text);
        dl_checkpoint_close(&checkpoint);
        free(path);
    } else
        result = dl_config_load(config, a->config, error);
    if (result)
        return -1;
    for (int i = 0; i < a->set_count; i++)
        result |= dl_config_set(config, a->sets[i], error);
    return result;
}

/* A config without a name is called after its file. */
static void name_config(dl_config *config, const char *path) {
    config_setting_t *top = config_root_setting(&config->tree);
    if (!path || config_setting_get_member(top, "name"))
        return;
    char *name = xstrdup(dl_path_base(path)), *point = strrchr(name, '.');
    if (point && point != name)
        *point = '\0';
    config_setting_set_string(config_setting_add(top, "name", CONFIG_TYPE_STRING), name);
    free(name);
}

static int show(const arguments *a, dl_experiment *e, dl_terminal *terminal, dl_error *error) {
    int shown = 0;
    if (dl_show_batch(e, a->train.threads, a->show, &shown, error))
        return -1;
    dl_say(terminal, "picture     %d images of the first batch: %s", shown, a->show);
    return 0;
}

static void print_findings(const dl_findings *findings, bool json) {
    json_t *list = json_array();
    for (int i = 0; i < findings->count; i++) {
        const dl_finding *f = &findings->list[i];
        if (!json)
            printf("%-11s %s\n", f->wrong ? "warning" : "note", f->text);
        json_array_append_new(list, json_pack("{s:s, s:b, s:I, s:o}", "check", f->check, "wrong",
                                              f->wrong, "count", (json_int_t)f->count, "text",
                                              cmd_json_string(f->text)));
    }
    if (json)
        cmd_print_json(
            json_pack("{s:b, s:o}", "wrong", dl_findings_wrong(findings), "findings", list),
            JSON_INDENT(1));
    else {
        json_decref(list);
        if (!dl_findings_wrong(findings))
            puts("nothing is wrong with the data");
    }
}

/* --check-data: opens the data and looks at all of it. 0, 1 if something is wrong, or -1 and an
   error. */
static int check_data(const arguments *a, dl_error *error) {
    dl_config config = {0};
    dl_experiment experiment = {0};
    dl_findings findings = {0};
    int status = load_config(a, &config, error);
    if (!status)
        status = dl_experiment_read(&experiment, &config, error);
    if (!status)
        status = dl_data_open(&experiment.data, error);
    if (!status) {
        dl_check_counts(&findings, &experiment.data);
        dl_check_rows(&findings, &experiment.data);
        print_findings(&findings, a->json);
        status = dl_findings_wrong(&findings);
    }
    dl_findings_free(&findings);
    dl_experiment_free(&experiment);
    dl_config_free(&config);
    return status;
}

/* *interrupted: the training was, and is saved. */
static int train(const arguments *a, dl_terminal *terminal, bool *interrupted, dl_error *error) {
    dl_config config = {0};
    dl_experiment experiment = {0};
    dl_train_result result = {0};
    int status = load_config(a, &config, error);
    if (!status) {
        name_config(&config, a->config);
        status = dl_experiment_read(&experiment, &config, error);
    }
    if (!status) {
        dl_say(terminal, "dltrain %s  %s, %d thread%s", DL_VERSION, experiment.name, dl_threads(),
               dl_threads() == 1 ? "" : "s");
        if (dl_threads_warning())
            dl_say(terminal, "note        %s", dl_threads_warning());
        status = a->show ? show(a, &experiment, terminal, error)
                         : dl_train(&experiment, &a->train, terminal, &result, error);
    }
    *interrupted = result.interrupted || (a->train.dry_run && caught);
    if (!status && !a->train.dry_run && !a->show) {
        report_end(terminal, a, &experiment, &result);
        if (a->json)
            print_end(&experiment, &result);
    }
    free(result.folder);
    dl_experiment_free(&experiment);
    dl_config_free(&config);
    return status;
}

int main(int argc, char **argv) {
    cmd_start(argv);
    arguments a = {.program = argv[0], .threads = dl_threads_available()};
    int status = parse_arguments(argc, argv, &a);
    if (status >= 0)
        return cmd_finish("dltrain", status);
    dl_error error = {0};
    dl_threads_set((int)a.threads);
    if (a.check_data) {
        status = check_data(&a, &error);
        status = status < 0 ? cmd_fail("dltrain", &error) : status ? DL_CHECK : DL_OK;
        dl_error_clear(&error);
        return cmd_finish("dltrain", status);
    }
    watch_signals();
    a.train.threads = dl_threads();
    a.train.interrupted = &caught;
    a.train.on_row = a.json ? print_row : NULL;
    dl_terminal terminal = dl_terminal_open(a.quiet);
    bool interrupted = false;
    status = train(&a, &terminal, &interrupted, &error) ? (int)error.code : DL_OK;
    if (status && terminal.log)
        fprintf(terminal.log, "dltrain: %s\n", dl_text_get(&error.text));
    dl_terminal_close(&terminal);
    if (status)
        cmd_fail("dltrain", &error);
    else if (interrupted)
        status = 128 + caught;
    dl_error_clear(&error);
    return cmd_finish("dltrain", status);
}

/* SPDX-License-Identifier: MIT */
#include "cmd/train_arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd/common.h"
#include "cmd/completion.h"
#include "cmd/help.h"

static const char usage[] =
    "Usage: dltrain [options] CONFIG\n"
    "       dltrain [options] --resume RUN\n"
    "       dltrain --compare RUN RUN...\n"
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
    "  --stop-after N    end after epoch N, or after a part of the epochs (1/9), as\n"
    "                    if interrupted: --resume goes on, with the same schedule\n"
    "  --sample N        of a config with searched values ({ search = \"log\"; ... }):\n"
    "                    draw them with the seed N, and train with those\n"
    "  --point N         the same with point N of the grid, counted from 1\n"
    "  --print-config    instead: the config as it is trained, with every default\n"
    "  --space CONFIG    only show the values that it searches, and its grid's size;\n"
    "                    with --compare: show these and no others\n"
    "  --compare RUN...  only show what differs between runs: their configs, and what\n"
    "                    they have come to; --rank COLUMN (val_loss) puts the best\n"
    "                    first, --json and --csv are for programs\n"
    "  --status RUN...   only say how far runs are; ends with 5 if any is unfinished\n"
    "  --threads N       processors to use (default: OMP_NUM_THREADS, or all of them)\n"
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
    "  --check           instead: train for moments, to see whether it can learn:\n"
    "                    initial loss, gradients, some samples by heart, inputs,\n"
    "                    learning rate, time, duplicates, dead units; ends with 5 if\n"
    "                    something fails\n"
    "  --find-lr         instead: the loss while the learning rate grows, and which\n"
    "                    rate that suggests\n"
    "  --diagnose RUN    instead: what the history of a run tells, and what to try\n"
    "                    next\n"
    "  --gradients       with --dry-run: how long the gradient of each layer is\n"
    "  --activations     with --dry-run: what each layer makes of some rows, and of\n"
    "                    the gradient: are the initial weights too small, too large?\n"
    "  --quiet           no lines and no bar on stderr, only errors\n"
    "  --json            an object per epoch, and one at the end, on stdout\n"
    "  --help [TOPIC]    this; or config, layers, losses, optimizers, schedules,\n"
    "                    formats, augmentations, searches or metrics; or one of\n"
    "                    them: --help layer dense; or completion bash, completion\n"
    "                    zsh: a script for that shell\n"
    "  --version\n"
    "\n"
    "Exit status: 0 done, 1 run-time failure, 2 usage or config, 3 data or\n"
    "checkpoint, 4 diverged, 5 --check, --check-data or --status has found\n"
    "something, 128+n stopped by signal n (after saving).\n";

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
    CHECK,
    FIND_RATE,
    DIAGNOSE,
    GRADIENTS,
    ACTIVATIONS,
    STOP_AFTER,
    SAMPLE,
    POINT,
    PRINT_CONFIG,
    SPACE,
    COMPARE,
    RANK,
    CSV,
    STATUS,
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
    {"check", no_argument, NULL, CHECK},
    {"find-lr", no_argument, NULL, FIND_RATE},
    {"diagnose", required_argument, NULL, DIAGNOSE},
    {"gradients", no_argument, NULL, GRADIENTS},
    {"activations", no_argument, NULL, ACTIVATIONS},
    {"stop-after", required_argument, NULL, STOP_AFTER},
    {"sample", required_argument, NULL, SAMPLE},
    {"point", required_argument, NULL, POINT},
    {"print-config", no_argument, NULL, PRINT_CONFIG},
    {"space", required_argument, NULL, SPACE},
    {"compare", no_argument, NULL, COMPARE},
    {"rank", required_argument, NULL, RANK},
    {"csv", no_argument, NULL, CSV},
    {"status", no_argument, NULL, STATUS},
    {"quiet", no_argument, NULL, QUIET},
    {"json", no_argument, NULL, JSON},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {NULL, 0, NULL, 0},
};

static bool add_set(train_arguments *a, const char *assignment) {
    if (a->set_count == MOST_SETS) {
        cmd_usage("dltrain", "at most %d --set", MOST_SETS);
        return false;
    }
    a->sets[a->set_count++] = assignment;
    return true;
}

/* Turns --seed 3 into a --set. The text lives as long as the program. */
static bool add_number(train_arguments *a, const char *option, const char *key, const char *text,
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
static bool add_fold(train_arguments *a, const char *text) {
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

/* 12, or 1/9 of all. */
static bool set_stop(train_arguments *a, const char *text) {
    long long parts = 0, of = 0;
    char rest;
    bool whole = sscanf(text, "%lld%c", &parts, &rest) == 1;
    if (!whole && (sscanf(text, "%lld/%lld%c", &parts, &of, &rest) != 2 || of < 1 || parts > of))
        parts = 0;
    if (parts < 1 || parts > 1 << 30 || of > 1 << 30) {
        cmd_usage("dltrain", "--stop-after %s: must be an epoch (10) or a part of all (1/9)", text);
        return false;
    }
    a->train.stop = (dl_stop){parts, of};
    return true;
}

/* Of --sample, --point, --compare and their like; -1, or DL_USAGE and a message. */
static int store_search(int option, train_arguments *a) {
    switch (option) {
    case STOP_AFTER:
        return set_stop(a, optarg) ? -1 : DL_USAGE;
    case SAMPLE:
        return cmd_number("dltrain", "--sample", optarg, 0, (int64_t)9e15, &a->sample) ? -1
                                                                                       : DL_USAGE;
    case POINT:
        return cmd_number("dltrain", "--point", optarg, 1, (int64_t)9e15, &a->point) ? -1
                                                                                     : DL_USAGE;
    case PRINT_CONFIG:
        a->print_config = true;
        break;
    case SPACE:
        a->space = optarg;
        break;
    case COMPARE:
        a->compare = true;
        break;
    case RANK:
        a->rank = optarg;
        break;
    case CSV:
        a->csv = true;
        break;
    case STATUS:
        a->status = true;
        break;
    }
    return -1;
}

/* An option that needs no more than to be stored; -1, or DL_USAGE and a message. */
static int store_option(int option, train_arguments *a) {
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
    case CHECK:
        a->check = true;
        break;
    case FIND_RATE:
        a->find_rate = true;
        break;
    case DIAGNOSE:
        a->diagnose = optarg;
        return *optarg ? -1 : cmd_usage("dltrain", "--diagnose needs a run's folder");
    case GRADIENTS:
        a->train.gradients = true;
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
    default:
        return store_search(option, a);
    }
    return fine ? -1 : DL_USAGE;
}

/* -1 to go on, or the exit status. */
static int parse_options(int argc, char **argv, train_arguments *a) {
    int option, status = -1;
    opterr = 0;
    while (status < 0 && (option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
        switch (option) {
        case 'h':
        case HELP:
            if (optind < argc && !strcmp(argv[optind], "completion"))
                return completion_print("dltrain", long_options, argv[optind + 1]);
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

/* --compare, --status and --space train nothing. -1, or DL_USAGE and a message. */
static int check_looks(const train_arguments *a) {
    bool runs = a->compare || a->status;
    if (a->compare && a->status)
        return cmd_usage("dltrain", "--compare or --status, not both");
    if (runs && !a->run_count)
        return cmd_usage("dltrain", "%s: which runs?", a->compare ? "--compare" : "--status");
    if ((a->rank || a->csv) && !a->compare)
        return cmd_usage("dltrain", "%s goes with --compare", a->rank ? "--rank" : "--csv");
    if (a->csv && a->json)
        return cmd_usage("dltrain", "--csv or --json, not both");
    if (!runs && a->space && a->config)
        return cmd_usage("dltrain", "--space shows its own config: leave out %s", a->config);
    return -1;
}

/* -1, or DL_USAGE and a message. */
static int check_sample(const train_arguments *a) {
    bool drawn = a->sample >= 0 || a->point;
    if (a->sample >= 0 && a->point)
        return cmd_usage("dltrain", "--sample or --point, not both");
    if (drawn && a->train.resume)
        return cmd_usage("dltrain", "--resume goes on with the values that were drawn: leave out "
                                    "--sample and --point");
    if (a->print_config && a->train.resume)
        return cmd_usage("dltrain", "--print-config takes a config; a run has its own in %s",
                         "config.cfg");
    return -1;
}

int train_arguments_parse(int argc, char **argv, train_arguments *a) {
    int status = parse_options(argc, argv, a);
    if (status >= 0)
        return status;
    if (a->compare || a->status) {
        a->runs = argv + optind;
        a->run_count = argc - optind;
        return check_looks(a);
    }
    if (optind < argc)
        a->config = argv[optind++];
    if ((status = check_looks(a)) >= 0 || (status = check_sample(a)) >= 0 || a->space)
        return status;
    if (optind < argc)
        return cmd_usage("dltrain", "one config at a time, not also %s", argv[optind]);
    if (a->diagnose && (a->config || a->train.resume))
        return cmd_usage("dltrain", "--diagnose takes a run alone: leave out %s",
                         a->config ? a->config : "--resume");
    if (a->diagnose)
        return -1;
    if (!a->config && !a->train.resume)
        return cmd_usage("dltrain", "which config? (configs/digits.cfg is a good first one)");
    if (a->config && a->train.resume)
        return cmd_usage("dltrain", "--resume takes the config from the run: leave out %s",
                         a->config);
    if (a->train.gradients && !a->train.dry_run)
        return cmd_usage("dltrain", "--gradients goes with --dry-run");
    if ((a->check || a->find_rate) && a->train.resume)
        return cmd_usage("dltrain", "%s takes a config, not --resume",
                         a->check ? "--check" : "--find-lr");
    if (a->check && a->find_rate)
        return cmd_usage("dltrain", "--check finds a rate, too: leave out --find-lr");
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

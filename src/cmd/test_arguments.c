/* SPDX-License-Identifier: MIT */
#include "cmd/test_arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd/common.h"
#include "cmd/completion.h"
#include "data/data.h"

static const char usage[] =
    "Usage: dltest [options] CHECKPOINT|RUN\n"
    "       dltest [options] --average|--vote CHECKPOINT|RUN...\n"
    "Evaluates a checkpoint, or the best one of a run's folder (runs/latest is the\n"
    "newest run). It needs no config: only the checkpoint and the data.\n"
    "\n"
    "  --split NAME      test, validation or train (default: the first that there is)\n"
    "  --last            of a run: last.safetensors instead of best.safetensors\n"
    "  --set KEY=VALUE   override a key of the checkpoint's config, such as\n"
    "                    --set data.test.file=other.csv\n"
    "  --threads N       processors to use (default: OMP_NUM_THREADS, or all of them)\n"
    "  --backend NAME    openblas, onednn or auto, the faster one for each shape\n"
    "                    (default: auto)\n"
    "  --average         of several nets: how good the mean of their answers is, of\n"
    "                    probabilities for classes, else of numbers\n"
    "  --vote            of several nets: how good the class is that most of them say\n"
    "  --pictures FILE   also: write a PNG picture of 24 samples: input, answer and\n"
    "                    truth, where the target is an image or a class a pixel\n"
    "  --speed N         instead: time forward passes over a batch of N rows\n"
    "  --write N         instead, of a net that has learnt a text: write N symbols\n"
    "    --prompt TEXT     what they follow (default: the beginning of a line)\n"
    "    --temperature T   1: by the net's own probabilities (default); less: safer,\n"
    "                      0: always the likeliest symbol; more: wilder\n"
    "    --seed N          another number, another text (default: 1)\n"
    "  --report FILE     also write an HTML page: curves, classes, surest mistakes\n"
    "  --json            one object on stdout\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done, 1 run-time failure, 2 usage, 3 data or checkpoint.\n";

enum {
    SPLIT = 256,
    LAST,
    SET,
    THREADS,
    BACKEND,
    PICTURES,
    SPEED,
    WRITE,
    PROMPT,
    TEMPERATURE,
    SEED,
    AVERAGE,
    VOTE,
    REPORT,
    JSON,
    HELP,
    VERSION
};

static const struct option long_options[] = {
    {"split", required_argument, NULL, SPLIT},
    {"last", no_argument, NULL, LAST},
    {"set", required_argument, NULL, SET},
    {"threads", required_argument, NULL, THREADS},
    {"backend", required_argument, NULL, BACKEND},
    {"pictures", required_argument, NULL, PICTURES},
    {"speed", required_argument, NULL, SPEED},
    {"write", required_argument, NULL, WRITE},
    {"prompt", required_argument, NULL, PROMPT},
    {"temperature", required_argument, NULL, TEMPERATURE},
    {"seed", required_argument, NULL, SEED},
    {"average", no_argument, NULL, AVERAGE},
    {"vote", no_argument, NULL, VOTE},
    {"report", required_argument, NULL, REPORT},
    {"json", no_argument, NULL, JSON},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {NULL, 0, NULL, 0},
};

static int find_split(const char *name) {
    for (int s = 0; s < DL_SPLITS; s++)
        if (!strcmp(dl_split_names[s], name))
            return s;
    const char *nearest = dl_text_nearest(name, dl_split_names, DL_SPLITS);
    cmd_usage("dltest", "--split %s: must be test, validation or train%s%s%s", name,
              nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
    return -1;
}

/* An option that needs no more than to be stored; -1, or DL_USAGE and a message. */
static int store_option(int option, test_arguments *a) {
    bool fine = true;
    switch (option) {
    case SPLIT:
        a->split = find_split(optarg);
        fine = a->split >= 0;
        break;
    case LAST:
        a->last = true;
        break;
    case SET:
        if (a->set_count == TEST_MOST_SETS)
            return cmd_usage("dltest", "at most %d --set", TEST_MOST_SETS);
        a->sets[a->set_count++] = optarg;
        break;
    case THREADS:
        fine = cmd_number("dltest", "--threads", optarg, 1, 1024, &a->threads);
        break;
    case BACKEND:
        fine = cmd_backend("dltest", optarg);
        break;
    case PICTURES:
        a->pictures = optarg;
        break;
    case SPEED:
        fine = cmd_number("dltest", "--speed", optarg, 1, 1 << 20, &a->speed);
        break;
    case WRITE:
        fine = cmd_number("dltest", "--write", optarg, 1, (int64_t)1e12, &a->write.count);
        break;
    case PROMPT:
        a->of_write = "--prompt";
        a->write.prompt = optarg;
        break;
    case TEMPERATURE:
        a->of_write = "--temperature";
        fine = cmd_real("dltest", a->of_write, optarg, 0, 1000, &a->write.temperature);
        break;
    case SEED:
        a->of_write = "--seed";
        fine = cmd_number("dltest", a->of_write, optarg, 0, (int64_t)9e15, &a->seed);
        break;
    case AVERAGE:
        a->average = true;
        break;
    case VOTE:
        a->vote = true;
        break;
    case REPORT:
        a->report = optarg;
        return *optarg ? -1 : cmd_usage("dltest", "--report needs a file's name");
    case JSON:
        a->json = true;
        break;
    }
    return fine ? -1 : DL_USAGE;
}

/* What goes together: -1, or DL_USAGE and a message. */
static int check_options(const test_arguments *a) {
    const char *joined = a->average ? "--average" : "--vote";
    if (a->average && a->vote)
        return cmd_usage("dltest", "--average or --vote, not both");
    if ((a->average || a->vote) && a->path_count < 2)
        return cmd_usage("dltest", "%s is for several checkpoints", joined);
    if ((a->average || a->vote) && (a->speed || a->write.count))
        return cmd_usage("dltest", "%s evaluates: leave out %s", joined,
                         a->speed ? "--speed" : "--write");
    if (a->path_count > 1 && !a->average && !a->vote)
        return cmd_usage("dltest",
                         "one checkpoint at a time, not also %s (--average or --vote lets several "
                         "answer together)",
                         a->paths[1]);
    if (a->report && (a->average || a->vote || a->speed || a->write.count))
        return cmd_usage("dltest", "--report is about the evaluation of one net: leave out %s",
                         a->speed         ? "--speed"
                         : a->write.count ? "--write"
                                          : joined);
    if (a->of_write && !a->write.count)
        return cmd_usage("dltest", "%s is for --write N", a->of_write);
    if (a->pictures && (a->speed || a->write.count || a->path_count > 1))
        return cmd_usage("dltest", "--pictures is for the evaluation of one checkpoint");
    if (a->write.count && (a->json || a->speed || a->split >= 0))
        return cmd_usage("dltest", "--write prints a text and nothing else: leave out %s",
                         a->json    ? "--json"
                         : a->speed ? "--speed"
                                    : "--split");
    return -1;
}

int test_arguments_parse(int argc, char **argv, test_arguments *a) {
    int option, status = -1;
    opterr = 0;
    while (status < 0 && (option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
        switch (option) {
        case 'h':
        case HELP:
            if (optind < argc && !strcmp(argv[optind], "completion"))
                return completion_print("dltest", long_options, argv[optind + 1]);
            fputs(usage, stdout);
            return DL_OK;
        case VERSION:
            cmd_version("dltest");
            return DL_OK;
        case ':':
        case '?':
            return cmd_unknown_option("dltest", argv, long_options);
        default:
            status = store_option(option, a);
        }
    }
    if (status >= 0)
        return status;
    a->paths = (const char *const *)argv + optind;
    a->path_count = argc - optind;
    if (!a->path_count)
        return cmd_usage("dltest", "which checkpoint or run? (runs/latest is the newest run)");
    return check_options(a);
}

/* dltest: evaluates a checkpoint. */
#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/common.h"
#include "data/text.h"
#include "math/threads.h"
#include "train/confusion.h"
#include "train/report.h"
#include "train/speed.h"
#include "train/write.h"

static const char usage[] =
    "Usage: dltest [options] CHECKPOINT|RUN\n"
    "Evaluates a checkpoint, or the best one of a run's folder (runs/latest is the\n"
    "newest run). It needs no config: only the checkpoint and the data.\n"
    "\n"
    "  --split NAME      test, validation or train (default: the first that there is)\n"
    "  --last            of a run: last.safetensors instead of best.safetensors\n"
    "  --set KEY=VALUE   override a key of the checkpoint's config, such as\n"
    "                    --set data.test.file=other.csv\n"
    "  --threads N       processors to use (default: all of them)\n"
    "  --backend NAME    openblas, onednn or auto, the faster one for each shape\n"
    "                    (default: auto)\n"
    "  --speed N         instead: time forward passes over a batch of N rows\n"
    "  --write N         instead, of a net that has learnt a text: write N symbols\n"
    "    --prompt TEXT     what they follow (default: the beginning of a line)\n"
    "    --temperature T   1: by the net's own probabilities (default); less: safer,\n"
    "                      0: always the likeliest symbol; more: wilder\n"
    "    --seed N          another number, another text (default: 1)\n"
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
    SPEED,
    WRITE,
    PROMPT,
    TEMPERATURE,
    SEED,
    JSON,
    HELP,
    VERSION,
    MOST_SETS = 256,
    MISTAKES = 5
};

static const struct option long_options[] = {
    {"split", required_argument, NULL, SPLIT},
    {"last", no_argument, NULL, LAST},
    {"set", required_argument, NULL, SET},
    {"threads", required_argument, NULL, THREADS},
    {"backend", required_argument, NULL, BACKEND},
    {"speed", required_argument, NULL, SPEED},
    {"write", required_argument, NULL, WRITE},
    {"prompt", required_argument, NULL, PROMPT},
    {"temperature", required_argument, NULL, TEMPERATURE},
    {"seed", required_argument, NULL, SEED},
    {"json", no_argument, NULL, JSON},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {NULL, 0, NULL, 0},
};

typedef struct {
    const char *path;
    const char *sets[MOST_SETS];
    int set_count, split; /* -1: not chosen */
    bool last, json;
    int64_t threads, speed, seed; /* speed: the batch to be timed; 0: none */
    dl_write_options write;       /* count 0: nothing is to be written */
    const char *of_write;         /* an option that only writing has, and that was given */
} arguments;

typedef struct {
    dl_checkpoint checkpoint;
    dl_experiment experiment;
    dl_split split;
    char *path; /* of the checkpoint */
    dl_sums sums;
    dl_confusion confusion;
    dl_speed speed;
    /* metrics that are reported whether the config asks for them or not */
    double extra[DL_METRICS][DL_METRIC_SUMS];
} test;

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
static int store_option(int option, arguments *a) {
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
        if (a->set_count == MOST_SETS)
            return cmd_usage("dltest", "at most %d --set", MOST_SETS);
        a->sets[a->set_count++] = optarg;
        break;
    case THREADS:
        fine = cmd_number("dltest", "--threads", optarg, 1, 1024, &a->threads);
        break;
    case BACKEND:
        fine = cmd_backend("dltest", optarg);
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
    case JSON:
        a->json = true;
        break;
    }
    return fine ? -1 : DL_USAGE;
}

/* What goes together: -1, or DL_USAGE and a message. */
static int check_options(const arguments *a) {
    if (a->of_write && !a->write.count)
        return cmd_usage("dltest", "%s is for --write N", a->of_write);
    if (a->write.count && (a->json || a->speed || a->split >= 0))
        return cmd_usage("dltest", "--write prints a text and nothing else: leave out %s",
                         a->json    ? "--json"
                         : a->speed ? "--speed"
                                    : "--split");
    return -1;
}

/* -1 to go on, or the exit status. */
static int parse_arguments(int argc, char **argv, arguments *a) {
    int option, status = -1;
    opterr = 0;
    while (status < 0 && (option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
        switch (option) {
        case 'h':
        case HELP:
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
    if (optind < argc)
        a->path = argv[optind++];
    if (optind < argc)
        return cmd_usage("dltest", "one checkpoint at a time, not also %s", argv[optind]);
    if (!a->path)
        return cmd_usage("dltest", "which checkpoint or run? (runs/latest is the newest run)");
    return check_options(a);
}

/* The part to evaluate: the one that was asked for, or the first that there is. */
static int choose_split(test *t, const arguments *a, dl_error *error) {
    const dl_data *data = &t->experiment.data;
    static const dl_split order[] = {DL_TEST, DL_VALIDATION, DL_TRAIN};
    for (int i = 0; i < DL_SPLITS; i++) {
        dl_split s = a->split >= 0 ? (dl_split)a->split : order[i];
        if (data->dataset[s].type || data->share[s] > 0) {
            t->split = s;
            return 0;
        }
        if (a->split >= 0)
            break;
    }
    return dl_fail(error, DL_USAGE, "%s: its config has no %s data", t->path,
                   dl_split_names[a->split]);
}

/* Writing needs no data, only what the checkpoint says of them. */
static int prepare_writing(test *t, dl_error *error) {
    dl_checkpoint *c = &t->checkpoint;
    dl_experiment *e = &t->experiment;
    if (dl_data_describe(&e->data, &c->schema, &c->input, &c->target, error) ||
        dl_symbols_check(&e->data, t->path, error))
        return -1;
    e->batch_size = 1;
    if (dl_experiment_build(e, false, dl_threads(), error))
        return -1;
    return dl_checkpoint_load_net(c, &e->net, error);
}

static int prepare(test *t, const arguments *a, dl_error *error) {
    dl_checkpoint *c = &t->checkpoint;
    dl_experiment *e = &t->experiment;
    t->path = dl_run_find_checkpoint(a->path, a->last, error);
    if (!t->path || dl_checkpoint_open(c, t->path, error))
        return -1;
    for (int i = 0; i < a->set_count; i++)
        if (dl_config_set(&c->config, a->sets[i], error))
            return -1;
    if (dl_experiment_read(e, &c->config, error))
        return -1;
    if (a->write.count)
        return prepare_writing(t, error);
    if (choose_split(t, a, error) ||
        dl_data_open_part(&e->data, t->split, &c->schema, &c->input, &c->target, error) ||
        dl_checkpoint_check_split(c, &e->data, error))
        return -1;
    int64_t rows = e->data.part[t->split].count; /* bounds what a strange file may ask for */
    int64_t batch = a->speed ? a->speed : c->batch_size;
    e->batch_size = batch < rows ? batch : rows;
    if (dl_experiment_build(e, false, dl_threads(), error))
        return -1;
    return dl_checkpoint_load_net(c, &e->net, error);
}

/* Metric m of the table, wanted or not. */
static bool is_shown(const test *t, const dl_metric *metric) {
    bool classes = t->experiment.target.classes > 0, bins = t->experiment.data.schema.bin_edge;
    return (metric->for_classes == classes || bins) &&
           (t->experiment.target.classes > 5 || strcmp(metric->name, "top5"));
}

static void observe(void *context, const dl_outcome *outcome) {
    test *t = context;
    if (outcome->classes)
        dl_confusion_add(&t->confusion, outcome);
    for (int m = 0; m < dl_metric_count && m < DL_METRICS; m++)
        if (is_shown(t, &dl_metrics[m]) && dl_metrics[m].for_classes == (outcome->classes > 0))
            dl_metrics[m].add(t->extra[m], outcome);
}

static int evaluate(test *t, bool speed, dl_error *error) {
    dl_experiment *e = &t->experiment;
    if (e->target.classes && !speed)
        t->confusion = dl_confusion_new(e->target.classes);
    dl_loader *loader = dl_loader_new(&e->data, t->split, e->batch_size, error);
    if (!loader)
        return -1;
    int result = speed ? dl_speed_measure(e, loader, &t->speed, error)
                       : dl_evaluate(e, loader, &t->sums, observe, t, error);
    dl_loader_free(loader);
    return result;
}

/* ---- printing ---- */

enum { WIDEST_MATRIX = 20, WIDEST_NAME = 30, LABEL = 10 };

/* A class's name in a column of that width; cut off if it is too long for it. */
static void print_name(const test *t, int class, int width, bool right) {
    char number[16];
    dl_text name = {0};
    dl_text_add_plain(&name, dl_schema_class(&t->experiment.data.schema, class, number));
    int bytes = dl_text_fitting(dl_text_get(&name), (int)name.length, width);
    int padding = width - dl_text_width(dl_text_get(&name), bytes);
    printf("%*s%.*s%*s", right ? padding : 0, "", bytes, dl_text_get(&name), right ? 0 : padding,
           "");
    dl_text_free(&name);
}

/* The columns that the longest name takes, from `least` to `most`. */
static int name_width(const test *t, int least, int most) {
    int width = least;
    for (int c = 0; c < t->confusion.classes; c++) {
        char number[16];
        const char *name = dl_schema_class(&t->experiment.data.schema, c, number);
        int length = dl_text_width(name, (int)strlen(name));
        width = length > width ? length : width;
    }
    return width < most ? width : most;
}

static void print_scores(const test *t) {
    int width = name_width(t, 5, WIDEST_NAME);
    printf("\n%-*s %10s %10s %10s %10s\n", width, "class", "rows", "precision", "recall", "F1");
    for (int c = 0; c < t->confusion.classes; c++) {
        dl_class_score s = dl_confusion_score(&t->confusion, c);
        print_name(t, c, width, false);
        printf(" %10lld", (long long)s.rows);
        double values[] = {s.precision, s.recall, s.f1};
        for (int i = 0; i < 3; i++)
            if (isnan(values[i]))
                printf(" %10s", "-");
            else
                printf(" %8.2f %%", 100 * values[i]);
        printf("\n");
    }
}

static void print_matrix(const test *t) {
    int classes = t->confusion.classes;
    if (classes > WIDEST_MATRIX) {
        printf("\n(the confusion matrix of %d classes is in --json)\n", classes);
        return;
    }
    int width = name_width(t, 5, LABEL),
        digits = snprintf(NULL, 0, "%lld", (long long)(t->sums.rows * t->experiment.positions));
    width = digits > width ? digits : width;
    printf("\nconfusion: a row is the true class, a column the predicted one\n%-*s", LABEL, "");
    for (int c = 0; c < classes; c++) {
        printf(" ");
        print_name(t, c, width, true);
    }
    printf("\n");
    for (int r = 0; r < classes; r++) {
        print_name(t, r, LABEL, false);
        for (int c = 0; c < classes; c++)
            printf(" %*lld", width, (long long)t->confusion.count[(int64_t)r * classes + c]);
        printf("\n");
    }
}

static void print_mistakes(const test *t) {
    dl_mistake mistakes[MISTAKES];
    const dl_schema *schema = &t->experiment.data.schema;
    int count = dl_confusion_mistakes(&t->confusion, MISTAKES, mistakes);
    if (count)
        printf("\nmost frequent mistakes\n");
    for (int i = 0; i < count; i++) {
        char a[16], b[16];
        dl_text line = {0};
        dl_text_add(&line, "%6lld  ", (long long)mistakes[i].count);
        dl_text_add_plain(&line, dl_schema_class(schema, mistakes[i].truth, a));
        dl_text_add(&line, " taken for ");
        dl_text_add_plain(&line, dl_schema_class(schema, mistakes[i].predicted, b));
        puts(line.data);
        dl_text_free(&line);
    }
}

static void print_text(const test *t) {
    char count[32], value[32];
    const dl_experiment *e = &t->experiment;
    printf("%s on %s %s rows (%s)\n", e->name, dl_text_count(count, t->sums.rows),
           dl_split_names[t->split], t->path);
    printf("%-10s %.6g\n", "loss", dl_sums_loss(&t->sums));
    for (int m = 0; m < dl_metric_count && m < DL_METRICS; m++)
        if (is_shown(t, &dl_metrics[m]))
            printf("%-10s %s\n", dl_metrics[m].name,
                   dl_report_metric(value, &dl_metrics[m], dl_metrics[m].value(t->extra[m])));
    if (!e->target.classes)
        return;
    print_scores(t);
    print_matrix(t);
    print_mistakes(t);
}

static void add_classes(const test *t, json_t *object) {
    const dl_schema *schema = &t->experiment.data.schema;
    json_t *list = json_array(), *matrix = json_array();
    int classes = t->confusion.classes;
    for (int r = 0; r < classes; r++) {
        char name[16];
        dl_class_score s = dl_confusion_score(&t->confusion, r);
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:o, s:o, s:o}", "class", dl_schema_class(schema, r, name),
                            "rows", (json_int_t)s.rows, "precision", cmd_json_number(s.precision),
                            "recall", cmd_json_number(s.recall), "f1", cmd_json_number(s.f1)));
        json_t *row = json_array();
        for (int c = 0; c < classes; c++)
            json_array_append_new(row, json_integer(t->confusion.count[(int64_t)r * classes + c]));
        json_array_append_new(matrix, row);
    }
    json_object_set_new(object, "classes", list);
    json_object_set_new(object, "confusion", matrix);
}

static void print_json(const test *t) {
    json_t *object =
        json_pack("{s:o, s:o, s:s, s:I, s:o}", "name", cmd_json_string(t->experiment.name),
                  "checkpoint", cmd_json_string(t->path), "split", dl_split_names[t->split], "rows",
                  (json_int_t)t->sums.rows, "loss", cmd_json_number(dl_sums_loss(&t->sums)));
    for (int m = 0; m < dl_metric_count && m < DL_METRICS; m++)
        if (is_shown(t, &dl_metrics[m]))
            json_object_set_new(object, dl_metrics[m].name,
                                cmd_json_number(dl_metrics[m].value(t->extra[m])));
    if (t->experiment.target.classes)
        add_classes(t, object);
    cmd_print_json(object, JSON_INDENT(1));
}

static void print_speed(const test *t, bool json) {
    const dl_speed *s = &t->speed;
    char rows[32], rate[32];
    if (json) {
        cmd_print_json(json_pack("{s:o, s:o, s:I, s:f, s:f, s:f, s:f}", "name",
                                 cmd_json_string(t->experiment.name), "checkpoint",
                                 cmd_json_string(t->path), "batch", (json_int_t)s->samples,
                                 "seconds_a_batch", s->seconds, "fastest", s->fastest, "slowest",
                                 s->slowest, "samples_per_second", s->samples_per_second),
                       JSON_INDENT(1));
        return;
    }
    printf("%s, batches of %s: %.4g ms a forward pass (%.4g to %.4g), %s rows a second\n",
           t->experiment.name, dl_text_count(rows, s->samples), 1e3 * s->seconds, 1e3 * s->fastest,
           1e3 * s->slowest, dl_text_count(rate, (int64_t)s->samples_per_second));
}

static char last_byte; /* of what was written */

static bool print_symbol(const char *bytes, int count) {
    fwrite(bytes, 1, (size_t)count, stdout);
    last_byte = count ? bytes[count - 1] : last_byte;
    return cmd_flush();
}

static int write_text(test *t, arguments *a, dl_error *error) {
    a->write.seed = (uint64_t)a->seed;
    int result = dl_write(&t->experiment, &a->write, t->path, print_symbol, error);
    if (!result && last_byte != '\n' && isatty(STDOUT_FILENO))
        putchar('\n');
    return result;
}

static void print_result(const test *t, const arguments *a) {
    if (a->speed)
        print_speed(t, a->json);
    else if (a->json)
        print_json(t);
    else
        print_text(t);
}

int main(int argc, char **argv) {
    cmd_start(argv);
    arguments a = {.threads = dl_threads_available(), .split = -1, .seed = 1};
    a.write.temperature = 1;
    int status = parse_arguments(argc, argv, &a);
    if (status >= 0)
        return cmd_finish("dltest", status);
    dl_threads_set((int)a.threads);
    dl_error error = {0};
    test t = {0};
    int result = prepare(&t, &a, &error);
    if (!result)
        result = a.write.count ? write_text(&t, &a, &error) : evaluate(&t, a.speed > 0, &error);
    status = result ? cmd_fail("dltest", &error) : DL_OK;
    if (!result && !a.write.count)
        print_result(&t, &a);
    dl_error_clear(&error);
    dl_confusion_free(&t.confusion);
    dl_experiment_free(&t.experiment);
    dl_checkpoint_close(&t.checkpoint);
    free(t.path);
    return cmd_finish("dltest", status);
}

/* SPDX-License-Identifier: MIT */
/* dlpredict: answers of a trained net, by the library (library/dltrain.h) alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "cmd/arguments.h"
#include "cmd/common.h"
#include "cmd/predict_output.h"
#include "math/backend.h"

static const char *const format_names[] = {"csv", "jsonl", "npy", "npz", "png", NULL};
static const char *const unknown_names[] = {"error", "skip", "null", NULL};

typedef struct {
    arg_common common;
    bool last, all, average, vote, skip_bad, overlay;
    int format, unknown;
    const char *out, *layer;
    int64_t top, batch, samples;
    int64_t size[2], raw[3]; /* height, width, channels */
    struct {
        int count;
        const char **names;
    } keep;
    dltrain_text text;
    int64_t text_count, text_top_k, seed;
} predict_arguments;

/* ---- text ---- */

static int print_symbol(void *context, const char *bytes, size_t count) {
    char *last = context;
    fwrite(bytes, 1, count, stdout);
    *last = count ? bytes[count - 1] : *last;
    return cmd_flush();
}

static int generate(predict_arguments *a, dltrain_net *net) {
    char last = 0;
    a->text.count = a->text_count;
    a->text.top_k = a->text_top_k;
    a->text.seed = (unsigned long long)a->seed;
    int status = dltrain_generate(net, &a->text, print_symbol, &last);
    if (!status && last != '\n' && isatty(STDOUT_FILENO))
        putchar('\n');
    return status;
}

/* ---- answers ---- */

static int fail(dltrain_net *net, int status, dl_error *error) {
    if (status && !error->count)
        dl_fail(error, (dl_code)status, "%s", dltrain_error(net));
    return status ? -1 : 0;
}

/* Reports the inputs that have no answer, and counts them. */
static void report_problems(const predict_arguments *a, const dltrain_answers *answers,
                            int64_t *bad) {
    enum { MOST_REPORTED = 100 };
    for (int i = 0; i < answers->count; i++) {
        if (!answers->problem[i])
            continue;
        if (++*bad <= MOST_REPORTED)
            dl_print_plain(stderr, "%s: %s\n", a->common.program, answers->problem[i]);
        else if (*bad == MOST_REPORTED + 1)
            fprintf(stderr, "%s: further ones are only counted\n", a->common.program);
    }
}

static int answer_all(const predict_arguments *a, dltrain_net *net, dltrain_inputs *inputs,
                      predict_output *out, dl_error *error) {
    const dltrain_answers *answers;
    int64_t rows = 0, bad = 0;
    int status = 0, written = 0;
    while (!written && !(status = dltrain_inputs_next(inputs, &answers)) && answers) {
        report_problems(a, answers, &bad);
        rows += answers->count;
        written = predict_output_add(out, dltrain_describe(net), answers, error);
    }
    if (fail(net, status, error) || written < 0 || predict_output_finish(out, error))
        return -1;
    fputs(dltrain_inputs_notes(inputs), stderr);
    if (bad)
        fprintf(stderr, "%s: %lld of %lld inputs cannot be read%s\n", a->common.program,
                (long long)bad, (long long)rows,
                a->skip_bad ? "" : " (--skip-bad takes that for success)");
    return bad && !a->skip_bad ? DL_DATA : 0;
}

static int predict(predict_arguments *a, dltrain_net *net, int inputs_at, dl_error *error) {
    const dltrain_input_options options = {.paths =
                                               (const char *const *)a->common.operands + inputs_at,
                                           .path_count = a->common.operand_count - inputs_at,
                                           .keep = a->keep.names,
                                           .keep_count = a->keep.count,
                                           .raw_height = (int)a->raw[0],
                                           .raw_width = (int)a->raw[1],
                                           .raw_channels = (int)a->raw[2],
                                           .unknown = (dltrain_unknown)a->unknown};
    const predict_output_options output = {.path = a->out,
                                           .format = (predict_format)a->format,
                                           .keep = a->keep.names,
                                           .keep_count = a->keep.count,
                                           .top = (int)a->top,
                                           .all = a->all,
                                           .deviation = a->samples > 0,
                                           .overlay = a->overlay};
    dltrain_inputs *inputs;
    predict_output out = {0};
    int status = fail(net, dltrain_inputs_open(net, &options, &inputs), error);
    if (!status)
        status = predict_output_open(&out, &output, dltrain_describe(net), error);
    if (!status)
        status = answer_all(a, net, inputs, &out, error);
    predict_output_close(&out);
    dltrain_inputs_close(inputs);
    return status;
}

/* The operands that are runs: the first one, or with --average and --vote all that are nets. */
static bool is_run(const char *path) {
    size_t length = strlen(path), ending = strlen(".safetensors");
    char *config = dl_path_join(path, "config.cfg");
    bool folder = dl_file_exists(config);
    free(config);
    return folder || (length > ending && !strcmp(path + length - ending, ".safetensors"));
}

static int run(void *arguments, dl_error *error) {
    predict_arguments *a = arguments;
    const arg_common *c = &a->common;
    int runs = 1;
    while ((a->average || a->vote) && runs < c->operand_count && is_run(c->operands[runs]))
        runs++;
    if (!a->text_count && c->operand_count == runs && !a->raw[0])
        return dl_fail(error, DL_USAGE,
                       "nothing to do: no INPUT was given (- is standard input), "
                       "nor --generate N");
    if ((a->average || a->vote) && runs < 2)
        return dl_fail(error, DL_USAGE, "%s needs several RUNs", a->vote ? "--vote" : "--average");
    const dltrain_options options = {.batch = (int)a->batch,
                                     .last = a->last,
                                     .others = (const char *const *)c->operands + 1,
                                     .other_count = runs - 1,
                                     .vote = a->vote,
                                     .samples = (int)a->samples,
                                     .layer = a->layer,
                                     .height = (int)a->size[0],
                                     .width = (int)a->size[1],
                                     .sets = (const char *const *)c->sets,
                                     .set_count = c->set_count};
    dltrain_net *net;
    int status = dltrain_open(c->operands[0], &options, &net);
    status = fail(net, status, error);
    if (!status && a->text_count)
        status = fail(net, generate(a, net), error);
    else if (!status)
        status = predict(a, net, runs, error);
    dltrain_close(net);
    free(a->keep.names);
    return status;
}

/* ---- arguments ---- */

/* "1920x1080" or "1920x1080x3": width, height, channels. */
static bool read_raw(const char *text, void *arguments, dl_text *message) {
    predict_arguments *a = arguments;
    int width, height, channels = 3, used = 0;
    int count = sscanf(text, "%dx%d%nx%d%n", &width, &height, &used, &channels, &used);
    bool right = count >= 2 && !text[used] && width > 0 && height > 0 && width <= 1 << 14 &&
                 height <= 1 << 14 && (channels == 1 || channels == 3);
    if (!right)
        dl_text_add(message, "WIDTHxHEIGHT or WIDTHxHEIGHTxCHANNELS, such as 640x480x3");
    a->raw[0] = height;
    a->raw[1] = width;
    a->raw[2] = channels;
    return right;
}

static bool read_size(const char *text, void *arguments, dl_text *message) {
    predict_arguments *a = arguments;
    int width, height, used = 0;
    bool right = sscanf(text, "%dx%d%n", &width, &height, &used) == 2 && !text[used] && width > 0 &&
                 height > 0 && width <= 1 << 14 && height <= 1 << 14;
    if (!right)
        dl_text_add(message, "WIDTHxHEIGHT, such as 1920x1080");
    a->size[0] = height;
    a->size[1] = width;
    return right;
}

/* Names, separated by commas. */
static bool read_keep(const char *text, void *arguments, dl_text *message) {
    predict_arguments *a = arguments;
    char *copy = (char *)text; /* of argv, which may be changed */
    (void)message;
    for (char *name = strtok(copy, ","); name; name = strtok(NULL, ",")) {
        a->keep.names =
            xrealloc(a->keep.names, sizeof *a->keep.names * (size_t)(a->keep.count + 1));
        a->keep.names[a->keep.count++] = name;
    }
    return a->keep.count > 0;
}

static const arg_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = ARG_STRING,
     .offset = DL_FIELD(predict_arguments, out, const char *),
     .value = "FILE",
     .completes = ARG_FILE,
     .help = "write to FILE, which is complete or not replaced; with --format png, to the folder "
             "FILE (default: standard output; for png, beside each input)"},
    ARG_WORD_ROW("format", predict_arguments, format, format_names, "NAME",
                 "csv; jsonl (a JSON object per line); npy (an array of all outputs); npz (the "
                 "arrays answer and, of classes, class); png (masks of classes, colors, or "
                 "reconstructions: a file per input)",
                 .fallback = "csv"),
    ARG_COUNT_ROW("top", predict_arguments, top, 1, 1000, "K",
                  "the K most probable classes, each with its probability"),
    ARG_FLAG_ROW("probabilities", predict_arguments, all,
                 "the probabilities of all classes; of an autoencoder of images, all its outputs"),
    {.name = "keep",
     .kind = ARG_CUSTOM,
     .value = "NAMES",
     .read = read_keep,
     .help = "columns of a table to copy to the answers, separated by commas"},
    ARG_WORD_ROW("unknown", predict_arguments, unknown, unknown_names, "NAME",
                 "a category that the training data do not have, or a missing value where the "
                 "config does not say what it means: error (no answer for the row), skip (the row "
                 "is left out) or null (none of the categories, the mean of a number)",
                 .fallback = "error"),
    ARG_FLAG_ROW("skip-bad", predict_arguments, skip_bad,
                 "exit with 0 although some inputs cannot be read"),
    {.name = "raw",
     .kind = ARG_CUSTOM,
     .value = "WxH[xC]",
     .read = read_raw,
     .help = "standard input is raw frames of this size, C bytes per pixel (default 3), as of "
             "ffmpeg -f rawvideo -pix_fmt rgb24 -; prints the latency at the end"},
    {.name = "size",
     .kind = ARG_CUSTOM,
     .value = "WxH",
     .read = read_size,
     .help = "size of the input images of a fully convolutional net (default: that of training; "
             "pictures of other sizes are answered in their own if the config has no `size`)"},
    ARG_FLAG_ROW("overlay", predict_arguments, overlay,
                 "png: draw the classes over the input image in color, instead of a gray mask "
                 "whose values are the classes"),
    ARG_FLAG_ROW("average", predict_arguments, average,
                 "average the RUNs: the mean of their probabilities, or of their numbers",
                 .excludes = "vote"),
    ARG_FLAG_ROW("vote", predict_arguments, vote, "the class that most of the RUNs predict"),
    ARG_COUNT_ROW("samples", predict_arguments, samples, 1, 1 << 20, "N",
                  "answer N times with random dropout (Monte Carlo dropout) and print mean and "
                  "standard deviation"),
    ARG_STRING_ROW("layer", predict_arguments, layer, "NAME", ARG_NOTHING,
                   "print the outputs of this layer (embeddings) instead of the net's"),
    ARG_COUNT_ROW("batch", predict_arguments, batch, 1, 1 << 20, "N",
                  "rows or images that are answered at a time", .fallback = "64"),
    ARG_COUNT_ROW("generate", predict_arguments, text_count, 1, 1e12, "N",
                  "print N symbols of text, by a language model", .excludes = "raw"),
    ARG_STRING_ROW("prompt", predict_arguments, text.prompt, "TEXT", ARG_NOTHING,
                   "text to continue (default: the beginning of a line)", .needs = "generate",
                   .may_be_empty = true),
    ARG_REAL_ROW("temperature", predict_arguments, text.temperature, 0, 1000, "T",
                 "divisor of the outputs before the softmax: 0 always chooses the most likely "
                 "symbol, more than 1 makes the text more random",
                 .needs = "generate", .fallback = "1"),
    ARG_COUNT_ROW("top-k", predict_arguments, text_top_k, 1, 1 << 20, "K",
                  "choose among the K most likely symbols only", .needs = "generate"),
    ARG_REAL_ROW("top-p", predict_arguments, text.top_p, 0, 1, "P",
                 "choose among the fewest symbols whose probabilities add up to P",
                 .needs = "generate"),
    ARG_COUNT_ROW("seed", predict_arguments, seed, 0, 9e15, "N", "seed of the random numbers",
                  .needs = "generate", .fallback = "1"),
    ARG_FLAG_ROW("last", predict_arguments, last,
                 "of a run: use last.safetensors instead of best.safetensors"),
    ARG_SET_ROW,
    ARG_THREADS_ROW,
    ARG_BACKEND_ROW,
    ARG_ROWS_END};

static const arg_command command = {
    .operands = "RUN... INPUT...",
    .completes = ARG_RUN,
    .min_operands = 1,
    .operand = "run or checkpoint",
    .help = "Prints the answers of a trained net for new inputs, or generates text.",
    .more =
        "RUN is a run's folder (runs/latest is the newest) or a checkpoint; several with "
        "--average or --vote.\n"
        "INPUT is a picture, a folder or a tar archive of pictures, npy, npz or IDX arrays, CSV, "
        "JSON lines,\na text, a pattern such as '*.png', or - for standard input: one picture, "
        "or rows that\nare answered one by one as they come.",
    .options = options,
    .size = sizeof(predict_arguments),
    .run = run,
};

static const arg_moved moved[] = {
    {"pictures", "dlinspect predictions RUN -o FILE"},
    {"split", "dlinspect predictions RUN --split NAME -o FILE"},
    {NULL, NULL},
};

static const arg_program program = {
    .name = "dlpredict",
    .commands = &command,
    .command_count = 1,
    .moved = moved,
    .status = "Exit status: 0 done, 1 run-time failure, 2 usage, 3 data or checkpoint, or inputs "
              "that cannot be read.",
};

int main(int argc, char **argv) {
    return arg_main(&program, argc, argv);
}

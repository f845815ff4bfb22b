/* SPDX-License-Identifier: MIT */
/* dlpredict: predictions of a trained net. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/common.h"
#include "cmd/loaded.h"
#include "inspect/batch_picture.h"
#include "math/backend.h"
#include "model/generate.h"

typedef struct {
    arg_common common;
    bool last;
    int split;
    int64_t seed;
    const char *pictures;
    dl_generate_options text;
} predict_arguments;

static char last_byte; /* of the text */

static bool print_symbol(const char *bytes, int count) {
    fwrite(bytes, 1, (size_t)count, stdout);
    last_byte = count ? bytes[count - 1] : last_byte;
    return cmd_flush();
}

static int generate(predict_arguments *a, loaded *l, dl_error *error) {
    a->text.seed = (uint64_t)a->seed;
    if (loaded_build_text(l, error) ||
        dl_generate(&l->experiment.model, &a->text, l->path, print_symbol, error))
        return -1;
    if (last_byte != '\n' && isatty(STDOUT_FILENO))
        putchar('\n');
    return 0;
}

static int draw(const predict_arguments *a, loaded *l, dl_error *error) {
    dl_split split;
    int shown = 0, wanted = loaded_wanted_split(&a->common, a->split);
    if (loaded_open_split(l, wanted, &split, error) ||
        loaded_build(l, split, l->checkpoint.batch_size, error) ||
        dl_prediction_picture_write(&l->experiment.model, split, a->pictures, &shown, error))
        return -1;
    fprintf(stderr, "%d samples, each as input, prediction and target: %s\n", shown, a->pictures);
    return 0;
}

static int run(void *arguments, dl_error *error) {
    predict_arguments *a = arguments;
    loaded l = {0};
    int status = loaded_open(&l, a->common.operands[0], a->last, &a->common, error);
    if (!status)
        status = a->text.count ? generate(a, &l, error) : draw(a, &l, error);
    loaded_close(&l);
    return status;
}

static bool check(void *arguments, dl_text *message) {
    const predict_arguments *a = arguments;
    if (!a->text.count && !a->pictures && a->common.operand_count)
        dl_text_add(message, "nothing to do: give --generate N or --pictures FILE");
    return !message->length;
}

static const arg_option options[] = {
    ARG_COUNT_ROW("generate", predict_arguments, text.count, 1, 1e12, "N",
                  "print N symbols of text, by a language model", .excludes = "pictures"),
    ARG_STRING_ROW("prompt", predict_arguments, text.prompt, "TEXT", ARG_NOTHING,
                   "text to continue (default: the beginning of a line)", .needs = "generate",
                   .may_be_empty = true),
    ARG_REAL_ROW("temperature", predict_arguments, text.temperature, 0, 1000, "T",
                 "divisor of the outputs before the softmax: 0 always chooses the most likely "
                 "symbol, more than 1 makes the text more random",
                 .needs = "generate", .fallback = "1"),
    ARG_COUNT_ROW("seed", predict_arguments, seed, 0, 9e15, "N", "seed of the random numbers",
                  .needs = "generate", .fallback = "1"),
    ARG_STRING_ROW(
        "pictures", predict_arguments, pictures, "FILE", ARG_FILE,
        "write a PNG file of 24 samples, each as input, prediction and target; the target "
        "must be an image or a class per pixel"),
    LOADED_SPLIT_ROW(predict_arguments, split, "pictures"),
    LOADED_LAST_ROW(predict_arguments, last),
    ARG_SET_ROW,
    ARG_THREADS_ROW,
    ARG_BACKEND_ROW,
    ARG_ROWS_END};

static const arg_command command = {
    .operands = "RUN",
    .completes = ARG_RUN,
    .min_operands = 1,
    .max_operands = 1,
    .operand = "run or checkpoint",
    .help = "Prints or draws the predictions of a trained net.",
    .more = "RUN is a run's folder (runs/latest is the newest) or a checkpoint.",
    .options = options,
    .size = sizeof(predict_arguments),
    .check = check,
    .run = run,
};

static const arg_program program = {
    .name = "dlpredict",
    .commands = &command,
    .command_count = 1,
    .status = "Exit status: 0 done, 1 run-time failure, 2 usage, 3 data or checkpoint.",
};

int main(int argc, char **argv) {
    return arg_main(&program, argc, argv);
}

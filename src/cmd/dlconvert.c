/* SPDX-License-Identifier: MIT */
/* dlconvert: a trained net in another program's format. */
#include <stdio.h>
#include <string.h>

#include "cmd/common.h"
#include "cmd/loaded.h"
#include "convert/convert.h"
#include "math/backend.h"

static const char *const layout_names[] = {"nchw", "nhwc", NULL};

typedef struct {
    arg_common common;
    bool last, list, raw, probabilities;
    int layout;
} convert_arguments;

static int list_formats(void) {
    for (int i = 0; dl_foreign_formats[i]; i++)
        printf("%-10s %-8s %s\n", dl_foreign_formats[i]->name, dl_foreign_formats[i]->ending,
               dl_foreign_formats[i]->help);
    return 0;
}

/* By the file's ending. */
static const dl_foreign_format *find_format(const char *path, dl_error *error) {
    const char *point = strrchr(path, '.');
    dl_text all = {0};
    for (int i = 0; dl_foreign_formats[i]; i++) {
        if (point && !strcmp(point, dl_foreign_formats[i]->ending))
            return dl_foreign_formats[i];
        dl_text_add(&all, "%s%s", i ? ", " : "", dl_foreign_formats[i]->ending);
    }
    if (all.length)
        dl_fail(error, DL_USAGE, "%s: unknown format; the file name must end in %s", path,
                all.data);
    else
        dl_fail(error, DL_USAGE,
                "%s: this program was built without protobuf-c, which ONNX needs: install "
                "libprotobuf-c-dev, protobuf-c-compiler and libonnx-dev, then run make ONNX=yes",
                path);
    dl_text_free(&all);
    return NULL;
}

static int run(void *arguments, dl_error *error) {
    const convert_arguments *a = arguments;
    if (a->list)
        return list_formats();
    const dl_foreign_format *format = find_format(a->common.operands[1], error);
    if (!format)
        return -1;
    dl_convert_options options = {(dl_layout)a->layout, a->raw, a->probabilities};
    loaded l = {0};
    int status = loaded_open(&l, a->common.operands[0], a->last, &a->common, error);
    if (!status)
        status = loaded_build_alone(&l, 1, error);
    if (!status)
        status = format->write(&l.experiment.model, &options, a->common.operands[1], error);
    loaded_close(&l);
    return status;
}

static bool check(void *arguments, dl_text *message) {
    const convert_arguments *a = arguments;
    int operands = a->common.operand_count;
    if (a->list ? operands > 0 : operands != 2)
        dl_text_add(message,
                    a->list ? "--list takes no operands" : "two operands are needed: RUN and OUT");
    return !message->length;
}

static const arg_option options[] = {
    ARG_WORD_ROW("layout", convert_arguments, layout, layout_names, "NAME",
                 "order of the axes of images at the net's input and output; sequences are always "
                 "batch, steps, channels",
                 .fallback = "nchw"),
    ARG_FLAG_ROW("raw", convert_arguments, raw,
                 "leave out normalization and denormalization: the input is normalized already"),
    ARG_FLAG_ROW("probabilities", convert_arguments, probabilities,
                 "of a classifier: include the softmax or sigmoid that the loss applies, so that "
                 "the outputs are probabilities"),
    ARG_FLAG_ROW("last", convert_arguments, last,
                 "of a run: use last.safetensors instead of best.safetensors"),
    ARG_FLAG_ROW("list", convert_arguments, list, "list the formats"),
    ARG_SET_ROW,
    ARG_ROWS_END};

static const arg_command command = {
    .operands = "RUN OUT",
    .completes = ARG_RUN,
    .max_operands = 2,
    .operand = "run or file",
    .help = "Converts a trained net to another program's format.",
    .more = "RUN is a run's folder (runs/latest is the newest) or a checkpoint.\n"
            "The ending of OUT chooses the format, as in model.onnx.",
    .options = options,
    .size = sizeof(convert_arguments),
    .check = check,
    .run = run,
};

static const arg_program program = {
    .name = "dlconvert",
    .commands = &command,
    .command_count = 1,
    .status = "Exit status: 0 done, 1 run-time failure, 2 usage or no equivalent, 3 checkpoint.",
};

int main(int argc, char **argv) {
    return arg_main(&program, argc, argv);
}

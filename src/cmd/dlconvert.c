/* SPDX-License-Identifier: MIT */
/* dlconvert: a trained net to another program's format, and from it. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/common.h"
#include "cmd/loaded.h"
#include "convert/convert.h"
#include "math/backend.h"

static const char *const layout_names[] = {"nchw", "nhwc", NULL};
static const char *const data_names[] = {"npy", "image_folder", NULL};

typedef struct {
    arg_common common;
    bool last, list, raw, probabilities;
    int layout, data;
    const char *shape;
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

/* Whether the file is one of a format that can be read. */
static const dl_foreign_format *find_source(const char *path) {
    const char *point = strrchr(path, '.');
    for (int i = 0; point && dl_foreign_formats[i]; i++)
        if (!strcmp(point, dl_foreign_formats[i]->ending) && dl_foreign_formats[i]->read)
            return dl_foreign_formats[i];
    return NULL;
}

static void remove_folder(const char *path) {
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char *file = dl_path_join(path, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(file);
        free(file);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

/* Makes a run's folder of a file: under a temporary name, which is renamed when it is whole. */
static int read_foreign(const convert_arguments *a, const dl_foreign_format *format,
                        const dl_convert_options *options, dl_error *error) {
    const char *from = a->common.operands[0], *to = a->common.operands[1];
    dl_text name = {0};
    dl_text_add(&name, "%s", to);
    while (name.length > 1 && name.data[name.length - 1] == '/')
        name.data[--name.length] = '\0';
    char *wanted = xstrdup(name.data);
    dl_text_add(&name, ".XXXXXX");
    bool made = false;
    int result = 0;
    if (dl_file_exists(wanted) && rmdir(wanted))
        result = dl_fail(error, DL_USAGE, "%s: exists, and is not an empty folder", wanted);
    else if (!(made = mkdtemp(name.data)))
        result = dl_fail(error, DL_FAILURE, "%s: %s", to, strerror(errno));
    if (!result)
        result = format->read(from, options, name.data, error);
    mode_t mask = umask(0);
    umask(mask);
    if (!result && (chmod(name.data, 0777 & ~mask) || rename(name.data, wanted)))
        result = dl_fail(error, DL_FAILURE, "%s: %s", wanted, strerror(errno));
    if (!result)
        dl_folder_flush(wanted);
    else if (made)
        remove_folder(name.data);
    if (!result && options->notes->length)
        fprintf(stderr, "dlconvert: %s: %s", from, options->notes->data);
    free(wanted);
    dl_text_free(&name);
    return result;
}

static int run(void *arguments, dl_error *error) {
    const convert_arguments *a = arguments;
    if (a->list)
        return list_formats();
    dl_text notes = {0};
    dl_convert_options options = {.layout = (dl_layout)a->layout,
                                  .raw = a->raw,
                                  .probabilities = a->probabilities,
                                  .shape = a->shape,
                                  .data =
                                      arg_given(&a->common, "data") ? data_names[a->data] : NULL,
                                  .sets = (const char *const *)a->common.sets,
                                  .set_count = a->common.set_count,
                                  .notes = &notes};
    const dl_foreign_format *format = find_source(a->common.operands[0]);
    if (format) {
        int result = read_foreign(a, format, &options, error);
        dl_text_free(&notes);
        return result;
    }
    format = find_format(a->common.operands[1], error);
    if (!format)
        return -1;
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
                    a->list ? "--list takes no operands" : "two operands are needed: IN and OUT");
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
    ARG_STRING_ROW(
        "shape", convert_arguments, shape, "SIZES", ARG_NOTHING,
        "of a net in an ONNX file whose input has open sizes: these, without the batch, in "
        "the order of the file: 3x224x224"),
    ARG_WORD_ROW("data", convert_arguments, data, data_names, "FORMAT",
                 "of a net in an ONNX file: the data format that the config is written for "
                 "(default: image_folder if its input is a picture, else npy)"),
    ARG_FLAG_ROW("list", convert_arguments, list, "list the formats"),
    ARG_SET_ROW,
    ARG_ROWS_END};

static const arg_command command = {
    .operands = "IN OUT",
    .completes = ARG_RUN,
    .max_operands = 2,
    .operand = "run or file",
    .help = "Converts a trained net to another program's format, or from it.",
    .more = "Out: IN is a run's folder (runs/latest is the newest) or a checkpoint, and the ending "
            "of OUT chooses the format, as in model.onnx.\n"
            "In: IN is such a file, and OUT a folder that is made like a run's: config.cfg, to be "
            "read and edited, and best.safetensors, for dltest, dlpredict and init_from. Put your "
            "own files into the config's section data, or name them: dltest OUT --set "
            "data.test.inputs=x.npy --set data.test.targets=y.npy. Nodes without an equivalent "
            "layer are all named, and nothing is written.",
    .options = options,
    .size = sizeof(convert_arguments),
    .check = check,
    .run = run,
};

static const arg_program program = {
    .name = "dlconvert",
    .commands = &command,
    .command_count = 1,
    .status =
        "Exit status: 0 done, 1 run-time failure, 2 usage or no equivalent, 3 a damaged file.",
};

int main(int argc, char **argv) {
    return arg_main(&program, argc, argv);
}

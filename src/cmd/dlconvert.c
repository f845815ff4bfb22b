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
#include "cmd/search.h"
#include "convert/weights.h"
#include "math/threads.h"

static const char *const layout_names[] = {"nchw", "nhwc", NULL};
static const char *const data_names[] = {"npy", "image_folder", NULL};

typedef struct {
    arg_common common;
    bool last, list, raw, probabilities;
    int layout, data, like;
    const char *shape, *map, *config, *from, *to;
} convert_arguments;

static int list_formats(void) {
    for (int i = 0; dl_foreign_formats[i]; i++) {
        const dl_foreign_format *f = dl_foreign_formats[i];
        const char *ways = !f->write ? "in" : f->read || f->load ? "in, out" : "out";
        printf("%-11s %-12s %-7s  %s\n", f->name, f->ending, ways, f->help);
    }
    return 0;
}

/* By the name of --from or --to, or by the file's ending. */
static const dl_foreign_format *find_format(const char *name, const char *path, dl_error *error) {
    const char *point = strrchr(path, '.');
    dl_text all = {0};
    for (int i = 0; dl_foreign_formats[i]; i++) {
        const dl_foreign_format *f = dl_foreign_formats[i];
        if (name ? !strcmp(name, f->name) : point && !strcmp(point, f->ending)) {
            dl_text_free(&all);
            return f;
        }
        dl_text_add(&all, "%s%s", i ? ", " : "", name ? f->name : f->ending);
    }
    if (name)
        dl_fail(error, DL_USAGE, "unknown format \"%s\" (known: %s)", name, all.data);
    else
        dl_fail(error, DL_USAGE, "%s: unknown format; the file name must end in %s%s", path,
                all.data,
                strstr(all.data, "onnx") ? ""
                                         : " (this program was built without protobuf-c, which "
                                           "ONNX needs: install libprotobuf-c-dev, "
                                           "protobuf-c-compiler and libonnx-dev, then run make "
                                           "ONNX=yes)");
    dl_text_free(&all);
    return NULL;
}

/* ---- weights of another program ---- */

static bool ends_in(const char *path, const char *ending) {
    size_t length = strlen(path), end = strlen(ending);
    return length > end && !strcmp(path + length - end, ending);
}

/* Builds the net of a config, whose data are opened for their columns and classes, or of a run. */
static int build_of_config(loaded *l, const convert_arguments *a, dl_error *error) {
    dl_config *config = &l->checkpoint.config;
    dl_model *model = &l->experiment.model;
    if (!ends_in(a->config, ".cfg"))
        return loaded_open(l, a->config, a->last, &a->common, error) ||
                       loaded_build_alone(l, 1, error)
                   ? -1
                   : 0;
    search_config from = {.path = a->config, .common = &a->common};
    if (search_load(&from, config, error))
        return -1;
    search_name_config(config, a->config);
    if (dl_experiment_read_for_inference(&l->experiment, config, error) ||
        dl_data_open(&model->data, error))
        return -1;
    return dl_model_build(model, false, dl_threads(), error);
}

/* A checkpoint, or config.cfg and best.safetensors in a folder. */
static int save(const dl_model *model, const char *out, dl_error *error) {
    dl_checkpoint_content content = {0};
    if (ends_in(out, ".safetensors"))
        return dl_checkpoint_save(out, model, &content, error);
    dl_text text = {0};
    char *config = dl_path_join(out, "config.cfg"), *best = dl_path_join(out, "best.safetensors");
    dl_config_dump(model->config, &text);
    int result = dl_file_write(config, text.data, text.length, error);
    if (!result)
        result = dl_checkpoint_save(best, model, &content, error);
    free(config);
    free(best);
    dl_text_free(&text);
    return result;
}

static int read_weights(const convert_arguments *a, const dl_foreign_format *format,
                        const dl_convert_options *options, const char *out, dl_error *error) {
    const char *in = a->common.operands[0];
    if (!format->load)
        return dl_fail(error, DL_USAGE, "%s: --config is for files of weights", in);
    loaded l = {0};
    dl_stored_weights stored = {0};
    int status = build_of_config(&l, a, error);
    if (!status)
        status = format->load(&stored, in, error);
    dl_stored_sort(&stored);
    if (!status)
        status = dl_weights_read(&l.experiment.model, &stored, options, error);
    if (!status)
        status = save(&l.experiment.model, out, error);
    dl_stored_free(&stored);
    loaded_close(&l);
    return status;
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
static int make_folder(const convert_arguments *a, const dl_foreign_format *format,
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
        result = a->config ? read_weights(a, format, options, name.data, error)
                           : format->read(from, options, name.data, error);
    mode_t mask = umask(0);
    umask(mask);
    if (!result && (chmod(name.data, 0777 & ~mask) || rename(name.data, wanted)))
        result = dl_fail(error, DL_FAILURE, "%s: %s", wanted, strerror(errno));
    if (!result)
        dl_folder_flush(wanted);
    else if (made)
        remove_folder(name.data);
    free(wanted);
    dl_text_free(&name);
    return result;
}

static int write_foreign(const convert_arguments *a, const dl_convert_options *options,
                         dl_error *error) {
    const dl_foreign_format *format = find_format(a->to, a->common.operands[1], error);
    if (!format)
        return -1;
    loaded l = {0};
    int status = loaded_open(&l, a->common.operands[0], a->last, &a->common, error);
    if (!status)
        status = loaded_build_alone(&l, 1, error);
    if (!status)
        status = format->write(&l.experiment.model, options, a->common.operands[1], error);
    loaded_close(&l);
    return status;
}

/* The format of IN if it is a file of another program, not a run or a checkpoint. */
static int find_source(const convert_arguments *a, const dl_foreign_format **format,
                       dl_error *error) {
    const char *in = a->common.operands[0];
    *format = NULL;
    for (int i = 0; dl_foreign_formats[i] && !a->from && !a->config; i++)
        if (dl_foreign_formats[i]->read && ends_in(in, dl_foreign_formats[i]->ending))
            *format = dl_foreign_formats[i];
    if (!a->from && !a->config)
        return 0;
    *format = find_format(a->from, in, error);
    if (*format && !(*format)->read && !a->config)
        return dl_fail(error, DL_USAGE, "%s: has weights only: give its net by --config CONFIG",
                       in);
    return *format ? 0 : -1;
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
                                  .like = a->like,
                                  .map = a->map,
                                  .notes = &notes};
    const dl_foreign_format *format;
    int status = find_source(a, &format, error);
    if (!status && format && a->config && ends_in(a->common.operands[1], ".safetensors"))
        status = read_weights(a, format, &options, a->common.operands[1], error);
    else if (!status)
        status =
            format ? make_folder(a, format, &options, error) : write_foreign(a, &options, error);
    if (!status && notes.length)
        fprintf(stderr, "dlconvert: %s: %s", a->common.operands[0], notes.data);
    dl_text_free(&notes);
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
    ARG_WORD_ROW("like", convert_arguments, like, dl_layout_names, "NAME",
                 "of a file of weights: names, axes and gates of PyTorch, Keras or dltrain; auto: "
                 "when writing dltrain's, when reading as the names and shapes say",
                 .fallback = "auto"),
    ARG_STRING_ROW("map", convert_arguments, map, "FILE", ARG_FILE,
                   "of a file of weights: names of layers there, lines layer=its name there"),
    ARG_STRING_ROW("config", convert_arguments, config, "CONFIG", ARG_FILE,
                   "IN is a file of weights: of the net of this config (.cfg), whose data are "
                   "opened, or of this run or checkpoint, whose data are not needed"),
    ARG_STRING_ROW("from", convert_arguments, from, "FORMAT", ARG_NOTHING,
                   "the format of IN, if its ending does not say it"),
    ARG_STRING_ROW("to", convert_arguments, to, "FORMAT", ARG_NOTHING,
                   "the format of OUT, if its ending does not say it", .excludes = "config"),
    ARG_FLAG_ROW("list", convert_arguments, list, "list the formats, their endings and directions"),
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
            "In: IN is such a file, or one of weights with --config, and OUT a folder that is made "
            "like a run's: config.cfg, to be "
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

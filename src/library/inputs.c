/* SPDX-License-Identifier: MIT */
#include "library/inputs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/targets.h"
#include "math/vector.h"

void *net_format_option(const dl_dataset *dataset, const char *key) {
    const dl_option *o = dataset->type ? dataset->type->kind.options : NULL;
    while (o && o->key && strcmp(o->key, key))
        o++;
    return o && o->key ? (char *)dataset->options + o->offset : NULL;
}

int inputs_form(const dltrain_inputs *in, const net_member *m, dl_image_form *form,
                dl_error *error) {
    (void)in;
    const dl_dataset *train = &m->model.data.dataset[DL_TRAIN];
    const dl_shape shape = m->model.data.base.input;
    const int64_t *size = net_format_option(train, "size");
    const int *resize = net_format_option(train, "resize");
    char text[48];
    *form = (dl_image_form){.shape = shape, .resize = DL_IMAGE_EXACT};
    if (size && size[0] > 0 && resize)
        form->resize = (dl_image_resize)*resize;
    if (shape.rank == 3 && (shape.dim[2] == 1 || shape.dim[2] == 3))
        return 0;
    return dl_fail(error, DL_USAGE, "%s: its inputs are %s, not pictures", m->path,
                   dl_shape_text(text, shape));
}

static const char *check_finite(const float *out, size_t size) {
    return dl_find_not_finite(out, (int64_t)size) < 0 ? NULL : "the net's answer is not finite";
}

/* Standard input or one file of many rows. */
static bool is_one_file(const dltrain_inputs *in) {
    return in->part_count == 1 && in->part[0].kind != PART_PICTURES;
}

static const char *counted(const dltrain_inputs *in) {
    static const char *const words[] = {[PART_ARRAYS] = "row",
                                        [PART_PICTURES] = NULL,
                                        [PART_TABLE] = "line",
                                        [PART_FRAMES] = "frame"};
    part_kind kind = in->part[0].kind;
    for (int i = 1; i < in->part_count; i++)
        if (in->part[i].kind != kind)
            return "row";
    return words[kind];
}

void inputs_answer(dltrain_inputs *in, int count) {
    dltrain_net *net = in->net;
    const dltrain_info *info = &net->info;
    net_run(net, count, in->out);
    for (size_t i = 0; i < (size_t)count; i++) {
        const float *out = in->out + i * info->output_size;
        size_t width = info->output_size / info->positions;
        if (!in->problem[i])
            in->problem[i] = check_finite(out, info->output_size);
        for (size_t p = 0; info->classes && p < info->positions; p++)
            in->classes[i * info->positions + p] = dltrain_class(net, out + p * width);
    }
    in->answers = (dltrain_answers){.count = count,
                                    .out = in->out,
                                    .deviation = net->deviation,
                                    .classes = info->classes ? in->classes : NULL,
                                    .input = in->input,
                                    .file = is_one_file(in) ? NULL : in->file,
                                    .counted = counted(in),
                                    .row = in->row,
                                    .kept = in->kept,
                                    .problem = in->problem};
}

/* ---- opening ---- */

static void copy_options(dltrain_inputs *in, const dltrain_input_options *o) {
    dltrain_input_options *own = &in->options;
    *own = *o;
    const char **paths = dl_arena_alloc(&in->arena, sizeof *paths * (size_t)(o->path_count + 1));
    const char **keep = dl_arena_alloc(&in->arena, sizeof *keep * (size_t)(o->keep_count + 1));
    for (int i = 0; i < o->path_count; i++)
        paths[i] = dl_arena_strdup(&in->arena, o->paths[i]);
    for (int i = 0; i < o->keep_count; i++)
        keep[i] = dl_arena_strdup(&in->arena, o->keep[i]);
    if (o->raw_height && !o->path_count) {
        paths[0] = "-";
        own->path_count = 1;
    }
    own->paths = paths;
    own->keep = keep;
}

/* To be called again when the net has another size. */
static void allocate(dltrain_inputs *in) {
    const dltrain_info *info = &in->net->info;
    size_t batch = (size_t)in->net->batch, keep = batch * (size_t)in->options.keep_count + 1;
    in->out = xrealloc(in->out, sizeof *in->out * batch * info->output_size);
    in->input = xrealloc(in->input, sizeof *in->input * batch * info->input_size);
    in->classes = xrealloc(in->classes, sizeof *in->classes * batch * info->positions);
    in->file = xrealloc(in->file, sizeof *in->file * batch);
    in->problem = xrealloc(in->problem, sizeof *in->problem * batch);
    in->row = xrealloc(in->row, sizeof *in->row * batch);
    in->kept = xrealloc(in->kept, sizeof *in->kept * keep);
}

int inputs_resize(dltrain_inputs *in, int height, int width) {
    if (net_resize(in->net, height, width))
        return -1;
    allocate(in);
    return 0;
}

typedef struct {
    dltrain_inputs *in;
    const dltrain_input_options *options;
} opening;

static int open_all(void *context) {
    const opening *w = context;
    dltrain_inputs *in = w->in;
    dltrain_net *net = in->net;
    copy_options(in, w->options);
    allocate(in);
    for (int i = 0; i < net->count; i++)
        dl_net_begin(&net->member[i].model.net);
    return inputs_list(in);
}

int dltrain_inputs_open(dltrain_net *net, const dltrain_input_options *options,
                        dltrain_inputs **inputs) {
    *inputs = net && net->open ? calloc(1, sizeof **inputs) : NULL;
    if (!*inputs)
        return net && net->open ? DLTRAIN_FAILURE : DLTRAIN_USAGE;
    (*inputs)->net = net;
    opening w = {*inputs, options};
    return net_guard(net, open_all, &w);
}

static void free_part(input_part *part) {
    for (int64_t i = 0; i < part->count; i++) {
        free(part->picture[i].name);
        free(part->picture[i].path);
        free(part->picture[i].bytes);
        free(part->picture[i].problem);
    }
    free(part->picture);
    free(part->path);
}

void dltrain_inputs_close(dltrain_inputs *in) {
    if (!in)
        return;
    inputs_close_pictures(in);
    inputs_close_table(in);
    int archive = 0; /* parts in a row may share one */
    for (int i = 0; i < in->part_count; i++) {
        if (in->part[i].archive && in->part[i].archive != archive)
            close(archive = in->part[i].archive);
        free_part(&in->part[i]);
    }
    dl_reader_close(in->standard);
    free(in->part);
    free(in->out);
    free(in->input);
    free(in->classes);
    free(in->file);
    free(in->kept);
    free(in->problem);
    free(in->row);
    free(in->unknown_example);
    dl_omissions_free(&in->omissions);
    dl_text_free(&in->skipped);
    dl_text_free(&in->notes);
    dl_arena_free(&in->arena);
    dl_arena_free(&in->strings);
    free(in);
}

/* ---- the next answers ---- */

static int next_of(dltrain_inputs *in, input_part *part) {
    switch (part->kind) {
    case PART_TABLE:
        return inputs_next_rows(in, part);
    case PART_FRAMES:
        return inputs_next_frame(in, part);
    default:
        return inputs_next_pictures(in, part);
    }
}

static int next(void *context) {
    dltrain_inputs *in = context;
    in->answers.count = 0;
    dl_arena_free(&in->strings);
    for (; in->at < in->part_count; in->at++) {
        int result = next_of(in, &in->part[in->at]);
        if (result)
            return result < 0 ? -1 : 0;
        inputs_close_pictures(in);
        inputs_close_table(in);
    }
    return 0;
}

int dltrain_inputs_next(dltrain_inputs *in, const dltrain_answers **answers) {
    *answers = NULL;
    if (!in)
        return DLTRAIN_USAGE;
    int result = net_guard(in->net, next, in);
    if (!result && in->answers.count)
        *answers = &in->answers;
    return result;
}

const char *dltrain_inputs_notes(const dltrain_inputs *inputs) {
    dltrain_inputs *in = (dltrain_inputs *)inputs;
    if (!in)
        return "";
    dl_text_free(&in->notes);
    dl_text_add(&in->notes, "%s", dl_text_get(&in->skipped));
    bool null = in->options.unknown == DLTRAIN_UNKNOWN_NULL;
    if (in->unknown)
        dl_text_add(&in->notes, "%lld row%s %s (such as %s)\n", (long long)in->unknown,
                    in->unknown > 1 ? "s" : "",
                    null ? "with unknown or missing values, which are taken as null"
                         : "with unknown or missing values skipped",
                    in->unknown_example);
    return dl_text_get(&in->notes);
}

unsigned char *dltrain_png(const unsigned char *pixels, int height, int width, int channels,
                           size_t *size) {
    int count = 0;
    unsigned char *bytes = dl_image_encode(pixels, height, width, channels, &count);
    *size = (size_t)count;
    return bytes;
}

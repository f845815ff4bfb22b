/* SPDX-License-Identifier: MIT */
/* Pictures and arrays as a data set whose rows the loader's threads read, normalize and derive
   targets from, as in training. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/bins.h"
#include "data/loader.h"
#include "data/targets.h"
#include "library/inputs.h"

enum { MOST_BYTES = 1 << 28 };

/* The rows of a part for one net. */
typedef struct {
    net_member *member;
    input_part *part;
    int64_t first;      /* picture of row 0 */
    char **problem;     /* [pictures]: NULL, or why this net cannot read it; owned */
    dl_image_form form; /* of pictures */
    dl_dataset arrays;  /* else */
    dl_dataset rows;
    dl_loader *loader;
} row_source;

struct picture_reader {
    row_source *source; /* [net->count] */
    int count;
    int64_t from, to; /* pictures of one size */
};

/* ---- one row ---- */

static char *read_archive(const input_part *part, const input_picture *p, dl_error *error) {
    char *bytes = xmalloc((size_t)p->count + 1);
    int64_t done = 0;
    ssize_t got = 1;
    while (done < p->count && got) {
        got = pread(part->archive, bytes + done, (size_t)(p->count - done),
                    (off_t)(p->offset + done));
        if (got < 0 && errno != EINTR)
            break;
        done += got > 0 ? got : 0;
    }
    if (done == p->count)
        return bytes;
    dl_fail(error, DL_DATA, "%s: the archive was changed", p->name);
    free(bytes);
    return NULL;
}

/* The picture's file; *owned is to be freed. NULL and an error. */
static const char *load(const input_part *part, const input_picture *p, int64_t *count,
                        char **owned, dl_error *error) {
    *count = p->count;
    *owned = NULL;
    if (p->bytes)
        return p->bytes;
    *owned = p->path ? dl_file_read(p->path, MOST_BYTES, count, DL_DATA, error)
                     : read_archive(part, p, error);
    return *owned;
}

/* A picture that cannot be read is 0. */
static void read_picture(const row_source *s, int64_t i, float *x) {
    const input_picture *p = &s->part->picture[s->first + i];
    int64_t count = 0, size = dl_shape_size(s->form.shape);
    dl_error error = {0};
    char *owned = NULL;
    const char *why = NULL;
    unsigned char *pixels = xcalloc((size_t)size, 1);
    const char *bytes = p->problem ? NULL : load(s->part, p, &count, &owned, &error);
    int result = bytes ? dl_image_read(bytes, count, &s->form, pixels, &why) : -1;
    for (int64_t k = 0; k < size; k++)
        x[k] = result ? 0 : pixels[k];
    if (result && !p->problem && !s->problem[i]) {
        dl_text text = {0};
        if (why)
            dl_text_add(&text, "%s: %s", p->name, why);
        else
            dl_text_add(&text, "%s", dl_text_get(&error.text));
        s->problem[i] = text.data;
    }
    dl_error_clear(&error);
    free(pixels);
    free(owned);
}

static int read_row(const row_source *s, int64_t i, float *x, dl_error *error) {
    if (s->arrays.type)
        return dl_dataset_read(&s->arrays, i, x, NULL, error);
    read_picture(s, i, x);
    return 0;
}

/* Of nets that compare two samples, two rows in a row are an input. */
static int rows_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error) {
    const row_source *s = dataset->state;
    const dl_data *data = &s->member->model.data;
    if (y)
        memset(y, 0, sizeof *y * (size_t)data->schema.outputs);
    if (!x)
        return 0;
    if (data->predict != DL_TARGETS_SAME)
        return read_row(s, i, x, error);
    float *other = x + dl_shape_size(data->base.input);
    return read_row(s, 2 * i, x, error) | read_row(s, 2 * i + 1, other, error);
}

static void rows_close(dl_dataset *dataset) {
    (void)dataset;
}

static const dl_dataset_type rows_type = {.read = rows_read, .close = rows_close};

/* ---- arrays ---- */

static void *options_for(const dltrain_inputs *in, const dl_data *data, const input_part *part) {
    const dl_kind *kind = part->kind_of_arrays;
    const dl_dataset *train = &data->dataset[DL_TRAIN];
    dl_dataset made = {.type = (const dl_dataset_type *)kind};
    made.options = dl_arena_alloc((dl_arena *)&in->arena, kind->size);
    if (train->type == made.type)
        memcpy(made.options, train->options, kind->size);
    const char *keys[] = {"images", "file", "inputs"};
    dl_strings *files = net_format_option(&made, "files");
    if (files) {
        files->count = 1;
        files->items = dl_arena_alloc((dl_arena *)&in->arena, sizeof *files->items);
        files->items[0] = part->path;
    }
    for (int i = 0; !files && i < 3; i++) {
        const char **file = net_format_option(&made, keys[i]);
        if (file && (i < 2 || !net_format_option(&made, "file"))) {
            *file = part->path;
            break;
        }
    }
    const char **array = net_format_option(&made, "inputs");
    if (array && !*array)
        *array = "inputs"; /* of an archive */
    return made.options;
}

static int open_arrays(dltrain_inputs *in, row_source *s, dl_error *error) {
    const dl_data *data = &s->member->model.data;
    const dl_dataset *train = &data->dataset[DL_TRAIN];
    s->arrays = (dl_dataset){.type = (const dl_dataset_type *)s->part->kind_of_arrays,
                             .options = options_for(in, data, s->part),
                             .where = s->part->path,
                             .memory = train->memory,
                             .memory_most = train->memory_most,
                             .skipped = &in->skipped,
                             .unlabeled = true};
    dl_schema like = dl_bins_remove(&data->base);
    int result = s->arrays.type->open(&s->arrays, data->base.bin_edge ? &like : &data->base, error);
    dl_schema_free(&like);
    s->rows.count = s->arrays.count;
    s->rows.bytes = s->arrays.bytes;
    return result;
}

/* ---- a part ---- */

static int start(dltrain_inputs *in, row_source *s, dl_error *error) {
    dl_data *data = &s->member->model.data;
    int pair = data->predict == DL_TARGETS_SAME ? 2 : 1;
    if (s->rows.count % pair)
        return dl_fail(error, DL_DATA, "%s: its %lld inputs are no pairs, which the net compares",
                       s->part->path, (long long)s->rows.count);
    s->rows.count /= pair;
    s->rows.type = &rows_type;
    s->rows.state = s;
    s->rows.schema = dl_schema_copy(&data->base);
    dl_subset *subset = &data->part[DL_TEST];
    *subset = (dl_subset){.dataset = &s->rows, .count = s->rows.count};
    subset->index = xmalloc(sizeof *subset->index * (size_t)(subset->count + 1));
    for (int64_t i = 0; i < subset->count; i++)
        subset->index[i] = i;
    bool derived = data->predict == DL_TARGETS_INPUT || data->predict == DL_TARGETS_COLOR;
    if (derived && dl_targets_make(&data->made[DL_TEST], (dl_targets)data->predict, &data->schema,
                                   subset, 0, error))
        return -1;
    if (derived)
        subset->dataset = &data->made[DL_TEST];
    s->loader = dl_loader_new(data, DL_TEST, in->net->batch, error);
    if (s->loader)
        dl_loader_start(s->loader, DL_IN_ORDER, 0, 0, 0);
    return s->loader ? 0 : -1;
}

static int open_sources(dltrain_inputs *in, input_part *part, int64_t from, int64_t to) {
    picture_reader *r = in->pictures;
    for (int i = 0; i < in->net->count; i++) {
        row_source *s = &r->source[i];
        r->count = i + 1; /* to be closed */
        *s = (row_source){.member = &in->net->member[i],
                          .part = part,
                          .first = from,
                          .problem = xcalloc((size_t)(to - from) + 1, sizeof *s->problem),
                          .rows = {.count = to - from, .bytes = true}};
        dl_error *error = &in->net->error;
        if (part->kind == PART_ARRAYS ? open_arrays(in, s, error)
                                      : inputs_form(in, s->member, &s->form, error))
            return -1;
        if (start(in, s, error))
            return -1;
    }
    return 0;
}

static void close_sources(picture_reader *r) {
    for (int i = 0; i < r->count; i++) {
        row_source *s = &r->source[i];
        dl_data *data = &s->member->model.data;
        dl_loader_free(s->loader);
        for (int64_t k = 0; s->problem && k < r->to - r->from; k++)
            free(s->problem[k]);
        free(s->problem);
        free(data->part[DL_TEST].index);
        data->part[DL_TEST] = (dl_subset){0};
        dl_dataset *made = &data->made[DL_TEST];
        if (made->type)
            made->type->close(made);
        dl_schema_free(&made->schema);
        *made = (dl_dataset){0};
        if (s->arrays.type)
            s->arrays.type->close(&s->arrays);
        dl_schema_free(&s->arrays.schema);
        dl_text_free(&s->arrays.columns);
        dl_text_free(&s->arrays.notes);
        dl_schema_free(&s->rows.schema);
        *s = (row_source){0};
    }
    r->count = 0;
}

/* ---- pictures of other sizes, for nets that take any ---- */

static void find_sizes(input_part *part) {
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < part->count; i++) {
        input_picture *p = &part->picture[i];
        dl_error error = {0};
        char *owned = NULL;
        const char *why;
        int64_t count = 0;
        const char *bytes = load(part, p, &count, &owned, &error);
        if (!bytes || dl_image_size(bytes, count, &p->height, &p->width, &why))
            p->height = p->width = 0; /* reported when it is read */
        dl_error_clear(&error);
        free(owned);
    }
}

static void refuse_size(dltrain_inputs *in, input_part *part, int64_t from, int64_t to) {
    const int *dim = in->net->info.input_dim;
    for (int64_t i = from; i < to; i++) {
        input_picture *p = &part->picture[i];
        dl_text text = {0};
        if (!p->height)
            continue;
        dl_text_add(&text,
                    "%s: has %dx%d pixels, but the net was trained on %dx%d without `size`, and "
                    "does not allow this size: it is not fully convolutional, or the picture is "
                    "too small or too large",
                    p->name, p->height, p->width, dim[0], dim[1]);
        p->problem = text.data;
    }
}

/* Pictures from..to have one size: the net is built for it. */
static int choose_size(dltrain_inputs *in, input_part *part, int64_t from, int64_t *to) {
    dl_image_form form;
    int height = 0, width = 0;
    if (inputs_form(in, &in->net->member[0], &form, &in->net->error))
        return -1;
    *to = part->count;
    if (form.resize != DL_IMAGE_EXACT)
        return 0;
    if (!from)
        find_sizes(part);
    for (*to = from; *to < part->count; ++*to) {
        const input_picture *p = &part->picture[*to];
        if (height && p->height && (p->height != height || p->width != width))
            break;
        height = p->height ? p->height : height;
        width = p->width ? p->width : width;
    }
    const int old[2] = {form.shape.dim[0], form.shape.dim[1]};
    if (!height || (height == old[0] && width == old[1]))
        return 0;
    if (!in->fixed_size && !inputs_resize(in, height, width)) {
        in->resized = true;
        return 0;
    }
    if (!in->fixed_size) {
        dl_error_clear(&in->net->error);
        if (inputs_resize(in, in->net->height, in->net->width))
            return -1;
        const int *dim = in->net->info.input_dim;
        in->fixed_size = !in->resized && height >= dim[0] && width >= dim[1];
    }
    refuse_size(in, part, from, *to);
    return 0;
}

/* ---- batches ---- */

/* 1: there are rows; 0: none are left. */
static int open_next(dltrain_inputs *in, input_part *part) {
    picture_reader *r = in->pictures;
    if (!r) {
        r = in->pictures = xcalloc(1, sizeof *r);
        r->source = xcalloc((size_t)in->net->count, sizeof *r->source);
    } else if (part->kind == PART_ARRAYS || r->to == part->count) {
        return 0;
    }
    close_sources(r);
    r->from = r->to;
    if (part->kind == PART_PICTURES && choose_size(in, part, r->from, &r->to))
        return -1;
    return open_sources(in, part, r->from, r->to) ? -1 : 1;
}

/* Why a net cannot read row `row`, or one of the two pictures of it. */
static const char *problem_of(const dltrain_inputs *in, const input_part *part, int64_t row,
                              int pair) {
    const picture_reader *r = in->pictures;
    for (int64_t at = pair * row; at < pair * (row + 1); at++) {
        const char *problem = part->picture[r->from + at].problem;
        for (int i = 0; i < r->count && !problem; i++)
            problem = r->source[i].problem[at];
        if (problem)
            return problem;
    }
    return NULL;
}

static void name_rows(dltrain_inputs *in, const input_part *part, const dl_batch *batch) {
    const dl_data *data = &in->net->member[0].model.data;
    int pair = data->predict == DL_TARGETS_SAME ? 2 : 1;
    for (int64_t i = 0; i < batch->count; i++) {
        int64_t row = batch->index[i];
        const input_picture *p =
            part->kind == PART_PICTURES ? &part->picture[in->pictures->from + pair * row] : NULL;
        in->file[i] = p ? p->name : part->path;
        in->problem[i] = p ? problem_of(in, part, row, pair) : NULL;
        in->row[i] = p ? -1 : row;
        for (int k = 0; k < in->options.keep_count; k++)
            in->kept[i * in->options.keep_count + k] = "";
    }
    int64_t size = (int64_t)in->net->info.input_size;
    memcpy(in->input, batch->x, sizeof *in->input * (size_t)(batch->count * size));
    dl_denormalize(&data->input, in->input, batch->count, size);
}

int inputs_next_pictures(dltrain_inputs *in, input_part *part) {
    dl_error *error = &in->net->error;
    for (;;) {
        const dl_batch *batch = NULL;
        int before = error->count;
        for (int i = 0; in->pictures && i < in->pictures->count; i++) {
            const dl_batch *own = dl_loader_next(in->pictures->source[i].loader, error);
            batch = i ? batch : own;
            in->net->member[i].input = own ? own->x : NULL;
        }
        if (error->count > before)
            return -1;
        if (batch) {
            name_rows(in, part, batch);
            inputs_answer(in, (int)batch->count);
            return 1;
        }
        int more = open_next(in, part);
        if (more <= 0)
            return more;
    }
}

void inputs_close_pictures(dltrain_inputs *in) {
    if (!in->pictures)
        return;
    close_sources(in->pictures);
    free(in->pictures->source);
    free(in->pictures);
    in->pictures = NULL;
}

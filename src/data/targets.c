/* SPDX-License-Identifier: MIT */
#include "data/targets.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "data/class_index.h"

typedef struct {
    const dl_dataset *base;
    int64_t size; /* elements of a row of `base` */
    uint64_t seed;
    /* for pairs: */
    int classes;
    dl_class_index by_class; /* of the split */
} targets_state;

/* ---- schemas ---- */

static int set_pair_schema(dl_schema *made, const dl_schema *base, const char *where,
                           dl_error *error) {
    if (!base->classes || base->outputs != 1)
        return dl_fail(error, DL_USAGE,
                       "%s: predict = \"same\" needs one class per row, but the targets are %s",
                       where, base->classes ? "classes per position" : "numbers");
    made->input.dim[0] *= 2;
    made->classes = 2;
    made->class_names = xcalloc(2, sizeof *made->class_names);
    made->class_names[0] = xstrdup("different");
    made->class_names[1] = xstrdup("same");
    return 0;
}

static int set_color_schema(dl_schema *made, const dl_schema *base, const char *where,
                            dl_error *error) {
    char shape[48];
    if (base->input.rank != 3 || base->input.dim[2] != 3)
        return dl_fail(
            error, DL_USAGE,
            "%s: predict = \"color\" needs RGB images, but a sample of this data has shape %s",
            where, dl_shape_text(shape, base->input));
    made->input.dim[2] = 1;
    made->outputs = (int)dl_shape_size(base->input);
    return 0;
}

int dl_targets_schema(dl_schema *made, dl_targets kind, const dl_schema *base, const char *where,
                      dl_error *error) {
    *made = dl_schema_copy(base);
    if (kind == DL_TARGETS_LABEL)
        return 0;
    dl_schema_free_targets(made);
    for (int c = 0; made->class_names && c < made->classes; c++)
        free(made->class_names[c]);
    free(made->class_names);
    made->class_names = NULL;
    made->classes = 0;
    if (kind == DL_TARGETS_SAME)
        return set_pair_schema(made, base, where, error);
    if (kind == DL_TARGETS_COLOR)
        return set_color_schema(made, base, where, error);
    made->outputs = (int)dl_shape_size(base->input);
    return 0;
}

/* ---- rows ---- */

static int read_input(const dl_dataset *made, int64_t i, float *x, float *y, dl_error *error) {
    const targets_state *s = made->state;
    float *first = x ? x : y;
    if (first && dl_dataset_read(s->base, i, first, NULL, error))
        return -1;
    if (x && y)
        memcpy(y, x, sizeof *y * (size_t)s->size);
    return 0;
}

/* x: luma (Rec. ITU-R BT.601), y: red, green, blue. */
static int read_color(const dl_dataset *made, int64_t i, float *x, float *y, dl_error *error) {
    const targets_state *s = made->state;
    float *rgb = y ? y : xmalloc(sizeof *rgb * (size_t)s->size);
    int result = dl_dataset_read(s->base, i, rgb, NULL, error);
    for (int64_t p = 0; !result && x && p < s->size / 3; p++)
        x[p] = 0.299f * rgb[3 * p] + 0.587f * rgb[3 * p + 1] + 0.114f * rgb[3 * p + 2];
    if (!y)
        free(rgb);
    return result;
}

/* The other row of a pair, of the same class or of another one. */
static int64_t choose_partner(const targets_state *s, const uint32_t words[4], int class,
                              bool same) {
    int64_t from = s->by_class.first[class], to = s->by_class.first[class + 1],
            rows = s->by_class.first[s->classes];
    uint64_t chance = (uint64_t)words[1] << 32 | words[2];
    if (same)
        return s->by_class.row[from + (int64_t)(chance % (uint64_t)(to - from))];
    int64_t at = (int64_t)(chance % (uint64_t)(rows - (to - from)));
    return s->by_class.row[at < from ? at : at + to - from];
}

static int read_pair(const dl_dataset *made, int64_t i, float *x, float *y, dl_error *error) {
    const targets_state *s = made->state;
    dl_draw draw = {.seed = s->seed, .purpose = DL_FOR_PAIRS, .step = (uint32_t)i};
    uint32_t words[4];
    float class;
    if (dl_dataset_read(s->base, i, x, &class, error))
        return -1;
    dl_random_words(&draw, 0, words);
    int64_t rows = s->by_class.first[s->classes],
            own = s->by_class.first[(int)class + 1] - s->by_class.first[(int)class];
    bool same = own == rows || words[0] & 1;
    int64_t other = choose_partner(s, words, (int)class, same);
    if (y)
        *y = same;
    return x ? dl_dataset_read(s->base, other, x + s->size, NULL, error) : 0;
}

static void prefetch(const dl_dataset *made, int64_t i) {
    const targets_state *s = made->state;
    if (s->base->type->prefetch)
        s->base->type->prefetch(s->base, i);
}

static void close_targets(dl_dataset *made) {
    targets_state *s = made->state;
    if (!s)
        return;
    dl_class_index_free(&s->by_class);
    free(s);
    made->state = NULL;
}

static const dl_dataset_type input_type = {
    .read = read_input, .prefetch = prefetch, .close = close_targets};
static const dl_dataset_type color_type = {
    .read = read_color, .prefetch = prefetch, .close = close_targets};
static const dl_dataset_type pair_type = {
    .read = read_pair, .prefetch = prefetch, .close = close_targets};

int dl_targets_make(dl_dataset *made, dl_targets kind, const dl_schema *schema,
                    const dl_subset *part, uint64_t seed, dl_error *error) {
    const dl_dataset *base = part->dataset;
    targets_state *s = xcalloc(1, sizeof *s);
    *s = (targets_state){.base = base,
                         .size = dl_shape_size(base->schema.input),
                         .seed = seed,
                         .classes = base->schema.classes};
    static const dl_dataset_type *const types[] = {[DL_TARGETS_INPUT] = &input_type,
                                                   [DL_TARGETS_SAME] = &pair_type,
                                                   [DL_TARGETS_COLOR] = &color_type};
    *made = (dl_dataset){.type = types[kind],
                         .where = base->where,
                         .state = s,
                         .count = base->count,
                         .bytes = base->bytes,
                         .weight = base->weight,
                         .schema = dl_schema_copy(schema)};
    return kind == DL_TARGETS_SAME ? dl_class_index_make(&s->by_class, part, &base->schema, error)
                                   : 0;
}

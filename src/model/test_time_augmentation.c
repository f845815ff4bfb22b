/* SPDX-License-Identifier: MIT */
#include "model/test_time_augmentation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/targets.h"
#include "math/warp.h"

int dl_views_check(const dl_model *model, dl_error *error) {
    const dl_schema *schema = &model->data.schema;
    const char *where = dl_model_where(model, "data.test_time");
    char shape[48];
    if (model->data.augment.test_time == DL_VIEWS_ONE)
        return 0;
    if (schema->input.rank != 3 || model->data.predict == DL_TARGETS_SAME)
        return dl_fail(
            error, DL_USAGE,
            "%s: test_time is for single images, but a sample of these data has shape %s%s", where,
            dl_shape_text(shape, schema->input), schema->input.rank == 3 ? ", a pair of them" : "");
    if (model->positions > 1 || dl_augment_target(schema) != DL_TARGET_GLOBAL)
        return dl_fail(
            error, DL_USAGE,
            "%s: test_time is for a target that describes the whole image, but these data "
            "have %d targets per image",
            where, schema->outputs);
    return 0;
}

void dl_views_open(dl_views *v, const dl_model *model, int kind) {
    static const int counts[] = {1, 2, 5};
    *v = (dl_views){counts[kind], model->data.schema.input, NULL, NULL, NULL};
    if (v->count == 1)
        return;
    size_t size = (size_t)dl_shape_size(v->image), batch = (size_t)model->batch_size;
    v->x = dl_memory_aligned(sizeof *v->x * size * batch);
    v->sum = xmalloc(sizeof *v->sum * batch * (size_t)model->channels);
    v->black = xcalloc(size, sizeof *v->black);
    dl_normalize(&model->data.input, v->black, 1, (int64_t)size);
}

void dl_views_close(dl_views *v) {
    free(v->x);
    free(v->sum);
    free(v->black);
    *v = (dl_views){0};
}

static void mirror(dl_shape image, const float *from, float *to) {
    int width = image.dim[1], channels = image.dim[2];
    for (int64_t i = 0; i < (int64_t)image.dim[0] * width; i++)
        memcpy(to + i * channels, from + (i + width - 1 - 2 * (i % width)) * channels,
               sizeof *to * (size_t)channels);
}

/* Shifts by whole pixels, filled with black or by augment_border. */
static void shift(const dl_views *v, dl_border border, int down, int right, const float *from,
                  float *to) {
    dl_warp warp = {.height = v->image.dim[0],
                    .width = v->image.dim[1],
                    .map = {1, 0, -right, 0, 1, -down},
                    .border = border};
    int channels = v->image.dim[2];
    dl_warp_nearest(&warp, channels, from, to);
    for (int r = 0; r < warp.height && border == DL_BORDER_ZERO; r++)
        for (int s = 0; s < warp.width; s++)
            if (r < down || r >= warp.height + down || s < right || s >= warp.width + right) {
                int64_t at = ((int64_t)r * warp.width + s) * channels;
                memcpy(to + at, v->black + at, sizeof *to * (size_t)channels);
            }
}

/* View `view`, from 1, of all images of the batch. */
static void make_view(const dl_views *v, const dl_model *model, const dl_batch *batch, int view) {
    int64_t size = dl_shape_size(v->image);
    int down = (v->image.dim[0] + 8) / 16, right = (v->image.dim[1] + 8) / 16;
    for (int64_t i = 0; i < batch->count; i++) {
        const float *from = batch->x + i * size;
        float *to = v->x + i * size;
        if (v->count == 2)
            mirror(v->image, from, to);
        else
            shift(v, (dl_border)model->data.augment.border, view > 2 ? down : -down,
                  view % 2 ? right : -right, from, to);
    }
}

/* Whether the probabilities are the softmax of the outputs. */
static bool has_softmax(const dl_model *model) {
    return model->loss->softmax || model->loss->link == DL_SOFTMAX;
}

/* Adds the probabilities (or the outputs) of a row with outputs z[channels] to sum[channels]. */
static void add(const dl_model *model, int64_t channels, const float *z, double *sum) {
    double most = (double)z[0], total = 0;
    for (int64_t j = 0; j < channels; j++)
        most = fmax(most, (double)z[j]);
    for (int64_t j = 0; j < channels; j++)
        total += exp((double)z[j] - most);
    for (int64_t j = 0; j < channels; j++)
        sum[j] += has_softmax(model)                ? exp((double)z[j] - most) / total
                  : model->loss->link == DL_SIGMOID ? 1 / (1 + exp(-(double)z[j]))
                                                    : (double)z[j];
}

/* ln p, bounded below; NaN stays NaN. */
static double bounded_log(double p) {
    return p < 1e-300 ? log(1e-300) : log(p);
}

/* The output whose probability is the mean. */
static float invert_link(const dl_model *model, double mean) {
    if (has_softmax(model))
        return (float)bounded_log(mean);
    if (model->loss->link == DL_SIGMOID)
        return (float)(bounded_log(mean) - log(mean < 1 ? 1 - mean : 1e-16));
    return (float)mean;
}

void dl_views_forward(dl_views *v, dl_model *model, const dl_batch *batch) {
    dl_pass pass = {.batch = (int)batch->count, .carry = true};
    dl_net_forward(&model->net, batch->x, &pass);
    if (v->count == 1)
        return;
    float *output = dl_net_output(&model->net)->value;
    int64_t channels = model->channels, size = batch->count * channels;
    memset(v->sum, 0, sizeof *v->sum * (size_t)size);
    for (int view = 0; view < v->count; view++) {
        if (view) {
            make_view(v, model, batch, view);
            dl_net_forward(&model->net, v->x, &pass);
        }
        for (int64_t i = 0; i < batch->count; i++)
            add(model, channels, output + i * channels, v->sum + i * channels);
    }
    for (int64_t i = 0; i < size; i++)
        output[i] = invert_link(model, v->sum[i] / v->count);
}

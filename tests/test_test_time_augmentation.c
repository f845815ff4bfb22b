/* SPDX-License-Identifier: MIT */
/* The loss of mixed images with two targets, and test-time augmentation. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/evaluate.h"
#include "model/test_time_augmentation.h"
#include "train/experiment.h"

typedef struct {
    dl_config config;
    dl_experiment e;
    dl_error error;
} whole;

#define NET "network = ( { layer = \"dense\"; units = 3; } );"
#define DATA(more)                                                                                 \
    "data = { format = \"random\"; input = (32, 16, 2); train = { rows = 12; }; " more "};"
#define CLASSES "loss = { type = \"softmax_cross_entropy\"; };"

static void open_whole(whole *w, const char *text, bool training) {
    *w = (whole){0};
    w->e.model.batch_size = 4;
    if (dl_config_parse(&w->config, "test.cfg", text, &w->error) ||
        dl_experiment_read(&w->e, &w->config, &w->error) ||
        dl_data_open(&w->e.model.data, &w->error) ||
        dl_model_build(&w->e.model, training, 2, &w->error))
        fail_msg("%s", dl_text_get(&w->error.text));
    dl_net_initialize(&w->e.model.net, 3);
}

static void close_whole(whole *w) {
    dl_experiment_free(&w->e);
    dl_config_free(&w->config);
    dl_error_clear(&w->error);
}

static double log_sum(const float *z) {
    return log(exp((double)z[0]) + exp((double)z[1]) + exp((double)z[2]));
}

/* L = share (ln sum - z_y) + (1 - share) (ln sum - z_other), its gradient p - q, by the rows. */
static void test_two_targets(void **state) {
    (void)state;
    enum { ROWS = 4, SIZE = 32 * 16 * 2 };
    whole w;
    open_whole(&w, DATA("classes = 3; augment = ( { type = \"mixup\"; } );") NET CLASSES, true);
    float x[ROWS * SIZE], y[ROWS] = {0, 2, 1, 1}, other[ROWS] = {1, 0, 1, 2};
    float share[ROWS] = {0.5f, 0.75f, 0.625f, 1};
    harness_fill(x, ROWS * SIZE, 1);
    dl_batch batch = {.x = x, .y = y, .share = share, .other = other, .count = ROWS};
    dl_pass pass = {.batch = ROWS, .training = true};
    dl_net_forward(&w.e.model.net, x, &pass);
    dl_losses losses = dl_loss_backward(&w.e.model, &batch);
    double wanted = 0;
    const dl_tensor *out = dl_net_output(&w.e.model.net);
    for (int i = 0; i < ROWS; i++) {
        const float *z = out->value + 3 * i;
        double q[3] = {0}, sum = log_sum(z);
        q[(int)y[i]] += (double)share[i];
        q[(int)other[i]] += 1 - (double)share[i];
        for (int j = 0; j < 3; j++) {
            wanted += q[j] * (sum - (double)z[j]) / ROWS;
            assert_true(fabs((double)out->grad[3 * i + j] -
                             (exp((double)z[j] - sum) - q[j]) / ROWS) < 1e-6);
        }
    }
    assert_true(fabs(dl_loss_mean(&losses.net) - wanted) < 1e-5);
    close_whole(&w);
}

/* View `view` of x[32][16][2], pixel by pixel. */
static void make_view(const dl_data *data, int views, int view, const float *x, float *to) {
    for (int r = 0; r < 32; r++)
        for (int s = 0; s < 16; s++)
            for (int c = 0; c < 2; c++) {
                int row = r, column = s;
                if (view && views == 2)
                    column = 15 - s;
                else if (view) { /* two pixels of 32 and one of 16 */
                    row += view > 2 ? -2 : 2;
                    column += view % 2 ? -1 : 1;
                }
                bool outside = row < 0 || row > 31 || column < 0 || column > 15;
                to[(r * 16 + s) * 2 + c] = outside ? -data->input.shift[c] * data->input.scale[c]
                                                   : x[(row * 16 + column) * 2 + c];
            }
}

/* The output for a batch against the mean over separate runs of the views. */
static void check_views(const char *text, int views, int kind) {
    enum { ROWS = 4, SIZE = 32 * 16 * 2 };
    whole w;
    open_whole(&w, text, false);
    int64_t channels = w.e.model.channels;
    float x[ROWS * SIZE], seen[ROWS * SIZE];
    double mean[ROWS * 3] = {0};
    harness_fill(x, ROWS * SIZE, 2);
    dl_pass pass = {.batch = ROWS};
    const float *z = dl_net_output(&w.e.model.net)->value;
    for (int view = 0; view < views; view++) {
        for (int i = 0; i < ROWS; i++)
            make_view(&w.e.model.data, views, view, x + i * SIZE, seen + i * SIZE);
        dl_net_forward(&w.e.model.net, seen, &pass);
        for (int64_t i = 0; i < ROWS * channels; i++)
            mean[i] += (kind == 2   ? exp((double)z[i] - log_sum(z + i / 3 * 3))
                        : kind == 1 ? 1 / (1 + exp(-(double)z[i]))
                                    : (double)z[i]) /
                       views;
    }
    dl_views v;
    dl_batch batch = {.x = x, .count = ROWS};
    dl_views_open(&v, &w.e.model, w.e.model.data.augment.test_time);
    assert_int_equal(v.count, views);
    dl_views_forward(&v, &w.e.model, &batch);
    for (int64_t i = 0; i < ROWS * channels; i++) {
        double wanted = kind == 2   ? log(mean[i])
                        : kind == 1 ? log(mean[i] / (1 - mean[i]))
                                    : mean[i];
        if (!(fabs((double)z[i] - wanted) < 1e-4))
            fail_msg("%g, not %g", (double)z[i], wanted);
    }
    dl_views_close(&v);
    close_whole(&w);
}

static void test_views(void **state) {
    (void)state;
    check_views(DATA("classes = 3; normalize = \"mean_std\";") NET CLASSES, 1,
                0); /* a single view */
    check_views(DATA("classes = 3; test_time = \"flip\";") NET CLASSES, 2, 2);
    check_views(DATA("classes = 3; normalize = \"mean_std\"; test_time = \"five_crop\";")
                    NET CLASSES,
                5, 2);
    check_views(
        DATA(
            "classes = 2; test_time = \"flip\";") "network = ( { layer = \"dense\"; units = 1; } );"
                                                  "loss = { type = \"binary_cross_entropy\"; };",
        2, 1);
    check_views(DATA("outputs = 3; test_time = \"flip\";") NET "loss = { type = \"mse\"; };", 2, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_targets),
        cmocka_unit_test(test_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

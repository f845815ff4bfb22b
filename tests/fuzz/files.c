/* SPDX-License-Identifier: MIT */
/* Pictures, configs, checkpoints and histories. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "convert/convert.h"
#include "fuzz.h"
#include "image/image.h"
#include "inspect/diagnose.h"
#include "run/stored_weights.h"
#include "train/training_state.h"

/* ---- pictures ---- */

/* An input's first byte is the form: bit 0 colour, bit 1 class numbers, bits 2 and 3 how it is
   resized, bits 4 to 7 the height and the width; the rest is the file. */
void fuzz_image(const uint8_t *input, size_t count) {
    if (!count)
        return;
    int form_bits = input[0], height = 0, width = 0;
    const char *why = NULL;
    uint8_t *bytes =
        memcpy(xmalloc(count - 1), input + 1, count - 1); /* ends where the file does */
    int result = dl_image_size(bytes, (int64_t)count - 1, &height, &width, &why);
    if (result ? !why : height < 1 || width < 1)
        fuzz_finding("the size of a picture", NULL);
    dl_image_form form = {.resize = (dl_image_resize)(form_bits >> 2 & 3),
                          .labels = form_bits >> 1 & 1};
    if (form.resize != DL_IMAGE_EXACT || result)
        height = 1 + 3 * (form_bits >> 4 & 3), width = 1 + 3 * (form_bits >> 6 & 3);
    form.shape = dl_shape3(height, width, form.labels || !(form_bits & 1) ? 1 : 3);
    unsigned char *pixels = xmalloc((size_t)dl_shape_size(form.shape));
    why = NULL;
    if (dl_image_read(bytes, (int64_t)count - 1, &form, pixels, &why) ? !why : result != 0)
        fuzz_finding("a picture that is read but has no size, or is refused without a word", NULL);
    free(pixels);
    free(bytes);
}

/* ---- configs ---- */

/* The tree is written out, and what is written reads back as the same. */
static void check_dump(dl_config *config) {
    dl_config again = {0};
    dl_error error = {0};
    dl_text first = {0}, second = {0};
    dl_config_dump(config, &first);
    if (dl_config_parse(&again, "again.cfg", first.data, &error))
        fuzz_finding("a config that was written out cannot be read", &error);
    dl_config_dump(&again, &second);
    if (strcmp(first.data, second.data))
        fuzz_finding("a config that was written out reads as another", NULL);
    dl_config_free(&again);
    dl_text_free(&first);
    dl_text_free(&second);
}

void fuzz_config(const uint8_t *input, size_t count) {
    dl_config config = {0};
    dl_experiment experiment = {0};
    dl_error error = {0};
    fuzz_save("c.cfg", input, count);
    char *path = fuzz_path("c.cfg");
    int result = dl_config_load(&config, path, &error);
    if (!result)
        result = dl_experiment_read(&experiment, &config, &error);
    if (!result)
        check_dump(&config);
    dl_error_sort(&error);
    fuzz_check(result, &error);
    dl_experiment_free(&experiment);
    dl_config_free(&config);
    free(path);
}

/* ---- checkpoints ---- */

/* The experiment that a checkpoint of the corpus belongs to. It has no files. */
static const char of_checkpoints[] =
    "name = \"f\"; data = { format = \"random\"; train = { input = [3]; classes = 2; rows = 8; }; "
    "validation = 0.25; };"
    "network = ({ layer = \"dense\"; units = 2; }, { layer = \"batch_norm\"; },"
    " { layer = \"dense\"; units = 2; });"
    "optimizer = { type = \"adam\"; schedule = { type = \"plateau\"; }; };"
    "training = { batch_size = 2; metrics = (\"accuracy\"); };"
    "regularization = { average = { type = \"ema\"; }; }; loss = { type = "
    "\"softmax_cross_entropy\"; };";

typedef struct {
    dl_config config;
    dl_experiment experiment;
    dl_optimizer_state optimizer_state;
    dl_progress progress;
    dl_average average;
} resumed;

/* Made once; it lives as long as the program. */
static resumed *resumed_experiment(void) {
    static resumed *r;
    dl_error error = {0};
    if (r)
        return r;
    r = xcalloc(1, sizeof *r);
    dl_experiment *e = &r->experiment;
    if (dl_config_parse(&r->config, "f.cfg", of_checkpoints, &error) ||
        dl_experiment_read(e, &r->config, &error) || dl_data_open(&e->model.data, &error) ||
        dl_experiment_build(e, 1, &error))
        fuzz_finding("the target's own config", &error);
    r->optimizer_state.vector_count = e->optimizer->first_order->vectors(e->optimizer_self);
    for (int v = 0; v < r->optimizer_state.vector_count; v++)
        r->optimizer_state.vectors[v] =
            dl_memory_aligned(sizeof(float) * (size_t)e->model.net.weight_count);
    dl_average_open(&r->average, e);
    dl_metric_sums_open(&r->progress.sums, &e->model, false);
    return r;
}

/* Puts the right checksum where one stands, so that what is behind it is reached. */
static void mend_checksum(uint8_t *bytes, size_t count) {
    static const char key[] = "\"checksum\":\"";
    uint8_t *at = memmem(bytes, count, key, sizeof key - 1);
    if (!at || (size_t)(bytes + count - at) < sizeof key - 1 + 8)
        return;
    at += sizeof key - 1;
    memset(at, '0', 8);
    char digits[16];
    snprintf(digits, sizeof digits, "%08x", (unsigned)crc32_z(crc32_z(0, NULL, 0), bytes, count));
    memcpy(at, digits, 8);
}

static const char *same_name(void *context, const char *layer) {
    (void)context;
    return layer;
}

/* Into the net, in the layout of each program, as init_from and dlconvert do. */
static void take_weights(const dl_safetensors *file) {
    const dl_net *net = &resumed_experiment()->experiment.model.net;
    dl_stored_weights stored = {0};
    const char *ambiguous;
    dl_stored_from_safetensors(&stored, file);
    dl_stored_find_layout(&stored, net, same_name, NULL, &ambiguous);
    for (int layout = DL_LAYOUT_DLTRAIN; layout <= DL_LAYOUT_KERAS; layout++) {
        dl_weight_layout w;
        dl_weight_layout_open(&w, net, layout);
        for (int i = 0; i < net->layer_count; i++)
            for (int p = 0; p < net->layers[i].param_count; p++) {
                const dl_layer *l = &net->layers[i];
                dl_text why = {0};
                dl_error error = {0};
                int taken = dl_stored_read(&stored, &w, l, &l->params[p], l->name, &why, &error);
                fuzz_check(taken < 0 ? -1 : 0, &error);
                dl_text_free(&why);
            }
        dl_weight_layout_free(&w);
    }
    dl_stored_free(&stored);
}

/* All tensors, as vectors. */
static void take_all(const dl_safetensors *file) {
    const char *name;
    json_t *entry;
    json_object_foreach(file->header, name, entry) {
        dl_text why = {0};
        dl_error error = {0};
        float values[16];
        double doubles[4];
        dl_safetensors_add_shape(file, name, &why);
        int64_t numbers = dl_safetensors_count(file, name);
        if (numbers > file->size)
            fuzz_finding("a tensor that is larger than its file", NULL);
        fuzz_check(dl_safetensors_read(file, name, dl_shape2(2, 2), values, &error), &error);
        fuzz_check(dl_safetensors_read_doubles(file, name, 4, doubles, &error), &error);
        dl_text_free(&why);
    }
    take_weights(file);
}

static void resume(const dl_checkpoint *c) {
    resumed *r = resumed_experiment();
    dl_error error = {0};
    fuzz_check(dl_checkpoint_load_net(c, &r->experiment.model.net, &error), &error);
    dl_training_state state = {&r->progress, &r->optimizer_state, &r->average};
    r->average.in_net = false;
    fuzz_check(dl_training_state_load(&state, &r->experiment, c, &error), &error);
    fuzz_check(dl_checkpoint_load_carried(c, &r->experiment.model.net, &error), &error);
}

void fuzz_checkpoint(const uint8_t *input, size_t count) {
    dl_safetensors file = {0};
    dl_checkpoint checkpoint = {0};
    dl_error error = {0};
    char *path = fuzz_path("c.safetensors");
    uint8_t *bytes = memcpy(xmalloc(count), input, count);
    mend_checksum(bytes, count);
    fuzz_save("c.safetensors", bytes, count);
    int result = dl_safetensors_open_foreign(&file, path, &error);
    if (!result)
        take_all(&file);
    fuzz_check(result, &error);
    dl_safetensors_close(&file);
    result = dl_checkpoint_open(&checkpoint, path, &error);
    if (!result)
        resume(&checkpoint);
    fuzz_check(result, &error);
    dl_checkpoint_close(&checkpoint);
    free(bytes);
    free(path);
}

/* ---- histories ---- */

void fuzz_history(const uint8_t *input, size_t count) {
    dl_symptoms symptoms = {0};
    dl_diagnosis diagnoses[DL_DIAGNOSES];
    dl_error error = {0};
    fuzz_save("history.csv", input, count);
    char *path = fuzz_path("history.csv");
    int result = dl_symptoms_read(&symptoms, path, &error);
    if (!result && dl_diagnose(&symptoms, diagnoses) < 1)
        fuzz_finding("no diagnosis", NULL);
    fuzz_check(result, &error);
    dl_symptoms_free(&symptoms);
    free(path);
}

/* ---- weights ---- */

/* Every tensor that is listed can be read whole. */
static void load_weights(const char *format, const char *name, const uint8_t *input, size_t count) {
    dl_stored_weights stored = {0};
    dl_error error = {0};
    fuzz_save(name, input, count);
    char *path = fuzz_path(name);
    for (int i = 0; dl_foreign_formats[i]; i++)
        if (!strcmp(dl_foreign_formats[i]->name, format))
            fuzz_check(dl_foreign_formats[i]->load(&stored, path, &error), &error);
    double sum = 0;
    for (int i = 0; i < stored.count; i++)
        for (int64_t k = 0; k < dl_shape_size(stored.items[i].shape); k++) {
            float value;
            memcpy(&value, stored.items[i].bytes + k * (int64_t)sizeof value, sizeof value);
            sum += value;
        }
    if (fuzz_verbose)
        fprintf(stderr, "  %d tensors, sum %g\n", stored.count, sum);
    dl_stored_free(&stored);
    free(path);
}

void fuzz_weights_csv(const uint8_t *input, size_t count) {
    load_weights("csv", "weights.csv", input, count);
}

void fuzz_weights_npz(const uint8_t *input, size_t count) {
    load_weights("npz", "weights.npz", input, count);
}

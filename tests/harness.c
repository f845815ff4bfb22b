/* SPDX-License-Identifier: MIT */
#include "harness.h"
#include "math/threads.h"

bool harness_open(harness *h, const char *layers, dl_shape input, int batch, bool training,
                  int threads) {
    *h = (harness){0};
    dl_threads_set(threads);
    dl_text text = {0};
    dl_text_add(&text, "network = ( %s );", layers);
    bool good = !dl_config_parse(&h->config, "test.cfg", text.data, &h->error) &&
                !dl_net_read(&h->net, &h->config, &h->error) &&
                !dl_net_build(&h->net, input, batch, training, threads, &h->error);
    dl_text_free(&text);
    return good;
}

void harness_close(harness *h) {
    dl_net_free(&h->net);
    dl_config_free(&h->config);
    dl_error_clear(&h->error);
}

void harness_probe(dl_text *layers, dl_shape input) {
    int channels = dl_shape_channels(input);
    if (input.rank == 3)
        dl_text_add(layers,
                    "{ layer = \"conv2d\"; name = \"probe\"; filters = %d; kernel = 1; "
                    "bias = false; }, ",
                    channels);
    else
        dl_text_add(layers, "{ layer = \"dense\"; name = \"probe\"; units = %d; bias = false; }, ",
                    channels);
}

void harness_identity(dl_net *net) {
    dl_param *weight = &net->layers[0].params[0];
    int channels = dl_shape_channels(weight->shape);
    for (int64_t i = 0; i < weight->count; i++)
        weight->value[i] = i / channels == i % channels;
}

void harness_fill(float *x, int64_t count, uint16_t stream) {
    dl_draw draw = {99, DL_FOR_TEST, stream, 0, 0};
    dl_random_normal(&draw, 0, count, x);
}

void *harness_options(const dl_kind *kind, dl_config *config, const char *options) {
    dl_error error = {0};
    void *self = xcalloc(1, kind->size);
    dl_table table = {kind->options, self};
    if (dl_config_parse(config, "test.cfg", options, &error) ||
        dl_config_read(config, config_root_setting(&config->tree), NULL, kind->name, &table, 1,
                       &error))
        fail_msg("%s: %s: %s", kind->name, options, dl_text_get(&error.text));
    dl_error_clear(&error);
    return self;
}

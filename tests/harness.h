/* SPDX-License-Identifier: MIT */
/* What several tests need: a net from a line of config. */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/net.h"

typedef struct {
    dl_config config;
    dl_net net;
    dl_error error;
} harness;

/* Builds `network = ( layers );` for that many threads, which become OpenMP's. False, with
   h->error, if it cannot. harness_close is fine after either. */
bool harness_open(harness *h, const char *layers, dl_shape input, int batch, bool training,
                  int threads);
void harness_close(harness *h);

/* A first layer (behind it, for a sequence, a view) that hands its input on unchanged once
   harness_identity has set its weights, and that makes the next layer work out the gradient of its
   input. */
void harness_probe(dl_text *layers, dl_shape input);
void harness_identity(dl_net *net);

/* The struct of a kind, filled from its options as they stand in a config; free it, and the config.
 */
void *harness_options(const dl_kind *kind, dl_config *config, const char *options);

/* x[count] = standard normal numbers, the same for the same stream. */
void harness_fill(float *x, int64_t count, uint16_t stream);

#endif

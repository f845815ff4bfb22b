/* SPDX-License-Identifier: MIT */
/* One augmentation with its options, for its tests. */
#ifndef TESTS_AUGMENT_HARNESS_H
#define TESTS_AUGMENT_HARNESS_H

#include "harness.h"

#include <stdlib.h>

#include "data/augment.h"

static const dl_draw DRAW = {.seed = 5, .purpose = DL_FOR_AUGMENT, .stream = 2, .epoch = 3};

/* An augmentation of its own, with options as in a config. */
typedef struct {
    const dl_augmentation_type *type;
    void *self;
    dl_config config;
} one;

static inline one open_one(const char *name, const char *text) {
    one o;
    o.type = (const dl_augmentation_type *)dl_registry_find(&dl_augmentation_registry, name);
    assert_non_null(o.type);
    o.self = harness_options(&o.type->kind, &o.config, text);
    return o;
}

static inline void close_one(one *o) {
    free(o->self);
    dl_config_free(&o->config);
}

#endif

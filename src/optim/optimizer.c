/* SPDX-License-Identifier: MIT */
#include "optim/optimizer.h"

enum { CHUNK = 16 * 1024 };

static int64_t chunks_of(const dl_span *span) {
    return (span->count + CHUNK - 1) / CHUNK;
}

static dl_chunk chunk_of(const dl_objective *o, const dl_span *span, int64_t number) {
    int64_t first = span->first + number * CHUNK, end = span->first + span->count;
    int64_t count = end - first < CHUNK ? end - first : CHUNK;
    return (dl_chunk){o->weight + first, o->gradient + first, first, count, o->scale, span->l1,
                      span->l2,          span->decays};
}

void dl_objective_each(const dl_objective *o,
                       void (*work)(const void *context, const dl_chunk *chunk),
                       const void *context) {
    int64_t total = 0;
    for (int s = 0; s < o->span_count; s++)
        total += chunks_of(&o->spans[s]);
#pragma omp parallel for schedule(static) if (total > 1)
    for (int64_t i = 0; i < total; i++) {
        int64_t number = i;
        const dl_span *span = o->spans;
        while (number >= chunks_of(span))
            number -= chunks_of(span++);
        dl_chunk chunk = chunk_of(o, span, number);
        work(context, &chunk);
    }
}

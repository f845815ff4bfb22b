/* SPDX-License-Identifier: MIT */
#include "optim/optimizer.h"

enum { PIECE = 16 * 1024 };

static int64_t pieces_of(const dl_span *span) {
    return (span->count + PIECE - 1) / PIECE;
}

static dl_chunk cut(const dl_objective *o, const dl_span *span, int64_t number) {
    int64_t first = span->first + number * PIECE, end = span->first + span->count;
    int64_t count = end - first < PIECE ? end - first : PIECE;
    return (dl_chunk){o->weight + first, o->gradient + first, first, count, o->scale, span->l1,
                      span->l2,          span->decays};
}

void dl_objective_each(const dl_objective *o,
                       void (*work)(const void *context, const dl_chunk *piece),
                       const void *context) {
    int64_t total = 0;
    for (int s = 0; s < o->span_count; s++)
        total += pieces_of(&o->spans[s]);
#pragma omp parallel for schedule(static) if (total > 1)
    for (int64_t i = 0; i < total; i++) {
        int64_t number = i;
        const dl_span *span = o->spans;
        while (number >= pieces_of(span))
            number -= pieces_of(span++);
        dl_chunk piece = cut(o, span, number);
        work(context, &piece);
    }
}

/* SPDX-License-Identifier: MIT */
/* Texts: finds held-out samples that occur anywhere in the training text. Consecutive samples
   continue each other, so the text is the concatenation of their targets; a rolling hash of T
   symbols of the training text,

       h(i + 1) = (h(i) - s(i) b^(T-1)) b + s(i + T)      (Karp and Rabin, 1987; modulo 2^64)

   is looked up among the hashes of the held-out samples. */
#include <stdlib.h>

#include "base/memory.h"
#include "data/targets.h"
#include "inspect/data_check.h"

static const uint64_t BASE = 0x9E3779B97F4A7C15u;
enum { SHORTEST = 16 }; /* symbols: shorter passages repeat by chance */

static uint64_t code(uint16_t symbol) {
    return ((uint64_t)symbol + 1) * 0xC2B2AE3D27D4EB4Fu;
}

static uint64_t sum_of(const uint16_t *symbols, int64_t length) {
    uint64_t sum = 0;
    for (int64_t i = 0; i < length; i++)
        sum = sum * BASE + code(symbols[i]);
    return sum;
}

static int by_sum(const void *a, const void *b) {
    uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;
    return (p > q) - (p < q);
}

/* The symbols of a part: out[count · length]. 0, or -1 if some are unreadable. */
static int read_symbols(const dl_data *data, int part, int64_t length, uint16_t *out) {
    const dl_dataset *files = dl_check_files(data, part);
    const dl_subset *rows = &data->part[part];
    float *y = xmalloc(sizeof *y * (size_t)length);
    int result = 0;
    for (int64_t i = 0; i < rows->count && !result; i++) {
        dl_error ignored = {0};
        result = dl_dataset_read(files, rows->index[i], NULL, y, &ignored);
        for (int64_t k = 0; k < length && !result; k++)
            out[i * length + k] = (uint16_t)y[k];
        dl_error_clear(&ignored);
    }
    free(y);
    return result;
}

typedef struct {
    uint64_t sum;
    int64_t row;
    bool found;
} passage;

/* Marks the passages with this hash. */
static void mark(passage *sorted, int64_t count, uint64_t sum) {
    passage *one = bsearch(&sum, sorted, (size_t)count, sizeof *sorted, by_sum);
    while (one && one > sorted && one[-1].sum == sum)
        one--;
    for (; one && one < sorted + count && one->sum == sum && !one->found; one++)
        one->found = true;
}

static void roll(const dl_subset *rows, const uint16_t *text, int64_t length, passage *sorted,
                 int64_t count) {
    uint64_t first = 1;
    for (int64_t i = 1; i < length; i++)
        first *= BASE;
    for (int64_t from = 0, to; from < rows->count; from = to) {
        for (to = from + 1; to < rows->count && rows->index[to] == rows->index[to - 1] + 1;)
            to++;
        const uint16_t *at = text + from * length, *end = text + to * length - length;
        uint64_t sum = sum_of(at, length);
        mark(sorted, count, sum);
        for (; at < end; at++) {
            sum = (sum - code(at[0]) * first) * BASE + code(at[length]);
            mark(sorted, count, sum);
        }
    }
}

void dl_check_passages(dl_findings *f, const dl_data *data) {
    const dl_dataset *files = &data->dataset[DL_TRAIN];
    const dl_subset *train = &data->part[DL_TRAIN];
    int64_t length = data->base.outputs;
    if (!files->ordered || data->predict != DL_TARGETS_LABEL || !data->base.classes ||
        length < SHORTEST || !train->count)
        return;
    uint16_t *text = xmalloc(sizeof *text * (size_t)(train->count * length));
    bool readable = !read_symbols(data, DL_TRAIN, length, text);
    for (int part = DL_TRAIN + 1; part < DL_SPLITS && readable; part++) {
        int64_t count = data->part[part].count, found = 0, row = 0;
        uint16_t *held = xmalloc(sizeof *held * (size_t)(count * length + 1));
        passage *sorted = xcalloc((size_t)count + 1, sizeof *sorted);
        readable = !read_symbols(data, part, length, held);
        for (int64_t i = 0; i < count; i++)
            sorted[i] = (passage){sum_of(held + i * length, length), i, false};
        qsort(sorted, (size_t)count, sizeof *sorted, by_sum);
        if (readable && count)
            roll(train, text, length, sorted, count);
        for (int64_t i = 0; i < count; i++)
            if (sorted[i].found && (!found++ || sorted[i].row < row))
                row = sorted[i].row;
        if (found)
            dl_finding_add(f, "passages_across", true, found,
                           "%s: %lld of %lld samples, of %lld symbols, occur in the training text: "
                           "row %lld",
                           dl_split_names[part], (long long)found, (long long)count,
                           (long long)length, (long long)data->part[part].index[row]);
        free(held);
        free(sorted);
    }
    free(text);
}

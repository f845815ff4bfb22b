/* SPDX-License-Identifier: MIT */
#include "math/tsne_tree.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

enum { DEPTH = 32 }; /* points that are still in one cell are taken for one */

static const float THETA = 0.5f;

typedef struct {
    float x, y, half; /* center and half the width */
} cell;

static int32_t new_node(dl_tree *t) {
    if (t->nodes == t->capacity) {
        t->capacity = 2 * t->capacity + 1024;
        t->node = xrealloc(t->node, sizeof *t->node * (size_t)t->capacity);
    }
    return (int32_t)t->nodes++;
}

static int quadrant(const cell *c, float x, float y) {
    return (x >= c->x) + 2 * (y >= c->y);
}

/* Moves the points of quadrants below q to the front; returns their end. */
static int64_t divide(const dl_tree *t, const float *map, int64_t points, const cell *c, int q,
                      int64_t first, int64_t last) {
    int64_t end = first;
    for (int64_t i = first; i < last; i++) {
        int32_t point = t->order[i];
        if (quadrant(c, map[point], map[points + point]) < q) {
            t->order[i] = t->order[end];
            t->order[end++] = point;
        }
    }
    return end;
}

static void build(dl_tree *t, const float *map, int64_t points, cell c, int depth, int64_t first,
                  int64_t last) {
    int32_t at = new_node(t);
    double x = 0, y = 0;
    for (int64_t i = first; i < last; i++) {
        x += (double)map[t->order[i]];
        y += (double)map[points + t->order[i]];
    }
    int32_t count = (int32_t)(last - first);
    for (int q = 1; q <= 4 && count > 1 && depth < DEPTH; q++) {
        int64_t end = q < 4 ? divide(t, map, points, &c, q, first, last) : last;
        float half = c.half / 2;
        cell part = {c.x + (q & 1 ? -half : half), c.y + (q > 2 ? half : -half), half};
        if (end > first)
            build(t, map, points, part, depth + 1, first, end);
        first = end;
    }
    t->node[at] = (dl_tree_node){(float)(x / count), (float)(y / count), 4 * c.half * c.half, count,
                                 (int32_t)t->nodes};
}

void dl_tree_build(dl_tree *t, const float *map, int64_t points) {
    float low[2] = {map[0], map[points]}, high[2] = {map[0], map[points]};
    if (!t->order)
        t->order = xmalloc(sizeof *t->order * (size_t)points);
    for (int64_t i = 0; i < points; i++) {
        t->order[i] = (int32_t)i;
        for (int axis = 0; axis < 2; axis++) {
            low[axis] = fminf(low[axis], map[axis * points + i]);
            high[axis] = fmaxf(high[axis], map[axis * points + i]);
        }
    }
    t->nodes = 0;
    float half = fmaxf(high[0] - low[0], high[1] - low[1]) / 2;
    build(t, map, points, (cell){(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, half}, 0, 0,
          points);
}

double dl_tree_repel(const dl_tree *t, float x, float y, double out[2]) {
    double sum = 0;
    out[0] = out[1] = 0;
    for (int64_t i = 0; i < t->nodes;) {
        const dl_tree_node *n = &t->node[i];
        float dx = x - n->x, dy = y - n->y, square = dx * dx + dy * dy;
        bool is_leaf = n->next == i + 1;
        if (!is_leaf && n->square >= THETA * THETA * square) {
            i++;
            continue;
        }
        float w = 1 / (1 + square);
        sum += (double)(w * (float)n->count);
        out[0] += (double)(w * w * (float)n->count * dx);
        out[1] += (double)(w * w * (float)n->count * dy);
        i = n->next;
    }
    return sum;
}

void dl_tree_free(dl_tree *t) {
    free(t->node);
    free(t->order);
    *t = (dl_tree){0};
}

/* SPDX-License-Identifier: MIT */
/* Axes of ONNX values as parts of the axes of layers. */
#include <string.h>

#include "convert/onnx_import.h"

static int first_of(const dl_onnx_view *v, int axis) {
    return axis ? v->end[axis - 1] : 0;
}

dl_onnx_view dl_onnx_view_of(int rank, const int64_t *dims, const int *places) {
    dl_onnx_view v = {.rank = rank};
    for (int i = 0; i < rank; i++) {
        v.dim[i] = dims[i];
        if (dims[i] > 1 || !places[i])
            v.atom[v.atoms++] = (dl_onnx_atom){dims[i], places[i]};
        v.end[i] = v.atoms;
    }
    return v;
}

void dl_onnx_view_permute(dl_onnx_view *v, const int64_t *order) {
    const dl_onnx_view old = *v;
    v->atoms = 0;
    for (int i = 0; i < v->rank; i++) {
        int axis = (int)order[i];
        for (int a = first_of(&old, axis); a < old.end[axis]; a++)
            v->atom[v->atoms++] = old.atom[a];
        v->dim[i] = old.dim[axis];
        v->end[i] = v->atoms;
    }
}

/* Splits atom a, of size s, into s / inner and inner. */
static bool split(dl_onnx_view *v, int a, int64_t inner) {
    if (v->atoms == DL_ONNX_MAX_ATOMS || !v->atom[a].place)
        return false;
    int place = v->atom[a].place;
    for (int i = 0; i < v->atoms; i++)
        v->atom[i].place += v->atom[i].place > place;
    memmove(v->atom + a + 1, v->atom + a, sizeof *v->atom * (size_t)(v->atoms - a));
    v->atoms++;
    v->atom[a].size /= inner;
    v->atom[a + 1] = (dl_onnx_atom){inner, place + 1};
    return true;
}

/* Whether atom b follows atom a in memory directly. */
static bool adjacent(const dl_onnx_view *v, int a, int b) {
    int next = -1;
    for (int i = 0; i < v->atoms; i++)
        if (v->atom[i].place > v->atom[a].place &&
            (next < 0 || v->atom[i].place < v->atom[next].place))
            next = i;
    return v->atom[a].place && next == b;
}

/* Joins neighbors that are neighbors in memory, too; `within`: of one axis only. */
static void join(dl_onnx_view *v, bool within) {
    for (int a = 0; a + 1 < v->atoms;) {
        bool border = false;
        for (int i = 0; i < v->rank; i++)
            border |= v->end[i] == a + 1;
        if ((within && border) || !adjacent(v, a, a + 1)) {
            a++;
            continue;
        }
        v->atom[a].size *= v->atom[a + 1].size;
        memmove(v->atom + a + 1, v->atom + a + 2, sizeof *v->atom * (size_t)(v->atoms - a - 2));
        v->atoms--;
        for (int i = 0; i < v->rank; i++)
            v->end[i] -= v->end[i] > a + 1 || (!within && v->end[i] == a + 1);
    }
}

bool dl_onnx_view_reshape(dl_onnx_view *view, int rank, const int64_t *dims) {
    dl_onnx_view v = *view;
    join(&v, false);
    int a = 0;
    for (int i = 0; i < rank; i++) {
        int64_t left = dims[i];
        /* the batch belongs to the first axis that has its size */
        while (a < v.atoms && (left > 1 || (!v.atom[a].place && v.atom[a].size == left))) {
            int64_t size = v.atom[a].size;
            if (left % size == 0)
                left /= size;
            else if (size % left == 0 && split(&v, a, size / left))
                left = 1;
            else
                return false;
            a++;
        }
        if (left != 1)
            return false;
        v.dim[i] = dims[i];
        v.end[i] = a;
    }
    v.rank = rank;
    if (a < v.atoms)
        return false;
    join(&v, true);
    *view = v;
    return true;
}

bool dl_onnx_view_same(const dl_onnx_view *a, const dl_onnx_view *b) {
    dl_onnx_view x = *a, y = *b;
    if (x.rank != y.rank || memcmp(x.dim, y.dim, sizeof *x.dim * (size_t)x.rank))
        return false;
    join(&x, false);
    join(&y, false);
    bool same = x.atoms == y.atoms;
    for (int i = 0; same && i < x.atoms; i++) {
        int before[2] = {0, 0};
        for (int k = 0; k < x.atoms; k++) {
            before[0] += x.atom[k].place < x.atom[i].place;
            before[1] += y.atom[k].place < y.atom[i].place;
        }
        same = x.atom[i].size == y.atom[i].size && before[0] == before[1] &&
               !x.atom[i].place == !y.atom[i].place;
    }
    return same;
}

bool dl_onnx_view_is(const dl_onnx_view *view, const int *order) {
    int last = -1;
    for (int i = 0; i < view->rank; i++)
        for (int a = first_of(view, order[i]); a < view->end[order[i]]; a++) {
            if (view->atom[a].place <= last || (!i && view->atom[a].place))
                return false;
            last = view->atom[a].place;
        }
    return view->rank && view->end[order[0]] > first_of(view, order[0]);
}

int dl_onnx_view_batch_axis(const dl_onnx_view *view) {
    for (int i = 0; i < view->rank; i++)
        if (view->end[i] == first_of(view, i) + 1 && !view->atom[view->end[i] - 1].place)
            return i;
    return -1;
}

int64_t dl_onnx_view_sample(const dl_onnx_view *view) {
    int64_t size = 1;
    for (int a = 0; a < view->atoms; a++)
        size *= view->atom[a].place ? view->atom[a].size : 1;
    return size;
}

const int64_t *dl_onnx_view_order(const dl_onnx_view *view, dl_arena *arena) {
    int64_t stride[DL_ONNX_MAX_ATOMS], size = 1; /* in the order of ONNX */
    bool same = true;
    for (int a = view->atoms - 1, next = INT32_MAX; a >= 0; a--) {
        stride[a] = size;
        size *= view->atom[a].place ? view->atom[a].size : 1;
        same = same && (!view->atom[a].place || view->atom[a].place < next);
        next = view->atom[a].place ? view->atom[a].place : next;
    }
    if (same)
        return NULL;
    int64_t *order = dl_arena_alloc(arena, sizeof *order * (size_t)size), inner = size;
    for (int last = 0;;) { /* from the outermost atom in memory inward */
        int next = -1;
        for (int a = 0; a < view->atoms; a++)
            if (view->atom[a].place > last &&
                (next < 0 || view->atom[a].place < view->atom[next].place))
                next = a;
        if (next < 0)
            return order;
        last = view->atom[next].place;
        inner /= view->atom[next].size;
        for (int64_t i = 0; i < size; i++)
            order[i] += i / inner % view->atom[next].size * stride[next];
    }
}

bool dl_onnx_view_find_order(const dl_onnx_view *view, int *order) {
    static const int orders[][4] = {{0, 2, 3, 1}, {0, 1, 2, 3}, {0, 2, 1},
                                    {0, 1, 2},    {1, 0, 2},    {0, 1}};
    static const int ranks[] = {4, 4, 3, 3, 3, 2};
    for (int i = 0; i < 6; i++)
        if (ranks[i] == view->rank && dl_onnx_view_is(view, orders[i])) {
            memcpy(order, orders[i], sizeof *order * (size_t)view->rank);
            return true;
        }
    return false;
}

dl_onnx_view dl_onnx_view_ordered(int rank, const int64_t *dims, const int *order) {
    int places[DL_ONNX_MAX_RANK];
    for (int i = 0; i < rank; i++)
        places[order[i]] = i;
    return dl_onnx_view_of(rank, dims, places);
}

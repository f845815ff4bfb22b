/* SPDX-License-Identifier: MIT */
/* ONNX operators that move nothing, and those that compute with shapes, which are constants. */
#include <math.h>
#include <string.h>

#include "convert/onnx_import.h"

enum { FEW = 64 }; /* numbers of a shape that is computed */

/* Up to `most` integers of constant k, or of an attribute of older opsets; -1: neither. */
static int read_ints(dl_onnx_import *in, size_t k, const char *key, int most, int64_t *values) {
    const dl_onnx_constant *c = dl_onnx_constant_of(in, k);
    if (!c)
        return dl_onnx_attribute(in, key) ? dl_onnx_get_ints(in, key, most, values) : -1;
    if (c->count > most || c->floats)
        return -1;
    for (int64_t i = 0; i < c->count; i++) {
        double n = dl_onnx_element(c, i);
        values[i] = n > 1e15 ? (int64_t)1e15 : n < -1e15 ? (int64_t)-1e15 : (int64_t)n;
    }
    return (int)c->count;
}

/* ---- the same data ---- */

int dl_onnx_in_same(dl_onnx_import *in) {
    dl_onnx_pass(in, dl_onnx_value_of(in, 0));
    return 0;
}

int dl_onnx_in_dropout(dl_onnx_import *in) {
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    const dl_onnx_constant *c = dl_onnx_constant_of(in, 1);
    double rate = c && c->count == 1 ? dl_onnx_element(c, 0) : dl_onnx_get_float(in, "ratio", 0.5);
    if (value->constant || in->node->n_output > 1 || !(rate > 0 && rate < 1))
        return dl_onnx_in_same(in);
    int source = dl_onnx_settle(in, value);
    dl_onnx_layer *layer =
        source == -2 ? NULL
                     : dl_onnx_new_layer(in, "dropout", "", source, dl_onnx_shape_of(in, source));
    if (!layer)
        return -1;
    char number[32];
    dl_text_double(number, (double)(float)rate);
    dl_text_add(&layer->options, "rate = %s; ", number);
    dl_onnx_set_view(in, 0, in->layer_count - 1, &value->view);
    return 0;
}

int dl_onnx_in_transpose(dl_onnx_import *in) {
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    const dl_onnx_constant *c = value->constant;
    int64_t order[DL_ONNX_MAX_RANK];
    int rank = c ? c->rank : value->view.rank;
    int count = dl_onnx_get_ints(in, "perm", DL_ONNX_MAX_RANK, order);
    unsigned met = 0;
    for (int i = 0; !dl_onnx_attribute(in, "perm") && i < rank; i++)
        order[count++] = rank - 1 - i;
    for (int i = 0; i < count; i++)
        met |= order[i] >= 0 && order[i] < rank ? 1u << order[i] : 0;
    if (count != rank || met != (1u << rank) - 1 || (c && rank != 2))
        return dl_onnx_refuse(in, "perm does not match its input");
    if (!c) {
        dl_onnx_view view = value->view;
        dl_onnx_view_permute(&view, order);
        dl_onnx_set_curve(in, value->layer, &view, value->curve);
        return 0;
    }
    in->copied += c->count;
    dl_onnx_constant *made = dl_arena_alloc(&in->arena, sizeof *made);
    size_t held = c->uniform ? 1 : (size_t)c->count;
    float *floats = c->floats ? dl_arena_alloc(&in->arena, sizeof *floats * (held + 1)) : NULL;
    double *numbers = floats ? NULL : dl_arena_alloc(&in->arena, sizeof *numbers * (held + 1));
    *made = *c;
    made->floats = floats;
    made->numbers = numbers;
    for (int i = 0; i < 2; i++)
        made->dim[i] = c->dim[order[i]];
    for (size_t i = 0; i < held; i++) {
        int64_t k = (int64_t)i;
        double n = dl_onnx_element(
            c, order[0] && !c->uniform ? k % made->dim[1] * c->dim[1] + k / made->dim[1] : k);
        if (floats)
            floats[i] = (float)n;
        else
            numbers[i] = n;
    }
    dl_onnx_set_constant(in, 0, made);
    return 0;
}

/* Squeeze and Unsqueeze change axes of size 1 only, which have no atoms, unless it is the batch. */
static int squeeze(dl_onnx_import *in, dl_onnx_view *view) {
    int64_t axes[DL_ONNX_MAX_RANK];
    bool adds = in->node->op_type[0] == 'U';
    int count = read_ints(in, 1, "axes", DL_ONNX_MAX_RANK, axes);
    const dl_onnx_view old = *view;
    int rank = old.rank + (adds ? count : 0);
    if ((adds ? count < 1 : count < 0 && in->node->n_input > 1) || rank > DL_ONNX_MAX_RANK)
        return dl_onnx_refuse(in, "its axes must be constant");
    unsigned chosen = 0;
    for (int i = 0; i < count; i++) {
        axes[i] += axes[i] < 0 ? rank : 0;
        if (axes[i] < 0 || axes[i] >= rank)
            return dl_onnx_refuse(in, "its axes do not match its input");
        chosen |= 1u << axes[i];
    }
    view->rank = 0;
    for (int i = 0, from = 0; i < rank; i++) {
        bool listed = chosen >> i & 1, last = from >= old.rank;
        if (adds && listed) {
            view->dim[view->rank] = 1;
            view->end[view->rank++] = from ? old.end[from - 1] : 0;
            continue;
        }
        if (last)
            return dl_onnx_refuse(in, "its axes do not match its input");
        bool batch = old.end[from] > (from ? old.end[from - 1] : 0);
        bool drop = !adds && (count < 0 ? old.dim[from] == 1 && !batch : listed);
        if (drop && (old.dim[from] != 1 || batch))
            return dl_onnx_refuse(in, "it removes an axis that is the batch or not of size 1");
        if (!drop) {
            view->dim[view->rank] = old.dim[from];
            view->end[view->rank++] = old.end[from];
        }
        from++;
    }
    return 0;
}

/* The new dims of Reshape and Flatten; their number, or -1 and an error. */
static int wanted_dims(dl_onnx_import *in, const dl_onnx_view *view, int64_t *dims) {
    int rank = -1, open = -1;
    int64_t size = 1, total = 1;
    for (int i = 0; i < view->rank; i++)
        total *= view->dim[i];
    if (in->node->op_type[0] == 'F') {
        int64_t axis = dl_onnx_get_int(in, "axis", 1);
        axis += axis < 0 ? view->rank : 0;
        dims[0] = dims[1] = 1;
        for (int i = 0; i < view->rank; i++)
            dims[i >= axis] *= view->dim[i];
        return 2;
    }
    rank = read_ints(in, 1, "", DL_ONNX_MAX_RANK, dims);
    if (rank < 1)
        return dl_onnx_refuse(in, "its shape must be constant");
    if (dims[0] == 1 && rank > 1 && view->rank && dl_onnx_view_batch_axis(view) == 0)
        dims[0] = view->dim[0]; /* made for one sample */
    for (int i = 0; i < rank; i++) {
        if (!dims[i] && i < view->rank)
            dims[i] = view->dim[i];
        if (dims[i] == -1 && open < 0)
            open = i;
        else if (dims[i] < 1 || !dl_multiply(size, dims[i], &size))
            return dl_onnx_refuse(in, "its shape is not valid");
    }
    if (open >= 0)
        dims[open] = total / size;
    return open >= 0 && (total % size || !dims[open])
               ? dl_onnx_refuse(in, "its shape does not match its input")
               : rank;
}

/* A constant is what it was, but for its shape. */
static int reshape_constant(dl_onnx_import *in, const dl_onnx_constant *c) {
    dl_onnx_constant *made = dl_arena_alloc(&in->arena, sizeof *made);
    dl_onnx_view view = {.rank = c->rank};
    int64_t dims[DL_ONNX_MAX_RANK], count = 1;
    for (int i = 0; i < c->rank; i++)
        view.dim[i] = c->dim[i];
    *made = *c;
    if (strstr(in->node->op_type, "queeze")) {
        if (squeeze(in, &view))
            return -1;
        made->rank = view.rank;
        memcpy(made->dim, view.dim, sizeof view.dim);
    } else {
        made->rank = wanted_dims(in, &view, dims);
        if (made->rank < 0)
            return -1;
        memcpy(made->dim, dims, sizeof *dims * (size_t)made->rank);
    }
    for (int i = 0; i < made->rank; i++)
        if (!dl_multiply(count, made->dim[i], &count))
            return dl_onnx_refuse(in, "its shape is not valid");
    if (count != c->count)
        return dl_onnx_refuse(in, "its shape does not match its input");
    dl_onnx_set_constant(in, 0, made);
    return 0;
}

/* Reshape, Flatten, Squeeze, Unsqueeze. */
int dl_onnx_in_reshape(dl_onnx_import *in) {
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    int64_t dims[DL_ONNX_MAX_RANK];
    if (value->constant)
        return reshape_constant(in, value->constant);
    dl_onnx_view view = value->view;
    if (strstr(in->node->op_type, "queeze")) {
        if (squeeze(in, &view))
            return -1;
    } else {
        int rank = wanted_dims(in, &view, dims);
        if (rank < 0)
            return -1;
        if (!dl_onnx_view_reshape(&view, rank, dims))
            return dl_onnx_refuse(in, "its input would have to be transposed, which no layer does");
    }
    dl_onnx_set_curve(in, value->layer, &view, value->curve);
    return 0;
}

/* ---- constants ---- */

int dl_onnx_in_constant(dl_onnx_import *in) {
    const Onnx__AttributeProto *a = in->node->n_attribute == 1 ? in->node->attribute[0] : NULL;
    const char *name = a && a->name ? a->name : "";
    double number = !strcmp(name, "value_int") ? (double)(a ? a->i : 0) : (double)(a ? a->f : 0);
    const dl_onnx_constant *c = NULL;
    double numbers[FEW];
    bool ints = !strcmp(name, "value_ints");
    size_t n = !a ? 0 : ints ? a->n_ints : a->n_floats;
    int64_t count = (int64_t)n;
    for (size_t i = 0; i < n && n <= FEW; i++)
        numbers[i] = ints ? (double)a->ints[i] : (double)a->floats[i];
    if (!strcmp(name, "value") && a->t)
        c = dl_onnx_read_tensor(in, a->t);
    else if (!strcmp(name, "value_int") || !strcmp(name, "value_float"))
        c = dl_onnx_new_constant(in, 0, NULL, &number, false);
    else if (n <= FEW && a)
        c = dl_onnx_new_constant(in, 1, &count, numbers, false);
    if (!c)
        return dl_onnx_refuse(in, "its value cannot be read");
    dl_onnx_set_constant(in, 0, c);
    return 0;
}

int dl_onnx_in_shape(dl_onnx_import *in) {
    const dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    double numbers[DL_ONNX_MAX_RANK];
    int64_t rank = value->constant ? value->constant->rank : value->view.rank;
    int64_t start = dl_onnx_get_int(in, "start", 0), end = dl_onnx_get_int(in, "end", rank);
    start += start < 0 ? rank : 0;
    end += end < 0 ? rank : 0;
    if (start < 0 || end > rank || start > end)
        return dl_onnx_refuse(in, "start and end do not match its input");
    for (int64_t i = start; i < end; i++)
        numbers[i - start] =
            (double)(value->constant ? value->constant->dim[i] : value->view.dim[i]);
    int64_t count = end - start;
    dl_onnx_set_constant(in, 0, dl_onnx_new_constant(in, 1, &count, numbers, false));
    return 0;
}

/* ConstantOfShape, Expand, and arithmetic of small constants: for shapes and for zeros. */
int dl_onnx_in_fill(dl_onnx_import *in) {
    const dl_onnx_constant *a = dl_onnx_constant_of(in, 0), *b = dl_onnx_constant_of(in, 1);
    const char *op = in->node->op_type;
    double numbers[FEW], number = 0;
    int64_t dims[DL_ONNX_MAX_RANK];
    if (op[0] == 'C' || op[0] == 'E') {
        int rank = read_ints(in, op[0] == 'E', "", DL_ONNX_MAX_RANK, dims);
        const Onnx__AttributeProto *value = dl_onnx_attribute(in, "value");
        const dl_onnx_constant *c = op[0] == 'E'        ? a
                                    : value && value->t ? dl_onnx_read_tensor(in, value->t)
                                                        : NULL;
        if (rank < 0 ||
            ((op[0] == 'E' || value) && (!c || (c->count != 1 && !c->uniform) || c->count < 1)))
            return dl_onnx_refuse(in, "only one number of a constant shape is supported");
        const dl_onnx_constant *made = NULL;
        number = c ? dl_onnx_element(c, 0) : 0;
        made = dl_onnx_new_constant(in, rank, dims, &number, true);
        if (!made)
            return dl_onnx_refuse(in, "its shape is not valid");
        dl_onnx_set_constant(in, 0, made);
        return 0;
    }
    if (!a || !b || a->count > FEW || b->count > FEW || a->count < 1 || b->count < 1 ||
        (a->count != b->count && a->count > 1 && b->count > 1))
        return dl_onnx_refuse(in, "constants of these shapes are not computed");
    const dl_onnx_constant *like = a->count > b->count || a->rank > b->rank ? a : b;
    for (int64_t i = 0; i < like->count; i++) {
        double x = dl_onnx_element(a, a->count > 1 ? i : 0);
        double y = dl_onnx_element(b, b->count > 1 ? i : 0);
        bool whole = !a->floats && !b->floats;
        numbers[i] = op[0] == 'A'   ? x + y
                     : op[0] == 'S' ? x - y
                     : op[0] == 'M' ? x * y
                     : op[0] == 'P' ? pow(x, y)
                     : whole        ? trunc(x / y)
                                    : x / y;
    }
    dl_onnx_set_constant(in, 0, dl_onnx_new_constant(in, like->rank, like->dim, numbers, false));
    return 0;
}

/* The last step of a recurrent layer that nobody else reads. */
static bool keep_last(dl_onnx_import *in, const dl_onnx_in_value *value, int64_t axis,
                      int64_t index, bool keep_axis) {
    dl_onnx_layer *layer = value->layer < 0 ? NULL : &in->layers[value->layer];
    dl_onnx_view view = value->view;
    if (!layer || value->curve || value->uses != 1 || layer->shape.rank != 2 || keep_axis ||
        (strcmp(layer->type, "lstm") && strcmp(layer->type, "gru") &&
         strcmp(layer->type, "simple_rnn")) ||
        strstr(dl_text_get(&layer->options), "bidirectional") || axis < 0 || view.rank < 3 ||
        axis >= view.rank || index != view.dim[axis] - 1 || view.dim[axis] != layer->shape.dim[0])
        return false;
    int first = axis ? view.end[axis - 1] : 0;
    if (view.end[axis] != first + 1 || view.atom[first].place != 1)
        return false;
    for (int a = first; a + 1 < view.atoms; a++)
        view.atom[a] = view.atom[a + 1];
    view.atoms--;
    for (int i = (int)axis; i + 1 < view.rank; i++) {
        view.dim[i] = view.dim[i + 1];
        view.end[i] = view.end[i + 1] - 1;
    }
    view.rank--;
    dl_text_add(&layer->options, "return = \"last\"; ");
    layer->shape = dl_shape1(layer->shape.dim[1]);
    dl_onnx_set_view(in, 0, value->layer, &view);
    return true;
}

/* Rows of a table, by numbers of symbols. */
static int add_embedding(dl_onnx_import *in, const dl_onnx_constant *table,
                         dl_onnx_in_value *symbols) {
    static const int order[] = {0, 1};
    int source = symbols->view.rank == 2 && table->rank == 2 && table->count > 0 &&
                         !table->uniform && table->dim[0] <= INT32_MAX &&
                         table->dim[1] <= 1 << 16 && !dl_onnx_get_int(in, "axis", 0)
                     ? dl_onnx_arrange(in, symbols, order, 1)
                     : -2;
    if (source == -2)
        return dl_onnx_refuse(in, "it must be of a constant table and rows of symbols");
    const int64_t dims[3] = {symbols->view.dim[0], symbols->view.dim[1], table->dim[1]};
    dl_onnx_layer *layer = dl_onnx_new_layer(in, "embedding", in->node->input[0], source,
                                             dl_shape2((int)dims[1], (int)dims[2]));
    if (!layer)
        return -1;
    in->copied += table->count;
    dl_text_add(&layer->options, "vocabulary = %lld; units = %lld; ", (long long)table->dim[0],
                (long long)dims[2]);
    float *made = dl_onnx_add_tensor(in, layer, "weight", table->count);
    for (int64_t i = 0; i < table->count; i++)
        made[i] = (float)dl_onnx_element(table, i);
    dl_onnx_view view = dl_onnx_view_of(3, dims, (int[]){0, 1, 2});
    dl_onnx_set_view(in, 0, in->layer_count - 1, &view);
    return 0;
}

int dl_onnx_in_gather(dl_onnx_import *in) {
    dl_onnx_in_value *value = dl_onnx_value_of(in, 0), *which = dl_onnx_value_of(in, 1);
    const dl_onnx_constant *c = value->constant, *index = which->constant;
    int64_t axis = dl_onnx_get_int(in, "axis", 0);
    double numbers[FEW];
    if (c && !index)
        return add_embedding(in, c, which);
    if (!c) {
        axis += axis < 0 ? value->view.rank : 0;
        int64_t i = index && index->count == 1 ? (int64_t)dl_onnx_element(index, 0) : -2;
        i += i == -1 && axis >= 0 && axis < value->view.rank ? value->view.dim[axis] : 0;
        return keep_last(in, value, axis, i, index && index->rank)
                   ? 0
                   : dl_onnx_refuse(in, "only the last step of a recurrent layer in one direction, "
                                        "which nothing else reads, is supported");
    }
    if (c->rank != 1 || index->rank > 1 || index->count > FEW)
        return dl_onnx_refuse(in, "constants of these shapes are not computed");
    for (int64_t i = 0; i < index->count; i++) {
        double k = dl_onnx_element(index, i);
        k += k < 0 ? (double)c->count : 0;
        if (!(k >= 0 && k < (double)c->count))
            return dl_onnx_refuse(in, "its indices do not match its input");
        numbers[i] = dl_onnx_element(c, (int64_t)k);
    }
    dl_onnx_set_constant(in, 0, dl_onnx_new_constant(in, index->rank, index->dim, numbers, false));
    return 0;
}

/* Elements from, from + step, … before `to` of an axis of that size: *first and their number. */
static int64_t slice_axis(int64_t from, int64_t to, int64_t step, int64_t size, int64_t *first) {
    int64_t low = step < 0 ? -1 : 0, high = step < 0 ? size - 1 : size;
    from += from < 0 ? size : 0;
    to += to < 0 ? size : 0;
    from = from < low ? low : from > high ? high : from;
    to = to < low ? low : to > high ? high : to;
    *first = from;
    int64_t span = step < 0 ? from - to : to - from, each = step < 0 ? -step : step;
    return span > 0 ? (span + each - 1) / each : 0;
}

/* numbers[dims], of which `count` elements of an axis remain. */
static void slice_numbers(double *numbers, const int64_t *dims, int rank, int64_t axis,
                          int64_t first, int64_t step, int64_t count) {
    double old[FEW];
    int64_t inner = 1, outer = 1, at = 0;
    for (int i = 0; i < rank; i++) {
        outer *= i < axis ? dims[i] : 1;
        inner *= i > axis ? dims[i] : 1;
    }
    memcpy(old, numbers, sizeof old);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t k = 0; k < count; k++)
            for (int64_t i = 0; i < inner; i++)
                numbers[at++] = old[(o * dims[axis] + first + k * step) * inner + i];
}

/* Of a small constant, or of a constant of one number; of a value only if it is all of it. */
int dl_onnx_in_slice(dl_onnx_import *in) {
    const dl_onnx_in_value *value = dl_onnx_value_of(in, 0);
    const dl_onnx_constant *c = value->constant;
    int64_t from[4], to[4], axes[4] = {0}, steps[4], dims[DL_ONNX_MAX_RANK], first;
    int count = read_ints(in, 1, "starts", 4, from), ends = read_ints(in, 2, "ends", 4, to);
    int chosen = read_ints(in, 3, "axes", 4, axes), strides = read_ints(in, 4, "", 4, steps);
    int rank = c ? c->rank : value->view.rank;
    double numbers[FEW] = {0};
    if (count < 1 || ends != count || (chosen >= 0 && chosen != count) ||
        (strides >= 0 && strides != count))
        return dl_onnx_refuse(in, "its starts, ends, axes and steps must be constants");
    if (c && !c->uniform && c->count > FEW)
        return dl_onnx_refuse(in, "constants of these shapes are not computed");
    memcpy(dims, c ? c->dim : value->view.dim, sizeof dims);
    for (int64_t i = 0; c && i < (c->uniform ? 1 : c->count); i++)
        numbers[i] = dl_onnx_element(c, i);
    for (int i = 0; i < count; i++) {
        int64_t axis = chosen < 0 ? i : axes[i] < 0 ? axes[i] + rank : axes[i];
        int64_t step = strides < 0 ? 1 : steps[i];
        if (axis < 0 || axis >= rank || !step || step > FEW || step < -FEW)
            return dl_onnx_refuse(in, "its axes and steps do not match its input");
        int64_t left = slice_axis(from[i], to[i], step, dims[axis], &first);
        if (!c && (left != dims[axis] || step != 1))
            return dl_onnx_refuse(in, "slices of values are not supported");
        if (c && !c->uniform)
            slice_numbers(numbers, dims, rank, axis, first, step, left);
        dims[axis] = left;
    }
    if (!c)
        return dl_onnx_in_same(in);
    dl_onnx_set_constant(in, 0, dl_onnx_new_constant(in, rank, dims, numbers, c->uniform));
    return 0;
}

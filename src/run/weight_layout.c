/* SPDX-License-Identifier: MIT */
#include "run/weight_layout.h"

#include <string.h>

const char *const dl_layout_names[] = {"auto", "dltrain", "torch", "keras", NULL};

/* ---- images that PyTorch flattens channels first ---- */

static bool has_matrix(const dl_layer *l) {
    for (int p = 0; p < l->param_count; p++)
        if (l->params[p].shape.rank > 1)
            return true;
    return false;
}

static bool is_vector_map(const dl_layer *l) {
    return l->out.shape.rank == 1 && !has_matrix(l) &&
           dl_shape_size(l->out.shape) == dl_shape_size(l->in[0].shape);
}

/* Whether the sequence that a layer gives has its channels first in PyTorch: that of conv1d. */
static bool is_channels_first(const dl_net *net, int i) {
    for (; i >= 0; i = net->sources[i][0]) {
        const dl_layer *l = &net->layers[i];
        if (has_matrix(l))
            return l->params[0].shape.rank == 4;
    }
    return false;
}

static bool has_order(dl_shape s) {
    return s.rank > 1 && dl_shape_channels(s) > 1 && dl_shape_size(s) > dl_shape_channels(s);
}

/* The image of input k of a layer. */
static dl_shape origin(const dl_weight_layout *w, int i, int k, const dl_shape *flat) {
    const dl_layer *l = &w->net->layers[i];
    dl_shape none = {0}, in = l->in[k].shape;
    int source = w->net->sources[i][k];
    if (in.rank == 1)
        return source < 0 ? none : flat[source];
    bool first = in.rank == 3 || is_channels_first(w->net, source);
    return first && has_order(in) ? in : none;
}

static void find_rows(dl_weight_layout *w) {
    const dl_net *net = w->net;
    dl_shape *flat = dl_arena_alloc(&w->arena, sizeof *flat * (size_t)net->layer_count);
    for (int i = 0; i < net->layer_count; i++) {
        const dl_layer *l = &net->layers[i];
        w->rows[i] = origin(w, i, 0, flat);
        flat[i] = is_vector_map(l) ? w->rows[i] : (dl_shape){0};
        for (int k = 0; k < l->input_count && l->out.shape.rank == 1 && !has_matrix(l); k++)
            if (origin(w, i, k, flat).rank && !is_vector_map(l) && l->input_count > 1)
                flat[i] = (dl_shape){-1, {0}}; /* joined with others */
    }
}

static void find_columns(dl_weight_layout *w) {
    const dl_net *net = w->net;
    for (int j = net->layer_count - 1; j >= 0; j--) {
        const dl_layer *l = &net->layers[j];
        int source = net->sources[j][0];
        if (source < 0 || l->in[0].shape.rank != 1 || has_matrix(l))
            continue;
        if (is_vector_map(l))
            w->columns[source] = w->columns[j];
        else if (has_order(l->out.shape) && l->out.shape.rank == 3)
            w->columns[source] = l->out.shape;
    }
}

void dl_weight_layout_open(dl_weight_layout *w, const dl_net *net, int layout) {
    *w = (dl_weight_layout){.net = net, .layout = layout};
    w->rows = dl_arena_alloc(&w->arena, sizeof *w->rows * (size_t)net->layer_count);
    w->columns = dl_arena_alloc(&w->arena, sizeof *w->columns * (size_t)net->layer_count);
    if (layout != DL_LAYOUT_TORCH)
        return;
    find_rows(w);
    find_columns(w);
}

void dl_weight_layout_free(dl_weight_layout *w) {
    dl_arena_free(&w->arena);
}

/* ---- pieces ---- */

static dl_piece whole(const char *name, dl_shape shape) {
    dl_piece p = {
        .shape = shape, .count = {dl_shape_size(shape), 1, 1, 1}, .here = {1}, .there = {1}};
    snprintf(p.name, sizeof p.name, "%s", name);
    return p;
}

/* Positions and channels of `count` elements in that order. */
static void split(int64_t count, dl_shape image, int64_t *positions, int64_t *channels) {
    *channels = image.rank > 0 ? dl_shape_channels(image) : 1;
    *positions = count / *channels;
}

/* [in][out] as [out][in], with the inputs and outputs of images channels first. */
static dl_piece turned(const char *name, int64_t in, int64_t out, dl_shape rows, dl_shape columns) {
    int64_t rp, rc, cp, cc;
    split(in, rows, &rp, &rc);
    split(out, columns, &cp, &cc);
    dl_piece p = {.shape = dl_shape2((int)out, (int)in),
                  .count = {rp, rc, cp, cc},
                  .here = {rc * out, out, cc, 1},
                  .there = {1, rp, in, cp * in}};
    snprintf(p.name, sizeof p.name, "%s", name);
    return p;
}

static dl_piece vector(const char *name, dl_shape shape, dl_shape image) {
    dl_piece p = whole(name, shape);
    int64_t positions, channels;
    split(dl_shape_size(shape), image, &positions, &channels);
    p.count[0] = positions;
    p.count[1] = channels;
    p.here[0] = channels;
    p.here[1] = 1;
    p.there[0] = 1;
    p.there[1] = positions;
    return p;
}

static dl_piece kernel(const char *name, const dl_param *param, bool sequence) {
    const int *d = param->shape.dim;
    int64_t area = (int64_t)d[0] * d[1], in = d[2], out = d[3];
    bool depthwise = param->layout == DL_TORCH_DEPTHWISE;
    dl_piece p = whole(
        name, (dl_shape){4, {depthwise ? d[2] * d[3] : d[3], depthwise ? 1 : d[2], d[0], d[1]}});
    if (sequence)
        p.shape = dl_shape3(p.shape.dim[0], p.shape.dim[1], d[1]);
    const int64_t count[] = {area, in, out, 1}, here[] = {in * out, out, 1, 0};
    const int64_t there[] = {1, depthwise ? out * area : area, depthwise ? area : in * area, 0};
    memcpy(p.count, count, sizeof count);
    memcpy(p.here, here, sizeof here);
    memcpy(p.there, there, sizeof there);
    return p;
}

static const dl_param *find_param(const dl_layer *l, const char *name) {
    for (int p = 0; p < l->param_count; p++)
        if (!strcmp(l->params[p].name, name))
            return &l->params[p];
    return NULL;
}

/* ---- recurrent layers ---- */

static int torch_recurrent(const dl_param *param, int gates, bool reverse, dl_piece *piece) {
    bool state = !strncmp(param->name, "recurrent_", 10), bias = param->shape.rank == 1;
    char name[2][48];
    for (int k = 0; k < 2; k++)
        snprintf(name[k], sizeof name[k], "%s_%s_l0%s", bias ? "bias" : "weight",
                 state || k ? "hh" : "ih", reverse ? "_reverse" : "");
    if (!bias) {
        piece[0] =
            turned(name[0], param->shape.dim[0], param->shape.dim[1], (dl_shape){0}, (dl_shape){0});
        return 1;
    }
    piece[0] = whole(name[0], param->shape);
    piece[1] = whole(name[1], param->shape);
    piece[1].added = true;
    return gates == 3 ? 1 : 2; /* gru keeps them apart */
}

/* A gru's gates are z, r, n there, and the rows of its bias are those of the inputs and of h V. */
static int keras_recurrent(const dl_param *param, int gates, bool reverse, bool both,
                           dl_piece *piece) {
    static const int order[] = {1, 0, 2};
    static const char *const cells[] = {"", "simple_rnn", "", "gru", "lstm"};
    bool state = !strncmp(param->name, "recurrent_", 10), bias = param->shape.rank == 1;
    int64_t columns = dl_shape_channels(param->shape), rows = param->count / columns;
    dl_piece p = whole("", bias && gates == 3 ? dl_shape2(2, (int)columns) : param->shape);
    const char *way = reverse ? "backward_" : "forward_", *cell = cells[gates];
    snprintf(p.name, sizeof p.name, "%s%s%s%s_cell.%s", both ? way : "", both ? cell : "",
             both ? "." : "", cell,
             bias    ? "bias"
             : state ? "recurrent_kernel"
                     : "kernel");
    if (gates != 3) {
        piece[0] = p;
        return 1;
    }
    int64_t units = columns / 3;
    for (int g = 0; g < 3; g++) {
        piece[g] = p;
        piece[g].count[0] = rows;
        piece[g].count[1] = units;
        piece[g].here[0] = piece[g].there[0] = columns;
        piece[g].here[1] = piece[g].there[1] = 1;
        piece[g].here_at = g * units;
        piece[g].there_at = order[g] * units + (bias && state ? columns : 0);
    }
    return 3;
}

/* ---- attention ---- */

static int64_t heads_of(const dl_layer *l) {
    for (const dl_option *o = l->type->kind.options; o->key; o++)
        if (!strcmp(o->key, "heads"))
            return *(const int64_t *)((const char *)l->self + o->offset);
    return 1;
}

static int keras_attention(const dl_layer *l, const dl_param *param, dl_piece *piece) {
    static const char *const names[] = {"query", "key", "value"};
    bool bias = param->shape.rank == 1, output = !strncmp(param->name, "output_", 7);
    int64_t columns = dl_shape_channels(param->shape), rows = param->count / columns;
    int heads = (int)heads_of(l), units = dl_shape_channels(l->out.shape), d = units / heads;
    if (output) {
        piece[0] = whole(bias ? "attention_output.bias" : "attention_output.kernel",
                         bias ? param->shape : dl_shape3(heads, d, units));
        return 1;
    }
    for (int k = 0; k < 3; k++) {
        piece[k] = whole("", bias ? dl_shape2(heads, d) : dl_shape3((int)rows, heads, d));
        snprintf(piece[k].name, sizeof piece[k].name, "%s.%s", names[k], bias ? "bias" : "kernel");
        piece[k].count[0] = rows;
        piece[k].count[1] = units;
        piece[k].here[0] = columns;
        piece[k].there[0] = units;
        piece[k].here[1] = piece[k].there[1] = 1;
        piece[k].here_at = (int64_t)k * units;
    }
    return 3;
}

/* ---- all layers ---- */

static const char *name_there(const dl_param *param, bool torch) {
    static const char *const names[][3] = {
        {"weight", "weight", "kernel"},
        {"scale", "weight", "gamma"},
        {"shift", "bias", "beta"},
        {"slope", "weight", "alpha"},
        {"mean", "running_mean", "moving_mean"},
        {"variance", "running_var", "moving_variance"},
        {"qkv_weight", "in_proj_weight", ""},
        {"qkv_bias", "in_proj_bias", ""},
        {"output_weight", "out_proj.weight", ""},
        {"output_bias", "out_proj.bias", ""},
    };
    if (!torch && param->layout == DL_TORCH_SAME)
        return "embeddings";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(param->name, names[i][0]))
            return names[i][torch ? 1 : 2];
    return param->name;
}

static int torch_pieces(const dl_weight_layout *w, const dl_layer *l, const dl_param *param,
                        dl_piece *piece) {
    dl_shape rows = w->rows[l->index], columns = w->columns[l->index], none = {0};
    const char *name = name_there(param, true);
    bool row = l->out.shape.rank == 1, table = param->layout == DL_TORCH_SAME;
    if (param->shape.rank == 4)
        piece[0] = kernel(name, param, l->in[0].shape.rank == 2);
    else if (param->shape.rank == 2 && !table) {
        if (row && rows.rank < 0)
            return 0;
        piece[0] = turned(name, param->shape.dim[0], param->shape.dim[1], row ? rows : none,
                          row ? columns : none);
    } else if (param->shape.rank == 1 && row) {
        dl_shape order = has_matrix(l) || !has_order(rows) ? columns : rows;
        bool whole_order = has_order(order) && dl_shape_size(order) == param->count;
        piece[0] = vector(name, param->shape, whole_order ? order : none);
    } else
        piece[0] = whole(name, param->shape);
    return 1;
}

static int keras_pieces(const dl_layer *l, const dl_param *param, dl_piece *piece) {
    bool rms = !strcmp(l->type->kind.name, "rms_norm"); /* RMSNormalization has no gamma */
    const char *name = rms ? param->name : name_there(param, false);
    if (!*name)
        return keras_attention(l, param, piece);
    piece[0] = whole(name, param->shape);
    if (param->shape.rank == 4 && l->in[0].shape.rank == 2)
        piece[0].shape = dl_shape3(param->shape.dim[1], param->shape.dim[2], param->shape.dim[3]);
    return 1;
}

int dl_weight_pieces(const dl_weight_layout *w, const dl_layer *l, const dl_param *param,
                     dl_piece piece[DL_MOST_PIECES]) {
    const dl_param *back = find_param(l, "recurrent_weight");
    int gates = back ? back->shape.dim[1] / back->shape.dim[0] : 0;
    size_t length = strlen(param->name);
    bool reverse = back && length > 8 && !strcmp(param->name + length - 8, "_reverse");
    if (w->layout == DL_LAYOUT_TORCH)
        return back ? torch_recurrent(param, gates, reverse, piece)
                    : torch_pieces(w, l, param, piece);
    if (w->layout == DL_LAYOUT_KERAS)
        return back ? keras_recurrent(param, gates, reverse,
                                      find_param(l, "recurrent_weight_reverse") != NULL, piece)
                    : keras_pieces(l, param, piece);
    piece[0] = whole(param->name, param->shape);
    return 1;
}

const dl_layer *dl_weight_find_assumed(const dl_weight_layout *w) {
    for (int i = 0; i < w->net->layer_count && w->layout == DL_LAYOUT_KERAS; i++) {
        const dl_layer *l = &w->net->layers[i];
        if (!strcmp(l->type->kind.name, "gru") && !find_param(l, "bias"))
            return l;
    }
    return NULL;
}

/* ---- copying ---- */

void dl_piece_read(const dl_piece *p, const char *there, float *here) {
    const int64_t *n = p->count, *a = p->here, *b = p->there;
    for (int64_t i = 0; i < n[0]; i++)
        for (int64_t j = 0; j < n[1]; j++)
            for (int64_t k = 0; k < n[2]; k++)
                for (int64_t l = 0; l < n[3]; l++) {
                    float value,
                        *to = here + p->here_at + i * a[0] + j * a[1] + k * a[2] + l * a[3];
                    int64_t at = p->there_at + i * b[0] + j * b[1] + k * b[2] + l * b[3];
                    memcpy(&value, there + at * (int64_t)sizeof value, sizeof value);
                    *to = p->added ? *to + value : value;
                }
}

void dl_piece_write(const dl_piece *p, const float *here, char *there) {
    dl_piece back = *p; /* the same copy with the sides exchanged */
    memcpy(back.here, p->there, sizeof back.here);
    memcpy(back.there, p->here, sizeof back.there);
    back.here_at = p->there_at;
    back.there_at = p->here_at;
    if (!p->added)
        dl_piece_read(&back, (const char *)here, (float *)(void *)there);
}

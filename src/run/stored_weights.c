/* SPDX-License-Identifier: MIT */
#include "run/stored_weights.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list ---- */

/* "a/b:0" as "a.b". */
static const char *plain_path(dl_arena *arena, const char *name) {
    char *path = dl_arena_strdup(arena, name);
    size_t length = strlen(path);
    if (length > 2 && !strcmp(path + length - 2, ":0"))
        path[length - 2] = '\0';
    for (char *c = path; *c; c++)
        *c = *c == '/' ? '.' : *c;
    return path;
}

static dl_stored *add(dl_stored_weights *s, const char *name) {
    if (!(s->count & (s->count - 1))) {
        size_t room = s->count ? 2 * (size_t)s->count : 1;
        dl_stored *items = dl_arena_alloc(&s->arena, sizeof *items * room);
        if (s->count)
            memcpy(items, s->items, sizeof *items * (size_t)s->count);
        s->items = items;
    }
    dl_stored *item = &s->items[s->count++];
    *item = (dl_stored){.name = name, .path = plain_path(&s->arena, name)};
    return item;
}

void dl_stored_add(dl_stored_weights *s, const char *name, dl_shape shape, const void *bytes) {
    char text[48];
    dl_stored *item = add(s, dl_arena_strdup(&s->arena, name));
    item->shape = shape;
    item->bytes = bytes;
    item->what = dl_arena_strdup(&s->arena, shape.rank ? dl_shape_text(text, shape) : "one number");
}

void dl_stored_from_safetensors(dl_stored_weights *s, const dl_safetensors *file) {
    const char *name;
    json_t *entry;
    s->file = dl_arena_strdup(&s->arena, file->path);
    json_object_foreach(file->header, name, entry) {
        if (!strcmp(name, "__metadata__"))
            continue;
        dl_text what = {0};
        dl_stored *item = add(s, name);
        dl_safetensors_add_shape(file, name, &what);
        item->what = dl_arena_strdup(&s->arena, dl_text_get(&what));
        item->bytes = dl_safetensors_find(file, name, &item->shape);
        item->invalid = !item->bytes && !dl_safetensors_is_unsupported(file, name);
        dl_text_free(&what);
    }
}

void dl_stored_free(dl_stored_weights *s) {
    dl_arena_free(&s->arena);
    *s = (dl_stored_weights){0};
}

/* ---- names ---- */

static bool is_joined(const char *path, const char *there, size_t length, const char *name) {
    return length ? !strncmp(path, there, length) && path[length] == '.' &&
                        !strcmp(path + length + 1, name)
                  : !strcmp(path, name);
}

bool dl_stored_is_of_layer(const dl_stored *item, const char *there, int length) {
    const char *level = memrchr(there, '_', (size_t)length), *path = item->path;
    if (!strncmp(path, there, (size_t)length) && path[length] == '.')
        return true;
    int stem = level ? (int)(level - there) : 0;
    return stem && !strncmp(path, there, (size_t)stem) && !strncmp(path + stem, ".weight_ih", 10) &&
           !strncmp(path + stem + 10, level, (size_t)(length - stem)) && !path[length + 10];
}

char *dl_stored_level_name(const char *there, const char *name, dl_arena *arena) {
    const char *level = strrchr(there, '_'), *first = strstr(name, "_l0");
    if (!level || level[1] != 'l' || !isdigit((unsigned char)level[2]) || !first)
        return NULL;
    return dl_arena_printf(arena, "%.*s%s%.*s%s%s", (int)(level - there), there,
                           level > there ? "." : "", (int)(first - name), name, level, first + 3);
}

/* Keras's cells have names that depend on the layer's: x.forward_lstm_3.lstm_cell.kernel. */
static bool is_of_cell(const char *path, const char *there, const char *name) {
    size_t length = strlen(there);
    const char *own = strstr(name, "_cell.");
    if (!own || (length && (strncmp(path, there, length) || path[length] != '.')))
        return false;
    bool both = !strncmp(name, "forward_", 8) || !strncmp(name, "backward_", 9);
    const char *middle = path + length + (length > 0), *inner = both ? strchr(middle, '.') : middle;
    if (!inner || (both && strncmp(middle, name, 8)))
        return false;
    inner += both;
    const char *end = strchr(inner, '.'), *cell = strstr(inner, "_cell");
    return end && cell && cell < end && !strcmp(end + 1, own + 6);
}

static int compare_paths(const void *a, const void *b) {
    return strverscmp(((const dl_stored *)a)->path, ((const dl_stored *)b)->path);
}

void dl_stored_sort(dl_stored_weights *s) {
    if (s->count)
        qsort(s->items, (size_t)s->count, sizeof *s->items, compare_paths);
}

char *dl_stored_layer(const dl_stored *item, const char *name, dl_arena *arena) {
    const char *path = item->path, *level = strrchr(path, '_'), *point;
    for (const char *rest = path; rest; rest = point ? point + 1 : NULL) {
        int length = rest > path ? (int)(rest - path) - 1 : 0;
        char *own = dl_arena_printf(arena, "%.*s", length, path);
        point = strchr(rest, '.');
        if (!strcmp(rest, name) || is_of_cell(path, own, name))
            return own;
        own = level ? dl_arena_printf(arena, "%s%s", own, level) : own;
        const char *other = level ? dl_stored_level_name(own, name, arena) : NULL;
        if (other && !strcmp(path, other))
            return own;
    }
    return NULL;
}

static dl_stored *find(dl_stored_weights *s, const char *there, const char *name) {
    for (int i = 0; i < s->count; i++)
        if (is_joined(s->items[i].path, there, strlen(there), name))
            return &s->items[i];
    const char *level = dl_stored_level_name(there, name, &s->arena);
    for (int i = 0; i < s->count; i++)
        if ((level && !strcmp(s->items[i].path, level)) ||
            is_of_cell(s->items[i].path, there, name))
            return &s->items[i];
    return NULL;
}

/* ---- shapes ---- */

static dl_shape squeezed(dl_shape s) {
    dl_shape made = {0};
    for (int i = 0; i < s.rank; i++)
        if (s.dim[i] != 1)
            made.dim[made.rank++] = s.dim[i];
    return made;
}

/* With another rank, without its ones: a kernel over time may be [out][in][1][k]. */
static bool fits(dl_shape wanted, dl_shape found) {
    return wanted.rank == found.rank ? dl_shape_equal(wanted, found)
                                     : dl_shape_equal(squeezed(wanted), squeezed(found));
}

int dl_stored_locate(dl_stored_weights *s, const dl_weight_layout *w, const dl_layer *layer,
                     const dl_param *param, const char *there, dl_stored *found[DL_MOST_PIECES],
                     dl_text *why) {
    static const char *const programs[] = {"", "", "PyTorch", "Keras"};
    dl_piece piece[DL_MOST_PIECES];
    char here[48], other[48];
    int count = dl_weight_pieces(w, layer, param, piece);
    if (!count)
        dl_text_add(why, "a concatenation of images, whose order in PyTorch is not known");
    for (int i = 0; i < count; i++) {
        found[i] = find(s, there, piece[i].name);
        if (!found[i] && count == 1)
            found[i] = find(s, there, param->name);
        if (!found[i] && strcmp(piece[i].name, param->name) != 0)
            dl_text_add(why, "%s missing", piece[i].name);
        else if (!found[i])
            dl_text_add(why, "missing");
        if (!found[i])
            return 0;
        if (found[i]->bytes && fits(piece[i].shape, found[i]->shape))
            continue;
        dl_text_add(why, "%s in the file, %s here", found[i]->what,
                    dl_shape_text(here, param->shape));
        if (!dl_shape_equal(piece[i].shape, param->shape))
            dl_text_add(why, ", which is %s in %s", dl_shape_text(other, piece[i].shape),
                        programs[w->layout]);
        return 0;
    }
    return count;
}

int dl_stored_read(dl_stored_weights *s, const dl_weight_layout *w, const dl_layer *layer,
                   const dl_param *param, const char *there, dl_text *why, dl_error *error) {
    dl_stored *found[DL_MOST_PIECES] = {NULL};
    dl_piece piece[DL_MOST_PIECES];
    int count = dl_stored_locate(s, w, layer, param, there, found, why);
    for (int i = 0; i < DL_MOST_PIECES; i++)
        if (found[i] && found[i]->invalid)
            return dl_fail(error, DL_DATA,
                           "%s: the entry of its tensor \"%s\" is invalid, or its data exceed the "
                           "file",
                           s->file, found[i]->name);
    dl_weight_pieces(w, layer, param, piece);
    for (int i = 0; i < count; i++) {
        dl_piece_read(&piece[i], found[i]->bytes, param->value);
        found[i]->used = true;
    }
    return count > 0;
}

/* ---- layouts ---- */

/* Names that one program alone uses; 0: none. */
static int layout_of_names(const dl_stored_weights *s) {
    static const char *const torch[] = {"running_mean",   "num_batches_tracked", "weight_ih_l0",
                                        "in_proj_weight", "weight_hh_l0",        NULL};
    static const char *const keras[] = {"kernel",           "gamma",      "moving_mean",
                                        "recurrent_kernel", "embeddings", NULL};
    for (int i = 0; i < s->count; i++) {
        const char *point = strrchr(s->items[i].path, '.');
        const char *last = point ? point + 1 : s->items[i].path;
        for (int k = 0; torch[k]; k++)
            if (!strcmp(last, torch[k]))
                return DL_LAYOUT_TORCH;
        for (int k = 0; keras[k]; k++)
            if (!strcmp(last, keras[k]))
                return DL_LAYOUT_KERAS;
    }
    return 0;
}

/* Tensors that fit a net in one layout only, and those that fit it in both. */
typedef struct {
    int ours, torch, both;
    const char *example; /* of `both` */
} votes;

static void vote(votes *v, dl_stored_weights *s, const dl_weight_layout *torch,
                 const dl_layer *layer, const dl_param *param, const char *there) {
    dl_piece piece[DL_MOST_PIECES];
    bool differs = param->shape.rank % 2 == 0 && param->layout != DL_TORCH_SAME;
    const dl_stored *found = find(s, there, param->name);
    if (!differs || param->count == 1 || !found || !found->bytes ||
        !dl_weight_pieces(torch, layer, param, piece))
        return;
    bool ours = dl_shape_equal(found->shape, param->shape);
    bool theirs = fits(piece[0].shape, found->shape);
    v->ours += ours && !theirs;
    v->torch += theirs && !ours;
    if (ours && theirs && !v->both++)
        v->example = dl_arena_printf(&s->arena, "%s.%s", layer->name, param->name);
}

int dl_stored_find_layout(dl_stored_weights *s, const dl_net *net, dl_layer_name *name_of,
                          void *context, const char **ambiguous) {
    votes v = {0};
    dl_weight_layout torch;
    int named = layout_of_names(s);
    *ambiguous = NULL;
    if (named)
        return named;
    dl_weight_layout_open(&torch, net, DL_LAYOUT_TORCH);
    for (int i = 0; i < net->layer_count; i++) {
        const dl_layer *l = &net->layers[i];
        for (int p = 0; p < l->param_count; p++)
            if (dl_layer_owns(l, p))
                vote(&v, s, &torch, l, &l->params[p], name_of(context, l->name));
    }
    dl_weight_layout_free(&torch);
    if (!v.ours && !v.torch)
        *ambiguous = v.example;
    if (v.ours && v.torch)
        return DL_LAYOUT_AUTO;
    return v.torch ? DL_LAYOUT_TORCH : DL_LAYOUT_DLTRAIN;
}

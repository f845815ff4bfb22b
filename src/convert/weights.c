/* SPDX-License-Identifier: MIT */
#include "convert/weights.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* ---- names ---- */

typedef struct {
    const dl_net *net;
    dl_weight_layout layout;
    dl_arena arena;
    const char **there; /* [layer]: its name in the file; NULL: not known */
} names;

/* Reads lines "layer=its name there". */
static int read_map(names *n, const char *path, dl_error *error) {
    int64_t size;
    char *text = path ? dl_file_read(path, 1 << 24, &size, DL_USAGE, error) : NULL;
    char *rest = text, *line;
    int result = path && !text ? -1 : 0, number = 0;
    while ((line = strsep(&rest, "\n"))) {
        char *sign = strchr(line, '=');
        int i = 0;
        number++;
        line[strcspn(line, "\r")] = '\0';
        if (!*line || *line == '#')
            continue;
        size_t length = sign ? (size_t)(sign - line) : 0;
        while (i < n->net->layer_count &&
               (strncmp(n->net->layers[i].name, line, length) || n->net->layers[i].name[length]))
            i++;
        if (!sign || i == n->net->layer_count)
            result = dl_fail(error, DL_USAGE,
                             "%s:%d: \"%s\" is not \"layer=its name there\" with a layer of the "
                             "network",
                             path, number, line);
        else
            n->there[i] = dl_arena_strdup(&n->arena, sign + 1);
    }
    free(text);
    return result;
}

static int open_names(names *n, const dl_model *model, int layout, const char *map,
                      dl_error *error) {
    *n = (names){.net = &model->net};
    dl_weight_layout_open(&n->layout, n->net, layout);
    n->there = dl_arena_alloc(&n->arena, sizeof *n->there * (size_t)n->net->layer_count);
    return read_map(n, map, error);
}

static void close_names(names *n) {
    dl_weight_layout_free(&n->layout);
    dl_arena_free(&n->arena);
}

/* Parameter k that the layer owns, then its running statistics; NULL after the last. */
static const dl_param *param_of(const dl_layer *l, int k) {
    for (int p = 0; p < l->param_count; p++)
        if (dl_layer_owns(l, p) && k-- == 0)
            return &l->params[p];
    for (int s = 0; s < l->state_count; s++)
        if (!(l->states[s].flags & DL_CARRIED) && k-- == 0)
            return &l->states[s];
    return NULL;
}

/* ---- writing ---- */

typedef struct {
    dl_named_tensor *tensors;
    int count;
} tensor_list;

/* The tensor of that name, made of zeros if it is new. */
static char *tensor_of(tensor_list *list, dl_arena *arena, const char *name, dl_shape shape) {
    for (int i = 0; i < list->count; i++)
        if (!strcmp(list->tensors[i].name, name))
            return (char *)list->tensors[i].value;
    float *value = dl_arena_alloc(arena, sizeof *value * (size_t)dl_shape_size(shape));
    list->tensors[list->count++] = (dl_named_tensor){.name = name, .shape = shape, .value = value};
    return (char *)value;
}

static int add_layer(tensor_list *list, const names *n, int i, dl_arena *arena, dl_error *error) {
    const dl_layer *l = &n->net->layers[i];
    const char *there = n->there[i] ? n->there[i] : l->name;
    const dl_param *param;
    for (int k = 0; (param = param_of(l, k)); k++) {
        dl_piece piece[DL_MOST_PIECES];
        int count = dl_weight_pieces(&n->layout, l, param, piece);
        if (!count)
            return dl_fail(error, DL_USAGE,
                           "%s: \"%s\" reads a concatenation of images, whose order in PyTorch is "
                           "not known",
                           l->where, l->name);
        for (int p = 0; p < count; p++) {
            char *name = n->there[i] ? dl_stored_level_name(there, piece[p].name, arena) : NULL;
            name = name ? name : dl_arena_printf(arena, "%s.%s", there, piece[p].name);
            for (char *c = name; *c && n->layout.layout == DL_LAYOUT_KERAS; c++)
                *c = *c == '.' ? '/' : *c;
            dl_piece_write(&piece[p], param->value, tensor_of(list, arena, name, piece[p].shape));
        }
    }
    return 0;
}

static void add_normalization(tensor_list *list, const dl_normalization *n, const char *shift,
                              const char *scale) {
    if (!n->count)
        return;
    dl_shape shape = dl_shape1((int)n->count);
    list->tensors[list->count++] = (dl_named_tensor){shift, shape, n->shift, false};
    list->tensors[list->count++] = (dl_named_tensor){scale, shape, n->scale, false};
}

int dl_weights_list(const dl_model *model, const dl_convert_options *options, dl_arena *arena,
                    dl_named_tensor **tensors, dl_error *error) {
    const dl_net *net = &model->net;
    const dl_data *data = &model->data;
    int layout = options->like == DL_LAYOUT_AUTO ? DL_LAYOUT_DLTRAIN : options->like, result;
    int params = net->param_count + net->state_param_count;
    tensor_list list = {.tensors = *tensors = dl_arena_alloc(
                            arena, sizeof **tensors * (size_t)(params * DL_MOST_PIECES + 4))};
    names n;
    result = open_names(&n, model, layout, options->map, error);
    for (int i = 0; i < net->layer_count && !result; i++)
        result = add_layer(&list, &n, i, arena, error);
    close_names(&n);
    if (layout == DL_LAYOUT_DLTRAIN) {
        add_normalization(&list, &data->input, "normalization.input.shift",
                          "normalization.input.scale");
        add_normalization(&list, &data->target, "normalization.target.shift",
                          "normalization.target.scale");
    } else if (data->input.count || data->target.count)
        dl_text_add(options->notes,
                    "the inputs and targets of this net are normalized, (x - shift) * scale; an "
                    "npz or CSV file without --like has these numbers\n");
    return result ? -1 : list.count;
}

/* ---- reading ---- */

static bool has_all(const names *n, dl_stored_weights *stored, int i, const char *there) {
    const dl_param *param;
    dl_stored *found[DL_MOST_PIECES];
    bool all = true;
    for (int k = 0; all && (param = param_of(&n->net->layers[i], k)); k++) {
        dl_text why = {0};
        all = dl_stored_locate(stored, &n->layout, &n->net->layers[i], param, there, found, &why);
        dl_text_free(&why);
    }
    return all;
}

/* The first layer there, by name, that has this layer's tensors and belongs to no other. */
static void match_layer(names *n, dl_stored_weights *stored, int i) {
    dl_piece piece[DL_MOST_PIECES];
    const dl_layer *l = &n->net->layers[i];
    if (!dl_weight_pieces(&n->layout, l, param_of(l, 0), piece))
        return;
    for (int k = 0; k < stored->count && !n->there[i]; k++) {
        char *there = dl_stored_layer(&stored->items[k], piece[0].name, &n->arena);
        bool taken = !there;
        for (int j = 0; j < n->net->layer_count && !taken; j++)
            taken = n->there[j] && !strcmp(n->there[j], there);
        if (!taken && has_all(n, stored, i, there))
            n->there[i] = there;
    }
}

static void match_names(names *n, dl_stored_weights *stored, dl_text *notes) {
    int count = n->net->layer_count;
    bool *matched = dl_arena_alloc(&n->arena, sizeof *matched * (size_t)count);
    bool any = false;
    for (int i = 0; i < count; i++)
        if (!n->there[i] && param_of(&n->net->layers[i], 0) &&
            has_all(n, stored, i, n->net->layers[i].name))
            n->there[i] = n->net->layers[i].name;
    for (int i = 0; i < count; i++)
        if (!n->there[i] && param_of(&n->net->layers[i], 0)) {
            match_layer(n, stored, i);
            any |= matched[i] = n->there[i] != NULL;
        }
    if (any)
        dl_text_add(notes, "layers were matched by the order of their names and by shapes (--map "
                           "FILE, with such lines, sets them):\n");
    for (int i = 0; i < count; i++)
        if (matched[i]) {
            dl_text_add(notes, "%s=", n->net->layers[i].name);
            dl_text_add_plain(notes, n->there[i]);
            dl_text_add(notes, "\n");
        }
}

static void note_unused(const dl_stored_weights *stored, dl_text *notes) {
    int count = 0;
    const char *example = NULL;
    for (int i = 0; i < stored->count; i++) {
        const dl_stored *item = &stored->items[i];
        const char *batches = strstr(item->path, "num_batches_tracked");
        if (item->used || batches || !strncmp(item->path, "normalization.", 14))
            continue;
        example = count++ ? example : item->name;
    }
    if (!count)
        return;
    dl_text_add(notes, "%d tensor%s of the file %s not used, as ", count, count > 1 ? "s" : "",
                count > 1 ? "are" : "is");
    dl_text_add_plain(notes, example);
    dl_text_add(notes, "\n");
}

static int read_layers(const names *n, dl_stored_weights *stored, dl_error *error) {
    int result = 0;
    for (int i = 0; i < n->net->layer_count; i++) {
        const dl_layer *l = &n->net->layers[i];
        const dl_param *param;
        for (int k = 0; (param = param_of(l, k)); k++) {
            dl_text why = {0};
            int read = dl_stored_read(stored, &n->layout, l, param,
                                      n->there[i] ? n->there[i] : l->name, &why, error);
            if (!read)
                result = dl_fail(error, DL_USAGE, "%s: %s.%s: %s (is --like right?)", stored->file,
                                 l->name, param->name, dl_text_get(&why));
            result |= read < 0 ? -1 : 0;
            dl_text_free(&why);
        }
    }
    return result;
}

static const char *same_name(void *context, const char *layer) {
    (void)context;
    return layer;
}

int dl_weights_read(dl_model *model, dl_stored_weights *stored, const dl_convert_options *options,
                    dl_error *error) {
    const char *ambiguous = NULL;
    int layout = options->like;
    if (layout == DL_LAYOUT_AUTO)
        layout = dl_stored_find_layout(stored, &model->net, same_name, NULL, &ambiguous);
    if (layout == DL_LAYOUT_AUTO || ambiguous)
        return dl_fail(error, DL_USAGE,
                       "%s: its weights%s%s fit as [in][out] and as PyTorch's [out][in]: give "
                       "--like torch, keras or dltrain",
                       stored->file, ambiguous ? ", as " : "", ambiguous ? ambiguous : "");
    names n;
    int result = open_names(&n, model, layout, options->map, error);
    if (!result) {
        match_names(&n, stored, options->notes);
        result = read_layers(&n, stored, error);
    }
    const dl_layer *assumed = dl_weight_find_assumed(&n.layout);
    if (!result && assumed)
        dl_text_add(options->notes,
                    "without biases the file does not say whether the GRU \"%s\" has reset_after: "
                    "it is read as true, Keras's default\n",
                    assumed->name);
    if (!result)
        note_unused(stored, options->notes);
    close_names(&n);
    return result;
}

/* SPDX-License-Identifier: MIT */
/* A translated graph as a config, for people and for dltrain, and as a checkpoint. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "convert/onnx_import.h"
#include "run/checkpoint.h"

/* ---- the config ---- */

static bool is_picture(const dl_onnx_import *in) {
    const int *dim = in->input.dim;
    return in->input.rank == 3 && (dim[2] == 1 || dim[2] == 3) && dim[0] > 7 && dim[1] > 7 &&
           dim[0] <= 4096 && dim[1] <= 4096;
}

static const char *data_format(const dl_onnx_import *in) {
    return in->options->data ? in->options->data : is_picture(in) ? "image_folder" : "npy";
}

static void add_data(const dl_onnx_import *in, dl_text *text) {
    const int *dim = in->input.dim;
    char shape[48];
    dl_shape_text(shape, in->input);
    dl_text_add(text,
                "// Data to test and train on: put in your own files. A sample is %s%s.\n"
                "data =\n{\n",
                shape, in->input.rank == 3 ? " (height, width, channels)" : "");
    if (!strcmp(data_format(in), "image_folder"))
        dl_text_add(text,
                    "    format = \"image_folder\"; // other: image_list, npy, …\n"
                    "    size = (%d, %d);\n    channels = \"%s\";\n"
                    "    train = { folder = \"train\"; }; // a subfolder for each class\n"
                    "    test = { folder = \"test\"; };\n",
                    dim[0], dim[1], dim[2] == 1 ? "gray" : "color");
    else
        dl_text_add(text, "    format = \"npy\"; // other: csv, npz, image_folder, …\n"
                          "    train = { inputs = \"train-inputs.npy\"; targets = "
                          "\"train-targets.npy\"; };\n"
                          "    test = { inputs = \"test-inputs.npy\"; targets = "
                          "\"test-targets.npy\"; };\n");
    dl_text_add(text, "};\n\n");
}

static void add_layer(const dl_onnx_import *in, int i, int before, dl_text *text) {
    const dl_onnx_layer *layer = &in->layers[i];
    dl_text_add(text, "    { layer = \"%s\"; name = \"%s\"; %s%s", layer->type, layer->name,
                dl_text_get(&layer->options), layer->activation ? layer->activation : "");
    bool has_weight = false, has_bias = false;
    for (int t = 0; t < layer->tensor_count; t++) {
        has_weight |= !strcmp(layer->tensors[t].name, "weight");
        has_bias |= !strcmp(layer->tensors[t].name, "bias");
    }
    if (layer->takes_bias && has_weight && !has_bias)
        dl_text_add(text, "bias = false; ");
    if (layer->input_count > 1 || layer->inputs[0] != before) {
        dl_text_add(text, "inputs = (");
        for (int k = 0; k < layer->input_count; k++)
            dl_text_add(text, "%s\"%s\"", k ? ", " : "",
                        layer->inputs[k] < 0 ? "input" : in->layers[layer->inputs[k]].name);
        dl_text_add(text, "); ");
    }
}

/* npy files have no sequences: an image of one channel becomes one. */
static bool is_npy_sequence(const dl_onnx_import *in) {
    return in->input.rank == 2 && !strcmp(data_format(in), "npy");
}

static void add_network(const dl_onnx_import *in, dl_text *text) {
    dl_text_add(text, "network =\n(\n");
    int last = 0, before = -1;
    for (int i = 0; i < in->layer_count; i++)
        last = in->layers[i].removed ? last : i;
    if (is_npy_sequence(in))
        dl_text_add(text,
                    "    { layer = \"reshape\"; name = \"input_sequence\"; shape = (%d, %d); },\n",
                    in->input.dim[0], in->input.dim[1]);
    for (int i = 0; i <= last; i++) {
        if (in->layers[i].removed)
            continue;
        add_layer(in, i, before, text);
        dl_text_add(text, "}%s // %s\n", i < last ? "," : "", in->layers[i].origin);
        before = i;
    }
    dl_text_add(text, ");\n\n");
}

/* The loss that a graph which ends so was trained with, probably. */
static const char *probable_loss(const dl_onnx_import *in, const Onnx__ModelProto *model) {
    bool classes = false;
    for (size_t i = 0; i < model->n_metadata_props; i++)
        classes |=
            model->metadata_props[i]->key && !strcmp(model->metadata_props[i]->key, "classes");
    int last = in->layer_count - 1;
    while (last > 0 && in->layers[last].removed)
        last--;
    if (in->end == DL_SIGMOID || (classes && dl_shape_channels(in->layers[last].shape) == 1))
        return "binary_cross_entropy";
    return in->end == DL_SOFTMAX || classes ? "softmax_cross_entropy" : "mse";
}

void dl_onnx_write_config(dl_onnx_import *in, const Onnx__ModelProto *model, dl_text *text) {
    const char *loss = probable_loss(in, model), *base = dl_path_base(in->path);
    dl_text_add(text, "// A network converted from ONNX.\n\n");
    dl_text_add(text, "name = \"");
    for (size_t i = 0; base[i] && strcmp(base + i, ".onnx") && i < 100; i++)
        dl_text_add(text, "%c", isalnum((unsigned char)base[i]) ? base[i] : '-');
    dl_text_add(text, "%s\";\n\n", isalnum((unsigned char)base[0]) ? "" : "net");
    add_data(in, text);
    add_network(in, text);
    if (!strcmp(loss, "mse")) {
        dl_text_add(text, "// The graph does not say what it predicts: softmax_cross_entropy for "
                          "classes.\n");
        dl_text_add(&in->notes, "the graph does not say whether it predicts numbers or classes: "
                                "the loss is mse, for numbers; for classes convert it with --set "
                                "loss.type=softmax_cross_entropy\n");
    }
    dl_text_add(text, "loss = { type = \"%s\"; };\n", loss);
    dl_text_add(text, "\n// To train from here: training = { init_from = \"this folder\"; epochs = "
                      "10; };\n");
}

/* ---- the checkpoint ---- */

/* The names of the classes, one per line of the metadata "classes". */
static void add_class_names(const Onnx__ModelProto *model, dl_schema *schema) {
    const char *names = NULL;
    for (size_t i = 0; i < model->n_metadata_props; i++)
        if (model->metadata_props[i]->key && !strcmp(model->metadata_props[i]->key, "classes"))
            names = model->metadata_props[i]->value;
    int lines = names ? 1 : 0;
    bool numbers = true;
    for (const char *c = names; c && *c; c++) {
        lines += *c == '\n';
        numbers = numbers && (isdigit((unsigned char)*c) || *c == '\n');
    }
    if (!names || lines != schema->classes || numbers || !dl_text_is_utf8(names))
        return;
    schema->class_names = xcalloc((size_t)lines, sizeof *schema->class_names);
    for (int i = 0; i < lines; i++) {
        size_t length = strcspn(names, "\n");
        schema->class_names[i] = xcalloc(length + 1, 1);
        memcpy(schema->class_names[i], names, length);
        names += length + (names[length] != '\0');
    }
}

/* What the loss says of the targets. */
static dl_schema make_schema(const dl_onnx_import *in, const dl_model *model,
                             const Onnx__ModelProto *proto) {
    int last = in->layer_count - 1;
    while (last > 0 && in->layers[last].removed)
        last--;
    dl_shape out = in->layers[last].shape;
    int channels = dl_shape_channels(out), places = (int)(dl_shape_size(out) / channels);
    dl_schema schema = {.input = in->input, .outputs = (int)dl_shape_size(out)};
    if (is_npy_sequence(in))
        schema.input = dl_shape3(in->input.dim[0], in->input.dim[1], 1);
    if (model->loss->softmax && channels > 1) {
        schema.classes = channels;
        schema.outputs = places;
    } else if (model->loss->link == DL_SIGMOID && channels == 1)
        schema.classes = 2;
    add_class_names(proto, &schema);
    return schema;
}

static int load_weights(const dl_onnx_import *in, dl_net *net, dl_error *error) {
    int at = is_npy_sequence(in);
    for (int i = 0; i < in->layer_count; i++) {
        const dl_onnx_layer *from = &in->layers[i];
        if (from->removed)
            continue;
        const dl_layer *layer = &net->layers[at++];
        char here[48], there[48];
        if (!dl_shape_equal(layer->out.shape, from->shape))
            return dl_fail(error, DL_USAGE,
                           "%s: the layer \"%s\" has outputs of %s, but its node (%s) has %s",
                           in->path, from->name, dl_shape_text(here, layer->out.shape),
                           from->origin, dl_shape_text(there, from->shape));
        for (int k = 0; k < layer->param_count + layer->state_count; k++) {
            const dl_param *param =
                k < layer->param_count ? &layer->params[k] : &layer->states[k - layer->param_count];
            const char *point = strrchr(param->name, '.');
            const char *name = point ? point + 1 : param->name;
            const dl_onnx_tensor *tensor = NULL;
            for (int t = 0; t < from->tensor_count; t++)
                if (!strcmp(from->tensors[t].name, name) && from->tensors[t].count == param->count)
                    tensor = &from->tensors[t];
            if (!tensor)
                return dl_fail(error, DL_USAGE, "%s: the node of layer \"%s\" (%s) has no %s",
                               in->path, from->name, from->origin, name);
            memcpy(param->value, tensor->values, sizeof *param->value * (size_t)param->count);
        }
    }
    return 0;
}

static dl_normalization make_normalization(const dl_onnx_import *in) {
    dl_normalization made = {.count = in->normalized};
    if (!in->normalized)
        return made;
    made.shift = xcalloc((size_t)made.count, sizeof *made.shift);
    made.scale = xcalloc((size_t)made.count, sizeof *made.scale);
    for (int64_t i = 0; i < made.count; i++) {
        made.shift[i] = in->shift ? (float)in->shift[i] : 0;
        made.scale[i] = in->scale ? (float)in->scale[i] : 1;
    }
    return made;
}

static int build(const dl_onnx_import *in, const Onnx__ModelProto *proto, dl_model *model,
                 const char *folder, dl_error *error) {
    dl_schema schema = make_schema(in, model, proto);
    dl_normalization input = make_normalization(in), target = {0};
    dl_checkpoint_content content = {0};
    model->batch_size = 1;
    int result = dl_data_describe(&model->data, &schema, &input, &target, error);
    if (!result)
        result = dl_model_build(model, false, 1, error);
    if (!result)
        result = load_weights(in, &model->net, error);
    if (!result) {
        char *path = dl_path_join(folder, "best.safetensors");
        result = dl_checkpoint_save(path, model, &content, error);
        free(path);
    }
    dl_schema_free(&schema);
    free(input.shift);
    free(input.scale);
    return result;
}

/* Writes the folder's files. With overrides the config is not the one with comments. */
static int write_run(dl_onnx_import *in, const Onnx__ModelProto *proto, const char *folder,
                     dl_error *error) {
    const dl_convert_options *o = in->options;
    dl_config config = {0};
    dl_model model = {0};
    dl_text text = {0};
    dl_onnx_write_config(in, proto, &text);
    int result = dl_config_parse(&config, in->path, text.data, error);
    for (int i = 0; !result && i < o->set_count; i++)
        result = dl_config_set(&config, o->sets[i], error);
    if (!result && o->set_count) {
        dl_text_free(&text);
        dl_config_dump(&config, &text);
    }
    dl_table none = {(const dl_option[]){DL_OPTIONS_END}, &model};
    if (!result)
        result = dl_model_read(&model, &config, &none, error);
    if (!result)
        result = build(in, proto, &model, folder, error);
    if (!result) {
        char *path = dl_path_join(folder, "config.cfg");
        result = dl_file_write(path, text.data, text.length, error);
        free(path);
    }
    dl_text_free(&text);
    dl_model_free(&model);
    dl_config_free(&config);
    return result;
}

int dl_onnx_read(const char *path, const dl_convert_options *options, const char *folder,
                 dl_error *error) {
    int64_t size;
    char *bytes = dl_file_read(path, INT32_MAX, &size, DL_DATA, error);
    if (!bytes)
        return -1;
    Onnx__ModelProto *proto = dl_onnx_parse(bytes, size, path, error);
    free(bytes);
    if (!proto)
        return -1;
    dl_onnx_import in = {.path = path, .error = error, .options = options};
    int result = dl_onnx_translate(&in, proto);
    if (!result)
        result = write_run(&in, proto, folder, error);
    if (options->notes)
        dl_text_add(options->notes, "%s", dl_text_get(&in.notes));
    dl_onnx_import_free(&in);
    onnx__model_proto__free_unpacked(proto, NULL);
    return result;
}

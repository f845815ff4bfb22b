/* SPDX-License-Identifier: MIT */
/* ONNX files, which may hold anything: the nesting of their messages and the sizes of their tensors
   are checked before they are used. */
#include <math.h>
#include <string.h>

#include "convert/onnx_import.h"

/* ---- the messages ---- */

enum { DEEPEST = 24 }; /* nested messages, as protobuf-c reads them recursively */

static bool read_varint(const uint8_t **at, const uint8_t *end, uint64_t *value) {
    *value = 0;
    for (int shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

/* Whether the fields end where the message ends, down to the innermost message. */
static bool check_nesting(const ProtobufCMessageDescriptor *type, const uint8_t *at,
                          const uint8_t *end, int depth) {
    uint64_t key, length;
    while (at < end) {
        if (!read_varint(&at, end, &key))
            return false;
        switch (key & 7) {
        case 0:
            length = 0;
            if (!read_varint(&at, end, &key))
                return false;
            break;
        case 1:
            length = 8;
            break;
        case 5:
            length = 4;
            break;
        case 2:
            if (!read_varint(&at, end, &length))
                return false;
            break;
        default:
            return false;
        }
        if (length > (uint64_t)(end - at))
            return false;
        const ProtobufCFieldDescriptor *field =
            (key & 7) == 2 ? protobuf_c_message_descriptor_get_field(type, (unsigned)(key >> 3))
                           : NULL;
        if (field && field->type == PROTOBUF_C_TYPE_MESSAGE &&
            (depth == DEEPEST || !check_nesting(field->descriptor, at, at + length, depth + 1)))
            return false;
        at += length;
    }
    return true;
}

Onnx__ModelProto *dl_onnx_parse(const void *bytes, int64_t size, const char *path,
                                dl_error *error) {
    Onnx__ModelProto *model = NULL;
    if (check_nesting(&onnx__model_proto__descriptor, bytes, (const uint8_t *)bytes + size, 0))
        model = onnx__model_proto__unpack(NULL, (size_t)size, bytes);
    if (!model)
        dl_fail(error, DL_DATA, "%s: is not an ONNX file, or damaged", path);
    else if (!model->graph || !model->graph->n_node)
        dl_fail(error, DL_DATA, "%s: has no graph", path);
    if (model && (!model->graph || !model->graph->n_node)) {
        onnx__model_proto__free_unpacked(model, NULL);
        model = NULL;
    }
    return model;
}

/* ---- tensors ---- */

static float half(uint16_t bits) {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double value = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    if (exponent == 31)
        value = fraction ? NAN : INFINITY;
    return (float)(bits >> 15 ? -value : value);
}

/* The elements of a type, and the fields that hold them if raw_data does not. */
typedef struct {
    size_t bytes; /* in raw_data */
    size_t count; /* in its own field */
    bool real;
} storage;

static bool find_storage(const Onnx__TensorProto *t, storage *s) {
    switch (t->data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
        *s = (storage){4, t->n_float_data, true};
        return true;
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
        *s = (storage){8, t->n_double_data, true};
        return true;
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16:
        *s = (storage){2, t->n_int32_data, true};
        return true;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
        *s = (storage){8, t->n_int64_data, false};
        return true;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
        *s = (storage){4, t->n_int32_data, false};
        return true;
    case ONNX__TENSOR_PROTO__DATA_TYPE__BOOL:
        *s = (storage){1, t->n_int32_data, false};
        return true;
    default:
        return false;
    }
}

static double element(const Onnx__TensorProto *t, const storage *s, int64_t i) {
    const uint8_t *raw = t->raw_data.len ? t->raw_data.data + (size_t)i * s->bytes : NULL;
    union {
        float f;
        double d;
        int64_t l;
        int32_t i;
        uint16_t h;
        uint8_t b;
    } u = {0};
    if (raw)
        memcpy(&u, raw, s->bytes);
    switch (t->data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
        return (double)(raw ? u.f : t->float_data[i]);
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
        return raw ? u.d : t->double_data[i];
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16:
        return (double)half(raw ? u.h : (uint16_t)t->int32_data[i]);
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
        return (double)(raw ? u.l : t->int64_data[i]);
    case ONNX__TENSOR_PROTO__DATA_TYPE__BOOL:
        return raw ? u.b : t->int32_data[i];
    default:
        return raw ? u.i : t->int32_data[i];
    }
}

static int check_tensor(dl_onnx_import *in, const Onnx__TensorProto *t, const char *name,
                        int64_t *count, storage *s) {
    *count = 1;
    if (t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL || t->n_external_data)
        return dl_onnx_refuse(
            in,
            "tensor \"%s\": its data are in another file, which is not read: save "
            "the model as one file (onnx.save(model, path))",
            name);
    if (!find_storage(t, s))
        return dl_onnx_refuse(in, "tensor \"%s\": elements of type %d are not supported", name,
                              t->data_type);
    bool valid = t->n_dims <= DL_ONNX_MAX_RANK;
    for (size_t i = 0; valid && i < t->n_dims; i++)
        valid = dl_multiply(*count, t->dims[i], count);
    size_t held = t->raw_data.len ? t->raw_data.len / s->bytes : s->count;
    if (!valid || (t->raw_data.len && t->raw_data.len % s->bytes) || (uint64_t)*count != held)
        return dl_onnx_refuse(in, "tensor \"%s\": its shape does not match its %zu elements", name,
                              held);
    return 0;
}

const dl_onnx_constant *dl_onnx_read_tensor(dl_onnx_import *in, const Onnx__TensorProto *t) {
    storage s = {0};
    int64_t count;
    dl_text name = {0};
    dl_text_add_plain(&name, t->name && *t->name ? t->name : "constant");
    int result = check_tensor(in, t, dl_text_get(&name), &count, &s);
    dl_text_free(&name);
    if (result)
        return NULL;
    dl_onnx_constant *c = dl_arena_alloc(&in->arena, sizeof *c);
    c->rank = (int)t->n_dims;
    c->count = count;
    for (int i = 0; i < c->rank; i++)
        c->dim[i] = t->dims[i];
    if (s.real) {
        float *floats = dl_arena_alloc(&in->arena, sizeof *floats * (size_t)(count + 1));
        for (int64_t i = 0; i < count; i++)
            floats[i] = (float)element(t, &s, i);
        c->floats = floats;
    } else {
        double *numbers = dl_arena_alloc(&in->arena, sizeof *numbers * (size_t)(count + 1));
        for (int64_t i = 0; i < count; i++)
            numbers[i] = element(t, &s, i);
        c->numbers = numbers;
    }
    return c;
}

double dl_onnx_element(const dl_onnx_constant *c, int64_t i) {
    i = c->uniform ? 0 : i;
    return c->floats ? (double)c->floats[i] : c->numbers[i];
}

const dl_onnx_constant *dl_onnx_new_constant(dl_onnx_import *in, int rank, const int64_t *dims,
                                             const double *numbers, bool uniform) {
    dl_onnx_constant *c = dl_arena_alloc(&in->arena, sizeof *c);
    c->rank = rank;
    c->count = 1;
    c->uniform = uniform;
    for (int i = 0; i < rank; i++) {
        c->dim[i] = dims[i];
        if (!dl_multiply(c->count, dims[i], &c->count))
            return NULL;
    }
    size_t held = uniform ? 1 : (size_t)c->count;
    double *copy = dl_arena_alloc(&in->arena, sizeof *copy * (held + 1));
    memcpy(copy, numbers, sizeof *copy * held);
    c->numbers = copy;
    return c;
}

/* ---- attributes ---- */

const Onnx__AttributeProto *dl_onnx_attribute(const dl_onnx_import *in, const char *name) {
    for (size_t i = 0; i < in->node->n_attribute; i++)
        if (in->node->attribute[i]->name && !strcmp(in->node->attribute[i]->name, name))
            return in->node->attribute[i];
    return NULL;
}

int64_t dl_onnx_get_int(const dl_onnx_import *in, const char *name, int64_t otherwise) {
    const Onnx__AttributeProto *a = dl_onnx_attribute(in, name);
    return a ? a->i : otherwise;
}

double dl_onnx_get_float(const dl_onnx_import *in, const char *name, double otherwise) {
    const Onnx__AttributeProto *a = dl_onnx_attribute(in, name);
    return a ? (double)a->f : otherwise;
}

const char *dl_onnx_get_text(dl_onnx_import *in, const char *name, const char *otherwise) {
    const Onnx__AttributeProto *a = dl_onnx_attribute(in, name);
    return a ? dl_arena_printf(&in->arena, "%.*s", (int)(a->s.len < 100 ? a->s.len : 100),
                               a->s.len ? (const char *)a->s.data : "")
             : otherwise;
}

int dl_onnx_get_ints(const dl_onnx_import *in, const char *name, int most, int64_t *values) {
    const Onnx__AttributeProto *a = dl_onnx_attribute(in, name);
    int count = a && a->n_ints <= (size_t)most ? (int)a->n_ints : 0;
    for (int i = 0; i < count; i++)
        values[i] = a->ints[i];
    return count;
}

/* SPDX-License-Identifier: MIT */
#include "run/safetensors.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/file.h"
#include "base/memory.h"

enum { LARGEST_HEADER = 100 * 1000 * 1000, DIGITS = 8 };
static const char CHECKSUM_KEY[] = "\"checksum\":\"";
static const char NO_CHECKSUM[] = "00000000";
static const char OUR_FORMAT[] = "\"format\":\"dltrain ";

static int64_t bytes_of(const dl_named_tensor *tensor) {
    return dl_shape_size(tensor->shape) *
           (int64_t)(tensor->is_double ? sizeof(double) : sizeof(float));
}

static json_t *describe(const dl_named_tensor *tensor, int64_t *offset) {
    json_t *shape = json_array();
    for (int i = 0; i < tensor->shape.rank; i++)
        json_array_append_new(shape, json_integer(tensor->shape.dim[i]));
    int64_t end = *offset + bytes_of(tensor);
    json_t *object =
        json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensor->is_double ? "F64" : "F32", "shape",
                  shape, "data_offsets", (json_int_t)*offset, (json_int_t)end);
    *offset = end;
    return object;
}

/* The header, padded with blanks so that the tensors begin at a multiple of 8. */
static dl_text make_header(json_t *metadata, const dl_named_tensor *tensors, int count) {
    json_t *header = json_object();
    json_object_set(header, "__metadata__", metadata);
    int64_t offset = 0;
    for (int i = 0; i < count; i++)
        json_object_set_new(header, tensors[i].name, describe(&tensors[i], &offset));
    char *json = json_dumps(header, JSON_COMPACT);
    dl_text text = {0};
    dl_text_add_bytes(&text, json, strlen(json));
    while (text.length % 8)
        dl_text_add_bytes(&text, " ", 1);
    free(json);
    json_decref(header);
    return text;
}

static uint32_t add_crc(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    while (count) {
        uInt chunk = count > 1u << 30 ? 1u << 30 : (uInt)count;
        crc = (uint32_t)crc32(crc, at, chunk);
        at += chunk;
        count -= chunk;
    }
    return crc;
}

static void encode_length(unsigned char out[8], uint64_t length) {
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)(length >> (8 * i));
}

/* The header with its checksum, and the 8 bytes before it. */
static dl_text encode_header(json_t *metadata, const dl_named_tensor *tensors, int count,
                             unsigned char length[8]) {
    json_object_set_new(metadata, "checksum", json_string(NO_CHECKSUM));
    dl_text header = make_header(metadata, tensors, count);
    encode_length(length, header.length);
    uint32_t crc = add_crc(add_crc(0, length, 8), header.data, header.length);
    for (int i = 0; i < count; i++)
        crc = add_crc(crc, tensors[i].value, (size_t)bytes_of(&tensors[i]));
    char digits[DIGITS + 1];
    snprintf(digits, sizeof digits, "%08x", crc);
    memcpy(strstr(header.data, CHECKSUM_KEY) + sizeof CHECKSUM_KEY - 1, digits, DIGITS);
    return header;
}

/* Errors: see ferror(file). */
static void write_all(FILE *file, json_t *metadata, const dl_named_tensor *tensors, int count) {
    unsigned char length[8];
    dl_text header = encode_header(metadata, tensors, count, length);
    fwrite(length, 1, 8, file);
    fwrite(header.data, 1, header.length, file);
    for (int i = 0; i < count; i++)
        fwrite(tensors[i].value, 1, (size_t)bytes_of(&tensors[i]), file);
    dl_text_free(&header);
}

enum { CHUNK = 1 << 20 };

/* Whether the header describes these tensors (any, if `tensors` is NULL), and they end where the
   file does. */
static bool is_header_of(const char *json, size_t length, int64_t bytes,
                         const dl_named_tensor *tensors, int count) {
    json_t *header = json_loadb(json, length, JSON_REJECT_DUPLICATES, NULL), *entry;
    const char *name;
    int64_t end = 0, found = 0;
    json_object_foreach(header, name, entry) {
        json_int_t to =
            json_integer_value(json_array_get(json_object_get(entry, "data_offsets"), 1));
        end = to > end ? to : end;
        found += strcmp(name, "__metadata__") != 0;
    }
    bool good = json_object_get(header, "__metadata__") && end == bytes;
    int64_t offset = 0;
    for (int i = 0; tensors && good && i < count; i++) {
        json_t *wanted = describe(&tensors[i], &offset);
        good = json_equal(wanted, json_object_get(header, tensors[i].name));
        json_decref(wanted);
    }
    json_decref(header);
    return good && (!tensors || found == count);
}

/* Reads a written file back: header, checksum, list of tensors. */
static bool is_intact(dl_reader *reader, const dl_named_tensor *tensors, int count,
                      dl_error *error) {
    unsigned char prefix[8];
    uint64_t length = 0;
    if (dl_reader_read(reader, prefix, 8, error) != 8)
        return false;
    for (int i = 0; i < 8; i++)
        length |= (uint64_t)prefix[i] << (8 * i);
    if (length > LARGEST_HEADER)
        return false;
    char *header = xmalloc(length + 1), *chunk = xmalloc(CHUNK), digits[DIGITS + 1] = "",
         sum[DIGITS + 1];
    bool good = dl_reader_read(reader, header, (int64_t)length, error) == (int64_t)length;
    char *at = good ? memmem(header, length, CHECKSUM_KEY, sizeof CHECKSUM_KEY - 1) : NULL;
    if (at && header + length - at > (ptrdiff_t)sizeof CHECKSUM_KEY + DIGITS) {
        at += sizeof CHECKSUM_KEY - 1;
        memcpy(digits, at, DIGITS);
        memcpy(at, NO_CHECKSUM, DIGITS);
    }
    uint32_t crc = good ? add_crc(add_crc(0, prefix, 8), header, length) : 0;
    int64_t got = 0, bytes = 0;
    while (good && (got = dl_reader_read(reader, chunk, CHUNK, error)) > 0) {
        crc = add_crc(crc, chunk, (size_t)got);
        bytes += got;
    }
    snprintf(sum, sizeof sum, "%08x", crc);
    good = good && got == 0 && !strcmp(sum, digits) &&
           is_header_of(header, length, bytes, tensors, count);
    free(header);
    free(chunk);
    return good;
}

/* Replaces an older file only if the new one can be read back. */
static int commit(dl_writer *writer, const dl_named_tensor *tensors, int count, dl_error *error) {
    if (dl_writer_finish(writer, error))
        return -1;
    dl_reader *reader = dl_reader_open(writer->temporary, DL_FAILURE, error);
    bool intact = reader && is_intact(reader, tensors, count, error);
    dl_reader_close(reader);
    if (intact)
        return dl_writer_commit(writer, error);
    dl_fail(
        error, DL_FAILURE,
        "%s: is not replaced: the file reads back differently from what was written (the disk or "
        "the memory may be failing)",
        writer->path);
    dl_writer_abort(writer);
    return -1;
}

int dl_safetensors_write(const char *path, json_t *metadata, const dl_named_tensor *tensors,
                         int count, dl_error *error) {
    dl_writer writer;
    if (dl_writer_open(&writer, path, error))
        return -1;
    write_all(writer.file, metadata, tensors, count);
    return commit(&writer, tensors, count, error);
}

int dl_safetensors_write_encoded(const char *path, const void *bytes, size_t size,
                                 dl_error *error) {
    dl_writer writer;
    if (dl_writer_open(&writer, path, error))
        return -1;
    fwrite(bytes, 1, size, writer.file);
    return commit(&writer, NULL, 0, error);
}

char *dl_safetensors_encode(json_t *metadata, const dl_named_tensor *tensors, int count,
                            size_t *size) {
    char *bytes = NULL;
    FILE *file = open_memstream(&bytes, size);
    if (file) {
        write_all(file, metadata, tensors, count);
        bool failed = ferror(file) != 0;
        if (!fclose(file) && !failed)
            return bytes;
    }
    int64_t wanted = 0;
    for (int i = 0; i < count; i++)
        wanted += bytes_of(&tensors[i]);
    dl_out_of_memory((size_t)wanted);
}

static int damaged(const dl_safetensors *file, const char *how, dl_error *error) {
    return dl_fail(error, DL_DATA, "%s: is not an intact checkpoint: %s", file->path, how);
}

static bool header_has(const dl_safetensors *file, const char *words) {
    return memmem(file->bytes + 8, (size_t)(file->start - 8), words, strlen(words)) != NULL;
}

/* Finds the checksum as text, before the JSON is trusted. A file with neither a checksum nor our
   format is from another program. */
static int check_sum(dl_safetensors *file, bool foreign, dl_error *error) {
    char *header = file->bytes + 8, *end = file->bytes + file->start;
    size_t key = sizeof CHECKSUM_KEY - 1;
    char *at = memmem(header, (size_t)(end - header), CHECKSUM_KEY, key);
    if (!at && foreign && !header_has(file, OUR_FORMAT))
        return 0;
    if (!at || end - at < (ptrdiff_t)(key + DIGITS + 1))
        return damaged(file, "it has no checksum (was it written by another program?)", error);
    char digits[DIGITS + 1] = {0}, found[DIGITS + 1];
    memcpy(digits, at + key, DIGITS);
    memcpy(at + key, NO_CHECKSUM, DIGITS);
    snprintf(found, sizeof found, "%08x", add_crc(0, file->bytes, (size_t)file->size));
    memcpy(at + key, digits, DIGITS);
    if (strcmp(digits, found))
        return damaged(file, "its bytes do not match its checksum", error);
    return 0;
}

static int open_file(dl_safetensors *file, const char *path, bool foreign, dl_error *error) {
    *file = (dl_safetensors){.path = xstrdup(path)};
    file->bytes = dl_file_read(path, INT64_MAX / 4, &file->size, DL_DATA, error);
    if (!file->bytes)
        return -1;
    if (file->size < 8)
        return damaged(file, "it is shorter than 8 bytes", error);
    uint64_t length = 0;
    for (int i = 0; i < 8; i++)
        length |= (uint64_t)(unsigned char)file->bytes[i] << (8 * i);
    if (length > LARGEST_HEADER || (int64_t)length > file->size - 8 ||
        (length && file->bytes[8] != '{'))
        return damaged(file, "its first bytes are not a safetensors header, or it is truncated",
                       error);
    file->start = 8 + (int64_t)length;
    if (check_sum(file, foreign, error))
        return -1;
    json_error_t trouble;
    file->header = json_loadb(file->bytes + 8, (size_t)length, JSON_REJECT_DUPLICATES, &trouble);
    if (!json_is_object(file->header))
        return damaged(file, "its header is not JSON", error);
    return 0;
}

int dl_safetensors_open(dl_safetensors *file, const char *path, dl_error *error) {
    return open_file(file, path, false, error);
}

int dl_safetensors_open_foreign(dl_safetensors *file, const char *path, dl_error *error) {
    return open_file(file, path, true, error);
}

void dl_safetensors_close(dl_safetensors *file) {
    json_decref(file->header);
    free(file->bytes);
    free(file->path);
    *file = (dl_safetensors){0};
}

const char *dl_safetensors_text(const dl_safetensors *file, const char *key) {
    return json_string_value(json_object_get(json_object_get(file->header, "__metadata__"), key));
}

/* The data of a tensor of this type, or NULL if it is missing or exceeds the file. */
static const char *locate_type(const dl_safetensors *file, const char *name, const char *wanted,
                               int64_t size, dl_shape *shape) {
    json_t *entry = json_object_get(file->header, name);
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    json_t *dims = json_object_get(entry, "shape"), *range = json_object_get(entry, "data_offsets");
    if (!type || strcmp(type, wanted) || json_array_size(dims) > 4 || json_array_size(range) != 2)
        return NULL;
    *shape = (dl_shape){(int)json_array_size(dims), {1, 1, 1, 1}};
    int64_t count = 1;
    for (int i = 0; i < shape->rank; i++) {
        json_int_t dim = json_integer_value(json_array_get(dims, (size_t)i));
        if (dim < 1 || dim > INT32_MAX || !dl_multiply(count, dim, &count))
            return NULL;
        shape->dim[i] = (int)dim;
    }
    int64_t first = json_integer_value(json_array_get(range, 0));
    int64_t end = json_integer_value(json_array_get(range, 1)), room = file->size - file->start;
    if (first < 0 || end < first || end > room || (end - first) / size != count ||
        (end - first) % size)
        return NULL;
    return file->bytes + file->start + first;
}

const char *dl_safetensors_find(const dl_safetensors *file, const char *name, dl_shape *shape) {
    return locate_type(file, name, "F32", sizeof(float), shape);
}

int64_t dl_safetensors_count(const dl_safetensors *file, const char *name) {
    dl_shape shape;
    return dl_safetensors_find(file, name, &shape) ? dl_shape_size(shape) : -1;
}

int dl_safetensors_read(const dl_safetensors *file, const char *name, dl_shape shape, float *value,
                        dl_error *error) {
    dl_shape found;
    const char *bytes = dl_safetensors_find(file, name, &found);
    char a[48], b[48];
    if (!bytes)
        return dl_fail(error, DL_DATA, "%s: has no tensor \"%s\": it is from another network",
                       file->path, name);
    bool same = found.rank == shape.rank;
    for (int i = 0; same && i < shape.rank; i++)
        same = found.dim[i] == shape.dim[i];
    if (!same)
        return dl_fail(error, DL_DATA,
                       "%s: its tensor \"%s\" has shape %s, but the network's has %s: it is "
                       "from another network",
                       file->path, name, dl_shape_text(a, found), dl_shape_text(b, shape));
    memcpy(value, bytes, (size_t)dl_shape_size(shape) * sizeof *value);
    return 0;
}

int dl_safetensors_read_doubles(const dl_safetensors *file, const char *name, int64_t count,
                                double *value, dl_error *error) {
    dl_shape found;
    const char *bytes = locate_type(file, name, "F64", sizeof *value, &found);
    if (!bytes || dl_shape_size(found) != count)
        return dl_fail(
            error, DL_DATA,
            "%s: its tensor \"%s\" has %lld numbers, but the optimizer's state has %lld: "
            "its options or its network differ",
            file->path, name, bytes ? (long long)dl_shape_size(found) : 0, (long long)count);
    memcpy(value, bytes, (size_t)count * sizeof *value);
    return 0;
}

void dl_safetensors_add_shape(const dl_safetensors *file, const char *name, dl_text *text) {
    enum { MOST_DIMS = 8 };
    json_t *entry = json_object_get(file->header, name), *dims = json_object_get(entry, "shape");
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    if (!type || strcmp(type, "F32")) {
        dl_text_add_plain(text, type && strlen(type) < 16 ? type : "no numbers");
        return;
    }
    size_t count = json_array_size(dims);
    for (size_t i = 0; i < count && i < MOST_DIMS; i++)
        dl_text_add(text, "%s%lld", i ? "x" : "",
                    (long long)json_integer_value(json_array_get(dims, i)));
    dl_text_add(text, "%s", !count ? "one number" : count > MOST_DIMS ? "x…" : "");
}

bool dl_safetensors_is_unsupported(const dl_safetensors *file, const char *name) {
    json_t *entry = json_object_get(file->header, name);
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    json_t *dims = json_object_get(entry, "shape");
    return type && json_is_array(dims) && (strcmp(type, "F32") || json_array_size(dims) > 4);
}

/* SPDX-License-Identifier: MIT */
/* A file is a sequence of records: uint64 length, uint32 masked CRC-32C of these 8 bytes, data,
   uint32 masked CRC-32C of the data; little-endian; masked: (crc >> 15 | crc << 17) + 0xA282EAD8
   (tensorflow/core/lib/io/record_writer.h). The data is a protocol buffer Event; the fields used
   here (tensorflow/core/util/event.proto, framework/summary.proto) are:
     Event           double wall_time = 1, int64 step = 2, string file_version = 3,
                     Summary summary = 5, SessionLog session_log = 7
     SessionLog      enum status = 1, of which START is 1
     Summary         repeated Value value = 1
     Value           string tag = 1, float simple_value = 2, Image image = 4,
                     HistogramProto histo = 5
     Image           int32 height = 1, width = 2, colorspace = 3, bytes encoded_image_string = 4
     HistogramProto  double min = 1, max = 2, num = 3, sum = 4, sum_squares = 5,
                     packed repeated double bucket_limit = 6, bucket = 7 */
#include "run/tensorboard.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "image/grid.h"
#include "model/filters.h"

static const char prefix[] = "events.out.tfevents.";

bool dl_tensorboard_is_named(const char *name) {
    return !strncmp(name, prefix, sizeof prefix - 1);
}

/* ---- protocol buffers ---- */

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 }; /* wire types */

static void add_varint(dl_text *m, uint64_t value) {
    do {
        char byte = (char)((value & 127) | (value > 127 ? 128 : 0));
        dl_text_add_bytes(m, &byte, 1);
    } while (value >>= 7);
}

static void add_key(dl_text *m, int field, int wire) {
    add_varint(m, (uint64_t)(field << 3 | wire));
}

/* The low `count` bytes of a value, the lowest first. */
static void add_little_endian(dl_text *m, uint64_t value, int count) {
    for (int i = 0; i < count; i++) {
        char byte = (char)(value >> 8 * i & 255);
        dl_text_add_bytes(m, &byte, 1);
    }
}

static void add_int(dl_text *m, int field, int64_t value) {
    add_key(m, field, VARINT);
    add_varint(m, (uint64_t)value);
}

static void add_bits_of_double(dl_text *m, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_little_endian(m, bits, 8);
}

static void add_double(dl_text *m, int field, double value) {
    add_key(m, field, FIXED64);
    add_bits_of_double(m, value);
}

static void add_float(dl_text *m, int field, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_key(m, field, FIXED32);
    add_little_endian(m, bits, 4);
}

static void add_bytes(dl_text *m, int field, const void *bytes, size_t count) {
    add_key(m, field, BYTES);
    add_varint(m, count);
    dl_text_add_bytes(m, bytes, count);
}

/* Takes ownership of the inner message. */
static void add_message(dl_text *m, int field, dl_text *inner) {
    add_bytes(m, field, dl_text_get(inner), inner->length);
    dl_text_free(inner);
}

static void add_doubles(dl_text *m, int field, const double *value, int count) {
    dl_text packed = {0};
    for (int i = 0; i < count; i++)
        add_bits_of_double(&packed, value[i]);
    add_message(m, field, &packed);
}

/* ---- records ---- */

static uint32_t masked(const void *bytes, size_t count) {
    uint32_t crc = dl_crc32c(bytes, count);
    return (crc >> 15 | crc << 17) + 0xA282EAD8;
}

static int fail(const dl_tensorboard *board, dl_error *error) {
    return dl_fail(error, DL_FAILURE, "%s: cannot be written: %s", board->path, strerror(errno));
}

/* Adds time and step to an Event, writes it, and frees it. */
static int write_event(dl_tensorboard *board, dl_text *event, int64_t step, dl_error *error) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    add_double(event, 1, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    add_int(event, 2, step);
    dl_text record = {0};
    add_little_endian(&record, event->length, 8);
    add_little_endian(&record, masked(record.data, 8), 4);
    dl_text_add_bytes(&record, event->data, event->length);
    add_little_endian(&record, masked(event->data, event->length), 4);
    bool written = fwrite(record.data, 1, record.length, board->file) == record.length;
    dl_text_free(&record);
    dl_text_free(event);
    return written ? 0 : fail(board, error);
}

/* ---- values ---- */

static void add_value(dl_text *summary, const char *group, const char *name, int field,
                      dl_text *inner) {
    dl_text value = {0}, tag = {0};
    dl_text_add(&tag, "%s/%s", group, name);
    add_bytes(&value, 1, tag.data, tag.length);
    add_message(&value, field, inner);
    add_message(summary, 1, &value);
    dl_text_free(&tag);
}

static void add_scalar(dl_text *summary, const char *tag, double number) {
    dl_text value = {0};
    add_bytes(&value, 1, tag, strlen(tag));
    add_float(&value, 2, (float)number);
    add_message(summary, 1, &value);
}

/* BUCKETS equal steps from the least to the largest finite value. */
static void add_histogram(dl_text *summary, const char *group, const char *name, const float *x,
                          int64_t count) {
    enum { BUCKETS = 40 };
    double limit[BUCKETS], bucket[BUCKETS] = {0}, sum = 0, squares = 0, least = 0, most = 0;
    int64_t finite = 0;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(x[i]))
            continue;
        least = finite ? fmin(least, (double)x[i]) : (double)x[i];
        most = finite++ ? fmax(most, (double)x[i]) : (double)x[i];
        sum += (double)x[i];
        squares += (double)x[i] * (double)x[i];
    }
    int buckets = most > least ? BUCKETS : 1;
    for (int b = 0; b < buckets; b++)
        limit[b] = b + 1 < buckets ? least + (most - least) * (b + 1) / buckets : most;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(x[i])) {
            int b = most > least ? (int)(((double)x[i] - least) / (most - least) * buckets) : 0;
            bucket[b < buckets ? b : buckets - 1]++;
        }
    dl_text histogram = {0};
    const double numbers[] = {least, most, (double)finite, sum, squares};
    for (int f = 0; f < 5; f++)
        add_double(&histogram, f + 1, numbers[f]);
    add_doubles(&histogram, 6, limit, buckets);
    add_doubles(&histogram, 7, bucket, buckets);
    add_value(summary, group, name, 5, &histogram);
}

static void add_image(dl_text *summary, const char *group, const char *name, const dl_grid *grid) {
    enum { RED_GREEN_BLUE = 3 };
    int size;
    unsigned char *png = dl_grid_png(grid, &size);
    dl_text image = {0};
    add_int(&image, 1, grid->height);
    add_int(&image, 2, grid->width);
    add_int(&image, 3, RED_GREEN_BLUE);
    add_bytes(&image, 4, png, (size_t)size);
    add_value(summary, group, name, 4, &image);
    free(png);
}

/* ---- an epoch ---- */

static int add_samples(dl_text *summary, const dl_model *model, dl_error *error) {
    enum { MOST_SAMPLES = 32, MOST_SIDE = 512 };
    const dl_subset *part = &model->data.part[DL_TRAIN];
    dl_shape shape = model->data.schema.input;
    int count = part->count < MOST_SAMPLES ? (int)part->count : MOST_SAMPLES;
    if (shape.rank != 3 || shape.dim[0] > MOST_SIDE || shape.dim[1] > MOST_SIDE)
        return 0;
    int64_t size = dl_shape_size(shape);
    float *x = xcalloc((size_t)(count * size), sizeof *x);
    int result = 0;
    for (int i = 0; i < count && !result; i++)
        result = dl_dataset_read(part->dataset, part->index[i], x + i * size, NULL, error);
    if (!result) {
        dl_grid grid = dl_grid_images(x, count, shape, part->dataset->bytes);
        add_image(summary, "samples", "train", &grid);
        dl_grid_free(&grid);
    }
    free(x);
    return result;
}

int dl_tensorboard_add_epoch(dl_tensorboard *board, const dl_model *model, int64_t epoch,
                             const dl_scalar *scalars, int count, dl_error *error) {
    if (!board->file)
        return 0;
    const dl_net *net = &model->net;
    dl_text summary = {0}, event = {0};
    for (int s = 0; s < count; s++)
        add_scalar(&summary, scalars[s].tag, scalars[s].value);
    for (int p = 0; p < net->param_count; p++) {
        const dl_param *param = &net->params[p];
        add_histogram(&summary, "weights", param->name, param->value, param->count);
        if (param->grad)
            add_histogram(&summary, "gradients", param->name, param->grad, param->count);
    }
    dl_grid grid;
    const dl_layer *layer;
    if (dl_grid_filters(net, &grid, &layer)) {
        add_image(&summary, "filters", layer->name, &grid);
        dl_grid_free(&grid);
    }
    if (epoch == 1 && add_samples(&summary, model, error)) {
        dl_text_free(&summary);
        return -1;
    }
    add_message(&event, 5, &summary);
    if (write_event(board, &event, epoch, error))
        return -1;
    return fflush(board->file) ? fail(board, error) : 0;
}

/* ---- files ---- */

static int create_file(dl_tensorboard *board, const char *folder, dl_error *error) {
    char host[64] = "localhost";
    if (gethostname(host, sizeof host - 1) || strchr(host, '/'))
        memcpy(host, "localhost", sizeof "localhost");
    int file = -1;
    for (int n = 0; file < 0 && n < 1000; n++) { /* a new name, even within one second */
        dl_text path = {0};
        dl_text_add(&path, "%s/%s%010lld.%s.%d", folder, prefix, (long long)time(NULL), host, n);
        free(board->path);
        board->path = path.data;
        file = open(path.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file < 0 && errno != EEXIST)
            break;
    }
    board->file = file < 0 ? NULL : fdopen(file, "wb");
    return board->file ? 0 : fail(board, error);
}

int dl_tensorboard_open(dl_tensorboard *board, const char *folder, int64_t epoch, dl_error *error) {
    static const char version[] = "brain.Event:2";
    dl_text event = {0};
    if (create_file(board, folder, error))
        return -1;
    add_bytes(&event, 3, version, sizeof version - 1);
    if (write_event(board, &event, 0, error))
        return -1;
    if (epoch > 0) {
        dl_text session = {0};
        add_int(&session, 1, 1);
        add_message(&event, 7, &session);
        if (write_event(board, &event, epoch + 1, error))
            return -1;
    }
    return fflush(board->file) ? fail(board, error) : 0;
}

void dl_tensorboard_close(dl_tensorboard *board) {
    if (board->file)
        fclose(board->file);
    free(board->path);
    *board = (dl_tensorboard){0};
}

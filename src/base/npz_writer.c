/* SPDX-License-Identifier: MIT */
#include "base/npz_writer.h"

#include <string.h>
#include <zlib.h>

void dl_npy_write(dl_text *file, const char *type, int64_t rows, int rank, const int *dim,
                  const void *values, size_t bytes) {
    enum { START = 10, ALIGNED = 64 };
    dl_text header = {0};
    dl_text_add(&header, "{'descr': '%s', 'fortran_order': False, 'shape': (%lld,", type,
                (long long)rows);
    for (int i = 0; i < rank; i++)
        dl_text_add(&header, "%s%d", i ? ", " : " ", dim[i]);
    dl_text_add(&header, "), }");
    size_t length = (START + header.length + 1 + ALIGNED - 1) / ALIGNED * ALIGNED - START;
    while (header.length + 1 < length)
        dl_text_add(&header, " ");
    dl_text_add(&header, "\n");
    const char start[] = {
        '\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, (char)(length & 255), (char)(length >> 8)};
    dl_text_add_bytes(file, start, sizeof start);
    dl_text_add_bytes(file, header.data, header.length);
    dl_text_add_bytes(file, values, bytes);
    dl_text_free(&header);
}

static void add_little(dl_text *file, uint32_t value, int bytes) {
    for (; bytes; bytes--, value >>= 8)
        dl_text_add_bytes(file, (const char[]){(char)(value & 255)}, 1);
}

void dl_npz_writer_add(dl_npz_writer *w, const char *name, const dl_text *bytes) {
    uint32_t crc = (uint32_t)crc32_z(0, (const unsigned char *)bytes->data, bytes->length);
    size_t offset = w->zip.length, length = strlen(name);
    for (int central = 0; central < 2; central++) {
        dl_text *to = central ? &w->directory : &w->zip;
        add_little(to, central ? 0x02014b50 : 0x04034b50, 4);
        if (central)
            add_little(to, 20, 2);
        add_little(to, 20, 2);
        add_little(to, 0, 4);                  /* flags, stored */
        add_little(to, (uint32_t)33 << 16, 4); /* 1980-01-01: the same bytes at any time */
        add_little(to, crc, 4);
        add_little(to, (uint32_t)bytes->length, 4);
        add_little(to, (uint32_t)bytes->length, 4);
        add_little(to, (uint32_t)length, 2);
        add_little(to, 0, 2);
        for (int i = 0; central && i < 2; i++)
            add_little(to, 0, i ? 4 : 6);
        if (central)
            add_little(to, (uint32_t)offset, 4);
        dl_text_add_bytes(to, name, length);
    }
    dl_text_add_bytes(&w->zip, bytes->data, bytes->length);
    w->count++;
}

void dl_npz_writer_finish(dl_npz_writer *w) {
    uint32_t at = (uint32_t)w->zip.length;
    dl_text_add_bytes(&w->zip, dl_text_get(&w->directory), w->directory.length);
    add_little(&w->zip, 0x06054b50, 4);
    add_little(&w->zip, 0, 4);
    add_little(&w->zip, (uint32_t)w->count, 2);
    add_little(&w->zip, (uint32_t)w->count, 2);
    add_little(&w->zip, (uint32_t)w->directory.length, 4);
    add_little(&w->zip, at, 4);
    add_little(&w->zip, 0, 2);
}

void dl_npz_writer_free(dl_npz_writer *w) {
    dl_text_free(&w->zip);
    dl_text_free(&w->directory);
}

/* SPDX-License-Identifier: MIT */
/* Members of a tar archive (ustar, GNU or pax), plain or gzip, read once from the front. Untrusted
   bytes. */
#ifndef DL_FORMATS_TAR_H
#define DL_FORMATS_TAR_H

#include "base/file.h"

typedef struct {
    dl_reader *reader; /* borrowed */
    const char *path;  /* of the archive, for messages; borrowed */
    char name[257];
    char *long_name; /* of the member at hand, or of the next one; owned */
    int64_t size;    /* of the next one, from a pax header; -1: unknown */
} dl_tar;

typedef struct {
    const char *name; /* borrowed until the next call */
    char type;        /* '0' or 0: a file; '1', '2': links; '5': a folder */
    char *bytes;      /* [size] and a NUL; owned by the caller */
    int64_t size, offset;
} dl_tar_member;

void dl_tar_open(dl_tar *tar, dl_reader *reader, const char *path);
/* 1, 0 at the end, or -1 and an error. */
int dl_tar_next(dl_tar *tar, dl_tar_member *member, dl_error *error);
void dl_tar_close(dl_tar *tar);

#endif

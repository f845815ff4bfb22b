/* SPDX-License-Identifier: MIT */
/* What a folder or archive of images has besides images: counted, and reported in one line. */
#ifndef DL_FORMATS_OMISSIONS_H
#define DL_FORMATS_OMISSIONS_H

#include <stdint.h>

#include "base/text.h"

typedef enum {
    DL_OMITTED_HIDDEN,   /* a file or folder whose name begins with a dot */
    DL_OMITTED_ENDING,   /* a file that is not named like an image */
    DL_OMITTED_FOLDER,   /* a folder inside the folder of a class */
    DL_OMITTED_LINK,     /* a link, in an archive */
    DL_DAMAGED_CHECKSUM, /* not omitted: a PNG with a wrong CRC */
    DL_OMISSION_KINDS
} dl_omission;

typedef struct {
    int64_t count[DL_OMISSION_KINDS];
    dl_text example[DL_OMISSION_KINDS]; /* owned */
} dl_omissions;

void dl_omissions_add(dl_omissions *omissions, dl_omission kind, const char *name);
/* Adds a line, if there is anything to say, and frees; `notes` may be NULL. */
void dl_omissions_report(dl_omissions *omissions, const char *where, dl_text *notes);
void dl_omissions_free(dl_omissions *omissions);

#endif

/* SPDX-License-Identifier: MIT */
/* Decoded pictures, kept on disk from run to run: a file for each set of pictures, below
   $XDG_CACHE_HOME/dltrain (or ~/.cache/dltrain), with a name made of the content of the files that
   the pictures are in and of what they are brought to. It can be removed at any time. */
#ifndef DL_FORMATS_CACHE_H
#define DL_FORMATS_CACHE_H

#include <stdatomic.h>

#include "base/digest.h"
#include "formats/dataset.h"
#include "image/image.h"

/* The files that the pictures are in, in order. Borrowed until dl_cache_finish. */
typedef struct {
    char *const *path; /* [count] */
    int64_t count;
    const char *folder; /* that the paths are relative to; NULL: none */
} dl_cache_files;

/* All zero: there is no cache. */
typedef struct {
    dl_cache_notes *notes; /* borrowed */
    dl_cache_files files;
    dl_digest key, stamp; /* of the files' content; of their sizes and times */
    char *path;           /* of the cache's file, owned */
    /* there is one: */
    void *map; /* owned: the file, of map_size bytes, read-only */
    int64_t map_size, count;
    dl_shape shape;
    const unsigned char *pixels, *largest; /* in it: [count][shape], [count] or NULL */
    /* or one is being made: */
    bool writing;
    char *temporary; /* its name until then, owned */
    int descriptor;
    dl_digest *each; /* [room], owned: of each picture */
    int64_t room;
    atomic_int reason; /* the errno of a write that failed, or 0 */
} dl_cache;

/* Looks for the pictures of these files brought to `form`; its shape is to be known but for
   DL_IMAGE_EXACT. Afterwards cache->pixels are there, or the file is to be written (`writing`), or
   neither, and the notes say why. */
void dl_cache_open(dl_cache *cache, dl_cache_notes *notes, const dl_cache_files *files,
                   const dl_image_form *form);
/* Pictures 0 … count - 1 may be put from now on. */
void dl_cache_make_room(dl_cache *cache, int64_t count);
/* Writes picture i of `size` bytes; any thread. Does nothing if nothing is to be written. */
void dl_cache_put(dl_cache *cache, int64_t i, const unsigned char *pixels, int64_t size);
/* Whether all that was put until now is written. */
bool dl_cache_is_writing(const dl_cache *cache);
/* All pictures were put, or looked up; largest[count] or NULL is kept with them. From now on
   cache->pixels are there unless that cannot be, and then the notes say why. 0, or -1 and an error:
   the files are not those any more whose pictures were found. */
int dl_cache_finish(dl_cache *cache, dl_shape shape, int64_t count, const unsigned char *largest,
                    dl_error *error);
/* Also throws away what was not finished. */
void dl_cache_free(dl_cache *cache);

#endif

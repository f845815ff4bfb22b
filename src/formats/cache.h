/* SPDX-License-Identifier: MIT */
/* On-disk cache of decoded images: one file per set of images below $XDG_CACHE_HOME/dltrain or
   ~/.cache/dltrain, named by a digest of the image files and the form. Files can be removed at any
   time. */
#ifndef DL_FORMATS_CACHE_H
#define DL_FORMATS_CACHE_H

#include <stdatomic.h>

#include "base/digest.h"
#include "formats/dataset.h"
#include "image/image.h"

/* The image files, in order. Borrowed until dl_cache_finish. */
typedef struct {
    char *const *path; /* [count] */
    int64_t count;
    const char *folder; /* of relative paths, or NULL */
} dl_cache_files;

/* All zero: no cache. */
typedef struct {
    dl_cache_notes *notes; /* borrowed */
    dl_cache_files files;
    dl_digest key, stamp; /* of content and form; of sizes and times */
    char *path;           /* of the cache file; owned */
    /* an existing file: */
    void *map; /* the mapped file, [map_size]; owned */
    int64_t map_size, count;
    dl_shape shape;
    const unsigned char *pixels, *largest; /* in map: [count][shape], [count] or NULL */
    /* or a file being written: */
    bool writing;
    char *temporary; /* owned */
    int descriptor;
    dl_digest *each; /* [capacity]: digests of the images; owned */
    int64_t capacity;
    atomic_int reason; /* errno of a failed write, or 0 */
} dl_cache;

/* Looks up the images of these files in `form`, whose shape must be known unless DL_IMAGE_EXACT.
   Sets cache->pixels if found, else `writing`; neither if the cache cannot be used, see notes. */
void dl_cache_open(dl_cache *cache, dl_cache_notes *notes, const dl_cache_files *files,
                   const dl_image_form *form);
/* To be called before dl_cache_put of images 0 … count - 1. */
void dl_cache_reserve(dl_cache *cache, int64_t count);
/* Writes image i of `size` bytes, if writing. Thread-safe. */
void dl_cache_put(dl_cache *cache, int64_t i, const unsigned char *pixels, int64_t size);
/* Whether the file is being written without errors so far. */
bool dl_cache_is_writing(const dl_cache *cache);
/* To be called after all images were put or found, with their maxima (or NULL). Sets cache->pixels,
   unless writing failed (see notes). 0, or -1 and an error if the image files changed meanwhile. */
int dl_cache_finish(dl_cache *cache, dl_shape shape, int64_t count, const unsigned char *largest,
                    dl_error *error);
/* Discards an unfinished file. */
void dl_cache_free(dl_cache *cache);

#endif

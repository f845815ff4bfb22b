/* SPDX-License-Identifier: MIT */
/* Common to image formats: many images decoded to one shape by several threads. They are kept as
   bytes; above the memory limit only their positions are kept and they are decoded on demand; or
   they are in a cache file. */
#ifndef DL_FORMATS_PICTURES_H
#define DL_FORMATS_PICTURES_H

#include "formats/cache.h"
#include "formats/csv.h"
#include "formats/omissions.h"
#include "image/image.h"

typedef struct {
    int channels, resize;
    int64_t size[2]; /* height, width; 0: that of the first image */
} dl_picture_options;

extern const char *const dl_picture_channels[], *const dl_picture_resizes[];

/* Rows of an option table whose struct has a member `pictures` of dl_picture_options. */
#define DL_PICTURE_OPTIONS(owner)                                                                  \
    DL_CHOICE_OPTION("channels", owner, pictures.channels, "color", dl_picture_channels,           \
                     "gray (one channel) or color (three), to which all images are converted; "    \
                     "transparency is ignored"),                                                   \
        DL_PAIR_OPTION(                                                                            \
            "size", owner, pictures.size, DL_NO_DEFAULT, 1, 4096,                                  \
            "size to which all images are resized; default: all images must have the same size"),  \
        DL_CHOICE_OPTION("resize", owner, pictures.resize, "stretch", dl_picture_resizes,          \
                         "how an image is resized: stretch (ignores the aspect ratio), fit "       \
                         "(keeps it, with black borders) or crop (keeps it and crops the center)")

/* Where a picture is to be had. Its strings and bytes are borrowed. */
typedef struct {
    const char *name; /* for messages */
    const char *path; /* the file; NULL: it is in bytes[count] */
    const void *bytes;
    int64_t count, offset; /* offset: of the bytes in the archive, if there is one */
} dl_picture_source;

/* And where it is to be had again. */
typedef struct {
    char *path;            /* the file, owned; NULL: it is in the archive */
    int64_t offset, count; /* there */
} dl_picture_place;

typedef struct {
    const dl_dataset *dataset; /* whose memory the pictures take, while they are added; borrowed */
    const char *where;         /* what they are in, for messages while they are added; borrowed */
    int64_t memory;     /* bytes that they may take, 0: any; above it they are decoded on demand */
    dl_image_form form; /* its shape is known from the first picture on */
    bool on_demand;     /* there are no pixels, but places */
    unsigned char *pixels;    /* [count][size], owned */
    dl_picture_place *places; /* [count], owned; after dl_pictures_finish only if on_demand */
    char *archive;            /* the file that pictures without a path are in, owned, or NULL */
    int descriptor;           /* then of this open file */
    unsigned char *largest;   /* [count], owned: each picture's largest value; labels only */
    dl_cache cache;           /* where it has pixels there are neither pixels nor places here */
    int64_t size, count, room, places_room;
    dl_omissions omissions;
    int64_t bad;       /* pictures that cannot be read */
    dl_text bad_names; /* of the first ones */
} dl_pictures;

enum { DL_PICTURES_PIECE = 512 }; /* a good number of pictures to add at once */

/* `pictures` is all zero; `labels`: their values are class numbers. */
void dl_pictures_begin(dl_pictures *pictures, const dl_dataset *dataset,
                       const dl_picture_options *options, bool labels, const char *where);
/* Pictures without a path are at their offsets in this file, from which they can be read again; not
   if it is a pipe or the like. */
void dl_pictures_open_archive(dl_pictures *pictures, const char *path);
/* If the data set is to have a cache: looks for the pictures of these files there. To be called
   before the first is added, which is then not decoded, or is written there too. `files` and what
   it points to are borrowed until dl_pictures_finish. */
void dl_pictures_open_cache(dl_pictures *pictures, const dl_cache_files *files);
/* Reads count more, all with a path or all without one. One that cannot be read is noted, and takes
   its place. 0, or -1 and an error: another size than the first (and no size is asked for), or too
   much for the memory. */
int dl_pictures_add(dl_pictures *pictures, const dl_picture_source *sources, int64_t count,
                    dl_error *error);
/* When all are added: 0, or -1 and an error that lists what could not be read, or says that it was
   changed meanwhile. */
int dl_pictures_finish(dl_pictures *pictures, dl_error *error);
/* Also of an all-zero one. */
void dl_pictures_free(dl_pictures *pictures);

/* ---- one class a picture: the state of such a format ---- */

typedef struct {
    dl_pictures pictures;
    int *classes; /* [pictures.count], owned */
} dl_classed_pictures;

/* When all is read: checks the pictures, sets the schema and the count of the data set, and changes
   the classes from numbers of `names` to those of the schema: the names in order, or those of
   `like`. 0, or -1 and errors. */
int dl_classed_finish(dl_dataset *dataset, const dl_string_set *names, const dl_schema *like,
                      dl_error *error);
/* The same as in a dl_dataset_type. */
int dl_classed_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error);
void dl_classed_prefetch(const dl_dataset *dataset, int64_t i);
void dl_classed_close(dl_dataset *dataset);

/* out[size] = picture i, by any thread. 0, or -1 and an error: it is decoded on demand, and is not
   any more what it was. */
int dl_pictures_read(const dl_pictures *pictures, int64_t i, float *out, dl_error *error);
/* A hint that it will be read soon. */
void dl_pictures_prefetch(const dl_pictures *pictures, int64_t i);

#endif

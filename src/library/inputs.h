/* SPDX-License-Identifier: MIT */
/* What the files about inputs share. */
#ifndef DL_LIBRARY_INPUTS_H
#define DL_LIBRARY_INPUTS_H

#include "formats/csv.h"
#include "formats/omissions.h"
#include "image/image.h"
#include "library/net.h"

typedef enum { PART_ARRAYS, PART_PICTURES, PART_TABLE, PART_FRAMES } part_kind;

typedef struct {
    char *name;  /* for people; owned */
    char *path;  /* the file; NULL: it is in bytes[count], or at `offset` of the archive */
    char *bytes; /* owned */
    int64_t count, offset;
    int height, width; /* 0: unknown; only where all must have the net's size */
    char *problem;     /* NULL, or why its size is not allowed; owned */
} input_picture;

/* An operand, or several that follow each other and are pictures. */
typedef struct {
    part_kind kind;
    char *path; /* owned */
    const dl_kind *kind_of_arrays;
    bool json;              /* tables: JSON lines */
    input_picture *picture; /* [count] */
    int64_t count, room;
    int archive; /* descriptor of the tar archive that pictures are in; 0: none */
} input_part;

typedef struct table_reader table_reader;
typedef struct picture_reader picture_reader;

struct dltrain_inputs {
    dltrain_net *net;
    dltrain_input_options options; /* strings are the arena's */
    dl_arena arena;
    input_part *part;    /* [part_count] */
    int part_count, at;  /* at: the part that is being read */
    dl_reader *standard; /* standard input; NULL: not used */
    bool resized;        /* the nets were built for another size of pictures */
    bool fixed_size;     /* they cannot be */
    table_reader *table;
    picture_reader *pictures;
    /* the answers at hand, [net->batch] each */
    dltrain_answers answers;
    dl_arena strings;
    float *out, *input;
    int *classes;
    const char **file, **kept, **problem;
    long long *row;
    dl_omissions omissions;
    dl_text skipped, notes; /* of formats; of all */
    long long frames;       /* read so far */
    int64_t unknown;        /* rows that were skipped, or given null */
    char *unknown_example;
};

/* list.c: turns the operands into parts. 0, or -1 and errors. */
int inputs_list(dltrain_inputs *in);
/* pictures.c: pictures and arrays, prepared by the loader's threads. 1: answers; 0: the end of the
   part; -1 and an error. */
int inputs_next_pictures(dltrain_inputs *in, input_part *part);
void inputs_close_pictures(dltrain_inputs *in);
/* table.c: CSV and JSON lines. */
int inputs_next_rows(dltrain_inputs *in, input_part *part);
void inputs_close_table(dltrain_inputs *in);
/* frames.c */
int inputs_next_frame(dltrain_inputs *in, input_part *part);

/* inputs.c. Builds the nets for another size of images. 0, or -1 and an error. */
int inputs_resize(dltrain_inputs *in, int height, int width);
/* The form of pictures of a member: 0, or -1 and an error if its inputs are none. */
int inputs_form(const dltrain_inputs *in, const net_member *m, dl_image_form *form,
                dl_error *error);
/* Runs the nets on their inputs and fills the answers. */
void inputs_answer(dltrain_inputs *in, int count);

#endif

/* SPDX-License-Identifier: MIT */
/* libdltrain: answers of nets trained with dltrain, for C and C++.

       dltrain_net *net;
       if (dltrain_open("runs/latest", NULL, &net) == DLTRAIN_OK) {
           const dltrain_info *info = dltrain_describe(net);
           float *x = ..., *y = ...;      [info->input_size], [info->output_size]
           dltrain_run(net, x, 1, y);
       }
       dltrain_close(net);

   Functions that return an int return DLTRAIN_OK or another code of dltrain_code; dltrain_error
   then has the message. The library keeps no global state, prints nothing and never exits, except
   when memory runs out in one of its own threads. Each thread needs its own handles. */
#ifndef DLTRAIN_H
#define DLTRAIN_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined __GNUC__
#define DLTRAIN_API __attribute__((visibility("default")))
#else
#define DLTRAIN_API
#endif

typedef enum {
    DLTRAIN_OK = 0,
    DLTRAIN_FAILURE = 1, /* out of memory, cannot start a thread */
    DLTRAIN_USAGE = 2,   /* options that the net does not allow */
    DLTRAIN_DATA = 3     /* a checkpoint or an input that cannot be read */
} dltrain_code;

/* "0.2.0" */
DLTRAIN_API const char *dltrain_version(void);

/* ---- nets ---- */

/* One net, or several that answer together. */
typedef struct dltrain_net dltrain_net;

/* All zero: the defaults. Everything is borrowed until dltrain_open returns. */
typedef struct {
    int batch;                 /* most samples of one run; 0: 1 */
    int threads;               /* of OpenMP; 0: as many as it would use */
    int last;                  /* of a run's folder: last.safetensors, not best.safetensors */
    const char *const *others; /* [other_count] further nets: the answer is the mean of all */
    int other_count;
    int vote;                /* the class that most nets choose, instead of the mean */
    int samples;             /* > 0: runs each input so often with random dropout (Monte Carlo
                                dropout); the answer is the mean */
    const char *layer;       /* answer with the outputs of this layer; NULL: of the net */
    int height, width;       /* size of the input images of a fully convolutional net; 0: as in
                                training */
    const char *const *sets; /* [set_count] "key=value": override keys of the config */
    int set_count;
} dltrain_options;

typedef enum {
    DLTRAIN_CLASSES, /* one class per sample, or per position of it */
    DLTRAIN_NUMBERS, /* numbers in the units of the training targets */
    DLTRAIN_INPUTS,  /* the input again (autoencoders), in its units */
    DLTRAIN_COLORS,  /* the colors of a gray image: red, green, blue from 0 to 255 */
    DLTRAIN_OUTPUTS  /* those of a layer */
} dltrain_kind;

typedef struct {
    const char *name; /* of the run */
    dltrain_kind kind;
    /* One sample: [height][width][channels], [steps][channels] or [numbers], channels innermost. */
    int input_rank, input_dim[4];
    size_t input_size;
    /* One answer. Classes: [positions...][classes], of which the last may be scores; the positions
       of a class per sample are none. */
    int output_rank, output_dim[4];
    size_t output_size;
    int classes;                     /* > 0: kind is DLTRAIN_CLASSES */
    size_t positions;                /* that have a class; else 1 */
    int probabilities;               /* the outputs of a position add up to 1 */
    const char *const *class_names;  /* [classes]; "0", "1", ... if they have no names */
    const char *const *target_names; /* [output_size] of numbers from a table; else NULL */
    int columns;                     /* of tables; else 0 */
    const char *const *column_names; /* [columns] of the inputs */
    const double *origin; /* [output_size]: to be added to numbers, whose floats are too short for
                             their range; usually NULL */
    int is_text;          /* dltrain_generate is possible */
} dltrain_info;

/* Opens a run's folder or a checkpoint. *net is NULL only if memory runs out; it is to be closed
   also after a failure, whose message dltrain_error has. `options` may be NULL. */
DLTRAIN_API int dltrain_open(const char *path, const dltrain_options *options, dltrain_net **net);
DLTRAIN_API void dltrain_close(dltrain_net *net);
/* The message of the last failure, one line or more; "" if there was none. */
DLTRAIN_API const char *dltrain_error(const dltrain_net *net);
/* Owned by the net; NULL after a failed open. */
DLTRAIN_API const dltrain_info *dltrain_describe(const dltrain_net *net);

/* out[count][output_size] = the answers for x[count][input_size], in the units of the training
   data: pixels from 0 to 255, columns of tables as numbers or one-hot. Any count; batches of
   options.batch are run at a time. Allocates nothing after the first run with a
   count (oneDNN may). */
DLTRAIN_API int dltrain_run(dltrain_net *net, const float *x, size_t count, float *out);
/* The same for bytes. */
DLTRAIN_API int dltrain_run_bytes(dltrain_net *net, const unsigned char *x, size_t count,
                                  float *out);
/* The class of one position's outputs[classes]. */
DLTRAIN_API int dltrain_class(const dltrain_net *net, const float *outputs);

/* Receives the bytes of a symbol; 0: stop. */
typedef int (*dltrain_sink)(void *context, const char *bytes, size_t count);
typedef struct {
    const char *prompt; /* NULL or "": as at the start of a line */
    long long count;    /* symbols to add */
    double temperature; /* 0: the most likely symbol; 1: the net's probabilities */
    long long top_k;    /* choose among the k most likely symbols; 0: all */
    double top_p;       /* and among the fewest whose probabilities add up to p; 0: all */
    unsigned long long seed;
} dltrain_text;
/* Generates text with a net that predicts the next symbol. */
DLTRAIN_API int dltrain_generate(dltrain_net *net, const dltrain_text *text, dltrain_sink sink,
                                 void *context);

/* ---- inputs: files and streams, preprocessed as in training ---- */

typedef struct dltrain_inputs dltrain_inputs;

typedef enum {
    DLTRAIN_UNKNOWN_ERROR, /* the row has no answer, and is counted as bad */
    DLTRAIN_UNKNOWN_SKIP,  /* the row is skipped and counted */
    DLTRAIN_UNKNOWN_NULL   /* none of the categories; the mean of a number */
} dltrain_unknown;

typedef struct {
    /* Pictures, folders of pictures, tar archives, npy, npz, IDX, CSV and JSON lines, text;
       patterns
       ("*.png"); "-": one picture, or a stream of rows, on standard input. */
    const char *const *paths;
    int path_count;
    const char *const *keep; /* [keep_count] columns of tables to hand on */
    int keep_count;
    int raw_height, raw_width, raw_channels; /* standard input is raw frames of this size */
    dltrain_unknown unknown; /* categories that training did not have, and missing values, where
                                the config does not say what to do */
} dltrain_input_options;

/* The answers to some inputs, in their order; valid until the next call. */
typedef struct {
    int count;
    const float *out;           /* [count][output_size] */
    const float *deviation;     /* the same: standard deviations; NULL without options.samples */
    const int *classes;         /* [count][positions]; NULL without classes */
    const float *input;         /* [count][input_size] in the units of the data */
    const char *const *file;    /* [count]; NULL: there is one file */
    const char *counted;        /* "line", from 1; "row" or "frame", from 0; NULL: a file is one
                                   input */
    const long long *row;       /* [count]: its number in the file, or -1 */
    const char *const *kept;    /* [count][keep_count] */
    const char *const *problem; /* [count]: NULL, or why there is no answer */
    double seconds;             /* of a raw frame: from its last byte to the answer; else 0 */
} dltrain_answers;

/* Opens inputs for a net. *inputs is never NULL unless memory runs out. Close it before the net. */
DLTRAIN_API int dltrain_inputs_open(dltrain_net *net, const dltrain_input_options *options,
                                    dltrain_inputs **inputs);
DLTRAIN_API void dltrain_inputs_close(dltrain_inputs *inputs);
/* The next answers. *answers is NULL at the end. A net of another input size (DLTRAIN_USAGE of
   dltrain_open) changes what dltrain_describe returns. */
DLTRAIN_API int dltrain_inputs_next(dltrain_inputs *inputs, const dltrain_answers **answers);
/* What was skipped, dropped or guessed, one line each; "" if nothing was. */
DLTRAIN_API const char *dltrain_inputs_notes(const dltrain_inputs *inputs);

/* A PNG of pixels[height][width][channels] (1: gray, 3: color) in *size bytes, to be freed with
   free. */
DLTRAIN_API unsigned char *dltrain_png(const unsigned char *pixels, int height, int width,
                                       int channels, size_t *size);

#ifdef __cplusplus
}
#endif

#endif

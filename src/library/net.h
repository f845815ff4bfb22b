/* SPDX-License-Identifier: MIT */
/* What the files of the library share. */
#ifndef DL_LIBRARY_NET_H
#define DL_LIBRARY_NET_H

#include "library/dltrain.h"
#include "model/test_time_augmentation.h"
#include "run/checkpoint.h"

typedef struct {
    char *path; /* of the checkpoint */
    dl_checkpoint checkpoint;
    dl_model model;
    dl_arena arena;
    dl_views views;
    int layer;        /* whose outputs are the answer; -1: the net's */
    int64_t running;  /* samples of the pass */
    float *tap;       /* [batch][output_size]: that layer's outputs, or NULL */
    float *x;         /* [batch][input size]: normalized */
    float *input;     /* of the next run: x, or a batch of the loader */
    double *position; /* [classes]: probabilities of a position */
} net_member;

struct dltrain_net {
    dl_error error;
    dl_arena arena; /* of info */
    dltrain_info info;
    bool open;
    net_member *member; /* [count] */
    int count, batch, threads, samples;
    int height, width; /* options.height, width */
    bool vote;
    char *layer; /* options.layer */
    uint32_t pass;
    /* of several passes that are combined, [batch][output_size]; or NULL */
    double *sum, *square;
    float *votes, *once, *deviation;
};

/* How a model answers: with others, by vote, with a layer's outputs (-1: the net's). */
typedef struct {
    bool together, vote;
    int layer;
} net_answer;
/* Names are the arena's and the model's. */
void net_describe(const dl_model *model, const net_answer *answer, dl_arena *arena,
                  dltrain_info *info);
/* Runs function(context) with the handle's errors cleared. Returns its code. */
int net_guard(dltrain_net *net, int (*function)(void *context), void *context);
/* out[count][output_size] = the answers to the inputs of all members; count is at most net->batch.
   Sets net->deviation. */
void net_run(dltrain_net *net, int count, float *out);
/* Builds all nets again, for images of another size. 0, or -1 and net->error. */
int net_resize(dltrain_net *net, int height, int width);
/* The option of a data format in a member's config, as for dl_option; NULL: there is none. */
void *net_format_option(const dl_dataset *dataset, const char *key);

#endif

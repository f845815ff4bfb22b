/* SPDX-License-Identifier: MIT */
/* Text generation by a net that was trained to predict the next symbol. */
#ifndef DL_MODEL_GENERATE_H
#define DL_MODEL_GENERATE_H

#include "model/model.h"

typedef struct {
    const char *prompt; /* start of the text; NULL or "": as at the start of a line */
    int64_t count;      /* symbols to generate after it */
    int64_t top_k;      /* choose among the k most likely symbols; 0: all */
    double top_p;       /* and among the fewest whose probabilities add up to p; 0: all */
    double temperature; /* 1: the net's probabilities; lower: less random; 0: the most likely one */
    uint64_t seed;
} dl_generate_options;

/* Receives the bytes of a symbol; false: stop. */
typedef bool (*dl_generate_sink)(void *context, const char *bytes, int count);

/* Sends the symbols of the prompt, then the generated ones, to `sink`, one by one. The model's data
   are a text (dl_symbols_check); it is built for batches of one sample or more, and has its
   weights. `name`: the checkpoint's, for messages. -1 and an error of DL_USAGE if the net cannot
   generate. */
int dl_generate(dl_model *model, const dl_generate_options *options, const char *name,
                dl_generate_sink sink, void *context, dl_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* Writing: a net that has learnt to foretell the next symbol of a text makes a text of its own. */
#ifndef DL_MODEL_GENERATE_H
#define DL_MODEL_GENERATE_H

#include "model/model.h"

typedef struct {
    const char
        *prompt;   /* what the text begins with; NULL or "": as if at the beginning of a line */
    int64_t count; /* symbols to be written behind it */
    double temperature; /* 1: by the net's own probabilities; less: bolder; 0: the likeliest one */
    uint64_t seed;
} dl_generate_options;

/* Takes the bytes of a symbol; false: no more are wanted. */
typedef bool (*dl_generate_sink)(const char *bytes, int count);

/* Hands the prompt's symbols and then those that are drawn to `sink`, each as soon as it is known.
   The experiment's data are a text (dl_symbols_check), it has been built for batches of one sample
   or more, and has its weights. `name` is
   the checkpoint's, for messages. -1 and an error of DL_USAGE if the net cannot write. */
int dl_generate(dl_model *model, const dl_generate_options *options, const char *name,
                dl_generate_sink sink, dl_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/* A checkpoint is one self-contained safetensors file: weights and running statistics under their
   full names, and the normalization; in the metadata the resolved config and the schema of the
   data; and the content that the caller adds. */
#ifndef DL_RUN_CHECKPOINT_H
#define DL_RUN_CHECKPOINT_H

#include "model/model.h"
#include "run/safetensors.h"

typedef struct {
    const char *key, *value;
} dl_metadata;

/* Metadata and tensors to add to a model. All zero: nothing. */
typedef struct {
    dl_arena arena;     /* owns keys, values and names */
    dl_metadata *pairs; /* [pair_count], owned */
    int pair_count;
    dl_named_tensor *tensors; /* [tensor_count], owned; their values are borrowed */
    int tensor_count;
    bool carried; /* also save the states carried between batches: within an epoch */
} dl_checkpoint_content;

void dl_checkpoint_content_add_text(dl_checkpoint_content *content, const char *key,
                                    const char *value);
void dl_checkpoint_content_add_number(dl_checkpoint_content *content, const char *key,
                                      int64_t value);
void dl_checkpoint_content_add_doubles(dl_checkpoint_content *content, const char *key,
                                       const double *values, int64_t count);
void dl_checkpoint_content_add_tensor(dl_checkpoint_content *content, dl_named_tensor tensor);
void dl_checkpoint_content_free(dl_checkpoint_content *content);

/* Atomic: the file is complete, or not replaced. */
int dl_checkpoint_save(const char *path, const dl_model *model,
                       const dl_checkpoint_content *content, dl_error *error);
/* The same bytes in memory; freed by the caller. */
char *dl_checkpoint_encode(const dl_model *model, const dl_checkpoint_content *content,
                           size_t *size);

/* An open checkpoint, with its config parsed. */
typedef struct {
    dl_safetensors file;
    dl_config config;
    dl_schema schema;
    dl_normalization input, target;
    int64_t batch_size;
} dl_checkpoint;

/* 0, or -1 and an error of DL_DATA; call dl_checkpoint_close after either. */
int dl_checkpoint_open(dl_checkpoint *checkpoint, const char *path, dl_error *error);
void dl_checkpoint_close(dl_checkpoint *checkpoint);
/* Checks that the training file, if it is open and shared between parts, is split as when the
   checkpoint was made: 0, or -1 and an error. */
int dl_checkpoint_check_split(const dl_checkpoint *checkpoint, const dl_data *data,
                              dl_error *error);
/* Loads weights and running statistics into a net that was built. */
int dl_checkpoint_load_net(const dl_checkpoint *checkpoint, dl_net *net, dl_error *error);
/* Loads the states that the last batch of an incomplete epoch carries to the next one; the batch
   size must be the same. */
int dl_checkpoint_load_carried(const dl_checkpoint *checkpoint, dl_net *net, dl_error *error);
/* The added metadata. A missing key: NULL for the text, an error for the others. A number is not
   negative. */
const char *dl_checkpoint_text(const dl_checkpoint *checkpoint, const char *key);
int dl_checkpoint_number(const dl_checkpoint *checkpoint, const char *key, int64_t *value,
                         dl_error *error);
int dl_checkpoint_doubles(const dl_checkpoint *checkpoint, const char *key, double *values,
                          int64_t count, dl_error *error);
/* Fails: the value of the key is missing or invalid. */
int dl_checkpoint_missing(const dl_checkpoint *checkpoint, const char *key, dl_error *error);

#endif

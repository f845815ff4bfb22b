/* SPDX-License-Identifier: MIT */
/* The `data` section of a config: its splits (train, validation, test) and their normalization. */
#ifndef DL_DATA_DATA_H
#define DL_DATA_DATA_H

#include "config/config.h"
#include "data/augment.h"
#include "formats/dataset.h"
#include "formats/text.h"

typedef enum { DL_TRAIN, DL_VALIDATION, DL_TEST, DL_SPLITS } dl_split;
extern const char *const dl_split_names[DL_SPLITS]; /* "train", "validation", "test" */

/* y = (x - shift[k]) * scale[k] with k = i % count for element i of a sample: count is the sample
   size (by feature), the channels (by channel) or 1 (global). count 0: identity. */
typedef struct {
    int64_t count;
    float *shift, *scale; /* owned */
} dl_normalization;

/* The rows of a dataset that form a split. */
typedef struct {
    const dl_dataset *dataset; /* NULL: no such split */
    int64_t *index, count;     /* owned; rows of the dataset, ascending */
    int64_t *class_count;      /* owned; positions per class or bin; NULL: regression */
} dl_subset;

typedef struct {
    /* options of the section */
    int normalize, normalize_by, normalize_target, split, predict, balance;
    config_setting_t *train, *validation, *test;
    int64_t split_seed;
    int64_t target_bins; /* <= 0: none */
    dl_augment augment;  /* dl_augment_options */
    int64_t fold,
        folds;    /* fold 1 … folds of the training file is used for validation; <= 0: none */
    bool bagging; /* train on a bootstrap sample drawn by `seed` */
    double train_share;   /* fraction of the training rows to use, drawn by `seed` */
    uint64_t seed;        /* of the experiment */
    int64_t memory_limit; /* in MB; <= 0: from the memory of the machine */
    bool cache;           /* cache decoded images on disk */
    /* set by dl_data_read */
    dl_config *config; /* borrowed */
    dl_arena arena;
    double share[DL_SPLITS];       /* > 0: fraction of the rows of the training file */
    dl_dataset dataset[DL_SPLITS]; /* type is NULL if the split has no files */
    /* set by dl_data_open */
    dl_cache_notes notes;       /* messages of the cache */
    dl_schema base;             /* of the training files */
    dl_schema schema;           /* as seen by the network: bins are classes */
    dl_dataset made[DL_SPLITS]; /* of the splits, if targets are derived from inputs */
    dl_subset part[DL_SPLITS];
    dl_normalization input, target; /* target: regression only */
    uint8_t *part_of;               /* owned; dl_split of each row of the training file */
    char digest[40];                /* of the split of the training file; "": not split */
} dl_data;

/* Choices of `balance`. */
enum { DL_BALANCE_NONE, DL_BALANCE_OVERSAMPLE, DL_BALANCE_WEIGHTS };

extern const dl_option dl_data_options[], dl_subsample_options[];

/* Reads and checks the `data` section, without reading data. `data` is all zero; call dl_data_free
   even after failure. */
int dl_data_read(dl_data *data, dl_config *config, dl_error *error);
/* "file:line" of an option, or of the section if it is missing. */
const char *dl_data_where(const dl_data *data, const char *key);
/* Opens and splits the files and computes the normalization from the training set. */
int dl_data_open(dl_data *data, dl_error *error);
/* The schema to save in a checkpoint. */
const dl_schema *dl_data_checkpoint_schema(const dl_data *data);
/* Opens only the files of split `only`, with schema (`base`) and normalizations (copied) of a
   checkpoint. */
int dl_data_open_part(dl_data *data, dl_split only, const dl_schema *base,
                      const dl_normalization *input, const dl_normalization *target,
                      dl_error *error);
/* Sets only schema (`base`) and normalizations (copied), for new inputs. */
int dl_data_describe(dl_data *data, const dl_schema *base, const dl_normalization *input,
                     const dl_normalization *target, dl_error *error);
void dl_data_free(dl_data *data);

/* The sum of the weights of the first `rows` rows. */
double dl_subset_weight(const dl_subset *subset, int64_t rows);

dl_symbols dl_data_symbols(const dl_data *data);

/* Normalizes x[count][size] in place. */
void dl_normalize(const dl_normalization *normalization, float *x, int64_t count, int64_t size);
/* The inverse. */
void dl_denormalize(const dl_normalization *normalization, float *x, int64_t count, int64_t size);

#endif

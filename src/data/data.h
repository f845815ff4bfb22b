/* SPDX-License-Identifier: MIT */
/* The `data` section of a config: its parts (train, validation, test), how they are split, and how
   their numbers are normalized. */
#ifndef DL_DATA_DATA_H
#define DL_DATA_DATA_H

#include "config/config.h"
#include "data/augment.h"
#include "formats/dataset.h"
#include "formats/text.h"

typedef enum { DL_TRAIN, DL_VALIDATION, DL_TEST, DL_SPLITS } dl_split;
extern const char *const dl_split_names[DL_SPLITS]; /* "train", "validation", "test" */

/* y = (x - shift[k]) * scale[k], where k is i % count for element i of a sample: count is the size
   of the sample (by feature), its channels (by channel), or 1 (global). count 0: nothing to do. */
typedef struct {
    int64_t count;
    float *shift, *scale; /* owned */
} dl_normalization;

/* The rows of a data set that make up a part. */
typedef struct {
    const dl_dataset *dataset; /* NULL: the config has no such part */
    int64_t *index, count;     /* owned; rows of the data set, ascending */
    int64_t *class_count;      /* owned; positions a class or bin, or NULL for regression */
} dl_subset;

typedef struct {
    /* options of the config's section */
    int normalize, normalize_by, normalize_target, split, predict, balance;
    config_setting_t *train, *validation, *test;
    int64_t split_seed;
    int64_t target_bins;  /* <= 0: none */
    dl_augment augment;   /* with the options of dl_augment_options */
    int64_t fold, folds;  /* fold 1 … folds of the training file is for validation; <= 0: none */
    bool bagging;         /* the training part is a bootstrap sample, drawn by `seed` */
    double train_share;   /* of the training part's rows, those that are kept, drawn by `seed` */
    uint64_t seed;        /* the experiment's */
    int64_t memory_limit; /* in MB; <= 0: by the machine's memory */
    bool cache;           /* decoded pictures are kept on disk */
    /* made by dl_data_read */
    dl_config *config; /* borrowed */
    dl_arena arena;
    double share[DL_SPLITS];       /* > 0: this share of the training file's rows */
    dl_dataset dataset[DL_SPLITS]; /* with its own files; type is NULL if it has none */
    /* made by dl_data_open */
    dl_cache_notes notes;       /* what the cache has to say */
    dl_schema base;             /* what the training files hold */
    dl_schema schema;           /* what the network sees of it, a number in bins as classes */
    dl_dataset made[DL_SPLITS]; /* where targets are made of inputs: what the parts then read */
    dl_subset part[DL_SPLITS];
    dl_normalization input, target; /* target: regression only */
    uint8_t *part_of;               /* owned; the dl_split of each of the training file's rows */
    char digest[40]; /* of the split of the training file: "" if none of its rows go elsewhere */
} dl_data;

/* As the choices of the option `balance`. */
enum { DL_BALANCE_NONE, DL_BALANCE_OVERSAMPLE, DL_BALANCE_WEIGHTS };

extern const dl_option dl_data_options[], dl_subsample_options[];

/* Reads and checks the `data` section, before any data is read. `data` is all zero; dl_data_free is
   fine after a failure. */
int dl_data_read(dl_data *data, dl_config *config, dl_error *error);
/* "file:line" of an option of the section, or of the section if it is not there. */
const char *dl_data_where(const dl_data *data, const char *key);
/* Opens the files, splits them and takes the statistics of the training part. */
int dl_data_open(dl_data *data, dl_error *error);
/* The schema that a checkpoint is to have: with bins and class counts where there are any. */
const dl_schema *dl_data_kept_schema(const dl_data *data);
/* Opens just what the part `only` needs, with schema (as `base`) and normalizations (copied) from a
   checkpoint: a part with files of its own needs no other file. */
int dl_data_open_part(dl_data *data, dl_split only, const dl_schema *base,
                      const dl_normalization *input, const dl_normalization *target,
                      dl_error *error);
/* Opens nothing: schema (as `base`) and normalizations alone (copied), for new inputs. */
int dl_data_describe(dl_data *data, const dl_schema *base, const dl_normalization *input,
                     const dl_normalization *target, dl_error *error);
void dl_data_free(dl_data *data);
/* The symbols of a text. */
dl_symbols dl_data_symbols(const dl_data *data);

/* x[count * size] in place, samples one after the other. */
void dl_normalize(const dl_normalization *normalization, float *x, int64_t count, int64_t size);
/* The inverse. */
void dl_denormalize(const dl_normalization *normalization, float *x, int64_t count, int64_t size);

#endif

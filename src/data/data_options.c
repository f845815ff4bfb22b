/* SPDX-License-Identifier: MIT */
/* The options of the `data` section, except those of formats. */
#include "data/bins.h"
#include "data/data.h"

static const char *const normalize_choices[] = {"none", "scale", "mean_std", "min_max", NULL};
static const char *const normalize_by_choices[] = {"auto", "feature", "channel", "global", NULL};
static const char *const normalize_target_choices[] = {"none", "mean_std", NULL};
static const char *const target_choices[] = {"label", "input", "same", "color", NULL};
static const char *const balance_choices[] = {"none", "oversample", "weights", NULL};
static const char *const memory_words[] = {"auto", NULL};
static const char *const bins_words[] = {"none", NULL};
static const char *const split_choices[] = {"auto", "stratified", "random", "tail", NULL};

const dl_option dl_data_options[] = {
    DL_SETTING_OPTION("train", dl_data, train, DL_REQUIRED,
                      "group with the training files, as options of the data format; options "
                      "common to all splits may be set in `data` itself"),
    DL_SETTING_OPTION("validation", dl_data, validation, DL_NO_DEFAULT,
                      "group with separate files, or a fraction between 0 and 1 of the training "
                      "file, which is held out from training to detect overfitting"),
    DL_SETTING_OPTION("test", dl_data, test, DL_NO_DEFAULT,
                      "group with separate files, or a fraction as for validation; used by dltest "
                      "only. The choice of rows does not depend on the fraction for validation"),
    DL_CHOICE_OPTION(
        "split", dl_data, split, "auto", split_choices,
        "how the training file is split: stratified (random, with the same class proportions), "
        "random, or tail (in file order: train, validation, test); auto is stratified for classes, "
        "random for numbers and tail for text. If the format csv has a `group`, the rows of a "
        "group stay together and the fractions are approximate"),
    DL_INT_OPTION("split_seed", dl_data, split_seed, "0", 0, 0,
                  "seed of the split; `seed` does not affect it"),
    DL_CHOICE_OPTION(
        "predict", dl_data, predict, "label", target_choices,
        "the target: label (of the files); input (the normalized sample itself, for autoencoders); "
        "same (the input is two stacked samples, the target whether they have the same class, true "
        "for half of the pairs; for siamese networks); color (the input is the gray version of an "
        "RGB image, the target its colors)"),
    DL_CHOICE_OPTION("normalize", dl_data, normalize, "none", normalize_choices,
                     "normalization of the inputs, with statistics of the training set: none; "
                     "scale (divide by 255 for 8-bit images, else by the largest absolute value); "
                     "mean_std (subtract the mean, divide by the standard deviation); min_max (to "
                     "0 .. 1). One-hot columns are not changed, and constant inputs not divided"),
    DL_CHOICE_OPTION("normalize_by", dl_data, normalize_by, "auto", normalize_by_choices,
                     "scope of the statistics: feature (each input), channel (all pixels of a "
                     "channel) or global (all inputs); auto is channel for images, else feature"),
    DL_CHOICE_OPTION("normalize_target", dl_data, normalize_target, "none",
                     normalize_target_choices,
                     "for regression: mean_std trains on (target - mean) / standard deviation; "
                     "predictions and errors are reported in the original units"),
    DL_INT_OR_WORD_OPTION(
        "target_bins", dl_data, target_bins, "none", 2, DL_MAX_BINS, bins_words,
        "regression as classification: the numeric target is divided into this many quantile bins "
        "of the training set, which the network learns with softmax_cross_entropy, one logit per "
        "bin. The prediction in the units of the target (rmse, mae, mse, r2) is the mean of the "
        "bins weighted by their probabilities. For targets that are not normally distributed "
        "around their expected value"),
    DL_CHOICE_OPTION(
        "balance", dl_data, balance, "none", balance_choices,
        "handling of imbalanced classes in training: none; oversample (rows of smaller classes are "
        "repeated until each class is as frequent as the largest, which makes an epoch longer); "
        "weights (class_weights = \"balanced\" of a loss that has them)"),
    DL_INT_OR_WORD_OPTION(
        "memory_limit", dl_data, memory_limit, "auto", 1, 1e9, memory_words,
        "maximum memory for the data of a split, in megabytes. Larger data is read and decoded on "
        "demand in each epoch by the formats that support it (image_folder, image_list, and "
        "image_tar unless gzipped) and rejected by the others; npy maps files of any size and "
        "rejects only arrays in Fortran order. auto: a quarter of the memory of the machine for "
        "formats that read on demand, all of it for the others"),
    DL_BOOL_OPTION(
        "cache", dl_data, cache, "false",
        "cache the decoded and resized images of image_folder, image_list and image_tar for later "
        "runs, in one file per set below $XDG_CACHE_HOME/dltrain or ~/.cache/dltrain. The file is "
        "mapped and does not count against memory_limit. Its name is a digest of the image files "
        "and of size, channels and resize: if any of them changes, a new file is created and the "
        "old one remains until you remove it, which is safe at any time. For sets that do not fit "
        "in memory or are used often; results are the same with and without it"),
    DL_OPTIONS_END,
};

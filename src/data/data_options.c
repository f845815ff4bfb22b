/* SPDX-License-Identifier: MIT */
/* The keys of the `data` section that are no format's. */
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
                      "a group that names the training files with the options of the data format; "
                      "an option that all parts share may stand in `data` itself"),
    DL_SETTING_OPTION(
        "validation", dl_data, validation, DL_NO_DEFAULT,
        "a group with files of its own, or a number between 0 and 1: this share of the training "
        "file's rows is kept from training and tells when it begins to overfit"),
    DL_SETTING_OPTION("test", dl_data, test, DL_NO_DEFAULT,
                      "a group with files of its own, or a share as for validation; only dltest "
                      "looks at it. The rows do not change when a share for validation is added"),
    DL_CHOICE_OPTION(
        "split", dl_data, split, "auto", split_choices,
        "how shares are taken: stratified (at random, each class in the same proportion), random, "
        "or tail (the last rows of the file: train, validation, test); auto is stratified for "
        "classes, random for numbers and tail for a text. Where the format csv has a `group`, its "
        "rows stay together, and the shares are as near as that allows"),
    DL_INT_OPTION("split_seed", dl_data, split_seed, "0", 0, 0,
                  "another number takes other rows; `seed` does not change them"),
    DL_CHOICE_OPTION(
        "predict", dl_data, predict, "label", target_choices,
        "what the network is to say: label (what the files say); input (the sample itself, "
        "normalized as it is: for autoencoders); same (two samples, one above the other, and "
        "whether they are of the same class, which half of the pairs are: for siamese networks); "
        "color (the image of three channels, of which only the grey is seen)"),
    DL_CHOICE_OPTION(
        "normalize", dl_data, normalize, "none", normalize_choices,
        "what is done to the inputs, by statistics of the training part only: none; scale (divide "
        "by 255 for images of bytes, else by the largest absolute value); mean_std (subtract the "
        "mean, divide by the standard deviation); min_max (to 0 .. 1). One-hot columns stay 0 and "
        "1, and what never changes is not divided"),
    DL_CHOICE_OPTION(
        "normalize_by", dl_data, normalize_by, "auto", normalize_by_choices,
        "what shares its statistics: feature (each input has its own), channel (all pixels of a "
        "channel together) or global (all inputs); auto is channel for images, else feature"),
    DL_CHOICE_OPTION("normalize_target", dl_data, normalize_target, "none",
                     normalize_target_choices,
                     "for regression: mean_std trains on (target - mean) / standard deviation; "
                     "predictions and errors are reported in the target's own unit"),
    DL_INT_OR_WORD_OPTION(
        "target_bins", dl_data, target_bins, "none", 2, DL_MOST_BINS, bins_words,
        "regression by classes: the target, one number, is cut into this many bins at the "
        "quantiles of the training part, each with as many rows, and the network learns the bin "
        "with softmax_cross_entropy, a logit a bin. Its prediction in the target's own unit (rmse, "
        "mae, mse, r2) is the bins' means, weighed by their probabilities. For targets that are "
        "not normal around their expected value"),
    DL_CHOICE_OPTION("balance", dl_data, balance, "none", balance_choices,
                     "what is done for rare classes: none; oversample (in an epoch each class of "
                     "the training part comes as often as its largest one: rows of the others come "
                     "again, and an epoch is that much longer); weights (a loss that has "
                     "class_weights takes \"balanced\" ones). What is tested on stays as it is"),
    DL_INT_OR_WORD_OPTION(
        "memory_limit", dl_data, memory_limit, "auto", 1, 1e9, memory_words,
        "how many megabytes the data of a part's files may take in memory. What is larger is read "
        "and decoded as needed, again in each epoch, by the formats that can (image_folder, "
        "image_list, and image_tar if the archive is not gzipped), and refused by the others; npy "
        "maps its files, however large they are, and refuses only arrays in the order of Fortran. "
        "auto: a quarter of the machine's memory for those that can, all of it for those that "
        "cannot"),
    DL_BOOL_OPTION(
        "cache", dl_data, cache, "false",
        "whether the pictures of image_folder, image_list and image_tar are kept, decoded and "
        "brought to their size, for the next run: in a file for each set of them below "
        "$XDG_CACHE_HOME/dltrain, or ~/.cache/dltrain, which is mapped, however large it is, so "
        "that memory_limit does not hold for it. Its name is a digest of the content of the "
        "pictures' files and of size, channels and resize: where one of these changes, another "
        "file is made, and the old one stays until you remove it (any of them may be removed at "
        "any time). For sets that do not fit in memory, or are opened often; the numbers are the "
        "same with it and without"),
    DL_OPTIONS_END,
};

/* SPDX-License-Identifier: MIT */
/* Folds: Stone, "Cross-validatory choice and assessment of statistical predictions", 1974;
   stratified as in Kohavi, "A study of cross-validation and bootstrap for accuracy estimation and
   model selection", 1995. The bootstrap: Efron, "Bootstrap methods: another look at the jackknife",
   1979; a sample contains about 1 - 1/e = 63 % of the rows. train_share: row j of the n_c rows of
   class c, in random order, gets position (j + 1/2) / n_c; any prefix of all rows sorted by
   position has the class proportions. */
#include "data/subsample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

static const char *const fold_words[] = {"none", NULL};

const dl_option dl_subsample_options[] = {
    DL_INT_OR_WORD_OPTION(
        "fold", dl_data, fold, "none", 1, 1 << 20, fold_words,
        "cross-validation: the training file, without the test rows, is divided into `folds` equal "
        "folds by split and split_seed, and this one, from 1, is used for validation instead of "
        "`validation`. dltrain --fold 2/5 sets both"),
    DL_INT_OR_WORD_OPTION("folds", dl_data, folds, "none", 2, 1 << 20, fold_words,
                          "number of folds; 5 and 10 are usual"),
    DL_BOOL_OPTION("bagging", dl_data, bagging, "false",
                   "train on a bootstrap sample: as many rows as the training set has, drawn with "
                   "replacement by `seed`. Validation and test rows are not affected. dltest "
                   "--average combines networks of several seeds"),
    DL_FLOAT_OPTION("train_share", dl_data, train_share, "1.0", 1e-6, 1,
                    "train on this fraction of the training set, drawn by `seed`, with the same "
                    "class proportions if the split is stratified; with split = \"tail\", on the "
                    "last rows. With the same seed, smaller fractions are subsets of larger ones. "
                    "Validation and test rows are not affected. See scripts/learning_curve.sh"),
    DL_OPTIONS_END,
};

int dl_subsample_check(dl_data *data, dl_error *error) {
    config_setting_t *section = config_lookup(&data->config->tree, "data");
    config_setting_t *fold = config_setting_get_member(section, "fold");
    const char *where = dl_config_where(data->config, fold ? fold : section);
    if (data->fold <= 0 && data->folds <= 0)
        return 0;
    if (data->fold <= 0 || data->folds <= 0)
        return dl_fail(error, DL_USAGE,
                       "%s: \"fold\" and \"folds\" must be used together (--fold 2/5 sets both)",
                       where);
    if (data->fold > data->folds)
        return dl_fail(error, DL_USAGE, "%s: \"fold\" is %lld, but there are only %lld folds",
                       where, (long long)data->fold, (long long)data->folds);
    if (data->dataset[DL_VALIDATION].type)
        return dl_fail(error, DL_USAGE,
                       "%s: a fold uses rows of the training file for validation, but "
                       "data.validation has separate files: remove it",
                       where);
    data->validation = fold;
    data->share[DL_VALIDATION] = (1 - data->share[DL_TEST]) / (double)data->folds;
    return 0;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void dl_subsample_bootstrap(int64_t *index, int64_t count, uint64_t seed) {
    size_t bytes = sizeof *index * (size_t)count;
    int64_t *all = memcpy(xmalloc(bytes ? bytes : 1), index, bytes);
    dl_draw draw = {.seed = seed, .purpose = DL_FOR_BAGGING};
    for (int64_t i = 0; i < count; i++) {
        uint32_t words[4];
        dl_random_words(&draw, (uint32_t)i, words);
        uint64_t chance = (uint64_t)words[0] << 32 | words[1];
        index[i] = all[chance % (uint64_t)count];
    }
    qsort(index, (size_t)count, sizeof *index, ascending);
    free(all);
}

typedef struct {
    double position;
    int64_t row;
    int class;
} positioned;

static int by_position(const void *a, const void *b) {
    const positioned *x = a, *y = b;
    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    return x->class != y->class ? (x->class > y->class) - (x->class < y->class)
                                : (x->row > y->row) - (x->row < y->row);
}

void dl_subsample_first(int64_t *index, int64_t count, const int *class_of, int classes,
                        int64_t kept, uint64_t seed) {
    positioned *all = xmalloc(sizeof *all * (size_t)(count + 1));
    int64_t *rows = xmalloc(sizeof *rows * (size_t)(count + 1)), total = 0;
    for (int c = 0; c < (class_of ? classes : 1); c++) {
        int64_t own = 0;
        for (int64_t i = 0; i < count; i++)
            if (!class_of || class_of[i] == c)
                rows[own++] = index[i];
        dl_draw draw = {.seed = seed, .purpose = DL_FOR_TRAIN_SHARE, .epoch = (uint32_t)c};
        dl_random_shuffle(&draw, rows, own);
        for (int64_t j = 0; j < own; j++)
            all[total++] = (positioned){((double)j + 0.5) / (double)own, rows[j], c};
    }
    qsort(all, (size_t)total, sizeof *all, by_position);
    for (int64_t i = 0; i < kept; i++)
        index[i] = all[i].row;
    qsort(index, (size_t)kept, sizeof *index, ascending);
    free(all);
    free(rows);
}

/* The class of each row of the split, freed by the caller; NULL and an error if a row cannot be
   read. */
static int *read_classes(const dl_subset *part, dl_error *error) {
    const dl_dataset *dataset = part->dataset;
    int *class_of = xmalloc(sizeof *class_of * (size_t)(part->count + 1));
    for (int64_t i = 0; i < part->count; i++) {
        float y;
        if (dl_dataset_read(dataset, part->index[i], NULL, &y, error)) {
            free(class_of);
            return NULL;
        }
        class_of[i] = (int)y;
    }
    return class_of;
}

int dl_subsample_share(const dl_data *data, dl_subset *train, dl_error *error) {
    const dl_schema *schema = &train->dataset->schema;
    dl_split_kind kind = dl_split_kind_of(data);
    int64_t count = train->count, kept = llround(data->train_share * (double)count);
    int *class_of = NULL;
    kept = kept > 1 ? kept : 1;
    if (data->train_share >= 1 || kept >= count)
        return 0;
    if (kind == DL_SPLIT_TAIL) {
        memmove(train->index, train->index + count - kept, sizeof *train->index * (size_t)kept);
    } else {
        bool one_class = schema->classes && schema->outputs == 1 && kind != DL_SPLIT_RANDOM;
        if (one_class && !(class_of = read_classes(train, error)))
            return -1;
        dl_subsample_first(train->index, count, class_of, schema->classes, kept, data->seed);
    }
    free(class_of);
    train->count = kept;
    return 0;
}

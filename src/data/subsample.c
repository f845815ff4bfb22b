/* SPDX-License-Identifier: MIT */
/* Folds: Stone, "Cross-validatory choice and assessment of statistical predictions", 1974;
   stratified as in Kohavi, "A study of cross-validation and bootstrap for accuracy estimation and
   model selection", 1995. The bootstrap: Efron, "Bootstrap methods: another look at the jackknife",
   1979; of n rows about 1 - 1/e, 63 %, are in a sample. A share for training: with row j of the n_c
   of class c, in random order, at the place (j + 1/2) / n_c, the rows of all classes in the order
   of their places begin, wherever they are cut, with all classes in proportion. */
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
        "cross-validation: the training file's rows, without the share for test, are cut into "
        "`folds` parts of one size, by split and split_seed as other shares, and this one, from 1, "
        "is for validation, in place of what `validation` says. dltrain --fold 2/5 says both"),
    DL_INT_OR_WORD_OPTION("folds", dl_data, folds, "none", 2, 1 << 20, fold_words,
                          "how many parts; 5 and 10 are usual"),
    DL_BOOL_OPTION("bagging", dl_data, bagging, "false",
                   "train on a bootstrap sample: as many rows as the training part has, drawn from "
                   "it with replacement by `seed`. The rows for validation and test stay what they "
                   "are. Nets of several seeds answer together with dltest --average"),
    DL_FLOAT_OPTION("train_share", dl_data, train_share, "1.0", 1e-6, 1,
                    "train on this share of the training part only, drawn from it by `seed`, each "
                    "class in the same proportion if the split is stratified; if it is by the "
                    "tail, on the last rows. Of one seed a smaller share is within a larger one. "
                    "The rows for validation and test stay what they are, and a batch is all of "
                    "the share if it is larger. scripts/learning_curve.sh tries several"),
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
                       "%s: \"fold\" and \"folds\" need each other (--fold 2/5 says both)", where);
    if (data->fold > data->folds)
        return dl_fail(error, DL_USAGE, "%s: \"fold\" is %lld, but there are only %lld folds",
                       where, (long long)data->fold, (long long)data->folds);
    if (data->dataset[DL_VALIDATION].type)
        return dl_fail(error, DL_USAGE,
                       "%s: a fold takes the rows for validation from the training file, but "
                       "data.validation has files of its own: leave it out",
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
    double place;
    int64_t row;
    int class;
} placed;

static int by_place(const void *a, const void *b) {
    const placed *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return x->class != y->class ? (x->class > y->class) - (x->class < y->class)
                                : (x->row > y->row) - (x->row < y->row);
}

void dl_subsample_first(int64_t *index, int64_t count, const int *class_of, int classes,
                        int64_t kept, uint64_t seed) {
    placed *all = xmalloc(sizeof *all * (size_t)(count + 1));
    int64_t *rows = xmalloc(sizeof *rows * (size_t)(count + 1)), placed_count = 0;
    for (int c = 0; c < (class_of ? classes : 1); c++) {
        int64_t own = 0;
        for (int64_t i = 0; i < count; i++)
            if (!class_of || class_of[i] == c)
                rows[own++] = index[i];
        dl_draw draw = {.seed = seed, .purpose = DL_FOR_TRAIN_SHARE, .epoch = (uint32_t)c};
        dl_random_shuffle(&draw, rows, own);
        for (int64_t j = 0; j < own; j++)
            all[placed_count++] = (placed){((double)j + 0.5) / (double)own, rows[j], c};
    }
    qsort(all, (size_t)placed_count, sizeof *all, by_place);
    for (int64_t i = 0; i < kept; i++)
        index[i] = all[i].row;
    qsort(index, (size_t)kept, sizeof *index, ascending);
    free(all);
    free(rows);
}

/* The class of each of the part's rows; NULL and an error if one cannot be read. The caller frees
   it. */
static int *read_classes(const dl_subset *part, dl_error *error) {
    const dl_dataset *dataset = part->dataset;
    int *class_of = xmalloc(sizeof *class_of * (size_t)(part->count + 1));
    for (int64_t i = 0; i < part->count; i++) {
        float y;
        if (dataset->type->read(dataset, part->index[i], NULL, &y, error)) {
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

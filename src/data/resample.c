/* Folds: Stone, "Cross-validatory choice and assessment of statistical predictions", 1974;
   stratified as in Kohavi, "A study of cross-validation and bootstrap for accuracy estimation and
   model selection", 1995. The bootstrap: Efron, "Bootstrap methods: another look at the jackknife",
   1979; of n rows about 1 - 1/e, 63 %, are in a sample. */
#include "data/resample.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

static const char *const fold_words[] = {"none", NULL};

const dl_option dl_resample_options[] = {
    {.key = "fold",
     .type = DL_INT,
     .offset = offsetof(dl_data, fold),
     .fallback = "none",
     .min = 1,
     .max = 1 << 20,
     .choices = fold_words,
     .help = "cross-validation: the training file's rows, without the share for test, are cut into "
             "`folds` parts of one size, by split and split_seed as other shares, and this one, "
             "from 1, is for validation, in place of what `validation` says. dltrain --fold 2/5 "
             "says both"},
    {.key = "folds",
     .type = DL_INT,
     .offset = offsetof(dl_data, folds),
     .fallback = "none",
     .min = 2,
     .max = 1 << 20,
     .choices = fold_words,
     .help = "how many parts; 5 and 10 are usual"},
    {.key = "bagging",
     .type = DL_BOOL,
     .offset = offsetof(dl_data, bagging),
     .fallback = "false",
     .help = "train on a bootstrap sample: as many rows as the training part has, drawn from it "
             "with replacement by `seed`. The rows for validation and test stay what they are. "
             "Nets of several seeds answer together with dltest --average"},
    DL_OPTIONS_END,
};

int dl_resample_check(dl_data *data, dl_error *error) {
    config_setting_t *section = config_lookup(&data->config->tree, "data");
    config_setting_t *fold = config_setting_get_member(section, "fold");
    const char *where = dl_config_where(data->config, fold ? fold : section);
    if (data->fold <= 0 && data->folds <= 0)
        return 0;
    if (data->fold <= 0 || data->folds <= 0)
        return dl_fail(error, DL_USAGE,
                       "%s: \"fold\" and \"folds\" need each other (--fold 2/5 says "
                       "both)",
                       where);
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

void dl_resample_bootstrap(int64_t *index, int64_t count, uint64_t seed) {
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

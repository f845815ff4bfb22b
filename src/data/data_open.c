/* SPDX-License-Identifier: MIT */
/* Opens and splits the files. */
#include <stdlib.h>
#include <string.h>

#include "data/bins.h"
#include "data/data.h"
#include "data/normalize.h"
#include "data/origin.h"
#include "data/split.h"
#include "data/subsample.h"
#include "data/targets.h"

static int open_dataset(dl_data *data, dl_split part, const dl_schema *like, dl_error *error) {
    dl_dataset *dataset = &data->dataset[part];
    int before = error->count;
    int result = dataset->type->open(dataset, like, error);
    if (!result && dataset->count < 1)
        result = dl_fail(error, DL_DATA, "%s: the %s data has no rows", dataset->where,
                         dl_split_names[part]);
    if (result && error->count == before) /* a format must report failures */
        dl_fail(error, DL_DATA, "%s: the %s data cannot be read", dataset->where,
                dl_split_names[part]);
    return result;
}

/* Counts classes or bins over all positions of a split. */
static int count_classes(dl_subset *subset, const dl_schema *schema, dl_error *error) {
    const dl_dataset *dataset = subset->dataset;
    int outputs = dataset->schema.outputs, result = 0;
    float *y = xcalloc((size_t)outputs, sizeof *y);
    subset->class_count = xcalloc((size_t)schema->classes, sizeof *subset->class_count);
    for (int64_t i = 0; i < subset->count && !result; i++) {
        result = dl_dataset_read(dataset, subset->index[i], NULL, y, error);
        for (int k = 0; k < outputs && !result; k++)
            subset->class_count[dl_bins_class(schema, y[k])]++;
    }
    free(y);
    return result;
}

/* Derives the targets of a split from its inputs. */
static int make_targets(dl_data *data, dl_split part, dl_error *error) {
    dl_dataset *derived = &data->made[part];
    if (dl_targets_make(derived, (dl_targets)data->predict, &data->schema, &data->part[part],
                        (uint64_t)data->split_seed, error))
        return -1;
    data->part[part].dataset = derived;
    return 0;
}

double dl_subset_weight(const dl_subset *subset, int64_t rows) {
    const float *weight = subset->dataset->weight;
    double sum = 0;
    for (int64_t i = 0; i < rows; i++)
        sum += weight ? (double)weight[subset->index[i]] : 1;
    return sum;
}

/* Sets the split to the rows i with part_of[i] == part (part_of NULL: all). */
static int make_subset(dl_data *data, dl_split part, const dl_dataset *dataset,
                       const uint8_t *part_of, dl_error *error) {
    dl_subset *subset = &data->part[part];
    subset->dataset = dataset;
    subset->index = xmalloc(sizeof *subset->index * (size_t)dataset->count);
    for (int64_t i = 0; i < dataset->count; i++)
        if (!part_of || part_of[i] == part)
            subset->index[subset->count++] = i;
    if (part == DL_TRAIN && dl_subsample_share(data, subset, error))
        return -1;
    if (part == DL_TRAIN && data->bagging)
        dl_subsample_bootstrap(subset->index, subset->count, data->seed);
    size_t used = subset->count ? (size_t)subset->count : 1;
    subset->index = xrealloc(subset->index, sizeof *subset->index * used);
    if (data->predict != DL_TARGETS_LABEL && make_targets(data, part, error))
        return -1;
    if (subset->count && !(dl_subset_weight(subset, subset->count) > 0))
        return dl_fail(error, DL_DATA, "%s: the weights of all %lld %s rows are 0", dataset->where,
                       (long long)subset->count, dl_split_names[part]);
    const dl_schema *schema = &subset->dataset->schema;
    return schema->classes ? count_classes(subset, schema, error) : 0;
}

static int check_split(const dl_data *data, dl_error *error) {
    const dl_dataset *dataset = &data->dataset[DL_TRAIN];
    int result = 0;
    for (dl_split part = 0; part < DL_SPLITS; part++)
        if ((part == DL_TRAIN || data->share[part] > 0) && !data->part[part].count)
            result = dl_fail(error, DL_DATA, "%s: none of %lld rows %s",
                             part == DL_TRAIN ? dataset->where
                             : part == DL_VALIDATION && data->fold > 0
                                 ? dl_data_where(data, "fold")
                                 : dl_data_where(data, dl_split_names[part]),
                             (long long)dataset->count,
                             part == DL_TRAIN        ? "is left for training"
                             : part == DL_VALIDATION ? "would be used for validation"
                                                     : "would be used for test");
    return result;
}

/* Splits the rows of the training file. */
static int split_training_file(dl_data *data, dl_error *error) {
    const dl_dataset *dataset = &data->dataset[DL_TRAIN];
    uint8_t *part_of = data->part_of = xmalloc((size_t)dataset->count);
    int result = dl_split_dataset(data, dl_data_where(data, "split"), part_of, error);
    for (dl_split part = 0; part < DL_SPLITS && !result; part++)
        if (part == DL_TRAIN || data->share[part] > 0)
            result = make_subset(data, part, dataset, part_of, error);
    return result ? -1 : check_split(data, error);
}

static int use_whole_file(dl_data *data, dl_split part, dl_error *error) {
    return make_subset(data, part, &data->dataset[part], NULL, error);
}

static int check_classes(const dl_data *data, dl_error *error) {
    const dl_subset *train = &data->part[DL_TRAIN];
    bool one = train->count == 1 && data->schema.classes > 1; /* which can be memorized */
    for (int c = 0; c < data->schema.classes && !one; c++) {
        if (train->class_count[c] != train->count * data->schema.outputs)
            continue;
        char number[16];
        return dl_fail(
            error, DL_DATA,
            "%s: all %lld training rows have one class, \"%s\": there is nothing to learn",
            train->dataset->where, (long long)train->count,
            dl_schema_class(&data->schema, c, number));
    }
    return 0;
}

static int compute_normalization(dl_data *data, dl_error *error) {
    const dl_subset *train = &data->part[DL_TRAIN];
    bool image = data->predict == DL_TARGETS_INPUT || data->predict == DL_TARGETS_COLOR;
    if (data->normalize_target && image)
        return dl_fail(error, DL_USAGE,
                       "%s: \"normalize_target\" has no effect where the input is predicted: the "
                       "target is normalized like the input",
                       dl_data_where(data, "normalize_target"));
    if (data->normalize_target && data->schema.classes)
        return dl_fail(error, DL_USAGE,
                       "%s: \"normalize_target\" is for regression, but the targets are classes",
                       dl_data_where(data, "normalize_target"));
    dl_normalize_mode target = data->normalize_target ? DL_NORMALIZE_MEAN_STD : DL_NORMALIZE_NONE;
    if (dl_normalization_of_target(&data->target, train, target, error))
        return -1;
    dl_subset files = *train; /* pairs are normalized like single samples */
    files.dataset = &data->dataset[DL_TRAIN];
    const dl_subset *inputs = data->predict == DL_TARGETS_COLOR ? train : &files;
    dl_normalize_mode mode = (dl_normalize_mode)data->normalize;
    dl_normalize_by by = (dl_normalize_by)data->normalize_by;
    if (dl_normalization_of_input(&data->input, inputs, mode, by, error))
        return -1;
    return image ? dl_normalization_of_input(&data->target, &files, mode, by, error) : 0;
}

static int set_schema(dl_data *data, const dl_schema *base, dl_error *error) {
    data->base = dl_schema_copy(base);
    return dl_targets_schema(&data->schema, (dl_targets)data->predict, base,
                             dl_data_where(data, "predict"), error);
}

/* Counts the bins of all splits. */
static int count_bins(dl_data *data, dl_error *error) {
    for (int part = 0; part < DL_SPLITS; part++)
        if (data->part[part].count && count_classes(&data->part[part], &data->schema, error))
            return -1;
    return 0;
}

static int make_bins(dl_data *data, dl_error *error) {
    if (data->target_bins <= 0)
        return 0;
    if (data->predict != DL_TARGETS_LABEL)
        return dl_fail(error, DL_USAGE,
                       "%s: \"target_bins\" is for numeric targets of the files, but the target is "
                       "derived from the inputs (predict)",
                       dl_data_where(data, "target_bins"));
    if (dl_bins_make(&data->schema, &data->part[DL_TRAIN], (int)data->target_bins,
                     dl_data_where(data, "target_bins"), error))
        return -1;
    return count_bins(data, error);
}

int dl_data_open(dl_data *data, dl_error *error) {
    const dl_dataset *train = &data->dataset[DL_TRAIN];
    int result = open_dataset(data, DL_TRAIN, NULL, error);
    if (result && !train->known)
        return -1;
    if (!result)
        dl_origins_find(data);
    if (set_schema(data, &train->schema, error))
        return -1;
    for (dl_split part = DL_VALIDATION; part < DL_SPLITS; part++)
        if (data->dataset[part].type)
            result |= open_dataset(data, part, &data->base, error);
    if (result || split_training_file(data, error))
        return -1;
    for (dl_split part = DL_VALIDATION; part < DL_SPLITS; part++)
        if (data->dataset[part].type && use_whole_file(data, part, error))
            return -1;
    if (make_bins(data, error) || check_classes(data, error))
        return -1;
    bool pairs = data->predict == DL_TARGETS_SAME;
    return dl_augment_check(&data->augment, &data->schema, pairs, error) ||
                   compute_normalization(data, error)
               ? -1
               : 0;
}

const dl_schema *dl_data_checkpoint_schema(const dl_data *data) {
    return data->predict == DL_TARGETS_LABEL ? &data->schema : &data->base;
}

int dl_data_describe(dl_data *data, const dl_schema *base, const dl_normalization *input,
                     const dl_normalization *target, dl_error *error) {
    data->input = dl_normalization_copy(input);
    data->target = dl_normalization_copy(target);
    return set_schema(data, base, error);
}

int dl_data_open_part(dl_data *data, dl_split only, const dl_schema *base,
                      const dl_normalization *input, const dl_normalization *target,
                      dl_error *error) {
    bool shared = only == DL_TRAIN || data->share[only] > 0;
    if (!shared && !data->dataset[only].type)
        return dl_fail(error, DL_USAGE, "%s: there is no data.%s", data->config->name,
                       dl_split_names[only]);
    if (dl_data_describe(data, base, input, target, error))
        return -1;
    dl_schema files = dl_bins_remove(&data->base);
    int result = open_dataset(data, shared ? DL_TRAIN : only,
                              data->base.bin_edge ? &files : &data->base, error);
    dl_schema_free(&files);
    if (result || (shared ? split_training_file(data, error) : use_whole_file(data, only, error)))
        return -1;
    return data->schema.bin_edge ? count_bins(data, error) : 0;
}

dl_symbols dl_data_symbols(const dl_data *data) {
    return (dl_symbols){&data->dataset[DL_TRAIN], &data->schema};
}

void dl_data_free(dl_data *data) {
    for (int part = 0; part < DL_SPLITS; part++) {
        dl_dataset *dataset = &data->dataset[part];
        if (dataset->type)
            dataset->type->close(dataset);
        dl_schema_free(&dataset->schema);
        dl_text_free(&dataset->columns);
        dl_text_free(&dataset->notes);
        if (data->made[part].type)
            data->made[part].type->close(&data->made[part]);
        dl_schema_free(&data->made[part].schema);
        free(data->part[part].index);
        free(data->part[part].class_count);
    }
    free(data->part_of);
    dl_text_free(&data->notes.told);
    dl_text_free(&data->notes.warned);
    dl_text_free(&data->notes.skipped);
    dl_schema_free(&data->base);
    dl_schema_free(&data->schema);
    dl_normalization_free(&data->input);
    dl_normalization_free(&data->target);
    dl_arena_free(&data->arena);
    *data = (dl_data){0};
}

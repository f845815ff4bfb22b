/* SPDX-License-Identifier: MIT */
/* Quantile bins: for n sorted training targets y_0 … y_(n-1), bin k of K ends halfway between
   y_(i-1) and y_i, i = k n / K. Equal values share a bin. The value of a bin is the mean of its
   targets. */
#include "data/bins.h"

#include <stdlib.h>

#include "base/memory.h"

static int compare(const void *a, const void *b) {
    float p = *(const float *)a, q = *(const float *)b;
    return (p > q) - (p < q);
}

/* The targets of the split in ascending order; NULL and an error if a row cannot be read. */
static float *sorted_targets(const dl_subset *part, dl_error *error) {
    float *y = xmalloc(sizeof *y * (size_t)part->count);
    for (int64_t i = 0; i < part->count; i++)
        if (dl_dataset_read(part->dataset, part->index[i], NULL, &y[i], error)) {
            free(y);
            return NULL;
        }
    qsort(y, (size_t)part->count, sizeof *y, compare);
    return y;
}

int dl_bins_find(const dl_schema *schema, double y) {
    int low = 0, high = schema->classes - 1; /* edges below `low` are <= y */
    while (low < high) {
        int middle = (low + high) / 2;
        if (schema->bin_edge[middle] <= y)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int dl_bins_class(const dl_schema *schema, float y) {
    return schema->bin_edge ? dl_bins_find(schema, (double)y) : (int)y;
}

static char *bin_name(const dl_schema *schema, int bin) {
    dl_text name = {0};
    const double *edge = schema->bin_edge;
    if (!bin)
        dl_text_add(&name, "below %.6g", edge[0]);
    else if (bin == schema->classes - 1)
        dl_text_add(&name, "from %.6g", edge[bin - 1]);
    else
        dl_text_add(&name, "%.6g to %.6g", edge[bin - 1], edge[bin]);
    return name.data;
}

/* Sets edges, means and names from sorted y[n]. False if a bin is empty. */
static bool fill_bins(dl_schema *schema, const float *y, int64_t n) {
    int bins = schema->classes;
    int64_t *count = xcalloc((size_t)bins, sizeof *count);
    bool nonempty = true;
    schema->bin_edge = xcalloc((size_t)bins, sizeof *schema->bin_edge);
    schema->bin_mean = xcalloc((size_t)bins, sizeof *schema->bin_mean);
    schema->class_names = xcalloc((size_t)bins, sizeof *schema->class_names);
    for (int k = 1; k < bins; k++) {
        int64_t i = k * n / bins;
        schema->bin_edge[k - 1] = ((double)y[i - 1] + (double)y[i]) / 2;
    }
    for (int64_t i = 0; i < n; i++) {
        int bin = dl_bins_find(schema, (double)y[i]);
        schema->bin_mean[bin] += ((double)y[i] - schema->bin_mean[bin]) / (double)++count[bin];
    }
    for (int k = 0; k < bins; k++) {
        schema->class_names[k] = bin_name(schema, k);
        nonempty &= count[k] > 0;
    }
    free(count);
    return nonempty;
}

int dl_bins_make(dl_schema *schema, const dl_subset *train, int count, const char *where,
                 dl_error *error) {
    if (schema->classes)
        return dl_fail(error, DL_USAGE,
                       "%s: \"target_bins\" is for regression, but the targets are classes", where);
    if (schema->outputs != 1)
        return dl_fail(error, DL_USAGE,
                       "%s: \"target_bins\" needs a target of one number, but there are %d", where,
                       schema->outputs);
    if (count > train->count)
        return dl_fail(error, DL_USAGE,
                       "%s: \"target_bins\" is %d, but the training set has only %lld rows", where,
                       count, (long long)train->count);
    float *y = sorted_targets(train, error);
    if (!y)
        return -1;
    int64_t different = 1;
    for (int64_t i = 1; i < train->count; i++)
        different += y[i] != y[i - 1];
    schema->classes = count;
    bool nonempty = fill_bins(schema, y, train->count);
    free(y);
    if (nonempty)
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: \"target_bins\" is %d, but the %lld training targets have only %lld "
                   "distinct values, some so frequent that a bin would be empty: use fewer bins",
                   where, count, (long long)train->count, (long long)different);
}

dl_schema dl_bins_remove(const dl_schema *schema) {
    dl_schema numbers = *schema;
    numbers.classes = 0;
    numbers.class_names = NULL;
    numbers.class_count = NULL;
    numbers.bin_edge = numbers.bin_mean = NULL;
    return dl_schema_copy(&numbers);
}

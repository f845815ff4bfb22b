/* SPDX-License-Identifier: MIT */
#include "data/class_index.h"

#include <stdlib.h>

#include "base/memory.h"
#include "data/bins.h"

int dl_class_index_make(dl_class_index *sorted, const dl_subset *part, const dl_schema *schema,
                        dl_error *error) {
    const dl_dataset *dataset = part->dataset;
    int *class = xmalloc(sizeof *class * (size_t)(part->count + 1));
    int64_t *first = xcalloc((size_t)schema->classes + 2, sizeof *first);
    int result = 0;
    *sorted = (dl_class_index){xmalloc(sizeof *sorted->row * (size_t)(part->count + 1)), first};
    for (int64_t i = 0; i < part->count && !result; i++) {
        float y = 0;
        result = dl_dataset_read(dataset, part->index[i], NULL, &y, error);
        class[i] = dl_bins_class(schema, y);
        first[class[i] + 2]++;
    }
    /* first[c + 1]: next free slot of class c; finally the start of class c + 1 */
    for (int c = 0; c < schema->classes; c++)
        first[c + 2] += first[c + 1];
    for (int64_t i = 0; i < part->count && !result; i++)
        sorted->row[first[class[i] + 1]++] = part->index[i];
    free(class);
    return result;
}

void dl_class_index_free(dl_class_index *sorted) {
    free(sorted->row);
    free(sorted->first);
    *sorted = (dl_class_index){0};
}

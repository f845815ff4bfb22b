/* SPDX-License-Identifier: MIT */
#include "inspect/data_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/memory.h"
#include "data/targets.h"

void dl_finding_add(dl_findings *f, const char *check, bool wrong, int64_t count,
                    const char *format, ...) {
    dl_text text = {0};
    va_list arguments;
    va_start(arguments, format);
    dl_text_add_v(&text, format, arguments);
    va_end(arguments);
    if (f->count == f->capacity) {
        f->capacity = f->capacity ? 2 * f->capacity : 8;
        f->list = xrealloc(f->list, sizeof *f->list * (size_t)f->capacity);
    }
    f->list[f->count++] = (dl_finding){check, wrong, count, text.data};
}

bool dl_findings_wrong(const dl_findings *f) {
    for (int i = 0; i < f->count; i++)
        if (f->list[i].wrong)
            return true;
    return false;
}

void dl_findings_free(dl_findings *f) {
    for (int i = 0; i < f->count; i++)
        free(f->list[i].text);
    free(f->list);
    *f = (dl_findings){0};
}

const dl_dataset *dl_check_files(const dl_data *data, int part) {
    if (!data->part[part].count)
        return NULL;
    return &data->dataset[data->dataset[part].type ? part : DL_TRAIN];
}

/* ---- counts ---- */

static dl_text name_of(const dl_data *data, int class) {
    char number[16];
    dl_text name = {0};
    dl_text_add_plain(&name, dl_schema_class(&data->schema, class, number));
    return name;
}

static void check_absent(dl_findings *f, const dl_data *data, int part) {
    const int64_t *count = data->part[part].class_count;
    int absent = 0, first = -1;
    for (int c = data->schema.classes - 1; c >= 0; c--)
        if (!count[c]) {
            absent++;
            first = c;
        }
    if (!absent)
        return;
    dl_text name = name_of(data, first);
    dl_finding_add(f, "absent_classes", true, absent, "%s: %d of %d classes ha%s no row: \"%s\"%s",
                   dl_split_names[part], absent, data->schema.classes, absent == 1 ? "s" : "ve",
                   dl_text_get(&name), absent > 1 ? ", …" : "");
    dl_text_free(&name);
}

/* Reported if the largest class has this many times the rows of the smallest. */
enum { IMBALANCE = 10 };

static void check_balance(dl_findings *f, const dl_data *data, int part) {
    const int64_t *count = data->part[part].class_count;
    int least = -1, most = 0;
    for (int c = 0; c < data->schema.classes; c++) {
        if (count[c] && (least < 0 || count[c] < count[least]))
            least = c;
        if (count[c] > count[most])
            most = c;
    }
    dl_text few = name_of(data, least), many = name_of(data, most);
    char numbers[2][32];
    bool wrong = part == DL_TRAIN && count[most] >= IMBALANCE * count[least] && !data->balance;
    if (count[least] == count[most])
        dl_finding_add(f, "class_counts", false, data->schema.classes, "%s: %s rows of each class",
                       dl_split_names[part], dl_text_count(numbers[0], count[least]));
    else
        dl_finding_add(
            f, wrong ? "imbalance" : "class_counts", wrong, data->schema.classes,
            "%s: %d classes, of %s rows (\"%s\") to %s (\"%s\")%s", dl_split_names[part],
            data->schema.classes, dl_text_count(numbers[0], count[least]), dl_text_get(&few),
            dl_text_count(numbers[1], count[most]), dl_text_get(&many),
            wrong ? ": data.balance (\"oversample\" or \"weights\") compensates for that" : "");
    dl_text_free(&few);
    dl_text_free(&many);
}

/* ---- groups ---- */

static int by_number(const void *a, const void *b) {
    uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;
    return (p > q) - (p < q);
}

/* A part with its own files may share groups with the training files. */
static void check_groups(dl_findings *f, const dl_data *data, int part) {
    const dl_dataset *train = &data->dataset[DL_TRAIN], *own = &data->dataset[part];
    if (!own->type || !own->group || !train->group)
        return;
    size_t bytes = sizeof(uint64_t) * (size_t)train->count;
    uint64_t *sorted = memcpy(xmalloc(bytes), train->group, bytes);
    int64_t shared = 0, first = 0;
    qsort(sorted, (size_t)train->count, sizeof *sorted, by_number);
    for (int64_t i = own->count - 1; i >= 0; i--)
        if (bsearch(&own->group[i], sorted, (size_t)train->count, sizeof *sorted, by_number)) {
            shared++;
            first = i;
        }
    free(sorted);
    if (shared)
        dl_finding_add(f, "shared_groups", true, shared,
                       "%s: %lld of %lld rows are of a group that train has as well: row %lld",
                       dl_split_names[part], (long long)shared, (long long)own->count,
                       (long long)first);
}

void dl_check_counts(dl_findings *f, const dl_data *data) {
    for (int part = 0; part < DL_SPLITS; part++) {
        const dl_subset *rows = &data->part[part];
        if (!rows->count)
            continue;
        check_groups(f, data, part);
        if (!data->schema.classes || data->schema.outputs != 1)
            continue;
        check_absent(f, data, part);
        check_balance(f, data, part);
    }
}

/* ---- duplicates ---- */

/* A row, by the digests of its input and target. */
typedef struct {
    dl_digest input, target;
    int64_t row;
    int part;
} fingerprint;

/* -0 is 0. */
static dl_digest digest_of(float *x, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        x[i] += 0.0f;
    return dl_digest_of(x, sizeof *x * (size_t)count, 0);
}

static int by_input(const void *a, const void *b) {
    const fingerprint *p = a, *q = b;
    for (int i = 0; i < 2; i++)
        if (p->input.half[i] != q->input.half[i])
            return p->input.half[i] < q->input.half[i] ? -1 : 1;
    if (p->part != q->part)
        return p->part < q->part ? -1 : 1;
    return (p->row > q->row) - (p->row < q->row);
}

/* The number of matches of a kind, and the first: `row` of `part` matches `other` of `other_part`.
 */
typedef struct {
    int64_t count, row, other;
    int part, other_part;
} matches;

static void add_match(matches *t, int64_t rows, const fingerprint *one, const fingerprint *like) {
    if (!t->count || one->row < t->row) {
        t->row = one->row;
        t->other = like->row;
        t->part = one->part;
        t->other_part = like->part;
    }
    t->count += rows;
}

typedef struct {
    matches within[DL_SPLITS], across[DL_SPLITS][DL_SPLITS]; /* [the earlier part][the later one] */
    matches conflict;
} duplicates;

/* Rows [first, first + count) have the same input, and are sorted by part. */
static void add_equal_rows(duplicates *d, const fingerprint *first, int64_t count) {
    const fingerprint *head[DL_SPLITS] = {0};
    bool conflicts = false;
    for (int64_t i = 0; i < count; i++) {
        const fingerprint *one = first + i;
        if (head[one->part])
            add_match(&d->within[one->part], 1, one, head[one->part]);
        else
            head[one->part] = one;
        for (int p = 0; p < one->part; p++)
            if (head[p])
                add_match(&d->across[p][one->part], 1, one, head[p]);
        if (!dl_digest_equal(one->target, first->target) && !conflicts) {
            add_match(&d->conflict, count, one, first);
            conflicts = true;
        }
    }
}

static void report_duplicates(dl_findings *f, const dl_data *data, const duplicates *d) {
    char count[32];
    for (int p = 0; p < DL_SPLITS; p++)
        for (int q = p + 1; q < DL_SPLITS; q++) {
            const matches *t = &d->across[p][q];
            if (t->count)
                dl_finding_add(f, "duplicates_across", true, t->count,
                               "%s: the input of %s row%s is also in %s: row %lld of %s is row "
                               "%lld of %s",
                               dl_split_names[q], dl_text_count(count, t->count),
                               t->count == 1 ? "" : "s", dl_split_names[p], (long long)t->row,
                               dl_split_names[q], (long long)t->other, dl_split_names[p]);
        }
    for (int p = 0; p < DL_SPLITS; p++)
        if (d->within[p].count)
            dl_finding_add(f, "duplicates", true, d->within[p].count,
                           "%s: %s row%s as an earlier one: row %lld is row %lld",
                           dl_split_names[p], dl_text_count(count, d->within[p].count),
                           d->within[p].count == 1 ? " has the same input"
                                                   : "s have the same input",
                           (long long)d->within[p].row, (long long)d->within[p].other);
    const matches *t = &d->conflict;
    if (t->count && data->predict != DL_TARGETS_INPUT && data->predict != DL_TARGETS_COLOR)
        dl_finding_add(
            f, "contradictions", data->base.classes > 0, t->count,
            "%s rows have the same input as others with another %s: row %lld of %s and row "
            "%lld of %s",
            dl_text_count(count, t->count), data->base.classes ? "class" : "target",
            (long long)t->row, dl_split_names[t->part], (long long)t->other,
            dl_split_names[t->other_part]);
}

/* ---- every row ---- */

/* Unreadable rows, with the error of the first. */
typedef struct {
    int64_t count, first;
    dl_text text;
} unreadable;

static void add_unreadable(unreadable *bad, int64_t i, dl_error *error) {
    if (!bad->count++ || i < bad->first) {
        bad->first = i;
        bad->text.length = 0;
        dl_text_add(&bad->text, "%s", dl_text_get(&error->text));
    }
    dl_error_clear(error);
}

/* prints[rows of the part]; part -1: unreadable, or a repetition of the preceding row (in a
   bootstrap sample). */
static void hash_rows(const dl_subset *rows, const dl_dataset *files, int part, fingerprint *prints,
                      unreadable *bad) {
    int64_t size = dl_shape_size(files->schema.input), outputs = files->schema.outputs;
#pragma omp parallel
    {
        float *x = xmalloc(sizeof *x * (size_t)size), *y = xmalloc(sizeof *y * (size_t)outputs);
#pragma omp for schedule(static)
        for (int64_t i = 0; i < rows->count; i++) {
            dl_error error = {0};
            prints[i] = (fingerprint){.row = rows->index[i], .part = -1};
            if (i && rows->index[i] == rows->index[i - 1])
                continue;
            if (dl_dataset_read(files, rows->index[i], x, y, &error)) {
#pragma omp critical(unreadable_rows)
                add_unreadable(bad, i, &error);
                continue;
            }
            prints[i].input = digest_of(x, size);
            prints[i].target = digest_of(y, outputs);
            prints[i].part = part;
        }
        free(x);
        free(y);
    }
}

/* Fingerprints of a part's rows. Returns their number. */
static int64_t read_prints(dl_findings *f, const dl_data *data, int part, fingerprint *prints) {
    const dl_subset *rows = &data->part[part];
    unreadable bad = {0};
    int64_t read = 0;
    hash_rows(rows, dl_check_files(data, part), part, prints, &bad);
    for (int64_t i = 0; i < rows->count; i++)
        if (prints[i].part >= 0)
            prints[read++] = prints[i];
    if (bad.count)
        dl_finding_add(f, "unreadable", true, bad.count, "%s: %lld rows cannot be read: %s",
                       dl_split_names[part], (long long)bad.count, dl_text_get(&bad.text));
    dl_text_free(&bad.text);
    return read;
}

bool dl_check_is_quick(const dl_data *data) {
    static const double MOST = 1 << 28; /* values */
    double numbers = 0;
    for (int part = 0; part < DL_SPLITS; part++) {
        const dl_dataset *files = dl_check_files(data, part);
        if (files && files->slow)
            return false;
        if (files)
            numbers += (double)data->part[part].count * (double)dl_shape_size(files->schema.input);
    }
    return numbers <= MOST;
}

/* Rows that continue each other are compared as a text, where short passages repeat by chance. */
void dl_check_rows(dl_findings *f, const dl_data *data) {
    int64_t all = 0, count = 0;
    if (data->dataset[DL_TRAIN].ordered) {
        dl_check_passages(f, data);
        return;
    }
    for (int part = 0; part < DL_SPLITS; part++)
        all += data->part[part].count;
    fingerprint *prints = xmalloc(sizeof *prints * (size_t)(all + 1));
    for (int part = 0; part < DL_SPLITS; part++)
        if (data->part[part].count)
            count += read_prints(f, data, part, prints + count);
    qsort(prints, (size_t)count, sizeof *prints, by_input);
    duplicates d = {0};
    for (int64_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count; end++)
            if (!dl_digest_equal(prints[end].input, prints[i].input))
                break;
        if (end > i + 1)
            add_equal_rows(&d, prints + i, end - i);
    }
    free(prints);
    report_duplicates(f, data, &d);
}

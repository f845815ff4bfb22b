#include "data/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/predict.h"

void dl_finding_add(dl_findings *f, const char *check, bool wrong, int64_t count,
                    const char *format, ...) {
    dl_text text = {0};
    va_list arguments;
    va_start(arguments, format);
    dl_text_add_v(&text, format, arguments);
    va_end(arguments);
    if (f->count == f->room) {
        f->room = f->room ? 2 * f->room : 8;
        f->list = xrealloc(f->list, sizeof *f->list * (size_t)f->room);
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

/* Classes of which the largest has so many times as many rows as the smallest are told of. */
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
            wrong ? ": data.balance, \"oversample\" or \"weights\", makes up for that" : "");
    dl_text_free(&few);
    dl_text_free(&many);
}

/* ---- groups ---- */

static int by_number(const void *a, const void *b) {
    uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;
    return (p > q) - (p < q);
}

/* A part with files of its own may have groups that the training files have, too. */
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
                       "%s: %lld of %lld rows are of a group that train has, too: row %lld",
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

/* A row by the hash of its input. */
typedef struct {
    uint64_t hash[2];
    uint64_t label; /* of its target */
    int64_t row;
    int part;
} print;

/* Two sums of the numbers' bits, mixed in two ways; -0 is 0. */
static void hash_numbers(const float *x, int64_t count, uint64_t hash[2]) {
    uint64_t a = 0x9E3779B97F4A7C15u, b = 0xC2B2AE3D27D4EB4Fu;
    for (int64_t i = 0; i < count; i++) {
        float value = x[i] + 0.0f;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        a = (a ^ bits) * 0xFF51AFD7ED558CCDu;
        a ^= a >> 32;
        b = (b + bits) * 0xC4CEB9FE1A85EC53u;
        b ^= b >> 29;
    }
    hash[0] = a;
    hash[1] = b;
}

static int by_hash(const void *a, const void *b) {
    const print *p = a, *q = b;
    for (int i = 0; i < 2; i++)
        if (p->hash[i] != q->hash[i])
            return p->hash[i] < q->hash[i] ? -1 : 1;
    if (p->part != q->part)
        return p->part < q->part ? -1 : 1;
    return (p->row > q->row) - (p->row < q->row);
}

/* How many there are of a kind, and the one with the lowest row: `row` of part `part` is like
   `other` of part `other_part`. */
typedef struct {
    int64_t count, row, other;
    int part, other_part;
} tally;

static void count_one(tally *t, int64_t rows, const print *one, const print *like) {
    if (!t->count || one->row < t->row) {
        t->row = one->row;
        t->other = like->row;
        t->part = one->part;
        t->other_part = like->part;
    }
    t->count += rows;
}

typedef struct {
    tally within[DL_SPLITS], across[DL_SPLITS][DL_SPLITS]; /* [the earlier part][the later one] */
    tally conflict;
} duplicates;

/* Rows [first, first + count) have the same input; parts come one after the other. */
static void take_equal(duplicates *d, const print *first, int64_t count) {
    const print *head[DL_SPLITS] = {0};
    bool contrary = false;
    for (int64_t i = 0; i < count; i++) {
        const print *one = first + i;
        if (head[one->part])
            count_one(&d->within[one->part], 1, one, head[one->part]);
        else
            head[one->part] = one;
        for (int p = 0; p < one->part; p++)
            if (head[p])
                count_one(&d->across[p][one->part], 1, one, head[p]);
        if (one->label != first->label && !contrary) {
            count_one(&d->conflict, count, one, first);
            contrary = true;
        }
    }
}

static void tell_duplicates(dl_findings *f, const dl_data *data, const duplicates *d) {
    char count[32];
    for (int p = 0; p < DL_SPLITS; p++)
        for (int q = p + 1; q < DL_SPLITS; q++) {
            const tally *t = &d->across[p][q];
            if (t->count)
                dl_finding_add(f, "duplicates_across", true, t->count,
                               "%s: the input of %s row%s is in %s, too: row %lld of %s is row "
                               "%lld of %s",
                               dl_split_names[q], dl_text_count(count, t->count),
                               t->count == 1 ? "" : "s", dl_split_names[p], (long long)t->row,
                               dl_split_names[q], (long long)t->other, dl_split_names[p]);
        }
    for (int p = 0; p < DL_SPLITS; p++)
        if (d->within[p].count)
            dl_finding_add(f, "duplicates", true, d->within[p].count,
                           "%s: %s row%s as one before: row %lld is row %lld", dl_split_names[p],
                           dl_text_count(count, d->within[p].count),
                           d->within[p].count == 1 ? " has the same input"
                                                   : "s have the same input",
                           (long long)d->within[p].row, (long long)d->within[p].other);
    const tally *t = &d->conflict;
    if (t->count && data->predict != DL_PREDICT_INPUT && data->predict != DL_PREDICT_COLOR)
        dl_finding_add(f, "contradictions", data->base.classes > 0, t->count,
                       "%s rows have the input of others with another %s: row %lld of %s and row "
                       "%lld of %s",
                       dl_text_count(count, t->count), data->base.classes ? "class" : "target",
                       (long long)t->row, dl_split_names[t->part], (long long)t->other,
                       dl_split_names[t->other_part]);
}

/* ---- every row ---- */

/* Prints of a part's rows, each once: a bootstrap sample has some several times, one behind the
   other. Returns how many could be read. */
static int64_t read_prints(dl_findings *f, const dl_data *data, int part, print *prints) {
    const dl_subset *rows = &data->part[part];
    const dl_dataset *files = dl_check_files(data, part);
    int64_t size = dl_shape_size(files->schema.input), outputs = files->schema.outputs, read = 0,
            bad = 0;
    float *x = xmalloc(sizeof *x * (size_t)size), *y = xmalloc(sizeof *y * (size_t)outputs);
    dl_text first = {0};
    for (int64_t i = 0; i < rows->count; i++) {
        if (i && rows->index[i] == rows->index[i - 1])
            continue;
        dl_error error = {0};
        print *p = &prints[read];
        uint64_t label[2];
        if (files->type->read(files, rows->index[i], x, y, &error)) {
            if (!first.length)
                dl_text_add(&first, "%s", dl_text_get(&error.text));
            dl_error_clear(&error);
            bad++;
            continue;
        }
        *p = (print){.row = rows->index[i], .part = part};
        hash_numbers(x, size, p->hash);
        hash_numbers(y, outputs, label);
        p->label = label[0];
        read++;
    }
    if (bad)
        dl_finding_add(f, "unreadable", true, bad, "%s: %lld rows cannot be read: %s",
                       dl_split_names[part], (long long)bad, dl_text_get(&first));
    dl_text_free(&first);
    free(x);
    free(y);
    return read;
}

void dl_check_rows(dl_findings *f, const dl_data *data) {
    int64_t all = 0, count = 0;
    for (int part = 0; part < DL_SPLITS; part++)
        all += data->part[part].count;
    print *prints = xmalloc(sizeof *prints * (size_t)(all + 1));
    for (int part = 0; part < DL_SPLITS; part++)
        if (data->part[part].count)
            count += read_prints(f, data, part, prints + count);
    qsort(prints, (size_t)count, sizeof *prints, by_hash);
    duplicates d = {0};
    for (int64_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count; end++)
            if (memcmp(prints[end].hash, prints[i].hash, sizeof prints->hash))
                break;
        if (end > i + 1)
            take_equal(&d, prints + i, end - i);
    }
    free(prints);
    tell_duplicates(f, data, &d);
    dl_check_passages(f, data);
    dl_check_columns(f, data);
}

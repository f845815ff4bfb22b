#include "data/pictures.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "data/element.h"

enum { MOST_TOLD = 100, MOST_CLASSES = 100000, MOST_BYTES = 1 << 28, MOST_PREFETCHED = 4096 };

const char *const dl_picture_channels[] = {"grey", "color", NULL};
const char *const dl_picture_resizes[] = {"stretch", "fit", "crop", NULL};

void dl_pictures_begin(dl_pictures *pictures, const dl_picture_options *options, bool labels,
                       const char *where) {
    bool sized = options->size[0] > 0;
    pictures->where = where;
    pictures->form.labels = labels;
    pictures->form.resize = sized ? (dl_image_resize)options->resize : DL_IMAGE_EXACT;
    pictures->form.shape = dl_shape3((int)options->size[0], (int)options->size[1],
                                     labels || !options->channels ? 1 : 3);
    pictures->size = sized ? dl_shape_size(pictures->form.shape) : 0;
}

void dl_pictures_free(dl_pictures *pictures) {
    free(pictures->pixels);
    dl_text_free(&pictures->bad_names);
    *pictures = (dl_pictures){0};
}

/* ---- reading ---- */

/* What became of one picture. */
typedef struct {
    const char *why; /* NULL: it was read */
    int reason;      /* an errno instead, or 0 */
    int height, width;
} outcome;

/* The bytes of a file, which the caller frees; NULL, and why in `result`. */
static void *load(const char *path, int64_t *count, outcome *result) {
    struct stat info;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us up */
    char *bytes = NULL;
    if (descriptor < 0 || fstat(descriptor, &info))
        result->reason = errno;
    else if (!S_ISREG(info.st_mode))
        result->why = "not a file";
    else if (info.st_size > MOST_BYTES)
        result->why = "too large";
    else
        bytes = xmalloc((size_t)info.st_size + 1);
    for (*count = 0; bytes && *count < info.st_size;) {
        ssize_t got = read(descriptor, bytes + *count, (size_t)(info.st_size - *count));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            result->reason = errno;
        if (got <= 0)
            break;
        *count += got;
    }
    if (descriptor >= 0)
        close(descriptor);
    return bytes;
}

/* Reads one picture into `out`; out NULL: just its size. */
static outcome read_one(const dl_picture_source *source, const dl_image_form *form,
                        unsigned char *out) {
    outcome result = {0};
    int64_t count = source->count;
    void *loaded = source->path ? load(source->path, &count, &result) : NULL;
    const void *bytes = source->path ? loaded : source->bytes;
    if (bytes && !result.reason) {
        if (dl_image_size(bytes, count, &result.height, &result.width, &result.why))
            result.height = 0;
        else if (out)
            dl_image_read(bytes, count, form, out, &result.why);
    }
    free(loaded);
    return result;
}

static void note_bad(dl_pictures *pictures, const char *name, const outcome *result) {
    if (pictures->bad++ >= MOST_TOLD)
        return;
    dl_text_add(&pictures->bad_names, "\n  ");
    dl_text_add_plain(&pictures->bad_names, name);
    dl_text_add(&pictures->bad_names, " (%s)",
                result->why ? result->why : strerror(result->reason));
}

/* The shape is that of the first picture whose size can be read. */
static void find_shape(dl_pictures *pictures, const dl_picture_source *sources, int64_t count) {
    for (int64_t i = 0; i < count && !pictures->size; i++) {
        outcome found = read_one(&sources[i], &pictures->form, NULL);
        if (found.why || found.reason)
            continue;
        pictures->form.shape.dim[0] = found.height;
        pictures->form.shape.dim[1] = found.width;
        pictures->size = dl_shape_size(pictures->form.shape);
    }
}

/* A few bytes can claim to be a large picture: what would not fit is never asked for. */
static int make_room(dl_pictures *pictures, int64_t count, dl_error *error) {
    int64_t wanted = pictures->count + count, bytes = 0;
    double machine = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    if (wanted <= pictures->room || !pictures->size)
        return 0;
    if (!dl_multiply(wanted, pictures->size, &bytes) || (double)bytes > machine) {
        char need[32], have[32], shape[48];
        return dl_fail(error, DL_DATA,
                       "%s: %lld pictures of %s need %s of memory; this machine has %s (a smaller "
                       "size = [height, width] would do)",
                       pictures->where, (long long)wanted,
                       dl_shape_text(shape, pictures->form.shape),
                       dl_text_bytes(need, (double)wanted * (double)pictures->size),
                       dl_text_bytes(have, machine));
    }
    int64_t twice = 2 * pictures->room;
    pictures->room =
        twice > wanted && (double)twice * (double)pictures->size <= machine / 2 ? twice : wanted;
    pictures->pixels = xrealloc(pictures->pixels, (size_t)(pictures->room * pictures->size));
    return 0;
}

int dl_pictures_add(dl_pictures *pictures, const dl_picture_source *sources, int64_t count,
                    dl_error *error) {
    find_shape(pictures, sources, count);
    if (make_room(pictures, count, error))
        return -1;
    const dl_shape *shape = &pictures->form.shape;
    outcome *results = xcalloc((size_t)count + 1, sizeof *results);
#pragma omp parallel for schedule(dynamic, 4)
    for (int64_t i = 0; i < count; i++)
        results[i] = read_one(
            &sources[i], &pictures->form,
            pictures->size ? pictures->pixels + (pictures->count + i) * pictures->size : NULL);
    int result = 0;
    for (int64_t i = 0; i < count && !result; i++) {
        const outcome *r = &results[i];
        bool other = r->height && (r->height != shape->dim[0] || r->width != shape->dim[1]);
        if (pictures->form.resize == DL_IMAGE_EXACT && other)
            result = dl_fail(error, DL_DATA,
                             "%s: %s has %dx%d pixels, the first picture has %dx%d (size = "
                             "[height, width] would make them one size)",
                             pictures->where, sources[i].name, r->height, r->width, shape->dim[0],
                             shape->dim[1]);
        else if (r->why || r->reason)
            note_bad(pictures, sources[i].name, r);
    }
    pictures->count += count;
    free(results);
    return result;
}

int dl_pictures_check(const dl_pictures *pictures, dl_error *error) {
    char more[48] = "";
    if (pictures->bad > MOST_TOLD)
        snprintf(more, sizeof more, "\n  and %lld more", (long long)(pictures->bad - MOST_TOLD));
    if (!pictures->bad)
        return 0;
    return dl_fail(error, DL_DATA, "%s: %lld picture%s cannot be read:%s%s", pictures->where,
                   (long long)pictures->bad, pictures->bad > 1 ? "s" : "",
                   dl_text_get(&pictures->bad_names), more);
}

void dl_pictures_read(const dl_pictures *pictures, int64_t i, float *out) {
    dl_elements_to_floats(pictures->pixels + i * pictures->size, DL_U8, pictures->size, out);
}

void dl_pictures_prefetch(const dl_pictures *pictures, int64_t i) {
    const unsigned char *row = pictures->pixels + i * pictures->size;
    for (int64_t at = 0; at < pictures->size && at < MOST_PREFETCHED; at += 64)
        __builtin_prefetch(row + at);
}

/* ---- one class a picture ---- */

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_names(const dl_csv_names *names, const char *where, dl_error *error) {
    char quoted[64];
    for (int i = 0; i < names->count; i++)
        if (!dl_text_is_utf8(names->name[i]))
            return dl_fail(error, DL_DATA, "%s: the name of the class \"%s\" is not UTF-8", where,
                           dl_csv_quote(quoted, names->name[i]));
    if (names->count > MOST_CLASSES)
        return dl_fail(error, DL_DATA, "%s: more than %d classes", where, MOST_CLASSES);
    return 0;
}

/* Classes are numbered by their names in order: those of these pictures, or of the training's. */
static int number_classes(dl_dataset *dataset, const dl_csv_names *names, const dl_schema *like,
                          const char *where, dl_error *error) {
    dl_classed_pictures *state = dataset->state;
    dl_schema *schema = &dataset->schema;
    int count = like ? like->classes : names->count, result = 0;
    char quoted[64];
    char **sorted = xmalloc(sizeof *sorted * (size_t)(count ? count : 1));
    dl_csv_names known = {0};
    for (int i = 0; i < count; i++)
        sorted[i] = xstrdup(like ? like->class_names[i] : names->name[i]);
    if (!like)
        qsort(sorted, (size_t)count, sizeof *sorted, by_bytes);
    for (int i = 0; i < count; i++)
        dl_csv_names_add(&known, sorted[i]);
    schema->class_names = sorted;
    schema->classes = count;
    schema->outputs = 1;
    int *number = xmalloc(sizeof *number * (size_t)(names->count ? names->count : 1));
    for (int i = 0; i < names->count; i++) {
        number[i] = dl_csv_names_find(&known, names->name[i]);
        if (number[i] < 0)
            result = dl_fail(error, DL_DATA, "%s: the class \"%s\" is not among those of training",
                             where, dl_csv_quote(quoted, names->name[i]));
    }
    for (int64_t i = 0; i < state->pictures.count; i++)
        state->classes[i] = number[state->classes[i]];
    dl_csv_names_free(&known);
    free(number);
    return result;
}

int dl_classed_finish(dl_dataset *dataset, const dl_csv_names *names, const dl_schema *like,
                      dl_error *error) {
    dl_classed_pictures *state = dataset->state;
    const char *where = state->pictures.where;
    char own[48], theirs[48];
    if (dl_pictures_check(&state->pictures, error) || check_names(names, where, error))
        return -1;
    if (!state->pictures.count)
        return dl_fail(error, DL_DATA, "%s: there are no pictures in it", where);
    if (!like && names->count < 2)
        return dl_fail(error, DL_DATA, "%s: all pictures are in one folder, \"%s\": no classes",
                       where, names->name[0]);
    dataset->schema.input = state->pictures.form.shape;
    dataset->count = state->pictures.count;
    dataset->bytes = true;
    if (like && !dl_shape_equal(like->input, dataset->schema.input))
        return dl_fail(error, DL_DATA, "%s: its pictures are %s, those of training %s", where,
                       dl_shape_text(own, dataset->schema.input),
                       dl_shape_text(theirs, like->input));
    if (like && !like->class_names)
        return dl_fail(error, DL_DATA, "%s: its folders are classes, but training had no such",
                       where);
    return number_classes(dataset, names, like, where, error);
}

int dl_classed_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error) {
    const dl_classed_pictures *state = dataset->state;
    (void)error;
    if (x)
        dl_pictures_read(&state->pictures, i, x);
    if (y)
        *y = (float)state->classes[i];
    return 0;
}

void dl_classed_prefetch(const dl_dataset *dataset, int64_t i) {
    const dl_classed_pictures *state = dataset->state;
    dl_pictures_prefetch(&state->pictures, i);
}

void dl_classed_close(dl_dataset *dataset) {
    dl_classed_pictures *state = dataset->state;
    if (!state)
        return;
    dl_pictures_free(&state->pictures);
    free(state->classes);
    free(state);
    dataset->state = NULL;
}

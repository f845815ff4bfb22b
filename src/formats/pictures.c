/* SPDX-License-Identifier: MIT */
#include "formats/pictures.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/machine.h"
#include "base/memory.h"
#include "base/spool.h"
#include "formats/dtype.h"

enum { COLOR = 1 }; /* in dl_picture_channels */
enum { MOST_TOLD = 100, MOST_CLASSES = 100000, MOST_BYTES = 1 << 28, MOST_PREFETCHED = 4096 };

const char *const dl_picture_channels[] = {"gray", "color", "grey", NULL};
const char *const dl_picture_resizes[] = {"stretch", "fit", "crop", NULL};

void dl_pictures_begin(dl_pictures *pictures, const dl_dataset *dataset,
                       const dl_picture_options *options, bool labels, const char *where) {
    bool sized = options->size[0] > 0;
    pictures->dataset = dataset;
    pictures->memory = dataset->memory;
    pictures->where = where;
    pictures->form.labels = labels;
    pictures->form.resize = sized ? (dl_image_resize)options->resize : DL_IMAGE_EXACT;
    pictures->form.shape = dl_shape3((int)options->size[0], (int)options->size[1],
                                     labels || options->channels != COLOR ? 1 : 3);
    pictures->size = sized ? dl_shape_size(pictures->form.shape) : 0;
}

void dl_pictures_open_archive(dl_pictures *pictures, const char *path) {
    struct stat info;
    int descriptor = dl_spool_open(path);
    if (descriptor >= 0 && !fstat(descriptor, &info) && S_ISREG(info.st_mode)) {
        pictures->archive = xstrdup(path);
        pictures->descriptor = descriptor;
    } else if (descriptor >= 0) {
        close(descriptor);
    }
}

void dl_pictures_open_cache(dl_pictures *pictures, const dl_cache_files *files) {
    dl_cache *cache = &pictures->cache;
    if (!pictures->dataset->cache || !files->count)
        return;
    dl_cache_open(cache, pictures->dataset->cache, files, &pictures->form);
    if (!cache->pixels)
        return;
    pictures->form.shape = cache->shape;
    pictures->size = dl_shape_size(cache->shape);
}

static void free_places(dl_pictures *pictures) {
    for (int64_t i = 0; pictures->places && i < pictures->count; i++)
        free(pictures->places[i].path);
    free(pictures->places);
    if (pictures->archive)
        close(pictures->descriptor);
    free(pictures->archive);
    pictures->places = NULL;
    pictures->archive = NULL;
}

void dl_pictures_free(dl_pictures *pictures) {
    free_places(pictures);
    dl_cache_free(&pictures->cache);
    free(pictures->pixels);
    free(pictures->largest);
    dl_text_free(&pictures->bad_names);
    dl_omissions_free(&pictures->omissions);
    *pictures = (dl_pictures){0};
}

/* ---- reading ---- */

/* What became of one picture. */
typedef struct {
    const char *why; /* NULL: it was read */
    int reason;      /* an errno instead, or 0 */
    int height, width;
    bool damaged; /* a checksum is wrong */
    int largest;  /* of its values, if they are class numbers */
} outcome;

static bool failed(const outcome *result) {
    return result->why || result->reason;
}

/* bytes[count] = those of the file from `offset` on: how many there were. */
static int64_t read_from(int descriptor, int64_t offset, int64_t count, char *bytes,
                         outcome *result) {
    int64_t done = 0;
    while (done < count) {
        ssize_t got = pread(descriptor, bytes + done, (size_t)(count - done), offset + done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            result->reason = errno;
        if (got <= 0)
            break;
        done += got;
    }
    return done;
}

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
    *count = bytes ? read_from(descriptor, 0, info.st_size, bytes, result) : 0;
    if (descriptor >= 0)
        close(descriptor);
    return bytes;
}

static int largest_of(const unsigned char *values, int64_t count) {
    int largest = 0;
    for (int64_t i = 0; i < count; i++)
        largest = values[i] > largest ? values[i] : largest;
    return largest;
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
        else if (out && !dl_image_read(bytes, count, form, out, &result.why) && form->labels)
            result.largest = largest_of(out, dl_shape_size(form->shape));
    }
    result.damaged = bytes && out && !failed(&result) && !dl_image_checksums_match(bytes, count);
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
        if (failed(&found))
            continue;
        pictures->form.shape.dim[0] = found.height;
        pictures->form.shape.dim[1] = found.width;
        pictures->size = dl_shape_size(pictures->form.shape);
    }
}

/* How many pictures fit into so many bytes. */
static int64_t fitting(const dl_pictures *pictures, int64_t bytes) {
    return bytes > 0 && pictures->size ? bytes / pictures->size : INT64_MAX;
}

/* Where `wanted` pictures are too many for the memory, only their places are kept from now on, or
   just the cache's file; if they cannot be read again in either, the first picture that does not
   fit is refused. */
static int heed_memory(dl_pictures *pictures, bool placed, int64_t wanted, dl_error *error) {
    int64_t most = fitting(pictures, pictures->dataset->memory_most);
    bool cached = dl_cache_is_writing(&pictures->cache);
    if (wanted <= fitting(pictures, pictures->memory) ||
        (pictures->on_demand && (placed || cached)))
        return 0;
    if (placed || (cached && wanted > most)) {
        free(pictures->pixels);
        pictures->pixels = NULL;
        pictures->on_demand = true;
        return 0;
    }
    return dl_dataset_fits(pictures->dataset, pictures->where,
                           (double)(wanted > most ? most + 1 : wanted) * (double)pictures->size,
                           "gunzip the archive, then it can, or set data.cache = true", error);
}

/* For the places of so many pictures and, of labels, for their largest values. */
static void make_places(dl_pictures *pictures, int64_t wanted) {
    if (wanted <= pictures->places_room)
        return;
    int64_t room = 2 * pictures->places_room > wanted ? 2 * pictures->places_room : wanted;
    pictures->places_room = room;
    pictures->places = xrealloc(pictures->places, sizeof *pictures->places * (size_t)room);
    if (pictures->form.labels)
        pictures->largest = xrealloc(pictures->largest, (size_t)room);
}

/* A few bytes can claim to be a large picture: what would not fit is never asked for. */
static int make_room(dl_pictures *pictures, int64_t wanted, dl_error *error) {
    int64_t bytes = 0, most = fitting(pictures, pictures->memory);
    double machine = (double)dl_machine_memory();
    if (pictures->on_demand || wanted <= pictures->room || !pictures->size)
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
    int64_t twice = 2 * pictures->room < most ? 2 * pictures->room : most;
    pictures->room =
        twice > wanted && (double)twice * (double)pictures->size <= machine / 2 ? twice : wanted;
    pictures->pixels = xrealloc(pictures->pixels, (size_t)(pictures->room * pictures->size));
    return 0;
}

/* Decodes the picture; it is kept as number i, or was just tried. */
static outcome take_one(dl_pictures *pictures, const dl_picture_source *source, int64_t i) {
    unsigned char *tried = NULL, *out = NULL;
    if (pictures->size && pictures->on_demand)
        out = tried = xmalloc((size_t)pictures->size);
    else if (pictures->size)
        out = pictures->pixels + i * pictures->size;
    outcome result = read_one(source, &pictures->form, out);
    if (out && !failed(&result))
        dl_cache_put(&pictures->cache, i, out, pictures->size);
    free(tried);
    pictures->places[i] = (dl_picture_place){.path = source->path ? xstrdup(source->path) : NULL,
                                             .offset = source->offset,
                                             .count = source->count};
    if (pictures->largest)
        pictures->largest[i] = (unsigned char)result.largest;
    return result;
}

int dl_pictures_add(dl_pictures *pictures, const dl_picture_source *sources, int64_t count,
                    dl_error *error) {
    if (!count)
        return 0;
    int64_t before = pictures->count;
    if (pictures->cache.pixels) {
        pictures->count += count;
        return 0;
    }
    find_shape(pictures, sources, count);
    if (heed_memory(pictures, sources->path || pictures->archive, before + count, error) ||
        make_room(pictures, before + count, error))
        return -1;
    make_places(pictures, before + count);
    dl_cache_reserve(&pictures->cache, before + count);
    const dl_shape *shape = &pictures->form.shape;
    outcome *results = xcalloc((size_t)count, sizeof *results);
#pragma omp parallel for schedule(dynamic, 4)
    for (int64_t i = 0; i < count; i++)
        results[i] = take_one(pictures, &sources[i], before + i);
    pictures->count += count;
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
        else if (failed(r))
            note_bad(pictures, sources[i].name, r);
        if (r->damaged)
            dl_omissions_add(&pictures->omissions, DL_DAMAGED_CHECKSUM, sources[i].name);
    }
    free(results);
    return result;
}

/* The cache's pixels take the place of what is here. Those that were only written there, and are
   not there now, are nowhere. */
static int take_cached(dl_pictures *pictures, dl_error *error) {
    dl_cache *cache = &pictures->cache;
    bool placed = pictures->archive || (pictures->places && pictures->places[0].path);
    if (dl_cache_finish(cache, pictures->form.shape, pictures->count, pictures->largest, error))
        return -1;
    if (!cache->pixels)
        return pictures->on_demand ? heed_memory(pictures, placed, pictures->count, error) : 0;
    free(pictures->pixels);
    pictures->pixels = NULL;
    pictures->on_demand = false;
    if (cache->largest) {
        pictures->largest = xrealloc(pictures->largest, (size_t)pictures->count);
        memcpy(pictures->largest, cache->largest, (size_t)pictures->count);
    }
    return 0;
}

int dl_pictures_finish(dl_pictures *pictures, dl_error *error) {
    char more[48] = "";
    dl_omissions_report(&pictures->omissions, pictures->where, pictures->dataset->skipped);
    int result = pictures->bad || !pictures->count ? 0 : take_cached(pictures, error);
    if (!pictures->on_demand)
        free_places(pictures);
    if (pictures->bad > MOST_TOLD)
        snprintf(more, sizeof more, "\n  and %lld more", (long long)(pictures->bad - MOST_TOLD));
    if (!pictures->bad)
        return result;
    return dl_fail(error, DL_DATA, "%s: %lld picture%s cannot be read:%s%s", pictures->where,
                   (long long)pictures->bad, pictures->bad > 1 ? "s" : "",
                   dl_text_get(&pictures->bad_names), more);
}

static int has_changed(const dl_pictures *pictures, int64_t i, const outcome *result,
                       dl_error *error) {
    const dl_picture_place *place = &pictures->places[i];
    const char *why = result->why      ? result->why
                      : result->reason ? strerror(result->reason)
                                       : "its classes are others";
    if (place->path)
        return dl_fail(error, DL_DATA, "%s: the picture was changed since it was opened (%s)",
                       place->path, why);
    return dl_fail(error, DL_DATA,
                   "%s: offset %lld: the archive was changed since it was opened (%s)",
                   pictures->archive, (long long)place->offset, why);
}

/* Decodes picture i once more. Its classes must be those that were counted. */
static int read_again(const dl_pictures *pictures, int64_t i, float *out, dl_error *error) {
    const dl_picture_place *place = &pictures->places[i];
    dl_picture_source source = {.path = place->path, .count = place->count};
    unsigned char *pixels = xmalloc((size_t)pictures->size);
    char *bytes = NULL;
    outcome result = {0};
    if (!place->path) {
        source.bytes = bytes = xmalloc((size_t)place->count + 1);
        if (read_from(pictures->descriptor, place->offset, place->count, bytes, &result) <
            place->count)
            result.why = result.reason ? NULL : "cut short";
    }
    if (!failed(&result))
        result = read_one(&source, &pictures->form, pixels);
    bool changed = failed(&result) || (pictures->largest && result.largest != pictures->largest[i]);
    if (!changed)
        dl_dtype_to_floats(pixels, DL_U8, pictures->size, out);
    free(bytes);
    free(pixels);
    return changed ? has_changed(pictures, i, &result, error) : 0;
}

static const unsigned char *pixels_of(const dl_pictures *pictures, int64_t i) {
    const unsigned char *cached = pictures->cache.pixels;
    return (cached ? cached : pictures->pixels) + i * pictures->size;
}

int dl_pictures_read(const dl_pictures *pictures, int64_t i, float *out, dl_error *error) {
    if (pictures->on_demand)
        return read_again(pictures, i, out, error);
    dl_dtype_to_floats(pixels_of(pictures, i), DL_U8, pictures->size, out);
    return 0;
}

void dl_pictures_prefetch(const dl_pictures *pictures, int64_t i) {
    if (pictures->on_demand)
        return;
    const unsigned char *row = pixels_of(pictures, i);
    for (int64_t at = 0; at < pictures->size && at < MOST_PREFETCHED; at += 64)
        __builtin_prefetch(row + at);
}

/* ---- one class a picture ---- */

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_names(const dl_string_set *names, const char *where, dl_error *error) {
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
static int number_classes(dl_dataset *dataset, const dl_string_set *names, const dl_schema *like,
                          const char *where, dl_error *error) {
    dl_classed_pictures *state = dataset->state;
    dl_schema *schema = &dataset->schema;
    char quoted[64];
    dl_string_set known = {0}, merged = {0};
    for (int i = 0; i < names->count; i++)
        dl_string_set_add(&merged, names->name[i]);
    if (!like && dl_merge_apply(&dataset->merge, &merged, error)) {
        dl_string_set_free(&merged);
        return -1;
    }
    int count = like ? like->classes : merged.count, result = 0;
    char **sorted = xmalloc(sizeof *sorted * (size_t)(count ? count : 1));
    for (int i = 0; i < count; i++)
        sorted[i] = xstrdup(like ? like->class_names[i] : merged.name[i]);
    dl_string_set_free(&merged);
    if (!like)
        qsort(sorted, (size_t)count, sizeof *sorted, by_bytes);
    for (int i = 0; i < count; i++)
        dl_string_set_add(&known, sorted[i]);
    schema->class_names = sorted;
    schema->classes = count;
    schema->outputs = 1;
    int *number = xmalloc(sizeof *number * (size_t)(names->count ? names->count : 1));
    for (int i = 0; i < names->count; i++) {
        number[i] = dl_string_set_find(&known, dl_merge_name(&dataset->merge, names->name[i]));
        if (number[i] < 0)
            result = dl_fail(error, DL_DATA, "%s: the class \"%s\" is not among those of training",
                             where, dl_csv_quote(quoted, names->name[i]));
    }
    for (int64_t i = 0; i < state->pictures.count; i++)
        state->classes[i] = number[state->classes[i]];
    dl_string_set_free(&known);
    free(number);
    return result;
}

int dl_classed_finish(dl_dataset *dataset, const dl_string_set *names, const dl_schema *like,
                      dl_error *error) {
    dl_classed_pictures *state = dataset->state;
    const char *where = state->pictures.where;
    char own[48], theirs[48];
    if (dl_pictures_finish(&state->pictures, error) || check_names(names, where, error))
        return -1;
    if (!state->pictures.count)
        return dl_fail(error, DL_DATA, "%s: there are no pictures in it", where);
    if (!like && names->count < 2)
        return dl_fail(error, DL_DATA, "%s: all pictures are in one folder, \"%s\": no classes",
                       where, names->name[0]);
    dataset->schema.input = state->pictures.form.shape;
    dataset->count = state->pictures.count;
    dataset->bytes = true;
    dataset->slow = state->pictures.on_demand;
    if (like && !dl_shape_equal(like->input, dataset->schema.input))
        return dl_fail(error, DL_DATA, "%s: images are %s, but in training they are %s", where,
                       dl_shape_text(own, dataset->schema.input),
                       dl_shape_text(theirs, like->input));
    if (like && !like->class_names)
        return dl_fail(error, DL_DATA, "%s: its folders are classes, but training had no such",
                       where);
    return number_classes(dataset, names, like, where, error);
}

int dl_classed_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error) {
    const dl_classed_pictures *state = dataset->state;
    if (y)
        *y = (float)state->classes[i];
    return x ? dl_pictures_read(&state->pictures, i, x, error) : 0;
}

void dl_classed_prefetch(const dl_dataset *dataset, int64_t i) {
    const dl_classed_pictures *state = dataset->state;
    dl_pictures_prefetch(&state->pictures, i);
}

void dl_classed_close(dl_dataset *dataset) {
    dl_classed_pictures *state = dataset->state;
    dl_sources_free(&dataset->sources);
    if (!state)
        return;
    dl_pictures_free(&state->pictures);
    free(state->classes);
    free(state);
    dataset->state = NULL;
}

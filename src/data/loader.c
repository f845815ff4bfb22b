/* SPDX-License-Identifier: MIT */
#include "data/loader.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "data/bins.h"
#include "data/class_index.h"

/* One batch is with the caller while the threads fill the other. */
enum { BUFFERS = 2 };

enum { AHEAD = 2 }; /* rows that are on their way to the cache while one is read */

enum { MOST_WORKERS = 64 };

/* What a pass is: written by the caller, copied by the threads. */
typedef struct {
    dl_order order;
    uint64_t seed;
    uint32_t epoch;
    int64_t first_step;
} pass_request;

/* A batch that the threads are at work on, each on some of its rows at a time. */
typedef struct {
    dl_batch *batch;              /* NULL: there is none */
    pass_request request;         /* of its pass */
    int64_t pass;                 /* the number of its pass */
    int64_t claimed, done, piece; /* rows; how many are claimed at a time */
    int64_t failed;               /* the first row that could not be read; -1: none */
    dl_error fault;
} filling;

struct dl_loader {
    const dl_data *data;
    const dl_subset *part;
    dl_split which; /* it is */
    int64_t batch_size, steps, size, outputs, bytes;
    bool augmented;
    int64_t rows;        /* of a pass: those of the part, or more where classes are balanced */
    int64_t *order;      /* [rows]; made when no thread is at work on rows */
    int64_t ordered_for; /* the pass that `order` is for; 0: none */
    pthread_t thread[MOST_WORKERS];
    int workers, started, numbered; /* wanted; running; how many have taken their room */
    dl_augment_scratch room[MOST_WORKERS];
    /* where classes are balanced, else empty */
    dl_class_index by_class; /* of the part */
    int64_t most;            /* rows of the largest class */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t work, ready;
    pass_request pass;
    int64_t pass_number;     /* counts dl_loader_start; a batch of an older pass is thrown away */
    int64_t made, taken;     /* batches of this pass that are filled, and handed out */
    int64_t to_come;         /* batches of this pass in all */
    dl_batch batch[BUFFERS]; /* batch k of the pass is in batch[k % BUFFERS] */
    bool holding;            /* the caller has the batch taken - 1 */
    bool failed;             /* the batch `made` could not be read: `fault` says why */
    dl_error fault;
    filling job;
    bool stop;
    atomic_bool give_up; /* tells threads amid a batch not to finish it */
};

/* ---- the threads ---- */

static void make_lanes(dl_loader *loader) {
    int64_t lanes = loader->batch_size, rows = loader->part->count;
    int64_t even = rows / lanes, longer = rows % lanes; /* rows of a lane; lanes with one more */
    const int64_t *row = loader->part->index;
    for (int64_t b = 0; b < lanes; b++)
        for (int64_t s = 0; s < even + (b < longer); s++)
            loader->order[s * lanes + b] = *row++;
}

/* Each class in an order of its own, from the front again until it has as many rows as the largest
   has; then all of them mixed. */
static void make_balanced(dl_loader *loader, const pass_request *pass) {
    int64_t *to = loader->order;
    for (int c = 0; c < loader->data->schema.classes; c++) {
        int64_t *own = to, count = loader->by_class.first[c + 1] - loader->by_class.first[c];
        dl_draw draw = {pass->seed, DL_FOR_SHUFFLE, 1, pass->epoch, (uint32_t)c};
        if (!count)
            continue;
        memcpy(own, loader->by_class.row + loader->by_class.first[c], sizeof *own * (size_t)count);
        dl_random_shuffle(&draw, own, count);
        for (int64_t i = count; i < loader->most; i++)
            own[i] = own[i - count];
        to += loader->most;
    }
}

static void make_order(dl_loader *loader, const pass_request *pass) {
    if (pass->order == DL_LANES) {
        make_lanes(loader);
        return;
    }
    if (loader->by_class.row)
        make_balanced(loader, pass);
    else
        memcpy(loader->order, loader->part->index, sizeof(int64_t) * (size_t)loader->rows);
    if (pass->order == DL_AS_STORED)
        return;
    dl_draw draw = {.seed = pass->seed, .purpose = DL_FOR_SHUFFLE, .epoch = pass->epoch};
    dl_random_shuffle(&draw, loader->order, loader->rows);
}

static int read_row(dl_loader *loader, const pass_request *pass, dl_augment_scratch *room,
                    dl_batch *batch, int64_t i, dl_error *error) {
    const dl_dataset *dataset = loader->part->dataset;
    float *x = batch->x + i * loader->size, *y = batch->y + i * loader->outputs;
    if (!loader->augmented)
        return dataset->type->read(dataset, batch->index[i], x, y, error);
    dl_augment_pass augmented = {.augment = &loader->data->augment,
                                 .dataset = dataset,
                                 .schema = &loader->data->schema,
                                 .index = loader->part->index,
                                 .rows = loader->part->count,
                                 .seed = pass->seed,
                                 .epoch = pass->epoch};
    dl_augmented made = {x, y, batch->other ? batch->other + i * loader->outputs : NULL, 1};
    int result = dl_augment_row(&augmented, room, batch->index[i], &made, error);
    if (batch->share)
        batch->share[i] = made.share;
    return result;
}

/* Reads and normalizes rows first .. last - 1, each while it is in the cache. Ends early if told to
   give up. -1 and an error at the row *broken. */
static int fill(dl_loader *loader, const filling *job, dl_augment_scratch *room, int64_t first,
                int64_t last, int64_t *broken, dl_error *error) {
    const dl_dataset *dataset = loader->part->dataset;
    const dl_schema *schema = &loader->data->schema;
    dl_batch *batch = job->batch;
    const int64_t *order = loader->order + batch->step * loader->batch_size;
    for (int64_t i = first; i < last; i++) {
        if (atomic_load_explicit(&loader->give_up, memory_order_relaxed))
            return 0;
        batch->index[i] = order[i];
        if (dataset->type->prefetch && i + AHEAD < last)
            dataset->type->prefetch(dataset, order[i + AHEAD]);
        *broken = i;
        if (read_row(loader, &job->request, room, batch, i, error))
            return -1;
        float *y = batch->y + i * loader->outputs;
        dl_normalize(&loader->data->input, batch->x + i * loader->size, 1, loader->size);
        dl_normalize(&loader->data->target, y, 1, loader->outputs);
        if (batch->number) {
            batch->number[i] = *y;
            *y = (float)dl_bins_find(schema, (double)*y);
            if (batch->other)
                batch->other[i] = (float)dl_bins_find(schema, (double)batch->other[i]);
        }
    }
    return 0;
}

static bool can_fill(const dl_loader *loader) {
    int64_t in_use = loader->made - loader->taken + loader->holding;
    return !loader->failed && loader->made < loader->to_come && in_use < BUFFERS;
}

/* Begins the next batch, if there is one to begin and nobody is at work on the one before. */
static bool begin(dl_loader *loader) {
    if (loader->job.batch || !can_fill(loader))
        return false;
    atomic_store(&loader->give_up, false);
    if (loader->ordered_for != loader->pass_number)
        make_order(loader, &loader->pass);
    loader->ordered_for = loader->pass_number;
    dl_batch *batch = &loader->batch[loader->made % BUFFERS];
    batch->step = loader->pass.first_step + loader->made;
    int64_t left = loader->rows - batch->step * loader->batch_size;
    batch->count = left < loader->batch_size ? left : loader->batch_size;
    int64_t pieces = loader->workers > 1 ? 4 * loader->workers : 1;
    loader->job = (filling){.batch = batch,
                            .request = loader->pass,
                            .pass = loader->pass_number,
                            .piece = (batch->count + pieces - 1) / pieces,
                            .failed = -1};
    pthread_cond_broadcast(&loader->work);
    return true;
}

/* All its rows are done: it is handed on, unless its pass was given up meanwhile. */
static void finish(dl_loader *loader) {
    filling *done = &loader->job;
    if (done->pass == loader->pass_number) {
        loader->made += done->failed < 0;
        loader->failed = done->failed >= 0;
        loader->fault = done->fault;
        done->fault = (dl_error){0};
        pthread_cond_signal(&loader->ready);
    }
    dl_error_clear(&done->fault);
    done->batch = NULL;
    pthread_cond_broadcast(&loader->work);
}

/* Some rows of the batch, without the mutex. Of several that cannot be read the first counts,
   whoever comes upon it. */
static void work_on(dl_loader *loader, dl_augment_scratch *room) {
    filling *shared = &loader->job;
    const filling mine = *shared;
    int64_t first = mine.claimed, last = first + mine.piece, broken = -1;
    last = last < mine.batch->count ? last : mine.batch->count;
    shared->claimed = last;
    pthread_mutex_unlock(&loader->mutex);
    dl_error error = {0};
    int result = fill(loader, &mine, room, first, last, &broken, &error);
    pthread_mutex_lock(&loader->mutex);
    if (result && (shared->failed < 0 || broken < shared->failed)) {
        dl_error_clear(&shared->fault);
        shared->fault = error;
        shared->failed = broken;
        error = (dl_error){0};
    }
    dl_error_clear(&error);
    shared->done += last - first;
    if (shared->done == mine.batch->count)
        finish(loader);
}

static void *run(void *argument) {
    dl_loader *loader = argument;
    pthread_mutex_lock(&loader->mutex);
    dl_augment_scratch *room = &loader->room[loader->numbered++];
    while (!loader->stop) {
        const filling *job = &loader->job;
        if ((job->batch && job->claimed < job->batch->count) || begin(loader))
            work_on(loader, room);
        else
            pthread_cond_wait(&loader->work, &loader->mutex);
    }
    pthread_mutex_unlock(&loader->mutex);
    return NULL;
}

/* ---- the caller ---- */

/* Signals are for the main thread: the loader's are born with all of them blocked, but for what a
   thread itself brings about (base/mapped.h). */
static int start_threads(dl_loader *loader, dl_error *error) {
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = 0;
    while (loader->started < loader->workers && !result) {
        result = pthread_create(&loader->thread[loader->started], NULL, run, loader);
        loader->started += !result;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result)
        return dl_fail(error, DL_FAILURE, "cannot start the thread that loads data: %s",
                       strerror(result));
    return 0;
}

/* How many rows the largest class of a part has; *there: how many classes have any. */
static int64_t largest_class(const dl_data *data, dl_split part, int *there) {
    const int64_t *count = data->part[part].class_count;
    int64_t most = 0;
    *there = 0;
    for (int c = 0; c < data->schema.classes; c++) {
        most = count[c] > most ? count[c] : most;
        *there += count[c] > 0;
    }
    return most;
}

int64_t dl_loader_rows_of(const dl_data *data, dl_split part) {
    const dl_subset *subset = &data->part[part];
    int there;
    if (part != DL_TRAIN || data->balance != DL_BALANCE_OVERSAMPLE || !subset->class_count)
        return subset->count;
    return largest_class(data, part, &there) * there;
}

/* The rows of the largest batch that a pass can have, be the classes balanced or not. */
static int64_t most_rows(const dl_loader *loader) {
    int64_t rows = dl_loader_rows_of(loader->data, loader->which);
    return rows < loader->batch_size ? rows : loader->batch_size;
}

static int allocate(dl_loader *loader, dl_error *error) {
    int64_t rows = most_rows(loader);
    int64_t values = 0, fits = 0;
    if (!dl_multiply(rows, loader->size + loader->outputs, &values) ||
        !dl_multiply(values, (int64_t)sizeof(float) * BUFFERS, &fits))
        return dl_fail(error, DL_FAILURE, "a batch of %lld samples does not fit into memory",
                       (long long)rows);
    size_t x = sizeof(float) * (size_t)(rows * loader->size);
    size_t y = sizeof(float) * (size_t)(rows * loader->outputs);
    size_t index = sizeof(int64_t) * (size_t)rows;
    size_t order = sizeof(int64_t) * (size_t)loader->part->count;
    for (int i = 0; i < BUFFERS; i++) {
        loader->batch[i].x = dl_memory_aligned(x);
        loader->batch[i].y = dl_memory_aligned(y);
        loader->batch[i].index = xmalloc(index);
        if (loader->data->schema.bin_edge)
            loader->batch[i].number = xmalloc(y);
    }
    loader->order = xmalloc(order);
    loader->bytes =
        (int64_t)(BUFFERS * (x + (loader->data->schema.bin_edge ? 2 * y : y) + index) + order);
    return 0;
}

dl_loader *dl_loader_new(const dl_data *data, dl_split part, int64_t batch_size, dl_error *error) {
    dl_loader *loader = xcalloc(1, sizeof *loader);
    loader->data = data;
    loader->part = &data->part[part];
    loader->which = part;
    loader->batch_size = batch_size;
    loader->size = dl_shape_size(data->schema.input);
    loader->outputs = data->schema.outputs;
    int64_t workers = data->augment.workers;
    loader->workers = (int)(workers < 1 ? 1 : workers > MOST_WORKERS ? MOST_WORKERS : workers);
    loader->rows = loader->part->count;
    loader->steps = loader->rows / batch_size + (loader->rows % batch_size != 0);
    pthread_mutex_init(&loader->mutex, NULL);
    pthread_cond_init(&loader->work, NULL);
    pthread_cond_init(&loader->ready, NULL);
    if (allocate(loader, error) || start_threads(loader, error)) {
        dl_loader_free(loader);
        return NULL;
    }
    return loader;
}

void dl_loader_augment(dl_loader *loader) {
    const dl_data *data = loader->data;
    if (!data->augment.count)
        return;
    int64_t rows = most_rows(loader);
    size_t share = sizeof(float) * (size_t)rows, other = share * (size_t)loader->outputs;
    loader->augmented = true;
    for (int i = 0; i < loader->workers; i++) {
        dl_augment_scratch_open(&loader->room[i], &data->schema);
        loader->bytes += loader->room[i].bytes;
    }
    for (int i = 0; i < BUFFERS && data->augment.mixes && data->schema.classes; i++) {
        loader->batch[i].share = xmalloc(share);
        loader->batch[i].other = xmalloc(other);
        loader->bytes += (int64_t)(share + other);
    }
}

int dl_loader_balance(dl_loader *loader, dl_error *error) {
    int there;
    loader->most = largest_class(loader->data, loader->which, &there);
    loader->rows = loader->most * there;
    loader->steps = loader->rows / loader->batch_size + (loader->rows % loader->batch_size != 0);
    loader->order = xrealloc(loader->order, sizeof *loader->order * (size_t)loader->rows);
    loader->bytes += (int64_t)sizeof *loader->order * loader->rows;
    return dl_class_index_make(&loader->by_class, loader->part, &loader->data->schema, error);
}

void dl_loader_start(dl_loader *loader, dl_order order, uint64_t seed, uint32_t epoch,
                     int64_t first_step) {
    pthread_mutex_lock(&loader->mutex);
    loader->pass = (pass_request){order, seed, epoch, first_step};
    loader->pass_number++;
    loader->made = loader->taken = 0;
    loader->to_come = loader->steps > first_step ? loader->steps - first_step : 0;
    loader->holding = loader->failed = false;
    dl_error_clear(&loader->fault);
    atomic_store(&loader->give_up, true);
    pthread_cond_broadcast(&loader->work);
    pthread_mutex_unlock(&loader->mutex);
}

const dl_batch *dl_loader_next(dl_loader *loader, dl_error *error) {
    const dl_batch *batch = NULL;
    pthread_mutex_lock(&loader->mutex);
    if (loader->holding) {
        loader->holding = false;
        pthread_cond_broadcast(&loader->work);
    }
    if (loader->taken < loader->to_come) {
        while (loader->made == loader->taken && !loader->failed)
            pthread_cond_wait(&loader->ready, &loader->mutex);
        if (loader->made > loader->taken) {
            batch = &loader->batch[loader->taken++ % BUFFERS];
            loader->holding = true;
        } else {
            dl_fail(error, loader->fault.code, "%s", dl_text_get(&loader->fault.text));
        }
    }
    pthread_mutex_unlock(&loader->mutex);
    return batch;
}

int64_t dl_loader_steps(const dl_loader *loader) {
    return loader->steps;
}

int64_t dl_loader_bytes(const dl_loader *loader) {
    return loader->bytes;
}

void dl_loader_free(dl_loader *loader) {
    if (!loader)
        return;
    pthread_mutex_lock(&loader->mutex);
    loader->stop = true;
    atomic_store(&loader->give_up, true);
    pthread_cond_broadcast(&loader->work);
    pthread_mutex_unlock(&loader->mutex);
    for (int i = 0; i < loader->started; i++)
        pthread_join(loader->thread[i], NULL);
    for (int i = 0; i < loader->workers; i++)
        dl_augment_scratch_close(&loader->room[i]);
    for (int i = 0; i < BUFFERS; i++) {
        free(loader->batch[i].x);
        free(loader->batch[i].y);
        free(loader->batch[i].index);
        free(loader->batch[i].number);
        free(loader->batch[i].share);
        free(loader->batch[i].other);
    }
    free(loader->order);
    dl_class_index_free(&loader->by_class);
    dl_error_clear(&loader->fault);
    dl_error_clear(&loader->job.fault);
    pthread_cond_destroy(&loader->ready);
    pthread_cond_destroy(&loader->work);
    pthread_mutex_destroy(&loader->mutex);
    free(loader);
}

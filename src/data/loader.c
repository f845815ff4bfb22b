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

/* The caller uses one batch while the threads fill the other. */
enum { BUFFERS = 2 };

enum { PREFETCH_DISTANCE = 2 }; /* rows prefetched while one is read */

enum { MAX_WORKERS = 64 };

/* A pass, set by the caller and copied by the threads. */
typedef struct {
    dl_order order;
    uint64_t seed;
    uint32_t epoch;
    int64_t first_step;
} pass_request;

/* A batch being filled, in chunks of rows. */
typedef struct {
    dl_batch *batch;              /* NULL: none */
    pass_request request;         /* of its pass */
    int64_t pass;                 /* its number */
    int64_t claimed, done, chunk; /* in rows */
    int64_t failed;               /* first row that could not be read; -1: none */
    dl_error fault;
} batch_job;

struct dl_loader {
    const dl_data *data;
    const dl_subset *part;
    dl_split which; /* split of `part` */
    int64_t batch_size, steps, size, outputs, bytes;
    bool augmented;
    const volatile sig_atomic_t *interrupted; /* or NULL */
    int64_t rows;        /* of a pass: more than in the split if classes are balanced */
    int64_t *order;      /* [rows]; set while no thread reads rows */
    int64_t ordered_for; /* number of the pass of `order`; 0: none */
    pthread_t thread[MAX_WORKERS];
    int workers, started, registered; /* requested; running; with a scratch */
    dl_augment_scratch scratch[MAX_WORKERS];
    /* if classes are balanced: */
    dl_class_index by_class; /* of the split */
    int64_t largest;         /* rows of the largest class */

    pthread_mutex_t mutex; /* guards the members below */
    pthread_cond_t work, ready;
    pass_request pass;
    int64_t pass_number;     /* counts dl_loader_start; batches of older passes are discarded */
    int64_t made, taken;     /* batches of this pass filled, and returned */
    int64_t to_come;         /* total batches of this pass */
    dl_batch batch[BUFFERS]; /* batch k of the pass is in batch[k % BUFFERS] */
    bool holding;            /* the caller uses batch taken - 1 */
    bool failed;             /* batch `made` could not be read, see `fault` */
    dl_error fault;
    batch_job job;
    bool stop;
    atomic_bool give_up; /* abort the current batch */
};

/* ---- the threads ---- */

static void order_lanes(dl_loader *loader) {
    int64_t lanes = loader->batch_size, rows = loader->part->count;
    int64_t even = rows / lanes, longer = rows % lanes; /* rows per lane; lanes with one more */
    const int64_t *row = loader->part->index;
    for (int64_t b = 0; b < lanes; b++)
        for (int64_t s = 0; s < even + (b < longer); s++)
            loader->order[s * lanes + b] = *row++;
}

/* Shuffles each class and repeats it up to the size of the largest; dl_random_shuffle then mixes
   all. */
static void order_balanced(dl_loader *loader, const pass_request *pass) {
    int64_t *to = loader->order;
    for (int c = 0; c < loader->data->schema.classes; c++) {
        int64_t *own = to, count = loader->by_class.first[c + 1] - loader->by_class.first[c];
        dl_draw draw = {pass->seed, DL_FOR_SHUFFLE, 1, pass->epoch, (uint32_t)c};
        if (!count)
            continue;
        memcpy(own, loader->by_class.row + loader->by_class.first[c], sizeof *own * (size_t)count);
        dl_random_shuffle(&draw, own, count);
        for (int64_t i = count; i < loader->largest; i++)
            own[i] = own[i - count];
        to += loader->largest;
    }
}

static void make_order(dl_loader *loader, const pass_request *pass) {
    if (pass->order == DL_LANES) {
        order_lanes(loader);
        return;
    }
    if (loader->by_class.row)
        order_balanced(loader, pass);
    else
        memcpy(loader->order, loader->part->index, sizeof(int64_t) * (size_t)loader->rows);
    if (pass->order == DL_IN_ORDER)
        return;
    dl_draw draw = {.seed = pass->seed, .purpose = DL_FOR_SHUFFLE, .epoch = pass->epoch};
    dl_random_shuffle(&draw, loader->order, loader->rows);
}

static int read_row(dl_loader *loader, const pass_request *pass, dl_augment_scratch *scratch,
                    dl_batch *batch, int64_t i, dl_error *error) {
    const dl_dataset *dataset = loader->part->dataset;
    float *x = batch->x + i * loader->size, *y = batch->y + i * loader->outputs;
    if (!loader->augmented)
        return dl_dataset_read(dataset, batch->index[i], x, y, error);
    dl_augment_pass augmented = {.augment = &loader->data->augment,
                                 .dataset = dataset,
                                 .schema = &loader->data->schema,
                                 .index = loader->part->index,
                                 .rows = loader->part->count,
                                 .seed = pass->seed,
                                 .epoch = pass->epoch};
    dl_augmented made = {x, y, batch->other ? batch->other + i * loader->outputs : NULL, 1};
    int result = dl_augment_row(&augmented, scratch, batch->index[i], &made, error);
    if (batch->share)
        batch->share[i] = made.share;
    return result;
}

/* Reads and normalizes rows first … last - 1, until give_up is set. -1 and an error at row
   failed_row. */
static int fill(dl_loader *loader, const batch_job *job, dl_augment_scratch *scratch, int64_t first,
                int64_t last, int64_t *failed_row, dl_error *error) {
    const dl_dataset *dataset = loader->part->dataset;
    const dl_schema *schema = &loader->data->schema;
    dl_batch *batch = job->batch;
    const int64_t *order = loader->order + batch->step * loader->batch_size;
    for (int64_t i = first; i < last; i++) {
        if (atomic_load_explicit(&loader->give_up, memory_order_relaxed))
            return 0;
        batch->index[i] = order[i];
        if (batch->weight)
            batch->weight[i] = dataset->weight[order[i]];
        if (dataset->type->prefetch && i + PREFETCH_DISTANCE < last)
            dataset->type->prefetch(dataset, order[i + PREFETCH_DISTANCE]);
        *failed_row = i;
        if (read_row(loader, &job->request, scratch, batch, i, error))
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

/* Begins the next batch unless one is being filled or no buffer is free. */
static bool begin_batch(dl_loader *loader) {
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
    int64_t chunks = loader->workers > 1 ? 4 * loader->workers : 1;
    loader->job = (batch_job){.batch = batch,
                              .request = loader->pass,
                              .pass = loader->pass_number,
                              .chunk = (batch->count + chunks - 1) / chunks,
                              .failed = -1};
    pthread_cond_broadcast(&loader->work);
    return true;
}

/* Publishes a filled batch, unless its pass was aborted. */
static void finish_batch(dl_loader *loader) {
    batch_job *done = &loader->job;
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

/* Fills a chunk without holding the mutex. The error of the first faulty row is kept, whichever
   thread finds it. */
static void fill_chunk(dl_loader *loader, dl_augment_scratch *scratch) {
    batch_job *shared = &loader->job;
    const batch_job mine = *shared;
    int64_t first = mine.claimed, last = first + mine.chunk, failed_row = -1;
    last = last < mine.batch->count ? last : mine.batch->count;
    shared->claimed = last;
    pthread_mutex_unlock(&loader->mutex);
    dl_error error = {0};
    int result = fill(loader, &mine, scratch, first, last, &failed_row, &error);
    pthread_mutex_lock(&loader->mutex);
    if (result && (shared->failed < 0 || failed_row < shared->failed)) {
        dl_error_clear(&shared->fault);
        shared->fault = error;
        shared->failed = failed_row;
        error = (dl_error){0};
    }
    dl_error_clear(&error);
    shared->done += last - first;
    if (shared->done == mine.batch->count)
        finish_batch(loader);
}

static void *run(void *argument) {
    dl_loader *loader = argument;
    pthread_mutex_lock(&loader->mutex);
    dl_augment_scratch *scratch = &loader->scratch[loader->registered++];
    while (!loader->stop) {
        const batch_job *job = &loader->job;
        if ((job->batch && job->claimed < job->batch->count) || begin_batch(loader))
            fill_chunk(loader, scratch);
        else
            pthread_cond_wait(&loader->work, &loader->mutex);
    }
    pthread_mutex_unlock(&loader->mutex);
    return NULL;
}

/* ---- the caller ---- */

/* The threads block all signals except SIGBUS (base/mapped.h). */
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

/* Rows of the largest class of a split; *present: number of classes that occur. */
static int64_t largest_class(const dl_data *data, dl_split part, int *present) {
    const int64_t *count = data->part[part].class_count;
    int64_t largest = 0;
    *present = 0;
    for (int c = 0; c < data->schema.classes; c++) {
        largest = count[c] > largest ? count[c] : largest;
        *present += count[c] > 0;
    }
    return largest;
}

int64_t dl_loader_pass_rows(const dl_data *data, dl_split part) {
    const dl_subset *subset = &data->part[part];
    int present;
    if (part != DL_TRAIN || data->balance != DL_BALANCE_OVERSAMPLE || !subset->class_count)
        return subset->count;
    return largest_class(data, part, &present) * present;
}

/* Rows of the largest batch, with or without balanced classes. */
static int64_t max_batch_rows(const dl_loader *loader) {
    int64_t rows = dl_loader_pass_rows(loader->data, loader->which);
    return rows < loader->batch_size ? rows : loader->batch_size;
}

static int allocate(dl_loader *loader, dl_error *error) {
    int64_t rows = max_batch_rows(loader);
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
        if (loader->part->dataset->weight)
            loader->batch[i].weight = xmalloc(sizeof(float) * (size_t)rows);
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
    loader->workers = (int)(workers < 1 ? 1 : workers > MAX_WORKERS ? MAX_WORKERS : workers);
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
    int64_t rows = max_batch_rows(loader);
    size_t share = sizeof(float) * (size_t)rows, other = share * (size_t)loader->outputs;
    loader->augmented = true;
    for (int i = 0; i < loader->workers; i++) {
        dl_augment_scratch_open(&loader->scratch[i], &data->schema);
        loader->bytes += loader->scratch[i].bytes;
    }
    for (int i = 0; i < BUFFERS && data->augment.mixes && data->schema.classes; i++) {
        loader->batch[i].share = xmalloc(share);
        loader->batch[i].other = xmalloc(other);
        loader->bytes += (int64_t)(share + other);
    }
}

int dl_loader_balance(dl_loader *loader, dl_error *error) {
    int present;
    loader->largest = largest_class(loader->data, loader->which, &present);
    loader->rows = loader->largest * present;
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

void dl_loader_end_on(dl_loader *loader, const volatile sig_atomic_t *interrupted) {
    loader->interrupted = interrupted;
}

const dl_batch *dl_loader_next(dl_loader *loader, dl_error *error) {
    const dl_batch *batch = NULL;
    if (loader->interrupted && *loader->interrupted)
        return NULL;
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
        dl_augment_scratch_close(&loader->scratch[i]);
    for (int i = 0; i < BUFFERS; i++) {
        free(loader->batch[i].x);
        free(loader->batch[i].y);
        free(loader->batch[i].index);
        free(loader->batch[i].number);
        free(loader->batch[i].share);
        free(loader->batch[i].other);
        free(loader->batch[i].weight);
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

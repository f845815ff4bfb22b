#include "data/loader.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "data/bins.h"

/* One batch is with the caller while the thread fills the other. */
enum { BUFFERS = 2 };

enum { AHEAD = 2 }; /* rows that are on their way to the cache while one is read */

/* What a pass is: written by the caller, copied by the thread. */
typedef struct {
    dl_order order;
    uint64_t seed;
    uint32_t epoch;
    int64_t first_step;
} pass_request;

struct dl_loader {
    const dl_data *data;
    const dl_subset *part;
    int64_t batch_size, steps, size, outputs, bytes;
    int64_t rows;   /* of a pass: those of the part, or more where classes are balanced */
    int64_t *order; /* [rows]; the thread's own */
    /* where classes are balanced, else NULL */
    int64_t *of_class; /* [rows of the part]: the first class's, the second's, … */
    int64_t *first;    /* [classes + 1]: where each begins */
    int64_t most;      /* rows of the largest class */
    pthread_t thread;
    bool started; /* the thread runs */

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
    bool stop;
    atomic_bool give_up; /* tells a thread amid a batch not to finish it */
};

/* ---- the thread ---- */

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
        int64_t *own = to, count = loader->first[c + 1] - loader->first[c];
        dl_draw draw = {pass->seed, DL_FOR_SHUFFLE, 1, pass->epoch, (uint32_t)c};
        if (!count)
            continue;
        memcpy(own, loader->of_class + loader->first[c], sizeof *own * (size_t)count);
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
    if (loader->of_class)
        make_balanced(loader, pass);
    else
        memcpy(loader->order, loader->part->index, sizeof(int64_t) * (size_t)loader->rows);
    if (pass->order == DL_AS_STORED)
        return;
    dl_draw draw = {.seed = pass->seed, .purpose = DL_FOR_SHUFFLE, .epoch = pass->epoch};
    dl_random_shuffle(&draw, loader->order, loader->rows);
}

/* Reads and normalizes, row by row while it is in the cache. Ends early if told to give up. */
static int fill(dl_loader *loader, dl_batch *batch, int64_t step, dl_error *error) {
    const dl_dataset *dataset = loader->part->dataset;
    int64_t first = step * loader->batch_size, left = loader->rows - first;
    batch->step = step;
    batch->count = left < loader->batch_size ? left : loader->batch_size;
    for (int64_t i = 0; i < batch->count; i++) {
        if (atomic_load_explicit(&loader->give_up, memory_order_relaxed))
            return 0;
        float *x = batch->x + i * loader->size, *y = batch->y + i * loader->outputs;
        batch->index[i] = loader->order[first + i];
        if (dataset->type->prefetch && i + AHEAD < left)
            dataset->type->prefetch(dataset, loader->order[first + i + AHEAD]);
        if (dataset->type->read(dataset, batch->index[i], x, y, error))
            return -1;
        dl_normalize(&loader->data->input, x, 1, loader->size);
        dl_normalize(&loader->data->target, y, 1, loader->outputs);
        if (batch->number) {
            batch->number[i] = *y;
            *y = (float)dl_bins_find(&loader->data->schema, (double)*y);
        }
    }
    return 0;
}

static bool can_fill(const dl_loader *loader) {
    int64_t in_use = loader->made - loader->taken + loader->holding;
    return !loader->failed && loader->made < loader->to_come && in_use < BUFFERS;
}

static void *run(void *argument) {
    dl_loader *loader = argument;
    int64_t ordered_for = 0; /* the pass that loader->order is for; 0: none */
    pthread_mutex_lock(&loader->mutex);
    while (!loader->stop) {
        if (!can_fill(loader)) {
            pthread_cond_wait(&loader->work, &loader->mutex);
            continue;
        }
        int64_t number = loader->pass_number, step = loader->pass.first_step + loader->made;
        pass_request pass = loader->pass;
        dl_batch *batch = &loader->batch[loader->made % BUFFERS];
        atomic_store(&loader->give_up, false);
        pthread_mutex_unlock(&loader->mutex);
        dl_error error = {0};
        if (ordered_for != number)
            make_order(loader, &pass);
        ordered_for = number;
        int result = fill(loader, batch, step, &error);
        pthread_mutex_lock(&loader->mutex);
        if (number == loader->pass_number) {
            loader->made += !result;
            loader->failed = result != 0;
            loader->fault = error;
            error = (dl_error){0};
            pthread_cond_signal(&loader->ready);
        }
        dl_error_clear(&error);
    }
    pthread_mutex_unlock(&loader->mutex);
    return NULL;
}

/* ---- the caller ---- */

/* Signals are for the main thread: the loader's is born with all of them blocked. */
static int start_thread(dl_loader *loader, dl_error *error) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&loader->thread, NULL, run, loader);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result)
        return dl_fail(error, DL_FAILURE, "cannot start the thread that loads data: %s",
                       strerror(result));
    loader->started = true;
    return 0;
}

static int allocate(dl_loader *loader, dl_error *error) {
    int64_t rows =
        loader->part->count < loader->batch_size ? loader->part->count : loader->batch_size;
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
    loader->batch_size = batch_size;
    loader->size = dl_shape_size(data->schema.input);
    loader->outputs = data->schema.outputs;
    loader->rows = loader->part->count;
    loader->steps = loader->rows / batch_size + (loader->rows % batch_size != 0);
    pthread_mutex_init(&loader->mutex, NULL);
    pthread_cond_init(&loader->work, NULL);
    pthread_cond_init(&loader->ready, NULL);
    if (allocate(loader, error) || start_thread(loader, error)) {
        dl_loader_free(loader);
        return NULL;
    }
    return loader;
}

/* The class of a row of the part, a number's bin. */
static int class_of(const dl_loader *loader, int64_t row, int *class, dl_error *error) {
    const dl_dataset *dataset = loader->part->dataset;
    const dl_schema *schema = &loader->data->schema;
    float y = 0;
    int result = dataset->type->read(dataset, row, NULL, &y, error);
    *class = schema->bin_edge ? dl_bins_find(schema, (double)y) : (int)y;
    return result;
}

int dl_loader_balance(dl_loader *loader, dl_error *error) {
    const dl_subset *part = loader->part;
    int classes = loader->data->schema.classes, there = 0, result = 0;
    loader->first = xcalloc((size_t)classes + 2, sizeof *loader->first);
    loader->of_class = xmalloc(sizeof *loader->of_class * (size_t)part->count);
    for (int c = 0; c < classes; c++) {
        int64_t count = part->class_count[c];
        there += count > 0;
        loader->most = count > loader->most ? count : loader->most;
        loader->first[c + 2] = loader->first[c + 1] + count;
    }
    /* first[c + 1]: where the next row of class c goes; in the end, where class c + 1 begins */
    for (int64_t i = 0; i < part->count && !result; i++) {
        int class;
        result = class_of(loader, part->index[i], &class, error);
        if (!result)
            loader->of_class[loader->first[class + 1]++] = part->index[i];
    }
    loader->rows = loader->most * there;
    loader->steps = loader->rows / loader->batch_size + (loader->rows % loader->batch_size != 0);
    loader->order = xrealloc(loader->order, sizeof *loader->order * (size_t)loader->rows);
    loader->bytes += (int64_t)sizeof *loader->order * loader->rows;
    return result;
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
    pthread_cond_signal(&loader->work);
    pthread_mutex_unlock(&loader->mutex);
}

const dl_batch *dl_loader_next(dl_loader *loader, dl_error *error) {
    const dl_batch *batch = NULL;
    pthread_mutex_lock(&loader->mutex);
    if (loader->holding) {
        loader->holding = false;
        pthread_cond_signal(&loader->work);
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
    if (loader->started) {
        pthread_mutex_lock(&loader->mutex);
        loader->stop = true;
        atomic_store(&loader->give_up, true);
        pthread_cond_signal(&loader->work);
        pthread_mutex_unlock(&loader->mutex);
        pthread_join(loader->thread, NULL);
    }
    for (int i = 0; i < BUFFERS; i++) {
        free(loader->batch[i].x);
        free(loader->batch[i].y);
        free(loader->batch[i].index);
        free(loader->batch[i].number);
    }
    free(loader->order);
    free(loader->of_class);
    free(loader->first);
    dl_error_clear(&loader->fault);
    pthread_cond_destroy(&loader->ready);
    pthread_cond_destroy(&loader->work);
    pthread_mutex_destroy(&loader->mutex);
    free(loader);
}

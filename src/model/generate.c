/* SPDX-License-Identifier: MIT */
/* The input is a window of at most T symbols, the length of the training samples; the next symbol
   is drawn from softmax(z / temperature), where z are the outputs at the last symbol. When the
   window is full, its last half is kept: each draw sees at least T/2 symbols. For a stateful net
   the window starts over and the state is carried, as in training. */
#include "model/generate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/text.h"

typedef struct {
    dl_model *model;
    bool stateful;
    float *x;         /* [size of the input] */
    int *order;       /* [classes]: work space */
    uint16_t *window; /* [length] */
    int64_t length, count;
} generator;

/* The outputs at each position of the window, [length][classes]. */
static float *run_window(generator *w, bool carry) {
    dl_pass pass = {.batch = 1, .carry = carry};
    const dl_data *data = &w->model->data;
    dl_symbols symbols = dl_data_symbols(data);
    dl_symbols_encode(&symbols, w->window, w->count, w->x);
    dl_normalize(&data->input, w->x, 1, dl_shape_size(data->schema.input));
    dl_net_forward(&w->model->net, w->x, &pass);
    return dl_net_output(&w->model->net)->value;
}

static void push(generator *w, uint16_t symbol) {
    if (w->count == w->length && w->stateful) {
        run_window(w, true);
        w->count = 0;
    } else if (w->count == w->length) {
        w->count = w->length / 2;
        memmove(w->window, w->window + w->length - w->count, sizeof *w->window * (size_t)w->count);
    }
    w->window[w->count++] = symbol;
}

static int by_output(const void *a, const void *b, void *outputs) {
    const float *z = outputs;
    int i = *(const int *)a, j = *(const int *)b;
    return z[i] != z[j] ? (z[i] < z[j]) - (z[i] > z[j]) : (i > j) - (i < j);
}

/* The classes to choose from, in order[...]: how many. All, or the most likely ones (Holtzman et
   al., "The curious case of neural text degeneration", 2020). */
static int list_candidates(const dl_generate_options *o, float *z, int classes, int *order) {
    int count = o->top_k > 0 && o->top_k < classes ? (int)o->top_k : classes;
    for (int c = 0; c < classes; c++)
        order[c] = c;
    if (count == classes && o->top_p <= 0)
        return classes;
    qsort_r(order, (size_t)classes, sizeof *order, by_output, z);
    double total = 0, sum = 0;
    for (int k = 0; k < classes; k++)
        total += exp(((double)z[order[k]] - z[order[0]]) / o->temperature);
    for (int k = 0; k < count && o->top_p > 0; k++) {
        sum += exp(((double)z[order[k]] - z[order[0]]) / o->temperature);
        if (sum >= o->top_p * total)
            return k + 1;
    }
    return count;
}

/* Draws from the unnormalized probabilities exp((z - max z) / temperature). */
static int draw_symbol(const dl_generate_options *o, float *z, int classes, int *order,
                       double uniform) {
    int best = 0;
    double total = 0, sum = 0;
    for (int c = 1; c < classes; c++)
        best = z[c] > z[best] ? c : best;
    if (o->temperature <= 0)
        return best;
    int count = list_candidates(o, z, classes, order);
    for (int k = 0; k < count; k++)
        total += exp(((double)z[order[k]] - z[best]) / o->temperature);
    for (int k = 0; k < count; k++) {
        sum += exp(((double)z[order[k]] - z[best]) / o->temperature);
        if (sum > uniform * total)
            return order[k];
    }
    return best; /* not finite */
}

/* Checks that the outputs at a symbol do not depend on later symbols. */
static int check_causal(generator *w, const char *name, dl_error *error) {
    const int classes = w->model->data.schema.classes;
    float *alone = xmalloc(sizeof *alone * (size_t)classes), worst = 0, most = 1e-3f;
    w->window[0] = 0;
    w->count = 1;
    memcpy(alone, run_window(w, false), sizeof *alone * (size_t)classes);
    for (w->count = 1; w->count < w->length; w->count++)
        w->window[w->count] = (uint16_t)(classes - 1);
    const float *z = run_window(w, false);
    for (int c = 0; c < classes; c++) {
        worst = fmaxf(worst, fabsf(z[c] - alone[c]));
        most = fmaxf(most, fabsf(alone[c]));
    }
    free(alone);
    w->count = 0;
    if (!(worst > 1e-4f * most))
        return 0;
    return dl_fail(
        error, DL_USAGE,
        "%s: its net sees later symbols (through a bidirectional layer, for example), so it "
        "has not learned to predict the next one",
        name);
}

/* The symbol before the first one if there is no prompt: a newline, if the text has any. */
static uint16_t start_symbol(const dl_data *data) {
    for (int c = 0; c < data->schema.classes; c++)
        if (!strcmp(data->schema.class_names[c], "\\n"))
            return (uint16_t)c;
    return 0;
}

static void generate(generator *w, const dl_generate_options *o, const uint16_t *prompt,
                     int64_t given, dl_generate_sink sink, void *context) {
    const dl_data *data = &w->model->data;
    const int classes = data->schema.classes;
    char bytes[DL_MAX_SYMBOL];
    if (!given)
        push(w, start_symbol(data));
    dl_symbols symbols = dl_data_symbols(data);
    for (int64_t i = 0; i < given + o->count; i++) {
        uint32_t words[4];
        dl_draw draw = {o->seed, DL_FOR_GENERATION, 0, (uint32_t)((i - given) >> 32),
                        (uint32_t)(i - given)};
        int symbol = i < given ? prompt[i] : 0;
        if (i >= given) {
            dl_random_words(&draw, 0, words);
            float *z = run_window(w, false) + (w->count - 1) * classes;
            symbol = draw_symbol(o, z, classes, w->order, (double)words[0] * 0x1p-32);
        }
        push(w, (uint16_t)symbol);
        if (!sink(context, bytes, dl_symbols_write(&symbols, symbol, i == 0, bytes)))
            break;
    }
}

int dl_generate(dl_model *model, const dl_generate_options *o, const char *name,
                dl_generate_sink sink, void *context, dl_error *error) {
    int64_t given = 0;
    if (model->channels != model->data.schema.classes)
        return dl_fail(error, DL_USAGE,
                       "%s: its net has %lld output%s at each symbol, but generation needs one for "
                       "each of the %d possible symbols",
                       name, (long long)model->channels, model->channels == 1 ? "" : "s",
                       model->data.schema.classes);
    dl_symbols symbols = dl_data_symbols(&model->data);
    uint16_t *prompt =
        dl_symbols_read(&symbols, o->prompt ? o->prompt : "", "--prompt", &given, error);
    if (!prompt)
        return -1;
    const dl_shape input = model->data.schema.input;
    generator w = {
        .model = model, .stateful = dl_net_stateful(&model->net) != NULL, .length = input.dim[0]};
    w.x = xmalloc(sizeof *w.x * (size_t)dl_shape_size(input));
    w.window = xmalloc(sizeof *w.window * (size_t)w.length);
    w.order = xmalloc(sizeof *w.order * (size_t)model->data.schema.classes);
    dl_net_begin(&model->net);
    int result = check_causal(&w, name, error);
    if (!result)
        generate(&w, o, prompt, given, sink, context);
    free(prompt);
    free(w.order);
    free(w.x);
    free(w.window);
    return result;
}

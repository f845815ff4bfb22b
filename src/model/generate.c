/* SPDX-License-Identifier: MIT */
/* The net sees a window of at most T symbols, T being the length of its samples, from position 0
   on; the next symbol is drawn from the softmax of z / temperature, z being its outputs at the
   last symbol. When the window is full its last half is kept: each draw sees at least T/2 symbols.
   A stateful net reads as it was trained: its window begins anew, and its state is carried over. */
#include "model/generate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/text.h"

typedef struct {
    dl_model *model;
    bool stateful;
    float *x;         /* [size of the input] */
    uint16_t *window; /* [length] */
    int64_t length, count;
} writer;

/* The outputs at each position of the window, [length][classes]. */
static const float *look(writer *w, bool carry) {
    dl_pass pass = {.batch = 1, .carry = carry};
    const dl_data *data = &w->model->data;
    dl_symbols symbols = dl_data_symbols(data);
    dl_symbols_encode(&symbols, w->window, w->count, w->x);
    dl_normalize(&data->input, w->x, 1, dl_shape_size(data->schema.input));
    dl_net_forward(&w->model->net, w->x, &pass);
    return dl_net_output(&w->model->net)->value;
}

static void push(writer *w, uint16_t symbol) {
    if (w->count == w->length && w->stateful) {
        look(w, true);
        w->count = 0;
    } else if (w->count == w->length) {
        w->count = w->length / 2;
        memmove(w->window, w->window + w->length - w->count, sizeof *w->window * (size_t)w->count);
    }
    w->window[w->count++] = symbol;
}

/* By the probabilities exp((z - max z) / temperature), which need not add up to 1. */
static int choose(const float *z, int classes, double temperature, double uniform) {
    int best = 0;
    double total = 0, sum = 0;
    for (int c = 1; c < classes; c++)
        best = z[c] > z[best] ? c : best;
    if (temperature <= 0)
        return best;
    for (int c = 0; c < classes; c++)
        total += exp(((double)z[c] - z[best]) / temperature);
    for (int c = 0; c < classes; c++) {
        sum += exp(((double)z[c] - z[best]) / temperature);
        if (sum > uniform * total)
            return c;
    }
    return best; /* not even numbers */
}

/* Whether what the net says at a symbol stays when another one follows. */
static int check_causal(writer *w, const char *name, dl_error *error) {
    const int classes = w->model->data.schema.classes;
    float *alone = xmalloc(sizeof *alone * (size_t)classes), worst = 0, most = 1e-3f;
    w->window[0] = 0;
    w->count = 1;
    memcpy(alone, look(w, false), sizeof *alone * (size_t)classes);
    for (w->count = 1; w->count < w->length; w->count++)
        w->window[w->count] = (uint16_t)(classes - 1);
    const float *z = look(w, false);
    for (int c = 0; c < classes; c++) {
        worst = fmaxf(worst, fabsf(z[c] - alone[c]));
        most = fmaxf(most, fabsf(alone[c]));
    }
    free(alone);
    w->count = 0;
    if (!(worst > 1e-4f * most))
        return 0;
    return dl_fail(error, DL_USAGE,
                   "%s: its net sees what comes later (a bidirectional layer, say): it has not "
                   "learnt to foretell the next symbol",
                   name);
}

/* What comes before the first symbol if there is no prompt: a line's end, if the text has any. */
static uint16_t beginning(const dl_data *data) {
    for (int c = 0; c < data->schema.classes; c++)
        if (!strcmp(data->schema.class_names[c], "\\n"))
            return (uint16_t)c;
    return 0;
}

static void write_text(writer *w, const dl_generate_options *o, const uint16_t *prompt,
                       int64_t given, dl_generate_sink sink) {
    const dl_data *data = &w->model->data;
    const int classes = data->schema.classes;
    char bytes[DL_MOST_SYMBOL];
    if (!given)
        push(w, beginning(data));
    dl_symbols symbols = dl_data_symbols(data);
    for (int64_t i = 0; i < given + o->count; i++) {
        uint32_t words[4];
        dl_draw draw = {o->seed, DL_FOR_GENERATION, 0, (uint32_t)((i - given) >> 32),
                        (uint32_t)(i - given)};
        int symbol = i < given ? prompt[i] : 0;
        if (i >= given) {
            dl_random_words(&draw, 0, words);
            const float *z = look(w, false) + (w->count - 1) * classes;
            symbol = choose(z, classes, o->temperature, (double)words[0] * 0x1p-32);
        }
        push(w, (uint16_t)symbol);
        if (!sink(bytes, dl_symbols_write(&symbols, symbol, i == 0, bytes)))
            break;
    }
}

int dl_generate(dl_model *model, const dl_generate_options *o, const char *name,
                dl_generate_sink sink, dl_error *error) {
    int64_t given = 0;
    if (model->channels != model->data.schema.classes)
        return dl_fail(error, DL_USAGE,
                       "%s: its net has %lld output%s at each symbol, but writing needs one for "
                       "each of the %d symbols that can come next",
                       name, (long long)model->channels, model->channels == 1 ? "" : "s",
                       model->data.schema.classes);
    dl_symbols symbols = dl_data_symbols(&model->data);
    uint16_t *prompt =
        dl_symbols_read(&symbols, o->prompt ? o->prompt : "", "--prompt", &given, error);
    if (!prompt)
        return -1;
    const dl_shape input = model->data.schema.input;
    writer w = {
        .model = model, .stateful = dl_net_stateful(&model->net) != NULL, .length = input.dim[0]};
    w.x = xmalloc(sizeof *w.x * (size_t)dl_shape_size(input));
    w.window = xmalloc(sizeof *w.window * (size_t)w.length);
    dl_net_begin(&model->net);
    int result = check_causal(&w, name, error);
    if (!result)
        write_text(&w, o, prompt, given, sink);
    free(prompt);
    free(w.x);
    free(w.window);
    return result;
}

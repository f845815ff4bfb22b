/* SPDX-License-Identifier: MIT */
#include "layers/recurrent.h"

#include "math/gemm.h"
#include "math/packed.h"
#include "math/threads.h"
#include "math/vector.h"

const char *const dl_recurrent_returns[] = {"sequence", "last", NULL};

const char *const dl_recurrent_inits[] = {DL_INITIALIZER_NAMES, NULL};

/* Between the rows of a step, so that they do not all fall into the same lines of the cache. */
enum { APART = 16 };

/* Multiply-adds of a step below which a second thread costs more than it gives. */
enum { SMALL = 1 << 14 };

/* ---- setup ---- */

static int add_matrix(dl_layer *layer, const char *name, int inputs, int outputs, bool orthogonal) {
    const dl_recurrent *self = layer->self;
    const dl_initializer *initializer =
        &dl_initializers[orthogonal ? DL_INIT_ORTHOGONAL : self->init.kind];
    return dl_layer_add_param(
        layer, (dl_param){.name = name,
                          .shape = dl_shape2(inputs, outputs),
                          .flags = (orthogonal ? DL_ORTHOGONAL : DL_DECAYS) | DL_OVERWRITES,
                          .initializer = initializer,
                          .number = orthogonal ? 1 : dl_init_number(&self->init, initializer),
                          .fan_in = inputs,
                          .fan_out = self->units});
}

static int add_bias(dl_layer *layer, const char *name, const dl_initializer *initializer,
                    double number) {
    const dl_recurrent *self = layer->self;
    return dl_layer_add_param(layer,
                              (dl_param){.name = name,
                                         .shape = dl_shape1((int)(self->cell->gates * self->units)),
                                         .initializer = initializer,
                                         .number = number,
                                         .fan_in = 1,
                                         .fan_out = 1});
}

static int add_floats(dl_layer *layer, dl_lifetime lifetime, int64_t count) {
    return dl_layer_add_buffer(layer, lifetime, count * (int64_t)sizeof(float));
}

static void declare_way(dl_layer *layer, int d, double bias_number) {
    static const char *const names[2][4] = {
        {"weight", "recurrent_weight", "bias", "recurrent_bias"},
        {"weight_reverse", "recurrent_weight_reverse", "bias_reverse", "recurrent_bias_reverse"}};
    dl_recurrent *self = layer->self;
    const dl_recurrent_cell *cell = self->cell;
    dl_recurrent_way *way = &self->way[d];
    const dl_shape in = layer->in[0].shape;
    int outputs = cell->gates * (int)self->units;
    int64_t rows = (int64_t)layer->max_batch * in.dim[0];
    const dl_initializer *zeros = &dl_initializers[DL_INIT_ZEROS];
    *way = (dl_recurrent_way){-1, -1, -1, -1, -1, -1, -1, -1, -1};
    way->weight = add_matrix(layer, names[d][0], in.dim[1], outputs, false);
    way->recurrent = add_matrix(layer, names[d][1], (int)self->units, outputs, self->orthogonal);
    if (self->bias)
        way->bias = add_bias(layer, names[d][2], cell->bias ? cell->bias : zeros, bias_number);
    if (self->bias && cell->apart)
        way->recurrent_bias = add_bias(layer, names[d][3], zeros, 0);
    way->gates = add_floats(layer, DL_SAVED, rows * outputs);
    way->previous = add_floats(layer, DL_SAVED, rows * self->units);
    if (cell->has_memory)
        way->memory = add_floats(layer, DL_SAVED, rows * self->units);
    if (self->stateful && cell->carries_memory)
        way->memory_first = add_floats(layer, DL_SAVED, layer->max_batch * self->units);
    if (cell->apart && layer->training)
        way->gradient = add_floats(layer, DL_SCRATCH, rows * outputs);
}

/* What the next batch begins with: [batch][units]. */
static int add_carried(dl_layer *layer, const char *name) {
    const dl_recurrent *self = layer->self;
    return dl_layer_add_state(layer,
                              (dl_param){.name = name,
                                         .shape = dl_shape2(layer->max_batch, (int)self->units),
                                         .flags = DL_CARRIED,
                                         .initializer = &dl_initializers[DL_INIT_ZEROS]});
}

static void declare_scratch(dl_layer *layer) {
    dl_recurrent *self = layer->self;
    int64_t units = self->units, outputs = self->cell->gates * units;
    int64_t forward = dl_packed_size(outputs, units), back = dl_packed_size(units, outputs);
    int64_t wide = dl_packed_columns(outputs) + APART, narrow = dl_packed_columns(units) + APART;
    self->packed = add_floats(layer, DL_SCRATCH, forward > back ? forward : back);
    self->state = add_floats(layer, DL_SCRATCH, layer->max_batch * narrow);
    self->product = add_floats(layer, DL_SCRATCH, layer->max_batch * wide);
    self->carried = add_floats(layer, DL_SCRATCH, layer->max_batch * units);
    self->zeros = add_floats(layer, DL_SCRATCH, units);
}

int dl_recurrent_setup(dl_layer *layer, const dl_recurrent_cell *cell, double bias_number,
                       dl_error *error) {
    dl_recurrent *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    char shape[48];
    if (in.rank != 2)
        return dl_fail(error, DL_USAGE, "%s: %s needs a sequence (steps x channels), not %s",
                       layer->where, layer->type->kind.name, dl_shape_text(shape, in));
    int64_t units = self->units, outputs = cell->gates * units, ways = self->bidirectional ? 2 : 1;
    int64_t weights = outputs * (in.dim[1] + units), values;
    if (weights > (int64_t)1 << 31)
        return dl_fail(error, DL_USAGE, "%s: %d channels and %lld units are too many weights",
                       layer->where, in.dim[1], (long long)units);
    if (!dl_multiply((int64_t)layer->max_batch * in.dim[0], outputs, &values) || values > (int64_t)1
                                                                                              << 40)
        return dl_fail(error, DL_USAGE,
                       "%s: %d steps of %lld units are too large for a batch of %d", layer->where,
                       in.dim[0], (long long)units, layer->max_batch);
    if (self->stateful && self->bidirectional)
        return dl_fail(error, DL_USAGE,
                       "%s: a bidirectional layer cannot be stateful: it would have to read the "
                       "next batch before this one (leave out one of the two)",
                       layer->where);
    if (dl_weights_check_orthogonal(layer, self->orthogonal, error))
        return -1;
    self->cell = cell;
    for (int d = 0; d < ways; d++)
        declare_way(layer, d, bias_number);
    declare_scratch(layer);
    self->kept_state = self->stateful ? add_carried(layer, "state") : -1;
    self->kept_memory = self->stateful && cell->carries_memory ? add_carried(layer, "memory") : -1;
    int width = (int)(ways * units);
    layer->out.shape = self->returns ? dl_shape1(width) : dl_shape2(in.dim[0], width);
    layer->needs_output = false;
    layer->operations = 2 * ways * in.dim[0] * weights;
    return 0;
}

/* ---- what both passes look at ---- */

/* A direction of a pass. Row (b, t) of what is kept for all steps is row b · T + t. */
typedef struct {
    const dl_recurrent *self;
    const dl_layer *layer;
    int direction; /* 0: forwards in time, 1: backwards */
    int64_t steps, units, outputs;
    int64_t wide, narrow; /* floats from row to row of a step's working memory */
    float *gates, *previous, *memory, *gradient;
    float *packed, *state, *product, *carried, *zeros;
    const float *recurrent_bias;
    float *memory_first;             /* [batch][units], or NULL */
    float *kept_state, *kept_memory; /* [batch][units]: of the batch before, for the next one; NULL:
                                        the layer, or the memory, is not carried */
    bool carry;
} walk;

static float *memory_of(const dl_layer *layer, int buffer) {
    return buffer < 0 ? NULL : layer->buffers[buffer].memory;
}

static float *kept_of(const dl_layer *layer, int state) {
    return state < 0 ? NULL : layer->states[state].value;
}

static walk walk_of(const dl_layer *layer, int direction) {
    const dl_recurrent *self = layer->self;
    const dl_recurrent_way *way = &self->way[direction];
    int64_t outputs = self->cell->gates * self->units;
    return (walk){
        .self = self,
        .layer = layer,
        .direction = direction,
        .steps = layer->in[0].shape.dim[0],
        .units = self->units,
        .outputs = outputs,
        .wide = dl_packed_columns(outputs) + APART,
        .narrow = dl_packed_columns(self->units) + APART,
        .gates = memory_of(layer, way->gates),
        .previous = memory_of(layer, way->previous),
        .memory = memory_of(layer, way->memory),
        .gradient = memory_of(layer, way->gradient),
        .packed = memory_of(layer, self->packed),
        .state = memory_of(layer, self->state),
        .product = memory_of(layer, self->product),
        .carried = memory_of(layer, self->carried),
        .zeros = memory_of(layer, self->zeros),
        .memory_first = memory_of(layer, way->memory_first),
        .kept_state = kept_of(layer, self->kept_state),
        .kept_memory = kept_of(layer, self->kept_memory),
        .recurrent_bias = way->recurrent_bias < 0 ? NULL : layer->params[way->recurrent_bias].value,
    };
}

/* The row of sample b in step s of the walk (not of time), and what a cell sees there. */
static dl_recurrent_step step_of(const walk *w, int64_t b, int64_t s) {
    int64_t t = w->direction ? w->steps - 1 - s : s, row = b * w->steps + t;
    int64_t before = w->direction ? row + 1 : row - 1;
    dl_recurrent_step step = {
        .self = w->self,
        .units = w->units,
        .gates = w->gates + row * w->outputs,
        .previous = w->previous + row * w->units,
        .recurrent_bias = w->recurrent_bias,
    };
    if (w->memory) {
        step.memory = w->memory + row * w->units;
        step.memory_before = s                 ? w->memory + before * w->units
                             : w->memory_first ? w->memory_first + b * w->units
                                               : step.previous; /* zeros, or not looked at */
    }
    if (w->gradient)
        step.recurrent_grad = w->gradient + row * w->outputs;
    return step;
}

/* The row of out.value or out.grad that step s of sample b has; NULL if it has none. */
static float *output_row(const walk *w, float *out, int64_t b, int64_t s) {
    int64_t width = dl_shape_channels(w->layer->out.shape), offset = w->direction * w->units;
    if (w->self->returns)
        return s == w->steps - 1 ? out + b * width + offset : NULL;
    return out + (b * w->steps + (w->direction ? w->steps - 1 - s : s)) * width + offset;
}

typedef void go_through(const walk *w, int64_t first, int64_t last);

/* Each thread takes samples of its own through all steps. */
static void share_out(const walk *w, int64_t batch, go_through *function) {
#pragma omp parallel if (batch * w->units * w->outputs >= SMALL)
    {
        int64_t team = dl_threads_in_team(), number = dl_thread_number();
        function(w, batch * number / team, batch * (number + 1) / team);
    }
}

/* ---- forward ---- */

/* h_t of sample b: to the output, and to where the next step finds it. */
static void hand_on(const walk *w, int64_t b, int64_t s, const float *state) {
    float *y = output_row(w, w->layer->out.value, b, s);
    if (y)
        dl_copy(y, state, w->units);
    if (s + 1 < w->steps)
        dl_copy((float *)step_of(w, b, s + 1).previous, state, w->units);
}

/* h_0, and with it the product of the first step, which is not worked out if h_0 is zero. */
static void begin(const walk *w, int64_t b) {
    float *previous = (float *)step_of(w, b, 0).previous;
    if (!w->kept_state) {
        dl_zero(w->product + b * w->wide, w->outputs);
        dl_zero(previous, w->units);
        return;
    }
    dl_copy(previous, w->kept_state + b * w->units, w->units);
    dl_copy(w->state + b * w->narrow, previous, w->units);
    if (w->kept_memory)
        dl_copy(w->memory_first + b * w->units, w->kept_memory + b * w->units, w->units);
}

/* What the next batch will begin with. */
static void keep(const walk *w, int64_t b) {
    dl_copy(w->kept_state + b * w->units, w->state + b * w->narrow, w->units);
    if (w->kept_memory)
        dl_copy(w->kept_memory + b * w->units, step_of(w, b, w->steps - 1).memory, w->units);
}

static void walk_forward(const walk *w, int64_t first, int64_t last) {
    for (int64_t b = first; b < last; b++)
        begin(w, b);
    for (int64_t s = 0; s < w->steps; s++) {
        if (s || w->kept_state)
            dl_packed_multiply(last - first, w->outputs, w->units, w->state + first * w->narrow,
                               w->narrow, w->packed, w->product + first * w->wide, w->wide);
        for (int64_t b = first; b < last; b++) {
            dl_recurrent_step step = step_of(w, b, s);
            step.product = w->product + b * w->wide;
            step.state = w->state + b * w->narrow;
            w->self->cell->forward(&step);
            hand_on(w, b, s, step.state);
        }
    }
    for (int64_t b = first; b < last && w->kept_state && w->carry; b++)
        keep(w, b);
}

void dl_recurrent_forward(dl_layer *layer, const dl_pass *pass) {
    static const dl_activation linear = {.kind = DL_LINEAR};
    const dl_recurrent *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    for (int d = 0; d <= self->bidirectional; d++) {
        walk w = walk_of(layer, d);
        w.carry = pass->carry;
        const dl_recurrent_way *way = &self->way[d];
        dl_gemm_activate((int64_t)pass->batch * w.steps, w.outputs, in.dim[1], layer->in[0].value,
                         layer->params[way->weight].value,
                         way->bias < 0 ? NULL : layer->params[way->bias].value, &linear, NULL,
                         w.gates);
        dl_pack(false, w.outputs, w.units, layer->params[way->recurrent].value, w.packed);
        share_out(&w, pass->batch, walk_forward);
    }
}

/* ---- backward ---- */

static void walk_backward(const walk *w, int64_t first, int64_t last) {
    for (int64_t b = first; b < last; b++) {
        dl_zero(w->carried + b * w->units, w->units);
        dl_zero(w->state + b * w->narrow, w->units);
    }
    for (int64_t s = w->steps - 1; s >= 0; s--) {
        for (int64_t b = first; b < last; b++) {
            dl_recurrent_step step = step_of(w, b, s);
            const float *dy = output_row(w, w->layer->out.grad, b, s);
            step.dy = dy ? dy : w->zeros;
            step.back = w->state + b * w->narrow;
            step.carried = w->carried + b * w->units;
            w->self->cell->backward(&step);
            const float *dz = step.recurrent_grad ? step.recurrent_grad : step.gates;
            dl_copy(w->product + b * w->wide, dz, w->outputs);
        }
        if (s)
            dl_packed_multiply(last - first, w->units, w->outputs, w->product + first * w->wide,
                               w->wide, w->packed, w->state + first * w->narrow, w->narrow);
    }
}

static void add_bias_gradient(const dl_layer *layer, int param, int64_t rows, int64_t channels,
                              float *dz) {
    static const dl_activation linear = {.kind = DL_LINEAR};
    if (param >= 0)
        dl_activate_backward(&linear, rows, channels, NULL, dz, dz, layer->params[param].grad);
}

void dl_recurrent_backward(dl_layer *layer, const dl_pass *pass) {
    const dl_recurrent *self = layer->self;
    const int64_t channels = layer->in[0].shape.dim[1];
    for (int d = 0; d <= self->bidirectional; d++) {
        walk w = walk_of(layer, d);
        const dl_recurrent_way *way = &self->way[d];
        const dl_param *weight = &layer->params[way->weight];
        const dl_param *recurrent = &layer->params[way->recurrent];
        int64_t rows = (int64_t)pass->batch * w.steps;
        dl_zero(w.zeros, w.units);
        dl_pack(true, w.units, w.outputs, recurrent->value, w.packed);
        share_out(&w, pass->batch, walk_backward);
        float *dz = w.gates, *dv = w.gradient ? w.gradient : dz;
        add_bias_gradient(layer, way->bias, rows, w.outputs, dz);
        add_bias_gradient(layer, way->recurrent_bias, rows, w.outputs, dv);
        dl_gemm(true, false, channels, w.outputs, rows, layer->in[0].value, dz, weight->beta,
                weight->grad);
        dl_gemm(true, false, w.units, w.outputs, rows, w.previous, dv, recurrent->beta,
                recurrent->grad);
        if (layer->in[0].grad)
            dl_gemm(false, true, rows, channels, w.outputs, dz, weight->value, d ? 1 : 0,
                    layer->in[0].grad);
    }
}

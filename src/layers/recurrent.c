/* SPDX-License-Identifier: MIT */
#include "layers/recurrent.h"

#include "math/gemm.h"
#include "math/packed.h"
#include "math/threads.h"
#include "math/vector.h"

const char *const dl_recurrent_returns[] = {"sequence", "last", NULL};

const char *const dl_recurrent_inits[] = {DL_INITIALIZER_NAMES, NULL};

/* Floats between rows, so that they do not map to the same cache lines. */
enum { PADDING = 16 };

/* Multiply-adds per step below which one thread is faster. */
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
                          .argument = orthogonal ? 1 : dl_init_argument(&self->init, initializer),
                          .fan_in = inputs,
                          .fan_out = self->units});
}

static int add_bias(dl_layer *layer, const char *name, const dl_initializer *initializer,
                    double argument) {
    const dl_recurrent *self = layer->self;
    return dl_layer_add_param(layer,
                              (dl_param){.name = name,
                                         .shape = dl_shape1((int)(self->cell->gates * self->units)),
                                         .initializer = initializer,
                                         .argument = argument,
                                         .fan_in = 1,
                                         .fan_out = 1});
}

static void declare_direction(dl_layer *layer, int d, double bias_argument) {
    static const char *const names[2][4] = {
        {"weight", "recurrent_weight", "bias", "recurrent_bias"},
        {"weight_reverse", "recurrent_weight_reverse", "bias_reverse", "recurrent_bias_reverse"}};
    dl_recurrent *self = layer->self;
    const dl_recurrent_cell *cell = self->cell;
    dl_recurrent_direction *dir = &self->directions[d];
    const dl_shape in = layer->in[0].shape;
    int outputs = cell->gates * (int)self->units;
    int64_t rows = (int64_t)layer->max_batch * in.dim[0];
    const dl_initializer *zeros = &dl_initializers[DL_INIT_ZEROS];
    *dir = (dl_recurrent_direction){-1, -1, -1, -1, -1, -1, -1, -1, -1};
    dir->weight = add_matrix(layer, names[d][0], in.dim[1], outputs, false);
    dir->recurrent = add_matrix(layer, names[d][1], (int)self->units, outputs, self->orthogonal);
    if (self->bias)
        dir->bias = add_bias(layer, names[d][2], cell->bias ? cell->bias : zeros, bias_argument);
    if (self->bias && cell->separate)
        dir->recurrent_bias = add_bias(layer, names[d][3], zeros, 0);
    dir->gates = dl_layer_add_floats(layer, DL_SAVED, rows * outputs);
    dir->previous = dl_layer_add_floats(layer, DL_SAVED, rows * self->units);
    if (cell->has_memory)
        dir->memory = dl_layer_add_floats(layer, DL_SAVED, rows * self->units);
    if (self->stateful && cell->carries_memory)
        dir->memory_first = dl_layer_add_floats(layer, DL_SAVED, layer->max_batch * self->units);
    if (cell->separate && layer->training)
        dir->gradient = dl_layer_add_floats(layer, DL_SCRATCH, rows * outputs);
}

/* A state that is carried to the next batch: [batch][units]. */
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
    int64_t wide = dl_packed_columns(outputs) + PADDING,
            narrow = dl_packed_columns(units) + PADDING;
    self->packed = dl_layer_add_floats(layer, DL_SCRATCH, forward > back ? forward : back);
    self->state = dl_layer_add_floats(layer, DL_SCRATCH, layer->max_batch * narrow);
    self->product = dl_layer_add_floats(layer, DL_SCRATCH, layer->max_batch * wide);
    self->carried = dl_layer_add_floats(layer, DL_SCRATCH, layer->max_batch * units);
    self->zeros = dl_layer_add_floats(layer, DL_SCRATCH, units);
}

int dl_recurrent_setup(dl_layer *layer, const dl_recurrent_cell *cell, double bias_argument,
                       dl_error *error) {
    dl_recurrent *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    if (dl_layer_check_sequence(layer, error))
        return -1;
    int64_t units = self->units, outputs = cell->gates * units,
            directions = self->bidirectional ? 2 : 1;
    int64_t weights = outputs * (in.dim[1] + units), values;
    if (weights > (int64_t)1 << 31)
        return dl_fail(error, DL_USAGE, "%s: %d channels and %lld units have too many weights",
                       layer->where, in.dim[1], (long long)units);
    if (!dl_multiply((int64_t)layer->max_batch * in.dim[0], outputs, &values) || values > (int64_t)1
                                                                                              << 40)
        return dl_fail(error, DL_USAGE,
                       "%s: %d steps of %lld units need too much memory for a batch of %d",
                       layer->where, in.dim[0], (long long)units, layer->max_batch);
    if (self->stateful && self->bidirectional)
        return dl_fail(error, DL_USAGE,
                       "%s: a bidirectional layer cannot be stateful: it would have to read the "
                       "next batch first (remove one of the two)",
                       layer->where);
    if (dl_weights_check_orthogonal(layer, self->orthogonal, error))
        return -1;
    self->cell = cell;
    for (int d = 0; d < directions; d++)
        declare_direction(layer, d, bias_argument);
    declare_scratch(layer);
    self->carried_state = self->stateful ? add_carried(layer, "state") : -1;
    self->carried_memory =
        self->stateful && cell->carries_memory ? add_carried(layer, "memory") : -1;
    int width = (int)(directions * units);
    layer->out.shape = self->returns ? dl_shape1(width) : dl_shape2(in.dim[0], width);
    layer->needs_output = false;
    layer->operations = 2 * directions * in.dim[0] * weights;
    return 0;
}

/* ---- both passes ---- */

/* One direction of a pass. The buffers of all steps hold step t of sample b at row b · T + t. */
typedef struct {
    const dl_recurrent *self;
    const dl_layer *layer;
    int direction; /* 0: forward in time, 1: backward */
    int64_t steps, units, outputs;
    int64_t wide, narrow; /* floats from row to row of the scratch buffers of a step */
    float *gates, *previous, *memory, *gradient;
    float *packed, *state, *product, *carried, *zeros;
    const float *recurrent_bias;
    float *memory_first;                   /* [batch][units], or NULL */
    float *carried_state, *carried_memory; /* [batch][units]: carried between batches, or NULL */
    bool carry;
} scan;

static float *memory_of(const dl_layer *layer, int buffer) {
    return buffer < 0 ? NULL : layer->buffers[buffer].memory;
}

static float *state_of(const dl_layer *layer, int state) {
    return state < 0 ? NULL : layer->states[state].value;
}

static scan scan_of(const dl_layer *layer, int direction) {
    const dl_recurrent *self = layer->self;
    const dl_recurrent_direction *dir = &self->directions[direction];
    int64_t outputs = self->cell->gates * self->units;
    return (scan){
        .self = self,
        .layer = layer,
        .direction = direction,
        .steps = layer->in[0].shape.dim[0],
        .units = self->units,
        .outputs = outputs,
        .wide = dl_packed_columns(outputs) + PADDING,
        .narrow = dl_packed_columns(self->units) + PADDING,
        .gates = memory_of(layer, dir->gates),
        .previous = memory_of(layer, dir->previous),
        .memory = memory_of(layer, dir->memory),
        .gradient = memory_of(layer, dir->gradient),
        .packed = memory_of(layer, self->packed),
        .state = memory_of(layer, self->state),
        .product = memory_of(layer, self->product),
        .carried = memory_of(layer, self->carried),
        .zeros = memory_of(layer, self->zeros),
        .memory_first = memory_of(layer, dir->memory_first),
        .carried_state = state_of(layer, self->carried_state),
        .carried_memory = state_of(layer, self->carried_memory),
        .recurrent_bias = dir->recurrent_bias < 0 ? NULL : layer->params[dir->recurrent_bias].value,
    };
}

/* Sample b in step s of the scan (not of time). */
static dl_recurrent_step step_of(const scan *w, int64_t b, int64_t s) {
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
                                               : step.previous; /* zeros, or unused */
    }
    if (w->gradient)
        step.recurrent_grad = w->gradient + row * w->outputs;
    return step;
}

/* The row of out.value or out.grad of step s of sample b; NULL if it has none. */
static float *output_row(const scan *w, float *out, int64_t b, int64_t s) {
    int64_t width = dl_shape_channels(w->layer->out.shape), offset = w->direction * w->units;
    if (w->self->returns)
        return s == w->steps - 1 ? out + b * width + offset : NULL;
    return out + (b * w->steps + (w->direction ? w->steps - 1 - s : s)) * width + offset;
}

typedef void scan_function(const scan *w, int64_t first, int64_t last);

/* Each thread runs its own samples through all steps. */
static void run_parallel(const scan *w, int64_t batch, scan_function *function) {
#pragma omp parallel if (batch * w->units * w->outputs >= SMALL)
    {
        int64_t team = dl_threads_in_team(), index = dl_thread_number();
        function(w, batch * index / team, batch * (index + 1) / team);
    }
}

/* ---- forward ---- */

/* Copies h_t of sample b to the output and to `previous` of the next step. */
static void store_state(const scan *w, int64_t b, int64_t s, const float *state) {
    float *y = output_row(w, w->layer->out.value, b, s);
    if (y)
        dl_copy(y, state, w->units);
    if (s + 1 < w->steps)
        dl_copy((float *)step_of(w, b, s + 1).previous, state, w->units);
}

/* Sets h_0; if it is zero also the product of the first step. */
static void load_state(const scan *w, int64_t b) {
    float *previous = (float *)step_of(w, b, 0).previous;
    if (!w->carried_state) {
        dl_zero(w->product + b * w->wide, w->outputs);
        dl_zero(previous, w->units);
        return;
    }
    dl_copy(previous, w->carried_state + b * w->units, w->units);
    dl_copy(w->state + b * w->narrow, previous, w->units);
    if (w->carried_memory)
        dl_copy(w->memory_first + b * w->units, w->carried_memory + b * w->units, w->units);
}

static void save_state(const scan *w, int64_t b) {
    dl_copy(w->carried_state + b * w->units, w->state + b * w->narrow, w->units);
    if (w->carried_memory)
        dl_copy(w->carried_memory + b * w->units, step_of(w, b, w->steps - 1).memory, w->units);
}

static void scan_forward(const scan *w, int64_t first, int64_t last) {
    for (int64_t b = first; b < last; b++)
        load_state(w, b);
    for (int64_t s = 0; s < w->steps; s++) {
        if (s || w->carried_state)
            dl_packed_multiply(last - first, w->outputs, w->units, w->state + first * w->narrow,
                               w->narrow, w->packed, w->product + first * w->wide, w->wide);
        for (int64_t b = first; b < last; b++) {
            dl_recurrent_step step = step_of(w, b, s);
            step.product = w->product + b * w->wide;
            step.state = w->state + b * w->narrow;
            w->self->cell->forward(&step);
            store_state(w, b, s, step.state);
        }
    }
    for (int64_t b = first; b < last && w->carried_state && w->carry; b++)
        save_state(w, b);
}

void dl_recurrent_forward(dl_layer *layer, const dl_pass *pass) {
    static const dl_activation linear = {.kind = DL_LINEAR};
    const dl_recurrent *self = layer->self;
    const dl_shape in = layer->in[0].shape;
    for (int d = 0; d <= self->bidirectional; d++) {
        scan w = scan_of(layer, d);
        w.carry = pass->carry;
        const dl_recurrent_direction *dir = &self->directions[d];
        dl_gemm_activate((int64_t)pass->batch * w.steps, w.outputs, in.dim[1], layer->in[0].value,
                         layer->params[dir->weight].value,
                         dir->bias < 0 ? NULL : layer->params[dir->bias].value, &linear, NULL,
                         w.gates);
        dl_pack(false, w.outputs, w.units, layer->params[dir->recurrent].value, w.packed);
        run_parallel(&w, pass->batch, scan_forward);
    }
}

/* ---- backward ---- */

static void scan_backward(const scan *w, int64_t first, int64_t last) {
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
        scan w = scan_of(layer, d);
        const dl_recurrent_direction *dir = &self->directions[d];
        const dl_param *weight = &layer->params[dir->weight];
        const dl_param *recurrent = &layer->params[dir->recurrent];
        int64_t rows = (int64_t)pass->batch * w.steps;
        dl_zero(w.zeros, w.units);
        dl_pack(true, w.units, w.outputs, recurrent->value, w.packed);
        run_parallel(&w, pass->batch, scan_backward);
        float *dz = w.gates, *dv = w.gradient ? w.gradient : dz;
        add_bias_gradient(layer, dir->bias, rows, w.outputs, dz);
        add_bias_gradient(layer, dir->recurrent_bias, rows, w.outputs, dv);
        dl_gemm(true, false, channels, w.outputs, rows, layer->in[0].value, dz, weight->beta,
                weight->grad);
        dl_gemm(true, false, w.units, w.outputs, rows, w.previous, dv, recurrent->beta,
                recurrent->grad);
        if (layer->in[0].grad)
            dl_gemm(false, true, rows, channels, w.outputs, dz, weight->value, d ? 1 : 0,
                    layer->in[0].grad);
    }
}

dl_extent dl_recurrent_reach(const dl_layer *layer, int input, int axis, int out) {
    const dl_recurrent *self = layer->self;
    bool all = self->bidirectional || self->returns;
    return all ? dl_layer_reach_all(layer, input, axis, out) : (dl_extent){0, out, 1};
}

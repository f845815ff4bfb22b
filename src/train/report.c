#include "train/report.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { WIDE = 10, MOST_CLASSES_SHOWN = 20 };

char *dl_report_metric(char out[32], const dl_metric *metric, double value) {
    if (metric->percent)
        snprintf(out, 32, "%.2f %%", 100 * value);
    else
        snprintf(out, 32, "%.4g", value);
    return out;
}

double dl_report_peak_memory(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024;
}

static void report_classes(dl_terminal *t, const dl_data *data, dl_split split) {
    const dl_subset *part = &data->part[split];
    int classes = data->schema.classes,
        shown = classes < MOST_CLASSES_SHOWN ? classes : MOST_CLASSES_SHOWN;
    dl_text line = {0};
    char number[16], count[32];
    for (int c = 0; c < shown; c++)
        dl_text_add(&line, "%s%s %s", c ? ", " : "", dl_schema_class(&data->schema, c, number),
                    dl_text_count(count, part->class_count[c]));
    dl_say(t, "  %-10s %s%s", dl_split_names[split], line.data, shown < classes ? ", …" : "");
    dl_text_free(&line);
}

/* The share of `split` that is right if every row is said to be of the training part's most
   frequent class. */
static void report_baseline(dl_terminal *t, const dl_data *data, dl_split split) {
    const int64_t *train = data->part[DL_TRAIN].class_count;
    int best = 0;
    for (int c = 1; c < data->schema.classes; c++)
        if (train[c] > train[best])
            best = c;
    char number[16];
    const dl_subset *part = &data->part[split];
    dl_say(t, "baseline    always \"%s\": %.2f %% of %s",
           dl_schema_class(&data->schema, best, number),
           100 * (double)part->class_count[best] / (double)part->count, dl_split_names[split]);
}

void dl_report_data(dl_terminal *t, const dl_experiment *e) {
    const dl_data *data = &e->data;
    char shape[48], count[32];
    dl_text line = {0};
    for (int s = 0; s < DL_SPLITS; s++)
        if (data->part[s].count)
            dl_text_add(&line, "%s %s, ", dl_split_names[s],
                        dl_text_count(count, data->part[s].count));
    dl_shape_text(shape, data->schema.input);
    if (data->schema.classes)
        dl_say(t, "data        %s%s inputs, %d classes", line.data, shape, data->schema.classes);
    else
        dl_say(t, "data        %s%s inputs, %d target number%s", line.data, shape,
               data->schema.outputs, data->schema.outputs == 1 ? "" : "s");
    dl_text_free(&line);
    if (!data->schema.classes)
        return;
    for (int s = 0; s < DL_SPLITS; s++)
        if (data->part[s].count)
            report_classes(t, data, (dl_split)s);
    report_baseline(t, data, data->part[DL_VALIDATION].count ? DL_VALIDATION : DL_TRAIN);
}

void dl_report_network(dl_terminal *t, const dl_experiment *e) {
    const dl_net *net = &e->net;
    char shape[48], count[32];
    int name = 10, type = 10;
    for (int i = 0; i < net->layer_count; i++) {
        int length = (int)strlen(net->layers[i].name);
        name = length > name ? length : name;
        length = (int)strlen(net->layers[i].type->kind.name);
        type = length > type ? length : type;
    }
    dl_say(t, "%-*s  %-*s  %-14s %12s", name, "layer", type, "type", "output", "parameters");
    dl_say(t, "%-*s  %-*s  %-14s %12s", name, "input", type, "", dl_shape_text(shape, net->input),
           "");
    for (int i = 0; i < net->layer_count; i++) {
        const dl_layer *layer = &net->layers[i];
        int64_t params = 0;
        for (int p = 0; p < layer->param_count; p++)
            params += layer->params[p].count;
        dl_say(t, "%-*s  %-*s  %-14s %12s", name, layer->name, type, layer->type->kind.name,
               dl_shape_text(shape, layer->out.shape), dl_text_count(count, params));
    }
    dl_say(t, "%-*s  %-*s  %-14s %12s", name, "total", type, "", "",
           dl_text_count(count, net->weight_count));
}

void dl_report_memory(dl_terminal *t, const dl_experiment *e, int64_t vector_bytes,
                      int64_t batch_bytes) {
    const dl_net *net = &e->net;
    char weights[32], vectors[32], activations[32], scratch[32], batches[32], total[32];
    double block = (double)net->weight_count * sizeof(float);
    dl_say(t,
           "memory      weights and gradients %s, optimizer %s, activations %s, scratch %s, "
           "batches %s: %s beside the data",
           dl_text_bytes(weights, 2 * block), dl_text_bytes(vectors, (double)vector_bytes),
           dl_text_bytes(activations, (double)net->activation_bytes),
           dl_text_bytes(scratch, (double)net->scratch_bytes),
           dl_text_bytes(batches, (double)batch_bytes),
           dl_text_bytes(total, 2 * block + (double)vector_bytes + (double)net->memory_bytes +
                                    (double)batch_bytes));
}

static void add_heading(dl_text *line, const dl_experiment *e, const char *prefix) {
    char heading[64];
    snprintf(heading, sizeof heading, "%s loss", prefix);
    dl_text_add(line, " %*s", WIDE, heading);
    for (int m = 0; m < e->metric_count; m++)
        dl_text_add(line, " %*s", WIDE, e->metrics[m]->name);
}

void dl_report_heading(dl_terminal *t, const dl_experiment *e) {
    dl_text line = {0};
    add_heading(&line, e, "train");
    if (e->data.part[DL_VALIDATION].count)
        add_heading(&line, e, "val");
    dl_say(t, "%9s%s %9s %9s %8s  %s", "epoch", line.data, "rate", "samples/s", "time",
           "data/forward/backward/update");
    dl_text_free(&line);
}

static void add_values(dl_text *line, const dl_experiment *e, double loss, const double *metric) {
    char value[32];
    dl_text_add(line, " %*.4f", WIDE, loss);
    for (int m = 0; m < e->metric_count; m++)
        dl_text_add(line, " %*s", WIDE, dl_report_metric(value, e->metrics[m], metric[m]));
}

void dl_report_row(dl_terminal *t, const dl_experiment *e, const dl_row *row, bool is_best) {
    dl_text line = {0};
    char epoch[32], seconds[32];
    snprintf(epoch, sizeof epoch, "%lld/%lld", (long long)row->epoch,
             (long long)e->settings.epochs);
    add_values(&line, e, row->train_loss, row->train_metric);
    if (e->data.part[DL_VALIDATION].count)
        add_values(&line, e, row->val_loss, row->val_metric);
    double total = 1e-9;
    for (int p = 0; p < DL_PHASES; p++)
        total += row->phase[p];
    dl_say(t, "%9s%s %9.3g %9.0f %8s  %.0f/%.0f/%.0f/%.0f %%%s", epoch, line.data, row->rate,
           row->samples_per_second, dl_text_seconds(seconds, row->seconds),
           100 * row->phase[0] / total, 100 * row->phase[1] / total, 100 * row->phase[2] / total,
           100 * row->phase[3] / total, is_best ? "  best" : "");
    dl_text_free(&line);
}

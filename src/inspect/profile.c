/* SPDX-License-Identifier: MIT */
#include "inspect/profile.h"

#include <stdio.h>
#include <string.h>

#include "math/peak.h"

typedef struct {
    const dl_net *net;
    double steps, samples, total, peak;
    int width;
} table;

/* The minimum number of bytes per sample that a pass over a layer reads and writes. */
static double bytes_of(const dl_net *net, const dl_layer *layer, bool backward) {
    double in = 0, out = (double)dl_shape_size(layer->out.shape), weights = 0;
    for (int k = 0; k < layer->input_count; k++)
        in += (double)dl_shape_size(layer->in[k].shape);
    for (int p = 0; p < layer->param_count; p++)
        weights += (double)layer->params[p].count / net->max_batch;
    if (!backward)
        return sizeof(float) * (in + out + weights);
    double wanted = layer->in[0].grad ? in : 0;
    return sizeof(float) *
           (out * (1 + layer->needs_output) + in * layer->needs_input + wanted + 2 * weights);
}

static void report_pass(dl_terminal *t, const table *p, const dl_layer *layer, bool backward,
                        double seconds) {
    int products = backward ? 1 + (layer->in[0].grad != NULL) : 1;
    double rate = (double)(products * layer->operations) * p->samples / seconds;
    double bandwidth = bytes_of(p->net, layer, backward) * p->samples / seconds;
    char speed[48] = "";
    if (layer->operations)
        snprintf(speed, sizeof speed, "%9.0f %7.0f %%", rate / 1e9, 100 * rate / p->peak);
    else
        snprintf(speed, sizeof speed, "%9s %9s", "", "");
    dl_say(t, "%-*s  %-8s %9.3f %7.1f %% %s %7.0f", p->width, layer->name,
           backward ? "backward" : "forward", 1e3 * seconds / p->steps, 100 * seconds / p->total,
           speed, bandwidth / 1e9);
}

double dl_profile_report(dl_terminal *t, const dl_model *model, int64_t steps, int64_t samples,
                         double update_seconds) {
    const dl_net *net = &model->net;
    if (!net->profile || !steps)
        return 0;
    table p = {net, (double)steps, (double)samples, update_seconds, dl_peak_operations(), 10};
    for (int i = 0; i < net->layer_count; i++) {
        p.total += net->profile[i].forward + net->profile[i].backward;
        int length = (int)strlen(net->layers[i].name);
        p.width = length > p.width ? length : p.width;
    }
    dl_say(t, "profile     peaks measured: %.0f GFLOP/s in a matrix product, %.0f GB/s in a copy",
           p.peak / 1e9, dl_peak_bandwidth() / 1e9);
    dl_say(t, "%-*s  %-8s %9s %9s %9s %9s %7s", p.width, "layer", "pass", "ms a step", "share",
           "GFLOP/s", "of peak", "GB/s");
    for (int i = 0; i < net->layer_count; i++) {
        const dl_layer *layer = &net->layers[i];
        if (net->profile[i].forward > 0)
            report_pass(t, &p, layer, false, net->profile[i].forward);
        if (net->profile[i].backward > 0)
            report_pass(t, &p, layer, true, net->profile[i].backward);
    }
    dl_say(t, "%-*s  %-8s %9.3f %7.1f %%", p.width, "update", "", 1e3 * update_seconds / p.steps,
           100 * update_seconds / p.total);
    return p.peak;
}

/* SPDX-License-Identifier: MIT */
#include "metrics/outcome.h"

#include <float.h>
#include <math.h>

int dl_predicted_class(const dl_outcome *o, int64_t row) {
    const float *y = o->output + row * o->channels;
    if (o->channels == 1)
        return y[0] > o->threshold;
    int best = 0;
    for (int j = 1; j < o->channels; j++)
        if (y[j] > y[best])
            best = j;
    return best;
}

double dl_expected_value(const float *logits, const double *number, int count) {
    double sum = 0, total = 0;
    float max = logits[0];
    for (int k = 1; k < count; k++)
        max = logits[k] > max ? logits[k] : max;
    for (int k = 0; k < count; k++) {
        double weight = exp((double)logits[k] - (double)max);
        sum += weight;
        total += weight * number[k];
    }
    return total / sum;
}

/* ln of the sum of e^z over all channels except `left_out` (-1: none). */
static double log_sum(const float *z, int64_t channels, int left_out) {
    double max = -INFINITY, sum = 0;
    for (int64_t j = 0; j < channels; j++)
        if (j != left_out && !(z[j] <= max))
            max = z[j];
    for (int64_t j = 0; j < channels; j++)
        sum += j == left_out ? 0 : exp((double)z[j] - max);
    return max + log(sum);
}

static double softplus(double z) {
    return z > 0 ? z + log1p(exp(-z)) : log1p(exp(z));
}

double dl_log_loss(const dl_outcome *o, int64_t row) {
    const float *y = o->output + row * o->channels;
    int truth = (int)o->target[row];
    if (o->link == DL_SOFTMAX)
        return log_sum(y, o->channels, -1) - (double)y[truth];
    if (o->link == DL_SIGMOID)
        return softplus(truth ? -(double)y[0] : (double)y[0]);
    double p = o->channels > 1 ? (double)y[truth] : truth ? (double)y[0] : 1 - (double)y[0];
    return -log(p < (double)FLT_MIN ? (double)FLT_MIN : p);
}

void dl_class_probabilities(const dl_outcome *o, int64_t row, double *probability) {
    const float *y = o->output + row * o->channels;
    double below = o->link == DL_SOFTMAX ? log_sum(y, o->channels, -1) : 0;
    for (int c = 0; c < o->classes; c++)
        if (o->link == DL_SOFTMAX)
            probability[c] = exp((double)y[c] - below);
        else if (o->link == DL_SIGMOID)
            probability[c] = 1 / (1 + exp(c ? -(double)y[0] : (double)y[0]));
        else
            probability[c] = o->channels > 1 ? (double)y[c] : c ? (double)y[0] : 1 - (double)y[0];
}

/* For logits z the log odds of class c are z[c] - ln(sum of e^z over the other classes).
   Subtracting e^z[c] from the total is accurate where it is at most half of it; for the largest z
   the others are summed. */
void dl_class_scores(const dl_outcome *o, int64_t row, float *score) {
    const float *y = o->output + row * o->channels;
    if (o->channels == 1) {
        score[0] = -y[0];
        score[1] = y[0];
        return;
    }
    int best = dl_predicted_class(o, row);
    double max = y[best], sum = 0;
    for (int64_t j = 0; j < o->channels && o->link == DL_SOFTMAX; j++)
        sum += exp((double)y[j] - max);
    for (int c = 0; c < o->classes; c++) {
        double z = y[c], others = o->link != DL_SOFTMAX ? 0
                                  : c == best           ? log_sum(y, o->channels, c)
                                                        : max + log(sum - exp(z - max));
        score[c] = (float)(z - others);
    }
}

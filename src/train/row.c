/* SPDX-License-Identifier: MIT */
#include "train/row.h"

dl_text dl_row_header(const dl_experiment *e) {
    dl_text line = {0}, columns = dl_experiment_columns(e);
    dl_text_add(&line,
                "epoch,step,seconds,learning_rate,%s,samples_per_second,data_seconds,"
                "forward_seconds,backward_seconds,update_seconds\n",
                columns.data);
    dl_text_free(&columns);
    return line;
}

static void add_part(dl_text *line, const dl_model *model, bool training, double loss,
                     const double *metric) {
    dl_text_add(line, ",%.9g", loss);
    for (int m = 0; m < model->metric_count; m++)
        if (!training || dl_metric_in_training(model->metrics[m]))
            dl_text_add(line, ",%.9g", metric[m]);
}

dl_text dl_row_line(const dl_experiment *e, const dl_row *row) {
    dl_text line = {0};
    dl_text_add(&line, "%lld,%lld,%.6f,%.9g", (long long)row->epoch, (long long)row->step,
                row->seconds, row->rate);
    add_part(&line, &e->model, true, row->train_loss, row->train_metric);
    for (int h = 0; h < e->model.net.head_count; h++)
        dl_text_add(&line, ",%.9g", row->train_head[h]);
    if (dl_experiment_penalized(e))
        dl_text_add(&line, ",%.9g", row->train_objective);
    if (e->model.data.part[DL_VALIDATION].count)
        add_part(&line, &e->model, false, row->val_loss, row->val_metric);
    dl_text_add(&line, ",%.1f", row->samples_per_second);
    for (int p = 0; p < DL_PHASES; p++)
        dl_text_add(&line, ",%.6f", row->phase[p]);
    dl_text_add(&line, "\n");
    return line;
}

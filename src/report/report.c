/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inspect/data_check.h"
#include "math/backend.h"
#include "train/average.h"

enum { MOST_CLASSES_SHOWN = 20 };

char *dl_report_metric(char out[32], const dl_metric *metric, double value) {
    if (metric->percent)
        snprintf(out, 32, "%.2f %%", 100 * value);
    else
        snprintf(out, 32, "%.4g", value);
    return out;
}

/* Bytes of the process in memory; 0 if unknown. */
static int64_t resident_memory(void) {
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%*s %lld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

/* Items in lines of at most 80 columns, after a label. */
typedef struct {
    dl_terminal *terminal;
    const char *label; /* of the next line */
    int indent;
    const char *between; /* separator */
    dl_text line;
} listing;

static void list_end(listing *l) {
    if (l->line.length)
        dl_say(l->terminal, "%-*s%s", l->indent, l->label, l->line.data);
    l->label = "";
    dl_text_free(&l->line);
}

static void list_add(listing *l, const char *item) {
    int used = dl_text_width(dl_text_get(&l->line), (int)l->line.length);
    int width = dl_text_width(item, (int)strlen(item));
    if (used)
        dl_text_add(&l->line, "%s", l->between);
    if (used && l->indent + used + 3 + width > 80)
        list_end(l);
    dl_text_add(&l->line, "%s", item);
}

static void report_classes(dl_terminal *t, const dl_data *data, dl_split split) {
    const dl_subset *part = &data->part[split];
    int classes = data->schema.classes,
        shown = classes < MOST_CLASSES_SHOWN ? classes : MOST_CLASSES_SHOWN;
    char number[16], count[32], label[32];
    snprintf(label, sizeof label, "  %s", dl_split_names[split]);
    listing list = {.terminal = t, .label = label, .indent = 14, .between = "  "};
    for (int c = 0; c < shown; c++) {
        dl_text word = {0};
        dl_text_add_plain(&word, dl_schema_class(&data->schema, c, number));
        dl_text_add(&word, ": %s", dl_text_count(count, part->class_count[c]));
        list_add(&list, word.data);
        dl_text_free(&word);
    }
    if (shown < classes)
        list_add(&list, "…");
    list_end(&list);
}

static void report_baseline(dl_terminal *t, const dl_model *model, dl_split split) {
    char number[16];
    dl_text name = {0};
    int class;
    double share = dl_model_baseline(model, split, &class);
    dl_text_add_plain(&name, dl_schema_class(&model->data.schema, class, number));
    dl_say(t, "baseline    always predicting \"%s\" is right for %.2f %% of %s", dl_text_get(&name),
           100 * share, dl_split_names[split]);
    dl_text_free(&name);
}

static void report_augmentation(dl_terminal *t, const dl_augment *augment) {
    listing list = {.terminal = t, .label = "augment", .indent = 12, .between = " "};
    char item[64];
    for (int i = 0; i < augment->count; i++) {
        snprintf(item, sizeof item, "%s%s", augment->items[i].type->kind.name,
                 i + 1 < augment->count ? "," : "");
        list_add(&list, item);
    }
    list_end(&list);
}

void dl_report_data(dl_terminal *t, const dl_experiment *e) {
    const dl_data *data = &e->model.data;
    const dl_schema *schema = &data->schema;
    char shape[48], count[32], item[96];
    listing list = {.terminal = t, .label = "data", .indent = 12, .between = " "};
    int last = DL_TRAIN;
    for (int s = 0; s < DL_SPLITS; s++)
        last = data->part[s].count ? s : last;
    for (int s = 0; s <= last; s++)
        if (data->part[s].count) {
            snprintf(item, sizeof item, "%s %s%s", dl_split_names[s],
                     dl_text_count(count, data->part[s].count), s < last ? "," : " rows;");
            list_add(&list, item);
        }
    snprintf(item, sizeof item, "%s input%s,", dl_shape_text(shape, schema->input),
             dl_shape_size(schema->input) == 1 ? "" : "s");
    list_add(&list, item);
    if (schema->classes && schema->outputs > 1)
        snprintf(item, sizeof item, "%d classes at %d positions", schema->classes, schema->outputs);
    else if (schema->classes)
        snprintf(item, sizeof item, schema->bin_edge ? "a number in %d bins" : "%d classes",
                 schema->classes);
    else
        snprintf(item, sizeof item, "%d target number%s", schema->outputs,
                 schema->outputs == 1 ? "" : "s");
    list_add(&list, item);
    list_end(&list);
    for (int s = 0; s < DL_SPLITS; s++)
        if (schema->classes && data->part[s].count)
            report_classes(t, data, (dl_split)s);
    report_augmentation(t, &data->augment);
    if (schema->classes)
        report_baseline(t, &e->model, data->part[DL_VALIDATION].count ? DL_VALIDATION : DL_TRAIN);
}

/* At most `most` of the lines, and how many more there are. */
static void report_lines(dl_terminal *t, const char *label, const char *lines, int64_t most) {
    int64_t more = 0;
    for (int length; *lines; lines += length + (lines[length] == '\n')) {
        length = (int)strcspn(lines, "\n");
        if (most-- > 0)
            dl_say(t, "%-11s %.*s", label, length, lines);
        else
            more++;
    }
    if (more)
        dl_say(t, "%-11s … and %lld more (dlinspect data CONFIG shows all)", label,
               (long long)more);
}

void dl_report_files(dl_terminal *t, const dl_data *data, int64_t most) {
    for (int part = 0; part < DL_SPLITS; part++) {
        report_lines(t, "column", dl_text_get(&data->dataset[part].columns), most);
        report_lines(t, "note", dl_text_get(&data->dataset[part].notes), most);
    }
    report_lines(t, "cache", dl_text_get(&data->notes.told), INT64_MAX);
    report_lines(t, "note", dl_text_get(&data->notes.skipped), INT64_MAX);
    report_lines(t, "warning", dl_text_get(&data->notes.warned), INT64_MAX);
}

void dl_report_warnings(dl_terminal *t, const dl_experiment *e) {
    dl_findings findings = {0};
    dl_check_counts(&findings, &e->model.data);
    if (dl_check_is_quick(&e->model.data)) {
        dl_check_rows(&findings, &e->model.data);
        if (e->model.data.schema.input.rank == 1) /* constant margins of images are normal */
            dl_check_columns(&findings, &e->model.data);
    }
    for (int i = 0; i < findings.count; i++) {
        const dl_finding *f = &findings.list[i];
        bool harmless = !strcmp(f->check, "duplicates") || !strcmp(f->check, "constant");
        if (f->wrong)
            dl_say(t, "%s     %s", harmless ? "note   " : "warning", f->text);
    }
    dl_findings_free(&findings);
}

/* Parameters in use without the auxiliary heads. */
static int64_t count_without_heads(const dl_net *net) {
    int64_t count = 0;
    for (int i = 0; i < net->layer_count; i++) {
        const dl_layer *layer = &net->layers[i];
        bool used = dl_net_head(net, i) < 0;
        for (int j = i + 1; j < net->layer_count; j++)
            used |= net->layers[j].shares == i && dl_net_head(net, j) < 0;
        count += used ? dl_layer_weight_count(layer) : 0;
    }
    return count;
}

static void report_heads(dl_terminal *t, const dl_experiment *e) {
    listing list = {.terminal = t, .label = "heads", .indent = 12, .between = " "};
    for (int h = 0; h < e->model.net.head_count; h++) {
        dl_text item = {0};
        dl_text_add(&item, "%s: %g times %s%s", e->model.net.heads[h].name,
                    e->model.net.heads[h].weight, e->model.heads[h].loss->kind.name,
                    h + 1 < e->model.net.head_count ? "," : " (in training only)");
        list_add(&list, item.data);
        dl_text_free(&item);
    }
    list_end(&list);
}

void dl_report_biases(dl_terminal *t, const dl_experiment *e) {
    const dl_net *net = &e->model.net;
    const dl_layer *first = NULL, *reader = NULL;
    int others = 0;
    for (int i = 0; i < net->layer_count; i++) {
        int by = dl_net_bias_canceled_by(net, i);
        others += by >= 0 && first;
        if (by >= 0 && !first) {
            first = &net->layers[i];
            reader = &net->layers[by];
        }
    }
    char more[48] = "";
    if (others)
        snprintf(more, sizeof more, "; likewise for %d more layer%s", others,
                 others == 1 ? "" : "s");
    if (first)
        dl_say(t,
               "warning     %s: the bias of \"%s\" has no effect: the %s after it removes it "
               "(bias = false)%s",
               first->where, first->name, reader->type->kind.name, more);
}

void dl_report_network(dl_terminal *t, const dl_experiment *e) {
    const dl_net *net = &e->model.net;
    char shape[48], count[32];
    int name = net->head_count ? 13 : 10, type = 10; /* "without heads" */
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
        int head = dl_net_head(net, i);
        dl_say(t, "%-*s  %-*s  %-14s %12s  %s", name, layer->name, type, layer->type->kind.name,
               dl_shape_text(shape, layer->out.shape),
               dl_text_count(count, dl_layer_weight_count(layer)),
               head < 0 ? "" : net->heads[head].name);
    }
    dl_say(t, "%-*s  %-*s  %-14s %12s", name, "total", type, "", "",
           dl_text_count(count, net->weight_count));
    if (net->head_count)
        dl_say(t, "%-*s  %-*s  %-14s %12s", name, "without heads", type, "", "",
               dl_text_count(count, count_without_heads(net)));
    report_heads(t, e);
    dl_say(t, "kernels     %s", dl_backend_summary());
}

void dl_report_memory(dl_terminal *t, const dl_experiment *e, int64_t vector_bytes,
                      int64_t batch_bytes) {
    const dl_net *net = &e->model.net;
    int64_t weights = 2 * net->weight_count * (int64_t)sizeof(float);
    int64_t planned = weights + vector_bytes + net->memory_bytes + batch_bytes;
    int64_t others = resident_memory() - planned; /* all that is planned has been written to */
    if (others < 0)
        others = 0;
    const struct {
        const char *format;
        int64_t bytes;
    } items[] = {
        {others ? "%s in total:" : "%s without the data:", planned + others},
        {"weights and gradients %s,", weights},
        {e->settings.average ? "optimizer and average %s," : "optimizer %s,", vector_bytes},
        {"activations %s,", net->activation_bytes},
        {"scratch %s,", net->scratch_bytes},
        {others ? "batches %s," : "batches %s", batch_bytes},
        {"data and program %s", others},
    };
    listing list = {.terminal = t, .label = "memory", .indent = 12, .between = " "};
    for (size_t i = 0; i < sizeof items / sizeof *items - !others; i++) {
        char bytes[32], item[64];
        snprintf(item, sizeof item, items[i].format, dl_text_bytes(bytes, (double)items[i].bytes));
        list_add(&list, item);
    }
    list_end(&list);
}

void dl_report_transfer(dl_terminal *t, const dl_transfer *transfer) {
    enum { MOST_SHOWN = 24 };
    if (!transfer->path)
        return;
    if (transfer->ambiguous)
        dl_say(
            t,
            "warning     %s was not written by dltrain, and %s fits as [in][out] and as PyTorch's "
            "[out][in]: read as [in][out] (init_layout = \"torch\" transposes)",
            transfer->path, transfer->ambiguous);
    if (transfer->assumed)
        dl_say(t,
               "warning     %s does not say whether the GRU \"%s\", without biases, has "
               "reset_after: read as true, Keras's default",
               transfer->path, transfer->assumed);
    int missed = transfer->missed_count, shown = missed < MOST_SHOWN ? missed : MOST_SHOWN;
    listing list = {.terminal = t, .label = "loaded", .indent = 12, .between = " "};
    dl_text item = {0};
    dl_text_add(&item, "%d of %d tensors from ", transfer->count - missed, transfer->count);
    dl_text_add_plain(&item, transfer->path);
    if (transfer->layout == DL_LAYOUT_TORCH)
        dl_text_add(&item, ", transposed from PyTorch's layout (init_layout)");
    if (transfer->layout == DL_LAYOUT_KERAS)
        dl_text_add(&item, ", in Keras's layout (init_layout)");
    dl_text_add(&item, "%s", missed ? "; not:" : "");
    list_add(&list, item.data);
    for (int i = 0; i < shown; i++) {
        dl_text_free(&item);
        dl_text_add_plain(&item, transfer->missed[i]);
        dl_text_add(&item, "%s", i + 1 < missed ? "," : "");
        list_add(&list, item.data);
    }
    dl_text_free(&item);
    if (shown < missed) {
        dl_text_add(&item, "and %d more", missed - shown);
        list_add(&list, item.data);
    }
    dl_text_free(&item);
    list_end(&list);
}

void dl_report_frozen(dl_terminal *t, const dl_experiment *e) {
    listing list = {.terminal = t, .label = "frozen", .indent = 12, .between = " "};
    for (int i = 0; i < e->model.net.layer_count; i++) {
        const dl_layer *layer = &e->model.net.layers[i];
        dl_text item = {0};
        dl_text_add(&item, "%s until epoch %lld;", layer->name, (long long)layer->freeze_until);
        if (layer->freeze_until > 1 && dl_layer_is_trained(layer))
            list_add(&list, item.data);
        dl_text_free(&item);
    }
    list_end(&list);
}

void dl_report_lsuv(dl_terminal *t, const dl_lsuv *l) {
    if (l->layers)
        dl_say(t, "lsuv        %d layer%s scaled on %lld rows, by factors of %.3g to %.3g",
               l->layers, l->layers == 1 ? "" : "s", (long long)l->rows, l->least, l->most);
    if (l->unscaled)
        dl_say(t, "warning     lsuv: the output of \"%s\" does not vary: it is not scaled",
               l->unscaled);
}

void dl_report_average(dl_terminal *t, const dl_experiment *e) {
    const dl_settings *s = &e->settings;
    if (!s->average)
        return;
    if (s->average_kind == DL_AVERAGE_EMA)
        dl_say(t, "average     ema of the weights, decay %g; it is validated and tested",
               s->average_decay);
    else if (s->average_from <= s->epochs)
        dl_say(
            t,
            "average     swa: from epoch %lld on, the mean of the epochs' weights is validated and "
            "tested",
            (long long)s->average_from);
    else
        dl_say(t,
               "warning     %s: average.from_epoch is %lld, but there are %lld epochs: nothing is "
               "averaged",
               dl_config_where(e->model.config, s->average), (long long)s->average_from,
               (long long)s->epochs);
}

/* ---- the epochs' table ---- */

/* A row, composed column by column until `width` is reached. */
typedef struct {
    dl_text text;
    int width;
    bool full;
} table_line;

static void add_cell(table_line *line, int width, const char *cell) {
    line->full |= line->text.length && (int)line->text.length + width > line->width;
    if (!line->full)
        dl_text_add(&line->text, "%*s", width, cell);
}

enum { LOSS_WIDTH = 11, OBJECTIVE_WIDTH = 11, METRIC_WIDTH = 9, BEST_WIDTH = 6, TIME_WIDTH = 8 };

static int metric_width(const dl_metric *metric) {
    int length = (int)strlen(metric->name);
    return length < METRIC_WIDTH ? METRIC_WIDTH : length + 1;
}

/* The number of metrics that fit into `columns`; at least one. */
static int count_fitting(const dl_experiment *e, int parts, int columns) {
    int count = 0;
    while (count < e->model.metric_count) {
        bool both = parts > 1 && dl_metric_in_training(e->model.metrics[count]);
        columns -= metric_width(e->model.metrics[count]) * (both ? 2 : 1);
        if (count && columns < 0)
            break;
        count++;
    }
    return count;
}

/* Loss and the first `metrics` metrics of a part; metric NULL: their headings. */
static void add_part(table_line *line, const dl_experiment *e, int metrics, bool training,
                     double loss, const double *metric) {
    char cell[32];
    if (metric)
        snprintf(cell, sizeof cell, fabs(loss) < 99999 ? "%.4f" : "%.4g", loss);
    else
        snprintf(cell, sizeof cell, "%s loss", training ? "train" : "val");
    add_cell(line, LOSS_WIDTH, cell);
    for (int m = 0; m < metrics; m++)
        if (!training || dl_metric_in_training(e->model.metrics[m]))
            add_cell(line, metric_width(e->model.metrics[m]),
                     metric ? dl_report_metric(cell, e->model.metrics[m], metric[m])
                            : e->model.metrics[m]->name);
}

/* The losses of the auxiliary heads, under their names. */
static void add_heads(table_line *line, const dl_experiment *e, const dl_row *row) {
    for (int h = 0; h < e->model.net.head_count; h++) {
        dl_text cell = {0};
        dl_text_add(&cell, "%s loss", e->model.net.heads[h].name);
        int width = (int)cell.length + 1 < LOSS_WIDTH ? LOSS_WIDTH : (int)cell.length + 1;
        if (row) {
            dl_text_free(&cell);
            dl_text_add(&cell, row->train_head[h] < 99999 ? "%.4f" : "%.4g", row->train_head[h]);
        }
        add_cell(line, width, cell.data);
        dl_text_free(&cell);
    }
}

static void add_phases(table_line *line, const dl_row *row) {
    static const char *const names[DL_PHASES] = {"data", "forward", "backward", "update"};
    static const int widths[DL_PHASES] = {6, 9, 10, 8};
    double total = 1e-9;
    line->full |= (int)line->text.length + 6 + 9 + 10 + 8 > line->width; /* all or none */
    for (int p = 0; row && p < DL_PHASES; p++)
        total += row->phase[p];
    for (int p = 0; p < DL_PHASES; p++) {
        char cell[32];
        snprintf(cell, sizeof cell, "%.0f %%", row ? 100 * row->phase[p] / total : 0);
        add_cell(line, widths[p], row ? cell : names[p]);
    }
}

/* row NULL: the heading. On a narrow screen further metrics are dropped first. */
static dl_text compose(const dl_experiment *e, const dl_row *row, bool is_best, int columns) {
    table_line line = {.width = columns};
    char cell[64], number[32];
    int digits = snprintf(cell, sizeof cell, "%lld", (long long)e->settings.epochs);
    int width = 2 * digits + 1 < 7 ? 7 : 2 * digits + 1;
    int parts = e->model.data.part[DL_VALIDATION].count ? 2 : 1;
    int metrics =
        count_fitting(e, parts, columns - width - parts * LOSS_WIDTH - BEST_WIDTH - TIME_WIDTH);
    snprintf(cell, sizeof cell, "%lld/%lld", (long long)(row ? row->epoch : 0),
             (long long)e->settings.epochs);
    add_cell(&line, width, row ? cell : "epoch");
    add_part(&line, e, metrics, true, row ? row->train_loss : 0, row ? row->train_metric : NULL);
    if (parts > 1)
        add_part(&line, e, metrics, false, row ? row->val_loss : 0, row ? row->val_metric : NULL);
    add_cell(&line, BEST_WIDTH, is_best ? "best" : "");
    add_cell(&line, TIME_WIDTH, row ? dl_text_seconds(number, row->seconds) : "time");
    snprintf(cell, sizeof cell, "%.3g", row ? row->rate : 0);
    add_cell(&line, 10, row ? cell : "rate");
    add_cell(&line, 11,
             row ? dl_text_count(number, (int64_t)(row->samples_per_second + 0.5)) : "samples/s");
    add_heads(&line, e, row);
    snprintf(cell, sizeof cell, row && row->train_objective < 99999 ? "%.4f" : "%.4g",
             row ? row->train_objective : 0);
    if (dl_experiment_penalized(e))
        add_cell(&line, OBJECTIVE_WIDTH, row ? cell : "objective");
    add_phases(&line, row);
    while (line.text.length && line.text.data[line.text.length - 1] == ' ')
        line.text.data[--line.text.length] = '\0';
    return line.text;
}

static void say_row(dl_terminal *t, const dl_experiment *e, const dl_row *row, bool is_best,
                    bool shown) {
    dl_text whole = compose(e, row, is_best, DL_ANY_WIDTH);
    dl_text fitting = compose(e, row, is_best, dl_terminal_columns(t) - 1);
    dl_say_and_log(t, shown ? fitting.data : NULL, whole.data);
    dl_text_free(&whole);
    dl_text_free(&fitting);
}

void dl_report_heading(dl_terminal *t, const dl_experiment *e) {
    say_row(t, e, NULL, false, true);
}

void dl_report_row(dl_terminal *t, const dl_experiment *e, const dl_row *row, bool is_best,
                   bool shown) {
    say_row(t, e, row, is_best, shown);
}

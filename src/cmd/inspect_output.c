/* SPDX-License-Identifier: MIT */
#include "cmd/inspect_output.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cmd/common.h"
#include "cmd/train_output.h"

/* A sentence after its label, wrapped to the width of the screen. */
static void print_wrapped(const char *label, int indent, const char *text) {
    enum { NARROWEST = 20 };
    int width = dl_output_columns() - indent - 1;
    width = width > NARROWEST ? width : NARROWEST;
    do {
        int end = train_line_length(text, width);
        printf("%-*s%.*s\n", indent, label, end, text);
        label = "";
        text += end;
        text += strspn(text, " ");
    } while (*text);
}

void inspect_print_findings(const dl_findings *findings, bool json) {
    json_t *list = json_array();
    for (int i = 0; i < findings->count; i++) {
        const dl_finding *f = &findings->list[i];
        if (!json)
            print_wrapped(f->wrong ? "warning" : "note", 12, f->text);
        json_array_append_new(list, json_pack("{s:s, s:b, s:I, s:o}", "check", f->check, "wrong",
                                              f->wrong, "count", (json_int_t)f->count, "text",
                                              cmd_json_string(f->text)));
    }
    if (json)
        cmd_print_json(
            json_pack("{s:b, s:o}", "wrong", dl_findings_wrong(findings), "findings", list),
            JSON_INDENT(1));
    else {
        json_decref(list);
        if (!dl_findings_wrong(findings))
            puts("no problems found");
    }
}

void inspect_print_checked(const dl_checked *one) {
    char label[64];
    snprintf(label, sizeof label, "%-15s %-8s ", one->check, dl_verdict_names[one->verdict]);
    print_wrapped(label, (int)strlen(label), one->text);
    fflush(stdout);
}

void inspect_print_checkup(const dl_checkup *c) {
    json_t *list = json_array();
    for (int i = 0; i < c->count; i++) {
        const dl_checked *one = &c->list[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "check", one->check, "verdict",
                                              dl_verdict_names[one->verdict], "text",
                                              cmd_json_string(one->text)));
    }
    cmd_print_json(json_pack("{s:b, s:o, s:o}", "fails", dl_checkup_fails(c), "learning_rate",
                             c->rate > 0 ? json_real(c->rate) : json_null(), "checks", list),
                   JSON_INDENT(1));
}

/* One row per third point: the rate, the loss, and a bar that starts at the lowest loss. */
static void draw_rates(const dl_checkup *c) {
    enum { EVERY = 3, WIDTH = 50 };
    double least = INFINITY, most = 0;
    for (int i = 0; i < c->points; i++) {
        least = c->curve[i].loss < least ? c->curve[i].loss : least;
        most = i == 0 || c->curve[i].loss > most ? c->curve[i].loss : most;
    }
    double first = c->points ? c->curve[0].loss : 0, top = first + (first - least) / 4;
    top = top < most ? top : most;
    printf("%13s  %10s\n", "learning rate", "loss");
    for (int i = 0; i < c->points; i += EVERY) {
        double part = top > least ? (c->curve[i].loss - least) / (top - least) : 0;
        int length = (int)(WIDTH * (part < 1 ? part : 1));
        printf("%13.2e  %10.4g  ", c->curve[i].rate, c->curve[i].loss);
        for (int k = 0; k < length; k++)
            putchar('#');
        puts(part > 1 ? ">" : "");
    }
}

void inspect_print_rates(const dl_checkup *c, bool json) {
    if (!json) {
        draw_rates(c);
        if (c->rate > 0)
            printf("suggested: learning_rate = %g\n", c->rate);
        else
            puts("the loss decreases at none of these rates");
        return;
    }
    json_t *list = json_array();
    for (int i = 0; i < c->points; i++)
        json_array_append_new(list, json_pack("{s:f, s:o}", "learning_rate", c->curve[i].rate,
                                              "loss", cmd_json_number(c->curve[i].loss)));
    cmd_print_json(json_pack("{s:o, s:o}", "learning_rate",
                             c->rate > 0 ? json_real(c->rate) : json_null(), "curve", list),
                   JSON_INDENT(1));
}

void inspect_print_diagnosis(int64_t epochs, const dl_diagnosis *found, int count, bool json) {
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        if (!json) {
            print_wrapped(found[i].kind, 16, found[i].text);
            print_wrapped("", 16, found[i].advice);
        }
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:s}", "kind", found[i].kind, "text",
                                        cmd_json_string(found[i].text), "advice", found[i].advice));
    }
    if (json)
        cmd_print_json(json_pack("{s:I, s:o}", "epochs", (json_int_t)epochs, "diagnoses", list),
                       JSON_INDENT(1));
    else
        json_decref(list);
}

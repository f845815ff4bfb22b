/* SPDX-License-Identifier: MIT */
/* What is diagnosed of synthetic learning curves of each kind and of real runs. Rules were chosen
   on one set of families, seeds and nets, and are judged here on another; DIAGNOSE_CHOOSE=1 in the
   environment shows the first. Prints the confusion matrices of tests/histories/README.md. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/random.h"
#include "inspect/diagnose.h"

enum { CONVERGED, UNDERFIT, OVERFIT, VAL_EASIER, LOW, HIGH, LEARNING, KINDS, UNSURE = KINDS, TOLD };
static const char *const names[TOLD] = {"converged",      "underfit",     "overfit",
                                        "val_easier",     "rate_too_low", "rate_too_high",
                                        "still_learning", "cannot_tell"};
enum { MOST = 240 };

typedef struct {
    int count[TOLD][TOLD]; /* [planted][told] */
    int right, unsure, wrong, opposite;
} matrix;

static int told_of(const dl_symptoms *run) {
    dl_diagnosis list[DL_DIAGNOSES];
    dl_diagnose(run, list);
    for (int k = 0; k < TOLD; k++)
        if (!strcmp(list[0].kind, names[k]))
            return k;
    return UNSURE;
}

static void add(matrix *m, int planted, unsigned right, int told) {
    m->count[planted][told]++;
    if (told == UNSURE)
        m->unsure++;
    else if (right >> told & 1)
        m->right++;
    else
        m->wrong++;
    bool high = right >> HIGH & 1, low = right >> LOW & 1;
    m->opposite += (told == HIGH && low && !high) || (told == LOW && high && !low);
}

static void print(const matrix *m, const char *title) {
    printf("%s: %d right, %d cannot tell, %d wrong, of these %d the opposite rate\n%-15s", title,
           m->right, m->unsure, m->wrong, m->opposite, "planted \\ told");
    for (int k = 0; k < TOLD; k++)
        printf(" %14s", names[k]);
    for (int p = 0; p < KINDS; p++) {
        printf("\n%-15s", names[p]);
        for (int k = 0; k < TOLD; k++)
            printf(" %14d", m->count[p][k]);
    }
    puts("");
}

/* ---- synthetic curves ---- */

typedef struct {
    dl_draw draw;
    int64_t at;
} source;

static double uniform(source *s, double low, double high) {
    float x[4];
    dl_random_uniform(&s->draw, 4 * s->at++, 4, x);
    return low + (high - low) * (double)x[0];
}

/* Standard normal, or with the tails of Laplace's distribution. */
static double noise(source *s, bool tails) {
    double u = uniform(s, 1e-6, 1), w = uniform(s, 0, 1);
    return tails ? (w < 0.5 ? log(u) : -log(u)) / sqrt(2) : sqrt(-2 * log(u)) * cos(6.283185 * w);
}

/* From 1 to 0 in about tau epochs. */
static double decay(double t, double tau, int shape) {
    return shape == 0   ? exp(-t / tau)
           : shape == 1 ? pow(1 + t / tau, -1.5)
                        : (1 + exp(-2)) / (1 + exp(2 * t / tau - 2)); /* a plateau first */
}

typedef struct {
    double epoch[MOST], train[MOST], val[MOST];
    dl_symptoms run;
} curves;

/* shape, tails: a family. Losses are in units of the loss at chance level, and then scaled. */
static void draw_curves(curves *c, source *s, int kind, int shape, bool tails) {
    int n = (int)uniform(s, 15, kind == HIGH ? 80 : MOST);
    double chance = exp(uniform(s, -1, 2)), start = uniform(s, 0.98, 1.3);
    double tau = n * uniform(s, 0.04, 0.1), floor = uniform(s, 0.02, 0.15), gap = floor * 0.3;
    double jitter = exp(uniform(s, log(1e-4), log(0.01))), wild = 0, rise = 0, thrown = 0;
    double turn = n * uniform(s, 0.15, 0.5), easier = uniform(s, 0.5, 0.8);
    int way = (int)uniform(s, 0, 4);
    if (kind == UNDERFIT) {
        tau *= shape == 1 ? 0.3 : 1;
        floor = uniform(s, 0.4, 0.85);
        gap = floor * uniform(s, -0.01, 0.05);
        jitter = exp(uniform(s, log(1e-4), log(4e-3)));
    } else if (kind == CONVERGED)
        tau *= shape == 1 ? 0.3 : 1; /* a power law falls on for long */
    else if (kind == OVERFIT) {
        gap = uniform(s, 0.15, 0.4);
        rise = way % 2 ? uniform(s, 0.2, 1) : 0;
        tau = n * uniform(s, 0.04, 0.15);
    } else if (kind == VAL_EASIER)
        floor = uniform(s, 0.1, 0.4);
    else if (kind == LOW) {
        tau = n * exp(uniform(s, log(2), log(200)));
        shape = shape == 2 ? 0 : shape;
        jitter = (start - floor) * n / tau * exp(uniform(s, log(1e-4), log(0.03))) / 10;
        gap = 0;
    } else if (kind == LEARNING) {
        tau = n * uniform(s, 0.3, 0.6);
        gap = 0;
        jitter *= 0.3;
    } else if (kind == HIGH) {
        tau = n * uniform(s, 0.01, 0.05);
        floor = uniform(s, way == 0 ? 0.4 : 0.15, 0.9);
        wild = way == 0 ? floor * uniform(s, 0.06, 0.15) : uniform(s, 0.07, 0.25);
        rise = way == 2 ? uniform(s, 0.1, 0.6) : 0;
        thrown = way == 3 ? exp(uniform(s, 1.5, 6)) : 0;
    }
    for (int i = 0; i < n; i++) {
        double d = floor + (start - floor) * decay(i + (kind == LOW ? 0 : 0.5), tau, shape);
        double v = d + gap * (1 - decay(i, tau, 1)), later = i > turn ? (i - turn) / n : 0;
        v = kind == VAL_EASIER ? d * (1 - (1 - easier) * (i > n / 10)) : v + rise * later;
        d += (kind == HIGH ? rise * later : 0) + (i ? 0 : thrown);
        v += i ? 0 : thrown / 3;
        double by = kind == LOW ? 1 : d;
        c->epoch[i] = i + 1;
        c->train[i] = chance * fabs(d + jitter * by * noise(s, tails) + wild * noise(s, tails));
        c->val[i] = chance * fabs(v + 1.5 * jitter * by * noise(s, tails) + wild * noise(s, tails));
    }
    c->run = (dl_symptoms){.rows = n,
                           .epoch = c->epoch,
                           .train = c->train,
                           .val = c->val,
                           .expected = chance,
                           .initial = chance * start,
                           .baseline = NAN};
}

static bool choosing(void) {
    return getenv("DIAGNOSE_CHOOSE") != NULL;
}

static unsigned right_of(int kind) {
    return kind == LEARNING ? 1u << LEARNING | 1u << LOW
           : kind == LOW    ? 1u << LOW | 1u << LEARNING
                            : 1u << kind;
}

static void dump(const dl_symptoms *run, const char *what) {
    dl_diagnosis list[DL_DIAGNOSES];
    dl_diagnose(run, list);
    printf("%s: %s: %.50s\n  ", what, list[0].kind, list[0].text);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 8; k++) {
            int64_t at = k * (run->rows - 1) / 7;
            printf(" %.3g", (i ? run->val : run->train)[at] / run->expected);
        }
        printf(i ? "\n" : " |");
    }
}

static void test_synthetic(void **state) {
    (void)state;
    enum { EACH = 100 };
    matrix m = {0};
    bool first = choosing();
    curves *c = calloc(1, sizeof *c);
    for (int kind = 0; kind < KINDS; kind++)
        for (int i = 0; i < EACH; i++) {
            source s = {.draw = {.seed = first ? 1 : 2,
                                 .purpose = DL_FOR_TEST,
                                 .epoch = (uint32_t)kind,
                                 .step = (uint32_t)i}};
            /* The judges' families: power laws and sigmoids, heavy tails. */
            int shape = first ? i % 2 : 1 + i % 2;
            draw_curves(c, &s, kind, shape, first ? false : i % 3 == 0);
            int told = told_of(&c->run);
            if (getenv("DIAGNOSE_DUMP") && i % 8 == 0 && told != UNSURE &&
                !(right_of(kind) >> told & 1))
                dump(&c->run, names[kind]);
            add(&m, kind, right_of(kind), told);
        }
    free(c);
    print(&m, "synthetic curves");
    int all = KINDS * EACH;
    assert_true(100 * (m.right + m.unsure) >= 95 * all);
    assert_true(100 * m.unsure <= 15 * all);
    assert_true(100 * m.opposite <= all);
}

/* ---- real runs ---- */

/* A line of runs.csv.gz: net,set,kind,rate,seed,right,expected,initial,epochs,train...,val... */
static bool next_number(char **at, double *value) {
    char *end;
    *value = strtod(*at, &end);
    bool any = end != *at;
    *at = *end ? end + 1 : end;
    return any;
}

static unsigned kinds_in(const char *text) {
    unsigned found = 0;
    for (int k = 0; k < KINDS; k++)
        if (strstr(text, names[k]))
            found |= 1u << k;
    return found;
}

static void test_real(void **state) {
    (void)state;
    gzFile file = gzopen("tests/histories/runs.csv.gz", "r");
    static char line[1 << 14], net[40], set[16], kind[40], right[100];
    matrix m = {0};
    int all = 0;
    curves *c = calloc(1, sizeof *c);
    assert_non_null(file);
    while (gzgets(file, line, sizeof line)) {
        double rate = 0, seed = 0, expected = 0, initial = 0, epochs = 0;
        int from = 0;
        if (sscanf(line, "%39[^,],%15[^,],%39[^,],%99[^,],%n", net, set, kind, right, &from) != 4 ||
            strcmp(set, choosing() ? "choose" : "judge"))
            continue;
        char *at = line + from;
        assert_true(next_number(&at, &rate) && next_number(&at, &seed) &&
                    next_number(&at, &expected) && next_number(&at, &initial) &&
                    next_number(&at, &epochs) && epochs <= MOST);
        c->run = (dl_symptoms){.rows = (int64_t)epochs,
                               .epoch = c->epoch,
                               .train = c->train,
                               .val = c->val,
                               .expected = expected,
                               .initial = initial,
                               .baseline = NAN,
                               .dropout = !strcmp(kind, "dropout")};
        for (int i = 0; i < 2 * (int)epochs; i++)
            assert_true(
                next_number(&at, i < (int)epochs ? &c->train[i] : &c->val[i - (int)epochs]));
        for (int i = 0; i < (int)epochs; i++)
            c->epoch[i] = i + 1;
        unsigned allowed = kinds_in(right);
        int told = told_of(&c->run), planted = 0;
        while (planted < UNSURE && strncmp(right, names[planted], strlen(names[planted])) != 0)
            planted++;
        if (getenv("DIAGNOSE_DUMP") && (told == UNSURE || !(allowed >> told & 1))) {
            printf("%s %s %g (%s) ", net, kind, rate, right);
            dump(&c->run, "");
        }
        add(&m, planted, allowed, told);
        all++;
    }
    gzclose(file);
    free(c);
    print(&m, "real runs");
    assert_true(all > 100);
    assert_true(100 * (m.right + m.unsure) >= 95 * all);
    assert_true(100 * m.unsure <= 15 * all);
    assert_true(100 * m.opposite <= all);
}

/* Constant curves of any value have one answer, and a sensible one. */
static void test_degenerate(void **state) {
    (void)state;
    static const double values[] = {0, NAN, INFINITY, -1, 1e308, 1e-320};
    curves *c = calloc(1, sizeof *c);
    for (size_t k = 0; k < sizeof values / sizeof *values; k++)
        for (int n = 5; n < 30; n++) {
            for (int i = 0; i < n; i++) {
                c->epoch[i] = i + 1;
                c->train[i] = c->val[i] = values[k];
            }
            c->run = (dl_symptoms){.rows = n,
                                   .epoch = c->epoch,
                                   .train = c->train,
                                   .val = c->val,
                                   .expected = NAN,
                                   .initial = NAN,
                                   .baseline = NAN};
            int told = told_of(&c->run);
            assert_true(told == UNSURE || (values[k] == 0 && told == CONVERGED));
        }
    free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_synthetic),
                                       cmocka_unit_test(test_real),
                                       cmocka_unit_test(test_degenerate)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

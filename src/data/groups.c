/* SPDX-License-Identifier: MIT */
/* Splits that keep groups of rows together, for example all images of a patient. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "data/split.h"

typedef struct {
    uint64_t group;
    int64_t row;
} member;

typedef struct {
    member *member; /* [rows], sorted by group */
    int64_t *first; /* [groups + 1]: start of each group */
    int64_t *order; /* [groups]: order of assignment */
    bool *assigned; /* [groups] */
    int64_t groups, remaining;
    const int *class_of;
    double share;           /* of the current split */
    double *current, *rows; /* [classes]: rows of the current split, of the file */
    int64_t *count;         /* [classes]; zero between calls */
} grouping;

static int by_group(const void *a, const void *b) {
    const member *p = a, *q = b;
    if (p->group != q->group)
        return p->group < q->group ? -1 : 1;
    return (p->row > q->row) - (p->row < q->row);
}

static void find_groups(grouping *g, const uint64_t *group, int64_t rows) {
    g->member = xmalloc(sizeof *g->member * (size_t)rows);
    g->first = xmalloc(sizeof *g->first * (size_t)(rows + 1));
    for (int64_t i = 0; i < rows; i++)
        g->member[i] = (member){group[i], i};
    qsort(g->member, (size_t)rows, sizeof *g->member, by_group);
    for (int64_t i = 0; i < rows; i++)
        if (!i || g->member[i].group != g->member[i - 1].group)
            g->first[g->groups++] = i;
    g->first[g->groups] = rows;
    g->remaining = g->groups;
    g->assigned = xcalloc((size_t)g->groups, sizeof *g->assigned);
    g->order = xmalloc(sizeof *g->order * (size_t)g->groups);
    for (int64_t k = 0; k < g->groups; k++)
        g->order[k] = k;
}

static int class_at(const grouping *g, int64_t at) {
    return g->class_of ? g->class_of[g->member[at].row] : 0;
}

/* The change, by adding this group, of the sum over classes of (count - target count)^2 / (rows of
   the class in the file). */
static double distance_change(grouping *g, int64_t group) {
    double sum = 0;
    for (int64_t i = g->first[group]; i < g->first[group + 1]; i++)
        g->count[class_at(g, i)]++;
    for (int64_t i = g->first[group]; i < g->first[group + 1]; i++) {
        int c = class_at(g, i);
        double more = (double)g->count[c];
        g->count[c] = 0;
        sum += more * (more + 2 * (g->current[c] - g->share * g->rows[c])) / g->rows[c];
    }
    return sum;
}

static void assign_group(grouping *g, int64_t group, dl_split part, uint8_t *part_of) {
    g->assigned[group] = true;
    g->remaining--;
    for (int64_t i = g->first[group]; i < g->first[group + 1]; i++) {
        g->current[class_at(g, i)]++;
        part_of[g->member[i].row] = (uint8_t)part;
    }
}

/* `later`: number of groups to leave for other splits. */
static void fill_part(grouping *g, dl_split part, int64_t later, uint8_t *part_of) {
    int64_t nearest = -1, before = g->remaining;
    double min = INFINITY;
    for (int64_t k = 0; k < g->groups && g->remaining > later; k++) {
        int64_t group = g->order[k];
        if (g->assigned[group])
            continue;
        double change = distance_change(g, group);
        if (change < 0) {
            assign_group(g, group, part, part_of);
        } else if (change < min) {
            min = change;
            nearest = group;
        }
    }
    if (g->remaining == before && nearest >= 0) /* all are too large: use the least bad one */
        assign_group(g, nearest, part, part_of);
}

/* ---- folds ---- */

typedef struct {
    int64_t rows, position, group; /* position: in `order` */
} sized;

static int by_size(const void *a, const void *b) {
    const sized *p = a, *q = b;
    if (p->rows != q->rows)
        return p->rows < q->rows ? 1 : -1;
    return (p->position > q->position) - (p->position < q->position);
}

/* The fold that has the least of the classes of the group; have[folds][classes]. */
static int64_t best_fold(grouping *g, double *current, int64_t folds, size_t classes,
                         int64_t group) {
    double *own = g->current, min = INFINITY;
    int64_t best = 0;
    g->share = 0;
    for (int64_t f = 0; f < folds; f++) {
        g->current = current + (size_t)f * classes;
        double change = distance_change(g, group);
        if (change < min) {
            min = change;
            best = f;
        }
    }
    g->current = own;
    return best;
}

/* Distributes the remaining groups evenly over the folds; `fold` is for validation. */
static void deal_folds(grouping *g, const dl_fold *fold, size_t classes, uint8_t *part_of) {
    sized *list = xmalloc(sizeof *list * (size_t)g->groups);
    double *current = xcalloc((size_t)fold->count * classes, sizeof *current);
    int64_t count = 0;
    for (int64_t k = 0; k < g->groups; k++) {
        int64_t group = g->order[k];
        if (!g->assigned[group])
            list[count++] = (sized){g->first[group + 1] - g->first[group], k, group};
    }
    qsort(list, (size_t)count, sizeof *list, by_size);
    for (int64_t k = 0; k < count; k++) {
        int64_t group = list[k].group, f = best_fold(g, current, fold->count, classes, group);
        for (int64_t i = g->first[group]; i < g->first[group + 1]; i++) {
            current[(size_t)f * classes + (size_t)class_at(g, i)]++;
            if (f == fold->number - 1)
                part_of[g->member[i].row] = DL_VALIDATION;
        }
    }
    free(list);
    free(current);
}

void dl_split_groups(const dl_split_input *in, uint8_t *part_of) {
    static const dl_split order_of_parts[] = {DL_TEST, DL_VALIDATION};
    size_t kinds = in->class_of ? (size_t)in->classes : 1;
    grouping g = {.class_of = in->class_of,
                  .current = xcalloc(kinds, sizeof(double)),
                  .rows = xcalloc(kinds, sizeof(double)),
                  .count = xcalloc(kinds, sizeof(int64_t))};
    dl_draw draw = {.seed = in->seed, .purpose = DL_FOR_SPLIT, .stream = 1};
    memset(part_of, DL_TRAIN, (size_t)in->count);
    find_groups(&g, in->group, in->count);
    dl_random_shuffle(&draw, g.order, g.groups);
    for (int64_t i = 0; i < in->count; i++)
        g.rows[in->class_of ? in->class_of[i] : 0]++;
    for (int p = 0; p < 2; p++) {
        dl_split part = order_of_parts[p];
        bool another = part == DL_TEST && in->share[DL_VALIDATION] > 0;
        g.share = in->share[part];
        memset(g.current, 0, kinds * sizeof *g.current);
        if (part == DL_VALIDATION && in->fold.number > 0)
            deal_folds(&g, &in->fold, kinds, part_of);
        else if (in->share[part] > 0)
            fill_part(&g, part, another ? 2 : 1, part_of);
    }
    free(g.member);
    free(g.first);
    free(g.order);
    free(g.assigned);
    free(g.current);
    free(g.rows);
    free(g.count);
}

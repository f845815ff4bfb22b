/* SPDX-License-Identifier: MIT */
/* A split that keeps groups of rows together: the pictures of one patient, say, of which none may
   be learnt from when others are tested on. */
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
    member *member; /* [rows], group by group */
    int64_t *first; /* [groups + 1]: where each begins */
    int64_t *order; /* [groups]: in which they are looked at */
    bool *taken;    /* [groups] */
    int64_t groups, left;
    const int *class_of;
    double share;        /* of the part at hand */
    double *have, *rows; /* [classes]: of the part at hand, of the file */
    int64_t *count;      /* [classes], all 0 between two groups */
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
    g->left = g->groups;
    g->taken = xcalloc((size_t)g->groups, sizeof *g->taken);
    g->order = xmalloc(sizeof *g->order * (size_t)g->groups);
    for (int64_t k = 0; k < g->groups; k++)
        g->order[k] = k;
}

static int class_at(const grouping *g, int64_t at) {
    return g->class_of ? g->class_of[g->member[at].row] : 0;
}

/* How much farther the part would be from what it wants with this group: the sum over the classes
   of (distance of the counts squared) / (rows of the class in the file). */
static double farther(grouping *g, int64_t group) {
    double sum = 0;
    for (int64_t i = g->first[group]; i < g->first[group + 1]; i++)
        g->count[class_at(g, i)]++;
    for (int64_t i = g->first[group]; i < g->first[group + 1]; i++) {
        int c = class_at(g, i);
        double more = (double)g->count[c];
        g->count[c] = 0;
        sum += more * (more + 2 * (g->have[c] - g->share * g->rows[c])) / g->rows[c];
    }
    return sum;
}

static void take(grouping *g, int64_t group, dl_split part, uint8_t *part_of) {
    g->taken[group] = true;
    g->left--;
    for (int64_t i = g->first[group]; i < g->first[group + 1]; i++) {
        g->have[class_at(g, i)]++;
        part_of[g->member[i].row] = (uint8_t)part;
    }
}

/* `later`: the groups that must be left for others. */
static void fill_part(grouping *g, dl_split part, int64_t later, uint8_t *part_of) {
    int64_t nearest = -1, before = g->left;
    double least = INFINITY;
    for (int64_t k = 0; k < g->groups && g->left > later; k++) {
        int64_t group = g->order[k];
        if (g->taken[group])
            continue;
        double change = farther(g, group);
        if (change < 0) {
            take(g, group, part, part_of);
        } else if (change < least) {
            least = change;
            nearest = group;
        }
    }
    if (g->left == before && nearest >= 0) /* all are too large: the one that is least so */
        take(g, nearest, part, part_of);
}

/* ---- folds ---- */

typedef struct {
    int64_t rows, place, group; /* place: in the order in which groups are looked at */
} sized;

static int by_size(const void *a, const void *b) {
    const sized *p = a, *q = b;
    if (p->rows != q->rows)
        return p->rows < q->rows ? 1 : -1;
    return (p->place > q->place) - (p->place < q->place);
}

/* The fold to which the group adds least of what is there already; have[folds][classes]. */
static int64_t emptiest(grouping *g, double *have, int64_t folds, size_t classes, int64_t group) {
    double *own = g->have, least = INFINITY;
    int64_t best = 0;
    g->share = 0;
    for (int64_t f = 0; f < folds; f++) {
        g->have = have + (size_t)f * classes;
        double change = farther(g, group);
        if (change < least) {
            least = change;
            best = f;
        }
    }
    g->have = own;
    return best;
}

/* Deals the groups that are left out to all folds alike; number `fold` is for validation. */
static void deal_folds(grouping *g, int64_t fold, int64_t folds, size_t classes, uint8_t *part_of) {
    sized *list = xmalloc(sizeof *list * (size_t)g->groups);
    double *have = xcalloc((size_t)folds * classes, sizeof *have);
    int64_t count = 0;
    for (int64_t k = 0; k < g->groups; k++) {
        int64_t group = g->order[k];
        if (!g->taken[group])
            list[count++] = (sized){g->first[group + 1] - g->first[group], k, group};
    }
    qsort(list, (size_t)count, sizeof *list, by_size);
    for (int64_t k = 0; k < count; k++) {
        int64_t group = list[k].group, f = emptiest(g, have, folds, classes, group);
        for (int64_t i = g->first[group]; i < g->first[group + 1]; i++) {
            have[(size_t)f * classes + (size_t)class_at(g, i)]++;
            if (f == fold - 1)
                part_of[g->member[i].row] = DL_VALIDATION;
        }
    }
    free(list);
    free(have);
}

void dl_split_groups(const int *class_of, int classes, const uint64_t *group, int64_t count,
                     const double share[DL_SPLITS], int64_t fold, int64_t folds, uint64_t seed,
                     uint8_t *part_of) {
    static const dl_split order_of_parts[] = {DL_TEST, DL_VALIDATION};
    size_t kinds = class_of ? (size_t)classes : 1;
    grouping g = {.class_of = class_of,
                  .have = xcalloc(kinds, sizeof(double)),
                  .rows = xcalloc(kinds, sizeof(double)),
                  .count = xcalloc(kinds, sizeof(int64_t))};
    dl_draw draw = {.seed = seed, .purpose = DL_FOR_SPLIT, .stream = 1};
    memset(part_of, DL_TRAIN, (size_t)count);
    find_groups(&g, group, count);
    dl_random_shuffle(&draw, g.order, g.groups);
    for (int64_t i = 0; i < count; i++)
        g.rows[class_of ? class_of[i] : 0]++;
    for (int p = 0; p < 2; p++) {
        dl_split part = order_of_parts[p];
        bool another = part == DL_TEST && share[DL_VALIDATION] > 0;
        g.share = share[part];
        memset(g.have, 0, kinds * sizeof *g.have);
        if (part == DL_VALIDATION && fold > 0)
            deal_folds(&g, fold, folds, kinds, part_of);
        else if (share[part] > 0)
            fill_part(&g, part, another ? 2 : 1, part_of);
    }
    free(g.member);
    free(g.first);
    free(g.order);
    free(g.taken);
    free(g.have);
    free(g.rows);
    free(g.count);
}

/* SPDX-License-Identifier: MIT */
/* The repulsion of points of a plane by a quadtree: Barnes and Hut, "A hierarchical O(N log N)
   force-calculation algorithm", Nature 1986. */
#ifndef DL_MATH_TSNE_TREE_H
#define DL_MATH_TSNE_TREE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    float x, y, square; /* center of mass; squared width of the cell */
    int32_t count;      /* points */
    int32_t next;       /* the first node that is not below it */
} dl_tree_node;

typedef struct {
    int64_t capacity, nodes;
    dl_tree_node *node; /* in preorder, owned */
    int32_t *order;     /* [points], owned */
} dl_tree;

/* Builds the tree of map[2][points], again if it is not the first time. */
void dl_tree_build(dl_tree *tree, const float *map, int64_t points);
/* With w = 1 / (1 + |a - b|²), out[] = the sums of w² (a - b) over all points b, and returns the
   sum of w, which includes that of a itself. Cells count as one point if their width is less than
   half their distance. */
double dl_tree_repel(const dl_tree *tree, float x, float y, double out[2]);
void dl_tree_free(dl_tree *tree);

#endif

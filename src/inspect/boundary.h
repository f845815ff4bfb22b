/* SPDX-License-Identifier: MIT */
/* What a net answers over a plane of two input columns, as a picture: decision regions, or the
   surface of the first output. */
#ifndef DL_INSPECT_BOUNDARY_H
#define DL_INSPECT_BOUNDARY_H

#include "image/grid.h"
#include "inspect/input_table.h"

enum { DL_BOUNDARY_SIDE = 300 };

typedef struct {
    const dl_input_table *table; /* its rows are drawn as dots; borrowed */
    int column[2];               /* across and up */
    double low[2], high[2];      /* of the plane, in the units of the data */
    double least, most;          /* numbers: drawn blue and red */
    float *others;               /* [size]: the other columns, at their means or most frequent
                                    categories, normalized; owned */
} dl_boundary;

/* Sets all but table and column; -1 and an error if the columns are not single numbers. Close it
   also after a failure. */
int dl_boundary_open(dl_boundary *boundary, dl_error *error);
/* Draws the answers of the model with its present weights into rgb[side][side][3]. */
void dl_boundary_draw(const dl_boundary *boundary, unsigned char *rgb);
void dl_boundary_close(dl_boundary *boundary);

#endif

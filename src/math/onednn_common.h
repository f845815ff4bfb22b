/* SPDX-License-Identifier: MIT */
/* What oneDNN's products and convolutions share. Private to src/math/onednn*.c, in builds with
 * oneDNN. */
#ifndef DL_MATH_ONEDNN_COMMON_H
#define DL_MATH_ONEDNN_COMMON_H

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>
#include <stdint.h>

/* Versions 2 and 3 differ in how descriptors are held, and in the functions that make them. */
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t desc_ref;
#define REF(desc) (desc)
#else
typedef const dnnl_memory_desc_t *desc_ref;
#define REF(desc) (&(desc))
#endif

enum { MOST_ARGUMENTS = 4 };

/* A primitive with its tensors, whose addresses are set in each call. */
typedef struct {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t argument[MOST_ARGUMENTS + 1];
    int count;
    void *scratch; /* of argument[count], or NULL */
} operation;

/* The processor, once onednn_start has been called. */
extern dnnl_engine_t onednn_engine;
/* Initializes the library in the first call; false if that failed. */
bool onednn_start(void);

/* Whether a call succeeded; out of memory ends the program. */
bool onednn_good(dnnl_status_t status);

/* A float tensor's descriptor; freed with onednn_free_desc. */
dnnl_memory_desc_t onednn_desc(int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag);
dnnl_memory_desc_t onednn_desc_of(dnnl_data_type_t type, int rank, const dnnl_dims_t dims,
                                  dnnl_format_tag_t tag);
void onednn_free_desc(dnnl_memory_desc_t *desc);

/* Attributes with one post-operation, or NULL; the caller destroys them. */
dnnl_primitive_attr_t onednn_attributes(void (*append)(dnnl_post_ops_t));
void onednn_append_sum(dnnl_post_ops_t ops);  /* adds to the destination */
void onednn_append_relu(dnnl_post_ops_t ops); /* max(0, x) */

/* x[count] as bfloat16 in `memory`, which is returned. */
const void *onednn_narrow(const float *x, int64_t count, void *memory);

bool onednn_add_argument(operation *op, int which, desc_ref desc);
/* After the last argument: memory of its own for a primitive that wants any. */
bool onednn_add_scratchpad(operation *op, const_dnnl_primitive_desc_t desc);
void onednn_free_operation(operation *op);
/* addresses: as many as the operation has arguments, in their order. */
bool onednn_run(const operation *op, const void *const *addresses);

/* An operation with weights: its kernel, and the reordering of the weights that it wants. */
typedef struct {
    bool possible;
    operation op, reorder; /* reorder.primitive NULL: the kernel uses plain weights */
    size_t bytes;          /* of the weights in the kernel's order */
} ordered_operation;

/* The reordering between plain weights and those that a kernel wants; `back`: from the kernel's to
   the plain ones. None is made if they are the same. */
bool onednn_make_reorder(ordered_operation *o, desc_ref plain, desc_ref wanted, bool back);
void onednn_free_ordered(ordered_operation *o);
/* The weights in the order that the operation wants, in `memory` if that is another one than
   theirs; NULL if that failed. */
const float *onednn_ordered(const ordered_operation *o, const float *weight, void *memory);

/* Weights that never change, in the order of the operation that they were last used by. */
typedef struct {
    float *memory; /* owned: to be freed with free */
    size_t bytes;
    const ordered_operation *by;
} frozen_weights;

const float *onednn_frozen(frozen_weights *frozen, const ordered_operation *o, const float *weight);

#endif

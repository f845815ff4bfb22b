/* SPDX-License-Identifier: MIT */
/* Fuzz targets: each gives a reader of files one made-up file, as the program would, and looks at
   what came of it. A clear refusal is fine; a crash, a leak, a hang, a failure without a word or
   numbers that a reader has promised never to hand out are findings. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct {
    const char *name; /* as the folder below corpus/ */
    /* `input` is borrowed; nothing is left behind but files in the scratch folder. */
    void (*run)(const uint8_t *input, size_t count);
} fuzz_target;

extern const fuzz_target fuzz_targets[]; /* ends with name NULL */

/* By name, or NULL. */
const fuzz_target *fuzz_find(const char *name);

/* The path of `name` in a scratch folder in memory, which is removed at the end of the program,
   unless a sanitizer ends it; freed by the caller. */
char *fuzz_path(const char *name);
/* Writes the file of that name there, whole. */
void fuzz_save(const char *name, const void *bytes, size_t count);

/* Ends the program, with the reason: a finding. */
_Noreturn void fuzz_finding(const char *what, const dl_error *error);
/* Whether refusals are shown. */
extern bool fuzz_verbose;
/* It is one if result and error contradict each other, or if the code is none of a file's faults.
   Clears the error. */
void fuzz_check(int result, dl_error *error);

/* One of each reader; in formats.c, and in files.c. */
void fuzz_idx(const uint8_t *input, size_t count);
void fuzz_csv(const uint8_t *input, size_t count);
void fuzz_cifar(const uint8_t *input, size_t count);
void fuzz_image_list(const uint8_t *input, size_t count);
void fuzz_image_tar(const uint8_t *input, size_t count);
void fuzz_npy(const uint8_t *input, size_t count);
void fuzz_npz(const uint8_t *input, size_t count);
void fuzz_text(const uint8_t *input, size_t count);
void fuzz_image(const uint8_t *input, size_t count);
void fuzz_config(const uint8_t *input, size_t count);
void fuzz_checkpoint(const uint8_t *input, size_t count);
void fuzz_weights_csv(const uint8_t *input, size_t count);
void fuzz_weights_npz(const uint8_t *input, size_t count);
void fuzz_history(const uint8_t *input, size_t count);
void fuzz_onnx(const uint8_t *input, size_t count); /* nothing without ONNX */

#endif

/* SPDX-License-Identifier: MIT */
/* Symbols of a text, for generation. */
#ifndef DL_FORMATS_TEXT_H
#define DL_FORMATS_TEXT_H

#include "formats/dataset.h"

/* Both borrowed. */
typedef struct {
    const dl_dataset *dataset; /* for type and options */
    const dl_schema *schema;
} dl_symbols;

/* Checks format and schema. 0, or -1 and an error that begins with `name`: of DL_USAGE if the data
   is not text, of DL_DATA if the schema is invalid. */
int dl_symbols_check(const dl_symbols *symbols, const char *name, dl_error *error);
/* The classes [*count] of the symbols of `text`, freed by the caller. NULL and an error of DL_USAGE
   that begins with `name` if a symbol does not occur in the training text (unknown words are class
   0). */
uint16_t *dl_symbols_read(const dl_symbols *symbols, const char *text, const char *name,
                          int64_t *count, dl_error *error);
enum { DL_MAX_SYMBOL = 72 };
/* Writes the symbol of a class, with a leading space for words except the first. Returns its bytes,
   less than DL_MAX_SYMBOL; 0: no symbol. */
int dl_symbols_write(const dl_symbols *symbols, int class, bool first, char *out);
/* Encodes symbols as a sample x[size of schema.input], not normalized, padded with zeros. */
void dl_symbols_encode(const dl_symbols *symbols, const uint16_t *classes, int64_t count, float *x);

#endif

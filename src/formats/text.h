/* SPDX-License-Identifier: MIT */
/* The symbols of a text, for whoever writes one. */
#ifndef DL_FORMATS_TEXT_H
#define DL_FORMATS_TEXT_H

#include "formats/dataset.h"

/* Both borrowed. */
typedef struct {
    const dl_dataset *dataset; /* its type and options */
    const dl_schema *schema;
} dl_symbols;

/* Whether the data are a text, with the schema of one: 0, or -1 and an error that begins with
   `name`: of DL_USAGE if they are something else, of DL_DATA if the schema is not what a text has.
   Only the config and the schema are looked at. */
int dl_symbols_check(const dl_symbols *symbols, const char *name, dl_error *error);
/* The classes of a text's symbols, [*count], freed by the caller. NULL and an error of DL_USAGE
   that begins with `name` if there is a symbol that the training text has not (a word that it
   has not is the unknown one). */
uint16_t *dl_symbols_read(const dl_symbols *symbols, const char *text, const char *name,
                          int64_t *count, dl_error *error);
enum { DL_MOST_SYMBOL = 72 };
/* The bytes, less than DL_MOST_SYMBOL, of the symbol that a class is; returns how many they are, 0
   if it is none. Words, but the first, have a blank in front. */
int dl_symbols_write(const dl_symbols *symbols, int class, bool first, char *out);
/* The sample x[size of schema.input] that begins with these symbols, not normalized; the steps
   behind them are zero. */
void dl_symbols_encode(const dl_symbols *symbols, const uint16_t *classes, int64_t count, float *x);

#endif

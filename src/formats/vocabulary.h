/* SPDX-License-Identifier: MIT */
/* Words of a text, and a vocabulary of the most frequent ones. */
#ifndef DL_FORMATS_VOCABULARY_H
#define DL_FORMATS_VOCABULARY_H

#include "base/string_set.h"
#include "formats/schema.h"

enum { DL_MAX_WORD = 63, DL_MAX_WORDS = (1 << 16) - 2 };

/* Class 0: every word that is not in the vocabulary. */
extern const char dl_unknown_word[];

/* Reads the next word of NUL-terminated UTF-8 text that ends at or before `end`, and advances *at:
   letters, digits and inner apostrophes, or one other printable character; longer words are
   divided. `lower`: to lower case (Latin, Greek, Cyrillic). Returns its bytes; 0 at the end, -1 if
   *at is not UTF-8. */
int dl_word_next(const char **at, const char *end, bool lower, char out[DL_MAX_WORD + 1]);
/* Sets the classes of `schema`: dl_unknown_word, then the `max` most frequent words (ties
   bytewise), sorted bytewise. count[i]: frequency of name i. */
void dl_vocabulary_build(const dl_string_set *names, const int64_t *count, int max,
                         dl_schema *schema);

#endif

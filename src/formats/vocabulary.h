/* SPDX-License-Identifier: MIT */
/* The words of a text, and a vocabulary of those that are frequent. */
#ifndef DL_FORMATS_VOCABULARY_H
#define DL_FORMATS_VOCABULARY_H

#include "base/string_set.h"
#include "formats/schema.h"

enum { DL_LONGEST_WORD = 63, DL_MOST_WORDS = (1 << 16) - 2 };

/* What stands for every word that is not in the vocabulary: class 0. No word is written so. */
extern const char dl_unknown_word[];

/* The next word of UTF-8 text that ends in NUL before or at `end`, behind which *at is moved:
   letters and digits, with apostrophes between them, or one other character that can be seen; what
   is longer than DL_LONGEST_WORD bytes is cut into several. `lower`: capitals (Latin, Greek,
   Cyrillic) become small letters. Its length in bytes; 0 at the end, or -1 where *at is not UTF-8.
 */
int dl_word_next(const char **at, const char *end, bool lower, char out[DL_LONGEST_WORD + 1]);
/* Makes dl_unknown_word and the `most` most frequent of the words (of equally frequent ones, the
   first by their bytes), sorted by their bytes, the classes of `schema`. count[i]: how often name i
   occurs. */
void dl_vocabulary_choose(const dl_string_set *names, const int64_t *count, int most,
                          dl_schema *schema);

#endif

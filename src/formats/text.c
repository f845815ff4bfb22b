/* SPDX-License-Identifier: MIT */
/* A text as training data: sample i is the stretch of T symbols (bytes, characters or words) from
   symbol i · T on, and its target at each of the T steps is the symbol that comes next. The classes
   are the symbols that occur in the training text, sorted by their numbers; of words the most
   frequent ones (words.h). The text stays in memory, two bytes a symbol. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "formats/text.h"
#include "formats/vocabulary.h"

enum { ONE_HOT, NUMBER };
enum { BYTE, CHARACTER, WORD };

static const char *const units[] = {"byte", "character", "word", NULL};
static const char *const encodings[] = {"one_hot", "number", NULL};

typedef struct {
    const char *file;
    int unit, encoding;
    bool lower_case;
    int64_t length, most_words;
} text_options;

static const dl_option options[] = {
    DL_STRING_OPTION("file", text_options, file, DL_REQUIRED, "the text, plain or gzip"),
    DL_CHOICE_OPTION(
        "unit", text_options, unit, "character", units,
        "what a symbol is: character (the text must be UTF-8), byte (any file) or word "
        "(letters and digits, with apostrophes between them, or one other character; blanks "
        "and the ends of lines are left out)"),
    DL_BOOL_OPTION(
        "lower_case", text_options, lower_case, "false",
        "words: capitals become small letters, so that \"The\" and \"the\" are one word"),
    DL_INT_OPTION(
        "most_words", text_options, most_words, "10000", 1, DL_MOST_WORDS,
        "words: the vocabulary has so many, the most frequent ones of the training text; all "
        "others are the class 0, \"<unknown>\". The last layer has an output more than that"),
    DL_INT_OPTION("length", text_options, length, "64", 1, 1 << 16,
                  "symbols of a sample: so far back a recurrent network looks while it learns"),
    DL_CHOICE_OPTION(
        "encoding", text_options, encoding, "one_hot", encodings,
        "one_hot (an input for each symbol of the vocabulary, 1 where it is meant, else 0) or "
        "number (the symbol's number, for a layer \"embedding\": the choice for words)"),
    DL_OPTIONS_END,
};

enum { MOST_BYTES = 1 << 30, MOST_INPUTS = 1 << 28, MOST_CLASSES = 1 << 16 };

typedef struct {
    uint16_t *symbols; /* [symbols of the text]: classes; owned */
    int64_t length;    /* of a sample */
    int classes;
    bool one_hot;
} text_state;

/* ---- symbols and their names ---- */

static int codes(int unit) {
    return unit == BYTE ? 256 : 0x110000;
}

/* The next symbol's number; -1 if it is not UTF-8. */
static int next_code(int unit, const char **at) {
    return unit == BYTE ? *(const unsigned char *)(*at)++ : dl_text_next(at);
}

/* The symbol's own bytes; returns how many they are. */
static int spell(int unit, int code, char out[4]) {
    const unsigned c = (unsigned)code;
    if (unit == BYTE || c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    int more = 1 + (c >= 0x800) + (c >= 0x10000); /* bytes of six bits behind the first one */
    out[0] = (char)((0xF0u << (3 - more) & 0xFF) | c >> 6 * more);
    for (int i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (c >> 6 * (more - i) & 63));
    return more + 1;
}

/* How a symbol is called: itself, or an escape if it cannot be seen. */
static void name_symbol(int unit, int code, char out[8]) {
    const char *const lines = "\n\r\t", *found = code ? strchr(lines, code) : NULL;
    if (code < 128 && found)
        snprintf(out, 8, "\\%c", "nrt"[found - lines]);
    else if (code < 32 || code == 127 || (unit == BYTE && code > 127))
        snprintf(out, 8, "\\x%02X", code & 255);
    else
        out[spell(unit, code, out)] = '\0';
}

/* The symbol of that name; -1 if it is none. */
static int symbol_named(int unit, const char *name) {
    char again[8];
    const char *at = name;
    int code = dl_text_next(&at);
    if (code == '\\' && *at) {
        const char *const letters = "nrt", *found = strchr(letters, *at);
        code = found ? "\n\r\t"[found - letters] : (int)strtol(at + 1, NULL, 16);
    }
    if (code < 0 || code >= codes(unit))
        return -1;
    name_symbol(unit, code, again);
    return strcmp(again, name) ? -1 : code;
}

/* ---- opening ---- */

/* A text being opened. */
typedef struct {
    char *path, *bytes;
    int64_t size, count; /* bytes, and symbols */
    int unit;
    int *class_of; /* [codes]: a symbol's class, -1: it has none */
    bool lower;
    dl_string_set words; /* those of the text, then of the vocabulary, by their classes */
} source;

static int not_utf8(const source *s, const char *at, dl_error *error) {
    return dl_fail(error, DL_DATA, "%s: offset %lld: is not UTF-8 (unit = \"byte\" takes any file)",
                   s->path, (long long)(at - s->bytes));
}

/* Counts the symbols; class_of becomes 0 where one occurs. */
static int survey(source *s, dl_error *error) {
    const char *at = s->bytes, *end = s->bytes + s->size;
    for (; at < end; s->count++) {
        int code = next_code(s->unit, &at);
        if (code < 0)
            return not_utf8(s, at, error);
        s->class_of[code] = 0;
    }
    return 0;
}

/* The vocabulary: what occurs, in the order of its numbers. */
static int make_classes(source *s, dl_schema *schema, dl_error *error) {
    int count = 0;
    for (int code = 0; code < codes(s->unit); code++)
        if (s->class_of[code] >= 0)
            s->class_of[code] = count++;
    if (count > MOST_CLASSES)
        return dl_fail(error, DL_DATA, "%s: has %d different characters; at most %d are possible",
                       s->path, count, MOST_CLASSES);
    schema->classes = count;
    schema->class_names = xcalloc((size_t)count, sizeof *schema->class_names);
    for (int code = 0; code < codes(s->unit); code++)
        if (s->class_of[code] >= 0) {
            char name[8];
            name_symbol(s->unit, code, name);
            schema->class_names[s->class_of[code]] = xstrdup(name);
        }
    return 0;
}

/* The vocabulary of another text, which must have all that occurs here. */
static int take_classes(source *s, const dl_schema *like, dl_error *error) {
    for (int code = 0; code < codes(s->unit); code++)
        s->class_of[code] = -1;
    for (int c = 0; c < like->classes && like->class_names; c++) {
        int code = symbol_named(s->unit, like->class_names[c]);
        if (code >= 0)
            s->class_of[code] = c;
    }
    const char *at = s->bytes, *end = s->bytes + s->size;
    while (at < end) {
        long long offset = at - s->bytes;
        int code = next_code(s->unit, &at);
        char name[8];
        name_symbol(s->unit, code, name);
        if (s->class_of[code] < 0)
            return dl_fail(error, DL_DATA,
                           "%s: offset %lld: \"%s\" does not occur in the training text", s->path,
                           offset, name);
    }
    return 0;
}

/* The vocabulary of words: that of another text, or the frequent ones of this one. */
static int take_words(source *s, int most, const dl_schema *like, dl_schema *schema,
                      dl_error *error) {
    const char *at = s->bytes, *end = s->bytes + s->size;
    char word[DL_LONGEST_WORD + 1];
    int length, room = 0;
    int64_t *count = NULL;
    while ((length = dl_word_next(&at, end, s->lower, word)) > 0) {
        int number = dl_string_set_add(&s->words, word);
        if (number >= room) {
            int more = room ? 2 * room : 1024;
            count = xrealloc(count, sizeof *count * (size_t)more);
            memset(count + room, 0, sizeof *count * (size_t)(more - room));
            room = more;
        }
        count[number]++;
        s->count++;
    }
    if (!length && !like)
        dl_vocabulary_choose(&s->words, count, most, schema);
    free(count);
    dl_string_set_free(&s->words);
    if (length < 0)
        return not_utf8(s, at, error);
    const dl_schema *from = like ? like : schema;
    if (!from->class_names || strcmp(from->class_names[0], dl_unknown_word))
        return dl_fail(error, DL_DATA, "%s: the training data were no text of words", s->path);
    for (int c = 0; c < from->classes; c++)
        dl_string_set_add(&s->words, from->class_names[c]);
    return 0;
}

/* The class of the next symbol. */
static int next_class(const source *s, const char **at) {
    char word[DL_LONGEST_WORD + 1];
    if (s->unit != WORD)
        return s->class_of[next_code(s->unit, at)];
    dl_word_next(at, s->bytes + s->size, s->lower, word);
    int found = dl_string_set_find(&s->words, word);
    return found < 0 ? 0 : found;
}

static int check_like(const dl_dataset *dataset, const source *s, const dl_schema *like,
                      dl_error *error) {
    const text_options *given = dataset->options;
    int width = given->encoding == ONE_HOT ? like->classes : 1;
    if (like->classes < 1 || like->classes > MOST_CLASSES)
        return dl_fail(error, DL_DATA, "%s: the training data were no text", s->path);
    if (like->input.rank == 2 && like->input.dim[0] == given->length &&
        like->input.dim[1] == width && like->outputs == given->length)
        return 0;
    char found[48], wanted[48];
    return dl_fail(error, DL_DATA, "%s: its inputs are %s, those of training %s", dataset->where,
                   dl_shape_text(found, dl_shape2((int)given->length, width)),
                   dl_shape_text(wanted, like->input));
}

static int fill(dl_dataset *dataset, const source *s, dl_error *error) {
    const text_options *given = dataset->options;
    text_state *state = dataset->state;
    if (s->count <= given->length)
        return dl_fail(error, DL_DATA,
                       "%s: has %lld %s, but a sample of length %lld and the %s after it need %lld",
                       s->path, (long long)s->count, s->unit == WORD ? "words" : "symbols",
                       (long long)given->length, s->unit == WORD ? "word" : "symbol",
                       (long long)given->length + 1);
    const char *at = s->bytes;
    if (dl_dataset_fits(dataset, s->path,
                        (double)s->size + (double)s->count * sizeof *state->symbols, NULL, error))
        return -1;
    state->symbols = xmalloc(sizeof *state->symbols * (size_t)s->count);
    for (int64_t i = 0; i < s->count; i++)
        state->symbols[i] = (uint16_t)next_class(s, &at);
    state->length = given->length;
    state->classes = dataset->schema.classes;
    state->one_hot = given->encoding == ONE_HOT;
    dataset->count = (s->count - 1) / given->length;
    dataset->ordered = true;
    return 0;
}

static int take_symbols(source *s, const dl_schema *like, dl_schema *schema, dl_error *error) {
    s->class_of = xmalloc(sizeof *s->class_of * (size_t)codes(s->unit));
    memset(s->class_of, -1, sizeof *s->class_of * (size_t)codes(s->unit));
    if (survey(s, error))
        return -1;
    return like ? take_classes(s, like, error) : make_classes(s, schema, error);
}

/* Stops where the memory that the data may take is used up, however small the gzipped file is. */
static char *read_text(const dl_dataset *dataset, source *s, dl_error *error) {
    int64_t most = dataset->memory_most > 0 && dataset->memory_most < MOST_BYTES
                       ? dataset->memory_most
                       : MOST_BYTES;
    dl_reader *reader = dl_reader_open(s->path, DL_DATA, error);
    bool fits = reader && (!dl_reader_is_plain(reader) || dl_reader_bound(reader) == INT64_MAX ||
                           dl_dataset_fits(dataset, s->path, (double)dl_reader_bound(reader), NULL,
                                           error) == 0);
    dl_reader_close(reader);
    if (!fits)
        return NULL;
    dl_error fault = {0};
    char *bytes = dl_file_read(s->path, most, &s->size, DL_DATA, &fault);
    char text[32];
    if (!bytes && s->size > most && most < MOST_BYTES)
        dl_fail(error, DL_DATA,
                "%s: needs more than the %s of memory that it may take (data.memory_limit)",
                s->path, dl_text_bytes(text, (double)most));
    else if (!bytes)
        dl_fail(error, fault.code, "%s", dl_text_get(&fault.text));
    dl_error_clear(&fault);
    return bytes;
}

static int open_source(dl_dataset *dataset, source *s, const dl_schema *like, dl_error *error) {
    const text_options *given = dataset->options;
    dl_schema *schema = &dataset->schema;
    s->unit = given->unit;
    s->lower = given->lower_case;
    s->path = dl_dataset_find(dataset, given->file, error);
    if (!s->path || !(s->bytes = read_text(dataset, s, error)))
        return -1;
    if (s->size >= 3 && !memcmp(s->bytes, "\xef\xbb\xbf", 3)) /* UTF-8's byte order mark */
        memmove(s->bytes, s->bytes + 3, (size_t)(s->size -= 3) + 1);
    if (like && check_like(dataset, s, like, error))
        return -1;
    if (s->unit == WORD ? take_words(s, (int)given->most_words, like, schema, error)
                        : take_symbols(s, like, schema, error))
        return -1;
    if (like)
        *schema = dl_schema_copy(like);
    int width = given->encoding == ONE_HOT ? schema->classes : 1;
    if (given->length * width > MOST_INPUTS)
        return dl_fail(error, DL_DATA, "%s: %lld steps of %d inputs are too many", dataset->where,
                       (long long)given->length, width);
    schema->input = dl_shape2((int)given->length, width);
    schema->outputs = (int)given->length;
    return fill(dataset, s, error);
}

static int text_open(dl_dataset *dataset, const dl_schema *like, dl_error *error) {
    source s = {0};
    dataset->state = xcalloc(1, sizeof(text_state));
    int result = open_source(dataset, &s, like, error);
    free(s.path);
    free(s.bytes);
    free(s.class_of);
    dl_string_set_free(&s.words);
    return result;
}

/* x[length][classes], or x[length]; zero behind the symbols. */
static void encode(bool one_hot, int classes, int64_t length, const uint16_t *symbols,
                   int64_t count, float *x) {
    int64_t width = one_hot ? classes : 1;
    memset(x, 0, sizeof *x * (size_t)(length * width));
    for (int64_t t = 0; t < count; t++)
        x[t * width + (one_hot ? symbols[t] : 0)] = one_hot ? 1 : symbols[t];
}

static int text_read(const dl_dataset *dataset, int64_t i, float *x, float *y, dl_error *error) {
    const text_state *state = dataset->state;
    const uint16_t *from = state->symbols + i * state->length;
    (void)error;
    if (x)
        encode(state->one_hot, state->classes, state->length, from, state->length, x);
    for (int64_t t = 0; y && t < state->length; t++)
        y[t] = from[t + 1];
    return 0;
}

static void text_close(dl_dataset *dataset) {
    text_state *state = dataset->state;
    if (!state)
        return;
    free(state->symbols);
    free(state);
    dataset->state = NULL;
}

extern const dl_dataset_type dl_dataset_text;
const dl_dataset_type dl_dataset_text = {
    .kind = {.name = "text",
             .help = "a text, cut into stretches of equal length; the target of each step is the "
                     "symbol that comes next. For networks that learn to write",
             .size = sizeof(text_options),
             .options = options},
    .open = text_open,
    .read = text_read,
    .close = text_close,
};

/* ---- writing ---- */

static const text_options *options_of(const dl_symbols *own) {
    return own->dataset->options;
}

int dl_symbols_check(const dl_symbols *own, const char *name, dl_error *error) {
    const dl_dataset *dataset = own->dataset;
    const dl_schema *schema = own->schema;
    if (dataset->type != &dl_dataset_text)
        return dl_fail(error, DL_USAGE,
                       "%s: its data are no text (format = \"%s\"): there is nothing to write",
                       name, dataset->type->kind.name);
    int width = options_of(own)->encoding == ONE_HOT ? schema->classes : 1;
    if (schema->classes > 0 && schema->classes <= MOST_CLASSES && schema->class_names &&
        schema->input.rank == 2 && schema->outputs == schema->input.dim[0] &&
        schema->input.dim[1] == width)
        return 0;
    return dl_fail(error, DL_DATA, "%s: what it says of its data is not what a text has", name);
}

/* -1 if there is none of that name. */
static int class_named(const dl_schema *schema, const char *name) {
    for (int c = 0; c < schema->classes; c++)
        if (!strcmp(schema->class_names[c], name))
            return c;
    return -1;
}

/* Words that are not in the vocabulary are dl_unknown_word. NULL if it is not UTF-8. */
static uint16_t *read_words(const dl_symbols *own, const char *text, const char *name,
                            int64_t *count, dl_error *error) {
    const char *at = text, *end = text + strlen(text);
    char word[DL_LONGEST_WORD + 1];
    uint16_t *words = xmalloc(sizeof *words * (strlen(text) + 1));
    int length;
    *count = 0;
    while ((length = dl_word_next(&at, end, options_of(own)->lower_case, word)) > 0) {
        int class = class_named(own->schema, word);
        words[(*count)++] = (uint16_t)(class < 0 ? 0 : class);
    }
    if (!length)
        return words;
    dl_fail(error, DL_USAGE, "%s: offset %d: is not UTF-8", name, (int)(at - text));
    free(words);
    return NULL;
}

uint16_t *dl_symbols_read(const dl_symbols *own, const char *text, const char *name, int64_t *count,
                          dl_error *error) {
    const int unit = options_of(own)->unit;
    const char *at = text;
    int result = 0;
    if (unit == WORD)
        return read_words(own, text, name, count, error);
    uint16_t *symbols = xmalloc(sizeof *symbols * (strlen(text) + 1));
    for (*count = 0; *at && !result; ++*count) {
        char called[8] = "";
        int code = next_code(unit, &at), class = -1;
        if (code >= 0) {
            name_symbol(unit, code, called);
            class = class_named(own->schema, called);
        }
        if (code < 0)
            result =
                dl_fail(error, DL_USAGE, "%s: offset %d: is not UTF-8", name, (int)(at - text));
        else if (class < 0)
            result = dl_fail(error, DL_USAGE, "%s: \"%s\" does not occur in the training text",
                             name, called);
        symbols[*count] = (uint16_t) class;
    }
    if (!result)
        return symbols;
    free(symbols);
    return NULL;
}

int dl_symbols_write(const dl_symbols *own, int class, bool first, char *out) {
    const int unit = options_of(own)->unit;
    if (unit == WORD)
        return snprintf(out, DL_MOST_SYMBOL, "%s%.*s", first ? "" : " ", DL_LONGEST_WORD,
                        own->schema->class_names[class]);
    int code = symbol_named(unit, own->schema->class_names[class]);
    return code < 0 ? 0 : spell(unit, code, out);
}

void dl_symbols_encode(const dl_symbols *own, const uint16_t *symbols, int64_t count, float *x) {
    const dl_schema *schema = own->schema;
    encode(options_of(own)->encoding == ONE_HOT, schema->classes, schema->input.dim[0], symbols,
           count, x);
}

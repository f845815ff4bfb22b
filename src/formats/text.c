/* SPDX-License-Identifier: MIT */
/* Text: sample i is the T symbols (bytes, characters or words) from symbol i T on; the target of
   each step is the next symbol. Classes are the symbols of the training text, sorted by code; for
   words the most frequent ones (vocabulary.h). The text is kept in memory, two bytes per symbol. */
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
    DL_STRING_OPTION("file", text_options, file, DL_REQUIRED, "text file, plain or gzip"),
    DL_CHOICE_OPTION(
        "unit", text_options, unit, "character", units,
        "symbol: character (the text must be UTF-8), byte (any file) or word (letters, digits and "
        "inner apostrophes, or one other character; white space is skipped)"),
    DL_BOOL_OPTION("lower_case", text_options, lower_case, "false",
                   "words: convert to lower case, so that \"The\" and \"the\" are one word"),
    DL_INT_OPTION("most_words", text_options, most_words, "10000", 1, DL_MAX_WORDS,
                  "words: size of the vocabulary, the most frequent words of the training text; "
                  "all others are class 0, \"<unknown>\". The last layer needs one more output"),
    DL_INT_OPTION("length", text_options, length, "64", 1, 1 << 16,
                  "symbols per sample: how far back a recurrent network learns"),
    DL_CHOICE_OPTION("encoding", text_options, encoding, "one_hot", encodings,
                     "one_hot (one input per symbol of the vocabulary) or number (the class of the "
                     "symbol, for a layer \"embedding\"; recommended for words)"),
    DL_OPTIONS_END,
};

enum { MAX_BYTES = 1 << 30, MAX_INPUTS = 1 << 28, MAX_CLASSES = 1 << 16 };

typedef struct {
    uint16_t *symbols; /* classes of the whole text; owned */
    int64_t length;    /* of a sample */
    int classes;
    bool one_hot;
} text_state;

/* ---- symbols and their names ---- */

static int codes(int unit) {
    return unit == BYTE ? 256 : 0x110000;
}

/* The code of the next symbol; -1: invalid UTF-8. */
static int next_code(int unit, const char **at) {
    return unit == BYTE ? *(const unsigned char *)(*at)++ : dl_text_next(at);
}

/* Writes the bytes of a symbol; returns their number. */
static int encode_symbol(int unit, int code, char out[4]) {
    const unsigned c = (unsigned)code;
    if (unit == BYTE || c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    int more = 1 + (c >= 0x800) + (c >= 0x10000); /* continuation bytes */
    out[0] = (char)((0xF0u << (3 - more) & 0xFF) | c >> 6 * more);
    for (int i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (c >> 6 * (more - i) & 63));
    return more + 1;
}

/* The name of a symbol: itself, or an escape if it is not printable. */
static void name_symbol(int unit, int code, char out[8]) {
    const char *const lines = "\n\r\t", *found = code ? strchr(lines, code) : NULL;
    if (code < 128 && found)
        snprintf(out, 8, "\\%c", "nrt"[found - lines]);
    else if (code < 32 || code == 127 || (unit == BYTE && code > 127))
        snprintf(out, 8, "\\x%02X", code & 255);
    else
        out[encode_symbol(unit, code, out)] = '\0';
}

/* The symbol with this name; -1: none. */
static int symbol_named(int unit, const char *name) {
    char canonical[8];
    const char *at = name;
    int code = dl_text_next(&at);
    if (code == '\\' && *at) {
        const char *const letters = "nrt", *found = strchr(letters, *at);
        code = found ? "\n\r\t"[found - letters] : (int)strtol(at + 1, NULL, 16);
    }
    if (code < 0 || code >= codes(unit))
        return -1;
    name_symbol(unit, code, canonical);
    return strcmp(canonical, name) ? -1 : code;
}

/* ---- opening ---- */

typedef struct {
    char *path, *bytes;
    int64_t size, count; /* bytes, and symbols */
    int unit;
    int *class_of; /* [codes]: class of a symbol; -1: none */
    bool lower;
    dl_string_set words; /* of the text, then of the vocabulary by class */
} source;

static int not_utf8(const source *s, const char *at, dl_error *error) {
    return dl_fail(error, DL_DATA, "%s: offset %lld: is not UTF-8 (use unit = \"byte\")", s->path,
                   (long long)(at - s->bytes));
}

/* Counts the symbols and sets class_of to 0 for those that occur. */
static int find_symbols(source *s, dl_error *error) {
    const char *at = s->bytes, *end = s->bytes + s->size;
    for (; at < end; s->count++) {
        int code = next_code(s->unit, &at);
        if (code < 0)
            return not_utf8(s, at, error);
        s->class_of[code] = 0;
    }
    return 0;
}

/* Classes are the codes that occur, in order. */
static int make_classes(source *s, dl_schema *schema, dl_error *error) {
    int count = 0;
    for (int code = 0; code < codes(s->unit); code++)
        if (s->class_of[code] >= 0)
            s->class_of[code] = count++;
    if (count > MAX_CLASSES)
        return dl_fail(error, DL_DATA, "%s: has %d different characters; at most %d are supported",
                       s->path, count, MAX_CLASSES);
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

/* Uses the vocabulary of the training text, which must contain all symbols. */
static int use_classes(source *s, const dl_schema *like, dl_error *error) {
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

/* The vocabulary of the training text, or the most frequent words of this one. */
static int set_words(source *s, int max, const dl_schema *like, dl_schema *schema,
                     dl_error *error) {
    const char *at = s->bytes, *end = s->bytes + s->size;
    char word[DL_MAX_WORD + 1];
    int length, capacity = 0;
    int64_t *count = NULL;
    while ((length = dl_word_next(&at, end, s->lower, word)) > 0) {
        int number = dl_string_set_add(&s->words, word);
        if (number >= capacity) {
            int more = capacity ? 2 * capacity : 1024;
            count = xrealloc(count, sizeof *count * (size_t)more);
            memset(count + capacity, 0, sizeof *count * (size_t)(more - capacity));
            capacity = more;
        }
        count[number]++;
        s->count++;
    }
    if (!length && !like)
        dl_vocabulary_build(&s->words, count, max, schema);
    free(count);
    dl_string_set_free(&s->words);
    if (length < 0)
        return not_utf8(s, at, error);
    const dl_schema *from = like ? like : schema;
    if (!from->class_names || strcmp(from->class_names[0], dl_unknown_word))
        return dl_fail(error, DL_DATA, "%s: the training data is not a text of words", s->path);
    for (int c = 0; c < from->classes; c++)
        dl_string_set_add(&s->words, from->class_names[c]);
    return 0;
}

/* The class of the next symbol. */
static int next_class(const source *s, const char **at) {
    char word[DL_MAX_WORD + 1];
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
    if (like->classes < 1 || like->classes > MAX_CLASSES)
        return dl_fail(error, DL_DATA, "%s: the training data is not a text", s->path);
    if (like->input.rank == 2 && like->input.dim[0] == given->length &&
        like->input.dim[1] == width && like->outputs == given->length)
        return 0;
    char found[48], wanted[48];
    return dl_fail(error, DL_DATA, "%s: inputs are %s, but in training they are %s", dataset->where,
                   dl_shape_text(found, dl_shape2((int)given->length, width)),
                   dl_shape_text(wanted, like->input));
}

static int fill_state(dl_dataset *dataset, const source *s, dl_error *error) {
    const text_options *given = dataset->options;
    text_state *state = dataset->state;
    if (s->count <= given->length)
        return dl_fail(error, DL_DATA,
                       "%s: has %lld %s, but a sample of length %lld and the next %s need %lld",
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
    dl_sources_add(&dataset->sources, s->path, 0);
    dataset->count = (s->count - 1) / given->length;
    dataset->ordered = true;
    return 0;
}

static int set_symbols(source *s, const dl_schema *like, dl_schema *schema, dl_error *error) {
    s->class_of = xmalloc(sizeof *s->class_of * (size_t)codes(s->unit));
    memset(s->class_of, -1, sizeof *s->class_of * (size_t)codes(s->unit));
    if (find_symbols(s, error))
        return -1;
    return like ? use_classes(s, like, error) : make_classes(s, schema, error);
}

/* Stops at the memory limit, also for gzip files. */
static char *read_text(const dl_dataset *dataset, source *s, dl_error *error) {
    int64_t max = dataset->memory_most > 0 && dataset->memory_most < MAX_BYTES
                      ? dataset->memory_most
                      : MAX_BYTES;
    dl_reader *reader = dl_reader_open(s->path, DL_DATA, error);
    bool fits = reader && (!dl_reader_is_plain(reader) || dl_reader_bound(reader) == INT64_MAX ||
                           dl_dataset_fits(dataset, s->path, (double)dl_reader_bound(reader), NULL,
                                           error) == 0);
    dl_reader_close(reader);
    if (!fits)
        return NULL;
    dl_error fault = {0};
    char *bytes = dl_file_read(s->path, max, &s->size, DL_DATA, &fault);
    char text[32];
    if (!bytes && s->size > max && max < MAX_BYTES)
        dl_fail(error, DL_DATA, "%s: needs more memory than the limit of %s (data.memory_limit)",
                s->path, dl_text_bytes(text, (double)max));
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
    if (s->unit == WORD ? set_words(s, (int)given->most_words, like, schema, error)
                        : set_symbols(s, like, schema, error))
        return -1;
    if (like)
        *schema = dl_schema_copy(like);
    int width = given->encoding == ONE_HOT ? schema->classes : 1;
    if (given->length * width > MAX_INPUTS)
        return dl_fail(error, DL_DATA, "%s: %lld steps of %d inputs are too many", dataset->where,
                       (long long)given->length, width);
    schema->input = dl_shape2((int)given->length, width);
    schema->outputs = (int)given->length;
    return fill_state(dataset, s, error);
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

/* x[length][classes], or x[length]; zero after the symbols. */
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
    dl_sources_free(&dataset->sources);
    if (!state)
        return;
    free(state->symbols);
    free(state);
    dataset->state = NULL;
}

extern const dl_dataset_type dl_dataset_text;
const dl_dataset_type dl_dataset_text = {
    .kind = {.name = "text",
             .help = "text, divided into samples of equal length; the target of each step is the "
                     "next symbol. For language models",
             .size = sizeof(text_options),
             .options = options},
    .open = text_open,
    .read = text_read,
    .close = text_close,
};

/* ---- symbols for generation ---- */

static const text_options *options_of(const dl_symbols *self) {
    return self->dataset->options;
}

int dl_symbols_check(const dl_symbols *self, const char *name, dl_error *error) {
    const dl_dataset *dataset = self->dataset;
    const dl_schema *schema = self->schema;
    if (dataset->type != &dl_dataset_text)
        return dl_fail(error, DL_USAGE,
                       "%s: its data is not text (format = \"%s\"), so it cannot generate any",
                       name, dataset->type->kind.name);
    int width = options_of(self)->encoding == ONE_HOT ? schema->classes : 1;
    if (schema->classes > 0 && schema->classes <= MAX_CLASSES && schema->class_names &&
        schema->input.rank == 2 && schema->outputs == schema->input.dim[0] &&
        schema->input.dim[1] == width)
        return 0;
    return dl_fail(error, DL_DATA, "%s: its data schema is not that of a text", name);
}

/* -1: none. */
static int class_named(const dl_schema *schema, const char *name) {
    for (int c = 0; c < schema->classes; c++)
        if (!strcmp(schema->class_names[c], name))
            return c;
    return -1;
}

/* Unknown words become dl_unknown_word. NULL and an error if it is not UTF-8. */
static uint16_t *read_words(const dl_symbols *self, const char *text, const char *name,
                            int64_t *count, dl_error *error) {
    const char *at = text, *end = text + strlen(text);
    char word[DL_MAX_WORD + 1];
    uint16_t *words = xmalloc(sizeof *words * (strlen(text) + 1));
    int length;
    *count = 0;
    while ((length = dl_word_next(&at, end, options_of(self)->lower_case, word)) > 0) {
        int class = class_named(self->schema, word);
        words[(*count)++] = (uint16_t)(class < 0 ? 0 : class);
    }
    if (!length)
        return words;
    dl_fail(error, DL_USAGE, "%s: offset %d: is not UTF-8", name, (int)(at - text));
    free(words);
    return NULL;
}

uint16_t *dl_symbols_read(const dl_symbols *self, const char *text, const char *name,
                          int64_t *count, dl_error *error) {
    const int unit = options_of(self)->unit;
    const char *at = text;
    int result = 0;
    if (unit == WORD)
        return read_words(self, text, name, count, error);
    uint16_t *symbols = xmalloc(sizeof *symbols * (strlen(text) + 1));
    for (*count = 0; *at && !result; ++*count) {
        char symbol[8] = "";
        int code = next_code(unit, &at), class = -1;
        if (code >= 0) {
            name_symbol(unit, code, symbol);
            class = class_named(self->schema, symbol);
        }
        if (code < 0)
            result =
                dl_fail(error, DL_USAGE, "%s: offset %d: is not UTF-8", name, (int)(at - text));
        else if (class < 0)
            result = dl_fail(error, DL_USAGE, "%s: \"%s\" does not occur in the training text",
                             name, symbol);
        symbols[*count] = (uint16_t) class;
    }
    if (!result)
        return symbols;
    free(symbols);
    return NULL;
}

int dl_symbols_write(const dl_symbols *self, int class, bool first, char *out) {
    const int unit = options_of(self)->unit;
    if (unit == WORD)
        return snprintf(out, DL_MAX_SYMBOL, "%s%.*s", first ? "" : " ", DL_MAX_WORD,
                        self->schema->class_names[class]);
    int code = symbol_named(unit, self->schema->class_names[class]);
    return code < 0 ? 0 : encode_symbol(unit, code, out);
}

void dl_symbols_encode(const dl_symbols *self, const uint16_t *symbols, int64_t count, float *x) {
    const dl_schema *schema = self->schema;
    encode(options_of(self)->encoding == ONE_HOT, schema->classes, schema->input.dim[0], symbols,
           count, x);
}

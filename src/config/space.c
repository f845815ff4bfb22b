/* SPDX-License-Identifier: MIT */
/* The value sampled at path p with seed s: u in [0, 1) by Philox from counter hash(p) and key s,
   then

       linear  low + u (high - low)
       log     low (high / low)^u: log-uniform
       int     low + floor(u (high - low + 1))
       choice  values[floor(u n)]

   Random search: Bergstra and Bengio, "Random search for hyper-parameter optimization", 2012. */
#include "config/space.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

typedef struct {
    const dl_kind *kind;
    double low, high;
    int64_t min, max; /* of "int" */
    int64_t steps;    /* 0: not given */
    config_setting_t *values;
} search;

#define STEPS                                                                                      \
    DL_INT_OPTION("steps", search, steps, DL_NO_DEFAULT, 1, 1e6,                                   \
                  "number of grid points, from low to high")

static const dl_option real_options[] = {
    DL_FLOAT_OPTION("low", search, low, DL_REQUIRED, 0, 0, "smallest value"),
    DL_FLOAT_OPTION("high", search, high, DL_REQUIRED, 0, 0, "largest value"),
    STEPS,
    DL_OPTIONS_END,
};
static const dl_option int_options[] = {
    DL_INT_OPTION("low", search, min, DL_REQUIRED, -9e15, 9e15, "smallest value"),
    DL_INT_OPTION("high", search, max, DL_REQUIRED, -9e15, 9e15, "largest value"),
    STEPS,
    DL_OPTIONS_END,
};
static const dl_option choice_options[] = {
    DL_SETTING_OPTION("values", search, values, DL_REQUIRED,
                      "list of values: (16, 32, \"all\"); also groups such as layers or "
                      "optimizers, which may contain searches"),
    DL_OPTIONS_END,
};

static const dl_kind log_search = {"log", "a log-uniform number: learning rates, penalties",
                                   sizeof(search), real_options};
static const dl_kind linear_search = {"linear", "a uniform number: dropout rates, momentum",
                                      sizeof(search), real_options};
static const dl_kind int_search = {"int", "an integer of a range: units, layers (`repeat`)",
                                   sizeof(search), int_options};
static const dl_kind choice_search = {"choice", "one of a list of values of any type",
                                      sizeof(search), choice_options};

static const dl_kind *const kinds[] = {&log_search, &linear_search, &int_search, &choice_search};
const dl_registry dl_search_registry = {"search", "searches", "search",
                                        sizeof kinds / sizeof *kinds, kinds};

static bool is_search(const config_setting_t *setting) {
    return config_setting_is_group(setting) && config_setting_get_member(setting, "search");
}

static config_setting_t *element(const config_setting_t *setting, int index) {
    return config_setting_get_elem(setting, (unsigned)index);
}

static int element_count(const config_setting_t *setting) {
    return config_setting_is_aggregate(setting) ? config_setting_length(setting) : 0;
}

/* ---- reading ---- */

static int read_search(dl_config *space, config_setting_t *group, search *s, dl_error *error) {
    *s = (search){.kind = dl_config_choose(space, group, &dl_search_registry, NULL, error)};
    if (!s->kind)
        return -1;
    const char *word = NULL;
    const dl_option key_option[] = {{"search", DL_STRING, 0, NULL, 0, 0, NULL, ""}, DL_OPTIONS_END};
    dl_table tables[] = {{key_option, &word}, {s->kind->options, s}};
    const char *what = dl_arena_printf(&space->arena, "search \"%s\"", s->kind->name);
    return dl_config_read(space, group, NULL, what, tables, 2, error);
}

static const char *where_of(dl_config *space, const config_setting_t *group, const char *key) {
    const config_setting_t *member = config_setting_get_member(group, key);
    return dl_config_where(space, member ? member : group);
}

static int check_choice(dl_config *space, const config_setting_t *group, const search *s,
                        dl_error *error) {
    const char *where = where_of(space, group, "values");
    if (!config_setting_is_list(s->values) && !config_setting_is_array(s->values))
        return dl_fail(error, DL_USAGE, "%s: \"values\" must be a list: (1, 2)", where);
    if (!config_setting_length(s->values))
        return dl_fail(error, DL_USAGE, "%s: \"values\" is empty: there is nothing to choose from",
                       where);
    return 0;
}

static int check_search(dl_config *space, config_setting_t *group, dl_error *error) {
    search s;
    if (read_search(space, group, &s, error))
        return -1;
    if (s.kind == &choice_search)
        return check_choice(space, group, &s, error);
    bool whole = s.kind == &int_search;
    double low = whole ? (double)s.min : s.low, high = whole ? (double)s.max : s.high;
    if (s.kind == &log_search && low <= 0)
        return dl_fail(error, DL_USAGE,
                       "%s: \"low\" is %.15g, but search = \"log\" needs a positive number "
                       "(\"linear\" does not)",
                       where_of(space, group, "low"), low);
    if (low >= high)
        return dl_fail(error, DL_USAGE,
                       "%s: \"low\" is %.15g, but must be less than \"high\", %.15g",
                       where_of(space, group, "low"), low, high);
    if (whole && (double)s.steps > high - low + 1)
        return dl_fail(error, DL_USAGE,
                       "%s: \"steps\" is %lld, but there are %.15g integers from %.15g to %.15g",
                       where_of(space, group, "steps"), (long long)s.steps, high - low + 1, low,
                       high);
    return 0;
}

static int check_setting(dl_config *space, config_setting_t *setting, dl_error *error) {
    int result = is_search(setting) ? check_search(space, setting, error) : 0;
    for (int i = 0; i < element_count(setting); i++)
        result |= check_setting(space, element(setting, i), error);
    return result;
}

int dl_space_check(dl_config *space, dl_error *error) {
    int result = check_setting(space, config_root_setting(&space->tree), error);
    dl_error_sort(error);
    return result;
}

static const config_setting_t *find(const config_setting_t *setting) {
    const config_setting_t *found = is_search(setting) ? setting : NULL;
    for (int i = 0; i < element_count(setting) && !found; i++)
        found = find(element(setting, i));
    return found;
}

const config_setting_t *dl_space_find(const dl_config *config) {
    return find(config_root_setting(&config->tree));
}

/* ---- counting ---- */

typedef struct {
    dl_config *space, *config;
    dl_space_mode mode;
    uint64_t seed;
    dl_error *error;
} resolver;

static const int64_t MAX_COUNT = (int64_t)1 << 40; /* counts saturate here */

static int64_t count_of(const resolver *r, config_setting_t *setting);

static int64_t count_range(const resolver *r, const config_setting_t *group, const search *s) {
    if (r->mode == DL_SPACE_COVER)
        return 2;
    if (!s->steps)
        dl_fail(r->error, DL_USAGE,
                "%s: \"%s\" has no steps: a grid needs the number of points (steps = 3)",
                dl_config_where(r->space, group),
                config_setting_name(group) ? config_setting_name(group) : "a searched value");
    return s->steps;
}

/* A grid combines the values of all elements; DL_SPACE_COVER does not. */
static int64_t count_of(const resolver *r, config_setting_t *setting) {
    search s;
    int64_t count = 1;
    if (is_search(setting)) {
        read_search(r->space, setting, &s, r->error);
        if (s.kind != &choice_search)
            return count_range(r, setting, &s);
        count = 0;
        for (int i = 0; i < element_count(s.values); i++)
            count += count_of(r, element(s.values, i));
        return count < MAX_COUNT ? count : MAX_COUNT;
    }
    for (int i = 0; i < element_count(setting); i++) {
        int64_t own = count_of(r, element(setting, i));
        if (r->mode == DL_SPACE_COVER)
            count = own > count ? own : count;
        else if (!dl_multiply(count, own, &count) || count > MAX_COUNT)
            count = MAX_COUNT;
    }
    return count;
}

int64_t dl_space_count(dl_config *space, dl_space_mode mode, dl_error *error) {
    resolver r = {.space = space, .mode = mode, .error = error};
    return count_of(&r, config_root_setting(&space->tree));
}

/* ---- choosing ---- */

static uint64_t hash(const char *path) { /* FNV-1a */
    uint64_t value = 14695981039346656037u;
    for (; *path; path++)
        value = (value ^ (unsigned char)*path) * 1099511628211u;
    return value;
}

/* In [0, 1), 53 bits. */
static double draw(const resolver *r, const char *path) {
    uint64_t key = hash(path);
    dl_draw at = {.seed = r->seed,
                  .purpose = DL_FOR_SEARCH,
                  .epoch = (uint32_t)(key >> 32),
                  .step = (uint32_t)key};
    uint32_t words[4];
    dl_random_words(&at, 0, words);
    return (double)(((uint64_t)words[0] << 21) | (words[1] >> 11)) * 0x1p-53;
}

/* The position in the range, in [0, 1]. The upper end of a real range is included in a grid only:
   without steps it is never drawn, and DL_SPACE_COVER uses the number just below it. */
static double fraction(const resolver *r, const search *s, const char *path, int64_t index) {
    if (r->mode == DL_SPACE_SAMPLE)
        return draw(r, path);
    int64_t points = r->mode == DL_SPACE_COVER ? 2 : s->steps;
    double u = points > 1 ? (double)(index % points) / (double)(points - 1) : 0;
    bool drawn = r->mode == DL_SPACE_COVER && !s->steps && s->kind != &int_search;
    return drawn ? fmin(u, nextafter(1, 0)) : u;
}

/* Rounded to 6 digits, but kept below an excluded upper end (u < 1) by a millionth of the range. */
static double real_value(const search *s, double u) {
    char digits[32];
    double value = s->kind == &log_search ? exp(log(s->low) + u * (log(s->high) - log(s->low)))
                                          : s->low + u * (s->high - s->low);
    snprintf(digits, sizeof digits, "%.6g", value);
    double max = u < 1 ? s->high - 1e-6 * (s->high - s->low) : s->high;
    return fmin(fmax(strtod(digits, NULL), s->low), max);
}

static int64_t whole_value(const resolver *r, const search *s, double u) {
    double span = (double)(s->max - s->min);
    int64_t value = s->min + (int64_t)(r->mode == DL_SPACE_SAMPLE ? floor(u * (span + 1))
                                                                  : floor(u * span + 0.5));
    return value > s->max ? s->max : value;
}

/* File and line for error messages. */
static void copy_position(const resolver *r, config_setting_t *made, const config_setting_t *from) {
    const char *hook = config_setting_get_hook(from), *file = config_setting_source_file(from);
    made->line = config_setting_source_line(from);
    made->file = file ? dl_arena_strdup(&r->config->arena, file) : NULL;
    if (hook)
        config_setting_set_hook(made, dl_arena_strdup(&r->config->arena, hook));
}

static void add_number(const resolver *r, config_setting_t *to, const char *name, const search *s,
                       const config_setting_t *group, double u) {
    config_setting_t *made;
    if (s->kind != &int_search) {
        made = dl_config_add(to, name, CONFIG_TYPE_FLOAT);
        config_setting_set_float(made, real_value(s, u));
    } else {
        int64_t value = whole_value(r, s, u);
        bool small = value >= INT32_MIN && value <= INT32_MAX;
        made = dl_config_add(to, name, small ? CONFIG_TYPE_INT : CONFIG_TYPE_INT64);
        if (small)
            config_setting_set_int(made, (int)value);
        else
            config_setting_set_int64(made, value);
    }
    copy_position(r, made, group);
}

static void add(const resolver *r, config_setting_t *to, const char *name, config_setting_t *from,
                const char *path, int64_t index);

/* `index` counts the configs of all values in order. */
static void add_choice(const resolver *r, config_setting_t *to, const char *name, const search *s,
                       const char *path, int64_t index) {
    int count = element_count(s->values), chosen = 0;
    if (r->mode == DL_SPACE_SAMPLE)
        chosen = (int)(draw(r, path) * count);
    else
        for (int64_t own; chosen + 1 < count; index -= own, chosen++)
            if (index < (own = count_of(r, element(s->values, chosen))))
                break;
    add(r, to, name, element(s->values, chosen), path, index);
}

/* `index` is a mixed-radix number, one digit per element. */
static void add_parts(const resolver *r, config_setting_t *to, config_setting_t *from,
                      const char *path, int64_t index) {
    for (int i = 0; i < element_count(from); i++) {
        config_setting_t *own = element(from, i);
        const char *name = config_setting_name(own), *dot = *path ? "." : "";
        dl_text below = {0};
        if (name)
            dl_text_add(&below, "%s%s%s", path, dot, name);
        else
            dl_text_add(&below, "%s%s%d", path, dot, i);
        int64_t count = r->mode == DL_SPACE_SAMPLE ? 1 : count_of(r, own);
        add(r, to, name, own, below.data, index % count);
        if (r->mode == DL_SPACE_POINT)
            index /= count;
        dl_text_free(&below);
    }
}

static void add(const resolver *r, config_setting_t *to, const char *name, config_setting_t *from,
                const char *path, int64_t index) {
    search s;
    if (!is_search(from)) {
        config_setting_t *made = dl_config_add(to, name, config_setting_type(from));
        copy_position(r, made, from);
        if (config_setting_is_aggregate(from))
            add_parts(r, made, from, path, index);
        else
            dl_config_copy(made, from);
        return;
    }
    read_search(r->space, from, &s, r->error);
    if (s.kind == &choice_search)
        add_choice(r, to, name, &s, path, index);
    else
        add_number(r, to, name, &s, from, fraction(r, &s, path, index));
}

int dl_space_resolve(dl_config *config, dl_config *space, dl_space_mode mode, uint64_t number,
                     dl_error *error) {
    if (dl_config_parse(config, space->name, "", error))
        return -1;
    resolver r = {.space = space, .config = config, .mode = mode, .error = error};
    r.seed = mode == DL_SPACE_SAMPLE ? number : 0;
    config_setting_t *to = config_root_setting(&config->tree);
    add_parts(&r, to, config_root_setting(&space->tree), "",
              mode == DL_SPACE_SAMPLE ? 0 : (int64_t)number);
    return 0;
}

/* ---- listing ---- */

static void walk(config_setting_t *setting, const char *path,
                 void (*visit)(void *, const char *, config_setting_t *), void *context) {
    bool searched = is_search(setting);
    config_setting_t *inner = searched ? config_setting_get_member(setting, "values") : setting;
    if (searched)
        visit(context, path, setting);
    for (int i = 0; inner && i < element_count(inner); i++) {
        config_setting_t *own = element(inner, i);
        const char *name = config_setting_name(own), *dot = *path ? "." : "";
        dl_text below = {0};
        if (searched) /* a value has the path of the choice */
            dl_text_add(&below, "%s", path);
        else if (name)
            dl_text_add(&below, "%s%s%s", path, dot, name);
        else
            dl_text_add(&below, "%s%s%d", path, dot, i);
        walk(own, dl_text_get(&below), visit, context);
        dl_text_free(&below);
    }
}

void dl_space_walk(const dl_config *space,
                   void (*visit)(void *context, const char *path, config_setting_t *group),
                   void *context) {
    walk(config_root_setting(&space->tree), "", visit, context);
}

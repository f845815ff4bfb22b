/* SPDX-License-Identifier: MIT */
/* From operands to parts: what a file is, its first bytes say. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/tar.h"
#include "library/inputs.h"

enum { HEAD = 512, MOST_BYTES = 1 << 28 };

static const char *trained_on(const dltrain_inputs *in) {
    return in->net->member[0].model.data.dataset[DL_TRAIN].type->kind.name;
}

static input_part *add_part(dltrain_inputs *in, part_kind kind, const char *path) {
    in->part = xrealloc(in->part, sizeof *in->part * (size_t)(in->part_count + 1));
    input_part *part = &in->part[in->part_count++];
    *part = (input_part){.kind = kind, .path = xstrdup(path)};
    return part;
}

/* Takes over `picture`, which continues the last part if that has pictures, too. */
static void add_picture(dltrain_inputs *in, input_picture picture, int archive) {
    input_part *part = in->part_count ? &in->part[in->part_count - 1] : NULL;
    if (!part || part->kind != PART_PICTURES || part->archive != archive) {
        part = add_part(in, PART_PICTURES, picture.name);
        part->archive = archive;
    }
    if (part->count == part->room) {
        part->room = part->room ? 2 * part->room : 64;
        part->picture = xrealloc(part->picture, sizeof *part->picture * (size_t)part->room);
    }
    part->picture[part->count++] = picture;
}

static void add_file(dltrain_inputs *in, const char *path) {
    add_picture(in, (input_picture){.name = xstrdup(path), .path = xstrdup(path)}, 0);
}

/* ---- folders ---- */

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* All pictures below the folder, in the order of their names. */
static int add_folder(dltrain_inputs *in, const char *path, int depth, int64_t *found) {
    enum { DEEPEST = 64 };
    struct dirent **entry;
    int count = scandir(path, &entry, NULL, by_bytes), result = 0;
    if (count < 0)
        return dl_fail(&in->net->error, DL_DATA, "%s: %s", path, strerror(errno));
    for (int i = 0; i < count; i++) {
        const char *name = entry[i]->d_name;
        char *full = dl_path_join(path, name);
        bool self = !strcmp(name, ".") || !strcmp(name, "..");
        if (name[0] == '.' && !self) {
            dl_omissions_add(&in->omissions, DL_OMITTED_HIDDEN, full);
        } else if (!self && dl_file_is_folder(full)) {
            if (depth < DEEPEST)
                result |= add_folder(in, full, depth + 1, found);
        } else if (!self && !dl_image_is_named(name)) {
            dl_omissions_add(&in->omissions, DL_OMITTED_ENDING, full);
        } else if (!self) {
            add_file(in, full);
            ++*found;
        }
        free(full);
        free(entry[i]);
    }
    free(entry);
    return result;
}

/* ---- tar ---- */

static int add_tar(dltrain_inputs *in, const char *path, dl_reader *reader) {
    dl_tar tar;
    dl_tar_member m;
    dl_error *error = &in->net->error;
    int more, archive = dl_reader_is_plain(reader) ? open(path, O_RDONLY | O_CLOEXEC) : 0;
    dl_tar_open(&tar, reader, path);
    while ((more = dl_tar_next(&tar, &m, error)) > 0) {
        bool file = m.type == '0' || !m.type, named = dl_image_is_named(m.name);
        if (!file || !named || dl_path_base(m.name)[0] == '.') {
            if (file)
                dl_omissions_add(&in->omissions, named ? DL_OMITTED_HIDDEN : DL_OMITTED_ENDING,
                                 m.name);
            free(m.bytes);
            continue;
        }
        input_picture picture = {
            .name = xstrdup(m.name), .bytes = m.bytes, .count = m.size, .offset = m.offset};
        if (archive > 0) { /* read again when it is wanted */
            free(m.bytes);
            picture.bytes = NULL;
        }
        add_picture(in, picture, archive > 0 ? archive : 0);
    }
    dl_tar_close(&tar);
    return more;
}

/* ---- tables of pictures, as of the format image_list ---- */

static int column_of(const dl_csv_reader *csv, const char *name, bool header) {
    for (int i = 0; header && i < csv->fields; i++)
        if (!strcmp(csv->field[i], name))
            return i;
    char *end;
    long number = strtol(name, &end, 10);
    return *name && !*end && number >= 1 && number <= csv->fields ? (int)number - 1 : -1;
}

static int add_table_of_pictures(dltrain_inputs *in, const char *path) {
    const dl_dataset *dataset = &in->net->member[0].model.data.dataset[DL_TRAIN];
    const char *name = *(const char **)net_format_option(dataset, "path");
    const char *delimiter = *(const char **)net_format_option(dataset, "delimiter");
    bool header = *(bool *)net_format_option(dataset, "header");
    dl_error *error = &in->net->error;
    char *folder = xstrdup(path);
    folder[dl_path_base(path) - path] = '\0';
    dl_csv_reader csv = {0};
    int result = dl_csv_open(&csv, path, strlen(delimiter) == 1 ? *delimiter : '\t', error);
    int got = 1, at = -1;
    for (bool first = true; !result && (got = dl_csv_next(&csv, error)) > 0; first = false) {
        if (first && (at = column_of(&csv, name, header)) < 0)
            result = dl_fail(error, DL_DATA, "%s: has no column \"%s\" of pictures", path, name);
        if (result || (first && header))
            continue;
        char *file = dl_path_join(folder, at < csv.fields ? csv.field[at] : "");
        add_file(in, file);
        free(file);
    }
    dl_csv_close(&csv);
    free(folder);
    return result || got < 0 ? -1 : 0;
}

/* ---- files ---- */

static bool is_picture(const unsigned char *b) {
    static const char *const heads[] = {"\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF87a", "GIF89a",
                                        "BM"};
    bool pnm = b[0] == 'P' && b[1] >= '1' && b[1] <= '6' && strchr(" \t\r\n", b[2]) && b[2];
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (!memcmp(b, heads[i], strlen(heads[i])) && (i < 4 || (!b[6] && !b[7])))
            return true;
    return pnm;
}

static bool is_idx(const unsigned char *b) {
    return !b[0] && !b[1] && strchr("\x08\x09\x0b\x0c\x0d\x0e", b[2]) && b[2] && b[3] && b[3] <= 4;
}

static void add_arrays(dltrain_inputs *in, const char *path, const char *format) {
    add_part(in, PART_ARRAYS, path)->kind_of_arrays =
        dl_registry_find(&dl_dataset_registry, format);
}

static int add_by_head(dltrain_inputs *in, const char *path, const unsigned char *head) {
    const char *trained = trained_on(in);
    bool list = !strcmp(trained, "image_list");
    if (!memcmp(head + 257, "ustar", 5)) {
        dl_reader *again = dl_reader_open(path, DL_DATA, &in->net->error);
        int result = again ? add_tar(in, path, again) : -1;
        dl_reader_close(again);
        return result;
    }
    if (!memcmp(head, "\x93NUMPY", 6))
        add_arrays(in, path, "npy");
    else if (!memcmp(head, "PK\3\4", 4))
        add_arrays(in, path, "npz");
    else if (is_idx(head))
        add_arrays(in, path, "idx");
    else if (is_picture(head))
        add_file(in, path);
    else if (!strcmp(trained, "text") || !strcmp(trained, "cifar"))
        add_arrays(in, path, trained);
    else if (list && head[0] != '{')
        return add_table_of_pictures(in, path);
    else
        add_part(in, PART_TABLE, path)->json = head[0] == '{' || head[0] == '[';
    return 0;
}

static int add_any_file(dltrain_inputs *in, const char *path) {
    unsigned char head[HEAD + 1] = {0};
    dl_error *error = &in->net->error;
    dl_reader *reader = dl_reader_open(path, DL_DATA, error);
    int64_t got = reader ? dl_reader_read(reader, head, HEAD, error) : -1;
    int result = got < 0    ? -1
                 : got == 0 ? dl_fail(error, DL_DATA, "%s: is empty", path)
                            : add_by_head(in, path, head);
    dl_reader_close(reader);
    return result;
}

/* ---- standard input ---- */

/* The whole of a stream; the caller frees it. NULL and an error. */
static char *read_to_end(dl_reader *reader, int64_t *count, dl_error *error) {
    int64_t room = 1 << 16, got;
    char *bytes = xmalloc((size_t)room + 1);
    *count = 0;
    while ((got = dl_reader_read(reader, bytes + *count, room - *count, error)) > 0) {
        *count += got;
        if (*count == room && room < MOST_BYTES)
            bytes = xrealloc(bytes, (size_t)(room *= 2) + 1);
        else if (*count == room)
            got = dl_fail(error, DL_DATA, "standard input: is larger than %d bytes", MOST_BYTES);
        if (got < 0)
            break;
    }
    if (got >= 0)
        return bytes;
    free(bytes);
    return NULL;
}

static int add_standard_input(dltrain_inputs *in) {
    char head[DL_READER_PEEK + 1] = "";
    if (!strcmp(trained_on(in), "text")) {
        add_arrays(in, "/dev/stdin", "text");
        return 0;
    }
    in->standard = dl_reader_open_stream(STDIN_FILENO, "standard input", DL_DATA);
    if (in->options.raw_height) {
        add_part(in, PART_FRAMES, "standard input");
        return 0;
    }
    if (dl_reader_peek(in->standard, head, &in->net->error) < 0)
        return -1;
    if (!is_picture((const unsigned char *)head)) {
        add_part(in, PART_TABLE, "standard input")->json = head[0] == '{' || head[0] == '[';
        return 0;
    }
    input_picture picture = {.name = NULL};
    picture.bytes = read_to_end(in->standard, &picture.count, &in->net->error);
    if (!picture.bytes)
        return -1;
    picture.name = xstrdup("-");
    add_picture(in, picture, 0);
    return 0;
}

/* ---- all ---- */

static int add_operand(dltrain_inputs *in, const char *path) {
    int64_t found = 0;
    if (!strcmp(path, "-"))
        return in->standard ? dl_fail(&in->net->error, DL_USAGE, "- can only be read once")
                            : add_standard_input(in);
    if (dl_file_is_folder(path)) {
        if (add_folder(in, path, 0, &found))
            return -1;
        return found ? 0
                     : dl_fail(&in->net->error, DL_DATA, "%s: there are no pictures in it", path);
    }
    if (dl_image_is_named(path)) {
        add_file(in, path);
        return 0;
    }
    return add_any_file(in, path);
}

int inputs_list(dltrain_inputs *in) {
    int result = 0;
    for (int i = 0; i < in->options.path_count; i++) {
        const char *path = in->options.paths[i];
        glob_t matches;
        bool pattern = strpbrk(path, "*?[") && !dl_file_exists(path);
        if (!pattern) {
            result |= add_operand(in, path);
        } else if (glob(path, 0, NULL, &matches)) {
            result = dl_fail(&in->net->error, DL_DATA, "%s: no file matches", path);
        } else {
            for (size_t k = 0; k < matches.gl_pathc; k++)
                result |= add_operand(in, matches.gl_pathv[k]);
            globfree(&matches);
        }
    }
    dl_omissions_report(&in->omissions, "inputs", &in->skipped);
    if (!result && !in->part_count)
        result = dl_fail(&in->net->error, DL_DATA, "%s: there are no pictures in it",
                         in->options.path_count ? in->options.paths[0] : "no input was given");
    return result;
}

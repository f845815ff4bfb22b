/* SPDX-License-Identifier: MIT */
/* The targets, the scratch folder that they write to, and what libFuzzer calls. */
#include "fuzz.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

const fuzz_target fuzz_targets[] = {
    {"idx", fuzz_idx},
    {"csv", fuzz_csv},
    {"cifar", fuzz_cifar},
    {"image_list", fuzz_image_list},
    {"npy", fuzz_npy},
    {"image_tar", fuzz_image_tar},
    {"npz", fuzz_npz},
    {"text", fuzz_text},
    {"image", fuzz_image},
    {"config", fuzz_config},
    {"history", fuzz_history},
    {"checkpoint", fuzz_checkpoint},
    {"weights_csv", fuzz_weights_csv},
    {"weights_npz", fuzz_weights_npz},
    {"onnx", fuzz_onnx},
    {NULL, NULL},
};

const fuzz_target *fuzz_find(const char *name) {
    for (const fuzz_target *target = fuzz_targets; target->name; target++)
        if (!strcmp(target->name, name))
            return target;
    return NULL;
}

/* ---- scratch ---- */

static char scratch[256];

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *place) {
    (void)info, (void)type, (void)place;
    return remove(path);
}

static void remove_scratch(void) {
    nftw(scratch, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_scratch(void) {
    const char *temporary = getenv("TMPDIR");
    bool memory = access("/dev/shm", W_OK) == 0;
    snprintf(scratch, sizeof scratch, "%s/dltrain-fuzz-XXXXXX",
             memory                    ? "/dev/shm"
             : temporary && *temporary ? temporary
                                       : P_tmpdir);
    if (!mkdtemp(scratch)) {
        perror(scratch);
        exit(1);
    }
    atexit(remove_scratch);
}

char *fuzz_path(const char *name) {
    if (!scratch[0])
        make_scratch();
    return dl_path_join(scratch, name);
}

void fuzz_save(const char *name, const void *bytes, size_t count) {
    char *path = fuzz_path(name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, count, file) != count || fclose(file)) {
        perror(path);
        exit(1);
    }
    free(path);
}

/* ---- findings ---- */

void fuzz_finding(const char *what, const dl_error *error) {
    fprintf(stderr, "finding: %s\n%s\n", what, error ? dl_text_get(&error->text) : "");
    remove_scratch();
    abort();
}

bool fuzz_verbose;

void fuzz_check(int result, dl_error *error) {
    if (result && !error->count)
        fuzz_finding("a failure without a word", error);
    if (!result && error->count)
        fuzz_finding("an error, but it went well", error);
    if (result && error->code != DL_DATA && error->code != DL_USAGE)
        fuzz_finding("the exit code is not one of a file's faults", error);
    if (result && fuzz_verbose)
        fprintf(stderr, "  refused: %s\n", dl_text_get(&error->text));
    dl_error_clear(error);
}

/* ---- sanitizers and libFuzzer ---- */

/* libconfig 1.5 forgets a string that stood where it stops at a mistake; the program ends then. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libconfig.so";
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t count) {
    static const fuzz_target *target;
    if (!target) {
        const char *name = getenv("DL_FUZZ");
        target = fuzz_find(name ? name : "");
    }
    if (!target) {
        fprintf(stderr, "DL_FUZZ must be the name of a target\n");
        exit(1);
    }
    target->run(input, count);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Raw frames in, classes out: frames RUN < frames. Compile with
   cc frames.c $(pkg-config --cflags --libs dltrain) */
#include <dltrain.h>
#include <stdio.h>
#include <stdlib.h>

static int answer_frames(dltrain_net *net) {
    const dltrain_info *info = dltrain_describe(net);
    unsigned char *frame = malloc(info->input_size);
    float *out = malloc(sizeof *out * info->output_size);
    int status = frame && out && info->kind == DLTRAIN_CLASSES ? DLTRAIN_OK : DLTRAIN_USAGE;
    while (!status && fread(frame, 1, info->input_size, stdin) == info->input_size) {
        status = dltrain_run_bytes(net, frame, 1, out);
        int class = dltrain_class(net, out);
        if (!status)
            printf("%s %.9g\n", info->class_names[class], (double)out[class]);
    }
    free(frame);
    free(out);
    return status;
}

int main(int argc, char **argv) {
    dltrain_net *net = NULL;
    int status = DLTRAIN_USAGE;
    if (argc == 2)
        status = dltrain_open(argv[1], NULL, &net);
    if (!status)
        status = answer_frames(net);
    if (status)
        fprintf(stderr, "frames: %s\n", net ? dltrain_error(net) : "usage: frames RUN < frames");
    dltrain_close(net);
    return status;
}

/* SPDX-License-Identifier: MIT */
/* Raw frames on standard input, height x width x channels bytes each. */
#include <stdlib.h>
#include <string.h>

#include "base/terminal.h"
#include "data/targets.h"
#include "library/inputs.h"

/* Luma (Rec. ITU-R BT.601) as stb_image computes it, or the same gray in all channels. */
static void convert(const unsigned char *from, int channels, int64_t pixels, int wanted,
                    unsigned char *to) {
    for (int64_t p = 0; p < pixels; p++, from += channels)
        for (int c = 0; c < wanted; c++, to++)
            *to = channels == wanted ? from[c]
                  : wanted == 1
                      ? (unsigned char)((from[0] * 77 + from[1] * 150 + from[2] * 29) >> 8)
                      : from[0];
}

static int64_t frame_size(const dltrain_inputs *in) {
    const dltrain_input_options *o = &in->options;
    return (int64_t)o->raw_height * o->raw_width * o->raw_channels;
}

/* 1: a frame, 0: the end; -1 and an error. */
static int read_frame(dltrain_inputs *in, unsigned char *frame) {
    int64_t size = frame_size(in), done = 0, got = 1;
    while (done < size && got > 0) {
        got = dl_reader_read(in->standard, frame + done, size - done, &in->net->error);
        done += got > 0 ? got : 0;
    }
    if (got < 0 || !done)
        return got < 0 ? -1 : 0;
    return done == size ? 1
                        : dl_fail(&in->net->error, DL_DATA,
                                  "standard input: frame %lld is cut short: it has %lld of %lld "
                                  "bytes",
                                  in->frames, (long long)done, (long long)size);
}

static int set_input(dltrain_inputs *in, net_member *m, const unsigned char *frame,
                     unsigned char *scratch) {
    const dltrain_input_options *o = &in->options;
    dl_image_form form;
    if (inputs_form(in, m, &form, &in->net->error))
        return -1;
    int64_t size = dl_shape_size(form.shape);
    unsigned char *own = xmalloc((size_t)size);
    int wanted = form.shape.dim[2];
    const unsigned char *pixels = frame;
    if (wanted != o->raw_channels) {
        convert(frame, o->raw_channels, (int64_t)o->raw_height * o->raw_width, wanted, scratch);
        pixels = scratch;
    }
    if (dl_image_fit(pixels, o->raw_height, o->raw_width, &form, own))
        dl_out_of_memory(0);
    bool gray = m->model.data.predict == DL_TARGETS_COLOR;
    for (int64_t k = 0; k < size / (gray ? 3 : 1); k++)
        m->x[k] = !gray ? own[k]
                        : 0.299f * own[3 * k] + 0.587f * own[3 * k + 1] + 0.114f * own[3 * k + 2];
    free(own);
    if (m == in->net->member)
        memcpy(in->input, m->x, sizeof *in->input * in->net->info.input_size);
    dl_normalize(&m->model.data.input, m->x, 1, dl_shape_size(m->model.data.schema.input));
    m->input = m->x;
    return 0;
}

int inputs_next_frame(dltrain_inputs *in, input_part *part) {
    int64_t pixels = (int64_t)in->options.raw_height * in->options.raw_width;
    unsigned char *frame = xmalloc((size_t)(frame_size(in) + 3 * pixels));
    int got = read_frame(in, frame), result = got;
    double started = dl_clock();
    for (int i = 0; got > 0 && i < in->net->count; i++)
        result |= set_input(in, &in->net->member[i], frame, frame + frame_size(in));
    free(frame);
    if (result <= 0)
        return result;
    in->file[0] = part->path;
    in->row[0] = in->frames++;
    in->problem[0] = NULL;
    for (int k = 0; k < in->options.keep_count; k++)
        in->kept[k] = "";
    inputs_answer(in, 1);
    in->answers.seconds = dl_clock() - started;
    return 1;
}

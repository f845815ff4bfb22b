/* SPDX-License-Identifier: MIT */
#include "formats/omissions.h"

static const char *const words[DL_OMISSION_KINDS][2] = {
    [DL_OMITTED_HIDDEN] = {"hidden file or folder skipped", "hidden files or folders skipped"},
    [DL_OMITTED_ENDING] = {"file without an image's extension skipped",
                           "files without an image's extension skipped"},
    [DL_OMITTED_FOLDER] = {"subfolder of a class skipped", "subfolders of classes skipped"},
    [DL_OMITTED_LINK] = {"link skipped", "links skipped"},
    [DL_DAMAGED_CHECKSUM] = {"PNG with a wrong checksum read all the same",
                             "PNGs with a wrong checksum read all the same"},
};

void dl_omissions_add(dl_omissions *omissions, dl_omission kind, const char *name) {
    if (!omissions->count[kind]++)
        dl_text_add_plain(&omissions->example[kind], name);
}

void dl_omissions_report(dl_omissions *omissions, const char *where, dl_text *notes) {
    bool any = false;
    for (int kind = 0; kind < DL_OMISSION_KINDS && notes; kind++) {
        int64_t count = omissions->count[kind];
        if (!count)
            continue;
        if (!any)
            dl_text_add_plain(notes, where);
        dl_text_add(notes, "%s %lld %s (%s%s)", any ? "," : ":", (long long)count,
                    words[kind][count > 1], count > 1 ? "such as " : "",
                    dl_text_get(&omissions->example[kind]));
        any = true;
    }
    if (any)
        dl_text_add(notes, "\n");
    dl_omissions_free(omissions);
}

void dl_omissions_free(dl_omissions *omissions) {
    for (int kind = 0; kind < DL_OMISSION_KINDS; kind++)
        dl_text_free(&omissions->example[kind]);
    *omissions = (dl_omissions){0};
}

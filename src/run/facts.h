/* SPDX-License-Identifier: MIT */
/* facts.json in a run's folder: the facts that programs read. (log.txt is for people.) */
#ifndef DL_RUN_FACTS_H
#define DL_RUN_FACTS_H

#include "data/data.h"

typedef enum {
    DL_RUNNING, /* or killed */
    DL_COMPLETED,
    DL_EARLY_STOPPING,
    DL_STOPPED, /* before the last epoch, by --stop-after */
    DL_INTERRUPTED,
    DL_ENDED_DIVERGED,
    DL_ENDED_FAILED,
    DL_ENDINGS
} dl_ending;
extern const char *const dl_ending_names[DL_ENDINGS];

enum { DL_DATA_FOLDERS_MOST = 4 };

/* Unknown numbers are NaN. */
typedef struct {
    double expected_loss; /* at initialization: that of chance-level outputs */
    double initial_loss;  /* observed before the first step */
    double baseline;      /* accuracy of always predicting the most frequent class */
    int64_t rows[DL_SPLITS];
    int64_t parameters;
    dl_ending ended;
    /* Where relative paths of data may be: the folders of the config and of the command, relative
       to the run's and absolute; owned; NULL: none. */
    char *data_folder[DL_DATA_FOLDERS_MOST];
    char *message; /* the error of a run that diverged or failed; owned; NULL: none */
} dl_facts;

/* Sets the folders of the data of a run that starts, unless they are known. */
void dl_facts_set_data_folders(dl_facts *facts, const char *folder, const char *config);
int dl_facts_write(const dl_facts *facts, const char *folder, dl_error *error);
/* 0, or -1 and an error of DL_DATA: the file is missing or invalid. Call dl_facts_free after
   either. */
int dl_facts_read(dl_facts *facts, const char *folder, dl_error *error);
void dl_facts_free(dl_facts *facts);

#endif

/* Schedules of the learning rate. A new one is a row in schedule.c. */
#ifndef DL_OPTIM_SCHEDULE_H
#define DL_OPTIM_SCHEDULE_H

#include "config/option.h"

typedef struct {
    dl_kind kind;
    /* What the learning rate is multiplied by, `epoch` epochs (with fractions) after the beginning
       of a training of `epochs`. */
    double (*factor)(const void *self, double epoch, double epochs);
} dl_schedule_type;

extern const dl_registry dl_schedule_registry;

#endif

#ifndef DL_TRAIN_VERSION_H
#define DL_TRAIN_VERSION_H

#define DL_VERSION "0.1.0"

#endif

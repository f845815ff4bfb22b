/* SPDX-License-Identifier: MIT */
/* The section CONVENTIONS of man/dltrain.cfg.5. */
#ifndef DL_CMD_CONVENTIONS_H
#define DL_CMD_CONVENTIONS_H

#include "base/text.h"

void help_conventions(dl_text *text);

#endif

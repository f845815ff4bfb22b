/* Every optimizer there is. A new one: its file, a declaration and a line here. */
#include "optim/optimizer.h"

extern const dl_optimizer_type dl_optimizer_sgd, dl_optimizer_adam;

static const dl_kind *const kinds[] = {&dl_optimizer_sgd.kind, &dl_optimizer_adam.kind};

const dl_registry dl_optimizer_registry = {"optimizer", "optimizers", "type",
                                           sizeof kinds / sizeof *kinds, kinds};

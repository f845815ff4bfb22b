/* Every optimizer there is. A new one: its file, a declaration and a line here. */
#include "optim/optimizer.h"

extern const dl_optimizer_type dl_optimizer_sgd, dl_optimizer_adagrad, dl_optimizer_rmsprop,
    dl_optimizer_adadelta, dl_optimizer_adam, dl_optimizer_adamw, dl_optimizer_nadam,
    dl_optimizer_rprop;

static const dl_kind *const kinds[] = {
    &dl_optimizer_sgd.kind,      &dl_optimizer_adagrad.kind, &dl_optimizer_rmsprop.kind,
    &dl_optimizer_adadelta.kind, &dl_optimizer_adam.kind,    &dl_optimizer_adamw.kind,
    &dl_optimizer_nadam.kind,    &dl_optimizer_rprop.kind,
};

const dl_registry dl_optimizer_registry = {"optimizer", "optimizers", "type",
                                           sizeof kinds / sizeof *kinds, kinds};

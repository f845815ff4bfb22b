/* SPDX-License-Identifier: MIT */
/* Every optimizer there is. A new one: its file, a declaration and a line here. */
#include "optim/optimizer.h"

extern const dl_optimizer_type dl_optimizer_sgd, dl_optimizer_adagrad, dl_optimizer_rmsprop,
    dl_optimizer_adadelta, dl_optimizer_adam, dl_optimizer_adamw, dl_optimizer_nadam,
    dl_optimizer_rprop, dl_optimizer_newton, dl_optimizer_bfgs, dl_optimizer_lbfgs,
    dl_optimizer_gauss_newton, dl_optimizer_levenberg, dl_optimizer_levenberg_marquardt,
    dl_optimizer_normal_equations;

static const dl_kind *const kinds[] = {
    &dl_optimizer_sgd.kind,
    &dl_optimizer_adagrad.kind,
    &dl_optimizer_rmsprop.kind,
    &dl_optimizer_adadelta.kind,
    &dl_optimizer_adam.kind,
    &dl_optimizer_adamw.kind,
    &dl_optimizer_nadam.kind,
    &dl_optimizer_rprop.kind,
    &dl_optimizer_newton.kind,
    &dl_optimizer_bfgs.kind,
    &dl_optimizer_lbfgs.kind,
    &dl_optimizer_gauss_newton.kind,
    &dl_optimizer_levenberg.kind,
    &dl_optimizer_levenberg_marquardt.kind,
    &dl_optimizer_normal_equations.kind,
};

const dl_registry dl_optimizer_registry = {"optimizer", "optimizers", "type",
                                           sizeof kinds / sizeof *kinds, kinds};

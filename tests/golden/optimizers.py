# SPDX-License-Identifier: MIT
"""Optimizers: weights after each step by PyTorch."""
import torch
from torch import optim as o

from common import member, numbers, rand, randn

STEP = 'type = "step"; every = 2; factor = 0.5;'


def optimizer_case(config, make, steps=5, make_scheduler=None):
    """Two tensors, the first with weight decay, on f = sum of a (w - c)^2 with fixed a, c."""
    w, b = randn(4, 3), randn(3)
    aw, ab, cw, cb = rand(4, 3) + 0.5, rand(3) + 0.5, randn(4, 3), randn(3)
    start = numbers(w) + numbers(b)
    w.requires_grad_()
    b.requires_grad_()
    optimizer = make([{"params": [w], "weight_decay": 0.1}, {"params": [b], "weight_decay": 0.0}])
    scheduler = make_scheduler(optimizer) if make_scheduler else None
    track = []
    for _ in range(steps):
        optimizer.zero_grad()
        ((aw * (w - cw) ** 2).sum() + (ab * (b - cb) ** 2).sum()).backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
        track.append(numbers(w) + numbers(b))
    return {"config": config, "l2": 0.1, "split": 12, "start": start,
            "a": numbers(aw) + numbers(ab), "c": numbers(cw) + numbers(cb), "track": track}


def scheduled(config, make, schedule="", decay=None, steps=5):
    """optimizer_case with the learning rate halved after every second step."""
    def halve(optimizer):
        return torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)

    case = optimizer_case(config, make, steps, halve if schedule else None)
    case["schedule"] = schedule
    if decay is not None:
        case["l2"] = decay
    return case


@member("optimizers", "sgd")
def _(name):
    yield optimizer_case('type = "sgd"; learning_rate = 0.05;', lambda g: o.SGD(g, lr=0.05))
    yield optimizer_case('type = "sgd"; learning_rate = 0.05; momentum = 0.9;',
                         lambda g: o.SGD(g, lr=0.05, momentum=0.9))
    yield scheduled('type = "sgd"; learning_rate = 0.05; momentum = 0.9; nesterov = true;',
                    lambda g: o.SGD(g, lr=0.05, momentum=0.9, nesterov=True), STEP)
    yield scheduled('type = "sgd"; learning_rate = 0.05; momentum = 0.8;',
                    lambda g: o.SGD(g, lr=0.05, momentum=0.8), STEP)


@member("optimizers", "adam")
def _(name):
    yield optimizer_case('type = "adam"; learning_rate = 0.1;', lambda g: o.Adam(g, lr=0.1))
    yield optimizer_case(
        'type = "adam"; learning_rate = 0.1; beta1 = 0.8; beta2 = 0.99; epsilon = 1e-6;',
        lambda g: o.Adam(g, lr=0.1, betas=(0.8, 0.99), eps=1e-6))
    yield scheduled('type = "adam"; learning_rate = 0.05;', lambda g: o.Adam(g, lr=0.05), STEP)


@member("optimizers", "adagrad")
def _(name):
    yield scheduled('type = "adagrad";', lambda g: o.Adagrad(g), STEP)
    yield scheduled('type = "adagrad"; learning_rate = 0.3; epsilon = 0.01;',
                    lambda g: o.Adagrad(g, lr=0.3, eps=0.01), STEP)


@member("optimizers", "rmsprop")
def _(name):
    yield scheduled('type = "rmsprop";', lambda g: o.RMSprop(g), STEP)
    yield scheduled('type = "rmsprop"; alpha = 0.8; epsilon = 0.001; centered = true;',
                    lambda g: o.RMSprop(g, alpha=0.8, eps=0.001, centered=True), STEP)
    yield scheduled('type = "rmsprop"; alpha = 0.9; momentum = 0.7;',
                    lambda g: o.RMSprop(g, alpha=0.9, momentum=0.7), STEP)
    yield scheduled('type = "rmsprop"; alpha = 0.9; momentum = 0.7; centered = true;',
                    lambda g: o.RMSprop(g, alpha=0.9, momentum=0.7, centered=True), STEP)


@member("optimizers", "adadelta")
def _(name):
    yield scheduled('type = "adadelta";', lambda g: o.Adadelta(g), STEP)
    yield scheduled('type = "adadelta"; learning_rate = 2.0; rho = 0.8; epsilon = 0.001;',
                    lambda g: o.Adadelta(g, lr=2, rho=0.8, eps=0.001), STEP)


@member("optimizers", "adamw")
def _(name):
    yield scheduled('type = "adamw"; learning_rate = 0.05; weight_decay = 0.1;',
                    lambda g: o.AdamW(g, lr=0.05), STEP, decay=0)


@member("optimizers", "nadam")
def _(name):
    yield scheduled('type = "nadam";', lambda g: o.NAdam(g), STEP)
    yield scheduled('type = "nadam"; learning_rate = 0.05; beta1 = 0.8; beta2 = 0.99; '
                    'epsilon = 1e-6; momentum_decay = 0.5;',
                    lambda g: o.NAdam(g, lr=0.05, betas=(0.8, 0.99), eps=1e-6,
                                    momentum_decay=0.5), STEP, steps=12)


@member("optimizers", "rprop")
def _(name):
    yield scheduled('type = "rprop";', lambda g: o.Rprop(g), decay=0, steps=9)
    yield scheduled('type = "rprop"; learning_rate = 0.2; eta_minus = 0.4; eta_plus = 1.5; '
                    'min_step = 0.1; max_step = 0.5;',
                    lambda g: o.Rprop(g, lr=0.2, etas=(0.4, 1.5), step_sizes=(0.1, 0.5)), decay=0,
                    steps=9)


class Lion(o.Optimizer):
    """Chen et al. 2023, algorithm 2; an l2 penalty is part of the gradient, as elsewhere here."""

    def __init__(self, groups, lr, betas, decay=0.0):
        super().__init__(groups, {"lr": lr, "betas": betas, "decay": decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            decays = group is self.param_groups[0]
            for w in group["params"]:
                m = self.state[w].setdefault("m", torch.zeros_like(w))
                g = w.grad + (0 if group["decay"] else group["weight_decay"]) * w
                w.sub_(group["lr"] * ((b1 * m + (1 - b1) * g).sign()
                                      + (group["decay"] * w if decays else 0)))
                m.mul_(b2).add_((1 - b2) * g)


@member("optimizers", "lion")
def _(name):
    yield scheduled('type = "lion"; learning_rate = 0.05;',
                    lambda g: Lion(g, 0.05, (0.9, 0.99)), STEP, steps=9)
    yield scheduled('type = "lion"; learning_rate = 0.1; beta1 = 0.5; beta2 = 0.8; '
                    'weight_decay = 0.3;', lambda g: Lion(g, 0.1, (0.5, 0.8), 0.3), STEP, decay=0,
                    steps=9)

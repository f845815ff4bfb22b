# SPDX-License-Identifier: MIT
"""Schedules: the factors in every step by PyTorch."""
import numpy as np
import torch
from torch.optim import lr_scheduler as s

from common import member


def schedule_case(config, make, epochs, steps=1, values=None):
    """The factors of a schedule in every step; make: the optimizer to a scheduler, stepped after
    each step, or after each epoch of so many steps."""
    w = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=1.0)
    scheduler = make(optimizer)
    each = 1 if 'by = "step"' in config or values == "step" else steps
    factors = []
    for t in range(epochs * steps):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if (t + 1) % each == 0:
            if isinstance(values, list):
                scheduler.step(values[t // steps])
            else:
                scheduler.step()
    case = {"config": config, "epochs": epochs, "steps": steps, "factors": factors}
    if isinstance(values, list):
        case["values"] = values
    return case


@member("schedules", "constant")
def _(name):
    yield schedule_case('type = "constant";', lambda o: s.ConstantLR(o, 1, 1), 3, 2)
    yield schedule_case('type = "constant"; warmup = 5; by = "step";',
                        lambda o: s.LinearLR(o, 1 / 5, 1, 4), 3, 4)


def both(keys, make, epochs, steps):
    for by in ("epoch", "step"):
        yield schedule_case('%s by = "%s"; ' % (keys, by), make, epochs, steps)


@member("schedules", "step")
def _(name):
    yield from both('type = "step"; every = 3; factor = 0.5;', lambda o: s.StepLR(o, 3, 0.5), 9, 2)


@member("schedules", "piecewise")
def _(name):
    yield from both('type = "piecewise"; at = (2, 3, 7); factors = (0.5, 2, 0.01);',
                    lambda o: s.LambdaLR(o, lambda n: 1 if n < 2 else 0.5 if n < 3 else
                                         2 if n < 7 else 0.01), 9, 2)


@member("schedules", "exponential")
def _(name):
    yield from both('type = "exponential"; factor = 0.9;', lambda o: s.ExponentialLR(o, 0.9), 6, 3)
    yield schedule_case('type = "exponential"; factor = 0.5; warmup = 2;',
                        lambda o: s.LambdaLR(o, lambda n: (n + 1) / 8 if n < 8
                                             else 0.5 ** ((n - 8) // 4)), 5, 4, values="step")


@member("schedules", "inverse_time")
def _(name):
    yield from both('type = "inverse_time"; decay = 0.3;',
                    lambda o: s.LambdaLR(o, lambda n: 1 / (1 + 0.3 * n)), 6, 3)


@member("schedules", "sqrt")
def _(name):
    yield from both('type = "sqrt"; scale = 0.7;',
                    lambda o: s.LambdaLR(o, lambda n: 0.7 / (n + 1) ** 0.5), 6, 3)


@member("schedules", "cosine")
def _(name):
    yield schedule_case('type = "cosine"; end = 0.1; by = "step";',
                        lambda o: s.CosineAnnealingLR(o, 12, 0.1), 4, 3)
    yield schedule_case('type = "cosine";', lambda o: s.CosineAnnealingLR(o, 12), 4, 3,
                        values="step")
    yield schedule_case('type = "cosine"; warmup = 4; by = "step";',
                        lambda o: s.LambdaLR(o, lambda n: (n + 1) / 4 if n < 4 else
                                             (1 + np.cos(np.pi * (n - 4) / 16)) / 2), 5, 4)


@member("schedules", "one_cycle")
def _(name):
    for by in ("epoch", "step"):
        yield schedule_case('type = "one_cycle"; by = "%s";' % by,
                            lambda o: s.OneCycleLR(o, 1.0, total_steps=20), 5, 4, values="step")
    yield schedule_case('type = "one_cycle"; rise = 0.5; start = 0.1; end = 0.001;',
                        lambda o: s.OneCycleLR(o, 1.0, total_steps=12, pct_start=0.5,
                                               div_factor=10, final_div_factor=100), 3, 4,
                        values="step")


@member("schedules", "plateau")
def _(name):
    # PyTorch's patience of n waits for n + 1 epochs
    losses = [1, 0.9, 0.95, 0.9, 0.89, 0.88, 0.9, 0.9, 0.9, 0.7, 0.8, 0.8, 0.8, 0.8]
    yield schedule_case('type = "plateau"; factor = 0.5; patience = 2; monitor = "train_loss";',
                        lambda o: s.ReduceLROnPlateau(o, factor=0.5, patience=1, threshold=0,
                                                      threshold_mode="abs"), 14, 2, losses)
    yield schedule_case('type = "plateau"; factor = 0.1; patience = 2; min_delta = 0.05; '
                        'lowest = 0.05;',
                        lambda o: s.ReduceLROnPlateau(o, factor=0.1, patience=1, threshold=0.05,
                                                      threshold_mode="abs", min_lr=0.05), 14, 2,
                        losses)
    rising = [1 - v for v in losses]
    case = schedule_case('type = "plateau"; factor = 0.5; patience = 3; monitor = "val_accuracy";',
                         lambda o: s.ReduceLROnPlateau(o, "max", factor=0.5, patience=2,
                                                       threshold=0), 14, 2, rising)
    yield {**case, "higher": True}


@member("schedules", "polynomial")
def _(name):
    for power in (1.0, 0.9, 2.5):
        yield schedule_case('type = "polynomial"; power = %g; by = "step";' % power,
                            lambda o: s.PolynomialLR(o, 12, power), 4, 3)
    yield schedule_case('type = "polynomial"; power = 2; total = 5; by = "step";',
                        lambda o: s.PolynomialLR(o, 5, 2), 4, 3)
    yield schedule_case('type = "polynomial";', lambda o: s.PolynomialLR(o, 12, 1), 4, 3,
                        values="step")

# SPDX-License-Identifier: MIT
"""Shared by the generators of golden numbers. Random numbers are rounded to 3 decimals to keep files
small; results of PyTorch have 7 digits, more than the tolerance of the tests."""
import numpy as np
import torch
import torch.nn.functional as F

BATCH = 2
MEMBERS = {}  # (kind, name) -> generator of cases


def member(kind, *names):
    """Registers a generator of cases for each of the names; it is called with the name."""
    def add(function):
        for name in names:
            MEMBERS[kind, name] = function
        return function
    return add


def randn(*shape):
    return torch.round(torch.randn(*shape), decimals=3)


def rand(*shape):
    return torch.round(torch.rand(*shape), decimals=3)


def numbers(t):
    return [float("%.7g" % v) for v in t.detach().contiguous().flatten().tolist()]


def nhwc(t):
    return t.movedim(1, -1)


def flag(value):
    return "true" if value else "false"


ACTIVATIONS = {
    "linear": lambda x: x, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu,
    "elu": F.elu, "leaky_relu": F.leaky_relu, "softmax": lambda x: torch.softmax(x, 1),
}


def layer_case(config, shape, function, params, batch=None):
    """shape: (H, W, C), (T, C) or (C,); params: name -> (tensor in PyTorch's layout, function to
    ours). Images are NHWC in the file and weights [kh][kw][in][out], as in dltrain."""
    batch = batch or BATCH
    x = randn(batch, shape[-1], *shape[:-1])
    x.requires_grad_()
    for p, _ in params.values():
        p.requires_grad_()
    y = function(x, {k: p for k, (p, _) in params.items()})
    dy = randn(*y.shape)
    y.backward(dy)
    return {
        "config": config, "input": list(shape), "batch": batch,
        "x": numbers(nhwc(x)), "y": numbers(nhwc(y)), "dy": numbers(nhwc(dy)),
        "dx": numbers(nhwc(x.grad)),
        "params": {k: numbers(ours(p)) for k, (p, ours) in params.items()},
        "grads": {k: numbers(ours(p.grad)) for k, (p, ours) in params.items()},
    }

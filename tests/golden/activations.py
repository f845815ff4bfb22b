# SPDX-License-Identifier: MIT
"""Activation functions: as a separate layer, and as a key of a dense layer."""
import torch
import torch.nn.functional as F

from common import layer_case, member, randn


def activation_cases(name, function):
    yield layer_case('{ layer = "activation"; activation = "%s"; }' % name, (9,),
                     lambda x, _: function(x), {})
    yield layer_case(
        '{ layer = "dense"; units = 6; activation = "%s"; }' % name, (5,),
        lambda x, p: function(F.linear(x, p["weight"], p["bias"])),
        {"weight": (torch.round(torch.randn(6, 5) / 2, decimals=3), lambda t: t.t()),
         "bias": (randn(6), lambda t: t)})


FUNCTIONS = {
    "linear": lambda x: x + 0,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.01),
    "elu": F.elu,
    "step": lambda x: (x >= 0).float() + 0 * x,
    "selu": F.selu,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "hard_tanh": F.hardtanh,
    "softmax": lambda x: torch.softmax(x, 1),
    "gelu": F.gelu,
    "swish": F.silu,
    "mish": F.mish,
    "relu6": F.relu6,
    "hard_sigmoid": F.hardsigmoid,
    "hard_swish": F.hardswish,
}


@member("activations", *FUNCTIONS)
def _(name):
    yield from activation_cases(name, FUNCTIONS[name])

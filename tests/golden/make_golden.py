#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes golden.json: what PyTorch says of single layers, losses, optimizers and auxiliary heads.

Run by hand when a case is added (needs python3-torch and numpy); the tests read the file only.
    python3 tests/golden/make_golden.py > tests/golden/golden.json
Images are NHWC and weights [kh][kw][in][out] in the file, as in dltrain.
"""
import json
import sys

import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(5)
BATCH = 3


def numbers(t):
    return [float("%.9g" % v) for v in t.detach().contiguous().flatten().tolist()]


def nhwc(t):
    return t.movedim(1, -1)


def same(size, kernel, stride):
    """TensorFlow's padding: ceil(size / stride) outputs, the odd pixel at the end."""
    missing = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return missing // 2, missing - missing // 2


ACTIVATIONS = {
    "linear": lambda x: x, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.01), "elu": F.elu,
    "step": lambda x: (x >= 0).float() + 0 * x,
    "softmax": lambda x: torch.softmax(x, 1),
    "selu": F.selu, "softplus": F.softplus, "softsign": F.softsign, "hard_tanh": F.hardtanh,
}
# Those that only the layer `activation` knows.
MORE_ACTIVATIONS = {"gelu": F.gelu, "swish": F.silu}


def layer_case(config, shape, function, params):
    """shape: (H, W, C), (T, C) or (C,); params: name -> (tensor in PyTorch's layout, function to ours)."""
    x = torch.randn(BATCH, shape[-1], *shape[:-1])
    x.requires_grad_()
    for p, _ in params.values():
        p.requires_grad_()
    y = function(x, {k: p for k, (p, _) in params.items()})
    dy = torch.randn_like(y)
    y.backward(dy)
    return {
        "config": config, "input": list(shape), "batch": BATCH,
        "x": numbers(nhwc(x)), "y": numbers(nhwc(y)), "dy": numbers(nhwc(dy)),
        "dx": numbers(nhwc(x.grad)),
        "params": {k: numbers(ours(p)) for k, (p, ours) in params.items()},
        "grads": {k: numbers(ours(p.grad)) for k, (p, ours) in params.items()},
    }


def dense(units, shape, activation="linear", bias=True):
    n = int(np.prod(shape))
    w = torch.randn(units, n) / n ** 0.5

    def run(x, p):
        z = F.linear(nhwc(x).flatten(1), p["weight"], p.get("bias"))
        return ACTIVATIONS[activation](z)

    params = {"weight": (w, lambda t: t.t())}
    if bias:
        params["bias"] = (torch.randn(units), lambda t: t)
    config = '{ layer = "dense"; units = %d; activation = "%s"; bias = %s; }' % (
        units, activation, "true" if bias else "false")
    return layer_case(config, shape, run, params)


def conv(shape, filters, kernel, stride=(1, 1), padding="valid", activation="linear", bias=True):
    h, w, c = shape
    weight = torch.randn(filters, c, *kernel) / (c * kernel[0] * kernel[1]) ** 0.5
    if padding == "same":
        (t, b), (l, r) = same(h, kernel[0], stride[0]), same(w, kernel[1], stride[1])
        text = '"same"'
    else:
        t = b = l = r = 0 if padding == "valid" else padding
        text = '"valid"' if padding == "valid" else str(padding)

    def run(x, p):
        z = F.conv2d(F.pad(x, (l, r, t, b)), p["weight"], p.get("bias"), stride)
        return ACTIVATIONS[activation](z)

    params = {"weight": (weight, lambda q: q.permute(2, 3, 1, 0))}
    if bias:
        params["bias"] = (torch.randn(filters), lambda q: q)
    config = ('{ layer = "conv2d"; filters = %d; kernel = (%d, %d); stride = (%d, %d); '
              'padding = %s; activation = "%s"; bias = %s; }') % (
                  filters, *kernel, *stride, text, activation, "true" if bias else "false")
    return layer_case(config, shape, run, params)


def pool(kind, shape, size, stride, padding):
    def run(x, _):
        if kind == "max_pool":
            return F.max_pool2d(x, size, stride, padding)
        return F.avg_pool2d(x, size, stride, padding, count_include_pad=False)

    config = '{ layer = "%s"; size = (%d, %d); stride = (%d, %d); padding = %d; }' % (
        kind, *size, *stride, padding)
    return layer_case(config, shape, run, {})


def batch_norm(shape, training, activation="linear", affine=True):
    c = shape[-1]
    norm = torch.nn.BatchNorm2d(c, affine=affine) if len(shape) == 3 else torch.nn.BatchNorm1d(
        c, affine=affine)
    norm.train(training)
    start = {"mean": torch.randn(c), "variance": torch.rand(c) + 0.5}
    norm.running_mean.copy_(start["mean"])
    norm.running_var.copy_(start["variance"])
    params = {}
    if affine:
        params = {"scale": (torch.rand(c) + 0.5, lambda t: t), "shift": (torch.randn(c), lambda t: t)}

    def run(x, p):
        z = F.batch_norm(x, norm.running_mean, norm.running_var, p.get("scale"), p.get("shift"),
                         training, 0.1, 1e-5)
        return ACTIVATIONS[activation](z)

    flag = "true" if affine else "false"
    config = '{ layer = "batch_norm"; activation = "%s"; scale = %s; shift = %s; }' % (
        activation, flag, flag)
    case = layer_case(config, shape, run, params)
    case["training"] = training
    case["start"] = {k: numbers(v) for k, v in start.items()}
    case["states"] = {"mean": numbers(norm.running_mean), "variance": numbers(norm.running_var)}
    return case


def merges():
    """The second input is the data: no gradient goes there."""
    for name, f in (("multiply", lambda a, b: a * b), ("average", lambda a, b: (a + b) / 2),
                    ("maximum", torch.maximum)):
        yield layer_case('{ layer = "%s"; inputs = ("probe", "input"); }' % name, (3, 4, 2),
                         lambda x, _, f=f: f(x, x.detach()), {})
    yield layer_case('{ layer = "concat"; inputs = ("probe", "input", "probe"); }', (3, 4, 2),
                     lambda x, _: torch.cat((x, x.detach(), x), 1), {})


def wide_conv(config, shape, filters, kernel, run, ours, groups=1):
    c = shape[-1]
    weight = torch.randn(filters, c // groups, *kernel) / (c * kernel[-1]) ** 0.5
    return layer_case(config, shape, run, {"weight": (weight, ours),
                                           "bias": (torch.randn(filters), lambda q: q)})


def convolutions():
    def hwio(q):
        return q.permute(2, 3, 1, 0)

    yield wide_conv('{ layer = "conv2d"; filters = 4; kernel = 3; dilation = (2, 1); padding = 1; }',
                    (8, 7, 3), 4, (3, 3),
                    lambda x, p: F.conv2d(x, p["weight"], p["bias"], 1, 1, (2, 1)), hwio)
    yield wide_conv('{ layer = "conv2d"; filters = 6; kernel = 3; groups = 2; stride = 2; }',
                    (7, 7, 4), 6, (3, 3),
                    lambda x, p: F.conv2d(x, p["weight"], p["bias"], 2, 0, 1, 2), hwio, 2)
    yield wide_conv('{ layer = "conv1d"; filters = 5; kernel = 3; dilation = 2; padding = 2; }',
                    (9, 4), 5, (3,),
                    lambda x, p: F.conv1d(x, p["weight"], p["bias"], 1, 2, 2),
                    lambda q: q.permute(2, 1, 0))
    yield wide_conv('{ layer = "depthwise_conv2d"; kernel = 3; multiplier = 2; padding = 1; '
                    'activation = "tanh"; }', (6, 5, 3), 6, (3, 3),
                    lambda x, p: torch.tanh(F.conv2d(x, p["weight"], p["bias"], 1, 1, 1, 3)),
                    lambda q: q.reshape(3, 2, 3, 3).permute(2, 3, 0, 1), 3)
    for kernel, stride, padding in ((2, 2, 0), (3, 2, 1), (4, 1, 2)):
        weight = torch.randn(3, 5, kernel, kernel) / 3
        yield layer_case(
            '{ layer = "conv2d_transpose"; filters = 5; kernel = %d; stride = %d; padding = %d; '
            'activation = "relu"; }' % (kernel, stride, padding), (5, 4, 3),
            lambda x, p, s=stride, q=padding: torch.relu(
                F.conv_transpose2d(x, p["weight"], p["bias"], s, q)),
            {"weight": (weight, lambda q: q.permute(2, 3, 1, 0)),
             "bias": (torch.randn(5), lambda q: q)})


def layers():
    for shape in ((5, 4, 3), (7,)):
        yield batch_norm(shape, True)
        yield batch_norm(shape, False)
        yield batch_norm(shape, True, "relu")
        yield batch_norm(shape, True, "tanh", False)
    yield layer_case('{ layer = "global_avg_pool"; }', (5, 3, 4), lambda x, _: x.mean((2, 3)), {})
    yield layer_case('{ layer = "pad"; height = (1, 2); width = (0, 3); channels = (2, 1); }',
                     (4, 3, 2), lambda x, _: F.pad(x, (0, 3, 1, 2, 2, 1)), {})
    yield layer_case('{ layer = "add"; inputs = ("probe", "probe"); activation = "relu"; }',
                     (4, 3, 2), lambda x, _: torch.relu(x + x), {})
    yield dense(4, (5,))
    yield dense(7, (4, 3, 2), bias=False)
    for name in ACTIVATIONS:
        yield dense(6, (5,), name)
    yield conv((6, 5, 3), 4, (3, 3))
    yield conv((6, 5, 3), 4, (3, 3), padding="same", activation="relu")
    yield conv((7, 6, 2), 5, (3, 2), (2, 2), "same", "tanh")
    yield conv((8, 8, 3), 4, (5, 5), (2, 1), 2, "elu")
    yield conv((4, 4, 8), 6, (1, 1), activation="leaky_relu")
    yield conv((5, 6, 4), 3, (1, 1), (2, 2))
    yield conv((9, 9, 1), 16, (3, 3), padding=1, bias=False, activation="sigmoid")
    yield conv((20, 24, 3), 8, (7, 7), (3, 3), 3, "relu")
    yield pool("max_pool", (6, 8, 3), (2, 2), (2, 2), 0)
    yield pool("max_pool", (7, 7, 2), (3, 3), (2, 2), 1)
    yield pool("avg_pool", (6, 8, 3), (2, 2), (2, 2), 0)
    yield pool("avg_pool", (7, 9, 2), (3, 2), (2, 3), 1)
    for name in ACTIVATIONS:
        yield layer_case('{ layer = "activation"; activation = "%s"; }' % name, (9,),
                         lambda x, _, f=ACTIVATIONS[name]: f(x), {})
    for name in MORE_ACTIVATIONS:
        yield layer_case('{ layer = "activation"; activation = "%s"; }' % name, (9,),
                         lambda x, _, f=MORE_ACTIVATIONS[name]: f(x), {})
    yield layer_case('{ layer = "softmax"; }', (6,), lambda x, _: torch.softmax(x, 1), {})
    yield from merges()
    yield from convolutions()


def upsample(shape, size, method):
    def run(x, _):
        corners = {} if method == "nearest" else {"align_corners": False}
        return F.interpolate(x, scale_factor=size, mode=method, **corners)

    config = '{ layer = "upsample"; size = (%d, %d); method = "%s"; }' % (*size, method)
    return layer_case(config, shape, run, {})


def pool1d(kind, shape, size, stride, padding):
    def run(x, _):
        if kind == "max_pool1d":
            return F.max_pool1d(x, size, stride, padding)
        return F.avg_pool1d(x, size, stride, padding, count_include_pad=False) if not padding else (
            F.avg_pool2d(x[:, :, None], (1, size), (1, stride), (0, padding),
                         count_include_pad=False)[:, :, 0])

    config = '{ layer = "%s"; size = %d; stride = %d; padding = %d; }' % (
        kind, size, stride, padding)
    return layer_case(config, shape, run, {})


def shape_layers():
    """Layers that change the shape and have no weights."""
    yield layer_case('{ layer = "reshape"; shape = (6, 4); }', (4, 3, 2),
                     lambda x, _: nhwc(nhwc(x).reshape(BATCH, 6, 4)), {})
    yield layer_case('{ layer = "reshape"; shape = (2, 3, 4); }', (24,),
                     lambda x, _: x.reshape(BATCH, 2, 3, 4).permute(0, 3, 1, 2), {})
    yield layer_case('{ layer = "crop"; height = 4; width = 3; }', (7, 5, 3),
                     lambda x, _: x[:, :, 1:5, 1:4], {})
    yield layer_case('{ layer = "crop"; height = 4; top = 3; left = 2; width = 3; }', (7, 5, 3),
                     lambda x, _: x[:, :, 3:7, 2:5], {})
    for size in ((2, 2), (3, 1), (2, 5)):
        for method in ("nearest", "bilinear", "bicubic"):
            yield upsample((4, 5, 3), size, method)
    yield upsample((1, 2, 17), (4, 2), "bilinear")
    yield upsample((1, 3, 1), (2, 2), "bicubic")
    yield layer_case('{ layer = "global_max_pool"; }', (5, 3, 4), lambda x, _: x.amax((2, 3)), {})
    yield layer_case('{ layer = "global_avg_pool"; }', (9, 5), lambda x, _: x.mean(2), {})
    yield layer_case('{ layer = "global_max_pool"; }', (9, 5), lambda x, _: x.amax(2), {})
    for kind in ("max_pool1d", "avg_pool1d"):
        yield pool1d(kind, (10, 3), 2, 2, 0)
        yield pool1d(kind, (11, 20), 3, 2, 1)
        yield pool1d(kind, (7, 1), 4, 1, 0)


def unpool():
    """Last of all layers, since it is the newest."""
    pooled = '{ layer = "max_pool"; name = "pool"; size = (%d, %d); padding = %d; }, ' \
             '{ layer = "unpool"; inputs = ("pool", "pool"); }'

    def run(x, size, padding):
        y, places = F.max_pool2d(x, size, size, padding, return_indices=True)
        return F.max_unpool2d(y, places, size, size, padding, x.shape[2:])

    yield layer_case(pooled % (2, 2, 0), (6, 4, 3), lambda x, _: run(x, (2, 2), 0), {})
    yield layer_case(pooled % (3, 2, 1), (7, 5, 17), lambda x, _: run(x, (3, 2), 1), {})


def flag(value):
    return "true" if value else "false"


def sample_norm(kind, shape, groups=1, activation="linear", scale=True, shift=True):
    """layer_norm over the channels of a place, group_norm, instance_norm."""
    c = shape[-1]
    params = {}
    if scale:
        params["scale"] = (torch.rand(c) + 0.5, lambda t: t)
    if shift:
        params["shift"] = (torch.randn(c), lambda t: t)

    def run(x, p):
        w, b = p.get("scale", torch.ones(c)), p.get("shift", torch.zeros(c))
        if kind == "layer_norm":
            z = F.layer_norm(nhwc(x), (c,), w, b)
            z = z.permute(0, 3, 1, 2) if x.dim() == 4 else z
        elif kind == "group_norm":
            z = F.group_norm(x, groups, w, b)
        else:
            z = F.instance_norm(x, weight=w, bias=b)
        return ACTIVATIONS[activation](z)

    config = '{ layer = "%s"; activation = "%s"; scale = %s; shift = %s;%s }' % (
        kind, activation, flag(scale), flag(shift),
        " groups = %d;" % groups if kind == "group_norm" else "")
    return layer_case(config, shape, run, params)


def sample_norms():
    for shape in ((5, 4, 6), (10,), (1, 2, 150)):
        yield sample_norm("layer_norm", shape)
        yield sample_norm("layer_norm", shape, activation="relu", scale=False)
        yield sample_norm("layer_norm", shape, activation="tanh", shift=False)
    for shape, groups in (((5, 4, 6), 2), ((5, 4, 6), 3), ((10,), 2), ((1, 2, 160), 32),
                          ((8, 6, 4), 2), ((6, 5, 3), 1)):
        yield sample_norm("group_norm", shape, groups)
        yield sample_norm("group_norm", shape, groups, "relu", shift=False)
        yield sample_norm("group_norm", shape, groups, "elu", scale=False)
    for shape in ((5, 4, 6), (7, 9, 3)):
        yield sample_norm("instance_norm", shape)
        yield sample_norm("instance_norm", shape, activation="relu", scale=False, shift=False)
    yield sample_norm("instance_norm", (5, 4, 6), activation="softmax")


def local_response(shape, size, alpha, beta, k):
    config = ('{ layer = "local_response_norm"; size = %d; alpha = %g; beta = %g; k = %g; }' % (
        size, alpha, beta, k))
    return layer_case(config, shape,
                      lambda x, _: F.local_response_norm(x, size, alpha, beta, k), {})


def local_responses():
    case = layer_case('{ layer = "local_response_norm"; }', (4, 3, 8),
                      lambda x, _: F.local_response_norm(x, 5), {})
    yield case
    yield local_response((4, 3, 8), 5, 5e-1, 0.75, 2)
    yield local_response((4, 3, 8), 4, 2, 0.6, 0.5)
    yield local_response((3, 2, 5), 1, 1, 1, 1)
    yield local_response((3, 2, 3), 9, 1, 0.75, 1)
    yield local_response((2, 2, 70), 7, 3, 1.5, 0.25)


def noises():
    """Their random numbers are their own; what PyTorch can say is that without them nothing
    happens."""
    for name, key in (("spatial_dropout", "rate"), ("gaussian_noise", "stddev"),
                      ("gaussian_dropout", "rate")):
        yield layer_case('{ layer = "%s"; %s = 0; }' % (name, key), (3, 2, 2), lambda x, _: x + 0,
                         {})
        case = layer_case('{ layer = "%s"; %s = 0.5; }' % (name, key), (3, 2, 2),
                          lambda x, _: x + 0, {})
        case["training"] = False
        yield case


def shakes():
    """Its mixtures are its own; at test it is the mean."""
    for per, inputs, f in (("sample", '"probe", "input"', lambda x, _: (x + x.detach()) / 2),
                           ("batch", '"probe", "input", "probe"', lambda x, _: x.detach() + 0 * x)):
        case = layer_case('{ layer = "shake"; per = "%s"; inputs = (%s); }' % (per, inputs),
                          (3, 4, 2), f, {})
        case["training"] = False
        yield case


def prelu(shape):
    params = {"slope": (torch.randn(shape[-1]), lambda t: t)}
    return layer_case('{ layer = "prelu"; }', shape, lambda x, p: F.prelu(x, p["slope"]), params)


def scale(shape, activation="linear", shift=True):
    c = shape[-1]
    params = {"scale": (torch.randn(c), lambda t: t)}
    if shift:
        params["shift"] = (torch.randn(c), lambda t: t)

    def run(x, p):
        wide = (-1, 1, 1) if x.dim() == 4 else (-1,)
        z = x * p["scale"].reshape(wide)
        return ACTIVATIONS[activation](z + p["shift"].reshape(wide) if shift else z)

    return layer_case('{ layer = "scale"; shift = %s; activation = "%s"; }' % (
        flag(shift), activation), shape, run, params)


def maxout(shape, units, pieces, bias=True):
    n = int(np.prod(shape))
    params = {"weight": (torch.randn(pieces * units, n) / n ** 0.5, lambda t: t.t())}
    if bias:
        params["bias"] = (torch.randn(pieces * units), lambda t: t)

    def run(x, p):
        z = F.linear(nhwc(x).flatten(1), p["weight"], p.get("bias"))
        return z.reshape(-1, pieces, units).max(1).values

    return layer_case('{ layer = "maxout"; units = %d; pieces = %d; bias = %s; }' % (
        units, pieces, flag(bias)), shape, run, params)


def learned():
    for shape in ((5, 4, 3), (7,), (1, 2, 150)):
        yield prelu(shape)
        yield scale(shape)
        yield scale(shape, "relu")
        yield scale(shape, "sigmoid", False)
    yield maxout((5,), 4, 2)
    yield maxout((3, 2, 4), 7, 5)
    yield maxout((6,), 20, 3, False)
    yield maxout((6,), 3, 1)


def image_filter(shape, kind, size, kernel, keys=""):
    """kernel: [height][width]; zeros around the image, the odd one below and to the right."""
    k = torch.tensor(kernel, dtype=torch.float32)
    top, left = (size[0] - 1) // 2, (size[1] - 1) // 2
    sides = (left, size[1] - 1 - left, top, size[0] - 1 - top)

    def run(x, _):
        c = x.shape[1]
        return F.conv2d(F.pad(x, sides), k.expand(c, 1, *size), groups=c)

    config = '{ layer = "filter"; kind = "%s"; size = (%d, %d);%s }' % (kind, *size, keys)
    return layer_case(config, shape, run, {})


def gaussian(size, stddev):
    axes = []
    for n in size:
        r = np.arange(n) - (n - 1) / 2
        w = np.exp(-r * r / (2 * stddev * stddev)) if stddev else np.poly1d([1, 1])**(n - 1)
        w = np.asarray(w)
        axes.append(w / w.sum())
    return np.outer(*axes)


def image_filters():
    shape = (6, 5, 3)
    yield image_filter(shape, "box_mean", (3, 3), np.full((3, 3), 1 / 9))
    yield image_filter(shape, "box_mean", (2, 4), np.full((2, 4), 1 / 8))
    yield image_filter(shape, "gaussian", (3, 3), np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16)
    yield image_filter(shape, "gaussian", (5, 7), gaussian((5, 7), 0))
    yield image_filter(shape, "gaussian", (5, 5), gaussian((5, 5), 1.3), " stddev = 1.3;")
    yield image_filter(shape, "edge", (3, 3), [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]])
    yield image_filter(shape, "sharpen", (3, 3), [[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
    yield image_filter(shape, "sharpen", (1, 3), [[-1, 3, -1]])
    yield image_filter(shape, "custom", (3, 3), [[1, 0.5, -2], [0, 3, 1.5], [-1, 4, 2]],
                       " kernel = (1, 0.5, -2, 0, 3, 1.5, -1, 4, 2);")
    yield image_filter((4, 7, 1), "custom", (2, 3), [[1, 2, 3], [4, 5, 7]],
                       " kernel = [1, 2, 3, 4, 5, 7];")
    yield image_filter((2, 3, 2), "box_mean", (7, 9), np.full((7, 9), 1 / 63))


def seeded(generator):
    """Random numbers of its own, so that a new case does not change the others."""
    with torch.random.fork_rng():
        torch.manual_seed(6)
        return list(generator())


def recurrent(kind, shape, units, last=False, both=False, bias=True, nonlinearity=None):
    """PyTorch's second bias is zero where dltrain has one."""
    gates = {"lstm": 4, "gru": 3, "simple_rnn": 1}[kind]
    names, params, suffixes = [], {}, ("", "_reverse") if both else ("",)
    for suffix in suffixes:
        for name, sizes in (("weight", (gates * units, shape[1])),
                            ("recurrent_weight", (gates * units, units))):
            params[name + suffix] = (torch.randn(*sizes) / sizes[1] ** 0.5, lambda t: t.t())
            names.append(name + suffix)
        for name in ("bias", "recurrent_bias") if bias else ():
            names.append(name + suffix)
            if name == "bias" or kind == "gru":
                params[name + suffix] = (torch.randn(gates * units), lambda t: t)

    def run(x, p):
        weights = [p.get(n, torch.zeros(gates * units)) for n in names]
        h = torch.zeros(len(suffixes), len(x), units)
        run_all = {"lstm": torch.lstm, "gru": torch.gru, "simple_rnn": torch.rnn_relu
                   if nonlinearity == "relu" else torch.rnn_tanh}[kind]
        x = x.transpose(1, 2)
        y = run_all(x, [h, h] if kind == "lstm" else h, weights, bias, 1, 0.0, True, both, True)
        return torch.cat(list(y[1]), 1) if last else y[0].transpose(1, 2)

    config = '{ layer = "%s"; units = %d; return = "%s"; bidirectional = %s; bias = %s; %s}' % (
        kind, units, "last" if last else "sequence", "true" if both else "false",
        "true" if bias else "false", 'activation = "%s"; ' % nonlinearity if nonlinearity else "")
    return layer_case(config, shape, run, params)


def sequences():
    for kind in ("lstm", "gru", "simple_rnn"):
        yield recurrent(kind, (5, 3), 4)
        yield recurrent(kind, (1, 4), 3)
        yield recurrent(kind, (9, 2), 17, last=True)
        yield recurrent(kind, (4, 5), 6, both=True)
        yield recurrent(kind, (4, 3), 5, last=True, both=True, bias=False)
    yield recurrent("simple_rnn", (6, 3), 7, nonlinearity="relu")
    w, b = torch.randn(4, 6), torch.randn(4)
    yield layer_case('{ layer = "dense"; units = 4; activation = "tanh"; }', (5, 6),
                     lambda x, p: torch.tanh(F.linear(x.transpose(1, 2), p["weight"], p["bias"])
                                             ).transpose(1, 2),
                     {"weight": (w, lambda t: t.t()), "bias": (b, lambda t: t)})


def numbers_case(config, shape, classes, function, params):
    """Of whole numbers, which have no slope."""
    x = torch.randint(classes, (BATCH, *shape))
    for p, _ in params.values():
        p.requires_grad_()
    y = function(x.reshape(BATCH, shape[0]), {k: p for k, (p, _) in params.items()})
    dy = torch.randn_like(y)
    if params:
        y.backward(dy)
    return {
        "config": config, "input": list(shape), "batch": BATCH,
        "x": numbers(x), "y": numbers(y), "dy": numbers(dy), "dx": numbers(torch.zeros(x.shape)),
        "params": {k: numbers(ours(p)) for k, (p, ours) in params.items()},
        "grads": {k: numbers(ours(p.grad)) for k, (p, ours) in params.items()},
    }


def embeddings():
    for shape, vocabulary, units in (((7,), 5, 3), ((9, 1), 4, 20), ((1,), 30, 7)):
        yield numbers_case('{ layer = "embedding"; vocabulary = %d; units = %d; }' % (
            vocabulary, units), shape, vocabulary, lambda x, p: F.embedding(x, p["weight"]),
            {"weight": (torch.randn(vocabulary, units), lambda t: t)})
        yield numbers_case('{ layer = "one_hot"; classes = %d; }' % vocabulary, shape, vocabulary,
                           lambda x, _: F.one_hot(x, vocabulary).float(), {})


def positions():
    for steps, channels in ((6, 8), (70, 3), (1, 4)):
        waves = torch.zeros(channels, steps)
        for c in range(channels):
            angle = torch.arange(steps).double() / 10000 ** (c // 2 * 2 / channels)
            waves[c] = (torch.cos if c % 2 else torch.sin)(angle).float()
        yield layer_case('{ layer = "positional_encoding"; }', (steps, channels),
                         lambda x, _: x + waves, {})
        yield layer_case('{ layer = "positional_encoding"; kind = "learned"; }', (steps, channels),
                         lambda x, p: x + p["weight"].t(),
                         {"weight": (torch.randn(steps, channels), lambda t: t)})


def attention(shape, heads, causal, bias=True, units=None):
    """units: other than the channels, which torch.nn.MultiheadAttention does not know."""
    steps, channels = shape
    wide = units or channels
    # True: not seen
    mask = torch.ones(steps, steps, dtype=torch.bool).triu(1) if causal else None
    params = {"qkv_weight": (torch.randn(3 * wide, channels) / channels ** 0.5, lambda t: t.t()),
              "output_weight": (torch.randn(wide, wide) / wide ** 0.5, lambda t: t.t())}
    if bias:
        params["qkv_bias"] = (torch.randn(3 * wide), lambda t: t)
        params["output_bias"] = (torch.randn(wide), lambda t: t)

    def module(x, p):
        layer = torch.nn.MultiheadAttention(channels, heads, bias=bias, batch_first=True)
        names = {"qkv_weight": "in_proj_weight", "output_weight": "out_proj.weight",
                 "qkv_bias": "in_proj_bias", "output_bias": "out_proj.bias"}
        return torch.nn.utils.stateless.functional_call(
            layer, {names[k]: v for k, v in p.items()}, (x, x, x), {"attn_mask": mask})[0]

    def by_hand(x, p):
        q, k, v = (t.unflatten(2, (heads, wide // heads)).transpose(1, 2) for t in F.linear(
            x, p["qkv_weight"], p.get("qkv_bias")).chunk(3, 2))
        s = q @ k.transpose(2, 3) / (wide // heads) ** 0.5
        if causal:
            s = s.masked_fill(mask, -torch.inf)
        o = (torch.softmax(s, 3) @ v).transpose(1, 2).flatten(2)
        return F.linear(o, p["output_weight"], p.get("output_bias"))

    config = '{ layer = "multi_head_attention"; heads = %d; causal = %s; bias = %s;%s }' % (
        heads, flag(causal), flag(bias), " units = %d;" % units if units else "")
    run = by_hand if units else module
    return layer_case(config, shape, lambda x, p: run(x.transpose(1, 2), p).transpose(1, 2), params)


def attentions():
    for causal in (False, True):
        yield attention((5, 8), 2, causal)
        yield attention((1, 6), 3, causal)
        yield attention((7, 12), 1, causal, bias=False)
        yield attention((130, 4), 4, causal)
        yield attention((19, 24), 3, causal)
        yield attention((6, 5), 4, causal, units=16)
def stateful(kind, shape, units, last=False, bias=True):
    """The second of two batches, which begins with the detached state that the first left."""
    gates = {"lstm": 4, "gru": 3, "simple_rnn": 1}[kind]
    steps, channels = shape
    run = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple_rnn": torch.nn.RNN}[kind](
        channels, units, bias=bias, batch_first=True)
    params = {"weight": run.weight_ih_l0, "recurrent_weight": run.weight_hh_l0}
    if bias:
        params["bias"] = run.bias_ih_l0
        if kind == "gru":
            params["recurrent_bias"] = run.bias_hh_l0
        else:
            torch.nn.init.zeros_(run.bias_hh_l0)
    start = {"state": torch.randn(BATCH, units)}
    if kind == "lstm":
        start["memory"] = torch.randn(BATCH, units)
    hidden = tuple(s.unsqueeze(0) for s in start.values())
    before, x = torch.randn(BATCH, steps, channels), torch.randn(BATCH, steps, channels)
    x.requires_grad_()
    _, carried = run(before, hidden if kind == "lstm" else hidden[0])
    carried = tuple(s.detach() for s in carried) if kind == "lstm" else carried.detach()
    y, end = run(x, carried)
    y = y[:, -1] if last else y
    dy = torch.randn_like(y)
    y.backward(dy)
    end = end if kind == "lstm" else (end,)
    return {
        "config": '{ layer = "%s"; units = %d; stateful = true; return = "%s"; bias = %s; }' % (
            kind, units, "last" if last else "sequence", "true" if bias else "false"),
        "input": list(shape), "batch": BATCH, "before": numbers(before),
        "start": {k: numbers(s) for k, s in start.items()},
        "states": {k: numbers(s) for k, s in zip(start, end)},
        "x": numbers(x), "y": numbers(y), "dy": numbers(dy), "dx": numbers(x.grad),
        "params": {k: numbers(p.t()) for k, p in params.items()},
        "grads": {k: numbers(p.grad.t()) for k, p in params.items()},
    }


def stateful_layers():
    for kind in ("lstm", "gru", "simple_rnn"):
        yield stateful(kind, (5, 3), 4)
        yield stateful(kind, (1, 4), 17)
        yield stateful(kind, (6, 2), 5, last=True, bias=False)


def loss_case(name, function, channels, target, classes, config=""):
    z = 3 * torch.randn(len(target), channels)
    z.requires_grad_()
    value = function(z, target)
    value.backward()
    return {"type": name, "config": config, "rows": len(target), "channels": channels,
            "classes": classes, "output": numbers(z), "target": numbers(target.float()),
            "mean": float("%.9g" % value.item()), "grad": numbers(z.grad)}


def losses():
    classes = torch.tensor([0, 3, 1, 2, 3, 0])
    two = torch.tensor([0, 1, 1, 0, 1])
    real = torch.randn(5, 3)
    yield loss_case("softmax_cross_entropy", F.cross_entropy, 4, classes, 4)
    yield loss_case("binary_cross_entropy", lambda z, t: F.binary_cross_entropy_with_logits(
        z[:, 0], t.float()), 1, two, 2)
    yield loss_case("binary_cross_entropy", F.binary_cross_entropy_with_logits, 3,
                    torch.rand(5, 3), 0)
    yield loss_case("mse", F.mse_loss, 3, real, 0)
    yield loss_case("mse", lambda z, t: F.mse_loss(z, F.one_hot(t, 4).float()), 4, classes, 4)
    yield loss_case("l1", F.l1_loss, 3, real, 0)
    # PyTorch divides the multi-class hinge by the number of classes, dltrain does not
    yield loss_case("hinge", lambda z, t: 4 * F.multi_margin_loss(z, t), 4, classes, 4)
    yield loss_case("hinge", lambda z, t: torch.relu(1 - (2 * t - 1) * z[:, 0]).mean(), 1, two, 2)


def dice(z, t, smooth):
    p = torch.sigmoid(z)
    return (1 - (2 * (p * t).sum(1) + smooth) / (p.sum(1) + t.sum(1) + smooth)).mean()


def more_losses():
    classes = torch.tensor([0, 3, 1, 2, 3, 0])
    two = torch.tensor([0, 1, 1, 0, 1])
    real = torch.randn(5, 3)
    for delta in (1.0, 0.3):
        yield loss_case("huber", lambda z, t: F.huber_loss(z, t, delta=delta), 3, real, 0,
                        "delta = %g;" % delta)
    # PyTorch divides by the number of classes, as for hinge
    yield loss_case("squared_hinge", lambda z, t: 4 * F.multi_margin_loss(z, t, p=2, margin=1.5),
                    4, classes, 4, "margin = 1.5;")
    yield loss_case("squared_hinge", lambda z, t: (torch.relu(1 - (2 * t - 1) * z[:, 0]) ** 2)
                    .mean(), 1, two, 2)
    some = torch.softmax(torch.randn(5, 4), 1)
    some[1] = torch.tensor([0.0, 1.0, 0.0, 0.0])
    yield loss_case("kl_divergence", lambda z, t: F.kl_div(
        torch.log_softmax(z, 1), t, reduction="batchmean"), 4, some, 0)
    mask = (torch.rand(5, 12) < 0.3).float()
    mask[2] = 0
    yield loss_case("dice", lambda z, t: dice(z, t, 1.0), 12, mask, 0)
    yield loss_case("dice", lambda z, t: dice(z, t, 0.1), 12, torch.rand(5, 12), 0,
                    "smooth = 0.1;")
    yield loss_case("perceptron", lambda z, t: ((z - t) ** 2 / 2).sum(1).mean(), 3,
                    (torch.rand(5, 3) < 0.5).float(), 0)
    weights = [0.5, 2.0, 1.25, 0.0]
    text = "class_weights = (0.5, 2, 1.25, 0);"
    # dltrain divides by the rows, not by their weights
    for s, w in ((0.1, None), (1.0, None), (0.0, weights), (0.2, weights)):
        w_tensor = torch.tensor(w) if w else None
        yield loss_case("softmax_cross_entropy", lambda z, t: F.cross_entropy(
            z, t, w_tensor, label_smoothing=s, reduction="sum") / len(t), 4, classes, 4,
                        "label_smoothing = %g; %s" % (s, text if w else ""))


def left_out_and_balanced():
    """The mean is over the rows that count; of weighted losses the sum over them is divided by
    their number, as everywhere in dltrain."""
    classes = torch.tensor([0, 3, 1, 2, 3, 0, 3, 2])
    name = "softmax_cross_entropy"
    for ignored, s in ((2, 0.0), (0, 0.0), (3, 0.2)):
        yield loss_case(name, lambda z, t: F.cross_entropy(
            z, t, ignore_index=ignored, label_smoothing=s), 4, classes, 4,
                        "ignore_label = %d; label_smoothing = %g;" % (ignored, s))
    counts = torch.bincount(classes, minlength=5).float()
    for ignored, s in ((-100, 0.0), (-100, 0.1), (3, 0.0)):
        c = counts.clone()
        if ignored >= 0:
            c[ignored] = 0
        w = torch.where(c > 0, c.sum() / ((c > 0).sum() * c.clamp(min=1)), torch.zeros(5))
        yield loss_case(name, lambda z, t: F.cross_entropy(
            z, t, w, label_smoothing=s, ignore_index=ignored, reduction="sum")
            / (t != ignored).sum(), 5, classes, 5, 'class_weights = "balanced"; '
                        "label_smoothing = %g; %s" % (
                            s, "ignore_label = %d;" % ignored if ignored >= 0 else ""))


def optimizer_case(config, make, steps=5, make_scheduler=None):
    """Two tensors, the first with weight decay, on f = sum of a (w - c)^2 with fixed a, c."""
    w, b = torch.randn(4, 3), torch.randn(3)
    aw, ab, cw, cb = torch.rand(4, 3) + 0.5, torch.rand(3) + 0.5, torch.randn(4, 3), torch.randn(3)
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


def optimizers():
    yield optimizer_case('type = "sgd"; learning_rate = 0.05;',
                         lambda g: torch.optim.SGD(g, lr=0.05))
    yield optimizer_case('type = "sgd"; learning_rate = 0.05; momentum = 0.9;',
                         lambda g: torch.optim.SGD(g, lr=0.05, momentum=0.9))
    yield optimizer_case('type = "sgd"; learning_rate = 0.05; momentum = 0.9; nesterov = true;',
                         lambda g: torch.optim.SGD(g, lr=0.05, momentum=0.9, nesterov=True))
    yield optimizer_case('type = "adam"; learning_rate = 0.1;',
                         lambda g: torch.optim.Adam(g, lr=0.1))
    yield optimizer_case(
        'type = "adam"; learning_rate = 0.1; beta1 = 0.8; beta2 = 0.99; epsilon = 1e-6;',
        lambda g: torch.optim.Adam(g, lr=0.1, betas=(0.8, 0.99), eps=1e-6))


def head_case(network, loss, data, x, y, params, run, ends, steps=3):
    """Steps of SGD on a net with auxiliary heads. run(x, params): the outputs, the net's own first;
    ends: a (weight, loss function) each. Parameters are in dltrain's layout already."""
    for p in params.values():
        p.requires_grad_()
    start = {k: numbers(p) for k, p in params.items()}
    optimizer = torch.optim.SGD(params.values(), lr=0.1, momentum=0.9)
    track, grads = [], None
    for _ in range(steps):
        optimizer.zero_grad()
        values = [f(z, y) for z, (_, f) in zip(run(x, params), ends)]
        sum(w * v for v, (w, _) in zip(values, ends)).backward()
        grads = grads or {k: numbers(p.grad) for k, p in params.items()}
        track.append([float("%.9g" % v.item()) for v in values])
        optimizer.step()
    return {"config": 'network = ( %s ); loss = { %s }; data = { format = "random"; %s };'
                      'optimizer = { type = "sgd"; learning_rate = 0.1; momentum = 0.9; };'
                      % (network, loss, data),
            "rows": len(x), "x": numbers(x), "y": numbers(y.float()), "start": start,
            "grads": grads, "track": track, "end": {k: numbers(p) for k, p in params.items()}}


def heads():
    def layer(name, inputs, units):
        return {name + ".weight": torch.randn(inputs, units) / inputs ** 0.5,
                name + ".bias": torch.randn(units)}

    def dense(name, x, p):
        return x.flatten(1) @ p[name + ".weight"] + p[name + ".bias"]

    # two heads, one with a loss of its own, behind a convolution and amid dense layers
    params = {"c.weight": torch.randn(2, 2, 2, 3) / 8 ** 0.5, "c.bias": torch.randn(3)}
    for name, inputs, units in (("a1", 12, 4), ("a2", 4, 3), ("b", 27, 5), ("a3", 5, 3),
                                ("d", 5, 3)):
        params.update(layer(name, inputs, units))

    def classify(x, p):
        c = torch.tanh(F.conv2d(x.movedim(-1, 1), p["c.weight"].permute(3, 2, 0, 1), p["c.bias"]))
        first = dense("a2", torch.relu(dense("a1", nhwc(F.avg_pool2d(c, 2, 1)), p)), p)
        b = torch.tanh(dense("b", nhwc(c), p))
        return dense("d", b, p), first, dense("a3", b, p)

    yield head_case(
        '{ layer = "conv2d"; name = "c"; filters = 3; kernel = 2; activation = "tanh"; },'
        '{ layer = "aux"; weight = 0.3; body = ('
        '  { layer = "avg_pool"; size = 2; stride = 1; },'
        '  { layer = "dense"; name = "a1"; units = 4; activation = "relu"; },'
        '  { layer = "dense"; name = "a2"; units = 3; } ); },'
        '{ layer = "dense"; name = "b"; units = 5; activation = "tanh"; },'
        '{ layer = "aux"; weight = 0.7; body = ( { layer = "dense"; name = "a3"; units = 3; } );'
        '  loss = { type = "softmax_cross_entropy"; label_smoothing = 0.1; }; },'
        '{ layer = "dense"; name = "d"; units = 3; }',
        'type = "softmax_cross_entropy";', "input = (4, 4, 2); classes = 3; train = { rows = 8; };",
        torch.randn(5, 4, 4, 2), torch.tensor([0, 2, 1, 1, 0]), params, classify,
        [(1, F.cross_entropy), (0.3, F.cross_entropy),
         (0.7, lambda z, t: F.cross_entropy(z, t, label_smoothing=0.1))])

    # numbers as targets, and weights that the head and the net have in common
    params = {**layer("a", 4, 6), **layer("h", 6, 2)}

    def regress(x, p):
        a = torch.tanh(dense("a", x, p))
        return dense("h", torch.sigmoid(a), p), dense("h", a, p)

    yield head_case(
        '{ layer = "dense"; name = "a"; units = 6; activation = "tanh"; },'
        '{ layer = "aux"; name = "near"; weight = 1.5; loss = { type = "huber"; delta = 0.3; };'
        '  body = ( { layer = "dense"; name = "h"; units = 2; } ); },'
        '{ layer = "activation"; activation = "sigmoid"; },'
        '{ layer = "dense"; name = "i"; share = "h"; units = 2; }',
        'type = "mse";', "input = (4); outputs = 2; train = { rows = 8; };",
        torch.randn(3, 4), torch.rand(3, 2), params, regress,
        [(1, F.mse_loss), (1.5, lambda z, t: F.huber_loss(z, t, delta=0.3))])


def tied(shape, hidden, activation, bias=True):
    """A dense layer with another one's weight, transposed; the first one's has no bias."""
    n = shape[-1]
    params = {"weight": (torch.randn(hidden, n) / n ** 0.5, lambda t: t.t())}
    if bias:
        params["bias"] = (torch.randn(n), lambda t: t)

    def run(x, p):
        code = torch.tanh(F.linear(nhwc(x), p["weight"]))
        y = ACTIVATIONS[activation](F.linear(code, p["weight"].t(), p.get("bias")))
        return y.movedim(-1, 1)

    config = ('{ layer = "dense"; name = "e"; units = %d; activation = "tanh"; bias = false; }, '
              '{ layer = "dense"; share = "e"; transpose = true; units = %d; activation = "%s"; '
              'bias = %s; }') % (hidden, n, activation, flag(bias))
    return layer_case(config, shape, run, params)


def tied_layers():
    yield tied((7,), 4, "linear")
    yield tied((5,), 9, "sigmoid")
    yield tied((6,), 3, "relu", False)
    yield tied((40,), 33, "elu")
    yield tied((4, 5), 3, "tanh")


def ceil_pool(kind, shape, size, stride, padding):
    def run(x, _):
        if kind.startswith("max"):
            f = F.max_pool1d if kind.endswith("1d") else F.max_pool2d
            return f(x, size, stride, padding, ceil_mode=True)
        if kind.endswith("1d"):
            return F.avg_pool2d(x[:, :, None], (1, size), (1, stride), (0, padding), ceil_mode=True,
                                count_include_pad=False)[:, :, 0]
        return F.avg_pool2d(x, size, stride, padding, ceil_mode=True, count_include_pad=False)

    def text(value):
        return "(%d, %d)" % value if isinstance(value, tuple) else str(value)

    config = '{ layer = "%s"; size = %s; stride = %s; padding = %s; ceil_mode = true; }' % (
        kind, text(size), text(stride), text(padding))
    return layer_case(config, shape, run, {})


def ceil_pools():
    for kind in ("max_pool", "avg_pool"):
        yield ceil_pool(kind, (7, 5, 3), 2, 2, 0)
        yield ceil_pool(kind, (8, 6, 2), 3, 2, 0)
        yield ceil_pool(kind, (6, 8, 2), 3, 2, 1)
        yield ceil_pool(kind, (5, 6, 20), (2, 3), (3, 2), (1, 0))
        # the last window would begin in the padding: there is none
        yield ceil_pool(kind, (5, 5, 2), 2, 2, 1)
        yield ceil_pool(kind, (2, 3, 1), 2, 5, 1)
        # larger than the image
        yield ceil_pool(kind, (2, 4, 3), 3, 2, 0)
    for kind in ("max_pool1d", "avg_pool1d"):
        yield ceil_pool(kind, (10, 3), 3, 3, 0)
        yield ceil_pool(kind, (8, 17), 3, 2, 1)
        yield ceil_pool(kind, (3, 2), 2, 2, 1)
        yield ceil_pool(kind, (2, 4), 3, 2, 0)


def scheduled(config, make, schedule="", decay=None, steps=5):
    """optimizer_case with the learning rate halved after every second step."""
    def halve(optimizer):
        return torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)

    case = optimizer_case(config, make, steps, halve if schedule else None)
    case["schedule"] = schedule
    if decay is not None:
        case["l2"] = decay
    return case


class NAdam(torch.optim.NAdam):
    """As PyTorch documents it, and does from 2.0 on: 1.13 has mu_t twice in the second product."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for w in group["params"]:
                s = self.state[w]
                if not s:
                    s.update(t=0, product=1.0, m=torch.zeros_like(w), v=torch.zeros_like(w))
                s["t"] += 1
                g = w.grad + group["weight_decay"] * w
                mu, after = (b1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"]))
                             for t in (s["t"], s["t"] + 1))
                s["product"] *= mu
                s["m"].mul_(b1).add_(g, alpha=1 - b1)
                s["v"].mul_(b2).addcmul_(g, g, value=1 - b2)
                root = (s["v"] / (1 - b2 ** s["t"])).sqrt() + group["eps"]
                w.addcdiv_(g, root, value=-group["lr"] * (1 - mu) / (1 - s["product"]))
                w.addcdiv_(s["m"], root,
                           value=-group["lr"] * after / (1 - s["product"] * after))


def first_order():
    """Weight decay and a schedule are on, except where an optimizer takes none."""
    step = 'type = "step"; every = 2; factor = 0.5;'
    o = torch.optim
    yield scheduled('type = "sgd"; learning_rate = 0.05; momentum = 0.9; nesterov = true;',
                    lambda g: o.SGD(g, lr=0.05, momentum=0.9, nesterov=True), step)
    yield scheduled('type = "sgd"; learning_rate = 0.05; momentum = 0.8;',
                    lambda g: o.SGD(g, lr=0.05, momentum=0.8), step)
    yield scheduled('type = "adagrad";', lambda g: o.Adagrad(g), step)
    yield scheduled('type = "adagrad"; learning_rate = 0.3; epsilon = 0.01;',
                    lambda g: o.Adagrad(g, lr=0.3, eps=0.01), step)
    yield scheduled('type = "rmsprop";', lambda g: o.RMSprop(g), step)
    yield scheduled('type = "rmsprop"; alpha = 0.8; epsilon = 0.001; centered = true;',
                    lambda g: o.RMSprop(g, alpha=0.8, eps=0.001, centered=True), step)
    yield scheduled('type = "rmsprop"; alpha = 0.9; momentum = 0.7;',
                    lambda g: o.RMSprop(g, alpha=0.9, momentum=0.7), step)
    yield scheduled('type = "rmsprop"; alpha = 0.9; momentum = 0.7; centered = true;',
                    lambda g: o.RMSprop(g, alpha=0.9, momentum=0.7, centered=True), step)
    yield scheduled('type = "adadelta";', lambda g: o.Adadelta(g), step)
    yield scheduled('type = "adadelta"; learning_rate = 2.0; rho = 0.8; epsilon = 0.001;',
                    lambda g: o.Adadelta(g, lr=2, rho=0.8, eps=0.001), step)
    yield scheduled('type = "adam"; learning_rate = 0.05;', lambda g: o.Adam(g, lr=0.05), step)
    yield scheduled('type = "adamw"; learning_rate = 0.05; weight_decay = 0.1;',
                    lambda g: o.AdamW(g, lr=0.05), step, decay=0)
    yield scheduled('type = "nadam";', lambda g: NAdam(g), step)
    yield scheduled('type = "nadam"; learning_rate = 0.05; beta1 = 0.8; beta2 = 0.99; '
                    'epsilon = 1e-6; momentum_decay = 0.5;',
                    lambda g: NAdam(g, lr=0.05, betas=(0.8, 0.99), eps=1e-6,
                                    momentum_decay=0.5), step, steps=12)
    yield scheduled('type = "rprop";', lambda g: o.Rprop(g), decay=0, steps=9)
    yield scheduled('type = "rprop"; learning_rate = 0.2; eta_minus = 0.4; eta_plus = 1.5; '
                    'min_step = 0.1; max_step = 0.5;',
                    lambda g: o.Rprop(g, lr=0.2, etas=(0.4, 1.5), step_sizes=(0.1, 0.5)), decay=0,
                    steps=9)


def schedule_case(config, make, epochs, steps=1, values=None):
    """The factors of a schedule in every step; make: the optimizer to a scheduler, stepped after
    every one of our steps, or after every epoch of so many steps."""
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


def schedules():
    s = torch.optim.lr_scheduler
    yield schedule_case('type = "constant";', lambda o: s.ConstantLR(o, 1, 1), 3, 2)
    for by in ("epoch", "step"):
        keys = 'by = "%s"; ' % by
        yield schedule_case('type = "step"; every = 3; factor = 0.5; ' + keys,
                            lambda o: s.StepLR(o, 3, 0.5), 9, 2)
        yield schedule_case('type = "piecewise"; at = (2, 3, 7); factors = (0.5, 2, 0.01); ' + keys,
                            lambda o: s.LambdaLR(o, lambda n: 1 if n < 2 else 0.5 if n < 3 else
                                                 2 if n < 7 else 0.01), 9, 2)
        yield schedule_case('type = "exponential"; factor = 0.9; ' + keys,
                            lambda o: s.ExponentialLR(o, 0.9), 6, 3)
        yield schedule_case('type = "inverse_time"; decay = 0.3; ' + keys,
                            lambda o: s.LambdaLR(o, lambda n: 1 / (1 + 0.3 * n)), 6, 3)
        yield schedule_case('type = "sqrt"; scale = 0.7; ' + keys,
                            lambda o: s.LambdaLR(o, lambda n: 0.7 / (n + 1) ** 0.5), 6, 3)
    yield schedule_case('type = "cosine"; end = 0.1; by = "step";',
                        lambda o: s.CosineAnnealingLR(o, 12, 0.1), 4, 3)
    yield schedule_case('type = "cosine";', lambda o: s.CosineAnnealingLR(o, 12), 4, 3,
                        values="step")
    for by in ("epoch", "step"):
        yield schedule_case('type = "one_cycle"; by = "%s";' % by,
                            lambda o: s.OneCycleLR(o, 1.0, total_steps=20), 5, 4, values="step")
    yield schedule_case('type = "one_cycle"; rise = 0.5; start = 0.1; end = 0.001;',
                        lambda o: s.OneCycleLR(o, 1.0, total_steps=12, pct_start=0.5,
                                               div_factor=10, final_div_factor=100), 3, 4,
                        values="step")
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
    yield schedule_case('type = "constant"; warmup = 5; by = "step";',
                        lambda o: s.LinearLR(o, 1 / 5, 1, 4), 3, 4)
    yield schedule_case('type = "exponential"; factor = 0.5; warmup = 2;',
                        lambda o: s.LambdaLR(o, lambda n: (n + 1) / 8 if n < 8
                                             else 0.5 ** ((n - 8) // 4)), 5, 4, values="step")
    yield schedule_case('type = "cosine"; warmup = 4; by = "step";',
                        lambda o: s.LambdaLR(o, lambda n: (n + 1) / 4 if n < 4 else
                                             (1 + np.cos(np.pi * (n - 4) / 16)) / 2), 5, 4)


# Newer generators come last, so that they leave the numbers of the older ones as they are.
parts = {"layers": list(layers()), "losses": list(losses()), "optimizers": list(optimizers())}
parts["layers"] += shape_layers()
parts["losses"] += more_losses()
parts["layers"] += unpool()
for generator in (
    sample_norms,
    local_responses,
    noises,
    learned,
    image_filters,
    sequences,
    embeddings,
    positions,
    attentions,
    stateful_layers,
    tied_layers,
    ceil_pools,
    shakes,
):
    parts["layers"] += seeded(generator)
parts["heads"] = seeded(heads)
parts["losses"] += seeded(left_out_and_balanced)
parts["optimizers"] += seeded(first_order)
parts["schedules"] = list(schedules())
json.dump({"torch": torch.__version__, **parts}, sys.stdout)
print()

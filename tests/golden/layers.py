# SPDX-License-Identifier: MIT
"""Layers: outputs and gradients by PyTorch."""
import numpy as np
import torch
import torch.nn.functional as F

from common import ACTIVATIONS, BATCH, flag, layer_case, member, nhwc, numbers, rand, randn


def scaled(divisor, *shape):
    """Weights of about 1 / divisor."""
    return torch.round(torch.randn(*shape) / divisor, decimals=3)


def same(size, kernel, stride):
    """TensorFlow's padding: ceil(size / stride) outputs, an odd pixel at the end."""
    missing = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return missing // 2, missing - missing // 2


def dense(units, shape, activation="linear", bias=True):
    n = int(np.prod(shape))
    w = scaled(n ** 0.5, units, n)

    def run(x, p):
        z = F.linear(nhwc(x).flatten(1), p["weight"], p.get("bias"))
        return ACTIVATIONS[activation](z)

    params = {"weight": (w, lambda t: t.t())}
    if bias:
        params["bias"] = (randn(units), lambda t: t)
    config = '{ layer = "dense"; units = %d; activation = "%s"; bias = %s; }' % (
        units, activation, "true" if bias else "false")
    return layer_case(config, shape, run, params)


def conv(shape, filters, kernel, stride=(1, 1), padding="valid", activation="linear", bias=True):
    h, w, c = shape
    weight = scaled((c * kernel[0] * kernel[1]) ** 0.5, filters, c, *kernel)
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
        params["bias"] = (randn(filters), lambda q: q)
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
    start = {"mean": randn(c), "variance": rand(c) + 0.5}
    norm.running_mean.copy_(start["mean"])
    norm.running_var.copy_(start["variance"])
    params = {}
    if affine:
        params = {"scale": (rand(c) + 0.5, lambda t: t), "shift": (randn(c), lambda t: t)}

    def run(x, p):
        z = F.batch_norm(x, norm.running_mean, norm.running_var, p.get("scale"), p.get("shift"),
                         training, 0.1, 1e-5)
        return ACTIVATIONS[activation](z)

    flag = "true" if affine else "false"
    config = '{ layer = "batch_norm"; activation = "%s"; scale = %s; shift = %s; }' % (
        activation, flag, flag)
    case = layer_case(config, shape, run, params, batch=3)
    case["training"] = training
    case["start"] = {k: numbers(v) for k, v in start.items()}
    case["states"] = {"mean": numbers(norm.running_mean), "variance": numbers(norm.running_var)}
    return case


def wide_conv(config, shape, filters, kernel, run, ours, groups=1):
    c = shape[-1]
    weight = scaled((c * kernel[-1]) ** 0.5, filters, c // groups, *kernel)
    return layer_case(config, shape, run, {"weight": (weight, ours),
                                           "bias": (randn(filters), lambda q: q)})


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


def sample_norm(kind, shape, groups=1, activation="linear", scale=True, shift=True):
    """layer_norm over the channels of a position, group_norm, instance_norm."""
    c = shape[-1]
    params = {}
    if scale:
        params["scale"] = (rand(c) + 0.5, lambda t: t)
    if shift:
        params["shift"] = (randn(c), lambda t: t)

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


def local_response(shape, size, alpha, beta, k):
    config = ('{ layer = "local_response_norm"; size = %d; alpha = %g; beta = %g; k = %g; }' % (
        size, alpha, beta, k))
    return layer_case(config, shape,
                      lambda x, _: F.local_response_norm(x, size, alpha, beta, k), {})


def prelu(shape):
    params = {"slope": (randn(shape[-1]), lambda t: t)}
    return layer_case('{ layer = "prelu"; }', shape, lambda x, p: F.prelu(x, p["slope"]), params)


def scale(shape, activation="linear", shift=True):
    c = shape[-1]
    params = {"scale": (randn(c), lambda t: t)}
    if shift:
        params["shift"] = (randn(c), lambda t: t)

    def run(x, p):
        wide = (-1, 1, 1) if x.dim() == 4 else (-1,)
        z = x * p["scale"].reshape(wide)
        return ACTIVATIONS[activation](z + p["shift"].reshape(wide) if shift else z)

    return layer_case('{ layer = "scale"; shift = %s; activation = "%s"; }' % (
        flag(shift), activation), shape, run, params)


def maxout(shape, units, pieces, bias=True):
    n = int(np.prod(shape))
    params = {"weight": (scaled(n ** 0.5, pieces * units, n), lambda t: t.t())}
    if bias:
        params["bias"] = (randn(pieces * units), lambda t: t)

    def run(x, p):
        z = F.linear(nhwc(x).flatten(1), p["weight"], p.get("bias"))
        return z.reshape(-1, pieces, units).max(1).values

    return layer_case('{ layer = "maxout"; units = %d; pieces = %d; bias = %s; }' % (
        units, pieces, flag(bias)), shape, run, params)


def image_filter(shape, kind, size, kernel, keys=""):
    """kernel: [height][width]; zero padding, an odd pixel at the bottom and the right."""
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


def recurrent(kind, shape, units, last=False, both=False, bias=True, nonlinearity=None):
    """PyTorch's second bias is zero where dltrain has one."""
    gates = {"lstm": 4, "gru": 3, "simple_rnn": 1}[kind]
    names, params, suffixes = [], {}, ("", "_reverse") if both else ("",)
    for suffix in suffixes:
        for name, sizes in (("weight", (gates * units, shape[1])),
                            ("recurrent_weight", (gates * units, units))):
            params[name + suffix] = (scaled(sizes[1] ** 0.5, *sizes), lambda t: t.t())
            names.append(name + suffix)
        for name in ("bias", "recurrent_bias") if bias else ():
            names.append(name + suffix)
            if name == "bias" or kind == "gru":
                params[name + suffix] = (randn(gates * units), lambda t: t)

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


def numbers_case(config, shape, classes, function, params):
    """Inputs are integers, without gradient."""
    x = torch.randint(classes, (BATCH, *shape))
    for p, _ in params.values():
        p.requires_grad_()
    y = function(x.reshape(BATCH, shape[0]), {k: p for k, (p, _) in params.items()})
    dy = randn(*y.shape)
    if params:
        y.backward(dy)
    return {
        "config": config, "input": list(shape), "batch": BATCH,
        "x": numbers(x), "y": numbers(y), "dy": numbers(dy), "dx": numbers(torch.zeros(x.shape)),
        "params": {k: numbers(ours(p)) for k, (p, ours) in params.items()},
        "grads": {k: numbers(ours(p.grad)) for k, (p, ours) in params.items()},
    }


def attention(shape, heads, causal, bias=True, units=None):
    """units: other than the channels, which torch.nn.MultiheadAttention does not support."""
    steps, channels = shape
    wide = units or channels
    # True: masked
    mask = torch.ones(steps, steps, dtype=torch.bool).triu(1) if causal else None
    params = {"qkv_weight": (scaled(channels ** 0.5, 3 * wide, channels), lambda t: t.t()),
              "output_weight": (scaled(wide ** 0.5, wide, wide), lambda t: t.t())}
    if bias:
        params["qkv_bias"] = (randn(3 * wide), lambda t: t)
        params["output_bias"] = (randn(wide), lambda t: t)

    def module(x, p):
        layer = torch.nn.MultiheadAttention(channels, heads, bias=bias, batch_first=True)
        names = {"qkv_weight": "in_proj_weight", "output_weight": "out_proj.weight",
                 "qkv_bias": "in_proj_bias", "output_bias": "out_proj.bias"}
        return torch.func.functional_call(
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


def stateful(kind, shape, units, last=False, bias=True):
    """The second of two batches, which starts with the detached state of the first."""
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
    start = {"state": randn(BATCH, units)}
    if kind == "lstm":
        start["memory"] = randn(BATCH, units)
    hidden = tuple(s.unsqueeze(0) for s in start.values())
    before, x = randn(BATCH, steps, channels), randn(BATCH, steps, channels)
    x.requires_grad_()
    _, carried = run(before, hidden if kind == "lstm" else hidden[0])
    carried = tuple(s.detach() for s in carried) if kind == "lstm" else carried.detach()
    y, end = run(x, carried)
    y = y[:, -1] if last else y
    dy = randn(*y.shape)
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


def tied(shape, hidden, activation, bias=True):
    """A dense layer with the transposed weight of another; the first has no bias."""
    n = shape[-1]
    params = {"weight": (scaled(n ** 0.5, hidden, n), lambda t: t.t())}
    if bias:
        params["bias"] = (randn(n), lambda t: t)

    def run(x, p):
        code = torch.tanh(F.linear(nhwc(x), p["weight"]))
        y = ACTIVATIONS[activation](F.linear(code, p["weight"].t(), p.get("bias")))
        return y.movedim(-1, 1)

    config = ('{ layer = "dense"; name = "e"; units = %d; activation = "tanh"; bias = false; }, '
              '{ layer = "dense"; share = "e"; transpose = true; units = %d; activation = "%s"; '
              'bias = %s; }') % (hidden, n, activation, flag(bias))
    return layer_case(config, shape, run, params)


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


@member("layers", "dense")
def _(name):
    yield dense(4, (5,))
    yield dense(7, (4, 3, 2), bias=False)
    yield dense(6, (5,), "relu")
    yield dense(6, (5,), "tanh")
    w, b = scaled(2, 4, 6), randn(4)
    yield layer_case('{ layer = "dense"; units = 4; activation = "tanh"; }', (5, 6),
                     lambda x, p: torch.tanh(F.linear(x.transpose(1, 2), p["weight"], p["bias"])
                                             ).transpose(1, 2),
                     {"weight": (w, lambda t: t.t()), "bias": (b, lambda t: t)})
    yield tied((7,), 4, "linear")
    yield tied((5,), 9, "sigmoid")
    yield tied((6,), 3, "relu", False)
    yield tied((40,), 33, "elu")
    yield tied((4, 5), 3, "tanh")


@member("layers", "activation")
def _(name):
    yield layer_case('{ layer = "activation"; activation = "tanh"; }', (3, 2, 5),
                     lambda x, _: torch.tanh(x), {})


@member("layers", "softmax")
def _(name):
    yield layer_case('{ layer = "softmax"; }', (6,), lambda x, _: torch.softmax(x, 1), {})


@member("layers", "flatten")
def _(name):
    yield layer_case('{ layer = "flatten"; }', (3, 2, 4), lambda x, _: nhwc(x).flatten(1), {})


@member("layers", "batch_norm")
def _(name):
    for shape in ((5, 4, 3), (7,)):
        yield batch_norm(shape, True)
        yield batch_norm(shape, False)
        yield batch_norm(shape, True, "relu")
        yield batch_norm(shape, True, "tanh", False)


@member("layers", "add")
def _(name):
    yield layer_case('{ layer = "add"; inputs = ("probe", "probe"); activation = "relu"; }',
                     (4, 3, 2), lambda x, _: torch.relu(x + x), {})


@member("layers", "multiply", "average", "maximum")
def _(name):
    """The second input is the data, without gradient."""
    f = {"multiply": lambda a, b: a * b, "average": lambda a, b: (a + b) / 2,
         "maximum": torch.maximum}[name]
    yield layer_case('{ layer = "%s"; inputs = ("probe", "input"); }' % name, (3, 4, 2),
                     lambda x, _: f(x, x.detach()), {})


@member("layers", "concat")
def _(name):
    yield layer_case('{ layer = "concat"; inputs = ("probe", "input", "probe"); }', (3, 4, 2),
                     lambda x, _: torch.cat((x, x.detach(), x), 1), {})


@member("layers", "pad")
def _(name):
    yield layer_case('{ layer = "pad"; height = (1, 2); width = (0, 3); channels = (2, 1); }',
                     (4, 3, 2), lambda x, _: F.pad(x, (0, 3, 1, 2, 2, 1)), {})


@member("layers", "crop")
def _(name):
    yield layer_case('{ layer = "crop"; height = 4; width = 3; }', (7, 5, 3),
                     lambda x, _: x[:, :, 1:5, 1:4], {})
    yield layer_case('{ layer = "crop"; height = 4; top = 3; left = 2; width = 3; }', (7, 5, 3),
                     lambda x, _: x[:, :, 3:7, 2:5], {})


@member("layers", "reshape")
def _(name):
    yield layer_case('{ layer = "reshape"; shape = (6, 4); }', (4, 3, 2),
                     lambda x, _: nhwc(nhwc(x).reshape(BATCH, 6, 4)), {})
    yield layer_case('{ layer = "reshape"; shape = (2, 3, 4); }', (24,),
                     lambda x, _: x.reshape(BATCH, 2, 3, 4).permute(0, 3, 1, 2), {})


@member("layers", "global_avg_pool", "global_max_pool")
def _(name):
    f = torch.mean if "avg" in name else torch.amax
    yield layer_case('{ layer = "%s"; }' % name, (5, 3, 4), lambda x, _: f(x, (2, 3)), {})
    yield layer_case('{ layer = "%s"; }' % name, (9, 5), lambda x, _: f(x, 2), {})


@member("layers", "conv2d")
def _(name):
    yield conv((6, 5, 3), 4, (3, 3))
    yield conv((6, 5, 3), 4, (3, 3), padding="same", activation="relu")
    yield conv((7, 6, 2), 5, (3, 2), (2, 2), "same", "tanh")
    yield conv((8, 8, 3), 4, (5, 5), (2, 1), 2, "elu")
    yield conv((4, 4, 8), 6, (1, 1), activation="leaky_relu")
    yield conv((5, 6, 4), 3, (1, 1), (2, 2))
    yield conv((7, 7, 1), 16, (3, 3), padding=1, bias=False, activation="sigmoid")
    yield conv((20, 14, 3), 8, (7, 7), (3, 3), 3, "relu")

    def hwio(q):
        return q.permute(2, 3, 1, 0)

    yield wide_conv('{ layer = "conv2d"; filters = 4; kernel = 3; dilation = (2, 1); padding = 1; }',
                    (8, 7, 3), 4, (3, 3),
                    lambda x, p: F.conv2d(x, p["weight"], p["bias"], 1, 1, (2, 1)), hwio)
    yield wide_conv('{ layer = "conv2d"; filters = 6; kernel = 3; groups = 2; stride = 2; }',
                    (7, 7, 4), 6, (3, 3),
                    lambda x, p: F.conv2d(x, p["weight"], p["bias"], 2, 0, 1, 2), hwio, 2)


@member("layers", "conv1d")
def _(name):
    yield wide_conv('{ layer = "conv1d"; filters = 5; kernel = 3; dilation = 2; padding = 2; }',
                    (9, 4), 5, (3,),
                    lambda x, p: F.conv1d(x, p["weight"], p["bias"], 1, 2, 2),
                    lambda q: q.permute(2, 1, 0))


@member("layers", "depthwise_conv2d")
def _(name):
    yield wide_conv('{ layer = "depthwise_conv2d"; kernel = 3; multiplier = 2; padding = 1; '
                    'activation = "tanh"; }', (6, 5, 3), 6, (3, 3),
                    lambda x, p: torch.tanh(F.conv2d(x, p["weight"], p["bias"], 1, 1, 1, 3)),
                    lambda q: q.reshape(3, 2, 3, 3).permute(2, 3, 0, 1), 3)


@member("layers", "conv2d_transpose")
def _(name):
    for kernel, stride, padding in ((2, 2, 0), (3, 2, 1), (4, 1, 2)):
        yield layer_case(
            '{ layer = "conv2d_transpose"; filters = 5; kernel = %d; stride = %d; padding = %d; '
            'activation = "relu"; }' % (kernel, stride, padding), (5, 4, 3),
            lambda x, p, s=stride, q=padding: torch.relu(
                F.conv_transpose2d(x, p["weight"], p["bias"], s, q)),
            {"weight": (scaled(3, 3, 5, kernel, kernel), lambda q: q.permute(2, 3, 1, 0)),
             "bias": (randn(5), lambda q: q)})


@member("layers", "max_pool", "avg_pool")
def _(name):
    yield pool(name, (6, 8, 3), (2, 2), (2, 2), 0)
    if name == "max_pool":
        yield pool(name, (7, 7, 2), (3, 3), (2, 2), 1)
    else:
        yield pool(name, (7, 9, 2), (3, 2), (2, 3), 1)
    yield ceil_pool(name, (7, 5, 3), 2, 2, 0)
    yield ceil_pool(name, (8, 6, 2), 3, 2, 0)
    yield ceil_pool(name, (6, 8, 2), 3, 2, 1)
    yield ceil_pool(name, (5, 6, 20), (2, 3), (3, 2), (1, 0))
    # the last window would start in the padding, so it does not exist
    yield ceil_pool(name, (5, 5, 2), 2, 2, 1)
    yield ceil_pool(name, (2, 3, 1), 2, 5, 1)
    # larger than the image
    yield ceil_pool(name, (2, 4, 3), 3, 2, 0)


@member("layers", "max_pool1d", "avg_pool1d")
def _(name):
    yield pool1d(name, (10, 3), 2, 2, 0)
    yield pool1d(name, (11, 20), 3, 2, 1)
    yield pool1d(name, (7, 1), 4, 1, 0)
    yield ceil_pool(name, (10, 3), 3, 3, 0)
    yield ceil_pool(name, (8, 17), 3, 2, 1)
    yield ceil_pool(name, (3, 2), 2, 2, 1)
    yield ceil_pool(name, (2, 4), 3, 2, 0)


@member("layers", "upsample")
def _(name):
    for size in ((2, 2), (3, 1), (2, 5)):
        for method in ("nearest", "bilinear", "bicubic"):
            yield upsample((4, 3, 2), size, method)
    yield upsample((1, 2, 17), (4, 2), "bilinear")
    yield upsample((1, 3, 1), (2, 2), "bicubic")


@member("layers", "unpool")
def _(name):
    pooled = '{ layer = "max_pool"; name = "pool"; size = (%d, %d); padding = %d; }, ' \
             '{ layer = "unpool"; inputs = ("pool", "pool"); }'

    def run(x, size, padding):
        y, places = F.max_pool2d(x, size, size, padding, return_indices=True)
        return F.max_unpool2d(y, places, size, size, padding, x.shape[2:])

    yield layer_case(pooled % (2, 2, 0), (6, 4, 3), lambda x, _: run(x, (2, 2), 0), {})
    yield layer_case(pooled % (3, 2, 1), (7, 5, 17), lambda x, _: run(x, (3, 2), 1), {})


@member("layers", "layer_norm")
def _(name):
    for shape in ((5, 4, 6), (10,), (1, 2, 150)):
        yield sample_norm(name, shape)
        yield sample_norm(name, shape, activation="relu", scale=False)
        yield sample_norm(name, shape, activation="tanh", shift=False)


@member("layers", "group_norm")
def _(name):
    for shape, groups in (((5, 4, 6), 2), ((3, 2, 6), 3), ((10,), 2), ((1, 2, 160), 32),
                          ((8, 6, 4), 2), ((6, 5, 3), 1)):
        yield sample_norm(name, shape, groups)
        yield sample_norm(name, shape, groups, "relu", shift=False)
        yield sample_norm(name, shape, groups, "elu", scale=False)


@member("layers", "instance_norm")
def _(name):
    for shape in ((5, 4, 6), (7, 9, 3)):
        yield sample_norm(name, shape)
        yield sample_norm(name, shape, activation="relu", scale=False, shift=False)
    yield sample_norm(name, (5, 4, 6), activation="softmax")


@member("layers", "local_response_norm")
def _(name):
    yield layer_case('{ layer = "local_response_norm"; }', (4, 3, 8),
                     lambda x, _: F.local_response_norm(x, 5), {})
    yield local_response((4, 3, 8), 5, 5e-1, 0.75, 2)
    yield local_response((4, 3, 8), 4, 2, 0.6, 0.5)
    yield local_response((3, 2, 5), 1, 1, 1, 1)
    yield local_response((3, 2, 3), 9, 1, 0.75, 1)
    yield local_response((2, 2, 70), 7, 3, 1.5, 0.25)


@member("layers", "dropout", "spatial_dropout", "gaussian_noise", "gaussian_dropout")
def _(name):
    """The random numbers differ from PyTorch's; without them the layers are the identity."""
    key = "stddev" if name == "gaussian_noise" else "rate"
    yield layer_case('{ layer = "%s"; %s = 0; }' % (name, key), (3, 2, 2), lambda x, _: x + 0, {})
    case = layer_case('{ layer = "%s"; %s = 0.5; }' % (name, key), (3, 2, 2), lambda x, _: x + 0,
                      {})
    yield {**case, "training": False}


@member("layers", "shake")
def _(name):
    """The random mixtures differ; in evaluation it is the mean."""
    for per, inputs, f in (("sample", '"probe", "input"', lambda x, _: (x + x.detach()) / 2),
                           ("batch", '"probe", "input", "probe"', lambda x, _: x.detach() + 0 * x)):
        case = layer_case('{ layer = "shake"; per = "%s"; inputs = (%s); }' % (per, inputs),
                          (3, 4, 2), f, {})
        yield {**case, "training": False}


@member("layers", "prelu")
def _(name):
    for shape in ((5, 4, 3), (7,), (1, 2, 150)):
        yield prelu(shape)


@member("layers", "scale")
def _(name):
    for shape in ((5, 4, 3), (7,), (1, 2, 150)):
        yield scale(shape)
        yield scale(shape, "relu")
        yield scale(shape, "sigmoid", False)


@member("layers", "maxout")
def _(name):
    yield maxout((5,), 4, 2)
    yield maxout((3, 2, 4), 7, 5)
    yield maxout((6,), 20, 3, False)
    yield maxout((6,), 3, 1)


@member("layers", "filter")
def _(name):
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


@member("layers", "lstm", "gru", "simple_rnn")
def _(name):
    yield recurrent(name, (5, 3), 4)
    yield recurrent(name, (1, 4), 3)
    yield recurrent(name, (9, 2), 17, last=True)
    yield recurrent(name, (4, 5), 6, both=True)
    yield recurrent(name, (4, 3), 5, last=True, both=True, bias=False)
    if name == "simple_rnn":
        yield recurrent(name, (6, 3), 7, nonlinearity="relu")
    yield stateful(name, (5, 3), 4)
    yield stateful(name, (1, 4), 17)
    yield stateful(name, (6, 2), 5, last=True, bias=False)


@member("layers", "embedding", "one_hot")
def _(name):
    for shape, vocabulary, units in (((7,), 5, 3), ((9, 1), 4, 20), ((1,), 30, 7)):
        if name == "embedding":
            yield numbers_case('{ layer = "embedding"; vocabulary = %d; units = %d; }' % (
                vocabulary, units), shape, vocabulary, lambda x, p: F.embedding(x, p["weight"]),
                {"weight": (randn(vocabulary, units), lambda t: t)})
        else:
            yield numbers_case('{ layer = "one_hot"; classes = %d; }' % vocabulary, shape,
                               vocabulary, lambda x, _: F.one_hot(x, vocabulary).float(), {})


@member("layers", "positional_encoding")
def _(name):
    for steps, channels in ((6, 8), (70, 3), (1, 4)):
        waves = torch.zeros(channels, steps)
        for c in range(channels):
            angle = torch.arange(steps).double() / 10000 ** (c // 2 * 2 / channels)
            waves[c] = (torch.cos if c % 2 else torch.sin)(angle).float()
        yield layer_case('{ layer = "positional_encoding"; }', (steps, channels),
                         lambda x, _: x + waves, {})
        yield layer_case('{ layer = "positional_encoding"; kind = "learned"; }', (steps, channels),
                         lambda x, p: x + p["weight"].t(),
                         {"weight": (randn(steps, channels), lambda t: t)})


@member("layers", "multi_head_attention")
def _(name):
    for causal in (False, True):
        yield attention((5, 8), 2, causal)
        yield attention((1, 6), 3, causal)
        yield attention((7, 12), 1, causal, bias=False)
        yield attention((130, 4), 4, causal)
        yield attention((9, 24), 3, causal)
        yield attention((6, 5), 4, causal, units=16)


@member("layers", "rms_norm")
def _(name):
    def run(x, p, activation):
        norm = F.rms_norm(nhwc(x), x.shape[1:2], p.get("scale"), 1e-5)
        return ACTIVATIONS[activation](norm.movedim(-1, 1))

    for shape, activation in (((5, 4, 6), "linear"), ((10,), "relu"), ((3, 40), "tanh")):
        for learned in (True, False):
            params = {"scale": (rand(shape[-1]) + 0.5, lambda t: t)} if learned else {}
            yield layer_case('{ layer = "rms_norm"; activation = "%s"; scale = %s; }' % (
                activation, flag(learned)), shape, lambda x, p: run(x, p, activation), params)

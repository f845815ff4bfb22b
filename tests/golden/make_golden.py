#!/usr/bin/env python3
"""Makes golden.json: what PyTorch says of single layers, losses and optimizers.

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
    return t.permute(0, 2, 3, 1) if t.dim() == 4 else t


def same(size, kernel, stride):
    """TensorFlow's padding: ceil(size / stride) outputs, the odd pixel at the end."""
    missing = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return missing // 2, missing - missing // 2


ACTIVATIONS = {
    "linear": lambda x: x, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.01), "elu": F.elu,
    "step": lambda x: (x >= 0).float() + 0 * x,
    "softmax": lambda x: torch.softmax(x, 1),
}


def layer_case(config, shape, function, params):
    """shape: (H, W, C), (T, C) or (C,); params: name -> (tensor in PyTorch's layout, function to ours)."""
    x = torch.randn(BATCH, *(shape if len(shape) < 3 else (shape[2], shape[0], shape[1])))
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
    yield layer_case('{ layer = "softmax"; }', (6,), lambda x, _: torch.softmax(x, 1), {})


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
        y = run_all(x, [h, h] if kind == "lstm" else h, weights, bias, 1, 0.0, True, both, True)
        return torch.cat(list(y[1]), 1) if last else y[0]

    config = '{ layer = "%s"; units = %d; return = "%s"; bidirectional = %s; bias = %s; %s}' % (
        kind, units, "last" if last else "sequence", "true" if both else "false",
        "true" if bias else "false", 'activation = "%s"; ' % nonlinearity if nonlinearity else "")
    return layer_case(config, shape, run, params)


def sequences():
    torch.manual_seed(6)
    for kind in ("lstm", "gru", "simple_rnn"):
        yield recurrent(kind, (5, 3), 4)
        yield recurrent(kind, (1, 4), 3)
        yield recurrent(kind, (9, 2), 17, last=True)
        yield recurrent(kind, (4, 5), 6, both=True)
        yield recurrent(kind, (4, 3), 5, last=True, both=True, bias=False)
    yield recurrent("simple_rnn", (6, 3), 7, nonlinearity="relu")
    w, b = torch.randn(4, 6), torch.randn(4)
    yield layer_case('{ layer = "dense"; units = 4; activation = "tanh"; }', (5, 6),
                     lambda x, p: torch.tanh(F.linear(x, p["weight"], p["bias"])),
                     {"weight": (w, lambda t: t.t()), "bias": (b, lambda t: t)})


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


def optimizer_case(config, make, steps=5):
    """Two tensors, the first with weight decay, on f = sum of a (w - c)^2 with fixed a, c."""
    w, b = torch.randn(4, 3), torch.randn(3)
    aw, ab, cw, cb = torch.rand(4, 3) + 0.5, torch.rand(3) + 0.5, torch.randn(4, 3), torch.randn(3)
    start = numbers(w) + numbers(b)
    w.requires_grad_()
    b.requires_grad_()
    optimizer = make([{"params": [w], "weight_decay": 0.1}, {"params": [b], "weight_decay": 0.0}])
    track = []
    for _ in range(steps):
        optimizer.zero_grad()
        ((aw * (w - cw) ** 2).sum() + (ab * (b - cb) ** 2).sum()).backward()
        optimizer.step()
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


golden = {"torch": torch.__version__, "layers": list(layers()), "losses": list(losses()),
          "optimizers": list(optimizers())}
golden["layers"] += list(sequences())
json.dump(golden, sys.stdout)
print()

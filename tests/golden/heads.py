# SPDX-License-Identifier: MIT
"""Auxiliary heads: training steps by PyTorch."""
import torch
import torch.nn.functional as F

from common import member, nhwc, numbers, rand, randn


def head_case(network, loss, data, x, y, params, run, ends, steps=3):
    """Steps of SGD on a net with auxiliary heads. run(x, params): the outputs, that of the net
    first; ends: one (weight, loss function) each. Parameters are in dltrain's layout."""
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


@member("nets", "heads")
def _(name):
    def layer(name, inputs, units):
        return {name + ".weight": randn(inputs, units) / inputs ** 0.5,
                name + ".bias": randn(units)}

    def dense(name, x, p):
        return x.flatten(1) @ p[name + ".weight"] + p[name + ".bias"]

    # two heads, one with a separate loss, after a convolution and between dense layers
    params = {"c.weight": randn(2, 2, 2, 3) / 8 ** 0.5, "c.bias": randn(3)}
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
        randn(5, 4, 4, 2), torch.tensor([0, 2, 1, 1, 0]), params, classify,
        [(1, F.cross_entropy), (0.3, F.cross_entropy),
         (0.7, lambda z, t: F.cross_entropy(z, t, label_smoothing=0.1))])

    # regression, with weights shared by the head and the net
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
        randn(3, 4), rand(3, 2), params, regress,
        [(1, F.mse_loss), (1.5, lambda z, t: F.huber_loss(z, t, delta=0.3))])

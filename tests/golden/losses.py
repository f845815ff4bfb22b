# SPDX-License-Identifier: MIT
"""Losses: their means and gradients by PyTorch."""
import torch
import torch.nn.functional as F

from common import member, numbers, rand, randn

CLASSES = torch.tensor([0, 3, 1, 2, 3, 0])
TWO = torch.tensor([0, 1, 1, 0, 1])


def loss_case(name, function, channels, target, classes, config=""):
    z = torch.round(3 * torch.randn(len(target), channels), decimals=3)
    z.requires_grad_()
    value = function(z, target)
    value.backward()
    return {"config": 'type = "%s"; %s' % (name, config), "rows": len(target), "channels": channels,
            "classes": classes, "output": numbers(z), "target": numbers(target.float()),
            "mean": float("%.9g" % value.item()), "grad": numbers(z.grad)}


@member("losses", "softmax_cross_entropy")
def _(name):
    yield loss_case(name, F.cross_entropy, 4, CLASSES, 4)
    weights = [0.5, 2.0, 1.25, 0.0]
    text = "class_weights = (0.5, 2, 1.25, 0);"
    # dltrain divides by the rows, not by their weights
    for s, w in ((0.1, None), (1.0, None), (0.0, weights), (0.2, weights)):
        tensor = torch.tensor(w) if w else None
        yield loss_case(name, lambda z, t: F.cross_entropy(
            z, t, tensor, label_smoothing=s, reduction="sum") / len(t), 4, CLASSES, 4,
                        "label_smoothing = %g; %s" % (s, text if w else ""))
    yield from left_out_and_balanced(name)


def left_out_and_balanced(name):
    """The mean is over the rows that count; weighted losses are divided by the number of rows, as
    everywhere in dltrain."""
    classes = torch.tensor([0, 3, 1, 2, 3, 0, 3, 2])
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


@member("losses", "binary_cross_entropy")
def _(name):
    yield loss_case(name, lambda z, t: F.binary_cross_entropy_with_logits(
        z[:, 0], t.float()), 1, TWO, 2)
    yield loss_case(name, F.binary_cross_entropy_with_logits, 3, rand(5, 3), 0)


@member("losses", "mse")
def _(name):
    yield loss_case(name, F.mse_loss, 3, randn(5, 3), 0)
    yield loss_case(name, lambda z, t: F.mse_loss(z, F.one_hot(t, 4).float()), 4, CLASSES, 4)


@member("losses", "l1")
def _(name):
    yield loss_case(name, F.l1_loss, 3, randn(5, 3), 0)


@member("losses", "huber")
def _(name):
    for delta in (1.0, 0.3):
        yield loss_case(name, lambda z, t: F.huber_loss(z, t, delta=delta), 3, randn(5, 3), 0,
                        "delta = %g;" % delta)


@member("losses", "hinge")
def _(name):
    # PyTorch divides the multi-class hinge by the number of classes, dltrain does not
    yield loss_case(name, lambda z, t: 4 * F.multi_margin_loss(z, t), 4, CLASSES, 4)
    yield loss_case(name, lambda z, t: torch.relu(1 - (2 * t - 1) * z[:, 0]).mean(), 1, TWO, 2)


@member("losses", "squared_hinge")
def _(name):
    yield loss_case(name, lambda z, t: 4 * F.multi_margin_loss(z, t, p=2, margin=1.5), 4, CLASSES,
                    4, "margin = 1.5;")
    yield loss_case(name, lambda z, t: (torch.relu(1 - (2 * t - 1) * z[:, 0]) ** 2).mean(), 1, TWO,
                    2)


@member("losses", "kl_divergence")
def _(name):
    some = torch.softmax(torch.randn(5, 4), 1)
    some[1] = torch.tensor([0.0, 1.0, 0.0, 0.0])
    yield loss_case(name, lambda z, t: F.kl_div(torch.log_softmax(z, 1), t, reduction="batchmean"),
                    4, some, 0)


def dice(z, t, smooth):
    p = torch.sigmoid(z)
    return (1 - (2 * (p * t).sum(1) + smooth) / (p.sum(1) + t.sum(1) + smooth)).mean()


@member("losses", "dice")
def _(name):
    mask = (rand(5, 12) < 0.3).float()
    mask[2] = 0
    yield loss_case(name, lambda z, t: dice(z, t, 1.0), 12, mask, 0)
    yield loss_case(name, lambda z, t: dice(z, t, 0.1), 12, rand(5, 12), 0, "smooth = 0.1;")


@member("losses", "perceptron")
def _(name):
    yield loss_case(name, lambda z, t: ((z - t) ** 2 / 2).sum(1).mean(), 3,
                    (rand(5, 3) < 0.5).float(), 0)


@member("losses", "focal")
def _(name):
    def focal(z, t, gamma, w):
        logs = torch.log_softmax(z, 1).gather(1, t[:, None])[:, 0]
        return -(w[t] * (1 - logs.exp()) ** gamma * logs).mean()

    for gamma, w, text in ((2.0, torch.ones(4), ""), (0.0, torch.ones(4), "gamma = 0;"),
                           (0.5, torch.tensor([0.5, 2, 1.25, 0]),
                            "gamma = 0.5; class_weights = (0.5, 2, 1.25, 0);")):
        yield loss_case(name, lambda z, t: focal(z, t, gamma, w), 4, CLASSES, 4, text)

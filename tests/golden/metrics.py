# SPDX-License-Identifier: MIT
"""Metrics: by scikit-learn if it has them, else by definition. Outputs and targets are multiples
of 1/8, exact in float, with ties."""
import math

import numpy as np
import torch
from sklearn import metrics as sk

from common import member

ROWS = 24


def draw(high, *shape):
    return torch.randint(0, high, shape).numpy().astype(float)


def case(name, classes, link, output, target, value):
    return {"metric": name, "classes": classes, "channels": output.shape[1], "link": link,
            "output": output.flatten().tolist(), "target": target.flatten().tolist(),
            "value": float(value)}


# ---- classes: p[rows][classes] are probabilities, z their log odds, t true classes ----

def average(k):
    return "binary" if k == 2 else "macro"


def top5(t, p, z, k):
    return np.mean([sum(z[i] >= z[i, t[i]]) - 1 < 5 for i in range(len(t))])


def auc(t, p, z, k):
    return np.mean([sk.roc_auc_score(t == c, z[:, c]) for c in range(k == 2, k)])


def log_loss(t, p, z, k):
    return sk.log_loss(t, p, labels=range(k))


CLASSES = {
    "accuracy": lambda t, p, z, k: sk.accuracy_score(t, p.argmax(1)),
    "top5": top5,
    "precision": lambda t, p, z, k: sk.precision_score(t, p.argmax(1), average=average(k)),
    "recall": lambda t, p, z, k: sk.recall_score(t, p.argmax(1), average=average(k)),
    "f1": lambda t, p, z, k: sk.f1_score(t, p.argmax(1), average=average(k)),
    "mcc": lambda t, p, z, k: sk.matthews_corrcoef(t, p.argmax(1)),
    "log_loss": log_loss,
    "auc": auc,
    "perplexity": lambda *a: math.exp(log_loss(*a)),
    "bits_per_character": lambda *a: log_loss(*a) / math.log(2),
    "iou": lambda t, p, z, k: sk.jaccard_score(t, p.argmax(1), average="macro"),
    "dice": lambda t, p, z, k: sk.f1_score(t, p.argmax(1), average="macro"),
}


def class_case(name, k, link, output):
    logits = output if k > 1 and output.shape[1] > 1 else np.hstack([0 * output, output])
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    t = draw(k, len(output)).astype(int)
    z = np.round(np.log(p / (1 - p)), 9)  # ties stay ties
    return case(name, k, link, output, t.astype(float), CLASSES[name](t, p, z, k))


# ---- numbers ----

def box_iou(t, y):
    overlap = [np.clip(np.minimum(y[:, i] + y[:, i + 2], t[:, i] + t[:, i + 2]) -
                       np.maximum(y[:, i], t[:, i]), 0, None) for i in (0, 1)]
    both = overlap[0] * overlap[1]
    return np.mean(both / (y[:, 2] * y[:, 3] + t[:, 2] * t[:, 3] - both))


NUMBERS = {
    "iou": lambda t, y: sk.jaccard_score(t.flatten() > 0.5, y.flatten() > 0.5),
    "dice": lambda t, y: sk.f1_score(t.flatten() > 0.5, y.flatten() > 0.5),
    "mse": sk.mean_squared_error,
    "rmse": lambda y, p: sk.mean_squared_error(y, p) ** 0.5,  # not a mean of roots
    "mae": sk.mean_absolute_error,
    "r2": sk.r2_score,
    "box_iou": box_iou,
}


@member("metrics", *{**CLASSES, **NUMBERS})
def _(name):
    if name in CLASSES:
        yield class_case(name, 7, "softmax", draw(9, ROWS, 7) / 2)
        yield class_case(name, 2, "softmax", draw(9, ROWS, 2) / 2)
        yield class_case(name, 2, "sigmoid", draw(9, ROWS, 1) / 2 - 2)
    if name in NUMBERS:
        outputs, high = (4 if name == "box_iou" else 3), (33 if name == "box_iou" else 9)
        y, t = (draw(high, ROWS, outputs) + (name == "box_iou") for _ in range(2))
        yield case(name, 0, "linear", y / 8, t / 8, NUMBERS[name](t / 8, y / 8))

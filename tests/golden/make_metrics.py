#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The numbers of tests/test_metric.c, test_golden: /usr/bin/python3 tests/golden/make_metrics.py

numpy alone, by the definitions (mcc by scikit-learn); the areas under the curves by counting every pair of rows."""
import numpy as np
from sklearn.metrics import matthews_corrcoef

rows, classes = 40, 3
# the same numbers as in the test: a small linear congruential generator
state = 12345
def draw():
    global state
    state = (1103515245 * state + 12345) % 2**31
    return (state >> 16) % 9  # few different ones: ties
z = np.array([[draw() for _ in range(classes)] for _ in range(rows)], dtype=np.float64) / 2
t = np.array([draw() % classes for _ in range(rows)])


def auc(score, positive):
    p, n = score[positive], score[~positive]
    return np.mean([(a > b) + 0.5 * (a == b) for a in p for b in n])


def report(name, p, score, t, k):
    said = np.argmax(p, axis=1)
    right = np.array([np.sum((said == c) & (t == c)) for c in range(k)], float)
    have = np.array([np.sum(t == c) for c in range(k)], float)
    told = np.array([np.sum(said == c) for c in range(k)], float)
    print(name)
    print("  accuracy", np.mean(said == t))
    first = 1 if k == 2 else 0
    print("  precision", np.mean((right / told)[first:]))
    print("  recall", np.mean((right / have)[first:]))
    print("  f1", np.mean((2 * right / (have + told))[first:]))
    print("  iou", np.mean(right / (have + told - right)))
    print("  dice", np.mean(2 * right / (have + told)))
    print("  mcc", matthews_corrcoef(t, said))
    loss = -np.mean(np.log(p[np.arange(len(t)), t]))
    print("  log_loss", loss)
    print("  perplexity", np.exp(loss))
    print("  bits_per_character", loss / np.log(2))
    print("  auc", np.mean([auc(score[:, c], t == c) for c in range(first, k)]))


p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
odds = np.round(np.log(p / (1 - p)), 9)  # equal ones stay equal
report("three classes, softmax", p, odds, t, 3)
above = np.array([sum(z[i, j] >= z[i, t[i]] for j in range(3) if j != t[i]) for i in range(rows)])
print("  top2", np.mean(above < 2))
one = z[:, 0] - 2
q = 1 / (1 + np.exp(-one))
report("two classes, one logit", np.stack([1 - q, q], axis=1), np.stack([-one, one], axis=1), t % 2, 2)

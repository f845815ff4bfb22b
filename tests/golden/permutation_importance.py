# SPDX-License-Identifier: MIT
"""permutation_importance.py RUN CSV METRIC FOLDER DLPREDICT: compares FOLDER/importance.csv (of
dlinspect importance, 5 repeats, seed 0) with scikit-learn's permutation_importance for the same
rows and permutations. Answers come from dlpredict, the metric from scikit-learn."""
import csv
import subprocess
import sys

import numpy as np
import sklearn.inspection._permutation_importance as sk
from sklearn.metrics import accuracy_score, mean_squared_error

run, path, metric, folder, dlpredict = sys.argv[1:]
MASK = 0xFFFFFFFF
PURPOSE = 26


def philox(block, step):
    """Philox 4x32-10 with seed 0, written from Salmon et al. 2011."""
    c = [block, step, 0, PURPOSE << 16]
    k = [0, 0]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ k[0], b & MASK, a >> 32 ^ c[3] ^ k[1], a & MASK]
        k = [k[0] + 0x9E3779B9 & MASK, k[1] + 0xBB67AE85 & MASK]
    return c


def permutation(count, repeat):
    order = np.arange(count)
    for k, i in enumerate(range(count - 1, 0, -1)):
        j = philox(k // 4, repeat)[k % 4] * (i + 1) >> 32
        order[[i, j]] = order[[j, i]]
    return order


class Permutations:
    """Stands in for a RandomState; scikit-learn permutes what it has permuted before."""

    def __init__(self):
        self.repeat = 0

    def randint(self, *_, **__):
        return 0

    def shuffle(self, index):
        count = len(index)
        before = permutation(count, self.repeat - 1) if self.repeat else np.arange(count)
        index[:] = np.argsort(before)[permutation(count, self.repeat)]
        self.repeat += 1


sk.check_random_state = lambda _: Permutations()

with open(path, newline='') as file:
    header, *rows = csv.reader(file)
with open(f'{run}/split.csv', newline='') as file:
    test = [int(r['row']) for r in csv.DictReader(file) if r['part'] == 'test']
table = np.array(rows, dtype=object)[test]
x, y = table[:, :-1], table[:, -1]


class Net:
    def fit(self, *_):
        return self


def score(_, x, y):
    with open('permuted.csv', 'w', newline='') as file:
        csv.writer(file).writerows([header[:-1], *x])
    answers = subprocess.run([dlpredict, run, 'permuted.csv', '--batch', '64'], check=True,
                             capture_output=True, text=True).stdout.splitlines()
    answers = [r[1] for r in csv.reader(answers[1:])]
    if metric == 'accuracy':
        return accuracy_score(list(y), answers)
    return -mean_squared_error(y.astype(float), np.array(answers, dtype=float)) ** 0.5


wanted = sk.permutation_importance(Net(), x, y, scoring=score, n_repeats=5)
with open(f'{folder}/importance.csv', newline='') as file:
    found = {r['column']: r for r in csv.DictReader(file)}
assert set(found) == set(header[:-1]), found.keys()
worst = 0
for i, name in enumerate(header[:-1]):
    row = found[name]
    pairs = [(float(row['importance']), wanted.importances_mean[i]),
             (float(row['sd']), wanted.importances_std[i])]
    pairs += [(float(row[f'repeat_{r + 1}']), wanted.importances[i, r]) for r in range(5)]
    worst = max([worst] + [abs(a - b) for a, b in pairs])
assert np.abs(wanted.importances).max() > 0.05
print(f'largest difference {worst:.2e}')
sys.exit(int(worst > 1e-6))

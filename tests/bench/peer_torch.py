#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""PyTorch on the workloads of configs/bench/, for `scripts/bench.sh --peers`.

    peer_torch.py WORKLOAD --images FILE --labels FILE | --text FILE [--epochs N] [--threads N] [--channels-last]

Trains on IDX files (W4: on a text) as dltrain does (shuffled, float32) and prints one JSON line: samples a second (median
of the epochs), the peak resident memory, and samples a second of forward passes over batches of 1 and
256 in evaluation mode.
"""
import argparse
import gzip
import json
import resource
import statistics
import struct
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


def read_idx(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f:
        raw = f.read()
    rank = raw[3]
    dims = struct.unpack(">%dI" % rank, raw[4:4 + 4 * rank])
    return torch.frombuffer(bytearray(raw[4 + 4 * rank:]), dtype=torch.uint8).reshape(dims)


def mlp():
    layers, n = [nn.Flatten()], 784
    for _ in range(4):
        layers += [nn.Linear(n, 512), nn.ReLU()]
        n = 512
    return nn.Sequential(*layers, nn.Linear(n, 10))


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10))


def small_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten(), nn.Linear(64 * 14 * 14, 128), nn.ReLU(),
        nn.Dropout(0.5), nn.Linear(128, 10))


class Residual(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.stride, self.wider = (2 if before != after else 1), after - before
        self.a = nn.Conv2d(before, after, 3, self.stride, 1, bias=False)
        self.na = nn.BatchNorm2d(after)
        self.b = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.nb = nn.BatchNorm2d(after)

    def forward(self, x):
        y = self.nb(self.b(F.relu(self.na(self.a(x)))))
        if self.wider:
            half = self.wider // 2
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, self.wider - half))
        return F.relu(x + y)


def resnet20():
    layers, before = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for after in (16, 32, 64):
        for _ in range(3):
            layers.append(Residual(before, after))
            before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class UNet(nn.Module):
    def __init__(self, base=16, levels=4):
        super().__init__()

        def double(before, after):
            return nn.Sequential(*(m for a in (before, after) for m in (
                nn.Conv2d(a, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(True))))

        c = [base << i for i in range(levels)]
        self.down = nn.ModuleList(double(c[i - 1] if i else 1, c[i]) for i in range(levels))
        self.up = nn.ModuleList(nn.ConvTranspose2d(c[i + 1], c[i], 2, 2)
                                for i in reversed(range(levels - 1)))
        self.after = nn.ModuleList(double(2 * c[i], c[i]) for i in reversed(range(levels - 1)))
        self.out = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        kept = []
        for i, down in enumerate(self.down):
            x = down(F.max_pool2d(x, 2) if i else x)
            kept.append(x)
        kept.pop()
        for up, after in zip(self.up, self.after):
            x = after(torch.cat([kept.pop(), up(x)], 1))
        return self.out(x)


class CharLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(65, 256, 2, batch_first=True)
        self.out = nn.Linear(256, 65)

    def forward(self, x):
        return self.out(self.lstm(F.one_hot(x, 65).float())[0]).flatten(0, 1)


def read_text(path, length=64):
    """Sequences of character numbers, and the next characters."""
    with open(path, "rb") as f:
        raw = torch.frombuffer(bytearray(f.read()), dtype=torch.uint8).long()
    table = torch.zeros(256, dtype=torch.long)
    known = torch.unique(raw)
    table[known] = torch.arange(len(known))
    ids, n = table[raw], (len(raw) - 1) // length
    return ids[:n * length].view(n, length), ids[1:n * length + 1].view(n, length)


def adam(p):
    return torch.optim.Adam(p, lr=1e-3)


def momentum(rate, decay=0.0):
    return lambda p: torch.optim.SGD(p, lr=rate, momentum=0.9, weight_decay=decay)


WORKLOADS = {"W1": (mlp, 128, adam), "W1s": (mlp, 32, momentum(0.01)),
             "W2": (lenet5, 64, momentum(0.01)), "W2b": (small_cnn, 128, adam),
             "W3": (resnet20, 128, momentum(0.1, 1e-4)), "W4": (CharLSTM, 32, adam),
             "W5": (UNet, 8, adam)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=sorted(WORKLOADS))
    parser.add_argument("--images")
    parser.add_argument("--labels")
    parser.add_argument("--text")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--channels-last", action="store_true")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    make, batch, make_optimizer = WORKLOADS[a.workload]
    loss_of = F.cross_entropy
    if a.workload == "W5":
        x, y = torch.randn(160, 1, 128, 128), torch.rand(160, 1, 128, 128)
        loss_of = F.binary_cross_entropy_with_logits
    elif a.text:
        x, y = read_text(a.text)
    else:
        x, y = read_idx(a.images), read_idx(a.labels).long()
        x = (x.unsqueeze(1) if x.dim() == 3 else x.permute(0, 3, 1, 2)).float().div_(255)
    model = make()
    if a.channels_last:
        model = model.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    else:
        x = x.contiguous()
    optimizer = make_optimizer(model.parameters())

    def epoch(most=None):
        order = torch.randperm(len(x))
        done = 0
        for i in range(0, len(x), batch):
            index = order[i:i + batch]
            loss = loss_of(model(x[index]), y[index].flatten() if a.text else y[index])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            done += len(index)
            if most and done >= most:
                break
        return done

    epoch(10 * batch)
    rates = []
    for _ in range(a.epochs):
        started = time.perf_counter()
        done = epoch()
        rates.append(done / (time.perf_counter() - started))
    def infer(count):
        few = x[:count]
        times = []
        with torch.inference_mode():
            model.eval()
            for _ in range(5):
                model(few)
            for _ in range(20):
                started = time.perf_counter()
                passes = 0
                while time.perf_counter() - started < 0.05:
                    model(few)
                    passes += 1
                times.append((time.perf_counter() - started) / passes)
        return count / statistics.median(times)

    print(json.dumps({"workload": a.workload, "samples_per_second": statistics.median(rates),
                      "inference_1": infer(1), "inference_256": infer(256),
                      "peak_memory_bytes": 1024 * resource.getrusage(
                          resource.RUSAGE_SELF).ru_maxrss}))


main()

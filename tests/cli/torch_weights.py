# SPDX-License-Identifier: MIT
# torch_weights.py save|load NAME FILE: a module of PyTorch, whose layers are named as dltrain's; saves
# its state dict, or loads it, strictly. Prints the mean squared error on x.npy and y.npy.
import sys

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

torch.manual_seed(3)


class Sequence(nn.Module):
    """Layers by name; a function may follow each."""

    def __init__(self, **layers):
        super().__init__()
        self.after = {}
        for name, layer in layers.items():
            layer, self.after[name] = layer if isinstance(layer, tuple) else (layer, None)
            setattr(self, name, layer)

    def forward(self, x):
        for name, after in self.after.items():
            layer = getattr(self, name)
            if isinstance(layer, nn.MultiheadAttention):
                x = layer(x, x, x, need_weights=False)[0]
            elif isinstance(layer, nn.RNNBase):
                x = layer(x)[0]
            else:
                x = layer(x)
            x = after(x) if after else x
        return x


def flat(x):
    return x.flatten(1)


def images(x):  # NHWC to NCHW
    return x.permute(0, 3, 1, 2)


def steps(x):  # NCT and NTC
    return x.transpose(1, 2)


def symbols(x):
    return x.reshape(len(x), -1).long()


def module(name):
    if name == "dense":
        return None, Sequence(a=(nn.Linear(12, 8), torch.tanh), b=(nn.Linear(8, 8), torch.relu),
                              p=nn.PReLU(8, 0.3), c=nn.Linear(8, 3))
    if name == "images":
        return images, Sequence(
            a=(nn.Conv2d(4, 6, (3, 2)), torch.tanh), n=nn.BatchNorm2d(6),
            d=(nn.Conv2d(6, 12, 3, groups=6), torch.tanh),
            t=(nn.ConvTranspose2d(12, 5, 3, stride=2), torch.tanh), g=(nn.GroupNorm(5, 5), flat),
            v=nn.BatchNorm1d(495), c=nn.Linear(495, 3))
    if name == "decoder":
        return None, Sequence(a=(nn.Linear(12, 36), lambda x: torch.tanh(x).view(-1, 4, 3, 3)),
                              b=(nn.Conv2d(4, 2, 2), flat), c=nn.Linear(8, 3))
    if name == "conv1d":
        return None, Sequence(a=(nn.Conv1d(4, 5, 3), lambda x: torch.tanh(x).flatten(1)),
                              c=nn.Linear(20, 3))
    if name == "lstm":
        return None, Sequence(a=nn.LSTM(4, 5, batch_first=True, bidirectional=True),
                              b=(nn.LSTM(10, 4, batch_first=True), flat), c=nn.Linear(24, 3))
    if name == "gru":
        return None, Sequence(a=nn.GRU(4, 5, batch_first=True, bidirectional=True),
                              b=(nn.GRU(10, 4, batch_first=True), flat), c=nn.Linear(24, 3))
    if name == "rnn":
        return None, Sequence(a=(nn.RNN(4, 5, batch_first=True), flat), c=nn.Linear(30, 3))
    if name == "attention":
        return None, Sequence(n=nn.LayerNorm(4), a=nn.MultiheadAttention(4, 2, batch_first=True),
                              r=(nn.RMSNorm(4, 1e-5), flat), c=nn.Linear(24, 3))
    if name == "embedding":
        return symbols, Sequence(a=(nn.Embedding(7, 5), flat), c=nn.Linear(30, 3))
    if name == "stacked":
        return None, Sequence(r=nn.LSTM(4, 5, 2, batch_first=True), c=(nn.Linear(5, 2), flat),
                              head=nn.Linear(12, 3))
    raise SystemExit(name)


def main():
    what, name, path = sys.argv[1:4]
    before, net = module(name)
    if what == "load":
        net.load_state_dict(load_file(path))
    else:
        with torch.no_grad():
            for key, value in net.state_dict().items():
                if value.dtype == torch.float32:
                    value.uniform_(0.5, 1.5) if "var" in key else value.uniform_(-0.6, 0.6)
        save_file(net.state_dict(), path)
    net.eval()
    x, y = (torch.from_numpy(np.load(f)) for f in ("x.npy", "y.npy"))
    if name == "conv1d":
        x = steps(x)
    with torch.no_grad():
        z = net(before(x) if before else x)
    print(f"{((z - y) ** 2).mean().item():.9g}")


main()

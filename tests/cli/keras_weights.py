# SPDX-License-Identifier: MIT
# keras_weights.py save|load NAME FILE: a model of Keras 3, whose layers are named as dltrain's; saves
# its variables by their paths, or sets them. Prints the mean squared error on x.npy and y.npy.
import sys

import keras
import numpy as np
from keras import layers as L
from safetensors.numpy import load_file, save_file

keras.utils.set_random_seed(3)


def model(name):
    if name == "dense":
        return (12,), [L.Dense(8, "tanh", name="a"), L.Dense(8, "relu", name="b"),
                       L.PReLU(name="p")]
    if name == "images":
        return (9, 7, 4), [L.Conv2D(6, (3, 2), activation="tanh", name="a"),
                           L.BatchNormalization(epsilon=1e-5, name="n"),
                           L.DepthwiseConv2D(3, depth_multiplier=2, activation="tanh", name="d"),
                           L.Conv2DTranspose(5, 3, strides=2, activation="tanh", name="t"),
                           L.GroupNormalization(5, epsilon=1e-5, name="g"), L.Flatten(),
                           L.BatchNormalization(epsilon=1e-5, name="v")]
    if name == "conv1d":
        return (6, 4), [L.Conv1D(5, 3, activation="tanh", name="a"), L.Flatten()]
    if name in ("lstm", "gru"):
        cell = L.LSTM if name == "lstm" else L.GRU
        return (6, 4), [L.Bidirectional(cell(5, return_sequences=True), name="a"),
                        cell(4, return_sequences=True, name="b"), L.Flatten()]
    if name == "rnn":
        return (6, 4), [L.SimpleRNN(5, return_sequences=True, name="a"), L.Flatten()]
    if name == "embedding":
        return (6,), [L.Embedding(7, 5, name="a"), L.Flatten()]
    if name == "attention":
        return (6, 4), [L.LayerNormalization(epsilon=1e-5, name="n"),
                        L.MultiHeadAttention(2, 2, name="a"),
                        L.RMSNormalization(epsilon=1e-5, name="r"), L.Flatten()]
    raise SystemExit(name)


def main():
    what, name, path = sys.argv[1:4]
    shape, layers = model(name)
    x = start = keras.Input(shape)
    for layer in layers + [L.Dense(3, name="c")]:
        x = layer(x, x) if isinstance(layer, L.MultiHeadAttention) else layer(x)
    net = keras.Model(start, x)
    random = np.random.default_rng(5)
    weights = {v.path: v for v in net.weights if "seed" not in v.path}
    if what == "load":
        stored = load_file(path)
        assert set(p.split("/")[-1] for p in stored) == set(p.split("/")[-1] for p in weights)
        ours = {key(p): v for p, v in stored.items()}
        for p, v in weights.items():
            v.assign(ours[key(p)].reshape(v.shape))
    else:
        for p, v in weights.items():
            low, high = (0.5, 1.5) if "variance" in p else (-0.6, 0.6)
            v.assign(random.uniform(low, high, v.shape))
        save_file({p: np.ascontiguousarray(v.numpy()) for p, v in weights.items()}, path)
    x, y = np.load("x.npy"), np.load("y.npy")
    print(f"{np.mean((net.predict(x, verbose=0) - y) ** 2):.9g}")


def key(path):
    parts = path.split("/")
    way = "back" if "backward" in path else ""
    return parts[0], way, "/".join(parts[-2:]) if parts[-2] != parts[0] and "cell" not in path else parts[-1]


main()

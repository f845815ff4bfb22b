#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""onnx_loss.py MODEL X.npy Y.npy: the mean squared error of an ONNX model's outputs, computed by
onnxruntime, after the model was checked. Images in X and Y are channels last, the model's channels
first. Exits with 77 where onnx or onnxruntime is not installed."""
import sys

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError:
    sys.exit(77)


def channels_first(array):
    return np.ascontiguousarray(array.transpose(0, 3, 1, 2)) if array.ndim == 4 else array


model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
x, y = (channels_first(np.load(path).astype("f4")) for path in sys.argv[2:4])
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
output = session.run(None, {"input": x})[0].astype("f8")
print(repr(float(np.mean((output.reshape(len(y), -1) - y.reshape(len(y), -1)) ** 2))))

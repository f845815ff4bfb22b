#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the golden numbers of tests/test_golden.c and others: the results of PyTorch for each member.

    python3 tests/golden/make.py [layers/dense …]    one file a member; without a name, all of them

A new member: a function in layers.py (or activations, losses, metrics, …), and a run
with its name. The tests read only the files."""
import json
import pathlib
import sys
import zlib

import torch

import activations, heads, layers, look, losses, metrics, optimizers, schedules  # they fill MEMBERS
from common import MEMBERS


def text(value):
    line = json.dumps(value, separators=(",", ":"))
    return line if isinstance(value, str) else line.replace(".0,", ",").replace(".0]", "]")


def write(kind, name):
    torch.manual_seed(zlib.crc32(name.encode()))
    path = pathlib.Path(__file__).parent / kind / (name + ".json")
    path.parent.mkdir(exist_ok=True)
    cases = [",\n".join('%s: %s' % (text(key), text(value)) for key, value in case.items())
             for case in MEMBERS[kind, name](name)]
    path.write_text("[{%s}]\n" % "},\n{".join(cases))


wanted = [tuple(name.split("/")) for name in sys.argv[1:]] or MEMBERS
for kind, name in wanted:
    write(kind, name)

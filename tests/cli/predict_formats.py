# SPDX-License-Identifier: MIT
"""Writes 200 digits in every data format to the current folder: predict_formats.py digits.csv.gz"""
import gzip
import io
import os
import random
import struct
import sys
import tarfile
import zipfile
import zlib

ROWS = 200
rows = [list(map(int, line.split(","))) for line in gzip.open(sys.argv[1], "rt")][:ROWS]
pixels = bytes(min(16 * v, 255) for row in rows for v in row[:64])
labels = bytes(row[64] for row in rows)


def idx(path, dims, data):
    head = bytes([0, 0, 8, len(dims)]) + b"".join(struct.pack(">I", d) for d in dims)
    with open(path, "wb") as file:
        file.write(head + data)


def npy(shape, data):
    text = "{'descr': '|u1', 'fortran_order': False, 'shape': %s, }" % (shape,)
    head = text.encode() + b" " * (63 - (10 + len(text)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


def png(gray, height, width):
    def chunk(kind, data):
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    lines = b"".join(b"\0" + gray[i * width : (i + 1) * width] for i in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines))
            + chunk(b"IEND", b""))


idx("x.idx", [ROWS, 8, 8], pixels)
idx("y.idx", [ROWS], labels)
idx("ink.idx", [ROWS, 8, 8], bytes(v > 100 for v in pixels))
arrays = {"x": npy((ROWS, 8, 8), pixels), "y": npy((ROWS,), labels)}
with zipfile.ZipFile("xy.npz", "w") as archive:
    for name, data in arrays.items():
        archive.writestr(name + ".npy", data)
        with open(name + ".npy", "wb") as file:
            file.write(data)
with tarfile.open("pictures.tar", "w") as archive, open("list.csv", "w") as table:
    table.write("picture,label\n")
    for i, row in enumerate(rows):
        name = "pictures/%d/%03d.png" % (row[64], i)
        data = png(pixels[64 * i : 64 * i + 64], 8, 8)
        os.makedirs(os.path.dirname(name), exist_ok=True)
        with open(name, "wb") as file:
            file.write(data)
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
        table.write("%s,digit %d\n" % (name, row[64]))
with open("large.png", "wb") as file:
    file.write(png(bytes(16 * 12), 16, 12))
random.seed(1)
with open("cifar.bin", "wb") as file:
    for _ in range(40):
        file.write(bytes([random.randrange(10)]) + random.randbytes(3072))
with open("text.txt", "w") as file:
    file.write("the quick brown fox jumps over the lazy dog. " * 40)

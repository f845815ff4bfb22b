#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes the seeds of the fuzz targets, corpus/NAME/seed-*. The target writes those of checkpoints
(corpus/checkpoint); findings are added by hand."""
import gzip
import io
import os
import struct
import tarfile
import zipfile
import zlib

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
MIDDLE = b"|2nd|"


def save(target, name, *parts):
    folder = os.path.join(CORPUS, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "seed-" + name), "wb") as file:
        file.write(b"".join(parts))


def options(number, both=False):
    return bytes([number | (128 if both else 0)])


def packed(data):
    return gzip.compress(data, 9, mtime=0)


# ---- idx ----


def idx(kind, dims, data):
    return struct.pack(">BBBB", 0, 0, kind, len(dims)) + struct.pack(">%dI" % len(dims), *dims) + data


def make_idx():
    images = idx(8, [6, 2, 3], bytes(range(36)))
    labels = idx(8, [6], bytes([0, 1, 2, 0, 1, 2]))
    save("idx", "bytes", options(0), images, MIDDLE, labels)
    save("idx", "gzip", options(2, True), packed(images), MIDDLE, packed(labels))
    save("idx", "classes", options(1), images, MIDDLE, labels)
    mask = idx(8, [6, 2, 3], bytes([0, 1] * 18))
    save("idx", "mask", options(3), images, MIDDLE, mask)
    save("idx", "regression", options(4), idx(0x0D, [4, 2], struct.pack(">8f", *range(8))), MIDDLE,
         idx(0x0E, [4, 1], struct.pack(">4d", 0.5, 1, 2, 3)))
    save("idx", "short", options(0), idx(0x0B, [4, 2], struct.pack(">8h", *range(8))), MIDDLE,
         idx(0x0C, [4], struct.pack(">4i", 0, 1, 1, 0)))
    save("idx", "signed", options(5), idx(9, [4, 1, 2, 3], bytes(24)), MIDDLE, idx(9, [4], bytes([0, 1, 1, 0])))


# ---- tables ----


def make_csv():
    numbers = b"a,b,y\n1,2,0\n3,4.5,1\n-1e3,.5,0\n7,8,1\n"
    words = b'"x ""1""",colour\r\n1,red\r\n2,"green, dark"\r\n3,red\r\n"4",blue\r\n'
    gaps = b"a\tb\ty\n1\tNA\tyes\n?\t2\tno\n3\t\tyes\n4\t5\tno\n"
    bare = b"1,2,3.5,4\n2,3,4.5,5\n3,4,5.5,6\n4,5,6.5,7\n5,6,7.5,8\n6,7,8.5,9\n"
    save("csv", "numbers", options(0), numbers)
    save("csv", "gzip", options(6, True), packed(numbers))
    save("csv", "words", options(0, True), b"\xef\xbb\xbf", words)
    save("csv", "gaps", options(3), gaps)
    save("csv", "semicolon", options(2), bare.replace(b",", b";"))
    for line in (1, 5, 7, 8, 9, 10, 11, 12):
        save("csv", "bare-%d" % line, options(line), b"a,b,c,y\n" if line in (5, 10) else b"", bare)
    dates = b"2024-05-01T12:30:00Z,1,0.5\n31.12.2024,2,1.5\n31/12/2024 1:00 PM,0,2\n,3,4\n"
    save("csv", "dates", options(13), dates)
    save("csv", "dates-mdy", options(14, True), b"d,k,y\n", dates.replace(b"31/12", b"12/31"))
    for line in (15, 16, 17):
        save("csv", "bare-%d" % line, options(line), bare)
    save("csv", "dropped", options(4), gaps.replace(b"\t", b","))


# ---- cifar ----


def make_cifar():
    rows = lambda head: b"".join(bytes(head(i)) + bytes([i * 16] * 3072) for i in range(3))
    save("cifar", "ten", options(0), packed(rows(lambda i: [i])))
    save("cifar", "coarse", options(1, True), packed(rows(lambda i: [i, 50 + i])))
    save("cifar", "fine", options(2), packed(rows(lambda i: [i, 50 + i])))
    save("cifar", "split", options(3), packed(rows(lambda i: [i % 2])))
    save("cifar", "plain", options(0), bytes([1] + [9] * 3072) + bytes([2] + [8] * 3072))


# ---- pictures ----

JPEG = """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wCEAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNy
wtQFdBRkxOUlNSMj5aYVpQYEpRUk8BDg4OExETJhUVJk81LTVPT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P
T09PT09PT09PT09PT09PT09PT//AABEIAAgACQMBIgACEQEDEQH/xAGiAAABBQEBAQEBAQAAAAAAAAAAAQIDBAUGBw
gJCgsQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYn
KCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqa
qys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+gEAAwEBAQEBAQEBAQAAAAAAAAEC
AwQFBgcICQoLEQACAQIEBAMEBwUEBAABAncAAQIDEQQFITEGEkFRB2FxEyIygQgUQpGhscEJIzNS8BVictEKFiQ04S
XxFxgZGiYnKCkqNTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqCg4SFhoeIiYqSk5SVlpeYmZqi
o6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2dri4+Tl5ufo6ery8/T19vf4+fr/2gAMAwEAAhEDEQA/AE
KF2WOIbVAGNsQwANuMZ/4Dgd/kHd6Psumf88LL/wAGY/8Aiasxffi/7Zfzt64+qpU/awUtvv8A0aMXWktIux//2Q==
"""


def png(width, height, color, depth, rows, palette=b"", interlace=0):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + (chunk(b"PLTE", palette) if palette else b"") +
            chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def bmp(width, height, bits, data, palette=b"", compression=0, extra=b""):
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0,
                       len(palette) // 4, 0)
    head = 14 + len(info) + len(extra) + len(palette)
    return b"BM" + struct.pack("<IHHI", head + len(data), 0, 0, head) + info + extra + palette + data


def tga(kind, width, height, bits, data, palette=b""):
    return struct.pack("<BBBHHBHHHHBB", 0, 1 if palette else 0, kind, 0, len(palette) // 3,
                       24 if palette else 0, 0, 0, width, height, bits, 0x20) + palette + data


def gif(interlaced=False):
    # 3x3 pixels of 4 colors, LZW codes of 3 bits: clear, nine pixels, the end
    codes, bits, held = [4, 0, 1, 4, 2, 3, 4, 0, 1, 4, 2, 3, 4, 0, 5], 0, 0
    out = bytearray()
    for code in codes:
        held |= code << bits
        bits += 3
        while bits >= 8:
            out.append(held & 255)
            held >>= 8
            bits -= 8
    out.append(held & 255)
    return (b"GIF89a" + struct.pack("<HHBBB", 3, 3, 0x81, 0, 0) + bytes(range(12)) +
            b"!\xf9\x04\x01\0\0\0\0" + b"," + struct.pack("<HHHHB", 0, 0, 3, 3, 0x40 * interlaced) +
            b"\x02" + bytes([len(out)]) + bytes(out) + b"\0;")


def pictures():
    import base64
    jpeg = base64.b64decode(JPEG)
    rows = b"".join(bytes([0]) + bytes(range(9 * i, 9 * i + 9)) for i in range(4))
    yield "png-rgb", png(3, 4, 2, 8, rows)
    yield "png-grey", png(9, 4, 0, 8, rows)
    yield "png-palette", png(9, 4, 3, 8, b"".join(b"\0" + bytes([0, 1, 2] * 3) for _ in range(4)), bytes(range(9)))
    yield "png-bits", png(9, 2, 0, 1, b"\1\xaa\x80\2\x55\0")
    yield "png-16", png(2, 2, 6, 16, b"\3" + bytes(16) + b"\4" + bytes(range(16)))
    yield "png-interlaced", png(2, 2, 0, 8, b"\0\1\0\2\0\3\4", interlace=1)
    yield "jpeg", jpeg
    yield "jpeg-progressive", jpeg.replace(b"\xff\xc0", b"\xff\xc2")
    yield "bmp-24", bmp(3, 2, 24, bytes(24))
    yield "bmp-upper", bmp(3, -2, 32, bytes(range(24)))
    yield "bmp-8", bmp(3, 2, 8, bytes([0, 1, 1, 0] * 2), bytes(range(8)))
    yield "bmp-1", bmp(3, 2, 1, bytes(8), bytes(range(8)))
    yield "bmp-masks", bmp(2, 2, 16, bytes(range(8)), compression=3,
                           extra=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
    yield "gif", gif()
    yield "gif-interlaced", gif(True)
    yield "tga", tga(2, 3, 2, 24, bytes(range(18)))
    yield "tga-grey", tga(3, 3, 2, 8, bytes(range(6)))
    yield "tga-runs", tga(10, 3, 2, 32, b"\x82\1\2\3\4\2" + bytes(12))
    yield "tga-palette", tga(1, 2, 2, 8, bytes([0, 1, 1, 0]), bytes(range(6)))
    yield "pgm", b"P5 3 2 255\n" + bytes(range(6))
    yield "ppm", b"P6\n# a comment\n2 2\n255\n" + bytes(range(12))
    for order, mark in ("<", b"II"), (">", b"MM"):  # EXIF: one tag, the orientation
        tiff = mark + struct.pack(order + "HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
        exif = b"Exif\0\0" + tiff
        yield ("jpeg-exif-" + mark.decode().lower(),
               jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])


def make_image():
    for number, (name, data) in enumerate(pictures()):
        save("image", name, bytes([number * 13 & 255]), data)


def archive(members, form):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()[:512 * (2 + sum(1 + (len(d) + 511) // 512 for _, d in members)) + 1024]


def make_image_tar():
    grey = b"P5 3 2 255\n" + bytes(range(6))
    two = [("set/a/1.pgm", grey), ("set/b/2.pgm", grey)]
    four = two + [("set/a/3.png", png(3, 4, 2, 8, (b"\0" + bytes(9)) * 4)), ("set/b/4.gif", gif())]
    save("image_tar", "ustar", options(0, True), archive(two, tarfile.USTAR_FORMAT))
    save("image_tar", "gzip", options(1), packed(archive(four, tarfile.USTAR_FORMAT)))
    save("image_tar", "fit", options(2), packed(archive(four, tarfile.USTAR_FORMAT)))
    save("image_tar", "crop", options(3), packed(archive(four, tarfile.USTAR_FORMAT)))
    save("image_tar", "demand", options(4), archive(two, tarfile.USTAR_FORMAT))
    long = [("x" * 110 + "/a/1.pgm", grey), ("y" * 110 + "/b/2.pgm", grey)]
    save("image_tar", "long", options(0), packed(archive(long, tarfile.GNU_FORMAT)))
    save("image_tar", "prefix", options(0), packed(archive(long, tarfile.USTAR_FORMAT)))


def make_image_list():
    save("image_list", "classes", options(0), b"path,class\ncolour.png,cat\nmask.pgm,dog\ncolour.png,dog\n")
    save("image_list", "bare", options(1, True), b"colour.png,0\nmask.pgm,1\n")
    save("image_list", "tab", options(2), b"colour.png\tcat\nmask.pgm\tdog\n")
    save("image_list", "numbers", options(3, True), b"p,x,y\ncolour.png,1,2.5\nmask.pgm,3,4e1\n")
    save("image_list", "mask", options(4), b"colour.png,mask.pgm\nmask.pgm,mask.pgm\n")
    save("image_list", "mask-2", options(5, True), b"p,m\ncolour.png,mask.pgm\nmask.pgm,mask.pgm\n")
    save("image_list", "picture", options(6), b"colour.png,mask.pgm\n\"mask.pgm\",colour.png\n")
    save("image_list", "second", options(7), b"a,colour.png\nb,mask.pgm\na,mask.pgm\nb,mask.pgm\n")
    save("image_list", "demand", options(8), packed(b"p;c\ncolour.png;1\nmask.pgm;2\n"))


# ---- arrays ----


def npy(descr, shape, data, fortran=False, version=1):
    text = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (descr, fortran, shape)
    size = 10 if version == 1 else 12
    text += " " * (-(size + len(text) + 1) % 16) + "\n"
    return (b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) +
            text.encode() + data)


def make_npy():
    x = npy("<f4", (4, 2), struct.pack("<8f", *range(8)))
    y = npy("|u1", (4,), bytes([0, 1, 1, 0]))
    save("npy", "float", options(0, True), x, MIDDLE, y)
    save("npy", "classes", options(1), npy("|u1", (4, 2, 3), bytes(24)), MIDDLE, npy("<i8", (4,), struct.pack("<4q", 0, 1, 2, 3)))
    save("npy", "fortran", options(2), npy("<f8", (4, 2), struct.pack("<8d", *range(8)), True), MIDDLE, y)
    save("npy", "big", options(3), npy(">i2", (4, 1, 2, 1), struct.pack(">8h", *range(8)), version=2), MIDDLE,
         npy(">i4", (4,), struct.pack(">4i", 0, 1, 0, 1), version=3))
    save("npy", "regression", options(4), x, MIDDLE, npy("<f4", (4, 3), struct.pack("<12f", *range(12))))
    save("npy", "mask", options(5), npy("|i1", (4, 2, 3), bytes(24)), MIDDLE, npy("|u1", (4, 2, 3), bytes([0, 1] * 12)))


def make_npz():
    def zipped(method, x, y):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as z:
            for name, data in (("x.npy", x), ("y.npy", y)):
                z.writestr(zipfile.ZipInfo(name), data, method)
        return out.getvalue()

    x = npy("<f4", (4, 2), struct.pack("<8f", *range(8)))
    y = npy("|u1", (4,), bytes([0, 1, 1, 0]))
    save("npz", "stored", options(0, True), zipped(zipfile.ZIP_STORED, x, y))
    save("npz", "deflated", options(1), zipped(zipfile.ZIP_DEFLATED, x, y))
    save("npz", "mean", options(2), zipped(zipfile.ZIP_DEFLATED, x, y))
    save("npz", "split", options(3), zipped(zipfile.ZIP_STORED, x, y))
    save("npz", "demand", options(4), zipped(zipfile.ZIP_STORED, x, y))
    out = io.BytesIO()  # like numpy.savez: sizes in zip64 fields
    with zipfile.ZipFile(out, "w") as z:
        for name, data in (("x.npy", x), ("y.npy", y)):
            with z.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                member.write(data)
    save("npz", "zip64", options(0), out.getvalue())


# ---- texts ----


def make_text():
    text = "It's a text, né? It’s ΑΒΓ and 12 more words; 𝄞 too.\n".encode()
    save("text", "characters", options(0), text)
    save("text", "bytes", options(1, True), text + bytes(range(256)))
    save("text", "words", options(2, True), text)
    save("text", "few", options(3), packed(text * 2))
    save("text", "numbers", options(4), text)
    save("text", "split", options(5), text * 2)


def make_config():
    save("config", "iris", b"""name = "iris"; seed = 1; /* a comment */
data = { format = "csv"; train = { file = "iris.csv"; }; validation = 0.1; test = 0.2; };
network = ( { layer = "dense"; units = 16; activation = "relu"; }, # another
  { layer = "residual"; body = ( { layer = "dense"; units = 16; } ); repeat = 2; },
  { layer = "dense"; units = 3; } );
loss = { type = "softmax_cross_entropy"; label_smoothing = 0.1; };
optimizer = { type = "adam"; learning_rate = 1e-2; schedule = { type = "cosine"; }; };
regularization = { l2 = 1e-4; early_stopping = { monitor = "val_loss"; patience = 3; }; };
training = { batch_size = 16; epochs = 100; metrics = ("accuracy", "top3"); };
""")
    save("config", "values", b"""a = 0x1F; b = 3000000000L; c = -1.5e-3; d = true; e = [1, 2, 3]; f = ("a", (1.0), {});
g = "a \\"b\\" \\x41 \\n" "more";
""")
    save("config", "include", b"""a = 1;\n@include "c.cfg"\n""")
    save("config", "images", b"""data = { format = "image_list"; train = { file = "l.csv"; size = [8, 8]; task = "mask"; };
  augment = ( { type = "rotate"; degrees = 10; }, { type = "cutout"; } ); balance = "weights"; };
network = ( { layer = "conv2d"; filters = 4; kernel = 3; name = "c"; },
  { layer = "parallel"; branches = ( ( { layer = "max_pool"; size = 2; } ), ( { layer = "lstm"; units = 2; } ) ); merge = "concat"; },
  { layer = "add"; inputs = ["c", "c"]; } );
""")


def make_history():
    head = b"epoch,step,seconds,learning_rate,train_loss,train_accuracy,val_loss,val_accuracy\n"
    rows = b"".join(b"%d,%d,0.5,0.001,%g,0.9,%g,0.8\n" % (i, 10 * i, 1 / i, 0.5 + 0.1 * i) for i in range(1, 9))
    save("history", "overfit", head + rows)
    save("history", "short", head + rows[:60])
    save("history", "nan", b"epoch,train_loss,val_loss\n1,nan,inf\n2,-inf,1e400\n")
    save("history", "flat", b"epoch,train_loss\n" + b"".join(b"%d,0.69\n" % i for i in range(1, 30)))


make_idx()
make_csv()
make_cifar()
make_image()
make_image_tar()
make_image_list()
make_npy()
make_npz()
make_text()
make_config()
make_history()

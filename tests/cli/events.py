#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""events.py FILE: TensorBoard's event file as JSON, one line per event.

Independent of what wrote it: the checksums are worked out bit by bit, and the messages are read by
Google's protobuf from the published field numbers. Ends with 77 if protobuf is not installed, with
1 if a checksum, a length or a field is wrong.
"""
import json
import struct
import sys

try:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
except ImportError:
    sys.exit(77)

F = descriptor_pb2.FieldDescriptorProto
KINDS = {"double": F.TYPE_DOUBLE, "float": F.TYPE_FLOAT, "int64": F.TYPE_INT64,
         "int32": F.TYPE_INT32, "string": F.TYPE_STRING, "bytes": F.TYPE_BYTES}
MESSAGES = {
    "SessionLog": ["status 1 int32"],
    "Image": ["height 1 int32", "width 2 int32", "colorspace 3 int32",
              "encoded_image_string 4 bytes"],
    "HistogramProto": ["min 1 double", "max 2 double", "num 3 double", "sum 4 double",
                       "sum_squares 5 double", "bucket_limit 6 double*", "bucket 7 double*"],
    "Value": ["tag 1 string", "simple_value 2 float", "image 4 Image", "histo 5 HistogramProto"],
    "Summary": ["value 1 Value*"],
    "Event": ["wall_time 1 double", "step 2 int64", "file_version 3 string", "summary 5 Summary",
              "session_log 7 SessionLog"],
}


def event_class():
    file = descriptor_pb2.FileDescriptorProto(name="event.proto", package="t", syntax="proto2")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for line in fields:
            key, number, kind = line.split()
            many, kind = kind.endswith("*"), kind.rstrip("*")
            field = message.field.add(name=key, number=int(number))
            field.label = F.LABEL_REPEATED if many else F.LABEL_OPTIONAL
            if kind in KINDS:
                field.type = KINDS[kind]
                field.options.packed = many
            else:
                field.type, field.type_name = F.TYPE_MESSAGE, ".t." + kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("t.Event")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def check(data, masked):
    turned = (masked - 0xA282EAD8) % 2**32
    assert (turned << 15 | turned >> 17) % 2**32 == crc32c(data), "checksum"


def values(summary):
    for v in summary.value:
        if v.HasField("simple_value"):
            yield v.tag, v.simple_value
        elif v.HasField("histo"):
            h = v.histo
            yield v.tag, {"min": h.min, "max": h.max, "num": h.num, "sum": h.sum,
                          "sum_squares": h.sum_squares, "bucket_limit": list(h.bucket_limit),
                          "bucket": list(h.bucket)}
        else:
            png = v.image.encoded_image_string
            assert png[:8] == b"\x89PNG\r\n\x1a\n" and v.image.colorspace == 3, "image"
            assert struct.unpack(">II", png[16:24]) == (v.image.width, v.image.height), "size"
            yield v.tag, {"width": v.image.width, "height": v.image.height}


def main():
    assert crc32c(b"123456789") == 0xE3069283
    data = open(sys.argv[1], "rb").read()
    event, at = event_class(), 0
    while at < len(data):
        (length,) = struct.unpack("<Q", data[at:at + 8])
        check(data[at:at + 8], struct.unpack("<I", data[at + 8:at + 12])[0])
        body = data[at + 12:at + 12 + length]
        assert len(body) == length, "cut short"
        at += 12 + length
        check(body, struct.unpack("<I", data[at:at + 4])[0])
        at += 4
        e = event.FromString(body)
        again = e.SerializeToString(deterministic=True)
        assert len(again) == length, "unknown or repeated fields"
        print(json.dumps({"wall_time": e.wall_time, "step": e.step,
                          "file_version": e.file_version, "start": e.session_log.status,
                          "values": dict(values(e.summary)), "count": len(e.summary.value)}))


main()

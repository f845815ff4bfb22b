# SPDX-License-Identifier: MIT
"""Files that were changed at random, given to the programs as they are run: each ends within two
seconds of processor time and 500 MB, with an exit status of its own and a message."""
import io
import os
import random
import re
import struct
import tarfile
import zlib

import bench
from bench import Campaign, Try

WORDS = [b'nan', b'-1', b'0', b'1e999', b'9223372036854775807', b'-9223372036854775808',
         b'4294967296', b'""', b'[]', b'{}', b'()', b',', b';', b'\n', b'\r', b'\0', b'\xff\xfe',
         b'"', b'../x', b'/']


def mutated(data, draw, foreign):
    """One to four changes: bytes, words, numbers, pieces that are cut, doubled, moved, or come from
    another file."""
    data = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4))):
        at = draw.randrange(len(data) + 1)
        span = min(len(data) - at, draw.choice((1, 2, 8, 64, 512)))
        kind = draw.randrange(9)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = draw.randrange(256)
        elif kind == 2:
            data[at:at + draw.choice((0, span))] = draw.choice(WORDS)
        elif kind == 3:
            del data[at:at + span]
        elif kind == 4:
            data[at:at] = data[at:at + span] * draw.choice((1, 2, 100))
        elif kind == 5:
            del data[at:]
        elif kind == 6:
            size = draw.choice((1, 2, 4, 8))
            value = draw.choice((0, 1, 1 << (8 * size - 1), (1 << (8 * size)) - 1, 1 << (4 * size)))
            data[at:at + size] = value.to_bytes(size, draw.choice(('little', 'big')))
        elif kind == 7:
            numbers = list(re.finditer(rb'\d+', data))
            if numbers:
                one = draw.choice(numbers)
                data[one.start():one.end()] = draw.choice(WORDS[:7])
        else:
            start = draw.randrange(len(foreign) + 1)
            data[at:at + span] = foreign[start:start + span]
    return bytes(data)


def resealed(data, draw, foreign):
    """A checkpoint of which the header or the tensors have changed, with the right length and the
    right checksum, so that what is behind these is reached."""
    length = int.from_bytes(data[:8], 'little')
    header, tensors = data[8:8 + length], data[8 + length:]
    if draw.randrange(4):
        header = mutated(header, draw, foreign)
    else:
        tensors = mutated(tensors, draw, foreign)
    header += b' ' * (-len(header) % 8)
    data = len(header).to_bytes(8, 'little') + header + tensors
    key = b'"checksum":"'
    at = data.find(key) + len(key)
    if at < len(key):
        return data
    data = data[:at] + b'00000000' + data[at + 8:]
    return data[:at] + b'%08x' % zlib.crc32(data) + data[at + 8:]


def npy(shape, kind, values):
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b' ' * (63 - (10 + len(head)) % 64) + b'\n'
    return b'\x93NUMPY\x01\0' + struct.pack('<H', len(head)) + head + values


def png(draw):
    def chunk(kind, data):
        check = struct.pack('>I', zlib.crc32(kind + data))
        return struct.pack('>I', len(data)) + kind + data + check
    rows = b''.join(b'\0' + draw.randbytes(8) for _ in range(8))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 8, 8, 8, 0, 0, 0, 0)) +
            chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def tar(draw):
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode='w', format=draw.choice((tarfile.USTAR_FORMAT,
                      tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))) as archive:
        for i in range(4):
            data = png(draw)
            member = tarfile.TarInfo(f'{"long/" * 30 if i == 3 else ""}k{i % 2}/{i}.png')
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return whole.getvalue()


NET = ('network = ( { layer = "dense"; units = 2; } ); loss = { type = "%s"; };\n'
       'optimizer = { type = "sgd"; learning_rate = 0.1; }; training = { epochs = 1; };\n')
PICTURES = ('data = { format = "%s"; train = { %s = "%s"; };\n'
            '  channels = "gray"; size = 8; };\n'
            + NET % 'softmax_cross_entropy')
ARRAYS = ('data = { format = "npy"; train = { inputs = "x.npy"; targets = "y.npy"; }; };\n'
          + NET % 'mse')


def kinds(draw):
    """name: (the file that changes, its bytes, other files, command)"""
    half = f'{bench.work}/half'
    train, test, look = (bench.program(name) for name in ('dltrain', 'dltest', 'dlinspect'))
    config = bench.read(f'{bench.work}/t.cfg')
    more = [bench.read(os.path.join(place, name)) for place, _, names in
            os.walk(os.path.join(bench.root, 'configs')) for name in names
            if name.endswith('.cfg') and not place.endswith(('models', 'papers', 'bench'))]
    pictures = {f'p/k{i % 2}/{i}.png': png(draw) for i in range(4)}
    dry = [train, '--threads', '1', '--dry-run', 'm.cfg']
    short = [train, '--threads', '1', '--quiet', '--epochs', '1', '--force', '--out', 'o', 'm.cfg']
    floats = struct.pack('<12f', *(draw.random() for _ in range(12)))
    checkpoint = [bench.read(f'{half}/last.safetensors')]
    history = [bench.read(f'{half}/history.csv')]
    yield 'checkpoint', 'r/last.safetensors', checkpoint, {}, \
        [test, '--threads', '1', 'r/last.safetensors']
    yield 'checkpoint, --resume', 'r/last.safetensors', checkpoint, {}, \
        [train, '--threads', '1', '--quiet', '--resume', 'r']
    yield 'config', 'm.cfg', [config, *more], {}, dry
    yield 'csv', 'rows.csv', [bench.read(f'{bench.work}/rows.csv')], {'m.cfg': config}, short
    yield 'npy', 'x.npy', [npy('(6, 2)', '<f4', floats), npy('(6, 2)', '<u2', floats[:24])], \
        {'y.npy': npy('(6, 2)', '<f4', floats), 'm.cfg': ARRAYS}, short
    yield 'png', 'p/k0/0.png', [pictures['p/k0/0.png']], \
        {**pictures, 'm.cfg': PICTURES % ('image_folder', 'folder', 'p')}, short
    yield 'tar', 'p.tar', [tar(draw) for _ in range(6)], \
        {'m.cfg': PICTURES % ('image_tar', 'file', 'p.tar')}, short
    yield 'facts', 'r/facts.json', [bench.read(f'{half}/facts.json')], {}, [look, 'diagnose', 'r']
    yield 'history', 'r/history.csv', history, {}, [look, 'diagnose', 'r']
    yield 'history, --resume', 'r/history.csv', history, {}, \
        [train, '--threads', '1', '--quiet', '--resume', 'r']


def hostile(seconds, seed, wanted):
    found = []
    all_kinds = list(kinds(random.Random(seed)))
    for name, file, originals, others, command in all_kinds:
        campaign = Campaign(f'mutants, {name}')
        allowed = (0, 1, 2, 3, 4)
        with Try(r=f'{bench.work}/half') as place:
            for path, data in {**others, file: originals[0]}.items():
                os.makedirs(os.path.dirname(place.path(path)), exist_ok=True)
                bench.write(place.path(path), data)
            begun = bench.run(command, place.folder)
            if begun.status not in (0, 5):
                campaign.loss(f'the original is refused: {begun.err.decode().strip()}')

        def attempt(number):
            draw = random.Random(f'{seed} {name} {number}')
            mutate = resealed if name.startswith('checkpoint') and number % 4 else mutated
            data = mutate(draw.choice(originals), draw, draw.choice(draw.choice(all_kinds)[2]))
            with Try(r=f'{bench.work}/half') as place:
                for path, content in {**others, file: data}.items():
                    os.makedirs(os.path.dirname(place.path(path)), exist_ok=True)
                    bench.write(place.path(path), content)
                done = bench.run(command, place.folder, limit=30)
                what = f'mutant {number}'
                fine = campaign.check(done, what, allowed)
                if fine and done.cpu > 2:
                    campaign.crash(f'{what}: took {done.cpu:.1f} s')
                elif fine and done.memory > 500 << 20:
                    campaign.crash(f'{what}: took {done.memory >> 20} MB')
                elif fine:
                    return
                kept = os.path.join(bench.root, 'build', 'torture')
                os.makedirs(kept, exist_ok=True)
                bench.write(f'{kept}/{name.split(",")[0]}-{number}', data)
        campaign.over(range(wanted), attempt, seconds / len(all_kinds), seed)
        found.append(campaign)
    return found

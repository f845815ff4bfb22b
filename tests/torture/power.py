# SPDX-License-Identifier: MIT
"""What a power cut may leave. The system calls of a run are recorded; at each of them the folder is
rebuilt as a disk may have it: an entry of a folder is safe only after an fsync of the folder, bytes
of a file after one of the file. What is not safe is there in part, whole, or not at all."""
import codecs
import copy
import os
import random
import re

import bench
from bench import Campaign, Try, differences, train

CALLS = ('openat,write,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,ftruncate,mkdir,'
         'rmdir,symlink,close')


class File:
    def __init__(self, data=b''):
        self.data = self.safe = data


class Disk:
    """Files by path below the folder; safe: as they are found if nothing else reaches the disk."""

    def __init__(self, folder):
        self.entries, self.folders, self.pending = {}, {''}, []
        for place, _, names in os.walk(folder):
            inside = os.path.relpath(place, folder)
            inside = '' if inside == '.' else inside
            self.folders.add(inside)
            for name in names:
                path = os.path.join(inside, name)
                if not os.path.islink(os.path.join(folder, path)):
                    self.entries[path] = File(bench.read(os.path.join(folder, path)))
        self.safe, self.safe_folders = dict(self.entries), set(self.folders)

    def change(self, folder, operation):
        """An operation on the entries of a folder: (kind, path, ...)."""
        self.apply(self.entries, self.folders, operation)
        self.pending.append((folder, operation))

    @staticmethod
    def apply(entries, folders, operation):
        kind, path, other = operation
        if kind == 'link':
            entries[path] = other
        elif kind == 'unlink':
            entries.pop(path, None)
        elif kind == 'rename' and path in entries:
            entries[other] = entries.pop(path)
        elif kind == 'exchange':  # two folders, whose own entries are safe
            def moved(name):
                for one, two in (path, other), (other, path):
                    if name == one or name.startswith(one + '/'):
                        return two + name[len(one):]
                return name
            kept = {moved(name): file for name, file in entries.items()}
            entries.clear()
            entries.update(kept)
            kept = {moved(name) for name in folders}
            folders.clear()
            folders.update(kept)
        elif kind == 'mkdir':
            folders.add(path)
        elif kind == 'rmdir':
            folders.discard(path)

    def sync(self, folder):
        for of, operation in self.pending:
            if of == folder:
                self.apply(self.safe, self.safe_folders, operation)
        self.pending = [one for one in self.pending if one[0] != folder]


def below(folder, path):
    """`path` inside the folder, '' for itself; None: outside."""
    path = os.path.normpath(os.path.join(folder, path))
    if path == folder:
        return ''
    return path[len(folder) + 1:] if path.startswith(folder + '/') else None


def text(raw):
    return codecs.decode(raw, 'unicode_escape').encode('latin-1')


def events(trace, folder):
    """Of strace's lines: (call, path or descriptor, ...) below the folder."""
    opened = {}
    for line in open(trace):
        match = re.match(r'\d+ +(\w+)\((.*)\) += (-?\d+)', line)
        if not match or int(match[3]) < 0:
            continue
        call, rest, value = match[1], match[2], int(match[3])
        words = [text(word) for word in re.findall(r'"((?:[^"\\]|\\.)*)"', rest)]
        number = re.match(r'\d+', rest)
        number = int(number[0]) if number else None
        if call == 'openat':
            path = below(folder, words[0].decode())
            if path is None or path.startswith('/'):
                opened.pop(value, None)
                continue
            opened[value] = path
            yield 'open', path, value, rest
        elif call == 'close':
            opened.pop(number, None)
        elif call in ('write', 'fsync', 'fdatasync', 'ftruncate') and number in opened:
            length = int(rest.split(', ')[-1]) if call == 'ftruncate' else value
            yield call, opened[number], number, words[0][:value] if call == 'write' else length
        elif call in ('rename', 'unlink', 'unlinkat', 'mkdir', 'rmdir') and number is None \
                and not rest.startswith('AT_FDCWD'):
            paths = [below(folder, word.decode()) for word in words]
            if None not in paths:
                yield call, *paths
        elif call == 'renameat2' and 'RENAME_EXCHANGE' in rest:
            paths = [below(folder, word.decode()) for word in words]
            if None not in paths:
                yield 'exchange', *paths
        elif call == 'renameat' and number in opened:
            yield ('rename', os.path.join(opened[number], words[0].decode()),
                   below(folder, words[1].decode()))
        elif call == 'unlinkat' and number in opened:
            yield 'unlink', os.path.join(opened[number], words[0].decode())


def replay(disk, steps):
    """The disk after each step that changes something."""
    at, inode = {}, {}
    for step in steps:
        call, path, *rest = step
        folder = os.path.dirname(path)
        if call == 'open':
            number, flags = rest
            at[number] = path
            if 'O_CREAT' in flags and path not in disk.entries:
                disk.change(folder, ('link', path, File()))
            elif 'O_TRUNC' in flags and path in disk.entries:
                disk.entries[path].data = b''
            inode[number] = disk.entries.get(path)
            if 'O_CREAT' not in flags:
                continue
        elif call == 'write':
            inode[rest[0]].data += rest[1]
        elif call == 'ftruncate':
            inode[rest[0]].data = inode[rest[0]].data[:rest[1]]
        elif call in ('fsync', 'fdatasync'):
            file = inode.get(rest[0])
            if file:
                file.safe = file.data
            else:
                disk.sync(path)
        elif call in ('rename', 'exchange'):
            disk.change(folder, (call, path, rest[0]))
        else:
            disk.change(folder, (call.replace('unlinkat', 'unlink'), path, None))
        yield copy.deepcopy(disk)


def lengthened(file, share):
    """Bytes that reached the disk: the safe ones and a share of those written since."""
    if not file.data.startswith(file.safe):
        return file.data if share >= 0.5 else file.safe
    return file.data[:len(file.safe) + int(share * (len(file.data) - len(file.safe)))]


def left(disk, mode, draw):
    """{path: bytes} and the folders, as a disk may have them."""
    entries, folders = dict(disk.safe), set(disk.safe_folders)
    kept = {'lost': 0, 'random': draw.randint(0, len(disk.pending))}.get(mode, len(disk.pending))
    for _, operation in disk.pending[:kept]:
        disk.apply(entries, folders, operation)
    share = {'lost': 0, 'entries': 0, 'torn': 0.5, 'whole': 1}
    files = {path: lengthened(file, share.get(mode, draw.random()))
             for path, file in entries.items()}
    return {path: data for path, data in files.items() if os.path.dirname(path) in folders}, folders


def rebuild(folder, files, folders):
    for path in sorted(folders):
        os.makedirs(os.path.join(folder, path), exist_ok=True)
    for path, data in files.items():
        bench.write(os.path.join(folder, path), data)


def power_cut(name, scenario, seconds, seed):
    campaign = Campaign(f'power cut, {name}')
    copies, arguments, wanted = scenario
    with Try(**copies) as place:
        disk = Disk(place.folder)
        trace = place.path('trace')
        done = train(arguments, place.folder, ['strace', '-f', '-s', '10000000', '-xx', '-o', trace,
                                               '-e', f'trace={CALLS}'])
        states = list(replay(disk, events(trace, place.folder)))
    if done.status or not states:
        campaign.loss(f'nothing was recorded: {done.err.decode()}')
        return campaign
    final = left(states[-1], 'lost', random.Random(0))[0]
    for file in (*bench.RESULTS, 'history.csv', 'facts.json'):
        if f'r/{file}' not in final:
            campaign.loss(f'the run is done, and r/{file} is not on the disk')

    def attempt(point):
        number, mode, draw = point
        state = states[number]
        what = f'state {number} of {len(states)}, {mode}'
        files, folders = left(state, mode, random.Random(draw))
        safe = left(state, 'lost', random.Random(0))[0]
        with Try() as there:
            rebuild(there.folder, files, folders)
            resumed = train(['--resume', 'r'], there.folder)
            if not campaign.check(resumed, what):
                return
            if resumed.status:
                if 'r/last.safetensors' in safe and 'r/last.safetensors' in files:
                    campaign.loss(f'{what}: refused: {resumed.err.decode().strip()}')
                again = train(['--force', '--seed', '9', '--out', 'r', 't.cfg'], there.folder)
                if again.status:
                    campaign.loss(f'{what}: cannot begin again: {again.err.decode().strip()}')
            elif resumed.err.strip():
                return  # it says what is missing
            else:
                unlike = [differences(there.path('r'), one) for one in wanted]
                if all(unlike):
                    campaign.loss(f'{what}: other results after --resume: {unlike[0]}')
            if there.temporaries():
                campaign.loss(f'{what}: left {there.temporaries()[0]}')
    modes = 'lost', 'entries', 'torn', 'whole', 'random', 'random', 'random'
    points = [(i, mode, seed + k) for i in range(len(states)) for k, mode in enumerate(modes)]
    campaign.over(points, attempt, seconds, seed)
    return campaign

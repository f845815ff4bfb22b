# SPDX-License-Identifier: MIT
"""A run that is killed, or is refused, at a system call or an allocation."""
import os
import random
import re
import shutil
import subprocess
import sys

import bench
from bench import Campaign, Try, differences, train

CALLS = ('openat', 'read', 'write', 'pwrite64', 'writev', 'fsync', 'fdatasync', 'rename',
         'renameat', 'renameat2', 'unlink', 'unlinkat', 'ftruncate', 'mkdir', 'rmdir', 'symlink',
         'close')


def can_trace():
    return shutil.which('strace') and subprocess.run(
        ['strace', '-f', '-o', '/dev/null', 'true'], stderr=subprocess.DEVNULL).returncode == 0


# Three ways to a run in the folder r: what is there before, the arguments, and what it comes to.
def scenarios(base):
    def finished(name, *arguments):
        done = train(arguments, bench.work)
        if done.status:
            sys.exit(f'{name}: {done.err.decode()}')

    finished('whole', '--out', 'whole', 't.cfg')
    finished('half', '--out', 'half', '--stop-after', '1', 't.cfg')
    finished('old', '--seed', '1', '--stop-after', '2', '--out', 'old', 't.cfg')
    shutil.copytree(f'{base}/old', f'{base}/old_whole')
    finished('old_whole', '--resume', 'old_whole')
    finished('new', '--seed', '9', '--out', 'new', 't.cfg')
    whole, old, new = (bench.result(f'{base}/{name}') for name in ('whole', 'old_whole', 'new'))
    return {'train': ({}, ['--out', 'r', 't.cfg'], [whole]),
            '--resume': ({'r': f'{base}/half'}, ['--resume', 'r'], [whole]),
            '--force': ({'r': f'{base}/old'}, ['--seed', '9', '--force', '--out', 'r', 't.cfg'],
                        [new, old])}


def recorded(command, copies, everywhere=False):
    """(call, n) of each call that concerns the folder; n counts the call within a process."""
    with Try(**copies) as place:
        trace = place.path('trace')
        done = bench.run(['strace', '-f', '-y', '-o', trace, '-e', 'trace=' + ','.join(CALLS),
                          *command], place.folder)
        if done.status:
            sys.exit(f'{command}: {done.err.decode()}')
        counts, points = {}, set()
        for line in open(trace, errors='replace'):
            match = re.match(r'(\d+) +(\w+)\((.*)', line)
            if not match:
                continue
            process, call, rest = match.groups()
            n = counts[process, call] = counts.get((process, call), 0) + 1
            if call == 'close':
                continue
            path = rest.split('"')[1] if call == 'openat' else rest
            outside = path.startswith('/') and not path.startswith(place.folder)
            if everywhere or (f'<{place.folder}/' in rest or f'<{place.folder}>' in rest or
                              (not re.match(r'\d+<', rest) and not outside)):
                points.add((call, n))
        return sorted(points)


def inject(call, n, how):
    return ['strace', '-f', '-qq', '-o', '/dev/null', '-e', f'trace={call}',
            '-e', f'inject={call}:{how}:when={n}']


def goes_on(campaign, place, what, wanted, arguments):
    """After the fault the run resumes bit-exactly, or has no checkpoint, says so, and starts over.
    Then no temporary file is left."""
    had = os.path.exists(place.path('r/last.safetensors'))
    if had:
        tested = bench.run([bench.program('dltest'), '--threads', '1', '--checkpoint', 'last', 'r'],
                           place.folder)
        if tested.status == 2:
            tested = bench.run([bench.program('dltest'), '--threads', '1',
                                'r/last.safetensors'], place.folder)
        if tested.status:
            campaign.loss(f'{what}: the checkpoint is unreadable: {tested.err.decode().strip()}')
    resumed = train(['--resume', 'r'], place.folder)
    if not campaign.check(resumed, f'{what}, then --resume'):
        return
    if resumed.status and had:
        campaign.loss(f'{what}: --resume is refused: {resumed.err.decode().strip()}')
    if resumed.status:
        again = train(['--force', *arguments] if '--resume' not in arguments else arguments,
                      place.folder)
        if again.status:
            campaign.loss(f'{what}: cannot begin again: {again.err.decode().strip()}')
            return
    unlike = [differences(place.path('r'), one) for one in wanted]
    if all(unlike):
        campaign.loss(f'{what}: other results after --resume: {unlike[0]}')
    for rest in place.temporaries() + place.hidden_runs():
        campaign.loss(f'{what}: left {rest}')


def killed(name, scenario, seconds, seed):
    campaign = Campaign(f'killed at a call, {name}')
    copies, arguments, wanted = scenario
    command = [bench.program('dltrain'), '--quiet', '--threads', '1', *arguments]

    def attempt(point):
        with Try(**copies) as place:
            done = train(arguments, place.folder, inject(*point, 'signal=KILL'))
            if done.status == 0:
                return  # that call was not made this time
            goes_on(campaign, place, f'{point}', wanted, arguments)
    points = [point for point in recorded(command, copies) if point[0] not in ('openat', 'read')]
    campaign.over(points, attempt, seconds, seed)
    return campaign


def refused(name, scenario, seconds, seed):
    """ENOSPC or EIO: a message and an exit status, or the result as ever and no file missing."""
    campaign = Campaign(f'a call fails, {name}')
    copies, arguments, wanted = scenario
    command = [bench.program('dltrain'), '--quiet', '--threads', '1', *arguments]

    def attempt(point):
        call, n, error = point
        with Try(**copies) as place:
            done = train(arguments, place.folder, inject(call, n, f'error={error}'))
            if not campaign.check(done, f'{point}'):
                return
            if done.status == 0:
                unlike = differences(place.path('r'), wanted[0])
                if unlike:
                    campaign.loss(f'{point}: exit status 0, and other results: {unlike}')
                silent = not done.err.strip()
                log = bench.read(place.path('r/log.txt')) if silent else b'done'
                if silent and (not os.path.exists(place.path('r/facts.json')) or
                               not re.search(rb'^(done|best|next)', log, re.M)):
                    campaign.loss(f'{point}: log.txt or facts.json lacks something, in silence')
                if place.temporaries():
                    campaign.loss(f'{point}: left {place.temporaries()[0]}')
            goes_on(campaign, place, f'{point}', wanted, arguments)
    points = [(*point, error) for point in recorded(command, copies) for error in ('ENOSPC', 'EIO')
              if not (point[0] == 'read' and error == 'ENOSPC')]
    campaign.over(points, attempt, seconds, seed)
    return campaign


def search_killed(seconds, seed):
    """A search whose processes are killed, each at a call or all at once: the same command resumes
    it to the same results."""
    campaign = Campaign('killed at a call, search')
    script = os.path.join(bench.root, 'scripts', 'random_search.sh')
    command = ['sh', script, 'space.cfg', '-n', '3', '-j', '1', '-o', 's']

    def outcome(place):
        table = [line.split(',') for line in
                 bench.read(place.path('s/results.csv')).decode().splitlines()]
        kept = [i for i, name in enumerate(table[0]) if 'second' not in name]
        return ([[line[i] for i in kept] for line in table], bench.read(place.path('s/best.cfg')),
                [bench.read(place.path(f's/trial-{i:04}/last.safetensors')) for i in (1, 2, 3)])

    with Try() as place:
        done = bench.run(command, place.folder)
        if done.status:
            sys.exit(f'search: {done.err.decode()}')
        whole = outcome(place)

    def attempt(point):
        with Try() as place:
            if point[0] == 'time':
                bench.run(command, place.folder, kill_after=point[1])
            else:
                bench.run([*inject(*point, 'signal=KILL'), *command], place.folder)
            again = bench.run(command, place.folder, limit=120)
            if again.status:
                campaign.loss(f'{point}: does not go on: {again.err.decode().strip()[-200:]}')
            elif outcome(place) != whole:
                campaign.loss(f'{point}: other results')
            elif place.temporaries():
                campaign.loss(f'{point}: left {place.temporaries()[0]}')
    draw = random.Random(seed)
    points = [point for point in recorded(command, {}) if point[0] not in ('openat', 'read')]
    points += [('time', draw.uniform(0, 2)) for _ in range(len(points) // 3)]
    campaign.over(points, attempt, seconds, seed)
    return campaign


def out_of_memory(scenario, seconds, seed):
    """The n-th allocation returns NULL. libconfig 1.5 does not look at what malloc returns."""
    campaign = Campaign('malloc fails')
    shim = os.path.join(bench.work, 'allocation.so')
    built = subprocess.run(['cc', '-shared', '-fPIC', '-O1', '-o', shim,
                            os.path.join(bench.root, 'tests', 'shims', 'allocation.c'), '-ldl'],
                           capture_output=True)
    if built.returncode:
        return None
    half = f'{bench.work}/half'
    fails = {'LD_PRELOAD': shim, 'FAIL_NOT': 'libconfig'}
    copies, arguments, wanted = scenario
    dltrain, common = bench.program('dltrain'), ['--quiet', '--threads', '1']
    commands = {
        'train': ({}, [dltrain, *common, *arguments]),
        'resume': ({'r': half}, [dltrain, *common, '--resume', 'r']),
        'test': ({'r': half}, [bench.program('dltest'), '--threads', '1', 'r']),
        'predict': ({'r': half}, [bench.program('dlpredict'), '--threads', '1', 'r', 'rows.csv']),
        'diagnose': ({'r': half}, [bench.program('dlinspect'), 'diagnose', 'r'])}
    points, outputs = [], {}
    for name, (copied, command) in commands.items():
        with Try(**copied) as place:
            done = bench.run(command, place.folder, {**fails, 'FAIL_COUNT': place.path('count')})
            outputs[name] = done
            points += [(name, n + 1) for n in range(int(bench.read(place.path('count'))))]

    def attempt(point):
        name, n = point
        copied, command = commands[name]
        with Try(**copied) as place:
            done = bench.run(command, place.folder, {**fails, 'FAIL_AT': str(n)})
            if not campaign.check(done, f'{point}', (0, 1, 2, 3)):
                return
            if done.status == 0 and name in ('train', 'resume'):
                unlike = differences(place.path('r'), wanted[0])
                if unlike:
                    campaign.loss(f'{point}: exit status 0, and other results: {unlike}')
            elif done.status == 0 and done.out != outputs[name].out and not done.err:
                campaign.loss(f'{point}: exit status 0, and another answer')
            if name in ('train', 'resume') and done.status:
                goes_on(campaign, place, f'{point}', wanted, arguments)
    campaign.over(points, attempt, seconds, seed)
    return campaign

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make torture: runs that are killed or refused at each system call, out of memory at each
allocation, and cut off from power at each write; and files that were changed at random. Prints
a table; exit status 1 if anything was lost silently or crashed. TORTURE_SECONDS (600) limits it,
TORTURE_SEED (1) selects what is tried; arguments select campaigns: kill errno search malloc power
mutants."""
import os
import resource
import shutil
import sys
import tempfile

import bench
import calls
import mutants
import power

SHARES = {'kill': 0.12, 'errno': 0.2, 'search': 0.1, 'malloc': 0.15, 'power': 0.13, 'mutants': 0.3}


def main():
    asked = sys.argv[1:] or list(SHARES)
    if set(asked) - set(SHARES):
        sys.exit(f'{sys.argv[0]}: campaigns are {", ".join(SHARES)}')
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    seed = int(os.environ.get('TORTURE_SEED', 1))
    whole = float(os.environ.get('TORTURE_SECONDS', 600)) * 0.95
    seconds = {name: whole * SHARES[name] / sum(SHARES[one] for one in asked) for name in asked}
    bench.work = os.path.realpath(tempfile.mkdtemp(prefix='torture.'))
    campaigns = []
    try:
        bench.set_up(bench.work)
        scenarios = calls.scenarios(bench.work)
        traced = {'kill': calls.killed, 'errno': calls.refused, 'power': power.power_cut}
        if not calls.can_trace() and set(asked) & {*traced, 'search'}:
            print('skipped: kill, errno, search and power need strace, which is missing or may not '
                  'trace here')
            asked = [name for name in asked if name in ('malloc', 'mutants')]
        for name in asked:
            print(f'{name}: up to {seconds[name]:.0f} s', file=sys.stderr)
            if name in traced:
                campaigns += [traced[name](kind, scenario, seconds[name] / 3, seed)
                              for kind, scenario in scenarios.items()]
            elif name == 'search':
                campaigns.append(calls.search_killed(seconds[name], seed))
            elif name == 'malloc':
                campaigns.append(calls.out_of_memory(scenarios['train'], seconds[name], seed))
            else:
                campaigns += mutants.hostile(seconds[name], seed, 4000)
    finally:
        shutil.rmtree(bench.work, ignore_errors=True)
    print(f'{"campaign":30} {"tries":>6} {"of":>6} {"silent losses":>14} {"crashes":>8}')
    for one in filter(None, campaigns):
        print(f'{one.name:30} {one.tries:6} {one.of:6} {one.losses:14} {one.crashes:8}')
    faults = [note for one in filter(None, campaigns) for note in one.notes]
    print('\n'.join(faults[:100]))
    sys.exit(1 if faults else 0)


main()

# SPDX-License-Identifier: MIT
"""What the campaigns share: the programs, small data, one try, and the count of its faults."""
import concurrent.futures
import glob
import hashlib
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
programs = os.path.abspath(os.environ.get('DLTRAIN_PROGRAMS', root))
work = ''  # the folder of this call

SPACE = '{ search = "log"; low = 0.001; high = 0.1; }'
CONFIG = '''name = "t";
data = { format = "csv"; train = { file = "rows.csv"; }; validation = 0.2; };
network = (
  { layer = "dense"; units = 4; activation = "relu"; },
  { layer = "dropout"; rate = 0.2; },
  { layer = "dense"; units = 3; }
);
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = %s; };
training = { batch_size = 16; epochs = 3; checkpoint_every = 2; };
'''


class Finished:
    """A program that has ended: its status, below 0 by a signal, what it printed, its cost."""

    def __init__(self, status, out, err, cpu, memory, hung):
        self.status, self.out, self.err = status, out, err
        self.cpu, self.memory, self.hung = cpu, memory, hung


def environment(extra):
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith(('OPENBLAS_', 'DLTRAIN_', 'FAIL_', 'CALL_'))}
    return {**kept, 'LC_ALL': 'C', 'OMP_NUM_THREADS': '1', 'OMP_WAIT_POLICY': 'passive',
            'DLTRAIN_PROGRAMS': programs, **extra}


def run(command, cwd, extra=None, limit=60, kill_after=None, stdin=None):
    """Runs a program to its end, or kills its process group after so many seconds."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, cwd=cwd, env=environment(extra or {}), stdout=out,
                                   stderr=err, start_new_session=True,
                                   stdin=stdin or subprocess.DEVNULL)
        hung = threading.Event()

        def stop():
            if kill_after is None:
                hung.set()
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        timer = threading.Timer(limit if kill_after is None else kill_after, stop)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return Finished(process.returncode, out.read(), err.read(),
                        usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, hung.is_set())


def program(name):
    return os.path.join(programs, name)


def train(arguments, cwd, prefix=(), extra=None, **options):
    return run([*prefix, program('dltrain'), '--quiet', '--threads', '1', *arguments], cwd, extra,
               **options)


def write(path, text):
    with open(path, 'wb' if isinstance(text, bytes) else 'w') as file:
        file.write(text)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def set_up(folder):
    """The data and configs of all campaigns."""
    draw = random.Random(1)
    rows = ['a,b,c,kind']
    for i in range(60):
        rows.append(','.join(f'{draw.gauss(i % 3, 1):.3f}' for _ in range(3)) + f',k{i % 3}')
    write(f'{folder}/rows.csv', '\n'.join(rows) + '\n')
    write(f'{folder}/t.cfg', CONFIG % '0.01')
    write(f'{folder}/space.cfg', CONFIG % SPACE)


class Try:
    """A folder with the data, and copies of earlier runs, for one try."""

    def __init__(self, **copies):
        self.folder = tempfile.mkdtemp(dir=work)
        for name in 'rows.csv', 't.cfg', 'space.cfg':
            shutil.copy(f'{work}/{name}', self.folder)
        for name, source in copies.items():
            shutil.copytree(source, f'{self.folder}/{name}', symlinks=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return f'{self.folder}/{name}'

    def temporaries(self):
        return [os.path.join(place, name) for place, _, names in os.walk(self.folder)
                for name in names if name.endswith('.tmp')]

    def hidden_runs(self):
        return [name for name in os.listdir(self.folder)
                if name.endswith(('.dltrain-new', '.dltrain-old'))]


def history(path):
    """Its rows without the columns that are times."""
    lines = [line.split(',') for line in read(path).decode().splitlines()]
    kept = [i for i, name in enumerate(lines[0]) if not name.endswith(('seconds', '_per_second'))]
    return [[line[i] for i in kept] for line in lines]


RESULTS = 'last.safetensors', 'best.safetensors', 'config.cfg', 'split.csv'


def result(run_folder):
    """What a finished run is compared by."""
    kept = sorted(glob.glob('epoch_*.safetensors', root_dir=run_folder))
    digests = {name: hashlib.sha256(read(f'{run_folder}/{name}')).hexdigest()
               for name in [*RESULTS, *kept]}
    return {**digests, 'history': history(f'{run_folder}/history.csv')}


def differences(run_folder, wanted):
    try:
        found = result(run_folder)
    except OSError as missing:
        return f'{missing.filename}: {missing.strerror}'
    return ', '.join(name for name in wanted if found.get(name) != wanted[name])


class Campaign:
    """A row of the table. A fault is a loss ("nothing said it") or a crash (a signal, a hang)."""
    lock = threading.Lock()

    def __init__(self, name):
        self.name, self.tries, self.of, self.losses, self.crashes = name, 0, 0, 0, 0
        self.notes = []

    def loss(self, what):
        with self.lock:
            self.losses += 1
            self.notes.append(f'{self.name}: {what}')

    def crash(self, what):
        with self.lock:
            self.crashes += 1
            self.notes.append(f'{self.name}: {what}')

    def check(self, finished, what, allowed=(0, 1, 2, 3, 4)):
        """Whether it ended as a program may: no signal, no hang, a word for a failure."""
        last = finished.err.decode(errors='replace').strip().splitlines()[-1:]
        if finished.hung:
            self.crash(f'{what}: does not end')
        elif finished.status not in allowed:
            self.crash(f'{what}: exit status {finished.status} {last}')
        elif finished.status and not last:
            self.loss(f'{what}: exit status {finished.status} without a message')
        else:
            return True
        return False

    def over(self, points, attempt, seconds, seed):
        """attempt(point) for each, in random order, until the time is over."""
        points = list(points)
        random.Random(seed).shuffle(points)
        self.of += len(points)
        end = time.monotonic() + seconds

        def one(point):
            if time.monotonic() > end:
                return
            try:
                attempt(point)
            except Exception as broken:  # a fault of the campaign, or a file that is not there
                self.loss(f'{point}: {type(broken).__name__}: {broken}')
            with self.lock:
                self.tries += 1
        with concurrent.futures.ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            list(pool.map(one, points))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_runs.py PROGRAM DATA RUNS: trains the small nets below in each of the ways that a learning
curve can go wrong. RUNS (runs.csv.gz) gets a line a run: net, set, kind, right kinds, rate, seed,
loss at chance level, loss before training, epochs, training losses, validation losses.

DATA has digits.csv.gz, iris, car, concrete and mnist as scripts/get_data.sh makes them, the first
60,000 bytes of tinyshakespeare as shakespeare.txt, and pictures, a folder of 4 classes of CIFAR-10's
test part, 300 pictures each. It takes about 10 minutes of one core.

Whether a rate is right is not judged by the curve but by other trainings of the same net: it is too
high if a third of it or less ends lower by 3 % of the loss at chance level, too low if three times
as much or more does. The other kinds are judged by their definitions (kinds_of)."""
import collections, csv, gzip, json, os, shutil, subprocess, sys, tempfile

program, data, output = (os.path.abspath(p) for p in sys.argv[1:4])

CSV = 'format = "csv"; '
SETS = {
    'digits': CSV + 'header = false; train = { file = "digits.csv.gz"; }; normalize = "scale";',
    'iris': CSV + 'train = { file = "iris/iris.csv"; }; normalize = "mean_std";',
    'car': CSV + 'categorical = ("doors", "persons"); train = { file = "car/car.csv"; };',
    'concrete': CSV + 'train = { file = "concrete/concrete.csv"; }; normalize = "mean_std"; '
                'normalize_target = "mean_std";',
    'mnist': 'format = "idx"; normalize = "scale"; bagging = false; '
             'train = { images = "mnist/t10k-images-idx3-ubyte.gz"; '
             'labels = "mnist/t10k-labels-idx1-ubyte.gz"; };',
    'pictures': 'format = "image_folder"; train = { folder = "pictures"; size = [16, 16]; }; normalize = "scale";',
    'text': 'format = "text"; length = 25; train = { file = "shakespeare.txt"; };',
}
OUT = {'digits': 10, 'iris': 3, 'car': 4, 'concrete': 1, 'mnist': 10, 'pictures': 4, 'text': 59}
ADAM = [3e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]
SGD = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10]
def dense(n, act): return '{ layer = "dense"; units = %d; activation = "%s"; }, ' % (n, act)
def conv(n, k, s): return '{ layer = "conv2d"; filters = %d; kernel = %d; stride = %d; activation = "relu"; }, ' % (n, k, s)
drop = '{ layer = "dropout"; rate = 0.5; }, '
# name: set, body, narrow body, body with dropout, optimizer, rates, good rate, batch, epochs, share
NETS = {
    'digits-relu': ('digits', dense(64, 'relu'), dense(2, 'tanh'), dense(64, 'relu') + drop, 'adam', ADAM, 1e-3, 32, 30, 1),
    'iris-tanh': ('iris', dense(8, 'tanh'), '', dense(16, 'tanh') + drop, 'adam', ADAM, 1e-2, 16, 60, 1),
    'car-tanh': ('car', dense(24, 'tanh'), '', dense(24, 'tanh') + drop, 'momentum', SGD, 1e-2, 32, 40, 1),
    'concrete-relu': ('concrete', dense(32, 'relu') + dense(32, 'relu'), '', dense(32, 'relu') + drop, 'adam', ADAM, 3e-3, 16, 40, 1),
    'mnist-conv': ('mnist', conv(6, 5, 2) + conv(12, 3, 2), conv(1, 7, 6), conv(6, 5, 2) + conv(12, 3, 2) + drop, 'adam', ADAM, 3e-3, 32, 25, 0.1),
    'digits-deep': ('digits', dense(48, 'relu') * 4, dense(1, 'tanh'), (dense(48, 'relu') + drop) * 2, 'sgd', SGD, 1e-1, 32, 30, 1),
    'text-rnn': ('text', '{ layer = "simple_rnn"; units = 48; }, ', '{ layer = "simple_rnn"; units = 2; }, ', '{ layer = "simple_rnn"; units = 48; }, ' + drop, 'adam', ADAM, 3e-3, 16, 20, 1),
    'pictures-conv': ('pictures', conv(8, 5, 2) + conv(16, 3, 2), '{ layer = "avg_pool"; size = 8; }, ', conv(8, 5, 2) + conv(16, 3, 2) + drop, 'adam', ADAM, 1e-3, 16, 25, 1),
    'concrete-tanh': ('concrete', dense(40, 'tanh'), dense(1, 'tanh'), dense(40, 'tanh') + drop, 'rmsprop', ADAM, 3e-3, 32, 40, 1),
    'mnist-dense': ('mnist', dense(40, 'relu') + dense(20, 'relu'), dense(2, 'relu'), dense(40, 'relu') + drop, 'momentum', SGD, 1e-2, 32, 20, 0.15),
    'car-relu': ('car', dense(32, 'relu') + dense(16, 'relu'), dense(1, 'relu'), dense(32, 'relu') + drop, 'adam', ADAM, 3e-3, 32, 30, 1),
    'iris-relu': ('iris', dense(16, 'relu') * 2, dense(1, 'tanh'), dense(24, 'relu') + drop, 'sgd', SGD, 1e-1, 8, 50, 1),
    'digits-conv': ('digits', '{ layer = "reshape"; shape = [8, 8, 1]; }, ' + conv(8, 3, 1) + conv(8, 3, 2), dense(1, 'relu'), '{ layer = "reshape"; shape = [8, 8, 1]; }, ' + conv(8, 3, 2) + drop, 'momentum', SGD, 1e-2, 32, 25, 1),
    'iris-sigmoid': ('iris', dense(12, 'sigmoid'), '', dense(24, 'sigmoid') + drop, 'nadam', ADAM, 3e-2, 12, 60, 1),
    'car-deep': ('car', dense(24, 'elu') * 3, dense(1, 'tanh'), dense(48, 'elu') + drop, 'rmsprop', ADAM, 3e-3, 48, 40, 1),
    'concrete-sgd': ('concrete', dense(48, 'relu'), '', dense(48, 'relu') + drop, 'sgd', SGD, 3e-2, 16, 50, 1),
    'mnist-norm': ('mnist', conv(6, 5, 2) + '{ layer = "batch_norm"; }, ' + conv(12, 3, 2), conv(1, 7, 6), conv(6, 5, 2) + conv(12, 3, 2) + drop, 'adam', ADAM, 3e-3, 50, 20, 0.12),
    'text-gru': ('text', '{ layer = "gru"; units = 32; }, ', '{ layer = "simple_rnn"; units = 2; }, ', '{ layer = "gru"; units = 32; }, ' + drop, 'nadam', ADAM, 3e-3, 24, 15, 1),
    'pictures-deep': ('pictures', conv(8, 3, 2) + conv(16, 3, 2) + dense(32, 'relu'), dense(1, 'tanh'), conv(8, 5, 2) + dense(48, 'relu') + drop, 'momentum', SGD, 1e-2, 32, 25, 1),
}

CHOSEN_ON = 12 # nets; the others judge

def config(net, body, rate, seed, **k):
    s, _, _, _, opt, _, _, batch, epochs, share = NETS[net]
    share = k.get('share', share)
    loss = 'mse' if s == 'concrete' else 'softmax_cross_entropy'
    o = {'momentum': 'type = "sgd"; momentum = 0.9;'}.get(opt, 'type = "%s";' % opt)
    return '''seed = %d; data = { %s validation = %g; split_seed = %d; train_share = %g; };
network = ( %s { layer = "dense"; units = %d; } ); loss = { type = "%s"; };
optimizer = { %s learning_rate = %r; %s };
training = { batch_size = %d; epochs = %d; };
regularization = { l2 = %g; };
''' % (seed, SETS[s], k.get('held', 0.25), seed, share, body, OUT[s], loss, o, float(rate),
       k.get('schedule', ''), batch, k.get('epochs', epochs), k.get('l2', 0))

def train(text):
    work = tempfile.mkdtemp(prefix='runs')
    try:
        open(work + '/c.cfg', 'w').write(text)
        env = dict(os.environ, OMP_NUM_THREADS='1', DLTRAIN_DATA=data)
        p = subprocess.run(['nice', program, '--threads', '1', '--out', work + '/r', work + '/c.cfg'],
                           env=env, capture_output=True, text=True, cwd=os.path.dirname(data))
        if p.returncode not in (0, 4):
            sys.exit(text + p.stderr)
        facts = json.load(open(work + '/r/facts.json'))
        rows = list(csv.DictReader(open(work + '/r/history.csv')))
        return dict(expected=facts['expected_loss'], initial=facts['initial_loss'], diverged=p.returncode == 4,
                    train=[float(r['train_loss']) for r in rows], val=[float(r['val_loss']) for r in rows])
    finally:
        shutil.rmtree(work, ignore_errors=True)

def runs_of(net, seed):
    s, body, narrow, dropped, opt, rates, good, batch, epochs, share = NETS[net]
    yield from (('rate', r, config(net, body, r, seed)) for r in rates)
    for f in (0.1, 1, 10):
        yield 'narrow', good * f, config(net, narrow, good * f, seed)
    few = {'iris': 0.3, 'text': 0.15}.get(s, 0.12) * share
    yield 'few', good, config(net, body, good, seed, share=few, epochs=2 * epochs)
    yield 'dropout', good, config(net, dropped, good, seed)
    yield 'decay', good, config(net, body, good, seed, l2=1e-3, schedule='schedule = { type = "cosine"; };')

def level(x):
    n = max(2, len(x) // 5)
    return sum(x[-n:]) / n

def kinds_of(run, peers):
    """The correct kinds for a run; it is listed as the first."""
    s, high, low, short = run['expected'], False, False, 0
    if peers:
        ends = [(p['rate'] / run['rate'], level(p['train'])) for p in peers if len(p['train']) > 4]
        here = level(run['train'])
        lower = min([e for f, e in ends if f < 0.35] + [float('inf')])
        higher = min([e for f, e in ends if f > 2.9] + [float('inf')])
        high, low = lower < here - 0.03 * s, higher < here - 0.03 * s
        if high and low:
            high, low = lower <= higher, higher <= lower
        short = max(0, (here - higher) / s)
    l, v = [x / s for x in run['train']], [x / s for x in run['val']]
    n, w = len(l), max(2, len(l) // 5)
    ml, mv = ([sum(x[i:i + w]) / w for i in range(n - w + 1)] for x in (l, v))
    far = high or (low and short > 0.1)
    right = {
        'rate_too_high': high,
        'rate_too_low': low,
        'overfit': mv[-1] > 1.05 * min(mv) or mv[-1] - ml[-1] > 0.05,
        'val_easier': mv[-1] < 0.95 * ml[-1],
        'still_learning': low or mv[-1] < 0.99 * mv[-1 - w] or ml[-1] < 0.99 * ml[-1 - w],
        'underfit': ml[-1] > 0.2 and not far,
        'converged': ml[-1] < 0.5 and not far and mv[-1] < 1.2 * min(mv)
                     and mv[-1] - ml[-1] < 0.15,
    }
    return '|'.join(k for k in right if right[k]) or 'none'

def main():
    runs = []
    for number, net in enumerate(NETS):
        judge = number >= CHOSEN_ON
        for seed in (3, 4) if judge else (1,):
            for kind, rate, text in runs_of(net, seed):
                r = train(text)
                runs.append(dict(net=net, set='judge' if judge else 'choose', seed=seed, kind=kind,
                                 rate=rate, **r))
    groups = collections.defaultdict(list)
    for r in runs:
        groups[r['net'], r['seed'], r['kind']].append(r)
    with gzip.GzipFile(output, 'wb', 9, mtime=0) as f:
        for r in runs:
            if r['diverged'] or len(r['train']) < 5:
                continue
            varied = r['kind'] in ('rate', 'narrow')
            right = kinds_of(r, groups[r['net'], r['seed'], r['kind']] if varied else [])
            row = [r['net'], r['set'], r['kind'], right, '%g' % r['rate'], r['seed'],
                   r['expected'], r['initial'], len(r['train'])]
            row += ['%.7g' % x for x in r['train'] + r['val']]
            f.write((','.join(map(str, row)) + '\n').encode())

if __name__ == '__main__':
    main()

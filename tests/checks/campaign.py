#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""campaign.py PROGRAM DATA [clean|planted] [SEED...]: runs the check before a training on 20 clean pairs of set and
network and on 20 with a planted fault, each with three seeds, and prints what it says. A fault counts
as found if one of the checks that are for it fails. DATA is as for tests/histories/make_runs.py. It
takes about 10 minutes of one core."""
import csv, gzip, json, os, random, resource, subprocess, sys, tempfile

program, data = (os.path.abspath(p) for p in sys.argv[1:3])
which = [a for a in sys.argv[3:] if not a.isdigit()] or ["clean", "planted"]
seeds = [int(a) for a in sys.argv[3:] if a.isdigit()] or [1, 2, 3]
command = [program, 'check'] if program.endswith('dlinspect') else [program, '--check']
work = tempfile.mkdtemp(prefix='campaign')

def dense(n, act, more=''): return '{ layer = "dense"; units = %d; activation = "%s"; %s }, ' % (n, act, more)
def conv(n, k, s, act='relu'): return '{ layer = "conv2d"; filters = %d; kernel = %d; stride = %d; activation = "%s"; }, ' % (n, k, s, act)
def rows(file, more=''): return 'format = "csv"; train = { file = "%s"; }; %s' % (file, more)
POOL = '{ layer = "max_pool"; size = 2; }, '
NORM = '{ layer = "batch_norm"; activation = "relu"; }, '
IMAGE = '{ layer = "reshape"; shape = [8, 8, 1]; }, '
DIGITS = 'header = false; normalize = "scale";'
CONCRETE = 'normalize = "mean_std"; normalize_target = "mean_std";'
CAR = 'categorical = ("doors", "persons");'
MNIST = ('format = "idx"; normalize = "scale"; train_share = 0.15; train = { images = '
         '"mnist/t10k-images-idx3-ubyte.gz"; labels = "mnist/t10k-labels-idx1-ubyte.gz"; };')
PICTURES = 'format = "image_folder"; train = { folder = "pictures"; }; normalize = "scale";'
TEXT = 'format = "text"; length = 25; train = { file = "shakespeare.txt"; };'
ADAM, SGD = 'type = "adam";', 'type = "sgd"; momentum = 0.9;'

# data, classes (1: a regression), network, optimizer, rate, batch
SETS = {
    'digits': (rows('digits.csv.gz', DIGITS), 10), 'iris': (rows('iris/iris.csv', 'normalize = "mean_std";'), 3),
    'car': (rows('car/car.csv', CAR), 4), 'concrete': (rows('concrete/concrete.csv', CONCRETE), 1),
    'mnist': (MNIST, 10), 'pictures': (PICTURES, 4), 'text': (TEXT, 59),
}
CLEAN = [
    ('digits', 'dense', dense(64, 'relu'), ADAM, 3e-3, 32),
    ('digits', 'deep', dense(48, 'relu') * 4, ADAM, 1e-3, 32),
    ('digits', 'conv', IMAGE + conv(12, 3, 1) + POOL, ADAM, 3e-3, 32),
    ('digits', 'dropout', dense(64, 'relu') + '{ layer = "dropout"; rate = 0.5; }, ', SGD, 2e-2, 32),
    ('iris', 'tanh', dense(8, 'tanh'), ADAM, 1e-2, 16),
    ('iris', 'relu', dense(16, 'relu') * 2, SGD, 2e-2, 8),
    ('car', 'tanh', dense(24, 'tanh'), SGD, 2e-2, 32),
    ('car', 'relu', dense(32, 'relu') * 2, ADAM, 3e-3, 32),
    ('concrete', 'relu', dense(32, 'relu') * 2, ADAM, 3e-3, 16),
    ('concrete', 'tanh', dense(40, 'tanh'), ADAM, 3e-3, 32),
    ('concrete', 'linear', '', ADAM, 1e-2, 32),
    ('mnist', 'dense', dense(40, 'relu') * 2, SGD, 2e-2, 32),
    ('mnist', 'lenet', conv(6, 5, 1, 'tanh') + POOL + conv(16, 5, 1, 'tanh') + POOL + dense(84, 'tanh'), ADAM, 1e-3, 32),
    ('mnist', 'norm', conv(8, 5, 2, 'linear') + NORM + conv(16, 3, 2, 'linear') + NORM, ADAM, 3e-3, 50),
    ('pictures', 'conv', conv(16, 3, 2) + conv(32, 3, 2) + dense(64, 'relu'), ADAM, 1e-3, 32),
    ('pictures', 'lenet', conv(6, 5, 1, 'tanh') + POOL + conv(16, 5, 1, 'tanh') + POOL + dense(84, 'tanh'), ADAM, 1e-3, 32),
    ('pictures', 'norm', conv(16, 3, 2, 'linear') + NORM + conv(32, 3, 2, 'linear') + NORM + '{ layer = "global_avg_pool"; }, ', ADAM, 3e-3, 32),
    ('pictures', 'dense', dense(64, 'relu'), ADAM, 1e-3, 32),
    ('text', 'rnn', '{ layer = "simple_rnn"; units = 48; }, ', ADAM, 3e-3, 16),
    ('text', 'gru', '{ layer = "gru"; units = 32; }, ', ADAM, 3e-3, 16),
]

def read(name):
    path = os.path.join(data, name)
    with (gzip.open(path, 'rt') if name.endswith('gz') else open(path)) as f:
        return list(csv.reader(f))

def plant(fault, name, seed):
    """Writes the rows of a set with a fault; returns the data group."""
    r, file = random.Random(seed), {'digits': 'digits.csv.gz', 'car': 'car/car.csv', 'concrete': 'concrete/concrete.csv', 'iris': 'iris/iris.csv'}[name]
    table = read(file)
    head = [] if name == 'digits' else [table.pop(0)]
    r.shuffle(table)
    cut = len(table) // 5
    held, train = table[:cut], table[cut:]
    labels = sorted({row[-1] for row in table})
    if fault == 'shuffled':
        order = [row[-1] for row in train]
        r.shuffle(order)
        train = [row[:-1] + [y] for row, y in zip(train, order)]
    elif fault == 'permuted':
        turned = dict(zip(labels, labels[1:] + labels[:1]))
        held = [row[:-1] + [turned[row[-1]]] for row in held]
    elif fault == 'noise':
        train, held = ([row[:-1] + [r.choice(labels)] if r.random() < 0.3 else row for row in part] for part in (train, held))
    elif fault == 'unscaled':
        train = [[str(float(x) * 1000) for x in row[:-1]] + row[-1:] for row in train]
    elif fault == 'constant':
        train = [['7'] + row[1:] for row in train]
        held = [['7'] + row[1:] for row in held]
    elif fault == 'leak':
        train += held
    for part, some in (('train', train), ('held', held)):
        with open('%s/data/%s-%s.csv' % (work, fault, part), 'w') as f:
            csv.writer(f, lineterminator='\n').writerows(head + some)
    more = {'digits': DIGITS, 'car': CAR, 'concrete': CONCRETE, 'iris': 'normalize = "mean_std";'}[name]
    if fault == 'unscaled':
        more = more.replace('"scale"', '"none"').replace('normalize = "mean_std"', 'normalize = "none"')
    tail = '%s = { file = "%s-held.csv"; };' % ('test' if fault == 'leak' else 'validation', fault)
    return rows('%s-train.csv' % fault, more + (tail if fault in ('permuted', 'leak', 'noise', 'constant') else 'validation = 0.2;')
                + ('validation = 0.2;' if fault == 'leak' else ''))

def same(name, body, optimizer, rate, batch, **k): return (name, body, optimizer, rate, batch, k)
D, C, R = dense(64, 'relu'), dense(24, 'tanh'), dense(32, 'relu') * 2
# fault, checks that should find it, set, network, optimizer, rate, batch
PLANTED = [
    ('shuffled', ('inputs',), 'digits', D, ADAM, 3e-3, 32),
    ('shuffled', ('inputs',), 'concrete', R, ADAM, 3e-3, 16),
    ('shuffled', ('inputs',), 'car', C, SGD, 2e-2, 32),
    ('permuted', ('labels',), 'digits', D, ADAM, 3e-3, 32),
    ('permuted', ('labels',), 'iris', dense(8, 'tanh'), ADAM, 1e-2, 16),
    ('noise', ('labels',), 'digits', D, ADAM, 3e-3, 32),
    ('unscaled', ('initial_loss',), 'digits', D, ADAM, 3e-3, 32),
    ('unscaled', ('initial_loss',), 'concrete', R, ADAM, 3e-3, 16),
    ('rate x 100', ('rate',), 'digits', D, ADAM, 3e-1, 32),
    ('rate x 100', ('rate',), 'car', C, SGD, 3, 32),
    ('rate x 100', ('rate',), 'concrete', R, ADAM, 3e-1, 16),
    ('rate x 100', ('rate',), 'pictures', conv(16, 3, 2) + conv(32, 3, 2), ADAM, 1e-1, 32),
    ('rate / 100', ('rate',), 'digits', D, ADAM, 3e-5, 32),
    ('rate / 100', ('rate',), 'car', C, SGD, 2e-4, 32),
    ('rate / 100', ('rate',), 'concrete', R, ADAM, 3e-5, 16),
    ('zero init', ('units', 'memorize_50'), 'digits', dense(64, 'relu', 'init = "zeros";'), ADAM, 3e-3, 32),
    ('dead units', ('units',), 'concrete', dense(32, 'relu', 'bias_init = -10.0;'), ADAM, 3e-3, 16),
    ('saturated', ('units', 'initial_loss'), 'digits', dense(64, 'tanh', 'init = "normal"; init_std = 5.0;') * 2, ADAM, 3e-3, 32),
    ('leak', ('duplicates',), 'digits', D, ADAM, 3e-3, 32),
    ('constant', ('constants',), 'concrete', R, ADAM, 3e-3, 16),
]

def config(seed, source, classes, body, optimizer, rate, batch):
    out = '{ layer = "dense"; units = %d; }' % classes
    return '''seed = %d; data = { %s split_seed = %d; }; network = ( %s %s ); loss = { type = "%s"; };
optimizer = { %s learning_rate = %r; }; training = { batch_size = %d; epochs = 30; };
''' % (seed, source, seed, body, out, 'mse' if classes == 1 else 'softmax_cross_entropy', optimizer, float(rate), batch)

def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

def check(text):
    with open(work + '/c.cfg', 'w') as f:
        f.write(text)
    env = dict(os.environ, OMP_NUM_THREADS='1', DLTRAIN_DATA=data)
    before = cpu()
    p = subprocess.run(['nice'] + command + ['--json', '--quiet', '--threads', '1', work + '/c.cfg'], env=env,
                       capture_output=True, text=True, cwd=work)
    if p.returncode not in (0, 5):
        sys.exit(text + p.stderr)
    found = json.loads(p.stdout)['checks']
    return [c for c in found if c['verdict'] not in ('ok', 'skipped')], cpu() - before, found

os.mkdir(work + '/data')
longest, alarms, runs, hits, planted = 0, 0, 0, 0, 0
if 'clean' in which:
    for name, net, body, optimizer, rate, batch in CLEAN:
        for seed in seeds:
            source, classes = SETS[name]
            bad, seconds, _ = check(config(seed, source + ' validation = 0.2;', classes, body, optimizer, rate, batch))
            longest = max(longest, seconds)
            runs += 1
            alarms += any(c['verdict'] == 'FAILS' for c in bad)
            print('clean    %-10s %-8s seed %d %5.1f s %s' % (name, net, seed, seconds, '; '.join('%s %s: %s' % (c['check'], c['verdict'], c['text'][:150]) for c in bad) or '-'), flush=True)
if 'planted' in which:
    for fault, checks, name, body, optimizer, rate, batch in PLANTED:
        for seed in seeds:
            own = fault in ('shuffled', 'permuted', 'noise', 'unscaled', 'constant', 'leak')
            source = plant(fault, name, seed) if own else SETS[name][0] + ' validation = 0.2;'
            bad, seconds, found = check(config(seed, source, SETS[name][1], body, optimizer, rate, batch))
            longest = max(longest, seconds)
            hit = any(c['verdict'] == 'FAILS' and c['check'] in checks for c in bad)
            planted, hits = planted + 1, hits + hit
            said = [c for c in found if c['check'] in checks]
            print('planted  %-10s %-10s seed %d %5.1f s %s %s' % (fault, name, seed, seconds, 'found ' if hit else 'MISSED', 'fails: ' + ', '.join(c['check'] for c in bad) if hit else '; '.join('%s %s: %s' % (c['check'], c['verdict'], c['text'][:120]) for c in said)), flush=True)
print('%d of %d clean fail, %d of %d planted are found, the longest check took %.1f s of one core' % (alarms, runs, hits, planted, longest))

#!/usr/bin/env python3
"""Every operation of melgrad-bench's network benches beside PyTorch's: one table with the ratio of the times.

    ./run bench peers operations [--filter REGEX] [--rounds 3]

The list and the shapes come from melgrad-bench. Both run the operation with gradients on, then the backward pass alone,
on two threads, in turns: a round of ours, a round of theirs. Both leave each leaf a gradient in memory of its own. PyTorch (2.11.0 was used) works in its own layout, channels
first, with its allocator tuned to keep its memory, which halves its time on large activations. Medians of the rounds;
exit status 1 where an operation takes more than three times PyTorch's time.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

from common import TUNING

if any(os.environ.get(key) != value for key, value in TUNING.items()):  # glibc reads them at its start
    os.execve(sys.executable, [sys.executable] + sys.argv, {**os.environ, **TUNING})

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

LIMIT = 3


def same(x, *kernel):
    """Pads as Keras's `same` with stride 1 does."""
    pads = []
    for k in reversed(kernel):
        pads += [(k - 1) // 2, k - 1 - (k - 1) // 2]
    return F.pad(x, pads) if any(k % 2 == 0 for k in kernel) else x


def gru_of(s):
    gru = torch.nn.GRU(s["c"], s["u"], batch_first=True)
    return [(s["n"], s["t"], s["c"])], lambda x: gru(x)[0], list(gru.parameters())


# op: shapes of the inputs, and the function
OPERATIONS = {
    "conv1d": lambda s: ([(s["n"], s["c"], s["l"]), (s["o"], s["c"], s["k"])],
                         lambda x, w: F.conv1d(x, w, padding=s["k"] // 2)),
    "conv2d": lambda s: ([(s["n"], s["c"], s["h"], s["w"]), (s["o"], s["c"], s["k"], s["k"])],
                         lambda x, w: F.conv2d(same(x, s["k"], s["k"]), w, padding=s["k"] // 2 if s["k"] % 2 else 0)),
    "max_pool1d": lambda s: ([(s["n"], s["c"], s["l"])], lambda x: F.max_pool1d(x, s["p"])),
    "max_pool2d": lambda s: ([(s["n"], s["c"], s["h"], s["w"])], lambda x: F.max_pool2d(x, (s["p"], s["q"]))),
    "avg_pool2d": lambda s: ([(s["n"], s["c"], s["h"], s["w"])], lambda x: F.avg_pool2d(x, (s["p"], s["q"]))),
    "global_average": lambda s: ([(s["n"], s["c"], s["l"])], lambda x: x.mean(2)),
    "global_max": lambda s: ([(s["n"], s["c"], s["l"])], lambda x: x.max(2).values),
    "batch_norm": lambda s: ([(1, s["c"], s["n"]), (s["c"],), (s["c"],)],
                             lambda x, g, b: F.batch_norm(x, torch.zeros(s["c"]), torch.ones(s["c"]), g, b, True)),
    "relu": lambda s: ([(s["n"],)], torch.relu),
    "elu": lambda s: ([(s["n"],)], F.elu),
    "sigmoid": lambda s: ([(s["n"],)], torch.sigmoid),
    "tanh": lambda s: ([(s["n"],)], torch.tanh),
    "dropout": lambda s: ([(s["n"],)], lambda x: F.dropout(x, 0.5)),
    "add": lambda s: ([(s["n"],), (s["n"],)], torch.add),
    "excite": lambda s: ([(s["n"], s["c"], s["l"]), (s["n"], s["c"], 1)], torch.mul),
    "transpose": lambda s: ([(s["n"], s["h"], s["w"])], lambda x: x.permute(0, 2, 1).contiguous()),
    "concatenate": lambda s: ([(s["n"], s["c"], s["l"])] * 2, lambda a, b: torch.cat((a, b), 1)),
    "dense": lambda s: ([(s["n"], s["i"]), (s["o"], s["i"]), (s["o"],)], F.linear),
    "gru": gru_of,
    "softmax": lambda s: ([(s["n"], s["c"])], lambda x: F.softmax(x, 1)),
    "cross_entropy": lambda s: ([(s["n"], s["c"])], lambda x: F.cross_entropy(
        x, torch.zeros(s["n"], dtype=torch.long), reduction="none")),
    "binary_cross_entropy": lambda s: ([(s["n"], s["c"])], lambda x: F.binary_cross_entropy_with_logits(
        x, torch.full((s["n"], s["c"]), 0.25), reduction="none")),
}
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, 1e-6, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, 1e-6),
    "adadelta": lambda p: torch.optim.Adadelta(p, 1e-6, rho=0.95),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 1e-6, alpha=0.9),
}


def prepare(name):
    """A function that does one iteration and returns the seconds of what is timed."""
    _, key, which = name.split("/")
    op, *sizes = key.split(",")
    s = {size.split(":")[0]: int(size.split(":")[1]) for size in sizes}
    torch.manual_seed(1)
    if which == "step":
        weight = torch.rand(s["n"], requires_grad=True)
        weight.grad = torch.rand(s["n"])
        optimizer = OPTIMIZERS[op]([weight])

        def step():
            start = time.perf_counter()
            optimizer.step()
            return time.perf_counter() - start
        return step

    shapes, function, *own = OPERATIONS[op](s)
    inputs = [torch.rand(shape) * 2 - 1 for shape in shapes]
    wanted = {"data": [0], "weight": [1]}.get(which, range(len(inputs)))
    for i in wanted:
        inputs[i].requires_grad_()
    leaves = [inputs[i] for i in wanted] + (own[0] if own else [])

    def forward():
        start = time.perf_counter()
        y = function(*inputs)
        seconds = time.perf_counter() - start
        del y
        return seconds

    def backward():
        for leaf in leaves:
            leaf.grad = None
        y = function(*inputs)
        dy = torch.full_like(y, 0.5)
        start = time.perf_counter()
        y.backward(dy)
        return time.perf_counter() - start
    return forward if which == "forward" else backward


def time_pytorch(name, seconds):
    """µs an iteration, the median: now and then a thread has to wait for its core."""
    iteration = prepare(name)
    iteration(), iteration()
    times = []
    while sum(times) < seconds or len(times) < 5:
        times.append(iteration())
    return 1e6 * statistics.median(times)


def run_ours(arguments, names=False):
    command = [arguments.bench, f"--benchmark_filter=^network/.*{arguments.filter}"]
    if names:
        return subprocess.run(command + ["--benchmark_list_tests=true"], check=True, capture_output=True,
                              text=True).stdout.split()
    command += ["--benchmark_format=json", "--benchmark_repetitions=5", "--benchmark_report_aggregates_only=true",
                f"--benchmark_min_time={arguments.seconds / 5}"]
    output = subprocess.run(command, check=True, capture_output=True, text=True,
                            env={**os.environ, "MELGRAD_THREADS": "2"}).stdout
    medians = [b for b in json.loads(output)["benchmarks"] if b["aggregate_name"] == "median"]
    return {b["run_name"].removesuffix("/manual_time"): b["real_time"] for b in medians}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/release/bench/melgrad-bench")
    parser.add_argument("--filter", default="", help="of the part of the names behind network/")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.05, help="of each operation in each round")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    names = [name.removesuffix("/manual_time") for name in run_ours(arguments, names=True)]
    ours, theirs = {name: [] for name in names}, {name: [] for name in names}
    for _ in range(arguments.rounds):
        for name, microseconds in run_ours(arguments).items():
            ours[name].append(microseconds)
        for name in names:
            theirs[name].append(time_pytorch(name, arguments.seconds))
    print(f"2 threads, medians of {arguments.rounds} rounds, PyTorch {torch.__version__}, allocator tuned\n")
    print("| operation | pass | melgrad µs | PyTorch µs | ratio |")
    print("|---|---|---|---|---|")
    slow = 0
    for name in names:
        a, b = statistics.median(ours[name]), statistics.median(theirs[name])
        slow += a > LIMIT * b
        _, key, which = name.split("/")
        mark = "**" if a > LIMIT * b else ""
        print(f"| {key.replace(',', ' ')} | {which} | {a:.1f} | {b:.1f} | {mark}{a / b:.2f}{mark} |")
    print(f"\n{len(names)} rows, {slow} above {LIMIT}")
    sys.exit(slow != 0)


if __name__ == "__main__":
    main()

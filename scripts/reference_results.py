#!/usr/bin/env python3
"""The table of recipes in docs/results.md, from nothing: synthesizes the sets, trains each recipe twice (once with its
labels shuffled), measures both and the nearest centroid, and prints the table.

    scripts/reference_results.py --out results                   # every row
    scripts/reference_results.py --out results fma-genre key-kw17
    scripts/reference_results.py --out results --table           # what has been measured so far

What is done stays in OUT and is not done again; a training that was stopped goes on. Time is that of the processor
(user and system, over all threads): other programs on the machine hardly change it. The Python is the standard
library's."""

import argparse
import dataclasses
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

# Layout: clips in all. Seed 1.
SETS = {"fma": 640, "mtat": 640, "msd-key": 360}


@dataclasses.dataclass
class Row:
    layout: str
    measure: str  # a key of evaluate's object
    settings: list[str]  # over the recipe
    least: float = 0.0  # asked of the figure
    test_settings: list[str] = dataclasses.field(default_factory=list)  # of evaluate alone


def cycle(epochs, batch=8, rate="2e-3"):
    """Adam with a rate that rises and falls once: the most for few steps."""
    return ["train.optimizer=adam", "train.schedule=one_cycle", f"train.learning_rate={rate}", f"train.batch={batch}",
            f"train.epochs={epochs}", "train.patience=0"]


# With Keras's 0.99 the running statistics of a batch norm would need more steps than these trainings have.
QUICK_NORM = ["model.batch_norm_momentum=0.9"]
# A segment a clip and epoch, cut anywhere in it; ten a clip for the test, as published.
ONE_CROP = [*QUICK_NORM, "data.crop=random", "data.segments=1", "data.duration=2.6779591836734694"]
TEN_SEGMENTS = ["data.segments=10", "data.duration=26.779591836734694"]
# 3^8 samples at 8 kHz: a ninth of the time.
SMALL = [*QUICK_NORM, "model.depth=7", "frontend.sample_rate=8000", "data.crop=random", "data.segments=2",
         "data.duration=1.64025"]

ROWS = {
    "key-spectrogram": Row("msd-key", "mirex", ["train.epochs=50"]),
    "key-spectrogram-ce": Row("msd-key", "mirex", ["train.epochs=50"]),
    "key-kw17": Row("msd-key", "mirex", cycle(24), 0.70),
    "fma-genre": Row("fma", "accuracy", cycle(8), 0.60),
    "mtat-tagger": Row("mtat", "roc_auc", cycle(10), 0.80),
    "choi-fcn": Row("mtat", "roc_auc", [*cycle(2, batch=4), *QUICK_NORM], 0.80),
    "choi-crnn": Row("mtat", "roc_auc", [*cycle(4, batch=4), *QUICK_NORM]),
    "samplecnn": Row("mtat", "roc_auc", [*cycle(2), *ONE_CROP], 0.75, TEN_SEGMENTS),
    "samplecnn-strided": Row("mtat", "roc_auc", [*cycle(2), *ONE_CROP]),
    "samplecnn-mse": Row("mtat", "roc_auc", ["train.batch=8", *ONE_CROP]),
    "sample-mn": Row("mtat", "roc_auc", [*cycle(3), *SMALL], 0, ["data.segments=10", "data.duration=8.20125"]),
}


class Program:
    """Runs melgrad and adds up what its commands cost."""

    def __init__(self, path, out, threads):
        self.path, self.out, self.threads = path, out, threads
        self.costs_file = out / "costs.json"
        self.costs = json.loads(self.costs_file.read_text()) if self.costs_file.exists() else {}

    def run(self, what, arguments):
        """The standard output of `melgrad arguments`; its cost is added to that of `what`."""
        command = [str(self.path), *arguments, "--threads", str(self.threads)]
        print("$", shlex.join(["melgrad", *command[1:]]), file=sys.stderr, flush=True)
        start = time.monotonic()
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        text = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        cost = self.costs.setdefault(what, {"processor": 0.0, "wall": 0.0})
        cost["processor"] += usage.ru_utime + usage.ru_stime
        cost["wall"] += time.monotonic() - start
        write(self.costs_file, json.dumps(self.costs, indent=1))
        if status != 0:
            sys.exit(f"reference_results.py: melgrad {arguments[0]} ended with status {os.waitstatus_to_exitcode(status)}")
        return text


def write(path, text):
    beside = path.with_name(path.name + ".part")
    beside.write_text(text)
    beside.replace(path)


def settings_of(values):
    return [word for value in values for word in ("--set", value)]


def synthesize(program, layout):
    """The folder of a set, rendered unless it is there."""
    folder = program.out / "data" / layout
    if not folder.exists():
        beside = folder.with_name(layout + ".part")
        program.run(layout, ["synth", layout, "--out", str(beside), "--clips", str(SETS[layout]), "--seed", "1"])
        beside.rename(folder)
    return folder


def measure(program, recipe, shuffled):
    """Trains (or goes on), measures the test split; returns evaluate's object."""
    row = ROWS[recipe]
    name = recipe + ("-shuffled" if shuffled else "")
    result = program.out / f"{name}.json"
    if result.exists():
        return json.loads(result.read_text())
    data, run = synthesize(program, row.layout), program.out / "runs" / name
    where = ["--data", str(data), "--cache", str(program.out / "cache")]
    values = row.settings + (["train.shuffle_labels=true"] if shuffled else [])
    resume = ["--resume"] if (run / "config.toml").exists() else []
    trained = program.run(name, ["train", "--recipe", recipe, *where, "--out", str(run), *settings_of(values), *resume, "--json"])
    found = {"train": json.loads(trained)}
    if not shuffled:
        evaluate = ["evaluate", str(run), *where, *settings_of(row.test_settings), "--baseline", "--json"]
        found["test"] = json.loads(program.run(name + " test", evaluate))
    write(result, json.dumps(found))
    return found


def figure(test, measure_name):
    value, interval = test[measure_name], test.get(measure_name + "_interval")
    return f"{value:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")


def row_text(program, recipe):
    row, measure_name = ROWS[recipe], ROWS[recipe].measure
    files = [program.out / f"{recipe}.json", program.out / f"{recipe}-shuffled.json"]
    if not files[0].exists():
        return f"| `{recipe}` | not measured |"
    found = json.loads(files[0].read_text())
    shuffled = json.loads(files[1].read_text())["train"]["test"] if files[1].exists() else None
    test, trained = found["test"], found["train"]
    reached = f"{measure_name} {figure(test, measure_name)}, {test['samples']} clips"
    if not test[measure_name] >= row.least:
        reached += f", below {row.least}"
    columns = [
        f"`{recipe}`",
        f"{trained['epochs']} epochs",
        f"{program.costs[recipe]['processor']:.0f} s ({trained['seconds']:.0f} s)",
        reached,
        f"{test['nearest_centroid'][measure_name]:.3f}",
        figure(shuffled, measure_name) if shuffled else "not measured",
    ]
    return "| " + " | ".join(columns) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--program", type=pathlib.Path, default=pathlib.Path("build/release/apps/melgrad"))
    parser.add_argument("--out", type=pathlib.Path, required=True, help="a folder for sets, features, runs and figures")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--table", action="store_true", help="print what has been measured, measure nothing")
    parser.add_argument("rows", nargs="*", metavar="RECIPE", help="rows to measure; all unless given")
    options = parser.parse_args()
    unknown = [row for row in options.rows if row not in ROWS]
    if unknown:
        parser.error(f"no row {unknown[0]}; there are {', '.join(ROWS)}")
    for folder in ("data", "runs"):
        (options.out / folder).mkdir(parents=True, exist_ok=True)
    program = Program(options.program.resolve(), options.out, options.threads)
    rows = options.rows or list(ROWS)
    if not options.table:
        for recipe in rows:
            for shuffled in (False, True):
                measure(program, recipe, shuffled)
    print("| recipe | budget | training: processor (by the clock) | test | nearest centroid | labels shuffled |")
    print("|---|---|---|---|---|---|")
    for recipe in rows:
        print(row_text(program, recipe))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Puts faults into the CUDA kernels, one at a time, and asks the tests on simt to find each.

    python3 scripts/cuda_faults.py                  # every kernel file and header; goes on where it was stopped
    python3 scripts/cuda_faults.py gemm.h conv2d.cu # some
    python3 scripts/cuda_faults.py --list           # the faults
    python3 scripts/cuda_faults.py --survivors      # once more those that survived

Faults: a barrier left out; a mask without its last lane; a bound one too far or too near; a stride one too long; a grid
with a block too few. All of them are in one build, a copy of the sources in build/faults, where the environment picks
one: `i < n` is `i < fault::off(7) + n` there. A fault costs the test cases of its file, the quickest first, until one
fails. tests/kernels/cuda_faults.md is written at the end: counts by file and kind, and the survivors. A survivor that
changes nothing that can be seen is explained in tests/kernels/cuda_faults.txt; any other makes the exit status 1.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "faults"
KERNELS = ROOT / "kernels" / "cuda"
EXPLAINED = ROOT / "tests" / "kernels" / "cuda_faults.txt"

FAULT_H = """#pragma once
#include <cstdlib>
namespace fault {
inline const int active = std::getenv("MELGRAD_FAULT") ? std::atoi(std::getenv("MELGRAD_FAULT")) : 0;
inline int off(int number) { return active == number ? 1 : active == number + 1 ? -1 : 0; }
inline bool on(int number) { return active == number; }
}
"""

# The test cases that run a file's kernels on simt; of a header, those of what includes it, the quickest first.
CASES = {
    "activation.cu": ["activation agrees*"], "adadelta.cu": ["adadelta agrees*"], "adam.cu": ["adam agrees*"],
    "avg_pool2d.cu": ["avg_pool2d agrees*", "average pooling agrees*", "*avg_pool2d*"],
    "batch_norm.cu": ["batch_norm*"], "bias.cu": ["bias*"], "conv2d.cu": ["conv2d's CUDA*"],
    "dropout.cu": ["dropout agrees*"], "element_loss.cu": ["*loss*agree*", "*element*loss*"],
    "elementwise.cu": ["elementwise_*"], "gaussian_noise.cu": ["gaussian_noise agrees*"], "gru.cu": ["gru agrees*"],
    "matmul.cu": ["matmul agrees*"], "max_pool2d.cu": ["*max_pool2d*"], "norm_pool.cu": ["norm_pool*agrees*"],
    "reduce.cu": ["reduce*agrees*"],
    "rmsprop.cu": ["rmsprop agrees*"], "sgd.cu": ["sgd agrees*"], "soft_cross_entropy.cu": ["soft_cross_entropy*"],
    "softmax.cu": ["softmax_*", "softmax *"], "softmax_cross_entropy.cu": ["softmax_cross_entropy*"],
    "strided_copy.cu": ["strided copies*"], "unary.cu": ["unary*", "functions of one*"],
    "channel_statistics.h": ["batch_norm*", "norm_pool*agrees*"], "columns.h": ["bias*", "batch_norm*", "reduce*agrees*"], "conv2d_operands.h": ["conv2d's CUDA*"],
    "gemm.h": ["matmul agrees*", "conv2d's CUDA*"],
    "helpers.h": ["Divider*", "dropout agrees*", "softmax_*", "strided copies*", "activation agrees*"],
    "map.h": ["activation agrees*"], "softmax_rows.h": ["softmax_*"], "update.h": ["sgd*", "adam agrees*"],
    "walks.h": ["joined walks*", "strided copies*", "elementwise_*"], "windows.h": ["windows*", "*max_pool2d*"],
}
# The host's side of the two devices, and declarations: nothing that a kernel does.
NO_KERNELS = {"portability.h", "runtime.h"}
SKIP = re.compile(r"^\s*(//|#|template|static_assert|using |inline constexpr|constexpr|static constexpr|__shared__|require)"
                  r"|__launch_bounds__\(")


class Fault:
    def __init__(self, file, line, column, kind, text):
        self.file, self.line, self.column, self.kind, self.text = file, line, column, kind, text
        self.number = 0

    @property
    def key(self):
        return f"{self.file} | {self.kind} | {self.text}"


def operand_end(line, at):
    """Behind the operand that begins at `at`: a name or number with its members, calls and indices."""
    depth = 0
    while at < len(line):
        c = line[at]
        if c in "([{":
            depth += 1
        elif c in ")]}":
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and c == "<" and (arguments := re.match(r"<[\w:, ]*>(?=\()", line[at:])):
            at += arguments.end() - 1
        elif depth == 0 and not (c.isalnum() or c in "_.:"):
            break
        at += 1
    return at


def faults_of(path):
    """(faults, edits): an edit is (line, column, characters replaced, text with the number in it)."""
    found, edits = [], []

    def add(number, line, column, length, kind, new, closing=None):
        text = re.sub(r"\s+", " ", lines[line].strip())
        if kind != "barrier left out":
            text = f"{text}  [{column - (len(lines[line]) - len(lines[line].lstrip()))}]"
        found.append(Fault(path.name, number, column, kind, text))
        edits.append((line, column, length, new, found[-1]))
        if closing:
            edits.append((line, closing[0], 0, closing[1], found[-1]))

    lines = path.read_text().split("\n")
    skipping = False
    for i, line in enumerate(lines):
        code = line.split("//")[0]
        if skipping or SKIP.search(line):
            skipping = line.lstrip().startswith(("static constexpr", "constexpr", "inline constexpr", "require",
                                                 "static_assert")) and not code.rstrip().endswith((";", "{")) or (
                skipping and not code.rstrip().endswith((";", "{")))
            continue
        for match in re.finditer(r"__syncthreads\(\);", code):
            add(i + 1, i, match.start(), 0, "barrier left out", "if (!fault::on({})) ")
        for match in re.finditer(r"(?<=_sync\()all_lanes", code):
            add(i + 1, i, match.start(), len("all_lanes"), "lane mask", "(fault::on({}) ? 0x7fffffffu : all_lanes)")
        for match in re.finditer(r" (<|<=|>|>=) (?=[\w(])", code):
            add(i + 1, i, match.end(), 0, "bound too far", "fault::off({}) + ")
        for match in re.finditer(r"(?<=[\w)}\]]) \* (?=[a-zA-Z_(])", code):
            end = operand_end(code, match.end())
            operand = code[match.end():end]
            if any(operand.count(a) != operand.count(b) for a, b in ("()", "[]", "{}")):
                continue  # goes on in the next line
            if re.match(r"(sizeof|static_cast|gemm_own|own\b|Tile::|column_threads|threads\b|size_of)", operand):
                continue  # a compile-time number of the launch
            add(i + 1, i, match.end(), 0, "stride too long", "(", (end, " + fault::off({}))"))
    return found, edits


def write_tree(all_edits):
    tree = FOLDER / "tree"
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, listed):
        source = ROOT / name
        if not source.is_file():
            continue
        data = source.read_bytes()
        if source.parent == KERNELS and source.name in all_edits:
            lines = data.decode().split("\n")
            for line, column, length, new, fault in sorted(all_edits[source.name], key=lambda e: (e[0], -e[1])):
                text = lines[line]
                lines[line] = text[:column] + new.format(fault.number) + text[column + length:]
            data = "\n".join(lines).encode()
        if name == "kernels/cuda/portability.h":
            data = data.replace(b"#pragma once\n", b'#pragma once\n#include "kernels/cuda/fault.h"\n', 1)
        target = tree / name
        if not target.exists() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    header = tree / "kernels" / "cuda" / "fault.h"
    if not header.exists() or header.read_text() != FAULT_H:
        header.write_text(FAULT_H)
    return tree


def build(tree):
    folder = FOLDER / "build"
    if not (folder / "build.ninja").exists():
        subprocess.run(["cmake", "-G", "Ninja", "-S", tree, "-B", folder, "-DCMAKE_BUILD_TYPE=Debug",
                        "-DCMAKE_CXX_FLAGS_DEBUG=-O1", "-DCMAKE_CXX_FLAGS=-w", "-DMELGRAD_CUDA=OFF",
                        "-DMELGRAD_BENCH=OFF"], check=True, stdout=subprocess.DEVNULL)
    made = subprocess.run(["ninja", "-C", folder, "test_kernels"], capture_output=True, text=True)
    if made.returncode != 0:
        sys.exit("cuda_faults: the build failed\n" + "\n".join(
            line for line in made.stdout.split("\n") if "error" in line)[:4000])
    return folder / "tests" / "test_kernels"


def run(program, case, number):
    """killed, killed (time), or survived."""
    try:
        # The coverage report at the end fails a run of some cases; doctest's own status line does not.
        result = subprocess.run([program, f"-tc={case}", "-aa=1"], capture_output=True, text=True, timeout=120,
                                env={**os.environ, "MELGRAD_FAULT": str(number)})
    except subprocess.TimeoutExpired:
        return "killed (time)"
    return "survived" if result.returncode == 0 and "Status: SUCCESS" in result.stdout else "killed"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--survivors", action="store_true")
    options = parser.parse_args()
    paths = sorted(p for p in KERNELS.iterdir() if p.suffix in (".cu", ".h") and p.name not in NO_KERNELS)
    if missing := [p.name for p in paths if p.name not in CASES]:
        sys.exit(f"cuda_faults: no test cases are named for {', '.join(missing)}")
    faults, edits = [], {}
    for path in paths:
        found, edits[path.name] = faults_of(path)
        for fault in found:
            fault.number = 10 + 2 * len(faults)
            faults.append(fault)
    # Bounds are also put one too near: the number behind.
    runs = []
    for fault in faults:
        runs.append((fault, fault.number, fault.kind))
        if fault.kind == "bound too far":
            runs.append((fault, fault.number + 1, "bound too near"))
    if options.list:
        for fault, _, kind in runs:
            print(f"{fault.file}:{fault.line}: {kind}: {fault.text}")
        return print(f"{len(runs)} faults")
    FOLDER.mkdir(parents=True, exist_ok=True)
    program = build(write_tree(edits))
    state_path = FOLDER / "state.json"
    state = json.loads(state_path.read_text()) if state_path.exists() else {}
    chosen = [r for r in runs if not options.files or r[0].file in options.files]
    for fault, number, kind in chosen:
        key = f"{fault.file} | {kind} | {fault.text}"
        if key in state and not (options.survivors and state[key] == "survived"):
            continue
        state[key] = "survived"
        for case in CASES[fault.file]:
            state[key] = run(program, case, number)
            if state[key] != "survived":
                break
        if state[key] == "survived":
            print(f"{time.strftime('%H:%M:%S')} survived: {fault.file}:{fault.line}: {kind}: {fault.text}", flush=True)
        state_path.write_text(json.dumps(state, indent=0))
    sys.exit(write_table(runs, state))


def write_table(runs, state):
    explained = {}
    if EXPLAINED.exists():
        for line in EXPLAINED.read_text().split("\n"):
            if line and not line.startswith("#"):
                key, _, reason = line.rpartition(" | ")
                explained[key] = reason
    kinds = ["barrier left out", "lane mask", "bound too far", "bound too near", "stride too long"]
    counts = collections.defaultdict(collections.Counter)
    survivors = []
    for fault, _, kind in runs:
        key = f"{fault.file} | {kind} | {fault.text}"
        result = state.get(key, "not run")
        counts[fault.file][kind, result.split(" ")[0]] += 1
        if result == "survived":
            survivors.append((key, explained.get(key)))
    text = ["# Faults put into the CUDA kernels", "",
            "Written by `python3 scripts/cuda_faults.py`, which says how. Found of put in, on simt:", "",
            "| file | " + " | ".join(kinds) + " |", "|---|" + "---|" * len(kinds)]
    for file, count in sorted(counts.items()):
        cells = []
        for kind in kinds:
            total = sum(n for (k, _), n in count.items() if k == kind)
            cells.append(f"{count[kind, 'killed']} of {total}" if total else "")
        text.append(f"| `{file}` | " + " | ".join(cells) + " |")
    text += ["", f"Survivors: {len(survivors)}", ""]
    text += [f"- `{key}`: {reason or '**not explained**'}" for key, reason in survivors]
    (ROOT / "tests" / "kernels" / "cuda_faults.md").write_text("\n".join(text) + "\n")
    open_ones = sum(1 for _, reason in survivors if not reason)
    print(f"{len(survivors)} survivors, {open_ones} not explained")
    return 1 if open_ones else 0


if __name__ == "__main__":
    main()

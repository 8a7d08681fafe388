#!/usr/bin/env python3
"""Puts faults into the CUDA kernels, one at a time, and runs the kernels' tests on simt against each.

    python3 scripts/cuda_faults.py                          # all of kernels/cuda; goes on where it was stopped
    python3 scripts/cuda_faults.py 'kernels/cuda/gemm.h'    # some files, by pattern
    python3 scripts/cuda_faults.py --survivors              # once more what survived, after a test was written
    python3 scripts/cuda_faults.py --list

Where scripts/mutate.py changes what is computed, this puts in what goes wrong with threads and memory: a barrier left
out, a lane missing in a mask, a bound one too far or too near, a stride one too long, two strides of an index swapped, a
call of a library left out, two of its arguments swapped. It works as mutate.py does, with its parts (scripts/mutation): all faults are compiled in at
once in build/faults, and a fault costs only the test cases that reach it, the quickest first, until one fails: first on
simt in three schedules, then with an eye on races (test_kernel_races). tests/kernels/cuda_faults.md is written after
each file. A survivor that changes nothing that can be seen is explained in tests/kernels/cuda_faults.txt; any other
makes the exit status 1.
"""
import argparse
import collections
import fnmatch
import itertools
import os
import pathlib
import re
import sys

os.environ.setdefault("MELGRAD_MUTATION_TESTS", "kernels kernel_races")
os.environ["MELGRAD_TEST_DEVICES"] = "simt"

from mutate import JOBS, Session, report  # noqa: E402: these read the environment
from mutation.build import Project  # noqa: E402
from mutation.render import Site  # noqa: E402
from mutation.run import Runner, Tests  # noqa: E402
from mutation.table import SameFunction, cell  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / "tests" / "kernels" / "cuda_faults.txt"
TABLE = ROOT / "tests" / "kernels" / "cuda_faults.md"
COMMAND = "python3 scripts/cuda_faults.py"

BARRIERS = {"__syncthreads", "__syncwarp"}
COMPARISONS = {"<", "<=", ">", ">="}
KINDS = ("barrier left out", "lane mask", "bound too far", "bound too near", "stride too long", "strides swapped",
         "call left out", "arguments swapped")
# What only nvcc compiles, and what calls no kernel and no library.
ASIDE = re.compile(r"/(portability|runtime|library|stream)\.h$")


class Faults:
    """The sites of a function: where a fault can be put, and the text around it (scripts/mutation/render.py)."""

    def __init__(self, source, function):
        self.source, self.tokens, self.match, self.function = source, source.tokens, source.match, function
        self.constants, self.sites, self.skipped = self._constants(), [], []
        for i in range(function.start, function.end):
            if i not in self.constants:
                self._look_at(i)

    def _constants(self):
        """What has no value at run time, or only checks arguments."""
        out = set()
        for i in range(self.function.start, self.function.end):
            text, after = self.tokens[i].text, self.tokens[i + 1].text if i + 1 < len(self.tokens) else ""
            if text == "<" and i in self.match:
                out.update(range(i, self.match[i] + 1))
            elif text in ("constexpr", "static_assert", "require", "__shared__", "using"):
                end = i
                while self.tokens[end].text not in (";", "{"):
                    end = self.match[end] + 1 if self.tokens[end].text in "([" else end + 1
                out.update(range(i, end))
            elif text in ("sizeof", "alignof", "decltype") and after == "(":
                out.update(range(i, self.match[i + 1] + 1))
        return out

    def _add(self, start, end, before, after, kinds, shown, **more):
        text = " ".join(self.source.text_of(start, end).split())
        self.sites.append(Site(start, end, before, more.pop("parts", [(start, end)]), after, kinds,
                               original=shown or text, line=self.tokens[start].line, function=self.function.name, **more))

    def _look_at(self, i):
        token = self.tokens[i]
        if token.text in BARRIERS and self.tokens[i + 1].text == "(":
            self._add(i, self.match[i + 1] + 1, "if (!mutant::on({id})) ", "", ["barrier left out"], "")
        elif token.text == "all_lanes" and self.tokens[i - 1].text == "(":
            self._add(i, i + 1, "(mutant::on({id}) ? 0x7fffffffu : ", ")", ["lane mask"], self._statement(i))
        elif token.text in COMPARISONS and self.source.is_binary(i):
            start, end = i + 1, self.source.right_operand(i, 7)
            self._add(start, end, "mutant::moved({id}, ", ")", ["bound too far", "bound too near"],
                      self._around(i, end, 7))
        elif token.text == "*" and self.source.is_binary(i):
            start, end = i + 1, self.source.right_operand(i, 10)
            if self.tokens[start].kind != "number":
                self._add(start, end, "mutant::longer({id}, ", ")", ["stride too long"], self._around(i, end, 10))
        elif token.text == "+" and self.source.is_binary(i):
            self._swap_strides(i)
        elif token.text == "MELGRAD_CALL":
            name = self.source.text_of(i, self.match[i + 1] + 1)
            self._library_call(i, self.match[i + 1] + 1, 0, name, "", "")
        elif token.text == "CHECKED":  # kernels/cuda/cudnn_convolution.cpp
            name = self.tokens[i + 2].text
            self._library_call(i, i + 1, 1, f"MELGRAD_CALL(cudnn, {name})", "check(", f', "{name}")')

    def _swap_strides(self, i):
        """Of `a * s + b * t`, `a * s + b` and `b + a * s`."""
        start, end = self.source.left_operand(i, 9), self.source.right_operand(i, 9)
        for at in range(start, i):  # of `x + a * s` what stands before this sum is another matter
            if self.tokens[at].text in ("+", "-") and self._at_top(start, at) and self.source.is_binary(at):
                if self.tokens[at].text == "-":
                    return
                start = at + 1
        left, right = self._factors(start, i), self._factors(i + 1, end)
        if not left and not right:
            return
        parts = left + (right or [(i + 1, end)]) if left else right + [(start, i)]
        if any(s.start < start < s.end < end for s in self.sites if s.mutants == ["strides swapped"]):
            return self.skipped.append(i)
        self._add(start, end, "mutant::strides({id}, ", ")", ["strides swapped"], "", parts=parts)

    def _at_top(self, start, i):
        at = start
        while at < i:
            at = self.match[at] + 1 if self.tokens[at].text in ("(", "[", "{", "<") and at in self.match else at + 1
        return at == i

    def _factors(self, start, end):
        """The tokens of a and of s in `a * s`, or nothing."""
        stars = [i for i in range(start, end) if self.tokens[i].text == "*" and self.source.is_binary(i)
                 and self._at_top(start, i)]
        return [(start, stars[-1]), (stars[-1] + 1, end)] if stars else []

    def _library_call(self, start, opener, first, name, before, after):
        """Left out, which gives 0 as a call that succeeded does, and any two arguments swapped. `first` arguments of a
        macro are none of the function's."""
        parts, begin, at, close = [], opener + 1, opener + 1, self.match[opener]
        while at < close:
            if self.tokens[at].text == ",":
                parts.append((begin, at))
                begin = at + 1
            at = self.match[at] + 1 if self.tokens[at].text in "([{" else at + 1
        parts = (parts + [(begin, close)])[first:]
        texts = [" ".join(self.source.text_of(*part).split()) for part in parts]
        kinds = ["call left out"] + [f"arguments swapped: {a}, {b}" for a, b in itertools.combinations(texts, 2)]
        status = f"decltype({name}({', '.join(texts)}))"
        call = f"mutant::call({{id}} + 1, {name}, " if len(parts) > 1 else f"{name}("
        self._add(start, close + 1, f"{before}(mutant::on({{id}}) ? {status}{{{{}}}} : {call}", "))" + after, kinds, "",
                  parts=parts)

    def _around(self, i, end, precedence):
        start = self.source.left_operand(i, precedence)
        return " ".join(self.source.text_of(start, end).split())

    def _statement(self, i):
        start = i
        while self.tokens[start - 1].text not in (";", "{", "}"):
            start -= 1
        end = i
        while self.tokens[end].text != ";":
            end += 1
        return " ".join(self.source.text_of(start, end).split())


class FaultyProject(Project):
    """mutate.py's project with these sites in it, in every kernel and every file that calls a library."""
    candidates = ("kernels/cuda/*.cu", "kernels/cuda/*.h", "kernels/cuda/*_*.cpp")

    def find_sites(self, path):
        if ASIDE.search(path):
            return []
        source = self.regions.sources[path]
        return [site for function in self.regions.functions[path] for site in Faults(source, function).sites]


class FaultSession(Session):
    journal = ROOT / "build" / "faults" / "journal.jsonl"
    explained = EXPLAINED


def write_table(project, session):
    same = SameFunction(EXPLAINED)
    counts, survivors, unexplained = collections.defaultdict(collections.Counter), [], []
    for path in project.regions.paths:
        results = session.state.get(path, {}).get("mutants", {}) if project.sites[path] else {}
        for number, (of, key, line, function, original, kind) in project.mutants.items():
            if of != path or key not in results:
                continue
            killed = results[key].startswith("killed")
            counts[path][kind.split(":")[0], killed] += 1
            if killed:
                continue
            reason = same.reason(path, function, original, kind)
            survivors.append(f"| {path}:{line} | {function} | {kind} | {cell(original)} | "
                             f"{reason or f'**not explained** ({results[key]})'} |")
            if reason is None:
                unexplained.append(f"{path} | {function} | {original} | {kind} | {results[key]} at line {line}")
    rows = []
    for path, count in sorted(counts.items()):
        cells = [(count[kind, True], count[kind, True] + count[kind, False]) for kind in KINDS]
        entry = session.state[path]
        at = entry["commit"] + ("" if entry["hash"] == project.hash_of(path) else ", changed since")
        rows.append(" | ".join([f"| {path}", *(f"{killed} of {all_}" if all_ else "" for killed, all_ in cells), at]) + " |")
    found = sum(n for count in counts.values() for (_, killed), n in count.items() if killed)
    together = sum(n for count in counts.values() for n in count.values())
    waiting = list(dict.fromkeys(of for number, (of, *_) in project.mutants.items()
                                 if of not in counts and number not in session.absent))
    TABLE.write_text(f"""# Faults put into the CUDA kernels

Written by `{COMMAND}`, which says how. Found of put in, on simt: **{found} of {together}; of the
{len(survivors)} others {len(survivors) - len(unexplained)} are explained below.**

| file | {" | ".join(KINDS)} | at commit |
|---|{"---|" * (len(KINDS) + 1)}
{chr(10).join(rows)}

{f"Not run yet: {', '.join(waiting)}{chr(10)}{chr(10)}" if waiting else ""}## Survivors
| where | function | fault | at | why no test can find it |
|---|---|---|---|---|
{chr(10).join(survivors)}
""")
    return unexplained


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", default=["*"], help="patterns of files")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--survivors", action="store_true")
    parser.add_argument("--table", action="store_true", help="only write the table")
    parser.add_argument("--build", action="store_true", help="only build and trace")
    options = parser.parse_args()
    project = FaultyProject(ROOT, ROOT / "build" / "faults", options.files)
    if options.list:
        for path, _, line, function, original, kind in project.mutants.values():
            print(f"{path}:{line}: {function}: {kind}: {original}")
        return print(f"{len(project.mutants)} faults")
    runner = None
    if not options.table:
        report("building")
        project.compile()
        tests = Tests(project)
        tests.trace(report)
        runner = Runner(project, tests, JOBS)
    session = FaultSession(project, runner, options.survivors)
    # As the user orders the patterns.
    files = dict.fromkeys(f for pattern in options.files for f in project.built if fnmatch.fnmatch(f, pattern))
    for path in files if runner and not options.build else ():
        session.run(path)
        write_table(project, session)
    unexplained = write_table(project, session)
    print("\n".join(unexplained + [f"{len(unexplained)} survivors are not explained"]))
    sys.exit(1 if unexplained else 0)


if __name__ == "__main__":
    main()

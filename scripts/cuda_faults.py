#!/usr/bin/env python3
"""Puts faults into the CUDA kernels, one at a time, and runs the kernels' tests on simt against each.

    python3 scripts/cuda_faults.py                          # all of kernels/cuda; goes on where it was stopped
    python3 scripts/cuda_faults.py 'kernels/cuda/gemm.h'    # some files, by pattern
    python3 scripts/cuda_faults.py --survivors              # once more what survived, after a test was written
    python3 scripts/cuda_faults.py --list

Where scripts/mutate.py changes what is computed, this puts in what goes wrong with threads and memory: a barrier left
out, a lane missing in a mask, a bound one too far or too near, a stride one too long, two neighbouring arguments of a
library's function swapped. It works as mutate.py does, with its parts (scripts/mutation): all faults are compiled in at
once in build/faults, and a fault costs only the test cases that reach it, the quickest first, until one fails: first on
simt in three schedules, then with an eye on races (test_kernel_races). tests/kernels/cuda_faults.md is written after
each file. A survivor that changes nothing that can be seen is explained in tests/kernels/cuda_faults.txt; any other
makes the exit status 1.
"""
import argparse
import collections
import fnmatch
import os
import pathlib
import re
import sys

os.environ.setdefault("MELGRAD_MUTATION_TESTS", "kernels kernel_races")
os.environ["MELGRAD_TEST_DEVICES"] = "simt"

from mutate import Session, report  # noqa: E402: these read the environment
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
LIBRARY = re.compile(r"^(cublas|cudnn|cufft)[A-Z]\w*$")
KINDS = ("barrier left out", "lane mask", "bound too far", "bound too near", "stride too long", "arguments swapped")


def is_kernel_file(path):
    return fnmatch.fnmatch(path, "kernels/cu*/*.cu") or fnmatch.fnmatch(path, "kernels/cu*/*.h") or (
        fnmatch.fnmatch(path, "kernels/cu*/*.cpp"))


class Faults:
    """The sites of a function: where a fault can be put, and the text around it (scripts/mutation/render.py)."""

    def __init__(self, source, function):
        self.source, self.tokens, self.match, self.function = source, source.tokens, source.match, function
        self.constants, self.sites = self._constants(), []
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
        elif LIBRARY.match(token.text) and self.tokens[i + 1].text == "(":
            self._swap_arguments(i)

    def _swap_arguments(self, i):
        parts, start, at, close = [], i + 2, i + 2, self.match[i + 1]
        while at < close:
            if self.tokens[at].text == ",":
                parts.append((start, at))
                start = at + 1
            at = self.match[at] + 1 if self.tokens[at].text in "([{" else at + 1
        parts.append((start, close))
        if len(parts) < 2:
            return
        name = self.tokens[i].text
        self._add(i, close + 1, "mutant::call({id}, [&](auto... a) {{ return %s(a...); }}, " % name, ")",
                  ["arguments swapped"] * (len(parts) - 1), "", parts=parts)

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
    """mutate.py's project with these sites in it, in every kernel."""

    def find_sites(self, path):
        if not is_kernel_file(path) or path.endswith(("portability.h", "runtime.h")):
            return []
        source = self.regions.sources[path]
        return [site for function in self.regions.functions[path] for site in Faults(source, function).sites]


def write_table(project, session):
    same = SameFunction(EXPLAINED)
    counts, survivors, unexplained = collections.defaultdict(collections.Counter), [], []
    for path in project.regions.paths:
        results = session.state.get(path, {}).get("mutants", {}) if project.sites[path] else {}
        for number, (of, key, line, function, original, kind) in project.mutants.items():
            if of != path or key not in results:
                continue
            killed = results[key].startswith("killed")
            counts[path][kind, killed] += 1
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
        rows.append(f"| {path} | " + " | ".join(f"{killed} of {all_}" if all_ else "" for killed, all_ in cells) + " |")
    found = sum(n for count in counts.values() for (_, killed), n in count.items() if killed)
    together = sum(n for count in counts.values() for n in count.values())
    waiting = [path for path in project.regions.paths if project.sites[path] and path not in counts]
    TABLE.write_text(f"""# Faults put into the CUDA kernels

Written by `{COMMAND}`, which says how. Found of put in, on simt: **{found} of {together}; of the
{len(survivors)} others {len(survivors) - len(unexplained)} are explained below.**

| file | {" | ".join(KINDS)} |
|---|{"---|" * len(KINDS)}
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
        runner = Runner(project, tests)
    session = Session(project, runner, options.survivors)
    for path in project.built if runner else ():
        session.run(path)
        write_table(project, session)
    unexplained = write_table(project, session)
    print("\n".join(unexplained + [f"{len(unexplained)} survivors are not explained"]))
    sys.exit(1 if unexplained else 0)


if __name__ == "__main__":
    main()

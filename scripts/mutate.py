#!/usr/bin/env python3
"""Mutates every arithmetic term of every gradient and every update, one at a time, and runs the tests.

    python3 scripts/mutate.py                            # all files; goes on where it was stopped
    python3 scripts/mutate.py 'optim/*.cpp'              # some files
    python3 scripts/mutate.py --survivors 'optim/*.cpp'  # once more those that survived and are not explained
    python3 scripts/mutate.py --list                     # what is mutated, and what is not
    python3 scripts/mutate.py --show kernels/adam_formulas.h   # the file with its mutants in it

How: the sources are copied to build/mutation with all mutants in them at once, behind calls of scripts/mutation/mutant.h
that compute what the source says unless a mutant is picked. So there is one build (about ten minutes for all files), and a
mutant costs only test cases: those that reach it (a first run of each case finds out), the quickest first, until one fails; and as the
test programs fork for each case, not even their start. scripts/mutation/ has the parts: tokens, regions (what is mutated),
variables, sites (how), build, run, table. Each result is at once a line of build/mutation/journal.jsonl, so a run can be
stopped at any time; a file whose text changed is run anew. tests/mutation/results.md is written after each file. Exit status 1 if a survivor is not explained in tests/mutation/same_function.txt. Needs Python
3.11, git and what the build needs; MELGRAD_MUTATION_JOBS sets the number of processes (2).
MELGRAD_MUTATION_FIRST_OF=5 judges every fifth mutant of each file first, then the others.
"""
import argparse
import collections
import fnmatch
import json
import os
import pathlib
import subprocess
import sys
import time

from mutation.build import VARIANT, Project
from mutation.run import Runner, Tests, limits
from mutation.table import SameFunction, write

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAME_FUNCTION = ROOT / "tests" / "mutation" / "same_function.txt"
FIRST_OF = int(os.environ.get("MELGRAD_MUTATION_FIRST_OF", "1"))  # n: every n-th mutant of each file first
JOBS = int(os.environ.get("MELGRAD_MUTATION_JOBS", "2"))


def report(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def commit():
    git = ["git", "-C", str(ROOT)]
    return subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()


class Session:
    journal = ROOT / "build" / "mutation" / "journal.jsonl"  # of all builds, with and without a sanitizer
    explained = SAME_FUNCTION

    def __init__(self, project, runner, survivors_only):
        self.project, self.runner, self.survivors_only = project, runner, survivors_only
        self.same = SameFunction(self.explained)
        self.path, self.state = self.journal, {}
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            self.note(json.loads(line))
        self.absent = self.known_absent()
        for number in self.absent:
            path, key = project.mutants[number][:2]
            if path in self.state:
                self.state[path]["mutants"].pop(key, None)

    def known_absent(self):
        """Mutants that do not exist for the types at hand, as the traces of this and of earlier builds have shown."""
        project, memory = self.project, self.journal.with_name("absent.json")
        known = json.loads(memory.read_text()) if memory.exists() else {}
        if self.runner is not None:
            found = collections.defaultdict(list)
            for number in self.runner.tests.absent & project.mutants.keys():
                found[project.mutants[number][0]].append(project.mutants[number][1])
            known |= {path: {"hash": project.hash_of(path), "keys": found[path]} for path in project.built}
            memory.write_text(json.dumps(known))
        keys = {path: set(entry["keys"]) for path, entry in known.items()
                if path in project.sites and entry["hash"] == project.hash_of(path)}
        return {n for n, (path, key, *_) in project.mutants.items() if key in keys.get(path, ())}

    def note(self, line):
        """One result into the state. A file whose text has changed begins anew."""
        entry = self.state.get(line["file"])
        if entry is None or entry["hash"] != line["hash"]:
            entry = self.state[line["file"]] = {"hash": line["hash"], "seconds": 0, "mutants": {}}
        entry["commit"], entry["seconds"] = line["commit"], entry["seconds"] + line["seconds"]
        entry["mutants"][line["key"]] = line["result"]

    def is_same_function(self, number):
        path, _, _, function, original, mutation = self.project.mutants[number]
        return self.same.reason(path, function, original, mutation) is not None

    def run(self, file, part=lambda place: True):
        """`part` says which of the file's mutants, by their place in it."""
        project, source, at = self.project, self.project.hash_of(file), commit()
        entry = self.state.get(file, {"hash": "", "mutants": {}})
        judged = entry["mutants"] if entry["hash"] == source else {}
        key_of = {n: project.mutants[n][1] for place, n in enumerate(self.runner.numbers_of(file)) if part(place)}
        waiting = [n for n, key in key_of.items() if key not in judged or (
            self.survivors_only and not judged[key].startswith("killed") and not self.is_same_function(n))]
        began = last = time.monotonic()
        with self.path.open("a") as journal:
            def done(number, result):
                nonlocal last
                now = time.monotonic()
                line = {"file": file, "hash": source, "commit": at, "key": key_of[number], "result": result,
                        "seconds": round(now - last, 4)}
                last = now
                journal.write(json.dumps(line) + "\n")
                journal.flush()
                self.note(line)
                if not result.startswith("killed"):
                    _, _, line, function, original, mutation = project.mutants[number]
                    report(f"  {result}: {file}:{line} {function}: {original}  ->  {mutation}")

            self.runner.run(waiting, self.is_same_function, done)
        results = self.state[file]["mutants"].values() if file in self.state else ()
        counts = collections.Counter(result.split(":")[0] for result in results)
        report(f"{file}: {len(results)} mutants, {dict(counts)}, {time.monotonic() - began:.0f} s")


def list_regions(project):
    for path in project.regions.paths:
        functions = project.regions.functions[path]
        mutated = list(dict.fromkeys(f.name for f in functions if project.regions.is_chosen(f)))
        others = list(dict.fromkeys(f.name for f in functions if not project.regions.is_chosen(f)))
        number = sum(len(site.mutants) for site in project.sites[path])
        print(f"{path}: {len(project.sites[path])} sites, at most {number} mutants")
        print(f"  mutated: {', '.join(mutated) or '-'}\n  not:     {', '.join(others) or '-'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", default=["*"], help="patterns of files")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--show", metavar="FILE")
    parser.add_argument("--survivors", action="store_true")
    parser.add_argument("--table", action="store_true", help="only write the table")
    parser.add_argument("--build", action="store_true", help="only build and trace")
    options = parser.parse_args()
    folder = f"mutation-{VARIANT}" if VARIANT else "mutation"
    project = Project(ROOT, ROOT / "build" / folder, options.files)
    if options.list:
        return list_regions(project)
    if options.show:
        return print(project.texts[options.show], end="")
    runner = None
    if not options.table:
        report("building")
        project.compile()
        tests = Tests(project)
        tests.trace(report)
        runner = Runner(project, tests, JOBS)
    session = Session(project, runner, options.survivors)
    results = ROOT / "tests" / "mutation" / "results.md"

    def table():
        same = SameFunction(SAME_FUNCTION)
        known = {file: entry for file, entry in session.state.items() if file in project.sites}
        return write(results, project, known, same, "python3 scripts/mutate.py", limits(), session.absent), same

    if not options.table and not options.build:
        # As the user orders the patterns: the most important files first.
        files = [f for pattern in options.files for f in project.built if fnmatch.fnmatch(f, pattern)]
        # A run that is stopped has then seen all files, each at regular distances.
        for part in (lambda place: place % FIRST_OF == 0, lambda place: place % FIRST_OF != 0):
            for file in dict.fromkeys(files):
                session.run(file, part)
                table()
    unexplained, same = table()
    for file, line, function, original, mutation, result in unexplained:
        print(f"{file} | {function} | {original} | {mutation} | {result} at line {line}")
    for entry in same.unused() if options.table else ():
        print(f"not needed: {entry}")
    print(f"{len(unexplained)} survivors are not explained")
    sys.exit(1 if unexplained else 0)


if __name__ == "__main__":
    main()

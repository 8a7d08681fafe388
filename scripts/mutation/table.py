"""The committed table: what each file's mutants came to, and why the survivors are the same function.

tests/mutation/same_function.txt has one survivor a line: file | function | original | mutation | why. A star stands for
any text. A line that no survivor needs is reported.
"""
import collections
import fnmatch


def plain(text):
    return text.replace("[", "[[]")  # for fnmatch: only the star is special


class SameFunction:
    def __init__(self, path):
        self.entries, self.used = [], collections.Counter()
        for line in path.read_text().splitlines() if path.exists() else ():
            if line.strip() and not line.startswith("#"):
                parts = [part.strip() for part in line.split(" | ")]
                if len(parts) != 5:
                    raise SystemExit(f"{path}: expected 5 parts between ' | ', found {len(parts)}: {line}")
                self.entries.append(parts)

    def reason(self, path, function, original, mutation):
        for n, entry in enumerate(self.entries):
            wanted = zip((path, function, original, mutation), entry)
            if all(fnmatch.fnmatchcase(text, plain(pattern).replace("?", "[?]")) for text, pattern in wanted):
                self.used[n] += 1
                return entry[4]
        return None

    def unused(self):
        return [" | ".join(entry) for n, entry in enumerate(self.entries) if not self.used[n]]


def cell(text):
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`"


def write(path, project, state, same, command, limits, absent):
    """Writes the table; returns the survivors that nobody has explained."""
    rows, survivors, open_ends = [], [], []
    total = collections.Counter()
    for file, entry in sorted(state.items()):
        numbers = {m[1]: n for n, m in project.mutants.items() if m[0] == file}
        results = {key: result for key, result in entry["mutants"].items() if key in numbers}
        count = collections.Counter(result.split(":")[0] for result in results.values())
        count["invalid"] = len(project.invalid_mutants(file))
        count["sites"] = len(project.sites[file])
        total.update(count)
        total["seconds"] += entry["seconds"]
        alive = count["survived"] + count["unreached"]
        rows.append(f"| {file} | {count['sites']} | {len(results)} | {count['killed']} | {alive} | {count['invalid']} | "
                    f"{entry['commit']} | {entry['seconds'] / 60:.0f} |")
        for key, result in results.items():
            if result.startswith("killed"):
                continue
            _, _, line, function, original, mutation = project.mutants[numbers[key]]
            reason = same.reason(file, function, original, mutation)
            what = f"| {file}:{line} | {function} | {cell(original)} | {cell(mutation)} | "
            if reason is None:
                open_ends.append((file, line, function, original, mutation, result))
            survivors.append(what + (reason or f"**not explained** ({result})") + " |")
    alive = total["survived"] + total["unreached"]
    mutants = total["killed"] + alive
    text = f"""# Mutants of every gradient and every update

Written by `{command}`; how it works is said there and in docs/development.md. A mutant is one change: a term left out, a
sign turned, + for -, * for /, a comparison or a bound off by one, a constant plus one, an index, a stride or an array in
place of another. It is killed if a test fails (or does not end in ten times its time). Invalid: the compiler refuses it.
{limits}{by_variant(state)}
Minutes are those of the tests, on two cores shared with other work.

**{mutants} mutants, {total['killed']} killed, {alive} survivors, of which {alive - len(open_ends)} are the same function
(below) and {len(open_ends)} are not explained.**

| file | sites | mutants | killed | survivors | invalid | at commit | minutes |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}
| all | {total['sites']} | {mutants} | {total['killed']} | {alive} | {total['invalid']} | | {total['seconds'] / 60:.0f} |

{waiting(project, state, absent)}## Survivors
| where | function | original | mutant | why it is the same function |
|---|---|---|---|---|
{chr(10).join(survivors)}

## Not mutated
Functions that no gradient and no update calls, and expressions that the compiler evaluates (`if constexpr`, `constexpr`
variables, template arguments), tests of arguments, and lambdas' captures. Files with such functions:

{left_out(project)}
"""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return open_ends


def by_variant(state):
    """Which builds beside the usual one killed what that one let live."""
    ends = [result.rsplit(" (", 1)[1][:-1] for entry in state.values() for result in entry["mutants"].values()
            if result.endswith((" (address)", " (avx2)"))]
    return "".join(f" {count} were killed in the variant `{name}`." for name, count in sorted(collections.Counter(ends).items()))


def waiting(project, state, absent):
    """The files with mutants that no run has judged yet; `absent` ones do not exist."""
    keys = collections.defaultdict(set)
    for path, sites in project.sites.items():
        for site in sites:
            keys[path] |= {project.mutants[n][1] for n in range(site.base, site.base + len(site.mutants)) if n not in absent}
    files = []
    for path, known in keys.items():
        left = len(known - state[path]["mutants"].keys()) if path in state else 0
        if path not in state:
            files.append(path)
        elif left:
            files.append(f"{path} ({left} of {len(known)} mutants)")
    return f"## Not run yet\n{len(files)} files: {', '.join(files)}\n\n" if files else ""


def left_out(project):
    by_file = collections.defaultdict(list)
    for function in project.regions.left_out():
        if function.name not in by_file[function.path]:
            by_file[function.path].append(function.name)
    return "\n".join(f"- {path}: {', '.join(names)}" for path, names in sorted(by_file.items()))

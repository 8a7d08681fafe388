"""Writes a source with all its mutants in it at once.

A site is a range of tokens that is put into a call of scripts/mutation/mutant.h: `a * b` becomes
`mutant::product(id, a, b)`, which computes a, b, a / b or -(a * b) when the mutant of that number is chosen. Sites nest.
"""
import dataclasses


@dataclasses.dataclass
class Site:
    start: int           # tokens
    end: int
    before: str          # text around the parts; {id} is the number of the first mutant
    parts: list          # token ranges, rendered in turn, separated by `between`
    after: str
    mutants: list        # what each mutant makes of it, in words
    between: str = ", "
    original: str = ""
    line: int = 0
    function: str = ""
    base: int = -1
    suffix: str = ""     # what follows, for the reader: `.stream()`


def render(source, sites):
    """The text of the file with the sites' calls in it. Longer sites go around shorter ones; line breaks stay."""
    order = {id(site): n for n, site in enumerate(sites)}

    def inside(start, end, among):
        out, at = [], start
        # Of sites on the same tokens, those that wrap the whole expression go outside.
        among = sorted(among, key=lambda s: (s.start, -s.end, s.parts != [(s.start, s.end)], order[id(s)]))
        position = source.tokens[start].start if start < end else None
        k = 0
        while k < len(among):
            site = among[k]
            rest = [s for s in among[k + 1:] if s.start >= site.start and s.end <= site.end]
            out.append(source.text[position:source.tokens[site.start].start])
            texts = [inside(*part, [s for s in rest if s.start >= part[0] and s.end <= part[1]]) for part in site.parts]
            out.append(site.before.format(id=site.base) + site.between.join(texts) + site.after.format(id=site.base))
            position = source.tokens[site.end - 1].end
            k += 1 + len(rest)
        if start < end:
            out.append(source.text[position:source.tokens[end - 1].end])
        return "".join(out)

    tokens = source.tokens
    if not sites:
        return source.text
    return source.text[:tokens[0].start] + inside(0, len(tokens), sites) + source.text[tokens[-1].end:]

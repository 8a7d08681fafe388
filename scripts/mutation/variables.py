"""Where variables are declared in a function and where they can be used: what may stand in one another's place."""
import dataclasses

from mutation.tokens import CONTROL, STATEMENT_MACROS

QUALIFIERS = {"const", "static", "thread_local", "HWY_ALIGN", "volatile", "typename"}
NOT_TYPES = {"return", "else", "case", "using", "throw", "delete", "new", "goto", "typedef", "template", "struct",
             "constexpr", "static_assert", "namespace", "class", "enum", "operator", "public", "private"}


@dataclasses.dataclass
class Variable:
    name: str
    type: str
    usable: int  # first token at which it can be used
    end: int     # and the token after the last


def statement_end(source, at):
    """The token after the statement that begins at `at`."""
    tokens, match = source.tokens, source.match
    while tokens[at].text in STATEMENT_MACROS:
        at += 1
    if tokens[at].text == "{":
        return match[at] + 1
    if tokens[at].text in CONTROL:
        at += 2 if tokens[at + 1].text == "constexpr" else 1
        end = statement_end(source, match[at] + 1)
        if end < len(tokens) and tokens[end].text == "else":
            end = statement_end(source, end + 1)
        return end
    while tokens[at].text not in (";", "}"):
        at = match[at] + 1 if tokens[at].text in ("(", "[", "{", "<") and at in match else at + 1
    return at + 1


def _declarator(source, at, end):
    """(type, index of the name) if a declaration begins at `at`, else None."""
    tokens, match = source.tokens, source.match
    while at < end and tokens[at].text in QUALIFIERS:
        at += 1
    begin = at
    if tokens[at].kind != "word" or tokens[at].text in NOT_TYPES or tokens[at].text in CONTROL:
        return None
    at += 1
    while at < end:
        if tokens[at].text == "::" and tokens[at + 1].kind == "word":
            at += 2
        elif tokens[at].text == "<" and at in match:
            at = match[at] + 1
        else:
            break
    name = source.text_of(begin, at)
    stars = 0
    while at < end and tokens[at].text in ("*", "&", "&&", "const", "..."):
        stars += tokens[at].text == "*"
        at += 1
    if at < end and tokens[at].kind == "word" and tokens[at].text not in NOT_TYPES and tokens[at + 1].text in (
            "=", "(", "{", ";", ",", ")", ":", "["):
        return name + "*" * stars, at
    return None


def _initialiser_end(source, at, end):
    while at < end and source.tokens[at].text not in (",", ";", ")", ":"):
        at = source.match[at] + 1 if source.tokens[at].text in ("(", "[", "{", "<") and at in source.match else at + 1
    return at


def _parameters(source, opener, scope_end, found):
    at, close = opener + 1, source.match[opener]
    while at < close:
        declared = _declarator(source, at, close + 1)
        end = _initialiser_end(source, at, close)
        if declared:
            found.append(Variable(source.tokens[declared[1]].text, declared[0], close + 1, scope_end))
        at = end + 1


def _declarations(source, at, scope_end, found):
    """The variables of a declaration statement, if one begins at `at`. Each can be used after its initialiser."""
    declared = _declarator(source, at, scope_end)
    if declared is None:
        return
    kind, name = declared
    base = kind.rstrip("*")
    while True:
        end = _initialiser_end(source, name + 1, scope_end)
        found.append(Variable(source.tokens[name].text, kind, end, scope_end))
        if end >= scope_end or source.tokens[end].text != ",":
            return
        name, stars = end + 1, 0
        while source.tokens[name].text in ("*", "&"):
            stars += source.tokens[name].text == "*"
            name += 1
        kind = base + "*" * stars
        if source.tokens[name].kind != "word":
            return


def variables_of(source, function):
    tokens, match, found = source.tokens, source.match, []
    _parameters(source, function.head, function.end, found)
    enclosing = []
    for at in range(function.start, function.end):
        text = tokens[at].text
        while enclosing and enclosing[-1] <= at:
            enclosing.pop()
        if text == "{":
            enclosing.append(match[at])
        if text == "[" and source.is_lambda(at):
            _lambda(source, at, found)
        if text == "(" and tokens[at - 1].text == "for":
            _declarations(source, at + 1, statement_end(source, at - 1), found)
        elif text in (";", "}", "{", ")") and enclosing and (text != ")" or source.closes_control(at)) and (
                text != "{" or at in source.block):
            if at + 1 < function.end and tokens[at + 1].kind == "word":
                _declarations(source, at + 1, enclosing[-1], found)
    return found


def _lambda(source, at, found):
    tokens, match = source.tokens, source.match
    body = match[at] + 1
    if tokens[body].text == "<":
        body = match[body] + 1
    parameters = body if tokens[body].text == "(" else None
    if parameters is not None:
        body = match[body] + 1
    while tokens[body].text not in ("{", ";"):
        body += 1
    if tokens[body].text != "{":
        return
    end = match[body]
    if parameters is not None:
        _parameters(source, parameters, end, found)
    for i in range(at + 1, match[at]):
        if tokens[i].text == "=" and tokens[i - 1].kind == "word" and tokens[i + 1].kind == "word":
            found.append(Variable(tokens[i - 1].text, tokens[i + 1].text, body, end))

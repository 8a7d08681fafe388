"""C++ tokens with matched brackets: enough of the language to find expressions in sources formatted by clang-format.

The formatter makes tokens tell what they mean: a binary operator has a space on each side (`a * b`), a pointer, a
reference and a template bracket lack one (`float* x`, `Shape& s`, `Vec<T>`).
"""
import dataclasses
import re

PATTERN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/|(?<![^\n])[ \t]*\#(?:\\\n|[^\n])*)
    |(?P<string>R"(?P<tag>[^(\s"]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')
    |(?P<number>(?:0[xX][0-9a-fA-F.']+(?:[pP][-+]?\d+)?|(?:\d[\d']*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\w*)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<punctuator>(?<=\s)>>(?=\s)|->|<=>|<<=|>>=|\.\.\.|::|\+\+|--|&&|\|\||[-+*/%&|^=!<]=|>=|<<|.)""",
    re.VERBOSE | re.DOTALL)

CLOSER = {"(": ")", "[": "]", "{": "}"}
STATEMENT_MACROS = {"MELGRAD_VECTORIZE", "MELGRAD_UNROLL"}
CONTROL = {"if", "for", "while", "switch"}
NOT_OPERANDS = {"return", "case", "else", "do", "throw", "goto", "new", "delete", "default", "co_return",
                "constexpr", "const"} | STATEMENT_MACROS | CONTROL
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^="}
PRECEDENCE = {"*": 10, "/": 10, "%": 10, "+": 9, "-": 9, "<<": 8, ">>": 8, "<=>": 7, "<": 6, ">": 6, "<=": 6, ">=": 6,
              "==": 5, "!=": 5, "&": 4, "^": 3, "|": 2, "&&": 1, "||": 0}


@dataclasses.dataclass
class Token:
    kind: str
    text: str
    start: int
    end: int
    line: int
    spaced: bool  # whether space stands before it


class Source:
    """The tokens of a file, and for each bracket the index of its partner (`match`)."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.tokens = list(self._tokens())
        self.match = {}
        self._match_brackets()
        self.block = self._block_braces()

    def _tokens(self):
        spaced, line, at = True, 1, 0
        for found in PATTERN.finditer(self.text):
            line += self.text.count("\n", at, found.start())
            at = found.start()
            if found.lastgroup == "skip" or found.group("skip"):
                spaced = True
                continue
            kind = next(k for k in ("string", "number", "word", "punctuator") if found.group(k) is not None)
            yield Token(kind, found.group(), found.start(), found.end(), line, spaced)
            spaced = False

    def _opens_template(self, i):
        before = self.tokens[i - 1]
        if before.text in ("template", "]") or (before.text == ")" and self.tokens[i - 2].text == "("):
            return before.text == "template" or not self.tokens[i].spaced
        return before.kind == "word" and not self.tokens[i].spaced

    def _match_brackets(self):
        stack = []
        for i, token in enumerate(self.tokens):
            if token.kind != "punctuator":
                continue
            if token.text in CLOSER or (token.text == "<" and self._opens_template(i)):
                stack.append(i)
            elif token.text == ">" and stack and self.tokens[stack[-1]].text == "<":
                self._pair(stack.pop(), i)
            elif token.text in CLOSER.values():
                while stack and self.tokens[stack[-1]].text == "<":
                    stack.pop()
                if stack:
                    self._pair(stack.pop(), i)

    def _pair(self, a, b):
        self.match[a], self.match[b] = b, a

    def _block_braces(self):
        """The braces that hold statements; the others initialise."""
        blocks, around = set(), []
        for i, token in enumerate(self.tokens):
            while around and self.match.get(around[-1], len(self.tokens)) <= i:
                around.pop()
            if token.text != "{":
                continue
            before = self.tokens[i - 1].text if i else ";"
            outside = around[-1] if around else None
            inner = outside is None or outside in blocks
            named = [t.text for t in self.tokens[max(0, i - 12):i]]
            starts = max((k for k, t in enumerate(named) if t in ";{}"), default=-1)
            type_body = bool({"struct", "class", "namespace", "enum", "->"} & set(named[starts + 1:]))
            if before in (")", "else", "do", "try", "mutable", "noexcept", "override") or (before in ";{}" and inner) or (
                    before == "const") or (before == "]" and self.is_lambda(self.match[i - 1])) or type_body:
                blocks.add(i)
            around.append(i)
        return blocks

    def is_lambda(self, i):
        """Whether the `[` at i begins a lambda."""
        before = self.tokens[i - 1]
        if before.text in ("auto", "&", "&&") and "auto" in (before.text, self.tokens[i - 2].text):
            return False  # a structured binding
        return before.text in NOT_OPERANDS or not (before.kind in ("word", "number") or before.text in (")", "]", ">", "}"))

    def is_operand_end(self, i):
        token = self.tokens[i]
        if token.kind == "word":
            return token.text not in NOT_OPERANDS
        if token.kind in ("number", "string"):
            return True
        if token.text == "}":
            return self.match.get(i) not in self.block
        if token.text == ")":
            return not self.closes_control(i)
        return token.text == "]" or (token.text == ">" and i in self.match)

    def closes_control(self, i):
        """Whether the `)` at i ends the head of an if, a loop or a switch."""
        head = self.match.get(i, 0) - 1
        if self.tokens[head].text == "constexpr":
            head -= 1
        return self.tokens[head].text in CONTROL

    def is_binary(self, i):
        token = self.tokens[i]
        if token.kind != "punctuator" or token.text not in PRECEDENCE or i in self.match or (
                self.tokens[i + 1].text == "..." or not self.is_operand_end(i - 1)):
            return False
        if token.text in ("*", "&", "&&"):
            return token.spaced and self.tokens[i + 1].spaced
        return True

    def _ends_operand(self, i, precedence):
        token = self.tokens[i]
        if token.text in ",;?:" or token.text in ASSIGNMENTS or token.text in NOT_OPERANDS:
            return True
        return self.is_binary(i) and PRECEDENCE[token.text] < precedence

    def left_operand(self, i, precedence):
        """The first token of what stands left of the operator at i."""
        at = i
        while at > 0:
            token = self.tokens[at - 1]
            if token.text in (")", "]", "}") or (token.text == ">" and at - 1 in self.match):
                opener = self.match[at - 1]
                if (token.text == "}" and opener in self.block) or (token.text == ")" and self.closes_control(at - 1)):
                    break
                at = opener
                continue
            if token.text in CLOSER or (token.text == "<" and at - 1 in self.match) or self._ends_operand(at - 1, precedence):
                break
            at -= 1
        return at

    def right_operand(self, i, precedence):
        """The token after what stands right of the operator at i."""
        at = i + 1
        while at < len(self.tokens):
            token = self.tokens[at]
            if token.text in CLOSER or (token.text == "<" and at in self.match):
                at = self.match[at] + 1
                continue
            if token.text in CLOSER.values() or (token.text == ">" and at in self.match):
                break
            if self._ends_operand(at, precedence) or (self.is_binary(at) and PRECEDENCE[token.text] == precedence):
                break
            at += 1
        return at

    def text_of(self, start, end):
        return self.text[self.tokens[start].start:self.tokens[end - 1].end] if end > start else ""

"""Finds the sites of a function that can be mutated, and what each is turned into."""
from mutation.regions import CHECKS
from mutation.render import Site
from mutation.tokens import ASSIGNMENTS, CONTROL, PRECEDENCE, STATEMENT_MACROS
from mutation.variables import statement_end, variables_of

BINARY = {"+": "sum", "-": "difference", "*": "product", "/": "quotient", "%": "remainder"}
OTHER = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "/"}
COMPARISON = {"<": ("less", "<=", ">="), "<=": ("less_equal", "<", ">"), ">": ("greater", ">=", "<="),
              ">=": ("greater_equal", ">", "<"), "==": ("equal", "!="), "!=": ("unequal", "==")}
ASSIGNMENT = {"+=": ("increase", "-="), "-=": ("decrease", "+="), "*=": ("multiply", "/="), "/=": ("divide", "*=")}
MATHS = {"sqrt", "exp", "expm1", "log", "log1p", "tanh", "abs", "cos", "sin", "floor", "ceil", "expf", "sqrtf", "logf"}
# Highway's operations on vectors: alternatives in terms of their arguments a, b, c.
VECTOR = {"Add": ["a", "b", "{}Sub(a, b)"], "Sub": ["a", "{}Neg(b)", "{}Add(a, b)"],
          "Mul": ["a", "b", "{}Neg({}Mul(a, b))"], "Div": ["a", "{}Mul(a, b)"],
          "MulAdd": ["c", "{}Mul(a, b)", "{}NegMulAdd(a, b, c)"], "NegMulAdd": ["c", "{}MulAdd(a, b, c)"],
          "Min": ["a", "b", "{}Max(a, b)"], "Max": ["a", "b", "{}Min(a, b)"], "Lt": ["{}Le(a, b)", "{}Ge(a, b)"],
          "Le": ["{}Lt(a, b)", "{}Gt(a, b)"], "Gt": ["{}Ge(a, b)", "{}Le(a, b)"], "Ge": ["{}Gt(a, b)", "{}Lt(a, b)"],
          "Eq": ["{}Ne(a, b)"], "Ne": ["{}Eq(a, b)"], "IfThenElse": ["b", "c"],
          "IfThenElseZero": ["b", "{}Zero({}DFromV<std::remove_cvref_t<decltype(b)>>())"], "And": ["a", "b"], "Or": ["a", "b"],
          "Not": ["a"], "Neg": ["a"], "Abs": ["a"], "Sqrt": ["a"], "Exp": ["b"], "Expm1": ["b"]}
# Functions without arguments and without effects, which may stand in one another's place.
GETTERS = {"h_out", "w_out", "group_c", "group_o", "taps", "x_shape", "y_shape", "weight_shape", "numel", "rank", "extent",
           "input_shape", "state_shape", "gates_shape", "bias_shape", "elements", "chunks"}


class Finder:
    def __init__(self, source, function):
        self.source, self.function = source, function
        self.tokens, self.match = source.tokens, source.match
        self.sites = []
        self.left_out = set()
        self._leave_out()
        self.variables = variables_of(source, function)
        self.lambdas = [(i, *self._captures(i)) for i in range(function.start, function.end)
                        if self.tokens[i].text == "[" and source.is_lambda(i)]
        self._find()

    def _captures(self, i):
        """(the end of the lambda at i, the names that it captures, or None if it captures all)."""
        close = self.match[i]
        body = next(k for k in range(close, len(self.tokens)) if self.tokens[k].text == "{")
        everything = self.tokens[i + 1].text in ("&", "=") and self.tokens[i + 2].text in (",", "]")
        names = {self.tokens[k].text for k in range(i + 1, close)
                 if self.tokens[k - 1].text in ("[", ",", "&") and self.tokens[k + 1].text in (",", "]", "=")}
        return self.match[body], None if everything else names

    def _reachable(self, variable, i):
        """Whether a lambda around i lets the variable in."""
        return all(variable.usable > start or names is None or variable.name in names
                   for start, end, names in self.lambdas if start < i < end)

    def _range(self, start, end):
        self.left_out.update(range(start, end))

    def _leave_out(self):
        """What has no run-time value, or only checks arguments."""
        tokens, match = self.tokens, self.match
        for i in range(self.function.start, self.function.end):
            text = tokens[i].text
            if text == "<" and i in match:
                self._range(i, match[i] + 1)
            elif text == "if" and tokens[i + 1].text == "constexpr":
                self._range(i, match[i + 2] + 1)
            elif text == "[" and self.source.is_lambda(i):
                end = match[i] + 1
                if tokens[end].text == "<":
                    end = match[end] + 1
                if tokens[end].text == "(":
                    end = match[end] + 1
                self._range(i, end)
            elif text in ("sizeof", "decltype", "alignas", "static_assert") and tokens[i + 1].text == "(":
                self._range(i, match[i + 1] + 1)
            elif CHECKS.match(text) and tokens[i + 1].text == "(":
                self._range(i, match[i + 1] + 1)
                self._leave_out_question(i)
            elif text == "throw":
                self._range(i, statement_end(self.source, i))
                self._leave_out_question(i)
            elif text == "case":
                while tokens[i].text != ":":
                    self.left_out.add(i)
                    i += 1
            elif text in ("constexpr", "using") and tokens[i - 1].text != "if":
                self._range(i, statement_end(self.source, i))
            elif text == "struct":
                self._range(i, statement_end(self.source, i))

    def _leave_out_question(self, i):
        """The head of an `if` that does nothing but refuse, at i."""
        before = i - 1
        if self.tokens[before].text == "{" and self.tokens[i].text in ("fail", "throw"):
            before -= 1
        if self.tokens[before].text == ")" and self.source.closes_control(before):
            self._range(self.match[before], before + 1)

    def _add(self, start, end, before, parts, after, mutants, **more):
        if any(i in self.left_out for i in range(start, end) if i == start or i == end - 1):
            return
        self.sites.append(Site(start, end, before, parts, after, mutants, original=self._text(start, end),
                               line=self.tokens[start].line, function=self.function.name, **more))

    def _text(self, start, end):
        return " ".join(self.source.text_of(start, end).split())

    def _find(self):
        for i in range(self.function.start, self.function.end):
            if i in self.left_out:
                continue
            token = self.tokens[i]
            if self.source.is_binary(i):
                self._binary(i, token.text)
            elif token.text in ("-", "!") and not self.source.is_operand_end(i - 1):
                self._unary(i, token.text)
            elif token.text in ASSIGNMENT:
                self._compound_assignment(i, token.text)
            elif token.text == "=":
                self._assignment(i)
            elif token.text == "?":
                start = self.source.left_operand(i, -1)
                self._decision(start, i)
            elif token.text == "(" and self.tokens[i - 1].text in ("if", "while", "for"):
                self._head(i)
            elif token.text == "return" and not (self.function.returns_nothing and self._outside_lambdas(i)):
                self._whole_value(i + 1)
            elif token.kind == "number":
                self._number(i)
            elif token.kind == "word":
                self._word(i)
            if self._begins_statement(i):
                self._statement(i)

    def _begins_statement(self, i):
        before = self.tokens[i - 1]
        if before.text in STATEMENT_MACROS or before.text == "else":
            return True
        if before.text == ")":
            return self.source.closes_control(i - 1)
        if before.text == "{":
            return i - 1 in self.source.block
        return before.text == ";" and self._in_block(i) or (before.text == "}" and self.match[i - 1] in self.source.block)

    def _in_block(self, i):
        """Whether the bracket around i is a block, not the head of a loop."""
        depth = i - 1
        while depth >= self.function.start:
            if self.tokens[depth].text in (")", "]", "}"):
                depth = self.match[depth]
            elif self.tokens[depth].text in ("(", "[", "{"):
                return self.tokens[depth].text == "{" and depth in self.source.block
            depth -= 1
        return False

    def _binary(self, i, text):
        precedence = PRECEDENCE[text]
        start, end = self.source.left_operand(i, precedence), self.source.right_operand(i, precedence)
        parts = [(start, i), (i + 1, end)]
        a, b = self._text(start, i), self._text(i + 1, end)
        if text in BINARY:
            self._add(start, end, f"mutant::{BINARY[text]}({{id}}, ", parts, ")",
                      [a, b, f"{a} {OTHER[text]} {b}", f"-({a} {text} {b})"])
        elif text in COMPARISON:
            name, *others = COMPARISON[text]
            self._add(start, end, f"mutant::{name}({{id}}, ", parts, ")", [f"{a} {other} {b}" for other in others])
        elif text in ("&&", "||"):
            kind, value = ("in_and", "true") if text == "&&" else ("in_or", "false")
            for part, words in ((parts[0], f"{value} {text} {b}"), (parts[1], f"{a} {text} {value}")):
                self._add(*part, f"mutant::{kind}({{id}}, ", [part], ")", [words])

    def _unary(self, i, text):
        end = self.source.right_operand(i, 20)
        name = "negative" if text == "-" else "negation"
        self._add(i, end, f"mutant::{name}({{id}}, ", [(i + 1, end)], ")", [self._text(i + 1, end)])

    def _compound_assignment(self, i, text):
        start, end = self.source.left_operand(i, -1), i + 1
        while self.tokens[end].text not in (",", ";", ")", "}", "]"):  # a choice, `? :`, belongs to the value
            opens = self.tokens[end].text in ("(", "[", "{", "<") and end in self.match
            end = self.match[end] + 1 if opens else end + 1
        name, other = ASSIGNMENT[text]
        a, b = self._text(start, i), self._text(i + 1, end)
        self._add(start, end, f"mutant::{name}({{id}}, ", [(start, i), (i + 1, end)], ")",
                  ["(nothing)", f"{a} {other} {b}", f"{a} = {b}"])

    def _assignment(self, i):
        first, before = self.tokens[self.source.left_operand(i, -1)], self.tokens[i - 2]
        if first.text != "." and not (before.text == "&" and not self.source.is_binary(i - 2)):
            self._whole_value(i + 1)  # neither a designated initialiser nor the binding of a reference

    def _whole_value(self, start):
        end = self._value_end(start)
        text = self.tokens[start].text
        binary = any(self.source.is_binary(k) for k in range(start, end) if self._directly_in(start, k))
        question = any(self.tokens[k].text == "?" for k in range(start, end) if self._directly_in(start, k))
        if end <= start or text in ("{", "[", "-", "!") or self.tokens[start].kind == "string" or binary or question:
            return
        if self.tokens[start].kind == "number" and end == start + 1 or text in ("true", "false", "void", "nullptr"):
            return
        self._add(start, end, "mutant::turned({id}, ", [(start, end)], ")", [f"-({self._text(start, end)})"])

    def _value_end(self, at):
        while self.tokens[at].text not in (",", ";", ")", "}", ":", "]"):
            at = self.match[at] + 1 if self.tokens[at].text in ("(", "[", "{", "<") and at in self.match else at + 1
        return at

    def _outside_lambdas(self, i):
        return not any(k in self.source.block and k < i < self.match[k] and self.tokens[k - 1].text in (")", "]")
                       and not self.source.closes_control(k - 1) for k in range(self.function.body + 1, i))

    def _directly_in(self, start, k):
        at = start
        while at < k:
            at = self.match[at] + 1 if self.tokens[at].text in ("(", "[", "{", "<") and at in self.match else at + 1
        return at == k

    def _decision(self, start, end, name="decision", words=("true", "false")):
        if end > start:
            self._add(start, end, f"mutant::{name}({{id}}, ", [(start, end)], ")", list(words))

    def _head(self, i):
        keyword, close = self.tokens[i - 1].text, self.match[i]
        semicolons = [k for k in range(i + 1, close) if self.tokens[k].text == ";" and self._directly_in(i + 1, k)]
        if keyword == "for" and len(semicolons) == 2:
            self._decision(semicolons[0] + 1, semicolons[1], "loops", ["(no pass of the loop)"])
        elif keyword == "while":
            self._decision(i + 1, close, "loops", ["(no pass of the loop)"])
        elif keyword == "if" and not semicolons:
            self._decision(i + 1, close)

    def _number(self, i):
        start, end = i, i + 1
        before, after = self.tokens[i - 1], self.tokens[i + 1]
        if before.text == "[" and self.tokens[i - 2].kind == "word" and after.text == "]" and self._declares_array(i - 2):
            return
        if before.text in "({" and after.text in ")}" and self.tokens[i - 2].kind == "word" and (
                self.tokens[i - 2].text in ("T", "int64_t", "double", "float")) and self.match[i - 1] == i + 1:
            start, end = i - 2, i + 2
        self._add(start, end, "mutant::number({id}, ", [(start, end)], ")", [f"{self._text(start, end)} + 1"])

    def _declares_array(self, name):
        before = self.tokens[name - 1]
        return before.kind == "word" and before.text not in ("return", "case", "else")

    def _word(self, i):
        tokens, text, before = self.tokens, self.tokens[i].text, self.tokens[i - 1].text
        if before in (".", "->", "::", "~"):
            return
        if text == "std" and tokens[i + 1].text == "::":
            return self._standard_function(i)
        if text in ("hn", "hwy") and tokens[i + 1].text == "::" and tokens[i + 2].text in VECTOR:
            return self._vector_operation(i)
        if text in MATHS and tokens[i + 1].text == "(":
            return self._mathematics(i, i + 1)
        self._variable(i)

    def _standard_function(self, i):
        tokens, name = self.tokens, self.tokens[i + 2].text
        opener, template = i + 3, ""
        if tokens[opener].text == "<":
            template = self.source.text_of(opener, self.match[opener] + 1)
            opener = self.match[opener] + 1
        if tokens[opener].text != "(":
            return
        arguments = self._arguments(opener)
        if name in ("min", "max") and len(arguments) == 2:
            kind = ("minimum" if name == "min" else "maximum") + ("" if template else "_of")
            a, b = (self._text(*part) for part in arguments)
            other = "max" if name == "min" else "min"
            self._add(i, self.match[opener] + 1, f"mutant::{kind}{template}({{id}}, ", arguments, ")",
                      [a, b, f"std::{other}({a}, {b})"])
        elif name in MATHS and len(arguments) == 1:
            self._mathematics(i, opener)

    def _mathematics(self, start, opener):
        end = self.match[opener] + 1
        argument = (opener + 1, end - 1)
        whole = self.source.text_of(start, opener + 1)
        self._add(start, end, f"mutant::function({{id}}, {whole}", [argument, argument], ")", [self._text(*argument)],
                  between="), ")

    def _vector_operation(self, i):
        name, opener = self.tokens[i + 2].text, i + 3
        if self.tokens[opener].text != "(":
            return
        arguments, prefix = self._arguments(opener), self.source.text_of(i, i + 2)
        if len(arguments) != {"Add": 2, "MulAdd": 3, "NegMulAdd": 3, "IfThenElse": 3, "Not": 1, "Neg": 1, "Abs": 1,
                              "Sqrt": 1}.get(name, 2):
            return
        letters = "abc"[:len(arguments)]
        alternatives = [text.replace("{}", prefix) for text in VECTOR[name]]
        choice = "".join(f"mutant::on({{id}} + {n}) ? {text} : " for n, text in enumerate(alternatives))
        lambda_head = ("[&](" + ", ".join(f"const auto& {x}" for x in letters) + ") { return " + choice +
                       f"{prefix}{name}({', '.join(letters)})" + "; }(")
        written = [self._text(*part) for part in arguments]
        words = []
        for text in VECTOR[name]:
            text = text.replace("{}", "")
            words.append(written["abc".index(text)] if text in ("a", "b", "c") else f"{text} of {self._text(i, self.match[opener] + 1)}")
        self._add(i, self.match[opener] + 1, lambda_head.replace("{ ", "{{ ").replace("; }", "; }}"), arguments, ")", words)

    def _arguments(self, opener):
        parts, start, at, close = [], opener + 1, opener + 1, self.match[opener]
        while at < close:
            if self.tokens[at].text == ",":
                parts.append((start, at))
                start = at + 1
            at = self.match[at] + 1 if self.tokens[at].text in ("(", "[", "{", "<") and at in self.match else at + 1
        return parts + [(start, close)] if close > start else parts

    def _is_written(self, start, end):
        """Whether the value is what an assignment, ++ or -- changes."""
        before, after = self.tokens[start - 1].text, self.tokens[end].text
        return after in ASSIGNMENTS or after in ("++", "--") or before in ("++", "--", "&") and not (
            self.source.is_operand_end(start - 2))

    def _variable(self, i):
        tokens, text = self.tokens, self.tokens[i].text
        after = tokens[i + 1].text
        here = [v for v in self.variables if v.name == text and v.usable <= i < v.end]
        if not here or after in ("(", "::", "<" if i + 1 in self.match else "(") or self._declared_at(i):
            return
        if after in (".", "->"):
            self._members(i)
        own = here[-1]
        shadowed = {}
        for v in self.variables:
            if v.usable <= i < v.end and self._reachable(v, i):
                shadowed[v.name] = v
        shadowed.setdefault(text, own)
        alike = [v.name for v in shadowed.values() if v.type == own.type and v.name != text]
        if self._is_written(i, i + 1):
            return
        order = sorted(alike, key=lambda name: abs(list(shadowed).index(name) - list(shadowed).index(text)))
        method = after == "." and tokens[i + 3].text == "(" and self.match[i + 3] == i + 4
        suffix = self._text(i + 1, i + 5) if method else ""
        for other in order[:2]:
            self._add(i, i + 1, "mutant::pick({id}, ", [(i, i + 1)], f", {other})", [other], suffix=suffix)

    def _declared_at(self, i):
        before = self.tokens[i - 1]
        return before.kind == "word" and before.text not in ("return", "else", "case") and (
            before.text not in STATEMENT_MACROS) or before.text in ("*", "&", "&&") and not self.source.is_binary(i - 1) and (
            self.tokens[i - 2].kind == "word" and self.tokens[i - 2].text not in ("return", "case"))

    def _chain(self, i):
        """The end of `p.rows.size`, or of `p.h_out()`, that begins at i; a method with arguments is left out."""
        end = i + 1
        while self.tokens[end].text in (".", "->") and self.tokens[end + 1].kind == "word":
            if self.tokens[end].text == "->" or self.tokens[end + 1].text == "template":
                return end
            after = self.tokens[end + 2].text
            if after == "(":
                return end + 4 if self.tokens[end + 1].text in GETTERS and self.match[end + 2] == end + 3 else end
            if after == "<" and end + 2 in self.match:
                return end
            end += 2
        return end

    def _members(self, i):
        end = self._chain(i)
        if end <= i + 1 or self._is_written(i, end):
            return
        own, others = self._text(i, end), []
        for k in range(self.function.start, self.function.end):
            if self.tokens[k].text == self.tokens[i].text and self.tokens[k - 1].text not in (".", "->", "::"):
                chain = self._text(k, self._chain(k))
                if chain not in others and self._chain(k) > k + 1:
                    others.append(chain)
        if own not in others:
            return
        at = others.index(own)
        for other in dict.fromkeys(others[(at + d) % len(others)] for d in (1, -1, 2)):
            if other != own:
                self._add(i, end, "mutant::pick({id}, ", [(i, end)], f", {other})", [other])

    def _statement(self, i):
        tokens = self.tokens
        if tokens[i].kind != "word" and tokens[i].text not in ("++", "--", "*", "(") or tokens[i].text in (
                "return", "break", "continue", "using", "case", "default", "throw", "const", "auto", "static", "constexpr",
                "thread_local", "struct", "else", "do", "HWY_ALIGN", "goto") or tokens[i].text in CONTROL or (
                tokens[i].text in STATEMENT_MACROS) or CHECKS.match(tokens[i].text):
            return
        end = statement_end(self.source, i)
        if tokens[end - 1].text != ";" or any(tokens[k].text in ASSIGNMENT for k in range(i, end) if self._directly_in(i, k)):
            return
        words = [k for k in range(i, end - 1) if tokens[k].kind == "word" and tokens[k + 1].kind == "word"]
        if any(self._directly_in(i, k) for k in words) or any(v.usable in (end - 1, end) for v in self.variables) or (
                self._declares(i)):
            return
        self._add(i, end, "{{ if (!mutant::on({id})) ", [(i, end)], " }}", ["(nothing)"])

    def _declares(self, i):
        """A declaration with template arguments, such as `std::vector<Reader> readers;`"""
        at = i + 1
        while self.tokens[at].text in ("::", "<") or self.tokens[at - 1].text == "::":
            at = self.match[at] + 1 if self.tokens[at].text == "<" and at in self.match else at + 1
        while self.tokens[at].text in ("*", "&"):
            at += 1
        return at > i + 1 and self.tokens[at].kind == "word"

"""The mechanical mistakes that are made, one at a time, in a source."""

import re
from dataclasses import dataclass
from typing import Iterator, List

from cpp_text import CODE, NAMES, TYPE, Text

_SWAPPED = {
    "comparison": {
        "<": "<=",
        "<=": "<",
        ">": ">=",
        ">=": ">",
        "==": "!=",
        "!=": "==",
    },
    "logic": {"&&": "||", "||": "&&"},
    "arithmetic": {
        "+": "-",
        "-": "+",
        "*": "/",
        "/": "*",
        "%": "*",
        "+=": "-=",
        "-=": "+=",
        "<<": ">>",
        ">>": "<<",
        "&": "|",
        "|": "&",
    },
}
_STEPS = {"++": "--", "--": "++"}
_BOOLEANS = {"true": "false", "false": "true"}
_TWINS = {
    "min": "max",
    "max": "min",
    "lower_bound": "upper_bound",
    "upper_bound": "lower_bound",
    "any_of": "all_of",
    "all_of": "any_of",
    "none_of": "any_of",
    "front": "back",
    "back": "front",
}
_ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
_JUMPS = ("return", "continue", "break", "throw", "goto")
_NO_EXPRESSION = {
    "if", "else", "for", "while", "do", "switch", "case", "default", "return",
    "break", "continue", "goto", "using", "typedef", "static_assert", "try",
    "catch", "throw", "template", "class", "struct", "union", "enum", "friend",
    "public", "private", "protected", "delete", "new", "static_cast", "const",
    "_Static_assert", "auto", "namespace", "operator", "sizeof", "assert",
}  # fmt: skip
_WHOLE_NUMBER = re.compile(
    r"(?P<value>0[xX][0-9a-fA-F']+|\d[\d']*)(?P<suffix>[uUlLzZ]*|ms|us|ns|s|min|h)$"
)
# Words for people: no test should hold them to the letter.
_WORDS_FOR_PEOPLE = ("spdlog",)


@dataclass(frozen=True)
class Mutant:
    """One mistake: the text from `begin` to `end` becomes `replacement`."""

    file: str
    kind: str
    begin: int
    end: int
    replacement: str
    line: int
    # The lines it changes and what becomes of them, on one line each.
    before: str
    after: str

    @property
    def key(self):
        """What it is known by as long as nobody edits those lines."""
        return (self.file, self.kind, self.before, self.after)

    def apply(self, text: str) -> str:
        return text[: self.begin] + self.replacement + text[self.end :]


def mutants_of(file: str, content: str) -> List[Mutant]:
    """All mutants of a source, in the order of their places."""
    return _Maker(file, content).make()


class _Maker:
    def __init__(self, file, content):
        self.file = file
        self.source = Text(content)
        self.tokens = self.source.tokens
        self.found = {}

    def make(self):
        skipped = self._skipped()
        for i in range(len(self.tokens)):
            if i in skipped:
                continue
            self._swap(i)
            self._boolean(i)
            self._twin(i)
            self._literal(i)
            self._negation(i)
            self._condition(i)
            self._choice(i)
            self._dropped_statement(i)
            self._dropped_jump(i)
        return sorted(
            self.found.values(), key=lambda x: (x.begin, x.end, x.kind, x.replacement)
        )

    def _skipped(self):
        """Tokens in which nothing is changed."""
        result = set()
        for i, token in enumerate(self.tokens):
            if token.in_template:
                result.add(i)
            elif token.starts and token.text in _WORDS_FOR_PEOPLE:
                result.update(range(i, self.source.statement_end(i) or i))
            elif token.text in ("static_assert", "_Static_assert", "noexcept"):
                bracket = self.source.condition_bracket(i)
                if bracket is not None:
                    result.update(range(i, self.tokens[bracket].partner))
        return result

    def _add(self, kind, begin, end, replacement):
        text = self.source.text
        first = text.rfind("\n", 0, begin) + 1
        last = text.find("\n", end)
        last = len(text) if last < 0 else last
        # A compiler's message still names the right line.
        missing = text.count("\n", begin, end) - replacement.count("\n")
        mutant = Mutant(
            self.file,
            kind,
            begin,
            end,
            replacement + "\n" * missing,
            self.source.line_of(begin),
            _one_line(text[first:last]),
            _one_line(text[first:begin] + replacement + text[end:last]),
        )
        if mutant.before != mutant.after:
            self.found.setdefault((begin, end, replacement), mutant)

    def _replace(self, kind, i, replacement):
        self._add(kind, self.tokens[i].begin, self.tokens[i].end, replacement)

    def _text(self, i):
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""

    # -- signs ----------------------------------------------------------------

    def _swap(self, i):
        token = self.tokens[i]
        if token.kind != "sign":
            return
        if token.text in _STEPS:
            # A loop that counts the wrong way ends by crashing, whatever is
            # tested.
            if token.in_function and not self._is_loop_step(i):
                self._replace("arithmetic", i, _STEPS[token.text])
            return
        if not token.is_binary or self._text(i - 1) == "operator":
            return
        for kind, swaps in _SWAPPED.items():
            if token.text not in swaps:
                continue
            if kind == "arithmetic" and self._joins_text(i):
                continue
            self._replace(kind, i, swaps[token.text])

    def _is_loop_step(self, i):
        """Whether it steps the variable of a `for`."""
        around = self.tokens[i].around
        return around is not None and self._text(around - 1) == "for"

    def _joins_text(self, i):
        """Whether its statement handles text, which has `+` only."""
        begin = end = i
        stops = (";", "{", "}")
        while begin > 0 and self._text(begin - 1) not in stops:
            begin -= 1
        while end < len(self.tokens) and self._text(end) not in stops:
            end += 1
        return any(x.kind == "string" for x in self.tokens[begin:end])

    # -- values ---------------------------------------------------------------

    def _boolean(self, i):
        if self.tokens[i].text in _BOOLEANS:
            self._replace("boolean", i, _BOOLEANS[self.tokens[i].text])

    def _twin(self, i):
        token = self.tokens[i]
        if token.text not in _TWINS or not token.in_function:
            return
        of_std = self._text(i - 1) == "::" and self._text(i - 2) == "std"
        called = self._text(i + 1) == "(" or self._text(i + 1) == "<"
        end_of_list = (
            token.text in ("front", "back")
            and self._text(i - 1) in (".", "->")
            and self._text(i + 2) == ")"
        )
        if of_std and called or end_of_list:
            self._replace("twin", i, _TWINS[token.text])

    def _literal(self, i):
        token = self.tokens[i]
        match = _WHOLE_NUMBER.match(token.text) if token.kind == "number" else None
        if match is None or token.within == NAMES:
            return
        digits = match["value"].replace("'", "")
        value = int(digits, 16 if digits[:2] in ("0x", "0X") else 10)
        if not token.in_function:
            # A limit chosen by feel is as good with one more.
            if value > 2 or self._is_pure(i):
                return
        self._replace("literal", i, f"{value + 1}{match['suffix']}")

    def _is_pure(self, i):
        """Whether it is the `= 0` of a function without a body."""
        return (
            self.tokens[i].within == TYPE
            and self._text(i - 1) == "="
            and self._text(i - 2) in (")", "const", "noexcept", "override")
        )

    # -- conditions -----------------------------------------------------------

    def _negation(self, i):
        token = self.tokens[i]
        if token.text == "!" and not token.space_after:
            self._replace("negation", i, "")

    def _condition(self, i):
        token = self.tokens[i]
        if token.text not in ("if", "while") or not token.in_function:
            return
        bracket = self.source.condition_bracket(i)
        if bracket is None:
            return
        end = self.tokens[bracket].partner
        begin = bracket + 1
        for k in self.source.flat(begin, end):
            if self._text(k) == ";":
                begin = k + 1
        declared = self._declared(begin, end)
        place = (self.tokens[begin].begin, self.tokens[end - 1].end)
        text = self.source.source(begin, end)
        if declared is not None:
            if token.text == "while":
                return
            self._add("condition", *place, f"{text}; !{declared}")
        elif not self._is_inverted_by_another(begin, end):
            self._add("condition", *place, f"!({text})")
        if token.text == "if" and self._is_guard(end + 1):
            head = f"{text}; {declared}" if declared else f"({text})"
            self._add("guard", *place, f"{head} && false")

    def _declared(self, begin, end):
        """The variable that a condition declares, if it does."""
        for k in self.source.flat(begin, end):
            if self._text(k) == "=" and self.tokens[k - 1].kind == "name":
                return self._text(k - 1) if k - begin > 1 else None
        return None

    def _is_inverted_by_another(self, begin, end):
        """Whether another kind's mutant is the same inversion."""
        flat = [self._text(k) for k in self.source.flat(begin, end)]
        if any(x in flat for x in ("&&", "||", "?", "<", ">", "<=", ">=")):
            return False
        return flat[0] == "!" or flat.count("==") + flat.count("!=") == 1

    def _is_guard(self, begin):
        """Whether what stands at `begin` is only skipped to, and by no else."""
        if self._text(begin) == "{":
            end = self.tokens[begin].partner
        elif self._text(begin) in _JUMPS or self.tokens[begin].starts:
            if self._text(begin) in ("if", "for", "while", "switch", "do", "try"):
                return False
            end = self.source.statement_end(begin)
        else:
            return False
        return end is not None and self._text(end + 1) != "else"

    def _choice(self, i):
        """Swaps what a `?` chooses from."""
        if self.tokens[i].text != "?":
            return
        begin = i
        while begin > 0:
            last = self.tokens[begin - 1]
            if last.text in (")", "]", "}") and last.partner is not None:
                begin = last.partner
                continue
            if last.text in "([{,;:?" or last.text in _ASSIGNMENTS | {"return"}:
                break
            begin -= 1
        if begin == i or self._is_inverted_by_another(begin, i):
            return
        text = self.source.source(begin, i)
        self._add(
            "condition",
            self.tokens[begin].begin,
            self.tokens[i - 1].end,
            f"!({text})",
        )

    # -- statements -----------------------------------------------------------

    def _dropped_statement(self, i):
        if not self.tokens[i].starts or self.tokens[i].within != CODE:
            return
        end = self.source.statement_end(i)
        if end is None or not self._only_acts(i, end):
            return
        self._add("statement", self.tokens[i].begin, self.tokens[end].begin, "")

    def _only_acts(self, begin, end):
        """Whether it is a call or an assignment, not a declaration."""
        flat = list(self.source.flat(begin, end))
        while flat and self._text(flat[0]) in ("++", "--", "*"):
            del flat[0]
        if not flat or self.tokens[flat[0]].kind != "name":
            return False
        last_was_name = False
        for k in flat:
            token = self.tokens[k]
            if token.in_template:
                continue
            if token.text in _ASSIGNMENTS:
                return True
            if token.kind == "name":
                if last_was_name or token.text in _NO_EXPRESSION:
                    return False
                last_was_name = True
            elif token.text in (".", "->", "::", "(", "[", "++", "--"):
                last_was_name = False
            else:
                return False
        last = self.tokens[end - 1]
        return last.text in (")", "++", "--") or begin != flat[0]

    def _dropped_jump(self, i):
        """A `break` or `continue`; a guard's own is a kind of its own."""
        token = self.tokens[i]
        if token.text in ("break", "continue") and token.starts:
            if self._text(i - 1) not in (")", "else"):
                self._add("jump", token.begin, token.end, "")


def _one_line(text):
    return " ".join(text.split())


def kinds() -> Iterator[str]:
    """The names of all kinds."""
    yield from (*_SWAPPED, "boolean", "twin", "literal", "negation")
    yield from ("condition", "guard", "statement", "jump")

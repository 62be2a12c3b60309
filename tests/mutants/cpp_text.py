"""C++ (and C) text as tokens, with what surrounds each of them.

No parser: it relies on clang-format's spacing, by which `a < b` compares and
`list<b>` does not.
"""

import re
from dataclasses import dataclass
from typing import List, Optional

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
    | (?P<string>(?:u8|[uUL])?R"(?P<end>[^()\\\s]*)\(.*?\)(?P=end)"
               |(?:u8|[uUL])?"(?:\\.|[^"\\\n])*")
    | (?P<char>(?:u8|[uUL])?'(?:\\.|[^'\\\n])+')
    | (?P<number>\.?\d(?:'?[\w.])*)
    | (?P<name>[A-Za-z_]\w*)
    | (?P<sign><=>|<<=|>>=|->\*|\.\.\.|::|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\|
             |[-+*/%&|^]=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_DIRECTIVE = re.compile(r"[ \t]*#(?:\\\n|[^\n])*")

_CLOSERS = {"(": ")", "[": "]", "{": "}"}
_NOT_SIGNIFICANT = ("space", "comment", "directive")

# What braces and parentheses may hold.
CODE = "code"  # statements
TYPE = "type"  # members of a class
NAMES = "names"  # enumerators
OPEN = "namespace"
VALUES = "values"  # arguments, initialisers, conditions


@dataclass
class Token:
    """A token that means something to the compiler."""

    kind: str
    text: str
    begin: int
    end: int
    space_before: bool = False
    space_after: bool = False
    # What the innermost brackets around it hold.
    within: str = OPEN
    # Whether statements surround it at any distance.
    in_function: bool = False
    # The bracket around it.
    around: Optional[int] = None
    # The bracket that closes or opens what this one opens or closes.
    partner: Optional[int] = None
    # Whether it stands between the angle brackets of a template.
    in_template: bool = False
    # Whether a statement begins with it.
    starts: bool = False

    @property
    def is_binary(self):
        return self.space_before and self.space_after


class Text:
    """The tokens of a file."""

    def __init__(self, text: str):
        self.text = text
        self.tokens: List[Token] = []
        self._read()
        self._match_brackets()
        self._mark_templates()

    # -- reading --------------------------------------------------------------

    def _read(self):
        at = 0
        at_line_start = True
        spaced = True
        while at < len(self.text):
            match = _DIRECTIVE.match(self.text, at) if at_line_start else None
            kind = "directive" if match else None
            if match is None:
                match = _TOKEN.match(self.text, at)
                kind = match.lastgroup
                if kind == "end":
                    kind = "string"
            end = match.end()
            if kind in _NOT_SIGNIFICANT:
                spaced = True
                if self.tokens:
                    self.tokens[-1].space_after = True
            else:
                self.tokens.append(
                    Token(kind, match.group(), at, end, space_before=spaced)
                )
                spaced = False
            at_line_start = "\n" in match.group() or (
                at_line_start and kind == "space"
            )
            at = end

    # -- brackets -------------------------------------------------------------

    def _match_brackets(self):
        open_brackets = []  # index, what it holds
        head = 0  # where the present statement or declaration begins
        new_head = True
        heads = []
        for i, token in enumerate(self.tokens):
            if token.text in (")", "]", "}") and open_brackets:
                start, held = open_brackets.pop()
                token.partner = start
                self.tokens[start].partner = i
                self._place(token, open_brackets)
                # A lambda's body ends no statement of those around it.
                new_head = VALUES not in (held, token.within)
                head = heads.pop()
                continue
            self._place(token, open_brackets)
            if new_head:
                head, new_head = i, False
                token.starts = True
            if token.text in _CLOSERS:
                held = VALUES
                if token.text == "{":
                    held = self._held_by(i, head)
                open_brackets.append((i, held))
                heads.append(head)
                if held != VALUES:
                    new_head = True
            elif token.text == ";" and token.within != VALUES:
                new_head = True
            elif token.text == ":" and self._is_label(head, i):
                new_head = True
        self._mark_substatements()

    @staticmethod
    def _place(token, open_brackets):
        if open_brackets:
            token.around, token.within = open_brackets[-1]
        token.in_function = any(held == CODE for _, held in open_brackets)

    def _held_by(self, brace, head):
        """What the braces that open at `brace` hold."""
        if brace == 0:
            return OPEN
        last = self.tokens[brace - 1]
        if last.text in ("=", "(", ",", "return", "[", "?", "&&", "||"):
            return VALUES
        if last.text == "{" and self.tokens[brace].within == VALUES:
            return VALUES
        if not self.tokens[brace].space_before and (
            last.kind == "name" or last.text in (">", "]", ">>", ")")
        ):
            return VALUES
        if last.text in ("{", "}", ";", ":"):
            return CODE
        words = self._declaring_words(head, brace)
        if last.kind == "string" or "namespace" in words:
            return OPEN
        if "enum" in words and last.text != ")":
            return NAMES
        if words & {"class", "struct", "union"} and last.text != ")":
            return TYPE
        return CODE

    def _declaring_words(self, head, brace):
        """The words a declaration starts with, without its template<...>."""
        i = head
        if self.tokens[i].text == "template":
            depth = 0
            i += 1
            while i < brace:
                depth += {"<": 1, ">": -1, ">>": -2}.get(self.tokens[i].text, 0)
                i += 1
                if depth <= 0:
                    break
        words = set()
        while i < brace and self.tokens[i].kind == "name":
            words.add(self.tokens[i].text)
            if self.tokens[i].text in ("class", "struct", "union", "enum"):
                break
            i += 1
        return words

    def _is_label(self, head, colon):
        first = self.tokens[head].text
        if first == "case":
            return "?" not in (t.text for t in self.tokens[head:colon])
        return colon == head + 1 and first in (
            "default",
            "public",
            "protected",
            "private",
        )

    def _mark_substatements(self):
        for i, token in enumerate(self.tokens):
            if token.within != CODE:
                continue
            if token.text in ("else", "do"):
                self._mark_start(i + 1)
            if token.text in ("if", "while", "for", "switch"):
                bracket = self.condition_bracket(i)
                if bracket is not None:
                    self._mark_start(self.tokens[bracket].partner + 1)

    def _mark_start(self, i):
        if i < len(self.tokens) and self.tokens[i].text != "{":
            self.tokens[i].starts = True

    # -- templates ------------------------------------------------------------

    def _mark_templates(self):
        for i, token in enumerate(self.tokens):
            if token.text == "<" and self._opens_template(i):
                end = self._template_end(i)
                if end is not None:
                    for inner in self.tokens[i : end + 1]:
                        inner.in_template = True

    def _opens_template(self, i):
        last = self.tokens[i - 1] if i else None
        if last is None or self.tokens[i].is_binary and last.text != "template":
            return False
        return last.kind == "name" and last.text != "operator"

    def _template_end(self, i):
        depth = 0
        while i < len(self.tokens):
            token = self.tokens[i]
            if token.text == "<" and not token.is_binary or depth == 0:
                depth += 1
            elif token.text in (">", ">>") and not token.is_binary:
                depth -= len(token.text)
                if depth <= 0:
                    return i
            elif token.text in (";", "{"):
                return None
            elif token.text == "(" and token.partner is not None:
                i = token.partner
            i += 1
        return None

    # -- looking --------------------------------------------------------------

    def condition_bracket(self, i) -> Optional[int]:
        """The parenthesis after the `if`, `while`, `for`, `switch` at `i`."""
        i += 1
        if i < len(self.tokens) and self.tokens[i].text == "(":
            if self.tokens[i].partner is not None:
                return i
        return None

    def flat(self, begin, end):
        """Indexes from `begin` to `end` without what inner brackets hold."""
        i = begin
        while i < end:
            yield i
            token = self.tokens[i]
            if token.text in _CLOSERS and token.partner is not None:
                i = max(token.partner, i)
            i += 1

    def statement_end(self, begin) -> Optional[int]:
        """The semicolon that ends the statement that starts at `begin`."""
        for i in self.flat(begin, len(self.tokens)):
            text = self.tokens[i].text
            if text == ";":
                return i
            if text in ("}", ")", "]"):
                return None
        return None

    def source(self, begin, end) -> str:
        """The text from token `begin` up to and without token `end`."""
        return self.text[self.tokens[begin].begin : self.tokens[end - 1].end]

    def line_of(self, offset) -> int:
        """The number, from 1, of the line at that offset."""
        return self.text.count("\n", 0, offset) + 1

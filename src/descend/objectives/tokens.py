"""The words of an expression: text in, tokens with their positions out; and errors that show the place."""

from __future__ import annotations

import difflib
import keyword
import re
import unicodedata
from dataclasses import dataclass

from descend.errors import DescendError
from descend.objectives.functions import ALIASES, CONSTANTS, FUNCTIONS

__all__ = ["LONGEST", "Token", "marked", "tokenize"]

#: The longest expression read, in characters.
LONGEST = 10_000

_SAME = {**dict.fromkeys("−–—‒⁻", "-"), **dict.fromkeys("·×∗⋅•∙", "*"), **dict.fromkeys("÷∕", "/"), "⁺": "+"}
_SUPER = {c: str(d) for d, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")} | {"⁻": "-", "⁺": ""}
_SUB = {c: str(d) for d, c in enumerate("₀₁₂₃₄₅₆₇₈₉")}
_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_RAISED = re.compile(r"[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LATIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_GREEK = re.compile(r"[α-ωΑ-ΩϑϕϵϱϖϰΆ-ώ](_?[0-9]+)?")
_LOWERED = re.compile(r"_?[₀₁₂₃₄₅₆₇₈₉]+")
_LETTERS = re.compile(r"([A-Za-z]\d*)+", re.ASCII)
_LETTER = re.compile(r"[A-Za-z]\d*", re.ASCII)
_SPELLED = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron rho sigma phi chi psi omega"
_GREEK_NAMES = frozenset(_SPELLED.split())
_RESERVED = frozenset({*keyword.kwlist, "inf", "nan", "infinity", "NaN"} - {"lambda"})

#: What is not part of an expression, and what to say about it.
_REFUSED = {
    "=": "an expression has no '=': give only the part that is to be minimised",
    "<": "comparisons are not part of an expression",
    ">": "comparisons are not part of an expression",
    "!": "'!' (factorial) is not part of an expression",
    "'": "text in quotes is not part of an expression",
    '"': "text in quotes is not part of an expression",
    "`": "text in quotes is not part of an expression",
    "[": "square brackets are not part of an expression: write ( ) to group, and x0, x1 for numbered variables",
    "]": "square brackets are not part of an expression: write ( ) to group, and x0, x1 for numbered variables",
    "{": "braces are not part of an expression: write ( ) to group",
    "}": "braces are not part of an expression: write ( ) to group",
    "%": "'%' is not part of an expression",
    ";": "one expression at a time: ';' is not part of it",
    ":": "':' is not part of an expression",
    ".": "attributes cannot be read: '.' may only stand in a number, as in 0.5",
}


@dataclass(frozen=True)
class Token:
    """A word: `kind` is number, constant, variable, function, power, end, or the sign itself."""

    kind: str
    text: str
    start: int
    end: int
    value: float = 0.0


def marked(sentence: str, text: str, start: int, end: int | None = None) -> DescendError:
    """The error: one sentence, the expression, and carets under the place (a long one is shown in part)."""
    line = "".join(" " if c.isspace() else c for c in text)
    stop = max(start + 1, end if end is not None else start + 1)
    left, right = max(0, start - 40), min(len(line), max(stop, start + 1) + 40)
    if len(line) <= 100:
        left, right = 0, len(line)
    before, after = ("…" if left else ""), ("…" if right < len(line) else "")
    width = min(stop, max(right, start + 1)) - start
    pad = " " * (len(before) + start - left)
    return DescendError(f"{sentence}\n  {before}{line[left:right]}{after}\n  {pad}{'^' * min(width, 60)}")


def tokenize(text: str, known: frozenset[str] = frozenset()) -> list[Token]:
    """The words of `text`, names told apart: functions, constants, variables; `2xy` is 2·x·y.

    Names in `known` are variables as they stand and are never split.
    """
    if len(text) > LONGEST:
        raise DescendError(f"the expression has {len(text)} characters; at most {LONGEST} are read")
    words = _split(text)
    if not words:
        raise DescendError("the expression is empty: write one such as x**2 + 3*y**2")
    return [*_name_all(text, words, known), Token("end", "", len(text), len(text))]


def _split(text: str) -> list[Token]:
    words: list[Token] = []
    i = 0
    while i < len(text):
        if text[i].isspace():
            i += 1
            continue
        word = _word(text, i)
        words.append(word)
        i = word.end
    return words


def _word(text: str, i: int) -> Token:
    """The word that starts at position i."""
    char = text[i]
    if found := _NUMBER.match(text, i):
        return Token("number", found[0], i, found.end(), float(found[0]))
    if char in "½¼¾⅓⅔⅛⅜⅝⅞⅕⅖⅗⅘⅙⅚":
        return Token("number", char, i, i + 1, unicodedata.numeric(char))
    if found := _RAISED.match(text, i):
        digits = "".join(_SUPER[c] for c in found[0])
        return Token("power", digits, i, found.end(), float(digits))
    if char in "πτ":
        return Token("name", char, i, i + 1)
    if found := _GREEK.match(text, i) or _LATIN.match(text, i):
        return _name(text, i, found.end())
    if text.startswith("**", i):
        return Token("^", "**", i, i + 2)
    sign = _SAME.get(char, char)
    if sign in "+-*/^(),|√":
        return Token(sign, char, i, i + 1)
    if text[i : i + 2] in ("==", "!=", "<=", ">="):
        raise marked(f"comparisons are not part of an expression: {text[i : i + 2]!r} at position {i + 1}", text, i, i + 2)
    if char in _REFUSED:
        raise marked(f"{_REFUSED[char]} (position {i + 1})", text, i)
    shown = repr(char) if char.isprintable() else f"U+{ord(char):04X}"
    raise marked(f"the character {shown} at position {i + 1} is not part of an expression", text, i)


def _name(text: str, start: int, end: int) -> Token:
    """A name, with x₁ read as x1; an underscore in front is never one of ours."""
    name = text[start:end]
    if lowered := _LOWERED.match(text, end):
        name = (name.rstrip("_") or "_") + "".join(_SUB.get(c, c) for c in lowered[0].lstrip("_"))
        end = lowered.end()
    if name.startswith("_"):
        raise marked(
            f"{name!r} at position {start + 1} is neither a variable nor a function: names start with a letter",
            text,
            start,
            end,
        )
    return Token("name", name, start, end)


def _name_all(text: str, words: list[Token], known: frozenset[str]) -> list[Token]:
    following = [*(w.kind for w in words[1:]), "end"]
    alone = {w.text for w, after in zip(words, following, strict=True) if w.kind == "name" and after != "("} | set(known)
    result: list[Token] = []
    for word, after in zip(words, following, strict=True):
        result += _classify(text, word, after, alone, known) if word.kind == "name" else [word]
    return result


def _classify(text: str, word: Token, after: str, alone: set[str], known: frozenset[str]) -> list[Token]:
    """A name as function, constant, one variable, or a product of single letters."""
    name = word.text
    if name in known:
        return [Token("variable", name, word.start, word.end)]
    if name in FUNCTIONS or name in ALIASES:
        return [Token("function", ALIASES.get(name, name), word.start, word.end)]
    if name in _RESERVED:
        sentence = f"the word {name!r} at position {word.start + 1} is not part of an expression"
        raise marked(sentence, text, word.start, word.end)
    if name in CONSTANTS:
        return [Token("constant", name, word.start, word.end, CONSTANTS[name])]
    if _splits(name, alone):
        return _letters(word)
    if glued := _glued(name, alone):
        raise marked(f"{name!r} at position {word.start + 1} needs brackets: write {glued}", text, word.start, word.end)
    if after == "(" and name not in alone:
        raise marked(_unknown(name, word.start), text, word.start, word.end)
    return [Token("variable", name, word.start, word.end)]


def _splits(name: str, alone: set[str]) -> bool:
    """Whether a name is a product of letters: each is x, y or z, or stands by itself elsewhere."""
    if name in _GREEK_NAMES or not _LETTERS.fullmatch(name):
        return False
    pieces = _LETTER.findall(name)
    return all(p[0] in "xyz" or p in alone for p in pieces) and (len(pieces) > 1 or name[0] in "xyz")


def _letters(word: Token) -> list[Token]:
    """The letters of a product, each at its own place (their places are exact where the name has no x₁)."""
    exact = len(word.text) == word.end - word.start
    tokens = []
    for piece in _LETTER.finditer(word.text):
        start, end = (word.start + piece.start(), word.start + piece.end()) if exact else (word.start, word.end)
        if piece[0] in CONSTANTS:
            tokens.append(Token("constant", piece[0], start, end, CONSTANTS[piece[0]]))
        else:
            tokens.append(Token("variable", piece[0], start, end))
    return tokens


def _glued(name: str, alone: set[str]) -> str | None:
    """`sinx` and `xsin` are functions written into a variable: what was meant, if that is so."""
    for function in sorted({*FUNCTIONS, *ALIASES}, key=len, reverse=True):
        rest = name.removeprefix(function)
        bare = rest.lstrip("0123456789")
        if rest != name and bare and _splits(bare, alone | set("xyz")):
            return f"{function}({rest})"
        front = name.removesuffix(function)
        if front != name and front and _splits(front, alone | set("xyz")):
            return f"{front}*{function}(…)"
    return None


def _unknown(name: str, start: int) -> str:
    close = difflib.get_close_matches(name.lower(), [*FUNCTIONS, *ALIASES], n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}? " if close else ""
    product = f"; for a product write {name}*(…)" if len(name) <= 2 else ""
    listed = ", ".join([*FUNCTIONS, "ln"])
    return f"unknown function {name!r} at position {start + 1}; {hint}known are {listed}{product}"

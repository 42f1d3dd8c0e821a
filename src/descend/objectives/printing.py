"""Formulas as people write them: Unicode for the terminal, LaTeX for pages."""

from __future__ import annotations

import re
from typing import NamedTuple

from descend.objectives.grammar import Node

__all__ = ["latex", "number_text", "pretty"]

_SUPER = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SUB = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUM, _NEG, _PRODUCT, _QUOTIENT, _APPLY, _POWER, _ATOM = range(7)
_NAMES = {"log": "ln"}


class Part(NamedTuple):
    """A piece of printed formula: how tightly it binds, and what it begins and ends with."""

    text: str
    rank: int = _ATOM
    #: number, letter (x, y, z, Greek), name (any other), function, "(", "|" or "√"
    head: str = "("
    #: number, letter, name, raised (x²), indexed (x₁), ")", call, "|" or "√"
    tail: str = ")"

    def at_least(self, rank: int) -> Part:
        """Itself, or in brackets where it binds more loosely than that."""
        return self if self.rank >= rank else self.bracketed()

    def bracketed(self) -> Part:
        """Itself in brackets."""
        return Part(f"({self.text})")


def number_text(text: str) -> str:
    """A number as typed, tidied: `.5` is 0.5, `2.` is 2.

    >>> number_text(".5"), number_text("2."), number_text("1E-3")
    ('0.5', '2', '1e-3')
    """
    text = text.lower()
    if text.startswith("."):
        text = "0" + text
    return re.sub(r"\.(?=$|e)", "", text)


def _variable(name: str) -> Part:
    letter = re.fullmatch(r"([A-Za-zα-ωΑ-Ω])_?(\d+)", name)
    if letter:
        return Part(letter[1] + letter[2].translate(_SUB), head="letter" if not letter[1].isascii() else "name", tail="indexed")
    kind = "letter" if name in "xyz" or not name.isascii() else "name"
    return Part(name, head=kind, tail=kind)


def pretty(nodes: tuple[Node, ...]) -> str:
    """The formula in Unicode, with the brackets that its reading needs and no others; it reads back as the same formula.

    >>> from descend.objectives.expression import parse
    >>> parse("-x^2/(2*y) + sin(x)^2").text
    '−x²/(2y) + sin(x)²'
    """
    parts: list[Part] = []
    for node in nodes:
        parts.append(_pretty(node, [parts[i] for i in node.args]))
        for i in node.args:
            parts[i] = _SPENT
    return parts[-1].text


_SPENT = Part("")


def _pretty(node: Node, args: list[Part]) -> Part:
    if node.op == "number":
        text = number_text(node.text)
        if text.startswith("-"):
            return Part("−" + text[1:], _NEG, "-", "number")
        return Part(text, head="number", tail="number" if text.isascii() and "e" not in text else "raised")
    if node.op == "constant":
        text = {"pi": "π", "tau": "τ"}.get(node.text, node.text)
        return Part(text, head="name" if text == "e" else "letter", tail="name" if text == "e" else "letter")
    if node.op == "variable":
        return _variable(node.text)
    if node.op in "+-":
        right = args[1].at_least(_PRODUCT)
        return Part(f"{args[0].text} {'+' if node.op == '+' else '−'} {right.text}", _SUM)
    if node.op == "neg":
        return Part("−" + args[0].at_least(_PRODUCT).text, _NEG)
    if node.op == "*":
        return _product(*args)
    if node.op == "/":
        left = args[0] if args[0].rank in (_PRODUCT, _APPLY, _POWER, _ATOM) else args[0].bracketed()
        right = args[1].at_least(_APPLY)
        return Part(f"{left.text}/{right.text}", _QUOTIENT, left.head, right.tail)
    if node.op == "^":
        return _power(*args)
    return _call(node.op, args)


def _call(name: str, args: list[Part]) -> Part:
    inner = args[0].text
    if name == "sqrt":
        bare = args[0].rank == _ATOM and args[0].head in ("number", "letter", "name")
        return Part(f"√{inner}" if bare else f"√({inner})", _APPLY, "√", "√")
    if name == "abs" and "|" not in inner:
        return Part(f"|{inner}|", _ATOM, "|", "|")
    return Part(f"{_NAMES.get(name, name)}({', '.join(a.text for a in args)})", _APPLY, "function", "call")


def _product(left: Part, right: Part) -> Part:
    """Written side by side where that reads back as the same product, else with a dot."""
    a = left.bracketed() if left.rank in (_SUM, _NEG, _QUOTIENT) else left
    b = right.at_least(_APPLY)
    return Part(f"{a.text}{_joint(a.tail, b.head)}{b.text}", _PRODUCT, a.head, b.tail)


def _joint(tail: str, head: str) -> str:
    if head == "number" or tail == "√":
        return "·"
    if tail == "number":
        return " " if head == "function" else ("·" if head == "name" else "")
    if head == "function":
        return " "
    if head == "letter":
        return "" if tail in ("letter", "raised", "indexed", ")") else "·"
    if head == "name":
        return "" if tail in ("raised", "indexed", ")") else "·"
    return "" if head == "(" and tail in ("raised", ")") else "·"


def _power(base: Part, exponent: Part) -> Part:
    base = base if base.rank == _ATOM or (base.rank == _APPLY and base.tail == "call") else base.bracketed()
    if re.fullmatch(r"−?[0-9]+", exponent.text):
        text, tail = base.text + exponent.text.replace("−", "-").translate(_SUPER), "raised"
    else:
        raised = exponent if exponent.rank == _ATOM else exponent.bracketed()
        text, tail = f"{base.text}^{raised.text}", raised.tail
    return Part(text, _POWER, base.head, tail)


def latex(nodes: tuple[Node, ...]) -> str:
    """The formula in LaTeX.

    >>> from descend.objectives.expression import parse
    >>> parse("x^2/2 + sqrt(y)").latex()
    '\\\\frac{x^{2}}{2} + \\\\sqrt{y}'
    """
    parts: list[Part] = []
    for node in nodes:
        parts.append(_latex(node, [parts[i] for i in node.args]))
        for i in node.args:
            parts[i] = _SPENT
    return parts[-1].text


_FRACTIONS = dict(
    zip("½¼¾⅓⅔⅛⅜⅝⅞⅕⅖⅗⅘⅙⅚", [divmod(n, 10) for n in (12, 14, 34, 13, 23, 18, 38, 58, 78, 15, 25, 35, 45, 16, 56)], strict=True)
)
_GREEK_LETTERS = (
    "α alpha β beta γ gamma δ delta ε epsilon ζ zeta η eta θ theta ι iota κ kappa λ lambda μ mu ν nu ξ xi ρ rho σ sigma "
)
_GREEK_LETTERS += "υ upsilon φ phi χ chi ψ psi ω omega Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma Φ Phi Ψ Psi Ω Omega"
_GREEK = dict(zip(_GREEK_LETTERS.split()[::2], _GREEK_LETTERS.split()[1::2], strict=True))
_LATEX_FUNCTIONS = {"log": r"\ln", "asin": r"\arcsin", "acos": r"\arccos", "atan": r"\arctan"} | {
    name: rf"\{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "max", "min")
}


def _latex_name(name: str) -> str:
    found = re.fullmatch(r"(.*?)_?(\d*)", name)
    assert found is not None
    stem, index = found.groups()
    if stem in _GREEK:
        stem = "\\" + _GREEK[stem]
    elif stem in _GREEK.values():
        stem = "\\" + stem
    elif len(stem) > 1:
        stem = rf"\mathrm{{{stem.replace('_', chr(92) + '_')}}}"
    return f"{stem}_{{{index}}}" if index else stem


def _round(part: Part, least: int) -> str:
    return part.text if part.rank >= least else rf"\left({part.text}\right)"


def _latex(node: Node, args: list[Part]) -> Part:
    if node.op == "number":
        mantissa, _, exponent = number_text(node.text).partition("e")
        if exponent:
            return Part(rf"{mantissa} \cdot 10^{{{int(exponent)}}}", _PRODUCT)
        if mantissa in _FRACTIONS:
            return Part(r"\tfrac{%s}{%s}" % _FRACTIONS[mantissa], _APPLY)  # noqa: UP031  (braces all over)
        return Part(mantissa, _NEG if mantissa.startswith("-") else _ATOM)
    if node.op == "constant":
        return Part({"pi": r"\pi", "π": r"\pi", "tau": r"\tau", "τ": r"\tau"}.get(node.text, node.text))
    if node.op == "variable":
        return Part(_latex_name(node.text))
    if node.op in "+-":
        return Part(f"{args[0].text} {node.op} {_round(args[1], _PRODUCT)}", _SUM)
    if node.op == "neg":
        return Part(f"-{_round(args[0], _PRODUCT)}", _NEG)
    if node.op == "*":
        left, right = _round(args[0], _PRODUCT), _round(args[1], _APPLY)
        dot = r" \cdot " if right[0].isdigit() or right.startswith((r"\frac", r"\tfrac")) else " "
        return Part(left + dot + right, _PRODUCT)
    if node.op == "/":
        return Part(rf"\frac{{{args[0].text}}}{{{args[1].text}}}", _APPLY)
    if node.op == "^":
        return Part(f"{_round(args[0], _ATOM)}^{{{args[1].text}}}", _POWER)
    if node.op == "sqrt":
        return Part(rf"\sqrt{{{args[0].text}}}", _APPLY)
    if node.op == "abs":
        return Part(rf"\left|{args[0].text}\right|")
    name = _LATEX_FUNCTIONS.get(node.op, rf"\operatorname{{{node.op}}}")
    return Part(rf"{name}\left({', '.join(a.text for a in args)}\right)", _APPLY)

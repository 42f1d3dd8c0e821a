"""The slopes page's asks about rules: a derivative with the rules it took, the chain rule in numbers, many factors."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np

from descend.errors import DescendError
from descend.gradients import describe
from descend.gradients.layout import size
from descend.lab.desk import Talk
from descend.lab.frames import Frame
from descend.lab.slopes import formula, real
from descend.lab.words import number
from descend.objectives.expression import parse

__all__ = ["RULE_LATEX", "derivation", "factors"]

MOST_FACTORS = 400

#: The rules of `gradients.calculus.RULES` as mathematics.
RULE_LATEX = {
    "constant": r"(c)' = 0",
    "constant factor": r"(c\,u)' = c\,u'",
    "power": r"(u^n)' = n\,u^{n-1}\,u'",
    "sum": r"(u + v)' = u' + v'",
    "product": r"(u\,v)' = u'\,v + u\,v'",
    "quotient": r"\left(\frac{u}{v}\right)' = \frac{u'v - u\,v'}{v^2}",
    "chain": r"f(u)' = f'(u)\cdot u'",
    "exponential": r"(e^u)' = e^u\,u'",
    "logarithm": r"(\ln u)' = \frac{u'}{u}",
    "root": r"(\sqrt{u})' = \frac{u'}{2\sqrt{u}}",
    "trigonometric": r"(\sin u)' = \cos u\cdot u'",
    "sigmoid": r"\sigma(u)' = \sigma(u)\,(1-\sigma(u))\,u'",
    "kink": r"|u|' = \operatorname{sign}(u)\,u'",
    "step": r"\lfloor u\rfloor' = 0",
    "special function": r"\operatorname{erf}(u)' = \tfrac{2}{\sqrt\pi}\,e^{-u^2}\,u'",
}


def derivation(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The derivative by rule, each rule with the places it was used and why a trainer meets it; the chain rule in numbers."""
    shape = formula(params.get("f"), 1)
    f, name = shape.expression, shape.expression.variables[0]
    at = real(params.get("at"), f"the point's {name}")
    found = describe(f, [at])
    slope = float(found.gradient[0])
    rules = [
        {"name": r.name, "formula": r.formula, "latex": RULE_LATEX[r.name], "why": r.why, "where": list(r.where)}
        for r in found.rules
    ]
    command = f"descend gradient {shlex.quote(f.source)} --at={at!r}"
    python = f"from descend.gradients import describe\n\nprint(describe({f.source!r}, [{at!r}]))\n"
    return Frame(
        {
            "variable": name,
            "latex": f.latex(),
            "text": f.text,
            "slope_latex": shape.partials[0].latex(),
            "slope_text": shape.partials[0].text,
            "at": at,
            "slope": number(slope) if math.isfinite(slope) else None,
            "rules": rules,
            "chain": _chain(found.chain, name),
            "notes": list(found.notes),
            "python": python,
            "command": command,
        }
    )


def _chain(chain: Any, name: str) -> dict[str, Any] | None:
    if chain is None:
        return None
    letter = "v" if name == "u" else "u"
    return {
        "letter": letter,
        "part": parse(chain.part).latex(),
        "inner": parse(chain.inner, (name,)).latex(),
        "outer": parse(chain.outer, (letter,)).latex(),
        "u": number(chain.u),
        "outer_slope": number(chain.outer_slope),
        "inner_slope": number(chain.inner_slope),
        "exact": number(chain.exact),
        "h": chain.h,
        "secant": number(chain.secant),
        "forgotten": number(chain.forgotten),
        "wrong": abs(chain.forgotten - chain.exact) > 1e-12 * max(1.0, abs(chain.exact)),
    }


def factors(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """Many factors of a chain multiplied: what is left after each of `count` layers of slope `factor`. `left` (count + 1,)."""
    factor = real(params.get("factor"), "the factor")
    count = real(params.get("count"), "the number of factors")
    if not (count == int(count) and 1 <= count <= MOST_FACTORS):
        raise DescendError(f"there are 1 to {MOST_FACTORS} factors; got {count:g}")
    with np.errstate(all="ignore"):
        left = np.cumprod(np.concatenate([[1.0], np.full(int(count), factor)]))
    last = float(left[-1])
    text = size(last) if last and math.isfinite(last) else "0" if last == 0 else "more than float64 holds"
    if abs(last) < 1e-3:
        fate = "The gradient has vanished: the first layers hear nothing."
    elif abs(last) > 1e3:
        fate = "The gradient has exploded: the first layers are thrown about."
    else:
        fate = "The gradient arrives."
    sentence = f"{int(count)} factors of {factor:g} leave {text}. {fate}"
    return Frame(
        {
            "factor": factor,
            "count": int(count),
            "last": last if math.isfinite(last) else None,
            "text": text,
            "reading": sentence,
        },
        {"left": left},
    )

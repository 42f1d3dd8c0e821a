"""Options that several commands share: optimizers as text, and what is said about them."""

from __future__ import annotations

import difflib
import re
from typing import Any

import descend.optimizers  # noqa: F401  (fills the registry)
from descend.errors import DescendError
from descend.rules import COMMON, Hyperparameter, Optimizer, Rule, optimizer_named

__all__ = ["parse_optimizer", "short_name"]


def parse_optimizer(text: str, lr: Any = None) -> Optimizer:
    """`adam`, `adam:lr=0.1,beta1=0.8`, `sgd:lr=cosine(0.1, 1000)`; `lr` is used where the text states none.

    >>> short_name(parse_optimizer("momentum:momentum=0.5", lr=0.4))
    'momentum:lr=0.4,momentum=0.5'
    """
    name, _, rest = text.partition(":")
    rule = optimizer_named(name.strip())
    values: dict[str, Any] = {}
    for part in _split(rest):
        key, sign, value = part.partition("=")
        key, value = key.strip(), value.strip()
        if not sign or not key or not value:
            raise DescendError(f"in {text!r}, {part.strip()!r} should be hyperparameter=value, as in {rule.name}:lr=0.1")
        if key in values:
            raise DescendError(f"in {text!r}, {key} is stated twice")
        values[key] = _value(value, key, rule)
    if lr is not None and "lr" in rule.hyperparameters:
        values.setdefault("lr", lr)
    return rule(**values)


def _split(text: str) -> list[str]:
    """Parts between commas that stand outside brackets."""
    return [part for part in re.split(r",(?![^()]*\))", text) if part.strip()]


def _value(text: str, key: str, rule: Rule) -> Any:
    known: dict[str, Hyperparameter] = COMMON | dict(rule.hyperparameters)
    default = known[key].default if key in known else None
    if isinstance(default, bool):
        words = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}
        return words.get(text.lower(), text)
    if isinstance(default, str):
        return text
    if "(" in text:
        from descend.schedules import parse

        return parse(text)
    return text.replace("−", "-")


def short_name(optimizer: Optimizer) -> str:
    """Name and stated values, as it would be typed again: `momentum:lr=0.4,momentum=0.5`."""
    stated = {k: v for k, v in optimizer.hyperparameters.items() if k in optimizer.stated or k == "lr"}
    parts = [f"{k}={v:.6g}" if isinstance(v, float) else f"{k}={v}" for k, v in stated.items()]
    return f"{optimizer.name}:{','.join(parts)}" if parts else optimizer.name


def nearest(word: str, words: Any) -> str:
    """`; did you mean 'x'?` where one is close, nothing otherwise."""
    close = difflib.get_close_matches(word, list(words), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""

"""For tests: an assertion that an optimizer is what it is meant to be."""

from __future__ import annotations

from typing import Any

from descend.check.checking import check
from descend.errors import DescendError

__all__ = ["assert_conforms"]

#: Frames of this module are left out of unittest's tracebacks.
__unittest = True


def assert_conforms(target: Any, reference: str, **options: Any) -> None:
    """Raise an `AssertionError` that explains, unless the optimizer is the rule `reference` or a dialect of it. For tests.

    A class or function is run in this process, so that it may be defined anywhere, in a test's body as well; `"file.py:Name"`
    in a process of its own, with a limit of time and memory. `options` are those of `check`.

    >>> import numpy as np
    >>> class Momentum:
    ...     def __init__(self, lr=0.01, momentum=0.9):
    ...         self.lr, self.momentum, self.b = lr, momentum, None
    ...     def step(self, params, grads):
    ...         if self.b is None:
    ...             self.b = [np.zeros_like(p) for p in params]
    ...         for p, g, b in zip(params, grads, self.b):
    ...             b *= self.momentum
    ...             b += g
    ...             p -= self.lr * b
    >>> assert_conforms(Momentum, "momentum")
    """
    __tracebackhide__ = True
    try:
        report = check(target, reference, **options)
    except DescendError as error:  # an unknown rule, a mapping to nothing: the sentence, without our own frames
        raise DescendError(str(error)) from None
    if report.verdict not in ("right", "dialect"):
        raise AssertionError(f"\n{report}")

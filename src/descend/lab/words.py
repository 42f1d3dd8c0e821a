"""Numbers in the page's sentences, as its own labels have them: 18, not 18.0."""

from __future__ import annotations

from descend.gradients import layout

__all__ = ["number"]


def number(value: float, digits: int = 7) -> str:
    """A number in up to so many digits, whole ones without a point: the command line's number without its `.0`.

    >>> number(18.0), number(18.000300000004), number(-0.0), number(1e-12)
    ('18', '18.0003', '0', '1e-12')
    """
    return layout.number(value, digits).removesuffix(".0")

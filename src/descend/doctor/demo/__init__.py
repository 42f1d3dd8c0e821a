"""Three real runs: one that diverges, one that crawls, and one that waits on a plateau and then drops (which is healthy)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from descend.trace import Trace, column

__all__ = ["NAMES", "demo_traces"]

NAMES = ("diverging", "crawling", "plateau-then-drop")


def demo_traces() -> list[Trace]:
    """The three runs, with loss, lr and gradient norm at every step.

    >>> [t.name for t in demo_traces()]
    ['diverging', 'crawling', 'plateau-then-drop']
    """
    traces = []
    for name in NAMES:
        table = np.genfromtxt(Path(__file__).with_name(f"{name}.csv"), delimiter=",", names=True)
        columns = {k: column(table["step"].astype(np.int64), table[k]) for k in ("loss", "lr", "grad_norm")}
        traces.append(Trace(columns, source="demo", name=name))
    return traces

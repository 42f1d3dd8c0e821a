"""The page's elements in a notebook: Jupyter, marimo, VS Code, Colab.

    import descend as ds

    w = ds.lab.Playground("x**2 + 3*y**2", start=[4, 3], optimizers=[ds.sgd(lr=0.3), ds.adam(lr=0.3)])
    w                                # draws it
    w.state["start"]                 # where it was dragged to
    w.state = {**w.state, "steps": 80}

    ds.lab.Map("rosenbrock", optimizer=ds.adam())
    ds.lab.Figure(trace)             # or a diagnosis: the steps of what was found are shaded

They are the page's own modules in one file (static/widget.js, made by scripts/bundle_widget); the same desk answers them
with the same asks, over the notebook's own connection.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from descend.errors import DescendError
from descend.lab import maps
from descend.lab.asks import ASKS
from descend.lab.choices import PRESETS
from descend.lab.descents import asked
from descend.lab.desk import Ask, Desk, Talk, import_engine
from descend.lab.frames import Frame
from descend.lab.spans import chart
from descend.rules import Optimizer
from descend.trace import Trace

__all__ = ["Figure", "Map", "Playground"]

STATIC = Path(__file__).parent / "static"
#: Longest column a figure sends; longer ones are thinned to every k-th row.
MOST_ROWS = 100_000

#: A talk with nobody: what is asked in Python is answered once.
_NOBODY = Talk(lambda _frame: None)


@cache
def _threads() -> Desk:
    """One desk for all widgets of the process."""
    return Desk(ASKS, import_engine)


class _Element(anywidget.AnyWidget):
    """One element. `state` is what it shows, in plain values: readable, settable, and the same words as in the page's link."""

    _esm = STATIC / "widget.js"
    kind = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, kind: str, state: Mapping[str, Any], asks: Mapping[str, tuple[Ask, bool]] | None = None) -> None:
        super().__init__(kind=kind, state=dict(state))
        desk = _threads() if asks is None else _threads().also(asks)
        self._page = desk.page(lambda message: self.send({"frame": True}, buffers=[message]))
        self.on_msg(lambda _widget, content, _buffers: self._page.take(content) if isinstance(content, str) else None)

    def close(self) -> None:
        """Stop answering, and take the element out of the notebook."""
        if hasattr(self, "_page"):
            self._page.close()
        super().close()


class Playground(_Element):
    """The playground: contours or a surface, a start to drag, a card of sliders for each optimizer, and what came of it.

    `objective` is an expression or a surface's name, `start` one number per variable, `optimizers` bound optimizers or text
    such as "adam:lr=0.1". What is left out comes from the page's first example. Once shown, `state` holds everything.

    Raises
    ------
    DescendError
        When the library would refuse this descent, in its words.

    >>> Playground("x**2 + 3*y**2", start=[4, 3], optimizers=["sgd:lr=0.3"], steps=20).state["start"]
    [4.0, 3.0]
    """

    def __init__(
        self,
        objective: str | None = None,
        start: Sequence[float] | None = None,
        optimizers: Sequence[Optimizer | str] | None = None,
        **state: Any,
    ) -> None:
        told = dict(state)
        if objective is not None:
            told["objective"] = objective
        if start is not None:
            told["start"] = [float(v) for v in start]
        if optimizers is not None:
            told["optimizers"] = [_optimizer(o) for o in optimizers]
        if "objective" in told:
            asked(told)
        elif told:
            raise DescendError("say which objective this is about: Playground('x**2 + 3*y**2', …)")
        super().__init__("playground", told)


class Map(_Element):
    """A plane of two hyperparameters, each pixel a complete descent; point at one and it is drawn beside the map.

    Takes what the maps page's link takes: `objective`, `optimizer`, `start`, `steps`, `size`, `by` (rate, steps, loss …), and
    the axes `x` and `y`, such as {"name": "lr", "low": 1e-3, "high": 1, "scale": "log"}. What is left out is chosen for these.

    Raises
    ------
    DescendError
        When there is no such map, in a sentence.

    >>> m = Map("rosenbrock", optimizer="adam")
    >>> m.state["optimizer"], m.state["x"]["name"], m.state["y"]["name"]
    ({'name': 'adam', 'values': {}}, 'lr', 'beta1')
    """

    def __init__(self, objective: str | None = None, optimizer: Optimizer | str | None = None, **state: Any) -> None:
        told = dict(state)
        if objective is not None:
            told["objective"] = objective
        if optimizer is not None:
            told["optimizer"] = _optimizer(optimizer)
        whole = _whole(told)
        chart({k: v for k, v in whole.items() if k != "at"})
        super().__init__("map", whole)


def _whole(told: Mapping[str, Any]) -> dict[str, Any]:
    """The state of a map: the page's own of that optimizer, or its first two axes."""
    name = told.get("optimizer", PRESETS[0]["state"]["optimizer"])["name"]
    states = [p["state"] for p in PRESETS]
    usual = next((s for s in states if s["optimizer"]["name"] == name), states[0])
    whole = {**copy.deepcopy(usual), **told}
    if usual["optimizer"]["name"] != name or "objective" in told:
        axes = maps.choices({k: whole[k] for k in ("objective", "optimizer")}, _NOBODY).data["axes"]
        chosen = [{k: axis[k] for k in ("name", "low", "high", "scale")} for axis in axes[:2]]
        whole |= {side: told.get(side, axis) for side, axis in zip("xy", chosen, strict=True)}
    if "at" not in told:
        whole["at"] = [_middle(whole[side]) for side in "xy"]
    return whole


def _middle(axis: Mapping[str, Any]) -> float:
    low, high = float(axis["low"]), float(axis["high"])
    return float(np.sqrt(low * high)) if axis.get("scale") == "log" else (low + high) / 2


class Figure(_Element):
    """A trace's columns against the step: exact values where it is pointed at, drag to zoom. Of a diagnosis, the steps of what
    was found are shaded, and its sentence stands above.

    `state` is {"columns": names that are drawn, "log": bool, "zoom": [first step, last step] or None}.
    """

    def __init__(self, what: Any, columns: Sequence[str] | None = None, log: bool | None = None) -> None:
        trace = what if isinstance(what, Trace) else getattr(what, "trace", None)
        if not isinstance(trace, Trace):
            raise DescendError(f"a figure shows a trace or a diagnosis; got {type(what).__name__}")
        frame = _drawn(trace, what)
        for name in columns or ():
            if name not in frame.data["columns"]:
                raise DescendError(f"this trace has no column {name!r}; it has {', '.join(frame.data['columns'])}")
        state: dict[str, Any] = {} if columns is None else {"columns": list(columns)}
        if log is not None:
            state["log"] = log
        super().__init__("figure", state, {"figure": (lambda _params, _talk: frame, True)})


def _drawn(trace: Trace, what: Any) -> Frame:
    """A trace's columns of numbers, and what is said of it."""
    names: list[str] = []
    arrays = {}
    for name, column in trace.columns.items():
        if np.ndim(column.value) != 1 or not len(column):
            continue
        every = -(-len(column) // MOST_ROWS)
        arrays[f"step{len(names)}"] = np.asarray(column.step[::every], np.float64)
        arrays[f"value{len(names)}"] = np.asarray(column.value[::every], np.float64)
        names.append(name)
    if not names:
        raise DescendError("this trace has no column of numbers to draw")
    names_of_faults = getattr(what, "found", ())
    first = names_of_faults[0] if names_of_faults else None
    sentence = getattr(what, "sentence", "") or (trace.outcome.message if trace.outcome else "")
    values = arrays["value0"]
    positive = values[np.isfinite(values)]
    log = bool(len(positive) and positive.min() > 0 and positive.max() > 20 * positive.min())
    band = None if first is None else [int(v) for v in first.steps]
    return Frame({"columns": names, "sentence": sentence, "log": log, "band": band}, arrays)


def _optimizer(told: Optimizer | str) -> dict[str, Any]:
    """A bound optimizer, or the command line's words for one, as a page writes it: every changed hyperparameter."""
    if isinstance(told, str):
        name, _, rest = told.partition(":")
        pairs = (part.split("=", 1) for part in rest.split(",") if part.strip())
        values: dict[str, Any] = {}
        for pair in pairs:
            if len(pair) != 2:
                raise DescendError(f"{told!r} is read as name:hyperparameter=value,…; {pair[0]!r} has no value")
            values[pair[0].strip()] = _value(pair[1].strip())
        return {"name": name.strip(), "values": values}
    if not isinstance(told, Optimizer):
        raise DescendError(f"an optimizer is a bound one, such as ds.adam(lr=0.1), or text; got {type(told).__name__}")
    usual = {k: h.default for k, h in told.rule.hyperparameters.items()}
    changed = {k: v for k, v in told.hyperparameters.items() if v != usual.get(k)}
    return {
        "name": told.name,
        "values": {k: v if isinstance(v, bool | int | float | str) else str(v) for k, v in changed.items()},
    }


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)

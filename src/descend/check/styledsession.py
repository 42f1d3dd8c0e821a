"""In the child process: the runs of an optimizer in a style of its own, behind the words every session speaks."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from descend.check.hands import numbers
from descend.check.loading import Failed
from descend.check.making import Config
from descend.check.models import HANDS
from descend.check.sessions import Layout, Session, readable_state, set_counters
from descend.check.styledrun import Run

if TYPE_CHECKING:
    from descend.check.plan import Plan

__all__ = ["StyledSession"]

Settings = dict[str, Any]


class StyledSession(Session):
    """Runs of one optimizer over all arrays: one for all, or one for each."""

    def __init__(self, plan: Plan, arrays: list[np.ndarray], settings: Settings, dtype: str, layout: Layout) -> None:
        assert plan.way is not None
        way = self.way = plan.way
        self.dtype, self.layout, self.settings = dtype, layout, settings
        with self._numbers():
            made = [self._array(a, layout.params) for a in arrays]
            most = HANDS[way.hand][1] or len(arrays)
            self.parts = [list(range(i, min(i + most, len(arrays)))) for i in range(0, len(arrays), most)]
            self.runs: list[Run] = []
            for part in self.parts:
                keys = [i if way.numbered else f"w{i}" for i in part]
                shared = self.runs[0] if self.runs and way.shared else None
                self.runs.append(Run(way, [made[i] for i in part], keys, settings, shared))

    def _numbers(self) -> AbstractContextManager[Any]:
        """JAX keeps float64 within this."""
        if self.way.kind != "jax":
            return contextlib.nullcontext()
        import jax

        wide: AbstractContextManager[Any] = jax.enable_x64(self.dtype == "float64")
        return wide

    def _array(self, x: np.ndarray, strided: bool) -> Any:
        if self.way.kind == "torch":
            import torch

            return self.layout.torch(x, strided, getattr(torch, self.dtype))
        if self.way.kind == "jax":
            import jax.numpy as jnp

            return jnp.asarray(x, dtype=self.dtype)
        return self.layout.numpy(x, strided, self.dtype)

    def step(self, grads: Sequence[np.ndarray | None]) -> None:
        if any(g is None for g in grads):
            raise Failed("it is given no None gradients")
        hooks = ("pre_update_params", "post_update_params") if self.way.form == "made" else ("", "")
        with self._numbers():
            given = [self._array(g, self.layout.grads) for g in grads if g is not None]
            self._hook(hooks[0])
            for part, run in zip(self.parts, self.runs, strict=True):
                run.step([given[i] for i in part])
            self._hook(hooks[1])
        if self.way.kind != "jax" and not any(r.hand.owned for r in self.runs):
            for mine, theirs in zip(given, grads, strict=True):
                if theirs is not None and not np.array_equal(np.asarray(mine), np.asarray(theirs, dtype=self.dtype)):
                    self.touched = True

    def _hook(self, name: str) -> None:
        for made in {id(run.made): run.made for run in self.runs}.values():
            if name and callable(getattr(made, name, None)):
                getattr(made, name)()

    def points(self) -> list[np.ndarray]:
        found = []
        for run in self.runs:
            for cell in run.hand.cells[: run.count]:
                x = numbers(cell)
                if x.dtype.kind not in "fiu":
                    raise Failed(f"the parameters come back as {x.dtype}, which is no number")
                found.append(np.array(x))
        return found

    def set(self, settings: Settings) -> None:
        for run in self.runs[:1] if self.way.shared else self.runs:
            run.change(settings)
        for run in self.runs[1:] if self.way.shared else ():
            run.made, run.config = self.runs[0].made, self.runs[0].config
            run.settings |= settings

    def state(self) -> dict[str, Any]:
        run = self.runs[0]
        found = dict(getattr(run.made, "__dict__", {})) if self.way.form == "made" else {}
        for value in run.state:
            found |= value if isinstance(value, dict) else getattr(value, "_asdict", lambda v=value: {"state": v})()
        return readable_state({str(k): v for k, v in found.items()})

    def roots(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for i, run in enumerate(self.runs):
            frame = getattr(run.made, "gi_frame", None)
            kept = {} if frame is None else frame.f_locals
            held = getattr(run.hand, "layer", None) or getattr(run.hand, "owners", None)
            found[f"run{i}"] = {"made": run.made, "state": run.state, "held": held, **kept}
        return found

    def jump(self, taken: int, to: int, margin: int = 2) -> str | None:
        places: list[Any] = []
        for run in self.runs:
            places += [getattr(run.made, "__dict__", {}), *run.state]
            places += [run.config] if isinstance(run.config, Config) else []
        places += [v for place in list(places) if isinstance(place, dict) for v in place.values() if isinstance(v, dict)]
        found = set_counters(places, taken, to, margin)
        if any(role == "t" for _, role in self.way.roles):
            found = found or "int"
            for run in self.runs:
                run.t = to + self.way.count
        return found

    def reload(self) -> None:
        if self.way.form != "function" or any(run.hand.owned for run in self.runs):
            raise Failed("it offers no way to save and load")
        for run in self.runs:
            run.state = copy.deepcopy(run.state)

"""A plane: a descent's result at each point of a grid, its slices, its best point, its file."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.objectives import Objective
from descend.planes.axes import Axis
from descend.planes.limit import Limit, predicted_limit, sliced_limit
from descend.trace import OUTCOMES, strict_json, write_atomically

__all__ = ["Plane"]

#: Outcomes of descents that are no candidate for the best one.
LOST = tuple(OUTCOMES.index(kind) for kind in ("diverged", "failed"))


@dataclass
class Plane:
    """A descent's result at each point of a grid: labelled arrays, axes in the order they were given.

    `plane["loss"]` (final), `"best_loss"`, `"first_loss"`, `"steps_to"` (first step at the tolerance, −1: never, and
    everywhere where the objective's minimum is not known), `"rate"` (factor per step of the gradient norm over the second
    half, or as late as it stood above rounding: near a minimum with curvature that of the distance too; below 1 it shrinks)
    and `"outcome"` (codes into `descend.trace.OUTCOMES`, −1: not computed); `"point"` (..., d) where there are few variables.
    Outcomes are those of the single descent but for what a few snapshots cannot tell: a descent at rest on a saddle counts as
    converged. The rest is listed in `descend.planes.verdicts.DIFFERENCES`.
    """

    axes: dict[str, Axis]
    arrays: dict[str, NDArray[Any]]
    config: dict[str, Any] = field(default_factory=dict)
    variables: tuple[str, ...] = ()
    #: The objective itself, in the process that computed the plane; a file keeps the limit that was predicted for it.
    goal: Objective | None = field(default=None, repr=False, compare=False)
    kept_limit: Limit | None = field(default=None, repr=False, compare=False)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(axis) for axis in self.axes.values())

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.arrays:
            raise KeyError(f"a plane has {', '.join(self.arrays)}; it has no {name!r}")
        return self.arrays[name]

    @property
    def loss(self) -> NDArray[Any]:
        """Final loss; NaN or Inf where it left the range of numbers."""
        return self["loss"]

    @property
    def outcomes(self) -> NDArray[np.str_]:
        """Outcomes as words, '' where not computed."""
        words: NDArray[np.str_] = np.array([*OUTCOMES, ""])[self["outcome"]]
        return words

    @property
    def done(self) -> float:
        """The part of the grid that is computed, 0 to 1."""
        return float(np.mean(self["outcome"] >= 0))

    def best(self, by: str = "loss") -> dict[str, Any]:
        """The grid point with the lowest value of a column (`steps_to`: of those that got there), with its results.

        Of equals, such as losses of exactly 0, the one that got to the tolerance first.

        Descents that diverged or failed are left out: a loss that falls without end is nobody's best.

        >>> import descend as ds
        >>> p = ds.plane("x**2", [1.0], steps=20, lr=ds.linspace(0.1, 0.5, 5))
        >>> round(p.best()["lr"], 3)
        0.5
        """
        values, outcome = self[by], self["outcome"]
        good = np.isfinite(values) & (outcome >= 0)
        for lost in LOST:
            good &= outcome != lost
        if by == "steps_to":
            good &= values >= 0
        if not good.any():
            raise DescendError(f"no descent of this plane ended well enough to have a best {by}")
        lowest = values[good].min()
        equal = np.flatnonzero(good & (values == lowest))
        reached = self["steps_to"].ravel()[equal]
        first = equal[int(np.argmin(np.where(reached < 0, np.iinfo(np.int32).max, reached)))]
        return self.at(*np.unravel_index(int(first), self.shape))

    def at(self, *index: Any) -> dict[str, Any]:
        """Axis values and results at a grid index."""
        found: dict[str, Any] = {name: float(axis.values[i]) for (name, axis), i in zip(self.axes.items(), index, strict=True)}
        for name, values in self.arrays.items():
            value = values[tuple(index)]
            found[name] = value.tolist() if np.ndim(value) else value.item()
        code = int(found["outcome"])
        return found | {"outcome": OUTCOMES[code] if code >= 0 else None}

    def slice(self, **values: float) -> Plane:
        """The plane at the grid line nearest to given axis values: one axis fewer for each."""
        axes, index = dict(self.axes), []
        for name in values:
            if name not in axes:
                raise DescendError(f"this plane has the axes {', '.join(self.axes)}; it has no {name!r}")
        for name, axis in self.axes.items():
            if name in values:
                place = np.log(axis.values) if axis.scale == "log" else axis.values
                wanted = math.log(values[name]) if axis.scale == "log" else values[name]
                index.append(int(np.argmin(np.abs(place - wanted))))
                del axes[name]
            else:
                index.append(slice(None))  # type: ignore[arg-type]
        fixed = {k: float(self.axes[k].values[i]) for k, i in zip(self.axes, index, strict=True) if k in values}
        config = self.config | {"fixed": self.config.get("fixed", {}) | fixed}
        arrays = {k: v[tuple(index)] for k, v in self.arrays.items()}
        kept = None if self.kept_limit is None else sliced_limit(self.kept_limit, fixed, "lr" in axes)
        return Plane(axes, arrays, config, self.variables, self.goal, kept)

    def limit(self) -> Limit | None:
        """The predicted largest stable lr along the other axis: its values and the limits; None where none is predicted.

        Computed from the objective in the process that made the plane; a plane read from a file tells what was saved with it.
        """
        return self.kept_limit if self.goal is None else predicted_limit(self, self.goal)

    def plot(self, **options: Any) -> Any:
        """Draw the map; returns a matplotlib Figure. See `descend.figures.draw_plane`."""
        from descend.figures import draw_plane

        return draw_plane(self, **options)

    def __repr__(self) -> str:
        axes = ", ".join(f"{name} {len(axis)}" for name, axis in self.axes.items())
        kinds, counts = np.unique(self.outcomes, return_counts=True)
        told = ", ".join(f"{c:,} {k or 'not computed'}" for k, c in zip(kinds, counts, strict=True))
        return f"Plane({self.config.get('optimizer')} on {self.config.get('objective')}; {axes}: {told})"

    # -- to a file and back

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write as `.npz`, whole or not at all."""
        target = Path(path)
        if target.suffix != ".npz":
            raise DescendError(f"a plane is saved as .npz; {target.name!r} ends in {target.suffix or 'nothing'}")
        told = {"scales": {k: a.scale for k, a in self.axes.items()}, "config": self.config, "variables": self.variables}

        limit = self.limit()
        arrays = {f"axis:{k}": a.values for k, a in self.axes.items()} | {f"array:{k}": v for k, v in self.arrays.items()}
        arrays |= {} if limit is None else {"limit": np.array(limit)}

        def write(file: BinaryIO) -> None:
            np.savez_compressed(file, plane=np.array(strict_json(told)), **arrays)

        write_atomically(target, write)
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Plane:
        """Read what `save` wrote."""
        try:
            with np.load(path, allow_pickle=False) as archive:
                told = json.loads(str(archive["plane"]))
                axes = {k: Axis(archive[f"axis:{k}"], scale) for k, scale in told["scales"].items()}
                limit = (archive["limit"][0], archive["limit"][1]) if "limit" in archive.files else None
                arrays = {k.removeprefix("array:"): archive[k] for k in archive.files if k.startswith("array:")}
        except FileNotFoundError:
            raise DescendError(f"there is no file {str(path)!r}") from None
        except (KeyError, ValueError, OSError, EOFError) as error:
            raise DescendError(f"{str(path)!r} is not a plane saved by descend ({error})") from None
        return cls(axes, arrays, told["config"], tuple(told["variables"]), kept_limit=limit)

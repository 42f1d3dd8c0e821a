"""Fixed sequences of gradients: several arrays of several shapes, changing, with zeros, tiny, huge and spiking entries."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = list[NDArray[np.float64]]

SHAPES = [(3,), (4, 3), (3, 5), (2, 2)]
MATRICES = [(4, 3), (3, 5), (2, 2)]


def start(shapes: list[tuple[int, ...]] = SHAPES, seed: int = 0) -> Arrays:
    """Parameters of size about one; one of them all zeros where there are several."""
    rng = np.random.default_rng(seed)
    ps = [rng.normal(size=shape) for shape in shapes]
    if len(ps) > 2:
        ps[-1] = np.zeros(shapes[-1])
    return ps


def sequence(steps: int, shapes: list[tuple[int, ...]] = SHAPES, seed: int = 1) -> list[Arrays]:
    """One list of gradients per step."""
    rng = np.random.default_rng(seed)
    scale = [rng.lognormal(0.0, 1.5, size=shape) for shape in shapes]
    gs = [[rng.normal(size=shape) * k for shape, k in zip(shapes, scale, strict=True)] for _ in range(steps)]
    gs[2 % steps][0].ravel()[0] = 0.0
    gs[3 % steps][-1].ravel()[:2] *= 1e-7
    gs[5 % steps][0].ravel()[1] *= 300.0
    gs[7 % steps] = [0 * g for g in gs[7 % steps]]
    return gs


def run(optimizer: Any, ps: Arrays, gs: list[Arrays]) -> list[Arrays]:
    """The points visited by one of our optimizers, the start among them."""
    points, state = [list(ps)], optimizer.init(list(ps))
    for g in gs:
        ps, state = optimizer.step(list(ps), g, state)
        points.append(list(ps))
    return points


def apart(ours: list[Arrays], theirs: list[Arrays]) -> float:
    """The largest difference between two runs ÷ the largest displacement from the start."""
    moved = max(np.abs(a - b).max() for point in theirs for a, b in zip(point, theirs[0], strict=True))
    differ = max(np.abs(a - b).max() for x, y in zip(ours, theirs, strict=True) for a, b in zip(x, y, strict=True))
    assert moved > 0, "the reference did not move: the comparison says nothing"
    return float(differ / moved)

"""Fixed gradient sequences for torch optimizers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

Params = list[torch.nn.Parameter]
SHAPES: list[tuple[int, ...]] = [(3, 4), (5,), (2, 2, 3), ()]
MATRICES: list[tuple[int, ...]] = [(4, 3), (3, 5), (2, 2)]


def shapes_for(rule: str) -> list[tuple[int, ...]]:
    return MATRICES if rule == "muon" else SHAPES


def params(shapes: Sequence[tuple[int, ...]] = SHAPES, dtype: torch.dtype = torch.float64, seed: int = 0) -> Params:
    generator = torch.Generator().manual_seed(seed)
    return [torch.nn.Parameter(torch.randn(s, generator=generator, dtype=torch.float64).to(dtype)) for s in shapes]


def gradients(ps: Params, step: int) -> list[torch.Tensor]:
    """Changing gradients of very different size; some zero, one spiking."""
    generator = torch.Generator().manual_seed(1000 + step)
    scale = 300.0 if step == 4 else 1.0
    made = [torch.randn(p.shape, generator=generator, dtype=torch.float64) * 10.0 ** (i - 1) * scale for i, p in enumerate(ps)]
    if step == 3:
        made[0] = made[0] * 0
    return [g.to(p.dtype) for g, p in zip(made, ps, strict=True)]


def drive(optimizer: Any, ps: Params, steps: range, after: Callable[[], None] = lambda: None) -> None:
    for step in steps:
        for p, g in zip(ps, gradients(ps, step), strict=True):
            p.grad = g
        optimizer.step()
        after()


def copies(ps: Params) -> list[torch.Tensor]:
    return [p.detach().clone() for p in ps]


def apart(ours: Sequence[torch.Tensor], theirs: Sequence[torch.Tensor], start: Sequence[torch.Tensor]) -> float:
    """The largest difference ÷ the largest displacement."""
    ours, theirs = [p.detach() for p in ours], [p.detach() for p in theirs]
    moved = max(float((a - b).abs().max()) for a, b in zip(theirs, start, strict=True))
    assert moved > 0, "the reference did not move: the comparison says nothing"
    return max(float((a - b).abs().max()) for a, b in zip(ours, theirs, strict=True)) / moved

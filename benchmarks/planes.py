"""How many optimizer steps a second a plane makes, beside optax under vmap and scan, NumPy batched by hand, and a torch loop.

    python benchmarks/planes.py             # prints; --write puts the tables and the plot into docs
    python benchmarks/planes.py --big       # and the 4096 x 4096 plane, with its peak memory

65 536 Adam descents of 500 steps on Rosenbrock in float32, over lr and beta1. descend's side also keeps the best loss, the
first step at the tolerance, a rate and an outcome for each; the others return the last point only.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from common import machine, medians, seconds, table, write

import descend as ds

SIDE, STEPS = 256, 500
START = np.array([-1.2, 1.0], dtype=np.float32)
LRS, BETAS = ds.logspace(1e-4, 1, SIDE), ds.linspace(0, 0.99, SIDE)
GRID = [g.ravel().astype(np.float32) for g in np.meshgrid(LRS.values, BETAS.values, indexing="ij")]


def rosenbrock(p):
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def with_descend(side: int = SIDE, steps: int = STEPS):
    lr, beta1 = ds.logspace(1e-4, 1, side), ds.linspace(0, 0.99, side)
    return ds.plane("rosenbrock", START, ds.adam(), steps=steps, dtype="float32", lr=lr, beta1=beta1)


@jax.jit
@jax.vmap
def with_optax(lr, beta1):
    optimizer = optax.inject_hyperparams(optax.adam)(learning_rate=lr, b1=beta1)
    p = jnp.asarray(START)

    def step(carry, _):
        p, state = carry
        updates, state = optimizer.update(jax.grad(rosenbrock)(p), state)
        return (optax.apply_updates(p, updates), state), None

    return jax.lax.scan(step, (p, optimizer.init(p)), None, length=STEPS)[0][0]


def with_numpy(steps: int) -> np.ndarray:
    """All descents at once with in-place NumPy, the gradient derived by hand."""
    lr, b1 = GRID
    b2, eps = np.float32(0.999), np.float32(1e-8)
    x, y = np.full_like(lr, START[0]), np.full_like(lr, START[1])
    m, v = np.zeros((2, lr.size), np.float32), np.zeros((2, lr.size), np.float32)
    k1, k2 = np.ones_like(lr), np.float32(1)
    for _ in range(steps):
        bend = y - x * x
        g = np.stack([-2 * (1 - x) - 400 * x * bend, 200 * bend])
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        k1, k2 = k1 * b1, k2 * b2
        step = lr * (m / (1 - k1)) / (np.sqrt(v / (1 - k2)) + eps)
        x, y = x - step[0], y - step[1]
    return np.stack([x, y])


def with_torch(runs: int, steps: int) -> None:
    """A sample of the descents, each in torch's own loop."""
    for k in range(runs):
        p = torch.tensor(START, requires_grad=True)
        optimizer = torch.optim.Adam([p], lr=float(GRID[0][k]), betas=(float(GRID[1][k]), 0.999))
        for _ in range(steps):
            optimizer.zero_grad()
            rosenbrock(p).backward()
            optimizer.step()


def throughput() -> str:
    total = SIDE * SIDE * STEPS
    begun = time.perf_counter()
    with_descend()
    compiled = time.perf_counter() - begun
    found = medians({"descend": with_descend, "optax": lambda: jax.block_until_ready(with_optax(*GRID))}, 5)
    rates = {name: total / t for name, t in found.items()}
    begun = time.perf_counter()
    with_numpy(50)
    rates["NumPy by hand"] = SIDE * SIDE * 50 / (time.perf_counter() - begun)
    begun = time.perf_counter()
    with_torch(2, STEPS)
    rates["torch loop (2 of the runs)"] = 2 * STEPS / (time.perf_counter() - begun)
    names = {"descend": "descend `plane`", "optax": "optax, vmap + scan"}
    rows = [[names.get(n, n), f"{rates['descend'] / r:,.1f}×", f"{r / 1e6:,.4g} M"] for n, r in rates.items()]
    return (
        table(["side", "descend is faster by", "steps a second"], rows)
        + f"\n\nThe first call took {seconds(compiled)}, compilation included."
    )


def trainability() -> str:
    """The two-layer network against the plain vmap form, on a part of the plane, the same descents on both sides."""
    side, steps = 16, 100
    axis = ds.logspace(1, 1e4, side)
    goal = ds.trainability()
    start = {k: v.astype(np.float32) for k, v in goal.start.items()}
    l0, l1 = (g.ravel().astype(np.float32) for g in np.meshgrid(axis.values, axis.values, indexing="ij"))

    @jax.jit
    @jax.vmap
    def plain(lr0, lr1):
        def step(_, p):
            g = jax.grad(goal.fun)(p)
            return {"w0": p["w0"] - lr0 * g["w0"], "w1": p["w1"] - lr1 * g["w1"]}

        return goal.fun(jax.lax.fori_loop(0, steps, step, start))

    def ours():
        return ds.plane(goal, start, ds.sgd(), steps=steps, dtype="float32", lr_w0=axis, lr_w1=axis)

    found = medians({"descend": ours, "vmap": lambda: jax.block_until_ready(plain(l0, l1))}, 3)
    each = {name: t / (side * side * steps) for name, t in found.items()}
    return table(
        [
            "trainability network, 16 hidden units, 272 samples",
            "vmap ÷ descend",
            "descend, a step",
            "plain vmap, a step",
            "256×256 × 500 steps would take",
        ],
        [
            [
                f"{side}×{side} × {steps} steps",
                f"{found['vmap'] / found['descend']:.2f}×",
                seconds(each["descend"]),
                seconds(each["vmap"]),
                seconds(each["descend"] * 256 * 256 * 500),
            ]
        ],
    )


def linear_cost(picture: Path | None) -> str:
    """Time against points and against steps; the slope of the logarithms is 1 where cost is linear."""
    points = {side: _median(lambda side=side: with_descend(side, 500)) for side in (64, 128, 256, 512)}
    steps = {n: _median(lambda n=n: with_descend(128, n)) for n in (500, 1000, 2000, 4000, 8000)}
    by_points = np.polyfit(np.log([s * s for s in points][1:]), np.log(list(points.values())[1:]), 1)[0]
    by_steps = np.polyfit(np.log(list(steps)), np.log(list(steps.values())), 1)[0]
    if picture is not None:
        _plot(points, steps, picture)
    rows = [["points", *(f"{s}²: {seconds(t)}" for s, t in points.items()), "", f"{by_points:.2f}"]]
    rows.append(["steps", *(f"{n}: {seconds(t)}" for n, t in steps.items()), f"{by_steps:.2f}"])
    return (
        table(["time grows with", "", "", "", "", "", "exponent"], rows)
        + "\n\n![Time against points and steps](images/planes-cost.png)"
    )


def _median(call) -> float:
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def _plot(points: dict[int, float], steps: dict[int, float], picture: Path) -> None:
    from descend.figures.style import COLOURS, axes_at, new_figure, save_figure

    figure = new_figure(8.6, 3.4)
    panels = [("descents of 500 steps", {s * s: t for s, t in points.items()}), ("steps of 16 384 descents", steps)]
    for k, (label, data) in enumerate(panels):
        axes = axes_at(figure, 0.8 + 4.2 * k, 0.65, 3.3, 2.4)
        x, y = np.array(list(data)), np.array(list(data.values()))
        axes.loglog(x, y[-1] * x / x[-1], color="#9A9A9A", linewidth=1, label="proportional")
        axes.loglog(x, y, "o-", color=COLOURS[k], label="measured")
        axes.set_xlabel(label)
        axes.set_ylabel("seconds")
        axes.legend(frameon=False, fontsize=8)
    save_figure(figure, picture)


def big() -> str:
    """The 4096 × 4096 plane: it finishes, and its memory stays bounded."""
    side, steps = 4096, 100
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begun = time.perf_counter()
    plane = with_descend(side, steps)
    took = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    results = sum(a.nbytes for a in plane.arrays.values()) / 2**20
    row = [
        f"{side}×{side} × {steps} steps",
        seconds(took),
        f"{side * side * steps / took / 1e6:,.0f} M",
        f"{results:,.0f} MB",
        f"{peak - before:,.0f} MB",
    ]
    return table(["plane", "time", "steps a second", "results", "peak memory beyond the start"], [row])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    parser.add_argument("--big", action="store_true", help="also the 4096 x 4096 plane")
    arguments = parser.parse_args()
    parts = [
        "## Planes",
        f"65 536 Adam descents × 500 steps on Rosenbrock, float32. {machine()}.",
        throughput(),
        trainability(),
    ]
    picture = Path(__file__).parents[1] / "docs" / "images" / "planes-cost.png" if arguments.write else None
    parts.append(linear_cost(picture))
    if arguments.big:
        parts.append(big())
    text = "\n\n".join(parts)
    print(text)
    if arguments.write:
        write("planes", text)


if __name__ == "__main__":
    main()

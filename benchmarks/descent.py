"""One small descent against torch's loop, optax in a Python loop, optax under scan, and scipy's L-BFGS; and cold starts.

    python benchmarks/descent.py            # prints
    python benchmarks/descent.py --write    # and puts the tables into docs/benchmarks.md

Adam on Rosenbrock from (-1.2, 1) in float64. Every side records the loss of every step; descend also records the gradient
norm and the point, judges the outcome and builds a Trace.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from functools import partial

import jax
import numpy as np
import optax
import torch
from common import machine, medians, seconds, table, write
from scipy.optimize import minimize

import descend as ds

START = np.array([-1.2, 1.0])


def rosenbrock(p):
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def with_torch(steps: int) -> list[float]:
    p = torch.tensor(START, requires_grad=True)
    optimizer = torch.optim.Adam([p], lr=0.01)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = rosenbrock(p)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def optax_step():
    optimizer = optax.adam(0.01)

    def step(carry, _):
        p, state = carry
        loss, grad = jax.value_and_grad(rosenbrock)(p)
        updates, state = optimizer.update(grad, state)
        return (optax.apply_updates(p, updates), state), loss

    return optimizer, step


def with_optax_loop(steps: int) -> list[float]:
    optimizer, step = optax_step()
    jitted = jax.jit(step)
    carry, losses = (START, optimizer.init(START)), []
    for _ in range(steps):
        carry, loss = jitted(carry, None)
        losses.append(float(loss))
    return losses


def with_optax_scan(steps: int):
    optimizer, step = optax_step()

    @jax.jit
    def run(p):
        return jax.lax.scan(step, (p, optimizer.init(p)), None, length=steps)

    return lambda: np.asarray(run(START)[1])


def with_descend(steps: int):
    return ds.descend("rosenbrock", START, ds.adam(lr=0.01), steps=steps)


def compare() -> str:
    rows = []
    with jax.enable_x64(True):
        for steps in (200, 1000, 10_000):
            scan = with_optax_scan(steps)
            fast = medians({"descend": partial(with_descend, steps), "optax scan": scan}, 21)
            slow = {}
            if steps <= 1000:
                slow = medians({"torch": partial(with_torch, steps), "optax loop": partial(with_optax_loop, steps)}, 3)
            begun = time.perf_counter()
            with_optax_scan(steps)()
            cold = time.perf_counter() - begun
            ours = fast["descend"]
            ratios = [f"{slow[k] / ours:,.0f}×" if k in slow else "" for k in ("torch", "optax loop")]
            times = [seconds(ours), seconds(fast["optax scan"]), seconds(cold)]
            rows.append([f"{steps:,}", f"{fast['optax scan'] / ours:.2f}×", *ratios, *times])
    found = minimize(rosenbrock, START, method="L-BFGS-B")
    headers = [
        "steps",
        "optax scan ÷ descend",
        "torch ÷",
        "optax loop ÷",
        "descend, warm",
        "optax scan, warm",
        "a new optax scan",
    ]
    return f"{table(headers, rows)}\n\nscipy's L-BFGS reaches {found.fun:.1e} in {found.nfev} evaluations of the loss."


def new_lambdas() -> str:
    """A new but equal function each time, as in a notebook cell run again: optax under scan compiles anew."""

    def ours():
        return ds.descend(lambda p: rosenbrock(p), START, ds.adam(lr=0.01), steps=1000)

    with jax.enable_x64(True):
        found = medians({"descend": ours, "optax scan": lambda: with_optax_scan(1000)()}, 7)
    return table(
        ["1,000 steps, a new lambda each time", "ratio", "descend", "optax scan"],
        [["", f"{found['optax scan'] / found['descend']:.0f}×", seconds(found["descend"]), seconds(found["optax scan"])]],
    )


def cold_starts() -> str:
    python = [sys.executable, "-c"]
    run = ["run", "x**2 + 3*y**2", "--start", "4,3", "--lr", "0.4"]
    commands = {
        "python, importing NumPy": [*python, "import numpy"],
        "python, importing JAX": [*python, "import jax; jax.devices()"],
        "descend --help": [sys.executable, "-m", "descend", "--help"],
        "descend run, text": [sys.executable, "-m", "descend", *run],
        "descend run, text and figure": [sys.executable, "-m", "descend", *run, "--figure", "/tmp/descend-benchmark.png"],
    }
    rows = []
    for name, command in commands.items():
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times.append(time.perf_counter() - begun)
        rows.append([name, seconds(statistics.median(times))])
    return table(["cold", "median of 5"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    arguments = parser.parse_args()
    text = "\n\n".join(
        ["## One small descent", f"Adam on Rosenbrock, float64. {machine()}.", compare(), new_lambdas(), cold_starts()]
    )
    print(text)
    if arguments.write:
        write("descent", text)


if __name__ == "__main__":
    main()

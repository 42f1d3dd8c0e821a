"""One small descent against torch's loop, optax in a Python loop, optax under scan, and scipy's L-BFGS; and cold starts.

    python benchmarks/descent.py            # prints
    python benchmarks/descent.py --write    # and puts the tables into docs/benchmarks.md

Adam on Rosenbrock from (-1.2, 1) in float64. Each side's optimizer is made once, before, and its program is compiled: what is
measured is a descent like the one before, from its start. What each gives back:

- optax scan, last point: the last point as a NumPy array, nothing of the way there.
- optax scan, columns: NumPy arrays of the loss, the gradient norm, the norm of the update and the point at each step.
- descend, unread: a Trace nobody looks at. Its rows are made, and lie where the program wrote them.
- descend, columns: the same four columns read as NumPy arrays of the trace's own; one row more than optax's, looked through for
  values that are not finite.
- descend, all: the outcome was read too (judged, with the curvature at the last point where the gradient has vanished), and the
  point and the optimizer's state, for which the updates are made again.
- torch and optax's Python loop: the loss of each step.
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


def with_optax_scan(steps: int, *, columns: bool = True):
    """A compiled scan, as a function that returns NumPy arrays."""
    optimizer = optax.adam(0.01)

    def step(carry, _):
        p, state = carry
        loss, grad = jax.value_and_grad(rosenbrock)(p)
        updates, state = optimizer.update(grad, state)
        row = (loss, jax.numpy.linalg.norm(grad), jax.numpy.linalg.norm(updates), p) if columns else None
        return (optax.apply_updates(p, updates), state), row

    @jax.jit
    def run(p):
        (p, _), rows = jax.lax.scan(step, (p, optimizer.init(p)), None, length=steps)
        return p, rows

    return lambda: jax.tree_util.tree_map(np.asarray, run(START))


ADAM = ds.adam(lr=0.01)


def with_descend(steps: int):
    return ds.descend("rosenbrock", START, ADAM, steps=steps)


def with_columns(steps: int):
    trace = with_descend(steps)
    return trace.loss, trace.grad_norm, trace["update_norm"], trace.points


def with_all(steps: int):
    trace = with_descend(steps)
    return trace.outcome, trace.loss, trace.grad_norm, trace["update_norm"], trace.points, trace.point, trace.state


def in_blocks(sides, calls: int, block: int) -> dict[str, float]:
    """Median seconds of each side, in blocks of calls; each block comes after a call of the other library."""
    others = {name: sides["descend" if name in ("last", "full") else "full"] for name in sides}
    times = {name: [] for name in sides}
    for side in sides.values():
        side()
    for _ in range(calls // block):
        for name, side in sides.items():
            others[name]()
            for _ in range(block):
                begun = time.perf_counter()
                side()
                times[name].append(time.perf_counter() - begun)
    return {name: statistics.median(values) for name, values in times.items()}


def compare() -> str:
    rows, slow_rows = [], []
    with jax.enable_x64(True):
        for steps in (200, 1000, 10_000):
            sides = {
                "last": with_optax_scan(steps, columns=False),
                "full": with_optax_scan(steps),
                "descend": partial(with_descend, steps),
                "columns": partial(with_columns, steps),
                "all": partial(with_all, steps),
            }
            for block in (20, 1):
                found = in_blocks(sides, 1000, block)
                ratios = [f"{found['full'] / found[k]:.2f}×" for k in ("columns", "descend", "all")]
                ratios.append(f"{found['last'] / found['descend']:.2f}×")
                rows.append([f"{steps:,}", str(block), *ratios, *(seconds(found[k]) for k in sides)])
            if steps <= 1000:
                slow = medians({"torch": partial(with_torch, steps), "optax loop": partial(with_optax_loop, steps)}, 3)
                begun = time.perf_counter()
                with_optax_scan(steps)()
                cold = time.perf_counter() - begun
                ratios = [f"{slow[k] / found['all']:,.0f}×" for k in ("torch", "optax loop")]
                slow_rows.append([f"{steps:,}", *ratios, seconds(cold)])
    lowest = minimize(rosenbrock, START, method="L-BFGS-B")
    headers = [
        "steps",
        "calls in a row",
        "optax columns ÷ descend, columns read",
        "÷ descend, unread",
        "÷ descend, all read",
        "optax last point ÷ descend, unread",
        "optax scan, last point",
        "optax scan, columns",
        "descend, unread",
        "descend, columns read",
        "descend, all read",
    ]
    slower = table(["steps", "torch ÷ descend", "optax in a Python loop ÷ descend", "a new optax scan"], slow_rows)
    reached = f"scipy's L-BFGS reaches {lowest.fun:.1e} in {lowest.nfev} evaluations of the loss."
    return f"{table(headers, rows)}\n\n{slower}\n\n{reached}"


def own_functions() -> str:
    """A Python function again and again; a new but equal one each time, as in a cell run again; one on other data each time.

    Under scan a new function is compiled anew by whoever writes `jit` around it each time, and data are an argument if its
    author has made them one. Both sides' columns are read.
    """
    scale = np.array([1.0, 100.0])

    def on_data(p):
        return scale @ jax.numpy.stack([(1 - p[0]) ** 2, (p[1] - p[0] ** 2) ** 2])

    def read(function):
        trace = ds.descend(function, START, ADAM, steps=1000)
        return trace.loss, trace.grad_norm, trace["update_norm"], trace.points

    def changed():
        scale[1] += 1.0
        return read(on_data)

    def compiled_anew():
        return with_optax_scan(1000)()

    rows = []
    with jax.enable_x64(True):
        cases = [
            ("the same function, the scan compiled before", lambda: read(rosenbrock), with_optax_scan(1000), 400),
            ("a new but equal lambda, a new scan", lambda: read(lambda p: rosenbrock(p)), compiled_anew, 9),
            ("other data, a new scan", changed, compiled_anew, 9),
        ]
        for name, ours, theirs, calls in cases:
            for _ in range(4):
                ours()
            found = medians({"ours": ours, "optax": theirs}, calls)
            ratio = found["optax"] / found["ours"]
            rows.append([name, f"{ratio:,.{1 if ratio < 10 else 0}f}×", seconds(found["ours"]), seconds(found["optax"])])
    return table(["1,000 steps of a Python function, columns read", "optax ÷ descend", "descend", "optax scan"], rows)


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


GIVEN_BACK = """\
Each side's optimizer and program are made before. What each gives back: *optax scan, last point* the last point alone;
*optax scan, columns* per step the loss, the gradient norm, the update's norm and the point, as arrays; *descend, columns read*
a Trace and the same four columns of it, looked through for values that are not finite; *unread* a Trace nobody looks at, whose
rows lie where the program wrote them; *all read* the columns, the verdict and its sentence, the point and the optimizer's
state, for which the updates are made again. "20 calls in a row" finds its caches warm as in a sweep, but for the first, which
like each "1" comes after a call of the other library."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    arguments = parser.parse_args()
    text = "\n\n".join(
        [
            "## One small descent",
            f"Adam on Rosenbrock, float64. {machine()}.\n{GIVEN_BACK}",
            compare(),
            own_functions(),
            cold_starts(),
        ]
    )
    print(text)
    if arguments.write:
        write("descent", text)


if __name__ == "__main__":
    main()

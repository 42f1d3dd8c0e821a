"""One step of an optimizer, ours beside theirs, both in one process: ratios first, microseconds after.

    python benchmarks/optimizers.py            # on the CPU, and on a GPU if torch sees one
    python benchmarks/optimizers.py --repeats 8 --threads 1

torch: our adapter against torch.optim's foreach, single-tensor and fused implementations. Lion, which torch lacks, against the
same update written by hand with torch._foreach operations. JAX: our transformation against optax's, both compiled with the
parameters and the state donated. Sides take turns, in one order and the other, and are made in the other order at every other
repeat: arrays made first lie elsewhere in memory, which moves the time on 1e7 parameters by up to 10 %, also of two equal
sides. Each ratio is of medians; the median of the repeats is the last table.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
import torch

import descend.torch
from descend.optax import as_transformation
from descend.optimizers import adam, lion, sgd

SIZES: dict[str, list[int]] = {"1e3": [1000], "1e7": [10_000_000], "200 x 5e3": [5000] * 200}
RATE = 1e-3


class HandLion(torch.optim.Optimizer):
    """Lion as its authors write it, on lists of tensors."""

    def __init__(self, params: Any, lr: float = RATE, foreach: bool = True) -> None:
        super().__init__(params, {"lr": lr, "betas": (0.9, 0.99)})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            ps = group["params"]
            gs = [p.grad for p in ps]
            ms = [self.state[p].setdefault("exp_avg", torch.zeros_like(p)) for p in ps]
            b1, b2 = group["betas"]
            update = torch._foreach_mul(ms, b1)
            torch._foreach_add_(update, gs, alpha=1 - b1)
            torch._foreach_sign_(update)
            torch._foreach_add_(ps, update, alpha=-group["lr"])
            torch._foreach_lerp_(ms, gs, 1 - b2)


def torch_sides(name: str, device: str, sizes: list[int], turned: bool) -> dict[str, Callable[[], None]]:
    """A function that makes one step, for every way of making it."""
    torch.manual_seed(0)
    start = [torch.randn(n, device=device) for n in sizes]
    slope = [torch.randn(n, device=device) for n in sizes]
    rule = {"sgd": sgd, "adam": adam, "lion": lion}[name](lr=RATE)
    theirs = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "lion": HandLion}[name]

    def side(make: Callable[[Any], Any]) -> Callable[[], None]:
        params = [torch.nn.Parameter(p.clone()) for p in start]
        for p, g in zip(params, slope, strict=True):
            p.grad = g.clone()
        optimizer = make(params)

        def step() -> None:
            optimizer.step()
            if device != "cpu":
                torch.cuda.synchronize()

        return step

    makers: dict[str, Callable[[Any], Any]] = {
        "ours": lambda ps: descend.torch.as_optimizer(rule, ps),
        "foreach": lambda ps: theirs(ps, lr=RATE, foreach=True),
    }
    if name != "lion":
        makers["single"] = lambda ps: theirs(ps, lr=RATE, foreach=False)
        makers["fused"] = lambda ps: theirs(ps, lr=RATE, fused=True)
    makers["ours, one by one"] = lambda ps: descend.torch.as_optimizer(rule, ps, foreach=False)
    return made(makers, side, turned)


def made(makers: dict[str, Any], side: Callable[[Any], Callable[[], None]], turned: bool) -> dict[str, Callable[[], None]]:
    """The sides, made in this order or the other."""
    found = {name: side(makers[name]) for name in (reversed(makers) if turned else makers)}
    return {name: found[name] for name in makers}


def jax_sides(name: str, sizes: list[int], turned: bool) -> dict[str, Callable[[], None]]:
    """The same for JAX: compiled, donated."""
    keys = jax.random.split(jax.random.PRNGKey(0), len(sizes))
    grads = [jax.random.normal(k, (n,)) for k, n in zip(keys, sizes, strict=True)]

    def side(tx: optax.GradientTransformation) -> Callable[[], None]:
        @jax.jit
        def begin(grads: Any) -> Any:
            params = [g * 0.5 for g in grads]
            return params, tx.init(params)

        def update(params: Any, state: Any, grads: Any) -> Any:
            updates, state = tx.update(grads, state, params)
            return optax.apply_updates(params, updates), state

        compiled = jax.jit(update, donate_argnums=(0, 1))
        held = list(begin(grads))

        def step() -> None:
            held[:] = compiled(*held, grads)
            jax.block_until_ready(held)

        return step

    rule = {"sgd": sgd, "adam": adam, "lion": lion}[name](lr=RATE)
    theirs = {"sgd": optax.sgd(RATE), "adam": optax.adam(RATE), "lion": optax.lion(RATE)}[name]
    return made({"ours": as_transformation(rule), "optax": theirs}, side, turned)


def measure(sides: dict[str, Callable[[], None]], seconds: float) -> dict[str, float]:
    """Median microseconds of each side; they take turns, so that a busy machine hurts all alike."""
    for step in sides.values():
        step()
        step()
    times: dict[str, list[float]] = {name: [] for name in sides}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times["ours"]) < 5:
        for name in (*sides, *reversed(sides)):
            begun = time.perf_counter()
            sides[name]()
            times[name].append(time.perf_counter() - begun)
    return {name: 1e6 * statistics.median(values) for name, values in times.items()}


def show(title: str, sizes: str, found: dict[str, float]) -> None:
    ours = found["ours"]
    ratios = "  ".join(f"ours/{name} {ours / t:5.2f}" for name, t in found.items() if name != "ours")
    micros = ", ".join(f"{name} {t:,.0f}" for name, t in found.items())
    print(f"{title:16} {sizes:10} {ratios}   ({micros} µs)", flush=True)


def summarise(everything: dict[tuple[str, str], list[dict[str, float]]]) -> None:
    """The median ratio of the repeats, lowest and highest in brackets."""
    for (title, sizes), repeats in everything.items():
        cells = []
        for name in repeats[0]:
            ratios = sorted(found["ours"] / found[name] for found in repeats)
            if name != "ours":
                cells.append(f"ours/{name} {statistics.median(ratios):.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}]")
        print(f"{title:16} {sizes:10} {'  '.join(cells)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each comparison")
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--threads", type=int, help="torch threads; 1 makes the ratios steady on a busy machine")
    parser.add_argument("--only", choices=["torch", "jax"])
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {', '.join(devices)}")
    print(f"jax {jax.__version__} on {jnp.zeros(1).devices()}")
    everything: dict[tuple[str, str], list[dict[str, float]]] = {}
    for repeat in range(options.repeats):
        for name in ("sgd", "adam", "lion"):
            for label, sizes in SIZES.items():
                makers: dict[str, Any] = {f"torch {d} {name}": partial(torch_sides, name, d) for d in devices}
                makers[f"jax {name}"] = partial(jax_sides, name)
                for title, make in makers.items():
                    if options.only in (None, title.split()[0]):
                        found = measure(make(sizes, repeat % 2 == 1), options.seconds)
                        show(title, label, found)
                        everything.setdefault((title, label), []).append(found)
    summarise(everything)


if __name__ == "__main__":
    main()

"""What benchmarks share: who the machine is, interleaved medians, and tables put between markers in docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def machine() -> str:
    """Processor, cores, memory and versions, in a line."""
    import jax
    import numpy as np

    cores = len(os.sched_getaffinity(0))
    model = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    devices = ", ".join(sorted({d.device_kind for d in jax.local_devices()}))
    load = os.getloadavg()[0]
    return (
        f"{model}, {cores} cores, Python {platform.python_version()}, JAX {jax.__version__} on {devices}, "
        f"NumPy {np.__version__}, load {load:.1f} when measured"
    )


def medians(sides: Mapping[str, Callable[[], object]], repeats: int = 15) -> dict[str, float]:
    """Median seconds of each side, called in turn so that a busy moment hits all of them; one call of each is warm-up."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for name, side in sides.items():
        side()
        times[name] = []
    for _ in range(repeats):
        for name, side in sides.items():
            begun = time.perf_counter()
            side()
            times[name].append(time.perf_counter() - begun)
    return {name: statistics.median(values) for name, values in times.items()}


def seconds(value: float) -> str:
    """Seconds for people: 41 µs, 3.2 ms, 1.8 s."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def table(headers: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(headers) + " |", "|" + "---|" * len(headers)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def write(section: str, text: str) -> None:
    """Put a section between its markers in docs/benchmarks.md, in place of what was there."""
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    old = DOCS.read_text(encoding="utf-8") if DOCS.exists() else "# Benchmarks\n"
    block = f"{begin}\n{text}\n{end}"
    if begin in old:
        head, rest = old.split(begin, 1)
        new = head + block + rest.split(end, 1)[1]
    else:
        new = f"{old.rstrip()}\n\n{block}\n"
    DOCS.write_text(new, encoding="utf-8")

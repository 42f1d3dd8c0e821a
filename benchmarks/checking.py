"""How long `descend check` takes: single optimizers by outside authors, every optimizer of optax. Times of the processor."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

from descend.check import check

TESTS = Path(__file__).parent.parent / "tests"
LIBRARIES = ("optax", "keras", "jax")


def seconds(folder: Path, case: dict) -> float:
    """Seconds of the processor for one check, after imports."""
    path = folder / case["file"]
    spec = importlib.util.spec_from_file_location(f"timed_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    begun = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(getattr(module, case["object"]), case["reference"])
    return time.process_time() - begun


def singles() -> str:
    """NumPy and torch optimizers of the two sets that were kept back to the end."""
    found = {}
    for name in ("check_outside8", "check_outside9"):
        for case in json.loads((TESTS / name / "index.json").read_text(encoding="utf-8")):
            if not any(library in case["style"].lower() for library in LIBRARIES):
                took = found[name, case["file"]] = seconds(TESTS / name, case)
                print(f"  {took:6.1f} s  {name} {case['file']}", file=sys.stderr)
    times = sorted(found.values())
    under = sum(t < 3 for t in times)
    return (
        f"{len(times)} optimizers: median {statistics.median(times):.1f} s, {under} under 3 s, the longest "
        + ", ".join(f"{t:.0f}" for t in times[-5:])
        + " s"
    )


def everything(module: str) -> str:
    """One `descend check --all`."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "descend", "check", "--all", module], capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"--all {module}: {time.perf_counter() - begun:.0f} s, of the processor {spent:.0f} s, on {os.cpu_count()} cores"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", default="optax", help="the module whose optimizers are all checked")
    print(everything(parser.parse_args().all))
    print(singles())


if __name__ == "__main__":
    main()

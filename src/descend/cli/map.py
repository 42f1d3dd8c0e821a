"""`descend map`: a complete descent for each pixel."""

from __future__ import annotations

import hashlib
import importlib
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from descend.cli.options import parse_optimizer
from descend.cli.output import check_files
from descend.cli.text import labelled, number
from descend.errors import DescendError
from descend.planes import Axis, Plane, Store, linspace, logspace, plane
from descend.trace import OUTCOMES, strict_json

__all__ = ["command"]

#: What a key of the configuration is called where it changed.
_CHANGED = {"source_sha256": "the objective's file", "version": "descend's version", "objective": "the objective"}


@click.command(name="map")
@click.argument("objective")
@click.option(
    "--x", "x_axis", required=True, metavar="NAME=LOW:HIGH[:log]", help="Horizontal axis: lr=1e-4:1:log, beta1=0:0.99, x=-2:2."
)
@click.option("--y", "y_axis", metavar="NAME=LOW:HIGH[:log]", help="Vertical axis; without one the map is a strip.")
@click.option("--size", default="256", show_default=True, metavar="N[xM]", help="Descents along x (and y).")
@click.option("--optimizer", default="sgd", show_default=True, metavar="NAME[:KEY=VALUE,…]", help="See `descend optimizers`.")
@click.option("--start", metavar="P", help="Where every descent starts, but for what an axis states.")
@click.option("--steps", type=int, default=500, show_default=True, help="Steps of each descent.")
@click.option("--tol", type=float, default=1e-6, show_default=True, help="Part of the first loss that counts as solved.")
@click.option(
    "--by", type=click.Choice(["rate", "steps", "loss", "basin"]), help="What the colour tells. Default: whichever tells more."
)
@click.option(
    "--dtype", type=click.Choice(["float32", "float64"]), help="Default: float32 until neighbours look the same in it."
)
@click.option("--memory", type=float, default=256, show_default=True, metavar="MB", help="Memory for the descents under way.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Where to draw it: .png or .svg.")
@click.option("--bare", is_flag=True, help="Only the pixels, no axes (.png).")
@click.option("--data", type=click.Path(path_type=Path), metavar="FILE.npz", help="Save the results too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def command(
    objective: str,
    x_axis: str,
    y_axis: str | None,
    size: str,
    optimizer: str,
    start: str | None,
    steps: int,
    tol: float,
    by: str | None,
    dtype: str | None,
    memory: float,
    out: Path,
    bare: bool,
    data: Path | None,
    as_json: bool,
) -> None:
    """Draw a map of two hyperparameters (or start coordinates): each pixel is a complete descent on OBJECTIVE.

    Zoom by giving a smaller box. A map that is interrupted or killed goes on where it was when the same command is given again.

    \b
    descend map rosenbrock --optimizer adam --x lr=1e-4:1:log --y beta1=0:.99 --size 512 --out map.png
    descend map "x² + 3y²" --start 4,3 --optimizer momentum --x lr=0.01:1.5 --y momentum=0:0.99 --by rate --out limit.png
    descend map trainability --x lr_w0=1:1000:log --y lr_w1=1:1000:log --size 128 --steps 200 --out fractal.png
    """
    _check(out, data, bare, memory)
    counts = _counts(size)
    axes: dict[str, Any] = dict([_axis(x_axis, counts[0], "--x"), *([_axis(y_axis, counts[1], "--y")] if y_axis else [])])
    if y_axis and len(axes) == 1:
        raise DescendError("--x and --y name the same quantity; a map needs two different ones")
    chosen = parse_optimizer(optimizer)
    identity = _identity(objective)
    goal, point = _goal(objective, start)
    store = _Folder(out.with_name(f".{out.name}.partial"), identity)
    began = time.monotonic()
    made = plane(goal, point, chosen, steps=steps, tol=tol, dtype=dtype, memory=memory * 1e6, store=store, **axes)
    store.clear()
    if made.done < 1:
        store.flush()
        click.echo(f"descend: interrupted at {made.done:.0%}; the same command goes on from there", err=True)
        raise SystemExit(130)
    store.flush()
    made.arrays = {name: values.reshape(made[name].shape) for name, values in store.opened().items()}
    made.config |= identity
    _draw(made, by, out, bare)
    if data is not None:
        made.save(data)
    store.remove()
    told = _told(made, out, data, time.monotonic() - began, store.before)
    click.echo(strict_json(told | {"config": made.config}, indent=2) if as_json else "\n".join(_text(made, told)))


def _check(out: Path, data: Path | None, bare: bool, memory: float) -> None:
    if out.suffix not in ((".png",) if bare else (".png", ".svg")):
        raise DescendError(f"{out.name!r} must end in .png" + ("" if bare else " or .svg"))
    check_files((out, (out.suffix,)), (data, (".npz",)))
    if not memory > 0:
        raise DescendError(f"--memory must be above 0 megabytes; got {memory:g}")


def _counts(size: str) -> tuple[int, int]:
    parts = size.lower().replace("×", "x").split("x")
    if len(parts) > 2 or not all(p.strip().isdigit() and 0 < int(p) <= 65536 for p in parts):
        raise DescendError(f"--size is a number of descents along each axis, as 256 or 512x256; got {size!r}")
    return int(parts[0]), int(parts[-1])


def _axis(text: str, count: int, option: str) -> tuple[str, Axis]:
    name, sign, rest = text.partition("=")
    parts = rest.replace("−", "-").split(":")
    shape = f"{option} is NAME=LOW:HIGH or NAME=LOW:HIGH:log, as in lr=1e-4:1:log; got {text!r}"
    if not sign or len(parts) not in (2, 3) or (len(parts) == 3 and parts[2] not in ("log", "linear")):
        raise DescendError(shape)
    try:
        low, high = float(parts[0]), float(parts[1])
    except ValueError:
        raise DescendError(shape) from None
    if not low < high:
        raise DescendError(f"{option} runs from low to high; got {low:g} to {high:g}")
    log = len(parts) == 3 and parts[2] == "log"
    return name.strip(), logspace(low, high, count) if log else linspace(low, high, count)


def _goal(objective: str, start: str | None) -> tuple[Any, Any]:
    from descend.cli.points import parse_point
    from descend.objectives import resolve

    goal = resolve(objective)
    return goal, None if start is None else parse_point(start, goal.variables)


def _identity(objective: str) -> dict[str, Any]:
    """What a map depends on beside its options: descend's version, and the bytes of the file an objective is written in."""
    version = importlib.import_module("descend").__version__
    file, _, function = objective.strip().rpartition(":")
    if not (function and file.endswith(".py")):
        return {"version": version}
    try:
        source = Path(file).expanduser().read_bytes()
    except OSError:  # resolving the objective says it better
        return {"version": version}
    return {"version": version, "source_sha256": hashlib.sha256(source).hexdigest()}


def _draw(made: Plane, by: str | None, out: Path, bare: bool) -> None:
    from descend.figures import draw_plane, save_figure
    from descend.figures.planemap import map_view, pixels
    from descend.trace import write_atomically

    if not bare:
        save_figure(draw_plane(made, by), out, made.config)
        return
    from matplotlib.image import imsave

    about = {"Software": "descend", "Description": strict_json(made.config)}
    image = pixels(map_view(made, by))
    write_atomically(out, lambda file: imsave(file, image, format="png", metadata=about))


def _told(made: Plane, out: Path, data: Path | None, seconds: float, before: int) -> dict[str, Any]:
    counts = np.bincount(np.asarray(made["outcome"]).ravel() + 1, minlength=len(OUTCOMES) + 1)  # words would take a gigabyte
    try:
        best = made.best()
    except DescendError:
        best = None
    return {
        "out": str(out),
        "data": None if data is None else str(data),
        "descents": int(np.prod(made.shape)),
        "computed": int(np.prod(made.shape)) - before,  # those before it was interrupted took their own time
        "seconds": round(seconds, 3),
        "outcomes": {kind: int(n) for kind, n in sorted(zip(["", *OUTCOMES], counts, strict=True)) if n},
        "best": best,
    }


def _text(made: Plane, told: dict[str, Any]) -> list[str]:
    total = told["descents"]
    outcomes = ", ".join(f"{n:,} {kind.replace('_', ' ')}" for kind, n in sorted(told["outcomes"].items(), key=lambda i: -i[1]))
    config = made.config
    lines = [
        labelled(
            "map",
            f"{config['objective']}, {config['optimizer']}, {' × '.join(f'{k} ({len(a)})' for k, a in made.axes.items())}",
        ),
        labelled("descents", f"{total:,} of {config['steps']:,} steps in {config['dtype']}: {outcomes}"),
    ]
    best = told["best"]
    if best is not None:
        place = ", ".join(f"{k} = {number(best[k], 4)}" for k in made.axes)
        reached = f", solved at step {best['steps_to']:,}" if best["steps_to"] >= 0 else ""
        lines.append(labelled("best", f"{place}: loss {number(best['loss'])}{reached}"))
    speed = _speed(told["computed"] * config["steps"] / max(told["seconds"], 1e-9))
    lines.append(labelled("took", f"{told['seconds']:.1f} s, {speed} steps a second with compilation"))
    lines.append(labelled("drawn", told["out"]))
    return lines + ([labelled("saved", told["data"])] if told["data"] else [])


def _speed(rate: float) -> str:
    """A number of steps in the unit that leaves digits to read: 870, 12 thousand, 3.4 million."""
    for unit, size in (("million", 1e6), ("thousand", 1e3)):
        if rate >= 0.9995 * size:
            part = rate / size
            return f"{part:,.0f} {unit}" if part >= 9.95 else f"{part:.1f} {unit}"
    return f"{rate:,.0f}" if rate >= 9.95 else f"{rate:.2g}"


class _Folder(Store):
    """Results in memory-mapped files beside the picture, so that a killed map goes on where it was."""

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self.identity = identity
        self.folder, self.shown, self.kept, self.total = folder, time.monotonic(), time.monotonic(), 0
        self.before = 0
        self.made: dict[str, Any] = {}
        self.names: list[str] = []
        self.terminal = sys.stderr.isatty()

    def arrays(self, job: Any) -> dict[str, Any]:
        """The arrays of an interrupted map of the same configuration, or new ones."""
        config = json.loads(strict_json(job.config() | self.identity))
        note = self.folder / "config.json"
        again = self._is_same(note, config)
        try:
            if not again:
                self.remove()
                self.folder.mkdir()
            empty = job.empty()
            self.names = list(empty)
            for name, values in () if again else empty.items():
                np.save(self.folder / f"{name}.npy", values)
            del empty
            self.opened()
            note.write_text(strict_json(config), encoding="utf-8")
        except (OSError, ValueError) as error:
            raise DescendError(f"could not keep the map's results in {str(self.folder)!r}: {error}") from None
        self.total = job.size
        self.before = int(np.count_nonzero(self.made["outcome"] >= 0))
        if self.before:
            click.echo(f"going on from {self.before / self.total:.0%}", err=True)
        return self.made

    def opened(self) -> dict[str, Any]:
        """The files, mapped into memory anew: what was written so far is no longer held there."""
        self.made = {name: np.load(self.folder / f"{name}.npy", mmap_mode="r+") for name in self.names}
        return self.made

    def _is_same(self, note: Path, config: dict[str, Any]) -> bool:
        """Whether the folder holds this map; where it holds another, say what differs."""
        try:
            before = json.loads(note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        changed = [key for key in sorted(before.keys() | config.keys()) if before.get(key) != config.get(key)]
        if changed:
            told = ", ".join(_CHANGED.get(key, key) for key in changed)
            click.echo(f"starting over: the interrupted map differs in {told}", err=True)
        return not changed

    def saved(self) -> None:
        now = time.monotonic()
        if now - self.kept > 2:
            self.flush()
            self.kept = now
        if self.terminal and now - self.shown > 0.2:
            self.shown = now
            part = np.count_nonzero(self.made["outcome"] >= 0) / self.total
            click.echo(f"\r  {part:6.1%} of {self.total:,} descents ", nl=False, err=True)

    def clear(self) -> None:
        """Wipe the line of progress."""
        if self.terminal:
            click.echo("\r" + " " * 50 + "\r", nl=False, err=True)

    def flush(self) -> None:
        for values in self.made.values():
            values.flush()

    def remove(self) -> None:
        """Delete the folder: the map is drawn, or another one is wanted."""
        shutil.rmtree(self.folder, ignore_errors=True)

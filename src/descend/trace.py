"""Trace and Outcome: what a descent, or anybody's training log, leaves behind.

The one noun every other part of descend shares. Nothing here knows how a trace was made: the engine, a log reader and a
recorder all fill the same columns.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.errors import DescendError

__all__ = ["Column", "Outcome", "OutcomeKind", "Trace", "column", "strict_json", "write_atomically"]

OutcomeKind = Literal["converged", "step_budget", "stalled", "diverged", "failed"]
OUTCOMES: tuple[OutcomeKind, ...] = ("converged", "step_budget", "stalled", "diverged", "failed")
FORMAT = 1


class Outcome(NamedTuple):
    """How a descent ended: one of five kinds, and a sentence for a person.

    >>> Outcome("diverged", "The loss grew 1.96 times a step.").kind
    'diverged'
    """

    kind: OutcomeKind
    message: str


@dataclass(frozen=True, slots=True)
class Column:
    """One recorded quantity: the steps it was recorded at and its values.

    `step` is int64 of shape (n,); `value` is float64 of shape (n,), or (n, d) for points. A quantity that was recorded only
    now and then (a validation loss, say) simply has fewer steps; NaN and Inf are data, never "missing". Steps and rates of a
    descent are shared with others like it and cannot be written to.
    """

    step: NDArray[np.int64]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.step)


def column(step: ArrayLike, value: ArrayLike) -> Column:
    """Make a column from anything array-like, checking that both have the same length.

    >>> column([0, 1], [43, 14.56]).value
    array([43.  , 14.56])
    """
    steps = np.asarray(step, dtype=np.int64)
    values = np.asarray(value, dtype=np.float64)
    if len(steps) != len(values):
        raise DescendError(f"a column needs as many values as steps; it has {len(values)} values and {len(steps)} steps")
    return Column(steps, values)


@dataclass
class Trace:
    """Columns per step, the outcome, and the configuration that made them.

    Well-known column names: `loss`, `grad_norm`, `update_norm`, `lr`, `point` (n, d) when there are few variables,
    `val_loss`, `accuracy`, `val_accuracy`, `epoch`. Others are kept under the name they came with.

    >>> t = Trace({"loss": column(range(3), [43.0, 14.56, 7.2448])})
    >>> t.loss[-1], t.steps
    (np.float64(7.2448), 2)
    """

    columns: dict[str, Column]
    #: How the descent ended. No field has its default on the class: see `later`.
    outcome: Outcome | None = field(default_factory=lambda: None)
    #: What made the trace, as plain JSON values: objective, optimizer, hyperparameters, start, seed …
    config: dict[str, Any] = field(default_factory=dict)
    #: Names of the coordinates of `point`.
    variables: tuple[str, ...] = field(default_factory=tuple)
    #: The parameters after the last step, in the structure the descent was given.
    point: Any = field(default_factory=lambda: None)
    #: The optimizer's state after the last step: what `resume` needs.
    state: Any = field(default_factory=lambda: None)
    #: Where the trace was read from, and the name of the run there.
    source: str = field(default_factory=str)
    name: str = field(default_factory=str)
    #: Remarks about the data itself, such as "sampled to 1500 points".
    notes: tuple[str, ...] = field(default_factory=tuple)

    @classmethod
    def later(cls, look: Callable[[str], Any], **known: Any) -> Trace:
        """A trace whose fields are worked out when they are first asked for: `look` is called with the field's name.

        >>> t = Trace.later({"columns": {"loss": column([0], [43.0])}, "outcome": None}.__getitem__, name="a")
        >>> t.name, t.loss, t.outcome
        ('a', array([43.]), None)
        """
        made = cls.__new__(cls)
        made._look = look  # type: ignore[attr-defined]
        if known:
            made.__dict__.update(known)
        return made

    if not TYPE_CHECKING:  # a misspelt name is a type checker's to find

        def __getattr__(self, name: str) -> Any:
            """Called for what is not there: a field that was left for later is worked out and kept."""
            own = self.__dict__
            look = own.get("_look")
            if look is None or name not in _FIELDS:
                raise AttributeError(f"a trace has no attribute {name!r}")
            found = own.setdefault(name, look(name))  # what was set in the meantime stays
            if len(own) > len(_FIELDS):  # all of them: what they were made of may go
                own.pop("_look", None)
            return found

    def __getstate__(self) -> dict[str, Any]:
        """The fields, worked out: functions cannot be pickled, and a copy must not share what is not there yet."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """Values of a column, by name."""
        if name not in self.columns:
            raise KeyError(f"this trace has no column {name!r}; it has {', '.join(self.columns) or 'none'}")
        return self.columns[name].value

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    @property
    def step(self) -> NDArray[np.int64]:
        """Steps at which the loss was recorded, shape (n,)."""
        return self.columns["loss"].step

    @property
    def loss(self) -> NDArray[np.float64]:
        """Loss at each recorded step, shape (n,); `loss[0]` belongs to the start point."""
        return self["loss"]

    @property
    def grad_norm(self) -> NDArray[np.float64]:
        """Euclidean norm of the gradient at each recorded step, shape (n,)."""
        return self["grad_norm"]

    @property
    def points(self) -> NDArray[np.float64]:
        """The path, shape (n, d): row k is the point before step k, the last row where the descent ended."""
        return self["point"]

    @property
    def steps(self) -> int:
        """Number of updates made: the last recorded step of any column."""
        return max((int(c.step[-1]) for c in self.columns.values() if len(c)), default=0)

    @property
    def best(self) -> float:
        """The lowest finite loss, or NaN when there is none."""
        finite = self.loss[np.isfinite(self.loss)]
        return float(finite.min()) if finite.size else math.nan

    def sign_changes(self) -> dict[str, int]:
        """How often each coordinate changed sign along the path; exact zeros are skipped.

        >>> t = Trace({"point": column(range(4), [[1.0], [-1.0], [0.0], [2.0]])}, variables=("x",))
        >>> t.sign_changes()
        {'x': 2}
        """
        if "point" not in self.columns:
            return {}
        changes = {}
        for name, path in zip(self.variables, self.points.T, strict=True):
            signs = np.sign(path[(path != 0) & ~np.isnan(path)])
            changes[name] = int(np.count_nonzero(signs[1:] != signs[:-1]))
        return changes

    def plot(self, **options: Any) -> Any:
        """Draw the path and the loss curve; returns a matplotlib Figure. See `descend.figures`."""
        from descend.figures import draw_traces

        return draw_traces([self], **options)

    def _repr_html_(self) -> str:
        """Notebook display: the outcome's sentence and the figure."""
        from descend.figures import trace_html

        return str(trace_html(self))

    def __repr__(self) -> str:
        kind = self.outcome.kind if self.outcome else "unjudged"
        optimizer = self.config.get("optimizer", "")
        label = " ".join(part for part in (optimizer, self.name) if part)
        last = f", loss {self.loss[-1]:.6g}" if "loss" in self.columns and len(self.loss) else ""
        return f"Trace({label + ': ' if label else ''}{kind} after {self.steps} steps{last})"

    # -- to files and back --------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; non-finite numbers stay floats here and become null in `strict_json`."""
        skeleton, leaves = _flatten({"point": self.point, "state": self.state})
        return {
            "format": FORMAT,
            "outcome": None if self.outcome is None else self.outcome._asdict(),
            "config": self.config,
            "variables": list(self.variables),
            "source": self.source,
            "name": self.name,
            "notes": list(self.notes),
            "columns": {k: {"step": c.step.tolist(), "value": c.value.tolist()} for k, c in self.columns.items()},
            "structure": skeleton,
            "leaves": [{"dtype": str(a.dtype), "shape": list(a.shape), "value": a.ravel().tolist()} for a in leaves],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Trace:
        """The trace that `to_dict` described. In JSON a null value reads as NaN."""
        columns = {
            k: column(c["step"], np.array(_null_to_nan(c["value"]), dtype=np.float64)) for k, c in data["columns"].items()
        }
        leaves = [
            np.array(_null_to_nan(leaf["value"])).astype(_dtype(leaf["dtype"])).reshape(leaf["shape"])
            for leaf in data["leaves"]
        ]
        return cls._assemble(data, columns, leaves)

    @classmethod
    def _assemble(cls, data: Mapping[str, Any], columns: dict[str, Column], leaves: list[Any]) -> Trace:
        kept = _unflatten(data["structure"], iter(leaves))
        outcome = data["outcome"]
        return cls(
            columns=columns,
            outcome=None if outcome is None else Outcome(**outcome),
            config=dict(data["config"]),
            variables=tuple(data["variables"]),
            point=kept["point"],
            state=kept["state"],
            source=data["source"],
            name=data["name"],
            notes=tuple(data["notes"]),
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write to `.npz` (exact, resumable), `.json` (strict: non-finite is null) or `.csv` (columns only).

        The file appears whole or not at all: it is written under a temporary name and renamed.
        """
        target = Path(path)
        writers: dict[str, Callable[[BinaryIO], None]] = {
            ".npz": self._write_npz,
            ".json": lambda f: _write_text(f, strict_json(self.to_dict()) + "\n"),
            ".csv": lambda f: _write_text(f, self.to_csv()),
        }
        if target.suffix not in writers:
            raise DescendError(
                f"a trace is saved as .npz, .json or .csv; {target.name!r} ends in {target.suffix or 'none of them'}"
            )
        write_atomically(target, writers[target.suffix])
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Trace:
        """Read what `save` wrote as `.npz` or `.json`."""
        target = Path(path)
        try:
            if target.suffix == ".json":
                return cls.from_dict(json.loads(target.read_text(encoding="utf-8")))
            with np.load(target, allow_pickle=False) as archive:
                data = json.loads(str(archive["trace"]))
                columns = {k: column(archive[f"step:{k}"], archive[f"value:{k}"]) for k in data["columns"]}
                leaves = [_typed(archive[f"leaf:{i}"], dtype) for i, dtype in enumerate(data["leaves"])]
            return cls._assemble(data, columns, leaves)
        except FileNotFoundError:
            raise DescendError(f"there is no file {str(target)!r}") from None
        except Exception as error:  # what readers raise on junk has no common name
            raise DescendError(f"{str(target)!r} is not a trace saved by descend as .npz or .json ({error})") from None

    def _write_npz(self, file: BinaryIO) -> None:
        data = self.to_dict()
        skeleton_and_leaves = _flatten({"point": self.point, "state": self.state})
        leaves = skeleton_and_leaves[1]
        data |= {"columns": list(self.columns), "leaves": [str(leaf.dtype) for leaf in leaves]}
        arrays: dict[str, Any] = {"trace": np.array(json.dumps(data))}
        for name, c in self.columns.items():
            arrays |= {f"step:{name}": c.step, f"value:{name}": c.value}
        arrays |= {f"leaf:{i}": leaf for i, leaf in enumerate(leaves)}
        np.savez_compressed(file, **arrays)

    def to_csv(self) -> str:
        """The columns as CSV text: one row a step, one column per quantity and coordinate, empty where not recorded."""
        cells: dict[str, dict[int, float]] = {}
        for name, c in self.columns.items():
            if c.value.ndim == 1:
                cells[name] = dict(zip(c.step.tolist(), c.value.tolist(), strict=True))
            else:
                labels = self.variables or tuple(f"{name}[{i}]" for i in range(c.value.shape[1]))
                for variable, values in zip(labels, c.value.T, strict=True):
                    taken = variable == "step" or variable in self.columns  # a variable called lr, say
                    label = f"{name}.{variable}" if taken else variable
                    cells[label] = dict(zip(c.step.tolist(), values.tolist(), strict=True))
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["step", *cells])
        for step in sorted({s for values in cells.values() for s in values}):
            writer.writerow([step, *(repr(v[step]) if step in v else "" for v in cells.values())])
        return out.getvalue()

    def replace(self, **changes: Any) -> Trace:
        """A copy with some fields changed."""
        return replace(self, **changes)


_FIELDS = frozenset(f.name for f in fields(Trace))


def strict_json(data: Any, indent: int | None = None) -> str:
    """JSON every reader accepts: NaN and Infinity become null.

    >>> strict_json({"loss": float("inf")})
    '{"loss": null}'
    """
    try:  # as it is, where nothing stands in the way
        return json.dumps(data, indent=indent, allow_nan=False, ensure_ascii=False, default=_plain_other)
    except (TypeError, ValueError):  # a key that JSON has no word for; a value that is not finite
        return json.dumps(_plain(data), indent=indent, allow_nan=False, ensure_ascii=False)


def write_atomically(path: str | os.PathLike[str], write: Callable[[BinaryIO], Any]) -> None:
    """Call `write` with a temporary binary file beside `path`, then rename it there; nothing is left half-written."""
    target = Path(path)
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(target)
        temporary = None
    except OSError as error:
        raise DescendError(f"could not write {str(target)!r}: {error.strerror or error}") from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write_text(file: BinaryIO, text: str) -> None:
    file.write(text.encode("utf-8"))


def _plain_other(data: Any) -> Any:
    """What JSON has no word for, as what it has one for."""
    plain = _plain(data)
    if plain is data:
        raise TypeError(f"{type(data).__name__} is not JSON")
    return plain


def _plain(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {k if k is None or isinstance(k, bool) else str(k): _plain(v) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(v) for v in data]
    if isinstance(data, np.ndarray):
        return _plain(data.tolist())
    if isinstance(data, np.generic):
        data = data.item()
    if isinstance(data, float) and not math.isfinite(data):
        return None
    return data


def _dtype(name: str) -> np.dtype[Any]:
    """A number type by name; NumPy learns bfloat16 from the package that JAX brings."""
    if name == "bfloat16":
        import ml_dtypes

        name = ml_dtypes.bfloat16
    found: np.dtype[Any] = np.dtype(name)
    return found


def _typed(array: NDArray[Any], name: str) -> NDArray[Any]:
    """The array in its type: .npz keeps the bytes of a bfloat16, not what they mean."""
    wanted = _dtype(name)
    return array if array.dtype == wanted else array.view(wanted)


def _null_to_nan(values: list[Any]) -> list[Any]:
    return [_null_to_nan(v) if isinstance(v, list) else math.nan if v is None else v for v in values]


def _flatten(tree: Any) -> tuple[Any, list[NDArray[Any]]]:
    """A JSON skeleton of nested dicts, lists and tuples, and the arrays at its leaves in order."""
    leaves: list[NDArray[Any]] = []

    def walk(node: Any) -> Any:
        if node is None:
            return None
        if isinstance(node, Mapping):
            return {"dict": [[k, walk(v)] for k, v in node.items()]}
        if isinstance(node, list | tuple):
            return {type(node).__name__ if type(node) in (list, tuple) else "tuple": [walk(v) for v in node]}
        leaves.append(np.asarray(node))
        return "leaf"

    return walk(tree), leaves


def _unflatten(skeleton: Any, leaves: Iterator[Any]) -> Any:
    if skeleton is None:
        return None
    if skeleton == "leaf":
        return next(leaves)
    ((kind, items),) = skeleton.items()
    if kind == "dict":
        return {k: _unflatten(v, leaves) for k, v in items}
    values = [_unflatten(v, leaves) for v in items]
    return values if kind == "list" else tuple(values)

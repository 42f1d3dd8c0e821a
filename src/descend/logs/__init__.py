"""Training logs of every common kind, read into traces; standard library and NumPy only, and nothing in a log is executed.

>>> import descend.logs
>>> [f.name for f in descend.logs.FORMATS][:3]
['tensorboard', 'w&b offline', 'w&b chart']
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from descend.errors import DescendError
from descend.logs.assemble import to_trace
from descend.logs.collect import Raw
from descend.logs.formats import FORMATS, Format, NotALogError
from descend.logs.opening import Found, stream_runs, unit_runs
from descend.logs.roles import ROLES
from descend.logs.sources import MAX_RUNS, Unit, units
from descend.logs.stream import Progress, UnreadableError, standard_input
from descend.logs.tail import Follower, follow
from descend.trace import Trace

__all__ = ["FORMATS", "ROLES", "Follower", "Format", "follow", "read", "scan"]

Source = str | os.PathLike[str]


def read(
    source: Source, *, map: Mapping[str, str] | None = None, progress: Progress | None = None, limit: int = MAX_RUNS
) -> list[Trace]:
    """The runs of a log, a folder of logs, or standard input ("-"), as traces.

    Columns that are recognised have canonical names (`loss`, `val_loss`, `lr`, `grad_norm`, `accuracy`, …); others keep the
    name they came with. `map` corrects: {"loss": "train/foo"}. `config` of each trace says the `format`, the `roles` (role to
    the source's name), the `resolution` ("step" or "epoch") and its `interval`, and how the source is `lossy`; `notes` say in
    words what was left out, sorted or lost. `progress` is called with a path, the bytes read and the bytes in all. A folder
    with more than `limit` runs is refused.

    Raises DescendError, one sentence, for what is no log. In a folder other files are passed over, and a log that cannot be
    read gives a trace without columns whose note says why.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "run.csv"
    >>> _ = file.write_text("step,train_loss\\n0,43\\n1,14.56\\n")
    >>> trace = read(file)[0]
    >>> trace.loss, trace.config["format"], trace.config["roles"]
    (array([43.  , 14.56]), 'csv', {'step': 'step', 'loss': 'train_loss'})
    """
    return list(scan(source, map=map, progress=progress, limit=limit))


def scan(
    source: Source, *, map: Mapping[str, str] | None = None, progress: Progress | None = None, limit: int = MAX_RUNS
) -> Iterator[Trace]:
    """Like `read`, one trace after another: a folder of large logs never sits in memory whole."""
    if str(source) == "-":
        yield from _traces(stream_runs(standard_input(), progress), map)
        return
    path = Path(source)
    found = units(path, limit)
    alone = len(found) == 1 and not path.is_dir()
    failures: list[str] = []
    count = 0
    for unit in found:
        try:
            traces = _traces(unit_runs(unit, progress), map)
        except DescendError as error:
            if alone:
                raise
            failures.append(str(error))
            reported = isinstance(error, UnreadableError) or (unit.sure and not isinstance(error, NotALogError))
            traces = [_unread(unit, str(error))] if reported else []
        for trace in traces:
            if alone or unit.sure or not trace.columns or _is_run(trace):
                count += 1
                yield trace
    if not count:
        raise DescendError(_nothing(path, len(found), failures))


def _traces(found: Found, map: Mapping[str, str] | None) -> list[Trace]:
    return [to_trace(raw, map) if isinstance(raw, Raw) else raw for raw in found]


def _unread(unit: Unit, sentence: str) -> Trace:
    return Trace(
        {}, config={"format": "unknown", "roles": {}, "lossy": []}, source=str(unit.root), name=unit.name, notes=(sentence,)
    )


def _is_run(trace: Trace) -> bool:
    """Whether a file met in a folder is a run and not some other table: it has a loss, or a curve of training."""
    curves = {name for name, c in trace.columns.items() if name in ROLES and (len(c) > 1 or name.endswith("loss"))}
    return bool(curves - {"epoch"})


def _nothing(path: Path, tried: int, failures: list[str]) -> str:
    if len(failures) == tried == 1:
        return failures[0]
    if not tried:
        return f"{str(path)!r} holds no file that looks like a training log"
    return f"{str(path)!r} holds no training log: of {tried} files that might be one, none could be read" + (
        f" (the first: {failures[0]})" if failures else ""
    )

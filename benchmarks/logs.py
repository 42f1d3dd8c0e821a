"""Reading speed of the log readers, beside TensorBoard's EventAccumulator and tbparse; ratios first.

    python benchmarks/logs.py [--events 1000000] [--rows 1000000]

Each reader runs in a fresh process; its time does not count imports, its memory is the peak of the process. The event file is
written by tensorboard's own writer: four scalars a step. Without tensorboard and tbparse only the table is measured.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

READERS = {
    "descend": "from descend import logs",
    "EventAccumulator": "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator",
    "tbparse": "from tbparse import SummaryReader",
}
WORK = {
    "descend": "(t,) = logs.read(path); points = sum(len(c) for c in t.columns.values()); total = float(t.loss.sum())",
    "EventAccumulator": "a = EventAccumulator(path, size_guidance={'scalars': 0}); a.Reload(); tags = a.Tags()['scalars']; "
    "points = sum(len(a.Scalars(t)) for t in tags); total = sum(e.value for e in a.Scalars('train/loss'))",
    "tbparse": "f = SummaryReader(path).scalars; points = len(f); total = float(f[f.tag == 'train/loss'].value.sum())",
}
FRAME = """
import json, resource, sys, time
path = sys.argv[1]
{imports}
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
begin = time.perf_counter()
{work}
seconds = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([seconds, points, total, base, peak]))
"""


def measure(reader: str, path: Path) -> tuple[float, int, float, float, float]:
    """Seconds, points, sum of the loss (so that readers can be seen to agree), memory after imports and at the peak, MB."""
    code = FRAME.format(imports=READERS[reader], work=WORK[reader])
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    seconds, points, total, base, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, points, total, base, peak


def write_events(folder: Path, events: int) -> None:
    """Four scalars a step, by tensorboard's writer."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder), max_queue_size=10_000, flush_secs=1000)
    for k in range(events // 4):
        for tag, value in (
            ("train/loss", math.exp(-k / 1e5)),
            ("lr", 0.1),
            ("train/grad_norm", 1 / (1 + k)),
            ("accuracy", 0.5),
        ):
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            writer.add_event(Event(wall_time=1.7e9 + k, step=k, summary=summary))
    writer.close()


def write_table(path: Path, rows: int) -> None:
    """Step, loss, lr, gradient norm, and a validation loss every 1000 steps; full precision."""
    with path.open("w") as file:
        file.write("step,loss,lr,grad_norm,val_loss\n")
        for k in range(rows):
            loss = math.exp(-k / 1e5) + 0.1 * math.sin(k)
            file.write(f"{k},{loss!r},{0.1 * math.cos(k / 1e7)!r},{1 / (1 + k)!r},{loss if k % 1000 == 0 else ''}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if importlib.util.find_spec("tensorboard"):
            write_events(folder / "events", options.events)
            ours = measure("descend", folder / "events")
            for other in ("EventAccumulator", "tbparse"):
                if other == "tbparse" and not importlib.util.find_spec("tbparse"):
                    continue
                theirs = measure(other, folder / "events")
                assert theirs[1] == ours[1]
                assert math.isclose(theirs[2], ours[2], rel_tol=1e-9)
                print(f"{theirs[0] / ours[0]:6.1f} × faster than {other} on {ours[1]} events")
                lines.append(f"{other:17} {theirs[0]:7.2f} s  peak {theirs[4]:5.0f} MB (imports {theirs[3]:.0f})")
            lines.insert(0, f"{'descend':17} {ours[0]:7.2f} s  peak {ours[4]:5.0f} MB (imports {ours[3]:.0f})")
        write_table(folder / "table.csv", options.rows)
        seconds, _, _, base, peak = measure("descend", folder / "table.csv")
        size = (folder / "table.csv").stat().st_size / 1e6
        lines.append(
            f"{'descend, CSV':17} {seconds:7.2f} s  peak {peak:5.0f} MB (imports {base:.0f}), "
            f"{options.rows} rows, {size:.0f} MB"
        )
    print("\n".join(lines))


if __name__ == "__main__":
    main()

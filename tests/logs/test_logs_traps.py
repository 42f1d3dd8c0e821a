"""What real logs do to a reader: crashes, restarts, NaN, odd encodings, folders full of other things."""

from __future__ import annotations

import gzip
import json
import math
import os
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from descend import logs
from descend.errors import DescendError
from descend.logs import collect, delimited, sources
from descend.logs.assemble import in_order
from descend.logs.tensorboard import masked_crc32c
from descend.trace import Trace

FIXTURES = Path(__file__).parent / "fixtures"


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def one(path: Path, **options: object) -> Trace:
    (trace,) = logs.read(path, **options)
    return trace


# -- event files, built here byte by byte, independently of the reader -----------------------------------------------------


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def frame(event: bytes) -> bytes:
    length = struct.pack("<Q", len(event))
    return length + struct.pack("<I", crc32c(length)) + event + struct.pack("<I", crc32c(event))


def event(step: int, *pairs: tuple[str, float]) -> bytes:
    summary = b""
    for tag, value in pairs:
        inner = b"\x0a" + varint(len(tag.encode())) + tag.encode() + b"\x15" + struct.pack("<f", value)
        summary += b"\x0a" + varint(len(inner)) + inner
    counter = b"\x10" + varint(step) if step else b""
    return b"\x09" + struct.pack("<d", 1.7e9 + step) + counter + b"\x2a" + varint(len(summary)) + summary


def test_checksums_agree_with_a_bitwise_one() -> None:
    rows = np.random.default_rng(0).integers(0, 256, (20, 37), dtype=np.uint8)
    assert masked_crc32c(rows).tolist() == [crc32c(row.tobytes()) for row in rows]


def test_steps_of_every_length_and_sign(tmp_path: Path) -> None:
    steps = sorted({s * 2**k for k in range(0, 52, 3) for s in (-1, 1)} | {0})
    path = written(tmp_path, "events.out.tfevents.1.h", b"".join(frame(event(s, ("loss", s % 97))) for s in steps))
    trace = one(path)
    assert trace.step.tolist() == steps
    assert trace.loss.tolist() == [float(s % 97) for s in steps]


def test_many_tags_and_several_values_in_one_event(tmp_path: Path) -> None:
    tags = [f"layer{i:03d}/norm" for i in range(120)]
    data = b"".join(frame(event(k, (tag, k + i))) for k in range(5) for i, tag in enumerate(tags))
    data += b"".join(frame(event(k, ("loss", k), ("lr", 0.5))) for k in range(5))
    trace = one(written(tmp_path, "events.out.tfevents.1.h", data))
    assert len(trace.columns) == 122
    assert all(trace[tag].tolist() == [float(k + i) for k in range(5)] for i, tag in enumerate(tags))
    assert trace.loss.tolist() == [0, 1, 2, 3, 4]


def test_a_damaged_event_is_left_out_and_said(tmp_path: Path) -> None:
    frames = [frame(event(k, ("loss", k))) for k in range(9)]
    frames[4] = frames[4][:-6] + b"\xff" + frames[4][-5:]  # a byte of the value
    frames[6] = b"\x01" + frames[6][1:]  # the length
    trace = one(written(tmp_path, "events.out.tfevents.1.h", b"".join(frames)))
    assert trace.step.tolist() == [0, 1, 2, 3, 5, 7, 8]
    assert any("damaged" in note for note in trace.notes)


def test_a_cut_event_file_gives_what_is_whole(tmp_path: Path) -> None:
    data = b"".join(frame(event(k, ("loss", k))) for k in range(9))
    trace = one(written(tmp_path, "events.out.tfevents.1.h", data[:-3]))
    assert trace.step.tolist() == list(range(8))
    assert any("cut off" in note for note in trace.notes)


def test_an_empty_event_file_beside_a_good_one_is_passed_over(tmp_path: Path) -> None:
    written(tmp_path, "events.out.tfevents.1.h", b"")
    written(tmp_path, "events.out.tfevents.2.h", frame(event(1, ("loss", 2.5))))
    assert one(tmp_path).loss.tolist() == [2.5]


def test_a_large_event_is_skipped_without_being_kept(tmp_path: Path) -> None:
    image = frame(b"\x2a" + varint(3 << 20) + bytes(3 << 20))
    data = frame(event(1, ("loss", 1.0))) + image + frame(event(2, ("loss", 2.0)))
    assert one(written(tmp_path, "events.out.tfevents.1.h", data)).loss.tolist() == [1.0, 2.0]


def test_long_files_are_thinned_with_their_spikes_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "MAX_POINTS", 5000)
    values = [1.0] * 20_000
    values[7777], values[11111] = 99.0, math.nan
    path = written(tmp_path, "a.csv", "step,loss\n" + "".join(f"{k},{v}\n" for k, v in enumerate(values)))
    monkeypatch.setattr("descend.logs.stream.CHUNK", 8192)
    trace = one(path)
    assert len(trace.loss) < 6000
    assert 99.0 in trace.loss
    assert np.isnan(trace.loss).sum() == 1
    assert trace.config["lossy"] == ["thinned"]


# -- tables --------------------------------------------------------------------------------------------------------------


def test_nan_inf_and_empty_cells(tmp_path: Path) -> None:
    text = "step,loss,val_loss,lr\n0,nan,,0.1\n1,inf,2.5,\n2,-Infinity,NA,0.1\n3,NaN,null,0.1\n"
    trace = one(written(tmp_path, "a.csv", text))
    np.testing.assert_array_equal(trace.loss, [math.nan, math.inf, -math.inf, math.nan])
    assert trace.columns["val_loss"].step.tolist() == [1]
    assert trace.columns["lr"].step.tolist() == [0, 2, 3]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", " "])
def test_delimiters_line_ends_and_byte_order_mark(tmp_path: Path, end: str, mark: bytes, delimiter: str) -> None:
    rows = [["step", "loss"], ["0", "2.5"], ["1", "1.25"], ["2", "1e-3"]]
    path = written(tmp_path, "a.csv", mark + end.join([delimiter.join(row) for row in rows] + [""]).encode())
    assert one(path).loss.tolist() == [2.5, 1.25, 0.001]


def test_decimal_commas(tmp_path: Path) -> None:
    assert one(written(tmp_path, "a.csv", "step;loss\n0;2,5\n1;1,25\n")).loss.tolist() == [2.5, 1.25]


def test_utf16_as_powershell_redirects_it(tmp_path: Path) -> None:
    text = "step 1 loss 2.5\r\nstep 2 loss 2.25\r\n"
    assert one(written(tmp_path, "train.log", text.encode("utf-16"))).loss.tolist() == [2.5, 2.25]


def test_text_columns_comments_and_ragged_rows(tmp_path: Path) -> None:
    text = '# my run\ntime,step,loss,note\n10:00,0,3.0,ok\n10:01,1,2.0\n10:02,2,1.0,"a, b"\n'
    trace = one(written(tmp_path, "a.csv", text))
    assert trace.columns["loss"].step.tolist() == [0, 2]
    assert any("1 rows have more or fewer cells" in note for note in trace.notes)


def test_fast_and_slow_ways_through_a_table_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    cells = [f"{v!r}" for v in (rng.normal(size=300) * 10.0 ** rng.integers(-12, 12, 300)).tolist()]
    for i, odd in enumerate(["nan", "inf", "-inf", "", "1e400", "5", " 7", "-0.0", "+3", "1E-5"]):
        cells[17 * i] = odd
    text = "step,loss\n" + "".join(f"{k},{c}\n" for k, c in enumerate(cells))
    quick = one(written(tmp_path, "a.csv", text))
    monkeypatch.setattr(delimited.Delimited, "_fast", lambda self, text: None)
    slow = one(tmp_path / "a.csv")
    np.testing.assert_array_equal(quick.loss, slow.loss)
    np.testing.assert_array_equal(quick.step, slow.step)
    np.testing.assert_array_equal(quick.loss, [float(c) for c in cells if c])


def test_blocks_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "a.csv", "epoch,batch,loss\n" + "".join(f"{k // 7},{k % 7 * 5},{k}.5\n" for k in range(900)))
    whole = one(path)
    monkeypatch.setattr("descend.logs.stream.CHUNK", 37)
    monkeypatch.setattr(collect, "_UNDECIDED_ROWS", 20)
    pieces = one(path)
    np.testing.assert_array_equal(whole.step, pieces.step)
    np.testing.assert_array_equal(whole.loss, pieces.loss)
    np.testing.assert_array_equal(whole.step, 5 * np.arange(900))


def test_without_header_and_without_steps(tmp_path: Path) -> None:
    trace = one(written(tmp_path, "a.txt", "0.5\n0.25\nnan\n"))
    np.testing.assert_array_equal(trace.loss, [0.5, 0.25, math.nan])
    assert trace.config["interval"] is None
    assert one(written(tmp_path, "b.csv", "10,3.5\n20,3.25\n")).step.tolist() == [10, 20]


def test_only_whole_epochs_are_epoch_resolution(tmp_path: Path) -> None:
    trace = one(written(tmp_path, "a.csv", "epoch,loss,val_loss\n0,3,4\n1,2,3\n2,1,2\n"))
    assert (trace.config["resolution"], trace.config["interval"]) == ("epoch", 1.0)
    assert trace.step.tolist() == [0, 1, 2]


def test_a_cut_last_line_is_left_out(tmp_path: Path) -> None:
    trace = one(written(tmp_path, "a.csv", "step,loss\n0,2.3025851\n1,2.2514\n2,2."))
    assert trace.step.tolist() == [0, 1]
    assert any("cut off" in note for note in trace.notes)
    assert one(written(tmp_path, "b.csv", "step,loss\n0,2.30\n1,2.25\n2,2.1")).step.tolist() == [0, 1, 2]


def test_several_runs_in_one_table(tmp_path: Path) -> None:
    text = "run,step,loss\na,0,1\nb,0,5\na,1,2\nb,1,6\n"
    first, second = logs.read(written(tmp_path, "a.csv", text))
    assert (first.name, first.loss.tolist()) == ("a", [1, 2])
    assert (second.name, second.loss.tolist()) == ("b", [5, 6])


def test_tensorboard_page_exports(tmp_path: Path) -> None:
    table = one(written(tmp_path, "run-.-tag-val_loss.csv", "Wall time,Step,Value\n1.7e9,0,2.5\n1.7e9,10,1.5\n"))
    assert table["val_loss"].tolist() == [2.5, 1.5]
    page = one(written(tmp_path, "x.json", "[[1.7e9, 0, 2.5], [1.7e9, 10, 1.5]]"))
    assert page.loss.tolist() == [2.5, 1.5]
    full = "Wall time,Step,Value\n" + "".join(f"1.7e9,{k},1.5\n" for k in range(1000))
    assert one(written(tmp_path, "run-.-tag-loss.csv", full)).config["lossy"] == ["sampled"]


# -- steps ---------------------------------------------------------------------------------------------------------------


def test_restart_keeps_the_later_branch(tmp_path: Path) -> None:
    steps = [0, 10, 20, 30, 40, 20, 30, 40, 50]
    text = "step,loss\n" + "".join(f"{s},{i}\n" for i, s in enumerate(steps))
    trace = one(written(tmp_path, "a.csv", text))
    assert trace.step.tolist() == [0, 10, 20, 30, 40, 50]
    assert trace.loss.tolist() == [0, 1, 5, 6, 7, 8]
    assert trace.notes == ("the step goes back from 40 to 20: the later branch is kept, 3 earlier points are not",)


def test_a_restart_that_stopped_early_drops_the_old_future(tmp_path: Path) -> None:
    text = "".join(json.dumps({"step": s, "loss": 1.0, **({"val_loss": 2.0} if s % 4 == 0 else {})}) + "\n" for s in range(13))
    text += "".join(json.dumps({"step": s, "loss": 5.0}) + "\n" for s in (5, 6, 7))
    trace = one(written(tmp_path, "a.jsonl", text))
    assert trace.step.tolist() == list(range(8))
    assert trace.columns["val_loss"].step.tolist() == [0, 4]


def test_late_points_are_sorted_in_and_nothing_is_lost() -> None:
    column, remark, restarted = in_order(np.array([0, 1, 3, 2, 4, 5]), np.arange(6.0))
    assert column.value.tolist() == [0, 1, 3, 2, 4, 5]
    assert not restarted
    assert "out of order" in remark


def test_duplicate_steps_keep_the_last() -> None:
    column, remark, _ = in_order(np.array([0, 1, 1, 1, 2]), np.arange(5.0))
    assert column.value.tolist() == [0, 3, 4]
    assert "more than once" in remark


def test_steps_that_start_again_with_each_epoch(tmp_path: Path) -> None:
    lines = [f"Epoch [{e}/3], Step [{s}/300], Loss: {e + s / 1000}\n" for e in (1, 2, 3) for s in (100, 200, 300)]
    trace = one(written(tmp_path, "train.log", "".join(lines)))
    assert trace.step.tolist() == [100 * k for k in range(1, 10)]
    assert any("starts again with each epoch" in note for note in trace.notes)


def test_a_restart_inside_steps_by_epoch(tmp_path: Path) -> None:
    rows = [(e, s) for e in range(4) for s in range(5)] + [(e, s) for e in range(2, 5) for s in range(5)]
    trace = one(written(tmp_path, "a.csv", "epoch,step,loss\n" + "".join(f"{e},{s},{i}\n" for i, (e, s) in enumerate(rows))))
    assert trace.step.tolist() == list(range(25))
    assert trace.loss.tolist() == [*range(10), *range(20, 35)]


# -- JSON and text -------------------------------------------------------------------------------------------------------


def test_json_lines(tmp_path: Path) -> None:
    text = '{"config": {"lr": 0.5}}\n{"step": 0, "loss": NaN}\nnot json\n'
    text += '{"step": 1, "loss": "-Infinity", "m": {"val_loss": 3}}\n{"st'
    trace = one(written(tmp_path, "a.jsonl", text))
    np.testing.assert_array_equal(trace.loss, [math.nan, -math.inf])
    assert trace["val_loss"].tolist() == [3.0]
    assert trace.config["lr"] == 0.5
    assert any("cut off" in note for note in trace.notes)
    assert any("1 lines are no JSON" in note for note in trace.notes)


def test_json_shapes(tmp_path: Path) -> None:
    records = [{"step": k, "loss": float(k)} for k in range(3)]
    for value in (
        records,
        {"logs": records},
        {"loss": [0.0, 1.0, 2.0]},
        {"history": {"loss": [0.0, 1.0, 2.0]}},
        [0.0, 1.0, 2.0],
    ):
        assert one(written(tmp_path, "a.json", json.dumps(value, indent=1))).loss.tolist() == [0, 1, 2], value
    assert one(written(tmp_path, "b.json", json.dumps(records))).loss.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("iter 100: loss 3.4213, time 120.43ms, mfu 3.20%", {"loss": 3.4213}),
        ("step 250: train loss 2.1, val loss 2.2", {"loss": 2.1, "val_loss": 2.2}),
        ("step=10 loss=2.31 lr=1e-4 gnorm=0.5", {"loss": 2.31, "lr": 1e-4, "grad_norm": 0.5}),
        ("2024-01-01 10:00:00,123 INFO train: Step: 10, Loss: nan", {"loss": math.nan}),
        ("[epoch 3] train_loss: 0.31 | val_loss: 0.44 | acc: 91.2%", {"loss": 0.31, "val_loss": 0.44, "accuracy": 91.2}),
        ("| epoch   1 |   200/ 2928 batches | lr 5.00 | ms/batch 31.0 | loss  8.21 | ppl  3681.0", {"lr": 5.0, "loss": 8.21}),
        (
            " iteration  100/ 5000 | learning rate: 1.5E-04 | lm loss: 9.1E+00 | grad norm: 1.2 |",
            {"loss": 9.1, "grad_norm": 1.2},
        ),
        ("Epoch: [0][ 10/5005]\tLoss 6.9e+00 (6.95e+00)\tAcc@1   0.39 (  0.20)", {"loss": 6.9, "accuracy": 0.39}),
        ("Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.291", {"loss": 2.291}),
        ("step 7 Test set: Average loss: 0.0512, Accuracy: 9800/10000 (98%)", {"val_loss": 0.0512, "val_accuracy": 98.0}),
        ("  3%|▎  | 30/1000 [00:01<00:30, 30.1it/s, loss=0.512]", {"loss": 0.512}),
        ("epoch 2 step 1,200 loss -inf", {"loss": -math.inf}),
        ('INFO | train_inner | {"epoch": 1, "update": 0.1, "loss": "5.31", "gnorm": "1.5", "lr": "0.25"}', {"loss": 5.31}),
    ],
)
def test_lines_of_text_logs(tmp_path: Path, line: str, found: dict[str, float]) -> None:
    trace = one(written(tmp_path, "train.log", f"starting up\n{line}\nsaved to /tmp/model\n"))
    for role, value in found.items():
        np.testing.assert_array_equal(trace[role], [value])


def test_counters_of_text_logs(tmp_path: Path) -> None:
    text = "step 0: train loss 10.98, val loss 10.97\niter 0: loss 10.9, time 3ms\niter 10: loss 9.9, time 3ms\n"
    trace = one(written(tmp_path, "a.log", text))
    assert trace.step.tolist() == [0, 10]
    assert trace.columns["val_loss"].step.tolist() == [0]
    bar = "  3%|▎  | 30/1000 [00:01<00:30, loss=0.5]\r  4%|▎  | 40/1000 [00:01<00:30, loss=0.4]\r"
    assert one(written(tmp_path, "b.log", bar)).step.tolist() == [30, 40]


def test_an_unfinished_keras_epoch_is_left_out(tmp_path: Path) -> None:
    text = "Epoch 1/3\n10/10 - 0s - 5ms/step - loss: 0.5\nEpoch 2/3\n 3/10 ━━ 0s 5ms/step - loss: 0.9"
    trace = one(written(tmp_path, "a.txt", text))
    assert trace.loss.tolist() == [0.5]
    assert "epoch 2 is unfinished and was left out" in trace.notes


def test_rounding_is_measured(tmp_path: Path) -> None:
    text = "".join(f"step {k} loss {2 * 0.9**k:.3f}\n" for k in range(40))
    trace = one(written(tmp_path, "a.log", text))
    assert trace.config["rounding"] == {"loss": 0.001}
    assert "rounded" in trace.config["lossy"]


# -- maps, folders, refusals ---------------------------------------------------------------------------------------------


def test_map_corrects_a_role(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "step,loss,foo\n0,1,7\n1,2,8\n")
    trace = one(path, map={"loss": "foo"})
    assert trace.loss.tolist() == [7, 8]
    assert trace["loss (as logged)"].tolist() == [1, 2]
    with pytest.raises(DescendError, match="has no column 'bar' to read as loss; it has foo, loss"):
        logs.read(path, map={"loss": "bar"})


def test_without_a_loss_the_note_says_what_there_is(tmp_path: Path) -> None:
    trace = one(written(tmp_path, "a.csv", "step,foo\n0,7\n1,8\n"))
    assert any("no column looks like a loss (it has foo)" in note for note in trace.notes)


def test_a_folder_of_everything(tmp_path: Path) -> None:
    written(tmp_path, "runs/one/metrics.csv", "step,loss\n0,1\n")
    written(tmp_path, "runs/two.jsonl", '{"step": 0, "loss": 2}\n{"step": 1, "loss": 2}\n')
    written(tmp_path, "runs/config.json", '{"lr": 0.1}')
    written(tmp_path, "README.txt", "Three apples and 5 pears.\n")
    written(tmp_path, "data/train.csv", "length,width\n1,2\n3,4\n")
    written(tmp_path, "model.pt", b"PK\x03\x04junk")
    shutil.copytree(FIXTURES / "tensorboard/torch", tmp_path / "tb")
    assert [trace.name for trace in logs.read(tmp_path)] == ["runs/one/metrics.csv", "runs/two.jsonl", "tb"]


def test_a_log_that_cannot_be_read_is_reported_in_its_folder(tmp_path: Path) -> None:
    written(tmp_path, "a.csv", "step,loss\n0,1\n")
    written(tmp_path, "sub/trainer_state.json", '{"log_history": [')
    good, bad = logs.read(tmp_path)
    assert good.loss.tolist() == [1]
    assert bad.columns == {}
    assert "not whole JSON" in bad.notes[0]


def test_links_in_circles(tmp_path: Path) -> None:
    written(tmp_path, "a/run.csv", "step,loss\n0,1\n")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "c")
    (tmp_path / "c").symlink_to(tmp_path / "b")
    assert len(logs.read(tmp_path)) == 1


def test_too_many_logs_are_refused_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(12):
        written(tmp_path, f"{i}.csv", "step,loss\n0,1\n")
    with pytest.raises(DescendError, match="holds more than 10 logs; name a folder inside it"):
        logs.read(tmp_path, limit=10)
    assert [t.name for t in logs.read(tmp_path, limit=12)] == [f"{i}.csv" for i in range(12)]
    monkeypatch.setattr(sources, "MAX_ENTRIES", 5)
    with pytest.raises(DescendError, match="more than 5 files"):
        logs.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"", "is empty: nothing was logged"),
        ("a.csv", b" \n\n", "only blank lines"),
        ("a.bin", bytes(range(256)) * 8, "binary data of no format known"),
        ("a.pkl", b"\x80\x04\x95junk", "pickle, which could run code and is never opened"),
        ("a.txt", b"It was a dark and stormy night.\n", "not a training log"),
        ("a.csv", b"name,city\nbob,rome\n", "no header of column names over rows of numbers"),
        ("a.json", b'{"lr": 0.1, "a": {}}', "holds no records of a training log"),
        ("a.json", b'[{"loss": 1.0}, ', "not whole JSON"),
        ("a.json", b"[" * 100_000, "not whole JSON"),
        ("events.out.tfevents.1.h", b"\x18\x00", "holds no whole event"),
        ("a.db", b"SQLite format 3\x00" + bytes(200), "could not be read as an SQLite database"),
        ("a.npz", b"PK\x03\x04" + bytes(50), "not a (whole )?trace saved by descend"),
        ("a.wandb", b":W&B\x00\x00\x00rest", "its header is damaged"),
    ],
)
def test_refusals_are_one_sentence(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    with pytest.raises(DescendError, match=sentence) as caught:
        logs.read(written(tmp_path, name, content))
    assert "\n" not in str(caught.value)


@pytest.fixture
def forbidden() -> Iterator[Path]:
    """A folder with an open file, a closed one and a closed folder, met by a user who may not read everything."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    written(folder, "open.csv", "step,loss\n0,1\n")
    written(folder, "closed.csv", "step,loss\n0,1\n").chmod(0)
    written(folder, "secret/a.csv", "step,loss\n0,1\n").parent.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield folder
    if root:
        os.seteuid(0)
    (folder / "secret").chmod(0o755)
    shutil.rmtree(folder)


def test_missing_and_forbidden(forbidden: Path) -> None:
    with pytest.raises(DescendError, match="there is no file or folder"):
        logs.read(forbidden / "nowhere")
    for name in ("closed.csv", "secret", "secret/a.csv"):
        with pytest.raises(DescendError, match="permission denied"):
            logs.read(forbidden / name)
    notes = {trace.name: trace.notes for trace in logs.read(forbidden)}
    assert notes["open.csv"] == ()
    assert "permission denied" in notes["closed.csv"][0]
    assert "permission denied" in notes["secret"][0]


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DescendError, match="neither a file nor a folder"):
        logs.read(tmp_path / "pipe")


def test_other_databases_and_empty_ones(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute("CREATE TABLE metrics (name TEXT, amount REAL)")
    with pytest.raises(DescendError, match="not one of MLflow, trackio or Optuna"):
        logs.read(tmp_path / "a.db")


def test_reading_a_database_leaves_nothing_beside_it(tmp_path: Path) -> None:
    for name in ("mlflow/mlflow.db", "trackio/known.db", "optuna/optuna.db"):
        shutil.copy(FIXTURES / name, tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    logs.read(tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_database_being_written_is_read_up_to_its_last_commit(tmp_path: Path) -> None:
    path = tmp_path / "live.db"
    with sqlite3.connect(path) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE metrics (id INTEGER PRIMARY KEY, run_name TEXT, step INTEGER, metrics TEXT)")
        writer.execute("INSERT INTO metrics (run_name, step, metrics) VALUES ('r', 0, '{\"loss\": 2.5}')")
        writer.commit()
        writer.execute("INSERT INTO metrics (run_name, step, metrics) VALUES ('r', 1, '{\"loss\": 1.5}')")
        assert one(path).loss.tolist() == [2.5]
    writer.close()


def test_a_cut_gzip_file_gives_what_it_has(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    text = "step,loss\n" + "".join(f"{k},{v}\n" for k, v in enumerate(rng.random(5000).tolist()))
    trace = one(written(tmp_path, "a.csv.gz", gzip.compress(text.encode())[:-2000]))
    assert 100 < len(trace.loss) < 5000


def test_a_short_gzip_file_cut_in_its_first_kilobyte_gives_what_it_has(tmp_path: Path) -> None:
    text = "step,loss\n" + "".join(f"{k},{v}\n" for k, v in enumerate(np.random.default_rng(0).random(100).tolist()))
    trace = one(written(tmp_path, "a.csv.gz", gzip.compress(text.encode())[:600]))
    assert 20 < len(trace.loss) < 100


def test_progress_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "a.csv", "step,loss\n0,1\n1,2\n")
    seen: list[tuple[str, int, int]] = []
    logs.read(path, progress=lambda *state: seen.append(state))
    assert seen == [(str(path), 18, 18)]
    with path.open("rb") as stream:
        monkeypatch.setattr("descend.logs.standard_input", lambda: stream)
        assert one("-").loss.tolist() == [1, 2]

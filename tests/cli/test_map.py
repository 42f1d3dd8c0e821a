"""`descend map`: the picture, its metadata, going on after a kill, bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import descend as ds
from descend.cli import main
from descend.cli.map import _speed
from descend.planes import compute


def run(*args):
    return CliRunner().invoke(main, ["map", *args])


def test_the_picture_carries_its_parameters(tmp_path):
    out, data = tmp_path / "map.png", tmp_path / "map.npz"
    result = run("x² + 3y²", "--start", "4,3", "--optimizer", "momentum", "--x", "lr=0.01:1.5", "--y", "momentum=0:0.99",
                 "--size", "24x16", "--steps", "100", "--out", str(out), "--data", str(data), "--json")  # fmt: skip
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert told["descents"] == 24 * 16
    assert sum(told["outcomes"].values()) == 24 * 16
    about = json.loads(Image.open(out).text["Description"])
    assert about == told["config"]
    assert about["axes"] == {"lr": [0.01, 1.5, 24, "linear"], "momentum": [0.0, 0.99, 16, "linear"]}
    assert ds.Plane.load(data).shape == (24, 16)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_bare_pixels_are_one_per_descent(tmp_path):
    out = tmp_path / "map.png"
    result = run("rosenbrock", "--x", "lr=1e-5:1e-1:log", "--size", "20x1", "--steps", "50", "--bare", "--out", str(out))
    assert result.exit_code == 0, result.output
    image = np.asarray(Image.open(out).convert("RGB"))
    assert image.shape == (1, 20, 3)
    assert (image[0, -1] == 0).all()
    assert (image[0, 0] != 0).any()


def test_a_killed_map_goes_on_where_it_was(tmp_path):
    out = tmp_path / "map.png"
    args = ["rosenbrock", "--optimizer", "adam", "--x", "lr=1e-4:1:log", "--y", "beta1=0:0.99",
            "--size", "256", "--steps", "20000", "--out", str(out), "--data", str(tmp_path / "m.npz")]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "descend", "map", *args], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    mark = tmp_path / ".map.png.partial" / "outcome.npy"
    try:
        for _ in range(1200):
            time.sleep(0.1)
            assert process.poll() is None, "finished before it could be killed"
            if mark.exists() and mark.stat().st_size > 65536 and (np.load(mark, mmap_mode="r") >= 0).any():
                break
        else:
            pytest.fail("nothing was computed")
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    kept = np.load(mark)
    assert 0 < (kept >= 0).mean() < 1
    assert not out.exists()
    losses = np.load(tmp_path / ".map.png.partial" / "loss.npy")[kept >= 0]
    # finish the rest quickly: what is computed must be taken over, not made again
    np.save(mark, np.where(np.arange(kept.size) < kept.size - 512, np.where(kept >= 0, kept, 1), kept).astype(np.int8))
    result = CliRunner().invoke(main, ["map", *args])
    assert result.exit_code == 0, result.output
    assert "going on from" in result.stderr
    assert out.exists()
    assert not (tmp_path / ".map.png.partial").exists()
    made = ds.Plane.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(made.loss.ravel()[kept >= 0], losses)


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """Run a map of `f.py:f` that is interrupted after its first chunk; the arguments that go on with it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.py").write_text("def f(x, y):\n    return x**2 + 3 * y**2\n")
    args = ["f.py:f", "--start", "4,3", "--x", "lr=0.01:0.1", "--size", "32x32", "--y", "x=1:4",
            "--steps", "20", "--memory", "0.01", "--out", "m.png", "--data", "m.npz"]  # fmt: skip
    chunks = compute._chunks

    def one_chunk(*given):
        yield next(chunks(*given))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(compute, "_chunks", one_chunk)
        result = run(*args)
    assert result.exit_code == 130
    assert (tmp_path / ".m.png.partial").exists()
    return args


def test_an_unchanged_function_goes_on(interrupted):
    result = run(*interrupted, "--json")
    assert result.exit_code == 0, result.output
    assert "going on from" in result.stderr
    assert "starting over" not in result.stderr
    told = json.loads(result.stdout)
    assert 0 < told["computed"] < told["descents"] == 32 * 32  # the speed is told of what this call computed


def test_a_touched_file_is_not_a_changed_one(interrupted, tmp_path):
    os.utime(tmp_path / "f.py", (1, 1))
    assert "going on from" in run(*interrupted).stderr


def test_a_changed_function_starts_over_and_says_so(interrupted, tmp_path):
    (tmp_path / "f.py").write_text("def f(x, y):\n    return 7 + x**2 + 3 * y**2\n")
    result = run(*interrupted)
    assert result.exit_code == 0, result.output
    assert "starting over: the interrupted map differs in the objective's file" in result.stderr
    assert "going on from" not in result.stderr
    assert (ds.Plane.load(tmp_path / "m.npz").loss >= 7).all()


def test_another_version_starts_over(interrupted, monkeypatch):
    monkeypatch.setattr(ds, "__version__", "0.0.0")
    assert "descend's version" in run(*interrupted).stderr


def test_the_speed_has_digits_to_read():
    speeds = [0.25, 12, 999.7, 4_200, 38_400, 999_900, 1_234_000, 412_000_000]
    assert [_speed(v) for v in speeds] == [
        "0.25", "12", "1.0 thousand", "4.2 thousand", "38 thousand", "1.0 million", "1.2 million", "412 million"
    ]  # fmt: skip


def test_a_slow_map_does_not_claim_no_steps(tmp_path):
    result = run("x²", "--start", "1", "--x", "lr=0.1:1", "--size", "2x1", "--steps", "3", "--out", str(tmp_path / "m.png"))
    assert result.exit_code == 0, result.output
    assert " 0 million" not in result.output
    assert "steps a second" in result.output


def test_a_saddle_is_not_solved(tmp_path):
    result = run("saddle", "--x", "lr=1e-3:1:log", "--size", "32x1", "--steps", "200", "--out", str(tmp_path / "m.png"))
    assert result.exit_code == 0, result.output
    assert "solved at" not in result.output
    assert "diverged" in result.output


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["x²", "--x", "lr", "--out", "m.png"], "NAME=LOW:HIGH"),
        (["x²", "--x", "lr=1:0.1", "--out", "m.png"], "from low to high"),
        (["x²", "--x", "lr=0:1:log", "--out", "m.png"], "positive"),
        (["x²", "--x", "lr=0.1:1", "--y", "lr=0.1:1", "--out", "m.png"], "two different"),
        (["x²", "--x", "beta=0.1:1", "--start", "1", "--out", "m.png"], "neither a hyperparameter"),
        (["x²", "--x", "lr=0.1:1", "--out", "m.jpg"], "must end in .png"),
        (["x²", "--x", "lr=0.1:1", "--size", "0", "--out", "m.png"], "--size"),
        (["x²", "--x", "lr=0.1:1", "--out", "nowhere/m.png"], "no folder"),
        (["x²", "--x", "lr=0.1:1", "--out", "m.png"], "start"),
    ],
)
def test_bad_input_is_one_sentence(args, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []

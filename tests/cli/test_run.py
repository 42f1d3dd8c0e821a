"""`descend run`: what it prints, its JSON, its files, and how it refuses."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import descend as ds
from descend.trace import Trace

BOWL = ["x**2 + 3*y**2", "--start", "4,3"]
OUTCOMES = {"converged", "step_budget", "stalled", "diverged", "failed"}


def number(value: Any, *, none: bool = False) -> bool:
    return (none and value is None) or (isinstance(value, int | float) and not isinstance(value, bool))


def conforms(answer: dict[str, Any]) -> None:
    """The shape that is promised; keys may be added."""
    assert isinstance(answer["objective"], str)
    assert all(number(v) for v in answer["start"])
    assert answer["runs"]
    for run in answer["runs"]:
        assert isinstance(run["optimizer"], str)
        assert isinstance(run["hyperparameters"], dict)
        assert run["outcome"] in OUTCOMES
        assert run["message"].endswith(".")
        assert isinstance(run["steps"], int)
        assert set(run["loss"]) == {"first", "last", "best"}
        assert all(number(v, none=True) for v in run["loss"].values())
        assert run["point"] is None or all(number(v, none=True) for v in run["point"])
        assert run["sign_changes"] is None or all(isinstance(n, int) for n in run["sign_changes"].values())
        assert set(run["stability"]) >= {"at", "sharpness", "lr_limit", "ratio", "growth", "lr_suggested"}
        assert run["stability"]["at"] in ("start", "last")
        assert all(number(v, none=True) for k, v in run["stability"].items() if k != "at")


def rows(text: str) -> list[list[str]]:
    """The table of steps."""
    found, inside = [], False
    for line in text.splitlines():
        words = line.split()
        if words[:2] == ["step", "loss"]:
            inside = True
        elif inside and not words:
            break
        elif inside:
            found.append(words)
    return found


# -- text ------------------------------------------------------------------------------------------------------------------


def test_the_main_job_tells_rule_steps_outcome_why_and_what_to_try(command: Any) -> None:
    result = command("run", *BOWL, "--lr", "0.4", "--steps", "20")
    assert result.exit_code == 0
    flat = " ".join(result.stdout.split())
    assert "minimise f(x, y) = x² + 3y² from (x, y) = (4, 3)" in flat
    assert "p ← p − lr·g with lr = 0.4" in flat
    assert [row[0] for row in rows(result.stdout)] == ["0", "1", "2", "3", "5", "10", "20"]
    assert rows(result.stdout)[1][1:4] == ["53.56", "0.8", "-4.2"]
    assert "outcome Diverged: the loss grew from 43 to 1.89e+07 in 20 steps, 1.96 times a step at the end." in flat
    assert (
        "why The steepest direction has curvature 6, so plain gradient descent is stable below 2/6 = 0.3333; "
        "0.4 is 1.2 times that: y grows by 1.4 a step." in flat
    )
    assert "try --lr 0.25: the rate at which the slowest direction shrinks fastest; predicted to" in flat
    assert "the loss above its minimum to a millionth in 10 steps." in flat


def test_what_it_promises_of_the_rate_to_try_is_what_that_rate_does(command: Any) -> None:
    (run,) = command.json("run", *BOWL, "--lr", "0.4", "--steps", "20")["runs"]
    assert run["stability"]["lr_suggested"] == 0.25
    trace = ds.descend("x^2 + 3y^2", [4, 3], ds.sgd(lr=0.25), steps=10)
    assert trace.loss[10] <= 1e-6 * trace.loss[0] < trace.loss[9]


def test_several_optimizers_share_a_table_and_each_states_its_rate(command: Any) -> None:
    text = command(
        "run", *BOWL, "--steps", "20", "--lr", "0.1", "--optimizer", "sgd", "--optimizer", "adam:lr=0.4", "--optimizer", "lion"
    ).stdout
    header = next(line.split() for line in text.splitlines() if line.split()[:1] == ["step"])
    assert header == ["step", "sgd", "adam", "lion"]
    table = {line.split()[0]: line.split()[1] for line in text.splitlines() if " step_budget " in line or " stalled " in line}
    assert table == {"sgd": "0.1", "adam": "0.4", "lion": "0.1"}


def test_two_of_the_same_optimizer_are_told_apart(command: Any) -> None:
    text = command("run", *BOWL, "--steps", "5", "--optimizer", "sgd:lr=0.1", "--optimizer", "sgd:lr=0.2").stdout
    assert "sgd:lr=0.1" in text
    assert "sgd:lr=0.2" in text


def test_more_than_four_variables_and_a_single_one(command: Any) -> None:
    assert command("run", "a^2+b^2+c^2+d^2+k^2+f^2+g^2", "--start", "1,2,3,4,5,6,7", "--steps", "3").exit_code == 0
    assert rows(command("run", "(x-3)^2", "--start", "0", "--lr", "0.1", "--steps", "2").stdout)[1][2] == "0.6"


# -- JSON ------------------------------------------------------------------------------------------------------------------

CASES = {
    "diverging": [*BOWL, "--lr", "0.4"],
    "to infinity": [*BOWL, "--lr", "0.4", "--steps", "5000"],
    "nan at the start": ["log(-x^2)", "--start", "1", "--lr", "0.1"],
    "a surface": ["rosenbrock", "--steps", "30"],
    "no curvature": ["x + y", "--start", "1,2", "--lr", "0.1", "--steps", "5"],
    "downwards": ["-x^2", "--start", "1", "--lr", "0.1", "--steps", "5"],
    "nine variables": ["a^2+b^2+c^2+d^2+k^2+f^2+g^2+h^2+m^2", "--start", "1,1,1,1,1,1,1,1,1", "--steps", "5"],
    "several": [
        *BOWL,
        *(w for n in ("sgd", "momentum", "adam", "lion", "prodigy", "lamb", "asgd") for w in ("--optimizer", n)),
    ],
    "scheduled": [*BOWL, "--steps", "9", "--optimizer", "sgd:lr=cosine(0.1, 9)"],
    "tuned": [*BOWL, "--steps", "9", "--tune", "lr", "--optimizer", "sgd", "--optimizer", "adam"],
}


@pytest.mark.parametrize("name", CASES)
def test_json_is_strict_and_of_the_promised_shape(command: Any, name: str) -> None:
    answer = command.json("run", *CASES[name])
    conforms(answer)
    if name == "to infinity":
        assert answer["runs"][0]["loss"]["last"] is None
    if name == "nine variables":
        assert answer["runs"][0]["sign_changes"] is None
    if name == "nan at the start":
        assert answer["runs"][0]["outcome"] == "failed"
        assert answer["runs"][0]["loss"] == {"first": None, "last": None, "best": None}


def test_json_says_what_the_library_finds(command: Any) -> None:
    answer = command.json("run", *BOWL, "--optimizer", "adam:lr=0.4,beta1=0.8", "--steps", "20")
    trace = ds.descend("x^2 + 3y^2", [4, 3], ds.adam(lr=0.4, beta1=0.8), steps=20)
    (run,) = answer["runs"]
    assert answer["start"] == [4.0, 3.0]
    assert answer["variables"] == ["x", "y"]
    assert run["hyperparameters"] == {"lr": 0.4, "beta1": 0.8, "beta2": 0.999, "eps": 1e-8}
    assert run["point"] == trace.points[-1].tolist()
    assert run["loss"] == {"first": 43.0, "last": trace.loss[-1], "best": trace.loss.min()}
    assert run["sign_changes"] == trace.sign_changes()


# -- starts and objectives -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["--start", "-5,-2"],
        ["--start=-5,-2"],
        ["--start", "x=-5,y=-2"],
        ["--start", "y=-2, x=-5"],
        ["--start", "(-5; -2)"],
        ["--start", "−5 −2"],
    ],
)
def test_forms_of_a_start(command: Any, words: list[str]) -> None:
    answer = command.json("run", "x^2 + 2y^2", *words, "--lr", "0.1", "--steps", "1")
    assert answer["start"] == [-5.0, -2.0]


@pytest.mark.parametrize("text", ["-x^2 + 4x", "−x² + 4x", "-(x^2) + 4*x"])
def test_an_objective_may_begin_with_a_minus(command: Any, text: str) -> None:
    (run,) = command.json("run", text, "--start", "1", "--lr", "0.1", "--steps", "1")["runs"]
    assert run["point"] == [pytest.approx(1 - 0.1 * 2)]


def test_a_surface_has_a_usual_start_and_one_may_be_given(command: Any) -> None:
    assert command.json("run", "rosenbrock", "--steps", "1")["start"] == [-1.2, 1.0]
    assert command.json("run", "rosenbrock", "--start", "0,0", "--steps", "1")["start"] == [0.0, 0.0]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A file of functions, good and bad."""
    file = tmp_path / "mine.py"
    file.write_text(
        "import math\nimport time\nimport numpy as np\nimport jax.numpy as jnp\n"
        "def bowl(x, y): return x**2 + 3 * y**2\n"
        "def array(p): return jnp.sum(p**2)\n"
        "def plain(p): return float(np.sum(np.asarray(p) ** 2))\n"
        "def slope(p): return 2 * p\n"
        "def raises(p): raise LookupError('no data here')\n"
        "def vector(p): return p * 2\n"
        "def nothing(p): pass\n"
        "def nan(p): return jnp.log(-jnp.sum(p**2))\n"
        "def wrong(p): return np.ones(5)\n"
        "def saddled(p): return np.array([2., -2.]) * p\n"
        "def turned(p): return np.where(p > 1, -2., 2.) * p\n"
        "def half(x, y): return x, 3 * y\n"
        "def slowly(p):\n    time.sleep(0.01)\n    return plain(p)\n"
        "def crawls(p):\n    time.sleep(0.1)\n    return plain(p)\n"
        "def kinked(p): return float(np.sum(np.abs(p)))\n"
        "def signs(p): return np.sign(p)\n"
        "def later(p):\n    later.n += 1\n    if later.n > 5: raise OSError('gone')\n    return float(np.sum(p ** 2))\n"
        "later.n = 0\n"
        "answer = 42\n"
    )
    return file


def test_functions_in_a_file(command: Any, mine: Path) -> None:
    steps = ["--start", "4,3", "--lr", "0.1", "--steps", "3"]
    expected = ds.descend("x^2 + 3y^2", [4, 3], ds.sgd(lr=0.1), steps=3).points[-1]
    (run,) = command.json("run", f"{mine}:bowl", *steps)["runs"]
    np.testing.assert_allclose(run["point"], expected, rtol=1e-14)
    for words in ([f"{mine}:array"], [f"{mine}:plain", "--grad", f"{mine}:slope"]):
        (run,) = command.json("run", *words, *steps)["runs"]
        np.testing.assert_allclose(run["point"], [4 * 0.8**3, 3 * 0.8**3], rtol=1e-14)


@pytest.mark.parametrize(
    ("function", "gradient", "words"),
    [
        ("plain", "saddled", "p[1] is wrong: −4.0 given, the slope is 4.0; the sign is flipped."),
        ("bowl", "half", "2 of 2 coordinates are wrong, y most: 6.0 given, the slope is 12.0; yours is half the slope."),
    ],
)
def test_a_gradient_that_is_no_slope_is_told_and_used(
    command: Any, mine: Path, function: str, gradient: str, words: str
) -> None:
    words = f"warning the gradient given is not the slope of the function at the start: {words}"
    asked = ["run", f"{mine}:{function}", "--grad", f"{mine}:{gradient}", "--start", "1,2", "--lr", "0.1", "--steps", "2"]
    assert words in " ".join(command(*asked).stdout.split())
    told = command.json(*asked)
    assert told["gradient_check"]["ok"] is False
    assert told["gradient_check"]["message"] in words
    assert told["runs"][0]["steps"] == 2


@pytest.mark.parametrize(
    ("function", "gradient", "ok"),
    [("plain", "slope", True), ("slowly", "slope", True), ("kinked", "signs", True), ("crawls", "saddled", None)],
)
def test_a_right_gradient_is_not_remarked_on_nor_one_that_takes_too_long_to_check(
    command: Any, mine: Path, monkeypatch: Any, function: str, gradient: str, ok: bool | None
) -> None:
    monkeypatch.setattr("descend.cli.slopes.MOMENT", 0.5 if ok is None else 60.0)  # a busy machine is slow too
    asked = ["run", f"{mine}:{function}", "--grad", f"{mine}:{gradient}", "--start", "1,2", "--lr", "0.1", "--steps", "2"]
    assert "warning" not in command(*asked).stdout
    found = command.json(*asked)["gradient_check"]
    assert found is None if ok is None else found["ok"] is ok


def test_a_slow_functions_gradient_is_checked_along_itself(command: Any, mine: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("descend.cli.slopes.MOMENT", 2.0)  # 410 evaluations of .01 s are too many, 20 are not
    start = ",".join(["1"] * 20 + ["2"] * 20)
    asked = ["run", f"{mine}:slowly", "--start", start, "--lr", "0.1", "--steps", "1"]
    found = command.json(*asked, "--grad", f"{mine}:turned")["gradient_check"]
    # p·p changes by 20·2·2 − 20·4·4 = −240 along (2, …, −4, …), which is 20 long
    assert (found["ok"], found["coordinates"]) == (False, [])
    assert found["message"] == "along it the function rises by −12.0 a unit, where its length says 20.0"
    assert command.json(*asked, "--grad", f"{mine}:slope")["gradient_check"]["ok"] is True


def test_a_derived_gradient_is_not_checked(command: Any) -> None:
    assert command.json("run", *BOWL, "--lr", "0.1", "--steps", "2")["gradient_check"] is None


def test_nan_from_the_first_step_is_an_outcome(command: Any, mine: Path) -> None:
    result = command("run", f"{mine}:nan", "--start", "1,2", "--lr", "0.1")
    assert result.exit_code == 0
    assert "Failed: the loss is nan at the start point" in result.stdout
    assert "try" not in result.stdout.split("outcome")[1]


# -- files -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["npz", "json", "csv"])
def test_the_trace_is_saved(command: Any, tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"out.{ending}"
    result = command("run", *BOWL, "--lr", "0.1", "--steps", "20", "--trace", str(target), "--json")
    assert result.exit_code == 0
    json.loads(result.stdout)  # the remark about the file does not stand among the JSON
    expected = ds.descend("x^2 + 3y^2", [4, 3], ds.sgd(lr=0.1), steps=20)
    if ending == "csv":
        header, *lines = list(csv.reader(target.read_text().splitlines()))
        assert header == ["step", "loss", "grad_norm", "update_norm", "lr", "x", "y"]
        assert [float(line[1]) for line in lines] == expected.loss.tolist()
    else:
        assert np.array_equal(Trace.load(target).points, expected.points)
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


def test_several_runs_are_saved_under_names_of_their_own(command: Any, tmp_path: Path) -> None:
    words = ["--optimizer", "sgd:lr=0.1", "--optimizer", "adam:lr=0.4", "--optimizer", "sgd:lr=cosine(0.1, 5)"]
    result = command("run", *BOWL, "--steps", "5", *words, "--trace", str(tmp_path / "t.json"))
    assert result.exit_code == 0, result.output
    names = {p.name for p in tmp_path.iterdir()}
    assert len(names) == 3
    for name in names:
        assert Trace.load(tmp_path / name).steps == 5
        assert name in result.stdout.replace("\n", "")


# -- refusals --------------------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[list[str], str]] = {
    "malformed": (["x**2 +* 3", "--start", "1"], "'*' at position 7"),
    "unknown function": (["foo(x)", "--start", "1"], "foo"),
    "import": (["__import__('os')", "--start", "1"], "'__import__' at position 1"),
    "attribute": (["x.y", "--start", "1"], "attributes cannot be read"),
    "tower": (["9**9**9**9", "--start", "1"], "not finite"),
    "brackets": (["(" * 5000 + "x" + ")" * 5000, "--start", "1"], "at most 10000 are read"),
    "deep": (["(" * 4000 + "x" + ")" * 4000, "--start", "1"], "deep"),
    "empty": (["", "--start", "1"], ""),
    "too few": (["x^2 + y^2", "--start", "1"], "1 coordinate"),
    "too many": (["x^2", "--start", "1,2"], "2 coordinates"),
    "no start": (["x^2"], "a start point is needed"),
    "nan start": (["x^2", "--start", "nan"], "not a finite number"),
    "word start": (["x^2", "--start", "abc"], "not a number"),
    "unknown coordinate": (["x^2", "--start", "z=1"], "names 'z'"),
    "lr 0": (["x^2", "--start", "1", "--lr", "0"], "sgd's lr must be above 0; got 0"),
    "lr negative": (["x^2", "--start", "1", "--lr", "-1"], "sgd's lr must be above 0; got -1"),
    "lr word": (["x^2", "--start", "1", "--lr", "fast"], "sgd's lr is a number; got 'fast'"),
    "lr nan": (["x^2", "--start", "1", "--lr", "nan"], "nan"),
    "steps 0": (["x^2", "--start", "1", "--steps", "0"], "steps must be a whole number of at least 1; got 0"),
    "steps 0, tuned": (["x^2", "--start", "1", "--steps", "0", "--tune", "lr"], "steps must be a whole number"),
    "steps negative": (["x^2", "--start", "1", "--steps", "-3"], "steps must be a whole number of at least 1; got -3"),
    "tol": (["x^2", "--start", "1", "--tol-grad", "-1"], "tol_grad must be a finite number of at least 0"),
    "seed": (["x^2", "--start", "1", "--seed", "-1"], "a seed is a whole number from 0"),
    "optimizer": (["x^2", "--start", "1", "--optimizer", "adm"], "there is no optimizer 'adm'"),
    "matrix rule": (["x^2", "--start", "1", "--optimizer", "muon"], "muon works on matrices alone"),
    "typo": (
        ["x^2", "--start", "1", "--optimizer", "adam:beta=0.9"],
        "adam has no hyperparameter 'beta'; it has lr, beta1, beta2, eps",
    ),
    "no value": (["x^2", "--start", "1", "--optimizer", "adam:lr"], "should be hyperparameter=value"),
    "twice": (["x^2", "--start", "1", "--optimizer", "adam:lr=1,lr=2"], "lr is stated twice"),
    "out of bounds": (
        ["x^2", "--start", "1", "--optimizer", "adam:beta1=1"],
        "adam's beta1 must be at least 0 and below 1; got 1",
    ),
    "bad schedule": (["x^2", "--start", "1", "--optimizer", "sgd:lr=cosin(1,2)"], "cosin"),
    "trace ending": (["x^2", "--start", "1", "--trace", "out.txt"], "'out.txt' must end in .npz, .json or .csv"),
    "figure ending": (["x^2", "--start", "1", "--figure", "out.jpg"], "'out.jpg' must end in .png or .svg"),
    "no folder": (["x^2", "--start", "1", "--trace", "/nowhere/out.npz"], "there is no folder '/nowhere'"),
    "no file": (["nowhere.py:f", "--start", "1"], "there is no file nowhere.py"),
    "surface typo": (["rosenbrok"], "did you mean 'rosenbrock'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_one_sentence_and_exit_code_2(command: Any, tmp_path: Path, monkeypatch: Any, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    words, expected = REFUSED[name]
    sentence = command.refused("run", *words)
    assert expected in sentence
    assert len(sentence) < 700
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["raises"], "LookupError: no data here (while raises was calculated)"),
        (["vector"], "must return one number"),
        (["nothing"], "must return one number"),
        (["plain"], "plain cannot be differentiated automatically: it calls numpy"),
        (["missing"], "defines no function 'missing'"),
        (["answer"], "is not a function"),
        (["plain", "--grad", "wrong"], "the gradient has shape (5,) where the parameter has (2,)"),
        (["later", "--grad", "slope"], "OSError: gone (while later was calculated)"),
    ],
)
def test_a_users_function_fails_in_one_sentence(command: Any, mine: Path, words: list[str], expected: str) -> None:
    named = [f"{mine}:{w}" if not w.startswith("-") else w for w in words]
    for more in (["--lr", "0.1"], []):
        assert expected in command.refused("run", *named, "--start", "1,2", "--steps", "20", *more)


def test_a_failed_save_after_the_text_is_exit_code_2(command: Any, tmp_path: Path) -> None:
    (tmp_path / "t.npz").mkdir()
    result = command("run", *BOWL, "--lr", "0.1", "--steps", "5", "--trace", str(tmp_path / "t.npz"))
    assert result.exit_code == 2
    assert "outcome" in result.stdout
    assert result.stderr.startswith("descend: could not write")
    assert [p.name for p in tmp_path.iterdir()] == ["t.npz"]


def test_a_reader_that_stops_listening_is_no_error(tmp_path: Path) -> None:
    script = f"{sys.executable} -m descend run 'x^2' --start 4 --steps 3 | true"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "Traceback" not in done.stderr


def test_numbers_in_the_table_are_the_traces(command: Any) -> None:
    table = rows(command("run", *BOWL, "--lr", "0.1", "--steps", "37").stdout)
    trace = ds.descend("x^2 + 3y^2", [4, 3], ds.sgd(lr=0.1), steps=37)
    assert [int(row[0]) for row in table] == [0, 1, 2, 3, 5, 10, 20, 37]
    for row in table:
        k = int(row[0])
        seen = [float(v) for v in row[1:]]
        assert seen == pytest.approx([trace.loss[k], *trace.points[k], trace.grad_norm[k]], rel=1e-3)
        assert all(math.isfinite(v) for v in seen)


def test_a_long_label_keeps_its_distance() -> None:
    from descend.cli.text import labelled

    assert labelled("schedule_free_sgd", "beta").startswith("schedule_free_sgd  beta")
    assert labelled("why", "So.") == "why        So."

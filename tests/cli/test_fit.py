"""`descend fit` as a person types it."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from click.testing import CliRunner

from descend.cli import main
from descend.trace import Trace


def run(*arguments: str, **options):
    return CliRunner().invoke(main, ["fit", *arguments], **options)


def told(*arguments: str, **options) -> dict:
    result = run(*arguments, "--json", **options)
    assert result.exit_code == 0, result.output

    def no_constant(name):
        raise AssertionError(f"{name} is not strict JSON")

    return json.loads(result.stdout, parse_constant=no_constant)


@pytest.fixture
def houses(tmp_path):
    rng = np.random.default_rng(3)
    area, rooms = rng.uniform(30, 200, 80), rng.integers(1, 7, 80)
    price = 3000 * area + 9000 * rooms + 40_000 + rng.normal(0, 5000, 80)
    lines = ["city,area,rooms,price"]
    lines += [f"{'AB'[i % 2]},{a:.2f},{r},{p:.0f}" for i, (a, r, p) in enumerate(zip(area, rooms, price, strict=True))]
    lines[7] = "A,,3,100000"
    path = tmp_path / "houses.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def exact(path) -> np.ndarray:
    """Least squares of price on area and rooms, read and solved apart from descend."""
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    numbers = np.array([[float(c) for c in row[1:]] for row in rows if all(row)])
    return np.linalg.lstsq(np.column_stack([numbers[:, :2], np.ones(len(numbers))]), numbers[:, 2], rcond=None)[0]


# -- the demonstrations ---------------------------------------------------------------------------------------------------


def rows_of(text: str) -> dict[str, list[str]]:
    return {
        line.split()[0].replace(",", ""): line.split()[1:]
        for line in text.splitlines()
        if line.startswith("  ") and line.split()
    }


def test_the_line_prints_what_the_loop_prints():
    result = run("--demo", "line")
    assert result.exit_code == 0
    rows = rows_of(result.output)
    expected = {
        "0": (49.5459, None, None),
        "40": (1.6826, 2.134, 1.719),
        "80": (0.4559, 2.052, 2.391),
        "120": (0.1656, 2.011, 2.717),
        "160": (0.0969, 1.992, 2.876),
    }
    for step, (loss, w, b) in expected.items():
        found = [float(cell) for cell in rows[step]]
        assert found[0] == loss
        assert w is None or found[1:] == [w, b]
    assert "loss before its update and the values after it" in result.output
    assert [round(float(v), 4) for v in rows["w"][1:3]] == [1.982, 1.9727]
    assert [round(float(v), 4) for v in rows["b"][1:3]] == [2.9522, 3.0267]
    assert "stable below 2/15.67 = 0.1276" in " ".join(result.output.split())
    assert "b is 2.952 and belongs at 3.027" in " ".join(result.output.split())


def test_the_line_at_rate_one_diverges():
    text = " ".join(run("--demo", "line", "--lr", "1.0").output.split())
    assert "Diverged" in text
    assert "0.1276; 1 is 7.84 times that" in text
    assert "nan" not in text


def test_the_line_at_a_rate_too_small():
    found = told("--demo", "line", "--lr", "1e-4")
    assert (found["steps"], round(found["coefficients"]["x"], 2), round(found["intercept"], 2)) == (200, 0.61, 0.17)
    found = told("--demo", "line", "--lr", "1e-4", "--steps", "10000")
    assert (round(found["coefficients"]["x"], 3), round(found["intercept"], 3)) == (2.030, 2.568)
    assert "b is 2.568 and belongs at 3.027" in found["conclusion"][0]


def test_the_curve_and_the_five_points():
    curve = told("--demo", "curve")
    best = curve["least_squares"]
    assert (round(best["coefficients"]["x"], 3), round(best["intercept"], 2), round(best["mse"], 1)) == (1.694, 17.01, 197.2)
    five = told("--demo", "five")
    assert (round(five["coefficients"]["x"], 5), round(five["intercept"], 5)) == (1.99984, 0.00059)
    assert round(five["stability"]["lr_limit"], 4) == 0.0845


def test_a_demo_with_an_optimizer_of_ones_own():
    found = told("--demo", "line", "--optimizer", "adam:lr=0.1", "--steps", "50")
    assert (found["optimizer"], found["hyperparameters"]["lr"], found["steps"]) == ("adam", 0.1, 50)
    assert not told("--demo", "line", "--optimizer", "sgd:lr=0.02")["lr_predicted"]
    assert told("--demo", "line", "--optimizer", "sgd:lr=0.02")["hyperparameters"]["lr"] == 0.02
    assert told("--demo", "line", "--standardise")["lr_predicted"]


# -- a person's own data --------------------------------------------------------------------------------------------------


def test_a_file_of_ones_own(houses):
    result = run(str(houses), "--target", "price")
    text = " ".join(result.output.split())
    assert result.exit_code == 0
    assert "79 of 80 rows; price from area, rooms" in text
    assert "column 'city' is left out: it holds words, such as 'A'" in text
    assert "1 row was dropped for a missing cell (in area)" in text
    assert "price = w1·area + w2·rooms + b, minimising the MSE" in text
    assert "lr predicted" in text
    assert "Arrived" in text
    found = told(str(houses), "--target", "price")
    best = exact(houses)
    assert np.allclose([*found["coefficients"].values(), found["intercept"]], best, rtol=1e-5)
    assert np.allclose([*found["least_squares"]["coefficients"].values(), found["least_squares"]["intercept"]], best, rtol=1e-9)


@pytest.mark.parametrize("way", ["gzip", "tab", "stdin", "gzip on stdin"])
def test_the_same_data_another_way(houses, tmp_path, way):
    plain = told(str(houses), "--target", "price")
    content, path, stdin = houses.read_bytes(), tmp_path / "other", None
    if way == "tab":
        content = content.replace(b",", b"\t")
    if "gzip" in way:
        content = gzip.compress(content)
    if "stdin" in way:
        path, stdin = "-", content
    else:
        path.write_bytes(content)
    other = told(str(path), "--target", "price", input=stdin)
    assert other["coefficients"] == plain["coefficients"]
    assert other["data"]["rows"] == 79


def test_chosen_features_raw_units_and_the_slow_direction(houses):
    found = told(str(houses), "--target", "price", "--features", "area", "--no-standardise")
    assert list(found["coefficients"]) == ["area"]
    assert not found["standardised"]
    assert "b is" in found["conclusion"][0]
    assert "The direction that lags is b" in found["conclusion"][1]


def test_batches(houses):
    def fitted(seed):
        return told(str(houses), "--target", "price", "--batch-size", "16", "--seed", seed, "--steps", "300")

    assert fitted("1") == fitted("1")
    assert fitted("1")["intercept"] != fitted("2")["intercept"]
    text = run(str(houses), "--target", "price", "--batch-size", "16", "--steps", "300").output
    assert "16 of 79 rows a step" in text
    assert "batch loss" in text


def test_a_start_of_ones_own(houses):
    found = told(
        str(houses), "--target", "price", "--features", "area", "--start", "-3000,40000", "--steps", "1", "--lr", "1e-9"
    )
    assert found["coefficients"]["area"] == pytest.approx(-3000, rel=1e-6)


def test_a_hundred_thousand_rows(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100_000, 2))
    y = X @ [2.0, -1.0] + 3 + 0.1 * rng.standard_normal(100_000)
    path = tmp_path / "big.csv"
    np.savetxt(path, np.column_stack([X, y]), delimiter=",", fmt="%.7f", header="p,q,y", comments="")
    found = told(str(path), "--target", "y")
    assert found["data"]["rows"] == 100_000
    assert found["coefficients"]["p"] == pytest.approx(2, abs=0.01)
    assert found["outcome"] == "converged"


def test_trace_and_figure_are_saved(houses, tmp_path):
    trace, figure = tmp_path / "t.npz", tmp_path / "f.png"
    result = run(str(houses), "--target", "price", "--trace", str(trace), "--figure", str(figure))
    assert result.exit_code == 0, result.output
    assert figure.read_bytes().startswith(b"\x89PNG")
    saved = Trace.load(trace)
    assert saved.config["standardised"] is True
    assert saved.outcome.kind == "converged"
    one = run("--demo", "line", "--figure", str(tmp_path / "f.svg"))
    assert one.exit_code == 0, one.output
    assert b"<svg" in (tmp_path / "f.svg").read_bytes()


# -- bad input: one sentence, exit 2 --------------------------------------------------------------------------------------

FILES = {
    "empty": b"",
    "binary": bytes(range(256)) * 40,
    "constant": b"x,y\n1,5\n1,6\n1,7\n",
    "missing": b"x,y\n,5\n,6\n",
    "words": b"x,y\na,5\nb,6\n",
    "one row": b"x,y\n1,2\n",
    "twice": b"x,x,y\n1,2,3\n4,5,6\n",
    "ragged": b"x,y\n1,2\n3\n",
    "typo": b"x,z,y\n1,2,3\n4,5o,6\n7,8,1\n",
    "constant target": b"x,y\n1,5\n2,5\n3,5\n",
    "all empty target": b"x,y\n1,\n2,\n3,\n",
}
GOOD = b"x,y\n1,2\n2,5\n3,6\n"


def assert_one_sentence(result, words: str = "") -> None:
    assert result.exit_code == 2, (result.exit_code, result.output, result.exception)
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("kind", FILES)
def test_a_bad_file(kind, tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(FILES[kind])
    result = run(str(path), "--target", "y")
    assert_one_sentence(result, "data.csv" if kind not in ("constant target",) else "'y'")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say which column"),
        (["--target", "Y2"], "its columns are x, y"),
        (["--target", "y", "--features", "q"], "no column 'q'"),
        (["--target", "y", "--features", " , "], "names no column"),
        (["--target", "y", "--lr", "0"], "above 0"),
        (["--target", "y", "--lr", "-1"], "above 0"),
        (["--target", "y", "--lr", "fast"], "is a number"),
        (["--target", "y", "--steps", "0"], "at least 1"),
        (["--target", "y", "--every", "0"], "at least 1"),
        (["--target", "y", "--batch-size", "0"], "at least 1"),
        (["--target", "y", "--optimizer", "adam:beta=1"], "adam has no hyperparameter 'beta'"),
        (["--target", "y", "--optimizer", "adams"], "no optimizer 'adams'"),
        (["--target", "y", "--start", "1"], "2 are needed"),
        (["--target", "y", "--figure", "f.gif"], "must end in .png or .svg"),
        (["--target", "y", "--trace", "no/such/t.npz"], "no folder"),
        (
            ["--target", "y", "--optimizer", "sgd", "--optimizer", "adam"],
            "--optimizer is given 2 times; a fit takes one: sgd or adam",
        ),
        (
            ["--target", "y", "--trace", "a.npz", "--trace", "b.csv"],
            "--trace is given 2 times; a fit takes one: a.npz or b.csv",
        ),
        (["--target", "y", "--figure", "a.png", "--figure", "b.svg"], "--figure is given 2 times"),
        (["--target", "y", "--demo", "line"], "--demo brings its own data"),
    ],
)
def test_bad_options(arguments, words, tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(GOOD)
    assert_one_sentence(run(str(path), *arguments), words)


def test_no_data_no_such_demo_and_no_such_file():
    assert_one_sentence(run(), "name a file to fit")
    assert_one_sentence(run("--demo", "lines"), "there are line, curve, five")
    assert_one_sentence(run("no.csv", "--target", "y"), "there is no file 'no.csv'")

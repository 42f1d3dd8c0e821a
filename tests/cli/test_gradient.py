"""`descend gradient`: what it prints, and what it says to bad input."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from descend.cli import main


def run(*args: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["gradient", *args], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def refused(sentence: str, *args: str) -> None:
    result = CliRunner().invoke(main, ["gradient", *args], catch_exceptions=False)
    assert result.exit_code == 2
    assert re.search(sentence, result.stderr), result.stderr
    assert result.stdout == ""


def test_bowl():
    text = run("x² + 3y²", "--at", "4,3")
    assert text.startswith("f(x, y) = x² + 3y²\nat x = 4, y = 3:  f = 43.0\n")
    for line in ("  ∂f/∂x   2x        8.0", "  ∂f/∂y   6y       18.0", "  norm         19.69772"):
        assert line in text
    row = next(line for line in text.split("\n") if line.startswith("  0.0001"))
    assert row.split()[1:5] == ["8.0001", "8.0", "18.0003", "18.0"]


def test_json_is_strict_and_complete():
    data = json.loads(run("3x²+2xy+y³", "--at", "y=2,x=1", "--json"))
    assert data["objective"] == "3x² + 2xy + y³"
    assert data["variables"] == ["x", "y"]
    assert (data["at"], data["value"]) == ([1.0, 2.0], 15.0)
    assert data["gradient"]["symbolic"] == ["6x + 2y", "2x + 3y²"]
    assert data["gradient"]["value"] == [10.0, 14.0]
    assert data["gradient"]["shape"] == [2]
    assert data["differences"][3]["h"] == 1e-4
    assert [rule["name"] for rule in data["rules"]] == ["constant factor", "power", "sum", "product"]
    assert json.loads(run("ackley", "--at", "0,0", "--json"))["gradient"]["value"] == [None, None]
    chain = json.loads(run("(3x+1)^2", "--at", "0", "--json"))["chain"]
    assert (chain["exact"], chain["forgotten"]) == (6.0, 2.0)
    assert chain["secant"] == pytest.approx(6.09)


def test_values_and_expressions_that_start_with_a_minus():
    assert "at x = −1, y = 2:" in run("x*y", "--at", "-1,2")
    assert "f(x) = −x² + 2" in run("-x^2+2", "--at", "-3")
    assert "at x = −1:" in run("-x", "--at=-1")


def test_surfaces_have_a_usual_start():
    assert "at x = −1.2, y = 1:" in run("rosenbrock")
    assert "at x = 1, y = 1:  f = 1876.0" in run("Goldstein-Price", "--at", "1,1")


def test_a_users_own_gradient_is_checked(tmp_path):
    file = tmp_path / "own.py"
    file.write_text(
        "def f(x, y):\n    return x**2 + 3*y**2\n\n"
        "def right(x, y):\n    return 2*x, 6*y\n\n"
        "def wrong(x, y):\n    return 2*x, 3*y\n"
    )
    assert "the gradient is right" in run(f"{file}:f", "--grad", f"{file}:right", "--at", "4,3")
    said = run(f"{file}:f", "--grad", f"{file}:wrong", "--at", "4,3", code=1)
    assert "x[1] is wrong: 9.0 given, the slope is 18.0; yours is half the slope" in said
    data = json.loads(run(f"{file}:f", "--grad", f"{file}:wrong", "--at", "4,3", "--json", code=1))
    assert data["ok"] is False
    automatic = run(f"{file}:f", "--at", "4,3")
    assert automatic.startswith(f"gradient of {file}:f: derived automatically by JAX\nthe gradient is right")
    assert "the gradient is right" in run("x² + 3y²", "--grad", f"{file}:right", "--at", "4,3")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["x*y"], r"give one number per variable \(x, y\) with --at"),
        (["x*y", "--at", "1"], r"the point '1' has 1 coordinate; 2 are needed \(x, y\)"),
        (["x*y", "--at", "nan,1"], "'nan' in the point 'nan,1' is not a finite number"),
        (["x +", "--at", "1"], "the expression ends after"),
        (["rosenbrok", "--at", "1,2"], "did you mean 'rosenbrock'"),
    ],
)
def test_bad_input_is_one_sentence(args, sentence):
    refused(sentence, *args)


def test_functions_that_jax_cannot_trace_need_a_gradient(tmp_path):
    file = tmp_path / "own.py"
    file.write_text("import math\n\ndef f(x, y):\n    return math.sin(x) + y\n\ndef g(x, y):\n    return math.cos(x), 1\n")
    refused("f cannot be differentiated automatically: it calls math", f"{file}:f", "--at", "4,3")
    assert "the gradient is right" in run(f"{file}:f", "--grad", f"{file}:g", "--at", "4,3")


def test_from_the_command_line_bad_input_is_exit_code_2_without_a_traceback():
    done = subprocess.run([sys.executable, "-m", "descend", "gradient", "x + $", "--at", "1"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.split("\n")[:3] == [
        "descend: the character '$' at position 5 is not part of an expression",
        "  x + $",
        "      ^",
    ]
    done = subprocess.run([sys.executable, "-m", "descend", "gradient", "--json", "-x^2", "--at", "-1"], capture_output=True)
    assert json.loads(done.stdout)["gradient"]["value"] == [2.0]


def test_unknown_options_are_named():
    result = CliRunner().invoke(main, ["gradient", "x", "--jsn"])
    assert result.exit_code == 2
    assert "No such option" in result.output
    assert "--json" in result.output


def test_the_exit_code_of_a_wrong_gradient_is_in_the_help():
    assert "The exit code is 1 where a coordinate of the gradient is found wrong" in " ".join(run("--help").split())


def test_the_nearest_difference_is_the_one_of_smallest_error():
    for args in (("x^2 + 3y^2", "1,2"), ("sin(x) + y", "0.3,1"), ("exp(x)*y", "1,-3"), ("x^3", "2")):
        rows = json.loads(run(args[0], "--at", args[1], "--json"))["differences"]
        kind, h, error = min(
            ((kind, row["h"], row[f"{kind}_error"]) for row in rows for kind in ("central", "forward")), key=lambda e: e[2]
        )
        line = next(line for line in run(args[0], "--at", args[1]).split("\n") if "nearest" in line)
        assert line.startswith(f"  nearest: {kind} at h = {h:g}, ")
        assert (f"relative error {error:.1e}." in line) == (error > 0)


@pytest.mark.parametrize(
    ("text", "at", "note"),
    [
        ("floor(x)", "1", "in x the function jumps up by 1.0 at this point"),
        ("y^2 - 3floor(x)", "1,2", "in x the function jumps down by 3.0 at this point"),
        ("sign(x) + y^2", "0,0", "in x the function jumps up by 2.0 at this point"),
    ],
)
def test_a_jump_is_said(text, at, note):
    said = run(text, "--at", at)
    assert f"note: {note}" in said
    assert "there is a jump here: no h gives the slope" in said
    assert "nearest" not in said
    assert "level stretch" not in said
    assert "= 0 = 0.0" not in said


@pytest.mark.parametrize(("text", "at"), [("floor(x)", "1.5"), ("|x|", "0"), ("1e16 + x", "1"), ("1/(1+exp(-1e6*x))", "0")])
def test_no_jump_where_there_is_none(text, at):
    assert "jump" not in run(text, "--at", at)

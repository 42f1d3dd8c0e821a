"""From what a person names to an objective: surfaces, files, expressions, callables; and what is said when it fails."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

from descend.cli import main
from descend.errors import DescendError
from descend.objectives import Objective, parse, resolve
from descend.objectives.pythonfile import why_not_traceable

USER = """
import math

import jax.numpy as jnp
import numpy as np

LIMIT = 3


def bowl(p):
    return p[0] ** 2 + 3 * p[1] ** 2


def named(x, y):
    return jnp.sin(x) + y ** 2


def named_slope(x, y):
    return math.cos(x), 2 * y


def slope_of_point(p):
    return np.array([2 * p[0], 6 * p[1]])


def by_numpy(x, y):
    return np.sin(x) + y


def one(x):
    return (x - 3) ** 2


def with_default(p, scale=2.0):
    return scale * jnp.sum(p ** 2)


def spread(*values):
    return sum(v ** 2 for v in values)


def raises(x):
    y = x
    return 1 / 0


def empty():
    return 1.0


def keyword(x, *, scale):
    return x


def vector(p):
    return 2 * p
"""


def scale_free(p):
    return p[0] ** 2


@pytest.fixture
def user(tmp_path):
    file = tmp_path / "loss.py"
    file.write_text(USER)
    return lambda name: f"{file}:{name}"


def test_a_function_of_the_point_and_one_of_named_coordinates(user):
    bowl = resolve(user("bowl"))
    assert (bowl.fun(np.array([4.0, 3.0])), bowl.variables, bowl.name) == (43.0, (), "bowl")
    assert bowl.coordinate_names(2) == ("p0", "p1")
    named = resolve(user("named"), user("named_slope"))
    assert named.variables == ("x", "y") == named.coordinate_names(2)
    assert float(named.fun(np.array([0.5, 2.0]))) == pytest.approx(np.sin(0.5) + 4)
    assert named.grad is not None
    np.testing.assert_allclose(named.grad(np.array([0.5, 2.0])), [np.cos(0.5), 4.0])
    assert resolve(user("bowl"), user("slope_of_point")).grad(np.array([4.0, 3.0])).tolist() == [8.0, 18.0]
    assert resolve(user("one")).fun(np.array([1.0])) == 4.0  # an array of one element counts as a number
    assert np.shape(resolve(user("one")).fun(np.array([1.0]))) == ()
    assert float(resolve(user("with_default")).fun(np.array([1.0, 2.0]))) == 10.0
    assert resolve(user("spread")).fun(np.array([1.0, 2.0, 3.0])) == 14.0


def test_what_can_be_traced_and_why_not(user):
    point = np.array([1.0, 2.0])
    assert why_not_traceable(resolve(user("bowl")), point) is None
    assert why_not_traceable(resolve("x² + y"), point) is None
    said = why_not_traceable(resolve(user("by_numpy")), point)
    assert said is not None
    assert said.startswith("by_numpy cannot be differentiated automatically: it calls numpy; write it with jax.numpy, or give")
    assert said.endswith("(--grad file.py:function, in `run` and `gradient`)")
    assert why_not_traceable(resolve(user("vector")), point) == "vector must return one number; it returned shape (2,)"
    branches = resolve(lambda p: p[0] if p[0] > 0 else -p[0])
    assert "it asks for the values of its parameter" in str(why_not_traceable(branches, point))


def test_torch_functions_are_recognised(tmp_path):
    file = tmp_path / "t.py"
    file.write_text("import torch\n\ndef inner(p):\n    return torch.sum(p ** 2)\n\ndef f(p):\n    return inner(p)\n")
    objective = resolve(f"{file}:f")
    assert objective.backend == "torch"
    assert "torch" in str(why_not_traceable(objective, np.ones(2)))
    assert resolve("x²").backend == "jax"
    import torch

    assert resolve(torch.nn.MSELoss()).backend == "torch"
    scale = torch.tensor(2.0)
    assert resolve(lambda p: scale * p[0]).backend == "torch"
    assert resolve(lambda p: scale_free(p)).backend == "jax"

    def imports_inside(p):
        import torch

        return torch.sum(p)

    assert resolve(imports_inside).backend == "torch"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nothing", "defines no function 'nothing'; it defines bowl, named, "),
        ("LIMIT", "'LIMIT' in .* is not a function"),
        ("", "names no function: write .*loss.py:f"),
        ("a b", "names no function"),
        ("empty", "empty takes no parameter; an objective takes the point"),
        ("keyword", "keyword has a keyword parameter without a default"),
    ],
)
def test_unusable_functions(user, name, sentence):
    with pytest.raises(DescendError, match=sentence):
        resolve(user(name))


def test_what_the_function_raises_is_one_sentence(user):
    with pytest.raises(DescendError) as caught:
        resolve(user("raises")).fun(np.array([1.0]))
    line = USER[: USER.index("1 / 0")].count("\n") + 1
    assert str(caught.value) == f"loss.py:{line}: ZeroDivisionError: division by zero (while raises was calculated)"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"def f(x:\n  return", r"^broken\.py:1: '\(' was never closed; it is not valid Python$"),
        (b"import math\nx = math.nope\n", r"^broken\.py:2: AttributeError: .* \(while broken\.py was read\)$"),
        (b"import no_such_module_at_all\n", r"^broken\.py:1: ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        (b"\x00\x01\xff", r"^broken\.py.*not valid Python$"),
        (b"import sys; sys.exit(3)", r"^broken\.py:1: it ended the program with sys.exit\(3\)"),
        (b"x = 1\nraise ValueError('several\\nlines')\n", r"^broken\.py:2: ValueError: several lines \(while"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, body, sentence):
    file = tmp_path / "broken.py"
    file.write_bytes(body)
    with pytest.raises(DescendError, match=sentence) as caught:
        resolve(f"{file}:f")
    assert "\n" not in str(caught.value)


def test_missing_files(tmp_path):
    with pytest.raises(DescendError, match="there is no file"):
        resolve(f"{tmp_path}/none.py:f")
    with pytest.raises(DescendError, match="names a file; name its function too"):
        resolve(f"{tmp_path}/none.py")
    with pytest.raises(DescendError, match=r"a function in a file is named file.py:function; got 'x\*\*2'"):
        resolve("x", "x**2")


def test_files_find_what_lies_beside_them_and_leave_the_path_alone(tmp_path):
    import sys

    (tmp_path / "beside_it_here.py").write_text("def part(p):\n    return p[0] ** 2\n")
    (tmp_path / "main_one.py").write_text("from beside_it_here import part\n\ndef f(p):\n    return part(p)\n")
    before = list(sys.path)
    assert resolve(f"{tmp_path}/main_one.py:f").fun(np.array([3.0])) == 9.0
    assert sys.path == before


def test_expressions_and_objects():
    assert resolve("x² + 3y²") is resolve("x² + 3y²")
    assert resolve("x**2").immutable
    objective = resolve(parse("x²"))
    assert objective.text == "x²"
    assert resolve(objective) is objective
    own = resolve(lambda w: (w["a"] ** 2).sum())
    assert isinstance(own, Objective)
    assert not own.immutable
    assert own.fun({"a": np.array([3.0, 4.0])}) == 25.0
    two = resolve(lambda x, y: x * y)
    assert two.variables == ("x", "y")
    assert two.fun(np.array([3.0, 4.0])) == 12.0


def test_a_callable_keeps_its_own_errors():
    with pytest.raises(ZeroDivisionError):
        resolve(lambda p: 1 / 0).fun(np.ones(1))


def test_a_gradient_that_takes_something_else():
    with pytest.raises(DescendError, match="the gradient takes x, y, z, the objective x, y"):
        resolve(lambda x, y: x * y, lambda x, y, z: (x, y, z))
    with pytest.raises(DescendError, match="a gradient is a function"):
        resolve("x²", 3)


@pytest.mark.parametrize(("what", "sentence"), [(3, "got int"), (None, "got NoneType"), ("foo", "no surface is named 'foo'")])
def test_what_is_no_objective(what, sentence):
    with pytest.raises(DescendError, match=sentence):
        resolve(what)
    assert resolve("x").text == "x"


ODD = """
import sys

import numpy as np

print("the file is read")


def text(p):
    return "hello"


def nothing(p):
    p[0] + 1


def pair(p):
    return p[0], p[1]


def default(x, y=3.0):
    return x * x + y


def leaves(p):
    sys.exit(3)


def whole(p):
    return 3


def chatty(p):
    print("called")
    return p[0] ** 2 + p[1] ** 2


def in_place(p):
    print("the slope")
    p *= 2
    return p
"""


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("text", r"text must return one number; it returned the text 'hello'"),
        ("nothing", r"nothing must return one number; it returned nothing \(None\): is a `return` missing\?"),
        ("pair", r"pair must return one number; it returned 2 values"),
        ("default", r"it returned shape \(2,\); x receives the whole point of 2 numbers, since y keeps its default"),
        ("leaves", r"odd.py:26: it ended the program with sys.exit\(3\) \(while leaves was calculated\)"),
        ("whole", r"whole must return a real number; it returned a whole number, which has no gradient"),
    ],
)
@pytest.mark.parametrize("command", [["gradient", "--at", "1,2"], ["run", "--start", "1,2", "--steps", "2", "--json"]])
def test_functions_that_return_no_number_are_refused_in_one_sentence(name, sentence, command, tmp_path):
    file = tmp_path / "odd.py"
    file.write_text(ODD)
    result = CliRunner().invoke(main, [command[0], f"{file}:{name}", *command[1:]], catch_exceptions=False)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert re.fullmatch(f"the file is read\ndescend: .*{sentence}\n", result.stderr), result.stderr


def test_a_file_that_ends_the_program_is_refused(tmp_path):
    file = tmp_path / "ends.py"
    file.write_text("import sys\nsys.exit('enough')\n")
    with pytest.raises(DescendError, match=r"ends.py:2: it ended the program with sys.exit\(enough\) \(while ends.py was read"):
        resolve(f"{file}:f")


def test_what_a_file_prints_stays_out_of_the_json(tmp_path):
    file = tmp_path / "odd.py"
    file.write_text(ODD)
    args = ["run", f"{file}:chatty", "--grad", f"{file}:in_place", "--start", "4,3", "--lr", "0.1", "--steps", "3", "--json"]
    result = CliRunner().invoke(main, args, catch_exceptions=False)
    assert result.exit_code == 0
    assert isinstance(json.loads(result.stdout), dict)
    assert {"the file is read", "called", "the slope"} <= set(result.stderr.split("\n"))


@pytest.mark.parametrize("start", [np.array([4.0, 3.0]), {"w": np.array([4.0, 3.0])}], ids=["array", "dict"])
def test_a_gradient_that_works_in_place_changes_neither_the_descent_nor_the_start(start):
    import descend as ds

    def f(p):
        w = p["w"] if isinstance(p, dict) else p
        value = float(np.sum(w**2))
        w *= 0.0
        return value

    buffer = np.zeros(2)

    def slope(p):
        w = p["w"] if isinstance(p, dict) else p
        w *= 2
        buffer[:] = w
        return {"w": buffer} if isinstance(p, dict) else buffer

    trace = ds.descend(f, start, ds.sgd(lr=0.1), steps=3, grad=slope)
    kept = start["w"] if isinstance(start, dict) else start
    assert kept.tolist() == [4.0, 3.0]
    np.testing.assert_allclose(trace.points, np.outer(0.8 ** np.arange(4), [4.0, 3.0]), rtol=1e-12)
    np.testing.assert_allclose(trace.loss, 25 * 0.64 ** np.arange(4), rtol=1e-12)


def test_a_gradient_that_returns_nothing_is_refused():
    slope = resolve(lambda p: p[0] ** 2, lambda p: None).grad
    assert slope is not None
    with pytest.raises(DescendError, match=r"must return the gradient, .*; it returned nothing \(None\)"):
        slope(np.ones(1))

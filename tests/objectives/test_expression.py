"""Expressions: what is understood, how it is printed, and what is said about what is not."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from formula_trees import NAMES, SMOOTH, formulas, python_value
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from descend.errors import DescendError
from descend.objectives.expression import Expression, natural_order, parse
from descend.objectives.functions import FUNCTIONS

POINT = {"x": 0.7, "y": -1.3, "z": 2.1, "w2": 0.4, "alpha": 1.6}


def value_at(expression: Expression, point: dict[str, float] | None = None) -> float:
    known = {**POINT, **(point or {})}
    return float(expression.numpy(*(known[name] for name in expression.variables)))


def attempt(typed: str) -> tuple[Expression | None, str]:
    """The expression, or what was said instead."""
    try:
        return parse(typed), ""
    except DescendError as error:
        return None, str(error)


READ = [
    # typed, printed, value at x = .7, y = −1.3, z = 2.1 calculated by hand in Python
    ("x**2 + 3*y**2", "x² + 3y²", 0.7**2 + 3 * 1.3**2),
    ("3x²+2xy+y³", "3x² + 2xy + y³", 3 * 0.49 - 2 * 0.7 * 1.3 - 1.3**3),
    ("-x^2", "−x²", -0.49),
    ("(−x)²", "(−x)²", 0.49),
    ("2^-x", "2^(−x)", 2**-0.7),
    ("2^3^2x", "2^(3²)x", 512 * 0.7),
    ("x^y^z", "x^(y^z)", None),
    ("(x^2)^3", "(x²)³", 0.7**6),
    ("1/2x²", "(1/2)x²", 0.245),
    ("½x²", "½x²", 0.245),
    ("x/2y", "(x/2)y", 0.7 / 2 * -1.3),
    ("x/(2y)", "x/(2y)", 0.7 / -2.6),
    ("x/y/z", "(x/y)/z", 0.7 / -1.3 / 2.1),
    ("x/(y/z)", "x/(y/z)", 0.7 / (-1.3 / 2.1)),
    ("x-(y-z)", "x − (y − z)", 0.7 + 1.3 + 2.1),
    ("2(x+1)", "2(x + 1)", 3.4),
    ("(x+1)(y-2)", "(x + 1)(y − 2)", 1.7 * -3.3),
    ("x(y+1)", "x·(y + 1)", 0.7 * -0.3),
    ("x × y · z ∗ 2", "xyz·2", 0.7 * -1.3 * 2.1 * 2),
    ("x ÷ y", "x/y", 0.7 / -1.3),
    ("√x", "√x", math.sqrt(0.7)),
    ("√2x", "√2·x", math.sqrt(2) * 0.7),
    ("√x²", "√(x²)", 0.7),
    ("√(x)²", "(√x)²", 0.7),
    ("|x||y|", "|x|·|y|", 0.7 * 1.3),
    ("|x|y|z|", "|x|·y·|z|", 0.7 * -1.3 * 2.1),
    ("||x|-1|", "abs(|x| − 1)", 0.3),
    ("2πx", "2πx", 2 * math.pi * 0.7),
    ("pi e tau x", "π·e·τx", math.pi * math.e * math.tau * 0.7),
    ("sin x", "sin(x)", math.sin(0.7)),
    ("sin 2x cos y", "sin(2x) cos(y)", math.sin(1.4) * math.cos(1.3)),
    ("sin x + 1", "sin(x) + 1", math.sin(0.7) + 1),
    ("sin²x", "sin(x)²", math.sin(0.7) ** 2),
    ("sin^3(x)y", "sin(x)³y", math.sin(0.7) ** 3 * -1.3),
    ("x e^-x", "x·e^(−x)", 0.7 * math.exp(-0.7)),
    ("2exp(x)", "2 exp(x)", 2 * math.exp(0.7)),
    ("ln(x)+log(x)", "ln(x) + ln(x)", 2 * math.log(0.7)),
    ("1e-3x", "1e-3x", 0.0007),
    (".5x+2.y", "0.5x + 2y", 0.35 - 2.6),
    ("x⁻²", "x⁻²", 0.7**-2),
    ("x^-2", "x⁻²", 0.7**-2),
    ("x²³", "x²³", 0.7**23),
    ("x^0.5", "x^0.5", 0.7**0.5),
    ("cbrt(y)", "cbrt(y)", -(1.3 ** (1 / 3))),
    ("max(x, y, 3z)", "max(x, y, 3z)", 6.3),
    ("min(x,y)+hypot(x,y)", "min(x, y) + hypot(x, y)", -1.3 + math.hypot(0.7, 1.3)),
    ("relu(y)+relu(x)+step(x)+step(y)", "relu(y) + relu(x) + step(x) + step(y)", 1.7),
    ("sigmoid(x)+softplus(y)", "sigmoid(x) + softplus(y)", 1 / (1 + math.exp(-0.7)) + math.log1p(math.exp(-1.3))),
    ("erf(x)+atan2(y,x)", "erf(x) + atan2(y, x)", math.erf(0.7) + math.atan2(-1.3, 0.7)),
    ("floor(y)+ceil(y)+sign(y)", "floor(y) + ceil(y) + sign(y)", -4.0),
    ("x^0 + y", "x⁰ + y", -0.3),
    ("x*-y", "x·(−y)", 0.91),
    ("2*-x*y", "2(−x)y", 1.82),
    ("2/-x*y", "(2/(−x))y", 2 / -0.7 * -1.3),
    ("--x", "−(−x)", 0.7),
    ("+x", "x", 0.7),
]


@pytest.mark.parametrize(("typed", "printed", "value"), READ, ids=[typed for typed, _, _ in READ])
def test_reads_mathematics_and_prints_how_it_was_read(typed, printed, value):
    expression = parse(typed)
    assert expression.text == printed
    if value is not None:
        assert value_at(expression) == pytest.approx(value, rel=1e-14)
    again = parse(expression.text)
    assert (again.text, again.variables) == (expression.text, expression.variables)


@pytest.mark.parametrize(
    ("typed", "variables"),
    [
        ("2xy", ("x", "y")),
        ("ab", ("ab",)),
        ("ab + a + b", ("a", "b")),
        ("ab + a", ("a", "ab")),
        ("alpha x + lambda", ("alpha", "lambda", "x")),
        ("αx+β", ("x", "α", "β")),
        ("x10 + x2 + x1 + y", ("x1", "x2", "x10", "y")),
        ("w₁w₂ + w3", ("w1", "w2", "w3")),
        ("x1x2", ("x1", "x2")),
        ("B + a + A + b", ("A", "a", "B", "b")),
        ("loss + 2 loss^2", ("loss",)),
        ("x_1 + x_2", ("x_1", "x_2")),
        ("signal^2 + max_x", ("max_x", "signal")),
        ("a(x+1) + a", ("a", "x")),
    ],
)
def test_names(typed, variables):
    assert parse(typed).variables == variables


def test_natural_order():
    assert sorted(["y", "x10", "x2", "x", "X2", "x1"], key=natural_order) == ["x", "x1", "X2", "x2", "x10", "y"]


REFUSED = [
    ("", "the expression is empty", None),
    ("   ", "the expression is empty", None),
    ("5", "'5' is constant (always 5)", None),
    ("2+3*4", "is constant (always 14)", None),
    ("foo(x)", "unknown function 'foo' at position 1", (0, 3)),
    ("1 + sim(x)", "unknown function 'sim' at position 5; did you mean 'sin'?", (4, 7)),
    ("f(x)", "for a product write f*(…)", (0, 1)),
    ("__import__('os')", "'__import__' at position 1 is neither a variable nor a function", (0, 10)),
    ("x.__class__", "attributes cannot be read", (1, 2)),
    ("'x'", "text in quotes", (0, 1)),
    ("x = 3", "an expression has no '='", (2, 3)),
    ("x == 3", "comparisons are not part", (2, 4)),
    ("x < 3", "comparisons are not part", (2, 3)),
    ("x, y", "unexpected comma at position 2", (1, 2)),
    ("0,5x", "write 0.5 with a point", (1, 2)),
    ("x[0]", "square brackets", (1, 2)),
    ("x!", "factorial", (1, 2)),
    ("x $ y", "the character '$' at position 3", (2, 3)),
    ("x\x00", "U+0000 at position 2", (1, 2)),
    ("x 5", "'5' at position 3 follows 'x' without an operator", (2, 3)),
    ("x +", "the expression ends after '+'", (2, 3)),
    ("x * * y", "'*' at position 5 cannot follow '*'", (4, 5)),
    ("*x", "something is missing before '*' at position 1", (0, 1)),
    ("(x", "'(' at position 1 is never closed", (0, 1)),
    ("x)", "')' at position 2 closes nothing", (1, 2)),
    ("|x", "'|' at position 1 is never closed", (0, 1)),
    ("|(x|)", "something is missing before ')'", (4, 5)),
    ("()x", "the brackets at position 1 are empty", (0, 2)),
    ("sin", "'sin' at position 1 needs an argument: write sin(x)", (0, 3)),
    ("hypot(x)", "'hypot' at position 1 takes 2 arguments; it was given 1", (0, 8)),
    ("sin(x, y)", "'sin' at position 1 takes one argument; it was given 2", (0, 9)),
    ("max(x)", "takes 2 or more arguments", (0, 6)),
    ("sinx", "needs brackets: write sin(x)", (0, 4)),
    ("xsin(x)", "write x*sin(…)", (0, 4)),
    ("sin^-1(x)", "belongs after its argument", (0, 5)),
    ("x/0", "division by zero: x/0", (0, 3)),
    ("y + x/(1-1)", "division by zero: x/(1-1)", (4, 11)),
    ("x + 9**9**9**9", "this part is not finite: 9**9**9", None),
    ("x + log(0)", "this part is not finite: log(0)", (4, 10)),
    ("x·√(-1)", "this part is not a real number: √(-1)", (2, 7)),
    ("1e999x", "this part is not finite: 1e999", (0, 5)),
    ("lambda x: x", "':' is not part", (8, 9)),
    ("x if y else z", "the word 'if' at position 3", (2, 4)),
    ("nan*x", "the word 'nan' at position 1", (0, 3)),
    ("x + exec('1')", "text in quotes", (9, 10)),
]


@pytest.mark.parametrize(("typed", "sentence", "place"), REFUSED, ids=[repr(typed) for typed, _, _ in REFUSED])
def test_says_what_is_wrong_and_where(typed, sentence, place):
    with pytest.raises(DescendError) as caught:
        parse(typed)
    lines = str(caught.value).split("\n")
    assert sentence in lines[0]
    if place is not None:
        assert lines[1] == "  " + typed
        assert lines[2] == "  " + " " * place[0] + "^" * (place[1] - place[0])


def test_long_and_deep_texts_get_one_sentence():
    for typed, sentence in [
        ("(" * 5000 + "x" + ")" * 5000, "the expression has 10001 characters; at most 10000 are read"),
        ("(" * 2500 + "x" + ")" * 2500, "brackets are nested more than 200 deep at position 201"),
        ("sin(" * 300 + "x" + ")" * 300, "brackets are nested more than 200 deep"),
        ("-" * 5000 + "x", "more than 200 operators wait for each other"),
        ("x" + "^2" * 3000, "more than 200 operators wait for each other"),
        ("+".join(f"x{i}" for i in range(1001)), "the expression has 1001 variables; at most 1000 are read"),
    ]:
        with pytest.raises(DescendError) as caught:
            parse(typed)
        lines = str(caught.value).split("\n")
        assert sentence in lines[0]
        assert max(map(len, lines)) < 200  # a long expression is shown in part
    marked = str(caught.value)
    assert "Traceback" not in marked


def test_the_caret_stands_under_the_place_in_a_long_expression():
    typed = "+".join(["x"] * 600) + "+$+" + "+".join(["x"] * 600)
    with pytest.raises(DescendError) as caught:
        parse(typed)
    _, shown, carets = str(caught.value).split("\n")
    assert shown[carets.index("^")] == "$"


def test_what_is_deep_but_allowed_works_everywhere():
    deep = parse("(" * 200 + "x" + ")" * 200 + "+" + "sin(" * 150 + "y" + ")" * 150)
    assert deep([1.0, 0.0]) == 1.0
    assert len(deep.latex()) > 1000
    long = parse("+".join(["x"] * 5000))
    assert long([0.5]) == 2500.0
    assert len(long.text) == 19997


def test_ambiguous_division_is_noted():
    assert parse("1/2x").notes == ("1/2x… is read from left to right, as (1/2)·x…; bracket the other reading",)
    assert parse("(1/2)x + x/2*y + 2x/3").notes == ()


@pytest.mark.parametrize("x", [0.0, -2.0, 3.0])
@pytest.mark.parametrize("n", [2, 3, 4, 7, 1, 0])
def test_whole_powers_have_finite_slopes_for_any_base(n, x):
    import jax

    with jax.enable_x64(True):
        expression = parse(f"x^{n}")
        assert expression(np.array([x])) == x**n
        slope = jax.grad(expression)(jax.numpy.array([x]))
    assert float(slope[0]) == (n * x ** (n - 1) if n else 0.0)


def test_slopes_at_kinks_and_ties():
    import jax

    with jax.enable_x64(True):
        at = lambda text, p: jax.grad(parse(text))(jax.numpy.array(p, float)).tolist()  # noqa: E731
        assert at("|x|", [0]) == [0.0]
        assert at("relu(x)", [0]) == [0.0]
        assert at("max(x, y)", [1, 1]) == [0.5, 0.5]
        assert at("step(x) + floor(x) + sign(x)", [0.5]) == [0.0]


def test_shapes_and_kinds_of_points():
    import torch

    expression = parse("x² + 3y²")
    assert expression([4, 3]) == 43
    assert expression(np.array([4.0, 3.0], np.float32)).dtype == np.float32
    w = torch.tensor([4.0, 3.0], requires_grad=True)
    expression(w).backward()
    assert w.grad.tolist() == [8.0, 18.0]
    assert parse("x²")(np.float64(3.0)) == 9.0
    assert parse("(x-3)²")(2.0) == 1.0
    for wrong in ([1.0], [1.0, 2.0, 3.0], np.zeros((2, 2))):
        with pytest.raises(DescendError, match=r"takes 2 coordinates \(x, y\)"):
            expression(wrong)
    with pytest.raises(DescendError, match="takes 2 arrays"):
        expression.numpy(1.0)


def test_numpy_evaluates_grids_without_warnings():
    x, y = np.meshgrid(np.linspace(-2, 2, 5), np.linspace(-1, 1, 3))
    values = parse("x^2y + log(x) + 1/x").numpy(x, y)
    assert values.shape == (3, 5)
    assert np.isnan(values[0, 0])
    assert np.isinf(values[0, 2]) or np.isnan(values[0, 2])
    assert values[2, 3] == pytest.approx(1 + 0 + 1)


def test_equal_expressions_are_equal_and_hash_alike():
    assert parse("x**2+3*y**2") == parse("x² + 3 y^2")
    assert len({parse("x**2"), parse("x²"), parse("x^3")}) == 2


def test_latex():
    assert parse("x^2/2 + sqrt(y1) - |alpha| e^(-x)").latex() == (
        r"\frac{x^{2}}{2} + \sqrt{y_{1}} - \left|\alpha\right| e^{-x}"
    )


def test_reading_needs_no_heavy_library():
    code = (
        "import sys; from descend.objectives import parse, resolve, SURFACES; import descend.gradients, descend.cli.points\n"
        "e = parse('x**2 + sin(y)'); e.text, e.latex(), e.numpy(1.0, 2.0); resolve('rosenbrock')\n"
        "print([m for m in ('jax', 'sympy', 'matplotlib', 'torch', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


ALLOWED = ("division by zero", "this part is not finite", "this part is not a real number", "is constant")


@settings(max_examples=400, deadline=None)
@given(formulas())
@example("-x ** 2")
@example("2 ** -x ** 2")
@example("x - (y - z) - -z")
@example("x / (y / z) / 3 * 2")
def test_agrees_with_pythons_own_grammar_and_arithmetic(typed):
    expected = python_value(typed, POINT)
    expression, refusal = attempt(typed)
    if expression is None:
        assert any(words in refusal for words in ALLOWED)
        return
    assert set(expression.variables) == {name for name in NAMES if name in typed.replace("exp", "")}
    if expected is not None and abs(expected) < 1e200:
        assert value_at(expression) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(max_examples=300, deadline=None)
@given(formulas())
@example("(x * sin(x)) ** 2")
@example("1 ** w2 * -x")
def test_the_printed_form_reads_back_the_same(typed):
    try:
        expression = parse(typed)
    except DescendError:
        assume(False)
    again = parse(expression.text)
    assert again.text == expression.text
    assert again.variables == expression.variables
    assert again._steps == expression._steps


@settings(max_examples=60, deadline=None)
@given(formulas(leaves=8))
def test_numpy_jax_and_torch_agree(typed):
    import jax
    import torch

    try:
        expression = parse(typed)
    except DescendError:
        assume(False)
    point = [POINT[name] for name in expression.variables]
    with np.errstate(all="ignore"):
        ours = float(expression(np.array(point)))
    assume(math.isfinite(ours) and abs(ours) < 1e100)
    with jax.enable_x64(True):
        by_jax = float(jax.jit(expression)(jax.numpy.array(point)))
    by_torch = float(expression(torch.tensor(point, dtype=torch.float64)))
    assert by_jax == pytest.approx(ours, rel=1e-9, abs=1e-12)
    assert by_torch == pytest.approx(ours, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", [name for name, function in FUNCTIONS.items() if function.most == 1])
def test_every_function_agrees_with_mpmath_on_every_library(name):
    import jax
    import mpmath
    import torch

    own = {
        "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
        "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
        "relu": lambda x: max(x, mpmath.mpf(0)),
        "step": lambda x: mpmath.mpf(x > 0),
        "log2": lambda x: mpmath.log(x, 2),
        "abs": abs,
        "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    }
    reference = own.get(name) or getattr(mpmath, name)
    expression = parse(f"{name}(x)")
    for x in (-700.5, -40.0, -0.9, -1e-8, 0.3, 0.9, 1.7, 40.0, 700.5):
        with mpmath.workdps(400):
            expected = reference(mpmath.mpf(x))
        if isinstance(expected, mpmath.mpc) or not mpmath.isfinite(expected) or abs(expected) < 1e-290:
            continue
        with jax.enable_x64(True):
            by_jax = float(expression(jax.numpy.array([x])))
        values = [float(expression.numpy(x)), by_jax, float(expression(torch.tensor([x], dtype=torch.float64)))]
        np.testing.assert_allclose(values, float(expected), rtol=1e-12, err_msg=f"{name}({x})")


@settings(max_examples=60, deadline=None)
@given(formulas(SMOOTH, leaves=7))
def test_derivatives_by_rule_by_jax_and_by_differences_agree(typed):
    import jax

    try:
        expression = parse(typed)
        partials = expression.gradient()
    except DescendError:
        assume(False)
    point = np.array([POINT[name] for name in expression.variables])
    with np.errstate(all="ignore"), jax.enable_x64(True):
        assume(abs(float(expression.numpy(*point))) < 1e6)
        automatic = np.asarray(jax.grad(expression)(jax.numpy.array(point)))
    assume(np.all(np.isfinite(automatic)) and np.max(np.abs(automatic)) < 1e6)
    symbolic = np.array([float(p.numpy(*point)) for p in partials])
    np.testing.assert_allclose(symbolic, automatic, rtol=1e-7, atol=1e-9 * (1 + np.max(np.abs(automatic))))


@settings(max_examples=60, deadline=None)
@given(formulas(leaves=7))
@example("abs(abs(w2))")
@example("sqrt(abs(abs(x - 3) - abs(y)))")
def test_sympy_agrees(typed):
    import sympy

    try:
        expression = parse(typed)
    except DescendError:
        assume(False)
    ours = value_at(expression)
    assume(math.isfinite(ours) and abs(ours) < 1e100)
    theirs = expression.sympy()
    # ours has no value of its own in SymPy; from the inside out, for one may stand inside another
    theirs = theirs.replace(lambda part: type(part).__name__ == "abs", lambda part: sympy.Abs(*part.args))
    value = theirs.subs({sympy.Symbol(name, real=True): POINT[name] for name in expression.variables}).evalf(17)
    assert value.is_Float or value.is_Integer, (typed, value)
    assert ours == pytest.approx(float(value), rel=1e-7, abs=1e-9)


_JUNK = st.text(alphabet="xyzab01239.eE+-−*/^²³₁ ()|,√πsincoslogmax_=<>[]{}'\"\\!$%&;:@#~`\n\tλ½⁻·", max_size=40)


_CUT = st.tuples(formulas(leaves=5), st.integers(0, 30)).map(lambda pair: pair[0][: pair[1]] + pair[0][pair[1] + 1 :])


@settings(max_examples=600, deadline=None)
@given(st.one_of(_JUNK, st.text(max_size=60), _CUT))
@example("(")
@example("²")
@example("x²²")
@example("|")
@example("max(,)")
@example("x_₁")
@example("_₁")
def test_junk_never_raises_anything_else(typed):
    expression, refusal = attempt(typed)
    if expression is None:
        assert refusal.split("\n")[0].strip()
        return
    with np.errstate(all="ignore"):
        np.asarray(expression([0.5] * len(expression.variables)), float)
    assert expression.text
    assert expression.latex()
    parse(expression.text)

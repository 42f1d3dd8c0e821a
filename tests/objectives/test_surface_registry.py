"""The named surfaces: minima, values and slopes, by routes of their own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize, rosen

from descend.errors import DescendError
from descend.objectives import SURFACES, resolve
from descend.objectives.surfaces import surface_named

#: (point, value) as the literature prints them, for the functions it has.
PUBLISHED = {
    "rosenbrock": [((1, 1), 0)],
    "beale": [((3, 0.5), 0)],
    "booth": [((1, 3), 0)],
    "matyas": [((0, 0), 0)],
    "himmelblau": [((3, 2), 0), ((-2.805118, 3.131312), 0), ((-3.77931, -3.283186), 0), ((3.584428, -1.848126), 0)],
    "goldstein_price": [((0, -1), 3)],
    "branin": [((-math.pi, 12.275), 0.397887), ((math.pi, 2.275), 0.397887), ((9.42478, 2.475), 0.397887)],
    "six_hump_camel": [((0.0898, -0.7126), -1.0316), ((-0.0898, 0.7126), -1.0316)],
    "three_hump_camel": [((0, 0), 0)],
    "mccormick": [((-0.54719, -1.54719), -1.9133)],
    "styblinski_tang": [((-2.903534, -2.903534), -78.33233)],
    "rastrigin": [((0, 0), 0)],
    "ackley": [((0, 0), 0)],
    "griewank": [((0, 0), 0)],
    "levy_13": [((1, 1), 0)],
    "easom": [((math.pi, math.pi), -1)],
}
BOXES = {"beale": 4.5, "booth": 10, "himmelblau": 5, "goldstein_price": 2, "rastrigin": 5.12, "ackley": 32.768, "griewank": 600}
#: No slope at the minimum: a cusp, corners.
NOT_SMOOTH = ("ackley", "kink")


@pytest.mark.parametrize("name", SURFACES)
def test_entry_is_complete_and_consistent(name):
    surface = SURFACES[name]
    objective = surface.objective()
    n = len(objective.variables)
    assert n in (1, 2)
    assert len(surface.domain) == n == len(surface.start)
    assert all(low < high for low, high in surface.domain)
    for point in (*surface.minima, surface.start):
        assert all(low <= x <= high for x, (low, high) in zip(point, surface.domain, strict=True))
    assert (surface.minimum is None) == (not surface.minima)
    assert surface.note.endswith(".")
    assert surface.source
    assert objective.immutable
    assert objective.expression is not None
    assert resolve(name) is objective
    assert resolve(surface.title) is objective or " " in surface.title


@pytest.mark.parametrize("name", [name for name in SURFACES if SURFACES[name].minima])
def test_minima_are_minima(name):
    surface = SURFACES[name]
    f = surface.objective().expression.numpy
    box = np.array(surface.domain)
    for point in surface.minima:
        assert f(*point) == pytest.approx(surface.minimum, abs=3e-14 * max(1, abs(surface.minimum)))
        if name not in NOT_SMOOTH:
            h = 1e-4
            for i in range(len(point)):
                step = np.eye(len(point))[i] * h
                slope = (f(*(np.array(point) + step)) - f(*(np.array(point) - step))) / (2 * h)
                assert abs(slope) < 1e-4
    # nothing on a fine grid, nor after polishing its lowest points, lies lower
    grid = np.meshgrid(*(np.linspace(low, high, 401) for low, high in box))
    values = f(*grid)
    assert values.min() >= surface.minimum - 1e-12
    fine = {"xatol": 1e-9, "fatol": 1e-13}
    lowest = np.argsort(values.ravel())[:5]
    for start in np.stack([g.ravel()[lowest] for g in grid], axis=1):
        found = minimize(lambda p: float(f(*p)), start, method="Nelder-Mead", bounds=box, options=fine)
        assert found.fun >= surface.minimum - 1e-9


@pytest.mark.parametrize("name", PUBLISHED)
def test_agrees_with_the_literature(name):
    surface = SURFACES[name]
    assert len(surface.minima) == len(PUBLISHED[name])
    for (point, value), ours in zip(PUBLISHED[name], surface.minima, strict=True):
        np.testing.assert_allclose(ours, point, atol=6e-5)
        assert surface.minimum == pytest.approx(value, abs=1e-4)
    if name in BOXES:
        assert surface.domain == ((-BOXES[name], BOXES[name]),) * 2


def test_formulas_against_independent_code():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-2, 2, (2, 50))
    at = {name: SURFACES[name].objective().expression.numpy(x, y) for name in PUBLISHED}
    np.testing.assert_allclose(at["rosenbrock"], [rosen([a, b]) for a, b in zip(x, y, strict=True)], rtol=1e-12)
    u, v = x + y + 1, 2 * x - 3 * y
    a = 1 + u**2 * (19 - 14 * x + 3 * x * x - 14 * y + 6 * x * y + 3 * y * y)
    b = 30 + v**2 * (18 - 32 * x + 12 * x * x + 48 * y - 36 * x * y + 27 * y * y)
    np.testing.assert_allclose(at["goldstein_price"], a * b, rtol=1e-12)
    c, t = 5.1 / (4 * np.pi**2), 1 / (8 * np.pi)
    np.testing.assert_allclose(
        at["branin"], (y - c * x**2 + 5 / np.pi * x - 6) ** 2 + 10 * (1 - t) * np.cos(x) + 10, rtol=1e-12
    )
    r, k = np.sqrt(0.5 * (x**2 + y**2)), 2 * np.pi
    ackley = -20 * np.exp(-0.2 * r) - np.exp(0.5 * (np.cos(k * x) + np.cos(k * y))) + np.e + 20
    np.testing.assert_allclose(at["ackley"], ackley, rtol=1e-12)
    rastrigin = 20 + x**2 - 10 * np.cos(k * x) + y**2 - 10 * np.cos(k * y)
    np.testing.assert_allclose(at["rastrigin"], rastrigin, rtol=1e-12)
    griewank = 1 + (x**2 + y**2) / 4000 - np.cos(x) * np.cos(y / np.sqrt(2))
    np.testing.assert_allclose(at["griewank"], griewank, rtol=1e-12, atol=1e-15)
    s = np.sin
    levy = s(3 * np.pi * x) ** 2 + (x - 1) ** 2 * (1 + s(3 * np.pi * y) ** 2) + (y - 1) ** 2 * (1 + s(2 * np.pi * y) ** 2)
    np.testing.assert_allclose(at["levy_13"], levy, rtol=1e-12)
    np.testing.assert_allclose(at["easom"], -np.cos(x) * np.cos(y) * np.exp(-((x - np.pi) ** 2) - (y - np.pi) ** 2), rtol=1e-12)
    tang = sum(z**4 - 16 * z**2 + 5 * z for z in (x, y)) / 2
    np.testing.assert_allclose(at["styblinski_tang"], tang, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(at["mccormick"], np.sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1, rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in SURFACES if not SURFACES[name].minima])
def test_surfaces_without_minimum_have_none(name):
    f = SURFACES[name].objective().expression.numpy
    n = len(SURFACES[name].domain)
    if name == "pathological":  # a floor that is approached and never reached
        assert f(0.0, -50.0) < f(0.0, -40.0) < 1e-15
        assert f(0.0, -50.0) > 0
    else:
        along = {"saddle": (0, 1), "monkey_saddle": (1, 1), "cubic": (-1,)}[name]
        values = [f(*(t * a for a in along)) for t in (1, 10, 100)]
        assert values[2] < values[1] < values[0] < 0
        assert np.allclose([float(d.numpy(*[0.0] * n)) for d in SURFACES[name].objective().expression.gradient()], 0)


def test_what_the_notes_claim():
    hessian = np.array([[0.52, -0.48], [-0.48, 0.52]])
    assert np.linalg.cond(hessian) == pytest.approx(25)
    cliff = SURFACES["cliff"].objective().expression.gradient()[0]
    assert float(cliff.numpy(2.0, 0.0)) == pytest.approx(25 + 0.4)
    far = SURFACES["plateau"].objective().expression.gradient()
    assert np.hypot(*(d.numpy(3.0, 2.0) for d in far)) < 0.01


def test_a_wrong_name_gets_the_nearest():
    with pytest.raises(DescendError, match="no surface is named 'rosenbrok'; did you mean 'rosenbrock'"):
        surface_named("rosenbrok")
    with pytest.raises(DescendError, match="did you mean 'himmelblau'"):
        resolve("himelblau")
    assert surface_named("Six-hump camel").name == "six_hump_camel"
    assert surface_named("Lévy 13").name == "levy_13"

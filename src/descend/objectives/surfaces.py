"""The named surfaces: well-known test functions and small teaching ones, each an expression."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache

from descend.errors import DescendError
from descend.objectives.expression import parse
from descend.objectives.objective import Objective

__all__ = ["SURFACES", "Surface", "surface_key", "surface_named", "unknown_surface"]

Box = tuple[tuple[float, float], ...]
Points = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Surface:
    """A named function: its formula, where it is drawn, where it is lowest, and what it teaches."""

    name: str
    title: str
    formula: str
    domain: Box
    #: All points where it is lowest; empty where there is none.
    minima: Points
    minimum: float | None
    start: tuple[float, ...]
    #: What it teaches, in a sentence.
    note: str
    source: str

    def objective(self) -> Objective:
        """The surface as something to minimise; always the same object."""
        return _objective(self.name)


def _square(half: float) -> Box:
    return ((-half, half), (-half, half))


# fmt: off
# One entry: name, title, formula; box, minima, value, usual start; what it teaches; source.
_ALL = (
    Surface(
        "rosenbrock", "Rosenbrock", "(1 - x)^2 + 100(y - x^2)^2",
        ((-2.0, 2.0), (-1.0, 3.0)), ((1.0, 1.0),), 0.0, (-1.2, 1.0),
        "A curved valley: its floor is found at once, and every step along it is tiny.",
        "Rosenbrock 1960",
    ),
    Surface(
        "beale", "Beale", "(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + (2.625 - x + x*y^3)^2",
        _square(4.5), ((3.0, 0.5),), 0.0, (1.0, 1.0),
        "Flat in the middle and steep at the corners: one rate cannot suit both.",
        "Beale 1958",
    ),
    Surface(
        "booth", "Booth", "(x + 2y - 7)^2 + (2x + y - 5)^2",
        _square(10), ((1.0, 3.0),), 0.0, (-8.0, 8.0),
        "A bowl turned by 45 degrees: the steep direction is no coordinate, so a rate per coordinate does not help.",
        "Booth; More, Garbow & Hillstrom 1981",
    ),
    Surface(
        "matyas", "Matyas", "0.26(x^2 + y^2) - 0.48x*y",
        _square(10), ((0.0, 0.0),), 0.0, (8.0, 4.0),
        "A flat valley along the diagonal, its curvature 25 times smaller than across: momentum's home ground.",
        "Matyas 1965",
    ),
    Surface(
        "himmelblau", "Himmelblau", "(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
        _square(5),
        ((3.0, 2.0),
         (-2.805118086952745, 3.131312518250573),
         (-3.779310253377747, -3.2831859912861696),
         (3.5844283403304917, -1.8481265269644036)),
        0.0, (0.0, 0.0),
        "Four equally good minima: the start and the rate decide which one is found.",
        "Himmelblau 1972",
    ),
    Surface(
        "goldstein_price", "Goldstein–Price",
        "(1 + (x + y + 1)^2 (19 - 14x + 3x^2 - 14y + 6x*y + 3y^2)) "
        "* (30 + (2x - 3y)^2 (18 - 32x + 12x^2 + 48y - 36x*y + 27y^2))",
        _square(2), ((0.0, -1.0),), 3.0, (-1.0, 0.5),
        "Heights from 3 to a million: a rate that suits the floor flies off the walls.",
        "Goldstein & Price 1971",
    ),
    Surface(
        "branin", "Branin", "(y - 5.1x^2/(4π^2) + 5x/π - 6)^2 + 10(1 - 1/(8π)) cos(x) + 10",
        ((-5.0, 10.0), (0.0, 15.0)),
        ((-3.141592653589793, 12.275),
         (3.141592653589793, 2.275),
         (9.42477796076938, 2.475)),
        0.39788735772973816, (6.0, 12.0),
        "Three equally deep minima in one banana: the everyday test of samplers and sweeps.",
        "Branin 1972",
    ),
    Surface(
        "six_hump_camel", "six-hump camel", "(4 - 2.1x^2 + x^4/3) x^2 + x*y + (4y^2 - 4) y^2",
        ((-2.0, 2.0), (-1.0, 1.0)),
        ((0.08984201310031806, -0.7126564030207396),
         (-0.08984201310031806, 0.7126564030207396)),
        -1.0316284534898774, (1.5, 0.8),
        "Six hollows, two of them deepest: a descent ends in the nearest one, and calls it converged.",
        "Dixon & Szegő 1978",
    ),
    Surface(
        "three_hump_camel", "three-hump camel", "2x^2 - 1.05x^4 + x^6/6 + x*y + y^2",
        _square(2.5), ((0.0, 0.0),), 0.0, (2.0, 2.0),
        "The nearest hollow is not the deepest: from (2, 2) a slow descent stays at the side.",
        "Dixon & Szegő 1978",
    ),
    Surface(
        "mccormick", "McCormick", "sin(x + y) + (x - y)^2 - 1.5x + 2.5y + 1",
        ((-1.5, 4.0), (-3.0, 4.0)), ((-0.5471975511965976, -1.5471975511965976),), -1.9132229549810367, (3.5, 3.5),
        "A slanted trough of waves: lower hollows go on for ever outside the box; the minimum is the lowest inside it.",
        "McCormick 1976",
    ),
    Surface(
        "styblinski_tang", "Styblinski–Tang", "(x^4 - 16x^2 + 5x + y^4 - 16y^2 + 5y)/2",
        _square(5), ((-2.903534027771177, -2.903534027771177),), -78.33233140754285, (4.0, -1.0),
        "Four hollows, and the steepest way down does not lead to the deepest.",
        "Styblinski & Tang 1990",
    ),
    Surface(
        "rastrigin", "Rastrigin", "20 + x^2 - 10cos(2πx) + y^2 - 10cos(2πy)",
        _square(5.12), ((0.0, 0.0),), 0.0, (3.3, -2.2),
        "A bowl under an egg box: a hundred hollows, and any descent stops in the first.",
        "Rastrigin 1974",
    ),
    Surface(
        "ackley", "Ackley", "20 + e - 20exp(-0.2sqrt((x^2 + y^2)/2)) - exp((cos(2πx) + cos(2πy))/2)",
        _square(32.768), ((0.0, 0.0),), 0.0, (15.5, 10.5),
        "Nearly flat outside and rippled: the slope that leads home drowns in the small ones. At the minimum it has a cusp.",
        "Ackley 1987",
    ),
    Surface(
        "griewank", "Griewank", "1 + (x^2 + y^2)/4000 - cos(x) cos(y/√2)",
        _square(600), ((0.0, 0.0),), 0.0, (400.0, -300.0),
        "A huge bowl that looks smooth from afar; close by, ripples hold a descent anywhere.",
        "Griewank 1981",
    ),
    Surface(
        "levy_13", "Lévy 13", "sin(3πx)^2 + (x - 1)^2 (1 + sin(3πy)^2) + (y - 1)^2 (1 + sin(2πy)^2)",
        _square(10), ((1.0, 1.0),), 0.0, (-4.0, 5.0),
        "Ripples of every steepness on a bowl: the nearer the minimum, the more they count.",
        "Lévy & Montalvo 1985",
    ),
    Surface(
        "easom", "Easom", "-cos(x) cos(y) exp(-(x - π)^2 - (y - π)^2)",
        ((-2.0, 8.0), (-2.0, 8.0)), ((3.141592653589793, 3.141592653589793),), -1.0, (4.2, 4.0),
        "A hole in an endless plain: a few steps away from it there is no slope left to follow.",
        "Easom 1990",
    ),
    Surface(
        "bowl", "round bowl", "x^2 + y^2",
        _square(5), ((0.0, 0.0),), 0.0, (4.0, 3.0),
        "Equal curvature on every side: the gradient points straight at the minimum, and below lr 1 nothing flies off.",
        "teaching",
    ),
    Surface(
        "ellipse", "stretched bowl", "x^2 + 3y^2",
        _square(5), ((0.0, 0.0),), 0.0, (4.0, 3.0),
        "Three times steeper one way: y sets the largest rate (1/3), x sets how long it takes.",
        "teaching",
    ),
    Surface(
        "ravine", "ravine", "0.1x^2 + 2y^2",
        ((-6.0, 6.0), (-4.0, 4.0)), ((0.0, 0.0),), 0.0, (-5.0, -2.0),
        "Twenty times steeper across than along: plain descent zig-zags, momentum smooths, Adam adapts.",
        "teaching",
    ),
    Surface(
        "long_ravine", "long ravine", "0.001x^2 + 2y^2",
        ((-6.0, 6.0), (-4.0, 4.0)), ((0.0, 0.0),), 0.0, (-5.0, -2.0),
        "Two thousand times steeper across than along: only a rate per coordinate gets to the end in time.",
        "teaching",
    ),
    Surface(
        "kink", "kinked valley", "abs(x) + 3abs(y)",
        _square(5), ((0.0, 0.0),), 0.0, (3.95, 2.95),
        "The slope never shrinks towards the minimum: a constant rate bounces around it for ever.",
        "teaching",
    ),
    Surface(
        "quartic", "flat bottom", "x^4 + y^4",
        _square(2), ((0.0, 0.0),), 0.0, (1.5, 1.0),
        "No curvature at the minimum: the nearer, the slower, and the loss looks finished long before the point is.",
        "teaching",
    ),
    Surface(
        "plateau", "plateau", "1 - exp(-(x^2 + y^2)/2)",
        _square(5), ((0.0, 0.0),), 0.0, (3.0, 2.0),
        "Far out there is hardly any slope: the loss stands still for long, then drops.",
        "teaching",
    ),
    Surface(
        "cliff", "cliff", "(x^2 + y^2)/10 + 5sigmoid(20(x - 2))",
        _square(4), ((0.0, 0.0),), 0.0, (3.0, 2.0),
        "A wall of slope 25 in a gentle field: one step onto it throws the point far away, unless the gradient is clipped.",
        "Pascanu, Mikolov & Bengio 2013 (the picture)",
    ),
    Surface(
        "saddle", "saddle", "x^2 - y^2",
        _square(3), (), None, (2.0, 0.001),
        "No minimum: the slope is zero at the origin, yet every step to the side leads down for ever.",
        "teaching",
    ),
    Surface(
        "monkey_saddle", "monkey saddle", "x^3 - 3x*y^2",
        _square(2), (), None, (1.0, 0.1),
        "Flat to second order at the origin, with three ways down: curvature there says nothing.",
        "teaching",
    ),
    Surface(
        "cubic", "cubic", "x^3",
        ((-2.0, 2.0),), (), None, (1.0,),
        "No minimum: a descent from the right slows down at 0, which is none, and one that crosses it falls for ever.",
        "teaching",
    ),
    Surface(
        "parabola", "parabola", "(x - 3)^2",
        ((-2.0, 8.0),), ((3.0,),), 0.0, (0.0,),
        "The smallest example: below lr 1 it arrives, at 1 it bounces from 0 to 6 for ever, above it flies off.",
        "teaching",
    ),
    Surface(
        "double_well", "double well", "(x^2 - 1)^2 + 0.3x",
        ((-1.8, 1.8),), ((-1.0355787140888537,),), -0.30542848374391596, (1.6,),
        "Two hollows in one dimension: the right one is nearer and shallower.",
        "teaching",
    ),
    Surface(
        "gaussian_basins", "Gaussian basins",
        "0.02(x^2 + y^2) - exp(-(x + 1.5)^2 - (y + 1)^2) - 0.6exp(-((x - 1.5)^2 + (y - 1)^2)/2)",
        _square(4), ((-1.4690459676799872, -0.9793639784533248),), -0.9373028003563397, (0.6, 0.2),
        "A deep narrow basin and a shallow wide one: a descent takes the one it starts in, not the deeper.",
        "teaching",
    ),
    Surface(
        "pathological", "pathological curve", "tanh(x)^2 + 0.01abs(x) + sigmoid(y)",
        ((-5.0, 5.0), (-10.0, 10.0)), (), None, (-5.0, 5.0),
        "Flat, then steep, then kinked in x, and ever lower in y: plain descent crawls. No minimum, only a floor at 0.",
        "after the pathological curvature example of the UvA deep learning course",
    ),
)
# fmt: on
SURFACES: dict[str, Surface] = {surface.name: surface for surface in _ALL}


@cache
def _objective(name: str) -> Objective:
    surface = SURFACES[name]
    expression = parse(surface.formula)
    return Objective(
        fun=expression,
        name=surface.name,
        text=expression.text,
        variables=expression.variables,
        domain=surface.domain,
        minima=surface.minima,
        minimum=surface.minimum,
        note=surface.note,
        start=surface.start,
        immutable=True,
        expression=expression,
    )


def surface_key(name: str) -> str:
    """The registry's spelling of a name: `Goldstein–Price` is goldstein_price."""
    return re.sub(r"[\s_–—-]+", "_", name.strip().lower()).replace("é", "e")


def surface_named(name: str) -> Surface:
    """The surface of that name; a `DescendError` suggests the nearest one.

    >>> surface_named("Goldstein–Price").minimum
    3.0
    """
    key = surface_key(name)
    if key not in SURFACES:
        raise unknown_surface(name)
    return SURFACES[key]


def unknown_surface(name: str, more: str = "") -> DescendError:
    """The error for a name that is no surface, with the nearest one that is."""
    close = difflib.get_close_matches(surface_key(name), SURFACES, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return DescendError(f"no surface is named {name!r}; {hint}there are {', '.join(SURFACES)}{more}")

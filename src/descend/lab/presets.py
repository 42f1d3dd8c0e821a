"""The playground's examples, as data: a title, the state of the page, a sentence that reads the picture, and what is expected.

`expected` holds, for each optimizer, numbers that a test compares with the library's: `loss` and coordinates after the last
step as they are written, `outcome`, and `changes`: how often a coordinate changes its sign along the path. A preset with a
question hides its runs until an answer was chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["FIRST", "PRESETS", "Choice", "Preset"]

State = Mapping[str, Any]


@dataclass(frozen=True)
class Choice:
    """One answer to a preset's question: its words, whether it is right, and what is said to who chose it."""

    text: str
    right: bool
    feedback: str
    #: The optimizer it speaks of, by place; it is brought to the front.
    shows: int | None = None


@dataclass(frozen=True)
class Preset:
    """One example."""

    key: str
    group: str
    title: str
    state: State
    #: Reads the picture to somebody who touches nothing.
    reading: str
    expected: tuple[Mapping[str, Any], ...] = ()
    question: str = ""
    choices: tuple[Choice, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """As the page takes it."""
        return {
            "key": self.key,
            "group": self.group,
            "title": self.title,
            "state": dict(self.state),
            "reading": self.reading,
            "question": self.question,
            "choices": [vars(choice) for choice in self.choices],
        }


def _sgd(*rates: float) -> list[dict[str, Any]]:
    return [{"name": "sgd", "values": {"lr": rate}} for rate in rates]


def _state(objective: str, start: list[float], steps: int, optimizers: list[dict[str, Any]], **more: Any) -> State:
    return {"objective": objective, "start": start, "steps": steps, "optimizers": optimizers, "seed": 0, **more}


BOWL, STEEP, RAVINE, PARABOLA = "x**2 + 3*y**2", "x**2 + 2*y**2", "0.1*x**2 + 2*y**2", "(x - 3)**2"
ONE, BOWLS, STOP, CURVES, RACES = "One dimension", "A bowl", "Stopping", "Reading curves", "Races"

PRESETS: tuple[Preset, ...] = (
    Preset(
        "zigzag",
        RACES,
        "Zig-zag, smooth, adapt",
        _state(
            RAVINE,
            [-5, -2],
            20,
            [
                {"name": "sgd", "values": {"lr": 0.4}},
                {"name": "momentum", "values": {"lr": 0.4, "momentum": 0.5}},
                {"name": "adam", "values": {"lr": 0.4}},
            ],
        ),
        "The same ravine, the same start, the same 20 steps at the same rate: plain gradient descent zig-zags from wall to "
        "wall, momentum cancels the zig-zag, and Adam gives each direction a rate of its own. Drag the start.",
        (
            {"loss": "0.0890", "changes": {"y": 20}, "outcome": "step_budget"},
            {"loss": "3.98e-04", "changes": {"y": 11}},
            {"loss": "0.1897", "changes": {"y": 2}},
        ),
    ),
    Preset(
        "ravine",
        RACES,
        "Five runs in a ravine",
        _state(
            RAVINE,
            [-5, -2],
            20,
            [
                {"name": "sgd", "values": {"lr": 0.4}},
                {"name": "sgd", "values": {"lr": 0.6}},
                {"name": "momentum", "values": {"lr": 0.4, "momentum": 0.5}},
                {"name": "rmsprop", "values": {"lr": 0.4, "rho": 0.9}},
                {"name": "adam", "values": {"lr": 0.4}},
            ],
        ),
        "Across the ravine the curvature is 4, so plain descent must stay below 2/4 = 0.5: at 0.4 it zig-zags home, at 0.6 it "
        "flies off. Momentum and RMSProp do better; Adam is slower here, and says so.",
        (
            {"loss": "0.0890", "changes": {"y": 20}},
            {"loss": "5.6e+06", "changes": {"y": 20}, "outcome": "diverged"},
            {"loss": "3.98e-04", "changes": {"y": 11}},
            {"loss": "1.12e-05", "changes": {"y": 9}},
            {"loss": "0.1897", "changes": {"y": 2}},
        ),
    ),
    Preset(
        "basin",
        RACES,
        "Two thousand times steeper",
        _state(
            "0.001*x**2 + 2*y**2",
            [-5, -2],
            20,
            [
                {"name": "sgd", "values": {"lr": 0.4273}},
                {"name": "momentum", "values": {"lr": 0.2818, "momentum": 0.9}},
                {"name": "adam", "values": {"lr": 0.7765}},
            ],
        ),
        "Each rate was tuned over the same 241 tries. Plain descent and momentum hardly move along x, where the slope is a "
        "thousandth; a rate for each coordinate takes Adam to the basin in 20 steps.",
        ({"loss": "0.0242"}, {"loss": "0.0218"}, {"loss": "0.00032"}),
    ),
    Preset(
        "which",
        BOWLS,
        "Which one flies off?",
        _state(BOWL, [4, 3], 20, _sgd(0.05, 0.3, 0.4)),
        "0.05 never changes the sign of y; 0.3 changes it at each of 20 steps and still converges; 0.4 changes it at each step "
        "and diverges. The border is 2/6 = 1/3.",
        (
            {"changes": {"y": 0}, "outcome": "step_budget"},
            {"changes": {"y": 20}, "outcome": "step_budget"},
            {"changes": {"y": 20}, "outcome": "diverged", "loss": "1.89e+07"},
        ),
        "Plain gradient descent on x² + 3y² from (4, 3), 20 steps. Which of these learning rates zig-zags and flies off?",
        (
            Choice(
                "0.05",
                False,
                "No. At 0.05 each step takes y to 1 − 0.05·6 = 0.7 of itself: it never even crosses the valley.",
                0,
            ),
            Choice(
                "0.3",
                False,
                "It zig-zags, but it comes home: each step takes y to 1 − 0.3·6 = −0.8 of itself. The sign flips every time, "
                "the size shrinks every time.",
                1,
            ),
            Choice(
                "0.4",
                True,
                "Yes. Each step takes y to 1 − 0.4·6 = −1.4 of itself: across the valley and further up the other side. The "
                "limit is 2/6 = 1/3, the mark on the slider.",
                2,
            ),
            Choice(
                "0.3 and 0.4",
                False,
                "Both zig-zag, only one flies off. What counts is |1 − 6·lr|: 0.8 at 0.3, which shrinks, and 1.4 at 0.4, "
                "which grows.",
                1,
            ),
        ),
    ),
    Preset(
        "bowl",
        BOWLS,
        "Down the bowl",
        _state(BOWL, [4, 3], 20, _sgd(0.1)),
        "Three times steeper one way: the path first falls into the valley, then walks along it. 43 becomes 14.56, 7.24, 4.30, "
        "and after 20 steps 0.00213.",
        ({"loss": "0.00213", "outcome": "step_budget"},),
    ),
    Preset(
        "knobs",
        BOWLS,
        "The three knobs",
        _state(BOWL, [4, 3], 20, _sgd(0.1)),
        "Everything there is to turn: the learning rate (the slider), where it starts (drag the point) and how many steps it "
        "makes. Turn one at a time and say beforehand what will happen.",
        ({"loss": "0.00213"},),
    ),
    Preset(
        "limit",
        BOWLS,
        "The limit, predicted",
        _state(BOWL, [4, 3], 20, _sgd(0.05, 0.3, 1 / 3, 0.4)),
        "The curvature along y is 6, so the limit is 2/6 before any run: below it the path comes home, on it (1/3) it bounces "
        "for ever, beyond it it flies off.",
        (
            {"changes": {"y": 0}},
            {"changes": {"y": 20}, "outcome": "step_budget"},
            {"changes": {"y": 20}},
            {"changes": {"y": 20}, "outcome": "diverged"},
        ),
    ),
    Preset(
        "steep",
        BOWLS,
        "Spits out, crawls, arrives",
        _state(STEEP, [-5, -2], 10, _sgd(0.6, 0.001, 0.1)),
        "The limit is 2/4 = 0.5. At 0.6 the loss goes from 33 to 6693 in ten steps, at 0.001 to 31.40, and at 0.1 the path "
        "bends toward zero.",
        (
            {"loss": "6693", "outcome": "diverged"},
            {"loss": "31.40"},
            {"x": "-0.5369", "y": "-0.0121"},
        ),
    ),
    Preset(
        "round",
        BOWLS,
        "The same rate, a round bowl",
        _state("x**2 + y**2", [-5, -2], 10, _sgd(0.6)),
        "0.6 spat the point out of x² + 2y². Here it converges: the curvature is 2 on every side, so the limit is 2/2 = 1.",
        ({"outcome": "step_budget", "changes": {"y": 10}},),
    ),
    Preset(
        "three",
        CURVES,
        "Three runs, three curves",
        _state(BOWL, [4, 3], 20, _sgd(0.001, 0.1, 0.4)),
        "Read the curves as a doctor does: hardly falling means the rate is far too small, a straight fall on the log axis is "
        "healthy, and a straight climb is divergence.",
        ({"loss": "35.99"}, {"loss": "0.00213"}, {"loss": "1.89e+07", "outcome": "diverged"}),
    ),
    Preset(
        "stop",
        STOP,
        "Four ways to end",
        _state(
            BOWL, [4, 3], 200, [*_sgd(0.3, 0.001, 0.4), {"name": "sgd", "values": {"lr": 1 / 3}}], tol_grad=1e-3, tol_loss=1e-12
        ),
        "The gradient is tiny: converged. The steps are used up. The loss has left all bounds: diverged. The loss has stopped "
        "changing although the gradient has not: stalled. Each ends with a sentence.",
        (
            {"outcome": "converged"},
            {"outcome": "step_budget"},
            {"outcome": "diverged"},
            {"outcome": "stalled"},
        ),
    ),
    Preset(
        "parabola",
        ONE,
        "A parabola",
        _state(PARABOLA, [0], 50, _sgd(0.1)),
        "The tangent says which way is down and how steep it is; the step is the rate times that slope. So the steps shorten "
        "by themselves, and after 50 x is 2.99996.",
        ({"x": "2.99996"},),
    ),
    Preset(
        "bounce",
        ONE,
        "Bouncing for ever",
        _state(PARABOLA, [0], 50, _sgd(1.0)),
        "At exactly 2/2 = 1 each step lands as high on the other side: 0, 6, 0, 6, for ever.",
        ({"x": "0", "outcome": "stalled"},),
    ),
    Preset(
        "flipped",
        ONE,
        "Too far, or the wrong way",
        _state(PARABOLA, [0], 50, [*_sgd(1.1), {"name": "sgd", "values": {"lr": 0.1, "maximize": True}}]),
        "A rate of 1.1 and a flipped sign at 0.1 end in the same place, −27 298: one leaps from side to side, the other climbs "
        "one side. Only the path tells them apart.",
        ({"x": "-27298", "outcome": "diverged"}, {"x": "-27298", "outcome": "diverged"}),
    ),
)

#: What a page shows that was given no state: it tells its story untouched.
FIRST: State = PRESETS[0].state

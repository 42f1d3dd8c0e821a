"""From what is in the way to the optimizer that removes it: questions as data, and a walk through them.

What an optimizer fixes, when not to use it and its usual rates are not repeated here: they are read from its own entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import descend.optimizers  # noqa: F401  (fills the registry)
from descend.errors import DescendError
from descend.rules import OPTIMIZERS, Rule

__all__ = ["FIRST", "Advice", "Question", "walk"]


@dataclass(frozen=True)
class Advice:
    """Where a walk ends: the rule to try first, why, and what to try next."""

    name: str
    because: str
    #: Settings that go with it, as keyword arguments.
    settings: tuple[tuple[str, object], ...] = ()
    then: tuple[str, ...] = ()

    @property
    def rule(self) -> Rule:
        """The rule advised."""
        return OPTIMIZERS[self.name]

    def lines(self) -> list[str]:
        """The advice as lines of text: the rule, why, its usual rates, its state, when not to use it, how to run it."""
        rule = self.rule
        size = rule.state_bytes(rule(**dict(self.settings)).hyperparameters, 4, (1024, 1024)) / 2**20
        options = "".join(f" {key}={value}" for key, value in self.settings)
        return [
            f"{rule.title} ({self.name}{options}): {self.because}",
            f"What it fixes: {rule.fixes}",
            f"Not for: {rule.avoid}",
            f"Usual learning rate: {rule.usual_lr}.",
            f"State: {size:.2g} bytes per parameter in float32.",
            *([f"Try next: {', '.join(self.then)}."] if self.then else []),
        ]


@dataclass(frozen=True)
class Question:
    """A question with its answers, each leading to another question or to advice."""

    text: str
    answers: tuple[tuple[str, Question | Advice], ...]


STARTING = Question(
    "What do you train?",
    (
        ("A line, or something as small and smooth", Advice("sgd", "the whole curve can be understood, its limit predicted.")),
        (
            "A network on images",
            Advice(
                "momentum",
                "with a falling rate it generalises at least as well as Adam, on half the state.",
                then=("nesterov", "adamw"),
            ),
        ),
        ("A transformer, or text", Advice("adamw", "layers differ too much in scale for one rate.", then=("muon", "lion"))),
        ("Something else", Advice("adam", "it forgives a rate that is a factor of ten off.", then=("adamw", "nadam"))),
    ),
)

ZIGZAG = Question(
    "How noisy are the gradients?",
    (
        ("Noisy: small batches", Advice("momentum", "the noise averages out in the velocity.", (("momentum", 0.9),))),
        (
            "Hardly: all the data, or large batches",
            Advice("nesterov", "the look-ahead damps the overshoot.", (("momentum", 0.9),)),
        ),
    ),
)

ONE_RATE = Question(
    "How do the parameters differ?",
    (
        ("Some seldom get a gradient", Advice("adagrad", "their steps stay large until they have been used.", then=("adam",))),
        ("Layers differ in scale", Advice("adam", "each coordinate has its own rate, and memory.", then=("nadam", "adan"))),
        ("The problem drifts as I train", Advice("rmsprop", "its scale forgets the past.", then=("adam",))),
        ("By many orders of magnitude, without noise", Advice("rprop", "it looks at signs alone.", then=("adadelta",))),
    ),
)

MEMORY = Question(
    "How many bytes of state per weight can you afford?",
    (
        ("4", Advice("lion", "half of Adam's state.", then=("momentum", "muon"))),
        ("Next to none", Advice("adafactor", "one number per row and column of a matrix.", then=("signsgd",))),
    ),
)

UNSTABLE = Question(
    "When does it go wrong?",
    (
        ("In the first steps", Advice("radam", "it waits until the second moment is known.", then=("adamax",))),
        (
            "After rare large gradients",
            Advice("amsgrad", "its scale never forgets them; clip_global_norm=1 is the other cure."),
        ),
    ),
)

LENGTH = Question(
    "Do the parameters need rates of their own?",
    (
        ("Yes, or I do not know", Advice("schedule_free_adamw", "averaging takes the schedule's place.")),
        ("No: plain SGD would do", Advice("schedule_free_sgd", "averaging takes the schedule's place.")),
    ),
)

#: The first question: the bottleneck.
FIRST = Question(
    "What is in the way?",
    (
        ("Nothing yet, I am starting", STARTING),
        (
            "The gradient of all my data takes too long",
            Advice(
                "sgd", "the gradient of a batch points the same way on average, at a fraction of the cost.", then=("momentum",)
            ),
        ),
        ("The path zig-zags, or crawls along a valley: no memory of direction", ZIGZAG),
        ("One rate does not suit all parameters", ONE_RATE),
        (
            "Weight decay does not act as it should with Adam",
            Advice("adamw", "the decay no longer passes through the scaling.", (("weight_decay", 0.01),)),
        ),
        ("The optimizer's state does not fit into memory", MEMORY),
        ("Adam is unstable", UNSTABLE),
        ("I do not know how long I will train", LENGTH),
        ("I do not want to choose a rate", Advice("prodigy", "it estimates the distance to go.", then=("adadelta",))),
        ("Very large batches", Advice("lamb", "each array moves in proportion to its norm.", then=("lars",))),
        (
            "Hidden weight matrices learn slowly",
            Advice("muon", "all directions of a matrix move alike; give everything else adamw in a second group."),
        ),
        (
            "The last point is noisy",
            Advice("asgd", "it reports the mean of the points.", (("t0", 0.0),), ("schedule_free_sgd",)),
        ),
        ("I must reproduce a run made with Keras", Advice("adam_hat", "eps stands elsewhere there.")),
    ),
)


def walk(ask: Callable[[str, Sequence[str]], int], first: Question = FIRST) -> Advice:
    """Ask from question to question until there is advice.

    `ask` is given a question and its answers and returns the place of the one chosen, from 0.

    >>> walk(lambda question, answers: 4).name
    'adamw'

    Raises `DescendError` where `ask` returns no such place.
    """
    here: Question | Advice = first
    while isinstance(here, Question):
        labels = [label for label, _ in here.answers]
        chosen = ask(here.text, labels)
        if not 0 <= chosen < len(labels):
            raise DescendError(f"{here.text} has {len(labels)} answers; there is no answer {chosen + 1}")
        here = here.answers[chosen][1]
    return here

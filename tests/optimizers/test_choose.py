"""From the bottleneck to the optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from descend.choose import FIRST, Advice, Question, walk
from descend.errors import DescendError
from descend.rules import OPTIMIZERS


def leaves(here: Question | Advice, depth: int = 0) -> Iterator[tuple[Advice, int]]:
    if isinstance(here, Advice):
        yield here, depth
    else:
        for _, then in here.answers:
            yield from leaves(then, depth + 1)


def by_words(*words: str) -> Advice:
    """Walk by choosing the answer that has the next word in it."""
    left = list(words)

    def ask(text: str, answers: Sequence[str]) -> int:
        word = left.pop(0)
        (place,) = [i for i, answer in enumerate(answers) if word in answer]
        return place

    advice = walk(ask)
    assert not left
    return advice


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("all my data",), "sgd"),
        (("memory of direction", "Noisy"), "momentum"),
        (("One rate", "drifts"), "rmsprop"),
        (("One rate", "scale"), "adam"),
        (("decay",), "adamw"),
        (("fit into memory", "4"), "lion"),
        (("starting", "images"), "momentum"),
    ],
)
def test_the_bottleneck_decides(words: tuple[str, ...], name: str) -> None:
    assert by_words(*words).name == name


@pytest.mark.parametrize("advice", [a for a, _ in leaves(FIRST)], ids=lambda a: a.name)
def test_every_end_is_an_optimizer_that_can_be_had(advice: Advice) -> None:
    assert {advice.name, *advice.then} <= set(OPTIMIZERS)
    assert advice.rule(**dict(advice.settings)).name == advice.name
    lines = advice.lines()
    assert lines[0].startswith(advice.rule.title)
    assert any(advice.rule.usual_lr in line for line in lines)
    assert any("bytes per parameter" in line for line in lines)


def test_state_in_the_advice_is_the_rules_own() -> None:
    told = {a.name: next(line for line in a.lines() if line.startswith("State")) for a, _ in leaves(FIRST)}
    assert told["adamw"] == "State: 8 bytes per parameter in float32."
    assert told["sgd"] == "State: 0 bytes per parameter in float32."
    assert told["momentum"] == "State: 4 bytes per parameter in float32."


def test_two_questions_are_enough() -> None:
    assert max(depth for _, depth in leaves(FIRST)) == 2


@pytest.mark.parametrize("answer", [-1, 99])
def test_an_answer_that_is_not_there(answer: int) -> None:
    with pytest.raises(DescendError, match=r"What is in the way\? has 13 answers; there is no answer"):
        walk(lambda text, answers: answer)

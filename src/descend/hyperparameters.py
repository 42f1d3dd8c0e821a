"""The named knobs of rules: their bounds, and what is said when one is turned too far."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from descend.errors import DescendError
from descend.schedules import Schedule

__all__ = ["BOUNDS", "COMMON", "MEANINGS", "Hyperparameter", "is_off"]

#: Bounds by name: lowest, highest, and whether each end is allowed. A rule may override them.
BOUNDS: dict[str, tuple[float, float, bool, bool]] = {
    "lr": (0.0, math.inf, False, False),
    "momentum": (0.0, 1.0, True, True),
    "dampening": (0.0, 1.0, True, True),
    "beta1": (0.0, 1.0, True, False),
    "beta2": (0.0, 1.0, True, False),
    "beta3": (0.0, 1.0, True, False),
    "rho": (0.0, 1.0, True, False),
    "v0": (0.0, math.inf, True, False),
    "eps": (0.0, math.inf, True, False),
    "weight_decay": (0.0, math.inf, True, False),
}

#: What each is, by name, where a rule does not say it otherwise.
MEANINGS: dict[str, str] = {
    "lr": "learning rate: the length of a step in units of the direction",
    "momentum": "share of the velocity kept from step to step",
    "dampening": "share of each gradient left out of the velocity",
    "beta1": "share of the mean gradient kept from step to step",
    "beta2": "share of the mean square kept from step to step",
    "rho": "share of the mean square kept from step to step",
    "eps": "keeps the division finite; a large one makes small gradients count less",
    "weight_decay": "pull of the parameters towards 0, per unit of lr",
    "decoupled": "decay the parameters themselves instead of adding to the gradient",
    "maximize": "climb instead of descend",
    "clip_value": "largest size of a gradient's entry; 0 is off",
    "clip_norm": "largest norm of each array's gradient; 0 is off",
    "clip_global_norm": "largest norm of all gradients together; 0 is off",
    "clip_eps": "added to a norm that is clipped; torch's clip_grad_norm_ has 1e-6",
    "lr_in_velocity": "keep the rate inside the velocity (Keras, Caffe)",
    "eps_in_root": "add eps inside the square root (Keras, optax)",
    "v0": "what the squares start at",
    "nesterov": "look ahead along the velocity",
    "weight_lr_power": "the mean weighs each step by the largest rate so far to this power",
}


@dataclass(frozen=True)
class Hyperparameter:
    """A named knob of a rule, as its signature declares it."""

    name: str
    default: float | bool | int | str
    bounds: tuple[float, float, bool, bool] | None = None
    #: The values a word may take.
    choices: tuple[str, ...] = ()
    #: What it is, in a few words.
    meaning: str = ""

    @property
    def structural(self) -> bool:
        """Structure of the rule (bool, int, str) rather than a value that may change at each step."""
        return not isinstance(self.default, float)

    def check(self, value: Any, owner: str) -> Any:
        """The value as the rule wants it, or a `DescendError` that says what would be right."""
        what = f"{owner}'s {self.name}"
        if isinstance(value, Schedule):
            if self.structural:
                raise DescendError(f"{what} cannot follow a schedule; only float hyperparameters can")
            return value
        if isinstance(self.default, bool):
            word = value.lower() if isinstance(value, str) else value
            if word not in (True, False, 0, 1, "true", "false"):
                raise DescendError(f"{what} is true or false; got {value!r}")
            return word == "true" if isinstance(word, str) else bool(word)
        if isinstance(self.default, str):
            if self.choices and value not in self.choices:
                raise DescendError(f"{what} is one of {', '.join(self.choices)}; got {value!r}")
            return str(value)
        if hasattr(value, "dtype") and getattr(value, "ndim", 0) > 0:
            return value
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise DescendError(f"{what} is a number; got {value!r}") from None
        except OverflowError:
            raise DescendError(f"{what} is a number that float64 holds; got one of {len(str(abs(value)))} digits") from None
        if isinstance(self.default, int):
            if not math.isfinite(number) or number != int(number):
                raise DescendError(f"{what} is a whole number; got {value!r}")
            self._check_bounds(number, what)
            return int(number)
        self._check_bounds(number, what)
        return number

    def _check_bounds(self, number: float, what: str) -> None:
        if math.isnan(number):
            raise DescendError(f"{what} is a number; got nan")
        if self.bounds is None:
            return
        low, high, low_in, high_in = self.bounds
        if (number < low or (number == low and not low_in)) or (number > high or (number == high and not high_in)):
            wanted = [f"{'at least' if low_in else 'above'} {low:g}"] if math.isfinite(low) else []
            if math.isfinite(high):
                wanted.append(f"{'at most' if high_in else 'below'} {high:g}")
            if math.isinf(number):
                wanted.append("finite")
            raise DescendError(f"{what} must be {' and '.join(wanted)}; got {number:g}")


def is_off(value: Any) -> bool:
    """Whether a value switches its option off: zero, or false."""
    return isinstance(value, bool | int | float) and not value


#: Applied around any rule, in this order: maximize, clip, weight decay. Clipping by norm scales by bound/norm as optax does;
#: torch's clip_grad_norm_ adds 1e-6 to the norm: `clip_eps=1e-6`.
COMMON: dict[str, Hyperparameter] = {
    name: Hyperparameter(
        name, default, (0.0, math.inf, True, False) if isinstance(default, float) else None, meaning=MEANINGS[name]
    )
    for name, default in {
        "weight_decay": 0.0,
        "decoupled": False,
        "maximize": False,
        "clip_value": 0.0,
        "clip_norm": 0.0,
        "clip_global_norm": 0.0,
        "clip_eps": 0.0,
    }.items()
}

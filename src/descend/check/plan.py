"""In the child process: how an object is driven, as it was found out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from descend.check.names import SYNONYMS, TUPLES
from descend.check.probes import SETTINGS
from descend.check.styledrun import Way

__all__ = ["Plan", "guessed_settings"]


@dataclass
class Plan:
    """How an object is driven: the adapter, the method, what each argument is, and in what parameters are handed over."""

    adapter: str
    target: Any
    arguments: list[dict[str, Any]] = field(default_factory=list)
    method: str = ""
    #: Role of each positional argument of the method or function: p, g, state, t, or slot:<name>.
    roles: tuple[str, ...] = ()
    container: str = "list"
    takes_params: bool = False
    #: What a state argument starts as: "empty", "none", "zeros", or "init" for the module's own function.
    state: str = "empty"
    init: Callable[..., Any] | None = None
    #: Arguments that are kept from step to step start as None.
    nones: bool = False
    #: It takes a gradient function and makes its own loop.
    drives: bool = False
    #: A style of its own, found by trying.
    way: Way | None = None
    #: torch tensors or NumPy arrays.
    arrays: str = "numpy"
    #: Compiled updates of optax transformations, by setting and shapes.
    programs: dict[str, Any] = field(default_factory=dict)
    #: Whether torch's default type is float64 while it runs, so that single numbers of a state are kept in float64 as well.
    double: bool = True

    @property
    def text(self) -> str:
        """How it is driven, in words."""
        if self.way is not None:
            return self.way.text
        if self.drives:
            return "function that minimises by itself, given a gradient function and a number of steps"
        if self.adapter in ("class", "function"):
            name = f".{self.method}" if self.method else ""
            roles = ", ".join(r.removeprefix("slot:") for r in self.roles)
            library = "NumPy" if self.arrays == "numpy" else "torch"
            return f"{library} {self.adapter}{name}({roles}), {_CONTAINERS[self.container]}"
        return {
            "torch": "torch.optim.Optimizer",
            "optax": "optax transformation",
            "keras": "Keras optimizer",
            "arena": f"class over parameters with .grad ({self.arrays})",
        }[self.adapter]


_CONTAINERS = {"list": "a list of arrays", "array": "one array at a time", "dict": "a dict of arrays"}


def guessed_settings(plan: Plan) -> dict[str, Any]:
    """Values for arguments that have no default."""
    made: dict[str, Any] = {}
    for argument in plan.arguments:
        if "default" in argument:
            continue
        name = argument["name"].lower()
        ours = next((o for o, names in SYNONYMS.items() if name in names), None)
        made[argument["name"]] = SETTINGS[0].get(ours or "", 0.1)
        if name in TUPLES:
            made[argument["name"]] = (0.9, 0.99)
    return made

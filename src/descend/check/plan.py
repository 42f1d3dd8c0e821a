"""In the child process: how an object is driven, as it was found out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from descend.check.handing import Handed
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
    #: Parameters are changed in place and the state alone comes back: seen in the first step that moves them.
    gives_state: bool = False
    #: It adds one to the number of the step before it uses it, and gives it back: it is given the number of steps made. None:
    #: not looked at yet.
    counts: bool | None = None
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
    #: Whether a torch optimizer's step is given a closure, and whether gradients keep their graph.
    closure: bool = False
    graph: bool = False

    @property
    def groups(self) -> bool:
        """Whether it has parameter groups: a torch optimizer that is not given a model."""
        modelled = isinstance(self.target, Handed) and any(role == "model" for _, role in self.target.roles)
        return self.adapter == "torch" and not modelled

    @property
    def blind(self) -> str:
        """What a run with given gradients does not show of it."""
        if self.graph:
            return "the gradients it is given have a Hessian of one on the diagonal: what it does with others is not seen"
        if self.closure:
            return "its closure gives the gradients of a linear function: what it does about curvature is not seen"
        return ""

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
        more = [self.target.text] if isinstance(self.target, Handed) else []
        more += ["with a closure"] * self.closure
        return {
            "torch": ", ".join(filter(None, ["torch.optim.Optimizer", *more])),
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

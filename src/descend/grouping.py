"""Parameter groups: several optimizers in one descent, each on its own arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from descend.errors import DescendError
from descend.hyperparameters import COMMON
from descend.rules import Optimizer, Rule, State
from descend.trees import flatten

__all__ = ["Groups", "groups"]

Array = Any
Labels = Any


def groups(labels: Labels | Callable[[Array], str], **optimizers: Optimizer | Rule) -> Groups:
    """Several optimizers in one: each array is moved by the one its label names.

    `labels` is a tree like the parameters with a group's name in each place, or a function of one array that gives the name.
    Hyperparameters are reached as `group.name`, in `with_values`, schedules and records alike. Global norms and Prodigy's sums
    run over one group.

    >>> import numpy as np
    >>> from descend.optimizers import adamw, muon
    >>> opt = groups(lambda p: "hidden" if p.ndim == 2 else "rest", hidden=muon(lr=0.02), rest=adamw(lr=3e-4))
    >>> params = {"w": np.eye(2), "b": np.zeros(2)}
    >>> params, state = opt.step(params, {"w": np.eye(2), "b": np.ones(2)}, opt.init(params))
    >>> params["b"]
    array([-0.0003, -0.0003])

    Raises `DescendError` for a label without an optimizer.
    """
    if not optimizers:
        raise DescendError("groups needs an optimizer for each group, such as groups(labels, hidden=muon(), rest=adamw())")
    bound = {}
    for key, chosen in optimizers.items():
        optimizer = chosen() if isinstance(chosen, Rule) else chosen
        if not isinstance(optimizer, Optimizer) or isinstance(optimizer, Groups):
            raise DescendError(f"group {key!r} needs an optimizer such as adamw(lr=1e-3); got {chosen!r}")
        bound[key] = optimizer
    return _assembled(labels, bound)


def _assembled(labels: Labels, members: Mapping[str, Optimizer]) -> Groups:
    knobs, values, stated = {}, {}, set()
    for key, member in members.items():
        known = COMMON | dict(member.rule.hyperparameters)
        for name, value in member.hyperparameters.items():
            knobs[f"{key}.{name}"], values[f"{key}.{name}"] = known[name], value
        stated |= {f"{key}.{name}" for name in member.stated}
    title = ", ".join(f"{key}={member.name}" for key, member in members.items())
    # no statement about stability holds for several rules at once
    together = Rule("groups", _unused, {}, knobs, title=f"groups of {title}", kind="sign")
    return Groups(together, values, {}, frozenset(stated), None, labels, members)


def _unused(g: Array, p: Array, s: Any) -> Any:
    raise AssertionError("groups are moved by their members")


@dataclass(frozen=True, eq=False, repr=False)
class Groups(Optimizer):
    """Several optimizers that act as one: what `groups` gives. Its state has the form of any optimizer's."""

    labels: Labels = None
    members: Mapping[str, Optimizer] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"groups({', '.join(f'{key}={member}' for key, member in self.members.items())})"

    @property
    def structure(self) -> tuple[Any, ...]:
        """What decides the shape of the computation: the members' structures and which array belongs to which."""
        labels = self.labels if callable(self.labels) else tuple(flatten(self.labels)[0])
        return ("groups", labels, tuple((key, member.structure) for key, member in self.members.items()))

    @property
    def reports_elsewhere(self) -> bool:
        """Whether some member's point to look at is not p itself."""
        return any(member.reports_elsewhere for member in self.members.values())

    def with_values(self, **changes: Any) -> Groups:
        """The same groups with some hyperparameters changed: `**{"hidden.lr": 0.01}`, or `lr=0.01` for all that have it."""
        todo: dict[str, dict[str, Any]] = {key: {} for key in self.members}
        for name, value in changes.items():
            key, dot, own = name.rpartition(".")
            if dot and key not in self.members:
                raise DescendError(f"there is no group {key!r}; there are {', '.join(self.members)}")
            for member in [key] if dot else self.members:
                todo[member][own] = value
        return _assembled(self.labels, {key: member.with_values(**todo[key]) for key, member in self.members.items()})

    def init_leaves(self, leaves: Sequence[Array]) -> State:
        """The state before the first step, in the order of the arrays."""
        slots: list[Any] = [None] * len(leaves)
        for key, places in self._places(leaves).items():
            for place, slot in zip(places, self.members[key].init_leaves([leaves[i] for i in places])["slots"], strict=True):
                slots[place] = slot
        return {"t": 0, "slots": slots}

    def step_leaves(
        self, leaves: Sequence[Array], grads: Sequence[Array], state: State, hyper: Mapping[str, Any]
    ) -> tuple[list[Array], State]:
        """One step of every member on its own arrays."""
        new, slots = list(leaves), list(state["slots"])
        for key, places in self._places(leaves).items():
            member, own = self.members[key], {name: hyper[f"{key}.{name}"] for name in self.members[key].hyperparameters}
            part = {"t": state["t"], "slots": [state["slots"][i] for i in places]}
            moved, after = member.step_leaves([leaves[i] for i in places], [grads[i] for i in places], part, own)
            for place, p, slot in zip(places, moved, after["slots"], strict=True):
                new[place], slots[place] = p, slot
        return new, {"t": state["t"] + 1, "slots": slots}

    def report(self, leaves: Sequence[Array], state: State) -> list[Array]:
        """The point to look at: for each array what its own optimizer says."""
        shown = list(leaves)
        for key, places in self._places(leaves).items():
            part = {"t": state.get("t", 0), "slots": [state["slots"][i] for i in places]}
            for place, p in zip(places, self.members[key].report([leaves[i] for i in places], part), strict=True):
                shown[place] = p
        return shown

    def rebuilt(self, state: State) -> State:
        """The state with running powers and counts made anew from the step count, where the labels are a tree."""
        if callable(self.labels):
            raise DescendError("groups labelled by a function cannot rebuild a state without the arrays; label them by a tree")
        slots = list(state["slots"])
        for i, key in enumerate(flatten(self.labels)[0]):
            slots[i] = self.members[key].rebuilt({"t": state["t"], "slots": [slots[i]]})["slots"][0]
        return {**state, "slots": slots}

    def _among(self, leaves: list[Array], places: list[int]) -> Groups:
        """The same groups for some of the arrays."""
        names = flatten(self.labels)[0] if not callable(self.labels) else [self.labels(p) for p in leaves]
        return replace(self, labels=[names[i] for i in places])

    def _places(self, leaves: Sequence[Array]) -> dict[str, list[int]]:
        """Which arrays belong to each group, by their places; groups without arrays are left out."""
        names = [self.labels(p) for p in leaves] if callable(self.labels) else flatten(self.labels)[0]
        if len(names) != len(leaves):
            raise DescendError(f"there are {len(names)} labels and {len(leaves)} parameter arrays; they must match")
        places: dict[str, list[int]] = {}
        for i, name in enumerate(names):
            if name not in self.members:
                raise DescendError(
                    f"the labels name a group {name!r} that has no optimizer; there are {', '.join(self.members)}"
                )
            places.setdefault(name, []).append(i)
        return places

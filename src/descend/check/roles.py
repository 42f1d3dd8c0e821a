"""What the usual names of arguments stand for."""

from __future__ import annotations

import inspect
from typing import Any

from descend.check.names import HYPER

__all__ = [
    "METHODS",
    "PARAMETERS",
    "PLURAL",
    "arguments_of",
    "described",
    "in_order",
    "initializer",
    "positional",
    "role_of",
    "speaks_torch",
]

PARAMETERS = frozenset(
    "p param params parameter parameters w weight weights theta x variables ps thetas point ws values var "  # noqa: SIM905
    "trainable_params model_params".split()
)
_G = frozenset(
    "g grad grads gradient gradients dw dx gs dp dtheta dws grad_w gradient_vector grad_wrt_w derivative".split()  # noqa: SIM905
)
_S = {"state", "s", "config", "cache", "opt_state", "optim_state", "memory", "st", "states", "buffers", "optimizer_state"}
COUNTS = frozenset(
    "t step k iteration i n it iter timestep step_num epoch count step_count num_step step_number global_step current_step "  # noqa: SIM905
    "cur_step time_step iter_num iteration_number step_idx num_iter".split()
)
METHODS = (
    "step", "update", "apply_gradients", "apply", "update_params", "optimize", "update_parameters", "get_update", "__call__",
)  # fmt: skip
PLURAL = {
    "params", "parameters", "weights", "ps", "thetas", "grads", "gradients", "gs", "dws", "ws", "variables", "trainable_params",
}  # fmt: skip


def arguments_of(function: Any, skip: int) -> list[dict[str, Any]]:
    """Arguments that can be given by name, without the first ones; defaults where they are plain."""
    try:
        parameters = list(inspect.signature(function).parameters.values())[skip:]
    except (TypeError, ValueError):
        return []
    found: list[dict[str, Any]] = []
    for p in parameters:
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY):
            found.append(described(p))
    return found


def described(p: inspect.Parameter) -> dict[str, Any]:
    """Name and default of an argument, the default as it is where it is plain."""
    if p.default is p.empty:
        return {"name": p.name}
    plain = isinstance(p.default, bool | int | float | str | tuple | list) or p.default is None
    return {"name": p.name, "default": p.default if plain else str(p.default)}


def role_of(name: str) -> str | None:
    low = name.lower().strip("_")
    for names, role in ((PARAMETERS, "p"), (_G, "g"), (_S, "state"), (COUNTS, "t")):
        if low in names:
            return role
    if low in HYPER:
        return None
    if low.startswith(("grad", "dw", "d_")):
        return "g"
    if low.startswith(("param", "weight", "theta")):
        return "p"
    return f"slot:{name}"


def positional(function: Any, skip: int) -> list[inspect.Parameter]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p for p in list(inspect.signature(function).parameters.values())[skip:] if p.kind in kinds]


def initializer(cls: type) -> Any:
    return getattr(cls, "__init__")  # noqa: B009  (asked of the class, not of an instance)


def in_order(names: list[str]) -> tuple[str, ...]:
    """Roles by name; where no name says it, parameters come first and gradients second."""
    roles = [role_of(n) or "hyper" for n in names]
    if "g" not in roles and len(roles) == 1:
        roles = ["g"]
    if len(roles) >= 2 and "g" not in roles:
        roles[1 if roles[0] == "p" else 0 if "p" in roles else 1] = "g"
    if len(roles) >= 2 and "p" not in roles and roles[0] != "g":
        roles[0] = "p"
    return tuple(roles)


def speaks_torch(target: Any) -> bool:
    """Whether the code of a function, or of a class's methods, names torch: it may be imported for something else."""
    functions = [target, *vars(target).values()] if isinstance(target, type) else [target]
    codes = [code for f in functions if (code := getattr(f, "__code__", None)) is not None]
    return any("torch" in code.co_names or "torch" in code.co_freevars for code in codes)

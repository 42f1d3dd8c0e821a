"""What the arguments of a function probably are, by their names: every plausible reading, the most plausible first."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence, Set
from typing import Any

from descend.check.names import HYPER
from descend.check.roles import COUNTS, described

__all__ = ["Roles", "hands_for", "is_key", "readings", "settings_of"]

Roles = tuple[tuple[str, str], ...]

_P = {
    "p",
    "ps",
    "param",
    "params",
    "parameter",
    "parameters",
    "w",
    "ws",
    "weight",
    "weights",
    "theta",
    "thetas",
    "x",
    "xs",
    "var",
    "vars",
    "variable",
    "variables",
    "value",
    "values",
    "point",
    "tensor",
    "tensors",
    "leaf",
    "position",
    "net_params",
    "model_params",
    "trainable_params",
    "var_list",
    "param_list",
    "network_params",
}
_G = set(
    "g gs grad grads gradient gradients dw dws dx dxs dp dtheta dparam dparams d_params grad_w nabla derivative grad_list "  # noqa: SIM905
    "gradient_vector grad_wrt_w deltas globalg updates".split()
)
_STATE = set(
    "state states s st opt_state optim_state optimizer_state opt_states memory buffers buffer buf slots slot cache caches "  # noqa: SIM905
    "moments moment accumulators velocity velocities v m carry history store mem state_dict".split()
)
_BOTH = {"model", "layer", "net", "network", "module", "nn", "mlp", "layers"}
_PAIRS = {"params_and_grads", "param_grads", "params_grads", "pairs", "parameters_and_gradients", "weights_and_grads"}
_TURNED = {"grads_and_vars", "gradients_and_variables", "grads_vars", "grads_and_params", "gradients_and_parameters"}
_CONFIGS = {"hyperparams", "hyperparameters", "hparams", "hp", "hps", "h", "hyper", "config", "cfg", "conf", "opts", "opt"} | {
    "options", "args", "settings", "optim_config", "optimizer_config", "flags", "kwargs_dict", "configuration", "c",
}  # fmt: skip
_KEYS = {"key", "name", "idx", "index", "id", "layer_id", "layer_name", "param_name", "param_id", "uid", "tag", "label"} | {
    "layer_idx", "layer_index", "param_idx", "variable_name", "var_name", "pid", "param_key", "weight_name", "i", "k", "j",
}  # fmt: skip
_SHAPES = {"shape", "shapes", "dim", "dims", "param_shape", "param_shapes", "size"}
_ONES = {"batch_size", "batchsize", "bs", "m_batch"}
_NOT = {"amsgrad", "maximize", "nesterov", "centered", "foreach", "capturable", "differentiable", "fused", "has_complex"} | {
    "has_sparse_grad", "decoupled", "decoupled_weight_decay", "verbose", "debug",
}  # fmt: skip
_PLURAL = {"params", "parameters", "weights", "ps", "thetas", "grads", "gradients", "gs", "dws", "ws", "variables", "tensors"}


def required(function: Callable[..., Any], *, also: bool = True) -> list[inspect.Parameter]:
    """Arguments without a default, and those that are None by default and may be what is carried."""
    found = []
    for p in inspect.signature(function).parameters.values():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        known = _known(p.name)
        if p.default is p.empty or (also and p.default is None and known and known[0] in ("p", "g", "state")):
            found.append(p)
    return found


def is_key(name: str) -> bool:
    """Whether a name is known to say which array it is: a number for anything else might be taken for a hyperparameter."""
    return name.lower() in _KEYS


def _known(name: str) -> list[str]:
    """The roles a name is known for."""
    low = name.lower().strip("_")
    table: list[tuple[Set[str], str]] = [(_BOTH, "both"), (_PAIRS, "pairs"), (_TURNED, "turned"), (_ONES, "one")]
    table += [
        (_NOT, "not"),
        (_SHAPES, "shape"),
        (_P, "p"),
        (_G, "g"),
        (_STATE, "state"),
        (COUNTS, "t"),
        (_KEYS, "key"),
        (_CONFIGS, "config"),
    ]
    found = [role for names, role in table if low in names]
    found += ["state"] if low in ("opt", "optimizer") else []  # an optimizer that is a record
    if not found and low not in HYPER:
        if low.startswith(("grad", "dw", "d_")):
            found.append("g")
        elif low.startswith(("param", "weight", "theta")):
            found.append("p")
        elif low.endswith(("state", "states", "slots", "cache", "moments", "momentums", "steps", "avgs", "avg_sqs", "buf")):
            found.append("state")
        elif low.endswith(("config", "params", "options", "settings")):
            found.append("config")
    return found


def _paired(names: Sequence[str], making: bool) -> dict[str, str]:
    """w, b with dw, db: parameters and gradients one by one; of what is made, w and b."""
    if making:
        pair = [n for n in names if n.lower() in ("w", "ws", "weight", "weights", "b", "bs", "bias", "biases")]
        return {n: f"p{i}" for i, n in enumerate(pair)} if len(pair) == 2 else {}
    found: dict[str, str] = {}
    for name in names:
        other = next((n for n in names if n != name and n in (f"d{name}", f"d_{name}", f"grad_{name}", f"{name}_grad")), None)
        if other is not None:
            number = len(found) // 2
            found[name], found[other] = f"p{number}", f"g{number}"
    return found if len(found) == 4 else {}


def readings(function: Callable[..., Any], *, making: bool = False, most: int = 24) -> Iterator[Roles]:
    """Roles of the arguments that must be given, in order of plausibility; `making`: of a constructor."""
    arguments = required(function, also=not making)
    names = [p.name for p in arguments]
    paired = _paired(names, making)
    choices: list[list[str]] = []
    for argument in arguments:
        name = argument.name
        low = name.lower()
        known = [paired[name]] if name in paired else _known(name)
        if not known and low in HYPER:
            known = ["set", "g"] if low == "d" else ["set"]
        elif not known or low in ("s", "c", "n", "v", "m"):
            known = [*known, *(["config", "set", "p", "both"] if making else ["state", "key", "config", "g", "p", "both"])]
        if making:
            known = [k for k in known if k not in ("g", "t", "state", "pairs", "turned", "key")]
            known += ["set"] if low in HYPER and "set" not in known else []
        choices.append([*dict.fromkeys(known)])
    tried = 0
    for roles in itertools.product(*choices):
        if not making and (roles.count("g") > 1 or roles.count("p") > 1 or roles.count("key") > 1):
            continue
        tried += 1
        if tried > most:
            return
        yield tuple(zip(names, roles, strict=True))


def settings_of(function: Callable[..., Any], roles: Roles) -> list[dict[str, Any]]:
    """The other arguments: hyperparameters, with their defaults where they are plain."""
    taken = {name for name, role in roles if role != "set"}
    found = []
    for p in inspect.signature(function).parameters.values():
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and p.name not in taken:
            found.append(described(p))
    return found


def hands_for(making: Roles, roles: Roles, kind: str) -> list[str]:
    """The forms in which arrays may be handed over under these roles."""
    found = {role for _, role in (*making, *roles)}
    names = {name.lower() for name, _ in (*making, *roles)}
    if "p0" in found:
        return ["weights", "weight lists"]
    if "both" in found:
        return _models(names, kind)
    if found & {"pairs", "turned"}:
        return ["turned pairs", "pairs"] if "turned" in found else ["pairs", "turned pairs"]
    if "key" in found:
        return ["array"]
    plural = bool(names & _PLURAL) or any(n.endswith("s") for n, r in (*making, *roles) if r in ("p", "g"))
    if "g" in found:
        order = ["list", "array"] if plural else ["array", "list"]
        return [*order, "dict", "numbered"]
    if "p" in found:
        return ["grads", "one grad"] if plural else ["one grad", "grads"]
    return []


def _models(names: set[str], kind: str) -> list[str]:
    if kind == "torch":
        return ["module", "one grad"]
    layers = ["layer", "named layer"]
    networks = ["named network", "network", "module"]
    rest = ["one grad", "grads", "pairs"]
    if "layers" in names:
        return ["layers", "named layers"]
    return [*layers, *networks, *rest] if any(n.startswith("layer") for n in names) else [*networks, *layers, *rest]
